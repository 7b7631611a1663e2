/*
 * service_order.c - an order: checked, reserved, placed, described, or nothing of it.
 */
#include "catalog/subscription.h"
#include "catalog/suspension.h"
#include "fleet/drill.h"
#include "fleet/move.h"
#include "fleet/placement.h"
#include "fleet/service_inside.h"
#include "fleet/upgrade.h"
#include "fleet/vantage.h"
#include "fleet/words.h"
#include "party/event.h"

enum { NODES_BEST = 64 }; /* that an order looks at before it looks at all */

static enum rc invalid(struct tx *tx, const char *pointer, const char *text)
{
    return err_set_at(tx->err, RC_INVALID, str_c(pointer), "%s", text);
}

/* --- parameters --- */

/* What is said last wins: what held, what the client says, what the plan fixes. */
enum rc service_merge(struct tx *tx, const struct json *old, const struct json *chosen,
                      const struct json *fixed, struct str *ret)
{
    const struct json *layers[] = {fixed, chosen, old};
    struct buf b;
    struct json_writer w;
    if (chosen != NULL && json_type(chosen) != JSON_OBJECT)
        return invalid(tx, "/parameters", "must be an object");
    for (const struct json *c = chosen != NULL ? json_first(chosen) : NULL; c != NULL;
         c = json_next(chosen, c))
        if (json_get(fixed, json_key(c)) != NULL)
            return err_set_at(tx->err, RC_INVALID,
                              arena_fmt(tx->arena, "/parameters/%.*s", STRF(json_key(c))),
                              "is fixed by the plan");
    buf_init(&b, tx->arena, KIND_PARAMETERS_BYTES_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    for (size_t i = 0; i < COUNT(layers); i++) {
        if (layers[i] == NULL)
            continue;
        for (const struct json *c = json_first(layers[i]); c != NULL; c = json_next(layers[i], c)) {
            bool above = false;
            for (size_t k = 0; k < i; k++)
                above = above || (layers[k] != NULL && json_get(layers[k], json_key(c)) != NULL);
            if (above)
                continue;
            json_put_key(&w, json_key(c));
            json_put_node(&w, c);
        }
    }
    json_end_object(&w);
    if (b.full)
        return err_set_at(tx->err, RC_TOO_LARGE, STR("/parameters"), "they are too long");
    *ret = buf_str(&b);
    return RC_OK;
}

/* --- what the client names --- */

static enum rc check_agreement(struct tx *tx, struct str client, struct str id,
                               struct agreement *ret)
{
    enum rc rc = agreement_get(tx, id, ret);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && !str_eq(ret->to, client)))
        return err_set_at(tx->err, RC_INVALID, STR("/agreement"), "you buy nothing by '%.*s'",
                          STRF(id));
    TRY(rc);
    if (ret->kind != AGREEMENT_SUPPLY || ret->state != AGREEMENT_ACTIVE)
        return invalid(tx, "/agreement", "this is no supply agreement that is in force");
    return RC_OK;
}

static enum rc find_plan(struct tx *tx, struct str named, struct plan *ret, struct offer *ret_offer)
{
    enum rc rc = id_is(named, "pln") ? plan_get(tx, named, ret) : plan_find(tx, named, ret);
    if (rc == RC_OK)
        rc = offer_of_plan(tx, ret->id, ret_offer);
    if (rc == RC_NOT_FOUND)
        return invalid(tx, "/plan", "no service is sold by this plan");
    return rc;
}

static enum rc check_wish(struct tx *tx, struct str client, const struct service_wish *w,
                          struct str *ret)
{
    struct str unused;
    struct buf b;
    struct json_writer jw;
    const struct str *beside = w->not_beside.items;
    TRY(words_join(&w->labels, "/where/labels", tx->arena, &unused, tx->err));
    for (size_t i = 0; i < w->not_beside.count; i++) {
        struct service other;
        TRY(service_own(tx, client, beside[i], "/where/not_beside", &other));
    }
    buf_init(&b, tx->arena, KIND_PARAMETERS_BYTES_MAX);
    json_writer_init(&jw, &b);
    schema_encode(&service_wish_schema, w, &jw);
    ASSERT(!b.full);
    *ret = buf_str(&b);
    return RC_OK;
}

