#include "ledger/ledger_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

START_TEST(what_is_posted_is_seen_and_is_there_after_reopening)
{
    struct books b;
    books_open(&b);
    ck_assert_int_eq(books_move(&b, 1, 195), RC_OK);
    ck_assert_int_eq(books_net(&b, b.cash), 195);
    for (int i = 0; i < 2; i++) { /* from the journal, then from a checkpoint */
        books_reopen(&b);
        ck_assert_int_eq(books_net(&b, b.cash), 195);
        ck_assert_int_eq(books_net(&b, b.sales), -195);
        ck_assert_int_eq(ledger_checkpoint(b.l, &b.f.err), RC_OK);
    }
    ck_assert_int_eq(books_move(&b, 2, 5), RC_OK);
    books_reopen(&b);
    ck_assert_int_eq(books_net(&b, b.cash), 200);
    struct ledger_report r = books_verify(&b);
    ck_assert_int_eq(r.transfers, 2);
    ck_assert_int_eq(r.accounts, 5);
    ck_assert_int_eq(r.books, 2);
    ck_assert_uint_eq(r.head.n, 64);
    books_close(&b);
}
END_TEST

/* --- units of work --- */

struct unit {
    struct books *b;
    enum rc answer;
    account_id opened;
};

static enum rc open_and_post(struct tx *tx, void *arg)
{
    struct unit *u = arg;
    struct books *b = u->b;
    struct balance balance;
    struct transfer t = books_transfer(b, 1, b->cash, b->sales, 10);
    TRY(ledger_account(
        tx, b->l,
        &(struct account){.party = STR("New"), .currency = STR("CNY"), .code = STR("Bank:A")},
        &u->opened));
    TRY(ledger_balance(tx, b->l, u->opened, &balance));
    ck_assert_int_eq(balance.debits, 0);
    TRY(ledger_post(tx, b->l, &t, 1, NULL));
    /* A refusal is no end of the unit: it may go on without. */
    t.reference.number = 2;
    t.credit = 999;
    ck_assert_int_eq(ledger_post(tx, b->l, &t, 1, NULL), RC_NOT_FOUND);
    t.credit = b->sales;
    t.flags = TRANSFER_LINKED;
    ck_assert_int_eq(ledger_post(tx, b->l, &t, 1, NULL), RC_INVALID);
    TRY(ledger_balance(tx, b->l, b->cash, &balance));
    ck_assert_int_eq(balance.debits, 10);
    TRY(ledger_balance_at(tx, b->l, b->cash, INT64_MAX, &balance));
    ck_assert_int_eq(balance.debits, 10);
    return u->answer == RC_OK ? RC_OK : err_set(tx->err, u->answer, "as the test wants");
}

START_TEST(a_unit_of_work_that_fails_leaves_nothing_in_the_books)
{
    struct books b;
    books_open(&b);
    struct unit u = {.b = &b, .answer = RC_INVALID};
    ck_assert_int_eq(fixture_write(&b.f, open_and_post, &u), RC_INVALID);
    account_id undone = u.opened;
    ck_assert_int_eq(books_net(&b, b.cash), 0);
    ck_assert_int_eq(books_verify(&b).accounts, 5);
    u.answer = RC_OK;
    books_must(fixture_write(&b.f, open_and_post, &u), &b.f.err);
    ck_assert_uint_eq(u.opened, undone);
    ck_assert_int_eq(books_net(&b, b.cash), 10);
    ck_assert_int_eq(books_verify(&b).accounts, 6);
    books_close(&b);
}
END_TEST

static enum rc only_look(struct tx *tx, void *arg)
{
    struct books *b = arg;
    struct balance balance;
    return ledger_balance(tx, b->l, b->cash, &balance);
}

START_TEST(a_unit_of_work_that_only_looks_writes_no_batch)
{
    struct books b;
    books_open(&b);
    int64_t batches = books_verify(&b).batches;
    books_must(fixture_write(&b.f, only_look, &b), &b.f.err);
    ck_assert_int_eq(ledger_checkpoint(b.l, &b.f.err), RC_OK);
    ck_assert_int_eq(ledger_checkpoint(b.l, &b.f.err), RC_OK);
    ck_assert_int_eq(books_verify(&b).batches, batches);
    ck_assert_int_eq(books_move(&b, 1, 1), RC_OK);
    ck_assert_int_eq(books_verify(&b).batches, batches + 1);
    books_close(&b);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    struct books b;
    books_open(&b);
    struct books_ask a = {.b = &b, .account = 99};
    ck_assert_int_eq(fixture_read(&b.f, books_balance_fn, &a), RC_NOT_FOUND);
    ck_assert_int_eq(fixture_read(&b.f, books_balance_at_fn, &a), RC_NOT_FOUND);
    ck_assert_int_eq(fixture_write(&b.f, books_balance_fn, &a), RC_NOT_FOUND);
    ck_assert_int_eq(fixture_write(&b.f, books_balance_at_fn, &a), RC_NOT_FOUND);
    books_close(&b);
}
END_TEST

