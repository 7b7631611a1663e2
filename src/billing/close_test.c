#include "billing/close.h"

#include "billing/close_fixture.h"
#include "billing/close_inside.h"
#include "billing/rated_row.h"
#include "billing/wallet.h"
#include "channel/reward.h"

#define CLOSE_TEST(name)                                      \
    static void name##_in(struct close_world *w);             \
    START_TEST(name)                                          \
    {                                                         \
        struct close_world *world = calloc(1, sizeof *world); \
        ASSERT(world != NULL);                                \
        close_world_open(world);                              \
        name##_in(world);                                     \
        close_world_close(world);                             \
        free(world);                                          \
    }                                                         \
    END_TEST                                                  \
    static void name##_in(struct close_world *w)

/* --- what is in the store, without what differs from run to run --- */

struct dump {
    struct buf *b;
};
enum { DUMP_MAX = 16 * 1024 * 1024, DUMPED_CLOSES = 100, DUMPED_LINES = 100000 };

static enum rc dump_cells(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct dump *d = arg;
    (void)tx;
    for (size_t i = 0; i < columns; i++) {
        if (cells[i].type == VALUE_INT)
            buf_fmt(d->b, " %lld", (long long)cells[i].number);
        for (size_t k = 0; cells[i].type == VALUE_BYTES && k < cells[i].text.n; k++)
            buf_fmt(d->b, "%02x", (unsigned char)cells[i].text.p[k]);
        if (cells[i].type == VALUE_TEXT)
            buf_fmt(d->b, " %.*s", STRF(cells[i].text));
    }
    buf_add_char(d->b, '\n');
    return RC_OK;
}

static enum rc dump_account(struct tx *tx, const struct account *a, void *arg)
{
    struct dump *d = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT name FROM party WHERE id = $1", V(a->party)));
    struct str code = a->code.n > 30 ? str_sub(a->code, 0, 3) : a->code;
    buf_fmt(d->b, "%.*s %.*s %lld %lld\n", STRF(row_str(&rows, 0, 0)), STRF(code),
            (long long)a->balance.debits, (long long)a->balance.credits);
    return RC_OK;
}

static enum rc dump_line(struct tx *tx, int64_t number, const struct rated_line *l, size_t tiers,
                         void *arg)
{
    struct dump *d = arg;
    (void)tx;
    buf_fmt(d->b, " %lld %lld %lld %lld %lld %lld %lld", (long long)number,
            (long long)l->path_number, (long long)l->charge, (long long)l->window.begin,
            (long long)l->window.from, (long long)l->window.until, (long long)l->quantity.mantissa);
    for (size_t k = 0; k < tiers; k++)
        buf_fmt(d->b, " %lld %lld", (long long)l->prices[k].mantissa, (long long)l->amounts[k]);
    buf_fmt(d->b, " %lld %lld %d %d\n", (long long)l->list_amount, (long long)l->discount, l->late,
            l->advance);
    return RC_OK;
}

struct dumping {
    struct close_world *w;
    struct buf *b;
};
static enum rc dump_in(struct tx *tx, void *arg)
{
    struct dumping *w = arg;
    struct dump d = {w->b};
    buf_reset(w->b);
    for (int64_t close_no = 1; close_no <= DUMPED_CLOSES; close_no++)
        TRY(rated_row_each(tx, close_no, 0, DUMPED_LINES, dump_line, &d));
    TRY(sql_each(tx, dump_cells, &d,
                 "SELECT d.no, d.code, d.state, p.name, q.name, d.year, d.number, d.issued_day, "
                 "d.net, d.tax, d.gross, d.prepaid, d.promo FROM document d JOIN party p ON "
                 "p.id = d.issuer JOIN party q ON q.id = d.recipient ORDER BY d.no LIMIT 100000"));
    TRY(sql_each(tx, dump_cells, &d,
                 "SELECT no, step, done, total, lines, documents, exceptions FROM close "
                 "ORDER BY no LIMIT 1000"));
    return ledger_accounts(tx, w->w->books.l, STR(""), dump_account, &d);
}

static struct str dump(struct close_world *w, struct arena *arena)
{
    struct buf *b = NEW(arena, struct buf);
    buf_init(b, arena, DUMP_MAX);
    struct dumping d = {w, b};
    enum rc rc = fixture_read(&w->books.world.fixture, dump_in, &d);
    ck_assert_msg(rc == RC_OK, "%s", w->books.world.fixture.err.text);
    ck_assert(!b->full);
    return buf_str(b);
}

