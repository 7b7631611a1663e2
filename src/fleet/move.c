/* The steps of move.h. */
#include "fleet/move.h"

#include "catalog/code.h"
#include "fleet/backup_inside.h"
#include "fleet/promise_change.h"
#include "fleet/service_inside.h"
#include "fleet/upgrade.h"

enum move_step { MOVE_STOPPING, MOVE_SAVING, MOVE_LOADING, MOVE_RETURNING };
static const char *const move_steps[] = {"stopping", "saving", "loading", "returning", NULL};

/* The row of a move in hand. */
struct move {
    bool found;
    int64_t step;
    struct str source;
    int64_t wanted; /* enum spec_state */
    int64_t kept;
    struct str backup; /* empty: it keeps nothing, or is not saved yet */
};

static enum rc read_move(struct tx *tx, struct str service, struct move *ret)
{
    struct rows rows;
    *ret = (struct move){0};
    TRY(sql_rows(tx, &rows,
                 "SELECT step, source, wanted, kept, backup FROM service_move WHERE service = $1",
                 V(service)));
    if (rows.count == 0)
        return RC_OK;
    *ret = (struct move){.found = true,
                         .step = code_word(move_steps, row_str(&rows, 0, 0)),
                         .source = row_str(&rows, 0, 1),
                         .wanted = code_word(spec_states, row_str(&rows, 0, 2)),
                         .kept = row_int(&rows, 0, 3),
                         .backup = row_str(&rows, 0, 4)};
    return RC_OK;
}

static enum rc set_step(struct tx *tx, struct str service, enum move_step step, struct str backup)
{
    return sql_run(tx,
                   "UPDATE service_move SET step = $2, backup = $3, changed = $4 "
                   "WHERE service = $1",
                   V(service), V(move_steps[step]), value_opt(backup), V(tx->now));
}

static enum rc forget(struct tx *tx, struct str service)
{
    return sql_run(tx, "DELETE FROM service_move WHERE service = $1", V(service));
}

static bool keeps(const struct profile *p)
{
    return p->runtime == SPEC_VM || p->volumes.count > 0;
}

/* As it should be from now on, with the state that leads there. */
static void want(struct service *v, int64_t wanted)
{
    v->wanted = wanted;
    v->state = wanted == SPEC_RUNNING ? SERVICE_PREPARING : SERVICE_STOPPING;
}

/* Whether it can be described to a node now. What it uses may be on its way itself: then this waits
 * for the next tick. */
static enum rc is_told(struct tx *tx, const struct seal *seal, const struct service *v, bool *ret)
{
    struct str unused;
    enum rc rc = service_spec_text(tx, seal, v, &unused);
    *ret = rc == RC_OK;
    if (rc != RC_CONFLICT && rc != RC_INVALID)
        return rc;
    struct str why = arena_str(tx->arena, err_text(tx->err));
    err_clear(tx->err);
    return operation_explain(tx, v->id, why);
}

/* --- the end, one way or the other --- */

/* What is left of it where it was may go. */
static enum rc drop_left(struct tx *tx, struct str service)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT node FROM service_left WHERE service = $1 AND keeps = 1 ORDER BY node "
                 "LIMIT $2",
                 V(service), V((int64_t)MOVE_TICK_MAX)));
    TRY(sql_run(tx, "UPDATE service_left SET keeps = 0 WHERE service = $1", V(service)));
    for (size_t i = 0; i < rows.count; i++)
        TRY(node_touch(tx, row_str(&rows, i, 0)));
    return RC_OK;
}

enum rc move_end(struct tx *tx, struct str service)
{
    TRY(drop_left(tx, service));
    return forget(tx, service);
}

static enum rc arrive(struct tx *tx, const struct service *v)
{
    TRY(drop_left(tx, v->id));
    TRY(backup_drop_move(tx, v->id));
    TRY(operation_reach(tx, v->id, NULL));
    return forget(tx, v->id);
}

/* It was not saved: it goes on where it is, as it was. */
static enum rc stay(struct tx *tx, const struct seal *seal, struct service *v, const struct move *m,
                    struct str why)
{
    bool told = false;
    TRY(is_told(tx, seal, v, &told));
    if (!told)
        return RC_OK;
    TRY(backup_drop_move(tx, v->id));
    TRY(operation_fail(tx, v->id, why));
    TRY(forget(tx, v->id));
    if (m->wanted == v->wanted)
        return RC_OK;
    want(v, m->wanted);
    v->reason = why;
    return service_renew(tx, seal, v);
}

/* It rests where it was brought to, or can hold no lease there any more: it goes on where it came
 * from. What is there was never given away; the room for it was never given back. */
