#include "settle/bad_debt.h"

#include "billing/close.h"
#include "billing/rated_row.h"
#include "money/round.h"
#include "settle/share.h"

#define BAD_DEBT_LABEL STR("BadDebt")

/* Who bears how much: sellers from the operator down; the last one issued the invoice. */
struct loss {
    struct document_row invoice;
    int64_t amount; /* below 0: of what was lost so much is paid after all */
    size_t count;
    struct str sellers[SUPPLY_DEPTH_MAX];
    int64_t bears[SUPPLY_DEPTH_MAX];
    int64_t moves[SUPPLY_DEPTH_MAX]; /* [k]: from seller k + 1 to seller k */
};

/* --- up the path --- */

/* What each buyer pays for the lines of the invoice: sums[k] at the edge where seller k sells. */
static void add_up(const struct rated_line *lines, size_t count, size_t edges, int64_t *sums)
{
    for (size_t i = 0; i < count; i++) {
        if (lines[i].path->count != edges) /* it came by another path for a part of the month */
            continue;
        for (size_t k = 0; k < edges; k++)
            sums[k] += lines[i].amounts[k];
        sums[edges - 1] -= lines[i].discount;
    }
}

/* What the seller of an edge takes over of what its buyer lost. */
static int64_t moved_by(enum bad_debt rule, int64_t lost, int64_t bought, int64_t sold)
{
    switch (rule) {
    case BAD_DEBT_BUYER:
        return 0;
    case BAD_DEBT_SELLER:
        return lost;
    case BAD_DEBT_SHARED:
        if (sold <= 0)
            return 0;
        return max_i64(0, min_i64(lost, (int64_t)round_div((__int128)lost * bought, sold)));
    }
    NEVER("every rule says who bears it");
}

struct edge_loss {
    enum bad_debt rule;
    int64_t bought;
    int64_t sold;
};

/* sign x what each bears of so much, added. */
static void move_up(struct loss *loss, const struct edge_loss *edges, int64_t amount, int sign)
{
    int64_t left = amount;
    for (size_t k = loss->count; k-- > 1;) {
        const struct edge_loss *e = &edges[k - 1];
        int64_t moved = moved_by(e->rule, left, e->bought, e->sold);
        loss->moves[k - 1] += sign * moved;
        loss->bears[k] += sign * (left - moved);
        left = moved;
    }
    loss->bears[0] += sign * left;
}

/* All that was lost after it, less all that was before: so parts of it add up to the whole. */
static enum rc divide(struct tx *tx, struct loss *loss, const struct supply_path *path,
                      const int64_t *sums)
{
    struct edge_loss edges[SUPPLY_DEPTH_MAX] = {0};
    int64_t before = loss->invoice.written_off;
    for (size_t k = 0; k + 1 < loss->count; k++) {
        struct terms terms;
        TRY(agreement_terms(tx, path->edges[k].agreement, path->edges[k].terms, &terms));
        edges[k] = (struct edge_loss){(enum bad_debt)terms.bad_debt, sums[k], sums[k + 1]};
    }
    move_up(loss, edges, before + loss->amount, 1);
    move_up(loss, edges, before, -1);
    return RC_OK;
}

static enum rc find_bearers(struct tx *tx, struct loss *loss)
{
    struct rated_line *lines = NULL;
    size_t count = 0;
    int64_t sums[SUPPLY_DEPTH_MAX] = {0};
    const struct document_row *d = &loss->invoice;
    loss->count = 1;
    loss->sellers[0] = d->issuer;
    if (d->close_no == 0 || d->line_count <= 0)
        return divide(tx, loss, NULL, sums);
    TRY(rated_row_lines(rater_new(tx), tx, d->close_no, d->first_line, d->line_count, &lines,
                        &count));
    ASSERT(count > 0);
    const struct supply_path *path = lines[0].path;
    loss->count = path->count;
    for (size_t k = 0; k < path->count; k++)
        loss->sellers[k] = path->edges[k].seller;
    add_up(lines, count, path->count, sums);
    return divide(tx, loss, path, sums);
}

/* --- in the books --- */

