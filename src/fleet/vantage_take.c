/* What nodes are told to look at, what they say that they saw, and what follows from that. */
#include "fleet/vantage_inside.h"

#include "catalog/code.h"

enum { JUDGE_TEXT_MAX = 900, JUDGE_PLACES_MAX = 64 };

/* --- tasks --- */

enum rc vantage_tasks(struct tx *tx, struct str node, struct probe_tasks *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT p.id, w.kind, w.seen_address, w.seen_port, w.path, w.status, w.contains, "
                 "w.days, w.every_s FROM vantage_point p JOIN vantage w ON w.service = p.service "
                 "JOIN node n ON n.id = p.node WHERE p.node = $1 AND p.seen <> 'refused' "
                 "AND w.seen_address <> '' AND n.state IN ('ready', 'draining') "
                 "ORDER BY p.id LIMIT $2",
                 V(node), V((int64_t)PROBE_TASKS_MAX)));
    struct probe_task *tasks = NEW_N(tx->arena, struct probe_task, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        tasks[i] = (struct probe_task){.set = schema_all(&probe_task_schema),
                                       .id = row_str(&rows, i, 0),
                                       .kind = code_word(probe_kinds, row_str(&rows, i, 1)),
                                       .address = row_str(&rows, i, 2),
                                       .port = row_int(&rows, i, 3),
                                       .path = row_str(&rows, i, 4),
                                       .status = row_int(&rows, i, 5),
                                       .contains = row_str(&rows, i, 6),
                                       .days = row_int(&rows, i, 7),
                                       .every_s = row_int(&rows, i, 8)};
    *ret =
        (struct probe_tasks){.set = schema_all(&probe_tasks_schema), .tasks = {tasks, rows.count}};
    return RC_OK;
}

/* --- the verdict --- */

/* "2 of 3 places hold it to be down: FR Paris (nobody answers), DE Berlin (it takes too long)" */
static struct str explain(struct tx *tx, const struct rows *r, const enum vantage_seen *seen)
{
    struct buf b;
    size_t down = 0;
    buf_init(&b, tx->arena, JUDGE_TEXT_MAX);
    for (size_t i = 0; i < r->count; i++)
        down += seen[i] == VANTAGE_DOWN;
    buf_fmt(&b, "%zu of %zu places hold it to be down", down, r->count);
    const char *before = ": ";
    for (size_t i = 0; i < r->count; i++) {
        if (seen[i] != VANTAGE_DOWN)
            continue;
        struct str one = arena_fmt(tx->arena, "%s%.*s %.*s (%.*s)", before, STRF(row_str(r, i, 2)),
                                   STRF(row_str(r, i, 3)), STRF(row_str(r, i, 4)));
        if (b.n + one.n > JUDGE_TEXT_MAX)
            break;
        buf_add(&b, one);
        before = ", ";
    }
    return buf_str(&b);
}

static enum rc change(struct tx *tx, const struct vantage_row *w, struct str node,
                      enum promise_state state, struct str text)
{
    const struct promise_change c = {.subject = w->service,
                                     .node = node,
                                     .name = PROMISE_OUTSIDE,
                                     .state = state,
                                     .text = text,
                                     .since = tx->now};
    TRY(sql_run(tx, "UPDATE vantage SET state = $2, text = $3, changed = $4 WHERE service = $1",
                V(w->service), V(promise_states[state]), V(text), V(tx->now)));
    return promise_change_put(tx, &c);
}

enum rc vantage_blind(struct tx *tx, const struct vantage_row *w, struct str node)
{
    return w->state == PROMISE_UNKNOWN ? RC_OK : change(tx, w, node, PROMISE_UNKNOWN, STR(""));
}

enum rc vantage_judge(struct tx *tx, const struct vantage_row *w, struct str node)
{
    struct rows rows;
    enum vantage_seen seen[JUDGE_PLACES_MAX];
    TRY(sql_rows(tx, &rows,
                 "SELECT seen, looked, country, city, text FROM vantage_point "
                 "WHERE service = $1 AND looked >= $2 AND seen <> 'refused' ORDER BY id LIMIT $3",
                 V(w->service), V(max_i64(vantage_late(w, tx->now), w->since)),
                 V((int64_t)JUDGE_PLACES_MAX)));
    for (size_t i = 0; i < rows.count; i++)
        seen[i] = (enum vantage_seen)code_word(vantage_seen_words, row_str(&rows, i, 0));
    enum promise_state now = vantage_verdict(seen, rows.count, (enum promise_state)w->state);
    if ((int64_t)now == w->state)
        return RC_OK;
    return change(tx, w, node, now, now == PROMISE_FAILING ? explain(tx, &rows, seen) : STR(""));
}

/* --- results --- */

/* A look's place as it is known so far, with the service that it is of. */
struct place {
    struct vantage_row w;
    struct str country;
    struct str city;
    struct str site; /* of the service */
    enum vantage_seen seen;
    int64_t streak;
    time_us looked;
};

