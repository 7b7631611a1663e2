#include "settle/payment.h"

#include "base/id.h"
#include "money/amount.h"
#include "money/reference.h"
#include "settle/bad_debt.h"
#include "settle/clearing.h"
#include "settle/share.h"

enum { OPEN_MAX = 1000, REFERENCE_TEXT = 140, PARTS_MAX = 1000, RF_HEAD = 4 };

#define COLUMNS                                                                             \
    "no, id, party, payer, amount, currency, reference, remittance, document, value_date, " \
    "matched, book, state, created"

struct booked {
    int64_t no;
    struct payment payment;
    const struct currency *currency;
    int64_t amount;
    int64_t matched;
    bool clearing; /* the platform's account, on behalf of those on the path */
};

static struct booked read_row(struct tx *tx, const struct rows *r, size_t row)
{
    struct booked b = {
        .no = row_int(r, row, 0),
        .currency = currency_find(row_str(r, row, 5)),
        .amount = row_int(r, row, 4),
        .matched = row_int(r, row, 10),
        .clearing = str_eq(row_str(r, row, 11), POSTING_CLEARING),
    };
    b.payment = (struct payment){
        .set = schema_all(&payment_schema),
        .id = row_str(r, row, 1),
        .party = row_str(r, row, 2),
        .payer = row_str(r, row, 3),
        .amount = amount_str(b.amount, b.currency, tx->arena),
        .currency = row_str(r, row, 5),
        .reference = row_str(r, row, 6),
        .remittance = row_str(r, row, 7),
        .document = row_str(r, row, 8),
        .value_date = row_str(r, row, 9),
        .matched = amount_str(b.matched, b.currency, tx->arena),
        .state = row_str(r, row, 12),
        .created = row_int(r, row, 13),
    };
    return b;
}

static enum rc find(struct tx *tx, struct str id, struct booked *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM payment WHERE id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no payment '%.*s'", STRF(id));
    *ret = read_row(tx, &rows, 0);
    return RC_OK;
}

enum rc payment_get(struct tx *tx, struct str id, struct payment *ret)
{
    struct booked b;
    TRY(find(tx, id, &b));
    *ret = b.payment;
    return RC_OK;
}

/* --- one document --- */

/* One payment of one document: `back` undoes it. */
static enum rc post_part(struct tx *tx, struct ledger *l, const struct document_row *d,
                         int64_t amount)
{
    struct leg legs[3];
    size_t count = 0;
    bool cleared = false;
    uint64_t number = 0;
    struct str ar_client = arena_fmt(tx->arena, "AR:%.*s", STRF(d->recipient));
    bool collect = d->settle == SETTLE_COLLECT;
    TRY(clearing_collects(tx, d, &cleared));
    struct str creditor = collect ? POSTING_CLEARING : d->issuer;
    struct str ap_creditor = arena_fmt(tx->arena, "AP:%.*s", STRF(creditor));
    if (cleared && !collect) {
        legs[count++] = (struct leg){.party = POSTING_CLEARING,
                                     .debit = STR("Bank"),
                                     .credit = arena_fmt(tx->arena, "AP:%.*s", STRF(d->issuer))};
        legs[count++] =
            (struct leg){.party = d->issuer, .debit = STR("AR:Clearing"), .credit = ar_client};
    } else {
        legs[count++] = (struct leg){.party = creditor, .debit = STR("Bank"), .credit = ar_client};
    }
    legs[count++] =
        (struct leg){.party = d->recipient, .debit = ap_creditor, .credit = STR("Bank")};
    for (size_t i = 0; i < count; i++) {
        legs[i].amount = amount;
        legs[i].code = POSTING_PAYMENT;
    }
    TRY(posting_number(tx, &number));
    return posting_event(tx, l, STR("settle"), number, d->currency, legs, count);
}

enum rc payment_apply(struct tx *tx, struct ledger *l, struct document_row *d, int64_t amount)
{
    TRY(post_part(tx, l, d, amount));
    TRY(document_row_paid(tx, d->no, amount));
    d->paid += amount;
    return share_follow(tx, d);
}

/* --- matching --- */

static enum rc collects_for(struct tx *tx, struct str party, const struct document_row *d,
                            bool *ret)
{
    struct party operator_party;
    bool cleared = false;
    TRY(clearing_collects(tx, d, &cleared));
    TRY(party_operator(tx, &operator_party));
    *ret = str_eq(party, cleared ? operator_party.id : d->issuer);
    return RC_OK;
}

/* What an RF reference names, where the party collects it: what it writes for others waits, and so
 * does what is no invoice. */
static enum rc find_named(struct tx *tx, struct str party, struct str body,
                          struct document_row *ret, size_t *ret_count)
{
    int64_t no = 0;
    bool own = false;
    if (!str_to_i64(body, 1, INT64_MAX, &no)) /* another house's */
        return RC_OK;
    enum rc rc = document_row_get(tx, no, ret);
    if (rc == RC_NOT_FOUND) {
        err_clear(tx->err);
        return RC_OK;
    }
    TRY(rc);
    TRY(collects_for(tx, party, ret, &own));
    *ret_count = own && ret->number != 0 && document_is_invoice(ret) ? 1 : 0;
    return RC_OK;
}

