/* Totals against the records that they were made of. */
#include "meter/total.h"

enum { SUBSCRIPTIONS_AT_ONCE = 50 };

/* A unit of work may run more than once: `from` is what it goes on from, the rest is its answer. */
struct verifying {
    char from[ID_TEXT_MAX + 1];  /* behind which subscription */
    char after[ID_TEXT_MAX + 1]; /* the last one that was counted */
    int64_t count;
    char wrong[ID_TEXT_MAX + 1]; /* whose totals are others; empty: nobody's */
    bool counted;
    bool done;
};

static void copy_id(char ret[ID_TEXT_MAX + 1], struct str id)
{
    ASSERT(id.n <= ID_TEXT_MAX);
    memcpy(ret, id.p, id.n);
    ret[id.n] = '\0';
}

/* Counting anew writes: what this unit of work did is undone at its end, whatever it found. */
static enum rc undo(struct tx *tx)
{
    return err_set(tx->err, RC_GONE, "counted, and undone");
}

static enum rc count_some(struct tx *tx, void *arg)
{
    struct rows rows;
    struct verifying *v = arg;
    v->counted = false;
    v->wrong[0] = '\0';
    TRY(total_settle(tx));
    TRY(sql_rows(tx, &rows,
                 "SELECT DISTINCT subscription FROM usage_total WHERE subscription > $1 "
                 "ORDER BY subscription LIMIT $2",
                 V(str_c(v->from)), V((int64_t)SUBSCRIPTIONS_AT_ONCE)));
    for (size_t i = 0; i < rows.count && v->wrong[0] == '\0'; i++) {
        int64_t changed = 0;
        struct str id = row_str(&rows, i, 0);
        TRY(total_recount(tx, id, &changed));
        if (changed > 0)
            copy_id(v->wrong, id);
    }
    v->done = rows.count < SUBSCRIPTIONS_AT_ONCE;
    if (rows.count > 0)
        copy_id(v->after, row_str(&rows, rows.count - 1, 0));
    v->count = (int64_t)rows.count;
    v->counted = true;
    return undo(tx);
}

enum rc total_verify(struct store *s, struct arena *arena, int64_t *ret_checked, struct err *err)
{
    int64_t checked = 0;
    struct verifying v = {.done = false};
    while (!v.done) {
        memcpy(v.from, v.after, sizeof v.from);
        arena_reset(arena);
        enum rc rc = store_write(s, arena, err, count_some, &v);
        if (!v.counted) /* something else than what it was to say */
            return rc;
        err_clear(err);
        if (v.wrong[0] != '\0')
            return err_set(err, RC_INVALID,
                           "invariant 'usage': the totals of subscription %s are others than its "
                           "records give",
                           v.wrong);
        checked += v.count;
    }
    *ret_checked = checked;
    return RC_OK;
}
