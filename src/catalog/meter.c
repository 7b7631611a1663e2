#include "catalog/code.h"
#include "catalog/item.h"

#define COLUMNS "m.number, m.id, m.owner, m.code, m.kind, m.unit, m.scale, m.created"

bool meter_is_level(enum meter_kind kind)
{
    return kind == METER_MAX || kind == METER_LAST || kind == METER_UNIQUE || kind == METER_P95;
}

static struct meter read_row(const struct rows *r, size_t row)
{
    return (struct meter){
        .set = schema_all(&meter_schema),
        .number = row_int(r, row, 0),
        .id = row_str(r, row, 1),
        .owner = row_str(r, row, 2),
        .code = row_str(r, row, 3),
        .kind = code_word(meter_kinds, row_str(r, row, 4)),
        .unit = row_str(r, row, 5),
        .scale = row_int(r, row, 6),
        .created = row_int(r, row, 7),
    };
}

enum rc meter_get(struct tx *tx, struct str id, struct meter *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM meter m WHERE m.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no meter '%.*s'", STRF(id));
    *ret = read_row(&rows, 0);
    return RC_OK;
}

enum rc meter_find(struct tx *tx, struct str code, struct meter *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM meter m WHERE m.code = $1", V(code)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no meter '%.*s'", STRF(code));
    *ret = read_row(&rows, 0);
    return RC_OK;
}

enum rc meter_list(struct tx *tx, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM meter m ORDER BY m.number LIMIT $1",
                 V((int64_t)METERS_MAX)));
    struct meter *meters = NEW_N(tx->arena, struct meter, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        meters[i] = read_row(&rows, i);
    *ret = (struct list){meters, rows.count};
    return RC_OK;
}

enum rc meter_create(struct tx *tx, struct str owner, const struct meter *fresh, struct meter *ret)
{
    struct rows rows;
    struct meter m = *fresh;
    TRY(code_check(m.code, "/code", tx->err));
    TRY(sql_rows(tx, &rows,
                 "SELECT COALESCE(MAX(number), 0), "
                 "COALESCE(SUM(CASE WHEN code = $1 THEN 1 ELSE 0 END), 0) FROM meter",
                 V(m.code)));
    if (row_int(&rows, 0, 1) > 0)
        return err_set_at(tx->err, RC_CONFLICT, STR("/code"), "there is a meter '%.*s' already",
                          STRF(m.code));
    m.number = row_int(&rows, 0, 0) + 1;
    if (m.number > METERS_MAX)
        return err_set(tx->err, RC_CONFLICT, "there are %d meters: no more are possible",
                       METERS_MAX);
    m.id = id_new(tx->ids, tx->arena, "mtr");
    m.owner = owner;
    m.created = tx->now;
    m.set = schema_all(&meter_schema);
    TRY(sql_run(tx,
                "INSERT INTO meter (number, id, owner, code, kind, unit, scale, created) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                V(m.number), V(m.id), V(owner), V(m.code), V(meter_kinds[m.kind]), V(m.unit),
                V(m.scale), V(m.created)));
    *ret = m;
    return RC_OK;
}
