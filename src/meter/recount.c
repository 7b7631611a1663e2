/*
 * recount.c - totals made anew from the records that are kept.
 */
#include "meter/fold.h"

enum { SOURCES_MAX = 100000, CORRECTED_MAX = 4000000, LIST_FIRST = 64 };

struct old {
    size_t count;
    struct standing *list;
};

/* A list of numbers that grows in an arena. */
struct numbers {
    struct arena *arena;
    size_t max;
    size_t count;
    size_t room;
    int64_t *list;
};

struct recounting {
    struct fold *fold;
    int64_t folded;
    size_t count;
    const struct recount *list; /* by subscription, meter, from */
    struct old *old;
    time_us from; /* what all of them span */
    time_us until;
    struct numbers sources;
    struct numbers corrected; /* of the source in hand */
    struct numbers batches;
};

static enum rc add_number(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct numbers *n = arg;
    ASSERT(columns == 1);
    if (n->count == n->max)
        return err_set(tx->err, RC_TOO_LARGE, "too much is to be counted anew at once");
    if (n->count == n->room) {
        size_t room = n->room * 2 + LIST_FIRST;
        int64_t *more = NEW_N(n->arena, int64_t, room);
        if (n->count > 0)
            memcpy(more, n->list, n->count * sizeof *more);
        n->list = more;
        n->room = room;
    }
    n->list[n->count++] = cells[0].number;
    return RC_OK;
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

static bool has_number(const struct numbers *n, int64_t number)
{
    return n->count > 0 && bsearch(&number, n->list, n->count, sizeof number, by_number) != NULL;
}

static int by_target(const void *a, const void *b)
{
    const struct recount *x = a;
    const struct recount *y = b;
    if (x->subscription != y->subscription)
        return x->subscription < y->subscription ? -1 : 1;
    if (x->meter != y->meter)
        return x->meter < y->meter ? -1 : 1;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* --- which records --- */

static bool wants(struct recounting *r, const struct packed *p, int64_t meter, time_us at)
{
    size_t low = 0;
    size_t high = r->count;
    struct recount key = {p->subscription, meter, at, 0};
    while (low < high) { /* the first behind it */
        size_t middle = low + (high - low) / 2;
        if (by_target(&r->list[middle], &key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    const struct recount *found = low > 0 ? &r->list[low - 1] : NULL;
    return found != NULL && found->subscription == p->subscription && found->meter == meter &&
           at >= found->from && at < found->until;
}

static enum rc count_record(struct recounting *r, const struct packed *p)
{
    struct folded *s = NULL;
    TRY(fold_subscription(r->fold, p->subscription, &s));
    time_us at = fold_instant(s, p);
    if (!wants(r, p, 0, at) && !wants(r, p, (int64_t)p->meter, at))
        return RC_OK;
    if (has_number(&r->corrected, (int64_t)p->number))
        return RC_OK;
    return fold_add(r->fold, p, 1);
}

/* Most records of a batch are of others: they are passed over without a question. */
static bool is_listed(const struct recounting *r, unsigned __int128 subscription)
{
    size_t low = 0;
    size_t high = r->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->list[middle].subscription < subscription)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->count && r->list[low].subscription == subscription;
}

static enum rc count_body(void *arg, struct packing_reader *records)
{
    struct recounting *r = arg;
    struct packed p;
    while (packing_next(records, &p))
        if (is_listed(r, p.subscription))
            TRY(count_record(r, &p));
    return RC_OK;
}

static enum rc count_source(struct recounting *r, int64_t source)
{
    struct tx *tx = r->fold->tx;
    r->fold->source = source;
    r->corrected.count = 0;
    r->batches.count = 0;
    TRY(sql_each(tx, add_number, &r->corrected,
                 "SELECT number FROM usage_superseded WHERE source = $1 AND batch <= $2 "
                 "ORDER BY number",
                 V(source), V(r->folded)));
    TRY(sql_each(tx, add_number, &r->batches,
                 "SELECT no FROM usage_batch WHERE source = $1 AND no <= $2 AND time_until >= $3 "
                 "AND time_from <= $4 ORDER BY no",
                 V(source), V(r->folded), V(r->from), V(r->until)));
    for (size_t i = 0; i < r->batches.count; i++)
        TRY(kept_body(tx, r->batches.list[i], count_body, r));
    return RC_OK;
}

/* Who reported for the subscriptions, each once. */
static enum rc find_sources(struct recounting *r)
{
    struct fold *f = r->fold;
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++) {
        struct folded *s = NULL;
        if (i > 0 && r->list[i].subscription == r->list[i - 1].subscription)
            continue;
        TRY(fold_subscription(f, r->list[i].subscription, &s));
        TRY(sql_each(f->tx, add_number, &r->sources,
                     "SELECT source FROM usage_reporter WHERE subscription = $1 ORDER BY source",
                     V(s->text)));
    }
    if (r->sources.count > 0)
        qsort(r->sources.list, r->sources.count, sizeof *r->sources.list, by_number);
    for (size_t i = 0; i < r->sources.count; i++)
        if (i == 0 || r->sources.list[i] != r->sources.list[kept - 1])
            r->sources.list[kept++] = r->sources.list[i];
    r->sources.count = kept;
    return RC_OK;
}

/* --- the totals before and after --- */

static enum rc take_away(struct recounting *r, size_t i)
{
    struct fold *f = r->fold;
    struct folded *s = NULL;
    const struct recount *q = &r->list[i];
    TRY(fold_subscription(f, q->subscription, &s));
    struct standing_query query = {s->text, q->meter, q->from, q->until};
    TRY(standing_read(&f->side, &query, &f->arena, &r->old[i].list, &r->old[i].count));
    arena_reset(&f->scratch);
    if (q->meter == 0) {
        TRY(sql_run(f->tx, "DELETE FROM usage_total WHERE subscription = $1", V(s->text)));
        return sql_run(f->tx, "DELETE FROM usage_part WHERE subscription = $1", V(s->text));
    }
    TRY(sql_run(f->tx,
                "DELETE FROM usage_total WHERE subscription = $1 AND meter = $2 "
                "AND window_from >= $3 AND window_from < $4",
                V(s->text), V(q->meter), V(q->from), V(q->until)));
    return sql_run(f->tx,
                   "DELETE FROM usage_part WHERE subscription = $1 AND meter = $2 "
                   "AND window_from >= $3 AND window_from < $4",
                   V(s->text), V(q->meter), V(q->from), V(q->until));
}

/* A window that nothing is in any more: what was billed for it goes back. */
static enum rc keep_empty(struct fold *f, struct str subscription, const struct standing *t)
{
    return sql_run(f->tx,
                   "INSERT INTO usage_total (subscription, meter, window_from, window_until, kind, "
                   "scale, high, quantity, latest, records) "
                   "VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, 0)",
                   V(subscription), V(t->meter), V(t->from), V(t->until), V(t->kind), V(t->scale));
}

static int by_window(const struct standing *a, const struct standing *b)
{
    if (a->meter != b->meter)
        return a->meter < b->meter ? -1 : 1;
    return a->from < b->from ? -1 : a->from > b->from;
}

/* Both lists are in the order of (meter, from). */
static enum rc compare(struct recounting *r, size_t i, int64_t *changed)
{
    struct fold *f = r->fold;
    struct folded *s = NULL;
    struct standing *now = NULL;
    size_t now_count = 0;
    const struct recount *q = &r->list[i];
    const struct old *old = &r->old[i];
    TRY(fold_subscription(f, q->subscription, &s));
    struct standing_query query = {s->text, q->meter, q->from, q->until};
    TRY(standing_read(&f->side, &query, &f->arena, &now, &now_count));
    arena_reset(&f->scratch);
    for (size_t a = 0, b = 0; a < old->count || b < now_count;) {
        static const struct standing nothing;
        int order = a == old->count ? 1 : b == now_count ? -1 : by_window(&old->list[a], &now[b]);
        const struct standing *was = order <= 0 ? &old->list[a++] : &nothing;
        const struct standing *is = order >= 0 ? &now[b++] : &nothing;
        struct standing any = order >= 0 ? *is : *was;
        if (was->quantity != is->quantity) {
            ++*changed;
            TRY(fold_window_end(f, s, &any));
            TRY(standing_late(f, s->text, any.meter, any.from, any.until, was->quantity));
        }
        if (order < 0)
            TRY(keep_empty(f, s->text, was));
    }
    return RC_OK;
}

static enum rc recount(struct recounting *r, int64_t *ret_changed)
{
    int64_t changed = 0;
    struct fold *f = r->fold;
    r->old = NEW_N(&f->arena, struct old, r->count);
    TRY(find_sources(r));
    for (size_t i = 0; i < r->count; i++)
        TRY(take_away(r, i));
    for (size_t i = 0; i < r->sources.count; i++)
        TRY(count_source(r, r->sources.list[i]));
    f->marking = false; /* beside nothing, all of it would look late */
    TRY(fold_write(f));
    f->marking = true;
    for (size_t i = 0; i < r->count; i++)
        TRY(compare(r, i, &changed));
    *ret_changed = changed;
    return RC_OK;
}

/* By target, each once. Those that stand for all meters are alone for their subscription. */
static size_t in_order(struct recount *list, size_t count)
{
    size_t kept = 0;
    qsort(list, count, sizeof *list, by_target);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || by_target(&list[i], &list[kept - 1]) != 0)
            list[kept++] = list[i];
    return kept;
}

enum rc fold_recount(struct tx *tx, int64_t folded, struct recount *list, size_t count,
                     int64_t *ret_changed)
{
    struct fold f;
    struct recounting r = {.fold = &f,
                           .folded = folded,
                           .count = in_order(list, count),
                           .list = list,
                           .from = INT64_MAX,
                           .until = INT64_MIN,
                           .sources = {.arena = &f.arena, .max = SOURCES_MAX},
                           .corrected = {.arena = &f.arena, .max = CORRECTED_MAX},
                           .batches = {.arena = &f.arena, .max = CORRECTED_MAX}};
    for (size_t i = 0; i < r.count; i++) {
        r.from = min_i64(r.from, list[i].from);
        r.until = max_i64(r.until, list[i].until);
    }
    enum rc rc = fold_init(&f, tx);
    if (rc == RC_OK)
        rc = recount(&r, ret_changed);
    fold_fini(&f);
    return rc;
}
