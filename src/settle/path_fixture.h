/*
 * path_fixture.h - a path of sellers with clients at its end, a closed month, and money that comes
 * and goes. Only for tests: everything here asserts.
 *
 *     operator -> tier 1 (+12 % on machines) -> tier 2 (+25 %, storage -5 %) -> ... -> clients
 *
 * With three sellers and one client it is the channel of specs/billing.md 3.7.
 */
#ifndef SETTLE_PATH_FIXTURE_H
#define SETTLE_PATH_FIXTURE_H

#include "money/amount.h"
#include "money/property.h"
#include "settle/clearing.h"
#include "settle/settle_fixture.h"

enum { TIERS_MAX = 8, CLIENTS_MAX = 3, PAYOUTS_MAX = 200 };

/* --- a path --- */

/* party[0] is the operator, each sells to the next one, the last sells to the clients. */
struct path_world {
    struct close_world w;
    int tiers;
    int clients;
    struct str party[TIERS_MAX];
    struct str client[CLIENTS_MAX];
    enum settle_mode settle;
    enum bad_debt bad_debt; /* of all edges */
    bool introduced;        /* the first client, by an agent who has 3 % of the wholesale price */
    struct str agent;
    struct str first_supply; /* from the operator */
    struct clock_sim chance;
    uint64_t seed;
    int64_t names; /* of payments and runs: given once each */
};

/* 10 machines and 20 units of storage. */
static inline void subscribe(struct tx *tx, struct str supply)
{
    static const char *const items[] = {"vm", "storage"};
    static const char *const counts[] = {"10", "20"};
    for (size_t i = 0; i < COUNT(items); i++) {
        struct rows rows;
        struct subscription s;
        OK(tx, sql_rows(tx, &rows, "SELECT id FROM plan WHERE code = $1", V(items[i])));
        struct subscription fresh = {
            .agreement = supply, .plan = row_str(&rows, 0, 0), .quantity = str_c(counts[i])};
        OK(tx, subscription_create(tx, &fresh, &s));
    }
}

static inline struct str path_supply(struct tx *tx, const struct path_world *p, struct str from,
                                     struct str to, struct str upstream, struct str book)
{
    struct agreement fresh = {.kind = AGREEMENT_SUPPLY,
                              .from = from,
                              .to = to,
                              .terms = {.upstream = upstream,
                                        .book = book,
                                        .settle = p->settle,
                                        .bad_debt = p->bad_debt,
                                        .currency = STR("USD"),
                                        .payment_days = 30}};
    return make_agreement(tx, &fresh);
}

static inline struct str chain_book(struct tx *tx, struct str party, int tier)
{
    struct str book = make_book(tx, party, "retail");
    make_entry(tx, book, "vm", ENTRY_MUL, tier == 1 ? "112" : "125");
    if (tier > 1)
        make_entry(tx, book, "storage", ENTRY_MUL, "95");
    return book;
}

static inline enum rc path_define(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct close_world *w = &p->w;
    struct str supply = STR("");
    struct str book = STR("");
    for (int i = 0; i < p->tiers; i++) {
        p->party[i] = keep(w, books_party(tx, "Tier", "US", true));
        if (i == 0)
            OK(tx, permission_seed(tx));
        set_bank(tx, p->party[i], "FR1420041010050500013M02606");
    }
    (void)make_flat(tx, p->party[0], "vm", "Wholesale", "50.00", "USD");
    (void)make_flat(tx, p->party[0], "storage", "Wholesale", "10.00", "USD");
    for (int i = 1; i < p->tiers; i++) {
        supply = path_supply(tx, p, p->party[i - 1], p->party[i], supply, book);
        if (i == 1)
            p->first_supply = keep(w, supply);
        book = chain_book(tx, p->party[i], i);
    }
    p->agent = keep(w, books_party(tx, "Agent", "US", true));
    for (int i = 0; i < p->clients; i++) {
        p->client[i] = keep(w, books_party(tx, "Client", "US", true));
        struct str sold = path_supply(tx, p, p->party[p->tiers - 1], p->client[i], supply, book);
        subscribe(tx, sold);
    }
    if (p->introduced)
        (void)make_referral(tx, p->party[0], p->agent, p->client[0], false, "3");
    return RC_OK;
}

