/*
 * service_act.c - what people do with a service, by a table of allowed changes; and what the clock
 * does: lost nodes, failover.
 */
#include "catalog/subscription.h"
#include "catalog/suspension.h"
#include "fleet/backup.h"
#include "fleet/drill.h"
#include "fleet/hold.h"
#include "fleet/move.h"
#include "fleet/service_inside.h"
#include "fleet/snapshot.h"
#include "fleet/upgrade.h"

enum { TICK_NODES = 50, TICK_SERVICES = 50, WHY_EVERY = 32 };

static const char *const action_words[] = {"approved",  "refused", "stopped",   "started",
                                           "restarted", "moved",   "cancelled", "resized"};

#define STATE(s) (1U << SERVICE_##s)
static const unsigned allowed[SERVICE_ACTIONS] = {
    [SERVICE_APPROVE] = STATE(ORDERED),
    [SERVICE_REFUSE] = STATE(ORDERED),
    [SERVICE_STOP] = STATE(PREPARING) | STATE(RUNNING) | STATE(FAILED),
    [SERVICE_START] = STATE(STOPPED) | STATE(STOPPING),
    [SERVICE_RESTART] = STATE(RUNNING) | STATE(FAILED),
    [SERVICE_MOVE] = STATE(RUNNING) | STATE(FAILED) | STATE(STOPPED),
    [SERVICE_CANCEL] = STATE(ORDERED) | STATE(PREPARING) | STATE(RUNNING) | STATE(FAILED) |
                       STATE(STOPPING) | STATE(STOPPED),
    [SERVICE_RESIZE] = 0, /* service_resize */
};

/* A stopped one is restored when it starts. */
static const unsigned restorable = STATE(RUNNING) | STATE(FAILED) | STATE(STOPPED);

static enum rc begin(struct tx *tx, const struct service *v, const char *kind,
                     const char *const *steps)
{
    struct operation unused;
    return operation_begin(tx, v->id, v->client, kind, steps, &unused);
}

static enum rc stop(struct tx *tx, const struct seal *seal, struct service *v)
{
    static const char *const steps[] = {"stop", NULL};
    TRY(begin(tx, v, "stop", steps));
    v->wanted = SPEC_STOPPED;
    v->state = SERVICE_STOPPING;
    return service_renew(tx, seal, v);
}

static enum rc start(struct tx *tx, const struct seal *seal, struct service *v)
{
    static const char *const steps[] = {"prepare", "start", NULL};
    TRY(suspension_check(tx, v->client, v->seller));
    TRY(hold_drop(tx, v->id));
    TRY(begin(tx, v, "start", steps));
    v->wanted = SPEC_RUNNING;
    v->state = SERVICE_PREPARING;
    return service_renew(tx, seal, v);
}

static enum rc restart(struct tx *tx, const struct seal *seal, struct service *v)
{
    static const char *const steps[] = {"stop", "prepare", "start", NULL};
    TRY(begin(tx, v, "restart", steps));
    v->restart++;
    v->state = SERVICE_PREPARING;
    return service_renew(tx, seal, v);
}

enum rc service_tell_subscription(struct tx *tx, const struct service *v)
{
    struct node node;
    struct subscription patch = {0}, unused;
    TRY(node_get(tx, v->node, &node));
    patch.producer = node.owner;
    patch.asset = node.asset;
    patch.set =
        schema_bit(&subscription_schema, "producer") | schema_bit(&subscription_schema, "asset");
    return subscription_change(tx, v->subscription, 0, 0, &patch, &unused);
}

static enum rc elsewhere(struct tx *tx, const struct seal *seal, struct service *v,
                         const struct service *probe)
{
    TRY(service_leave(tx, v));
    v->node = probe->node;
    v->site = probe->site;
    TRY(service_take(tx, v));
    TRY(backup_follow(tx, v->id));
    TRY(service_tell_subscription(tx, v));
    return service_renew(tx, seal, v);
}

static enum rc approve(struct tx *tx, const struct seal *seal, struct service *v)
{
    TRY(suspension_check(tx, v->client, v->seller));
    return service_begin(tx, seal, v);
}

static enum rc refuse(struct tx *tx, const struct seal *seal UNUSED, struct service *v)
{
    TRY(operation_fail(tx, v->id, STR("the seller refused it")));
    v->state = SERVICE_REFUSED;
    v->wanted = SPEC_GONE;
    return service_keep(tx, v, "[\"state\"]");
}

/* --- the end --- */

