/*
 * eyes.c - machines look at what others run (node/lookout.h), what they see is told or is on its
 * way, and at the end the figures of days and cities are what was seen, each look once.
 */
#include "sim.h"

#include "fleet/vantage.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>

enum { LOOK_S = 10, SLOWEST_US = 200000, LOOKS_FIRST = 16, PERCENT = 100, PORT_BITS = 8 };
enum { JUDGE_BYTES = 1000000000 };

static struct machine *machine_of_eye(struct clock *c)
{
    return CONTAINER_OF(c, struct machine, eye);
}

static time_us wall(struct clock *c)
{
    return sim_now(machine_of_eye(c)->sim);
}

static time_us steady(struct clock *c)
{
    struct machine *m = machine_of_eye(c);
    return clock_steady(&m->clock) + m->eyed_us;
}

static void chance(struct clock *c, void *bytes, size_t n)
{
    clock_chance(&machine_of_eye(c)->clock, bytes, n);
}

/* --- looking --- */

static void note(struct task *t, struct look look)
{
    if (t->count == t->room) {
        t->room = t->room > 0 ? 2 * t->room : LOOKS_FIRST;
        t->looks = realloc(t->looks, t->room * sizeof *t->looks);
        ASSERT(t->looks != NULL);
    }
    t->looks[t->count++] = look;
}

/* Whether something answers there, and it is no cut cable that is in between. */
static bool answers(struct machine *m, struct machine *to, int64_t port)
{
    int64_t slot = port - MACHINE_PORT_FIRST;
    machine_expire(to);
    return !machine_cut(m) && !machine_cut(to) && slot >= 0 && slot < (int64_t)to->twin.count &&
           to->twin.services[slot].state == OBSERVED_RUNNING;
}

static bool connects(void *arg, const struct sockaddr *address, socklen_t n UNUSED,
                     int64_t wait_ms UNUSED)
{
    struct machine *m = arg;
    struct sim *s = m->sim;
    struct sockaddr_in in;
    memcpy(&in, address, sizeof in);
    size_t to = ntohl(in.sin_addr.s_addr) & 0xFFFF;
    int64_t port = ntohs(in.sin_port);
    ASSERT(to < (size_t)s->o.nodes);
    struct look look = {.at = sim_now(s),
                        .good = answers(m, &s->machines[to], port),
                        .took_us = 1 + sim_below(s, SLOWEST_US)};
    for (size_t i = 0; i < m->task_count; i++)
        if (m->tasks[i]->to == to && m->tasks[i]->port == port)
            note(m->tasks[i], look);
    m->eyed_us += look.took_us;
    return look.good;
}

/* --- being told --- */

static struct task *task_of(struct machine *m, const struct probe_task *told)
{
    struct sim *s = m->sim;
    struct task *t = map_get(&s->tasks, told->id);
    struct in_addr in;
    if (inet_pton(AF_INET, arena_cstr(&s->arena, told->address), &in) != 1)
        sim_fail(s, "machine %zu shall look at '%.*s'", m->number, STRF(told->address));
    size_t to = ntohl(in.s_addr) & 0xFFFF;
    if (t != NULL && (t->from != m || t->to != to || t->port != told->port))
        sim_fail(s, "the task %s is of another place than before", t->id);
    if (t != NULL)
        return t;
    t = NEW(&s->keep, struct task);
    *t = (struct task){.from = m, .to = to, .port = told->port};
    ASSERT(told->id.n < sizeof t->id);
    memcpy(t->id, told->id.p, told->id.n);
    (void)map_put(&s->tasks, str_c(t->id), t); /* it was not there */
    return t;
}

