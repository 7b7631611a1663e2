#include "store/page_cursor.h"

enum { SQL_MAX = 16 * 1024 };

/* The order of the page: columns, each up or down, the unique one last. */
struct order {
    struct key {
        const struct page_column *column;
        bool down;
    } keys[PAGE_KEYS_MAX];
    size_t count;
    struct str text; /* "-created,-id": a cursor fits the order that it was made in, no other */
};

/* The statement while it is put together. */
struct query {
    struct buf sql;
    struct value args[2 * (PAGE_TERMS_MAX + PAGE_KEYS_MAX + 1) + 1];
    size_t count;
};

/* What a page is made from. */
struct plan {
    const struct page_table *table;
    struct order order;
    const struct page_term *terms;
    size_t term_count;
    bool goes_on;
    struct value keys[PAGE_KEYS_MAX]; /* of the row before it, where it goes on */
    int64_t limit;
};

/* --- order --- */

static const struct page_column *find_column(const struct page_table *table, struct str name)
{
    for (size_t i = 0; i < table->sort_count; i++)
        if (str_eq(name, str_c(table->sort[i].name)))
            return &table->sort[i];
    return NULL;
}

static const struct page_column *id_column(const struct page_table *table)
{
    for (size_t i = 0; i < table->sort_count; i++)
        if (str_eq(str_c(table->sort[i].column), str_c(table->id)))
            return &table->sort[i];
    NEVER("a table of pages whose id is not among the columns to sort by");
}

static bool has_column(const struct order *order, const struct page_column *column)
{
    for (size_t i = 0; i < order->count; i++)
        if (order->keys[i].column == column)
            return true;
    return false;
}

static enum rc refuse_column(struct tx *tx, const struct page_table *table)
{
    struct buf names;
    buf_init(&names, tx->arena, ERR_TEXT_MAX);
    for (size_t i = 0; i < table->sort_count; i++)
        buf_fmt(&names, "%s%s", i > 0 ? ", " : "", table->sort[i].name);
    return err_set_at(
        tx->err, RC_INVALID, STR("/sort"),
        "a sort is one to %d different names out of %.*s, '-' in front for descending",
        PAGE_SORTS_MAX, STRF(buf_str(&names)));
}

static enum rc add_key(struct tx *tx, const struct page_table *table, struct str name,
                       struct order *order)
{
    bool down = str_starts(name, STR("-"));
    const struct page_column *column = find_column(table, str_sub(name, down ? 1 : 0, name.n));
    if (column == NULL || has_column(order, column) || order->count == PAGE_SORTS_MAX)
        return refuse_column(tx, table);
    order->keys[order->count++] = (struct key){column, down};
    return RC_OK;
}

static enum rc make_order(struct tx *tx, const struct page_table *table,
                          const struct page_query *query, struct order *order)
{
    const struct str *names = query->sort.items;
    for (size_t i = 0; i < query->sort.count; i++)
        TRY(add_key(tx, table, names[i], order));
    if (order->count == 0)
        TRY(add_key(tx, table, str_c(table->default_sort), order));
    /* The last key goes the way of the one before it, so that one index can serve both. */
    if (!has_column(order, id_column(table))) {
        bool down = order->keys[order->count - 1].down;
        order->keys[order->count++] = (struct key){id_column(table), down};
    }
    struct buf text;
    buf_init(&text, tx->arena, SQL_MAX);
    for (size_t i = 0; i < order->count; i++)
        buf_fmt(&text, "%s%s%s", i > 0 ? "," : "", order->keys[i].down ? "-" : "",
                order->keys[i].column->name);
    ASSERT(!text.full);
    order->text = buf_str(&text);
    return RC_OK;
}

/* --- cursor --- */

static struct str write_cursor(struct tx *tx, const struct order *order, const struct rows *rows,
                               size_t row)
{
    return page_cursor_write(order->text, row_cell(rows, row, rows->columns - order->count),
                             order->count, tx->arena);
}

static enum rc read_cursor(struct tx *tx, const struct order *order, struct str cursor,
                           struct value *ret)
{
    enum page_kind kinds[PAGE_KEYS_MAX];
    for (size_t i = 0; i < order->count; i++)
        kinds[i] = order->keys[i].column->kind;
    if (page_cursor_read(cursor, order->text, kinds, order->count, tx->arena, ret))
        return RC_OK;
    return err_set_at(tx->err, RC_INVALID, STR("/after"),
                      "this is no cursor of this list in this order: give \"next\" of the page "
                      "before, with the same sort");
}

/* --- SQL --- */

static size_t add_arg(struct query *q, struct value value)
{
    ASSERT(q->count < COUNT(q->args));
    q->args[q->count++] = value;
    return q->count;
}

/* Where " FROM " of the select itself stands, not one within parentheses. */
static size_t find_from(const char *select)
{
    int depth = 0;
    for (size_t i = 0; select[i] != '\0'; i++) {
        depth += select[i] == '(' ? 1 : 0;
        depth -= select[i] == ')' ? 1 : 0;
        if (depth == 0 && strncmp(select + i, " FROM ", 6) == 0)
            return i;
    }
    NEVER("a select without FROM");
}

