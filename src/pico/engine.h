/*
 * engine.h - the pico engine: picos with their queues, and what the outside asks of them.
 *
 * A pico handles one thing at a time, in the order in which it came: events and queries share its
 * queue. Many picos work at once, on a few threads. What an event does - entity variables, the
 * state of rules, schedules, new picos and channels, messages to other picos - is committed in one
 * transaction of the store, or not at all; the answer leaves after that commit is durable. The next
 * event of the pico need not wait for the disk: it runs on what the one before has left, and is
 * answered after its own, later commit; where a commit fails, all that built on it fails too, and
 * the pico is read anew. So what was answered is never lost, and nothing half-done is ever seen.
 *
 * Idle picos are rows in the store and nothing else. A message to another pico is a row that the
 * sender's commit makes and the receiver's commit removes: delivered exactly once.
 *
 * An activation runs within a budget of steps, memory and depth (krl/machine.h). It begins on the
 * fast lane with a small budget; where that ends, or where it wants to wait for the outside (http:,
 * another pico), it is thrown away without effect and begun anew on the slow lane, whose threads
 * are few and of low priority. So no ruleset slows its neighbours.
 */
#ifndef PICO_ENGINE_H
#define PICO_ENGINE_H

#include "http/wire.h"
#include "krl/machine.h"
#include "store/store.h"

enum {
    PICO_QUEUE_MAX = 1000,  /* events and queries that wait at one pico; more are refused */
    PICO_RAISES_MAX = 1000, /* raised within one event */
    PICO_DIRECTIVES_MAX = 1000,
    PICO_HOPS_MAX = 64, /* of a message that makes a message that makes a message ... */
    PICO_ATTRS_BYTES_MAX = 100 * 1024,   /* as the official engine */
    PICO_ENTITY_BYTES_MAX = 1024 * 1024, /* of one variable, packed */
    PICO_CHANNELS_MAX = 10000,           /* of one pico */
    PICO_RULESETS_MAX = 100,             /* of one pico */
    PICO_SCHEDULES_MAX = 10000,          /* of one pico */
    PICO_EVENT_STEPS_FAST = 1000 * 1000, /* before it is begun anew on the slow lane */
};

struct pico_engine;

struct pico_options {
    struct store *store; /* one engine a store; after the engine's end it is only closed */
    struct clock *clock; /* simulated: nothing happens by itself, see pico_engine_run_due */
    struct wire *wire;   /* for http: and rulesets from the net; NULL: refused */
    const struct log *log;
    struct str base_url; /* "https://picos.example.net": meta:host, links */
    struct str rulesets; /* folder that file: URLs may name; empty: none */
    size_t threads;      /* of the fast lane; 0: as many as processors */
    size_t slow_threads; /* 0: 2 */
    int64_t steps_max;   /* of one activation; 0: KRL_STEPS_DEFAULT */
    size_t memory_max;   /* 0: KRL_MEMORY_DEFAULT */
    size_t loaded_max;   /* picos held in memory; 0: 20,000 */
    bool private_hosts;  /* http: may call private addresses: tests, closed networks */
    bool official_reset; /* an event whose attributes do not match resets its rule, as the
                              official engine does; default: it is ignored, as documented */
};

/* Opens, loads the bundled rulesets, makes the root pico where there is none, takes up schedules,
 * messages and accepted events that a crash left. RC_CONFLICT, RC_INVALID, RC_UNAVAILABLE. */
MUST_CHECK enum rc pico_engine_open(struct pico_engine **ret, const struct pico_options *o,
                                    struct err *err);
/* What runs is finished and committed, then all ends. NULL is fine. */
void pico_engine_close(struct pico_engine *e);

/* --- what the outside asks --- */

enum pico_ask {
    PICO_EVENT,      /* answered as soon as the event is durable; it is handled afterwards */
    PICO_EVENT_WAIT, /* answered with the directives */
    PICO_QUERY,
    PICO_EVENT_QUERY, /* an event and then a query, with nothing between them */
    /* Orders of the owner, to the pico that eci names: */
    PICO_INSTALL,   /* name: the URL; attrs: the configuration. Answer: {"rid"} */
    PICO_UNINSTALL, /* rid. Answer: null */
    PICO_NEW,       /* attrs: {"rulesets": [{"url", "config"}]}. Answer: {"id", "eci"}; eci is the
                       channel that only the parent may use */
    PICO_DELETE,    /* the pico and all below it; not the root. Answer: null */
};

/* One request. All texts and the arena are the caller's until done is called, once, on a thread of
 * the engine. done must be quick. */
struct pico_request {
    enum pico_ask ask;
    bool inside; /* comes from the engine or its owner: policies are not asked */
    struct str eci;
    struct str eid;    /* empty: made here */
    struct str domain; /* events */
    struct str name;
    struct str rid; /* queries */
    struct str query;
    struct str attrs; /* JSON object: attributes, arguments; empty: none */
    struct str args;  /* of the query of PICO_EVENT_QUERY; empty: attrs */
    struct arena *arena;
    void (*done)(struct pico_request *r);

    /* The answer, in the arena. RC_OK; RC_NOT_FOUND (channel, ruleset, query), RC_FORBIDDEN
     * (policy; family channel), RC_TOO_MANY (queue or rate), RC_INVALID (an error of the ruleset),
     * RC_TIMEOUT, RC_TOO_LARGE (budget), RC_UNAVAILABLE (the commit failed), RC_FULL. */
    enum rc rc;
    bool undefined;   /* the query's value is undefined: the official engine answers nothing */
    struct err err;   /* its sentence is the official engine's: "Error: ECI not found x" */
    struct str reply; /* JSON: text of the eid, {"eid","directives"}, or the query's value */

    struct pico_request *next; /* the engine's */
    void *inner;               /* the engine's */
};
void pico_submit(struct pico_engine *e, struct pico_request *r);

/* With a simulated clock: deliver what is due and run all that waits, on this thread. */
MUST_CHECK enum rc pico_engine_run_due(struct pico_engine *e, struct err *err);

struct pico_counters {
    uint64_t events, queries, directives, errors, refused, slow, timeouts, commits;
    uint64_t steps;  /* of all activations */
    uint64_t loaded; /* picos in memory now */
    uint64_t queued; /* waiting now */
    uint64_t messages, schedules_fired;
};
struct pico_counters pico_counters(struct pico_engine *e);

/* --- what its owner does --- */

/* The root pico's id, which is the eci of its own channel too. */
struct str pico_root(const struct pico_engine *e);

/* Fetch a ruleset, compile it, and use it in all picos that have it. "file:" names a file in the
 * rulesets folder; http and https are fetched; the text itself may be given instead. An unchanged
 * source changes nothing. RC_SYNTAX with the official sentence and place; the version before goes
 * on. *ret: {"url","rid","hash","flushed","compiler":{"version","warnings"}}. */
MUST_CHECK enum rc pico_flush(struct pico_engine *e, struct str url, struct str source,
                              struct arena *arena, struct str *ret, struct err *err);

/* --- portability: see export.h --- */

#endif
