#include "settle/make.h"

#include "base/id.h"
#include "money/amount.h"
#include "party/event.h"
#include "settle/financing.h"

enum {
    PAIRS_MAX = 100000,
    SHARES_AT_ONCE = 2 * SHARES_DUE_MAX, /* in one unit of work: more is for the next one */
    LEGS_AT_ONCE = POSTING_LEGS_MAX,
};
_Static_assert(LEGS_AT_ONCE % 2 == 0, "both legs of a line are in one chain");

struct pair_of {
    struct str payer;
    struct str payee;
    struct str currency;
};
struct making {
    struct tx *tx;
    struct ledger *ledger;
    struct pair_of pair;
    const struct currency *currency;
    struct str period;
    struct str close;
    const struct share *shares;
    const int64_t *due;
    size_t count;
    int64_t total; /* due, net of tax */
};

/* --- what is due, as lines --- */

static bool same_line(const struct share *a, const struct share *b)
{
    return str_eq(a->agreement, b->agreement) && a->rule == b->rule && a->origin == b->origin &&
           str_eq(a->client, b->client) && str_eq(a->label, b->label);
}

static struct str line_text(struct making *m, const struct share *s)
{
    return s->client.n > 0
               ? arena_fmt(m->tx->arena, "%.*s, client %.*s", STRF(s->label), STRF(s->client))
               : s->label;
}

static bool is_marketing(struct str label)
{
    return str_starts(label, STR("Marketing:"));
}

/* What the payee earns by it: the payer's marketing is its services. */
static struct str income_of(struct str label)
{
    return is_marketing(label) ? STR("Services") : label;
}

/* One line for each rule and client; sign turns a credit note's lines positive. */
static size_t make_lines(struct making *m, int64_t sign, struct draft_line *lines)
{
    size_t count = 0;
    const struct share **first = NEW_N(m->tx->arena, const struct share *, m->count);
    for (size_t i = 0; i < m->count; i++) {
        size_t k = 0;
        while (k < count && !same_line(first[k], &m->shares[i]))
            k++;
        if (k == count) {
            first[count++] = &m->shares[i];
            lines[k] = (struct draft_line){.text = line_text(m, &m->shares[i]),
                                           .item = m->shares[i].item,
                                           .income = m->shares[i].label,
                                           .quantity = {1, 0},
                                           .unit = STR("C62"),
                                           .tax_class = TAX_CLASS_STANDARD};
        }
        lines[k].net += sign * m->due[i];
    }
    for (size_t k = 0; k < count; k++)
        lines[k].price = (struct price){lines[k].net, m->currency->exponent};
    return count;
}

/* --- the debt --- */

/* Whether the payee has agreed that the payer writes its invoices: on any agreement in hand. */
static enum rc find_consent(struct making *m, bool *ret, struct agreement *ret_agreement)
{
    *ret = false;
    struct str last = STR("");
    for (size_t i = 0; i < m->count; i++) {
        struct str id = m->shares[i].agreement;
        if (id.n == 0 || str_eq(id, last))
            continue;
        last = id;
        TRY(agreement_get(m->tx, id, ret_agreement));
        if (ret_agreement->terms.self_billing) {
            *ret = true;
            return RC_OK;
        }
    }
    return RC_OK;
}

/* A statement may have more lines than a chain has legs: line by line each is whole. */
static enum rc post_all(struct making *m, const struct leg *legs, size_t count)
{
    for (size_t at = 0; at < count; at += LEGS_AT_ONCE) {
        uint64_t number = 0;
        TRY(posting_number(m->tx, &number));
        TRY(posting_event(m->tx, m->ledger, STR("settle"), number, m->currency, &legs[at],
                          min_size(LEGS_AT_ONCE, count - at)));
    }
    return RC_OK;
}

/* What is the payer's marketing stays it, and is no expense of another kind. */
static enum rc keep_marketing(struct making *m, const struct draft_line *lines, size_t count,
                              int64_t sign)
{
    size_t leg_count = 0;
    struct leg *legs = NEW_N(m->tx->arena, struct leg, count);
    for (size_t i = 0; i < count; i++)
        if (is_marketing(lines[i].income))
            legs[leg_count++] = (struct leg){.party = m->pair.payer,
                                             .debit = lines[i].income,
                                             .credit = STR("Expense:Services"),
                                             .amount = sign * lines[i].net,
                                             .code = POSTING_FREE_TIER};
    return post_all(m, legs, leg_count);
}

