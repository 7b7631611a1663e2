/*
 * The machine beside a slow and obvious model of it, in worlds made by chance: chains,
 * reservations, timeouts, limits, mirrors, refusals, undoing at every level; then the journal of
 * it all once more into an empty machine.
 */
#include "ledger/machine.h"

#include <check.h>

enum {
    ACCOUNTS = 24,
    SOURCES = 3,
    PENDINGS = 800,
    PENDINGS_CLOSED = 20, /* remembered, to be settled once more by mistake */
    OPERATIONS = 150000,  /* transfers tried, over all worlds */
    WORLDS = 10,
    CALL_MAX = 6,
    JOURNAL_MAX = 64 * 1024 * 1024,
};

/* --- the model: everything is copied before it is tried --- */

struct model_account {
    int book;
    unsigned flags;
    int mirror; /* -1: none */
    __int128 d, c, dp, cp;
};

struct model_pending {
    struct reference reference;
    int debit, credit;
    int64_t amount;
    time_us ends;
    bool open;
};

struct model {
    struct model_account accounts[ACCOUNTS];
    uint64_t last[SOURCES];
    struct model_pending pendings[PENDINGS];
    size_t pendings_count;
    time_us at;
};

static bool over(const struct model_account *a)
{
    return a->d + a->dp > INT64_MAX || a->c + a->cp > INT64_MAX;
}

static bool past_limit(const struct model_account *a, bool debited)
{
    if (debited && (a->flags & ACCOUNT_DEBITS_LE_CREDITS) && a->d + a->dp > a->c)
        return true;
    return !debited && (a->flags & ACCOUNT_CREDITS_LE_DEBITS) && a->c + a->cp > a->d;
}

static enum rc model_new(struct model *m, const struct transfer *t)
{
    if (t->amount <= 0)
        return RC_INVALID;
    if (t->debit < 1 || t->debit > ACCOUNTS || t->credit < 1 || t->credit > ACCOUNTS)
        return RC_NOT_FOUND;
    struct model_account *d = &m->accounts[t->debit - 1];
    struct model_account *c = &m->accounts[t->credit - 1];
    if (d == c || d->book != c->book)
        return RC_INVALID;
    if ((d->flags | c->flags) & ACCOUNT_CLOSED)
        return RC_CONFLICT;
    bool pending = (t->flags & TRANSFER_PENDING) != 0;
    *(pending ? &d->dp : &d->d) += t->amount;
    *(pending ? &c->cp : &c->c) += t->amount;
    if (over(d))
        return RC_INVALID;
    if (past_limit(d, true))
        return RC_CONFLICT;
    if (over(c))
        return RC_INVALID;
    if (past_limit(c, false))
        return RC_CONFLICT;
    if (!pending)
        return RC_OK;
    ck_assert_uint_lt(m->pendings_count, PENDINGS);
    m->pendings[m->pendings_count++] =
        (struct model_pending){t->reference,
                               (int)t->debit - 1,
                               (int)t->credit - 1,
                               t->amount,
                               t->timeout_us ? m->at + t->timeout_us : 0,
                               true};
    return RC_OK;
}

static void model_release(struct model *m, struct model_pending *p)
{
    m->accounts[p->debit].dp -= p->amount;
    m->accounts[p->credit].cp -= p->amount;
    p->open = false;
}

static enum rc model_settle(struct model *m, const struct transfer *t)
{
    if (t->amount < 0 || ((t->flags & TRANSFER_VOID) && t->amount != 0))
        return RC_INVALID;
    if (t->pending.number > m->last[t->pending.source - 1])
        return RC_NOT_FOUND;
    struct model_pending *p = NULL;
    for (size_t i = 0; i < m->pendings_count; i++)
        if (m->pendings[i].open && m->pendings[i].reference.source == t->pending.source &&
            m->pendings[i].reference.number == t->pending.number)
            p = &m->pendings[i];
    if (p == NULL)
        return RC_CONFLICT;
    if (t->amount > p->amount)
        return RC_INVALID;
    struct model_account *d = &m->accounts[p->debit];
    struct model_account *c = &m->accounts[p->credit];
    bool posts = (t->flags & TRANSFER_POST) != 0;
    if (posts && ((d->flags | c->flags) & ACCOUNT_CLOSED))
        return RC_CONFLICT;
    model_release(m, p);
    if (posts) {
        d->d += t->amount ? t->amount : p->amount;
        c->c += t->amount ? t->amount : p->amount;
    }
    return RC_OK;
}

