/*
 * payment_test.c - which document money is for: what may be paid at all, and in which order.
 */
#include "settle/payment.h"

#include "money/reference.h"
#include "settle/settle_fixture.h"

static struct document written(struct tx *tx, struct ledger *l, const struct draft *wanted,
                               int64_t net)
{
    struct document made;
    struct document final;
    struct draft_line line = {.text = STR("A day of training"),
                              .income = STR("Services"),
                              .quantity = {1, 0},
                              .price = {net, 2},
                              .unit = STR("C62"),
                              .net = net};
    struct draft d = *wanted;
    d.currency = currency_find(STR("USD"));
    d.lines = &line;
    d.count = 1;
    OK(tx, document_draft(tx, &d, &made));
    OK(tx, document_finalise(tx, l, made.id, &final));
    return final;
}

static struct document invoice(struct tx *tx, struct ledger *l, struct str from, struct str to,
                               int64_t net)
{
    return written(tx, l,
                   &(struct draft){.code = DOCUMENT_INVOICE, .issuer = from, .recipient = to}, net);
}

static struct payment money(const char *reference, const char *amount)
{
    return (struct payment){.amount = str_c(amount),
                            .currency = STR("USD"),
                            .reference = str_c(reference),
                            .value_date = STR("2027-01-15")};
}

static struct str rf_of(struct tx *tx, const char *body)
{
    char rf[REFERENCE_MAX + 1];
    OK(tx, reference_make(str_c(body), rf, tx->err));
    return arena_str(tx->arena, str_c(rf));
}

static struct str rf_of_document(struct tx *tx, const struct document *d, const char *behind)
{
    struct str body = arena_fmt(tx->arena, "%lld%s", (long long)d->no, behind);
    return rf_of(tx, arena_cstr(tx->arena, body));
}

BOOKS_TEST(nobody_pays_a_credit_note_or_a_self_billed_document)
{
    struct payment made;
    struct document note;
    struct str op = books_party(tx, "Op", "US", true);
    struct str client = books_party(tx, "Client", "US", true);
    struct document sold = invoice(tx, l, op, client, 10000);
    struct credit_line part = {.line = 1, .net = STR("40.00")};
    OK(tx,
       document_credit(tx, l, NULL, &(struct credit_request){sold.id, &part, 1, STR("")}, &note));
    struct payment p = money("bank-1", "40.00");
    p.document = note.id;
    FAILS(tx, RC_INVALID, "/document", payment_book(tx, l, op, &p, &made));
    p.document = STR("");
    p.remittance = rf_of_document(tx, &note, "");
    OK(tx, payment_book(tx, l, op, &p, &made));
    SAME(made.state, STR("suspense"));
    struct document owed = written(
        tx, l, &(struct draft){.code = DOCUMENT_SELF_BILLED, .issuer = client, .recipient = op},
        2500);
    p = money("bank-2", "25.00");
    p.document = owed.id;
    FAILS(tx, RC_INVALID, "/document", payment_book(tx, l, client, &p, &made));
    BALANCE(op, "USD", account_of(tx, "AP", client), -2500);
    BALANCE(op, "USD", account_of(tx, "AR", client), 6000);
}

BOOKS_TEST(a_reference_of_another_house_names_nothing_of_ours)
{
    struct payment made;
    struct str op = books_party(tx, "Op", "US", true);
    struct str client = books_party(tx, "Client", "US", true);
    struct document sold = invoice(tx, l, op, client, 10000);
    struct payment p = money("bank-1", "100.00");
    p.remittance = rf_of_document(tx, &sold, "A");
    OK(tx, payment_book(tx, l, op, &p, &made));
    SAME(made.state, STR("suspense"));
    p = money("bank-2", "100.00");
    p.remittance = rf_of_document(tx, &sold, "");
    OK(tx, payment_book(tx, l, op, &p, &made));
    SAME(made.state, STR("matched"));
}

/* More invoices than a list shows, and all but the first and the last are paid. */
BOOKS_TEST(the_oldest_invoice_is_paid_first_however_many_came_after_it)
{
    enum { INVOICES = PAGE_LIMIT_MAX + 2 };
    struct payment made;
    struct document_row row;
    struct str first = STR("");
    struct str op = books_party(tx, "Op", "US", true);
    struct str client = books_party(tx, "Client", "US", true);
    for (int i = 0; i < INVOICES; i++) {
        struct document d = invoice(tx, l, op, client, 100);
        struct payment p = money(arena_cstr(tx->arena, arena_fmt(tx->arena, "wire-%d", i)), "1.00");
        p.document = d.id;
        if (i == 0)
            first = d.id;
        else if (i + 1 < INVOICES)
            OK(tx, payment_book(tx, l, op, &p, &made));
    }
    struct payment p = money("bank", "1.50");
    p.payer = client;
    OK(tx, payment_book(tx, l, op, &p, &made));
    SAME(made.state, STR("matched"));
    OK(tx, document_row_find(tx, first, &row));
    ck_assert_int_eq(document_open(&row), 0);
    BALANCE(op, "USD", account_of(tx, "AR", client), 50);
}

