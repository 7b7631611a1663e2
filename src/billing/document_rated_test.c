/* Documents of a close: what each side sees of rated lines, and credit notes down the path. */
#include "billing/document_make.h"

#include "billing/books_fixture.h"
#include "billing/rated_row.h"
#include "billing/rated_run.h"
#include "catalog/plan.h"
#include "channel/channel_fixture.h"

enum { CLOSE_NO = 1, TIERS = 3, LINES = 2 };

/* Case (c) of specs 3.7: a path of three edges, ten VM and twenty storage. */
struct channel {
    struct str op, r1, r2, client;
    struct str agreements[TIERS];
    struct supply_path path;
    int64_t path_number;
    struct plan plans[LINES];
};

static const struct {
    const char *item;
    const char *income;
    const char *label;
    int64_t quantity;
    int64_t prices[TIERS]; /* cents */
} sold[LINES] = {{"vm", "VM", "Virtual machine", 10, {5000, 5600, 7000}},
                 {"storage", "Storage", "Block storage", 20, {1000, 1000, 950}}};

static void make_plan(struct tx *tx, struct channel *c, size_t i, bool tax_included)
{
    struct item item;
    struct item fresh_item = {.code = str_c(sold[i].item),
                              .name = str_c(sold[i].label),
                              .category = str_c(sold[i].item),
                              .unit = STR("C62"),
                              .income = str_c(sold[i].income)};
    struct charge charge = {.label = str_c(sold[i].label), .kind = CHARGE_FLAT};
    charge.set = (UINT64_C(1) << schema_find(&charge_schema, STR("label"))) |
                 (UINT64_C(1) << schema_find(&charge_schema, STR("kind"))) |
                 (UINT64_C(1) << schema_find(&charge_schema, STR("price")));
    charge.price = arena_fmt(tx->arena, "%d.00", (int)(sold[i].prices[0] / 100));
    struct plan fresh = {.item = fresh_item.code,
                         .code = arena_fmt(tx->arena, "%s-monthly", sold[i].item),
                         .name = fresh_item.name,
                         .period = PLAN_MONTH,
                         .currency = STR("EUR"),
                         .tax_included = tax_included,
                         .charges = {&charge, 1}};
    OK(tx, item_create(tx, c->op, &fresh_item, &item));
    OK(tx, plan_create(tx, &fresh, &c->plans[i]));
}

static struct channel make_channel(struct tx *tx, enum settle_mode settle, bool tax_included)
{
    struct channel c = {.op = books_party(tx, "Op", "FR", true),
                        .r1 = books_party(tx, "R1", "FR", true),
                        .r2 = books_party(tx, "R2", "FR", true),
                        .client = books_party(tx, "C", "FR", true)};
    struct str sides[] = {c.op, c.r1, c.r2, c.client};
    for (size_t k = 0; k < TIERS; k++) {
        struct agreement fresh = {
            .kind = AGREEMENT_SUPPLY,
            .from = sides[k],
            .to = sides[k + 1],
            .terms = {.upstream = k > 0 ? c.agreements[k - 1] : STR(""), .settle = settle}};
        c.agreements[k] = make_agreement(tx, &fresh);
    }
    OK(tx, supply_path_at(tx, c.agreements[TIERS - 1], tx->now, &c.path));
    OK(tx, supply_path_number(tx, &c.path, &c.path_number));
    for (size_t i = 0; i < LINES; i++)
        make_plan(tx, &c, i, tax_included);
    return c;
}

static void put_i64(char *at, int64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (char)(unsigned char)((uint64_t)value >> (8 * i));
}

/* As closes wrote them before migration 10: a row a line. */
static void insert_old(struct tx *tx, int64_t number, const struct rated_line *line)
{
    char prices[TIERS * 9];
    char amounts[TIERS * 8];
    for (size_t k = 0; k < TIERS; k++) {
        put_i64(prices + k * 9, line->prices[k].mantissa);
        prices[k * 9 + 8] = (char)line->prices[k].scale;
        put_i64(amounts + k * 8, line->amounts[k]);
    }
    OK(tx, sql_run(tx,
                   "INSERT INTO rated_line (close_no, line, subscription, path, charge, plan, "
                   "plan_number, period_begin, period_end, from_at, until_at, quantity, "
                   "quantity_scale, units, units_scale, prices, amounts, list_amount, discount, "
                   "flags, tax_class, producer, asset) VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, "
                   "$7, $8, $9, 0, $9, 0, $10, $11, 0, $12, $13, 0, NULL, NULL)",
                   V(CLOSE_NO), V(number), V(line->subscription), V(line->path_number),
                   V(line->plan), V(line->plan_number), V(line->window.begin), V(line->window.end),
                   V(line->quantity.mantissa), value_bytes(str_n(prices, sizeof prices)),
                   value_bytes(str_n(amounts, sizeof amounts)), V(line->discount),
                   V(line->tax_included ? 8 : 0)));
}

