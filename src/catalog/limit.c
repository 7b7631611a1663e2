#include "catalog/subscription.h"

enum { LIMITS_MAX = 10000, AGREEMENTS_MAX = 20000 };

/* --- what is used --- */

/* Units of an item that run now under each agreement (the last edges). */
static enum rc used_by_agreement(struct tx *tx, struct str item, struct rows *ret)
{
    return sql_rows(tx, ret,
                    "SELECT t.agreement, t.quantity FROM subscription s "
                    "JOIN subscription_term t ON t.subscription = s.id AND t.since = "
                    "(SELECT MAX(u.since) FROM subscription_term u WHERE u.subscription = s.id "
                    "AND (u.since <= $2 OR u.since = s.start)) "
                    "JOIN plan p ON p.id = t.plan AND p.item = $1 "
                    "WHERE s.ends > $2 ORDER BY t.agreement, s.id",
                    V(item), V(tx->now));
}

static bool passes(const struct supply_path *path, struct str edge)
{
    for (size_t i = 0; i < path->count; i++)
        if (str_eq(path->edges[i].agreement, edge))
            return true;
    return false;
}

/* Units that run through an edge: of all agreements whose path has it. */
static enum rc used_through(struct tx *tx, struct str edge, struct str item, struct quantity *ret)
{
    struct rows rows;
    struct quantity sum = {0};
    bool through = false;
    struct str last = STR("");
    struct supply_path *path = NEW(tx->arena, struct supply_path);
    TRY(used_by_agreement(tx, item, &rows));
    for (size_t i = 0; i < rows.count; i++) {
        struct quantity q;
        struct str agreement = row_str(&rows, i, 0);
        if (!str_eq(agreement, last)) {
            enum rc rc = supply_path_at(tx, agreement, tx->now, path);
            if (rc != RC_OK && rc != RC_NOT_FOUND)
                return rc;
            through = rc == RC_OK && passes(path, edge);
            err_clear(tx->err);
            last = agreement;
        }
        if (!through)
            continue;
        TRY(quantity_parse(row_str(&rows, i, 1), &q, tx->err));
        TRY(quantity_add(sum, q, &sum, tx->err));
    }
    *ret = sum;
    return RC_OK;
}

/* --- the limits --- */

static struct str quantity_text(struct quantity q, struct arena *arena)
{
    char text[QUANTITY_TEXT_MAX];
    size_t n = quantity_format(q, text);
    return arena_str(arena, str_n(text, n));
}

enum rc path_limit_list(struct tx *tx, struct str agreement, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT item, units, changed FROM path_limit WHERE agreement = $1 "
                 "ORDER BY item LIMIT $2",
                 V(agreement), V((int64_t)LIMITS_MAX)));
    struct path_limit *list = NEW_N(tx->arena, struct path_limit, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        struct quantity used;
        TRY(used_through(tx, agreement, row_str(&rows, i, 0), &used));
        list[i] = (struct path_limit){
            .set = schema_all(&path_limit_schema),
            .agreement = agreement,
            .item = row_str(&rows, i, 0),
            .units = row_str(&rows, i, 1),
            .used = quantity_text(used, tx->arena),
            .changed = row_int(&rows, i, 2),
        };
    }
    *ret = (struct list){list, rows.count};
    return RC_OK;
}

enum rc path_limit_set(struct tx *tx, struct str agreement, const struct path_limit *wanted,
                       struct path_limit *ret)
{
    struct item item;
    struct quantity units = {0};
    struct quantity used;
    enum rc rc = item_find(tx, wanted->item, &item);
    if (rc == RC_NOT_FOUND)
        return err_set_at(tx->err, RC_INVALID, STR("/item"), "there is no item '%.*s'",
                          STRF(wanted->item));
    TRY(rc);
    TRY(sql_run(tx, "DELETE FROM path_limit WHERE agreement = $1 AND item = $2", V(agreement),
                V(item.code)));
    if (wanted->units.n > 0) {
        rc = quantity_parse(wanted->units, &units, tx->err);
        if (rc != RC_OK || units.mantissa < 0)
            return err_set_at(tx->err, RC_INVALID, STR("/units"), "a limit is not below 0");
        TRY(sql_run(tx,
                    "INSERT INTO path_limit (agreement, item, units, changed) "
                    "VALUES ($1, $2, $3, $4)",
                    V(agreement), V(item.code), V(wanted->units), V(tx->now)));
    }
    TRY(used_through(tx, agreement, item.code, &used));
    *ret = (struct path_limit){.set = schema_all(&path_limit_schema),
                               .agreement = agreement,
                               .item = item.code,
                               .units = wanted->units,
                               .used = quantity_text(used, tx->arena),
                               .changed = tx->now};
    return RC_OK;
}

enum rc path_limit_check(struct tx *tx, const struct supply_path *path, struct str item,
                         struct quantity more)
{
    for (size_t i = 0; i < path->count && more.mantissa > 0; i++) {
        struct rows rows;
        struct quantity limit;
        struct quantity sum;
        TRY(sql_rows(tx, &rows, "SELECT units FROM path_limit WHERE agreement = $1 AND item = $2",
                     V(path->edges[i].agreement), V(item)));
        if (rows.count == 0)
            continue;
        TRY(quantity_parse(row_str(&rows, 0, 0), &limit, tx->err));
        TRY(used_through(tx, path->edges[i].agreement, item, &sum));
        TRY(quantity_add(sum, more, &sum, tx->err));
        /* Where the limit is somebody's further up, it is not told whose and how much. */
        bool own = i + 1 == path->count;
        if (quantity_compare(sum, limit) > 0 && own)
            return err_set_at(tx->err, RC_CONFLICT, STR("/quantity"),
                              "the agreement allows %.*s of '%.*s' at once",
                              STRF(row_str(&rows, 0, 0)), STRF(item));
        if (quantity_compare(sum, limit) > 0)
            return err_set_at(tx->err, RC_CONFLICT, STR("/quantity"),
                              "the seller cannot provide so many of '%.*s' now", STRF(item));
    }
    return RC_OK;
}
