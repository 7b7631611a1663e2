/*
 * fold_write.c - sums into the store: totals, and the parts of what kinds must remember.
 */
#include "meter/fold.h"

/* --- parts --- */

struct part_key {
    time_us window;
    int64_t part;
};

static enum rc read_part(struct fold *f, const struct sum *s, const struct part_key *k,
                         struct state *ret)
{
    struct rows rows;
    *ret = (struct state){0};
    TRY(sql_rows(&f->side, &rows,
                 "SELECT state FROM usage_part WHERE subscription = $1 AND meter = $2 "
                 "AND series = $3 AND window_from = $4 AND part = $5",
                 V(s->of->text), V(s->meter->number), V(s->series), V(k->window), V(k->part)));
    if (rows.count == 0)
        return RC_OK;
    return state_read(row_bytes(&rows, 0, 0), &f->scratch, ret, f->tx->err);
}

static enum rc write_part(struct fold *f, const struct sum *s, const struct part_key *k,
                          const struct state *state)
{
    return sql_run(f->tx,
                   "INSERT INTO usage_part (subscription, meter, series, window_from, part, state) "
                   "VALUES ($1, $2, $3, $4, $5, $6) "
                   "ON CONFLICT (subscription, meter, series, window_from, part) "
                   "DO UPDATE SET state = excluded.state",
                   V(s->of->text), V(s->meter->number), V(s->series), V(k->window), V(k->part),
                   value_bytes(state_write(state, &f->scratch)));
}

/* --- totals --- */

static enum rc read_total(struct fold *f, const struct sum *s, time_us from, struct standing *ret)
{
    struct rows rows;
    *ret = (struct standing){.from = from, .until = s->until};
    TRY(sql_rows(&f->side, &rows,
                 "SELECT window_until, high, quantity, latest, records FROM usage_total "
                 "WHERE subscription = $1 AND meter = $2 AND window_from = $3",
                 V(s->of->text), V(s->meter->number), V(from)));
    if (rows.count == 0)
        return RC_OK;
    ret->there = true;
    ret->until = row_int(&rows, 0, 0);
    ret->quantity = standing_join(row_int(&rows, 0, 1), row_int(&rows, 0, 2));
    ret->latest = row_int(&rows, 0, 3);
    ret->records = row_int(&rows, 0, 4);
    return RC_OK;
}

static int64_t scale_of(const struct meter *m)
{
    return m->kind == METER_COUNT || m->kind == METER_UNIQUE ? 0 : m->scale;
}

static enum rc write_total(struct fold *f, const struct sum *s, const struct standing *t)
{
    return sql_run(f->tx,
                   "INSERT INTO usage_total (subscription, meter, window_from, window_until, "
                   "kind, scale, high, quantity, latest, records) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
                   "ON CONFLICT (subscription, meter, window_from) DO UPDATE SET "
                   "window_until = excluded.window_until, high = excluded.high, "
                   "quantity = excluded.quantity, latest = excluded.latest, "
                   "records = excluded.records",
                   V(s->of->text), V(s->meter->number), V(t->from), V(t->until), V(s->meter->kind),
                   V(scale_of(s->meter)), V((int64_t)(t->quantity / FOLD_UNIT)),
                   V((int64_t)(t->quantity % FOLD_UNIT)), V(t->latest), V(t->records));
}

/* --- totals of windows that no close has billed --- */

/* The store adds by itself: nothing is read. */
#define ADD_TOTAL                                                                     \
    "INSERT INTO usage_total (subscription, meter, window_from, window_until, kind, " \
    "scale, high, quantity, latest, records) "                                        \
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "                               \
    "ON CONFLICT (subscription, meter, window_from) DO UPDATE SET "                   \
    "window_until = excluded.window_until, "                                          \
    "records = usage_total.records + excluded.records, "
/* Each part is below FOLD_UNIT, so that two fit a BIGINT; what is above it is carried. */
#define BOTH "(usage_total.quantity + excluded.quantity)"
#define UNIT "1000000000000000000"
#define KEEP_GREATER(what, than)                                           \
    "high = CASE WHEN " what " > " than " THEN excluded.high "             \
    "ELSE usage_total.high END, quantity = CASE WHEN " what " > " than " " \
    "THEN excluded.quantity ELSE usage_total.quantity END, "
_Static_assert(FOLD_UNIT == 1000000000000000000, "as UNIT says");

static const char *adding_sql(enum meter_kind kind)
{
    if (kind == METER_MAX)
        return ADD_TOTAL KEEP_GREATER("(excluded.high, excluded.quantity)",
                                      "(usage_total.high, usage_total.quantity)") "latest = 0";
    if (kind == METER_LAST)
        return ADD_TOTAL KEEP_GREATER("(excluded.latest, excluded.high, excluded.quantity)",
                                      "(usage_total.latest, usage_total.high, "
                                      "usage_total.quantity)") "latest = CASE WHEN excluded.latest "
                                                               "> usage_total.latest THEN "
                                                               "excluded.latest "
                                                               "ELSE usage_total.latest END";
    return ADD_TOTAL "high = usage_total.high + excluded.high + " BOTH " / " UNIT
                     ", quantity = " BOTH " % " UNIT ", latest = 0";
}

