#include "billing/book_view.h"

#include "base/map.h"
#include "money/amount.h"

enum { KNOWN_MAX = 10000, KEY_MAX = 16 };

static int64_t limit_of(const struct page_query *q)
{
    return q->limit > 0 ? q->limit : PAGE_LIMIT_DEFAULT;
}

/* A walk over the ledger stops by a failure of its own: full says that it is none. */
static enum rc stop(struct tx *tx, bool *full)
{
    *full = true;
    return err_set(tx->err, RC_CONFLICT, "the page is full");
}

static enum rc stopped(struct tx *tx, enum rc rc, const bool *full)
{
    if (*full)
        err_clear(tx->err);
    return *full ? RC_OK : rc;
}

/* --- accounts --- */

struct listing {
    const struct book_query *q;
    struct book_account *items;
    size_t count;
    size_t room;
    int64_t after;
    int64_t last;
    bool full;
};

static struct book_account show_account(struct tx *tx, const struct account *a,
                                        const struct currency *c)
{
    const struct balance *b = &a->balance;
    struct arena *arena = tx->arena;
    return (struct book_account){
        .set = schema_all(&book_account_schema),
        .account = arena_str(arena, a->code),
        .currency = str_c(c->code),
        .debits = amount_str(b->debits, c, arena),
        .credits = amount_str(b->credits, c, arena),
        .balance = amount_str(b->debits - b->credits, c, arena),
        .reserved_debits = amount_str(b->debits_pending, c, arena),
        .reserved_credits = amount_str(b->credits_pending, c, arena),
        .closed = (a->flags & ACCOUNT_CLOSED) != 0,
    };
}

static bool moved(const struct balance *b)
{
    return (b->debits | b->credits | b->debits_pending | b->credits_pending) != 0;
}

static enum rc add_account(struct tx *tx, const struct account *a, void *arg)
{
    struct listing *list = arg;
    const struct currency *c = currency_find(a->currency);
    if ((int64_t)a->id <= list->after || c == NULL || !str_starts(a->code, list->q->account) ||
        (list->q->currency.n > 0 && !str_eq(a->currency, list->q->currency)) ||
        (list->q->at != 0 && !moved(&a->balance)))
        return RC_OK;
    if (list->count == list->room)
        return stop(tx, &list->full);
    list->items[list->count++] = show_account(tx, a, c);
    list->last = a->id;
    return RC_OK;
}

enum rc book_list(struct tx *tx, struct ledger *l, struct str party, const struct book_query *q,
                  struct page *ret)
{
    struct listing list = {.q = q, .room = (size_t)limit_of(&q->page)};
    if (q->page.after.n > 0 && !str_to_i64(q->page.after, 0, INT64_MAX, &list.after))
        return err_set_at(tx->err, RC_INVALID, STR("/after"), "this is no cursor of accounts");
    list.items = NEW_N(tx->arena, struct book_account, list.room);
    enum rc rc = q->at != 0 ? ledger_accounts_at(tx, l, party, q->at, add_account, &list)
                            : ledger_accounts(tx, l, party, add_account, &list);
    TRY(stopped(tx, rc, &list.full));
    *ret = (struct page){{list.items, list.count}, STR("")};
    if (list.full)
        ret->next = arena_fmt(tx->arena, "%lld", (long long)list.last);
    return RC_OK;
}

/* --- transfers --- */

/* The cursor: the time of the last one shown, and how many of that time were. */
struct walk {
    struct ledger *l;
    struct str party;
    const struct book_transfer_query *q;
    struct map known; /* accounts by id, so that each is looked up once */
    struct book_transfer *items;
    size_t count;
    size_t room;
    time_us at;   /* of the last one met */
    int64_t met;  /* of that time */
    int64_t skip; /* of the time `from` */
    time_us from;
    bool full;
};

static enum rc account_of(struct tx *tx, struct walk *w, account_id id, const struct account **ret)
{
    char key[KEY_MAX];
    int n = snprintf(key, sizeof key, "%u", id);
    const struct account *found = map_get(&w->known, str_n(key, (size_t)n));
    if (found == NULL) {
        struct account *fresh = NEW(tx->arena, struct account);
        TRY(ledger_account_get(tx, w->l, id, fresh));
        if (w->known.count < KNOWN_MAX)
            (void)map_put(&w->known, arena_str(tx->arena, str_n(key, (size_t)n)), fresh);
        found = fresh;
    }
    *ret = found;
    return RC_OK;
}

