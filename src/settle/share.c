#include "settle/share.h"

#include "money/amount.h"
#include "money/round.h"
#include "settle/financing.h"

enum { DUE_PAGE = 1000, PIECE_ARENA_BYTES = 16 * 1024 * 1024 };

const char *const share_origins[] = {"referral", "revshare", "production", "cost", "fee", "margin",
                                     "prepaid",  "bad_debt", "work",       "move", NULL};

static const char *const earn_texts[] = {[EARN_ON_CASH] = "cash", [EARN_ON_INVOICE] = "invoice"};

#define COLUMNS                                                                                  \
    "no, agreement, terms, rule, kind, payer, payee, document, close_no, client, "               \
    "subscription, item, label, note, currency, base, weight, weight_credited, amount, voided, " \
    "earned, settled, earn, "                                                                    \
    "maturity_days, booked, "                                                                    \
    "created"
#define READ_COLUMNS COLUMNS ", COALESCE(lost, 0)"

static int64_t word_of(const char *const *words, size_t count, struct str text)
{
    for (size_t i = 0; i < count; i++)
        if (words[i] != NULL && str_eq(text, str_c(words[i])))
            return (int64_t)i;
    NEVER("a word in the store that is not in its table");
}

static struct share read_share(const struct rows *r, size_t row)
{
    return (struct share){
        .no = row_int(r, row, 0),
        .agreement = row_str(r, row, 1),
        .terms = row_int(r, row, 2),
        .rule = row_int(r, row, 3),
        .origin =
            (enum share_origin)word_of(share_origins, COUNT(share_origins), row_str(r, row, 4)),
        .payer = row_str(r, row, 5),
        .payee = row_str(r, row, 6),
        .document = row_int(r, row, 7),
        .close_no = row_int(r, row, 8),
        .client = row_str(r, row, 9),
        .subscription = row_str(r, row, 10),
        .item = row_str(r, row, 11),
        .label = row_str(r, row, 12),
        .note = row_str(r, row, 13),
        .currency = currency_find(row_str(r, row, 14)),
        .base = row_int(r, row, 15),
        .weight = row_int(r, row, 16),
        .weight_credited = row_int(r, row, 17),
        .amount = row_int(r, row, 18),
        .voided = row_int(r, row, 19),
        .earned = row_int(r, row, 20),
        .settled = row_int(r, row, 21),
        .earn = (enum earn_on)word_of(earn_texts, COUNT(earn_texts), row_str(r, row, 22)),
        .maturity_days = row_int(r, row, 23),
        .booked = row_int(r, row, 24) != 0,
        .created = row_int(r, row, 25),
        .lost = row_int(r, row, 26),
    };
}

static void read_shares(struct tx *tx, const struct rows *rows, struct share **ret,
                        size_t *ret_count)
{
    struct share *shares = NEW_N(tx->arena, struct share, rows->count);
    for (size_t i = 0; i < rows->count; i++)
        shares[i] = read_share(rows, i);
    *ret = shares;
    *ret_count = rows->count;
}

enum rc share_of_document(struct tx *tx, int64_t document, struct share_page page,
                          struct share **ret, size_t *ret_count)
{
    struct rows rows;
    ASSERT(page.limit > 0 && page.limit <= SHARES_OF_DOCUMENT_MAX);
    TRY(sql_rows(tx, &rows,
                 "SELECT " READ_COLUMNS " FROM share WHERE document = $1 AND no > $2 ORDER BY no "
                 "LIMIT $3",
                 V(document), V(page.after), V(page.limit)));
    read_shares(tx, &rows, ret, ret_count);
    return RC_OK;
}

/* All shares of an invoice in pieces, each with memory of its own, and with no more of them than a
 * chain has legs: an invoice may have more than a unit of work has room for. */