static enum rc model_transfer(struct model *m, const struct transfer *t)
{
    if (t->reference.number <= m->last[t->reference.source - 1])
        return RC_CONFLICT;
    bool settles = (t->flags & (TRANSFER_POST | TRANSFER_VOID)) != 0;
    enum rc rc = settles ? model_settle(m, t) : model_new(m, t);
    if (rc != RC_OK)
        return rc;
    m->last[t->reference.source - 1] = t->reference.number;
    if (t->flags & TRANSFER_LINKED)
        return RC_OK;
    for (int i = 0; i < ACCOUNTS; i++) {
        const struct model_account *a = &m->accounts[i];
        const struct model_account *b = a->mirror >= 0 ? &m->accounts[a->mirror] : NULL;
        if (b != NULL && a->d - a->c != b->c - b->d)
            return RC_INVALID;
    }
    return RC_OK;
}

/* Forget what is settled for long. */
static void model_compact(struct model *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->pendings_count; i++)
        if (m->pendings[i].open || i + PENDINGS_CLOSED >= m->pendings_count)
            m->pendings[n++] = m->pendings[i];
    m->pendings_count = n;
}

static void model_expire(struct model *m)
{
    for (size_t i = 0; i < m->pendings_count; i++)
        if (m->pendings[i].open && m->pendings[i].ends && m->pendings[i].ends <= m->at)
            model_release(m, &m->pendings[i]);
}

/* --- a world --- */

struct world {
    struct clock_sim sim;
    struct machine *m;
    struct model model;
    struct model before_unit;
    struct model before_call;
    struct err err;
    char *journal;
    size_t journal_n;
    int operations;
    int accepted;
    bool big; /* amounts near the largest number */
};

static uint64_t below(struct world *w, uint64_t bound)
{
    return clock_sim_below(&w->sim, bound);
}

static void keep(struct world *w, const struct record *r)
{
    ck_assert_uint_lt(w->journal_n + record_size(r), JOURNAL_MAX);
    record_encode(r, w->journal + w->journal_n);
    w->journal_n += record_size(r);
}

/* Five books; accounts 2i and 2i + 1 of books 0 and 1 may mirror one another. */
static void make_accounts(struct world *w)
{
    static const char *const parties[] = {"Op", "POP", "DC", "SI", "Client"};
    struct record r;
    uint32_t id = 0;
    for (int i = 0; i < SOURCES; i++) {
        char name[] = "source/0";
        name[7] = (char)('0' + i);
        ck_assert_int_eq(machine_source(w->m, str_c(name), &id, &r, &w->err), RC_OK);
        keep(w, &r);
    }
    for (int i = 0; i < ACCOUNTS; i++) {
        struct model_account *a = &w->model.accounts[i];
        uint64_t dice = below(w, 8);
        a->book = i < 12 ? i % 2 : 2 + i % 3;
        a->mirror = -1;
        a->flags = dice == 0   ? ACCOUNT_DEBITS_LE_CREDITS
                   : dice == 1 ? ACCOUNT_CREDITS_LE_DEBITS
                               : 0;
        if (i < 8 && i % 2 == 1) {
            a->mirror = i - 1;
            w->model.accounts[i - 1].mirror = i;
        }
        char code[16];
        (void)snprintf(code, sizeof code, "A%d", i);
        uint32_t book = 0;
        ck_assert_int_eq(
            machine_book(w->m, str_c(parties[a->book]), STR("EUR"), &book, &r, &w->err), RC_OK);
        if (r.text.n > 0)
            keep(w, &r);
        struct record d = {.flags = (uint8_t)a->flags,
                           .book = book,
                           .mirror = a->mirror >= 0 ? (uint32_t)a->mirror + 1 : 0,
                           .text = str_c(code)};
        ck_assert_int_eq(machine_account(w->m, &d, &id, &r, &w->err), RC_OK);
        ck_assert_int_eq(id, i + 1);
        keep(w, &r);
    }
}

