/*
 * photo.h - pictures that people take of servers: what is let in, by its content.
 *
 * JPEG and PNG, whole from their first part to their last, with at most PHOTO_SIDE_MAX pixels a
 * side. What a file is called and what its sender says of it count for nothing. The parts are
 * walked, not drawn.
 */
#ifndef FLEET_PHOTO_H
#define FLEET_PHOTO_H

#include "base/err.h"

enum { PHOTO_BYTES_MAX = 8 * 1024 * 1024, PHOTO_SIDE_MAX = 16384 };

/* *ret_type: "image/jpeg" or "image/png". RC_INVALID says what is the matter; RC_TOO_LARGE. */
MUST_CHECK enum rc photo_check(struct str bytes, const char **ret_type, struct err *err);

#endif
