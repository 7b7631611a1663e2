#include "krl/pack.h"

#include "krl/lib.h"
#include "krl/regex.h"

#include <check.h>
#include <math.h>

enum { MEMORY = 64 * 1024 * 1024, ROUNDS = 2000, DEPTH = 4 };

static struct arena arena;
static struct krl_heap heap;
static uint64_t state;

static void up(void)
{
    static const uint64_t seed[2] = {1, 2};
    arena_init(&arena, MEMORY);
    krl_heap_init(&heap, &arena, INT32_MAX, seed);
    state = 20261125;
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

static const struct krl_text *any_text(void)
{
    uint16_t units[8];
    size_t n = below(8);
    for (size_t i = 0; i < n; i++)
        units[i] = (uint16_t)(below(2)   ? 'a' + below(26)
                              : below(3) ? below(0x10000)
                                         : 0xD800 + below(0x800));
    return krl_text_units(&heap, units, n);
}

static struct krl_value any_value(int depth)
{
    switch (below(depth > 0 ? 8 : 6)) {
    case 0:
        return krl_undefined();
    case 1:
        return krl_null();
    case 2:
        return krl_bool(below(2) == 0);
    case 3:
        return krl_number((double)(int64_t)below(1U << 31) - (1 << 30));
    case 4:
        return krl_number(below(3) ? (double)below(1000) / 7 : below(2) ? -0.0 : INFINITY);
    case 5:
        return krl_of_text(any_text());
    case 6: {
        struct krl_array *a = krl_array_new(&heap, below(5));
        for (size_t i = 0; i < a->n; i++)
            a->v[i] = any_value(depth - 1);
        return krl_of_array(a);
    }
    default: {
        struct krl_map *map = krl_map_new(&heap, 0);
        for (uint64_t n = below(20); n > 0; n--) {
            const struct krl_text *key =
                below(2) ? any_text() : krl_to_text(&heap, krl_number((double)below(50)));
            ck_assert(krl_map_set(&heap, map, key, any_value(depth - 1)));
        }
        return krl_of_map(map);
    }
    }
}

/* Type by type, bit by bit, key by key: more than equal. */
static void check_same(struct krl_value a, struct krl_value b)
{
    ck_assert_int_eq(a.type, b.type);
    if (a.type == KRL_NUMBER)
        ck_assert_mem_eq(&a.number, &b.number, sizeof a.number);
    if (a.type == KRL_TEXT)
        ck_assert(krl_text_eq(a.text, b.text));
    if (a.type == KRL_ARRAY) {
        ck_assert_uint_eq(a.array->n, b.array->n);
        for (size_t i = 0; i < a.array->n; i++)
            check_same(a.array->v[i], b.array->v[i]);
    }
    if (a.type != KRL_MAP)
        return;
    ck_assert_uint_eq(a.map->n, b.map->n);
    for (size_t i = 0; i < a.map->n; i++) {
        ck_assert(krl_text_eq(krl_map_at(a.map, i)->key, krl_map_at(b.map, i)->key));
        check_same(krl_map_at(a.map, i)->value, krl_map_at(b.map, i)->value);
    }
}

START_TEST(what_is_packed_comes_back_the_same)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct krl_value v = any_value(DEPTH);
        struct str packed = krl_pack(&heap, v);
        ck_assert_ptr_nonnull(packed.p);
        check_same(v, krl_unpack(&heap, packed));
        if (i % 50 == 0) {
            arena_reset(&arena);
        }
    }
}
END_TEST

START_TEST(patterns_are_kept_and_functions_are_not)
{
    const struct krl_regex *re =
        krl_regex(&heap, krl_text(&heap, STR("a(b)")), krl_text(&heap, STR("gi")));
    struct krl_value v =
        krl_unpack(&heap, krl_pack(&heap, (struct krl_value){.type = KRL_REGEX, .regex = re}));
    ck_assert_int_eq(v.type, KRL_REGEX);
    ck_assert(krl_regex_eq(v.regex, re));
    struct krl_value f = {.type = KRL_BUILTIN, .builtin = &krl_builtins[0]};
    ck_assert_int_eq(krl_unpack(&heap, krl_pack(&heap, f)).type, KRL_NULL);
}
END_TEST

START_TEST(other_bytes_are_refused)
{
    static const char *const wrong[] = {"\x0A",
                                        "\x06\x05"
                                        "ab",
                                        "\x07\x02\x01",
                                        "\x05"
                                        "123",
                                        "\x01\x01",
                                        "\x08\x01"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        heap.err.rc = RC_OK;
        ck_assert(krl_is_failed(krl_unpack(&heap, str_c(wrong[i]))));
        ck_assert_int_eq(heap.err.rc, RC_INVALID);
    }
}
END_TEST

Suite *pack_suite(void);
Suite *pack_suite(void)
{
    Suite *s = suite_create("pack");
    TCase *t = tcase_create("packing");
    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, what_is_packed_comes_back_the_same);
    tcase_add_test(t, patterns_are_kept_and_functions_are_not);
    tcase_add_test(t, other_bytes_are_refused);
    suite_add_tcase(s, t);
    return s;
}
