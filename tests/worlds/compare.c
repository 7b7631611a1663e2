/* What Hanse says, beside what the model says: the first difference ends the program. */
#include "play.h"

#include "billing/document_row.h"
#include "meter/total.h"
#include "settle/verify.h"

#include <stdio.h>
#include <stdlib.h>

/* --- balances --- */

/* "AR:pty_01..." as "AR:#3". */
static void translate(const struct play *p, struct str code, char *ret)
{
    size_t n = 0;
    for (size_t i = 0; i <= code.n; i++) {
        size_t begin = i;
        while (i < code.n && code.p[i] != ':')
            i++;
        struct str word = str_sub(code, begin, i);
        int party = str_starts(word, STR("pty_")) ? play_party(p, word) : EVERYTHING;
        if (party != EVERYTHING)
            n += (size_t)snprintf(ret + n, KEY_MAX - n, "%s#%d", begin > 0 ? ":" : "", party);
        else
            n += (size_t)snprintf(ret + n, KEY_MAX - n, "%s%.*s", begin > 0 ? ":" : "", STRF(word));
    }
}

static enum rc compare_account(struct tx *tx, const struct account *a, void *arg)
{
    struct play *p = arg;
    char party[KEY_MAX];
    char code[KEY_MAX];
    char key[2 * KEY_MAX + 8];
    (void)tx;
    translate(p, a->party, party);
    translate(p, a->code, code);
    (void)snprintf(key, sizeof key, "%s %.*s %s", party, STRF(a->currency), code);
    struct m_balance *wanted = model_balance(p->m, key);
    int64_t got = a->balance.debits - a->balance.credits;
    int64_t want = wanted != NULL ? wanted->amount : 0;
    if (wanted != NULL)
        wanted->looked_at = p->looks;
    if (got != want)
        play_fail(p, "account %s: wanted %lld, got %lld", key, (long long)want, (long long)got);
    return RC_OK;
}

/* What A owes B in its book is what B is owed in its own. */
static void compare_mirror(const struct play *p, const struct m_balance *b)
{
    char debtor[KEY_MAX];
    char currency[8];
    char code[KEY_MAX];
    char key[3 * KEY_MAX];
    if (sscanf(b->key, "%95s %7s %95s", debtor, currency, code) != 3 ||
        strncmp(code, "AP:", 3) != 0)
        return;
    (void)snprintf(key, sizeof key, "%s %s AR:%s", code + 3, currency, debtor);
    const struct m_balance *other = model_balance(p->m, key);
    int64_t owed = other != NULL ? other->amount : 0;
    if (b->amount + owed != 0)
        play_fail(p, "%s is %lld, and %s is %lld", b->key, (long long)b->amount, key,
                  (long long)owed);
}

static enum rc compare_balances(struct tx *tx, struct play *p)
{
    p->looks++;
    TRY(ledger_accounts(tx, p->l, STR(""), compare_account, p));
    for (size_t i = 0; i < p->m->balance_room; i++) {
        const struct m_balance *b = &p->m->balances[i];
        compare_mirror(p, b);
        if (b->amount != 0 && b->looked_at != p->looks)
            play_fail(p, "account %s: wanted %lld, but there is none", b->key,
                      (long long)b->amount);
    }
    return RC_OK;
}

/* --- documents --- */

static void compare_number(const struct play *p, size_t doc, const char *what, int64_t want,
                           int64_t got)
{
    const struct m_doc *d = &p->m->docs[doc];
    if (want != got)
        play_fail(p, "document %zu (%d, #%d to #%d, month %d), %s: wanted %lld, got %lld", doc + 1,
                  d->code, d->from, d->to, d->close, what, (long long)want, (long long)got);
}

struct documents {
    struct play *p;
    size_t count;
};

