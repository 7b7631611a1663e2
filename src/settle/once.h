/*
 * once.h - what was done once (channel/owed.h) becomes shares at the end of a close.
 *
 * Hardware work, for instance: what its agreement's payer owes for it is a share like its fees,
 * earned at once, as it was done whether or not clients pay; so it stands on the next statement,
 * is invoiced (self-billed where that was agreed) and paid out with the rest.
 */
#ifndef SETTLE_ONCE_H
#define SETTLE_ONCE_H

#include "settle/share.h"

/* Those of before the end of the close's month that are not passed by. *ret_done: there are none
 * left. */
MUST_CHECK enum rc once_close(struct tx *tx, struct ledger *l, const struct close *c,
                              const struct close_pass *pass, bool *ret_done);

#endif
