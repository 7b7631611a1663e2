/*
 * totp.h - the arithmetic of RFC 6238: codes of a second factor, and secrets as base 32.
 *
 * SHA-1, 6 digits, 30 seconds: what every authenticator takes without asking.
 */
#ifndef PARTY_TOTP_H
#define PARTY_TOTP_H

#include "base/arena.h"

enum { TOTP_DIGITS = 6, TOTP_STEP_SECONDS = 30, TOTP_SECRET_BYTES = 20, TOTP_SECRET_MAX = 64 };

/* HOTP (RFC 4226) of a counter, the last TOTP_DIGITS digits. The secret has at most 64 bytes. */
void totp_code(struct str secret, int64_t step, char ret[TOTP_DIGITS + 1]);
/* The step of an instant. */
int64_t totp_step(time_us at);
/* Whether the code is that of the step of now, the one before or the one behind it; *ret_step is
 * which. Steps up to last are over: no code counts twice. */
MUST_CHECK bool totp_matches(struct str secret, struct str code, time_us now, int64_t last,
                             int64_t *ret_step);

/* RFC 4648 base 32, without padding, capital letters. */
struct str base32_encode(struct str bytes, struct arena *arena);
MUST_CHECK bool base32_decode(struct str text, struct arena *arena, struct str *ret);

#endif
