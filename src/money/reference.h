/*
 * reference.h - structured creditor references (ISO 11649, "RF") and SEPA creditor identifiers.
 *
 * A reference on an invoice comes back on the bank statement and says which invoice was paid; its
 * check digits catch typing errors. Both use the arithmetic of IBANs (iban.h).
 */
#ifndef MONEY_REFERENCE_H
#define MONEY_REFERENCE_H

#include "base/err.h"

enum {
    REFERENCE_BODY_MAX = 21,
    REFERENCE_MAX = 25,
    REFERENCE_TEXT_MAX = 32,
    CREDITOR_ID_MAX = 35,
};

/* "RF18539007547034" of "539007547034". Small letters are raised, spaces and '-' dropped.
 * RC_INVALID where what is left is not 1 to 21 letters and digits. */
MUST_CHECK enum rc reference_make(struct str body, char ret[REFERENCE_MAX + 1], struct err *err);

/* The reference in its electronic form: capital letters, no spaces. RC_INVALID where it is not
 * RF, two digits and 1 to 21 letters and digits, or where the check digits do not match. */
MUST_CHECK enum rc reference_parse(struct str text, char ret[REFERENCE_MAX + 1], struct err *err);

/* The paper form, groups of four: "RF18 5390 0754 7034". Returns the length without the NUL. */
size_t reference_format(struct str reference, char text[REFERENCE_TEXT_MAX]);

/* A SEPA creditor identifier (EPC262-08), "DE98ZZZ09999999999": country, check digits, three
 * characters of the creditor's own choice that the check digits leave out, national id. In
 * capital letters, no spaces. RC_INVALID where form or check digits are wrong. */
MUST_CHECK enum rc creditor_id_parse(struct str text, char ret[CREDITOR_ID_MAX + 1],
                                     struct err *err);

#endif
