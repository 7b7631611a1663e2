#include "party/party.h"

#include "party/email.h"
#include "party/party_fixture.h"
#include "party/patch.h"

static const struct party valid = {
    .name = STR_INIT("Nord Cloud"),
    .email = STR_INIT("Billing@Nord.EXAMPLE"),
    .phone = STR_INIT("+33 (0)1.23-45/67"),
    .address = {.city = STR_INIT("Paris"), .country = STR_INIT("FR")},
    .bank = {.iban = STR_INIT("fr14 2004 1010 0505 0001 3m02 606"), .bic = STR_INIT("psstfrppxxx")},
    .currency = STR_INIT("EUR"),
    .language = STR_INIT("fr"),
    .time_zone = STR_INIT("Europe/Paris"),
};

/* Decoded as the API does, over the body of a request. */
static struct party decode(struct tx *tx, enum schema_mode mode, const char *text)
{
    const struct json *json;
    struct party p;
    OK(tx, json_parse(str_c(text), tx->arena, &json, tx->err));
    OK(tx, schema_decode(&party_schema, mode, json, tx->arena, &p, tx->err));
    return p;
}

static struct str encode(struct tx *tx, const struct party *p)
{
    return schema_str(&party_schema, p, 65536, tx->arena);
}

TX_TEST(a_party_reads_back_as_it_was_made_in_one_spelling)
{
    struct str sponsor = make_operator(tx);
    struct party made, got;
    struct party fresh = valid;
    struct tax_id ids[] = {{.scheme = STR("vat"), .value = STR("fr 40 303 265 045")},
                           {.scheme = STR("siren"), .value = STR("303265045")}};
    fresh.tax_ids = (struct list){ids, COUNT(ids)};
    OK(tx, party_create(tx, &fresh, sponsor, &made));
    OK(tx, party_get(tx, made.id, &got));
    SAME(encode(tx, &got), encode(tx, &made));
    ck_assert(id_is(got.id, "pty"));
    ck_assert_int_eq(got.version, 1);
    ck_assert_int_eq(got.created, WORLD_START);
    SAME(got.email, STR("Billing@nord.example"));
    SAME(got.bank.iban, STR("FR1420041010050500013M02606"));
    SAME(got.bank.bic, STR("PSSTFRPPXXX"));
    SAME(got.sponsor, sponsor);
    ck_assert_uint_eq(got.tax_ids.count, 2);
    SAME(((const struct tax_id *)got.tax_ids.items)[0].scheme, STR("siren"));
    SAME(((const struct tax_id *)got.tax_ids.items)[1].value, STR("FR40303265045"));
    ck_assert_uint_eq(ids[0].set, 0); /* what was handed in is left alone */
}

TX_TEST(what_is_missing_comes_from_the_sponsor)
{
    struct str operator_party = make_operator(tx);
    struct party sponsor, client;
    struct party fresh = valid;
    fresh.currency = STR("CHF");
    OK(tx, party_create(tx, &fresh, operator_party, &sponsor));
    struct party little = {.name = STR("Little"), .address = {.country = STR("CH")}};
    OK(tx, party_create(tx, &little, sponsor.id, &client));
    SAME(client.currency, STR("CHF"));
    SAME(client.language, STR("fr"));
    SAME(client.time_zone, STR("Europe/Paris"));
    ck_assert_int_eq(client.kind, PARTY_COMPANY);
    FAILS(tx, RC_NOT_FOUND, NULL, party_create(tx, &little, STR("pty_none"), &client));
}

TX_TEST(there_is_one_operator_and_it_is_found)
{
    struct party p;
    FAILS(tx, RC_NOT_FOUND, NULL, party_operator(tx, &p));
    struct str id = make_operator(tx);
    (void)make_party(tx, "Other", id);
    OK(tx, party_operator(tx, &p));
    SAME(p.id, id);
    FAILS(tx, RC_CONFLICT, NULL, party_create(tx, &valid, STR(""), &p));
}

/* One field wrong at a time. */
struct wrong {
    const char *pointer;
    struct party party;
};

