/*
 * patch.h - lay what is set in one struct over another: the second half of a merge patch.
 *
 * Both structs are described by the same schema (base/schema.h). Objects are merged field by
 * field, lists and everything else are replaced (RFC 7396); a field that was given as null is set
 * and empty, and so empties the other.
 */
#ifndef PARTY_PATCH_H
#define PARTY_PATCH_H

#include "base/schema.h"

/* Texts and lists are shared with patch, not copied. Read-only fields are laid over too: whoever
 * decoded the patch has refused them. */
void patch_lay(const struct schema *s, void *value, const void *patch);

/* The names of the fields that are set, as a JSON array: what an event says was changed. */
struct str patch_names(const struct schema *s, const void *patch, struct arena *arena);

#endif
