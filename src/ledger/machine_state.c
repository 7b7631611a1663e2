/* The machine: records of the journal again, checkpoints, and the proof of a whole state. */
#include "ledger/machine_inside.h"

/* --- records again --- */

static enum rc apply_book(struct machine *m, const struct record *r, struct record *done,
                          struct err *err)
{
    struct str party = r->text;
    struct str currency = str_cut(&party, ' ');
    uint32_t id = 0;
    return machine_book(m, party, currency, &id, done, err);
}

static enum rc apply_expiry(struct machine *m, struct record *done, struct err *err)
{
    if (!machine_expire(m, done))
        return err_set(err, RC_INVALID, "a reservation is released before its time");
    return RC_OK;
}

static enum rc apply_close(struct machine *m, const struct record *r, struct record *done,
                           struct err *err)
{
    bool changed = false;
    TRY(machine_set_closed(m, r->id, r->flags != 0, &changed, done, err));
    return changed ? RC_OK : err_set(err, RC_INVALID, "account %u is closed twice", r->id);
}

static enum rc apply_transfer(struct machine *m, const struct record *r, struct record *done,
                              struct err *err)
{
    unsigned flags = r->flags; /* TRANSFER_LINKED; others are refused by machine_transfer */
    flags |= r->kind == RECORD_PENDING ? TRANSFER_PENDING
             : r->kind == RECORD_POST  ? TRANSFER_POST
             : r->kind == RECORD_VOID  ? TRANSFER_VOID
                                       : 0;
    struct transfer t = {.reference = {r->source, r->number},
                         .pending = {r->pending_source, r->pending_number},
                         .debit = r->debit,
                         .credit = r->credit,
                         .amount = r->amount,
                         .event = r->event,
                         .timeout_us = r->timeout_us,
                         .code = r->code,
                         .flags = (uint16_t)flags};
    return machine_transfer(m, &t, done, err);
}

static enum rc apply_any(struct machine *m, const struct record *r, struct record *done,
                         struct err *err)
{
    uint32_t id = 0;
    switch (r->kind) {
    case RECORD_BOOK:
        return apply_book(m, r, done, err);
    case RECORD_ACCOUNT:
        return machine_account(m, r, &id, done, err);
    case RECORD_SOURCE:
        return machine_source(m, r->text, &id, done, err);
    case RECORD_CLOSE:
        return apply_close(m, r, done, err);
    case RECORD_TRANSFER:
    case RECORD_PENDING:
    case RECORD_POST:
    case RECORD_VOID:
        return apply_transfer(m, r, done, err);
    case RECORD_EXPIRE:
        return apply_expiry(m, done, err);
    }
    NEVER("record_decode gives no other kinds");
}

static bool same_record(const struct record *a, const struct record *b)
{
    char x[RECORD_BYTES * 3];
    char y[RECORD_BYTES * 3];
    if (a->kind != b->kind || !str_eq(a->text, b->text))
        return false;
    record_encode(a, x);
    record_encode(b, y);
    return memcmp(x, y, RECORD_BYTES) == 0;
}

enum rc machine_apply(struct machine *m, const struct record *r, struct err *err)
{
    if (m->in_chain && (!record_is_transfer(r) || r->kind == RECORD_EXPIRE))
        return err_set(err, RC_INVALID, "something else stands within a chain of transfers");
    const struct pending *due = pendings_next(&m->pendings);
    if (r->kind != RECORD_EXPIRE && due != NULL && due->ends <= m->at)
        return err_set(err, RC_INVALID,
                       "reservation %llu of source %u ran out, and is not released",
                       (unsigned long long)due->number, due->source);
    struct record done = {0};
    enum rc rc = apply_any(m, r, &done, err);
    if (rc != RC_OK) {
        err->rc = RC_INVALID; /* whatever it was: it cannot have happened */
        return RC_INVALID;
    }
    if (!same_record(&done, r))
        return err_set(err, RC_INVALID, "a record says otherwise than what it must have done");
    return RC_OK;
}

/* --- checkpoints --- */

enum { SAVED_NUMBER = 8 };

static void save_number(char **at, uint64_t number)
{
    for (int i = 0; i < SAVED_NUMBER; i++)
        *(*at)++ = (char)(uint8_t)(number >> (8 * i));
}

