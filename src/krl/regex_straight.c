/*
 * Patterns that can match at a place in one way only: units, sets and loops over one of them, one
 * behind the other, where no loop can give back what the next could take. "\s*,\s*" is one, and
 * "([a-z]+)@([a-z.]+)". There is nothing to go back to, and a place is left for good.
 */
#include "krl/regex_code.h"

enum { RUN_STEP_UNITS = 16 };

/* Which units: the ASCII ones, and whether others may be among them. */
struct units {
    struct scan_set ascii;
    bool others;
};

static bool is_single(uint32_t op)
{
    return op == RE_CHAR || op == RE_SET || op == RE_NOT_SET || op == RE_ANY;
}

static bool takes_others(const uint32_t *op)
{
    if (op[0] == RE_CHAR)
        return op[1] >= RE_ASCII;
    bool some = op[0] != RE_SET;
    for (uint32_t i = 0; op[0] == RE_SET && i < op[1]; i++)
        some = some || op[RE_SET_HEAD + i] >> 16 >= RE_ASCII;
    return some;
}

static void add_units(const struct krl_regex *re, const uint32_t *op, struct units *u)
{
    for (unsigned unit = 0; unit < RE_ASCII; unit++)
        if (krl_regex_takes(re->ignore_case, op, (uint16_t)unit))
            scan_add(&u->ascii, unit);
    u->others = u->others || takes_others(op);
}

/* What can be the next unit after the loop; at the end of the text, or of the pattern, none. */
static void add_following(const struct krl_regex *re, const uint32_t *op, struct units *u)
{
    for (;;) {
        if (op[0] == RE_SAVE) {
            op += 2;
        } else if (op[0] == RE_RUN) {
            add_units(re, op + RE_RUN_HEAD, u);
            if (op[1] > 0)
                return;
            op = re->code + op[3];
        } else {
            if (is_single(op[0]))
                add_units(re, op, u);
            return;
        }
    }
}

/* Whether the loop, where it took all it could, took what it had to. */
static bool is_certain(const struct krl_regex *re, const uint32_t *run)
{
    struct units own = {.others = false};
    struct units next = {.others = false};
    if (run[1] == run[2])
        return true;
    add_units(re, run + RE_RUN_HEAD, &own);
    add_following(re, re->code + run[3], &next);
    bool apart = !own.others || !next.others;
    for (size_t i = 0; i < COUNT(own.ascii.bits); i++)
        apart = apart && (own.ascii.bits[i] & next.ascii.bits[i]) == 0;
    return apart;
}

bool krl_regex_is_straight(const struct krl_regex *re)
{
    const uint32_t *op = re->code[0] == RE_START ? re->code + 1 : re->code;
    while (op[0] != RE_MATCH) {
        if (op[0] == RE_RUN && is_certain(re, op))
            op = re->code + op[3];
        else if (is_single(op[0]))
            op += krl_regex_width(op);
        else if (op[0] == RE_SAVE)
            op += 2;
        else if (op[0] == RE_FINISH)
            op++;
        else
            return false;
    }
    return true;
}

struct straight {
    const struct krl_regex *re;
    const struct krl_text *t;
    int32_t at;
};

static bool take_run(struct straight *s, const uint32_t *op)
{
    int64_t end = min_i64((int64_t)s->t->n, (int64_t)s->at + op[2]);
    int32_t from = s->at;
    s->at = krl_regex_run_end(s->re->ignore_case, op, s->t, from, (int32_t)end);
    return (uint32_t)(s->at - from) >= op[1];
}

static bool take_single(struct straight *s, const uint32_t *op)
{
    if (s->at >= (int32_t)s->t->n)
        return false;
    uint16_t unit = krl_unit(s->t, (size_t)s->at++);
    if (op[0] == RE_CHAR && !s->re->ignore_case)
        return unit == op[1];
    return krl_regex_takes(s->re->ignore_case, op, unit);
}

/* The program from op on, from s->at. *ret_ops: how many operations more. */
static bool take_all(struct straight *s, const uint32_t *op, struct krl_match *ret,
                     int64_t *ret_ops)
{
    for (;;) {
        bool fits = true;
        ++*ret_ops;
        switch (op[0]) {
        case RE_MATCH:
            return true;
        case RE_RUN:
            fits = take_run(s, op);
            op = s->re->code + op[3];
            break;
        case RE_CHAR:
            fits = take_single(s, op);
            op += 2;
            break;
        case RE_SAVE:
            ret->at[op[1]] = s->at;
            op += 2;
            break;
        case RE_START:
            fits = s->at == 0;
            op++;
            break;
        case RE_FINISH:
            fits = s->at == (int32_t)s->t->n;
            op++;
            break;
        default:
            fits = take_single(s, op);
            op += krl_regex_width(op);
            break;
        }
        if (!fits)
            return false;
    }
}

/* Where it begins with an endless loop, what fails behind it fails from within it, too. */
static size_t behind_loop(const struct krl_regex *re, const struct krl_text *t, size_t start)
{
    const uint32_t *op = re->code;
    while (op[0] == RE_SAVE)
        op += 2;
    if (op[0] != RE_RUN || op[2] != RE_COUNT_MAX)
        return start + 1;
    int32_t end = krl_regex_run_end(re->ignore_case, op, t, (int32_t)start, (int32_t)t->n);
    return max_size((size_t)end, start + 1);
}

