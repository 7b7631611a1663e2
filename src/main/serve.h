/*
 * serve.h - open the doors, serve until told to stop, close them in order.
 */
#ifndef MAIN_SERVE_H
#define MAIN_SERVE_H

#include "main/settings.h"

/* Returns when SIGTERM or SIGINT came and all is closed. RC_CONFLICT: the store or the address is
 * taken; RC_INVALID: a setting or the store is wrong; RC_UNAVAILABLE, RC_FULL. */
MUST_CHECK enum rc serve(const struct settings *s, struct arena *arena, struct err *err);

#endif
