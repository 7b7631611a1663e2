/*
 * unseen_test.c - specs/billing.md 3.2, 3.10: in any channel, after invoices, payments and payouts,
 * nothing that a party is shown holds the price or the margin of another tier.
 *
 * What the operator's bank received and sent is the operator's to see: payments and payouts are
 * looked at for everybody else.
 */
#include "billing/book_view.h"
#include "billing/rated_row.h"
#include "settle/path_fixture.h"

enum { WORLDS = 6, SHOWN_MAX = 8 * 1024 * 1024, ROWS = 200 };

/* Sellers 0 .. tiers - 1, the client behind them; at[k] is what the buyer of seller k pays. */
struct channel {
    struct path_world p; /* the first: what path_do hands over is the channel, too */
    int64_t at[TIERS_MAX];
    struct buf shown;
};

/* --- the channel --- */

static struct str factor(struct tx *tx, struct path_world *p)
{
    int64_t percent = property_between(&p->chance, 80, 160);
    int64_t fraction = property_between(&p->chance, 1, 9999);
    return arena_fmt(tx->arena, "%lld.%04lld", (long long)percent, (long long)fraction);
}

static enum rc define_in(struct tx *tx, void *arg)
{
    struct channel *c = arg;
    struct path_world *p = &c->p;
    struct close_world *w = &p->w;
    struct subscription s;
    struct str supply = STR("");
    struct str book = STR("");
    for (int i = 0; i <= p->tiers; i++) {
        struct str made = keep(w, books_party(tx, "Party", "US", true));
        if (i == 0)
            OK(tx, permission_seed(tx));
        if (i == p->tiers)
            p->client[0] = made;
        else
            p->party[i] = made;
        set_bank(tx, made, "FR1420041010050500013M02606");
    }
    int64_t whole = property_between(&p->chance, 10000, 99999);
    int64_t cents = property_between(&p->chance, 0, 99);
    struct str price = arena_fmt(tx->arena, "%lld.%02lld", (long long)whole, (long long)cents);
    struct str plan =
        make_flat(tx, p->party[0], "vm", "Wholesale", arena_cstr(tx->arena, price), "USD");
    for (int i = 0; i < p->tiers; i++) {
        struct str to = i + 1 < p->tiers ? p->party[i + 1] : p->client[0];
        if (i > 0) {
            book = make_book(tx, p->party[i], "retail");
            make_entry(tx, book, "vm", ENTRY_MUL, arena_cstr(tx->arena, factor(tx, p)));
        }
        supply = path_supply(tx, p, p->party[i], to, supply, book);
    }
    const struct subscription fresh = {.agreement = supply, .plan = plan, .quantity = STR("1")};
    OK(tx, subscription_create(tx, &fresh, &s));
    return RC_OK;
}

/* What each buyer owes, from the rated line itself. */
static enum rc on_line(struct tx *tx, int64_t number, const struct rated_line *line, size_t tiers,
                       void *arg)
{
    struct channel *c = arg;
    (void)tx;
    (void)number;
    ck_assert_uint_eq(tiers, (size_t)c->p.tiers);
    memcpy(c->at, line->amounts, tiers * sizeof *c->at);
    return RC_OK;
}

static enum rc pay_in(struct tx *tx, void *arg)
{
    struct channel *c = arg;
    struct path_world *p = &c->p;
    OK(tx, rated_row_each(tx, 1, 0, 1, on_line, c));
    int64_t all = c->at[p->tiers - 1];
    struct str part = amount_str(property_between(&p->chance, all / 2, all),
                                 currency_find(STR("USD")), tx->arena);
    (void)pay_client(tx, p, 0, arena_cstr(tx->arena, part));
    return RC_OK;
}

/* --- all that a party is shown --- */

static void show(struct channel *c, const struct schema *schema, const struct page *page,
                 size_t size)
{
    struct json_writer w;
    for (size_t i = 0; i < page->items.count; i++) {
        json_writer_init(&w, &c->shown);
        schema_encode(schema, (const char *)page->items.items + i * size, &w);
        buf_add_char(&c->shown, '\n');
    }
    ck_assert(!c->shown.full);
}
#define SHOW(schema, type, page) show(c, &(schema), &(page), sizeof(type))

static void show_documents(struct tx *tx, struct channel *c, struct str party)
{
    struct page page;
    struct page lines;
    struct document_query q = {.page = {.limit = ROWS}};
    OK(tx, document_list(tx, party, &q, &page));
    SHOW(document_schema, struct document, page);
    const struct document *list = page.items.items;
    for (size_t i = 0; i < page.items.count; i++) {
        OK(tx, document_lines(tx, list[i].id, &q.page, &lines));
        SHOW(document_line_schema, struct document_line, lines);
    }
}

static void show_shares(struct tx *tx, struct channel *c, struct str party)
{
    struct page page;
    struct page lines;
    struct page_query q = {.limit = ROWS};
    OK(tx, share_list(tx, party, &q, &page));
    SHOW(share_row_schema, struct share_row, page);
    OK(tx, statement_list(tx, party, &q, &page));
    SHOW(statement_schema, struct statement, page);
    const struct statement *list = page.items.items;
    for (size_t i = 0; i < page.items.count; i++) {
        OK(tx, statement_lines(tx, list[i].id, &q, &lines));
        SHOW(statement_line_schema, struct statement_line, lines);
    }
}

