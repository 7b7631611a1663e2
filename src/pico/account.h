/*
 * account.h - who pays for a pico: an account is a pico that was sold, with all below it that have
 * none of their own. What it uses is counted and told to the meter of the control plane
 * (usage.c); where nobody pays it is suspended.
 *
 * A suspended pico refuses events and queries in words; what its owner does by its id still
 * works. Its schedules wait, as do events that were accepted before: all of it goes on when it is
 * resumed, schedules that are overdue once.
 */
#ifndef PICO_ACCOUNT_H
#define PICO_ACCOUNT_H

#include "base/json.h"
#include "pico/engine.h"

enum { ACCOUNT_SUBSCRIPTION_MAX = 60 };

/* The pico with this id, with all below it, is paid for by the subscription. What was used until
 * now is told under the one before. RC_NOT_FOUND; RC_INVALID; RC_CONFLICT: it moves, or one above
 * or below it does; RC_UNAVAILABLE: it does not come to rest. */
MUST_CHECK enum rc pico_account_set(struct pico_engine *e, struct str id, struct str subscription,
                                    struct err *err);
/* It belongs to the account of its parent again, if that has one. RC_NOT_FOUND: it has none. */
MUST_CHECK enum rc pico_account_drop(struct pico_engine *e, struct str id, struct err *err);
/* {"account","subscription","suspended","unpaid","why","since","events","queries","steps","picos"}
 * of the account that the pico belongs to; unpaid: it is suspended because a bill is not paid, and
 * why says which; what was used is that since the last report. RC_NOT_FOUND. */
MUST_CHECK enum rc pico_account_show(struct tx *tx, struct str id, struct json_writer *w);
/* Suspend the account by hand, or resume it; twice is as once. One that is resumed though its bill
 * is not paid goes on until the control plane says so again. RC_CONFLICT, too: it belongs to the
 * account of a pico above it, which is to be suspended. */
MUST_CHECK enum rc pico_suspend(struct pico_engine *e, struct str id, bool suspended,
                                struct err *err);

/* A bill of the account is not paid, or all are again: it is suspended, or goes on where nobody
 * suspended it by hand. RC_NOT_FOUND: the subscription does not pay for that pico; RC_CONFLICT. */
MUST_CHECK enum rc pico_account_unpaid(struct pico_engine *e, struct str id,
                                       struct str subscription, bool unpaid, struct str why,
                                       struct err *err);

#endif
