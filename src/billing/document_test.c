/* Documents: drafts, numbers, what is final, credit notes, what is shown to whom. */
#include "billing/document_make.h"

#include "billing/books_fixture.h"
#include "billing/close.h"
#include "billing/document_text.h"

#include <pthread.h>

static struct draft_line line_of(const char *income, int64_t net)
{
    return (struct draft_line){.text = STR("Something"),
                               .income = str_c(income),
                               .quantity = {1, 0},
                               .unit = STR("C62"),
                               .price = {net, 2},
                               .net = net};
}

static struct draft draft_of(struct str issuer, struct str recipient,
                             const struct draft_line *lines, size_t count)
{
    return (struct draft){.code = DOCUMENT_INVOICE,
                          .issuer = issuer,
                          .recipient = recipient,
                          .currency = currency_find(STR("EUR")),
                          .payment_days = 30,
                          .lines = lines,
                          .count = count};
}

static struct document final_one(struct tx *tx, struct ledger *l, struct str issuer,
                                 struct str recipient, int64_t net)
{
    struct document made;
    struct document final;
    struct draft_line line = line_of("VPS", net);
    struct draft d = draft_of(issuer, recipient, &line, 1);
    OK(tx, document_draft(tx, &d, &made));
    OK(tx, document_finalise(tx, l, made.id, &final));
    return final;
}

static enum rc verify(struct tx *tx, int64_t *ret_checked)
{
    int64_t last = 0;
    TRY(document_verify_some(tx, 0, STORE_ROWS_MAX, &last, ret_checked));
    return document_verify_numbers(tx);
}

/* --- drafts and finals --- */

BOOKS_TEST(a_draft_becomes_final_once_with_a_number_and_dates)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct document made;
    struct document final;
    struct draft_line lines[] = {line_of("VPS", 19500), line_of("Storage", 3)};
    struct draft d = draft_of(op, client, lines, COUNT(lines));
    OK(tx, document_draft(tx, &d, &made));
    ck_assert_int_eq(made.state, DOCUMENT_DRAFT);
    SAME(made.number, STR(""));
    SAME(made.net, STR("195.03"));
    SAME(made.tax, STR("39.01"));
    SAME(made.gross, STR("234.04"));
    ck_assert_uint_eq(made.taxes.count, 1);
    SAME(((const struct document_tax *)made.taxes.items)[0].rate, STR("20"));
    BALANCE(op, "EUR", STR("Income:VPS"), 0);
    OK(tx, document_finalise(tx, l, made.id, &final));
    SAME(final.number, STR("2026-000001"));
    SAME(final.issued, STR("2026-11-22"));
    SAME(final.due, STR("2026-12-22"));
    ck_assert_int_eq(final.state, DOCUMENT_FINAL);
    BALANCE(op, "EUR", account_of(tx, "AR", client), 23404);
    FAILS(tx, RC_CONFLICT, NULL, document_finalise(tx, l, made.id, &final));
    FAILS(tx, RC_CONFLICT, NULL, document_hold(tx, made.id, true, &final));
    FAILS(tx, RC_NOT_FOUND, NULL, document_finalise(tx, l, STR("inv_none"), &final));
    BALANCE(op, "EUR", account_of(tx, "AR", client), 23404);
}

BOOKS_TEST(a_new_year_begins_in_the_issuers_time_zone)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct party paris = books_get(tx, op);
    int64_t day = 0;
    int64_t year = 0;
    time_us eve = days_from_civil(2026, 12, 31) * US_PER_DAY + 23 * US_PER_HOUR;
    OK(tx, document_day(&paris, eve, &day, &year, tx->err));
    ck_assert_int_eq(year, 2027); /* midnight in Paris is an hour before */
    OK(tx, document_day(&paris, eve - 1, &day, &year, tx->err));
    ck_assert_int_eq(year, 2026);
}

