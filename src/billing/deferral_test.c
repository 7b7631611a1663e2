#include "billing/deferral.h"

#include "base/clock.h"
#include "billing/books_fixture.h"

#define AT(year, month) (days_from_civil((year), (month), 1) * US_PER_DAY)

/* corrects: what is wholly credited, or empty. */
static struct document invoice_again(struct tx *tx, struct ledger *l, struct str host,
                                     struct str owner, int64_t net, struct str corrects)
{
    struct document made;
    struct document final;
    struct draft_line line = {.subscription = STR("sub_family"),
                              .text = STR("A family of picos for a year"),
                              .income = STR("Picos"),
                              .from = AT(2026, 1),
                              .until = AT(2027, 1),
                              .quantity = {1, 0},
                              .price = {net, 2},
                              .unit = STR("C62"),
                              .net = net,
                              .deferred = true};
    struct draft d = {.code = corrects.n > 0 ? DOCUMENT_CORRECTED : DOCUMENT_INVOICE,
                      .issuer = host,
                      .recipient = owner,
                      .refers_to = corrects,
                      .currency = currency_find(STR("USD")),
                      .lines = &line,
                      .count = 1};
    OK(tx, document_draft(tx, &d, &made));
    OK(tx, document_finalise(tx, l, made.id, &final));
    return final;
}

static struct document invoice_year(struct tx *tx, struct ledger *l, struct str host,
                                    struct str owner, int64_t net)
{
    return invoice_again(tx, l, host, owner, net, STR(""));
}

static void recognise(struct tx *tx, struct ledger *l, time_us until)
{
    bool done = false;
    OK(tx, deferral_recognise(tx, l, &(struct deferral_span){until, 100, NULL}, &done));
    ck_assert(done);
}

BOOKS_TEST(recognition_adds_up_whatever_the_steps)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    struct str a = books_party(tx, "HostA", "US", true);
    struct str owner = books_party(tx, "Owner", "US", false);
    int64_t all = 0;
    for (int run = 0; run < 20; run++) {
        int64_t net = property_between(&chance, 1, 100000);
        (void)invoice_year(tx, l, a, owner, net);
        all += net;
        time_us at = AT(2026, 1);
        while (at < AT(2027, 1)) {
            at += property_between(&chance, 1, 90 * US_PER_DAY);
            recognise(tx, l, at);
            recognise(tx, l, at);
        }
        int64_t income = books_balance_of(tx, l, a, "USD", STR("Income:Picos"));
        HOLDS(income == -all, SEED_FMT "run %d: %lld of %lld", seed, run, (long long)income,
              (long long)all);
    }
    BALANCE(a, "USD", STR("Deferred"), 0);
}

BOOKS_TEST(limits_cut_the_work_and_lose_nothing)
{
    struct str a = books_party(tx, "HostA", "US", true);
    struct str owner = books_party(tx, "Owner", "US", false);
    bool done = false;
    int steps = 0;
    for (int i = 0; i < 5; i++)
        (void)invoice_year(tx, l, a, owner, 1200);
    while (!done) {
        OK(tx, deferral_recognise(tx, l, &(struct deferral_span){AT(2026, 7), 2, NULL}, &done));
        steps++;
    }
    ck_assert_int_eq(steps, 3);
    BALANCE(a, "USD", STR("Income:Picos"), -5 * 595); /* R(12.00 x 181 / 365) */
}

BOOKS_TEST(a_credit_note_takes_back_what_waits_and_what_was_earned)
{
    struct str a = books_party(tx, "HostA", "US", true);
    struct str owner = books_party(tx, "Owner", "US", false);
    struct document invoice = invoice_year(tx, l, a, owner, 9000);
    struct document credit;
    struct credit_line part = {.line = 1, .net = STR("45.00")};
    recognise(tx, l, AT(2026, 7));
    OK(tx, document_credit(tx, l, NULL, &(struct credit_request){invoice.id, &part, 1, STR("")},
                           &credit));
    BALANCE(a, "USD", account_of(tx, "AR", owner), 4500);
    BALANCE(a, "USD", STR("Income:Picos"), -2232); /* R(45.00 x 181 / 365) = 22.32 */
    BALANCE(a, "USD", STR("Deferred"), -2268);
    OK(tx, document_credit(tx, l, NULL, &(struct credit_request){invoice.id, NULL, 0, STR("")},
                           &credit));
    ALL_ZERO();
    recognise(tx, l, AT(2028, 1));
    ALL_ZERO();
}

BOOKS_TEST(a_corrected_invoice_waits_like_the_one_that_it_corrects)
{
    struct str a = books_party(tx, "HostA", "US", true);
    struct str owner = books_party(tx, "Owner", "US", false);
    struct document wrong = invoice_year(tx, l, a, owner, 9000);
    struct document credit;
    OK(tx, document_credit(tx, l, NULL, &(struct credit_request){.id = wrong.id}, &credit));
    (void)invoice_again(tx, l, a, owner, 8000, wrong.id);
    BALANCE(a, "USD", STR("Deferred"), -8000);
    recognise(tx, l, AT(2028, 1));
    BALANCE(a, "USD", STR("Deferred"), 0);
    BALANCE(a, "USD", STR("Income:Picos"), -8000);
}

Suite *deferral_suite(void);
Suite *deferral_suite(void)
{
    Suite *s = suite_create("deferral");
    TCase *c = tcase_create("deferral");
    tcase_add_test(c, recognition_adds_up_whatever_the_steps);
    tcase_add_test(c, limits_cut_the_work_and_lose_nothing);
    tcase_add_test(c, a_credit_note_takes_back_what_waits_and_what_was_earned);
    tcase_add_test(c, a_corrected_invoice_waits_like_the_one_that_it_corrects);
    suite_add_tcase(s, c);
    return s;
}
