#include "channel/agreement.h"

#include "channel/channel_fixture.h"
#include "party/patch.h"

#define DAY(n) ((n)*US_PER_DAY)

static struct agreement decode(struct tx *tx, enum schema_mode mode, const char *text)
{
    const struct json *json;
    struct agreement a;
    OK(tx, json_parse(str_c(text), tx->arena, &json, tx->err));
    OK(tx, schema_decode(&agreement_schema, mode, json, tx->arena, &a, tx->err));
    return a;
}

static struct str encode(struct tx *tx, const struct agreement *a)
{
    return schema_str(&agreement_schema, a, 65536, tx->arena);
}

/* operator, reseller, client, agent. */
struct people {
    struct str op, reseller, client, agent;
};

static struct people make_people(struct tx *tx)
{
    struct people p = {.op = make_operator(tx)};
    p.reseller = make_party(tx, "Reseller", p.op);
    p.client = make_party(tx, "Client", p.reseller);
    p.agent = make_party(tx, "Agent", p.op);
    return p;
}

static struct agreement supply(struct str from, struct str to, struct str upstream)
{
    return (struct agreement){
        .kind = AGREEMENT_SUPPLY, .from = from, .to = to, .terms = {.upstream = upstream}};
}

static const char *const referral_body =
    "{\"kind\":\"referral\",\"to\":\"%.*s\",\"terms\":{\"scope\":{\"party\":\"%.*s\","
    "\"subtree\":true},\"earn\":\"invoice\",\"min_payout\":\"25.00\",\"maturity_days\":30,"
    "\"clawback_days\":90,\"self_billing\":true,\"document_hash\":"
    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"rules\":["
    "{\"kind\":\"percent\",\"value\":\"5\",\"label\":\"Commission\",\"to_month\":24,\"cap\":"
    "\"100\"},"
    "{\"kind\":\"tiered\",\"base\":\"margin\",\"tier\":1,\"tiers\":[{\"up_to\":\"1000\","
    "\"percent\":\"10\"},{\"percent\":\"2.5\"}]},"
    "{\"kind\":\"bounty\",\"value\":\"50.00\"}]}}";

TX_TEST(an_agreement_reads_back_as_it_was_made)
{
    struct people p = make_people(tx);
    struct agreement made, got;
    struct agreement fresh = decode(
        tx, SCHEMA_WHOLE, arena_fmt(tx->arena, referral_body, STRF(p.agent), STRF(p.client)).p);
    fresh.from = p.op;
    OK(tx, agreement_create(tx, &fresh, &made));
    OK(tx, agreement_get(tx, made.id, &got));
    SAME(encode(tx, &got), encode(tx, &made));
    ck_assert(id_is(got.id, "agr"));
    ck_assert_int_eq(got.state, AGREEMENT_DRAFT);
    ck_assert_int_eq(got.version, 1);
    SAME(got.terms.currency, STR("EUR")); /* the maker's */
    ck_assert_uint_eq(got.terms.rules.count, 3);
    const struct rule *rules = got.terms.rules.items;
    ck_assert_int_eq(rules[0].base, BASE_WHOLESALE);
    ck_assert_int_eq(rules[0].tier, 1);
    SAME(rules[0].cap, STR("100"));
    ck_assert_int_eq(rules[0].to_month, 24);
    ck_assert_int_eq(rules[1].base, BASE_MARGIN);
    ck_assert_uint_eq(rules[1].tiers.count, 2);
    SAME(((const struct rule_tier *)rules[1].tiers.items)[1].percent, STR("2.5"));
    ck_assert(got.terms.scope.subtree);
    ck_assert(got.terms.self_billing);
    ck_assert_int_eq(got.terms.earn, EARN_ON_INVOICE);
    ck_assert_int_eq(got.terms.clawback_days, 90);
    /* What was answered can be sent again. */
    struct str json = encode(tx, &got);
    const struct json *ignored;
    OK(tx, json_parse(json, tx->arena, &ignored, tx->err));
}