BOOKS_TEST(what_is_held_leaves_no_gap_and_can_be_released)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct draft_line line = line_of("VPS", 100);
    struct draft d = draft_of(op, client, &line, 1);
    struct document held;
    struct document got;
    int64_t checked = 0;
    OK(tx, document_draft(tx, &d, &held));
    OK(tx, document_hold(tx, held.id, true, &got));
    ck_assert_int_eq(got.state, DOCUMENT_HELD);
    FAILS(tx, RC_CONFLICT, NULL, document_finalise(tx, l, held.id, &got));
    SAME(final_one(tx, l, op, client, 100).number, STR("2026-000001"));
    OK(tx, document_hold(tx, held.id, false, &got));
    OK(tx, document_finalise(tx, l, held.id, &got));
    SAME(got.number, STR("2026-000002"));
    OK(tx, verify(tx, &checked));
    ck_assert_int_eq(checked, 2);
}

BOOKS_TEST(wrong_drafts_are_refused)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct str far = books_party(tx, "Far", "BR", true);
    struct document made;
    struct draft_line line = line_of("VPS", 100);
    struct draft d = draft_of(op, client, &line, 0);
    FAILS(tx, RC_INVALID, "/lines", document_draft(tx, &d, &made));
    d.count = 1;
    d.code = DOCUMENT_PREPAYMENT;
    FAILS(tx, RC_INVALID, NULL, document_draft(tx, &d, &made));
    d.code = DOCUMENT_CREDIT_NOTE;
    FAILS(tx, RC_INVALID, NULL, document_draft(tx, &d, &made));
    d.code = DOCUMENT_CORRECTED;
    FAILS(tx, RC_INVALID, "/refers_to", document_draft(tx, &d, &made));
    d.code = DOCUMENT_INVOICE;
    d.issuer = far;
    FAILS(tx, RC_INVALID, NULL, document_draft(tx, &d, &made)); /* no rate is known */
    d.issuer = op;
    line.income = STR("small");
    FAILS(tx, RC_INVALID, "/lines/0/income", document_draft(tx, &d, &made));
    line = line_of("VPS", -100);
    FAILS(tx, RC_INVALID, "/lines", document_draft(tx, &d, &made));
    line = line_of("VPS", 100);
    line.deferred = true;
    FAILS(tx, RC_INVALID, "/lines/0/until", document_draft(tx, &d, &made));
    d.recipient = STR("pty_none");
    line.deferred = false;
    FAILS(tx, RC_NOT_FOUND, NULL, document_draft(tx, &d, &made));
}

BOOKS_TEST(a_corrected_invoice_takes_the_place_of_a_credited_one)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct document invoice = final_one(tx, l, op, client, 19500);
    struct document credit;
    struct document made;
    struct draft_line line = line_of("VPS", 15000);
    struct draft d = draft_of(op, client, &line, 1);
    d.code = DOCUMENT_CORRECTED;
    d.refers_to = invoice.id;
    FAILS(tx, RC_CONFLICT, "/refers_to", document_draft(tx, &d, &made));
    OK(tx,
       document_credit(tx, l, NULL,
                       &(struct credit_request){invoice.id, NULL, 0, STR("wrong plan")}, &credit));
    SAME(credit.refers_to, invoice.id);
    SAME(credit.number, STR("C-2026-000001"));
    OK(tx, document_draft(tx, &d, &made));
    OK(tx, document_finalise(tx, l, made.id, &made));
    SAME(made.number, STR("2026-000002"));
    SAME(made.refers_to, invoice.id);
    BALANCE(op, "EUR", STR("Income:VPS"), -15000);
}

/* --- lists --- */

static struct document_query all_documents(void)
{
    return (struct document_query){0};
}

static size_t count_for(struct tx *tx, struct str party, const struct document_query *q)
{
    struct page page;
    OK(tx, document_list(tx, party, q, &page));
    return page.items.count;
}

