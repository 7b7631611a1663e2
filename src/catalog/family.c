#include "catalog/family.h"

#include "money/round.h"

enum { FAMILY_PLANS_MAX = 1000 };

#define TOO_MANY (((__int128)INT64_MAX) << 63)

/* The ids below $1, of all degrees. A parent is never exchanged, so there is no circle. */
#define BELOW                                                                     \
    "WITH RECURSIVE below (id) AS (SELECT s.id FROM subscription s "              \
    "WHERE s.parent = $1 UNION ALL SELECT s.id FROM subscription s JOIN below b " \
    "ON s.parent = b.id) "

/* --- counting --- */

struct sum {
    time_us from;
    time_us until;
    struct str id; /* of the descendant in hand */
    time_us begun; /* of the terms in hand */
    time_us ends;
    struct quantity units;
    __int128 total; /* unit-microseconds, at 10^-9 units */
};

/* The terms in hand end here. */
static void close_term(struct sum *s, time_us end)
{
    time_us begin = max_i64(s->begun, s->from);
    end = min_i64(min_i64(end, s->ends), s->until);
    __int128 units = s->units.mantissa;
    for (int i = s->units.scale; i < QUANTITY_SCALE_MAX; i++)
        units *= 10;
    if (end <= begin)
        return;
    /* SUBSCRIPTION_UNITS_MAX for ever is below 10^36; of more than a hundred such, too many. */
    if (__builtin_add_overflow(s->total, units * (end - begin), &s->total))
        s->total = TOO_MANY;
}

static enum rc add_term(struct tx *tx, const struct value *cells, size_t columns UNUSED, void *arg)
{
    struct sum *s = arg;
    bool same = str_eq(s->id, cells[0].text);
    close_term(s, same ? cells[2].number : INT64_MAX);
    if (!same)
        s->id = arena_str(tx->arena, cells[0].text);
    s->ends = cells[1].number;
    s->begun = cells[2].number;
    return quantity_parse(cells[3].text, &s->units, tx->err);
}

/* As fine as fits: microseconds where there are not too many. */
static enum rc narrow(__int128 total, struct quantity *ret, struct err *err)
{
    const int fine = QUANTITY_SCALE_MAX + 6; /* of unit-microseconds at 10^-9 in unit-seconds */
    int scale = fine;
    while (scale > QUANTITY_SCALE_MAX || (total > INT64_MAX / 10 && scale > 0)) {
        total = round_div(total, 10);
        scale--;
    }
    if (total > INT64_MAX)
        return err_set(err, RC_TOO_LARGE, "the family is too large to be counted");
    *ret = (struct quantity){(int64_t)total, scale};
    return RC_OK;
}

enum rc subscription_descendants(struct tx *tx, struct str id, time_us from, time_us until,
                                 struct quantity *ret)
{
    struct sum sum = {.from = from, .until = until};
    TRY(sql_each(tx, add_term, &sum,
                 BELOW "SELECT s.id, s.ends, t.since, t.quantity FROM below b "
                       "JOIN subscription s ON s.id = b.id "
                       "JOIN subscription_term t ON t.subscription = s.id "
                       "WHERE s.start < $3 AND s.ends > $2 ORDER BY s.id, t.since",
                 V(id), V(from), V(until)));
    close_term(&sum, INT64_MAX);
    return narrow(sum.total, ret, tx->err);
}

/* --- together --- */

/* Of a subscription s that has not ended at $2 the terms t of then, or those it begins with. */
#define RUNS                                                  \
    "s.ends > $2 AND t.since = "                              \
    "COALESCE((SELECT MAX(u.since) FROM subscription_term u " \
    "WHERE u.subscription = s.id AND u.since <= $2), s.start)"

struct members {
    struct map *ids;
    size_t count;
    struct limit_units *units;
};

static enum rc add_units(struct tx *tx, struct members *m, const struct limit_units *u)
{
    for (size_t i = 0; i < m->count; i++) {
        struct limit_units *have = &m->units[i];
        if (have->plan_number == u->plan_number && str_eq(have->plan, u->plan))
            return quantity_add(have->units, u->units, &have->units, tx->err);
    }
    if (m->count == FAMILY_PLANS_MAX)
        return err_set(tx->err, RC_TOO_LARGE, "the family has more than %d plans",
                       FAMILY_PLANS_MAX);
    m->units[m->count++] = (struct limit_units){
        .plan = arena_str(tx->arena, u->plan),
        .plan_number = u->plan_number,
        .item = arena_str(tx->arena, u->item),
        .units = u->units,
    };
    return RC_OK;
}

