#include "billing/rater.h"

#include "base/map.h"

enum { KEY_MAX = (ID_TEXT_MAX + 1) * (SUPPLY_DEPTH_MAX + 2) + 48, MAP_SEED = 2 };

struct rater {
    struct tx *tx;
    struct supply_cache *supply;
    struct map plans;                    /* the bytes of number and id -> struct rated_plan */
    struct map items;                    /* code -> struct item */
    struct map priced;                   /* chain of books, plan, instant -> struct priced_plan */
    const struct rated_plan *priced_for; /* the latest that was asked for */
    const struct supply_path *priced_on;
    const struct priced_plan *priced_last;
    /* The latest agreement: its changes in one calendar period, and its path as of an instant. */
    struct str agreement;
    time_us begin;
    time_us end;
    const time_us *changes;
    size_t change_count;
    bool steady; /* nothing changes, and edges is the path */
    struct rated_path path;
    struct supply_path edges;
    /* The latest path that was read by its number. */
    int64_t recalled;
    const struct supply_path *recalled_path;
};

struct rater *rater_new(struct tx *tx)
{
    static const uint64_t seed[MAP_SEED] = {1, 2}; /* keys are our own ids and numbers */
    struct rater *r = NEW(tx->arena, struct rater);
    r->tx = tx;
    r->supply = supply_cache_new(tx);
    map_init(&r->plans, tx->arena, seed);
    map_init(&r->items, tx->arena, seed);
    map_init(&r->priced, tx->arena, seed);
    return r;
}

struct tx *rater_tx(struct rater *r)
{
    return r->tx;
}

/* --- plans --- */

static bool is_metered(enum charge_kind kind)
{
    switch (kind) {
    case CHARGE_PER_UNIT:
    case CHARGE_GRADUATED:
    case CHARGE_VOLUME:
    case CHARGE_PACKAGE:
    case CHARGE_STAIR:
    case CHARGE_PERCENT:
        return true;
    case CHARGE_FLAT:
    case CHARGE_MINIMUM:
    case CHARGE_ONE_TIME:
    case CHARGE_INSTALMENT:
    case CHARGE_DESCENDANTS:
        return false;
    }
    NEVER("a kind of charge outside its enum");
}

static enum rc read_tax_class(struct tx *tx, struct str word, int64_t of_item, enum tax_class *ret)
{
    if (word.n == 0) {
        *ret = (enum tax_class)of_item;
        return RC_OK;
    }
    for (int i = 0; tax_classes[i] != NULL; i++)
        if (str_eq(word, str_c(tax_classes[i]))) {
            *ret = (enum tax_class)i;
            return RC_OK;
        }
    return err_set(tx->err, RC_INVALID, "there is no tax class '%.*s'", STRF(word));
}

static enum rc read_charge(struct tx *tx, const struct charge *c, const struct item *item,
                           struct rated_charge *ret)
{
    struct rated_charge charge = {
        .label = c->label, .advance = c->advance != 0, .unit = item->unit};
    TRY(charge_parse(c, &charge.rule, tx->err));
    TRY(read_tax_class(tx, c->tax_class, item->tax_class, &charge.tax_class));
    if (is_metered(charge.rule.kind)) {
        struct meter meter;
        TRY(meter_find(tx, c->meter, &meter));
        charge.meter = meter.number;
        charge.level = meter_is_level((enum meter_kind)meter.kind);
        charge.unit = meter.unit;
    }
    *ret = charge;
    return RC_OK;
}

static enum rc find_item(struct rater *r, struct str code, const struct item **ret)
{
    struct item *item = map_get(&r->items, code);
    if (item == NULL) {
        item = NEW(r->tx->arena, struct item);
        TRY(item_find(r->tx, code, item));
        (void)map_put(&r->items, item->code, item); /* was not there */
    }
    *ret = item;
    return RC_OK;
}

static void note_needs(struct rated_plan *p, const struct rated_charge *c)
{
    p->minimum = p->minimum || c->rule.kind == CHARGE_MINIMUM;
    p->needs.usage = p->needs.usage || c->meter > 0;
    p->needs.descendants = p->needs.descendants || c->rule.kind == CHARGE_DESCENDANTS;
    p->needs.advance = p->needs.advance || c->advance;
}

static size_t first_flat(const struct rated_charge *charges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (charges[i].rule.kind == CHARGE_FLAT)
            return i;
    return 0;
}