BOOKS_TEST(drafts_are_shown_to_the_issuer_alone)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct str other = books_party(tx, "Other", "FR", true);
    struct document_query q = all_documents();
    struct document made;
    struct draft_line line = line_of("VPS", 100);
    struct draft d = draft_of(op, client, &line, 1);
    OK(tx, document_draft(tx, &d, &made));
    ck_assert_uint_eq(count_for(tx, op, &q), 1);
    ck_assert_uint_eq(count_for(tx, client, &q), 0);
    OK(tx, document_finalise(tx, l, made.id, &made));
    ck_assert_uint_eq(count_for(tx, client, &q), 1);
    ck_assert_uint_eq(count_for(tx, other, &q), 0);
    q.recipient = client;
    ck_assert_uint_eq(count_for(tx, op, &q), 1);
    q.recipient = other;
    ck_assert_uint_eq(count_for(tx, op, &q), 0);
    q = all_documents();
    q.close = STR("cls_none"); /* no close made it */
    ck_assert_uint_eq(count_for(tx, op, &q), 0);
    q = all_documents();
    q.set = UINT64_C(1) << schema_find(&document_query_schema, STR("kind"));
    q.kind = 1; /* credit notes */
    ck_assert_uint_eq(count_for(tx, op, &q), 0);
}

BOOKS_TEST(lines_come_page_by_page)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct draft_line lines[7];
    struct draft d = draft_of(op, client, lines, COUNT(lines));
    struct page_query q = {.limit = 3};
    struct page page;
    struct document made;
    int64_t next = 1;
    for (size_t i = 0; i < COUNT(lines); i++)
        lines[i] = line_of("VPS", (int64_t)i + 1);
    OK(tx, document_draft(tx, &d, &made));
    for (int pages = 0; pages < 3; pages++) {
        OK(tx, document_lines(tx, made.id, &q, &page));
        const struct document_line *got = page.items.items;
        for (size_t i = 0; i < page.items.count; i++)
            ck_assert_int_eq(got[i].line, next++);
        q.after = page.next;
    }
    ck_assert_int_eq(next, 8);
    SAME(page.next, STR(""));
    q.after = STR("x");
    FAILS(tx, RC_INVALID, "/after", document_lines(tx, made.id, &q, &page));
}

/* --- paid --- */

BOOKS_TEST(payments_move_the_state_and_stop_at_what_is_open)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct document d = final_one(tx, l, op, client, 19500);
    OK(tx, document_row_paid(tx, d.no, 11700));
    OK(tx, document_get(tx, d.id, &d));
    ck_assert_int_eq(d.state, DOCUMENT_PART_PAID);
    SAME(d.paid, STR("117.00"));
    FAILS(tx, RC_CONFLICT, NULL, document_row_paid(tx, d.no, 11701));
    OK(tx, document_row_paid(tx, d.no, 11700));
    OK(tx, document_get(tx, d.id, &d));
    ck_assert_int_eq(d.state, DOCUMENT_PAID);
    OK(tx, document_row_paid(tx, d.no, -23400));
    FAILS(tx, RC_CONFLICT, NULL, document_row_paid(tx, d.no, -1));
    int64_t written = 0;
    OK(tx, document_row_write_off(tx, d.no, &written));
    OK(tx, document_get(tx, d.id, &d));
    ck_assert_int_eq(d.state, DOCUMENT_WRITTEN_OFF);
}

/* --- credit notes --- */

struct heard {
    int64_t net;
    int64_t credited;
    int calls;
};

static enum rc hear(struct tx *tx, struct ledger *l, const struct document_row *invoice,
                    const struct line_credit *lines, size_t count, void *arg)
{
    struct heard *h = arg;
    (void)tx;
    (void)l;
    h->net = invoice->net;
    for (size_t i = 0; i < count; i++)
        h->credited += lines[i].now;
    h->calls++;
    return RC_OK;
}

