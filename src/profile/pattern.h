/*
 * pattern.h - a small part of regular expressions for what strangers may fill in.
 *
 * A pattern is a row of classes, each with how often it comes: "[a-z][a-z0-9_]{0,62}", "[0-9]+",
 * "[A-Za-z0-9.-]*", "x". It matches a whole text, without backtracking: each class takes as much
 * as it can and gives nothing back, so matching takes one walk. No alternatives, no groups, no
 * negation, ASCII only. So it can be said of a pattern which bytes it lets through.
 */
#ifndef PROFILE_PATTERN_H
#define PROFILE_PATTERN_H

#include "base/err.h"

enum { PATTERN_CLASSES_MAX = 16, PATTERN_TIMES_MAX = 10000 };

/* RC_INVALID says what is wrong. */
MUST_CHECK enum rc pattern_check(struct str pattern, struct err *err);
/* pattern passed pattern_check. */
bool pattern_matches(struct str pattern, struct str text);
/* Whether all that it lets through are letters, digits, '_', '.' and '-': what stands anywhere
 * without an escape. */
bool pattern_is_plain(struct str pattern);
/* The same of one text. */
bool text_is_plain(struct str text);

#endif