static enum rc self_bill(struct making *m, const struct agreement *a, struct str *ret_document)
{
    struct document made;
    struct document final;
    int64_t sign = m->total < 0 ? -1 : 1;
    struct draft_line *lines = NEW_N(m->tx->arena, struct draft_line, m->count);
    size_t count = make_lines(m, sign, lines);
    TRY(keep_marketing(m, lines, count, sign));
    for (size_t i = 0; i < count; i++)
        lines[i].income = income_of(lines[i].income);
    const struct draft draft = {
        .code = sign < 0 ? DOCUMENT_SELF_BILLED_CREDIT : DOCUMENT_SELF_BILLED,
        .issuer = m->pair.payee,
        .recipient = m->pair.payer,
        .agreement = a->id,
        .currency = m->currency,
        .payment_days = a->terms.payment_days,
        .close = m->close,
        .tax = (enum tax_treatment)a->terms.tax,
        .note = arena_fmt(m->tx->arena, "self-billing, statement of %.*s", STRF(m->period)),
        .lines = lines,
        .count = count,
    };
    TRY(document_draft(m->tx, &draft, &made));
    TRY(document_finalise(m->tx, m->ledger, made.id, &final));
    *ret_document = final.id;
    return RC_OK;
}

static enum rc post_debt(struct making *m)
{
    size_t legs_count = 0;
    struct arena *arena = m->tx->arena;
    struct draft_line *lines = NEW_N(arena, struct draft_line, m->count);
    size_t count = make_lines(m, 1, lines);
    struct leg *legs = NEW_N(arena, struct leg, count * 2);
    for (size_t i = 0; i < count; i++) {
        struct str expense = is_marketing(lines[i].income)
                                 ? lines[i].income
                                 : arena_fmt(arena, "Expense:%.*s", STRF(lines[i].income));
        struct str income = arena_fmt(arena, "Income:%.*s", STRF(income_of(lines[i].income)));
        legs[legs_count++] =
            (struct leg){.party = m->pair.payer,
                         .debit = expense,
                         .credit = arena_fmt(arena, "AP:%.*s", STRF(m->pair.payee)),
                         .amount = lines[i].net,
                         .code = POSTING_SHARE_EARNED};
        legs[legs_count++] = (struct leg){.party = m->pair.payee,
                                          .debit = arena_fmt(arena, "AR:%.*s", STRF(m->pair.payer)),
                                          .credit = income,
                                          .amount = lines[i].net,
                                          .code = POSTING_SHARE_EARNED};
    }
    return post_all(m, legs, legs_count);
}

/* What the payee may ask for now: with its tax. */
static enum rc make_debt(struct making *m, struct str *ret_document, int64_t *ret_payable)
{
    bool booked = m->shares[0].booked;
    bool consent = false;
    struct agreement agreement;
    *ret_document = STR("");
    *ret_payable = m->total;
    if (booked)
        return RC_OK;
    TRY(find_consent(m, &consent, &agreement));
    if (!consent || m->total == 0)
        return post_debt(m);
    TRY(self_bill(m, &agreement, ret_document));
    struct document_row row;
    TRY(document_row_find(m->tx, *ret_document, &row));
    *ret_payable = m->total < 0 ? -row.gross : row.gross;
    return RC_OK;
}

/* --- the statement --- */

struct accrued {
    int64_t amount; /* since the statement before, as it stands now */
    int64_t waiting;
    int64_t last; /* share */
};

/* What is settled wholly waits no more, and is not read (index share_unsettled). */
static enum rc sums(struct making *m, struct accrued *ret)
{
    struct rows rows;
    const struct pair_of *p = &m->pair;
    TRY(sql_rows(m->tx, &rows,
                 "SELECT last_share FROM statement WHERE payer = $1 AND payee = $2 AND "
                 "currency = $3 ORDER BY no DESC LIMIT 1",
                 V(p->payer), V(p->payee), V(p->currency)));
    int64_t before = rows.count > 0 ? row_int(&rows, 0, 0) : 0;
    TRY(sql_rows(m->tx, &rows,
                 "SELECT COALESCE(SUM(amount - voided), 0), COALESCE(MAX(no), $4) FROM share "
                 "WHERE payer = $1 AND payee = $2 AND currency = $3 AND no > $4",
                 V(p->payer), V(p->payee), V(p->currency), V(before)));
    *ret = (struct accrued){.amount = row_int(&rows, 0, 0), .last = row_int(&rows, 0, 1)};
    TRY(sql_rows(m->tx, &rows,
                 "SELECT COALESCE(SUM(amount - voided - settled), 0) FROM share WHERE payer = $1 "
                 "AND payee = $2 AND currency = $3 AND amount - voided <> settled",
                 V(p->payer), V(p->payee), V(p->currency)));
    ret->waiting = row_int(&rows, 0, 0);
    return RC_OK;
}