typedef enum rc (*share_fn)(struct tx *tx, struct share *shares, size_t count, void *arg);
static enum rc each_piece(struct tx *tx, int64_t document, share_fn fn, void *arg)
{
    struct arena own;
    struct tx piece = *tx;
    struct share_page page = {.limit = POSTING_LEGS_MAX};
    size_t count = POSTING_LEGS_MAX;
    enum rc rc = RC_OK;
    arena_init(&own, PIECE_ARENA_BYTES);
    piece.arena = &own;
    while (rc == RC_OK && count == POSTING_LEGS_MAX) {
        struct share *shares = NULL;
        arena_reset(&own);
        rc = share_of_document(&piece, document, page, &shares, &count);
        if (rc != RC_OK || count == 0)
            break;
        page.after = shares[count - 1].no;
        rc = fn(&piece, shares, count, arg);
    }
    arena_fini(&own);
    return rc;
}

/* --- what it is worth, and what of it is earned --- */

static int64_t worth(const struct share *s)
{
    return s->amount - s->voided;
}

/* What is earned when so much of the gross is paid. An invoice of nothing is paid as it stands; one
 * that was credited after it was paid is paid, and no more than that. */
static int64_t target(const struct share *s, int64_t paid, int64_t gross)
{
    if (s->earn == EARN_ON_INVOICE || gross == 0)
        return worth(s);
    /* Below 0 where what was sold is credited, and what the same invoice gave back is not. */
    int64_t sign = gross < 0 ? -1 : 1;
    int64_t most = gross < 0 ? max_i64(paid, gross) : min_i64(paid, gross);
    __int128 part = (__int128)sign * worth(s) * most;
    __int128 whole = (__int128)sign * gross;
    if (!s->booked)
        return (int64_t)round_div(part, whole);
    return (int64_t)round_div_mode(part, whole, part < 0 ? ROUND_FROM_ZERO : ROUND_TO_ZERO);
}

static enum rc keep_earning(struct tx *tx, const struct share *s, int64_t amount)
{
    return sql_run(tx,
                   "INSERT INTO share_earning (share, seq, at, amount) "
                   "SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3 FROM share_earning "
                   "WHERE share = $1",
                   V(s->no), V(tx->now), V(amount));
}

static enum rc set_earned(struct tx *tx, struct share *s, int64_t earned)
{
    if (earned == s->earned)
        return RC_OK;
    TRY(keep_earning(tx, s, earned - s->earned));
    s->earned = earned;
    return sql_run(tx, "UPDATE share SET earned = $2 WHERE no = $1", V(s->no), V(earned));
}

/* --- postings --- */

bool share_is_reserve(const struct share *s)
{
    return str_starts(s->label, STR(AGREEMENT_RESERVE));
}

static struct leg accrual(struct tx *tx, const struct share *s, int64_t amount,
                          enum posting_code code)
{
    bool marketing = str_starts(s->label, STR("Marketing:"));
    bool reserve = share_is_reserve(s);
    struct str kind = reserve ? str_sub(s->label, STR(AGREEMENT_RESERVE).n, s->label.n) : s->label;
    return (struct leg){
        .party = s->payer,
        .debit = marketing ? s->label : arena_fmt(tx->arena, "Expense:%.*s", STRF(kind)),
        .credit = reserve ? s->label : arena_fmt(tx->arena, "Commission:%.*s", STRF(s->payee)),
        .amount = amount,
        .code = code,
    };
}

/* An invoice may have more shares than a chain has legs. Each leg is whole in its payer's book, so
 * that any of the chains balances; as they are in one unit of work, all are there or none is. */
static enum rc post(struct tx *tx, struct ledger *l, const struct currency *currency,
                    const struct leg *legs, size_t count)
{
    for (size_t at = 0; at < count; at += POSTING_LEGS_MAX) {
        uint64_t number = 0;
        TRY(posting_number(tx, &number));
        TRY(posting_event(tx, l, STR("settle"), number, currency, &legs[at],
                          min_size(POSTING_LEGS_MAX, count - at)));
    }
    return RC_OK;
}

/* --- accrual --- */

