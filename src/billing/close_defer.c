/* Invoices between tiers of what was billed in advance: each seller's income waits as that of the
 * last one does. Their lines are those of the clients' invoices, seen at another edge. */
#include "billing/close_inside.h"
#include "billing/deferral.h"
#include "billing/document_rated.h"

enum { DEFER_PAGE = 1000, DEFER_ARENA_BYTES = 16 * 1024 * 1024 };

/* What is kept of a line, whatever page it came with. */
struct waiting_line {
    int64_t number;
    struct str subscription;
    time_us from;
    time_us until;
};
struct upstream_lines {
    size_t count;
    size_t room;
    struct waiting_line *lines;
    struct document_sum *sums;
};

static enum rc add_deferral(struct tx *tx, const struct document_row *row,
                            const struct waiting_line *line, struct str label, int64_t net)
{
    struct deferral d = {
        .party = row->issuer,
        .document = row->no,
        .line = line->number,
        .subscription = line->subscription,
        .label = label,
        .currency = row->currency,
        .amount = row->code == DOCUMENT_CREDIT_NOTE ? -net : net,
        .begins = line->from,
        .ends = line->until,
    };
    return net == 0 ? RC_OK : deferral_add(tx, &d);
}

/* Prices without tax: line by line, nothing is kept. */
static enum rc defer_page(struct tx *tx, const struct document_row *row,
                          const struct billed_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct draft_line *f = &lines[i].facts;
        struct waiting_line line = {lines[i].line, f->subscription, f->from, f->until};
        if (f->deferred)
            TRY(add_deferral(tx, row, &line, f->income, f->net));
    }
    return RC_OK;
}

static void make_room(struct upstream_lines *u, struct arena *arena, size_t count)
{
    if (u->count + count <= u->room)
        return;
    size_t room = max_size(u->room * 2, u->count + count);
    struct waiting_line *lines = NEW_N(arena, struct waiting_line, room);
    struct document_sum *sums = NEW_N(arena, struct document_sum, room);
    if (u->count > 0) {
        memcpy(lines, u->lines, u->count * sizeof *lines);
        memcpy(sums, u->sums, u->count * sizeof *sums);
    }
    u->lines = lines;
    u->sums = sums;
    u->room = room;
}

/* Prices with tax: the net of a line is known when all of them are. */
static void keep_page(struct upstream_lines *u, struct arena *arena,
                      const struct billed_line *lines, size_t count)
{
    make_room(u, arena, count);
    for (size_t i = 0; i < count; i++) {
        const struct draft_line *f = &lines[i].facts;
        u->lines[u->count] = (struct waiting_line){lines[i].line, arena_str(arena, f->subscription),
                                                   f->from, f->until};
        u->sums[u->count++] = (struct document_sum){.tax_class = f->tax_class,
                                                    .income = arena_str(arena, f->income),
                                                    .amount = f->net,
                                                    .deferred = f->deferred};
    }
}

static enum rc defer_kept(struct tx *tx, const struct document_row *row,
                          const struct upstream_lines *u)
{
    int64_t *nets = NEW_N(tx->arena, int64_t, u->count);
    TRY(document_line_nets(row, u->sums, u->count, tx->arena, nets, tx->err));
    for (size_t i = 0; i < u->count; i++)
        if (u->sums[i].deferred)
            TRY(add_deferral(tx, row, &u->lines[i], u->sums[i].income, nets[i]));
    return RC_OK;
}

/* Page by page, each in room that is taken again. */
static enum rc each_page(struct tx *tx, struct tx *side, const struct document_row *row,
                         struct upstream_lines *u)
{
    struct line_cursor after = {0};
    size_t count = 0;
    do {
        struct billed_line *lines = NULL;
        arena_reset(side->arena);
        TRY(document_rated_rows(side, row, after, DEFER_PAGE, &lines, &count));
        if (row->tax_included)
            keep_page(u, tx->arena, lines, count);
        else
            TRY(defer_page(tx, row, lines, count));
        if (count > 0)
            after = lines[count - 1].at;
    } while (count > 0);
    return row->tax_included ? defer_kept(tx, row, u) : RC_OK;
}

enum rc close_defer_upstream(struct tx *tx, const struct document_row *row)
{
    struct arena arena;
    struct tx side = *tx;
    struct upstream_lines u = {0};
    bool any = false;
    for (size_t i = 0; i < row->income_count; i++)
        any = any || row->incomes[i].deferred;
    if (!any)
        return RC_OK;
    arena_init(&arena, DEFER_ARENA_BYTES);
    side.arena = &arena;
    enum rc rc = each_page(tx, &side, row, &u);
    arena_fini(&arena);
    return rc;
}
