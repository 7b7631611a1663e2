/*
 * wallet.h - credit that a client has with its seller, and discounts that a seller gives.
 *
 * A wallet holds prepaid money, or promotional credit: what an invitation was worth. Promotional
 * credit expires worthless, and becomes income then (breakage); prepaid money is the client's and
 * does not. When a draft is made, wallets pay of it in the order of priority, then of expiry: the
 * paid part is BT-113 of EN 16931, and the books follow when the document is posted.
 *
 * A coupon lowers what the client pays for its lines, by a percentage or by an amount in each
 * close: the last edge alone; list price and discount stay on the line.
 *
 * specs/billing.md 3.3 (3), 3.6.
 */
#ifndef BILLING_WALLET_H
#define BILLING_WALLET_H

#include "billing/posting.h"
#include "money/currency.h"

enum wallet_kind { WALLET_PREPAID, WALLET_PROMO };
extern const char *const wallet_kinds[];
enum { WALLET_PRIORITY_MAX = 1000, WALLET_REASON_MAX = 200, COUPON_CODE_MAX = 40 };

struct wallet {
    uint64_t set;
    struct str id;     /* "wal_..." */
    struct str party;  /* the seller: owner */
    struct str client; /* the other side */
    int64_t kind;      /* enum wallet_kind */
    struct str reason; /* for people: "invitation of Nord" */
    struct str currency;
    struct str amount; /* decimal */
    struct str left;
    int64_t priority; /* smaller ones pay first */
    time_us expires;  /* 0: never */
    time_us created;
};
extern const struct schema wallet_schema;

/* RC_INVALID names the field: a client that is the seller itself or not there, a currency, an
 * amount that is not above 0, prepaid money that expires, an expiry that has passed. Booked:
 * prepaid Bank / Wallet:<client>, promotional Marketing:Referral / Promo:<client>, and the mirror
 * in the client's book. */
MUST_CHECK enum rc wallet_create(struct tx *tx, struct ledger *l, struct str party,
                                 const struct wallet *fresh, struct wallet *ret);
MUST_CHECK enum rc wallet_get(struct tx *tx, struct str id, struct wallet *ret);
/* Those that the party gave or has. */
MUST_CHECK enum rc wallet_list(struct tx *tx, struct str party, const struct page_query *q,
                               struct page *ret);
/* An invitation was accepted and founded a party: who invited and who came have what is promised
 * for it (channel/reward.h), by the party that invited or by its sponsor; nothing where neither
 * promises anything. Once: in the unit of work that uses the invitation up. */
struct party;
MUST_CHECK enum rc wallet_reward(struct tx *tx, struct ledger *l, const struct party *founded);
/* Take at most `amount` from the client's wallets. *ret_taken: in all; *ret_promo: of it. */
MUST_CHECK enum rc wallet_take(struct tx *tx, struct str party, struct str client,
                               const struct currency *currency, int64_t amount, int64_t *ret_taken,
                               int64_t *ret_promo);
/* Promotional credit that has expired becomes income, at most `limit` wallets at once; *ret_done:
 * nothing is left. */
MUST_CHECK enum rc wallet_break(struct tx *tx, struct ledger *l, int64_t limit, bool *ret_done);

struct coupon {
    uint64_t set;
    struct str id;     /* "cou_..." */
    struct str party;  /* the seller: owner */
    struct str code;   /* "SPRING" */
    struct str client; /* empty: all clients */
    struct str item;   /* code; empty: all items */
    struct str percent;
    struct str amount; /* decimal; or this much in each close */
    struct str currency;
    int64_t times; /* closes it counts for, for its client or for all together; 0: any number */
    int64_t left;
    time_us expires; /* 0: never */
    time_us created;
};
extern const struct schema coupon_schema;

/* RC_INVALID names the field: neither percentage nor amount or both, a percentage above 100.
 * RC_CONFLICT: the seller has a coupon with this code. */
MUST_CHECK enum rc coupon_create(struct tx *tx, struct str party, const struct coupon *fresh,
                                 struct coupon *ret);
MUST_CHECK enum rc coupon_get(struct tx *tx, struct str id, struct coupon *ret);
MUST_CHECK enum rc coupon_list(struct tx *tx, struct str party, const struct page_query *q,
                               struct page *ret);

/* The coupons that count for one client's document. */
enum { COUPONS_MAX = 16 }; /* at once; the oldest ones */
struct coupon_use {
    struct str id;
    struct str item;
    int64_t percent_ppm;
    int64_t left; /* minor units, where it is an amount */
    bool used;
};
struct coupon_set {
    size_t count;
    struct coupon_use coupons[COUPONS_MAX];
};
MUST_CHECK enum rc coupon_find(struct tx *tx, struct str party, struct str client,
                               const struct currency *currency, struct coupon_set *ret);
/* What they take of a line of this item that costs so much: 0 .. amount. Pure. */
int64_t coupon_apply(struct coupon_set *coupons, struct str item, int64_t amount);
/* Those that took something are one time less. */
MUST_CHECK enum rc coupon_used(struct tx *tx, const struct coupon_set *coupons);

#endif
