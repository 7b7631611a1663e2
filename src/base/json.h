/*
 * json.h - strict JSON (RFC 8259) in an arena: read into flat nodes, written through a buf.
 *
 * Reading refuses: anything but exactly one value, bytes that are not UTF-8, control characters in
 * strings, lone surrogates, NUL in strings, duplicate keys, more than JSON_DEPTH_MAX levels, more
 * than JSON_TEXT_MAX bytes. Numbers keep their text: an integer is read exactly as int64 or
 * refused, a fraction is never turned into floating point.
 *
 * Schemas (schema.h) decode a struct from a node and encode it; use them for everything that has
 * a fixed shape. Why our own reader: docs/decisions/0002-own-json-reader.md.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"

enum { JSON_DEPTH_MAX = 64, JSON_TEXT_MAX = 64 * 1024 * 1024 };

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* One value. The nodes of a document lie in one array, in the order of the text: the first child
 * of a container is the node behind it; skip says how many nodes a value takes, so node + skip is
 * the next sibling. Opaque but for json_* calls. 24 bytes. */
struct json {
    const char *p; /* text of a number; bytes of a string, escapes resolved */
    uint32_t n;    /* bytes of it; children of a container (an object counts members) */
    uint32_t skip; /* nodes of this value, itself and its keys included */
    uint8_t type;  /* enum json_type */
};

/* Parse text; *ret is the root and lives in the arena. Strings without escapes point into text,
 * which must live as long. The arena needs room for about 24 bytes a value (12 times the text in
 * the worst case, "[[[[" is refused long before). RC_SYNTAX with line and column, RC_TOO_LARGE
 * where a bound is passed or the arena has no room. */
MUST_CHECK enum rc json_parse(struct str text, struct arena *arena, const struct json **ret,
                              struct err *err);

static inline enum json_type json_type(const struct json *j)
{
    return (enum json_type)j->type;
}

/* "a string", "an object": for messages. */
const char *json_type_name(enum json_type type);

/* The text of a string or of a number. */
struct str json_text(const struct json *j);
/* An integer without fraction and exponent that fits int64; false on any other node. */
MUST_CHECK bool json_i64(const struct json *j, int64_t *ret);

/* Children in order: for (c = json_first(j); c; c = json_next(j, c)). For objects c is the
 * member's value and json_key(c) its name. */
const struct json *json_first(const struct json *container);
const struct json *json_next(const struct json *container, const struct json *child);
struct str json_key(const struct json *member_value);
/* The member with this name, or NULL. */
const struct json *json_get(const struct json *object, struct str key);

/* --- writing --- */

/* Writes one document into buf; commas and nesting are kept by the writer, and a wrong order of
 * calls is an assertion. Nothing fails: test buf->full at the end. */
struct json_writer {
    struct buf *buf;
    uint8_t depth;
    bool pretty; /* two spaces a level, for people */
    uint8_t state[JSON_DEPTH_MAX + 1];
};

void json_writer_init(struct json_writer *w, struct buf *buf);
void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
/* The name of the next member. */
void json_put_key(struct json_writer *w, struct str key);
/* s is UTF-8 without NUL (bytes that are not are written as U+FFFD). */
void json_put_str(struct json_writer *w, struct str s);
void json_put_i64(struct json_writer *w, int64_t value);
void json_put_bool(struct json_writer *w, bool value);
void json_put_null(struct json_writer *w);
/* A value that was read before, written in canonical form: no spaces. */
void json_put_node(struct json_writer *w, const struct json *node);
/* text is one whole JSON value already (from json_writer, say); copied as it is. */
void json_put_raw(struct json_writer *w, struct str text);

#endif
