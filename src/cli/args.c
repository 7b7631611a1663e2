#include "cli/command.h"
#include "cli/text.h"

/* Flags may be typed with '_' where their field has it. */
static bool same_name(struct str typed, struct str name)
{
    if (typed.n != name.n)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (typed.p[i] != name.p[i] && !(typed.p[i] == '_' && name.p[i] == '-'))
            return false;
    return true;
}

static const struct flag *find_flag(const struct args *a, struct str name)
{
    for (size_t i = 0; i < a->flag_count; i++)
        if (same_name(name, a->flags[i].name))
            return &a->flags[i];
    return NULL;
}

static bool is_bool(const struct flag *flag)
{
    return flag->field != NULL && flag->field->type == FIELD_BOOL;
}

/* A secret that was typed on the command line is refused by its own sentence. */
static enum rc refuse_flag(const struct command *c, const struct args *a, struct str name,
                           struct err *err)
{
    const struct flag *nearest = NULL;
    size_t best = TEXT_SUGGEST_MAX + 1;
    for (size_t i = 0; i < a->flag_count; i++) {
        const struct flag *flag = &a->flags[i];
        struct str file = STR("-file");
        if (flag->kind == FLAG_SECRET &&
            same_name(name, str_sub(flag->name, 0, flag->name.n - file.n)))
            return err_set(err, RC_SYNTAX,
                           "a secret on the command line can be read by others: leave --%.*s out "
                           "to be asked for it, or use --%.*s FILE",
                           STRF(name), STRF(flag->name));
        size_t distance = text_distance(name, flag->name);
        if (text_near(name, flag->name) && distance < best) {
            best = distance;
            nearest = flag;
        }
    }
    if (nearest != NULL)
        return err_set(err, RC_SYNTAX, "'hanse %s' has no flag --%.*s; did you mean --%.*s?",
                       c->words, STRF(name), STRF(nearest->name));
    return err_set(err, RC_SYNTAX, "'hanse %s' has no flag --%.*s; see: hanse help %s", c->words,
                   STRF(name), c->words);
}

static enum rc add_given(struct args *a, const struct flag *flag, struct str value, struct err *err)
{
    ASSERT(flag != NULL);
    for (size_t i = 0; i < a->given_count && !flag->repeats; i++)
        if (a->given[i].flag == flag)
            return err_set(err, RC_SYNTAX, "--%.*s is given twice", STRF(flag->name));
    a->given[a->given_count++] = (struct given){flag, value};
    return RC_OK;
}

/* "--name value", "--name=value", "--flag", "--no-flag". *at is the index of the argument, and is
 * moved onto the value where that is taken. */
static enum rc parse_flag(const struct command *c, struct args *a, int argc, char *const *argv,
                          int *at, struct err *err)
{
    struct str text = str_c(argv[*at] + 2);
    struct str value = text;
    struct str name = str_cut(&value, '=');
    bool has_value = name.n < text.n;

    const struct flag *flag = find_flag(a, name);
    if (flag == NULL && !has_value && str_starts(name, STR("no-"))) {
        flag = find_flag(a, str_sub(name, 3, name.n));
        if (flag != NULL && is_bool(flag))
            return add_given(a, flag, STR("false"), err);
        flag = NULL;
    }
    if (flag == NULL)
        return refuse_flag(c, a, name, err);
    if (is_bool(flag))
        return add_given(a, flag, has_value ? value : STR("true"), err);
    if (flag->value == NULL && has_value)
        return err_set(err, RC_SYNTAX, "--%.*s takes no value", STRF(flag->name));
    if (flag->value == NULL || has_value)
        return add_given(a, flag, has_value ? value : STR(""), err);

    /* What looks like a flag is hardly meant as a value: --name= takes it nevertheless. */
    if (*at + 1 >= argc || strncmp(argv[*at + 1], "--", 2) == 0)
        return err_set(err, RC_SYNTAX, "--%.*s needs a value: --%.*s %s", STRF(flag->name),
                       STRF(flag->name), flag->value);
    *at += 1;
    return add_given(a, flag, str_c(argv[*at]), err);
}

static enum rc parse_all(const struct command *c, int argc, char *const *argv, struct args *a,
                         struct err *err)
{
    bool flags_end = false;
    for (int at = 0; at < argc; at++) {
        if (!str_is_utf8(str_c(argv[at])))
            return err_set(err, RC_SYNTAX, "argument %d is not UTF-8", at + 1);
        if (flags_end || argv[at][0] != '-' || argv[at][1] == '\0')
            a->words[a->word_count++] = str_c(argv[at]);
        else if (strcmp(argv[at], "--") == 0)
            flags_end = true;
        else if (strcmp(argv[at], "-h") == 0)
            TRY(add_given(a, find_flag(a, STR("help")), STR(""), err));
        else if (argv[at][1] == '-')
            TRY(parse_flag(c, a, argc, argv, &at, err));
        else
            return err_set(err, RC_SYNTAX, "flags begin with two dashes: '%s' is none", argv[at]);
    }
    return RC_OK;
}

/* As many words as the path has parameters, or as the command says. */
static enum rc check_words(const struct command *c, const struct args *a, struct arena *arena,
                           struct err *err)
{
    size_t max = c->words_max;
    size_t min = 0;
    if (c->synopsis == NULL && c->route != NULL) {
        struct str names[ROUTE_PARAMS_MAX];
        max = route_params(c->route, names);
        min = max - (command_own_party(c) ? 1 : 0);
    }
    if (a->word_count > max)
        return err_set(err, RC_SYNTAX, "'%.*s' is one word too many; usage: hanse %s %.*s",
                       STRF(a->words[max]), c->words, STRF(command_synopsis(c, arena)));
    if (a->word_count < min)
        return err_set(err, RC_SYNTAX, "something is missing; usage: hanse %s %.*s", c->words,
                       STRF(command_synopsis(c, arena)));
    return RC_OK;
}

enum rc args_parse(const struct command *c, int argc, char *const *argv, struct arena *arena,
                   struct args *ret, struct err *err)
{
    ASSERT(argc >= 0);
    if (argc > COMMAND_ARGS_MAX)
        return err_set(err, RC_SYNTAX, "too many arguments: %d are the most", COMMAND_ARGS_MAX);
    struct args a = {0};
    a.flags = command_flags(c, arena, &a.flag_count);
    a.given = NEW_N(arena, struct given, (size_t)argc + 1);
    a.words = NEW_N(arena, struct str, (size_t)argc + 1);
    TRY(parse_all(c, argc, argv, &a, err));
    if (!args_has(&a, "help"))
        TRY(check_words(c, &a, arena, err));
    *ret = a;
    return RC_OK;
}

bool args_has(const struct args *a, const char *name)
{
    for (size_t i = 0; i < a->given_count; i++)
        if (a->given[i].flag->kind == FLAG_OWN && str_eq(a->given[i].flag->name, str_c(name)))
            return true;
    return false;
}

struct str args_get(const struct args *a, const char *name)
{
    struct str value = STR("");
    for (size_t i = 0; i < a->given_count; i++)
        if (a->given[i].flag->kind == FLAG_OWN && str_eq(a->given[i].flag->name, str_c(name)))
            value = a->given[i].value;
    return value;
}

const struct given *args_field(const struct args *a, enum flag_kind kind, struct str path)
{
    for (size_t i = 0; i < a->given_count; i++)
        if (a->given[i].flag->kind == kind && str_eq(a->given[i].flag->path, path))
            return &a->given[i];
    return NULL;
}
