#include "settle/clearing.h"

#include "money/amount.h"
#include "settle/share.h"
#include "settle/statement.h"

enum {
    PURSES_MAX = 100000,
    INVOICES_AT_ONCE = 200, /* of one party in one round */
    PARTS_AT_ONCE = 1000,   /* paid in one unit of work */
    RESTS_AT_ONCE = 200,    /* the caller's work on them has room, too */
    UNDO_MAX = 4096,
    ROOM_BYTES = 16 * 1024 * 1024, /* left for what a run does besides */
};

enum rc clearing_collects(struct tx *tx, const struct document_row *d, bool *ret)
{
    struct agreement a;
    *ret = d->settle == SETTLE_COLLECT;
    if (d->settle != SETTLE_CHAIN || d->agreement.n == 0)
        return RC_OK;
    TRY(agreement_get(tx, d->agreement, &a));
    *ret = a.kind == AGREEMENT_SUPPLY && a.terms.upstream.n > 0;
    return RC_OK;
}

/* --- what a party has --- */

/* One party's money in one currency. */
struct purse {
    struct str party;
    const struct currency *currency;
    account_id account; /* where a run looks for it */
};

static enum rc balance_of(struct tx *tx, struct ledger *l, const struct purse *p, int64_t *ret)
{
    account_id account = 0;
    struct balance b;
    struct str code = arena_fmt(tx->arena, "AP:%.*s", STRF(p->party));
    *ret = 0;
    enum rc rc = ledger_find(tx, l, POSTING_CLEARING, str_c(p->currency->code), code, &account);
    if (rc == RC_NOT_FOUND) {
        err_clear(tx->err);
        return RC_OK;
    }
    TRY(rc);
    TRY(ledger_balance(tx, l, account, &b));
    *ret = b.credits - b.debits;
    return RC_OK;
}

/* Margins that wait for cash or for their statement. What is settled adds nothing, and is not read:
 * the index share_unsettled has the others. */
static enum rc unsettled_part(struct tx *tx, const struct purse *p, int64_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT COALESCE(SUM(amount - voided - settled), 0) FROM share WHERE payer = $1 "
                 "AND payee = $2 AND currency = $3 AND amount - voided <> settled",
                 V(POSTING_CLEARING), V(p->party), V(p->currency->code)));
    *ret = row_int(&rows, 0, 0);
    return RC_OK;
}

/* What of the balance is COLLECT's: what is not settled, and statements that wait for their payout.
 */
static enum rc collect_part(struct tx *tx, const struct purse *p, int64_t *ret)
{
    struct rows rows;
    struct str code = str_c(p->currency->code);
    TRY(unsettled_part(tx, p, ret));
    TRY(sql_rows(tx, &rows,
                 "SELECT COALESCE(SUM(payable), 0) FROM statement WHERE payer = $1 AND payee = $2 "
                 "AND currency = $3 AND payout IS NULL",
                 V(POSTING_CLEARING), V(p->party), V(code)));
    *ret += row_int(&rows, 0, 0);
    return RC_OK;
}

/* Payouts that are made and not sent: their money is still in the balance. */
static enum rc unsent_part(struct tx *tx, const struct purse *p, int64_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT COALESCE(SUM(amount), 0) FROM payout WHERE book = $1 AND payee = $2 AND "
                 "currency = $3 AND state IN ($4, $5)",
                 V(POSTING_CLEARING), V(p->party), V(p->currency->code),
                 V(payout_states[PAYOUT_PENDING]), V(payout_states[PAYOUT_APPROVED])));
    *ret = row_int(&rows, 0, 0);
    return RC_OK;
}

/* What the party may use. Where COLLECT has taken back more than it owes, that is held back. */
static enum rc free_of(struct tx *tx, struct ledger *l, const struct purse *p, int64_t *ret)
{
    int64_t balance = 0;
    int64_t collect = 0;
    int64_t unsent = 0;
    TRY(balance_of(tx, l, p, &balance));
    TRY(collect_part(tx, p, &collect));
    TRY(unsent_part(tx, p, &unsent));
    *ret = balance - max_i64(collect, 0) - unsent;
    return RC_OK;
}

/* What a run works with: taken once, as it looks at all parties again and again. */
struct clearing {
    struct tx *tx;
    struct ledger *ledger;
    struct str settlement;
    account_id after;
    size_t parts; /* paid so far */
    size_t count;
    struct purse *purses;
    size_t invoice_count;
    struct document_row *invoices;
};

