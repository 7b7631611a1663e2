#include "settle/moved.h"

#include "billing/document_row.h"
#include "billing/posting.h"
#include "money/round.h"
#include "settle/share.h"

enum { PAIRS_AT_ONCE = 200, PPM = 1000000 };

struct moving {
    struct tx *tx;
    struct ledger *ledger;
    struct document_row given;
    struct document_row taken;
    struct str subscription; /* one of them */
};

/* --- how much --- */

/* What the new seller bills of the time that the old one gave back, of one subscription. */
static enum rc billed_of(struct moving *m, struct str subscription, time_us from, time_us until,
                         int64_t *ret)
{
    struct rows rows;
    TRY(sql_rows(
        m->tx, &rows,
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM deferral WHERE document = $1 "
        "AND subscription = $2 AND begins >= $3 AND begins < $4 AND amount > 0",
        V(m->taken.no), V(subscription), V(from), V(until)));
    *ret = row_int(&rows, 0, 0);
    return RC_OK;
}

/* Net, of all that both tell of. */
static enum rc net_of(struct moving *m, int64_t *ret)
{
    struct rows rows;
    *ret = 0;
    TRY(sql_rows(m->tx, &rows,
                 "SELECT subscription, CAST(-SUM(amount) AS BIGINT), MIN(begins), MAX(ends) FROM "
                 "deferral WHERE document = $1 AND amount < 0 AND subscription IS NOT NULL "
                 "GROUP BY subscription ORDER BY subscription LIMIT $2",
                 V(m->given.no), V((int64_t)STORE_ROWS_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        int64_t billed = 0;
        TRY(billed_of(m, row_str(&rows, i, 0), row_int(&rows, i, 2), row_int(&rows, i, 3),
                      &billed));
        if (billed > 0)
            m->subscription = row_str(&rows, i, 0);
        *ret += min_i64(row_int(&rows, i, 1), billed);
    }
    return RC_OK;
}

/* With the tax of a document that has one rate; of several nobody can tell whose it is. */
static int64_t with_tax(const struct document_row *d, int64_t net)
{
    if (net == d->net)
        return d->gross;
    if (d->group_count != 1)
        return net;
    return net + (int64_t)round_div((__int128)net * d->groups[0].group.rate_ppm, PPM);
}

static enum rc amount_of(struct moving *m, int64_t *ret)
{
    int64_t net = 0;
    TRY(net_of(m, &net));
    int64_t most = min_i64(with_tax(&m->given, net), with_tax(&m->taken, net));
    most = min_i64(most, min_i64(document_open(&m->given), document_open(&m->taken)));
    *ret = max_i64(most, 0);
    return RC_OK;
}

/* --- handing over --- */

static enum rc post(struct moving *m, int64_t amount)
{
    uint64_t number = 0;
    struct tx *tx = m->tx;
    struct str old = m->given.issuer;
    struct str new = m->taken.issuer;
    struct str client = arena_fmt(tx->arena, "AR:%.*s", STRF(m->given.recipient));
    struct leg legs[] = {
        {.party = old, .debit = client, .credit = arena_fmt(tx->arena, "AP:%.*s", STRF(new))},
        {.party = m->given.recipient,
         .debit = arena_fmt(tx->arena, "AP:%.*s", STRF(new)),
         .credit = arena_fmt(tx->arena, "AP:%.*s", STRF(old))},
        {.party = new, .debit = arena_fmt(tx->arena, "AR:%.*s", STRF(old)), .credit = client},
    };
    for (size_t i = 0; i < COUNT(legs); i++) {
        legs[i].amount = amount;
        legs[i].code = POSTING_PAYMENT;
    }
    TRY(posting_number(tx, &number));
    return posting_event(tx, m->ledger, STR("settle"), number, m->given.currency, legs,
                         COUNT(legs));
}

static enum rc owe(struct moving *m, int64_t amount)
{
    struct share share = {.origin = SHARE_OF_MOVE,
                          .payer = m->given.issuer,
                          .payee = m->taken.issuer,
                          .close_no = m->given.close_no,
                          .client = m->given.recipient,
                          .subscription = m->subscription,
                          .label = STR("Portability"),
                          .note = STR("paid in advance, and moved"),
                          .currency = m->given.currency,
                          .base = amount,
                          .amount = amount,
                          .earn = EARN_ON_INVOICE,
                          .booked = true};
    return share_accrue(m->tx, m->ledger, &share, 1, 0, 0);
}

static enum rc hand_over(struct moving *m, int64_t given, int64_t taken)
{
    int64_t amount = 0;
    struct tx *tx = m->tx;
    TRY(document_row_get(tx, given, &m->given));
    TRY(document_row_get(tx, taken, &m->taken));
    TRY(amount_of(m, &amount));
    TRY(sql_run(tx, "INSERT INTO moved (given, taken, amount, created) VALUES ($1, $2, $3, $4)",
                V(given), V(taken), V(amount), V(tx->now)));
    if (amount == 0)
        return RC_OK;
    TRY(post(m, amount));
    TRY(document_row_paid(tx, given, amount));
    TRY(document_row_paid(tx, taken, amount));
    m->taken.paid += amount;
    TRY(share_follow(tx, &m->taken));
    return owe(m, amount);
}

enum rc moved_close(struct tx *tx, struct ledger *l, int64_t close_no,
                    const struct close_pass *pass, bool *ret_done)
{
    struct rows rows;
    struct moving *m = NEW(tx->arena, struct moving);
    size_t limit = PAIRS_AT_ONCE + (pass != NULL ? pass->count : 0); /* those passed by stay */
    TRY(sql_rows(
        tx, &rows,
        "SELECT g.no, t.no, g.id, t.id FROM document g JOIN document t "
        "ON t.recipient = g.recipient AND t.issuer <> g.issuer "
        "AND t.close_no = g.close_no AND t.currency = g.currency AND t.code = 380 "
        "WHERE g.close_no BETWEEN $1 - 1 AND $1 AND g.code = 381 AND g.number > 0 AND t.number > 0 "
        "AND g.settle <> $2 AND t.settle <> $2 AND NOT EXISTS (SELECT 1 FROM moved m "
        "WHERE m.given = g.no AND m.taken = t.no) ORDER BY g.no, t.no LIMIT $3",
        V(close_no), V((int64_t)SETTLE_COLLECT), V((int64_t)limit)));
    for (size_t i = 0; i < rows.count; i++) {
        struct str name = arena_fmt(tx->arena, "handing of %.*s to %.*s",
                                    STRF(row_str(&rows, i, 2)), STRF(row_str(&rows, i, 3)));
        if (close_passed(pass, name))
            continue;
        close_hand(pass, name);
        *m = (struct moving){.tx = tx, .ledger = l};
        TRY(hand_over(m, row_int(&rows, i, 0), row_int(&rows, i, 1)));
    }
    close_hand(pass, STR(""));
    *ret_done = rows.count < limit;
    return RC_OK;
}
