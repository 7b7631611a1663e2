/*
 * inside.h - the parts of the engine, for the files of this room only.
 *
 * Who owns what. The engine's lock guards the tables of picos and channels, the queues, and each
 * pico's fields up to "cells". A pico that runs (RUNNING) belongs to one thread, which alone reads
 * and writes its cells. A commit belongs to the store from commit_submit until its done. Memory of
 * picos, items and commits is from malloc: they come and go one by one, and no unit of work ends
 * with them.
 */
#ifndef PICO_INSIDE_H
#define PICO_INSIDE_H

#include "pico/cells.h"
#include "pico/engine.h"
#include "pico/registry.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    ECI_N = 25, /* what is made here: "c" and 24 of a-z0-9, 124 bits of chance */
    ECI_MAX = 64,
    WORD_MAX = 256,             /* of a domain, a name, an eid */
    STATE_BYTES_MAX = 16777216, /* of all that one pico keeps */
    BORN_MAX = 1000,            /* picos made by one event */
    SENT_MAX = 1000,            /* messages to other picos from one event */
    ARENA_COMMIT_BYTES = 64 * 1024 * 1024,
    NESTED_ASKS_MAX = 8, /* a pico asks a pico that asks a pico */
    LANES = 2,
    THREADS_MAX = 66, /* 64 workers, a timer */
};

enum lane { LANE_FAST, LANE_SLOW };

enum item_kind { ITEM_REQUEST, ITEM_STORED, ITEM_SCHEDULE };

/* Something that waits at a pico. */
struct item {
    struct item *next;
    enum item_kind kind;
    bool event_done;              /* of PICO_EVENT_QUERY: only the query is left */
    bool slow;                    /* was begun on the fast lane, in vain */
    struct pico_request *request; /* ITEM_REQUEST */
    int64_t row;                  /* of pico_event; ITEM_STORED */
    int64_t sender;               /* number of the pico; 0: from outside */
    int64_t hops;
    struct str eci; /* these lie behind the item; of ITEM_SCHEDULE only name: its id */
    struct str eid;
    struct str domain;
    struct str name;
    struct str attrs; /* JSON */
};

enum run_state {
    RUN_IDLE,
    RUN_READY,   /* in the list of its lane */
    RUN_RUNNING, /* belongs to a thread */
    RUN_PARKED,  /* until its commits are durable, or (resting) for a moment */
};

enum eci_kind { ECI_SELF, ECI_FAMILY, ECI_PLAIN };

/* Where a channel leads. Of loaded picos only. */
struct eci_node {
    struct eci_node *chain;
    struct eci_node *of_pico; /* the next one that the same loaded pico brought */
    int64_t pico;
    enum eci_kind kind;
    int64_t user; /* ECI_FAMILY: the pico that may use it */
    struct str eci;
};

struct pico_log {
    struct pico_log *next;
    time_us at;
    struct str json; /* one entry; lies behind */
};

struct pico {
    int64_t no;
    struct pico *chain;
    struct pico *before; /* in the list of ready or of idle ones */
    struct pico *after;
    struct item *first;
    struct item *last;
    uint32_t waiting;
    enum run_state run;
    enum lane lane;
    uint32_t pins;       /* who looks at it, and will settle it */
    uint32_t pending;    /* commits on their way */
    struct commit *tail; /* the last of them */
    struct pico *waits_for;
    struct eci_node *ecis;
    bool loaded;
    bool broken;          /* a commit failed: what is in memory is not what is stored */
    bool resting;         /* after that, for a moment */
    bool dying;           /* a transaction that deletes it is on its way */
    bool gone;            /* it is deleted */
    bool reread;          /* events in the store may be missing in the queue */
    bool listed;          /* in the list of idle ones */
    atomic_bool children; /* there may be some */
    struct pico_log *log_first;
    struct pico_log *log_last;
    size_t log_bytes;

