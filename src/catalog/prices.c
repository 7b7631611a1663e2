/*
 * prices.c - what one side of an agreement sees of its prices.
 */
#include "catalog/subscription.h"

enum { PRICE_ROWS_MAX = 10000, PLANS_MAX = 10000, ITEMS_PASSED_MAX = 10000 };
enum { PLAN_ROWS_MAX = PLAN_CHARGES_MAX * 2 * CHARGE_TIERS_MAX };
enum { SCRATCH_BYTES = 16 * 1024 * 1024 };

struct board {
    struct tx *tx;
    const struct supply_path *path;
    bool seller; /* who asks sells on the last edge: its own cost is shown */
    bool sold;   /* some plan was */
    size_t count;
    struct price_row *rows;
};

static struct str price_text(struct price p, struct arena *arena)
{
    char text[PRICE_TEXT_MAX];
    size_t n = price_format(p, text);
    return arena_str(arena, str_n(text, n));
}

/* A price point of a charge: what of, and for how much. */
struct point {
    const struct plan *plan;
    const struct item *item;
    const struct price_steps *steps;
    int64_t kind;
    struct str label;
    struct str up_to;
    struct str unit;
    struct price list;
};

static enum rc add_row(struct board *b, const struct point *p)
{
    struct price prices[SUPPLY_DEPTH_MAX];
    struct price margin;
    struct arena *arena = b->tx->arena;
    size_t last = b->path->count - 1;
    TRY(price_steps_apply(p->steps, p->list, prices, b->tx->err));
    if (b->count == PRICE_ROWS_MAX)
        return err_set(b->tx->err, RC_TOO_LARGE, "the agreement has more than %d prices",
                       PRICE_ROWS_MAX);
    struct price_row *row = &b->rows[b->count++];
    *row = (struct price_row){.set = schema_all(&price_row_schema),
                              .kind = p->kind,
                              .item = p->item->code,
                              .plan = p->plan->code,
                              .charge = p->label,
                              .up_to = p->up_to,
                              .unit = p->unit,
                              .price = price_text(prices[last], arena),
                              .msrp = p->steps->steps[last].msrp,
                              .currency = b->path->currency};
    if (!b->seller || last == 0)
        return RC_OK;
    struct price minus = {-prices[last - 1].mantissa, prices[last - 1].scale};
    TRY(price_add(prices[last], minus, &margin, b->tx->err));
    row->cost = price_text(prices[last - 1], arena);
    row->margin = price_text(margin, arena);
    return RC_OK;
}

/* Of a unit of money, as people write it: "3.36". */
static struct str percent_text(struct price p, struct arena *arena)
{
    enum { HUNDRED = 2, TEN = 10 };
    while (p.scale < HUNDRED) {
        p.mantissa *= TEN; /* a whole percentage and more: far from the edge */
        p.scale++;
    }
    p.scale -= HUNDRED;
    while (p.scale > 0 && p.mantissa % TEN == 0) {
        p.mantissa /= TEN;
        p.scale--;
    }
    return price_text(p, arena);
}

static enum rc add_percent(struct board *b, const struct point *p)
{
    struct price prices[SUPPLY_DEPTH_MAX];
    struct price margin;
    struct arena *arena = b->tx->arena;
    size_t last = b->path->count - 1;
    TRY(price_steps_percent(p->steps, p->list, prices, b->tx->err));
    if (b->count == PRICE_ROWS_MAX)
        return err_set(b->tx->err, RC_TOO_LARGE, "the agreement has more than %d prices",
                       PRICE_ROWS_MAX);
    struct price_row *row = &b->rows[b->count++];
    *row = (struct price_row){.set = schema_all(&price_row_schema),
                              .kind = p->kind,
                              .item = p->item->code,
                              .plan = p->plan->code,
                              .charge = p->label,
                              .unit = STR("%"),
                              .price = percent_text(prices[last], arena),
                              .currency = b->path->currency};
    if (!b->seller || last == 0)
        return RC_OK;
    struct price minus = {-prices[last - 1].mantissa, prices[last - 1].scale};
    TRY(price_add(prices[last], minus, &margin, b->tx->err));
    row->cost = percent_text(prices[last - 1], arena);
    row->margin = percent_text(margin, arena);
    return RC_OK;
}

