/* The machine: transfers, reservations, chains, limits, mirrors. */
#include "ledger/machine_inside.h"

#define KINDS (TRANSFER_PENDING | TRANSFER_POST | TRANSFER_VOID)

static bool one_kind(unsigned flags)
{
    unsigned kinds = flags & KINDS;
    return (kinds & (kinds - 1)) == 0;
}

static enum rc check_reference(const struct machine *m, const struct transfer *t, struct err *err)
{
    if (!machine_has(&m->sources, t->reference.source))
        return err_set(err, RC_NOT_FOUND, "there is no source %u of transfers",
                       t->reference.source);
    struct str name = machine_source_name(m, t->reference.source);
    unsigned long long number = t->reference.number;
    unsigned long long last = machine_source_last(m, t->reference.source);
    if (number == 0 || number > INT64_MAX)
        return err_set(err, RC_INVALID, "the transfers of '%.*s' are numbered from 1 to 2^63 - 1",
                       STRF(name));
    if (number <= last)
        return err_set(err, RC_CONFLICT, "number %llu of '%.*s' comes late: it is at %llu already",
                       number, STRF(name), last);
    return RC_OK;
}

static enum rc check_form(const struct transfer *t, struct err *err)
{
    unsigned long long number = t->reference.number;
    bool settles = (t->flags & (TRANSFER_POST | TRANSFER_VOID)) != 0;
    bool names_pending = t->pending.source != 0 || t->pending.number != 0;
    if ((t->flags & ~(unsigned)(TRANSFER_LINKED | KINDS)) != 0 || !one_kind(t->flags))
        return err_set(err, RC_INVALID,
                       "transfer %llu has flags that do not go together: at most one of pending, "
                       "post and void",
                       number);
    if (names_pending != settles)
        return err_set(
            err, RC_INVALID,
            "transfer %llu: a reservation is named where it is posted or voided, and only "
            "there",
            number);
    bool timeout_fits = (t->flags & TRANSFER_PENDING)
                            ? t->timeout_us >= 0 && t->timeout_us <= LEDGER_TIMEOUT_MAX_US
                            : t->timeout_us == 0;
    if (!timeout_fits)
        return err_set(err, RC_INVALID,
                       "transfer %llu: only a reservation has a timeout, of at most %d days",
                       number, (int)(LEDGER_TIMEOUT_MAX_US / US_PER_DAY));
    bool amount_fits = settles ? t->amount >= 0 : t->amount > 0;
    if (!amount_fits || ((t->flags & TRANSFER_VOID) && t->amount != 0))
        return err_set(err, RC_INVALID, "transfer %llu: an amount above 0 is wanted (void: none)",
                       number);
    return RC_OK;
}

static enum rc check_open(const struct machine *m, account_id id, struct err *err)
{
    char text[MACHINE_TEXT_MAX];
    if (machine_at(m, id)->flags & ACCOUNT_CLOSED)
        return err_set(err, RC_CONFLICT, "%s is closed", machine_describe(m, id, text));
    return RC_OK;
}

static enum rc check_accounts(const struct machine *m, const struct transfer *t, struct err *err)
{
    char text[MACHINE_TEXT_MAX];
    if (!machine_has(&m->accounts, t->debit) || !machine_has(&m->accounts, t->credit))
        return err_set(err, RC_NOT_FOUND, "there is no account %u",
                       machine_has(&m->accounts, t->debit) ? t->credit : t->debit);
    if (t->debit == t->credit)
        return err_set(err, RC_INVALID, "%s cannot be debited and credited by one transfer",
                       machine_describe(m, t->debit, text));
    if (machine_at(m, t->debit)->book != machine_at(m, t->credit)->book) {
        char other[MACHINE_TEXT_MAX];
        return err_set(err, RC_INVALID,
                       "%s and %s are of different books: one transfer stays in one",
                       machine_describe(m, t->debit, text), machine_describe(m, t->credit, other));
    }
    TRY(check_open(m, t->debit, err));
    return check_open(m, t->credit, err);
}

