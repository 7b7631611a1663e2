#include "billing/posting.h"

/* The number of a transfer: the event's, and which leg of it. */
#define LEG_BITS 10
_Static_assert(POSTING_LEGS_MAX == 1 << LEG_BITS, "a leg's number has its bits");
#define EVENT_MAX (UINT64_MAX >> (LEG_BITS + 1))

/* AR:<party> and AP:<party> are two sides of one debt; everything else stands alone. */
static enum rc open_account(struct tx *tx, struct ledger *l, const struct account *wanted,
                            account_id *ret)
{
    struct str code = wanted->code;
    struct str other = str_sub(code, 3, code.n);
    account_id mirror = 0;
    if (str_starts(code, STR("AR:")))
        return ledger_debt(tx, l, other, wanted->party, wanted->currency, &mirror, ret);
    if (str_starts(code, STR("AP:")))
        return ledger_debt(tx, l, wanted->party, other, wanted->currency, ret, &mirror);
    return ledger_account(tx, l, wanted, ret);
}

static enum rc find_account(struct tx *tx, struct ledger *l, const struct account *wanted,
                            account_id *ret)
{
    enum rc rc = ledger_find(tx, l, wanted->party, wanted->currency, wanted->code, ret);
    if (rc != RC_NOT_FOUND)
        return rc;
    err_clear(tx->err);
    return open_account(tx, l, wanted, ret);
}

static enum rc leg_transfer(struct tx *tx, struct ledger *l, const struct leg *leg,
                            const struct currency *currency, struct transfer *ret)
{
    struct account debit = {.party = leg->party,
                            .currency = str_c(currency->code),
                            .code = leg->debit,
                            .flags = leg->debit_flags};
    struct account credit = {.party = leg->party,
                             .currency = str_c(currency->code),
                             .code = leg->credit,
                             .flags = leg->credit_flags};
    struct transfer t = {.amount = leg->amount, .code = (uint16_t)leg->code};
    if (leg->amount == INT64_MIN)
        return err_set(tx->err, RC_INVALID, "an amount to be posted does not fit");
    TRY(find_account(tx, l, &debit, &t.debit));
    TRY(find_account(tx, l, &credit, &t.credit));
    if (t.amount < 0) {
        account_id swapped = t.debit;
        t.debit = t.credit;
        t.credit = swapped;
        t.amount = -t.amount;
    }
    *ret = t;
    return RC_OK;
}

struct event {
    uint32_t source;
    uint64_t number;
    uint64_t joins; /* transfer.event */
};

static enum rc post_legs(struct tx *tx, struct ledger *l, const struct event *event,
                         const struct currency *currency, const struct leg *legs, size_t count)
{
    size_t made = 0;
    ASSERT(count <= POSTING_LEGS_MAX);
    ASSERT(event->number > 0 && event->number <= EVENT_MAX);
    struct transfer *transfers = NEW_N(tx->arena, struct transfer, count);
    for (size_t i = 0; i < count; i++) {
        if (legs[i].amount == 0)
            continue;
        struct transfer *t = &transfers[made];
        TRY(leg_transfer(tx, l, &legs[i], legs[i].currency != NULL ? legs[i].currency : currency,
                         t));
        t->reference = (struct reference){event->source, (event->number << LEG_BITS) + made};
        t->event = event->joins;
        t->flags = TRANSFER_LINKED;
        made++;
    }
    if (made == 0)
        return RC_OK;
    transfers[made - 1].flags = 0;
    return ledger_post(tx, l, transfers, made, NULL);
}

enum rc posting_event(struct tx *tx, struct ledger *l, struct str source, uint64_t number,
                      const struct currency *currency, const struct leg *legs, size_t count)
{
    struct event event = {.number = number, .joins = number};
    uint64_t last = 0;
    TRY(ledger_source(tx, l, source, &event.source, &last));
    return post_legs(tx, l, &event, currency, legs, count);
}

enum rc posting_next(struct tx *tx, struct ledger *l, struct str source, uint64_t joins,
                     const struct currency *currency, const struct leg *legs, size_t count)
{
    struct event event = {.joins = joins};
    uint64_t last = 0;
    TRY(ledger_source(tx, l, source, &event.source, &last));
    event.number = (last >> LEG_BITS) + 1;
    return post_legs(tx, l, &event, currency, legs, count);
}
