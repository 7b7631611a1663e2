/*
 * standing.c - totals as they stand in the store.
 */
#include "meter/fold.h"

__int128 standing_join(int64_t high, int64_t quantity)
{
    return (__int128)high * FOLD_UNIT + quantity;
}

/* --- P95: the samples of a window --- */

struct samples {
    int64_t *values;
    size_t count;
    size_t room;
};

static enum rc add_samples(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct samples *s = arg;
    struct state part;
    ASSERT(columns == 1);
    TRY(state_read(cells[0].text, tx->arena, &part, tx->err));
    ASSERT(s->count + part.count <= s->room);
    for (size_t i = 0; i < part.count; i++)
        s->values[s->count++] = part.entries[i].value;
    return RC_OK;
}

static enum rc read_p95(struct tx *tx, struct str subscription, int64_t meter, time_us from,
                        __int128 *ret)
{
    struct rows rows;
    struct samples s = {0};
    TRY(sql_rows(tx, &rows,
                 "SELECT COALESCE(SUM(LENGTH(state)), 0) FROM usage_part WHERE subscription = $1 "
                 "AND meter = $2 AND series = 0 AND window_from = $3",
                 V(subscription), V(meter), V(from)));
    s.room = (size_t)row_int(&rows, 0, 0) / STATE_ENTRY_BYTES;
    /* The parts' entries pass through the same arena. */
    if (arena_room(tx->arena) / 2 < s.room * (sizeof(int64_t) + 2 * sizeof(struct entry)))
        return err_set(tx->err, RC_TOO_LARGE, "a window has too many samples");
    s.values = NEW_N(tx->arena, int64_t, s.room);
    TRY(sql_each(tx, add_samples, &s,
                 "SELECT state FROM usage_part WHERE subscription = $1 AND meter = $2 "
                 "AND series = 0 AND window_from = $3 ORDER BY part",
                 V(subscription), V(meter), V(from)));
    *ret = state_p95(s.values, s.count);
    return RC_OK;
}

enum rc standing_p95(struct tx *tx, struct str subscription, int64_t meter, time_us from,
                     __int128 *ret)
{
    struct arena arena;
    struct tx side = *tx;
    arena_init(&arena, FOLD_SCRATCH_BYTES);
    side.arena = &arena;
    enum rc rc = read_p95(&side, subscription, meter, from, ret);
    arena_fini(&arena);
    return rc;
}

/* --- totals --- */

#define COLUMNS "meter, window_from, window_until, kind, scale, high, quantity, latest, records"

static enum rc read_rows(struct tx *tx, const struct standing_query *q, struct rows *ret)
{
    if (q->meter == 0)
        return sql_rows(tx, ret,
                        "SELECT " COLUMNS " FROM usage_total WHERE subscription = $1 "
                        "AND window_from >= $2 AND window_from < $3 "
                        "ORDER BY meter, window_from LIMIT $4",
                        V(q->subscription), V(q->since), V(q->before), V((int64_t)STANDING_MAX));
    return sql_rows(tx, ret,
                    "SELECT " COLUMNS " FROM usage_total WHERE subscription = $1 AND meter = $2 "
                    "AND window_from >= $3 AND window_from < $4 ORDER BY window_from LIMIT $5",
                    V(q->subscription), V(q->meter), V(q->since), V(q->before),
                    V((int64_t)STANDING_MAX));
}

enum rc standing_read(struct tx *tx, const struct standing_query *q, struct arena *arena,
                      struct standing **ret, size_t *ret_count)
{
    struct rows rows;
    TRY(read_rows(tx, q, &rows));
    struct standing *list = NEW_N(arena, struct standing, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        struct standing *s = &list[i];
        *s = (struct standing){
            .there = true,
            .meter = row_int(&rows, i, 0),
            .from = row_int(&rows, i, 1),
            .until = row_int(&rows, i, 2),
            .kind = row_int(&rows, i, 3),
            .scale = row_int(&rows, i, 4),
            .quantity = standing_join(row_int(&rows, i, 5), row_int(&rows, i, 6)),
            .latest = row_int(&rows, i, 7),
            .records = row_int(&rows, i, 8),
        };
        if (s->kind == METER_P95)
            TRY(standing_p95(tx, q->subscription, s->meter, s->from, &s->quantity));
    }
    *ret = list;
    *ret_count = rows.count;
    return RC_OK;
}

enum rc standing_late(struct fold *f, struct str subscription, int64_t meter, time_us from,
                      time_us until, __int128 billed)
{
    if (until > f->billed)
        return RC_OK;
    return sql_run(f->tx,
                   "INSERT INTO usage_late (subscription, meter, window_from, high, billed) "
                   "VALUES ($1, $2, $3, $4, $5) "
                   "ON CONFLICT (subscription, meter, window_from) DO NOTHING",
                   V(subscription), V(meter), V(from), V((int64_t)(billed / FOLD_UNIT)),
                   V((int64_t)(billed % FOLD_UNIT)));
}
