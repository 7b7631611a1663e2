#include "fleet/drill.h"

#include "catalog/code.h"
#include "catalog/suspension.h"
#include "fleet/backup_inside.h"
#include "fleet/promise_change.h"
#include "fleet/service_inside.h"

#define COLUMNS                                                                             \
    "d.id, d.service, d.client, d.backup, d.node, d.state, d.promises, d.reason, d.began, " \
    "d.ended, b.asked, b.bytes"
#define FROM " FROM drill d JOIN backup b ON b.id = d.backup "

static struct drill read_row(const struct tx *tx, const struct rows *r, size_t row)
{
    struct drill d = {
        .set = schema_all(&drill_schema),
        .id = row_str(r, row, 0),
        .service = row_str(r, row, 1),
        .client = row_str(r, row, 2),
        .backup = row_str(r, row, 3),
        .node = row_str(r, row, 4),
        .state = code_word(drill_states, row_str(r, row, 5)),
        .promises = row_int(r, row, 6),
        .reason = row_str(r, row, 7),
        .began = row_int(r, row, 8),
        .ended = row_int(r, row, 9),
        .backed_up = row_int(r, row, 10),
        .bytes = row_int(r, row, 11),
    };
    d.seconds = ((d.ended > 0 ? d.ended : tx->now) - d.began) / US_PER_SECOND;
    return d;
}