static void begin(struct clearing *c, struct tx *tx, struct ledger *l)
{
    *c = (struct clearing){.tx = tx,
                           .ledger = l,
                           .purses = NEW_N(tx->arena, struct purse, PURSES_MAX),
                           .invoices = NEW_N(tx->arena, struct document_row, INVOICES_AT_ONCE)};
}

static enum rc on_account(struct tx *tx, const struct account *a, void *arg)
{
    struct clearing *c = arg;
    bool owed = str_starts(a->code, STR("AP:")) && a->balance.credits > a->balance.debits;
    if (!owed || a->id <= c->after)
        return RC_OK;
    if (c->count == PURSES_MAX)
        return err_set(tx->err, RC_TOO_LARGE, "more than %d parties have money in Clearing",
                       PURSES_MAX);
    c->purses[c->count++] =
        (struct purse){arena_str(tx->arena, str_sub(a->code, STR("AP:").n, a->code.n)),
                       currency_find(a->currency), a->id};
    return RC_OK;
}

static enum rc find_purses(struct clearing *c, account_id after)
{
    c->count = 0;
    c->after = after;
    return ledger_accounts(c->tx, c->ledger, POSTING_CLEARING, on_account, c);
}

static bool has_room(const struct clearing *c)
{
    return arena_room(c->tx->arena) > ROOM_BYTES && c->parts < PARTS_AT_ONCE;
}

/* --- invoices that Clearing pays --- */

static enum rc on_debt(struct tx *tx, const struct document_row *d, void *arg)
{
    struct clearing *c = arg;
    (void)tx;
    c->invoices[c->invoice_count++] = *d;
    return RC_OK;
}

/* Of the path: under a SUPPLY agreement of mode CHAIN, so that the issuer, too, has its money in
 * Clearing. */
static enum rc find_invoices(struct clearing *c, const struct purse *p)
{
    c->invoice_count = 0;
    return document_row_debts(c->tx, p->party, str_c(p->currency->code), SETTLE_CHAIN,
                              INVOICES_AT_ONCE, on_debt, c);
}

/* --- paying within Clearing --- */

static enum rc post_part(struct tx *tx, struct ledger *l, const struct document_row *d,
                         int64_t amount)
{
    uint64_t number = 0;
    struct arena *arena = tx->arena;
    struct str owes = arena_fmt(arena, "AP:%.*s", STRF(d->issuer));
    struct leg legs[] = {
        {.party = POSTING_CLEARING,
         .debit = arena_fmt(arena, "AP:%.*s", STRF(d->recipient)),
         .credit = owes},
        {.party = d->recipient, .debit = owes, .credit = STR("AR:Clearing")},
        {.party = d->issuer,
         .debit = STR("AR:Clearing"),
         .credit = arena_fmt(arena, "AR:%.*s", STRF(d->recipient))},
    };
    for (size_t i = 0; i < COUNT(legs); i++) {
        legs[i].amount = amount;
        legs[i].code = POSTING_PAYMENT;
    }
    TRY(posting_number(tx, &number));
    return posting_event(tx, l, STR("settle"), number, d->currency, legs, COUNT(legs));
}

/* So much of it (below 0: back): books, document, shares that wait for its cash, and why. */
static enum rc pay_part(struct tx *tx, struct ledger *l, struct document_row *d, int64_t amount,
                        struct str settlement)
{
    TRY(post_part(tx, l, d, amount));
    TRY(document_row_paid(tx, d->no, amount));
    d->paid += amount;
    TRY(share_follow(tx, d));
    return sql_run(tx,
                   "INSERT INTO clearing_part (no, settlement, payer, payee, document, amount, "
                   "currency, created) SELECT COALESCE(MAX(no), 0) + 1, $1, $2, $3, $4, $5, $6, $7 "
                   "FROM clearing_part",
                   value_opt(settlement), V(d->recipient), V(d->issuer), V(d->no), V(amount),
                   V(d->currency->code), V(tx->now));
}

static enum rc net_purse(struct clearing *c, const struct purse *p)
{
    int64_t left = 0;
    TRY(free_of(c->tx, c->ledger, p, &left));
    if (left <= 0)
        return RC_OK;
    TRY(find_invoices(c, p));
    for (size_t i = 0; i < c->invoice_count && left > 0 && has_room(c); i++) {
        struct document_row *d = &c->invoices[i];
        int64_t part = min_i64(document_open(d), left);
        TRY(pay_part(c->tx, c->ledger, d, part, c->settlement));
        left -= part;
        c->parts++;
    }
    return RC_OK;
}

