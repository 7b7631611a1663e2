/*
 * service_need.c - what a service uses: one that its client named, one that he has and shares, or
 * one that is ordered with it.
 */
#include "catalog/subscription.h"
#include "fleet/service_inside.h"

enum { NEED_OFFERS_MAX = 50 }; /* of a kind that are looked at */

enum rc service_own(struct tx *tx, struct str client, struct str id, const char *pointer,
                    struct service *ret)
{
    enum rc rc = id_is(id, "svc") ? service_get(tx, id, ret) : RC_NOT_FOUND;
    if (rc == RC_NOT_FOUND || (rc == RC_OK && !str_eq(ret->client, client)))
        return err_set_at(tx->err, RC_INVALID, str_c(pointer), "you have no service '%.*s'",
                          STRF(id));
    TRY(rc);
    if (ret->wanted == SPEC_GONE || ret->state == SERVICE_REFUSED)
        return err_set_at(tx->err, RC_INVALID, str_c(pointer), "'%.*s' has ended", STRF(id));
    return RC_OK;
}

/* --- a plan to order it by --- */

/* What it costs a period whatever is used. */
static enum rc fixed_price(struct tx *tx, const struct list *prices, struct price *ret)
{
    const struct price_row *rows = prices->items;
    struct price sum = {0};
    for (size_t i = 0; i < prices->count; i++) {
        struct price one;
        if (rows[i].kind != CHARGE_FLAT)
            continue;
        TRY(price_parse(rows[i].price, &one, tx->err));
        TRY(price_add(sum, one, &sum, tx->err));
    }
    *ret = sum;
    return RC_OK;
}

/* The one that costs least of those that are sold by the agreement for the same period, and to
 * which no seller says yes first. */
static enum rc choose_plan(struct tx *tx, const struct need_order *o, struct need_met *met)
{
    struct rows rows;
    struct price least = {0};
    TRY(sql_rows(tx, &rows,
                 "SELECT o.plan FROM offer o WHERE o.profile = $1 AND o.approval = 0 "
                 "ORDER BY o.id LIMIT $2",
                 V(met->need->profile), V((int64_t)NEED_OFFERS_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        struct plan plan;
        struct price price;
        struct list prices;
        bool sold = false;
        TRY(plan_get(tx, row_str(&rows, i, 0), &plan));
        if (plan.period != o->period)
            continue;
        TRY(catalog_plan_prices(tx, o->agreement, o->client, &plan, &sold, &prices));
        if (!sold)
            continue;
        TRY(fixed_price(tx, &prices, &price));
        if (met->plan.n > 0 && price_compare(price, least) >= 0)
            continue;
        least = price;
        met->plan = plan.id;
        met->code = plan.code;
        met->prices = prices;
    }
    if (met->plan.n == 0)
        return err_set_at(tx->err, RC_INVALID, met->pointer,
                          "no '%.*s' is sold to you for the same period: name one of yours, or the "
                          "plan of a new one",
                          STRF(met->need->profile));
    return RC_OK;
}

static enum rc named_plan(struct tx *tx, const struct need_order *o, struct str named,
                          struct need_met *met)
{
    struct plan plan;
    struct offer offer = {.kind = STR("")};
    bool sold = false;
    enum rc rc = id_is(named, "pln") ? plan_get(tx, named, &plan) : plan_find(tx, named, &plan);
    if (rc == RC_OK)
        rc = offer_of_plan(tx, plan.id, &offer);
    if (rc == RC_OK)
        rc = catalog_plan_prices(tx, o->agreement, o->client, &plan, &sold, &met->prices);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && (!sold || !str_eq(offer.kind, met->need->profile))))
        return err_set_at(tx->err, RC_INVALID, met->pointer,
                          "must be a '%.*s' of yours, or a plan by which one is sold to you",
                          STRF(met->need->profile));
    TRY(rc);
    if (offer.approval)
        return err_set_at(tx->err, RC_INVALID, met->pointer,
                          "its seller says yes to each '%.*s': order it first", STRF(plan.code));
    met->plan = plan.id;
    met->code = plan.code;
    return RC_OK;
}

/* --- one of those that the client has --- */

/* At the place that is wished, as it keeps the data of who uses it; the one that fewest use. What
 * is part of another ends with that, and is not shared. */
static enum rc find_shared(struct tx *tx, const struct need_order *o, struct need_met *met)
{
    struct rows rows;
    const struct service_wish *w = o->where;
    TRY(sql_rows(tx, &rows,
                 "SELECT v.id FROM service v JOIN node n ON n.id = v.node "
                 "JOIN site s ON s.id = n.site WHERE v.client = $1 AND v.profile_name = $2 "
                 "AND v.wanted = 'running' AND v.state IN ('running', 'preparing') "
                 "AND v.parent IS NULL AND v.drill_of IS NULL AND ($3 = '' OR s.id = $3) "
                 "AND ($4 = '' OR s.country = $4) AND ($5 = '' OR LOWER(s.city) = LOWER($5)) "
                 "ORDER BY CASE v.state WHEN 'running' THEN 0 ELSE 1 END, "
                 "(SELECT COUNT(*) FROM service_need d WHERE d.needed = v.id), v.id LIMIT 1",
                 V(o->client), V(met->need->profile), V(w->site), V(w->country), V(w->city)));
    if (rows.count > 0)
        met->service = row_str(&rows, 0, 0);
    return RC_OK;
}

