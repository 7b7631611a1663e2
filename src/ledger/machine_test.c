#include "ledger/machine.h"

#include <check.h>
#include <signal.h>

/* One machine with three books, and what the tests call it. */
struct world {
    struct machine *m;
    struct arena arena;
    struct err err;
    uint32_t source;
    uint64_t number;
    account_id cash, sales, wallet, asset; /* of Op in EUR; wallet and asset are limited */
    account_id op_owes, pop_is_owed;       /* mirrors */
    account_id pop_sales;                  /* of POP in EUR */
    account_id dollars;                    /* of Op in USD */
};

static account_id open_account(struct world *w, const char *party, const char *currency,
                               const char *code, unsigned flags, account_id mirror)
{
    uint32_t book = 0;
    account_id id = 0;
    struct record r;
    enum rc rc = machine_book(w->m, str_c(party), str_c(currency), &book, &r, &w->err);
    ck_assert_msg(rc == RC_OK, "%s", w->err.text);
    struct record d = {
        .flags = (uint8_t)flags, .book = book, .mirror = mirror, .text = str_c(code)};
    rc = machine_account(w->m, &d, &id, &r, &w->err);
    ck_assert_msg(rc == RC_OK, "%s", w->err.text);
    return id;
}

static void world_init(struct world *w)
{
    *w = (struct world){0};
    const uint64_t seed[2] = {1, 2};
    arena_init(&w->arena, STORE_TX_ARENA_BYTES);
    w->m = machine_open(seed);
    machine_begin(w->m, 1000);
    w->cash = open_account(w, "Op", "EUR", "Bank:FR76", 0, 0);
    w->sales = open_account(w, "Op", "EUR", "Income:VPS", 0, 0);
    w->wallet = open_account(w, "Op", "EUR", "Wallet:Client", ACCOUNT_DEBITS_LE_CREDITS, 0);
    w->asset = open_account(w, "Op", "EUR", "Clearing:Card", ACCOUNT_CREDITS_LE_DEBITS, 0);
    w->op_owes = open_account(w, "Op", "EUR", "AP:POP", 0, 0);
    w->pop_is_owed = open_account(w, "POP", "EUR", "AR:Op", 0, w->op_owes);
    w->pop_sales = open_account(w, "POP", "EUR", "Income:Hosting", 0, 0);
    w->dollars = open_account(w, "Op", "USD", "Bank:US", 0, 0);
    struct record r;
    enum rc rc = machine_source(w->m, STR("test"), &w->source, &r, &w->err);
    ck_assert_int_eq(rc, RC_OK);
}

static void world_fini(struct world *w)
{
    machine_close(w->m);
    arena_fini(&w->arena);
}

static struct transfer new_transfer(struct world *w, account_id debit, account_id credit,
                                    int64_t amount)
{
    return (struct transfer){.reference = {w->source, ++w->number},
                             .debit = debit,
                             .credit = credit,
                             .amount = amount,
                             .event = 7,
                             .code = 3};
}

/* As ledger_post does: all or nothing. */
static enum rc post(struct world *w, const struct transfer *t, size_t count)
{
    size_t mark = machine_mark(w->m);
    err_clear(&w->err);
    for (size_t i = 0; i < count; i++) {
        struct record r;
        enum rc rc = machine_transfer(w->m, &t[i], &r, &w->err);
        if (rc != RC_OK) {
            machine_undo(w->m, mark);
            return rc;
        }
    }
    return RC_OK;
}

static enum rc move(struct world *w, account_id debit, account_id credit, int64_t amount)
{
    struct transfer t = new_transfer(w, debit, credit, amount);
    return post(w, &t, 1);
}

static void check(struct world *w, account_id id, int64_t debits, int64_t credits,
                  int64_t debits_pending, int64_t credits_pending)
{
    const struct balance *b = machine_balance(w->m, id);
    ck_assert_int_eq(b->debits, debits);
    ck_assert_int_eq(b->credits, credits);
    ck_assert_int_eq(b->debits_pending, debits_pending);
    ck_assert_int_eq(b->credits_pending, credits_pending);
}

