/* The step that posts: each document into the books of both sides, and its lines to the rooms
 * above. Drafts that an earlier close left out, as somebody held them, and that were let go since,
 * are numbered and posted first. Then what was invoiced in advance and is earned now. */
#include "billing/close_inside.h"
#include "billing/deferral.h"
#include "billing/document_net.h"
#include "billing/rated_row.h"
#include "money/amount.h"

enum { RELEASE_AT_ONCE = 500 }; /* each is numbered by itself */

struct posting_work {
    struct tx *tx;
    struct ledger *l;
    struct close_row *row;
    const struct close_above *above;
    void *above_arg;
    struct rater *r;
    struct document_netter *netter;
    struct close_pass pass;
};

static struct str name_of(struct tx *tx, int64_t no)
{
    return arena_fmt(tx->arena, "%lld", (long long)no);
}

/* --- one document --- */

/* What each buyer on the path owes for a line before tax, and the last one after discounts. */
static enum rc add_parts(struct document_parts *parts, const struct rated_line *line, int64_t sign,
                         struct err *err)
{
    int64_t before = 0;
    for (size_t k = 0; k < line->path->count; k++) {
        bool last = k + 1 == line->path->count;
        int64_t until = line->amounts[k] - (last ? line->discount : 0);
        TRY(amount_add(parts->sums[k], sign * until, &parts->sums[k], err));
        if (line->advance)
            TRY(amount_add(parts->deferred[k], sign * (until - before), &parts->deferred[k], err));
        before = until;
    }
    return RC_OK;
}

static enum rc post_document(struct posting_work *w, const struct document_row *row)
{
    struct rated_line *lines = NULL;
    struct document_parts parts = {0};
    size_t count = 0;
    if (row->line_count > 0)
        TRY(rated_row_lines(w->r, w->tx, row->close_no, row->first_line, row->line_count, &lines,
                            &count));
    TRY(document_netter_lines(w->netter, row, lines, count));
    for (size_t i = 0; i < count; i++)
        TRY(add_parts(&parts, &lines[i], row->code == DOCUMENT_CREDIT_NOTE ? -1 : 1, w->tx->err));
    parts.path = count > 0 ? lines[0].path : NULL;
    TRY(document_row_post(w->tx, w->l, row, &parts));
    TRY(close_defer_lines(w->tx, row, lines, count));
    if (w->above == NULL)
        return RC_OK;
    return w->above->posted(w->tx, w->l, row, lines, count, w->above_arg);
}

/* Whether another document, however long, has room in this unit of work. */
static bool has_room(const struct tx *tx)
{
    return arena_room(tx->arena) >= CLOSE_POST_ARENA_BYTES - CLOSE_POST_BYTES;
}

struct gather {
    const struct close_row *row;
    struct document_row *rows;
    size_t count;
    int64_t last;
};

static enum rc gather_final(struct tx *tx, const struct document_row *row, void *arg)
{
    struct gather *g = arg;
    (void)tx;
    g->last = row->no;
    if (row->close_no == g->row->no && row->state >= DOCUMENT_FINAL)
        g->rows[g->count++] = *row;
    return RC_OK;
}

static enum rc post_chunk(struct posting_work *w, struct close_row *row)
{
    int64_t limit = min_i64(CLOSE_POST_CHUNK, row->last_document - row->at_number);
    struct gather g = {.row = row, .rows = NEW_N(w->tx->arena, struct document_row, (size_t)limit)};
    TRY(document_row_each(w->tx, row->at_number, limit, gather_final, &g));
    for (size_t i = 0; i < g.count; i++) {
        bool done = has_room(w->tx) || i == 0;
        struct str name = name_of(w->tx, g.rows[i].no);
        if (close_passed(&w->pass, name))
            continue;
        close_hand(&w->pass, name);
        if (done)
            TRY(close_defer_upstream(w->tx, row, &g.rows[i], &done));
        if (!done) /* the rest of its lines, or all that follow, in the next unit of work */
            return RC_OK;
        TRY(post_document(w, &g.rows[i]));
        row->at_number = g.rows[i].no;
    }
    close_hand(&w->pass, STR(""));
    row->at_number = min_i64(g.last, row->last_document);
    return RC_OK;
}

/* --- those that were passed by --- */