static void check_wrong(struct tx *tx, const struct wrong *w, struct str sponsor)
{
    struct party ret = {.id = STR("untouched")};
    struct party fresh = valid;
    patch_lay(&party_schema, &fresh, &w->party);
    err_clear(tx->err);
    enum rc rc = party_create(tx, &fresh, sponsor, &ret);
    ck_assert_msg(rc == RC_INVALID, "%s: %s", w->pointer, rc_slug(rc));
    ck_assert_str_eq(tx->err->pointer, w->pointer);
    SAME(ret.id, STR("untouched"));
}

TX_TEST(each_wrong_field_is_blamed_by_its_pointer)
{
    static const struct {
        const char *pointer;
        const char *body;
    } all[] = {
        {"/bank/iban", "{\"bank\":{\"iban\":\"FR1420041010050500013M02607\"}}"},
        {"/bank/iban", "{\"bank\":{\"iban\":\"12\"}}"},
        {"/bank/bic", "{\"bank\":{\"bic\":\"PSST1RPP\"}}"},
        {"/currency", "{\"currency\":\"EUX\"}"},
        {"/language", "{\"language\":\"french\"}"},
        {"/language", "{\"language\":\"FR\"}"},
        {"/language", "{\"language\":\"fr-\"}"},
        {"/language", "{\"language\":\"fr-fr\"}"},
        {"/language", "{\"language\":\"zh-Hant-T\"}"},
        {"/time_zone", "{\"time_zone\":\"Europe/Atlantis\"}"},
        {"/time_zone", "{\"time_zone\":\"../../etc/passwd\"}"},
        {"/address/country", "{\"address\":{\"country\":\"XX\"}}"},
        {"/address/country", "{\"address\":{\"country\":\"fr\"}}"},
        {"/email", "{\"email\":\"nobody\"}"},
        {"/email", "{\"email\":\"a@b\"}"},
        {"/phone", "{\"phone\":\"call me\"}"},
        {"/phone", "{\"phone\":\"+++\"}"},
        {"/tax_ids/0/value", "{\"tax_ids\":[{\"scheme\":\"vat\",\"value\":\"FR1\"}]}"},
        {"/tax_ids/0/scheme", "{\"tax_ids\":[{\"scheme\":\"VAT\",\"value\":\"FR40303265045\"}]}"},
        {"/tax_ids/1/value", "{\"tax_ids\":[{\"scheme\":\"siren\",\"value\":\"303265045\"},"
                             "{\"scheme\":\"siret\",\"value\":\"30326504500018\"}]}"},
        {"/tax_ids/1/scheme", "{\"tax_ids\":[{\"scheme\":\"ab\",\"value\":\"1\"},"
                              "{\"scheme\":\"ab\",\"value\":\"2\"}]}"},
        {"/tax_ids/0/value", "{\"tax_ids\":[{\"scheme\":\"siren\",\"value\":\"303265046\"}]}"},
        {"/tax_ids/0/value", "{\"tax_ids\":[{\"scheme\":\"siren\",\"value\":\"30326504\"}]}"},
        {"/tax_ids/0/value",
         "{\"tax_ids\":[{\"scheme\":\"uscc\",\"value\":\"91350100M000100Y44\"}]}"},
        {"/tax_ids/0/value", "{\"tax_ids\":[{\"scheme\":\"other\",\"value\":\"\xC3\xA9\"}]}"},
    };
    struct str sponsor = make_operator(tx);
    for (size_t i = 0; i < COUNT(all); i++) {
        struct wrong w = {all[i].pointer, decode(tx, SCHEMA_PATCH, all[i].body)};
        check_wrong(tx, &w, sponsor);
    }
    struct party p;
    struct party none = valid;
    none.address.country = STR("");
    FAILS(tx, RC_INVALID, "/address/country", party_create(tx, &none, sponsor, &p));
    none = valid;
    /* NOLINTBEGIN(misc-misleading-bidirectional): these are the signs that are refused. */
    static const char *const names[] = {"two\nlines", " ", "  \t", "a\xE2\x80\xAEk",
                                        ("\xE2\x81\xA6"
                                         "Bank")};
    /* NOLINTEND(misc-misleading-bidirectional) */
    for (size_t i = 0; i < COUNT(names); i++) {
        none.name = str_c(names[i]);
        FAILS(tx, RC_INVALID, "/name", party_create(tx, &none, sponsor, &p));
    }
    none.name = STR("L\xE2\x80\x99Ouest"); /* a neighbour of those signs */
    OK(tx, party_create(tx, &none, sponsor, &p));
}