static void refused(struct world *w, enum rc got, enum rc want, const char *text)
{
    ck_assert_int_eq(got, want);
    ck_assert_msg(str_has(err_text(&w->err), str_c(text)), "%s", w->err.text);
}

START_TEST(a_transfer_debits_one_account_and_credits_another)
{
    struct world w;
    world_init(&w);
    ck_assert_int_eq(move(&w, w.cash, w.sales, 195), RC_OK);
    check(&w, w.cash, 195, 0, 0, 0);
    check(&w, w.sales, 0, 195, 0, 0);
    world_fini(&w);
}
END_TEST

START_TEST(what_is_no_transfer_is_refused_by_name)
{
    struct world w;
    world_init(&w);
    refused(&w, move(&w, w.cash, w.sales, 0), RC_INVALID, "above 0");
    refused(&w, move(&w, w.cash, w.sales, -1), RC_INVALID, "above 0");
    refused(&w, move(&w, w.cash, w.cash, 1), RC_INVALID, "'Bank:FR76' of Op in EUR");
    refused(&w, move(&w, w.cash, w.pop_sales, 1), RC_INVALID, "different books");
    refused(&w, move(&w, w.cash, w.dollars, 1), RC_INVALID, "different books");
    refused(&w, move(&w, w.cash, 99, 1), RC_NOT_FOUND, "account 99");
    refused(&w, move(&w, 0, w.cash, 1), RC_NOT_FOUND, "account 0");
    struct transfer t = new_transfer(&w, w.cash, w.sales, 1);
    t.flags = TRANSFER_POST | TRANSFER_VOID;
    refused(&w, post(&w, &t, 1), RC_INVALID, "flags");
    t.flags = TRANSFER_EXPIRED;
    refused(&w, post(&w, &t, 1), RC_INVALID, "flags");
    t.flags = 0;
    t.timeout_us = 1;
    refused(&w, post(&w, &t, 1), RC_INVALID, "timeout");
    t.flags = TRANSFER_PENDING;
    t.timeout_us = -1;
    refused(&w, post(&w, &t, 1), RC_INVALID, "timeout");
    t.timeout_us = LEDGER_TIMEOUT_MAX_US + 1;
    refused(&w, post(&w, &t, 1), RC_INVALID, "timeout");
    t.timeout_us = 0;
    t.pending.number = 1;
    refused(&w, post(&w, &t, 1), RC_INVALID, "reservation is named");
    check(&w, w.cash, 0, 0, 0, 0);
    world_fini(&w);
}
END_TEST

START_TEST(references_ascend_within_their_source)
{
    struct world w;
    world_init(&w);
    struct transfer t = new_transfer(&w, w.cash, w.sales, 1);
    t.reference.source = 9;
    refused(&w, post(&w, &t, 1), RC_NOT_FOUND, "source 9");
    t.reference = (struct reference){w.source, 0};
    refused(&w, post(&w, &t, 1), RC_INVALID, "numbered from 1");
    t.reference.number = 10;
    ck_assert_int_eq(post(&w, &t, 1), RC_OK);
    refused(&w, post(&w, &t, 1), RC_CONFLICT, "comes late");
    t.reference.number = 9;
    refused(&w, post(&w, &t, 1), RC_CONFLICT, "at 10 already");
    ck_assert_uint_eq(machine_source_last(w.m, w.source), 10);
    world_fini(&w);
}
END_TEST

START_TEST(limits_hold_with_reservations_counted)
{
    struct world w;
    world_init(&w);
    refused(&w, move(&w, w.wallet, w.sales, 1), RC_CONFLICT, "has 0 left, and 1 are wanted");
    ck_assert_int_eq(move(&w, w.cash, w.wallet, 100), RC_OK);
    struct transfer t = new_transfer(&w, w.wallet, w.sales, 70);
    t.flags = TRANSFER_PENDING;
    ck_assert_int_eq(post(&w, &t, 1), RC_OK);
    refused(&w, move(&w, w.wallet, w.sales, 31), RC_CONFLICT, "has 30 left");
    ck_assert_int_eq(move(&w, w.wallet, w.sales, 30), RC_OK);
    refused(&w, move(&w, w.sales, w.asset, 1), RC_CONFLICT, "has 0 left");
    ck_assert_int_eq(move(&w, w.asset, w.sales, 5), RC_OK);
    ck_assert_int_eq(move(&w, w.sales, w.asset, 5), RC_OK);
    check(&w, w.wallet, 30, 100, 70, 0);
    world_fini(&w);
}
END_TEST

