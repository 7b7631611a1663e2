#include "settle/financing.h"

#include "base/id.h"
#include "money/amount.h"
#include "money/round.h"

#define COLUMNS                                                                            \
    "no, id, agreement, label, financier, debtor, client, document, reference, currency, " \
    "amount, returns, received, created"
#define READ_COLUMNS COLUMNS ", COALESCE(credited, 0), COALESCE(lost, 0)"

struct stake {
    int64_t no;
    struct financing financing;
    const struct currency *currency;
    int64_t document; /* no; 0: money */
    int64_t amount;
    int64_t returns;
    int64_t received;
    int64_t credited; /* of the amount, by credit notes on its document */
    int64_t lost;     /* of the returns: does not come, as the client's invoice was written off */
};

/* How much of so much that comes back is capital. */
static int64_t capital_of(const struct stake *s, int64_t returned)
{
    return (int64_t)round_div((__int128)(s->amount - s->credited) * returned, s->returns);
}

static int64_t repaid(const struct stake *s)
{
    return capital_of(s, s->received);
}

/* The capital in what does not come: so that it is out no more. */
static int64_t written_off(const struct stake *s)
{
    return capital_of(s, s->received + s->lost) - repaid(s);
}

/* --- rows --- */

static enum rc read_row(struct tx *tx, const struct rows *r, size_t row, struct stake *ret)
{
    struct str document = STR("");
    *ret = (struct stake){
        .no = row_int(r, row, 0),
        .currency = currency_find(row_str(r, row, 9)),
        .document = row_null(r, row, 7) ? 0 : row_int(r, row, 7),
        .amount = row_int(r, row, 10),
        .returns = row_int(r, row, 11),
        .received = row_int(r, row, 12),
        .credited = row_int(r, row, 14),
        .lost = row_int(r, row, 15),
    };
    if (ret->document != 0) {
        struct document_row d;
        TRY(document_row_get(tx, ret->document, &d));
        document = d.id;
    }
    ret->financing = (struct financing){
        .set = schema_all(&financing_schema),
        .id = row_str(r, row, 1),
        .agreement = row_str(r, row, 2),
        .label = row_str(r, row, 3),
        .financier = row_str(r, row, 4),
        .debtor = row_str(r, row, 5),
        .client = row_str(r, row, 6),
        .document = document,
        .reference = row_str(r, row, 8),
        .currency = row_str(r, row, 9),
        .amount = amount_str(ret->amount, ret->currency, tx->arena),
        .returns = amount_str(ret->returns, ret->currency, tx->arena),
        .received = amount_str(ret->received, ret->currency, tx->arena),
        .repaid = amount_str(repaid(ret), ret->currency, tx->arena),
        .lost = amount_str(written_off(ret), ret->currency, tx->arena),
        .created = row_int(r, row, 13),
    };
    return RC_OK;
}

