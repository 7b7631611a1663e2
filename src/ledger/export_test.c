/* The worked postings of specs/billing.md 3.5, a1 to a5, and what foreign tools say to them. */
#include "ledger/ledger_fixture.h"

#include <spawn.h>
#include <sys/wait.h>

enum { LEGS_MAX = 16 };

struct leg {
    const char *party;
    const char *debit;
    const char *credit;
    int64_t amount; /* cents */
};

static const struct event {
    const char *what;
    struct leg legs[LEGS_MAX];
} events[] = {
    {"a1 invoice 380",
     {{"Op", "AR:Client", "Income:VPS", 19500}, {"Op", "AR:Client", "VAT-Out:FR:200000", 3900}}},
    {"a2 self-billed 389, and its mirror",
     {{"Op", "Expense:PopShare", "AP:POP", 17500},
      {"Op", "VAT-In", "AP:POP", 3500},
      {"POP", "AR:Op", "Income:Hosting", 17500},
      {"POP", "AR:Op", "VAT-Out:FR:200000", 3500}}},
    {"a3 waterfall",
     {{"POP", "Expense:Hosting", "AP:DC", 1300},
      {"POP", "Expense:HwMgmt", "AP:SI", 2000},
      {"POP", "Expense:Repair", "AP:SI", 100},
      {"POP", "Expense:Network", "AP:Transit", 800},
      {"POP", "Expense:Electricity", "AP:Power", 2600},
      {"POP", "Expense:Interest", "AP:Bank", 600},
      {"POP", "Expense:Depreciation", "AP:Investor", 6900},
      {"POP", "Expense:Replacement", "Reserve:Hardware", 400},
      {"POP", "Expense:InvestorProfit", "AP:Investor", 2800}}},
    {"a4 direct debit in", {{"Op", "Bank:FR76", "AR:Client", 23400}}},
    {"a5 payout", {{"Op", "AP:POP", "Bank:FR76", 21000}, {"POP", "Bank:FR77", "AR:Op", 21000}}},
};

static enum rc account_of(struct tx *tx, struct books *b, const char *party, const char *code,
                          account_id *ret)
{
    if (ledger_find(tx, b->l, str_c(party), STR("EUR"), str_c(code), ret) == RC_OK)
        return RC_OK; /* of the fixture, with its flags */
    return ledger_account(
        tx, b->l,
        &(struct account){.party = str_c(party), .currency = STR("EUR"), .code = str_c(code)}, ret);
}

static enum rc post_case_a(struct tx *tx, void *arg)
{
    struct books *b = arg;
    uint64_t number = 0;
    for (size_t i = 0; i < COUNT(events); i++) {
        struct transfer t[LEGS_MAX];
        size_t n = 0;
        for (const struct leg *leg = events[i].legs; leg->party != NULL; leg++, n++) {
            t[n] = (struct transfer){.reference = {b->source, ++number},
                                     .amount = leg->amount,
                                     .event = i + 1,
                                     .flags = TRANSFER_LINKED};
            TRY(account_of(tx, b, leg->party, leg->debit, &t[n].debit));
            TRY(account_of(tx, b, leg->party, leg->credit, &t[n].credit));
        }
        t[n - 1].flags = 0;
        TRY(ledger_post(tx, b->l, t, n, NULL));
    }
    return RC_OK;
}

static enum rc check_account(struct tx *tx, struct books *b, const char *party, const char *code,
                             int64_t net)
{
    account_id id = 0;
    struct balance x;
    TRY(ledger_find(tx, b->l, str_c(party), STR("EUR"), str_c(code), &id));
    TRY(ledger_balance(tx, b->l, id, &x));
    ck_assert_msg(x.debits - x.credits == net, "%s %s", party, code);
    return RC_OK;
}

