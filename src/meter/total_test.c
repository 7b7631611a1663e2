/*
 * Totals against a model that sorts all records and looks at each: whatever order they come in,
 * however they are cut into batches and folds, told once or often, with the process killed in
 * between.
 */
#include "meter/meter_fixture.h"
#include "money/property.h"
#include "money/telescope.h"

#define HOUR US_PER_HOUR

enum {
    SUBSCRIPTIONS = 3,
    SOURCES = 4, /* the even ones have numbers, the odd ones ids */
    SPAN_HOURS = 24 * 80,
    SMALL = 300,
    RUNS = 25,
    LARGE = 100000,
    LARGE_PART = 5000,
    WINDOWS_MAX = 16,
    KEYS = 40,
};

static bool is_spread(enum meter_kind kind)
{
    return kind == METER_SUM || kind == METER_TIME_WEIGHTED;
}

/* --- the truth: records, and what corrects what --- */

struct fact {
    struct usage_record record;
    int source;
    int subscription;
    enum meter_kind kind;
    bool dead; /* a later one corrects it */
    bool corrects;
    size_t target; /* what it corrects */
};

struct truth {
    struct world world;
    struct metered m;
    struct arena arena; /* outlives the units of work */
    struct clock_sim chance;
    uint64_t seed;
    size_t count;
    struct fact *facts;
    size_t window_count[SUBSCRIPTIONS];
    struct window windows[SUBSCRIPTIONS][WINDOWS_MAX];
    /* The next call. */
    size_t *order;
    size_t sent;
    size_t part;
};

static int64_t between(struct truth *t, int64_t low, int64_t high)
{
    return property_between(&t->chance, low, high);
}

static struct str source_name(int source)
{
    static const char *const names[SOURCES] = {"urn:0", "urn:1", "urn:2", "urn:3"};
    return str_c(names[source]);
}

static enum rc prepare(struct tx *tx, void *arg)
{
    struct truth *t = arg;
    struct subscription s;
    metered_make(tx, SUBSCRIPTIONS, &t->arena, &t->m);
    /* One of them changes its terms in the middle of a month: a window more. */
    struct subscription patch = {.quantity = STR("2")};
    patch.set = UINT64_C(1) << schema_find(&subscription_schema, STR("quantity"));
    OK(tx, subscription_change(tx, t->m.subscriptions[1], 0, WORLD_START + 13 * US_PER_DAY + 12345,
                               &patch, &s));
    for (int i = 0; i < SUBSCRIPTIONS; i++) {
        struct subscription_facts f;
        struct window *w = NULL;
        OK(tx, subscription_facts(tx, t->m.subscriptions[i], &f));
        OK(tx, subscription_windows(
                   &f, &(struct window_span){WORLD_START, WORLD_START + 130 * US_PER_DAY, true},
                   tx->arena, &w, &t->window_count[i], tx->err));
        ck_assert_uint_le(t->window_count[i], WINDOWS_MAX);
        memcpy(t->windows[i], w, t->window_count[i] * sizeof *w);
    }
    return RC_OK;
}

/* Times fall on boundaries often: of hours, of windows, of days. */
static time_us make_time(struct truth *t, int subscription)
{
    time_us at = WORLD_START + between(t, 0, SPAN_HOURS) * HOUR;
    int64_t pick = between(t, 0, 9);
    if (pick == 0)
        at = t->windows[subscription][between(t, 1, 2)].from;
    if (pick < 4)
        at += between(t, 0, HOUR);
    return at;
}

