#include "catalog/item.h"

#include "catalog/code.h"
#include "party/event.h"
#include "party/patch.h"

#define COLUMNS                                                                             \
    "i.id, i.version, i.owner, i.code, i.name, i.category, i.unit, i.tax_class, i.income, " \
    "i.author, i.state, i.created, i.changed"

static struct item read_row(const struct rows *r, size_t row)
{
    return (struct item){
        .set = schema_all(&item_schema),
        .id = row_str(r, row, 0),
        .version = row_int(r, row, 1),
        .owner = row_str(r, row, 2),
        .code = row_str(r, row, 3),
        .name = row_str(r, row, 4),
        .category = row_str(r, row, 5),
        .unit = row_str(r, row, 6),
        .tax_class = code_word(tax_classes, row_str(r, row, 7)),
        .income = row_str(r, row, 8),
        .author = row_str(r, row, 9),
        .state = code_word(item_states, row_str(r, row, 10)),
        .created = row_int(r, row, 11),
        .changed = row_int(r, row, 12),
    };
}

enum rc item_get(struct tx *tx, struct str id, struct item *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM item i WHERE i.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no item '%.*s'", STRF(id));
    *ret = read_row(&rows, 0);
    return RC_OK;
}

enum rc item_find(struct tx *tx, struct str code, struct item *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM item i WHERE i.code = $1", V(code)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no item '%.*s'", STRF(code));
    *ret = read_row(&rows, 0);
    return RC_OK;
}

/* --- list --- */

static const struct page_column sort_columns[] = {
    {"id", "i.id", PAGE_TEXT},
    {"code", "i.code", PAGE_TEXT},
    {"name", "i.name", PAGE_TEXT},
    {"category", "i.category", PAGE_TEXT},
    {"created", "i.created", PAGE_NUMBER},
};
static const struct page_table item_table = {
    .select = "SELECT " COLUMNS " FROM item i",
    .id = "i.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "code",
};

enum rc item_list(struct tx *tx, const struct item_query *q, struct page *ret)
{
    struct page_term terms[2];
    size_t count = 0;
    struct rows rows;
    struct str next;
    if (schema_has(&item_query_schema, q, "category"))
        terms[count++] = (struct page_term){"i.category = ?", V(q->category)};
    if (schema_has(&item_query_schema, q, "state"))
        terms[count++] = (struct page_term){"i.state = ?", V(item_states[q->state])};
    TRY(page_rows(tx, &item_table, &q->page, terms, count, &rows, &next));
    struct item *items = NEW_N(tx->arena, struct item, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_row(&rows, i);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

/* --- writing --- */

/* Part of an account's code: a capital letter, then letters, digits and '-'. */
static enum rc check_income(struct str income, struct err *err)
{
    bool good = income.n > 0 && income.p[0] >= 'A' && income.p[0] <= 'Z';
    for (size_t i = 0; i < income.n && good; i++) {
        char c = income.p[i];
        good =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    }
    if (!good)
        return err_set_at(err, RC_INVALID, STR("/income"),
                          "'%.*s' is no name of an account: a capital letter, then letters, digits "
                          "and '-'",
                          STRF(income));
    return RC_OK;
}

static enum rc check(struct tx *tx, struct item *item)
{
    if (item->unit.n == 0)
        item->unit = STR("C62");
    if (item->income.n == 0)
        item->income = STR("Services");
    TRY(code_check(item->code, "/code", tx->err));
    TRY(code_check(item->category, "/category", tx->err));
    TRY(check_income(item->income, tx->err));
    if (item->author.n == 0)
        return RC_OK;
    struct party author;
    enum rc rc = party_get(tx, item->author, &author);
    if (rc == RC_NOT_FOUND)
        return err_set_at(tx->err, RC_INVALID, STR("/author"), "there is no party '%.*s'",
                          STRF(item->author));
    return rc;
}

enum rc item_create(struct tx *tx, struct str owner, const struct item *fresh, struct item *ret)
{
    struct item old;
    struct item item = *fresh;
    TRY(check(tx, &item));
    enum rc rc = item_find(tx, item.code, &old);
    if (rc == RC_OK)
        return err_set_at(tx->err, RC_CONFLICT, STR("/code"), "there is an item '%.*s' already",
                          STRF(item.code));
    if (rc != RC_NOT_FOUND)
        return rc;
    err_clear(tx->err);
    item.id = id_new(tx->ids, tx->arena, "itm");
    item.version = 1;
    item.owner = owner;
    item.created = tx->now;
    item.changed = tx->now;
    item.set = schema_all(&item_schema);
    TRY(sql_run(tx,
                "INSERT INTO item (id, version, owner, code, name, category, unit, tax_class, "
                "income, author, state, created, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
                "$9, $10, $11, $12, $13)",
                V(item.id), V(item.version), V(owner), V(item.code), V(item.name), V(item.category),
                V(item.unit), V(tax_classes[item.tax_class]), V(item.income),
                value_opt(item.author), V(item_states[item.state]), V(item.created),
                V(item.changed)));
    TRY(event_put(tx, "event.item.created", owner, "item", item.id, item.version, STR("")));
    *ret = item;
    return RC_OK;
}

enum rc item_change(struct tx *tx, struct str id, int64_t version, const struct item *patch,
                    struct item *ret)
{
    struct item item;
    TRY(item_get(tx, id, &item));
    struct str code = item.code;
    if (version != 0 && version != item.version)
        return err_set(tx->err, RC_CHANGED, "item '%.*s' has version %lld by now", STRF(code),
                       (long long)item.version);
    patch_lay(&item_schema, &item, patch);
    if (!str_eq(item.code, code))
        return err_set_at(tx->err, RC_INVALID, STR("/code"), "the code of an item does not change");
    TRY(check(tx, &item));
    item.version++;
    item.changed = tx->now;
    TRY(sql_run(tx,
                "UPDATE item SET version = $2, name = $3, category = $4, unit = $5, "
                "tax_class = $6, income = $7, author = $8, state = $9, changed = $10 "
                "WHERE id = $1",
                V(id), V(item.version), V(item.name), V(item.category), V(item.unit),
                V(tax_classes[item.tax_class]), V(item.income), value_opt(item.author),
                V(item_states[item.state]), V(item.changed)));
    TRY(event_put(tx, "event.item.changed", item.owner, "item", id, item.version,
                  patch_names(&item_schema, patch, tx->arena)));
    *ret = item;
    return RC_OK;
}
