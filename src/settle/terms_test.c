/*
 * terms_test.c - new terms in the middle of a month: what was rated under the old ones is shared by
 * the old ones, in the same invoice (specs/billing.md 3.1).
 */
#include "settle/settle_fixture.h"

#define ELEVENTH (DECEMBER + 10 * US_PER_DAY)

struct renewed {
    struct close_world w;
    struct str op, partner, client, plan, supply, fee, referral;
};

static struct str agree(struct tx *tx, struct renewed *r, enum agreement_kind kind,
                        const struct rule *rules, size_t count)
{
    struct agreement fresh = {
        .kind = (int64_t)kind,
        .from = r->op,
        .to = r->partner,
        .terms = {.tax = TREATMENT_NONE, .rules = {(void *)(uintptr_t)rules, count}}};
    return keep(&r->w, make_agreement(tx, &fresh));
}

static enum rc define(struct tx *tx, void *arg)
{
    struct renewed *r = arg;
    struct close_world *w = &r->w;
    /* Two rules before, one behind: what the second added up to is owed all the same. */
    const struct rule fees[] = {
        {.kind = RULE_PER_UNIT, .value = STR("3.125"), .label = STR("OldFee")},
        {.kind = RULE_PER_UNIT, .value = STR("2"), .label = STR("OldOther")}};
    const struct rule cut = {.kind = RULE_PERCENT, .value = STR("10"), .label = STR("OldCut")};
    r->op = keep(w, books_party(tx, "Op", "FR", true));
    r->partner = keep(w, books_party(tx, "Partner", "FR", true));
    r->client = keep(w, books_party(tx, "Client", "FR", false));
    OK(tx, permission_seed(tx));
    r->plan = keep(w, make_flat(tx, r->op, "vm", "VM", "100.00", "EUR"));
    r->fee = agree(tx, r, AGREEMENT_FEE, fees, COUNT(fees));
    r->referral = agree(tx, r, AGREEMENT_REFERRAL, &cut, 1);
    r->supply = keep(w, make_supply(tx, r->op, r->client, STR(""), STR("")));
    (void)make_subscription(tx, r->supply, r->plan, "1", 0);
    return RC_OK;
}

static void renew(struct tx *tx, struct str agreement, const struct rule *rule)
{
    struct agreement a;
    struct agreement patch = {
        .set = UINT64_C(1) << schema_find(&agreement_schema, STR("terms")),
        .terms = {.set = UINT64_C(1) << schema_find(&terms_schema, STR("rules")),
                  .rules = {(void *)(uintptr_t)rule, 1}}};
    OK(tx, agreement_change(tx, agreement, 0, &patch, &a));
    OK(tx, agreement_sign(tx, agreement, &a));
}

static enum rc renew_in(struct tx *tx, void *arg)
{
    struct renewed *r = arg;
    const struct rule fee = {.kind = RULE_PER_UNIT, .value = STR("1"), .label = STR("NewFee")};
    const struct rule cut = {.kind = RULE_PERCENT, .value = STR("20"), .label = STR("NewCut")};
    renew(tx, r->fee, &fee);
    renew(tx, r->referral, &cut);
    (void)make_subscription(tx, r->supply, r->plan, "1", ELEVENTH);
    return RC_OK;
}

/* 100.00 by the old terms; by the new ones 21 days of 31: 67.74, of 0.677419355 units. */
static enum rc shared_in(struct tx *tx, void *arg)
{
    struct renewed *r = arg;
    struct ledger *l = r->w.books.l;
    BALANCE(r->op, "EUR", STR("Income:VM"), -16774);
    BALANCE(r->op, "EUR", STR("Expense:OldFee"), 313);
    BALANCE(r->op, "EUR", STR("Expense:OldOther"), 200);
    BALANCE(r->op, "EUR", STR("Expense:NewFee"), 68);
    BALANCE(r->op, "EUR", STR("Expense:OldCut"), 1000);
    BALANCE(r->op, "EUR", STR("Expense:NewCut"), 1355);
    return RC_OK;
}

static enum rc taken_back_in(struct tx *tx, void *arg)
{
    struct renewed *r = arg;
    struct ledger *l = r->w.books.l;
    struct document credit;
    struct document_row d = document_between(tx, r->op, r->client, DOCUMENT_INVOICE);
    OK(tx, document_credit(tx, l, &settle_above, &(struct credit_request){.id = d.id}, &credit));
    BALANCE(r->op, "EUR", STR("Expense:OldCut"), 0);
    BALANCE(r->op, "EUR", STR("Expense:NewCut"), 0);
    return RC_OK;
}

