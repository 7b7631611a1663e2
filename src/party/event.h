/*
 * event.h - tell those who listen what was done to a resource of this folder.
 */
#ifndef PARTY_EVENT_H
#define PARTY_EVENT_H

#include "base/json.h"
#include "store/outbox.h"

/* Writes an outbox row: {"id":...,"resource":...,"version":...,"changed":[...]}. topic is a
 * constant such as "event.party.changed"; version 0 and changed empty are left out. changed is
 * JSON text (patch_names). */
MUST_CHECK enum rc event_put(struct tx *tx, const char *topic, struct str party,
                             const char *resource, struct str id, int64_t version,
                             struct str changed);

#endif