TX_TEST(an_agreement_is_offered_signed_and_ended)
{
    struct people p = make_people(tx);
    struct agreement a;
    struct agreement fresh = supply(p.op, p.reseller, STR(""));
    struct terms t;
    OK(tx, agreement_create(tx, &fresh, &a));
    FAILS(tx, RC_CONFLICT, NULL, agreement_sign(tx, a.id, &a));
    FAILS(tx, RC_CONFLICT, NULL, agreement_withdraw(tx, a.id, &a));
    OK(tx, agreement_offer(tx, a.id, &a));
    ck_assert_int_eq(a.state, AGREEMENT_OFFERED);
    ck_assert_int_eq(a.terms.offered, tx->now);
    FAILS(tx, RC_CONFLICT, NULL, agreement_offer(tx, a.id, &a));
    FAILS(tx, RC_NOT_FOUND, NULL, agreement_terms_at(tx, a.id, tx->now, &t));
    tx->now += DAY(1);
    OK(tx, agreement_sign(tx, a.id, &a));
    ck_assert_int_eq(a.state, AGREEMENT_ACTIVE);
    ck_assert_int_eq(a.terms.valid_from, tx->now);
    ck_assert_int_eq(a.terms.signed_at, tx->now);
    ck_assert_int_eq(a.version, 3);
    FAILS(tx, RC_CONFLICT, NULL, agreement_sign(tx, a.id, &a));
    OK(tx, agreement_terms_at(tx, a.id, tx->now, &t));
    ck_assert_int_eq(t.number, 1);
    FAILS(tx, RC_NOT_FOUND, NULL, agreement_terms_at(tx, a.id, tx->now - 1, &t));
    OK(tx, agreement_end(tx, a.id, tx->now + DAY(10), &a));
    ck_assert_int_eq(a.state, AGREEMENT_ACTIVE);
    FAILS(tx, RC_CONFLICT, NULL, agreement_end(tx, a.id, tx->now + DAY(11), &a));
    OK(tx, agreement_end(tx, a.id, tx->now + DAY(9), &a));
    OK(tx, agreement_terms_at(tx, a.id, tx->now + DAY(9) - 1, &t));
    FAILS(tx, RC_NOT_FOUND, NULL, agreement_terms_at(tx, a.id, tx->now + DAY(9), &t));
    tx->now += DAY(9);
    OK(tx, agreement_get(tx, a.id, &a));
    ck_assert_int_eq(a.state, AGREEMENT_ENDED);
    FAILS(tx, RC_CONFLICT, NULL, agreement_end(tx, a.id, 0, &a));
    FAILS(tx, RC_CONFLICT, NULL, agreement_change(tx, a.id, 0, &fresh, &a));
    OK(tx, agreement_terms_at(tx, a.id, tx->now - 1, &t)); /* the past stays */
    FAILS(tx, RC_NOT_FOUND, NULL, agreement_get(tx, STR("agr_none"), &a));
}

TX_TEST(new_terms_are_a_new_row_from_their_day_on)
{
    struct people p = make_people(tx);
    struct str id = make_referral(tx, p.op, p.agent, p.client, false, "3");
    struct agreement a;
    struct terms t;
    struct list all;
    time_us first = tx->now;
    tx->now += DAY(10);
    struct agreement patch = decode(
        tx, SCHEMA_PATCH,
        "{\"terms\":{\"rules\":[{\"kind\":\"percent\",\"value\":\"4\"}],\"maturity_days\":7}}");
    patch.terms.valid_from = tx->now + DAY(5);
    patch.terms.set |= UINT64_C(1) << schema_find(&terms_schema, STR("valid_from"));
    FAILS(tx, RC_CHANGED, NULL, agreement_change(tx, id, 1, &patch, &a));
    OK(tx, agreement_change(tx, id, 3, &patch, &a));
    ck_assert_int_eq(a.state, AGREEMENT_ACTIVE);
    ck_assert_int_eq(a.terms.number, 1);
    ck_assert_int_eq(a.offered.number, 2);
    SAME(a.offered.scope.party, p.client); /* what is not named stays */
    OK(tx, agreement_terms_at(tx, id, tx->now + DAY(9), &t));
    ck_assert_int_eq(t.number, 1); /* not signed */
    OK(tx, agreement_sign(tx, id, &a));
    ck_assert_int_eq(a.terms.number, 1);
    ck_assert_int_eq(a.offered.number, 0);
    OK(tx, agreement_terms_at(tx, id, tx->now + DAY(5) - 1, &t));
    ck_assert_int_eq(t.number, 1);
    OK(tx, agreement_terms_at(tx, id, tx->now + DAY(5), &t));
    ck_assert_int_eq(t.number, 2);
    ck_assert_int_eq(t.maturity_days, 7);
    OK(tx, agreement_terms_at(tx, id, first, &t));
    ck_assert_int_eq(t.number, 1);
    tx->now += DAY(6);
    OK(tx, agreement_get(tx, id, &a));
    ck_assert_int_eq(a.terms.number, 2);
    OK(tx, agreement_terms(tx, id, 1, &t));
    SAME(((const struct rule *)t.rules.items)[0].value, STR("3"));
    FAILS(tx, RC_NOT_FOUND, NULL, agreement_terms(tx, id, 3, &t));
    OK(tx, agreement_terms_list(tx, id, &all));
    ck_assert_uint_eq(all.count, 2);
}

