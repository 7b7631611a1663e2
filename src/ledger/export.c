/*
 * The books as text for hledger, ledger and beancount: one entry for each book of a chain, its legs
 * added up by account. One form serves all three (specs/billing.md 4.6):
 *
 *     2026-01-31 * (close/2026-01#12) Op: event 7, code 3
 *         Assets:Op:AR:Client              234.00 EUR
 *         Income:Op:VPS                   -195.00 EUR
 *
 * and for beancount `2026-01-31 * "Op" "..."`, with every account opened first. The journal is
 * verified while it is read: what does not verify is not exported.
 */
#include "ledger/journal.h"
#include "ledger/series.h"

#include "base/buf.h"
#include "money/amount.h"

#include <sodium.h>

enum { PIECE_BYTES = 64 * 1024, ENTRY_BYTES_MAX = 1024 };

struct leg {
    uint32_t book;
    account_id account;
    int64_t amount; /* debits above 0, credits below */
};

struct exporter {
    enum ledger_format format;
    enum rc (*write)(void *arg, struct str piece, struct err *err);
    void *arg;
    struct machine *machine;
    struct journal_head head;
    struct arena arena; /* of the buffer */
    struct buf out;
    struct leg *legs; /* of the chain in hand, at most two for each transfer */
    size_t legs_count;
    uint32_t opened; /* beancount: accounts that were told */
};

/* --- pieces --- */

static enum rc flush(struct exporter *x, struct err *err)
{
    ASSERT(!x->out.full);
    struct str piece = buf_str(&x->out);
    if (piece.n > 0)
        TRY(x->write(x->arg, piece, err));
    buf_reset(&x->out);
    return RC_OK;
}

static enum rc make_room(struct exporter *x, struct err *err)
{
    return x->out.n + ENTRY_BYTES_MAX > PIECE_BYTES ? flush(x, err) : RC_OK;
}

/* --- names --- */

/* Where an account stands, by the first part of its code (specs/billing.md 3.4). What is not listed
 * is equity. drop: the part says no more than the class does. */
static const struct class
{
    const char *part;
    const char *name;
    bool drop;
} classes[] = {
    {"AR", "Assets", false},
    {"Bank", "Assets", false},
    {"Cash", "Assets", false},
    {"Clearing", "Assets", false},
    {"Financing", "Assets", false},
    {"Suspense", "Assets", false},
    {"VAT-In", "Assets", false},
    {"AP", "Liabilities", false},
    {"Commission", "Liabilities", false},
    {"Deferred", "Liabilities", false},
    {"Loan", "Liabilities", false},
    {"Promo", "Liabilities", false},
    {"Reserve", "Liabilities", false},
    {"VAT-Out", "Liabilities", false},
    {"Wallet", "Liabilities", false},
    {"Income", "Income", true},
    {"Expense", "Expenses", true},
    {"Marketing", "Expenses", false},
    {"Rounding", "Expenses", false},
};

static const struct class *class_of(struct str part)
{
    static const struct class other = {"", "Equity", false};
    for (size_t i = 0; i < COUNT(classes); i++)
        if (str_eq(part, str_c(classes[i].part)))
            return &classes[i];
    return &other;
}