static enum rc find_place(struct tx *tx, struct str node, struct str id, bool *ret_found,
                          struct place *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " VANTAGE_COLUMNS ", p.country, p.city, COALESCE(n.site, ''), p.seen, "
                 "p.streak, p.looked FROM vantage_point p JOIN vantage w ON w.service = p.service "
                 "JOIN service v ON v.id = p.service LEFT JOIN node n ON n.id = v.node "
                 "WHERE p.id = $1 AND p.node = $2",
                 V(id), V(node)));
    *ret_found = rows.count > 0;
    if (rows.count == 0)
        return RC_OK;
    size_t at = VANTAGE_COLUMN_COUNT;
    *ret = (struct place){
        .w = vantage_row(&rows, 0),
        .country = row_str(&rows, 0, at),
        .city = row_str(&rows, 0, at + 1),
        .site = row_str(&rows, 0, at + 2),
        .seen = (enum vantage_seen)code_word(vantage_seen_words, row_str(&rows, 0, at + 3)),
        .streak = row_int(&rows, 0, at + 4),
        .looked = row_int(&rows, 0, at + 5)};
    return RC_OK;
}

/* Of now and of where it is, and no more of them than were asked for. */
static bool counts(const struct tx *tx, const struct place *p, const struct probe_result *r)
{
    return p->w.address.n > 0 && r->at >= p->w.since &&
           r->at >= p->looked + p->w.every_s * US_PER_SECOND / 2 &&
           r->at >= tx->now - VANTAGE_LATE_DAYS * US_PER_DAY && r->at <= tx->now + VANTAGE_AHEAD_US;
}

static enum rc keep_look(struct tx *tx, const struct place *p, const struct probe_result *r)
{
    bool good = r->outcome == PROBE_GOOD;
    TRY(sql_run(tx,
                "INSERT INTO vantage_probe (service, looked, point, country, city, good, "
                "connect_us, total_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
                "ON CONFLICT (service, looked, point) DO NOTHING",
                V(p->w.service), V(r->at), V(r->id), V(p->country), V(p->city), V(good),
                V(r->connect_us), V(r->total_us)));
    return sql_run(tx,
                   "INSERT INTO vantage_day (service, day, country, city, site, probes, failures, "
                   "p50_us, p95_us, open) VALUES ($1, $2, $3, $4, $5, 1, $6, 0, 0, 1) "
                   "ON CONFLICT (service, day, country, city) DO UPDATE SET "
                   "probes = vantage_day.probes + 1, "
                   "failures = vantage_day.failures + excluded.failures, "
                   "site = excluded.site, open = 1",
                   V(p->w.service), V(r->at / US_PER_DAY), V(p->country), V(p->city), V(p->site),
                   V(!good));
}

static enum rc take_one(struct tx *tx, const struct place *p, const struct probe_result *r)
{
    enum vantage_seen seen = VANTAGE_REFUSED;
    int64_t streak = 0;
    if (r->outcome != PROBE_REFUSED) {
        streak = p->streak;
        seen = vantage_look(p->seen, r->outcome == PROBE_GOOD, &streak);
        TRY(keep_look(tx, p, r));
    }
    return sql_run(tx,
                   "UPDATE vantage_point SET seen = $2, streak = $3, looked = $4, connect_us = $5, "
                   "total_us = $6, days = $7, text = $8 WHERE id = $1",
                   V(r->id), V(vantage_seen_words[seen]), V(streak), V(r->at), V(r->connect_us),
                   V(r->total_us), V(r->days), V(r->outcome == PROBE_GOOD ? STR("") : r->text));
}

static enum rc judge_again(struct tx *tx, struct str service)
{
    struct vantage_row w;
    struct rows rows;
    bool found = false;
    TRY(vantage_find(tx, service, &found, &w));
    TRY(sql_rows(tx, &rows, "SELECT node FROM service WHERE id = $1", V(service)));
    ASSERT(found && rows.count == 1); /* it was read in this unit of work */
    return vantage_judge(tx, &w, row_str(&rows, 0, 0));
}

/* Each service that something was heard of, once. */
static enum rc judge_all(struct tx *tx, const struct str *services, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (!str_eq(services[k], services[i]))
            k++;
        if (k == i)
            TRY(judge_again(tx, services[i]));
    }
    return RC_OK;
}

enum rc vantage_take(struct tx *tx, struct str node, const struct probe_results *r,
                     int64_t *ret_count)
{
    const struct probe_result *items = r->results.items;
    struct str *services = NEW_N(tx->arena, struct str, r->results.count);
    size_t count = 0;
    for (size_t i = 0; i < r->results.count; i++) {
        struct place p;
        bool found = false;
        TRY(find_place(tx, node, items[i].id, &found, &p));
        if (!found || !counts(tx, &p, &items[i]))
            continue;
        TRY(take_one(tx, &p, &items[i]));
        /* Who does not look there leaves its place to another. */
        if (items[i].outcome == PROBE_REFUSED)
            TRY(vantage_touch(tx, p.w.service));
        services[count++] = p.w.service;
    }
    TRY(judge_all(tx, services, count));
    *ret_count = (int64_t)count;
    return RC_OK;
}
