#include "krl/number.h"

#include <float.h>
#include <math.h>

enum {
    DIGITS_MAX = 17,      /* enough for every double */
    DIGITS_SAFE = 15,     /* DBL_DIG: so many always come back from text */
    NUMERAL_MAX = 4096,   /* bytes of a number in text; longer ones are no numbers */
    EXPONENT_LAYOUT = 21, /* from 1e21 JavaScript writes an exponent */
    FRACTION_LAYOUT = -6, /* below 1e-6, too */
    WHOLE_SCALE_MAX = 21, /* 10 to it, times 2 to the 55, fits 128 bits */
};

#define WHOLE_LEAST 1e-4
#define WHOLE_FIRST 10000000000000000ULL /* the least of 17 digits */

/* The digits of the shortest text "d.ddde+xx" that reads back; returns how many, *ret_exponent is
 * that of the first. */
static size_t shortest(double number, char digits[DIGITS_MAX], int *ret_exponent)
{
    char text[40];
    /* Below the normal range there are fewer digits than DBL_DIG promises. */
    int precision = number < DBL_MIN ? 1 : DIGITS_SAFE;
    for (; precision < DIGITS_MAX; precision++) {
        (void)snprintf(text, sizeof text, "%.*e", precision - 1, number);
        if (strtod(text, NULL) == number)
            break;
    }
    if (precision == DIGITS_MAX)
        (void)snprintf(text, sizeof text, "%.*e", DIGITS_MAX - 1, number);
    size_t n = 0;
    const char *p = text;
    for (; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    *ret_exponent = (int)strtol(p + 1, NULL, 10);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return n;
}

/* The digits of near times unit, a power of ten; their number is added to *exponent. */
static size_t take_digits(uint64_t near, uint64_t unit, char digits[DIGITS_MAX], int *exponent)
{
    char text[24];
    size_t n = 0;
    for (; near > 0; near /= 10)
        text[n++] = (char)('0' + near % 10);
    *exponent += (int)n - 1;
    for (; unit > 1; unit /= 10)
        (*exponent)++;
    size_t kept = 0;
    for (size_t i = n; i > 0; i--)
        digits[kept++] = text[i - 1];
    while (kept > 1 && digits[kept - 1] == '0')
        kept--;
    return kept;
}

/* The same for numbers of ordinary size, in whole numbers of 128 bits. The number is m 2^e; scaled
 * by 10^k so that 17 digits stand before the point, and by 4 so that half the way to its neighbours
 * is whole too, all texts that read back as it are a range of whole numbers. Of those that end with
 * the most zeroes the nearest is the one, and the even one of two (ECMAScript 6.1.6.1.20).
 * 0: not of that size. */
static size_t shortest_whole(double number, char digits[DIGITS_MAX], int *ret_exponent)
{
    int e = 0;
    uint64_t m = (uint64_t)ldexp(frexp(number, &e), DBL_MANT_DIG);
    e -= DBL_MANT_DIG;
    if (number < WHOLE_LEAST || e >= 0)
        return 0;
    unsigned __int128 scale = 1; /* 10^k */
    int k = 0;
    while (k < WHOLE_SCALE_MAX && (unsigned __int128)m * scale >> -e < WHOLE_FIRST) {
        scale *= 10;
        k++;
    }
    int shift = 2 - e;
    unsigned __int128 value = 4 * (unsigned __int128)m * scale;
    bool smaller = m == 1ULL << (DBL_MANT_DIG - 1); /* the neighbour below is nearer */
    unsigned __int128 low = value - (smaller ? scale : 2 * scale);
    unsigned __int128 high = value + 2 * scale;
    unsigned __int128 one = (unsigned __int128)1 << shift;
    if (value >> shift < WHOLE_FIRST)
        return 0;
    bool ends = m % 2 == 0; /* those halfway are read as the even one */
    uint64_t first = (uint64_t)((low + (ends ? one - 1 : one)) >> shift);
    uint64_t last = (uint64_t)((high - (ends ? 0 : 1)) >> shift);
    uint64_t unit = 1;
    while (last / (unit * 10) * (unit * 10) >= first && last / (unit * 10) > 0)
        unit *= 10;
    uint64_t below = (uint64_t)(value >> shift) / unit;
    unsigned __int128 from = value - (unsigned __int128)below * unit * one;
    unsigned __int128 to = (unsigned __int128)unit * one - from;
    uint64_t near = from < to || (from == to && below % 2 == 0) ? below : below + 1;
    near = near * unit < first ? near + 1 : near * unit > last ? near - 1 : near;
    *ret_exponent = -k;
    return take_digits(near, unit, digits, ret_exponent);
}

static size_t put_integer(int64_t value, char *text)
{
    static const char pairs[] =
        "0001020304050607080910111213141516171819202122232425262728293031323334"
        "3536373839404142434445464748495051525354555657585960616263646566676869"
        "707172737475767778798081828384858687888990919293949596979899";
    static const uint64_t least[] = {0, /* numbers of so many digits and one more */
                                     10,
                                     100,
                                     1000,
                                     10000,
                                     100000,
                                     1000000,
                                     10000000,
                                     100000000,
                                     1000000000,
                                     10000000000,
                                     100000000000,
                                     1000000000000,
                                     10000000000000,
                                     100000000000000,
                                     1000000000000000,
                                     10000000000000000};
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    unsigned bits = 64 - (unsigned)__builtin_clzll(left | 1);
    unsigned digits = bits * 1233 >> 12; /* of 2 to the bits, less one: log10(2) is 0.30103 */
    size_t n = digits + (left >= least[digits]) + (value < 0);
    size_t at = n; /* filled from its end */
    for (; left >= 100; left /= 100) {
        at -= 2;
        memcpy(text + at, pairs + left % 100 * 2, 2);
    }
    if (left >= 10)
        text[--at] = pairs[left * 2 + 1];
    text[--at] = left >= 10 ? pairs[left * 2] : (char)('0' + left);
    if (value < 0)
        text[0] = '-';
    return n;
}

static size_t lay_out(const char *digits, size_t n, int exponent, char *text)
{
    char *p = text;
    if (exponent >= EXPONENT_LAYOUT || exponent < FRACTION_LAYOUT) {
        *p++ = digits[0];
        if (n > 1) {
            *p++ = '.';
            memcpy(p, digits + 1, n - 1);
            p += n - 1;
        }
        *p++ = 'e';
        *p++ = exponent < 0 ? '-' : '+';
        p += put_integer(exponent < 0 ? -exponent : exponent, p);
        return (size_t)(p - text);
    }
    if (exponent < 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = -1; i > exponent; i--)
            *p++ = '0';
        memcpy(p, digits, n);
        return (size_t)(p + n - text);
    }
    for (size_t i = 0; i < n || i <= (size_t)exponent; i++) {
        if (i == (size_t)exponent + 1)
            *p++ = '.';
        *p++ = i < n ? digits[i] : '0';
    }
    return (size_t)(p - text);
}

