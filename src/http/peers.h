/*
 * peers.h - the open connections of a server and until when each may keep us waiting.
 *
 * libmicrohttpd's own timeouts count silence: a client that sends one byte a second is never
 * silent. Here every connection carries a deadline for the whole of what it is doing, and a
 * thread of its own ends those that are past it. Who ends a connection and who answers it can be
 * two threads at the same instant; the deadline word decides: the sweeper takes it by one atomic
 * exchange, and whoever comes second leaves the connection alone.
 */
#ifndef HTTP_PEERS_H
#define HTTP_PEERS_H

#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>

enum { PEER_ADDRESS_MAX = 48 };

struct peer {
    struct peer *older, *newer;
    int fd;
    _Atomic int64_t deadline; /* steady; NONE, TAKEN, or a time; its lowest bit: reading */
    struct str address;       /* "192.0.2.7", "unix" */
    char address_text[PEER_ADDRESS_MAX];
};

struct peers {
    struct clock *clock;
    pthread_mutex_t mutex; /* the list, and that no fd in it is closed meanwhile */
    pthread_t thread;
    int stop_fd; /* an eventfd: written once, at the end */
    struct peer *newest;
    int64_t period_us; /* how often deadlines are looked at */
    _Atomic uint64_t count;
    _Atomic uint64_t timeouts;
};

/* What the client is waited for: a request it has begun is answered 408 when time is up, silence
 * is just closed. */
enum peer_wait { PEER_SILENT, PEER_READING };

/* Starts the sweeping thread. */
void peers_init(struct peers *p, struct clock *clock, int64_t period_us);
/* Ends the thread. All peers are gone by then. */
void peers_fini(struct peers *p);

/* A new connection. The peer is freed by peers_remove. */
struct peer *peers_add(struct peers *p, int fd, struct str address);
/* Call before fd is closed. */
void peers_remove(struct peers *p, struct peer *peer);

/* The connection may wait until then (steady time). False: its time was up already and the
 * sweeper is ending it; do not answer. */
MUST_CHECK bool peer_set_deadline(struct peer *peer, time_us at, enum peer_wait what);
/* The connection may wait for ever: a held exchange, a stream. False as above. */
MUST_CHECK bool peer_clear_deadline(struct peer *peer);

/* Shut every connection down; their threads notice and close them. */
void peers_shutdown(struct peers *p);

#endif