static enum rc insert(struct tx *tx, const struct share *s)
{
    return sql_run(
        tx,
        "INSERT INTO share (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
        "$12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)",
        V(s->no), value_opt(s->agreement), V(s->terms), V(s->rule), V(share_origins[s->origin]),
        V(s->payer), V(s->payee), V(s->document), V(s->close_no), value_opt(s->client),
        value_opt(s->subscription), value_opt(s->item), V(s->label), V(s->note),
        V(s->currency->code), V(s->base), V(s->weight), V(s->weight_credited), V(s->amount),
        V(s->voided), V(s->earned), V(s->settled), V(earn_texts[s->earn]), V(s->maturity_days),
        V(s->booked), V(s->created));
}

enum rc share_accrue(struct tx *tx, struct ledger *l, struct share *shares, size_t count,
                     int64_t gross, int64_t paid)
{
    struct rows rows;
    size_t leg_count = 0;
    struct leg *legs = NEW_N(tx->arena, struct leg, count);
    if (count == 0)
        return RC_OK;
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) FROM share"));
    int64_t no = row_int(&rows, 0, 0);
    for (size_t i = 0; i < count; i++) {
        struct share *s = &shares[i];
        if (s->amount == 0 && !s->counts)
            continue;
        s->no = ++no;
        s->created = tx->now;
        if (share_is_reserve(s)) { /* set aside by the payer itself: nobody is owed */
            s->earn = EARN_ON_INVOICE;
            s->settled = s->amount;
        }
        int64_t earned = target(s, paid, gross);
        TRY(insert(tx, s));
        TRY(set_earned(tx, s, earned));
        if (!s->booked)
            legs[leg_count++] = accrual(tx, s, s->amount, POSTING_SHARE_ACCRUED);
    }
    return post(tx, l, shares[0].currency, legs, leg_count);
}

/* --- cash and credit --- */

struct paid_so_far {
    int64_t paid;
    int64_t gross; /* that there is to pay */
};

static enum rc follow_piece(struct tx *tx, struct share *shares, size_t count, void *arg)
{
    const struct paid_so_far *p = arg;
    for (size_t i = 0; i < count; i++)
        TRY(set_earned(tx, &shares[i], target(&shares[i], p->paid, p->gross)));
    return RC_OK;
}

enum rc share_follow(struct tx *tx, const struct document_row *invoice)
{
    struct paid_so_far p = {.paid = invoice->paid + invoice->prepaid,
                            .gross = invoice->gross - invoice->credited - invoice->written_off};
    return each_piece(tx, invoice->no, follow_piece, &p);
}

/* What is credited, by shares: looked for from the last one found on, as both come in one order. */
struct credited_parts {
    struct ledger *ledger;
    const struct share *parts;
    size_t count;
    size_t at;
    bool all; /* nothing of the invoice is left */
    /* Of the share before, while its piece is in hand: many are of one agreement. */
    struct str agreement;
    int64_t terms;
    int64_t clawback_days;
};

static const struct share *part_for(struct credited_parts *c, const struct share *s)
{
    for (size_t i = 0; i < c->count; i++) {
        size_t k = (c->at + i) % c->count;
        const struct share *part = &c->parts[k];
        if (part->origin != s->origin || part->rule != s->rule || part->terms != s->terms ||
            !str_eq(part->agreement, s->agreement) || !str_eq(part->payee, s->payee))
            continue;
        c->at = k + 1;
        return part;
    }
    return NULL;
}

static enum rc set_voided(struct tx *tx, struct share *s, int64_t voided)
{
    s->voided = voided;
    if (share_is_reserve(s))
        s->settled = worth(s);
    return sql_run(tx,
                   "UPDATE share SET voided = $2, weight_credited = $3, settled = $4, lost = $5 "
                   "WHERE no = $1",
                   V(s->no), V(voided), V(s->weight_credited), V(s->settled), V(s->lost));
}

/* R(amount x weight credited / weight). */
static int64_t by_weight(const struct share *s)
{
    int64_t sign = s->weight < 0 ? -1 : 1;
    return (int64_t)round_div((__int128)sign * s->amount * s->weight_credited,
                              (__int128)sign * s->weight);
}

