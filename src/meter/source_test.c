/*
 * Whose a source is: by its own name, by the operator's word, and nobody else's.
 */
#include "meter/meter_fixture.h"
#include "meter/source.h"

struct reporters {
    struct metered m;
    struct str pop;
    struct str other;
    struct usage_record record; /* of what pop produces */
};

static void make_reporters(struct tx *tx, struct reporters *r)
{
    struct subscription s;
    metered_make(tx, 1, tx->arena, &r->m);
    r->pop = make_party(tx, "Pop", r->m.op);
    r->other = make_party(tx, "Other", r->m.op);
    struct subscription fresh = {
        .agreement = r->m.agreement, .plan = r->m.plan, .quantity = STR("1"), .producer = r->pop};
    OK(tx, subscription_create(tx, &fresh, &s));
    r->record = (struct usage_record){.id = STR("a"),
                                      .subscription = s.id,
                                      .meter = r->m.meters[METER_SUM],
                                      .from = WORLD_START,
                                      .until = WORLD_START + US_PER_HOUR,
                                      .quantity = {5, 0}};
}

static struct str own(struct tx *tx, struct str party, const char *name)
{
    return arena_fmt(tx->arena, USAGE_SOURCE_OWN "%.*s:%s", STRF(party), name);
}

static struct usage_source bind(struct tx *tx, struct str by, struct str source, struct str party)
{
    struct usage_source made;
    struct usage_source fresh = {.source = source, .party = party};
    OK(tx, usage_source_bind(tx, by, &fresh, &made));
    return made;
}

static enum rc try_bind(struct tx *tx, struct str by, struct str source, struct str party)
{
    struct usage_source made;
    struct usage_source fresh = {.source = source, .party = party};
    return usage_source_bind(tx, by, &fresh, &made);
}

static enum rc report(struct tx *tx, const struct reporters *r, struct str party, struct str source)
{
    struct usage_report report;
    return usage_take(tx, party, source, &r->record, 1, &report);
}

TX_TEST(a_name_that_names_a_party_is_that_partys_alone)
{
    struct reporters r;
    struct str party;
    make_reporters(tx, &r);
    struct str name = own(tx, r.pop, "node7");
    FAILS(tx, RC_INVALID, "/source", report(tx, &r, r.other, name));
    FAILS(tx, RC_INVALID, "/source",
          report(tx, &r, r.m.op, name)); /* not the operator's to begin */
    OK(tx, report(tx, &r, r.pop, name));
    OK(tx, usage_source_party(tx, name, &party));
    SAME(party, r.pop);
    FAILS(tx, RC_INVALID, "/source", report(tx, &r, r.other, name));
    ck_assert(str_has(err_text(tx->err), STR("reports for another party")));
    OK(tx, report(tx, &r, r.m.op, name)); /* who answers for all of it */
    FAILS(tx, RC_INVALID, "/source", try_bind(tx, r.m.op, name, r.other));
}

TX_TEST(no_name_looks_like_another_partys)
{
    struct reporters r;
    make_reporters(tx, &r);
    const struct str names[] = {
        STR("urn:hanse:"),
        STR("urn:hanse:node7"),
        STR("URN:hanse:node7"),
        str_sub(own(tx, r.pop, "x"), 0, sizeof USAGE_SOURCE_OWN - 1 + r.pop.n), /* no name */
        own(tx, r.pop, ""),
        arena_fmt(tx->arena, USAGE_SOURCE_OWN "%.*s7:x", STRF(r.pop)),
        own(tx, r.other, "x"),
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        FAILS(tx, RC_INVALID, "/source", report(tx, &r, r.pop, names[i]));
        FAILS(tx, RC_INVALID, "/source", try_bind(tx, r.pop, names[i], STR("")));
        FAILS(tx, RC_INVALID, "/source", try_bind(tx, r.m.op, names[i], r.pop));
    }
}

