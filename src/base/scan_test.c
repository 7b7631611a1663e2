#include "base/scan.h"

#include <check.h>

enum { BYTES = 400, ROUNDS = 20000 };

/* A sequence that is the same each time (xorshift). */
static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Mostly one letter, so that what is looked for comes late or never. */
static void fill(char *p, size_t n, uint32_t *state)
{
    static const char some[] = "abAB z\x7F\xE1\xFF";
    for (size_t i = 0; i < n; i++)
        p[i] = next(state) % 16 == 0 ? some[next(state) % (sizeof some - 1)] : '.';
}

static struct scan_set set_of(const char *members)
{
    struct scan_set s = {0};
    for (const char *p = members; *p != '\0'; p++)
        scan_add(&s, (unsigned char)*p);
    return s;
}

static bool is_one_of(const char *members, char c)
{
    return c != '\0' && strchr(members, c) != NULL;
}

START_TEST(a_set_has_what_was_added_and_nothing_else)
{
    struct scan_set s = {0};
    for (unsigned c = 0; c < 256; c++)
        ck_assert(!scan_has(&s, (char)c));
    for (unsigned c = 0; c < 128; c += 3)
        scan_add(&s, c);
    for (unsigned c = 0; c < 256; c++)
        ck_assert_int_eq(scan_has(&s, (char)c), c < 128 && c % 3 == 0);
}
END_TEST

/* Against looking at each byte, from everywhere; the bytes are a piece of their own, so that a
 * sanitizer sees who reads beside it. */
START_TEST(what_is_found_is_the_first)
{
    static const char *const sets[] = {"a", "ab", "AB z", "\x7F", ".", "zA"};
    uint32_t state = 20261127;
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = next(&state) % BYTES;
        size_t apart = next(&state) % 40;
        const char *one = sets[next(&state) % COUNT(sets)];
        const char *other = sets[next(&state) % COUNT(sets)];
        struct scan_set a = set_of(one);
        struct scan_set b = set_of(other);
        char *p = malloc(n + apart + (n + apart == 0));
        ck_assert_ptr_nonnull(p);
        fill(p, n + apart, &state);
        size_t in = 0;
        size_t out = 0;
        size_t in_both = 0;
        size_t both = 0;
        while (in < n && !is_one_of(one, p[in]))
            in++;
        while (out < n && is_one_of(one, p[out]))
            out++;
        while (in_both < n && !(is_one_of(one, p[in_both]) && is_one_of(other, p[in_both + apart])))
            in_both++;
        while (both < n && !(p[both] == one[0] && p[both + apart] == other[0]))
            both++;
        for (size_t i = 0; i + SCAN_BITS <= n; i += SCAN_BITS) {
            uint64_t bits = scan_bits(&a, p + i);
            for (size_t k = 0; k < SCAN_BITS; k++)
                ck_assert_int_eq(bits >> k & 1, is_one_of(one, p[i + k]));
        }
        ck_assert_uint_eq(scan_in(&a, p, n), in);
        ck_assert_uint_eq(scan_out(&a, p, n), out);
        ck_assert_uint_eq(scan_in_both(&a, &b, p, n, apart), in_both);
        ck_assert_uint_eq(scan_both(one[0], other[0], p, n, apart), both);
        free(p);
    }
}
END_TEST

Suite *scan_suite(void);

Suite *scan_suite(void)
{
    Suite *s = suite_create("scan");
    TCase *t = tcase_create("scan");
    tcase_add_test(t, a_set_has_what_was_added_and_nothing_else);
    tcase_add_test(t, what_is_found_is_the_first);
    suite_add_tcase(s, t);
    return s;
}
