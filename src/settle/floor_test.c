/*
 * floor_test.c - what a rule brings at least and at most in a period, and from which month on:
 * commissions, and fees of a whole close.
 *
 *     operator -> two clients, 100.00 a month each; each rule is an agreement of its own
 */
#include "settle/floor.h"

#include "settle/settle_fixture.h"

enum { CLIENTS = 2 };

struct bounded {
    struct close_world w;
    struct str op, agent, low, high, none, fee, late;
    struct str client[CLIENTS];
    int64_t months; /* that were looked at */
};

static struct str agree(struct tx *tx, struct bounded *b, enum agreement_kind kind,
                        const struct rule *rule, struct str counts)
{
    struct str payee = books_party(tx, "Payee", "FR", true);
    struct agreement fresh = {.kind = (int64_t)kind,
                              .from = b->op,
                              .to = payee,
                              .terms = {.tax = TREATMENT_NONE,
                                        .scope = {.party = counts},
                                        .rules = {(void *)(uintptr_t)rule, 1}}};
    (void)make_agreement(tx, &fresh);
    return keep(&b->w, payee);
}

static enum rc define(struct tx *tx, void *arg)
{
    struct bounded *b = arg;
    struct close_world *w = &b->w;
    b->op = keep(w, books_party(tx, "Op", "FR", true));
    OK(tx, permission_seed(tx));
    struct str plan = make_flat(tx, b->op, "vm", "VM", "100.00", "EUR");
    for (int i = 0; i < CLIENTS; i++) {
        b->client[i] = keep(w, books_party(tx, "Client", "FR", false));
        struct str supply = make_supply(tx, b->op, b->client[i], STR(""), STR(""));
        (void)make_subscription(tx, supply, plan, "1", 0);
    }
    struct str idle = books_party(tx, "Idle", "FR", false);
    const struct rule low = {.kind = RULE_PERCENT, .value = STR("5"), .floor = STR("12.34")};
    const struct rule high = {.kind = RULE_PERCENT, .value = STR("5"), .floor = STR("4.00")};
    const struct rule fee = {
        .kind = RULE_PER_UNIT, .value = STR("7"), .label = STR("Fee"), .cap = STR("10.50")};
    const struct rule late = {
        .kind = RULE_PER_UNIT, .value = STR("1"), .label = STR("Late"), .from_month = 2};
    b->low = agree(tx, b, AGREEMENT_REFERRAL, &low, b->client[0]);
    b->high = agree(tx, b, AGREEMENT_REFERRAL, &high, b->client[1]);
    b->none = agree(tx, b, AGREEMENT_REFERRAL, &low, idle);
    b->fee = agree(tx, b, AGREEMENT_FEE, &fee, STR(""));
    b->late = agree(tx, b, AGREEMENT_FEE, &late, STR(""));
    return RC_OK;
}

/* 5 % of 100.00 are 5.00: 7.34 more where no less than 12.34 was promised. */
static enum rc first_month(struct tx *tx, void *arg)
{
    struct bounded *b = arg;
    struct rows rows;
    struct ledger *l = b->w.books.l;
    BALANCE(b->op, "EUR", account_of(tx, "Commission", b->low), -500);
    BALANCE(b->op, "EUR", account_of(tx, "AP", b->low), -734);
    BALANCE(b->low, "EUR", STR("Income:Commission"), -734);
    BALANCE(b->op, "EUR", account_of(tx, "Commission", b->high), -500);
    BALANCE(b->op, "EUR", account_of(tx, "Commission", b->none), 0);
    BALANCE(b->op, "EUR", account_of(tx, "AP", b->none), 0);
    BALANCE(b->op, "EUR", account_of(tx, "AP", b->fee), -1050); /* not 14.00 */
    BALANCE(b->op, "EUR", account_of(tx, "AP", b->late), 0);
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(*) FROM share WHERE document = 0 AND kind = $1",
                    V(share_origins[SHARE_OF_REFERRAL])));
    ck_assert_int_eq(row_int(&rows, 0, 0), 1);
    return RC_OK;
}

/* Again is without effect. */
static enum rc again(struct tx *tx, void *arg)
{
    struct bounded *b = arg;
    struct rows rows;
    bool done = false;
    OK(tx, sql_rows(tx, &rows, "SELECT MAX(close_no) FROM share"));
    OK(tx, floor_close(tx, b->w.books.l, row_int(&rows, 0, 0), NULL, &done));
    ck_assert(done);
    return first_month(tx, arg);
}

static enum rc second_month(struct tx *tx, void *arg)
{
    struct bounded *b = arg;
    struct ledger *l = b->w.books.l;
    BALANCE(b->op, "EUR", account_of(tx, "AP", b->low), -2 * 734);
    BALANCE(b->op, "EUR", account_of(tx, "AP", b->fee), -2 * 1050);
    BALANCE(b->op, "EUR", account_of(tx, "AP", b->late), -200);
    return RC_OK;
}

START_TEST(a_rule_brings_no_less_and_no_more_than_was_agreed_for_a_period)
{
    struct bounded *b = calloc(1, sizeof *b);
    ASSERT(b != NULL);
    settle_world_open(&b->w);
    world_write(&b->w.books.world, define, b, RC_OK);
    (void)settle_close(&b->w, "2026-12", JANUARY);
    world_write(&b->w.books.world, first_month, b, RC_OK);
    world_write(&b->w.books.world, again, b, RC_OK);
    (void)settle_close(&b->w, "2027-01", FEBRUARY);
    world_write(&b->w.books.world, second_month, b, RC_OK);
    settle_world_close(&b->w);
    free(b);
}
END_TEST

