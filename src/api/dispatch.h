/*
 * dispatch.h - the flow of every request; see call.h for what it does for the handlers.
 *
 *     read        limits, credential, input    on the socket's thread
 *       READ      snapshot: caller, access, handler; there too with SQLite, on the pool else
 *       WRITE     batch: caller, access, key, handler, audit, key    on the store's thread
 *       WORK      snapshot: caller, access, key; then the handler without a tx, on the pool
 *       STREAM    as READ, and goes on
 *       PLAIN     handler alone
 *     finish      answer or problem, headers, log
 *
 * What the input says is told only to who may call: a body that cannot be used is answered after
 * the access rule has said yes.
 */
#ifndef API_DISPATCH_H
#define API_DISPATCH_H

#include "api/inside.h"

/* The headers are there: routes that take large bodies are given the room, where somebody says who
 * it is. */
void dispatch_head(void *api, struct http_exchange *x);
void dispatch_request(void *api, struct http_exchange *x);

/* A request that waited (api/waiters.h) is run again. */
void dispatch_resume(struct request *r);

#endif