static enum rc compare_document(struct tx *tx, const struct document_row *row, void *arg)
{
    struct documents *c = arg;
    struct play *p = c->p;
    (void)tx;
    if (row->number == 0)
        return RC_OK;
    if (c->count == p->m->doc_count)
        play_fail(p, "document %zu: a %d of %lld from #%d to #%d that nobody wanted", c->count + 1,
                  (int)row->code, (long long)row->gross, play_party(p, row->issuer),
                  play_party(p, row->recipient));
    size_t i = c->count++;
    struct m_doc *d = &p->m->docs[i];
    compare_number(p, i, "issuer", d->from, play_party(p, row->issuer));
    compare_number(p, i, "recipient", d->to, play_party(p, row->recipient));
    compare_number(p, i, "kind", d->code, (int64_t)row->code);
    compare_number(p, i, "net", d->net, row->net);
    compare_number(p, i, "tax", d->tax, row->tax);
    compare_number(p, i, "gross", d->gross, row->gross);
    compare_number(p, i, "prepaid", d->prepaid, row->prepaid);
    compare_number(p, i, "promotional credit", d->promo, row->promo);
    compare_number(p, i, "paid", d->paid, row->paid);
    compare_number(p, i, "credited", d->credited, row->credited);
    memcpy(d->id, row->id.p, row->id.n);
    d->id[row->id.n] = '\0';
    return RC_OK;
}

static enum rc compare_documents(struct tx *tx, struct play *p)
{
    struct documents c = {.p = p};
    TRY(document_row_each(tx, 0, INT64_MAX, compare_document, &c));
    if (c.count < p->m->doc_count) {
        const struct m_doc *d = &p->m->docs[c.count];
        play_fail(p, "document %zu: wanted a %d of %lld from #%d to #%d, but there is none",
                  c.count + 1, d->code, (long long)d->gross, d->from, d->to);
    }
    return RC_OK;
}

/* --- shares --- */

static int agreement_of(const struct play *p, struct str id)
{
    for (size_t i = 0; i < p->w->agreement_count; i++)
        if (str_eq(id, str_c(p->w->agreements[i].id)))
            return (int)i;
    return EVERYTHING;
}

static int book_of(const struct play *p, struct str party)
{
    return str_eq(party, STR("Clearing")) ? CLEARING : play_party(p, party);
}

static void compare_share_number(const struct play *p, size_t share, const char *what, int64_t want,
                                 int64_t got)
{
    const struct m_share *s = &p->m->shares[share];
    if (want != got)
        play_fail(p,
                  "share %zu (#%d owes #%d, agreement %d rule %d, document %d, month %d), %s: "
                  "wanted %lld, got %lld",
                  share + 1, s->payer, s->payee, s->agreement, s->rule, s->doc + 1, s->close, what,
                  (long long)want, (long long)got);
}

static enum rc compare_shares(struct tx *tx, struct play *p)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT COALESCE(agreement, ''), rule, payer, payee, document, amount, voided, "
                 "earned, settled, base FROM share ORDER BY no"));
    for (size_t i = 0; i < rows.count && i < p->m->share_count; i++) {
        const struct m_share *s = &p->m->shares[i];
        compare_share_number(p, i, "payer", s->payer, book_of(p, row_str(&rows, i, 2)));
        compare_share_number(p, i, "payee", s->payee, book_of(p, row_str(&rows, i, 3)));
        compare_share_number(p, i, "agreement", s->agreement,
                             agreement_of(p, row_str(&rows, i, 0)));
        compare_share_number(p, i, "rule", s->rule, row_int(&rows, i, 1));
        compare_share_number(p, i, "base", s->base, row_int(&rows, i, 9));
        compare_share_number(p, i, "amount", s->amount, row_int(&rows, i, 5));
        compare_share_number(p, i, "voided", s->voided, row_int(&rows, i, 6));
        compare_share_number(p, i, "earned", s->earned, row_int(&rows, i, 7));
        compare_share_number(p, i, "settled", s->settled, row_int(&rows, i, 8));
    }
    if (rows.count != p->m->share_count)
        play_fail(p, "wanted %zu shares, got %zu", p->m->share_count, rows.count);
    return RC_OK;
}