static const struct page_column sort_columns[] = {
    {"id", "d.id", PAGE_TEXT},
    {"began", "d.began", PAGE_NUMBER},
};
static const struct page_table drill_table = {
    .select = "SELECT " COLUMNS FROM,
    .id = "d.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc drill_list(struct tx *tx, struct str service, const struct page_query *q, struct page *ret)
{
    const struct page_term term = {"d.service = ?", V(service)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &drill_table, q, &term, 1, &rows, &next));
    struct drill *items = NEW_N(tx->arena, struct drill, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_row(tx, &rows, i);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

/* --- begin --- */

enum rc drill_refuse(struct tx *tx, const struct service *v)
{
    if (v->drill_of.n == 0)
        return RC_OK;
    return err_set(tx->err, RC_CONFLICT,
                   "this is the copy of a drill of '%.*s': nothing is done with it, and it ends by "
                   "itself",
                   STRF(v->name));
}

static enum rc check_service(struct tx *tx, const struct service *v, const struct profile *p)
{
    struct rows rows;
    TRY(drill_refuse(tx, v));
    if (v->wanted == SPEC_GONE || v->state == SERVICE_ORDERED)
        return err_set(tx->err, RC_CONFLICT, "service '%.*s' is %s: nothing of it is tried",
                       STRF(v->name), service_states[v->state]);
    if (p->needs.count > 0)
        return err_set(tx->err, RC_CONFLICT,
                       "'%.*s' uses other services, and its copy would write to them: try those",
                       STRF(v->name));
    TRY(sql_rows(tx, &rows, "SELECT id FROM drill WHERE service = $1 AND state = $2 ORDER BY id",
                 V(v->id), V(drill_states[DRILL_RUNNING])));
    if (rows.count > 0)
        return err_set(tx->err, RC_CONFLICT, "a drill of '%.*s' is running already", STRF(v->name));
    return RC_OK;
}

static enum rc choose_backup(struct tx *tx, const struct service *v, struct str named,
                             struct backup *ret)
{
    struct str id = named;
    if (id.n > 0)
        return backup_of(tx, v->id, id, ret);
    TRY(backup_newest(tx, v->id, &id));
    if (id.n == 0)
        return err_set(tx->err, RC_CONFLICT, "there is no backup of '%.*s' that can be had",
                       STRF(v->name));
    return backup_get(tx, id, ret);
}

/* The row of the copy: what the service was made of, and none of what it has become. */
static enum rc copy_row(struct tx *tx, struct str service, struct str copy)
{
    return sql_run(tx,
                   "INSERT INTO service (id, version, client, seller, agreement, plan, "
                   "subscription, profile, profile_name, parent, name, parameters, needs, wish, "
                   "failover, state, wanted, node, generation, restart, cpu_milli, memory_bytes, "
                   "disk_bytes, spec, secrets, seen_state, seen_generation, step, reason, starts, "
                   "facts, promises, created, changed, drill_of) "
                   "SELECT $2, 1, client, seller, agreement, plan, NULL, profile, profile_name, "
                   "NULL, name, parameters, '{}', wish, 0, $3, $4, NULL, 0, 0, cpu_milli, "
                   "memory_bytes, disk_bytes, spec, secrets, '', 0, '', '', 0, '[]', '[]', $5, $5, "
                   "id FROM service WHERE id = $1",
                   V(service), V(copy), V(service_states[SERVICE_PREPARING]),
                   V(spec_states[SPEC_RUNNING]), V(tx->now));
}

/* Elsewhere: where its node is lost, too, the service would come back there. */
static enum rc wish_elsewhere(struct tx *tx, const struct service *v, struct str *ret)
{
    const struct json *json = NULL;
    struct service_wish w = {0};
    struct json_writer jw;
    struct buf b;
    TRY(json_parse(v->wish, tx->arena, &json, tx->err));
    TRY(schema_decode(&service_wish_schema, SCHEMA_WHOLE, json, tx->arena, &w, tx->err));
    struct str *beside = NEW_N(tx->arena, struct str, w.not_beside.count + 1);
    const struct str *old = w.not_beside.items;
    size_t count = 0;
    beside[count++] = v->id;
    for (size_t i = 0; i < w.not_beside.count && count < SERVICE_BESIDE_MAX; i++)
        beside[count++] = old[i];
    w.not_beside = (struct list){beside, count};
    w.set |= schema_bit(&service_wish_schema, "not_beside");
    buf_init(&b, tx->arena, KIND_PARAMETERS_BYTES_MAX);
    json_writer_init(&jw, &b);
    schema_encode(&service_wish_schema, &w, &jw);
    if (b.full)
        return err_set(tx->err, RC_TOO_LARGE, "the wishes for its place are too long");
    *ret = buf_str(&b);
    return RC_OK;
}

/* All that can be refused, with nothing written. */
struct draft {
    struct service v;
    struct service copy; /* with its node */
    struct backup b;
};

/* Elsewhere where there is room; else beside the service. */
static enum rc find_place(struct tx *tx, const struct service *v, struct service *copy,
                          const struct profile *p)
{
    struct service wishing = *copy;
    TRY(wish_elsewhere(tx, v, &wishing.wish));
    enum rc rc = service_probe(tx, &wishing, p);
    if (rc == RC_CONFLICT) {
        err_clear(tx->err);
        return service_probe(tx, copy, p);
    }
    TRY(rc);
    copy->node = wishing.node;
    copy->site = wishing.site;
    return RC_OK;
}

static enum rc make_draft(struct tx *tx, struct str service, struct str backup, struct draft *ret)
{
    struct draft d;
    struct profile profile;
    TRY(service_get(tx, service, &d.v));
    TRY(kind_profile(tx, d.v.kind, &profile));
    TRY(check_service(tx, &d.v, &profile));
    TRY(choose_backup(tx, &d.v, backup, &d.b));
    d.copy = d.v;
    d.copy.id = id_new(tx->ids, tx->arena, "svc");
    d.copy.node = STR(""); /* it is nowhere yet */
    TRY(find_place(tx, &d.v, &d.copy, &profile));
    *ret = d;
    return RC_OK;
}

static enum rc begin(struct tx *tx, const struct seal *seal, const struct draft *d, struct str id)
{
    struct service copy;
    TRY(copy_row(tx, d->v.id, d->copy.id));
    TRY(service_get(tx, d->copy.id, &copy));
    copy.node = d->copy.node;
    copy.site = d->copy.site;
    TRY(service_take(tx, &copy));
    TRY(backup_lay(tx, copy.id, d->b.id));
    TRY(service_renew(tx, seal, &copy));
    return sql_run(tx,
                   "INSERT INTO drill (id, service, client, backup, copy, node, state, promises, "
                   "reason, began, ended) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', $8, 0)",
                   V(id), V(d->v.id), V(d->v.client), V(d->b.id), V(copy.id), V(copy.node),
                   V(drill_states[DRILL_RUNNING]), V(tx->now));
}

enum rc drill_begin(struct tx *tx, const struct seal *seal, struct str service,
                    const struct drill_order *order, struct drill *ret)
{
    struct draft d;
    struct rows rows;
    struct str id = id_new(tx->ids, tx->arena, "drl");
    TRY(make_draft(tx, service, order->backup, &d));
    TRY(suspension_check(tx, d.v.client, d.v.seller));
    TRY(begin(tx, seal, &d, id));
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS FROM "WHERE d.id = $1", V(id)));
    *ret = read_row(tx, &rows, 0);
    return RC_OK;
}

