/*
 * settle_fixture.h - the mission's cases as small worlds: a month is closed, money comes in,
 * partners are paid. Only for tests: everything here asserts.
 */
#ifndef SETTLE_SETTLE_FIXTURE_H
#define SETTLE_SETTLE_FIXTURE_H

#include "billing/close_fixture.h"
#include "settle/share.h"
#include "settle/statement.h"
#include "settle/verify.h"

/* A clock at the beginning of December, a ledger, and nothing else. */
static inline void settle_world_open(struct close_world *w)
{
    *w = (struct close_world){0};
    arena_init(&w->kept, STORE_TX_ARENA_BYTES);
    books_world_open(&w->books);
    w->books.world.clock.at = DECEMBER;
}

static inline enum rc settle_verify_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct settle_report report;
    return settle_verify(tx, w->books.l, &report);
}

/* Everything adds up, here and in the journal. */
static inline void settle_world_close(struct close_world *w)
{
    struct fixture *f = &w->books.world.fixture;
    enum rc rc = fixture_read(f, settle_verify_in, w);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
    close_world_close(w);
}

/* Close the month, with what this room does in it, whatever its exceptions. */
static inline struct close settle_close_any(struct close_world *w, const char *period, time_us at)
{
    struct closing c = {.period = period, .keep = &w->kept};
    w->books.world.clock.at = at;
    world_write(&w->books.world, begin_close_in, &c, RC_OK);
    for (int i = 0; close_once(w, &settle_above); i++)
        ck_assert_int_lt(i, CLOSE_UNITS_MAX);
    world_write(&w->books.world, get_close_in, &c, RC_OK);
    ck_assert_int_eq(c.close.step, CLOSE_DONE);
    return c.close;
}

static inline struct close settle_close(struct close_world *w, const char *period, time_us at)
{
    struct close close = settle_close_any(w, period, at);
    ck_assert_int_eq(close.exceptions, 0);
    return close;
}

/* A run within one unit of work. */
static inline enum rc settlement_run(struct tx *tx, struct ledger *l, struct str party,
                                     struct str id, time_us cut_off, struct settlement *ret)
{
    struct settlement_progress at = {0};
    const struct settlement order = {.party = party, .id = id, .cut_off = cut_off};
    for (int i = 0; at.step != SETTLEMENT_END; i++) {
        ck_assert_int_lt(i, CLOSE_UNITS_MAX);
        TRY(settlement_some(tx, l, &order, &at));
    }
    return settlement_end(tx, &order, &at, ret);
}

static inline void set_bank(struct tx *tx, struct str party, const char *iban)
{
    struct party p;
    struct party patch = {.set = UINT64_C(1) << schema_find(&party_schema, STR("bank"))};
    patch.bank.set = UINT64_C(1) << schema_find(&bank_schema, STR("iban"));
    patch.bank.iban = str_c(iban);
    OK(tx, party_change(tx, party, 0, &patch, &p));
}

/* An item with one flat monthly price. */
static inline struct str make_flat(struct tx *tx, struct str op, const char *code,
                                   const char *income, const char *price, const char *currency)
{
    struct item i;
    struct plan p;
    struct item item = {.code = str_c(code),
                        .name = str_c(code),
                        .category = str_c(code),
                        .unit = STR("MON"),
                        .income = str_c(income)};
    struct charge charge = {.label = str_c(code), .kind = CHARGE_FLAT, .price = str_c(price)};
    charge.set = field_bit("label") | field_bit("kind") | field_bit("price");
    struct plan plan = {.item = item.code,
                        .code = str_c(code),
                        .name = str_c(code),
                        .currency = str_c(currency),
                        .charges = {&charge, 1}};
    OK(tx, item_create(tx, op, &item, &i));
    OK(tx, plan_create(tx, &plan, &p));
    return p.id;
}

/* The one final document from one party to another; its row. */
static inline struct document_row document_between(struct tx *tx, struct str issuer,
                                                   struct str recipient, enum document_code code)
{
    struct rows rows;
    struct document_row row;
    OK(tx, sql_rows(tx, &rows,
                    "SELECT no FROM document WHERE issuer = $1 AND recipient = $2 AND code = $3 "
                    "AND number > 0 ORDER BY no DESC LIMIT 1",
                    V(issuer), V(recipient), V((int64_t)code)));
    ck_assert_uint_eq(rows.count, 1);
    OK(tx, document_row_get(tx, row_int(&rows, 0, 0), &row));
    return row;
}

static inline struct payment book_payment(struct tx *tx, struct ledger *l, struct str party,
                                          struct str document, const char *amount,
                                          const char *currency, const char *reference)
{
    struct payment made;
    struct payment fresh = {.amount = str_c(amount),
                            .currency = str_c(currency),
                            .reference = str_c(reference),
                            .document = document,
                            .value_date = STR("2027-01-15")};
    OK(tx, payment_book(tx, l, party, &fresh, &made));
    return made;
}

#endif
