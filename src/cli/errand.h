/*
 * errand.h - a command that is one route: build the request from what was typed, send it, show the
 * answer.
 */
#ifndef CLI_ERRAND_H
#define CLI_ERRAND_H

#include "cli/server.h"

enum { ERRAND_PAGES_MAX = 10000, ERRAND_PAGE_LIMIT = 200 };

/* The whole of it. */
MUST_CHECK enum rc errand_run(struct run *run);

/* The address with the path's parameters (the words behind the command) and the query flags, which
 * the schema has checked. RC_SYNTAX: a word is no id; RC_INVALID: a flag. */
MUST_CHECK enum rc errand_path(struct run *run, const struct route *r, struct str *ret);

/* The server of the command. RC_UNAUTHENTICATED: nobody is logged in, and the route wants it; else
 * as server_open. */
MUST_CHECK enum rc errand_open(struct run *run, const struct route *r, struct server *ret);

/* Print one answer: JSON as it came with --json, else for people. body empty: nothing came. */
MUST_CHECK enum rc errand_show(struct run *run, const struct route *r, struct str body);

#endif
