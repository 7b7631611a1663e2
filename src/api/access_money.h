/*
 * access_money.h - what access_test.c asks for and that takes more than a call: money and what it
 * is given for. Only for tests: everything here asserts.
 */
#ifndef API_ACCESS_MONEY_H
#define API_ACCESS_MONEY_H

#include "api/api_fixture.h"
#include "billing/exchange_rate.h"
#include "billing/wallet.h"

static inline struct str make_fund(struct tx *tx, struct house *h)
{
    struct str id = id_new(tx->ids, tx->arena, "cfd");
    OK(tx, sql_run(tx,
                   "INSERT INTO clearing_fund (no, id, party, debtor, currency, amount, recovered, "
                   "state, asked_by, created) SELECT COALESCE(MAX(no), 0) + 1, $1, $2, $2, 'EUR', "
                   "100, 0, 'pending', 'usr_other', 0 FROM clearing_fund",
                   V(id), V(h->client)));
    return id;
}

static inline struct str make_exchange_rate(struct tx *tx, struct house *h)
{
    struct exchange_rate made;
    struct exchange_rate fresh = {.from = STR("USD"),
                                  .to = STR("EUR"),
                                  .rate = STR("0.9"),
                                  .date = STR("2025-01-01"),
                                  .source = id_new(tx->ids, tx->arena, "src")};
    OK(tx, exchange_rate_create(tx, h->client, &fresh, &made));
    return made.id;
}

static inline struct str make_coupon(struct tx *tx, struct house *h)
{
    struct coupon made;
    struct coupon fresh = {.code = id_new(tx->ids, tx->arena, "cd"), .percent = STR("10")};
    OK(tx, coupon_create(tx, h->client, &fresh, &made));
    return made.id;
}

#endif
