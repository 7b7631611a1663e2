/*
 * sse.h - server-sent events (WHATWG HTML, 9.2): a stream of named, numbered events to one client.
 *
 * Whoever has news appends from any thread; what the client has not read yet waits in a queue with
 * a bound. A client that is too slow for it is cut off after what is queued: it comes back by
 * itself with Last-Event-ID and continues where it was, which a gap in the middle would prevent.
 */
#ifndef HTTP_SSE_H
#define HTTP_SSE_H

#include "http/http.h"

struct sse;

/* Answer x with an event stream. Inside the handler, or after http_hold and before http_send.
 * queue_bytes_max bounds what waits unsent. ended is called once when the stream is over (client
 * gone, queue overrun, server closing): from then on the sse is not to be used. ended runs without
 * locks of ours, so it may take the lock under which its owner calls sse_send. */
struct sse *sse_open(struct http_exchange *x, size_t queue_bytes_max, void (*ended)(void *arg),
                     void *arg);

/* Queue one event; id and event may be empty; line ends in data are kept by splitting it into
 * several data lines. id and event have no line ends. False: the queue is full or the stream is
 * ending; nothing was queued and nothing more will be. */
bool sse_send(struct sse *s, struct str id, struct str event, struct str data);
/* End the stream after what is queued. */
void sse_finish(struct sse *s);

/* Where the client wants to go on: its Last-Event-ID header, else the query parameter
 * last_event_id (a page that opens the stream for the first time cannot set headers); or empty. */
struct str sse_last_id(const struct http_exchange *x);

/* One event as bytes. */
void sse_format(struct buf *b, struct str id, struct str event, struct str data);

#endif
