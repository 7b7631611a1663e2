#include "settle/fee.h"

#include "money/amount.h"
#include "money/round.h"
#include "settle/rule_step.h"

enum { FEE_CHUNK = 200, FEE_SELLERS_MAX = SUPPLY_DEPTH_MAX + 1 };

/* The exact amount of a rule for a line. */
static enum rc line_fee(struct division *d, const struct agreement *a, size_t number,
                        const struct rated_line *line, const struct currency *currency, rated *ret)
{
    const struct rule *rule = &((const struct rule *)a->terms.rules.items)[number];
    struct err *err = division_tx(d)->err;
    struct waterfall_step step;
    TRY(rule_step(rule, currency, &step, err));
    const struct window *w = &line->window;
    if (step.kind == SHARE_PER_UNIT)
        return price_rate(step.value, line->quantity, ret, err);
    if (step.kind == SHARE_PERCENT) {
        rated base = rated_from_amount(division_base(rule, a->from, line), currency);
        *ret = round_div(base * step.ppm, 1000000);
        return RC_OK;
    }
    if (step.kind != SHARE_FIXED)
        return err_set(err, RC_INVALID, "a fee is fixed, per unit or a percentage");
    rated whole = 0;
    TRY(price_rate(step.value, division_units(line), &whole, err));
    if (w->begin == w->end) {
        *ret = whole;
        return RC_OK;
    }
    rated part = 0;
    if (__builtin_mul_overflow(whole, (rated)(w->until - w->from), &part))
        return err_set(err, RC_INVALID, "a fee of agreement '%.*s' does not fit an amount",
                       STRF(a->id));
    *ret = round_div(part, w->end - w->begin);
    return RC_OK;
}

static enum rc keep(struct tx *tx, int64_t close_no, const struct agreement *a, size_t rule,
                    bool free, rated fee)
{
    struct rows rows;
    char text[RATED_TEXT_MAX];
    rated sum = 0;
    TRY(sql_rows(tx, &rows,
                 "SELECT rated FROM fee_sum WHERE close_no = $1 AND agreement = $2 "
                 "AND terms = $3 AND rule = $4 AND free = $5",
                 V(close_no), V(a->id), V(a->terms.number), V((int64_t)rule), V(free)));
    if (rows.count > 0)
        TRY(rated_parse(row_str(&rows, 0, 0), &sum, tx->err));
    TRY(rated_add(sum, fee, &sum, tx->err));
    size_t n = rated_format(sum, text);
    return sql_run(tx,
                   "INSERT INTO fee_sum (close_no, agreement, terms, rule, free, rated) "
                   "VALUES ($1, $2, $3, $4, $5, $6) "
                   "ON CONFLICT (close_no, agreement, terms, rule, free) "
                   "DO UPDATE SET rated = excluded.rated",
                   V(close_no), V(a->id), V(a->terms.number), V((int64_t)rule), V(free),
                   V(str_n(text, n)));
}

/* The rules that any of the lines is about, each with its sum over the lines: paid and free. */
static enum rc add_agreement(struct division *d, const struct document_row *invoice,
                             const struct list *all, const struct agreement *a,
                             const struct rated_line *lines, size_t count)
{
    const struct rule *rules = a->terms.rules.items;
    for (size_t i = 0; i < a->terms.rules.count; i++) {
        rated sums[2] = {0, 0};
        for (size_t k = 0; k < count; k++) {
            rated fee = 0;
            bool covers = false;
            TRY(division_covers(d, all, a, &lines[k], &covers));
            if (!covers || !division_in_months(&rules[i], &lines[k]))
                continue;
            TRY(line_fee(d, a, i, &lines[k], invoice->currency, &fee));
            TRY(rated_add(sums[lines[k].free_tier], fee, &sums[lines[k].free_tier],
                          division_tx(d)->err));
        }
        for (int free = 0; free < 2; free++)
            if (sums[free] != 0)
                TRY(keep(division_tx(d), invoice->close_no, a, i, free == 1, sums[free]));
    }
    return RC_OK;
}