/* --- a place --- */

/* "vm:kvm" and "vm:qemu" both can run a vm. */
static struct str can_run(struct tx *tx, struct str features)
{
    bool vm = words_have(features, STR("vm:kvm")) || words_have(features, STR("vm:qemu"));
    return vm ? arena_fmt(tx->arena, "%.*s vm", STRF(features)) : features;
}

#define NODE_ROOM "n.memory_bytes - n.memory_taken"
#define NODE_CPU  "n.cpu_milli * n.commitment_percent / 100 - n.cpu_taken"
#define NODE_DISK "n.disk_bytes - n.disk_taken"
/* Nodes that take services and were heard of lately: nearly all, so that no index is chosen by
 * when ("+" in SQLite; it means nothing elsewhere). */
#define NODES_READY                                                           \
    "SELECT n.id, n.site, s.country, s.city, s.legal, n.labels, n.features, " \
    "n.price_class, " NODE_CPU ", " NODE_ROOM ", " NODE_DISK                  \
    " FROM node n JOIN site s ON s.id = n.site WHERE n.state = 'ready' AND +n.seen >= $1 "
/* Of those, which have the room and are in the country, if one is wished. */
#define NODES_FIT                                                                         \
    NODES_READY "AND " NODE_ROOM " >= $2 AND " NODE_CPU " >= $3 AND " NODE_DISK " >= $4 " \
                "AND ($5 = '' OR s.country = $5) "
#define TIGHT_FIRST "ORDER BY " NODE_ROOM ", n.site, n.id LIMIT $6"
#define ROOMY_FIRST "ORDER BY " NODE_ROOM " DESC, n.site, n.id LIMIT $6"

static struct placement_node *nodes_of(struct tx *tx, const struct rows *rows)
{
    struct placement_node *nodes = NEW_N(tx->arena, struct placement_node, rows->count);
    for (size_t i = 0; i < rows->count; i++)
        nodes[i] = (struct placement_node){.id = row_str(rows, i, 0),
                                           .site = row_str(rows, i, 1),
                                           .country = row_str(rows, i, 2),
                                           .city = row_str(rows, i, 3),
                                           .legal = row_str(rows, i, 4),
                                           .labels = row_str(rows, i, 5),
                                           .features = can_run(tx, row_str(rows, i, 6)),
                                           .price_class = row_int(rows, i, 7),
                                           .cpu_free = row_int(rows, i, 8),
                                           .memory_free = row_int(rows, i, 9),
                                           .disk_free = row_int(rows, i, 10)};
    return nodes;
}

/* All of them, by site. */
static enum rc read_nodes(struct tx *tx, struct rows *ret)
{
    return sql_rows(tx, ret, NODES_READY "ORDER BY n.site, n.id LIMIT $2",
                    V(tx->now - NODE_LOST_US), V((int64_t)PLACEMENT_NODES_MAX));
}

/* The first of those that fit by numbers and place, in the order in which placement prefers them:
 * the best of these is the best of all, and a large fleet is not read for each order. */
static enum rc read_best(struct tx *tx, const struct placement_wish *w, struct rows *ret)
{
    const struct value values[] = {V(tx->now - NODE_LOST_US),
                                   V(w->memory_bytes),
                                   V(w->cpu_milli),
                                   V(w->disk_bytes),
                                   V(w->country),
                                   V((int64_t)NODES_BEST),
                                   V(w->site)};
    static const char *const sql[] = {NODES_FIT TIGHT_FIRST, NODES_FIT ROOMY_FIRST,
                                      /* By the index of sites, however many there are. */
                                      NODES_FIT "AND n.site = $7 " TIGHT_FIRST,
                                      NODES_FIT "AND n.site = $7 " ROOMY_FIRST};
    bool here = w->site.n > 0;
    return sql_rows_n(tx, ret, sql[2 * here + w->spread], values, COUNT(values) - !here);
}

/* The nodes of the services that it must not stand beside, the one where it is, and those that it
 * has left something on. */