TX_TEST(an_offer_can_be_corrected_and_taken_back)
{
    struct people p = make_people(tx);
    struct str id = make_referral(tx, p.op, p.agent, p.client, false, "3");
    struct agreement a;
    struct agreement days = decode(tx, SCHEMA_PATCH, "{\"terms\":{\"maturity_days\":7}}");
    struct agreement payout = decode(tx, SCHEMA_PATCH, "{\"terms\":{\"min_payout\":\"10\"}}");
    OK(tx, agreement_change(tx, id, 0, &days, &a));
    OK(tx, agreement_change(tx, id, 0, &payout, &a));
    ck_assert_int_eq(a.offered.number, 2);
    ck_assert_int_eq(a.offered.maturity_days, 7);
    SAME(a.offered.min_payout, STR("10"));
    OK(tx, agreement_withdraw(tx, id, &a));
    ck_assert_int_eq(a.offered.number, 0);
    FAILS(tx, RC_CONFLICT, NULL, agreement_sign(tx, id, &a));
    FAILS(tx, RC_CONFLICT, NULL, agreement_withdraw(tx, id, &a));
    struct agreement other = decode(tx, SCHEMA_PATCH, "{\"kind\":\"fee\"}");
    FAILS(tx, RC_CONFLICT, NULL, agreement_change(tx, id, 0, &other, &a));
    struct agreement money = decode(tx, SCHEMA_PATCH, "{\"terms\":{\"currency\":\"USD\"}}");
    FAILS(tx, RC_INVALID, "/terms/currency", agreement_change(tx, id, 0, &money, &a));
    /* Before the first signature: what was offered becomes a draft again. */
    struct agreement fresh = supply(p.op, p.reseller, STR(""));
    OK(tx, agreement_create(tx, &fresh, &a));
    OK(tx, agreement_change(tx, a.id, 0, &money, &a));
    SAME(a.terms.currency, STR("USD"));
    OK(tx, agreement_offer(tx, a.id, &a));
    OK(tx, agreement_withdraw(tx, a.id, &a));
    ck_assert_int_eq(a.state, AGREEMENT_DRAFT);
    OK(tx, agreement_offer(tx, a.id, &a));
    OK(tx, agreement_change(tx, a.id, 0, &days, &a));
    ck_assert_int_eq(a.state, AGREEMENT_DRAFT);
    FAILS(tx, RC_CONFLICT, NULL, agreement_sign(tx, a.id, &a));
    OK(tx, agreement_end(tx, a.id, 0, &a));
    ck_assert_int_eq(a.state, AGREEMENT_ENDED);
    FAILS(tx, RC_CONFLICT, NULL, agreement_offer(tx, a.id, &a));
}

TX_TEST(an_end_with_an_open_offer_shows_the_terms_that_were)
{
    struct people p = make_people(tx);
    struct str id = make_referral(tx, p.op, p.agent, p.client, false, "3");
    struct agreement a;
    struct agreement days = decode(tx, SCHEMA_PATCH, "{\"terms\":{\"maturity_days\":7}}");
    OK(tx, agreement_change(tx, id, 0, &days, &a));
    OK(tx, agreement_end(tx, id, tx->now + DAY(1), &a));
    tx->now += DAY(2);
    OK(tx, agreement_get(tx, id, &a));
    ck_assert_int_eq(a.state, AGREEMENT_ENDED);
    ck_assert_int_eq(a.terms.number, 1);
    ck_assert_int_eq(a.offered.number, 0);
}

/* --- what is refused --- */

struct wrong {
    const char *pointer;
    const char *body; /* %1: the reseller */
};

