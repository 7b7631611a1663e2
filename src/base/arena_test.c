#include "base/arena.h"

#include <check.h>
#include <signal.h>

enum { KIB = 1024 };

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, (size_t)64 * KIB);
}

static void teardown(void)
{
    arena_fini(&arena);
}

START_TEST(memory_is_zeroed_and_aligned_and_apart)
{
    ck_assert_ptr_nonnull(arena_alloc(&arena, 0));
    char *before = NULL;
    for (size_t size = 1; size < 200; size++) {
        (void)arena_bytes(&arena, 1); /* leaves the next byte unaligned */
        char *p = arena_alloc(&arena, size);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            ck_assert_int_eq(p[i], 0);
        memset(p, 0x5A, size);
        ck_assert(before == NULL || p != before);
        before = p;
    }
}
END_TEST

START_TEST(reused_memory_is_zeroed_too)
{
    memset(arena_alloc(&arena, 4000), 0x5A, 4000);
    arena_reset(&arena);
    const char *p = arena_alloc(&arena, 4000);
    for (size_t i = 0; i < 4000; i++)
        ck_assert_int_eq(p[i], 0);
}
END_TEST

START_TEST(room_is_what_can_still_be_allocated)
{
    /* Fill the arena with steps of every kind: what room promises must never stop the process. */
    for (size_t step = 1; step < 3000; step = step * 2 + 1) {
        arena_reset(&arena);
        size_t total = 0;
        while (arena_room(&arena) >= step) {
            (void)arena_alloc(&arena, step);
            total += max_size(step, 16); /* alignment */
        }
        (void)arena_alloc(&arena, arena_room(&arena));
        ck_assert_uint_le(arena.used_bytes, arena.limit_bytes);
        ck_assert_uint_gt(total, (size_t)16 * KIB);
    }
}
END_TEST

START_TEST(a_block_that_is_begun_counts_as_room)
{
    (void)arena_alloc(&arena, 1);
    struct arena full;
    arena_init(&full, (size_t)8 * KIB);
    (void)arena_alloc(&full, 1); /* takes the whole limit from the system */
    ck_assert_uint_gt(arena_room(&full), (size_t)7 * KIB);
    arena_fini(&full);
}
END_TEST

START_TEST(reset_gives_back_all_but_one_small_block)
{
    for (int i = 0; i < 40; i++)
        (void)arena_alloc(&arena, KIB);
    ck_assert_uint_gt(arena.used_bytes, (size_t)40 * KIB);
    arena_reset(&arena);
    ck_assert_uint_le(arena.used_bytes, (size_t)32 * KIB);
    size_t kept = arena.used_bytes;
    for (size_t i = 0; i < kept / KIB / 2; i++)
        (void)arena_alloc(&arena, KIB);
    ck_assert_uint_eq(arena.used_bytes, kept); /* the next one like it takes nothing */
    for (int round = 0; round < 1000; round++) {
        (void)arena_alloc(&arena, (size_t)40 * KIB);
        arena_reset(&arena);
    }
}
END_TEST

START_TEST(what_is_kept_serves_the_next_unit_zeroed_and_no_more_than_asked_for)
{
    enum { MIB = 1024 * 1024, PIECE = 100 * 1000, PIECES = 200, KEPT_MIB = 8 };
    struct arena a;
    arena_init(&a, (size_t)64 * MIB);
    arena_keep(&a, (size_t)KEPT_MIB * MIB);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < PIECES; i++) { /* 20 MB: more than is kept */
            char *p = arena_alloc(&a, PIECE);
            for (size_t k = 0; k < PIECE; k += PIECE - 1)
                ck_assert_int_eq(p[k], 0);
            memset(p, 'x', PIECE);
        }
        arena_reset(&a);
        ck_assert_uint_le(a.used_bytes, PIECE + 64); /* one block, made for one and a fence */
        ck_assert_ptr_nonnull(a.spare);
    }
    arena_fini(&a);
    ck_assert_ptr_null(a.spare);
}
END_TEST

