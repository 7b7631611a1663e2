/*
 * included_test.c - prices that hold the tax: shares are of what is left without it, and the parts
 * of all tiers add up to the invoice's net.
 */
#include "settle/settle_fixture.h"

#include "money/amount.h"

enum { ROOMS_MAX = 6, WORLDS = 6 };

/* Op sells to R1, R1 to R2, R2 to the client; all prices hold the Chinese 6 %. */
struct included {
    struct close_world w;
    struct str op, r1, r2, client, agent;
    enum settle_mode settle;
    size_t rooms;
    const char *prices[ROOMS_MAX];
    const char *counts[ROOMS_MAX];
    bool advance[ROOMS_MAX];
    const char *up1; /* percent of the price bought at */
    const char *up2;
    struct clock_sim chance;
    uint64_t seed;
};

static struct str sell(struct tx *tx, const struct included *i, struct str from, struct str to,
                       struct str upstream, struct str book)
{
    struct agreement fresh = {.kind = AGREEMENT_SUPPLY,
                              .from = from,
                              .to = to,
                              .terms = {.upstream = upstream,
                                        .book = book,
                                        .settle = i->settle,
                                        .currency = STR("CNY"),
                                        .payment_days = 30}};
    return make_agreement(tx, &fresh);
}

/* Every second room is another kind of income. */
static struct str make_room(struct tx *tx, const struct included *i, size_t at)
{
    struct item item;
    struct plan plan;
    struct str code = arena_fmt(tx->arena, "room-%zu", at);
    struct item fresh = {.code = code,
                         .name = code,
                         .category = STR("space"),
                         .unit = STR("MON"),
                         .income = at % 2 == 0 ? STR("Rooms") : STR("Desks")};
    struct charge charge = {.label = code,
                            .kind = CHARGE_FLAT,
                            .price = str_c(i->prices[at]),
                            .advance = i->advance[at]};
    charge.set = field_bit("label") | field_bit("kind") | field_bit("price") | field_bit("advance");
    struct plan told = {.item = code,
                        .code = code,
                        .name = code,
                        .currency = STR("CNY"),
                        .tax_included = true,
                        .charges = {&charge, 1}};
    OK(tx, item_create(tx, i->op, &fresh, &item));
    OK(tx, plan_create(tx, &told, &plan));
    return plan.id;
}

static enum rc define(struct tx *tx, void *arg)
{
    struct included *i = arg;
    struct close_world *w = &i->w;
    struct str *parties[] = {&i->op, &i->r1, &i->r2, &i->client, &i->agent};
    static const char *const names[] = {"Op", "R1", "R2", "Client", "Agent"};
    for (size_t k = 0; k < COUNT(parties); k++)
        *parties[k] = keep(w, books_party(tx, names[k], "CN", k != 3));
    OK(tx, permission_seed(tx));
    struct str book1 = make_book(tx, i->r1, "r1");
    struct str book2 = make_book(tx, i->r2, "r2");
    make_entry(tx, book1, "", ENTRY_MUL, i->up1);
    make_entry(tx, book2, "", ENTRY_MUL, i->up2);
    struct str s1 = sell(tx, i, i->op, i->r1, STR(""), STR(""));
    struct str s2 = sell(tx, i, i->r1, i->r2, s1, book1);
    struct str s3 = sell(tx, i, i->r2, i->client, s2, book2);
    struct rule rule = {.kind = RULE_PERCENT, .value = STR("5"), .label = STR("Commission")};
    struct agreement referral = {.kind = AGREEMENT_REFERRAL,
                                 .from = i->op,
                                 .to = i->agent,
                                 .terms = {.scope = {.party = i->client}, .rules = {&rule, 1}}};
    (void)make_agreement(tx, &referral);
    for (size_t k = 0; k < i->rooms; k++) {
        struct subscription s;
        struct subscription fresh = {
            .agreement = s3, .plan = make_room(tx, i, k), .quantity = str_c(i->counts[k])};
        OK(tx, subscription_create(tx, &fresh, &s));
    }
    return RC_OK;
}

static void open_included(struct included *i)
{
    settle_world_open(&i->w);
    world_write(&i->w.books.world, define, i, RC_OK);
    (void)settle_close(&i->w, "2026-12", JANUARY);
}

/* One room at 106.00, 132.50, 159.00: 100.00, 125.00 and 150.00 without the tax. */
static struct included *open_plain(enum settle_mode settle, bool advance)
{
    struct included *i = calloc(1, sizeof *i);
    ASSERT(i != NULL);
    i->settle = settle;
    i->rooms = 1;
    i->prices[0] = "106.00";
    i->counts[0] = "1";
    i->advance[0] = advance;
    i->up1 = "125";
    i->up2 = "120";
    open_included(i);
    return i;
}

