#include "catalog/subscription.h"

#include "catalog/code.h"
#include "party/event.h"

#define OPEN_END INT64_MAX

enum { FAMILY_STEP = 1000 };

#define COLUMNS                                                                            \
    "s.id, s.version, s.seller, s.client, s.agreement, s.plan, s.parent, s.name, s.zone, " \
    "s.period, s.anchored, s.start, s.ends, s.state, s.created, s.changed"
#define TERM_COLUMNS "t.since, t.agreement, t.plan, t.plan_number, t.quantity, t.producer, t.asset"

/* --- reading --- */

struct term_row {
    time_us since;
    struct str agreement;
    struct str plan;
    int64_t plan_number;
    struct str quantity;
    struct str producer;
    struct str asset;
};

static struct term_row read_term(const struct rows *r, size_t row, size_t column)
{
    return (struct term_row){
        .since = row_int(r, row, column),
        .agreement = row_str(r, row, column + 1),
        .plan = row_str(r, row, column + 2),
        .plan_number = row_int(r, row, column + 3),
        .quantity = row_str(r, row, column + 4),
        .producer = row_str(r, row, column + 5),
        .asset = row_str(r, row, column + 6),
    };
}

/* The terms in force at an instant; before the beginning the first ones. */
static enum rc term_at(struct tx *tx, struct str id, time_us at, struct term_row *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " TERM_COLUMNS " FROM subscription_term t WHERE t.subscription = $1 "
                 "AND t.since <= $2 ORDER BY t.since DESC LIMIT 1",
                 V(id), V(at)));
    if (rows.count == 0)
        TRY(sql_rows(tx, &rows,
                     "SELECT " TERM_COLUMNS " FROM subscription_term t WHERE t.subscription = $1 "
                     "ORDER BY t.since LIMIT 1",
                     V(id)));
    ASSERT(rows.count == 1);
    *ret = read_term(&rows, 0, 0);
    return RC_OK;
}

static enum rc item_of_plan(struct tx *tx, struct str plan, struct str *ret)
{
    struct plan p;
    TRY(plan_get(tx, plan, &p));
    *ret = p.item;
    return RC_OK;
}

static enum rc read_row(struct tx *tx, const struct rows *r, size_t row, struct subscription *ret)
{
    struct term_row t;
    time_us ends = row_int(r, row, 12);
    struct subscription s = {
        .set = schema_all(&subscription_schema),
        .id = row_str(r, row, 0),
        .version = row_int(r, row, 1),
        .seller = row_str(r, row, 2),
        .client = row_str(r, row, 3),
        .parent = row_str(r, row, 6),
        .name = row_str(r, row, 7),
        .anchored = row_int(r, row, 10) != 0,
        .start = row_int(r, row, 11),
        .ends = ends == OPEN_END ? 0 : ends,
        .state = ends != OPEN_END && ends <= tx->now ? SUBSCRIPTION_ENDED : SUBSCRIPTION_ACTIVE,
        .created = row_int(r, row, 14),
        .changed = row_int(r, row, 15),
    };
    TRY(term_at(tx, s.id, tx->now, &t));
    s.agreement = t.agreement;
    s.plan = t.plan;
    s.plan_number = t.plan_number;
    s.quantity = t.quantity;
    s.producer = t.producer;
    s.asset = t.asset;
    TRY(item_of_plan(tx, s.plan, &s.item));
    *ret = s;
    return RC_OK;
}

enum rc subscription_get(struct tx *tx, struct str id, struct subscription *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM subscription s WHERE s.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no subscription '%.*s'", STRF(id));
    return read_row(tx, &rows, 0, ret);
}

static const struct page_column sort_columns[] = {
    {"id", "s.id", PAGE_TEXT},
    {"client", "s.client", PAGE_TEXT},
    {"start", "s.start", PAGE_NUMBER},
    {"created", "s.created", PAGE_NUMBER},
};
static const struct page_table subscription_table = {
    .select = "SELECT " COLUMNS " FROM subscription s",
    .id = "s.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "id",
};

