/*
 * compiler.h - inside of the compiler: functions on their way, scopes, and what is emitted.
 *
 * After the first error nothing is emitted any more; krl_compile looks at the end.
 */
#ifndef KRL_COMPILER_H
#define KRL_COMPILER_H

#include "base/map.h"
#include "krl/compile.h"
#include "krl/parse.h"

/* What is known of a variable's value: words of the official messages. */
enum known { KNOWN_NOTHING, KNOWN_FUNCTION, KNOWN_ACTION, KNOWN_ACTION_FUNCTION };

struct variable {
    struct str name;
    uint32_t slot;  /* local, or global */
    uint32_t order; /* of the declaration in its block */
    bool global;
    bool late;   /* the function being compiled comes before it */
    bool celled; /* read and written through a cell, where it has one */
    enum known known;
    struct variable *next;
};

struct scope {
    struct variable *variables;
    struct scope *outer;
};

struct words {
    uint32_t *p;
    uint32_t *places;
    uint32_t n;
    uint32_t capacity;
};

struct function {
    struct function *outer;
    struct scope *scope;
    struct words words;
    struct krl_capture *captures;
    struct variable **captured;
    uint32_t captures_n;
    uint32_t locals;
    int32_t height;
    int32_t height_max;
};

struct list_of {
    void *items;
    size_t n;
    size_t capacity;
};

struct compiler {
    struct arena *arena;
    struct krl_heap heap; /* for constants */
    struct err *err;
    struct str source;
    bool failed;
    struct function *function;
    struct scope *globals;
    uint32_t globals_n;
    struct str rule_name;
    uint32_t at;      /* place in the source */
    struct map texts; /* text to index + 1 of its constant */
    struct list_of constants;
    struct list_of protos;
    struct list_of warnings;
    struct list_of global_names;
    struct list_of rules;
    struct list_of asked;  /* struct krl_asked, of the rule in hand */
    uint32_t asked_events; /* of that rule, so far; 0: outside of rules */
    struct list_of shares;
    struct list_of provides;
    struct list_of uses;
    struct krl_code *code;
};

/* --- errors --- */

/* "Error: text [at ...]". */
void compiler_refuse(struct compiler *c, uint32_t at, const char *format, ...) PRINTF(3, 4);
/* The byte at which a word of the source stands, for compiler_refuse. */
uint32_t compiler_place(const struct compiler *c, struct str word);
void compiler_too_large(struct compiler *c, const char *what);
void compiler_warn(struct compiler *c, uint32_t at, struct str text);

/* --- emitting --- */

/* Room for one more item of the size; NULL after an error. */
void *list_more(struct compiler *c, struct list_of *list, size_t size);
/* Returns the index of the word. */
uint32_t emit(struct compiler *c, enum krl_op op, int64_t operand);
/* The same where the operand says how the stack changes. */
uint32_t emit_effect(struct compiler *c, enum krl_op op, int64_t operand, int32_t effect);
/* Let the jump at the word lead to the next word. */
void emit_land(struct compiler *c, uint32_t jump);
/* A jump to a word that is there already. */
void emit_back_to(struct compiler *c, uint32_t word);
uint32_t constant_text(struct compiler *c, struct str text);
uint32_t constant_value(struct compiler *c, struct krl_value v);
const struct krl_text *compiler_text(struct compiler *c, struct str text);

/* --- scopes --- */

void scope_push(struct compiler *c, struct scope *scope);
void scope_pop(struct compiler *c);
struct variable *declare(struct compiler *c, struct str name, enum known known);
/* A local without a name. */
uint32_t declare_hidden(struct compiler *c);
/* The value on the stack becomes the variable's. */
void emit_set(struct compiler *c, const struct variable *v);
/* Push the variable or the builtin; *ret_known may be NULL. */
void emit_id(struct compiler *c, struct str name, uint32_t at, enum known *ret_known);
/* NULL: not a variable. *ret_owner: the function it is a local of, NULL for globals. */
struct variable *find_variable(struct compiler *c, struct str name, struct function **ret_owner);

/* --- functions --- */

void function_begin(struct compiler *c, struct function *f);
/* NULL after an error. */
struct krl_proto *function_end(struct compiler *c, struct str name);
/* Reserve the index of a proto, and fill it. */
uint32_t proto_reserve(struct compiler *c);
void proto_put(struct compiler *c, uint32_t index, struct krl_proto *proto);

/* --- parts --- */

/* The source names an attribute of the event. */
void compiler_note_asked(struct compiler *c, struct str name);

void compile_expression(struct compiler *c, const struct ast *e);
/* "domain:name": called, or its value. */
void compile_domain(struct compiler *c, const struct ast *e, bool called);
/* Declarations, functions last; their code in the order of the source. */
void compile_declarations(struct compiler *c, const struct ast *list);
void compile_block(struct compiler *c, const struct ast *block, const struct variable *fired);
/* The call of what lies below the arguments; effects included. */
void compile_arguments(struct compiler *c, const struct ast *first, const struct ast *rest,
                       bool action);
void compile_rule(struct compiler *c, const struct ast *rule);
/* NULL after an error. */
struct krl_select *compile_when(struct compiler *c, const struct ast *when);

#endif