/* From where the walk is to the last party. Whom it had no room for, wholly, comes next time. */
static enum rc net_round(struct clearing *c, struct clearing_walk *walk)
{
    TRY(find_purses(c, walk->after));
    for (size_t i = 0; i < c->count; i++) {
        size_t before = c->parts;
        TRY(net_purse(c, &c->purses[i]));
        walk->moved = walk->moved || c->parts > before;
        if (!has_room(c))
            return RC_OK;
        walk->after = c->purses[i].account;
    }
    *walk = (struct clearing_walk){.done = !walk->moved};
    return RC_OK;
}

enum rc clearing_net(struct tx *tx, struct ledger *l, struct str settlement,
                     struct clearing_walk *walk)
{
    struct clearing c;
    begin(&c, tx, l);
    c.settlement = settlement;
    while (!walk->done && has_room(&c))
        TRY(net_round(&c, walk));
    return RC_OK;
}

enum rc clearing_rests(struct tx *tx, struct ledger *l, struct clearing_walk *walk,
                       struct clearing_rest **ret, size_t *ret_count)
{
    struct clearing c;
    size_t i = 0;
    size_t count = 0;
    begin(&c, tx, l);
    TRY(find_purses(&c, walk->after));
    struct clearing_rest *rests = NEW_N(tx->arena, struct clearing_rest, RESTS_AT_ONCE);
    for (; i < c.count && count < RESTS_AT_ONCE && has_room(&c); i++) {
        const struct purse *p = &c.purses[i];
        int64_t left = 0;
        walk->after = p->account;
        TRY(free_of(tx, l, p, &left));
        if (left <= 0)
            continue;
        TRY(find_invoices(&c, p));
        if (c.invoice_count == 0)
            rests[count++] = (struct clearing_rest){p->party, p->currency, left};
    }
    walk->done = i == c.count;
    *ret = rests;
    *ret_count = count;
    return RC_OK;
}

/* --- money that went back --- */

struct missing {
    struct purse purse;
    int64_t amount; /* at most so much of what is missing is of this event */
};
struct undoing {
    struct tx *tx;
    struct ledger *ledger;
    size_t count;
    struct missing list[UNDO_MAX];
};

/* A payout of a rest; one of statements stays: what they say is owed. */
static enum rc void_payouts(struct tx *tx, const struct purse *p)
{
    return sql_run(tx,
                   "UPDATE payout SET state = $1 WHERE book = $2 AND payee = $3 AND currency = $4 "
                   "AND state IN ($5, $6) AND NOT EXISTS (SELECT 1 FROM statement s WHERE "
                   "s.payer = $2 AND s.payee = $3 AND s.currency = $4 AND s.payout = payout.no)",
                   V(payout_states[PAYOUT_VOID]), V(POSTING_CLEARING), V(p->party),
                   V(p->currency->code), V(payout_states[PAYOUT_PENDING]),
                   V(payout_states[PAYOUT_APPROVED]));
}

static enum rc note_missing(struct undoing *u, struct str party, const struct currency *currency,
                            int64_t amount)
{
    if (u->count == UNDO_MAX)
        return err_set(u->tx->err, RC_TOO_LARGE, "more than %d payments would be undone at once",
                       UNDO_MAX);
    u->list[u->count++] = (struct missing){{.party = party, .currency = currency}, amount};
    return RC_OK;
}

/* The invoices that the party paid last are open again, until nothing of it is missing. */
static enum rc reopen(struct undoing *u, const struct purse *p, int64_t missing)
{
    struct rows rows;
    struct tx *tx = u->tx;
    TRY(sql_rows(tx, &rows,
                 "SELECT document, SUM(amount), MAX(no) AS latest FROM clearing_part WHERE "
                 "payer = $1 AND currency = $2 GROUP BY document HAVING SUM(amount) > 0 "
                 "ORDER BY latest DESC LIMIT $3",
                 V(p->party), V(p->currency->code), V((int64_t)UNDO_MAX)));
    for (size_t i = 0; i < rows.count && missing > 0; i++) {
        struct document_row d;
        int64_t part = min_i64(row_int(&rows, i, 1), missing);
        TRY(document_row_get(tx, row_int(&rows, i, 0), &d));
        TRY(pay_part(tx, u->ledger, &d, -part, STR("")));
        TRY(note_missing(u, d.issuer, d.currency, part));
        missing -= part;
    }
    return RC_OK;
}

