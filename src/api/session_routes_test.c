/*
 * Logging in, from outside: cookies, CSRF, throttling, second factor, passwords.
 */
#include "api/api_fixture.h"
#include "party/totp.h"

#define PASSWORD "a long and plain passphrase 7"

static enum rc set_password(struct tx *tx, void *arg)
{
    struct house *h = arg;
    struct str hash;
    struct err err = {0};
    ck_assert_int_eq(password_hash(STR(PASSWORD), &h->arena, &hash, &err), RC_OK);
    return user_set_password(tx, h->carl.user, hash);
}

static struct house *open_with_password(struct api_options options)
{
    struct house *h = house_open_with(options);
    house_write(h, set_password, h);
    return h;
}

static struct answer log_in(struct house *h, const char *password, const char *code)
{
    const char *body =
        code == NULL
            ? arena_fmt(&h->arena, "{\"email\":\"carl@example.net\",\"password\":\"%s\"}", password)
                  .p
            : arena_fmt(&h->arena,
                        "{\"email\":\"carl@example.net\",\"password\":\"%s\","
                        "\"code\":\"%s\"}",
                        password, code)
                  .p;
    return post(h, NULL, "/v1/session", body);
}

/* The one who was answered so. */
static struct guest browser_of(struct house *h, const struct answer *a)
{
    struct str cookies = header(a, "Set-Cookie");
    struct str pair = str_cut(&cookies, ';');
    return (struct guest){.secret = pair,
                          .credentials = arena_fmt(&h->arena, "Cookie: %.*s\r\nX-CSRF: %.*s\r\n",
                                                   STRF(pair), STRF(text_at(h, a, "csrf")))};
}

START_TEST(a_login_gives_a_cookie_that_scripts_and_other_sites_cannot_use)
{
    struct house *h = open_with_password((struct api_options){0});
    struct answer a = log_in(h, PASSWORD, NULL);
    STATUS(a, 201);
    struct str cookies = header(&a, "Set-Cookie");
    ck_assert(str_starts(cookies, STR("__Host-sid=")));
    static const char *const parts[] = {"; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"};
    for (size_t i = 0; i < COUNT(parts); i++)
        ck_assert_msg(str_has(cookies, str_c(parts[i])), "%s", parts[i]);
    ck_assert(!str_has(cookies, STR("Domain")));
    SAME(text_at(h, &a, "user/email"), STR("carl@example.net"));
    struct guest browser = browser_of(h, &a);
    STATUS(get(h, &browser, "/v1/me"), 200);
    struct answer session = get(h, &browser, "/v1/session");
    SAME(text_at(h, &session, "csrf"), text_at(h, &a, "csrf"));
    /* The next login is another session. */
    struct answer again = log_in(h, PASSWORD, NULL);
    ck_assert(!str_eq(header(&again, "Set-Cookie"), cookies));
    struct answer list = get(h, &browser, "/v1/me/sessions");
    ck_assert_uint_eq(items_in(h, &list), 2);
    struct answer out = ask(h, &browser, "DELETE", STR("/v1/session"), STR(""), STR(""));
    STATUS(out, 204);
    ck_assert(str_has(header(&out, "Set-Cookie"), STR("__Host-sid=; ")));
    ck_assert(str_has(header(&out, "Set-Cookie"), STR("Max-Age=0")));
    STATUS(get(h, &browser, "/v1/me"), 401);
    house_close(h);
}
END_TEST

