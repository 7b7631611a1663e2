/* What was rated in a snapshot is kept: in the writing thread, in as few statements as it takes. */
#include "billing/close_inside.h"

enum { AHEAD_COLUMNS = 3 };

/* Runs on the same path follow one another, most of them on one of their own. */
static enum rc give_paths(struct tx *tx, struct close_page *page)
{
    const struct supply_path **paths =
        NEW_N(tx->arena, const struct supply_path *, page->run_count);
    int64_t *numbers = NEW_N(tx->arena, int64_t, page->run_count);
    size_t count = 0;
    for (size_t i = 0; i < page->run_count; i++)
        if (i == 0 || page->runs[i].path != page->runs[i - 1].path)
            paths[count++] = page->runs[i].path;
    TRY(supply_path_numbers(tx, paths, count, numbers));
    size_t at = 0;
    for (size_t i = 0; i < page->run_count; i++) {
        at += i > 0 && page->runs[i].path != page->runs[i - 1].path;
        ASSERT(paths[at] == page->runs[i].path);
        page->runs[i].row.path = numbers[at];
    }
    return RC_OK;
}

static int64_t path_number(const struct close_page *page, const struct supply_path *path)
{
    for (size_t i = page->run_count; i > 0; i--)
        if (page->runs[i - 1].path == path)
            return page->runs[i - 1].row.path;
    NEVER("an edge was met on a path of a line");
}

static enum rc keep_runs(struct tx *tx, struct close_page *page)
{
    if (page->run_count == 0)
        return RC_OK;
    TRY(give_paths(tx, page));
    struct rated_row *rows = NEW_N(tx->arena, struct rated_row, page->run_count);
    for (size_t i = 0; i < page->run_count; i++)
        rows[i] = page->runs[i].row;
    return rated_row_insert(tx, page->row.no, rows, page->run_count);
}

static enum rc keep_upstream(struct tx *tx, const struct close_page *page)
{
    for (size_t i = 0; i < page->upstream_count; i++) {
        const struct close_upstream *u = page->upstream[i];
        TRY(sql_run(tx,
                    "INSERT INTO close_upstream (close_no, agreement, tax_included, tax_class, "
                    "income, deferred, amount, path, edge) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
                    "$9) ON CONFLICT (close_no, agreement, tax_included, tax_class, income, "
                    "deferred) DO UPDATE SET amount = " CLOSE_SUM_SQL(
                        "close_upstream.amount", "$7") ", path = $8, edge = $9",
                    V(page->row.no), V(u->edge->agreement), V(u->tax_included),
                    V((int64_t)u->tax_class), V(u->income), V(u->deferred),
                    V(close_sum_bound(u->amount)), V(path_number(page, u->path)),
                    V((int64_t)u->edge_number)));
    }
    return RC_OK;
}

/* Most are new; what was billed before has another end now. */
static enum rc keep_ahead(struct tx *tx, const struct close_page *page)
{
    size_t count = 0;
    struct value *v = NEW_N(tx->arena, struct value, page->ahead_count * AHEAD_COLUMNS);
    for (size_t i = 0; i < page->ahead_count; i++) {
        const struct close_ahead *a = &page->ahead[i];
        struct value *row = v + count * AHEAD_COLUMNS;
        if (a->again) {
            TRY(sql_run(tx,
                        "UPDATE billed_ahead SET until_at = $3 WHERE subscription = $1 AND "
                        "from_at = $2",
                        V(a->subscription), V(a->from), V(a->until)));
            continue;
        }
        row[0] = V(a->subscription);
        row[1] = V(a->from);
        row[2] = V(a->until);
        count++;
    }
    return sql_insert(tx,
                      "INSERT INTO billed_ahead (subscription, from_at, until_at) "
                      "VALUES ($1, $2, $3)",
                      v, AHEAD_COLUMNS, count);
}

static bool is_at(const struct close_row *a, const struct close_row *b)
{
    return a->no == b->no && a->step == b->step && a->at_number == b->at_number &&
           a->lines == b->lines && a->done == b->done && str_eq(a->at.agreement, b->at.agreement) &&
           str_eq(a->at.client, b->at.client) && str_eq(a->at.id, b->at.id);
}

enum rc close_keep_page(struct tx *tx, struct close_page *page)
{
    struct close_row now;
    TRY(close_row_get(tx, page->from.id, &now));
    page->stale = !is_at(&now, &page->from);
    if (page->stale)
        return RC_OK;
    /* Counted by pages that were kept meanwhile, not by this one's snapshot. */
    page->row.exceptions = now.exceptions;
    TRY(keep_runs(tx, page));
    TRY(keep_upstream(tx, page));
    TRY(keep_ahead(tx, page));
    TRY(total_late_billed(tx, page->late, page->late_count));
    for (size_t i = 0; i < page->caught_count; i++)
        TRY(sql_run(tx, "DELETE FROM close_missed WHERE subscription = $1", V(page->caught[i])));
    return close_row_save(tx, &page->row, &page->found);
}
