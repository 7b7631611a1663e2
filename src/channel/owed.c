#include "channel/owed.h"

#define COLUMNS "reference, agreement, terms, label, note, currency, amount, at, close_no, taken"

static struct owed read_row(const struct rows *r, size_t row)
{
    return (struct owed){
        .reference = row_str(r, row, 0),
        .agreement = row_str(r, row, 1),
        .terms = row_int(r, row, 2),
        .label = row_str(r, row, 3),
        .note = row_str(r, row, 4),
        .currency = currency_find(row_str(r, row, 5)),
        .amount = row_int(r, row, 6),
        .at = row_int(r, row, 7),
        .close_no = row_int(r, row, 8),
        .taken = row_int(r, row, 9),
    };
}

static bool in_force(const struct tx *tx, const struct agreement *a)
{
    return a->state == AGREEMENT_ACTIVE &&
           (a->kind == AGREEMENT_COST || a->kind == AGREEMENT_FEE) &&
           a->terms.valid_from <= tx->now;
}

enum rc owed_agreement(struct tx *tx, struct str id, struct str from, struct str to,
                       struct agreement *ret)
{
    struct agreement a;
    enum rc rc = agreement_get(tx, id, &a);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    if (rc == RC_NOT_FOUND || !str_eq(a.from, from) || !str_eq(a.to, to))
        return err_set(tx->err, RC_INVALID,
                       "'%.*s' is no agreement between who pays and who is paid", STRF(id));
    if (!in_force(tx, &a))
        return err_set(tx->err, RC_INVALID, "'%.*s' is no cost or fee agreement that is in force",
                       STRF(id));
    *ret = a;
    return RC_OK;
}

enum rc owed_put(struct tx *tx, const struct owed *fresh)
{
    struct terms terms;
    struct rows rows;
    ASSERT(fresh->amount > 0);
    ASSERT(fresh->note.n <= OWED_NOTE_MAX);
    TRY(agreement_terms(tx, fresh->agreement, fresh->terms, &terms));
    TRY(sql_rows(tx, &rows, "SELECT reference FROM owed WHERE reference = $1",
                 V(fresh->reference)));
    if (rows.count > 0)
        return err_set(tx->err, RC_CONFLICT, "'%.*s' is owed for already", STRF(fresh->reference));
    return sql_run(tx,
                   "INSERT INTO owed (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, "
                   "NULL)",
                   V(fresh->reference), V(fresh->agreement), V(fresh->terms), V(fresh->label),
                   V(fresh->note), V(terms.currency), V(fresh->amount), V(tx->now));
}

enum rc owed_get(struct tx *tx, struct str reference, struct owed *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM owed WHERE reference = $1", V(reference)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "nothing is owed for '%.*s'", STRF(reference));
    *ret = read_row(&rows, 0);
    return RC_OK;
}

enum rc owed_withdraw(struct tx *tx, struct str reference)
{
    struct owed o;
    TRY(owed_get(tx, reference, &o));
    if (o.close_no != 0)
        return err_set(tx->err, RC_CONFLICT, "a close has taken it over: it is paid");
    return sql_run(tx, "DELETE FROM owed WHERE reference = $1", V(reference));
}

enum rc owed_waiting(struct tx *tx, time_us before, size_t limit, struct owed **ret,
                     size_t *ret_count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM owed WHERE close_no IS NULL AND at < $1 "
                 "ORDER BY at, reference LIMIT $2",
                 V(before), V((int64_t)limit)));
    struct owed *items = NEW_N(tx->arena, struct owed, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_row(&rows, i);
    *ret = items;
    *ret_count = rows.count;
    return RC_OK;
}

enum rc owed_take(struct tx *tx, struct str reference, int64_t close_no)
{
    return sql_run(tx,
                   "UPDATE owed SET close_no = $2, taken = $3 "
                   "WHERE reference = $1 AND close_no IS NULL",
                   V(reference), V(close_no), V(tx->now));
}