enum rc subscription_list(struct tx *tx, struct str party, const struct subscription_query *q,
                          struct page *ret)
{
    struct page_term terms[4];
    size_t count = 0;
    struct rows rows;
    struct str next;
    terms[count++] = (struct page_term){"(s.client = ? OR s.seller = ?)", V(party)};
    if (schema_has(&subscription_query_schema, q, "client"))
        terms[count++] = (struct page_term){"s.client = ?", V(q->client)};
    if (schema_has(&subscription_query_schema, q, "plan"))
        terms[count++] = (struct page_term){"s.plan = ?", V(q->plan)};
    if (schema_has(&subscription_query_schema, q, "state"))
        terms[count++] = (struct page_term){
            q->state == SUBSCRIPTION_ENDED ? "s.ends <= ?" : "s.ends > ?", V(tx->now)};
    TRY(page_rows(tx, &subscription_table, &q->page, terms, count, &rows, &next));
    struct subscription *list = NEW_N(tx->arena, struct subscription, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(read_row(tx, &rows, i, &list[i]));
    *ret = (struct page){{list, rows.count}, next};
    return RC_OK;
}

/* --- checks --- */

struct deal {
    struct plan plan;
    struct item item;
    struct supply_path path;
    struct quantity quantity;
};

static enum rc named(struct tx *tx, enum rc rc, const char *pointer)
{
    if (rc != RC_NOT_FOUND)
        return rc;
    tx->err->rc = RC_INVALID;
    err_at(tx->err, str_c(pointer));
    return RC_INVALID;
}

/* That the client can have this plan by this agreement at that time. */
static enum rc check_deal(struct tx *tx, const struct subscription *s, time_us at, struct deal *ret)
{
    struct price_steps steps;
    TRY(named(tx, plan_version(tx, s->plan, s->plan_number, &ret->plan), "/plan"));
    TRY(item_find(tx, ret->plan.item, &ret->item));
    TRY(named(tx, supply_path_at(tx, s->agreement, at, &ret->path), "/agreement"));
    if (!str_eq(ret->path.currency, ret->plan.currency))
        return err_set_at(tx->err, RC_INVALID, STR("/plan"),
                          "the plan is priced in %.*s, the agreement is in %.*s",
                          STRF(ret->plan.currency), STRF(ret->path.currency));
    TRY(price_steps_at(tx, &ret->path, ret->item.code, ret->item.category, at, &steps));
    if (!steps.visible)
        return err_set_at(tx->err, RC_INVALID, STR("/plan"),
                          "'%.*s' is not offered by this agreement", STRF(ret->plan.code));
    struct str quantity = s->quantity.n > 0 ? s->quantity : STR("1");
    enum rc rc = quantity_parse(quantity, &ret->quantity, tx->err);
    if (rc != RC_OK)
        err_at(tx->err, STR("/quantity"));
    else if (ret->quantity.mantissa <= 0)
        return err_set_at(tx->err, RC_INVALID, STR("/quantity"), "a quantity is above 0");
    return rc;
}

static enum rc check_party(struct tx *tx, struct str id, const char *pointer)
{
    struct party p;
    return id.n > 0 ? named(tx, party_get(tx, id, &p), pointer) : RC_OK;
}

static enum rc check_parent(struct tx *tx, const struct subscription *s)
{
    struct subscription parent;
    if (s->parent.n == 0)
        return RC_OK;
    TRY(named(tx, subscription_get(tx, s->parent, &parent), "/parent"));
    if (!str_eq(parent.client, s->client))
        return err_set_at(tx->err, RC_INVALID, STR("/parent"),
                          "the subscription above is another client's");
    return RC_OK;
}

/* --- writing --- */

static enum rc insert_term(struct tx *tx, const struct subscription *s, time_us since)
{
    return sql_run(tx,
                   "INSERT INTO subscription_term (subscription, since, agreement, plan, "
                   "plan_number, quantity, producer, asset) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
                   "ON CONFLICT (subscription, since) DO UPDATE SET "
                   "agreement = excluded.agreement, plan = excluded.plan, "
                   "plan_number = excluded.plan_number, quantity = excluded.quantity, "
                   "producer = excluded.producer, asset = excluded.asset",
                   V(s->id), V(since), V(s->agreement), V(s->plan), V(s->plan_number),
                   V(s->quantity), value_opt(s->producer), value_opt(s->asset));
}

static enum rc tell(struct tx *tx, const struct subscription *s, const char *topic)
{
    TRY(event_put(tx, topic, s->seller, "subscription", s->id, s->version, STR("")));
    return event_put(tx, topic, s->client, "subscription", s->id, s->version, STR(""));
}

static enum rc insert(struct tx *tx, const struct subscription *s, const struct plan *plan)
{
    struct party seller;
    TRY(party_get(tx, s->seller, &seller));
    TRY(sql_run(tx,
                "INSERT INTO subscription (id, version, seller, client, agreement, plan, parent, "
                "name, zone, period, anchored, start, ends, state, created, changed) VALUES ($1, "
                "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
                V(s->id), V(s->version), V(s->seller), V(s->client), V(s->agreement), V(s->plan),
                value_opt(s->parent), value_opt(s->name), V(seller.time_zone),
                V(plan_periods[plan->period]), V(s->anchored), V(s->start),
                V(s->ends != 0 ? s->ends : OPEN_END), V(subscription_states[SUBSCRIPTION_ACTIVE]),
                V(s->created), V(s->changed)));
    return insert_term(tx, s, s->start);
}

/* The plan by its id or its code; its newest version. */
static enum rc choose_plan(struct tx *tx, struct subscription *s)
{
    struct plan plan;
    enum rc rc =
        id_is(s->plan, "pln") ? plan_get(tx, s->plan, &plan) : plan_find(tx, s->plan, &plan);
    TRY(named(tx, rc, "/plan"));
    if (plan.retired)
        return err_set_at(tx->err, RC_INVALID, STR("/plan"), "the plan '%.*s' is retired",
                          STRF(plan.code));
    s->plan = plan.id;
    s->plan_number = plan.number;
    return RC_OK;
}

enum rc subscription_create(struct tx *tx, const struct subscription *fresh,
                            struct subscription *ret)
{
    struct subscription s = *fresh;
    struct deal *deal = NEW(tx->arena, struct deal);
    if (s.start == 0)
        s.start = tx->now;
    if (s.start < tx->now)
        return err_set_at(tx->err, RC_INVALID, STR("/start"),
                          "it cannot begin in the past: what was billed stays");
    if (s.ends != 0 && s.ends <= s.start)
        return err_set_at(tx->err, RC_INVALID, STR("/ends"), "it ends after it begins");
    TRY(choose_plan(tx, &s));
    TRY(check_deal(tx, &s, s.start, deal));
    const struct supply_edge *edge = &deal->path.edges[deal->path.count - 1];
    s.seller = edge->seller;
    s.client = edge->buyer;
    s.quantity = s.quantity.n > 0 ? s.quantity : STR("1");
    TRY(check_party(tx, s.producer, "/producer"));
    TRY(check_parent(tx, &s));
    TRY(path_limit_check(tx, &deal->path, deal->item.code, deal->quantity));
    s.id = id_new(tx->ids, tx->arena, "sub");
    s.version = 1;
    s.created = tx->now;
    s.changed = tx->now;
    TRY(insert(tx, &s, &deal->plan));
    TRY(tell(tx, &s, "event.subscription.created"));
    return subscription_get(tx, s.id, ret);
}

static enum rc check_version(struct tx *tx, const struct subscription *s, int64_t version)
{
    if (version != 0 && version != s->version)
        return err_set(tx->err, RC_CHANGED, "subscription '%.*s' has version %lld by now",
                       STRF(s->id), (long long)s->version);
    if (s->state == SUBSCRIPTION_ENDED)
        return err_set(tx->err, RC_CONFLICT, "subscription '%.*s' has ended", STRF(s->id));
    return RC_OK;
}

static bool patched(const struct subscription *patch, const char *name)
{
    return schema_has(&subscription_schema, patch, name);
}

/* Lay what changes over the terms; *ret: whether any of them does. */
static enum rc patch_terms(struct tx *tx, struct subscription *s, const struct subscription *patch,
                           bool *ret)
{
    *ret = patched(patch, "plan") || patched(patch, "quantity") || patched(patch, "agreement") ||
           patched(patch, "producer") || patched(patch, "asset");
    if (patched(patch, "quantity"))
        s->quantity = patch->quantity.n > 0 ? patch->quantity : STR("1");
    if (patched(patch, "agreement"))
        s->agreement = patch->agreement;
    if (patched(patch, "producer"))
        s->producer = patch->producer;
    if (patched(patch, "asset"))
        s->asset = patch->asset;
    if (!patched(patch, "plan"))
        return RC_OK;
    s->plan = patch->plan;
    return choose_plan(tx, s);
}

/* The client stays: an agreement may only lead to the same one, maybe by another way. */
static enum rc check_change(struct tx *tx, const struct subscription *before,
                            struct subscription *s, time_us at)
{
    struct deal *deal = NEW(tx->arena, struct deal);
    struct plan plan;
    struct quantity old;
    struct quantity more;
    TRY(check_deal(tx, s, at, deal));
    TRY(check_party(tx, s->producer, "/producer"));
    const struct supply_edge *edge = &deal->path.edges[deal->path.count - 1];
    if (!str_eq(edge->buyer, s->client))
        return err_set_at(tx->err, RC_INVALID, STR("/agreement"),
                          "that agreement supplies another client");
    TRY(plan_get(tx, before->plan, &plan));
    if (plan.period != deal->plan.period)
        return err_set_at(tx->err, RC_INVALID, STR("/plan"),
                          "the plan has another period: end this one and begin another");
    s->seller = edge->seller;
    TRY(quantity_parse(before->quantity, &old, tx->err));
    bool same_item = str_eq(plan.item, deal->plan.item) && str_eq(before->agreement, s->agreement);
    TRY(quantity_sub(deal->quantity, same_item ? old : (struct quantity){0}, &more, tx->err));
    return path_limit_check(tx, &deal->path, deal->item.code, more);
}

enum rc subscription_change(struct tx *tx, struct str id, int64_t version, time_us at,
                            const struct subscription *patch, struct subscription *ret)
{
    struct subscription before;
    bool terms = false;
    TRY(subscription_get(tx, id, &before));
    TRY(check_version(tx, &before, version));
    struct subscription s = before;
    at = at != 0 ? at : max_i64(tx->now, s.start);
    if (at < tx->now)
        return err_set_at(tx->err, RC_INVALID, STR("/at"),
                          "it cannot change in the past: what was billed stays");
    if (patched(patch, "name"))
        s.name = patch->name;
    TRY(patch_terms(tx, &s, patch, &terms));
    if (terms) {
        TRY(check_change(tx, &before, &s, at));
        /* What was planned for later falls away: the last word holds. */
        TRY(sql_run(tx, "DELETE FROM subscription_term WHERE subscription = $1 AND since > $2",
                    V(id), V(at)));
        TRY(insert_term(tx, &s, at));
    }
    s.version++;
    TRY(sql_run(tx,
                "UPDATE subscription SET version = $2, seller = $3, agreement = $4, plan = $5, "
                "name = $6, changed = $7 WHERE id = $1",
                V(id), V(s.version), V(s.seller), V(s.agreement), V(s.plan), value_opt(s.name),
                V(tx->now)));
    TRY(tell(tx, &s, "event.subscription.changed"));
    return subscription_get(tx, id, ret);
}

enum rc subscription_end(struct tx *tx, struct str id, time_us at, struct subscription *ret)
{
    struct subscription s;
    TRY(subscription_get(tx, id, &s));
    TRY(check_version(tx, &s, 0));
    at = at != 0 ? at : tx->now;
    if (at < tx->now)
        return err_set_at(tx->err, RC_INVALID, STR("/at"), "it cannot end in the past");
    s.version++;
    TRY(sql_run(tx,
                "UPDATE subscription SET version = $2, ends = $3, state = $4, changed = $5 "
                "WHERE id = $1",
                V(id), V(s.version), V(max_i64(at, s.start)),
                V(subscription_states[SUBSCRIPTION_ENDED]), V(tx->now)));
    TRY(tell(tx, &s, "event.subscription.ended"));
    return subscription_get(tx, id, ret);
}

/* --- families --- */

static int64_t overlap_s(time_us a, time_us b, time_us from, time_us until)
{
    time_us begin = max_i64(a, from);
    time_us end = min_i64(b, until);
    return end > begin ? (end - begin) / US_PER_SECOND : 0;
}

/* The children of one, each with its time; appended to those that are still to be asked. */
static enum rc add_children(struct tx *tx, struct str parent, time_us from, time_us until,
                            struct str *queue, size_t *count, struct quantity *sum)
{
    struct str after = STR("");
    for (;;) {
        struct rows rows;
        TRY(sql_rows(tx, &rows,
                     "SELECT s.id, s.start, s.ends FROM subscription s WHERE s.parent = $1 "
                     "AND s.id > $2 ORDER BY s.id LIMIT $3",
                     V(parent), V(after), V((int64_t)FAMILY_STEP)));
        for (size_t i = 0; i < rows.count; i++) {
            struct quantity seconds = {
                overlap_s(row_int(&rows, i, 1), row_int(&rows, i, 2), from, until), 0};
            if (*count == SUBSCRIPTION_FAMILY_MAX)
                return err_set(tx->err, RC_TOO_LARGE, "a family has at most %d members",
                               SUBSCRIPTION_FAMILY_MAX);
            queue[(*count)++] = row_str(&rows, i, 0);
            TRY(quantity_add(*sum, seconds, sum, tx->err));
        }
        if (rows.count < FAMILY_STEP)
            return RC_OK;
        after = row_str(&rows, rows.count - 1, 0);
    }
}

enum rc subscription_descendants(struct tx *tx, struct str id, time_us from, time_us until,
                                 struct quantity *ret)
{
    size_t count = 0;
    struct quantity sum = {0};
    struct str *queue = NEW_N(tx->arena, struct str, SUBSCRIPTION_FAMILY_MAX);
    TRY(add_children(tx, id, from, until, queue, &count, &sum));
    for (size_t i = 0; i < count; i++)
        TRY(add_children(tx, queue[i], from, until, queue, &count, &sum));
    *ret = sum;
    return RC_OK;
}
