/*
 * body.h - the JSON of a request from what was typed.
 *
 * Each value goes to a field by its path; the schema's order is the order of the JSON. Values are
 * checked by the schema before anything is sent, with the sentences the server would use.
 */
#ifndef CLI_BODY_H
#define CLI_BODY_H

#include "cli/command.h"

enum { BODY_MAX = 1024 * 1024 };

/* One value for one field. */
struct assign {
    struct str path; /* "address.city"; a path may come again for lists */
    struct str value;
    bool null; /* empty the field; value does not matter */
};

struct assigns {
    struct assign *items;
    size_t count;
    size_t capacity;
};

/* What the flags say, --null included; secrets are read from their files. Leaves room for extra
 * more. RC_SYNTAX: --null names no field. RC_INVALID: a file. */
MUST_CHECK enum rc body_collect(struct run *run, size_t extra, struct assigns *ret);
/* Add one. There must be room. */
void body_add(struct assigns *a, const char *path, struct str value);
/* Whether a value for this path is there. */
bool body_has(const struct assigns *a, const char *path);

/* The JSON. RC_SYNTAX where a list's entry cannot be read. */
MUST_CHECK enum rc body_write(const struct schema *s, const struct assigns *a, struct arena *arena,
                              struct str *ret, struct err *err);

/* Write the member key with a text. */
void body_put(struct json_writer *w, const char *key, struct str value);

/* Whether text is what s takes. RC_INVALID names the field, RC_SYNTAX where it is no JSON. */
MUST_CHECK enum rc body_check(const struct schema *s, bool patch, struct str text,
                              struct arena *arena, struct err *err);

#endif