/* A side's posted and reserved sum with amount more; limit: what it may not pass, or -1. */
static enum rc check_side(const struct machine *m, account_id id, int64_t used, int64_t limit,
                          int64_t amount, struct err *err)
{
    char text[MACHINE_TEXT_MAX];
    int64_t sum = 0;
    if (__builtin_add_overflow(used, amount, &sum))
        return err_set(err, RC_INVALID, "%s would pass the largest number there is",
                       machine_describe(m, id, text));
    if (limit >= 0 && sum > limit)
        return err_set(err, RC_CONFLICT, "%s has %lld left, and %lld are wanted",
                       machine_describe(m, id, text), (long long)(limit - used), (long long)amount);
    return RC_OK;
}

static enum rc check_room(const struct machine *m, const struct transfer *t, struct err *err)
{
    const struct account_state *d = machine_at(m, t->debit);
    const struct account_state *c = machine_at(m, t->credit);
    int64_t debit_limit = d->flags & ACCOUNT_DEBITS_LE_CREDITS ? d->balance.credits : -1;
    int64_t credit_limit = c->flags & ACCOUNT_CREDITS_LE_DEBITS ? c->balance.debits : -1;
    /* Posted and reserved together never pass int64, so their sum cannot overflow here. */
    TRY(check_side(m, t->debit, d->balance.debits + d->balance.debits_pending, debit_limit,
                   t->amount, err));
    return check_side(m, t->credit, c->balance.credits + c->balance.credits_pending, credit_limit,
                      t->amount, err);
}

static void note_mirrors(struct machine *m, account_id id)
{
    if (machine_at(m, id)->mirror == 0)
        return;
    m->mirrors =
        machine_grow(m, m->mirrors, m->mirrors_count, &m->mirrors_room, sizeof *m->mirrors);
    m->mirrors[m->mirrors_count++] = id;
}

static void move(struct machine *m, account_id debit, account_id credit, int64_t amount)
{
    machine_note_balance(m, debit);
    machine_note_balance(m, credit);
    machine_at(m, debit)->balance.debits += amount;
    machine_at(m, credit)->balance.credits += amount;
    note_mirrors(m, debit);
    note_mirrors(m, credit);
}

static void reserve(struct machine *m, account_id debit, account_id credit, int64_t amount)
{
    machine_note_balance(m, debit);
    machine_note_balance(m, credit);
    machine_at(m, debit)->balance.debits_pending += amount;
    machine_at(m, credit)->balance.credits_pending += amount;
    ASSERT(machine_at(m, debit)->balance.debits_pending >= 0);
    ASSERT(machine_at(m, credit)->balance.credits_pending >= 0);
}

static enum rc post_new(struct machine *m, const struct transfer *t, struct record *r,
                        struct err *err)
{
    TRY(check_accounts(m, t, err));
    TRY(check_room(m, t, err));
    r->debit = t->debit;
    r->credit = t->credit;
    r->amount = t->amount;
    r->event = t->event;
    r->code = t->code;
    if (r->kind == RECORD_TRANSFER) {
        move(m, t->debit, t->credit, t->amount);
        return RC_OK;
    }
    r->timeout_us = t->timeout_us;
    struct pending p = {.source = t->reference.source,
                        .number = t->reference.number,
                        .debit = t->debit,
                        .credit = t->credit,
                        .amount = t->amount,
                        .event = t->event,
                        .code = t->code,
                        .ends = t->timeout_us > 0 ? m->at + t->timeout_us : 0};
    reserve(m, t->debit, t->credit, t->amount);
    pendings_add(&m->pendings, &p);
    machine_note(m, UNDO_PENDING_ADDED, 0)->pending = p;
    return RC_OK;
}

/* Let go of the reservation, and say so in the record. */
static void release(struct machine *m, const struct pending *p, struct record *r)
{
    r->debit = p->debit;
    r->credit = p->credit;
    r->released = p->amount;
    r->pending_source = p->source;
    r->pending_number = p->number;
    reserve(m, p->debit, p->credit, -p->amount);
    machine_note(m, UNDO_PENDING_REMOVED, 0)->pending = *p;
    pendings_remove(&m->pendings, r->pending_source, r->pending_number);
}

