#include "catalog/limit.h"

#include "base/map.h"
#include "money/amount.h"
#include "money/decimal.h"
#include "money/round.h"

enum {
    LIMITS_MAX = 1000,  /* of one agreement */
    EDGES_MAX = 100000, /* agreements below one edge */
    EDGES_STEP = 1000,
    PLANS_MAX = 256, /* whose price is remembered */
    TARGET_MAX = 5 + ITEM_CODE_MAX,
};

#define CREDIT STR("credit")
#define ITEM   STR("item:")

/* --- what one subscription weighs: units, or money, at 10^-9 --- */

struct weighed_plan {
    struct str plan;
    int64_t number;
    rated unit;
};
struct scale {
    struct tx *tx;
    struct str item;                /* whose units count; empty: money at the price of the edge */
    const struct supply_path *path; /* to the edge */
    size_t count;
    struct weighed_plan plans[PLANS_MAX];
};

/* The price of a charge that is the same in every period; 0 of others. */
static enum rc fixed_price(struct scale *s, const struct price_steps *steps,
                           const struct charge *charge, rated *ret)
{
    struct charge_rule rule;
    struct price prices[SUPPLY_DEPTH_MAX];
    rated r = 0;
    TRY(charge_parse(charge, &rule, s->tx->err));
    bool fixed =
        rule.kind == CHARGE_FLAT || rule.kind == CHARGE_ONE_TIME || rule.kind == CHARGE_INSTALMENT;
    if (fixed) {
        TRY(price_steps_apply(steps, rule.price, prices, s->tx->err));
        TRY(price_rate(prices[steps->count - 1], (struct quantity){1, 0}, &r, s->tx->err));
    }
    *ret = rule.kind == CHARGE_INSTALMENT ? round_div(r, rule.instalments) : r;
    return RC_OK;
}

static enum rc unit_price(struct scale *s, struct str plan, int64_t number, rated *ret)
{
    struct plan p;
    struct item item;
    struct price_steps steps;
    rated sum = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->plans[i].number == number && str_eq(s->plans[i].plan, plan)) {
            *ret = s->plans[i].unit;
            return RC_OK;
        }
    TRY(plan_version(s->tx, plan, number, &p));
    TRY(item_find(s->tx, p.item, &item));
    TRY(price_steps_at(s->tx, s->path, item.code, item.category, s->tx->now, &steps));
    const struct charge *charges = p.charges.items;
    for (size_t i = 0; i < p.charges.count; i++) {
        rated r = 0;
        TRY(fixed_price(s, &steps, &charges[i], &r));
        TRY(rated_add(sum, r, &sum, s->tx->err));
    }
    if (s->count < PLANS_MAX)
        s->plans[s->count++] = (struct weighed_plan){p.id, number, sum};
    *ret = sum;
    return RC_OK;
}

static enum rc weigh(struct scale *s, const struct limit_units *u, rated *ret)
{
    rated unit = decimal_power(RATED_SCALE);
    rated product = 0;
    if (s->item.n > 0 && !str_eq(s->item, u->item)) {
        *ret = 0;
        return RC_OK;
    }
    if (s->item.n == 0)
        TRY(unit_price(s, u->plan, u->plan_number, &unit));
    if (__builtin_mul_overflow(unit, (rated)u->units.mantissa, &product))
        return err_set(s->tx->err, RC_INVALID, "that is more than can be counted");
    *ret = round_div(product, decimal_power(u->units.scale));
    return RC_OK;
}

/* --- what runs through an edge --- */

struct tally {
    struct scale *scale;
    struct str id; /* of the subscription in hand: rows of its terms follow one another */
    rated most;    /* of them all: what is planned counts as soon as it is */
    rated sum;
};

static enum rc finish(struct tally *t)
{
    enum rc rc = rated_add(t->sum, t->most, &t->sum, t->scale->tx->err);
    t->most = 0;
    return rc;
}

static enum rc add_row(struct tx *tx, const struct value *cells, size_t columns UNUSED, void *arg)
{
    struct tally *t = arg;
    rated r = 0;
    struct limit_units u = {
        .plan = cells[1].text, .plan_number = cells[2].number, .item = cells[4].text};
    TRY(quantity_parse(cells[3].text, &u.units, tx->err));
    if (!str_eq(t->id, cells[0].text)) {
        TRY(finish(t));
        t->id = arena_str(tx->arena, cells[0].text);
    }
    TRY(weigh(t->scale, &u, &r));
    t->most = r > t->most ? r : t->most;
    return RC_OK;
}

