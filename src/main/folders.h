/*
 * folders.h - where the programs keep their data and their settings, by the XDG base directory
 * specification for people and by the Filesystem Hierarchy Standard for the system.
 */
#ifndef MAIN_FOLDERS_H
#define MAIN_FOLDERS_H

#include "base/arena.h"

/* "sqlite:FOLDER" with NAME as the last folder: below $XDG_DATA_HOME or ~/.local/share; for root
 * and system users /var/lib/NAME, unless XDG_DATA_HOME is set. */
struct str folders_store(const char *name, struct arena *arena);

/* The settings file: /etc/hanse/FILE for root and system users, else below $XDG_CONFIG_HOME or
 * ~/.config. NULL: there is no home. */
const char *folders_settings(const char *file, struct arena *arena);

#endif