START_TEST(balances_do_not_pass_the_largest_number)
{
    struct world w;
    world_init(&w);
    ck_assert_int_eq(move(&w, w.cash, w.sales, INT64_MAX), RC_OK);
    refused(&w, move(&w, w.cash, w.op_owes, 1), RC_INVALID, "largest number");
    refused(&w, move(&w, w.asset, w.sales, 1), RC_INVALID, "largest number");
    struct transfer t = new_transfer(&w, w.cash, w.wallet, 1);
    t.flags = TRANSFER_PENDING;
    refused(&w, post(&w, &t, 1), RC_INVALID, "largest number");
    world_fini(&w);
}
END_TEST

START_TEST(a_chain_is_kept_as_one_or_not_at_all)
{
    struct world w;
    world_init(&w);
    struct transfer t[3];
    for (int i = 0; i < 3; i++) {
        t[i] = new_transfer(&w, w.cash, w.sales, 1 + i);
        t[i].flags = i < 2 ? TRANSFER_LINKED : 0;
    }
    t[2].amount = 0;
    ck_assert_int_eq(post(&w, t, 3), RC_INVALID);
    check(&w, w.cash, 0, 0, 0, 0);
    ck_assert_uint_eq(machine_source_last(w.m, w.source), 0);
    t[2].amount = 3;
    ck_assert_int_eq(post(&w, t, 3), RC_OK);
    ck_assert(!machine_in_chain(w.m));
    check(&w, w.cash, 6, 0, 0, 0);
    world_fini(&w);
}
END_TEST

START_TEST(what_one_owes_is_what_the_other_is_owed)
{
    struct world w;
    world_init(&w);
    refused(&w, move(&w, w.sales, w.op_owes, 210), RC_INVALID, "would not agree");
    refused(&w, move(&w, w.pop_is_owed, w.pop_sales, 210), RC_INVALID, "would not agree");
    struct transfer t[2] = {new_transfer(&w, w.sales, w.op_owes, 210),
                            new_transfer(&w, w.pop_is_owed, w.pop_sales, 209)};
    t[0].flags = TRANSFER_LINKED;
    refused(&w, post(&w, t, 2), RC_INVALID, "'AP:POP' of Op in EUR (-210)");
    t[1].amount = 210;
    ck_assert_int_eq(post(&w, t, 2), RC_OK);
    check(&w, w.op_owes, 0, 210, 0, 0);
    check(&w, w.pop_is_owed, 210, 0, 0, 0);
    world_fini(&w);
}
END_TEST

START_TEST(mirrors_stand_in_two_books_of_one_currency_and_begin_empty)
{
    struct world w;
    world_init(&w);
    struct record r;
    account_id id = 0;
    struct record d = {.book = machine_book_of(w.m, w.pop_sales), .text = STR("AR:X")};
    d.mirror = 99;
    refused(&w, machine_account(w.m, &d, &id, &r, &w.err), RC_NOT_FOUND, "no account 99");
    d.mirror = w.pop_sales;
    refused(&w, machine_account(w.m, &d, &id, &r, &w.err), RC_INVALID, "same book");
    d.mirror = w.dollars;
    refused(&w, machine_account(w.m, &d, &id, &r, &w.err), RC_INVALID, "another currency");
    d.mirror = w.op_owes;
    refused(&w, machine_account(w.m, &d, &id, &r, &w.err), RC_CONFLICT, "has a mirror");
    ck_assert_int_eq(move(&w, w.cash, w.sales, 1), RC_OK);
    d.mirror = w.cash;
    refused(&w, machine_account(w.m, &d, &id, &r, &w.err), RC_INVALID, "begin empty");
    d = (struct record){.book = machine_book_of(w.m, w.pop_is_owed), .text = STR("AR:Op")};
    ck_assert_int_eq(machine_account(w.m, &d, &id, &r, &w.err), RC_OK);
    ck_assert_uint_eq(id, w.pop_is_owed);
    d.mirror = w.cash;
    refused(&w, machine_account(w.m, &d, &id, &r, &w.err), RC_CONFLICT, "another mirror");
    d.mirror = 0;
    d.flags = ACCOUNT_HISTORY;
    refused(&w, machine_account(w.m, &d, &id, &r, &w.err), RC_CONFLICT, "other flags");
    world_fini(&w);
}
END_TEST

