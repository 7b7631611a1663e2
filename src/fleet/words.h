/*
 * words.h - lists of short names ("ssd gpu"): a text with spaces in the store, a list outside.
 */
#ifndef FLEET_WORDS_H
#define FLEET_WORDS_H

#include "base/schema.h"

enum { WORDS_MAX = 16, WORD_BYTES_MAX = 60 };

/* RC_INVALID at "POINTER/N": a word has small letters, digits, '-', '.', ':' and '_'. */
MUST_CHECK enum rc words_join(const struct list *list, const char *pointer, struct arena *arena,
                              struct str *ret, struct err *err);
/* List of struct str. */
struct list words_split(struct str words, struct arena *arena);
/* Whether word is one of words. */
bool words_have(struct str words, struct str word);
bool words_have_all(struct str words, struct str wanted);

#endif
