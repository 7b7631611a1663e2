#include "fleet/service.h"
#include "fleet/promise_change.h"

#include "catalog/code.h"
#include "catalog/subscription.h"
#include "fleet/service_inside.h"
#include "fleet/site.h"
#include "fleet/snapshot.h"
#include "fleet/vantage.h"
#include "meter/source.h"
#include "party/event.h"

struct service service_row(const struct rows *r, size_t row)
{
    return (struct service){
        .set = schema_all(&service_schema) & ~schema_bit(&service_schema, "parts"),
        .id = row_str(r, row, 0),
        .version = row_int(r, row, 1),
        .client = row_str(r, row, 2),
        .seller = row_str(r, row, 3),
        .agreement = row_str(r, row, 4),
        .plan = row_str(r, row, 5),
        .subscription = row_str(r, row, 6),
        .profile = row_str(r, row, 7),
        .kind = row_str(r, row, 8),
        .parent = row_str(r, row, 9),
        .name = row_str(r, row, 10),
        .parameters = row_str(r, row, 11),
        .needs = row_str(r, row, 12),
        .wish = row_str(r, row, 13),
        .failover = row_int(r, row, 14) != 0,
        .state = code_word(service_states, row_str(r, row, 15)),
        .wanted = code_word(spec_states, row_str(r, row, 16)),
        .node = row_str(r, row, 17),
        .site = row_str(r, row, 18),
        .generation = row_int(r, row, 19),
        .restart = row_int(r, row, 20),
        .cpu_milli = row_int(r, row, 21),
        .memory_bytes = row_int(r, row, 22),
        .disk_bytes = row_int(r, row, 23),
        .seen = row_str(r, row, 24),
        .seen_generation = row_int(r, row, 25),
        .step = row_str(r, row, 26),
        .reason = row_str(r, row, 27),
        .starts = row_int(r, row, 28),
        .facts = row_str(r, row, 29),
        .promises = row_str(r, row, 30),
        .created = row_int(r, row, 31),
        .changed = row_int(r, row, 32),
        .drill_of = row_str(r, row, 33),
        .suspended = row_str(r, row, 34),
    };
}

struct list service_rows(struct tx *tx, const struct rows *rows)
{
    struct service *items = NEW_N(tx->arena, struct service, rows->count);
    for (size_t i = 0; i < rows->count; i++)
        items[i] = service_row(rows, i);
    return (struct list){items, rows->count};
}

enum rc service_each(struct tx *tx, const struct seal *seal, const struct rows *rows, service_fn fn,
                     void *arg)
{
    struct arena *whole = tx->arena;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < rows->count && rc == RC_OK; i++) {
        struct arena one;
        struct service v = service_row(rows, i);
        arena_init(&one, STORE_TX_ARENA_BYTES);
        tx->arena = &one;
        rc = fn(tx, seal, &v, arg);
        tx->arena = whole;
        arena_fini(&one);
    }
    return rc;
}

enum rc service_get(struct tx *tx, struct str id, struct service *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " SERVICE_COLUMNS SERVICE_FROM "WHERE v.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no service '%.*s'", STRF(id));
    *ret = service_row(&rows, 0);
    return RC_OK;
}

static const struct page_column sort_columns[] = {
    {"id", "v.id", PAGE_TEXT},
    {"name", "v.name", PAGE_TEXT},
    {"created", "v.created", PAGE_NUMBER},
};
static const struct page_table service_table = {
    .select = "SELECT " SERVICE_COLUMNS SERVICE_FROM,
    .id = "v.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "id",
};

enum rc service_list(struct tx *tx, struct str party, const struct service_query *q,
                     struct page *ret)
{
    struct page_term terms[4];
    size_t count = 0;
    struct rows rows;
    struct str next;
    terms[count++] = (struct page_term){"v.client = ?" PAGE_OR "v.seller = ?", V(party)};
    terms[count++] = (struct page_term){"v.drill_of IS NULL", SQL_NULL};
    if (schema_has(&service_query_schema, q, "state"))
        terms[count++] = (struct page_term){"v.state = ?", V(service_states[q->state])};
    if (schema_has(&service_query_schema, q, "parent"))
        terms[count++] = (struct page_term){"v.parent = ?", V(q->parent)};
    TRY(page_rows(tx, &service_table, &q->page, terms, count, &rows, &next));
    *ret = (struct page){service_rows(tx, &rows), next};
    return RC_OK;
}

enum rc service_list_node(struct tx *tx, struct str node, const struct page_query *q,
                          struct page *ret)
{
    struct page_term term = {"v.node = ?", V(node)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &service_table, q, &term, 1, &rows, &next));
    *ret = (struct page){service_rows(tx, &rows), next};
    return RC_OK;
}

/* --- writing --- */

