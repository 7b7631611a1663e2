/* Statements and rows: what is the same for both engines. */
#include "store/engine.h"

static enum rc check_args(struct tx *tx, const struct value *args, size_t count)
{
    struct store_conn *c = tx->conn;
    /* After a failure PostgreSQL refuses everything until the unit is undone; so does SQLite here,
     * that the same mistake shows on both. */
    if (UNLIKELY(c->failed != RC_OK))
        return err_set(tx->err, c->failed, "an earlier step of the same work failed");
    for (size_t i = 0; i < count; i++)
        if (args[i].type == VALUE_TEXT && args[i].text.n > 0 &&
            memchr(args[i].text.p, '\0', args[i].text.n) != NULL) {
            c->failed = RC_INVALID;
            return err_set(tx->err, RC_INVALID, "text with a NUL byte in it cannot be stored");
        }
    return RC_OK;
}

static enum rc run_query(struct tx *tx, struct query *q)
{
    ASSERT(q->count <= STORE_ARGS_MAX);
    TRY(check_args(tx, q->args, q->count));
    q->writing = tx->writing;
    return tx->conn->engine->query(tx->conn, q, tx->err);
}

enum rc sql_run_n(struct tx *tx, int64_t *ret_changed, const char *sql, const struct value *args,
                  size_t count)
{
    struct query q = {
        .sql = sql, .keep = true, .args = args, .count = count, .ret_changed = ret_changed};
    return run_query(tx, &q);
}

enum { INSERT_STREAM_MIN = 3 }; /* below it a stream costs more than it saves */

enum rc sql_insert(struct tx *tx, const char *sql, const struct value *rows, size_t columns,
                   size_t count)
{
    const struct engine *engine = tx->conn->engine;
    struct query q = {
        .sql = sql, .keep = true, .writing = tx->writing, .args = rows, .count = columns};
    ASSERT(columns > 0 && columns <= STORE_COLUMNS_MAX);
    ASSERT(tx->writing || count == 0);
    if (engine->insert != NULL && count >= INSERT_STREAM_MIN) {
        TRY(check_args(tx, rows, columns * count));
        return engine->insert(tx->conn, &q, count, tx->err);
    }
    for (size_t i = 0; i < count; i++) {
        q.args = rows + i * columns;
        TRY(run_query(tx, &q));
    }
    return RC_OK;
}

/* --- rows, copied --- */

enum { FIRST_ROWS = 4 };

struct collector {
    struct arena *arena;
    struct value *cells;
    size_t count;
    size_t columns;
    size_t room; /* rows */
};

static enum rc too_large(struct err *err)
{
    return err_set(err, RC_TOO_LARGE, "the answer is too large: ask for fewer rows at a time");
}

static enum rc grow_rows(struct collector *to, struct err *err)
{
    size_t room = to->room ? to->room * 4 : FIRST_ROWS;
    if (arena_room(to->arena) < room * to->columns * sizeof(struct value))
        return too_large(err);
    struct value *cells = NEW_N(to->arena, struct value, room * to->columns);
    if (to->count > 0)
        memcpy(cells, to->cells, to->count * to->columns * sizeof *cells);
    to->cells = cells;
    to->room = room;
    return RC_OK;
}

static enum rc collect_row(void *arg, const struct value *cells, size_t columns, struct err *err)
{
    struct collector *to = arg;
    ASSERT(to->count < STORE_ROWS_MAX); /* the statement has no LIMIT: use one, or sql_each */
    to->columns = columns;
    if (to->count == to->room)
        TRY(grow_rows(to, err));
    struct value *row = &to->cells[to->count * columns];
    for (size_t i = 0; i < columns; i++) {
        row[i] = cells[i];
        if (cells[i].type != VALUE_TEXT && cells[i].type != VALUE_BYTES)
            continue;
        if (arena_room(to->arena) <= cells[i].text.n)
            return too_large(err);
        row[i].text = arena_str(to->arena, cells[i].text);
    }
    to->count++;
    return RC_OK;
}

