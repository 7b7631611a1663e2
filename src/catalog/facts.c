/*
 * facts.c - subscriptions as rating wants them: numbers, a calendar, terms in order.
 */
#include "catalog/code.h"
#include "catalog/subscription.h"

enum { ZONES_MAX = 64, WALK_MAX = 50000 };

#define COLUMNS \
    "s.id, s.client, s.agreement, s.parent, s.zone, s.period, s.anchored, s.start, s.ends"
#define TERM_COLUMNS                                                                        \
    "t.subscription, t.since, t.agreement, t.plan, t.plan_number, t.quantity, t.producer, " \
    "t.asset"

/* Zones that were read: a walk meets the same few again and again. */
struct zones {
    size_t count;
    const struct zone *list[ZONES_MAX];
};

static enum rc find_zone(struct tx *tx, struct zones *z, struct str name, const struct zone **ret)
{
    for (size_t i = 0; i < z->count; i++)
        if (str_eq(z->list[i]->name, name)) {
            *ret = z->list[i];
            return RC_OK;
        }
    TRY(zone_load(name, tx->arena, ret, tx->err));
    if (z->count < ZONES_MAX)
        z->list[z->count++] = *ret;
    return RC_OK;
}

static enum rc read_facts(struct tx *tx, struct zones *zones, const struct rows *r, size_t row,
                          struct subscription_facts *ret)
{
    static const enum period_unit units[] = {
        [PLAN_MONTH] = PERIOD_MONTH,
        [PLAN_QUARTER] = PERIOD_QUARTER,
        [PLAN_YEAR] = PERIOD_YEAR,
        [PLAN_ONCE] = PERIOD_MONTH,
    };
    const struct zone *zone = NULL;
    int64_t period = code_word(plan_periods, row_str(r, row, 5));
    time_us start = row_int(r, row, 7);
    TRY(find_zone(tx, zones, row_str(r, row, 4), &zone));
    *ret = (struct subscription_facts){
        .id = row_str(r, row, 0),
        .client = row_str(r, row, 1),
        .parent = row_str(r, row, 3),
        .start = start,
        .ends = row_int(r, row, 8),
        .calendar = row_int(r, row, 6) ? calendar_anchored(zone, units[period], start)
                                       : calendar_natural(zone, units[period]),
        .once = period == PLAN_ONCE,
    };
    return RC_OK;
}

/* Terms come in the order of the facts, and within one by time. */
struct filler {
    struct subscription_facts *facts;
    size_t count;
    size_t at; /* whose terms come now */
    size_t terms;
    size_t room;
    struct subscription_term *list;
};

/* All terms lie one behind the other, and move together where they need more room. */
static struct subscription_term *next_term(struct filler *f, struct arena *arena)
{
    if (f->terms == f->room) {
        size_t room = max_i64((int64_t)f->count, (int64_t)(2 * f->room));
        struct subscription_term *list = NEW_N(arena, struct subscription_term, room);
        for (size_t i = 0; i < f->terms; i++)
            list[i] = f->list[i];
        f->list = list;
        f->room = room;
    }
    return &f->list[f->terms++];
}

static enum rc add_term(struct tx *tx, const struct value *cells, size_t columns UNUSED, void *arg)
{
    struct filler *f = arg;
    while (!str_eq(f->facts[f->at].id, cells[0].text))
        f->at++;
    ASSERT(f->at < f->count);
    bool first = f->facts[f->at].term_count++ == 0;
    struct subscription_term *t = next_term(f, tx->arena);
    *t = (struct subscription_term){
        .from = cells[1].number,
        .until = INT64_MAX,
        .agreement = arena_str(tx->arena, cells[2].text),
        .plan = arena_str(tx->arena, cells[3].text),
        .plan_number = cells[4].number,
        .producer = arena_str(tx->arena, cells[6].text),
        .asset = arena_str(tx->arena, cells[7].text),
    };
    if (!first)
        t[-1].until = t->from;
    return quantity_parse(cells[5].text, &t->quantity, tx->err);
}

