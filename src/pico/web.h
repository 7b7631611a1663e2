/*
 * web.h - the engine over HTTP: the routes and answers of the official engine 1.x, and ours.
 *
 * Two listeners. The customers' has what a channel opens and nothing else: /c/ECI/..., /sky/...,
 * /v1/channels/ECI/..., /v1/health. The developers' has those too, and what belongs to who runs
 * the engine: picos, rulesets, logs, export and import, metrics. On the customers' listener the
 * developers' routes are 404 like anything else that is not there.
 *
 * Who may use the developers' listener: who has its token, where one is set; else who is on this
 * machine, and no page of a browser from elsewhere (Host must be this machine, Origin the same).
 *
 * /c/ and /sky/ answer 200 with {"error": "..."} where the official engine does; only what it does
 * not know has a status: 429 for a channel or queue that is asked too much, 503 where nothing can
 * be kept. /v1/ answers with statuses and problem+json (RFC 9457).
 */
#ifndef PICO_WEB_H
#define PICO_WEB_H

#include "http/http.h"
#include "pico/engine.h"

struct pico_web;

struct pico_web_options {
    struct pico_engine *engine; /* outlives the web */
    struct store *store;        /* the engine's, to list what is there */
    struct clock *clock;
    const struct log *log;
    struct str token; /* of the developers' listener; empty: none */
    /* A folder whose files the developers' listener shows where no route is: the official engine's
     * interface for browsers. NULL: none. Outlives the web. */
    const char *interface;
    int64_t per_minute; /* requests over one channel; 0: no limit */
};

/* Never fails. Copies what it needs of the options. */
struct pico_web *pico_web_open(const struct pico_web_options *o);
/* After both servers were closed. NULL is fine. */
void pico_web_close(struct pico_web *w);

struct http_handler pico_web_customers(struct pico_web *w);
struct http_handler pico_web_developers(struct pico_web *w);

#endif
