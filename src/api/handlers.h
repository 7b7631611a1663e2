/*
 * handlers.h - one function for each route, bound to the table by name.
 */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "api/call.h"

#define ROUTE(operation, ...) enum rc operation##_handler(struct call *c);
#include "api/routes.def"
#undef ROUTE

extern const handler_fn handlers[ROUTE_COUNT];

#endif