/* December's floor of the one was passed by, and is raised by January's close with its own. */
static enum rc pass_by_in(struct tx *tx, void *arg)
{
    struct bounded *b = arg;
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT id FROM agreement WHERE kind = 'referral' AND to_party = $1",
                    V(b->low)));
    ck_assert_uint_eq(rows.count, 1);
    struct str name =
        arena_fmt(tx->arena, "floor of agreement %.*s in close 1", STRF(row_str(&rows, 0, 0)));
    OK(tx, sql_run(tx,
                   "INSERT INTO close_stuck (step, what, close_no, exception) "
                   "VALUES ('statements', $1, 1, 'cex')",
                   V(name)));
    return RC_OK;
}

static enum rc nothing_raised(struct tx *tx, void *arg)
{
    struct bounded *b = arg;
    struct ledger *l = b->w.books.l;
    BALANCE(b->op, "EUR", account_of(tx, "Commission", b->low), -500);
    BALANCE(b->op, "EUR", account_of(tx, "AP", b->low), 0);
    BALANCE(b->op, "EUR", account_of(tx, "AP", b->fee), -1050);
    return RC_OK;
}

START_TEST(a_floor_that_was_passed_by_is_raised_by_the_next_close)
{
    struct bounded *b = calloc(1, sizeof *b);
    ASSERT(b != NULL);
    settle_world_open(&b->w);
    world_write(&b->w.books.world, define, b, RC_OK);
    world_write(&b->w.books.world, pass_by_in, b, RC_OK);
    (void)settle_close(&b->w, "2026-12", JANUARY);
    world_write(&b->w.books.world, nothing_raised, b, RC_OK);
    (void)settle_close(&b->w, "2027-01", FEBRUARY);
    world_write(&b->w.books.world, second_month, b, RC_OK);
    settle_world_close(&b->w);
    free(b);
}
END_TEST

/* --- what a producer leaves with the operator --- */

static void leave(struct tx *tx, const struct bounded *b, const struct rule *rule)
{
    struct agreement fresh = {
        .kind = AGREEMENT_FEE,
        .from = b->agent,
        .to = b->op,
        .terms = {.tax = TREATMENT_NONE, .rules = {(void *)(uintptr_t)rule, 1}}};
    (void)make_agreement(tx, &fresh);
}

static enum rc produced_define(struct tx *tx, void *arg)
{
    struct bounded *b = arg;
    struct close_world *w = &b->w;
    const struct rule most = {
        .kind = RULE_FIXED, .value = STR("7"), .label = STR("Most"), .cap = STR("10.50")};
    const struct rule least = {
        .kind = RULE_PERCENT, .value = STR("1"), .label = STR("Least"), .floor = STR("5.00")};
    b->op = keep(w, books_party(tx, "Op", "FR", true));
    b->agent = keep(w, books_party(tx, "Producer", "FR", true));
    OK(tx, permission_seed(tx));
    struct str plan = make_flat(tx, b->op, "vm", "VM", "100.00", "EUR");
    leave(tx, b, &most);
    leave(tx, b, &least);
    for (int i = 0; i < CLIENTS; i++) {
        struct subscription s;
        struct str client = books_party(tx, "Client", "FR", false);
        struct subscription fresh = {.agreement = make_supply(tx, b->op, client, STR(""), STR("")),
                                     .plan = plan,
                                     .producer = b->agent,
                                     .quantity = STR("1")};
        OK(tx, subscription_create(tx, &fresh, &s));
    }
    return RC_OK;
}

/* Of 200.00: 10.50 and not 14.00 stay, and 1 % of them; 3.00 more are owed, as it is no less than
 * 5.00. Each month by itself. */
static enum rc produced_in(struct tx *tx, void *arg)
{
    struct bounded *b = arg;
    struct ledger *l = b->w.books.l;
    int64_t months = ++b->months;
    BALANCE(b->op, "EUR", account_of(tx, "Commission", b->agent),
            -months * (20000 - 1050 - 2 * 100));
    BALANCE(b->agent, "EUR", STR("Expense:Least"), months * 300);
    BALANCE(b->agent, "EUR", account_of(tx, "AP", b->op), -months * 300);
    BALANCE(b->agent, "EUR", STR("Expense:Most"), 0);
    return RC_OK;
}

START_TEST(a_fee_that_stays_with_the_operator_has_its_bounds_too)
{
    struct bounded *b = calloc(1, sizeof *b);
    ASSERT(b != NULL);
    settle_world_open(&b->w);
    world_write(&b->w.books.world, produced_define, b, RC_OK);
    (void)settle_close(&b->w, "2026-12", JANUARY);
    world_write(&b->w.books.world, produced_in, b, RC_OK);
    (void)settle_close(&b->w, "2027-01", FEBRUARY);
    world_write(&b->w.books.world, produced_in, b, RC_OK);
    settle_world_close(&b->w);
    free(b);
}
END_TEST

Suite *floor_suite(void);
Suite *floor_suite(void)
{
    Suite *s = suite_create("floor");
    TCase *t = tcase_create("floor");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_rule_brings_no_less_and_no_more_than_was_agreed_for_a_period);
    tcase_add_test(t, a_floor_that_was_passed_by_is_raised_by_the_next_close);
    tcase_add_test(t, a_fee_that_stays_with_the_operator_has_its_bounds_too);
    suite_add_tcase(s, t);
    return s;
}