enum rc financing_get(struct tx *tx, struct str id, struct financing *ret)
{
    struct rows rows;
    struct stake stake;
    TRY(sql_rows(tx, &rows, "SELECT " READ_COLUMNS " FROM financing WHERE id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no financing '%.*s'", STRF(id));
    TRY(read_row(tx, &rows, 0, &stake));
    *ret = stake.financing;
    return RC_OK;
}

static const struct page_column sort_columns[] = {{"id", "f.id", PAGE_TEXT},
                                                  {"created", "f.created", PAGE_NUMBER}};
static const struct page_table financing_table = {
    .select = "SELECT f.id FROM financing f",
    .id = "f.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc financing_list(struct tx *tx, struct str party, const struct page_query *q,
                       struct page *ret)
{
    struct rows rows;
    struct str next;
    const struct page_term term = {"f.financier = ?" PAGE_OR "f.debtor = ? AND f.document IS NULL",
                                   V(party)};
    TRY(page_rows(tx, &financing_table, q, &term, 1, &rows, &next));
    struct financing *list = NEW_N(tx->arena, struct financing, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(financing_get(tx, row_str(&rows, i, 0), &list[i]));
    *ret = (struct page){{list, rows.count}, next};
    return RC_OK;
}

/* --- what is asked for --- */

static bool has_rule(const struct agreement *a, struct str label)
{
    const struct rule *rules = a->terms.rules.items;
    for (size_t i = 0; i < a->terms.rules.count; i++)
        if (str_eq(rules[i].label, label))
            return true;
    return false;
}

static enum rc check_agreement(struct tx *tx, struct str party, struct stake *s)
{
    struct agreement a = {0};
    struct financing *f = &s->financing;
    bool invoice = f->document.n > 0;
    enum rc rc = agreement_get(tx, f->agreement, &a);
    bool known = rc == RC_OK && (str_eq(a.from, party) || str_eq(a.to, party));
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    err_clear(tx->err);
    if (!known || a.kind != AGREEMENT_COST || a.state != AGREEMENT_ACTIVE)
        return err_set_at(tx->err, RC_INVALID, STR("/agreement"),
                          "there is no active COST agreement '%.*s' of yours", STRF(f->agreement));
    if (!str_eq(invoice ? a.to : a.from, party))
        return err_set_at(tx->err, RC_INVALID, STR("/document"),
                          "the financier tells what invoice it pays, the debtor what money it had");
    if (!has_rule(&a, f->label) || str_starts(f->label, STR(AGREEMENT_RESERVE)))
        return err_set_at(tx->err, RC_INVALID, STR("/label"),
                          "agreement '%.*s' has no rule '%.*s' that pays", STRF(a.id),
                          STRF(f->label));
    f->financier = a.to;
    f->debtor = a.from;
    return currency_parse(a.terms.currency, &s->currency, tx->err);
}

/* What its cost is to who received it: with the tax, where that is not deducted. */
static int64_t cost_of(const struct document_row *d)
{
    return d->tax_recoverable ? d->net : d->gross;
}

static enum rc check_document(struct tx *tx, struct stake *s, struct document_row *ret)
{
    struct financing *f = &s->financing;
    enum rc rc = document_row_find(tx, f->document, ret);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    err_clear(tx->err);
    bool ours = rc == RC_OK && str_eq(ret->recipient, f->financier);
    if (!ours || (ret->code != DOCUMENT_INVOICE && ret->code != DOCUMENT_SELF_BILLED))
        return err_set_at(tx->err, RC_INVALID, STR("/document"),
                          "there is no invoice '%.*s' to the financier", STRF(f->document));
    if (ret->state < DOCUMENT_FINAL || ret->credited != 0 || ret->written_off != 0)
        return err_set_at(tx->err, RC_CONFLICT, STR("/document"),
                          "invoice '%.*s' is a draft, or was taken back", STRF(f->document));
    if (ret->currency != s->currency)
        return err_set_at(tx->err, RC_INVALID, STR("/document"),
                          "the invoice is in %s, the agreement in %s", ret->currency->code,
                          s->currency->code);
    s->document = ret->no;
    return RC_OK;
}

static enum rc check_client(struct tx *tx, struct stake *s)
{
    struct party client;
    struct financing *f = &s->financing;
    if (f->document.n == 0 && f->client.n > 0 && !str_eq(f->client, f->debtor))
        return err_set_at(tx->err, RC_INVALID, STR("/client"),
                          "money is lent to the debtor; what was paid for a client has an invoice");
    if (f->document.n == 0)
        f->client = f->debtor;
    enum rc rc = party_get(tx, f->client, &client);
    if (rc == RC_NOT_FOUND)
        return err_set_at(tx->err, RC_INVALID, STR("/client"), "for whom was it paid?");
    return rc;
}

static enum rc check_amounts(struct tx *tx, struct stake *s)
{
    struct financing *f = &s->financing;
    enum rc rc = amount_parse_one(f->amount, s->currency, &s->amount, tx->err);
    if (rc == RC_OK && s->amount <= 0)
        rc = err_set(tx->err, RC_INVALID, "capital is above 0");
    if (rc != RC_OK) {
        err_at(tx->err, STR("/amount"));
        return rc;
    }
    s->returns = s->amount;
    if (f->returns.n > 0)
        rc = amount_parse_one(f->returns, s->currency, &s->returns, tx->err);
    if (rc == RC_OK && s->returns < s->amount)
        rc = err_set(tx->err, RC_INVALID, "no less comes back than was put in");
    if (rc != RC_OK)
        err_at(tx->err, STR("/returns"));
    return rc;
}

/* --- put in --- */

static enum rc post(struct tx *tx, struct ledger *l, const struct currency *currency,
                    struct leg *legs, size_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++)
        legs[i].code = POSTING_FINANCING;
    TRY(posting_number(tx, &number));
    return posting_event(tx, l, STR("settle"), number, currency, legs, count);
}

static struct str capital_code(struct tx *tx, const struct stake *s)
{
    return arena_fmt(tx->arena, "Financing:%.*s", STRF(s->financing.client));
}

static struct str loan_code(struct tx *tx, const struct stake *s)
{
    return arena_fmt(tx->arena, "Loan:%.*s", STRF(s->financing.financier));
}

/* What the document made an expense is capital, or the other way round: legs[] of it. */
static size_t capital_legs(struct tx *tx, const struct stake *s, const struct document_row *d,
                           bool back, struct leg *legs)
{
    size_t count = 0;
    struct str capital = capital_code(tx, s);
    for (size_t i = 0; i < d->income_count + d->group_count; i++) {
        bool net = i < d->income_count;
        const struct document_tax_group *g = net ? NULL : &d->groups[i - d->income_count];
        struct str label = net ? d->incomes[i].label : g->expense;
        struct str expense = arena_fmt(tx->arena, "Expense:%.*s", STRF(label));
        if (!net && d->tax_recoverable)
            continue;
        legs[count++] = (struct leg){.party = s->financing.financier,
                                     .debit = back ? expense : capital,
                                     .credit = back ? capital : expense,
                                     .amount = net ? d->incomes[i].net : g->group.tax};
    }
    return count;
}

static enum rc post_document(struct tx *tx, struct ledger *l, const struct stake *s,
                             const struct document_row *d)
{
    struct leg *legs = NEW_N(tx->arena, struct leg, d->income_count + d->group_count);
    size_t count = capital_legs(tx, s, d, false, legs);
    return post(tx, l, s->currency, legs, count);
}

static enum rc post_money(struct tx *tx, struct ledger *l, const struct stake *s)
{
    struct leg legs[] = {{.party = s->financing.financier,
                          .debit = capital_code(tx, s),
                          .credit = STR("Bank"),
                          .amount = s->amount},
                         {.party = s->financing.debtor,
                          .debit = STR("Bank"),
                          .credit = loan_code(tx, s),
                          .amount = s->amount}};
    return post(tx, l, s->currency, legs, COUNT(legs));
}

static enum rc check_repeat(struct tx *tx, const struct rows *rows, const struct stake *fresh,
                            struct financing *ret)
{
    struct stake old;
    const struct financing *f = &fresh->financing;
    TRY(read_row(tx, rows, 0, &old));
    bool same = old.amount == fresh->amount && old.returns == fresh->returns &&
                old.document == fresh->document && str_eq(old.financing.client, f->client) &&
                str_eq(old.financing.label, f->label);
    if (!same)
        return err_set_at(tx->err, RC_CONFLICT, STR("/reference"),
                          "the reference '%.*s' was used with another content", STRF(f->reference));
    *ret = old.financing;
    return RC_OK;
}

static enum rc insert(struct tx *tx, struct stake *s)
{
    struct rows rows;
    const struct financing *f = &s->financing;
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM financing"));
    s->no = row_int(&rows, 0, 0);
    return sql_run(tx,
                   "INSERT INTO financing (" COLUMNS ") "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                   V(s->no), V(f->id), V(f->agreement), V(f->label), V(f->financier), V(f->debtor),
                   V(f->client), s->document != 0 ? value_int(s->document) : SQL_NULL,
                   V(f->reference), V(s->currency->code), V(s->amount), V(s->returns),
                   V(s->received), V(tx->now));
}

static enum rc check_free(struct tx *tx, const struct stake *s)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT id FROM financing WHERE document = $1", V(s->document)));
    if (rows.count > 0)
        return err_set_at(tx->err, RC_CONFLICT, STR("/document"),
                          "invoice '%.*s' is financed already", STRF(s->financing.document));
    return RC_OK;
}

