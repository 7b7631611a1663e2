#include "settle/fund.h"

#include "base/id.h"
#include "billing/posting.h"
#include "money/amount.h"

#define COLUMNS                                                                           \
    "f.no, f.id, f.party, f.debtor, f.currency, f.amount, f.recovered, f.state, f.note, " \
    "f.asked_by, f.released_by, f.created"

/* A row in numbers. */
struct lent {
    int64_t no;
    struct fund fund;
    const struct currency *currency;
    int64_t amount;
    int64_t recovered;
};

static int64_t state_of(struct str text)
{
    for (int64_t i = 0; fund_states[i] != NULL; i++)
        if (str_eq(text, str_c(fund_states[i])))
            return i;
    NEVER("a fund's state in the store that is none");
}

static struct lent read_row(struct tx *tx, const struct rows *r, size_t row)
{
    struct lent f = {.no = row_int(r, row, 0),
                     .currency = currency_find(row_str(r, row, 4)),
                     .amount = row_int(r, row, 5),
                     .recovered = row_int(r, row, 6)};
    f.fund = (struct fund){.set = schema_all(&fund_schema),
                           .id = row_str(r, row, 1),
                           .party = row_str(r, row, 2),
                           .debtor = row_str(r, row, 3),
                           .currency = row_str(r, row, 4),
                           .amount = amount_str(f.amount, f.currency, tx->arena),
                           .recovered = amount_str(f.recovered, f.currency, tx->arena),
                           .state = state_of(row_str(r, row, 7)),
                           .note = row_str(r, row, 8),
                           .asked_by = row_str(r, row, 9),
                           .released_by = row_str(r, row, 10),
                           .created = row_int(r, row, 11)};
    return f;
}

static enum rc find(struct tx *tx, struct str id, struct lent *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM clearing_fund f WHERE f.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no fund '%.*s'", STRF(id));
    *ret = read_row(tx, &rows, 0);
    return RC_OK;
}

enum rc fund_get(struct tx *tx, struct str id, struct fund *ret)
{
    struct lent f;
    TRY(find(tx, id, &f));
    *ret = f.fund;
    return RC_OK;
}

static const struct page_column sort_columns[] = {{"id", "f.id", PAGE_TEXT},
                                                  {"created", "f.created", PAGE_NUMBER}};
static const struct page_table fund_table = {
    .select = "SELECT " COLUMNS " FROM clearing_fund f",
    .id = "f.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc fund_list(struct tx *tx, struct str party, const struct page_query *q, struct page *ret)
{
    struct rows rows;
    struct str next;
    const struct page_term term = {"f.party = ?", V(party)};
    TRY(page_rows(tx, &fund_table, q, &term, 1, &rows, &next));
    struct fund *list = NEW_N(tx->arena, struct fund, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        list[i] = read_row(tx, &rows, i).fund;
    *ret = (struct page){{list, rows.count}, next};
    return RC_OK;
}

/* --- what is owed --- */

/* What of it was lent: out, or asked for as well. `but`: not counted. */
static enum rc lent_for(struct tx *tx, struct str debtor, const struct currency *currency,
                        bool asked, int64_t but, int64_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT CAST(COALESCE(SUM(amount - recovered), 0) AS BIGINT) FROM clearing_fund "
                 "WHERE debtor = $1 AND currency = $2 AND no <> $3 AND (state = $4 OR state = $5)",
                 V(debtor), V(currency->code), V(but), V(fund_states[FUND_OUT]),
                 V(fund_states[asked ? FUND_PENDING : FUND_OUT])));
    *ret = row_int(&rows, 0, 0);
    return RC_OK;
}

/* What a debtor owes and nobody has lent yet. */
static enum rc gap_of(struct tx *tx, struct ledger *l, struct str debtor,
                      const struct currency *currency, int64_t but, int64_t *ret)
{
    int64_t debt = 0;
    int64_t lent = 0;
    TRY(clearing_debt(tx, l, debtor, currency, &debt));
    TRY(lent_for(tx, debtor, currency, true, but, &lent));
    *ret = max_i64(debt - lent, 0);
    return RC_OK;
}

static enum rc too_much(struct tx *tx, const struct lent *f, int64_t gap)
{
    return err_set(tx->err, RC_CONFLICT,
                   "'%.*s' owes Clearing %.*s %s that nobody has lent it yet, and not %.*s",
                   STRF(f->fund.debtor), STRF(amount_str(gap, f->currency, tx->arena)),
                   f->currency->code, STRF(amount_str(f->amount, f->currency, tx->arena)));
}

/* --- asking --- */