START_TEST(each_line_is_shared_by_the_terms_that_it_was_rated_under)
{
    struct renewed *r = calloc(1, sizeof *r);
    ASSERT(r != NULL);
    struct world *world = &r->w.books.world;
    settle_world_open(&r->w);
    world_write(world, define, r, RC_OK);
    world->clock.at = ELEVENTH;
    world_write(world, renew_in, r, RC_OK);
    (void)settle_close(&r->w, "2026-12", JANUARY);
    world_write(world, shared_in, r, RC_OK);
    world_write(world, taken_back_in, r, RC_OK);
    settle_world_close(&r->w);
    free(r);
}
END_TEST

/* --- terms of a subscription that change within a month --- */

struct changed {
    struct close_world w;
    struct str op, client, supplier, agent, vm, setup;
    const char *quantity;
};

static enum rc changed_define(struct tx *tx, void *arg)
{
    struct changed *c = arg;
    struct close_world *w = &c->w;
    struct plan once;
    const struct rule cut[] = {
        {.kind = RULE_PERCENT,
         .value = STR("10"),
         .from_month = 1,
         .to_month = 1,
         .label = STR("First")},
        {.kind = RULE_PERCENT, .value = STR("20"), .from_month = 2, .label = STR("Later")}};
    const struct rule work = {.kind = RULE_FIXED, .value = STR("13"), .label = STR("Work")};
    struct charge charge = {.set = field_bit("label") | field_bit("kind") | field_bit("price"),
                            .label = STR("Setup"),
                            .kind = CHARGE_ONE_TIME,
                            .price = STR("40.00")};
    struct plan plan = {.item = STR("setup"),
                        .code = STR("setup-once"),
                        .name = STR("Setup"),
                        .currency = STR("EUR"),
                        .period = PLAN_ONCE,
                        .charges = {&charge, 1}};
    c->op = keep(w, books_party(tx, "Op", "FR", true));
    c->client = keep(w, books_party(tx, "Client", "FR", false));
    c->supplier = keep(w, books_party(tx, "Supplier", "FR", true));
    c->agent = keep(w, books_party(tx, "Agent", "FR", true));
    OK(tx, permission_seed(tx));
    struct str vm = make_flat(tx, c->op, "vm", "VM", "100.00", "EUR");
    (void)make_flat(tx, c->op, "setup", "Setup", "1.00", "EUR");
    OK(tx, plan_create(tx, &plan, &once));
    struct agreement cost = {.kind = AGREEMENT_COST,
                             .from = c->op,
                             .to = c->supplier,
                             .terms = {.tax = TREATMENT_NONE,
                                       .scope = {.item = STR("setup")},
                                       .rules = {(void *)(uintptr_t)&work, 1}}};
    struct agreement referral = {.kind = AGREEMENT_REFERRAL,
                                 .from = c->op,
                                 .to = c->agent,
                                 .terms = {.tax = TREATMENT_NONE,
                                           .scope = {.item = STR("vm")},
                                           .rules = {(void *)(uintptr_t)cut, COUNT(cut)}}};
    (void)make_agreement(tx, &cost);
    (void)make_agreement(tx, &referral);
    struct str supply = make_supply(tx, c->op, c->client, STR(""), STR(""));
    c->vm = keep(w, make_subscription(tx, supply, vm, "1", 0));
    c->setup = keep(w, make_subscription(tx, supply, once.id, "1", 0));
    return RC_OK;
}

static enum rc change_in(struct tx *tx, void *arg)
{
    const struct changed *c = arg;
    const struct str all[] = {c->vm, c->setup};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct subscription s;
        struct subscription patch = {.set = UINT64_C(1)
                                            << schema_find(&subscription_schema, STR("quantity")),
                                     .quantity = str_c(c->quantity)};
        OK(tx, subscription_change(tx, all[i], 0, 0, &patch, &s));
    }
    return RC_OK;
}

/* 100.00 x 10/31 + 200.00 x 21/31 = 167.74. */
static enum rc first_month_in(struct tx *tx, void *arg)
{
    struct changed *c = arg;
    struct ledger *l = c->w.books.l;
    BALANCE(c->op, "EUR", STR("Income:VM"), -16774);
    BALANCE(c->op, "EUR", STR("Expense:First"), 1677);
    BALANCE(c->op, "EUR", STR("Expense:Later"), 0);
    BALANCE(c->op, "EUR", STR("Income:Setup"), -4000);
    BALANCE(c->op, "EUR", STR("Expense:Work"), 1300); /* done once, wholly */
    return RC_OK;
}

/* 200.00 x 10/31 + 100.00 x 21/31 = 132.26. */
static enum rc second_month_in(struct tx *tx, void *arg)
{
    struct changed *c = arg;
    struct ledger *l = c->w.books.l;
    BALANCE(c->op, "EUR", STR("Income:VM"), -16774 - 13226);
    BALANCE(c->op, "EUR", STR("Expense:First"), 1677);
    BALANCE(c->op, "EUR", STR("Expense:Later"), 2645);
    BALANCE(c->op, "EUR", STR("Expense:Work"), 1300);
    return RC_OK;
}

