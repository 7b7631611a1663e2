/*
 * code.h - a compiled ruleset: immutable, shared by all picos and threads that use it.
 *
 * Code is for a stack machine: words of 32 bits, the operation in the low 8, its operand in the
 * other 24 (signed where it is a jump). Every function has its own code; all share the constants.
 * Whoever made the code owns its arena, and keeps it as long as anything runs it.
 */
#ifndef KRL_CODE_H
#define KRL_CODE_H

#include "krl/lex.h"
#include "krl/select.h"
#include "krl/value.h"

enum {
    KRL_PARAMS_MAX = 64,
    KRL_LOCALS_MAX = 4000, /* variables of one function; 12 bits in KRL_OP_CLEAR */
    KRL_ARGS_MAX = 255,    /* of one call */
    KRL_OPERAND_MAX = 0x7FFFFF,
};

/* The operations are listed in ops.def. */
enum krl_op {
#define X(name, effect) KRL_OP_##name,
#include "krl/ops.def"
#undef X
    KRL_OP_COUNT
};

static inline uint32_t krl_word(enum krl_op op, int32_t operand)
{
    return (uint32_t)op | (uint32_t)operand << 8;
}
static inline enum krl_op krl_word_op(uint32_t word)
{
    return (enum krl_op)(word & 0xFF);
}
static inline int32_t krl_word_operand(uint32_t word)
{
    return (int32_t)word >> 8;
}

/* Where a closure finds what it captures when it is made. */
struct krl_capture {
    uint16_t index;
    bool from_upvalue; /* of the function around; else a local of it */
    bool make_cell;    /* the variable gets its value later */
};

struct krl_proto {
    struct str name; /* for messages; empty where it has none */
    const uint32_t *code;
    const uint32_t *places; /* byte of the source for each word */
    uint32_t code_n;
    uint16_t params;
    uint16_t locals; /* parameters included */
    uint16_t stack;  /* values above the locals, at most */
    uint16_t captures_n;
    const struct krl_capture *captures;
    const struct krl_text *const *param_names;
    bool is_action;
};

struct krl_warning {
    struct krl_place place;
    struct str text;
};

struct krl_meta_use {
    struct str rid;
    struct str alias; /* the rid where it has none */
};

/* An attribute that the source of a rule names: those of its first events_n events may have it. */
struct krl_asked {
    const struct krl_text *name;
    uint32_t events_n;
};

struct krl_rule {
    struct str name;
    struct krl_select select;
    const struct krl_proto *body;
    const struct krl_asked *asked;
    uint32_t asked_n;
};

/* A name and the global variable behind it. */
struct krl_export {
    struct str name;
    uint32_t global;
};

struct krl_code {
    struct str rid; /* empty: a list of expressions */
    struct str source;
    struct str meta_name; /* where they are literals */
    struct str meta_version;
    struct str meta_description;
    struct str meta_author;
    const struct krl_value *constants;
    const struct krl_proto *const *protos;
    const struct krl_proto *init; /* evaluates the globals; its result is that of a program */
    const struct str *global_names;
    const struct krl_rule *rules;
    const struct krl_export *shares;
    const struct krl_export *provides;
    const struct krl_meta_use *uses;
    const struct krl_warning *warnings;
    uint32_t constants_n;
    uint32_t protos_n;
    uint32_t globals_n;
    uint32_t rules_n;
    uint32_t shares_n;
    uint32_t provides_n;
    uint32_t uses_n;
    uint32_t warnings_n;
};

/* --- what can be called --- */

struct krl_instance;

/* A function or action of KRL with what it captured. */
struct krl_function {
    const struct krl_proto *proto;
    struct krl_instance *instance;
    struct krl_value upvalues[];
};

enum krl_kind { KRL_KIND_FUNCTION, KRL_KIND_ACTION, KRL_KIND_BOTH };

struct krl_machine;

enum { KRL_BUILTIN_PARAMS_MAX = 7 };

struct krl_builtin {
    const char *name;
    const char *params[KRL_BUILTIN_PARAMS_MAX];
    /* n are the arguments given, which the caller has cut to params_n. KRL_FAILED: an error. */
    struct krl_value (*run)(struct krl_machine *m, const struct krl_value *args, size_t n);
    enum krl_kind kind;
    uint8_t params_n;
    /* Calls functions itself: pushes a loop (loop.h) instead of giving a value. */
    bool loops;
};

/* The table of the standard library, sorted as lib.c lists it. */
extern const struct krl_builtin krl_builtins[];
extern const size_t krl_builtins_n;
/* Its index; SIZE_MAX: there is none. */
size_t krl_builtin_find(struct str name);

enum { KRL_DOOR_FUNCTION = 1, KRL_DOOR_ACTION = 2, KRL_DOOR_PROPERTY = 4 };

/* A member of a module that the host has. */
struct krl_door {
    const struct krl_text *domain;
    const struct krl_text *name;
    unsigned kinds;            /* KRL_DOOR_* */
    const char *const *params; /* names, ended by NULL */
};

#endif
