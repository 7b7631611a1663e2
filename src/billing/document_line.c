#include "billing/document_line.h"

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

enum rc document_line_path(struct tx *tx, const struct billed_line *line, struct supply_path *ret)
{
    (void)line;
    (void)ret;
    return err_set(tx->err, RC_NOT_FOUND, "a line of the document's own took no path");
}

/* --- either kind --- */

enum rc document_line_rows(struct tx *tx, const struct document_row *row, int64_t after,
                           int64_t limit, struct billed_line **ret, size_t *ret_count)
{
    ASSERT(limit > 0);
    return own_lines(tx, row, after, limit, ret, ret_count);
}

enum rc document_line_get(struct tx *tx, const struct document_row *row, int64_t line,
                          struct billed_line *ret)
{
    struct billed_line *lines = NULL;
    size_t count = 0;
    TRY(document_line_rows(tx, row, line - 1, 1, &lines, &count));
    if (count == 0 || lines[0].line != line)
        return err_set(tx->err, RC_NOT_FOUND, "document '%.*s' has no line %lld", STRF(row->id),
                       (long long)line);
    *ret = lines[0];
    return RC_OK;
}
