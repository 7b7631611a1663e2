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
    ECI_N = 25, /* what is made here: "c", 4 for the time and 20 of a-z0-9: 103 bits of chance */
    ECI_MAX = 64,
    WORD_MAX = 256,             /* of a domain, a name, an eid */
    STATE_BYTES_MAX = 16777216, /* of all that one pico keeps */
    BORN_MAX = 1000,            /* picos made by one event */
    SENT_MAX = 1000,            /* messages to other picos from one event */
    ARENA_COMMIT_BYTES = 64 * 1024 * 1024,
    NESTED_ASKS_MAX = 8, /* a pico asks a pico that asks a pico */
    LANES = 2,           /* those with threads of ours */
    HEAVY = 8, /* short items that a pico has to show after one that was not, to be quick again */
    REMOTE_THREADS = 2,          /* that send events to other engines */
    AWAY_MAX = 64,               /* activations that wait for other hosts, each with a thread */
    AWAY_HOST_MAX = 8,           /* of them for one host */
    AWAY_ACCOUNT_MAX = 16,       /* of one account */
    THREADS_MAX = 71 + AWAY_MAX, /* 64 workers, a timer, those, two of the outbox, one that asks */
    TALLY_SLOTS = 1024,
    CHANCE_AHEAD = 2048, /* bytes: one call of the system for many identifiers */
    SCRATCH_MAX = 8,
    SCRATCH_BYTES_MAX = 64 * 1024 * 1024,
};

enum lane { LANE_FAST, LANE_SLOW, LANE_HERE };

enum item_kind { ITEM_REQUEST, ITEM_STORED, ITEM_SCHEDULE };

/* Something that waits at a pico. */
struct item {
    struct item *next;
    enum item_kind kind;
    bool event_done;              /* of PICO_EVENT_QUERY: only the query is left */
    bool slow;                    /* was begun on the fast lane, in vain */
    bool old;                     /* ITEM_SCHEDULE: due before this engine's start */
    bool tried;                   /* trial.c has counted it */
    bool tries_known;             /* trial.c has read them */
    int64_t tries;                /* how often engines that died had begun it */
    bool on_trial;                /* alone of those that were counted before */
    bool condemned;               /* to be set aside */
    struct pico_request *request; /* ITEM_REQUEST */
    int64_t row;                  /* of pico_event; ITEM_STORED */
    int64_t sender;               /* number of the pico; 0: from outside */
    int64_t hops;
    struct outside_note *outside; /* what it has asked already */
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

struct pico {
    int64_t no;
    struct pico *chain;
    struct pico *before; /* in the list of ready or of idle ones */
    struct pico *after;
    struct item *first;
    struct item *last;
    uint32_t waiting;
    enum run_state run;
    atomic_bool here; /* RUN_RUNNING, on the thread that brought what it does: soon over */
    enum lane lane;
    uint32_t heavy;      /* above 0: what it does begins on the slow lane */
    uint32_t pins;       /* who looks at it, and will settle it */
    uint32_t pending;    /* commits on their way */
    struct commit *tail; /* the last of them */
    struct pico *waits_for;
    struct eci_node *ecis;
    bool loaded;
    bool broken;          /* a commit failed: what is in memory is not what is stored */
    bool resting;         /* after that, for a moment; or until something else is over */
    uint64_t wants_host;  /* of a resting one: the host where it finds no room; 0: none */
    atomic_bool dying;    /* a transaction that deletes it is on its way */
    atomic_bool gone;     /* it is deleted */
    bool reread;          /* events in the store may be missing in the queue */
    bool listed;          /* in the list of idle ones */
    bool held;            /* it moves: it stands still */
    bool suspended;       /* of a loaded one: it refuses what comes, and its schedules wait */
    int64_t account;      /* of a loaded one: who pays; 0: nobody */
    uint32_t aside;       /* events that wait in the store until it is resumed, about */
    atomic_bool children; /* there may be some */

