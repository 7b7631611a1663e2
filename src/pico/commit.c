/*
 * Effects on their way to the disk. The changes of one activation are one unit of work of the
 * store. A commit is kept only if the one before it of the same pico is: the store's single writing
 * thread runs them in order, and is told through struct store_participant what became of each.
 */
#include "pico/inside.h"
#include "pico/outgoing.h"
#include "pico/usage.h"

#include <stdlib.h>

struct commit *commit_new(struct pico_engine *e, struct pico *p)
{
    struct commit *c = calloc(1, sizeof *c);
    ASSERT(c != NULL);
    arena_init(&c->arena, ARENA_COMMIT_BYTES);
    c->e = e;
    c->pico = p;
    atomic_init(&c->refs, 1);
    return c;
}

static void release(struct commit *c)
{
    if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    arena_fini(&c->arena);
    free(c);
}

void commit_drop(struct commit *c)
{
    if (c == NULL)
        return;
    for (struct op *op = c->first; op != NULL; op = op->next) {
        item_free(op->event);
        if (op->kind == OP_PICO)
            pico_free(op->born);
    }
    release(c);
}

struct op *commit_op(struct commit *c, enum op_kind kind, int64_t pico)
{
    struct op *op = NEW(&c->arena, struct op);
    op->kind = kind;
    op->pico = pico;
    if (c->last == NULL)
        c->first = op;
    else
        c->last->next = op;
    c->last = op;
    return op;
}

void commit_cell(struct commit *c, int64_t pico, const struct cell *cell)
{
    struct op *op = commit_op(c, cell->gone ? OP_DROP : OP_PUT, pico);
    op->cell = *cell;
    op->cell.name = arena_str(&c->arena, cell->name);
    op->cell.bytes = cell->gone ? STR("") : arena_str(&c->arena, cell->bytes);
}

/* --- on the writing thread --- */

static enum rc run(struct tx *tx, void *arg)
{
    struct commit *c = arg;
    c->kept = false;
    c->e->unit = c;
    if (c->before != NULL && !c->before->kept)
        return err_set(tx->err, RC_UNAVAILABLE, "Error: what came before could not be stored");
    if (atomic_load(&c->pico->dying) || atomic_load(&c->pico->gone))
        return err_set(tx->err, RC_NOT_FOUND, "Error: the pico is deleted");
    for (const struct op *op = c->first; op != NULL; op = op->next)
        TRY(rows_write(tx, c->e, op));
    if (c->account != 0)
        TRY(usage_events(tx, c->account, c->events));
    c->kept = true;
    c->batch = c->e->batch;
    c->e->batch = c;
    return RC_OK;
}

static enum rc batch_begin(void *arg, struct tx *tx)
{
    struct pico_engine *e = arg;
    (void)tx;
    e->batch = NULL;
    return RC_OK;
}

static void batch_keep(void *arg)
{
    struct pico_engine *e = arg;
    e->unit = NULL;
}

/* Who was dying for a unit of work that is undone lives on. unit NULL: for any. */
static void forget_dying(struct pico_engine *e, const struct commit *unit)
{
    pthread_mutex_lock(&e->lock);
    for (struct dying **at = &e->dying; *at != NULL;) {
        struct dying *d = *at;
        if (unit != NULL && d->unit != unit) {
            at = &d->next;
            continue;
        }
        struct pico *p = table_pico(e, d->no);
        if (p != NULL)
            p->dying = false;
        *at = d->next;
        free(d);
    }
    pthread_mutex_unlock(&e->lock);
}

static void batch_undo(void *arg)
{
    struct pico_engine *e = arg;
    if (e->unit == NULL)
        return;
    e->unit->kept = false;
    forget_dying(e, e->unit);
    e->unit = NULL;
}

static enum rc batch_before_commit(void *arg, struct tx *tx)
{
    (void)arg;
    (void)tx;
    return RC_OK;
}

/* With the lock: a pico is no more; what waits at it hears so. */
static void bury(struct pico_engine *e, int64_t no)
{
    struct pico *p = table_pico(e, no);
    if (p == NULL)
        return;
    p->dying = false;
    p->gone = true;
    if (p->resting)
        list_drop(p->wants_host != 0 ? &e->outside : &e->resting, p);
    p->resting = false;
    if (p->run == RUN_IDLE || p->run == RUN_PARKED) {
        p->run = RUN_IDLE;
        queue_settle(e, p);
    }
}

static void batch_committed(void *arg)
{
    struct pico_engine *e = arg;
    e->batch = NULL;
    pthread_mutex_lock(&e->lock);
    for (struct dying *d = e->dying, *next = NULL; d != NULL; d = next) {
        bury(e, d->no);
        next = d->next;
        free(d);
    }
    e->dying = NULL;
    pthread_mutex_unlock(&e->lock);
}

