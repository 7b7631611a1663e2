/*
 * owner.h - what is there, for who runs the engine: picos, what they have, the registry. As JSON,
 * read from the store; what runs at the moment and is not committed yet is not seen.
 */
#ifndef PICO_OWNER_H
#define PICO_OWNER_H

#include "base/json.h"
#include "store/store.h"

enum { OWNER_LIMIT_MAX = 1000, OWNER_LIMIT_DEFAULT = 100 };

/* Which picos: the children of a parent, or all; those behind an id, in the order of ids. */
struct owner_list {
    struct str parent; /* id; empty: all */
    struct str after;
    int64_t limit; /* 1..OWNER_LIMIT_MAX */
};

/* {"items": [{"id","name","parent","children"}], "next": id or null}; children is their number,
 * parent and name are null where there is none. RC_NOT_FOUND: no such parent. */
MUST_CHECK enum rc owner_list(struct tx *tx, const struct owner_list *q, struct json_writer *w);
/* One of those. RC_NOT_FOUND. */
MUST_CHECK enum rc owner_show(struct tx *tx, struct str id, struct json_writer *w);
/* {"items": [{"rid","url","hash","flushed"}]} of a pico in the order of installation; id is empty:
 * of the registry, by URL. RC_NOT_FOUND. */
MUST_CHECK enum rc owner_rulesets(struct tx *tx, struct str id, struct json_writer *w);

/* The id of the pico that the channel of its parent leads to. RC_NOT_FOUND. */
MUST_CHECK enum rc owner_child(struct tx *tx, struct str eci, struct str *ret_id);

#endif