static enum rc check(struct tx *tx, struct ledger *l, struct lent *f)
{
    int64_t gap = 0;
    struct party debtor;
    struct party operator_party;
    TRY(party_operator(tx, &operator_party));
    if (!str_eq(operator_party.id, f->fund.party))
        return err_set(tx->err, RC_FORBIDDEN,
                       "the operator alone, for whom Clearing collects, can lend it money");
    TRY(err_blame(party_get(tx, f->fund.debtor, &debtor), "/debtor", tx->err));
    TRY(err_blame(currency_parse(f->fund.currency, &f->currency, tx->err), "/currency", tx->err));
    if (f->fund.amount.n > 0)
        TRY(err_blame(amount_parse_one(f->fund.amount, f->currency, &f->amount, tx->err), "/amount",
                      tx->err));
    if (f->fund.amount.n > 0 && f->amount <= 0)
        return err_set_at(tx->err, RC_INVALID, STR("/amount"), "money that is lent is above 0");
    TRY(gap_of(tx, l, f->fund.debtor, f->currency, 0, &gap));
    if (f->fund.amount.n == 0)
        f->amount = gap;
    return f->amount == 0 || f->amount > gap ? too_much(tx, f, gap) : RC_OK;
}

enum rc fund_create(struct tx *tx, struct ledger *l, struct str party, struct str user,
                    const struct fund *fresh, struct fund *ret)
{
    struct lent f = {.fund = *fresh};
    f.fund.party = party;
    TRY(check(tx, l, &f));
    struct str id = id_new(tx->ids, tx->arena, "cfd");
    TRY(sql_run(tx,
                "INSERT INTO clearing_fund (no, id, party, debtor, currency, amount, recovered, "
                "state, note, asked_by, released_by, created) SELECT COALESCE(MAX(no), 0) + 1, $1, "
                "$2, $3, $4, $5, 0, $6, $7, $8, NULL, $9 FROM clearing_fund",
                V(id), V(party), V(f.fund.debtor), V(f.currency->code), V(f.amount),
                V(fund_states[FUND_PENDING]), value_opt(f.fund.note), V(user), V(tx->now)));
    return fund_get(tx, id, ret);
}

/* --- out and back --- */

static enum rc set_state(struct tx *tx, const struct lent *f, enum fund_state state)
{
    return sql_run(tx, "UPDATE clearing_fund SET state = $2 WHERE no = $1", V(f->no),
                   V(fund_states[state]));
}

static enum rc must_wait(struct tx *tx, const struct lent *f)
{
    if (f->fund.state == FUND_PENDING)
        return RC_OK;
    return err_set(tx->err, RC_CONFLICT, "fund '%.*s' is %s, not pending", STRF(f->fund.id),
                   fund_states[f->fund.state]);
}

static enum rc post(struct tx *tx, struct ledger *l, const struct currency *currency,
                    struct leg legs[2], int64_t amount)
{
    uint64_t number = 0;
    for (size_t i = 0; i < 2; i++) {
        legs[i].amount = amount;
        legs[i].code = POSTING_FINANCING;
    }
    TRY(posting_number(tx, &number));
    return posting_event(tx, l, STR("settle"), number, currency, legs, 2);
}

enum rc fund_release(struct tx *tx, struct ledger *l, struct str id, struct str user,
                     struct fund *ret)
{
    struct lent f;
    int64_t gap = 0;
    TRY(find(tx, id, &f));
    TRY(must_wait(tx, &f));
    if (str_eq(f.fund.asked_by, user))
        return err_set(tx->err, RC_FORBIDDEN,
                       "you asked for this money: another user releases it (four eyes)");
    TRY(gap_of(tx, l, f.fund.debtor, f.currency, f.no, &gap));
    if (f.amount > gap)
        return too_much(tx, &f, gap);
    struct leg legs[2] = {
        {.party = f.fund.party, .debit = STR("Financing:Clearing"), .credit = STR("Bank")},
        {.party = POSTING_CLEARING,
         .debit = STR("Bank"),
         .credit = arena_fmt(tx->arena, "Loan:%.*s", STRF(f.fund.party))},
    };
    TRY(post(tx, l, f.currency, legs, f.amount));
    TRY(sql_run(tx, "UPDATE clearing_fund SET released_by = $2 WHERE no = $1", V(f.no), V(user)));
    TRY(set_state(tx, &f, FUND_OUT));
    return fund_get(tx, id, ret);
}

enum rc fund_withdraw(struct tx *tx, struct str id, struct fund *ret)
{
    struct lent f;
    TRY(find(tx, id, &f));
    TRY(must_wait(tx, &f));
    TRY(set_state(tx, &f, FUND_WITHDRAWN));
    return fund_get(tx, id, ret);
}

/* What is lent for a debtor is never more than it owes, but for what it has paid since. */
static enum rc paid_of(struct tx *tx, struct ledger *l, const struct lent *f, int64_t *ret)
{
    int64_t debt = 0;
    int64_t lent = 0;
    TRY(clearing_debt(tx, l, f->fund.debtor, f->currency, &debt));
    TRY(lent_for(tx, f->fund.debtor, f->currency, false, 0, &lent));
    *ret = max_i64(min_i64(lent - debt, f->amount - f->recovered), 0);
    return RC_OK;
}