/* --- end --- */

/* The drill in hand of a copy: its id; empty where there is none. */
static enum rc open_of(struct tx *tx, struct str copy, struct str *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT id FROM drill WHERE copy = $1 AND state = $2", V(copy),
                 V(drill_states[DRILL_RUNNING])));
    *ret = rows.count > 0 ? row_str(&rows, 0, 0) : STR("");
    return RC_OK;
}

struct end {
    struct str drill;
    enum drill_state state;
    int64_t promises;
    struct str reason;
};

static enum rc end_it(struct tx *tx, const struct seal *seal, struct service *copy,
                      const struct end *e)
{
    TRY(sql_run(tx,
                "UPDATE drill SET state = $2, promises = $3, reason = $4, ended = $5 "
                "WHERE id = $1",
                V(e->drill), V(drill_states[e->state]), V(e->promises), V(e->reason), V(tx->now)));
    copy->wanted = SPEC_GONE;
    copy->state = SERVICE_ENDING;
    return service_renew(tx, seal, copy);
}

/* How the last one went is a promise of the service. */
static enum rc promise(struct tx *tx, struct str service, struct str node, bool passed,
                       struct str why)
{
    const struct promise_change c = {.subject = service,
                                     .node = node,
                                     .name = PROMISE_DRILL,
                                     .state = passed ? PROMISE_KEPT : PROMISE_FAILING,
                                     .text = passed ? STR("") : why,
                                     .since = tx->now};
    return promise_change_put(tx, &c);
}

enum rc drill_seen(struct tx *tx, const struct seal *seal, struct service *copy,
                   const struct sighting *s)
{
    struct profile profile;
    const struct sighting_promise *broken = NULL;
    struct end e = {.state = DRILL_PASSED, .reason = s->reason};
    TRY(open_of(tx, copy->id, &e.drill));
    if (e.drill.n == 0)
        return RC_OK;
    TRY(kind_profile(tx, copy->kind, &profile));
    e.promises = promise_kept(&s->promises, &broken);
    if (broken != NULL && e.reason.n == 0)
        e.reason = arena_fmt(tx->arena, "promise '%.*s' is not kept: %.*s", STRF(broken->name),
                             STRF(broken->text));
    if (copy->state == SERVICE_RUNNING && e.promises == (int64_t)profile.promises.count) {
        TRY(promise(tx, copy->drill_of, copy->node, true, STR("")));
        return end_it(tx, seal, copy, &e);
    }
    if (e.reason.n == 0)
        e.reason = s->step;
    return sql_run(tx, "UPDATE drill SET promises = $2, reason = $3 WHERE id = $1", V(e.drill),
                   V(e.promises), V(e.reason));
}

struct stop {
    const char *why; /* NULL: its time is over */
};

