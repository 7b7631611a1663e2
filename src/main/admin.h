/*
 * admin.h - what hansed does besides serving: backup, restore, verify, a new link for an owner.
 */
#ifndef MAIN_ADMIN_H
#define MAIN_ADMIN_H

#include "main/settings.h"

/* Codes as store_backup, store_restore and store_verify. Each prints one sentence when it is done.
 * */
MUST_CHECK enum rc admin_backup(const struct settings *s, const char *file, struct err *err);
/* With a test clock in the settings the copy lives on it from now on, and forgets what waits to be
 * done outside: a real store can be tried out so, and nobody has a mail twice. */
MUST_CHECK enum rc admin_restore(const struct settings *s, const char *file, bool replace,
                                 struct arena *arena, struct err *err);
MUST_CHECK enum rc admin_verify(const struct settings *s, struct err *err);

/* Print a link that makes whoever opens it an owner of the operator's party: the way back in where
 * nobody knows the password any more. Needs the store for itself: RC_CONFLICT while hansed serves.
 * RC_NOT_FOUND before the first start. */
MUST_CHECK enum rc admin_link(const struct settings *s, struct arena *arena, struct err *err);

#endif
