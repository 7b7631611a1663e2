/*
 * Random forests with changes of all dates against a slow and obvious model of them: a list of
 * facts, read from the beginning for every question.
 */
#include "channel/channel_fixture.h"
#include "money/property.h"

enum { PARTIES = 40, EDGES_MAX = 120, STEPS = 300, WORLDS = 12, FACTS_MAX = 600, BOOKS = PARTIES };

#define HORIZON (40 * US_PER_DAY)

/* --- the model --- */

/* "From then on this edge has that upstream, and these terms." upstream -1: the operator sells. */
struct fact {
    int edge;
    int upstream;
    int64_t terms;
    time_us from;
};
struct edge {
    int seller; /* 0: the operator */
    int buyer;
    struct str id;
    time_us ended; /* INT64_MAX: not */
};
struct entry {
    int book; /* of this party */
    time_us from;
    struct price_step step;
};
/* What was read once, and must be read again at the end. */
struct memory {
    int edge;
    time_us at;
    struct str path;
    struct price price;
};
struct forest {
    struct clock_sim chance;
    uint64_t seed;
    struct str parties[PARTIES];
    struct str books[BOOKS];
    struct edge edges[EDGES_MAX];
    struct fact facts[FACTS_MAX];
    struct entry entries[FACTS_MAX];
    struct memory memories[STEPS];
    int edge_count;
    size_t fact_count, entry_count, memory_count;
    size_t moved, refused, deepest; /* so that the test proves that it tested */
};

static const struct fact *fact_at(const struct forest *f, int edge, time_us at)
{
    const struct fact *found = NULL;
    if (f->edges[edge].ended <= at)
        return NULL;
    for (size_t i = 0; i < f->fact_count; i++) {
        const struct fact *fact = &f->facts[i];
        if (fact->edge == edge && fact->from <= at && (found == NULL || fact->from >= found->from))
            found = fact;
    }
    return found;
}

/* Edges from this one up, nearest first; -1 where it breaks, is too deep, or has a party twice. */
static int walk(const struct forest *f, int edge, time_us at, const struct fact **ret)
{
    int count = 0;
    bool met[PARTIES] = {false};
    while (edge >= 0) {
        const struct fact *fact = fact_at(f, edge, at);
        if (fact == NULL || count == SUPPLY_DEPTH_MAX || met[f->edges[edge].buyer])
            return -1;
        met[f->edges[edge].buyer] = true;
        ret[count++] = fact;
        edge = fact->upstream;
    }
    return count;
}

static struct str model_path(struct tx *tx, const struct forest *f, int edge, time_us at)
{
    const struct fact *facts[SUPPLY_DEPTH_MAX];
    int count = walk(f, edge, at, facts);
    struct buf b;
    buf_init(&b, tx->arena, 4096);
    for (int i = count - 1; i >= 0; i--)
        buf_fmt(&b, "/%.*s:%lld", STRF(f->edges[facts[i]->edge].id), (long long)facts[i]->terms);
    return buf_str(&b);
}

static struct price model_price(const struct forest *f, int edge, time_us at, struct price list)
{
    const struct fact *facts[SUPPLY_DEPTH_MAX];
    struct err err;
    for (int i = walk(f, edge, at, facts) - 1; i >= 0; i--) {
        const struct price_step *step = NULL;
        time_us from = INT64_MIN;
        for (size_t k = 0; k < f->entry_count; k++) {
            const struct entry *e = &f->entries[k];
            if (e->book == f->edges[facts[i]->edge].seller && e->from <= at && e->from >= from) {
                step = &e->step;
                from = e->from;
            }
        }
        if (step != NULL && step->op == ENTRY_ADD)
            ck_assert_int_eq(price_add(list, step->value, &list, &err), RC_OK);
        else if (step != NULL)
            ck_assert_int_eq(price_scale_ppm(list, step->ppm, &list, &err), RC_OK);
    }
    return list;
}