static enum rc add_member(struct tx *tx, const struct value *cells, size_t columns UNUSED,
                          void *arg)
{
    struct members *m = arg;
    struct limit_units u = {
        .plan = cells[1].text, .plan_number = cells[2].number, .item = cells[4].text};
    TRY(quantity_parse(cells[3].text, &u.units, tx->err));
    if (m->ids->count == SUBSCRIPTION_FAMILY_MAX)
        return err_set(tx->err, RC_TOO_LARGE, "at most %d subscriptions go together",
                       SUBSCRIPTION_FAMILY_MAX);
    (void)map_put(m->ids, arena_str(tx->arena, cells[0].text), m->ids);
    return add_units(tx, m, &u);
}

enum rc family_units(struct tx *tx, struct str id, struct map *ret_ids,
                     struct limit_units **ret_units, size_t *ret_count)
{
    struct members m = {.ids = ret_ids,
                        .units = NEW_N(tx->arena, struct limit_units, FAMILY_PLANS_MAX)};
    map_init(ret_ids, tx->arena, (const uint64_t[2]){0, 0});
    TRY(sql_each(tx, add_member, &m,
                 BELOW ", all_of (id) AS (SELECT id FROM below UNION ALL SELECT s.id "
                       "FROM subscription s WHERE s.id = $1) "
                       "SELECT s.id, t.plan, t.plan_number, t.quantity, p.item FROM all_of a "
                       "JOIN subscription s ON s.id = a.id "
                       "JOIN subscription_term t ON t.subscription = s.id "
                       "JOIN plan p ON p.id = t.plan WHERE " RUNS " ORDER BY s.id",
                 V(id), V(tx->now)));
    *ret_units = m.units;
    *ret_count = m.count;
    return RC_OK;
}

struct ids {
    struct list *list;
    size_t room;
};

static enum rc add_id(struct tx *tx, const struct value *cells, size_t columns UNUSED, void *arg)
{
    const struct ids *found = arg;
    struct str *ids = found->list->items;
    ASSERT(found->list->count < found->room);
    ids[found->list->count++] = arena_str(tx->arena, cells[0].text);
    return RC_OK;
}

enum rc family_with_plan(struct tx *tx, struct str id, const struct limit_units *plan, size_t room,
                         struct list *ret)
{
    struct ids found = {ret, room};
    ret->count = 0;
    return sql_each(tx, add_id, &found,
                    BELOW ", all_of (id) AS (SELECT id FROM below UNION ALL SELECT s.id "
                          "FROM subscription s WHERE s.id = $1) "
                          "SELECT s.id FROM all_of a JOIN subscription s ON s.id = a.id "
                          "JOIN subscription_term t ON t.subscription = s.id WHERE t.plan = $3 "
                          "AND t.plan_number = $4 AND " RUNS " ORDER BY s.id",
                    V(id), V(tx->now), V(plan->plan), V(plan->plan_number));
}

enum rc family_move(struct tx *tx, struct str id, struct str agreement, struct str seller)
{
    TRY(sql_run(tx,
                BELOW "INSERT INTO subscription_term (subscription, since, agreement, plan, "
                      "plan_number, quantity, producer, asset) "
                      "SELECT t.subscription, $2, $3, t.plan, t.plan_number, t.quantity, "
                      "t.producer, t.asset FROM below b JOIN subscription s ON s.id = b.id "
                      "JOIN subscription_term t ON t.subscription = s.id "
                      "WHERE s.ends > $2 AND t.since = (SELECT MAX(u.since) "
                      "FROM subscription_term u WHERE u.subscription = s.id AND u.since <= $2) "
                      "ON CONFLICT (subscription, since) DO UPDATE "
                      "SET agreement = excluded.agreement",
                V(id), V(tx->now), V(agreement)));
    /* What is planned for later takes the same way. */
    TRY(sql_run(tx,
                BELOW "UPDATE subscription_term SET agreement = $3 WHERE since > $2 "
                      "AND subscription IN (SELECT b.id FROM below b JOIN subscription s "
                      "ON s.id = b.id WHERE s.ends > $2)",
                V(id), V(tx->now), V(agreement)));
    return sql_run(tx,
                   BELOW "UPDATE subscription SET agreement = $3, seller = $4, "
                         "version = version + 1, changed = $2, terms = (SELECT COUNT(*) "
                         "FROM subscription_term t WHERE t.subscription = subscription.id) "
                         "WHERE ends > $2 AND id IN (SELECT b.id FROM below b)",
                   V(id), V(tx->now), V(agreement), V(seller));
}

enum rc family_end(struct tx *tx, struct str id, time_us at)
{
    return sql_run(tx,
                   BELOW "UPDATE subscription SET ends = CASE WHEN start > $2 THEN start ELSE $2 "
                         "END, version = version + 1, changed = $3 "
                         "WHERE ends > $2 AND id IN (SELECT b.id FROM below b)",
                   V(id), V(at), V(tx->now));
}
