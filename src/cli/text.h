/*
 * text.h - text for terminals: how many columns it takes, and what is safe to print.
 *
 * What a server answers was written by strangers. text_plain makes it one harmless line: control
 * characters (which could drive the terminal) and marks that reverse the direction of reading
 * (which could show a name that is another) do not pass. Everything that is printed for people
 * goes through it.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "base/buf.h"

enum { TEXT_SUGGEST_MAX = 64 }; /* longest word that is compared for "did you mean" */

/* Columns that s takes: two for wide East Asian characters, none for marks that join another. s is
 * UTF-8; a byte that is not counts as one column. */
size_t text_width(struct str s);

/* s as one line that is safe to print: line ends and tabs become a space, other control
 * characters, direction marks and bytes that are not UTF-8 become U+FFFD. */
struct str text_plain(struct arena *arena, struct str s);

/* s where it fits into width columns, else its beginning and "…". width >= 1. */
struct str text_cut(struct arena *arena, struct str s, size_t width);

/* Append s, then spaces up to width columns; to_right puts the spaces in front. */
void text_pad(struct buf *b, struct str s, size_t width, bool to_right);

/* Insertions, deletions, replacements and swaps of neighbours that make a out of b; words longer
 * than TEXT_SUGGEST_MAX bytes are as far apart as they are long. */
size_t text_distance(struct str a, struct str b);

/* Whether b is near enough to a to be what was meant: at most one slip in three letters. */
bool text_near(struct str a, struct str b);

/* "tax_ids" as people read it: "tax ids"; or, with mark '-', as a flag: "tax-ids". */
struct str text_words(struct arena *arena, struct str name, char mark);

#endif
