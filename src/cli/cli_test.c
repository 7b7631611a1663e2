#include "cli/cli.h"

#include "cli/command.h"
#include "cli/stage.h"

#include <signal.h>
#include <sys/stat.h>

#define PTY "pty_01jd8v3q7w4k2m9x6c5b1n0h8z"
#define USR "usr_01jd8v3q7w4k2m9x6c5b1n0h8z"

static struct stage stage;

static void setup(void)
{
    stage_init(&stage);
    stage_log_in(&stage);
}

static void teardown(void)
{
    stage_fini(&stage);
}

static struct stage_request sent(size_t index)
{
    ck_assert_uint_lt(index, stage.asked);
    return stage.requests[index];
}

static void check_sent(size_t index, const char *method, const char *url)
{
    struct stage_request r = sent(index);
    ck_assert_msg(str_eq(r.method, str_c(method)), "%.*s", STRF(r.method));
    ck_assert_msg(str_eq(r.url, str_c(url)), "%.*s", STRF(r.url));
}

static void check_body(size_t index, const char *want)
{
    struct str got = sent(index).body;
    ck_assert_msg(str_eq(got, str_c(want)), "want %s\n got %.*s", want, STRF(got));
}

static struct str header_of(size_t index, const char *name)
{
    struct str rest = sent(index).headers;
    while (rest.n > 0) {
        struct str value = str_cut(&rest, '\n');
        struct str key = str_cut(&value, ':');
        if (str_eq(key, str_c(name)))
            return str_trim(value);
    }
    return STR("");
}

/* --- the table --- */

/* A value that the field takes. */
static struct str value_for(const struct field *f)
{
    const struct json *node = NULL;
    struct err ignored = {0};
    if (f->words != NULL)
        return str_c(f->words[0]);
    if (f->prefix != NULL)
        return arena_fmt(&stage.arena, "%s_01jd8v3q7w4k2m9x6c5b1n0h8z", f->prefix);
    if (f->example != NULL && json_parse(str_c(f->example), &stage.arena, &node, &ignored) == RC_OK)
        return json_text(node);
    if (f->type == FIELD_INT || f->type == FIELD_DECIMAL)
        return STR("1");
    if (f->type == FIELD_BOOL)
        return STR("true");
    return f->type == FIELD_TIME ? STR("2026-11-22T00:00:00Z") : STR("xxxxxxxxxxxx");
}

static bool is_typed(const struct field *f)
{
    return (f->flags & (FIELD_READ_ONLY | FIELD_WRITE_ONLY)) == 0 && f->schema == NULL &&
           f->type != FIELD_JSON && f->type != FIELD_RAW;
}

static void add_flag(struct buf *b, const struct field *f, const char *under)
{
    buf_fmt(b, "|--%s%s%s|%.*s", under, under[0] != '\0' ? "." : "", f->name, STRF(value_for(f)));
}

/* Values for what a field requires, as flags: --name 'x'. What is write-only is asked for: from
 * standard input. */
static void add_required(struct buf *b, const struct schema *s, const char *under)
{
    for (size_t i = 0; s != NULL && i < s->count; i++) {
        const struct field *f = &s->fields[i];
        if ((f->flags & FIELD_REQUIRED) == 0)
            continue;
        if (f->type == FIELD_OBJECT && (f->flags & FIELD_READ_ONLY) == 0)
            add_required(b, f->schema, f->name);
        else if (is_typed(f))
            add_flag(b, f, under);
    }
}

/* One field to change. */
static void add_change(struct buf *b, const struct schema *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (is_typed(&s->fields[i])) {
            add_flag(b, &s->fields[i], "");
            return;
        }
    ck_abort_msg("%s has nothing to change", s->name);
}

#define ONE_PARTY "{\"memberships\":[{\"party\":\"" PTY "\"}]}"

START_TEST(the_party_may_be_left_out_where_it_is_one)
{
    stage_answer(&stage, 200, ONE_PARTY);
    stage_answer(&stage, 200, "{\"items\":[],\"next\":null}");
    ck_assert_int_eq(stage_run(&stage, "audit|list"), RC_OK);
    ck_assert(str_ends(sent(0).url, STR("/v1/me")));
    ck_assert(str_ends(sent(1).url, STR("/v1/parties/" PTY "/audit")));
}
END_TEST

START_TEST(a_party_that_is_left_out_is_never_guessed)
{
    stage_answer(&stage, 200, "{\"memberships\":[{\"party\":\"" PTY "\"},{\"party\":\"pty_2\"}]}");
    ck_assert_int_eq(stage_run(&stage, "audit|list"), RC_SYNTAX);
    stage_assert_err(&stage, "you act for more than one party: hanse audit list [PARTY]");
    ck_assert_uint_eq(stage.asked, 1);
}
END_TEST