static enum rc compare_statements(struct tx *tx, struct play *p)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT payer, payee, period, earned, clawed_back, payable FROM statement "
                 "ORDER BY no"));
    for (size_t i = 0; i < rows.count && i < p->m->statement_count; i++) {
        const struct m_statement *s = &p->m->statements[i];
        bool same = s->payer == book_of(p, row_str(&rows, i, 0)) &&
                    s->payee == book_of(p, row_str(&rows, i, 1)) &&
                    str_eq(row_str(&rows, i, 2), str_c(s->period)) &&
                    s->earned == row_int(&rows, i, 3) && s->back == row_int(&rows, i, 4) &&
                    s->payable == row_int(&rows, i, 5);
        if (!same)
            play_fail(p,
                      "statement %zu: wanted #%d owes #%d in %s: earned %lld, taken back %lld, "
                      "payable %lld; got #%d owes #%d in %.*s: %lld, %lld, %lld",
                      i + 1, s->payer, s->payee, s->period, (long long)s->earned,
                      (long long)s->back, (long long)s->payable, book_of(p, row_str(&rows, i, 0)),
                      book_of(p, row_str(&rows, i, 1)), STRF(row_str(&rows, i, 2)),
                      (long long)row_int(&rows, i, 3), (long long)row_int(&rows, i, 4),
                      (long long)row_int(&rows, i, 5));
    }
    if (rows.count != p->m->statement_count)
        play_fail(p, "wanted %zu statements, got %zu", p->m->statement_count, rows.count);
    return RC_OK;
}

static enum rc compare_payouts(struct tx *tx, struct play *p)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT id, payee, amount, state FROM payout ORDER BY no"));
    for (size_t i = 0; i < rows.count && i < p->m->payout_count; i++) {
        struct m_payout *o = &p->m->payouts[i];
        struct str id = row_str(&rows, i, 0);
        if (o->payee != play_party(p, row_str(&rows, i, 1)) || o->amount != row_int(&rows, i, 2))
            play_fail(p, "payout %zu: wanted %lld to #%d, got %lld to #%d", i + 1,
                      (long long)o->amount, o->payee, (long long)row_int(&rows, i, 2),
                      play_party(p, row_str(&rows, i, 1)));
        static const char *const states[] = {"pending", "sent", "confirmed", "returned", "void"};
        if (!str_eq(row_str(&rows, i, 3), str_c(states[o->state])))
            play_fail(p, "payout %zu: wanted %s, got %.*s", i + 1, states[o->state],
                      STRF(row_str(&rows, i, 3)));
        memcpy(o->id, id.p, id.n);
        o->id[id.n] = '\0';
    }
    if (rows.count != p->m->payout_count)
        play_fail(p, "wanted %zu payouts, got %zu", p->m->payout_count, rows.count);
    return RC_OK;
}

/* --- credit and capital --- */

static const struct w_wallet *wallet_of(const struct play *p, struct str id, size_t *ret_at)
{
    for (size_t i = 0; i < p->w->wallet_count; i++) {
        *ret_at = i;
        if (str_eq(id, str_c(p->w->wallets[i].id)))
            return &p->w->wallets[i];
    }
    return NULL;
}

static enum rc compare_wallets(struct tx *tx, struct play *p)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id, party, client, amount, amount - used - broken, expires FROM wallet "
                 "ORDER BY id"));
    for (size_t i = 0; i < rows.count; i++) {
        size_t at = 0;
        const struct w_wallet *w = wallet_of(p, row_str(&rows, i, 0), &at);
        bool same = w != NULL && w->party == play_party(p, row_str(&rows, i, 1)) &&
                    w->client == play_party(p, row_str(&rows, i, 2)) &&
                    w->amount == row_int(&rows, i, 3) && p->m->left[at] == row_int(&rows, i, 4) &&
                    w->expires == row_int(&rows, i, 5);
        if (!same)
            play_fail(p, "wallet %.*s of #%d for #%d: nobody wanted %lld, %lld left",
                      STRF(row_str(&rows, i, 0)), play_party(p, row_str(&rows, i, 1)),
                      play_party(p, row_str(&rows, i, 2)), (long long)row_int(&rows, i, 3),
                      (long long)row_int(&rows, i, 4));
    }
    if (rows.count != p->w->wallet_count)
        play_fail(p, "wanted %zu wallets, got %zu", p->w->wallet_count, rows.count);
    return RC_OK;
}