static void make_fact(struct truth *t, size_t i, struct fact *f)
{
    *f = (struct fact){.source = (int)between(t, 0, SOURCES - 1),
                       .subscription = (int)between(t, 0, SUBSCRIPTIONS - 1),
                       .kind = (enum meter_kind)between(t, 0, METER_KINDS - 1)};
    bool numbered = f->source % 2 == 0;
    time_us from = make_time(t, f->subscription);
    int64_t length = is_spread(f->kind) || between(t, 0, 1)
                         ? between(t, 1, (between(t, 0, 9) ? 3 : 900) * HOUR)
                         : 0;
    f->record = (struct usage_record){
        .number = numbered ? i + 1 : 0,
        .id = numbered ? STR("") : arena_fmt(&t->arena, "id-%zu", i),
        .subscription = t->m.subscriptions[f->subscription],
        .meter = t->m.meters[f->kind],
        .from = from,
        .until = from + length,
        .quantity = {between(t, 0, 5000), (int)between(t, 0, 2)},
    };
    if (f->kind == METER_UNIQUE)
        f->record.key = record_key(arena_fmt(&t->arena, "%d", (int)between(t, 1, KEYS)));
    if (f->kind == METER_COUNTER && !numbered)
        f->record.dims = between(t, 0, 1) ? STR("{\"nic\":\"0\"}") : STR("");
    if (f->kind == METER_SUM)
        f->record.quantity.mantissa -= 1000;
}

static void make_facts(struct truth *t, size_t count)
{
    t->facts = NEW_N(&t->arena, struct fact, count);
    t->order = NEW_N(&t->arena, size_t, count);
    t->count = count;
    for (size_t i = 0; i < count; i++) {
        struct fact *f = &t->facts[i];
        make_fact(t, i, f);
        t->order[i] = i;
        struct fact *old = i > 0 ? &t->facts[between(t, 0, (int64_t)i - 1)] : NULL;
        if (old == NULL || between(t, 0, 9) != 0 || old->dead || old->source % 2 == 0)
            continue;
        bool same_kind = between(t, 0, 3) != 0;
        f->source = old->source;
        f->record.number = 0;
        f->record.id = arena_fmt(&t->arena, "id-%zu", i);
        f->record.supersedes = old->record.id;
        f->corrects = true;
        f->target = (size_t)(old - t->facts);
        if (same_kind && old->kind != METER_UNIQUE && f->kind != METER_UNIQUE) {
            f->subscription = old->subscription;
            f->record.subscription = old->record.subscription;
            f->kind = old->kind;
            f->record.meter = old->record.meter;
            f->record.from = old->record.from;
            f->record.until = old->record.until;
            f->record.quantity.mantissa = between(t, 0, 5000);
        }
        old->dead = true;
    }
}

/* A correction comes behind what it corrects; all else in any order. */
static void shuffle(struct truth *t)
{
    size_t *place = NEW_N(&t->arena, size_t, t->count);
    for (size_t i = t->count - 1; i > 0; i--) {
        size_t k = (size_t)between(t, 0, (int64_t)i);
        size_t swap = t->order[i];
        t->order[i] = t->order[k];
        t->order[k] = swap;
    }
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < t->count; i++)
            place[t->order[i]] = i;
        for (size_t i = 0; i < t->count; i++) {
            const struct fact *f = &t->facts[i];
            size_t target = f->target;
            if (!f->corrects)
                continue;
            if (place[target] < place[i])
                continue;
            t->order[place[i]] = target;
            t->order[place[target]] = i;
            again = true;
            break;
        }
    }
}

/* --- sending --- */

static enum rc send_part(struct tx *tx, void *arg)
{
    struct truth *t = arg;
    for (int source = 0; source < SOURCES; source++) {
        struct usage_report report;
        size_t count = 0;
        struct usage_record *records = NEW_N(tx->arena, struct usage_record, t->part);
        for (size_t i = t->sent; i < t->sent + t->part; i++)
            if (t->facts[t->order[i]].source == source)
                records[count++] = t->facts[t->order[i]].record;
        OK(tx, usage_take(tx, t->m.op, source_name(source), records, count, &report));
        HOLDS(report.refused == 0, SEED_FMT, t->seed);
    }
    return RC_OK;
}

static enum rc fold_some(struct tx *tx, void *arg)
{
    bool done = false;
    struct truth *t = arg;
    OK(tx, total_fold(tx, (size_t)between(t, 1, 200), &done));
    return RC_OK;
}

static enum rc fold_all(struct tx *tx, void *arg)
{
    (void)arg;
    metered_fold(tx);
    return RC_OK;
}