static int64_t any_amount(struct world *w)
{
    if (below(w, 100) == 0)
        return -(int64_t)below(w, 2);
    if (w->big && below(w, 4) == 0)
        return INT64_MAX - (int64_t)below(w, 1000);
    return 1 + (int64_t)below(w, 1000);
}

/* Seldom one with a mirror: alone it would be refused. */
static account_id any_account(struct world *w)
{
    account_id id = 1 + (account_id)below(w, ACCOUNTS);
    if (w->model.accounts[id - 1].mirror >= 0 && below(w, 10) > 0)
        id = 9 + (account_id)below(w, ACCOUNTS - 8);
    return id;
}

static struct transfer any_transfer(struct world *w, const struct model *m)
{
    uint32_t source = 1 + (uint32_t)below(w, SOURCES);
    struct transfer t = {.reference = {source, m->last[source - 1] + 1 + below(w, 3)},
                         .debit = any_account(w),
                         .amount = any_amount(w),
                         .event = below(w, 5),
                         .code = (uint16_t)below(w, 9)};
    /* Mostly an account of the same book. */
    for (int i = 0; i < 20; i++) {
        t.credit = any_account(w);
        if (t.credit != t.debit && m->accounts[t.credit - 1].book == m->accounts[t.debit - 1].book)
            break;
    }
    uint64_t dice = below(w, 10);
    if (dice == 0)
        t.reference.number -= below(w, 4) < t.reference.number ? below(w, 2) : 0;
    if (t.reference.number == 0)
        t.reference.number = 1;
    bool room = m->pendings_count + 100 < PENDINGS;
    if (dice >= 4 && dice < 7 && room) {
        t.flags = TRANSFER_PENDING;
        t.timeout_us = below(w, 4) == 0 ? 0 : 1 + (int64_t)below(w, 3000);
    } else if (dice >= 7 && m->pendings_count > 0) {
        size_t back = below(w, m->pendings_count < 20 ? m->pendings_count : 20);
        t.pending = m->pendings[m->pendings_count - 1 - back].reference;
        t.pending.number += below(w, 50) == 0;
        t.flags = dice < 9 ? TRANSFER_POST : TRANSFER_VOID;
        t.amount = dice == 9 || below(w, 2) ? 0 : (int64_t)below(w, 500);
        t.debit = 0;
        t.credit = 0;
    }
    return t;
}

/* Both halves of an event of two books: the second transfer is the first one, mirrored. */
static size_t mirrored_pair(struct world *w, const struct model *m, struct transfer *t)
{
    uint32_t i = 2 * (uint32_t)below(w, 4);
    t[0] = any_transfer(w, m);
    t[0] = (struct transfer){.reference = {1, m->last[0] + 1},
                             .debit = 1 + i,
                             .credit = 9 + 2 * (uint32_t)below(w, 2),
                             .amount = any_amount(w),
                             .flags = TRANSFER_LINKED};
    t[1] = (struct transfer){.reference = {1, m->last[0] + 2},
                             .debit = 10 + 2 * (uint32_t)below(w, 2),
                             .credit = 2 + i,
                             .amount = t[0].amount};
    return 2;
}

