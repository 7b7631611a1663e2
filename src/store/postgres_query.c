/* PostgreSQL: statements, parameters, rows. */
#include "store/postgres.h"

enum { FETCH_ROWS = 500, OID_UNKNOWN = 0 };

/* Of pg_type, fixed for ever: https://www.postgresql.org/docs/15/catalog-pg-type.html */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_NAME = 19,
    OID_VARCHAR = 1043,
    OID_NUMERIC = 1700
};

struct prepared {
    unsigned number; /* its name on the server: "s<number>" */
    char sql[];
};

enum { NAME_MAX_BYTES = 24 };

/* --- parameters --- */

static void make_room(struct postgres_conn *c, size_t count)
{
    if (count <= c->room)
        return;
    size_t room = max_size(count, 32);
    free(c->values);
    free(c->lengths);
    free(c->formats);
    free(c->types);
    free(c->numbers);
    c->values = store_alloc(room, sizeof *c->values);
    c->lengths = store_alloc(room, sizeof *c->lengths);
    c->formats = store_alloc(room, sizeof *c->formats);
    c->types = store_alloc(room, sizeof *c->types);
    c->numbers = store_alloc(room, sizeof *c->numbers);
    c->room = room;
}

/* Text and bytes go as they are, with their length (format 1); numbers as digits. The types are
 * said, so that $1 + 1 is a sum of 64 bits and no guess of the server. */
static void fill(struct postgres_conn *c, const struct query *q)
{
    make_room(c, q->count);
    for (size_t i = 0; i < q->count; i++) {
        const struct value *v = &q->args[i];
        c->values[i] = NULL;
        c->lengths[i] = 0;
        c->formats[i] = 0;
        c->types[i] = OID_UNKNOWN;
        switch (v->type) {
        case VALUE_NULL:
            break;
        case VALUE_INT:
            (void)snprintf(c->numbers[i], sizeof c->numbers[i], "%lld", (long long)v->number);
            c->values[i] = c->numbers[i];
            c->types[i] = OID_INT8;
            break;
        case VALUE_TEXT:
        case VALUE_BYTES:
            ASSERT(v->text.n <= INT32_MAX);
            c->values[i] = v->text.n > 0 ? v->text.p : "";
            c->lengths[i] = (int)v->text.n;
            c->formats[i] = 1;
            c->types[i] = v->type == VALUE_TEXT ? OID_TEXT : OID_BYTEA;
            break;
        }
    }
}

/* --- prepared statements --- */

void postgres_forget_statements(struct postgres_conn *c)
{
    for (size_t i = 0; i < COUNT(c->statements.slots); i++) {
        for (size_t j = 0; j < STATEMENT_WAYS; j++) {
            free(c->statements.slots[i][j].handle);
            c->statements.slots[i][j] = (struct statement){0};
        }
    }
}

static void name_of(const struct prepared *p, char name[NAME_MAX_BYTES])
{
    (void)snprintf(name, NAME_MAX_BYTES, "s%u", p->number);
}

static enum rc drop_statement(struct postgres_conn *c, struct statement *st, struct err *err)
{
    if (st->key == NULL)
        return RC_OK;
    char name[NAME_MAX_BYTES];
    char sql[NAME_MAX_BYTES * 2];
    name_of(st->handle, name);
    (void)snprintf(sql, sizeof sql, "DEALLOCATE %s", name);
    free(st->handle);
    *st = (struct statement){0};
    return postgres_exec(c, sql, err);
}

static enum rc sql_failure(struct postgres_conn *c, const PGresult *r, const struct query *q,
                           struct err *err)
{
    enum rc rc = postgres_failure(c, r, err);
    if (rc == RC_INTERNAL)
        err_add(err, "in \"%.120s\"", q->sql);
    return rc_failed(rc);
}

static enum rc prepare(struct postgres_conn *c, const struct query *q, struct prepared **ret,
                       struct err *err)
{
    size_t n = strlen(q->sql) + 1;
    struct prepared *p = store_alloc(1, sizeof *p + n);
    p->number = c->next_number++;
    memcpy(p->sql, q->sql, n);
    char name[NAME_MAX_BYTES];
    name_of(p, name);
    PGresult *r = PQprepare(c->pg, name, q->sql, (int)q->count, c->types);
    if (PQresultStatus(r) != PGRES_COMMAND_OK) {
        enum rc rc = sql_failure(c, r, q, err);
        PQclear(r);
        free(p);
        return rc_failed(rc);
    }
    PQclear(r);
    *ret = p;
    return RC_OK;
}

