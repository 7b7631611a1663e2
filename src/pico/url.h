/*
 * url.h - where a ruleset comes from, written in one way, so that one ruleset has one name.
 *
 * ctx:install and ctx:flush normalise as the official engine does: "http:" where no scheme is
 * given; scheme and host in lower case; without user, default port, "www." and a dot behind the
 * host; path without "." and "..", double slashes and the last slash, escapes only where they are
 * needed; parameters sorted, without those of "utm_..."; a fragment stays.
 */
#ifndef PICO_URL_H
#define PICO_URL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { PICO_URL_MAX = 2048, PICO_URL_PARAMETERS_MAX = 64 };

/* *ret lives in the arena. RC_INVALID: "TypeError: Invalid URL: x", and what is none of http:,
 * https:, file: and hanse: (the rulesets that come with the engine, bundled.h). */
MUST_CHECK enum rc pico_url_normalise(struct str url, struct arena *arena, struct str *ret,
                                      struct err *err);
/* A part of a path, or a parameter: all but letters, digits and -._~ as %XX. */
void pico_url_escape(struct buf *b, struct str s);

#endif
