/* What has to be so: at every event, and at the end. */
#include "sim.h"

#include "meter/kept.h"
#include "meter/total.h"
#include "node/agent_inside.h"

#include <inttypes.h>
#include <stdarg.h>

enum { PAGE = 1000, NANO_DIGITS = 9, MICRO_DIGITS = 6, TEN = 10 };

/* --- leases --- */

static void judge_lease(struct machine *m, struct str id)
{
    struct sim *s = m->sim;
    if (!machine_holds(m, id))
        return;
    struct life *life = sim_life(s, id);
    if (life->holder != NULL && life->holder != m && machine_holds(life->holder, id))
        sim_fail(s, "the lease of %.*s is held by machine %zu and by %zu", STRF(id), m->number,
                 life->holder->number);
    life->holder = m; /* any that held it before does so no more */
}

void judge_leases(struct machine *m)
{
    for (size_t i = 0; i < m->agent->count; i++) {
        const struct agent_service *v = &m->agent->services[i];
        if (v->used && v->spec != NULL && v->spec->lease_s > 0)
            judge_lease(m, str_c(v->id));
    }
}

/* --- settled: the store's side and the machines' --- */

struct settling {
    struct sim *sim;
    const char *why;
    size_t on_nodes; /* services that have a node */
};

const char *judge_why(struct sim *s, const char *format, ...)
{
    enum { WHY_MAX = 400 };
    char *text = arena_alloc(&s->arena, WHY_MAX);
    va_list args;
    va_start(args, format);
    vsnprintf(text, WHY_MAX, format, args);
    va_end(args);
    return text;
}

/* Where it lies, if anywhere. */
static const char *judge_placed(struct sim *s, struct str id, struct machine *at, int64_t wanted,
                                int64_t generation)
{
    for (size_t i = 0; i < (size_t)s->o.nodes; i++) {
        struct machine *m = &s->machines[i];
        const struct driver_sim_service *v = driver_sim_find(&m->twin, id);
        bool runs = v != NULL && v->state == OBSERVED_RUNNING;
        if (v != NULL && m != at)
            return judge_why(s, "%s lies on machine %zu still", v->id, i);
        if (m == at && runs != (wanted == SPEC_RUNNING))
            return judge_why(s, "%.*s %s on machine %zu", STRF(id), runs ? "runs" : "does not run",
                             i);
        if (m == at && runs && v->generation != generation)
            return judge_why(s, "%s runs on machine %zu as it was wanted before", v->id, i);
    }
    return NULL;
}

/* Of a row "s": it was never described to its node, as its client stopped what it uses before that
 * had ever run. */
#define WAITS_FOR_STOPPED                                                                      \
    "(s.state = 'preparing' AND s.seen_generation = 0 AND EXISTS (SELECT 1 FROM service_need " \
    "d JOIN service n ON n.id = d.needed WHERE d.service = s.id AND n.wanted = 'stopped' AND " \
    "n.state = 'stopped' AND n.starts = 0))"

static const char *judge_service(struct sim *s, const struct value *c)
{
    struct str id = c[0].text, state = c[1].text, wanted = c[2].text;
    struct machine *at = c[3].type == VALUE_NULL ? NULL : map_get(&s->by_id, c[3].text);
    bool ended = str_eq(state, STR("ended")) || str_eq(state, STR("refused")) ||
                 str_eq(state, STR("ordered"));
    if (ended != (at == NULL))
        return judge_why(s, "%.*s is %.*s and has %s", STRF(id), STRF(state),
                         at == NULL ? "no node" : "a node");
    bool good = ended || (str_eq(wanted, STR("running")) && str_eq(state, STR("running"))) ||
                (str_eq(wanted, STR("stopped")) && str_eq(state, STR("stopped")));
    if (!good && c[6].number != 0)
        return NULL;
    if (!good)
        return judge_why(s, "%.*s shall be %.*s and is %.*s on machine %zu: %.*s", STRF(id),
                         STRF(wanted), STRF(state), at->number, STRF(c[5].text));
    return judge_placed(s, id, at, str_eq(wanted, STR("running")) ? SPEC_RUNNING : SPEC_STOPPED,
                        c[4].number);
}

