/*
 * supply_below.c - down the forest, one step.
 */
#include "channel/agreement_row.h"
#include "channel/supply.h"

enum rc supply_below(struct tx *tx, struct str agreement, struct str after, size_t limit,
                     struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(
        tx, &rows,
        "SELECT DISTINCT a.id FROM agreement_terms t JOIN agreement a ON a.id = t.agreement "
        "WHERE t.upstream = $1 AND a.kind = 'supply' AND (a.ended IS NULL OR a.ended > $2) "
        "AND t.signed_at IS NOT NULL AND NOT " ROW_SUPERSEDED
        " AND a.id > $3 ORDER BY a.id LIMIT $4",
        V(agreement), V(tx->now), V(after), V((int64_t)limit)));
    struct str *ids = NEW_N(tx->arena, struct str, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        ids[i] = row_str(&rows, i, 0);
    *ret = (struct list){ids, rows.count};
    return RC_OK;
}
