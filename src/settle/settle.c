/*
 * settle.c - what this room does within the close of a month: see billing/close.h.
 */
#include "settle/division.h"
#include "settle/fee.h"
#include "settle/make.h"

enum { STATEMENTS_AT_ONCE = 100 };

static enum rc posted(struct tx *tx, struct ledger *l, const struct document *d,
                      const struct rated_line *lines, size_t count, void *arg)
{
    struct share *shares = NULL;
    size_t share_count = 0;
    struct document_row row;
    struct division *division = arg != NULL ? arg : division_new(tx);
    TRY(document_row_get(tx, d->no, &row));
    TRY(division_run(division, &row, lines, count, &shares, &share_count));
    TRY(fee_add(division, &row, lines, count));
    return share_accrue(tx, l, shares, share_count, row.gross - row.credited,
                        row.paid + row.prepaid);
}

static void *begin(struct tx *tx, void *arg)
{
    (void)arg;
    return division_new(tx);
}

static enum rc credited(struct tx *tx, struct ledger *l, struct str invoice, int64_t net,
                        int64_t credit, void *arg)
{
    struct document_row row;
    (void)arg;
    TRY(document_row_find(tx, invoice, &row));
    return net == 0 ? RC_OK : share_credit(tx, l, &row, net, credit);
}

static enum rc statements(struct tx *tx, struct ledger *l, const struct close *c, bool *ret_done,
                          void *arg)
{
    bool fees_done = false;
    (void)arg;
    *ret_done = false;
    TRY(fee_close(tx, l, c->no, &fees_done));
    if (!fees_done)
        return RC_OK;
    return statements_make(tx, l, STR(""), c->period, c->id, tx->now, STATEMENTS_AT_ONCE, ret_done);
}

const struct close_above settle_above = {
    .begin = begin, .posted = posted, .credited = credited, .statements = statements};
