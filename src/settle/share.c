#include "settle/share.h"

#include "money/amount.h"
#include "money/round.h"

const char *const share_origins[] = {"referral", "revshare", "production", "cost", "fee",
                                     "margin",   "prepaid",  "bad_debt",   NULL};

static const char *const earn_texts[] = {[EARN_ON_CASH] = "cash", [EARN_ON_INVOICE] = "invoice"};

#define COLUMNS                                                                                  \
    "no, agreement, terms, rule, kind, payer, payee, document, close_no, client, "               \
    "subscription, item, label, note, currency, base, weight, weight_credited, amount, voided, " \
    "earned, settled, earn, "                                                                    \
    "maturity_days, booked, "                                                                    \
    "created"

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

enum rc share_of_document(struct tx *tx, int64_t document, struct share **ret, size_t *ret_count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM share WHERE document = $1 ORDER BY no LIMIT $2",
                 V(document), V((int64_t)SHARES_OF_DOCUMENT_MAX)));
    read_shares(tx, &rows, ret, ret_count);
    return RC_OK;
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
    int64_t most = gross < 0 ? max_i64(paid, gross) : min_i64(paid, gross);
    return (int64_t)round_div((__int128)worth(s) * most, gross);
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

static enum rc post(struct tx *tx, struct ledger *l, const struct currency *currency,
                    const struct leg *legs, size_t count)
{
    uint64_t number = 0;
    if (count == 0)
        return RC_OK;
    TRY(posting_number(tx, &number));
    return posting_event(tx, l, STR("settle"), number, currency, legs, count);
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
        if (s->amount == 0)
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

static enum rc follow(struct tx *tx, struct share *shares, size_t count, int64_t paid,
                      int64_t gross)
{
    for (size_t i = 0; i < count; i++)
        TRY(set_earned(tx, &shares[i], target(&shares[i], paid, gross)));
    return RC_OK;
}

enum rc share_follow(struct tx *tx, const struct document_row *invoice)
{
    struct share *shares = NULL;
    size_t count = 0;
    TRY(share_of_document(tx, invoice->no, &shares, &count));
    return follow(tx, shares, count, invoice->paid + invoice->prepaid,
                  invoice->gross - invoice->credited - invoice->written_off);
}

static const struct share *part_for(const struct share *s, const struct share *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parts[i].origin == s->origin && parts[i].rule == s->rule &&
            str_eq(parts[i].agreement, s->agreement) && str_eq(parts[i].payee, s->payee))
            return &parts[i];
    return NULL;
}

static enum rc set_voided(struct tx *tx, struct share *s, int64_t voided)
{
    s->voided = voided;
    if (share_is_reserve(s))
        s->settled = worth(s);
    return sql_run(tx,
                   "UPDATE share SET voided = $2, weight_credited = $3, settled = $4 WHERE no = $1",
                   V(s->no), V(voided), V(s->weight_credited), V(s->settled));
}

/* R(amount x weight credited / weight). */
static int64_t by_weight(const struct share *s)
{
    int64_t sign = s->weight < 0 ? -1 : 1;
    return (int64_t)round_div((__int128)sign * s->amount * s->weight_credited,
                              (__int128)sign * s->weight);
}

/* A tier whose lines earned and lost the same has no share yet, and a part of them is taken back
 * all the same. */
static enum rc add_missing(struct tx *tx, const struct document_row *invoice,
                           const struct share *parts, size_t part_count)
{
    struct rows rows;
    struct share *shares = NULL;
    size_t count = 0;
    TRY(share_of_document(tx, invoice->no, &shares, &count));
    for (size_t i = 0; i < part_count; i++) {
        struct share fresh = parts[i];
        if (!fresh.booked || fresh.amount == 0 || part_for(&fresh, shares, count) != NULL)
            continue;
        TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM share"));
        fresh.no = row_int(&rows, 0, 0);
        fresh.amount = fresh.base = fresh.weight = 0;
        fresh.created = tx->now;
        TRY(insert(tx, &fresh));
    }
    return RC_OK;
}

