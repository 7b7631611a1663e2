/*
 * facts.c - subscriptions as rating wants them: numbers, a calendar, terms in order.
 */
#include "catalog/code.h"
#include "catalog/subscription.h"
#include "channel/agreement.h"

enum { ZONES_MAX = 64, WALK_MAX = 50000 };
#define BEHIND_ALL_IDS "~" /* ids are small letters, digits and '_' */

#define COLUMNS                                                                              \
    "s.id, s.client, s.agreement, s.parent, s.zone, s.period, s.anchored, s.start, s.ends, " \
    "s.plan, s.plan_number, s.quantity, s.producer, s.asset, s.terms"
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

/* --- terms --- */

/* Where the terms of facts are written. */
struct filler {
    struct subscription_facts *facts;
    struct subscription_term **terms; /* of each */
    size_t count;
    bool several; /* one of them has more than one row of terms */
    size_t at;    /* whose terms come now */
    size_t have;  /* of them */
};

static void filler_init(struct filler *f, struct arena *arena, size_t count)
{
    *f = (struct filler){
        .facts = NEW_N(arena, struct subscription_facts, count),
        .terms = NEW_N(arena, struct subscription_term *, count),
        .count = count,
    };
}

/* Most have one row of terms, which stands with the subscription. */
static enum rc read_terms(struct tx *tx, const struct rows *r, size_t row,
                          struct subscription_term *one, struct filler *f)
{
    size_t count = (size_t)row_int(r, row, 14);
    f->facts[row].term_count = count;
    f->terms[row] = count == 1 ? one : NEW_N(tx->arena, struct subscription_term, count);
    f->facts[row].terms = f->terms[row];
    f->several = f->several || count > 1;
    if (count > 1)
        return RC_OK; /* read together: add_term */
    *one = (struct subscription_term){
        .from = f->facts[row].start,
        .until = INT64_MAX,
        .agreement = row_str(r, row, 2),
        .plan = row_str(r, row, 9),
        .plan_number = row_int(r, row, 10),
        .producer = row_str(r, row, 12),
        .asset = row_str(r, row, 13),
    };
    return quantity_parse(row_str(r, row, 11), &one->quantity, tx->err);
}

static enum rc read_all(struct tx *tx, const struct rows *rows, struct filler *f)
{
    struct zones zones = {0};
    struct subscription_term *ones = NEW_N(tx->arena, struct subscription_term, rows->count);
    filler_init(f, tx->arena, rows->count);
    for (size_t i = 0; i < rows->count; i++) {
        TRY(read_facts(tx, &zones, rows, i, &f->facts[i]));
        TRY(read_terms(tx, rows, i, &ones[i], f));
    }
    return RC_OK;
}

/* The terms of those that have several come in the order of the facts, and within one by time. */
static enum rc add_term(struct tx *tx, const struct value *cells, size_t columns UNUSED, void *arg)
{
    struct filler *f = arg;
    while (!str_eq(f->facts[f->at].id, cells[0].text)) {
        f->at++;
        f->have = 0;
        ASSERT(f->at < f->count);
    }
    ASSERT(f->have < f->facts[f->at].term_count);
    struct subscription_term *t = &f->terms[f->at][f->have++];
    *t = (struct subscription_term){
        .from = cells[1].number,
        .until = INT64_MAX,
        .agreement = arena_str(tx->arena, cells[2].text),
        .plan = arena_str(tx->arena, cells[3].text),
        .plan_number = cells[4].number,
        .producer = arena_str(tx->arena, cells[6].text),
        .asset = arena_str(tx->arena, cells[7].text),
    };
    if (f->have > 1)
        t[-1].until = t->from;
    return quantity_parse(cells[5].text, &t->quantity, tx->err);
}

enum rc subscription_facts(struct tx *tx, struct str id, struct subscription_facts *ret)
{
    struct rows rows;
    struct filler f;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM subscription s WHERE s.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no subscription '%.*s'", STRF(id));
    TRY(read_all(tx, &rows, &f));
    if (f.several)
        TRY(sql_each(tx, add_term, &f,
                     "SELECT " TERM_COLUMNS " FROM subscription_term t WHERE t.subscription = $1 "
                     "ORDER BY t.since",
                     V(id)));
    *ret = f.facts[0];
    return RC_OK;
}

/* --- the walk --- */