enum rc fund_next(struct tx *tx, struct ledger *l, int64_t after, struct fund_due *ret,
                  bool *ret_found)
{
    enum { AT_ONCE = 200 };
    struct rows rows;
    *ret_found = false;
    do {
        TRY(sql_rows(tx, &rows,
                     "SELECT " COLUMNS " FROM clearing_fund f WHERE f.no > $1 AND f.state = $2 "
                     "ORDER BY f.no LIMIT $3",
                     V(after), V(fund_states[FUND_OUT]), V((int64_t)AT_ONCE)));
        for (size_t i = 0; i < rows.count && !*ret_found; i++) {
            int64_t paid = 0;
            struct lent f = read_row(tx, &rows, i);
            after = f.no;
            TRY(paid_of(tx, l, &f, &paid));
            if (paid == 0)
                continue;
            *ret = (struct fund_due){f.no, f.fund.party, f.currency, paid};
            *ret_found = true;
        }
    } while (!*ret_found && rows.count == AT_ONCE);
    return RC_OK;
}

enum rc fund_take_back(struct tx *tx, struct ledger *l, const struct fund_due *due, int64_t amount,
                       struct str settlement)
{
    struct leg legs[2] = {
        {.party = POSTING_CLEARING,
         .debit = arena_fmt(tx->arena, "Loan:%.*s", STRF(due->party)),
         .credit = arena_fmt(tx->arena, "AP:%.*s", STRF(due->party))},
        {.party = due->party, .debit = STR("AR:Clearing"), .credit = STR("Financing:Clearing")},
    };
    ASSERT(amount > 0 && amount <= due->amount);
    TRY(post(tx, l, due->currency, legs, amount));
    TRY(sql_run(tx,
                "INSERT INTO clearing_recovery (no, fund, party, currency, amount, settlement, "
                "created) SELECT COALESCE(MAX(no), 0) + 1, $1, $2, $3, $4, $5, $6 FROM "
                "clearing_recovery",
                V(due->no), V(due->party), V(due->currency->code), V(amount), V(settlement),
                V(tx->now)));
    return sql_run(tx,
                   "UPDATE clearing_fund SET recovered = recovered + $2, state = CASE WHEN "
                   "recovered + $2 = amount THEN $3 ELSE state END WHERE no = $1",
                   V(due->no), V(amount), V(fund_states[FUND_BACK]));
}

/* --- proof --- */

static enum rc balance_is(struct tx *tx, struct ledger *l, const struct account *a, int64_t wanted)
{
    account_id account = 0;
    struct balance b = {0};
    TRY(ledger_find(tx, l, a->party, a->currency, a->code, &account));
    TRY(ledger_balance(tx, l, account, &b));
    if (b.debits - b.credits == wanted)
        return RC_OK;
    return err_set(tx->err, RC_INVALID,
                   "%lld minor units of what was lent to Clearing are out, '%.*s' of '%.*s' says "
                   "%lld",
                   (long long)wanted, STRF(a->code), STRF(a->party),
                   (long long)(b.debits - b.credits));
}

enum rc fund_verify(struct tx *tx, struct ledger *l)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT f.no FROM clearing_fund f WHERE f.recovered <> COALESCE((SELECT "
                 "SUM(r.amount) FROM clearing_recovery r WHERE r.fund = f.no), 0) ORDER BY f.no "
                 "LIMIT 1"));
    if (rows.count > 0)
        return err_set(tx->err, RC_INVALID,
                       "of fund number %lld something else came back than its recoveries say",
                       (long long)row_int(&rows, 0, 0));
    TRY(sql_rows(tx, &rows,
                 "SELECT party, currency, CAST(SUM(amount - recovered) AS BIGINT) FROM "
                 "clearing_fund WHERE state IN ($1, $2) GROUP BY party, currency "
                 "ORDER BY party, currency",
                 V(fund_states[FUND_OUT]), V(fund_states[FUND_BACK])));
    for (size_t i = 0; i < rows.count; i++) {
        int64_t out = row_int(&rows, i, 2);
        struct str code = arena_fmt(tx->arena, "Loan:%.*s", STRF(row_str(&rows, i, 0)));
        struct account lender = {.party = row_str(&rows, i, 0),
                                 .currency = row_str(&rows, i, 1),
                                 .code = STR("Financing:Clearing")};
        struct account borrower = {
            .party = POSTING_CLEARING, .currency = row_str(&rows, i, 1), .code = code};
        TRY(balance_is(tx, l, &lender, out));
        TRY(balance_is(tx, l, &borrower, -out));
    }
    return RC_OK;
}
