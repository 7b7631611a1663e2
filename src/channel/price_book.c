#include "channel/percent.h"
#include "channel/price_inside.h"
#include "money/currency.h"
#include "money/price.h"
#include "party/event.h"
#include "party/party_check.h"
#include "party/patch.h"

#define BOOK_COLUMNS  "b.id, b.version, b.party, b.name, b.currency, b.created, b.changed"
#define ENTRY_COLUMNS "e.id, e.book, e.target, e.op, e.value, e.msrp, e.valid_from, e.created"

/* Ten times the price bought at: more is a slip of the point. */
#define MUL_PPM_MAX (PERCENT_HUNDRED_PPM * 10)

/* --- reading books --- */

/* Guard rails as of now: what was changed last. */
static enum rc read_guard(struct tx *tx, struct price_book *b)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT floor_percent, max_discount_percent FROM price_guard WHERE book = $1 "
                 "ORDER BY number DESC LIMIT 1",
                 V(b->id)));
    ASSERT(rows.count == 1);
    b->floor_percent = row_str(&rows, 0, 0);
    b->max_discount_percent = row_str(&rows, 0, 1);
    return RC_OK;
}

static enum rc read_book(struct tx *tx, const struct rows *rows, size_t row, struct price_book *ret)
{
    struct price_book b = {
        .set = schema_all(&price_book_schema),
        .id = row_str(rows, row, 0),
        .version = row_int(rows, row, 1),
        .party = row_str(rows, row, 2),
        .name = row_str(rows, row, 3),
        .currency = row_str(rows, row, 4),
        .created = row_int(rows, row, 5),
        .changed = row_int(rows, row, 6),
    };
    TRY(read_guard(tx, &b));
    *ret = b;
    return RC_OK;
}

enum rc price_book_get(struct tx *tx, struct str id, struct price_book *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " BOOK_COLUMNS " FROM price_book b WHERE b.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no price book '%.*s'", STRF(id));
    return read_book(tx, &rows, 0, ret);
}

static const struct page_column book_sorts[] = {
    {"id", "b.id", PAGE_TEXT},
    {"name", "b.name", PAGE_TEXT},
    {"created", "b.created", PAGE_NUMBER},
    {"changed", "b.changed", PAGE_NUMBER},
};
static const struct page_table book_table = {
    .select = "SELECT " BOOK_COLUMNS " FROM price_book b",
    .id = "b.id",
    .sort = book_sorts,
    .sort_count = COUNT(book_sorts),
    .default_sort = "id",
};

enum rc price_book_list(struct tx *tx, struct str party, const struct page_query *q,
                        struct page *ret)
{
    struct page_term term = {"b.party = ?", V(party)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &book_table, q, &term, 1, &rows, &next));
    struct price_book *items = NEW_N(tx->arena, struct price_book, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(read_book(tx, &rows, i, &items[i]));
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

/* --- writing books --- */

static enum rc check_book(struct tx *tx, const struct price_book *b)
{
    const struct currency *currency = NULL;
    struct rows rows;
    int64_t ppm = 0;
    TRY(name_check(b->name, "/name", tx->err));
    TRY(err_blame(currency_parse(b->currency, &currency, tx->err), "/currency", tx->err));
    if (b->floor_percent.n > 0)
        TRY(err_blame(percent_parse(b->floor_percent, MUL_PPM_MAX, &ppm, tx->err), "/floor_percent",
                      tx->err));
    if (b->max_discount_percent.n > 0)
        TRY(err_blame(percent_parse(b->max_discount_percent, PERCENT_HUNDRED_PPM, &ppm, tx->err),
                      "/max_discount_percent", tx->err));
    TRY(sql_rows(tx, &rows, "SELECT id FROM price_book WHERE party = $1 AND name = $2 AND id <> $3",
                 V(b->party), V(b->name), V(b->id)));
    return rows.count == 0 ? RC_OK
                           : err_set_at(tx->err, RC_CONFLICT, STR("/name"),
                                        "there is a price book '%.*s' already", STRF(b->name));
}

static enum rc insert_guard(struct tx *tx, const struct price_book *b)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(number), 0) FROM price_guard WHERE book = $1",
                 V(b->id)));
    return sql_run(tx,
                   "INSERT INTO price_guard (book, number, valid_from, floor_percent, "
                   "max_discount_percent) VALUES ($1, $2, $3, $4, $5)",
                   V(b->id), V(row_int(&rows, 0, 0) + 1), V(tx->now), value_opt(b->floor_percent),
                   value_opt(b->max_discount_percent));
}