/* --- repeats --- */

START_TEST(the_same_again_has_no_effect_and_another_is_refused)
{
    struct books b;
    size_t posted = 9;
    books_open(&b);
    struct transfer t[3];
    for (uint64_t i = 0; i < 3; i++)
        t[i] = books_transfer(&b, 1 + 2 * i, b.cash, b.sales, 7 + (int64_t)i);
    t[0].flags = TRANSFER_LINKED;
    ck_assert_int_eq(books_post(&b, t, 3, &posted), RC_OK);
    ck_assert_uint_eq(posted, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(books_post(&b, t, 3, &posted), RC_OK);
        ck_assert_uint_eq(posted, 0);
        ck_assert_int_eq(books_post(&b, &t[2], 1, &posted), RC_OK);
        if (i == 0)
            ck_assert_int_eq(ledger_checkpoint(b.l, &b.f.err), RC_OK);
        books_reopen(&b);
    }
    struct transfer other = t[2];
    other.amount++;
    ck_assert_int_eq(books_post(&b, &other, 1, NULL), RC_CONFLICT);
    ck_assert(str_has(err_text(&b.f.err), STR("number 5 of 'test' is another transfer")));
    other = t[2];
    other.event++;
    ck_assert_int_eq(books_post(&b, &other, 1, NULL), RC_CONFLICT);
    ck_assert_int_eq(books_move(&b, 2, 1), RC_CONFLICT);
    ck_assert(str_has(err_text(&b.f.err), STR("number 2 of 'test' comes late")));
    struct transfer mixed[2] = {t[0], books_transfer(&b, 9, b.cash, b.sales, 1)};
    ck_assert_int_eq(books_post(&b, mixed, 2, NULL), RC_CONFLICT);
    ck_assert(str_has(err_text(&b.f.err), STR("a part was posted before")));
    ck_assert_int_eq(books_net(&b, b.cash), 24);
    books_close(&b);
}
END_TEST

static enum rc post_twice(struct tx *tx, void *arg)
{
    struct books *b = arg;
    size_t posted = 9;
    struct transfer t[2] = {books_transfer(b, 1, b->cash, b->sales, 3),
                            books_transfer(b, 2, b->cash, b->sales, 4)};
    TRY(ledger_post(tx, b->l, t, 2, &posted));
    ck_assert_uint_eq(posted, 2);
    TRY(ledger_post(tx, b->l, t, 2, &posted));
    ck_assert_uint_eq(posted, 0);
    t[1].amount++;
    ck_assert_int_eq(ledger_post(tx, b->l, t, 2, &posted), RC_CONFLICT);
    return RC_OK;
}

START_TEST(a_repeat_in_the_same_batch_is_known_too)
{
    struct books b;
    books_open(&b);
    books_must(fixture_write(&b.f, post_twice, &b), &b.f.err);
    ck_assert_int_eq(books_net(&b, b.cash), 7);
    books_close(&b);
}
END_TEST

START_TEST(settlements_repeat_with_the_liberties_they_had)
{
    struct books b;
    size_t posted = 9;
    books_open(&b);
    struct transfer p = books_transfer(&b, 1, b.cash, b.sales, 100);
    p.flags = TRANSFER_PENDING;
    p.timeout_us = US_PER_DAY;
    struct transfer t = {
        .reference = {b.source, 2}, .pending = p.reference, .flags = TRANSFER_POST};
    ck_assert_int_eq(books_post(&b, &p, 1, NULL), RC_OK);
    ck_assert_int_eq(books_post(&b, &p, 1, &posted), RC_OK);
    ck_assert_uint_eq(posted, 0);
    ck_assert_int_eq(books_post(&b, &t, 1, NULL), RC_OK);
    ck_assert_int_eq(books_post(&b, &t, 1, &posted), RC_OK);
    ck_assert_uint_eq(posted, 0);
    t.amount = 100;
    ck_assert_int_eq(books_post(&b, &t, 1, NULL), RC_OK);
    t.amount = 99;
    ck_assert_int_eq(books_post(&b, &t, 1, NULL), RC_CONFLICT);
    ck_assert_int_eq(books_net(&b, b.cash), 100);
    ck_assert_int_eq(books_balance(&b, b.cash).debits_pending, 0);
    books_close(&b);
}
END_TEST

