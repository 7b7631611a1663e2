/*
 * peek.h - look into answers whose shape is not known for sure: what is missing, or of another
 * type, is empty and no failure.
 */
#ifndef CLI_PEEK_H
#define CLI_PEEK_H

#include "base/json.h"

/* The member of an object; NULL where object is NULL or none, or has no such member. */
const struct json *peek(const struct json *object, const char *key);
/* Its text where it is a string, else empty. */
struct str peek_text(const struct json *object, const char *key);
/* Its number where it is a whole one that fits, else 0. */
int64_t peek_number(const struct json *object, const char *key);
/* It is there, and true. */
bool peek_true(const struct json *object, const char *key);
/* The member where it is an array, else NULL. */
const struct json *peek_array(const struct json *object, const char *key);

#endif
