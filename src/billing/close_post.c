/* The step that posts: each document into the books of both sides, and its lines to the rooms
 * above. Drafts that an earlier close left out, as somebody held them, and that were let go since,
 * are numbered and posted first. Then what was invoiced in advance and is earned now. */
#include "billing/close_inside.h"
#include "billing/deferral.h"
#include "billing/rated_row.h"

struct posting_work {
    struct tx *tx;
    struct ledger *l;
    const struct close_row *row;
    const struct close_above *above;
    void *above_arg;
    struct rater *r;
};

/* What a line costs at the edge that the document is about, before tax; positive in a credit note
 * too. */
static int64_t net_of(const struct document_row *row, const struct rated_line *line)
{
    int64_t net = line->amounts[line->path->count - 1] - line->discount;
    return row->code == DOCUMENT_CREDIT_NOTE ? -net : net;
}

/* --- deferred income --- */

static enum rc defer_line(struct tx *tx, const struct document_row *row,
                          const struct rated_line *line, int64_t number, int64_t net)
{
    struct deferral d = {
        .party = row->issuer,
        .document = row->no,
        .line = number,
        .subscription = line->subscription,
        .label = line->income,
        .currency = row->currency,
        .amount = row->code == DOCUMENT_CREDIT_NOTE ? -net : net,
        .begins = line->window.from,
        .ends = line->window.until,
    };
    return d.amount == 0 ? RC_OK : deferral_add(tx, &d);
}

static enum rc defer(struct tx *tx, const struct document_row *row, const struct rated_line *lines,
                     size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any = any || lines[i].advance;
    if (!any || row->settle == SETTLE_COLLECT)
        return RC_OK;
    struct document_sum *sums = NEW_N(tx->arena, struct document_sum, count);
    int64_t *nets = NEW_N(tx->arena, int64_t, count);
    for (size_t i = 0; i < count; i++)
        sums[i] = (struct document_sum){.tax_class = lines[i].tax_class,
                                        .income = lines[i].income,
                                        .amount = net_of(row, &lines[i]),
                                        .deferred = lines[i].advance};
    TRY(document_line_nets(row, sums, count, tx->arena, nets, tx->err));
    for (size_t i = 0; i < count; i++)
        if (lines[i].advance)
            TRY(defer_line(tx, row, &lines[i], row->first_line + (int64_t)i, nets[i]));
    return RC_OK;
}

/* --- one document --- */

static enum rc post_document(struct posting_work *w, const struct document_row *row)
{
    struct rated_line *lines = NULL;
    int64_t sums[SUPPLY_DEPTH_MAX] = {0};
    size_t count = 0;
    if (row->line_count > 0)
        TRY(rated_row_lines(w->r, w->tx, row->close_no, row->first_line, row->line_count, &lines,
                            &count));
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < lines[i].path->count; k++)
            sums[k] +=
                row->code == DOCUMENT_CREDIT_NOTE ? -lines[i].amounts[k] : lines[i].amounts[k];
    TRY(document_row_post(w->tx, w->l, row, count > 0 ? lines[0].path : NULL, sums));
    TRY(defer(w->tx, row, lines, count));
    if (row->line_count < 0)
        TRY(close_defer_upstream(w->tx, row));
    if (w->above == NULL)
        return RC_OK;
    return w->above->posted(w->tx, w->l, row, lines, count, w->above_arg);
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
    row->at_number = min_i64(g.last, row->last_document);
    for (size_t i = 0; i < g.count; i++) {
        if (i > 0 && arena_room(w->tx->arena) < CLOSE_ROOM_BYTES) {
            row->at_number = g.rows[i - 1].no;
            break;
        }
        TRY(post_document(w, &g.rows[i]));
    }
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
    TRY(post_document(w, &row));
    return sql_run(w->tx, "DELETE FROM close_held WHERE document = $1", V(no));
}

static enum rc release_held(struct posting_work *w)
{
    struct rows rows;
    TRY(sql_rows(w->tx, &rows,
                 "SELECT h.document FROM close_held h JOIN document d ON d.no = h.document WHERE "
                 "d.state = $1 AND d.close_no < $2 ORDER BY h.document LIMIT $3",
                 V((int64_t)DOCUMENT_DRAFT), V(w->row->no), V((int64_t)CLOSE_POST_CHUNK)));
    for (size_t i = 0; i < rows.count; i++)
        TRY(release(w, row_int(&rows, i, 0)));
    return RC_OK;
}

/* --- the step --- */

enum rc close_post_step(struct tx *tx, struct ledger *l, struct close_row *row,
                        const struct close_above *above)
{
    bool done = false;
    struct posting_work w = {.tx = tx,
                             .l = l,
                             .row = row,
                             .above = above,
                             .above_arg = close_above_begin(above, tx),
                             .r = rater_new(tx)};
    if (row->at_number == row->first_document)
        TRY(release_held(&w));
    if (row->at_number < row->last_document)
        return post_chunk(&w, row);
    TRY(deferral_recognise(tx, l, row->end, DEFERRAL_STEP_MAX, &done));
    if (done)
        row->step = CLOSE_STATEMENTS;
    return RC_OK;
}
