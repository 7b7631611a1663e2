#include "settle/once.h"

#include "channel/owed.h"
#include "settle/settle_fixture.h"

struct works {
    struct close_world w;
    struct str op, pop, si;
    struct str hands;
};

static enum rc define(struct tx *tx, void *arg)
{
    struct works *f = arg;
    struct rule rule = {.kind = RULE_FIXED, .value = STR("20"), .label = STR("HwMgmt")};
    f->op = keep(&f->w, books_party(tx, "Op", "FR", true));
    f->pop = keep(&f->w, books_party(tx, "Pop", "FR", true));
    f->si = keep(&f->w, books_party(tx, "Si", "FR", true));
    OK(tx, permission_seed(tx));
    struct agreement hands = {
        .kind = AGREEMENT_COST,
        .from = f->pop,
        .to = f->si,
        .terms = {.tax = TREATMENT_NONE, .payment_days = 14, .rules = {&rule, 1}}};
    f->hands = keep(&f->w, make_agreement(tx, &hands));
    return RC_OK;
}

static enum rc done_in(struct tx *tx, void *arg)
{
    struct works *f = arg;
    struct owed o = {.reference = id_new(tx->ids, tx->arena, "wko"),
                     .agreement = f->hands,
                     .terms = 1,
                     .label = STR("Work"),
                     .note = STR("Replace RAM, n1"),
                     .amount = 3000};
    OK(tx, owed_put(tx, &o));
    return RC_OK;
}

static void check_books(struct tx *tx, struct works *f, int64_t paid)
{
    struct ledger *l = f->w.books.l;
    BALANCE(f->pop, "EUR", STR("Expense:Work"), paid);
    BALANCE(f->pop, "EUR", account_of(tx, "AP", f->si), -paid);
    BALANCE(f->si, "EUR", account_of(tx, "AR", f->pop), paid);
    BALANCE(f->si, "EUR", STR("Income:Work"), -paid);
}

static enum rc paid_once(struct tx *tx, void *arg)
{
    struct page page;
    struct page_query q = {0};
    struct works *f = arg;
    check_books(tx, f, 3000);
    OK(tx, share_list(tx, f->si, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    const struct share_row *row = page.items.items;
    SAME(row->origin, STR("work"));
    SAME(row->text, STR("Replace RAM, n1"));
    return RC_OK;
}

static enum rc paid_twice(struct tx *tx, void *arg)
{
    check_books(tx, arg, 6000);
    return RC_OK;
}

/* What was done after the month belongs to the next. */
START_TEST(what_was_done_is_paid_by_the_close_of_its_month)
{
    struct works *f = calloc(1, sizeof *f);
    ASSERT(f != NULL);
    settle_world_open(&f->w);
    world_write(&f->w.books.world, define, f, RC_OK);
    world_write(&f->w.books.world, done_in, f, RC_OK);
    f->w.books.world.clock.at = JANUARY + US_PER_DAY;
    world_write(&f->w.books.world, done_in, f, RC_OK);
    (void)settle_close(&f->w, "2026-12", JANUARY + US_PER_DAY);
    world_write(&f->w.books.world, paid_once, f, RC_OK);
    (void)settle_close(&f->w, "2027-01", FEBRUARY + US_PER_DAY);
    world_write(&f->w.books.world, paid_twice, f, RC_OK);
    settle_world_close(&f->w);
    free(f);
}
END_TEST

Suite *once_suite(void);
Suite *once_suite(void)
{
    Suite *s = suite_create("once");
    TCase *t = tcase_create("once");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_was_done_is_paid_by_the_close_of_its_month);
    suite_add_tcase(s, t);
    return s;
}
