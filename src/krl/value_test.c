/* Values that share their storage: no map and no text changes behind the back of who has it. */
#include "krl/value.h"

#include <check.h>

enum {
    MEMORY = 256 * 1024 * 1024,
    VERSIONS = 400,
    KEYS = 24,
    ROUNDS = 40,
    TEXT_UNITS_MAX = 100,
};

static struct arena arena;
static struct krl_heap heap;
static uint64_t state;

static void up(void)
{
    static const uint64_t seed[2] = {1, 2};
    arena_init(&arena, MEMORY);
    krl_heap_init(&heap, &arena, INT32_MAX, seed);
    state = 20261126;
}

static void down(void)
{
    arena_fini(&arena);
}

static uint64_t below(uint64_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % bound;
}

/* A map, and what it has to hold: a number for each key, below zero where the key is not there. */
struct version {
    const struct krl_map *map;
    double want[KEYS];
};

static const struct krl_text *key_of(size_t k)
{
    char text[16];
    (void)snprintf(text, sizeof text, k % 3 == 0 ? "%zu" : "key%zu", k);
    return krl_text(&heap, str_c(text));
}

/* No assertions inside: each costs a call of the system. */
static bool holds(const struct version *v)
{
    size_t n = 0;
    bool same = true;
    for (size_t k = 0; k < KEYS; k++) {
        const struct krl_value *got = krl_map_get(v->map, key_of(k));
        same = same && (got != NULL) == (v->want[k] >= 0);
        same = same && (got == NULL || got->number == v->want[k]);
        n += got != NULL;
    }
    same = same && v->map->n == n;
    for (size_t i = 0; same && i < n; i++) {
        const struct krl_entry *e = krl_map_at(v->map, i);
        const struct krl_value *got = krl_map_get(v->map, e->key);
        same = got != NULL && got->number == e->value.number;
    }
    return same;
}

static struct version changed(const struct version *from)
{
    struct version v = *from;
    size_t k = below(KEYS);
    if (below(8) == 0) {
        v.map = krl_map_without(&heap, v.map, key_of(k));
        v.want[k] = -1;
    } else {
        v.want[k] = (double)below(1000);
        v.map = krl_map_put(&heap, v.map, key_of(k), krl_number(v.want[k]));
    }
    return v;
}

START_TEST(every_version_of_a_map_keeps_what_it_had)
{
    static struct version versions[VERSIONS];
    size_t wrong = 0;
    for (int round = 0; round < ROUNDS; round++) {
        versions[0].map = krl_map_new(&heap, 0);
        for (size_t k = 0; k < KEYS; k++)
            versions[0].want[k] = -1;
        for (size_t n = 1; n < VERSIONS; n++) {
            /* Mostly the newest, as programs do; now and then an old one is read or forks. */
            const struct version *from = &versions[below(4) ? n - 1 : below(n)];
            versions[n] = changed(from);
            if (below(16) == 0)
                wrong += !holds(&versions[below(n + 1)]);
        }
        for (size_t n = 0; n < VERSIONS; n++)
            wrong += !holds(&versions[round % 2 == 0 ? n : VERSIONS - 1 - n]);
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert(!krl_failing(&heap));
}
END_TEST

START_TEST(a_map_of_another_activation_is_never_written)
{
    struct arena other_arena;
    struct krl_heap other;
    static const uint64_t seed[2] = {3, 4};
    arena_init(&other_arena, MEMORY);
    krl_heap_init(&other, &other_arena, INT32_MAX, seed);
    struct krl_map *map = krl_map_new(&heap, 20);
    ck_assert(krl_map_set_ascii(&heap, map, "a", krl_number(1)));
    const struct krl_map *more =
        krl_map_put(&other, map, krl_text(&other, STR("a")), krl_number(2));
    const struct krl_map *longer =
        krl_map_put(&other, map, krl_text(&other, STR("b")), krl_number(3));
    ck_assert_ptr_null(map->newer);
    ck_assert_uint_eq(map->table->used, 1);
    ck_assert(krl_map_find(map, "a")->number == 1);
    ck_assert(krl_map_find(more, "a")->number == 2);
    ck_assert_uint_eq(longer->n, 2);
    arena_fini(&other_arena);
}
END_TEST

START_TEST(counting_in_a_large_map_takes_little_memory)
{
    enum { MANY = 1000 };
    const struct krl_map *map = krl_map_new(&heap, 0);
    for (int round = 0; round < 10; round++)
        for (size_t k = 0; k < MANY; k++)
            map = krl_map_put(&heap, map, key_of(3 * k + 1), krl_number(round));
    ck_assert_uint_eq(map->n, MANY);
    ck_assert_uint_lt(arena.used_bytes, 4 * 1024 * 1024); /* a copy each would be 240 MB */
}
END_TEST

static const struct krl_text *any_text(size_t n, bool wide)
{
    static const uint16_t letters[] = {'a', 'b', 0xE9, 0x6161, 'a'};
    uint16_t units[TEXT_UNITS_MAX];
    for (size_t i = 0; i < n; i++)
        units[i] = letters[below(wide ? 5 : 2)];
    return krl_text_units(&heap, units, n);
}

static size_t find_slowly(const struct krl_text *t, const struct krl_text *needle, size_t from)
{
    for (size_t at = from; at + needle->n <= t->n; at++) {
        size_t same = 0;
        while (same < needle->n && krl_unit(t, at + same) == krl_unit(needle, same))
            same++;
        if (same == needle->n)
            return at;
    }
    return SIZE_MAX;
}

START_TEST(a_search_finds_the_first_place)
{
    size_t wrong = 0;
    for (int round = 0; round < 20000; round++) {
        const struct krl_text *t = any_text(below(TEXT_UNITS_MAX), below(2));
        const struct krl_text *needle = any_text(below(9), below(3) == 0);
        size_t from = below((uint64_t)t->n + 2);
        size_t want = from > t->n ? SIZE_MAX : find_slowly(t, needle, from);
        wrong += krl_text_find(&heap, t, needle, from) != want;
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(a_search_that_nearly_matches_everywhere_ends)
{
    enum { LONG = 1 << 20 };
    char *bytes = arena_bytes(&arena, LONG);
    memset(bytes, 'a', LONG);
    const struct krl_text *t = krl_text(&heap, str_n(bytes, LONG));
    bytes[LONG / 4] = 'b';
    const struct krl_text *needle = krl_text(&heap, str_n(bytes, LONG / 2));
    ck_assert_uint_eq(krl_text_find(&heap, t, needle, 0), SIZE_MAX);
}
END_TEST

Suite *value_suite(void);
Suite *value_suite(void)
{
    Suite *s = suite_create("value");
    TCase *t = tcase_create("value");
    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, every_version_of_a_map_keeps_what_it_had);
    tcase_add_test(t, a_map_of_another_activation_is_never_written);
    tcase_add_test(t, counting_in_a_large_map_takes_little_memory);
    tcase_add_test(t, a_search_finds_the_first_place);
    tcase_add_test(t, a_search_that_nearly_matches_everywhere_ends);
    suite_add_tcase(s, t);
    return s;
}
