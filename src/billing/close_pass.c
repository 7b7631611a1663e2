/* What cannot be posted or stated is passed by, as one of them must not stop the others: the unit
 * of work that met it is undone, and what it had in hand is left out from then on. */
#include "billing/close_inside.h"
#include "billing/deferral.h"

enum { PASSED_MAX = 10000 };

bool close_passed(const struct close_pass *p, struct str what)
{
    bool found = false;
    for (size_t i = 0; p != NULL && i < p->count && !found; i++)
        found = str_eq(p->list[i], what);
    return found;
}

void close_hand(const struct close_pass *p, struct str what)
{
    if (p == NULL || p->hand == NULL)
        return;
    ASSERT(what.n <= CLOSE_WHAT_MAX);
    if (what.n > 0)
        memcpy(p->hand, what.p, what.n);
    p->hand[what.n] = '\0';
}

enum rc close_pass_load(struct tx *tx, const struct close_row *row, char *hand,
                        struct close_pass *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT what FROM close_stuck WHERE step = $1 AND close_no = $2 ORDER BY what "
                 "LIMIT $3",
                 V(close_steps[row->step]), V(row->no), V((int64_t)PASSED_MAX)));
    struct str *list = NEW_N(tx->arena, struct str, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        list[i] = row_str(&rows, i, 0);
    *ret = (struct close_pass){rows.count, list, hand};
    return RC_OK;
}

/* Its deferred lines wait from when it is posted on: none of them was recognised yet. */
static enum rc forget_deferred(struct tx *tx, struct close_row *row, struct str what)
{
    int64_t document = 0;
    if (str_starts(what, STR(DEFERRAL_PASSED))) /* it waits as it was */
        return RC_OK;
    bool ok = str_to_i64(what, 1, INT64_MAX, &document);
    ASSERT(ok); /* close_post.c wrote it */
    row->at = (struct subscription_cursor){STR(""), STR(""), STR("")};
    return sql_run(tx, "DELETE FROM deferral WHERE document = $1", V(document));
}

static enum rc describe(struct tx *tx, const struct close_row *row, struct str what, struct str why,
                        struct str *ret)
{
    struct rows rows;
    int64_t document = 0;
    *ret = arena_fmt(tx->arena, "no %.*s: %.*s", STRF(what), STRF(why));
    if (row->step != CLOSE_POST || !str_to_i64(what, 1, INT64_MAX, &document))
        return RC_OK;
    TRY(sql_rows(tx, &rows, "SELECT id FROM document WHERE no = $1", V(document)));
    ASSERT(rows.count == 1);
    *ret = arena_fmt(tx->arena, "document %.*s is not in the books: %.*s",
                     STRF(row_str(&rows, 0, 0)), STRF(why));
    return RC_OK;
}

enum rc close_pass_note(struct tx *tx, struct close_row *row, struct str what, struct str why)
{
    struct close_found nothing = {0};
    const char *step = close_steps[row->step];
    struct str id = id_new(tx->ids, tx->arena, "cex");
    struct str text;
    TRY(describe(tx, row, what, why, &text));
    TRY(sql_run(tx,
                "INSERT INTO close_exception (id, close_no, subscription, step, text, line) "
                "VALUES ($1, $2, NULL, $3, $4, 0)",
                V(id), V(row->no), V(step), V(str_sub(text, 0, CLOSE_TEXT_MAX))));
    TRY(sql_run(tx,
                "INSERT INTO close_stuck (step, what, close_no, exception) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT (step, what) DO UPDATE SET close_no = $3, exception = $4",
                V(step), V(what), V(row->no), V(id)));
    row->exceptions++;
    if (row->step == CLOSE_POST)
        TRY(forget_deferred(tx, row, what));
    return close_row_save(tx, row, &nothing);
}

enum rc close_pass_end(struct tx *tx, const struct close_row *row, enum close_step step,
                       struct str what)
{
    TRY(sql_run(tx,
                "UPDATE close_exception SET text = text || $3 WHERE id = (SELECT exception FROM "
                "close_stuck WHERE step = $1 AND what = $2)",
                V(close_steps[step]), V(what),
                V(arena_fmt(tx->arena, "; done by the close of %.*s", STRF(row->period)))));
    return sql_run(tx, "DELETE FROM close_stuck WHERE step = $1 AND what = $2",
                   V(close_steps[step]), V(what));
}

enum rc close_stuck_before(struct tx *tx, int64_t close_no, const char *begins, struct str **ret,
                           size_t *ret_count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT what FROM close_stuck WHERE step = $1 AND close_no <> $2 "
                 "AND what LIKE $3 ORDER BY what LIMIT $4",
                 V(close_steps[CLOSE_STATEMENTS]), V(close_no),
                 V(arena_fmt(tx->arena, "%s%%", begins)), V((int64_t)PASSED_MAX)));
    *ret = NEW_N(tx->arena, struct str, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        (*ret)[i] = row_str(&rows, i, 0);
    *ret_count = rows.count;
    return RC_OK;
}

enum rc close_posted(struct tx *tx, const struct document_row *row)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT 1 FROM close_stuck WHERE step = $1 AND what = $2 ORDER BY what",
                 V(close_steps[CLOSE_POST]), V(arena_fmt(tx->arena, "%lld", (long long)row->no))));
    if (rows.count == 0)
        return RC_OK;
    return err_set(tx->err, RC_CONFLICT,
                   "document '%.*s' is not in the books yet: an exception of its close says why",
                   STRF(row->id));
}
