/* The steps of hold.h. */
#include "fleet/hold.h"

#include "catalog/suspension.h"
#include "fleet/drill.h"
#include "fleet/move.h"
#include "fleet/service_inside.h"

#define CHANGED "[\"state\",\"suspended\"]"

/* One that is being moved rests on the way, and is to run at its end. */
#define TO_HOLD                                                                     \
    "v.subscription IN " SUSPENSION_SUBSCRIPTIONS                                   \
    "AND (v.wanted = 'running' OR (v.wanted = 'stopped' AND EXISTS (SELECT 1 FROM " \
    "service_move m WHERE m.service = v.id AND m.wanted = 'running'))) "
#define TO_LET_GO                                         \
    "v.id IN (SELECT service FROM service_hold) AND NOT " \
    "v.subscription IN " SUSPENSION_SUBSCRIPTIONS

enum rc hold_drop(struct tx *tx, struct str service)
{
    return sql_run(tx, "DELETE FROM service_hold WHERE service = $1", V(service));
}

/* It is to be so from now on. Its spec stays as it is: what it uses may be held itself, and then
 * nothing could be made of what that publishes. */
static enum rc want(struct tx *tx, const struct seal *seal, struct service *v, int64_t wanted)
{
    v->wanted = wanted;
    v->state = wanted == SPEC_RUNNING ? SERVICE_PREPARING : SERVICE_STOPPING;
    v->reason = STR("");
    v->generation++;
    TRY(service_keep(tx, v, CHANGED));
    TRY(service_rewrite_spec(tx, seal, v));
    return node_touch(tx, v->node);
}

static enum rc hold_one(struct tx *tx, const struct seal *seal, struct service *v, void *arg UNUSED)
{
    static const char *const steps[] = {"stop", NULL};
    struct operation unused;
    struct str why;
    bool moves = false, rests = false;
    TRY(suspension_why(tx, v->subscription, &why));
    TRY(sql_run(tx,
                "INSERT INTO service_hold (service, why, since) VALUES ($1, $2, $3) "
                "ON CONFLICT (service) DO UPDATE SET why = excluded.why, since = excluded.since",
                V(v->id), V(why), V(tx->now)));
    TRY(drill_halt(tx, seal, v->id, "the service is suspended"));
    TRY(move_want(tx, v->id, SPEC_STOPPED, &moves, &rests));
    if (rests)
        return service_keep(tx, v, CHANGED);
    if (!moves)
        TRY(operation_begin(tx, v->id, v->client, "suspend", steps, &unused));
    return want(tx, seal, v, SPEC_STOPPED);
}

static enum rc let_go(struct tx *tx, const struct seal *seal, struct service *v, void *arg UNUSED)
{
    static const char *const steps[] = {"prepare", "start", NULL};
    struct operation unused;
    bool moves = false, rests = false;
    TRY(hold_drop(tx, v->id));
    if (v->wanted != SPEC_STOPPED)
        return RC_OK;
    TRY(move_want(tx, v->id, SPEC_RUNNING, &moves, &rests));
    if (rests)
        return service_keep(tx, v, CHANGED);
    if (!moves)
        TRY(operation_begin(tx, v->id, v->client, "resume", steps, &unused));
    return want(tx, seal, v, SPEC_RUNNING);
}

/* --- the clock's --- */

enum rc hold_tick_due(struct tx *tx, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT v.id FROM service v WHERE " TO_HOLD "ORDER BY v.id LIMIT 1"));
    if (rows.count == 0)
        TRY(sql_rows(tx, &rows,
                     "SELECT v.id FROM service v WHERE " TO_LET_GO "ORDER BY v.id LIMIT 1"));
    *ret = rows.count > 0;
    return RC_OK;
}

enum rc hold_tick(struct tx *tx, const struct seal *seal, bool *ret)
{
    struct rows held, freed;
    TRY(sql_rows(tx, &held,
                 "SELECT " SERVICE_COLUMNS SERVICE_FROM "WHERE " TO_HOLD "ORDER BY v.id LIMIT $1",
                 V((int64_t)HOLD_TICK_MAX)));
    TRY(service_each(tx, seal, &held, hold_one, NULL));
    TRY(sql_rows(tx, &freed,
                 "SELECT " SERVICE_COLUMNS SERVICE_FROM "WHERE " TO_LET_GO "ORDER BY v.id LIMIT $1",
                 V((int64_t)HOLD_TICK_MAX)));
    TRY(service_each(tx, seal, &freed, let_go, NULL));
    *ret = held.count == HOLD_TICK_MAX || freed.count == HOLD_TICK_MAX;
    return RC_OK;
}