void eyes_told(struct machine *m, struct str body)
{
    struct sim *s = m->sim;
    const struct json *json = NULL;
    struct probe_tasks told = {0};
    struct err err;
    err_clear(&err);
    if (json_parse(body, &s->arena, &json, &err) != RC_OK ||
        schema_decode(&probe_tasks_schema, SCHEMA_WHOLE, json, &s->arena, &told, &err) != RC_OK)
        sim_fail(s, "the tasks of machine %zu cannot be read: %s", m->number, err.text);
    const struct probe_task *items = told.tasks.items;
    ASSERT(told.tasks.count <= PROBE_TASKS_MAX);
    m->task_count = told.tasks.count;
    for (size_t i = 0; i < m->task_count; i++) {
        struct task *t = task_of(m, &items[i]);
        m->tasks[i] = t;
        for (size_t k = 0; k < i; k++)
            if (m->tasks[k]->to == t->to && m->tasks[k]->port == t->port)
                m->tasks[k]->twin = t->twin = true;
    }
}

void eyes_event(struct machine *m)
{
    struct sim *s = m->sim;
    struct err err;
    bool more = true;
    err_clear(&err);
    if (sim_now(s) >= m->asks_at) {
        m->asks_at = sim_now(s) + s->o.report_s * US_PER_SECOND;
        enum rc rc = lookout_ask(m->lookout, &s->arena, &err);
        while (rc == RC_OK && more)
            rc = lookout_tell(m->lookout, &s->arena, &more, &err);
        if (rc != RC_OK)
            sim_trace(s, "machine %zu cannot tell what it saw: %s", m->number, err.text);
    }
    if (!s->quiet)
        (void)lookout_turn(m->lookout); /* how many, nobody asks */
    sim_wake(m, EVENT_LOOK, sim_now(s) + LOOK_S * US_PER_SECOND);
}

/* --- birth and end --- */

void eyes_init(struct machine *m)
{
    m->eye = (struct clock){wall, steady, chance};
    m->tasks = NEW_N(&m->sim->keep, struct task *, PROBE_TASKS_MAX);
}

void eyes_open(struct machine *m)
{
    static struct str open = STR_INIT("10.0.0.0/16");
    static const struct list all = {&open, 1};
    if (m->sim->o.watched == 0)
        return;
    m->lookout = lookout_open(&(struct lookout_options){
        .prober = {.clock = &m->eye, .connects = connects, .arg = m, .open = &all},
        .link = &m->link,
        .spool = m->spool,
        .clock = &m->clock});
    m->asks_at = sim_now(m->sim);
    sim_wake(m, EVENT_LOOK, sim_now(m->sim) + sim_below(m->sim, US_PER_SECOND));
}

void eyes_close(struct machine *m)
{
    lookout_close(m->lookout);
    m->lookout = NULL;
    m->task_count = 0;
}

void eyes_fini(struct sim *s)
{
    size_t at = 0;
    struct str id;
    void *value = NULL;
    while (map_next(&s->tasks, &at, &id, &value))
        free(((struct task *)value)->looks);
}

/* --- what runs is seen to run --- */

enum rc eyes_settled(struct tx *tx, struct sim *s, const char **ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT w.service, w.state, w.places, w.text, (SELECT COUNT(*) FROM vantage_point "
                 "p WHERE p.service = w.service) FROM vantage w JOIN service v ON v.id = w.service "
                 "WHERE w.watched = 1 AND v.state = 'running' AND v.wanted = 'running' "
                 "ORDER BY w.service LIMIT 100000"));
    for (size_t i = 0; i < rows.count && *ret == NULL; i++) {
        int64_t places = min_i64(row_int(&rows, i, 2), s->o.sites - 1);
        bool kept = str_eq(row_str(&rows, i, 1), str_c(promise_states[PROMISE_KEPT]));
        if (row_int(&rows, i, 4) != places)
            *ret = judge_why(s, "%.*s is looked at from %" PRId64 " places, not from %" PRId64,
                             STRF(row_str(&rows, i, 0)), row_int(&rows, i, 4), places);
        else if (kept != (places >= VANTAGE_VOICES))
            *ret = judge_why(s, "%.*s runs and is seen as %.*s: %.*s", STRF(row_str(&rows, i, 0)),
                             STRF(row_str(&rows, i, 1)), STRF(row_str(&rows, i, 3)));
    }
    return RC_OK;
}