enum rc price_book_create(struct tx *tx, struct str party, const struct price_book *fresh,
                          struct price_book *ret)
{
    struct party seller;
    struct price_book b = *fresh;
    TRY(party_get(tx, party, &seller));
    b.id = id_new(tx->ids, tx->arena, "bok");
    b.party = party;
    if (b.currency.n == 0)
        b.currency = seller.currency;
    TRY(check_book(tx, &b));
    b.version = 1;
    b.created = tx->now;
    b.changed = tx->now;
    b.set = schema_all(&price_book_schema);
    TRY(sql_run(tx,
                "INSERT INTO price_book (id, version, party, name, currency, created, changed) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                V(b.id), V(b.version), V(b.party), V(b.name), V(b.currency), V(b.created),
                V(b.changed)));
    TRY(insert_guard(tx, &b));
    TRY(event_put(tx, "event.price_book.created", party, "price_book", b.id, b.version, STR("")));
    *ret = b;
    return RC_OK;
}

enum rc price_book_change(struct tx *tx, struct str id, int64_t version,
                          const struct price_book *patch, struct price_book *ret)
{
    struct price_book before;
    TRY(price_book_get(tx, id, &before));
    if (version != 0 && version != before.version)
        return err_set(tx->err, RC_CHANGED,
                       "price book '%.*s' has version %lld by now, you changed version %lld",
                       STRF(before.name), (long long)before.version, (long long)version);
    struct price_book b = before;
    patch_lay(&price_book_schema, &b, patch);
    if (!str_eq(b.currency, before.currency))
        return err_set_at(tx->err, RC_INVALID, STR("/currency"),
                          "a price book keeps its currency: make another");
    TRY(check_book(tx, &b));
    if (!str_eq(b.floor_percent, before.floor_percent) ||
        !str_eq(b.max_discount_percent, before.max_discount_percent))
        TRY(insert_guard(tx, &b));
    b.version++;
    b.changed = tx->now;
    TRY(sql_run(tx, "UPDATE price_book SET version = $2, name = $3, changed = $4 WHERE id = $1",
                V(id), V(b.version), V(b.name), V(b.changed)));
    TRY(event_put(tx, "event.price_book.changed", b.party, "price_book", b.id, b.version,
                  patch_names(&price_book_schema, patch, tx->arena)));
    *ret = b;
    return RC_OK;
}

/* --- entries --- */

struct str price_target(struct str item, struct str category, struct arena *arena)
{
    if (item.n > 0)
        return arena_fmt(arena, "item:%.*s", STRF(item));
    return category.n > 0 ? arena_fmt(arena, "category:%.*s", STRF(category)) : STR("all");
}

static struct price_entry read_entry(const struct rows *rows, size_t row)
{
    struct str name = row_str(rows, row, 2);
    struct str kind = str_cut(&name, ':');
    struct price_entry e = {
        .set = schema_all(&price_entry_schema),
        .id = row_str(rows, row, 0),
        .book = row_str(rows, row, 1),
        .item = str_eq(kind, STR("item")) ? name : STR(""),
        .category = str_eq(kind, STR("category")) ? name : STR(""),
        .op = price_op(row_str(rows, row, 3)),
        .value = row_str(rows, row, 4),
        .msrp = row_str(rows, row, 5),
        .valid_from = row_int(rows, row, 6),
        .created = row_int(rows, row, 7),
    };
    return e;
}