BOOKS_TEST(a_corrected_invoice_is_matched_like_any_other)
{
    struct payment made;
    struct document note;
    struct str op = books_party(tx, "Op", "US", true);
    struct str client = books_party(tx, "Client", "US", true);
    struct document wrong = invoice(tx, l, op, client, 10000);
    OK(tx, document_credit(tx, l, NULL, &(struct credit_request){.id = wrong.id}, &note));
    struct document right = written(
        tx, l,
        &(struct draft){
            .code = DOCUMENT_CORRECTED, .issuer = op, .recipient = client, .refers_to = wrong.id},
        9000);
    SAME(right.refers_to, wrong.id);
    struct payment p = money("bank", "90.00");
    p.payer = client;
    OK(tx, payment_book(tx, l, op, &p, &made));
    SAME(made.state, STR("matched"));
    BALANCE(op, "USD", account_of(tx, "AR", client), 0);
}

/* --- one payment, of what the platform collects and of what the operator does itself --- */

struct mixed {
    struct close_world w;
    struct str op, client, payment;
    int64_t due[2]; /* payment days of what is collected, and of the other */
};

static enum rc mixed_define(struct tx *tx, void *arg)
{
    static const enum settle_mode modes[] = {SETTLE_COLLECT, SETTLE_CHAIN};
    struct mixed *m = arg;
    m->op = keep(&m->w, books_party(tx, "Op", "US", true));
    m->client = keep(&m->w, books_party(tx, "Client", "US", true));
    OK(tx, permission_seed(tx));
    struct str plan = make_flat(tx, m->op, "vm", "Wholesale", "50.00", "USD");
    for (size_t i = 0; i < COUNT(modes); i++) {
        struct agreement fresh = {.kind = AGREEMENT_SUPPLY,
                                  .from = m->op,
                                  .to = m->client,
                                  .terms = {.settle = (int64_t)modes[i],
                                            .currency = STR("USD"),
                                            .payment_days = m->due[i]}};
        (void)make_subscription(tx, make_agreement(tx, &fresh), plan, "1", 0);
    }
    return RC_OK;
}

static enum rc mixed_paid(struct tx *tx, void *arg)
{
    struct mixed *m = arg;
    struct ledger *l = m->w.books.l;
    struct payment made;
    struct payment p = money("bank", "100.00");
    p.payer = m->client;
    OK(tx, payment_book(tx, l, m->op, &p, &made));
    SAME(made.state, STR("matched"));
    m->payment = keep(&m->w, made.id);
    BALANCE(POSTING_CLEARING, "USD", STR("Bank"), 5000);
    BALANCE(m->op, "USD", STR("Bank"), 5000);
    return RC_OK;
}

static enum rc mixed_returned(struct tx *tx, void *arg)
{
    struct mixed *m = arg;
    struct ledger *l = m->w.books.l;
    struct payment made;
    OK(tx, payment_return(tx, l, m->payment, &made));
    BALANCE(POSTING_CLEARING, "USD", STR("Bank"), 0);
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "AR", m->client), 5000);
    BALANCE(m->op, "USD", STR("Bank"), 0);
    BALANCE(m->op, "USD", account_of(tx, "AR", m->client), 5000);
    return RC_OK;
}

START_TEST(one_payment_pays_what_the_platform_collects_and_what_it_does_not)
{
    struct mixed *m = calloc(1, sizeof *m);
    ASSERT(m != NULL);
    struct world *world = &m->w.books.world;
    settle_world_open(&m->w);
    m->due[_i] = 30; /* either comes last */
    world_write(world, mixed_define, m, RC_OK);
    (void)settle_close(&m->w, "2026-12", JANUARY);
    world_write(world, mixed_paid, m, RC_OK);
    enum rc rc = fixture_read(&world->fixture, settle_verify_in, &m->w);
    ck_assert_msg(rc == RC_OK, "%s", world->fixture.err.text);
    world_write(world, mixed_returned, m, RC_OK);
    settle_world_close(&m->w);
    free(m);
}
END_TEST

Suite *payment_suite(void);
Suite *payment_suite(void)
{
    Suite *s = suite_create("payment");
    TCase *t = tcase_create("payment");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, nobody_pays_a_credit_note_or_a_self_billed_document);
    tcase_add_test(t, a_reference_of_another_house_names_nothing_of_ours);
    tcase_add_test(t, the_oldest_invoice_is_paid_first_however_many_came_after_it);
    tcase_add_test(t, a_corrected_invoice_is_matched_like_any_other);
    tcase_add_loop_test(t, one_payment_pays_what_the_platform_collects_and_what_it_does_not, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
