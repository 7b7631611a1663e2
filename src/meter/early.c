/*
 * early.c - records of a time that has not come yet.
 *
 * The clock of a source may be ahead of this one by seconds. What it reports of the next seconds is
 * added to the window that holds them now. Where the subscription ends before they have passed, or
 * gets other terms, the window is cut, and what lies behind the cut belongs to another window or to
 * none: the subscription is counted anew. A cut is never in the past: nothing else needs it.
 */
#include "meter/fold.h"

enum { EARLY_AT_ONCE = 1000 };

/* It ran on by others' changes, or its time has come. */
#define RIPE                                                                           \
    "FROM usage_early e JOIN subscription s ON s.id = e.subscription WHERE s.version " \
    "<> e.version OR e.until <= $1 "

enum rc early_note(struct fold *f)
{
    for (size_t i = 0; i < f->folded_room; i++) {
        const struct folded *s = f->folded[i];
        if (s == NULL || s->early <= f->tx->now)
            continue;
        TRY(sql_run(f->tx,
                    "INSERT INTO usage_early (subscription, version, until) "
                    "SELECT id, version, $2 FROM subscription WHERE id = $1 "
                    "ON CONFLICT (subscription) DO UPDATE SET until = CASE WHEN excluded.until > "
                    "usage_early.until THEN excluded.until ELSE usage_early.until END",
                    V(s->text), V(s->early)));
    }
    return RC_OK;
}

enum rc early_waiting(struct tx *tx, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT 1 " RIPE "LIMIT 1", V(tx->now)));
    *ret = rows.count > 0;
    return RC_OK;
}

enum rc early_settle(struct tx *tx, int64_t folded)
{
    struct rows rows;
    do {
        TRY(sql_rows(tx, &rows,
                     "SELECT e.subscription, s.version, s.version <> e.version, e.until " RIPE
                     "ORDER BY e.subscription LIMIT $2",
                     V(tx->now), V((int64_t)EARLY_AT_ONCE)));
        for (size_t i = 0; i < rows.count; i++) {
            int64_t changed = 0;
            struct str id = row_str(&rows, i, 0);
            struct recount all = {id_number(id), 0, INT64_MIN, INT64_MAX};
            if (row_int(&rows, i, 2) != 0)
                TRY(fold_recount(tx, folded, &all, 1, &changed));
            if (row_int(&rows, i, 3) <= tx->now)
                TRY(sql_run(tx, "DELETE FROM usage_early WHERE subscription = $1", V(id)));
            else
                TRY(sql_run(tx, "UPDATE usage_early SET version = $2 WHERE subscription = $1",
                            V(id), V(row_int(&rows, i, 1))));
        }
    } while (rows.count == EARLY_AT_ONCE);
    return RC_OK;
}