static enum rc go_back(struct tx *tx, const struct seal *seal, struct service *v,
                       const struct move *m)
{
    struct str why = STR("it did not come to run elsewhere, and went back");
    bool told = false;
    TRY(is_told(tx, seal, v, &told));
    if (!told)
        return RC_OK;
    TRY(service_leave(tx, v));
    TRY(sql_run(tx, "DELETE FROM service_left WHERE service = $1 AND node = $2", V(v->id),
                V(m->source)));
    v->node = m->source;
    TRY(service_tell_subscription(tx, v));
    TRY(backup_drop_move(tx, v->id));
    TRY(backup_lay(tx, v->id, STR("")));
    TRY(operation_fail(tx, v->id, why));
    TRY(forget(tx, v->id));
    want(v, m->wanted);
    v->reason = why;
    return service_renew(tx, seal, v);
}

/* --- the way there --- */

/* It rests, and what it keeps is saved: from now on another node has it. */
static enum rc go(struct tx *tx, const struct seal *seal, struct service *v, const struct move *m)
{
    struct profile profile;
    struct service probe = *v;
    struct str source = v->node;
    bool told = false;
    TRY(is_told(tx, seal, v, &told));
    if (!told)
        return RC_OK;
    TRY(kind_profile(tx, v->kind, &profile));
    enum rc rc = service_probe(tx, &probe, &profile);
    if (rc == RC_CONFLICT) {
        struct str why = arena_str(tx->arena, err_text(tx->err));
        err_clear(tx->err);
        return stay(tx, seal, v, m, why);
    }
    TRY(rc);
    TRY(service_leave(tx, v));
    TRY(sql_run(tx, "UPDATE service_left SET keeps = 1 WHERE service = $1 AND node = $2", V(v->id),
                V(source)));
    v->node = probe.node;
    v->site = probe.site;
    TRY(service_take(tx, v));
    if (m->backup.n > 0)
        TRY(backup_lay(tx, v->id, m->backup));
    TRY(service_tell_subscription(tx, v));
    want(v, m->wanted);
    v->reason = STR("");
    TRY(set_step(tx, v->id, MOVE_LOADING, m->backup));
    TRY(service_renew(tx, seal, v));
    return operation_reach(tx, v->id, "prepare");
}

/* It rests where it is. */
static enum rc save(struct tx *tx, const struct seal *seal, struct service *v, struct move *m)
{
    struct profile profile;
    struct backup backup;
    TRY(kind_profile(tx, v->kind, &profile));
    if (!keeps(&profile)) {
        TRY(operation_reach(tx, v->id, "place"));
        return go(tx, seal, v, m);
    }
    TRY(backup_insert(tx, v, true, true, &backup));
    TRY(set_step(tx, v->id, MOVE_SAVING, backup.id));
    TRY(operation_reach(tx, v->id, "save"));
    return node_touch(tx, v->node);
}

/* How many of its promises it keeps, by what was said of it last. */
static enum rc count_kept(struct tx *tx, const struct service *v, int64_t *ret)
{
    const struct sighting_promise *unused = NULL;
    struct list told;
    TRY(promise_read(tx, v->promises, &told));
    *ret = promise_kept(&told, &unused);
    return RC_OK;
}

enum rc move_begin(struct tx *tx, const struct seal *seal, struct service *v)
{
    static const char *const steps[] = {"stop", "save", "place", "prepare", "start", "check", NULL};
    struct profile profile;
    struct service probe = *v;
    struct operation unused;
    struct str text;
    struct move m = {.found = true, .source = v->node, .wanted = v->wanted};
    TRY(kind_profile(tx, v->kind, &profile));
    TRY(service_probe(tx, &probe, &profile));
    TRY(service_spec_text(tx, seal, v, &text));
    TRY(upgrade_stop(tx, v->id, STR("it was moved meanwhile")));
    if (v->wanted == SPEC_RUNNING)
        TRY(count_kept(tx, v, &m.kept));
    TRY(operation_begin(tx, v->id, v->client, "move", steps, &unused));
    TRY(sql_run(tx,
                "INSERT INTO service_move (service, step, source, wanted, kept, backup, changed) "
                "VALUES ($1, $2, $3, $4, $5, NULL, $6)",
                V(v->id), V(move_steps[MOVE_STOPPING]), V(v->node), V(spec_states[v->wanted]),
                V(m.kept), V(tx->now)));
    if (v->state == SERVICE_STOPPED)
        return save(tx, seal, v, &m);
    want(v, SPEC_STOPPED);
    return service_renew(tx, seal, v);
}