START_TEST(a_lent_block_serves_one_arena_after_the_other_zeroed_and_stays_its_owners)
{
    enum { SIZE = 40 * KIB, PIECE = 1000 };
    struct arena_block *b = arena_block_new(SIZE);
    const char *first = NULL;
    for (int round = 0; round < 3; round++) {
        struct arena a;
        arena_init(&a, (size_t)2 * SIZE);
        arena_lend(&a, b);
        ck_assert_uint_eq(a.used_bytes, SIZE);
        for (size_t i = 0; i < SIZE / PIECE + 10; i++) { /* more than fits */
            char *p = arena_alloc(&a, PIECE);
            if (i == 0)
                first = first == NULL ? p : first;
            ck_assert(i > 0 || p == first);
            for (size_t k = 0; k < PIECE; k++)
                ck_assert_int_eq(p[k], 0);
            memset(p, 'x', PIECE);
        }
        if (round == 1)
            arena_reset(&a);
        ck_assert_uint_le(a.used_bytes, (size_t)2 * SIZE);
        arena_fini(&a);
    }
    arena_block_free(b);
    arena_block_free(NULL);
}
END_TEST

START_TEST(a_zeroed_or_ended_arena_can_be_ended_again)
{
    struct arena zeroed = {0};
    arena_fini(&zeroed);
    arena_reset(&arena);
    arena_fini(&arena);
    arena_fini(&arena);
    (void)arena_alloc(&arena, 1); /* and used again */
}
END_TEST

START_TEST(texts_are_copied_with_a_nul_behind)
{
    char text[] = "abc";
    struct str copy = arena_str(&arena, str_c(text));
    text[0] = 'x';
    ck_assert(str_eq(copy, STR("abc")) && copy.p[3] == '\0');
    ck_assert_uint_eq(arena_str(&arena, (struct str){NULL, 0}).n, 0);
    ck_assert_str_eq(arena_cstr(&arena, STR("abc")), "abc");
    struct str made = arena_fmt(&arena, "%d %s", 5, "x");
    ck_assert(str_eq(made, STR("5 x")) && made.p[made.n] == '\0');
    made = arena_fmt(&arena, "%2000d", 5); /* longer than what is tried first */
    ck_assert_uint_eq(made.n, 2000);
    ck_assert_int_eq(made.p[1999], '5');
}
END_TEST

START_TEST(going_past_the_limit_is_a_mistake)
{
    for (int i = 0; i < 100; i++)
        (void)arena_alloc(&arena, KIB);
}
END_TEST

START_TEST(one_allocation_past_the_limit_is_a_mistake)
{
    (void)arena_alloc(&arena, SIZE_MAX);
}
END_TEST

START_TEST(a_product_that_overflows_is_a_mistake)
{
    (void)arena_alloc_n(&arena, SIZE_MAX / 2, 4);
}
END_TEST

START_TEST(a_nul_inside_a_c_string_is_a_mistake)
{
    (void)arena_cstr(&arena, STR("a\0b"));
}
END_TEST

START_TEST(an_arena_without_a_limit_is_a_mistake)
{
    arena_init(&arena, 0);
}
END_TEST

Suite *arena_suite(void);
Suite *arena_suite(void)
{
    Suite *s = suite_create("arena");
    TCase *c = tcase_create("arena");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, memory_is_zeroed_and_aligned_and_apart);
    tcase_add_test(c, reused_memory_is_zeroed_too);
    tcase_add_test(c, room_is_what_can_still_be_allocated);
    tcase_add_test(c, a_block_that_is_begun_counts_as_room);
    tcase_add_test(c, reset_gives_back_all_but_one_small_block);
    tcase_add_test(c, what_is_kept_serves_the_next_unit_zeroed_and_no_more_than_asked_for);
    tcase_add_test(c, a_lent_block_serves_one_arena_after_the_other_zeroed_and_stays_its_owners);
    tcase_add_test(c, a_zeroed_or_ended_arena_can_be_ended_again);
    tcase_add_test(c, texts_are_copied_with_a_nul_behind);
    tcase_add_test_raise_signal(c, going_past_the_limit_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, one_allocation_past_the_limit_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, a_product_that_overflows_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, a_nul_inside_a_c_string_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, an_arena_without_a_limit_is_a_mistake, SIGABRT);
    suite_add_tcase(s, c);
    return s;
}