TX_TEST(numbers_of_registers_that_check_are_taken)
{
    static const char *const good[][2] = {
        {"siren", "732829320"},         {"siret", "73282932000074"},
        {"siret", "35600000049837"}, /* La Poste, by its own rule */
        {"uscc", "91350100M000100Y43"}, {"other_1", "AB-12/3.4"},
    };
    struct str sponsor = make_operator(tx);
    for (size_t i = 0; i < COUNT(good); i++) {
        struct party p;
        struct party fresh = valid;
        struct tax_id id = {.scheme = str_c(good[i][0]), .value = str_c(good[i][1])};
        fresh.tax_ids = (struct list){&id, 1};
        OK(tx, party_create(tx, &fresh, sponsor, &p));
    }
}

TX_TEST(languages_of_the_usual_forms_are_taken)
{
    static const char *const good[] = {"en", "fr", "zh-CN", "zh-Hant", "zh-Hant-TW", "gsw"};
    struct str sponsor = make_operator(tx);
    for (size_t i = 0; i < COUNT(good); i++) {
        struct party p;
        struct party fresh = valid;
        fresh.language = str_c(good[i]);
        OK(tx, party_create(tx, &fresh, sponsor, &p));
    }
}

TX_TEST(a_change_touches_what_is_named_and_nothing_else)
{
    struct str sponsor = make_operator(tx);
    struct party p, after;
    struct party fresh = decode(tx, SCHEMA_WHOLE,
                                "{\"name\":\"A\",\"legal_name\":\"A SA\",\"taxable\":true,"
                                "\"address\":{\"country\":\"FR\",\"city\":\"Paris\"},"
                                "\"tax_ids\":[{\"scheme\":\"siren\",\"value\":\"732829320\"}]}");
    OK(tx, party_create(tx, &fresh, sponsor, &p));
    struct party patch =
        decode(tx, SCHEMA_PATCH, "{\"address\":{\"city\":\"Lyon\"},\"legal_name\":null}");
    tx->now += US_PER_DAY;
    OK(tx, party_change(tx, p.id, 1, &patch, &after));
    SAME(after.address.city, STR("Lyon"));
    SAME(after.address.country, STR("FR"));
    SAME(after.legal_name, STR(""));
    SAME(after.name, STR("A"));
    ck_assert(after.taxable);
    ck_assert_uint_eq(after.tax_ids.count, 1);
    ck_assert_int_eq(after.version, 2);
    ck_assert_int_eq(after.changed, WORLD_START + US_PER_DAY);
    ck_assert_int_eq(after.created, WORLD_START);
    OK(tx, party_get(tx, p.id, &p));
    SAME(encode(tx, &p), encode(tx, &after));
    patch = decode(tx, SCHEMA_PATCH, "{\"tax_ids\":[],\"taxable\":false}");
    OK(tx, party_change(tx, p.id, 0, &patch, &after));
    ck_assert_uint_eq(after.tax_ids.count, 0);
    ck_assert(!after.taxable);
    patch = decode(tx, SCHEMA_PATCH, "{\"currency\":null}");
    FAILS(tx, RC_INVALID, "/currency", party_change(tx, p.id, 0, &patch, &after));
}

TX_TEST(a_version_that_is_past_is_told_so)
{
    struct str id = make_party(tx, "A", make_operator(tx));
    struct party patch = decode(tx, SCHEMA_PATCH, "{\"name\":\"B\"}");
    struct party p;
    OK(tx, party_change(tx, id, 1, &patch, &p));
    FAILS(tx, RC_CHANGED, NULL, party_change(tx, id, 1, &patch, &p));
    FAILS(tx, RC_CHANGED, NULL, party_change(tx, id, 9, &patch, &p));
    FAILS(tx, RC_NOT_FOUND, NULL, party_change(tx, STR("pty_none"), 0, &patch, &p));
    OK(tx, party_change(tx, id, 2, &patch, &p));
}

