#include "base/rc.h"

static const struct {
    int http;
    int exit;
    const char *slug;
    const char *title;
} table[RC_COUNT] = {
#define X(name, http, exit, slug, title) [name] = {http, exit, slug, title},
    RC_TABLE(X)
#undef X
};

int rc_http(enum rc rc)
{
    ASSERT(rc < RC_COUNT);
    return table[rc].http;
}

int rc_exit(enum rc rc)
{
    ASSERT(rc < RC_COUNT);
    return table[rc].exit;
}

const char *rc_slug(enum rc rc)
{
    ASSERT(rc < RC_COUNT);
    return table[rc].slug;
}

const char *rc_title(enum rc rc)
{
    ASSERT(rc < RC_COUNT);
    return table[rc].title;
}

enum rc rc_from_http(int status)
{
    if (status >= 200 && status < 400)
        return RC_OK;
    for (enum rc rc = RC_SYNTAX; rc < RC_COUNT; rc++)
        if (table[rc].http == status)
            return rc;
    return status >= 400 && status < 500 ? RC_SYNTAX : RC_REMOTE;
}
