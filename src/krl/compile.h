/*
 * compile.h - from a source to code (code.h), with the official checks.
 *
 * Errors read "Error: Undefined id: x [at line 3 col 7]". What only warns is in code->warnings.
 */
#ifndef KRL_COMPILE_H
#define KRL_COMPILE_H

#include "krl/code.h"

enum {
    KRL_COMPILE_BYTES =
        768 * 1024 * 1024 /* an arena of this limit takes every source there may be */
};

/* Compile a ruleset, or a list of declarations and expressions. *ret and all it points to live in
 * the arena, and so does a copy of the source. RC_SYNTAX: it is wrong, and the sentence says where.
 * RC_TOO_LARGE: a bound is passed, or the arena has no room. */
MUST_CHECK enum rc krl_compile(struct str source, struct arena *arena, const struct krl_code **ret,
                               struct err *err);

#endif
