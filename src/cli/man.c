/*
 * man.c - the manual page hanse(1), in mdoc, made from the commands.
 */
#include "cli/builtin.h"
#include "cli/help.h"
#include "cli/show.h"

/* When these words last changed; not the day of the build, so that builds repeat. */
#define MAN_DATE "November 22, 2026"

/* Text for mdoc: no line begins as a request, no backslash is an escape, hyphens are hyphens. */
static void put(FILE *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\\')
            show_str(out, STR("\\e"));
        else if (c == '-')
            show_str(out, STR("\\-"));
        else if ((c == '.' || c == '\'') && i == 0)
            fprintf(out, "\\&%c", c);
        else
            (void)fputc(c, out); /* cli_run looks at ferror at the end */
    }
}

static void line(FILE *out, struct str s)
{
    put(out, s);
    show_str(out, STR("\n"));
}

/* A macro line: quotes and what mdoc would take for a macro or punctuation are kept apart. */
static void arg(FILE *out, struct str s)
{
    show_str(out, STR(" \""));
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '"')
            show_str(out, STR("\"\""));
        else
            put(out, str_n(&s.p[i], 1));
    show_str(out, STR("\""));
}

static void put_flag(struct run *run, FILE *out, const struct command *c, const struct flag *flag)
{
    show_str(out, STR(".It Fl \\-"));
    put(out, flag->name);
    if (flag->value != NULL) {
        show_str(out, STR(" Ar"));
        arg(out, str_c(flag->value));
    }
    show_str(out, STR("\n"));
    struct str bounds = help_bounds(run->arena, c, flag);
    line(out, str_c(flag->doc));
    if (bounds.n > 0)
        line(out, arena_fmt(run->arena, "(%.*s)", STRF(bounds)));
}

static bool is_common(const struct flag *flag)
{
    static const char *const common[] = {"json", "csv",  "wide",    "all",    "body",
                                         "null", "help", "profile", "server", "if-version"};
    for (size_t i = 0; i < COUNT(common); i++)
        if (flag->kind == FLAG_OWN && str_eq(flag->name, str_c(common[i])))
            return true;
    return false;
}

static void put_command(struct run *run, FILE *out, const struct command *c)
{
    struct str synopsis = command_synopsis(c, run->arena);
    show_str(out, STR(".It Nm Cm"));
    arg(out, str_c(c->words));
    if (synopsis.n > 0) {
        show_str(out, STR(" Ar"));
        arg(out, synopsis);
    }
    show_str(out, STR("\n"));
    line(out, str_c(c->doc));
    size_t count = 0;
    const struct flag *flags = command_flags(c, run->arena, &count);
    bool began = false;
    for (size_t i = 0; i < count; i++) {
        if (is_common(&flags[i]))
            continue;
        if (!began)
            show_str(out, STR(".Bl -tag -width Ds -compact\n"));
        began = true;
        put_flag(run, out, c, &flags[i]);
    }
    if (began)
        show_str(out, STR(".El\n"));
}