CLOSE_TEST(a_month_is_closed_and_every_tier_is_invoiced)
{
    use_traffic(w, 0, DECEMBER + US_PER_DAY, 1234567);
    struct close c = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(c.step, CLOSE_DONE);
    ck_assert_int_eq(c.done, 3);
    ck_assert_int_eq(c.total, 3);
    ck_assert_int_eq(c.exceptions, 0);
    ck_assert_int_eq(c.lines, 4);
    ck_assert_int_eq(c.documents, 5);
    /* 2 x 50 = 100; +12 % = 112; +25 % = 140. Traffic: 12.35; x 0.0112 = 13.83; x 0.014 = 17.28. */
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 1), 14000 + 1728);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 1), 14000);
    ck_assert_int_eq(invoiced_net(w, w->r1, w->r2, 1), 3 * 11200 + 1383);
    ck_assert_int_eq(invoiced_net(w, w->op, w->r1, 1), 3 * 10000 + 1235);
    SAME(c.net, STR("312.35 EUR"));
}

static enum rc balances_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct ledger *l = w->books.l;
    BALANCE(w->op, "EUR", STR("Income:VPS"), -30000);
    BALANCE(w->op, "EUR", account_of(tx, "AR", w->r1), 36000);
    BALANCE(w->r1, "EUR", account_of(tx, "AP", w->op), -36000);
    BALANCE(w->r1, "EUR", STR("Income:VPS"), -33600);
    BALANCE(w->r2, "EUR", STR("Income:VPS"), -42000);
    BALANCE(w->r2, "EUR", account_of(tx, "AR", w->client[2]), 16800);
    BALANCE(w->client[2], "EUR", STR("Expense:VPS"), 16800);
    return RC_OK;
}

CLOSE_TEST(the_books_of_all_tiers_say_what_the_documents_say)
{
    (void)run_close(w, "2026-12", JANUARY, false, false);
    struct fixture *f = &w->books.world.fixture;
    int64_t checked = 0;
    world_write(&w->books.world, balances_in, w, RC_OK);
    enum rc rc = document_verify(f->store, &f->arena, &checked, &f->err);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
    ck_assert_int_eq(checked, 5);
}

CLOSE_TEST(closing_again_has_no_effect)
{
    struct arena arena;
    arena_init(&arena, STORE_TX_ARENA_BYTES);
    use_traffic(w, 1, DECEMBER, 5000);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    struct str first = dump(w, &arena);
    struct close again = run_close(w, "2026-12", JANUARY + US_PER_DAY, true, false);
    ck_assert_int_eq(again.step, CLOSE_DONE);
    SAME(dump(w, &arena), first);
    arena_fini(&arena);
}

/* --- killed --- */

static void three_months(struct close_world *w, bool kill)
{
    static const struct {
        const char *period;
        time_us at;
    } months[] = {{"2026-12", JANUARY}, {"2027-01", FEBRUARY}, {"2027-02", MARCH}};
    use_traffic(w, 0, DECEMBER + US_PER_HOUR, 1500);
    for (size_t i = 0; i < COUNT(months); i++) {
        struct closing c = {.period = months[i].period, .keep = &w->kept};
        w->books.world.clock.at = months[i].at;
        world_write(&w->books.world, begin_close_in, &c, RC_OK);
        while (close_once(w, NULL))
            if (kill)
                close_world_restart(w);
        use_traffic(w, 2, DECEMBER + US_PER_DAY, 777 * ((int64_t)i + 1));
        use_traffic(w, 1, months[i].at + US_PER_DAY, 3333);
    }
}

START_TEST(killed_after_every_unit_of_work_it_ends_the_same)
{
    struct close_world *a = calloc(2, sizeof *a);
    struct close_world *b = a + 1;
    struct arena arena;
    arena_init(&arena, STORE_TX_ARENA_BYTES);
    close_world_open(a);
    close_world_open(b);
    three_months(a, false);
    three_months(b, true);
    struct str whole = dump(a, &arena);
    SAME(dump(b, &arena), whole);
    close_world_close(a);
    close_world_close(b);
    arena_fini(&arena);
    free(a);
}
END_TEST

/* --- late --- */

CLOSE_TEST(late_usage_is_billed_by_the_next_close_and_ends_at_the_same_total)
{
    use_traffic(w, 0, DECEMBER + US_PER_DAY, 1000500);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    use_traffic(w, 0, DECEMBER + 2 * US_PER_DAY, 999);
    use_traffic(w, 0, DECEMBER + 3 * US_PER_DAY, 1001);
    struct close c = run_close(w, "2027-01", FEBRUARY, false, false);
    ck_assert_int_eq(c.exceptions, 0);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 2), 2 * 14000 + 1404);
}

