/*
 * ast.h - the tree of a KRL source: what the parser makes and the compiler reads, then forgotten.
 *
 * One kind of node for all. Which members a kind uses stands beside it; lists are linked by next.
 * No node lies deeper than KRL_TREE_DEPTH_MAX below the root, so that walking it may recurse.
 */
#ifndef KRL_AST_H
#define KRL_AST_H

#include "krl/lex.h"

enum { KRL_TREE_DEPTH_MAX = 400 };

enum ast_kind {
    /* expressions */
    AST_NULL,
    AST_BOOL,        /* op: 1 is true */
    AST_NUMBER,      /* number */
    AST_STRING,      /* text: UTF-8 */
    AST_REGEX,       /* text: pattern, text2: flags */
    AST_CHEVRON,     /* list: strings and expressions */
    AST_ID,          /* text */
    AST_DOMAIN_ID,   /* text: domain, text2: name */
    AST_ARRAY,       /* list */
    AST_MAP,         /* list of AST_PAIR */
    AST_PAIR,        /* a: AST_STRING, b: value */
    AST_INFIX,       /* op, a, b */
    AST_UNARY,       /* op, a */
    AST_CONDITIONAL, /* a: test, b, c */
    AST_DOT,         /* a: object, b: AST_ID or AST_DOMAIN_ID */
    AST_PATH,        /* a: object, b: key or path */
    AST_INDEX,       /* a: object, b: key */
    AST_CALL,        /* a: callee, list: arguments, some AST_NAMED */
    AST_NAMED,       /* text, a */
    AST_FUNCTION,    /* list2: parameters, list: declarations, a: result */
    AST_DEFACTION,   /* list2: parameters, list: declarations, b: block, a: result or NULL */
    AST_PARAMETER,   /* text, a: default or NULL */
    AST_DECLARATION, /* text, a */
    /* rulesets */
    AST_PROGRAM, /* list: declarations and expressions */
    AST_RULESET, /* text: rid, a: version, list: meta, list2: global, list3: rules; op: has meta */
    AST_META,    /* text: key, op: enum ast_meta, a: value, list: ids or declarations, text2: rid */
    AST_RULE,    /* text, op: active, a: select, list: foreach, list2: pre, b: block, c: postlude */
    AST_WHEN,    /* a: event expression, b: within or NULL, number: milliseconds of its period */
    AST_WHERE,   /* a */
    AST_FOREACH, /* a, list: AST_ID */
    AST_BLOCK,   /* op: enum ast_block, a: condition, b: discriminant, list: actions */
    AST_ACTION,  /* text: label, a: AST_ID or AST_DOMAIN_ID, list: arguments, list2: setting */
    AST_POSTLUDE,   /* a: fired, b: notfired, c: always; each an AST_STATEMENTS or NULL */
    AST_STATEMENTS, /* list */
    /* statements; op bit 0: on final; d: the condition of "if" */
    AST_ENT_SET,   /* text: name, a: path or NULL, b: value */
    AST_ENT_CLEAR, /* text: name, a: path or NULL */
    AST_RAISE,     /* text: domain or empty, a: type, b: for, c: attributes */
    AST_SCHEDULE,  /* text: domain, a: type, b: at or repeat (kind), c: attributes, list: setting */
    AST_LOG,       /* text: level, a */
    AST_ERROR,     /* text: level, a */
    AST_LAST,
    /* event expressions */
    AST_EVENT,       /* text: domain, text2: type, list: AST_MATCH, list2: setting, a: where,
                        b: AST_AGGREGATE or NULL; op bits 1, 2: deprecated forms */
    AST_MATCH,       /* text: attribute, a: regex */
    AST_AGGREGATE,   /* text: max, min, sum, avg or push; list: AST_ID */
    AST_EVENT_OP,    /* op: enum ast_event, list: operands, number: of any */
    AST_EVENT_GROUP, /* op: enum ast_event, number, a: AST_EVENT */
};

enum ast_op {
    AST_OP_OR,
    AST_OP_AND,
    AST_OP_EQ,
    AST_OP_NE,
    AST_OP_LT,
    AST_OP_LE,
    AST_OP_GT,
    AST_OP_GE,
    AST_OP_LIKE,
    AST_OP_HAS,   /* >< */
    AST_OP_ORDER, /* <=> */
    AST_OP_CMP,
    AST_OP_ADD,
    AST_OP_SUB,
    AST_OP_MUL,
    AST_OP_DIV,
    AST_OP_MOD,
    AST_OP_PLUS, /* unary */
    AST_OP_MINUS,
    AST_OP_NOT,
};

enum ast_meta {
    AST_META_NAME,
    AST_META_VERSION,
    AST_META_DESCRIPTION,
    AST_META_AUTHOR,
    AST_META_LOGGING,
    AST_META_SHARES,
    AST_META_PROVIDES,
    AST_META_USE, /* text2: rid, text: alias or empty, list: with */
    AST_META_CONFIGURE,
    AST_META_KEYS,
    AST_META_ERRORS,
    AST_META_PROVIDES_KEYS,
};

enum ast_block { AST_EVERY, AST_SAMPLE, AST_CHOOSE };

enum ast_event {
    AST_EVENT_OR,
    AST_EVENT_AND,
    AST_EVENT_BEFORE,
    AST_EVENT_THEN,
    AST_EVENT_AFTER,
    AST_EVENT_BETWEEN,
    AST_EVENT_NOT_BETWEEN,
    AST_EVENT_ANY,
    AST_EVENT_COUNT,
    AST_EVENT_REPEAT,
};

struct ast {
    uint8_t kind; /* enum ast_kind */
    uint8_t op;
    uint16_t depth; /* of the tree below */
    uint32_t start; /* byte of the source that messages name */
    uint32_t end;
    struct str text;
    struct str text2;
    double number;
    struct ast *a;
    struct ast *b;
    struct ast *c;
    struct ast *d;
    struct ast *list;
    struct ast *list2;
    struct ast *list3;
    struct ast *next;
};

#endif