enum rc move_refuse(struct tx *tx, const struct service *v)
{
    struct move m;
    TRY(read_move(tx, v->id, &m));
    if (!m.found)
        return RC_OK;
    return err_set(tx->err, RC_CONFLICT,
                   "service '%.*s' is being moved to another node: wait until it is there",
                   STRF(v->name));
}

enum rc move_want(struct tx *tx, struct str service, int64_t wanted, bool *ret, bool *ret_rests)
{
    struct move m;
    TRY(read_move(tx, service, &m));
    if (m.found)
        TRY(sql_run(tx, "UPDATE service_move SET wanted = $2 WHERE service = $1", V(service),
                    V(spec_states[wanted])));
    *ret = m.found;
    *ret_rests = m.found && m.step != MOVE_LOADING;
    return RC_OK;
}

/* --- what nodes say --- */

static enum rc seen_loading(struct tx *tx, const struct service *v, const struct move *m,
                            const struct sighting *s)
{
    const struct sighting_promise *broken = NULL;
    if (v->state == SERVICE_STOPPED)
        return arrive(tx, v);
    if (v->state == SERVICE_RUNNING) {
        TRY(operation_reach(tx, v->id, "check"));
        return promise_kept(&s->promises, &broken) >= m->kept ? arrive(tx, v) : RC_OK;
    }
    if (s->state == SIGHTING_STARTING)
        return operation_reach(tx, v->id, "start");
    return operation_reach(tx, v->id, "prepare");
}

enum rc move_seen(struct tx *tx, const struct seal *seal, struct service *v,
                  const struct sighting *s, bool *ret)
{
    struct move m;
    TRY(read_move(tx, v->id, &m));
    *ret = m.found;
    if (!m.found)
        return RC_OK;
    bool rests = v->state == SERVICE_STOPPED;
    switch ((enum move_step)m.step) {
    case MOVE_STOPPING:
        return rests ? save(tx, seal, v, &m) : RC_OK;
    case MOVE_SAVING:
        return RC_OK;
    case MOVE_LOADING:
        return seen_loading(tx, v, &m, s);
    case MOVE_RETURNING:
        return rests ? go_back(tx, seal, v, &m) : RC_OK;
    }
    NEVER("a move is at one of four steps");
}

/* The backup of a move was made, or failed. */
static enum rc go_on(struct tx *tx, const struct seal *seal, struct service *v, struct move *m)
{
    struct backup b;
    TRY(backup_get(tx, m->backup, &b));
    if (b.state == BACKUP_WANTED)
        return RC_OK;
    if (b.state != BACKUP_KEPT)
        return stay(tx, seal, v, m, b.reason.n > 0 ? b.reason : STR("it could not be saved"));
    TRY(operation_reach(tx, v->id, "place"));
    return go(tx, seal, v, m);
}

enum rc move_saved(struct tx *tx, const struct seal *seal, struct str backup)
{
    struct rows rows;
    struct service v;
    struct move m;
    TRY(sql_rows(tx, &rows, "SELECT service FROM service_move WHERE backup = $1 AND step = $2",
                 V(backup), V(move_steps[MOVE_SAVING])));
    if (rows.count == 0)
        return RC_OK;
    TRY(service_get(tx, row_str(&rows, 0, 0), &v));
    TRY(read_move(tx, v.id, &m));
    return go_on(tx, seal, &v, &m);
}

/* --- the clock's --- */

/* Moves that what nodes say does not bring on: $1 is when a load has taken too long, $2 when a
 * lease has ended. */
#define DUE                                                                                       \
    "FROM service_move m JOIN service v ON v.id = m.service JOIN node n ON n.id = v.node "        \
    "LEFT JOIN backup b ON b.id = m.backup WHERE (m.step = 'saving' AND b.state <> 'wanted') OR " \
    "(m.step IN ('stopping', 'returning') AND v.state = 'stopped') OR "                           \
    "(m.step = 'loading' AND m.changed <= $1 AND n.state <> 'lost' AND (v.state = 'failed' OR "   \
    "(v.state = 'stopping' AND v.reason <> ''))) OR "                                             \
    "(m.step IN ('stopping', 'saving', 'returning') AND v.failover = 1 AND n.state = 'lost' AND " \
    "n.seen < $2) "

