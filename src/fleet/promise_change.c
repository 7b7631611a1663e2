#include "fleet/promise_change.h"

#include "catalog/code.h"
#include "fleet/alert.h"
#include "fleet/work_order.h"
#include "profile/spec.h"

enum { FORGET_AT_ONCE = 100 };

#define COLUMNS "c.id, c.subject, c.node, c.name, c.state, c.text, c.since, c.heard"

static struct promise_change read_row(const struct rows *r, size_t row)
{
    return (struct promise_change){
        .set = schema_all(&promise_change_schema),
        .id = row_str(r, row, 0),
        .subject = row_str(r, row, 1),
        .node = row_str(r, row, 2),
        .name = row_str(r, row, 3),
        .state = code_word(promise_states, row_str(r, row, 4)),
        .text = row_str(r, row, 5),
        .since = row_int(r, row, 6),
        .heard = row_int(r, row, 7),
    };
}

static const struct page_column sort_columns[] = {
    {"id", "c.id", PAGE_TEXT},
    {"name", "c.name", PAGE_TEXT},
};
static const struct page_table change_table = {
    .select = "SELECT " COLUMNS " FROM promise_change c",
    .id = "c.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

static enum rc list_by(struct tx *tx, const struct page_term *term, const struct page_query *q,
                       struct page *ret)
{
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &change_table, q, term, 1, &rows, &next));
    struct promise_change *changes = NEW_N(tx->arena, struct promise_change, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        changes[i] = read_row(&rows, i);
    *ret = (struct page){{changes, rows.count}, next};
    return RC_OK;
}

enum rc promise_change_list(struct tx *tx, struct str subject, const struct page_query *q,
                            struct page *ret)
{
    struct page_term term = {"c.subject = ?", V(subject)};
    return list_by(tx, &term, q, ret);
}

enum rc promise_change_list_site(struct tx *tx, struct str site, const struct page_query *q,
                                 struct page *ret)
{
    struct page_term term = {"c.subject IN (SELECT id FROM node WHERE site = ?)", V(site)};
    return list_by(tx, &term, q, ret);
}

/* What is too old and was followed by something that is too: some of it with each change. */
static enum rc forget(struct tx *tx, struct str subject)
{
    return sql_run(tx,
                   "DELETE FROM promise_change WHERE id IN "
                   "(SELECT c.id FROM promise_change c WHERE c.subject = $1 AND c.heard < $2 "
                   "AND EXISTS (SELECT 1 FROM promise_change n WHERE n.subject = c.subject "
                   "AND n.name = c.name AND n.id > c.id AND n.heard < $2) "
                   "ORDER BY c.id LIMIT $3)",
                   V(subject), V(tx->now - PROMISE_KEEP_US), V((int64_t)FORGET_AT_ONCE));
}

enum rc promise_change_put(struct tx *tx, const struct promise_change *c)
{
    TRY(forget(tx, c->subject));
    TRY(sql_run(tx,
                "INSERT INTO promise_change (id, subject, node, name, state, text, since, "
                "heard) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                V(id_new(tx->ids, tx->arena, "pmc")), V(c->subject), V(c->node), V(c->name),
                V(promise_states[c->state]), V(c->text), V(c->since), V(tx->now)));
    TRY(alert_follow(tx, c));
    return id_is(c->subject, "nod") ? work_order_follow(tx, c) : RC_OK;
}

enum rc promise_read(struct tx *tx, struct str text, struct list *ret)
{
    const struct json *json = NULL;
    TRY(json_parse(text, tx->arena, &json, tx->err));
    ASSERT(json_type(json) == JSON_ARRAY);
    struct sighting_promise *items = NEW_N(tx->arena, struct sighting_promise, SPEC_PROMISES_MAX);
    size_t count = 0;
    for (const struct json *c = json_first(json); c != NULL; c = json_next(json, c)) {
        ASSERT(count < SPEC_PROMISES_MAX);
        TRY(schema_decode(&sighting_promise_schema, SCHEMA_PATCH, c, tx->arena, &items[count++],
                          tx->err));
    }
    *ret = (struct list){items, count};
    return RC_OK;
}

