/* In which instants the closed month begins and ends: in each time zone in which subscriptions are
 * billed, as their windows end at its midnights. */
#include "billing/close_inside.h"
#include "money/zone.h"

enum { COLUMNS = 6 };

/* The operator's zone is the first one. */
enum rc close_bounds_list(struct tx *tx, const struct close_row *row, struct close_bounds **ret,
                          size_t *ret_count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT zone, since, begin_at, end_at FROM close_zone WHERE close_no = $1 "
                 "ORDER BY seq LIMIT $2",
                 V(row->no), V((int64_t)SUBSCRIPTION_ZONES_MAX + 1)));
    struct close_bounds *list = NEW_N(tx->arena, struct close_bounds, rows.count + 1);
    /* A close that began before there were zones has none: its own bounds are everybody's. */
    list[0] = (struct close_bounds){STR(""), row->since, row->begin, row->end};
    for (size_t i = 0; i < rows.count; i++)
        list[i] = (struct close_bounds){row_str(&rows, i, 0), row_int(&rows, i, 1),
                                        row_int(&rows, i, 2), row_int(&rows, i, 3)};
    *ret = list;
    *ret_count = max_size(rows.count, 1);
    return RC_OK;
}

enum rc close_period(struct tx *tx, struct str zone_name, struct str label, struct period *ret)
{
    const struct zone *zone = NULL;
    TRY(zone_load(zone_name, tx->arena, &zone, tx->err));
    struct calendar months = calendar_natural(zone, PERIOD_MONTH);
    enum rc rc = period_parse(&months, label, ret, tx->err);
    if (rc == RC_INVALID)
        err_at(tx->err, STR("/period"));
    return rc;
}

/* Whether the close before this one had bounds by zone: what it billed ends with them. */
static enum rc before_by_zone(struct tx *tx, const struct close_row *row, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT z.seq FROM close c JOIN close_zone z ON z.close_no = c.no AND z.seq = 0 "
                 "WHERE c.dry = 0 AND c.end_at = $1 ORDER BY c.no LIMIT 1",
                 V(row->since)));
    *ret = rows.count > 0;
    return RC_OK;
}

/* The bounds of one zone. RC_CONFLICT: the month goes on there. */
static enum rc bounds_in(struct tx *tx, const struct close_row *row, bool by_zone, struct str zone,
                         struct close_bounds *ret)
{
    struct period p;
    TRY(close_period(tx, zone, row->period, &p));
    if (p.end > tx->now)
        return err_set(tx->err, RC_CONFLICT, "%.*s has not ended in %.*s", STRF(row->period),
                       STRF(zone));
    *ret = (struct close_bounds){zone, by_zone ? p.begin : row->since, p.begin, p.end};
    return RC_OK;
}

enum rc close_bounds_make(struct tx *tx, const struct close_row *row, struct str operator_zone,
                          struct close_bounds **ret, size_t *ret_count)
{
    struct str *zones = NULL;
    size_t count = 0;
    size_t made = 1;
    bool by_zone = false;
    TRY(subscription_zones(tx, &zones, &count));
    TRY(before_by_zone(tx, row, &by_zone));
    struct close_bounds *list = NEW_N(tx->arena, struct close_bounds, count + 1);
    TRY(bounds_in(tx, row, by_zone, operator_zone, &list[0]));
    for (size_t i = 0; i < count; i++)
        if (!str_eq(zones[i], operator_zone))
            TRY(bounds_in(tx, row, by_zone, zones[i], &list[made++]));
    *ret = list;
    *ret_count = made;
    return RC_OK;
}

enum rc close_bounds_insert(struct tx *tx, const struct close_row *row,
                            const struct close_bounds *list, size_t count)
{
    struct value *v = NEW_N(tx->arena, struct value, count * COLUMNS);
    for (size_t i = 0; i < count; i++) {
        const struct close_bounds *b = &list[i];
        const struct value cells[COLUMNS] = {V(row->no),  V((int64_t)i), V(b->zone),
                                             V(b->since), V(b->begin),   V(b->end)};
        memcpy(v + i * COLUMNS, cells, sizeof cells);
    }
    return sql_insert(tx,
                      "INSERT INTO close_zone (close_no, seq, zone, since, begin_at, end_at) "
                      "VALUES ($1, $2, $3, $4, $5, $6)",
                      v, COLUMNS, count);
}