static enum rc put_in_document(struct tx *tx, struct ledger *l, struct stake *s,
                               const struct document_row *d)
{
    if (s->amount != cost_of(d))
        return err_set_at(tx->err, RC_INVALID, STR("/amount"), "the invoice costs %.*s",
                          STRF(amount_str(cost_of(d), s->currency, tx->arena)));
    TRY(check_free(tx, s));
    TRY(insert(tx, s));
    return post_document(tx, l, s, d);
}

enum rc financing_create(struct tx *tx, struct ledger *l, struct str party,
                         const struct financing *fresh, struct financing *ret)
{
    struct rows rows;
    struct document_row d = {0};
    struct stake s = {.financing = *fresh};
    TRY(check_agreement(tx, party, &s));
    if (fresh->document.n > 0)
        TRY(check_document(tx, &s, &d));
    TRY(check_client(tx, &s));
    TRY(check_amounts(tx, &s));
    TRY(sql_rows(tx, &rows,
                 "SELECT " READ_COLUMNS " FROM financing WHERE agreement = $1 AND reference = $2",
                 V(fresh->agreement), V(fresh->reference)));
    if (rows.count > 0)
        return check_repeat(tx, &rows, &s, ret);
    s.financing.id = id_new(tx->ids, tx->arena, "fin");
    if (s.document != 0) {
        TRY(put_in_document(tx, l, &s, &d));
    } else {
        TRY(insert(tx, &s));
        TRY(post_money(tx, l, &s));
    }
    return financing_get(tx, s.financing.id, ret);
}

