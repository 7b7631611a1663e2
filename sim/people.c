/* What people ask for: orders, changes, ends; and what the operator does with nodes. */
#include "sim.h"

#include "fleet/vantage.h"

enum {
    TEN_DAYS = 10,
    ORDER_S = 60, /* between two orders at the beginning, at most */
    FAILOVER_PERCENT = 40,
    SPREAD_PERCENT = 30,
    SITE_PERCENT = 15,
    BESIDE_PERCENT = 15,
    USER_PERCENT = 15,
    LARGE_PERCENT = 20,
    REFUSE_PERCENT = 20,
    TRIES = 8,
    TEXT_MAX = 100000,
};

static bool percent(struct sim *s, int64_t part)
{
    return sim_below(s, SIM_PERCENT) < part;
}

/* --- lives that go on --- */

static struct life *some_life(struct sim *s)
{
    for (int i = 0; i < TRIES && s->life_count > 0; i++) {
        struct life *life = s->lives[sim_below(s, (int64_t)s->life_count)];
        if (!life->over)
            return life;
    }
    return NULL;
}

/* --- orders --- */

struct ordering {
    struct sim *sim;
    struct service_order order;
    struct str beside;
    struct str needed; /* of a service of the plan "user" */
    struct service made;
};

static enum rc order_in(struct tx *tx, void *arg)
{
    struct ordering *o = arg;
    struct service_order order = o->order;
    if (o->beside.n > 0)
        order.where.not_beside = (struct list){&o->beside, 1};
    if (o->needed.n > 0)
        TRY(json_parse(arena_fmt(tx->arena, "{\"peer\":\"%.*s\"}", STRF(o->needed)), tx->arena,
                       &order.needs, tx->err));
    /* Of the wish, what it says. */
    order.where.set = 0;
    static const char *const fields[] = {"site", "spread", "not_beside"};
    const bool said[] = {order.where.site.n > 0, order.where.spread, o->beside.n > 0};
    for (size_t i = 0; i < COUNT(fields); i++)
        if (said[i])
            order.where.set |= schema_bit(&service_wish_schema, fields[i]);
    return service_order(tx, &o->sim->shop.seal, o->sim->shop.client, &order, &o->made);
}

/* --- looks from other sites --- */

struct watching {
    struct str id;
    struct vantage_order order;
};

static enum rc watch_in(struct tx *tx, void *arg)
{
    struct watching *w = arg;
    struct vantage unused;
    return vantage_set(tx, w->id, &w->order, &unused);
}

static enum rc watch(struct sim *s, const struct life *life, struct err *err)
{
    static const char *const fields[] = {"kind", "port", "places", "every_s"};
    static const int64_t every[] = {60, 120, 300};
    struct watching w = {.id = str_c(life->id),
                         .order = {.kind = PROBE_TCP,
                                   .port = STR("web"),
                                   .places = 1 + sim_below(s, VANTAGE_PLACES + 1),
                                   .every_s = every[sim_below(s, COUNT(every))]}};
    for (size_t i = 0; i < COUNT(fields); i++)
        w.order.set |= schema_bit(&vantage_order_schema, fields[i]);
    return control_write(s, watch_in, &w, err);
}

static enum rc order(struct sim *s, struct err *err)
{
    struct ordering o = {
        .sim = s,
        .order = {.agreement = s->shop.supply,
                  .plan = percent(s, LARGE_PERCENT) ? STR("large-month") : STR("small-month")}};
    const struct life *other = some_life(s);
    o.order.failover = percent(s, FAILOVER_PERCENT);
    o.order.where.spread = percent(s, SPREAD_PERCENT);
    if (percent(s, SITE_PERCENT))
        o.order.where.site = s->sites[sim_below(s, s->o.sites)];
    if (percent(s, BESIDE_PERCENT) && other != NULL)
        o.beside = str_c(other->id);
    bool keeps = percent(s, s->o.keeps);
    if (keeps)
        o.order.plan = STR("keeper-month");
    if (!keeps && percent(s, USER_PERCENT) && other != NULL) {
        o.needed = str_c(other->id);
        o.order.plan = STR("user-month");
    }
    TRY(control_write(s, order_in, &o, err));
    struct life *life = sim_life(s, o.made.id);
    s->counts.orders++;
    s->living++;
    life->keeps = keeps;
    life->failover = o.order.failover;
    sim_trace(s, "%s is ordered", life->id);
    if (o.needed.n == 0 && percent(s, s->o.watched))
        return watch(s, life, err);
    return RC_OK;
}

/* --- deeds --- */

