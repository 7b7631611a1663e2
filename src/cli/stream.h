/*
 * stream.h - server-sent events out of pieces of any size (WHATWG HTML, 9.2.6).
 *
 * Pieces may end anywhere, also inside of a character or between CR and LF. Comments, unknown
 * fields and events without data are dropped, as the standard says. A line or an event longer than
 * STREAM_BYTES_MAX is refused.
 */
#ifndef CLI_STREAM_H
#define CLI_STREAM_H

#include "base/buf.h"
#include "base/err.h"

enum { STREAM_BYTES_MAX = 1024 * 1024, STREAM_ID_MAX = 256 };

struct stream_event {
    struct str event; /* "message" where none was named */
    struct str data;  /* lines joined by "\n" */
    struct str id;    /* the last that was given, also by an earlier event */
};

struct stream {
    struct buf line;
    struct buf data;
    struct buf event;
    struct buf id;
    int64_t retry_us; /* what the server asks to wait before coming again; -1: nothing said */
    bool began;       /* the byte order mark is behind us */
    bool after_cr;    /* an LF now belongs to the line end before */
    bool has_data;
    enum rc (*fn)(void *arg, const struct stream_event *event, struct err *err);
    void *arg;
};

/* fn is called for each event; its texts live until it returns. A code other than RC_OK stops
 * stream_feed with it. The arena needs room for three times STREAM_BYTES_MAX. */
void stream_init(struct stream *s, struct arena *arena,
                 enum rc (*fn)(void *arg, const struct stream_event *event, struct err *err),
                 void *arg);
/* A new connection: forget the half event, keep the last id. */
void stream_restart(struct stream *s);
/* RC_TOO_LARGE: a line or an event is too long. */
MUST_CHECK enum rc stream_feed(struct stream *s, struct str piece, struct err *err);
/* Last-Event-ID for the next connection; empty: none. */
struct str stream_last_id(const struct stream *s);
/* As if an event with this id had come. At most STREAM_ID_MAX bytes. */
void stream_set_last_id(struct stream *s, struct str id);

#endif
