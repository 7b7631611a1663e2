#include "fleet/work_kind.h"

#include "catalog/code.h"

#define COLUMNS "code, title, promise, created"

static struct work_kind read_row(const struct rows *r, size_t row)
{
    return (struct work_kind){
        .set = schema_all(&work_kind_schema),
        .code = row_str(r, row, 0),
        .title = row_str(r, row, 1),
        .promise = row_str(r, row, 2),
        .created = row_int(r, row, 3),
    };
}

static enum rc insert(struct tx *tx, const struct work_kind *k)
{
    return sql_run(tx,
                   "INSERT INTO work_kind (" COLUMNS ") VALUES ($1, $2, $3, $4) "
                   "ON CONFLICT (code) DO NOTHING",
                   V(k->code), V(k->title), V(k->promise), V(tx->now));
}

enum rc work_kind_seed(struct tx *tx)
{
    static const struct work_kind shipped[] = {
        {.code = STR_INIT("setup"), .title = STR_INIT("Set a server up")},
        {.code = STR_INIT("fan-noise"),
         .title = STR_INIT("Fan noise, or a server that grows hot"),
         .promise = STR_INIT("temperature")},
        {.code = STR_INIT("replace-ram"), .title = STR_INIT("Replace RAM")},
        {.code = STR_INIT("rma"), .title = STR_INIT("Send a part back to its maker")},
        {.code = STR_INIT("remote-hands"), .title = STR_INIT("Remote hands")},
    };
    for (size_t i = 0; i < COUNT(shipped); i++)
        TRY(insert(tx, &shipped[i]));
    return RC_OK;
}

enum rc work_kind_list(struct tx *tx, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM work_kind ORDER BY code LIMIT $1",
                 V((int64_t)WORK_KINDS_MAX)));
    struct work_kind *items = NEW_N(tx->arena, struct work_kind, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_row(&rows, i);
    *ret = (struct list){items, rows.count};
    return RC_OK;
}

enum rc work_kind_get(struct tx *tx, struct str code, struct work_kind *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM work_kind WHERE code = $1", V(code)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no kind of work '%.*s'", STRF(code));
    *ret = read_row(&rows, 0);
    return RC_OK;
}

enum rc work_kind_for(struct tx *tx, struct str promise, struct work_kind *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM work_kind WHERE promise = $1 ORDER BY code LIMIT 1",
                 V(promise)));
    *ret = rows.count > 0 ? read_row(&rows, 0) : (struct work_kind){.code = WORK_KIND_ANY};
    return RC_OK;
}

static enum rc check(struct tx *tx, const struct work_kind *k)
{
    struct list all;
    bool known = false;
    TRY(code_check(k->code, "/code", tx->err));
    TRY(work_kind_list(tx, &all));
    const struct work_kind *items = all.items;
    for (size_t i = 0; i < all.count; i++) {
        bool same = str_eq(items[i].code, k->code);
        known = known || same;
        if (!same && k->promise.n > 0 && str_eq(items[i].promise, k->promise))
            return err_set_at(tx->err, RC_INVALID, STR("/promise"),
                              "'%.*s' is opened for it already", STRF(items[i].code));
    }
    if (!known && all.count == WORK_KINDS_MAX)
        return err_set(tx->err, RC_CONFLICT, "there are %d kinds of work, which is the most",
                       WORK_KINDS_MAX);
    return RC_OK;
}

enum rc work_kind_put(struct tx *tx, const struct work_kind *fresh, struct work_kind *ret)
{
    TRY(check(tx, fresh));
    TRY(insert(tx, fresh));
    TRY(sql_run(tx, "UPDATE work_kind SET title = $2, promise = $3 WHERE code = $1", V(fresh->code),
                V(fresh->title), V(fresh->promise)));
    return work_kind_get(tx, fresh->code, ret);
}
