#include "meter/total.h"

#include "meter/fold.h"

enum {
    BATCHES_AT_ONCE = 4096,
    ROW_LIMIT = 10000,
    CORRECTIONS_FIRST = 64,
    WORK_RECORDS = 500000, /* of one fold in the background: below a second, and others may write */
};

/* --- folding --- */

/* Which record a correction in this fold takes out. */
struct correction {
    int64_t source;
    uint64_t number;
};

struct folding {
    struct fold *fold;
    size_t correction_count;
    size_t correction_room;
    struct correction *corrections;
    size_t recount_count;
    struct recount *recounts; /* at most one a correction */
};

static enum rc note_correction(struct folding *g, const struct packed *p)
{
    struct fold *f = g->fold;
    uint64_t number = 0;
    TRY(kept_number(f->tx, f->source, p->supersedes, &number));
    if (g->correction_count == g->correction_room) {
        size_t room = g->correction_room * 2 + CORRECTIONS_FIRST;
        struct correction *more = NEW_N(&f->arena, struct correction, room);
        if (g->correction_count > 0)
            memcpy(more, g->corrections, g->correction_count * sizeof *more);
        g->corrections = more;
        g->correction_room = room;
    }
    g->corrections[g->correction_count++] = (struct correction){f->source, number};
    return RC_OK;
}

static enum rc fold_body(void *arg, struct packing_reader *records)
{
    struct folding *g = arg;
    struct packed p;
    while (packing_next(records, &p)) {
        TRY(fold_add(g->fold, &p, 1));
        if (p.supersedes.n > 0)
            TRY(note_correction(g, &p));
    }
    return RC_OK;
}

/* Of a sum the record is taken out again; of what is none, its window is counted anew (of a counter
 * all of them, as each reading is the ground of the next). */
static enum rc take_out(void *arg, const struct packed *p, size_t index)
{
    (void)index;
    struct folding *g = arg;
    struct fold *f = g->fold;
    struct folded *s = NULL;
    struct span *w = NULL;
    if (p->meter < 1 || p->meter > f->meter_count)
        return RC_OK; /* it was never counted */
    enum meter_kind kind = (enum meter_kind)f->meters[p->meter - 1].kind;
    if (fold_is_sum(kind))
        return fold_add(f, p, -1);
    TRY(fold_subscription(f, p->subscription, &s));
    TRY(fold_window(f, s, fold_instant(s, p), &w));
    if (w == NULL)
        return RC_OK;
    bool all = kind == METER_COUNTER;
    g->recounts[g->recount_count++] = (struct recount){
        p->subscription, (int64_t)p->meter, all ? INT64_MIN : w->from, all ? INT64_MAX : w->until};
    return RC_OK;
}

static int by_record(const void *a, const void *b)
{
    const struct correction *x = a;
    const struct correction *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static enum rc take_out_all(struct folding *g)
{
    struct fold *f = g->fold;
    size_t count = g->correction_count;
    if (count == 0)
        return RC_OK;
    qsort(g->corrections, count, sizeof *g->corrections, by_record);
    struct kept_place *places = NEW_N(&f->arena, struct kept_place, count);
    g->recounts = NEW_N(&f->arena, struct recount, count);
    for (size_t i = 0; i < count; i++)
        places[i] = (struct kept_place){g->corrections[i].number, i};
    for (size_t at = 0; at < count;) {
        size_t end = at + 1;
        f->source = g->corrections[at].source;
        while (end < count && g->corrections[end].source == f->source)
            end++;
        TRY(kept_find(f->tx, f->source, places + at, end - at, take_out, g));
        at = end;
    }
    return RC_OK;
}

static enum rc cursor(struct tx *tx, int64_t *ret)
{
    struct rows rows;
    TRY(sql_run(tx,
                "INSERT INTO usage_fold (one, folded, billed) VALUES (1, 0, $1) "
                "ON CONFLICT (one) DO NOTHING",
                V(INT64_MIN)));
    TRY(sql_rows(tx, &rows, "SELECT folded FROM usage_fold WHERE one = 1"));
    *ret = row_int(&rows, 0, 0);
    return RC_OK;
}

static enum rc fold_batches(struct folding *g, size_t records, bool *ret_done)
{
    struct rows heads;
    int64_t folded = 0;
    int64_t changed = 0;
    size_t taken = 0;
    size_t i = 0;
    struct fold *f = g->fold;
    TRY(cursor(f->tx, &folded));
    TRY(early_settle(f->tx, folded));
    TRY(sql_rows(f->tx, &heads,
                 "SELECT no, source, records FROM usage_batch WHERE no > $1 ORDER BY no LIMIT $2",
                 V(folded), V((int64_t)BATCHES_AT_ONCE)));
    for (; i < heads.count; i++) {
        if (taken > 0 && (taken >= records || arena_room(&f->arena) < FOLD_ROOM_BYTES))
            break;
        folded = row_int(&heads, i, 0);
        f->source = row_int(&heads, i, 1);
        TRY(kept_body(f->tx, folded, fold_body, g));
        taken += (size_t)row_int(&heads, i, 2);
    }
    TRY(take_out_all(g));
    TRY(fold_write(f));
    TRY(sql_run(f->tx, "UPDATE usage_fold SET folded = $1 WHERE one = 1", V(folded)));
    if (g->recount_count > 0)
        TRY(fold_recount(f->tx, folded, g->recounts, g->recount_count, &changed));
    TRY(early_note(f));
    *ret_done = i == heads.count && heads.count < BATCHES_AT_ONCE;
    return RC_OK;
}

enum rc total_waiting(struct tx *tx, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT COALESCE((SELECT MAX(no) FROM usage_batch), 0), "
                 "COALESCE((SELECT folded FROM usage_fold WHERE one = 1), 0)"));
    *ret = row_int(&rows, 0, 0) > row_int(&rows, 0, 1);
    return *ret ? RC_OK : early_waiting(tx, ret);
}