static enum rc add_tiers(struct board *b, struct point *p, const struct charge_rule *rule,
                         const struct charge *charge)
{
    const struct charge_tier *tiers = charge->tiers.items;
    struct str unit = p->unit;
    for (size_t i = 0; i < rule->step_count; i++) {
        p->up_to = tiers[i].up_to;
        p->unit = unit;
        p->list = rule->steps[i].price;
        if (tiers[i].price.n > 0)
            TRY(add_row(b, p));
        p->unit = STR("");
        p->list = rule->steps[i].flat;
        if (tiers[i].flat.n > 0)
            TRY(add_row(b, p));
    }
    return RC_OK;
}

static enum rc add_charge(struct board *b, struct point *p, const struct charge *charge)
{
    struct charge_rule rule = {0};
    struct meter meter = {0};
    TRY(charge_parse(charge, &rule, b->tx->err));
    p->kind = charge->kind;
    p->label = charge->label;
    p->up_to = STR("");
    p->unit = p->item->unit;
    p->list = rule.price;
    if (charge->meter.n > 0) {
        TRY(meter_find(b->tx, charge->meter, &meter));
        p->unit = meter.unit;
    }
    if (rule.kind == CHARGE_PACKAGE)
        p->unit = arena_fmt(b->tx->arena, "%.*s %.*s", STRF(charge->package), STRF(meter.unit));
    if (rule.kind == CHARGE_MINIMUM) {
        p->unit = STR("");
        p->list = rule.minimum;
    }
    if (rule.kind == CHARGE_PERCENT)
        return add_percent(b, p);
    return rule.step_count > 0 ? add_tiers(b, p, &rule, charge) : add_row(b, p);
}

/* Whether a path sells an item. The items are the operator's: none is sold by a path that does not
 * begin with it, whose seller would else read the list prices. */
static enum rc is_sold(struct tx *tx, const struct supply_path *path, const struct item *item,
                       time_us at, struct price_steps *steps, bool *ret)
{
    TRY(price_steps_at(tx, path, item->code, item->category, at, steps));
    *ret =
        steps->visible && item->state == ITEM_ACTIVE && str_eq(path->edges[0].seller, item->owner);
    return RC_OK;
}

static enum rc add_plan(struct board *b, const struct plan *plan, time_us at)
{
    struct item item;
    struct price_steps steps;
    bool sold = false;
    if (plan->retired || !str_eq(plan->currency, b->path->currency))
        return RC_OK;
    TRY(item_find(b->tx, plan->item, &item));
    TRY(is_sold(b->tx, b->path, &item, at, &steps, &sold));
    if (!sold)
        return RC_OK;
    b->sold = true;
    struct point p = {.plan = plan, .item = &item, .steps = &steps};
    const struct charge *charges = plan->charges.items;
    for (size_t i = 0; i < plan->charges.count; i++)
        TRY(add_charge(b, &p, &charges[i]));
    return RC_OK;
}

static enum rc begin_board(struct tx *tx, struct str agreement, struct str side, time_us at,
                           size_t rows, struct board *ret)
{
    struct supply_path *path = NEW(tx->arena, struct supply_path);
    TRY(supply_path_at(tx, agreement, at, path));
    const struct supply_edge *edge = &path->edges[path->count - 1];
    *ret = (struct board){.tx = tx,
                          .path = path,
                          .seller = str_eq(side, edge->seller),
                          .rows = NEW_N(tx->arena, struct price_row, rows)};
    ASSERT(ret->seller || str_eq(side, edge->buyer));
    return RC_OK;
}

enum rc catalog_plan_prices(struct tx *tx, struct str agreement, struct str side,
                            const struct plan *plan, bool *ret_sold, struct list *ret)
{
    struct board b;
    TRY(begin_board(tx, agreement, side, tx->now, PLAN_ROWS_MAX, &b));
    TRY(add_plan(&b, plan, tx->now));
    ASSERT(b.count <= PLAN_ROWS_MAX);
    *ret_sold = b.sold;
    *ret = (struct list){b.rows, b.count};
    return RC_OK;
}

