/* The tables and indexes of a store as text: the same text for both engines. */
#include "base/buf.h"
#include "store/engine.h"

enum { DUMP_MAX = 1024 * 1024 };

/* Both give: table, column, type, not null, place in the primary key (0: none). */
static const char sqlite_columns[] =
    "SELECT m.name, c.name, c.type, c.\"notnull\", c.pk FROM sqlite_master AS m, "
    "pragma_table_info(m.name) AS c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE "
    "'\\' ORDER BY m.name, c.cid LIMIT 10000";

static const char postgres_columns[] =
    "SELECT t.relname, a.attname, upper(format_type(a.atttypid, a.atttypmod)) || CASE WHEN "
    "a.attcollation IN (0, 950) THEN '' ELSE ' WITH A WRONG COLLATION' END, CASE WHEN a.attnotnull "
    "THEN 1 ELSE 0 END, COALESCE((SELECT array_position(p.conkey, a.attnum) FROM pg_constraint p "
    "WHERE p.conrelid = t.oid AND p.contype = 'p'), 0) FROM pg_class t JOIN pg_attribute a ON "
    "a.attrelid = t.oid WHERE t.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = "
    "current_schema()) AND t.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY "
    "t.relname COLLATE \"C\", a.attnum LIMIT 10000";

/* Both give: index, table, unique, partial, column, descending. */
static const char sqlite_indexes[] =
    "SELECT i.name, m.name, i.\"unique\", i.partial, x.name, x.\"desc\" FROM sqlite_master AS m, "
    "pragma_index_list(m.name) AS i, pragma_index_xinfo(i.name) AS x WHERE m.type = 'table' AND "
    "i.origin = 'c' AND x.\"key\" = 1 ORDER BY i.name, x.seqno LIMIT 10000";

static const char postgres_indexes[] =
    "SELECT i.relname, t.relname, CASE WHEN x.indisunique THEN 1 ELSE 0 END, CASE WHEN x.indpred "
    "IS "
    "NULL THEN 0 ELSE 1 END, a.attname, x.indoption[k.n - 1] & 1 FROM pg_index x JOIN pg_class i "
    "ON "
    "i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid CROSS JOIN LATERAL "
    "unnest(CAST(x.indkey AS int2[])) WITH ORDINALITY AS k(attnum, n) LEFT JOIN pg_attribute a ON "
    "a.attrelid = t.oid AND a.attnum = k.attnum WHERE t.relnamespace = (SELECT oid FROM "
    "pg_namespace WHERE nspname = current_schema()) AND NOT EXISTS (SELECT 1 FROM pg_constraint p "
    "WHERE p.conindid = i.oid) ORDER BY i.relname COLLATE \"C\", k.n LIMIT 10000";

static void add_primary_key(struct buf *b, const struct rows *r, size_t first, size_t end)
{
    const char *before = "    PRIMARY KEY (";
    for (int64_t place = 1;; place++) {
        size_t i = first;
        while (i < end && row_int(r, i, 4) != place)
            i++;
        if (i == end) {
            if (place > 1)
                buf_add(b, STR(")\n"));
            return;
        }
        buf_fmt(b, "%s%.*s", before, STRF(row_str(r, i, 1)));
        before = ", ";
    }
}

static void add_tables(struct buf *b, const struct rows *r)
{
    for (size_t first = 0, end = 0; first < r->count; first = end) {
        struct str table = row_str(r, first, 0);
        buf_fmt(b, "TABLE %.*s\n", STRF(table));
        for (end = first; end < r->count && str_eq(row_str(r, end, 0), table); end++)
            buf_fmt(b, "    %.*s %.*s%s\n", STRF(row_str(r, end, 1)), STRF(row_str(r, end, 2)),
                    row_int(r, end, 3) ? " NOT NULL" : "");
        add_primary_key(b, r, first, end);
    }
}

static void add_indexes(struct buf *b, const struct rows *r)
{
    for (size_t first = 0, end = 0; first < r->count; first = end) {
        struct str index = row_str(r, first, 0);
        buf_fmt(b, "%sINDEX %.*s ON %.*s (", row_int(r, first, 2) ? "UNIQUE " : "", STRF(index),
                STRF(row_str(r, first, 1)));
        for (end = first; end < r->count && str_eq(row_str(r, end, 0), index); end++) {
            struct str column = row_null(r, end, 4) ? STR("<expression>") : row_str(r, end, 4);
            buf_fmt(b, "%s%.*s%s", end > first ? ", " : "", STRF(column),
                    row_int(r, end, 5) ? " DESC" : "");
        }
        buf_fmt(b, ")%s\n", row_int(r, first, 3) ? " WHERE ..." : "");
    }
}

enum rc store_schema(struct tx *tx, struct str *ret)
{
    bool sqlite = tx->conn->engine->kind == STORE_SQLITE;
    struct rows columns;
    struct rows indexes;
    if (sqlite) {
        TRY(sql_rows(tx, &columns, sqlite_columns));
        TRY(sql_rows(tx, &indexes, sqlite_indexes));
    } else {
        TRY(sql_rows(tx, &columns, postgres_columns));
        TRY(sql_rows(tx, &indexes, postgres_indexes));
    }
    struct buf b;
    buf_init(&b, tx->arena, DUMP_MAX);
    add_tables(&b, &columns);
    add_indexes(&b, &indexes);
    ASSERT(!b.full);
    *ret = buf_str(&b);
    return RC_OK;
}
