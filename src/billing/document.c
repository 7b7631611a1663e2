/* Documents as people see them. */
#include "billing/document.h"

#include "base/clock.h"
#include "billing/document_line.h"
#include "money/amount.h"

/* --- one document --- */

static const enum document_code codes[] = {
    DOCUMENT_INVOICE,    DOCUMENT_CREDIT_NOTE, DOCUMENT_CORRECTED,
    DOCUMENT_PREPAYMENT, DOCUMENT_SELF_BILLED, DOCUMENT_SELF_BILLED_CREDIT,
};

static int64_t kind_of(enum document_code code)
{
    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i] == code)
            return (int64_t)i;
    NEVER("a document of no known code");
}

static struct str date_text(int64_t day, struct arena *arena)
{
    char text[DAY_TEXT_MAX];
    if (day == 0)
        return STR("");
    size_t n = day_format(day, text);
    return arena_str(arena, str_n(text, n));
}

static struct list tax_list(const struct document_row *row, struct arena *arena)
{
    struct document_tax *taxes = NEW_N(arena, struct document_tax, row->group_count);
    for (size_t i = 0; i < row->group_count; i++) {
        const struct document_tax_group *g = &row->groups[i];
        taxes[i] = (struct document_tax){.set = schema_all(&document_tax_schema),
                                         .category = str_c(tax_category_code(g->group.category)),
                                         .rate = tax_percent(g->group.rate_ppm, arena),
                                         .net = amount_str(g->group.net, row->currency, arena),
                                         .tax = amount_str(g->group.tax, row->currency, arena),
                                         .reason = str_c(g->decision.reason)};
    }
    return (struct list){taxes, row->group_count};
}

static struct document_exchange_view exchange_view(const struct document_row *row,
                                                   struct arena *arena)
{
    const struct document_exchange *e = &row->exchange;
    if (e->rate.to == NULL)
        return (struct document_exchange_view){0};
    return (struct document_exchange_view){.set = schema_all(&document_exchange_schema),
                                           .currency = str_c(e->rate.to->code),
                                           .tax = amount_str(e->tax, e->rate.to, arena),
                                           .rate = exchange_str(&e->rate, arena),
                                           .date = date_text(e->rate.day, arena),
                                           .source = e->rate.source,
                                           .rounding = STR("half away from zero")};
}

/* The id of a document by its no, or empty of 0. */
static enum rc id_of(struct tx *tx, int64_t no, struct str *ret)
{
    struct rows rows;
    *ret = STR("");
    if (no == 0)
        return RC_OK;
    TRY(sql_rows(tx, &rows, "SELECT id FROM document WHERE no = $1", V(no)));
    if (rows.count > 0)
        *ret = row_str(&rows, 0, 0);
    return RC_OK;
}

static enum rc close_of(struct tx *tx, int64_t no, struct str *ret)
{
    struct rows rows;
    *ret = STR("");
    if (no == 0)
        return RC_OK;
    TRY(sql_rows(tx, &rows, "SELECT id FROM close WHERE no = $1", V(no)));
    if (rows.count > 0)
        *ret = row_str(&rows, 0, 0);
    return RC_OK;
}

enum rc document_show(struct tx *tx, const struct document_row *row, struct document *ret)
{
    struct arena *a = tx->arena;
    const struct currency *c = row->currency;
    struct document d = {
        .set = schema_all(&document_schema),
        .id = row->id,
        .no = row->no,
        .kind = kind_of(row->code),
        .issuer = row->issuer,
        .recipient = row->recipient,
        .agreement = row->agreement,
        .number = document_number_text(row, a),
        .state = row->state,
        .currency = str_c(c->code),
        .issued = date_text(row->issued_day, a),
        .due = date_text(row->due_day, a),
        .period_begin = row->period_begin,
        .period_end = row->period_end,
        .net = amount_str(row->net, c, a),
        .tax = amount_str(row->tax, c, a),
        .gross = amount_str(row->gross, c, a),
        .prepaid = amount_str(row->prepaid, c, a),
        .payable = amount_str(row->gross - row->prepaid, c, a),
        .paid = amount_str(row->paid, c, a),
        .credited = amount_str(row->credited, c, a),
        .written_off = amount_str(row->written_off, c, a),
        .taxes = tax_list(row, a),
        .tax_exchange = exchange_view(row, a),
        .note = row->note,
        .created = row->created,
    };
    TRY(id_of(tx, row->refers_to, &d.refers_to));
    TRY(close_of(tx, row->close_no, &d.close));
    *ret = d;
    return RC_OK;
}

enum rc document_get(struct tx *tx, struct str id, struct document *ret)
{
    struct document_row row;
    TRY(document_row_find(tx, id, &row));
    return document_show(tx, &row, ret);
}

/* --- lists --- */

static const struct page_column sort_columns[] = {
    {"id", "d.id", PAGE_TEXT},
    {"created", "d.created", PAGE_NUMBER},
    {"issued", "d.issued_day", PAGE_NUMBER},
    {"due", "d.due_day", PAGE_NUMBER},
    {"state", "d.state", PAGE_NUMBER},
};

