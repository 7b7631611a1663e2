/*
 * settle.c - what this room does within the close of a month: see billing/close.h.
 */
#include "billing/document_net.h"
#include "billing/rated_row.h"
#include "billing/rated_run.h"
#include "money/round.h"
#include "settle/clearing.h"
#include "settle/division.h"
#include "settle/fee.h"
#include "settle/financing.h"
#include "settle/fit.h"
#include "settle/floor.h"
#include "settle/make.h"
#include "settle/moved.h"
#include "settle/once.h"

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
    TRY(division_keep(division));
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

static enum rc line_rated(struct tx *tx, const struct rated_line *line, void *arg)
{
    time_us at = 0;
    (void)tx; /* the division's */
    TRY(division_at(arg, line, &at));
    return fit_line(arg, line, at);
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

/* The same part of what there was of it, for what is shared by units. */
static struct quantity part_of_quantity(struct quantity q, const struct line_credit *c)
{
    while (q.scale < QUANTITY_SCALE_MAX && q.mantissa <= INT64_MAX / 10 &&
           q.mantissa >= -(INT64_MAX / 10)) {
        q.mantissa *= 10;
        q.scale++;
    }
    return (struct quantity){part_of(q.mantissa, c), q.scale};
}

/* How many of those that follow are read with the first: lines are kept in runs, which are read as
 * a whole. */
static size_t read_together(const struct line_credit *credits, size_t count)
{
    size_t n = 1;
    while (n < count && credits[n].number > credits[n - 1].number &&
           credits[n].number < credits[0].number + RATED_RUN_LINES_MAX)
        n++;
    return n;
}

static enum rc read_taken(struct rater *rater, struct tx *tx, const struct document_row *invoice,
                          const struct line_credit *credits, size_t count,
                          struct rated_line *ret_lines)
{
    for (size_t at = 0; at < count;) {
        struct rated_line *lines = NULL;
        size_t found = 0;
        size_t n = read_together(&credits[at], count - at);
        int64_t first = credits[at].number;
        int64_t last = credits[at + n - 1].number;
        TRY(rated_row_lines(rater, tx, invoice->close_no, first, last - first + 1, &lines, &found));
        ASSERT(found == (size_t)(last - first + 1));
        for (size_t i = 0; i < n; i++)
            ret_lines[at + i] = lines[credits[at + i].number - first];
        at += n;
    }
    return RC_OK;
}

/* The lines that are taken back, whole and net. What holds the tax is known for all lines of the
 * invoice together. */
static enum rc taken_lines(struct tx *tx, const struct document_row *invoice,
                           const struct line_credit *credits, size_t count,
                           struct rated_line *ret_lines)
{
    struct rater *rater = rater_new(tx);
    struct rated_line *all = NULL;
    size_t found = 0;
    if (!invoice->tax_included)
        return read_taken(rater, tx, invoice, credits, count, ret_lines);
    TRY(rated_row_lines(rater, tx, invoice->close_no, invoice->first_line, invoice->line_count,
                        &all, &found));
    TRY(document_netter_lines(document_netter_new(tx), invoice, all, found));
    for (size_t i = 0; i < count; i++) {
        ASSERT(credits[i].number >= invoice->first_line);
        ASSERT(credits[i].number < invoice->first_line + (int64_t)found);
        ret_lines[i] = all[credits[i].number - invoice->first_line];
    }
    return RC_OK;
}

/* The shares of what is taken back, as if it had been sold: their weights say how much of each. */
static enum rc credit_shares(struct tx *tx, struct ledger *l, const struct document_row *invoice,
                             const struct line_credit *credits, size_t count, void *arg)
{
    struct share *parts = NULL;
    size_t part_count = 0;
    /* Written by hand, or between tiers: nobody has a share. */
    if (invoice->close_no == 0 || invoice->line_count < 0)
        return RC_OK;
    struct rated_line *lines = NEW_N(tx->arena, struct rated_line, count);
    TRY(taken_lines(tx, invoice, credits, count, lines));
    for (size_t i = 0; i < count; i++) {
        struct rated_line *line = &lines[i];
        for (size_t k = 0; k < line->path->count; k++)
            line->amounts[k] = part_of(line->amounts[k], &credits[i]);
        line->list_amount = part_of(line->list_amount, &credits[i]);
        line->units = part_of_quantity(line->units, &credits[i]);
        line->quantity = part_of_quantity(line->quantity, &credits[i]);
        /* What the client is credited, to the cent. */
        line->discount = line->amounts[line->path->count - 1] - credits[i].now;
    }
    TRY(division_run(arg, invoice, lines, count, &parts, &part_count));
    return share_credit(tx, l, invoice, parts, part_count);
}

static enum rc credited(struct tx *tx, struct ledger *l, const struct document_row *invoice,
                        const struct line_credit *credits, size_t count, void *arg)
{
    TRY(credit_shares(tx, l, invoice, credits, count, arg));
    TRY(financing_credited(tx, l, invoice));
    return clearing_credited(tx, l, invoice);
}

static enum rc statements(struct tx *tx, struct ledger *l, const struct close *c,
                          const struct close_pass *pass, bool *ret_done, void *arg)
{
    bool fees_done = false;
    bool once_done = false;
    bool floors_done = false;
    bool moved_done = false;
    (void)arg;
    *ret_done = false;
    TRY(fee_close(tx, l, c->no, pass, &fees_done));
    if (!fees_done)
        return RC_OK;
    TRY(once_close(tx, l, c, pass, &once_done));
    if (!once_done)
        return RC_OK;
    TRY(floor_close(tx, l, c->no, pass, &floors_done));
    if (!floors_done)
        return RC_OK;
    TRY(moved_close(tx, l, c->no, pass, &moved_done));
    if (!moved_done)
        return RC_OK;
    const struct statement_order order = {.period = c->period,
                                          .close = c->id,
                                          .until = tx->now,
                                          .limit = STATEMENTS_AT_ONCE,
                                          .pass = pass};
    return statements_make(tx, l, &order, ret_done);
}

const struct close_above settle_above = {.begin = begin,
                                         .rated = line_rated,
                                         .posted = posted,
                                         .credited = credited,
                                         .statements = statements};