/* As write_sum does it with what was there before. */
static enum rc add_total(struct fold *f, const struct sum *s, __int128 quantity)
{
    enum meter_kind kind = (enum meter_kind)s->meter->kind;
    return sql_run(f->tx, adding_sql(kind), V(s->of->text), V(s->meter->number), V(s->from),
                   V(s->until), V(s->meter->kind), V(scale_of(s->meter)),
                   V((int64_t)(quantity / FOLD_UNIT)), V((int64_t)(quantity % FOLD_UNIT)),
                   V(kind == METER_LAST ? s->latest : INT64_C(0)), V(s->records));
}

/* What begins where billing ended was billed by nobody, whatever its end was then. */
static bool is_unbilled(const struct fold *f, const struct sum *s)
{
    return !f->marking || s->from >= f->billed;
}

static enum rc mark(struct fold *f, const struct sum *s, const struct standing *before,
                    __int128 now)
{
    if (!f->marking || before->quantity == now)
        return RC_OK;
    return standing_late(f, s->of->text, s->meter->number, before->from, before->until,
                         before->quantity);
}

/* --- counters: what readings next to each other add, to the window of the later one --- */

/* The reading next to a part, before or behind it. */
struct neighbour {
    bool there;
    time_us window;
    int64_t value;
};

static enum rc neighbour_of(struct fold *f, const struct sum *s, const struct part_key *k,
                            bool before, struct neighbour *ret)
{
    struct rows rows;
    struct state state;
    *ret = (struct neighbour){0};
    if (before)
        TRY(sql_rows(&f->side, &rows,
                     "SELECT window_from, state FROM usage_part WHERE subscription = $1 "
                     "AND meter = $2 AND series = $3 AND (window_from, part) < ($4, $5) "
                     "ORDER BY window_from DESC, part DESC LIMIT 1",
                     V(s->of->text), V(s->meter->number), V(s->series), V(k->window), V(k->part)));
    else
        TRY(sql_rows(&f->side, &rows,
                     "SELECT window_from, state FROM usage_part WHERE subscription = $1 "
                     "AND meter = $2 AND series = $3 AND (window_from, part) > ($4, $5) "
                     "ORDER BY window_from, part LIMIT 1",
                     V(s->of->text), V(s->meter->number), V(s->series), V(k->window), V(k->part)));
    if (rows.count == 0)
        return RC_OK;
    TRY(state_read(row_bytes(&rows, 0, 1), &f->scratch, &state, f->tx->err));
    ASSERT(state.count > 0);
    *ret = (struct neighbour){true, row_int(&rows, 0, 0),
                              state.entries[before ? state.count - 1 : 0].value};
    return RC_OK;
}

static int64_t first_of(const struct state *s)
{
    return s->entries[0].value;
}
static int64_t last_of(const struct state *s)
{
    return s->entries[s->count - 1].value;
}

/* Another window than the one in hand grows or shrinks by so much. */
static enum rc adjust(struct fold *f, const struct sum *s, time_us window, __int128 by)
{
    struct standing t;
    if (by == 0)
        return RC_OK;
    TRY(read_total(f, s, window, &t));
    ASSERT(t.there); /* it has readings, so it has a total */
    TRY(fold_window_end(f, s->of, &t));
    TRY(mark(f, s, &t, t.quantity + by));
    t.quantity += by;
    return write_total(f, s, &t);
}

/* By how much the window in hand grows when a part of a counter's readings becomes another. */
static enum rc grow_counter(struct fold *f, const struct sum *s, const struct part_key *k,
                            const struct state *old, const struct state *now, __int128 *ret)
{
    struct neighbour before = {0};
    struct neighbour behind = {0};
    __int128 own = state_growth(now) - state_growth(old);
    __int128 next = 0;
    if (old->count == 0 || first_of(old) != first_of(now))
        TRY(neighbour_of(f, s, k, true, &before));
    if (old->count == 0 || last_of(old) != last_of(now))
        TRY(neighbour_of(f, s, k, false, &behind));
    if (before.there)
        own += state_step(before.value, first_of(now)) -
               (old->count > 0 ? state_step(before.value, first_of(old)) : 0);
    if (behind.there) {
        next = state_step(last_of(now), behind.value);
        if (old->count > 0)
            next -= state_step(last_of(old), behind.value);
        else if (before.there)
            next -= state_step(before.value, behind.value);
    }
    bool same = behind.window == s->from;
    *ret = same ? own + next : own;
    return same ? RC_OK : adjust(f, s, behind.window, next);
}

/* --- states --- */

