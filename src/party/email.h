/*
 * email.h - e-mail addresses: their form, and when two are the same.
 *
 * Taken are addresses as people have them: letters, digits and !#$%&'*+-/=?^_`{|}~ with single dots
 * between, '@', a host name of at least two labels (RFC 5321 without quoted parts and address
 * literals, which serve nobody but attackers). The host name is lower-cased; the part before '@'
 * stays as it was typed, but two addresses that differ by case alone are the same.
 */
#ifndef PARTY_EMAIL_H
#define PARTY_EMAIL_H

#include "base/arena.h"
#include "base/err.h"

enum { EMAIL_MAX = 254, EMAIL_LOCAL_MAX = 64 }; /* RFC 5321 4.5.3.1 */

/* RC_INVALID says what is wrong. */
MUST_CHECK enum rc email_parse(struct str text, struct arena *arena, struct str *ret,
                               struct err *err);
/* The address in lower case: equal where two are the same. */
struct str email_key(struct str email, struct arena *arena);
/* "Name <address>" or an address alone, for the From of a mail; *ret in one spelling. RC_INVALID.
 */
MUST_CHECK enum rc email_parse_sender(struct str text, struct arena *arena, struct str *ret,
                                      struct err *err);

/* A host name: 2 to 127 labels of letters, digits and hyphens, at most 253 bytes; *ret in lower
 * case. RC_INVALID. */
MUST_CHECK enum rc host_parse(struct str text, struct arena *arena, struct str *ret,
                              struct err *err);

/* ASCII letters in lower case; a copy. */
struct str str_lower(struct str s, struct arena *arena);

#endif