static inline struct path_world *path_open_as(const struct path_world *wanted)
{
    struct path_world *p = calloc(1, sizeof *p);
    ASSERT(p != NULL);
    *p = *wanted;
    settle_world_open(&p->w);
    world_write(&p->w.books.world, path_define, p, RC_OK);
    (void)settle_close(&p->w, "2026-12", JANUARY);
    return p;
}

static inline struct path_world *path_open(int tiers, int clients)
{
    const struct path_world wanted = {.tiers = tiers, .clients = clients};
    return path_open_as(&wanted);
}

static inline void path_close(struct path_world *p)
{
    settle_world_close(&p->w);
    free(p);
}

static inline void path_do(struct path_world *p, tx_fn fn)
{
    p->w.books.world.clock.at += US_PER_DAY;
    arena_reset(&p->w.books.world.fixture.arena);
    world_write(&p->w.books.world, fn, p, RC_OK);
}

/* --- what tests do --- */

static inline struct payment pay_client(struct tx *tx, struct path_world *p, int client,
                                        const char *amount)
{
    struct document_row d =
        document_between(tx, p->party[p->tiers - 1], p->client[client], DOCUMENT_INVOICE);
    const char *reference =
        arena_cstr(tx->arena, arena_fmt(tx->arena, "wire-%lld", (long long)++p->names));
    return book_payment(tx, p->w.books.l, p->party[0], d.id, amount, "USD", reference);
}

static inline struct settlement run_of(struct tx *tx, struct path_world *p)
{
    struct settlement run;
    struct str id = arena_fmt(tx->arena, "run-%lld", (long long)++p->names);
    OK(tx, settlement_run(tx, p->w.books.l, p->party[0], id, 0, &run));
    return run;
}

static inline enum rc run_in(struct tx *tx, void *arg)
{
    (void)run_of(tx, arg);
    return RC_OK;
}

static inline struct page payouts_of(struct tx *tx, struct path_world *p)
{
    struct page page;
    OK(tx, payout_list(tx, p->party[0], &(struct page_query){.limit = PAYOUTS_MAX}, &page));
    return page;
}

static inline int64_t clearing_bank(struct tx *tx, struct path_world *p)
{
    return books_balance_of(tx, p->w.books.l, POSTING_CLEARING, "USD", STR("Bank"));
}

/* All payouts that wait are approved and sent; but of Clearing what it has not is refused, and is
 * approved from then on. */
static inline enum rc send_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct page page = payouts_of(tx, p);
    const struct payout *list = page.items.items;
    for (size_t i = 0; i < page.items.count; i++) {
        struct payout out;
        int64_t amount = 0;
        int64_t before = clearing_bank(tx, p);
        if (list[i].state != PAYOUT_PENDING && list[i].state != PAYOUT_APPROVED)
            continue;
        if (list[i].state == PAYOUT_PENDING)
            OK(tx, payout_approve(tx, list[i].id, STR("usr_a"), &out));
        enum rc rc = payout_release(tx, p->w.books.l, list[i].id, STR("usr_b"), &out);
        int64_t after = clearing_bank(tx, p);
        HOLDS(after == before || after >= 0, SEED_FMT "Clearing paid what it had not", p->seed);
        if (rc == RC_OK)
            continue;
        OK(tx, amount_parse(list[i].amount, currency_find(STR("USD")), &amount, tx->err));
        HOLDS(rc == RC_CONFLICT && before < amount, SEED_FMT "%s", p->seed, tx->err->text);
        err_clear(tx->err);
    }
    return RC_OK;
}

#endif
