#include "meter/total.h"

#include "base/map.h"
#include "catalog/item.h"
#include "meter/record.h"
#include "meter/state.h"
#include "money/round.h"

#include <stdlib.h>

enum { BATCHES_AT_ONCE = 4096, TOTALS_MAX = 100000, PARTS_MAX = 10000, ROW_LIMIT = 10000 };

/* A subscription in the hands of a fold. */
struct folded {
    struct subscription_facts facts;
    bool missing;
};

/* What is added to one total. */
struct sum {
    struct folded *of;
    struct str subscription;
    const struct meter *meter;
    struct window window;
    int64_t quantity; /* SUM, COUNT, TIME_WEIGHTED: to be added; MAX: the highest */
    int64_t records;
    bool overflow;
    size_t entry_count; /* kinds with a state */
    size_t entry_capacity;
    struct entry *entries;
};

struct fold {
    struct tx *tx;
    const struct meter *meters;
    size_t meter_count;
    time_us billed;
    struct map subscriptions; /* text of the id: struct folded */
    struct map sums;          /* subscription, meter, window: struct sum */
    size_t sum_count;
    int64_t batch;
};

static enum rc fold_init(struct fold *f, struct tx *tx)
{
    static const uint64_t seed[2] = {1, 2};
    struct list meters;
    struct rows rows;
    *f = (struct fold){.tx = tx};
    map_init(&f->subscriptions, tx->arena, seed);
    map_init(&f->sums, tx->arena, seed);
    TRY(meter_list(tx, &meters));
    f->meters = meters.items;
    f->meter_count = meters.count;
    TRY(sql_rows(tx, &rows, "SELECT billed FROM usage_fold WHERE one = 1"));
    f->billed = rows.count > 0 ? row_int(&rows, 0, 0) : INT64_MIN;
    return RC_OK;
}

/* --- finding the total --- */

static enum rc find_facts(struct fold *f, unsigned __int128 id, struct folded **ret)
{
    struct str key = str_n((const char *)&id, sizeof id);
    *ret = map_get(&f->subscriptions, key);
    if (*ret != NULL)
        return RC_OK;
    struct folded *s = NEW(f->tx->arena, struct folded);
    enum rc rc = subscription_facts(f->tx, id_of_number(id, f->tx->arena, "sub"), &s->facts);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    s->missing = rc == RC_NOT_FOUND;
    err_clear(f->tx->err);
    (void)map_put(&f->subscriptions, arena_str(f->tx->arena, key), s);
    *ret = s;
    return RC_OK;
}

struct sum_key {
    unsigned __int128 subscription;
    int64_t meter;
    time_us from;
};

static struct sum *find_sum(struct fold *f, struct folded *s, unsigned __int128 id,
                            const struct meter *meter, const struct window *w)
{
    struct sum_key key = {id, meter->number, w->from};
    struct str text = str_n((const char *)&key, sizeof key);
    struct sum *sum = map_get(&f->sums, text);
    if (sum == NULL) {
        sum = NEW(f->tx->arena, struct sum);
        *sum = (struct sum){.of = s, .subscription = s->facts.id, .meter = meter, .window = *w};
        (void)map_put(&f->sums, arena_str(f->tx->arena, text), sum);
        f->sum_count++;
    }
    return sum;
}

/* --- adding a record --- */

static void add_quantity(struct sum *s, __int128 quantity)
{
    __int128 total = (__int128)s->quantity + quantity;
    if (total > INT64_MAX || total < -INT64_MAX)
        s->overflow = true;
    else
        s->quantity = (int64_t)total;
}

static void add_entry(struct fold *f, struct sum *s, struct entry e)
{
    if (s->entry_count == s->entry_capacity) {
        size_t capacity = s->entry_capacity * 2 + 8;
        struct entry *more = NEW_N(f->tx->arena, struct entry, capacity);
        if (s->entry_count > 0)
            memcpy(more, s->entries, s->entry_count * sizeof *more);
        s->entries = more;
        s->entry_capacity = capacity;
    }
    s->entries[s->entry_count++] = e;
}