static enum rc undo_one(struct undoing *u, const struct missing *m)
{
    int64_t left = 0;
    TRY(free_of(u->tx, u->ledger, &m->purse, &left));
    if (left >= 0)
        return RC_OK;
    TRY(void_payouts(u->tx, &m->purse));
    TRY(free_of(u->tx, u->ledger, &m->purse, &left));
    return left < 0 ? reopen(u, &m->purse, min_i64(-left, m->amount)) : RC_OK;
}

enum rc clearing_undo(struct tx *tx, struct ledger *l, struct str party,
                      const struct currency *currency, int64_t amount)
{
    struct undoing *u = NEW(tx->arena, struct undoing);
    u->tx = tx;
    u->ledger = l;
    TRY(note_missing(u, party, currency, amount));
    for (size_t i = 0; i < u->count; i++) {
        const struct missing m = u->list[i];
        TRY(undo_one(u, &m));
    }
    return RC_OK;
}

/* What Clearing paid of an invoice, its taking back counted. */
static enum rc parts_of(struct tx *tx, int64_t document, int64_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT COALESCE(SUM(amount), 0) FROM clearing_part WHERE document = $1",
                 V(document)));
    *ret = row_int(&rows, 0, 0);
    return RC_OK;
}

enum rc clearing_credited(struct tx *tx, struct ledger *l, const struct document_row *invoice)
{
    int64_t parts = 0;
    struct document_row d = *invoice;
    int64_t over = -document_open(&d);
    if (over <= 0)
        return RC_OK;
    TRY(parts_of(tx, d.no, &parts));
    int64_t back = min_i64(over, parts);
    if (back <= 0)
        return RC_OK;
    TRY(pay_part(tx, l, &d, -back, STR("")));
    return clearing_undo(tx, l, d.issuer, d.currency, back);
}

/* --- what is there to be paid out --- */

/* The balance of an account of Clearing's, on the side where the money is. */
static enum rc on_side(struct tx *tx, struct ledger *l, const struct currency *currency,
                       const char *code, int64_t *ret)
{
    account_id account = 0;
    struct balance b;
    *ret = 0;
    enum rc rc = ledger_find(tx, l, POSTING_CLEARING, str_c(currency->code), str_c(code), &account);
    if (rc == RC_NOT_FOUND) {
        err_clear(tx->err);
        return RC_OK;
    }
    TRY(rc);
    TRY(ledger_balance(tx, l, account, &b));
    *ret = b.debits - b.credits;
    return RC_OK;
}

enum rc clearing_cash(struct tx *tx, struct ledger *l, const struct currency *currency,
                      int64_t *ret)
{
    int64_t bank = 0;
    int64_t suspense = 0;
    TRY(on_side(tx, l, currency, "Bank", &bank));
    TRY(on_side(tx, l, currency, "Suspense", &suspense));
    *ret = bank + suspense;
    return RC_OK;
}

enum rc clearing_cash_free(struct tx *tx, struct ledger *l, const struct currency *currency,
                           int64_t *ret)
{
    struct rows rows;
    TRY(clearing_cash(tx, l, currency, ret));
    TRY(sql_rows(tx, &rows,
                 "SELECT COALESCE(SUM(amount), 0) FROM payout WHERE book = $1 AND currency = $2 "
                 "AND state IN ($3, $4)",
                 V(POSTING_CLEARING), V(currency->code), V(payout_states[PAYOUT_PENDING]),
                 V(payout_states[PAYOUT_APPROVED])));
    *ret -= row_int(&rows, 0, 0);
    return RC_OK;
}

enum rc clearing_debt(struct tx *tx, struct ledger *l, struct str party,
                      const struct currency *currency, int64_t *ret)
{
    struct rows rows;
    int64_t balance = 0;
    const struct purse p = {.party = party, .currency = currency};
    TRY(balance_of(tx, l, &p, &balance));
    TRY(sql_rows(tx, &rows,
                 "SELECT CAST(COALESCE(SUM(amount - voided - earned), 0) AS BIGINT) FROM share "
                 "WHERE payer = $1 AND payee = $2 AND currency = $3 AND amount - voided <> earned",
                 V(POSTING_CLEARING), V(party), V(currency->code)));
    *ret = max_i64(row_int(&rows, 0, 0) - balance, 0);
    return RC_OK;
}