static enum rc see_service(struct tx *tx UNUSED, const struct value *cells, size_t columns UNUSED,
                           void *arg)
{
    struct settling *t = arg;
    if (t->why == NULL)
        t->why = judge_service(t->sim, cells);
    return RC_OK;
}

/* What is taken of a node is what its services take. */
static enum rc judge_taken(struct tx *tx, struct settling *t)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT n.id, n.state, n.cpu_taken, n.memory_taken, n.disk_taken, "
                 "COALESCE(SUM(v.cpu_milli), 0), COALESCE(SUM(v.memory_bytes), 0), "
                 "COALESCE(SUM(v.disk_bytes), 0) FROM node n "
                 "LEFT JOIN service v ON v.node = n.id GROUP BY n.id, n.state, n.cpu_taken, "
                 "n.memory_taken, n.disk_taken ORDER BY n.id LIMIT 100000"));
    for (size_t i = 0; i < rows.count && t->why == NULL; i++)
        if (row_int(&rows, i, 2) != row_int(&rows, i, 5) ||
            row_int(&rows, i, 3) != row_int(&rows, i, 6) ||
            row_int(&rows, i, 4) != row_int(&rows, i, 7))
            t->why =
                judge_why(t->sim, "of node %.*s is taken what no service takes: %" PRId64,
                          STRF(row_str(&rows, i, 0)), row_int(&rows, i, 2) - row_int(&rows, i, 5));
        else if (!str_eq(row_str(&rows, i, 1), STR("ready")))
            t->why = judge_why(t->sim, "node %.*s is %.*s", STRF(row_str(&rows, i, 0)),
                               STRF(row_str(&rows, i, 1)));
    return RC_OK;
}

/* Nothing is left behind, and nothing is in hand. */
static enum rc judge_rest(struct tx *tx, struct settling *t)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT service, node FROM service_left ORDER BY service LIMIT 1"));
    if (rows.count > 0)
        t->why = judge_why(t->sim, "%.*s has left something on %.*s", STRF(row_str(&rows, 0, 0)),
                           STRF(row_str(&rows, 0, 1)));
    TRY(sql_rows(tx, &rows,
                 "SELECT o.service, o.kind FROM operation o "
                 "JOIN service s ON s.id = o.service "
                 "WHERE o.state = 'running' AND s.state <> 'ordered' AND NOT " WAITS_FOR_STOPPED
                 " ORDER BY o.id LIMIT 1"));
    if (rows.count > 0)
        t->why = judge_why(t->sim, "%.*s has an operation in hand: %.*s",
                           STRF(row_str(&rows, 0, 0)), STRF(row_str(&rows, 0, 1)));
    return RC_OK;
}

static enum rc settled_in(struct tx *tx, void *arg)
{
    struct settling *t = arg;
    t->why = NULL;
    TRY(sql_each(tx, see_service, t,
                 "SELECT s.id, s.state, s.wanted, s.node, s.generation, s.reason, "
                 "CASE WHEN " WAITS_FOR_STOPPED " THEN 1 ELSE 0 END FROM service s ORDER BY s.id"));
    if (t->why == NULL)
        TRY(judge_taken(tx, t));
    if (t->why == NULL)
        TRY(judge_rest(tx, t));
    return t->why == NULL ? eyes_settled(tx, t->sim, &t->why) : RC_OK;
}

const char *judge_settled(struct sim *s)
{
    struct settling t = {.sim = s};
    struct err err;
    err_clear(&err);
    if (control_read(s, settled_in, &t, &err) != RC_OK)
        sim_fail(s, "the services cannot be read: %s", err.text);
    return t.why;
}

/* --- usage: what was taken is what has run --- */

/* What is known of a subscription: the truth, and the records that were taken. */
struct bill {
    struct life *life;
    time_us starts, ends;
    struct stretch *taken;
    size_t count, room;
    int64_t total_us; /* after the fold */
};

struct billing {
    struct sim *sim;
    struct arena arena;
    struct map bills; /* by subscription */
    int64_t meter;    /* number of "cpu" */
    int64_t records;  /* that were read, of all meters */
};

static int64_t micros(int64_t quantity, int scale)
{
    for (; scale < MICRO_DIGITS; scale++)
        quantity *= TEN;
    for (; scale > MICRO_DIGITS; scale--)
        quantity /= TEN;
    return quantity;
}