enum rc total_fold(struct tx *tx, size_t records, bool *ret_done)
{
    struct fold f;
    struct folding g = {.fold = &f};
    enum rc rc = fold_init(&f, tx);
    if (rc == RC_OK)
        rc = fold_batches(&g, records, ret_done);
    fold_fini(&f);
    return rc;
}

static enum rc is_behind(struct tx *tx, void *arg)
{
    return total_waiting(tx, arg);
}

static enum rc fold_some(struct tx *tx, void *arg)
{
    bool *done = arg;
    return total_fold(tx, WORK_RECORDS, done);
}

enum rc total_work(struct store *s, struct arena *arena, bool *ret_worked, struct err *err)
{
    bool behind = false;
    bool done = false;
    TRY(store_read(s, arena, err, is_behind, &behind));
    if (behind)
        TRY(store_write(s, arena, err, fold_some, &done));
    *ret_worked = behind;
    return RC_OK;
}

enum rc total_settle(struct tx *tx)
{
    int64_t folded = 0;
    TRY(cursor(tx, &folded));
    return early_settle(tx, folded);
}

enum rc total_recount(struct tx *tx, struct str subscription, int64_t *ret_changed)
{
    int64_t folded = 0;
    struct recount all = {id_number(subscription), 0, INT64_MIN, INT64_MAX};
    TRY(cursor(tx, &folded));
    return fold_recount(tx, folded, &all, 1, ret_changed);
}

/* --- reading --- */

static enum rc quantity_of(struct tx *tx, struct str subscription, const struct standing *s,
                           struct quantity *ret)
{
    if (s->quantity > INT64_MAX || s->quantity < INT64_MIN)
        return err_set(tx->err, RC_INVALID,
                       "what '%.*s' used of meter %lld from %lld on does not fit a quantity",
                       STRF(subscription), (long long)s->meter, (long long)s->from);
    *ret = (struct quantity){(int64_t)s->quantity, (int)s->scale};
    return RC_OK;
}

enum rc total_of(struct tx *tx, struct str subscription, time_us since, time_us before,
                 struct total **ret, size_t *ret_count)
{
    size_t count = 0;
    struct standing *list = NULL;
    struct standing_query q = {subscription, 0, since, before};
    TRY(standing_read(tx, &q, tx->arena, &list, &count));
    struct total *totals = NEW_N(tx->arena, struct total, count);
    for (size_t i = 0; i < count; i++) {
        totals[i] = (struct total){
            .subscription = subscription, .meter = list[i].meter, .from = list[i].from};
        TRY(quantity_of(tx, subscription, &list[i], &totals[i].quantity));
    }
    *ret = totals;
    *ret_count = count;
    return RC_OK;
}

/* What fails of one subscription does not keep the others of its group from being read. */
static enum rc note_failed(struct tx *tx, enum rc rc, bool *failed)
{
    if (rc != RC_INVALID && rc != RC_TOO_LARGE)
        return rc;
    err_clear(tx->err);
    *failed = true;
    return RC_OK;
}

/* A group's totals while its rows come. */
struct group {
    const struct total_query *queries;
    size_t count;
    struct total *items;
    size_t found;
    struct total_list *lists; /* one a query */
};

static size_t group_find(const struct group *g, struct str subscription)
{
    size_t i = 0;
    while (i < g->count && !str_eq(g->queries[i].subscription, subscription))
        i++;
    ASSERT(i < g->count); /* it was asked for */
    return i;
}

