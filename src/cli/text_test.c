#include "cli/text.h"

#include "base/clock.h"

#include <check.h>

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, (size_t)16 * 1024 * 1024);
}

static void teardown(void)
{
    arena_fini(&arena);
}

START_TEST(width_counts_columns_not_bytes)
{
    static const struct {
        const char *text;
        size_t width;
    } cases[] = {
        {"", 0},
        {"abc", 3},
        {"caf\xC3\xA9", 4},
        {"cafe\xCC\x81", 4},             /* e and a combining accent */
        {"\xE5\x8C\x97\xE4\xBA\xAC", 4}, /* two Han characters */
        {"\xED\x95\x9C", 2},             /* Hangul */
        {"\xEF\xBC\xA1", 2},             /* fullwidth A */
        {"\xEF\xBD\xB1", 1},             /* halfwidth katakana */
        {"\xF0\x9F\x98\x80", 2},         /* an emoji */
        {"\xE2\x82\xAC", 1},             /* euro sign */
        {"a\xE2\x80\x8D", 1},            /* zero width joiner */
        {"\xD7\xA9\xD7\x81\xD7\x9C", 2}, /* Hebrew with a point */
        {"\xFF\xC3", 2},                 /* no UTF-8: a column a byte */
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(text_width(str_c(cases[i].text)) == cases[i].width, "case %zu: %zu", i,
                      text_width(str_c(cases[i].text)));
}
END_TEST

START_TEST(plain_lets_nothing_through_that_drives_a_terminal)
{
    struct str plain = text_plain(&arena, STR("a\x1B[2Jb\x07\x7F"));
    ck_assert(str_eq(plain, STR("a\xEF\xBF\xBD[2Jb\xEF\xBF\xBD\xEF\xBF\xBD")));
    ck_assert(str_eq(text_plain(&arena, STR("one\ntwo\tthree\r")), STR("one two three ")));
    /* C1: the one-character form of ESC [ */
    ck_assert(str_eq(text_plain(&arena, STR("\xC2\x9B")), STR("\xEF\xBF\xBD")));
    /* right-to-left override: shows a name that is another */
    static const char override[] = {'\xE2', '\x80', '\xAE'};
    static const char isolate[] = {'\xE2', '\x81', '\xA6'};
    ck_assert(str_eq(text_plain(&arena, str_n(override, 3)), STR("\xEF\xBF\xBD")));
    ck_assert(str_eq(text_plain(&arena, str_n(isolate, 3)), STR("\xEF\xBF\xBD")));
    ck_assert(str_eq(text_plain(&arena, STR("\xC3")), STR("\xEF\xBF\xBD")));
    ck_assert(str_eq(text_plain(&arena, STR("caf\xC3\xA9 \xE5\x8C\x97")),
                     STR("caf\xC3\xA9 \xE5\x8C\x97")));
}
END_TEST

/* Any bytes: what comes out is UTF-8 without control characters, and doing it twice changes
 * nothing. */
START_TEST(plain_holds_for_any_bytes)
{
    struct clock_sim sim;
    clock_sim_init(&sim, 0, 42);
    for (int round = 0; round < 2000; round++) {
        char bytes[64];
        size_t n = clock_sim_below(&sim, sizeof bytes + 1);
        clock_chance(&sim.clock, bytes, n);
        struct str plain = text_plain(&arena, str_n(bytes, n));
        ck_assert_msg(str_is_utf8(plain), "seed 42, round %d", round);
        for (size_t i = 0; i < plain.n; i++)
            ck_assert_msg((unsigned char)plain.p[i] >= 0x20 && plain.p[i] != 0x7F,
                          "seed 42, round %d", round);
        ck_assert_msg(str_eq(text_plain(&arena, plain), plain), "seed 42, round %d", round);
        size_t width = 1 + clock_sim_below(&sim, 20);
        ck_assert_msg(text_width(text_cut(&arena, plain, width)) <= width, "seed 42, round %d",
                      round);
        arena_reset(&arena);
    }
}
END_TEST

START_TEST(cut_never_splits_a_character_nor_passes_the_width)
{
    ck_assert(str_eq(text_cut(&arena, STR("Hamburg"), 7), STR("Hamburg")));
    ck_assert(str_eq(text_cut(&arena, STR("Hamburg"), 6), STR("Hambu\xE2\x80\xA6")));
    ck_assert(str_eq(text_cut(&arena, STR("Hamburg"), 1), STR("\xE2\x80\xA6")));
    /* The second Han character would need columns 3 and 4; only 3 columns are there. */
    ck_assert(str_eq(text_cut(&arena, STR("\xE5\x8C\x97\xE4\xBA\xAC"), 3),
                     STR("\xE5\x8C\x97\xE2\x80\xA6")));
    ck_assert(str_eq(text_cut(&arena, STR("\xE5\x8C\x97\xE4\xBA\xAC"), 2), STR("\xE2\x80\xA6")));
}
END_TEST

START_TEST(pad_fills_by_columns)
{
    struct buf b;
    buf_init(&b, &arena, 100);
    text_pad(&b, STR("\xE5\x8C\x97"), 4, false);
    text_pad(&b, STR("12"), 4, true);
    text_pad(&b, STR("longer"), 3, false);
    ck_assert(str_eq(buf_str(&b), STR("\xE5\x8C\x97    12longer")));
}
END_TEST

START_TEST(distance_counts_slips)
{
    static const struct {
        const char *a, *b;
        size_t want;
    } cases[] = {{"", "", 0},           {"party", "party", 0},   {"prty", "party", 1},
                 {"paryt", "party", 1}, {"parties", "party", 3}, {"abc", "", 3},
                 {"ca", "abc", 3}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_uint_eq(text_distance(str_c(cases[i].a), str_c(cases[i].b)), cases[i].want);
        ck_assert_uint_eq(text_distance(str_c(cases[i].b), str_c(cases[i].a)), cases[i].want);
    }
    char longest[TEXT_SUGGEST_MAX + 2];
    memset(longest, 'a', sizeof longest);
    ck_assert_uint_eq(text_distance(str_n(longest, TEXT_SUGGEST_MAX), STR("")), TEXT_SUGGEST_MAX);
    ck_assert_uint_eq(text_distance(str_n(longest, sizeof longest), STR("a")), sizeof longest);
    ck_assert(text_near(STR("prty"), STR("party")) && !text_near(STR("xyz"), STR("party")));
}
END_TEST

Suite *text_suite(void);
Suite *text_suite(void)
{
    Suite *s = suite_create("text");
    TCase *c = tcase_create("text");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, width_counts_columns_not_bytes);
    tcase_add_test(c, plain_lets_nothing_through_that_drives_a_terminal);
    tcase_add_test(c, plain_holds_for_any_bytes);
    tcase_add_test(c, cut_never_splits_a_character_nor_passes_the_width);
    tcase_add_test(c, pad_fills_by_columns);
    tcase_add_test(c, distance_counts_slips);
    suite_add_tcase(s, c);
    return s;
}
