#include "billing/rated_row.h"

#include "billing/rated_run.h"

enum { RUN_COLUMNS = 3, LINE_COLUMNS = 22, PRICE_BYTES = 9, AMOUNT_BYTES = 8 };
enum { INSERT_COLUMNS = 5, LINE_ARENA_BYTES = 16 * 1024 * 1024, SCRATCH_BYTES = 1024 * 1024 };
_Static_assert(RATED_RUN_LINES_MAX * sizeof(struct rated_line) <= SCRATCH_BYTES / 2,
               "a run has room in its scratch");

/* Which lines are wanted, and who gets them. */
struct each {
    int64_t after;
    int64_t until;
    rated_row_fn fn;
    void *arg;
};

/* --- runs --- */

static enum rc each_of_run(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    const struct each *each = arg;
    struct arena own;
    struct rated_run run;
    int64_t first = cells[0].number;
    ASSERT(columns == RUN_COLUMNS);
    arena_init(&own, LINE_ARENA_BYTES);
    enum rc rc = rated_run_read(cells[2].text, &own, &run, tx->err);
    for (size_t i = 0; rc == RC_OK && i < run.count; i++) {
        int64_t number = first + (int64_t)i;
        run.lines[i].path_number = cells[1].number;
        if (number > each->after && number <= each->until)
            rc = each->fn(tx, number, &run.lines[i], run.tiers, each->arg);
    }
    arena_fini(&own);
    return rc;
}

/* --- rows of one line, as they were --- */

static int64_t get_i64(const char *at)
{
    uint64_t bits = 0;
    for (int i = 0; i < AMOUNT_BYTES; i++)
        bits |= (uint64_t)(unsigned char)at[i] << (8 * i);
    return (int64_t)bits;
}

enum flag { FLAG_FREE_TIER = 1, FLAG_LATE = 2, FLAG_ADVANCE = 4, FLAG_TAX_INCLUDED = 8 };

static struct rated_line read_line(const struct value *c, size_t *ret_tiers)
{
    int64_t flags = c[18].number;
    struct str prices = c[14].text;
    struct str amounts = c[15].text;
    size_t tiers = amounts.n / AMOUNT_BYTES;
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
        .free_tier = (flags & FLAG_FREE_TIER) != 0,
        .late = (flags & FLAG_LATE) != 0,
        .advance = (flags & FLAG_ADVANCE) != 0,
        .tax_included = (flags & FLAG_TAX_INCLUDED) != 0,
        .tax_class = (enum tax_class)c[19].number,
        .producer = c[20].text,
        .asset = c[21].text,
    };
    ASSERT(tiers >= 1 && tiers <= SUPPLY_DEPTH_MAX);
    ASSERT(prices.n == tiers * PRICE_BYTES);
    for (size_t k = 0; k < tiers; k++) {
        const char *price = prices.p + k * PRICE_BYTES;
        line.prices[k] = (struct price){get_i64(price), price[AMOUNT_BYTES]};
        line.amounts[k] = get_i64(amounts.p + k * AMOUNT_BYTES);
    }
    *ret_tiers = tiers;
    return line;
}

static enum rc each_row(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    const struct each *each = arg;
    size_t tiers = 0;
    ASSERT(columns == LINE_COLUMNS);
    struct rated_line line = read_line(cells, &tiers);
    return each->fn(tx, cells[0].number, &line, tiers, each->arg);
}

#define LINE_SELECT                                                                   \
    "SELECT line, subscription, path, charge, plan, plan_number, period_begin, "      \
    "period_end, from_at, until_at, quantity, quantity_scale, units, units_scale, "   \
    "prices, amounts, list_amount, discount, flags, tax_class, producer, asset FROM " \
    "rated_line WHERE close_no = $1 "

/* --- writing --- */