/* A line as the close writes it, the first one as it once did. sign -1: something is given back. */
static void insert_line(struct tx *tx, const struct channel *c, int64_t number, size_t i,
                        int64_t sign, int64_t discount)
{
    struct rated_line line = {.subscription = STR("sub_01jd8v3q7w4k2m9x6c5b1n0h8z"),
                              .plan = c->plans[i].id,
                              .plan_number = c->plans[i].number,
                              .window = {.begin = tx->now,
                                         .end = tx->now + US_PER_DAY,
                                         .from = tx->now,
                                         .until = tx->now + US_PER_DAY},
                              .quantity = {sold[i].quantity, 0},
                              .units = {sold[i].quantity, 0},
                              .path = &c->path,
                              .path_number = c->path_number,
                              .discount = discount,
                              .tax_included = c->plans[i].tax_included};
    for (size_t k = 0; k < c->path.count; k++) {
        line.prices[k] = (struct price){sold[i].prices[k], 2};
        line.amounts[k] = sign * sold[i].prices[k] * sold[i].quantity;
    }
    if (number == 1) {
        insert_old(tx, number, &line);
        return;
    }
    struct rated_row row = {.first = number,
                            .last = number,
                            .path = c->path_number,
                            .body = rated_run_write(&line, 1, tx->arena)};
    OK(tx, rated_row_insert(tx, CLOSE_NO, &row, 1));
}

static int64_t amount_at(size_t i, size_t edge)
{
    return sold[i].prices[edge] * sold[i].quantity;
}

/* The document of the close at one edge, final, not posted. */
static struct document_row make_row(struct tx *tx, const struct channel *c, size_t edge,
                                    int64_t discount, bool collect)
{
    struct document_sum sums[LINES];
    struct document_row row = {.code = DOCUMENT_INVOICE,
                               .issuer = c->path.edges[edge].seller,
                               .recipient = c->path.edges[edge].buyer,
                               .agreement = c->agreements[edge],
                               .currency = currency_find(STR("EUR")),
                               .settle = collect ? SETTLE_COLLECT : SETTLE_CHAIN,
                               .tax_included = c->plans[0].tax_included,
                               .close_no = CLOSE_NO,
                               .first_line = 11,
                               .line_count = edge + 1 == TIERS ? LINES : -1};
    for (size_t i = 0; i < LINES; i++)
        sums[i] = (struct document_sum){.income = str_c(sold[i].income),
                                        .amount = amount_at(i, edge) - (i == 0 ? discount : 0),
                                        .wholesale = collect ? amount_at(i, 0) : 0};
    books_finalise(tx, &row, sums, LINES);
    return row;
}

static void insert_lines(struct tx *tx, const struct channel *c, int64_t discount)
{
    for (size_t i = 0; i < LINES; i++)
        insert_line(tx, c, 11 + (int64_t)i, i, 1, i == 0 ? discount : 0);
}

/* All that the API would answer about a document: itself and its lines. */
static struct str answer(struct tx *tx, const struct document_row *row)
{
    struct document shown;
    struct page page;
    struct page_query q = {0};
    struct buf b;
    struct json_writer w;
    buf_init(&b, tx->arena, 65536);
    OK(tx, document_show(tx, row, &shown));
    json_writer_init(&w, &b);
    schema_encode(&document_schema, &shown, &w);
    OK(tx, document_lines(tx, row->id, &q, &page));
    ck_assert_uint_eq(page.items.count, LINES);
    const struct document_line *lines = page.items.items;
    for (size_t i = 0; i < page.items.count; i++) {
        json_writer_init(&w, &b);
        schema_encode(&document_line_schema, &lines[i], &w);
    }
    ck_assert(!b.full);
    return buf_str(&b);
}

