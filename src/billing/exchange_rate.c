#include "billing/exchange_rate.h"

#include "base/clock.h"
#include "base/id.h"
#include "party/party.h"

#define COLUMNS                                                                                \
    "e.no, e.id, e.party, e.from_currency, e.to_currency, e.day, e.numerator, e.denominator, " \
    "e.source, e.created"

/* --- rows --- */

static struct exchange_rate read_row(struct tx *tx, const struct rows *rows, size_t row)
{
    char day[DAY_TEXT_MAX];
    const struct exchange x = {.from = currency_find(row_str(rows, row, 3)),
                               .to = currency_find(row_str(rows, row, 4)),
                               .numerator = row_int(rows, row, 6),
                               .denominator = row_int(rows, row, 7)};
    size_t n = day_format(row_int(rows, row, 5), day);
    return (struct exchange_rate){
        .set = schema_all(&exchange_rate_schema),
        .id = row_str(rows, row, 1),
        .party = row_str(rows, row, 2),
        .from = row_str(rows, row, 3),
        .to = row_str(rows, row, 4),
        .rate = exchange_str(&x, tx->arena),
        .date = arena_str(tx->arena, str_n(day, n)),
        .source = row_str(rows, row, 8),
        .created = row_int(rows, row, 9),
    };
}

enum rc exchange_rate_get(struct tx *tx, struct str id, struct exchange_rate *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM exchange_rate e WHERE e.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no exchange rate '%.*s'", STRF(id));
    *ret = read_row(tx, &rows, 0);
    return RC_OK;
}

static const struct page_column columns[] = {{"id", "e.id", PAGE_TEXT},
                                             {"date", "e.day", PAGE_NUMBER},
                                             {"created", "e.created", PAGE_NUMBER}};
static const struct page_table table = {
    .select = "SELECT " COLUMNS " FROM exchange_rate e",
    .id = "e.id",
    .sort = columns,
    .sort_count = COUNT(columns),
    .default_sort = "-id",
};