/* Whose lines earned and lost the same has no share yet, and a part of them is taken back all the
 * same. */
static enum rc add_missing(struct tx *tx, const struct document_row *invoice,
                           const struct share *parts, size_t part_count)
{
    struct rows rows;
    for (size_t i = 0; i < part_count; i++) {
        struct share fresh = parts[i];
        if (fresh.amount == 0)
            continue;
        TRY(sql_rows(tx, &rows,
                     "SELECT no FROM share WHERE document = $1 AND kind = $2 AND rule = $3 AND "
                     "terms = $4 AND payee = $5 AND COALESCE(agreement, '') = $6 ORDER BY no "
                     "LIMIT 1",
                     V(invoice->no), V(share_origins[fresh.origin]), V(fresh.rule), V(fresh.terms),
                     V(fresh.payee), V(fresh.agreement)));
        if (rows.count > 0)
            continue;
        TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM share"));
        fresh.no = row_int(&rows, 0, 0);
        fresh.amount = fresh.base = fresh.weight = 0;
        fresh.created = tx->now;
        TRY(insert(tx, &fresh));
    }
    return RC_OK;
}

/* Without a weight the parts are added up. */
static int64_t by_parts(const struct credited_parts *c, const struct share *s, int64_t part)
{
    int64_t voided = s->voided + part;
    if (c->all)
        return s->amount;
    if (s->amount == 0)
        return voided;
    return s->amount > 0 ? min_i64(max_i64(voided, 0), s->amount)
                         : max_i64(min_i64(voided, 0), s->amount);
}

static enum rc find_clawback(struct tx *tx, struct credited_parts *c, const struct share *s)
{
    struct terms terms;
    if (c->terms == s->terms && str_eq(c->agreement, s->agreement))
        return RC_OK;
    TRY(agreement_terms(tx, s->agreement, s->terms, &terms));
    c->agreement = s->agreement;
    c->terms = s->terms;
    c->clawback_days = terms.clawback_days;
    return RC_OK;
}

/* What a credit note takes back in all. Behind the days of the agreement (from the accrual on) what
 * is earned stays; what waits for cash goes all the same, as that does not come. */
static enum rc voided_by_credit(struct tx *tx, struct credited_parts *c, const struct share *s,
                                int64_t part, int64_t *ret)
{
    *ret = s->weight != 0 ? by_weight(s) : by_parts(c, s, part);
    if (s->agreement.n == 0 || s->amount < 0)
        return RC_OK;
    TRY(find_clawback(tx, c, s));
    if (c->clawback_days > 0 && tx->now - s->created > c->clawback_days * US_PER_DAY)
        *ret = min_i64(*ret, s->amount - s->earned);
    return RC_OK;
}

static enum rc credit_piece(struct tx *tx, struct share *shares, size_t count, void *arg)
{
    struct credited_parts *c = arg;
    size_t leg_count = 0;
    struct leg *legs = NEW_N(tx->arena, struct leg, count);
    c->agreement = STR("");
    for (size_t i = 0; i < count; i++) {
        struct share *s = &shares[i];
        const struct share *part = part_for(c, s);
        if (part == NULL)
            continue;
        s->weight_credited += part->weight;
        int64_t voided = s->voided + part->amount; /* booked: what the books took, line by line */
        if (!s->booked)
            TRY(voided_by_credit(tx, c, s, part->amount, &voided));
        if (!s->booked)
            legs[leg_count++] = accrual(tx, s, s->voided - voided, POSTING_SHARE_VOID);
        TRY(set_voided(tx, s, voided));
    }
    return post(tx, c->ledger, shares[0].currency, legs, leg_count);
}