static struct str cents(struct tx *tx, int64_t amount)
{
    return arena_fmt(tx->arena, "\"%lld.%02d\"", (long long)(amount / 100), (int)(amount % 100));
}

BOOKS_TEST(each_document_shows_its_own_edge_and_no_other)
{
    struct channel c = make_channel(tx, SETTLE_CHAIN, false);
    insert_lines(tx, &c, 0);
    for (size_t edge = 0; edge < TIERS; edge++) {
        struct document_row row = make_row(tx, &c, edge, 0, false);
        struct str text = answer(tx, &row);
        for (size_t i = 0; i < LINES; i++) {
            ck_assert(str_has(text, cents(tx, sold[i].prices[edge])));
            ck_assert(str_has(text, cents(tx, amount_at(i, edge))));
            ck_assert(str_has(text, str_c(sold[i].label)));
        }
        for (size_t other = 0; other < TIERS; other++)
            for (size_t i = 0; i < LINES; i++) {
                /* Storage costs the same at two edges; 700.00 is one's sum and another's line. */
                if (sold[i].prices[other] == sold[i].prices[edge] || amount_at(i, other) == row.net)
                    continue;
                ck_assert_msg(!str_has(text, cents(tx, sold[i].prices[other])) &&
                                  !str_has(text, cents(tx, amount_at(i, other))),
                              "edge %zu tells a price of edge %zu: %.*s", edge, other, STRF(text));
            }
        for (size_t k = 0; k < TIERS; k++)
            if (k != edge)
                ck_assert(!str_has(text, c.agreements[k]));
    }
}

BOOKS_TEST(lines_of_an_upstream_document_come_page_by_page)
{
    struct channel c = make_channel(tx, SETTLE_CHAIN, false);
    struct page_query q = {.limit = 1};
    struct page page;
    insert_lines(tx, &c, 0);
    struct document_row row = make_row(tx, &c, 1, 0, false);
    for (size_t i = 0; i < LINES; i++) {
        OK(tx, document_lines(tx, row.id, &q, &page));
        ck_assert_uint_eq(page.items.count, 1);
        const struct document_line *line = page.items.items;
        ck_assert_int_eq(line->line, (int64_t)i + 1);
        SAME(line->text, str_c(sold[i].label));
        q.after = page.next;
    }
    SAME(page.next, STR(""));
}

BOOKS_TEST(what_a_reseller_uses_itself_is_not_in_the_invoice_for_what_it_sells)
{
    struct channel c = make_channel(tx, SETTLE_DIRECT, false);
    struct document credit;
    insert_lines(tx, &c, 0);
    struct document_row row = make_row(tx, &c, 0, 0, false);
    c.path.count = 1; /* R1 is the client of this one */
    OK(tx, supply_path_number(tx, &c.path, &c.path_number));
    insert_line(tx, &c, 11 + LINES, 0, 1, 0);
    OK(tx, document_row_post(tx, l, &row, NULL));
    struct page page;
    OK(tx, document_lines(tx, row.id, &(struct page_query){0}, &page));
    ck_assert_uint_eq(page.items.count, LINES);
    OK(tx,
       document_credit(tx, l, NULL, &(struct credit_request){row.id, NULL, 0, STR("")}, &credit));
    ALL_ZERO();
}

static void check_tier(struct tx *tx, struct ledger *l, struct str tier, int64_t want)
{
    BALANCE(tier, "EUR", STR("AR:Clearing"), want);
}

static void post_collect(struct tx *tx, struct ledger *l, const struct channel *c,
                         const struct document_row *row)
{
    struct document_parts parts = {.path = &c->path};
    struct billed_line *lines = NULL;
    size_t count = 0;
    OK(tx, document_line_rows(tx, row, (struct line_cursor){0}, LINES, &lines, &count));
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < TIERS; k++) /* without the tax, whatever prices hold */
            parts.sums[k] += lines[i].amounts[k];
    OK(tx, document_row_post(tx, l, row, &parts));
}