/* Rows of one subscription follow one another. */
static enum rc group_add(struct tx *tx, const struct rows *rows, size_t row, struct group *g)
{
    struct standing s = {.meter = row_int(rows, row, 1),
                         .from = row_int(rows, row, 2),
                         .kind = row_int(rows, row, 3),
                         .scale = row_int(rows, row, 4),
                         .quantity = standing_join(row_int(rows, row, 5), row_int(rows, row, 6))};
    size_t i = group_find(g, row_str(rows, row, 0));
    const struct total_query *q = &g->queries[i];
    struct total_list *list = &g->lists[i];
    struct total *t = &g->items[g->found];
    enum rc rc = RC_OK;
    if (s.from < q->since || s.from >= q->before)
        return RC_OK;
    *t = (struct total){.subscription = q->subscription, .meter = s.meter, .from = s.from};
    if (s.kind == METER_P95)
        rc = standing_p95(tx, q->subscription, s.meter, s.from, &s.quantity);
    if (rc == RC_OK)
        rc = quantity_of(tx, q->subscription, &s, &t->quantity);
    if (list->count == 0)
        list->items = t;
    list->count++;
    g->found++;
    return note_failed(tx, rc, &list->failed);
}

static enum rc of_group(struct tx *tx, struct group *g)
{
    struct rows rows;
    struct value args[SQL_KEYS_MAX + 3];
    time_us since = INT64_MAX;
    time_us before = INT64_MIN;
    for (size_t i = 0; i < SQL_KEYS_MAX; i++) {
        args[i] = i < g->count ? V(g->queries[i].subscription) : SQL_NULL;
        since = i < g->count ? min_i64(since, g->queries[i].since) : since;
        before = i < g->count ? max_i64(before, g->queries[i].before) : before;
    }
    args[SQL_KEYS_MAX] = V(since);
    args[SQL_KEYS_MAX + 1] = V(before);
    args[SQL_KEYS_MAX + 2] = V((int64_t)STANDING_MAX);
    TRY(sql_rows_n(tx, &rows,
                   "SELECT subscription, meter, window_from, kind, scale, high, quantity FROM "
                   "usage_total WHERE subscription IN (" SQL_KEYS ") AND window_from >= $65 AND "
                   "window_from < $66 ORDER BY subscription, meter, window_from LIMIT $67",
                   args, COUNT(args)));
    for (size_t i = 0; i < g->count && rows.count == STANDING_MAX; i++)
        g->lists[i].failed = true; /* there are more: one by one */
    g->items = NEW_N(tx->arena, struct total, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(group_add(tx, &rows, i, g));
    return RC_OK;
}

enum rc total_of_many(struct tx *tx, const struct total_query *queries, size_t count,
                      struct total_list *ret)
{
    memset(ret, 0, count * sizeof *ret);
    for (size_t at = 0; at < count; at += SQL_KEYS_MAX) {
        struct group g = {.queries = queries + at,
                          .count = min_size(SQL_KEYS_MAX, count - at),
                          .lists = ret + at};
        TRY(of_group(tx, &g));
    }
    return RC_OK;
}

/* --- late --- */

/* Those that came back to what was billed are passed over. */
static enum rc add_late(struct tx *tx, const struct rows *rows, size_t i, struct late *list,
                        size_t *count)
{
    struct standing now = {.meter = row_int(rows, i, 1),
                           .from = row_int(rows, i, 2),
                           .kind = row_int(rows, i, 5),
                           .scale = row_int(rows, i, 6),
                           .quantity = standing_join(row_int(rows, i, 7), row_int(rows, i, 8))};
    struct standing billed = now;
    struct str subscription = row_str(rows, i, 0);
    billed.quantity = standing_join(row_int(rows, i, 3), row_int(rows, i, 4));
    if (now.kind == METER_P95)
        TRY(standing_p95(tx, subscription, now.meter, now.from, &now.quantity));
    if (now.quantity == billed.quantity)
        return RC_OK;
    struct late *l = &list[*count];
    *l = (struct late){.subscription = subscription, .meter = now.meter, .from = now.from};
    TRY(quantity_of(tx, subscription, &billed, &l->billed));
    TRY(quantity_of(tx, subscription, &now, &l->now));
    ++*count;
    return RC_OK;
}

static struct late_list late_part(const struct late *list, size_t count, struct str subscription,
                                  bool failed)
{
    size_t at = 0;
    while (at < count && !str_eq(list[at].subscription, subscription))
        at++;
    size_t end = at;
    while (end < count && str_eq(list[end].subscription, subscription))
        end++;
    return (struct late_list){list + at, end - at, failed};
}

/* The late ones of a group follow one another by subscription. */
static enum rc late_of_group(struct tx *tx, const struct str *subscriptions, size_t count,
                             struct late_list *ret)
{
    struct rows rows;
    struct value args[SQL_KEYS_MAX];
    bool failed[SQL_KEYS_MAX] = {0};
    size_t found = 0;
    for (size_t i = 0; i < SQL_KEYS_MAX; i++)
        args[i] = i < count ? V(subscriptions[i]) : SQL_NULL;
    TRY(sql_rows_n(tx, &rows,
                   "SELECT l.subscription, l.meter, l.window_from, l.high, l.billed, t.kind, "
                   "t.scale, t.high, t.quantity FROM usage_late l JOIN usage_total t "
                   "ON t.subscription = l.subscription AND t.meter = l.meter "
                   "AND t.window_from = l.window_from WHERE l.subscription IN (" SQL_KEYS ") "
                   "ORDER BY l.subscription, l.window_from, l.meter",
                   args, SQL_KEYS_MAX));
    struct late *list = NEW_N(tx->arena, struct late, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        enum rc rc = add_late(tx, &rows, i, list, &found);
        size_t k = 0;
        while (k < count && !str_eq(subscriptions[k], row_str(&rows, i, 0)))
            k++;
        ASSERT(k < count); /* it was asked for */
        TRY(count == 1 ? rc : note_failed(tx, rc, &failed[k]));
    }
    for (size_t k = 0; k < count; k++)
        ret[k] = late_part(list, found, subscriptions[k], failed[k]);
    return RC_OK;
}

enum rc total_late_of(struct tx *tx, const struct str *subscriptions, size_t count,
                      struct late_list *ret)
{
    for (size_t at = 0; at < count; at += SQL_KEYS_MAX)
        TRY(late_of_group(tx, subscriptions + at, min_size(SQL_KEYS_MAX, count - at), ret + at));
    return RC_OK;
}

enum rc total_late_subscriptions(struct tx *tx, struct str after, size_t limit, struct str **ret,
                                 size_t *ret_count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT DISTINCT subscription FROM usage_late WHERE subscription > $1 "
                 "ORDER BY subscription LIMIT $2",
                 V(after), V((int64_t)limit)));
    struct str *list = NEW_N(tx->arena, struct str, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        list[i] = row_str(&rows, i, 0);
    *ret = list;
    *ret_count = rows.count;
    return RC_OK;
}