struct found {
    struct document_row *list;
    size_t count;
};

static enum rc on_unpaid(struct tx *tx, const struct document_row *row, void *arg)
{
    struct found *f = arg;
    (void)tx;
    ASSERT(f->count < OPEN_MAX);
    f->list[f->count++] = *row;
    return RC_OK;
}

/* What the payment may pay, in the order in which it does. */
static enum rc find_open(struct tx *tx, const struct booked *b, struct document_row **ret,
                         size_t *ret_count)
{
    const struct payment *p = &b->payment;
    char rf[REFERENCE_MAX + 1];
    struct err ignored = {0};
    struct found f = {.list = NEW(tx->arena, struct document_row)};
    *ret = f.list;
    *ret_count = 0;
    if (p->document.n > 0) {
        TRY(document_row_find(tx, p->document, &f.list[0]));
        *ret_count = 1;
        return RC_OK;
    }
    if (p->remittance.n > 0 && reference_parse(p->remittance, rf, &ignored) == RC_OK)
        return find_named(tx, p->party, str_c(rf + RF_HEAD), &f.list[0], ret_count);
    if (p->payer.n == 0)
        return RC_OK;
    f.list = NEW_N(tx->arena, struct document_row, OPEN_MAX);
    TRY(document_row_unpaid(tx, p->party, p->payer, str_c(b->currency->code), OPEN_MAX, on_unpaid,
                            &f));
    *ret = f.list;
    *ret_count = f.count;
    return RC_OK;
}

static enum rc check_document(struct tx *tx, struct str party, const struct booked *b,
                              const struct document_row *d)
{
    bool own = false;
    TRY(collects_for(tx, party, d, &own));
    if (!own)
        return err_set_at(tx->err, RC_INVALID, STR("/document"),
                          "there is no invoice '%.*s' that you collect", STRF(d->id));
    if (d->number == 0)
        return err_set_at(tx->err, RC_INVALID, STR("/document"), "'%.*s' is a draft", STRF(d->id));
    if (!document_is_invoice(d))
        return err_set_at(tx->err, RC_INVALID, STR("/document"),
                          "'%.*s' is no invoice: credit notes are paid by nobody, self-billed "
                          "documents by payouts",
                          STRF(d->id));
    if (d->currency != b->currency)
        return err_set_at(tx->err, RC_INVALID, STR("/currency"),
                          "the invoice is in %s, the payment in %s", d->currency->code,
                          b->currency->code);
    return RC_OK;
}

static enum rc keep_part(struct tx *tx, int64_t payment, int64_t seq, int64_t document,
                         int64_t amount)
{
    return sql_run(tx,
                   "INSERT INTO payment_part (payment, seq, document, amount) "
                   "VALUES ($1, $2, $3, $4)",
                   V(payment), V(seq), V(document), V(amount));
}

/* What found no document waits in the collector's book. */
static enum rc post_rest(struct tx *tx, struct ledger *l, const struct booked *b, int64_t amount)
{
    uint64_t number = 0;
    struct leg leg = {
        .party = b->clearing ? POSTING_CLEARING : b->payment.party,
        .debit = STR("Bank"),
        .credit = STR("Suspense"),
        .amount = amount,
        .code = POSTING_PAYMENT,
    };
    if (amount == 0)
        return RC_OK;
    TRY(posting_number(tx, &number));
    return posting_event(tx, l, STR("settle"), number, b->currency, &leg, 1);
}

/* What is open of it; where nothing is, what was written off is paid after all. */
static int64_t may_pay(const struct document_row *d)
{
    int64_t open = document_open(d);
    return open == 0 ? d->written_off : open;
}

static enum rc match(struct tx *tx, struct ledger *l, struct booked *b)
{
    struct document_row *open = NULL;
    size_t count = 0;
    int64_t seq = 0;
    TRY(find_open(tx, b, &open, &count));
    for (size_t i = 0; i < count && b->matched < b->amount; i++) {
        int64_t part = min_i64(may_pay(&open[i]), b->amount - b->matched);
        if (b->payment.document.n > 0)
            TRY(check_document(tx, b->payment.party, b, &open[i]));
        if (part <= 0 || open[i].currency != b->currency)
            continue;
        if (document_open(&open[i]) == 0)
            TRY(bad_debt_recover(tx, l, &open[i], part));
        TRY(payment_apply(tx, l, &open[i], part));
        TRY(keep_part(tx, b->no, ++seq, open[i].no, part));
        TRY(clearing_collects(tx, &open[i], &b->clearing));
        b->matched += part;
        if (b->payment.payer.n == 0)
            b->payment.payer = open[i].recipient;
    }
    return post_rest(tx, l, b, b->amount - b->matched);
}

/* --- booking --- */