START_TEST(names_that_are_none_are_refused)
{
    static const char *const codes[] = {"",           "income:VPS",
                                        "Income:",    "Income::VPS",
                                        "Income:vps", "Income:V PS",
                                        ":Income",    "Income:V_S",
                                        "AR:pty_1",   "AR:pty_01jd8v3q7w4k2m9x6c5b1n0hZZ",
                                        "9:A"};
    struct world w;
    world_init(&w);
    struct record r;
    account_id id = 0;
    for (size_t i = 0; i < COUNT(codes); i++) {
        struct record d = {.book = 1, .text = str_c(codes[i])};
        ck_assert_msg(machine_account(w.m, &d, &id, &r, &w.err) == RC_INVALID, "%s", codes[i]);
    }
    struct record d = {.book = 1, .text = STR("AR:pty_01jd8v3q7w4k2m9x6c5b1n0h8z")};
    ck_assert_int_eq(machine_account(w.m, &d, &id, &r, &w.err), RC_OK);
    d.flags = ACCOUNT_CLOSED;
    d.text = STR("AR:Y");
    ck_assert_int_eq(machine_account(w.m, &d, &id, &r, &w.err), RC_INVALID);
    d.flags = ACCOUNT_DEBITS_LE_CREDITS | ACCOUNT_CREDITS_LE_DEBITS;
    ck_assert_int_eq(machine_account(w.m, &d, &id, &r, &w.err), RC_INVALID);
    d = (struct record){.book = 99, .text = STR("AR:Y")};
    ck_assert_int_eq(machine_account(w.m, &d, &id, &r, &w.err), RC_NOT_FOUND);
    uint32_t book = 0;
    ck_assert_int_eq(machine_book(w.m, STR("Op"), STR("EUX"), &book, &r, &w.err), RC_INVALID);
    ck_assert_int_eq(machine_book(w.m, STR("op"), STR("EUR"), &book, &r, &w.err), RC_INVALID);
    ck_assert_int_eq(machine_source(w.m, STR(""), &book, &r, &w.err), RC_INVALID);
    ck_assert_int_eq(machine_source(w.m, STR("a b"), &book, &r, &w.err), RC_INVALID);
    world_fini(&w);
}
END_TEST

/* --- reservations --- */

static struct transfer reserve(struct world *w, int64_t amount, int64_t timeout_us)
{
    struct transfer t = new_transfer(w, w->cash, w->sales, amount);
    t.flags = TRANSFER_PENDING;
    t.timeout_us = timeout_us;
    ck_assert_int_eq(post(w, &t, 1), RC_OK);
    return t;
}

static struct transfer settle(struct world *w, const struct transfer *p, unsigned flags,
                              int64_t amount)
{
    struct transfer t = new_transfer(w, 0, 0, amount);
    t.pending = p->reference;
    t.flags = (uint16_t)flags;
    return t;
}

START_TEST(a_reservation_is_posted_in_part_and_the_rest_released)
{
    struct world w;
    world_init(&w);
    struct transfer p = reserve(&w, 100, 0);
    check(&w, w.cash, 0, 0, 100, 0);
    struct transfer t = settle(&w, &p, TRANSFER_POST, 101);
    refused(&w, post(&w, &t, 1), RC_INVALID, "101 are too much");
    t = settle(&w, &p, TRANSFER_POST, 60);
    t.debit = w.wallet;
    refused(&w, post(&w, &t, 1), RC_INVALID, "other accounts");
    t.debit = w.cash;
    ck_assert_int_eq(post(&w, &t, 1), RC_OK);
    check(&w, w.cash, 60, 0, 0, 0);
    check(&w, w.sales, 0, 60, 0, 0);
    t = settle(&w, &p, TRANSFER_POST, 1);
    refused(&w, post(&w, &t, 1), RC_CONFLICT, "no open reservation");
    t.pending.number = 999;
    refused(&w, post(&w, &t, 1), RC_NOT_FOUND, "no reservation 999");
    world_fini(&w);
}
END_TEST

