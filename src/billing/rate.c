#include "billing/rate.h"

#include "billing/rater.h"
#include "money/amount.h"
#include "money/round.h"
#include "money/telescope.h"

enum { QUANTITY_PART_SCALE = 9 };
#define QUANTITY_PART_WHOLE INT64_C(1000000000)

/* One window while it is rated. */
struct rating {
    struct rater *r;
    struct tx *tx;
    const struct rate_request *q;
    const struct subscription_term *term;
    const struct rated_plan *plan;
    struct rated_line *lines;
    size_t count;
    size_t room;
};

/* One charge in one piece of the window: what it costs at each edge, and at list price. */
struct piece {
    size_t charge;
    const struct rated_path *path;
    const struct charge_rule *rules; /* one an edge */
    time_us from;
    time_us until;
    struct quantity now;
    struct quantity before; /* what was billed before; read where again is set */
    bool again;
};

/* --- amounts --- */

static struct charge_use use_of(const struct rating *g, time_us from, time_us until,
                                struct quantity quantity)
{
    const struct window *w = &g->q->window;
    return (struct charge_use){.quantity = quantity,
                               .begin = w->begin,
                               .end = w->end,
                               .from = from,
                               .until = until,
                               .instalment = w->period_number,
                               .currency = g->plan->currency};
}

/* Both ends are rounded, so that however a period is cut, and however late usage comes, the parts
 * add up. What was billed before takes the place of the beginning. */
static enum rc piece_amount(struct rating *g, const struct piece *p, const struct charge_rule *rule,
                            int64_t *ret)
{
    struct charge_span now;
    struct charge_span before;
    struct charge_use use = use_of(g, p->from, p->until, p->now);
    use.level = g->plan->charges[p->charge].level;
    TRY(charge_span(rule, &use, &now, g->tx->err));
    if (p->again) {
        use.quantity = p->before;
        TRY(charge_span(rule, &use, &before, g->tx->err));
        now.before = before.after;
    }
    return telescope_rated(now.before, now.after, g->plan->currency, ret, g->tx->err);
}

/* --- lines --- */

static struct price unit_price(const struct charge_rule *rule)
{
    switch (rule->kind) {
    case CHARGE_FLAT:
    case CHARGE_PER_UNIT:
    case CHARGE_ONE_TIME:
        return rule->price;
    case CHARGE_GRADUATED:
    case CHARGE_VOLUME:
    case CHARGE_PACKAGE:
    case CHARGE_STAIR:
    case CHARGE_PERCENT:
    case CHARGE_MINIMUM:
    case CHARGE_INSTALMENT:
    case CHARGE_DESCENDANTS:
        return (struct price){0};
    }
    NEVER("a kind of charge outside its enum");
}

static struct rated_line *next_line(struct rating *g)
{
    if (g->count == g->room) {
        size_t room = max_size(g->plan->count, g->room * 2);
        struct rated_line *more = NEW_N(g->tx->arena, struct rated_line, room);
        if (g->count > 0)
            memcpy(more, g->lines, g->count * sizeof *more);
        g->lines = more;
        g->room = room;
    }
    return &g->lines[g->count];
}

static void describe(const struct rating *g, const struct piece *p, struct rated_line *line)
{
    const struct rate_request *q = g->q;
    const struct rated_charge *charge = &g->plan->charges[p->charge];
    *line = (struct rated_line){
        .subscription = q->facts->id,
        .client = p->path->path->edges[p->path->path->count - 1].buyer,
        .producer = g->term->producer,
        .asset = g->term->asset,
        .item = g->plan->item,
        .label = charge->label,
        .income = g->plan->income,
        .unit = charge->unit,
        .tax_class = charge->tax_class,
        .charge = (int64_t)p->charge,
        .plan = g->plan->id,
        .plan_number = g->plan->number,
        .window = q->window,
        .quantity = p->now,
        .units = g->term->quantity,
        .path = p->path->path,
        .path_number = p->path->number,
        .list = unit_price(&charge->rule),
        .late = p->again,
        .timed = rater_timed(g->plan, (int64_t)p->charge, p->again),
        .advance = charge->advance,
        .tax_included = g->plan->tax_included,
    };
    line->window.from = p->from;
    line->window.until = p->until;
}

/* What is carried of a line at every edge. */
static enum rc check_amounts(const struct rating *g, const struct rated_line *line)
{
    const struct currency *c = g->plan->currency;
    char what[CHARGE_LABEL_MAX + 16];
    int64_t least = min_i64(line->list_amount, line->amounts[0]);
    int64_t most = max_i64(line->list_amount, line->amounts[0]);
    for (size_t k = 1; k < line->path->count; k++) {
        least = min_i64(least, line->amounts[k]);
        most = max_i64(most, line->amounts[k]);
    }
    if (least >= -AMOUNT_ONE_MAX && most <= AMOUNT_ONE_MAX)
        return RC_OK;
    (void)snprintf(what, sizeof what, "the line '%.*s'", STRF(line->label));
    return amount_check_one(most > AMOUNT_ONE_MAX ? most : least, c, what, g->tx->err);
}

