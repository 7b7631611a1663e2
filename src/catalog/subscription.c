#include "catalog/subscription.h"

#include "catalog/code.h"
#include "catalog/family.h"
#include "catalog/window.h"
#include "party/event.h"

#define OPEN_END INT64_MAX

enum { SCRATCH_BYTES = 16 * 1024 * 1024 };

#define COLUMNS                                                                            \
    "s.id, s.version, s.seller, s.client, s.agreement, s.plan, s.parent, s.name, s.zone, " \
    "s.period, s.anchored, s.start, s.ends, s.created, s.changed"
#define TERM_COLUMNS \
    "t.since, t.agreement, t.plan, t.plan_number, t.quantity, t.producer, t.asset, p.item"

/* --- reading --- */

/* The terms in force at an instant, into s; before the beginning the first ones. */
static enum rc read_terms(struct tx *tx, time_us at, struct subscription *s)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " TERM_COLUMNS " FROM subscription_term t JOIN plan p ON p.id = t.plan "
                 "WHERE t.subscription = $1 AND t.since <= $2 ORDER BY t.since DESC LIMIT 1",
                 V(s->id), V(max_i64(at, s->start))));
    ASSERT(rows.count == 1); /* the first ones hold from its start */
    s->agreement = row_str(&rows, 0, 1);
    s->plan = row_str(&rows, 0, 2);
    s->plan_number = row_int(&rows, 0, 3);
    s->quantity = row_str(&rows, 0, 4);
    s->producer = row_str(&rows, 0, 5);
    s->asset = row_str(&rows, 0, 6);
    s->item = row_str(&rows, 0, 7);
    return RC_OK;
}

static enum rc read_row(struct tx *tx, const struct rows *r, size_t row, struct subscription *ret)
{
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
        .state = ends <= tx->now ? SUBSCRIPTION_ENDED : SUBSCRIPTION_ACTIVE,
        .created = row_int(r, row, 13),
        .changed = row_int(r, row, 14),
    };
    TRY(read_terms(tx, tx->now, &s));
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
    terms[count++] = (struct page_term){"s.client = ?" PAGE_OR "s.seller = ?", V(party)};
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

static enum rc check_quantity(struct tx *tx, const struct subscription *s, struct quantity *ret)
{
    const struct quantity most = {SUBSCRIPTION_UNITS_MAX, 0};
    enum rc rc = quantity_parse(s->quantity.n > 0 ? s->quantity : STR("1"), ret, tx->err);
    if (rc != RC_OK)
        err_at(tx->err, STR("/quantity"));
    else if (ret->mantissa <= 0 || quantity_compare(*ret, most) > 0)
        return err_set_at(tx->err, RC_INVALID, STR("/quantity"),
                          "a quantity is above 0 and at most %lld",
                          (long long)SUBSCRIPTION_UNITS_MAX);
    return rc;
}

/* That the client can have this version of a plan by a path. The items are the operator's: a path
 * that begins with somebody else does not sell them. */
static enum rc check_offer(struct tx *tx, const struct supply_path *path, const struct plan *plan,
                           time_us at)
{
    struct item item;
    struct price_steps steps;
    TRY(item_find(tx, plan->item, &item));
    if (!str_eq(path->currency, plan->currency))
        return err_set_at(tx->err, RC_INVALID, STR("/plan"),
                          "the plan is priced in %.*s, the agreement is in %.*s",
                          STRF(plan->currency), STRF(path->currency));
    TRY(price_steps_at(tx, path, item.code, item.category, at, &steps));
    if (!steps.visible || !str_eq(path->edges[0].seller, item.owner))
        return err_set_at(tx->err, RC_INVALID, STR("/plan"),
                          "'%.*s' is not offered by this agreement", STRF(plan->code));
    return RC_OK;
}

static enum rc check_deal(struct tx *tx, const struct subscription *s, time_us at, struct deal *ret)
{
    TRY(named(tx, plan_version(tx, s->plan, s->plan_number, &ret->plan), "/plan"));
    TRY(named(tx, supply_path_at(tx, s->agreement, at, &ret->path), "/agreement"));
    TRY(check_offer(tx, &ret->path, &ret->plan, at));
    return check_quantity(tx, s, &ret->quantity);
}

static enum rc check_party(struct tx *tx, struct str id, const char *pointer)
{
    struct party p;
    return id.n > 0 ? named(tx, party_get(tx, id, &p), pointer) : RC_OK;
}

