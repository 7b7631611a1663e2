/*
 * schema_field.h - the rules of one field, shared by those who work by table: JSON and pairs in
 * and out (schema*.c) and settings (conf.c). Not for other folders.
 *
 * Failures are RC_INVALID with a sentence that names the subject and says what was wanted; the
 * pointer is left empty, as only the caller knows the path.
 */
#ifndef BASE_SCHEMA_FIELD_H
#define BASE_SCHEMA_FIELD_H

#include "base/schema.h"

enum {
    FIELD_TEXT_MAX = 200,     /* characters of a text field that names no maximum */
    FIELD_DIGITS_BEFORE = 19, /* of a decimal */
    FIELD_DIGITS_BEHIND = 12,
    FIELD_SHOWN_MAX = 48, /* bytes of a wrong value that a sentence repeats */
};

/* What a sentence is about: "field 'city'", "entry 3 of parameter 'tags'". */
struct subject {
    const char *noun; /* "field", "parameter", "setting" */
    const char *name;
    size_t entry; /* of a list, from 1; 0: the field itself */
};

/* RC_INVALID: the subject and then the sentence. */
enum rc field_refuse(const struct subject *at, struct err *err, const char *format, ...)
    PRINTF(3, 4);
/* "there is no field 'nmae'; did you mean 'name'?" */
enum rc field_refuse_unknown(const struct schema *s, const char *noun, struct str name,
                             struct err *err);
/* At most FIELD_SHOWN_MAX bytes of s, whole characters, control characters as '?'. */
struct field_shown {
    char text[FIELD_SHOWN_MAX + 4];
};
struct field_shown field_show(struct str s);

/* The longest text in characters, the most items. */
int64_t field_max(const struct field *f);
/* Whether the empty text is a value of this field, and not just "nothing". */
bool field_takes_empty(const struct field *f);
/* Whether requests may hold the field. */
bool field_is_taken(const struct field *f);

/* Check a text and put it into ret: struct str for TEXT, DATE and DECIMAL, time_us for TIME,
 * int64_t for WORD. text is UTF-8 and lives as long as ret. */
MUST_CHECK enum rc field_take_text(const struct field *f, const struct subject *at, struct str text,
                                   void *ret, struct err *err);
MUST_CHECK enum rc field_take_int(const struct field *f, const struct subject *at, int64_t value,
                                  int64_t *ret, struct err *err);
/* A number that does not fit 64 bits, as text. */
enum rc field_refuse_int(const struct field *f, const struct subject *at, struct str text,
                         struct err *err);
MUST_CHECK enum rc field_take_count(const struct field *f, const struct subject *at, size_t count,
                                    struct err *err);
/* Text of any field that a person may type: scalars, and lists of text with commas between. */
MUST_CHECK enum rc field_take_typed(const struct field *f, const struct subject *at,
                                    struct str text, struct arena *arena, void *ret,
                                    struct err *err);

/* Whether the field of the struct at value is empty although its rule allows no such value: it was
 * cleared, or never set. */
bool field_is_nothing(const struct field *f, const void *value);
/* The value of one field as JSON; value is the struct that holds it. */
void field_encode(const struct field *f, const void *value, struct json_writer *w);
/* The text of a WORD. An index outside the list is a mistake of ours. */
struct str field_word(const struct field *f, int64_t index);

static inline void *field_of(const struct field *f, void *value)
{
    return (char *)value + f->offset;
}

static inline const void *field_of_const(const struct field *f, const void *value)
{
    return (const char *)value + f->offset;
}

/* Every described struct begins with its bits. */
static inline uint64_t schema_bits(const void *value)
{
    return *(const uint64_t *)value;
}

static inline void schema_set_bit(void *value, size_t index)
{
    *(uint64_t *)value |= UINT64_C(1) << index;
}

#endif