/* Who may owe fees on a line: each seller of its path, and its producer; each once. */
static size_t debtors_of(const struct rated_line *line, struct str ret[FEE_SELLERS_MAX])
{
    size_t count = 0;
    for (size_t k = 0; k < line->path->count; k++)
        ret[count++] = line->path->edges[k].seller;
    bool known = line->producer.n == 0;
    for (size_t k = 0; k < count; k++)
        known = known || str_eq(ret[k], line->producer);
    if (!known)
        ret[count++] = line->producer;
    return count;
}

/* Lines of one invoice that have the same path, producer and time share their agreements. */
static size_t run_of(const struct rated_line *lines, size_t count)
{
    size_t n = 1;
    while (n < count && lines[n].path_number == lines[0].path_number &&
           lines[n].window.from == lines[0].window.from &&
           str_eq(lines[n].producer, lines[0].producer) && str_eq(lines[n].item, lines[0].item) &&
           str_eq(lines[n].asset, lines[0].asset))
        n++;
    return n;
}

/* Lines that share their agreements: those of an instant. */
struct alike {
    const struct rated_line *lines;
    size_t count;
    time_us at;
};

/* The fees of one debtor on lines that are alike; without an invoice they are only looked at. */
static enum rc add_debtor(struct division *d, const struct document_row *invoice, struct str debtor,
                          struct alike of)
{
    struct list list;
    bool covers = false;
    struct str operator_id = of.lines[0].path->edges[0].seller;
    TRY(division_agreements(d, AGREEMENT_FEE, debtor, of.at, &list));
    const struct agreement *a = list.items;
    for (size_t k = 0; k < list.count; k++) {
        /* What a producer leaves with the operator shortens its share: division.c. */
        bool kept = str_eq(debtor, of.lines[0].producer) && str_eq(a[k].to, operator_id);
        if (!kept && invoice != NULL)
            TRY(add_agreement(d, invoice, &list, &a[k], of.lines, of.count));
        else if (!kept)
            TRY(division_covers(d, &list, &a[k], of.lines, &covers));
    }
    return RC_OK;
}

enum rc fee_try(struct division *d, const struct rated_line *line, time_us at)
{
    struct str debtors[FEE_SELLERS_MAX];
    size_t count = debtors_of(line, debtors);
    for (size_t i = 0; i < count; i++)
        TRY(add_debtor(d, NULL, debtors[i], (struct alike){line, 1, at}));
    return RC_OK;
}

enum rc fee_add(struct division *d, const struct document_row *invoice,
                const struct rated_line *lines, size_t count)
{
    for (size_t at = 0; at < count;) {
        struct str debtors[FEE_SELLERS_MAX];
        size_t n = run_of(&lines[at], count - at);
        size_t debtor_count = debtors_of(&lines[at], debtors);
        time_us agreed = 0;
        TRY(division_at(d, &lines[at], &agreed));
        for (size_t i = 0; i < debtor_count; i++)
            TRY(add_debtor(d, invoice, debtors[i], (struct alike){&lines[at], n, agreed}));
        at += n;
    }
    return RC_OK;
}

/* --- the end of the close --- */

/* Columns of fee_sum. */
enum { FEE_AGREEMENT, FEE_TERMS, FEE_RULE, FEE_FREE, FEE_RATED, FEE_CLOSE };

/* With what the rule brought in the close before. */
static enum rc cap_fee(struct tx *tx, const struct rows *rows, size_t row, const struct rule *rule,
                       int64_t *amount)
{
    struct rows had;
    struct waterfall_step step;
    const struct currency *currency = NULL;
    if (rule->cap.n == 0)
        return RC_OK;
    TRY(sql_rows(tx, &had,
                 "SELECT a.currency, (SELECT CAST(COALESCE(SUM(s.amount), 0) AS BIGINT) "
                 "FROM share s WHERE s.agreement = $1 AND s.rule = $3 AND s.close_no = $4) + "
                 "(SELECT COALESCE(MAX(k.amount), 0) FROM fee_kept k WHERE k.agreement = $1 AND "
                 "k.rule = $3 AND k.close_no = $4) "
                 "FROM agreement_terms a WHERE a.agreement = $1 AND a.number = $2",
                 V(row_str(rows, row, FEE_AGREEMENT)), V(row_int(rows, row, FEE_TERMS)),
                 V(row_int(rows, row, FEE_RULE)), V(row_int(rows, row, FEE_CLOSE))));
    ASSERT(had.count == 1);
    TRY(currency_parse(row_str(&had, 0, 0), &currency, tx->err));
    TRY(rule_step(rule, currency, &step, tx->err));
    *amount = rule_within(rule_cap_left(step.cap, row_int(&had, 0, 1)), *amount);
    return RC_OK;
}

