/* The control plane: its routes for agents (api/node_routes.c) and its clock (main/jobs.c). */
#include "sim.h"

#include "fleet/vantage.h"
#include "meter/total.h"

enum { UNDO_PPM = 3000, FOLD_RECORDS = 100000, STATUS_OK = 200, STATUS_NOTHING = 204 };
enum { STATUS_GONE = 503, REPLY_BYTES_MAX = 1024 * 1024 };
#define WAKE_US (100 * US_PER_MS)

/* --- units of work --- */

struct unit {
    tx_fn fn;
    void *arg;
    bool undone;
};

/* As a control plane that is killed before its commit. */
static enum rc run_unit(struct tx *tx, void *arg)
{
    struct unit *u = arg;
    enum rc rc = u->fn(tx, u->arg);
    if (rc == RC_OK && u->undone)
        return err_set(tx->err, RC_UNAVAILABLE, "the control plane died");
    return rc;
}

static enum rc read_changes(struct tx *tx, void *arg)
{
    struct sim *s = arg;
    struct node_change *changes = NULL;
    size_t count = 0;
    TRY(node_changes(tx, s->changed, &changes, &count));
    for (size_t i = 0; i < count; i++) {
        struct machine *m = map_get(&s->by_id, changes[i].id);
        ASSERT(m != NULL);
        if (m->revision != changes[i].revision && m->agent != NULL)
            sim_wake(m, EVENT_PULL, sim_now(s) + sim_below(s, WAKE_US));
        m->revision = changes[i].revision;
    }
    s->changed = sim_now(s);
    return RC_OK;
}

enum rc control_read(struct sim *s, tx_fn fn, void *arg, struct err *err)
{
    if (s->down)
        return err_set(err, RC_UNAVAILABLE, "the control plane is down");
    return store_read(s->fixture.store, &s->arena, err, fn, arg);
}

enum rc control_write(struct sim *s, tx_fn fn, void *arg, struct err *err)
{
    struct unit u = {fn, arg, sim_happens(s, UNDO_PPM)};
    if (s->down)
        return err_set(err, RC_UNAVAILABLE, "the control plane is down");
    s->counts.units++;
    s->counts.undone += u.undone;
    return store_write(s->fixture.store, &s->arena, err, run_unit, &u);
}

/* Agents that wait for something newer are answered. */
void control_wake(struct sim *s)
{
    struct err err;
    err_clear(&err);
    if (control_read(s, read_changes, s, &err) != RC_OK)
        sim_fail(s, "what changed cannot be read: %s", err.text);
}

/* --- the routes of agents --- */

struct asked {
    struct sim *sim;
    const struct message *message;
    const struct json *json;
    int64_t after;
    struct node_report report;
    struct report_answer answer;
    struct usage_record *records;
    size_t count;
    struct str source;
    struct usage_report taken;
    struct str text;
    struct probe_tasks tasks;
    struct probe_results results;
    struct probe_taken counted;
};

static struct str node_of(const struct asked *a)
{
    return str_c(a->message->from->id);
}

static enum rc desired_in(struct tx *tx, void *arg)
{
    struct asked *a = arg;
    return service_desired(tx, &a->sim->shop.seal, node_of(a), a->after, &a->text);
}

static enum rc report_in(struct tx *tx, void *arg)
{
    struct asked *a = arg;
    return service_report(tx, &a->sim->shop.seal, node_of(a), &a->report, &a->answer);
}

static enum rc read_usage_in(struct tx *tx, void *arg)
{
    struct asked *a = arg;
    return usage_read_json(tx, a->message->body, &a->records, &a->count, &a->source);
}

static enum rc tasks_in(struct tx *tx, void *arg)
{
    struct asked *a = arg;
    return vantage_tasks(tx, node_of(a), &a->tasks);
}

static enum rc results_in(struct tx *tx, void *arg)
{
    struct asked *a = arg;
    return vantage_take(tx, node_of(a), &a->results, &a->counted.count);
}

static enum rc usage_in(struct tx *tx, void *arg)
{
    struct asked *a = arg;
    return service_usage(tx, node_of(a), a->source, a->records, a->count, &a->taken);
}

static enum rc answer_desired(struct asked *a, struct arena *arena, struct wire_reply *ret,
                              struct err *err)
{
    struct str rest = a->message->target;
    (void)str_cut(&rest, '=');
    if (!str_to_i64(str_cut(&rest, '&'), 0, INT64_MAX, &a->after))
        return err_set(err, RC_SYNTAX, "after what?");
    if (a->after == 0)
        a->after = -1;
    TRY(control_read(a->sim, desired_in, a, err));
    *ret = (struct wire_reply){.status = a->text.n > 0 ? STATUS_OK : STATUS_NOTHING,
                               .body = arena_str(arena, a->text)};
    return RC_OK;
}

static enum rc answer_report(struct asked *a, struct arena *arena, struct wire_reply *ret,
                             struct err *err)
{
    const struct json *json = NULL;
    TRY(json_parse(a->message->body, arena, &json, err));
    TRY(schema_decode(&node_report_schema, SCHEMA_WHOLE, json, arena, &a->report, err));
    TRY(control_write(a->sim, report_in, a, err));
    if (a->report.services.count > 0)
        control_wake(a->sim);
    *ret = (struct wire_reply){
        .status = STATUS_OK,
        .body = schema_str(&report_answer_schema, &a->answer, REPLY_BYTES_MAX, arena)};
    return RC_OK;
}

