#include "billing/document_rated.h"

#include "catalog/plan.h"

/* The table rated_line is written by the close (billing/close.h): prices have 9 bytes an edge
 * (mantissa, scale), amounts 8, little-endian. */
#define COLUMNS                                                                          \
    "line, path, subscription, plan, plan_number, charge, from_at, until_at, quantity, " \
    "quantity_scale, prices, amounts, discount, flags, tax_class"
enum {
    PRICE_BYTES = 9,
    AMOUNT_BYTES = 8,
    FLAG_ADVANCE = 4,
    FLAG_TAX_INCLUDED = 8,
    PATHS_AT_A_TIME = 200,
};

static int64_t get_i64(const char *at)
{
    uint64_t bits = 0;
    for (int i = 0; i < AMOUNT_BYTES; i++)
        bits |= (uint64_t)(unsigned char)at[i] << (8 * i);
    return (int64_t)bits;
}

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
    ret->text = charges[charge].label;
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
static bool belongs(const struct reading *r, int64_t flags)
{
    if (r->edge == r->path.count)
        return false;
    if (r->row->line_count >= 0)
        return true;
    bool ends_here = r->edge + 1 == r->path.count;
    bool collected = r->path.edges[r->path.count - 1].settle == SETTLE_COLLECT;
    return !ends_here && !collected && ((flags & FLAG_TAX_INCLUDED) != 0) == r->row->tax_included;
}

static void read_amounts(const struct reading *r, struct str prices, struct str amounts,
                         int64_t discount, struct billed_line *ret)
{
    bool mirrored = r->row->code == DOCUMENT_CREDIT_NOTE;
    bool last = r->edge + 1 == r->path.count;
    int64_t sign = mirrored ? -1 : 1; /* amounts of credit notes are positive */
    const char *price = prices.p + r->edge * PRICE_BYTES;
    ret->facts.price = (struct price){get_i64(price), price[AMOUNT_BYTES]};
    ret->facts.discount = last ? sign * discount : 0;
    ret->facts.net = sign * get_i64(amounts.p + r->edge * AMOUNT_BYTES) - ret->facts.discount;
    if (r->row->settle != SETTLE_COLLECT)
        return;
    ret->tiers = r->path.count;
    for (size_t k = 0; k < r->path.count; k++)
        ret->amounts[k] = sign * get_i64(amounts.p + k * AMOUNT_BYTES);
}

static enum rc read_line(struct reading *r, const struct value *c, struct billed_line *ret)
{
    struct arena *a = r->tx->arena;
    struct str prices = c[10].text;
    struct str amounts = c[11].text;
    struct billed_line line = {
        .line = c[0].number,
        .path = c[1].number,
        .at = {r->row->line_count < 0 ? c[1].number : 0, c[0].number},
        .facts = {.subscription = arena_str(a, c[2].text),
                  .from = c[6].number,
                  .until = c[7].number,
                  .quantity = {c[8].number, (int)c[9].number},
                  .tax_class = (enum tax_class)c[14].number,
                  .deferred = (c[13].number & FLAG_ADVANCE) != 0},
    };
    if (prices.n != r->path.count * PRICE_BYTES || amounts.n != r->path.count * AMOUNT_BYTES)
        return err_set(r->tx->err, RC_INTERNAL, "a rated line has another path than its amounts");
    TRY(find_plan(r, arena_str(a, c[3].text), c[4].number));
    TRY(describe(r, c[5].number, &line.facts));
    read_amounts(r, prices, amounts, c[12].number, &line);
    *ret = line;
    return RC_OK;
}

static enum rc on_row(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct reading *r = arg;
    (void)tx;
    ASSERT(columns == 15);
    TRY(find_edge(r, cells[1].number));
    if (r->count == r->room || !belongs(r, cells[13].number))
        return RC_OK;
    TRY(read_line(r, cells, &r->lines[r->count]));
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
    return sql_each(r->tx, on_row, r,
                    "SELECT " COLUMNS " FROM rated_line WHERE close_no = $1 AND line > $2 AND line "
                    "< $3 ORDER BY line LIMIT $4",
                    V(row->close_no), V(max_i64(after, row->first_line - 1)),
                    V(row->first_line + row->line_count), V((int64_t)r->room));
}

/* Lines of one path, as many as there is room for. */
static enum rc read_path(struct reading *r, int64_t path, int64_t after)
{
    return sql_each(r->tx, on_row, r,
                    "SELECT " COLUMNS " FROM rated_line WHERE close_no = $1 AND path = $2 AND line "
                    "> $3 ORDER BY line LIMIT $4",
                    V(r->row->close_no), V(path), V(after), V((int64_t)(r->room - r->count)));
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
        TRY(sql_each(tx, on_row, r,
                     "SELECT " COLUMNS " FROM rated_line WHERE close_no = $1 AND line = $2 ORDER "
                     "BY line LIMIT 1",
                     V(row->close_no), V(line)));
    *ret = r->lines;
    *ret_count = r->count;
    return RC_OK;
}