START_TEST(reservations_end_after_their_timeout_across_reopening)
{
    struct books b;
    books_open(&b);
    struct transfer p = books_transfer(&b, 1, b.cash, b.sales, 100);
    p.flags = TRANSFER_PENDING;
    p.timeout_us = US_PER_DAY;
    ck_assert_int_eq(books_post(&b, &p, 1, NULL), RC_OK);
    ck_assert_int_eq(ledger_checkpoint(b.l, &b.f.err), RC_OK);
    books_reopen(&b);
    ck_assert_int_eq(books_balance(&b, b.cash).debits_pending, 100);
    clock_sim_advance(&b.sim, US_PER_DAY);
    ck_assert_int_eq(books_move(&b, 2, 1), RC_OK);
    ck_assert_int_eq(books_balance(&b, b.cash).debits_pending, 0);
    struct transfer t = {
        .reference = {b.source, 3}, .pending = p.reference, .flags = TRANSFER_POST};
    ck_assert_int_eq(books_post(&b, &t, 1, NULL), RC_CONFLICT);
    (void)books_verify(&b);
    books_close(&b);
}
END_TEST

/* --- the past --- */

enum { INSTANTS = 60 };

START_TEST(the_balance_of_any_past_instant)
{
    struct books b;
    int64_t nets[INSTANTS];
    time_us times[INSTANTS];
    books_open(&b);
    time_us opened = b.sim.at;
    int64_t net = 0;
    for (int i = 0; i < INSTANTS; i++) {
        clock_sim_advance(&b.sim, 10 * US_PER_SECOND); /* every sixth writes a checkpoint */
        ck_assert_int_eq(books_move(&b, (uint64_t)i + 1, i + 1), RC_OK);
        net += i + 1;
        nets[i] = net;
        times[i] = b.sim.at;
        if (i == INSTANTS / 2)
            books_reopen(&b);
    }
    for (int i = 0; i < INSTANTS; i++) {
        ck_assert_int_eq(books_balance_at(&b, b.cash, times[i]).debits, nets[i]);
        ck_assert_int_eq(books_balance_at(&b, b.sales, times[i] + 1).credits, nets[i]);
        ck_assert_int_eq(books_balance_at(&b, b.cash, times[i] - 1).debits, i ? nets[i - 1] : 0);
        ck_assert_int_eq(books_balance_at(&b, b.owes, times[i]).debits, 0);
    }
    ck_assert_int_eq(books_balance_at(&b, b.cash, opened - 1).debits, 0);
    (void)books_verify(&b);
    books_close(&b);
}
END_TEST

static enum rc count_history(struct tx *tx, void *arg)
{
    struct books_ask *a = arg;
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT COUNT(*) FROM ledger_balance WHERE account = $1", V(a->account)));
    a->at = row_int(&r, 0, 0);
    return RC_OK;
}

START_TEST(an_account_with_history_keeps_every_balance)
{
    struct books b;
    books_open(&b);
    for (uint64_t i = 1; i <= 5; i++)
        ck_assert_int_eq(books_move(&b, i, 1), RC_OK);
    struct books_ask a = {.b = &b, .account = b.sales};
    books_must(fixture_read(&b.f, count_history, &a), &b.f.err);
    ck_assert_int_eq(a.at, 5);
    a.account = b.cash;
    books_must(fixture_read(&b.f, count_history, &a), &b.f.err);
    ck_assert_int_eq(a.at, 0);
    books_close(&b);
}
END_TEST

struct tally {
    size_t count;
    int64_t sum;
    unsigned flags;
    account_id of;
};

static enum rc tally_transfer(struct tx *tx, const struct transfer *t, time_us at, void *arg)
{
    (void)tx;
    (void)at;
    struct tally *tally = arg;
    tally->count++;
    tally->flags |= t->flags;
    tally->sum += t->debit == tally->of ? t->amount : -t->amount;
    return RC_OK;
}

struct statement {
    struct books *b;
    time_us since, until;
    struct tally tally;
};

