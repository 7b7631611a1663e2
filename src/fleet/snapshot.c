/* Rows of snapshot.h. */
#include "fleet/snapshot.h"

#include "catalog/code.h"
#include "fleet/drill.h"
#include "fleet/move.h"
#include "fleet/service_inside.h"

#define COLUMNS                                                                            \
    "s.id, s.service, s.client, s.name, s.state, s.memory_bytes, s.room_bytes, s.reason, " \
    "s.asked, s.taken"
/* What lies in a disk, or may. */
#define THERE "state IN ('wanted', 'kept', 'removing') "

static struct snapshot from_row(const struct rows *r, size_t row)
{
    return (struct snapshot){
        .set = schema_all(&snapshot_schema),
        .id = row_str(r, row, 0),
        .service = row_str(r, row, 1),
        .client = row_str(r, row, 2),
        .name = row_str(r, row, 3),
        .state = code_word(snapshot_states, row_str(r, row, 4)),
        .memory_bytes = row_int(r, row, 5),
        .room_bytes = row_int(r, row, 6),
        .reason = row_str(r, row, 7),
        .asked = row_int(r, row, 8),
        .taken = row_int(r, row, 9),
    };
}

enum rc snapshot_get(struct tx *tx, struct str id, struct snapshot *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM snapshot s WHERE s.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no snapshot '%.*s'", STRF(id));
    *ret = from_row(&rows, 0);
    return RC_OK;
}

static const struct page_column sort_columns[] = {
    {"id", "s.id", PAGE_TEXT},
    {"asked", "s.asked", PAGE_NUMBER},
};
static const struct page_table snapshot_table = {
    .select = "SELECT " COLUMNS " FROM snapshot s",
    .id = "s.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc snapshot_list(struct tx *tx, struct str service, const struct page_query *q,
                      struct page *ret)
{
    const struct page_term terms[] = {{"s.service = ?", V(service)},
                                      {"s.state <> ?", V(snapshot_states[SNAPSHOT_GONE])}};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &snapshot_table, q, terms, COUNT(terms), &rows, &next));
    struct snapshot *items = NEW_N(tx->arena, struct snapshot, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = from_row(&rows, i);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

/* --- what there is --- */

/* Those of a service that lie in its disk, or may; SPEC_SNAPSHOTS_MAX at most. */
static enum rc read_there(struct tx *tx, struct str service, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM snapshot s WHERE s.service = $1 AND s." THERE
                 "ORDER BY s.id LIMIT $2",
                 V(service), V((int64_t)SPEC_SNAPSHOTS_MAX)));
    struct snapshot *items = NEW_N(tx->arena, struct snapshot, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = from_row(&rows, i);
    *ret = (struct list){items, rows.count};
    return RC_OK;
}

/* The last one that it is to go back to on this node, and the number of that; 0: none. */
static enum rc read_revert(struct tx *tx, const struct service *v, struct str *ret, int64_t *ret_no)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id, reverts FROM snapshot WHERE service = $1 AND node = $2 AND "
                 "reverts > 0 ORDER BY reverts DESC LIMIT 1",
                 V(v->id), V(v->node)));
    *ret = rows.count > 0 ? row_str(&rows, 0, 0) : STR("");
    *ret_no = rows.count > 0 ? row_int(&rows, 0, 1) : 0;
    return RC_OK;
}

enum rc snapshot_describe(struct tx *tx, const struct service *v, struct service_spec *ret)
{
    struct list there;
    TRY(read_there(tx, v->id, &there));
    const struct snapshot *items = there.items;
    struct spec_snapshot *wanted = NEW_N(tx->arena, struct spec_snapshot, there.count);
    size_t count = 0;
    for (size_t i = 0; i < there.count; i++)
        if (items[i].state != SNAPSHOT_REMOVING)
            wanted[count++] = (struct spec_snapshot){.set = schema_all(&spec_snapshot_schema),
                                                     .id = items[i].id,
                                                     .take = items[i].state == SNAPSHOT_WANTED};
    ret->snapshots = (struct list){wanted, count};
    TRY(read_revert(tx, v, &ret->revert, &ret->reverts));
    /* Said of who has them alone: an agent that knows of none takes the rest. */
    if (count == 0)
        ret->set &= ~schema_bit(&service_spec_schema, "snapshots");
    if (ret->reverts == 0)
        ret->set &= ~(schema_bit(&service_spec_schema, "revert") |
                      schema_bit(&service_spec_schema, "reverts"));
    return RC_OK;
}

/* --- asking --- */

static enum rc begin(struct tx *tx, const struct service *v, const char *kind,
                     const char *const *steps, const char *reached)
{
    struct operation unused;
    TRY(operation_begin(tx, v->id, v->client, kind, steps, &unused));
    return operation_reach(tx, v->id, reached);
}