static size_t put_word(char *text, struct str word)
{
    memcpy(text, word.p, word.n);
    return word.n;
}

/* A number of so few digits behind the point, and 15 in all, that no other text so short reads back
 * as it. 0: it has more. */
static size_t print_short(double number, char *text)
{
    enum { PLACES = 4, UNIT = 10000 };
    double scaled = fabs(number) * UNIT;
    if (!(scaled >= 1 && scaled < 1e15) || scaled != (double)(int64_t)scaled ||
        scaled / UNIT != fabs(number))
        return 0;
    int64_t whole = (int64_t)scaled;
    size_t n = 0;
    if (number < 0)
        text[n++] = '-';
    n += put_integer(whole / UNIT, text + n);
    text[n++] = '.';
    for (int64_t unit = UNIT / 10, rest = whole % UNIT; rest > 0; rest %= unit, unit /= 10)
        text[n++] = (char)('0' + rest / unit);
    return n;
}

static size_t print_other(double number, char *text)
{
    if (isnan(number))
        return put_word(text, STR("NaN"));
    size_t short_n = print_short(number, text);
    if (short_n > 0)
        return short_n;
    char *p = text;
    if (number < 0)
        *p++ = '-';
    if (isinf(number))
        return (size_t)(p - text) + put_word(p, STR("Infinity"));
    char digits[DIGITS_MAX + 1] = {0};
    int exponent = 0;
    size_t n = shortest_whole(fabs(number), digits, &exponent);
    if (n == 0)
        n = shortest(fabs(number), digits, &exponent);
    return (size_t)(p - text) + lay_out(digits, n, exponent, p);
}

/* Most numbers are whole: nothing else is done for these. */
size_t krl_number_print(double number, char text[KRL_NUMBER_TEXT_MAX])
{
    if (fabs(number) <= 9007199254740992.0 && number == (double)(int64_t)number)
        return put_integer((int64_t)number, text); /* -0 is "0" */
    return print_other(number, text);
}