/* What a flat charge tells late is time that is given back; what others do was told before. */
bool rater_timed(const struct rated_plan *plan, int64_t charge, bool late)
{
    const struct rated_charge *c = &plan->charges[plan->timed];
    return charge == (int64_t)plan->timed && (!late || c->rule.kind == CHARGE_FLAT);
}

static enum rc read_plan(struct rater *r, struct str id, int64_t number, struct rated_plan *ret)
{
    struct tx *tx = r->tx;
    struct plan plan;
    const struct item *item = NULL;
    TRY(plan_version(tx, id, number, &plan));
    TRY(find_item(r, plan.item, &item));
    const struct charge *charges = plan.charges.items;
    struct rated_charge *read = NEW_N(tx->arena, struct rated_charge, plan.charges.count);
    struct rated_plan p = {.id = plan.id,
                           .number = plan.number,
                           .item = item->code,
                           .category = item->category,
                           .income = item->income,
                           .tax_included = plan.tax_included,
                           .member_free = plan.member_free,
                           .count = plan.charges.count,
                           .charges = read};
    TRY(currency_parse(plan.currency, &p.currency, tx->err));
    for (size_t i = 0; i < p.count; i++) {
        TRY(read_charge(tx, &charges[i], item, &read[i]));
        note_needs(&p, &read[i]);
    }
    p.timed = first_flat(read, p.count);
    *ret = p;
    return RC_OK;
}

enum rc rater_plan(struct rater *r, struct str id, int64_t number, const struct rated_plan **ret)
{
    char text[KEY_MAX];
    ASSERT(id.n + sizeof number <= KEY_MAX);
    memcpy(text, &number, sizeof number);
    memcpy(text + sizeof number, id.p, id.n);
    struct str key = str_n(text, sizeof number + id.n);
    struct rated_plan *plan = map_get(&r->plans, key);
    if (plan == NULL) {
        plan = NEW(r->tx->arena, struct rated_plan);
        TRY(read_plan(r, id, number, plan));
        (void)map_put(&r->plans, arena_str(r->tx->arena, key), plan); /* was not there */
    }
    *ret = plan;
    return RC_OK;
}

enum rc rate_needs(struct rater *r, struct str plan, int64_t number, struct plan_needs *ret)
{
    const struct rated_plan *p = NULL;
    TRY(rater_plan(r, plan, number, &p));
    *ret = p->needs;
    return RC_OK;
}

/* --- paths --- */

static enum rc load_agreement(struct rater *r, struct str agreement, time_us begin, time_us end)
{
    time_us *changes = NULL;
    size_t count = 0;
    if (r->begin == begin && r->end == end && str_eq(r->agreement, agreement))
        return RC_OK;
    r->agreement = STR("");
    TRY(supply_steady(r->supply, agreement, begin, end, &r->steady, &r->edges));
    if (!r->steady)
        TRY(supply_changes(r->tx, agreement, begin, end, &changes, &count));
    if (count > RATER_CHANGES_MAX)
        return err_set(r->tx->err, RC_INVALID, "prices change more than %d times in one period",
                       RATER_CHANGES_MAX);
    r->agreement = arena_str(r->tx->arena, agreement);
    r->begin = begin;
    r->end = end;
    r->changes = changes;
    r->change_count = count;
    r->path.path = NULL;
    return RC_OK;
}

enum rc rater_next_change(struct rater *r, struct str agreement, time_us begin, time_us end,
                          time_us after, time_us until, time_us *ret)
{
    TRY(load_agreement(r, agreement, begin, end));
    size_t i = 0;
    while (i < r->change_count && r->changes[i] <= after)
        i++;
    *ret = i < r->change_count ? min_i64(r->changes[i], until) : until;
    return RC_OK;
}

/* From the last change before the instant on, everything is the same: one path for all of it. */
static time_us era_of(const struct rater *r, time_us at)
{
    time_us era = r->begin;
    for (size_t i = 0; i < r->change_count && r->changes[i] <= at; i++)
        era = r->changes[i];
    return era;
}

enum rc rater_path(struct rater *r, struct str agreement, time_us begin, time_us end, time_us at,
                   const struct rated_path **ret)
{
    int64_t number = 0;
    ASSERT(begin <= at && at < end);
    TRY(load_agreement(r, agreement, begin, end));
    time_us era = era_of(r, at);
    if (r->path.path == NULL || r->path.since != era) {
        r->path.path = NULL;
        if (!r->steady)
            TRY(supply_path_at(r->tx, agreement, at, &r->edges));
        if (r->tx->writing)
            TRY(supply_path_number(r->tx, &r->edges, &number));
        /* What lines point to stays when another path takes its place here. */
        struct supply_path *kept = NEW(r->tx->arena, struct supply_path);
        *kept = r->edges;
        r->path = (struct rated_path){.path = kept, .number = number, .since = era};
    }
    *ret = &r->path;
    return RC_OK;
}

