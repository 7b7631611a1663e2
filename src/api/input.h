/*
 * input.h - what a request brings, by the route's tables: query, body, If-Match.
 */
#ifndef API_INPUT_H
#define API_INPUT_H

#include "api/inside.h"

/* Into call.query, call.body, call.match. RC_SYNTAX, RC_INVALID, RC_MEDIA_TYPE, RC_NOT_ACCEPTABLE,
 * RC_NEED_MATCH, RC_TOO_LARGE. */
MUST_CHECK enum rc input_read(struct request *r);

#endif
