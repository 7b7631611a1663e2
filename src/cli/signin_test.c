#include "cli/signin.h"

#include "cli/stage.h"

#include <fcntl.h>
#include <sys/stat.h>

#define SECRET "correct horse battery"
#define TOKEN  "hse_0123456789"
#define CLOUD  "https://cloud.example.net"

static struct stage stage;

static const char session_answer[] =
    "{\"csrf\":\"csrf1\",\"user\":{\"name\":\"Ada\",\"memberships\":[{\"role\":\"reader\"}]}}";
static const char roles_answer[] =
    "{\"items\":[{\"id\":\"owner\",\"permissions\":[\"party:write\"]},"
    "{\"id\":\"reader\",\"permissions\":[\"party:read\",\"self:read\"]}],\"next\":null}";
static const char token_answer[] = "{\"id\":\"tok_1\",\"secret\":\"" TOKEN "\"}";

static void setup(void)
{
    stage_init(&stage);
}

static void teardown(void)
{
    stage_fini(&stage);
}

static void answer_login(void)
{
    stage_answer_with(&stage, 201, "set-cookie", "__Host-sid=abc; Path=/; Secure", session_answer);
    stage_answer(&stage, 200, roles_answer);
    stage_answer(&stage, 201, token_answer);
    stage_answer(&stage, 204, "");
}

static bool sent_has(size_t index, const char *text)
{
    ck_assert_uint_lt(index, stage.asked);
    return str_has(stage.requests[index].headers, str_c(text)) ||
           str_has(stage.requests[index].body, str_c(text));
}

/* Nothing secret was printed, nor put into an address. */
static void check_silent(void)
{
    ck_assert(!stage_out_has(&stage, SECRET) && !stage_err_has(&stage, SECRET));
    ck_assert(!stage_out_has(&stage, TOKEN) && !stage_err_has(&stage, TOKEN));
    ck_assert(!stage_out_has(&stage, "abc") && !stage_err_has(&stage, "abc"));
    for (size_t i = 0; i < stage.asked; i++) {
        ck_assert(!str_has(stage.requests[i].url, STR(SECRET)));
        ck_assert(!str_has(stage.requests[i].url, STR(TOKEN)));
    }
}

static void log_in(void)
{
    answer_login();
    (void)stage_run_with(&stage, "login|" CLOUD "|--email|ada@example.net", SECRET "\n");
    stage_assert_rc(&stage, RC_OK);
}

