/* What an invoice of the close sells in advance waits as deferred income, line by line, in the book
 * of its issuer: a client's invoice, and the ones between the tiers above it. Where the platform
 * collects, each tier's part of a client's line waits in its own. */
#include "billing/close_inside.h"
#include "billing/deferral.h"
#include "billing/document_rated.h"
#include "money/round.h"

enum {
    LINES_AT_ONCE = 4000,
    CLIENT_LINES_AT_ONCE = 1000,
    PIECE_ARENA_BYTES = 32 * 1024 * 1024,
};

_Static_assert((int)CLOSE_INVOICE_LINES_MAX <= (int)DOCUMENT_INCLUSIVE_MAX,
               "all of it can be credited");

static bool is_deferred(const struct document_row *row)
{
    bool any = false;
    for (size_t i = 0; i < row->income_count; i++)
        any = any || row->incomes[i].deferred;
    return any;
}

/* --- a client's --- */

static void defer_at(const struct document_row *row, const struct rated_line *line, int64_t number,
                     int64_t amount, struct deferral *ret)
{
    *ret = (struct deferral){.party = row->issuer,
                             .document = row->no,
                             .line = number,
                             .subscription = line->subscription,
                             .label = line->income,
                             .currency = row->currency,
                             .amount = amount,
                             .begins = line->window.from,
                             .ends = line->window.until};
}

/* COLLECT: a row for each tier that earns something of it. */
static void defer_tiers(const struct document_row *row, const struct rated_line *line,
                        int64_t number, struct deferral *list, size_t *made)
{
    int64_t before = 0;
    for (size_t k = 0; k < line->path->count; k++) {
        bool last = k + 1 == line->path->count;
        int64_t until = line->amounts[k] - (last ? line->discount : 0);
        if (until == before)
            continue;
        struct deferral *d = &list[(*made)++];
        defer_at(row, line, number, until - before, d);
        d->party = line->path->edges[k].seller;
        d->tier = (int64_t)k;
        if (k > 0)
            d->label = STR("Margin");
        before = until;
    }
}

static enum rc defer_some(struct tx *tx, const struct document_row *row,
                          const struct rated_line *lines, size_t from, size_t until)
{
    size_t made = 0;
    bool collect = row->settle == SETTLE_COLLECT;
    struct deferral *list =
        NEW_N(tx->arena, struct deferral, (until - from) * (collect ? lines[0].path->count : 1));
    for (size_t i = from; i < until; i++) {
        const struct rated_line *line = &lines[i];
        int64_t net = line->amounts[line->path->count - 1] - line->discount;
        int64_t number = row->first_line + (int64_t)i;
        if (line->advance && collect)
            defer_tiers(row, line, number, list, &made);
        else if (line->advance && net != 0)
            defer_at(row, line, number, net, &list[made++]);
    }
    return deferral_add_all(tx, list, made);
}

/* Some at a time, in memory of their own: where the platform collects, each line has many. */
enum rc close_defer_lines(struct tx *tx, const struct document_row *row,
                          const struct rated_line *lines, size_t count)
{
    struct arena own;
    struct tx piece = *tx;
    enum rc rc = RC_OK;
    if (!is_deferred(row) || count == 0)
        return RC_OK;
    arena_init(&own, PIECE_ARENA_BYTES);
    piece.arena = &own;
    for (size_t at = 0; at < count && rc == RC_OK; at += CLIENT_LINES_AT_ONCE) {
        arena_reset(&own);
        rc = defer_some(&piece, row, lines, at, min_size(count, at + CLIENT_LINES_AT_ONCE));
    }
    arena_fini(&own);
    return rc;
}

/* --- between tiers --- */

static enum rc add_billed(struct tx *tx, const struct document_row *row,
                          const struct billed_line *lines, size_t count)
{
    size_t made = 0;
    struct deferral *list = NEW_N(tx->arena, struct deferral, count);
    for (size_t i = 0; i < count; i++) {
        const struct draft_line *f = &lines[i].facts;
        if (!f->deferred || f->net == 0)
            continue;
        list[made++] = (struct deferral){
            .party = row->issuer,
            .document = row->no,
            .line = lines[i].line,
            .subscription = f->subscription,
            .label = f->income,
            .currency = row->currency,
            .amount = row->code == DOCUMENT_CREDIT_NOTE ? -f->net : f->net,
            .begins = f->from,
            .ends = f->until,
        };
    }
    return deferral_add_all(tx, list, made);
}

