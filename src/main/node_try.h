/*
 * node_try.h - `hanse-node try`: a profile as its service on this machine.
 *
 * For those who write profiles: the image is built, the profile rendered with the parameters of the
 * command line, the service run by the same agent and driver as on a node, what it publishes shown,
 * and everything removed at the end. It has a home, a bridge and a network of its own, so a node
 * that works on the same machine is not touched.
 */
#ifndef MAIN_NODE_TRY_H
#define MAIN_NODE_TRY_H

#include "main/node_settings.h"

/* words: FILE, then NAME=VALUE for parameters (NAME=@FILE: what is in the file) and NEED.NAME=VALUE
 * for what a needed service would publish. Runs until SIGINT or SIGTERM; with --once, until all
 * promises are kept. RC_INVALID names the field; RC_UNAVAILABLE: it failed, or kept not its
 * promises in time, and what its processes said was shown. */
MUST_CHECK enum rc node_try(const struct node_settings *s, const struct node_line *line,
                            struct arena *arena, struct err *err);

#endif
