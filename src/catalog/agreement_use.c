#include "catalog/subscription.h"

enum rc subscription_check_end(struct tx *tx, struct str agreement, time_us at)
{
    struct rows rows;
    TRY(sql_rows(
        tx, &rows,
        "SELECT s.id FROM subscription_term t JOIN subscription s ON s.id = t.subscription "
        "WHERE t.agreement = $1 AND s.ends > $2 AND s.ends > t.since "
        "AND NOT EXISTS (SELECT 1 FROM subscription_term n "
        "WHERE n.subscription = t.subscription AND n.since > t.since AND n.since <= $2) "
        "ORDER BY s.id LIMIT 1",
        V(agreement), V(at)));
    if (rows.count == 0)
        return RC_OK;
    return err_set(tx->err, RC_CONFLICT, "subscription '%.*s' runs by this agreement at that time",
                   STRF(row_str(&rows, 0, 0)));
}
