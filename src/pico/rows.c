/* The tables of migrations/0012_pico.sql: picos come from them and changes go to them. */
#include "pico/detail.h"
#include "pico/inside.h"
#include "pico/outgoing.h"
#include "pico/trial.h"
#include "pico/usage.h"

#include <stdlib.h>

enum { LOAD_BYTES_MAX = 256 * 1024 * 1024 };

/* --- picos in memory --- */

struct pico *pico_new(int64_t no)
{
    struct pico *p = calloc(1, sizeof *p);
    ASSERT(p != NULL);
    p->no = no;
    return p;
}

void pico_name(struct pico *p, struct str id, struct str parent_eci, struct str child_eci)
{
    char *at = malloc(id.n + parent_eci.n + child_eci.n + 1);
    ASSERT(at != NULL);
    free((char *)(uintptr_t)p->id.p);
    memcpy(at, id.p, id.n);
    p->id = (struct str){at, id.n};
    if (parent_eci.n > 0)
        memcpy(at + id.n, parent_eci.p, parent_eci.n);
    p->parent_eci = str_n(at + id.n, parent_eci.n);
    if (child_eci.n > 0)
        memcpy(at + id.n + parent_eci.n, child_eci.p, child_eci.n);
    p->child_eci = str_n(at + id.n + parent_eci.n, child_eci.n);
    /* pico_free gives it back. */
    // cppcheck-suppress memleak
}

void pico_free(struct pico *p)
{
    if (p == NULL)
        return;
    cells_fini(&p->cells);
    free((char *)(uintptr_t)p->id.p);
    free(p);
}

/* --- loading --- */

static void put_loaded(struct pico *p, struct cell cell)
{
    cells_put(&p->cells, &cell);
}

static enum rc load_entity(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    (void)tx;
    ASSERT(columns == 3);
    put_loaded(arg,
               (struct cell){
                   .kind = CELL_ENTITY, .rid = v[0].number, .name = v[1].text, .bytes = v[2].text});
    return RC_OK;
}

static enum rc load_waiting(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    (void)tx;
    ASSERT(columns == 2);
    put_loaded(arg, (struct cell){.kind = CELL_WAITING, .rid = v[0].number, .bytes = v[1].text});
    return RC_OK;
}

static enum rc load_installed(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    (void)tx;
    ASSERT(columns == 4);
    put_loaded(arg, (struct cell){.kind = CELL_INSTALLED,
                                  .rid = v[0].number,
                                  .place = v[1].number,
                                  .number = v[2].number,
                                  .bytes = v[3].text});
    return RC_OK;
}

static enum rc load_channel(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    (void)tx;
    ASSERT(columns == 3);
    put_loaded(arg, (struct cell){.kind = CELL_CHANNEL,
                                  .name = v[0].text,
                                  .place = v[1].number,
                                  .bytes = v[2].text});
    return RC_OK;
}

static enum rc load_schedule(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    (void)tx;
    ASSERT(columns == 4);
    put_loaded(arg, (struct cell){.kind = CELL_SCHEDULE,
                                  .name = v[0].text,
                                  .place = v[1].number,
                                  .number = v[2].number,
                                  .bytes = v[3].text});
    return RC_OK;
}

