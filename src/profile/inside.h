/*
 * inside.h - what the files of the profile language share. Private to profile/.
 */
#ifndef PROFILE_INSIDE_H
#define PROFILE_INSIDE_H

#include "profile/profile.h"

/* Names that a template of the profile may use, for checking: values are empty, plain says what
 * they can be. */
enum profile_place {
    PLACE_RESOURCES, /* parameters alone */
    PLACE_SERVICE,   /* and secrets, the house's, needs */
    PLACE_PUBLISHED, /* and facts */
};
struct profile_names {
    const struct profile *profile;
    enum profile_place place;
};
bool profile_names_find(const void *arg, struct str name, struct template_value *ret);
/* The fact of a port that a name means: "address", "postgresql.port". */
bool profile_is_fact(const struct profile *p, struct str name);

/* Whether all that the parameter can be stands anywhere without an escape. */
bool parameter_is_plain(const struct profile_parameter *p);
int64_t parameter_max_length(const struct profile_parameter *p);
/* One value by the parameter's rules; json NULL: what was left out. RC_INVALID without a pointer.
 */
MUST_CHECK enum rc parameter_take(const struct profile_parameter *p, const struct json *json,
                                  struct arena *arena, struct template_value *ret, struct err *err);

/* The semantics that tables cannot say; the pointer names the field. */
MUST_CHECK enum rc profile_check(const struct profile *p, struct arena *arena, struct err *err);

/* struct template_scope over profile_values. */
bool profile_values_find(const void *arg, struct str name, struct template_value *ret);

#endif