static void do_in(struct included *i, tx_fn fn)
{
    i->w.books.world.clock.at += US_PER_DAY;
    arena_reset(&i->w.books.world.fixture.arena);
    world_write(&i->w.books.world, fn, i, RC_OK);
}

static void close_included(struct included *i)
{
    settle_world_close(&i->w);
    free(i);
}

static struct document_row invoice_of(struct tx *tx, const struct included *i)
{
    return document_between(tx, i->r2, i->client, DOCUMENT_INVOICE);
}

static void credit_line(struct tx *tx, struct included *i, int64_t line, const char *net)
{
    struct document note;
    struct credit_line one = {.line = line, .net = str_c(net)};
    OK(tx,
       document_credit(
           tx, i->w.books.l, &settle_above,
           &(struct credit_request){invoice_of(tx, i).id, &one, net[0] != '\0', STR("")}, &note));
}

/* --- figures --- */

static enum rc collected_in(struct tx *tx, void *arg)
{
    struct included *i = arg;
    struct ledger *l = i->w.books.l;
    struct str clearing = POSTING_CLEARING;
    BALANCE(clearing, "CNY", account_of(tx, "AR", i->client), 15900);
    BALANCE(clearing, "CNY", account_of(tx, "AP", i->op), -10000);
    BALANCE(clearing, "CNY", account_of(tx, "AP", i->r1), -2500);
    BALANCE(clearing, "CNY", account_of(tx, "AP", i->r2), -2500);
    BALANCE(clearing, "CNY", STR("VAT-Out:CN:60000"), -900);
    BALANCE(i->op, "CNY", STR("AR:Clearing"), 10000);
    BALANCE(i->op, "CNY", STR("Income:Rooms"), -10000);
    BALANCE(i->op, "CNY", STR("Income:Wholesale"), 0);
    BALANCE(i->op, "CNY", account_of(tx, "Commission", i->agent), -500);
    BALANCE(i->r1, "CNY", STR("Income:Margin"), -2500);
    BALANCE(i->r2, "CNY", STR("Income:Margin"), -2500);
    return RC_OK;
}

/* Half of it is paid: half of every part is earned. */
static enum rc half_paid_in(struct tx *tx, void *arg)
{
    struct included *i = arg;
    struct share *shares = NULL;
    size_t count = 0;
    (void)book_payment(tx, i->w.books.l, i->op, invoice_of(tx, i).id, "79.50", "CNY", "half");
    OK(tx,
       share_of_document(tx, invoice_of(tx, i).no,
                         (struct share_page){.limit = SHARES_OF_DOCUMENT_MAX}, &shares, &count));
    ck_assert_uint_eq(count, 4);
    for (size_t k = 0; k < count; k++)
        ck_assert_int_eq(2 * shares[k].earned, shares[k].amount);
    return RC_OK;
}

static enum rc third_credited_in(struct tx *tx, void *arg)
{
    struct included *i = arg;
    struct ledger *l = i->w.books.l;
    struct str clearing = POSTING_CLEARING;
    credit_line(tx, i, 1, "50.00");
    BALANCE(clearing, "CNY", account_of(tx, "AR", i->client), 10600);
    BALANCE(clearing, "CNY", account_of(tx, "AP", i->op), -6667);
    BALANCE(clearing, "CNY", account_of(tx, "AP", i->r1), -1666);
    BALANCE(clearing, "CNY", account_of(tx, "AP", i->r2), -1667);
    BALANCE(i->op, "CNY", account_of(tx, "Commission", i->agent), -333);
    credit_line(tx, i, 0, "");
    ALL_ZERO();
    return RC_OK;
}

START_TEST(what_the_platform_collects_is_shared_without_the_tax)
{
    struct included *i = open_plain(SETTLE_COLLECT, false);
    do_in(i, collected_in);
    do_in(i, half_paid_in);
    close_included(i);
    i = open_plain(SETTLE_COLLECT, false);
    do_in(i, third_credited_in);
    close_included(i);
}
END_TEST

static enum rc chained_in(struct tx *tx, void *arg)
{
    struct included *i = arg;
    struct ledger *l = i->w.books.l;
    BALANCE(i->op, "CNY", account_of(tx, "AR", i->r1), 10600);
    BALANCE(i->op, "CNY", STR("Income:Rooms"), -10000);
    BALANCE(i->op, "CNY", account_of(tx, "Commission", i->agent), -500);
    credit_line(tx, i, 0, "");
    BALANCE(i->op, "CNY", account_of(tx, "Commission", i->agent), 0);
    BALANCE(i->r2, "CNY", account_of(tx, "AR", i->client), 0);
    return RC_OK;
}