static enum rc take_record(struct billing *b, const struct packed *p)
{
    struct str id = id_of_number(p->subscription, &b->arena, "sub");
    struct bill *bill = map_get(&b->bills, id);
    b->records++;
    if (p->meter != b->meter)
        return RC_OK;
    if (bill == NULL)
        sim_fail(b->sim, "usage of %.*s is of no service", STRF(id));
    if (bill->count == bill->room) {
        struct stretch *more = NEW_N(&b->arena, struct stretch, 2 * bill->room + PAGE / TEN);
        if (bill->count > 0)
            memcpy(more, bill->taken, bill->count * sizeof *more);
        bill->room = 2 * bill->room + PAGE / TEN;
        bill->taken = more;
    }
    bill->taken[bill->count++] = (struct stretch){p->from, p->until, micros(p->quantity, p->scale)};
    return RC_OK;
}

static enum rc take_body(void *arg, struct packing_reader *records)
{
    struct packed p;
    while (packing_next(records, &p))
        TRY(take_record(arg, &p));
    return RC_OK;
}

static enum rc read_bills(struct tx *tx, struct billing *b)
{
    struct rows rows;
    struct meter cpu;
    TRY(meter_find(tx, STR("cpu"), &cpu));
    b->meter = cpu.number;
    TRY(sql_rows(tx, &rows,
                 "SELECT v.id, v.subscription FROM service v WHERE v.subscription IS NOT NULL "
                 "ORDER BY v.id LIMIT 100000"));
    for (size_t i = 0; i < rows.count; i++) {
        struct subscription s;
        struct total *totals = NULL;
        size_t count = 0;
        struct str id = arena_str(&b->arena, row_str(&rows, i, 1));
        struct bill *bill = NEW(&b->arena, struct bill);
        TRY(subscription_get(tx, id, &s));
        bill->life = sim_life(b->sim, row_str(&rows, i, 0));
        bill->starts = s.start;
        bill->ends = s.state == SUBSCRIPTION_ACTIVE ? INT64_MAX : s.ends;
        TRY(total_of(tx, id, INT64_MIN, INT64_MAX, &totals, &count));
        for (size_t k = 0; k < count; k++)
            if (totals[k].meter == b->meter)
                bill->total_us += micros(totals[k].quantity.mantissa, totals[k].quantity.scale);
        (void)map_put(&b->bills, id, bill); /* it was not there */
    }
    return RC_OK;
}

/* What is begun again with older data came back from a place that was lost, or to the one that it
 * had left: each time but once. */
static enum rc judge_data(struct tx *tx, struct sim *s)
{
    struct rows rows;
    for (size_t i = 0; i < s->life_count; i++) {
        const struct life *life = s->lives[i];
        TRY(sql_rows(
            tx, &rows,
            "SELECT COALESCE(SUM(CASE WHEN kind = 'failover' THEN 1 ELSE 0 END), 0), "
            "COALESCE(SUM(CASE WHEN kind = 'move' THEN 1 ELSE 0 END), 0), "
            "COALESCE(SUM(CASE WHEN kind = 'move' AND state = 'failed' THEN 1 ELSE 0 END), "
            "0) FROM operation WHERE service = $1",
            V(life->id)));
        s->counts.failovers += row_int(&rows, 0, 0);
        s->counts.moves += row_int(&rows, 0, 1);
        s->counts.returns += row_int(&rows, 0, 2);
        if (life->went_back > row_int(&rows, 0, 0) + row_int(&rows, 0, 2))
            sim_fail(s,
                     "%s began %" PRId64 " times with older data, after %" PRId64
                     " failovers and %" PRId64 " moves that failed",
                     life->id, life->went_back, row_int(&rows, 0, 0), row_int(&rows, 0, 2));
    }
    return RC_OK;
}

/* Of a month of a thousand machines there are more batches than one statement may give. */
static enum rc read_batches(struct tx *tx, struct billing *b)
{
    struct rows rows;
    int64_t last = 0;
    do {
        TRY(sql_rows(tx, &rows, "SELECT no FROM usage_batch WHERE no > $1 ORDER BY no LIMIT $2",
                     V(last), V((int64_t)PAGE)));
        for (size_t i = 0; i < rows.count; i++) {
            last = row_int(&rows, i, 0);
            TRY(kept_body(tx, last, take_body, b));
        }
    } while (rows.count == PAGE);
    return RC_OK;
}

