/* What Hanse says, beside what the model says: the first difference ends the program. */
#include "play.h"

#include "billing/document_row.h"
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

static enum rc compare_balances(struct tx *tx, struct play *p)
{
    p->looks++;
    TRY(ledger_accounts(tx, p->l, STR(""), compare_account, p));
    for (size_t i = 0; i < p->m->balance_room; i++) {
        const struct m_balance *b = &p->m->balances[i];
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

/* --- all of it --- */

static enum rc compare_in(struct tx *tx, void *arg)
{
    struct play *p = arg;
    TRY(compare_documents(tx, p));
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
}