TX_TEST(nothing_is_changed_for_a_closed_party)
{
    struct str operator_party = make_operator(tx);
    struct str id = make_party(tx, "A", operator_party);
    struct party patch = decode(tx, SCHEMA_PATCH, "{\"name\":\"B\"}");
    struct party p;
    OK(tx, party_set_state(tx, id, PARTY_CLOSED, &p));
    ck_assert_int_eq(p.state, PARTY_CLOSED);
    ck_assert_int_eq(p.version, 2);
    OK(tx, party_set_state(tx, id, PARTY_CLOSED, &p)); /* once more is no change */
    ck_assert_int_eq(p.version, 2);
    FAILS(tx, RC_CONFLICT, NULL, party_change(tx, id, 0, &patch, &p));
    FAILS(tx, RC_CONFLICT, NULL, party_create(tx, &valid, id, &p));
    OK(tx, party_get(tx, id, &p));
    OK(tx, party_set_state(tx, id, PARTY_ACTIVE, &p));
    OK(tx, party_change(tx, id, 3, &patch, &p));
    FAILS(tx, RC_CONFLICT, NULL, party_set_state(tx, operator_party, PARTY_CLOSED, &p));
    FAILS(tx, RC_NOT_FOUND, NULL, party_set_state(tx, STR("pty_none"), PARTY_CLOSED, &p));
}

TX_TEST(what_was_done_is_told_to_those_who_listen)
{
    struct str id = make_party(tx, "A", make_operator(tx));
    struct party patch = decode(tx, SCHEMA_PATCH, "{\"name\":\"B\",\"phone\":null}");
    struct party p;
    OK(tx, party_change(tx, id, 0, &patch, &p));
    struct rows rows;
    OK(tx,
       sql_rows(tx, &rows, "SELECT topic, body FROM outbox WHERE party = $1 ORDER BY id", V(id)));
    ck_assert_uint_eq(rows.count, 2);
    SAME(row_str(&rows, 0, 0), STR("event.party.created"));
    SAME(row_str(&rows, 1, 0), STR("event.party.changed"));
    SAME(row_str(&rows, 1, 1), arena_fmt(tx->arena,
                                         "{\"id\":\"%.*s\",\"resource\":\"party\",\"version\":2,"
                                         "\"changed\":[\"name\",\"phone\"]}",
                                         STRF(id)));
}

/* --- lists --- */

static size_t count_listed(struct tx *tx, const struct caller *who, const struct party_query *q)
{
    struct party_query query = *q;
    size_t count = 0;
    do {
        struct page page;
        OK(tx, party_list(tx, who, &query, &page));
        const struct party *parties = page.items.items;
        for (size_t i = 0; i < page.items.count; i++, count++)
            OK(tx, permission_allow(tx, who, PERM_PARTY_READ, parties[i].id));
        query.page.after = page.next;
    } while (query.page.after.n > 0);
    return count;
}

/* The list shows a party exactly where permission_allow says yes: two ways to one answer. */
TX_TEST(a_list_shows_exactly_what_may_be_read)
{
    struct str operator_party = make_operator(tx);
    struct str reseller = make_party(tx, "Reseller", operator_party);
    struct str all[12] = {operator_party, reseller};
    for (size_t i = 2; i < COUNT(all); i++)
        all[i] = make_party(tx, i % 2 ? "Odd" : "Even", i % 3 ? reseller : operator_party);
    struct str seller = make_member(tx, "seller", reseller, "owner");
    struct str both = make_member(tx, "both", all[3], "reader");
    OK(tx, member_add(tx, reseller, both, STR("billing")));
    uint64_t read = PERM_BIT(PERM_PARTY_READ);
    uint64_t clients = PERM_BIT(PERM_CLIENT_READ);
    const struct caller callers[] = {
        by_session(make_member(tx, "op", operator_party, "owner")),
        by_session(seller),
        by_session(both),
        by_session(make_member(tx, "client", all[5], "reader")),
        by_session(make_user(tx, "alone")),
        by_token(seller, read, STR("")),
        by_token(seller, clients, STR("")),
        by_token(seller, read | clients, reseller),
        by_token(seller, clients, reseller),
        by_token(seller, read, reseller),
        by_token(seller, 0, STR("")),
        by_token(both, PERM_ALL, all[3]),
        by_token(both, PERM_ALL, all[5]),
    };
    for (size_t i = 0; i < COUNT(callers); i++) {
        size_t want = 0;
        for (size_t k = 0; k < COUNT(all); k++)
            want += permission_allow(tx, &callers[i], PERM_PARTY_READ, all[k]) == RC_OK;
        const struct party_query q = {.page = {.limit = 3}};
        size_t got = count_listed(tx, &callers[i], &q);
        ck_assert_msg(got == want, "caller %zu sees %zu, wanted are %zu", i, got, want);
    }
    struct page page;
    struct caller nobody = {.kind = CALLER_NOBODY};
    FAILS(tx, RC_UNAUTHENTICATED, NULL, party_list(tx, &nobody, &(struct party_query){0}, &page));
}

