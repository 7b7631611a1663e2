/*
 * currency.h - the currencies of ISO 4217 and how many digits their minor unit has.
 *
 * All active national and regional currencies as of 2026-01-01 (with XCG and ZWG; without BGN,
 * which became EUR that day). Funds, metals, test and unit-of-account codes (CHE, CLF, XAU, XDR,
 * ...) are left out: nobody is invoiced in them. The table is sorted by code and constant; a
 * currency may be compared by its address.
 */
#ifndef MONEY_CURRENCY_H
#define MONEY_CURRENCY_H

#include "base/err.h"

enum { CURRENCY_EXPONENT_MAX = 3 };

struct currency {
    char code[4];     /* "EUR", NUL-terminated */
    int16_t number;   /* ISO 4217 numeric code: 978 */
    int16_t exponent; /* digits of the minor unit: 0, 2 or 3 */
    const char *name; /* English: "Euro" */
};

/* The currency with this code in capital letters, or NULL. */
const struct currency *currency_find(struct str code);
/* As currency_find; RC_INVALID where there is none. */
MUST_CHECK enum rc currency_parse(struct str code, const struct currency **ret, struct err *err);

/* The table: index 0 .. currency_count() - 1, by code. */
size_t currency_count(void);
const struct currency *currency_at(size_t index);

#endif
