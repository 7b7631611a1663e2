/* Every document in the store against the rules: for `hansed verify`. */
#include "billing/document_line.h"

enum { VERIFY_AT_A_TIME = 1000, LINES_ARENA_BYTES = 512 * 1024 * 1024 };

struct verifying {
    int64_t last;
    int64_t checked; /* of the rows in hand */
};

static enum rc broken_lines(struct tx *tx, const struct document_row *row, int64_t count,
                            __int128 sum)
{
    return err_set(tx->err, RC_INVALID,
                   "document %.*s breaks BR-CO-10: its %lld lines add up to %lld, not %lld",
                   STRF(row->id), (long long)count, (long long)sum, (long long)row->net);
}

/* Adds up page by page, in memory of its own: a document may have more lines than there is room
 * for. */
static enum rc add_rated(struct tx *tx, const struct document_row *row, int64_t *ret_count,
                         __int128 *ret_sum)
{
    size_t count = 0;
    struct line_cursor at = {0};
    int64_t limit = row->tax_included ? DOCUMENT_INCLUSIVE_MAX : VERIFY_AT_A_TIME;
    do {
        struct billed_line *lines = NULL;
        arena_reset(tx->arena);
        TRY(document_line_rows(tx, row, at, limit, &lines, &count));
        for (size_t i = 0; i < count; i++)
            *ret_sum += lines[i].facts.net;
        *ret_count += (int64_t)count;
        if (count > 0)
            at = lines[count - 1].at;
    } while (count == (size_t)limit);
    return RC_OK;
}

/* Lines of a close: rated lines, seen at the edge that the document is about. Where prices hold the
 * tax they depend on one another: more of them than memory takes are passed over. */
static enum rc check_rated(struct tx *tx, const struct document_row *row)
{
    struct arena own;
    struct tx apart = *tx;
    int64_t count = 0;
    __int128 sum = 0;
    arena_init(&own, LINES_ARENA_BYTES);
    apart.arena = &own;
    enum rc rc = add_rated(&apart, row, &count, &sum);
    arena_fini(&own);
    if (rc == RC_TOO_LARGE && row->tax_included) {
        err_clear(tx->err);
        return RC_OK;
    }
    TRY(rc);
    return sum == row->net ? RC_OK : broken_lines(tx, row, count, sum);
}

static enum rc check_lines(struct tx *tx, const struct document_row *row)
{
    struct rows rows;
    __int128 sum = 0;
    if (row->close_no != 0)
        return check_rated(tx, row);
    TRY(sql_rows(tx, &rows, "SELECT net FROM document_line WHERE document = $1 ORDER BY line",
                 V(row->no)));
    if (rows.count == 0 && row->line_count == 0)
        return RC_OK;
    for (size_t i = 0; i < rows.count; i++)
        sum += row_int(&rows, i, 0);
    if (sum == row->net && rows.count == (size_t)row->line_count)
        return RC_OK;
    return broken_lines(tx, row, (int64_t)rows.count, sum);
}

static enum rc check_row(struct tx *tx, const struct document_row *row, void *arg)
{
    struct verifying *v = arg;
    v->last = row->no;
    v->checked++;
    TRY(document_check(row, tx->err));
    return check_lines(tx, row);
}

static enum rc check_series(struct tx *tx, const struct value *c, size_t columns, void *arg)
{
    (void)arg;
    ASSERT(columns == 6);
    if (c[3].number == c[4].number && c[3].number == c[5].number)
        return RC_OK;
    return err_set(tx->err, RC_INVALID,
                   "the numbers of %.*s in %lld (series %lld) have a gap: %lld given, %lld there, "
                   "%lld the highest",
                   STRF(c[0].text), (long long)c[2].number, (long long)c[1].number,
                   (long long)c[3].number, (long long)c[4].number, (long long)c[5].number);
}

enum rc document_verify_some(struct tx *tx, int64_t after, int64_t limit, int64_t *ret_last,
                             int64_t *ret_checked)
{
    struct verifying v = {.last = after};
    TRY(document_row_each(tx, after, limit, check_row, &v));
    *ret_last = v.last;
    *ret_checked = v.checked;
    return RC_OK;
}

enum rc document_verify_numbers(struct tx *tx)
{
    return sql_each(
        tx, check_series, NULL,
        "SELECT n.issuer, n.series, n.year, n.last, COUNT(d.no), COALESCE(MAX(d.number), 0) FROM "
        "document_number n LEFT JOIN document d ON d.issuer = n.issuer AND d.series = n.series AND "
        "d.year = n.year AND d.number > 0 GROUP BY n.issuer, n.series, n.year, n.last ORDER BY "
        "n.issuer, n.series, n.year");
}

static enum rc verify_step(struct tx *tx, void *arg)
{
    struct verifying *v = arg;
    TRY(document_verify_some(tx, v->last, VERIFY_AT_A_TIME, &v->last, &v->checked));
    return v->checked > 0 ? RC_OK : document_verify_numbers(tx);
}

enum rc document_verify(struct store *s, struct arena *arena, int64_t *ret_checked, struct err *err)
{
    struct verifying v = {0};
    int64_t checked = 0;
    do {
        arena_reset(arena);
        TRY(store_read(s, arena, err, verify_step, &v));
        checked += v.checked;
    } while (v.checked > 0);
    *ret_checked = checked;
    return RC_OK;
}