/* The name of the kept statement for q; fill() has been called. */
static enum rc find(struct postgres_conn *c, const struct query *q, char name[NAME_MAX_BYTES],
                    struct err *err)
{
    struct statement *st = statements_slot(&c->statements, q->sql);
    ASSERT(st != NULL); /* none is ever busy: rows are walked with cursors */
    struct prepared *p = st->handle;
    if (st->key != q->sql) {
        TRY(drop_statement(c, st, err));
        TRY(prepare(c, q, &p, err));
        *st = (struct statement){.key = q->sql, .handle = p};
    }
    ASSERT(strcmp(p->sql, q->sql) == 0); /* the same address with another text: no constant */
    name_of(p, name);
    return RC_OK;
}

/* --- rows --- */

static enum rc read_number(struct str text, struct value *ret, struct err *err)
{
    int64_t number = 0;
    if (!str_to_i64(text, INT64_MIN, INT64_MAX, &number))
        return err_set(err, RC_INTERNAL, "'%.*s' is no whole number of 64 bits", STRF(text));
    *ret = value_int(number);
    return RC_OK;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of one row, out of the server's hexadecimal form. Each walk over rows has its own, as
 * other SQL may run, and give bytes, while a row is in hand. */
struct scratch {
    char *p;
    size_t n;
};

/* The server writes bytes as "\x" and hexadecimal digits. */
static enum rc read_bytes(struct str text, struct scratch *to, struct value *ret, struct err *err)
{
    bool ok = str_starts(text, STR("\\x")) && text.n % 2 == 0;
    size_t n = ok ? text.n / 2 - 1 : 0;
    char *bytes = to->p + to->n;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(text.p[2 + 2 * i]);
        int low = hex_digit(text.p[3 + 2 * i]);
        ok = ok && high >= 0 && low >= 0;
        bytes[i] = (char)((unsigned)high << 4 | (unsigned)low);
    }
    if (!ok)
        return err_set(err, RC_INTERNAL,
                       "the database gives bytes in another form than hexadecimal: set its "
                       "bytea_output to hex");
    to->n += n;
    *ret = value_bytes(str_n(bytes, n));
    return RC_OK;
}

/* Room for the bytes of any row: the longest cell of each column of bytes. */
static size_t bytes_of_rows(const PGresult *r)
{
    size_t room = 0;
    for (int i = 0; i < PQnfields(r); i++) {
        size_t longest = 0;
        for (int row = 0; PQftype(r, i) == OID_BYTEA && row < PQntuples(r); row++)
            longest = max_size(longest, (size_t)PQgetlength(r, row, i) / 2);
        room += longest;
    }
    return room;
}

