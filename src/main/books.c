#include "main/books.h"

#include "billing/document_row.h"
#include "ledger/ledger.h"
#include "meter/total.h"
#include "money/amount.h"
#include "settle/verify.h"

#include <errno.h>
#include <unistd.h>

static enum rc verify(struct store *store, struct arena *arena, struct err *err)
{
    struct ledger_report r;
    TRY(ledger_verify(store, arena, &r, err));
    printf("The ledger is whole: %lld transfers in %lld batches; %lld accounts in %lld books\n"
           "%.*s is the hash of the last batch: kept elsewhere, it proves all before it\n",
           (long long)r.transfers, (long long)r.batches, (long long)r.accounts, (long long)r.books,
           STRF(r.head));
    return RC_OK;
}

struct verifying {
    struct ledger *ledger;
    struct settle_report report;
};

static enum rc verify_shares(struct tx *tx, void *arg)
{
    struct verifying *v = arg;
    return settle_verify(tx, v->ledger, &v->report);
}

/* What the rooms above keep beside the ledger. It is open until the store is closed. */
static enum rc verify_above(struct store *store, struct verifying *v, struct arena *arena,
                            struct err *err)
{
    int64_t documents = 0;
    int64_t used = 0;
    TRY(document_verify(store, arena, &documents, err));
    printf("%lld documents add up, and their numbers have no gap\n", (long long)documents);
    TRY(total_verify(store, arena, &used, err));
    printf("What %lld subscriptions used is what its records give, each counted once\n",
           (long long)used);
    TRY(store_read(store, arena, err, verify_shares, v));
    printf("%lld shares and %lld payments are what the books say\n", (long long)v->report.shares,
           (long long)v->report.payments);
    if (v->report.waiting > 0)
        printf("%lld payouts wait, as Clearing has less on its account than it owes\n",
               (long long)v->report.waiting);
    return RC_OK;
}

/* Tabs between: for people, cut and sort. */
static enum rc print_account(struct tx *tx, const struct account *a, void *arg)
{
    const struct currency *currency = NULL;
    const struct balance *b = &a->balance;
    (void)arg;
    TRY(currency_parse(a->currency, &currency, tx->err));
    const int64_t amounts[] = {b->debits, b->credits, b->debits - b->credits, b->debits_pending,
                               b->credits_pending};
    printf("%u\t%.*s\t%.*s\t%.*s", a->id, STRF(a->party), STRF(a->currency), STRF(a->code));
    for (size_t i = 0; i < COUNT(amounts); i++) {
        char text[AMOUNT_TEXT_MAX];
        (void)amount_format(amounts[i], currency, text);
        printf("\t%s", text);
    }
    putchar('\n');
    return RC_OK;
}

static enum rc replay(struct store *store, const struct command_line *line, struct arena *arena,
                      struct err *err)
{
    time_us at = INT64_MAX;
    if (line->at != NULL && !time_parse(str_c(line->at), &at))
        return err_set(err, RC_SYNTAX, "--at wants a time such as 2026-01-31T23:59:59Z");
    puts("account\tparty\tcurrency\tcode\tdebits\tcredits\tbalance\tdebits pending\tcredits "
         "pending");
    return ledger_replay(store, arena, at, print_account, NULL, err);
}

static enum rc print_piece(void *arg, struct str piece, struct err *err)
{
    (void)arg;
    if (fwrite(piece.p, 1, piece.n, stdout) != piece.n)
        return err_set(err, RC_FULL, "the export cannot be written: %s", strerror(errno));
    return RC_OK;
}

static enum rc export_books(struct store *store, const struct command_line *line, struct err *err)
{
    static const char *const names[] = {
        [LEDGER_HLEDGER] = "hledger", [LEDGER_LEDGER] = "ledger", [LEDGER_BEANCOUNT] = "beancount"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (line->format != NULL && strcmp(line->format, names[i]) == 0)
            return ledger_export(store, (enum ledger_format)i, print_piece, NULL, err);
    return err_set(err, RC_SYNTAX, "--format wants hledger, ledger or beancount");
}

enum rc books_command(const struct settings *s, const struct command_line *line,
                      struct arena *arena, struct err *err)
{
    const char *word = line->word_count == 2 ? line->words[1] : "";
    bool verifies = strcmp(word, "verify") == 0;
    bool replays = strcmp(word, "replay") == 0;
    bool exports = strcmp(word, "export") == 0;
    if (!verifies && !replays && !exports)
        return err_set(err, RC_SYNTAX, "the ledger can be asked to verify, replay or export");
    if ((line->format != NULL && !exports) || (line->at != NULL && !replays))
        return err_set(err, RC_SYNTAX,
                       "--format belongs to 'ledger export', --at to 'ledger "
                       "replay'");
    struct log log;
    log_init(&log, clock_system(), STDERR_FILENO, LOG_WARN, s->log_json);
    struct store_options options = {.url = s->store, .clock = clock_system(), .log = &log};
    struct store *store = NULL;
    struct verifying above = {0};
    TRY(store_open(&store, &options, err));
    enum rc rc = verifies  ? verify(store, arena, err)
                 : replays ? replay(store, line, arena, err)
                           : export_books(store, line, err);
    if (rc == RC_OK && verifies)
        rc = ledger_open(&above.ledger, store, &log, err);
    if (rc == RC_OK && verifies)
        rc = verify_above(store, &above, arena, err);
    store_close(store);
    ledger_close(above.ledger);
    if (rc == RC_OK && fflush(stdout) != 0)
        rc = err_set(err, RC_FULL, "the answer cannot be written: %s", strerror(errno));
    return rc;
}