/* --- the figures --- */

struct judging {
    struct sim *sim;
    int64_t first_day; /* of which all looks are kept */
};

static struct look *look_at(const struct task *t, time_us at)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->looks[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->count && t->looks[low].at == at ? &t->looks[low] : NULL;
}

/* looked, point, city, good, total_us: one that was made, counted once, and as it was. */
static enum rc judge_look(struct tx *tx UNUSED, const struct value *c, size_t columns UNUSED,
                          void *arg)
{
    struct judging *j = arg;
    struct sim *s = j->sim;
    struct task *t = map_get(&s->tasks, c[1].text);
    s->counts.looks++;
    if (t == NULL)
        sim_fail(s, "a look is of the task %.*s, which nobody has", STRF(c[1].text));
    struct look *look = look_at(t, c[0].number);
    if (look == NULL)
        sim_fail(s, "machine %zu did not look at %" PRId64 " (%s)", t->from->number, c[0].number,
                 t->id);
    if (!t->twin &&
        (look->counted || look->good != (c[3].number != 0) || look->took_us != c[4].number))
        sim_fail(s, "the look of machine %zu at %" PRId64 " was %s and took %" PRId64 " us%s",
                 t->from->number, look->at, look->good ? "good" : "bad", look->took_us,
                 look->counted ? "; it is counted twice" : "");
    struct str city = world_city(s, t->from->site, &s->arena);
    if (!str_eq(city, c[2].text))
        sim_fail(s, "machine %zu stands in %.*s, not in %.*s", t->from->number, STRF(city),
                 STRF(c[2].text));
    arena_reset(&s->arena);
    look->counted = true;
    return RC_OK;
}

/* What a task that stands yet has seen is counted, but not more often than was asked for. */
static enum rc judge_task(struct tx *tx UNUSED, const struct value *c, size_t columns UNUSED,
                          void *arg)
{
    struct judging *j = arg;
    const struct task *t = map_get(&j->sim->tasks, c[0].text);
    time_us next = INT64_MIN;
    for (size_t i = 0; t != NULL && !t->twin && i < t->count; i++) {
        const struct look *look = &t->looks[i];
        if (look->at / US_PER_DAY < j->first_day)
            continue;
        if (look->counted != (look->at >= next))
            sim_fail(j->sim, "the look of machine %zu at %" PRId64 " is %scounted (%s)",
                     t->from->number, look->at, look->counted ? "" : "not ", t->id);
        if (look->counted)
            next = look->at + c[1].number * US_PER_SECOND / 2;
    }
    return RC_OK;
}

/* The nearest rank of what the good looks of a cell took. */
static enum rc rank_of(struct tx *tx, const struct rows *cells, size_t row, int64_t percent,
                       int64_t *ret)
{
    struct rows rows;
    time_us from = row_int(cells, row, 1) * US_PER_DAY;
    TRY(sql_rows(tx, &rows,
                 "SELECT total_us FROM vantage_probe WHERE service = $1 AND looked >= $2 "
                 "AND looked < $3 AND country = $4 AND city = $5 AND good = 1 "
                 "ORDER BY total_us LIMIT 100000",
                 V(row_str(cells, row, 0)), V(from), V(from + US_PER_DAY),
                 V(row_str(cells, row, 2)), V(row_str(cells, row, 3))));
    size_t rank = (rows.count * (size_t)percent + PERCENT - 1) / PERCENT;
    *ret = rank > 0 ? row_int(&rows, rank - 1, 0) : 0;
    return RC_OK;
}

