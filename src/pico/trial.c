/*
 * Events at which the engine died. What an engine finds in its store when it starts was perhaps
 * begun by the one before, which did not live to the end of it. So such an event is counted,
 * durably, before it is begun; one that was counted before runs while no other such does, so that
 * the next death is the fault of one alone; and after PICO_TRIES_MAX it is set aside.
 *
 * An engine that is killed again and again from outside dies of no event, but each time there is
 * one in hand. So one that was counted before waits until the engine has lived for a while: who
 * kills it without regard to events hits, in all that time, hardly the moment of that one, and an
 * event that kills it does so at once.
 */
#include "pico/trial.h"
#include "pico/inside.h"

/* --- before it runs --- */

static const int64_t calm_us[PICO_TRIES_MAX] = {0, PICO_CALM_US, PICO_CALM_MAX_US};

struct counting {
    const struct pico *p;
    const struct item *i;
    int64_t tries;
};

static enum rc read_tries(struct tx *tx, void *arg)
{
    struct counting *c = arg;
    struct rows rows;
    if (c->i->kind == ITEM_STORED)
        TRY(sql_rows(tx, &rows, "SELECT tries FROM pico_event WHERE no = $1", V(c->i->row)));
    else
        TRY(sql_rows(tx, &rows, "SELECT tries FROM pico_schedule WHERE pico = $1 AND id = $2",
                     V(c->p->no), V(c->i->name)));
    c->tries = rows.count > 0 ? row_int(&rows, 0, 0) : 0;
    return RC_OK;
}

/* From before this engine's start: of an event its number tells, of a schedule when it was due. */
static bool may_be_suspect(const struct pico_engine *e, const struct item *i)
{
    return (i->kind == ITEM_STORED && i->row <= e->old_row) || (i->kind == ITEM_SCHEDULE && i->old);
}

static enum rc count_tries(struct pico_engine *e, struct counting *c, struct err *err)
{
    struct arena arena;
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_read(e->store, &arena, err, read_tries, c);
    arena_fini(&arena);
    return rc;
}

static void count_one(struct pico_engine *e, struct pico *p, const struct item *i)
{
    struct commit *c = commit_new(e, p);
    struct op *op = commit_op(c, OP_TRY, p->no);
    op->row = i->row;
    op->cell.name = i->kind == ITEM_SCHEDULE ? arena_str(&c->arena, i->name) : STR("");
    commit_submit(c);
}

bool trial_may_begin(const struct pico_engine *e, const struct item *i)
{
    int64_t lived = clock_steady(e->clock) - e->started_steady;
    return !e->trial && (i->tries >= PICO_TRIES_MAX || lived >= calm_us[i->tries]);
}

/* Whether it is the one on trial now. */
static bool take_turn(struct pico_engine *e, struct item *i)
{
    pthread_mutex_lock(&e->lock);
    if (!i->on_trial && trial_may_begin(e, i)) {
        i->on_trial = true;
        e->trial = true;
    }
    pthread_mutex_unlock(&e->lock);
    return i->on_trial;
}

/* With i->tries. False: the store does not answer. */
static bool know_tries(struct pico_engine *e, struct pico *p, struct item *i)
{
    struct counting c = {.p = p, .i = i};
    struct err err;
    if (i->tries_known)
        return true;
    if (count_tries(e, &c, &err) != RC_OK) {
        pthread_mutex_lock(&e->lock);
        p->broken = true;
        pthread_mutex_unlock(&e->lock);
        return false;
    }
    i->tries = c.tries;
    i->tries_known = true;
    return true;
}

bool trial_pass(struct pico_engine *e, struct pico *p, struct item *i, enum outcome *ret)
{
    if (i->tried || !may_be_suspect(e, i))
        return true;
    if (!know_tries(e, p, i)) {
        *ret = OUT_BROKEN;
        return false;
    }
    if (i->tries > 0 && i->tries < PICO_TRIES_MAX && !take_turn(e, i)) {
        *ret = OUT_REST;
        return false;
    }
    i->tried = true;
    i->condemned = i->tries >= PICO_TRIES_MAX;
    if (i->condemned)
        return true;
    count_one(e, p, i);
    *ret = OUT_SETTLE; /* it runs when the count is durable */
    return false;
}

void trial_over(struct pico_engine *e, struct item *i)
{
    if (!i->on_trial)
        return;
    i->on_trial = false;
    e->trial = false;
    queue_wake(e);
}

/* --- rows --- */