/* Prices that hold the tax, in more lines than a document tells one by one: the net of each kind of
 * income is given to its lines in the order they come, R(net x gross so far / gross) less the same
 * before (specs/billing.md 3.9 (4)). */
struct spread {
    const struct document_income *income;
    __int128 gross; /* of all its lines */
    __int128 before;
};

static struct spread *spread_of(struct spread *list, size_t count, const struct draft_line *f)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].income->deferred == f->deferred && str_eq(list[i].income->label, f->income))
            return &list[i];
    NEVER("a line has an income that its document does not have");
}

static void give_nets(struct spread *list, size_t spreads, struct billed_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct draft_line *f = &lines[i].facts;
        struct spread *s = spread_of(list, spreads, f);
        __int128 sign = s->gross < 0 ? -1 : 1;
        __int128 until = s->before + f->net;
        int64_t net = 0;
        if (s->gross != 0)
            net = (int64_t)(round_div(sign * until * s->income->net, sign * s->gross) -
                            round_div(sign * s->before * s->income->net, sign * s->gross));
        s->before = until;
        f->net = net;
    }
}

/* All lines, a piece at a time: added up, or given their nets and kept. */
static enum rc pass_lines(struct tx *tx, const struct document_row *row, struct spread *list,
                          bool keep)
{
    struct arena own;
    struct tx piece = *tx;
    struct line_cursor after = {0};
    size_t count = LINES_AT_ONCE;
    enum rc rc = RC_OK;
    arena_init(&own, PIECE_ARENA_BYTES);
    piece.arena = &own;
    while (rc == RC_OK && count == LINES_AT_ONCE) {
        struct billed_line *lines = NULL;
        arena_reset(&own);
        rc = document_rated_rows(&piece, row, after, LINES_AT_ONCE, &lines, &count);
        if (rc != RC_OK)
            break;
        for (size_t i = 0; i < count && !keep; i++)
            spread_of(list, row->income_count, &lines[i].facts)->gross += lines[i].facts.net;
        if (count > 0)
            after = lines[count - 1].at;
        if (!keep)
            continue;
        give_nets(list, row->income_count, lines, count);
        rc = add_billed(&piece, row, lines, count);
    }
    arena_fini(&own);
    return rc;
}

static enum rc defer_spread(struct tx *tx, const struct document_row *row)
{
    struct spread *list = NEW_N(tx->arena, struct spread, row->income_count);
    for (size_t i = 0; i < row->income_count; i++)
        list[i].income = &row->incomes[i];
    TRY(pass_lines(tx, row, list, false));
    return pass_lines(tx, row, list, true);
}

static int64_t read_cursor(struct str text)
{
    int64_t number = 0;
    bool ok = text.n == 0 || str_to_i64(text, 0, INT64_MAX, &number);
    ASSERT(ok); /* the close wrote it */
    return number;
}

enum rc close_defer_upstream(struct tx *tx, struct close_row *close, const struct document_row *row,
                             bool *ret_done)
{
    struct line_cursor after = {read_cursor(close->at.client), read_cursor(close->at.id)};
    struct billed_line *lines = NULL;
    size_t count = 0;
    *ret_done = true;
    if (!is_deferred(row) || row->line_count >= 0)
        return RC_OK;
    enum rc rc = document_line_rows(tx, row, after, LINES_AT_ONCE, &lines, &count);
    if (rc == RC_TOO_LARGE && row->tax_included) {
        err_clear(tx->err);
        return defer_spread(tx, row);
    }
    TRY(rc);
    TRY(add_billed(tx, row, lines, count));
    *ret_done = count < LINES_AT_ONCE;
    close->at = (struct subscription_cursor){STR(""), STR(""), STR("")};
    if (*ret_done)
        return RC_OK;
    close->at.client = arena_fmt(tx->arena, "%lld", (long long)lines[count - 1].at.path);
    close->at.id = arena_fmt(tx->arena, "%lld", (long long)lines[count - 1].at.line);
    return RC_OK;
}
