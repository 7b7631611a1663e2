/* The steps of a move on the engine that is left; those of the other one are in import.c. */
#include "pico/move.h"

#include "pico/inside.h"

#include <time.h>

enum { FAMILY_ARENA = 256 * 1024 * 1024, LEVELS_MAX = 1000 * 1000 };

#define REST_US (10 * US_PER_SECOND) /* until all have come to rest */

/* --- the family --- */

struct member {
    struct member *next;
    int64_t no;
};

struct family {
    struct arena arena;
    struct member *first;
    struct member **last;
    int64_t root;
};

static void family_init(struct family *f, int64_t root)
{
    *f = (struct family){.root = root};
    arena_init(&f->arena, FAMILY_ARENA);
}

static enum rc add_member(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct family *f = arg;
    (void)tx;
    ASSERT(columns == 1);
    struct member *m = NEW(&f->arena, struct member);
    m->no = v[0].number;
    *f->last = m;
    f->last = &m->next;
    return RC_OK;
}

static enum rc read_family(struct tx *tx, void *arg)
{
    struct family *f = arg;
    arena_reset(&f->arena); /* a read may run again */
    f->first = NEW(&f->arena, struct member);
    f->first->no = f->root;
    f->last = &f->first->next;
    for (const struct member *m = f->first; m != NULL; m = m->next)
        TRY(sql_each(tx, add_member, f, "SELECT no FROM pico WHERE parent = $1 ORDER BY no",
                     V(m->no)));
    return RC_OK;
}

static enum rc family_read(struct pico_engine *e, struct family *f, struct err *err)
{
    struct arena arena;
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_read(e->store, &arena, err, read_family, f);
    arena_fini(&arena);
    return rc;
}

/* --- standing still --- */

/* With the lock. True: it did not stand still before. */
static bool hold_one(struct pico_engine *e, int64_t no)
{
    struct pico *p = table_need(e, no);
    if (p->held)
        return false;
    p->held = true;
    p->pins++;
    if (p->run == RUN_READY) {
        list_drop(&e->ready[p->lane], p);
        p->run = RUN_IDLE;
    }
    if (p->run == RUN_IDLE)
        queue_settle(e, p);
    return true;
}

/* With the lock. */
static void release_one(struct pico_engine *e, struct pico *p)
{
    if (p == NULL || !p->held)
        return;
    p->held = false;
    p->pins--;
    if (p->run == RUN_IDLE)
        queue_settle(e, p);
}

/* With the lock. */
static void release_all(struct pico_engine *e, const struct family *f)
{
    for (const struct member *m = f->first; m != NULL; m = m->next)
        release_one(e, table_pico(e, m->no));
}

/* With the lock: those that went before all stood still are nobody's any more. */
static void release_gone(struct pico_engine *e, const struct family *f)
{
    for (const struct member *m = f->first; m != NULL; m = m->next) {
        struct pico *p = table_pico(e, m->no);
        if (p != NULL && p->gone)
            release_one(e, p);
    }
}

/* With the lock. */
static bool is_at_rest(struct pico_engine *e, const struct family *f)
{
    for (const struct member *m = f->first; m != NULL; m = m->next) {
        const struct pico *p = table_pico(e, m->no);
        if (p != NULL && (p->run == RUN_RUNNING || p->pending > 0))
            return false;
    }
    return true;
}

/* With the lock, which is given up meanwhile. False: it takes too long. */
static bool wait_rest(struct pico_engine *e, const struct family *f, time_us until)
{
    struct timespec soon;
    pthread_cond_broadcast(&e->moved); /* who asks one that stands still hears of it */
    while (!is_at_rest(e, f)) {
        if (clock_steady(e->clock) >= until)
            return false;
        clock_gettime(CLOCK_MONOTONIC, &soon);
        soon.tv_sec++;
        /* Late or early: it looks again. */
        (void)pthread_cond_clockwait(&e->moved, &e->lock, CLOCK_MONOTONIC, &soon);
    }
    return true;
}

/* With the lock: all that do not stand still yet do, and are added to ret_held; false: there was
 * none. */
static bool hold_more(struct pico_engine *e, const struct family *f, struct family *ret_held)
{
    bool more = false;
    for (const struct member *m = f->first; m != NULL; m = m->next) {
        if (!hold_one(e, m->no))
            continue;
        more = true;
        struct member *one = NEW(&ret_held->arena, struct member);
        one->no = m->no;
        one->next = ret_held->first;
        ret_held->first = one;
    }
    return more;
}

