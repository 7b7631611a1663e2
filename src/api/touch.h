/*
 * touch.h - write down that a session or token was used, beside the request that used it.
 *
 * A read has no tx to write in, and must not wait for one: the note is queued as a unit of work of
 * its own. There are few places; where all are taken the note is dropped, as the next request
 * that finds the last use to be old makes it again.
 */
#ifndef API_TOUCH_H
#define API_TOUCH_H

#include "party/user.h"

struct touches;

/* Lives in the arena. */
struct touches *touches_init(struct arena *arena, struct store *store);
/* Waits for what is queued. */
void touches_fini(struct touches *t);
/* Until what is queued is written down. */
void touches_wait(struct touches *t);
void touches_add(struct touches *t, const struct caller *who);

#endif
