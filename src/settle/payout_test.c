/*
 * payout_test.c - payouts of more payees than a unit of work has room for, and of one that has no
 * bank account yet.
 */
#include "settle/settle_fixture.h"

enum { PAYEES = 1003, AT_ONCE = 100, WORTH = 10 };

struct many {
    struct close_world w;
    struct str op;
    struct str first;
    int64_t made;
    struct settlement_progress at;
    int64_t units; /* of work */
};

static const struct settlement run_all = {.id = {"all", 3}};

/* A statement of a payee; its shares are of no matter here. */
static void owe(struct tx *tx, struct many *m, struct str payee)
{
    OK(tx, sql_run(tx,
                   "INSERT INTO statement (no, id, payee, payer, period, currency, accrued, "
                   "earned, clawed_back, waiting, payable, document, close, payout, created) "
                   "VALUES ($1, $2, $3, $4, '2026-12', 'EUR', $5, $5, 0, 0, $5, NULL, NULL, NULL, "
                   "$6)",
                   V(m->made), V(arena_fmt(tx->arena, "stm_%lld", (long long)m->made)), V(payee),
                   V(m->op), V((int64_t)WORTH), V(tx->now)));
}

static enum rc define(struct tx *tx, void *arg)
{
    struct many *m = arg;
    m->op = keep(&m->w, books_party(tx, "Op", "FR", true));
    OK(tx, permission_seed(tx));
    return RC_OK;
}

static enum rc fill(struct tx *tx, void *arg)
{
    struct many *m = arg;
    for (int i = 0; i < AT_ONCE && m->made < PAYEES; i++) {
        struct str payee = books_party(tx, "Payee", "FR", true);
        if (m->made++ == 0)
            m->first = keep(&m->w, payee);
        owe(tx, m, payee);
    }
    return RC_OK;
}

static enum rc some(struct tx *tx, void *arg)
{
    struct many *m = arg;
    struct settlement order = run_all;
    order.party = m->op;
    m->units++;
    return settlement_some(tx, m->w.books.l, &order, &m->at);
}

static enum rc all_have_one(struct tx *tx, void *arg)
{
    struct many *m = arg;
    struct rows rows;
    struct settlement run;
    struct settlement order = run_all;
    order.party = m->op;
    OK(tx, settlement_end(tx, &order, &m->at, &run));
    ck_assert_int_eq(run.payouts, PAYEES);
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(DISTINCT payee), SUM(amount), COUNT(*) FROM payout"));
    ck_assert_int_eq(row_int(&rows, 0, 0), PAYEES);
    ck_assert_int_eq(row_int(&rows, 0, 1), PAYEES * WORTH);
    ck_assert_int_eq(row_int(&rows, 0, 2), PAYEES);
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(*) FROM statement WHERE payout IS NULL"));
    ck_assert_int_eq(row_int(&rows, 0, 0), 0);
    return RC_OK;
}

/* Without an account nothing is sent; with one the same payout is. */
static enum rc opens_an_account(struct tx *tx, void *arg)
{
    struct many *m = arg;
    struct ledger *l = m->w.books.l;
    struct page page;
    struct payout p;
    OK(tx, payout_list(tx, m->first, &(struct page_query){0}, &page));
    ck_assert_uint_eq(page.items.count, 1);
    struct str id = ((const struct payout *)page.items.items)->id;
    OK(tx, payout_approve(tx, id, STR("usr_a"), &p));
    FAILS(tx, RC_CONFLICT, NULL, payout_release(tx, l, id, STR("usr_b"), &p));
    set_bank(tx, m->first, "FR1420041010050500013M02606");
    OK(tx, payout_release(tx, l, id, STR("usr_b"), &p));
    ck_assert_int_eq(p.state, PAYOUT_SENT);
    SAME(p.iban, STR("FR1420041010050500013M02606"));
    BALANCE(m->first, "EUR", STR("Bank"), WORTH);
    return RC_OK;
}

START_TEST(every_payee_has_one_payout_and_may_open_its_account_later)
{
    struct many *m = calloc(1, sizeof *m);
    ASSERT(m != NULL);
    struct world *world = &m->w.books.world;
    settle_world_open(&m->w);
    world_write(world, define, m, RC_OK);
    while (m->made < PAYEES) {
        arena_reset(&world->fixture.arena);
        world_write(world, fill, m, RC_OK);
    }
    while (m->at.step != SETTLEMENT_END) {
        ck_assert_int_lt(m->units, CLOSE_UNITS_MAX);
        arena_reset(&world->fixture.arena);
        world_write(world, some, m, RC_OK);
    }
    ck_assert_int_gt(m->units, 1);
    world_write(world, all_have_one, m, RC_OK);
    world_write(world, opens_an_account, m, RC_OK);
    close_world_close(&m->w); /* the shares that the statements are of are not there */
    free(m);
}
END_TEST

Suite *payout_suite(void);
Suite *payout_suite(void)
{
    Suite *s = suite_create("payout");
    TCase *t = tcase_create("payout");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, every_payee_has_one_payout_and_may_open_its_account_later);
    suite_add_tcase(s, t);
    return s;
}