START_TEST(every_route_of_the_table_is_reached_from_the_command_line)
{
    size_t reached = 0;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &routes[i];
        if (r->cli == NULL || i == ROUTE_calculate) /* that one asks no server */
            continue;
        struct buf line;
        buf_init(&line, &stage.arena, 4096);
        for (const char *p = r->cli; *p != '\0'; p++)
            buf_add_char(&line, *p == ' ' ? '|' : *p);
        struct str names[ROUTE_PARAMS_MAX];
        for (size_t k = route_params(r, names); k > 0; k--)
            buf_add(&line, STR("|" PTY));
        if ((r->flags & ROUTE_RAW) != 0)
            buf_add(&line, STR("|-")); /* a file */
        if ((r->flags & ROUTE_PATCH) != 0)
            add_change(&line, r->body);
        else
            add_required(&line, r->body, "");
        if ((r->flags & ROUTE_NEEDS_MATCH) != 0)
            buf_add(&line, STR("|--if-version|3"));
        if (r->kind == ROUTE_STREAM)
            buf_add(&line, STR("|--count|1"));
        else if (strcmp(r->operation, "version") != 0)
            buf_add(&line, STR("|--json"));
        const char *body = (r->flags & ROUTE_LIST) != 0 ? "{\"items\":[],\"next\":null}"
                           : r->kind == ROUTE_STREAM    ? "data: {}\n\n"
                                                        : "{\"version\":\"1\"}";
        stage_answer(&stage, 200, body);
        (void)stage_run_with(&stage, arena_cstr(&stage.arena, buf_str(&line)),
                             "123456\n123456789012\n123456789012\n");
        ck_assert_msg(stage.rc == RC_OK, "%s: %s", r->cli, stage.err_bytes);
        struct stage_request got = sent(0);
        ck_assert_msg(str_eq(got.method, str_c(method_name(r->method))), "%s", r->cli);
        struct str path = str_c(r->path);
        struct str fixed = str_sub(path, 0, str_find(path, '{', 0));
        ck_assert_msg(str_starts(str_sub(got.url, sizeof CLI_URL_DEFAULT - 1, got.url.n), fixed),
                      "%s: %.*s", r->cli, STRF(got.url));
        bool changes = r->method != HTTP_GET;
        ck_assert_msg((header_of(0, "Idempotency-Key").n > 0) == changes, "%s", r->cli);
        reached++;
    }
    ck_assert_uint_gt(reached, 30);
}
END_TEST

START_TEST(no_flag_of_a_field_hides_another)
{
    size_t count = 0;
    const struct command *list = command_list(&stage.arena, &count);
    for (size_t i = 0; i < count; i++) {
        size_t flag_count = 0;
        const struct flag *flags = command_flags(&list[i], &stage.arena, &flag_count);
        for (size_t a = 0; a < flag_count; a++)
            for (size_t b = 0; b < a; b++)
                ck_assert_msg(!str_eq(flags[a].name, flags[b].name), "%s: --%.*s", list[i].words,
                              STRF(flags[a].name));
    }
}
END_TEST

START_TEST(what_is_changed_by_version_can_be_read)
{
    for (size_t i = 0; i < route_count; i++) {
        bool found = (routes[i].flags & ROUTE_NEEDS_MATCH) == 0;
        for (size_t k = 0; k < route_count && !found; k++)
            found = routes[k].method == HTTP_GET && strcmp(routes[k].path, routes[i].path) == 0;
        ck_assert_msg(found, "%s", routes[i].operation);
    }
}
END_TEST

/* --- requests --- */

START_TEST(flags_become_the_query)
{
    stage_answer(&stage, 200, "{\"items\":[],\"next\":null}");
    ck_assert_int_eq(
        stage_run(&stage, "party|list|--kind|company|--q|B\xC3\xA4r & Co|--sort|name,-created"),
        RC_OK);
    check_sent(0, "GET",
               CLI_URL_DEFAULT
               "/v1/parties?kind=company&q=B%C3%A4r%20%26%20Co&sort=name%2C-created");
    ck_assert(str_eq(header_of(0, "Authorization"), STR("Bearer hse_staged")));
    ck_assert(str_eq(header_of(0, "Accept"), STR("application/json")));
}
END_TEST

START_TEST(flags_become_the_body)
{
    stage_answer(&stage, 201, "{}");
    (void)stage_run(&stage, "party|create|--kind|company|--name|Nord|--address.country|FR|"
                            "--address.city|Paris|--taxable|--tax-ids|scheme=vat,value=FR1|"
                            "--tax-ids|{\"scheme\":\"siren\",\"value\":\"1,2\"}|--sponsor|" PTY);
    stage_assert_rc(&stage, RC_OK);
    check_sent(0, "POST", CLI_URL_DEFAULT "/v1/parties?sponsor=" PTY);
    check_body(0, "{\"kind\":\"company\",\"name\":\"Nord\",\"address\":{\"city\":\"Paris\","
                  "\"country\":\"FR\"},\"tax_ids\":[{\"scheme\":\"vat\",\"value\":\"FR1\"},"
                  "{\"scheme\":\"siren\",\"value\":\"1,2\"}],\"taxable\":true}");
}
END_TEST

