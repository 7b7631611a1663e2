/*
 * lib.h - the standard library, as functions on values. The table of what rulesets can name is
 * krl_builtins (code.h); here is what the machine calls itself.
 *
 * All return KRL_FAILED after an error.
 */
#ifndef KRL_LIB_H
#define KRL_LIB_H

#include "krl/machine.h"

typedef struct krl_value krl_lib_fn(struct krl_machine *m, const struct krl_value *args, size_t n);

/* --- operators --- */

struct krl_value krl_add(struct krl_machine *m, struct krl_value a, struct krl_value b);
struct krl_value krl_subtract(struct krl_machine *m, struct krl_value a, struct krl_value b);
struct krl_value krl_multiply(struct krl_machine *m, struct krl_value a, struct krl_value b);
struct krl_value krl_divide(struct krl_machine *m, struct krl_value a, struct krl_value b);
struct krl_value krl_modulo(struct krl_machine *m, struct krl_value a, struct krl_value b);
struct krl_value krl_negate(struct krl_machine *m, struct krl_value a);
struct krl_value krl_like(struct krl_machine *m, struct krl_value a, struct krl_value b);
/* >< */
struct krl_value krl_contains(struct krl_machine *m, struct krl_value a, struct krl_value b);

/* --- paths --- */

struct krl_value krl_get(struct krl_machine *m, struct krl_value v, struct krl_value path);
struct krl_value krl_set(struct krl_machine *m, struct krl_value v, struct krl_value path,
                         struct krl_value value);
struct krl_value krl_delete(struct krl_machine *m, struct krl_value v, struct krl_value path);
/* "v.name" without a call. */
struct krl_value krl_property(struct krl_machine *m, struct krl_value v,
                              const struct krl_text *name);

/* --- modules --- */

/* A module that needs no engine. */
struct krl_module {
    const char *domain;
    const struct krl_builtin *members; /* ended by a name of NULL */
    const char *const *properties;     /* ended by NULL; NULL: none */
    /* The i-th of them; event is NULL where there is none to be seen. */
    struct krl_value (*property)(struct krl_machine *m, const struct krl_event *event, size_t i);
};
extern const struct krl_module krl_modules[];
extern const size_t krl_modules_n;

/* "domain:name": what is called, or the value where it is a property. */
struct krl_value krl_module_member(struct krl_machine *m, struct krl_instance *instance,
                                   const struct krl_text *domain, const struct krl_text *name,
                                   bool called);
/* 0 <= x < 1. */
double krl_chance(struct krl_machine *m);

/* --- help for the parts of the library --- */

/* TypeError with one or two values in it: %.*s each. */
struct krl_value krl_type_error(struct krl_machine *m, const char *format, struct krl_value a,
                                struct krl_value b);
/* The i-th argument; undefined where it was not given. */
static inline struct krl_value krl_arg(const struct krl_value *args, size_t n, size_t i)
{
    return i < n ? args[i] : krl_undefined();
}
/* A regular expression from a value, as RegExp(toString(v)). NULL: an error. */
const struct krl_regex *krl_to_regex(struct krl_machine *m, struct krl_value v);
/* Decode JSON as JSON.parse; KRL_FAILED without an error in the heap where it is none. */
struct krl_value krl_json_parse(struct krl_heap *h, const struct krl_text *text);
/* The same, and the unit at which reading ended. */
struct krl_value krl_json_parse_at(struct krl_heap *h, const struct krl_text *text, size_t *ret_at);
struct krl_value krl_base64(struct krl_heap *h, struct str bytes);
/* math:hashAlgorithms */
struct krl_value krl_hash_algorithms(struct krl_heap *h);
/* encode(v, indent): undefined where JSON.stringify gives undefined. */
struct krl_value krl_json_encode(struct krl_heap *h, struct krl_value v, int indent);
/* As JSON.stringify, which is how answers and events leave: members that are undefined or functions
 * are left out, what is no finite number is null. Undefined where that gives undefined. */
struct krl_value krl_json_stringify(struct krl_heap *h, struct krl_value v);
/* What is left of a value when JSON has carried it. */
struct krl_value krl_json_carry(struct krl_heap *h, struct krl_value v);

/* The functions of the table, by the file they are in. */
krl_lib_fn lib_as, lib_isnull, lib_typeof, lib_klog, lib_sprintf, lib_defaults_to, lib_shift_right,
    lib_shift_left, lib_band, lib_bor, lib_bxor, lib_bnot, lib_chr, lib_range, lib_noop,
    lib_send_directive, lib_cmp, lib_like, lib_decode, lib_encode;
krl_lib_fn lib_hash, lib_hmac, lib_word, lib_base64encode, lib_base64decode;
krl_lib_fn lib_capitalize, lib_lc, lib_uc, lib_ord, lib_length, lib_trim, lib_trim_leading,
    lib_trim_trailing, lib_substr, lib_starts_with, lib_ends_with, lib_contains, lib_split,
    lib_match, lib_extract, lib_replace;
krl_lib_fn lib_append, lib_head, lib_tail, lib_index, lib_join, lib_is_empty, lib_reverse,
    lib_slice, lib_splice, lib_unique, lib_once, lib_duplicates, lib_union, lib_intersection,
    lib_difference, lib_has;
krl_lib_fn lib_keys, lib_values, lib_get, lib_set, lib_put, lib_delete;
krl_lib_fn lib_all, lib_any, lib_none, lib_notall, lib_filter, lib_map, lib_collect, lib_pairwise,
    lib_reduce, lib_sort;
/* replace with a function, from lib_replace. */
struct krl_value lib_replace_by(struct krl_machine *m, const struct krl_text *text,
                                const struct krl_regex *re, struct krl_value fn);

#endif