static enum rc read_beside(struct tx *tx, const struct service *v, const struct service_wish *w,
                           struct placement_wish *ret)
{
    const struct str *ids = w->not_beside.items;
    struct str *nodes = NEW_N(tx->arena, struct str, SERVICE_BESIDE_MAX + PLACEMENT_BESIDE_MAX);
    struct rows left;
    size_t count = 0;
    for (size_t i = 0; i < w->not_beside.count && i < SERVICE_BESIDE_MAX; i++) {
        struct service other;
        TRY(service_get(tx, ids[i], &other));
        if (other.node.n > 0)
            nodes[count++] = other.node;
    }
    if (v->node.n > 0)
        nodes[count++] = v->node;
    TRY(sql_rows(tx, &left,
                 "SELECT node FROM service_left WHERE service = $1 ORDER BY node LIMIT 31",
                 V(v->id)));
    for (size_t i = 0; i < left.count; i++)
        nodes[count++] = row_str(&left, i, 0);
    ASSERT(count <= PLACEMENT_BESIDE_MAX);
    ret->not_beside = nodes;
    ret->not_beside_count = count;
    return RC_OK;
}

static enum rc read_wish(struct tx *tx, const struct service *v, const struct profile *p,
                         struct placement_wish *ret)
{
    const struct json *json = NULL;
    struct service_wish w = {0};
    TRY(json_parse(v->wish, tx->arena, &json, tx->err));
    TRY(schema_decode(&service_wish_schema, SCHEMA_WHOLE, json, tx->arena, &w, tx->err));
    struct placement_wish wish = {.cpu_milli = v->cpu_milli,
                                  .memory_bytes = v->memory_bytes,
                                  .disk_bytes = v->disk_bytes,
                                  .feature = str_c(spec_runtimes[p->runtime]),
                                  .site = w.site,
                                  .country = w.country,
                                  .city = w.city,
                                  .public = p->public,
                                  .spread = w.spread};
    TRY(words_join(&w.labels, "/where/labels", tx->arena, &wish.labels, tx->err));
    wish.price_class_max = -1;
    if (schema_has(&service_wish_schema, &w, "price_class"))
        wish.price_class_max = w.price_class;
    TRY(read_beside(tx, v, &w, &wish));
    *ret = wish;
    return RC_OK;
}

static enum rc choose(struct tx *tx, const struct rows *rows, const struct placement_wish *wish,
                      struct service *v)
{
    struct placement_node *nodes = nodes_of(tx, rows);
    size_t at = 0;
    TRY(placement_choose(placement_new(nodes, rows->count, tx->arena), wish, tx->arena, &at,
                         tx->err));
    v->node = nodes[at].id;
    v->site = nodes[at].site;
    return RC_OK;
}

/* Among the best first; where none of them will do, perhaps one further down does, and a refusal
 * that is told why has seen all. */
static enum rc look_for_place(struct tx *tx, struct service *v, const struct profile *profile,
                              bool why)
{
    struct rows rows;
    struct placement_wish wish;
    TRY(read_wish(tx, v, profile, &wish));
    TRY(read_best(tx, &wish, &rows));
    enum rc rc = choose(tx, &rows, &wish, v);
    if (rc != RC_CONFLICT || (rows.count < NODES_BEST && !why))
        return rc;
    err_clear(tx->err);
    TRY(read_nodes(tx, &rows));
    return choose(tx, &rows, &wish, v);
}

enum rc service_seek(struct tx *tx, struct service *v, const struct profile *profile, bool *ret)
{
    enum rc rc = look_for_place(tx, v, profile, false);
    if (rc != RC_OK && rc != RC_CONFLICT)
        return rc;
    if (rc == RC_CONFLICT)
        err_clear(tx->err);
    *ret = rc == RC_OK;
    return RC_OK;
}

enum rc service_probe(struct tx *tx, struct service *v, const struct profile *profile)
{
    return look_for_place(tx, v, profile, true);
}

enum rc service_take(struct tx *tx, const struct service *v)
{
    struct node_taken taken = {v->cpu_milli, v->memory_bytes, v->disk_bytes};
    TRY(node_take(tx, v->node, taken));
    return sql_run(tx,
                   "INSERT INTO service_place (service, node, since) VALUES ($1, $2, $3) "
                   "ON CONFLICT (service, node) DO UPDATE SET since = excluded.since",
                   V(v->id), V(v->node), V(tx->now));
}