/* A child goes with its family: by the same agreement, and not longer than what is above it. */
static enum rc check_parent(struct tx *tx, struct subscription *s)
{
    struct subscription parent;
    if (s->parent.n == 0)
        return RC_OK;
    TRY(named(tx, subscription_get(tx, s->parent, &parent), "/parent"));
    if (!str_eq(parent.client, s->client) || !str_eq(parent.agreement, s->agreement))
        return err_set_at(tx->err, RC_INVALID, STR("/parent"),
                          "the subscription above is bought by another agreement");
    if (s->start < parent.start || (parent.ends != 0 && s->start >= parent.ends))
        return err_set_at(tx->err, RC_INVALID, STR("/parent"),
                          "the subscription above does not run at that time");
    if (parent.ends != 0 && (s->ends == 0 || s->ends > parent.ends))
        s->ends = parent.ends;
    return RC_OK;
}

/* An agreement whose end is set supplies nothing beyond it. */
static enum rc check_lasts(struct tx *tx, const struct subscription *s)
{
    struct agreement a;
    TRY(agreement_get(tx, s->agreement, &a));
    return a.ended == 0 || (s->ends != 0 && s->ends <= a.ended)
               ? RC_OK
               : err_set_at(tx->err, RC_INVALID, STR("/ends"), "the agreement ends before that");
}

/* One more of these, or these in the place of others. */
static enum rc check_limits(struct tx *tx, const struct subscription *s, const struct deal *deal,
                            const struct map *instead)
{
    struct limit_units units = {.plan = deal->plan.id,
                                .plan_number = s->plan_number,
                                .item = deal->plan.item,
                                .units = deal->quantity};
    return limit_check(tx, &(struct limit_ask){&deal->path, &units, 1, instead});
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
                "INSERT INTO subscription (id, version, seller, client, agreement, plan, "
                "plan_number, quantity, producer, asset, terms, parent, name, zone, period, "
                "anchored, start, ends, created, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
                "$9, $10, 1, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
                V(s->id), V(s->version), V(s->seller), V(s->client), V(s->agreement), V(s->plan),
                V(s->plan_number), V(s->quantity), value_opt(s->producer), value_opt(s->asset),
                value_opt(s->parent), value_opt(s->name), V(seller.time_zone),
                V(plan_periods[plan->period]), V(s->anchored), V(s->start),
                V(s->ends != 0 ? s->ends : OPEN_END), V(s->created), V(s->changed)));
    return insert_term(tx, s, s->start);
}