static enum rc step_on(struct tx *tx, const struct seal *seal, struct service *v, void *arg UNUSED)
{
    struct move m;
    struct node node;
    bool told = false, rests = v->state == SERVICE_STOPPED;
    TRY(read_move(tx, v->id, &m));
    TRY(node_get(tx, v->node, &node));
    bool ended = v->failover && node.state == NODE_LOST && node_lease_ended(&node, tx->now);
    switch ((enum move_step)m.step) {
    case MOVE_STOPPING: /* its newest backup is what it comes back with */
        if (rests)
            return save(tx, seal, v, &m);
        return ended ? stay(tx, seal, v, &m, STR("its node was lost")) : RC_OK;
    case MOVE_SAVING:
        return ended ? stay(tx, seal, v, &m, STR("its node was lost")) : go_on(tx, seal, v, &m);
    case MOVE_LOADING:
        TRY(is_told(tx, seal, v, &told));
        if (!told)
            return RC_OK;
        TRY(set_step(tx, v->id, MOVE_RETURNING, m.backup));
        want(v, SPEC_STOPPED);
        return service_renew(tx, seal, v);
    case MOVE_RETURNING:
        return rests || ended ? go_back(tx, seal, v, &m) : RC_OK;
    }
    NEVER("a move is at one of four steps");
}

/* What is still to leave a node that is emptied. */
#define STAYS                                                                                      \
    "v.state IN ('running', 'failed', 'stopped') AND v.drill_of IS NULL AND NOT EXISTS (SELECT 1 " \
    "FROM service_move m WHERE m.service = v.id) "
#define EMPTIED                                                                            \
    "n.drain = 2 AND n.state = 'draining' AND (SELECT COUNT(*) FROM service_move k WHERE " \
    "k.source = n.id) < $1 "

static enum rc evacuate_one(struct tx *tx, const struct seal *seal, struct service *v, void *arg)
{
    size_t *moved = arg;
    if (*moved >= MOVE_EVACUATE_MAX)
        return RC_OK;
    enum rc rc = move_begin(tx, seal, v);
    if (rc != RC_CONFLICT) {
        *moved += rc == RC_OK;
        return rc;
    }
    struct str why = arena_str(tx->arena, err_text(tx->err));
    err_clear(tx->err);
    if (str_eq(why, v->reason))
        return RC_OK;
    v->reason = why;
    return service_keep(tx, v, "[\"reason\"]");
}

static enum rc evacuate(struct tx *tx, const struct seal *seal, size_t *ret)
{
    struct rows nodes, services;
    TRY(sql_rows(tx, &nodes,
                 "SELECT n.id, (SELECT COUNT(*) FROM service_move k WHERE k.source = n.id) "
                 "FROM node n WHERE " EMPTIED
                 "AND EXISTS (SELECT 1 FROM service v WHERE v.node = n.id AND " STAYS
                 ") ORDER BY n.id LIMIT $2",
                 V((int64_t)MOVE_EVACUATE_MAX), V((int64_t)MOVE_TICK_MAX)));
    for (size_t i = 0; i < nodes.count; i++) {
        size_t busy = (size_t)row_int(&nodes, i, 1), moved = busy;
        TRY(sql_rows(tx, &services,
                     "SELECT " SERVICE_COLUMNS SERVICE_FROM "WHERE v.node = $1 AND " STAYS
                     "ORDER BY v.id LIMIT $2",
                     V(row_str(&nodes, i, 0)), V((int64_t)MOVE_TICK_MAX)));
        TRY(service_each(tx, seal, &services, evacuate_one, &moved));
        *ret += moved - busy;
    }
    return RC_OK;
}

enum rc move_tick_due(struct tx *tx, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT m.service " DUE "ORDER BY m.service LIMIT 1",
                 V(tx->now - MOVE_LOAD_US), V(tx->now - NODE_LEASE_END_US)));
    *ret = rows.count > 0;
    if (*ret)
        return RC_OK;
    TRY(sql_rows(tx, &rows,
                 "SELECT n.id FROM node n WHERE " EMPTIED
                 "AND EXISTS (SELECT 1 FROM service v WHERE v.node = n.id AND " STAYS
                 ") ORDER BY n.id LIMIT 1",
                 V((int64_t)MOVE_EVACUATE_MAX)));
    *ret = rows.count > 0;
    return RC_OK;
}

enum rc move_tick(struct tx *tx, const struct seal *seal, bool *ret)
{
    struct rows rows;
    size_t moved = 0;
    TRY(sql_rows(tx, &rows,
                 "SELECT " SERVICE_COLUMNS SERVICE_FROM "WHERE v.id IN (SELECT m.service " DUE
                 ") ORDER BY v.id LIMIT $3",
                 V(tx->now - MOVE_LOAD_US), V(tx->now - NODE_LEASE_END_US),
                 V((int64_t)MOVE_TICK_MAX)));
    TRY(service_each(tx, seal, &rows, step_on, NULL));
    TRY(evacuate(tx, seal, &moved));
    *ret = rows.count == MOVE_TICK_MAX || moved > 0;
    return RC_OK;
}
