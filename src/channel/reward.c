#include "channel/reward.h"

#include "money/amount.h"
#include "party/event.h"

#define COLUMNS                                                                       \
    "r.id, r.party, r.inviter_amount, r.invitee_amount, r.currency, r.expires_days, " \
    "r.valid_from, r.created"

static struct reward read_row(const struct rows *rows, size_t row)
{
    return (struct reward){
        .set = schema_all(&reward_schema),
        .id = row_str(rows, row, 0),
        .party = row_str(rows, row, 1),
        .inviter_amount = row_str(rows, row, 2),
        .invitee_amount = row_str(rows, row, 3),
        .currency = row_str(rows, row, 4),
        .expires_days = row_int(rows, row, 5),
        .valid_from = row_int(rows, row, 6),
        .created = row_int(rows, row, 7),
    };
}

static const struct page_column sort_columns[] = {
    {"id", "r.id", PAGE_TEXT},
    {"valid_from", "r.valid_from", PAGE_NUMBER},
};
static const struct page_table reward_table = {
    .select = "SELECT " COLUMNS " FROM reward r",
    .id = "r.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc reward_list(struct tx *tx, struct str party, const struct page_query *q, struct page *ret)
{
    struct page_term term = {"r.party = ?", V(party)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &reward_table, q, &term, 1, &rows, &next));
    struct reward *items = NEW_N(tx->arena, struct reward, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_row(&rows, i);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

enum rc reward_at(struct tx *tx, struct str party, time_us at, struct reward *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM reward r WHERE r.party = $1 AND r.valid_from <= $2 "
                 "ORDER BY r.valid_from DESC, r.number DESC LIMIT 1",
                 V(party), V(at)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "'%.*s' promises nothing for invitations",
                       STRF(party));
    *ret = read_row(&rows, 0);
    return RC_OK;
}

static enum rc check_amount(struct str text, const struct currency *c, const char *pointer,
                            struct err *err)
{
    int64_t amount = 0;
    enum rc rc = amount_parse_one(text, c, &amount, err);
    if (rc == RC_OK && amount < 0)
        rc = err_set(err, RC_INVALID, "a reward is not below 0");
    if (rc != RC_OK)
        err_at(err, str_c(pointer));
    return rc;
}

static enum rc check(struct tx *tx, const struct reward *r)
{
    const struct currency *currency = NULL;
    enum rc rc = currency_parse(r->currency, &currency, tx->err);
    if (rc != RC_OK) {
        err_at(tx->err, STR("/currency"));
        return rc;
    }
    TRY(check_amount(r->inviter_amount, currency, "/inviter_amount", tx->err));
    TRY(check_amount(r->invitee_amount, currency, "/invitee_amount", tx->err));
    if (r->valid_from < tx->now)
        return err_set_at(tx->err, RC_INVALID, STR("/valid_from"),
                          "what was promised in the past does not change");
    return RC_OK;
}

enum rc reward_create(struct tx *tx, struct str party, const struct reward *fresh,
                      struct reward *ret)
{
    struct party p;
    struct rows rows;
    struct reward r = *fresh;
    TRY(party_get(tx, party, &p));
    if (r.currency.n == 0)
        r.currency = p.currency;
    if (r.valid_from == 0)
        r.valid_from = tx->now;
    TRY(check(tx, &r));
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(number), 0) FROM reward WHERE party = $1",
                 V(party)));
    r.id = id_new(tx->ids, tx->arena, "rwd");
    r.party = party;
    r.created = tx->now;
    r.set = schema_all(&reward_schema);
    TRY(sql_run(tx,
                "INSERT INTO reward (id, party, number, inviter_amount, invitee_amount, currency, "
                "expires_days, valid_from, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                V(r.id), V(party), V(row_int(&rows, 0, 0) + 1), V(r.inviter_amount),
                V(r.invitee_amount), V(r.currency), V(r.expires_days), V(r.valid_from),
                V(r.created)));
    TRY(event_put(tx, "event.reward.created", party, "reward", r.id, 0, STR("")));
    *ret = r;
    return RC_OK;
}