static void check_wrong(struct tx *tx, struct people p, const struct wrong *w)
{
    struct agreement a;
    struct agreement fresh = decode(tx, SCHEMA_PATCH, w->body);
    fresh.from = p.op;
    if (fresh.to.n == 0)
        fresh.to = p.reseller;
    FAILS(tx, RC_INVALID, w->pointer, agreement_create(tx, &fresh, &a));
}

#define RULE(rule) "{\"kind\":\"referral\",\"terms\":{\"rules\":[" rule "]}}"
#define COST(rule) "{\"kind\":\"cost\",\"terms\":{\"rules\":[" rule "]}}"
#define FIXED_1    "{\"kind\":\"fixed\",\"value\":\"1\"}"

TX_TEST(rules_that_cannot_be_are_refused_by_their_pointer)
{
    static const struct wrong all[] = {
        {"/terms/rules", "{\"kind\":\"referral\"}"},
        {"/terms/rules", "{\"kind\":\"supply\",\"terms\":{\"rules\":[" FIXED_1 "]}}"},
        {"/terms/rules/0/kind", RULE("{\"kind\":\"residual\"}")},
        {"/terms/rules/1/kind", COST("{\"kind\":\"residual\"},{\"kind\":\"residual\"}")},
        {"/terms/rules/0/value", RULE("{\"kind\":\"percent\",\"value\":\"100.0001\"}")},
        {"/terms/rules/0/value", RULE("{\"kind\":\"percent\",\"value\":\"-1\"}")},
        {"/terms/rules/0/value", RULE("{\"kind\":\"percent\",\"value\":\"1.00001\"}")},
        {"/terms/rules/0/value", RULE("{\"kind\":\"percent\"}")},
        {"/terms/rules/0/value", RULE("{\"kind\":\"fixed\",\"value\":\"-1\"}")},
        {"/terms/rules/0/value", COST("{\"kind\":\"residual\",\"value\":\"1\"}")},
        {"/terms/rules/1/base",
         COST(FIXED_1 ",{\"kind\":\"percent\",\"value\":\"1\",\"base\":\"margin\"}")},
        {"/terms/rules/0/base", RULE("{\"kind\":\"fixed\",\"value\":\"1\",\"base\":\"retail\"}")},
        {"/terms/rules/0/tier",
         RULE("{\"kind\":\"percent\",\"value\":\"1\",\"base\":\"margin\",\"tier\":2}")},
        {"/terms/rules/0/tier",
         RULE("{\"kind\":\"percent\",\"value\":\"1\",\"base\":\"retail\",\"tier\":1}")},
        {"/terms/rules/0/tiers", RULE("{\"kind\":\"tiered\"}")},
        {"/terms/rules/0/tiers",
         RULE("{\"kind\":\"fixed\",\"value\":\"1\",\"tiers\":[{\"percent\":\"1\"}]}")},
        {"/terms/rules/0/tiers/0/up_to",
         RULE("{\"kind\":\"tiered\",\"tiers\":[{\"percent\":\"1\"},{\"percent\":\"2\"}]}")},
        {"/terms/rules/0/tiers/1/up_to",
         RULE("{\"kind\":\"tiered\",\"tiers\":[{\"up_to\":\"5\",\"percent\":\"1\"},"
              "{\"up_to\":\"5\",\"percent\":\"1\"},{\"percent\":\"2\"}]}")},
        {"/terms/rules/0/tiers/0/up_to",
         RULE("{\"kind\":\"tiered\",\"tiers\":[{\"up_to\":\"5\",\"percent\":\"1\"}]}")},
        {"/terms/rules/0/tiers/0/percent",
         RULE("{\"kind\":\"tiered\",\"tiers\":[{\"percent\":\"101\"}]}")},
        {"/terms/rules/0/label",
         RULE("{\"kind\":\"fixed\",\"value\":\"1\",\"label\":\"two words\"}")},
        {"/terms/rules/0/label", RULE("{\"kind\":\"fixed\",\"value\":\"1\",\"label\":\"a:b\"}")},
        {"/terms/rules/0/to_month",
         RULE("{\"kind\":\"fixed\",\"value\":\"1\",\"from_month\":5,\"to_month\":4}")},
        {"/terms/rules/0/floor",
         RULE("{\"kind\":\"fixed\",\"value\":\"1\",\"floor\":\"5\",\"cap\":\"4\"}")},
        {"/terms/rules/0/cap", RULE("{\"kind\":\"fixed\",\"value\":\"1\",\"cap\":\"0.001\"}")},
        {"/terms/rules/0/cap", COST("{\"kind\":\"residual\",\"cap\":\"1\"}")},
        {"/terms/rules/0/cap", COST("{\"kind\":\"percent\",\"value\":\"1\",\"cap\":\"1\"}")},
        {"/terms/rules/0/floor", COST("{\"kind\":\"fixed\",\"value\":\"1\",\"floor\":\"1\"}")},
    };
    struct people p = make_people(tx);
    for (size_t i = 0; i < COUNT(all); i++)
        check_wrong(tx, p, &all[i]);
}