static enum rc check_machine(struct tx *tx, const struct service *v)
{
    struct rows kind;
    TRY(sql_rows(tx, &kind, "SELECT runtime FROM profile WHERE id = $1", V(v->kind)));
    if (kind.count > 0 && str_eq(row_str(&kind, 0, 0), str_c(spec_runtimes[SPEC_VM])))
        return RC_OK;
    return err_set(tx->err, RC_CONFLICT,
                   "service '%.*s' is a container: machines alone have snapshots, it has backups",
                   STRF(v->name));
}

/* The service is one of those states, and nothing of this kind is in hand. */
static enum rc check_free(struct tx *tx, const struct service *v, unsigned states,
                          const struct list *there, const char *what)
{
    const struct snapshot *items = there->items;
    TRY(drill_refuse(tx, v));
    TRY(move_refuse(tx, v));
    if ((states & 1U << v->state) == 0)
        return err_set(tx->err, RC_CONFLICT, "service '%.*s' is %s: %s", STRF(v->name),
                       service_states[v->state], what);
    for (size_t i = 0; i < there->count; i++)
        if (items[i].state != SNAPSHOT_KEPT)
            return err_set(
                tx->err, RC_CONFLICT, "a snapshot of service '%.*s' is %s: wait until that is done",
                STRF(v->name), items[i].state == SNAPSHOT_WANTED ? "being taken" : "being removed");
    return RC_OK;
}

enum rc snapshot_take(struct tx *tx, const struct seal *seal, struct str service,
                      const struct snapshot *fresh, struct snapshot *ret)
{
    static const char *const steps[] = {"take", NULL};
    const unsigned states = 1U << SERVICE_RUNNING | 1U << SERVICE_STOPPED;
    struct service v;
    struct node node;
    struct list there;
    TRY(service_get(tx, service, &v));
    TRY(check_machine(tx, &v));
    TRY(read_there(tx, service, &there));
    TRY(check_free(tx, &v, states, &there, "a snapshot is taken of what runs or is stopped"));
    if (there.count == SPEC_SNAPSHOTS_MAX)
        return err_set(tx->err, RC_CONFLICT,
                       "service '%.*s' has %d snapshots, which is the most: delete one first",
                       STRF(v.name), SPEC_SNAPSHOTS_MAX);
    int64_t room = v.disk_bytes + (v.state == SERVICE_RUNNING ? v.memory_bytes : 0);
    struct node_taken taken = {.disk_bytes = room};
    TRY(node_get(tx, v.node, &node));
    TRY(node_fits(tx, &node, taken));
    TRY(node_take(tx, v.node, taken));
    struct str id = id_new(tx->ids, tx->arena, "snp");
    TRY(sql_run(tx,
                "INSERT INTO snapshot (id, service, client, node, name, state, memory_bytes, "
                "room_bytes, reverts, reason, asked, taken) "
                "VALUES ($1, $2, $3, $4, $5, 'wanted', 0, $6, 0, '', $7, 0)",
                V(id), V(v.id), V(v.client), V(v.node), V(fresh->name), V(room), V(tx->now)));
    TRY(begin(tx, &v, "snapshot", steps, "take"));
    TRY(service_renew(tx, seal, &v));
    return snapshot_get(tx, id, ret);
}

/* A snapshot that is kept, and its service, in one of those states. */
static enum rc find_kept(struct tx *tx, struct str id, unsigned states, const char *what,
                         struct snapshot *ret, struct service *ret_service)
{
    struct list there;
    TRY(snapshot_get(tx, id, ret));
    if (ret->state != SNAPSHOT_KEPT)
        return err_set(tx->err, RC_CONFLICT, "the snapshot is %s, and not kept",
                       snapshot_states[ret->state]);
    TRY(service_get(tx, ret->service, ret_service));
    TRY(read_there(tx, ret->service, &there));
    return check_free(tx, ret_service, states, &there, what);
}

enum rc snapshot_revert(struct tx *tx, const struct seal *seal, struct str id, struct service *ret)
{
    static const char *const steps[] = {"stop", "revert", "start", NULL};
    const unsigned states = 1U << SERVICE_RUNNING | 1U << SERVICE_STOPPED | 1U << SERVICE_FAILED;
    struct snapshot s;
    struct service v;
    TRY(find_kept(tx, id, states, "what runs, failed or is stopped goes back", &s, &v));
    TRY(sql_run(tx,
                "UPDATE snapshot SET reverts = 1 + (SELECT MAX(reverts) FROM snapshot "
                "WHERE service = $2) WHERE id = $1",
                V(id), V(v.id)));
    TRY(begin(tx, &v, "revert", steps, "stop"));
    if (v.wanted == SPEC_RUNNING)
        v.state = SERVICE_PREPARING;
    TRY(service_renew(tx, seal, &v));
    return service_get(tx, v.id, ret);
}

