/*
 * schema.h - one table a resource: decodes, bounds, encodes and documents a struct.
 *
 * The same table reads JSON from a request, query parameters of an address, flags of the command
 * line and settings of a file; writes JSON and CSV; and becomes the JSON Schema in the OpenAPI
 * document, the help text and the man page. Adding a field changes one table.
 *
 *     struct widget { uint64_t set; struct str id; struct str name; int64_t count; };
 *     static const struct field widget_fields[] = {
 *         FIELD(struct widget, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "wdg", .doc = "..."),
 *         FIELD(struct widget, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 80),
 *         FIELD(struct widget, count, INT, .min = 0, .max = 1000, .doc = "How many."),
 *     };
 *     const struct schema widget_schema =
 *         SCHEMA(struct widget, "widget", widget_fields, "A widget.");
 *
 * Every struct that is described begins with `uint64_t set`: bit i says that field i of the table
 * was present (decoding) or is to be written (encoding; schema_set_all for all). So a merge patch
 * (RFC 7396) is a decode and a look at the bits. null clears: the bit is set, the value is empty;
 * of an object it sets the bits of all its fields as well, as each of them is cleared. A required
 * field cannot be cleared. What is empty and may not be (a text with min > 0, an id, a date, an
 * object without what it requires) is written as null.
 */
#ifndef BASE_SCHEMA_H
#define BASE_SCHEMA_H

#include "base/json.h"

enum { SCHEMA_FIELDS_MAX = 64, SCHEMA_LIST_MAX = 10000 };

enum field_type {
    FIELD_TEXT,    /* struct str; min..max bound its characters (max 0: 200); UTF-8, no control
                      characters unless FIELD_MULTILINE; .prefix: an id of that kind; .words: one
                      of them */
    FIELD_INT,     /* int64_t within min..max; both 0: any */
    FIELD_BOOL,    /* bool */
    FIELD_TIME,    /* time_us; RFC 3339 text in JSON; 0 is "not set" and written as null */
    FIELD_DATE,    /* struct str "2026-11-22", checked */
    FIELD_DECIMAL, /* struct str, decimal text such as "-12.50": digits kept, never floating
                      point; at most 19 digits before and 12 behind the point */
    FIELD_WORD,    /* int64_t: index in .words, a NULL-terminated list; its text in JSON */
    FIELD_OBJECT,  /* a struct in place, described by .schema */
    FIELD_LIST,    /* struct list of structs described by .schema, or of struct str where .schema is
                      NULL (then .words or .prefix check each, or 200 characters); min..max bound
                      the count (max 0: SCHEMA_LIST_MAX) */
    FIELD_JSON,    /* const struct json *: any value of at most 32 levels, kept and written as it
                      is; null gives NULL */
    FIELD_RAW,     /* struct str: holds JSON text from the store; write only, never decoded */
};

enum field_flag {
    FIELD_REQUIRED = 1,   /* must be there when decoding whole objects, and not null */
    FIELD_READ_ONLY = 2,  /* answered, refused in requests */
    FIELD_WRITE_ONLY = 4, /* taken, never answered, never logged: passwords */
    FIELD_MULTILINE = 8,  /* line ends and tabs are welcome */
    FIELD_WIDE = 16,      /* left out of tables for people unless --wide */
};

struct schema;

struct field {
    const char *name;
    enum field_type type;
    unsigned flags;
    size_t offset;
    int64_t min;
    int64_t max;
    const char *const *words;    /* allowed values, NULL at the end */
    const char *prefix;          /* id prefix */
    const struct schema *schema; /* of the object, or of the list's items */
    const char *doc;             /* one sentence for people */
    const char *example;         /* as JSON text: "\"PAR-2\"" or "12" */
};

struct schema {
    const char *name; /* "party": the component's name in OpenAPI */
    const char *doc;
    const struct field *fields;
    size_t count;
    size_t size; /* of the struct */
};

/* items: an array of structs of schema->size bytes, or of struct str. */
struct list {
    void *items;
    size_t count;
};

#define FIELD(type_, name_, kind, ...)                                                      \
    {                                                                                       \
        .name = #name_, .type = FIELD_##kind, .offset = offsetof(type_, name_), __VA_ARGS__ \
    }
#define SCHEMA(type_, name_, fields_, doc_)                                           \
    {                                                                                 \
        .name = (name_), .doc = (doc_), .fields = (fields_), .count = COUNT(fields_), \
        .size = sizeof(type_)                                                         \
    }

/* Decode an object. WHOLE wants every required field; PATCH takes what is there. Failures are
 * RC_INVALID (RC_SYNTAX where json is no object, RC_TOO_LARGE where the arena has no room) and name
 * the field by JSON pointer: unknown, missing, wrong type, out of bounds, read-only. *ret is
 * written only on success, and then as a whole; texts point into the document. Objects in a patch
 * are patches too; the items of a list are whole. */
enum schema_mode { SCHEMA_WHOLE, SCHEMA_PATCH };
MUST_CHECK enum rc schema_decode(const struct schema *s, enum schema_mode mode,
                                 const struct json *json, struct arena *arena, void *ret,
                                 struct err *err);

/* Decode name=value pairs (query parameters, flags). Scalars, words and lists of text (values
 * separated by commas) only. Same failures; the pointer is the bare name. */
struct pair {
    struct str name;
    struct str value;
};
MUST_CHECK enum rc schema_decode_pairs(const struct schema *s, const struct pair *pairs,
                                       size_t count, struct arena *arena, void *ret,
                                       struct err *err);

/* Write the fields whose bit is set, without the write-only ones, as one JSON object. */
void schema_encode(const struct schema *s, const void *value, struct json_writer *w);
/* The same as a text of the arena; that it fits max_bytes is the caller's to know. */
struct str schema_str(const struct schema *s, const void *value, size_t max_bytes,
                      struct arena *arena);

/* Bits of all fields. */
uint64_t schema_all(const struct schema *s);
/* Index of the field with this name, or -1. */
int schema_find(const struct schema *s, struct str name);
/* The bit of the field called name in `set`. name must exist. */
uint64_t schema_bit(const struct schema *s, const char *name);
/* Whether the field called name is set in value. name must exist. */
bool schema_has(const struct schema *s, const void *value, const char *name);

/* The text of a scalar field for a table or CSV: no quotes, empty where not set; lists are joined
 * with commas, objects are compact JSON. */
struct str schema_text(const struct schema *s, size_t index, const void *value,
                       struct arena *arena);

/* JSON Schema (2020-12) of the resource as OpenAPI 3.1 wants it, as it is answered, as it is asked
 * for when something is made, and as a merge patch. Answers leave out what is write-only; requests
 * leave out what is read-only and refuse what is unknown; only a whole one lists what is required.
 * Nested schemas become "$ref"s to "#/components/schemas/NAME", NAME_input and NAME_patch. */
enum schema_view { SCHEMA_REPLY, SCHEMA_INPUT, SCHEMA_CHANGE };
void schema_describe(const struct schema *s, enum schema_view view, struct json_writer *w);
/* "", "_input", "_patch". */
const char *schema_suffix(enum schema_view view);
/* In which view the schema of a field of objects or lists is shown: the items of a list are
 * whole. */
enum schema_view schema_view_of(const struct field *f, enum schema_view view);

#endif