/* A quantity at the meter's scale: it was checked at the door that this is exact. */
static int64_t at_scale(const struct packed *p, const struct meter *m)
{
    int64_t quantity = p->quantity;
    for (int64_t scale = p->scale; scale < m->scale; scale++)
        quantity *= 10;
    return quantity;
}

/* The part of a record that lies in [from, until): what was due up to its end less what was due up
 * to its beginning, so that the parts add up to the whole. */
static __int128 share_of(const struct packed *p, int64_t quantity, enum meter_kind kind,
                         time_us from, time_us until)
{
    int64_t whole = p->until - p->from;
    int64_t a = from - p->from;
    int64_t b = until - p->from;
    if (kind == METER_TIME_WEIGHTED)
        return round_div((__int128)quantity * b, US_PER_SECOND) -
               round_div((__int128)quantity * a, US_PER_SECOND);
    return round_div((__int128)quantity * b, whole) - round_div((__int128)quantity * a, whole);
}

/* SUM and TIME_WEIGHTED: into each window that it touches. */
static enum rc add_spread(struct fold *f, struct folded *s, const struct packed *p,
                          const struct meter *m, int sign)
{
    int64_t quantity = at_scale(p, m);
    for (time_us at = p->from; at < p->until;) {
        struct window w;
        TRY(subscription_window(&s->facts, at, &w, f->tx->err));
        time_us until = min_i64(p->until, w.until);
        struct sum *sum = find_sum(f, s, p->subscription, m, &w);
        add_quantity(sum, sign * share_of(p, quantity, (enum meter_kind)m->kind, at, until));
        sum->records += sign;
        at = until;
    }
    return RC_OK;
}

static struct entry entry_of(const struct packed *p, const struct meter *m)
{
    int64_t quantity = at_scale(p, m);
    if (m->kind == METER_UNIQUE)
        return (struct entry){(int64_t)p->key, 0};
    if (m->kind == METER_P95)
        return (struct entry){(p->until - 1) / STATE_SLOT_US, quantity};
    return (struct entry){p->until, quantity};
}

/* What belongs to one instant: the window that ends with it holds it too. */
static enum rc add_point(struct fold *f, struct folded *s, const struct packed *p,
                         const struct meter *m, int sign)
{
    struct window w;
    time_us at = max_i64(p->until - 1, s->facts.start);
    TRY(subscription_window(&s->facts, at, &w, f->tx->err));
    struct sum *sum = find_sum(f, s, p->subscription, m, &w);
    sum->records += sign;
    if (m->kind == METER_COUNT)
        add_quantity(sum, sign);
    else if (m->kind == METER_MAX)
        sum->quantity = max_i64(sum->quantity, at_scale(p, m));
    else
        add_entry(f, sum, entry_of(p, m));
    return RC_OK;
}

static enum rc keep_problem(struct fold *f, const struct packed *p, struct str text)
{
    return sql_run(f->tx,
                   "INSERT INTO usage_problem (batch, number, subscription, text) "
                   "VALUES ($1, $2, $3, $4) ON CONFLICT (batch, number) DO NOTHING",
                   V(f->batch), V((int64_t)p->number),
                   V(id_of_number(p->subscription, f->tx->arena, "sub")), V(text));
}

/* Whether what the kind keeps can be taken out again by adding its opposite. */
static bool is_sum(enum meter_kind kind)
{
    return kind == METER_SUM || kind == METER_COUNT || kind == METER_TIME_WEIGHTED;
}

