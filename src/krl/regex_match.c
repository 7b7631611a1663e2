/* Running the program of a regular expression. */
#include "krl/regex_code.h"

#include "krl/case.h"

enum {
    STACK_FIRST = 64,
    SKIP_UNITS = 64,      /* so many units passed over cost one step */
    REGISTERS_FIRST = 64, /* more, and a larger stack, come from the activation's memory */
    UNDO = UINT32_MAX,    /* an entry that restores a register */
    RUN_BACK = UINT32_MAX - 1,
};

/* What to go back to: a place to try, one of a run's shorter ends, or a register's old value. */
struct entry {
    uint32_t kind; /* UNDO, RUN_BACK, or the place in the program */
    uint32_t next; /* RUN_BACK: the place in the program; UNDO: the register */
    int32_t at;    /* the position; UNDO: the old value */
    int32_t least; /* RUN_BACK: the shortest end */
};

struct matcher {
    struct krl_heap *h;
    const struct krl_regex *re;
    const struct krl_text *t;
    struct entry *stack;
    size_t n;
    size_t capacity;
    int32_t *registers;
    uint32_t pc;
    int32_t at;
};

static bool push(struct matcher *m, struct entry e)
{
    if (m->n == m->capacity) {
        size_t capacity = m->capacity * 2 + STACK_FIRST;
        struct entry *stack = krl_take_raw(m->h, capacity * sizeof *stack);
        if (stack == NULL)
            return false;
        if (m->n > 0)
            memcpy(stack, m->stack, m->n * sizeof *stack);
        m->stack = stack;
        m->capacity = capacity;
    }
    m->stack[m->n++] = e;
    return true;
}

static bool set_register(struct matcher *m, uint32_t i, int32_t value)
{
    if (m->registers[i] == value)
        return true;
    struct entry e = {.kind = UNDO, .next = i, .at = m->registers[i]};
    m->registers[i] = value;
    return push(m, e);
}

/* Back to the newest choice above base; false where there is none. */
static bool go_back(struct matcher *m, size_t base)
{
    while (m->n > base) {
        struct entry *e = &m->stack[m->n - 1];
        if (e->kind == UNDO) {
            m->registers[e->next] = e->at;
            m->n--;
        } else if (e->kind == RUN_BACK) {
            m->at = --e->at;
            m->pc = e->next;
            m->n -= e->at == e->least;
            return true;
        } else {
            m->at = e->at;
            m->pc = e->kind;
            m->n--;
            return true;
        }
    }
    return false;
}

static bool in_ranges(const uint32_t *ranges, uint32_t n, uint16_t unit)
{
    for (uint32_t i = 0; i < n; i++)
        if (unit >= (ranges[i] & 0xFFFF) && unit <= ranges[i] >> 16)
            return true;
    return false;
}

bool krl_regex_set_has(const uint32_t *pairs, uint32_t n, bool ignore_case, uint16_t unit)
{
    if (in_ranges(pairs, n, unit))
        return true;
    if (!ignore_case)
        return false;
    uint16_t folded = krl_fold(unit);
    uint16_t lower = krl_unit_lower(folded);
    return in_ranges(pairs, n, folded) || (krl_fold(lower) == folded && in_ranges(pairs, n, lower));
}

static bool in_set(bool ignore_case, const uint32_t *op, uint16_t unit)
{
    if (unit < RE_ASCII)
        return scan_has(krl_regex_set_ascii(op), (char)unit);
    return krl_regex_set_has(op + RE_SET_HEAD, op[1], ignore_case, unit);
}

static bool is_line_end(uint16_t unit)
{
    return unit == '\n' || unit == '\r' || unit == 0x2028 || unit == 0x2029;
}

/* Whether the operation takes this unit. */
bool krl_regex_takes(bool ignore_case, const uint32_t *op, uint16_t unit)
{
    if (op[0] == RE_CHAR)
        return (ignore_case ? krl_fold(unit) : unit) == op[1];
    if (op[0] == RE_ANY)
        return !is_line_end(unit);
    return in_set(ignore_case, op, unit) == (op[0] == RE_SET);
}

uint32_t krl_regex_width(const uint32_t *op)
{
    return op[0] == RE_CHAR ? 2 : op[0] == RE_ANY ? 1 : RE_SET_HEAD + op[1];
}

static bool run_single(struct matcher *m, const uint32_t *op, bool backward)
{
    int32_t at = m->at - backward;
    if (at < 0 || at >= (int32_t)m->t->n ||
        !krl_regex_takes(m->re->ignore_case, op, krl_unit(m->t, (size_t)at)))
        return false;
    m->at += backward ? -1 : 1;
    m->pc += krl_regex_width(op);
    return true;
}

int32_t krl_regex_long_run_end(bool ignore_case, const uint32_t *run, const struct krl_text *t,
                               int32_t at, int32_t end)
{
    if (!t->wide)
        return at + (int32_t)scan_out(krl_regex_run_ascii(run), t->a + at, (size_t)(end - at));
    while (at < end && krl_regex_takes(ignore_case, run + RE_RUN_HEAD, t->u[at]))
        at++;
    return at;
}

