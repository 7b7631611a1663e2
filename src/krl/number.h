/*
 * number.h - numbers of KRL as text: printed and read as JavaScript does.
 */
#ifndef KRL_NUMBER_H
#define KRL_NUMBER_H

#include "krl/text.h"

enum { KRL_NUMBER_TEXT_MAX = 32 };

/* The shortest digits that read back as the same number, in JavaScript's layout: 1e+21, 1e-7, 0.1,
 * "NaN", "Infinity". Returns the length, no NUL. */
size_t krl_number_print(double number, char text[KRL_NUMBER_TEXT_MAX]);

/* Number(text) of JavaScript: spaces around are left out, "" is 0, 0x 0b 0o, exponents, "Infinity".
 * NAN where it is no number. */
double krl_number_read(const struct krl_text *text);

/* Digits with an optional fraction and exponent, to the nearest double; s must be such. */
double krl_number_parse(struct str s);

/* ToInt32 of ECMAScript. */
int32_t krl_number_int32(double number);

#endif
