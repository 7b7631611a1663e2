#include "settle/fee.h"

#include "settle/settle_fixture.h"

struct fees {
    struct close_world w;
    struct str op, platform;
};

enum { FEE_CLIENTS = 3 };

static enum rc define(struct tx *tx, void *arg)
{
    struct fees *f = arg;
    struct rule rule = {.kind = RULE_PER_UNIT, .value = STR("3.125"), .label = STR("Platform")};
    f->op = keep(&f->w, books_party(tx, "Op", "FR", true));
    f->platform = keep(&f->w, books_party(tx, "Platform", "FR", true));
    OK(tx, permission_seed(tx));
    struct str plan = make_flat(tx, f->op, "vm", "VM", "12.50", "EUR");
    struct agreement fee = {.kind = AGREEMENT_FEE,
                            .from = f->op,
                            .to = f->platform,
                            .terms = {.tax = TREATMENT_NONE, .rules = {&rule, 1}}};
    (void)make_agreement(tx, &fee);
    for (int i = 0; i < FEE_CLIENTS; i++) {
        struct str client = books_party(tx, "Client", "FR", false);
        struct str supply = make_supply(tx, f->op, client, STR(""), STR(""));
        (void)make_subscription(tx, supply, plan, "1", 0);
    }
    return RC_OK;
}

/* 3 x 3.125 = 9.375: 9.38, and not three times 3.13 (specs/billing.md 3.6). */
static enum rc booked(struct tx *tx, void *arg)
{
    struct fees *f = arg;
    struct ledger *l = f->w.books.l;
    struct rows rows;
    BALANCE(f->op, "EUR", STR("Expense:Platform"), 938);
    BALANCE(f->op, "EUR", account_of(tx, "AP", f->platform), -938);
    BALANCE(f->platform, "EUR", account_of(tx, "AR", f->op), 938);
    OK(tx, sql_rows(tx, &rows, "SELECT agreement FROM fee_sum LIMIT 1"));
    ck_assert_uint_eq(rows.count, 0);
    return RC_OK;
}

START_TEST(fees_of_a_close_are_rounded_once_and_owed_at_its_end)
{
    struct fees *f = calloc(1, sizeof *f);
    ASSERT(f != NULL);
    settle_world_open(&f->w);
    world_write(&f->w.books.world, define, f, RC_OK);
    (void)settle_close(&f->w, "2026-12", JANUARY);
    world_write(&f->w.books.world, booked, f, RC_OK);
    close_world_close(&f->w);
    free(f);
}
END_TEST

Suite *fee_suite(void);
Suite *fee_suite(void)
{
    Suite *s = suite_create("fee");
    TCase *t = tcase_create("fee");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, fees_of_a_close_are_rounded_once_and_owed_at_its_end);
    suite_add_tcase(s, t);
    return s;
}
