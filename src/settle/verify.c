#include "settle/verify.h"

#include "settle/clearing.h"
#include "settle/financing.h"

struct verifying {
    struct ledger *ledger;
    struct str party; /* of the payments in hand */
};

static enum rc check_accrued(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct verifying *v = arg;
    account_id account = 0;
    struct balance b = {0};
    ASSERT(columns == 4);
    struct str payer = cells[0].text;
    struct str payee = cells[1].text;
    struct str code = arena_fmt(tx->arena, "Commission:%.*s", STRF(payee));
    enum rc rc = ledger_find(tx, v->ledger, payer, cells[2].text, code, &account);
    if (rc == RC_OK)
        rc = ledger_balance(tx, v->ledger, account, &b);
    if (rc == RC_NOT_FOUND) {
        err_clear(tx->err);
        rc = RC_OK;
    }
    TRY(rc);
    if (b.credits - b.debits != cells[3].number)
        return err_set(tx->err, RC_INVALID,
                       "'%.*s' has accrued %lld minor units for '%.*s' and not settled them, its "
                       "book says %lld",
                       STRF(payer), (long long)cells[3].number, STRF(payee),
                       (long long)(b.credits - b.debits));
    return RC_OK;
}

/* Each row is something that is not so: cells are what it is, and a number. */
static enum rc refuse(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    ASSERT(columns == 1);
    return err_set(tx->err, RC_INVALID, "%s (number %lld)", (const char *)arg,
                   (long long)cells[0].number);
}

static enum rc none(struct tx *tx, const char *sql, const char *text)
{
    return sql_each(tx, refuse, (void *)(uintptr_t)text, sql);
}

static enum rc count(struct tx *tx, const char *sql, int64_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, sql));
    *ret = row_int(&rows, 0, 0);
    return RC_OK;
}

enum rc settle_verify(struct tx *tx, struct ledger *l, struct settle_report *ret)
{
    struct verifying v = {.ledger = l};
    TRY(sql_each(tx, check_accrued, &v,
                 "SELECT payer, payee, currency, CAST(SUM(amount - voided - settled) AS BIGINT) "
                 "FROM share WHERE booked = 0 AND SUBSTR(label, 1, 8) <> 'Reserve:' "
                 "GROUP BY payer, payee, currency ORDER BY payer, payee, currency"));
    TRY(none(tx,
             "SELECT s.no FROM share s WHERE (s.amount - s.voided >= 0 "
             "AND s.earned > s.amount - s.voided) OR (s.amount - s.voided < 0 "
             "AND s.earned < s.amount - s.voided) ORDER BY s.no LIMIT 1",
             "a share is earned above its worth"));
    TRY(none(tx,
             "SELECT s.no FROM share s WHERE SUBSTR(s.label, 1, 8) <> 'Reserve:' AND s.settled <> "
             "COALESCE((SELECT SUM(t.amount) FROM statement_share t WHERE t.share = s.no), 0) "
             "ORDER BY s.no LIMIT 1",
             "a share is settled for something else than its statements say"));
    TRY(none(tx,
             "SELECT s.no FROM share s JOIN document d ON d.no = s.document WHERE s.lost <> 0 "
             "AND COALESCE(d.written_off, 0) = 0 ORDER BY s.no LIMIT 1",
             "a share has lost something of an invoice that was not written off"));
    TRY(none(tx,
             "SELECT p.no FROM payment p WHERE p.matched <> "
             "COALESCE((SELECT SUM(q.amount) FROM payment_part q WHERE q.payment = p.no), 0) "
             "ORDER BY p.no LIMIT 1",
             "a payment matched something else than its parts"));
    TRY(none(tx,
             "SELECT d.no FROM document d JOIN (SELECT u.no, SUM(u.amount) AS paid FROM "
             "(SELECT q.document AS no, q.amount AS amount FROM payment_part q "
             "JOIN payment p ON p.no = q.payment WHERE p.state <> 'returned' "
             "UNION ALL SELECT c.document, c.amount FROM clearing_part c "
             "UNION ALL SELECT e.no, 0 FROM document e WHERE e.paid <> 0) u GROUP BY u.no) t "
             "ON t.no = d.no WHERE d.paid <> t.paid ORDER BY d.no LIMIT 1",
             "a document is paid for something else than its payments say"));
    TRY(clearing_verify(tx, l));
    TRY(financing_verify(tx, l));
    TRY(count(tx, "SELECT COUNT(*) FROM share", &ret->shares));
    return count(tx, "SELECT COUNT(*) FROM payment", &ret->payments);
}