TX_TEST(terms_that_cannot_be_are_refused_by_their_pointer)
{
    static const struct wrong all[] = {
        {"/terms/currency", "{\"kind\":\"supply\",\"terms\":{\"currency\":\"EUX\"}}"},
        {"/terms/upstream", "{\"kind\":\"fee\",\"terms\":{\"rules\":[" FIXED_1 "],"
                            "\"upstream\":\"agr_01jd8v3q7w4k2m9x6c5b1n0h8z\"}}"},
        {"/terms/upstream", "{\"kind\":\"supply\",\"terms\":{"
                            "\"upstream\":\"agr_01jd8v3q7w4k2m9x6c5b1n0h8z\"}}"},
        {"/terms/book", "{\"kind\":\"fee\",\"terms\":{\"rules\":[" FIXED_1 "],"
                        "\"book\":\"bok_01jd8v3q7w4k2m9x6c5b1n0h8z\"}}"},
        {"/terms/book", "{\"kind\":\"supply\",\"terms\":{"
                        "\"book\":\"bok_01jd8v3q7w4k2m9x6c5b1n0h8z\"}}"},
        {"/terms/settle",
         "{\"kind\":\"fee\",\"terms\":{\"rules\":[" FIXED_1 "],\"settle\":\"direct\"}}"},
        {"/terms/scope", "{\"kind\":\"supply\",\"terms\":{\"scope\":{\"item\":\"vm\"}}}"},
        {"/terms/scope/party", "{\"kind\":\"referral\",\"terms\":{\"rules\":[" FIXED_1 "],"
                               "\"scope\":{\"party\":\"pty_01jd8v3q7w4k2m9x6c5b1n0h8z\"}}}"},
        {"/terms/scope/party", "{\"kind\":\"cost\",\"terms\":{\"rules\":[" FIXED_1 "],"
                               "\"scope\":{\"party\":\"pty_01jd8v3q7w4k2m9x6c5b1n0h8z\"}}}"},
        {"/terms/scope/subtree", "{\"kind\":\"referral\",\"terms\":{\"rules\":[" FIXED_1 "],"
                                 "\"scope\":{\"subtree\":true}}}"},
        {"/terms/min_payout",
         "{\"kind\":\"fee\",\"terms\":{\"rules\":[" FIXED_1 "],\"min_payout\":\"1.234\"}}"},
        {"/terms/min_payout",
         "{\"kind\":\"fee\",\"terms\":{\"rules\":[" FIXED_1 "],\"min_payout\":\"-1\"}}"},
        {"/terms/document_hash",
         "{\"kind\":\"supply\",\"terms\":{\"document_hash\":\"0123456789ABCDEF0123456789abcdef"
         "0123456789abcdef0123456789abcdef\"}}"},
        {"/to", "{\"kind\":\"supply\",\"to\":\"pty_01jd8v3q7w4k2m9x6c5b1n0h8z\"}"},
    };
    struct people p = make_people(tx);
    struct agreement a;
    for (size_t i = 0; i < COUNT(all); i++)
        check_wrong(tx, p, &all[i]);
    struct agreement self = supply(p.op, p.op, STR(""));
    FAILS(tx, RC_INVALID, "/to", agreement_create(tx, &self, &a));
    struct agreement top = supply(p.reseller, p.client, STR(""));
    FAILS(tx, RC_INVALID, "/terms/upstream", agreement_create(tx, &top, &a));
    struct party closed;
    OK(tx, party_set_state(tx, p.agent, PARTY_CLOSED, &closed));
    struct agreement to = supply(p.op, p.agent, STR(""));
    FAILS(tx, RC_INVALID, "/to", agreement_create(tx, &to, &a));
}