/* The plan by its id or its code; its newest version. */
static enum rc choose_plan(struct tx *tx, struct subscription *s)
{
    struct plan plan;
    struct item item;
    enum rc rc =
        id_is(s->plan, "pln") ? plan_get(tx, s->plan, &plan) : plan_find(tx, s->plan, &plan);
    TRY(named(tx, rc, "/plan"));
    TRY(item_find(tx, plan.item, &item));
    if (plan.retired || item.state == ITEM_RETIRED)
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
    TRY(check_lasts(tx, &s));
    TRY(check_limits(tx, &s, deal, NULL));
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

static enum rc check_fixed(struct tx *tx, const struct subscription *patch)
{
    static const char *const fixed[] = {"parent", "anchored", "start", "ends"};
    for (size_t i = 0; i < COUNT(fixed); i++)
        if (patched(patch, fixed[i]))
            return err_set_at(tx->err, RC_INVALID, arena_fmt(tx->arena, "/%s", fixed[i]),
                              "this does not change");
    return RC_OK;
}

/* --- what is paid in parts --- */

/* Instalments and one-time charges are of the life of a subscription from its beginning. */
static bool has_parts(const struct plan *plan, int64_t *ret_parts)
{
    const struct charge *charges = plan->charges.items;
    bool any = false;
    *ret_parts = 0;
    for (size_t i = 0; i < plan->charges.count; i++) {
        any = any || charges[i].kind == CHARGE_ONE_TIME || charges[i].kind == CHARGE_INSTALMENT;
        if (charges[i].kind == CHARGE_INSTALMENT)
            *ret_parts = max_i64(*ret_parts, charges[i].instalments);
    }
    return any;
}

/* That all instalments of its plan have begun before an instant: the sellers above have paid. */
static enum rc check_paid(struct tx *tx, const struct subscription *s, time_us at)
{
    struct plan plan;
    struct subscription_facts facts;
    int64_t parts = 0;
    TRY(plan_version(tx, s->plan, s->plan_number, &plan));
    if (!has_parts(&plan, &parts) || parts == 0)
        return RC_OK;
    TRY(subscription_facts(tx, s->id, &facts));
    int64_t begun = at > s->start ? window_number(&facts, at - 1) : 0;
    return begun >= parts
               ? RC_OK
               : err_set(tx->err, RC_CONFLICT,
                         "subscription '%.*s': %lld of %lld instalments are left to be paid",
                         STRF(s->id), (long long)(parts - begun), (long long)parts);
}

/* The same of members of a family, which have this plan. */
static enum rc check_members_paid(struct tx *tx, const struct list *members,
                                  const struct limit_units *u, time_us at)
{
    const struct str *ids = members->items;
    struct arena scratch;
    struct tx side = *tx;
    enum rc rc = RC_OK;
    arena_init(&scratch, SCRATCH_BYTES);
    side.arena = &scratch;
    for (size_t i = 0; i < members->count && rc == RC_OK; i++) {
        struct subscription member;
        rc = subscription_get(&side, ids[i], &member);
        member.plan = u->plan;
        member.plan_number = u->plan_number;
        if (rc == RC_OK)
            rc = check_paid(&side, &member, max_i64(at, member.start));
        arena_reset(&scratch);
    }
    arena_fini(&scratch);
    return rc;
}

/* Of it and of all that is below it. */
static enum rc check_family_paid(struct tx *tx, const struct subscription *s, time_us at)
{
    struct limit_units *units = NULL;
    struct map ids;
    size_t count = 0;
    TRY(family_units(tx, s->id, &ids, &units, &count));
    struct list members = {.items = NEW_N(tx->arena, struct str, ids.count)};
    for (size_t i = 0; i < count; i++) {
        struct plan plan;
        int64_t parts = 0;
        TRY(plan_version(tx, units[i].plan, units[i].plan_number, &plan));
        if (!has_parts(&plan, &parts) || parts == 0)
            continue;
        TRY(family_with_plan(tx, s->id, &units[i], ids.count, &members));
        TRY(check_members_paid(tx, &members, &units[i], at));
    }
    return RC_OK;
}

/* --- changes --- */

/* Lay what changes over the terms that hold then; *ret: whether any of them does. */
static enum rc patch_terms(struct tx *tx, struct subscription *s, const struct subscription *patch,
                           bool *ret)
{
    *ret = patched(patch, "plan") || patched(patch, "quantity") || patched(patch, "producer") ||
           patched(patch, "asset");
    if (patched(patch, "quantity"))
        s->quantity = patch->quantity.n > 0 ? patch->quantity : STR("1");
    if (patched(patch, "producer"))
        s->producer = patch->producer;
    if (patched(patch, "asset"))
        s->asset = patch->asset;
    if (!patched(patch, "plan"))
        return RC_OK;
    s->plan = patch->plan;
    return choose_plan(tx, s);
}

static enum rc check_plan_change(struct tx *tx, const struct subscription *before,
                                 const struct subscription *s, const struct plan *plan, time_us at)
{
    struct plan old;
    int64_t parts = 0;
    if (str_eq(before->plan, s->plan) && before->plan_number == s->plan_number)
        return RC_OK;
    TRY(plan_version(tx, before->plan, before->plan_number, &old));
    if (old.period != plan->period)
        return err_set_at(tx->err, RC_INVALID, STR("/plan"),
                          "the plan has another period: end this one and begin another");
    if (has_parts(plan, &parts))
        return err_set_at(tx->err, RC_INVALID, STR("/plan"),
                          "what is paid once or in parts is begun, not changed to");
    return check_paid(tx, before, at);
}

static enum rc count_terms(struct tx *tx, struct str id)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COUNT(*) FROM subscription_term WHERE subscription = $1",
                 V(id)));
    return row_int(&rows, 0, 0) < SUBSCRIPTION_TERMS_MAX
               ? RC_OK
               : err_set(tx->err, RC_CONFLICT, "a subscription has at most %d terms: begin another",
                         SUBSCRIPTION_TERMS_MAX);
}

/* Terms from an instant on. before: those that held then. */
static enum rc change_terms(struct tx *tx, const struct subscription *before,
                            struct subscription *s, time_us at)
{
    struct deal *deal = NEW(tx->arena, struct deal);
    struct map self;
    map_init(&self, tx->arena, (const uint64_t[2]){0, 0});
    (void)map_put(&self, s->id, &self);
    TRY(check_deal(tx, s, at, deal));
    TRY(check_party(tx, s->producer, "/producer"));
    TRY(check_plan_change(tx, before, s, &deal->plan, at));
    TRY(check_limits(tx, s, deal, &self));
    TRY(count_terms(tx, s->id));
    TRY(sql_run(tx, "DELETE FROM subscription_term WHERE subscription = $1 AND since > $2",
                V(s->id), V(at)));
    return insert_term(tx, s, at);
}

