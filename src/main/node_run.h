/*
 * node_run.h - the agent's doors opened and its loop run, until SIGTERM or SIGINT.
 */
#ifndef MAIN_NODE_RUN_H
#define MAIN_NODE_RUN_H

#include "main/node_settings.h"
#include "node/container.h"

/* Services go on when the agent ends. */
MUST_CHECK enum rc node_run(const struct node_settings *s, const struct node_line *line,
                            struct arena *arena, struct err *err);
/* The driver of containers with these settings; images are not fetched. looks: beside an agent. */
MUST_CHECK enum rc node_container(const struct node_settings *s, bool looks, struct arena *arena,
                                  struct container *ret, struct err *err);

#endif