/* A part of a name; of an id, "pty_01..." becomes "Pty-01...". */
static void add_part(struct buf *b, struct str part)
{
    for (size_t i = 0; i < part.n; i++) {
        char c = part.p[i];
        if (i == 0 && c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        buf_add_char(b, c == '_' ? '-' : c);
    }
}

static void add_name(struct buf *b, const struct account *a)
{
    struct str rest = a->code;
    struct str first = str_cut(&rest, ':');
    const struct class *class = class_of(first);
    buf_add(b, str_c(class->name));
    buf_add_char(b, ':');
    add_part(b, a->party);
    if (!class->drop || rest.n == 0) {
        buf_add_char(b, ':');
        add_part(b, first);
    }
    while (rest.n > 0) {
        buf_add_char(b, ':');
        add_part(b, str_cut(&rest, ':'));
    }
}

/* beancount wants every account opened; the day is before all others. */
static enum rc open_accounts(struct exporter *x, struct err *err)
{
    while (x->format == LEDGER_BEANCOUNT && x->opened < machine_accounts(x->machine)) {
        struct account a = machine_see_account(x->machine, ++x->opened);
        buf_add(&x->out, STR("1970-01-01 open "));
        add_name(&x->out, &a);
        buf_add_char(&x->out, '\n');
        TRY(make_room(x, err));
    }
    return RC_OK;
}

/* --- entries --- */

static int by_account(const void *a, const void *b)
{
    const struct leg *x = a;
    const struct leg *y = b;
    if (x->book != y->book)
        return x->book < y->book ? -1 : 1;
    return x->account < y->account ? -1 : x->account > y->account;
}

/* One leg for each account, none of 0, sorted by book. */
static size_t add_up(struct leg *legs, size_t count)
{
    size_t n = 0;
    qsort(legs, count, sizeof *legs, by_account);
    for (size_t i = 0; i < count;) {
        /* In between the sum may pass int64; at the end it is a change of a balance. */
        __int128 sum = 0;
        struct leg leg = legs[i];
        for (; i < count && legs[i].account == leg.account; i++)
            sum += legs[i].amount;
        ASSERT(sum >= -INT64_MAX && sum <= INT64_MAX);
        leg.amount = (int64_t)sum;
        if (leg.amount != 0)
            legs[n++] = leg;
    }
    return n;
}

static void add_head(struct exporter *x, const struct record *r, time_us at, struct str party)
{
    char day[TIME_TEXT_MAX];
    (void)time_format(at, day);
    struct str source = machine_source_name(x->machine, r->source);
    bool beancount = x->format == LEDGER_BEANCOUNT;
    buf_fmt(&x->out, beancount ? "\n%.10s * \"" : "\n%.10s * (", day);
    if (!beancount)
        buf_fmt(&x->out, "%.*s#%llu) ", STRF(source), (unsigned long long)r->number);
    add_part(&x->out, party);
    if (beancount)
        buf_fmt(&x->out, "\" \"%.*s#%llu", STRF(source), (unsigned long long)r->number);
    buf_fmt(&x->out, ": event %llu, code %u%s\n", (unsigned long long)r->event, r->code,
            beancount ? "\"" : "");
}

/* The chain that ends with r. */
static enum rc write_chain(struct exporter *x, const struct record *r, time_us at, struct err *err)
{
    size_t count = add_up(x->legs, x->legs_count);
    x->legs_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct account a = machine_see_account(x->machine, x->legs[i].account);
        const struct currency *currency = currency_find(a.currency);
        char amount[AMOUNT_TEXT_MAX];
        ASSERT(currency != NULL);
        if (i == 0 || x->legs[i].book != x->legs[i - 1].book)
            add_head(x, r, at, a.party);
        buf_add(&x->out, STR("    "));
        add_name(&x->out, &a);
        (void)amount_format(x->legs[i].amount, currency, amount);
        buf_fmt(&x->out, "  %s %.*s\n", amount, STRF(a.currency));
        TRY(make_room(x, err));
    }
    return RC_OK;
}

static void add_leg(struct exporter *x, account_id account, int64_t amount)
{
    ASSERT(x->legs_count < 2 * (size_t)LEDGER_CHAIN_MAX);
    uint32_t book = machine_book_of(x->machine, account);
    x->legs[x->legs_count++] = (struct leg){book, account, amount};
}

static enum rc export_records(struct exporter *x, const struct journal_row *row, struct err *err)
{
    struct record r;
    for (struct str rest = row->body; rest.n > 0; rest = str_sub(rest, record_size(&r), rest.n)) {
        TRY(record_decode(rest, &r, err));
        if (!record_is_transfer(&r) || r.kind == RECORD_EXPIRE)
            continue;
        if (r.kind == RECORD_TRANSFER || r.kind == RECORD_POST) {
            add_leg(x, r.debit, r.amount);
            add_leg(x, r.credit, -r.amount);
        }
        if (!(r.flags & RECORD_LINKED))
            TRY(write_chain(x, &r, row->at, err));
    }
    return RC_OK;
}

static enum rc export_row(struct tx *tx, const struct journal_row *row, void *arg)
{
    struct exporter *x = arg;
    size_t count = 0;
    TRY(journal_follow(&x->head, row, tx->err));
    TRY(journal_apply(x->machine, row, tx->err));
    (void)machine_seal(x->machine, &count);
    machine_end(x->machine);
    TRY(open_accounts(x, tx->err));
    return export_records(x, row, tx->err);
}

static enum rc export_all(struct tx *tx, void *arg)
{
    struct exporter *x = arg;
    if (x->format == LEDGER_HLEDGER)
        buf_add(&x->out, STR("decimal-mark .\n"));
    TRY(journal_each(tx, 0, INT64_MAX, export_row, x));
    return flush(x, tx->err);
}

enum rc ledger_export(struct store *s, enum ledger_format format,
                      enum rc (*write)(void *arg, struct str piece, struct err *err), void *arg,
                      struct err *err)
{
    static const uint64_t seed[2] = {0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B};
    int unusable = sodium_init();
    ASSERT(unusable >= 0);
    struct exporter x = {.format = format, .write = write, .arg = arg};
    x.machine = machine_open(seed);
    journal_head_init(&x.head);
    arena_init(&x.arena, STORE_TX_ARENA_BYTES);
    buf_init(&x.out, &x.arena, PIECE_BYTES);
    x.legs = NEW_N(&x.arena, struct leg, 2 * (size_t)LEDGER_CHAIN_MAX);
    struct arena arena;
    arena_init(&arena, STORE_TX_ARENA_BYTES);
    enum rc rc = store_read(s, &arena, err, export_all, &x);
    arena_fini(&arena);
    arena_fini(&x.arena);
    machine_close(x.machine);
    return rc;
}