BOOKS_TEST(a_credit_note_by_line_takes_never_more_than_is_left)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct draft_line lines[] = {line_of("VM", 70000), line_of("Storage", 19000)};
    struct draft d = draft_of(op, client, lines, COUNT(lines));
    struct heard heard = {0};
    struct close_above above = {.credited = hear, .arg = &heard};
    struct document invoice;
    struct document credit;
    struct credit_line part = {.line = 1, .net = STR("70.00")};
    OK(tx, document_draft(tx, &d, &invoice));
    FAILS(tx, RC_CONFLICT, NULL,
          document_credit(tx, l, &above, &(struct credit_request){invoice.id, &part, 1, STR("")},
                          &credit));
    OK(tx, document_finalise(tx, l, invoice.id, &invoice));
    OK(tx, document_credit(tx, l, &above, &(struct credit_request){invoice.id, &part, 1, STR("")},
                           &credit));
    SAME(credit.net, STR("70.00"));
    SAME(credit.gross, STR("84.00"));
    BALANCE(op, "EUR", STR("Income:VM"), -63000);
    part.net = STR("630.01");
    FAILS(tx, RC_CONFLICT, NULL,
          document_credit(tx, l, &above, &(struct credit_request){invoice.id, &part, 1, STR("")},
                          &credit));
    part.net = STR("-1.00");
    FAILS(tx, RC_CONFLICT, NULL,
          document_credit(tx, l, &above, &(struct credit_request){invoice.id, &part, 1, STR("")},
                          &credit));
    part.net = STR("0.00");
    FAILS(tx, RC_CONFLICT, NULL,
          document_credit(tx, l, &above, &(struct credit_request){invoice.id, &part, 1, STR("")},
                          &credit));
    part = (struct credit_line){.line = 3};
    FAILS(tx, RC_NOT_FOUND, NULL,
          document_credit(tx, l, &above, &(struct credit_request){invoice.id, &part, 1, STR("")},
                          &credit));
    OK(tx, document_credit(tx, l, &above, &(struct credit_request){invoice.id, NULL, 0, STR("")},
                           &credit));
    SAME(credit.net, STR("820.00"));
    ck_assert_int_eq(heard.calls, 2);
    ck_assert_int_eq(heard.net, 89000);
    ck_assert_int_eq(heard.credited, 89000);
    ALL_ZERO();
    OK(tx, document_get(tx, invoice.id, &invoice));
    ck_assert_int_eq(invoice.state, DOCUMENT_CREDITED);
    FAILS(tx, RC_CONFLICT, NULL,
          document_credit(tx, l, &above, &(struct credit_request){invoice.id, NULL, 0, STR("")},
                          &credit));
    FAILS(tx, RC_CONFLICT, NULL,
          document_credit(tx, l, &above, &(struct credit_request){credit.id, NULL, 0, STR("")},
                          &credit));
}

static struct draft_line random_line(struct clock_sim *chance)
{
    static const char *const incomes[] = {"VM", "Storage", "Training"};
    struct draft_line line =
        line_of(incomes[clock_sim_below(chance, 3)], property_between(chance, 1, 100000));
    if (clock_sim_below(chance, 8) == 0)
        line.net = -property_between(chance, 1, 50); /* a discount of its own */
    if (clock_sim_below(chance, 8) == 0)
        line.tax_class = TAX_CLASS_EXEMPT;
    return line;
}

static void credit_randomly(struct tx *tx, struct ledger *l, struct clock_sim *chance,
                            const struct document *invoice, size_t lines)
{
    struct document credit;
    for (int i = 0; i < 3; i++) {
        struct credit_line part = {.line = property_between(chance, 1, (int64_t)lines),
                                   .net = arena_fmt(tx->arena, "%d.%02d",
                                                    (int)clock_sim_below(chance, 300),
                                                    (int)clock_sim_below(chance, 100))};
        enum rc rc = document_credit(
            tx, l, NULL, &(struct credit_request){invoice->id, &part, 1, STR("")}, &credit);
        ck_assert(rc == RC_OK ||
                  rc == RC_CONFLICT); /* a refusal comes before anything is written */
        err_clear(tx->err);
    }
    enum rc rc = document_credit(tx, l, NULL,
                                 &(struct credit_request){invoice->id, NULL, 0, STR("")}, &credit);
    ck_assert(rc == RC_OK || rc == RC_CONFLICT);
    err_clear(tx->err);
}

