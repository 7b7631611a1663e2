#include "cli/help.h"

#include "cli/builtin.h"
#include "cli/profile.h"
#include "cli/show.h"
#include "cli/text.h"

enum { EXAMPLE_MAX = 1024, EXAMPLE_FLAGS_MAX = 3, BOUNDS_MAX = 2048, ANSWER_MAX = 8192 };

#define EXAMPLE_ULID "01jd8v3q7w4k2m9x6c5b1n0h8z"

/* --- words about fields --- */

static void add_words(struct buf *b, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++)
        buf_fmt(b, "%s%s", i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ", words[i]);
}

/* The parts of one entry: "scheme=..., value=...". */
static void add_parts(struct buf *b, const struct schema *s)
{
    buf_add(b, STR("with "));
    bool first = true;
    for (size_t i = 0; i < s->count; i++) {
        if ((s->fields[i].flags & FIELD_READ_ONLY) != 0)
            continue;
        buf_fmt(b, "%s%s=", first ? "" : ", ", s->fields[i].name);
        first = false;
    }
    buf_add(b, STR("; may be given again"));
}

struct str help_bounds(struct arena *arena, const struct command *c, const struct flag *flag)
{
    const struct field *f = flag->field;
    bool patch = c->route != NULL && (c->route->flags & ROUTE_PATCH) != 0;
    struct buf b;
    buf_init(&b, arena, BOUNDS_MAX);
    if (f == NULL)
        return STR("");
    if (f->words != NULL)
        add_words(&b, f->words);
    else if (f->type == FIELD_LIST && f->schema != NULL)
        add_parts(&b, f->schema);
    else if (f->type == FIELD_INT && (f->min != 0 || f->max != 0) && f->max < INT64_MAX)
        buf_fmt(&b, "%lld to %lld", (long long)f->min, (long long)f->max);
    else if (f->type == FIELD_TEXT && f->prefix == NULL && f->min > 0 && f->min == f->max)
        buf_fmt(&b, "%lld characters", (long long)f->min);
    else if (f->type == FIELD_TEXT && f->prefix == NULL && f->max > 0)
        buf_fmt(&b, "at most %lld characters", (long long)f->max);
    else if (f->type == FIELD_TIME)
        buf_add(&b, STR("such as 2026-11-22T01:57:28Z"));
    else if (f->type == FIELD_DATE)
        buf_add(&b, STR("such as 2026-11-22"));
    if ((f->flags & FIELD_REQUIRED) != 0 && !patch)
        buf_add(&b, b.n > 0 ? STR("; required") : STR("required"));
    return buf_str(&b);
}

static const char *id_prefix(struct str param, const struct command *c)
{
    if (str_eq(param, STR("party")))
        return "pty";
    if (str_eq(param, STR("user")))
        return "usr";
    if (c->route->reply != NULL) {
        int id = schema_find(c->route->reply, STR("id"));
        if (id >= 0 && c->route->reply->fields[id].prefix != NULL)
            return c->route->reply->fields[id].prefix;
    }
    return NULL;
}

/* A value that could be typed for the flag, quoted for the shell where it needs that; empty where
 * the table has no example. */
static struct str example_value(struct arena *arena, const struct flag *flag)
{
    const struct field *f = flag->field;
    if (flag->kind == FLAG_SECRET)
        return STR("secret.txt");
    if (f->example == NULL && f->words != NULL)
        return str_c(f->words[0]);
    if (f->example == NULL && f->prefix != NULL)
        return arena_fmt(arena, "%s_" EXAMPLE_ULID, f->prefix);
    const struct json *node = NULL;
    struct err ignored = {0};
    if (f->example == NULL || (f->type == FIELD_LIST && f->schema != NULL) ||
        json_parse(str_c(f->example), arena, &node, &ignored) != RC_OK)
        return STR("");
    struct str text = show_value(arena, NULL, node);
    for (size_t i = 0; i < text.n; i++)
        if (strchr(" \"'$`\\;&|<>()*?#!~", text.p[i]) != NULL)
            return arena_fmt(arena, "'%.*s'", STRF(text));
    return text;
}