static enum rc stop_one(struct tx *tx, const struct seal *seal, struct service *copy, void *arg)
{
    const struct stop *stop = arg;
    struct rows rows;
    struct end e = {.state = DRILL_FAILED};
    TRY(open_of(tx, copy->id, &e.drill));
    TRY(sql_rows(tx, &rows, "SELECT promises, reason FROM drill WHERE id = $1", V(e.drill)));
    ASSERT(rows.count == 1);
    struct str last = row_str(&rows, 0, 1);
    e.promises = row_int(&rows, 0, 0);
    if (stop->why != NULL)
        e.reason = str_c(stop->why);
    else
        e.reason = arena_fmt(tx->arena, "after %d minutes the copy is %s%s%.*s",
                             (int)(DRILL_MAX_US / (60 * US_PER_SECOND)),
                             service_states[copy->state], last.n > 0 ? ": " : "", STRF(last));
    if (stop->why == NULL)
        TRY(promise(tx, copy->drill_of, copy->node, false, e.reason));
    return end_it(tx, seal, copy, &e);
}

enum rc drill_halt(struct tx *tx, const struct seal *seal, struct str service, const char *why)
{
    struct rows rows;
    struct stop stop = {.why = why};
    TRY(sql_rows(tx, &rows,
                 "SELECT " SERVICE_COLUMNS SERVICE_FROM "JOIN drill d ON d.copy = v.id "
                 "WHERE d.service = $1 AND d.state = $2 ORDER BY v.id",
                 V(service), V(drill_states[DRILL_RUNNING])));
    return service_each(tx, seal, &rows, stop_one, &stop);
}

enum rc drill_stop(struct tx *tx, const struct seal *seal, struct str service)
{
    TRY(sql_run(tx, "DELETE FROM drill_plan WHERE service = $1", V(service)));
    return drill_halt(tx, seal, service, "the service was cancelled meanwhile");
}

/* --- by plan --- */

enum rc drill_plan_get(struct tx *tx, struct str service, struct drill_plan *ret)
{
    struct rows rows;
    struct service v;
    TRY(service_get(tx, service, &v));
    TRY(sql_rows(tx, &rows, "SELECT every_days, next FROM drill_plan WHERE service = $1",
                 V(service)));
    *ret = (struct drill_plan){.set = schema_all(&drill_plan_schema), .service = service};
    if (rows.count > 0) {
        ret->every_days = row_int(&rows, 0, 0);
        ret->next = row_int(&rows, 0, 1);
    }
    return RC_OK;
}

static enum rc check_plan(struct tx *tx, struct str service)
{
    struct service v;
    struct profile profile;
    struct rows rows;
    TRY(service_get(tx, service, &v));
    TRY(drill_refuse(tx, &v));
    TRY(kind_profile(tx, v.kind, &profile));
    if (v.wanted == SPEC_GONE)
        return err_set(tx->err, RC_CONFLICT, "service '%.*s' is %s: nothing of it is tried",
                       STRF(v.name), service_states[v.state]);
    if (profile.needs.count > 0)
        return err_set(tx->err, RC_CONFLICT,
                       "'%.*s' uses other services, and its copy would write to them: try those",
                       STRF(v.name));
    TRY(sql_rows(tx, &rows, "SELECT service FROM backup_plan WHERE service = $1", V(service)));
    return rows.count > 0
               ? RC_OK
               : err_set(tx->err, RC_CONFLICT, "'%.*s' is never backed up: there is nothing to try",
                         STRF(v.name));
}

enum rc drill_plan_set(struct tx *tx, struct str service, const struct drill_plan *plan,
                       struct drill_plan *ret)
{
    TRY(check_plan(tx, service));
    if (plan->every_days == 0)
        TRY(sql_run(tx, "DELETE FROM drill_plan WHERE service = $1", V(service)));
    else
        TRY(sql_run(tx,
                    "INSERT INTO drill_plan (service, every_days, next) VALUES ($1, $2, $3) "
                    "ON CONFLICT (service) DO UPDATE SET every_days = excluded.every_days, "
                    "next = excluded.next",
                    V(service), V(plan->every_days), V(tx->now + plan->every_days * US_PER_DAY)));
    return drill_plan_get(tx, service, ret);
}

