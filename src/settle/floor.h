/*
 * floor.h - what a rule brings at least in a period (rule.floor).
 *
 * At the end of a close: where what a rule of a REFERRAL, REVSHARE or FEE agreement brought in it
 * is something, and less than its floor, the rest is one more share, of the whole close and earned
 * at once: it follows from no invoice whose cash could be waited for. What a producer's fee left
 * with the operator counts too. A rule that brought nothing has no floor: nobody was introduced,
 * nothing was sold.
 */
#ifndef SETTLE_FLOOR_H
#define SETTLE_FLOOR_H

#include "settle/share.h"

/* But for those that are passed by; those that closes before passed by are tried again.
 * *ret_done: there are none left. Again is without effect. */
MUST_CHECK enum rc floor_close(struct tx *tx, struct ledger *l, int64_t close_no,
                               const struct close_pass *pass, bool *ret_done);

#endif
