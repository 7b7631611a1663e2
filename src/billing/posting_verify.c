/* Each final document stands in its buyer's book once: read from the journal, whatever the document
 * says of itself. A close that ran twice would show here. */
#include "base/map.h"
#include "billing/close.h"
#include "billing/document_row.h"
#include "billing/posting.h"

enum {
    VERIFY_ARENA_BYTES = 1024 * 1024 * 1024, /* mapped, and touched as far as it is needed */
    DOCUMENTS_AT_ONCE = 1000000,             /* one reading of the journal each */
    PAGE = 10000,
};
static const uint64_t map_seed[2] = {21, 22}; /* keys are our own ids */

/* What a document has to put on the account of its buyer for its seller, and what it did. */
struct expected {
    int64_t no;
    const account_id *payable; /* NULL: the book has no such account */
    int64_t wanted;            /* credits less debits */
    int64_t posted;
};

struct proving {
    struct tx *tx;
    struct arena arena;
    struct map payables; /* "<buyer> <currency> AP:<seller>": account_id */
    int64_t after;
    size_t count;
    struct expected *list; /* by no */
};

/* --- accounts --- */

static enum rc on_account(struct tx *tx, const struct account *a, void *arg)
{
    struct proving *p = arg;
    (void)tx;
    if (!str_starts(a->code, STR("AP:")))
        return RC_OK;
    account_id *id = NEW(&p->arena, account_id);
    *id = a->id;
    struct str key =
        arena_fmt(&p->arena, "%.*s %.*s %.*s", STRF(a->party), STRF(a->currency), STRF(a->code));
    void *before = map_put(&p->payables, key, id);
    ASSERT(before == NULL);
    return RC_OK;
}

/* --- documents --- */

/* Those that a close passed by, or has not reached yet, are not posted: no fault. */
#define POSTED                                                                                 \
    "d.state >= 2 AND (d.posted = 1 OR EXISTS (SELECT 1 FROM close c WHERE c.no = d.close_no " \
    "AND c.step >= 6)) AND NOT EXISTS (SELECT 1 FROM close_stuck s WHERE s.step = 'post' AND " \
    "s.what = CAST(d.no AS TEXT))"
_Static_assert(DOCUMENT_FINAL == 2, "as it is written in POSTED");
_Static_assert(CLOSE_STATEMENTS == 6, "as it is written in POSTED");

static enum rc on_document(struct tx *tx, const struct value *c, size_t columns, void *arg)
{
    struct proving *p = arg;
    ASSERT(columns == 7);
    struct str seller = c[5].number == SETTLE_COLLECT ? POSTING_CLEARING : c[1].text;
    int64_t due = c[4].number;
    bool back = c[6].number == DOCUMENT_CREDIT_NOTE || c[6].number == DOCUMENT_SELF_BILLED_CREDIT;
    struct str key =
        arena_fmt(tx->arena, "%.*s %.*s AP:%.*s", STRF(c[2].text), STRF(c[3].text), STRF(seller));
    p->list[p->count++] = (struct expected){
        .no = c[0].number, .payable = map_get(&p->payables, key), .wanted = back ? -due : due};
    p->after = c[0].number;
    return RC_OK;
}

static enum rc read_documents(struct proving *p)
{
    size_t before = 0;
    struct arena own;
    struct tx page = *p->tx;
    enum rc rc = RC_OK;
    p->count = 0;
    arena_init(&own, STORE_TX_ARENA_BYTES);
    page.arena = &own;
    do {
        before = p->count;
        arena_reset(&own);
        rc = sql_each(&page, on_document, p,
                      "SELECT d.no, d.issuer, d.recipient, d.currency, d.gross - d.prepaid, "
                      "d.settle, d.code FROM document d WHERE d.no > $1 AND " POSTED
                      " ORDER BY d.no LIMIT $2",
                      V(p->after), V((int64_t)PAGE));
    } while (rc == RC_OK && p->count == before + PAGE && p->count + PAGE <= DOCUMENTS_AT_ONCE);
    arena_fini(&own);
    return rc;
}

/* --- the journal --- */

static struct expected *find(struct proving *p, uint64_t no)
{
    size_t low = 0;
    size_t high = p->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uint64_t)p->list[middle].no < no)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->count && (uint64_t)p->list[low].no == no ? &p->list[low] : NULL;
}

static enum rc on_transfer(struct tx *tx, const struct transfer *t, time_us at, void *arg)
{
    struct proving *p = arg;
    (void)tx;
    (void)at;
    if (t->code != POSTING_INVOICE && t->code != POSTING_TAX && t->code != POSTING_CREDIT_NOTE &&
        t->code != POSTING_PREPAID)
        return RC_OK;
    struct expected *e = find(p, t->event);
    if (e == NULL || e->payable == NULL)
        return RC_OK;
    /* Beyond what fits it is wrong in any case. */
    bool wrong =
        t->credit == *e->payable && __builtin_add_overflow(e->posted, t->amount, &e->posted);
    wrong = (t->debit == *e->payable && __builtin_sub_overflow(e->posted, t->amount, &e->posted)) ||
            wrong;
    if (wrong)
        e->posted = INT64_MIN;
    return RC_OK;
}

static enum rc compare(struct proving *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct expected *e = &p->list[i];
        struct document_row d;
        if (e->posted == e->wanted)
            continue;
        TRY(document_row_get(p->tx, e->no, &d));
        return err_set(p->tx->err, RC_INVALID,
                       "invariant 'once': document %.*s puts %lld minor units into its buyer's "
                       "book, and the journal has %lld of it",
                       STRF(d.id), (long long)e->wanted, (long long)e->posted);
    }
    return RC_OK;
}

static enum rc prove(struct proving *p, struct ledger *l)
{
    struct rows rows;
    TRY(sql_rows(p->tx, &rows, "SELECT COUNT(*) FROM document"));
    p->list =
        NEW_N(&p->arena, struct expected, (size_t)min_i64(row_int(&rows, 0, 0), DOCUMENTS_AT_ONCE));
    TRY(ledger_accounts(p->tx, l, STR(""), on_account, p));
    do {
        TRY(read_documents(p));
        if (p->count > 0)
            TRY(ledger_transfers(p->tx, l, 0, INT64_MIN, INT64_MAX, on_transfer, p));
        TRY(compare(p));
    } while (p->count > 0);
    return RC_OK;
}

enum rc posting_verify(struct tx *tx, struct ledger *l)
{
    struct proving p = {.tx = tx};
    arena_init(&p.arena, VERIFY_ARENA_BYTES);
    map_init(&p.payables, &p.arena, map_seed);
    enum rc rc = prove(&p, l);
    arena_fini(&p.arena);
    return rc;
}