START_TEST(a_cookie_alone_changes_nothing)
{
    struct house *h = house_open();
    struct session_order s = house_session(h, h->carl.user);
    struct guest bare = {.credentials =
                             arena_fmt(&h->arena, "Cookie: __Host-sid=%.*s\r\n", STRF(s.secret))};
    struct str name = STR("{\"name\":\"Eve\"}");
    STATUS(get(h, &bare, "/v1/me"), 200);
    STATUS(ask(h, &bare, "PATCH", STR("/v1/me"), STR(""), name), 403);
    STATUS(ask(h, &bare, "PATCH", STR("/v1/me"), STR("X-CSRF: wrong\r\n"), name), 403);
    struct guest whole = {.credentials = cookie(h, &s)};
    STATUS(ask(h, &whole, "PATCH", STR("/v1/me"), STR(""), name), 200);
    /* Another site's page, whatever it knows. */
    static const char *const foreign[] = {
        "Origin: https://evil.test\r\n", "Origin: null\r\n", "Origin: http://cloud.test.evil\r\n",
        "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n"};
    for (size_t i = 0; i < COUNT(foreign); i++)
        STATUS(ask(h, &whole, "PATCH", STR("/v1/me"), str_c(foreign[i]), name), 403);
    static const char *const own[] = {"Origin: http://cloud.test\r\n",
                                      "Sec-Fetch-Site: same-origin\r\n",
                                      "Sec-Fetch-Site: none\r\n"};
    for (size_t i = 0; i < COUNT(own); i++)
        STATUS(ask(h, &whole, "PATCH", STR("/v1/me"), str_c(own[i]), name), 200);
    /* A token is nothing that a browser sends by itself. */
    STATUS(ask(h, &h->carl, "PATCH", STR("/v1/me"), STR("Origin: https://evil.test\r\n"), name),
           200);
    /* Nor does another site log anybody in. */
    STATUS(ask(h, NULL, "POST", STR("/v1/session"), STR("Origin: https://evil.test\r\n"),
               STR("{\"email\":\"carl@example.net\",\"password\":\"x\"}")),
           403);
    house_close(h);
}
END_TEST

START_TEST(wrong_passwords_are_slowed_down_and_say_nothing)
{
    struct house *h = open_with_password((struct api_options){0});
    struct answer wrong = log_in(h, "wrong", NULL);
    STATUS(wrong, 401);
    struct answer unknown =
        post(h, NULL, "/v1/session", "{\"email\":\"no@example.net\",\"password\":\"wrong\"}");
    SAME(text_at(h, &wrong, "detail"), text_at(h, &unknown, "detail"));
    for (int i = 0; i < LOGIN_FREE - 1; i++)
        STATUS(log_in(h, "wrong", NULL), 401);
    struct answer a = log_in(h, PASSWORD, NULL);
    STATUS(a, 429);
    ck_assert(header(&a, "Retry-After").n > 0);
    house_advance(h, LOGIN_WAIT_MAX_US);
    STATUS(log_in(h, PASSWORD, NULL), 201);
    for (int i = 0; i < LOGIN_FREE; i++)
        STATUS(log_in(h, "wrong", NULL), 401);
    house_close(h);
}
END_TEST

START_TEST(whose_account_it_is_sees_who_tried)
{
    struct house *h = open_with_password((struct api_options){0});
    STATUS(log_in(h, "wrong", NULL), 401);
    struct answer in = log_in(h, PASSWORD, NULL);
    struct guest browser = browser_of(h, &in);
    struct answer log = get(h, &browser, "/v1/me/audit?action=login_failed");
    STATUS(log, 200);
    ck_assert_uint_eq(items_in(h, &log), 1);
    ck_assert(str_has(log.body, STR("\"address\"")));
    log = get(h, &browser, "/v1/me/audit");
    ck_assert(str_has(log.body, STR("session_create")));
    log = get(h, &h->olga, "/v1/me/audit"); /* another's account */
    ck_assert(!str_has(log.body, STR("login_failed")));
    house_close(h);
}
END_TEST

START_TEST(logins_are_limited_for_each_address)
{
    struct house *h = house_open_with((struct api_options){.login_per_minute = 3});
    for (int i = 0; i < 3; i++)
        STATUS(post(h, NULL, "/v1/invitations/actions/open", "{\"token\":\"guess\"}"), 404);
    struct answer a = post(h, NULL, "/v1/invitations/actions/open", "{\"token\":\"guess\"}");
    STATUS(a, 429);
    SAME(header(&a, "RateLimit-Policy"), STR("\"login\";q=3;w=60"));
    STATUS(log_in(h, PASSWORD, NULL), 429);
    STATUS(get(h, &h->carl, "/v1/me"), 200);
    house_close(h);
}
END_TEST

static const char *code_at(struct house *h, struct str secret, int64_t steps)
{
    struct str bytes;
    char *code = arena_alloc(&h->arena, TOTP_DIGITS + 1);
    ck_assert(base32_decode(secret, &h->arena, &bytes));
    totp_code(bytes, totp_step(house_now(&h->clock.clock)) + steps, code);
    return code;
}

