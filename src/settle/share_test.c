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

/* --- margins of part payments --- */

enum { RUNS = 60, TIERS_AT_MOST = 8, PARTS_AT_MOST = 6 };

struct split {
    struct document_row invoice;
    size_t count;
    struct share shares[TIERS_AT_MOST];
};

static struct share margin(const struct document_row *invoice, struct str party, size_t tier,
                           int64_t amount)
{
    return (struct share){.rule = (int64_t)tier,
                          .origin = SHARE_OF_MARGIN,
                          .payer = POSTING_CLEARING,
                          .payee = party,
                          .document = invoice->no,
                          .label = STR("Margin"),
                          .note = STR("margin"),
                          .currency = invoice->currency,
                          .base = amount,
                          .weight = amount,
                          .amount = amount,
                          .booked = true};
}

/* Of a net without tax each tier has something; some lose by it, and the last has the rest. */
static void split_open(struct tx *tx, struct ledger *l, struct clock_sim *chance, struct str op,
                       struct str client, struct split *s)
{
    int64_t net = property_between(chance, 2, 3000);
    struct document_sum sum = {.income = STR("VPS"), .amount = net};
    *s = (struct split){.invoice = {.code = DOCUMENT_INVOICE,
                                    .issuer = op,
                                    .recipient = client,
                                    .currency = currency_find(STR("USD"))}};
    books_finalise(tx, &s->invoice, &sum, 1);
    ck_assert_int_eq(s->invoice.gross, net);
    s->count = (size_t)property_between(chance, 2, TIERS_AT_MOST);
    int64_t left = net;
    for (size_t k = 0; k < s->count; k++) {
        int64_t part = k + 1 == s->count ? left : property_between(chance, -net / 4, net / 2);
        s->shares[k] = margin(&s->invoice, op, k, part);
        left -= part;
    }
    OK(tx, share_accrue(tx, l, s->shares, s->count, net, 0));
}

/* What is earned is not more than what came in, and all of it where all did. */
static void check_split(struct tx *tx, const struct split *s, uint64_t seed, int run)
{
    struct share *shares = NULL;
    size_t count = 0;
    int64_t sum = 0;
    int64_t worth = 0;
    const struct document_row *d = &s->invoice;
    OK(tx,
       share_of_document(tx, d->no, (struct share_page){.limit = TIERS_AT_MOST}, &shares, &count));
    for (size_t i = 0; i < count; i++) {
        sum += shares[i].earned;
        worth += shares[i].amount - shares[i].voided;
    }
    HOLDS(worth == d->gross - d->credited, SEED_FMT "run %d: shares of %lld, the rest is %lld",
          seed, run, (long long)worth, (long long)(d->gross - d->credited));
    HOLDS(sum <= d->paid, SEED_FMT "run %d: %lld is earned of %lld that came in", seed, run,
          (long long)sum, (long long)d->paid);
    HOLDS(d->paid < worth || sum == worth, SEED_FMT "run %d: %lld is earned of %lld, all paid",
          seed, run, (long long)sum, (long long)worth);
}

static void credit_some(struct tx *tx, struct ledger *l, struct clock_sim *chance, struct split *s)
{
    struct share parts[TIERS_AT_MOST];
    int64_t sum = 0;
    int64_t left = s->invoice.gross - s->invoice.credited - s->invoice.paid;
    for (size_t k = 0; k < s->count; k++) {
        parts[k] = s->shares[k];
        parts[k].amount = property_between(chance, 0, max_i64(left, 0));
        left -= parts[k].amount;
        sum += parts[k].amount;
    }
    s->invoice.credited += sum;
    OK(tx, share_credit(tx, l, &s->invoice, parts, s->count));
}

BOOKS_TEST(tiers_never_earn_a_cent_that_has_not_come_in)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    struct str op = books_party(tx, "Op", "US", true);
    struct str client = books_party(tx, "Client", "US", true);
    for (int run = 0; run < RUNS; run++) {
        struct split s;
        split_open(tx, l, &chance, op, client, &s);
        for (int i = 0; i < PARTS_AT_MOST; i++) {
            int64_t left = s.invoice.gross - s.invoice.credited - s.invoice.paid;
            bool credits = clock_sim_below(&chance, 4) == 0;
            if (credits)
                credit_some(tx, l, &chance, &s);
            else
                s.invoice.paid +=
                    i + 1 == PARTS_AT_MOST ? left : property_between(&chance, 0, left);
            OK(tx, share_follow(tx, &s.invoice));
            check_split(tx, &s, seed, run);
        }
        s.invoice.paid = s.invoice.gross - s.invoice.credited;
        OK(tx, share_follow(tx, &s.invoice));
        check_split(tx, &s, seed, run);
    }
}

/* --- what has no weight --- */