static enum rc add_record(struct fold *f, const struct packed *p, int sign)
{
    struct folded *s = NULL;
    TRY(find_facts(f, p->subscription, &s));
    if (s->missing || p->meter < 1 || p->meter > f->meter_count)
        return keep_problem(f, p, STR("there is no such subscription or meter"));
    const struct meter *m = &f->meters[p->meter - 1];
    bool spread = m->kind == METER_SUM || m->kind == METER_TIME_WEIGHTED;
    enum rc rc = spread ? add_spread(f, s, p, m, sign) : add_point(f, s, p, m, sign);
    if (rc == RC_NOT_FOUND) { /* it was ended for a time that has usage */
        rc = keep_problem(f, p, err_text(f->tx->err));
        err_clear(f->tx->err);
    }
    return rc;
}

/* --- writing totals --- */

static enum rc read_part(struct tx *tx, const struct sum *s, time_us window, int64_t part,
                         struct state *ret)
{
    struct rows rows;
    *ret = (struct state){0};
    TRY(sql_rows(tx, &rows,
                 "SELECT state FROM usage_part WHERE subscription = $1 AND meter = $2 "
                 "AND window_from = $3 AND part = $4",
                 V(s->subscription), V(s->meter->number), V(window), V(part)));
    return rows.count > 0 ? state_read(row_bytes(&rows, 0, 0), tx->arena, ret, tx->err) : RC_OK;
}

static enum rc write_part(struct tx *tx, const struct sum *s, time_us window, int64_t part,
                          const struct state *state)
{
    return sql_run(tx,
                   "INSERT INTO usage_part (subscription, meter, window_from, part, state) "
                   "VALUES ($1, $2, $3, $4, $5) "
                   "ON CONFLICT (subscription, meter, window_from, part) "
                   "DO UPDATE SET state = excluded.state",
                   V(s->subscription), V(s->meter->number), V(window), V(part),
                   value_bytes(state_write(state, tx->arena)));
}

/* Of a counter all windows share the readings. */
static time_us part_window(const struct sum *s)
{
    return s->meter->kind == METER_COUNTER ? 0 : s->window.from;
}

static int by_place(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

static enum rc merge_parts(struct tx *tx, struct sum *s)
{
    enum meter_kind kind = (enum meter_kind)s->meter->kind;
    qsort(s->entries, s->entry_count, sizeof *s->entries, by_place);
    for (size_t at = 0; at < s->entry_count;) {
        struct state old;
        struct state now;
        int64_t part = state_part(kind, s->entries[at].place);
        size_t end = at + 1;
        while (end < s->entry_count && state_part(kind, s->entries[end].place) == part)
            end++;
        TRY(read_part(tx, s, part_window(s), part, &old));
        TRY(state_merge(&old, s->entries + at, end - at, tx->arena, &now, tx->err));
        TRY(write_part(tx, s, part_window(s), part, &now));
        at = end;
    }
    return RC_OK;
}

/* All parts from one to another, joined, with the last one before them. */
static enum rc join_parts(struct tx *tx, const struct sum *s, int64_t first, int64_t last,
                          struct state *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT state FROM usage_part WHERE subscription = $1 AND meter = $2 "
                 "AND window_from = $3 AND part <= $5 AND part >= COALESCE((SELECT MAX(q.part) "
                 "FROM usage_part q WHERE q.subscription = $1 AND q.meter = $2 "
                 "AND q.window_from = $3 AND q.part < $4), $4) ORDER BY part LIMIT $6",
                 V(s->subscription), V(s->meter->number), V(part_window(s)), V(first), V(last),
                 V((int64_t)PARTS_MAX)));
    size_t count = 0;
    for (size_t i = 0; i < rows.count; i++)
        count += row_bytes(&rows, i, 0).n / STATE_ENTRY_BYTES;
    struct state all = {.entries = NEW_N(tx->arena, struct entry, count)};
    for (size_t i = 0; i < rows.count; i++) {
        struct state part;
        TRY(state_read(row_bytes(&rows, i, 0), tx->arena, &part, tx->err));
        memcpy(all.entries + all.count, part.entries, part.count * sizeof *part.entries);
        all.count += part.count;
    }
    *ret = all;
    return RC_OK;
}

