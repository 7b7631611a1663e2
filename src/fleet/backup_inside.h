/*
 * backup_inside.h - what the files of backup.h share.
 */
#ifndef FLEET_BACKUP_INSIDE_H
#define FLEET_BACKUP_INSIDE_H

#include "fleet/backup.h"
#include "fleet/service.h"

/* A service waits for it, or may any moment. */
#define BACKUP_NEEDED                                                             \
    "EXISTS (SELECT 1 FROM service_restore r JOIN service v ON v.id = r.service " \
    "WHERE r.backup = b.id AND v.state IN ('preparing', 'failed')) "

#define BACKUP_COLUMNS                                                                          \
    "b.id, b.service, b.client, b.node, b.state, b.sha256, b.bytes, b.here, b.holder, b.held, " \
    "b.reason, b.asked, b.kept, b.disk, b.moves"

struct backup backup_row(const struct rows *r, size_t row);
/* Hexadecimal, in the arena. */
struct str backup_key(const struct seal *seal, struct str service, struct arena *arena);
/* One that is wanted of the service where it is now. */
MUST_CHECK enum rc backup_insert(struct tx *tx, const struct service *v, bool disk, bool moves,
                                 struct backup *ret);
/* What was made for a move of it has gone, and is nothing that it begins with any more. */
MUST_CHECK enum rc backup_drop_move(struct tx *tx, struct str service);
/* Those that are too many are gone. */
MUST_CHECK enum rc backup_thin_service(struct tx *tx, struct str service);
/* Find a holder for one that is here and has none; where there is none it stays. */
MUST_CHECK enum rc backup_find_holder(struct tx *tx, const struct backup *b);

/* The newest that can be had, from here or from its holder; empty where there is none. */
MUST_CHECK enum rc backup_newest(struct tx *tx, struct str service, struct str *ret);
/* One of this service's that is kept. RC_INVALID at "/backup". */
MUST_CHECK enum rc backup_of(struct tx *tx, struct str service, struct str id, struct backup *ret);
/* The service, or the copy of one, begins with this backup from its next generation on. */
MUST_CHECK enum rc backup_lay(struct tx *tx, struct str service, struct str backup);

#endif
