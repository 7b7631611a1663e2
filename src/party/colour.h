/*
 * colour.h - one colour, and whether text can be read on it.
 *
 * Contrast is that of WCAG 2.2 (relative luminance of sRGB), computed in integers from a table, so
 * that it is the same on every machine.
 */
#ifndef PARTY_COLOUR_H
#define PARTY_COLOUR_H

#include "base/err.h"

enum { COLOUR_TEXT_N = 7, CONTRAST_MIN = 4500 /* thousandths: level AA, 1.4.3 */ };

struct colour {
    uint8_t red, green, blue;
};

/* "#2747d8"; letters in either case. RC_INVALID. */
MUST_CHECK enum rc colour_parse(struct str text, struct colour *ret, struct err *err);
void colour_format(struct colour c, char ret[COLOUR_TEXT_N + 1]);
/* 1,000 (the same) to 21,000 (black and white): thousandths, rounded down. */
int64_t colour_contrast(struct colour a, struct colour b);
/* The text colour for it: "#ffffff" where white reaches CONTRAST_MIN, else "#111111" where that
 * does. RC_INVALID where neither does: the text names the nearest colour on which one can be
 * read. */
MUST_CHECK enum rc colour_ink(struct colour c, const char **ret, struct err *err);

#endif
