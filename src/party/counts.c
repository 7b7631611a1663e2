#include "party/party.h"

enum rc party_counts(struct tx *tx, int64_t *ret_parties, int64_t *ret_users)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT (SELECT COUNT(*) FROM party), (SELECT COUNT(*) FROM users)"));
    *ret_parties = row_int(&rows, 0, 0);
    *ret_users = row_int(&rows, 0, 1);
    return RC_OK;
}
