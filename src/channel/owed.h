/*
 * owed.h - what one party owes another once, for something that was done: hardware work, say.
 *
 * It is owed under a COST or FEE agreement from the one to the other, in its currency and by the
 * terms that were in force when it was agreed, should the agreement have ended since; the next
 * close takes it over (settle/once.h) and pays it with what else is owed under that agreement. Its
 * reference is whose it is ("wko_..."): once for each.
 */
#ifndef CHANNEL_OWED_H
#define CHANNEL_OWED_H

#include "channel/agreement.h"

enum { OWED_NOTE_MAX = 2000 };

struct owed {
    struct str reference;
    struct str agreement;
    int64_t terms;    /* by number */
    struct str label; /* as in rules: part of an account's code */
    struct str note;  /* for people: a statement's line */
    const struct currency *currency;
    int64_t amount; /* minor units, above 0 */
    time_us at;
    int64_t close_no; /* 0: it waits */
    time_us taken;    /* by a close; 0: not yet */
};

/* Whether this agreement is one by which `from` can owe `to` such a thing now. RC_INVALID where
 * not; *ret: the agreement with the terms that are in force. */
MUST_CHECK enum rc owed_agreement(struct tx *tx, struct str id, struct str from, struct str to,
                                  struct agreement *ret);
/* reference, agreement, terms, label, note and amount are given. RC_CONFLICT: the reference is owed
 * for already. RC_NOT_FOUND: no such terms. */
MUST_CHECK enum rc owed_put(struct tx *tx, const struct owed *fresh);
/* RC_NOT_FOUND. */
MUST_CHECK enum rc owed_get(struct tx *tx, struct str reference, struct owed *ret);
/* It was not done after all. RC_NOT_FOUND; RC_CONFLICT: a close has taken it. */
MUST_CHECK enum rc owed_withdraw(struct tx *tx, struct str reference);

/* Those that wait and are of before an instant, the oldest first, at most so many. */
MUST_CHECK enum rc owed_waiting(struct tx *tx, time_us before, size_t limit, struct owed **ret,
                                size_t *ret_count);
MUST_CHECK enum rc owed_take(struct tx *tx, struct str reference, int64_t close_no);

#endif
