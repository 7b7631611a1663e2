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
    HERE_UNITS = 2,
    IN_VAIN_MAX = 16,
    IN_VAIN_PART = 32, /* of so many units one may be looked at in vain */
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
        if (krl_regex_takes(re->ignore_case, op, (uint16_t)unit))
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
        note_units(re, run ? op + RE_RUN_HEAD : op, bit);
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

static unsigned count_at(const struct krl_regex_first *f, unsigned place)
{
    unsigned n = 0;
    for (size_t unit = 0; unit < RE_ASCII; unit++)
        n += f->units[unit] >> place & 1;
    return n;
}

/* Of the units at the front, the two places that the fewest fit. */
static void note_places(struct krl_regex_first *f)
{
    unsigned best = 0;
    unsigned second = 0;
    for (unsigned k = 1; k < f->units_n; k++) {
        if (count_at(f, k) < count_at(f, best)) {
            second = best;
            best = k;
        } else if (second == best || count_at(f, k) <= count_at(f, second)) {
            second = k;
        }
    }
    f->place[0] = (uint8_t)(best < second ? best : second);
    f->place[1] = (uint8_t)(best < second ? second : best);
    for (size_t i = 0; i < 2; i++)
        for (unsigned unit = 0; unit < RE_ASCII; unit++)
            if ((f->units[unit] >> f->place[i] & 1) != 0)
                scan_add(&f->fits[i], unit);
}

bool krl_regex_note_first(struct krl_heap *h, struct krl_regex *re)
{
    struct places sides[2];
    re->first.at_start = re->code[0] == RE_START;
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
    note_places(&re->first);
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

/* By the two places alone; where these fit too often, by windows. */
static size_t skip_narrow(const struct krl_regex_first *f, const struct krl_text *t, size_t from)
{
    size_t apart = f->place[1] - f->place[0];
    size_t in_vain = 0;
    bool exact = f->units_n <= 2; /* there are no other places */
    for (size_t at = from; at + f->units_n <= t->n; at++) {
        const char *p = t->a + at + f->place[0];
        size_t n = t->n - f->units_n + 1 - at;
        size_t i = apart == 0 ? scan_in(&f->fits[0], p, n)
                              : scan_in_both(&f->fits[0], &f->fits[1], p, n, apart);
        at += i;
        if (i == n)
            break;
        if (exact || fits_at(f, t, at))
            return at;
        if (++in_vain > IN_VAIN_MAX + (at - from) / IN_VAIN_PART)
            return skip_window(f, t, false, at + 1);
    }
    return SIZE_MAX;
}

static size_t skip_units(const struct krl_regex_first *f, const struct krl_text *t, size_t from)
{
    if (t->wide)
        return skip_window(f, t, true, from);
    /* Often it is here, or behind one that is not. */
    if (f->units_n == 1)
        for (size_t i = 0; i < HERE_UNITS && from < t->n; i++, from++)
            if (scan_has(&f->fits[0], t->a[from]))
                return from;
    return skip_narrow(f, t, from);
}

/* Which units from at on are in the set, and *ret how many of them that tells of. */
static uint64_t bits_at(struct krl_search *s, const struct scan_set *set, size_t at, size_t *ret)
{
    if (at - s->seen >= SCAN_BITS) { /* also where at is before */
        s->seen = min_size(at, s->text->n - SCAN_BITS);
        s->bits = scan_bits(set, s->text->a + s->seen);
    }
    *ret = SCAN_BITS - (at - s->seen);
    return s->bits >> (at - s->seen);
}

size_t krl_regex_look_on(struct krl_search *s, const struct scan_set *set, size_t at, size_t end,
                         bool out)
{
    size_t seen = 0;
    if (at >= end)
        return end;
    if (s->looks) {
        uint64_t bits = bits_at(s, set, at, &seen);
        bits = out ? ~bits & (UINT64_MAX >> (SCAN_BITS - seen)) : bits;
        if (bits != 0 || end - at <= seen)
            return bits == 0 ? end : min_size(end, at + (size_t)__builtin_ctzll(bits));
        at += seen;
    }
    const char *p = s->text->a + at;
    return at + (out ? scan_out(set, p, end - at) : scan_in(set, p, end - at));
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