static enum rc make_statement(struct tx *tx, void *arg)
{
    struct statement *s = arg;
    s->tally.count = 0;
    s->tally.sum = 0;
    return ledger_transfers(tx, s->b->l, s->tally.of, s->since, s->until, tally_transfer,
                            &s->tally);
}

static enum rc post_and_make_statement(struct tx *tx, void *arg)
{
    struct statement *s = arg;
    struct transfer t = books_transfer(s->b, 99, s->b->cash, s->b->sales, 1000);
    TRY(ledger_post(tx, s->b->l, &t, 1, NULL));
    return make_statement(tx, arg);
}

START_TEST(transfers_of_an_account_within_a_time)
{
    struct books b;
    books_open(&b);
    time_us first = b.sim.at + US_PER_HOUR;
    for (uint64_t i = 1; i <= 6; i++) {
        clock_sim_advance(&b.sim, US_PER_HOUR);
        ck_assert_int_eq(books_move(&b, i, (int64_t)i), RC_OK);
    }
    struct statement s = {.b = &b, .since = first + US_PER_HOUR, .until = first + 3 * US_PER_HOUR};
    s.tally.of = b.cash;
    books_must(fixture_read(&b.f, make_statement, &s), &b.f.err);
    ck_assert_uint_eq(s.tally.count, 2);
    ck_assert_int_eq(s.tally.sum, 5);
    s.tally.of = b.owes;
    books_must(fixture_read(&b.f, make_statement, &s), &b.f.err);
    ck_assert_uint_eq(s.tally.count, 0);
    s = (struct statement){.b = &b, .since = INT64_MIN, .until = INT64_MAX, .tally.of = b.cash};
    books_must(fixture_write(&b.f, post_and_make_statement, &s), &b.f.err);
    ck_assert_uint_eq(s.tally.count, 7); /* with what it posted itself */
    ck_assert_int_eq(s.tally.sum, 1021);
    books_close(&b);
}
END_TEST

/* --- readers --- */

struct reader {
    struct books *b;
    size_t posts; /* meanwhile */
    const struct transfer *transfers;
    size_t count;
    int64_t net;
};

static void *post_meanwhile(void *arg)
{
    const struct reader *r = arg;
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, STORE_TX_ARENA_BYTES);
    for (size_t i = 0; i < r->posts; i++) {
        struct books_post p = {
            .b = r->b, .transfers = r->transfers + i * r->count, .count = r->count};
        enum rc rc = store_write(r->b->f.store, &arena, &err, books_post_fn, &p);
        ck_assert_msg(rc == RC_OK, "%s", err.text);
    }
    arena_fini(&arena);
    return NULL;
}

static enum rc sum_account(struct tx *tx, const struct account *account, void *arg)
{
    (void)tx;
    *(int64_t *)arg += account->balance.debits;
    return RC_OK;
}

static enum rc read_while_others_post(struct tx *tx, void *arg)
{
    struct reader *r = arg;
    struct balance before;
    struct balance after;
    pthread_t thread;
    TRY(ledger_balance(tx, r->b->l, r->b->cash, &before));
    ck_assert_int_eq(pthread_create(&thread, NULL, post_meanwhile, r), 0);
    pthread_join(thread, NULL);
    TRY(ledger_balance(tx, r->b->l, r->b->cash, &after));
    ck_assert_int_eq(memcmp(&before, &after, sizeof before), 0);
    int64_t listed = 0;
    TRY(ledger_accounts(tx, r->b->l, STR("Op"), sum_account, &listed));
    r->net = before.debits;
    ck_assert_int_eq(listed, before.debits);
    return RC_OK;
}

START_TEST(a_reader_sees_the_books_as_of_its_own_snapshot)
{
    struct books b;
    books_open(&b);
    ck_assert_int_eq(books_move(&b, 1, 5), RC_OK);
    struct transfer t = books_transfer(&b, 2, b.cash, b.sales, 7);
    struct reader r = {.b = &b, .posts = 1, .transfers = &t, .count = 1};
    books_must(fixture_read(&b.f, read_while_others_post, &r), &b.f.err);
    ck_assert_int_eq(r.net, 5);
    ck_assert_int_eq(books_net(&b, b.cash), 12);
    books_close(&b);
}
END_TEST

enum { MANY_ACCOUNTS = 8000, MANY_POSTS = 10 };