static enum rc load_all(struct tx *tx, void *arg)
{
    struct pico *p = arg;
    struct rows rows;
    cells_fini(&p->cells); /* a read may run again */
    TRY(sql_rows(
        tx, &rows,
        "SELECT id, parent, parent_eci, child_eci, (SELECT COUNT(*) FROM (SELECT 1 AS one "
        "FROM pico c WHERE c.parent = $1 LIMIT 1) AS few), account, (SELECT a.suspended FROM "
        "pico_account a WHERE a.pico = pico.account) FROM pico WHERE no = $1",
        V(p->no)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "Error: the pico is deleted");
    pico_name(p, row_str(&rows, 0, 0), row_str(&rows, 0, 2), row_str(&rows, 0, 3));
    p->parent = row_int(&rows, 0, 1);
    p->children = row_int(&rows, 0, 4) > 0;
    p->account = row_int(&rows, 0, 5);
    p->suspended = row_int(&rows, 0, 6) != 0;
    TRY(sql_each(tx, load_installed, p,
                 "SELECT rid, place, ruleset, config FROM pico_installed WHERE pico = $1 ORDER BY "
                 "rid",
                 V(p->no)));
    TRY(sql_each(tx, load_channel, p,
                 "SELECT c.eci, c.place, COALESCE(c.detail, d.detail) FROM pico_channel c LEFT "
                 "JOIN pico_detail d ON d.no = c.shared WHERE c.pico = $1 ORDER BY c.eci",
                 V(p->no)));
    TRY(sql_each(tx, load_entity, p,
                 "SELECT rid, name, value FROM pico_entity WHERE pico = $1 ORDER BY rid, name",
                 V(p->no)));
    TRY(sql_each(tx, load_waiting, p,
                 "SELECT rid, states FROM pico_waiting WHERE pico = $1 ORDER BY rid", V(p->no)));
    return sql_each(tx, load_schedule, p,
                    "SELECT id, rid, due, detail FROM pico_schedule WHERE pico = $1 ORDER BY id",
                    V(p->no));
}

/* Run a read with an arena of its own. */
static enum rc read_with(struct pico_engine *e, struct err *err, tx_fn fn, void *arg)
{
    struct arena arena;
    arena_init(&arena, LOAD_BYTES_MAX);
    enum rc rc = store_read(e->store, &arena, err, fn, arg);
    arena_fini(&arena);
    return rc;
}

enum rc rows_load(struct pico_engine *e, struct pico *p, struct err *err)
{
    return read_with(e, err, load_all, p);
}

/* --- channels --- */

struct finding {
    struct eci_node *node;
    bool found;
};

static enum rc find_eci(struct tx *tx, void *arg)
{
    struct finding *f = arg;
    struct rows rows;
    f->found = false;
    TRY(sql_rows(
        tx, &rows,
        "SELECT no, 0, 0 FROM pico WHERE id = $1 "
        "UNION ALL SELECT pico, 2, 0 FROM pico_channel WHERE eci = $1 "
        "UNION ALL SELECT no, 1, parent FROM pico WHERE child_eci = $1 "
        "UNION ALL SELECT parent, 1, no FROM pico WHERE parent_eci = $1 ORDER BY 1 LIMIT 1",
        V(f->node->eci)));
    if (rows.count == 0)
        return RC_OK;
    f->found = true;
    f->node->pico = row_int(&rows, 0, 0);
    f->node->kind = (enum eci_kind)row_int(&rows, 0, 1);
    f->node->user = row_int(&rows, 0, 2);
    return RC_OK;
}

enum rc rows_eci(struct pico_engine *e, struct str eci, struct eci_node *ret, bool *ret_found,
                 struct err *err)
{
    struct eci_node node = {.eci = eci};
    struct finding f = {.node = &node};
    if (eci.n == 0 || eci.n > ECI_MAX || !str_is_utf8(eci) || memchr(eci.p, 0, eci.n) != NULL) {
        *ret_found = false;
        return RC_OK;
    }
    TRY(read_with(e, err, find_eci, &f));
    *ret = node;
    *ret_found = f.found;
    return RC_OK;
}

/* --- events that come again --- */

struct seeking {
    int64_t pico;
    struct str key;
    bool found;
};

static enum rc seek_key(struct tx *tx, void *arg)
{
    struct seeking *s = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT 1 FROM pico_seen WHERE pico = $1 AND key = $2", V(s->pico),
                 V(s->key)));
    s->found = rows.count > 0;
    return RC_OK;
}

enum rc rows_seen(struct pico_engine *e, int64_t pico, struct str key, bool *ret, struct err *err)
{
    struct seeking s = {.pico = pico, .key = key};
    TRY(read_with(e, err, seek_key, &s));
    *ret = s.found;
    return RC_OK;
}

static enum rc seek_move(struct tx *tx, void *arg)
{
    struct seeking *s = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT 1 FROM pico_arrival WHERE move = $1 AND answer IS NOT NULL",
                 V(s->key)));
    s->found = rows.count > 0;
    return RC_OK;
}

enum rc rows_arrived(struct pico_engine *e, struct str move, bool *ret, struct err *err)
{
    struct seeking s = {.key = move};
    TRY(read_with(e, err, seek_move, &s));
    *ret = s.found;
    return RC_OK;
}

/* --- events that wait --- */

struct rereading {
    int64_t no;
    struct item *first;
    struct item **last;
};