static enum rc end_one(struct tx *tx, const struct seal *seal, struct service *v)
{
    static const char *const steps[] = {"stop", "remove", NULL};
    TRY(begin(tx, v, "cancel", steps));
    TRY(drill_stop(tx, seal, v->id));
    TRY(upgrade_stop(tx, v->id, STR("the service was cancelled meanwhile")));
    TRY(move_end(tx, v->id));
    TRY(hold_drop(tx, v->id));
    v->wanted = SPEC_GONE;
    v->state = v->node.n > 0 ? SERVICE_ENDING : SERVICE_ENDED;
    if (v->subscription.n > 0) {
        struct subscription s;
        TRY(subscription_get(tx, v->subscription, &s));
        if (s.state == SUBSCRIPTION_ACTIVE)
            TRY(subscription_end(tx, v->subscription, 0, &s));
    }
    v->generation++;
    TRY(service_keep(tx, v, "[\"state\"]"));
    if (v->node.n == 0)
        return operation_reach(tx, v->id, NULL);
    TRY(service_rewrite_spec(tx, seal, v)); /* what it uses may be stopped */
    return node_touch(tx, v->node);
}

/* The whole tree, what is below first: nobody uses what has gone. */
static enum rc cancel(struct tx *tx, const struct seal *seal, struct service *v)
{
    struct str *family = NEW_N(tx->arena, struct str, SERVICE_FAMILY_MAX);
    size_t count = 0;
    family[count++] = v->id;
    for (size_t i = 0; i < count; i++) {
        struct rows rows;
        TRY(sql_rows(tx, &rows,
                     "SELECT id FROM service WHERE parent = $1 AND wanted <> 'gone' ORDER BY id "
                     "LIMIT $2",
                     V(family[i]), V((int64_t)SERVICE_FAMILY_MAX)));
        if (count + rows.count > SERVICE_FAMILY_MAX)
            return err_set(tx->err, RC_TOO_LARGE,
                           "more than %d services are below it: cancel "
                           "some of them first",
                           SERVICE_FAMILY_MAX);
        for (size_t k = 0; k < rows.count; k++)
            family[count++] = row_str(&rows, k, 0);
    }
    for (size_t i = count; i > 1; i--) {
        struct service below;
        TRY(service_get(tx, family[i - 1], &below));
        TRY(end_one(tx, seal, &below));
    }
    return end_one(tx, seal, v);
}

/* Who uses it would be left without. */
static enum rc check_unneeded(struct tx *tx, const struct service *v)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT u.name FROM service_need d JOIN service u ON u.id = d.service "
                 "WHERE d.needed = $1 AND u.wanted <> 'gone' AND (u.parent IS NULL OR "
                 "u.parent <> $1) ORDER BY u.id LIMIT 1",
                 V(v->id)));
    if (rows.count > 0)
        return err_set(tx->err, RC_CONFLICT, "'%.*s' uses it: cancel that first",
                       STRF(row_str(&rows, 0, 0)));
    return RC_OK;
}

/* It is held already: it does not go on by itself. */
static enum rc stay_stopped(struct tx *tx, struct service *v)
{
    TRY(hold_drop(tx, v->id));
    return service_keep(tx, v, "[\"suspended\"]");
}

enum rc service_act(struct tx *tx, const struct seal *seal, struct str id,
                    enum service_action action, struct service *ret)
{
    static enum rc (*const steps[SERVICE_ACTIONS])(struct tx *, const struct seal *,
                                                   struct service *) = {
        [SERVICE_APPROVE] = approve, [SERVICE_REFUSE] = refuse,   [SERVICE_STOP] = stop,
        [SERVICE_START] = start,     [SERVICE_RESTART] = restart, [SERVICE_MOVE] = move_begin,
        [SERVICE_CANCEL] = cancel,
    };
    struct service v;
    ASSERT(steps[action] != NULL);
    TRY(service_get(tx, id, &v));
    TRY(drill_refuse(tx, &v));
    if (action == SERVICE_STOP && v.suspended.n > 0) {
        TRY(stay_stopped(tx, &v));
        return service_get(tx, id, ret);
    }
    if ((allowed[action] & 1U << v.state) == 0)
        return err_set(tx->err, RC_CONFLICT, "service '%.*s' is %s and cannot be %s", STRF(v.name),
                       service_states[v.state], action_words[action]);
    TRY(action == SERVICE_CANCEL ? check_unneeded(tx, &v) : move_refuse(tx, &v));
    if (action == SERVICE_MOVE)
        TRY(snapshot_refuse(tx, &v, "moved"));
    TRY(steps[action](tx, seal, &v));
    return service_get(tx, id, ret);
}

/* --- going back --- */

enum rc service_restore(struct tx *tx, const struct seal *seal, struct str id,
                        const struct service_restore *from, struct service *ret)
{
    static const char *const steps[] = {"restore", NULL};
    struct service v;
    TRY(service_get(tx, id, &v));
    TRY(drill_refuse(tx, &v));
    TRY(move_refuse(tx, &v));
    if ((restorable & 1U << v.state) == 0)
        return err_set(tx->err, RC_CONFLICT, "service '%.*s' is %s and cannot be restored",
                       STRF(v.name), service_states[v.state]);
    TRY(snapshot_refuse(tx, &v, "restored"));
    TRY(backup_choose(tx, id, from->backup));
    TRY(begin(tx, &v, "restore", steps));
    if (v.wanted == SPEC_RUNNING)
        v.state = SERVICE_PREPARING;
    TRY(service_renew(tx, seal, &v));
    return service_get(tx, id, ret);
}

