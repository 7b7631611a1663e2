/*
 * image.h - send an image to a server, and register it.
 */
#ifndef CLI_IMAGE_H
#define CLI_IMAGE_H

#include "cli/server.h"

struct image_send {
    struct str party; /* whose: an id */
    struct str file;
    struct str name;
    struct str format;
};

/* In pieces; what was cut off goes on where it was. *ret: the server's answer. RC_INVALID: the
 * file cannot be read. */
MUST_CHECK enum rc image_send(const struct server *s, const struct image_send *what,
                              struct str *ret);

#endif