static void forget_items(struct item *first)
{
    for (struct item *i = first, *next = NULL; i != NULL; i = next) {
        next = i->next;
        item_free(i);
    }
}

static enum rc read_event(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct rereading *r = arg;
    (void)tx;
    ASSERT(columns == 8);
    const struct str event[2] = {v[3].text, v[4].text};
    struct item *i = item_new(ITEM_STORED, v[1].text, v[2].text, event, v[5].text);
    i->row = v[0].number;
    i->sender = v[6].number;
    i->hops = v[7].number;
    *r->last = i;
    r->last = &i->next;
    return RC_OK;
}

static enum rc read_events(struct tx *tx, void *arg)
{
    struct rereading *r = arg;
    forget_items(r->first);
    r->first = NULL;
    r->last = &r->first;
    return sql_each(tx, read_event, arg,
                    "SELECT no, eci, eid, domain, name, attrs, sender, hops FROM pico_event WHERE "
                    "pico = $1 ORDER BY no",
                    V(r->no));
}

static bool is_queued(const struct pico *p, int64_t row)
{
    for (const struct item *i = p->first; i != NULL; i = i->next)
        if (i->row == row)
            return true;
    return false;
}

enum rc rows_events(struct pico_engine *e, struct pico *p, struct err *err)
{
    struct rereading r = {.no = p->no};
    enum rc rc = read_with(e, err, read_events, &r);
    pthread_mutex_lock(&e->lock);
    for (struct item *i = r.first, *next = NULL; i != NULL && rc == RC_OK; i = next) {
        next = i->next;
        r.first = next;
        if (is_queued(p, i->row))
            item_free(i);
        else
            queue_push(e, p, i);
    }
    pthread_mutex_unlock(&e->lock);
    forget_items(r.first);
    return rc;
}

/* --- writing --- */

static enum rc put_cell(struct tx *tx, int64_t pico, const struct cell *c)
{
    const struct value bytes = c->bytes.n == 0 ? SQL_NULL : value_bytes(c->bytes);
    switch (c->kind) {
    case CELL_ENTITY:
        return sql_run(tx,
                       "INSERT INTO pico_entity (pico, rid, name, value) VALUES ($1, $2, $3, $4) "
                       "ON CONFLICT (pico, rid, name) DO UPDATE SET value = $4",
                       V(pico), V(c->rid), V(c->name), V(bytes));
    case CELL_WAITING:
        return sql_run(tx,
                       "INSERT INTO pico_waiting (pico, rid, states) VALUES ($1, $2, $3) ON "
                       "CONFLICT (pico, rid) DO UPDATE SET states = $3",
                       V(pico), V(c->rid), V(bytes));
    case CELL_INSTALLED:
        return sql_run(tx,
                       "INSERT INTO pico_installed (pico, rid, place, ruleset, config) VALUES ($1, "
                       "$2, $3, $4, $5) ON CONFLICT (pico, rid) DO UPDATE SET place = $3, ruleset "
                       "= $4, config = $5",
                       V(pico), V(c->rid), V(c->place), V(c->number), V(bytes));
    case CELL_CHANNEL:
        return detail_put_channel(tx, pico, c->name, c->place, c->bytes);
    case CELL_SCHEDULE:
        return sql_run(tx,
                       "INSERT INTO pico_schedule (pico, id, rid, due, detail) VALUES ($1, $2, $3, "
                       "$4, $5) ON CONFLICT (pico, id) DO UPDATE SET due = $4, tries = 0",
                       V(pico), V(c->name), V(c->place), V(c->number), V(bytes));
    case CELL_KINDS:
        break;
    }
    NEVER("no such kind of cell");
}

static enum rc drop_cell(struct tx *tx, int64_t pico, const struct cell *c)
{
    switch (c->kind) {
    case CELL_ENTITY:
        return sql_run(tx, "DELETE FROM pico_entity WHERE pico = $1 AND rid = $2 AND name = $3",
                       V(pico), V(c->rid), V(c->name));
    case CELL_WAITING:
        return sql_run(tx, "DELETE FROM pico_waiting WHERE pico = $1 AND rid = $2", V(pico),
                       V(c->rid));
    case CELL_INSTALLED:
        return sql_run(tx, "DELETE FROM pico_installed WHERE pico = $1 AND rid = $2", V(pico),
                       V(c->rid));
    case CELL_CHANNEL:
        return detail_drop_channel(tx, c->name);
    case CELL_SCHEDULE:
        return sql_run(tx, "DELETE FROM pico_schedule WHERE pico = $1 AND id = $2", V(pico),
                       V(c->name));
    case CELL_KINDS:
        break;
    }
    NEVER("no such kind of cell");
}

