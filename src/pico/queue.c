/*
 * What waits at a pico, and who does it. A pico with work is in the list of its lane; a thread
 * takes it from there, does a few things and puts it back behind the others, so that nobody is kept
 * waiting by a neighbour's long queue.
 */
#include "pico/inside.h"
#include "pico/trial.h"

#include <stdlib.h>

enum {
    TURN_ITEMS = 16,
    TURN_STEPS = PICO_STEPS_FAST,
    NEW_MAX = 10000,
    HERE_LOOKS = 2000, /* some microseconds: less than handing it over costs */
};

/* --- items --- */

static struct str put(char **at, struct str s)
{
    char *p = *at;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    *at += s.n;
    return str_n(p, s.n);
}

struct item *item_new(enum item_kind kind, struct str eci, struct str eid,
                      const struct str event[2], struct str attrs)
{
    struct item *i = malloc(sizeof *i + eci.n + eid.n + event[0].n + event[1].n + attrs.n + 1);
    ASSERT(i != NULL);
    char *at = (char *)(i + 1);
    *i = (struct item){.kind = kind};
    i->eci = put(&at, eci);
    i->eid = put(&at, eid);
    i->domain = put(&at, event[0]);
    i->name = put(&at, event[1]);
    i->attrs = put(&at, attrs);
    return i;
}

void item_free(struct item *i)
{
    if (i != NULL)
        outside_forget(i);
    free(i);
}

/* With the lock. */
static void append(struct pico_engine *e, struct pico *p, struct item *i)
{
    i->next = NULL;
    if (p->last == NULL)
        p->first = i;
    else
        p->last->next = i;
    p->last = i;
    p->waiting++;
    e->queued++;
}

/* With the lock: take an item out, wherever it is. */
static void take_out(struct pico_engine *e, struct pico *p, struct item *i)
{
    struct item *before = NULL;
    for (struct item **at = &p->first; *at != NULL; at = &(*at)->next) {
        if (*at == i) {
            *at = i->next;
            if (p->last == i)
                p->last = before;
            p->waiting--;
            e->queued--;
            trial_over(e, i);
            return;
        }
        before = *at;
    }
    NEVER("the item is in the queue");
}

/* --- where a pico is --- */

static bool wants_slow(const struct pico *p, const struct item *i)
{
    return i->slow || p->heavy > 0;
}

/* With the lock: ready for a thread. */
static void make_ready(struct pico_engine *e, struct pico *p)
{
    ASSERT(p->run == RUN_IDLE);
    if (p->listed)
        list_drop(&e->idle, p);
    p->listed = false;
    p->lane = wants_slow(p, p->first) ? LANE_SLOW : LANE_FAST;
    p->run = RUN_READY;
    list_add(&e->ready[p->lane], p);
    pthread_cond_signal(&e->work[p->lane]);
    pthread_cond_broadcast(&e->moved); /* who asks this pico may run it */
}

/* What has a row comes from there again: this order is not to be trusted any more. */
static void drop_stored(struct pico_engine *e, struct pico *p)
{
    for (struct item *i = p->first, *next = NULL; i != NULL; i = next) {
        next = i->next;
        if (i->kind != ITEM_STORED)
            continue;
        take_out(e, p, i);
        item_free(i);
    }
}

/* Until something that is not its own is over. */
static void park(struct pico_engine *e, struct pico *p)
{
    p->resting = true;
    p->run = RUN_PARKED;
    list_add(p->wants_host != 0 ? &e->outside : &e->resting, p);
}

/* After a commit that failed: forget what is in memory, and wait a moment. */
static void rest(struct pico_engine *e, struct pico *p)
{
    table_unload(e, p);
    drop_stored(e, p);
    p->broken = false;
    p->reread = true;
    p->wants_host = 0;
    park(e, p);
}

static void make_idle(struct pico_engine *e, struct pico *p)
{
    if (!p->loaded) {
        table_forget(e, p);
        return;
    }
    if (p->listed)
        list_drop(&e->idle, p);
    list_add(&e->idle, p);
    p->listed = true;
    while (e->idle.n > 0 && e->loaded > e->o.loaded_max) {
        struct pico *oldest = e->idle.first;
        list_drop(&e->idle, oldest);
        oldest->listed = false;
        table_forget(e, oldest);
    }
}

