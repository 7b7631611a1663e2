/*
 * How the matches of a regular expression begin. The first few units of every match are walked as
 * a set of states, all alternatives at once and loops without their counts, so that what is noted
 * is more than what can match and never less. A search then passes over all places that cannot be
 * one with a look into a table for each unit.
 */
#include "krl/regex_code.h"

enum {
    UNITS_MAX = 8, /* a bit each */
    OTHER = RE_ASCII,
};

/* Places in the program: those that wait to be looked at, and all that were seen. */
struct places {
    uint32_t *list;
    uint32_t n;
    uint8_t *seen;
};

static void add_place(struct places *p, uint32_t pc)
{
    if (p->seen[pc] == 0)
        p->list[p->n++] = pc;
    p->seen[pc] = 1;
}

static bool is_one_unit(uint32_t op)
{
    return op == RE_CHAR || op == RE_SET || op == RE_NOT_SET || op == RE_ANY;
}

/* The places that follow without a unit. False: a match may end here, or nothing is known. */
static bool add_next(struct places *p, const uint32_t *code, uint32_t pc)
{
    const uint32_t *op = code + pc;
    switch ((enum regex_op)op[0]) {
    case RE_CHAR:
    case RE_SET:
    case RE_NOT_SET:
    case RE_ANY:
        return true;
    case RE_RUN:
        if (op[1] == 0)
            add_place(p, op[3]);
        return true;
    case RE_JUMP:
        add_place(p, op[1]);
        return true;
    case RE_SPLIT:
        add_place(p, pc + 2);
        add_place(p, op[1]);
        return true;
    case RE_SAVE:
    case RE_SET_COUNT:
        add_place(p, pc + 2);
        return true;
    case RE_LOOP:
        add_place(p, pc + 6);
        if (op[2] == 0)
            add_place(p, op[5]);
        return true;
    case RE_LOOP_END: /* once more, or on */
        add_place(p, op[3] + 6);
        add_place(p, code[op[3] + 5]);
        return true;
    case RE_CLEAR:
        add_place(p, pc + 3);
        return true;
    case RE_START:
    case RE_FINISH:
    case RE_WORD:
    case RE_NOT_WORD:
        add_place(p, pc + 1);
        return true;
    case RE_LOOK:
    case RE_NOT_LOOK:
        add_place(p, op[1]);
        return true;
    case RE_MATCH:
    case RE_BACK:
    case RE_GROUP:
    case RE_GROUP_BACK:
        return false;
    }
    NEVER("not an operation");
}

static void note_units(struct krl_regex *re, const uint32_t *op, unsigned bit)
{
    for (int unit = 0; unit < RE_ASCII; unit++)
        if (krl_regex_takes(re, op, (uint16_t)unit))
            re->first.units[unit] |= (uint8_t)(1U << bit);
    /* An ASCII unit is never the same as another but for its case. */
    if (op[0] != RE_CHAR || op[1] >= RE_ASCII)
        re->first.units[OTHER] |= (uint8_t)(1U << bit);
}

/* The units at one place of the text, and the places behind them. False: that is as far as it
 * goes. */
static bool walk_unit(struct krl_regex *re, struct places *here, struct places *next, unsigned bit)
{
    for (uint32_t i = 0; i < here->n; i++)
        if (!add_next(here, re->code, here->list[i]))
            return false;
    memset(next->seen, 0, re->code_n);
    next->n = 0;
    for (uint32_t i = 0; i < here->n; i++) {
        uint32_t pc = here->list[i];
        const uint32_t *op = re->code + pc;
        bool run = op[0] == RE_RUN;
        if (!run && !is_one_unit(op[0]))
            continue;
        note_units(re, run ? op + 4 : op, bit);
        add_place(next, run ? op[3] : pc + krl_regex_width(op));
        if (run)
            add_place(next, pc);
    }
    return true;
}

static void note_literal(struct krl_regex *re)
{
    const uint32_t *op = re->code;
    struct krl_regex_first *f = &re->first;
    while (!re->ignore_case && f->literal_n < KRL_REGEX_LITERAL_MAX) {
        if (op[0] == RE_CHAR && op[1] < RE_ASCII)
            f->literal[f->literal_n++] = (char)op[1];
        else if (op[0] != RE_SAVE)
            break;
        op += 2;
    }
}