/* What the state of the window comes to. */
static enum rc state_quantity(struct tx *tx, const struct sum *s, int64_t *ret)
{
    struct state all;
    enum meter_kind kind = (enum meter_kind)s->meter->kind;
    const struct window *w = &s->window;
    int64_t slot = kind == METER_P95 ? STATE_SLOT_US : 1;
    bool days = kind == METER_P95 || kind == METER_COUNTER;
    TRY(join_parts(tx, s, days ? state_part(kind, w->from / slot) : 0,
                   days ? state_part(kind, w->until / slot) : 0, &all));
    if (kind == METER_COUNTER)
        return state_growth(&all, w->from, w->until, ret, tx->err);
    if (kind == METER_P95)
        *ret = state_p95(&all, tx->arena);
    else if (kind == METER_UNIQUE)
        *ret = (int64_t)all.count;
    else
        *ret = all.count > 0 ? all.entries[all.count - 1].value : 0;
    return RC_OK;
}

static enum rc read_total(struct tx *tx, const struct sum *s, bool *ret_there, int64_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT quantity FROM usage_total WHERE subscription = $1 AND meter = $2 "
                 "AND window_from = $3",
                 V(s->subscription), V(s->meter->number), V(s->window.from)));
    *ret_there = rows.count > 0;
    *ret = rows.count > 0 ? row_int(&rows, 0, 0) : 0;
    return RC_OK;
}

static enum rc mark_late(struct fold *f, const struct sum *s, int64_t before)
{
    if (s->window.until > f->billed)
        return RC_OK;
    return sql_run(f->tx,
                   "INSERT INTO usage_late (subscription, meter, window_from, billed) "
                   "VALUES ($1, $2, $3, $4) "
                   "ON CONFLICT (subscription, meter, window_from) DO NOTHING",
                   V(s->subscription), V(s->meter->number), V(s->window.from), V(before));
}

static enum rc write_total(struct fold *f, const struct sum *s, int64_t before, int64_t now)
{
    if (now != before)
        TRY(mark_late(f, s, before));
    return sql_run(f->tx,
                   "INSERT INTO usage_total (subscription, meter, window_from, window_until, "
                   "quantity, records) VALUES ($1, $2, $3, $4, $5, $6) "
                   "ON CONFLICT (subscription, meter, window_from) DO UPDATE SET "
                   "quantity = excluded.quantity, window_until = excluded.window_until, "
                   "records = usage_total.records + excluded.records",
                   V(s->subscription), V(s->meter->number), V(s->window.from), V(s->window.until),
                   V(now), V(s->records));
}

/* The reading behind the last one here is of a later window, which grows or shrinks with it. */
static enum rc write_successor(struct fold *f, const struct sum *s)
{
    struct rows rows;
    struct tx *tx = f->tx;
    TRY(sql_rows(tx, &rows,
                 "SELECT window_from FROM usage_total WHERE subscription = $1 AND meter = $2 "
                 "AND window_from > $3 ORDER BY window_from LIMIT 1",
                 V(s->subscription), V(s->meter->number), V(s->window.from)));
    if (rows.count == 0)
        return RC_OK;
    struct sum next = *s;
    bool there = false;
    int64_t before = 0;
    int64_t now = 0;
    next.records = 0;
    TRY(subscription_window(&s->of->facts, row_int(&rows, 0, 0), &next.window, tx->err));
    TRY(read_total(tx, &next, &there, &before));
    TRY(state_quantity(tx, &next, &now));
    return write_total(f, &next, before, now);
}

static enum rc write_sum(struct fold *f, struct sum *s)
{
    bool there = false;
    int64_t before = 0;
    int64_t now = 0;
    enum meter_kind kind = (enum meter_kind)s->meter->kind;
    TRY(read_total(f->tx, s, &there, &before));
    if (is_sum(kind)) {
        if (s->overflow || __builtin_add_overflow(before, s->quantity, &now)) {
            struct packed p = {.subscription = id_number(s->subscription)};
            return keep_problem(f, &p, STR("what was used does not fit a quantity"));
        }
    } else if (kind == METER_MAX) {
        now = there ? max_i64(before, s->quantity) : s->quantity;
    } else {
        TRY(merge_parts(f->tx, s));
        TRY(state_quantity(f->tx, s, &now));
    }
    TRY(write_total(f, s, before, now));
    return kind == METER_COUNTER ? write_successor(f, s) : RC_OK;
}