void queue_settle(struct pico_engine *e, struct pico *p)
{
    ASSERT(p->run == RUN_IDLE);
    if (p->listed)
        list_drop(&e->idle, p);
    p->listed = false;
    if (p->broken && !p->gone) {
        p->run = RUN_PARKED;
        if (p->pending == 0)
            rest(e, p);
        return;
    }
    /* What comes waits, also where it is gone: until readers of the store see that. */
    if (!p->held && (p->first != NULL || (p->reread && !p->gone))) {
        if (p->first == NULL) {
            p->run = RUN_READY;
            p->lane = LANE_FAST;
            list_add(&e->ready[LANE_FAST], p);
            pthread_cond_signal(&e->work[LANE_FAST]);
            return;
        }
        make_ready(e, p);
        return;
    }
    if (p->pending > 0 || p->pins > 0)
        return;
    if (p->gone)
        table_forget(e, p);
    else
        make_idle(e, p);
}

void queue_wake(struct pico_engine *e)
{
    while (e->resting.first != NULL) {
        struct pico *p = e->resting.first;
        list_drop(&e->resting, p);
        p->resting = false;
        p->run = RUN_IDLE;
        queue_settle(e, p);
    }
}

void queue_wake_outside(struct pico_engine *e)
{
    struct pico *p = e->outside.first;
    while (p != NULL && !away_has_room(e, p))
        p = p->after;
    if (p == NULL)
        return;
    list_drop(&e->outside, p);
    p->resting = false;
    p->wants_host = 0;
    p->run = RUN_IDLE;
    queue_settle(e, p);
}

void queue_push(struct pico_engine *e, struct pico *p, struct item *i)
{
    append(e, p, i);
    if (p->run == RUN_IDLE)
        queue_settle(e, p);
}

/* --- answers --- */

void request_done(struct pico_engine *e, struct pico_request *r, enum rc rc, const struct err *err)
{
    r->rc = rc;
    if (err != NULL && err != &r->err)
        r->err = *err;
    if (rc != RC_OK) {
        pthread_mutex_lock(&e->lock);
        e->counters.errors++;
        pthread_mutex_unlock(&e->lock);
    }
    r->done(r);
}

void request_hold(struct pico_request *r)
{
    void (*hold)(struct pico_request * r) = r->hold;
    r->hold = NULL;
    if (hold != NULL)
        hold(r);
}

static void refuse(struct pico_engine *e, struct pico_request *r, enum rc rc, const char *format,
                   struct str what)
{
    struct err err;
    pthread_mutex_lock(&e->lock);
    e->counters.refused++;
    pthread_mutex_unlock(&e->lock);
    err_clear(&err);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    err_write(&err, rc, format, STRF(what));
#pragma GCC diagnostic pop
    request_done(e, r, rc, &err);
}

/* There is no such channel here; it may have moved. */
static void refuse_unknown(struct pico_engine *e, struct pico_request *r)
{
    struct err err;
    enum rc rc = remote_moved(e, r->eci, r->arena, &r->moved_to, &err);
    if (rc != RC_OK)
        request_done(e, r, RC_UNAVAILABLE, &err);
    else
        refuse(e, r, RC_NOT_FOUND, "Error: ECI not found %.*s", r->eci);
}

/* --- coming in --- */

static void run_turn(struct pico_engine *e, struct pico *p, enum lane lane, const bool *until,
                     int depth);

/* With the lock, which is given up meanwhile: another socket's thread does one thing at the pico,
 * and is soon through; to wait for it costs less than to hold the request and wake a thread. */
static void wait_here(struct pico_engine *e, struct pico *p)
{
    p->pins++;
    pthread_mutex_unlock(&e->lock);
    for (int i = 0; i < HERE_LOOKS && atomic_load_explicit(&p->here, memory_order_relaxed); i++)
        continue;
    pthread_mutex_lock(&e->lock);
    p->pins--;
}

/* With the lock: whether the next item may be done by the thread that brings it. */
static bool is_free(const struct pico *p)
{
    return p->run == RUN_IDLE && p->loaded && p->first == NULL && p->heavy == 0 && !p->broken &&
           !p->reread && !p->gone && !p->dying && !p->held;
}

