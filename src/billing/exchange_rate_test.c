/*
 * exchange_rate_test.c - EN 16931 BT-111: the tax of an invoice in the currency in which its seller
 * accounts for it, on the document and in the books.
 */
#include "billing/exchange_rate.h"

#include "billing/books_fixture.h"
#include "billing/close.h"
#include "billing/document_make.h"
#include "billing/document_text.h"

enum { WORLDS = 40, LINES = 4 };

/* --- fixture --- */

static struct exchange_rate enter(struct tx *tx, struct str party, const char *from, const char *to,
                                  const char *rate, const char *date)
{
    struct exchange_rate made;
    struct exchange_rate fresh = {.from = str_c(from),
                                  .to = str_c(to),
                                  .rate = str_c(rate),
                                  .date = str_c(date),
                                  .source = STR("ECB reference rate")};
    OK(tx, exchange_rate_create(tx, party, &fresh, &made));
    return made;
}

static void account_in(struct tx *tx, struct str party, const char *currency)
{
    struct party p;
    struct party patch = {.set = UINT64_C(1) << schema_find(&party_schema, STR("tax_currency")),
                          .tax_currency = str_c(currency)};
    OK(tx, party_change(tx, party, 0, &patch, &p));
    SAME(p.tax_currency, str_c(currency));
}

static struct draft draft_of(struct str issuer, struct str recipient,
                             const struct draft_line *lines, size_t count)
{
    return (struct draft){.code = DOCUMENT_INVOICE,
                          .issuer = issuer,
                          .recipient = recipient,
                          .currency = currency_find(STR("USD")),
                          .payment_days = 30,
                          .lines = lines,
                          .count = count};
}

static struct draft_line line_of(const char *income, int64_t net, enum tax_class class)
{
    return (struct draft_line){.text = STR("Something"),
                               .income = str_c(income),
                               .quantity = {1, 0},
                               .unit = STR("C62"),
                               .price = {net, 2},
                               .net = net,
                               .tax_class = class};
}

static struct document final_of(struct tx *tx, struct ledger *l, const struct draft *d)
{
    struct document made;
    struct document final;
    OK(tx, document_draft(tx, d, &made));
    OK(tx, document_finalise(tx, l, made.id, &final));
    return final;
}

static struct document credit(struct tx *tx, struct ledger *l, struct str id, int64_t line,
                              const char *net)
{
    struct document made;
    const struct credit_line part = {.line = line, .net = str_c(net)};
    const struct credit_request all = {.id = id};
    const struct credit_request some = {.id = id, .lines = &part, .count = 1};
    OK(tx, document_credit(tx, l, NULL, line == 0 ? &all : &some, &made));
    return made;
}

/* --- rates --- */

BOOKS_TEST(the_latest_rate_of_the_seller_or_else_of_the_operator_holds)
{
    struct exchange x;
    const struct currency *usd = currency_find(STR("USD"));
    const struct currency *eur = currency_find(STR("EUR"));
    struct str op = books_party(tx, "Op", "FR", true);
    struct str seller = books_party(tx, "Seller", "FR", true);
    int64_t day = 0;
    bool ok = day_parse(STR("2026-11-22"), &day);
    ck_assert(ok);
    FAILS(tx, RC_INVALID, NULL, exchange_rate_find(tx, seller, usd, eur, day, &x));
    (void)enter(tx, op, "EUR", "USD", "1.25", "2026-11-20");
    OK(tx, exchange_rate_find(tx, seller, usd, eur, day, &x));
    ck_assert_int_eq(x.numerator, 4); /* turned round, exactly */
    ck_assert_int_eq(x.denominator, 5);
    (void)enter(tx, op, "USD", "EUR", "0.9", "2026-11-21");
    (void)enter(tx, op, "USD", "EUR", "0.91", "2026-11-21"); /* put right on the same day */
    OK(tx, exchange_rate_find(tx, seller, usd, eur, day, &x));
    ck_assert_int_eq(x.numerator, 91);
    ck_assert_int_eq(x.day, day - 1);
    SAME(x.source, STR("ECB reference rate"));
    (void)enter(tx, seller, "USD", "EUR", "35/38", "2026-11-01"); /* its own, if older */
    OK(tx, exchange_rate_find(tx, seller, usd, eur, day, &x));
    ck_assert_int_eq(x.numerator, 35);
    OK(tx, exchange_rate_find(tx, seller, usd, eur, day + 9, &x));
    ck_assert_int_eq(x.numerator, 35);
    /* 2026-12-02: of the seller's there is none in 31 days. */
    OK(tx, exchange_rate_find(tx, seller, usd, eur, day + 10, &x));
    ck_assert_int_eq(x.numerator, 91);
    FAILS(tx, RC_INVALID, NULL, exchange_rate_find(tx, seller, usd, eur, day + 30, &x));
}