enum rc rated_row_insert(struct tx *tx, int64_t close_no, const struct rated_row *rows,
                         size_t count)
{
    struct value *v = NEW_N(tx->arena, struct value, count * INSERT_COLUMNS);
    for (size_t i = 0; i < count; i++) {
        struct value *row = v + i * INSERT_COLUMNS;
        ASSERT(rows[i].first >= 1 && rows[i].last >= rows[i].first);
        ASSERT(rows[i].last - rows[i].first < RATED_RUN_LINES_MAX);
        row[0] = V(close_no);
        row[1] = V(rows[i].last);
        row[2] = V(rows[i].first);
        row[3] = V(rows[i].path);
        row[4] = value_bytes(rows[i].body);
    }
    return sql_insert(tx,
                      "INSERT INTO rated_run (close_no, last_line, first_line, path, body) "
                      "VALUES ($1, $2, $3, $4, $5)",
                      v, INSERT_COLUMNS, count);
}

static enum rc discount_old(struct tx *tx, int64_t close_no, const struct rated_discount *d)
{
    return sql_run(tx, "UPDATE rated_line SET discount = $3 WHERE close_no = $1 AND line = $2",
                   V(close_no), V(d->line), V(d->discount));
}

/* The run that the first of them is in, written again; how many of them were in it. */
static enum rc discount_run(struct tx *tx, int64_t close_no, const struct rated_discount *list,
                            size_t count, size_t *ret_taken)
{
    struct rows rows;
    struct rated_run run;
    size_t taken = 0;
    TRY(sql_rows(tx, &rows,
                 "SELECT first_line, last_line, body FROM rated_run WHERE close_no = $1 AND "
                 "last_line >= $2 ORDER BY last_line LIMIT 1",
                 V(close_no), V(list[0].line)));
    if (rows.count == 0 || row_int(&rows, 0, 0) > list[0].line) {
        *ret_taken = 1;
        return discount_old(tx, close_no, &list[0]);
    }
    int64_t first = row_int(&rows, 0, 0);
    int64_t last = row_int(&rows, 0, 1);
    TRY(rated_run_read(row_bytes(&rows, 0, 2), tx->arena, &run, tx->err));
    for (; taken < count && list[taken].line <= last; taken++) {
        ASSERT(list[taken].line >= first);
        run.lines[list[taken].line - first].discount = list[taken].discount;
    }
    struct supply_path same = {.count = run.tiers};
    for (size_t i = 0; i < run.count; i++)
        run.lines[i].path = &same;
    *ret_taken = taken;
    return sql_run(tx, "UPDATE rated_run SET body = $3 WHERE close_no = $1 AND last_line = $2",
                   V(close_no), V(last),
                   value_bytes(rated_run_write(run.lines, run.count, tx->arena)));
}

enum rc rated_row_discount(struct tx *tx, int64_t close_no, const struct rated_discount *list,
                           size_t count)
{
    for (size_t at = 0; at < count;) {
        size_t taken = 0;
        TRY(discount_run(tx, close_no, &list[at], count - at, &taken));
        ASSERT(taken > 0);
        at += taken;
    }
    return RC_OK;
}

/* --- reading --- */

enum rc rated_row_each(struct tx *tx, int64_t close_no, int64_t after, int64_t limit,
                       rated_row_fn fn, void *arg)
{
    struct each each = {.after = after, .until = after + limit, .fn = fn, .arg = arg};
    TRY(sql_each(tx, each_row, &each, LINE_SELECT "AND line > $2 AND line <= $3 ORDER BY line",
                 V(close_no), V(each.after), V(each.until)));
    return sql_each(tx, each_of_run, &each,
                    "SELECT first_line, path, body FROM rated_run WHERE close_no = $1 AND "
                    "last_line > $2 AND last_line < $3 AND first_line <= $4 ORDER BY last_line",
                    V(close_no), V(each.after), V(each.until + RATED_RUN_LINES_MAX), V(each.until));
}

