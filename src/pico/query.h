/*
 * query.h - attributes and arguments as HTTP brings them: query strings, forms, JSON bodies.
 *
 * A query string has the nested syntax of the npm package qs, which the official engine uses:
 * "a[b]=1", "x[]=1", "x[2]=1", five levels deep, what is behind them a literal key; a key that
 * comes again makes an array. A form is flat: "x[a]" is a literal key. Everything is bounded by
 * the heap.
 */
#ifndef PICO_QUERY_H
#define PICO_QUERY_H

#include "base/schema.h"
#include "krl/value.h"

enum {
    PICO_QUERY_PARAMETERS_MAX = 1000, /* the rest is passed over, as qs does */
    PICO_QUERY_DEPTH_MAX = 5,
    PICO_QUERY_INDEX_MAX = 20, /* higher ones are keys of a map */
};

/* A map. KRL_FAILED: no room. */
struct krl_value pico_query_read(struct krl_heap *h, struct str query);
struct krl_value pico_form_read(struct krl_heap *h, struct str form);
/* A body that must be a map or an array; nothing at all is {}. KRL_FAILED with "SyntaxError: ..."
 * in the heap. */
struct krl_value pico_json_read(struct krl_heap *h, struct str body);

struct pico_input {
    struct str query; /* behind the "?", as it was sent */
    struct str type;  /* Content-Type, with parameters */
    struct str body;
    const struct pair *headers; /* names in lower case; NULL: no "_headers" */
    size_t headers_n;
};

/* All of a request: the query string, overlaid by the body where its type is JSON or a form, and
 * "_headers". A map. KRL_FAILED: with the sentence for the caller in the heap. */
struct krl_value pico_input_read(struct krl_heap *h, const struct pico_input *in);

#endif
