#include "catalog/suspension.h"

#include "base/clock.h"

#define COLUMNS "x.subscription, x.seller, x.client, x.due_day, x.since"

static struct str why(int64_t due_day, struct arena *arena)
{
    char day[DAY_TEXT_MAX];
    size_t n = day_format(due_day, day);
    return arena_fmt(arena, "an invoice that was due on %.*s is not paid", (int)n, day);
}

static const struct page_column columns[] = {{"subscription", "x.subscription", PAGE_TEXT},
                                             {"since", "x.since", PAGE_NUMBER}};
static const struct page_table table = {
    .select = "SELECT " COLUMNS " FROM suspension x JOIN subscription s ON s.id = x.subscription",
    .id = "x.subscription",
    .sort = columns,
    .sort_count = COUNT(columns),
    .default_sort = "subscription",
};

enum rc suspension_list(struct tx *tx, struct str party, const struct page_query *q,
                        struct page *ret)
{
    struct rows rows;
    struct str next;
    const struct page_term mine = {"? IN (s.client, s.seller, s.producer)", V(party)};
    TRY(page_rows(tx, &table, q, &mine, 1, &rows, &next));
    struct suspension *items = NEW_N(tx->arena, struct suspension, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = (struct suspension){.set = schema_all(&suspension_schema),
                                       .subscription = row_str(&rows, i, 0),
                                       .seller = row_str(&rows, i, 1),
                                       .client = row_str(&rows, i, 2),
                                       .why = why(row_int(&rows, i, 3), tx->arena),
                                       .since = row_int(&rows, i, 4)};
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

enum rc suspension_why(struct tx *tx, struct str subscription, struct str *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT due_day FROM suspension WHERE subscription = $1",
                 V(subscription)));
    *ret = rows.count > 0 ? why(row_int(&rows, 0, 0), tx->arena) : STR("");
    return RC_OK;
}

enum rc suspension_check(struct tx *tx, struct str client, struct str seller)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT due_day FROM suspension WHERE client = $1 AND seller = $2 "
                 "ORDER BY due_day LIMIT 1",
                 V(client), V(seller)));
    if (rows.count == 0)
        return RC_OK;
    return err_set(tx->err, RC_CONFLICT, "what is bought here is suspended: %.*s",
                   STRF(why(row_int(&rows, 0, 0), tx->arena)));
}
