/*
 * conflict.c - what was not counted, for people.
 */
#include "meter/usage.h"

static const struct page_column sort_columns[] = {
    {"id", "u.id", PAGE_TEXT},
    {"source", "u.source", PAGE_TEXT},
    {"created", "u.created", PAGE_NUMBER},
};

#define COLUMNS "u.id, u.source, u.party, u.event, u.text, u.created, w.seen, w.seen_by"
#define TABLES  "usage_conflict u LEFT JOIN usage_conflict_seen w ON w.conflict = u.id"

static const struct page_table conflict_table = {
    .select = "SELECT " COLUMNS " FROM " TABLES,
    .id = "u.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

static struct usage_conflict read_row(const struct rows *rows, size_t row)
{
    struct usage_conflict c = {.set = schema_all(&usage_conflict_schema),
                               .id = row_str(rows, row, 0),
                               .source = row_str(rows, row, 1),
                               .party = row_str(rows, row, 2),
                               .event = row_str(rows, row, 3),
                               .text = row_str(rows, row, 4),
                               .created = row_int(rows, row, 5)};
    if (row_null(rows, row, 6)) {
        c.set &= ~(schema_bit(&usage_conflict_schema, "seen") |
                   schema_bit(&usage_conflict_schema, "seen_by"));
        return c;
    }
    c.seen = row_int(rows, row, 6);
    c.seen_by = row_str(rows, row, 7);
    return c;
}

enum rc usage_conflict_list(struct tx *tx, struct str party, const struct usage_conflict_query *q,
                            struct page *ret)
{
    struct page_term terms[2];
    size_t count = 0;
    struct rows rows;
    struct str next;
    if (party.n > 0)
        terms[count++] = (struct page_term){"u.party = ?", V(party)};
    if (!q->seen)
        terms[count++] = (struct page_term){.sql = "w.conflict IS NULL"};
    TRY(page_rows(tx, &conflict_table, &q->page, terms, count, &rows, &next));
    struct usage_conflict *items = NEW_N(tx->arena, struct usage_conflict, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_row(&rows, i);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

enum rc usage_conflict_get(struct tx *tx, struct str id, struct usage_conflict *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM " TABLES " WHERE u.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no notice '%.*s'", STRF(id));
    *ret = read_row(&rows, 0);
    return RC_OK;
}

enum rc usage_conflict_see(struct tx *tx, struct str id, struct str user,
                           struct usage_conflict *ret)
{
    struct usage_conflict before;
    TRY(usage_conflict_get(tx, id, &before));
    TRY(sql_run(tx,
                "INSERT INTO usage_conflict_seen (conflict, seen, seen_by) VALUES ($1, $2, $3) "
                "ON CONFLICT (conflict) DO NOTHING",
                V(id), V(tx->now), V(user)));
    return usage_conflict_get(tx, id, ret);
}
