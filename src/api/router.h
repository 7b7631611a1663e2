/*
 * router.h - find the route of a request: a tree of path segments, built once from the table.
 *
 * Words come before parameters: "/v1/invitations/actions/open" is never read as an invitation
 * called "actions". Built at the start, read only afterwards, so any thread may look.
 */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include "api/route.h"

struct router;

/* Lives in the arena. Two routes with the same method and path are a mistake of ours. */
struct router *router_build(struct arena *arena);

/* The route for a path, and its parameters as slices of path. RC_NOT_FOUND: no such path.
 * RC_METHOD: the path has other methods. With any code but RC_NOT_FOUND *ret_allow lists them:
 * "GET, HEAD". HEAD finds GET. */
MUST_CHECK enum rc router_find(const struct router *r, enum http_method method, struct str path,
                               const struct route **ret, struct str params[ROUTE_PARAMS_MAX],
                               struct str *ret_allow);

#endif