START_TEST(where_each_tier_invoices_shares_are_without_the_tax_as_well)
{
    struct included *i = open_plain(SETTLE_CHAIN, false);
    do_in(i, chained_in);
    close_included(i);
}
END_TEST

/* --- in advance --- */

/* December is earned; January waits at every tier. */
static enum rc waits_in(struct tx *tx, void *arg)
{
    struct included *i = arg;
    struct ledger *l = i->w.books.l;
    BALANCE(i->op, "CNY", STR("AR:Clearing"), 20000);
    BALANCE(i->op, "CNY", STR("Income:Rooms"), -10000);
    BALANCE(i->op, "CNY", STR("Deferred"), -10000);
    BALANCE(i->r1, "CNY", STR("Income:Margin"), -2500);
    BALANCE(i->r1, "CNY", STR("Deferred"), -2500);
    BALANCE(i->r2, "CNY", STR("Income:Margin"), -2500);
    BALANCE(i->r2, "CNY", STR("Deferred"), -2500);
    return RC_OK;
}

static enum rc earned_in(struct tx *tx, void *arg)
{
    struct included *i = arg;
    struct ledger *l = i->w.books.l;
    BALANCE(i->op, "CNY", STR("Income:Rooms"), -20000);
    BALANCE(i->op, "CNY", STR("Deferred"), -10000); /* February's */
    BALANCE(i->r1, "CNY", STR("Income:Margin"), -5000);
    BALANCE(i->r1, "CNY", STR("Deferred"), -2500);
    BALANCE(i->r2, "CNY", STR("Income:Margin"), -5000);
    BALANCE(i->r2, "CNY", STR("Deferred"), -2500);
    return RC_OK;
}

static enum rc advance_credited_in(struct tx *tx, void *arg)
{
    struct included *i = arg;
    struct ledger *l = i->w.books.l;
    credit_line(tx, i, 2, "75.00"); /* half of January */
    BALANCE(i->op, "CNY", STR("Deferred"), -5000);
    BALANCE(i->r1, "CNY", STR("Deferred"), -1250);
    BALANCE(i->r2, "CNY", STR("Deferred"), -1250);
    BALANCE(i->r2, "CNY", STR("Income:Margin"), -2500);
    credit_line(tx, i, 0, "");
    ALL_ZERO();
    return RC_OK;
}

START_TEST(what_is_collected_in_advance_waits_at_every_tier)
{
    struct included *i = open_plain(SETTLE_COLLECT, true);
    do_in(i, waits_in);
    (void)settle_close(&i->w, "2027-01", FEBRUARY);
    do_in(i, earned_in);
    close_included(i);
    i = open_plain(SETTLE_COLLECT, true);
    do_in(i, advance_credited_in);
    close_included(i);
}
END_TEST

static enum rc end_half_in(struct tx *tx, void *arg)
{
    struct included *i = arg;
    struct subscription s;
    struct rows rows;
    (void)i;
    OK(tx, sql_rows(tx, &rows, "SELECT id FROM subscription ORDER BY id LIMIT 1"));
    return subscription_end(tx, row_str(&rows, 0, 0), FEBRUARY + 14 * US_PER_DAY, &s);
}

/* Half of February was used: the rest is given back by the close, and nothing waits any more. */
static enum rc ended_in(struct tx *tx, void *arg)
{
    struct included *i = arg;
    struct ledger *l = i->w.books.l;
    BALANCE(i->op, "CNY", STR("AR:Clearing"), 25000);
    BALANCE(i->op, "CNY", STR("Income:Rooms"), -25000);
    BALANCE(i->op, "CNY", STR("Deferred"), 0);
    BALANCE(i->r1, "CNY", STR("Income:Margin"), -6250);
    BALANCE(i->r1, "CNY", STR("Deferred"), 0);
    BALANCE(i->r2, "CNY", STR("Income:Margin"), -6250);
    BALANCE(i->r2, "CNY", STR("Deferred"), 0);
    return RC_OK;
}

START_TEST(what_was_collected_ahead_and_is_not_used_is_given_back_by_every_tier)
{
    struct included *i = open_plain(SETTLE_COLLECT, true);
    (void)settle_close(&i->w, "2027-01", FEBRUARY);
    do_in(i, end_half_in);
    (void)settle_close(&i->w, "2027-02", MARCH);
    do_in(i, ended_in);
    close_included(i);
}
END_TEST

/* --- any prices --- */

static const char *random_price(struct included *i, int64_t low, int64_t high)
{
    int64_t n = property_between(&i->chance, low, high);
    struct str text =
        arena_fmt(&i->w.kept, "%lld.%02lld", (long long)(n / 100), (long long)(n % 100));
    return arena_cstr(&i->w.kept, text);
}

