/* Discounts that a seller gives: see wallet.h. */
#include "billing/wallet.h"
#include "channel/percent.h"
#include "money/amount.h"
#include "money/price.h"
#include "money/round.h"
#include "party/party.h"

#define COLUMNS                                                                               \
    "c.id, c.party, c.code, c.client, c.item, c.currency, c.percent_ppm, c.amount, c.times, " \
    "c.times_left, c.expires, c.created"
enum { PERCENT_SCALE = 4 };

static struct str percent_text(struct tx *tx, int64_t ppm)
{
    struct price p = {ppm, PERCENT_SCALE};
    char text[PRICE_TEXT_MAX];
    while (p.scale > 0 && p.mantissa % 10 == 0) {
        p.mantissa /= 10;
        p.scale--;
    }
    return arena_str(tx->arena, str_n(text, price_format(p, text)));
}

static struct coupon read_row(struct tx *tx, const struct rows *rows, size_t row)
{
    const struct currency *currency = currency_find(row_str(rows, row, 5));
    int64_t ppm = row_int(rows, row, 6);
    struct coupon c = {
        .set = schema_all(&coupon_schema),
        .id = row_str(rows, row, 0),
        .party = row_str(rows, row, 1),
        .code = row_str(rows, row, 2),
        .client = row_str(rows, row, 3),
        .item = row_str(rows, row, 4),
        .currency = row_str(rows, row, 5),
        .times = row_int(rows, row, 8),
        .left = max_i64(row_int(rows, row, 9), 0),
        .expires = row_int(rows, row, 10),
        .created = row_int(rows, row, 11),
    };
    if (ppm > 0)
        c.percent = percent_text(tx, ppm);
    else
        c.amount = amount_str(row_int(rows, row, 7), currency, tx->arena);
    return c;
}

enum rc coupon_get(struct tx *tx, struct str id, struct coupon *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM coupon c WHERE c.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no coupon '%.*s'", STRF(id));
    *ret = read_row(tx, &rows, 0);
    return RC_OK;
}

static const struct page_column columns[] = {
    {"id", "c.id", PAGE_TEXT},
    {"code", "c.code", PAGE_TEXT},
    {"created", "c.created", PAGE_NUMBER},
};
static const struct page_table table = {
    .select = "SELECT " COLUMNS " FROM coupon c",
    .id = "c.id",
    .sort = columns,
    .sort_count = COUNT(columns),
    .default_sort = "-id",
};

enum rc coupon_list(struct tx *tx, struct str party, const struct page_query *q, struct page *ret)
{
    struct rows rows;
    struct str next;
    struct page_term owner = {"c.party = ?", V(party)};
    TRY(page_rows(tx, &table, q, &owner, 1, &rows, &next));
    struct coupon *items = NEW_N(tx->arena, struct coupon, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_row(tx, &rows, i);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

/* --- making --- */

static enum rc check_value(struct tx *tx, const struct coupon *c, int64_t *ret_ppm,
                           int64_t *ret_amount)
{
    const struct currency *currency = NULL;
    const char *blame = c->percent.n > 0 ? "/percent" : "/amount";
    enum rc rc = RC_OK;
    if ((c->percent.n > 0) == (c->amount.n > 0))
        return err_set_at(tx->err, RC_INVALID, STR("/percent"),
                          "a coupon has a percentage or an amount");
    if (c->amount.n > 0 && c->currency.n == 0)
        return err_set_at(tx->err, RC_INVALID, STR("/currency"), "of an amount it is needed");
    if (c->currency.n > 0 && (rc = currency_parse(c->currency, &currency, tx->err)) != RC_OK) {
        err_at(tx->err, STR("/currency"));
        return rc;
    }
    if (c->percent.n > 0)
        rc = percent_parse(c->percent, PERCENT_HUNDRED_PPM, ret_ppm, tx->err);
    else
        rc = amount_parse_one(c->amount, currency, ret_amount, tx->err);
    if (rc == RC_OK && *ret_ppm + *ret_amount <= 0)
        rc = err_set(tx->err, RC_INVALID, "a discount is above 0");
    if (rc != RC_OK)
        err_at(tx->err, str_c(blame));
    return rc;
}

static enum rc check_code(struct tx *tx, struct str party, const struct coupon *c)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT id FROM coupon WHERE party = $1 AND code = $2", V(party),
                 V(c->code)));
    if (rows.count > 0)
        return err_set(tx->err, RC_CONFLICT, "there is a coupon '%.*s' already", STRF(c->code));
    if (c->expires != 0 && c->expires <= tx->now)
        return err_set_at(tx->err, RC_INVALID, STR("/expires"), "that time has passed");
    return RC_OK;
}

enum rc coupon_create(struct tx *tx, struct str party, const struct coupon *fresh,
                      struct coupon *ret)
{
    int64_t ppm = 0;
    int64_t amount = 0;
    struct str id = id_new(tx->ids, tx->arena, "cou");
    TRY(check_code(tx, party, fresh));
    TRY(check_value(tx, fresh, &ppm, &amount));
    TRY(sql_run(tx,
                "INSERT INTO coupon (id, party, code, client, item, currency, percent_ppm, amount, "
                "times, times_left, expires, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
                "$10, $11, $12)",
                V(id), V(party), V(fresh->code), V(fresh->client), V(fresh->item),
                V(fresh->currency), V(ppm), V(amount), V(fresh->times),
                V(fresh->times > 0 ? fresh->times : INT64_C(-1)), V(fresh->expires), V(tx->now)));
    return coupon_get(tx, id, ret);
}

/* --- using --- */

enum rc coupon_find(struct tx *tx, struct str party, struct str client,
                    const struct currency *currency, struct coupon_set *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id, item, percent_ppm, amount FROM coupon WHERE party = $1 AND "
                 "client IN ('', $2) AND times_left <> 0 AND (expires = 0 OR expires > $3) AND "
                 "currency IN ('', $4) ORDER BY id LIMIT $5",
                 V(party), V(client), V(tx->now), V(currency->code), V(COUPONS_MAX)));
    *ret = (struct coupon_set){.count = rows.count};
    for (size_t i = 0; i < rows.count; i++)
        ret->coupons[i] = (struct coupon_use){.id = row_str(&rows, i, 0),
                                              .item = row_str(&rows, i, 1),
                                              .percent_ppm = row_int(&rows, i, 2),
                                              .left = row_int(&rows, i, 3)};
    return RC_OK;
}

int64_t coupon_apply(struct coupon_set *coupons, struct str item, int64_t amount)
{
    int64_t left = amount;
    ASSERT(amount >= 0);
    for (size_t i = 0; i < coupons->count && left > 0; i++) {
        struct coupon_use *c = &coupons->coupons[i];
        int64_t part = c->percent_ppm > 0 ? (int64_t)round_div((__int128)left * c->percent_ppm,
                                                               PERCENT_HUNDRED_PPM)
                                          : min_i64(left, c->left);
        if (part == 0 || (c->item.n > 0 && !str_eq(c->item, item)))
            continue;
        if (c->percent_ppm == 0)
            c->left -= part;
        c->used = true;
        left -= part;
    }
    return amount - left;
}

enum rc coupon_used(struct tx *tx, const struct coupon_set *coupons)
{
    for (size_t i = 0; i < coupons->count; i++)
        if (coupons->coupons[i].used)
            TRY(sql_run(tx,
                        "UPDATE coupon SET times_left = times_left - 1 WHERE id = $1 AND "
                        "times_left > 0",
                        V(coupons->coupons[i].id)));
    return RC_OK;
}