static enum rc collect(struct tx *tx, struct rows *ret, struct query q)
{
    struct collector to = {.arena = tx->arena};
    q.row = collect_row;
    q.row_arg = &to;
    TRY(run_query(tx, &q));
    *ret = (struct rows){to.count, to.columns, to.cells};
    return RC_OK;
}

enum rc sql_rows_n(struct tx *tx, struct rows *ret, const char *sql, const struct value *args,
                   size_t count)
{
    struct query q = {.sql = sql, .keep = true, .args = args, .count = count};
    return collect(tx, ret, q);
}

enum rc sql_kept_n(struct tx *tx, struct rows *ret, const char *sql, const struct value *args,
                   size_t count)
{
    struct store_conn *conn = tx->conn;
    TRY(check_args(tx, args, count));
    if (conn->memo != NULL && memo_find(conn->memo, sql, args, count, tx->arena, ret))
        return RC_OK;
    TRY(sql_rows_n(tx, ret, sql, args, count));
    if (conn->memo != NULL)
        memo_keep(conn->memo, sql, args, count, &conn->reads, ret);
    return RC_OK;
}

enum rc sql_rows_text(struct tx *tx, struct rows *ret, struct str sql, const struct value *args,
                      size_t count)
{
    struct query q = {.sql = arena_cstr(tx->arena, sql), .args = args, .count = count};
    return collect(tx, ret, q);
}

/* --- rows, walked --- */

struct walk {
    struct tx *tx;
    row_fn fn;
    void *arg;
};

static enum rc walk_row(void *arg, const struct value *cells, size_t columns, struct err *err)
{
    (void)err; /* the row function has the tx's own */
    struct walk *w = arg;
    return w->fn(w->tx, cells, columns, w->arg);
}

enum rc sql_each_n(struct tx *tx, row_fn fn, void *arg, const char *sql, const struct value *args,
                   size_t count)
{
    struct walk w = {tx, fn, arg};
    struct query q = {.sql = sql,
                      .keep = true,
                      .walk = true,
                      .args = args,
                      .count = count,
                      .row = walk_row,
                      .row_arg = &w};
    return run_query(tx, &q);
}

/* --- cells --- */

const struct value *row_cell(const struct rows *r, size_t row, size_t column)
{
    ASSERT(row < r->count);
    ASSERT(column < r->columns);
    return &r->cells[row * r->columns + column];
}

int64_t row_int(const struct rows *r, size_t row, size_t column)
{
    const struct value *v = row_cell(r, row, column);
    ASSERT(v->type == VALUE_INT || v->type == VALUE_NULL);
    return v->type == VALUE_INT ? v->number : 0;
}

struct str row_str(const struct rows *r, size_t row, size_t column)
{
    const struct value *v = row_cell(r, row, column);
    ASSERT(v->type == VALUE_TEXT || v->type == VALUE_NULL);
    return v->type == VALUE_TEXT ? v->text : STR("");
}

struct str row_bytes(const struct rows *r, size_t row, size_t column)
{
    const struct value *v = row_cell(r, row, column);
    ASSERT(v->type == VALUE_BYTES || v->type == VALUE_NULL);
    return v->type == VALUE_BYTES ? v->text : STR("");
}

bool row_null(const struct rows *r, size_t row, size_t column)
{
    return row_cell(r, row, column)->type == VALUE_NULL;
}

/* --- prepared statements --- */

struct statement *statements_slot(struct statements *all, const char *key)
{
    /* Addresses of constants differ in their middle bits; the product spreads them. */
    uint64_t hash = (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
    struct statement *set = all->slots[hash >> 32 & (STATEMENTS_MAX / STATEMENT_WAYS - 1)];
    struct statement *free_slot = NULL;
    for (size_t i = 0; i < STATEMENT_WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].key == NULL)
            free_slot = &set[i];
    }
    for (size_t i = 0; free_slot == NULL && i < STATEMENT_WAYS; i++) {
        struct statement *victim = &set[all->next_way++ % STATEMENT_WAYS];
        if (!victim->busy)
            free_slot = victim;
    }
    return free_slot;
}