START_TEST(lists_of_text_join_over_commas_and_repeats)
{
    stage_answer(&stage, 201, "{}");
    (void)stage_run(&stage,
                    "token|create|--name|x|--scopes|party:read,party:write|--scopes=self:read");
    stage_assert_rc(&stage, RC_OK);
    check_body(0, "{\"name\":\"x\",\"scopes\":[\"party:read\",\"party:write\",\"self:read\"]}");
}
END_TEST

START_TEST(a_change_reads_the_version_first_and_sends_it_back)
{
    stage_answer_with(&stage, 200, "etag", "\"7\"", "{\"version\":7}");
    stage_answer(&stage, 200, "{\"name\":\"Nord\"}");
    (void)stage_run(&stage, "party|change|" PTY
                            "|--name|Nord|--no-taxable|--null|phone|--null|address.street2");
    stage_assert_rc(&stage, RC_OK);
    check_sent(0, "GET", CLI_URL_DEFAULT "/v1/parties/" PTY);
    check_sent(1, "PATCH", CLI_URL_DEFAULT "/v1/parties/" PTY);
    ck_assert(str_eq(header_of(1, "If-Match"), STR("\"7\"")));
    ck_assert(str_eq(header_of(1, "Content-Type"), STR("application/merge-patch+json")));
    check_body(1, "{\"name\":\"Nord\",\"phone\":null,\"address\":{\"street2\":null},"
                  "\"taxable\":false}");
}
END_TEST

START_TEST(a_named_version_is_sent_without_reading)
{
    stage_answer(&stage, 200, "{}");
    (void)stage_run(&stage, "party|change|" PTY "|--name|Nord|--if-version|12");
    stage_assert_rc(&stage, RC_OK);
    ck_assert(str_eq(header_of(0, "If-Match"), STR("\"12\"")));
    ck_assert_int_eq(stage_run(&stage, "party|change|" PTY "|--name|Nord|--if-version|x"),
                     RC_SYNTAX);
}
END_TEST

START_TEST(raw_json_stands_for_the_flags)
{
    stage_answer(&stage, 200, "{}");
    (void)stage_run_with(&stage, "member|change|" PTY "|" USR "|--body|-",
                         "{ \"role\": \"reader\" }\n");
    stage_assert_rc(&stage, RC_OK);
    check_body(0, "{ \"role\": \"reader\" }\n");
    ck_assert_int_eq(
        stage_run_with(&stage, "member|change|" PTY "|" USR "|--body|-", "{\"rule\":\"reader\"}"),
        RC_INVALID);
    stage_assert_err(&stage, "there is no field 'rule'; did you mean 'role'?");
    ck_assert_int_eq(stage_run_with(&stage, "member|change|" PTY "|" USR "|--body|-", "{"),
                     RC_SYNTAX);
    ck_assert_int_eq(
        stage_run_with(&stage, "member|change|" PTY "|" USR "|--body|-|--role|x", "{}"), RC_SYNTAX);
    ck_assert_int_eq(stage_run(&stage, "member|change|" PTY "|" USR "|--body|/nowhere"),
                     RC_NOT_FOUND);
}
END_TEST