/* Whether every edge has a whole path of at most 16 whenever it is in force, from an instant on. */
static bool is_forest(const struct forest *f, time_us from)
{
    const struct fact *facts[SUPPLY_DEPTH_MAX];
    for (int e = 0; e < f->edge_count; e++)
        for (size_t i = 0; i <= f->fact_count; i++) {
            time_us at = i == 0 ? from : max_i64(from, f->facts[i - 1].from);
            if (fact_at(f, e, at) != NULL && walk(f, e, at, facts) < 0)
                return false;
        }
    for (int e = 0; e < f->edge_count; e++) /* ends are instants, too */
        for (int k = 0; k < f->edge_count; k++) {
            time_us at = max_i64(from, f->edges[k].ended);
            if (at < INT64_MAX && fact_at(f, e, at) != NULL && walk(f, e, at, facts) < 0)
                return false;
        }
    return true;
}

/* --- steps --- */

static int below(struct forest *f, int bound)
{
    return (int)clock_sim_below(&f->chance, (uint64_t)bound);
}

/* Now, or some day within the horizon. */
static time_us some_day(struct tx *tx, struct forest *f)
{
    return below(f, 2) == 0 ? tx->now : tx->now + below(f, 40) * US_PER_DAY;
}

/* An edge by which the party buys, in force now; -1: none was found. */
static int buys_by(struct tx *tx, struct forest *f, int party)
{
    for (int tries = 0; tries < 40 && f->edge_count > 0; tries++) {
        int e = below(f, f->edge_count);
        if (f->edges[e].buyer == party && fact_at(f, e, tx->now) != NULL)
            return e;
    }
    return -1;
}

static void add_fact(struct forest *f, struct fact fact)
{
    ASSERT(f->fact_count < FACTS_MAX);
    f->facts[f->fact_count++] = fact;
}

/* A new edge below a random one, more often a young one: so that trees grow deep. */
static void step_make(struct tx *tx, struct forest *f)
{
    int up = f->edge_count > 0 ? below(f, f->edge_count) : -1;
    up = below(f, 2) == 0 ? f->edge_count - 1 : up;
    if (below(f, 8) == 0)
        up = -1;
    if (f->edge_count == EDGES_MAX || (up >= 0 && fact_at(f, up, tx->now) == NULL))
        return;
    int seller = up >= 0 ? f->edges[up].buyer : 0;
    int buyer = 1 + below(f, PARTIES - 1);
    struct agreement a = {
        .kind = AGREEMENT_SUPPLY,
        .from = f->parties[seller],
        .to = f->parties[buyer],
        .terms = {.upstream = up >= 0 ? f->edges[up].id : STR(""), .book = f->books[seller]}};
    if (seller == buyer)
        return;
    err_clear(tx->err);
    enum rc rc = agreement_create(tx, &a, &a);
    if (rc == RC_OK) {
        OK(tx, agreement_offer(tx, a.id, &a));
        OK(tx, agreement_sign(tx, a.id, &a));
    }
    int e = f->edge_count++;
    f->edges[e] = (struct edge){seller, buyer, a.id, INT64_MAX};
    add_fact(f, (struct fact){e, up, 1, tx->now});
    bool ended_later = up >= 0 && f->edges[up].ended != INT64_MAX;
    HOLDS((rc == RC_OK) == (is_forest(f, tx->now) && !ended_later),
          SEED_FMT "make below %d: %s: %s", f->seed, up, rc_slug(rc), tx->err->text);
    if (rc != RC_OK) {
        HOLDS(rc == RC_INVALID, SEED_FMT "make: %s", f->seed, rc_slug(rc));
        f->edge_count--;
        f->fact_count--;
        f->refused++;
    }
}

static int64_t terms_count(const struct forest *f, int edge)
{
    int64_t count = 0;
    for (size_t i = 0; i < f->fact_count; i++)
        count += f->facts[i].edge == edge ? 1 : 0;
    return count;
}

