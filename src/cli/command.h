/*
 * command.h - what can be typed: commands, their flags, and one command line taken apart.
 *
 * A command is a route with .cli, or one of our own (the table in command.c), which may stand in
 * front of a route with the same words to show more. Flags follow from the route's schemas:
 *
 *     field "tax_ids"            --tax-ids scheme=vat,value=FR00   (list of objects: repeated)
 *     field "city" of "address"  --address.city Paris
 *     field "taxable" (bool)     --taxable, --no-taxable
 *     field "password" (write only)  --password-file FILE; it is asked for where it is required
 *
 * so a secret never stands on the command line, where every user of the machine could read it.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "api/route.h"
#include "cli/cli.h"

enum {
    COMMAND_WORDS_MAX = 4,  /* "me totp confirm" has 3 */
    COMMAND_ARGS_MAX = 512, /* on one command line */
    FLAG_DEPTH_MAX = 4,     /* "--party.address.city" has 3 */
};

enum flag_kind {
    FLAG_OWN,    /* of the command line itself: --json */
    FLAG_QUERY,  /* a field of the query schema */
    FLAG_BODY,   /* a field of the body schema */
    FLAG_SECRET, /* names the file that holds a write-only field of the body schema */
};

struct flag {
    struct str name; /* as typed behind "--": "address.city", "tax-ids", "password-file" */
    struct str path; /* of the field, dots between: "address.city", "tax_ids" */
    const struct field *field; /* NULL for FLAG_OWN */
    const char *value;         /* what stands for its value in help: "FILE"; NULL: takes none */
    const char *doc;
    enum flag_kind kind;
    bool repeats;
};

struct given {
    const struct flag *flag;
    struct str value; /* "true" and "false" for bools; empty where the flag takes none */
};

struct args {
    const struct flag *flags;
    size_t flag_count;
    struct given *given; /* in the order of the command line */
    size_t given_count;
    struct str *words; /* what stands there without a flag, behind the words of the command */
    size_t word_count;
};

struct run;

struct command {
    const char *words;         /* "party list" */
    const char *synopsis;      /* behind the words: "[URL]"; NULL: the route's path parameters */
    const struct route *route; /* NULL: none */
    enum rc (*run)(struct run *run); /* NULL: the route alone */
    const struct flag *flags;        /* own, ended by an empty name; may be NULL */
    bool route_flags;                /* the flags of the route are taken too */
    const char *leave_out;           /* but for this field of its body; may be NULL */
    size_t words_max;                /* arguments without flag, where synopsis is given */
    const char *doc;
};

/* One command on its way. All memory is the arena's. */
struct run {
    struct cli *cli;
    struct arena *arena;
    struct err *err;
    const struct command *command;
    struct args args;
    struct str more; /* lines below the error: the request id, what to do */
};

/* All commands: our own first, then those of the routes in the order of the table. */
const struct command *command_list(struct arena *arena, size_t *ret_count);
/* The command whose words argv begins with (the longest such), NULL where there is none. */
const struct command *command_find(const struct command *list, size_t count, int argc,
                                   char *const *argv, size_t *ret_words);
/* "party" of "party list"; the whole where it is one word. */
struct str command_noun(const struct command *c);
/* "PARTY USER", "[PARTY] USER", or the command's own synopsis. */
struct str command_synopsis(const struct command *c, struct arena *arena);
/* Whether the party in front may be left out, and is then the one that the user acts for: where
 * something of a party is read, or added to it; never where a party itself is changed or ended. */
bool command_own_party(const struct command *c);
/* Flags that the command takes: of the query, of the body, its own, those of every command. */
const struct flag *command_flags(const struct command *c, struct arena *arena, size_t *ret_count);

/* Take apart what stands behind the words of the command. RC_SYNTAX names what is unknown, missing
 * or twice, and the flag that may have been meant. */
MUST_CHECK enum rc args_parse(const struct command *c, int argc, char *const *argv,
                              struct arena *arena, struct args *ret, struct err *err);
/* Whether a flag was given. name must be one the command may have. */
bool args_has(const struct args *a, const char *name);
/* Its value, empty where it was not given; the last where it repeats. */
struct str args_get(const struct args *a, const char *name);
/* The same for a field: kind and path of the flag. NULL where it was not given. */
const struct given *args_field(const struct args *a, enum flag_kind kind, struct str path);

#endif