/* Children that were on their way are found by looking again. */
static enum rc hold_family(struct pico_engine *e, struct family *f, struct family *ret_held,
                           struct err *err)
{
    time_us until = clock_steady(e->clock) + REST_US;
    for (bool more = true; more;) {
        TRY(family_read(e, f, err));
        pthread_mutex_lock(&e->lock);
        more = hold_more(e, f, ret_held);
        bool rests = wait_rest(e, f, until);
        pthread_mutex_unlock(&e->lock);
        if (!rests)
            return err_set(err, RC_UNAVAILABLE, "the pico does not come to rest; try it again");
    }
    return RC_OK;
}

/* All of the family stand still, and what they did is durable; or none was made to. */
static enum rc hold(struct pico_engine *e, struct family *f, struct err *err)
{
    struct family held;
    family_init(&held, f->root);
    enum rc rc = hold_family(e, f, &held, err);
    pthread_mutex_lock(&e->lock);
    if (rc == RC_OK)
        release_gone(e, &held);
    else
        release_all(e, &held);
    pthread_mutex_unlock(&e->lock);
    arena_fini(&held.arena);
    return rc;
}

static enum rc hold_again(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct pico_engine *e = arg;
    struct family f;
    ASSERT(columns == 1);
    family_init(&f, v[0].number);
    enum rc rc = read_family(tx, &f);
    pthread_mutex_lock(&e->lock);
    for (const struct member *m = f.first; m != NULL && rc == RC_OK; m = m->next)
        (void)hold_one(e, m->no); /* a read may run again */
    pthread_mutex_unlock(&e->lock);
    arena_fini(&f.arena);
    return rc;
}

static enum rc hold_all(struct tx *tx, void *arg)
{
    return sql_each(tx, hold_again, arg, "SELECT pico FROM pico_move ORDER BY pico");
}

enum rc move_open(struct pico_engine *e, struct err *err)
{
    struct arena arena;
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_read(e->store, &arena, err, hold_all, e);
    arena_fini(&arena);
    return rc;
}

/* --- begin --- */

struct beginning {
    struct str id;
    char move[ECI_N + 1];
    int64_t no;
};

/* Whether the one lies above the other, or is it. */
static enum rc is_above(struct tx *tx, int64_t above, int64_t no, bool *ret)
{
    struct rows rows;
    *ret = above == no;
    for (int n = 0; no != 0 && !*ret && n < LEVELS_MAX; n++) {
        TRY(sql_rows(tx, &rows, "SELECT parent FROM pico WHERE no = $1", V(no)));
        no = rows.count == 0 ? 0 : row_int(&rows, 0, 0);
        *ret = above == no;
    }
    return RC_OK;
}

static enum rc check_others(struct tx *tx, const struct beginning *b)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT pico FROM pico_move ORDER BY pico LIMIT $1", V(MOVES_MAX)));
    if (rows.count == MOVES_MAX)
        return err_set(tx->err, RC_TOO_MANY, "%d moves are under way already", MOVES_MAX);
    for (size_t i = 0; i < rows.count; i++) {
        bool above = false;
        bool below = false;
        TRY(is_above(tx, row_int(&rows, i, 0), b->no, &above));
        TRY(is_above(tx, b->no, row_int(&rows, i, 0), &below));
        if (above || below)
            return err_set(tx->err, RC_CONFLICT, "a pico above or below '%.*s' moves already",
                           STRF(b->id));
    }
    return RC_OK;
}

static enum rc not_here(struct tx *tx, struct str id)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT host FROM pico_moved WHERE eci = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no pico '%.*s'", STRF(id));
    return err_set(tx->err, RC_GONE, "the pico moved to %.*s", STRF(row_str(&rows, 0, 0)));
}

static enum rc begin(struct tx *tx, void *arg)
{
    struct beginning *b = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT p.no, p.parent, m.id FROM pico p LEFT JOIN pico_move m ON m.pico = p.no "
                 "WHERE p.id = $1",
                 V(b->id)));
    if (rows.count == 0)
        return not_here(tx, b->id);
    b->no = row_int(&rows, 0, 0);
    if (row_null(&rows, 0, 1))
        return err_set(tx->err, RC_FORBIDDEN, "the root pico stays");
    if (!row_null(&rows, 0, 2)) {
        struct str known = row_str(&rows, 0, 2);
        (void)snprintf(b->move, sizeof b->move, "%.*s", STRF(known)); /* as long as ours */
        return RC_OK;
    }
    TRY(check_others(tx, b));
    return sql_run(tx, "INSERT INTO pico_move (id, pico, begun) VALUES ($1, $2, $3)",
                   V(str_c(b->move)), V(b->no), V(tx->now));
}