/* All orders in which the same usage can come end at the same amounts. */
static int64_t billed_in_order(const int *order, const int64_t *used, int cut)
{
    struct close_world *w = calloc(1, sizeof *w);
    ASSERT(w != NULL);
    close_world_open(w);
    for (int i = 0; i < cut; i++)
        use_traffic(w, 0, DECEMBER + order[i] * US_PER_DAY, used[order[i]]);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    for (int i = cut; i < 4; i++)
        use_traffic(w, 0, DECEMBER + order[i] * US_PER_DAY, used[order[i]]);
    (void)run_close(w, "2027-01", FEBRUARY, false, false);
    int64_t net = invoiced_net(w, w->r2, w->client[0], 2);
    close_world_close(w);
    free(w);
    return net;
}

START_TEST(any_permutation_of_late_usage_ends_at_the_same_amounts)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    int64_t used[4];
    int order[] = {0, 1, 2, 3};
    for (int i = 0; i < 4; i++)
        used[i] = property_between(&chance, 1, 9999999);
    int64_t want = billed_in_order(order, used, 4);
    for (int run = 0; run < 6; run++) {
        for (int i = 3; i > 0; i--) {
            int k = (int)clock_sim_below(&chance, (uint64_t)i + 1);
            int kept = order[i];
            order[i] = order[k];
            order[k] = kept;
        }
        int64_t got = billed_in_order(order, used, (int)clock_sim_below(&chance, 5));
        HOLDS(got == want, SEED_FMT "%lld, wanted was %lld", seed, (long long)got, (long long)want);
    }
}
END_TEST

/* --- one thread --- */

/* Rates and keeps a page in one unit of work, as if there were no other thread. */
static enum rc rate_alone_in(struct tx *tx, void *arg)
{
    bool *took = arg;
    struct close_row row;
    struct close_page *page = NEW(tx->arena, struct close_page);
    bool found = false;
    TRY(close_row_open(tx, &row, &found));
    *took = found && row.step == CLOSE_RATE;
    if (!*took)
        return RC_OK;
    TRY(close_rate_page(tx, &row, NULL, NULL, page));
    TRY(close_keep_page(tx, page));
    ck_assert(!page->stale);
    TRY(close_keep_page(tx, page)); /* it is kept: another time it is not */
    ck_assert(page->stale);
    return RC_OK;
}

static bool once_alone(struct close_world *w)
{
    bool took = false;
    world_write(&w->books.world, rate_alone_in, &took, RC_OK);
    return took || close_once(w, NULL);
}

static struct str close_traffic(struct close_world *w, bool (*once)(struct close_world *w))
{
    struct closing c = {.period = "2026-12", .keep = &w->kept};
    for (int i = 0; i < CLOSE_CLIENTS; i++)
        use_traffic(w, i, DECEMBER + i * US_PER_DAY, 100000 + i);
    w->books.world.clock.at = JANUARY;
    world_write(&w->books.world, begin_close_in, &c, RC_OK);
    for (int i = 0; once(w); i++)
        ck_assert_int_lt(i, CLOSE_UNITS_MAX);
    return dump(w, &w->kept);
}

static bool once_apart(struct close_world *w)
{
    return close_once(w, NULL);
}

CLOSE_TEST(one_thread_and_two_rate_the_same)
{
    struct close_world *other = calloc(1, sizeof *other);
    ASSERT(other != NULL);
    close_world_open(other);
    struct str alone = close_traffic(w, once_alone);
    struct str apart = close_traffic(other, once_apart);
    ck_assert(str_eq(alone, apart));
    close_world_close(other);
    free(other);
}

/* More than one page of subscriptions, so that pages are rated beside one another. */
static enum rc copy_subscriptions_in(struct tx *tx, void *arg)
{
    enum { COPIES = 2 * CLOSE_CHUNK + CLOSE_CHUNK / 2 };
    const struct close_world *w = arg;
    for (int i = 0; i < COPIES; i++) {
        struct str id = arena_fmt(tx->arena, "sub_%06d", i);
        TRY(sql_run(tx,
                    "INSERT INTO subscription (id, version, seller, client, agreement, plan, "
                    "plan_number, quantity, terms, zone, period, anchored, start, ends, created, "
                    "changed) SELECT $1, version, seller, client, agreement, plan, plan_number, "
                    "quantity, terms, zone, period, anchored, start, ends, created, changed "
                    "FROM subscription WHERE id = $2",
                    V(id), V(w->subscription[i % CLOSE_CLIENTS])));
    }
    return RC_OK;
}

CLOSE_TEST(pages_beside_one_another_rate_what_one_after_the_other_does)
{
    struct close_world *other = calloc(1, sizeof *other);
    ASSERT(other != NULL);
    close_world_open(other);
    world_write(&w->books.world, copy_subscriptions_in, w, RC_OK);
    world_write(&other->books.world, copy_subscriptions_in, other, RC_OK);
    struct str alone = close_traffic(w, once_alone);
    struct str apart = close_traffic(other, once_apart);
    ck_assert(str_eq(alone, apart));
    close_world_close(other);
    free(other);
}