static enum rc check_case_a(struct tx *tx, void *arg)
{
    struct books *b = arg;
    TRY(check_account(tx, b, "Op", "Bank:FR76", 2400)); /* cash 24.00 */
    TRY(check_account(tx, b, "Op", "Income:VPS", -19500));
    TRY(check_account(tx, b, "Op", "Expense:PopShare", 17500)); /* result 20.00 */
    TRY(check_account(tx, b, "Op", "VAT-Out:FR:200000", -3900));
    TRY(check_account(tx, b, "Op", "VAT-In", 3500)); /* due 4.00 */
    TRY(check_account(tx, b, "Op", "AP:POP", 0));
    TRY(check_account(tx, b, "POP", "AR:Op", 0));
    TRY(check_account(tx, b, "POP", "AP:SI", -2100));
    TRY(check_account(tx, b, "POP", "AP:Investor", -9700)); /* 69 + 28 */
    return check_account(tx, b, "POP", "Bank:FR77", 21000);
}

/* --- files and foreign tools --- */

static enum rc append(void *arg, struct str piece, struct err *err)
{
    (void)err;
    size_t n = fwrite(piece.p, 1, piece.n, arg);
    ck_assert_uint_eq(n, piece.n);
    return RC_OK;
}

static void export_to(struct books *b, enum ledger_format format, const char *path)
{
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    books_must(ledger_export(b->f.store, format, append, out, &b->f.err), &b->f.err);
    ck_assert_int_eq(fclose(out), 0);
}

/* Exit code of a program; its output is thrown away. */
static int run(const char *const *words)
{
    pid_t pid = 0;
    posix_spawn_file_actions_t quiet;
    int status = 0;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", 1, 0);
    char *argv[8] = {0};
    for (size_t i = 0; words[i] != NULL; i++)
        argv[i] = strdup(words[i]);
    int failed = posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ);
    ck_assert_msg(failed == 0, "%s is not installed: tools/setup test", words[0]);
    for (size_t i = 0; argv[i] != NULL; i++)
        free(argv[i]);
    posix_spawn_file_actions_destroy(&quiet);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int ask_tool(enum ledger_format format, const char *path)
{
    switch (format) {
    case LEDGER_HLEDGER:
        return run((const char *const[]){"hledger", "-f", path, "check", NULL});
    case LEDGER_LEDGER:
        return run((const char *const[]){"ledger", "--args-only", "-f", path, "balance", NULL});
    case LEDGER_BEANCOUNT:
        return run((const char *const[]){"bean-check", "--no-cache", path, NULL});
    }
    return -1;
}

static char *read_file(const char *path, size_t *ret_n)
{
    static char text[256 * 1024];
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    *ret_n = fread(text, 1, sizeof text - 1, in);
    text[*ret_n] = '\0';
    (void)fclose(in);
    return text;
}

/* One cent more somewhere: "195.00" becomes "195.01". */
static void damage(const char *path)
{
    size_t n = 0;
    char *text = read_file(path, &n);
    char *at = strstr(text, "  195.00 EUR");
    at = at != NULL ? at : strstr(text, "-195.00 EUR");
    ck_assert_ptr_nonnull(at);
    at[strlen("-195.00") - (at[0] == '-' ? 1 : 0)] = '1';
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(text, 1, n, out), n);
    ck_assert_int_eq(fclose(out), 0);
}

START_TEST(the_worked_case_balances_in_three_foreign_tools_and_one_cent_does_not)
{
    static const char *const endings[] = {"journal", "ledger", "beancount"};
    struct books b;
    books_open(&b);
    books_must(fixture_write(&b.f, post_case_a, &b), &b.f.err);
    books_must(fixture_read(&b.f, check_case_a, &b), &b.f.err);
    char dir[] = "/tmp/hanse-export-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    for (int i = LEDGER_HLEDGER; i <= LEDGER_BEANCOUNT; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/books.%s", dir, endings[i]);
        export_to(&b, (enum ledger_format)i, path);
        ck_assert_msg(ask_tool((enum ledger_format)i, path) == 0, "%s", endings[i]);
        damage(path);
        ck_assert_msg(ask_tool((enum ledger_format)i, path) != 0, "%s", endings[i]);
        ck_assert_int_eq(unlink(path), 0);
    }
    ck_assert_int_eq(rmdir(dir), 0);
    books_close(&b);
}
END_TEST

