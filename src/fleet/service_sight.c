/*
 * service_sight.c - between the control plane and a node: what it should run, what it says.
 */
#include "fleet/alert.h"
#include "fleet/backup.h"
#include "fleet/drill.h"
#include "fleet/move.h"
#include "fleet/promise_change.h"
#include "fleet/service_inside.h"
#include "fleet/snapshot.h"
#include "fleet/vantage.h"
#include "party/event.h"

enum { DESIRED_BYTES_MAX = 24 * 1024 * 1024, TEXT_BYTES_MAX = 64 * 1024 };

/* --- what it should run --- */

/* A disabled node stops what it has. */
static enum rc stopped_spec(struct tx *tx, struct str text, struct json_writer *w)
{
    const struct json *json = NULL;
    struct service_spec spec = {0};
    TRY(json_parse(text, tx->arena, &json, tx->err));
    TRY(schema_decode(&service_spec_schema, SCHEMA_WHOLE, json, tx->arena, &spec, tx->err));
    if (spec.state == SPEC_RUNNING)
        spec.state = SPEC_STOPPED;
    schema_encode(&service_spec_schema, &spec, w);
    return RC_OK;
}

static enum rc put_services(struct tx *tx, const struct seal *seal, const struct node *node,
                            struct json_writer *w)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT spec FROM service WHERE node = $1 ORDER BY id LIMIT $2",
                 V(node->id), V((int64_t)SPEC_SERVICES_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        struct str text;
        if (row_bytes(&rows, i, 0).n == 0) /* it waits for what it uses */
            continue;
        TRY(seal_read(seal, row_bytes(&rows, i, 0), tx->arena, &text, tx->err));
        if (node->state == NODE_DISABLED)
            TRY(stopped_spec(tx, text, w));
        else
            json_put_raw(w, text);
    }
    return RC_OK;
}

/* What went elsewhere: the node removes what is left of it, or (a move in hand) keeps it. What ran
 * there until its lease ended may not be sampled yet: whose use that is, is said. */
static enum rc put_left(struct tx *tx, const struct node *node, struct json_writer *w)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT l.service, l.generation, l.runtime, l.keeps, v.subscription "
                 "FROM service_left l JOIN service v ON v.id = l.service WHERE l.node = $1 "
                 "ORDER BY l.service LIMIT $2",
                 V(node->id), V((int64_t)SPEC_SERVICES_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        bool vm = str_eq(row_str(&rows, i, 2), str_c(spec_runtimes[SPEC_VM]));
        struct service_spec spec = {
            .id = row_str(&rows, i, 0),
            .generation = row_int(&rows, i, 1),
            .state = row_int(&rows, i, 3) != 0 ? SPEC_STOPPED : SPEC_GONE,
            .runtime = vm ? SPEC_VM : SPEC_CONTAINER,
            .subscription = row_str(&rows, i, 4),
        };
        static const char *const said[] = {"id", "generation", "state", "runtime", "subscription"};
        for (size_t k = 0; k < COUNT(said); k++)
            spec.set |= schema_bit(&service_spec_schema, said[k]);
        schema_encode(&service_spec_schema, &spec, w);
    }
    return RC_OK;
}

enum rc service_desired(struct tx *tx, const struct seal *seal, struct str id, int64_t after,
                        struct str *ret)
{
    struct node node;
    struct buf b;
    struct json_writer w;
    TRY(node_get(tx, id, &node));
    *ret = STR("");
    if (after >= 0 && node.revision == after)
        return RC_OK;
    buf_init(&b, tx->arena, DESIRED_BYTES_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, STR("revision"));
    json_put_i64(&w, node.revision);
    json_put_key(&w, STR("services"));
    json_begin_array(&w);
    TRY(put_services(tx, seal, &node, &w));
    TRY(put_left(tx, &node, &w));
    json_end_array(&w);
    json_end_object(&w);
    if (b.full)
        return err_set(tx->err, RC_TOO_LARGE, "the specs of this node's services are too long");
    *ret = buf_str(&b);
    return RC_OK;
}

/* --- what it says --- */

static struct str list_text(struct tx *tx, const struct schema *s, const struct list *list)
{
    struct buf b;
    struct json_writer w;
    const char *items = list->items;
    buf_init(&b, tx->arena, TEXT_BYTES_MAX);
    json_writer_init(&w, &b);
    json_begin_array(&w);
    for (size_t i = 0; i < list->count; i++)
        schema_encode(s, items + i * s->size, &w);
    json_end_array(&w);
    ASSERT(!b.full); /* 32 of at most 1.1 KB */
    return buf_str(&b);
}