/* The tables whose rows belong to a pico, and that of channels. */
static const char *const owned[] = {
    "DELETE FROM pico_installed WHERE pico = $1", "DELETE FROM pico_entity WHERE pico = $1",
    "DELETE FROM pico_waiting WHERE pico = $1",   "DELETE FROM pico_schedule WHERE pico = $1",
    "DELETE FROM pico_event WHERE pico = $1",     "DELETE FROM pico_aside WHERE pico = $1",
    "DELETE FROM pico_seen WHERE pico = $1",      "DELETE FROM pico_log WHERE pico = $1",
    "DELETE FROM pico_account WHERE pico = $1",   "DELETE FROM pico WHERE no = $1",
};

/* With the lock: what is in memory of it may not be committed any more. */
static void mark_dying(struct pico_engine *e, int64_t no)
{
    struct dying *d = malloc(sizeof *d);
    ASSERT(d != NULL);
    *d = (struct dying){e->dying, e->unit, no};
    e->dying = d;
    struct pico *p = table_pico(e, no);
    if (p != NULL)
        p->dying = true;
}

/* One that moves is not deleted meanwhile: it may be elsewhere already. */
static enum rc check_stays(struct tx *tx, struct pico_engine *e, int64_t no)
{
    pthread_mutex_lock(&e->lock);
    const struct pico *p = table_pico(e, no);
    bool held = p != NULL && p->held;
    pthread_mutex_unlock(&e->lock);
    return held ? err_set(tx->err, RC_CONFLICT, "Error: the pico moves to another engine") : RC_OK;
}

/* A pico and all below it, one level after the other. */
static enum rc delete_tree(struct tx *tx, struct pico_engine *e, const struct op *op)
{
    struct deleting {
        struct deleting *next;
        int64_t no;
    };
    struct deleting *todo = NEW(tx->arena, struct deleting);
    todo->no = op->row;
    while (todo != NULL) {
        struct rows rows;
        int64_t one = todo->no;
        todo = todo->next;
        TRY(sql_rows(tx, &rows, "SELECT no FROM pico WHERE parent = $1 ORDER BY no", V(one)));
        for (size_t i = 0; i < rows.count; i++) {
            struct deleting *d = NEW(tx->arena, struct deleting);
            *d = (struct deleting){todo, row_int(&rows, i, 0)};
            todo = d;
        }
        if (op->kind == OP_MOVED)
            TRY(move_leave(tx, e, one, op));
        else
            TRY(check_stays(tx, e, one));
        TRY(usage_end(tx, e, one));
        TRY(detail_drop_pico(tx, one));
        for (size_t i = 0; i < COUNT(owned); i++)
            TRY(sql_run(tx, owned[i], V(one)));
        pthread_mutex_lock(&e->lock);
        mark_dying(e, one);
        pthread_mutex_unlock(&e->lock);
    }
    return RC_OK;
}

static enum rc put_event(struct tx *tx, struct pico_engine *e, int64_t pico, const struct item *i)
{
    bool followed = false;
    if (atomic_load(&e->emigrated))
        TRY(move_redirect(tx, e, i, &followed));
    if (followed)
        return RC_OK;
    return sql_run(tx,
                   "INSERT INTO pico_event (no, pico, eci, eid, domain, name, attrs, sender, hops) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                   V(i->row), V(pico), V(i->eci), V(i->eid), V(i->domain), V(i->name), V(i->attrs),
                   V(i->sender == 0 ? SQL_NULL : value_int(i->sender)), V(i->hops));
}

static enum rc put_remote(struct tx *tx, struct str host, const struct item *i)
{
    return sql_run(tx,
                   "INSERT INTO pico_remote (no, host, key, eci, domain, name, attrs, hops, made) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                   V(i->row), V(host), V(i->eid), V(i->eci), V(i->domain), V(i->name), V(i->attrs),
                   V(i->hops), V(tx->now));
}