static void step_move(struct tx *tx, struct forest *f)
{
    int e = f->edge_count > 0 ? below(f, f->edge_count) : -1;
    if (e < 0 || f->edges[e].seller == 0 || fact_at(f, e, tx->now) == NULL)
        return;
    int up = buys_by(tx, f, f->edges[e].seller);
    time_us from = some_day(tx, f);
    if (up < 0 || f->edges[e].ended != INT64_MAX || f->edges[up].ended != INT64_MAX)
        return;
    struct agreement a;
    struct agreement patch = {.terms = {.upstream = f->edges[up].id, .valid_from = from}};
    patch.set = UINT64_C(1) << schema_find(&agreement_schema, STR("terms"));
    patch.terms.set = UINT64_C(1) << schema_find(&terms_schema, STR("upstream")) |
                      UINT64_C(1) << schema_find(&terms_schema, STR("valid_from"));
    err_clear(tx->err);
    enum rc rc = agreement_change(tx, f->edges[e].id, 0, &patch, &a);
    if (rc == RC_OK)
        OK(tx, agreement_sign(tx, f->edges[e].id, &a));
    add_fact(f, (struct fact){e, up, terms_count(f, e) + 1, from});
    bool good = is_forest(f, tx->now);
    bool careful =
        str_has(err_text(tx->err), STR("at most")) || str_has(err_text(tx->err), STR("be twice"));
    /* Nothing wrong comes in. What is right does, but where what is below is counted carefully. */
    HOLDS(rc == RC_OK ? good : !good || careful, SEED_FMT "move %d below %d: %s: %s", f->seed, e,
          up, rc_slug(rc), tx->err->text);
    f->moved += rc == RC_OK ? 1 : 0;
    if (rc != RC_OK) {
        HOLDS(rc == RC_INVALID, SEED_FMT "move: %s", f->seed, rc_slug(rc));
        f->fact_count--;
        f->refused++;
    }
}

static void step_end(struct tx *tx, struct forest *f)
{
    int e = f->edge_count > 0 ? below(f, f->edge_count) : -1;
    if (e < 0 || f->edges[e].ended != INT64_MAX)
        return;
    struct agreement a;
    time_us at = some_day(tx, f);
    err_clear(tx->err);
    enum rc rc = agreement_end(tx, f->edges[e].id, at, &a);
    f->edges[e].ended = at;
    HOLDS((rc == RC_OK) == is_forest(f, tx->now), SEED_FMT "end %d: %s", f->seed, e, rc_slug(rc));
    if (rc != RC_OK)
        f->edges[e].ended = INT64_MAX;
}

static void step_price(struct tx *tx, struct forest *f)
{
    struct price_entry e;
    bool add = below(f, 2) == 0;
    int64_t number = add ? below(f, 50) : 50 + below(f, 100);
    struct entry *entry = &f->entries[f->entry_count];
    struct price_entry fresh = {.op = add ? ENTRY_ADD : ENTRY_MUL,
                                .value = arena_fmt(tx->arena, "%lld", (long long)number),
                                .valid_from = some_day(tx, f)};
    ASSERT(f->entry_count < FACTS_MAX);
    entry->book = below(f, PARTIES);
    entry->from = fresh.valid_from;
    entry->step = (struct price_step){
        .op = (enum entry_op)fresh.op, .value = {number, 0}, .ppm = number * 10000};
    OK(tx, price_entry_add(tx, f->books[entry->book], &fresh, &e));
    f->entry_count++;
}

/* --- questions --- */

static const struct price list_price = {10000, 2};

static struct str real_path(struct tx *tx, const struct forest *f, int edge, time_us at,
                            struct price *ret_price)
{
    struct supply_path path;
    struct price_steps steps;
    struct price prices[SUPPLY_DEPTH_MAX];
    struct buf b;
    buf_init(&b, tx->arena, 4096);
    err_clear(tx->err);
    *ret_price = list_price;
    enum rc rc = supply_path_at(tx, f->edges[edge].id, at, &path);
    if (rc == RC_NOT_FOUND)
        return STR("");
    OK(tx, rc);
    for (size_t i = 0; i < path.count; i++)
        buf_fmt(&b, "/%.*s:%lld", STRF(path.edges[i].agreement), (long long)path.edges[i].terms);
    OK(tx, price_steps_at(tx, &path, STR("vm"), STR(""), at, &steps));
    OK(tx, price_steps_apply(&steps, list_price, prices, tx->err));
    *ret_price = prices[path.count - 1];
    return buf_str(&b);
}

