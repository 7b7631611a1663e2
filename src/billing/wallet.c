#include "billing/wallet.h"

#include "channel/reward.h"
#include "money/amount.h"

/* --- rows --- */

#define COLUMNS                                                                             \
    "w.id, w.party, w.client, w.kind, w.reason, w.currency, w.priority, w.amount, w.used, " \
    "w.broken, w.expires, w.created"

static enum wallet_kind kind_of(struct str word)
{
    for (int i = 0; wallet_kinds[i] != NULL; i++)
        if (str_eq(word, str_c(wallet_kinds[i])))
            return (enum wallet_kind)i;
    NEVER("a wallet of no known kind");
}

static struct wallet read_row(struct tx *tx, const struct rows *rows, size_t row)
{
    const struct currency *c = currency_find(row_str(rows, row, 5));
    int64_t amount = row_int(rows, row, 7);
    ASSERT(c != NULL);
    return (struct wallet){
        .set = schema_all(&wallet_schema),
        .id = row_str(rows, row, 0),
        .party = row_str(rows, row, 1),
        .client = row_str(rows, row, 2),
        .kind = kind_of(row_str(rows, row, 3)),
        .reason = row_str(rows, row, 4),
        .currency = str_c(c->code),
        .priority = row_int(rows, row, 6),
        .amount = amount_str(amount, c, tx->arena),
        .left = amount_str(amount - row_int(rows, row, 8) - row_int(rows, row, 9), c, tx->arena),
        .expires = row_int(rows, row, 10),
        .created = row_int(rows, row, 11),
    };
}

enum rc wallet_get(struct tx *tx, struct str id, struct wallet *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM wallet w WHERE w.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no wallet '%.*s'", STRF(id));
    *ret = read_row(tx, &rows, 0);
    return RC_OK;
}

static const struct page_column columns[] = {
    {"id", "w.id", PAGE_TEXT},
    {"priority", "w.priority", PAGE_NUMBER},
    {"created", "w.created", PAGE_NUMBER},
};
static const struct page_table table = {
    .select = "SELECT " COLUMNS " FROM wallet w",
    .id = "w.id",
    .sort = columns,
    .sort_count = COUNT(columns),
    .default_sort = "-id",
};

