/*
 * outbox.h - effects leave by the outbox.
 *
 * A tx that wants something done outside, or told to those who listen, writes a row; a worker does
 * it after the commit, at least once; every receiver accepts a repeat (the row's id is the key).
 *
 * Topics: "event.<what>" rows get a gapless, ascending sequence number in the order of their
 * commits (SQLite: with the row; PostgreSQL: when they are relayed) and are what GET /v1/events
 * streams; they are kept for OUTBOX_KEEP_US. Every other topic is handed to
 * the function that is registered for it, again and again with growing pauses until it succeeds
 * or OUTBOX_TRIES_MAX is reached; then it is marked as failed and reported, never dropped silently.
 */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "store/store.h"

#define OUTBOX_KEEP_US (24 * US_PER_HOUR)
enum { OUTBOX_TRIES_MAX = 12, OUTBOX_BODY_MAX = 256 * 1024, OUTBOX_BATCH = 500 };

/* party: whose matter it is (an id; decides who may see the event); body: one JSON object.
 * RC_TOO_LARGE: the body is longer than OUTBOX_BODY_MAX. */
MUST_CHECK enum rc outbox_put(struct tx *tx, const char *topic, struct str party, struct str body);

struct outbox_row {
    int64_t seq; /* events only */
    struct str id;
    struct str topic;
    struct str party;
    struct str body;
    time_us created;
    int64_t tries;
};

/* Does one thing outside. Runs on the outbox thread, may wait. RC_OK: done. RC_INVALID or
 * RC_UNSUPPORTED: will never work, give up. Anything else: try again later. */
typedef enum rc (*outbox_fn)(void *arg, const struct outbox_row *row, struct arena *arena,
                             struct err *err);

struct outbox;

/* Starts one thread; with a simulated clock none: then things happen in outbox_run_once alone. With
 * several hansed on one PostgreSQL, one at a time relays and delivers (a lease in the store). */
struct outbox *outbox_open(struct store *s, struct clock *clock, const struct log *log);
/* Before the first row of that topic is due. topic is a constant. */
void outbox_serve(struct outbox *o, const char *topic, outbox_fn fn, void *arg);
/* Ends after the row in hand. NULL is fine. */
void outbox_close(struct outbox *o);
/* Relay and deliver all that is due now, on this thread: for tests and the simulator. */
MUST_CHECK enum rc outbox_run_once(struct outbox *o, struct err *err);

/* Events with seq > after, in order, at most limit (<= 1000), and no more than the arena has room
 * for. *ret_oldest: the smallest seq that is
 * still kept, so that a reader knows whether it missed some. */
MUST_CHECK enum rc outbox_events(struct tx *tx, int64_t after, size_t limit,
                                 struct outbox_row **ret, size_t *ret_count, int64_t *ret_oldest);
/* The highest sequence number so far, 0 where there is none. */
MUST_CHECK enum rc outbox_last(struct tx *tx, int64_t *ret);
/* Whatever waits to be done outside is dropped; events stay. For a copy of a store, whose original
 * does it. */
MUST_CHECK enum rc outbox_forget(struct tx *tx);
/* Called after new events were relayed; quick; at most 8. */
void outbox_on_relay(struct outbox *o, void (*hook)(void *arg), void *arg);

struct outbox_counters {
    uint64_t delivered, failed, retried;
    int64_t waiting; /* rows not relayed or delivered yet; -1: the store did not answer */
};
struct outbox_counters outbox_counters(struct outbox *o);

#endif