/* --- dry, review, held --- */

static enum rc count_in(struct tx *tx, void *arg)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT (SELECT COUNT(*) FROM rated_run) + (SELECT COUNT(*) FROM document) + "
                 "(SELECT COUNT(*) FROM close_upstream)"));
    *(int64_t *)arg = row_int(&rows, 0, 0);
    return RC_OK;
}

CLOSE_TEST(a_dry_close_tells_and_keeps_nothing)
{
    int64_t rows = -1;
    use_traffic(w, 0, DECEMBER, 100000);
    struct close c = run_close(w, "2026-12", JANUARY, false, true);
    ck_assert_int_eq(c.step, CLOSE_DONE);
    ck_assert_int_eq(c.done, 3);
    ck_assert_int_eq(c.documents, 3);
    world_write(&w->books.world, count_in, &rows, RC_OK);
    ck_assert_int_eq(rows, 0);
    struct close real = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_str_ne(arena_cstr(&w->kept, real.id), arena_cstr(&w->kept, c.id));
    ck_assert_int_eq(real.documents, 5);
    ck_assert_int_eq(real.lines, c.lines); /* usage of a moment ago, too */
    ck_assert_str_eq(arena_cstr(&w->kept, real.net), arena_cstr(&w->kept, c.net));
}

static enum rc approve_in(struct tx *tx, void *arg)
{
    struct closing *c = arg;
    return close_approve(tx, c->close.id, &c->close);
}
static enum rc hold_first_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct document d;
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id, state FROM document WHERE recipient = $1 ORDER BY no LIMIT 1",
                 V(w->client[0])));
    return document_hold(tx, row_str(&rows, 0, 0), row_int(&rows, 0, 1) == DOCUMENT_DRAFT, &d);
}

CLOSE_TEST(a_review_waits_and_what_is_held_is_billed_by_a_later_close)
{
    struct closing c = {.keep = &w->kept};
    c.close = run_close(w, "2026-12", JANUARY, true, false);
    ck_assert_int_eq(c.close.step, CLOSE_REVIEW);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 0), 0);
    world_write(&w->books.world, hold_first_in, w, RC_OK);
    world_write(&w->books.world, approve_in, &c, RC_OK);
    world_write(&w->books.world, approve_in, &c, RC_CONFLICT);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 0), 0);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 1), 14000);
    world_write(&w->books.world, hold_first_in, w, RC_OK);
    (void)run_close(w, "2027-01", FEBRUARY, false, false);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 2), 28000);
}

/* --- refused --- */

CLOSE_TEST(periods_close_one_after_the_other_and_after_their_end)
{
    struct closing december = {.period = "2026-12", .keep = &w->kept};
    struct closing january = {.period = "2027-01", .keep = &w->kept};
    struct closing nonsense = {.period = "2027-13", .keep = &w->kept};
    w->books.world.clock.at = JANUARY - 1;
    world_write(&w->books.world, begin_close_in, &december, RC_CONFLICT);
    world_write(&w->books.world, begin_close_in, &nonsense, RC_INVALID);
    w->books.world.clock.at = FEBRUARY;
    world_write(&w->books.world, begin_close_in, &december, RC_OK);
    world_write(&w->books.world, begin_close_in, &january, RC_CONFLICT);
    (void)run_close(w, "2026-12", FEBRUARY, false, false);
    struct closing november = {.period = "2026-11", .keep = &w->kept};
    world_write(&w->books.world, begin_close_in, &november, RC_CONFLICT);
    world_write(&w->books.world, begin_close_in, &january, RC_OK);
}

/* --- exceptions --- */

static enum rc break_plan_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    return sql_run(tx, "UPDATE subscription SET plan_number = plan_number + $2 WHERE id = $1",
                   V(w->subscription[1]), V(w->usage));
}

CLOSE_TEST(one_that_cannot_be_rated_is_an_exception_and_billed_when_it_can)
{
    w->usage = 7;
    world_write(&w->books.world, break_plan_in, w, RC_OK);
    struct close c = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(c.exceptions, 1);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 0), 0);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[2], 1), 14000);
    w->usage = -7;
    world_write(&w->books.world, break_plan_in, w, RC_OK);
    c = run_close(w, "2027-01", FEBRUARY, false, false);
    ck_assert_int_eq(c.exceptions, 0);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 1), 28000);
    (void)run_close(w, "2027-02", MARCH, false, false);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 2), 42000);
}

/* --- in advance --- */

