#include "krl/number.h"

#include <check.h>
#include <math.h>

enum { MANY = 200000, MEMORY = 1024 * 1024 };

static struct arena arena;
static struct krl_heap heap;

static void up(void)
{
    static const uint64_t seed[2] = {1, 2};
    arena_init(&arena, MEMORY);
    krl_heap_init(&heap, &arena, INT32_MAX, seed);
}

static void down(void)
{
    arena_fini(&arena);
}

static void check_print(double number, const char *want)
{
    char text[KRL_NUMBER_TEXT_MAX];
    size_t n = krl_number_print(number, text);
    ck_assert_msg(str_eq(str_n(text, n), str_c(want)), "want %s, got %.*s", want, (int)n, text);
}

START_TEST(numbers_print_as_javascript_prints_them)
{
    check_print(0, "0");
    check_print(-0.0, "0");
    check_print(100, "100");
    check_print(-1.5, "-1.5");
    check_print(0.1, "0.1");
    check_print(1e21, "1e+21");
    check_print(123456789012345680000.0, "123456789012345680000");
    check_print(1e-6, "0.000001");
    check_print(1.5e-7, "1.5e-7");
    check_print(5e-324, "5e-324");
    check_print(2.2250738585072014e-308, "2.2250738585072014e-308");
    check_print(1.7976931348623157e308, "1.7976931348623157e+308");
    check_print(4.35, "4.35");
    check_print(0.3, "0.3");
    check_print(0.1 + 0.2, "0.30000000000000004");
    check_print(9007199254740992.0 * 2, "18014398509481984");
    check_print(NAN, "NaN");
    check_print(-INFINITY, "-Infinity");
}
END_TEST

START_TEST(every_number_reads_back_as_itself)
{
    uint64_t state = 88172645463325252U;
    for (int i = 0; i < MANY; i++) {
        double number = 0;
        char text[KRL_NUMBER_TEXT_MAX];
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        memcpy(&number, &state, sizeof number);
        if (!isfinite(number))
            continue;
        size_t n = krl_number_print(number, text);
        double again = krl_number_parse(str_n(text, n));
        ck_assert_msg(again == number, "%.17g was printed as %.*s", number, (int)n, text);
    }
}
END_TEST

/* The digits of a text without sign, point, exponent and zeroes at the ends. */
static size_t digits_of(const char *text, size_t n, char digits[64])
{
    size_t count = 0;
    for (size_t i = 0; i < n && text[i] != 'e'; i++)
        if (text[i] >= '0' && text[i] <= '9' && (count > 0 || text[i] != '0'))
            digits[count++] = text[i];
    while (count > 1 && digits[count - 1] == '0')
        count--;
    return count;
}

/* No shorter text reads back, and none of the same length is nearer. */
static bool is_shortest(double number)
{
    char text[KRL_NUMBER_TEXT_MAX];
    char digits[64];
    char wanted[64];
    char other[64];
    size_t printed = krl_number_print(number, text);
    size_t n = digits_of(text, printed, digits);
    if (krl_number_parse(str_n(text, printed)) != number)
        return false;
    (void)snprintf(other, sizeof other, "%.*e", (int)n - 1, number);
    if (digits_of(other, strlen(other), wanted) != n || memcmp(digits, wanted, n) != 0)
        return false;
    if (n == 1)
        return true;
    (void)snprintf(other, sizeof other, "%.*e", (int)n - 2, number);
    return strtod(other, NULL) != number;
}

START_TEST(numbers_of_every_day_print_the_shortest_text)
{
    uint64_t state = 20261126;
    for (int i = 0; i < MANY; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        double part = (double)(state >> 40) / 100;
        double ratio = (double)(state >> 34) / (double)(state % 9973 + 1);
        double near_two = ldexp(1 + (double)(state % 3) * 0x1p-52, (int)(state % 60) - 12);
        double small = (double)(state >> 11) * 0x1p-66;
        double all[] = {part, ratio, near_two, near_two * (1 - 0x1p-53), small};
        for (size_t k = 0; k < COUNT(all); k++)
            if (all[k] > 0 && !is_shortest(all[k]))
                ck_abort_msg("%.17g is printed otherwise", all[k]);
    }
}
END_TEST

static double read(const char *text)
{
    return krl_number_read(krl_text(&heap, str_c(text)));
}

START_TEST(texts_are_numbers_where_javascript_says_so)
{
    ck_assert(read("") == 0);
    ck_assert(read(" \n12\t") == 12);
    ck_assert(read("\xC2\xA0"
                   "7") == 7);
    ck_assert(read("0x1F") == 31);
    ck_assert(read("0b11") == 3);
    ck_assert(read("0O17") == 15);
    ck_assert(read("1e3") == 1000);
    ck_assert(read("-.5") == -0.5);
    ck_assert(read("5.") == 5);
    ck_assert(isinf(read("Infinity")));
    ck_assert(isinf(read("1e999")));
    static const char *const no_numbers[] = {"x",   "1x",  "1,000", "- 5",   "0x",   "0xg",
                                             "0b2", ".",   "1e",    "e1",    "++1",  "--1",
                                             "1 2", "inf", "nan",   "0x1p3", "-0x1", "1_0"};
    for (size_t i = 0; i < COUNT(no_numbers); i++)
        ck_assert_msg(isnan(read(no_numbers[i])), "'%s' is no number", no_numbers[i]);
}
END_TEST

START_TEST(bits_are_those_of_int32)
{
    ck_assert_int_eq(krl_number_int32(4294967296.0 + 5), 5);
    ck_assert_int_eq(krl_number_int32(2147483648.0), INT32_MIN);
    ck_assert_int_eq(krl_number_int32(-1.9), -1);
    ck_assert_int_eq(krl_number_int32(NAN), 0);
    ck_assert_int_eq(krl_number_int32(INFINITY), 0);
    ck_assert_int_eq(krl_number_int32(1e300), 0);
}
END_TEST

Suite *number_suite(void);
Suite *number_suite(void)
{
    Suite *s = suite_create("number");
    TCase *t = tcase_create("numbers");
    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, numbers_print_as_javascript_prints_them);
    tcase_add_test(t, every_number_reads_back_as_itself);
    tcase_add_test(t, numbers_of_every_day_print_the_shortest_text);
    tcase_add_test(t, texts_are_numbers_where_javascript_says_so);
    tcase_add_test(t, bits_are_those_of_int32);
    suite_add_tcase(s, t);
    return s;
}