/* What the neutral book owes a tier is the sum of its shares, and of all tiers the net. */
static enum rc adds_up_in(struct tx *tx, void *arg)
{
    struct included *i = arg;
    struct ledger *l = i->w.books.l;
    struct share *shares = NULL;
    size_t count = 0;
    int64_t all = 0;
    struct document_row d = invoice_of(tx, i);
    const struct str tiers[] = {i->op, i->r1, i->r2};
    OK(tx, share_of_document(tx, d.no, (struct share_page){.limit = SHARES_OF_DOCUMENT_MAX},
                             &shares, &count));
    for (size_t t = 0; t < COUNT(tiers); t++) {
        int64_t owed =
            -books_balance_of(tx, l, POSTING_CLEARING, "CNY", account_of(tx, "AP", tiers[t]));
        int64_t sum = 0;
        for (size_t k = 0; k < count; k++)
            if (shares[k].booked && str_eq(shares[k].payee, tiers[t]))
                sum += shares[k].amount - shares[k].voided;
        HOLDS(sum == owed, SEED_FMT "tier %zu has %lld and is owed %lld", i->seed, t,
              (long long)sum, (long long)owed);
        all += owed;
    }
    int64_t tax = -books_balance_of(tx, l, POSTING_CLEARING, "CNY", STR("VAT-Out:CN:60000"));
    int64_t open = d.gross - d.credited;
    HOLDS(all + tax == open, SEED_FMT "%lld and %lld of tax are not %lld", i->seed, (long long)all,
          (long long)tax, (long long)open);
    int64_t told = books_balance_of(tx, l, i->op, "CNY", STR("Income:Wholesale"));
    HOLDS(told == 0, SEED_FMT "%lld is of no kind of income", i->seed, (long long)told);
    return RC_OK;
}

static enum rc credit_some_in(struct tx *tx, void *arg)
{
    struct included *i = arg;
    struct page page;
    struct document_row d = invoice_of(tx, i);
    OK(tx, document_lines(tx, d.id, &(struct page_query){0}, &page));
    const struct document_line *lines = page.items.items;
    for (size_t k = 0; k < page.items.count; k++) {
        int64_t net = 0;
        OK(tx, amount_parse(lines[k].net, d.currency, &net, tx->err));
        int64_t part = property_between(&i->chance, 0, net / 2);
        struct str text = amount_str(part, d.currency, tx->arena);
        if (part > 0)
            credit_line(tx, i, lines[k].line, arena_cstr(tx->arena, text));
    }
    return RC_OK;
}

static enum rc credit_rest_in(struct tx *tx, void *arg)
{
    struct included *i = arg;
    struct ledger *l = i->w.books.l;
    credit_line(tx, i, 0, "");
    ALL_ZERO();
    return RC_OK;
}

START_TEST(parts_of_any_prices_add_up_and_are_taken_back_whole)
{
    struct clock_sim chance;
    static const char *const counts[] = {"1", "2", "3", "7", "13"};
    uint64_t seed = property_begin(&chance);
    for (int world = 0; world < WORLDS; world++) {
        struct included *i = calloc(1, sizeof *i);
        ASSERT(i != NULL);
        i->settle = SETTLE_COLLECT;
        i->chance = chance;
        i->seed = seed;
        settle_world_open(&i->w);
        i->rooms = (size_t)property_between(&i->chance, 1, ROOMS_MAX);
        for (size_t k = 0; k < i->rooms; k++) {
            i->prices[k] = random_price(i, 1, 99999);
            i->counts[k] = counts[property_between(&i->chance, 0, (int64_t)COUNT(counts) - 1)];
            i->advance[k] = property_between(&i->chance, 0, 1) == 1;
        }
        i->up1 = random_price(i, 8000, 19999);
        i->up2 = random_price(i, 8000, 19999);
        world_write(&i->w.books.world, define, i, RC_OK);
        (void)settle_close(&i->w, "2026-12", JANUARY);
        do_in(i, adds_up_in);
        do_in(i, credit_some_in);
        do_in(i, adds_up_in);
        do_in(i, credit_some_in);
        do_in(i, adds_up_in);
        do_in(i, credit_rest_in);
        chance = i->chance;
        close_included(i);
    }
}
END_TEST

Suite *included_suite(void);
Suite *included_suite(void)
{
    Suite *s = suite_create("included");
    TCase *t = tcase_create("included");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_the_platform_collects_is_shared_without_the_tax);
    tcase_add_test(t, where_each_tier_invoices_shares_are_without_the_tax_as_well);
    tcase_add_test(t, what_is_collected_in_advance_waits_at_every_tier);
    tcase_add_test(t, what_was_collected_ahead_and_is_not_used_is_given_back_by_every_tier);
    tcase_add_test(t, parts_of_any_prices_add_up_and_are_taken_back_whole);
    suite_add_tcase(s, t);
    return s;
}