static const char opening[] =
    ".Dd " MAN_DATE "\n"
    ".Dt HANSE 1\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm hanse\n"
    ".Nd work with a Hanse server\n"
    ".Sh SYNOPSIS\n"
    ".Nm\n"
    ".Ar command\n"
    ".Op Ar argument ...\n"
    ".Op Ar flag ...\n"
    ".Sh DESCRIPTION\n"
    ".Nm\n"
    "does from the command line what the portal does: each command is one call of the\n"
    "public interface.\n"
    "Begin with\n"
    ".Ql hanse login URL ,\n"
    "or with\n"
    ".Ql hanse setup LINK\n"
    "where somebody invited you.\n"
    ".Pp\n"
    "Results go to standard output, questions, hints and errors to standard error.\n"
    "Passwords are never taken from the command line: they are asked for, or read\n"
    "from a file that only its owner can read, or from standard input where the file is\n"
    ".Ql \\- .\n"
    "What changes something may be repeated after a lost connection, at most three\n"
    "times; the server does it once.\n"
    ".Ss Flags of many commands\n"
    ".Bl -tag -width Ds\n"
    ".It Fl \\-json\n"
    "Print JSON, as the server sent it; with\n"
    ".Fl \\-all\n"
    "one array.\n"
    ".It Fl \\-csv\n"
    "Print a list as comma-separated values.\n"
    ".It Fl \\-wide\n"
    "Show all fields, and do not cut long ones.\n"
    ".It Fl \\-all\n"
    "Follow the pages of a list to the end.\n"
    ".It Fl \\-body Ar FILE\n"
    "Send this JSON instead of flags.\n"
    ".It Fl \\-null Ar FIELD\n"
    "Empty a field.\n"
    ".It Fl \\-if\\-version Ar N\n"
    "Change something only where it is still this version.\n"
    ".It Fl \\-profile Ar NAME\n"
    "Use the server and the token of this profile.\n"
    ".It Fl \\-server Ar URL\n"
    "Ask this server.\n"
    ".It Fl \\-help\n"
    "Explain the command.\n"
    ".El\n"
    ".Pp\n"
    "Fields of objects are written with dots\n"
    ".Pq Fl \\-address.city Ar Paris ,\n"
    "entries of lists of objects as\n"
    ".Fl \\-tax\\-ids Ar scheme=vat,value=FR00 ,\n"
    "once for each entry; lists of words with commas.\n"
    ".Ss Commands\n"
    ".Bl -tag -width Ds\n";

static const char closing[] =
    ".El\n"
    ".Sh ENVIRONMENT\n"
    ".Bl -tag -width Ds\n"
    ".It Ev HANSE_PROFILE\n"
    "The profile to use.\n"
    ".It Ev HANSE_URL\n"
    "The address of the server.\n"
    ".It Ev HANSE_TOKEN_FILE\n"
    "A file that holds the token; only its owner may be able to read it.\n"
    ".It Ev NO_COLOR\n"
    "Print without colours.\n"
    ".It Ev XDG_CONFIG_HOME\n"
    "The folder of settings, instead of\n"
    ".Pa ~/.config .\n"
    ".El\n"
    ".Sh FILES\n"
    ".Bl -tag -width Ds\n"
    ".It Pa ~/.config/hanse/profiles.json\n"
    "The servers you are logged in to, with a token for each.\n"
    "Refused where others can read it.\n"
    ".El\n"
    ".Sh EXIT STATUS\n"
    ".Bl -tag -width Ds -compact\n";

/* Each exit code once, with the first title that leads to it. */
static void put_exits(FILE *out)
{
    for (enum rc rc = RC_OK; rc < RC_COUNT; rc++) {
        bool seen = false;
        for (enum rc before = RC_OK; before < rc; before++)
            seen = seen || rc_exit(before) == rc_exit(rc);
        if (seen)
            continue;
        fprintf(out, ".It %d\n", rc_exit(rc));
        bool first = true;
        for (enum rc other = rc; other < RC_COUNT; other++) {
            if (rc_exit(other) != rc_exit(rc))
                continue;
            fprintf(out, "%s%s", first ? "" : "; ", rc_title(other));
            first = false;
        }
        show_str(out, STR(".\n"));
    }
    show_str(out, STR(".El\n"));
}

enum rc builtin_man(struct run *run)
{
    FILE *out = run->cli->out;
    size_t count = 0;
    const struct command *list = command_list(run->arena, &count);
    show_str(out, str_c(opening));
    for (size_t i = 0; i < count; i++)
        put_command(run, out, &list[i]);
    show_str(out, str_c(closing));
    put_exits(out);
    show_str(out, STR(".Sh EXAMPLES\n.Bd -literal -offset indent\n"));
    for (size_t i = 0; i < count; i++)
        if (list[i].route != NULL)
            line(out, help_example(run->arena, &list[i]));
    show_str(out, STR(".Ed\n.Sh SEE ALSO\n.Xr hansed 8\n"));
    return RC_OK;
}