enum rc trial_count(struct tx *tx, const struct op *op)
{
    if (op->cell.name.n == 0)
        return sql_run(tx, "UPDATE pico_event SET tries = tries + 1 WHERE no = $1", V(op->row));
    return sql_run(tx, "UPDATE pico_schedule SET tries = tries + 1 WHERE pico = $1 AND id = $2",
                   V(op->pico), V(op->cell.name));
}

enum rc trial_put_aside(struct tx *tx, int64_t pico, const struct item *i)
{
    return sql_run(tx,
                   "INSERT INTO pico_aside (no, pico, eci, eid, domain, name, attrs, sender, hops, "
                   "at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                   V(i->row), V(pico), V(i->eci), V(i->eid), V(i->domain), V(i->name), V(i->attrs),
                   V(i->sender == 0 ? SQL_NULL : value_int(i->sender)), V(i->hops), V(tx->now));
}

/* --- for the owner --- */

enum rc pico_aside_list(struct tx *tx, struct str id, struct json_writer *w)
{
    static const char *const names[] = {"eid", "domain", "name", "attrs"};
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT no FROM pico WHERE id = $1", V(id)));
    if (r.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no pico '%.*s'", STRF(id));
    TRY(sql_rows(tx, &r,
                 "SELECT eid, domain, name, attrs, no, at FROM pico_aside WHERE pico = $1 ORDER BY "
                 "no LIMIT $2",
                 V(row_int(&r, 0, 0)), V(PICO_ASIDE_LIST_MAX)));
    json_begin_object(w);
    json_put_key(w, STR("items"));
    json_begin_array(w);
    for (size_t i = 0; i < r.count; i++) {
        char since[TIME_TEXT_MAX];
        json_begin_object(w);
        json_put_key(w, STR("no"));
        json_put_i64(w, row_int(&r, i, 4));
        for (size_t k = 0; k < COUNT(names); k++) {
            json_put_key(w, str_c(names[k]));
            json_put_str(w, row_str(&r, i, k));
        }
        json_put_key(w, STR("since"));
        json_put_str(w, str_n(since, time_format(row_int(&r, i, 5), since)));
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
    return RC_OK;
}

struct ending {
    struct pico_engine *e;
    struct str id;
    int64_t no;
    int64_t pico;
    bool again;
};

static enum rc end_aside(struct tx *tx, void *arg)
{
    struct ending *t = arg;
    struct rows r;
    TRY(sql_rows(tx, &r,
                 "SELECT p.no FROM pico p JOIN pico_aside a ON a.pico = p.no WHERE p.id = $1 AND "
                 "a.no = $2",
                 V(t->id), V(t->no)));
    if (r.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "no event %lld is set aside at pico '%.*s'",
                       (long long)t->no, STRF(t->id));
    t->pico = row_int(&r, 0, 0);
    if (t->again)
        TRY(sql_run(tx,
                    "INSERT INTO pico_event (no, pico, eci, eid, domain, name, attrs, sender, "
                    "hops) SELECT CAST($1 AS BIGINT), pico, eci, eid, domain, name, attrs, sender, "
                    "hops FROM "
                    "pico_aside WHERE no = $2",
                    V((int64_t)atomic_fetch_add(&t->e->next_row, 1)), V(t->no)));
    return sql_run(tx, "DELETE FROM pico_aside WHERE no = $1", V(t->no));
}

/* It stands still meanwhile, so that no move leaves the event behind. */
static enum rc end_still(struct pico_engine *e, const struct still *s, void *arg, struct err *err)
{
    struct arena arena;
    struct ending *t = arg;
    (void)s;
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_write(e->store, &arena, err, end_aside, t);
    arena_fini(&arena);
    if (rc != RC_OK || !t->again)
        return rc;
    pthread_mutex_lock(&e->lock);
    struct pico *p = table_need(e, t->pico);
    p->reread = true;
    if (p->run == RUN_IDLE)
        queue_settle(e, p);
    pthread_mutex_unlock(&e->lock);
    return RC_OK;
}

enum rc pico_aside_again(struct pico_engine *e, struct str id, int64_t no, struct err *err)
{
    struct ending t = {.e = e, .id = id, .no = no, .again = true};
    return move_still(e, id, end_still, &t, err);
}

enum rc pico_aside_drop(struct pico_engine *e, struct str id, int64_t no, struct err *err)
{
    struct ending t = {.e = e, .id = id, .no = no};
    return move_still(e, id, end_still, &t, err);
}
