/*
 * exchange_rate.h - rates of one currency in another, with the day and the source of each: what the
 * tax of an invoice is in the currency in which its seller accounts for it.
 *
 * EN 16931 BT-6 and BT-111 (BR-53); Directive 2006/112 art. 230: the VAT on an invoice may stand in
 * any currency, provided that it stands in the seller's own, too. Which rate: art. 91 (2), the
 * latest one that was published when the tax fell due. A seller enters its own, or has those of the
 * operator; a rate that is older than EXCHANGE_AGE_DAYS counts as missing, and then no invoice is
 * made: the close tells it among its exceptions and tries it again the next time.
 *
 * Rates are fractions (money/exchange.h): one that was entered the other way round is turned, which
 * loses nothing. They are never changed: of several of one day the one that was entered last holds,
 * and every document keeps the one it was made with.
 */
#ifndef BILLING_EXCHANGE_RATE_H
#define BILLING_EXCHANGE_RATE_H

#include "money/exchange.h"
#include "store/page.h"

/* A month, as tax offices publish rates for one, and a day: the 31st has that of the 1st. */
enum { EXCHANGE_AGE_DAYS = 31, EXCHANGE_SOURCE_MAX = 80 };

struct exchange_rate {
    uint64_t set;
    struct str id;    /* "exr_..." */
    struct str party; /* who entered it: owner */
    struct str from;  /* ISO 4217 */
    struct str to;
    struct str rate;   /* how much of `to` one of `from` is: "0.9227", or "250/271" */
    struct str date;   /* of which day */
    struct str source; /* "ECB reference rate" */
    time_us created;
};
extern const struct schema exchange_rate_schema;

/* The same again has no effect, and answers what is there. RC_INVALID names the field: a currency,
 * two that are the same, a rate that is none, a date that is still to come. */
MUST_CHECK enum rc exchange_rate_create(struct tx *tx, struct str party,
                                        const struct exchange_rate *fresh,
                                        struct exchange_rate *ret);
/* RC_NOT_FOUND. */
MUST_CHECK enum rc exchange_rate_get(struct tx *tx, struct str id, struct exchange_rate *ret);
/* Those that the party entered. */
MUST_CHECK enum rc exchange_rate_list(struct tx *tx, struct str party, const struct page_query *q,
                                      struct page *ret);

/* What one currency is in another for a seller on a day (days since 1970): its own latest rate, or
 * the operator's. RC_INVALID: neither has one of that day or the EXCHANGE_AGE_DAYS - 1 before it;
 * the sentence is for the exceptions of the close. */
MUST_CHECK enum rc exchange_rate_find(struct tx *tx, struct str seller, const struct currency *from,
                                      const struct currency *to, int64_t day, struct exchange *ret);

#endif
