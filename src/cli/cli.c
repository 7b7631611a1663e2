#include "cli/cli.h"

#include "cli/errand.h"
#include "cli/help.h"
#include "cli/show.h"
#include "cli/text.h"

#include <errno.h>

enum { RUN_ARENA_BYTES = 1024 * 1024 * 1024, RUN_WORDS_MAX = 256 };

struct str cli_env(const struct cli *cli, const char *name)
{
    size_t n = strlen(name);
    for (char *const *e = cli->environment; e != NULL && *e != NULL; e++)
        if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
            return str_c(*e + n + 1);
    return STR("");
}

/* "hanse: the sentence (at /field)", then what else is known. */
static void print_error(const struct run *run)
{
    struct str text = text_plain(run->arena, err_text(run->err));
    struct str pointer = text_plain(run->arena, err_pointer(run->err));
    fprintf(run->cli->err, "hanse: %.*s", STRF(text));
    if (pointer.n > 0)
        fprintf(run->cli->err, " (at %.*s)", STRF(pointer));
    fprintf(run->cli->err, "\n%.*s", STRF(run->more));
}

/* The words that were typed as a command, without flags: "party lst". */
static struct str typed_words(struct run *run, int argc, char *const *argv)
{
    struct buf b;
    buf_init(&b, run->arena, RUN_WORDS_MAX);
    for (int i = 0; i < argc && i < COMMAND_WORDS_MAX && argv[i][0] != '-'; i++)
        buf_fmt(&b, "%s%s", i == 0 ? "" : " ", argv[i]);
    return text_plain(run->arena, buf_str(&b));
}

/* As many words of s as other has. */
static struct str same_length(struct str s, struct str other)
{
    size_t words = 1;
    for (size_t i = 0; i < other.n; i++)
        words += other.p[i] == ' ';
    size_t end = 0;
    for (; words > 0 && end < s.n; words--)
        end = str_find(s, ' ', end + (end > 0));
    return str_sub(s, 0, end);
}

static enum rc refuse_command(struct run *run, const struct command *list, size_t count, int argc,
                              char *const *argv)
{
    struct str typed = typed_words(run, argc, argv);
    struct str rest = typed;
    struct str noun = str_cut(&rest, ' ');
    if (typed.n == 0)
        return err_set(run->err, RC_SYNTAX, "flags stand behind the command: hanse COMMAND %s",
                       argv[0]);
    bool asks_help = typed.n == noun.n && argc > 1 && strcmp(argv[1], "--help") == 0;
    if (asks_help && help_noun(run, noun, run->cli->out))
        return RC_OK;
    if (typed.n == noun.n && help_noun(run, noun, run->cli->err))
        return err_set(run->err, RC_SYNTAX, "'%.*s' needs one more word", STRF(noun));

    if (help_synonym(noun) != NULL)
        return help_unknown(run, noun);
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        struct str words = str_c(list[i].words);
        struct str part = same_length(typed, words);
        size_t distance = text_distance(part, words);
        if (distance < best && text_near(part, words)) {
            best = distance;
            nearest = list[i].words;
        }
    }
    if (nearest != NULL)
        return err_set(run->err, RC_SYNTAX, "there is no command '%.*s'; did you mean '%s'?",
                       STRF(typed), nearest);
    return help_unknown(run, typed);
}

static enum rc run_command(struct run *run, int argc, char *const *argv)
{
    if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
        help_overview(run, run->cli->out);
        return RC_OK;
    }
    size_t count = 0;
    const struct command *list = command_list(run->arena, &count);
    if (strcmp(argv[0], "--version") == 0) {
        show_str(run->cli->out, STR("hanse " HANSE_VERSION "\n"));
        return RC_OK;
    }
    size_t words = 0;
    run->command = command_find(list, count, argc, argv, &words);
    if (run->command == NULL)
        return refuse_command(run, list, count, argc, argv);
    TRY(args_parse(run->command, argc - (int)words, argv + words, run->arena, &run->args,
                   run->err));
    if (args_has(&run->args, "help")) {
        help_command(run, run->command, run->cli->out);
        return RC_OK;
    }
    return run->command->run != NULL ? run->command->run(run) : errand_run(run);
}

enum rc cli_run(struct cli *cli, int argc, char *const *argv)
{
    ASSERT(argc >= 1);
    struct arena arena;
    arena_init(&arena, RUN_ARENA_BYTES);
    struct err err;
    err_clear(&err);
    struct run run = {.cli = cli, .arena = &arena, .err = &err};

    enum rc rc = run_command(&run, argc - 1, argv + 1);
    /* What was lost on its way out was not done for whoever asked. */
    if ((fflush(cli->out) != 0 || ferror(cli->out)) && rc == RC_OK)
        rc = err_set(&err, errno == ENOSPC ? RC_FULL : RC_INTERNAL,
                     "the output could not be written");
    if (rc != RC_OK)
        print_error(&run);
    (void)fflush(cli->err); /* there is nowhere left to say that it failed */
    arena_fini(&arena);
    return rc;
}