    struct cells cells;
    int64_t parent; /* 0: none */
    struct str id;  /* these three from one malloc, in id.p */
    struct str parent_eci;
    struct str child_eci;
};

enum op_kind {
    OP_PUT,
    OP_DROP,
    OP_EVENT,  /* made, and to be delivered */
    OP_ACCEPT, /* the same, and it is in the queue already */
    OP_EVENT_DONE,
    OP_PICO,
    OP_PICO_GONE,
};

/* One change of the store. */
struct op {
    struct op *next;
    enum op_kind kind;
    int64_t pico;
    struct cell cell;   /* OP_PUT, OP_DROP */
    struct item *event; /* OP_EVENT: what the receiver gets */
    struct pico *born;  /* OP_PICO */
    int64_t row;        /* OP_EVENT_DONE */
};

struct commit {
    struct store_job job;
    struct arena arena;
    struct err err;
    struct pico_engine *e;
    struct pico *pico;
    struct commit *before; /* of the same pico: it must be kept for this one to be */
    struct commit *batch;  /* of the store's present transaction; the writing thread's */
    atomic_uint refs;
    bool kept; /* so far; the writing thread's */
    struct op *first;
    struct op *last;
    size_t born_n;
    size_t sent_n;
    struct pico_request *requests; /* to be answered when it is durable */
};

struct ready_list {
    struct pico *first;
    struct pico *last;
    size_t n;
};

struct pico_engine {
    struct pico_options o;
    struct store *store;
    struct clock *clock;
    struct registry *registry;
    bool alone; /* no threads of our own: simulated time */
    uint64_t seed[2];
    struct str root;
    int64_t root_no;

    pthread_mutex_t lock;
    pthread_cond_t work[LANES]; /* something is ready on the lane */
    pthread_cond_t moved;       /* an item ended, a commit ended */
    pthread_cond_t tick;        /* the timer should look again */
    bool stopping;
    struct pico **picos;
    size_t picos_mask;
    size_t picos_n;
    struct eci_node **ecis;
    size_t ecis_mask;
    size_t ecis_n;
    struct ready_list ready[LANES];
    struct ready_list resting;
    struct ready_list idle;         /* loaded, nothing to do; the longest idle one first */
    struct pico_request *new_first; /* whose channel is not known yet */
    struct pico_request *new_last;
    size_t new_n;
    size_t loaded;
    size_t queued;
    size_t commits; /* on their way */
    size_t running;
    time_us next_due;
    struct pico_counters counters;

    /* The writing thread's: the store's present transaction. */
    struct commit *batch; /* kept so far */
    struct commit *unit;  /* in hand */
    struct dying {
        struct dying *next;
        const struct commit *unit; /* that deleted it */
        int64_t no;
    } * dying;

    atomic_int_fast64_t next_no;
    atomic_int_fast64_t next_row;
    atomic_uint_fast64_t steps;
    pthread_t threads[THREADS_MAX];
    size_t threads_n;
};

/* --- table.c: who is in memory; all with the lock held --- */

struct pico *table_pico(struct pico_engine *e, int64_t no);
/* Makes an entry for it, not loaded. */
struct pico *table_need(struct pico_engine *e, int64_t no);
/* One that was made outside goes in. */
void table_add(struct pico_engine *e, struct pico *p);
/* Free a pico that nobody holds. */
void table_forget(struct pico_engine *e, struct pico *p);
const struct eci_node *table_eci(struct pico_engine *e, struct str eci);
void table_eci_add(struct pico_engine *e, struct pico *owner, struct eci_node node);
void table_eci_drop(struct pico_engine *e, struct pico *owner, struct str eci);
/* The channels of a loaded pico go into the table. */
void table_enter(struct pico_engine *e, struct pico *p);
/* Forget what was loaded. */
void table_unload(struct pico_engine *e, struct pico *p);
void list_add(struct ready_list *l, struct pico *p);
void list_drop(struct ready_list *l, struct pico *p);