/* specs 3.10: a credit note of everything is zero for every account of every party. */
BOOKS_TEST(credited_in_any_parts_everything_is_zero)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    struct str parties[] = {books_party(tx, "Op", "FR", true), books_party(tx, "B", "FR", true),
                            books_party(tx, "C", "FR", false), books_party(tx, "D", "DE", true),
                            books_party(tx, "E", "CN", true),  books_party(tx, "F", "CN", false)};
    int64_t checked = 0;
    int made = 0;
    for (int run = 0; run < 150; run++) {
        struct draft_line lines[6];
        struct document invoice;
        struct books_zero zero = {0};
        size_t count = 1 + (size_t)clock_sim_below(&chance, COUNT(lines));
        bool china = clock_sim_below(&chance, 3) == 0;
        struct draft d =
            draft_of(china ? parties[4] : parties[0],
                     china ? parties[5] : parties[1 + clock_sim_below(&chance, 3)], lines, count);
        d.tax_included = clock_sim_below(&chance, 2) == 0;
        d.code = clock_sim_below(&chance, 3) == 0 ? DOCUMENT_SELF_BILLED : DOCUMENT_INVOICE;
        for (size_t i = 0; i < count; i++)
            lines[i] = random_line(&chance);
        enum rc rc = document_draft(tx, &d, &invoice);
        err_clear(tx->err);
        if (rc == RC_INVALID)
            continue; /* less than nothing */
        ck_assert_int_eq(rc, RC_OK);
        OK(tx, document_finalise(tx, l, invoice.id, &invoice));
        made++;
        credit_randomly(tx, l, &chance, &invoice, count);
        OK(tx, ledger_accounts(tx, l, STR(""), books_count_open, &zero));
        HOLDS(zero.open == 0, SEED_FMT "run %d: %lld accounts are open, %.*s is one", seed, run,
              (long long)zero.open, STRF(zero.code));
    }
    ck_assert_int_gt(made, 100);
    OK(tx, verify(tx, &checked));
}

/* --- the check --- */

BOOKS_TEST(totals_that_are_a_cent_off_are_found)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct document d = final_one(tx, l, op, client, 19500);
    struct document_row row;
    int64_t checked = 0;
    OK(tx, document_row_find(tx, d.id, &row));
    OK(tx, document_check(&row, tx->err));
    struct document_row wrong = row;
    struct document_tax_group group = row.groups[0];
    wrong.net++;
    FAILS(tx, RC_INVALID, NULL, document_check(&wrong, tx->err)); /* BR-CO-10 */
    wrong = row;
    wrong.tax++;
    FAILS(tx, RC_INVALID, NULL, document_check(&wrong, tx->err)); /* BR-CO-14 */
    wrong = row;
    wrong.gross--;
    FAILS(tx, RC_INVALID, NULL, document_check(&wrong, tx->err)); /* BR-CO-15 */
    wrong = row;
    wrong.prepaid = row.gross + 1;
    FAILS(tx, RC_INVALID, NULL, document_check(&wrong, tx->err)); /* BR-CO-16 */
    /* 39.90 on 195 x 20 %: what EN 16931's own schematron accepts (specs 3.9 (10)). */
    wrong = row;
    group.group.tax += 90;
    wrong.groups = &group;
    wrong.tax += 90;
    wrong.gross += 90;
    FAILS(tx, RC_INVALID, NULL, document_check(&wrong, tx->err)); /* BR-CO-17 */
    OK(tx, verify(tx, &checked));
    OK(tx, sql_run(tx, "UPDATE document SET tax = tax + 1, gross = gross + 1 WHERE no = $1",
                   V(row.no)));
    FAILS(tx, RC_INVALID, NULL, verify(tx, &checked));
}