static struct share in_store(struct tx *tx, const struct document_row *invoice, size_t want)
{
    struct share *shares = NULL;
    size_t count = 0;
    OK(tx, share_of_document(tx, invoice->no, (struct share_page){.limit = SHARES_OF_DOCUMENT_MAX},
                             &shares, &count));
    ck_assert_uint_eq(count, want);
    return shares[count - 1];
}

static struct document_row sold(struct tx *tx, struct str op, struct str client, int64_t net)
{
    struct document_sum sum = {.income = STR("VPS"), .amount = net};
    struct document_row invoice = {.code = DOCUMENT_INVOICE,
                                   .issuer = op,
                                   .recipient = client,
                                   .currency = currency_find(STR("USD"))};
    books_finalise(tx, &invoice, &sum, 1);
    return invoice;
}

/* A machine that is free to its client costs 0.50 of energy all the same, until it is credited. */
BOOKS_TEST(a_share_of_what_cost_nothing_is_taken_back_with_it)
{
    struct str op = books_party(tx, "Op", "US", true);
    struct str client = books_party(tx, "Client", "US", true);
    struct str agent = books_party(tx, "Agent", "US", true);
    struct document_row invoice = sold(tx, op, client, 1000);
    struct share s = commission(tx, &invoice, agent);
    s.weight = s.base = 0;
    s.earn = EARN_ON_INVOICE;
    OK(tx, share_accrue(tx, l, &s, 1, invoice.gross, 0));
    struct share part = s;
    part.amount = 30; /* of one machine of two */
    OK(tx, share_credit(tx, l, &invoice, &part, 1));
    ck_assert_int_eq(in_store(tx, &invoice, 1).voided, 30);
    OK(tx, share_credit(tx, l, &invoice, &part, 1));
    ck_assert_int_eq(in_store(tx, &invoice, 1).voided, 50); /* never more than there is */
    ck_assert_int_eq(in_store(tx, &invoice, 1).earned, 0);
    BALANCE(op, "USD", account_of(tx, "Commission", agent), 0);
}

BOOKS_TEST(nothing_is_left_of_any_share_of_an_invoice_that_is_wholly_credited)
{
    struct str op = books_party(tx, "Op", "US", true);
    struct str client = books_party(tx, "Client", "US", true);
    struct str agent = books_party(tx, "Agent", "US", true);
    struct document_row invoice = sold(tx, op, client, 1000);
    struct share s = commission(tx, &invoice, agent); /* a bounty: its part is nothing */
    s.weight = s.base = 0;
    OK(tx, share_accrue(tx, l, &s, 1, invoice.gross, 0));
    struct share part = s;
    part.amount = 0;
    OK(tx, share_credit(tx, l, &invoice, &part, 1));
    ck_assert_int_eq(in_store(tx, &invoice, 1).voided, 0);
    invoice.credited = invoice.gross;
    invoice.state = DOCUMENT_CREDITED;
    OK(tx, share_credit(tx, l, &invoice, &part, 1));
    ck_assert_int_eq(in_store(tx, &invoice, 1).voided, 50);
    ALL_ZERO();
}

/* 0.50 for one line, and as much given back for another: no share, until the first is credited. */
BOOKS_TEST(what_added_up_to_no_share_is_taken_back_below_nothing)
{
    struct str op = books_party(tx, "Op", "US", true);
    struct str client = books_party(tx, "Client", "US", true);
    struct str agent = books_party(tx, "Agent", "US", true);
    struct document_row invoice = sold(tx, op, client, 1000);
    struct share s = commission(tx, &invoice, agent);
    s.earn = EARN_ON_INVOICE;
    struct share none = s;
    none.amount = 0;
    OK(tx, share_accrue(tx, l, &none, 1, invoice.gross, 0));
    OK(tx, share_credit(tx, l, &invoice, &s, 1));
    ck_assert_int_eq(in_store(tx, &invoice, 1).amount, 0);
    ck_assert_int_eq(in_store(tx, &invoice, 1).earned, -50);
    BALANCE(op, "USD", account_of(tx, "Commission", agent), 50);
    OK(tx, share_credit(tx, l, &invoice, &s, 1)); /* the same share goes on */
    ck_assert_int_eq(in_store(tx, &invoice, 1).earned, -100);
}

Suite *share_suite(void);
Suite *share_suite(void)
{
    Suite *s = suite_create("share");
    TCase *t = tcase_create("share");
    tcase_add_test(t, an_invoice_of_which_less_than_nothing_is_left_is_followed);
    tcase_add_test(t, tiers_never_earn_a_cent_that_has_not_come_in);
    tcase_add_test(t, a_share_of_what_cost_nothing_is_taken_back_with_it);
    tcase_add_test(t, nothing_is_left_of_any_share_of_an_invoice_that_is_wholly_credited);
    tcase_add_test(t, what_added_up_to_no_share_is_taken_back_below_nothing);
    suite_add_tcase(s, t);
    return s;
}