static enum rc answer_probes(struct asked *a, struct arena *arena, struct wire_reply *ret,
                             struct err *err)
{
    const struct json *json = NULL;
    *ret = (struct wire_reply){.status = STATUS_OK};
    if (str_eq(a->message->method, STR("GET"))) {
        TRY(control_read(a->sim, tasks_in, a, err));
        ret->body = schema_str(&probe_tasks_schema, &a->tasks, REPLY_BYTES_MAX, arena);
        return RC_OK;
    }
    TRY(json_parse(a->message->body, arena, &json, err));
    TRY(schema_decode(&probe_results_schema, SCHEMA_WHOLE, json, arena, &a->results, err));
    a->counted.set = schema_all(&probe_taken_schema);
    TRY(control_write(a->sim, results_in, a, err));
    ret->body = schema_str(&probe_taken_schema, &a->counted, REPLY_BYTES_MAX, arena);
    return RC_OK;
}

static enum rc answer_usage(struct asked *a, struct wire_reply *ret, struct err *err)
{
    TRY(control_read(a->sim, read_usage_in, a, err));
    TRY(control_write(a->sim, usage_in, a, err));
    if (a->taken.refused > 0)
        sim_fail(a->sim, "machine %zu sent another record under an old number",
                 a->message->from->number);
    a->sim->counts.records += a->taken.accepted;
    *ret = (struct wire_reply){.status = STATUS_OK, .body = STR("{}")};
    return RC_OK;
}

static void answer(struct sim *s, const struct message *m, struct arena *arena,
                   struct wire_reply *ret)
{
    struct asked a = {.sim = s, .message = m};
    struct err err;
    enum rc rc = RC_NOT_FOUND;
    bool data = str_starts(m->target, STR("/v1/node/backups"));
    err_clear(&err);
    if (s->down)
        rc = RC_UNAVAILABLE;
    else if (str_starts(m->target, STR("/v1/node/desired")))
        rc = answer_desired(&a, arena, ret, &err);
    else if (str_eq(m->target, STR("/v1/node/reports")))
        rc = answer_report(&a, arena, ret, &err);
    else if (str_eq(m->target, STR("/v1/node/usage")))
        rc = answer_usage(&a, ret, &err);
    else if (str_eq(m->target, STR("/v1/node/probes")))
        rc = answer_probes(&a, arena, ret, &err);
    else if (data)
        rc = files_answer(s, m, arena, ret, &err);
    if (rc == RC_OK)
        return;
    /* Of what is no task any more, or not here yet, an agent may speak. */
    if (data && (rc == RC_NOT_FOUND || rc == RC_CONFLICT)) {
        *ret = (struct wire_reply){.status = rc_http(rc), .body = STR("{}")};
        return;
    }
    if (rc != RC_UNAVAILABLE)
        sim_fail(s, "'%.*s' of machine %zu is refused: %s: %s", STRF(m->target), m->from->number,
                 rc_slug(rc), err.text);
    *ret = (struct wire_reply){.status = STATUS_GONE};
}

void control_answer(struct sim *s, const struct message *m, struct arena *arena,
                    struct wire_reply *ret)
{
    struct machine *busy = points_pause();
    answer(s, m, arena, ret);
    points_resume(busy);
}

/* --- its clock --- */

struct ticking {
    struct sim *sim;
    bool more;
};

static enum rc due_in(struct tx *tx, void *arg)
{
    return service_tick_due(tx, &((struct ticking *)arg)->more);
}

static enum rc vantage_due_in(struct tx *tx, void *arg)
{
    return vantage_tick_due(tx, &((struct ticking *)arg)->more);
}

static enum rc vantage_tick_in(struct tx *tx, void *arg)
{
    return vantage_tick(tx, &((struct ticking *)arg)->more);
}

static enum rc tick_in(struct tx *tx, void *arg)
{
    struct ticking *t = arg;
    return service_tick(tx, &t->sim->shop.seal, &t->more);
}

static void must(struct sim *s, enum rc rc, const struct err *err)
{
    if (rc != RC_OK && rc != RC_UNAVAILABLE)
        sim_fail(s, "the clock's work fails: %s: %s", rc_slug(rc), err->text);
}

void control_tick(struct sim *s)
{
    struct ticking t = {.sim = s, .more = false};
    struct err err;
    err_clear(&err);
    if (s->down)
        return;
    must(s, control_read(s, due_in, &t, &err), &err);
    if (t.more) {
        must(s, control_write(s, tick_in, &t, &err), &err);
        control_wake(s);
    }
    t.more = false;
    must(s, control_read(s, vantage_due_in, &t, &err), &err);
    if (t.more)
        must(s, control_write(s, vantage_tick_in, &t, &err), &err);
    files_sweep(s);
}

static enum rc fold_in(struct tx *tx, void *arg)
{
    return total_fold(tx, FOLD_RECORDS, arg);
}

void control_fold(struct sim *s)
{
    bool done = false;
    struct err err;
    err_clear(&err);
    while (!done && !s->down) {
        enum rc rc = control_write(s, fold_in, &done, &err);
        must(s, rc, &err);
        done = done || rc != RC_OK;
    }
    s->folded = sim_now(s);
}

/* --- life and death --- */

void control_kill(struct sim *s)
{
    store_close(s->fixture.store);
    s->fixture.store = NULL;
    s->down = true;
    s->counts.restarts++;
    sim_trace(s, "the control plane is down");
}

void control_start(struct sim *s)
{
    if (!s->down)
        return;
    fixture_open_with(&s->fixture,
                      (struct store_options){.clock = &s->clock.clock, .unthreaded = true});
    s->down = false;
    sim_trace(s, "the control plane is up");
}