enum rc wallet_list(struct tx *tx, struct str party, const struct page_query *q, struct page *ret)
{
    struct rows rows;
    struct str next;
    struct page_term side = {"w.party = ?" PAGE_OR "w.client = ?", V(party)};
    TRY(page_rows(tx, &table, q, &side, 1, &rows, &next));
    struct wallet *items = NEW_N(tx->arena, struct wallet, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_row(tx, &rows, i);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

/* --- books --- */

struct mirror {
    struct str here; /* account of the seller's side, "Bank" */
    struct str there;
    enum posting_code code;
};

/* The seller owes the client credit (amount below 0: no more), and the client's book says the
 * same. */
static enum rc book(struct tx *tx, struct ledger *l, const struct wallet *w,
                    const struct currency *currency, const struct mirror *m, int64_t amount)
{
    const char *name = w->kind == WALLET_PREPAID ? "Wallet" : "Promo";
    struct str owed = arena_fmt(tx->arena, "%s:%.*s", name, STRF(w->client));
    struct str held = arena_fmt(tx->arena, "%s:%.*s", name, STRF(w->party));
    struct leg legs[] = {
        {.party = w->party, .debit = m->here, .credit = owed, .amount = amount, .code = m->code},
        {.party = w->client, .debit = held, .credit = m->there, .amount = amount, .code = m->code},
    };
    uint64_t number = 0;
    TRY(posting_number(tx, &number));
    return posting_event(tx, l, STR("billing"), number, currency, legs, COUNT(legs));
}

/* --- making --- */

/* Whether the two have to do with one another: credit is written into the client's book too. */
static enum rc check_client(struct tx *tx, const struct wallet *w)
{
    struct party client;
    struct party seller;
    struct list sold;
    if (str_eq(w->client, w->party))
        return err_set_at(tx->err, RC_INVALID, STR("/client"), "nobody is its own client");
    TRY(party_get(tx, w->party, &seller));
    enum rc rc = party_get(tx, w->client, &client);
    if (rc == RC_OK && (str_eq(client.sponsor, w->party) || str_eq(seller.sponsor, w->client)))
        return RC_OK;
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    TRY(agreement_active(tx, AGREEMENT_SUPPLY, w->party, tx->now, &sold));
    const struct agreement *a = sold.items;
    for (size_t i = 0; i < sold.count; i++)
        if (str_eq(a[i].to, w->client))
            return RC_OK;
    return err_set_at(tx->err, RC_INVALID, STR("/client"), "'%.*s' is no client", STRF(w->client));
}

static enum rc check(struct tx *tx, const struct wallet *w, const struct currency **ret_currency,
                     int64_t *ret_amount)
{
    TRY(check_client(tx, w));
    enum rc rc = currency_parse(w->currency, ret_currency, tx->err);
    if (rc != RC_OK) {
        err_at(tx->err, STR("/currency"));
        return rc;
    }
    rc = amount_parse_one(w->amount, *ret_currency, ret_amount, tx->err);
    if (rc != RC_OK || *ret_amount <= 0) {
        if (rc == RC_OK)
            rc = err_set(tx->err, RC_INVALID, "credit is above 0");
        err_at(tx->err, STR("/amount"));
        return rc;
    }
    if (w->expires != 0 && w->kind == WALLET_PREPAID)
        return err_set_at(tx->err, RC_INVALID, STR("/expires"), "prepaid money does not expire");
    if (w->expires != 0 && w->expires <= tx->now)
        return err_set_at(tx->err, RC_INVALID, STR("/expires"), "that time has passed");
    return RC_OK;
}

/* What was checked: kept and booked. */
static enum rc make(struct tx *tx, struct ledger *l, const struct wallet *fresh,
                    const struct currency *currency, int64_t amount)
{
    struct wallet w = *fresh;
    struct mirror paid = {STR("Bank"), STR("Bank"), POSTING_PREPAID};
    struct mirror given = {STR("Marketing:Referral"), STR("Income:Reward"), POSTING_REWARD};
    TRY(sql_run(tx,
                "INSERT INTO wallet (id, party, client, kind, reason, currency, priority, amount, "
                "used, broken, expires, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, "
                "$10)",
                V(w.id), V(w.party), V(w.client), V(wallet_kinds[w.kind]), value_opt(w.reason),
                V(w.currency), V(w.priority), V(amount), V(w.expires), V(tx->now)));
    return book(tx, l, &w, currency, w.kind == WALLET_PREPAID ? &paid : &given, amount);
}

enum rc wallet_create(struct tx *tx, struct ledger *l, struct str party, const struct wallet *fresh,
                      struct wallet *ret)
{
    struct wallet w = *fresh;
    const struct currency *currency = NULL;
    int64_t amount = 0;
    w.party = party;
    w.id = id_new(tx->ids, tx->arena, "wal");
    TRY(check(tx, &w, &currency, &amount));
    TRY(make(tx, l, &w, currency, amount));
    return wallet_get(tx, w.id, ret);
}

/* --- rewards --- */

static enum rc grant(struct tx *tx, struct ledger *l, const struct reward *r, struct str client,
                     struct str text)
{
    const struct currency *currency = NULL;
    int64_t amount = 0;
    struct wallet w = {
        .party = r->party,
        .client = client,
        .kind = WALLET_PROMO,
        .reason = STR("invitation"),
        .currency = r->currency,
        .expires = r->expires_days > 0 ? tx->now + r->expires_days * US_PER_DAY : 0,
    };
    TRY(currency_parse(r->currency, &currency, tx->err));
    TRY(amount_parse(text, currency, &amount, tx->err));
    if (amount == 0 || str_eq(client, r->party))
        return RC_OK;
    w.id = id_new(tx->ids, tx->arena, "wal");
    return make(tx, l, &w, currency, amount);
}

/* The inviter's own promise, or that of its sponsor. */
static enum rc find_promise(struct tx *tx, const struct party *inviter, struct reward *ret)
{
    enum rc rc = reward_at(tx, inviter->id, tx->now, ret);
    if (rc != RC_NOT_FOUND || inviter->sponsor.n == 0)
        return rc;
    err_clear(tx->err);
    return reward_at(tx, inviter->sponsor, tx->now, ret);
}

enum rc wallet_reward(struct tx *tx, struct ledger *l, const struct party *founded)
{
    struct party inviter;
    struct reward r;
    ASSERT(founded->sponsor.n > 0);
    TRY(party_get(tx, founded->sponsor, &inviter));
    enum rc rc = find_promise(tx, &inviter, &r);
    if (rc == RC_NOT_FOUND) {
        err_clear(tx->err);
        return RC_OK;
    }
    TRY(rc);
    TRY(grant(tx, l, &r, inviter.id, r.inviter_amount));
    return grant(tx, l, &r, founded->id, r.invitee_amount);
}

/* --- using --- */

enum rc wallet_take(struct tx *tx, struct str party, struct str client,
                    const struct currency *currency, int64_t amount, int64_t *ret_taken,
                    int64_t *ret_promo)
{
    struct rows rows;
    int64_t taken = 0;
    int64_t promo = 0;
    TRY(sql_rows(tx, &rows,
                 "SELECT id, amount - used - broken, kind FROM wallet WHERE party = $1 AND "
                 "client = $2 AND currency = $3 AND used + broken < amount AND (expires = 0 OR "
                 "expires > $4) ORDER BY priority, CASE WHEN expires = 0 THEN 1 ELSE 0 END, "
                 "expires, id LIMIT $5",
                 V(party), V(client), V(currency->code), V(tx->now), V(PAGE_LIMIT_MAX)));
    for (size_t i = 0; i < rows.count && taken < amount; i++) {
        int64_t part = min_i64(row_int(&rows, i, 1), amount - taken);
        TRY(sql_run(tx, "UPDATE wallet SET used = used + $2 WHERE id = $1", V(row_str(&rows, i, 0)),
                    V(part)));
        taken += part;
        promo += kind_of(row_str(&rows, i, 2)) == WALLET_PROMO ? part : 0;
    }
    *ret_taken = taken;
    *ret_promo = promo;
    return RC_OK;
}

static enum rc break_one(struct tx *tx, struct ledger *l, const struct wallet *w)
{
    const struct currency *currency = NULL;
    struct mirror gone = {STR("Income:Breakage"), STR("Expense:Breakage"), POSTING_BREAKAGE};
    int64_t left = 0;
    TRY(currency_parse(w->currency, &currency, tx->err));
    TRY(amount_parse(w->left, currency, &left, tx->err));
    TRY(sql_run(tx, "UPDATE wallet SET broken = broken + $2 WHERE id = $1", V(w->id), V(left)));
    return book(tx, l, w, currency, &gone, -left);
}

enum rc wallet_break(struct tx *tx, struct ledger *l, int64_t limit, bool *ret_done)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM wallet w WHERE w.expires > 0 AND w.expires <= $1 AND "
                 "w.used + w.broken < w.amount ORDER BY w.expires, w.id LIMIT $2",
                 V(tx->now), V(limit)));
    for (size_t i = 0; i < rows.count; i++) {
        struct wallet w = read_row(tx, &rows, i);
        TRY(break_one(tx, l, &w));
    }
    *ret_done = (int64_t)rows.count < limit;
    return RC_OK;
}
