/*
 * metered_fixture.h - a client with subscriptions, and a meter of each kind. Only for tests and
 * benchmarks: everything here asserts.
 */
#ifndef CATALOG_METERED_FIXTURE_H
#define CATALOG_METERED_FIXTURE_H

#include "catalog/subscription.h"
#include "channel/channel_fixture.h"

enum { METER_KINDS = METER_COUNTER + 1, METERED_MAX = 16 };

struct metered {
    struct str op;
    struct str client;
    struct str agreement;
    struct str plan;
    int64_t meters[METER_KINDS]; /* numbers, by kind; scale 2 */
    size_t count;
    struct str subscriptions[METERED_MAX];
};

static inline struct str metered_subscribe(struct tx *tx, const struct metered *m)
{
    struct subscription s;
    struct subscription fresh = {.agreement = m->agreement, .plan = m->plan, .quantity = STR("1")};
    OK(tx, subscription_create(tx, &fresh, &s));
    return s.id;
}

static inline struct str metered_plan(struct tx *tx, struct str op)
{
    struct item item;
    struct plan plan;
    struct charge charge = {.set = schema_all(&charge_schema),
                            .label = STR("VM"),
                            .kind = CHARGE_FLAT,
                            .price = STR("10")};
    struct item fresh_item = {.code = STR("vm"),
                              .name = STR("VM"),
                              .category = STR("vm"),
                              .unit = STR("MON"),
                              .income = STR("VPS")};
    struct plan fresh_plan = {.item = STR("vm"),
                              .code = STR("vm-monthly"),
                              .name = STR("VM"),
                              .currency = STR("EUR"),
                              .charges = {&charge, 1}};
    OK(tx, item_create(tx, op, &fresh_item, &item));
    OK(tx, plan_create(tx, &fresh_plan, &plan));
    return plan.id;
}

/* A meter of each kind. */
static inline void metered_meters(struct tx *tx, struct metered *m)
{
    for (int64_t kind = 0; kind < METER_KINDS; kind++) {
        struct meter made;
        struct meter fresh = {.code = arena_fmt(tx->arena, "m%lld", (long long)kind),
                              .kind = kind,
                              .unit = STR("C62"),
                              .scale = 2};
        OK(tx, meter_create(tx, m->op, &fresh, &made));
        m->meters[kind] = made.number;
    }
}

/* Texts live in the arena, which outlives tx->arena where it is another. */
static inline void metered_make(struct tx *tx, size_t count, struct arena *arena, struct metered *m)
{
    ASSERT(count <= METERED_MAX);
    *m = (struct metered){.op = make_operator(tx), .count = count};
    m->client = make_party(tx, "Client", m->op);
    m->agreement = make_supply(tx, m->op, m->client, STR(""), STR(""));
    m->plan = metered_plan(tx, m->op);
    metered_meters(tx, m);
    for (size_t i = 0; i < count; i++)
        m->subscriptions[i] = arena_str(arena, metered_subscribe(tx, m));
    m->op = arena_str(arena, m->op);
    m->client = arena_str(arena, m->client);
    m->agreement = arena_str(arena, m->agreement);
    m->plan = arena_str(arena, m->plan);
}

#endif