static enum rc read_records(struct tx *tx, void *arg)
{
    struct billing *b = arg;
    struct rows rows;
    TRY(read_bills(tx, b));
    TRY(sql_rows(tx, &rows, "SELECT id FROM usage_conflict ORDER BY id LIMIT 1"));
    if (rows.count > 0)
        sim_fail(b->sim, "a usage record is in conflict");
    TRY(judge_data(tx, b->sim));
    return read_batches(tx, b);
}

static int order_of(const void *a, const void *b)
{
    const struct stretch *x = a, *y = b;
    return x->from != y->from ? (x->from < y->from ? -1 : 1)
                              : (x->until > y->until) - (x->until < y->until);
}

/* The truth within the life of the subscription. */
static size_t within(struct life *life, const struct bill *bill)
{
    size_t kept = 0;
    for (size_t i = 0; i < life->count; i++) {
        struct stretch x = life->stretches[i];
        if (x.from >= bill->ends || x.until <= bill->starts)
            continue;
        life->stretches[kept++] =
            (struct stretch){max_i64(x.from, bill->starts), min_i64(x.until, bill->ends), x.ran_us};
    }
    return kept;
}

static void judge_bill(struct sim *s, struct bill *bill)
{
    struct life *life = bill->life;
    int64_t sum = 0;
    life->count = within(life, bill);
    if (bill->count > 0)
        qsort(bill->taken, bill->count, sizeof *bill->taken, order_of);
    if (life->count > 0)
        qsort(life->stretches, life->count, sizeof *life->stretches, order_of);
    for (size_t i = 0; i < max_size(life->count, bill->count); i++) {
        const struct stretch *x = i < life->count ? &life->stretches[i] : NULL;
        const struct stretch *y = i < bill->count ? &bill->taken[i] : NULL;
        if (x == NULL || y == NULL || x->from != y->from || x->until != y->until ||
            x->ran_us != y->ran_us)
            sim_fail(s,
                     "%s: stretch %zu of its use is from %" PRId64 " to %" PRId64 " (%" PRId64
                     " us), what was taken is from %" PRId64 " to %" PRId64 " (%" PRId64 " us)",
                     life->id, i, x != NULL ? x->from : 0, x != NULL ? x->until : 0,
                     x != NULL ? x->ran_us : 0, y != NULL ? y->from : 0, y != NULL ? y->until : 0,
                     y != NULL ? y->ran_us : 0);
        if (i > 0 && x->from < x[-1].until)
            sim_fail(s, "%s: a second is counted twice, at %" PRId64, life->id, x->from);
        sum += x->ran_us;
    }
    if (sum != bill->total_us)
        sim_fail(s, "%s: %" PRId64 " us were taken, the total is %" PRId64, life->id, sum,
                 bill->total_us);
}

/* Nothing waits on a machine. */
static void judge_spools(struct sim *s)
{
    for (size_t i = 0; i < (size_t)s->o.nodes; i++) {
        struct list left;
        struct err err;
        err_clear(&err);
        arena_reset(&s->arena);
        if (spool_next(s->machines[i].spool, &s->arena, &left, &err) != RC_OK || left.count > 0)
            sim_fail(s, "the spool of machine %zu still has %zu records", i, left.count);
    }
}

void judge_usage(struct sim *s)
{
    enum { BILLS_BYTES = 2000000000 };
    struct billing b = {.sim = s};
    struct err err;
    struct str id;
    void *value = NULL;
    size_t at = 0;
    judge_spools(s);
    control_fold(s);
    err_clear(&err);
    arena_init(&b.arena, BILLS_BYTES);
    map_init(&b.bills, &b.arena, (const uint64_t[]){3, 4});
    if (store_read(s->fixture.store, &b.arena, &err, read_records, &b) != RC_OK)
        sim_fail(s, "the usage cannot be read: %s", err.text);
    if (b.records != s->counts.records)
        sim_fail(s, "%" PRId64 " records were taken, %" PRId64 " are kept", s->counts.records,
                 b.records);
    while (map_next(&b.bills, &at, &id, &value))
        judge_bill(s, value);
    arena_fini(&b.arena);
}
