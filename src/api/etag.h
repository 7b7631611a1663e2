/*
 * etag.h - entity tags (RFC 9110, 8.8.3 and 13.1): "12" is version 12 of a resource.
 */
#ifndef API_ETAG_H
#define API_ETAG_H

#include "base/arena.h"
#include "base/err.h"

enum { ETAGS_MAX = 16 };

/* What an If-Match or If-None-Match header names. Tags that are no version of ours are kept out
 * of the list: they match nothing. */
struct etags {
    bool given;
    bool any; /* "*" */
    size_t count;
    int64_t versions[ETAGS_MAX];
};

/* header empty: nothing given. RC_SYNTAX where it is no list of entity tags, or a long one. */
MUST_CHECK enum rc etags_parse(struct str header, const char *name, struct etags *ret,
                               struct err *err);

/* Whether the version is among them. RFC 9110 wants the strong comparison for If-Match, but a proxy
 * that compresses may weaken a tag on its way to the client (W/"12"), and a version number says the
 * same either way: weak tags are taken for both headers. */
bool etags_match(const struct etags *e, int64_t version);

/* "\"12\"" */
struct str etag_text(int64_t version, struct arena *arena);

#endif
