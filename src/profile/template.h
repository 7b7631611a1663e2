/*
 * template.h - texts with {{ name }} in them, filled in so that no value leaves its place.
 *
 * "{{ name }}" is escaped by the kind of the text that it stands in; "{{ name | filter }}" says
 * another one. Each filter but raw writes a whole value with its own quotes:
 *
 *     shell   'it'\''s'            json, yaml   "a \"b\""        sql    'it''s'
 *     ini     as it is; what would end the line or the value is refused
 *     url     percent-encoded      html         &lt;
 *     raw     as it is
 *
 * A value is plain where all that it can ever be stands anywhere without an escape: numbers,
 * secrets, texts that a pattern bounds to letters, digits, '_', '.' and '-'. In texts without a
 * kind, and with raw, other values are refused when the profile is checked, not when it is used.
 * "{{{{" is written as "{{".
 */
#ifndef PROFILE_TEMPLATE_H
#define PROFILE_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"

enum template_kind {
    TEMPLATE_RAW,
    TEMPLATE_SHELL,
    TEMPLATE_JSON,
    TEMPLATE_YAML,
    TEMPLATE_INI,
    TEMPLATE_SQL,
    TEMPLATE_URL,
    TEMPLATE_HTML,
};
/* "raw", "shell", ... NULL. */
extern const char *const template_kinds[];

struct template_value {
    struct str text;
    bool plain;
    bool number; /* json and yaml: written without quotes */
};

/* What a name stands for; false: nothing. */
struct template_scope {
    bool (*find)(const void *arg, struct str name, struct template_value *ret);
    const void *arg;
};

/* Every name exists, every filter exists, nothing that is not plain stands raw. The texts of the
 * values do not matter. RC_INVALID. */
MUST_CHECK enum rc template_check(struct str text, enum template_kind kind,
                                  const struct template_scope *scope, struct err *err);
/* Fill in. text passed template_check with a scope of the same names. RC_INVALID: a value that
 * this kind cannot hold (a line end in ini); RC_TOO_LARGE: longer than max. */
MUST_CHECK enum rc template_render(struct str text, enum template_kind kind,
                                   const struct template_scope *scope, size_t max,
                                   struct arena *arena, struct str *ret, struct err *err);

#endif