static enum rc add_ahead_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct str plan = make_vm_plan(tx, "vm-ahead", true, false);
    struct str extra = books_party(tx, "Ahead", "FR", false);
    struct str supply = make_supply(tx, w->r2, extra, w->supply_r2, w->book2);
    w->client[0] = keep(w, extra);
    w->subscription[0] = keep(w, make_subscription(tx, supply, plan, "1", 0));
    return RC_OK;
}
static enum rc end_first_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct subscription s;
    return subscription_end(tx, w->subscription[0], FEBRUARY + 14 * US_PER_DAY, &s);
}

CLOSE_TEST(what_was_billed_ahead_and_is_not_used_is_given_back)
{
    world_write(&w->books.world, add_ahead_in, w, RC_OK);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 1), 2 * 7000); /* December and January */
    (void)run_close(w, "2027-01", FEBRUARY, false, false);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 2), 3 * 7000);
    world_write(&w->books.world, end_first_in, w, RC_OK);
    (void)run_close(w, "2027-02", MARCH, false, false);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 3), 2 * 7000 + 3500);
}

/* January was told ahead by all of them; the first months are earned in every book. */
static enum rc check_deferred_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct ledger *l = w->books.l;
    BALANCE(w->r2, "EUR", STR("Deferred"), -7000);
    BALANCE(w->r1, "EUR", STR("Deferred"), -5600);
    BALANCE(w->op, "EUR", STR("Deferred"), -5000);
    return RC_OK;
}
static enum rc credit_ahead_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct rows rows;
    struct document credit;
    OK(tx, sql_rows(tx, &rows, "SELECT id FROM document WHERE issuer = $1 ORDER BY no LIMIT 1",
                    V(w->op)));
    OK(tx, document_credit(tx, w->books.l, NULL,
                           &(struct credit_request){.id = row_str(&rows, 0, 0)}, &credit));
    struct ledger *l = w->books.l;
    BALANCE(w->op, "EUR", STR("Deferred"), 0);
    BALANCE(w->op, "EUR", STR("Income:VPS"), 0);
    return RC_OK;
}

CLOSE_TEST(what_is_billed_ahead_is_earned_as_time_passes_in_the_books_of_all_tiers)
{
    world_write(&w->books.world, add_ahead_in, w, RC_OK);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    world_write(&w->books.world, check_deferred_in, w, RC_OK);
    world_write(&w->books.world, credit_ahead_in, w, RC_OK);
}

static enum rc add_gift_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct str plan = make_vm_plan(tx, "vm-gift", true, true);
    (void)make_subscription(tx, w->supply[0], plan, "1", 0);
    return RC_OK;
}
static enum rc credit_gift_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct rows rows;
    struct document credit;
    OK(tx, sql_rows(tx, &rows, "SELECT id FROM document WHERE recipient = $1 ORDER BY no LIMIT 1",
                    V(w->client[0])));
    OK(tx, document_credit(tx, w->books.l, NULL,
                           &(struct credit_request){.id = row_str(&rows, 0, 0)}, &credit));
    struct ledger *l = w->books.l;
    BALANCE(w->r2, "EUR", account_of(tx, "AR", w->client[0]), 0);
    return RC_OK;
}

CLOSE_TEST(what_was_given_for_nothing_ahead_can_be_credited)
{
    world_write(&w->books.world, add_gift_in, w, RC_OK);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    world_write(&w->books.world, credit_gift_in, w, RC_OK);
}

/* --- rewards --- */

/* R1 promises; its client C invites D: both have credit with R1, for 30 days. */
BOOKS_TEST(an_invitation_gives_what_was_promised)
{
    struct reward made;
    struct party founded;
    struct page page;
    struct str op = books_party(tx, "Op", "FR", true);
    OK(tx, permission_seed(tx));
    struct party fresh = {.name = STR("R1"),
                          .address = {.country = STR("FR")},
                          .currency = STR("EUR"),
                          .time_zone = STR("Europe/Paris"),
                          .language = STR("en")};
    struct party r1;
    struct party client;
    OK(tx, party_create(tx, &fresh, op, &r1));
    OK(tx, party_create(tx, &fresh, r1.id, &client));
    OK(tx, party_create(tx, &fresh, client.id, &founded));
    OK(tx, wallet_reward(tx, l, &founded)); /* nobody promises anything */
    ALL_ZERO();
    struct reward promise = {.inviter_amount = STR("25.00"),
                             .invitee_amount = STR("10.00"),
                             .currency = STR("EUR"),
                             .expires_days = 30};
    OK(tx, reward_create(tx, r1.id, &promise, &made));
    OK(tx, wallet_reward(tx, l, &founded));
    BALANCE(r1.id, "EUR", STR("Marketing:Referral"), 3500);
    BALANCE(r1.id, "EUR", account_of(tx, "Promo", client.id), -2500);
    BALANCE(r1.id, "EUR", account_of(tx, "Promo", founded.id), -1000);
    BALANCE(founded.id, "EUR", account_of(tx, "Promo", r1.id), 1000);
    OK(tx, wallet_list(tx, founded.id, &(struct page_query){0}, &page));
    const struct wallet *w = page.items.items;
    ck_assert_uint_eq(page.items.count, 1);
    ck_assert_int_eq(w->expires, tx->now + 30 * US_PER_DAY);
    SAME(w->reason, STR("invitation"));
    OK(tx, wallet_reward(tx, l, &client)); /* R1 itself invited: it owes itself nothing */
    BALANCE(r1.id, "EUR", STR("Marketing:Referral"), 4500);
}

