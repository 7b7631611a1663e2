#include "fleet/site.h"

#include "fleet/words.h"
#include "money/country.h"
#include "party/event.h"
#include "party/patch.h"

#define COLUMNS                                                                            \
    "s.id, s.version, s.owner, s.name, s.country, s.city, s.address, s.network, s.legal, " \
    "s.created, s.changed"

static struct site read_row(struct tx *tx, const struct rows *r, size_t row)
{
    return (struct site){
        .set = schema_all(&site_schema),
        .id = row_str(r, row, 0),
        .version = row_int(r, row, 1),
        .owner = row_str(r, row, 2),
        .name = row_str(r, row, 3),
        .country = row_str(r, row, 4),
        .city = row_str(r, row, 5),
        .address = row_str(r, row, 6),
        .network = row_str(r, row, 7),
        .legal = words_split(row_str(r, row, 8), tx->arena),
        .created = row_int(r, row, 9),
        .changed = row_int(r, row, 10),
    };
}

enum rc site_get(struct tx *tx, struct str id, struct site *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM site s WHERE s.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no site '%.*s'", STRF(id));
    *ret = read_row(tx, &rows, 0);
    return RC_OK;
}

static const struct page_column sort_columns[] = {
    {"id", "s.id", PAGE_TEXT},
    {"name", "s.name", PAGE_TEXT},
    {"country", "s.country", PAGE_TEXT},
};
static const struct page_table site_table = {
    .select = "SELECT " COLUMNS " FROM site s",
    .id = "s.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "id",
};

enum rc site_list(struct tx *tx, struct str owner, bool all, const struct site_query *q,
                  struct page *ret)
{
    struct page_term terms[2];
    size_t count = 0;
    struct rows rows;
    struct str next;
    if (!all)
        terms[count++] = (struct page_term){"s.owner = ?", V(owner)};
    if (schema_has(&site_query_schema, q, "country"))
        terms[count++] = (struct page_term){"s.country = ?", V(q->country)};
    TRY(page_rows(tx, &site_table, &q->page, terms, count, &rows, &next));
    struct site *sites = NEW_N(tx->arena, struct site, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        sites[i] = read_row(tx, &rows, i);
    *ret = (struct page){{sites, rows.count}, next};
    return RC_OK;
}

static enum rc check(struct tx *tx, const struct site *s, struct str *ret_legal)
{
    if (country_find(s->country) == NULL)
        return err_set_at(tx->err, RC_INVALID, STR("/country"), "there is no country '%.*s'",
                          STRF(s->country));
    return words_join(&s->legal, "/legal", tx->arena, ret_legal, tx->err);
}

enum rc site_create(struct tx *tx, struct str owner, const struct site *fresh, struct site *ret)
{
    struct site s = *fresh;
    struct str legal;
    TRY(check(tx, &s, &legal));
    s.set = schema_all(&site_schema);
    s.id = id_new(tx->ids, tx->arena, "sit");
    s.version = 1;
    s.owner = owner;
    s.created = tx->now;
    s.changed = tx->now;
    TRY(sql_run(tx,
                "INSERT INTO site (id, version, owner, name, country, city, address, network, "
                "legal, created, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                V(s.id), V(s.version), V(owner), V(s.name), V(s.country), V(s.city), V(s.address),
                V(s.network), V(legal), V(s.created), V(s.changed)));
    TRY(event_put(tx, "event.site.created", owner, "site", s.id, s.version, STR("")));
    *ret = s;
    return RC_OK;
}

enum rc site_change(struct tx *tx, struct str id, int64_t version, const struct site *patch,
                    struct site *ret)
{
    struct site s;
    struct str legal;
    TRY(site_get(tx, id, &s));
    if (version != 0 && version != s.version)
        return err_set(tx->err, RC_CHANGED, "site '%.*s' has version %lld by now", STRF(s.name),
                       (long long)s.version);
    patch_lay(&site_schema, &s, patch);
    TRY(check(tx, &s, &legal));
    s.set = schema_all(&site_schema);
    s.version++;
    s.changed = tx->now;
    TRY(sql_run(tx,
                "UPDATE site SET version = $2, name = $3, country = $4, city = $5, address = $6, "
                "network = $7, legal = $8, changed = $9 WHERE id = $1",
                V(id), V(s.version), V(s.name), V(s.country), V(s.city), V(s.address), V(s.network),
                V(legal), V(s.changed)));
    TRY(event_put(tx, "event.site.changed", s.owner, "site", id, s.version,
                  patch_names(&site_schema, patch, tx->arena)));
    *ret = s;
    return RC_OK;
}
