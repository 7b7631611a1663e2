/* PostgreSQL: many rows in one stream. https://www.postgresql.org/docs/15/sql-copy.html, "Text
 * Format"; https://www.postgresql.org/docs/15/libpq-copy.html */
#include "store/postgres.h"

enum { PIECE_BYTES = 64 * 1024, NUMBER_BYTES = 24, COPY_MORE_BYTES = 32 };

/* What was written of the stream and not handed over yet. */
struct stream {
    PGconn *pg;
    bool broken; /* the connection took no more; the end tells why */
    size_t n;
    char bytes[PIECE_BYTES];
};

static void flush(struct stream *s)
{
    s->broken = s->broken || PQputCopyData(s->pg, s->bytes, (int)s->n) != 1;
    s->n = 0;
}

static void put_char(struct stream *s, char c)
{
    if (s->n == sizeof s->bytes)
        flush(s);
    s->bytes[s->n++] = c;
}

static void put(struct stream *s, const char *text)
{
    for (; *text != '\0'; text++)
        put_char(s, *text);
}

/* What would end a cell or a row has a backslash before it. */
static void put_text(struct stream *s, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool plain = c != '\\' && c != '\t' && c != '\n' && c != '\r';
        if (!plain)
            put_char(s, '\\');
        put_char(s, c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c);
    }
}

static void put_bytes(struct stream *s, struct str bytes)
{
    static const char digits[] = "0123456789abcdef";
    put(s, "\\\\x");
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned byte = (unsigned char)bytes.p[i];
        put_char(s, digits[byte >> 4]);
        put_char(s, digits[byte & 15]);
    }
}

static void put_value(struct stream *s, const struct value *v)
{
    char number[NUMBER_BYTES];
    switch (v->type) {
    case VALUE_NULL:
        put(s, "\\N");
        break;
    case VALUE_INT:
        (void)snprintf(number, sizeof number, "%lld", (long long)v->number);
        put(s, number);
        break;
    case VALUE_TEXT:
        put_text(s, v->text);
        break;
    case VALUE_BYTES:
        put_bytes(s, v->text);
        break;
    }
}

/* "INSERT INTO t (a, b) VALUES ($1, $2)" becomes "COPY t (a, b) FROM STDIN"; malloc'ed. */
static char *copy_of(const char *sql)
{
    static const char before[] = "INSERT INTO ";
    const char *values = strstr(sql, " VALUES (");
    ASSERT(strncmp(sql, before, strlen(before)) == 0 && values != NULL);
    const char *end = strchr(values, ')');
    ASSERT(end != NULL && end[1] == '\0'); /* nothing behind the values: COPY knows no more */
    size_t n = (size_t)(values - sql) + COPY_MORE_BYTES;
    char *copy = store_alloc(n, 1);
    (void)snprintf(copy, n, "COPY %.*s FROM STDIN", (int)(values - sql - (long)strlen(before)),
                   sql + strlen(before));
    return copy;
}

static enum rc take_result(struct postgres_conn *c, ExecStatusType wanted, const struct query *q,
                           PGresult *r, struct err *err)
{
    enum rc rc = RC_OK;
    if (PQresultStatus(r) != wanted) {
        rc = postgres_failure(c, r, err);
        if (rc == RC_INTERNAL)
            err_add(err, "in \"%.120s\"", q->sql);
    }
    PQclear(r);
    return rc;
}

static enum rc end_stream(struct postgres_conn *c, const struct query *q, struct err *err)
{
    enum rc rc = RC_OK;
    if (PQputCopyEnd(c->pg, NULL) != 1)
        return rc_failed(postgres_failure(c, NULL, err));
    for (PGresult *r = PQgetResult(c->pg); r != NULL; r = PQgetResult(c->pg)) {
        if (rc == RC_OK)
            rc = take_result(c, PGRES_COMMAND_OK, q, r, err);
        else
            PQclear(r);
    }
    return rc;
}

enum rc postgres_insert(struct store_conn *base, const struct query *q, size_t rows,
                        struct err *err)
{
    struct postgres_conn *c = CONTAINER_OF(base, struct postgres_conn, base);
    struct stream *s = store_alloc(1, sizeof *s);
    char *copy = copy_of(q->sql);
    s->pg = c->pg;
    enum rc rc = take_result(c, PGRES_COPY_IN, q, PQexec(c->pg, copy), err);
    free(copy);
    for (size_t i = 0; i < rows && rc == RC_OK; i++)
        for (size_t k = 0; k < q->count; k++) {
            put_value(s, &q->args[i * q->count + k]);
            put_char(s, k + 1 < q->count ? '\t' : '\n');
        }
    if (rc == RC_OK) {
        flush(s);
        rc = end_stream(c, q, err);
    }
    free(s);
    return rc;
}