BOOKS_TEST(a_gap_and_a_missing_line_are_found)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct document first = final_one(tx, l, op, client, 19500);
    int64_t checked = 0;
    OK(tx, sql_run(tx, "UPDATE document SET number = 2 WHERE no = $1", V(first.no)));
    FAILS(tx, RC_INVALID, NULL, verify(tx, &checked));
    OK(tx, sql_run(tx, "UPDATE document SET number = 1 WHERE no = $1", V(first.no)));
    OK(tx, verify(tx, &checked));
    OK(tx, sql_run(tx, "UPDATE document_line SET net = net - 1 WHERE document = $1", V(first.no)));
    FAILS(tx, RC_INVALID, NULL, verify(tx, &checked));
}

BOOKS_TEST(sums_in_the_row_read_back_and_damage_is_told)
{
    static const char *const bad_incomes[] = {"VPS",       "VPS 1 2",     "VPS 1 2 3",
                                              "VPS x 0 0", "VPS 1 0 0;;", " 1 0 0"};
    static const char *const bad_taxes[] = {"S", "Q 0 0 0 FR - 0 0 1 VM", "S -1 0 0 FR - 0 0 1 VM",
                                            "S 0 0 0 FR - 0 0 300 VM", "S 0 0 0 FR - 0 0 1 VM 9"};
    struct document_row row = {0};
    struct document_row back = {0};
    OK(tx, document_incomes_read(STR("VPS 19500 0 0;Storage -2 7 1"), tx->arena, &row, tx->err));
    ck_assert_uint_eq(row.income_count, 2);
    ck_assert(row.incomes[1].deferred);
    SAME(document_incomes_write(&row, tx->arena), STR("VPS 19500 0 0;Storage -2 7 1"));
    struct str taxes =
        STR("S 200000 19500 3900 FR - 0 0 1 VPS;AE 0 5 0 DE VATEX-EU-AE 190000 1 2 VM");
    OK(tx, document_taxes_read(taxes, tx->arena, &row, tx->err));
    SAME(document_taxes_write(&row, tx->arena), taxes);
    OK(tx, document_incomes_read(STR(""), tx->arena, &back, tx->err));
    ck_assert_uint_eq(back.income_count, 0);
    FAILS(tx, RC_INVALID, NULL,
          document_taxes_read(STR("S 0 0 0 FR -\0 0 0 1 VM"), tx->arena, &back, tx->err));
    for (size_t i = 0; i < COUNT(bad_incomes); i++)
        FAILS(tx, RC_INVALID, NULL,
              document_incomes_read(str_c(bad_incomes[i]), tx->arena, &back, tx->err));
    for (size_t i = 0; i < COUNT(bad_taxes); i++)
        FAILS(tx, RC_INVALID, NULL,
              document_taxes_read(str_c(bad_taxes[i]), tx->arena, &back, tx->err));
}

/* --- numbers of two writers --- */

enum { JOBS = 60 };

struct waiting {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int open;
};

struct number_job {
    struct store_job job;
    struct arena arena;
    struct err err;
    struct str issuer;
    bool fails;
    struct waiting *waiting;
};

/* A number is taken and, now and then, the unit of work fails behind it. */
static enum rc take_number(struct tx *tx, void *arg)
{
    struct number_job *j = arg;
    struct document_row row = {.code = DOCUMENT_INVOICE,
                               .state = DOCUMENT_DRAFT,
                               .issuer = j->issuer,
                               .recipient = j->issuer,
                               .currency = currency_find(STR("EUR")),
                               .year = 2026,
                               .issued_day = BOOKS_DAY};
    TRY(document_row_insert(tx, &row));
    TRY(document_numbers(tx, j->issuer, row.code, row.year, 1, &row.number));
    TRY(document_row_finalise(tx, &row));
    return j->fails ? err_set(tx->err, RC_INVALID, "this one fails") : RC_OK;
}

