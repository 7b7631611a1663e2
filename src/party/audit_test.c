#include "party/audit.h"

#include "party/party_fixture.h"

static void put(struct tx *tx, const char *party, const char *action, const char *subject)
{
    struct audit entry = {.user = STR("usr_1"),
                          .party = str_c(party),
                          .action = str_c(action),
                          .subject = str_c(subject),
                          .before = STR("{\"name\":\"a\"}"),
                          .after = STR("{\"name\":\"b\"}"),
                          .address = STR("192.0.2.1"),
                          .request = STR("req_1")};
    tx->now += US_PER_SECOND;
    OK(tx, audit_put(tx, &entry));
}

static size_t count(struct tx *tx, const struct audit_query *q)
{
    struct page page;
    OK(tx, audit_list(tx, STR("pty_a"), q, &page));
    return page.items.count;
}

TX_TEST(entries_are_kept_whole_and_listed_newest_first)
{
    struct page page;
    put(tx, "pty_a", "party_change", "pty_a");
    put(tx, "pty_a", "brand_change", "pty_a");
    put(tx, "pty_b", "party_change", "pty_b");
    OK(tx, audit_list(tx, STR("pty_a"), &(struct audit_query){0}, &page));
    ck_assert_uint_eq(page.items.count, 2);
    const struct audit *entries = page.items.items;
    SAME(entries[0].action, STR("brand_change"));
    SAME(entries[1].action, STR("party_change"));
    ck_assert_int_eq(entries[1].at, WORLD_START + US_PER_SECOND);
    ck_assert(id_is(entries[1].id, "aud"));
    SAME(entries[1].before, STR("{\"name\":\"a\"}"));
    SAME(entries[1].address, STR("192.0.2.1"));
    SAME(entries[1].token, STR(""));
    struct buf b;
    struct json_writer w;
    buf_init(&b, tx->arena, 4096);
    json_writer_init(&w, &b);
    schema_encode(&audit_schema, &entries[1], &w);
    ck_assert(str_has(buf_str(&b), STR("\"before\":{\"name\":\"a\"}"))); /* JSON, not text */
}

TX_TEST(filters_find_what_they_say)
{
    for (int i = 0; i < 3; i++)
        put(tx, "pty_a", "party_change", i == 0 ? "pty_x" : "pty_a");
    put(tx, "pty_a", "member_change", "usr_2");
    time_us start = WORLD_START + US_PER_SECOND; /* of the first entry */
    ck_assert_uint_eq(count(tx, &(struct audit_query){.subject = STR("pty_a")}), 2);
    ck_assert_uint_eq(count(tx, &(struct audit_query){.action = STR("member_change")}), 1);
    ck_assert_uint_eq(count(tx, &(struct audit_query){.user = STR("usr_1")}), 4);
    ck_assert_uint_eq(count(tx, &(struct audit_query){.user = STR("usr_2")}), 0);
    ck_assert_uint_eq(count(tx, &(struct audit_query){.since = start + 1}), 3);
    ck_assert_uint_eq(count(tx, &(struct audit_query){.until = start + US_PER_SECOND}), 1);
    ck_assert_uint_eq(count(tx, &(struct audit_query){.page = {.limit = 2}}), 2);
    struct page page;
    struct audit_query q = {.page = {.sort = {(struct str[]){STR("before")}, 1}}};
    FAILS(tx, RC_INVALID, "/sort", audit_list(tx, STR("pty_a"), &q, &page));
}

Suite *audit_suite(void);
Suite *audit_suite(void)
{
    Suite *s = suite_create("audit");
    TCase *c = tcase_create("audit");
    tcase_add_test(c, entries_are_kept_whole_and_listed_newest_first);
    tcase_add_test(c, filters_find_what_they_say);
    suite_add_tcase(s, c);
    return s;
}
