#include "base/map.h"

#include "base/clock.h"

#include <check.h>
#include <signal.h>

static struct arena arena;
static struct map map;
static const uint64_t seed[2] = {1, 2};

static void setup(void)
{
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    map_init(&map, &arena, seed);
}

static void teardown(void)
{
    arena_fini(&arena);
}

START_TEST(what_was_put_is_found_and_nothing_else)
{
    int values[3];
    ck_assert_ptr_null(map_get(&map, STR("a")));
    ck_assert_ptr_null(map_put(&map, STR("a"), &values[0]));
    ck_assert_ptr_null(map_put(&map, STR(""), &values[1]));
    ck_assert_ptr_eq(map_get(&map, STR("a")), &values[0]);
    ck_assert_ptr_eq(map_get(&map, (struct str){NULL, 0}), &values[1]);
    ck_assert_ptr_null(map_get(&map, STR("b")));
    ck_assert_ptr_null(map_get(&map, STR("a\0")));
    ck_assert_ptr_eq(map_put(&map, STR("a"), &values[2]), &values[0]);
    ck_assert_ptr_eq(map_get(&map, STR("a")), &values[2]);
    ck_assert_uint_eq(map.count, 2);
}
END_TEST

START_TEST(many_keys_survive_growing)
{
    enum { MANY = 100000 };
    int *values = NEW_N(&arena, int, MANY);
    struct str *keys = NEW_N(&arena, struct str, MANY);
    for (int i = 0; i < MANY; i++) {
        keys[i] = arena_fmt(&arena, "key %d", i * 7);
        ASSERT(map_put(&map, keys[i], &values[i]) == NULL);
    }
    ck_assert_uint_eq(map.count, MANY);
    for (int i = 0; i < MANY; i++) {
        ASSERT(map_get(&map, keys[i]) == &values[i]); /* ck_assert is slow by the thousand */
        values[i] = 1;
    }
    size_t at = 0;
    struct str key;
    void *value = NULL;
    size_t walked = 0;
    while (map_next(&map, &at, &key, &value)) {
        ASSERT(*(int *)value == 1); /* each once */
        ASSERT(str_eq(key, keys[(int *)value - values]));
        *(int *)value = 2;
        walked++;
    }
    ck_assert_uint_eq(walked, MANY);
}
END_TEST

START_TEST(walking_an_empty_map_ends_at_once)
{
    size_t at = 0;
    struct str key;
    void *value = NULL;
    ck_assert(!map_next(&map, &at, &key, &value));
}
END_TEST

START_TEST(the_hash_depends_on_every_byte_and_on_the_key)
{
    char text[40];
    memset(text, 'a', sizeof text);
    for (size_t n = 0; n <= sizeof text; n++) {
        uint64_t hash = hash_str(str_n(text, n), seed);
        ck_assert(hash == hash_str(str_n(text, n), seed));
        ck_assert(hash != hash_str(str_n(text, n), (const uint64_t[]){1, 3}));
        ck_assert(hash != hash_str(str_n(text, n), (const uint64_t[]){0, 2}));
        for (size_t i = 0; i < n; i++) {
            text[i] = 'b';
            ck_assert(hash != hash_str(str_n(text, n), seed));
            text[i] = 'a';
        }
        if (n > 0)
            ck_assert(hash != hash_str(str_n(text, n - 1), seed));
    }
}
END_TEST

START_TEST(the_hash_is_siphash_1_3)
{
    /* Values of an independent implementation: CPython 3.11 uses SipHash-1-3 for bytes; key 0, 0 is
     * PYTHONHASHSEED=0. */
    const uint64_t zero[2] = {0, 0};
    ck_assert(hash_str(STR("abc"), zero) == UINT64_C(0xc03bc3a0042630f2));
    ck_assert(hash_str(STR("the quick brown fox"), zero) == UINT64_C(0x5a17575ad3449cba));
}
END_TEST

START_TEST(putting_nothing_is_a_mistake)
{
    (void)map_put(&map, STR("a"), NULL);
}
END_TEST

Suite *map_suite(void);
Suite *map_suite(void)
{
    Suite *s = suite_create("map");
    TCase *c = tcase_create("map");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, what_was_put_is_found_and_nothing_else);
    tcase_add_test(c, many_keys_survive_growing);
    tcase_add_test(c, walking_an_empty_map_ends_at_once);
    tcase_add_test(c, the_hash_depends_on_every_byte_and_on_the_key);
    tcase_add_test(c, the_hash_is_siphash_1_3);
    tcase_add_test_raise_signal(c, putting_nothing_is_a_mistake, SIGABRT);
    suite_add_tcase(s, c);
    return s;
}