/* With the lock, which is given up. */
static void run_here(struct pico_engine *e, struct pico *p, struct item *i)
{
    if (p->listed)
        list_drop(&e->idle, p);
    p->listed = false;
    p->run = RUN_RUNNING;
    atomic_store(&p->here, true);
    append(e, p, i);
    run_turn(e, p, LANE_HERE, NULL, 0);
    pthread_mutex_unlock(&e->lock);
}

/* How many may wait where the request is the next: whose pico is flooded can still end that. */
static size_t most_waiting(const struct pico_request *r)
{
    bool order = r->ask == PICO_INSTALL || r->ask == PICO_UNINSTALL || r->ask == PICO_DELETE;
    return PICO_QUEUE_MAX + (order && r->inside ? PICO_ORDERS_MAX : 0);
}

/* All that waits where nothing will be done before the engine ends. */
static void refuse_waiting(struct pico_engine *e, struct pico_request *first)
{
    struct err err;
    err_clear(&err);
    err_write(&err, RC_UNAVAILABLE, "Error: the engine ends");
    for (struct pico_request *r = first, *next = NULL; r != NULL; r = next) {
        next = r->next;
        request_done(e, r, RC_UNAVAILABLE, &err);
    }
}

/* With the lock: the requests that wait at one that stands still come before first. */
static struct pico_request *take_requests(struct pico_engine *e, struct pico *p,
                                          struct pico_request *first)
{
    for (struct item *i = p->first, *next = NULL; i != NULL; i = next) {
        next = i->next;
        if (i->kind != ITEM_REQUEST)
            continue;
        struct pico_request *r = i->request;
        take_out(e, p, i);
        item_free(i);
        r->next = first;
        first = r;
    }
    return first;
}

void pico_engine_leave(struct pico_engine *e)
{
    struct pico_request *first = NULL;
    if (e == NULL)
        return;
    pthread_mutex_lock(&e->lock);
    e->leaving = true;
    for (size_t i = 0; i <= e->picos_mask && e->picos != NULL; i++)
        for (struct pico *p = e->picos[i]; p != NULL; p = p->chain)
            if (p->held && p->run != RUN_RUNNING)
                first = take_requests(e, p, first);
    pthread_mutex_unlock(&e->lock);
    refuse_waiting(e, first);
}

/* With the lock, which is given up: the request goes to its pico. */
static void admit(struct pico_engine *e, struct pico_request *r, int64_t no)
{
    const struct str none[2] = {STR(""), STR("")};
    struct pico *p = table_need(e, no);
    if (r->hold != NULL && atomic_load(&p->here) && p->waiting <= 1)
        wait_here(e, p);
    if (e->leaving && p->held) {
        pthread_mutex_unlock(&e->lock);
        r->next = NULL;
        refuse_waiting(e, r);
        return;
    }
    if (p->waiting + p->pending >= most_waiting(r)) {
        if (p->run == RUN_IDLE)
            queue_settle(e, p);
        pthread_mutex_unlock(&e->lock);
        refuse(e, r, RC_TOO_MANY, "Error: too much waits at the pico of ECI %.*s", r->eci);
        return;
    }
    struct item *i = item_new(ITEM_REQUEST, STR(""), STR(""), none, STR(""));
    i->request = r;
    if (r->hold != NULL && is_free(p)) {
        run_here(e, p, i);
        return;
    }
    request_hold(r);
    queue_push(e, p, i);
    pthread_mutex_unlock(&e->lock);
}

void pico_submit(struct pico_engine *e, struct pico_request *r)
{
    r->rc = RC_OK;
    r->next = NULL;
    r->reply = STR("");
    r->moved_to = STR("");
    r->undefined = false;
    err_clear(&r->err);
    pthread_mutex_lock(&e->lock);
    const struct eci_node *node = table_eci(e, r->eci);
    if (node != NULL) {
        admit(e, r, node->pico);
        return;
    }
    if (e->new_n >= NEW_MAX) {
        pthread_mutex_unlock(&e->lock);
        refuse(e, r, RC_TOO_MANY, "Error: too many requests%.*s", STR(""));
        return;
    }
    request_hold(r);
    if (e->new_last == NULL)
        e->new_first = r;
    else
        e->new_last->next = r;
    e->new_last = r;
    e->new_n++;
    pthread_cond_signal(&e->work[LANE_FAST]);
    pthread_mutex_unlock(&e->lock);
}

