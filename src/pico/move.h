/*
 * move.h - a pico with all below it goes to another engine while it is asked.
 *
 * Who moves it does five steps; each may be repeated, after a crash of either engine too:
 *
 *     pico_move_begin    here: the picos stand still; what comes meanwhile waits. The move's name.
 *     pico_export        here: as often as wanted, it is the same.
 *     pico_arrive        there, with the name: the picos are there, and go on. Once, however often.
 *     pico_move_done     here: they are gone. What waited, and what comes later by their channels,
 *                        goes on to the other engine's address.
 *
 * or, before pico_arrive, pico_arrival_refuse there (it never may arrive) and pico_move_cancel
 * here.
 *
 * Events that wait in the store are in the file and are forwarded too: the other engine knows them
 * by the move's name and their number, and takes each once. Keys of earlier events go along, so
 * that who repeats an event at the other engine finds it done.
 */
#ifndef PICO_MOVE_H
#define PICO_MOVE_H

#include "base/json.h"
#include "pico/export.h"

enum { MOVES_MAX = 100, MOVE_HOST_MAX = 300, MOVE_NAME_MAX = 25 };

/* The name of the move that is under way, or of a new one. RC_NOT_FOUND; RC_GONE: it has moved;
 * RC_FORBIDDEN: the root; RC_CONFLICT: one above or below it moves; RC_TOO_MANY; RC_UNAVAILABLE:
 * it does not come to rest, nothing is changed. */
MUST_CHECK enum rc pico_move_begin(struct pico_engine *e, struct str id, struct arena *arena,
                                   struct str *ret_move, struct err *err);
/* host: the address of the other engine. RC_NOT_FOUND: no such move; RC_INVALID: the address. */
MUST_CHECK enum rc pico_move_done(struct pico_engine *e, struct str move, struct str host,
                                  struct err *err);
/* Call it off; only after pico_arrival_refuse. RC_NOT_FOUND; RC_GONE: it is done. */
MUST_CHECK enum rc pico_move_cancel(struct pico_engine *e, struct str move, struct err *err);
/* The moves under way: [{"move", "pico", "begun"}]. */
MUST_CHECK enum rc pico_move_list(struct tx *tx, struct json_writer *w);

struct pico_arrival {
    struct str parent; /* id of the pico below which they come */
    struct str file;
    const uint8_t *key; /* must have signed it; NULL: whoever did */
    struct str move;
};
/* As pico_import; a repeat gives the first one's answer. RC_CONFLICT, too: it was refused. */
MUST_CHECK enum rc pico_arrive(struct pico_engine *e, const struct pico_arrival *a,
                               struct arena *arena, struct str *ret, struct err *err);
/* RC_CONFLICT: it has arrived. */
MUST_CHECK enum rc pico_arrival_refuse(struct pico_engine *e, struct str move, struct err *err);

#endif
