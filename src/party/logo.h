/*
 * logo.h - pictures that strangers hand in and that we serve to other strangers: what is let in.
 *
 * A logo is a data: URL of a PNG or of an SVG. A PNG must be whole, chunk by chunk, up to 2048 x
 * 2048. An SVG is read by a scanner that knows shapes, text, groups, gradients and clips, and
 * refuses everything else by name: script, on... attributes, style sheets, references to the
 * outside, foreign content, DOCTYPE and entities. Nothing is repaired: what was checked is what is
 * kept.
 */
#ifndef PARTY_LOGO_H
#define PARTY_LOGO_H

#include "base/arena.h"
#include "base/err.h"

enum { LOGO_SIDE_MAX = 2048 };

/* RC_INVALID says what is not taken. */
MUST_CHECK enum rc logo_check(struct str data_url, struct arena *arena, struct err *err);
MUST_CHECK enum rc png_check(struct str bytes, struct err *err);
MUST_CHECK enum rc svg_check(struct str text, struct err *err);

#endif
