#include "billing/rated_row.h"

enum { COLUMN_COUNT = 22 };

/* --- bytes --- */

static void put_i64(char *at, int64_t value)
{
    uint64_t bits = (uint64_t)value;
    for (int i = 0; i < RATED_AMOUNT_BYTES; i++)
        at[i] = (char)(unsigned char)(bits >> (8 * i));
}

static int64_t get_i64(const char *at)
{
    uint64_t bits = 0;
    for (int i = 0; i < RATED_AMOUNT_BYTES; i++)
        bits |= (uint64_t)(unsigned char)at[i] << (8 * i);
    return (int64_t)bits;
}

static int64_t flags_of(const struct rated_line *line)
{
    return (line->free_tier ? RATED_FREE_TIER : 0) | (line->late ? RATED_LATE : 0) |
           (line->advance ? RATED_ADVANCE : 0) | (line->tax_included ? RATED_TAX_INCLUDED : 0);
}

/* --- writing --- */

enum rc rated_row_insert(struct tx *tx, int64_t close_no, int64_t number,
                         const struct rated_line *line)
{
    char prices[SUPPLY_DEPTH_MAX * RATED_PRICE_BYTES];
    char amounts[SUPPLY_DEPTH_MAX * RATED_AMOUNT_BYTES];
    size_t tiers = line->path->count;
    ASSERT(tiers >= 1 && tiers <= SUPPLY_DEPTH_MAX);
    for (size_t k = 0; k < tiers; k++) {
        put_i64(prices + k * RATED_PRICE_BYTES, line->prices[k].mantissa);
        prices[k * RATED_PRICE_BYTES + RATED_AMOUNT_BYTES] = (char)line->prices[k].scale;
        put_i64(amounts + k * RATED_AMOUNT_BYTES, line->amounts[k]);
    }
    return sql_run(
        tx,
        "INSERT INTO rated_line (close_no, line, subscription, path, charge, plan, plan_number, "
        "period_begin, period_end, from_at, until_at, quantity, quantity_scale, units, "
        "units_scale, prices, amounts, list_amount, discount, flags, tax_class, producer, asset) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
        "$19, $20, $21, $22, $23)",
        V(close_no), V(number), V(line->subscription), V(line->path_number), V(line->charge),
        V(line->plan), V(line->plan_number), V(line->window.begin), V(line->window.end),
        V(line->window.from), V(line->window.until), V(line->quantity.mantissa),
        V((int64_t)line->quantity.scale), V(line->units.mantissa), V((int64_t)line->units.scale),
        value_bytes(str_n(prices, tiers * RATED_PRICE_BYTES)),
        value_bytes(str_n(amounts, tiers * RATED_AMOUNT_BYTES)), V(line->list_amount),
        V(line->discount), V(flags_of(line)), V((int64_t)line->tax_class),
        value_opt(line->producer), value_opt(line->asset));
}

enum rc rated_row_discount(struct tx *tx, int64_t close_no, int64_t number, int64_t discount)
{
    return sql_run(tx, "UPDATE rated_line SET discount = $3 WHERE close_no = $1 AND line = $2",
                   V(close_no), V(number), V(discount));
}

/* --- reading --- */

static struct rated_line read_line(const struct value *c, size_t *ret_tiers)
{
    int64_t flags = c[18].number;
    struct str prices = c[14].text;
    struct str amounts = c[15].text;
    size_t tiers = amounts.n / RATED_AMOUNT_BYTES;
    struct rated_line line = {
        .subscription = c[1].text,
        .path_number = c[2].number,
        .charge = c[3].number,
        .plan = c[4].text,
        .plan_number = c[5].number,
        .window = {.begin = c[6].number,
                   .end = c[7].number,
                   .from = c[8].number,
                   .until = c[9].number},
        .quantity = {c[10].number, (int)c[11].number},
        .units = {c[12].number, (int)c[13].number},
        .list_amount = c[16].number,
        .discount = c[17].number,
        .free_tier = (flags & RATED_FREE_TIER) != 0,
        .late = (flags & RATED_LATE) != 0,
        .advance = (flags & RATED_ADVANCE) != 0,
        .tax_included = (flags & RATED_TAX_INCLUDED) != 0,
        .tax_class = (enum tax_class)c[19].number,
        .producer = c[20].text,
        .asset = c[21].text,
    };
    ASSERT(tiers >= 1 && tiers <= SUPPLY_DEPTH_MAX);
    ASSERT(prices.n == tiers * RATED_PRICE_BYTES);
    for (size_t k = 0; k < tiers; k++) {
        const char *price = prices.p + k * RATED_PRICE_BYTES;
        line.prices[k] = (struct price){get_i64(price), price[RATED_AMOUNT_BYTES]};
        line.amounts[k] = get_i64(amounts.p + k * RATED_AMOUNT_BYTES);
    }
    *ret_tiers = tiers;
    return line;
}

struct each {
    rated_row_fn fn;
    void *arg;
};

static enum rc each_row(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    const struct each *each = arg;
    size_t tiers = 0;
    ASSERT(columns == COLUMN_COUNT);
    struct rated_line line = read_line(cells, &tiers);
    return each->fn(tx, cells[0].number, &line, tiers, each->arg);
}

enum rc rated_row_each(struct tx *tx, int64_t close_no, int64_t after, int64_t limit,
                       rated_row_fn fn, void *arg)
{
    struct each each = {fn, arg};
    return sql_each(tx, each_row, &each,
                    "SELECT line, subscription, path, charge, plan, plan_number, period_begin, "
                    "period_end, from_at, until_at, quantity, quantity_scale, units, units_scale, "
                    "prices, amounts, list_amount, discount, flags, tax_class, producer, asset "
                    "FROM rated_line WHERE close_no = $1 AND line > $2 ORDER BY line LIMIT $3",
                    V(close_no), V(after), V(limit));
}

struct gather {
    struct rater *r;
    struct rated_line *lines;
    size_t count;
    size_t room;
    const struct supply_path *path;
    int64_t path_number;
};

static enum rc gather_line(struct tx *tx, int64_t number, const struct rated_line *line,
                           size_t tiers, void *arg)
{
    struct gather *g = arg;
    (void)number;
    ASSERT(g->count < g->room);
    struct rated_line *kept = &g->lines[g->count++];
    *kept = *line;
    kept->subscription = arena_str(tx->arena, line->subscription);
    kept->plan = arena_str(tx->arena, line->plan);
    kept->producer = arena_str(tx->arena, line->producer);
    kept->asset = arena_str(tx->arena, line->asset);
    TRY(rate_recall(g->r, kept));
    ASSERT(kept->path->count == tiers);
    return RC_OK;
}

enum rc rated_row_lines(struct rater *r, struct tx *tx, int64_t close_no, int64_t first,
                        int64_t count, struct rated_line **ret, size_t *ret_count)
{
    ASSERT(count > 0);
    struct gather g = {
        .r = r, .room = (size_t)count, .lines = NEW_N(tx->arena, struct rated_line, (size_t)count)};
    TRY(rated_row_each(tx, close_no, first - 1, count, gather_line, &g));
    *ret = g.lines;
    *ret_count = g.count;
    return RC_OK;
}
