/*
 * catalog_fixture.h - items, plans and subscriptions in a line each. Only for tests: everything
 * here asserts.
 */
#ifndef CATALOG_CATALOG_FIXTURE_H
#define CATALOG_CATALOG_FIXTURE_H

#include "catalog/subscription.h"
#include "channel/channel_fixture.h"

static inline struct str make_item(struct tx *tx, struct str owner, const char *code)
{
    struct item i;
    struct item fresh = {.code = str_c(code), .name = str_c(code), .category = STR("vm")};
    OK(tx, item_create(tx, owner, &fresh, &i));
    return i.id;
}

static inline struct str make_meter(struct tx *tx, struct str owner, const char *code,
                                    enum meter_kind kind)
{
    struct meter m;
    struct meter fresh = {.code = str_c(code), .kind = kind, .unit = STR("GB"), .scale = 3};
    OK(tx, meter_create(tx, owner, &fresh, &m));
    return m.id;
}

/* Of the item with this code, which is made where it is not there; the plan's code is the same
 * with the period behind. */
static inline struct plan make_plan(struct tx *tx, struct str owner, const char *item,
                                    enum plan_period period, struct charge *charges, size_t count)
{
    struct plan p;
    struct item have;
    if (item_find(tx, str_c(item), &have) != RC_OK)
        (void)make_item(tx, owner, item);
    err_clear(tx->err);
    struct plan fresh = {.item = str_c(item),
                         .code = arena_fmt(tx->arena, "%s-%s", item, plan_periods[period]),
                         .name = str_c(item),
                         .period = period,
                         .charges = {charges, count}};
    OK(tx, plan_create(tx, &fresh, &p));
    return p;
}

static inline struct plan make_flat(struct tx *tx, struct str owner, const char *item,
                                    enum plan_period period, const char *price)
{
    struct charge flat = {.label = str_c(item), .kind = CHARGE_FLAT, .price = str_c(price)};
    return make_plan(tx, owner, item, period, &flat, 1);
}

static inline struct subscription make_subscription(struct tx *tx, struct str agreement,
                                                    struct str plan, const char *quantity)
{
    struct subscription s;
    struct subscription fresh = {.agreement = agreement, .plan = plan, .quantity = str_c(quantity)};
    OK(tx, subscription_create(tx, &fresh, &s));
    return s;
}

static inline struct subscription make_child(struct tx *tx, const struct subscription *parent,
                                             struct str plan)
{
    struct subscription s;
    struct subscription fresh = {
        .agreement = parent->agreement, .plan = plan, .parent = parent->id};
    OK(tx, subscription_create(tx, &fresh, &s));
    return s;
}

#endif