enum rc clearing_wait_clear(struct tx *tx)
{
    return sql_run(tx, "DELETE FROM clearing_wait");
}

enum rc clearing_wait_note(struct tx *tx, struct str settlement, struct str party,
                           const struct currency *currency, int64_t amount)
{
    return sql_run(tx,
                   "INSERT INTO clearing_wait (no, party, currency, amount, settlement, created) "
                   "SELECT COALESCE(MAX(no), 0) + 1, $1, $2, $3, $4, $5 FROM clearing_wait",
                   V(party), V(currency->code), V(amount), V(settlement), V(tx->now));
}

enum rc clearing_waiting(struct tx *tx, int64_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COUNT(*) FROM clearing_wait"));
    *ret = row_int(&rows, 0, 0);
    return RC_OK;
}

/* --- for people --- */

/* Everything that moved a party's money under CHAIN: it sums up to what the party has. What
 * somebody collects for another issuer comes to Clearing; one payment may pay such invoices and
 * others. place, no and seq tell apart what happened at one instant. */
#define MOVED                                                                                 \
    "SELECT d.issuer AS party, 'collected' AS kind, d.id AS document, d.recipient AS other, " \
    "q.amount AS amount, p.currency AS currency, p.created AS created, 'c' AS place, "        \
    "p.no AS no, q.seq AS seq "                                                               \
    "FROM payment p JOIN payment_part q ON q.payment = p.no "                                 \
    "JOIN document d ON d.no = q.document "                                                   \
    "WHERE p.party <> d.issuer AND p.state <> 'returned' AND d.settle = 0 "                   \
    "UNION ALL SELECT c.payee, 'received', d.id, c.payer, c.amount, c.currency, c.created, "  \
    "'r', c.no, 0 FROM clearing_part c JOIN document d ON d.no = c.document "                 \
    "UNION ALL SELECT c.payer, 'paid', d.id, c.payee, -c.amount, c.currency, c.created, "     \
    "'s', c.no, 0 FROM clearing_part c JOIN document d ON d.no = c.document "                 \
    "UNION ALL SELECT r.party, 'recovered', NULL, f.debtor, r.amount, r.currency, "           \
    "r.created, 'v', r.no, 0 FROM clearing_recovery r "                                       \
    "JOIN clearing_fund f ON f.no = r.fund "                                                  \
    "UNION ALL SELECT p.payee, 'payout', NULL, p.id, -p.amount, p.currency, p.created, "      \
    "'t', p.no, 0 FROM payout p WHERE p.book = 'Clearing' "                                   \
    "AND p.state IN ('sent', 'confirmed') AND NOT EXISTS "                                    \
    "(SELECT 1 FROM statement s WHERE s.payer = p.book AND s.payee = p.payee "                \
    "AND s.currency = p.currency AND s.payout = p.no)"
#define MOVES "(" MOVED ") m"
/* And what did not move, as Clearing has not enough of it. */
#define LISTED                                                                                 \
    "(" MOVED " UNION ALL SELECT w.party, 'waits', NULL, w.settlement, w.amount, w.currency, " \
    "w.created, 'w', w.no, 0 FROM clearing_wait w) m"
_Static_assert(SETTLE_CHAIN == 0, "as it is written in MOVES");

static const struct page_column sort_columns[] = {{"id", "k.key", PAGE_TEXT},
                                                  {"created", "k.created", PAGE_NUMBER}};