enum rc rated_row_each_on(struct tx *tx, int64_t close_no, int64_t path, int64_t after,
                          int64_t limit, rated_row_fn fn, void *arg)
{
    struct each each = {.after = after, .until = INT64_MAX, .fn = fn, .arg = arg};
    TRY(sql_each(tx, each_row, &each,
                 LINE_SELECT "AND path = $2 AND line > $3 ORDER BY line LIMIT $4", V(close_no),
                 V(path), V(after), V(limit)));
    return sql_each(tx, each_of_run, &each,
                    "SELECT first_line, path, body FROM rated_run WHERE close_no = $1 AND "
                    "path = $2 AND last_line > $3 ORDER BY last_line LIMIT $4",
                    V(close_no), V(path), V(after), V(limit));
}

struct gather {
    struct rater *r;
    struct rated_line *lines;
    int64_t first;
    size_t count;
    size_t room;
};

static enum rc gather_line(struct gather *g, int64_t number, const struct rated_line *line,
                           size_t tiers)
{
    struct rated_line *kept = &g->lines[number - g->first];
    ASSERT(g->count < g->room);
    g->count++;
    *kept = *line;
    TRY(rate_recall(g->r, kept));
    ASSERT(kept->path->count == tiers);
    return RC_OK;
}

static enum rc gather_old(struct tx *tx, int64_t number, const struct rated_line *line,
                          size_t tiers, void *arg)
{
    struct rated_line kept = *line;
    kept.subscription = arena_str(tx->arena, line->subscription);
    kept.plan = arena_str(tx->arena, line->plan);
    kept.producer = arena_str(tx->arena, line->producer);
    kept.asset = arena_str(tx->arena, line->asset);
    return gather_line(arg, number, &kept, tiers);
}

/* scratch: for the lines of the run; their texts are the row's. */
static enum rc gather_run(struct tx *tx, const struct rows *rows, size_t row, struct gather *g,
                          struct arena *scratch)
{
    struct rated_run run;
    int64_t first = row_int(rows, row, 0);
    arena_reset(scratch);
    TRY(rated_run_read(row_bytes(rows, row, 2), scratch, &run, tx->err));
    for (size_t i = 0; i < run.count; i++) {
        int64_t number = first + (int64_t)i;
        run.lines[i].path_number = row_int(rows, row, 1);
        if (number >= g->first && number < g->first + (int64_t)g->room)
            TRY(gather_line(g, number, &run.lines[i], run.tiers));
    }
    return RC_OK;
}

/* A document may have tens of thousands of lines: each is in the arena of the tx once. */
static enum rc gather_runs(struct tx *tx, const struct rows *rows, struct gather *g)
{
    struct arena scratch;
    enum rc rc = RC_OK;
    arena_init(&scratch, SCRATCH_BYTES);
    for (size_t i = 0; i < rows->count && rc == RC_OK; i++)
        rc = gather_run(tx, rows, i, g, &scratch);
    arena_fini(&scratch);
    return rc;
}

enum rc rated_row_lines(struct rater *r, struct tx *tx, int64_t close_no, int64_t first,
                        int64_t count, struct rated_line **ret, size_t *ret_count)
{
    struct rows rows;
    int64_t end = first + count;
    ASSERT(count > 0);
    struct gather g = {.r = r,
                       .first = first,
                       .room = (size_t)count,
                       .lines = NEW_N(tx->arena, struct rated_line, (size_t)count)};
    TRY(sql_rows(tx, &rows,
                 "SELECT first_line, path, body FROM rated_run WHERE close_no = $1 AND "
                 "last_line >= $2 AND last_line < $3 AND first_line < $4 ORDER BY last_line",
                 V(close_no), V(first), V(end + RATED_RUN_LINES_MAX), V(end)));
    TRY(gather_runs(tx, &rows, &g));
    if (g.count < g.room) {
        struct each each = {.fn = gather_old, .arg = &g};
        TRY(sql_each(tx, each_row, &each, LINE_SELECT "AND line >= $2 AND line < $3 ORDER BY line",
                     V(close_no), V(first), V(end)));
    }
    ASSERT(g.count == 0 || g.count == g.room); /* lines are dense */
    *ret = g.lines;
    *ret_count = g.count;
    return RC_OK;
}