struct deed {
    struct sim *sim;
    struct life *life;
    enum service_action action;
    int64_t text; /* of a resize */
    bool large;
    struct service made;
    struct str node;
    enum node_action act;
};

static enum rc act_in(struct tx *tx, void *arg)
{
    struct deed *d = arg;
    struct service v;
    TRY(service_get(tx, str_c(d->life->id), &v));
    if (v.state == SERVICE_ORDERED && d->action != SERVICE_REFUSE)
        d->action = SERVICE_APPROVE;
    if (v.state == SERVICE_STOPPED && d->action == SERVICE_STOP)
        d->action = SERVICE_START;
    return service_act(tx, &d->sim->shop.seal, v.id, d->action, &d->made);
}

static enum rc resize_in(struct tx *tx, void *arg)
{
    struct deed *d = arg;
    struct service_resize to = {.plan = d->large ? STR("large-month") : STR("small-month")};
    struct str text = arena_fmt(tx->arena, "{\"text\":\"t%lld\"}", (long long)d->text);
    TRY(json_parse(text, tx->arena, &to.parameters, tx->err));
    return service_resize(tx, &d->sim->shop.seal, str_c(d->life->id), &to, &d->made);
}

static enum rc node_in(struct tx *tx, void *arg)
{
    struct deed *d = arg;
    struct node unused;
    return node_act(tx, d->node, d->act, &unused);
}

static enum rc act(struct sim *s, struct err *err)
{
    static const struct {
        int percent;
        enum service_action action;
    } chances[] = {{30, SERVICE_STOP},  {20, SERVICE_START}, {12, SERVICE_RESTART},
                   {10, SERVICE_MOVE},  {8, SERVICE_CANCEL}, {2, SERVICE_REFUSE},
                   {18, SERVICE_RESIZE}};
    struct deed d = {.sim = s, .life = some_life(s)};
    int64_t dice = sim_below(s, SIM_PERCENT);
    size_t i = 0;
    for (; dice >= chances[i].percent; i++)
        dice -= chances[i].percent;
    d.action = chances[i].action;
    if (d.life == NULL)
        return RC_OK;
    d.text = sim_below(s, TEXT_MAX);
    d.large = percent(s, LARGE_PERCENT);
    TRY(control_write(s, d.action == SERVICE_RESIZE ? resize_in : act_in, &d, err));
    d.life->over = d.action == SERVICE_CANCEL || d.action == SERVICE_REFUSE;
    s->living -= d.life->over;
    sim_trace(s, "deed %d with %s", (int)d.action, d.life->id);
    return RC_OK;
}

static enum rc node_deed(struct sim *s, struct err *err)
{
    struct machine *m = &s->machines[sim_below(s, s->o.nodes)];
    struct deed d = {.sim = s, .node = str_c(m->id), .act = (enum node_action)sim_below(s, 3)};
    TRY(control_write(s, node_in, &d, err));
    sim_trace(s, "node deed %d with machine %zu", (int)d.act, m->number);
    return RC_OK;
}

/* What is refused by a rule changes nothing; anything else that fails is a mistake. */
static void check(struct sim *s, enum rc rc, const struct err *err)
{
    s->counts.deeds++;
    s->counts.refused += rc != RC_OK;
    if (rc != RC_OK && rc != RC_CONFLICT && rc != RC_INVALID && rc != RC_UNAVAILABLE)
        sim_fail(s, "a deed fails: %s: %s", rc_slug(rc), err->text);
    if (rc != RC_OK)
        sim_trace(s, "refused: %s", err->text);
}

void people_deed(struct sim *s)
{
    struct err err;
    err_clear(&err);
    if (s->calm)
        return;
    bool few = s->living < (size_t)s->o.services;
    enum rc rc = few ? order(s, &err) : percent(s, 5) ? node_deed(s, &err) : act(s, &err);
    check(s, rc, &err);
    if (!s->down)
        control_wake(s);
    int64_t every = TEN_DAYS * US_PER_DAY / max_i64(s->o.deeds * s->o.services, 1);
    if (few)
        every = min_i64(every, US_PER_HOUR / s->o.services);
    sim_put(s, sim_now(s) + 1 + sim_below(s, 2 * every), EVENT_DEED, 0, NULL);
}

/* All nodes take services again. */
void people_calm(struct sim *s)
{
    for (size_t i = 0; i < (size_t)s->o.nodes; i++) {
        struct err err;
        struct deed d = {.sim = s, .node = str_c(s->machines[i].id), .act = NODE_ENABLE};
        err_clear(&err);
        check(s, control_write(s, node_in, &d, &err), &err);
    }
    control_wake(s);
}
