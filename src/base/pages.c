#include "base/pages.h"

#include <malloc.h>

enum {
    KEEP_BYTES = 16 * 1024 * 1024,
    MAP_BYTES = 2 * 1024 * 1024, /* more than a block of an arena, unless it was asked for whole */
};

void pages_keep(void)
{
    /* Both: whoever sets one ends malloc's own guessing at the other. */
    mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
    mallopt(M_MMAP_THRESHOLD, MAP_BYTES);
}
