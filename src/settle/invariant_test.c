/*
 * invariant_test.c - specs/billing.md 3.10: whoever breaks a row by hand is found, and told which
 * invariant and which row (docs/invariants.md).
 */
#include "settle/fund.h"
#include "settle/path_fixture.h"

/* --- a world that has something of everything --- */

static void cost(struct tx *tx, struct str from, struct str to, const struct rule *rules,
                 size_t count)
{
    struct agreement fresh = {.kind = AGREEMENT_COST,
                              .from = from,
                              .to = to,
                              .terms = {.tax = TREATMENT_NONE,
                                        .currency = STR("USD"),
                                        .rules = {(void *)(uintptr_t)rules, count}}};
    (void)make_agreement(tx, &fresh);
}

/* In January a point of presence produces one more machine, and owes a datacentre and an investor.
 */
static enum rc produce_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct rows rows;
    struct subscription s;
    const struct rule hosting = {.kind = RULE_FIXED, .value = STR("13"), .label = STR("Hosting")};
    const struct rule rest = {.kind = RULE_RESIDUAL, .label = STR("Investor")};
    struct str pop = books_party(tx, "Pop", "US", true);
    set_bank(tx, pop, "FR1420041010050500013M02606");
    set_bank(tx, p->agent, "FR1420041010050500013M02606");
    cost(tx, pop, books_party(tx, "Dc", "US", true), &hosting, 1);
    cost(tx, pop, books_party(tx, "Investor", "US", true), &rest, 1);
    OK(tx, sql_rows(tx, &rows,
                    "SELECT s.agreement, s.plan FROM subscription s JOIN plan p ON p.id = s.plan "
                    "WHERE p.code = 'vm' ORDER BY s.id LIMIT 1"));
    const struct subscription fresh = {.agreement = row_str(&rows, 0, 0),
                                       .plan = row_str(&rows, 0, 1),
                                       .producer = pop,
                                       .quantity = STR("1")};
    OK(tx, subscription_create(tx, &fresh, &s));
    return RC_OK;
}

/* Something of two invoices is paid, and then December's is credited wholly. */
static enum rc pay_and_credit_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct rows rows;
    struct document made;
    OK(tx, sql_rows(tx, &rows,
                    "SELECT id FROM document WHERE recipient = $1 AND code = 380 ORDER BY no "
                    "LIMIT 4",
                    V(p->client[0])));
    ck_assert_uint_eq(rows.count, 3);
    for (size_t i = 0; i < 2; i++)
        (void)book_payment(tx, p->w.books.l, p->party[0], row_str(&rows, i, 0), "500.00", "USD",
                           i == 0 ? "one" : "two");
    OK(tx, document_credit(tx, p->w.books.l, &settle_above,
                           &(struct credit_request){.id = row_str(&rows, 0, 0)}, &made));
    return RC_OK;
}

static struct path_world *everything(enum settle_mode settle)
{
    const struct path_world wanted = {
        .tiers = 3, .clients = 1, .settle = settle, .introduced = true};
    struct path_world *p = path_open_as(&wanted);
    path_do(p, produce_in);
    (void)settle_close(&p->w, "2027-01", FEBRUARY);
    (void)settle_close(&p->w, "2027-02", MARCH);
    path_do(p, pay_and_credit_in);
    path_do(p, run_in);
    path_do(p, send_in);
    return p;
}

/* --- breaking it --- */

struct tamper {
    const char *what;
    const char *sql;
    const char *text; /* what is told */
};

static enum rc verify_all(struct tx *tx, struct ledger *l)
{
    struct settle_report report;
    int64_t last = 0;
    int64_t checked = 0;
    TRY(document_verify_some(tx, 0, STORE_ROWS_MAX, &last, &checked));
    TRY(document_verify_numbers(tx));
    return settle_verify(tx, l, &report);
}

struct breaking {
    struct path_world *p;
    const struct tamper *t;
};

/* Broken, looked at, and undone with the unit of work. */
static enum rc break_in(struct tx *tx, void *arg)
{
    const struct breaking *b = arg;
    struct rows none;
    enum rc rc = sql_rows_text(tx, &none, str_c(b->t->sql), NULL, 0);
    ck_assert_msg(rc == RC_OK, "%s: %s", b->t->what, tx->err->text);
    rc = verify_all(tx, b->p->w.books.l);
    ck_assert_msg(rc == RC_INVALID, "%s: nobody saw it", b->t->what);
    ck_assert_msg(strstr(tx->err->text, b->t->text) != NULL, "%s: '%s', wanted was '%s'",
                  b->t->what, tx->err->text, b->t->text);
    return err_set(tx->err, RC_GONE, "undone");
}

static enum rc whole_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    OK(tx, verify_all(tx, p->w.books.l));
    return RC_OK;
}

static void break_each(struct path_world *p, const struct tamper *list, size_t count)
{
    path_do(p, whole_in);
    for (size_t i = 0; i < count; i++)
        world_write(&p->w.books.world, break_in, &(struct breaking){p, &list[i]}, RC_GONE);
    path_do(p, whole_in);
}