/* With the lock, which is given up meanwhile: find the pico of a new request. */
static void take_new(struct pico_engine *e)
{
    struct pico_request *r = e->new_first;
    struct eci_node node = {.pico = 0};
    bool found = false;
    struct err err;
    e->new_first = r->next;
    if (e->new_first == NULL)
        e->new_last = NULL;
    e->new_n--;
    r->next = NULL;
    pthread_mutex_unlock(&e->lock);
    enum rc rc = rows_eci(e, r->eci, &node, &found, &err);
    if (rc != RC_OK) {
        request_done(e, r, RC_UNAVAILABLE, &err);
    } else if (!found) {
        refuse_unknown(e, r);
    } else {
        pthread_mutex_lock(&e->lock);
        admit(e, r, node.pico);
    }
    pthread_mutex_lock(&e->lock);
}

/* --- working --- */

/* All that waits at a pico that was deleted. */
static void answer_gone(struct pico_engine *e, struct pico *p)
{
    pthread_mutex_lock(&e->lock);
    struct item *first = p->first;
    e->queued -= p->waiting;
    p->first = NULL;
    p->last = NULL;
    p->waiting = 0;
    pthread_mutex_unlock(&e->lock);
    for (struct item *i = first, *next = NULL; i != NULL; i = next) {
        next = i->next;
        pthread_mutex_lock(&e->lock);
        trial_over(e, i);
        pthread_mutex_unlock(&e->lock);
        if (i->kind == ITEM_REQUEST)
            refuse_unknown(e, i->request);
        item_free(i);
    }
}

/* Read the pico where it is not in memory. False: it is gone, or cannot be read now. */
static bool load(struct pico_engine *e, struct pico *p)
{
    struct err err;
    enum rc rc = p->loaded ? RC_OK : rows_load(e, p, &err);
    pthread_mutex_lock(&e->lock);
    if (rc == RC_OK && !p->loaded)
        table_enter(e, p);
    bool reread = p->reread && !p->suspended;
    p->reread = false;
    p->aside = reread ? 0 : p->aside;
    p->gone = p->gone || rc == RC_NOT_FOUND;
    p->broken = p->broken || (rc != RC_OK && rc != RC_NOT_FOUND);
    pthread_mutex_unlock(&e->lock);
    if (rc == RC_OK && reread)
        rc = rows_events(e, p, &err);
    if (rc == RC_OK)
        return true;
    if (rc != RC_NOT_FOUND && e->o.log != NULL)
        log_event(e->o.log, LOG_ERROR, "pico.load", LOG_S("error", err_text(&err)));
    pthread_mutex_lock(&e->lock);
    p->broken = p->broken || rc != RC_NOT_FOUND;
    pthread_mutex_unlock(&e->lock);
    return false;
}

static struct item *stored_copy(const struct pico_request *r, struct str eid, int64_t row)
{
    const struct str event[2] = {r->domain, r->name};
    struct item *i = item_new(ITEM_STORED, r->eci, eid, event, r->attrs);
    i->row = row;
    i->hops = r->hops;
    i->slow = true;
    return i;
}

/* An event that will take long is kept in the store, and answered as soon as it is there. */
static void accept(struct pico_engine *e, struct pico *p, struct item *i)
{
    struct pico_request *r = i->request;
    char made[ECI_N + 1];
    struct str eid = r->eid;
    if (eid.n == 0) {
        chance_eci(e, made);
        eid = str_c(made);
    }
    r->reply = arena_fmt(r->arena, "\"%.*s\"", STRF(eid));
    int64_t row = atomic_fetch_add(&e->next_row, 1);
    struct commit *c = commit_new(e, p);
    commit_op(c, OP_ACCEPT, p->no)->event = stored_copy(r, eid, row);
    if (r->key.n > 0)
        commit_op(c, OP_SEEN, p->no)->cell.name = arena_str(&c->arena, r->key);
    c->requests = r;
    request_hold(r);
    struct item *kept = stored_copy(r, eid, row);
    pthread_mutex_lock(&e->lock);
    ASSERT(p->first == i);
    kept->next = i->next;
    p->first = kept;
    if (p->last == i)
        p->last = kept;
    commit_chain(c);
    pthread_mutex_unlock(&e->lock);
    commit_send(c);
    item_free(i);
}

