/*
 * exchange.h - one currency into another, at a rate that is exact, dated and has a source.
 *
 * A rate is a fraction of two integers, so that "250 CNY are 35 EUR" is kept as it was agreed and
 * turning it round loses nothing; a published rate such as 1.0837 is 10837/10000. Convert once, a
 * document total or a settlement line, never its parts: each conversion rounds once, and both legs
 * are posted through FX accounts. The liquidity account is the house's side of the exchange: the
 * rounding is in its favour. specs/billing.md 3.9 (8).
 */
#ifndef MONEY_EXCHANGE_H
#define MONEY_EXCHANGE_H

#include "base/arena.h"
#include "money/currency.h"

enum { EXCHANGE_DIGITS_MAX = 10, EXCHANGE_RATE_TEXT_MAX = 48 };

/* denominator major units of `from` are numerator major units of `to`. In lowest terms. */
struct exchange {
    const struct currency *from;
    const struct currency *to;
    int64_t numerator;   /* > 0 */
    int64_t denominator; /* > 0 */
    int64_t day;         /* days since 1970-01-01 (days_from_civil): the date of the rate */
    struct str source;   /* "ECB", "agreement agr_...": borrowed */
};

/* Which side of the exchange the converted amount is on. */
enum exchange_side {
    EXCHANGE_PAYS,    /* the liquidity account pays it out: rounded toward zero */
    EXCHANGE_TAKES,   /* the liquidity account takes it in: rounded away from zero */
    EXCHANGE_NEUTRAL, /* nothing moves, as in BT-111 or a report: half away from zero */
};

/* from_major of `from` are to_major of `to`: exchange_make(CNY, EUR, 250, 35, ...). Both > 0, else
 * RC_INVALID. */
MUST_CHECK enum rc exchange_make(const struct currency *from, const struct currency *to,
                                 int64_t from_major, int64_t to_major, struct exchange *ret,
                                 struct err *err);

/* The rate in text, how much of `to` one of `from` is: decimal with at most EXCHANGE_DIGITS_MAX
 * digits behind the point ("1.0837"), or a fraction ("35/250"). RC_INVALID on anything else, or
 * where it is not above 0. Day 0, no source: set them. */
MUST_CHECK enum rc exchange_parse(struct str rate, const struct currency *from,
                                  const struct currency *to, struct exchange *ret, struct err *err);
/* Decimal where EXCHANGE_DIGITS_MAX digits are exact ("1.0837", and 35/250 is "0.14"), else the
 * fraction in lowest terms ("35/249"); exchange_parse reads both. Returns the length without the
 * NUL. */
size_t exchange_format(const struct exchange *x, char text[EXCHANGE_RATE_TEXT_MAX]);
/* The same text in an arena. */
struct str exchange_str(const struct exchange *x, struct arena *arena);

/* The same agreement seen from the other side: exact. */
struct exchange exchange_turn(const struct exchange *x);
/* From a's `from` to b's `to`, through the currency that a ends and b begins with; exact. The
 * day is the older of the two, the source that of a. RC_INVALID where the fraction does not fit. */
MUST_CHECK enum rc exchange_chain(const struct exchange *a, const struct exchange *b,
                                  struct exchange *ret, struct err *err);

/* amount is in minor units of x->from, the result in those of x->to; one rounding. RC_INVALID
 * where it does not fit. */
MUST_CHECK enum rc exchange_convert(const struct exchange *x, int64_t amount,
                                    enum exchange_side side, int64_t *ret, struct err *err);

#endif