BOOKS_TEST(c_a_credit_note_of_one_vm_takes_50_and_6_and_14)
{
    struct channel c = make_channel(tx, SETTLE_COLLECT, false);
    struct document credit;
    struct credit_line one = {.line = 1, .net = STR("70.00")};
    insert_lines(tx, &c, 0);
    struct document_row row = make_row(tx, &c, TIERS - 1, 0, true);
    post_collect(tx, l, &c, &row);
    check_tier(tx, l, c.op, 70000);
    check_tier(tx, l, c.r1, 6000);
    check_tier(tx, l, c.r2, 13000);
    OK(tx,
       document_credit(tx, l, NULL, &(struct credit_request){row.id, &one, 1, STR("")}, &credit));
    SAME(credit.net, STR("70.00"));
    check_tier(tx, l, c.op, 65000);
    check_tier(tx, l, c.r1, 5400);
    check_tier(tx, l, c.r2, 11600);
    BALANCE(c.op, "EUR", STR("Income:VM"), -45000);
    BALANCE(c.op, "EUR", STR("Income:Storage"), -20000);
    BALANCE(POSTING_CLEARING, "EUR", STR("VAT-Out:FR:200000"), -16400);
    OK(tx,
       document_credit(tx, l, NULL, &(struct credit_request){row.id, NULL, 0, STR("")}, &credit));
    ALL_ZERO();
}

BOOKS_TEST(what_was_free_is_taken_back_from_every_tier_too)
{
    struct channel c = make_channel(tx, SETTLE_COLLECT, false);
    struct document credit;
    int64_t discount = amount_at(0, TIERS - 1);
    insert_lines(tx, &c, discount);
    struct document_row row = make_row(tx, &c, TIERS - 1, discount, true);
    post_collect(tx, l, &c, &row);
    check_tier(tx, l, c.op, 70000);
    check_tier(tx, l, c.r2, 13000 - discount); /* who gives a discount bears it */
    OK(tx,
       document_credit(tx, l, NULL, &(struct credit_request){row.id, NULL, 0, STR("")}, &credit));
    ALL_ZERO();
}

static void credit_in_parts(struct tx *tx, struct ledger *l, bool included)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    struct channel c = make_channel(tx, SETTLE_COLLECT, included);
    struct books_zero zero = {0};
    struct document credit;
    int64_t discount = property_between(&chance, 0, 20000);
    insert_lines(tx, &c, discount);
    struct document_row row = make_row(tx, &c, TIERS - 1, discount, true);
    post_collect(tx, l, &c, &row);
    for (int i = 0; i < 12; i++) {
        struct credit_line part = {.line = property_between(&chance, 1, LINES),
                                   .net = arena_fmt(tx->arena, "%d.%02d",
                                                    (int)clock_sim_below(&chance, 50),
                                                    (int)clock_sim_below(&chance, 100))};
        enum rc rc = document_credit(tx, l, NULL,
                                     &(struct credit_request){row.id, &part, 1, STR("")}, &credit);
        ck_assert(rc == RC_OK || rc == RC_CONFLICT);
        err_clear(tx->err);
    }
    OK(tx,
       document_credit(tx, l, NULL, &(struct credit_request){row.id, NULL, 0, STR("")}, &credit));
    OK(tx, ledger_accounts(tx, l, STR(""), books_count_open, &zero));
    HOLDS(zero.open == 0, SEED_FMT "%lld accounts are open, %.*s is one", seed,
          (long long)zero.open, STRF(zero.code));
}

BOOKS_TEST(collected_and_credited_in_any_parts_everything_is_zero)
{
    credit_in_parts(tx, l, false);
}

BOOKS_TEST(with_tax_in_the_prices_too)
{
    credit_in_parts(tx, l, true);
}

BOOKS_TEST(prices_that_hold_the_tax_give_nets_that_add_up)
{
    struct channel c = make_channel(tx, SETTLE_CHAIN, true);
    struct billed_line *lines = NULL;
    size_t count = 0;
    int64_t net = 0;
    insert_lines(tx, &c, 0);
    struct document_row row = make_row(tx, &c, TIERS - 1, 0, false);
    ck_assert_int_eq(row.gross, 89000);
    OK(tx, document_line_rows(tx, &row, (struct line_cursor){0}, 10, &lines, &count));
    ck_assert_uint_eq(count, LINES);
    for (size_t i = 0; i < count; i++)
        net += lines[i].facts.net;
    ck_assert_int_eq(net, row.net);
    ck_assert_int_eq(net, 74167); /* R(890.00 / 1.2) */
}