BOOKS_TEST(a_rate_is_entered_once_and_what_is_none_is_refused)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct exchange_rate made;
    struct page page;
    struct exchange_rate first = enter(tx, op, "USD", "EUR", "0.9227", "2026-11-20");
    SAME(enter(tx, op, "USD", "EUR", "0.9227", "2026-11-20").id, first.id);
    SAME(first.rate, STR("0.9227"));
    SAME(first.date, STR("2026-11-20"));
    static const struct {
        const char *field;
        struct exchange_rate rate;
    } wrong[] = {
        {"/from", {.from = STR("XXY"), .to = STR("EUR"), .rate = STR("1")}},
        {"/to", {.from = STR("USD"), .to = STR("E"), .rate = STR("1")}},
        {"/to", {.from = STR("USD"), .to = STR("USD"), .rate = STR("1")}},
        {"/rate", {.from = STR("USD"), .to = STR("EUR"), .rate = STR("0")}},
        {"/rate", {.from = STR("USD"), .to = STR("EUR"), .rate = STR("-1")}},
        {"/rate", {.from = STR("USD"), .to = STR("EUR"), .rate = STR("1.00000000001")}},
        {"/rate", {.from = STR("USD"), .to = STR("EUR"), .rate = STR("1/0")}},
        {"/rate", {.from = STR("USD"), .to = STR("EUR"), .rate = STR("99999999999999999999")}},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct exchange_rate fresh = wrong[i].rate;
        fresh.date = STR("2026-11-20");
        fresh.source = STR("s");
        FAILS(tx, RC_INVALID, wrong[i].field, exchange_rate_create(tx, op, &fresh, &made));
    }
    struct exchange_rate fresh = {.from = STR("USD"), .to = STR("EUR"), .rate = STR("1")};
    fresh.source = STR("s");
    fresh.date = STR("2026-11-24"); /* it is the 22nd */
    FAILS(tx, RC_INVALID, "/date", exchange_rate_create(tx, op, &fresh, &made));
    fresh.date = STR("2026-02-30");
    FAILS(tx, RC_INVALID, "/date", exchange_rate_create(tx, op, &fresh, &made));
    fresh.date = STR("2026-11-20");
    fresh.source = STR("");
    FAILS(tx, RC_INVALID, "/source", exchange_rate_create(tx, op, &fresh, &made));
    FAILS(tx, RC_NOT_FOUND, NULL, exchange_rate_get(tx, STR("exr_none"), &made));
    OK(tx, exchange_rate_list(tx, op, &(struct page_query){0}, &page));
    ck_assert_uint_eq(page.items.count, 1);
}

/* --- documents --- */

