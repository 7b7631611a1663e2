/*
 * web_rate.h - how often one channel may be asked: token buckets in a table that cannot grow.
 *
 * A bucket holds what a minute allows and fills evenly. It is found by a keyed hash of the channel.
 * Four buckets share a place; where none of them is the channel's, the fullest of them is given up.
 * So a stranger who makes up channels can neither fill the memory nor use up the bucket of another,
 * and cannot get rid of one that is being used.
 */
#ifndef PICO_WEB_RATE_H
#define PICO_WEB_RATE_H

#include "base/arena.h"
#include "base/clock.h"

enum { WEB_RATE_PLACES = 16384, WEB_RATE_MAX = 1000000000 };

struct web_rate;

/* Lives in the arena; web_rate_fini before the arena ends. per_minute: 1..WEB_RATE_MAX. */
struct web_rate *web_rate_init(struct arena *arena, struct clock *clock, int64_t per_minute);
void web_rate_fini(struct web_rate *r);

/* Take one; false: not now, and *ret_retry_s says in how many seconds. Any thread. */
MUST_CHECK bool web_rate_take(struct web_rate *r, struct str eci, int64_t *ret_retry_s);

#endif
