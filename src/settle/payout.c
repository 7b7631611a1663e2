#include "base/id.h"
#include "money/amount.h"
#include "party/event.h"
#include "settle/fund.h"
#include "settle/make.h"

enum {
    AGREEMENTS_MAX = 10000, /* between two parties */
    PAIRS_AT_ONCE = 1000,
    PAYOUTS_AT_ONCE = 1000, /* in one unit of work */
    ROOM_BYTES = 16 * 1024 * 1024,
};

#define COLUMNS                                                                            \
    "no, id, payer, payee, book, amount, currency, iban, end_to_end, state, approved_by, " \
    "released_by, settlement, created"

struct out {
    int64_t no;
    struct payout payout;
    struct str book; /* whose bank pays: the payer's, or that of Clearing */
    const struct currency *currency;
    int64_t amount;
};

static int64_t state_of(struct str text)
{
    for (int64_t i = 0; payout_states[i] != NULL; i++)
        if (str_eq(text, str_c(payout_states[i])))
            return i;
    NEVER("a payout's state in the store that is none");
}

static enum rc find(struct tx *tx, struct str id, struct out *ret)
{
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT " COLUMNS " FROM payout WHERE id = $1", V(id)));
    if (r.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no payout '%.*s'", STRF(id));
    const struct currency *c = currency_find(row_str(&r, 0, 6));
    *ret = (struct out){.no = row_int(&r, 0, 0),
                        .book = row_str(&r, 0, 4),
                        .currency = c,
                        .amount = row_int(&r, 0, 5)};
    ret->payout = (struct payout){
        .set = schema_all(&payout_schema),
        .id = row_str(&r, 0, 1),
        .party = row_str(&r, 0, 2),
        .payee = row_str(&r, 0, 3),
        .amount = amount_str(ret->amount, c, tx->arena),
        .currency = str_c(c->code),
        .iban = row_str(&r, 0, 7),
        .end_to_end = row_str(&r, 0, 8),
        .state = state_of(row_str(&r, 0, 9)),
        .approved_by = row_str(&r, 0, 10),
        .released_by = row_str(&r, 0, 11),
        .settlement = row_str(&r, 0, 12),
        .created = row_int(&r, 0, 13),
    };
    return RC_OK;
}

enum rc payout_get(struct tx *tx, struct str id, struct payout *ret)
{
    struct out out;
    TRY(find(tx, id, &out));
    *ret = out.payout;
    return RC_OK;
}

static const struct page_column sort_columns[] = {{"id", "p.id", PAGE_TEXT},
                                                  {"created", "p.created", PAGE_NUMBER}};
static const struct page_table payout_table = {
    .select = "SELECT p.id FROM payout p",
    .id = "p.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc payout_list(struct tx *tx, struct str party, const struct page_query *q, struct page *ret)
{
    struct rows rows;
    struct str next;
    const struct page_term term = {"p.payer = ?" PAGE_OR "p.payee = ?", V(party)};
    TRY(page_rows(tx, &payout_table, q, &term, 1, &rows, &next));
    struct payout *list = NEW_N(tx->arena, struct payout, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(payout_get(tx, row_str(&rows, i, 0), &list[i]));
    *ret = (struct page){{list, rows.count}, next};
    return RC_OK;
}

/* --- the run --- */

/* What Clearing has of a currency for payouts of this unit of work. */
struct cash {
    const struct currency *currency;
    int64_t left;
    struct cash *next;
};

struct run {
    struct tx *tx;
    struct ledger *ledger;
    struct str party; /* who pays */
    struct str id;
    time_us until;
    struct close_pass pass;
    struct str operator_party;
    struct cash *cash;
};

static enum rc find_cash(struct run *r, const struct currency *currency, struct cash **ret)
{
    struct cash *c = r->cash;
    while (c != NULL && c->currency != currency)
        c = c->next;
    if (c == NULL) {
        c = NEW(r->tx->arena, struct cash);
        *c = (struct cash){.currency = currency, .next = r->cash};
        TRY(clearing_cash_free(r->tx, r->ledger, currency, &c->left));
        r->cash = c;
    }
    *ret = c;
    return RC_OK;
}

static bool has_room(const struct run *r, size_t made)
{
    return made < PAYOUTS_AT_ONCE && arena_room(r->tx->arena) > ROOM_BYTES;
}

/* What a payee has on its statements, and no payout of it yet. */
struct unpaid {
    struct str currency;
    struct str payee;
    int64_t amount;
};

/* The highest minimum of the agreements that the statements come from. */
static enum rc minimum(struct run *r, struct str payer, struct str payee, const struct currency *c,
                       int64_t *ret)
{
    struct rows rows;
    *ret = 0;
    TRY(sql_rows(r->tx, &rows,
                 "SELECT DISTINCT s.agreement FROM statement t "
                 "JOIN statement_share p ON p.statement = t.no JOIN share s ON s.no = p.share "
                 "WHERE t.payer = $1 AND t.payee = $2 AND t.currency = $3 AND t.payout IS NULL "
                 "AND s.agreement IS NOT NULL ORDER BY s.agreement LIMIT $4",
                 V(payer), V(payee), V(c->code), V((int64_t)AGREEMENTS_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        struct agreement a;
        int64_t least = 0;
        TRY(agreement_get(r->tx, row_str(&rows, i, 0), &a));
        if (a.terms.min_payout.n > 0 && str_eq(a.terms.currency, str_c(c->code)))
            TRY(amount_parse(a.terms.min_payout, c, &least, r->tx->err));
        *ret = max_i64(*ret, least);
    }
    return RC_OK;
}

/* A payout out of a book; its number. */
static enum rc pay(struct run *r, struct str book, struct str payee, const struct currency *c,
                   int64_t amount, int64_t *ret_no)
{
    struct rows rows;
    struct party to;
    struct tx *tx = r->tx;
    TRY(party_get(tx, payee, &to));
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM payout"));
    int64_t no = row_int(&rows, 0, 0);
    struct str id = id_new(tx->ids, tx->arena, "pyo");
    TRY(sql_run(tx,
                "INSERT INTO payout (no, id, payer, payee, book, amount, currency, iban, "
                "end_to_end, state, approved_by, released_by, settlement, created) VALUES ($1, $2, "
                "$3, $4, $5, $6, $7, $8, $9, $10, NULL, NULL, $11, $12)",
                V(no), V(id), V(r->party), V(payee), V(book), V(amount), V(c->code),
                value_opt(to.bank.iban), V(arena_fmt(tx->arena, "HANSE%010lld", (long long)no)),
                V(payout_states[PAYOUT_PENDING]), V(r->id), V(tx->now)));
    *ret_no = no;
    return event_put(tx, "event.payout.created", payee, "payout", id, 0, STR(""));
}

/* Statements that are paid now: each whole, the oldest first. */
struct fitting {
    int64_t amount;
    int64_t last; /* no of the last one */
};

static enum rc fit_statements(struct run *r, struct str payer, const struct unpaid *p, int64_t cash,
                              struct fitting *f)
{
    struct rows rows;
    int64_t sum = 0;
    TRY(sql_rows(r->tx, &rows,
                 "SELECT no, payable FROM statement WHERE payer = $1 AND payee = $2 "
                 "AND currency = $3 AND payout IS NULL ORDER BY no LIMIT $4",
                 V(payer), V(p->payee), V(p->currency), V((int64_t)STORE_ROWS_MAX)));
    *f = (struct fitting){0};
    for (size_t i = 0; i < rows.count; i++) {
        TRY(amount_add(sum, row_int(&rows, i, 1), &sum, r->tx->err));
        if (sum > 0 && sum <= cash)
            *f = (struct fitting){sum, row_int(&rows, i, 0)};
    }
    return RC_OK;
}

/* What Clearing has not is not paid, and who waits for it is told. */
static enum rc fit_cash(struct run *r, struct str payer, const struct unpaid *p,
                        const struct currency *c, struct fitting *f)
{
    struct cash *cash = NULL;
    TRY(find_cash(r, c, &cash));
    if (cash->left < p->amount) {
        TRY(fit_statements(r, payer, p, cash->left, f));
        TRY(clearing_wait_note(r->tx, r->id, p->payee, c, p->amount - f->amount));
    }
    cash->left -= f->amount;
    return RC_OK;
}

/* One pair; nothing where its statements do not come to enough. */
static enum rc pay_pair(struct run *r, struct str payer, const struct unpaid *p, size_t *made)
{
    int64_t least = 0;
    int64_t no = 0;
    const struct currency *c = NULL;
    TRY(currency_parse(p->currency, &c, r->tx->err));
    TRY(minimum(r, payer, p->payee, c, &least));
    if (p->amount < least)
        return RC_OK;
    struct fitting f = {.amount = p->amount, .last = INT64_MAX};
    if (str_eq(payer, POSTING_CLEARING))
        TRY(fit_cash(r, payer, p, c, &f));
    if (f.amount == 0)
        return RC_OK;
    TRY(pay(r, payer, p->payee, c, f.amount, &no));
    ++*made;
    return sql_run(r->tx,
                   "UPDATE statement SET payout = $4 WHERE payer = $1 AND payee = $2 "
                   "AND currency = $3 AND payout IS NULL AND no <= $5",
                   V(payer), V(p->payee), V(c->code), V(no), V(f.last));
}

/* All pairs of one payer's book whose statements come to enough, as many as a unit of work has room
 * for: those that wait for more are passed by, however many there are. */
static enum rc pay_pairs(struct run *r, struct str payer, bool to_operator, size_t *made)
{
    struct rows rows;
    struct unpaid last = {0};
    do {
        TRY(sql_rows(r->tx, &rows,
                     "SELECT currency, payee, CAST(SUM(payable) AS BIGINT) FROM statement "
                     "WHERE payer = $1 AND payout IS NULL AND (currency > $2 OR (currency = $2 "
                     "AND payee > $3)) AND CASE WHEN payee = $5 THEN 1 ELSE 0 END = $6 "
                     "GROUP BY currency, payee HAVING SUM(payable) > 0 "
                     "ORDER BY currency, payee LIMIT $4",
                     V(payer), V(last.currency), V(last.payee), V((int64_t)PAIRS_AT_ONCE),
                     V(r->operator_party), V(to_operator)));
        for (size_t i = 0; i < rows.count && has_room(r, *made); i++) {
            last =
                (struct unpaid){row_str(&rows, i, 0), row_str(&rows, i, 1), row_int(&rows, i, 2)};
            TRY(pay_pair(r, payer, &last, made));
        }
    } while (rows.count == PAIRS_AT_ONCE && has_room(r, *made));
    return RC_OK;
}

/* Where Clearing has not enough for all, the operator, who collects, comes last. */
static enum rc pay_book(struct run *r, struct str payer, bool *ret_done)
{
    size_t made = 0;
    TRY(pay_pairs(r, payer, false, &made));
    if (has_room(r, made))
        TRY(pay_pairs(r, payer, true, &made));
    *ret_done = has_room(r, made);
    return RC_OK;
}

/* --- what is left in Clearing --- */

/* The highest minimum under which the party buys: what it agreed with its own supplier. */
static enum rc minimum_of(struct run *r, const struct clearing_rest *rest, int64_t *ret)
{
    struct page page;
    struct agreement_query q = {.kind = AGREEMENT_SUPPLY,
                                .state = AGREEMENT_ACTIVE,
                                .to = rest->party,
                                .page = {.limit = PAGE_LIMIT_MAX}};
    q.set = (UINT64_C(1) << schema_find(&agreement_query_schema, STR("kind"))) |
            (UINT64_C(1) << schema_find(&agreement_query_schema, STR("state"))) |
            (UINT64_C(1) << schema_find(&agreement_query_schema, STR("to")));
    *ret = 0;
    TRY(agreement_list(r->tx, rest->party, &q, &page));
    const struct agreement *a = page.items.items;
    for (size_t i = 0; i < page.items.count; i++) {
        int64_t least = 0;
        if (a[i].terms.min_payout.n == 0 ||
            !str_eq(a[i].terms.currency, str_c(rest->currency->code)))
            continue;
        TRY(amount_parse(a[i].terms.min_payout, rest->currency, &least, r->tx->err));
        *ret = max_i64(*ret, least);
    }
    return RC_OK;
}

/* As much of it as is there. */
static enum rc pay_rest(struct run *r, const struct clearing_rest *rest)
{
    int64_t least = 0;
    int64_t no = 0;
    struct cash *cash = NULL;
    TRY(minimum_of(r, rest, &least));
    if (rest->amount < least)
        return RC_OK;
    TRY(find_cash(r, rest->currency, &cash));
    int64_t part = max_i64(min_i64(rest->amount, cash->left), 0);
    if (part < rest->amount)
        TRY(clearing_wait_note(r->tx, r->id, rest->party, rest->currency, rest->amount - part));
    if (part == 0 || part < least)
        return RC_OK;
    cash->left -= part;
    return pay(r, POSTING_CLEARING, rest->party, rest->currency, part, &no);
}

static enum rc pay_rests(struct run *r, struct clearing_walk *walk)
{
    struct clearing_rest *rests = NULL;
    size_t count = 0;
    TRY(clearing_rests(r->tx, r->ledger, walk, &rests, &count));
    for (size_t i = 0; i < count; i++) {
        TRY(pay_rest(r, &rests[i]));
    }
    return RC_OK;
}

/* What a debtor paid goes to the operator, who lent it, before it goes to anybody else. */
static enum rc recover(struct run *r, int64_t *after, bool *ret_done)
{
    bool found = true;
    for (size_t made = 0; found && has_room(r, made); made++) {
        int64_t no = 0;
        struct fund_due due;
        struct cash *cash = NULL;
        TRY(fund_next(r->tx, r->ledger, *after, &due, &found));
        if (!found)
            break;
        *after = due.no;
        TRY(find_cash(r, due.currency, &cash));
        int64_t part = max_i64(min_i64(due.amount, cash->left), 0);
        if (part == 0)
            continue;
        TRY(fund_take_back(r->tx, r->ledger, &due, part, r->id));
        TRY(pay(r, POSTING_CLEARING, due.party, due.currency, part, &no));
        cash->left -= part;
    }
    *ret_done = !found;
    return RC_OK;
}

static enum rc find_settlement(struct tx *tx, struct str party, struct str id, bool *ret_there,
                               struct settlement *ret)
{
    struct rows rows;
    TRY(sql_rows(
        tx, &rows,
        "SELECT cut_off, payouts, amount, passed FROM settlement WHERE party = $1 AND id = $2",
        V(party), V(id)));
    *ret_there = rows.count > 0;
    if (rows.count > 0)
        *ret = (struct settlement){.set = schema_all(&settlement_schema),
                                   .id = id,
                                   .party = party,
                                   .cut_off = row_int(&rows, 0, 0),
                                   .payouts = row_int(&rows, 0, 1),
                                   .amount = row_str(&rows, 0, 2),
                                   .passed = row_str(&rows, 0, 3)};
    return RC_OK;
}

/* Statements of a payer, and the payouts of all of them once there are no more to make. */
static enum rc state_and_pay(struct run *r, struct str payer, bool *ret_done)
{
    enum { STATEMENTS_AT_ONCE = 100000 };
    const struct statement_order order = {.payer = payer,
                                          .period = r->id,
                                          .until = r->until,
                                          .limit = STATEMENTS_AT_ONCE,
                                          .pass = &r->pass};
    TRY(statements_make(r->tx, r->ledger, &order, ret_done));
    return *ret_done ? pay_book(r, payer, ret_done) : RC_OK;
}

static enum rc step(struct run *r, struct settlement_progress *at)
{
    bool done = false;
    bool platform = str_eq(r->party, r->operator_party);
    switch (at->step) {
    case SETTLEMENT_OWN:
        TRY(state_and_pay(r, r->party, &done));
        if (!done)
            return RC_OK;
        /* The platform's neutral book is paid out by the operator's people. */
        at->step = platform ? SETTLEMENT_RECOVER : SETTLEMENT_END;
        return platform ? clearing_wait_clear(r->tx) : RC_OK;
    case SETTLEMENT_RECOVER:
        TRY(recover(r, &at->fund, &done));
        at->step = done ? SETTLEMENT_CLEARING : SETTLEMENT_RECOVER;
        return RC_OK;
    case SETTLEMENT_CLEARING:
        TRY(state_and_pay(r, POSTING_CLEARING, &done));
        at->step = done ? SETTLEMENT_NET : SETTLEMENT_CLEARING;
        return RC_OK;
    case SETTLEMENT_NET:
        TRY(clearing_net(r->tx, r->ledger, r->id, &at->walk));
        if (at->walk.done) {
            at->walk = (struct clearing_walk){0};
            at->step = SETTLEMENT_RESTS;
        }
        return RC_OK;
    case SETTLEMENT_RESTS:
        TRY(pay_rests(r, &at->walk));
        at->step = at->walk.done ? SETTLEMENT_END : SETTLEMENT_RESTS;
        return RC_OK;
    case SETTLEMENT_END:
        return RC_OK;
    }
    NEVER("every step of a settlement was taken");
}

enum rc settlement_some(struct tx *tx, struct ledger *l, const struct settlement *order,
                        struct settlement_progress *at)
{
    bool there = false;
    struct settlement made;
    struct party operator_party;
    TRY(party_operator(tx, &operator_party));
    struct run r = {.tx = tx,
                    .ledger = l,
                    .party = order->party,
                    .id = order->id,
                    .until = order->cut_off != 0 ? order->cut_off : tx->now,
                    .operator_party = operator_party.id};
    struct str *passed = NEW_N(tx->arena, struct str, SETTLEMENT_PASSED_MAX);
    for (size_t i = 0; i < at->passed; i++)
        passed[i] = str_c(at->names[i]);
    r.pass = (struct close_pass){at->passed, passed, at->hand};
    close_hand(&r.pass, STR(""));
    TRY(find_settlement(tx, r.party, r.id, &there, &made));
    if (r.until > tx->now && !there)
        return err_set_at(tx->err, RC_INVALID, STR("/cut_off"),
                          "the cut-off lies in the future: nothing is known of it yet");
    if (there)
        at->step = SETTLEMENT_END;
    return step(&r, at);
}

bool settlement_pass(struct settlement_progress *at, const struct settlement_progress *next,
                     struct err *err)
{
    size_t n = strlen(at->why);
    bool alone = err->rc == RC_CONFLICT || err->rc == RC_INVALID || err->rc == RC_NOT_FOUND ||
                 err->rc == RC_TOO_LARGE;
    if (!alone || next->hand[0] == '\0' || at->passed == SETTLEMENT_PASSED_MAX)
        return false;
    memcpy(at->names[at->passed++], next->hand, sizeof next->hand);
    (void)snprintf(at->why + n, sizeof at->why - n, "%sno %s: %.*s", n > 0 ? "; " : "", next->hand,
                   STRF(err_text(err)));
    err_clear(err);
    return true;
}

/* What a run paid, for people. */
struct paid {
    struct buf sums;
    int64_t count;
};

static enum rc add_paid(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct paid *p = arg;
    ASSERT(columns == 2);
    const struct currency *c = currency_find(cells[1].text);
    struct str text = amount_str(cells[0].number, c, tx->arena);
    buf_fmt(&p->sums, "%s%.*s %s", p->count > 0 ? ", " : "", STRF(text), c->code);
    p->count++;
    return RC_OK;
}

enum rc settlement_end(struct tx *tx, const struct settlement *order,
                       const struct settlement_progress *at, struct settlement *ret)
{
    enum { SUMS_MAX = 64 * 1024 };
    bool there = false;
    struct paid paid = {.count = 0};
    TRY(find_settlement(tx, order->party, order->id, &there, ret));
    if (there)
        return RC_OK;
    buf_init(&paid.sums, tx->arena, SUMS_MAX);
    TRY(sql_each(tx, add_paid, &paid,
                 "SELECT amount, currency FROM payout WHERE payer = $1 AND settlement = $2 "
                 "ORDER BY no",
                 V(order->party), V(order->id)));
    TRY(sql_run(tx,
                "INSERT INTO settlement (party, id, cut_off, payouts, amount, created, passed) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                V(order->party), V(order->id), V(order->cut_off != 0 ? order->cut_off : tx->now),
                V(paid.count), V(buf_str(&paid.sums)), V(tx->now), value_opt(str_c(at->why))));
    return find_settlement(tx, order->party, order->id, &there, ret);
}

/* --- from pending to confirmed --- */

static enum rc must_be(struct tx *tx, const struct out *o, enum payout_state state)
{
    if (o->payout.state != (int64_t)state)
        return err_set(tx->err, RC_CONFLICT, "payout '%.*s' is %s, not %s", STRF(o->payout.id),
                       payout_states[o->payout.state], payout_states[state]);
    return RC_OK;
}

/* A payee that had no bank account when the payout was made may have one now; one that it had then
 * stays, as it is what somebody looked at. */
static enum rc find_bank(struct tx *tx, struct out *o)
{
    struct party payee;
    if (o->payout.iban.n > 0)
        return RC_OK;
    TRY(party_get(tx, o->payout.payee, &payee));
    if (payee.bank.iban.n == 0)
        return RC_OK;
    o->payout.iban = payee.bank.iban;
    return sql_run(tx, "UPDATE payout SET iban = $2 WHERE no = $1", V(o->no), V(o->payout.iban));
}

enum rc payout_approve(struct tx *tx, struct str id, struct str user, struct payout *ret)
{
    struct out o;
    TRY(find(tx, id, &o));
    TRY(must_be(tx, &o, PAYOUT_PENDING));
    TRY(find_bank(tx, &o));
    TRY(sql_run(tx, "UPDATE payout SET state = $2, approved_by = $3 WHERE no = $1", V(o.no),
                V(payout_states[PAYOUT_APPROVED]), V(user)));
    return payout_get(tx, id, ret);
}

static enum rc post(struct tx *tx, struct ledger *l, const struct out *o, int64_t amount)
{
    uint64_t number = 0;
    const struct leg legs[] = {
        {.party = o->book,
         .debit = arena_fmt(tx->arena, "AP:%.*s", STRF(o->payout.payee)),
         .credit = STR("Bank"),
         .amount = amount,
         .code = POSTING_PAYOUT},
        {.party = o->payout.payee,
         .debit = STR("Bank"),
         .credit = arena_fmt(tx->arena, "AR:%.*s", STRF(o->book)),
         .amount = amount,
         .code = POSTING_PAYOUT},
    };
    TRY(posting_number(tx, &number));
    return posting_event(tx, l, STR("settle"), number, o->currency, legs, COUNT(legs));
}

/* Money may have gone back to a bank since the payout was made. */
static enum rc check_cash(struct tx *tx, struct ledger *l, const struct out *o)
{
    int64_t cash = 0;
    if (!str_eq(o->book, POSTING_CLEARING))
        return RC_OK;
    TRY(clearing_cash(tx, l, o->currency, &cash));
    if (cash >= o->amount)
        return RC_OK;
    struct str has = amount_str(cash, o->currency, tx->arena);
    return err_set(tx->err, RC_CONFLICT,
                   "Clearing has %.*s %s on its account, and payout '%.*s' is %.*s: it waits until "
                   "more has come in",
                   STRF(has), o->currency->code, STRF(o->payout.id), STRF(o->payout.amount));
}

enum rc payout_release(struct tx *tx, struct ledger *l, struct str id, struct str user,
                       struct payout *ret)
{
    struct out o;
    TRY(find(tx, id, &o));
    TRY(must_be(tx, &o, PAYOUT_APPROVED));
    if (str_eq(o.payout.approved_by, user))
        return err_set(tx->err, RC_FORBIDDEN,
                       "you approved this payout: another user releases it (four eyes)");
    TRY(find_bank(tx, &o));
    if (o.payout.iban.n == 0)
        return err_set(tx->err, RC_CONFLICT,
                       "the payee has no bank account: it sets bank.iban of its party first");
    TRY(check_cash(tx, l, &o));
    TRY(post(tx, l, &o, o.amount));
    TRY(sql_run(tx, "UPDATE payout SET state = $2, released_by = $3 WHERE no = $1", V(o.no),
                V(payout_states[PAYOUT_SENT]), V(user)));
    return payout_get(tx, id, ret);
}

enum rc payout_confirm(struct tx *tx, struct ledger *l, struct str id, bool returned,
                       struct payout *ret)
{
    struct out o;
    TRY(find(tx, id, &o));
    TRY(must_be(tx, &o, PAYOUT_SENT));
    if (returned) {
        /* The debt is there again, and the next run pays it. */
        TRY(post(tx, l, &o, -o.amount));
        TRY(sql_run(tx, "UPDATE statement SET payout = NULL WHERE payout = $1", V(o.no)));
    }
    TRY(sql_run(tx, "UPDATE payout SET state = $2 WHERE no = $1", V(o.no),
                V(payout_states[returned ? PAYOUT_RETURNED : PAYOUT_CONFIRMED])));
    return payout_get(tx, id, ret);
}
