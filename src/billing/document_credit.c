/* Credit notes: by line or whole, never more than is left, every account of every party with it. */
#include "billing/close.h"
#include "billing/deferral.h"
#include "billing/document_make.h"
#include "money/amount.h"
#include "money/round.h"

/* What is credited of one line. */
struct taking {
    struct billed_line of; /* the invoice's */
    int64_t before;        /* net that credit notes took so far */
    bool again;            /* some did */
    int64_t net;           /* taken now */
};

struct crediting {
    struct document_row invoice;
    struct taking *lines;
    size_t count;
    struct document_tax_group *before; /* by the invoice's groups */
    struct document_tiers tiers;       /* COLLECT */
};

/* --- what there is to credit --- */

static enum rc check_document(struct tx *tx, const struct document_row *row)
{
    bool takes_back = row->code == DOCUMENT_CREDIT_NOTE || row->code == DOCUMENT_SELF_BILLED_CREDIT;
    if (row->state < DOCUMENT_FINAL)
        return err_set(tx->err, RC_CONFLICT, "document '%.*s' is a draft: change or hold it",
                       STRF(row->id));
    if (takes_back || row->state == DOCUMENT_WRITTEN_OFF || row->state == DOCUMENT_CREDITED)
        return err_set(tx->err, RC_CONFLICT, "nothing of document '%.*s' can be credited",
                       STRF(row->id));
    return RC_OK;
}

static enum rc add_before(struct tx *tx, const struct document_row *credit, void *arg)
{
    struct crediting *c = arg;
    (void)tx;
    for (size_t i = 0; i < credit->group_count; i++)
        for (size_t k = 0; k < c->invoice.group_count; k++) {
            const struct document_tax_group *g = &credit->groups[i];
            if (g->classes != c->invoice.groups[k].classes)
                continue;
            c->before[k].group.net += g->group.net;
            c->before[k].group.tax += g->group.tax;
            c->before[k].buyer_tax += g->buyer_tax;
        }
    return RC_OK;
}

static enum rc too_much(struct tx *tx, const struct taking *t, const struct currency *c)
{
    struct str left = amount_str(t->of.facts.net - t->before, c, tx->arena);
    return err_set(tx->err, RC_CONFLICT, "only %.*s %s of the line '%.*s' is left to credit",
                   STRF(left), c->code, STRF(t->of.facts.text));
}

/* A line that cost nothing (a free tier) is taken back once, as others on its path earned by it. */
static enum rc take(struct tx *tx, const struct crediting *c, struct taking *t, struct str wanted)
{
    const struct currency *currency = c->invoice.currency;
    int64_t net = t->of.facts.net;
    int64_t left = 0;
    TRY(document_line_credited(tx, c->invoice.no, t->of.line, &t->before, &t->again));
    left = net - t->before;
    t->net = left;
    if (wanted.n > 0)
        TRY(amount_parse(wanted, currency, &t->net, tx->err));
    bool fits = net >= 0 ? t->net >= 0 && t->net <= left : t->net <= 0 && t->net >= left;
    bool nothing = t->net == 0 && (net != 0 || t->again);
    return fits && !nothing ? RC_OK : too_much(tx, t, currency);
}

static enum rc take_named(struct tx *tx, struct crediting *c, const struct credit_line *lines,
                          size_t count)
{
    c->lines = NEW_N(tx->arena, struct taking, count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++)
            if (lines[k].line == lines[i].line)
                return err_set_at(tx->err, RC_INVALID, arena_fmt(tx->arena, "/lines/%zu/line", i),
                                  "line %lld is there twice", (long long)lines[i].line);
        struct taking *t = &c->lines[c->count++];
        TRY(document_line_get(tx, &c->invoice, document_line_of(&c->invoice, lines[i].line),
                              &t->of));
        TRY(take(tx, c, t, lines[i].net));
    }
    return RC_OK;
}

static enum rc take_all(struct tx *tx, struct crediting *c)
{
    struct billed_line *lines = NULL;
    size_t count = 0;
    TRY(document_line_rows(tx, &c->invoice, (struct line_cursor){0}, DRAFT_LINES_MAX + 1, &lines,
                           &count));
    if (count > DRAFT_LINES_MAX)
        return err_set(tx->err, RC_TOO_LARGE,
                       "document '%.*s' has more than %d lines: credit it line by line",
                       STRF(c->invoice.id), DRAFT_LINES_MAX);
    c->lines = NEW_N(tx->arena, struct taking, count);
    for (size_t i = 0; i < count; i++) {
        struct taking *t = &c->lines[c->count];
        t->of = lines[i];
        enum rc rc = take(tx, c, t, STR(""));
        if (rc == RC_OK)
            c->count++;
        else if (rc != RC_CONFLICT)
            return rc;
        err_clear(tx->err);
    }
    if (c->count == 0)
        return err_set(tx->err, RC_CONFLICT, "nothing of document '%.*s' is left to credit",
                       STRF(c->invoice.id));
    return RC_OK;
}

/* --- what each tier gives back --- */

/* R(amount x net so far / net) less the same before: the parts add up to the amount. */
static int64_t tier_part(const struct taking *t, int64_t amount)
{
    int64_t net = t->of.facts.net;
    if (net == 0)
        return amount;
    int64_t sign = net > 0 ? 1 : -1;
    __int128 whole = (__int128)sign * net;
    __int128 from = (__int128)sign * amount * t->before;
    __int128 to = from + (__int128)sign * amount * t->net;
    return (int64_t)(round_div(to, whole) - round_div(from, whole));
}

