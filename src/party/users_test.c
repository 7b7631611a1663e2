#include "party/party_fixture.h"
#include "party/secret.h"
#include "party/sha1.h"
#include "party/totp.h"
#include "party/user.h"

#include <sodium.h>

#define PEER  STR("192.0.2.1")
#define PEER2 STR("2001:db8::1")

/* --- users --- */

TX_TEST(one_address_is_one_user_whatever_its_case)
{
    struct user u, got;
    struct user fresh = {.email = STR("Ada@Example.NET"), .name = STR("Ada")};
    OK(tx, user_create(tx, &fresh, NO_HASH, &u));
    SAME(u.email, STR("Ada@example.net"));
    SAME(u.language, STR("en"));
    SAME(u.time_zone, STR("UTC"));
    fresh.email = STR("aDA@example.net");
    FAILS(tx, RC_CONFLICT, "/email", user_create(tx, &fresh, NO_HASH, &got));
    fresh.email = STR("ada");
    FAILS(tx, RC_INVALID, "/email", user_create(tx, &fresh, NO_HASH, &got));
    fresh = (struct user){.email = STR("b@example.net")};
    FAILS(tx, RC_INVALID, "/name", user_create(tx, &fresh, NO_HASH, &got));
    OK(tx, user_get(tx, u.id, &got));
    SAME(got.email, u.email);
    FAILS(tx, RC_NOT_FOUND, NULL, user_get(tx, STR("usr_none"), &got));
}

TX_TEST(a_user_changes_name_language_and_zone)
{
    struct str id = make_user(tx, "ada");
    struct user u;
    uint64_t name = UINT64_C(1) << schema_find(&user_schema, STR("name"));
    uint64_t zone = UINT64_C(1) << schema_find(&user_schema, STR("time_zone"));
    struct user patch = {.set = name | zone,
                         .name = STR("Ada L."),
                         .time_zone = STR("Asia/Tokyo"),
                         .language = STR("not looked at")};
    OK(tx, user_change(tx, id, 1, &patch, &u));
    SAME(u.name, STR("Ada L."));
    SAME(u.language, STR("en"));
    ck_assert_int_eq(u.version, 2);
    FAILS(tx, RC_CHANGED, NULL, user_change(tx, id, 1, &patch, &u));
    patch.time_zone = STR("Mars/Olympus");
    FAILS(tx, RC_INVALID, "/time_zone", user_change(tx, id, 0, &patch, &u));
    patch = (struct user){.set = name};
    FAILS(tx, RC_INVALID, "/name", user_change(tx, id, 0, &patch, &u));
    OK(tx, user_get(tx, id, &u));
    SAME(u.name, STR("Ada L."));
    SAME(u.time_zone, STR("Asia/Tokyo"));
}

/* --- passwords --- */

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, (size_t)1024 * 1024);
}

static void teardown(void)
{
    arena_fini(&arena);
}

START_TEST(a_password_is_verified_by_its_hash_alone)
{
    struct err err;
    struct str hash;
    ck_assert_int_eq(password_hash(STR("caf\xC3\xA9 au lait, 2 sucres"), &arena, &hash, &err),
                     RC_OK);
    ck_assert(str_starts(hash, STR("$argon2id$v=19$m=65536,t=3,p=1$")));
    ck_assert_uint_lt(hash.n, PASSWORD_HASH_MAX);
    ck_assert(password_verify(STR("caf\xC3\xA9 au lait, 2 sucres"), hash));
    ck_assert(!password_verify(STR("caf\xC3\xA9 au lait, 3 sucres"), hash));
    ck_assert(!password_verify(STR(""), hash));
}
END_TEST

START_TEST(an_unknown_user_costs_a_hash_and_is_never_right)
{
    ck_assert(!password_verify(STR("whatever it is"), STR("")));
    ck_assert(!password_verify((struct str){NULL, 0}, STR("")));
    ck_assert(!password_verify(STR("whatever it is"), STR("no hash at all")));
}
END_TEST

START_TEST(weak_passwords_are_refused_with_a_reason)
{
    static const char *const bad[] = {
        "",
        "short",
        "elevenchars",
        "Password1234",
        "CorrectHorseBatteryStaple",
        "aaaaaaaaaaaaaaaa",
        "abababababab",
        "abcabcabcabcabc",
        "123456789012",
        "098765432109",
        "abcdefghijklm",
        "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", /* 12 bytes, 6 characters */
    };
    char longest[PASSWORD_MAX + 1];
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = (char)('a' + i * 7 % 26);
    struct err err;
    struct str hash = STR("untouched");
    for (size_t i = 0; i <= COUNT(bad); i++) {
        struct str word = i < COUNT(bad) ? str_c(bad[i]) : str_n(longest, sizeof longest);
        enum rc rc = password_hash(word, &arena, &hash, &err);
        ck_assert_msg(rc == RC_INVALID, "%.*s", STRF(word));
        ck_assert_str_eq(err.pointer, "/password");
        SAME(hash, STR("untouched"));
    }
}
END_TEST

/* --- SHA-1, HMAC, TOTP: the vectors of their documents --- */