static bool run_run(struct matcher *m, const uint32_t *op)
{
    int32_t start = m->at;
    int64_t end = min_i64((int64_t)m->t->n, (int64_t)start + op[2]);
    m->at = krl_regex_run_end(m->re->ignore_case, op, m->t, start, (int32_t)end);
    uint32_t count = (uint32_t)(m->at - start);
    if (!krl_pay(m->h, count / 4) || count < op[1])
        return false;
    m->pc = op[3];
    struct entry e = {
        .kind = RUN_BACK, .next = op[3], .at = m->at, .least = start + (int32_t)op[1]};
    return count == op[1] || push(m, e);
}

static bool is_word_at(const struct matcher *m, int32_t at)
{
    if (at < 0 || at >= (int32_t)m->t->n)
        return false;
    uint16_t unit = krl_unit(m->t, (size_t)at);
    uint16_t lower = unit | 0x20;
    return (lower >= 'a' && lower <= 'z') || (unit >= '0' && unit <= '9') || unit == '_';
}

static bool run_group(struct matcher *m, const uint32_t *op)
{
    int32_t from = m->registers[2 * op[1]];
    int32_t to = m->registers[2 * op[1] + 1];
    m->pc += 2;
    if (from < 0 || to < 0)
        return true;
    int32_t n = to - from;
    int32_t start = op[0] == RE_GROUP_BACK ? m->at - n : m->at;
    if (start < 0 || start + n > (int32_t)m->t->n || !krl_pay(m->h, n / 4))
        return false;
    for (int32_t i = 0; i < n; i++) {
        uint16_t a = krl_unit(m->t, (size_t)from + (size_t)i);
        uint16_t b = krl_unit(m->t, (size_t)start + (size_t)i);
        if (a != b && (!m->re->ignore_case || krl_fold(a) != krl_fold(b)))
            return false;
    }
    m->at = op[0] == RE_GROUP_BACK ? start : m->at + n;
    return true;
}

static bool run_clear(struct matcher *m, const uint32_t *op)
{
    m->pc += 3;
    for (uint32_t i = 2 * op[1]; i < 2 * op[2]; i++)
        if (!set_register(m, i, KRL_REGEX_NONE))
            return false;
    return true;
}

static bool run_loop(struct matcher *m, const uint32_t *op)
{
    uint32_t counter = 2U * m->re->groups + 2 * op[1];
    uint32_t count = (uint32_t)m->registers[counter];
    bool may_end = count >= op[2];
    bool may_go_on = count < op[3];
    uint32_t body = m->pc + 6;
    if (!may_go_on) {
        m->pc = op[5];
        return true;
    }
    /* The start of a round is noted for either way, so that going back finds it. */
    if (!set_register(m, counter + 1, m->at))
        return false;
    m->pc = body;
    if (!may_end)
        return true;
    bool lazy = op[4] != 0;
    m->pc = lazy ? op[5] : body;
    return push(m, (struct entry){.kind = lazy ? body : op[5], .at = m->at});
}

static bool run_loop_end(struct matcher *m, const uint32_t *op)
{
    uint32_t counter = 2U * m->re->groups + 2 * op[1];
    int32_t count = m->registers[counter];
    if (m->at == m->registers[counter + 1] && (uint32_t)count >= op[2])
        return false;
    m->pc = op[3];
    return set_register(m, counter, count + 1);
}

static bool run(struct matcher *m);

/* Run the program behind; what it took stays, how else it could have does not. */
static bool run_look(struct matcher *m, const uint32_t *op)
{
    uint32_t next = op[1];
    bool negative = op[0] == RE_NOT_LOOK;
    int32_t at = m->at;
    size_t base = m->n;
    m->pc += 2;
    bool found = run(m);
    if (krl_failing(m->h))
        return false;
    m->pc = next;
    m->at = at;
    if (!found)
        return negative;
    size_t kept = base;
    for (size_t i = base; i < m->n; i++)
        if (m->stack[i].kind == UNDO)
            m->stack[kept++] = m->stack[i];
    m->n = kept;
    if (!negative)
        return true;
    while (m->n > base) {
        m->n--;
        m->registers[m->stack[m->n].next] = m->stack[m->n].at;
    }
    return false;
}

static bool run_place(struct matcher *m, enum regex_op op)
{
    bool word = is_word_at(m, m->at - 1) != is_word_at(m, m->at);
    m->pc++;
    if (op == RE_START)
        return m->at == 0;
    if (op == RE_FINISH)
        return m->at == (int32_t)m->t->n;
    return word == (op == RE_WORD);
}