BOOKS_TEST(a_credit_note_of_the_close_shows_positive_amounts)
{
    struct channel c = make_channel(tx, SETTLE_CHAIN, false);
    struct document_row row = {.code = DOCUMENT_CREDIT_NOTE,
                               .issuer = c.r2,
                               .recipient = c.client,
                               .agreement = c.agreements[TIERS - 1],
                               .currency = currency_find(STR("EUR")),
                               .close_no = CLOSE_NO,
                               .first_line = 1,
                               .line_count = 1};
    struct document_sum sum = {.income = STR("VM"), .amount = 70000};
    struct billed_line line;
    insert_line(tx, &c, 1, 0, -1, 0);
    books_finalise(tx, &row, &sum, 1);
    OK(tx, document_line_get(tx, &row, 1, &line));
    ck_assert_int_eq(line.facts.net, 70000);
    FAILS(tx, RC_NOT_FOUND, NULL, document_line_get(tx, &row, 2, &line));
}

BOOKS_TEST(a_document_names_its_close_and_is_found_by_it)
{
    struct channel c = make_channel(tx, SETTLE_CHAIN, false);
    struct document_query q = {.close = STR("cls_01jd8v3q7w4k2m9x6c5b1n0h8z")};
    struct page page;
    insert_lines(tx, &c, 0);
    struct document_row row = make_row(tx, &c, TIERS - 1, 0, false);
    OK(tx, document_list(tx, c.client, &q, &page));
    ck_assert_uint_eq(page.items.count, 0);
    OK(tx, sql_run(tx,
                   "INSERT INTO close (no, id, party, period, since, begin_at, end_at, step, "
                   "review, dry, at_agreement, at_client, at_id, at_number, done, total, lines, "
                   "documents, first_document, last_document, exceptions, started, seen, finished) "
                   "VALUES ($1, $2, $3, '2026-01', 0, 0, 1, 0, 0, 0, '', '', '', 0, 0, 0, 0, 0, 0, "
                   "0, 0, 0, 0, 0)",
                   V((int64_t)CLOSE_NO), V(q.close), V(c.op)));
    OK(tx, document_list(tx, c.client, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    const struct document *found = page.items.items;
    SAME(found->id, row.id);
    SAME(found->close, q.close);
}

BOOKS_TEST(a_draft_of_a_close_is_final_by_the_close_alone)
{
    struct channel c = make_channel(tx, SETTLE_CHAIN, false);
    struct document shown;
    struct party op = books_get(tx, c.op);
    struct party r1 = books_get(tx, c.r1);
    struct document_sum sum = {.income = STR("VM"), .amount = 100};
    struct document_row row = {.code = DOCUMENT_INVOICE,
                               .issuer = c.op,
                               .recipient = c.r1,
                               .currency = currency_find(STR("EUR")),
                               .close_no = CLOSE_NO};
    OK(tx, document_row_total(&row, &(struct document_sides){&op, &r1, TREATMENT_AUTO, BOOKS_DAY},
                              &sum, 1, tx->arena, tx->err));
    OK(tx, document_row_insert(tx, &row));
    FAILS(tx, RC_CONFLICT, NULL, document_finalise(tx, l, row.id, &shown));
    OK(tx, document_hold(tx, row.id, true, &shown));
}

Suite *document_rated_suite(void);
Suite *document_rated_suite(void)
{
    Suite *s = suite_create("document_rated");
    TCase *c = tcase_create("document_rated");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, each_document_shows_its_own_edge_and_no_other);
    tcase_add_test(c, lines_of_an_upstream_document_come_page_by_page);
    tcase_add_test(c, what_a_reseller_uses_itself_is_not_in_the_invoice_for_what_it_sells);
    tcase_add_test(c, c_a_credit_note_of_one_vm_takes_50_and_6_and_14);
    tcase_add_test(c, what_was_free_is_taken_back_from_every_tier_too);
    tcase_add_test(c, collected_and_credited_in_any_parts_everything_is_zero);
    tcase_add_test(c, with_tax_in_the_prices_too);
    tcase_add_test(c, prices_that_hold_the_tax_give_nets_that_add_up);
    tcase_add_test(c, a_credit_note_of_the_close_shows_positive_amounts);
    tcase_add_test(c, a_document_names_its_close_and_is_found_by_it);
    tcase_add_test(c, a_draft_of_a_close_is_final_by_the_close_alone);
    suite_add_tcase(s, c);
    return s;
}
