/*
 * party_check.h - the rules that the particulars of parties and users keep, before they are stored.
 *
 * Each failure is RC_INVALID with the JSON pointer of the field.
 */
#ifndef PARTY_PARTY_CHECK_H
#define PARTY_PARTY_CHECK_H

#include "party/party.h"

/* Check everything of a whole party and put IBAN, BIC, VAT id and e-mail address into one spelling,
 * in place. Texts that it replaces are in the arena. */
MUST_CHECK enum rc party_check(struct party *p, struct arena *arena, struct err *err);

/* "en", "fr", "zh-CN", "zh-Hant-TW": the usual part of BCP 47. */
MUST_CHECK enum rc language_check(struct str language, struct err *err);
/* A zone of the IANA database. */
MUST_CHECK enum rc time_zone_check(struct str zone, struct arena *arena, struct err *err);
/* A name that is there, is not too long, and has no control characters: for callers that did not
 * come through a schema. */
MUST_CHECK enum rc name_check(struct str name, const char *pointer, struct err *err);

#endif
