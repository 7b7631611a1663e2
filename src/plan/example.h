/*
 * example.h - plans that are ready by name: those of the mission documents, with what the documents
 * declare, and why the computed figures differ where they do.
 *
 * They are JSON files under examples/, built into the program; each is what forecast_schema takes,
 * so that one can be printed, changed, and planned with.
 */
#ifndef PLAN_EXAMPLE_H
#define PLAN_EXAMPLE_H

#include "plan/forecast.h"

enum { FORECAST_TEXT_MAX = 256 * 1024 }; /* of a plan in JSON */

struct forecast_example {
    const char *name; /* "coworking-10" */
    const char *json;
};

/* Made at build time by examples/embed. */
extern const struct forecast_example forecast_examples[];
extern const size_t forecast_example_count;

/* NULL where there is none of the name. */
const struct forecast_example *forecast_example_find(struct str name);

/* A plan from its JSON. RC_SYNTAX: no JSON object; RC_TOO_LARGE; RC_INVALID names the field. */
MUST_CHECK enum rc forecast_parse(struct str text, struct arena *arena, struct forecast *ret,
                                  struct err *err);

#endif