enum rc snapshot_delete(struct tx *tx, const struct seal *seal, struct str id, struct snapshot *ret)
{
    static const char *const steps[] = {"remove", NULL};
    const unsigned states = 1U << SERVICE_RUNNING | 1U << SERVICE_STOPPED;
    struct snapshot s;
    struct service v;
    TRY(snapshot_get(tx, id, &s));
    if (s.state == SNAPSHOT_FAILED) { /* nothing of it is anywhere */
        TRY(sql_run(tx, "UPDATE snapshot SET state = 'gone' WHERE id = $1", V(id)));
        return snapshot_get(tx, id, ret);
    }
    TRY(find_kept(tx, id, states, "a snapshot is removed of what runs or is stopped", &s, &v));
    TRY(sql_run(tx, "UPDATE snapshot SET state = 'removing' WHERE id = $1", V(id)));
    TRY(begin(tx, &v, "snapshot-delete", steps, "remove"));
    TRY(service_renew(tx, seal, &v));
    return snapshot_get(tx, id, ret);
}

/* --- what its node says --- */

static enum rc give_back(struct tx *tx, struct str node, int64_t bytes)
{
    return node_take(tx, node, (struct node_taken){.disk_bytes = -bytes});
}

static const struct sighting_snapshot *find_seen(const struct sighting *s, struct str id)
{
    const struct sighting_snapshot *items = s->snapshots.items;
    for (size_t i = 0; i < s->snapshots.count; i++)
        if (str_eq(items[i].id, id))
            return &items[i];
    return NULL;
}

static enum rc is_lost(struct tx *tx, const struct service *v, const struct snapshot *one,
                       struct str reason)
{
    bool wanted = one->state == SNAPSHOT_WANTED;
    TRY(give_back(tx, v->node, one->room_bytes));
    TRY(sql_run(tx, "UPDATE snapshot SET state = $2, reason = $3, room_bytes = 0 WHERE id = $1",
                V(one->id), V(snapshot_states[wanted ? SNAPSHOT_FAILED : SNAPSHOT_GONE]),
                V(reason)));
    return operation_fail(tx, v->id, reason);
}

static enum rc seen_one(struct tx *tx, const struct service *v, const struct snapshot *one,
                        const struct sighting_snapshot *seen, bool *ret)
{
    bool removing = one->state == SNAPSHOT_REMOVING;
    if (seen == NULL && removing) {
        TRY(give_back(tx, v->node, one->room_bytes));
        return sql_run(tx, "UPDATE snapshot SET state = 'gone', room_bytes = 0 WHERE id = $1",
                       V(one->id));
    }
    if (seen == NULL || removing) {
        *ret = *ret || one->state != SNAPSHOT_KEPT;
        return RC_OK;
    }
    if (!seen->kept)
        return is_lost(tx, v, one, seen->reason);
    if (one->state == SNAPSHOT_KEPT)
        return RC_OK;
    return sql_run(tx,
                   "UPDATE snapshot SET state = 'kept', memory_bytes = $2, taken = $3 "
                   "WHERE id = $1",
                   V(one->id), V(seen->memory_bytes), V(tx->now));
}

enum rc snapshot_seen(struct tx *tx, const struct service *v, const struct sighting *s, bool *ret)
{
    struct list there;
    struct str unused;
    int64_t reverts = 0;
    *ret = false;
    if (v->node.n == 0)
        return RC_OK;
    TRY(read_there(tx, v->id, &there));
    if (there.count == 0)
        return RC_OK;
    const struct snapshot *items = there.items;
    for (size_t i = 0; i < there.count; i++)
        TRY(seen_one(tx, v, &items[i], find_seen(s, items[i].id), ret));
    TRY(read_revert(tx, v, &unused, &reverts));
    if (s->reverted < reverts) {
        *ret = true;
        return operation_reach(tx, v->id, s->state == SIGHTING_PREPARING ? "revert" : "stop");
    }
    return RC_OK;
}

/* --- for who would lose them --- */

enum rc snapshot_refuse(struct tx *tx, const struct service *v, const char *done)
{
    struct list there;
    TRY(read_there(tx, v->id, &there));
    if (there.count == 0)
        return RC_OK;
    return err_set(tx->err, RC_CONFLICT,
                   "service '%.*s' has %zu snapshot%s, lost where it is %s: delete them first",
                   STRF(v->name), there.count, there.count > 1 ? "s" : "", done);
}

enum rc snapshot_drop(struct tx *tx, const struct service *v, struct str reason)
{
    struct list there;
    TRY(read_there(tx, v->id, &there));
    const struct snapshot *items = there.items;
    for (size_t i = 0; i < there.count; i++)
        TRY(give_back(tx, v->node, items[i].room_bytes));
    /* Another node, or this one when it comes back to it, has gone back to none. */
    return sql_run(tx,
                   "UPDATE snapshot SET node = NULL, room_bytes = 0, "
                   "reason = CASE WHEN " THERE "THEN $2 ELSE reason END, "
                   "state = CASE WHEN " THERE "THEN 'gone' ELSE state END WHERE service = $1",
                   V(v->id), V(reason));
}
