/*
 * iban.h - bank account numbers (IBAN, ISO 13616) and bank codes (BIC, ISO 9362): their form.
 *
 * Country, length, letters and digits by place and the check digits are tested, so that a typing
 * error is found when it is made. Whether the account exists, only the bank knows.
 */
#ifndef MONEY_IBAN_H
#define MONEY_IBAN_H

#include "base/err.h"

enum { IBAN_MAX = 34, IBAN_TEXT_MAX = 44, BIC_MAX = 11 };

/* The IBAN in its electronic form: capital letters, no spaces. Spaces and small letters are fine
 * in text. RC_INVALID says which of the tests failed. */
MUST_CHECK enum rc iban_parse(struct str text, char ret[IBAN_MAX + 1], struct err *err);

/* The paper form, groups of four: "DE89 3704 0044 0532 0130 00". iban in electronic form. Returns
 * the length without the NUL. */
size_t iban_format(struct str iban, char text[IBAN_TEXT_MAX]);

/* The BIC in capital letters. RC_INVALID where it is not 4 letters, a country, 2 characters and
 * none or 3 more. */
MUST_CHECK enum rc bic_parse(struct str text, char ret[BIC_MAX + 1], struct err *err);

/* The number that a followed by b spells, modulo 97 (ISO 7064 MOD 97-10), a letter read as 10..35.
 * Capital letters and digits only. */
int mod97(struct str a, struct str b);
/* Whether the two check digits at head[2..3] fit head and body: the number body followed by head
 * is 1 modulo 97, and the digits are among 02..98, as 00, 01 and 99 would be second spellings. */
bool mod97_checks(struct str head, struct str body);

#endif