/* --- comes back --- */

static enum rc find_open(struct tx *tx, const struct share *s, struct stake **ret,
                         size_t *ret_count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " READ_COLUMNS " FROM financing WHERE debtor = $1 AND financier = $2 "
                 "AND currency = $3 ORDER BY no LIMIT $4",
                 V(s->payer), V(s->payee), V(s->currency->code),
                 V((int64_t)FINANCING_OF_PAIR_MAX)));
    struct stake *stakes = NEW_N(tx->arena, struct stake, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(read_row(tx, &rows, i, &stakes[i]));
    *ret = stakes;
    *ret_count = rows.count;
    return RC_OK;
}

/* What was paid for a client comes back by that client's invoices. */
static enum rc client_of(struct tx *tx, const struct share *s, struct str *ret)
{
    struct document_row d;
    *ret = STR("");
    if (s->document == 0)
        return RC_OK;
    TRY(document_row_get(tx, s->document, &d));
    *ret = d.recipient;
    return RC_OK;
}

static bool gives_back(const struct share *share, struct str client, const struct stake *s)
{
    const struct financing *f = &s->financing;
    return str_eq(share->agreement, f->agreement) && str_eq(share->label, f->label) &&
           (s->document == 0 || str_eq(client, f->client));
}

/* The oldest first; what is taken back, the youngest first. */
static void spread(const struct share *share, struct str client, int64_t due, struct stake *stakes,
                   size_t count)
{
    for (size_t i = 0; i < count && due != 0; i++) {
        struct stake *s = &stakes[due > 0 ? i : count - 1 - i];
        if (!gives_back(share, client, s))
            continue;
        int64_t part =
            due > 0 ? min_i64(due, s->returns - s->received) : max_i64(due, -s->received);
        s->received += part;
        s->lost = min_i64(s->lost, s->returns - s->received); /* it came after all */
        due -= part;
    }
}

static bool same_stake(const struct stake *a, const struct stake *b)
{
    return a->received == b->received && a->lost == b->lost;
}