enum rc share_credit(struct tx *tx, struct ledger *l, const struct document_row *invoice,
                     const struct share *parts, size_t part_count)
{
    struct share *shares = NULL;
    size_t count = 0;
    size_t leg_count = 0;
    TRY(add_missing(tx, invoice, parts, part_count));
    TRY(share_of_document(tx, invoice->no, &shares, &count));
    struct leg *legs = NEW_N(tx->arena, struct leg, count);
    for (size_t i = 0; i < count; i++) {
        struct share *s = &shares[i];
        const struct share *part = part_for(s, parts, part_count);
        if (part == NULL || (s->weight == 0 && !s->booked))
            continue;
        s->weight_credited += part->weight;
        int64_t voided = s->voided + part->amount; /* booked: what the books took, line by line */
        if (!s->booked)
            voided = by_weight(s);
        if (!s->booked)
            legs[leg_count++] = accrual(tx, s, s->voided - voided, POSTING_SHARE_VOID);
        TRY(set_voided(tx, s, voided));
    }
    TRY(follow(tx, shares, count, invoice->paid + invoice->prepaid,
               invoice->gross - invoice->credited - invoice->written_off));
    return count > 0 ? post(tx, l, shares[0].currency, legs, leg_count) : RC_OK;
}

/* --- bad debt --- */

enum rc share_write_off(struct tx *tx, struct ledger *l, const struct document_row *invoice)
{
    struct share *shares = NULL;
    size_t count = 0;
    size_t leg_count = 0;
    TRY(share_of_document(tx, invoice->no, &shares, &count));
    struct leg *legs = NEW_N(tx->arena, struct leg, count);
    for (size_t i = 0; i < count; i++) {
        struct share *s = &shares[i];
        int64_t unearned = worth(s) - s->earned;
        if (s->booked || share_is_reserve(s) || s->origin == SHARE_OF_BAD_DEBT || unearned == 0)
            continue;
        legs[leg_count++] = accrual(tx, s, -unearned, POSTING_SHARE_VOID);
        TRY(set_voided(tx, s, s->voided + unearned));
    }
    TRY(share_follow(tx, invoice));
    return count > 0 ? post(tx, l, invoice->currency, legs, leg_count) : RC_OK;
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

/* NOLINTNEXTLINE(readability-function-size): whose, until when, and a list of two columns. */
enum rc share_due(struct tx *tx, struct str payer, struct str payee, struct str currency,
                  time_us until, struct share **ret, int64_t **ret_due, size_t *ret_count)
{
    struct rows rows;
    struct share *shares = NULL;
    size_t found = 0;
    size_t count = 0;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM share WHERE payer = $1 AND payee = $2 AND currency = $3 "
                 "AND earned <> settled AND created <= $4 ORDER BY no LIMIT $5",
                 V(payer), V(payee), V(currency), V(until), V((int64_t)STORE_ROWS_MAX)));
    read_shares(tx, &rows, &shares, &found);
    int64_t *due = NEW_N(tx->arena, int64_t, found);
    for (size_t i = 0; i < found; i++) {
        int64_t ripe = 0;
        TRY(mature(tx, &shares[i], until, &ripe));
        if (ripe == shares[i].settled)
            continue;
        due[count] = ripe - shares[i].settled;
        shares[count++] = shares[i];
    }
    *ret = shares;
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

static const struct page_column sort_columns[] = {{"id", "s.key", PAGE_TEXT},
                                                  {"created", "s.created", PAGE_NUMBER}};

/* A share has no id that leaves the house: its place in the list is its number in digits. */
static const struct page_table share_table = {
    .select = "SELECT s.no FROM (SELECT no, payee, created, "
              "SUBSTR('0000000000000000000' || CAST(no AS TEXT), "
              "LENGTH('0000000000000000000' || CAST(no AS TEXT)) - 18) AS key FROM share) s",
    .id = "s.key",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

static enum rc read_row(struct tx *tx, int64_t no, struct share_row *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM share WHERE no = $1", V(no)));
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