struct str help_example(struct arena *arena, const struct command *c)
{
    struct buf b;
    buf_init(&b, arena, EXAMPLE_MAX);
    buf_fmt(&b, "hanse %s", c->words);
    struct str names[ROUTE_PARAMS_MAX];
    size_t params = c->route != NULL && c->synopsis == NULL ? route_params(c->route, names) : 0;
    for (size_t i = 0; i < params; i++) {
        const char *prefix = id_prefix(names[i], c);
        buf_fmt(&b, " %s%s" EXAMPLE_ULID, prefix != NULL ? prefix : "", prefix != NULL ? "_" : "");
    }
    size_t count = 0;
    const struct flag *flags = command_flags(c, arena, &count);
    size_t shown = 0;
    for (int wanted = 1; wanted >= 0; wanted--) { /* the required ones first */
        for (size_t i = 0; i < count && shown < EXAMPLE_FLAGS_MAX; i++) {
            bool field = flags[i].kind == FLAG_BODY || flags[i].kind == FLAG_QUERY;
            if (!field || flags[i].value == NULL ||
                ((flags[i].field->flags & FIELD_REQUIRED) != 0) != (wanted == 1))
                continue;
            struct str value = example_value(arena, &flags[i]);
            if (value.n == 0)
                continue;
            buf_fmt(&b, " --%.*s %.*s", STRF(flags[i].name), STRF(value));
            shown++;
        }
    }
    return b.full ? str_c(c->words) : buf_str(&b);
}

/* Of nouns whose commands are our own, or whose routes answer something else. */
static const char *own_heading(struct str noun)
{
    static const struct {
        const char *noun;
        const char *heading;
    } own[] = {
        {"close", "The close of a month: usage becomes invoices, postings and shares."},
        {"completion", "What a shell needs to complete commands."},
        {"demo", "Hanse, played through."},
        {"krl", "The language of picos, without an engine."},
        {"pico", "A personal computer in an engine; asked for at its listener for developers."},
        {"plan", "What servers bring, and what is sold of an item."},
        {"usage", "What was used: reported, refused, added up."},
        {"workorder", "Work on hardware: what is to be done, by whom, for which fee."},
    };
    for (size_t i = 0; i < COUNT(own); i++)
        if (str_eq(noun, str_c(own[i].noun)))
            return own[i].heading;
    return NULL;
}

const char *help_heading(const struct command *list, size_t count, struct str noun)
{
    const char *own = own_heading(noun);
    if (own != NULL)
        return own;
    static const char *const verbs[] = {"show", "create", ""}; /* who shows it says what it is */
    for (size_t v = 0; v < COUNT(verbs); v++)
        for (size_t i = 0; i < count; i++)
            if (str_eq(command_noun(&list[i]), noun) && list[i].route != NULL &&
                list[i].route->reply != NULL && strchr(list[i].words, ' ') != NULL &&
                str_ends(str_c(list[i].words), str_c(verbs[v])))
                return list[i].route->reply->doc;
    return str_eq(noun, STR("profile")) ? profiles_schema.doc : "";
}

/* --- on the terminal --- */

enum { RIGHT_COLUMNS_MIN = 24 };

/* Words of text, in lines that begin at column `indent` and end before `columns` (0: no end). The
 * cursor stands at that column. */
static void print_words(FILE *to, struct str text, size_t indent, size_t columns)
{
    bool bounded = columns >= indent + RIGHT_COLUMNS_MIN;
    size_t at = indent;
    bool first = true;
    while (text.n > 0) {
        struct str word = str_cut(&text, ' ');
        size_t width = text_width(word);
        if (!first && bounded && at + 1 + width > columns) {
            fprintf(to, "\n%*s", (int)indent, "");
            at = indent;
            first = true;
        }
        fprintf(to, "%s%.*s", first ? "" : " ", STRF(word));
        at += width + !first;
        first = false;
    }
    fprintf(to, "\n");
}

static size_t columns_of(const struct run *run, FILE *to)
{
    bool terminal = to == run->cli->out ? run->cli->out_terminal : run->cli->err_terminal;
    return terminal ? run->cli->columns : 0;
}

void help_entry(const struct run *run, FILE *to, struct str left, size_t width, struct str right)
{
    size_t taken = text_width(left);
    fprintf(to, "  %.*s", STRF(left));
    if (taken > width) {
        fprintf(to, "\n");
        taken = 0;
        fprintf(to, "  ");
    }
    fprintf(to, "%*s", (int)(width - taken) + 2, "");
    print_words(to, right, width + 4, columns_of(run, to));
}

