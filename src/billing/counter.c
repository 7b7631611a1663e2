#include "billing/counter.h"

#include "billing/posting.h"

enum rc counter_raise(struct tx *tx, struct str name, int64_t count, int64_t *ret_first)
{
    struct rows rows;
    ASSERT(count > 0);
    TRY(sql_run(tx,
                "INSERT INTO billing_counter (name, last) VALUES ($1, $2) ON CONFLICT (name) DO "
                "UPDATE SET last = billing_counter.last + $2",
                V(name), V(count)));
    TRY(sql_rows(tx, &rows, "SELECT last FROM billing_counter WHERE name = $1", V(name)));
    *ret_first = row_int(&rows, 0, 0) - count + 1;
    return RC_OK;
}

enum rc posting_number(struct tx *tx, uint64_t *ret)
{
    int64_t first = 0;
    TRY(counter_raise(tx, STR("event"), 1, &first));
    *ret = (uint64_t)first;
    return RC_OK;
}
