/*
 * settle.c - what this room does within the close of a month: see billing/close.h.
 */
#include "billing/rated_row.h"
#include "money/round.h"
#include "settle/division.h"
#include "settle/fee.h"
#include "settle/make.h"

enum { STATEMENTS_AT_ONCE = 100 };

/* COLLECT: what a wallet paid never came to Clearing. Its issuer, who has it, has so much less of
 * its margin (billing/posting_document.c says the same to the books). */
static struct share prepaid_share(const struct document_row *row)
{
    return (struct share){.origin = SHARE_OF_PREPAID,
                          .payer = POSTING_CLEARING,
                          .payee = row->issuer,
                          .document = row->no,
                          .close_no = row->close_no,
                          .label = STR("Prepaid"),
                          .note = STR("paid with credit"),
                          .currency = row->currency,
                          .base = -row->prepaid,
                          .amount = -row->prepaid,
                          .earn = EARN_ON_INVOICE,
                          .booked = true};
}

static enum rc posted(struct tx *tx, struct ledger *l, const struct document_row *row,
                      const struct rated_line *lines, size_t count, void *arg)
{
    struct share *shares = NULL;
    size_t share_count = 0;
    struct division *division = arg;
    if (count == 0) /* an invoice between tiers: its lines are shared where they are the client's */
        return RC_OK;
    TRY(division_run(division, row, lines, count, &shares, &share_count));
    TRY(fee_add(division, row, lines, count));
    /* What is taken back waits for no money. */
    for (size_t i = 0; i < share_count && row->code == DOCUMENT_CREDIT_NOTE; i++)
        shares[i].earn = EARN_ON_INVOICE;
    TRY(share_accrue(tx, l, shares, share_count, row->gross - row->credited,
                     row->paid + row->prepaid));
    if (row->settle != SETTLE_COLLECT || row->prepaid == 0)
        return RC_OK;
    struct share used = prepaid_share(row);
    return share_accrue(tx, l, &used, 1, row->gross, row->prepaid);
}

static void *begin(struct tx *tx, void *arg)
{
    (void)arg;
    return division_new(tx);
}

/* R(amount x net so far / whole) less the same before: parts of a line add up to the line. */
static int64_t part_of(int64_t amount, const struct line_credit *c)
{
    if (c->whole == 0) /* a line that cost nothing is taken back once, as it is */
        return amount;
    int64_t sign = c->whole > 0 ? 1 : -1;
    __int128 whole = (__int128)sign * c->whole;
    __int128 from = (__int128)sign * amount * c->before;
    __int128 to = from + (__int128)sign * amount * c->now;
    return (int64_t)(round_div(to, whole) - round_div(from, whole));
}

/* The shares of what is taken back, as if it had been sold: their weights say how much of each. */
static enum rc credited(struct tx *tx, struct ledger *l, const struct document_row *invoice,
                        const struct line_credit *credits, size_t count, void *arg)
{
    struct share *parts = NULL;
    size_t part_count = 0;
    if (invoice->close_no == 0) /* written by hand: nobody has a share */
        return RC_OK;
    struct rater *rater = rater_new(tx);
    struct rated_line *lines = NEW_N(tx->arena, struct rated_line, count);
    for (size_t i = 0; i < count; i++) {
        struct rated_line *line = NULL;
        size_t found = 0;
        TRY(rated_row_lines(rater, tx, invoice->close_no, credits[i].number, 1, &line, &found));
        ASSERT(found == 1);
        lines[i] = *line;
        for (size_t k = 0; k < line->path->count; k++)
            lines[i].amounts[k] = part_of(line->amounts[k], &credits[i]);
        lines[i].list_amount = part_of(line->list_amount, &credits[i]);
        lines[i].discount = part_of(line->discount, &credits[i]);
        if (!line->tax_included) /* what the client is credited, to the cent */
            lines[i].discount = lines[i].amounts[line->path->count - 1] - credits[i].now;
    }
    TRY(division_run(arg, invoice, lines, count, &parts, &part_count));
    return share_credit(tx, l, invoice, parts, part_count);
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