struct str help_usage(struct arena *arena, const struct command *c)
{
    struct str synopsis = command_synopsis(c, arena);
    return arena_fmt(arena, "%s%s%.*s", c->words, synopsis.n > 0 ? " " : "", STRF(synopsis));
}

enum { FLAG_WIDTH = 30 };

bool help_noun(struct run *run, struct str noun, FILE *to)
{
    size_t count = 0;
    const struct command *list = command_list(run->arena, &count);
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(command_noun(&list[i]), noun))
            continue;
        const char *heading = help_heading(list, count, noun);
        if (!found)
            fprintf(to, "%.*s%s%s\n", STRF(noun), *heading == '\0' ? "" : ": ", heading);
        found = true;
        help_entry(run, to, help_usage(run->arena, &list[i]), HELP_WIDTH, str_c(list[i].doc));
    }
    return found;
}

static void print_flag(struct run *run, FILE *to, const struct command *c, const struct flag *flag)
{
    bool is_bool = flag->field != NULL && flag->field->type == FIELD_BOOL;
    struct str left =
        is_bool ? arena_fmt(run->arena, "--%.*s, --no-%.*s", STRF(flag->name), STRF(flag->name))
                : arena_fmt(run->arena, "--%.*s%s%s", STRF(flag->name),
                            flag->value != NULL ? " " : "", flag->value != NULL ? flag->value : "");
    struct str bounds = help_bounds(run->arena, c, flag);
    struct str right = bounds.n == 0 ? str_c(flag->doc)
                                     : arena_fmt(run->arena, "%s (%.*s)", flag->doc, STRF(bounds));
    help_entry(run, to, left, FLAG_WIDTH, right);
}

static void print_flags(struct run *run, FILE *to, const struct command *c, bool fields)
{
    size_t count = 0;
    const struct flag *flags = command_flags(c, run->arena, &count);
    bool headed = false;
    for (size_t i = 0; i < count; i++) {
        if ((flags[i].kind != FLAG_OWN) != fields)
            continue;
        if (!headed)
            fprintf(to, "\n%s:\n", fields ? "fields" : "flags");
        headed = true;
        print_flag(run, to, c, &flags[i]);
    }
}

static void print_answer(const struct run *run, FILE *to, const struct command *c)
{
    const struct schema *s = c->route != NULL ? c->route->reply : NULL;
    if (s == NULL)
        return;
    struct buf names;
    buf_init(&names, run->arena, ANSWER_MAX);
    for (size_t i = 0; i < s->count; i++)
        if ((s->fields[i].flags & FIELD_WRITE_ONLY) == 0)
            buf_fmt(&names, "%s%s", names.n > 0 ? " " : "", s->fields[i].name);
    fprintf(to, "\nanswers:\n  ");
    print_words(to, buf_str(&names), 2, columns_of(run, to));
}

void help_command(struct run *run, const struct command *c, FILE *to)
{
    fprintf(to, "usage: hanse %.*s [flags]\n\n%s\n", STRF(help_usage(run->arena, c)), c->doc);
    print_flags(run, to, c, true);
    print_flags(run, to, c, false);
    print_answer(run, to, c);
    fprintf(to, "\nexample:\n  %.*s\n", STRF(help_example(run->arena, c)));
}

enum rc builtin_help(struct run *run)
{
    size_t n = run->args.word_count;
    if (n == 0) {
        help_overview(run, run->cli->out);
        return RC_OK;
    }
    size_t count = 0;
    const struct command *list = command_list(run->arena, &count);
    char *argv[COMMAND_WORDS_MAX];
    for (size_t i = 0; i < n; i++) {
        argv[i] = arena_bytes(run->arena, run->args.words[i].n + 1);
        memcpy(argv[i], run->args.words[i].p, run->args.words[i].n);
        argv[i][run->args.words[i].n] = '\0';
    }
    size_t words = 0;
    const struct command *c = command_find(list, count, (int)n, argv, &words);
    if (c != NULL && words == n) {
        help_command(run, c, run->cli->out);
        return RC_OK;
    }
    if (n == 1 && str_eq(run->args.words[0], STR("all"))) {
        help_all(run, run->cli->out);
        return RC_OK;
    }
    if (n == 1 && help_noun(run, run->args.words[0], run->cli->out))
        return RC_OK;
    return help_unknown(run, run->args.words[0]);
}