enum rc share_credit(struct tx *tx, struct ledger *l, const struct document_row *invoice,
                     const struct share *parts, size_t part_count)
{
    struct credited_parts c = {.ledger = l,
                               .parts = parts,
                               .count = part_count,
                               .all = invoice->state == DOCUMENT_CREDITED};
    TRY(add_missing(tx, invoice, parts, part_count));
    TRY(each_piece(tx, invoice->no, credit_piece, &c));
    return share_follow(tx, invoice);
}

/* --- bad debt --- */

struct writing_off {
    struct ledger *ledger;
    const struct document_row *invoice;
    bool recovers; /* some of it is paid after all */
};

/* What of the share's worth is void as its cash does not come: what is not earned; of what was void
 * and comes after all, R(worth x what may be paid / what was owed) is not any more. */
static int64_t lost_of(const struct writing_off *w, const struct share *s)
{
    const struct document_row *d = w->invoice;
    int64_t whole = worth(s) + s->lost;
    int64_t owed = d->gross - d->credited;
    if (!w->recovers)
        return s->lost + worth(s) - s->earned;
    if (s->lost == 0)
        return 0;
    ASSERT(owed > 0); /* something of it was open */
    return whole - (int64_t)round_div((__int128)whole * (owed - d->written_off), owed);
}

static enum rc write_off_piece(struct tx *tx, struct share *shares, size_t count, void *arg)
{
    const struct writing_off *w = arg;
    size_t leg_count = 0;
    struct leg *legs = NEW_N(tx->arena, struct leg, count);
    for (size_t i = 0; i < count; i++) {
        struct share *s = &shares[i];
        if (s->booked || share_is_reserve(s) || s->origin == SHARE_OF_BAD_DEBT)
            continue;
        int64_t more = lost_of(w, s) - s->lost;
        if (more == 0)
            continue;
        legs[leg_count++] = accrual(tx, s, -more, POSTING_SHARE_VOID);
        s->lost += more;
        TRY(set_voided(tx, s, s->voided + more));
        TRY(financing_lost(tx, w->ledger, s, more));
    }
    return post(tx, w->ledger, shares[0].currency, legs, leg_count);
}

static enum rc write_off(struct tx *tx, struct writing_off *w)
{
    TRY(each_piece(tx, w->invoice->no, write_off_piece, w));
    return share_follow(tx, w->invoice);
}

enum rc share_write_off(struct tx *tx, struct ledger *l, const struct document_row *invoice)
{
    return write_off(tx, &(struct writing_off){l, invoice, false});
}

enum rc share_recover(struct tx *tx, struct ledger *l, const struct document_row *invoice)
{
    return write_off(tx, &(struct writing_off){l, invoice, true});
}

/* --- settling --- */

/* Of what was earned, what is mature. What was taken back takes what was earned last before it; of
 * what nobody earned it counts at once. So nothing is asked back that was not payable yet, nor what
 * was settled and is earned. */
static enum rc mature(struct tx *tx, const struct share *s, time_us until, int64_t *ret)
{
    struct rows rows;
    int64_t ripe = 0;
    int64_t back = 0;
    time_us latest = until - s->maturity_days * US_PER_DAY;
    TRY(sql_rows(tx, &rows,
                 "SELECT amount, at FROM share_earning WHERE share = $1 ORDER BY seq DESC LIMIT $2",
                 V(s->no), V((int64_t)STORE_ROWS_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        int64_t amount = row_int(&rows, i, 0);
        int64_t gone = amount > 0 ? min_i64(back, amount) : amount;
        back -= gone;
        if (amount > 0 && row_int(&rows, i, 1) <= latest)
            ripe += amount - gone;
    }
    *ret = max_i64(ripe - back, min_i64(s->earned, max_i64(s->settled, 0)));
    return RC_OK;
}

/* Of the pair behind a number, those that may have something due: some of what was earned is
 * mature, or was taken back. */
struct due_query {
    struct str payer;
    struct str payee;
    struct str currency;
    time_us until;
    int64_t after;
};
static enum rc due_page(struct tx *tx, const struct due_query *q, struct share **ret,
                        size_t *ret_count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " READ_COLUMNS
                 " FROM share WHERE payer = $1 AND payee = $2 AND currency = $3 "
                 "AND earned <> settled AND created <= $4 AND no > $5 "
                 "AND (earned < settled OR settled < 0 OR EXISTS (SELECT 1 FROM share_earning e "
                 "WHERE e.share = share.no AND e.at <= $4 - share.maturity_days * $6)) "
                 "ORDER BY no LIMIT $7",
                 V(q->payer), V(q->payee), V(q->currency), V(q->until), V(q->after), V(US_PER_DAY),
                 V((int64_t)DUE_PAGE)));
    read_shares(tx, &rows, ret, ret_count);
    return RC_OK;
}