int64_t promise_kept(const struct list *promises, const struct sighting_promise **ret_broken)
{
    const struct sighting_promise *items = promises->items;
    int64_t kept = 0;
    *ret_broken = NULL;
    for (size_t i = 0; i < promises->count; i++) {
        if (items[i].kept)
            kept++;
        else if (*ret_broken == NULL)
            *ret_broken = &items[i];
    }
    return kept;
}

/* The first with this name, or NULL. */
static const struct sighting_promise *find(const struct list *list, struct str name)
{
    const struct sighting_promise *items = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (str_eq(items[i].name, name))
            return &items[i];
    return NULL;
}

enum rc promise_change_keep(struct tx *tx, struct str subject, struct str node, struct str before,
                            const struct list *now)
{
    struct list old;
    struct promise_change c = {.subject = subject, .node = node};
    TRY(promise_read(tx, before, &old));
    const struct sighting_promise *items = now->items;
    for (size_t i = 0; i < now->count; i++) {
        const struct sighting_promise *was = find(&old, items[i].name);
        if (find(now, items[i].name) != &items[i] || (was != NULL && was->kept == items[i].kept))
            continue;
        c.name = items[i].name;
        c.state = items[i].kept ? PROMISE_KEPT : PROMISE_FAILING;
        c.text = items[i].text;
        c.since = items[i].since;
        TRY(promise_change_put(tx, &c));
    }
    items = old.items;
    for (size_t i = 0; i < old.count; i++) {
        if (find(&old, items[i].name) != &items[i] || find(now, items[i].name) != NULL)
            continue;
        c.name = items[i].name;
        c.state = PROMISE_UNKNOWN;
        c.text = STR("");
        c.since = tx->now;
        TRY(promise_change_put(tx, &c));
    }
    return RC_OK;
}

/* --- nodes that are lost and found --- */

/* A row for each, as lost: unknown; else as it was said to be last. */
static enum rc put_all(struct tx *tx, struct str subject, struct str node, struct str promises,
                       bool lost)
{
    struct list said;
    struct promise_change c = {.subject = subject, .node = node, .since = tx->now};
    TRY(promise_read(tx, promises, &said));
    const struct sighting_promise *items = said.items;
    for (size_t i = 0; i < said.count; i++) {
        if (find(&said, items[i].name) != &items[i])
            continue;
        c.name = items[i].name;
        c.state = lost ? PROMISE_UNKNOWN : items[i].kept ? PROMISE_KEPT : PROMISE_FAILING;
        c.text = lost ? STR("") : items[i].text;
        TRY(promise_change_put(tx, &c));
    }
    return RC_OK;
}

static enum rc put_node(struct tx *tx, struct str node, struct str promises, bool lost)
{
    struct rows rows;
    struct promise_change heard = {.subject = node,
                                   .node = node,
                                   .name = PROMISE_HEARD,
                                   .state = lost ? PROMISE_FAILING : PROMISE_KEPT,
                                   .text = lost ? STR("it does not report any more") : STR(""),
                                   .since = tx->now};
    TRY(promise_change_put(tx, &heard));
    TRY(put_all(tx, node, node, promises, lost));
    TRY(sql_rows(tx, &rows,
                 "SELECT id, promises FROM service WHERE node = $1 AND promises <> '[]' "
                 "AND drill_of IS NULL ORDER BY id LIMIT $2",
                 V(node), V((int64_t)SPEC_SERVICES_MAX)));
    for (size_t i = 0; i < rows.count; i++)
        TRY(put_all(tx, row_str(&rows, i, 0), node, row_str(&rows, i, 1), lost));
    return alert_node(tx, node, lost);
}

enum rc promise_change_lose(struct tx *tx, struct str node, struct str promises)
{
    return put_node(tx, node, promises, true);
}

enum rc promise_change_find(struct tx *tx, struct str node, struct str promises)
{
    return put_node(tx, node, promises, false);
}
