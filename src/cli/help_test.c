#include "cli/help.h"

#include "cli/stage.h"

#include <sys/wait.h>

static struct stage stage;

static void setup(void)
{
    stage_init(&stage);
}

static void teardown(void)
{
    stage_fini(&stage);
}

static const char *line_of(const char *words, const char *rest)
{
    size_t n = strlen(words) + strlen(rest) + 1;
    char *line = arena_bytes(&stage.arena, n);
    (void)snprintf(line, n, "%s%s", words, rest);
    for (char *p = line; *p != '\0'; p++)
        *p = *p == ' ' ? '|' : *p;
    return line;
}

/* Every field of a schema, by the name that its flag has, and its sentence. */
static void check_fields(const struct schema *s, const char *under, const char *words)
{
    for (size_t i = 0; s != NULL && i < s->count; i++) {
        const struct field *f = &s->fields[i];
        if ((f->flags & FIELD_READ_ONLY) != 0)
            continue;
        if (f->type == FIELD_OBJECT) {
            struct str path = arena_fmt(&stage.arena, "%s%s.", under, f->name);
            check_fields(f->schema, arena_cstr(&stage.arena, path), words);
            continue;
        }
        struct str flag = arena_fmt(&stage.arena, "--%s%s", under, f->name);
        flag = text_words(&stage.arena, flag, '-');
        ck_assert_msg(str_has(str_n(stage.out_bytes, stage.out_n), flag), "%s: %.*s", words,
                      STRF(flag));
        ck_assert_msg(f->doc != NULL && stage_out_has(&stage, f->doc), "%s: %.*s has no sentence",
                      words, STRF(flag));
        for (size_t w = 0; f->words != NULL && f->words[w] != NULL; w++)
            ck_assert_msg(stage_out_has(&stage, f->words[w]), "%s: %s", words, f->words[w]);
    }
}

START_TEST(help_of_each_command_names_every_field)
{
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &routes[i];
        if (r->cli == NULL || strcmp(r->cli, "status") == 0 || strcmp(r->cli, "version") == 0)
            continue;
        ck_assert_int_eq(stage_run(&stage, line_of(r->cli, "|--help")), RC_OK);
        check_fields(r->query, "", r->cli);
        check_fields(r->body, "", r->cli);
        ck_assert_ptr_nonnull(strstr(stage.out_bytes, "\nexample:\n  hanse "));
        char *kept = stage.out_bytes;
        stage.out_bytes = NULL;
        ck_assert_int_eq(stage_run(&stage, line_of("help ", line_of(r->cli, ""))), RC_OK);
        ck_assert_str_eq(stage.out_bytes, kept);
        free(kept);
    }
}
END_TEST

/* An example is a command line that is taken as it stands. */
START_TEST(examples_can_be_typed)
{
    size_t count = 0;
    const struct command *list = command_list(&stage.arena, &count);
    for (size_t i = 0; i < count; i++) {
        struct str example = help_example(&stage.arena, &list[i]);
        ck_assert(str_starts(example, STR("hanse ")));
        if (list[i].route == NULL || list[i].synopsis != NULL)
            continue;
        struct buf line;
        buf_init(&line, &stage.arena, 4096);
        bool quoted = false;
        for (size_t k = sizeof "hanse"; k < example.n; k++) {
            quoted = quoted != (example.p[k] == '\'');
            if (example.p[k] != '\'')
                buf_add_char(&line, example.p[k] == ' ' && !quoted ? '|' : example.p[k]);
        }
        stage.environment[1] = NULL;
        (void)stage_run_with(&stage, arena_cstr(&stage.arena, buf_str(&line)), "");
        ck_assert_msg(stage.rc != RC_SYNTAX || stage_err_has(&stage, "the input ended"), "%.*s: %s",
                      STRF(example), stage.err_bytes);
    }
}
END_TEST

START_TEST(the_overview_names_every_command)
{
    size_t count = 0;
    const struct command *list = command_list(&stage.arena, &count);
    ck_assert_int_eq(stage_run(&stage, "help|all"), RC_OK);
    for (size_t i = 0; i < count; i++)
        stage_assert_out(&stage, list[i].words);
    ck_assert_int_eq(stage_run(&stage, "help"), RC_OK);
    for (size_t i = 0; i < count; i++) { /* a noun that is in no topic would be shown nowhere */
        struct str noun = command_noun(&list[i]);
        ck_assert_msg(help_has_topic(noun), "%.*s", STRF(noun));
        ck_assert_msg(*help_heading(list, count, noun) != '\0' || noun.n == strlen(list[i].words),
                      "%s has no heading", list[i].words);
    }
    stage_assert_out(&stage, "hanse login URL");
    ck_assert(!stage_out_has(&stage, "as seen from")); /* a noun is what its show shows */
    ck_assert_int_eq(stage_run(&stage, "help|party"), RC_OK);
    stage_assert_out(&stage, "party change PARTY");
    ck_assert_int_eq(stage_run(&stage, "party|--help"), RC_OK);
    stage_assert_out(&stage, "party change PARTY");
    ck_assert_int_eq(stage_run(&stage, "--version"), RC_OK);
    ck_assert_str_eq(stage.out_bytes, "hanse " HANSE_VERSION "\n");
}
END_TEST

