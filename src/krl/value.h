/*
 * value.h - values of KRL: immutable, 16 bytes, in the arena of the activation.
 *
 * There are two nulls, as JavaScript has: undefined (the literal null, a missing argument) and null
 * (from JSON, an entity variable that is not set). Both are "Null" and equal; a default parameter
 * and a JSON member tell them apart.
 *
 * Maps keep the order of insertion, but keys that are integers come first, ascending, as in
 * JavaScript's objects. Arrays and maps that are only appended to share their storage.
 *
 * Values that other threads use too (constants of a compiled ruleset) are never written.
 */
#ifndef KRL_VALUE_H
#define KRL_VALUE_H

#include "krl/text.h"

enum {
    KRL_VALUE_DEPTH_MAX = 512, /* of nested arrays and maps, wherever one is walked */
};

enum krl_type {
    KRL_UNDEFINED, /* zeroed memory is undefined */
    KRL_NULL,
    KRL_BOOL,
    KRL_NUMBER,
    KRL_TEXT,
    KRL_REGEX,
    KRL_ARRAY,
    KRL_MAP,
    KRL_FUNCTION, /* from KRL: function or defaction */
    KRL_BUILTIN,  /* of the standard library */
    KRL_DOOR,     /* a function of a module that the host has */
    KRL_CELL,     /* internal: a variable that a function captured before it was declared */
    KRL_FAILED,   /* no value: the heap has an error */
};

struct krl_function;
struct krl_builtin;
struct krl_door;
struct krl_regex;
struct krl_array;
struct krl_map;

struct krl_value {
    enum krl_type type;
    union {
        double number;
        bool truth;
        const struct krl_text *text;
        const struct krl_array *array;
        const struct krl_map *map;
        const struct krl_regex *regex; /* regex.h */
        const struct krl_function *function;
        const struct krl_builtin *builtin;
        const struct krl_door *door;
        struct krl_value *cell;
    };
};

struct krl_items {
    size_t used;
    size_t capacity;
    struct krl_value values[];
};

struct krl_array {
    uint32_t n;
    struct krl_value *v;
    struct krl_items *room; /* v lies within; NULL: cannot grow in place */
};

struct krl_entry {
    const struct krl_text *key;
    struct krl_value value;
};

struct krl_table {
    struct krl_heap *owner; /* whose activation may write */
    uint32_t used;
    uint32_t capacity;
    uint32_t mask;   /* slots - 1; 0: no index, few entries */
    uint32_t *slots; /* index of the entry + 1 */
    uint64_t seed[2];
    struct krl_entry entries[];
};

/* Putting a key into a map makes a new map over the same table, and the old one remembers what it
 * had there: what is made step by step costs a step each, and an old map is copied only when it is
 * read again. Read entries through krl_map_at and krl_map_get alone. */
struct krl_map {
    uint32_t n;
    uint32_t integers; /* the first so many keys are integers, ascending */
    struct krl_table *table;
    const struct krl_map *newer; /* made from this one, over its table; NULL: none */
    struct krl_value old;        /* of the entry that is another in newer */
    uint32_t changed;            /* its index; KRL_MAP_LONGER: newer has one more */
};

static inline struct krl_value krl_undefined(void)
{
    return (struct krl_value){.type = KRL_UNDEFINED};
}
static inline struct krl_value krl_null(void)
{
    return (struct krl_value){.type = KRL_NULL};
}
static inline struct krl_value krl_failed(void)
{
    return (struct krl_value){.type = KRL_FAILED};
}
static inline struct krl_value krl_bool(bool truth)
{
    return (struct krl_value){.type = KRL_BOOL, .truth = truth};
}
static inline struct krl_value krl_number(double number)
{
    return (struct krl_value){.type = KRL_NUMBER, .number = number};
}
/* NULL gives KRL_FAILED, so the makers of texts, arrays and maps can be wrapped. */
static inline struct krl_value krl_of_text(const struct krl_text *t)
{
    return t == NULL ? krl_failed() : (struct krl_value){.type = KRL_TEXT, .text = t};
}
static inline struct krl_value krl_of_array(const struct krl_array *a)
{
    return a == NULL ? krl_failed() : (struct krl_value){.type = KRL_ARRAY, .array = a};
}
static inline struct krl_value krl_of_map(const struct krl_map *m)
{
    return m == NULL ? krl_failed() : (struct krl_value){.type = KRL_MAP, .map = m};
}
static inline bool krl_is_failed(struct krl_value v)
{
    return v.type == KRL_FAILED;
}
/* A text from a literal. */
struct krl_value krl_ascii(struct krl_heap *h, const char *text);

