/*
 * regex_code.h - inside of regular expressions: the program that the compiler makes and the matcher
 * runs. Words of 32 bits: an operation, then its operands. Jumps are absolute.
 */
#ifndef KRL_REGEX_CODE_H
#define KRL_REGEX_CODE_H

#include "krl/regex.h"

enum regex_op {
    RE_MATCH,   /* the end */
    RE_CHAR,    /* unit */
    RE_SET,     /* n, which ASCII units are in it: a scan_set, n pairs of first and last */
    RE_NOT_SET, /* the same, inverted */
    RE_ANY,     /* all but line ends */
    RE_BACK,    /* the next operation reads backwards, the unit before */
    RE_RUN,     /* min, max, next, which ASCII units it takes: a greedy loop over the one operation
                     behind */
    RE_JUMP,    /* to */
    RE_SPLIT,   /* other: go on, and there if that fails */
    RE_SAVE,    /* register: the present position */
    RE_SET_COUNT, /* register: 0 */
    RE_LOOP,      /* register, min, max, lazy, exit: decide on one more round */
    RE_LOOP_END,  /* register, min, back: count; an empty round ends it */
    RE_CLEAR,     /* first, last group: forget what they took */
    RE_GROUP,     /* group: the same text again */
    RE_GROUP_BACK,
    RE_START,
    RE_FINISH,
    RE_WORD,
    RE_NOT_WORD,
    RE_LOOK, /* behind it a program up to RE_MATCH; to: where to go on */
    RE_NOT_LOOK,
};

enum {
    RE_ASCII = 128,
    RE_ASCII_WORDS = sizeof(struct scan_set) / sizeof(uint32_t),
    RE_SET_HEAD = 2 + RE_ASCII_WORDS, /* words before the pairs */
    RE_RUN_HEAD = 4 + RE_ASCII_WORDS, /* words before its operation */
    RE_COUNT_MAX = INT32_MAX,         /* as often as there are some */
    RE_SHORT_RUN = 2,
};

/* The ASCII units of RE_SET, and of RE_RUN. */
static inline const struct scan_set *krl_regex_set_ascii(const uint32_t *op)
{
    return (const struct scan_set *)(const void *)(op + 2);
}
static inline const struct scan_set *krl_regex_run_ascii(const uint32_t *op)
{
    return (const struct scan_set *)(const void *)(op + 4);
}

/* Whether a set has the unit, by its pairs. */
bool krl_regex_set_has(const uint32_t *pairs, uint32_t n, bool ignore_case, uint16_t unit);
/* Whether an operation that takes one unit takes this one. */
bool krl_regex_takes(bool ignore_case, const uint32_t *op, uint16_t unit);
/* From where to end: how far it takes one unit after the other. */
int32_t krl_regex_long_run_end(bool ignore_case, const uint32_t *run, const struct krl_text *t,
                               int32_t at, int32_t end);
/* The same: many are shorter than a call is worth. */
static inline int32_t krl_regex_run_end(bool ignore_case, const uint32_t *run,
                                        const struct krl_text *t, int32_t at, int32_t end)
{
    for (int i = 0; i < RE_SHORT_RUN && !t->wide; i++, at++)
        if (at == end || !scan_has(krl_regex_run_ascii(run), t->a[at]))
            return at;
    return krl_regex_long_run_end(ignore_case, run, t, at, end);
}
/* Its words. */
uint32_t krl_regex_width(const uint32_t *op);

/* Whether there is one way to match at a place, if any, which needs no going back. */
bool krl_regex_is_straight(const struct krl_regex *re);
/* Match such a one at start. False: not here; and, where steps are left, nowhere before
 * *ret_next. */
bool krl_regex_match_straight(struct krl_heap *h, const struct krl_regex *re,
                              const struct krl_text *t, size_t start, struct krl_match *ret,
                              size_t *ret_next);

/* Whether a straight one begins with an endless loop whose end is worth looking for: notes it. */
void krl_regex_note_front(struct krl_regex *re);

/* The first match at or after from, in a narrow text: of one that is re->one_run, and of one that
 * has re->front. */
bool krl_regex_search_run(struct krl_search *s, size_t from, struct krl_match *ret);
bool krl_regex_search_behind(struct krl_search *s, size_t from, struct krl_match *ret);
/* The first unit from at to end that is in the set, which is that of s->bits; where out, that is
 * not. end where there is none. The text is narrow. */
size_t krl_regex_look_on(struct krl_search *s, const struct scan_set *set, size_t at, size_t end,
                         bool out);
static inline size_t krl_regex_look(struct krl_search *s, const struct scan_set *set, size_t at,
                                    size_t end, bool out)
{
    uint64_t bits = !out && at - s->seen < SCAN_BITS ? s->bits >> (at - s->seen) : 0;
    return bits != 0 ? min_size(end, at + (size_t)__builtin_ctzll(bits))
                     : krl_regex_look_on(s, set, at, end, out);
}

/* Fill in re->first from the code. False: no room. */
bool krl_regex_note_first(struct krl_heap *h, struct krl_regex *re);
/* The next place at or after from where a match can begin; from > t->n where there is none. */
size_t krl_regex_skip(const struct krl_regex *re, const struct krl_text *t, size_t from);

#endif