static enum rc find_pending(const struct machine *m, struct reference reference,
                            const struct pending **ret, struct err *err)
{
    unsigned long long number = reference.number;
    if (!machine_has(&m->sources, reference.source) ||
        number > machine_source_last(m, reference.source))
        return err_set(err, RC_NOT_FOUND, "there is no reservation %llu of source %u", number,
                       reference.source);
    *ret = pendings_find(&m->pendings, reference.source, number);
    if (*ret == NULL)
        return err_set(err, RC_CONFLICT,
                       "transfer %llu of '%.*s' is no open reservation: posted, voided or expired "
                       "already, or never one",
                       number, STRF(machine_source_name(m, reference.source)));
    return RC_OK;
}

static enum rc settle(struct machine *m, const struct transfer *t, struct record *r,
                      struct err *err)
{
    const struct pending *found = NULL;
    TRY(find_pending(m, t->pending, &found, err));
    struct pending p = *found;
    if ((t->debit != 0 && t->debit != p.debit) || (t->credit != 0 && t->credit != p.credit))
        return err_set(err, RC_INVALID, "reservation %llu is between other accounts",
                       (unsigned long long)p.number);
    if (t->amount > p.amount)
        return err_set(err, RC_INVALID, "reservation %llu is of %lld: %lld are too much",
                       (unsigned long long)p.number, (long long)p.amount, (long long)t->amount);
    bool posts = r->kind == RECORD_POST;
    if (posts) {
        TRY(check_open(m, p.debit, err));
        TRY(check_open(m, p.credit, err));
    }
    r->event = t->event != 0 ? t->event : p.event;
    r->code = t->code != 0 ? t->code : p.code;
    release(m, &p, r);
    if (posts) {
        r->amount = t->amount > 0 ? t->amount : p.amount;
        move(m, p.debit, p.credit, r->amount);
    }
    return RC_OK;
}

static enum rc check_mirrors(const struct machine *m, struct err *err)
{
    for (size_t i = 0; i < m->mirrors_count; i++) {
        account_id id = m->mirrors[i];
        account_id mirror = machine_at(m, id)->mirror;
        ASSERT(machine_at(m, mirror)->mirror == id);
        if (machine_net(m, id) == -machine_net(m, mirror))
            continue;
        char one[MACHINE_TEXT_MAX];
        char two[MACHINE_TEXT_MAX];
        return err_set(err, RC_INVALID,
                       "%s (%lld) and its mirror, %s (%lld), would not agree: one chain moves both",
                       machine_describe(m, id, one), (long long)machine_net(m, id),
                       machine_describe(m, mirror, two), (long long)machine_net(m, mirror));
    }
    return RC_OK;
}

static enum record_kind kind_of(unsigned flags)
{
    return flags & TRANSFER_PENDING ? RECORD_PENDING
           : flags & TRANSFER_POST  ? RECORD_POST
           : flags & TRANSFER_VOID  ? RECORD_VOID
                                    : RECORD_TRANSFER;
}

enum rc machine_transfer(struct machine *m, const struct transfer *t, struct record *ret_record,
                         struct err *err)
{
    TRY(check_reference(m, t, err));
    TRY(check_form(t, err));
    struct record r = {.kind = kind_of(t->flags),
                       .flags = t->flags & TRANSFER_LINKED ? RECORD_LINKED : 0,
                       .source = t->reference.source,
                       .number = t->reference.number};
    if (r.kind == RECORD_POST || r.kind == RECORD_VOID)
        TRY(settle(m, t, &r, err));
    else
        TRY(post_new(m, t, &r, err));
    struct source_state *s = machine_source_at(m, t->reference.source);
    machine_note(m, UNDO_LAST, t->reference.source)->last = s->last;
    s->last = t->reference.number;
    m->in_chain = (t->flags & TRANSFER_LINKED) != 0;
    if (!m->in_chain && m->mirrors_count > 0) {
        TRY(check_mirrors(m, err));
        m->mirrors_count = 0;
    }
    *ret_record = r;
    return RC_OK;
}

bool machine_expire(struct machine *m, struct record *ret)
{
    const struct pending *next = pendings_next(&m->pendings);
    if (next == NULL || next->ends > m->at)
        return false;
    struct pending p = *next;
    *ret = (struct record){.kind = RECORD_EXPIRE, .event = p.event, .code = p.code};
    release(m, &p, ret);
    return true;
}
