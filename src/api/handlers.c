#include "api/handlers.h"

const handler_fn handlers[ROUTE_COUNT] = {
#define ROUTE(operation, ...) [ROUTE_##operation] = operation##_handler,
#include "api/routes.def"
#undef ROUTE
};
