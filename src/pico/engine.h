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
 * An activation runs within a budget of steps, memory and depth (krl/machine.h). Where its pico has
 * nothing else to do, it begins at once on the thread that asks, with a budget that is over before
 * anybody notices; else, or where that ends, on the fast lane with a small budget; where that ends
 * too, or where it wants to wait for the outside (http:, another pico), it is thrown away without
 * effect and begun anew on the slow lane, whose threads are few and of low priority. A pico that
 * needs the slow lane again and again stays there until its events are short again. So no ruleset
 * slows its neighbours.
 */
#ifndef PICO_ENGINE_H
#define PICO_ENGINE_H

#include "http/wire.h"
#include "krl/machine.h"
#include "store/store.h"

enum {
    PICO_QUEUE_MAX = 1000,  /* events and queries that wait at one pico; more are refused */
    PICO_ORDERS_MAX = 100,  /* that its owner may add to them: to install, uninstall, delete */
    PICO_RAISES_MAX = 1000, /* raised within one event */
    PICO_DIRECTIVES_MAX = 1000,
    PICO_HOPS_MAX = 64, /* of a message that makes a message that makes a message ... */
    PICO_KEY_MAX = 80,  /* of what an event is known by when it comes again */
    PICO_ATTRS_BYTES_MAX = 100 * 1024,   /* as the official engine */
    PICO_ENTITY_BYTES_MAX = 1024 * 1024, /* of one variable, packed */
    PICO_CHANNELS_MAX = 10000,           /* of one pico */
    PICO_RULESETS_MAX = 100,             /* of one pico */
    PICO_SCHEDULES_MAX = 10000,          /* of one pico */
    /* Before it is begun anew on the next slower lane. A step takes from 10 ns (a number is added)
     * to 150 ns (a text is built). */
    PICO_STEPS_HERE = 10 * 1000,
    PICO_STEPS_FAST = 100 * 1000,
};

/* With these headers an engine tells another what a repeat of an event is known by, and how many
 * events led to it. */
#define PICO_KEY_HEADER  "Hanse-Event"
#define PICO_HOPS_HEADER "Hanse-Hops"

struct pico_engine;

struct pico_options {
    struct store *store; /* sole: one engine a store; after the engine's end it is only closed */
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
    struct pico_usage_options {
        struct str url; /* where usage of accounts is told (POST /v1/usage); empty: nowhere */
        struct str token;
        struct str source; /* "urn:hanse:PARTY:NAME" */
        int64_t period_us; /* > 0 where url is set */
        /* Where the list of suspended subscriptions is (unpaid.h); empty: nobody is asked. */
        struct str suspended_url;
        int64_t suspended_us; /* between two questions; > 0 where suspended_url is set */
    } usage;
    struct pico_mail_options {
        struct str url;  /* smtp://host:25, smtps://host:465; empty: rulesets send no mail */
        struct str user; /* empty: no login */
        struct str password;
        struct str from;
    } mail;
    bool private_hosts;   /* http: may call private addresses: tests, closed networks */
    bool official_reset;  /* an event whose attributes do not match resets its rule, as the
                              official engine does; default: it is ignored, as documented */
    bool official_window; /* the window of "within" goes on when its rule fired, as in the official
                              engine; default: it begins anew */
};

/* Opens, loads the bundled rulesets, makes the root pico where there is none, takes up schedules,
 * messages and accepted events that a crash left. RC_CONFLICT, RC_INVALID, RC_UNAVAILABLE. */
MUST_CHECK enum rc pico_engine_open(struct pico_engine **ret, const struct pico_options *o,
                                    struct err *err);
/* Before the listeners close: what waits at a pico that stands still, because it moves, is refused
 * with RC_UNAVAILABLE, and so is what comes to one; else nobody would be answered before the move
 * is over. NULL is fine. */
void pico_engine_leave(struct pico_engine *e);
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
 * the engine; or, where hold is given, on the thread that submits, before pico_submit returns. done
 * must be quick. */
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
    struct str key;   /* of an event: one with the key of an earlier one is answered, with no
                         directives, and not handled; empty: it has none */
    int64_t hops;     /* events that led to this one */
    struct arena *arena;
    void (*done)(struct pico_request *r);
    /* NULL, or called at most once, within pico_submit, before another thread can know of the
     * request: done may come at any time from then on, and where it was not called, done was. */
    void (*hold)(struct pico_request *r);

    /* The answer, in the arena. RC_OK; RC_NOT_FOUND (channel, ruleset, query), RC_FORBIDDEN
     * (policy; family channel), RC_TOO_MANY (queue or rate), RC_INVALID (an error of the ruleset),
     * RC_TIMEOUT, RC_TOO_LARGE (budget), RC_UNAVAILABLE (the commit failed), RC_FULL. */
    enum rc rc;
    bool undefined;      /* the query's value is undefined: the official engine answers nothing */
    struct str moved_to; /* of RC_NOT_FOUND: the engine where the pico is now; empty: none */
    struct err err;      /* its sentence is the official engine's: "Error: ECI not found x" */
    struct str reply;    /* JSON: text of the eid, {"eid","directives"}, or the query's value */

    struct pico_request *next; /* the engine's */
    void *inner;               /* the engine's */
};
void pico_submit(struct pico_engine *e, struct pico_request *r);

/* Ask the engine that r->moved_to names, where pico_submit was answered so, and set the answer
 * anew. Events that are answered when they are durable are so here, and sent afterwards. Waits. */
void pico_forward(struct pico_engine *e, struct pico_request *r);

/* With a simulated clock: deliver what is due and run all that waits, on this thread. */
MUST_CHECK enum rc pico_engine_run_due(struct pico_engine *e, struct err *err);

struct pico_counters {
    uint64_t events, queries, directives, errors, refused, slow, timeouts, commits;
    uint64_t steps;  /* of all activations */
    uint64_t loaded; /* picos in memory now */
    uint64_t queued; /* waiting now */
    uint64_t messages, schedules_fired;
    uint64_t sent_away; /* events to other engines */
};
struct pico_counters pico_counters(struct pico_engine *e);

/* --- what its owner does --- */

/* The root pico's id, which is the eci of its own channel too. */
struct str pico_root(const struct pico_engine *e);
/* Where others ask this engine, as the options say. */
struct str pico_base_url(const struct pico_engine *e);

/* Fetch a ruleset, compile it, and use it in all picos that have it. "file:" names a file in the
 * rulesets folder; http and https are fetched; the text itself may be given instead. An unchanged
 * source changes nothing. RC_SYNTAX with the official sentence and place; the version before goes
 * on. *ret: {"url","rid","hash","flushed","compiler":{"version","warnings"}}. */
MUST_CHECK enum rc pico_flush(struct pico_engine *e, struct str url, struct str source,
                              struct arena *arena, struct str *ret, struct err *err);

/* --- portability: see export.h --- */

#endif