static size_t count_query(struct tx *tx, const struct caller *who, const struct pair *pairs,
                          size_t count)
{
    struct party_query q;
    OK(tx, schema_decode_pairs(&party_query_schema, pairs, count, tx->arena, &q, tx->err));
    return count_listed(tx, who, &q);
}

#define PAIR(name, value) ((struct pair){STR(name), STR(value)})
#define LISTED(...)                                           \
    count_query(tx, &who, (const struct pair[]){__VA_ARGS__}, \
                sizeof((const struct pair[]){__VA_ARGS__}) / sizeof(struct pair))

TX_TEST(filters_and_sorts_of_the_list_do_what_they_say)
{
    struct str operator_party = make_operator(tx);
    struct caller who = by_session(make_member(tx, "op", operator_party, "owner"));
    static const char *const names[] = {"100 % \xC3\x89t\xC3\xA9", "100_", "Nord", "nordic",
                                        "x\\y"};
    struct party p;
    struct party fresh = valid;
    for (size_t i = 0; i < COUNT(names); i++) {
        fresh.name = str_c(names[i]);
        fresh.kind = i % 2 ? PARTY_PERSON : PARTY_COMPANY;
        fresh.address.country = i < 2 ? STR("DE") : STR("FR");
        OK(tx, party_create(tx, &fresh, operator_party, &p));
    }
    OK(tx, party_set_state(tx, p.id, PARTY_CLOSED, &p));
    ck_assert_uint_eq(LISTED(PAIR("kind", "person")), 2);
    ck_assert_uint_eq(LISTED(PAIR("state", "closed")), 1);
    ck_assert_uint_eq(LISTED(PAIR("country", "DE")), 2);
    ck_assert_uint_eq(LISTED(PAIR("q", "NORD")), 2);
    ck_assert_uint_eq(LISTED(PAIR("q", "100_")), 1); /* signs of LIKE are letters */
    ck_assert_uint_eq(LISTED(PAIR("q", "%")), 1);
    ck_assert_uint_eq(LISTED(PAIR("q", "\\")), 1);
    ck_assert_uint_eq(LISTED(PAIR("q", "\xC3\x89t\xC3\xA9")), 1);
    ck_assert_uint_eq(LISTED(PAIR("q", "nord"), PAIR("kind", "person")), 1);
    ck_assert_uint_eq(LISTED(PAIR("limit", "2"), PAIR("sort", "-name,created")), 6);
    struct pair sponsor = {STR("sponsor"), operator_party};
    ck_assert_uint_eq(count_query(tx, &who, &sponsor, 1), 5);
    struct page page;
    struct party_query q = {.page = {.sort = {(struct str[]){STR("name")}, 1}}};
    OK(tx, party_list(tx, &who, &q, &page));
    ck_assert_uint_eq(page.items.count, 6);
    SAME(((const struct party *)page.items.items)[2].name, STR("Nord"));
    q.page.sort.items = (struct str[]){STR("iban")};
    FAILS(tx, RC_INVALID, "/sort", party_list(tx, &who, &q, &page));
}

/* --- e-mail addresses and host names --- */

