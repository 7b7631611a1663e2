#include "settle/floor.h"

#include "money/amount.h"
#include "settle/rule_step.h"

enum { FLOOR_AGREEMENTS = 1000, FLOORS_AT_ONCE = 200 };

struct raising {
    struct tx *tx;
    struct ledger *ledger;
    int64_t close_no;
    size_t made;
};

static enum share_origin origin_of(const struct agreement *a)
{
    if (a->kind == AGREEMENT_REFERRAL)
        return SHARE_OF_REFERRAL;
    return a->kind == AGREEMENT_REVSHARE ? SHARE_OF_REVSHARE : SHARE_OF_FEE;
}

/* What one rule brought in the close, by its newest terms there. */
struct brought {
    int64_t rule;
    int64_t terms;
    int64_t amount;
};

static enum rc raise_rule(struct raising *r, const struct agreement *a, const struct brought *b)
{
    struct terms terms;
    struct waterfall_step step;
    const struct currency *currency = NULL;
    struct tx *tx = r->tx;
    TRY(agreement_terms(tx, a->id, b->terms, &terms));
    TRY(currency_parse(terms.currency, &currency, tx->err));
    if (b->rule >= (int64_t)terms.rules.count)
        return RC_OK;
    const struct rule *rule = &((const struct rule *)terms.rules.items)[b->rule];
    TRY(rule_step(rule, currency, &step, tx->err));
    if (step.floor == 0 || b->amount >= step.floor)
        return RC_OK;
    struct share share = {
        .agreement = a->id,
        .terms = terms.number,
        .rule = b->rule,
        .origin = origin_of(a),
        .payer = a->from,
        .payee = a->to,
        .close_no = r->close_no,
        .label = rule->label.n > 0 ? rule->label : STR("Commission"),
        .note = arena_fmt(tx->arena, "no less than %.*s in a period",
                          STRF(amount_str(step.floor, currency, tx->arena))),
        .currency = currency,
        .amount = step.floor - b->amount,
        .earn = EARN_ON_INVOICE,
        .maturity_days = terms.maturity_days,
    };
    r->made++;
    return share_accrue(tx, r->ledger, &share, 1, 0, 0);
}

static enum rc raise_agreement(struct raising *r, struct str id)
{
    struct rows rows;
    struct agreement a;
    TRY(agreement_get(r->tx, id, &a));
    TRY(sql_rows(r->tx, &rows,
                 "SELECT u.rule, MAX(u.terms), CAST(SUM(u.amount) AS BIGINT) FROM (SELECT rule, "
                 "terms, amount FROM share WHERE agreement = $1 AND close_no = $2 AND kind IN ($3, "
                 "$4, $5) UNION ALL SELECT rule, terms, amount FROM fee_kept WHERE agreement = $1 "
                 "AND close_no = $2) u GROUP BY u.rule HAVING SUM(u.amount) > 0 ORDER BY u.rule "
                 "LIMIT $6",
                 V(id), V(r->close_no), V(share_origins[SHARE_OF_REFERRAL]),
                 V(share_origins[SHARE_OF_REVSHARE]), V(share_origins[SHARE_OF_FEE]),
                 V((int64_t)AGREEMENT_RULES_MAX)));
    for (size_t i = 0; i < rows.count; i++)
        TRY(raise_rule(
            r, &a,
            &(struct brought){row_int(&rows, i, 0), row_int(&rows, i, 1), row_int(&rows, i, 2)}));
    return RC_OK;
}

/* All that have a floor, in the order of their ids: what was raised is not below it any more. */
enum rc floor_close(struct tx *tx, struct ledger *l, int64_t close_no, bool *ret_done)
{
    struct list list = {.count = FLOOR_AGREEMENTS};
    struct str last = STR("");
    struct raising r = {.tx = tx, .ledger = l, .close_no = close_no};
    while (list.count == FLOOR_AGREEMENTS && r.made < FLOORS_AT_ONCE) {
        TRY(agreement_with_floor(tx, last, FLOOR_AGREEMENTS, &list));
        const struct str *ids = list.items;
        for (size_t i = 0; i < list.count && r.made < FLOORS_AT_ONCE; i++)
            TRY(raise_agreement(&r, last = ids[i]));
    }
    *ret_done = r.made < FLOORS_AT_ONCE;
    return RC_OK;
}