static enum rc open_many(struct tx *tx, void *arg)
{
    struct books *b = arg;
    account_id id = 0;
    for (int i = 0; i < MANY_ACCOUNTS; i++)
        TRY(ledger_account(tx, b->l,
                           &(struct account){.party = STR("Op"),
                                             .currency = STR("EUR"),
                                             .code = arena_fmt(tx->arena, "Deferred:%d", i)},
                           &id));
    ck_assert_uint_eq(id, b->hosting + MANY_ACCOUNTS);
    return RC_OK;
}

START_TEST(a_reader_of_an_old_snapshot_finds_it_in_the_journal)
{
    struct books b;
    books_open(&b);
    books_must(fixture_write(&b.f, open_many, &b), &b.f.err);
    ck_assert_int_eq(books_move(&b, 1, 5), RC_OK);
    size_t count = (size_t)MANY_ACCOUNTS * MANY_POSTS;
    struct transfer *t = calloc(count, sizeof *t);
    ck_assert_ptr_nonnull(t);
    for (size_t i = 0; i < count; i++)
        t[i] =
            books_transfer(&b, 2 + i, b.cash, b.hosting + 1 + (account_id)(i % MANY_ACCOUNTS), 1);
    /* More changes than are remembered. */
    struct reader r = {.b = &b, .posts = MANY_POSTS, .transfers = t, .count = MANY_ACCOUNTS};
    books_must(fixture_read(&b.f, read_while_others_post, &r), &b.f.err);
    ck_assert_int_eq(r.net, 5);
    ck_assert_int_eq(books_net(&b, b.cash), 5 + (int64_t)count);
    ck_assert_int_eq(books_verify(&b).transfers, 1 + (int64_t)count);
    free(t);
    books_close(&b);
}
END_TEST

struct pair_reader {
    struct books *b;
    atomic_bool stop;
    int64_t reads;
};

static enum rc compare_mirrors(struct tx *tx, void *arg)
{
    struct pair_reader *p = arg;
    struct balance one;
    struct balance two;
    TRY(ledger_balance(tx, p->b->l, p->b->owes, &one));
    TRY(ledger_balance(tx, p->b->l, p->b->owed, &two));
    ck_assert_int_eq(one.debits, two.credits);
    ck_assert_int_eq(one.credits, two.debits);
    p->reads++;
    return RC_OK;
}

static void *read_mirrors(void *arg)
{
    struct pair_reader *p = arg;
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, STORE_TX_ARENA_BYTES);
    while (!atomic_load(&p->stop)) {
        enum rc rc = store_read(p->b->f.store, &arena, &err, compare_mirrors, p);
        ck_assert_msg(rc == RC_OK, "%s", err.text);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return NULL;
}

START_TEST(mirrors_agree_for_every_reader_at_every_instant)
{
    struct books b;
    pthread_t thread;
    books_open(&b);
    struct pair_reader p = {.b = &b};
    ck_assert_int_eq(pthread_create(&thread, NULL, read_mirrors, &p), 0);
    for (uint64_t i = 0; i < 200; i++) {
        struct transfer t[2] = {books_transfer(&b, 2 * i + 1, b.sales, b.owes, 3),
                                books_transfer(&b, 2 * i + 2, b.owed, b.hosting, 3)};
        t[0].flags = TRANSFER_LINKED;
        ck_assert_int_eq(books_post(&b, t, 2, NULL), RC_OK);
    }
    atomic_store(&p.stop, true);
    pthread_join(thread, NULL);
    ck_assert_int_gt(p.reads, 0);
    books_close(&b);
}
END_TEST

/* --- names --- */

static enum rc find_accounts(struct tx *tx, void *arg)
{
    struct books *b = arg;
    account_id id = 0;
    TRY(ledger_find(tx, b->l, STR("Op"), STR("EUR"), STR("AP:POP"), &id));
    ck_assert_uint_eq(id, b->owes);
    ck_assert_int_eq(ledger_find(tx, b->l, STR("Op"), STR("USD"), STR("AP:POP"), &id),
                     RC_NOT_FOUND);
    int64_t listed = 0;
    TRY(ledger_accounts(tx, b->l, STR("POP"), sum_account, &listed));
    ck_assert_int_eq(listed, 0);
    return RC_OK;
}

START_TEST(accounts_are_found_by_name_inside_a_batch_and_outside)
{
    struct books b;
    books_open(&b);
    books_must(fixture_read(&b.f, find_accounts, &b), &b.f.err);
    books_must(fixture_write(&b.f, find_accounts, &b), &b.f.err);
    books_close(&b);
}
END_TEST

