#include "settle/once.h"

#include "channel/owed.h"

enum { ONCE_CHUNK = 200 };

/* By the terms under which it was done. */
static enum rc accrue(struct tx *tx, struct ledger *l, int64_t close_no, const struct owed *o)
{
    struct agreement a;
    struct terms terms;
    TRY(agreement_get(tx, o->agreement, &a));
    TRY(agreement_terms(tx, a.id, o->terms, &terms));
    struct share share = {
        .agreement = a.id,
        .terms = o->terms,
        .origin = SHARE_OF_WORK,
        .payer = a.from,
        .payee = a.to,
        .close_no = close_no,
        .label = o->label,
        .note = o->note,
        .currency = o->currency,
        .base = o->amount,
        .amount = o->amount,
        .earn = EARN_ON_INVOICE,
        .maturity_days = terms.maturity_days,
    };
    TRY(share_accrue(tx, l, &share, 1, 0, 0));
    return owed_take(tx, o->reference, close_no);
}

enum rc once_close(struct tx *tx, struct ledger *l, const struct close *c,
                   const struct close_pass *pass, bool *ret_done)
{
    struct owed *items = NULL;
    size_t count = 0;
    size_t limit = ONCE_CHUNK + (pass != NULL ? pass->count : 0); /* those passed by stay */
    TRY(owed_waiting(tx, c->end, limit, &items, &count));
    for (size_t i = 0; i < count; i++) {
        struct str name = arena_fmt(tx->arena, "share for %.*s", STRF(items[i].reference));
        if (close_passed(pass, name))
            continue;
        close_hand(pass, name);
        TRY(accrue(tx, l, c->no, &items[i]));
    }
    close_hand(pass, STR(""));
    *ret_done = count < limit;
    return RC_OK;
}