static void check_hex(const unsigned char *bytes, const char *want)
{
    char text[SHA1_N * 2 + 1];
    (void)sodium_bin2hex(text, sizeof text, bytes, SHA1_N);
    ck_assert_str_eq(text, want);
}

START_TEST(sha1_gives_the_digests_of_rfc_3174)
{
    unsigned char digest[SHA1_N];
    sha1(STR("abc"), digest);
    check_hex(digest, "a9993e364706816aba3e25717850c26c9cd0d89d");
    sha1(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), digest);
    check_hex(digest, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    sha1(STR(""), digest);
    check_hex(digest, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    char *many = arena_bytes(&arena, 640);
    for (size_t i = 0; i < 640; i++)
        many[i] = (char)('0' + i % 8);
    sha1(str_n(many, 640), digest);
    check_hex(digest, "dea356a2cddd90c7a7ecedc5ebb563934f460452");
}
END_TEST

START_TEST(hmac_gives_the_codes_of_rfc_2202)
{
    unsigned char mac[SHA1_N];
    sha1_hmac(
        STR("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
        STR("Hi There"), mac);
    check_hex(mac, "b617318655057264e28bc0b6fb378c8ef146be00");
    sha1_hmac(STR("Jefe"), STR("what do ya want for nothing?"), mac);
    check_hex(mac, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}
END_TEST

START_TEST(totp_gives_the_codes_of_rfc_6238)
{
    static const struct {
        int64_t seconds;
        const char *code; /* the last six of the eight digits of appendix B */
    } cases[] = {
        {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
        {1234567890, "005924"}, {2000000000, "279037"}, {INT64_C(20000000000), "353130"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char code[TOTP_DIGITS + 1];
        totp_code(STR("12345678901234567890"), totp_step(cases[i].seconds * US_PER_SECOND), code);
        ck_assert_str_eq(code, cases[i].code);
    }
}
END_TEST

START_TEST(a_code_is_good_one_step_around_and_once)
{
    struct str secret = STR("12345678901234567890");
    time_us now = INT64_C(1234567890) * US_PER_SECOND;
    int64_t step = totp_step(now);
    for (int64_t drift = -3; drift <= 3; drift++) {
        char code[TOTP_DIGITS + 1];
        int64_t found = 0;
        totp_code(secret, step + drift, code);
        bool want = drift >= -1 && drift <= 1;
        ck_assert_int_eq(totp_matches(secret, str_c(code), now, 0, &found), want);
        ck_assert(!want || found == step + drift);
        ck_assert(!totp_matches(secret, str_c(code), now, step + drift, &found));
    }
    int64_t found = 0;
    ck_assert(!totp_matches(secret, STR(""), now, 0, &found));
    ck_assert(!totp_matches(secret, STR("00592"), now, 0, &found));
    ck_assert(!totp_matches(secret, STR("0059240"), now, 0, &found));
}
END_TEST

START_TEST(base32_gives_the_texts_of_rfc_4648)
{
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "MY"},
                                           {"fo", "MZXQ"},
                                           {"foo", "MZXW6"},
                                           {"foob", "MZXW6YQ"},
                                           {"fooba", "MZXW6YTB"},
                                           {"foobar", "MZXW6YTBOI"}};
    struct str back;
    for (size_t i = 0; i < COUNT(cases); i++) {
        SAME(base32_encode(str_c(cases[i][0]), &arena), str_c(cases[i][1]));
        ck_assert(base32_decode(str_c(cases[i][1]), &arena, &back));
        SAME(back, str_c(cases[i][0]));
    }
    static const char *const bad[] = {"M", "MZX", "mY", "MY======", "M1", "MZ"};
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!base32_decode(str_c(bad[i]), &arena, &back), "%s", bad[i]);
}
END_TEST

static struct str code_now(struct tx *tx, struct str secret)
{
    struct str bytes;
    char code[TOTP_DIGITS + 1];
    ck_assert(base32_decode(secret, tx->arena, &bytes));
    totp_code(bytes, totp_step(tx->now), code);
    return arena_str(tx->arena, str_c(code));
}

TX_TEST(a_second_factor_is_confirmed_used_once_a_step_and_removed)
{
    struct str operator_party = make_operator(tx);
    struct str user = make_member(tx, "ada", operator_party, "owner");
    struct str secret, uri;
    struct user u;
    FAILS(tx, RC_CONFLICT, NULL, totp_check(tx, NULL, user, STR("000000"), true));
    FAILS(tx, RC_CONFLICT, NULL, totp_check(tx, NULL, user, STR("000000"), false));
    OK(tx, totp_begin(tx, NULL, user, &secret, &uri));
    SAME(uri, arena_fmt(tx->arena,
                        "otpauth://totp/Operator:ada%%40example.net?secret=%.*s&issuer=Operator"
                        "&algorithm=SHA1&digits=6&period=30",
                        STRF(secret)));
    OK(tx, user_get(tx, user, &u));
    ck_assert(!u.totp); /* not before it is confirmed */
    FAILS(tx, RC_INVALID, "/code", totp_check(tx, NULL, user, STR("12345"), true));
    OK(tx, totp_check(tx, NULL, user, code_now(tx, secret), true));
    OK(tx, user_get(tx, user, &u));
    ck_assert(u.totp);
    /* The code that confirmed is spent; so is each later one. */
    FAILS(tx, RC_INVALID, "/code", totp_check(tx, NULL, user, code_now(tx, secret), false));
    tx->now += TOTP_STEP_SECONDS * US_PER_SECOND;
    OK(tx, totp_check(tx, NULL, user, code_now(tx, secret), false));
    FAILS(tx, RC_INVALID, "/code", totp_check(tx, NULL, user, code_now(tx, secret), false));
    /* A second begin does not turn off the first. */
    struct str other;
    OK(tx, totp_begin(tx, NULL, user, &other, &uri));
    tx->now += TOTP_STEP_SECONDS * US_PER_SECOND;
    FAILS(tx, RC_INVALID, "/code", totp_check(tx, NULL, user, code_now(tx, other), false));
    OK(tx, totp_check(tx, NULL, user, code_now(tx, secret), false));
    OK(tx, totp_remove(tx, user));
    OK(tx, user_get(tx, user, &u));
    ck_assert(!u.totp);
    FAILS(tx, RC_CONFLICT, NULL, totp_check(tx, NULL, user, code_now(tx, other), true));
}

TX_TEST(the_store_keeps_a_second_factor_sealed)
{
    const struct seal one = {.key = {1}}, two = {.key = {2}};
    struct str user = make_member(tx, "ada", make_operator(tx), "owner");
    struct str secret, uri, bytes;
    struct rows rows;
    OK(tx, totp_begin(tx, &one, user, &secret, &uri));
    OK(tx, totp_check(tx, &one, user, code_now(tx, secret), true));
    OK(tx, sql_rows(tx, &rows, "SELECT totp_secret FROM users WHERE id = $1", V(user)));
    ck_assert(base32_decode(secret, tx->arena, &bytes));
    ck_assert(!str_has(row_str(&rows, 0, 0), secret) && !str_has(row_str(&rows, 0, 0), bytes));
    tx->now += TOTP_STEP_SECONDS * US_PER_SECOND;
    FAILS(tx, RC_INTERNAL, NULL, totp_check(tx, NULL, user, code_now(tx, secret), false));
    FAILS(tx, RC_INTERNAL, NULL, totp_check(tx, &two, user, code_now(tx, secret), false));
    OK(tx, totp_check(tx, &one, user, code_now(tx, secret), false));
}

TX_TEST(a_second_factor_from_before_there_was_a_key_still_counts)
{
    const struct seal seal = {.key = {1}};
    struct str user = make_member(tx, "ada", make_operator(tx), "owner");
    struct str secret, uri;
    OK(tx, totp_begin(tx, NULL, user, &secret, &uri));
    OK(tx, totp_check(tx, &seal, user, code_now(tx, secret), true));
}

/* --- login --- */

static enum rc try_login(struct tx *tx, struct str email, struct str peer)
{
    struct login login;
    return login_begin(tx, email, peer, &login);
}

TX_TEST(a_login_finds_the_user_in_any_case_and_nobody_else)
{
    struct login login;
    struct str user = make_user(tx, "ada");
    OK(tx, login_begin(tx, STR("ADA@example.net"), PEER, &login));
    SAME(login.user, user);
    SAME(login.hash, NO_HASH);
    ck_assert(!login.totp);
    OK(tx, login_begin(tx, STR("eve@example.net"), PEER, &login));
    SAME(login.user, STR(""));
    SAME(login.hash, STR(""));
    OK(tx, sql_run(tx, "UPDATE users SET state = 'disabled' WHERE id = $1", V(user)));
    OK(tx, login_begin(tx, STR("ada@example.net"), PEER, &login));
    SAME(login.user, STR(""));
}

TX_TEST(a_login_that_was_overtaken_by_a_change_fails)
{
    struct login before;
    struct str email = STR("ada@example.net");
    struct str user = make_user(tx, "ada");
    OK(tx, login_begin(tx, email, PEER, &before));
    OK(tx, login_succeeded(tx, &before, email, PEER));
    OK(tx, user_set_password(tx, user, STR("another hash")));
    FAILS(tx, RC_UNAUTHENTICATED, NULL, login_succeeded(tx, &before, email, PEER));
    OK(tx, login_begin(tx, email, PEER, &before));
    OK(tx, sql_run(tx, "UPDATE users SET totp_secret = 'MFRGG' WHERE id = $1", V(user)));
    FAILS(tx, RC_UNAUTHENTICATED, NULL, login_succeeded(tx, &before, email, PEER));
    OK(tx, login_begin(tx, email, PEER, &before));
    OK(tx, login_succeeded(tx, &before, email, PEER));
    OK(tx, sql_run(tx, "UPDATE users SET state = 'disabled' WHERE id = $1", V(user)));
    FAILS(tx, RC_UNAUTHENTICATED, NULL, login_succeeded(tx, &before, email, PEER));
}

TX_TEST(failures_slow_down_more_and_more_and_are_forgotten)
{
    struct str email = STR("ada@example.net");
    for (int i = 0; i < LOGIN_FREE; i++)
        OK(tx, try_login(tx, email, PEER));
    int64_t pause = US_PER_SECOND;
    for (int i = 0; i < 12; i++) {
        OK(tx, login_failed(tx, STR("ADA@Example.net"), PEER)); /* the pause counts from here */
        FAILS(tx, RC_TOO_MANY, NULL, try_login(tx, email, PEER));
        tx->now += pause - 1;
        FAILS(tx, RC_TOO_MANY, NULL, try_login(tx, email, PEER));
        OK(tx, try_login(tx, email, PEER2)); /* others are not kept out */
        tx->now += 1;
        OK(tx, try_login(tx, email, PEER));
        pause = min_i64(pause * 2, LOGIN_WAIT_MAX_US);
    }
    ck_assert_int_eq(pause, LOGIN_WAIT_MAX_US);
    FAILS(tx, RC_TOO_MANY, NULL, try_login(tx, email, PEER));
    struct login login = {0};
    OK(tx, login_succeeded(tx, &login, email, PEER));
    for (int i = 0; i < LOGIN_FREE; i++)
        OK(tx, try_login(tx, email, PEER));
    FAILS(tx, RC_TOO_MANY, NULL, try_login(tx, email, PEER));
    tx->now += US_PER_DAY + 1;
    for (int i = 0; i < LOGIN_FREE; i++)
        OK(tx, try_login(tx, email, PEER));
}

TX_TEST(many_addresses_together_are_slowed_down_too)
{
    struct str email = STR("ada@example.net");
    for (int i = 0; i < LOGIN_FREE_ANYWHERE; i++)
        OK(tx, try_login(tx, email, arena_fmt(tx->arena, "192.0.2.%d", i)));
    FAILS(tx, RC_TOO_MANY, NULL, try_login(tx, email, STR("198.51.100.1")));
    OK(tx, try_login(tx, STR("bob@example.net"), STR("198.51.100.1")));
    tx->now += US_PER_SECOND;
    OK(tx, try_login(tx, email, STR("198.51.100.1")));
}

/* --- sessions --- */

TX_TEST(a_session_is_found_by_its_secret_until_it_ends)
{
    struct str user = make_user(tx, "ada");
    struct str secret, csrf, second, csrf2;
    struct caller who;
    bool stale = true;
    OK(tx, session_create(tx, user, PEER, STR("Browser/1"), &secret, &csrf));
    OK(tx, session_create(tx, user, PEER, STR("Browser/1"), &second, &csrf2));
    ck_assert(!str_eq(secret, second) && !str_eq(csrf, csrf2) && !str_eq(secret, csrf));
    OK(tx, session_find(tx, secret, &who, &stale));
    ck_assert_int_eq(who.kind, CALLER_SESSION);
    SAME(who.user, user);
    SAME(who.csrf, csrf);
    ck_assert_uint_eq(who.scopes, PERM_ALL);
    ck_assert_int_eq(who.proved, tx->now);
    ck_assert(!stale);
    struct rows rows;
    OK(tx,
       sql_rows(tx, &rows, "SELECT COUNT(*) FROM session WHERE hash = $1 OR id = $1", V(secret)));
    ck_assert_int_eq(row_int(&rows, 0, 0), 0); /* the secret itself is nowhere */
    tx->now += US_PER_MINUTE + 1;
    OK(tx, session_find(tx, secret, &who, &stale));
    ck_assert(stale);
    OK(tx, session_end(tx, user, who.session));
    OK(tx, session_find(tx, secret, &who, &stale));
    ck_assert_int_eq(who.kind, CALLER_NOBODY);
    ck_assert(!stale);
    OK(tx, session_find(tx, second, &who, &stale));
    ck_assert_int_eq(who.kind, CALLER_SESSION);
    OK(tx, session_find(tx, STR(""), &who, &stale));
    ck_assert_int_eq(who.kind, CALLER_NOBODY);
    OK(tx, session_find(tx, csrf2, &who, &stale));
    ck_assert_int_eq(who.kind, CALLER_NOBODY);
}

static int find_kind(struct tx *tx, struct str secret)
{
    struct caller who;
    bool stale;
    OK(tx, session_find(tx, secret, &who, &stale));
    return (int)who.kind;
}

TX_TEST(a_session_ends_when_idle_and_at_the_latest_after_its_term)
{
    struct str user = make_user(tx, "ada");
    struct str idle, busy, csrf;
    struct caller who;
    bool stale;
    OK(tx, session_create(tx, user, PEER, STR(""), &idle, &csrf));
    OK(tx, session_create(tx, user, PEER, STR(""), &busy, &csrf));
    OK(tx, session_find(tx, busy, &who, &stale));
    time_us start = tx->now;
    tx->now = start + SESSION_IDLE_US - 1;
    ck_assert_int_eq(find_kind(tx, idle), CALLER_SESSION);
    OK(tx, session_touch(tx, who.session));
    tx->now = start + SESSION_IDLE_US;
    ck_assert_int_eq(find_kind(tx, idle), CALLER_NOBODY);
    while (tx->now + SESSION_IDLE_US / 2 < start + SESSION_MAX_US) {
        tx->now += SESSION_IDLE_US / 2;
        ck_assert_int_eq(find_kind(tx, busy), CALLER_SESSION);
        OK(tx, session_touch(tx, who.session));
    }
    tx->now = start + SESSION_MAX_US - 1;
    ck_assert_int_eq(find_kind(tx, busy), CALLER_SESSION);
    OK(tx, session_touch(tx, who.session));
    tx->now = start + SESSION_MAX_US;
    ck_assert_int_eq(find_kind(tx, busy), CALLER_NOBODY);
}

TX_TEST(sessions_are_listed_ended_and_bounded)
{
    struct str ada = make_user(tx, "ada");
    struct str bob = make_user(tx, "bob");
    struct str secret, csrf, last = STR("");
    struct caller who;
    struct list list;
    bool stale;
    for (int i = 0; i < 60; i++) {
        tx->now += US_PER_SECOND;
        OK(tx, session_create(tx, ada, PEER, STR("\xE2\x82\xAC"), &secret, &csrf));
        if (i == 0)
            last = secret;
    }
    ck_assert_int_eq(find_kind(tx, last), CALLER_NOBODY); /* the quietest made room */
    OK(tx, session_find(tx, secret, &who, &stale));
    OK(tx, session_list(tx, ada, who.session, &list));
    ck_assert_uint_eq(list.count, 50);
    const struct session *sessions = list.items;
    size_t current = 0;
    for (size_t i = 0; i < list.count; i++)
        current += sessions[i].current;
    ck_assert_uint_eq(current, 1);
    SAME(sessions[0].address, PEER);
    SAME(sessions[0].agent, STR("\xE2\x82\xAC"));
    FAILS(tx, RC_NOT_FOUND, NULL, session_end(tx, bob, who.session)); /* not one of bob's */
    FAILS(tx, RC_NOT_FOUND, NULL, session_end(tx, ada, STR("ses_none")));
    OK(tx, session_end_others(tx, ada, who.session));
    OK(tx, session_list(tx, ada, STR(""), &list));
    ck_assert_uint_eq(list.count, 1);
    OK(tx, session_end_others(tx, ada, STR("")));
    ck_assert_int_eq(find_kind(tx, secret), CALLER_NOBODY);
}

TX_TEST(a_session_of_a_disabled_user_is_nobodys)
{
    struct str user = make_user(tx, "ada");
    struct str secret, csrf;
    struct caller who;
    bool stale;
    struct buf agent;
    buf_init(&agent, tx->arena, (size_t)SESSION_AGENT_MAX * 2);
    while (agent.n < SESSION_AGENT_MAX - 1)
        buf_add_char(&agent, 'x');
    buf_add(&agent, STR("\xE2\x82\xAC and more")); /* would be cut in its middle */
    OK(tx, session_create(tx, user, PEER, buf_str(&agent), &secret, &csrf));
    OK(tx, session_find(tx, secret, &who, &stale));
    tx->now += US_PER_HOUR;
    OK(tx, session_prove(tx, who.session));
    OK(tx, session_find(tx, secret, &who, &stale));
    ck_assert_int_eq(who.proved, tx->now);
    OK(tx, sql_run(tx, "UPDATE users SET state = 'disabled' WHERE id = $1", V(user)));
    ck_assert_int_eq(find_kind(tx, secret), CALLER_NOBODY);
}

/* --- tokens --- */

static struct token token_for(struct tx *tx, const char *name, const char *scopes, struct str party)
{
    struct str *texts = NEW_N(tx->arena, struct str, 8);
    size_t count = 0;
    struct str rest = str_c(scopes);
    while (rest.n > 0)
        texts[count++] = str_cut(&rest, ' ');
    return (struct token){.name = str_c(name), .scopes = {texts, count}, .party = party};
}

TX_TEST(a_token_is_shown_once_and_found_by_its_hash)
{
    struct str party = make_operator(tx);
    struct str user = make_member(tx, "ada", party, "owner");
    struct caller session = by_session(user), who;
    struct token made, got;
    struct list list;
    bool stale = false;
    struct token fresh = token_for(tx, "report", "party:read self:read party:read", STR(""));
    OK(tx, token_create(tx, &session, &fresh, &made));
    ck_assert(str_starts(made.secret, STR("hse_")));
    ck_assert_uint_eq(made.secret.n, 4 + SECRET_N);
    OK(tx, token_find(tx, made.secret, &who, &stale));
    ck_assert_int_eq(who.kind, CALLER_TOKEN);
    SAME(who.user, user);
    SAME(who.token, made.id);
    SAME(who.party, STR(""));
    ck_assert_uint_eq(who.scopes, PERM_BIT(PERM_PARTY_READ) | PERM_BIT(PERM_SELF_READ));
    ck_assert(stale); /* never used */
    OK(tx, token_touch(tx, made.id));
    OK(tx, token_find(tx, made.secret, &who, &stale));
    ck_assert(!stale);
    OK(tx, token_get(tx, user, made.id, &got));
    SAME(got.secret, STR(""));
    ck_assert(!schema_has(&token_schema, &got, "secret"));
    ck_assert_uint_eq(got.scopes.count, 2);
    ck_assert_int_eq(got.used, tx->now);
    OK(tx, token_list(tx, user, &list));
    ck_assert_uint_eq(list.count, 1);
    OK(tx, token_delete(tx, user, made.id));
    OK(tx, token_find(tx, made.secret, &who, &stale));
    ck_assert_int_eq(who.kind, CALLER_NOBODY);
    FAILS(tx, RC_NOT_FOUND, NULL, token_delete(tx, user, made.id));
    FAILS(tx, RC_NOT_FOUND, NULL, token_get(tx, user, made.id, &got));
}

TX_TEST(secrets_that_are_none_find_nobody)
{
    struct str party = make_operator(tx);
    struct caller session = by_session(make_member(tx, "ada", party, "owner")), who;
    struct token made;
    bool stale;
    struct token fresh = token_for(tx, "t", "party:read", STR(""));
    OK(tx, token_create(tx, &session, &fresh, &made));
    for (size_t i = 0; i < made.secret.n; i++) {
        char *copy = arena_bytes(tx->arena, made.secret.n);
        memcpy(copy, made.secret.p, made.secret.n);
        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        OK(tx, token_find(tx, str_n(copy, made.secret.n), &who, &stale));
        ck_assert_int_eq(who.kind, CALLER_NOBODY);
        OK(tx, token_find(tx, str_sub(made.secret, 0, i), &who, &stale));
        ck_assert_int_eq(who.kind, CALLER_NOBODY);
    }
}

TX_TEST(a_token_ends_when_it_was_told_to)
{
    struct str party = make_operator(tx);
    struct str user = make_member(tx, "ada", party, "owner");
    struct caller session = by_session(user), who;
    struct token made;
    bool stale;
    struct token fresh = token_for(tx, "t", "party:read", STR(""));
    fresh.ends = tx->now;
    FAILS(tx, RC_INVALID, "/ends", token_create(tx, &session, &fresh, &made));
    fresh.ends = tx->now + US_PER_HOUR;
    OK(tx, token_create(tx, &session, &fresh, &made));
    tx->now = made.ends - 1;
    OK(tx, token_find(tx, made.secret, &who, &stale));
    ck_assert_int_eq(who.kind, CALLER_TOKEN);
    tx->now = made.ends;
    OK(tx, token_find(tx, made.secret, &who, &stale));
    ck_assert_int_eq(who.kind, CALLER_NOBODY);
    OK(tx, token_create(tx, &session, &(struct token){.name = STR("x"), .scopes = fresh.scopes},
                        &made));
    OK(tx, sql_run(tx, "UPDATE users SET state = 'disabled' WHERE id = $1", V(user)));
    OK(tx, token_find(tx, made.secret, &who, &stale));
    ck_assert_int_eq(who.kind, CALLER_NOBODY);
}

TX_TEST(a_token_does_not_live_on_in_one_that_it_made)
{
    struct str party = make_operator(tx);
    struct caller session = by_session(make_member(tx, "ada", party, "owner")), who;
    struct token maker, made;
    bool stale;
    struct token fresh = token_for(tx, "t", "self:write party:read", STR(""));
    fresh.ends = tx->now + US_PER_HOUR;
    OK(tx, token_create(tx, &session, &fresh, &maker));
    OK(tx, token_find(tx, maker.secret, &who, &stale));
    fresh.ends++;
    FAILS(tx, RC_INVALID, "/ends", token_create(tx, &who, &fresh, &made));
    fresh.ends = 0;
    OK(tx, token_create(tx, &who, &fresh, &made));
    ck_assert_int_eq(made.ends, maker.ends);
    fresh.ends = tx->now + 1;
    OK(tx, token_create(tx, &who, &fresh, &made));
    ck_assert_int_eq(made.ends, fresh.ends);
}

TX_TEST(a_token_that_is_bound_to_a_party_tells_of_that_membership_alone)
{
    struct str party = make_operator(tx);
    struct str other = make_party(tx, "Other", party);
    struct str user = make_member(tx, "ada", party, "reader");
    OK(tx, member_add(tx, other, user, STR("owner")));
    struct caller all = by_token(user, PERM_BIT(PERM_SELF_READ), STR(""));
    struct caller bound = by_token(user, PERM_BIT(PERM_SELF_READ), other);
    struct user u;
    OK(tx, user_of_caller(tx, &all, &u));
    ck_assert_uint_eq(u.memberships.count, 2);
    OK(tx, user_of_caller(tx, &bound, &u));
    ck_assert_uint_eq(u.memberships.count, 1);
    SAME(((const struct membership *)u.memberships.items)->party, other);
}

TX_TEST(a_token_never_goes_beyond_its_maker)
{
    struct str party = make_operator(tx);
    struct str other = make_party(tx, "Other", party);
    struct str user = make_member(tx, "ada", party, "reader");
    OK(tx, member_add(tx, other, user, STR("owner")));
    struct caller session = by_session(user);
    struct caller token = by_token(user, PERM_BIT(PERM_PARTY_READ), other);
    struct token made, fresh;
    fresh = token_for(tx, "t", "party:write", STR("")); /* held for the other party */
    OK(tx, token_create(tx, &session, &fresh, &made));
    fresh = token_for(tx, "t", "party:write", party);
    FAILS(tx, RC_FORBIDDEN, "/scopes/0", token_create(tx, &session, &fresh, &made));
    fresh = token_for(tx, "t", "party:read party:write", STR(""));
    FAILS(tx, RC_FORBIDDEN, "/scopes/1", token_create(tx, &token, &fresh, &made));
    fresh = token_for(tx, "t", "party:read", STR(""));
    OK(tx, token_create(tx, &token, &fresh, &made));
    SAME(made.party, other); /* as bound as its maker */
    fresh.party = party;
    FAILS(tx, RC_INVALID, "/party", token_create(tx, &token, &fresh, &made));
    fresh.party = STR("pty_none");
    FAILS(tx, RC_INVALID, "/party", token_create(tx, &session, &fresh, &made));
    fresh = token_for(tx, "t", "", STR(""));
    FAILS(tx, RC_INVALID, "/scopes", token_create(tx, &session, &fresh, &made));
    fresh = token_for(tx, "t", "party:rule", STR(""));
    FAILS(tx, RC_INVALID, "/scopes/0", token_create(tx, &session, &fresh, &made));
    fresh = token_for(tx, "", "party:read", STR(""));
    FAILS(tx, RC_INVALID, "/name", token_create(tx, &session, &fresh, &made));
    struct caller stranger = by_session(make_user(tx, "eve"));
    fresh = token_for(tx, "t", "self:read", STR(""));
    OK(tx, token_create(tx, &stranger, &fresh, &made)); /* one's own things are always one's own */
    FAILS(tx, RC_NOT_FOUND, NULL, token_get(tx, user, made.id, &fresh));
}

/* --- members: failures here are undone, so each step is a unit of work of its own --- */

struct step {
    struct caller who;
    struct str party;
    struct str user;
    struct str role;
};

static enum rc change(struct tx *tx, void *arg)
{
    const struct step *s = arg;
    struct membership m;
    return member_change(tx, &s->who, s->party, s->user, s->role, &m);
}

static enum rc remove_member(struct tx *tx, void *arg)
{
    const struct step *s = arg;
    return member_remove(tx, &s->who, s->party, s->user);
}

struct people {
    struct str party, owner, admin, sales;
};

static enum rc make_people(struct tx *tx, void *arg)
{
    struct people *p = arg;
    p->party = make_operator(tx);
    p->owner = make_member(tx, "owner", p->party, "owner");
    p->admin = make_member(tx, "admin", p->party, "admin");
    p->sales = make_member(tx, "sales", p->party, "sales");
    OK(tx, member_add(tx, p->party, p->sales, STR("billing"))); /* two roles at once */
    return RC_OK;
}

struct roles {
    struct str party;
    struct str user;
    struct str text; /* "admin billing" */
};

static enum rc read_roles(struct tx *tx, void *arg)
{
    struct roles *r = arg;
    struct list list;
    TRY(member_list(tx, r->party, &list));
    const struct membership *m = list.items;
    struct buf b;
    buf_init(&b, tx->arena, 256);
    for (size_t i = 0; i < list.count; i++)
        if (str_eq(m[i].user, r->user))
            buf_fmt(&b, "%s%.*s", b.n > 0 ? " " : "", STRF(m[i].role));
    r->text = buf_str(&b);
    return RC_OK;
}

static void check_roles(struct world *w, struct str party, struct str user, const char *want)
{
    struct roles r = {.party = party, .user = user};
    world_write(w, read_roles, &r, RC_OK);
    SAME(r.text, str_c(want));
}

START_TEST(the_last_owner_stays)
{
    struct world w;
    struct people p;
    world_open(&w);
    world_write(&w, make_people, &p, RC_OK);
    struct step s = {by_session(p.owner), p.party, p.owner, STR("admin")};
    world_write(&w, change, &s, RC_CONFLICT);
    world_write(&w, remove_member, &s, RC_CONFLICT);
    check_roles(&w, p.party, p.owner, "owner"); /* undone */
    s = (struct step){by_session(p.owner), p.party, p.admin, STR("owner")};
    world_write(&w, change, &s, RC_OK);
    s = (struct step){by_session(p.admin), p.party, p.owner, STR("reader")};
    world_write(&w, change, &s, RC_OK);
    check_roles(&w, p.party, p.owner, "reader");
    s = (struct step){by_session(p.admin), p.party, p.admin, STR("")};
    world_write(&w, remove_member, &s, RC_CONFLICT);
    world_close(&w);
}
END_TEST

START_TEST(roles_are_given_and_taken_by_those_above_only)
{
    struct world w;
    struct people p;
    world_open(&w);
    world_write(&w, make_people, &p, RC_OK);
    struct step s = {by_session(p.admin), p.party, p.owner, STR("reader")};
    world_write(&w, change, &s, RC_FORBIDDEN); /* nobody deposes an owner but an owner */
    world_write(&w, remove_member, &s, RC_FORBIDDEN);
    s = (struct step){by_session(p.admin), p.party, p.admin, STR("owner")};
    world_write(&w, change, &s, RC_FORBIDDEN); /* nor crowns itself */
    s = (struct step){by_session(p.sales), p.party, p.sales, STR("admin")};
    world_write(&w, change, &s, RC_FORBIDDEN);
    s = (struct step){by_session(p.admin), p.party, p.sales, STR("king")};
    world_write(&w, change, &s, RC_INVALID);
    s = (struct step){by_session(p.admin), p.party, STR("usr_none"), STR("reader")};
    world_write(&w, change, &s, RC_NOT_FOUND);
    world_write(&w, remove_member, &s, RC_NOT_FOUND);
    check_roles(&w, p.party, p.sales, "billing sales");
    s = (struct step){by_session(p.admin), p.party, p.sales, STR("reader")};
    world_write(&w, change, &s, RC_OK);
    check_roles(&w, p.party, p.sales, "reader"); /* one role in the place of two */
    s = (struct step){by_session(p.sales), p.party, p.sales, STR("")};
    world_write(&w, remove_member, &s, RC_OK); /* who leaves by itself needs no leave */
    check_roles(&w, p.party, p.sales, "");
    s = (struct step){by_session(p.owner), p.party, p.admin, STR("")};
    world_write(&w, remove_member, &s, RC_OK);
    world_close(&w);
}
END_TEST

TX_TEST(members_of_a_closed_party_stay_as_they_are)
{
    struct people p;
    struct party closed;
    struct membership m;
    OK(tx, make_people(tx, &p));
    struct str party = make_party(tx, "Client", p.party);
    struct str user = make_member(tx, "client", party, "owner");
    struct caller who = by_session(user);
    OK(tx, party_set_state(tx, party, PARTY_CLOSED, &closed));
    FAILS(tx, RC_CONFLICT, NULL, member_change(tx, &who, party, user, STR("owner"), &m));
    FAILS(tx, RC_CONFLICT, NULL, member_remove(tx, &who, party, user));
    OK(tx, permission_allow(tx, &who, PERM_PARTY_READ, party));
    FAILS(tx, RC_CONFLICT, NULL, member_add(tx, p.party, p.owner, STR("owner"))); /* twice */
}

Suite *users_suite(void);
Suite *users_suite(void)
{
    Suite *s = suite_create("users");
    TCase *c = tcase_create("users");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, one_address_is_one_user_whatever_its_case);
    tcase_add_test(c, a_user_changes_name_language_and_zone);
    tcase_add_test(c, a_password_is_verified_by_its_hash_alone);
    tcase_add_test(c, an_unknown_user_costs_a_hash_and_is_never_right);
    tcase_add_test(c, weak_passwords_are_refused_with_a_reason);
    tcase_add_test(c, sha1_gives_the_digests_of_rfc_3174);
    tcase_add_test(c, hmac_gives_the_codes_of_rfc_2202);
    tcase_add_test(c, totp_gives_the_codes_of_rfc_6238);
    tcase_add_test(c, a_code_is_good_one_step_around_and_once);
    tcase_add_test(c, base32_gives_the_texts_of_rfc_4648);
    tcase_add_test(c, a_second_factor_is_confirmed_used_once_a_step_and_removed);
    tcase_add_test(c, a_login_finds_the_user_in_any_case_and_nobody_else);
    tcase_add_test(c, a_login_that_was_overtaken_by_a_change_fails);
    tcase_add_test(c, failures_slow_down_more_and_more_and_are_forgotten);
    tcase_add_test(c, many_addresses_together_are_slowed_down_too);
    tcase_add_test(c, a_session_is_found_by_its_secret_until_it_ends);
    tcase_add_test(c, a_session_ends_when_idle_and_at_the_latest_after_its_term);
    tcase_add_test(c, sessions_are_listed_ended_and_bounded);
    tcase_add_test(c, a_session_of_a_disabled_user_is_nobodys);
    tcase_add_test(c, a_token_is_shown_once_and_found_by_its_hash);
    tcase_add_test(c, the_store_keeps_a_second_factor_sealed);
    tcase_add_test(c, a_second_factor_from_before_there_was_a_key_still_counts);
    tcase_add_test(c, secrets_that_are_none_find_nobody);
    tcase_add_test(c, a_token_ends_when_it_was_told_to);
    tcase_add_test(c, a_token_does_not_live_on_in_one_that_it_made);
    tcase_add_test(c, a_token_that_is_bound_to_a_party_tells_of_that_membership_alone);
    tcase_add_test(c, a_token_never_goes_beyond_its_maker);
    tcase_add_test(c, the_last_owner_stays);
    tcase_add_test(c, roles_are_given_and_taken_by_those_above_only);
    tcase_add_test(c, members_of_a_closed_party_stay_as_they_are);
    suite_add_tcase(s, c);
    return s;
}