/* As many that are alike. */
static enum rc add_group(struct tx *tx, const struct value *cells, size_t columns UNUSED, void *arg)
{
    struct tally *t = arg;
    rated r = 0;
    struct limit_units u = {
        .plan = cells[0].text, .plan_number = cells[1].number, .item = cells[3].text};
    TRY(quantity_parse(cells[2].text, &u.units, tx->err));
    TRY(weigh(t->scale, &u, &r));
    if (__builtin_mul_overflow(r, (rated)cells[4].number, &r))
        return err_set(tx->err, RC_INVALID, "that is more than can be counted");
    return rated_add(t->sum, r, &t->sum, tx->err);
}

#define LIVE                                                                    \
    "(t.since > $2 OR t.since = (SELECT MAX(u.since) FROM subscription_term u " \
    "WHERE u.subscription = s.id AND u.since <= $2)) "

/* Most have one row of terms and are like many others: they are added up by the store. */
static enum rc add_agreement(struct tally *t, struct str agreement)
{
    struct tx *tx = t->scale->tx;
    TRY(sql_each(tx, add_group, t,
                 "SELECT s.plan, s.plan_number, s.quantity, p.item, COUNT(*) "
                 "FROM subscription s JOIN plan p ON p.id = s.plan "
                 "WHERE s.agreement = $1 AND s.ends > $2 AND s.terms = 1 "
                 "GROUP BY s.plan, s.plan_number, s.quantity, p.item "
                 "ORDER BY s.plan, s.plan_number, s.quantity",
                 V(agreement), V(tx->now)));
    t->id = STR("");
    TRY(sql_each(tx, add_row, t,
                 "SELECT s.id, t.plan, t.plan_number, t.quantity, p.item FROM subscription s "
                 "JOIN subscription_term t ON t.subscription = s.id "
                 "JOIN plan p ON p.id = t.plan "
                 "WHERE s.agreement = $1 AND s.ends > $2 AND s.terms > 1 AND " LIVE
                 "ORDER BY s.client, s.id, t.since",
                 V(agreement), V(tx->now)));
    return finish(t);
}

/* An agreement, and behind it all that are below it. */
struct edges {
    struct tx *tx;
    struct map seen;
    size_t count;
    size_t room;
    struct str *ids;
};

static enum rc add_edge(struct edges *e, struct str id)
{
    if (map_put(&e->seen, id, e) != NULL) /* any value: only the keys are asked for */
        return RC_OK;
    if (e->count == EDGES_MAX)
        return err_set(e->tx->err, RC_TOO_LARGE,
                       "a limit is kept for at most %d agreements below it", EDGES_MAX);
    if (e->count == e->room) {
        size_t room = e->room == 0 ? EDGES_STEP : 2 * e->room;
        struct str *ids = NEW_N(e->tx->arena, struct str, room);
        for (size_t i = 0; i < e->count; i++)
            ids[i] = e->ids[i];
        e->ids = ids;
        e->room = room;
    }
    e->ids[e->count++] = id;
    return RC_OK;
}

static enum rc add_below(struct edges *e, struct str agreement)
{
    struct str after = STR("");
    for (;;) {
        struct list below;
        TRY(supply_below(e->tx, agreement, after, EDGES_STEP, &below));
        const struct str *ids = below.items;
        for (size_t i = 0; i < below.count; i++)
            TRY(add_edge(e, ids[i]));
        if (below.count < EDGES_STEP)
            return RC_OK;
        after = ids[below.count - 1];
    }
}

static enum rc find_edges(struct tx *tx, struct str agreement, struct edges *ret)
{
    *ret = (struct edges){.tx = tx};
    map_init(&ret->seen, tx->arena, (const uint64_t[2]){0, 0});
    TRY(add_edge(ret, agreement));
    for (size_t i = 0; i < ret->count; i++)
        TRY(add_below(ret, ret->ids[i]));
    return RC_OK;
}

static enum rc tally_edges(struct tally *t, const struct edges *e)
{
    for (size_t i = 0; i < e->count; i++)
        TRY(add_agreement(t, e->ids[i]));
    return RC_OK;
}

