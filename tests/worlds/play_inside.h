/*
 * play_inside.h - what the parts of play.h share.
 */
#ifndef TESTS_WORLDS_PLAY_INSIDE_H
#define TESTS_WORLDS_PLAY_INSIDE_H

#include "play.h"

void play_keep_id(char *ret, struct str id);
struct str play_number(struct tx *tx, struct w_num n);
/* Minor units. */
struct str play_amount(struct tx *tx, int64_t amount, int currency);
MUST_CHECK enum rc play_entry(struct tx *tx, const struct world *w, const struct w_book *b,
                              const struct w_entry *e);
MUST_CHECK enum rc play_sub(struct tx *tx, struct world *w, struct w_sub *s);

#endif