START_TEST(a_change_within_a_month_takes_nothing_from_those_who_share_it)
{
    struct changed *c = calloc(1, sizeof *c);
    ASSERT(c != NULL);
    struct world *world = &c->w.books.world;
    settle_world_open(&c->w);
    world_write(world, changed_define, c, RC_OK);
    world->clock.at = ELEVENTH;
    c->quantity = "2";
    world_write(world, change_in, c, RC_OK);
    (void)settle_close(&c->w, "2026-12", JANUARY);
    world_write(world, first_month_in, c, RC_OK);
    world->clock.at = JANUARY + 10 * US_PER_DAY;
    c->quantity = "1";
    world_write(world, change_in, c, RC_OK);
    (void)settle_close(&c->w, "2027-01", FEBRUARY);
    world_write(world, second_month_in, c, RC_OK);
    settle_world_close(&c->w);
    free(c);
}
END_TEST

/* --- how long a credit note takes back what is earned --- */

struct claimed {
    struct close_world w;
    struct str op, client, agent[2];
    int64_t days; /* from the invoice to the credit note */
};

static enum rc claimed_define(struct tx *tx, void *arg)
{
    static const int64_t clawback[] = {30, 0};
    struct claimed *c = arg;
    struct close_world *w = &c->w;
    const struct rule cut = {.kind = RULE_PERCENT, .value = STR("10"), .label = STR("Cut")};
    c->op = keep(w, books_party(tx, "Op", "US", true));
    c->client = keep(w, books_party(tx, "Client", "US", true));
    OK(tx, permission_seed(tx));
    struct str plan = make_flat(tx, c->op, "vm", "VM", "100.00", "USD");
    for (size_t i = 0; i < COUNT(clawback); i++) {
        c->agent[i] = keep(w, books_party(tx, "Agent", "US", true));
        struct agreement fresh = {.kind = AGREEMENT_REFERRAL,
                                  .from = c->op,
                                  .to = c->agent[i],
                                  .terms = {.currency = STR("USD"),
                                            .tax = TREATMENT_NONE,
                                            .clawback_days = clawback[i],
                                            .maturity_days = 365,
                                            .rules = {(void *)(uintptr_t)&cut, 1}}};
        (void)make_agreement(tx, &fresh);
    }
    struct agreement supply = {.kind = AGREEMENT_SUPPLY,
                               .from = c->op,
                               .to = c->client,
                               .terms = {.currency = STR("USD"), .payment_days = 30}};
    (void)make_subscription(tx, make_agreement(tx, &supply), plan, "1", 0);
    return RC_OK;
}

static enum rc claimed_paid(struct tx *tx, void *arg)
{
    struct claimed *c = arg;
    struct document_row d = document_between(tx, c->op, c->client, DOCUMENT_INVOICE);
    (void)book_payment(tx, c->w.books.l, c->op, d.id, "60.00", "USD", "wire");
    return RC_OK;
}

/* 10.00 each, 6.00 of them earned: those stay with the one whose 30 days are over. */
static enum rc claimed_back(struct tx *tx, void *arg)
{
    struct claimed *c = arg;
    struct ledger *l = c->w.books.l;
    struct document note;
    struct document_row d = document_between(tx, c->op, c->client, DOCUMENT_INVOICE);
    int64_t kept = c->days > 30 ? 600 : 0;
    OK(tx, document_credit(tx, l, &settle_above, &(struct credit_request){.id = d.id}, &note));
    BALANCE(c->op, "USD", account_of(tx, "Commission", c->agent[0]), -kept);
    BALANCE(c->op, "USD", account_of(tx, "Commission", c->agent[1]), 0);
    BALANCE(c->op, "USD", STR("Expense:Cut"), kept);
    return RC_OK;
}

START_TEST(what_is_earned_stays_when_the_days_of_clawback_are_over)
{
    static const int64_t days[] = {29, 31};
    struct claimed *c = calloc(1, sizeof *c);
    ASSERT(c != NULL);
    struct world *world = &c->w.books.world;
    settle_world_open(&c->w);
    world_write(world, claimed_define, c, RC_OK);
    (void)settle_close(&c->w, "2026-12", JANUARY);
    world_write(world, claimed_paid, c, RC_OK);
    c->days = days[_i];
    world->clock.at = JANUARY + c->days * US_PER_DAY;
    world_write(world, claimed_back, c, RC_OK);
    settle_world_close(&c->w);
    free(c);
}
END_TEST

Suite *terms_suite(void);
Suite *terms_suite(void)
{
    Suite *s = suite_create("terms");
    TCase *t = tcase_create("terms");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, each_line_is_shared_by_the_terms_that_it_was_rated_under);
    tcase_add_test(t, a_change_within_a_month_takes_nothing_from_those_who_share_it);
    tcase_add_loop_test(t, what_is_earned_stays_when_the_days_of_clawback_are_over, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
