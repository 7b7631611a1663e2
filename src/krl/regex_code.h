/*
 * regex_code.h - inside of regular expressions: the program that the compiler makes and the matcher
 * runs. Words of 32 bits: an operation, then its operands. Jumps are absolute.
 */
#ifndef KRL_REGEX_CODE_H
#define KRL_REGEX_CODE_H

#include "krl/regex.h"

enum regex_op {
    RE_MATCH,     /* the end */
    RE_CHAR,      /* unit */
    RE_SET,       /* n, which ASCII units are in it: a bit each, n pairs of first and last */
    RE_NOT_SET,   /* the same, inverted */
    RE_ANY,       /* all but line ends */
    RE_BACK,      /* the next operation reads backwards, the unit before */
    RE_RUN,       /* min, max, next: a greedy loop over the one operation behind */
    RE_JUMP,      /* to */
    RE_SPLIT,     /* other: go on, and there if that fails */
    RE_SAVE,      /* register: the present position */
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
    RE_ASCII_WORDS = RE_ASCII / 32,
    RE_SET_HEAD = 2 + RE_ASCII_WORDS, /* words before the pairs */
};

/* Whether a set has the unit, by its pairs. */
bool krl_regex_set_has(const uint32_t *pairs, uint32_t n, bool ignore_case, uint16_t unit);
/* Whether an operation that takes one unit takes this one. */
bool krl_regex_takes(const struct krl_regex *re, const uint32_t *op, uint16_t unit);
/* Its words. */
uint32_t krl_regex_width(const uint32_t *op);

/* Fill in re->first from the code. False: no room. */
bool krl_regex_note_first(struct krl_heap *h, struct krl_regex *re);
/* The next place at or after from where a match can begin; from > t->n where there is none. */
size_t krl_regex_skip(const struct krl_regex *re, const struct krl_text *t, size_t from);

#endif