static enum rc forget_move(struct tx *tx, void *arg)
{
    const struct str *move = arg;
    return sql_run(tx, "DELETE FROM pico_move WHERE id = $1", V(*move));
}

static enum rc write_with(struct pico_engine *e, tx_fn fn, void *arg, struct err *err)
{
    struct arena arena;
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_write(e->store, &arena, err, fn, arg);
    arena_fini(&arena);
    return rc;
}

static enum rc move_begin(struct pico_engine *e, struct str id, struct arena *arena,
                          struct str *ret_move, struct err *err)
{
    struct beginning b = {.id = id};
    struct family f;
    struct err ignored;
    chance_eci(e, b.move);
    if (id.n == 0 || id.n > ECI_MAX || !str_is_utf8(id) || memchr(id.p, 0, id.n) != NULL)
        return err_set(err, RC_NOT_FOUND, "there is no such pico");
    TRY(write_with(e, begin, &b, err));
    family_init(&f, b.no);
    enum rc rc = hold(e, &f, err);
    arena_fini(&f.arena);
    struct str move = str_c(b.move);
    if (rc != RC_OK && write_with(e, forget_move, &move, &ignored) != RC_OK)
        return err_set(err, RC_UNAVAILABLE, "the move has begun and cannot go on; call it off");
    if (rc == RC_OK)
        *ret_move = arena_str(arena, move);
    return rc;
}

enum rc pico_move_begin(struct pico_engine *e, struct str id, struct arena *arena,
                        struct str *ret_move, struct err *err)
{
    pthread_mutex_lock(&e->moving);
    enum rc rc = move_begin(e, id, arena, ret_move, err);
    pthread_mutex_unlock(&e->moving);
    pthread_mutex_lock(&e->lock);
    bool leaving = e->leaving;
    pthread_mutex_unlock(&e->lock);
    if (leaving)
        pico_engine_leave(e); /* this one stands still too, now */
    return rc;
}

/* --- for a moment --- */

/* What one that moves allows: nothing else that wants it to stand still. */
static enum rc look_at(struct tx *tx, void *arg)
{
    struct beginning *b = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT no FROM pico WHERE id = $1", V(b->id)));
    if (rows.count == 0)
        return not_here(tx, b->id);
    b->no = row_int(&rows, 0, 0);
    return check_others(tx, b);
}

static enum rc stand_still(struct pico_engine *e, struct beginning *b, still_fn fn, void *arg,
                           struct err *err)
{
    struct family f;
    struct still s;
    family_init(&f, b->no);
    enum rc rc = hold(e, &f, err);
    if (rc == RC_OK) {
        s = (struct still){.no = b->no};
        for (const struct member *m = f.first; m != NULL; m = m->next)
            s.n++;
        int64_t *members = NEW_N(&f.arena, int64_t, s.n);
        size_t at = 0;
        for (const struct member *m = f.first; m != NULL; m = m->next)
            members[at++] = m->no;
        s.members = members;
        rc = fn(e, &s, arg, err);
        pthread_mutex_lock(&e->lock);
        release_all(e, &f);
        pthread_mutex_unlock(&e->lock);
    }
    arena_fini(&f.arena);
    return rc;
}

enum rc move_still(struct pico_engine *e, struct str id, still_fn fn, void *arg, struct err *err)
{
    struct beginning b = {.id = id};
    struct arena arena;
    if (id.n == 0 || id.n > ECI_MAX || !str_is_utf8(id) || memchr(id.p, 0, id.n) != NULL)
        return err_set(err, RC_NOT_FOUND, "there is no such pico");
    pthread_mutex_lock(&e->moving);
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_read(e->store, &arena, err, look_at, &b);
    arena_fini(&arena);
    if (rc == RC_OK)
        rc = stand_still(e, &b, fn, arg, err);
    pthread_mutex_unlock(&e->moving);
    return rc;
}

/* --- end --- */

struct finding {
    struct str move;
    int64_t no;
    bool done;
};

