#include "billing/document_make.h"

#include "billing/deferral.h"
#include "billing/posting.h"
#include "money/amount.h"
#include "money/ascii.h"
#include "party/event.h"

enum { LABEL_MAX = 40 };

/* --- tiers --- */

enum rc document_tiers_add(struct document_tiers *t, const struct supply_path *path,
                           const int64_t *amounts, bool deferred, struct err *err)
{
    for (size_t k = 0; k < path->count; k++) {
        size_t i = 0;
        while (i < t->count && !str_eq(t->sellers[i], path->edges[k].seller))
            i++;
        if (i == SUPPLY_DEPTH_MAX)
            return err_set(err, RC_CONFLICT,
                           "the lines took paths with more than %d sellers: take fewer at once",
                           SUPPLY_DEPTH_MAX);
        if (i == t->count) {
            t->sellers[i] = path->edges[k].seller;
            t->amounts[i] = 0;
            t->deferred[i] = 0;
            t->count++;
        }
        int64_t part = amounts[k] - (k > 0 ? amounts[k - 1] : 0);
        TRY(amount_add(t->amounts[i], part, &t->amounts[i], err));
        if (deferred)
            TRY(amount_add(t->deferred[i], part, &t->deferred[i], err));
    }
    return RC_OK;
}

void document_tiers_parts(const struct document_tiers *t, struct str issuer,
                          struct supply_path *ret_path, struct document_parts *ret)
{
    int64_t sum = 0;
    *ret_path = (struct supply_path){0};
    *ret = (struct document_parts){.path = ret_path};
    for (size_t pass = 0; pass < 2; pass++) /* the issuer last: it takes what is left of the net */
        for (size_t i = 0; i < t->count; i++) {
            if (str_eq(t->sellers[i], issuer) != (pass == 1))
                continue;
            sum += t->amounts[i];
            ret_path->edges[ret_path->count].seller = t->sellers[i];
            ret->deferred[ret_path->count] = t->deferred[i];
            ret->sums[ret_path->count++] = sum;
        }
}

/* --- final --- */

/* Lines that were paid in advance wait from now on. */
static enum rc defer(struct tx *tx, const struct document_row *row)
{
    struct billed_line *lines = NULL;
    size_t count = 0;
    bool deferred = false;
    for (size_t i = 0; i < row->income_count; i++)
        deferred = deferred || row->incomes[i].deferred;
    if (!deferred || row->code == DOCUMENT_CREDIT_NOTE || row->code == DOCUMENT_SELF_BILLED_CREDIT)
        return RC_OK; /* what a credit note takes was kept with its invoice: deferral_credit */
    TRY(document_line_rows(tx, row, (struct line_cursor){0}, DRAFT_LINES_MAX, &lines, &count));
    for (size_t i = 0; i < count; i++) {
        const struct draft_line *f = &lines[i].facts;
        struct deferral d = {.party = row->issuer,
                             .document = row->no,
                             .line = lines[i].line,
                             .subscription = f->subscription,
                             .label = f->income,
                             .currency = row->currency,
                             .amount = f->net,
                             .begins = f->from,
                             .ends = f->until};
        if (f->deferred)
            TRY(deferral_add(tx, &d));
    }
    return RC_OK;
}

static enum rc tell(struct tx *tx, const struct document_row *row)
{
    TRY(event_put(tx, "event.document.final", row->issuer, "document", row->id, 0, STR("")));
    return event_put(tx, "event.document.final", row->recipient, "document", row->id, 0, STR(""));
}

enum rc document_issue(struct tx *tx, struct ledger *l, struct document_row *row,
                       const struct document_tiers *tiers)
{
    struct party issuer;
    struct supply_path path;
    struct document_parts parts;
    struct document_row r = *row;
    TRY(party_get(tx, r.issuer, &issuer));
    TRY(document_day(&issuer, tx->now, &r.issued_day, &r.year, tx->err));
    if (r.state != DOCUMENT_DRAFT) /* before a number is taken */
        return err_set(tx->err, RC_CONFLICT, "document '%.*s' is no draft", STRF(r.id));
    TRY(document_numbers(tx, r.issuer, r.code, r.year, 1, &r.number));
    r.posted = true;
    TRY(document_row_finalise(tx, &r));
    struct document_row unposted = r;
    unposted.posted = false;
    if (tiers != NULL)
        document_tiers_parts(tiers, r.issuer, &path, &parts);
    TRY(document_row_post(tx, l, &unposted, tiers != NULL ? &parts : NULL));
    TRY(defer(tx, &r));
    TRY(tell(tx, &r));
    *row = r;
    return RC_OK;
}

enum rc document_finalise(struct tx *tx, struct ledger *l, struct str id, struct document *ret)
{
    struct document_row row;
    TRY(document_row_find(tx, id, &row));
    if (row.close_no != 0)
        return err_set(tx->err, RC_CONFLICT, "document '%.*s' is of a close, which makes it final",
                       STRF(id));
    TRY(document_issue(tx, l, &row, NULL));
    return document_show(tx, &row, ret);
}

/* --- drafts --- */

