#include "fleet/availability.h"

#include "catalog/code.h"
#include "fleet/service.h"
#include "money/period.h"

enum { CHANGES_AT_ONCE = 1000, CHUNKS_MAX = 1000, THOUSANDTHS = 100000 };

/* --- the line --- */

void availability_begin(struct availability_line *l, time_us from, time_us until)
{
    ASSERT(from <= until);
    *l = (struct availability_line){.at = from, .until = until};
}

static enum promise_state state_of(const struct availability_line *l)
{
    if (l->count == 0)
        return PROMISE_UNKNOWN;
    return l->failing > 0 ? PROMISE_FAILING : PROMISE_KEPT;
}

static void count_to(struct availability_line *l, time_us at)
{
    time_us to = min_i64(max_i64(at, l->at), l->until);
    l->sums[state_of(l)] += to - l->at;
    l->at = to;
}

static void drop(struct availability_line *l, size_t i)
{
    l->failing -= !l->kept[i];
    l->count--;
    l->names[i] = l->names[l->count];
    l->kept[i] = l->kept[l->count];
}

enum rc availability_change(struct availability_line *l, const struct promise_change *c,
                            struct err *err)
{
    size_t i = 0;
    while (i < l->count && !str_eq(l->names[i], c->name))
        i++;
    if (i == l->count && l->count == AVAILABILITY_NAMES_MAX && c->state != PROMISE_UNKNOWN)
        return err_set(err, RC_TOO_LARGE, "there are more than %d promises at one time",
                       AVAILABILITY_NAMES_MAX);
    count_to(l, min_i64(c->since, c->heard));
    if (i < l->count)
        drop(l, i);
    if (c->state == PROMISE_UNKNOWN)
        return RC_OK;
    l->names[l->count] = c->name;
    l->kept[l->count] = c->state == PROMISE_KEPT;
    l->failing += c->state == PROMISE_FAILING;
    l->count++;
    return RC_OK;
}

void availability_end(struct availability_line *l)
{
    count_to(l, l->until);
}

/* --- of a service --- */

static enum rc follow(struct availability_line *l, const struct rows *rows, struct err *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct promise_change c = {.name = row_str(rows, i, 1),
                                   .state = code_word(promise_states, row_str(rows, i, 2)),
                                   .since = row_int(rows, i, 3),
                                   .heard = row_int(rows, i, 4)};
        TRY(availability_change(l, &c, err));
    }
    return RC_OK;
}

/* How it was at the beginning: the last word on each promise before. */
static enum rc begin_line(struct tx *tx, struct str service, bool outside,
                          struct availability_line *l)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT c.id, c.name, c.state, c.since, c.heard FROM promise_change c "
                 "WHERE c.subject = $1 AND c.heard < $2 AND NOT EXISTS "
                 "(SELECT 1 FROM promise_change n WHERE n.subject = c.subject "
                 "AND n.name = c.name AND n.id > c.id AND n.heard < $2) "
                 "AND CASE WHEN c.name = $4 THEN 1 WHEN c.name = $6 THEN 2 ELSE 0 END = $5 "
                 "ORDER BY c.id LIMIT $3",
                 V(service), V(l->at), V((int64_t)CHANGES_AT_ONCE), V(PROMISE_OUTSIDE), V(outside),
                 V(PROMISE_DRILL)));
    return follow(l, &rows, tx->err);
}