static const struct page_table move_table = {
    .select = "SELECT k.key, k.kind, k.document, k.other, k.amount, k.currency, k.created FROM "
              "(SELECT m.party, m.kind, m.document, m.other, m.amount, m.currency, m.created, "
              "SUBSTR('0000000000000000000' || CAST(m.created AS TEXT), "
              "LENGTH('0000000000000000000' || CAST(m.created AS TEXT)) - 18) || m.place || "
              "SUBSTR('0000000000000000000' || CAST(m.no AS TEXT), "
              "LENGTH('0000000000000000000' || CAST(m.no AS TEXT)) - 18) || "
              "CAST(m.seq AS TEXT) AS key FROM " LISTED ") k",
    .id = "k.key",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc clearing_list(struct tx *tx, struct str party, const struct page_query *q, struct page *ret)
{
    struct rows rows;
    struct str next;
    const struct page_term term = {"k.party = ?", V(party)};
    TRY(page_rows(tx, &move_table, q, &term, 1, &rows, &next));
    struct clearing_entry *list = NEW_N(tx->arena, struct clearing_entry, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        const struct currency *c = currency_find(row_str(&rows, i, 5));
        list[i] = (struct clearing_entry){
            .set = schema_all(&clearing_entry_schema),
            .kind = row_str(&rows, i, 1),
            .document = row_str(&rows, i, 2),
            .other = row_str(&rows, i, 3),
            .amount = amount_str(row_int(&rows, i, 4), c, tx->arena),
            .currency = str_c(c->code),
            .created = row_int(&rows, i, 6),
        };
    }
    *ret = (struct page){{list, rows.count}, next};
    return RC_OK;
}

/* --- proof --- */

struct proving {
    struct tx *tx;
    struct ledger *ledger;
};

/* What a run reads of the shares is what all that there ever were add up to. */
static enum rc check_unsettled(struct tx *tx, const struct purse *p, int64_t all)
{
    int64_t read = 0;
    TRY(unsettled_part(tx, p, &read));
    if (read == all)
        return RC_OK;
    return err_set(tx->err, RC_INVALID,
                   "'%.*s' has %lld minor units of %s on no statement yet, its shares say %lld",
                   STRF(p->party), (long long)read, p->currency->code, (long long)all);
}

/* Booked shares less what their statements' payouts sent, and what moved under CHAIN. */
static enum rc told_of(struct tx *tx, const struct purse *p, int64_t *ret)
{
    struct rows rows;
    struct str code = str_c(p->currency->code);
    TRY(sql_rows(tx, &rows,
                 "SELECT COALESCE(SUM(m.amount), 0) FROM " MOVES
                 " WHERE m.party = $1 AND m.currency = $2",
                 V(p->party), V(code)));
    *ret = row_int(&rows, 0, 0);
    TRY(sql_rows(tx, &rows,
                 "SELECT COALESCE(SUM(amount - voided), 0), COALESCE(SUM(settled), 0) FROM share "
                 "WHERE payer = $1 AND payee = $2 AND currency = $3",
                 V(POSTING_CLEARING), V(p->party), V(code)));
    *ret += row_int(&rows, 0, 0);
    TRY(check_unsettled(tx, p, row_int(&rows, 0, 0) - row_int(&rows, 0, 1)));
    TRY(sql_rows(tx, &rows,
                 "SELECT COALESCE(SUM(s.payable), 0) FROM statement s JOIN payout p "
                 "ON p.no = s.payout WHERE s.payer = $1 AND s.payee = $2 AND s.currency = $3 "
                 "AND p.state IN ($4, $5)",
                 V(POSTING_CLEARING), V(p->party), V(code), V(payout_states[PAYOUT_SENT]),
                 V(payout_states[PAYOUT_CONFIRMED])));
    *ret -= row_int(&rows, 0, 0);
    return RC_OK;
}

static enum rc prove(struct proving *v, const struct purse *p)
{
    int64_t balance = 0;
    int64_t told = 0;
    TRY(balance_of(v->tx, v->ledger, p, &balance));
    TRY(told_of(v->tx, p, &told));
    if (balance != told)
        return err_set(
            v->tx->err, RC_INVALID,
            "Clearing owes '%.*s' %lld minor units of %s, what came in and went out says "
            "%lld",
            STRF(p->party), (long long)balance, p->currency->code, (long long)told);
    return RC_OK;
}

static enum rc prove_account(struct tx *tx, const struct account *a, void *arg)
{
    (void)tx;
    if (!str_starts(a->code, STR("AP:")))
        return RC_OK;
    const struct purse p = {.party = str_sub(a->code, STR("AP:").n, a->code.n),
                            .currency = currency_find(a->currency)};
    return prove(arg, &p);
}

static enum rc prove_move(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    (void)tx;
    ASSERT(columns == 2);
    const struct purse p = {.party = cells[0].text, .currency = currency_find(cells[1].text)};
    return prove(arg, &p);
}

enum rc clearing_verify(struct tx *tx, struct ledger *l)
{
    struct proving v = {tx, l};
    TRY(ledger_accounts(tx, l, POSTING_CLEARING, prove_account, &v));
    return sql_each(tx, prove_move, &v,
                    "SELECT m.party, m.currency FROM " MOVES
                    " GROUP BY m.party, m.currency ORDER BY m.party, m.currency");
}
