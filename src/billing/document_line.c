#include "billing/document_line.h"

#include "billing/document_rated.h"

/* --- rows of a document's own --- */

enum rc document_line_insert(struct tx *tx, int64_t document, const struct billed_line *line)
{
    const struct draft_line *f = &line->facts;
    return sql_run(
        tx,
        "INSERT INTO document_line (document, line, subscription, item, label, income, from_at, "
        "until_at, quantity, quantity_scale, unit, price, price_scale, net, discount, tax_class, "
        "deferred, credits) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
        "$15, $16, $17, $18)",
        V(document), V(line->line), value_opt(f->subscription), value_opt(f->item), V(f->text),
        V(f->income), V(f->from), V(f->until), V(f->quantity.mantissa),
        V((int64_t)f->quantity.scale), V(f->unit), V(f->price.mantissa), V((int64_t)f->price.scale),
        V(f->net), V(f->discount), V((int64_t)f->tax_class), V(f->deferred), V(line->credits));
}

static struct billed_line own_line(const struct rows *rows, size_t row)
{
    return (struct billed_line){
        .line = row_int(rows, row, 0),
        .at = {0, row_int(rows, row, 0)},
        .facts = {.subscription = row_str(rows, row, 1),
                  .item = row_str(rows, row, 2),
                  .text = row_str(rows, row, 3),
                  .income = row_str(rows, row, 4),
                  .from = row_int(rows, row, 5),
                  .until = row_int(rows, row, 6),
                  .quantity = {row_int(rows, row, 7), (int)row_int(rows, row, 8)},
                  .unit = row_str(rows, row, 9),
                  .price = {row_int(rows, row, 10), (int)row_int(rows, row, 11)},
                  .net = row_int(rows, row, 12),
                  .discount = row_int(rows, row, 13),
                  .tax_class = (enum tax_class)row_int(rows, row, 14),
                  .deferred = row_int(rows, row, 15) != 0},
        .credits = row_int(rows, row, 16),
    };
}

static enum rc own_lines(struct tx *tx, const struct document_row *row, int64_t after,
                         int64_t limit, struct billed_line **ret, size_t *ret_count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT line, subscription, item, label, income, from_at, until_at, quantity, "
                 "quantity_scale, unit, price, price_scale, net, discount, tax_class, deferred, "
                 "credits FROM document_line WHERE document = $1 AND line > $2 ORDER BY line "
                 "LIMIT $3",
                 V(row->no), V(after), V(limit)));
    struct billed_line *lines = NEW_N(tx->arena, struct billed_line, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        lines[i] = own_line(&rows, i);
    *ret = lines;
    *ret_count = rows.count;
    return RC_OK;
}

enum rc document_line_credited(struct tx *tx, int64_t document, int64_t line, int64_t *ret,
                               bool *ret_any)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT l.net FROM document d JOIN document_line l ON l.document = d.no WHERE "
                 "d.refers_to = $1 AND l.credits = $2 ORDER BY d.no, l.line",
                 V(document), V(line)));
    int64_t sum = 0;
    for (size_t i = 0; i < rows.count; i++)
        sum += row_int(&rows, i, 0);
    *ret = sum;
    *ret_any = rows.count > 0;
    return RC_OK;
}

/* --- either kind --- */

/* Nets of lines whose prices hold the tax depend on one another: all of them are looked at. */
static enum rc take_out_taxes(struct tx *tx, const struct document_row *row,
                              struct billed_line *lines, size_t count)
{
    struct document_sum *sums = NEW_N(tx->arena, struct document_sum, count);
    int64_t *nets = NEW_N(tx->arena, int64_t, count);
    for (size_t i = 0; i < count; i++)
        sums[i] = (struct document_sum){.tax_class = lines[i].facts.tax_class,
                                        .income = lines[i].facts.income,
                                        .amount = lines[i].facts.net,
                                        .deferred = lines[i].facts.deferred};
    TRY(document_line_nets(row, sums, count, tx->arena, nets, tx->err));
    for (size_t i = 0; i < count; i++)
        lines[i].facts.net = nets[i];
    /* COLLECT: all lines have the same tiers; the last one's net is the line's. */
    for (size_t k = 0; count > 0 && k < lines[0].tiers; k++) {
        for (size_t i = 0; i < count; i++)
            sums[i].amount = lines[i].amounts[k];
        TRY(document_line_nets(row, sums, count, tx->arena, nets, tx->err));
        for (size_t i = 0; i < count; i++)
            lines[i].amounts[k] = nets[i];
    }
    return RC_OK;
}

static bool is_behind(const struct billed_line *line, struct line_cursor after)
{
    return line->at.path > after.path ||
           (line->at.path == after.path && line->at.line > after.line);
}

static enum rc inclusive_lines(struct tx *tx, const struct document_row *row,
                               struct line_cursor after, int64_t limit, struct billed_line **ret,
                               size_t *ret_count)
{
    struct billed_line *all = NULL;
    size_t count = 0;
    size_t first = 0;
    int64_t most = max_i64(DRAFT_LINES_MAX, min_i64(limit, DOCUMENT_INCLUSIVE_MAX));
    int64_t room = row->line_count < 0 ? most : row->line_count;
    if (room <= most)
        TRY(document_rated_rows(tx, row, (struct line_cursor){0}, room + 1, &all, &count));
    if (room > most || (int64_t)count > most)
        return err_set(tx->err, RC_TOO_LARGE,
                       "document '%.*s' has more than %lld lines with tax in their prices",
                       STRF(row->id), (long long)most);
    TRY(take_out_taxes(tx, row, all, count));
    while (first < count && !is_behind(&all[first], after))
        first++;
    *ret = all + first;
    *ret_count = min_size(count - first, (size_t)limit);
    return RC_OK;
}

enum rc document_line_rows(struct tx *tx, const struct document_row *row, struct line_cursor after,
                           int64_t limit, struct billed_line **ret, size_t *ret_count)
{
    ASSERT(limit > 0);
    if (row->close_no == 0)
        return own_lines(tx, row, after.line, limit, ret, ret_count);
    if (row->tax_included)
        return inclusive_lines(tx, row, after, limit, ret, ret_count);
    return document_rated_rows(tx, row, after, limit, ret, ret_count);
}

static enum rc find_line(struct tx *tx, const struct document_row *row, int64_t line,
                         struct billed_line **ret, size_t *ret_count)
{
    if (row->close_no == 0)
        return own_lines(tx, row, line - 1, 1, ret, ret_count);
    if (!row->tax_included)
        return document_rated_get(tx, row, line, ret, ret_count);
    struct billed_line *all = NULL;
    size_t count = 0;
    TRY(inclusive_lines(tx, row, (struct line_cursor){0}, DRAFT_LINES_MAX, &all, &count));
    size_t i = 0;
    while (i < count && all[i].line != line)
        i++;
    *ret = all + i;
    *ret_count = i < count;
    return RC_OK;
}

enum rc document_line_get(struct tx *tx, const struct document_row *row, int64_t line,
                          struct billed_line *ret)
{
    struct billed_line *found = NULL;
    size_t count = 0;
    TRY(find_line(tx, row, line, &found, &count));
    if (count == 0 || found[0].line != line)
        return err_set(tx->err, RC_NOT_FOUND, "document '%.*s' has no line %lld", STRF(row->id),
                       (long long)document_line_shown(row, line));
    *ret = found[0];
    return RC_OK;
}
