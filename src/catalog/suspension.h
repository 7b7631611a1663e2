/*
 * suspension.h - subscriptions that are suspended, as their client has not paid their seller.
 *
 * Who suspends, when and until when is billing/dunning.h. What is suspended keeps all that it has,
 * and its periods go on and are billed: its picos answer nobody (the engine asks), its services are
 * stopped (fleet/hold.h), and nothing more is ordered or started by it. Suspended is what the
 * client buys from that seller; a client never suffers for the debts of who sells to it.
 */
#ifndef CATALOG_SUSPENSION_H
#define CATALOG_SUSPENSION_H

#include "store/page.h"

struct suspension {
    uint64_t set;
    struct str subscription; /* "sub_..." */
    struct str seller;
    struct str client;
    /* "an invoice that was due on 2026-11-01 is not paid": without amounts, as whoever provides it
     * reads it, too. */
    struct str why;
    time_us since;
};
extern const struct schema suspension_schema;

/* Those of subscriptions that the party buys, sells or provides; in the order of subscription. */
MUST_CHECK enum rc suspension_list(struct tx *tx, struct str party, const struct page_query *q,
                                   struct page *ret);
/* RC_CONFLICT where something that the client buys from the seller is suspended; the sentence says
 * why. Asked before anything is ordered or started. */
MUST_CHECK enum rc suspension_check(struct tx *tx, struct str client, struct str seller);

/* Why a subscription is suspended, as whoever has to do with it reads it; empty: it is not. */
MUST_CHECK enum rc suspension_why(struct tx *tx, struct str subscription, struct str *ret);
/* In SQL: the ids of all that are suspended. */
#define SUSPENSION_SUBSCRIPTIONS "(SELECT subscription FROM suspension) "

#endif
