#include "settle/verify.h"

#include "settle/clearing.h"
#include "settle/financing.h"
#include "settle/fund.h"
#include "settle/share.h"

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

/* --- the invariants of specs/billing.md 3.10 that rows of the store can break --- */

/* COLLECT: what the neutral book owes the tiers of an invoice is its net, less what credit notes
 * took of it. */
static enum rc check_margins(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    (void)arg;
    ASSERT(columns == 3);
    return err_set(tx->err, RC_INVALID,
                   "invariant 'margins': document %.*s comes to %lld minor units, and its tiers "
                   "have %lld of it",
                   STRF(cells[0].text), (long long)cells[1].number, (long long)cells[2].number);
}

static enum rc verify_margins(struct tx *tx)
{
    return sql_each(
        tx, check_margins, NULL,
        "SELECT m.id, m.net, m.shared FROM (SELECT d.no AS no, d.id AS id, "
        "CAST(CASE WHEN d.code = 381 THEN -d.net ELSE d.net END - COALESCE((SELECT SUM(c.net) "
        "FROM document c WHERE c.refers_to = d.no AND c.code = 381 AND c.state >= 2), 0) "
        "AS BIGINT) AS net, CAST(SUM(s.amount - s.voided) AS BIGINT) AS shared "
        "FROM share s JOIN document d ON d.no = s.document WHERE s.kind = $1 AND s.payer = $2 "
        "GROUP BY d.no, d.id, d.code, d.net) m WHERE m.net <> m.shared ORDER BY m.no LIMIT 1",
        V(share_origins[SHARE_OF_MARGIN]), V(POSTING_CLEARING));
}

/* Whether the shares are of one amount: all were agreed for the whole time, and one of them takes
 * the residual; then that one's base. */
static enum rc shared_whole(struct tx *tx, int64_t document, struct str payer, bool *ret_one,
                            int64_t *ret)
{
    struct rows rows;
    struct document_row d;
    size_t residuals = 0;
    bool whole = true;
    TRY(document_row_get(tx, document, &d));
    TRY(sql_rows(
        tx, &rows,
        "SELECT agreement, terms, rule, base FROM share WHERE document = $1 AND payer = $2 "
        "AND kind = $3 ORDER BY no",
        V(document), V(payer), V(share_origins[SHARE_OF_COST])));
    for (size_t i = 0; i < rows.count; i++) {
        struct agreement a;
        struct terms terms;
        size_t rule = (size_t)row_int(&rows, i, 2);
        TRY(agreement_get(tx, row_str(&rows, i, 0), &a));
        TRY(agreement_terms(tx, a.id, row_int(&rows, i, 1), &terms));
        const struct rule *rules = terms.rules.items;
        whole = whole && a.terms.number == terms.number && terms.valid_from <= d.period_begin &&
                (a.ended == 0 || a.ended >= d.period_end) && rule < terms.rules.count;
        if (!whole || rules[rule].kind != RULE_RESIDUAL)
            continue;
        residuals++;
        *ret = row_int(&rows, i, 3);
    }
    *ret_one = whole && residuals == 1;
    return RC_OK;
}

static enum rc check_waterfall(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    bool one = false;
    int64_t whole = 0;
    (void)arg;
    ASSERT(columns == 4);
    struct str payer = arena_str(tx->arena, cells[1].text);
    TRY(shared_whole(tx, cells[0].number, payer, &one, &whole));
    if (!one || whole == cells[3].number)
        return RC_OK;
    return err_set(
        tx->err, RC_INVALID,
        "invariant 'waterfall': of document number %lld, '%.*s' shares %lld minor units, "
        "and the shares come to %lld",
        (long long)cells[0].number, STRF(payer), (long long)whole, (long long)cells[3].number);
}

/* What a producer owes its inputs of one subscription in one invoice, where one of them takes what
 * the others leave, is what it has of it: the base of that one. Of several subscriptions or items
 * the shares are added up, and what each was of is not known any more. */
static enum rc verify_waterfalls(struct tx *tx)
{
    struct party operator_party;
    TRY(party_operator(tx, &operator_party));
    return sql_each(
        tx, check_waterfall, NULL,
        "SELECT g.document, g.payer, g.whole, g.given FROM (SELECT s.document, s.payer, "
        "MAX(CASE WHEN t.residual = 1 AND s.base <> s.amount THEN s.base END) AS whole, "
        "CAST(SUM(s.amount) AS BIGINT) AS given FROM share s JOIN agreement_terms t "
        "ON t.agreement = s.agreement AND t.number = s.terms WHERE s.kind = $1 AND s.payer <> $2 "
        "AND s.document > 0 GROUP BY s.document, s.payer HAVING MAX(t.residual) = 1 "
        "AND MIN(COALESCE(s.subscription, '')) > '' AND MIN(s.subscription) = MAX(s.subscription) "
        "AND MIN(COALESCE(s.item, '')) > '' AND MIN(s.item) = MAX(s.item)) g "
        "WHERE g.whole <> g.given ORDER BY g.document, g.payer",
        V(share_origins[SHARE_OF_COST]), V(operator_party.id));
}

/* Where all that a share comes from was credited, nothing is left of it, but for what was earned
 * before the clawback of its agreement ended. (What the tiers have adds up to nothing together:
 * verify_margins. A line that costs the client nothing may be left of an invoice that is credited
 * wholly, and with it what one tier bears for another, or a host for marketing.) */
static enum rc verify_credited(struct tx *tx)
{
    return none(tx,
                "SELECT s.no FROM share s WHERE s.weight <> 0 AND s.weight_credited = s.weight "
                "AND s.amount <> s.voided AND s.booked = 0 AND NOT EXISTS (SELECT 1 FROM "
                "agreement_terms t WHERE t.agreement = s.agreement AND t.number = s.terms AND "
                "t.clawback_days > 0) ORDER BY s.no LIMIT 1",
                "invariant 'credit': a share is left of what was credited wholly");
}

static enum rc verify_rows(struct tx *tx)
{
    TRY(verify_margins(tx));
    TRY(verify_waterfalls(tx));
    return verify_credited(tx);
}

enum rc settle_verify(struct tx *tx, struct ledger *l, struct settle_report *ret)
{
    struct verifying v = {.ledger = l};
    TRY(verify_rows(tx));
    TRY(posting_verify(tx, l));
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
             "SELECT p.no FROM payout p JOIN (SELECT payout, SUM(payable) AS owed FROM statement "
             "WHERE payout IS NOT NULL GROUP BY payout) t ON t.payout = p.no "
             "WHERE p.amount <> t.owed ORDER BY p.no LIMIT 1",
             "a payout is something else than its statements say"));
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
             "UNION ALL SELECT m.given, m.amount FROM moved m "
             "UNION ALL SELECT m.taken, m.amount FROM moved m "
             "UNION ALL SELECT e.no, 0 FROM document e WHERE e.paid <> 0) u GROUP BY u.no) t "
             "ON t.no = d.no WHERE d.paid <> t.paid ORDER BY d.no LIMIT 1",
             "a document is paid for something else than its payments say"));
    TRY(clearing_verify(tx, l));
    TRY(fund_verify(tx, l));
    TRY(financing_verify(tx, l));
    TRY(clearing_waiting(tx, &ret->waiting));
    TRY(count(tx, "SELECT COUNT(*) FROM share", &ret->shares));
    return count(tx, "SELECT COUNT(*) FROM payment", &ret->payments);
}