enum rc service_place(struct tx *tx, struct service *v, const struct profile *profile)
{
    TRY(service_probe(tx, v, profile));
    return service_take(tx, v);
}

/* --- making it real --- */

/* Quota and credit along the whole path; the node's owner provides it and earns its share. */
static enum rc reserve(struct tx *tx, struct service *v, const struct node *node)
{
    struct subscription fresh = {.agreement = v->agreement,
                                 .plan = v->plan,
                                 .name = v->name,
                                 .producer = node->owner,
                                 .asset = node->asset};
    struct subscription made;
    if (v->parent.n > 0) {
        struct service parent;
        TRY(service_get(tx, v->parent, &parent));
        if (str_eq(parent.agreement, v->agreement))
            fresh.parent = parent.subscription;
    }
    TRY(subscription_create(tx, &fresh, &made));
    v->subscription = made.id;
    return RC_OK;
}

enum rc service_begin(struct tx *tx, const struct seal *seal, struct service *v)
{
    struct profile profile;
    struct node node;
    TRY(kind_profile(tx, v->kind, &profile));
    TRY(operation_reach(tx, v->id, "reserve"));
    TRY(service_place(tx, v, &profile));
    TRY(node_get(tx, v->node, &node));
    TRY(reserve(tx, v, &node));
    TRY(operation_reach(tx, v->id, "place"));
    TRY(vantage_begin(tx, v, &profile));
    v->state = SERVICE_PREPARING;
    TRY(service_waits(tx, seal, v, &v->reason));
    if (v->reason.n > 0) /* its node is told of it when that runs */
        TRY(service_keep(tx, v, "[\"state\"]"));
    else
        TRY(service_renew(tx, seal, v));
    TRY(operation_reach(tx, v->id, "prepare"));
    return v->reason.n > 0 ? operation_explain(tx, v->id, v->reason) : RC_OK;
}

static enum rc insert(struct tx *tx, const struct service *v)
{
    return sql_run(
        tx,
        "INSERT INTO service (id, version, client, seller, agreement, plan, subscription, profile, "
        "profile_name, parent, name, parameters, needs, wish, failover, state, wanted, node, "
        "generation, restart, cpu_milli, memory_bytes, disk_bytes, spec, secrets, seen_state, "
        "seen_generation, step, reason, starts, facts, promises, created, changed) "
        "VALUES ($1, 1, $2, $3, $4, $5, NULL, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, NULL, "
        "0, 0, $16, $17, $18, $19, $19, '', 0, '', '', 0, '[]', '[]', $20, $20)",
        V(v->id), V(v->client), V(v->seller), V(v->agreement), V(v->plan), V(v->kind),
        V(v->profile), value_opt(v->parent), V(v->name), V(v->parameters), V(v->needs), V(v->wish),
        V(v->failover), V(service_states[v->state]), V(spec_states[v->wanted]), V(v->cpu_milli),
        V(v->memory_bytes), V(v->disk_bytes), value_bytes(STR("")), V(tx->now));
}

/* Parameters that fit, and what the service takes by them. */
enum rc service_measure(struct tx *tx, const struct profile *p, struct service *v)
{
    const struct json *json = NULL;
    struct profile_values *values = NEW(tx->arena, struct profile_values);
    struct profile_taken taken;
    TRY(json_parse(v->parameters, tx->arena, &json, tx->err));
    TRY(profile_parameters(p, json, tx->arena, values, tx->err));
    TRY(profile_taken(p, values, tx->arena, &taken, tx->err));
    v->cpu_milli = taken.cpu_milli;
    v->memory_bytes = taken.memory_bytes;
    v->disk_bytes = taken.disk_bytes;
    return RC_OK;
}

/* --- an order --- */

struct draft {
    struct service v;
    struct plan plan;
    bool approval;
    struct need_met met[PROFILE_NEEDS_MAX];
    size_t count;
};

/* Everything that can be said of an order before anything is taken. with: what it uses may be
 * ordered with it. */