static enum rc drop_event(struct tx *tx, int64_t row)
{
    int64_t changed = 0;
    TRY(sql_change(tx, &changed, "DELETE FROM pico_event WHERE no = $1", V(row)));
    if (changed == 1)
        return RC_OK;
    return err_set(tx->err, RC_UNAVAILABLE, "Error: the event was handled already");
}

enum rc rows_write(struct tx *tx, struct pico_engine *e, const struct op *op)
{
    switch (op->kind) {
    case OP_PUT:
        return put_cell(tx, op->pico, &op->cell);
    case OP_DROP:
        return drop_cell(tx, op->pico, &op->cell);
    case OP_EVENT:
    case OP_ACCEPT:
        return put_event(tx, e, op->pico, op->event);
    case OP_EVENT_DONE:
        return drop_event(tx, op->row);
    case OP_TRY:
        return trial_count(tx, op);
    case OP_ASIDE:
        return trial_put_aside(tx, op->pico, op->event);
    case OP_REMOTE:
        return put_remote(tx, op->cell.name, op->event);
    case OP_SEEN:
        return sql_run(tx, "INSERT INTO pico_seen (pico, key, at) VALUES ($1, $2, $3)", V(op->pico),
                       V(op->cell.name), V(tx->now));
    case OP_OUTGOING:
        return outgoing_put(tx, e, op->pico, op->outgoing);
    case OP_PICO:
        return sql_run(
            tx,
            "INSERT INTO pico (no, id, parent, parent_eci, child_eci, made, account) "
            "VALUES ($1, $2, $3, $4, $5, $6, (SELECT above.account FROM pico above WHERE "
            "above.no = $3))",
            V(op->born->no), V(op->born->id),
            V(op->born->parent == 0 ? SQL_NULL : value_int(op->born->parent)),
            V(value_opt(op->born->parent_eci)), V(value_opt(op->born->child_eci)), V(tx->now));
    case OP_PICO_GONE:
    case OP_MOVED:
        return delete_tree(tx, e, op);
    }
    NEVER("no such change");
}

/* --- start --- */

struct starting {
    struct pico_engine *e;
    char root[ECI_N + 1];
    struct str id;
    int64_t no;
    int64_t last_no;
    int64_t last_row;
    int64_t last_log;
};

static enum rc start(struct tx *tx, void *arg)
{
    struct starting *s = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) FROM pico_event"));
    s->last_row = row_int(&rows, 0, 0);
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) FROM pico_aside"));
    s->last_row = max_i64(s->last_row, row_int(&rows, 0, 0));
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) FROM pico_log"));
    s->last_log = row_int(&rows, 0, 0);
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) FROM pico"));
    s->last_no = row_int(&rows, 0, 0);
    if (s->last_no == 0) {
        s->last_no = 1;
        TRY(sql_run(tx,
                    "INSERT INTO pico (no, id, parent, parent_eci, child_eci, made) VALUES (1, $1, "
                    "NULL, NULL, NULL, $2)",
                    V(str_c(s->root)), V(tx->now)));
    }
    TRY(sql_rows(tx, &rows, "SELECT no, id FROM pico WHERE parent IS NULL ORDER BY no LIMIT 1"));
    if (rows.count == 0)
        return err_set(tx->err, RC_CONFLICT, "the store has picos and none of them is the root");
    s->no = row_int(&rows, 0, 0);
    s->id = row_str(&rows, 0, 1);
    return RC_OK;
}

enum rc rows_start(struct pico_engine *e, struct err *err)
{
    struct starting s = {.e = e};
    struct arena arena;
    chance_eci(e, s.root);
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_write(e->store, &arena, err, start, &s);
    if (rc == RC_OK) {
        char *id = malloc(s.id.n + 1);
        ASSERT(id != NULL);
        memcpy(id, s.id.p, s.id.n);
        e->root = (struct str){id, s.id.n};
        e->root_no = s.no;
        e->diary_no = s.last_log;
        e->old_row = s.last_row;
        e->started = clock_now(e->clock);
        e->started_steady = clock_steady(e->clock);
        atomic_store(&e->next_no, s.last_no + 1);
        atomic_store(&e->next_row, s.last_row + 1);
    }
    arena_fini(&arena);
    return rc;
}