static enum rc insert(struct making *m, struct str document, int64_t payable)
{
    struct rows rows;
    struct tx *tx = m->tx;
    struct accrued accrued;
    int64_t back = 0;
    TRY(sums(m, &accrued));
    for (size_t i = 0; i < m->count; i++)
        back += m->due[i] < 0 ? -m->due[i] : 0;
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM statement"));
    int64_t no = row_int(&rows, 0, 0);
    struct str id = id_new(tx->ids, tx->arena, "stm");
    TRY(sql_run(tx,
                "INSERT INTO statement (no, id, payee, payer, period, currency, accrued, earned, "
                "clawed_back, waiting, payable, document, close, payout, created, last_share) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, NULL, $14, $15)",
                V(no), V(id), V(m->pair.payee), V(m->pair.payer), V(m->period), V(m->pair.currency),
                V(accrued.amount), V(m->total + back), V(back), V(accrued.waiting), V(payable),
                value_opt(document), value_opt(m->close), V(tx->now), V(accrued.last)));
    for (size_t i = 0; i < m->count; i++)
        TRY(sql_run(tx,
                    "INSERT INTO statement_share (statement, share, amount) VALUES ($1, $2, $3)",
                    V(no), V(m->shares[i].no), V(m->due[i])));
    return event_put(tx, "event.statement.created", m->pair.payee, "statement", id, 0, STR(""));
}

/* The debt of booked shares is in the books, that of others is not: those of the first one's kind,
 * the others are on the next statement. */
static size_t of_one_kind(struct share *shares, int64_t *due, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (shares[i].booked == shares[0].booked) {
            shares[kept] = shares[i];
            due[kept++] = due[i];
        }
    return kept;
}

static enum rc make_one(struct making *m, time_us until, bool *ret_more)
{
    struct str document = STR("");
    int64_t payable = 0;
    struct share *shares = NULL;
    int64_t *due = NULL;
    TRY(share_due(m->tx, m->pair.payer, m->pair.payee, m->pair.currency, until, &shares, &due,
                  &m->count));
    *ret_more = m->count == SHARES_DUE_MAX;
    size_t kept = of_one_kind(shares, due, m->count);
    *ret_more = *ret_more || kept < m->count;
    m->count = kept;
    m->shares = shares;
    m->due = due;
    m->total = 0;
    if (m->count == 0)
        return RC_OK;
    for (size_t i = 0; i < m->count; i++) {
        TRY(share_settle(m->tx, m->ledger, &shares[i], due[i]));
        TRY(amount_add(m->total, due[i], &m->total, m->tx->err));
    }
    TRY(make_debt(m, &document, &payable));
    if (!shares[0].booked)
        TRY(financing_follow(m->tx, m->ledger, shares, due, m->count));
    return insert(m, document, payable);
}

/* As many statements of a pair as it takes, or as there is room for. */
static enum rc make_pair(struct making *m, time_us until, size_t *shares, size_t *ret_made)
{
    bool more = true;
    *ret_made = 0;
    while (more && *shares < SHARES_AT_ONCE) {
        TRY(make_one(m, until, &more));
        *shares += m->count;
        *ret_made += m->count > 0;
    }
    return RC_OK;
}

/* Pairs that may have something due, behind the last one looked at. */
enum rc statements_make(struct tx *tx, struct ledger *l, const struct statement_order *order,
                        bool *ret_done)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT DISTINCT payer, payee, currency FROM share WHERE earned <> settled "
                 "AND created <= $1 AND ($2 = '' OR payer = $2) AND NOT EXISTS "
                 "(SELECT 1 FROM statement t WHERE t.payer = share.payer "
                 "AND t.payee = share.payee AND t.currency = share.currency "
                 "AND t.period = $3 AND t.created = $4) "
                 "ORDER BY payer, payee, currency LIMIT $5",
                 V(order->until), V(order->payer), V(order->period), V(tx->now),
                 V((int64_t)PAIRS_MAX)));
    size_t made_count = 0;
    size_t shares = 0;
    for (size_t i = 0; i < rows.count && made_count < order->limit && shares < SHARES_AT_ONCE;
         i++) {
        size_t made = 0;
        struct making m = {
            .tx = tx,
            .ledger = l,
            .pair = {row_str(&rows, i, 0), row_str(&rows, i, 1), row_str(&rows, i, 2)},
            .period = order->period,
            .close = order->close,
        };
        struct str name = arena_fmt(tx->arena, "statement of %.*s for %.*s in %.*s",
                                    STRF(m.pair.payer), STRF(m.pair.payee), STRF(m.pair.currency));
        if (close_passed(order->pass, name))
            continue;
        close_hand(order->pass, name);
        TRY(currency_parse(m.pair.currency, &m.currency, tx->err));
        TRY(make_pair(&m, order->until, &shares, &made));
        made_count += made;
    }
    close_hand(order->pass, STR(""));
    *ret_done = made_count < order->limit && shares < SHARES_AT_ONCE;
    return RC_OK;
}