enum rc drill_plan_begin(struct tx *tx, struct str service, int64_t every_days)
{
    return sql_run(tx,
                   "INSERT INTO drill_plan (service, every_days, next) VALUES ($1, $2, $3) "
                   "ON CONFLICT (service) DO NOTHING",
                   V(service), V(every_days), V(tx->now + every_days * US_PER_DAY));
}

/* Those that run, that nobody tries already, and for which there is time: none while many are. */
#define PLANNED                                                                      \
    "SELECT p.service, p.every_days, v.node FROM drill_plan p JOIN service v "       \
    "ON v.id = p.service WHERE p.next <= $1 AND v.state = 'running' AND NOT EXISTS " \
    "(SELECT 1 FROM drill d WHERE d.service = p.service AND d.state = 'running') "   \
    "AND (SELECT COUNT(*) FROM drill r WHERE r.state = 'running') < $2 "             \
    "ORDER BY p.next, p.service LIMIT 1"

static enum rc planned(struct tx *tx, struct rows *ret)
{
    return sql_rows(tx, ret, PLANNED, V(tx->now), V((int64_t)DRILL_AT_ONCE));
}

/* What cannot be tried is told like what was tried in vain. */
static enum rc try_planned(struct tx *tx, const struct seal *seal, const struct rows *r)
{
    struct draft d;
    struct str service = row_str(r, 0, 0);
    int64_t days = row_int(r, 0, 1);
    enum rc rc = make_draft(tx, service, STR(""), &d);
    if (rc == RC_CONFLICT) {
        struct str why =
            arena_fmt(tx->arena, "no drill could begin: %.*s", STRF(err_text(tx->err)));
        err_clear(tx->err);
        TRY(promise(tx, service, row_str(r, 0, 2), false, why));
        days = 1;
    } else {
        TRY(rc);
        TRY(begin(tx, seal, &d, id_new(tx->ids, tx->arena, "drl")));
    }
    return sql_run(tx, "UPDATE drill_plan SET next = $2 WHERE service = $1", V(service),
                   V(tx->now + days * US_PER_DAY));
}

/* --- the clock's --- */

static enum rc late(struct tx *tx, struct rows *ret)
{
    return sql_rows(tx, ret,
                    "SELECT " SERVICE_COLUMNS SERVICE_FROM "JOIN drill d ON d.copy = v.id "
                    "WHERE d.state = $1 AND d.began <= $2 ORDER BY d.began, d.id LIMIT $3",
                    V(drill_states[DRILL_RUNNING]), V(tx->now - DRILL_MAX_US),
                    V((int64_t)DRILL_TICK_MAX));
}

enum rc drill_tick_due(struct tx *tx, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id FROM drill WHERE state = $1 AND began <= $2 ORDER BY began LIMIT 1",
                 V(drill_states[DRILL_RUNNING]), V(tx->now - DRILL_MAX_US)));
    *ret = rows.count > 0;
    if (*ret)
        return RC_OK;
    TRY(planned(tx, &rows));
    *ret = rows.count > 0;
    return RC_OK;
}

enum rc drill_tick(struct tx *tx, const struct seal *seal, bool *ret)
{
    struct rows rows;
    struct stop stop = {0};
    struct rows due;
    TRY(late(tx, &rows));
    TRY(service_each(tx, seal, &rows, stop_one, &stop));
    TRY(planned(tx, &due));
    if (due.count > 0)
        TRY(try_planned(tx, seal, &due));
    *ret = rows.count == DRILL_TICK_MAX || due.count > 0;
    return RC_OK;
}