/* What subscriptions that are to be replaced weigh now, as far as they go through these edges. */
static enum rc tally_replaced(struct tally *t, const struct edges *e, const struct map *instead)
{
    struct tx *tx = t->scale->tx;
    struct str id;
    void *value = NULL;
    for (size_t at = 0; instead != NULL && map_next(instead, &at, &id, &value);) {
        struct rows rows;
        TRY(sql_rows(tx, &rows, "SELECT s.agreement FROM subscription s WHERE s.id = $1", V(id)));
        if (map_get(&e->seen, row_str(&rows, 0, 0)) == NULL)
            continue;
        TRY(sql_each(tx, add_row, t,
                     "SELECT s.id, t.plan, t.plan_number, t.quantity, p.item FROM subscription s "
                     "JOIN subscription_term t ON t.subscription = s.id "
                     "JOIN plan p ON p.id = t.plan WHERE s.id = $1 AND s.ends > $2 AND " LIVE
                     "ORDER BY t.since",
                     V(id), V(tx->now)));
        TRY(finish(t));
    }
    return RC_OK;
}

/* The path of an edge that lies on a path. */
static const struct supply_path *path_to(const struct supply_path *path, size_t edge,
                                         struct arena *arena)
{
    struct supply_path *p = NEW(arena, struct supply_path);
    *p = *path;
    p->count = edge + 1;
    return p;
}

/* --- whether there is room --- */

static enum rc refuse(struct tx *tx, const struct scale *s, struct str most, bool own)
{
    if (!own) /* nobody is told whose limit it is, and how much */
        return err_set_at(tx->err, RC_CONFLICT, STR("/quantity"),
                          "the seller cannot provide so much now");
    if (s->item.n == 0)
        return err_set_at(tx->err, RC_CONFLICT, STR("/quantity"),
                          "the credit of %.*s %.*s does not suffice", STRF(most),
                          STRF(s->path->currency));
    return err_set_at(tx->err, RC_CONFLICT, STR("/quantity"),
                      "the agreement allows %.*s of '%.*s' at once", STRF(most), STRF(s->item));
}

/* e: what is below the edge, found for the first limit that needs it. */
static enum rc check_one(struct tx *tx, const struct limit_ask *ask, size_t edge, struct str target,
                         struct str most, struct edges *e)
{
    struct scale *s = NEW(tx->arena, struct scale);
    struct tally all = {.scale = s};
    struct tally replaced = {.scale = s};
    rated limit = 0;
    rated wanted = 0;
    rated sum = 0;
    s->tx = tx;
    s->path = path_to(ask->path, edge, tx->arena);
    s->item = str_starts(target, ITEM) ? str_sub(target, ITEM.n, target.n) : STR("");
    for (size_t i = 0; i < ask->count; i++) {
        rated r = 0;
        TRY(weigh(s, &ask->wanted[i], &r));
        TRY(rated_add(wanted, r, &wanted, tx->err));
    }
    if (wanted == 0)
        return RC_OK;
    TRY(rated_parse(most, &limit, tx->err));
    if (e->count == 0)
        TRY(find_edges(tx, ask->path->edges[edge].agreement, e));
    TRY(tally_edges(&all, e));
    TRY(tally_replaced(&replaced, e, ask->instead));
    TRY(rated_add(all.sum - replaced.sum, wanted, &sum, tx->err));
    return sum <= limit || wanted <= replaced.sum
               ? RC_OK
               : refuse(tx, s, most, edge + 1 == ask->path->count);
}

enum rc limit_check(struct tx *tx, const struct limit_ask *ask)
{
    for (size_t edge = 0; edge < ask->path->count; edge++) {
        struct rows rows;
        struct edges e = {0};
        TRY(sql_rows(tx, &rows,
                     "SELECT target, most FROM path_limit WHERE agreement = $1 "
                     "ORDER BY target LIMIT $2",
                     V(ask->path->edges[edge].agreement), V((int64_t)LIMITS_MAX)));
        for (size_t i = 0; i < rows.count; i++)
            TRY(check_one(tx, ask, edge, row_str(&rows, i, 0), row_str(&rows, i, 1), &e));
    }
    return RC_OK;
}

/* --- setting and showing --- */

/* Without the zeros at the end. */
static struct str rated_text(rated r, struct arena *arena)
{
    char text[RATED_TEXT_MAX];
    size_t n = rated_format(r, text);
    while (text[n - 1] == '0')
        n--;
    return arena_str(arena, str_n(text, text[n - 1] == '.' ? n - 1 : n));
}

/* What is used of a limit. path NULL: nothing, as the path above is not in force. */
static enum rc used_of(struct tx *tx, const struct supply_path *path, const struct edges *e,
                       struct str item, struct str *ret)
{
    struct scale *s = NEW(tx->arena, struct scale);
    struct tally t = {.scale = s};
    *s = (struct scale){.tx = tx, .item = item, .path = path};
    if (path != NULL)
        TRY(tally_edges(&t, e));
    *ret = rated_text(t.sum, tx->arena);
    return RC_OK;
}