TX_TEST(a_book_is_the_sellers_and_in_its_currency)
{
    struct people p = make_people(tx);
    struct agreement a;
    struct agreement fresh = supply(p.op, p.reseller, STR(""));
    fresh.terms.book = make_book(tx, p.reseller, "mine");
    FAILS(tx, RC_INVALID, "/terms/book", agreement_create(tx, &fresh, &a));
    fresh.terms.book = make_book(tx, p.op, "list");
    OK(tx, agreement_create(tx, &fresh, &a));
    fresh.terms.currency = STR("USD");
    FAILS(tx, RC_INVALID, "/terms/book", agreement_create(tx, &fresh, &a));
}

TX_TEST(what_is_left_of_one_thing_goes_to_one_agreement)
{
    struct people p = make_people(tx);
    struct rule rule = {.kind = RULE_RESIDUAL};
    struct agreement fresh = {.kind = AGREEMENT_COST,
                              .from = p.op,
                              .to = p.agent,
                              .terms = {.scope = {.asset = STR("srv1")}, .rules = {&rule, 1}}};
    struct agreement a;
    (void)make_agreement(tx, &fresh);
    fresh.terms.scope.asset = STR("srv2");
    struct str second = make_agreement(tx, &fresh);
    fresh.terms.scope.asset = STR("srv1");
    OK(tx, agreement_create(tx, &fresh, &a));
    OK(tx, agreement_offer(tx, a.id, &a));
    FAILS(tx, RC_CONFLICT, NULL, agreement_sign(tx, a.id, &a));
    struct agreement patch = decode(tx, SCHEMA_PATCH, "{\"terms\":{\"scope\":{\"asset\":null}}}");
    OK(tx, agreement_change(tx, second, 0, &patch, &a)); /* of all assets: meets the first */
    FAILS(tx, RC_CONFLICT, NULL, agreement_sign(tx, second, &a));
    patch = decode(tx, SCHEMA_PATCH, "{\"terms\":{\"scope\":{\"asset\":\"srv3\"}}}");
    OK(tx, agreement_change(tx, second, 0, &patch, &a));
    OK(tx, agreement_sign(tx, second, &a));
}

/* --- who sees what --- */

static size_t listed(struct tx *tx, struct str party, const char *state,
                     struct agreement *ret_first)
{
    struct agreement_query q = {0};
    struct page page;
    for (int64_t i = 0; state != NULL && agreement_states[i] != NULL; i++)
        if (strcmp(state, agreement_states[i]) == 0) {
            q.state = i;
            q.set = UINT64_C(1) << schema_find(&agreement_query_schema, STR("state"));
        }
    OK(tx, agreement_list(tx, party, &q, &page));
    if (page.items.count > 0 && ret_first != NULL)
        *ret_first = ((const struct agreement *)page.items.items)[0];
    return page.items.count;
}

TX_TEST(each_side_lists_what_is_its_own)
{
    struct people p = make_people(tx);
    struct str book = make_book(tx, p.reseller, "public");
    struct str above = make_supply(tx, p.op, p.reseller, STR(""), STR(""));
    struct agreement a;
    struct agreement fresh = supply(p.reseller, p.client, above);
    fresh.terms.book = book;
    OK(tx, agreement_create(tx, &fresh, &a));
    ck_assert_uint_eq(listed(tx, p.client, NULL, NULL), 0); /* a draft is the maker's */
    ck_assert_uint_eq(listed(tx, p.reseller, NULL, NULL), 2);
    OK(tx, agreement_offer(tx, a.id, &a));
    ck_assert_uint_eq(listed(tx, p.client, "offered", &a), 1);
    SAME(a.terms.book, STR(""));
    SAME(a.terms.upstream, STR(""));
    ck_assert(!str_has(encode(tx, &a), STR("book")));
    ck_assert(!str_has(encode(tx, &a), STR("upstream")));
    OK(tx, agreement_sign(tx, a.id, &a));
    ck_assert_uint_eq(listed(tx, p.client, "active", NULL), 1);
    ck_assert_uint_eq(listed(tx, p.client, "offered", NULL), 0);
    OK(tx, agreement_get(tx, a.id, &a));
    SAME(a.terms.book, book);
    agreement_show(&a, p.reseller);
    SAME(a.terms.book, book);
    ck_assert_uint_eq(listed(tx, p.agent, NULL, NULL), 0);
    OK(tx, agreement_end(tx, a.id, tx->now + DAY(1), &a));
    ck_assert_uint_eq(listed(tx, p.client, "ended", NULL), 0);
    tx->now += DAY(2);
    ck_assert_uint_eq(listed(tx, p.client, "ended", NULL), 1);
    ck_assert_uint_eq(listed(tx, p.client, "active", NULL), 0);
}