static const char *state_word(const struct transfer *t)
{
    if (t->flags & (TRANSFER_VOID | TRANSFER_EXPIRED))
        return "released";
    return t->flags & TRANSFER_PENDING ? "reserved" : "posted";
}

static enum rc show_transfer(struct tx *tx, struct walk *w, const struct transfer *t,
                             const struct account *debit, const struct account *credit)
{
    const struct currency *c = currency_find(debit->currency);
    if (c == NULL)
        return err_set(tx->err, RC_INTERNAL, "a book is in no currency that is known");
    w->items[w->count++] = (struct book_transfer){
        .set = schema_all(&book_transfer_schema),
        .at = w->at,
        .kind = str_c(posting_words[t->code <= POSTING_FINANCING ? t->code : 0]),
        .debit = debit->code,
        .credit = credit->code,
        .amount = amount_str(t->amount, c, tx->arena),
        .currency = str_c(c->code),
        .event = (int64_t)t->event,
        .state = str_c(state_word(t)),
    };
    return RC_OK;
}

static enum rc meet_transfer(struct tx *tx, const struct transfer *t, time_us at, void *arg)
{
    struct walk *w = arg;
    const struct account *debit = NULL;
    const struct account *credit = NULL;
    TRY(account_of(tx, w, t->debit, &debit));
    if (!str_eq(debit->party, w->party) ||
        (w->q->currency.n > 0 && !str_eq(debit->currency, w->q->currency)))
        return RC_OK;
    if (at == w->from && w->skip > 0) {
        w->skip--;
        return RC_OK;
    }
    if (w->count == w->room)
        return stop(tx, &w->full);
    TRY(account_of(tx, w, t->credit, &credit));
    w->met = at == w->at ? w->met + 1 : 1;
    w->at = at;
    return show_transfer(tx, w, t, debit, credit);
}

/* since and until, and the cursor that goes before since. */
static enum rc read_times(struct tx *tx, struct walk *w, time_us *ret_since, time_us *ret_until)
{
    const struct book_transfer_query *q = w->q;
    time_us until = q->until != 0 ? q->until : tx->now + 1;
    time_us since = q->since != 0 ? q->since : until - BOOK_DAYS * US_PER_DAY;
    struct str rest = q->page.after;
    if (since > until || until - since > BOOK_DAYS_MAX * US_PER_DAY)
        return err_set_at(tx->err, RC_INVALID, STR("since"), "0 to %d days up to until were wanted",
                          BOOK_DAYS_MAX);
    if (rest.n > 0 && (!str_to_i64(str_cut(&rest, '.'), 0, INT64_MAX, &w->from) ||
                       !str_to_i64(rest, 0, INT64_MAX, &w->skip)))
        return err_set_at(tx->err, RC_INVALID, STR("/after"), "this is no cursor of transfers");
    w->at = w->from;
    w->met = w->skip;
    *ret_since = max_i64(since, w->from);
    *ret_until = until;
    return RC_OK;
}

enum rc book_transfers(struct tx *tx, struct ledger *l, struct str party,
                       const struct book_transfer_query *q, struct page *ret)
{
    static const uint64_t seed[2] = {1, 2}; /* the keys are the ledger's own numbers */
    struct walk w = {.l = l, .party = party, .q = q, .room = (size_t)limit_of(&q->page)};
    account_id account = 0;
    time_us since = 0;
    time_us until = 0;
    map_init(&w.known, tx->arena, seed);
    TRY(read_times(tx, &w, &since, &until));
    if (q->account.n > 0 && q->currency.n == 0)
        return err_set_at(tx->err, RC_INVALID, STR("currency"),
                          "an account needs the currency of its book");
    if (q->account.n > 0)
        TRY(ledger_find(tx, l, party, q->currency, q->account, &account));
    w.items = NEW_N(tx->arena, struct book_transfer, w.room);
    TRY(stopped(tx, ledger_transfers(tx, l, account, since, until, meet_transfer, &w), &w.full));
    *ret = (struct page){{w.items, w.count}, STR("")};
    if (w.full)
        ret->next = arena_fmt(tx->arena, "%lld.%lld", (long long)w.at, (long long)w.met);
    return RC_OK;
}