enum rc subscription_walk(struct tx *tx, time_us since, time_us before,
                          const struct subscription_stretch *stretch,
                          struct subscription_facts **ret, size_t *ret_count)
{
    static const struct subscription_cursor beginning;
    static const struct subscription_cursor end = {
        STR_INIT(BEHIND_ALL_IDS), STR_INIT(BEHIND_ALL_IDS), STR_INIT(BEHIND_ALL_IDS)};
    struct rows rows;
    struct filler f;
    const struct subscription_cursor *c = stretch->after != NULL ? stretch->after : &beginning;
    const struct subscription_cursor *u = stretch->until != NULL ? stretch->until : &end;
    ASSERT(stretch->limit > 0 && stretch->limit <= WALK_MAX);
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM subscription s "
                 "WHERE (s.agreement, s.client, s.id) > ($1, $2, $3) "
                 "AND (s.agreement, s.client, s.id) <= ($7, $8, $9) AND s.start < $4 "
                 "AND s.ends >= $5 ORDER BY s.agreement, s.client, s.id LIMIT $6",
                 V(c->agreement), V(c->client), V(c->id), V(before), V(since),
                 V((int64_t)stretch->limit), V(u->agreement), V(u->client), V(u->id)));
    TRY(read_all(tx, &rows, &f));
    size_t last = rows.count - 1;
    if (f.several)
        TRY(sql_each(tx, add_term, &f,
                     "SELECT " TERM_COLUMNS " FROM subscription s "
                     "JOIN subscription_term t ON t.subscription = s.id "
                     "WHERE (s.agreement, s.client, s.id) > ($1, $2, $3) "
                     "AND (s.agreement, s.client, s.id) <= ($6, $7, $8) AND s.start < $4 "
                     "AND s.ends >= $5 AND s.terms > 1 "
                     "ORDER BY s.agreement, s.client, s.id, t.since",
                     V(c->agreement), V(c->client), V(c->id), V(before), V(since),
                     V(row_str(&rows, last, 2)), V(row_str(&rows, last, 1)),
                     V(row_str(&rows, last, 0))));
    *ret = f.facts;
    *ret_count = rows.count;
    return RC_OK;
}

enum rc subscription_walk_ahead(struct tx *tx, const struct subscription_cursor *after,
                                size_t count, struct subscription_cursor *ret, bool *ret_found)
{
    struct rows rows;
    ASSERT(count > 0 && count <= WALK_MAX);
    TRY(sql_rows(tx, &rows,
                 "SELECT s.agreement, s.client, s.id FROM subscription s "
                 "WHERE (s.agreement, s.client, s.id) > ($1, $2, $3) "
                 "ORDER BY s.agreement, s.client, s.id LIMIT 1 OFFSET $4",
                 V(after->agreement), V(after->client), V(after->id), V((int64_t)count - 1)));
    *ret_found = rows.count > 0;
    if (*ret_found)
        *ret = (struct subscription_cursor){row_str(&rows, 0, 0), row_str(&rows, 0, 1),
                                            row_str(&rows, 0, 2)};
    return RC_OK;
}

enum rc subscription_zones(struct tx *tx, struct str **ret, size_t *ret_count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT DISTINCT s.zone FROM subscription s ORDER BY s.zone LIMIT $1",
                 V((int64_t)SUBSCRIPTION_ZONES_MAX + 1)));
    if (rows.count > SUBSCRIPTION_ZONES_MAX)
        return err_set(tx->err, RC_TOO_LARGE, "subscriptions are in more than %d time zones",
                       SUBSCRIPTION_ZONES_MAX);
    *ret = NEW_N(tx->arena, struct str, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        (*ret)[i] = row_str(&rows, i, 0);
    *ret_count = rows.count;
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
                 "SELECT s.seller, s.start, s.ends, s.producer FROM subscription s "
                 "WHERE s.id = $1",
                 V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no subscription '%.*s'", STRF(id));
    *ret = (struct subscription_reporting){.seller = row_str(&rows, 0, 0),
                                           .start = row_int(&rows, 0, 1),
                                           .ends = row_int(&rows, 0, 2),
                                           .producer = row_str(&rows, 0, 3)};
    return RC_OK;
}

enum rc subscription_reporting_before(struct tx *tx, struct str id, struct str party,
                                      struct subscription_reporting *ret, bool *ret_found)
{
    struct subscription_reporting s = *ret;
    struct rows rows;
    bool found = false;
    bool was_his = false;
    TRY(sql_rows(tx, &rows,
                 "SELECT t.since, t.agreement, t.producer FROM subscription_term t "
                 "WHERE t.subscription = $1 ORDER BY t.since LIMIT $2",
                 V(id), V(SUBSCRIPTION_TERMS_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        struct agreement a;
        bool his = str_eq(row_str(&rows, i, 2), party);
        if (!his) {
            TRY(agreement_get(tx, row_str(&rows, i, 1), &a));
            his = str_eq(a.from, party);
        }
        if (his && !was_his)
            s.start = max_i64(ret->start, row_int(&rows, i, 0));
        was_his = his;
        if (!his)
            continue;
        s.ends = i + 1 == rows.count ? ret->ends : min_i64(ret->ends, row_int(&rows, i + 1, 0));
        found = true;
    }
    *ret = s;
    *ret_found = found;
    return RC_OK;
}