static enum rc find(struct tx *tx, void *arg)
{
    struct finding *f = arg;
    struct rows rows;
    f->no = 0;
    TRY(sql_rows(tx, &rows, "SELECT pico FROM pico_move WHERE id = $1", V(f->move)));
    if (rows.count > 0)
        f->no = row_int(&rows, 0, 0);
    TRY(sql_rows(tx, &rows, "SELECT 1 FROM pico_moved WHERE move = $1 ORDER BY eci LIMIT 1",
                 V(f->move)));
    f->done = rows.count > 0;
    if (f->no == 0 && !f->done)
        return err_set(tx->err, RC_NOT_FOUND, "there is no such move");
    return RC_OK;
}

static enum rc find_move(struct pico_engine *e, struct finding *f, struct err *err)
{
    struct arena arena;
    if (f->move.n == 0 || f->move.n > ECI_N || !str_is_utf8(f->move) ||
        memchr(f->move.p, 0, f->move.n) != NULL)
        return err_set(err, RC_NOT_FOUND, "there is no such move");
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_read(e->store, &arena, err, find, f);
    arena_fini(&arena);
    return rc;
}

struct leaving {
    struct pico_request r;
    struct pico_engine *e;
    bool over; /* with the lock */
};

static void left(struct pico_request *r)
{
    struct leaving *l = CONTAINER_OF(r, struct leaving, r);
    pthread_mutex_lock(&l->e->lock);
    l->over = true;
    pthread_cond_broadcast(&l->e->moved);
    pthread_mutex_unlock(&l->e->lock);
}

/* One commit takes them away and leaves the address. */
static enum rc leave(struct pico_engine *e, const struct finding *f, struct str host,
                     struct err *err)
{
    struct leaving l = {.e = e, .r = {.done = left}};
    pthread_mutex_lock(&e->lock);
    struct pico *p = table_need(e, f->no);
    p->pins++;
    pthread_mutex_unlock(&e->lock);
    struct commit *c = commit_new(e, p);
    struct op *op = commit_op(c, OP_MOVED, f->no);
    op->row = f->no;
    op->cell.name = arena_str(&c->arena, host);
    op->cell.bytes = arena_str(&c->arena, f->move);
    c->requests = &l.r;
    commit_submit(c);
    pthread_mutex_lock(&e->lock);
    while (!l.over)
        pthread_cond_wait(&e->moved, &e->lock);
    p->pins--;
    if (p->run == RUN_IDLE)
        queue_settle(e, p);
    if (l.r.rc == RC_OK)
        remote_wake(e, host);
    pthread_mutex_unlock(&e->lock);
    return l.r.rc == RC_OK ? RC_OK : err_set(err, l.r.rc, "%.*s", STRF(err_text(&l.r.err)));
}

static enum rc move_end(struct pico_engine *e, struct finding *m, struct str host, struct err *err)
{
    struct family f;
    family_init(&f, m->no);
    enum rc rc = family_read(e, &f, err);
    if (rc == RC_OK)
        rc = host.n > 0 ? leave(e, m, host, err) : write_with(e, forget_move, &m->move, err);
    if (rc == RC_OK) {
        pthread_mutex_lock(&e->lock);
        release_all(e, &f);
        pthread_mutex_unlock(&e->lock);
    }
    arena_fini(&f.arena);
    return rc;
}

enum rc pico_move_done(struct pico_engine *e, struct str move, struct str host, struct err *err)
{
    struct finding m = {.move = move};
    while (str_ends(host, STR("/")))
        host.n--;
    bool http = str_starts(host, STR("http://")) || str_starts(host, STR("https://"));
    if (!http || host.n > MOVE_HOST_MAX || !str_is_utf8(host) || str_eq(host, e->o.base_url))
        return err_set(err, RC_INVALID, "say the address of the other engine: https://...");
    pthread_mutex_lock(&e->moving);
    enum rc rc = find_move(e, &m, err);
    if (rc == RC_OK && m.no != 0)
        rc = move_end(e, &m, host, err);
    pthread_mutex_unlock(&e->moving);
    return rc;
}

enum rc pico_move_cancel(struct pico_engine *e, struct str move, struct err *err)
{
    struct finding m = {.move = move};
    pthread_mutex_lock(&e->moving);
    enum rc rc = find_move(e, &m, err);
    if (rc == RC_OK && m.no == 0)
        rc = err_set(err, RC_GONE, "the move is done");
    if (rc == RC_OK)
        rc = move_end(e, &m, STR(""), err);
    pthread_mutex_unlock(&e->moving);
    return rc;
}