enum rc catalog_prices(struct tx *tx, struct str agreement, struct str side, time_us at,
                       struct list *ret)
{
    struct board b;
    struct plan_query q = {.page = {.limit = PAGE_LIMIT_MAX}};
    TRY(begin_board(tx, agreement, side, at, PRICE_ROWS_MAX, &b));
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

/* --- items for a buyer --- */

enum { SHELVES_MAX = 100 }; /* agreements by which one party buys */

struct shelves {
    size_t count;
    struct supply_path *paths;
};

static enum rc find_shelves(struct tx *tx, struct str party, struct shelves *ret)
{
    struct page page;
    struct agreement_query q = {.page = {.limit = PAGE_LIMIT_MAX},
                                .kind = AGREEMENT_SUPPLY,
                                .state = AGREEMENT_ACTIVE,
                                .to = party};
    q.set = schema_bit(&agreement_query_schema, "kind") |
            schema_bit(&agreement_query_schema, "state") |
            schema_bit(&agreement_query_schema, "to");
    TRY(agreement_list(tx, party, &q, &page));
    if (page.items.count > SHELVES_MAX || page.next.n > 0)
        return err_set(tx->err, RC_TOO_LARGE, "the party buys by more than %d agreements",
                       SHELVES_MAX);
    *ret = (struct shelves){.paths = NEW_N(tx->arena, struct supply_path, page.items.count)};
    const struct agreement *list = page.items.items;
    for (size_t i = 0; i < page.items.count; i++) {
        enum rc rc = supply_path_at(tx, list[i].id, tx->now, &ret->paths[ret->count]);
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            return rc;
        err_clear(tx->err);
        ret->count += rc == RC_OK;
    }
    return RC_OK;
}

static enum rc is_on_a_shelf(struct tx *tx, const struct shelves *s, const struct item *item,
                             bool *ret)
{
    struct price_steps steps;
    *ret = false;
    for (size_t i = 0; i < s->count && !*ret; i++)
        TRY(is_sold(tx, &s->paths[i], item, tx->now, &steps, ret));
    return RC_OK;
}

/* One page of what a party sees, gathered from as many of the catalogue's as it takes. */
struct window_shopping {
    struct tx *tx;
    struct tx side;       /* the same unit of work with an arena that is emptied on the way */
    struct arena scratch; /* its */
    struct shelves shelves;
    size_t limit;
    size_t count;
    struct item *items;     /* limit of them */
    struct item_query last; /* the catalogue's page that the last of them is in, to its end */
    size_t passed;          /* items that were looked at */
};

/* Until the page is full and one more is seen behind it. What a cursor carries is then what the
 * viewer has seen; how many items lie between, or behind the last, is told by nothing. */
static enum rc shop(struct window_shopping *w, const struct item_query *q, struct str *ret_next,
                    bool *ret_more)
{
    struct page page;
    const uint64_t hidden = schema_bit(&item_schema, "owner") | schema_bit(&item_schema, "income") |
                            schema_bit(&item_schema, "author");
    *ret_more = false;
    TRY(item_list(w->tx, q, &page));
    const struct item *items = page.items.items;
    for (size_t i = 0; i < page.items.count && !*ret_more; i++) {
        bool visible = false;
        TRY(is_on_a_shelf(&w->side, &w->shelves, &items[i], &visible));
        arena_reset(&w->scratch);
        if (!visible)
            continue;
        *ret_more = w->count == w->limit;
        if (*ret_more)
            break;
        w->last = *q;
        w->last.page.limit = (int64_t)i + 1;
        w->items[w->count] = items[i];
        w->items[w->count++].set &= ~hidden;
    }
    w->passed += page.items.count;
    *ret_next = page.next;
    return RC_OK;
}

static enum rc fill_page(struct window_shopping *w, const struct item_query *q, struct page *ret)
{
    struct page end = {0};
    struct str next;
    bool more = false;
    struct item_query at = *q;
    at.page.limit = PAGE_LIMIT_MAX;
    do {
        TRY(shop(w, &at, &next, &more));
        at.page.after = next;
        if (w->passed > ITEMS_PASSED_MAX)
            return err_set(w->tx->err, RC_TOO_LARGE, "the catalogue is too long: name a category");
    } while (!more && next.n > 0);
    if (more) /* the page ends with an item that is shown: the cursor behind it is its own */
        TRY(item_list(w->tx, &w->last, &end));
    *ret = (struct page){{w->items, w->count}, end.next};
    return RC_OK;
}

enum rc item_list_visible(struct tx *tx, struct str party, const struct item_query *q,
                          struct page *ret)
{
    struct window_shopping w = {.tx = tx, .side = *tx};
    w.limit = q->page.limit > 0 ? (size_t)q->page.limit : PAGE_LIMIT_DEFAULT;
    w.items = NEW_N(tx->arena, struct item, w.limit);
    TRY(find_shelves(tx, party, &w.shelves));
    arena_init(&w.scratch, SCRATCH_BYTES);
    w.side.arena = &w.scratch;
    enum rc rc = fill_page(&w, q, ret);
    arena_fini(&w.scratch);
    return rc;
}
