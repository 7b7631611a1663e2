#include "money/decimal.h"

#include "money/ascii.h"

__int128 decimal_power(int exponent)
{
    ASSERT(exponent >= 0 && exponent <= DECIMAL_DIGITS_MAX);
    static const int64_t powers[] = {
        1,
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
        10000000000000000,
        100000000000000000,
        1000000000000000000,
    };
    const int last = (int)COUNT(powers) - 1;
    if (exponent <= last)
        return powers[exponent];
    __int128 power = powers[last];
    for (int i = last; i < exponent; i++)
        power *= 10;
    return power;
}

/* The number of digits from s[at] on. */
static size_t digits_at(struct str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && ascii_digit(s.p[at + n]))
        n++;
    return n;
}

enum rc decimal_parse(struct str text, int scale_max, const char *what, struct decimal *ret,
                      struct err *err)
{
    ASSERT(scale_max >= 0 && scale_max <= DECIMAL_SCALE_MAX);
    struct str shown = ascii_shown(text);
    size_t sign = text.n > 0 && text.p[0] == '-' ? 1 : 0;
    size_t whole = digits_at(text, sign);
    size_t point = sign + whole;
    bool has_point = point < text.n && text.p[point] == '.';
    size_t behind = has_point ? digits_at(text, point + 1) : 0;
    size_t end = has_point ? point + 1 + behind : point;
    if (whole == 0 || end != text.n || (has_point && behind == 0))
        return err_set(err, RC_INVALID, "'%.*s' is not %s: it is written like -12.34 or 5",
                       STRF(shown), what);
    if (whole > 1 && text.p[sign] == '0')
        return err_set(err, RC_INVALID, "'%.*s' is not %s: it begins with a needless 0",
                       STRF(shown), what);
    if (behind > (size_t)scale_max)
        return err_set(err, RC_INVALID, "'%.*s' is not %s: at most %d digits behind the point",
                       STRF(shown), what, scale_max);
    if (whole + behind > DECIMAL_DIGITS_MAX)
        return err_set(err, RC_INVALID, "'%.*s' is not %s: at most %d digits", STRF(shown), what,
                       DECIMAL_DIGITS_MAX);

    __int128 mantissa = 0;
    for (size_t i = sign; i < end; i++)
        if (i != point)
            mantissa = mantissa * 10 + (text.p[i] - '0');
    *ret = (struct decimal){sign ? -mantissa : mantissa, (int)behind};
    return RC_OK;
}

size_t decimal_format(__int128 mantissa, int scale, char text[DECIMAL_TEXT_MAX])
{
    ASSERT(scale >= 0 && scale <= DECIMAL_SCALE_MAX);
    /* The magnitude in unsigned arithmetic: the smallest __int128 has no positive twin. */
    unsigned __int128 rest = (unsigned __int128)mantissa;
    if (mantissa < 0)
        rest = -rest;
    char reversed[DECIMAL_TEXT_MAX];
    size_t n = 0;
    for (int i = 0; rest > 0 || i <= scale; i++) {
        if (i == scale && scale > 0)
            reversed[n++] = '.';
        reversed[n++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    }
    if (mantissa < 0)
        reversed[n++] = '-';
    ASSERT(n < DECIMAL_TEXT_MAX);
    for (size_t i = 0; i < n; i++)
        text[i] = reversed[n - 1 - i];
    text[n] = '\0';
    return n;
}

int decimal_compare(__int128 a, int a_scale, __int128 b, int b_scale)
{
    ASSERT(a_scale >= 0 && a_scale <= DECIMAL_SCALE_MAX);
    ASSERT(b_scale >= 0 && b_scale <= DECIMAL_SCALE_MAX);
    __int128 a_unit = decimal_power(a_scale);
    __int128 b_unit = decimal_power(b_scale);
    /* Whole parts first; division cuts toward zero on both sides alike, so that where they are
     * equal the rests decide, and those are small enough to be brought to one scale. */
    __int128 a_whole = a / a_unit;
    __int128 b_whole = b / b_unit;
    if (a_whole != b_whole)
        return a_whole < b_whole ? -1 : 1;
    __int128 a_rest = (a % a_unit) * b_unit;
    __int128 b_rest = (b % b_unit) * a_unit;
    return (a_rest > b_rest) - (a_rest < b_rest);
}
