#include "billing/rated_run.h"

#include "money/property.h"

#include <check.h>

enum { ROUNDS = 300, LINES = 40, ARENA_BYTES = 16 * 1024 * 1024, NAMES = 3 };

static const char *const names[NAMES] = {"sub_01jd8v3q7w4k2m9x6c5b1n0h8z",
                                         "sub_01jd8v3q7w4k2m9x6c5b1n0h90", ""};

static int64_t any(struct clock_sim *chance)
{
    static const int64_t edges[] = {0, 1, -1, 63, 64, -64, -65, 127, 128, INT64_MAX, INT64_MIN};
    size_t i = (size_t)clock_sim_below(chance, COUNT(edges) + 3);
    return i < COUNT(edges) ? edges[i] : property_between(chance, INT64_MIN / 2, INT64_MAX / 2);
}

static struct str name(struct clock_sim *chance)
{
    return str_c(names[clock_sim_below(chance, NAMES)]);
}

static bool coin(struct clock_sim *chance)
{
    return clock_sim_below(chance, 2) == 1;
}

static void make_line(struct clock_sim *chance, const struct supply_path *path,
                      const struct rated_line *before, struct rated_line *l)
{
    *l = (struct rated_line){.path = path};
    if (before != NULL && coin(chance))
        *l = *before;
    l->subscription = coin(chance) ? l->subscription : name(chance);
    l->plan = coin(chance) ? l->plan : name(chance);
    l->producer = coin(chance) ? l->producer : name(chance);
    l->asset = coin(chance) ? l->asset : name(chance);
    l->plan_number = coin(chance) ? l->plan_number : any(chance);
    l->window.from = coin(chance) ? l->window.from : any(chance);
    l->window.until = coin(chance) ? l->window.until : any(chance);
    l->window.period_number = coin(chance) ? l->window.period_number : any(chance);
    l->charge = property_between(chance, 0, 1000);
    l->tax_class = (enum tax_class)clock_sim_below(chance, 4);
    l->quantity = (struct quantity){any(chance), (int)clock_sim_below(chance, 10)};
    l->units = (struct quantity){any(chance), (int)clock_sim_below(chance, 10)};
    l->list_amount = any(chance);
    l->discount = any(chance);
    l->free_tier = coin(chance);
    l->late = coin(chance);
    l->advance = coin(chance);
    l->tax_included = coin(chance);
    for (size_t k = 0; k < path->count; k++) {
        l->prices[k] = (struct price){any(chance), (int)clock_sim_below(chance, 13)};
        l->amounts[k] = any(chance);
    }
}

static bool same(const struct rated_line *a, const struct rated_line *b, size_t tiers)
{
    bool same = str_eq(a->subscription, b->subscription) && str_eq(a->plan, b->plan) &&
                str_eq(a->producer, b->producer) && str_eq(a->asset, b->asset) &&
                a->plan_number == b->plan_number && a->charge == b->charge &&
                a->tax_class == b->tax_class && a->window.begin == b->window.begin &&
                a->window.end == b->window.end && a->window.from == b->window.from &&
                a->window.until == b->window.until &&
                a->window.period_number == b->window.period_number;
    same = same && a->quantity.mantissa == b->quantity.mantissa &&
           a->quantity.scale == b->quantity.scale && a->units.mantissa == b->units.mantissa &&
           a->units.scale == b->units.scale && a->list_amount == b->list_amount &&
           a->discount == b->discount && a->free_tier == b->free_tier && a->late == b->late &&
           a->advance == b->advance && a->tax_included == b->tax_included;
    for (size_t k = 0; k < tiers; k++)
        same = same && a->prices[k].mantissa == b->prices[k].mantissa &&
               a->prices[k].scale == b->prices[k].scale && a->amounts[k] == b->amounts[k];
    return same;
}

START_TEST(what_is_written_is_read)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    for (int round = 0; round < ROUNDS; round++) {
        struct rated_line lines[LINES];
        struct rated_run run;
        struct err err = {0};
        arena_reset(&arena);
        struct supply_path path = {.count = 1 + (size_t)clock_sim_below(&chance, SUPPLY_DEPTH_MAX)};
        size_t count = 1 + (size_t)clock_sim_below(&chance, LINES);
        for (size_t i = 0; i < count; i++)
            make_line(&chance, &path, i > 0 ? &lines[i - 1] : NULL, &lines[i]);
        struct str bytes = rated_run_write(lines, count, &arena);
        enum rc rc = rated_run_read(bytes, &arena, &run, &err);
        HOLDS(rc == RC_OK && run.count == count && run.tiers == path.count, SEED_FMT "%s", seed,
              err.text);
        for (size_t i = 0; i < count; i++)
            HOLDS(same(&lines[i], &run.lines[i], path.count), SEED_FMT "line %zu", seed, i);
    }
    arena_fini(&arena);
}
END_TEST

START_TEST(a_part_of_it_or_more_than_it_is_refused)
{
    struct arena arena;
    struct err err = {0};
    struct rated_run run;
    arena_init(&arena, ARENA_BYTES);
    struct supply_path path = {.count = 2};
    struct rated_line line = {.subscription = str_c(names[0]),
                              .plan = str_c(names[1]),
                              .path = &path,
                              .amounts = {100, 112},
                              .window = {.from = 5, .until = 9}};
    struct str bytes = rated_run_write(&line, 1, &arena);
    ck_assert_int_eq(rated_run_read(bytes, &arena, &run, &err), RC_OK);
    for (size_t n = 0; n < bytes.n; n++) {
        err_clear(&err);
        ck_assert_int_eq(rated_run_read(str_sub(bytes, 0, n), &arena, &run, &err), RC_INVALID);
    }
    char *more = arena_bytes(&arena, bytes.n + 1);
    memcpy(more, bytes.p, bytes.n);
    more[bytes.n] = 0;
    err_clear(&err);
    ck_assert_int_eq(rated_run_read(str_n(more, bytes.n + 1), &arena, &run, &err), RC_INVALID);
    more[0] = 2; /* a form that nobody has written */
    err_clear(&err);
    ck_assert_int_eq(rated_run_read(str_n(more, bytes.n), &arena, &run, &err), RC_INVALID);
    arena_fini(&arena);
}
END_TEST

Suite *rated_run_suite(void);
Suite *rated_run_suite(void)
{
    Suite *s = suite_create("rated_run");
    TCase *t = tcase_create("rated_run");
    tcase_add_test(t, what_is_written_is_read);
    tcase_add_test(t, a_part_of_it_or_more_than_it_is_refused);
    suite_add_tcase(s, t);
    return s;
}
