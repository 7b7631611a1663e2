/*
 * unshared_test.c - what was agreed cannot be computed with: refused where it is agreed, or an
 * exception of the close, which goes on with all others.
 */
#include "settle/settle_fixture.h"

struct unshared {
    struct close_world w;
    struct str op, producer, partner, client[2];
    struct agreement fresh; /* from the operator to the partner */
    struct rule rule;
    bool produced; /* the first client's machine, by the producer */
    struct str made;
};

static enum rc define(struct tx *tx, void *arg)
{
    struct unshared *u = arg;
    struct close_world *w = &u->w;
    u->op = w->op = keep(w, books_party(tx, "Op", "FR", true));
    u->producer = keep(w, books_party(tx, "Producer", "FR", true));
    u->partner = keep(w, books_party(tx, "Partner", "FR", true));
    OK(tx, permission_seed(tx));
    struct str euro = make_flat(tx, u->op, "vm", "VPS", "100.00", "EUR");
    struct str dollar = make_flat(tx, u->op, "box", "VPS", "100.00", "USD");
    for (size_t i = 0; i < COUNT(u->client); i++) {
        struct subscription s;
        bool other = i == 0 && !u->produced;
        struct agreement supply = {
            .kind = AGREEMENT_SUPPLY,
            .from = u->op,
            .terms = {.currency = other ? STR("USD") : STR("EUR"), .payment_days = 30}};
        u->client[i] = supply.to = keep(w, books_party(tx, "Client", "FR", true));
        struct subscription fresh = {.agreement = make_agreement(tx, &supply),
                                     .plan = other ? dollar : euro,
                                     .quantity = STR("1")};
        if (i == 0 && u->produced)
            fresh.producer = u->producer;
        OK(tx, subscription_create(tx, &fresh, &s));
    }
    u->fresh.from = u->op;
    u->fresh.to = u->partner;
    u->fresh.terms.rules = (struct list){&u->rule, 1};
    u->made = keep(w, make_agreement(tx, &u->fresh));
    return RC_OK;
}

static void open_unshared(struct unshared *u)
{
    settle_world_open(&u->w);
    world_write(&u->w.books.world, define, u, RC_OK);
}

#define UNSHARED_TEST(name)                        \
    static void name##_body(struct unshared *u);   \
    START_TEST(name)                               \
    {                                              \
        struct unshared *u = calloc(1, sizeof *u); \
        ASSERT(u != NULL);                         \
        name##_body(u);                            \
        settle_world_close(&u->w);                 \
        free(u);                                   \
    }                                              \
    END_TEST                                       \
    static void name##_body(struct unshared *u)

static void close_with(struct unshared *u, const char *period, time_us at, int64_t exceptions)
{
    ck_assert_int_eq(settle_close_any(&u->w, period, at).exceptions, exceptions);
}

/* The exception says which agreement it is. */
static enum rc names_it_in(struct tx *tx, void *arg)
{
    struct unshared *u = arg;
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT text FROM close_exception ORDER BY id LIMIT 1"));
    ck_assert_uint_eq(rows.count, 1);
    struct str text = row_str(&rows, 0, 0);
    ck_assert_msg(memmem(text.p, text.n, u->made.p, u->made.n) != NULL, "%.*s", STRF(text));
    return RC_OK;
}

static enum rc end_in(struct tx *tx, void *arg)
{
    struct unshared *u = arg;
    struct agreement ended;
    return agreement_end(tx, u->made, 0, &ended);
}

static enum rc produced_in(struct tx *tx, void *arg)
{
    struct unshared *u = arg;
    struct ledger *l = u->w.books.l;
    BALANCE(u->op, "EUR", account_of(tx, "AR", u->client[0]), 2 * 12000);
    BALANCE(u->op, "EUR", account_of(tx, "AR", u->client[1]), 2 * 12000);
    BALANCE(u->op, "EUR", account_of(tx, "Commission", u->producer), -2 * 10000);
    BALANCE(u->op, "EUR", account_of(tx, "Commission", u->partner), -10000); /* December alone */
    return RC_OK;
}

/* The partner takes the rest of all, and the producer would take that of what it makes. */
UNSHARED_TEST(two_that_take_the_rest_of_one_line_stop_that_line_alone)
{
    u->produced = true;
    u->rule = (struct rule){.kind = RULE_RESIDUAL, .label = STR("Rest")};
    u->fresh = (struct agreement){.kind = AGREEMENT_COST};
    open_unshared(u);
    close_with(u, "2026-12", JANUARY, 1);
    ck_assert_int_eq(invoiced_net(&u->w, u->op, u->client[0], 0), 0);
    ck_assert_int_eq(invoiced_net(&u->w, u->op, u->client[1], 1), 10000);
    world_write(&u->w.books.world, names_it_in, u, RC_OK);
    /* Once it is put right, December is billed too, by what was agreed then. */
    world_write(&u->w.books.world, end_in, u, RC_OK);
    close_with(u, "2027-01", FEBRUARY, 0);
    world_write(&u->w.books.world, produced_in, u, RC_OK);
}

static enum rc credit_all_in(struct tx *tx, void *arg)
{
    struct unshared *u = arg;
    struct ledger *l = u->w.books.l;
    struct rows rows;
    struct document note;
    OK(tx, sql_rows(tx, &rows, "SELECT id FROM document WHERE code = 380 ORDER BY no LIMIT 100"));
    for (size_t i = 0; i < rows.count; i++)
        OK(tx, document_credit(tx, l, &settle_above,
                               &(struct credit_request){.id = row_str(&rows, i, 0)}, &note));
    ALL_ZERO();
    return RC_OK;
}