static enum rc close_cash(struct tx *tx, void *arg)
{
    struct books *b = arg;
    return ledger_set_closed(tx, b->l, b->cash, true);
}

START_TEST(a_closed_account_stays_closed_across_reopening)
{
    struct books b;
    books_open(&b);
    ck_assert_int_eq(ledger_checkpoint(b.l, &b.f.err), RC_OK);
    books_must(fixture_write(&b.f, close_cash, &b), &b.f.err);
    for (int i = 0; i < 2; i++) {
        books_reopen(&b);
        ck_assert_int_eq(books_move(&b, 1, 1), RC_CONFLICT);
        (void)books_verify(&b);
        ck_assert_int_eq(ledger_checkpoint(b.l, &b.f.err), RC_OK);
    }
    books_close(&b);
}
END_TEST

/* More than go into one statement, and an odd one first, so that the two of a debt are parted. */
enum { DEBTS = 1100 };

static enum rc open_debts(struct tx *tx, void *arg)
{
    struct books *b = arg;
    account_id odd = 0;
    account_id payable = 0;
    account_id receivable = 0;
    TRY(ledger_account(
        tx, b->l,
        &(struct account){.party = STR("Op"), .currency = STR("EUR"), .code = STR("Income:Odd")},
        &odd));
    for (int i = 0; i < DEBTS; i++) {
        struct str debtor = arena_fmt(tx->arena, "Client%d", i);
        TRY(ledger_debt(tx, b->l, debtor, STR("Op"), STR("EUR"), &payable, &receivable));
    }
    return ledger_set_closed(tx, b->l, odd, true);
}

static enum rc count_mirrors(struct tx *tx, void *arg)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT COUNT(*), COALESCE(SUM(a.closed), 0), (SELECT COUNT(*) FROM "
                 "ledger_account x JOIN ledger_account y ON y.id = x.mirror AND y.mirror = x.id) "
                 "FROM ledger_account a"));
    int64_t *counts = arg;
    for (size_t i = 0; i < 3; i++)
        counts[i] = row_int(&rows, 0, i);
    return RC_OK;
}

START_TEST(many_accounts_opened_at_once_are_all_there_with_their_mirrors)
{
    struct books b;
    int64_t before[3];
    int64_t after[3];
    books_open(&b);
    books_must(fixture_read(&b.f, count_mirrors, before), &b.f.err);
    books_must(fixture_write(&b.f, open_debts, &b), &b.f.err);
    books_must(fixture_read(&b.f, count_mirrors, after), &b.f.err);
    ck_assert_int_eq(after[0] - before[0], 2 * DEBTS + 1);
    ck_assert_int_eq(after[1] - before[1], 1);
    ck_assert_int_eq(after[2] - before[2], 2 * DEBTS);
    (void)books_verify(&b);
    books_reopen(&b);
    (void)books_verify(&b);
    books_close(&b);
}
END_TEST

Suite *ledger_suite(void);
Suite *ledger_suite(void)
{
    Suite *s = suite_create("ledger");
    TCase *c = tcase_create("ledger");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, what_is_posted_is_seen_and_is_there_after_reopening);
    tcase_add_test(c, a_unit_of_work_that_fails_leaves_nothing_in_the_books);
    tcase_add_test(c, a_unit_of_work_that_only_looks_writes_no_batch);
    tcase_add_test(c, what_is_not_there_is_not_found);
    tcase_add_test(c, the_same_again_has_no_effect_and_another_is_refused);
    tcase_add_test(c, a_repeat_in_the_same_batch_is_known_too);
    tcase_add_test(c, settlements_repeat_with_the_liberties_they_had);
    tcase_add_test(c, reservations_end_after_their_timeout_across_reopening);
    tcase_add_test(c, the_balance_of_any_past_instant);
    tcase_add_test(c, an_account_with_history_keeps_every_balance);
    tcase_add_test(c, transfers_of_an_account_within_a_time);
    tcase_add_test(c, a_reader_sees_the_books_as_of_its_own_snapshot);
    tcase_add_test(c, a_reader_of_an_old_snapshot_finds_it_in_the_journal);
    tcase_add_test(c, mirrors_agree_for_every_reader_at_every_instant);
    tcase_add_test(c, accounts_are_found_by_name_inside_a_batch_and_outside);
    tcase_add_test(c, a_closed_account_stays_closed_across_reopening);
    tcase_add_test(c, many_accounts_opened_at_once_are_all_there_with_their_mirrors);
    suite_add_tcase(s, c);
    return s;
}