enum rc exchange_rate_list(struct tx *tx, struct str party, const struct page_query *q,
                           struct page *ret)
{
    struct rows rows;
    struct str next;
    const struct page_term owner = {"e.party = ?", V(party)};
    TRY(page_rows(tx, &table, q, &owner, 1, &rows, &next));
    struct exchange_rate *items = NEW_N(tx->arena, struct exchange_rate, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_row(tx, &rows, i);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

/* --- making --- */

static enum rc check(struct tx *tx, const struct exchange_rate *fresh, struct exchange *ret)
{
    const struct currency *from = NULL;
    const struct currency *to = NULL;
    struct exchange x;
    int64_t day = 0;
    TRY(err_blame(currency_parse(fresh->from, &from, tx->err), "/from", tx->err));
    TRY(err_blame(currency_parse(fresh->to, &to, tx->err), "/to", tx->err));
    if (from == to)
        return err_set_at(tx->err, RC_INVALID, STR("/to"), "one %s is one %s: no rate is needed",
                          from->code, to->code);
    TRY(err_blame(exchange_parse(fresh->rate, from, to, &x, tx->err), "/rate", tx->err));
    if (!day_parse(fresh->date, &day))
        return err_set_at(tx->err, RC_INVALID, STR("/date"), "this is no date");
    /* Somewhere it is the next day already. */
    if (day > tx->now / US_PER_DAY + 1)
        return err_set_at(tx->err, RC_INVALID, STR("/date"),
                          "a rate is of a day that has come: nobody knows it before");
    if (fresh->source.n == 0 || fresh->source.n > UINT8_MAX)
        return err_set_at(tx->err, RC_INVALID, STR("/source"), "say who published the rate");
    x.day = day;
    x.source = fresh->source;
    *ret = x;
    return RC_OK;
}

/* The one that holds for the day, where it is the same: its id; else empty. */
static enum rc find_same(struct tx *tx, struct str party, const struct exchange *x, struct str *ret)
{
    struct rows rows;
    *ret = STR("");
    TRY(sql_rows(tx, &rows,
                 "SELECT id, numerator, denominator, source FROM exchange_rate WHERE party = $1 "
                 "AND from_currency = $2 AND to_currency = $3 AND day = $4 ORDER BY no DESC "
                 "LIMIT 1",
                 V(party), V(x->from->code), V(x->to->code), V(x->day)));
    if (rows.count > 0 && row_int(&rows, 0, 1) == x->numerator &&
        row_int(&rows, 0, 2) == x->denominator && str_eq(row_str(&rows, 0, 3), x->source))
        *ret = row_str(&rows, 0, 0);
    return RC_OK;
}

enum rc exchange_rate_create(struct tx *tx, struct str party, const struct exchange_rate *fresh,
                             struct exchange_rate *ret)
{
    struct exchange x;
    struct str id;
    TRY(check(tx, fresh, &x));
    TRY(find_same(tx, party, &x, &id));
    if (id.n > 0)
        return exchange_rate_get(tx, id, ret);
    id = id_new(tx->ids, tx->arena, "exr");
    TRY(sql_run(tx,
                "INSERT INTO exchange_rate (no, id, party, from_currency, to_currency, day, "
                "numerator, denominator, source, created) SELECT COALESCE(MAX(no), 0) + 1, $1, $2, "
                "$3, $4, $5, $6, $7, $8, $9 FROM exchange_rate",
                V(id), V(party), V(x.from->code), V(x.to->code), V(x.day), V(x.numerator),
                V(x.denominator), V(x.source), V(tx->now)));
    return exchange_rate_get(tx, id, ret);
}

/* --- finding --- */

/* Either way round; of one day the one that was entered last. */
static enum rc find_of(struct tx *tx, struct str party, const struct exchange *wanted,
                       struct exchange *ret, bool *ret_found)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT u.turned, u.day, u.numerator, u.denominator, u.source FROM "
                 "(SELECT 0 AS turned, e.day, e.no, e.numerator, e.denominator, e.source FROM "
                 "exchange_rate e WHERE e.party = $1 AND e.from_currency = $2 AND "
                 "e.to_currency = $3 AND e.day > $4 AND e.day <= $5 UNION ALL "
                 "SELECT 1, e.day, e.no, e.denominator, e.numerator, e.source FROM "
                 "exchange_rate e WHERE e.party = $1 AND e.from_currency = $3 AND "
                 "e.to_currency = $2 AND e.day > $4 AND e.day <= $5) u "
                 "ORDER BY u.day DESC, u.no DESC LIMIT 1",
                 V(party), V(wanted->from->code), V(wanted->to->code),
                 V(wanted->day - EXCHANGE_AGE_DAYS), V(wanted->day)));
    *ret_found = rows.count > 0;
    if (rows.count == 0)
        return RC_OK;
    *ret = *wanted;
    ret->day = row_int(&rows, 0, 1);
    ret->numerator = row_int(&rows, 0, 2);
    ret->denominator = row_int(&rows, 0, 3);
    ret->source = row_str(&rows, 0, 4);
    return RC_OK;
}

enum rc exchange_rate_find(struct tx *tx, struct str seller, const struct currency *from,
                           const struct currency *to, int64_t day, struct exchange *ret)
{
    bool found = false;
    char text[DAY_TEXT_MAX];
    struct party operator_party;
    const struct exchange wanted = {.from = from, .to = to, .day = day};
    TRY(find_of(tx, seller, &wanted, ret, &found));
    if (found)
        return RC_OK;
    TRY(party_operator(tx, &operator_party));
    TRY(find_of(tx, operator_party.id, &wanted, ret, &found));
    if (found)
        return RC_OK;
    (void)day_format(day, text);
    return err_set(tx->err, RC_INVALID,
                   "what %s is in %s, in which the seller accounts for its tax, is not known of %s "
                   "or the %d days before: an exchange rate is missing",
                   from->code, to->code, text, EXCHANGE_AGE_DAYS - 1);
}