static enum rc check(struct tx *tx, const struct payment *fresh, struct booked *ret)
{
    const struct currency *currency = NULL;
    int64_t amount = 0;
    enum rc rc = currency_parse(fresh->currency, &currency, tx->err);
    if (rc != RC_OK) {
        err_at(tx->err, STR("/currency"));
        return rc;
    }
    rc = amount_parse_one(fresh->amount, currency, &amount, tx->err);
    if (rc != RC_OK) {
        err_at(tx->err, STR("/amount"));
        return rc;
    }
    if (amount <= 0)
        return err_set_at(tx->err, RC_INVALID, STR("/amount"), "a payment is above 0");
    *ret = (struct booked){.payment = *fresh, .currency = currency, .amount = amount};
    return RC_OK;
}

static const char *state_of(const struct booked *b)
{
    return b->matched == b->amount ? "matched" : b->matched > 0 ? "part" : "suspense";
}

static enum rc insert(struct tx *tx, const struct booked *b)
{
    const struct payment *p = &b->payment;
    return sql_run(tx,
                   "INSERT INTO payment (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
                   "$10, $11, $12, $13, $14)",
                   V(b->no), V(p->id), V(p->party), value_opt(p->payer), V(b->amount),
                   V(p->currency), V(p->reference), value_opt(p->remittance),
                   value_opt(p->document), V(p->value_date), V(b->matched),
                   V(b->clearing ? POSTING_CLEARING : p->party), V(state_of(b)), V(tx->now));
}

/* The bank tells the same thing twice, and so does whoever repeats a request. */
static enum rc check_repeat(struct tx *tx, const struct rows *rows, const struct booked *fresh,
                            struct payment *ret)
{
    struct booked old = read_row(tx, rows, 0);
    const struct payment *p = &fresh->payment;
    bool same = old.amount == fresh->amount && old.currency == fresh->currency &&
                str_eq(old.payment.value_date, p->value_date) &&
                str_eq(old.payment.document, p->document) &&
                str_eq(old.payment.remittance, p->remittance);
    if (!same)
        return err_set_at(tx->err, RC_CONFLICT, STR("/reference"),
                          "the reference '%.*s' was booked with another content",
                          STRF(p->reference));
    *ret = old.payment;
    return RC_OK;
}

enum rc payment_book(struct tx *tx, struct ledger *l, struct str party, const struct payment *fresh,
                     struct payment *ret)
{
    struct booked b;
    struct rows rows;
    TRY(check(tx, fresh, &b));
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM payment WHERE party = $1 AND reference = $2",
                 V(party), V(fresh->reference)));
    if (rows.count > 0)
        return check_repeat(tx, &rows, &b, ret);
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM payment"));
    b.no = row_int(&rows, 0, 0);
    b.payment.id = id_new(tx->ids, tx->arena, "pay");
    b.payment.party = party;
    TRY(match(tx, l, &b));
    TRY(insert(tx, &b));
    return payment_get(tx, b.payment.id, ret);
}

/* CHAIN: what the issuer has done with it in Clearing since. */
static enum rc take_back(struct tx *tx, struct ledger *l, const struct document_row *d,
                         int64_t amount)
{
    bool cleared = false;
    TRY(clearing_collects(tx, d, &cleared));
    if (!cleared || d->settle == SETTLE_COLLECT)
        return RC_OK;
    return clearing_undo(tx, l, d->issuer, d->currency, amount);
}

enum rc payment_return(struct tx *tx, struct ledger *l, struct str id, struct payment *ret)
{
    struct booked b;
    struct rows rows;
    TRY(find(tx, id, &b));
    if (str_eq(b.payment.state, STR("returned")))
        return err_set(tx->err, RC_CONFLICT, "payment '%.*s' was returned already", STRF(id));
    TRY(sql_rows(
        tx, &rows,
        "SELECT document, amount FROM payment_part WHERE payment = $1 ORDER BY seq LIMIT $2",
        V(b.no), V((int64_t)PARTS_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        struct document_row d;
        TRY(document_row_get(tx, row_int(&rows, i, 0), &d));
        TRY(payment_apply(tx, l, &d, -row_int(&rows, i, 1)));
        TRY(take_back(tx, l, &d, row_int(&rows, i, 1)));
    }
    TRY(post_rest(tx, l, &b, -(b.amount - b.matched)));
    TRY(sql_run(tx, "UPDATE payment SET state = 'returned' WHERE no = $1", V(b.no)));
    return payment_get(tx, id, ret);
}

/* --- list --- */

static const struct page_column sort_columns[] = {{"id", "p.id", PAGE_TEXT},
                                                  {"created", "p.created", PAGE_NUMBER}};
static const struct page_table payment_table = {
    .select = "SELECT p.id FROM payment p",
    .id = "p.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc payment_list(struct tx *tx, struct str party, const struct page_query *q, struct page *ret)
{
    struct rows rows;
    struct str next;
    const struct page_term term = {"p.party = ?", V(party)};
    TRY(page_rows(tx, &payment_table, q, &term, 1, &rows, &next));
    struct payment *list = NEW_N(tx->arena, struct payment, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(payment_get(tx, row_str(&rows, i, 0), &list[i]));
    *ret = (struct page){{list, rows.count}, next};
    return RC_OK;
}
