/*
 * Secrets are shown once, to whom they are for, and lie nowhere: not in other answers, not in the
 * log, not in any table of the store.
 */
#include "api/accept_invitation.h"
#include "api/api_fixture.h"

#define PASSWORD "extraordinary-passphrase-4711"

enum { SECRETS_MAX = 16, LOG_TEXT_MAX = 1 << 20 };

struct secrets {
    struct house *house;
    struct str list[SECRETS_MAX];
    size_t count;
};

static void keep(struct secrets *s, struct str secret)
{
    ck_assert_uint_lt(s->count, SECRETS_MAX);
    ck_assert_uint_gt(secret.n, 8);
    s->list[s->count++] = secret;
}

static bool holds(const struct secrets *s, struct str text)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_has(text, s->list[i]))
            return true;
    return false;
}

static const char *const tables[] = {
    "SELECT caller, key, hash, headers, body FROM idempotency",
    "SELECT id, user_id, token, party, action, subject, before, after, address, request FROM audit",
    "SELECT id, topic, party, body, error FROM outbox WHERE topic <> 'mail'",
    "SELECT id, hash, user_id, party, name, scopes FROM token",
    "SELECT hash, id, user_id, address, agent FROM session",
    "SELECT id, hash, party, inviter, role, email, prefill, message, state FROM invitation",
    "SELECT id, email, name, password FROM users",
    "SELECT name, value FROM setting",
};

static enum rc search_row(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    (void)tx;
    const struct secrets *s = arg;
    for (size_t i = 0; i < columns; i++)
        ck_assert_msg(cells[i].type != VALUE_TEXT || !holds(s, cells[i].text), "%.*s",
                      STRF(cells[i].text));
    return RC_OK;
}

static enum rc search_store(struct tx *tx, void *arg)
{
    for (size_t i = 0; i < COUNT(tables); i++)
        OK(tx, sql_each(tx, search_row, arg, tables[i]));
    return RC_OK;
}

/* Everything that makes or takes a secret, each with a key, so that answers are kept too. */
static void use_secrets(struct house *h, struct secrets *s)
{
    const char *path = at(h, "/v1/parties/", h->client, "/invitations");
    struct answer a = ask(h, &h->carl, "POST", str_c(path), STR("Idempotency-Key: k1\r\n"),
                          STR("{\"joins\":true,\"role\":\"reader\",\"email\":\"n@example.net\"}"));
    STATUS(a, 201);
    struct str token = invitation_token_of(text_at(h, &a, "link"));
    keep(s, token);
    STATUS(get(h, NULL, at(h, "/invite/", token, "")), 200);
    a = ask(h, NULL, "POST", STR("/v1/invitations/actions/accept"), STR("Idempotency-Key: k2\r\n"),
            arena_fmt(&h->arena,
                      "{\"token\":\"%.*s\",\"email\":\"n@example.net\",\"name\":\"N\","
                      "\"password\":\"" PASSWORD "\"}",
                      STRF(token)));
    STATUS(a, 201);
    ck_assert(!str_has(a.body, STR(PASSWORD)));
    keep(s, STR(PASSWORD));
    a = ask(h, NULL, "POST", STR("/v1/session"), STR("Idempotency-Key: k3\r\n"),
            STR("{\"email\":\"n@example.net\",\"password\":\"" PASSWORD "\"}"));
    STATUS(a, 201);
    struct str rest = header(&a, "Set-Cookie");
    struct str pair = str_cut(&rest, ';');
    struct guest browser = {.credentials = arena_fmt(&h->arena, "Cookie: %.*s\r\nX-CSRF: %.*s\r\n",
                                                     STRF(pair), STRF(text_at(h, &a, "csrf")))};
    keep(s, text_at(h, &a, "csrf"));
    (void)str_cut(&pair, '=');
    keep(s, pair);
    a = ask(h, &browser, "POST", STR("/v1/tokens"), STR("Idempotency-Key: k4\r\n"),
            STR("{\"name\":\"t\",\"scopes\":[\"self:read\"]}"));
    STATUS(a, 201);
    keep(s, text_at(h, &a, "secret"));
    a = ask(h, &browser, "POST", STR("/v1/me/totp"), STR("Idempotency-Key: k5\r\n"),
            STR("{\"password\":\"" PASSWORD "\"}"));
    STATUS(a, 201);
    keep(s, text_at(h, &a, "secret"));
    a = ask(h, &browser, "POST", STR("/v1/me/actions/change-password"),
            STR("Idempotency-Key: k6\r\n"),
            STR("{\"password\":\"" PASSWORD "\",\"fresh\":\"second-" PASSWORD "\"}"));
    STATUS(a, 204);
}

static void search_answers(struct house *h, const struct secrets *s)
{
    struct str audit = str_c(at(h, "/v1/parties/", h->client, "/audit"));
    struct str invitations = str_c(at(h, "/v1/parties/", h->client, "/invitations"));
    struct str paths[] = {STR("/v1/tokens"), STR("/v1/me/sessions"), STR("/v1/me"), audit,
                          invitations};
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct answer a = ask(h, &h->carl, "GET", paths[i], STR(""), STR(""));
        STATUS(a, 200);
        ck_assert_msg(!holds(s, a.body), "%.*s: %.*s", STRF(paths[i]), STRF(a.body));
    }
}

START_TEST(secrets_are_shown_once_and_lie_nowhere)
{
    char file[] = "/tmp/hanse-test-log-XXXXXX";
    int fd = mkstemp(file);
    ck_assert_int_ge(fd, 0);
    struct house *h = house_open();
    struct secrets s = {.house = h};
    h->log.fd = fd;
    h->log.level = LOG_DEBUG;
    use_secrets(h, &s);
    search_answers(h, &s);
    house_write(h, search_store, &s);
    char *text = arena_alloc(&h->arena, LOG_TEXT_MAX);
    ssize_t n = pread(fd, text, LOG_TEXT_MAX, 0);
    ck_assert_int_gt(n, 500);
    ck_assert(str_has(str_n(text, (size_t)n), STR("ev=token.create")));
    ck_assert(str_has(str_n(text, (size_t)n), STR("path=/invite/{token} ")));
    ck_assert(!holds(&s, str_n(text, (size_t)n)));
    house_close(h);
    close(fd);
    (void)unlink(file);
}
END_TEST

Suite *secrets_suite(void);
Suite *secrets_suite(void)
{
    Suite *s = suite_create("secrets");
    TCase *c = tcase_create("secrets");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, secrets_are_shown_once_and_lie_nowhere);
    suite_add_tcase(s, c);
    return s;
}
