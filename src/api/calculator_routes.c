/*
 * calculator_routes.c - the planner. It reads and keeps nothing; it runs as a reading route, so
 * that strangers who calculate all day are counted and limited.
 */
#include "api/handlers.h"

enum rc calculate_handler(struct call *c)
{
    struct forecast_answer answer;
    TRY(forecast_compute(c->body, c->arena, &answer, c->err));
    return call_reply(c, &answer);
}