    int64_t steps; /* of the last item */
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
    OP_TRY,    /* an event (row) or a schedule (cell.name) is begun by an engine that found it */
    OP_ASIDE,  /* event: it is set aside */
    OP_REMOTE, /* an event to another engine; cell.name: its address */
    OP_SEEN,   /* cell.name: the key of an event */
    OP_PICO,
    OP_PICO_GONE,
    OP_OUTGOING, /* mail, a webhook */
    OP_MOVED,    /* gone elsewhere; cell.name: the engine's address, cell.bytes: the move */
};

/* One change of the store. */
struct op {
    struct op *next;
    enum op_kind kind;
    int64_t pico;
    struct cell cell;          /* OP_PUT, OP_DROP */
    struct item *event;        /* OP_EVENT: what the receiver gets */
    struct pico *born;         /* OP_PICO */
    int64_t row;               /* OP_EVENT_DONE */
    struct outgoing *outgoing; /* OP_OUTGOING; in the commit's arena */
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
    size_t told_n;
    int64_t account; /* that pays for the events; 0: none */
    int64_t events;
    struct pico_request *requests; /* to be answered when it is durable */
};

/* A thread of the slow lane that waits for another host; on that thread's stack. */
struct absence {
    struct absence *next;
    uint64_t host;
    int64_t account;
};

struct ready_list {
    struct pico *first;
    struct pico *last;
    size_t n;
};

/* What an account uses. */
struct usage {
    int64_t events;
    int64_t queries;
    int64_t steps;
};

struct pico_engine {
    struct pico_options o;
    struct store *store;
    struct clock *clock;
    struct registry *registry;
    bool alone; /* no threads of our own: simulated time */
    uint64_t seed[2];
    pthread_mutex_t chance_lock; /* after all others */
    size_t chance_left;
    unsigned char chance[CHANCE_AHEAD];
    struct str root;
    int64_t root_no;

