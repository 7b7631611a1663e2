/*
 * backup.h - the two ways to copy, restore and verify, one per engine. Private to store/.
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "store/engine.h"

MUST_CHECK enum rc backup_sqlite(struct str url, const char *file, struct err *err);
MUST_CHECK enum rc restore_sqlite(struct str url, const char *file, bool replace, struct err *err);
MUST_CHECK enum rc verify_sqlite(struct str url, struct err *err);

MUST_CHECK enum rc backup_postgres(struct str url, const char *file, struct err *err);
MUST_CHECK enum rc restore_postgres(struct str url, const char *file, bool replace,
                                    struct err *err);
MUST_CHECK enum rc verify_postgres(struct str url, struct err *err);

/* "FILE.part" is what a backup is written to. RC_CONFLICT: FILE is there; RC_INVALID: no room for
 * the name. ret holds STORE_PATH_MAX bytes. */
MUST_CHECK enum rc backup_part(const char *file, char *ret, struct err *err);
/* Make PART durable and give it its name; it never takes the place of another file. */
MUST_CHECK enum rc backup_finish(const char *part, const char *file, struct err *err);

#endif