bool krl_regex_match_straight(struct krl_heap *h, const struct krl_regex *re,
                              const struct krl_text *t, size_t start, struct krl_match *ret,
                              size_t *ret_next)
{
    struct straight s = {.re = re, .t = t, .at = (int32_t)start};
    int64_t ops = 0;
    bool found = take_all(&s, re->code, ret, &ops);
    ret->at[0] = (int32_t)start;
    ret->at[1] = s.at;
    *ret_next = found ? start : behind_loop(re, t, start);
    int64_t units = (int64_t)(max_size((size_t)s.at, *ret_next) - start);
    return krl_pay(h, ops + units / RUN_STEP_UNITS) && found;
}

/* --- an endless loop at the front, and one unit behind it that is none of the loop's --- */

enum { SKIP_UNITS = 64 }; /* so many units passed over cost one step */

static unsigned count_units(const struct scan_set *set)
{
    unsigned n = 0;
    for (size_t i = 0; i < COUNT(set->bits); i++)
        n += (unsigned)__builtin_popcount(set->bits[i]);
    return n;
}

/* A loop that may be empty begins a match with its own units or with those behind it: these alone
 * are fewer. */
void krl_regex_note_front(struct krl_regex *re)
{
    struct units behind = {.others = false};
    const uint32_t *run = re->code;
    while (run[0] == RE_SAVE)
        run += 2;
    if (run[0] != RE_RUN || run[2] != RE_COUNT_MAX)
        return;
    const uint32_t *next = re->code + run[3];
    while (next[0] == RE_SAVE)
        next += 2;
    if (!is_single(next[0]))
        return;
    add_units(re, next, &behind);
    if (run[1] > 0 && count_units(&behind.ascii) >= count_units(krl_regex_run_ascii(run)))
        return;
    re->front = run;
    re->behind = behind.ascii;
    re->rest = next + krl_regex_width(next);
}

/* The match from start whose loop ends at end. */
static bool match_behind(struct krl_search *s, size_t start, size_t end, struct krl_match *ret)
{
    const struct krl_regex *re = s->re;
    struct straight straight = {.re = re, .t = s->text, .at = (int32_t)end + 1};
    int64_t ops = 2; /* the loop and the unit */
    for (const uint32_t *op = re->code; op != re->front; op += 2, ops++)
        ret->at[op[1]] = (int32_t)start;
    for (const uint32_t *op = re->code + re->front[3]; op[0] == RE_SAVE; op += 2, ops++)
        ret->at[op[1]] = (int32_t)end;
    bool found = take_all(&straight, re->rest, ret, &ops);
    ret->at[0] = (int32_t)start;
    ret->at[1] = straight.at;
    return krl_pay(s->heap, ops + (straight.at - (int64_t)start) / RUN_STEP_UNITS) && found;
}

/* A match holds the first such unit behind its loop, and where all that could be of the loop before
 * that unit is, it begins with; what fails behind the unit fails from all of these. */
bool krl_regex_search_behind(struct krl_search *s, size_t from, struct krl_match *ret)
{
    const struct krl_text *t = s->text;
    const struct scan_set *loop = krl_regex_run_ascii(s->re->front);
    size_t passed = from;
    for (size_t at = from;; at++) {
        size_t end = krl_regex_look(s, &s->re->behind, at, t->n, false);
        size_t start = end;
        if (end == t->n) {
            (void)krl_pay(s->heap, (int64_t)(t->n - passed) / SKIP_UNITS);
            return false;
        }
        while (start > passed && scan_has(loop, t->a[start - 1]))
            start--;
        if (!krl_pay(s->heap, (int64_t)(start - passed) / SKIP_UNITS))
            return false;
        if (end - start >= s->re->front[1]) {
            if (match_behind(s, start, end, ret))
                return true;
            if (krl_failing(s->heap))
                return false;
        }
        passed = at = end;
    }
}

/* --- nothing but a loop --- */

/* The run that begins at or after at, where the whole of it was seen already. */
static bool find_seen(const struct krl_search *s, size_t at, size_t *ret_from, size_t *ret_to)
{
    uint64_t bits = at - s->seen < SCAN_BITS ? s->bits >> (at - s->seen) : 0;
    if (bits == 0)
        return false;
    unsigned before = (unsigned)__builtin_ctzll(bits);
    bits = ~(bits >> before);
    *ret_from = at + before;
    *ret_to = *ret_from + (bits == 0 ? SCAN_BITS : (unsigned)__builtin_ctzll(bits));
    return *ret_to < s->seen + SCAN_BITS;
}

bool krl_regex_search_run(struct krl_search *s, size_t from, struct krl_match *ret)
{
    const uint32_t *run = s->re->code;
    const struct scan_set *set = krl_regex_run_ascii(run);
    const size_t n = s->text->n;
    size_t end = 0;
    for (size_t at = from; at < n; at = end) {
        if (!find_seen(s, at, &at, &end)) {
            at = krl_regex_look(s, set, at, n, false);
            /* No further than a match takes: the next one begins there. */
            end = krl_regex_look(s, set, at, min_size(n, at + run[2]), true);
        }
        if (at == n)
            return false;
        end = min_size(end, at + run[2]);
        ret->at[0] = (int32_t)at;
        ret->at[1] = (int32_t)end;
        if (!krl_pay(s->heap, (int64_t)(end - from) / RUN_STEP_UNITS + 2))
            return false;
        if (end - at >= run[1])
            return true;
    }
    return false;
}