/* --- prices --- */

struct edge_price {
    const struct price_steps *steps;
    size_t edge;
    bool percent;
};

static enum rc price_at_edge(void *arg, struct price list, struct price *ret, struct err *err)
{
    const struct edge_price *p = arg;
    struct price prices[SUPPLY_DEPTH_MAX];
    TRY(p->percent ? price_steps_percent(p->steps, list, prices, err)
                   : price_steps_apply(p->steps, list, prices, err));
    *ret = prices[p->edge];
    return RC_OK;
}

static enum rc price_plan(struct rater *r, const struct rated_plan *plan,
                          const struct rated_path *path, struct priced_plan *ret)
{
    struct tx *tx = r->tx;
    struct price_steps steps;
    size_t tiers = path->path->count;
    TRY(price_steps_at(tx, path->path, plan->item, plan->category, path->since, &steps));
    ASSERT(steps.count == tiers);
    struct charge_rule *rules = NEW_N(tx->arena, struct charge_rule, plan->count * tiers);
    for (size_t c = 0; c < plan->count; c++)
        for (size_t k = 0; k < tiers; k++) {
            const struct charge_rule *rule = &plan->charges[c].rule;
            struct edge_price edge = {&steps, k, rule->kind == CHARGE_PERCENT};
            TRY(charge_reprice(rule, price_at_edge, &edge, &rules[c * tiers + k], tx->err));
        }
    *ret = (struct priced_plan){.tiers = tiers, .rules = rules};
    return RC_OK;
}

static struct str price_key(const struct rated_plan *plan, const struct rated_path *path,
                            char text[KEY_MAX])
{
    int n = snprintf(text, KEY_MAX, "%.*s/%lld/%lld", STRF(plan->id), (long long)plan->number,
                     (long long)path->since);
    for (size_t k = 0; k < path->path->count && n < KEY_MAX; k++)
        n += snprintf(text + n, KEY_MAX - (size_t)n, "/%.*s", STRF(path->path->edges[k].book));
    ASSERT(n < KEY_MAX);
    return str_n(text, (size_t)n);
}

enum rc rater_prices(struct rater *r, const struct rated_plan *plan, const struct rated_path *path,
                     const struct priced_plan **ret)
{
    char text[KEY_MAX];
    if (r->priced_for == plan && r->priced_on == path->path) {
        *ret = r->priced_last;
        return RC_OK;
    }
    if (!str_eq(path->path->currency, str_c(plan->currency->code)))
        return err_set(r->tx->err, RC_INVALID, "the plan is in %s, its agreement in %.*s",
                       plan->currency->code, STRF(path->path->currency));
    struct str key = price_key(plan, path, text);
    struct priced_plan *priced = map_get(&r->priced, key);
    if (priced == NULL) {
        priced = NEW(r->tx->arena, struct priced_plan);
        TRY(price_plan(r, plan, path, priced));
        (void)map_put(&r->priced, arena_str(r->tx->arena, key), priced); /* was not there */
    }
    r->priced_for = plan;
    r->priced_on = path->path;
    r->priced_last = priced;
    *ret = priced;
    return RC_OK;
}

/* --- lines that were read --- */

/* Each path has a place of its own: lines go on pointing to it. */
static enum rc recall_path(struct rater *r, int64_t number, const struct supply_path **ret)
{
    if (r->recalled != number) {
        struct supply_path *path = NEW(r->tx->arena, struct supply_path);
        TRY(supply_cache_get(r->supply, number, path));
        r->recalled = number;
        r->recalled_path = path;
    }
    *ret = r->recalled_path;
    return RC_OK;
}

enum rc rate_recall(struct rater *r, struct rated_line *line)
{
    const struct rated_plan *plan = NULL;
    TRY(rater_plan(r, line->plan, line->plan_number, &plan));
    TRY(recall_path(r, line->path_number, &line->path));
    ASSERT(line->charge >= 0 && (size_t)line->charge < plan->count);
    const struct rated_charge *charge = &plan->charges[line->charge];
    line->client = line->path->edges[line->path->count - 1].buyer;
    line->item = plan->item;
    line->label = charge->label;
    line->income = plan->income;
    line->unit = charge->unit;
    line->timed = rater_timed(plan, line->charge, line->late);
    return RC_OK;
}