/* What a kill leaves is what was committed. */
static void die_and_rise(struct truth *t)
{
    store_close(t->world.fixture.store);
    fixture_open_with(&t->world.fixture, (struct store_options){.clock = &t->world.clock.clock});
}

static void send(struct truth *t, size_t part)
{
    for (t->sent = 0; t->sent < t->count;) {
        t->part = min_size((size_t)between(t, 1, (int64_t)part), t->count - t->sent);
        arena_reset(&t->world.fixture.arena);
        world_write(&t->world, send_part, t, RC_OK);
        int64_t pick = between(t, 0, 5);
        if (pick == 0)
            die_and_rise(t);
        if (pick < 3)
            world_write(&t->world, fold_some, t, RC_OK);
        if (pick != 5) /* else the answer was lost, and all of it comes again */
            t->sent += t->part;
    }
}

/* --- the model --- */

static int64_t at_scale(const struct fact *f)
{
    int64_t q = f->record.quantity.mantissa;
    for (int i = f->record.quantity.scale; i < 2; i++)
        q *= 10;
    return q;
}

static time_us instant(const struct fact *f)
{
    return f->record.until > WORLD_START ? f->record.until - 1 : WORLD_START;
}

struct reading {
    int64_t series;
    int64_t place;
    int64_t value;
    bool here; /* in the window */
};

static int by_reading(const void *a, const void *b)
{
    const struct reading *x = a;
    const struct reading *y = b;
    if (x->series != y->series)
        return x->series < y->series ? -1 : 1;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

static int by_value_down(const void *a, const void *b)
{
    const struct reading *x = a;
    const struct reading *y = b;
    return x->value > y->value ? -1 : x->value < y->value;
}

/* Sorted, with the highest of those that have one place: the last. */
static size_t highest_of_each(struct reading *list, size_t count)
{
    size_t kept = 0;
    qsort(list, count, sizeof *list, by_reading);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || list[i].series != list[i + 1].series ||
            list[i].place != list[i + 1].place)
            list[kept++] = list[i];
    return kept;
}

static __int128 model_of_list(enum meter_kind kind, struct reading *list, size_t count)
{
    __int128 sum = 0;
    count = highest_of_each(list, count);
    if (kind == METER_UNIQUE)
        return (__int128)count;
    if (kind == METER_LAST)
        return list[count - 1].value;
    if (kind == METER_P95) {
        qsort(list, count, sizeof *list, by_value_down);
        return list[count * 5 / 100].value;
    }
    for (size_t i = 1; i < count; i++)
        if (list[i].series == list[i - 1].series && list[i].here)
            sum += list[i].value >= list[i - 1].value ? list[i].value - list[i - 1].value
                                                      : list[i].value;
    return sum;
}

static struct reading reading_of(const struct fact *f, bool here)
{
    struct reading r = {.place = f->record.until, .value = at_scale(f), .here = here};
    if (f->kind == METER_UNIQUE)
        r = (struct reading){.place = (int64_t)f->record.key};
    if (f->kind == METER_P95)
        r.place = instant(f) / (300 * US_PER_SECOND);
    if (f->kind == METER_COUNTER)
        r.series = f->source * 2 + (f->record.dims.n > 0);
    return r;
}

static __int128 spread(const struct fact *f, time_us from, time_us until)
{
    if (f->kind == METER_SUM)
        return telescope_time(at_scale(f), f->record.from, f->record.until, from, until);
    return (__int128)at_scale(f) * (until / US_PER_SECOND - from / US_PER_SECOND);
}

/* False: nothing is in the window. */
static bool model(const struct truth *t, int subscription, enum meter_kind kind,
                  const struct window *w, struct reading *list, __int128 *ret)
{
    size_t count = 0;
    bool any = false;
    __int128 sum = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct fact *f = &t->facts[i];
        if (f->dead || f->subscription != subscription || f->kind != kind)
            continue;
        time_us from = max_i64(f->record.from, w->from);
        time_us until = min_i64(f->record.until, w->until);
        bool here = instant(f) >= w->from && instant(f) < w->until;
        if (is_spread(kind)) {
            any = any || from < until;
            sum += from < until ? spread(f, from, until) : 0;
            continue;
        }
        any = any || here;
        if (here && kind == METER_COUNT)
            sum++;
        if (here && kind == METER_MAX)
            sum = sum > at_scale(f) ? sum : at_scale(f);
        if (here || kind == METER_COUNTER)
            list[count++] = reading_of(f, here);
    }
    *ret = kind == METER_COUNT || kind == METER_MAX || is_spread(kind) || !any
               ? sum
               : model_of_list(kind, list, count);
    return any;
}