/* The state that follows from what is wanted and what is seen. */
static enum service_state state_of(const struct service *v, const struct sighting *s)
{
    switch ((enum spec_state)v->wanted) {
    case SPEC_RUNNING:
        return s->state == SIGHTING_RUNNING  ? SERVICE_RUNNING
               : s->state == SIGHTING_FAILED ? SERVICE_FAILED
                                             : SERVICE_PREPARING;
    case SPEC_STOPPED:
        return s->state == SIGHTING_STOPPED ? SERVICE_STOPPED : SERVICE_STOPPING;
    case SPEC_GONE:
        return s->state == SIGHTING_GONE ? SERVICE_ENDED : SERVICE_ENDING;
    }
    NEVER("everything that can be wanted was looked at");
}

/* How far the operation in hand is by a sighting; an operation without that step stays. */
static enum rc advance(struct tx *tx, const struct service *v, const struct sighting *s)
{
    bool done =
        v->state == SERVICE_RUNNING || v->state == SERVICE_STOPPED || v->state == SERVICE_ENDED;
    if (done)
        return operation_reach(tx, v->id, NULL);
    switch ((enum sighting_state)s->state) {
    case SIGHTING_PREPARING:
        return operation_reach(tx, v->id, "prepare");
    case SIGHTING_STARTING:
        return operation_reach(tx, v->id, "start");
    case SIGHTING_STOPPING:
        return operation_reach(tx, v->id, "stop");
    case SIGHTING_STOPPED:
        return operation_reach(tx, v->id, "remove");
    case SIGHTING_WAITING:
    case SIGHTING_RUNNING:
    case SIGHTING_FAILED:
    case SIGHTING_GONE:
        return RC_OK;
    }
    NEVER("every sighting was looked at");
}

static enum rc give_back(struct tx *tx, struct str node, int64_t cpu, int64_t memory, int64_t disk)
{
    struct node_taken taken = {-cpu, -memory, -disk};
    return node_take(tx, node, taken);
}

/* Of a service that is elsewhere by now: all that matters is that nothing is left of it. */
static enum rc sight_left(struct tx *tx, struct str node, const struct sighting *s)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT cpu_milli, memory_bytes, disk_bytes, generation FROM service_left "
                 "WHERE node = $1 AND service = $2",
                 V(node), V(s->id)));
    if (rows.count == 0 || s->state != SIGHTING_GONE || s->generation < row_int(&rows, 0, 3))
        return RC_OK;
    TRY(sql_run(tx, "DELETE FROM service_left WHERE node = $1 AND service = $2", V(node),
                V(s->id)));
    TRY(give_back(tx, node, row_int(&rows, 0, 0), row_int(&rows, 0, 1), row_int(&rows, 0, 2)));
    return node_touch(tx, node);
}

static enum rc renew_user(struct tx *tx, const struct seal *seal, struct service *user,
                          void *arg UNUSED)
{
    struct str text;
    bool waits = user->seen_generation == 0; /* perhaps, and not for this one alone */
    if (waits) {
        TRY(service_waits(tx, seal, user, &text));
        if (text.n > 0)
            return RC_OK;
    }
    enum rc rc = service_spec_text(tx, seal, user, &text);
    if (rc == RC_CONFLICT || rc == RC_INVALID) { /* what it needs is not all there: later */
        err_clear(tx->err);
        return RC_OK;
    }
    TRY(rc);
    if (waits) {
        user->reason = STR("");
        TRY(operation_explain(tx, user->id, user->reason));
    }
    return service_renew(tx, seal, user);
}

/* Those that use it are told its new addresses; those that waited (fresh: they alone) that it
 * runs, or that they wait for it no more, as its client stopped it. */
static enum rc renew_users(struct tx *tx, const struct seal *seal, struct str id, bool fresh)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " SERVICE_COLUMNS SERVICE_FROM "JOIN service_need d ON d.service = v.id "
                 "WHERE d.needed = $1 AND v.node IS NOT NULL AND v.wanted <> 'gone' "
                 "AND ($3 = 0 OR v.seen_generation = 0) ORDER BY v.id LIMIT $2",
                 V(id), V((int64_t)SERVICE_FAMILY_MAX), V(fresh)));
    return service_each(tx, seal, &rows, renew_user, NULL);
}

static enum rc write_seen(struct tx *tx, const struct service *v, const struct sighting *s,
                          struct str facts)
{
    return sql_run(tx,
                   "UPDATE service SET seen_state = $2, seen_generation = $3, starts = $4, "
                   "facts = $5, promises = $6 WHERE id = $1",
                   V(v->id), V(sighting_states[s->state]), V(s->generation), V(s->starts), V(facts),
                   V(list_text(tx, &sighting_promise_schema, &s->promises)));
}