/* --- credit --- */

static enum rc give_credit_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct wallet wallet;
    struct coupon coupon;
    struct wallet promo = {.client = w->client[0],
                           .kind = WALLET_PROMO,
                           .currency = STR("EUR"),
                           .amount = STR("25.00"),
                           .expires = FEBRUARY};
    struct wallet lost = promo;
    struct wallet paid = promo;
    struct coupon half = {
        .code = STR("HALF"), .client = w->client[1], .percent = STR("50"), .times = 1};
    lost.priority = 7;
    lost.expires = JANUARY;
    lost.client = w->client[2];
    paid.kind = WALLET_PREPAID;
    FAILS(tx, RC_INVALID, "/expires", wallet_create(tx, w->books.l, w->r2, &paid, &wallet));
    paid.expires = 0;
    paid.amount = STR("0.00");
    FAILS(tx, RC_INVALID, "/amount", wallet_create(tx, w->books.l, w->r2, &paid, &wallet));
    paid.amount = STR("200.00");
    paid.priority = 5;
    OK(tx, wallet_create(tx, w->books.l, w->r2, &paid, &wallet));
    OK(tx, wallet_create(tx, w->books.l, w->r2, &promo, &wallet));
    OK(tx, wallet_create(tx, w->books.l, w->r2, &lost, &wallet));
    OK(tx, coupon_create(tx, w->r2, &half, &coupon));
    FAILS(tx, RC_CONFLICT, NULL, coupon_create(tx, w->r2, &half, &coupon));
    half = (struct coupon){.code = STR("NONE")};
    FAILS(tx, RC_INVALID, "/percent", coupon_create(tx, w->r2, &half, &coupon));
    return RC_OK;
}
static enum rc check_credit_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct ledger *l = w->books.l;
    /* 140.00 and 20 % tax: 168.00, of which 25.00 by promotion and 143.00 by money paid before. */
    BALANCE(w->r2, "EUR", account_of(tx, "AR", w->client[0]), 0);
    BALANCE(w->r2, "EUR", account_of(tx, "Promo", w->client[0]), 0);
    BALANCE(w->r2, "EUR", account_of(tx, "Wallet", w->client[0]), -5700);
    BALANCE(w->client[0], "EUR", account_of(tx, "Wallet", w->r2), 5700);
    BALANCE(w->r2, "EUR", STR("Income:Breakage"), -2500);
    BALANCE(w->r2, "EUR", account_of(tx, "Promo", w->client[2]), 0);
    BALANCE(w->r2, "EUR", account_of(tx, "AR", w->client[1]), 8400);
    return RC_OK;
}

CLOSE_TEST(wallets_pay_in_their_order_and_coupons_lower_the_last_edge_alone)
{
    world_write(&w->books.world, give_credit_in, w, RC_OK);
    struct close c = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(c.exceptions, 0);
    world_write(&w->books.world, check_credit_in, w, RC_OK);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 1), 7000);
    ck_assert_int_eq(invoiced_net(w, w->r1, w->r2, 1), 3 * 11200);
    (void)run_close(w, "2027-01", FEBRUARY, false, false);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 2), 7000 + 14000); /* it was for once */
}

static enum rc make_free_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct str plan = make_vm_plan(tx, "vm-free", false, true);
    (void)make_subscription(tx, w->supply[0], plan, "1", 0);
    return RC_OK;
}

CLOSE_TEST(a_free_tier_costs_the_client_nothing_and_the_tiers_above_are_paid)
{
    world_write(&w->books.world, make_free_in, w, RC_OK);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 1), 14000);
    ck_assert_int_eq(invoiced_net(w, w->r1, w->r2, 1), 7 * 5600);
}

/* --- where the platform collects --- */