/* --- the form --- */

static enum rc post_odd(struct tx *tx, void *arg)
{
    struct books *b = arg;
    account_id bank = 0;
    account_id other = 0;
    struct str party = STR("pty_01jd8v3q7w4k2m9x6c5b1n0h8z");
    TRY(ledger_account(
        tx, b->l, &(struct account){.party = party, .currency = STR("JPY"), .code = STR("Bank:9")},
        &bank));
    TRY(ledger_account(
        tx, b->l,
        &(struct account){.party = party, .currency = STR("JPY"), .code = STR("Strange:Thing")},
        &other));
    struct transfer t[3] = {books_transfer(b, 1, bank, other, 1250),
                            books_transfer(b, 2, bank, other, 7),
                            books_transfer(b, 3, other, bank, 7)};
    t[1].flags = TRANSFER_LINKED; /* and back: nothing to tell */
    TRY(ledger_post(tx, b->l, t, 3, NULL));
    TRY(ledger_account(
        tx, b->l,
        &(struct account){.party = STR("Op"), .currency = STR("KWD"), .code = STR("Income")},
        &bank));
    TRY(ledger_account(tx, b->l,
                       &(struct account){.party = STR("Op"),
                                         .currency = STR("KWD"),
                                         .code = STR("AR:pty_01jd8v3q7w4k2m9x6c5b1n0h8z")},
                       &other));
    t[0] = books_transfer(b, 4, other, bank, 5);
    t[0].flags = TRANSFER_PENDING; /* nothing to tell */
    t[1] = (struct transfer){.reference = {b->source, 5},
                             .pending = t[0].reference,
                             .amount = 3,
                             .event = 9,
                             .code = 2,
                             .flags = TRANSFER_POST};
    return ledger_post(tx, b->l, t, 2, NULL);
}

START_TEST(entries_have_the_form_that_the_tools_read)
{
    struct books b;
    char path[] = "/tmp/hanse-export-XXXXXX";
    books_open(&b);
    books_must(fixture_write(&b.f, post_odd, &b), &b.f.err);
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    size_t n = 0;
    export_to(&b, LEDGER_LEDGER, path);
    ck_assert_str_eq(read_file(path, &n),
                     "\n1972-09-27 * (test#1) Pty-01jd8v3q7w4k2m9x6c5b1n0h8z: event 1, code 0\n"
                     "    Assets:Pty-01jd8v3q7w4k2m9x6c5b1n0h8z:Bank:9  1250 JPY\n"
                     "    Equity:Pty-01jd8v3q7w4k2m9x6c5b1n0h8z:Strange:Thing  -1250 JPY\n"
                     "\n1972-09-27 * (test#5) Op: event 9, code 2\n"
                     "    Income:Op:Income  -0.003 KWD\n"
                     "    Assets:Op:AR:Pty-01jd8v3q7w4k2m9x6c5b1n0h8z  0.003 KWD\n");
    for (int i = LEDGER_HLEDGER; i <= LEDGER_BEANCOUNT; i++) {
        char named[64];
        (void)snprintf(named, sizeof named, "%s.%s", path, i == 2 ? "beancount" : "journal");
        export_to(&b, (enum ledger_format)i, named);
        ck_assert_int_eq(ask_tool((enum ledger_format)i, named), 0);
        (void)unlink(named);
    }
    (void)unlink(path);
    books_close(&b);
}
END_TEST

Suite *export_suite(void);
Suite *export_suite(void)
{
    Suite *s = suite_create("export");
    TCase *c = tcase_create("export");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, the_worked_case_balances_in_three_foreign_tools_and_one_cent_does_not);
    tcase_add_test(c, entries_have_the_form_that_the_tools_read);
    suite_add_tcase(s, c);
    return s;
}