/* --- what a value is --- */

/* "Null", "Boolean", "Hex", "String", ... */
const char *krl_typeof(struct krl_value v);
/* undefined, null and NaN. */
bool krl_is_null(struct krl_value v);
/* A finite number. */
static inline bool krl_is_number(struct krl_value v)
{
    return v.type == KRL_NUMBER && __builtin_isfinite(v.number);
}
bool krl_is_collection(struct krl_value v);
/* Can be called as a function; as an action. */
bool krl_is_function(struct krl_value v);
bool krl_is_action(struct krl_value v);
/* False for undefined, null, false, 0, NaN and "". */
bool krl_truthy(struct krl_value v);

/* --- coercions --- */

/* toString of the specification. NULL: no room. */
const struct krl_text *krl_to_text(struct krl_heap *h, struct krl_value v);
/* The same, behind what is built already. False: no room. */
bool krl_add_value(struct krl_builder *b, struct krl_value v);
/* For messages: UTF-8, cut to what a sentence bears. */
struct str krl_to_message(struct krl_heap *h, struct krl_value v);
/* toNumberOrNull: false where it is null. */
bool krl_to_number(struct krl_value v, double *ret);
/* String(v) of JavaScript, which some functions use on keys: "1,2" for arrays. NULL: no room. */
const struct krl_text *krl_to_js_text(struct krl_heap *h, struct krl_value v);

/* --- equality and order --- */

/* Deep; nulls are alike, types are not. False, with the error in the heap, where it is too deep. */
bool krl_equal(struct krl_heap *h, struct krl_value a, struct krl_value b);
/* <=> of the specification: -1, 0, 1. */
int krl_compare(struct krl_heap *h, struct krl_value a, struct krl_value b);
/* cmp: always as texts. */
int krl_compare_text(struct krl_heap *h, struct krl_value a, struct krl_value b);

/* --- arrays --- */

/* n values, undefined, to be filled at once by who asked. NULL: no room. */
struct krl_array *krl_array_new(struct krl_heap *h, size_t n);
/* An array with room for more. */
struct krl_array *krl_array_reserve(struct krl_heap *h, size_t capacity);
/* The array with one more value behind; shares the storage where it can. NULL: no room. */
const struct krl_array *krl_array_push(struct krl_heap *h, const struct krl_array *a,
                                       struct krl_value v);
/* Room for more values in an array that nobody else has seen. False: no room. */
bool krl_array_grow(struct krl_heap *h, struct krl_array *a);
/* Add to such an array. False: no room. */
static inline bool krl_array_add(struct krl_heap *h, struct krl_array *a, struct krl_value v)
{
    if (UNLIKELY(a->room->used == a->room->capacity) && !krl_array_grow(h, a))
        return false;
    a->v[a->n++] = v;
    a->room->used++;
    return true;
}
/* Values from..to, shared. */
const struct krl_array *krl_array_part(struct krl_heap *h, const struct krl_array *a, size_t from,
                                       size_t to);

/* --- maps --- */

enum { KRL_MAP_LONGER = UINT32_MAX };

/* An integer key, "0" to "4294967294" without leading zeroes. */
bool krl_integer_key(const struct krl_text *key, uint32_t *ret);
struct krl_map *krl_map_new(struct krl_heap *h, size_t capacity);
/* NULL where the key is not there. */
const struct krl_value *krl_map_get(const struct krl_map *m, const struct krl_text *key);
/* The same for an ASCII literal. */
const struct krl_value *krl_map_find(const struct krl_map *m, const char *key);
/* Write into a map that nobody else has seen. False: no room. */
bool krl_map_set(struct krl_heap *h, struct krl_map *m, const struct krl_text *key,
                 struct krl_value v);
/* The same with an ASCII literal. */
bool krl_map_set_ascii(struct krl_heap *h, struct krl_map *m, const char *key, struct krl_value v);
/* The map with a key more, or another value for it. NULL: no room. */
const struct krl_map *krl_map_put(struct krl_heap *h, const struct krl_map *m,
                                  const struct krl_text *key, struct krl_value v);
/* The map without a key. NULL: no room. */
const struct krl_map *krl_map_without(struct krl_heap *h, const struct krl_map *m,
                                      const struct krl_text *key);
/* Get a map with newer ones ready to be read. Where there is no room the heap has the error, and
 * what is read is what a newer map has. */
void krl_map_recall(const struct krl_map *m);
/* The entry is good until the next put into the map. */
static inline const struct krl_entry *krl_map_at(const struct krl_map *m, size_t i)
{
    if (m->newer != NULL)
        krl_map_recall(m);
    return &m->table->entries[i];
}

#endif
