/*
 * unpaid.h - accounts whose bills are not paid are suspended by themselves, and resumed when they
 * are; for this room.
 *
 * The engine asks the control plane for the list of all subscriptions that are suspended, page by
 * page:
 *
 *     GET URL?limit=200[&after=NEXT]      Authorization: Bearer TOKEN
 *     200 {"items": [{"subscription": "sub_...", "why": "..."}, ...], "next": "..." or null}
 *
 * A list that was read to its end is the truth of its moment: the accounts in it are suspended,
 * those that were suspended by it and are not in it any more go on. Any other answer, or none,
 * changes nothing. What somebody suspended by hand stays so. Who did it is in the store with the
 * account, so that a kill between two accounts leaves nothing that the next list does not mend.
 */
#ifndef PICO_UNPAID_H
#define PICO_UNPAID_H

#include "pico/inside.h"

enum {
    UNPAID_PAGES_MAX = 10000,
    UNPAID_WHY_MAX = 200, /* bytes of the reason that are kept */
};

/* Ask, where it is time, and do what the answer says. What it could not do it does after the next
 * answer. RC_OK also where no URL is set. */
MUST_CHECK enum rc unpaid_turn(struct pico_engine *e, struct err *err);
/* unpaid_turn() again and again, until the engine ends. */
void *unpaid_thread(void *arg);

#endif