static enum rc add_collected_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct rows rows;
    struct agreement fresh = {.kind = AGREEMENT_SUPPLY,
                              .from = w->r2,
                              .to = books_party(tx, "Collected", "FR", false),
                              .terms = {.upstream = w->supply_r2,
                                        .book = w->book2,
                                        .settle = SETTLE_COLLECT,
                                        .payment_days = 30}};
    w->client[0] = keep(w, fresh.to);
    struct str supply = make_agreement(tx, &fresh);
    TRY(sql_rows(tx, &rows, "SELECT id FROM plan ORDER BY id LIMIT 1"));
    (void)make_subscription(tx, supply, row_str(&rows, 0, 0), "10", 0);
    return RC_OK;
}
static enum rc collected_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct ledger *l = w->books.l;
    /* 500.00, 560.00 and 700.00 down the path: the operator's book shows 500.00 alone. */
    BALANCE(w->op, "EUR", STR("AR:Clearing"), 50000);
    BALANCE(w->r1, "EUR", STR("AR:Clearing"), 6000);
    BALANCE(w->r2, "EUR", STR("AR:Clearing"), 14000);
    BALANCE(POSTING_CLEARING, "EUR", account_of(tx, "AR", w->client[0]), 84000);
    return RC_OK;
}

CLOSE_TEST(where_the_platform_collects_there_is_the_clients_invoice_alone)
{
    world_write(&w->books.world, add_collected_in, w, RC_OK);
    struct close c = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(c.exceptions, 0);
    ck_assert_int_eq(c.documents, 6);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 1), 70000);
    ck_assert_int_eq(invoiced_net(w, w->r1, w->r2, 1), 3 * 11200);
    world_write(&w->books.world, collected_in, w, RC_OK);
}

/* --- prices that change --- */

static enum rc raise_price_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct price_entry e;
    struct price_entry fresh = {
        .op = ENTRY_MUL, .value = STR("224"), .valid_from = DECEMBER + 31 * US_PER_DAY / 2};
    OK(tx, price_entry_add(tx, w->book1, &fresh, &e));
    return RC_OK;
}

CLOSE_TEST(a_flat_charge_is_cut_where_a_price_changes_and_a_metered_one_is_not)
{
    world_write(&w->books.world, raise_price_in, w, RC_OK);
    use_traffic(w, 0, DECEMBER + 20 * US_PER_DAY, 1000000);
    struct close c = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(c.lines, 7);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 1), 7000 + 14000 + 1400);
    ck_assert_int_eq(invoiced_net(w, w->op, w->r1, 1), 3 * 10000 + 1000);
}

/* --- random worlds beside a naive model --- */

enum { RANDOM_WORLDS = 12, RANDOM_EXTRA = 4, RANDOM_USES = 5 };

struct model {
    int64_t percent[2]; /* what R1 and R2 make of the price they buy at */
    int64_t units[RANDOM_EXTRA];
    int client[RANDOM_EXTRA];
    time_us start[RANDOM_EXTRA];
    int64_t used[CLOSE_CLIENTS]; /* thousandths */
    struct close_world *w;
};

/* n / d, half away from zero; neither is below 0. */
static int64_t nearest(__int128 n, __int128 d)
{
    return (int64_t)((2 * n + d) / (2 * d));
}

/* What the buyer of an edge pays for `cents_ppm` millionths of a cent at list price, part /
 * whole of it. */
static int64_t at_edge(const struct model *m, int edge, __int128 cents_ppm, int64_t part,
                       int64_t whole)
{
    __int128 n = cents_ppm * part;
    __int128 d = (__int128)1000000 * whole;
    for (int k = 0; k < edge; k++) {
        n *= m->percent[k];
        d *= 100;
    }
    return nearest(n, d);
}

/* December and January of one client, at one edge. */
static int64_t model_client(const struct model *m, int client, int edge)
{
    int64_t month = JANUARY - DECEMBER;
    int64_t sum = 2 * at_edge(m, edge, (__int128)2 * 5000 * 1000000, month, month);
    sum += at_edge(m, edge, (__int128)m->used[client] * 1000, 1, 1);
    for (int i = 0; i < RANDOM_EXTRA; i++) {
        __int128 price = (__int128)m->units[i] * 5000 * 1000000;
        int64_t whole = at_edge(m, edge, price, month, month);
        if (m->client[i] == client)
            sum += 2 * whole - at_edge(m, edge, price, m->start[i] - DECEMBER, month);
    }
    return sum;
}

static enum rc add_random_in(struct tx *tx, void *arg)
{
    struct model *m = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT id FROM plan ORDER BY id LIMIT 1"));
    make_entry(tx, m->w->book1, "", ENTRY_MUL,
               arena_fmt(tx->arena, "%lld", (long long)m->percent[0]).p);
    make_entry(tx, m->w->book2, "", ENTRY_MUL,
               arena_fmt(tx->arena, "%lld", (long long)m->percent[1]).p);
    for (int i = 0; i < RANDOM_EXTRA; i++)
        (void)make_subscription(tx, m->w->supply[m->client[i]], row_str(&rows, 0, 0),
                                arena_fmt(tx->arena, "%lld", (long long)m->units[i]).p,
                                m->start[i]);
    return RC_OK;
}

