/*
 * conf.h - settings from a file, the environment and flags, by one table (schema.h).
 *
 * Later wins: defaults, file, environment, flags. The file is "key = value", one a line, '#'
 * comments. The environment name of key "http_listen" under prefix "HANSED" is
 * HANSED_HTTP_LISTEN, its flag --http-listen. Unknown keys, unknown flags and unknown variables
 * with the prefix are refused by name, with the file and line where there is one.
 *
 * Secrets come from files: a setting called "smtp_password_file" names the file that holds it; a
 * file that others may read is refused (conf_secret).
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/schema.h"

enum { CONF_FILE_MAX = 64 * 1024, CONF_SECRET_MAX = 4096 };

struct conf_sources {
    const char *file;         /* path, or NULL */
    bool file_must_exist;     /* the user named it: its absence is an error */
    const char *env_prefix;   /* "HANSED" */
    char *const *environment; /* environ, or NULL */
    int flag_count;           /* flags only: "--key", "value" or "--key=value"; a bool may stand
                                   alone and "--no-key" is false */
    const char *const *flags;
};

/* Decode all sources over the defaults, which value holds already (set bits and all). Texts are
 * copied into the arena. RC_INVALID names the key and its source. */
MUST_CHECK enum rc conf_load(const struct schema *s, const struct conf_sources *sources,
                             struct arena *arena, void *value, struct err *err);

/* What --config-help prints: each key with its default (from defaults), sentence, type and bounds,
 * and its other two names. */
void conf_help(const struct schema *s, const char *env_prefix, const void *defaults,
               struct arena *arena, struct buf *out);

/* Read a secret: the first line of a file that only its owner can read. RC_INVALID else. */
MUST_CHECK enum rc conf_secret(const char *path, struct arena *arena, struct str *ret,
                               struct err *err);

#endif