static void job_done(struct store_job *job, enum rc rc)
{
    struct number_job *j = CONTAINER_OF(job, struct number_job, job);
    ck_assert_int_eq(rc, j->fails ? RC_INVALID : RC_OK);
    pthread_mutex_lock(&j->waiting->mutex);
    j->waiting->open--;
    pthread_cond_signal(&j->waiting->changed);
    pthread_mutex_unlock(&j->waiting->mutex);
}

static enum rc last_number(struct tx *tx, void *arg)
{
    int64_t *last = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT last FROM document_number ORDER BY issuer LIMIT 1"));
    *last = row_int(&rows, 0, 0);
    return RC_OK;
}

START_TEST(numbers_are_gapless_with_two_writers_and_failures)
{
    struct world *w = calloc(1, sizeof *w);
    static struct number_job jobs[JOBS];
    struct waiting waiting = {.open = JOBS};
    int64_t last = 0;
    int64_t checked = 0;
    struct fixture *f = &w->fixture;
    ck_assert(w != NULL);
    pthread_mutex_init(&waiting.mutex, NULL);
    pthread_cond_init(&waiting.changed, NULL);
    clock_sim_init(&w->clock, WORLD_START, 7);
    fixture_init_handed_on(&w->fixture);
    fixture_open_with(&w->fixture, (struct store_options){.clock = &w->clock.clock,
                                                          .writers = 2, /* on PostgreSQL */
                                                          .batch_max = 2});
    for (int i = 0; i < JOBS; i++) {
        struct number_job *j = &jobs[i];
        *j = (struct number_job){.issuer = STR("pty_x"), .fails = i % 5 == 3, .waiting = &waiting};
        arena_init(&j->arena, (size_t)1024 * 1024);
        j->job = (struct store_job){
            .fn = take_number, .arg = j, .arena = &j->arena, .err = &j->err, .done = job_done};
        store_submit(w->fixture.store, &j->job);
    }
    pthread_mutex_lock(&waiting.mutex);
    while (waiting.open > 0)
        pthread_cond_wait(&waiting.changed, &waiting.mutex);
    pthread_mutex_unlock(&waiting.mutex);
    enum rc rc = fixture_read(f, last_number, &last);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
    rc = document_verify(f->store, &f->arena, &checked, &f->err);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
    ck_assert_int_eq(last, JOBS - JOBS / 5);
    ck_assert_int_eq(checked, JOBS - JOBS / 5);
    for (int i = 0; i < JOBS; i++)
        arena_fini(&jobs[i].arena);
    world_close(w);
    free(w);
}
END_TEST

Suite *document_suite(void);
Suite *document_suite(void)
{
    Suite *s = suite_create("document");
    TCase *c = tcase_create("document");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_draft_becomes_final_once_with_a_number_and_dates);
    tcase_add_test(c, a_new_year_begins_in_the_issuers_time_zone);
    tcase_add_test(c, what_is_held_leaves_no_gap_and_can_be_released);
    tcase_add_test(c, wrong_drafts_are_refused);
    tcase_add_test(c, a_corrected_invoice_takes_the_place_of_a_credited_one);
    tcase_add_test(c, drafts_are_shown_to_the_issuer_alone);
    tcase_add_test(c, lines_come_page_by_page);
    tcase_add_test(c, payments_move_the_state_and_stop_at_what_is_open);
    tcase_add_test(c, a_credit_note_by_line_takes_never_more_than_is_left);
    tcase_add_test(c, credited_in_any_parts_everything_is_zero);
    tcase_add_test(c, totals_that_are_a_cent_off_are_found);
    tcase_add_test(c, a_gap_and_a_missing_line_are_found);
    tcase_add_test(c, sums_in_the_row_read_back_and_damage_is_told);
    tcase_add_test(c, numbers_are_gapless_with_two_writers_and_failures);
    suite_add_tcase(s, c);
    return s;
}