START_TEST(a_reservation_is_posted_whole_or_voided)
{
    struct world w;
    world_init(&w);
    struct transfer p = reserve(&w, 100, 0);
    struct transfer t = settle(&w, &p, TRANSFER_POST, 0);
    ck_assert_int_eq(post(&w, &t, 1), RC_OK);
    check(&w, w.cash, 100, 0, 0, 0);
    p = reserve(&w, 40, 0);
    t = settle(&w, &p, TRANSFER_VOID, 1);
    refused(&w, post(&w, &t, 1), RC_INVALID, "void: none");
    t.amount = 0;
    ck_assert_int_eq(post(&w, &t, 1), RC_OK);
    check(&w, w.cash, 100, 0, 0, 0);
    t = settle(&w, &p, TRANSFER_POST, 0);
    refused(&w, post(&w, &t, 1), RC_CONFLICT, "no open reservation");
    world_fini(&w);
}
END_TEST

START_TEST(a_reservation_ends_with_the_first_batch_at_its_timeout)
{
    struct world w;
    struct record r;
    world_init(&w);
    (void)reserve(&w, 10, 50);
    (void)reserve(&w, 7, 20);
    (void)reserve(&w, 5, 0);
    machine_end(w.m);
    machine_begin(w.m, 1019);
    ck_assert(!machine_expire(w.m, &r));
    machine_end(w.m);
    machine_begin(w.m, 1050);
    ck_assert(machine_expire(w.m, &r));
    ck_assert_int_eq(r.released, 7);
    ck_assert(machine_expire(w.m, &r));
    ck_assert_int_eq(r.released, 10);
    ck_assert(!machine_expire(w.m, &r));
    check(&w, w.cash, 0, 0, 5, 0);
    machine_cancel(w.m);
    check(&w, w.cash, 0, 0, 22, 0);
    ck_assert_int_eq(machine_time(w.m), 1019);
    ck_assert_int_eq(machine_prove(w.m, &w.err), RC_OK);
    world_fini(&w);
}
END_TEST

START_TEST(a_closed_account_takes_nothing_but_voids)
{
    struct world w;
    struct record r;
    bool changed = false;
    world_init(&w);
    struct transfer p = reserve(&w, 10, 0);
    ck_assert_int_eq(machine_set_closed(w.m, w.cash, true, &changed, &r, &w.err), RC_OK);
    ck_assert(changed);
    ck_assert_int_eq(machine_set_closed(w.m, w.cash, true, &changed, &r, &w.err), RC_OK);
    ck_assert(!changed);
    refused(&w, move(&w, w.cash, w.sales, 1), RC_CONFLICT, "is closed");
    refused(&w, move(&w, w.sales, w.cash, 1), RC_CONFLICT, "is closed");
    struct transfer t = settle(&w, &p, TRANSFER_POST, 0);
    refused(&w, post(&w, &t, 1), RC_CONFLICT, "is closed");
    t.flags = TRANSFER_VOID;
    ck_assert_int_eq(post(&w, &t, 1), RC_OK);
    ck_assert_int_eq(machine_set_closed(w.m, w.cash, false, &changed, &r, &w.err), RC_OK);
    ck_assert_int_eq(move(&w, w.cash, w.sales, 1), RC_OK);
    ck_assert_int_eq(machine_set_closed(w.m, 99, true, &changed, &r, &w.err), RC_NOT_FOUND);
    world_fini(&w);
}
END_TEST

START_TEST(undoing_leaves_nothing_of_what_was_opened)
{
    struct world w;
    world_init(&w);
    size_t mark = machine_mark(w.m);
    uint32_t accounts = machine_accounts(w.m);
    for (int i = 0; i < 3; i++) {
        account_id a = open_account(&w, "New", "CNY", "AR:Op", 0, 0);
        account_id b = open_account(&w, "Op", "CNY", "AP:New", 0, a);
        ck_assert_uint_eq(a, accounts + 1);
        ck_assert_uint_eq(machine_see_account(w.m, a).mirror, b);
        machine_undo(w.m, mark);
        ck_assert_uint_eq(machine_accounts(w.m), accounts);
        ck_assert_uint_eq(machine_books(w.m), 3);
    }
    world_fini(&w);
}
END_TEST

