/*
 * peer_json.h - jansson for bench_json.c, in a source of its own: its names are those of
 * base/json.h, so that no source can include both.
 */
#ifndef BENCH_PEER_JSON_H
#define BENCH_PEER_JSON_H

#include "base/str.h"

/* Parse and free. Returns how many records the document has. */
size_t peer_json_read(struct str text);

/* A parsed document to write from; owned by the caller until peer_json_close. */
void *peer_json_open(struct str text);
void peer_json_close(void *document);
/* Returns how many bytes were written. */
size_t peer_json_write(void *document);

#endif