static int by_place(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

static enum rc merge_part(struct fold *f, const struct sum *s, struct entry *entries, size_t count,
                          __int128 *ret_grown)
{
    struct state old;
    struct state now;
    struct part_key k = {s->from, state_part((enum meter_kind)s->meter->kind, entries[0].place)};
    *ret_grown = 0;
    TRY(read_part(f, s, &k, &old));
    enum rc rc = state_merge(&old, entries, count, &f->scratch, &now, f->tx->err);
    if (rc == RC_TOO_LARGE) { /* nobody else's usage waits for it */
        struct packed p = {.id = s->of->text};
        err_clear(f->tx->err);
        return fold_raise(f, &p, "a meter remembers no more samples, readings or keys in one day");
    }
    TRY(rc);
    if (s->meter->kind == METER_COUNTER)
        TRY(grow_counter(f, s, &k, &old, &now, ret_grown));
    else if (s->meter->kind == METER_UNIQUE)
        *ret_grown = (__int128)now.count - (__int128)old.count;
    bool same = old.count > 0 && now.count == old.count &&
                memcmp(now.entries, old.entries, now.count * sizeof *now.entries) == 0;
    return same ? RC_OK : write_part(f, s, &k, &now);
}

static enum rc merge_parts(struct fold *f, const struct sum *s, __int128 *ret_grown)
{
    enum meter_kind kind = (enum meter_kind)s->meter->kind;
    *ret_grown = 0;
    qsort(s->entries, s->entry_count, sizeof *s->entries, by_place);
    for (size_t at = 0; at < s->entry_count;) {
        __int128 grown = 0;
        int64_t part = state_part(kind, s->entries[at].place);
        size_t end = at + 1;
        while (end < s->entry_count && state_part(kind, s->entries[end].place) == part)
            end++;
        TRY(merge_part(f, s, s->entries + at, end - at, &grown));
        arena_reset(&f->scratch);
        *ret_grown += grown;
        at = end;
    }
    return RC_OK;
}

/* P95 has no running quantity: what was billed is told from the samples before they change. */
static enum rc write_p95(struct fold *f, const struct sum *s, struct standing *t)
{
    __int128 now = 0;
    __int128 grown = 0;
    bool billed = f->marking && t->until <= f->billed;
    if (billed)
        TRY(standing_p95(f->tx, s->of->text, s->meter->number, s->from, &t->quantity));
    TRY(merge_parts(f, s, &grown));
    if (billed) {
        TRY(standing_p95(f->tx, s->of->text, s->meter->number, s->from, &now));
        TRY(mark(f, s, t, now));
    }
    t->quantity = 0;
    return write_total(f, s, t);
}

static void lay_latest(const struct sum *s, struct standing *t)
{
    if (t->there &&
        (s->latest < t->latest || (s->latest == t->latest && s->quantity <= t->quantity)))
        return;
    t->latest = s->latest;
    t->quantity = s->quantity;
}

static enum rc write_sum(struct fold *f, const struct sum *s)
{
    struct standing before;
    __int128 grown = 0;
    enum meter_kind kind = (enum meter_kind)s->meter->kind;
    if (kind == METER_COUNTER || kind == METER_UNIQUE)
        TRY(merge_parts(f, s, &grown)); /* first: a counter may touch the total itself */
    if (is_unbilled(f, s)) {
        if (kind == METER_P95)
            TRY(merge_parts(f, s, &grown));
        bool counted = fold_is_sum(kind) || kind == METER_MAX || kind == METER_LAST;
        return add_total(f, s, counted ? s->quantity : grown);
    }
    TRY(read_total(f, s, s->from, &before));
    before.until = s->until; /* it may have been cut since */
    struct standing t = before;
    t.records += s->records;
    if (kind == METER_P95)
        return write_p95(f, s, &t);
    if (fold_is_sum(kind))
        t.quantity += s->quantity;
    else if (kind == METER_MAX)
        t.quantity = t.there && t.quantity > s->quantity ? t.quantity : s->quantity;
    else if (kind == METER_LAST)
        lay_latest(s, &t);
    else
        t.quantity += grown;
    TRY(mark(f, s, &before, t.quantity));
    return write_total(f, s, &t);
}

static int by_key(const void *a, const void *b)
{
    const struct sum *x = *(struct sum *const *)a;
    const struct sum *y = *(struct sum *const *)b;
    if (x->of->id != y->of->id)
        return x->of->id < y->of->id ? -1 : 1;
    if (x->meter->number != y->meter->number)
        return x->meter->number < y->meter->number ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->series < y->series ? -1 : x->series > y->series;
}

/* In the order of the table's key (ids sort as their texts do): neighbours in the tree. */
enum rc fold_write(struct fold *f)
{
    size_t count = 0;
    struct sum **sums = NEW_N(&f->arena, struct sum *, f->sum_count);
    for (size_t i = 0; i < f->sum_room; i++)
        if (f->sums[i] != NULL)
            sums[count++] = f->sums[i];
    ASSERT(count == f->sum_count);
    qsort(sums, count, sizeof(void *), by_key);
    for (size_t i = 0; i < count; i++) {
        TRY(write_sum(f, sums[i]));
        arena_reset(&f->scratch);
    }
    return RC_OK;
}
