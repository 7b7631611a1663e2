#include "settle/share.h"

#include "billing/books_fixture.h"

static struct share commission(struct tx *tx, const struct document_row *invoice, struct str to)
{
    struct share s = {.rule = 0,
                      .origin = SHARE_OF_REFERRAL,
                      .payer = invoice->issuer,
                      .payee = to,
                      .document = invoice->no,
                      .label = STR("Commission"),
                      .note = arena_fmt(tx->arena, "5 %%"),
                      .currency = invoice->currency,
                      .base = 1000,
                      .weight = 1000,
                      .amount = 50};
    return s;
}

static int64_t earned_of(struct tx *tx, const struct document_row *invoice)
{
    struct share *shares = NULL;
    size_t count = 0;
    OK(tx, share_of_document(tx, invoice->no, (struct share_page){.limit = SHARES_OF_DOCUMENT_MAX},
                             &shares, &count));
    ck_assert_uint_eq(count, 1);
    return shares[0].earned;
}

/* 15.00 were sold and 5.00 of an earlier month given back: 10.00. Once the 15.00 are credited less
 * than nothing is left of the invoice. */
BOOKS_TEST(an_invoice_of_which_less_than_nothing_is_left_is_followed)
{
    struct str op = books_party(tx, "Op", "US", true);
    struct str client = books_party(tx, "Client", "US", true);
    struct str agent = books_party(tx, "Agent", "US", true);
    struct document_row invoice = {.code = DOCUMENT_INVOICE,
                                   .issuer = op,
                                   .recipient = client,
                                   .currency = currency_find(STR("USD"))};
    struct document_sum sums[] = {{.income = STR("VPS"), .amount = 1500},
                                  {.income = STR("Late"), .amount = -500}};
    books_finalise(tx, &invoice, sums, COUNT(sums));
    struct share s = commission(tx, &invoice, agent);
    OK(tx, share_accrue(tx, l, &s, 1, invoice.gross, 0));
    ck_assert_int_eq(earned_of(tx, &invoice), 0);
    invoice.credited = 1500;
    OK(tx, share_follow(tx, &invoice));
    ck_assert_int_eq(earned_of(tx, &invoice), 0);
    invoice.paid = -250; /* half of what is to be paid back */
    OK(tx, share_follow(tx, &invoice));
    ck_assert_int_eq(earned_of(tx, &invoice), 25);
    invoice.paid = -800;
    OK(tx, share_follow(tx, &invoice));
    ck_assert_int_eq(earned_of(tx, &invoice), 50);
    invoice.credited = 1000; /* nothing is left: it is paid as it stands */
    OK(tx, share_follow(tx, &invoice));
    ck_assert_int_eq(earned_of(tx, &invoice), 50);
}

Suite *share_suite(void);
Suite *share_suite(void)
{
    Suite *s = suite_create("share");
    TCase *t = tcase_create("share");
    tcase_add_test(t, an_invoice_of_which_less_than_nothing_is_left_is_followed);
    suite_add_tcase(s, t);
    return s;
}