static enum rc judge_days(struct tx *tx, struct judging *j)
{
    struct rows cells, groups;
    TRY(sql_rows(tx, &groups,
                 "SELECT COUNT(*) FROM (SELECT DISTINCT service, looked / 86400000000, country, "
                 "city FROM vantage_probe WHERE looked >= $1) g",
                 V(j->first_day * US_PER_DAY)));
    TRY(sql_rows(tx, &cells,
                 "SELECT d.service, d.day, d.country, d.city, d.probes, d.failures, d.p50_us, "
                 "d.p95_us, d.open, COUNT(*), COUNT(*) - SUM(p.good) FROM vantage_day d "
                 "JOIN vantage_probe p ON p.service = d.service AND p.country = d.country "
                 "AND p.city = d.city AND p.looked / 86400000000 = d.day WHERE d.day >= $1 "
                 "GROUP BY d.service, d.day, d.country, d.city, d.probes, d.failures, d.p50_us, "
                 "d.p95_us, d.open ORDER BY d.service, d.day, d.country, d.city LIMIT 100000",
                 V(j->first_day)));
    if (row_int(&groups, 0, 0) != (int64_t)cells.count)
        sim_fail(j->sim, "of %" PRId64 " days and cities %zu are kept", row_int(&groups, 0, 0),
                 cells.count);
    for (size_t i = 0; i < cells.count; i++) {
        int64_t p50 = 0, p95 = 0;
        if (row_int(&cells, i, 4) != row_int(&cells, i, 9) ||
            row_int(&cells, i, 5) != row_int(&cells, i, 10))
            sim_fail(j->sim,
                     "day %" PRId64 " of %.*s has %" PRId64 " looks (%" PRId64
                     " bad), it is said to have %" PRId64 " (%" PRId64 ")",
                     row_int(&cells, i, 1), STRF(row_str(&cells, i, 0)), row_int(&cells, i, 9),
                     row_int(&cells, i, 10), row_int(&cells, i, 4), row_int(&cells, i, 5));
        if (row_int(&cells, i, 8) != 0)
            continue; /* it is not over yet */
        TRY(rank_of(tx, &cells, i, 50, &p50));
        TRY(rank_of(tx, &cells, i, 95, &p95));
        if (p50 != row_int(&cells, i, 6) || p95 != row_int(&cells, i, 7))
            sim_fail(j->sim,
                     "day %" PRId64 " of %.*s: half of the looks took %" PRId64
                     " us, 95 percent %" PRId64,
                     row_int(&cells, i, 1), STRF(row_str(&cells, i, 0)), p50, p95);
    }
    return RC_OK;
}

static enum rc judge_in(struct tx *tx, void *arg)
{
    struct judging *j = arg;
    j->first_day = tx->now / US_PER_DAY - VANTAGE_LOOK_DAYS + 1;
    TRY(sql_each(tx, judge_look, j,
                 "SELECT looked, point, city, good, total_us FROM vantage_probe "
                 "ORDER BY service, looked, point"));
    TRY(sql_each(tx, judge_task, j,
                 "SELECT p.id, w.every_s FROM vantage_point p JOIN vantage w "
                 "ON w.service = p.service WHERE w.seen_address <> '' ORDER BY p.id"));
    return judge_days(tx, j);
}

void eyes_judge(struct sim *s)
{
    struct judging j = {.sim = s};
    struct arena arena;
    struct list left;
    struct err err;
    int64_t last = 0;
    err_clear(&err);
    for (size_t i = 0; i < (size_t)s->o.nodes; i++) {
        arena_reset(&s->arena);
        if (spool_seen(s->machines[i].spool, &s->arena, &left, &last, &err) != RC_OK ||
            left.count > 0)
            sim_fail(s, "machine %zu has %zu looks that it did not tell", i, left.count);
    }
    arena_init(&arena, JUDGE_BYTES);
    if (store_read(s->fixture.store, &arena, &err, judge_in, &j) != RC_OK)
        sim_fail(s, "the looks cannot be read: %s", err.text);
    arena_fini(&arena);
}
