/*
 * node_run.h - the agent's doors opened and its loop run, until SIGTERM or SIGINT.
 */
#ifndef MAIN_NODE_RUN_H
#define MAIN_NODE_RUN_H

#include "main/node_settings.h"
#include "node/drivers.h"
#include "node/promise.h"

/* Services go on when the agent ends. */
MUST_CHECK enum rc node_run(const struct node_settings *s, const struct node_line *line,
                            struct arena *arena, struct err *err);
/* The drivers with these settings; images are not fetched. looks: beside an agent. */
MUST_CHECK enum rc node_drivers(const struct node_settings *s, bool looks, struct arena *arena,
                                struct drivers *ret, struct err *err);
/* One agent for a home: the lock ends with its process, however that ends. RC_CONFLICT: another one
 * holds it. *ret: to be closed. */
MUST_CHECK enum rc node_lock(const struct node_settings *s, struct arena *arena, int *ret,
                             struct err *err);
/* What promises look through; its wire is closed by the caller. */
struct promise_door node_door(struct container *c);
/* SIGTERM and SIGINT are read from the descriptor, not taken: no thread is torn out of a step.
 * Below 0: they cannot be. */
int node_signals(void);
/* Whether one of them came. */
bool node_stop_asked(int signals);

#endif
