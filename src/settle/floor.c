#include "settle/floor.h"

#include "money/amount.h"
#include "settle/rule_step.h"

enum { FLOOR_AGREEMENTS = 1000, FLOORS_AT_ONCE = 200 };

/* As it is called where it cannot be raised. */
#define FLOOR_PASSED "floor of agreement "
#define FLOOR_CLOSE  " in close "

struct raising {
    struct tx *tx;
    struct ledger *ledger;
    int64_t close_no;
    const struct close_pass *pass;
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
    struct str name = arena_fmt(r->tx->arena, FLOOR_PASSED "%.*s" FLOOR_CLOSE "%lld", STRF(id),
                                (long long)r->close_no);
    if (close_passed(r->pass, name))
        return RC_OK;
    close_hand(r->pass, name);
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

/* What closes before passed by, each for the close that it is of. */
static enum rc raise_again(const struct raising *now)
{
    struct str *names = NULL;
    size_t count = 0;
    TRY(close_stuck_before(now->tx, now->close_no, FLOOR_PASSED, &names, &count));
    for (size_t i = 0; i < count; i++) {
        struct raising r = *now;
        struct str id = str_sub(names[i], STR(FLOOR_PASSED).n, names[i].n);
        size_t at = str_find(id, ' ', 0);
        size_t number = at + STR(FLOOR_CLOSE).n;
        if (number < id.n && str_to_i64(str_sub(id, number, id.n), 1, INT64_MAX, &r.close_no))
            TRY(raise_agreement(&r, str_sub(id, 0, at)));
    }
    return RC_OK;
}

/* All that have a floor, in the order of their ids: what was raised is not below it any more. */
enum rc floor_close(struct tx *tx, struct ledger *l, int64_t close_no,
                    const struct close_pass *pass, bool *ret_done)
{
    struct list list = {.count = FLOOR_AGREEMENTS};
    struct str last = STR("");
    struct raising r = {.tx = tx, .ledger = l, .close_no = close_no, .pass = pass};
    TRY(raise_again(&r));
    while (list.count == FLOOR_AGREEMENTS && r.made < FLOORS_AT_ONCE) {
        TRY(agreement_with_floor(tx, last, FLOOR_AGREEMENTS, &list));
        const struct str *ids = list.items;
        for (size_t i = 0; i < list.count && r.made < FLOORS_AT_ONCE; i++)
            TRY(raise_agreement(&r, last = ids[i]));
    }
    close_hand(pass, STR(""));
    *ret_done = r.made < FLOORS_AT_ONCE;
    return RC_OK;
}