static int by_key(const void *a, const void *b)
{
    const struct sum *x = *(struct sum *const *)a;
    const struct sum *y = *(struct sum *const *)b;
    int order = str_cmp(x->subscription, y->subscription);
    if (order != 0)
        return order;
    if (x->meter->number != y->meter->number)
        return x->meter->number < y->meter->number ? -1 : 1;
    return x->window.from < y->window.from ? -1 : x->window.from > y->window.from;
}

/* In the order of the table's key: neighbours in the tree, the same whatever came first. */
static enum rc write_sums(struct fold *f)
{
    size_t at = 0;
    size_t count = 0;
    struct str key;
    void *value = NULL;
    struct sum **sums = NEW_N(f->tx->arena, struct sum *, f->sum_count);
    while (map_next(&f->sums, &at, &key, &value))
        sums[count++] = value;
    ASSERT(count == f->sum_count);
    qsort(sums, count, sizeof *sums, by_key);
    for (size_t i = 0; i < count; i++)
        TRY(write_sum(f, sums[i]));
    return RC_OK;
}

/* --- folding --- */

/* The record that a correction takes out again: what is no sum is counted anew. */
static enum rc take_out(struct fold *f, int64_t source, const struct packed *p, bool *ret_recount)
{
    struct packed old;
    bool there = false;
    int64_t number = 0;
    *ret_recount = false;
    TRY(usage_number(f->tx, source, p->supersedes, &number));
    if (number > 0)
        TRY(usage_find(f->tx, source, (uint64_t)number, &old, &there));
    if (!there)
        return keep_problem(f, p, STR("the record that it corrects is not there"));
    if (old.meter >= 1 && old.meter <= f->meter_count &&
        !is_sum((enum meter_kind)f->meters[old.meter - 1].kind)) {
        *ret_recount = true;
        return RC_OK;
    }
    return add_record(f, &old, -1);
}

struct recounts {
    size_t count;
    unsigned __int128 list[BATCHES_AT_ONCE];
};

static enum rc fold_batch(struct fold *f, int64_t source, struct str body, struct recounts *again)
{
    size_t at = 0;
    struct packed p;
    while (record_read(body, &at, &p)) {
        bool recount = false;
        TRY(add_record(f, &p, 1));
        if (p.supersedes.n > 0)
            TRY(take_out(f, source, &p, &recount));
        if (recount && again->count < BATCHES_AT_ONCE)
            again->list[again->count++] = p.subscription;
    }
    if (at != body.n)
        return err_set(f->tx->err, RC_INVALID, "usage batch %lld is damaged", (long long)f->batch);
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

enum rc total_fold(struct tx *tx, size_t records, bool *ret_done)
{
    int64_t folded = 0;
    size_t taken = 0;
    struct rows heads;
    struct fold *f = NEW(tx->arena, struct fold);
    struct recounts *again = NEW(tx->arena, struct recounts);
    TRY(cursor(tx, &folded));
    TRY(fold_init(f, tx));
    TRY(sql_rows(tx, &heads,
                 "SELECT no, source, records FROM usage_batch WHERE no > $1 ORDER BY no LIMIT $2",
                 V(folded), V((int64_t)BATCHES_AT_ONCE)));
    size_t i = 0;
    for (; i < heads.count && (taken == 0 || taken < records); i++) {
        struct rows rows;
        f->batch = row_int(&heads, i, 0);
        TRY(sql_rows(tx, &rows, "SELECT body FROM usage_batch WHERE no = $1", V(f->batch)));
        TRY(fold_batch(f, row_int(&heads, i, 1), row_bytes(&rows, 0, 0), again));
        taken += (size_t)row_int(&heads, i, 2);
        folded = f->batch;
    }
    TRY(write_sums(f));
    TRY(sql_run(tx, "UPDATE usage_fold SET folded = $1 WHERE one = 1", V(folded)));
    for (size_t k = 0; k < again->count; k++) {
        int64_t changed = 0;
        TRY(total_recount(tx, id_of_number(again->list[k], tx->arena, "sub"), &changed));
    }
    *ret_done = i == heads.count && heads.count < BATCHES_AT_ONCE;
    return RC_OK;
}

/* --- counting anew --- */

struct recounting {
    struct fold *fold;
    unsigned __int128 subscription;
};

static enum rc is_superseded(struct tx *tx, int64_t source, uint64_t number, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT number FROM usage_superseded WHERE source = $1 AND number = $2",
                 V(source), V((int64_t)number)));
    *ret = rows.count > 0;
    return RC_OK;
}