static bool load_number(struct str *bytes, uint64_t *ret)
{
    if (bytes->n < SAVED_NUMBER)
        return false;
    *ret = 0;
    for (int i = 0; i < SAVED_NUMBER; i++)
        *ret |= (uint64_t)(uint8_t)bytes->p[i] << (8 * i);
    *bytes = str_sub(*bytes, SAVED_NUMBER, bytes->n);
    return true;
}

static int by_reference(const void *a, const void *b)
{
    const struct pending *x = a;
    const struct pending *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* A reservation as a record, with the instant of its end where the timeout stands. */
static struct record pending_record(const struct pending *p)
{
    return (struct record){.kind = RECORD_PENDING,
                           .code = p->code,
                           .source = p->source,
                           .number = p->number,
                           .debit = p->debit,
                           .credit = p->credit,
                           .amount = p->amount,
                           .event = p->event,
                           .timeout_us = p->ends};
}

static char *save_pendings(const struct machine *m, struct arena *arena, char *at)
{
    size_t count = pendings_count(&m->pendings);
    struct pending *all = NEW_N(arena, struct pending, count + 1);
    size_t n = 0;
    uint32_t walk = 0;
    for (const struct pending *p = NULL; (p = pendings_walk(&m->pendings, &walk)) != NULL;)
        all[n++] = *p;
    ASSERT(n == count);
    qsort(all, n, sizeof *all, by_reference);
    for (size_t i = 0; i < n; i++, at += RECORD_BYTES) {
        struct record r = pending_record(&all[i]);
        record_encode(&r, at);
    }
    return at;
}

/* Numbers of 8 bytes: the time; how many sources, and the last number of each; how many closed
 * accounts, and which; how many reservations; then their records. */
struct str machine_save(const struct machine *m, struct arena *arena)
{
    uint64_t closed = 0;
    for (account_id id = 1; id < m->accounts.count; id++)
        closed += (machine_at(m, id)->flags & ACCOUNT_CLOSED) != 0;
    size_t n = SAVED_NUMBER * (4 + (size_t)machine_sources(m) + closed) +
               pendings_count(&m->pendings) * RECORD_BYTES;
    char *bytes = arena_bytes(arena, n);
    char *at = bytes;
    save_number(&at, (uint64_t)m->at);
    save_number(&at, machine_sources(m));
    for (uint32_t id = 1; id < m->sources.count; id++)
        save_number(&at, machine_source_last(m, id));
    save_number(&at, closed);
    for (account_id id = 1; id < m->accounts.count; id++)
        if (machine_at(m, id)->flags & ACCOUNT_CLOSED)
            save_number(&at, id);
    save_number(&at, pendings_count(&m->pendings));
    at = save_pendings(m, arena, at);
    ASSERT((size_t)(at - bytes) == n);
    return str_n(bytes, n);
}

static bool load_sources(struct machine *m, struct str *bytes)
{
    uint64_t count = 0;
    if (!load_number(bytes, &count) || count != machine_sources(m))
        return false;
    for (uint32_t id = 1; id < m->sources.count; id++)
        if (!load_number(bytes, &machine_source_at(m, id)->last))
            return false;
    return true;
}

static bool load_closed(struct machine *m, struct str *bytes)
{
    uint64_t count = 0;
    if (!load_number(bytes, &count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id = 0;
        if (!load_number(bytes, &id) || id == 0 || id >= m->accounts.count)
            return false;
        machine_at(m, (account_id)id)->flags |= ACCOUNT_CLOSED;
    }
    return true;
}

static bool load_pending(struct machine *m, struct str bytes)
{
    struct err ignored = {0};
    struct record r;
    if (record_decode(bytes, &r, &ignored) != RC_OK || r.kind != RECORD_PENDING || r.flags != 0)
        return false;
    if (!machine_has(&m->accounts, r.debit) || !machine_has(&m->accounts, r.credit) ||
        !machine_has(&m->sources, r.source) || r.amount <= 0 || r.timeout_us < 0 ||
        pendings_find(&m->pendings, r.source, r.number) != NULL)
        return false;
    struct pending p = {.source = r.source,
                        .debit = r.debit,
                        .credit = r.credit,
                        .code = r.code,
                        .number = r.number,
                        .amount = r.amount,
                        .event = r.event,
                        .ends = r.timeout_us};
    pendings_add(&m->pendings, &p);
    return true;
}

enum rc machine_load(struct machine *m, struct str bytes, struct err *err)
{
    uint64_t at = 0;
    uint64_t count = 0;
    bool ok = load_number(&bytes, &at) && load_sources(m, &bytes) && load_closed(m, &bytes) &&
              load_number(&bytes, &count) && count == bytes.n / RECORD_BYTES &&
              bytes.n % RECORD_BYTES == 0;
    for (; ok && bytes.n > 0; bytes = str_sub(bytes, RECORD_BYTES, bytes.n))
        ok = load_pending(m, bytes);
    if (!ok)
        return err_set(err, RC_INVALID, "the checkpoint of the ledger is damaged");
    m->at = (time_us)at;
    return RC_OK;
}

enum rc machine_load_balance(struct machine *m, account_id account, const struct balance *balance,
                             struct err *err)
{
    const struct balance *b = balance;
    int64_t sum = 0;
    if (!machine_has(&m->accounts, account) || b->debits < 0 || b->credits < 0 ||
        b->debits_pending < 0 || b->credits_pending < 0 ||
        __builtin_add_overflow(b->debits, b->debits_pending, &sum) ||
        __builtin_add_overflow(b->credits, b->credits_pending, &sum))
        return err_set(err, RC_INVALID, "the balance of account %u cannot be", account);
    machine_at(m, account)->balance = *b;
    return RC_OK;
}

/* --- the proof --- */

static enum rc prove_books(const struct machine *m, struct arena *arena, struct err *err)
{
    __int128 *sums = NEW_N(arena, __int128, m->books.count);
    for (account_id id = 1; id < m->accounts.count; id++)
        sums[machine_at(m, id)->book] += machine_net(m, id);
    for (uint32_t book = 1; book < m->books.count; book++) {
        struct str party;
        struct str currency;
        machine_see_book(m, book, &party, &currency);
        if (sums[book] != 0)
            return err_set(err, RC_INVALID, "the book of %.*s in %.*s does not balance",
                           STRF(party), STRF(currency));
    }
    return RC_OK;
}

static enum rc prove_account(const struct machine *m, account_id id, const struct balance *reserved,
                             struct err *err)
{
    char text[MACHINE_TEXT_MAX];
    const struct account_state *a = machine_at(m, id);
    const struct balance *b = &a->balance;
    const char *what = NULL;
    if (b->debits_pending != reserved->debits_pending ||
        b->credits_pending != reserved->credits_pending)
        what = "has other reservations than there are";
    else if ((a->flags & ACCOUNT_DEBITS_LE_CREDITS) && b->debits + b->debits_pending > b->credits)
        what = "has passed its limit";
    else if ((a->flags & ACCOUNT_CREDITS_LE_DEBITS) && b->credits + b->credits_pending > b->debits)
        what = "has passed its limit";
    else if (a->mirror != 0 && machine_at(m, a->mirror)->mirror != id)
        what = "has a mirror that does not look back";
    else if (a->mirror != 0 && machine_net(m, id) != -machine_net(m, a->mirror))
        what = "does not agree with its mirror";
    if (what != NULL)
        return err_set(err, RC_INVALID, "%s %s", machine_describe(m, id, text), what);
    return RC_OK;
}

static enum rc prove_all(const struct machine *m, struct arena *arena, struct err *err)
{
    struct balance *reserved = NEW_N(arena, struct balance, m->accounts.count);
    uint32_t walk = 0;
    for (const struct pending *p = NULL; (p = pendings_walk(&m->pendings, &walk)) != NULL;) {
        /* In int64: the accounts' own sums do not overflow, and these must equal them. */
        if (__builtin_add_overflow(reserved[p->debit].debits_pending, p->amount,
                                   &reserved[p->debit].debits_pending) ||
            __builtin_add_overflow(reserved[p->credit].credits_pending, p->amount,
                                   &reserved[p->credit].credits_pending))
            return err_set(err, RC_INVALID, "the reservations pass the largest number there is");
    }
    TRY(prove_books(m, arena, err));
    for (account_id id = 1; id < m->accounts.count; id++)
        TRY(prove_account(m, id, &reserved[id], err));
    return RC_OK;
}

enum rc machine_prove(const struct machine *m, struct err *err)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 40);
    enum rc rc = prove_all(m, &arena, err);
    arena_fini(&arena);
    return rc;
}
