/*
 * country.h - the countries of ISO 3166-1 alpha-2, and which of them are in the European Union.
 *
 * 249 codes, sorted, constant; a country may be compared by its address. Kosovo (XK) and Northern
 * Ireland for VAT (XI) are user-assigned codes and are not in it; iban.h and vat_id.h know them.
 * Greece is GR here, and EL in VAT ids only (vat_id.h).
 */
#ifndef MONEY_COUNTRY_H
#define MONEY_COUNTRY_H

#include "base/err.h"

struct country {
    char code[3];     /* "FR", NUL-terminated */
    bool eu;          /* a member state today; VAT territory exceptions are not told here */
    const char *name; /* English, UTF-8: "France" */
};

/* The country with this code in capital letters, or NULL. */
const struct country *country_find(struct str code);
/* As country_find; RC_INVALID where there is none. */
MUST_CHECK enum rc country_parse(struct str code, const struct country **ret, struct err *err);

/* The table: index 0 .. country_count() - 1, by code. */
size_t country_count(void);
const struct country *country_at(size_t index);

#endif
