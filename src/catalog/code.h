/*
 * code.h - short names of this folder's things, and words of their tables.
 */
#ifndef CATALOG_CODE_H
#define CATALOG_CODE_H

#include "store/store.h"

/* Small letters, digits, '-' and '.', a letter or digit first. RC_INVALID at pointer. */
MUST_CHECK enum rc code_check(struct str code, const char *pointer, struct err *err);
/* Index of a word that the store holds. */
int64_t code_word(const char *const *words, struct str text);

#endif