/* --- rows.c: the tables --- */

/* A pico's names in one block. */
void pico_name(struct pico *p, struct str id, struct str parent_eci, struct str child_eci);
struct pico *pico_new(int64_t no);
/* Only what was not in a table. */
void pico_free(struct pico *p);
/* Fill a pico from the store. RC_NOT_FOUND: there is none. */
MUST_CHECK enum rc rows_load(struct pico_engine *e, struct pico *p, struct err *err);
/* *ret_found false: no such channel. */
MUST_CHECK enum rc rows_eci(struct pico_engine *e, struct str eci, struct eci_node *ret,
                            bool *ret_found, struct err *err);
/* Events of a pico that are stored and not in its queue go there. */
MUST_CHECK enum rc rows_events(struct pico_engine *e, struct pico *p, struct err *err);
/* Write one change. */
MUST_CHECK enum rc rows_write(struct tx *tx, struct pico_engine *e, const struct op *op);
/* Of a new engine or an old one: numbers, the root. */
MUST_CHECK enum rc rows_start(struct pico_engine *e, struct err *err);

/* --- commit.c --- */

struct commit *commit_new(struct pico_engine *e, struct pico *p);
/* Before it was handed in. */
void commit_drop(struct commit *c);
struct op *commit_op(struct commit *c, enum op_kind kind, int64_t pico);
/* A fact of a pico changes; the bytes are copied. */
void commit_cell(struct commit *c, int64_t pico, const struct cell *cell);
/* What is to be done, all at once. */
void commit_submit(struct commit *c);
/* The same in two steps: with the lock, where the caller holds it anyway, then without. */
void commit_chain(struct commit *c);
void commit_send(struct commit *c);
void commit_take_part(struct pico_engine *e);

/* --- queue.c: what waits --- */

struct item *item_new(enum item_kind kind, struct str eci, struct str eid,
                      const struct str event[2], struct str attrs);
void item_free(struct item *i);
/* With the lock: the item goes to the end of the queue. */
void queue_push(struct pico_engine *e, struct pico *p, struct item *i);
/* With the lock, of one that is RUN_IDLE: to the list where it belongs; it may be gone then. */
void queue_settle(struct pico_engine *e, struct pico *p);
/* With the lock: those that rest after a failed commit go on. */
void queue_wake(struct pico_engine *e);
void request_done(struct pico_engine *e, struct pico_request *r, enum rc rc, const struct err *err);
/* With the lock, which is given up meanwhile: do one thing that is ready on the lane. False: there
 * is none. */
bool queue_work(struct pico_engine *e, enum lane lane);
/* An answer from another pico, which waits for it or runs that pico on this thread. r->inside is
 * set, done is set here. In r->rc: the answer's, or RC_CONFLICT where it would wait for itself. */
void queue_ask(struct pico_engine *e, struct pico *asking, struct pico_request *r, int64_t sender,
               int depth);

/* --- activation.c --- */

enum outcome {
    OUT_DONE,   /* the item is through: answered, or its answer hangs on a commit */
    OUT_SLOW,   /* it must be begun anew on the slow lane */
    OUT_SETTLE, /* it must be begun anew when all commits are durable */
    OUT_BROKEN, /* it must be begun anew after the pico was read again */
};

/* Do one item at a pico that is loaded and RUNNING on this thread. */
enum outcome activation_item(struct pico_engine *e, struct pico *p, struct item *i, enum lane lane,
                             int depth);

/* --- timer.c --- */

/* Items for what is due; *ret_fired: how many. */
MUST_CHECK enum rc timer_poll(struct pico_engine *e, size_t *ret_fired, struct err *err);
void *timer_thread(void *arg);

/* Chance as an identifier: "c" and 24 of a-z0-9. */
void chance_eci(struct pico_engine *e, char text[ECI_N + 1]);

#endif