static void weigh(struct pico *p, enum outcome out)
{
    if (out == OUT_SLOW && p->steps >= PICO_STEPS_FAST / 2)
        p->heavy = HEAVY;
    else if (out == OUT_DONE && p->steps < PICO_STEPS_HERE && p->heavy > 0)
        p->heavy--;
}

/* With the lock: what becomes of the pico after one item. False: this turn is over. */
static bool after(struct pico_engine *e, struct pico *p, struct item *i, enum outcome out)
{
    weigh(p, out);
    if (out != OUT_DONE && i->kind == ITEM_REQUEST)
        request_hold(i->request);
    switch (out) {
    case OUT_DONE:
        take_out(e, p, i);
        item_free(i);
        pthread_cond_broadcast(&e->moved);
        return true;
    case OUT_FAST:
        return true;
    case OUT_SLOW:
        i->slow = true;
        e->counters.slow++;
        return true;
    case OUT_SETTLE:
        if (p->pending == 0 || p->broken)
            return true;
        p->run = RUN_PARKED;
        return false;
    case OUT_BROKEN:
        return true;
    case OUT_REST:
        if (p->wants_host != 0 ? away_has_room(e, p) : trial_may_begin(e, i)) { /* by now */
            p->wants_host = 0;
            return true;
        }
        park(e, p);
        return false;
    }
    NEVER("an outcome is one of these");
}

/* With the lock: what has a row waits there until the pico is resumed. */
static void set_aside(struct pico_engine *e, struct pico *p)
{
    for (struct item *i = p->first, *next = NULL; i != NULL; i = next) {
        next = i->next;
        if (i->kind == ITEM_REQUEST)
            continue;
        p->aside += i->kind == ITEM_STORED;
        take_out(e, p, i);
        item_free(i);
    }
}

/* An event whose sender waits for no more than that it is kept. */
static bool may_accept(const struct item *i)
{
    return i->kind == ITEM_REQUEST && i->request->ask == PICO_EVENT && !i->request->inside &&
           i->request->eid.n <= WORD_MAX;
}

/* With the lock, which is given up meanwhile: do what waits at a pico that this thread has taken.
 * until: stop when it is true. */
static void run_turn(struct pico_engine *e, struct pico *p, enum lane lane, const bool *until,
                     int depth)
{
    int64_t steps = 0;
    int items = lane == LANE_HERE ? 1 : TURN_ITEMS;
    for (int n = 0;; n++) {
        if (p->loaded && p->suspended)
            set_aside(e, p);
        struct item *i = p->first;
        bool over = n >= items || steps >= TURN_STEPS || (until != NULL && *until) || p->held;
        bool wrong_lane = i != NULL && wants_slow(p, i) && lane != LANE_SLOW;
        if (!p->gone && (over || wrong_lane || p->broken || (i == NULL && !p->reread)))
            break;
        if (p->gone && i == NULL)
            break;
        pthread_mutex_unlock(&e->lock);
        if (p->gone) {
            answer_gone(e, p);
            pthread_mutex_lock(&e->lock);
            continue;
        }
        if ((!p->loaded || p->reread) && (!load(e, p) || i == NULL)) {
            pthread_mutex_lock(&e->lock);
            continue;
        }
        ASSERT(i != NULL); /* a pico without items is only read again */
        enum outcome out = activation_item(e, p, i, lane, depth);
        steps += p->steps;
        if (out == OUT_SLOW && may_accept(i)) {
            accept(e, p, i);
            i = p->first;
        }
        pthread_mutex_lock(&e->lock);
        atomic_store(&p->here, false);
        if (!after(e, p, i, out))
            return;
    }
    atomic_store(&p->here, false);
    p->run = RUN_IDLE;
    queue_settle(e, p);
    pthread_cond_broadcast(&e->moved);
}