/* What the buyers of each edge are given back; the last one what the credit note says. */
static void tier_parts(const struct taking *t, int64_t parts[SUPPLY_DEPTH_MAX])
{
    size_t last = t->of.tiers - 1;
    for (size_t k = 0; k < last; k++)
        parts[k] = tier_part(t, t->of.amounts[k]);
    parts[last] = t->net;
}

static enum rc add_tiers(struct tx *tx, struct crediting *c, const struct taking *t,
                         int64_t *ret_wholesale)
{
    struct supply_path path;
    int64_t parts[SUPPLY_DEPTH_MAX];
    if (t->of.tiers == 0)
        return RC_OK;
    tier_parts(t, parts);
    TRY(supply_path_get(tx, t->of.path, &path));
    *ret_wholesale = parts[0];
    return document_tiers_add(&c->tiers, &path, parts, t->of.facts.deferred, tx->err);
}

/* --- the credit note --- */

static struct document_row fresh_credit(const struct crediting *c, struct str note)
{
    const struct document_row *i = &c->invoice;
    return (struct document_row){.code = i->code == DOCUMENT_SELF_BILLED
                                             ? DOCUMENT_SELF_BILLED_CREDIT
                                             : DOCUMENT_CREDIT_NOTE,
                                 .state = DOCUMENT_DRAFT,
                                 .issuer = i->issuer,
                                 .recipient = i->recipient,
                                 .agreement = i->agreement,
                                 .currency = i->currency,
                                 .settle = i->settle,
                                 .first_line = 1,
                                 .line_count = (int64_t)c->count,
                                 .period_begin = i->period_begin,
                                 .period_end = i->period_end,
                                 .refers_to = i->no,
                                 .note = note};
}

static enum rc total(struct tx *tx, struct crediting *c, struct document_row *row)
{
    struct document_sum *sums = NEW_N(tx->arena, struct document_sum, c->count);
    c->before = NEW_N(tx->arena, struct document_tax_group, c->invoice.group_count);
    TRY(document_row_credits(tx, c->invoice.no, add_before, c));
    for (size_t i = 0; i < c->count; i++) {
        const struct draft_line *f = &c->lines[i].of.facts;
        sums[i] = (struct document_sum){.tax_class = f->tax_class,
                                        .income = f->income,
                                        .amount = c->lines[i].net,
                                        .deferred = f->deferred};
        TRY(add_tiers(tx, c, &c->lines[i], &sums[i].wholesale));
    }
    return document_row_credit_total(row, &c->invoice, c->before, sums, c->count, tx->arena,
                                     tx->err);
}

static enum rc insert_lines(struct tx *tx, const struct crediting *c,
                            const struct document_row *row)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct taking *t = &c->lines[i];
        struct billed_line line = {
            .line = (int64_t)i + 1, .facts = t->of.facts, .credits = t->of.line};
        line.facts.net = t->net;
        line.facts.discount = 0;
        TRY(document_line_insert(tx, row->no, &line));
    }
    return RC_OK;
}

/* What waits as deferred is less, in the book of every tier. */
static enum rc follow_deferred(struct tx *tx, struct ledger *l, const struct document_row *invoice,
                               const struct taking *t)
{
    struct supply_path path;
    int64_t parts[SUPPLY_DEPTH_MAX];
    struct deferral_taking part = {
        .party = invoice->issuer, .document = invoice->no, .line = t->of.line, .amount = t->net};
    if (t->of.tiers == 0)
        return deferral_credit(tx, l, &part);
    tier_parts(t, parts);
    TRY(supply_path_get(tx, t->of.path, &path));
    for (size_t k = 0; k < t->of.tiers; k++) {
        part.party = path.edges[k].seller;
        part.tier = (int64_t)k;
        part.amount = parts[k] - (k > 0 ? parts[k - 1] : 0);
        TRY(deferral_credit(tx, l, &part));
    }
    return RC_OK;
}

/* The invoice is less, what waits as deferred is less, shares are taken back. */
static enum rc follow(struct tx *tx, struct ledger *l, const struct close_above *above,
                      const struct crediting *c, const struct document_row *row)
{
    const struct document_row *invoice = &c->invoice;
    TRY(document_row_credited(tx, invoice->no, row->gross));
    for (size_t i = 0; i < c->count; i++)
        if (c->lines[i].of.facts.deferred)
            TRY(follow_deferred(tx, l, invoice, &c->lines[i]));
    if (above == NULL || above->credited == NULL)
        return RC_OK;
    struct document_row now;
    struct line_credit *lines = NEW_N(tx->arena, struct line_credit, c->count);
    for (size_t i = 0; i < c->count; i++)
        lines[i] = (struct line_credit){.number = c->lines[i].of.line,
                                        .whole = c->lines[i].of.facts.net,
                                        .before = c->lines[i].before,
                                        .now = c->lines[i].net};
    TRY(document_row_get(tx, invoice->no, &now));
    return above->credited(tx, l, &now, lines, c->count, close_above_begin(above, tx));
}

enum rc document_credit(struct tx *tx, struct ledger *l, const struct close_above *above,
                        const struct credit_request *request, struct document *ret)
{
    struct crediting *c = NEW(tx->arena, struct crediting);
    TRY(document_row_find(tx, request->id, &c->invoice));
    TRY(check_document(tx, &c->invoice));
    TRY(request->count > 0 ? take_named(tx, c, request->lines, request->count) : take_all(tx, c));
    struct document_row row = fresh_credit(c, request->note);
    TRY(total(tx, c, &row));
    TRY(document_row_insert(tx, &row));
    TRY(insert_lines(tx, c, &row));
    TRY(document_issue(tx, l, &row, c->tiers.count > 0 ? &c->tiers : NULL));
    TRY(follow(tx, l, above, c, &row));
    return document_show(tx, &row, ret);
}
