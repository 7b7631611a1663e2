/*
 * root.h - the image that a profile wants, for commands that build it.
 */
#ifndef CLI_ROOT_H
#define CLI_ROOT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/schema.h"

struct root {
    struct str name; /* under which it is registered */
    struct str format;
    struct list packages; /* struct str: Debian's; none: it is no root that can be built so */
};

/* text: a profile. Codes as profile_read. */
MUST_CHECK enum rc root_read(struct str text, struct arena *arena, struct root *ret,
                             struct err *err);

#endif
