#include "billing/dunning.h"

#include "billing/document_row.h"
#include "catalog/suspension.h"
#include "party/event.h"

enum { DUNNING_AT_ONCE = 100 };

_Static_assert(DOCUMENT_INVOICE == 380 && DOCUMENT_CORRECTED == 384 && DOCUMENT_FINAL == 2 &&
                   DOCUMENT_PART_PAID == 3,
               "as OVERDUE and the index document_open say");

/* $1: the latest day that is over everywhere. */
#define OVERDUE                                                     \
    "d.code IN (380, 384) AND d.state IN (2, 3) AND d.due_day > 0 " \
    "AND d.due_day + p.suspend_days <= $1 "                         \
    "AND " DOCUMENT_OPEN

#define TO_SUSPEND                                                            \
    "FROM party p JOIN document d ON d.issuer = p.id JOIN subscription s "    \
    "ON s.client = d.recipient AND s.seller = p.id WHERE p.suspend_days > 0 " \
    "AND " OVERDUE "AND s.start <= $2 AND s.ends > $2 "                       \
    "AND NOT EXISTS (SELECT 1 FROM suspension x WHERE x.subscription = s.id) "

#define TO_RESUME                                                                      \
    "FROM suspension x JOIN subscription s ON s.id = x.subscription "                  \
    "WHERE s.ends <= $2 OR s.seller <> x.seller OR NOT EXISTS (SELECT 1 FROM party p " \
    "JOIN document d ON d.issuer = p.id WHERE p.id = x.seller AND p.suspend_days > 0 " \
    "AND d.recipient = x.client AND " OVERDUE ") "

/* The day before yesterday in UTC has ended in all time zones. */
static int64_t last_day(const struct tx *tx)
{
    return (tx->now - 12 * US_PER_HOUR) / US_PER_DAY - 1;
}

enum rc dunning_due(struct tx *tx, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT 1 " TO_SUSPEND "LIMIT 1", V(last_day(tx)), V(tx->now)));
    if (rows.count == 0)
        TRY(sql_rows(tx, &rows, "SELECT 1 " TO_RESUME "LIMIT 1", V(last_day(tx)), V(tx->now)));
    *ret = rows.count > 0;
    return RC_OK;
}

static enum rc tell(struct tx *tx, const struct rows *rows, size_t i, const char *topic)
{
    struct str id = row_str(rows, i, 0);
    int64_t version = row_int(rows, i, 3);
    TRY(event_put(tx, topic, row_str(rows, i, 1), "subscription", id, version, STR("")));
    return event_put(tx, topic, row_str(rows, i, 2), "subscription", id, version, STR(""));
}

static enum rc suspend(struct tx *tx, size_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT s.id, s.seller, s.client, s.version, MIN(d.due_day) " TO_SUSPEND
                 "GROUP BY s.id, s.seller, s.client, s.version ORDER BY s.id LIMIT $3",
                 V(last_day(tx)), V(tx->now), V((int64_t)DUNNING_AT_ONCE)));
    for (size_t i = 0; i < rows.count; i++) {
        TRY(sql_run(tx,
                    "INSERT INTO suspension (subscription, seller, client, due_day, since) "
                    "VALUES ($1, $2, $3, $4, $5)",
                    V(row_str(&rows, i, 0)), V(row_str(&rows, i, 1)), V(row_str(&rows, i, 2)),
                    V(row_int(&rows, i, 4)), V(tx->now)));
        TRY(tell(tx, &rows, i, "event.subscription.suspended"));
    }
    *ret = rows.count;
    return RC_OK;
}

static enum rc resume(struct tx *tx, size_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT s.id, x.seller, s.client, s.version " TO_RESUME "ORDER BY s.id LIMIT $3",
                 V(last_day(tx)), V(tx->now), V((int64_t)DUNNING_AT_ONCE)));
    for (size_t i = 0; i < rows.count; i++) {
        TRY(sql_run(tx, "DELETE FROM suspension WHERE subscription = $1", V(row_str(&rows, i, 0))));
        TRY(tell(tx, &rows, i, "event.subscription.resumed"));
    }
    *ret = rows.count;
    return RC_OK;
}

enum rc dunning_tick(struct tx *tx, bool *ret)
{
    size_t resumed = 0;
    size_t suspended = 0;
    TRY(resume(tx, &resumed));
    TRY(suspend(tx, &suspended));
    *ret = resumed == DUNNING_AT_ONCE || suspended == DUNNING_AT_ONCE;
    return RC_OK;
}