static void ask(struct tx *tx, struct forest *f)
{
    int e = f->edge_count > 0 ? below(f, f->edge_count) : -1;
    time_us at = tx->now + (below(f, 80) - 40) * US_PER_DAY - below(f, 2);
    struct price price;
    if (e < 0)
        return;
    struct str got = real_path(tx, f, e, at, &price);
    struct str want = model_path(tx, f, e, at);
    HOLDS(str_eq(got, want), SEED_FMT "edge %d: '%.*s', the model has '%.*s'", f->seed, e,
          STRF(got), STRF(want));
    struct price model = model_price(f, e, at, list_price);
    HOLDS(price_compare(price, model) == 0, SEED_FMT "edge %d: another price", f->seed, e);
    if (at < tx->now && f->memory_count < STEPS)
        f->memories[f->memory_count++] = (struct memory){e, at, got, price};
    const struct fact *facts[SUPPLY_DEPTH_MAX];
    f->deepest = max_size(f->deepest, (size_t)max_i64(0, walk(f, e, tx->now, facts)));
}

/* Between changes nothing changes, and what changes is listed. */
static void check_changes(struct tx *tx, struct forest *f)
{
    int e = f->edge_count > 0 ? below(f, f->edge_count) : -1;
    time_us from = tx->now - HORIZON;
    time_us until = tx->now + HORIZON;
    time_us *at = NULL;
    size_t count = 0;
    if (e < 0)
        return;
    OK(tx, supply_changes(tx, f->edges[e].id, from, until, &at, &count));
    for (size_t i = 0; i < count; i++)
        HOLDS(at[i] > (i > 0 ? at[i - 1] : from) && at[i] < until, SEED_FMT "order", f->seed);
    for (time_us day = from + US_PER_DAY; day < until; day += US_PER_DAY) {
        bool listed = false;
        for (size_t i = 0; i < count; i++)
            listed = listed || at[i] == day;
        bool same = str_eq(model_path(tx, f, e, day - 1), model_path(tx, f, e, day)) &&
                    price_compare(model_price(f, e, day - 1, list_price),
                                  model_price(f, e, day, list_price)) == 0;
        HOLDS(same || listed, SEED_FMT "edge %d: a change is not listed", f->seed, e);
    }
}

/* What was read of the past is read again. */
static void check_memories(struct tx *tx, struct forest *f)
{
    for (size_t i = 0; i < f->memory_count; i++) {
        const struct memory *m = &f->memories[i];
        struct price price;
        struct str path = real_path(tx, f, m->edge, m->at, &price);
        HOLDS(str_eq(path, m->path) && price_compare(price, m->price) == 0,
              SEED_FMT "the past of edge %d has changed", f->seed, m->edge);
    }
}

static void live(struct tx *tx, struct forest *f)
{
    f->parties[0] = make_operator(tx);
    for (int i = 1; i < PARTIES; i++)
        f->parties[i] = make_party(tx, "P", f->parties[0]);
    for (int i = 0; i < BOOKS; i++)
        f->books[i] = make_book(tx, f->parties[i], "b");
    for (int i = 0; i < STEPS; i++) {
        int dice = below(f, 10);
        if (dice < 4)
            step_make(tx, f);
        else if (dice < 7)
            step_move(tx, f);
        else if (dice < 8)
            step_end(tx, f);
        else
            step_price(tx, f);
        ask(tx, f);
        if (below(f, 3) == 0)
            tx->now += (below(f, 3) + 1) * US_PER_DAY;
    }
    check_changes(tx, f);
    check_memories(tx, f);
}

static enum rc live_in(struct tx *tx, void *arg)
{
    live(tx, arg);
    return RC_OK;
}

START_TEST(forests_agree_with_a_naive_model)
{
    struct world *w = calloc(1, sizeof *w);
    struct forest *f = calloc(1, sizeof *f);
    ASSERT(w != NULL);
    ASSERT(f != NULL);
    struct clock_sim first;
    f->seed = property_begin(&first);
    clock_sim_init(&f->chance, 0, f->seed + (uint64_t)_i);
    world_open(w);
    world_write(w, live_in, f, RC_OK);
    world_close(w);
    HOLDS(f->moved > 0 && f->refused > 0 && f->deepest >= 4,
          SEED_FMT "world %d tested little: %zu moved, %zu refused, %zu deep", f->seed, _i,
          f->moved, f->refused, f->deepest);
    free(f);
    free(w);
}
END_TEST

Suite *forest_suite(void);
Suite *forest_suite(void)
{
    Suite *s = suite_create("forest");
    TCase *c = tcase_create("forest");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, forests_agree_with_a_naive_model, 0, WORLDS);
    suite_add_tcase(s, c);
    return s;
}