/* One operation; false: it does not match here. */
static bool run_op(struct matcher *m, const uint32_t *op)
{
    switch ((enum regex_op)op[0]) {
    case RE_MATCH:
        return true;
    case RE_CHAR:
    case RE_SET:
    case RE_NOT_SET:
    case RE_ANY:
        return run_single(m, op, false);
    case RE_BACK:
        m->pc++;
        return run_single(m, op + 1, true);
    case RE_RUN:
        return run_run(m, op);
    case RE_JUMP:
        m->pc = op[1];
        return true;
    case RE_SPLIT:
        m->pc += 2;
        return push(m, (struct entry){.kind = op[1], .at = m->at});
    case RE_SAVE:
        m->pc += 2;
        return set_register(m, op[1], m->at);
    case RE_SET_COUNT:
        m->pc += 2;
        return set_register(m, 2U * m->re->groups + 2 * op[1], 0);
    case RE_LOOP:
        return run_loop(m, op);
    case RE_LOOP_END:
        return run_loop_end(m, op);
    case RE_CLEAR:
        return run_clear(m, op);
    case RE_GROUP:
    case RE_GROUP_BACK:
        return run_group(m, op);
    case RE_START:
    case RE_FINISH:
    case RE_WORD:
    case RE_NOT_WORD:
        return run_place(m, (enum regex_op)op[0]);
    case RE_LOOK:
    case RE_NOT_LOOK:
        return run_look(m, op);
    }
    NEVER("not an operation");
}

/* From m->pc to RE_MATCH. Recursion: a lookaround in another, at most KRL_REGEX_DEPTH_MAX. */
static bool run(struct matcher *m)
{
    size_t base = m->n;
    while (m->re->code[m->pc] != RE_MATCH) {
        ASSERT(m->pc < m->re->code_n);
        bool ok = run_op(m, m->re->code + m->pc);
        if (UNLIKELY(krl_failing(m->h) || --m->h->steps < 0)) {
            (void)krl_pay(m->h, 0); /* says so where it is the steps */
            return false;
        }
        if (!ok && !go_back(m, base))
            return false;
    }
    return true;
}

/* The next place where a match can begin, paid; behind the text where there is none. */
static bool skip_to(struct krl_search *s, size_t *at)
{
    size_t from = *at;
    if (!s->looks)
        *at = krl_regex_skip(s->re, s->text, from);
    else if ((*at = krl_regex_look(s, &s->re->first.fits[0], from, s->text->n, false)) ==
             s->text->n)
        (*at)++;
    return krl_pay(s->heap, (int64_t)(*at - from) / SKIP_UNITS);
}

static bool search_straight(struct krl_search *s, size_t from, struct krl_match *ret)
{
    size_t next = 0;
    for (size_t start = from; start <= s->text->n; start = next) {
        if (!skip_to(s, &start) || start > s->text->n)
            return false;
        if (krl_regex_match_straight(s->heap, s->re, s->text, start, ret, &next))
            return true;
        if (krl_failing(s->heap))
            return false;
    }
    return false;
}

static bool search_back(struct krl_search *s, size_t from, struct krl_match *ret)
{
    struct krl_heap *h = s->heap;
    const struct krl_regex *re = s->re;
    const struct krl_text *t = s->text;
    struct entry stack[STACK_FIRST];
    int32_t registers[REGISTERS_FIRST];
    struct matcher m = {.h = h, .re = re, .t = t, .stack = stack, .capacity = STACK_FIRST};
    m.registers = re->registers <= REGISTERS_FIRST
                      ? registers
                      : krl_take_raw(h, re->registers * sizeof *m.registers);
    if (m.registers == NULL)
        return false;
    for (size_t start = from; start <= t->n; start++) {
        if (!skip_to(s, &start) || start > t->n)
            return false;
        for (size_t i = 0; i < re->registers; i++)
            m.registers[i] = KRL_REGEX_NONE;
        m.registers[0] = (int32_t)start;
        m.at = (int32_t)start;
        m.pc = 0;
        m.n = 0;
        if (run(&m)) {
            m.registers[1] = m.at;
            memcpy(ret->at, m.registers, 2U * re->groups * sizeof *m.registers);
            return true;
        }
        if (krl_failing(h) || !krl_pay(h, 1))
            return false;
    }
    return false;
}

/* Bits serve where one set of ASCII units tells the places, and the text is worth a look. */
void krl_search_init(struct krl_search *s, struct krl_heap *h, const struct krl_regex *re,
                     const struct krl_text *t)
{
    const struct krl_regex_first *f = &re->first;
    bool one_set = f->units_n == 1 && f->literal_n == 0 && !f->at_start;
    *s = (struct krl_search){.heap = h,
                             .re = re,
                             .text = t,
                             .seen = SIZE_MAX / 2, /* nothing yet */
                             .runs = re->straight && re->one_run && !t->wide,
                             .steps_back = re->straight && re->front != NULL && !t->wide};
    s->looks = (one_set || s->steps_back) && !t->wide && t->n >= SCAN_BITS;
}

bool krl_search_next(struct krl_search *s, size_t from, struct krl_match *ret)
{
    if (s->runs)
        return krl_regex_search_run(s, from, ret);
    if (s->steps_back)
        return krl_regex_search_behind(s, from, ret);
    return s->re->straight ? search_straight(s, from, ret) : search_back(s, from, ret);
}

bool krl_regex_match(struct krl_heap *h, const struct krl_regex *re, const struct krl_text *t,
                     size_t from, struct krl_match *ret)
{
    struct krl_search s;
    krl_search_init(&s, h, re, t);
    return krl_search_next(&s, from, ret);
}