START_TEST(bounds_are_checked_before_anything_is_sent)
{
    static const struct {
        const char *line;
        enum rc rc;
        const char *text;
    } cases[] = {
        {"party|list|--limit|1000", RC_INVALID, "'limit' must be from 1 to 200, this is 1000"},
        {"party|list|--limit|ten", RC_INVALID, "'limit' must be a whole number"},
        {"party|list|--kind|robot", RC_INVALID, "must be one of company, person"},
        {"party|create|--name|x", RC_INVALID, "field 'address' is required (at /address)"},
        {"party|create|--name|x|--address.city|y", RC_INVALID, "(at /address/country)"},
        {"party|change|" PTY "|--taxable=maybe", RC_INVALID, "(at /taxable)"},
        {"party|change|" PTY "|--tax-ids|vat", RC_SYNTAX, "must be NAME=VALUE"},
        {"party|change|" PTY "|--tax-ids|colour=red", RC_SYNTAX, "has no field 'colour'"},
        {"party|change|" PTY "|--null|nonsense", RC_SYNTAX, "--null names no field: 'nonsense'"},
        {"party|change|" PTY "|--null|created", RC_SYNTAX, "--null names no field"},
        {"party|change|" PTY, RC_SYNTAX, "nothing to change"},
        {"party|show|../me", RC_SYNTAX, "is no id"},
        {"party|show|a%2fb", RC_SYNTAX, "is no id"},
        {"party|change|--phone|1", RC_SYNTAX, "something is missing"},
        {"party|close", RC_SYNTAX, "something is missing"},
        {"events|--count|0", RC_SYNTAX, "--count must be"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum rc rc = stage_run(&stage, cases[i].line);
        ck_assert_msg(rc == cases[i].rc && stage_err_has(&stage, cases[i].text), "%s: %s: %s",
                      cases[i].line, rc_slug(rc), stage.err_bytes);
        ck_assert_uint_eq(stage.asked, 0);
        ck_assert_uint_eq(stage.out_n, 0);
    }
}
END_TEST

/* --- usage --- */

START_TEST(slips_of_the_command_line_are_named_with_what_was_meant)
{
    static const struct {
        const char *line;
        const char *text;
    } cases[] = {
        {"prty|list", "no command 'prty list'; did you mean 'party list'?"},
        {"party|lst", "did you mean 'party list'?"},
        {"logn", "did you mean 'login'?"},
        {"xyzzy", "no command 'xyzzy'; see: hanse help"},
        {"party", "'party' needs one more word"},
        {"--json|party|list", "flags stand behind the command"},
        {"party|list|--limt|3", "has no flag --limt; did you mean --limit?"},
        {"party|list|--zzzzzzz", "has no flag --zzzzzzz; see: hanse help party list"},
        {"party|list|extra", "'extra' is one word too many"},
        {"party|close", "usage: hanse party close PARTY"},
        {"party|list|--limit", "--limit needs a value"},
        {"party|list|--limit|--all", "--limit needs a value"},
        {"party|list|--all=yes", "--all takes no value"},
        {"party|list|--limit|1|--limit|2", "--limit is given twice"},
        {"party|list|-x", "flags begin with two dashes"},
        {"party|list|--json|--csv", "choose one of --json and --csv"},
        {"party|list|--all|--after|x", "leave --after out"},
        {"party|list|\xFF", "is not UTF-8"},
        {"me|password|--password|hunter2", "can be read by others"},
        {"help|nonsense", "there is no command 'nonsense'"},
        {"completion|fish", "hanse completion bash"},
        {"profile|use", "say which profile"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum rc rc = stage_run(&stage, cases[i].line);
        ck_assert_msg(rc == RC_SYNTAX && stage_err_has(&stage, cases[i].text), "%s: %s: %s",
                      cases[i].line, rc_slug(rc), stage.err_bytes);
        ck_assert_int_eq(rc_exit(rc), 2);
        ck_assert_uint_eq(stage.asked, 0);
    }
}
END_TEST

START_TEST(a_secret_on_the_command_line_is_not_repeated)
{
    ck_assert_int_eq(stage_run(&stage, "me|password|--password=hunter2"), RC_SYNTAX);
    ck_assert(!stage_err_has(&stage, "hunter2"));
}
END_TEST

START_TEST(two_dashes_end_the_flags)
{
    stage_answer(&stage, 200, "{}");
    ck_assert_int_eq(stage_run(&stage, "party|show|--|--help"), RC_OK);
    check_sent(0, "GET", CLI_URL_DEFAULT "/v1/parties/--help");
}
END_TEST

START_TEST(without_a_token_it_says_how_to_log_in)
{
    stage.environment[1] = NULL;
    ck_assert_int_eq(stage_run(&stage, "party|list"), RC_UNAUTHENTICATED);
    stage_assert_err(&stage, "you are not logged in to " CLI_URL_DEFAULT ": hanse login");
    ck_assert_int_eq(rc_exit(stage.rc), 4);
}
END_TEST

START_TEST(a_token_in_the_environment_itself_is_refused)
{
    stage_env(&stage, "HANSE_TOKEN", "hse_1");
    ck_assert_int_eq(stage_run(&stage, "party|list"), RC_INVALID);
    stage_assert_err(&stage, "HANSE_TOKEN_FILE");
}
END_TEST

START_TEST(a_token_file_that_others_can_read_is_refused)
{
    ck_assert_int_eq(chmod(stage_path(&stage, "token"), 0644), 0);
    ck_assert_int_eq(stage_run(&stage, "party|list"), RC_INVALID);
    ck_assert(!stage_err_has(&stage, "hse_"));
}
END_TEST

START_TEST(addresses_are_taken_as_people_type_them)
{
    static const struct {
        const char *typed, *want; /* NULL: refused */
    } cases[] = {
        {"cloud.example.net", "https://cloud.example.net"},
        {"cloud.example.net:8443/", "https://cloud.example.net:8443"},
        {"localhost:8420", "http://localhost:8420"},
        {"127.0.0.1:8420", "http://127.0.0.1:8420"},
        {"[::1]:8420", "http://[::1]:8420"},
        {"http://10.0.0.1", "http://10.0.0.1"},
        {"https://a/b///", "https://a/b"},
        {"http+unix:/run/hanse.sock:", "http+unix:/run/hanse.sock:"},
        {"ftp://a", NULL},
        {"https://", NULL},
        {"https://user@host", NULL},
        {"https://a?b", NULL},
        {"https://a b", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (cases[i].want != NULL)
            stage_answer(&stage, 200, "{\"version\":\"1\"}");
        struct str line = arena_fmt(&stage.arena, "version|--json|--server=%s", cases[i].typed);
        enum rc rc = stage_run(&stage, arena_cstr(&stage.arena, line));
        ck_assert_msg((rc == RC_OK) == (cases[i].want != NULL), "%s: %s", cases[i].typed,
                      stage.err_bytes);
        if (rc == RC_OK)
            ck_assert_msg(str_starts(sent(0).url, str_c(cases[i].want)), "%.*s", STRF(sent(0).url));
    }
}
END_TEST

/* --- errors --- */

START_TEST(a_problem_is_told_in_the_servers_words)
{
    stage_answer_with(&stage, 422, "x-request-id", "aa",
                      "{\"type\":\"x\",\"title\":\"A value breaks a rule\",\"status\":422,"
                      "\"detail\":\"field 'iban' has a wrong check digit\",\"request_id\":"
                      "\"0123456789abcdef\",\"errors\":[{\"pointer\":\"#/bank/iban\","
                      "\"detail\":\"field 'iban' has a wrong check digit\"}]}");
    (void)stage_run(&stage, "party|create|--name|x|--address.country|FR|--bank.iban|FR00");
    stage_assert_rc(&stage, RC_INVALID);
    ck_assert_int_eq(rc_exit(stage.rc), 3);
    ck_assert_str_eq(stage.err_bytes,
                     "hanse: field 'iban' has a wrong check digit (at /bank/iban)\n"
                     "  request id: 0123456789abcdef\n");
    ck_assert_uint_eq(stage.out_n, 0);
}
END_TEST

START_TEST(exit_codes_follow_the_status)
{
    static const struct {
        int status, exit;
        const char *text;
    } cases[] = {
        {400, 2, "cannot be read"}, {401, 4, "hanse login"},
        {403, 4, "may not"},        {404, 5, "no such"},
        {409, 6, "present state"},  {412, 6, "changed since you read it"},
        {422, 3, "breaks a rule"},  {428, 6, "version"},
        {429, 8, "Too many"},       {500, 70, "our side"},
        {503, 7, "moment"},         {507, 9, "disk is full"},
        {418, 2, "answered 418"},   {599, 7, "answered 599"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        stage_answer(&stage, cases[i].status, i % 2 == 0 ? "<html>proxy</html>" : "");
        enum rc rc = stage_run(&stage, "party|list");
        ck_assert_msg(rc_exit(rc) == cases[i].exit && stage_err_has(&stage, cases[i].text),
                      "%d: exit %d: %s", cases[i].status, rc_exit(rc), stage.err_bytes);
    }
}
END_TEST

START_TEST(a_problem_may_say_who_can_help_and_when)
{
    stage_answer(&stage, 403,
                 "{\"detail\":\"you may not\",\"missing_permission\":\"party:write\"}");
    (void)stage_run(&stage, "party|close|" PTY);
    stage_assert_err(&stage, "the permission party:write is needed");
    stage_answer(&stage, 422,
                 "{\"detail\":\"no\",\"errors\":[{\"parameter\":\"sort\",\"detail\":\"no\"}]}");
    (void)stage_run(&stage, "party|list");
    stage_assert_err(&stage, "hanse: no (at sort)");
    stage_answer_with(&stage, 429, "retry-after", "12", "{}");
    (void)stage_run(&stage, "party|list");
    stage_assert_err(&stage, "try again in 12 seconds");
    stage_answer(&stage, 422,
                 "{\"detail\":\"two things\",\"errors\":[{\"pointer\":\"/a\",\"detail\":"
                 "\"one\"},{\"pointer\":\"/b\",\"detail\":\"two\"}]}");
    (void)stage_run(&stage, "party|close|" PTY);
    stage_assert_err(&stage, "  /a: one\n  /b: two\n");
}
END_TEST

START_TEST(a_problem_cannot_drive_the_terminal)
{
    stage_answer(&stage, 409, "{\"detail\":\"a\\u001b[2Jb\",\"request_id\":\"\\u009b1m\"}");
    (void)stage_run(&stage, "party|list");
    ck_assert(!stage_err_has(&stage, "\x1B") && !stage_err_has(&stage, "\xC2\x9B"));
}
END_TEST

START_TEST(a_lost_connection_is_tried_again_with_the_same_key)
{
    stage_lose(&stage, RC_UNAVAILABLE);
    stage_lose(&stage, RC_TIMEOUT);
    stage_lose(&stage, RC_UNAVAILABLE);
    stage_answer(&stage, 200, "{\"id\":\"x\"}");
    (void)stage_run(&stage, "party|close|" PTY);
    stage_assert_rc(&stage, RC_OK);
    struct str key = header_of(0, "Idempotency-Key");
    ck_assert_uint_gt(key.n, 20);
    for (size_t i = 1; i < 4; i++)
        ck_assert(str_eq(header_of(i, "Idempotency-Key"), key));
    ck_assert_uint_eq(stage.pauses, 3);

    stage_answer(&stage, 200, "{\"id\":\"x\"}");
    (void)stage_run(&stage, "party|close|" PTY);
    ck_assert(!str_eq(header_of(0, "Idempotency-Key"), key));
}
END_TEST

START_TEST(a_server_that_is_not_there_is_given_up_after_three_more_tries)
{
    for (int i = 0; i < 4; i++)
        stage_lose(&stage, RC_UNAVAILABLE);
    (void)stage_run(&stage, "party|list");
    stage_assert_rc(&stage, RC_UNAVAILABLE);
    ck_assert_int_eq(rc_exit(stage.rc), 7);
    stage_assert_err(&stage, CLI_URL_DEFAULT " does not answer");
    stage_assert_err(&stage, "is hansed running? start it with: make run");
    for (int i = 0; i < 4; i++)
        stage_lose(&stage, RC_UNAVAILABLE);
    (void)stage_run(&stage, "party|list|--server|https://cloud.example.net");
    stage_assert_err(&stage, "check the address");
}
END_TEST

START_TEST(other_failures_of_the_wire_are_not_tried_again)
{
    stage_lose(&stage, RC_TOO_LARGE);
    ck_assert_int_eq(stage_run(&stage, "party|list"), RC_TOO_LARGE);
}
END_TEST

/* --- a pico that was sold goes to another host --- */

#define PICO  "ck0000000000000000000001"
#define THERE "http://127.0.0.1:9431"
#define SOLD  "sub_01jd0000000000000000000001"
#define TERMS "agr_01jd0000000000000000000002"

static void answer_until_there(const char *account, const char *agreement)
{
    stage_answer(&stage, 200,
                 "{\"items\":[{\"id\":\"" PICO "\",\"name\":\"alice\",\"parent\":\"r\"}]}");
    stage_answer(&stage, 200, account);
    if (agreement == NULL)
        return;
    stage_answer(&stage, 200, "{\"id\":\"" SOLD "\"}");
    stage_answer(&stage, 200, agreement);
}

#define OWN_ACCOUNT "{\"account\":\"" PICO "\",\"subscription\":\"" SOLD "\"}"
#define ITS_SUPPLY  "{\"kind\":\"supply\",\"state\":\"active\"}"

static void answer_the_move(void)
{
    stage_answer(&stage, 200, "{}");                           /* somebody is there */
    stage_answer(&stage, 200, "{\"move\":\"m1\"}");            /* it stands still */
    stage_answer(&stage, 200, "the file");                     /* its file */
    stage_answer(&stage, 200, "{\"host\":\"https://there\"}"); /* has arrived */
    stage_answer(&stage, 200, "{}");                           /* is gone here */
}

START_TEST(a_pico_that_was_sold_moves_with_its_subscription)
{
    answer_until_there(OWN_ACCOUNT, ITS_SUPPLY);
    answer_the_move();
    stage_answer(&stage, 200, "{}");
    stage_answer(&stage, 200, "{\"id\":\"" SOLD "\"}");
    ck_assert_int_eq(stage_run(&stage, "pico|move|alice|" THERE "|--agreement|" TERMS), RC_OK);
    check_sent(1, "GET", "http://127.0.0.1:8431/v1/picos/" PICO "/account");
    check_sent(3, "GET", CLI_URL_DEFAULT "/v1/agreements/" TERMS);
    check_sent(9, "POST", THERE "/v1/picos/" PICO "/account");
    check_body(9, "{\"subscription\":\"" SOLD "\"}");
    check_sent(10, "POST", CLI_URL_DEFAULT "/v1/subscriptions/" SOLD "/actions/move");
    check_body(10, "{\"agreement\":\"" TERMS "\"}");
    stage_assert_out(&stage, "https://there");
}
END_TEST

START_TEST(and_stays_where_nobody_could_pay_for_it_there)
{
    answer_until_there("{\"account\":\"another\",\"subscription\":\"" SOLD "\"}", NULL);
    ck_assert_int_eq(stage_run(&stage, "pico|move|alice|" THERE "|--agreement|" TERMS),
                     RC_CONFLICT);
    stage_assert_err(&stage, "no subscription pays for this pico itself");
    answer_until_there(OWN_ACCOUNT, "{\"kind\":\"supply\",\"state\":\"ended\"}");
    ck_assert_int_eq(stage_run(&stage, "pico|move|alice|" THERE "|--agreement|" TERMS),
                     RC_CONFLICT);
    stage_assert_err(&stage, "is none by which anything is sold now");
}
END_TEST

START_TEST(what_is_left_to_do_for_a_pico_that_has_moved_is_said)
{
    answer_until_there(OWN_ACCOUNT, ITS_SUPPLY);
    answer_the_move();
    stage_answer(&stage, 200, "{}");
    stage_answer(&stage, 422, "{\"detail\":\"it is sold by another\",\"type\":\"invalid\"}");
    ck_assert_int_eq(stage_run(&stage, "pico|move|alice|" THERE "|--agreement|" TERMS), RC_INVALID);
    stage_assert_err(&stage, "hanse subscription move " SOLD " --agreement " TERMS);
}
END_TEST

START_TEST(an_answer_that_is_not_from_hanse_is_named)
{
    stage_answer(&stage, 200, "<html>");
    ck_assert_int_eq(stage_run(&stage, "me|show"), RC_REMOTE);
    stage_assert_err(&stage, "is that a Hanse server?");
    stage_answer(&stage, 200, "[]");
    ck_assert_int_eq(stage_run(&stage, "party|list"), RC_REMOTE);
    stage_answer(&stage, 200, "<html>");
    ck_assert_int_eq(stage_run(&stage, "status"), RC_REMOTE);
}
END_TEST

START_TEST(a_redirection_is_told_and_not_followed)
{
    stage_answer_with(&stage, 301, "location", "https://cloud.example.net/v1/me", "");
    ck_assert_int_eq(stage_run(&stage, "me|show"), RC_REMOTE);
    stage_assert_err(&stage, "sends us on to 'https://cloud.example.net/v1/me'");
}
END_TEST

START_TEST(output_that_cannot_be_written_is_a_failure)
{
    struct stage *s = &stage;
    stage_answer(s, 200, "{\"items\":[],\"next\":null}");
    FILE *full = fopen("/dev/full", "we");
    ck_assert_ptr_nonnull(full);
    s->cli.in = stdin;
    s->cli.out = full;
    s->cli.err = open_memstream(&s->err_bytes, &s->err_n);
    char *argv[] = {s->folder, s->folder, s->folder};
    char party[] = "party";
    char list[] = "list";
    argv[1] = party;
    argv[2] = list;
    ck_assert_int_eq(cli_run(&s->cli, 3, argv), RC_FULL);
    (void)fclose(full);
    (void)fclose(s->cli.err);
    stage_assert_err(s, "the output could not be written");
}
END_TEST

/* --- status and events --- */

START_TEST(status_tells_where_and_who)
{
    stage_answer(&stage, 200, "{\"version\":\"9.9\",\"api\":\"v1\"}");
    stage_answer(&stage, 200,
                 "{\"version\":\"9.9\",\"email\":\"ada@example.net\",\"up_seconds\":93784,"
                 "\"store\":\"SQLite in /x\",\"outbox_waiting\":1,\"outbox_failed\":0,"
                 "\"memberships\":[{\"party\":\"" PTY "\",\"party_name\":\"Nord\","
                 "\"role\":\"owner\"}]}");
    (void)stage_run(&stage, "status");
    stage_assert_rc(&stage, RC_OK);
    stage_assert_out(&stage, "server        " CLI_URL_DEFAULT);
    stage_assert_out(&stage, "9.9 (this program: " HANSE_VERSION ")");
    stage_assert_out(&stage, "ada@example.net");
    stage_assert_out(&stage, "Nord as owner (" PTY ")");
    stage_assert_out(&stage, "1 day 2 h");
    stage_assert_out(&stage, "1 waiting, 0 given up");
}
END_TEST

START_TEST(status_without_login_shows_the_server_and_fails_as_such)
{
    stage.environment[1] = NULL;
    stage_answer(&stage, 200, "{\"version\":\"9.9\"}");
    (void)stage_run(&stage, "status");
    stage_assert_rc(&stage, RC_UNAUTHENTICATED);
    stage_assert_out(&stage, "9.9");
    stage_assert_err(&stage, "not logged in: hanse login " CLI_URL_DEFAULT);
}
END_TEST

START_TEST(events_are_one_line_each_and_survive_a_lost_connection)
{
    stage_answer(&stage, 200,
                 "id: 5\nevent: party.created\ndata: {\"id\":\"" PTY "\",\"n\":1}\n\n"
                 "id: 6\nevent: heartbeat\ndata: {}\n\n");
    stage_lose(&stage, RC_UNAVAILABLE);
    stage_answer(&stage, 200, "id: 7\nevent: party.changed\ndata: {}\n\ndata: never\n\n");
    (void)stage_run(&stage, "events|--count|2|--after|4|--topics|party");
    stage_assert_rc(&stage, RC_OK);
    check_sent(0, "GET", CLI_URL_DEFAULT "/v1/events?topics=party");
    ck_assert(str_eq(header_of(0, "Last-Event-ID"), STR("4")));
    ck_assert(str_eq(header_of(1, "Last-Event-ID"), STR("6")));
    ck_assert(str_eq(header_of(2, "Last-Event-ID"), STR("6")));
    ck_assert(str_eq(header_of(0, "Accept"), STR("text/event-stream")));
    stage_assert_out(&stage, "party.created             id=" PTY "  n=1\n");
    ck_assert(!stage_out_has(&stage, "heartbeat") && !stage_out_has(&stage, "never"));

    stage_answer(&stage, 200, "id: 5\nevent: a\ndata: {\"x\": [1]}\n\ndata: \xE5\x8C\x97\n\n");
    (void)stage_run(&stage, "events|--count|2|--json");
    ck_assert_str_eq(stage.out_bytes,
                     "{\"id\":\"5\",\"event\":\"a\",\"data\":{\"x\":[1]}}\n"
                     "{\"id\":\"5\",\"event\":\"message\",\"data\":\"\xE5\x8C\x97\"}\n");
}
END_TEST

START_TEST(events_end_where_trying_again_is_useless)
{
    stage_answer(&stage, 401, "{\"detail\":\"log in first\"}");
    ck_assert_int_eq(stage_run(&stage, "events"), RC_UNAUTHENTICATED);
    stage_assert_err(&stage, "hanse: log in first\n  log in with: hanse login\n");
    for (int i = 0; i < 4; i++)
        stage_lose(&stage, RC_UNAVAILABLE);
    ck_assert_int_eq(stage_run(&stage, "events"), RC_UNAVAILABLE);
    stage_assert_err(&stage, "is hansed running?");
}
END_TEST

static void add_requests(TCase *c)
{
    tcase_add_test(c, every_route_of_the_table_is_reached_from_the_command_line);
    tcase_add_test(c, the_party_may_be_left_out_where_it_is_one);
    tcase_add_test(c, a_party_that_is_left_out_is_never_guessed);
    tcase_add_test(c, no_flag_of_a_field_hides_another);
    tcase_add_test(c, what_is_changed_by_version_can_be_read);
    tcase_add_test(c, flags_become_the_query);
    tcase_add_test(c, flags_become_the_body);
    tcase_add_test(c, lists_of_text_join_over_commas_and_repeats);
    tcase_add_test(c, a_change_reads_the_version_first_and_sends_it_back);
    tcase_add_test(c, a_named_version_is_sent_without_reading);
    tcase_add_test(c, raw_json_stands_for_the_flags);
    tcase_add_test(c, bounds_are_checked_before_anything_is_sent);
    tcase_add_test(c, slips_of_the_command_line_are_named_with_what_was_meant);
    tcase_add_test(c, a_secret_on_the_command_line_is_not_repeated);
    tcase_add_test(c, two_dashes_end_the_flags);
    tcase_add_test(c, without_a_token_it_says_how_to_log_in);
    tcase_add_test(c, a_token_in_the_environment_itself_is_refused);
    tcase_add_test(c, a_token_file_that_others_can_read_is_refused);
    tcase_add_test(c, addresses_are_taken_as_people_type_them);
}

Suite *cli_suite(void);
Suite *cli_suite(void)
{
    Suite *s = suite_create("cli");
    TCase *c = tcase_create("cli");
    tcase_add_checked_fixture(c, setup, teardown);
    add_requests(c);
    tcase_add_test(c, a_problem_is_told_in_the_servers_words);
    tcase_add_test(c, exit_codes_follow_the_status);
    tcase_add_test(c, a_problem_may_say_who_can_help_and_when);
    tcase_add_test(c, a_problem_cannot_drive_the_terminal);
    tcase_add_test(c, a_lost_connection_is_tried_again_with_the_same_key);
    tcase_add_test(c, a_server_that_is_not_there_is_given_up_after_three_more_tries);
    tcase_add_test(c, other_failures_of_the_wire_are_not_tried_again);
    tcase_add_test(c, a_pico_that_was_sold_moves_with_its_subscription);
    tcase_add_test(c, and_stays_where_nobody_could_pay_for_it_there);
    tcase_add_test(c, what_is_left_to_do_for_a_pico_that_has_moved_is_said);
    tcase_add_test(c, an_answer_that_is_not_from_hanse_is_named);
    tcase_add_test(c, a_redirection_is_told_and_not_followed);
    tcase_add_test(c, output_that_cannot_be_written_is_a_failure);
    tcase_add_test(c, status_tells_where_and_who);
    tcase_add_test(c, status_without_login_shows_the_server_and_fails_as_such);
    tcase_add_test(c, events_are_one_line_each_and_survive_a_lost_connection);
    tcase_add_test(c, events_end_where_trying_again_is_useless);
    suite_add_tcase(s, c);
    return s;
}