static void compare(struct tx *tx, struct truth *t, int s, struct reading *list)
{
    size_t count = 0;
    size_t met = 0;
    struct total *totals = NULL;
    OK(tx, total_of(tx, t->m.subscriptions[s], INT64_MIN, INT64_MAX, &totals, &count));
    for (int kind = 0; kind < METER_KINDS; kind++)
        for (size_t w = 0; w < t->window_count[s]; w++) {
            __int128 want = 0;
            const struct window *window = &t->windows[s][w];
            bool any = model(t, s, (enum meter_kind)kind, window, list, &want);
            struct quantity got = {0, 0};
            for (size_t i = 0; i < count; i++)
                if (totals[i].meter == t->m.meters[kind] && totals[i].from == window->from) {
                    got = totals[i].quantity;
                    met++;
                }
            HOLDS(got.mantissa == want,
                  SEED_FMT "%s, subscription %d, window %zu%s: %lld, "
                           "wanted was %lld",
                  t->seed, meter_kinds[kind], s, w, any ? "" : " (empty)", (long long)got.mantissa,
                  (long long)want);
        }
    HOLDS(met == count, SEED_FMT "%zu totals, %zu in windows", t->seed, count, met);
}

static enum rc check_totals(struct tx *tx, void *arg)
{
    struct truth *t = arg;
    struct reading *list = calloc(t->count, sizeof *list);
    ASSERT(list != NULL);
    for (int s = 0; s < SUBSCRIPTIONS; s++)
        compare(tx, t, s, list);
    for (int s = 0; s < SUBSCRIPTIONS; s++) {
        int64_t changed = -1;
        OK(tx, total_recount(tx, t->m.subscriptions[s], &changed));
        HOLDS(changed == 0, SEED_FMT "%lld totals changed", t->seed, (long long)changed);
        compare(tx, t, s, list);
    }
    free(list);
    return RC_OK;
}

static void run_truth(uint64_t seed, size_t count, size_t part)
{
    struct truth *t = calloc(1, sizeof *t);
    ASSERT(t != NULL);
    t->seed = seed;
    clock_sim_init(&t->chance, 0, seed);
    arena_init(&t->arena, (size_t)512 * 1024 * 1024);
    world_open(&t->world);
    world_write(&t->world, prepare, t, RC_OK);
    make_facts(t, count);
    if (count <= SMALL)
        shuffle(t);
    send(t, part);
    if (count <= SMALL) { /* all of it again, in another order */
        shuffle(t);
        send(t, part);
    }
    arena_reset(&t->world.fixture.arena);
    world_write(&t->world, fold_all, t, RC_OK);
    world_write(&t->world, check_totals, t, RC_OK);
    world_close(&t->world);
    arena_fini(&t->arena);
    free(t);
}

START_TEST(any_order_any_cut_any_kill_ends_at_the_same_totals)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (uint64_t run = 0; run < RUNS; run++)
        run_truth(seed + run, SMALL, 40);
}
END_TEST

START_TEST(a_hundred_thousand_records_are_what_the_model_says)
{
    struct clock_sim chance;
    run_truth(property_begin(&chance), LARGE, LARGE_PART);
}
END_TEST

Suite *total_suite(void);
Suite *total_suite(void)
{
    Suite *s = suite_create("total");
    TCase *c = tcase_create("total");
    tcase_set_timeout(c, 300);
    tcase_add_test(c, any_order_any_cut_any_kill_ends_at_the_same_totals);
    tcase_add_test(c, a_hundred_thousand_records_are_what_the_model_says);
    suite_add_tcase(s, c);
    return s;
}