/* From what it was to what it is: more came back, or less of it will come. */
static enum rc keep_stake(struct tx *tx, struct ledger *l, const struct stake *was,
                          const struct stake *is)
{
    struct str label = is->financing.label;
    struct str capital = capital_code(tx, is);
    struct str financier = is->financing.financier;
    int64_t back = repaid(is) - repaid(was);
    struct leg legs[] = {{.party = financier,
                          .debit = arena_fmt(tx->arena, "Income:%.*s", STRF(label)),
                          .credit = capital,
                          .amount = back},
                         {.party = financier,
                          .debit = STR("Expense:BadDebt"),
                          .credit = capital,
                          .amount = written_off(is) - written_off(was)},
                         {.party = is->financing.debtor,
                          .debit = loan_code(tx, is),
                          .credit = arena_fmt(tx->arena, "Expense:%.*s", STRF(label)),
                          .amount = is->document == 0 ? back : 0}};
    TRY(sql_run(tx, "UPDATE financing SET received = $2, lost = $3 WHERE no = $1", V(is->no),
                V(is->received), V(is->lost)));
    return post(tx, l, is->currency, legs, COUNT(legs));
}

enum rc financing_follow(struct tx *tx, struct ledger *l, const struct share *shares,
                         const int64_t *due, size_t count)
{
    size_t stake_count = 0;
    struct stake *stakes = NULL;
    ASSERT(count > 0);
    TRY(find_open(tx, &shares[0], &stakes, &stake_count));
    if (stake_count == 0)
        return RC_OK;
    struct stake *before = NEW_N(tx->arena, struct stake, stake_count);
    memcpy(before, stakes, stake_count * sizeof *before);
    for (size_t i = 0; i < count; i++) {
        struct str client;
        TRY(client_of(tx, &shares[i], &client));
        spread(&shares[i], client, due[i], stakes, stake_count);
    }
    for (size_t i = 0; i < stake_count; i++)
        if (!same_stake(&before[i], &stakes[i]))
            TRY(keep_stake(tx, l, &before[i], &stakes[i]));
    return RC_OK;
}

/* --- does not come back --- */

enum rc financing_lost(struct tx *tx, struct ledger *l, const struct share *share, int64_t amount)
{
    struct str client;
    size_t count = 0;
    struct stake *stakes = NULL;
    TRY(find_open(tx, share, &stakes, &count));
    if (count == 0)
        return RC_OK;
    TRY(client_of(tx, share, &client));
    for (size_t i = 0; i < count && amount != 0; i++) {
        struct stake *s = &stakes[amount > 0 ? i : count - 1 - i];
        const struct stake was = *s;
        if (s->document == 0 || !gives_back(share, client, s)) /* who had money owes it anyway */
            continue;
        int64_t part = amount > 0 ? min_i64(amount, s->returns - s->received - s->lost)
                                  : max_i64(amount, -s->lost);
        s->lost += part;
        amount -= part;
        if (!same_stake(&was, s))
            TRY(keep_stake(tx, l, &was, s));
    }
    return RC_OK;
}

/* --- less was put in --- */

struct taken_back {
    int64_t cost;             /* of all credit notes on the document */
    struct document_row last; /* of them */
};

static enum rc on_credit(struct tx *tx, const struct document_row *credit, void *arg)
{
    struct taken_back *t = arg;
    t->last = *credit;
    return amount_add(t->cost, cost_of(credit), &t->cost, tx->err);
}

