/*
 * prices.c - what one side of an agreement sees of its prices.
 */
#include "catalog/subscription.h"

enum { PRICE_ROWS_MAX = 10000, PLANS_MAX = 10000 };

struct board {
    struct tx *tx;
    const struct supply_path *path;
    bool seller; /* who asks sells on the last edge: its own cost is shown */
    size_t count;
    struct price_row *rows;
};

static struct str price_text(struct price p, struct arena *arena)
{
    char text[PRICE_TEXT_MAX];
    size_t n = price_format(p, text);
    return arena_str(arena, str_n(text, n));
}

static enum rc add_row(struct board *b, const struct plan *plan, const struct item *item,
                       const struct charge *charge, struct str up_to, struct price list,
                       const struct price_steps *steps)
{
    struct price prices[SUPPLY_DEPTH_MAX];
    struct price margin;
    struct arena *arena = b->tx->arena;
    size_t last = b->path->count - 1;
    TRY(price_steps_apply(steps, list, prices, b->tx->err));
    if (b->count == PRICE_ROWS_MAX)
        return err_set(b->tx->err, RC_TOO_LARGE, "the agreement has more than %d prices",
                       PRICE_ROWS_MAX);
    struct price_row *row = &b->rows[b->count++];
    *row = (struct price_row){.set = schema_all(&price_row_schema),
                              .item = item->code,
                              .plan = plan->code,
                              .charge = charge->label,
                              .up_to = up_to,
                              .unit = item->unit,
                              .price = price_text(prices[last], arena),
                              .msrp = steps->steps[last].msrp,
                              .currency = b->path->currency};
    if (!b->seller || last == 0)
        return RC_OK;
    struct price minus = {-prices[last - 1].mantissa, prices[last - 1].scale};
    TRY(price_add(prices[last], minus, &margin, b->tx->err));
    row->cost = price_text(prices[last - 1], arena);
    row->margin = price_text(margin, arena);
    return RC_OK;
}

static enum rc add_charge(struct board *b, const struct plan *plan, const struct item *item,
                          const struct charge *charge, const struct price_steps *steps)
{
    struct charge_rule rule;
    const struct charge_tier *tiers = charge->tiers.items;
    TRY(charge_parse(charge, &rule, b->tx->err));
    if (rule.kind == CHARGE_MINIMUM)
        return add_row(b, plan, item, charge, STR(""), rule.minimum, steps);
    if (rule.step_count == 0)
        return rule.price.mantissa != 0 ? add_row(b, plan, item, charge, STR(""), rule.price, steps)
                                        : RC_OK;
    for (size_t i = 0; i < rule.step_count; i++) {
        struct price p =
            rule.steps[i].price.mantissa != 0 ? rule.steps[i].price : rule.steps[i].flat;
        TRY(add_row(b, plan, item, charge, tiers[i].up_to, p, steps));
    }
    return RC_OK;
}

static enum rc add_plan(struct board *b, const struct plan *plan, time_us at)
{
    struct item item;
    struct price_steps steps;
    if (plan->retired || !str_eq(plan->currency, b->path->currency))
        return RC_OK;
    TRY(item_find(b->tx, plan->item, &item));
    TRY(price_steps_at(b->tx, b->path, item.code, item.category, at, &steps));
    if (!steps.visible || item.state == ITEM_RETIRED)
        return RC_OK;
    const struct charge *charges = plan->charges.items;
    for (size_t i = 0; i < plan->charges.count; i++)
        TRY(add_charge(b, plan, &item, &charges[i], &steps));
    return RC_OK;
}

enum rc catalog_prices(struct tx *tx, struct str agreement, struct str side, time_us at,
                       struct list *ret)
{
    struct supply_path *path = NEW(tx->arena, struct supply_path);
    struct plan_query q = {.page = {.limit = PAGE_LIMIT_MAX}};
    TRY(supply_path_at(tx, agreement, at, path));
    const struct supply_edge *edge = &path->edges[path->count - 1];
    struct board b = {.tx = tx,
                      .path = path,
                      .seller = str_eq(side, edge->seller),
                      .rows = NEW_N(tx->arena, struct price_row, PRICE_ROWS_MAX)};
    ASSERT(b.seller || str_eq(side, edge->buyer));
    for (size_t done = 0; done < PLANS_MAX;) {
        struct page page;
        TRY(plan_list(tx, &q, &page));
        const struct plan *plans = page.items.items;
        for (size_t i = 0; i < page.items.count; i++)
            TRY(add_plan(&b, &plans[i], at));
        if (page.next.n == 0)
            break;
        done += page.items.count;
        q.page.after = page.next;
    }
    *ret = (struct list){b.rows, b.count};
    return RC_OK;
}