static void add_select(struct query *q, const char *select, const struct order *order)
{
    size_t from = find_from(select);
    buf_add(&q->sql, str_n(select, from));
    for (size_t i = 0; i < order->count; i++)
        buf_fmt(&q->sql, ", %s AS key_%zu", order->keys[i].column->column, i);
    buf_add(&q->sql, str_c(select + from));
}

static bool has_halves(const struct page_term *term)
{
    return strstr(term->sql, PAGE_OR) != NULL;
}

static void add_term(struct query *q, const struct page_term *term, bool other)
{
    struct str second = str_c(term->sql);
    struct str first = str_cut(&second, PAGE_OR[0]);
    struct str rest = other && has_halves(term) ? second : first;
    size_t number = str_find(rest, '?', 0) < rest.n ? add_arg(q, term->value) : 0;
    buf_add_char(&q->sql, '(');
    while (rest.n > 0) {
        bool has_value = str_find(rest, '?', 0) < rest.n;
        buf_add(&q->sql, str_cut(&rest, '?'));
        if (has_value)
            buf_fmt(&q->sql, "$%zu", number);
    }
    buf_add_char(&q->sql, ')');
}

/* Behind the cursor: a >= $1 AND (a > $1 OR (b <= $2 AND (b < $2 OR (id > $3)))). The bound in
 * front of each parenthesis is implied by it, and lets the engine start at the right place of an
 * index. */
static void add_behind(struct query *q, const struct order *order, const struct value *keys)
{
    for (size_t i = 0; i < order->count; i++) {
        size_t number = add_arg(q, keys[i]);
        const char *column = order->keys[i].column->column;
        char sign = order->keys[i].down ? '<' : '>';
        if (i + 1 < order->count)
            buf_fmt(&q->sql, "%s %c= $%zu AND (%s %c $%zu OR (", column, sign, number, column, sign,
                    number);
        else
            buf_fmt(&q->sql, "%s %c $%zu", column, sign, number);
    }
    for (size_t i = 1; i < order->count; i++)
        buf_add(&q->sql, STR("))"));
}

static void add_order(struct query *q, const struct plan *p, bool merged)
{
    const struct order *order = &p->order;
    buf_add(&q->sql, STR(" ORDER BY "));
    for (size_t i = 0; i < order->count; i++) {
        buf_add(&q->sql, i > 0 ? STR(", ") : STR(""));
        if (merged)
            buf_fmt(&q->sql, "key_%zu", i);
        else
            buf_add(&q->sql, str_c(order->keys[i].column->column));
        buf_add(&q->sql, order->keys[i].down ? STR(" DESC") : STR(""));
    }
    buf_fmt(&q->sql, " LIMIT $%zu", add_arg(q, value_int(p->limit)));
}

/* The page of one half, or of all where there are none. */
static void add_half(struct query *q, const struct plan *p, bool other)
{
    add_select(q, p->table->select, &p->order);
    for (size_t i = 0; i < p->term_count; i++) {
        buf_add(&q->sql, i == 0 ? STR(" WHERE ") : STR(" AND "));
        add_term(q, &p->terms[i], other);
    }
    if (p->goes_on) {
        buf_add(&q->sql, p->term_count == 0 ? STR(" WHERE ") : STR(" AND "));
        add_behind(q, &p->order, p->keys);
    }
    add_order(q, p, false);
}

static bool is_of_halves(const struct plan *p)
{
    size_t count = 0;
    for (size_t i = 0; i < p->term_count; i++)
        count += has_halves(&p->terms[i]) ? 1 : 0;
    ASSERT(count <= 1);
    return count == 1;
}

enum rc page_rows(struct tx *tx, const struct page_table *table, const struct page_query *query,
                  const struct page_term *terms, size_t count, struct rows *ret_rows,
                  struct str *ret_next)
{
    ASSERT(count <= PAGE_TERMS_MAX);
    ASSERT(query->limit >= 0 && query->limit <= PAGE_LIMIT_MAX);
    size_t limit = query->limit > 0 ? (size_t)query->limit : PAGE_LIMIT_DEFAULT;
    struct plan p = {.table = table,
                     .terms = terms,
                     .term_count = count,
                     .goes_on = query->after.n > 0,
                     .limit = (int64_t)limit + 1}; /* one more tells whether there is a next page */
    TRY(make_order(tx, table, query, &p.order));
    if (p.goes_on)
        TRY(read_cursor(tx, &p.order, query->after, p.keys));

    struct query q = {0};
    buf_init(&q.sql, tx->arena, SQL_MAX);
    if (is_of_halves(&p)) {
        buf_add(&q.sql, STR("SELECT * FROM ("));
        add_half(&q, &p, false);
        buf_add(&q.sql, STR(") one UNION SELECT * FROM ("));
        add_half(&q, &p, true);
        buf_add(&q.sql, STR(") other"));
        add_order(&q, &p, true);
    } else {
        add_half(&q, &p, false);
    }
    ASSERT(!q.sql.full);

    struct rows rows;
    TRY(sql_rows_text(tx, &rows, buf_str(&q.sql), q.args, q.count));
    bool more = rows.count > limit;
    *ret_next = more ? write_cursor(tx, &p.order, &rows, limit - 1) : STR("");
    rows.count = min_size(rows.count, limit);
    *ret_rows = rows;
    return RC_OK;
}