enum rc financing_credited(struct tx *tx, struct ledger *l, const struct document_row *invoice)
{
    struct rows rows;
    struct stake s;
    struct taken_back t = {0};
    TRY(sql_rows(tx, &rows, "SELECT " READ_COLUMNS " FROM financing WHERE document = $1",
                 V(invoice->no)));
    if (rows.count == 0)
        return RC_OK;
    TRY(read_row(tx, &rows, 0, &s));
    TRY(document_row_credits(tx, invoice->no, on_credit, &t));
    const struct stake was = s;
    s.credited = t.cost;
    struct leg *legs = NEW_N(tx->arena, struct leg, t.last.income_count + t.last.group_count + 2);
    size_t count = capital_legs(tx, &s, &t.last, true, legs);
    struct leg more = {.party = s.financing.financier, .debit = capital_code(tx, &s)};
    /* What came back was less capital, and more of it income; less of it was lost. */
    more.credit = arena_fmt(tx->arena, "Income:%.*s", STRF(s.financing.label));
    more.amount = repaid(&was) - repaid(&s);
    legs[count++] = more;
    more.credit = STR("Expense:BadDebt");
    more.amount = written_off(&was) - written_off(&s);
    legs[count++] = more;
    TRY(sql_run(tx, "UPDATE financing SET credited = $2 WHERE no = $1", V(s.no), V(s.credited)));
    return post(tx, l, s.currency, legs, count);
}

/* --- proof --- */

static enum rc check_account(struct tx *tx, struct ledger *l, const struct stake *s, bool loan,
                             int64_t out)
{
    account_id account = 0;
    struct balance b = {0};
    struct str party = loan ? s->financing.debtor : s->financing.financier;
    struct str code = loan ? loan_code(tx, s) : capital_code(tx, s);
    TRY(ledger_find(tx, l, party, str_c(s->currency->code), code, &account));
    TRY(ledger_balance(tx, l, account, &b));
    int64_t booked = loan ? b.credits - b.debits : b.debits - b.credits;
    if (booked != out)
        return err_set(tx->err, RC_INVALID,
                       "%lld minor units of what '%.*s' financed are out, '%.*s' of '%.*s' says "
                       "%lld",
                       (long long)out, STRF(s->financing.financier), STRF(code), STRF(party),
                       (long long)booked);
    return RC_OK;
}

/* All that shares an account with the row, once: at its first one. */
static enum rc check_row(struct tx *tx, struct ledger *l, const struct stake *all, size_t count,
                         size_t i)
{
    int64_t out[2] = {0, 0}; /* by client; of loans, by debtor */
    bool first[2] = {true, all[i].document == 0};
    const struct financing *f = &all[i].financing;
    for (size_t k = 0; k < count; k++) {
        const struct financing *g = &all[k].financing;
        bool lent = all[k].document == 0;
        bool same[2] = {str_eq(f->client, g->client), lent && str_eq(f->debtor, g->debtor)};
        for (int j = 0; j < 2 && all[i].currency == all[k].currency; j++) {
            out[j] += same[j]
                          ? all[k].amount - all[k].credited - repaid(&all[k]) - written_off(&all[k])
                          : 0;
            first[j] = first[j] && !(same[j] && k < i);
        }
    }
    for (int j = 0; j < 2; j++)
        if (first[j])
            TRY(check_account(tx, l, &all[i], j == 1, out[j]));
    return RC_OK;
}

static enum rc check_financier(struct tx *tx, struct ledger *l, struct str financier)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " READ_COLUMNS " FROM financing WHERE financier = $1 ORDER BY no LIMIT $2",
                 V(financier), V((int64_t)FINANCING_OF_PARTY_MAX)));
    struct stake *all = NEW_N(tx->arena, struct stake, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(read_row(tx, &rows, i, &all[i]));
    for (size_t i = 0; i < rows.count; i++)
        TRY(check_row(tx, l, all, rows.count, i));
    return RC_OK;
}

enum rc financing_verify(struct tx *tx, struct ledger *l)
{
    struct str last = STR("");
    for (bool more = true; more;) {
        struct rows rows;
        TRY(sql_rows(tx, &rows,
                     "SELECT DISTINCT financier FROM financing WHERE financier > $1 "
                     "ORDER BY financier LIMIT $2",
                     V(last), V((int64_t)FINANCIERS_AT_ONCE)));
        for (size_t i = 0; i < rows.count; i++)
            TRY(check_financier(tx, l, last = row_str(&rows, i, 0)));
        more = rows.count == FINANCIERS_AT_ONCE;
    }
    return RC_OK;
}
