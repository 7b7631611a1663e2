/*
 * regex.h - regular expressions of ECMAScript (without the flags u, m, s, y), on UTF-16 units.
 *
 * A pattern is compiled to a small program once; matching backtracks on a stack of its own, in the
 * activation's memory, and pays a step of the heap's budget for every move, so that a catastrophic
 * pattern ends with the budget's sentence. Named groups, lookbehind, backreferences and the old
 * forms of Annex B are there; Unicode property escapes are not, as they need the flag u.
 */
#ifndef KRL_REGEX_H
#define KRL_REGEX_H

#include "base/scan.h"
#include "krl/text.h"

enum {
    KRL_REGEX_GROUPS_MAX = 100,  /* groups that capture, the whole included */
    KRL_REGEX_NODES_MAX = 20000, /* of a pattern */
    KRL_REGEX_DEPTH_MAX = 64,    /* of groups in groups */
    KRL_REGEX_NONE = -1,         /* a group that took no part */
    KRL_REGEX_LITERAL_MAX = 16,
    KRL_REGEX_FIRST_UNITS = 129, /* ASCII, and one that stands for all others */
};

/* How every match begins: what tells places apart where none can (regex_first.c). */
struct krl_regex_first {
    uint8_t units_n; /* so many units at the front are known; 0: none, a match may be empty */
    uint8_t units[KRL_REGEX_FIRST_UNITS]; /* bit k: may be the unit at k */
    uint8_t literal_n; /* so many are always the same ASCII units, case and all */
    char literal[KRL_REGEX_LITERAL_MAX];
    /* Two of those places, or one twice, that few ASCII units fit. */
    uint8_t place[2];
    struct scan_set fits[2];
    bool at_start; /* it only matches at 0 */
};

struct krl_regex {
    const struct krl_text *source;
    bool global;
    bool ignore_case;
    uint16_t groups;    /* captures, the whole match included */
    uint16_t registers; /* of the program: captures, loops */
    uint32_t code_n;
    const uint32_t *code;
    const struct krl_text **names; /* of each group; NULL: it has none */
    bool straight;                 /* regex_straight.c */
    bool one_run;                  /* it is one loop over one unit, at least once */
    const uint32_t *front;         /* an endless loop that it begins with, where the unit behind it
                                      tells its matches better than the loop's; NULL: none such */
    struct scan_set behind;        /* which ASCII units that can be */
    const uint32_t *rest;          /* of the program, behind that unit */
    struct krl_regex_first first;
};

struct krl_match {
    int32_t at[2 * KRL_REGEX_GROUPS_MAX]; /* begin and end of each group, or KRL_REGEX_NONE */
};

/* Compile; flags are of "gim", m is dropped. NULL with RC_INVALID and
 * "SyntaxError: Invalid regular expression: /.../: why" in the heap. */
const struct krl_regex *krl_regex(struct krl_heap *h, const struct krl_text *source,
                                  const struct krl_text *flags);

/* The first match at or after from. False where there is none or where the budget ended
 * (krl_failing). */
bool krl_regex_match(struct krl_heap *h, const struct krl_regex *re, const struct krl_text *t,
                     size_t from, struct krl_match *ret);

/* One text searched for one match after the other. What was seen of the text is remembered, so that
 * matches that lie near one another cost one look. */
struct krl_search {
    struct krl_heap *heap;
    const struct krl_regex *re;
    const struct krl_text *text;
    size_t seen;     /* where the units begin that bits tell of */
    uint64_t bits;   /* which of them are in the one set that this pattern is searched by */
    bool looks;      /* the pattern and the text are of the kind that this serves */
    bool runs;       /* re->one_run, and the text is narrow */
    bool steps_back; /* re->front is there, and the text is narrow */
};
void krl_search_init(struct krl_search *s, struct krl_heap *h, const struct krl_regex *re,
                     const struct krl_text *t);
/* As krl_regex_match. */
bool krl_search_next(struct krl_search *s, size_t from, struct krl_match *ret);

/* "re#source#gi". NULL: no room. */
const struct krl_text *krl_regex_text(struct krl_heap *h, const struct krl_regex *re);
bool krl_regex_eq(const struct krl_regex *a, const struct krl_regex *b);

#endif