static enum rc recount_batch(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct recounting *r = arg;
    size_t at = 0;
    struct packed p;
    ASSERT(columns == 3);
    r->fold->batch = cells[0].number;
    while (record_read(cells[2].text, &at, &p)) {
        bool out = false;
        if (p.subscription != r->subscription)
            continue;
        TRY(is_superseded(tx, cells[1].number, p.number, &out));
        if (!out)
            TRY(add_record(r->fold, &p, 1));
    }
    return RC_OK;
}

/* Totals as they were, to tell what differs and what was billed. */
static enum rc compare_old(struct fold *f, const struct rows *old, struct str subscription,
                           int64_t *ret_changed)
{
    *ret_changed = 0;
    for (size_t i = 0; i < old->count; i++) {
        struct sum s = {.subscription = subscription,
                        .meter = &f->meters[row_int(old, i, 0) - 1],
                        .window = {.from = row_int(old, i, 1), .until = row_int(old, i, 2)}};
        bool there = false;
        int64_t now = 0;
        int64_t before = row_int(old, i, 3);
        TRY(read_total(f->tx, &s, &there, &now));
        if (there && now == before)
            continue;
        ++*ret_changed;
        TRY(mark_late(f, &s, before));
        if (!there) /* a window that is no more: what was billed for it goes back */
            TRY(write_total(f, &s, 0, 0));
    }
    return RC_OK;
}

enum rc total_recount(struct tx *tx, struct str subscription, int64_t *ret_changed)
{
    struct rows old;
    int64_t folded = 0;
    struct fold *f = NEW(tx->arena, struct fold);
    TRY(cursor(tx, &folded));
    TRY(fold_init(f, tx));
    time_us billed = f->billed;
    TRY(sql_rows(tx, &old,
                 "SELECT meter, window_from, window_until, quantity FROM usage_total "
                 "WHERE subscription = $1 ORDER BY meter, window_from LIMIT $2",
                 V(subscription), V((int64_t)TOTALS_MAX)));
    TRY(sql_run(tx, "DELETE FROM usage_total WHERE subscription = $1", V(subscription)));
    TRY(sql_run(tx, "DELETE FROM usage_part WHERE subscription = $1", V(subscription)));
    struct recounting r = {f, id_number(subscription)};
    TRY(sql_each(tx, recount_batch, &r,
                 "SELECT no, source, body FROM usage_batch WHERE no <= $1 ORDER BY no", V(folded)));
    f->billed = INT64_MIN; /* against nothing, all of it would look late */
    TRY(write_sums(f));
    f->billed = billed;
    return compare_old(f, &old, subscription, ret_changed);
}

/* --- reading --- */

static struct quantity quantity_of(const struct list *meters, int64_t number, int64_t mantissa)
{
    const struct meter *m = &((const struct meter *)meters->items)[number - 1];
    ASSERT(number >= 1 && number <= (int64_t)meters->count);
    return (struct quantity){mantissa, (int)m->scale};
}