/* By the terms that its lines were under, whatever has been agreed since. */
static enum rc fee_share(struct tx *tx, const struct rows *rows, size_t row, struct share *ret)
{
    struct agreement a;
    struct terms terms;
    rated sum = 0;
    const struct currency *currency = NULL;
    int64_t rule = row_int(rows, row, FEE_RULE);
    bool free = row_int(rows, row, FEE_FREE) != 0;
    TRY(agreement_get(tx, row_str(rows, row, FEE_AGREEMENT), &a));
    TRY(agreement_terms(tx, a.id, row_int(rows, row, FEE_TERMS), &terms));
    TRY(currency_parse(terms.currency, &currency, tx->err));
    TRY(rated_parse(row_str(rows, row, FEE_RATED), &sum, tx->err));
    const struct rule *rules = terms.rules.items;
    if (rule >= (int64_t)terms.rules.count)
        return err_set(tx->err, RC_CONFLICT,
                       "agreement '%.*s' has other rules than those that its fees were added up by",
                       STRF(a.id));
    int64_t amount = 0;
    TRY(rated_round(sum, currency, &amount, tx->err));
    TRY(cap_fee(tx, rows, row, &rules[rule], &amount));
    *ret = (struct share){
        .agreement = a.id,
        .terms = terms.number,
        .rule = rule,
        .origin = SHARE_OF_FEE,
        .payer = a.from,
        .payee = a.to,
        .close_no = row_int(rows, row, FEE_CLOSE),
        .label = free                  ? STR("Marketing:FreeTier")
                 : rules[rule].label.n ? rules[rule].label
                                       : STR("Fee"),
        .note = rule_text(&rules[rule], tx->arena),
        .currency = currency,
        .base = amount,
        .amount = amount,
        .earn = EARN_ON_INVOICE,
        .maturity_days = terms.maturity_days,
    };
    return RC_OK;
}

/* "fee of agreement agr_..., rule 1", and which sum of it. */
static struct str name_of(struct tx *tx, const struct rows *rows, size_t row)
{
    return arena_fmt(
        tx->arena, "fee of agreement %.*s, rule %lld (close %lld, terms %lld%s)",
        STRF(row_str(rows, row, FEE_AGREEMENT)), (long long)row_int(rows, row, FEE_RULE) + 1,
        (long long)row_int(rows, row, FEE_CLOSE), (long long)row_int(rows, row, FEE_TERMS),
        row_int(rows, row, FEE_FREE) != 0 ? ", free" : "");
}

enum rc fee_close(struct tx *tx, struct ledger *l, int64_t close_no, const struct close_pass *pass,
                  bool *ret_done)
{
    struct rows rows;
    /* Those that are passed by stay, and must not be all that is found. */
    size_t limit = FEE_CHUNK + (pass != NULL ? pass->count : 0);
    TRY(sql_rows(tx, &rows,
                 "SELECT agreement, terms, rule, free, rated, close_no FROM fee_sum "
                 "WHERE close_no <= $1 ORDER BY close_no, agreement, terms, rule, free LIMIT $2",
                 V(close_no), V((int64_t)limit)));
    for (size_t i = 0; i < rows.count; i++) {
        struct share share;
        struct str name = name_of(tx, &rows, i);
        if (close_passed(pass, name))
            continue;
        close_hand(pass, name);
        TRY(fee_share(tx, &rows, i, &share));
        TRY(share_accrue(tx, l, &share, 1, 0, 0));
        TRY(sql_run(tx,
                    "DELETE FROM fee_sum WHERE close_no = $1 AND agreement = $2 AND terms = $3 "
                    "AND rule = $4 AND free = $5",
                    V(share.close_no), V(share.agreement), V(share.terms), V(share.rule),
                    V(row_int(&rows, i, FEE_FREE))));
    }
    close_hand(pass, STR(""));
    *ret_done = rows.count < limit;
    return RC_OK;
}
