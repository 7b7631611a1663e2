/*
 * export.h - a pico with all below it as one file, and the file as a pico again, here or elsewhere.
 *
 * The file is gzip of lines of JSON. The first says what it is and its version; then come rulesets
 * with their sources and picos (parents first), each followed by what is its own: channels, what is
 * installed, entity variables, where rules stand, schedules, events that wait. Packed values
 * (krl/pack.h) are base64. What many channels say has a line "detail" of its own before the first
 * of them, and they name it by its number ("shared"). The last line has an Ed25519 signature over
 * all before it, by the key of the engine that wrote it, and that key: the receiver refuses a file
 * that is not whole, and may ask for a certain key.
 *
 * Identifiers of picos and channels stay the same: who knew a channel goes on using it. Where one
 * of them is in use already, nothing is imported. A ruleset whose URL has another content here is
 * kept beside it, under URL#HASH.
 */
#ifndef PICO_EXPORT_H
#define PICO_EXPORT_H

#include "pico/engine.h"

enum {
    EXPORT_VERSION = 2, /* 1, which has no "detail" lines, is read too */
    EXPORT_PICOS_MAX = 1000 * 1000,
    EXPORT_KEY_BYTES = 32, /* public */
    EXPORT_LINE_MAX = 8 * 1024 * 1024,
    EXPORT_DETAILS_BYTES_MAX = 64 * 1024 * 1024, /* of all "detail" lines, unpacked */
};
#define EXPORT_FILE_MAX (INT64_C(4) * 1024 * 1024 * 1024) /* unpacked */

/* Takes the file piece by piece; what it returns ends the export. */
typedef enum rc (*export_put)(void *arg, struct str bytes, struct err *err);

/* Write the pico with this id as it is stored at this moment. What an unanswered request is just
 * doing is not in it. RC_NOT_FOUND; RC_TOO_LARGE; what put returns. */
MUST_CHECK enum rc pico_export(struct pico_engine *e, struct str id, export_put put, void *arg,
                               struct err *err);
/* The key that this engine signs with. */
MUST_CHECK enum rc pico_export_key(struct pico_engine *e, uint8_t ret[EXPORT_KEY_BYTES],
                                   struct err *err);

/* Make the picos of a file, the first one a child of the pico with the id parent. All or nothing.
 * key: must have signed it; NULL: whoever did. *ret: {"id","eci","picos"}, eci being the channel
 * that the parent uses. RC_NOT_FOUND: the parent; RC_INVALID: the file; RC_UNAUTHENTICATED: the
 * signature or the key; RC_CONFLICT: an identifier is in use; RC_TOO_LARGE; of rulesets
 * RC_SYNTAX. */
MUST_CHECK enum rc pico_import(struct pico_engine *e, struct str parent, struct str file,
                               const uint8_t *key, struct arena *arena, struct str *ret,
                               struct err *err);

#endif