START_TEST(words_of_other_systems_are_answered)
{
    static const char *const lines[] = {"invoice|list", "help|invoice", "invoice"};
    for (size_t i = 0; i < COUNT(lines); i++) {
        ck_assert_int_eq(stage_run(&stage, lines[i]), RC_SYNTAX);
        stage_assert_err(&stage, "that is 'document' here: hanse help document");
    }
    size_t count = 0;
    const struct command *list = command_list(&stage.arena, &count);
    for (size_t i = 0; i < count; i++)
        ck_assert_ptr_null(help_synonym(command_noun(&list[i])));
    ck_assert_int_eq(stage_run(&stage, "help|nonsense"), RC_SYNTAX);
    stage_assert_err(&stage, "see: hanse help");
}
END_TEST

START_TEST(help_fits_the_terminal)
{
    stage.cli.out_terminal = true;
    stage.cli.columns = 80;
    static const char *const lines[] = {"help", "help|party", "party|change|--help"};
    for (size_t i = 0; i < COUNT(lines); i++) {
        ck_assert_int_eq(stage_run(&stage, lines[i]), RC_OK);
        struct str rest = str_n(stage.out_bytes, stage.out_n);
        while (rest.n > 0) {
            struct str line = str_cut(&rest, '\n');
            bool example = str_starts(line, STR("  hanse ")); /* to be copied in one piece */
            ck_assert_msg(example || text_width(line) <= 80, "%.*s", STRF(line));
        }
    }
}
END_TEST

START_TEST(a_change_requires_no_field)
{
    ck_assert_int_eq(stage_run(&stage, "party|change|--help"), RC_OK);
    ck_assert(!stage_out_has(&stage, "required"));
    ck_assert_int_eq(stage_run(&stage, "party|create|--help"), RC_OK);
    stage_assert_out(&stage, "required");
}
END_TEST

/* ".It Nm Cm "test\-clock show"": a hyphen that a terminal can copy. */
static const char *manual_line(const char *words)
{
    struct buf b;
    buf_init(&b, &stage.arena, 1000);
    buf_add(&b, STR(".It Nm Cm \""));
    for (const char *c = words; *c != '\0'; c++)
        buf_fmt(&b, "%s%c", *c == '-' ? "\\" : "", *c);
    buf_add_char(&b, '"');
    return arena_cstr(&stage.arena, buf_str(&b));
}

START_TEST(the_manual_page_names_every_command_and_exit_code)
{
    ck_assert_int_eq(stage_run(&stage, "man"), RC_OK);
    for (size_t i = 0; i < route_count; i++)
        if (routes[i].cli != NULL)
            stage_assert_out(&stage, manual_line(routes[i].cli));
    for (enum rc rc = RC_OK; rc < RC_COUNT; rc++)
        stage_assert_out(&stage, rc_title(rc));
    ck_assert(str_starts(str_n(stage.out_bytes, stage.out_n), STR(".Dd ")));
}
END_TEST

/* The script is run by bash itself: what is offered behind some words. */
static void check_offer(const char *typed, const char *want)
{
    FILE *file = fopen(stage_path(&stage, "completion"), "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(stage.out_bytes, 1, stage.out_n, file), stage.out_n);
    fprintf(file,
            "COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_hanse\n"
            "echo \"${COMPREPLY[*]}\"\n",
            typed);
    ck_assert_int_eq(fclose(file), 0);
    struct str command = arena_fmt(&stage.arena, "bash %s/completion", stage.folder);
    FILE *bash = popen(arena_cstr(&stage.arena, command), "re"); /* NOLINT(cert-env33-c): a test */
    ck_assert_ptr_nonnull(bash);
    char got[4096];
    size_t n = fread(got, 1, sizeof got - 1, bash);
    got[n] = '\0';
    ck_assert_int_eq(pclose(bash), 0);
    ck_assert_str_eq(got, want);
}

START_TEST(completion_offers_commands_flags_and_words)
{
    ck_assert_int_eq(stage_run(&stage, "completion|bash"), RC_OK);
    check_offer("hanse par", "party\n");
    check_offer("hanse party ch", "change\n");
    check_offer("hanse me totp ''", "begin confirm remove\n");
    check_offer("hanse party list --ki", "--kind\n");
    check_offer("hanse party list --kind ''", "company person\n");
    check_offer("hanse party show pty_1 --wi", "--wide\n");
    check_offer("hanse completion ''", "bash\n");
    check_offer("hanse nonsense ''", "\n");
}
END_TEST

Suite *help_suite(void);
Suite *help_suite(void)
{
    Suite *s = suite_create("help");
    TCase *c = tcase_create("help");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60); /* bash starts a few times */
    tcase_add_test(c, help_of_each_command_names_every_field);
    tcase_add_test(c, examples_can_be_typed);
    tcase_add_test(c, the_overview_names_every_command);
    tcase_add_test(c, words_of_other_systems_are_answered);
    tcase_add_test(c, help_fits_the_terminal);
    tcase_add_test(c, a_change_requires_no_field);
    tcase_add_test(c, the_manual_page_names_every_command_and_exit_code);
    tcase_add_test(c, completion_offers_commands_flags_and_words);
    suite_add_tcase(s, c);
    return s;
}
