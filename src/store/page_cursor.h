/*
 * page_cursor.h - where a page ended, as a text that clients hand back: how page.c writes and
 * reads it. Private to store/.
 *
 * base64url of a JSON array: the order that the page was in, then the value of each key of its last
 * row. ["-created,-id",1763776648000000,"pty_..."]. Nothing in it is secret or trusted: what comes
 * back is a value of the right kind for each key, or no cursor.
 */
#ifndef STORE_PAGE_CURSOR_H
#define STORE_PAGE_CURSOR_H

#include "store/page.h"

enum { PAGE_KEYS_MAX = PAGE_SORTS_MAX + 1 };

/* keys: numbers and texts. They fit PAGE_CURSOR_MAX: columns that long are not to be sorted by. */
struct str page_cursor_write(struct str order, const struct value *keys, size_t count,
                             struct arena *arena);
/* count <= PAGE_KEYS_MAX values into ret, texts in the arena. False, and ret untouched, where it is
 * no cursor of this order with keys of these kinds. */
MUST_CHECK bool page_cursor_read(struct str cursor, struct str order, const enum page_kind *kinds,
                                 size_t count, struct arena *arena, struct value *ret);

#endif