START_TEST(addresses_are_taken_and_refused_by_the_rules)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: refused */
    } cases[] = {
        {"ada@example.net", "ada@example.net"},
        {"Ada.L+x_y@Sub.EXAMPLE.Net", "Ada.L+x_y@sub.example.net"},
        {"o'neil@a-b.co", "o'neil@a-b.co"},
        {"1@2.3", "1@2.3"},
        {"", NULL},
        {"@", NULL},
        {"ada", NULL},
        {"ada@", NULL},
        {"@example.net", NULL},
        {"ada@example", NULL},
        {"ada@example.net.", NULL},
        {"ada@.example.net", NULL},
        {"ada@exa..mple.net", NULL},
        {"ada@-example.net", NULL},
        {"ada@example-.net", NULL},
        {"ada@exa_mple.net", NULL},
        {".ada@example.net", NULL},
        {"ada.@example.net", NULL},
        {"a..da@example.net", NULL},
        {"a da@example.net", NULL},
        {"ada@example.net ", NULL},
        {"ada@example.net\n", NULL},
        {"ada@bob@example.net", NULL},
        {"\"ada\"@example.net", NULL},
        {"ada@[127.0.0.1]", NULL},
        {"ada,bob@example.net", NULL},
        {"\xC3\xA9va@example.net", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.net", NULL},
    };
    struct arena arena;
    arena_init(&arena, 65536);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err;
        struct str got = STR("untouched");
        enum rc rc = email_parse(str_c(cases[i].text), &arena, &got, &err);
        ck_assert_msg((rc == RC_OK) == (cases[i].want != NULL), "%s", cases[i].text);
        SAME(got, cases[i].want ? str_c(cases[i].want) : STR("untouched"));
    }
    arena_fini(&arena);
}
END_TEST

START_TEST(a_sender_never_brings_a_header_of_its_own)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: refused */
    } cases[] = {
        {"Nord Cloud <hello@Example.net>", "Nord Cloud <hello@example.net>"},
        {"  \xC3\x89t\xC3\xA9 &  Co.  <a@b.co>", "\xC3\x89t\xC3\xA9 &  Co. <a@b.co>"},
        {"hello@example.net", "hello@example.net"},
        {"Nord\r\nBcc: all@example.net <a@b.co>", NULL},
        {"Nord <a@b.co>\r\nBcc: x@y.zz", NULL},
        {"Nord <a@b.co> <c@d.ee>", NULL},
        {"\"Nord\" <a@b.co>", NULL},
        {"Nord, Sud <a@b.co>", NULL},
        {"<a@b.co>", NULL},
        {"Nord <a@b>", NULL},
        {"Nord <", NULL},
    };
    struct arena arena;
    arena_init(&arena, 65536);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err;
        struct str got = STR("untouched");
        enum rc rc = email_parse_sender(str_c(cases[i].text), &arena, &got, &err);
        ck_assert_msg((rc == RC_OK) == (cases[i].want != NULL), "%s", cases[i].text);
        SAME(got, cases[i].want ? str_c(cases[i].want) : STR("untouched"));
    }
    arena_fini(&arena);
}
END_TEST

Suite *party_suite(void);
Suite *party_suite(void)
{
    Suite *s = suite_create("party");
    TCase *c = tcase_create("party");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_party_reads_back_as_it_was_made_in_one_spelling);
    tcase_add_test(c, what_is_missing_comes_from_the_sponsor);
    tcase_add_test(c, there_is_one_operator_and_it_is_found);
    tcase_add_test(c, each_wrong_field_is_blamed_by_its_pointer);
    tcase_add_test(c, numbers_of_registers_that_check_are_taken);
    tcase_add_test(c, languages_of_the_usual_forms_are_taken);
    tcase_add_test(c, a_change_touches_what_is_named_and_nothing_else);
    tcase_add_test(c, a_version_that_is_past_is_told_so);
    tcase_add_test(c, nothing_is_changed_for_a_closed_party);
    tcase_add_test(c, what_was_done_is_told_to_those_who_listen);
    tcase_add_test(c, a_list_shows_exactly_what_may_be_read);
    tcase_add_test(c, filters_and_sorts_of_the_list_do_what_they_say);
    tcase_add_test(c, addresses_are_taken_and_refused_by_the_rules);
    tcase_add_test(c, a_sender_never_brings_a_header_of_its_own);
    suite_add_tcase(s, c);
    return s;
}
