#include "store/engine.h"

static enum rc start(struct store *s, struct err *err)
{
    (void)s;
    return err_set(err, RC_UNSUPPORTED, "PostgreSQL is not built in yet");
}

static void stop(struct store *s)
{
    (void)s;
}

const struct engine engine_postgres = {.kind = STORE_POSTGRES, .start = start, .stop = stop};