static enum rc read_cell(const PGresult *r, int row, int column, struct scratch *scratch,
                         struct value *ret, struct err *err)
{
    struct str text = str_n(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
    if (PQgetisnull(r, row, column)) {
        *ret = SQL_NULL;
        return RC_OK;
    }
    switch (PQftype(r, column)) {
    case OID_INT8:
    case OID_INT4:
    case OID_INT2:
    case OID_NUMERIC: /* a SUM without CAST: as long as it is whole, it is a number here too */
        return read_number(text, ret, err);
    case OID_BOOL: /* SQLite says 1 and 0 */
        *ret = value_int(text.n == 1 && text.p[0] == 't');
        return RC_OK;
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_NAME:
        *ret = value_str(text);
        return RC_OK;
    case OID_BYTEA:
        return read_bytes(text, scratch, ret, err);
    default:
        return err_set(err, RC_INTERNAL, "column '%s' is neither a whole number, text nor bytes",
                       PQfname(r, column));
    }
}

static enum rc hand_row(struct postgres_conn *c, const PGresult *r, int row, const struct query *q,
                        struct scratch *scratch, struct err *err)
{
    struct value cells[STORE_COLUMNS_MAX];
    int columns = PQnfields(r);
    ASSERT(columns <= STORE_COLUMNS_MAX);
    scratch->n = 0;
    for (int i = 0; i < columns; i++) {
        enum rc rc = read_cell(r, row, i, scratch, &cells[i], err);
        if (rc != RC_OK)
            return c->base.failed = rc;
    }
    return q->row(q->row_arg, cells, (size_t)columns, err);
}

static enum rc hand_rows(struct postgres_conn *c, const PGresult *r, const struct query *q,
                         struct err *err)
{
    size_t bytes = bytes_of_rows(r);
    struct scratch scratch = {.p = bytes > 0 ? store_alloc(bytes, 1) : NULL};
    enum rc rc = RC_OK;
    for (int row = 0; rc == RC_OK && row < PQntuples(r); row++)
        rc = hand_row(c, r, row, q, &scratch, err);
    free(scratch.p);
    return rc;
}

static void note_changed(PGresult *r, int64_t *ret)
{
    struct str tuples = str_c(PQcmdTuples(r));
    bool ok = str_to_i64(tuples, 0, INT64_MAX, ret);
    ASSERT(ok); /* asked of a statement that changes nothing */
}

static enum rc take_result(struct postgres_conn *c, PGresult *r, const struct query *q,
                           struct err *err)
{
    ExecStatusType status = PQresultStatus(r);
    enum rc rc = RC_OK;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        rc = sql_failure(c, r, q, err);
    else if (q->row != NULL)
        rc = hand_rows(c, r, q, err);
    if (rc == RC_OK && q->ret_changed != NULL)
        note_changed(r, q->ret_changed);
    PQclear(r);
    return rc;
}

/* --- rows by the handful, so that a long walk needs little memory and other SQL may run --- */

static enum rc fetch(struct postgres_conn *c, const struct query *q, const char *sql, int *ret_rows,
                     struct err *err)
{
    PGresult *r = PQexec(c->pg, sql);
    *ret_rows = PQntuples(r);
    return take_result(c, r, q, err);
}

static enum rc walk(struct postgres_conn *c, const struct query *q, struct err *err)
{
    unsigned number = c->next_number++;
    char sql[64];
    size_t n = strlen(q->sql) + sizeof sql;
    char *declare = store_alloc(n, 1);
    (void)snprintf(declare, n, "DECLARE c%u NO SCROLL CURSOR FOR %s", number, q->sql);
    PGresult *r =
        PQexecParams(c->pg, declare, (int)q->count, c->types, c->values, c->lengths, c->formats, 0);
    free(declare);
    bool declared = PQresultStatus(r) == PGRES_COMMAND_OK;
    enum rc rc = declared ? RC_OK : sql_failure(c, r, q, err);
    PQclear(r);
    TRY(rc);

    (void)snprintf(sql, sizeof sql, "FETCH %d FROM c%u", FETCH_ROWS, number);
    int rows = FETCH_ROWS;
    while (rc == RC_OK && rows == FETCH_ROWS)
        rc = fetch(c, q, sql, &rows, err);
    if (c->base.failed != RC_OK)
        return rc; /* the end of the transaction closes it */
    (void)snprintf(sql, sizeof sql, "CLOSE c%u", number);
    struct err closing = {0};
    enum rc closed = postgres_exec(c, sql, &closing);
    if (rc == RC_OK && closed != RC_OK) {
        *err = closing;
        return closed;
    }
    return rc;
}

enum rc postgres_query(struct store_conn *base, const struct query *q, struct err *err)
{
    struct postgres_conn *c = CONTAINER_OF(base, struct postgres_conn, base);
    fill(c, q);
    if (q->walk)
        return walk(c, q, err);
    if (!q->keep)
        return take_result(c,
                           PQexecParams(c->pg, q->sql, (int)q->count, c->types, c->values,
                                        c->lengths, c->formats, 0),
                           q, err);
    char name[NAME_MAX_BYTES];
    TRY(find(c, q, name, err));
    return take_result(
        c, PQexecPrepared(c->pg, name, (int)q->count, c->values, c->lengths, c->formats, 0), q,
        err);
}