START_TEST(a_second_factor_is_asked_for_and_each_code_counts_once)
{
    struct house *h = open_with_password((struct api_options){0});
    STATUS(post(h, &h->carl, "/v1/me/totp", "{\"password\":\"wrong\"}"), 422);
    struct answer begun = post(h, &h->carl, "/v1/me/totp", "{\"password\":\"" PASSWORD "\"}");
    STATUS(begun, 201);
    struct str secret = text_at(h, &begun, "secret");
    ck_assert(str_starts(text_at(h, &begun, "uri"), STR("otpauth://totp/")));
    STATUS(log_in(h, PASSWORD, NULL), 201); /* not before it was confirmed */
    const char *body = arena_fmt(&h->arena, "{\"code\":\"%s\"}", code_at(h, secret, 0)).p;
    STATUS(post(h, &h->carl, "/v1/me/totp/actions/confirm", body), 204);
    struct answer a = log_in(h, PASSWORD, NULL);
    STATUS(a, 401);
    ck_assert(str_has(a.body, STR("\"pointer\":\"#/code\"")));
    STATUS(log_in(h, PASSWORD, code_at(h, secret, 0)), 401); /* used to confirm */
    house_advance(h, US_PER_MINUTE);
    STATUS(log_in(h, PASSWORD, code_at(h, secret, 5)), 401);
    const char *code = code_at(h, secret, 0);
    STATUS(log_in(h, PASSWORD, code), 201);
    a = log_in(h, PASSWORD, code);
    STATUS(a, 401);
    ck_assert_uint_eq(header(&a, "Set-Cookie").n, 0);
    house_advance(h, US_PER_MINUTE);
    STATUS(log_in(h, "wrong", code_at(h, secret, 0)), 401);
    STATUS(log_in(h, PASSWORD, code_at(h, secret, 0)), 201); /* a wrong password spends no code */
    /* A token alone, stolen or not, does not take it away. */
    STATUS(ask(h, &h->carl, "DELETE", STR("/v1/me/totp"), STR(""), STR("{\"password\":\"no\"}")),
           422);
    STATUS(log_in(h, PASSWORD, NULL), 401);
    STATUS(ask(h, &h->carl, "DELETE", STR("/v1/me/totp"), STR(""),
               STR("{\"password\":\"" PASSWORD "\"}")),
           204);
    STATUS(log_in(h, PASSWORD, NULL), 201);
    house_close(h);
}
END_TEST

START_TEST(delicate_steps_want_the_password_again)
{
    struct house *h = open_with_password((struct api_options){0});
    struct answer login = log_in(h, PASSWORD, NULL);
    struct guest browser = browser_of(h, &login);
    const char *token = "{\"name\":\"x\",\"scopes\":[\"self:read\"]}";
    STATUS(post(h, &browser, "/v1/tokens", token), 201);
    house_advance(h, SESSION_PROVED_US + US_PER_SECOND);
    struct answer a = post(h, &browser, "/v1/tokens", token);
    STATUS(a, 403);
    SAME(text_at(h, &a, "prove"), STR("/v1/session/actions/prove"));
    STATUS(post(h, &browser, "/v1/session/actions/prove", "{\"password\":\"wrong\"}"), 422);
    STATUS(post(h, &browser, "/v1/tokens", token), 403);
    STATUS(post(h, &browser, "/v1/session/actions/prove", "{\"password\":\"" PASSWORD "\"}"), 204);
    STATUS(post(h, &browser, "/v1/tokens", token), 201);
    house_close(h);
}
END_TEST

START_TEST(a_new_password_ends_all_other_sessions)
{
    struct house *h = open_with_password((struct api_options){0});
    struct answer one = log_in(h, PASSWORD, NULL);
    struct answer two = log_in(h, PASSWORD, NULL);
    struct guest here = browser_of(h, &one);
    struct guest there = browser_of(h, &two);
    const char *path = "/v1/me/actions/change-password";
    struct answer a =
        post(h, &here, path, "{\"password\":\"" PASSWORD "\",\"fresh\":\"passwordpassword\"}");
    STATUS(a, 422);
    ck_assert(str_has(a.body, STR("\"pointer\":\"#/fresh\"")));
    STATUS(post(h, &here, path, "{\"password\":\"wrong\",\"fresh\":\"another long phrase 8\"}"),
           422);
    STATUS(
        post(h, &here, path, "{\"password\":\"" PASSWORD "\",\"fresh\":\"another long phrase 8\"}"),
        204);
    STATUS(get(h, &here, "/v1/me"), 200);
    STATUS(get(h, &there, "/v1/me"), 401);
    STATUS(log_in(h, PASSWORD, NULL), 401);
    STATUS(log_in(h, "another long phrase 8", NULL), 201);
    house_close(h);
}
END_TEST

