/*
 * target.h - the target of a request: what stands between the method and "HTTP/1.1".
 *
 * Decoded once, here, so that nobody behind decodes again: two decoders that disagree are how
 * "..%2f" walks out of a folder. What could be read in two ways is refused.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "base/arena.h"
#include "base/err.h"
#include "base/schema.h"

struct target {
    struct str path;      /* begins with '/', decoded; "*" for OPTIONS * */
    struct str authority; /* of "http://HOST/path"; empty for the usual form */
    struct pair *query;
    size_t query_count;
};

/* text is the target as it was sent. RC_SYNTAX: no path, bytes outside printable ASCII, a wrong
 * percent escape, text that is not UTF-8 or has control characters, an escaped slash, an empty,
 * "." or ".." segment (one slash at the end is fine). RC_SYNTAX too for more than query_max
 * parameters. query has room for query_max pairs; texts live in the arena. */
MUST_CHECK enum rc target_parse(struct str text, size_t query_max, struct pair *query,
                                struct arena *arena, struct target *ret, struct err *err);

#endif