/* What was heard after the end may have been seen within. */
static enum rc follow_line(struct tx *tx, struct str service, bool outside,
                           struct availability_line *l)
{
    struct str last = STR("");
    time_us from = l->at;
    for (int i = 0; i < CHUNKS_MAX; i++) {
        struct rows rows;
        TRY(sql_rows(tx, &rows,
                     "SELECT id, name, state, since, heard FROM promise_change "
                     "WHERE subject = $1 AND id > $2 AND heard >= $3 AND heard < $4 "
                     "AND CASE WHEN name = $6 THEN 1 WHEN name = $8 THEN 2 ELSE 0 END = $7 "
                     "ORDER BY id LIMIT $5",
                     V(service), V(last), V(from), V(l->until + US_PER_HOUR),
                     V((int64_t)CHANGES_AT_ONCE), V(PROMISE_OUTSIDE), V(outside),
                     V(PROMISE_DRILL)));
        TRY(follow(l, &rows, tx->err));
        if (rows.count < CHANGES_AT_ONCE)
            return RC_OK;
        last = row_str(&rows, rows.count - 1, 0);
    }
    return err_set(tx->err, RC_TOO_LARGE, "its promises changed more than %d times in that month",
                   CHUNKS_MAX * CHANGES_AT_ONCE);
}

static enum rc find_month(struct tx *tx, struct str label, struct period *ret)
{
    const struct zone *zone = NULL;
    TRY(zone_load(STR("UTC"), tx->arena, &zone, tx->err));
    struct calendar months = calendar_natural(zone, PERIOD_MONTH);
    *ret = period_of(&months, tx->now);
    if (label.n == 0)
        return RC_OK;
    enum rc rc = period_parse(&months, label, ret, tx->err);
    if (rc == RC_OK && ret->begin > tx->now)
        rc = err_set(tx->err, RC_INVALID, "that month has not begun");
    if (rc == RC_INVALID)
        err_at(tx->err, STR("month"));
    return rc;
}

static struct str percent(struct tx *tx, int64_t kept, int64_t observed)
{
    if (observed == 0)
        return STR("");
    int64_t parts = kept * THOUSANDTHS / observed; /* a month has 2.7 million seconds */
    return arena_fmt(tx->arena, "%lld.%03lld", (long long)(parts / 1000),
                     (long long)(parts % 1000));
}

/* Of its own promises, or (outside) of that alone: to the end. */
static enum rc run_line(struct tx *tx, struct str service, bool outside, time_us from,
                        time_us until, struct availability_line *l)
{
    availability_begin(l, from, until);
    TRY(begin_line(tx, service, outside, l));
    TRY(follow_line(tx, service, outside, l));
    availability_end(l);
    return RC_OK;
}

enum rc availability_of(struct tx *tx, struct str id, struct str month, struct availability *ret)
{
    struct period p;
    struct service service;
    struct availability_line *own = NEW(tx->arena, struct availability_line);
    struct availability_line *outside = NEW(tx->arena, struct availability_line);
    TRY(service_get(tx, id, &service));
    TRY(find_month(tx, month, &p));
    time_us until = min_i64(p.end, tx->now);
    time_us from = min_i64(max_i64(p.begin, service.created), until);
    TRY(run_line(tx, id, false, from, until, own));
    TRY(run_line(tx, id, true, from, until, outside));
    struct availability a = {
        .set = schema_all(&availability_schema),
        .service = id,
        .month = arena_fmt(tx->arena, "%04d-%02d", p.year, p.month),
        .from = from,
        .until = until,
        .kept_s = own->sums[PROMISE_KEPT] / US_PER_SECOND,
        .failing_s = own->sums[PROMISE_FAILING] / US_PER_SECOND,
        .unknown_s = own->sums[PROMISE_UNKNOWN] / US_PER_SECOND,
        .outside_kept_s = outside->sums[PROMISE_KEPT] / US_PER_SECOND,
        .outside_failing_s = outside->sums[PROMISE_FAILING] / US_PER_SECOND,
    };
    a.observed_s = a.kept_s + a.failing_s;
    a.percent = percent(tx, a.kept_s, a.observed_s);
    a.outside_percent = percent(tx, a.outside_kept_s, a.outside_kept_s + a.outside_failing_s);
    if (a.percent.n == 0)
        a.set &= ~schema_bit(&availability_schema, "percent");
    if (a.outside_percent.n == 0)
        a.set &= ~schema_bit(&availability_schema, "outside_percent");
    *ret = a;
    return RC_OK;
}