TX_TEST(a_free_name_is_nobodys_until_the_operator_binds_it)
{
    struct reporters r;
    make_reporters(tx, &r);
    struct str name = STR("urn:pop:par1:node7");
    FAILS(tx, RC_INVALID, "/source", report(tx, &r, r.pop, name));
    FAILS(tx, RC_INVALID, "/source", try_bind(tx, r.pop, name, STR("")));
    FAILS(tx, RC_INVALID, "/source", try_bind(tx, r.pop, name, r.other));
    SAME(bind(tx, r.m.op, name, r.pop).party, r.pop);
    FAILS(tx, RC_INVALID, "/source", report(tx, &r, r.other, name));
    OK(tx, report(tx, &r, r.pop, name));
    /* The server is sold: its records stay, and the old owner reports no more. */
    (void)bind(tx, r.m.op, name, r.other);
    FAILS(tx, RC_INVALID, "/source", report(tx, &r, r.pop, name));
    FAILS(tx, RC_INVALID, "/0/subject",
          report(tx, &r, r.other, name)); /* its source, not its sub */
    FAILS(tx, RC_NOT_FOUND, NULL,
          try_bind(tx, r.m.op, name, STR("pty_00000000000000000000000000")));
    FAILS(tx, RC_INVALID, "/source", try_bind(tx, r.m.op, STR("a b"), r.pop));
    OK(tx, report(tx, &r, r.m.op, STR("urn:of:the:operator")));
}

TX_TEST(what_is_bound_before_its_first_record_counts_as_it_then_does)
{
    struct reporters r;
    make_reporters(tx, &r);
    struct str name = own(tx, r.pop, "node");
    SAME(bind(tx, r.pop, name, STR("")).party, r.pop);
    SAME(bind(tx, r.pop, name, r.pop).party, r.pop); /* again, without effect */
    r.record.id = STR("");
    r.record.number = 1;
    OK(tx, report(tx, &r, r.pop, name));
    r.record.id = STR("a");
    r.record.number = 0;
    FAILS(tx, RC_INVALID, "/source", report(tx, &r, r.pop, name));
}

TX_TEST(a_party_lists_its_sources_and_the_operator_all)
{
    struct reporters r;
    struct page page;
    struct page_query q = {0};
    make_reporters(tx, &r);
    (void)bind(tx, r.pop, own(tx, r.pop, "b"), STR(""));
    (void)bind(tx, r.m.op, STR("urn:a"), r.pop);
    (void)bind(tx, r.m.op, STR("urn:z"), STR(""));
    OK(tx, usage_source_list(tx, r.pop, &q, &page));
    ck_assert_uint_eq(page.items.count, 2);
    SAME(((const struct usage_source *)page.items.items)[0].source, STR("urn:a"));
    OK(tx, usage_source_list(tx, STR(""), &q, &page));
    ck_assert_uint_eq(page.items.count, 3);
    OK(tx, usage_source_list(tx, r.other, &q, &page));
    ck_assert_uint_eq(page.items.count, 0);
}

TX_TEST(a_conflict_is_raised_until_somebody_has_looked)
{
    struct reporters r;
    struct page page;
    struct usage_conflict c;
    struct usage_conflict_query q = {0};
    make_reporters(tx, &r);
    struct str name = own(tx, r.pop, "n");
    OK(tx, report(tx, &r, r.pop, name));
    r.record.quantity.mantissa = 6;
    OK(tx, report(tx, &r, r.pop, name));
    OK(tx, usage_conflict_list(tx, r.pop, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    c = ((const struct usage_conflict *)page.items.items)[0];
    ck_assert(!schema_has(&usage_conflict_schema, &c, "seen"));
    OK(tx, usage_conflict_see(tx, c.id, STR("usr_1"), &c));
    ck_assert_int_eq(c.seen, tx->now);
    OK(tx, usage_conflict_see(tx, c.id, STR("usr_2"), &c)); /* who came first stays named */
    SAME(c.seen_by, STR("usr_1"));
    OK(tx, report(tx, &r, r.pop, name)); /* the same again is not raised again */
    OK(tx, usage_conflict_list(tx, r.pop, &q, &page));
    ck_assert_uint_eq(page.items.count, 0);
    q.seen = true;
    OK(tx, usage_conflict_list(tx, r.pop, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    FAILS(tx, RC_NOT_FOUND, NULL, usage_conflict_see(tx, STR("ucf_0"), STR("usr_1"), &c));
}

Suite *source_suite(void);
Suite *source_suite(void)
{
    Suite *s = suite_create("source");
    TCase *c = tcase_create("source");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_name_that_names_a_party_is_that_partys_alone);
    tcase_add_test(c, no_name_looks_like_another_partys);
    tcase_add_test(c, a_free_name_is_nobodys_until_the_operator_binds_it);
    tcase_add_test(c, what_is_bound_before_its_first_record_counts_as_it_then_does);
    tcase_add_test(c, a_party_lists_its_sources_and_the_operator_all);
    tcase_add_test(c, a_conflict_is_raised_until_somebody_has_looked);
    suite_add_tcase(s, c);
    return s;
}