static enum rc end_service(struct tx *tx, struct service *v)
{
    struct str node = v->node;
    TRY(snapshot_drop(tx, v, STR("the service has ended")));
    TRY(give_back(tx, node, v->cpu_milli, v->memory_bytes, v->disk_bytes));
    v->node = STR("");
    TRY(sql_run(tx, "DELETE FROM service_need WHERE service = $1", V(v->id)));
    TRY(backup_end(tx, v->id));
    return node_touch(tx, node);
}

/* A node publishes at its own address, the one it reports, and speaks for no other: what it says of
 * a foreign one is not handed to clients, nor looked at by other nodes. */
static struct list own_facts(struct tx *tx, const struct list *facts, struct str address)
{
    const struct sighting_fact *items = facts->items;
    struct sighting_fact *kept = NEW_N(tx->arena, struct sighting_fact, facts->count);
    size_t count = 0;
    for (size_t i = 0; i < facts->count; i++)
        if (!str_ends(items[i].name, STR(".address")) || str_eq(items[i].value, address))
            kept[count++] = items[i];
    return (struct list){kept, count};
}

static enum rc sight(struct tx *tx, const struct seal *seal, const struct node *node,
                     struct str address, const struct sighting *s)
{
    struct service v;
    enum rc rc = service_get(tx, s->id, &v);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && !str_eq(v.node, node->id))) {
        err_clear(tx->err);
        return sight_left(tx, node->id, s);
    }
    TRY(rc);
    if (s->generation < v.generation) /* of what is no longer wanted */
        return RC_OK;
    struct list own = own_facts(tx, &s->facts, address);
    struct str facts = list_text(tx, &sighting_fact_schema, &own);
    enum service_state state = state_of(&v, s);
    bool moved = !str_eq(facts, v.facts);
    bool moves = false, keeps = false;
    bool changed =
        v.state != (int64_t)state || !str_eq(v.step, s->step) || !str_eq(v.reason, s->reason);
    if (v.drill_of.n == 0)
        TRY(promise_change_keep(tx, v.id, node->id, v.promises, &s->promises));
    TRY(write_seen(tx, &v, s, facts));
    if (moved && !changed)
        TRY(vantage_touch(tx, v.id));
    if (changed) {
        v.state = state;
        v.step = s->step;
        v.reason = s->reason;
        if (state == SERVICE_ENDED)
            TRY(end_service(tx, &v));
        TRY(service_keep(tx, &v, "[\"state\"]"));
        TRY(operation_explain(tx, v.id, v.reason));
        if (state == SERVICE_RUNNING && v.drill_of.n == 0)
            TRY(alert_runs(tx, v.id));
    }
    if (v.drill_of.n > 0)
        return drill_seen(tx, seal, &v, s);
    TRY(move_seen(tx, seal, &v, s, &moves));
    TRY(snapshot_seen(tx, &v, s, &keeps));
    if (!moves && !keeps)
        TRY(advance(tx, &v, s));
    bool settled = changed && (state == SERVICE_RUNNING || state == SERVICE_STOPPED);
    return (moved || settled) && state != SERVICE_ENDED ? renew_users(tx, seal, v.id, !moved)
                                                        : RC_OK;
}

/* Each in an arena of its own: a node with a thousand services may tell of all at once. */
static enum rc sight_each(struct tx *tx, const struct seal *seal, const struct node *node,
                          const struct node_report *r)
{
    const struct sighting *items = r->services.items;
    struct arena *whole = tx->arena;
    struct arena one;
    enum rc rc = RC_OK;
    arena_init(&one, STORE_TX_ARENA_BYTES);
    tx->arena = &one;
    for (size_t i = 0; i < r->services.count && rc == RC_OK; i++) {
        rc = sight(tx, seal, node, r->address, &items[i]);
        arena_reset(&one);
    }
    tx->arena = whole;
    arena_fini(&one);
    return rc;
}

enum rc service_report(struct tx *tx, const struct seal *seal, struct str id,
                       const struct node_report *r, struct report_answer *ret)
{
    struct node node;
    TRY(node_get(tx, id, &node));
    /* A newer one was heard: what this one says may not be so any more, and nobody would say it
     * again. */
    if (r->order > 0 && r->order < node.told) {
        *ret = (struct report_answer){
            .set = schema_all(&report_answer_schema), .now = tx->now, .order = node.told};
        return RC_OK;
    }
    TRY(node_hear(tx, &node, r));
    TRY(sight_each(tx, seal, &node, r));
    *ret = (struct report_answer){
        .set = schema_all(&report_answer_schema),
        .now = tx->now,
        /* Who has not read yet what went elsewhere holds on to nothing. */
        .lease_until_s = r->revision >= node.left_revision ? NODE_LEASE_S : 0,
        .order = r->order,
    };
    return RC_OK;
}
