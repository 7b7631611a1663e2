/*
 * profile.h - the servers a user is logged in to, with the token for each.
 *
 * Kept in $XDG_CONFIG_HOME/hanse/profiles.json (~/.config where that is not set), mode 0600 in a
 * folder of mode 0700. A file that others can read, or a folder that others can write, is refused:
 * the tokens in it are as good as the password. Changed by writing a new file and renaming it,
 * under a lock on the folder, so that a crash or a second hanse never leaves half a file, and
 * neither loses what the other wrote.
 */
#ifndef CLI_PROFILE_H
#define CLI_PROFILE_H

#include "base/schema.h"
#include "cli/cli.h"

enum {
    PROFILES_MAX = 200,
    PROFILES_FILE_MAX = 256 * 1024,
    PROFILE_NAME_MAX = 40,
};

#define PROFILE_DEFAULT "default"

struct profile {
    uint64_t set;
    struct str name;
    struct str url;
    struct str user; /* e-mail address, for people */
    struct str token_id;
    struct str token;
    time_us ends; /* of the token */
};

struct profiles {
    uint64_t set;
    struct str current; /* name; empty: none */
    struct list list;   /* struct profile */
};

extern const struct schema profile_schema;
extern const struct schema profiles_schema;

/* Read all. No file: none. RC_INVALID: others can read it, or it is damaged; the text says what to
 * do. */
MUST_CHECK enum rc profiles_read(const struct cli *cli, struct arena *arena, struct profiles *ret,
                                 struct err *err);
/* The one with this name, NULL where there is none. */
struct profile *profiles_find(const struct profiles *all, struct str name);

/* Add or replace one and make it the current one. RC_FORBIDDEN or RC_FULL where nothing can be
 * written. */
MUST_CHECK enum rc profiles_put(const struct cli *cli, struct arena *arena, const struct profile *p,
                                struct err *err);
/* RC_NOT_FOUND. */
MUST_CHECK enum rc profiles_use(const struct cli *cli, struct arena *arena, struct str name,
                                struct err *err);
/* RC_NOT_FOUND. */
MUST_CHECK enum rc profiles_remove(const struct cli *cli, struct arena *arena, struct str name,
                                   struct err *err);

/* Letters, digits, '-', '_' and '.', at most PROFILE_NAME_MAX. */
bool profile_name_ok(struct str name);
/* The text of a profiles file; what profiles_read does behind the door. */
MUST_CHECK enum rc profiles_parse(struct str text, struct arena *arena, struct profiles *ret,
                                  struct err *err);

#endif
