#include "settle/statement.h"

#include "base/id.h"
#include "money/amount.h"
#include "settle/make.h"

#define COLUMNS                                                                                \
    "no, id, payee, payer, period, currency, accrued, earned, clawed_back, waiting, payable, " \
    "document, close, payout, created"

static struct statement read_row(struct tx *tx, const struct rows *r, size_t row)
{
    const struct currency *c = currency_find(row_str(r, row, 5));
    int64_t payable = row_int(r, row, 10);
    bool paid = !row_null(r, row, 13);
    return (struct statement){
        .set = schema_all(&statement_schema),
        .id = row_str(r, row, 1),
        .party = row_str(r, row, 2),
        .payer = row_str(r, row, 3),
        .period = row_str(r, row, 4),
        .currency = str_c(c->code),
        .accrued = amount_str(row_int(r, row, 6), c, tx->arena),
        .earned = amount_str(row_int(r, row, 7), c, tx->arena),
        .clawed_back = amount_str(row_int(r, row, 8), c, tx->arena),
        .paid = amount_str(paid ? payable : 0, c, tx->arena),
        .payable = amount_str(paid ? 0 : payable, c, tx->arena),
        .waiting = amount_str(row_int(r, row, 9), c, tx->arena),
        .document = row_str(r, row, 11),
        .close = row_str(r, row, 12),
        .created = row_int(r, row, 14),
    };
}

static enum rc find(struct tx *tx, struct str id, struct rows *ret)
{
    TRY(sql_rows(tx, ret, "SELECT " COLUMNS " FROM statement WHERE id = $1", V(id)));
    if (ret->count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no statement '%.*s'", STRF(id));
    return RC_OK;
}

enum rc statement_get(struct tx *tx, struct str id, struct statement *ret)
{
    struct rows rows;
    TRY(find(tx, id, &rows));
    *ret = read_row(tx, &rows, 0);
    return RC_OK;
}

static const struct page_column sort_columns[] = {{"id", "s.id", PAGE_TEXT},
                                                  {"created", "s.created", PAGE_NUMBER}};
static const struct page_table statement_table = {
    .select = "SELECT s.id FROM statement s",
    .id = "s.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc statement_list(struct tx *tx, struct str party, const struct page_query *q,
                       struct page *ret)
{
    struct rows rows;
    struct str next;
    const struct page_term term = {"s.payee = ?" PAGE_OR "s.payer = ?", V(party)};
    TRY(page_rows(tx, &statement_table, q, &term, 1, &rows, &next));
    struct statement *list = NEW_N(tx->arena, struct statement, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(statement_get(tx, row_str(&rows, i, 0), &list[i]));
    *ret = (struct page){{list, rows.count}, next};
    return RC_OK;
}

/* --- lines --- */

static const struct page_column line_columns[] = {{"id", "t.share", PAGE_NUMBER}};
static const struct page_table line_table = {
    .select = "SELECT s.no, s.agreement, s.client, s.subscription, s.item, s.note, s.base, "
              "s.amount - s.voided, s.settled, s.earned, t.amount, s.currency, d.id "
              "FROM statement_share t JOIN share s ON s.no = t.share "
              "LEFT JOIN document d ON d.no = s.document AND d.issuer = s.payee",
    .id = "t.share",
    .sort = line_columns,
    .sort_count = COUNT(line_columns),
    .default_sort = "id",
};

enum rc statement_lines(struct tx *tx, struct str id, const struct page_query *q, struct page *ret)
{
    struct rows rows;
    struct str next;
    TRY(find(tx, id, &rows));
    bool paid = !row_null(&rows, 0, 13);
    const struct page_term term = {"t.statement = ?", V(row_int(&rows, 0, 0))};
    TRY(page_rows(tx, &line_table, q, &term, 1, &rows, &next));
    struct statement_line *lines = NEW_N(tx->arena, struct statement_line, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        const struct currency *c = currency_find(row_str(&rows, i, 11));
        lines[i] = (struct statement_line){
            .set = schema_all(&statement_line_schema),
            .agreement = row_str(&rows, i, 1),
            .client = row_str(&rows, i, 2),
            .subscription = row_str(&rows, i, 3),
            .item = row_str(&rows, i, 4),
            .text = row_str(&rows, i, 5),
            .base = amount_str(row_int(&rows, i, 6), c, tx->arena),
            .amount = amount_str(row_int(&rows, i, 10), c, tx->arena),
            .earned = amount_str(row_int(&rows, i, 9), c, tx->arena),
            .state = paid ? STR("paid") : STR("payable"),
            .document = row_str(&rows, i, 12),
        };
    }
    *ret = (struct page){{lines, rows.count}, next};
    return RC_OK;
}
