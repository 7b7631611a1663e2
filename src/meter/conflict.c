/*
 * conflict.c - what was not counted, for people.
 */
#include "meter/usage.h"

static const struct page_column sort_columns[] = {
    {"id", "u.id", PAGE_TEXT},
    {"source", "u.source", PAGE_TEXT},
    {"created", "u.created", PAGE_NUMBER},
};

static const struct page_table conflict_table = {
    .select = "SELECT u.id, u.source, u.party, u.event, u.text, u.created FROM usage_conflict u",
    .id = "u.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc usage_conflict_list(struct tx *tx, struct str party, const struct page_query *q,
                            struct page *ret)
{
    struct page_term term = {"u.party = ?", V(party)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &conflict_table, q, &term, party.n > 0, &rows, &next));
    struct usage_conflict *items = NEW_N(tx->arena, struct usage_conflict, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = (struct usage_conflict){.set = schema_all(&usage_conflict_schema),
                                           .id = row_str(&rows, i, 0),
                                           .source = row_str(&rows, i, 1),
                                           .party = row_str(&rows, i, 2),
                                           .event = row_str(&rows, i, 3),
                                           .text = row_str(&rows, i, 4),
                                           .created = row_int(&rows, i, 5)};
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

enum rc usage_source_party(struct tx *tx, struct str source, struct str *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT party FROM usage_source WHERE name = $1", V(source)));
    *ret = rows.count > 0 ? row_str(&rows, 0, 0) : STR("");
    return RC_OK;
}