START_TEST(a_batch_cannot_go_back_in_time)
{
    struct world w;
    world_init(&w);
    machine_end(w.m);
    machine_begin(w.m, 999);
}
END_TEST

START_TEST(a_batch_does_not_end_within_a_chain)
{
    struct world w;
    struct record r;
    size_t n = 0;
    world_init(&w);
    struct transfer t = new_transfer(&w, w.cash, w.sales, 1);
    t.flags = TRANSFER_LINKED;
    ck_assert_int_eq(machine_transfer(w.m, &t, &r, &w.err), RC_OK);
    (void)machine_seal(w.m, &n);
}
END_TEST

START_TEST(a_damaged_checkpoint_is_refused)
{
    struct world w;
    world_init(&w);
    (void)reserve(&w, 10, 50);
    machine_end(w.m);
    struct str saved = machine_save(w.m, &w.arena);
    for (size_t n = 0; n < saved.n; n++) {
        struct world other;
        world_init(&other);
        ck_assert_int_eq(machine_load(other.m, str_sub(saved, 0, n), &other.err), RC_INVALID);
        world_fini(&other);
    }
    struct world other;
    world_init(&other);
    ck_assert_int_eq(machine_load(other.m, saved, &other.err), RC_OK);
    ck_assert_int_eq(machine_prove(other.m, &other.err), RC_INVALID);
    struct balance b = *machine_balance(w.m, w.cash);
    ck_assert_int_eq(machine_load_balance(other.m, w.cash, &b, &other.err), RC_OK);
    b = *machine_balance(w.m, w.sales);
    ck_assert_int_eq(machine_load_balance(other.m, w.sales, &b, &other.err), RC_OK);
    ck_assert_int_eq(machine_prove(other.m, &other.err), RC_OK);
    ck_assert(str_eq(machine_save(other.m, &w.arena), saved));
    b.credits = 1;
    ck_assert_int_eq(machine_load_balance(other.m, w.sales, &b, &other.err), RC_OK);
    refused(&other, machine_prove(other.m, &other.err), RC_INVALID,
            "book of Op in EUR does not balance");
    b.credits = -1;
    ck_assert_int_eq(machine_load_balance(other.m, w.sales, &b, &other.err), RC_INVALID);
    world_fini(&other);
    world_fini(&w);
}
END_TEST

Suite *machine_suite(void);
Suite *machine_suite(void)
{
    Suite *s = suite_create("machine");
    TCase *c = tcase_create("machine");
    tcase_add_test(c, a_transfer_debits_one_account_and_credits_another);
    tcase_add_test(c, what_is_no_transfer_is_refused_by_name);
    tcase_add_test(c, references_ascend_within_their_source);
    tcase_add_test(c, limits_hold_with_reservations_counted);
    tcase_add_test(c, balances_do_not_pass_the_largest_number);
    tcase_add_test(c, a_chain_is_kept_as_one_or_not_at_all);
    tcase_add_test(c, what_one_owes_is_what_the_other_is_owed);
    tcase_add_test(c, mirrors_stand_in_two_books_of_one_currency_and_begin_empty);
    tcase_add_test(c, names_that_are_none_are_refused);
    tcase_add_test(c, a_reservation_is_posted_in_part_and_the_rest_released);
    tcase_add_test(c, a_reservation_is_posted_whole_or_voided);
    tcase_add_test(c, a_reservation_ends_with_the_first_batch_at_its_timeout);
    tcase_add_test(c, a_closed_account_takes_nothing_but_voids);
    tcase_add_test(c, undoing_leaves_nothing_of_what_was_opened);
    tcase_add_test_raise_signal(c, a_batch_cannot_go_back_in_time, SIGABRT);
    tcase_add_test_raise_signal(c, a_batch_does_not_end_within_a_chain, SIGABRT);
    tcase_add_test(c, a_damaged_checkpoint_is_refused);
    suite_add_tcase(s, c);
    return s;
}