static void point_at_terms(struct filler *f)
{
    size_t at = 0;
    for (size_t i = 0; i < f->count; i++) {
        ASSERT(f->facts[i].term_count > 0);
        f->facts[i].terms = &f->list[at];
        at += f->facts[i].term_count;
    }
    ASSERT(at == f->terms);
}

enum rc subscription_facts(struct tx *tx, struct str id, struct subscription_facts *ret)
{
    struct rows rows;
    struct zones zones = {0};
    struct subscription_facts facts;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM subscription s WHERE s.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no subscription '%.*s'", STRF(id));
    TRY(read_facts(tx, &zones, &rows, 0, &facts));
    struct filler filler = {.facts = &facts, .count = 1};
    TRY(sql_each(tx, add_term, &filler,
                 "SELECT " TERM_COLUMNS " FROM subscription_term t WHERE t.subscription = $1 "
                 "ORDER BY t.since",
                 V(id)));
    point_at_terms(&filler);
    *ret = facts;
    return RC_OK;
}

enum rc subscription_walk(struct tx *tx, time_us since, time_us before,
                          const struct subscription_cursor *after, size_t limit,
                          struct subscription_facts **ret, size_t *ret_count)
{
    static const struct subscription_cursor beginning;
    struct rows rows;
    struct zones zones = {0};
    const struct subscription_cursor *c = after != NULL ? after : &beginning;
    ASSERT(limit > 0 && limit <= WALK_MAX);
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM subscription s "
                 "WHERE (s.agreement, s.client, s.id) > ($1, $2, $3) AND s.start < $4 "
                 "AND s.ends >= $5 ORDER BY s.agreement, s.client, s.id LIMIT $6",
                 V(c->agreement), V(c->client), V(c->id), V(before), V(since), V((int64_t)limit)));
    struct subscription_facts *facts = NEW_N(tx->arena, struct subscription_facts, rows.count);
    *ret = facts;
    *ret_count = rows.count;
    if (rows.count == 0)
        return RC_OK;
    for (size_t i = 0; i < rows.count; i++)
        TRY(read_facts(tx, &zones, &rows, i, &facts[i]));
    size_t last = rows.count - 1;
    struct filler filler = {.facts = facts, .count = rows.count};
    TRY(sql_each(tx, add_term, &filler,
                 "SELECT " TERM_COLUMNS " FROM subscription s "
                 "JOIN subscription_term t ON t.subscription = s.id "
                 "WHERE (s.agreement, s.client, s.id) > ($1, $2, $3) "
                 "AND (s.agreement, s.client, s.id) <= ($6, $7, $8) AND s.start < $4 "
                 "AND s.ends >= $5 ORDER BY s.agreement, s.client, s.id, t.since",
                 V(c->agreement), V(c->client), V(c->id), V(before), V(since),
                 V(row_str(&rows, last, 2)), V(row_str(&rows, last, 1)),
                 V(row_str(&rows, last, 0))));
    point_at_terms(&filler);
    return RC_OK;
}

enum rc subscription_count(struct tx *tx, time_us since, time_us before, int64_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT COUNT(*) FROM subscription s WHERE s.start < $1 AND s.ends >= $2",
                 V(before), V(since)));
    *ret = row_int(&rows, 0, 0);
    return RC_OK;
}

enum rc subscription_reporting(struct tx *tx, struct str id, struct subscription_reporting *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT s.seller, s.start, s.ends, t.producer FROM subscription s "
                 "JOIN subscription_term t ON t.subscription = s.id WHERE s.id = $1 "
                 "ORDER BY t.since DESC LIMIT 1",
                 V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no subscription '%.*s'", STRF(id));
    *ret = (struct subscription_reporting){.seller = row_str(&rows, 0, 0),
                                           .start = row_int(&rows, 0, 1),
                                           .ends = row_int(&rows, 0, 2),
                                           .producer = row_str(&rows, 0, 3)};
    return RC_OK;
}