static void use_some(struct model *m, struct clock_sim *chance)
{
    for (int i = 0; i < RANDOM_USES; i++) {
        int client = (int)clock_sim_below(chance, CLOSE_CLIENTS);
        int64_t used = property_between(chance, 1, 3000000);
        use_traffic(m->w, client, DECEMBER + property_between(chance, 0, 30) * US_PER_DAY, used);
        m->used[client] += used;
    }
}

static void one_random_world(struct close_world *w, struct clock_sim *chance, uint64_t seed)
{
    struct model m = {.w = w};
    int64_t want[2] = {0, 0};
    for (int k = 0; k < 2; k++)
        m.percent[k] = property_between(chance, 50, 200);
    for (int i = 0; i < RANDOM_EXTRA; i++) {
        m.units[i] = property_between(chance, 1, 9);
        m.client[i] = (int)clock_sim_below(chance, CLOSE_CLIENTS);
        m.start[i] = DECEMBER + property_between(chance, 0, 31 * 86400 - 1) * US_PER_SECOND;
    }
    world_write(&w->books.world, add_random_in, &m, RC_OK);
    use_some(&m, chance);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    use_some(&m, chance);
    (void)run_close(w, "2027-01", FEBRUARY, false, false);
    for (int i = 0; i < CLOSE_CLIENTS; i++) {
        int64_t got = invoiced_net(w, w->r2, w->client[i], 2);
        HOLDS(got == model_client(&m, i, 2), SEED_FMT "client %d: %lld, wanted was %lld", seed, i,
              (long long)got, (long long)model_client(&m, i, 2));
        for (int k = 0; k < 2; k++)
            want[k] += model_client(&m, i, k);
    }
    HOLDS(invoiced_net(w, w->op, w->r1, 2) == want[0], SEED_FMT "the operator", seed);
    HOLDS(invoiced_net(w, w->r1, w->r2, 2) == want[1], SEED_FMT "the first reseller", seed);
}

START_TEST(random_worlds_are_invoiced_as_a_naive_model_says)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < RANDOM_WORLDS; i++) {
        struct close_world *w = calloc(1, sizeof *w);
        ASSERT(w != NULL);
        close_world_open(w);
        one_random_world(w, &chance, seed);
        close_world_close(w);
        free(w);
    }
}
END_TEST

Suite *close_suite(void);
Suite *close_suite(void)
{
    Suite *s = suite_create("close");
    TCase *t = tcase_create("close");
    tcase_set_timeout(t, 300);
    tcase_add_test(t, an_invitation_gives_what_was_promised);
    tcase_add_test(t, a_month_is_closed_and_every_tier_is_invoiced);
    tcase_add_test(t, the_books_of_all_tiers_say_what_the_documents_say);
    tcase_add_test(t, closing_again_has_no_effect);
    tcase_add_test(t, killed_after_every_unit_of_work_it_ends_the_same);
    tcase_add_test(t, late_usage_is_billed_by_the_next_close_and_ends_at_the_same_total);
    tcase_add_test(t, any_permutation_of_late_usage_ends_at_the_same_amounts);
    tcase_add_test(t, one_thread_and_two_rate_the_same);
    tcase_add_test(t, pages_beside_one_another_rate_what_one_after_the_other_does);
    tcase_add_test(t, a_dry_close_tells_and_keeps_nothing);
    tcase_add_test(t, a_review_waits_and_what_is_held_is_billed_by_a_later_close);
    tcase_add_test(t, periods_close_one_after_the_other_and_after_their_end);
    tcase_add_test(t, one_that_cannot_be_rated_is_an_exception_and_billed_when_it_can);
    tcase_add_test(t, what_was_billed_ahead_and_is_not_used_is_given_back);
    tcase_add_test(t, what_was_given_for_nothing_ahead_can_be_credited);
    tcase_add_test(t, what_is_billed_ahead_is_earned_as_time_passes_in_the_books_of_all_tiers);
    tcase_add_test(t, wallets_pay_in_their_order_and_coupons_lower_the_last_edge_alone);
    tcase_add_test(t, a_free_tier_costs_the_client_nothing_and_the_tiers_above_are_paid);
    tcase_add_test(t, where_the_platform_collects_there_is_the_clients_invoice_alone);
    tcase_add_test(t, random_worlds_are_invoiced_as_a_naive_model_says);
    tcase_add_test(t, a_flat_charge_is_cut_where_a_price_changes_and_a_metered_one_is_not);
    suite_add_tcase(s, t);
    return s;
}