bool queue_work(struct pico_engine *e, enum lane lane)
{
    if (lane == LANE_FAST && e->new_first != NULL) {
        take_new(e);
        return true;
    }
    struct pico *p = e->ready[lane].first;
    if (p == NULL)
        return false;
    list_drop(&e->ready[lane], p);
    p->run = RUN_RUNNING;
    e->running++;
    run_turn(e, p, lane, NULL, 0);
    e->running--;
    pthread_cond_broadcast(&e->moved);
    return true;
}

/* --- asking another pico --- */

struct ask {
    struct pico_engine *e;
    bool done; /* with the lock */
};

static void ask_done(struct pico_request *r)
{
    struct ask *ask = r->inner;
    pthread_mutex_lock(&ask->e->lock);
    ask->done = true;
    pthread_cond_broadcast(&ask->e->moved);
    pthread_mutex_unlock(&ask->e->lock);
}

static bool waits_for(const struct pico *p, const struct pico *wanted)
{
    for (; p != NULL; p = p->waits_for)
        if (p == wanted)
            return true;
    return false;
}

/* With the lock: the item of the request, where it still waits at the pico or runs there. */
static struct item *item_of(const struct pico *p, const struct pico_request *r)
{
    struct item *i = p->first;
    while (i != NULL && i->request != r)
        i = i->next;
    return i;
}

/* With the lock, which is given up meanwhile: until the answer is there, or cannot come. */
static void wait_answer(struct pico_engine *e, struct pico *asking, struct pico *p,
                        struct pico_request *r, int depth)
{
    const struct ask *ask = r->inner;
    while (!ask->done) {
        struct item *i = item_of(p, r);
        if (i != NULL && waits_for(p, asking)) {
            take_out(e, p, i);
            item_free(i);
            r->rc = err_set(&r->err, RC_CONFLICT, "Error: deadlock: pico is waiting for itself");
            return;
        }
        if (i != NULL && p->held && asking->held && !p->gone) {
            take_out(e, p, i);
            item_free(i);
            r->rc = err_set(&r->err, RC_RETRY, "Error: the pico stands still");
            return;
        }
        asking->waits_for = i != NULL ? p : NULL;
        if (i == NULL || p->run != RUN_READY) {
            e->slow_busy--; /* not its processor's time: who was away may run */
            pthread_cond_signal(&e->back);
            pthread_cond_wait(&e->moved, &e->lock);
            e->slow_busy++;
            continue;
        }
        list_drop(&e->ready[p->lane], p);
        p->run = RUN_RUNNING;
        run_turn(e, p, LANE_SLOW, &ask->done, depth);
    }
}

void queue_ask(struct pico_engine *e, struct pico *asking, struct pico_request *r, int64_t sender,
               int depth)
{
    const struct str none[2] = {STR(""), STR("")};
    struct ask ask = {.e = e};
    struct eci_node node = {.pico = 0};
    bool found = false;
    r->rc = RC_OK;
    r->done = ask_done;
    r->inner = &ask;
    err_clear(&r->err);
    pthread_mutex_lock(&e->lock);
    const struct eci_node *known = table_eci(e, r->eci);
    if (known != NULL)
        node = *known;
    pthread_mutex_unlock(&e->lock);
    if (known == NULL) {
        r->rc = rows_eci(e, r->eci, &node, &found, &r->err);
        if (r->rc == RC_OK && !found)
            r->rc = remote_moved(e, r->eci, r->arena, &r->moved_to, &r->err);
        if (r->rc == RC_OK && !found)
            r->rc = err_set(&r->err, RC_NOT_FOUND, "Error: ECI not found %.*s", STRF(r->eci));
        if (r->rc != RC_OK)
            return;
    }
    pthread_mutex_lock(&e->lock);
    struct pico *p = table_need(e, node.pico);
    p->pins++;
    if (p->waiting + p->pending >= PICO_QUEUE_MAX) {
        r->rc = err_set(&r->err, RC_TOO_MANY, "Error: too much waits at the pico of ECI %.*s",
                        STRF(r->eci));
    } else {
        struct item *i = item_new(ITEM_REQUEST, STR(""), STR(""), none, STR(""));
        i->request = r;
        i->sender = sender;
        queue_push(e, p, i);
        wait_answer(e, asking, p, r, depth);
        asking->waits_for = NULL;
    }
    p->pins--;
    if (p->run == RUN_IDLE)
        queue_settle(e, p);
    pthread_mutex_unlock(&e->lock);
}
