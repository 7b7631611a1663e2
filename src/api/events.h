/*
 * events.h - GET /v1/events: what happens, as it happens, to those who may see it.
 *
 * Server-sent events (the HTML standard, 9.2). The id of each is its number in the outbox, so a
 * client that comes back with Last-Event-ID misses nothing that is still kept (OUTBOX_KEEP_US);
 * one that was away for longer is told "event: resync" and begins at the present. Every 15 seconds
 * without an event there is a heartbeat, as an event that scripts can see.
 *
 * One thread reads new events and fills the streams; the sockets' threads only copy out. A stream
 * holds one small portion at a time and remembers how far it came, so a slow reader costs nothing
 * but its place; one that has not taken its portion for STREAM_STUCK_US is cut.
 *
 * An event is shown to whoever holds event:read for its party at that moment: the decision is kept
 * for at most a minute, and not beyond a change of anybody's rights in this process. An event
 * without a party is shown to nobody. A session or token that ended ends its streams likewise.
 */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include "api/call.h"
#include "store/outbox.h"

/* One more of a user ends the oldest of that user's. */
enum { STREAMS_MAX = 1000, STREAMS_PER_USER = 10 };
#define STREAM_HEARTBEAT_US (15 * US_PER_SECOND)
#define STREAM_RECHECK_US   US_PER_MINUTE
#define STREAM_STUCK_US     US_PER_MINUTE

struct event_hub;
struct stream;

/* Lives in the arena. Starts one thread; with a simulated clock none: then events_tick is called by
 * the test. outbox may be NULL: heartbeats only. */
struct event_hub *event_hub_init(struct arena *arena, struct store *store, struct outbox *outbox,
                                 struct clock *clock, const struct log *log);
/* After the server is closed: no stream is left. The outbox is closed before. */
void event_hub_fini(struct event_hub *hub);
/* Somebody's rights may have changed. */
void event_hub_recheck(struct event_hub *hub);
size_t event_hub_streams(struct event_hub *hub);
/* Read and hand out what is new, once. */
void event_hub_tick(struct event_hub *hub);

/* For the handler: a stream for the caller, from its query and Last-Event-ID. RC_TOO_MANY,
 * RC_UNAVAILABLE: too many streams of this user, or in all. RC_FORBIDDEN, RC_NOT_FOUND: the party
 * asked for. */
MUST_CHECK enum rc stream_open(struct call *c, struct stream **ret);
/* Begin to answer with it: from now on it is the exchange's. */
void stream_start(struct stream *s, struct http_exchange *x);
/* It was opened, but the request failed or is run again. */
void stream_drop(struct stream *s);

#endif