static enum rc post(struct tx *tx, struct ledger *l, const struct loss *loss)
{
    struct leg legs[2 * SUPPLY_DEPTH_MAX + 1];
    size_t count = 0;
    uint64_t number = 0;
    struct arena *arena = tx->arena;
    const struct document_row *d = &loss->invoice;
    bool collect = d->settle == SETTLE_COLLECT;
    struct str creditor = collect ? POSTING_CLEARING : d->issuer;
    struct str client = arena_fmt(arena, "AR:%.*s", STRF(d->recipient));
    struct str expense = STR("Expense:BadDebt");
    if (!collect)
        legs[count++] = (struct leg){
            .party = d->issuer, .debit = expense, .credit = client, .amount = loss->amount};
    for (size_t k = 0; k < loss->count && collect; k++) {
        struct str owed = arena_fmt(arena, "AP:%.*s", STRF(loss->sellers[k]));
        legs[count++] = (struct leg){
            .party = creditor, .debit = owed, .credit = client, .amount = loss->bears[k]};
        legs[count++] = (struct leg){.party = loss->sellers[k],
                                     .debit = expense,
                                     .credit = STR("AR:Clearing"),
                                     .amount = loss->bears[k]};
    }
    legs[count++] = (struct leg){.party = d->recipient,
                                 .debit = arena_fmt(arena, "AP:%.*s", STRF(creditor)),
                                 .credit = STR("Income:BadDebt"),
                                 .amount = loss->amount};
    for (size_t i = 0; i < count; i++)
        legs[i].code = POSTING_BAD_DEBT;
    TRY(posting_number(tx, &number));
    return posting_event(tx, l, STR("settle"), number, d->currency, legs, count);
}

/* Each knows its neighbours alone: base and note tell nothing of the client's price. */
static struct share share_of(const struct loss *loss, struct str payer, struct str payee,
                             int64_t amount)
{
    return (struct share){.origin = SHARE_OF_BAD_DEBT,
                          .payer = payer,
                          .payee = payee,
                          .document = loss->invoice.no,
                          .close_no = loss->invoice.close_no,
                          .label = BAD_DEBT_LABEL,
                          .note = STR("bad debt"),
                          .currency = loss->invoice.currency,
                          .base = amount,
                          .amount = amount,
                          .earn = EARN_ON_INVOICE,
                          .booked = loss->invoice.settle == SETTLE_COLLECT};
}

static enum rc accrue(struct tx *tx, struct ledger *l, const struct loss *loss)
{
    size_t count = 0;
    struct share *shares = NEW_N(tx->arena, struct share, loss->count);
    for (size_t k = 0; k < loss->count; k++) {
        if (loss->invoice.settle == SETTLE_COLLECT)
            shares[count++] = share_of(loss, POSTING_CLEARING, loss->sellers[k], -loss->bears[k]);
        else if (k + 1 < loss->count)
            shares[count++] =
                share_of(loss, loss->sellers[k], loss->sellers[k + 1], loss->moves[k]);
    }
    return share_accrue(tx, l, shares, count, 0, 0);
}

/* --- the whole of it --- */

static enum rc check(struct tx *tx, const struct loss *loss)
{
    struct party issuer;
    int64_t today = 0;
    int64_t year = 0;
    const struct document_row *d = &loss->invoice;
    bool shared = loss->bears[loss->count - 1] != loss->amount;
    TRY(party_get(tx, d->issuer, &issuer));
    TRY(document_day(&issuer, tx->now, &today, &year, tx->err));
    if (shared && today <= d->due_day)
        return err_set(tx->err, RC_CONFLICT,
                       "invoice '%.*s' is not overdue: a loss that others share is not certain yet",
                       STRF(d->id));
    return RC_OK;
}

enum rc bad_debt_write_off(struct tx *tx, struct ledger *l, struct str document,
                           struct document *ret)
{
    struct loss loss = {0};
    TRY(document_row_find(tx, document, &loss.invoice));
    struct document_row *d = &loss.invoice;
    if (!document_is_invoice(d))
        return err_set(tx->err, RC_CONFLICT, "document '%.*s' is no invoice", STRF(d->id));
    loss.amount = document_open(d);
    if (d->state >= DOCUMENT_FINAL && loss.amount > 0) {
        TRY(find_bearers(tx, &loss));
        TRY(check(tx, &loss));
    }
    TRY(close_posted(tx, d));
    TRY(document_row_write_off(tx, d->no, &loss.amount));
    TRY(document_row_get(tx, d->no, d));
    TRY(post(tx, l, &loss));
    TRY(share_write_off(tx, l, d));
    TRY(accrue(tx, l, &loss));
    return document_get(tx, document, ret);
}

enum rc bad_debt_recover(struct tx *tx, struct ledger *l, struct document_row *invoice,
                         int64_t amount)
{
    struct loss loss = {.invoice = *invoice, .amount = -amount};
    ASSERT(amount > 0 && amount <= invoice->written_off);
    TRY(find_bearers(tx, &loss));
    TRY(document_row_recover(tx, invoice->no, amount));
    TRY(document_row_get(tx, invoice->no, &loss.invoice));
    TRY(post(tx, l, &loss));
    TRY(share_recover(tx, l, &loss.invoice));
    TRY(accrue(tx, l, &loss));
    *invoice = loss.invoice;
    return RC_OK;
}