/* Digits, with a point or not, so few that they and the power of ten below them are whole numbers
 * of a double: one division of two exact numbers rounds as it has to (W. D. Clinger, 1990). */
static bool parse_short(struct str s, double *ret)
{
    static const double powers[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool minus = s.n > 0 && s.p[0] == '-';
    uint64_t digits = 0;
    size_t n = 0;
    size_t point = SIZE_MAX;
    if (s.n > DIGITS_SAFE + 2)
        return false;
    for (size_t i = minus; i < s.n; i++) {
        if (s.p[i] == '.' && point == SIZE_MAX) {
            point = n;
            continue;
        }
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        digits = digits * 10 + (uint64_t)(s.p[i] - '0');
        n++;
    }
    if (n == 0 || n > DIGITS_SAFE)
        return false;
    double value = (double)digits;
    if (point != SIZE_MAX)
        value /= powers[n - point];
    *ret = minus ? -value : value;
    return true;
}

double krl_number_parse(struct str s)
{
    char text[64];
    double value = 0;
    if (parse_short(s, &value))
        return value;
    if (s.n < sizeof text) {
        memcpy(text, s.p, s.n);
        text[s.n] = '\0';
        return strtod(text, NULL);
    }
    /* Rare: a long numeral, copied whole, as every digit may decide the rounding. */
    char big[NUMERAL_MAX + 1];
    size_t n = min_size(s.n, NUMERAL_MAX);
    memcpy(big, s.p, n);
    big[n] = '\0';
    return strtod(big, NULL);
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

/* 0x, 0b, 0o; NAN where a digit does not fit. */
static double read_radix(struct str digits, int radix)
{
    double value = 0;
    for (size_t i = 0; i < digits.n; i++) {
        int d = digit_value(digits.p[i]);
        if (d >= radix)
            return NAN;
        value = value * radix + d;
    }
    return digits.n > 0 ? value : NAN;
}

static size_t skip_digits(struct str s, size_t at)
{
    while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9')
        at++;
    return at;
}

/* Whether s is a decimal literal with optional sign, as StrDecimalLiteral of ECMAScript. */
static bool is_decimal(struct str s)
{
    size_t at = s.n > 0 && (s.p[0] == '+' || s.p[0] == '-');
    size_t whole = skip_digits(s, at);
    size_t digits = whole - at;
    if (whole < s.n && s.p[whole] == '.') {
        size_t end = skip_digits(s, whole + 1);
        digits += end - whole - 1;
        whole = end;
    }
    if (digits == 0)
        return false;
    if (whole < s.n && (s.p[whole] | 0x20) == 'e') {
        at = whole + 1;
        at += at < s.n && (s.p[at] == '+' || s.p[at] == '-');
        whole = skip_digits(s, at);
        if (whole == at)
            return false;
    }
    return whole == s.n;
}

double krl_number_read(const struct krl_text *text)
{
    size_t from = 0;
    size_t to = text->n;
    if (text->n > 2 * NUMERAL_MAX)
        return NAN; /* so that an operator costs no more */
    while (from < to && krl_is_space(krl_unit(text, from)))
        from++;
    while (to > from && krl_is_space(krl_unit(text, to - 1)))
        to--;
    if (to - from > NUMERAL_MAX)
        return NAN;
    char bytes[NUMERAL_MAX];
    for (size_t i = from; i < to; i++) {
        if (krl_unit(text, i) >= 0x80)
            return NAN;
        bytes[i - from] = (char)krl_unit(text, i);
    }
    struct str s = str_n(bytes, to - from);
    if (s.n == 0)
        return 0;
    if (s.n > 2 && s.p[0] == '0' && (s.p[1] | 0x20) > '9') {
        char kind = (char)(s.p[1] | 0x20);
        int radix = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 0;
        if (radix != 0)
            return read_radix(str_sub(s, 2, s.n), radix);
    }
    size_t sign = s.p[0] == '+' || s.p[0] == '-';
    if (str_eq(str_sub(s, sign, s.n), STR("Infinity")))
        return s.p[0] == '-' ? -INFINITY : INFINITY;
    return is_decimal(s) ? krl_number_parse(s) : NAN;
}

int32_t krl_number_int32(double number)
{
    if (!isfinite(number))
        return 0;
    double wrapped = fmod(trunc(number), 4294967296.0);
    if (wrapped < 0)
        wrapped += 4294967296.0;
    return (int32_t)(uint32_t)wrapped;
}