/* --- the clock's --- */

/* Whether its reason says since its node was lost why it has no place. Of many that wait for their
 * site, all nodes are not counted at each tick; what the fleet looks like by now is told now and
 * then. */
static bool told_why(struct tx *tx, const struct service *v, const struct node *lost)
{
    uint64_t chance = 0;
    clock_chance(tx->ids->clock, &chance, sizeof chance);
    return v->reason.n > 0 && v->changed >= lost->changed && chance % WHY_EVERY != 0;
}

/* One service whose node is lost and whose lease has surely ended. Where there is no place it
 * stays, and is looked at again. */
static enum rc fail_over(struct tx *tx, const struct seal *seal, struct service *v, void *arg)
{
    size_t *moved = arg;
    static const char *const steps[] = {"place", "prepare", "start", NULL};
    struct profile profile;
    struct node node;
    struct service probe = *v;
    struct str unused;
    bool found = true;
    TRY(node_get(tx, v->node, &node));
    if (!node_lease_ended(&node, tx->now))
        return RC_OK;
    TRY(kind_profile(tx, v->kind, &profile));
    enum rc rc = told_why(tx, v, &node) ? service_seek(tx, &probe, &profile, &found)
                                        : service_probe(tx, &probe, &profile);
    if (rc == RC_OK && !found)
        return RC_OK;
    if (rc == RC_OK)
        rc = service_spec_text(tx, seal, v, &unused);
    if (rc == RC_CONFLICT || rc == RC_INVALID) { /* nothing was written yet */
        struct str why = arena_str(tx->arena, err_text(tx->err));
        err_clear(tx->err);
        if (str_eq(why, v->reason))
            return RC_OK;
        v->reason = why;
        return service_keep(tx, v, "[\"reason\"]");
    }
    TRY(rc);
    TRY(begin(tx, v, "failover", steps));
    v->reason = STR("");
    v->state = SERVICE_PREPARING;
    TRY(elsewhere(tx, seal, v, &probe));
    ++*moved;
    return operation_reach(tx, v->id, "prepare");
}

#define OF_LOST                                                           \
    "WHERE v.failover = 1 AND v.wanted = 'running' AND n.state = 'lost' " \
    "AND n.seen < $1 "

/* Some of those that are to go elsewhere, from a place by chance: where many find no room, those
 * behind them have their turn, too. */
static enum rc some_lost(struct tx *tx, struct rows *ret)
{
    struct rows rows;
    uint64_t chance = 0;
    time_us before = tx->now - NODE_LOST_US;
    TRY(sql_rows(tx, &rows, "SELECT COUNT(*)" SERVICE_FROM OF_LOST, V(before)));
    int64_t places = max_i64(row_int(&rows, 0, 0) - TICK_SERVICES, 0) + 1;
    clock_chance(tx->ids->clock, &chance, sizeof chance);
    return sql_rows(
        tx, ret, "SELECT " SERVICE_COLUMNS SERVICE_FROM OF_LOST "ORDER BY v.id LIMIT $2 OFFSET $3",
        V(before), V((int64_t)TICK_SERVICES), V((int64_t)(chance % (uint64_t)places)));
}

enum rc service_tick_due(struct tx *tx, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id FROM node WHERE state IN ('ready', 'draining', 'lost') AND seen < $1 "
                 "ORDER BY seen LIMIT 1",
                 V(tx->now - NODE_LOST_US)));
    *ret = rows.count > 0;
    if (!*ret)
        TRY(hold_tick_due(tx, ret));
    if (!*ret)
        TRY(drill_tick_due(tx, ret));
    if (!*ret)
        TRY(move_tick_due(tx, ret));
    return *ret ? RC_OK : upgrade_tick_due(tx, ret);
}

enum rc service_tick(struct tx *tx, const struct seal *seal, bool *ret)
{
    struct rows rows;
    size_t lost = 0, moved = 0;
    bool late = false, upgrades = false, moves = false, holds = false;
    TRY(node_lose(tx, TICK_NODES, &lost));
    /* Before all that starts what is to run. */
    TRY(hold_tick(tx, seal, &holds));
    /* Before those that fail over: one whose move ends here is among them. */
    TRY(move_tick(tx, seal, &moves));
    TRY(some_lost(tx, &rows));
    TRY(service_each(tx, seal, &rows, fail_over, &moved));
    /* What found no place finds none a moment later. */
    TRY(drill_tick(tx, seal, &late));
    TRY(upgrade_tick(tx, seal, &upgrades));
    *ret = lost == TICK_NODES || moved > 0 || late || upgrades || moves || holds;
    return RC_OK;
}
