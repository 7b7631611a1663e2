/*
 * ledger_fixture.h - a store with a ledger for one test, and short ways to post. Only for tests:
 * everything here asserts.
 */
#ifndef LEDGER_LEDGER_FIXTURE_H
#define LEDGER_LEDGER_FIXTURE_H

#include "ledger/ledger.h"
#include "store/store_fixture.h"

#include <check.h>

struct books {
    struct fixture f;
    struct clock_sim sim;
    struct ledger *l;
    uint32_t source;
    account_id cash, sales, owes, owed, hosting; /* of Op; owed and hosting of POP; EUR */
};

static inline void books_must(enum rc rc, const struct err *err)
{
    ck_assert_msg(rc == RC_OK, "%s", err->text);
}

static inline void books_start(struct books *b)
{
    fixture_open_with(&b->f, (struct store_options){.clock = &b->sim.clock});
    books_must(ledger_open(&b->l, b->f.store, NULL, &b->f.err), &b->f.err);
}

static inline void books_stop(struct books *b)
{
    store_close(b->f.store);
    b->f.store = NULL;
    ledger_close(b->l);
    b->l = NULL;
}

static inline enum rc books_define(struct tx *tx, void *arg)
{
    struct books *b = arg;
    struct str op = STR("Op");
    struct str eur = STR("EUR");
    uint64_t last = 0;
    TRY(ledger_source(tx, b->l, STR("test"), &b->source, &last));
    TRY(ledger_account(tx, b->l,
                       &(struct account){.party = op, .currency = eur, .code = STR("Bank:FR76")},
                       &b->cash));
    TRY(ledger_account(
        tx, b->l,
        &(struct account){
            .party = op, .currency = eur, .code = STR("Income:VPS"), .flags = ACCOUNT_HISTORY},
        &b->sales));
    TRY(ledger_debt(tx, b->l, op, STR("POP"), eur, &b->owes, &b->owed));
    return ledger_account(
        tx, b->l,
        &(struct account){.party = STR("POP"), .currency = eur, .code = STR("Income:Hosting")},
        &b->hosting);
}

static inline void books_open_at(struct books *b, const char *url)
{
    *b = (struct books){0};
    clock_sim_init(&b->sim, 1000 * US_PER_DAY, 1);
    if (url != NULL) {
        (void)snprintf(b->f.url, sizeof b->f.url, "%s", url);
        arena_init(&b->f.arena, STORE_TX_ARENA_BYTES);
    } else {
        fixture_init_handed_on(&b->f);
    }
    books_start(b);
    books_must(fixture_write(&b->f, books_define, b), &b->f.err);
}

static inline void books_open(struct books *b)
{
    books_open_at(b, NULL);
}

static inline void books_reopen(struct books *b)
{
    books_stop(b);
    books_start(b);
    books_must(fixture_write(&b->f, books_define, b), &b->f.err);
}

static inline void books_close(struct books *b)
{
    store_close(b->f.store);
    b->f.store = NULL;
    ledger_close(b->l);
    fixture_close(&b->f);
}

/* One call of ledger_post in a unit of work of its own. */
struct books_post {
    struct books *b;
    const struct transfer *transfers;
    size_t count;
    size_t posted;
};

static inline enum rc books_post_fn(struct tx *tx, void *arg)
{
    struct books_post *p = arg;
    return ledger_post(tx, p->b->l, p->transfers, p->count, &p->posted);
}

static inline enum rc books_post(struct books *b, const struct transfer *t, size_t count,
                                 size_t *ret_posted)
{
    struct books_post p = {.b = b, .transfers = t, .count = count};
    enum rc rc = fixture_write(&b->f, books_post_fn, &p);
    if (ret_posted != NULL)
        *ret_posted = p.posted;
    return rc;
}

static inline struct transfer books_transfer(const struct books *b, uint64_t number,
                                             account_id debit, account_id credit, int64_t amount)
{
    return (struct transfer){.reference = {b->source, number},
                             .debit = debit,
                             .credit = credit,
                             .amount = amount,
                             .event = number};
}

static inline enum rc books_move(struct books *b, uint64_t number, int64_t amount)
{
    struct transfer t = books_transfer(b, number, b->cash, b->sales, amount);
    return books_post(b, &t, 1, NULL);
}

struct books_ask {
    struct books *b;
    account_id account;
    time_us at;
    struct balance balance;
};

static inline enum rc books_balance_fn(struct tx *tx, void *arg)
{
    struct books_ask *a = arg;
    return ledger_balance(tx, a->b->l, a->account, &a->balance);
}

static inline enum rc books_balance_at_fn(struct tx *tx, void *arg)
{
    struct books_ask *a = arg;
    return ledger_balance_at(tx, a->b->l, a->account, a->at, &a->balance);
}

static inline struct balance books_balance(struct books *b, account_id account)
{
    struct books_ask a = {.b = b, .account = account};
    books_must(fixture_read(&b->f, books_balance_fn, &a), &b->f.err);
    return a.balance;
}

static inline struct balance books_balance_at(struct books *b, account_id account, time_us at)
{
    struct books_ask a = {.b = b, .account = account, .at = at};
    books_must(fixture_read(&b->f, books_balance_at_fn, &a), &b->f.err);
    return a.balance;
}

/* Debits less credits. */
static inline int64_t books_net(struct books *b, account_id account)
{
    struct balance x = books_balance(b, account);
    return x.debits - x.credits;
}

static inline struct ledger_report books_verify(struct books *b)
{
    struct ledger_report report = {0};
    books_must(ledger_verify(b->f.store, &b->f.arena, &report, &b->f.err), &b->f.err);
    return report;
}

#endif