static enum rc draft(struct tx *tx, struct str client, const struct service_order *o, bool with,
                     struct draft *ret)
{
    struct agreement agreement;
    struct offer offer;
    struct kind kind;
    struct profile *profile = NEW(tx->arena, struct profile);
    struct service parent;
    struct service v = {.client = client, .parent = o->parent, .failover = o->failover};
    TRY(check_agreement(tx, client, o->agreement, &agreement));
    TRY(find_plan(tx, o->plan, &ret->plan, &offer));
    TRY(kind_read_newest(tx, offer.kind, &kind, profile));
    if (v.parent.n > 0)
        TRY(service_own(tx, client, v.parent, "/parent", &parent));
    const struct need_order needs = {.client = client,
                                     .agreement = agreement.id,
                                     .period = ret->plan.period,
                                     .where = &o->where,
                                     .orders = with && !offer.approval};
    TRY(service_meet(tx, &needs, profile, o->needs, ret->met));
    TRY(check_wish(tx, client, &o->where, &v.wish));
    TRY(service_merge(tx, NULL, o->parameters, offer.parameters, &v.parameters));
    v.id = tx->writing ? id_new(tx->ids, tx->arena, "svc") : STR(""); /* a price is only read */
    v.version = 1;
    v.seller = agreement.from;
    v.agreement = agreement.id;
    v.plan = ret->plan.id;
    v.kind = kind.id;
    v.profile = kind.name;
    v.name = o->name.n > 0 ? o->name : kind.title;
    v.state = SERVICE_ORDERED;
    v.wanted = SPEC_RUNNING;
    TRY(service_measure(tx, profile, &v));
    ret->v = v;
    ret->approval = offer.approval;
    ret->count = profile->needs.count;
    return RC_OK;
}

/* One that others share is a service of its own; else it is part of who uses it. What it uses
 * itself is there already. */
static enum rc draft_needed(struct tx *tx, const struct service_order *o, struct draft *d,
                            struct draft *ret, size_t *ret_count)
{
    size_t count = 0;
    for (size_t i = 0; i < d->count; i++) {
        struct need_met *m = &d->met[i];
        const struct service_order one = {
            .agreement = o->agreement, .plan = m->plan, .where = o->where, .failover = o->failover};
        if (m->plan.n == 0)
            continue;
        struct draft *needed = &ret[count++];
        enum rc rc = draft(tx, d->v.client, &one, false, needed);
        if (rc == RC_INVALID)
            err_at(tx->err, m->pointer);
        TRY(rc);
        if (!m->need->shared)
            needed->v.parent = d->v.id;
        m->service = needed->v.id;
    }
    *ret_count = count;
    return RC_OK;
}

/* It is written down, and nothing taken yet. */
static enum rc put_down(struct tx *tx, struct draft *d)
{
    static const char *const steps[] = {"approve", "reserve", "place", "prepare", "start", NULL};
    struct operation operation;
    d->v.needs = service_needs_text(tx, d->met, d->count);
    TRY(insert(tx, &d->v));
    TRY(service_keep_needs(tx, d->v.id, d->met, d->count));
    TRY(event_put(tx, "event.service.created", d->v.client, "service", d->v.id, 1, STR("")));
    return operation_begin(tx, d->v.id, d->v.client, "order", d->approval ? steps : steps + 1,
                           &operation);
}

enum rc service_order(struct tx *tx, const struct seal *seal, struct str client,
                      const struct service_order *order, struct service *ret)
{
    struct draft *d = NEW(tx->arena, struct draft);
    struct draft *needed = NEW_N(tx->arena, struct draft, PROFILE_NEEDS_MAX);
    struct need_met found[PROFILE_NEEDS_MAX];
    size_t count = 0, found_count = 0;
    TRY(draft(tx, client, order, true, d));
    TRY(suspension_check(tx, client, d->v.seller));
    TRY(draft_needed(tx, order, d, needed, &count));
    TRY(put_down(tx, d));
    for (size_t i = 0; i < count; i++) {
        TRY(put_down(tx, &needed[i]));
        TRY(service_begin(tx, seal, &needed[i].v));
    }
    if (!d->approval)
        TRY(service_begin(tx, seal, &d->v));
    TRY(service_get(tx, d->v.id, ret));
    for (size_t i = 0; i < d->count; i++)
        if (!d->met[i].named || d->met[i].plan.n > 0)
            found[found_count++] = d->met[i];
    if (found_count > 0)
        ret->set |= schema_bit(&service_schema, "parts");
    ret->parts = service_parts(tx, found, found_count);
    return RC_OK;
}