UNSHARED_TEST(what_was_shared_by_a_later_agreement_is_taken_back_by_it)
{
    u->produced = true;
    u->rule = (struct rule){.kind = RULE_RESIDUAL, .label = STR("Rest")};
    u->fresh = (struct agreement){.kind = AGREEMENT_COST};
    open_unshared(u);
    close_with(u, "2026-12", JANUARY, 1);
    world_write(&u->w.books.world, end_in, u, RC_OK);
    close_with(u, "2027-01", FEBRUARY, 0);
    world_write(&u->w.books.world, credit_all_in, u, RC_OK);
}

/* 13.00 a machine are euros, and the first machine is sold in dollars. */
UNSHARED_TEST(an_amount_in_another_currency_stops_that_line_alone)
{
    u->rule = (struct rule){.kind = RULE_FIXED, .value = STR("13.00"), .label = STR("Energy")};
    u->fresh = (struct agreement){.kind = AGREEMENT_COST};
    open_unshared(u);
    close_with(u, "2026-12", JANUARY, 1);
    ck_assert_int_eq(invoiced_net(&u->w, u->op, u->client[0], 0), 0);
    ck_assert_int_eq(invoiced_net(&u->w, u->op, u->client[1], 1), 10000);
    world_write(&u->w.books.world, names_it_in, u, RC_OK);
}

static enum rc agree_again_in(struct tx *tx, void *arg)
{
    struct unshared *u = arg;
    struct agreement twin = u->fresh;
    u->rule.value = STR("15.00");
    twin.terms.currency = STR("USD");
    (void)make_agreement(tx, &twin);
    return RC_OK;
}

static enum rc each_in_its_own_in(struct tx *tx, void *arg)
{
    struct unshared *u = arg;
    struct ledger *l = u->w.books.l;
    BALANCE(u->op, "EUR", STR("Expense:Energy"), 1300);
    BALANCE(u->op, "USD", STR("Expense:Energy"), 1500);
    return RC_OK;
}

UNSHARED_TEST(the_same_agreed_in_two_currencies_is_of_each_in_its_own)
{
    u->rule = (struct rule){.kind = RULE_FIXED, .value = STR("13.00"), .label = STR("Energy")};
    u->fresh = (struct agreement){.kind = AGREEMENT_COST};
    open_unshared(u);
    world_write(&u->w.books.world, agree_again_in, u, RC_OK);
    close_with(u, "2026-12", JANUARY, 0);
    world_write(&u->w.books.world, each_in_its_own_in, u, RC_OK);
}

static enum rc both_in(struct tx *tx, void *arg)
{
    struct unshared *u = arg;
    struct ledger *l = u->w.books.l;
    BALANCE(u->op, "EUR", STR("Expense:Commission"), 500);
    BALANCE(u->op, "USD", STR("Expense:Commission"), 500);
    return RC_OK;
}

UNSHARED_TEST(a_percentage_is_of_any_currency)
{
    u->rule = (struct rule){.kind = RULE_PERCENT, .value = STR("5"), .label = STR("Commission")};
    u->fresh = (struct agreement){.kind = AGREEMENT_REFERRAL};
    open_unshared(u);
    close_with(u, "2026-12", JANUARY, 0);
    world_write(&u->w.books.world, both_in, u, RC_OK);
}

static enum rc refused_in(struct tx *tx, void *arg)
{
    struct unshared *u = arg;
    struct agreement made;
    struct rule fixed = {.kind = RULE_FIXED, .value = STR("1.00"), .label = STR("Energy")};
    struct rule rest = {.kind = RULE_RESIDUAL, .label = STR("Rest")};
    struct rule_tier tier = {.percent = STR("1")};
    struct rule tiered = {.kind = RULE_TIERED, .tiers = {&tier, 1}, .label = STR("Fee")};
    struct agreement other = {.kind = AGREEMENT_COST,
                              .from = u->op,
                              .to = u->producer,
                              .terms = {.currency = STR("CNY"), .rules = {&fixed, 1}}};
    FAILS(tx, RC_INVALID, "/terms/currency", agreement_create(tx, &other, &made));
    other.terms.currency = STR("EUR");
    other.terms.rules.items = &rest;
    OK(tx, agreement_create(tx, &other, &made));
    OK(tx, agreement_offer(tx, made.id, &made));
    FAILS(tx, RC_CONFLICT, "/terms/rules/0/kind", agreement_sign(tx, made.id, &made));
    other.kind = AGREEMENT_FEE;
    other.terms.rules.items = &tiered;
    FAILS(tx, RC_INVALID, "/terms/rules/0/kind", agreement_create(tx, &other, &made));
    return RC_OK;
}

UNSHARED_TEST(what_can_be_seen_is_refused_where_it_is_agreed)
{
    u->produced = true;
    u->rule = (struct rule){.kind = RULE_RESIDUAL, .label = STR("Rest")};
    u->fresh = (struct agreement){.kind = AGREEMENT_COST};
    open_unshared(u);
    world_write(&u->w.books.world, refused_in, u, RC_OK);
}

Suite *unshared_suite(void);
Suite *unshared_suite(void)
{
    Suite *s = suite_create("unshared");
    TCase *t = tcase_create("unshared");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, two_that_take_the_rest_of_one_line_stop_that_line_alone);
    tcase_add_test(t, what_was_shared_by_a_later_agreement_is_taken_back_by_it);
    tcase_add_test(t, an_amount_in_another_currency_stops_that_line_alone);
    tcase_add_test(t, the_same_agreed_in_two_currencies_is_of_each_in_its_own);
    tcase_add_test(t, a_percentage_is_of_any_currency);
    tcase_add_test(t, what_can_be_seen_is_refused_where_it_is_agreed);
    suite_add_tcase(s, t);
    return s;
}