/* 195.00 USD with 20 % are 39.00 USD of tax, at 0.9227: 35.9853. */
BOOKS_TEST(the_tax_of_an_invoice_stands_in_the_sellers_currency_too)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", false);
    struct draft_line line = line_of("VPS", 19500, TAX_CLASS_STANDARD);
    struct draft d = draft_of(op, client, &line, 1);
    account_in(tx, op, "EUR");
    (void)enter(tx, op, "USD", "EUR", "0.9227", "2026-11-20");
    struct document i = final_of(tx, l, &d);
    SAME(i.tax, STR("39.00"));
    SAME(i.tax_exchange.currency, STR("EUR"));
    SAME(i.tax_exchange.tax, STR("35.99"));
    SAME(i.tax_exchange.rate, STR("0.9227"));
    SAME(i.tax_exchange.date, STR("2026-11-20"));
    SAME(i.tax_exchange.source, STR("ECB reference rate"));
    SAME(i.tax_exchange.rounding, STR("half away from zero"));
    BALANCE(op, "USD", account_of(tx, "AR", client), 23400);
    BALANCE(op, "USD", STR("Income:VPS"), -19500);
    BALANCE(op, "USD", STR("VAT-Out:FR:200000"), 0); /* it is owed in euros */
    BALANCE(op, "USD", STR("FX:USD-EUR"), -3900);
    BALANCE(op, "EUR", STR("FX:USD-EUR"), 3599);
    BALANCE(op, "EUR", STR("VAT-Out:FR:200000"), -3599);
    BALANCE(client, "USD", account_of(tx, "AP", op), -23400);
    /* What is entered later changes nothing of it; what credits it has its rate. */
    (void)enter(tx, op, "USD", "EUR", "0.5", "2026-11-21");
    SAME(credit(tx, l, i.id, 1, "97.50").tax_exchange.tax, STR("18.00"));
    SAME(credit(tx, l, i.id, 0, "").tax_exchange.tax, STR("17.99"));
    ALL_ZERO();
    OK(tx, document_get(tx, i.id, &i));
    SAME(i.tax_exchange.tax, STR("35.99"));
    d.code = DOCUMENT_CORRECTED;
    d.refers_to = i.id;
    SAME(final_of(tx, l, &d).tax_exchange.rate, STR("0.9227"));
}

BOOKS_TEST(without_a_rate_no_draft_is_made_and_without_tax_none_is_needed)
{
    struct document made;
    struct rows rows;
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", false);
    struct draft_line line = line_of("VPS", 19500, TAX_CLASS_STANDARD);
    struct draft d = draft_of(op, client, &line, 1);
    account_in(tx, op, "EUR");
    FAILS(tx, RC_INVALID, NULL, document_draft(tx, &d, &made));
    OK(tx, sql_rows(tx, &rows, "SELECT no FROM document ORDER BY no LIMIT 1"));
    ck_assert_uint_eq(rows.count, 0);
    line.tax_class = TAX_CLASS_EXEMPT;
    ck_assert(final_of(tx, l, &d).tax_exchange.set == 0);
    line.tax_class = TAX_CLASS_STANDARD;
    d.currency = currency_find(STR("EUR"));
    ck_assert(final_of(tx, l, &d).tax_exchange.set == 0);
    account_in(tx, op, "");
    d.currency = currency_find(STR("USD"));
    ck_assert(final_of(tx, l, &d).tax_exchange.set == 0);
    BALANCE(op, "USD", STR("VAT-Out:FR:200000"), -3900);
}

/* Whatever the rates, the lines and the parts in which they are credited: the parts of BT-111 add
 * up, the books have nothing left, and each document is right by BR-53. */
static void one_world(struct tx *tx, struct ledger *l, struct clock_sim *chance, uint64_t seed)
{
    static const char *const currencies[] = {"EUR", "JPY", "KWD", "CHF"};
    const char *own = currencies[clock_sim_below(chance, COUNT(currencies))];
    struct str op = books_party(tx, "Seller", "DE", true);
    struct str client = books_party(tx, "Client", "DE", false);
    struct draft_line lines[LINES];
    struct document_row row;
    struct document_row part;
    int64_t sum = 0;
    account_in(tx, op, own);
    struct str rate =
        arena_fmt(tx->arena, "%lld/%lld", (long long)property_between(chance, 1, 1000000),
                  (long long)property_between(chance, 1, 1000000));
    (void)enter(tx, op, "USD", own, arena_cstr(tx->arena, rate), "2026-11-20");
    for (size_t i = 0; i < LINES; i++)
        lines[i] = line_of("VPS", property_between(chance, 1, 10000000),
                           i % 2 == 0 ? TAX_CLASS_STANDARD : TAX_CLASS_REDUCED);
    struct draft d = draft_of(op, client, lines, LINES);
    struct document i = final_of(tx, l, &d);
    OK(tx, document_row_find(tx, i.id, &row));
    BALANCE(op, "USD", STR("VAT-Out:DE:190000"), 0);
    BALANCE(op, "USD", STR("VAT-Out:DE:70000"), 0);
    BALANCE(op, own, STR("FX:USD-EUR"), strcmp(own, "EUR") == 0 ? row.exchange.tax : 0);
    for (size_t k = 0; k < LINES; k++) {
        struct str net =
            arena_fmt(tx->arena, "0.%02lld",
                      (long long)property_between(chance, 1, min_i64(lines[k].net, 99)));
        struct document c = credit(tx, l, i.id, (int64_t)k + 1, arena_cstr(tx->arena, net));
        OK(tx, document_row_find(tx, c.id, &part));
        OK(tx, document_check(&part, tx->err));
        sum += part.exchange.tax;
    }
    struct document rest = credit(tx, l, i.id, 0, "");
    OK(tx, document_row_find(tx, rest.id, &part));
    sum += part.exchange.tax;
    HOLDS(sum == row.exchange.tax, SEED_FMT "credited %lld of %lld", seed, (long long)sum,
          (long long)row.exchange.tax);
    row.exchange.tax++;
    FAILS(tx, RC_INVALID, NULL, document_check(&row, tx->err));
    ALL_ZERO();
}

