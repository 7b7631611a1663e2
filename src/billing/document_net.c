#include "billing/document_net.h"

#include "base/map.h"
#include "money/round.h"

enum { MAP_SEED = 2 };

struct document_netter {
    struct tx *tx;
    struct map between; /* by close and agreement: struct document_row, without groups where none */
};

/* The lines of one document. */
struct netting {
    struct document_netter *of;
    const struct document_row *row;
    struct rated_line *lines;
    size_t count;
    int64_t sign; /* a credit note's amounts are positive */
    struct document_sum *sums;
    int64_t *nets;
};

struct document_netter *document_netter_new(struct tx *tx)
{
    static const uint64_t seed[MAP_SEED] = {9, 10}; /* keys are our own ids */
    struct document_netter *n = NEW(tx->arena, struct document_netter);
    n->tx = tx;
    map_init(&n->between, tx->arena, seed);
    return n;
}

/* --- rates --- */

static enum rc read_between(struct tx *tx, int64_t close_no, struct str agreement,
                            struct document_row *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT no FROM document WHERE agreement = $1 AND close_no = $2 AND line_count < "
                 "0 AND tax_included = $3 ORDER BY no LIMIT 1",
                 V(agreement), V(close_no), V(true)));
    return rows.count > 0 ? document_row_get(tx, row_int(&rows, 0, 0), ret) : RC_OK;
}

/* The document between two tiers that the close made. */
static enum rc find_between(struct document_netter *n, int64_t close_no, struct str agreement,
                            const struct document_row **ret)
{
    struct arena *arena = n->tx->arena;
    struct str key = arena_fmt(arena, "%lld %.*s", (long long)close_no, STRF(agreement));
    struct document_row *row = map_get(&n->between, key);
    if (row == NULL) {
        row = NEW(arena, struct document_row);
        TRY(read_between(n->tx, close_no, agreement, row));
        (void)map_put(&n->between, key, row); /* was not there */
    }
    *ret = row;
    return RC_OK;
}

static int64_t rate_of(const struct document_row *row, enum tax_class class)
{
    const struct document_tax_group *g = document_group(row, class);
    ASSERT(g != NULL); /* document_line_nets found it */
    return g->group.rate_ppm;
}

/* Of an edge of a line's path; where nothing was invoiced there, the client's. */
static enum rc rate_at(struct netting *n, const struct rated_line *line, size_t edge, int64_t *ret)
{
    const struct document_row *row = n->row;
    if (edge + 1 < line->path->count) {
        TRY(find_between(n->of, row->close_no, line->path->edges[edge].agreement, &row));
        if (document_group(row, line->tax_class) == NULL)
            row = n->row;
    }
    *ret = rate_of(row, line->tax_class);
    return RC_OK;
}

static int64_t without(int64_t amount, int64_t rate_ppm)
{
    return (int64_t)round_div((__int128)amount * TAX_WHOLE_PPM, TAX_WHOLE_PPM + rate_ppm);
}

/* --- lines --- */

/* Where each tier invoices the next: line by line, at the rate of its own document. */
static enum rc net_between(struct netting *n, struct rated_line *line)
{
    int64_t rate = 0;
    for (size_t k = 0; k + 1 < line->path->count; k++) {
        TRY(rate_at(n, line, k, &rate));
        line->amounts[k] = without(line->amounts[k], rate);
    }
    TRY(rate_at(n, line, 0, &rate));
    line->list_amount = without(line->list_amount, rate);
    return RC_OK;
}

/* One amount of every line: what is left of them all is given to each. */
static enum rc net_all(struct netting *n, int64_t *(*amount_of)(struct rated_line *, size_t),
                       size_t edge)
{
    struct tx *tx = n->of->tx;
    for (size_t i = 0; i < n->count; i++)
        n->sums[i].amount = n->sign * *amount_of(&n->lines[i], edge);
    TRY(document_line_nets(n->row, n->sums, n->count, tx->arena, n->nets, tx->err));
    for (size_t i = 0; i < n->count; i++)
        *amount_of(&n->lines[i], edge) = n->sign * n->nets[i];
    return RC_OK;
}

static int64_t *amount_at(struct rated_line *line, size_t edge)
{
    return &line->amounts[edge];
}

static int64_t *amount_listed(struct rated_line *line, size_t edge)
{
    (void)edge;
    return &line->list_amount;
}

/* What the client owes: after the discount, as the document shows it. */
static enum rc net_client(struct netting *n)
{
    struct tx *tx = n->of->tx;
    for (size_t i = 0; i < n->count; i++) {
        const struct rated_line *line = &n->lines[i];
        n->sums[i].amount = n->sign * (line->amounts[line->path->count - 1] - line->discount);
    }
    TRY(document_line_nets(n->row, n->sums, n->count, tx->arena, n->nets, tx->err));
    for (size_t i = 0; i < n->count; i++) {
        struct rated_line *line = &n->lines[i];
        line->discount = without(line->discount, rate_of(n->row, line->tax_class));
        line->amounts[line->path->count - 1] = n->sign * n->nets[i] + line->discount;
        line->tax_included = false;
    }
    return RC_OK;
}

enum rc document_netter_lines(struct document_netter *n, const struct document_row *row,
                              struct rated_line *lines, size_t count)
{
    struct netting of = {.of = n,
                         .row = row,
                         .lines = lines,
                         .count = count,
                         .sign = row->code == DOCUMENT_CREDIT_NOTE ? -1 : 1,
                         .sums = NEW_N(n->tx->arena, struct document_sum, count),
                         .nets = NEW_N(n->tx->arena, int64_t, count)};
    if (!row->tax_included || count == 0)
        return RC_OK;
    for (size_t i = 0; i < count; i++)
        of.sums[i] = (struct document_sum){.tax_class = lines[i].tax_class,
                                           .income = lines[i].income,
                                           .deferred = lines[i].advance};
    TRY(net_client(&of));
    if (row->settle != SETTLE_COLLECT) {
        for (size_t i = 0; i < count; i++)
            TRY(net_between(&of, &lines[i]));
        return RC_OK;
    }
    for (size_t k = 0; k + 1 < lines[0].path->count; k++) /* all lines have the same sellers */
        TRY(net_all(&of, amount_at, k));
    return net_all(&of, amount_listed, 0);
}
