/*
 * books_fixture.h - a store with the ledger open and parties in it, for tests of this room. Only
 * for tests: everything here asserts.
 *
 *     BOOKS_TEST(an_invoice_is_booked_on_both_sides)
 *     {
 *         struct str op = books_party(tx, "Op", "FR", true);
 *         ... BALANCE(op, "Income:VPS", -19500);
 *     }
 *
 * runs in one unit of work; tx and l are there.
 */
#ifndef BILLING_BOOKS_FIXTURE_H
#define BILLING_BOOKS_FIXTURE_H

#include "billing/document_row.h"
#include "billing/posting.h"
#include "ledger/ledger.h"
#include "money/property.h"
#include "party/party_fixture.h"

struct books_world {
    struct world world;
    struct ledger *l;
};

static inline void books_world_open(struct books_world *b)
{
    world_open(&b->world);
    enum rc rc = ledger_open(&b->l, b->world.fixture.store, NULL, &b->world.fixture.err);
    ck_assert_msg(rc == RC_OK, "%s", b->world.fixture.err.text);
}

static inline void books_world_verify(struct books_world *b)
{
    struct ledger_report report;
    struct fixture *f = &b->world.fixture;
    enum rc rc = ledger_verify(f->store, &f->arena, &report, &f->err);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
}

static inline void books_world_close(struct books_world *b)
{
    store_close(b->world.fixture.store);
    b->world.fixture.store = NULL;
    ledger_close(b->l);
    world_close(&b->world);
}

static inline void books_run(enum rc (*fn)(struct tx *tx, void *arg))
{
    struct books_world *b = calloc(1, sizeof *b);
    ASSERT(b != NULL);
    books_world_open(b);
    world_write(&b->world, fn, b, RC_OK);
    books_world_verify(b);
    books_world_close(b);
    free(b);
}

#define BOOKS_TEST(name)                                      \
    static void name##_body(struct tx *tx, struct ledger *l); \
    static enum rc name##_in(struct tx *tx, void *arg)        \
    {                                                         \
        name##_body(tx, ((struct books_world *)arg)->l);      \
        return RC_OK;                                         \
    }                                                         \
    START_TEST(name)                                          \
    {                                                         \
        books_run(name##_in);                                 \
    }                                                         \
    END_TEST                                                  \
    static void name##_body(struct tx *tx, struct ledger *l UNUSED)

/* A party; the first one is the operator. Taxable ones have a VAT id where the country is known
 * here. */
static inline struct str books_party(struct tx *tx, const char *name, const char *country,
                                     bool taxable)
{
    static const struct {
        const char *country;
        const char *id;
        const char *currency;
    } known[] = {{"FR", "FR40303265045", "EUR"},
                 {"DE", "DE136695976", "EUR"},
                 {"CN", "91110000100006268X", "CNY"},
                 {"US", "", "USD"},
                 {"GB", "GB980780684", "GBP"}};
    struct party operator;
    struct party made;
    struct tax_id id = {.scheme = STR("vat")};
    bool first = party_operator(tx, &operator) != RC_OK;
    err_clear(tx->err);
    struct party fresh = {.name = str_c(name),
                          .address = {.country = str_c(country)},
                          .currency = STR("EUR"),
                          .time_zone = STR("Europe/Paris"),
                          .language = STR("en"),
                          .taxable = taxable};
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq(str_c(known[i].country), fresh.address.country)) {
            id.value = str_c(known[i].id);
            fresh.currency = str_c(known[i].currency);
        }
    if (taxable && id.value.n > 0)
        fresh.tax_ids = (struct list){&id, 1};
    OK(tx, party_create(tx, &fresh, first ? STR("") : operator.id, &made));
    return made.id;
}

/* Debits less credits; 0 where the account is not there. */
static inline int64_t books_balance_of(struct tx *tx, struct ledger *l, struct str party,
                                       const char *currency, struct str code)
{
    account_id id = 0;
    struct balance b;
    enum rc rc = ledger_find(tx, l, party, str_c(currency), code, &id);
    err_clear(tx->err);
    if (rc == RC_NOT_FOUND)
        return 0;
    OK(tx, ledger_balance(tx, l, id, &b));
    return b.debits - b.credits;
}

#define BALANCE(party, currency, code, want)                                                       \
    do {                                                                                           \
        struct str code_ = (code);                                                                 \
        int64_t got_ = books_balance_of(tx, l, (party), (currency), code_);                        \
        ck_assert_msg(got_ == (want), "%.*s: %lld, wanted was %lld", STRF(code_), (long long)got_, \
                      (long long)(want));                                                          \
    } while (0)

/* "AR:" and a party. */
static inline struct str account_of(struct tx *tx, const char *kind, struct str party)
{
    return arena_fmt(tx->arena, "%s:%.*s", kind, STRF(party));
}

static inline struct party books_get(struct tx *tx, struct str id)
{
    struct party p;
    OK(tx, party_get(tx, id, &p));
    return p;
}

/* The day 2026-01-31, on which most worked cases are. */
#define BOOKS_DAY INT64_C(20484)

/* Totals, a number and a place in the store for what is set in row. */
static inline void books_finalise(struct tx *tx, struct document_row *row,
                                  const struct document_sum *sums, size_t count)
{
    struct party issuer = books_get(tx, row->issuer);
    struct party recipient = books_get(tx, row->recipient);
    OK(tx, document_row_total(
               row, &(struct document_sides){&issuer, &recipient, TREATMENT_AUTO, BOOKS_DAY}, sums,
               count, tx->arena, tx->err));
    OK(tx, document_row_insert(tx, row));
    row->year = 2026;
    row->issued_day = BOOKS_DAY;
    OK(tx, document_numbers(tx, row->issuer, row->code, row->year, 1, &row->number));
    OK(tx, document_row_finalise(tx, row));
}

/* Every account of every party at zero but those whose code begins so (NULL: none). */
struct books_zero {
    int64_t open;
    struct str code;
};
static inline enum rc books_count_open(struct tx *tx, const struct account *a, void *arg)
{
    struct books_zero *z = arg;
    if (a->balance.debits != a->balance.credits) {
        z->open++;
        z->code = arena_str(tx->arena, a->code);
    }
    return RC_OK;
}

#define ALL_ZERO()                                                                \
    do {                                                                          \
        struct books_zero z_ = {0};                                               \
        OK(tx, ledger_accounts(tx, l, STR(""), books_count_open, &z_));           \
        ck_assert_msg(z_.open == 0, "%lld accounts are not at zero, %.*s is one", \
                      (long long)z_.open, STRF(z_.code));                         \
    } while (0)

#endif