/* --- what is under way --- */

static enum rc put_move(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct json_writer *w = arg;
    char time[TIME_TEXT_MAX];
    (void)tx;
    ASSERT(columns == 3);
    json_begin_object(w);
    json_put_key(w, STR("move"));
    json_put_str(w, v[0].text);
    json_put_key(w, STR("pico"));
    json_put_str(w, v[1].text);
    json_put_key(w, STR("begun"));
    json_put_str(w, str_n(time, time_format(v[2].number, time)));
    json_end_object(w);
    return RC_OK;
}

enum rc pico_move_list(struct tx *tx, struct json_writer *w)
{
    json_begin_array(w);
    TRY(sql_each(tx, put_move, w,
                 "SELECT m.id, p.id, m.begun FROM pico_move m JOIN pico p ON p.no = m.pico ORDER "
                 "BY m.begun, m.id LIMIT $1",
                 V(MOVES_MAX)));
    json_end_array(w);
    return RC_OK;
}

/* --- in the commit --- */

struct away {
    struct tx *tx;
    struct pico_engine *e;
    struct str host;
    struct str move;
};

static enum rc put_address(struct away *a, struct str eci)
{
    return sql_run(a->tx,
                   "INSERT INTO pico_moved (eci, host, move, at) VALUES ($1, $2, $3, $4) ON "
                   "CONFLICT (eci) DO UPDATE SET host = $2, move = $3, at = $4",
                   V(eci), V(a->host), V(a->move), V(a->tx->now));
}

static enum rc put_away(struct away *a, const struct item *i, int64_t row)
{
    struct str key = arena_fmt(a->tx->arena, "%.*s.%lld", STRF(a->move), (long long)row);
    return sql_run(a->tx,
                   "INSERT INTO pico_remote (no, host, key, eci, domain, name, attrs, hops, made) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                   V((int64_t)atomic_fetch_add(&a->e->next_remote, 1)), V(a->host), V(key),
                   V(i->eci), V(i->domain), V(i->name), V(i->attrs), V(i->hops), V(a->tx->now));
}

enum rc move_leave(struct tx *tx, struct pico_engine *e, int64_t no, const struct op *op)
{
    struct away a = {.tx = tx, .e = e, .host = op->cell.name, .move = op->cell.bytes};
    struct rows rows;
    atomic_store(&e->emigrated, true);
    if (no == op->row)
        TRY(sql_run(tx, "DELETE FROM pico_move WHERE id = $1", V(a.move)));
    TRY(sql_rows(tx, &rows, "SELECT id, child_eci FROM pico WHERE no = $1", V(no)));
    for (size_t i = 0; i < 2 && rows.count > 0; i++)
        if (!row_null(&rows, 0, i))
            TRY(put_address(&a, row_str(&rows, 0, i)));
    TRY(sql_rows(tx, &rows, "SELECT eci FROM pico_channel WHERE pico = $1 ORDER BY eci", V(no)));
    for (size_t i = 0; i < rows.count; i++)
        TRY(put_address(&a, row_str(&rows, i, 0)));
    TRY(sql_rows(tx, &rows,
                 "SELECT no, eci, domain, name, attrs, hops FROM pico_event WHERE pico = $1 UNION "
                 "ALL SELECT no, eci, domain, name, attrs, hops FROM pico_aside WHERE pico = $1 "
                 "ORDER BY no",
                 V(no)));
    for (size_t i = 0; i < rows.count; i++) {
        const struct item item = {.eci = row_str(&rows, i, 1),
                                  .domain = row_str(&rows, i, 2),
                                  .name = row_str(&rows, i, 3),
                                  .attrs = row_str(&rows, i, 4),
                                  .hops = row_int(&rows, i, 5)};
        TRY(put_away(&a, &item, row_int(&rows, i, 0)));
    }
    return RC_OK;
}

enum rc move_redirect(struct tx *tx, struct pico_engine *e, const struct item *i, bool *ret)
{
    struct rows rows;
    *ret = false;
    TRY(sql_rows(tx, &rows, "SELECT host, move FROM pico_moved WHERE eci = $1", V(i->eci)));
    if (rows.count == 0)
        return RC_OK;
    struct away a = {.tx = tx, .e = e, .host = row_str(&rows, 0, 0), .move = row_str(&rows, 0, 1)};
    *ret = true;
    return put_away(&a, i, i->row);
}