    pthread_mutex_t lock;
    pthread_cond_t work[LANES]; /* something is ready on the lane */
    pthread_cond_t moved;       /* an item ended, a commit ended */
    pthread_cond_t tick;        /* the timer should look again */
    pthread_cond_t asking;      /* the engine ends: unpaid_thread does */
    pthread_cond_t back;        /* one fewer runs on the slow lane */
    bool stopping;
    bool leaving; /* what comes to a pico that stands still is refused */
    struct pico **picos;
    size_t picos_mask;
    size_t picos_n;
    struct eci_node **ecis;
    size_t ecis_mask;
    size_t ecis_n;
    struct ready_list ready[LANES];
    struct ready_list resting;
    struct ready_list outside; /* resting: for room at a host */
    struct absence *away;
    int slow_max;                                       /* that run at a time on the slow lane */
    int slow_busy;                                      /* that do */
    int slow_n;                                         /* its threads */
    int returning;                                      /* threads that were away and want to run */
    _Atomic(struct arena_block *) scratch[SCRATCH_MAX]; /* NULL: in use, or not made yet */
    bool trial;      /* an event at which an engine died is begun again */
    int64_t old_row; /* events up to here were in the store at the start */
    time_us started;
    time_us started_steady;
    struct ready_list idle;         /* loaded, nothing to do; the longest idle one first */
    struct pico_request *new_first; /* whose channel is not known yet */
    struct pico_request *new_last;
    size_t new_n;
    size_t loaded;
    size_t queued;
    size_t commits; /* on their way */
    size_t running;
    time_us next_due;
    time_us unpaid_due; /* by the steady clock; of the one who asks */
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
    atomic_int_fast64_t next_remote;
    atomic_int_fast64_t next_outgoing;
    atomic_bool emigrated; /* there are channels that moved */
    atomic_bool ending;    /* as stopping, without the lock */
    struct remote *remote;
    struct outgoing_state *outgoing;
    struct tally *tallies[TALLY_SLOTS]; /* with the lock: of accounts, not written yet */
    size_t tallies_n;
    struct diary_entry *diary_first; /* with the lock: what is to be written of the logs */
    struct diary_entry *diary_last;
    struct diary_entry *diary_writing;
    size_t diary_n;
    int64_t diary_no;
    pthread_mutex_t moving; /* one step of a move at a time; before the lock */
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
/* With the lock: the first that rests for want of room at a host, and finds it now, goes on. */
void queue_wake_outside(struct pico_engine *e);
void request_done(struct pico_engine *e, struct pico_request *r, enum rc rc, const struct err *err);
/* Before another thread can know of the request. */
void request_hold(struct pico_request *r);
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
    OUT_FAST,   /* it must be begun anew, not here but on the fast lane */
    OUT_SLOW,   /* it must be begun anew on the slow lane */
    OUT_SETTLE, /* it must be begun anew when all commits are durable */
    OUT_BROKEN, /* it must be begun anew after the pico was read again */
    OUT_REST,   /* it must be begun anew when there is room at p->wants_host, or no other trial */
};

/* Do one item at a pico that is loaded and RUNNING on this thread. */
enum outcome activation_item(struct pico_engine *e, struct pico *p, struct item *i, enum lane lane,
                             int depth);

/* --- outside.c: what an item has asked already --- */

enum { OUTSIDE_HASH = 32 };

/* What a question is known by: all that it is made of, in its order. */
void outside_hash(const struct str *parts, size_t count, uint8_t ret[OUTSIDE_HASH]);
/* The item is begun: no answer is used yet. */
void outside_rewind(struct item *i);
void outside_forget(struct item *i);
/* The first answer to such a question that this run did not use. False: there is none. */
bool outside_find(struct item *i, const uint8_t hash[OUTSIDE_HASH], struct arena *arena,
                  struct wire_reply *ret);
void outside_keep(struct item *i, const uint8_t hash[OUTSIDE_HASH], const struct wire_reply *r);

/* --- engine.c: the threads of the slow lane; with the lock --- */

/* The thread of an activation of this lane reckons from here on, or has to do with what others wait
 * for. Outside of the lock. */
void lane_pace(const struct pico_engine *e, enum lane lane, bool reckons);
/* This one waits for something that is not the processor's: another does the lane's work. */
void lane_leave(struct pico_engine *e);
/* It goes on as soon as no more than the lane's number run. The lock is given up meanwhile. */
void lane_return(struct pico_engine *e);

/* --- scratch.c: memory of activations on the slow lane --- */

/* As large as the budget of one, for its arena. NULL: budgets are too large to keep any. */
struct arena_block *scratch_take(struct pico_engine *e);
/* When the arena has ended. NULL is fine. */
void scratch_give(struct pico_engine *e, struct arena_block *b);
void scratch_close(struct pico_engine *e);

/* --- away.c: waiting for other hosts --- */

/* False: not now; p->wants_host is set, and the item is to be begun anew (OUT_REST). */
bool away_begin(struct pico_engine *e, struct pico *p, struct str url, struct arena *arena,
                struct absence *ret);
void away_end(struct pico_engine *e, struct absence *a);
/* With the lock: at p->wants_host, for that pico. */
bool away_has_room(const struct pico_engine *e, const struct pico *p);

/* --- diary.c: the logs of picos --- */

void diary_add(struct pico_engine *e, int64_t pico, time_us at, struct str json);
/* With the lock, which is given up meanwhile: what was added is kept. */
void diary_write(struct pico_engine *e);
void diary_close(struct pico_engine *e);
/* The newest entries of a pico, the oldest of them first; they live in the arena. */
MUST_CHECK enum rc diary_read(struct pico_engine *e, int64_t pico, struct arena *arena,
                              const struct str **ret, size_t *ret_n, struct err *err);

/* --- remote.c: other engines --- */

MUST_CHECK enum rc remote_open(struct pico_engine *e, struct err *err);
void remote_stop(struct pico_engine *e); /* with the lock */
void remote_close(struct pico_engine *e);
void *remote_thread(void *arg);
/* With the lock, which is given up meanwhile: send all that is due; how many were sent. */
size_t remote_run(struct pico_engine *e);
/* With the lock: there may be rows for any host. */
void remote_wake_all(struct pico_engine *e);
/* With the lock: there are rows for the host. */
void remote_wake(struct pico_engine *e, struct str host);
/* Whether events for one more host may wait. */
bool remote_has_room(struct pico_engine *e, struct str host);
/* The engine where a channel is that was here; *ret is empty where it was not. */
MUST_CHECK enum rc remote_moved(struct pico_engine *e, struct str eci, struct arena *arena,
                                struct str *ret, struct err *err);
/* Whether a pico has had an event with the key. */
MUST_CHECK enum rc rows_seen(struct pico_engine *e, int64_t pico, struct str key, bool *ret,
                             struct err *err);

/* Whether a move of that name has arrived here. */
MUST_CHECK enum rc rows_arrived(struct pico_engine *e, struct str move, bool *ret, struct err *err);

/* --- move.c --- */

/* Those that were moving when the engine ended stand still. */
MUST_CHECK enum rc move_open(struct pico_engine *e, struct err *err);
/* Of OP_MOVED: what is left of a pico is where it went, and its events for there. */
MUST_CHECK enum rc move_leave(struct tx *tx, struct pico_engine *e, int64_t no,
                              const struct op *op);
/* An event for a pico that has gone meanwhile follows it; *ret: it does. */
MUST_CHECK enum rc move_redirect(struct tx *tx, struct pico_engine *e, const struct item *i,
                                 bool *ret);

/* A pico and all below it; they stand still. */
struct still {
    int64_t no;
    const int64_t *members; /* itself first */
    size_t n;
};
typedef enum rc (*still_fn)(struct pico_engine *e, const struct still *s, void *arg,
                            struct err *err);
/* Run fn while the pico with the id and all below it stand still, and all that they did is durable;
 * then they go on. RC_NOT_FOUND, RC_GONE; RC_CONFLICT: one of them moves, or one above;
 * RC_UNAVAILABLE: they do not come to rest. What fn returns. */
MUST_CHECK enum rc move_still(struct pico_engine *e, struct str id, still_fn fn, void *arg,
                              struct err *err);

/* --- timer.c --- */

/* Items for what is due; *ret_fired: how many. */
MUST_CHECK enum rc timer_poll(struct pico_engine *e, size_t *ret_fired, struct err *err);
void *timer_thread(void *arg);

/* Chance as an identifier: "c" and 24 of a-z0-9. */
void chance_eci(struct pico_engine *e, char text[ECI_N + 1]);

#endif