static bool says_nothing(const struct rated_line *line)
{
    bool nothing = line->list_amount == 0;
    for (size_t k = 0; k < line->path->count; k++)
        nothing = nothing && line->amounts[k] == 0;
    return nothing && (line->late || line->quantity.mantissa == 0 || line->list.mantissa == 0);
}

/* Part of a quantity, as people see it; amounts are not made from it. */
static struct quantity part_of(struct quantity q, time_us part, time_us whole)
{
    __int128 scaled = q.mantissa;
    for (int i = q.scale; i < QUANTITY_PART_SCALE; i++)
        scaled *= 10;
    __int128 shown = round_div(scaled * part, whole);
    if (part == whole || shown > INT64_MAX || shown < INT64_MIN)
        return q;
    return (struct quantity){(int64_t)shown, QUANTITY_PART_SCALE};
}

static enum rc add_line(struct rating *g, const struct piece *p)
{
    struct rated_line *line = next_line(g);
    const struct window *w = &g->q->window;
    describe(g, p, line);
    for (size_t k = 0; k < line->path->count; k++) {
        TRY(piece_amount(g, p, &p->rules[k], &line->amounts[k]));
        line->prices[k] = unit_price(&p->rules[k]);
    }
    const struct charge_rule *list = &g->plan->charges[p->charge].rule;
    TRY(piece_amount(g, p, list, &line->list_amount));
    TRY(check_amounts(g, line));
    if (p->again)
        TRY(quantity_sub(p->now, p->before, &line->quantity, g->tx->err));
    if (list->kind == CHARGE_FLAT)
        line->quantity = part_of(p->now, p->until - p->from, w->end - w->begin);
    int64_t last = line->amounts[line->path->count - 1];
    line->free_tier = g->plan->member_free;
    line->discount = line->free_tier ? last : 0;
    if (!says_nothing(line))
        g->count++;
    return RC_OK;
}

/* What lies in [from, until) is given back. */
static void turn_back(struct rated_line *line)
{
    line->late = true;
    line->quantity.mantissa = -line->quantity.mantissa;
    line->list_amount = -line->list_amount;
    line->discount = -line->discount;
    for (size_t k = 0; k < line->path->count; k++)
        line->amounts[k] = -line->amounts[k];
}

/* --- charges --- */

static enum rc set_path(struct rating *g, struct piece *p, time_us at)
{
    const struct window *w = &g->q->window;
    const struct priced_plan *priced = NULL;
    TRY(rater_path(g->r, g->term->agreement, w->begin, w->end, at, &p->path));
    TRY(rater_prices(g->r, g->plan, p->path, &priced));
    p->rules = &priced->rules[p->charge * priced->tiers];
    return RC_OK;
}

/* Piece by piece, as long as the path and its prices stay. */
static enum rc rate_flat(struct rating *g, size_t charge, time_us from, time_us until, bool back)
{
    const struct window *w = &g->q->window;
    for (time_us at = from; at < until;) {
        struct piece p = {.charge = charge, .from = at, .now = g->term->quantity};
        size_t before = g->count;
        TRY(rater_next_change(g->r, g->term->agreement, w->begin, w->end, at, until, &p.until));
        TRY(set_path(g, &p, at));
        TRY(add_line(g, &p));
        if (back && g->count > before)
            turn_back(&g->lines[before]);
        at = p.until;
    }
    return RC_OK;
}

static struct quantity used(const struct rate_request *q, int64_t meter)
{
    ASSERT(q->totals != NULL || q->total_count == 0);
    for (size_t i = 0; i < q->total_count; i++)
        if (q->totals[i].meter == meter)
            return q->totals[i].quantity;
    return (struct quantity){0};
}

static const struct late *late_of(const struct rate_request *q, int64_t meter)
{
    ASSERT(q->late != NULL || q->late_count == 0);
    for (size_t i = 0; i < q->late_count; i++)
        if (q->late[i].meter == meter)
            return &q->late[i];
    return NULL;
}

/* What was used, and what was billed of it, by one metered charge. */
static void set_usage(const struct rating *g, int64_t meter, struct piece *p)
{
    const struct late *late = late_of(g->q, meter);
    p->again = g->q->late != NULL;
    p->now = late != NULL ? late->now : used(g->q, meter);
    p->before = late != NULL ? late->billed : p->now;
}

static enum rc rate_metered(struct rating *g, size_t charge)
{
    const struct window *w = &g->q->window;
    struct piece p = {.charge = charge, .from = w->from, .until = w->until};
    int64_t meter = g->plan->charges[charge].meter;
    if (g->q->late != NULL && late_of(g->q, meter) == NULL)
        return RC_OK;
    set_usage(g, meter, &p);
    TRY(set_path(g, &p, w->from));
    return add_line(g, &p);
}