START_TEST(login_makes_a_token_keeps_it_and_ends_the_session)
{
    log_in();
    ck_assert(str_eq(stage.requests[0].url, STR(CLOUD "/v1/session")));
    ck_assert(str_eq(stage.requests[0].body,
                     STR("{\"email\":\"ada@example.net\",\"password\":\"" SECRET "\"}")));
    ck_assert(sent_has(1, "Cookie: __Host-sid=abc\n"));
    ck_assert(str_eq(stage.requests[2].url, STR(CLOUD "/v1/tokens")));
    ck_assert(sent_has(2, "X-CSRF: csrf1\n") && sent_has(2, "Cookie: __Host-sid=abc\n"));
    ck_assert(sent_has(2, "\"name\":\"hanse on "));
    /* What the user's own roles allow, and no more. */
    ck_assert(sent_has(2, "\"scopes\":[\"self:read\",\"self:write\",\"party:read\"]"));
    ck_assert(sent_has(2, "\"ends\":\"2026-02-22T")); /* 90 days from the stage's clock */
    ck_assert(str_eq(stage.requests[3].method, STR("DELETE")));
    ck_assert(sent_has(3, "X-CSRF: csrf1\n"));
    stage_assert_out(&stage, "logged in to " CLOUD " as ada@example.net (Ada); profile 'default'");
    check_silent();

    struct stat st;
    ck_assert_int_eq(stat(stage_path(&stage, ".config/hanse/profiles.json"), &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);

    stage_answer(&stage, 200, "{\"items\":[],\"next\":null}");
    ck_assert_int_eq(stage_run(&stage, "party|list"), RC_OK);
    ck_assert(str_starts(stage.requests[0].url, STR(CLOUD "/v1/parties")));
    ck_assert(sent_has(0, "Authorization: Bearer " TOKEN "\n"));
    check_silent();
}
END_TEST

START_TEST(a_second_login_revokes_the_token_it_replaces)
{
    log_in();
    stage_answer_with(&stage, 201, "set-cookie", "__Host-sid=abc", session_answer);
    stage_answer(&stage, 200, roles_answer);
    stage_answer(&stage, 201, "{\"id\":\"tok_2\",\"secret\":\"hse_2\"}");
    stage_answer(&stage, 404, "{}"); /* it has ended already: no matter */
    stage_answer(&stage, 204, "");
    (void)stage_run_with(&stage, "login|" CLOUD "|--email|ada@example.net", SECRET "\n");
    stage_assert_rc(&stage, RC_OK);
    ck_assert(str_eq(stage.requests[3].method, STR("DELETE")));
    ck_assert(str_eq(stage.requests[3].url, STR(CLOUD "/v1/tokens/tok_1")));
    ck_assert(str_eq(stage.requests[4].url, STR(CLOUD "/v1/session")));
    stage_answer(&stage, 200, "{}");
    ck_assert_int_eq(stage_run(&stage, "me|show"), RC_OK);
    ck_assert(sent_has(0, "Bearer hse_2\n"));
}
END_TEST

START_TEST(a_code_is_asked_for_where_the_server_wants_one)
{
    stage_answer(&stage, 401,
                 "{\"detail\":\"a code is needed\",\"errors\":[{\"pointer\":\"/code\","
                 "\"detail\":\"a code is needed\"}]}");
    answer_login();
    (void)stage_run_with(&stage, "login|" CLOUD "|--email|a@b.c", SECRET "\n123456\n");
    stage_assert_rc(&stage, RC_OK);
    ck_assert(sent_has(1, "\"code\":\"123456\""));
    ck_assert(!stage_err_has(&stage, "a code is needed"));
    check_silent();
}
END_TEST

START_TEST(a_wrong_password_is_told_and_not_tried_again)
{
    stage_answer(&stage, 401, "{\"detail\":\"e-mail or password is wrong\"}");
    (void)stage_run_with(&stage, "login|" CLOUD, "ada@example.net\n" SECRET "\n");
    stage_assert_rc(&stage, RC_UNAUTHENTICATED);
    ck_assert_str_eq(stage.err_bytes, "hanse: e-mail or password is wrong\n");
    check_silent();
    stage_lose(&stage, RC_UNAVAILABLE);
    (void)stage_run_with(&stage, "login|" CLOUD, "ada@example.net\n" SECRET "\n");
    stage_assert_rc(&stage, RC_UNAVAILABLE);
    ck_assert_int_ne(access(stage_path(&stage, ".config/hanse/profiles.json"), F_OK), 0);
}
END_TEST

START_TEST(the_session_ends_also_where_no_token_was_made)
{
    stage_answer_with(&stage, 201, "set-cookie", "__Host-sid=abc", session_answer);
    stage_answer(&stage, 200, roles_answer);
    stage_answer(&stage, 403, "{\"detail\":\"no token for you\"}");
    stage_answer(&stage, 500, "{}");
    (void)stage_run_with(&stage, "login|" CLOUD "|--email|a@b.c", SECRET "\n");
    stage_assert_rc(&stage, RC_FORBIDDEN);
    stage_assert_err(&stage, "no token for you");
    check_silent();
}
END_TEST

START_TEST(a_password_file_must_be_private)
{
    FILE *file = fopen(stage_path(&stage, "password"), "we");
    ck_assert_ptr_nonnull(file);
    (void)fputs(SECRET "\n", file);
    (void)fclose(file);
    struct str line = arena_fmt(&stage.arena, "login|" CLOUD "|--email|a@b.c|--password-file|%s",
                                stage_path(&stage, "password"));
    ck_assert_int_eq(chmod(stage_path(&stage, "password"), 0644), 0);
    ck_assert_int_eq(stage_run(&stage, arena_cstr(&stage.arena, line)), RC_INVALID);
    ck_assert_int_eq(chmod(stage_path(&stage, "password"), 0600), 0);
    answer_login();
    (void)stage_run(&stage, arena_cstr(&stage.arena, line));
    stage_assert_rc(&stage, RC_OK);
    ck_assert(sent_has(0, SECRET));
    check_silent();
}
END_TEST

START_TEST(a_password_is_not_sent_where_others_can_read_it)
{
    ck_assert_int_eq(stage_run(&stage, "login|http://cloud.example.net"), RC_INVALID);
    stage_assert_err(&stage, "--allow-http");
    answer_login();
    (void)stage_run_with(&stage, "login|http://cloud.example.net|--allow-http",
                         "a@b.c\n" SECRET "\n");
    stage_assert_rc(&stage, RC_OK);
}
END_TEST

START_TEST(profiles_are_named_and_chosen)
{
    log_in();
    answer_login();
    (void)stage_run_with(&stage, "login|localhost:8420|--profile|lab", "a@b.c\n" SECRET "\n");
    stage_assert_rc(&stage, RC_OK);
    answer_login();
    (void)stage_run_with(&stage, "login|https://third.example.net:8443", "a@b.c\n" SECRET "\n");
    stage_assert_out(&stage, "profile 'third.example.net_8443'");

    ck_assert_int_eq(stage_run(&stage, "profile|list"), RC_OK);
    stage_assert_out(&stage, "   default                 " CLOUD);
    stage_assert_out(&stage, "*  third.example.net_8443  https://third");
    check_silent();
    ck_assert_int_eq(stage_run(&stage, "profile|list|--json"), RC_OK);
    stage_assert_out(&stage, "\"name\":\"lab\"");
    check_silent();

    ck_assert_int_eq(stage_run(&stage, "profile|use|lab"), RC_OK);
    stage_answer(&stage, 200, "{}");
    ck_assert_int_eq(stage_run(&stage, "me|show"), RC_OK);
    ck_assert(str_starts(stage.requests[0].url, STR("http://localhost:8420/")));
    stage_answer(&stage, 200, "{}");
    ck_assert_int_eq(stage_run(&stage, "me|show|--profile|default"), RC_OK);
    ck_assert(str_starts(stage.requests[0].url, STR(CLOUD)));
    ck_assert_int_eq(stage_run(&stage, "me|show|--profile|nobody"), RC_NOT_FOUND);
    ck_assert_int_eq(stage_run(&stage, "profile|remove|lab"), RC_OK);
    ck_assert_int_eq(stage_run(&stage, "profile|use|lab"), RC_NOT_FOUND);
    ck_assert_int_eq(stage_run_with(&stage, "login|" CLOUD "|--profile|a/b", "x\ny\n"), RC_SYNTAX);
}
END_TEST

START_TEST(the_token_of_a_profile_goes_to_its_server_alone)
{
    log_in();
    ck_assert_int_eq(stage_run(&stage, "me|show|--server|https://evil.example.net"),
                     RC_UNAUTHENTICATED);
    ck_assert_uint_eq(stage.asked, 0);
    stage_answer(&stage, 200, "{\"version\":\"1\"}");
    ck_assert_int_eq(stage_run(&stage, "version|--server|https://evil.example.net"), RC_OK);
    ck_assert(!sent_has(0, TOKEN));
    stage_env(&stage, "HANSE_URL", "https://evil.example.net");
    ck_assert_int_eq(stage_run(&stage, "me|show"), RC_UNAUTHENTICATED);
    ck_assert_uint_eq(stage.asked, 0);
    stage_answer(&stage, 200, "{}");
    ck_assert_int_eq(stage_run(&stage, "me|show|--server|" CLOUD "/"), RC_OK);
    ck_assert(sent_has(0, TOKEN));
}
END_TEST

START_TEST(logout_revokes_and_forgets)
{
    log_in();
    stage_answer(&stage, 204, "");
    ck_assert_int_eq(stage_run(&stage, "logout"), RC_OK);
    ck_assert(str_eq(stage.requests[0].url, STR(CLOUD "/v1/tokens/tok_1")));
    ck_assert(sent_has(0, TOKEN));
    stage_assert_out(&stage, "logged out of " CLOUD);
    ck_assert_int_eq(stage_run(&stage, "logout"), RC_UNAUTHENTICATED);
}
END_TEST

START_TEST(logout_keeps_a_token_that_could_not_be_revoked)
{
    log_in();
    for (int i = 0; i < 4; i++)
        stage_lose(&stage, RC_UNAVAILABLE);
    ck_assert_int_eq(stage_run(&stage, "logout"), RC_UNAVAILABLE);
    stage_assert_err(&stage, "still valid");
    for (int i = 0; i < 4; i++)
        stage_lose(&stage, RC_UNAVAILABLE);
    ck_assert_int_eq(stage_run(&stage, "logout|--forget"), RC_OK);
    stage_assert_out(&stage, "stays valid until it ends");

    log_in();
    stage_answer(&stage, 401, "{}"); /* revoked by somebody else already */
    ck_assert_int_eq(stage_run(&stage, "logout"), RC_OK);
}
END_TEST

static const char view_founds[] =
    "{\"party_name\":\"Nord\",\"inviter_name\":\"Olga\",\"joins\":false,\"role\":\"owner\","
    "\"email\":\"ada@example.net\",\"prefill\":{\"address\":{}}}";

START_TEST(setup_shows_the_offer_asks_and_logs_in)
{
    stage_answer(&stage, 200, view_founds);
    stage_answer(&stage, 201, "{}");
    answer_login();
    (void)stage_run_with(&stage, "setup|" CLOUD "/invite/inv123",
                         "Ada Martin\n\nMartin SARL\nFR\n" SECRET "\n");
    stage_assert_rc(&stage, RC_OK);
    ck_assert(str_eq(stage.requests[0].url, STR(CLOUD "/v1/invitations/actions/open")));
    ck_assert(str_eq(stage.requests[0].body, STR("{\"token\":\"inv123\"}")));
    ck_assert(
        str_eq(stage.requests[1].body,
               STR("{\"token\":\"inv123\",\"email\":\"ada@example.net\",\"name\":\"Ada Martin\","
                   "\"password\":\"" SECRET "\",\"party\":{\"name\":\"Martin SARL\","
                   "\"address\":{\"country\":\"FR\"}}}")));
    stage_assert_out(&stage, "Olga of Nord invites you to join with a party of your own.");
    stage_assert_out(&stage, "logged in to " CLOUD " as ada@example.net");
    check_silent();
}
END_TEST

START_TEST(setup_takes_answers_from_flags)
{
    stage_answer(&stage, 200, "{\"joins\":true,\"email\":null}");
    stage_answer(&stage, 201, "{}");
    answer_login();
    (void)stage_run_with(&stage,
                         "setup|" CLOUD "/invite/inv123|--name|Ada|--email|a@b.c|--password-file|-",
                         SECRET "\n");
    stage_assert_rc(&stage, RC_OK);
    check_silent();
}
END_TEST

START_TEST(setup_refuses_what_is_no_link)
{
    static const char *const lines[] = {"setup|" CLOUD, "setup|" CLOUD "/invite/", "setup|nonsense",
                                        "setup"};
    for (size_t i = 0; i < COUNT(lines); i++)
        ck_assert_int_eq(stage_run(&stage, lines[i]), RC_SYNTAX);
    stage_answer(&stage, 410, "{\"detail\":\"the invitation was used already\"}");
    ck_assert_int_eq(stage_run(&stage, "setup|" CLOUD "/invite/x"), RC_GONE);
    ck_assert_int_eq(rc_exit(stage.rc), 5);
}
END_TEST

Suite *signin_suite(void);
Suite *signin_suite(void)
{
    Suite *s = suite_create("signin");
    TCase *c = tcase_create("signin");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, login_makes_a_token_keeps_it_and_ends_the_session);
    tcase_add_test(c, a_second_login_revokes_the_token_it_replaces);
    tcase_add_test(c, a_code_is_asked_for_where_the_server_wants_one);
    tcase_add_test(c, a_wrong_password_is_told_and_not_tried_again);
    tcase_add_test(c, the_session_ends_also_where_no_token_was_made);
    tcase_add_test(c, a_password_file_must_be_private);
    tcase_add_test(c, a_password_is_not_sent_where_others_can_read_it);
    tcase_add_test(c, profiles_are_named_and_chosen);
    tcase_add_test(c, the_token_of_a_profile_goes_to_its_server_alone);
    tcase_add_test(c, logout_revokes_and_forgets);
    tcase_add_test(c, logout_keeps_a_token_that_could_not_be_revoked);
    tcase_add_test(c, setup_shows_the_offer_asks_and_logs_in);
    tcase_add_test(c, setup_takes_answers_from_flags);
    tcase_add_test(c, setup_refuses_what_is_no_link);
    suite_add_tcase(s, c);
    return s;
}