/* One call, as ledger_post: all or nothing. */
static void call(struct world *w)
{
    w->before_call = w->model;
    size_t mark = machine_mark(w->m);
    size_t journal_mark = w->journal_n;
    struct transfer t[CALL_MAX];
    size_t count = 1 + below(w, CALL_MAX);
    bool pair = below(w, 3) == 0;
    if (pair)
        count = mirrored_pair(w, &w->model, t);
    enum rc want = RC_OK;
    for (size_t i = 0; want == RC_OK && i < count; i++) {
        if (!pair)
            t[i] = any_transfer(w, &w->model);
        if (!pair && i + 1 < count && below(w, 2))
            t[i].flags |= TRANSFER_LINKED;
        struct record r;
        w->operations++;
        want = model_transfer(&w->model, &t[i]);
        enum rc got = machine_transfer(w->m, &t[i], &r, &w->err);
        ck_assert_msg(got == want, "%s, not %s: %s", rc_slug(got), rc_slug(want), w->err.text);
        if (got == RC_OK)
            keep(w, &r);
    }
    if (want == RC_OK) {
        w->accepted++;
        return;
    }
    w->model = w->before_call;
    machine_undo(w->m, mark);
    w->journal_n = journal_mark;
}

static void check_balances(const struct world *w, const struct machine *m)
{
    for (int i = 0; i < ACCOUNTS; i++) {
        const struct model_account *a = &w->model.accounts[i];
        const struct balance *b = machine_balance(m, (account_id)i + 1);
        ck_assert(b->debits == a->d && b->credits == a->c && b->debits_pending == a->dp &&
                  b->credits_pending == a->cp);
        ck_assert_uint_eq(machine_flags(m, (account_id)i + 1), a->flags);
    }
    for (int i = 0; i < SOURCES; i++)
        ck_assert_uint_eq(machine_source_last(m, (uint32_t)i + 1), w->model.last[i]);
}

static void close_any(struct world *w)
{
    uint32_t i = (uint32_t)below(w, ACCOUNTS);
    bool closed = below(w, 4) == 0;
    bool changed = false;
    struct record r;
    ck_assert_int_eq(machine_set_closed(w->m, i + 1, closed, &changed, &r, &w->err), RC_OK);
    ck_assert(changed == (((w->model.accounts[i].flags & ACCOUNT_CLOSED) != 0) != closed));
    if (changed) {
        keep(w, &r);
        w->model.accounts[i].flags ^= ACCOUNT_CLOSED;
    }
}

static void unit(struct world *w)
{
    w->before_unit = w->model;
    size_t mark = machine_mark(w->m);
    size_t journal_mark = w->journal_n;
    for (uint64_t calls = 1 + below(w, 4); calls > 0; calls--)
        call(w);
    if (below(w, 20) == 0)
        close_any(w);
    if (below(w, 5) > 0)
        return;
    machine_undo(w->m, mark);
    w->model = w->before_unit;
    w->journal_n = journal_mark;
}

/* Where a batch begins in the journal of the test. */
struct cut {
    size_t at;
    time_us time;
};

static void seal(struct world *w, const struct model *before)
{
    size_t count = 0;
    const struct touched *touched = machine_seal(w->m, &count);
    bool listed[ACCOUNTS] = {false};
    for (size_t i = 0; i < count; i++) {
        uint32_t at = touched[i].account - 1;
        ck_assert(!listed[at]);
        listed[at] = true;
        ck_assert(touched[i].before.debits == before->accounts[at].d &&
                  touched[i].before.debits_pending == before->accounts[at].dp &&
                  touched[i].before.credits == before->accounts[at].c &&
                  touched[i].before.credits_pending == before->accounts[at].cp);
    }
    for (int i = 0; i < ACCOUNTS; i++) {
        const struct model_account *a = &w->model.accounts[i];
        const struct model_account *b = &before->accounts[i];
        if (a->d != b->d || a->c != b->c || a->dp != b->dp || a->cp != b->cp)
            ck_assert(listed[i]);
    }
}