/* Once in each of the subscription's periods, in its first alone, or for its descendants. */
static enum rc rate_counted(struct rating *g, size_t charge)
{
    const struct window *w = &g->q->window;
    const struct charge_rule *rule = &g->plan->charges[charge].rule;
    struct piece p = {.charge = charge, .from = w->from, .until = w->until};
    bool begins = w->from == w->begin || w->from == g->q->facts->start;
    bool over = rule->kind == CHARGE_ONE_TIME && w->period_number > 1;
    if (over || (rule->kind != CHARGE_DESCENDANTS && !begins))
        return RC_OK;
    p.now = rule->kind == CHARGE_DESCENDANTS ? g->q->descendants : g->term->quantity;
    TRY(set_path(g, &p, w->from));
    return add_line(g, &p);
}

/* --- minimum --- */

/* All metered charges of the window at one edge; edge -1: at list price. */
static enum rc metered_sum(struct rating *g, const struct priced_plan *priced, int edge,
                           bool before, rated *ret)
{
    const struct window *w = &g->q->window;
    rated sum = 0;
    for (size_t c = 0; c < g->plan->count; c++) {
        const struct rated_charge *charge = &g->plan->charges[c];
        struct piece p = {.charge = c};
        rated part = 0;
        if (charge->meter == 0)
            continue;
        set_usage(g, charge->meter, &p);
        struct charge_use use = use_of(g, w->from, w->until, before ? p.before : p.now);
        const struct charge_rule *rule =
            edge < 0 ? &charge->rule : &priced->rules[c * priced->tiers + (size_t)edge];
        use.level = charge->level;
        TRY(charge_rate(rule, &use, &part, g->tx->err));
        TRY(rated_add(sum, part, &sum, g->tx->err));
    }
    *ret = sum;
    return RC_OK;
}

static enum rc minimum_at(struct rating *g, const struct priced_plan *priced, size_t charge,
                          int edge, int64_t *ret)
{
    const struct window *w = &g->q->window;
    const struct charge_rule *rule = edge < 0
                                         ? &g->plan->charges[charge].rule
                                         : &priced->rules[charge * priced->tiers + (size_t)edge];
    struct charge_use use = use_of(g, w->from, w->until, (struct quantity){0});
    rated after = 0;
    rated before = 0;
    TRY(metered_sum(g, priced, edge, false, &use.metered));
    TRY(charge_rate(rule, &use, &after, g->tx->err));
    if (g->q->late != NULL) {
        TRY(metered_sum(g, priced, edge, true, &use.metered));
        TRY(charge_rate(rule, &use, &before, g->tx->err));
    }
    return telescope_rated(before, after, g->plan->currency, ret, g->tx->err);
}

/* By how much what was used falls short, at each edge by itself: a tier whose margin is thin has
 * promised its seller a minimum too. */
static enum rc rate_minimum(struct rating *g, size_t charge)
{
    const struct window *w = &g->q->window;
    const struct priced_plan *priced = NULL;
    struct piece p = {.charge = charge, .from = w->from, .until = w->until};
    struct rated_line *line = next_line(g);
    TRY(set_path(g, &p, w->from));
    TRY(rater_prices(g->r, g->plan, p.path, &priced));
    p.again = g->q->late != NULL;
    describe(g, &p, line);
    for (size_t k = 0; k < priced->tiers; k++)
        TRY(minimum_at(g, priced, charge, (int)k, &line->amounts[k]));
    TRY(minimum_at(g, priced, charge, -1, &line->list_amount));
    TRY(check_amounts(g, line));
    line->free_tier = g->plan->member_free;
    line->discount = line->free_tier ? line->amounts[priced->tiers - 1] : 0;
    if (!says_nothing(line))
        g->count++;
    return RC_OK;
}

/* --- the window --- */

static enum rc rate_charge(struct rating *g, size_t charge)
{
    const struct rated_charge *c = &g->plan->charges[charge];
    const struct window *w = &g->q->window;
    const struct rate_request *q = g->q;
    bool again = q->late != NULL;
    if (c->advance != q->advance)
        return RC_OK;
    if (c->rule.kind == CHARGE_MINIMUM)
        return rate_minimum(g, charge);
    if (c->meter > 0)
        return rate_metered(g, charge);
    if (again)
        return RC_OK;
    if (c->rule.kind != CHARGE_FLAT)
        return q->billed_until > 0 ? RC_OK : rate_counted(g, charge);
    if (q->billed_until > w->until)
        return rate_flat(g, charge, w->until, q->billed_until, true);
    return rate_flat(g, charge, max_i64(w->from, q->billed_until), w->until, false);
}

enum rc rate_window(struct rater *r, const struct rate_request *request, struct rated_line **ret,
                    size_t *ret_count)
{
    struct rating g = {.r = r, .tx = rater_tx(r), .q = request};
    ASSERT(request->window.term < request->facts->term_count);
    ASSERT(request->window.begin <= request->window.from);
    /* Empty: all that was billed of it ahead is given back. */
    ASSERT(request->window.from < request->window.until || request->billed_until > 0);
    ASSERT(request->window.from <= request->window.until);
    ASSERT(request->window.until <= request->window.end);
    g.term = &request->facts->terms[request->window.term];
    TRY(rater_plan(r, g.term->plan, g.term->plan_number, &g.plan));
    for (size_t i = 0; i < g.plan->count; i++)
        TRY(rate_charge(&g, i));
    *ret = g.lines;
    *ret_count = g.count;
    return RC_OK;
}
