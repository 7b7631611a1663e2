/*
 * vat_id.h - the form of VAT identification numbers.
 *
 * Tells that a number is written as the country writes them, not that it is registered: for that,
 * ask VIES. Forms of the member states and of Northern Ireland are those of the VIES "FAQ"
 * (question 11); the United Kingdom, Switzerland and Norway have theirs too; every other country
 * takes 4 to 20 letters and digits with at least one digit.
 */
#ifndef MONEY_VAT_ID_H
#define MONEY_VAT_ID_H

#include "money/country.h"

enum { VAT_ID_MAX = 20 };

/* The id in one spelling: capital letters, without spaces, points, hyphens and slashes, and with
 * the prefix where the country has one (FR..., EL... for Greece; a Northern Irish XI stays). The
 * prefix may be missing in text where what is left does not begin with two letters. RC_INVALID
 * where the form is not the country's. */
MUST_CHECK enum rc vat_id_parse(struct str text, const struct country *country,
                                char ret[VAT_ID_MAX + 1], struct err *err);

#endif