/* Ids only, so that what has to be sorted is narrow; the rest is read for the rows of the page. */
static const struct page_table document_table = {
    .select = "SELECT d.no FROM document d",
    .id = "d.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc document_list(struct tx *tx, struct str party, const struct document_query *q,
                      struct page *ret)
{
    struct page_term terms[6];
    size_t count = 0;
    struct rows rows;
    struct str next;
    terms[count++] =
        (struct page_term){"d.issuer = ?" PAGE_OR "d.recipient = ? AND d.state >= 2", V(party)};
    if (schema_has(&document_query_schema, q, "kind"))
        terms[count++] = (struct page_term){"d.code = ?", V((int64_t)codes[q->kind])};
    if (schema_has(&document_query_schema, q, "state"))
        terms[count++] = (struct page_term){"d.state = ?", V(q->state)};
    if (q->issuer.n > 0)
        terms[count++] = (struct page_term){"d.issuer = ?", V(q->issuer)};
    if (q->recipient.n > 0)
        terms[count++] = (struct page_term){"d.recipient = ?", V(q->recipient)};
    if (q->close.n > 0)
        terms[count++] = (struct page_term){
            "d.close_no = (SELECT c.no FROM close c WHERE c.id = ?)", V(q->close)};
    ASSERT(count <= COUNT(terms));
    TRY(page_rows(tx, &document_table, &q->page, terms, count, &rows, &next));
    struct document *items = NEW_N(tx->arena, struct document, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        struct document_row row;
        TRY(document_row_get(tx, row_int(&rows, i, 0), &row));
        TRY(document_show(tx, &row, &items[i]));
    }
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}
_Static_assert(DOCUMENT_FINAL == 2, "the list shows the recipient what is at least final");

/* --- lines --- */

static void show_line(const struct document_row *row, const struct billed_line *line,
                      struct arena *arena, struct document_line *ret)
{
    const struct draft_line *f = &line->facts;
    const struct document_tax_group *g = document_group(row, f->tax_class);
    char quantity[QUANTITY_TEXT_MAX];
    char price[PRICE_TEXT_MAX];
    size_t quantity_n = quantity_format(f->quantity, quantity);
    size_t price_n = price_format(f->price, price);
    *ret = (struct document_line){
        .set = schema_all(&document_line_schema),
        .line = document_line_shown(row, line->line),
        .subscription = f->subscription,
        .item = f->item,
        .text = f->text,
        .from = f->from,
        .until = f->until,
        .quantity = arena_str(arena, str_n(quantity, quantity_n)),
        .unit = f->unit,
        .price = f->price.mantissa != 0 || f->net == 0 ? arena_str(arena, str_n(price, price_n))
                                                       : STR(""),
        .net = amount_str(f->net, row->currency, arena),
        .discount = amount_str(f->discount, row->currency, arena),
    };
    if (g != NULL) {
        ret->tax_category = str_c(tax_category_code(g->group.category));
        ret->tax_rate = tax_percent(g->group.rate_ppm, arena);
    }
}

static enum rc read_cursor(struct str text, struct line_cursor *ret, struct err *err)
{
    struct line_cursor at = {0};
    struct str rest = text;
    if (text.n > 0 && (!str_to_i64(str_cut(&rest, '.'), 0, INT64_MAX, &at.path) ||
                       !str_to_i64(rest, 0, INT64_MAX, &at.line)))
        return err_set_at(err, RC_INVALID, STR("/after"), "this is no cursor of lines");
    *ret = at;
    return RC_OK;
}

enum rc document_lines(struct tx *tx, struct str id, const struct page_query *q, struct page *ret)
{
    struct document_row row;
    struct billed_line *lines = NULL;
    size_t count = 0;
    struct line_cursor after;
    int64_t limit = q->limit > 0 ? q->limit : PAGE_LIMIT_DEFAULT;
    TRY(read_cursor(q->after, &after, tx->err));
    TRY(document_row_find(tx, id, &row));
    TRY(document_line_rows(tx, &row, after, limit + 1, &lines, &count));
    size_t shown = min_size(count, (size_t)limit);
    struct document_line *items = NEW_N(tx->arena, struct document_line, shown);
    for (size_t i = 0; i < shown; i++)
        show_line(&row, &lines[i], tx->arena, &items[i]);
    struct str next = STR("");
    if (count > shown)
        next = arena_fmt(tx->arena, "%lld.%lld", (long long)lines[shown - 1].at.path,
                         (long long)lines[shown - 1].at.line);
    *ret = (struct page){{items, shown}, next};
    return RC_OK;
}

/* --- hold --- */

enum rc document_hold(struct tx *tx, struct str id, bool held, struct document *ret)
{
    struct document_row row;
    TRY(document_row_find(tx, id, &row));
    if (row.state > DOCUMENT_HELD)
        return err_set(tx->err, RC_CONFLICT, "document '%.*s' is final: credit it instead",
                       STRF(id));
    row.state = held ? DOCUMENT_HELD : DOCUMENT_DRAFT;
    TRY(sql_run(tx, "UPDATE document SET state = $2 WHERE no = $1 AND state < $3", V(row.no),
                V((int64_t)row.state), V((int64_t)DOCUMENT_FINAL)));
    return document_show(tx, &row, ret);
}