enum rc service_keep(struct tx *tx, struct service *v, const char *changed)
{
    v->version++;
    v->changed = tx->now;
    TRY(sql_run(
        tx,
        "UPDATE service SET version = $2, plan = $3, subscription = $4, name = $5, "
        "parameters = $6, state = $7, wanted = $8, node = $9, generation = $10, restart = $11, "
        "cpu_milli = $12, memory_bytes = $13, disk_bytes = $14, step = $15, reason = $16, "
        "changed = $17 WHERE id = $1",
        V(v->id), V(v->version), V(v->plan), value_opt(v->subscription), V(v->name),
        V(v->parameters), V(service_states[v->state]), V(spec_states[v->wanted]),
        value_opt(v->node), V(v->generation), V(v->restart), V(v->cpu_milli), V(v->memory_bytes),
        V(v->disk_bytes), V(v->step), V(v->reason), V(v->changed)));
    TRY(vantage_touch(tx, v->id));
    return event_put(tx, "event.service.changed", v->client, "service", v->id, v->version,
                     str_c(changed));
}

enum rc service_renew(struct tx *tx, const struct seal *seal, struct service *v)
{
    v->generation++;
    TRY(service_keep(tx, v, "[\"state\"]"));
    if (v->node.n == 0)
        return RC_OK;
    TRY(service_write_spec(tx, seal, v));
    return node_touch(tx, v->node);
}

enum rc service_leave(struct tx *tx, struct service *v)
{
    ASSERT(v->node.n > 0);
    struct rows kind;
    TRY(sql_rows(tx, &kind, "SELECT runtime FROM profile WHERE id = $1", V(v->kind)));
    TRY(sql_run(tx,
                "INSERT INTO service_left (node, service, generation, runtime, cpu_milli, "
                "memory_bytes, disk_bytes) VALUES ($1, $2, $3, $4, $5, $6, $7) "
                "ON CONFLICT (node, service) DO UPDATE SET generation = excluded.generation",
                V(v->node), V(v->id), V(v->generation + 1), V(row_str(&kind, 0, 0)),
                V(v->cpu_milli), V(v->memory_bytes), V(v->disk_bytes)));
    TRY(node_leave(tx, v->node));
    TRY(promise_change_keep(tx, v->id, v->node, v->promises, &(struct list){0}));
    TRY(snapshot_drop(tx, v, STR("the service went to another node")));
    v->node = STR("");
    v->site = STR("");
    return sql_run(tx,
                   "UPDATE service SET node = NULL, seen_state = '', seen_generation = 0, "
                   "facts = '[]', promises = '[]' WHERE id = $1",
                   V(v->id));
}

enum rc service_rename(struct tx *tx, struct str id, struct str name, struct service *ret)
{
    struct service v;
    TRY(service_get(tx, id, &v));
    v.name = name;
    TRY(service_keep(tx, &v, "[\"name\"]"));
    return service_get(tx, id, ret);
}

enum rc service_meters(struct tx *tx, struct str node, struct str subscription)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT v.id FROM service v JOIN service_place p ON p.service = v.id "
                 "WHERE v.subscription = $1 AND p.node = $2",
                 V(subscription), V(node)));
    if (rows.count == 0)
        return err_set(tx->err, RC_FORBIDDEN, "'%.*s' is of no service of this node",
                       STRF(subscription));
    return RC_OK;
}

/* What a sample says of the time before the subscription began and after it ended is its last or
 * first second, as a node looks when its clock says so, and a service ends a little after the order
 * to. All of what was used is kept, for the time within; what lies outside is nobody's. Readings of
 * one instant are kept as they are. */
static enum rc keep_within(struct tx *tx, const struct usage_record *records, size_t count,
                           struct usage_record *ret, size_t *ret_count)
{
    struct subscription_reporting s = {0};
    struct str last = STR("");
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct usage_record r = records[i];
        if (!str_eq(r.subscription, last))
            TRY(subscription_reporting(tx, r.subscription, &s));
        last = r.subscription;
        if (r.from < r.until && (r.from >= s.ends || r.until <= s.start))
            continue;
        if (r.from < r.until) {
            r.from = max_i64(r.from, s.start);
            r.until = min_i64(r.until, s.ends);
        }
        ret[kept++] = r;
    }
    *ret_count = kept;
    return RC_OK;
}

enum rc service_usage(struct tx *tx, struct str node, struct str source,
                      const struct usage_record *records, size_t count, struct usage_report *ret)
{
    struct node n;
    struct str last = STR("");
    struct str said = arena_fmt(tx->arena, USAGE_SOURCE_OWN "%.*s", STRF(node));
    if (!str_eq(source, said))
        return err_set(tx->err, RC_FORBIDDEN, "this node reports as '%.*s' alone", STRF(said));
    for (size_t i = 0; i < count; i++) {
        if (str_eq(records[i].subscription, last))
            continue;
        last = records[i].subscription;
        TRY(service_meters(tx, node, last));
    }
    struct usage_record *within = NEW_N(tx->arena, struct usage_record, count);
    TRY(keep_within(tx, records, count, within, &count));
    TRY(node_get(tx, node, &n));
    if (count == 0) {
        *ret = (struct usage_report){.set = schema_all(&usage_report_schema)};
        return RC_OK;
    }
    struct str kept = arena_fmt(tx->arena, USAGE_SOURCE_OWN "%.*s:%.*s", STRF(n.owner), STRF(node));
    return usage_take(tx, n.owner, kept, within, count, ret);
}