static void show_books(struct tx *tx, struct channel *c, struct str party)
{
    struct page page;
    struct page moves;
    struct book_query q = {.page = {.limit = ROWS}};
    OK(tx, book_list(tx, c->p.w.books.l, party, &q, &page));
    SHOW(book_account_schema, struct book_account, page);
    const struct book_account *list = page.items.items;
    for (size_t i = 0; i < page.items.count; i++) {
        struct book_transfer_query t = {
            .page = {.limit = ROWS}, .account = list[i].account, .currency = list[i].currency};
        OK(tx, book_transfers(tx, c->p.w.books.l, party, &t, &moves));
        SHOW(book_transfer_schema, struct book_transfer, moves);
    }
}

static void show_all(struct tx *tx, struct channel *c, struct str party)
{
    struct page page;
    struct page_query q = {.limit = ROWS};
    buf_reset(&c->shown);
    show_documents(tx, c, party);
    show_shares(tx, c, party);
    show_books(tx, c, party);
    OK(tx, clearing_list(tx, party, &q, &page));
    SHOW(clearing_entry_schema, struct clearing_entry, page);
    if (str_eq(party, c->p.party[0]))
        return;
    OK(tx, payment_list(tx, party, &q, &page));
    SHOW(payment_schema, struct payment, page);
    OK(tx, payout_list(tx, party, &q, &page));
    SHOW(payout_schema, struct payout, page);
}

/* --- what is another's --- */

static int64_t margin(const struct channel *c, int tier)
{
    return c->at[tier] - (tier > 0 ? c->at[tier - 1] : 0);
}

/*
 * Down a CHAIN, a seller below its own price who has nothing else pays on all that it was paid: its
 * supplier, and theirs, see that payment and what is left open of their invoice.
 */
static bool paid_on(const struct channel *c, int party, int64_t amount)
{
    int64_t least = c->at[party];
    for (int k = party + 1; k < c->p.tiers; k++)
        least = c->at[k] < least ? c->at[k] : least;
    return c->p.settle == SETTLE_CHAIN &&
           (amount == least || llabs(amount) == c->at[party] - least);
}

static bool own(const struct channel *c, int party, int64_t amount)
{
    bool sells = party < c->p.tiers;
    return amount == 0 || (party > 0 && amount == c->at[party - 1]) ||
           (party > 0 && paid_on(c, party - 1, amount)) ||
           (sells && (amount == c->at[party] || amount == margin(c, party))) ||
           (sells && paid_on(c, party, amount));
}

static void want_unseen(struct tx *tx, const struct channel *c, int party, int64_t amount)
{
    struct str text =
        amount_str(amount < 0 ? -amount : amount, currency_find(STR("USD")), tx->arena);
    if (own(c, party, amount))
        return;
    HOLDS(!str_has(buf_str(&c->shown), text), SEED_FMT "party %d of %d (mode %d) sees %.*s",
          c->p.seed, party, c->p.tiers, (int)c->p.settle, STRF(text));
}

static enum rc look_in(struct tx *tx, void *arg)
{
    struct channel *c = arg;
    struct path_world *p = &c->p;
    buf_init(&c->shown, tx->arena, SHOWN_MAX);
    for (int i = 0; i <= p->tiers; i++) {
        show_all(tx, c, i < p->tiers ? p->party[i] : p->client[0]);
        for (int k = 0; k < p->tiers; k++) {
            if (k != i && k != i - 1)
                want_unseen(tx, c, i, c->at[k]);
            if (k != i && k > 0)
                want_unseen(tx, c, i, margin(c, k));
        }
        if (i > 0) { /* what is its own is there to be found */
            struct str price = amount_str(c->at[p->settle == SETTLE_COLLECT ? p->tiers - 1 : i - 1],
                                          currency_find(STR("USD")), tx->arena);
            bool shown = str_has(buf_str(&c->shown), price);
            HOLDS(shown || (p->settle == SETTLE_COLLECT && i < p->tiers),
                  SEED_FMT "party %d does not see %.*s", p->seed, i, STRF(price));
        }
    }
    return RC_OK;
}

START_TEST(no_party_is_shown_a_price_or_a_margin_of_another_tier)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int world = 0; world < WORLDS; world++) {
        struct channel *c = calloc(1, sizeof *c);
        ASSERT(c != NULL);
        c->p = (struct path_world){.tiers = (int)property_between(&chance, 3, 6),
                                   .clients = 1,
                                   .settle = world % 2 == 0 ? SETTLE_COLLECT : SETTLE_CHAIN,
                                   .chance = chance,
                                   .seed = seed};
        settle_world_open(&c->p.w);
        world_write(&c->p.w.books.world, define_in, c, RC_OK);
        (void)settle_close(&c->p.w, "2026-12", JANUARY);
        path_do(&c->p, pay_in);
        path_do(&c->p, run_in);
        path_do(&c->p, send_in);
        path_do(&c->p, look_in);
        chance = c->p.chance;
        settle_world_close(&c->p.w);
        free(c);
    }
}
END_TEST

Suite *unseen_suite(void);
Suite *unseen_suite(void)
{
    Suite *s = suite_create("unseen");
    TCase *c = tcase_create("unseen");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, no_party_is_shown_a_price_or_a_margin_of_another_tier);
    suite_add_tcase(s, c);
    return s;
}