static enum rc post_again(struct posting_work *w, struct str name)
{
    struct document_row row;
    int64_t no = 0;
    bool ok = str_to_i64(name, 1, INT64_MAX, &no);
    ASSERT(ok); /* name_of wrote it */
    close_hand(&w->pass, name);
    TRY(document_row_get(w->tx, no, &row));
    for (bool done = false; !done;)
        TRY(close_defer_upstream(w->tx, w->row, &row, &done));
    TRY(post_document(w, &row));
    return close_pass_end(w->tx, w->row, CLOSE_POST, name);
}

static enum rc post_passed(struct posting_work *w, bool *ret_done)
{
    struct rows rows;
    TRY(sql_rows(w->tx, &rows,
                 "SELECT what FROM close_stuck WHERE step = $1 AND close_no <> $2 "
                 "AND what NOT LIKE '" DEFERRAL_PASSED "%' ORDER BY what LIMIT $3",
                 V(close_steps[CLOSE_POST]), V(w->row->no), V((int64_t)RELEASE_AT_ONCE)));
    size_t i = 0;
    for (; i < rows.count && (has_room(w->tx) || i == 0); i++)
        TRY(post_again(w, row_str(&rows, i, 0)));
    close_hand(&w->pass, STR(""));
    *ret_done = i == rows.count && rows.count < RELEASE_AT_ONCE;
    return RC_OK;
}

/* --- those that were held --- */

static enum rc release(struct posting_work *w, int64_t no)
{
    struct document_row row;
    struct party issuer;
    TRY(document_row_get(w->tx, no, &row));
    TRY(party_get(w->tx, row.issuer, &issuer));
    TRY(document_day(&issuer, w->tx->now, &row.issued_day, &row.year, w->tx->err));
    TRY(document_numbers(w->tx, row.issuer, row.code, row.year, 1, &row.number));
    TRY(document_row_finalise(w->tx, &row));
    for (bool done = false; !done;)
        TRY(close_defer_upstream(w->tx, w->row, &row, &done));
    TRY(post_document(w, &row));
    return sql_run(w->tx, "DELETE FROM close_held WHERE document = $1", V(no));
}

static enum rc release_held(struct posting_work *w, bool *ret_done)
{
    struct rows rows;
    TRY(sql_rows(w->tx, &rows,
                 "SELECT h.document FROM close_held h JOIN document d ON d.no = h.document WHERE "
                 "d.state = $1 AND d.close_no < $2 ORDER BY h.document LIMIT $3",
                 V((int64_t)DOCUMENT_DRAFT), V(w->row->no), V((int64_t)RELEASE_AT_ONCE)));
    size_t i = 0;
    for (; i < rows.count && (has_room(w->tx) || i == 0); i++)
        TRY(release(w, row_int(&rows, i, 0)));
    *ret_done = i == rows.count && rows.count < RELEASE_AT_ONCE;
    return RC_OK;
}

/* --- the step --- */

enum rc close_post_step(struct tx *tx, struct ledger *l, struct close_row *row,
                        const struct close_above *above, char *hand)
{
    bool done = true;
    struct posting_work w = {.tx = tx,
                             .l = l,
                             .row = row,
                             .above = above,
                             .above_arg = close_above_begin(above, tx),
                             .r = rater_new(tx),
                             .netter = document_netter_new(tx)};
    TRY(close_pass_load(tx, row, hand, &w.pass));
    if (row->at_number == row->first_document)
        TRY(release_held(&w, &done));
    if (done && row->at_number == row->first_document)
        TRY(post_passed(&w, &done));
    if (!done)
        return RC_OK;
    if (row->at_number < row->last_document)
        return post_chunk(&w, row);
    const struct deferral_span span = {row->end, DEFERRAL_STEP_MAX, &w.pass};
    TRY(deferral_recognise(tx, l, &span, &done));
    if (!done)
        return RC_OK;
    /* What an earlier close passed by is recognised now, or was met again. */
    TRY(sql_run(tx,
                "DELETE FROM close_stuck WHERE step = $1 AND close_no <> $2 AND what LIKE "
                "'" DEFERRAL_PASSED "%'",
                V(close_steps[CLOSE_POST]), V(row->no)));
    row->step = CLOSE_STATEMENTS;
    return RC_OK;
}