static void batch_rolled_back(void *arg)
{
    struct pico_engine *e = arg;
    for (struct commit *c = e->batch; c != NULL; c = c->batch)
        c->kept = false;
    e->batch = NULL;
    e->unit = NULL;
    forget_dying(e, NULL);
}

void commit_take_part(struct pico_engine *e)
{
    store_take_part(e->store, &(struct store_participant){.begin = batch_begin,
                                                          .keep = batch_keep,
                                                          .undo = batch_undo,
                                                          .before_commit = batch_before_commit,
                                                          .committed = batch_committed,
                                                          .rolled_back = batch_rolled_back,
                                                          .arg = e});
}

/* --- afterwards --- */

/* With the lock: what the commit sent goes to those who get it. */
static void deliver(struct commit *c, bool kept)
{
    struct pico_engine *e = c->e;
    for (struct op *op = c->first; op != NULL; op = op->next) {
        struct item *i = op->event;
        if (kept && op->kind == OP_OUTGOING)
            outgoing_wake(e);
        if (i == NULL)
            continue;
        op->event = NULL;
        if (kept && op->kind == OP_REMOTE)
            remote_wake(e, op->cell.name);
        if (!kept || op->kind == OP_ACCEPT || op->kind == OP_REMOTE || op->kind == OP_ASIDE) {
            item_free(i);
            continue;
        }
        e->counters.messages++;
        if (atomic_load(&e->emigrated))
            remote_wake_all(e); /* it may have followed the pico */
        queue_push(e, table_need(e, op->pico), i);
    }
}

/* With the lock. */
static void end_of(struct commit *c, struct pico *p, bool kept)
{
    ASSERT(p->pending > 0);
    p->pending--;
    if (p->tail == c)
        p->tail = NULL;
    p->broken = p->broken || !kept;
    if (p->run == RUN_PARKED && !p->resting && (p->pending == 0 || p->broken))
        p->run = RUN_IDLE;
    if (p->run == RUN_IDLE)
        queue_settle(c->e, p);
}

static void done(struct store_job *job, enum rc rc)
{
    struct commit *c = CONTAINER_OF(job, struct commit, job);
    struct pico_engine *e = c->e;
    bool kept = rc == RC_OK;
    pthread_mutex_lock(&e->lock);
    struct pico_request *requests = c->requests;
    deliver(c, kept);
    for (struct op *op = c->first; op != NULL; op = op->next)
        if (op->kind == OP_PICO)
            end_of(c, op->born, kept);
    for (const struct op *op = c->first; op != NULL; op = op->next)
        if (kept && op->kind == OP_PUT && op->cell.kind == CELL_SCHEDULE &&
            op->cell.number < e->next_due) {
            e->next_due = op->cell.number;
            pthread_cond_signal(&e->tick);
        }
    end_of(c, c->pico, kept);
    e->counters.commits += kept;
    pthread_mutex_unlock(&e->lock);
    if (!kept && e->o.log != NULL)
        log_event(e->o.log, LOG_ERROR, "pico.commit", LOG_S("error", err_text(&c->err)));
    for (struct pico_request *r = requests, *next = NULL; r != NULL; r = next) {
        next = r->next;
        if (kept)
            request_done(e, r, r->rc, &r->err);
        else
            request_done(e, r, rc == RC_FULL || rc == RC_NOT_FOUND ? rc : RC_UNAVAILABLE, &c->err);
    }
    struct commit *before = c->before;
    c->before = NULL;
    release(before);
    release(c);
    pthread_mutex_lock(&e->lock);
    e->commits--;
    pthread_cond_broadcast(&e->moved);
    pthread_mutex_unlock(&e->lock);
}

void commit_chain(struct commit *c)
{
    struct pico_engine *e = c->e;
    c->before = c->pico->tail;
    if (c->before != NULL)
        atomic_fetch_add(&c->before->refs, 1);
    c->pico->tail = c;
    c->pico->pending++;
    for (const struct op *op = c->first; op != NULL; op = op->next) {
        if (op->kind != OP_PICO)
            continue;
        op->born->pending++;
        op->born->tail = c;
        table_add(e, op->born);
        table_enter(e, op->born);
    }
    e->commits++;
}

void commit_send(struct commit *c)
{
    c->job =
        (struct store_job){.fn = run, .arg = c, .arena = &c->arena, .err = &c->err, .done = done};
    store_submit(c->e->store, &c->job);
}

void commit_submit(struct commit *c)
{
    pthread_mutex_lock(&c->e->lock);
    commit_chain(c);
    pthread_mutex_unlock(&c->e->lock);
    commit_send(c);
}