static enum rc find_path(struct tx *tx, struct str agreement, const struct supply_path **ret)
{
    struct supply_path *path = NEW(tx->arena, struct supply_path);
    enum rc rc = supply_path_at(tx, agreement, tx->now, path);
    *ret = rc == RC_OK ? path : NULL;
    if (rc != RC_NOT_FOUND)
        return rc;
    err_clear(tx->err);
    return RC_OK;
}

static struct path_limit read_limit(struct str agreement, const struct rows *rows, size_t row)
{
    struct str target = row_str(rows, row, 0);
    struct path_limit l = {
        .set = schema_all(&path_limit_schema),
        .agreement = agreement,
        .changed = row_int(rows, row, 2),
    };
    if (str_starts(target, ITEM)) {
        l.set &= ~schema_bit(&path_limit_schema, "amount");
        l.item = str_sub(target, ITEM.n, target.n);
        l.units = row_str(rows, row, 1);
    } else {
        l.set &= ~schema_bit(&path_limit_schema, "item") & ~schema_bit(&path_limit_schema, "units");
        l.amount = row_str(rows, row, 1);
    }
    return l;
}

enum rc path_limit_list(struct tx *tx, struct str agreement, struct list *ret)
{
    struct rows rows;
    struct edges e;
    const struct supply_path *path = NULL;
    TRY(sql_rows(tx, &rows,
                 "SELECT target, most, changed FROM path_limit WHERE agreement = $1 "
                 "ORDER BY target LIMIT $2",
                 V(agreement), V((int64_t)LIMITS_MAX)));
    struct path_limit *list = NEW_N(tx->arena, struct path_limit, rows.count);
    TRY(find_path(tx, agreement, &path));
    TRY(find_edges(tx, agreement, &e));
    for (size_t i = 0; i < rows.count; i++) {
        list[i] = read_limit(agreement, &rows, i);
        TRY(used_of(tx, path, &e, list[i].item, &list[i].used));
    }
    *ret = (struct list){list, rows.count};
    return RC_OK;
}

static enum rc check_most(struct tx *tx, const struct path_limit *l)
{
    const char *pointer = l->item.n > 0 ? "/units" : "/amount";
    struct str most = l->item.n > 0 ? l->units : l->amount;
    struct str other = l->item.n > 0 ? l->amount : l->units;
    struct item item;
    rated r = 0;
    if (l->item.n > 0) {
        enum rc rc = item_find(tx, l->item, &item);
        if (rc == RC_NOT_FOUND)
            return err_set_at(tx->err, RC_INVALID, STR("/item"), "there is no item '%.*s'",
                              STRF(l->item));
        TRY(rc);
    }
    if (other.n > 0 || (l->item.n == 0 && !schema_has(&path_limit_schema, l, "amount")))
        return err_set_at(tx->err, RC_INVALID, STR("/item"),
                          "a limit is an item with units, or an amount alone");
    if (most.n == 0)
        return RC_OK;
    if (rated_parse(most, &r, tx->err) != RC_OK || r < 0)
        return err_set_at(tx->err, RC_INVALID, str_c(pointer),
                          "a limit has at most %d digits behind the point and is not below 0",
                          RATED_SCALE);
    return RC_OK;
}

enum rc path_limit_set(struct tx *tx, struct str agreement, const struct path_limit *wanted,
                       struct path_limit *ret)
{
    struct path_limit l = *wanted;
    TRY(check_most(tx, &l));
    struct str most = l.item.n > 0 ? l.units : l.amount;
    struct str target = l.item.n > 0 ? arena_fmt(tx->arena, "item:%.*s", STRF(l.item)) : CREDIT;
    ASSERT(target.n <= TARGET_MAX);
    TRY(sql_run(tx, "DELETE FROM path_limit WHERE agreement = $1 AND target = $2", V(agreement),
                V(target)));
    if (most.n > 0)
        TRY(sql_run(tx,
                    "INSERT INTO path_limit (agreement, target, most, changed) "
                    "VALUES ($1, $2, $3, $4)",
                    V(agreement), V(target), V(most), V(tx->now)));
    struct edges e;
    const struct supply_path *path = NULL;
    TRY(find_path(tx, agreement, &path));
    TRY(find_edges(tx, agreement, &e));
    TRY(used_of(tx, path, &e, l.item, &l.used));
    l.agreement = agreement;
    l.changed = tx->now;
    l.set = schema_all(&path_limit_schema);
    *ret = l;
    return RC_OK;
}