enum rc service_price(struct tx *tx, struct str client, const struct service_order *order,
                      struct list *ret)
{
    struct draft *d = NEW(tx->arena, struct draft);
    struct draft *needed = NEW_N(tx->arena, struct draft, PROFILE_NEEDS_MAX);
    struct need_met all[PROFILE_NEEDS_MAX + 1];
    size_t count = 0;
    bool sold = false;
    TRY(draft(tx, client, order, true, d));
    struct need_met own = {.code = d->plan.code};
    TRY(catalog_plan_prices(tx, d->v.agreement, client, &d->plan, &sold, &own.prices));
    if (!sold)
        return invalid(tx, "/plan", "it is not sold to you");
    all[0] = own;
    memcpy(all + 1, d->met, d->count * sizeof *all);
    TRY(draft_needed(tx, order, d, needed, &count)); /* it would be refused now, too */
    *ret = service_parts(tx, all, d->count + 1);
    return RC_OK;
}

/* --- resize --- */

enum rc service_resize(struct tx *tx, const struct seal *seal, struct str id,
                       const struct service_resize *to, struct service *ret)
{
    static const char *const steps[] = {"reserve", "prepare", "start", NULL};
    struct service v;
    struct plan plan;
    struct offer offer;
    struct profile profile;
    struct node node;
    struct operation operation;
    const struct json *old = NULL;
    TRY(service_get(tx, id, &v));
    TRY(drill_refuse(tx, &v));
    TRY(move_refuse(tx, &v));
    TRY(suspension_check(tx, v.client, v.seller));
    TRY(upgrade_stop(tx, id, STR("it was resized meanwhile")));
    if (v.state != SERVICE_RUNNING && v.state != SERVICE_STOPPED && v.state != SERVICE_FAILED &&
        v.state != SERVICE_PREPARING)
        return err_set(tx->err, RC_CONFLICT, "service '%.*s' is %s and cannot be resized",
                       STRF(v.name), service_states[v.state]);
    struct node_taken more = {-v.cpu_milli, -v.memory_bytes, -v.disk_bytes};
    TRY(find_plan(tx, to->plan.n > 0 ? to->plan : v.plan, &plan, &offer));
    if (!str_eq(offer.kind, v.profile))
        return err_set_at(tx->err, RC_INVALID, STR("/plan"), "this plan sells '%.*s', not '%.*s'",
                          STRF(offer.kind), STRF(v.profile));
    TRY(kind_profile(tx, v.kind, &profile));
    TRY(json_parse(v.parameters, tx->arena, &old, tx->err));
    TRY(service_merge(tx, old, to->parameters, offer.parameters, &v.parameters));
    int64_t disk = v.disk_bytes;
    TRY(service_measure(tx, &profile, &v));
    if (v.disk_bytes < disk)
        return err_set_at(tx->err, RC_INVALID, STR("/parameters"), "a disk does not shrink");
    more.cpu_milli += v.cpu_milli;
    more.memory_bytes += v.memory_bytes;
    more.disk_bytes += v.disk_bytes;
    TRY(node_get(tx, v.node, &node));
    TRY(node_fits(tx, &node, more));
    if (!str_eq(plan.id, v.plan)) {
        struct subscription patch = {.plan = plan.id}, unused;
        patch.set = schema_bit(&subscription_schema, "plan");
        TRY(subscription_change(tx, v.subscription, 0, 0, &patch, &unused));
        v.plan = plan.id;
    }
    TRY(node_take(tx, v.node, more));
    TRY(operation_begin(tx, v.id, v.client, "resize", steps, &operation));
    if (v.wanted == SPEC_RUNNING)
        v.state = SERVICE_PREPARING;
    TRY(service_renew(tx, seal, &v));
    TRY(operation_reach(tx, v.id, v.wanted == SPEC_RUNNING ? "prepare" : NULL));
    return service_get(tx, id, ret);
}
