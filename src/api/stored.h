/*
 * stored.h - files that come in pieces and lie beside the store: images, backups.
 *
 * Where something fails, errno says why: each caller has its own sentence for it.
 */
#ifndef API_STORED_H
#define API_STORED_H

#include "base/arena.h"

/* All of the piece, at its place. */
MUST_CHECK bool stored_write(int fd, struct str piece, int64_t at);
/* SHA-256 of all that can still be read, as hexadecimal digits in the arena, and how much that
 * was. */
MUST_CHECK bool stored_hash(int fd, struct arena *arena, struct str *ret, int64_t *ret_bytes);

/* The end of the name of a file of which pieces still come. */
#define STORED_UNFINISHED ".part"
/* Remove what nobody went on sending: unfinished files that were last written before a time. A
 * folder that is not there has none. */
MUST_CHECK bool stored_sweep(const char *folder, time_us before, size_t *ret);

#endif
