/*
 * limit.h - rate limits: token buckets in memory, in a table that cannot grow.
 *
 * A bucket holds as many requests as a minute allows and fills evenly. Each is found by a keyed
 * hash of who asks (a token, a session, an address), so a stranger cannot choose to share a
 * bucket with somebody. The table is bounded: where its place is taken, the bucket that was used
 * least lately is given up, and whoever it was for begins anew with a full one.
 *
 * Headers as draft-ietf-httpapi-ratelimit-headers (structured fields): RateLimit-Policy:
 * "read";q=6000;w=60 and RateLimit: "read";r=5999;t=1.
 */
#ifndef API_LIMIT_H
#define API_LIMIT_H

#include "base/arena.h"
#include "base/clock.h"

enum limit_class {
    LIMIT_READ,
    LIMIT_WRITE,
    LIMIT_LOGIN,  /* per address: passwords, invitation links */
    LIMIT_FAILED, /* per address: credentials that nobody has */
    LIMIT_COUNT
};

struct limits;

struct limit_state {
    enum limit_class class;
    int64_t left;    /* requests that may still come at once */
    int64_t full_s;  /* seconds until the bucket is full again */
    int64_t retry_s; /* refused: seconds until the next may come */
};

/* per_minute: of each class, 1..10^9. Lives in the arena; limits_fini before the arena ends. */
struct limits *limits_init(struct arena *arena, struct clock *clock,
                           const int64_t per_minute[LIMIT_COUNT]);
void limits_fini(struct limits *l);

/* Take one; false: the bucket is empty. Any thread. */
MUST_CHECK bool limits_take(struct limits *l, enum limit_class class, struct str who,
                            struct limit_state *ret);
/* Whether one could be taken, without taking it. */
MUST_CHECK bool limits_peek(struct limits *l, enum limit_class class, struct str who,
                            struct limit_state *ret);

/* Take one, whether or not there is one: the next peek tells. */
void limits_book(struct limits *l, enum limit_class class, struct str who);

/* Addresses of IPv6 count by their /64, since one customer has all of it. */
struct str limit_peer(struct str peer, struct arena *arena);

struct str limits_policy(const struct limits *l, enum limit_class class);
struct str limits_header(const struct limit_state *s, struct arena *arena);

/* How many were refused since the start. */
uint64_t limits_refused(const struct limits *l);

#endif
