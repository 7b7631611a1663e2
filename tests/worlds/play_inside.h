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
/* What a party is founded from. */
struct party;
void play_draft(struct tx *tx, const struct w_party *p, int number, struct party *ret);
struct price_book;
MUST_CHECK enum rc play_book(struct tx *tx, const struct world *w, struct w_book *b);
MUST_CHECK enum rc play_edge(struct tx *tx, const struct world *w, struct w_edge *e);
struct list play_rules(struct tx *tx, const struct w_rules *a);
void play_rail(struct tx *tx, const struct w_rail *r, struct price_book *ret);
MUST_CHECK enum rc play_sub(struct tx *tx, struct world *w, struct w_sub *s);

#endif