/* Now, with all that is below. */
static enum rc move(struct tx *tx, struct subscription *s, struct str agreement)
{
    struct supply_path *path = NEW(tx->arena, struct supply_path);
    struct limit_units *units = NULL;
    struct map ids;
    size_t count = 0;
    TRY(named(tx, supply_path_at(tx, agreement, tx->now, path), "/agreement"));
    const struct supply_edge *edge = &path->edges[path->count - 1];
    if (!str_eq(edge->buyer, s->client))
        return err_set_at(tx->err, RC_INVALID, STR("/agreement"),
                          "that agreement supplies another client");
    if (s->parent.n > 0)
        return err_set(tx->err, RC_CONFLICT, "it goes with its family: move '%.*s'",
                       STRF(s->parent));
    TRY(family_units(tx, s->id, &ids, &units, &count));
    for (size_t i = 0; i < count; i++) {
        struct plan plan;
        TRY(plan_version(tx, units[i].plan, units[i].plan_number, &plan));
        TRY(check_offer(tx, path, &plan, tx->now));
    }
    TRY(limit_check(tx, &(struct limit_ask){path, units, count, &ids}));
    if (!str_eq(edge->seller, s->seller)) /* who has paid in advance what is paid in parts */
        TRY(check_family_paid(tx, s, tx->now));
    TRY(family_move(tx, s->id, agreement, edge->seller));
    TRY(sql_run(tx,
                "UPDATE subscription_term SET agreement = $3 WHERE subscription = $1 "
                "AND since > $2",
                V(s->id), V(tx->now), V(agreement)));
    s->agreement = agreement;
    s->seller = edge->seller;
    TRY(check_lasts(tx, s));
    if (s->start > tx->now)
        return RC_OK;
    TRY(count_terms(tx, s->id));
    return insert_term(tx, s, tx->now);
}

static enum rc check_at(struct tx *tx, const struct subscription *s,
                        const struct subscription *patch, time_us asked, time_us at)
{
    if (asked != 0 && asked < max_i64(tx->now, s->start))
        return err_set_at(tx->err, RC_INVALID, STR("at"),
                          "it cannot change in the past: what was billed stays");
    if (s->ends != 0 && at >= s->ends)
        return err_set_at(tx->err, RC_INVALID, STR("at"), "it has ended then");
    if (patched(patch, "agreement") && asked > tx->now)
        return err_set_at(tx->err, RC_INVALID, STR("at"),
                          "the agreement changes at once, not later");
    return check_fixed(tx, patch);
}

enum rc subscription_change(struct tx *tx, struct str id, int64_t version, time_us at,
                            const struct subscription *patch, struct subscription *ret)
{
    struct subscription s;
    time_us asked = at;
    bool terms = false;
    TRY(subscription_get(tx, id, &s));
    TRY(check_version(tx, &s, version));
    at = at != 0 ? at : max_i64(tx->now, s.start);
    TRY(check_at(tx, &s, patch, asked, at));
    struct str seller = s.seller;
    if (patched(patch, "agreement") && !str_eq(patch->agreement, s.agreement))
        TRY(move(tx, &s, patch->agreement));
    TRY(read_terms(tx, at, &s));
    struct subscription before = s;
    TRY(patch_terms(tx, &s, patch, &terms));
    if (terms)
        TRY(change_terms(tx, &before, &s, at));
    if (patched(patch, "name"))
        s.name = patch->name;
    s.version++;
    TRY(sql_run(tx,
                "UPDATE subscription SET version = $2, seller = $3, agreement = $4, name = $5, "
                "changed = $6, terms = (SELECT COUNT(*) FROM subscription_term t "
                "WHERE t.subscription = $1), (plan, plan_number, quantity, producer, asset) = "
                "(SELECT t.plan, t.plan_number, t.quantity, t.producer, t.asset "
                "FROM subscription_term t WHERE t.subscription = $1 "
                "ORDER BY t.since DESC LIMIT 1) WHERE id = $1",
                V(id), V(s.version), V(s.seller), V(s.agreement), value_opt(s.name), V(tx->now)));
    if (!str_eq(seller, s.seller)) /* to whom it is gone */
        TRY(event_put(tx, "event.subscription.moved", seller, "subscription", id, s.version,
                      STR("")));
    TRY(tell(tx, &s, "event.subscription.changed"));
    return subscription_get(tx, id, ret);
}

enum rc subscription_end(struct tx *tx, struct str id, time_us at, struct subscription *ret)
{
    struct subscription s;
    TRY(subscription_get(tx, id, &s));
    TRY(check_version(tx, &s, 0));
    if (at != 0 && at < tx->now)
        return err_set_at(tx->err, RC_INVALID, STR("/at"), "it cannot end in the past");
    at = max_i64(at != 0 ? at : tx->now, s.start);
    if (s.ends != 0 && at > s.ends)
        return err_set(tx->err, RC_CONFLICT, "it ends before that already");
    TRY(check_family_paid(tx, &s, at));
    TRY(family_end(tx, id, at));
    s.version++;
    TRY(sql_run(tx, "UPDATE subscription SET version = $2, ends = $3, changed = $4 WHERE id = $1",
                V(id), V(s.version), V(at), V(tx->now)));
    TRY(tell(tx, &s, "event.subscription.ended"));
    return subscription_get(tx, id, ret);
}
