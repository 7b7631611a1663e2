/*
 * reward.h - what a party promises for an invitation: credit for who invites, and for who comes.
 *
 * A promise holds from an instant on and is never changed; the next one takes its place. Amounts of
 * 0 promise nothing: that is how a promise ends. The credit is promotional and ends after so many
 * days; granting it, and what it does in the books, is billing's (specs/billing.md 3.6).
 */
#ifndef CHANNEL_REWARD_H
#define CHANNEL_REWARD_H

#include "party/party.h"

enum { REWARD_DAYS_MAX = 3650 };

struct reward {
    uint64_t set;
    struct str id;             /* "rwd_..." */
    struct str party;          /* who promises, and whose marketing pays */
    struct str inviter_amount; /* decimal, major units */
    struct str invitee_amount;
    struct str currency;
    int64_t expires_days; /* of the credit, after it was granted; 0: it does not end */
    time_us valid_from;   /* 0 in a request: now */
    time_us created;
};
extern const struct schema reward_schema;

/* RC_INVALID names the field: a currency or amount that is none, a valid_from in the past. */
MUST_CHECK enum rc reward_create(struct tx *tx, struct str party, const struct reward *fresh,
                                 struct reward *ret);
MUST_CHECK enum rc reward_list(struct tx *tx, struct str party, const struct page_query *q,
                               struct page *ret);
/* What the party promises at an instant. RC_NOT_FOUND: nothing. */
MUST_CHECK enum rc reward_at(struct tx *tx, struct str party, time_us at, struct reward *ret);

#endif