/* A part of an account's code: a capital letter or a digit, then letters, digits and '-'. */
static bool is_label(struct str s)
{
    if (s.n == 0 || s.n > LABEL_MAX || !(ascii_upper(s.p[0]) || ascii_digit(s.p[0])))
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!ascii_letter(s.p[i]) && !ascii_digit(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

static enum rc check_line(const struct draft_line *line, size_t index, struct arena *arena,
                          struct err *err)
{
    if (!is_label(line->income))
        return err_set_at(err, RC_INVALID, arena_fmt(arena, "/lines/%zu/income", index),
                          "'%.*s' is no part of an account's code: a capital letter or digit, then "
                          "letters, digits and '-' were wanted",
                          STRF(ascii_shown(line->income)));
    if (line->from > line->until || (line->deferred && line->from >= line->until))
        return err_set_at(err, RC_INVALID, arena_fmt(arena, "/lines/%zu/until", index),
                          "line %zu ends before it begins", index + 1);
    return RC_OK;
}

static enum rc check_draft(struct tx *tx, const struct draft *d, struct document_row *invoice)
{
    *invoice = (struct document_row){0};
    if (d->count == 0 || d->count > DRAFT_LINES_MAX)
        return err_set_at(tx->err, RC_INVALID, STR("/lines"), "a document has 1 to %d lines",
                          DRAFT_LINES_MAX);
    if (d->code == DOCUMENT_PREPAYMENT)
        return err_set(tx->err, RC_INVALID, "prepayments are booked on wallets");
    if (d->code == DOCUMENT_CREDIT_NOTE)
        return err_set(tx->err, RC_INVALID, "credit notes are made by crediting an invoice");
    if ((d->code == DOCUMENT_CORRECTED) != (d->refers_to.n > 0))
        return err_set_at(tx->err, RC_INVALID, STR("/refers_to"),
                          "corrected invoices, and they alone, refer to another document");
    for (size_t i = 0; i < d->count; i++)
        TRY(check_line(&d->lines[i], i, tx->arena, tx->err));
    if (d->refers_to.n == 0)
        return RC_OK;
    TRY(document_row_find(tx, d->refers_to, invoice));
    if (!str_eq(invoice->issuer, d->issuer) || !str_eq(invoice->recipient, d->recipient))
        return err_set_at(tx->err, RC_INVALID, STR("/refers_to"),
                          "document '%.*s' is between other parties", STRF(d->refers_to));
    if (invoice->state != DOCUMENT_CREDITED)
        return err_set_at(tx->err, RC_CONFLICT, STR("/refers_to"),
                          "document '%.*s' is not wholly credited: do that first",
                          STRF(d->refers_to));
    return RC_OK;
}

static struct document_sum sum_of(const struct draft_line *line)
{
    return (struct document_sum){.tax_class = line->tax_class,
                                 .income = line->income,
                                 .amount = line->net,
                                 .deferred = line->deferred};
}

static enum rc insert_lines(struct tx *tx, const struct document_row *row, const struct draft *d,
                            const struct document_sum *sums)
{
    int64_t *nets = NEW_N(tx->arena, int64_t, d->count);
    TRY(document_line_nets(row, sums, d->count, tx->arena, nets, tx->err));
    for (size_t i = 0; i < d->count; i++) {
        struct billed_line line = {.line = (int64_t)i + 1, .facts = d->lines[i]};
        line.facts.net = nets[i];
        TRY(document_line_insert(tx, row->no, &line));
    }
    return RC_OK;
}

enum rc document_draft(struct tx *tx, const struct draft *d, struct document *ret)
{
    struct party issuer;
    struct party recipient;
    struct document_row invoice;
    int64_t day = 0;
    int64_t year = 0;
    TRY(check_draft(tx, d, &invoice));
    TRY(party_get(tx, d->issuer, &issuer));
    TRY(party_get(tx, d->recipient, &recipient));
    TRY(document_day(&issuer, tx->now, &day, &year, tx->err));
    struct document_row row = {.code = d->code,
                               .state = DOCUMENT_DRAFT,
                               .issuer = d->issuer,
                               .recipient = d->recipient,
                               .agreement = d->agreement,
                               .currency = d->currency,
                               .settle = SETTLE_CHAIN, /* no tiers stand behind its lines */
                               .tax_included = d->tax_included,
                               .line_count = (int64_t)d->count,
                               .first_line = 1,
                               .payment_days = d->payment_days,
                               .period_begin = d->period_begin,
                               .period_end = d->period_end,
                               .refers_to = invoice.no,
                               .note = d->note};
    struct document_sum *sums = NEW_N(tx->arena, struct document_sum, d->count);
    for (size_t i = 0; i < d->count; i++)
        sums[i] = sum_of(&d->lines[i]);
    TRY(document_row_total(&row, &(struct document_sides){&issuer, &recipient, d->tax, day}, sums,
                           d->count, tx->arena, tx->err));
    if (invoice.exchange.rate.to != NULL) /* what it puts right was told at that rate */
        TRY(document_row_exchange_at(tx, &row, &invoice));
    else
        TRY(document_row_exchange(tx, &row, &issuer, day));
    if (row.net < 0)
        return err_set_at(tx->err, RC_INVALID, STR("/lines"),
                          "the lines add up to less than nothing: credit an invoice instead");
    TRY(document_row_insert(tx, &row));
    TRY(insert_lines(tx, &row, d, sums));
    return document_show(tx, &row, ret);
}
