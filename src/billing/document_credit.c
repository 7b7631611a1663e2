/* Credit notes: by line or whole, never more than is left, every account of every party with it. An
 * invoice may have more lines than a unit of work has room for: they are taken some at a time. */
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

enum { LINES_AT_ONCE = 500, PIECE_BYTES = 64 * 1024 * 1024, WHOLE_BYTES = 512 * 1024 * 1024 };

struct crediting {
    struct tx *tx; /* in an arena that lives as long as all of it */
    struct ledger *ledger;
    struct document_row invoice;
    struct document_row row; /* the credit note */
    bool parts;              /* rooms above want to know each line */
    size_t count;            /* lines so far */
    size_t room;
    struct line_credit *lines; /* parts alone */
    size_t sum_count;
    struct document_sum sums[DOCUMENT_INCOMES_MAX];
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
    return close_posted(tx, row);
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

/* Names of sellers outlive the piece. */
static enum rc add_tiers(struct tx *tx, struct crediting *c, const struct taking *t,
                         int64_t *ret_wholesale)
{
    struct supply_path path;
    int64_t parts[SUPPLY_DEPTH_MAX];
    size_t known = c->tiers.count;
    if (t->of.tiers == 0)
        return RC_OK;
    tier_parts(t, parts);
    TRY(supply_path_get(tx, t->of.path, &path));
    *ret_wholesale = parts[0];
    TRY(document_tiers_add(&c->tiers, &path, parts, t->of.facts.deferred, tx->err));
    for (size_t i = known; i < c->tiers.count; i++)
        c->tiers.sellers[i] = arena_str(c->tx->arena, c->tiers.sellers[i]);
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

/* --- line by line --- */

static enum rc add_sum(struct crediting *c, const struct document_sum *sum)
{
    size_t i = 0;
    struct document_sum *s = c->sums;
    while (i < c->sum_count &&
           !(s[i].tax_class == sum->tax_class && s[i].deferred == sum->deferred &&
             str_eq(s[i].income, sum->income)))
        i++;
    if (i == DOCUMENT_INCOMES_MAX)
        return err_set(c->tx->err, RC_INVALID, "a document has at most %d kinds of income",
                       DOCUMENT_INCOMES_MAX);
    if (i == c->sum_count) {
        s[i] = *sum;
        s[i].income = arena_str(c->tx->arena, sum->income);
        c->sum_count++;
        return RC_OK;
    }
    TRY(amount_add(s[i].amount, sum->amount, &s[i].amount, c->tx->err));
    return amount_add(s[i].wholesale, sum->wholesale, &s[i].wholesale, c->tx->err);
}

static void keep_part(struct crediting *c, const struct taking *t)
{
    if (!c->parts)
        return;
    ASSERT(c->count < c->room);
    c->lines[c->count] = (struct line_credit){
        .number = t->of.line, .whole = t->of.facts.net, .before = t->before, .now = t->net};
}

static enum rc insert_line(struct tx *tx, const struct crediting *c, const struct taking *t)
{
    struct billed_line line = {
        .line = (int64_t)c->count + 1, .facts = t->of.facts, .credits = t->of.line};
    line.facts.net = t->net;
    line.facts.discount = 0;
    return document_line_insert(tx, c->row.no, &line);
}

/* The line of the credit note, and what waits of the invoice's. */
static enum rc add(struct tx *tx, struct crediting *c, const struct taking *t)
{
    const struct draft_line *f = &t->of.facts;
    struct document_sum sum = {
        .tax_class = f->tax_class, .income = f->income, .amount = t->net, .deferred = f->deferred};
    TRY(add_tiers(tx, c, t, &sum.wholesale));
    TRY(add_sum(c, &sum));
    TRY(insert_line(tx, c, t));
    keep_part(c, t);
    c->count++;
    return f->deferred ? follow_deferred(tx, c->ledger, &c->invoice, t) : RC_OK;
}

/* All that is left of a line; nothing may be. */
static enum rc add_rest(struct tx *tx, struct crediting *c, const struct billed_line *line)
{
    struct taking t = {.of = *line};
    enum rc rc = take(tx, c, &t, STR(""));
    if (rc == RC_CONFLICT) {
        err_clear(tx->err);
        return RC_OK;
    }
    TRY(rc);
    return add(tx, c, &t);
}

/* Prices that hold the tax: the nets of all lines are known together, and read once. */
static bool together(const struct document_row *invoice)
{
    return invoice->tax_included && invoice->close_no != 0;
}

static size_t at_once(const struct document_row *invoice)
{
    return together(invoice) ? DOCUMENT_INCLUSIVE_MAX : LINES_AT_ONCE;
}

static int by_number(const void *a, const void *b)
{
    const struct billed_line *x = a;
    const struct billed_line *y = b;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* All lines of such an invoice, by their numbers; of another one none. */
static enum rc read_together(const struct crediting *c, struct billed_line **ret, size_t *ret_count)
{
    *ret_count = 0;
    if (!together(&c->invoice))
        return RC_OK;
    TRY(document_line_rows(c->tx, &c->invoice, (struct line_cursor){0}, DOCUMENT_INCLUSIVE_MAX, ret,
                           ret_count));
    qsort(*ret, *ret_count, sizeof **ret, by_number);
    return RC_OK;
}

/* The one of them with the number of *line. */
static enum rc pick(struct tx *tx, const struct crediting *c, const struct billed_line *all,
                    size_t count, struct billed_line *line)
{
    const struct billed_line *known =
        count > 0 ? bsearch(line, all, count, sizeof *all, by_number) : NULL;
    if (known == NULL)
        return err_set(tx->err, RC_NOT_FOUND, "document '%.*s' has no line %lld",
                       STRF(c->invoice.id),
                       (long long)document_line_shown(&c->invoice, line->line));
    *line = *known;
    return RC_OK;
}

static enum rc take_named(struct tx *tx, struct crediting *c, const struct credit_line *lines,
                          size_t count)
{
    struct billed_line *all = NULL;
    size_t all_count = 0;
    TRY(read_together(c, &all, &all_count));
    for (size_t i = 0; i < count; i++) {
        struct taking t = {0};
        for (size_t k = 0; k < i; k++)
            if (lines[k].line == lines[i].line)
                return err_set_at(tx->err, RC_INVALID, arena_fmt(tx->arena, "/lines/%zu/line", i),
                                  "line %lld is there twice", (long long)lines[i].line);
        if (arena_room(tx->arena) < PIECE_BYTES / 2)
            arena_reset(tx->arena);
        t.of.line = document_line_of(&c->invoice, lines[i].line);
        TRY(together(&c->invoice) ? pick(tx, c, all, all_count, &t.of)
                                  : document_line_get(tx, &c->invoice, t.of.line, &t.of));
        TRY(take(tx, c, &t, lines[i].net));
        TRY(add(tx, c, &t));
    }
    return RC_OK;
}

static enum rc take_all(struct tx *tx, struct crediting *c)
{
    struct billed_line *lines = NULL;
    struct line_cursor after = {0};
    size_t limit = at_once(&c->invoice);
    size_t count = limit;
    while (count == limit) {
        arena_reset(tx->arena);
        TRY(document_line_rows(limit > LINES_AT_ONCE ? c->tx : tx, &c->invoice, after,
                               (int64_t)limit, &lines, &count));
        for (size_t i = 0; i < count; i++) {
            if (arena_room(tx->arena) < PIECE_BYTES / 2 && limit > LINES_AT_ONCE)
                arena_reset(tx->arena);
            TRY(add_rest(tx, c, &lines[i]));
        }
        if (count > 0)
            after = lines[count - 1].at;
    }
    return RC_OK;
}

/* --- the credit note --- */

static struct document_row fresh_credit(const struct document_row *i, struct str note)
{
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
                                 .period_begin = i->period_begin,
                                 .period_end = i->period_end,
                                 .refers_to = i->no,
                                 .note = note};
}

static enum rc begin(struct crediting *c, const struct close_above *above,
                     const struct credit_request *request)
{
    struct tx *tx = c->tx;
    TRY(document_row_find(tx, request->id, &c->invoice));
    TRY(check_document(tx, &c->invoice));
    c->row = fresh_credit(&c->invoice, request->note);
    TRY(document_nos(tx, 1, &c->row.no));
    /* Between tiers nobody has a share. */
    c->parts = above != NULL && above->credited != NULL && c->invoice.line_count >= 0;
    c->room = request->count > 0 ? request->count : (size_t)max_i64(c->invoice.line_count, 0);
    if (c->parts)
        c->lines = NEW_N(tx->arena, struct line_credit, c->room);
    c->before = NEW_N(tx->arena, struct document_tax_group, c->invoice.group_count);
    return document_row_credits(tx, c->invoice.no, add_before, c);
}

/* The invoice is less, shares are taken back. */
static enum rc end(struct crediting *c, const struct close_above *above)
{
    struct tx *tx = c->tx;
    struct document_row now;
    if (c->count == 0)
        return err_set(tx->err, RC_CONFLICT, "nothing of document '%.*s' is left to credit",
                       STRF(c->invoice.id));
    c->row.line_count = (int64_t)c->count;
    TRY(document_row_credit_total(&c->row, &c->invoice, c->before, c->sums, c->sum_count, tx->arena,
                                  tx->err));
    TRY(document_row_exchange_as(&c->row, &c->invoice, c->before, tx->arena, tx->err));
    if (c->row.gross < 0)
        return err_set(tx->err, RC_CONFLICT,
                       "a credit note gives back: these lines of document '%.*s' come to less than "
                       "nothing",
                       STRF(c->invoice.id));
    TRY(document_row_insert(tx, &c->row));
    TRY(document_issue(tx, c->ledger, &c->row, c->tiers.count > 0 ? &c->tiers : NULL));
    TRY(document_row_credited(tx, c->invoice.no, c->row.gross));
    if (above == NULL || above->credited == NULL)
        return RC_OK;
    TRY(document_row_get(tx, c->invoice.no, &now));
    return above->credited(tx, c->ledger, &now, c->lines, c->parts ? c->count : 0,
                           close_above_begin(above, tx));
}

static enum rc credit(struct crediting *c, struct tx *piece, const struct close_above *above,
                      const struct credit_request *request)
{
    TRY(begin(c, above, request));
    TRY(request->count > 0 ? take_named(piece, c, request->lines, request->count)
                           : take_all(piece, c));
    return end(c, above);
}

enum rc document_credit(struct tx *tx, struct ledger *l, const struct close_above *above,
                        const struct credit_request *request, struct document *ret)
{
    struct arena whole;
    struct arena piece;
    struct tx all = *tx;
    struct tx some = *tx;
    struct crediting *c = NEW(tx->arena, struct crediting);
    arena_init(&whole, WHOLE_BYTES);
    arena_init(&piece, PIECE_BYTES);
    all.arena = &whole;
    some.arena = &piece;
    c->tx = &all;
    c->ledger = l;
    enum rc rc = credit(c, &some, above, request);
    int64_t no = c->row.no;
    arena_fini(&piece);
    arena_fini(&whole);
    TRY(rc);
    struct document_row row;
    TRY(document_row_get(tx, no, &row));
    return document_show(tx, &row, ret);
}