static bool batch(struct world *w, struct model *before, time_us at)
{
    size_t journal_mark = w->journal_n;
    struct record r;
    *before = w->model;
    w->model.at = at;
    model_compact(&w->model);
    machine_begin(w->m, at);
    model_expire(&w->model);
    while (machine_expire(w->m, &r))
        keep(w, &r);
    check_balances(w, w->m);
    for (uint64_t units = below(w, 4); units > 0; units--)
        unit(w);
    seal(w, before);
    check_balances(w, w->m);
    if (below(w, 10) == 0) {
        machine_cancel(w->m);
        w->model = *before;
        w->journal_n = journal_mark;
        return false;
    }
    machine_end(w->m);
    return true;
}

static void replay(struct world *w, struct machine *again, const struct cut *cuts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        machine_begin(again, cuts[i].time);
        size_t end = i + 1 < count ? cuts[i + 1].at : w->journal_n;
        struct record r;
        for (size_t at = cuts[i].at; at < end; at += record_size(&r)) {
            struct str rest = str_n(w->journal + at, end - at);
            ck_assert_int_eq(record_decode(rest, &r, &w->err), RC_OK);
            enum rc rc = machine_apply(again, &r, &w->err);
            ck_assert_msg(rc == RC_OK, "%s", w->err.text);
        }
        machine_end(again);
    }
}

static void check_replay(struct world *w, const struct cut *cuts, size_t count)
{
    const uint64_t other_seed[2] = {77, 78};
    struct arena arena;
    arena_init(&arena, STORE_TX_ARENA_BYTES);
    struct machine *again = machine_open(other_seed);
    replay(w, again, cuts, count);
    check_balances(w, again);
    ck_assert_int_eq(machine_prove(again, &w->err), RC_OK);
    ck_assert(str_eq(machine_save(again, &arena), machine_save(w->m, &arena)));
    machine_close(again);
    arena_fini(&arena);
}

enum { CUTS_MAX = 100000 };

static uint64_t seed_of_run(void)
{
    const char *text = getenv("TEST_SEED");
    int64_t seed = 20260131;
    if (text != NULL && !str_to_i64(str_c(text), 0, INT64_MAX, &seed))
        seed = 0;
    return (uint64_t)seed;
}

static void run_world(struct world *w, uint64_t number)
{
    const uint64_t seed[2] = {number, 5};
    clock_sim_init(&w->sim, 0, number);
    w->m = machine_open(seed);
    w->big = number % 3 == 0;
    w->journal = malloc(JOURNAL_MAX);
    struct cut *cuts = malloc(CUTS_MAX * sizeof *cuts);
    struct model *before = malloc(sizeof *before);
    ck_assert(w->journal != NULL && cuts != NULL && before != NULL);
    time_us at = 1000000;
    size_t count = 0;
    machine_begin(w->m, at);
    make_accounts(w);
    machine_end(w->m);
    cuts[count++] = (struct cut){0, at};
    while (w->operations < OPERATIONS / WORLDS) {
        at += (time_us)below(w, 500);
        ck_assert_uint_lt(count, CUTS_MAX);
        cuts[count] = (struct cut){w->journal_n, at};
        count += batch(w, before, at);
    }
    ck_assert_int_eq(machine_prove(w->m, &w->err), RC_OK);
    check_replay(w, cuts, count);
    if (!w->big)
        ck_assert_int_gt(w->accepted, w->operations / 20);
    machine_close(w->m);
    free(before);
    free(cuts);
    free(w->journal);
}

START_TEST(the_machine_does_what_the_model_does)
{
    uint64_t seed = seed_of_run() + (uint64_t)_i;
    fprintf(stderr, "model: TEST_SEED=%llu\n", (unsigned long long)seed);
    struct world *w = calloc(1, sizeof *w);
    ck_assert_ptr_nonnull(w);
    run_world(w, seed);
    fprintf(stderr, "model: %d transfers tried, %d calls accepted\n", w->operations, w->accepted);
    free(w);
}
END_TEST

Suite *model_suite(void);
Suite *model_suite(void)
{
    Suite *s = suite_create("model");
    TCase *c = tcase_create("model");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, the_machine_does_what_the_model_does, 0, WORLDS);
    suite_add_tcase(s, c);
    return s;
}