TX_TEST(a_sponsor_signs_for_who_has_nobody_yet)
{
    struct people p = make_people(tx);
    struct agreement a;
    struct agreement fresh = supply(p.op, p.reseller, STR(""));
    OK(tx, agreement_create(tx, &fresh, &a));
    OK(tx, agreement_offer(tx, a.id, &a));
    OK(tx, agreement_sign_for(tx, a.id, &a));
    ck_assert_int_eq(a.state, AGREEMENT_ACTIVE);
    struct agreement patch = decode(tx, SCHEMA_PATCH, "{\"terms\":{\"self_billing\":true}}");
    OK(tx, agreement_change(tx, a.id, 0, &patch, &a));
    FAILS(tx, RC_FORBIDDEN, NULL, agreement_sign_for(tx, a.id, &a));
    (void)make_member(tx, "rita", p.reseller, "owner");
    FAILS(tx, RC_CONFLICT, NULL, agreement_sign_for(tx, a.id, &a));
    OK(tx, agreement_sign(tx, a.id, &a));
}

TX_TEST(active_agreements_are_those_of_the_instant)
{
    struct people p = make_people(tx);
    struct list list;
    time_us before = tx->now;
    tx->now += DAY(1);
    struct str id = make_referral(tx, p.op, p.agent, p.client, false, "3");
    (void)make_supply(tx, p.op, p.reseller, STR(""), STR(""));
    struct agreement a;
    struct agreement patch = decode(tx, SCHEMA_PATCH, "{\"terms\":{\"maturity_days\":9}}");
    tx->now += DAY(1);
    OK(tx, agreement_change(tx, id, 0, &patch, &a));
    OK(tx, agreement_sign(tx, id, &a));
    OK(tx, agreement_active(tx, AGREEMENT_REFERRAL, STR(""), before, &list));
    ck_assert_uint_eq(list.count, 0);
    OK(tx, agreement_active(tx, AGREEMENT_REFERRAL, p.op, before + DAY(1), &list));
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(((const struct agreement *)list.items)[0].terms.number, 1);
    OK(tx, agreement_active(tx, AGREEMENT_REFERRAL, p.op, tx->now, &list));
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(((const struct agreement *)list.items)[0].terms.number, 2);
    OK(tx, agreement_active(tx, AGREEMENT_REFERRAL, p.agent, tx->now, &list));
    ck_assert_uint_eq(list.count, 0);
    OK(tx, agreement_end(tx, id, 0, &a));
    OK(tx, agreement_active(tx, AGREEMENT_REFERRAL, p.op, tx->now, &list));
    ck_assert_uint_eq(list.count, 0);
    OK(tx, agreement_active(tx, AGREEMENT_REFERRAL, p.op, tx->now - 1, &list));
    ck_assert_uint_eq(list.count, 1);
}

Suite *agreement_suite(void);
Suite *agreement_suite(void)
{
    Suite *s = suite_create("agreement");
    TCase *c = tcase_create("agreement");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, an_agreement_reads_back_as_it_was_made);
    tcase_add_test(c, an_agreement_is_offered_signed_and_ended);
    tcase_add_test(c, new_terms_are_a_new_row_from_their_day_on);
    tcase_add_test(c, an_offer_can_be_corrected_and_taken_back);
    tcase_add_test(c, an_end_with_an_open_offer_shows_the_terms_that_were);
    tcase_add_test(c, rules_that_cannot_be_are_refused_by_their_pointer);
    tcase_add_test(c, terms_that_cannot_be_are_refused_by_their_pointer);
    tcase_add_test(c, a_book_is_the_sellers_and_in_its_currency);
    tcase_add_test(c, what_is_left_of_one_thing_goes_to_one_agreement);
    tcase_add_test(c, each_side_lists_what_is_its_own);
    tcase_add_test(c, a_sponsor_signs_for_who_has_nobody_yet);
    tcase_add_test(c, active_agreements_are_those_of_the_instant);
    suite_add_tcase(s, c);
    return s;
}