#define A_SHARE(kind) \
    "no = (SELECT MAX(no) FROM share WHERE kind = '" kind "' AND amount <> voided)"
#define A_DOCUMENT(what) "no = (SELECT MIN(no) FROM document WHERE " what ")"

START_TEST(a_row_that_breaks_an_invariant_is_named_where_the_platform_collects)
{
    static const struct tamper list[] = {
        {"a tier has a cent more", "UPDATE share SET amount = amount + 1 WHERE " A_SHARE("margin"),
         "invariant 'margins': document inv_"},
        {"a tier is not there", "DELETE FROM share WHERE " A_SHARE("margin"),
         "invariant 'margins': document inv_"},
        {"a credit note took less of a tier",
         "UPDATE share SET voided = voided - 1 WHERE kind = 'margin' AND voided > 0",
         "invariant 'margins': document inv_"},
        {"a waterfall mints a cent", "UPDATE share SET amount = amount + 1 WHERE " A_SHARE("cost"),
         "invariant 'waterfall': of document number "},
        {"a waterfall loses a share",
         "DELETE FROM share WHERE no = (SELECT MAX(no) FROM share WHERE label = 'Hosting')",
         "invariant 'waterfall': of document number "},
        {"a commission outlives its invoice",
         "UPDATE share SET voided = voided - 1 WHERE kind = 'referral' AND voided > 0",
         "invariant 'credit': a share is left of what was credited wholly (number "},
        {"a document is larger than its posting",
         "UPDATE document SET prepaid = 1 WHERE " A_DOCUMENT("code = 380 AND gross > 1"),
         "invariant 'once': document inv_"},
        {"a document has a line less",
         "UPDATE document SET line_count = line_count - 1 WHERE " A_DOCUMENT("line_count > 1"),
         "breaks BR-CO-10"},
        {"a number was skipped", "UPDATE document_number SET last = last + 1", "have a gap"},
        {"a payment is more than its parts", "UPDATE payment SET matched = matched + 1",
         "a payment matched something else than its parts"},
        {"an invoice is paid twice", "UPDATE document SET paid = paid + 1 WHERE paid > 0",
         "a document is paid for something else than its payments say"},
        {"a share was settled twice",
         "UPDATE share SET settled = settled + 1 WHERE settled > 0 AND booked = 1",
         "a share is settled for something else than its statements say"},
        {"a payout is more than its statements",
         "UPDATE payout SET amount = amount + 1 WHERE no = (SELECT MAX(payout) FROM statement)",
         "a payout is something else than its statements say"},
    };
    struct path_world *p = everything(SETTLE_COLLECT);
    break_each(p, list, COUNT(list));
    path_close(p);
}
END_TEST

START_TEST(and_along_a_chain)
{
    static const struct tamper list[] = {
        {"what was paid up the path is another amount",
         "UPDATE clearing_part SET amount = amount + 1", "a document is paid for something else"},
        {"a waterfall mints a cent", "UPDATE share SET amount = amount + 1 WHERE " A_SHARE("cost"),
         "invariant 'waterfall': of document number "},
        {"Clearing sent what it did not send",
         "UPDATE payout SET amount = amount + 1 WHERE state = 'sent' AND book = 'Clearing'",
         "Clearing owes"},
        {"an invoice between tiers is larger than its posting",
         "UPDATE document SET prepaid = 1 WHERE " A_DOCUMENT("line_count = -1 AND gross > 1"),
         "invariant 'once': document inv_"},
    };
    struct path_world *p = everything(SETTLE_CHAIN);
    break_each(p, list, COUNT(list));
    path_close(p);
}
END_TEST

/* --- a close that would post twice --- */

static enum rc post_again_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct document_row d = document_between(tx, p->party[0], p->party[1], DOCUMENT_INVOICE);
    d.posted = false;
    OK(tx, document_row_post(tx, p->w.books.l, &d, NULL));
    ck_assert_int_eq(posting_verify(tx, p->w.books.l), RC_INVALID);
    ck_assert_ptr_nonnull(strstr(tx->err->text, "invariant 'once': document inv_"));
    return err_set(tx->err, RC_GONE, "undone");
}

START_TEST(a_document_that_is_posted_twice_is_found)
{
    struct path_world *p = path_open(3, 1);
    path_do(p, whole_in);
    world_write(&p->w.books.world, post_again_in, p, RC_GONE);
    path_do(p, whole_in);
    path_close(p);
}
END_TEST

Suite *invariant_suite(void);
Suite *invariant_suite(void)
{
    Suite *s = suite_create("invariant");
    TCase *c = tcase_create("invariant");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, a_row_that_breaks_an_invariant_is_named_where_the_platform_collects);
    tcase_add_test(c, and_along_a_chain);
    tcase_add_test(c, a_document_that_is_posted_twice_is_found);
    suite_add_tcase(s, c);
    return s;
}
