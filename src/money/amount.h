/*
 * amount.h - sums of money as the ledger keeps them.
 *
 * An amount is an int64_t that counts the minor units of a currency that stands beside it: 1234
 * beside EUR is 12.34, beside JPY 1,234. The range is about 92 quadrillion EUR both ways. Nothing
 * here wraps around: what does not fit is refused. Totals of many amounts are __int128, which no
 * number of amounts that fits in memory can overflow. Text is decimal, the same in JSON, in
 * documents and on the command line. The rules are specs/billing.md 3.9 (1).
 */
#ifndef MONEY_AMOUNT_H
#define MONEY_AMOUNT_H

#include "base/arena.h"
#include "base/err.h"
#include "money/currency.h"

enum { AMOUNT_TEXT_MAX = 24 }; /* sign, 19 digits, point, NUL, rounded up */

/* The most that one thing may be, either way: a line, a document, a share, a payment, a credit; a
 * trillion euros. What is above it is refused where it comes in, or where it is computed, so that
 * sums have room: of the lines of one document (50,000), and of 90,000 such documents in one
 * account of the books. */
#define AMOUNT_ONE_MAX INT64_C(100000000000000)

/* Both amounts are in one currency: the caller's duty, as the number does not know it.
 * RC_INVALID where the result does not fit. */
MUST_CHECK enum rc amount_add(int64_t a, int64_t b, int64_t *ret, struct err *err);
MUST_CHECK enum rc amount_sub(int64_t a, int64_t b, int64_t *ret, struct err *err);
MUST_CHECK enum rc amount_neg(int64_t a, int64_t *ret, struct err *err);

/* The exact sum of count amounts, in the same minor unit. */
__int128 amount_total(const int64_t *amounts, size_t count);
/* A total as an amount again. RC_INVALID where it does not fit. */
MUST_CHECK enum rc amount_narrow(__int128 total, int64_t *ret, struct err *err);

/* -1, 0 or 1 as a is below, equal to or above b: for sorting. */
int amount_compare(int64_t a, int64_t b);

/* "12.34", "12.3" or "12" for EUR. RC_INVALID where text is no number, has more digits behind the
 * point than the currency (12.345 EUR is not rounded, it is refused), or does not fit. */
MUST_CHECK enum rc amount_parse(struct str text, const struct currency *c, int64_t *ret,
                                struct err *err);
/* The same for what comes in: also RC_INVALID above AMOUNT_ONE_MAX, either way. */
MUST_CHECK enum rc amount_parse_one(struct str text, const struct currency *c, int64_t *ret,
                                    struct err *err);
/* What was computed is one thing. RC_INVALID: it is above AMOUNT_ONE_MAX, either way; what names it
 * with its article: "the line". */
MUST_CHECK enum rc amount_check_one(int64_t amount, const struct currency *c, const char *what,
                                    struct err *err);
/* Always with all digits of the currency: "12.30", "-0.05", JPY "1250", KWD "1.234". Returns the
 * length without the NUL. */
size_t amount_format(int64_t amount, const struct currency *c, char text[AMOUNT_TEXT_MAX]);
/* The same text in an arena. */
struct str amount_str(int64_t amount, const struct currency *c, struct arena *arena);

#endif