/* Ends carl's sessions once his password is being checked, if that is not over yet. */
struct overtaking {
    struct house *house;
    struct str hash; /* the password before */
    bool begun;
    bool in_time;
};

static enum rc end_sessions(struct tx *tx, void *arg)
{
    struct overtaking *o = arg;
    struct rows tries;
    struct rows user;
    OK(tx, sql_rows(tx, &tries, "SELECT COUNT(*) FROM login_failure"));
    OK(tx, sql_rows(tx, &user, "SELECT password FROM users WHERE id = $1", V(o->house->carl.user)));
    o->in_time = str_eq(row_str(&user, 0, 0), o->hash);
    o->begun = row_int(&tries, 0, 0) > 0 || !o->in_time;
    if (o->begun)
        OK(tx, session_end_others(tx, o->house->carl.user, STR("")));
    return RC_OK;
}

static enum rc read_hash(struct tx *tx, void *arg)
{
    struct overtaking *o = arg;
    struct rows user;
    OK(tx, sql_rows(tx, &user, "SELECT password FROM users WHERE id = $1", V(o->house->carl.user)));
    o->hash = arena_str(&o->house->arena, row_str(&user, 0, 0));
    return RC_OK;
}

START_TEST(who_is_logged_out_during_slow_work_has_no_effect_any_more)
{
    struct house *h = open_with_password((struct api_options){0});
    struct session_order s = house_session(h, h->carl.user);
    struct overtaking o = {.house = h};
    house_write(h, read_hash, &o);
    static const char body[] =
        "{\"password\":\"" PASSWORD "\",\"fresh\":\"quite another passphrase 8\"}";
    int fd = probe_connect(http_address(h->server));
    ck_assert(probe_send(
        fd, arena_fmt(&h->arena,
                      "POST /v1/me/actions/change-password HTTP/1.1\r\nHost: cloud.test\r\n"
                      "Connection: close\r\n%.*sContent-Type: application/json\r\n"
                      "Content-Length: %zu\r\n\r\n%s",
                      STRF(cookie(h, &s)), sizeof body - 1, body)));
    while (!o.begun)
        house_write(h, end_sessions, &o);
    char *reply = probe_read_all(fd, NULL);
    close(fd);
    ck_assert_msg(probe_status(reply) == (o.in_time ? 401 : 204), "%s", reply);
    free(reply);
    house_close(h);
}
END_TEST

START_TEST(idle_and_old_sessions_end)
{
    struct house *h = house_open();
    struct session_order s = house_session(h, h->carl.user);
    struct guest browser = {.credentials = cookie(h, &s)};
    for (int64_t at_us = 0; at_us < 3 * SESSION_IDLE_US; at_us += SESSION_IDLE_US / 2) {
        house_advance(h, SESSION_IDLE_US / 2);
        STATUS(get(h, &browser, "/v1/me"), 200); /* each use is written down beside the answer */
        STATUS(ask(h, &browser, "PATCH", STR("/v1/me"), STR(""), STR("{\"name\":\"C\"}")), 200);
        touches_wait(h->api->touches);
    }
    house_advance(h, SESSION_IDLE_US + US_PER_MINUTE);
    STATUS(get(h, &browser, "/v1/me"), 401);
    house_close(h);
}
END_TEST

Suite *session_routes_suite(void);
Suite *session_routes_suite(void)
{
    Suite *s = suite_create("session_routes");
    TCase *c = tcase_create("session_routes");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, a_login_gives_a_cookie_that_scripts_and_other_sites_cannot_use);
    tcase_add_test(c, a_cookie_alone_changes_nothing);
    tcase_add_test(c, wrong_passwords_are_slowed_down_and_say_nothing);
    tcase_add_test(c, whose_account_it_is_sees_who_tried);
    tcase_add_test(c, logins_are_limited_for_each_address);
    tcase_add_test(c, a_second_factor_is_asked_for_and_each_code_counts_once);
    tcase_add_test(c, delicate_steps_want_the_password_again);
    tcase_add_test(c, a_new_password_ends_all_other_sessions);
    tcase_add_test(c, who_is_logged_out_during_slow_work_has_no_effect_any_more);
    tcase_add_test(c, idle_and_old_sessions_end);
    suite_add_tcase(s, c);
    return s;
}
