/*
 * durable.h - what was written is on the disk before anybody is told that it is: files, and the
 * names of files, which are what their folder says.
 *
 * Where something fails, errno says why: each caller has its own sentence for it.
 */
#ifndef BASE_DURABLE_H
#define BASE_DURABLE_H

#include "base/base.h"

/* All that was written to a file, by whomever. */
MUST_CHECK bool durable_file(const char *path);
/* The names in a folder: what was made, renamed or removed in it stays so. ENOTDIR: it is none. */
MUST_CHECK bool durable_folder(const char *path);
/* The name that a path ends with: the folder that it is in. ENAMETOOLONG. */
MUST_CHECK bool durable_name(const char *path);

#endif
