#include "billing/close_inside.h"

#include "party/event.h"

/* --- reading --- */

enum rc close_get(struct tx *tx, struct str id, struct close *ret)
{
    struct close_row row;
    TRY(close_row_get(tx, id, &row));
    return close_show(tx, &row, ret);
}

static const struct page_column close_columns[] = {
    {"id", "c.id", PAGE_TEXT},
    {"period", "c.period", PAGE_TEXT},
    {"started", "c.started", PAGE_NUMBER},
};
static const struct page_table close_table = {
    .select = "SELECT c.id FROM close c",
    .id = "c.id",
    .sort = close_columns,
    .sort_count = COUNT(close_columns),
    .default_sort = "-id",
};

enum rc close_list(struct tx *tx, const struct page_query *q, struct page *ret)
{
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &close_table, q, NULL, 0, &rows, &next));
    struct close *items = NEW_N(tx->arena, struct close, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(close_get(tx, row_str(&rows, i, 0), &items[i]));
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

static const struct page_column exception_columns[] = {{"id", "e.id", PAGE_TEXT}};
static const struct page_table exception_table = {
    .select = "SELECT e.subscription, e.step, e.text FROM close_exception e",
    .id = "e.id",
    .sort = exception_columns,
    .sort_count = COUNT(exception_columns),
    .default_sort = "id",
};

enum rc close_exceptions(struct tx *tx, struct str id, const struct page_query *q, struct page *ret)
{
    struct close_row row;
    struct rows rows;
    struct str next;
    TRY(close_row_get(tx, id, &row));
    struct page_term of = {"e.close_no = ?", V(row.no)};
    TRY(page_rows(tx, &exception_table, q, &of, 1, &rows, &next));
    struct close_exception *items = NEW_N(tx->arena, struct close_exception, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = (struct close_exception){.set = schema_all(&close_exception_schema),
                                            .subscription = row_str(&rows, i, 0),
                                            .step = row_str(&rows, i, 1),
                                            .text = row_str(&rows, i, 2)};
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

/* --- begin --- */

/* The close that goes before, if any: it has to be done, and to reach this one. */
static enum rc find_before(struct tx *tx, const struct period *p, struct str label, time_us *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT c.period, c.step, c.end_at FROM close c WHERE c.dry = 0 "
                 "ORDER BY c.begin_at DESC LIMIT 1"));
    *ret = PERIOD_AT_MIN;
    if (rows.count == 0)
        return RC_OK;
    struct str last = row_str(&rows, 0, 0);
    if (row_int(&rows, 0, 1) != CLOSE_DONE)
        return err_set(tx->err, RC_CONFLICT, "the close of %.*s is not done yet", STRF(last));
    if (row_int(&rows, 0, 2) != p->begin)
        return err_set(tx->err, RC_CONFLICT, "%.*s does not follow %.*s, the last closed period",
                       STRF(label), STRF(last));
    *ret = p->begin;
    return RC_OK;
}

static enum rc find_same(struct tx *tx, const struct period *p, bool dry, struct close_row *ret,
                         bool *ret_found)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id FROM close WHERE dry = $1 AND begin_at = $2 AND (dry = 0 OR step < $3) "
                 "ORDER BY no LIMIT 1",
                 V(dry), V(p->begin), V((int64_t)CLOSE_DONE)));
    *ret_found = rows.count > 0;
    return rows.count > 0 ? close_row_get(tx, row_str(&rows, 0, 0), ret) : RC_OK;
}

static enum rc insert(struct tx *tx, struct close_row *row)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) FROM close"));
    row->no = row_int(&rows, 0, 0) + 1;
    row->id = id_new(tx->ids, tx->arena, "cls");
    row->started = tx->now;
    row->seen = tx->now;
    return close_row_insert(tx, row);
}

/* A close that is done, and could not make some invoices, posts or statements, goes on with those:
 * unless another one is open, which tries them too. */
static enum rc go_on(struct tx *tx, struct close_row *row, bool review)
{
    struct rows rows;
    struct close_found nothing = {0};
    if (row->dry || row->step != CLOSE_DONE)
        return RC_OK;
    TRY(sql_rows(
        tx, &rows,
        "SELECT w.exception FROM (SELECT exception, close_no FROM close_unbilled UNION ALL "
        "SELECT exception, close_no FROM close_stuck) w WHERE w.close_no <= $1 AND NOT "
        "EXISTS (SELECT 1 FROM close c WHERE c.dry = 0 AND c.step < $2) ORDER BY "
        "w.exception LIMIT 1",
        V(row->no), V((int64_t)CLOSE_DONE)));
    if (rows.count == 0)
        return RC_OK;
    TRY(sql_run(tx, "UPDATE close_stuck SET close_no = 0"));
    row->step = CLOSE_DRAFT;
    row->review = review;
    row->at = (struct subscription_cursor){STR(""), STR(CLOSE_AGAIN), STR("")};
    row->at_number = row->lines;
    row->first_document = 0; /* of those that are made now */
    row->last_document = 0;
    row->finished = 0;
    return close_row_save(tx, row, &nothing);
}

enum rc close_begin(struct tx *tx, struct str period, bool review, bool dry, struct close *ret)
{
    struct party operator;
    struct period p;
    struct close_row row;
    struct close_bounds *bounds = NULL;
    size_t count = 0;
    bool found = false;
    TRY(party_operator(tx, &operator));
    TRY(close_period(tx, operator.time_zone, period, &p));
    TRY(find_same(tx, &p, dry, &row, &found));
    if (found) {
        TRY(go_on(tx, &row, review));
        return close_show(tx, &row, ret);
    }
    if (p.end > tx->now)
        return err_set(tx->err, RC_CONFLICT, "%.*s has not ended", STRF(period));
    row = (struct close_row){.party = operator.id,
                             .period = period,
                             .begin = p.begin,
                             .end = p.end,
                             .review = review,
                             .dry = dry};
    TRY(find_before(tx, &p, period, &row.since));
    TRY(close_bounds_make(tx, &row, operator.time_zone, &bounds, &count));
    TRY(insert(tx, &row));
    TRY(close_bounds_insert(tx, &row, bounds, count));
    return close_show(tx, &row, ret);
}

enum rc close_approve(struct tx *tx, struct str id, struct close *ret)
{
    struct close_row row;
    struct close_found nothing = {0};
    TRY(close_row_get(tx, id, &row));
    if (row.step != CLOSE_REVIEW)
        return err_set(tx->err, RC_CONFLICT, "the close '%.*s' does not wait for a review",
                       STRF(id));
    row.step = CLOSE_FINALISE;
    row.at_number = row.first_document;
    TRY(close_row_save(tx, &row, &nothing));
    return close_show(tx, &row, ret);
}