/* --- all of them --- */

static enum rc meet_named(struct tx *tx, const struct need_order *o, const struct json *named,
                          struct need_met *met)
{
    struct service other;
    const struct profile_need *need = met->need;
    struct str text = json_type(named) == JSON_STRING ? json_text(named) : STR("");
    if (text.n == 0)
        return err_set_at(tx->err, RC_INVALID, met->pointer, "name a service of the kind '%.*s'",
                          STRF(need->profile));
    met->named = true;
    if (need->ordered && o->orders && !id_is(text, "svc"))
        return named_plan(tx, o, text, met);
    TRY(service_own(tx, o->client, text, met->pointer.p, &other));
    if (!str_eq(other.profile, need->profile))
        return err_set_at(tx->err, RC_INVALID, met->pointer, "must be a '%.*s', not a '%.*s'",
                          STRF(need->profile), STRF(other.profile));
    met->service = other.id;
    return RC_OK;
}

static enum rc meet(struct tx *tx, const struct need_order *o, const struct json *named,
                    struct need_met *met)
{
    if (named != NULL)
        return meet_named(tx, o, named, met);
    if (met->need->shared)
        TRY(find_shared(tx, o, met));
    if (met->service.n > 0)
        return RC_OK;
    if (met->need->ordered && o->orders)
        return choose_plan(tx, o, met);
    return err_set_at(tx->err, RC_INVALID, met->pointer, "name a service of the kind '%.*s'",
                      STRF(met->need->profile));
}

enum rc service_meet(struct tx *tx, const struct need_order *o, const struct profile *p,
                     const struct json *needs, struct need_met *ret)
{
    const struct profile_need *items = p->needs.items;
    size_t named = 0;
    if (needs != NULL && json_type(needs) != JSON_OBJECT)
        return err_set_at(tx->err, RC_INVALID, STR("/needs"),
                          "must be an object: {\"name\": \"svc_...\"}");
    for (size_t i = 0; i < p->needs.count; i++) {
        ret[i] = (struct need_met){
            .need = &items[i], .pointer = arena_fmt(tx->arena, "/needs/%.*s", STRF(items[i].name))};
        TRY(meet(tx, o, needs != NULL ? json_get(needs, items[i].name) : NULL, &ret[i]));
        named += ret[i].named;
    }
    if (needs != NULL && needs->n != named)
        return err_set_at(tx->err, RC_INVALID, STR("/needs"),
                          "there is more than this kind of service needs");
    return RC_OK;
}

struct str service_needs_text(struct tx *tx, const struct need_met *met, size_t count)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, tx->arena, KIND_PARAMETERS_BYTES_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    for (size_t i = 0; i < count; i++) {
        json_put_key(&w, met[i].need->name);
        json_put_str(&w, met[i].service);
    }
    json_end_object(&w);
    ASSERT(!b.full); /* four names and ids at most */
    return buf_str(&b);
}

enum rc service_keep_needs(struct tx *tx, struct str service, const struct need_met *met,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        TRY(sql_run(tx, "INSERT INTO service_need (service, name, needed) VALUES ($1, $2, $3)",
                    V(service), V(met[i].need->name), V(met[i].service)));
    return RC_OK;
}

/* --- told --- */

static struct service_part part_of(const struct need_met *m)
{
    struct service_part p = {
        .need = m->need != NULL ? m->need->name : STR(""), .service = m->service, .plan = m->code};
    p.set = schema_bit(&service_part_schema, "need") | schema_bit(&service_part_schema, "plan") |
            schema_bit(&service_part_schema, "charge") | schema_bit(&service_part_schema, "up_to") |
            schema_bit(&service_part_schema, "unit") | schema_bit(&service_part_schema, "price") |
            schema_bit(&service_part_schema, "currency");
    if (p.service.n > 0)
        p.set |= schema_bit(&service_part_schema, "service");
    return p;
}

struct list service_parts(struct tx *tx, const struct need_met *met, size_t count)
{
    size_t rows = 0, max = 0;
    for (size_t i = 0; i < count; i++)
        max += met[i].prices.count + 1;
    struct service_part *parts = NEW_N(tx->arena, struct service_part, max);
    for (size_t i = 0; i < count; i++) {
        const struct price_row *prices = met[i].prices.items;
        if (met[i].prices.count == 0) /* nothing more is paid for it */
            parts[rows++] = part_of(&met[i]);
        for (size_t k = 0; k < met[i].prices.count; k++) {
            struct service_part *p = &parts[rows++];
            *p = part_of(&met[i]);
            p->charge = prices[k].charge;
            p->up_to = prices[k].up_to;
            p->unit = prices[k].unit;
            p->price = prices[k].price;
            p->currency = prices[k].currency;
        }
    }
    return (struct list){parts, rows};
}