enum rc total_billed(struct tx *tx, time_us before)
{
    int64_t folded = 0;
    TRY(cursor(tx, &folded));
    return sql_run(tx, "UPDATE usage_fold SET billed = $1 WHERE one = 1 AND billed < $1",
                   V(before));
}

/* What was billed is what the list says; what came since then is late again. */
static enum rc note_billed(struct tx *tx, const struct late *l)
{
    size_t count = 0;
    struct standing *now = NULL;
    struct standing_query q = {l->subscription, l->meter, l->from, l->from + 1};
    TRY(standing_read(tx, &q, tx->arena, &now, &count));
    if (count > 0 && now->quantity == l->now.mantissa)
        return sql_run(tx,
                       "DELETE FROM usage_late WHERE subscription = $1 AND meter = $2 "
                       "AND window_from = $3",
                       V(l->subscription), V(l->meter), V(l->from));
    return sql_run(tx,
                   "UPDATE usage_late SET high = 0, billed = $4 WHERE subscription = $1 "
                   "AND meter = $2 AND window_from = $3",
                   V(l->subscription), V(l->meter), V(l->from), V(l->now.mantissa));
}

enum rc total_late_billed(struct tx *tx, const struct late *late, size_t count)
{
    for (size_t i = 0; i < count; i++)
        TRY(note_billed(tx, &late[i]));
    return RC_OK;
}

/* --- for people --- */

enum rc total_rows(struct tx *tx, struct str subscription, struct list *ret)
{
    size_t count = 0;
    struct list meters;
    struct standing *all = NULL;
    TRY(meter_list(tx, &meters));
    struct standing_query every = {subscription, 0, INT64_MIN, INT64_MAX};
    TRY(standing_read(tx, &every, tx->arena, &all, &count));
    size_t shown = min_size(count, ROW_LIMIT);
    struct usage_row *list = NEW_N(tx->arena, struct usage_row, shown);
    for (size_t i = 0; i < shown; i++) {
        char text[QUANTITY_TEXT_MAX];
        struct quantity q;
        const struct standing *s = &all[i];
        const struct meter *m = &((const struct meter *)meters.items)[s->meter - 1];
        TRY(quantity_of(tx, subscription, s, &q));
        size_t n = quantity_format(q, text);
        list[i] = (struct usage_row){.set = schema_all(&usage_row_schema),
                                     .meter = m->code,
                                     .from = s->from,
                                     .until = s->until,
                                     .quantity = arena_str(tx->arena, str_n(text, n)),
                                     .unit = m->unit,
                                     .records = s->records};
    }
    *ret = (struct list){list, shown};
    return RC_OK;
}
