/* One unit of work of a close: what the job thread, tests and simulator call again and again. */
#include "billing/close_inside.h"
#include "billing/wallet.h"
#include "meter/total.h"

enum { BREAK_LIMIT = 1000 };

struct work {
    struct ledger *l;
    const struct close_above *above;
    bool worked;
    struct close_row row; /* a dry one, between its two units of work */
    struct close_found found;
};

/* --- steps --- */

/* Once all usage is added up it counts as billed: what comes while lines are rated is late. */
static enum rc collect(struct tx *tx, struct ledger *l, struct close_row *row)
{
    bool done = false;
    TRY(total_fold(tx, CLOSE_FOLD_RECORDS, &done));
    if (!done)
        return RC_OK;
    TRY(wallet_break(tx, l, BREAK_LIMIT, &done));
    if (!done)
        return RC_OK;
    TRY(subscription_count(tx, row->since, row->end, &row->total));
    row->step = CLOSE_RATE;
    return total_billed(tx, row->end);
}

static enum rc make_statements(struct tx *tx, struct ledger *l, struct close_row *row,
                               const struct close_above *above)
{
    struct close shown;
    bool done = above == NULL;
    if (!done) {
        TRY(close_show(tx, row, &shown));
        TRY(above->statements(tx, l, &shown, &done, close_above_begin(above, tx)));
    }
    if (!done)
        return RC_OK;
    row->step = CLOSE_DONE;
    row->finished = tx->now;
    return RC_OK;
}

static enum rc step(struct tx *tx, struct work *w, struct close_row *row, struct close_found *found)
{
    switch (row->step) {
    case CLOSE_COLLECT:
        return collect(tx, w->l, row);
    case CLOSE_RATE:
        return close_rate_step(tx, row, found);
    case CLOSE_DRAFT:
        return close_draft_step(tx, row, found);
    case CLOSE_REVIEW: /* nobody has to look */
        row->step = CLOSE_FINALISE;
        row->at_number = row->first_document;
        return RC_OK;
    case CLOSE_FINALISE:
        return close_finalise_step(tx, row);
    case CLOSE_POST:
        return close_post_step(tx, w->l, row, w->above);
    case CLOSE_STATEMENTS:
        return make_statements(tx, w->l, row, w->above);
    case CLOSE_DONE:
        break;
    }
    NEVER("a close that is done is not open");
}

/* --- units of work --- */

static enum rc work_once(struct tx *tx, void *arg)
{
    struct work *w = arg;
    struct close_row row;
    struct close_found found = {0};
    TRY(close_row_open(tx, &row, &w->worked));
    if (!w->worked || row.dry)
        return RC_OK;
    TRY(step(tx, w, &row, &found));
    return close_row_save(tx, &row, &found);
}

static enum rc peek(struct tx *tx, void *arg)
{
    struct work *w = arg;
    return close_row_open(tx, &w->row, &w->worked);
}

/* Computed in a snapshot; what it keeps is how far it is and what it found. */
static enum rc compute_dry(struct tx *tx, void *arg)
{
    struct work *w = arg;
    w->found = (struct close_found){0};
    TRY(close_row_open(tx, &w->row, &w->worked));
    if (!w->worked || !w->row.dry)
        return RC_OK;
    if (w->row.step == CLOSE_COLLECT) {
        TRY(subscription_count(tx, w->row.since, w->row.end, &w->row.total));
        w->row.step = CLOSE_RATE;
        return RC_OK;
    }
    TRY(close_rate_step(tx, &w->row, &w->found));
    return RC_OK;
}

static enum rc keep_dry(struct tx *tx, void *arg)
{
    struct work *w = arg;
    struct close_row row = w->row;
    if (row.step > CLOSE_RATE) {
        row.step = CLOSE_DONE;
        row.finished = tx->now;
    }
    return close_row_save(tx, &row, &w->found);
}

enum rc close_work(struct store *s, struct ledger *l, const struct close_above *above,
                   struct arena *arena, bool *ret_worked, struct err *err)
{
    struct work w = {.l = l, .above = above};
    TRY(store_read(s, arena, err, peek, &w));
    if (w.worked && w.row.dry) {
        TRY(store_read(s, arena, err, compute_dry, &w));
        if (w.worked)
            TRY(store_write(s, arena, err, keep_dry, &w));
    } else if (w.worked) {
        TRY(store_write(s, arena, err, work_once, &w));
    }
    *ret_worked = w.worked;
    return RC_OK;
}