BOOKS_TEST(credited_in_any_parts_the_tax_in_the_sellers_currency_is_zero)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    (void)books_party(tx, "Op", "DE", true);
    for (int i = 0; i < WORLDS; i++)
        one_world(tx, l, &chance, seed);
}

BOOKS_TEST(the_text_in_the_row_reads_back_and_damage_is_told)
{
    static const char *const wrong[] = {
        "EUR 1 2 3",         "XXY 1 2 3 4 1,0 s", "EUR 1 0 3 4 1,0 s", "EUR 1 2 -3 4 1,0 s",
        "EUR a 2 3 4 1,0 s", "USD 1 2 3 4 1,0 s", "EUR 1 2 3 4 1 s",   "EUR 1 2 3 4 1,0,0 s",
        "EUR 1 2 3 4 1,x s", "EUR 1 2 3 4"};
    static const int64_t parts[] = {-4599, 1000};
    static const struct document_tax_group groups[COUNT(parts)];
    struct document_row row = {
        .currency = currency_find(STR("USD")), .groups = groups, .group_count = COUNT(parts)};
    struct document_row back = row;
    row.exchange = (struct document_exchange){.rate = {.from = row.currency,
                                                       .to = currency_find(STR("EUR")),
                                                       .numerator = 250,
                                                       .denominator = 271,
                                                       .day = 20454,
                                                       .source = STR("ECB; \xc3\xa9t\xc3\xa9")},
                                              .tax = -3599,
                                              .parts = parts};
    struct str text = document_exchange_write(&row, tx->arena);
    SAME(text, STR("EUR -3599 250 271 20454 -4599,1000 ECB; \xc3\xa9t\xc3\xa9"));
    OK(tx, document_exchange_read(text, tx->arena, &back, tx->err));
    SAME(document_exchange_write(&back, tx->arena), text);
    for (size_t i = 0; i < COUNT(wrong); i++)
        FAILS(tx, RC_INVALID, NULL,
              document_exchange_read(str_c(wrong[i]), tx->arena, &back, tx->err));
    OK(tx, document_exchange_read(STR(""), tx->arena, &back, tx->err));
    ck_assert_ptr_null(back.exchange.rate.to);
}

Suite *exchange_rate_suite(void);
Suite *exchange_rate_suite(void)
{
    Suite *s = suite_create("exchange_rate");
    TCase *c = tcase_create("exchange_rate");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, the_latest_rate_of_the_seller_or_else_of_the_operator_holds);
    tcase_add_test(c, a_rate_is_entered_once_and_what_is_none_is_refused);
    tcase_add_test(c, the_tax_of_an_invoice_stands_in_the_sellers_currency_too);
    tcase_add_test(c, without_a_rate_no_draft_is_made_and_without_tax_none_is_needed);
    tcase_add_test(c, credited_in_any_parts_the_tax_in_the_sellers_currency_is_zero);
    tcase_add_test(c, the_text_in_the_row_reads_back_and_damage_is_told);
    suite_add_tcase(s, c);
    return s;
}