/* NOLINTNEXTLINE(readability-function-size): whose, until when, and a list of two columns. */
enum rc share_due(struct tx *tx, struct str payer, struct str payee, struct str currency,
                  time_us until, struct share **ret, int64_t **ret_due, size_t *ret_count)
{
    size_t found = DUE_PAGE;
    size_t count = 0;
    struct due_query q = {payer, payee, currency, until, 0};
    struct share *list = NEW_N(tx->arena, struct share, SHARES_DUE_MAX);
    int64_t *due = NEW_N(tx->arena, int64_t, SHARES_DUE_MAX);
    while (found == DUE_PAGE && count < SHARES_DUE_MAX) {
        struct share *shares = NULL;
        TRY(due_page(tx, &q, &shares, &found));
        for (size_t i = 0; i < found && count < SHARES_DUE_MAX; i++) {
            int64_t ripe = 0;
            q.after = shares[i].no;
            TRY(mature(tx, &shares[i], until, &ripe));
            if (ripe == shares[i].settled)
                continue;
            due[count] = ripe - shares[i].settled;
            list[count++] = shares[i];
        }
    }
    *ret = list;
    *ret_due = due;
    *ret_count = count;
    return RC_OK;
}

enum rc share_settle(struct tx *tx, struct ledger *l, const struct share *share, int64_t amount)
{
    TRY(sql_run(tx, "UPDATE share SET settled = settled + $2 WHERE no = $1", V(share->no),
                V(amount)));
    if (share->booked)
        return RC_OK;
    struct leg release = accrual(tx, share, -amount, POSTING_SHARE_EARNED);
    return post(tx, l, share->currency, &release, 1);
}

/* --- for people --- */

static const struct page_column sort_columns[] = {{"id", "s.no", PAGE_NUMBER},
                                                  {"created", "s.created", PAGE_NUMBER}};

/* A share has no id that leaves the house: its place in the list is its number. */
static const struct page_table share_table = {
    .select = "SELECT s.no FROM share s",
    .id = "s.no",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

static enum rc read_row(struct tx *tx, int64_t no, struct share_row *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " READ_COLUMNS " FROM share WHERE no = $1", V(no)));
    ASSERT(rows.count == 1);
    struct share s = read_share(&rows, 0);
    *ret = (struct share_row){
        .set = schema_all(&share_row_schema),
        .payer = s.payer,
        .origin = str_c(share_origins[s.origin]),
        .client = s.client,
        .item = s.item,
        .text = s.note,
        .base = amount_str(s.base, s.currency, tx->arena),
        .amount = amount_str(worth(&s), s.currency, tx->arena),
        .earned = amount_str(s.earned, s.currency, tx->arena),
        .settled = amount_str(s.settled, s.currency, tx->arena),
        .currency = str_c(s.currency->code),
        .created = s.created,
    };
    return RC_OK;
}

enum rc share_list(struct tx *tx, struct str payee, const struct page_query *q, struct page *ret)
{
    struct rows rows;
    struct str next;
    const struct page_term term = {"s.payee = ?", V(payee)};
    TRY(page_rows(tx, &share_table, q, &term, 1, &rows, &next));
    struct share_row *list = NEW_N(tx->arena, struct share_row, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(read_row(tx, row_int(&rows, i, 0), &list[i]));
    *ret = (struct page){{list, rows.count}, next};
    return RC_OK;
}
