#include "base/buf.h"
#include "krl/regex_code.h"

#include <check.h>

enum { MEMORY = 64 * 1024 * 1024, STEPS = 1000 * 1000 * 1000, ROUNDS = 4000, UNITS = 200 };

static const uint64_t seed[2] = {1, 2};
static struct arena arena;
static struct krl_heap heap;

static void setup(void)
{
    arena_init(&arena, MEMORY);
    krl_heap_init(&heap, &arena, STEPS, seed);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static const struct krl_regex *compile(const char *pattern, const char *flags)
{
    const struct krl_regex *re =
        krl_regex(&heap, krl_text(&heap, str_c(pattern)), krl_text(&heap, str_c(flags)));
    ck_assert_msg(re != NULL, "%s", pattern);
    return re;
}

START_TEST(what_can_give_nothing_back_is_straight)
{
    static const char *const straight[] = {
        "\\s*,\\s*",
        "([a-z]+)@([a-z.]+)",
        "^\\d{4}-\\d{2}-\\d{2}$",
        "needles?$",
        "[0-9]+",
        "(\\w+)=(\\w+)",
        "'([^']*)'",
        "a*b*c*",
        "",
        "x{2,3}y",
        "(?:a+)(b?)(c+)$",
        "a.{3}b",
        ".*$",
    };
    static const char *const others[] = {
        "a+a",   "a|b", "(a+)+", "\\w+\\d", "a*?b",   "\\w+\\b",    "(a)\\1",  ".*b",
        "a?b*a", "a*^", "(?=a)", "(?<=a)b", "a*[^b]", "\\s+[^a-z]", "x{2,3}x",
    };
    for (size_t i = 0; i < COUNT(straight); i++)
        ck_assert_msg(compile(straight[i], "")->straight, "%s", straight[i]);
    for (size_t i = 0; i < COUNT(others); i++)
        ck_assert_msg(!compile(others[i], "")->straight, "%s", others[i]);
}
END_TEST

static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static const char *pick(uint32_t *state, const char *const *from, size_t n)
{
    return from[next(state) % n];
}

/* Pieces one behind the other, most of them loops over one unit. */
static struct str make_pattern(uint32_t *state)
{
    static const char *const units[] = {"a", "b", "[ab]", "[^a]", ".", "\\d", "[a-c1]", "K", "-"};
    static const char *const counts[] = {"", "", "*", "+", "?", "{2}", "{1,3}", "{2,}"};
    struct buf b;
    buf_init(&b, &arena, 1000);
    if (next(state) % 8 == 0)
        buf_add_char(&b, '^');
    for (size_t n = 1 + next(state) % 4; n > 0; n--) {
        bool group = next(state) % 3 == 0;
        buf_add(&b, group ? STR("(") : STR(""));
        buf_add(&b, str_c(pick(state, units, COUNT(units))));
        buf_add(&b, str_c(pick(state, counts, COUNT(counts))));
        buf_add(&b, group ? STR(")") : STR(""));
    }
    if (next(state) % 6 == 0)
        buf_add_char(&b, '$');
    return buf_str(&b);
}

static const struct krl_text *make_text(uint32_t *state)
{
    static const char *const some[] = {"a", "b", "c", "1", "-", "k", "A", "\n", "aa", "ab1"};
    struct buf b;
    buf_init(&b, &arena, 4000);
    bool wide = next(state) % 4 == 0;
    for (size_t n = next(state) % UNITS; n > 0; n--)
        buf_add(&b, wide && next(state) % 8 == 0 ? STR("\xE2\x84\xAA") /* the Kelvin sign */
                    : next(state) % 3 == 0       ? STR(".")
                                                 : str_c(pick(state, some, COUNT(some))));
    return krl_text(&heap, buf_str(&b));
}

/* The same from everywhere, going back or not, with what is known of the front or not, and with
 * what was seen of the text before. */
START_TEST(straight_matches_are_those_of_going_back)
{
    uint32_t state = 20261127;
    int straight = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct str pattern = make_pattern(&state);
        const struct krl_regex *re =
            compile(arena_cstr(&arena, pattern), next(&state) % 3 == 0 ? "i" : "");
        struct krl_regex back = *re;
        back.straight = false;
        back.first = (struct krl_regex_first){.units_n = 0};
        straight += re->straight;
        const struct krl_text *t = make_text(&state);
        struct krl_search search;
        krl_search_init(&search, &heap, re, t);
        for (size_t from = 0; from <= t->n; from += 1 + next(&state) % 20) {
            struct krl_match a = {{0}};
            struct krl_match b = {{0}};
            bool found = krl_search_next(&search, from, &a);
            ck_assert_msg(found == krl_regex_match(&heap, &back, t, from, &b), "%.*s in %.*s",
                          STRF(pattern), STRF(krl_text_utf8(&heap, t, true)));
            for (size_t i = 0; found && i < 2U * re->groups; i++)
                ck_assert_msg(a.at[i] == b.at[i], "%.*s in %.*s: %d, not %d", STRF(pattern),
                              STRF(krl_text_utf8(&heap, t, true)), a.at[i], b.at[i]);
        }
        ck_assert(!krl_failing(&heap));
        arena_reset(&arena);
        krl_heap_init(&heap, &arena, STEPS, seed);
    }
    ck_assert_int_gt(straight, ROUNDS / 4);
    ck_assert_int_lt(straight, ROUNDS);
}
END_TEST

/* Otherwise each of many letters would be where another search for the sign begins. */
START_TEST(an_endless_loop_that_ends_in_vain_is_passed_over_once)
{
    enum { LETTERS = 100 * 1000 };
    char *letters = arena_bytes(&arena, LETTERS);
    memset(letters, 'a', LETTERS);
    struct krl_match match;
    const struct krl_text *t = krl_text(&heap, str_n(letters, LETTERS));
    int64_t before = heap.steps;
    ck_assert(!krl_regex_match(&heap, compile("([a-z]+)@([a-z]+)", ""), t, 0, &match));
    ck_assert(!krl_failing(&heap));
    ck_assert_int_lt(before - heap.steps, LETTERS);
}
END_TEST

Suite *regex_suite(void);
Suite *regex_suite(void)
{
    Suite *s = suite_create("regex");
    TCase *c = tcase_create("regex");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, what_can_give_nothing_back_is_straight);
    tcase_add_test(c, straight_matches_are_those_of_going_back);
    tcase_add_test(c, an_endless_loop_that_ends_in_vain_is_passed_over_once);
    suite_add_tcase(s, c);
    return s;
}