bool krl_regex_note_first(struct krl_heap *h, struct krl_regex *re)
{
    struct places sides[2];
    re->first.at_start = re->code[0] == RE_START;
    re->first.one_run = re->code[0] == RE_RUN && re->code[re->code[3]] == RE_MATCH;
    note_literal(re);
    for (size_t i = 0; i < 2; i++) {
        sides[i] = (struct places){.list = krl_take_n(h, re->code_n, sizeof(uint32_t)),
                                   .seen = krl_take(h, re->code_n)};
        if (sides[i].list == NULL || sides[i].seen == NULL)
            return false;
    }
    add_place(&sides[0], 0);
    unsigned n = 0;
    while (n < UNITS_MAX && walk_unit(re, &sides[n % 2], &sides[(n + 1) % 2], n))
        n++;
    re->first.units_n = (uint8_t)n;
    return krl_pay(h, (int64_t)re->code_n);
}

/* --- searching --- */

static bool fits_at(const struct krl_regex_first *f, const struct krl_text *t, size_t at)
{
    bool fits = f->units_n <= t->n - at;
    for (size_t k = f->literal_n; fits && k < f->units_n; k++) {
        uint16_t unit = krl_unit(t, at + k);
        fits = (f->units[unit < RE_ASCII ? unit : OTHER] >> k & 1) != 0;
    }
    return fits;
}

static size_t skip_to_literal(const struct krl_regex_first *f, const struct krl_text *t,
                              size_t from)
{
    uint16_t wide[KRL_REGEX_LITERAL_MAX];
    for (size_t i = 0; t->wide && i < f->literal_n; i++)
        wide[i] = (uint8_t)f->literal[i];
    const void *needle = t->wide ? (const void *)wide : f->literal;
    size_t at = krl_text_seek(t, needle, f->literal_n, from);
    while (at != SIZE_MAX && !fits_at(f, t, at))
        at = krl_text_seek(t, needle, f->literal_n, at + 1);
    return at;
}

static inline unsigned places_of(const struct krl_regex_first *f, const struct krl_text *t,
                                 bool wide, size_t i)
{
    uint16_t unit = wide ? t->u[i] : (uint8_t)t->a[i];
    return f->units[!wide || unit < RE_ASCII ? unit : OTHER];
}

/* A window of units_n units, read from its end: as soon as what was read stands nowhere in the
 * first units of a match, the window moves behind it (G. Navarro and M. Raffinot, 1998). */
static inline size_t skip_window(const struct krl_regex_first *f, const struct krl_text *t,
                                 bool wide, size_t from)
{
    size_t n = f->units_n;
    size_t step = 0;
    for (; from + n <= t->n; from += step) {
        unsigned fits =
            places_of(f, t, wide, from + n - 1); /* bit k: what was read may stand at k */
        step = n;
        for (size_t read = 1; fits != 0; read++) {
            if ((fits & 1) != 0 && read == n)
                return from;
            if ((fits & 1) != 0)
                step = n - read;
            if (read == n)
                break;
            fits = fits >> 1 & places_of(f, t, wide, from + n - 1 - read);
        }
    }
    return SIZE_MAX;
}

static size_t skip_units(const struct krl_regex_first *f, const struct krl_text *t, size_t from)
{
    if (f->units_n == 1 && !t->wide) {
        while (from < t->n && f->units[(uint8_t)t->a[from]] == 0)
            from++;
        return from < t->n ? from : SIZE_MAX;
    }
    /* Twice, so that each has one kind of unit. */
    return t->wide ? skip_window(f, t, true, from) : skip_window(f, t, false, from);
}

size_t krl_regex_skip(const struct krl_regex *re, const struct krl_text *t, size_t from)
{
    const struct krl_regex_first *f = &re->first;
    size_t at = from;
    if (f->at_start)
        return from == 0 ? from : (size_t)t->n + 1;
    if (f->literal_n > 0)
        at = skip_to_literal(f, t, from);
    else if (f->units_n > 0)
        at = skip_units(f, t, from);
    return min_size(at, (size_t)t->n + 1);
}