enum rc total_of(struct tx *tx, struct str subscription, time_us since, time_us before,
                 struct total **ret, size_t *ret_count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT t.meter, t.window_from, t.quantity, m.scale FROM usage_total t "
                 "JOIN meter m ON m.number = t.meter WHERE t.subscription = $1 "
                 "AND t.window_from >= $2 AND t.window_from < $3 ORDER BY t.meter, t.window_from "
                 "LIMIT $4",
                 V(subscription), V(since), V(before), V((int64_t)TOTALS_MAX)));
    *ret_count = rows.count;
    *ret = NEW_N(tx->arena, struct total, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        (*ret)[i] = (struct total){.subscription = subscription,
                                   .meter = row_int(&rows, i, 0),
                                   .from = row_int(&rows, i, 1),
                                   .quantity = {row_int(&rows, i, 2), (int)row_int(&rows, i, 3)}};
    return RC_OK;
}

enum rc total_late(struct tx *tx, size_t limit, struct late **ret, size_t *ret_count)
{
    struct rows rows;
    struct list meters;
    TRY(meter_list(tx, &meters));
    TRY(sql_rows(tx, &rows,
                 "SELECT l.subscription, l.meter, l.window_from, l.billed, "
                 "COALESCE(t.quantity, 0) FROM usage_late l LEFT JOIN usage_total t "
                 "ON t.subscription = l.subscription AND t.meter = l.meter "
                 "AND t.window_from = l.window_from "
                 "ORDER BY l.subscription, l.meter, l.window_from LIMIT $1",
                 V((int64_t)limit)));
    *ret_count = rows.count;
    *ret = NEW_N(tx->arena, struct late, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        int64_t meter = row_int(&rows, i, 1);
        (*ret)[i] = (struct late){.subscription = row_str(&rows, i, 0),
                                  .meter = meter,
                                  .from = row_int(&rows, i, 2),
                                  .billed = quantity_of(&meters, meter, row_int(&rows, i, 3)),
                                  .now = quantity_of(&meters, meter, row_int(&rows, i, 4))};
    }
    return RC_OK;
}

enum rc total_billed(struct tx *tx, time_us before)
{
    int64_t folded = 0;
    TRY(cursor(tx, &folded));
    return sql_run(tx, "UPDATE usage_fold SET billed = $1 WHERE one = 1 AND billed < $1",
                   V(before));
}

enum rc total_late_billed(struct tx *tx, const struct late *late, size_t count)
{
    for (size_t i = 0; i < count; i++)
        TRY(sql_run(tx,
                    "DELETE FROM usage_late WHERE subscription = $1 AND meter = $2 "
                    "AND window_from = $3",
                    V(late[i].subscription), V(late[i].meter), V(late[i].from)));
    return RC_OK;
}

enum rc total_rows(struct tx *tx, struct str subscription, struct list *ret)
{
    struct rows rows;
    struct list meters;
    TRY(meter_list(tx, &meters));
    TRY(sql_rows(tx, &rows,
                 "SELECT meter, window_from, window_until, quantity, records FROM usage_total "
                 "WHERE subscription = $1 ORDER BY window_from DESC, meter LIMIT $2",
                 V(subscription), V((int64_t)ROW_LIMIT)));
    struct usage_row *list = NEW_N(tx->arena, struct usage_row, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        char text[QUANTITY_TEXT_MAX];
        const struct meter *m = &((const struct meter *)meters.items)[row_int(&rows, i, 0) - 1];
        size_t n = quantity_format((struct quantity){row_int(&rows, i, 3), (int)m->scale}, text);
        list[i] = (struct usage_row){.set = schema_all(&usage_row_schema),
                                     .meter = m->code,
                                     .from = row_int(&rows, i, 1),
                                     .until = row_int(&rows, i, 2),
                                     .quantity = arena_str(tx->arena, str_n(text, n)),
                                     .unit = m->unit,
                                     .records = row_int(&rows, i, 4)};
    }
    *ret = (struct list){list, rows.count};
    return RC_OK;
}
