/*
 * dunning.h - what is not paid for does not run on: subscriptions are suspended when an invoice is
 * overdue, and resumed when it is not any more.
 *
 * A seller says how many days behind its due date an invoice may be open (suspend_days of the
 * party; 0: it suspends nothing). Once a day more has passed everywhere on the earth, all
 * subscriptions that the client buys from that seller are suspended; when nothing is that overdue
 * any more (paid, credited, written off, or the seller waits longer) they are resumed. A client
 * never suffers for the debts of who sells to it: only its own invoices count.
 *
 * The same answer follows from the documents at any time, so that it does not matter when the clock
 * looks, how often, or what is killed in between.
 */
#ifndef BILLING_DUNNING_H
#define BILLING_DUNNING_H

#include "store/page.h"

/* Whether there is something to suspend or to resume. */
MUST_CHECK enum rc dunning_due(struct tx *tx, bool *ret);
/* Do some of it; *ret: there may be more. */
MUST_CHECK enum rc dunning_tick(struct tx *tx, bool *ret);

#endif