static enum rc compare_financings(struct tx *tx, struct play *p)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT received, COALESCE(lost, 0) FROM financing ORDER BY no"));
    for (size_t i = 0; i < rows.count && i < p->m->stake_count; i++) {
        const struct m_stake *s = &p->m->stakes[i];
        if (row_int(&rows, i, 0) != s->received || row_int(&rows, i, 1) != s->lost)
            play_fail(p, "financing %zu: wanted %lld back and %lld lost, got %lld and %lld", i + 1,
                      (long long)s->received, (long long)s->lost, (long long)row_int(&rows, i, 0),
                      (long long)row_int(&rows, i, 1));
    }
    if (rows.count != p->m->stake_count)
        play_fail(p, "wanted %zu financings, got %zu", p->m->stake_count, rows.count);
    return RC_OK;
}

/* --- all of it --- */

static enum rc compare_in(struct tx *tx, void *arg)
{
    struct play *p = arg;
    TRY(compare_documents(tx, p));
    TRY(compare_shares(tx, p));
    TRY(compare_statements(tx, p));
    TRY(compare_payouts(tx, p));
    TRY(compare_wallets(tx, p));
    TRY(compare_financings(tx, p));
    return compare_balances(tx, p);
}

void play_compare(struct play *p)
{
    arena_reset(&p->f.arena);
    if (fixture_read(&p->f, compare_in, p) != RC_OK)
        play_fail(p, "cannot be compared: %s", p->f.err.text);
}

static enum rc verify_in(struct tx *tx, void *arg)
{
    struct play *p = arg;
    struct settle_report report;
    return settle_verify(tx, p->l, &report);
}

/* Numbers of an issuer's series begin with 1 each year and have no gaps. */
static enum rc compare_numbers(struct tx *tx, void *arg)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT issuer, series, year, COUNT(*), MIN(number), MAX(number), "
                 "COUNT(DISTINCT number) FROM document WHERE number > 0 "
                 "GROUP BY issuer, series, year ORDER BY issuer, series, year"));
    for (size_t i = 0; i < rows.count; i++)
        if (row_int(&rows, i, 4) != 1 || row_int(&rows, i, 5) != row_int(&rows, i, 3) ||
            row_int(&rows, i, 6) != row_int(&rows, i, 3))
            play_fail(arg, "numbers of #%d in %lld have gaps: %lld documents, %lld to %lld",
                      play_party(arg, row_str(&rows, i, 0)), (long long)row_int(&rows, i, 2),
                      (long long)row_int(&rows, i, 3), (long long)row_int(&rows, i, 4),
                      (long long)row_int(&rows, i, 5));
    return RC_OK;
}

void play_verify(struct play *p)
{
    int64_t checked = 0;
    struct ledger_report report;
    arena_reset(&p->f.arena);
    err_clear(&p->f.err);
    if (ledger_verify(p->f.store, &p->f.arena, &report, &p->f.err) != RC_OK)
        play_fail(p, "ledger_verify: %s", p->f.err.text);
    if (document_verify(p->f.store, &p->f.arena, &checked, &p->f.err) != RC_OK)
        play_fail(p, "document_verify: %s", p->f.err.text);
    if (fixture_read(&p->f, verify_in, p) != RC_OK)
        play_fail(p, "settle_verify: %s", p->f.err.text);
    if (total_verify(p->f.store, &p->f.arena, &checked, &p->f.err) != RC_OK)
        play_fail(p, "total_verify: %s", p->f.err.text);
    if (fixture_read(&p->f, compare_numbers, p) != RC_OK)
        play_fail(p, "numbers: %s", p->f.err.text);
    p->looks++;
    arena_reset(&p->f.arena);
    if (ledger_replay(p->f.store, &p->f.arena, INT64_MAX, compare_account, p, &p->f.err) != RC_OK)
        play_fail(p, "ledger_replay: %s", p->f.err.text);
}