static const struct page_column entry_sorts[] = {
    {"id", "e.id", PAGE_TEXT},
    {"valid_from", "e.valid_from", PAGE_NUMBER},
    {"target", "e.target", PAGE_TEXT},
};
static const struct page_table entry_table = {
    .select = "SELECT " ENTRY_COLUMNS " FROM price_entry e",
    .id = "e.id",
    .sort = entry_sorts,
    .sort_count = COUNT(entry_sorts),
    .default_sort = "id",
};

enum rc price_entry_list(struct tx *tx, struct str book, const struct page_query *q,
                         struct page *ret)
{
    struct page_term term = {"e.book = ?", V(book)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &entry_table, q, &term, 1, &rows, &next));
    struct price_entry *items = NEW_N(tx->arena, struct price_entry, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_entry(&rows, i);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

static enum rc check_price(struct str text, bool negative, const char *pointer, struct err *err)
{
    struct price p;
    TRY(err_blame(price_parse_one(text, &p, err), pointer, err));
    if (p.mantissa < 0 && !negative)
        return err_set_at(err, RC_INVALID, str_c(pointer), "a price is not below 0");
    return RC_OK;
}

static enum rc check_value(const struct price_entry *e, struct err *err)
{
    int64_t ppm = 0;
    bool wanted = e->op != ENTRY_HIDE;
    if (wanted != (e->value.n > 0))
        return err_set_at(err, RC_INVALID, STR("/value"), "an entry '%s' has %s value",
                          entry_ops[e->op], wanted ? "a" : "no");
    switch ((enum entry_op)e->op) {
    case ENTRY_ABS:
        return check_price(e->value, false, "/value", err);
    case ENTRY_ADD:
        return check_price(e->value, true, "/value", err);
    case ENTRY_MUL:
        return err_blame(percent_parse(e->value, MUL_PPM_MAX, &ppm, err), "/value", err);
    case ENTRY_HIDE:
        return RC_OK;
    }
    NEVER("an operation of price entries outside its enum");
}

static enum rc check_entry(struct tx *tx, const struct price_entry *e)
{
    if (e->item.n > 0 && e->category.n > 0)
        return err_set_at(tx->err, RC_INVALID, STR("/category"),
                          "an entry is for an item or for a category, not both");
    if (max_size(e->item.n, e->category.n) > PRICE_TARGET_MAX)
        return err_set_at(tx->err, RC_INVALID, e->item.n > 0 ? STR("/item") : STR("/category"),
                          "a code has at most %d characters", PRICE_TARGET_MAX);
    TRY(check_value(e, tx->err));
    if (e->msrp.n > 0)
        TRY(check_price(e->msrp, false, "/msrp", tx->err));
    if (e->valid_from < tx->now)
        return err_set_at(tx->err, RC_INVALID, STR("/valid_from"),
                          "prices of the past do not change");
    return RC_OK;
}

enum rc price_entry_add(struct tx *tx, struct str book, const struct price_entry *fresh,
                        struct price_entry *ret)
{
    struct price_book b;
    struct rows rows;
    struct price_entry e = *fresh;
    TRY(price_book_get(tx, book, &b));
    if (e.valid_from == 0)
        e.valid_from = tx->now;
    TRY(check_entry(tx, &e));
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(number), 0) FROM price_entry WHERE book = $1",
                 V(book)));
    int64_t number = row_int(&rows, 0, 0) + 1;
    if (number > PRICE_ENTRIES_MAX)
        return err_set(tx->err, RC_CONFLICT, "a price book has at most %d entries",
                       PRICE_ENTRIES_MAX);
    e.id = id_new(tx->ids, tx->arena, "pre");
    e.book = book;
    e.created = tx->now;
    e.set = schema_all(&price_entry_schema);
    TRY(sql_run(tx,
                "INSERT INTO price_entry (id, book, number, target, op, value, msrp, valid_from, "
                "created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                V(e.id), V(book), V(number), V(price_target(e.item, e.category, tx->arena)),
                V(entry_ops[e.op]), value_opt(e.value), value_opt(e.msrp), V(e.valid_from),
                V(e.created)));
    TRY(event_put(tx, "event.price_book.changed", b.party, "price_book", b.id, b.version,
                  STR("[\"entries\"]")));
    *ret = e;
    return RC_OK;
}
