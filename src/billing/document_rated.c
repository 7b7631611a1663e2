#include "billing/document_rated.h"

#include "billing/rated_row.h"
#include "catalog/plan.h"

enum { PATHS_AT_A_TIME = 200 };

/* What is the same for many lines is looked up once, as long as it stays the same. */
struct reading {
    struct tx *tx;
    const struct document_row *row;
    struct supply_path path;
    int64_t path_number;
    size_t edge; /* of the path: the document's; path.count: the path has none */
    struct plan plan;
    struct item item;
    struct billed_line *lines;
    size_t count;
    size_t room;
    int64_t seen; /* the last line that was looked at; 0: none */
};

static enum rc find_edge(struct reading *r, int64_t number)
{
    size_t k = 0;
    if (r->path_number == number)
        return RC_OK;
    TRY(supply_path_get(r->tx, number, &r->path));
    while (k < r->path.count && !str_eq(r->path.edges[k].agreement, r->row->agreement))
        k++;
    r->edge = k;
    r->path_number = number;
    return RC_OK;
}

static enum rc find_plan(struct reading *r, struct str id, int64_t number)
{
    if (str_eq(r->plan.id, id) && r->plan.number == number)
        return RC_OK;
    TRY(plan_version(r->tx, id, number, &r->plan));
    return item_find(r->tx, r->plan.item, &r->item);
}

/* What the line says and in which unit: the charge's own, or its meter's. */
static enum rc describe(struct reading *r, int64_t charge, struct draft_line *ret)
{
    struct meter meter;
    const struct charge *charges = r->plan.charges.items;
    if (charge < 0 || (size_t)charge >= r->plan.charges.count)
        return err_set(r->tx->err, RC_INTERNAL, "a rated line names no charge of its plan");
    ret->item = r->item.code;
    ret->income = r->item.income;
    ret->text = plan_line_text(&r->plan, &charges[charge], r->tx->arena);
    ret->unit = r->item.unit;
    if (charges[charge].meter.n == 0)
        return RC_OK;
    TRY(meter_find(r->tx, charges[charge].meter, &meter));
    ret->unit = meter.unit;
    return RC_OK;
}

/* Whether the line is of this document: an upstream one is made of the lines that pass its edge and
 * go on (what the buyer uses itself is in its own invoice), but where the platform collects, and
 * there are no invoices between the tiers. */
static bool belongs(const struct reading *r, const struct rated_line *line)
{
    if (r->edge == r->path.count)
        return false;
    if (r->row->line_count >= 0)
        return true;
    bool ends_here = r->edge + 1 == r->path.count;
    bool collected = r->path.edges[r->path.count - 1].settle == SETTLE_COLLECT;
    return !ends_here && !collected && line->tax_included == r->row->tax_included;
}

static void read_amounts(const struct reading *r, const struct rated_line *line,
                         struct billed_line *ret)
{
    bool mirrored = r->row->code == DOCUMENT_CREDIT_NOTE;
    bool last = r->edge + 1 == r->path.count;
    int64_t sign = mirrored ? -1 : 1; /* amounts of credit notes are positive */
    ret->facts.price = line->prices[r->edge];
    ret->facts.discount = last ? sign * line->discount : 0;
    ret->facts.net = sign * line->amounts[r->edge] - ret->facts.discount;
    if (r->row->settle != SETTLE_COLLECT)
        return;
    ret->tiers = r->path.count;
    for (size_t k = 0; k < r->path.count; k++)
        ret->amounts[k] = sign * line->amounts[k];
}

static enum rc read_line(struct reading *r, int64_t number, const struct rated_line *of,
                         struct billed_line *ret)
{
    struct arena *a = r->tx->arena;
    struct billed_line line = {
        .line = number,
        .path = of->path_number,
        .at = {r->row->line_count < 0 ? of->path_number : 0, number},
        .facts = {.subscription = arena_str(a, of->subscription),
                  .from = of->window.from,
                  .until = of->window.until,
                  .quantity = of->quantity,
                  .tax_class = of->tax_class,
                  .deferred = of->advance},
    };
    TRY(find_plan(r, arena_str(a, of->plan), of->plan_number));
    TRY(describe(r, of->charge, &line.facts));
    read_amounts(r, of, &line);
    *ret = line;
    return RC_OK;
}

static enum rc on_line(struct tx *tx, int64_t number, const struct rated_line *line, size_t tiers,
                       void *arg)
{
    struct reading *r = arg;
    if (r->count == r->room)
        return RC_OK;
    r->seen = number;
    TRY(find_edge(r, line->path_number));
    if (tiers != r->path.count)
        return err_set(tx->err, RC_INTERNAL, "a rated line has another path than its amounts");
    if (!belongs(r, line))
        return RC_OK;
    TRY(read_line(r, number, line, &r->lines[r->count]));
    r->count++;
    return RC_OK;
}

static struct reading begin(struct tx *tx, const struct document_row *row, int64_t limit)
{
    return (struct reading){.tx = tx,
                            .row = row,
                            .lines = NEW_N(tx->arena, struct billed_line, (size_t)limit),
                            .room = (size_t)limit};
}

/* A client's invoice: a range of lines. */
static enum rc read_range(struct reading *r, int64_t after)
{
    const struct document_row *row = r->row;
    int64_t from = max_i64(after, row->first_line - 1);
    int64_t left = row->first_line + row->line_count - 1 - from;
    if (left <= 0)
        return RC_OK;
    return rated_row_each(r->tx, row->close_no, from, min_i64(left, (int64_t)r->room), on_line, r);
}

/* Lines of one path, as many as there is room for: those that do not belong take none. */
static enum rc read_path(struct reading *r, int64_t path, int64_t after)
{
    do {
        int64_t room = (int64_t)(r->room - r->count);
        r->seen = 0;
        TRY(rated_row_each_on(r->tx, r->row->close_no, path, after, room, on_line, r));
        after = r->seen;
    } while (r->seen > 0 && r->count < r->room);
    return RC_OK;
}

/* An upstream document: path by path. */
static enum rc read_paths(struct reading *r, struct line_cursor after)
{
    int64_t from = after.path - 1; /* that path again, behind the line */
    int64_t *paths = NULL;
    size_t count = 0;
    do {
        TRY(supply_paths_with(r->tx, r->row->agreement, from, PATHS_AT_A_TIME, &paths, &count));
        for (size_t i = 0; i < count && r->count < r->room; i++)
            TRY(read_path(r, paths[i], paths[i] == after.path ? after.line : 0));
        if (count > 0)
            from = paths[count - 1];
    } while (count == PATHS_AT_A_TIME && r->count < r->room);
    return RC_OK;
}

enum rc document_rated_rows(struct tx *tx, const struct document_row *row, struct line_cursor after,
                            int64_t limit, struct billed_line **ret, size_t *ret_count)
{
    struct reading *r = NEW(tx->arena, struct reading);
    *r = begin(tx, row, limit);
    TRY(row->line_count < 0 ? read_paths(r, after) : read_range(r, after.line));
    *ret = r->lines;
    *ret_count = r->count;
    return RC_OK;
}

enum rc document_rated_get(struct tx *tx, const struct document_row *row, int64_t line,
                           struct billed_line **ret, size_t *ret_count)
{
    struct reading *r = NEW(tx->arena, struct reading);
    bool outside = row->line_count >= 0 &&
                   (line < row->first_line || line >= row->first_line + row->line_count);
    *r = begin(tx, row, 1);
    if (!outside)
        TRY(rated_row_each(tx, row->close_no, line - 1, 1, on_line, r));
    *ret = r->lines;
    *ret_count = r->count;
    return RC_OK;
}
