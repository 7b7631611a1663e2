/* From a pattern to a program. */
#include "krl/regex_code.h"

#include "krl/case.h"

enum { SET_RANGES_MAX = 512, NAME_UNITS_MAX = 64 };

struct compiler {
    struct krl_heap *h;
    const struct krl_text *s;
    size_t at;
    uint32_t *code;
    size_t n;
    size_t capacity;
    uint32_t groups; /* so far */
    uint32_t groups_total;
    uint32_t loops;
    int depth;
    bool ignore_case;
    bool backward;
    bool named; /* the pattern has named groups, so \k is one */
    const struct krl_text *names[KRL_REGEX_GROUPS_MAX];
};

struct set {
    uint32_t n;
    uint16_t ranges[2 * SET_RANGES_MAX];
};

static bool refuse(struct compiler *c, const char *why)
{
    if (!krl_failing(c->h)) {
        struct str s = krl_text_utf8(c->h, c->s, false);
        krl_fail(c->h, RC_INVALID, "SyntaxError: Invalid regular expression: /%.*s/: %s",
                 (int)min_size(s.n, 200), s.p, why);
    }
    return false;
}

static bool more(const struct compiler *c)
{
    return c->at < c->s->n;
}

static uint16_t look(const struct compiler *c, size_t ahead)
{
    return c->at + ahead < c->s->n ? krl_unit(c->s, c->at + ahead) : 0;
}

static bool take(struct compiler *c, char unit)
{
    bool here = more(c) && look(c, 0) == (uint8_t)unit;
    c->at += here;
    return here;
}

static bool emit(struct compiler *c, uint32_t word)
{
    if (krl_failing(c->h))
        return false;
    if (c->n == KRL_REGEX_NODES_MAX * 4)
        return refuse(c, "Regular expression too large");
    if (c->n == c->capacity) {
        size_t capacity = c->capacity * 2 + 32;
        uint32_t *code = krl_take_n(c->h, capacity, sizeof *code);
        if (code == NULL)
            return false;
        if (c->n > 0)
            memcpy(code, c->code, c->n * sizeof *code);
        c->code = code;
        c->capacity = capacity;
    }
    c->code[c->n++] = word;
    return true;
}

/* Make room for words in front of what was emitted since at. */
static bool insert(struct compiler *c, size_t at, size_t words)
{
    size_t old = c->n;
    for (size_t i = 0; i < words; i++)
        if (!emit(c, 0))
            return false;
    memmove(c->code + at + words, c->code + at, (old - at) * sizeof *c->code);
    return true;
}

/* --- sets --- */

static bool add_range(struct compiler *c, struct set *set, uint32_t first, uint32_t last)
{
    if (set->n == SET_RANGES_MAX)
        return refuse(c, "Regular expression too large");
    set->ranges[2 * set->n] = (uint16_t)first;
    set->ranges[2 * set->n + 1] = (uint16_t)last;
    set->n++;
    return true;
}

static const uint16_t digits[] = {'0', '9'};
static const uint16_t word_units[] = {'0', '9', 'A', 'Z', '_', '_', 'a', 'z'};
static const uint16_t spaces[] = {9,      13,     ' ',    ' ',    0xA0,   0xA0,   0x1680,
                                  0x1680, 0x2000, 0x200A, 0x2028, 0x2029, 0x202F, 0x202F,
                                  0x205F, 0x205F, 0x3000, 0x3000, 0xFEFF, 0xFEFF};

/* \d \w \s and their opposites; false where unit is none of them. */
static bool add_class(struct compiler *c, struct set *set, uint16_t unit)
{
    uint16_t lower = unit | 0x20;
    const uint16_t *ranges = lower == 'd' ? digits : lower == 'w' ? word_units : spaces;
    size_t n = lower == 'd' ? COUNT(digits) : lower == 'w' ? COUNT(word_units) : COUNT(spaces);
    if (lower != 'd' && lower != 'w' && lower != 's')
        return false;
    if (unit == lower) {
        for (size_t i = 0; i < n; i += 2)
            (void)add_range(c, set, ranges[i], ranges[i + 1]); /* the error stays in the heap */
        return true;
    }
    uint32_t from = 0;
    for (size_t i = 0; i < n; i += 2) {
        if (ranges[i] > from)
            (void)add_range(c, set, from, ranges[i] - 1U);
        from = ranges[i + 1] + 1U;
    }
    if (from <= 0xFFFF)
        (void)add_range(c, set, from, 0xFFFF);
    return true;
}

/* Room for a scan_set: where it is. */
static size_t emit_no_ascii(struct compiler *c)
{
    size_t at = c->n;
    for (size_t i = 0; i < RE_ASCII_WORDS; i++)
        (void)emit(c, 0);
    return at;
}

static bool emit_set(struct compiler *c, const struct set *set, bool inverted)
{
    (void)emit(c, inverted ? RE_NOT_SET : RE_SET);
    (void)emit(c, set->n);
    size_t ascii = emit_no_ascii(c);
    size_t pairs = c->n;
    for (uint32_t i = 0; i < set->n; i++)
        (void)emit(c, (uint32_t)set->ranges[2 * i] | (uint32_t)set->ranges[2 * i + 1] << 16);
    if (krl_failing(c->h))
        return false;
    struct scan_set units = {0};
    for (unsigned unit = 0; unit < RE_ASCII; unit++)
        if (krl_regex_set_has(c->code + pairs, set->n, c->ignore_case, (uint16_t)unit))
            scan_add(&units, unit);
    memcpy(c->code + ascii, &units, sizeof units);
    return true;
}

static bool emit_back(struct compiler *c)
{
    return !c->backward || emit(c, RE_BACK);
}

static bool emit_char(struct compiler *c, uint16_t unit)
{
    return emit_back(c) && emit(c, RE_CHAR) && emit(c, c->ignore_case ? krl_fold(unit) : unit);
}

/* --- escapes --- */

/* n hexadecimal digits; false, and nothing taken, where they are not there. */
static bool take_hex(struct compiler *c, size_t n, uint16_t *ret)
{
    uint32_t value = 0;
    for (size_t i = 0; i < n; i++) {
        if (c->at + i >= c->s->n || hex_value(look(c, i)) < 0)
            return false;
        value = value << 4 | (uint32_t)hex_value(look(c, i));
    }
    c->at += n;
    *ret = (uint16_t)value;
    return true;
}

static uint16_t take_octal(struct compiler *c)
{
    uint32_t value = 0;
    for (int i = 0; i < 3 && more(c) && look(c, 0) >= '0' && look(c, 0) <= '7'; i++) {
        uint32_t next = value * 8 + (look(c, 0) - '0');
        if (next > 0xFF)
            break;
        value = next;
        c->at++;
    }
    return (uint16_t)value;
}

/* \cX; in a set digits and _ too. Otherwise the backslash stands for itself (Annex B). */
static uint16_t take_control(struct compiler *c, bool in_set)
{
    uint16_t unit = look(c, 0);
    uint16_t lower = unit | 0x20;
    bool letter = lower >= 'a' && lower <= 'z';
    if (letter || (in_set && ((unit >= '0' && unit <= '9') || unit == '_'))) {
        c->at++;
        return unit & 31;
    }
    c->at--; /* the c is read again as itself */
    return '\\';
}

/* One unit from an escape, behind the backslash. */
static uint16_t take_escape(struct compiler *c, bool in_set)
{
    static const char from[] = "tnvfr";
    static const char to[] = "\t\n\v\f\r";
    uint16_t unit = look(c, 0);
    uint16_t value = 0;
    if (unit >= '0' && unit <= '7')
        return take_octal(c);
    c->at++;
    const char *known = unit < 0x80 && unit != 0 ? strchr(from, unit) : NULL;
    if (known != NULL)
        return (uint8_t)to[known - from];
    if (unit == 'b' && in_set)
        return '\b';
    if (unit == 'c')
        return take_control(c, in_set);
    if ((unit == 'x' && take_hex(c, 2, &value)) || (unit == 'u' && take_hex(c, 4, &value)))
        return value;
    return unit;
}

/* One member of a set: a class (false) or a unit in *ret. */
static bool take_member(struct compiler *c, struct set *set, uint16_t *ret)
{
    uint16_t unit = look(c, 0);
    c->at++;
    if (unit != '\\') {
        *ret = unit;
        return true;
    }
    if (add_class(c, set, look(c, 0))) {
        c->at++;
        return false;
    }
    *ret = take_escape(c, true);
    return true;
}

static bool parse_set(struct compiler *c)
{
    struct set set = {0};
    bool inverted = take(c, '^');
    while (more(c) && look(c, 0) != ']') {
        uint16_t first = 0;
        uint16_t last = 0;
        bool one = take_member(c, &set, &first);
        if (look(c, 0) != '-' || look(c, 1) == ']' || c->at + 1 >= c->s->n) {
            if (one && !add_range(c, &set, first, first))
                return false;
            continue;
        }
        c->at++;
        bool two = take_member(c, &set, &last);
        if (one && two && first > last)
            return refuse(c, "Range out of order in character class");
        bool ok = one && two ? add_range(c, &set, first, last)
                             : add_range(c, &set, '-', '-') &&
                                   (!one || add_range(c, &set, first, first)) &&
                                   (!two || add_range(c, &set, last, last));
        if (!ok)
            return false;
    }
    if (!take(c, ']'))
        return refuse(c, "Unterminated character class");
    return !krl_failing(c->h) && emit_back(c) && emit_set(c, &set, inverted);
}

/* --- groups --- */

static bool parse_alternatives(struct compiler *c);

static bool is_name_unit(uint16_t unit, bool first)
{
    bool letter = ((unit | 0x20) >= 'a' && (unit | 0x20) <= 'z') || unit == '_' || unit == '$' ||
                  unit >= 0x80;
    return letter || (!first && unit >= '0' && unit <= '9');
}

static const struct krl_text *take_name(struct compiler *c)
{
    size_t start = c->at;
    while (more(c) && is_name_unit(look(c, 0), c->at == start))
        c->at++;
    size_t end = c->at;
    if (end == start || end - start > NAME_UNITS_MAX || !take(c, '>')) {
        (void)refuse(c, "Invalid capture group name");
        return NULL;
    }
    return krl_text_part(c->h, c->s, start, end);
}

static bool parse_capture(struct compiler *c, const struct krl_text *name)
{
    if (c->groups == KRL_REGEX_GROUPS_MAX)
        return refuse(c, "Too many captures");
    for (uint32_t i = 0; name != NULL && i < c->groups; i++)
        if (c->names[i] != NULL && krl_text_eq(c->names[i], name))
            return refuse(c, "Duplicate capture group name");
    uint32_t group = c->groups++;
    c->names[group] = name;
    uint32_t first = 2 * group + c->backward;
    return emit(c, RE_SAVE) && emit(c, first) && parse_alternatives(c) && emit(c, RE_SAVE) &&
           emit(c, first ^ 1);
}

static bool parse_look(struct compiler *c, bool behind, bool negative)
{
    bool was = c->backward;
    size_t at = c->n;
    if (!emit(c, negative ? RE_NOT_LOOK : RE_LOOK) || !emit(c, 0))
        return false;
    c->backward = behind;
    bool ok = parse_alternatives(c) && emit(c, RE_MATCH);
    c->backward = was;
    if (ok)
        c->code[at + 1] = (uint32_t)c->n;
    return ok;
}

/* Behind the opening bracket. *ret_look: it is an assertion that cannot be repeated. */
static bool parse_group(struct compiler *c, bool *ret_look)
{
    if (c->depth == KRL_REGEX_DEPTH_MAX)
        return refuse(c, "Regular expression too large");
    c->depth++;
    bool ok = false;
    if (!take(c, '?')) {
        ok = parse_capture(c, NULL);
    } else if (take(c, ':')) {
        ok = parse_alternatives(c);
    } else if (take(c, '=')) {
        ok = parse_look(c, false, false);
    } else if (take(c, '!')) {
        ok = parse_look(c, false, true);
    } else if (look(c, 0) == '<' && (look(c, 1) == '=' || look(c, 1) == '!')) {
        bool negative = look(c, 1) == '!';
        c->at += 2;
        *ret_look = true;
        ok = parse_look(c, true, negative);
    } else if (take(c, '<')) {
        const struct krl_text *name = take_name(c);
        ok = name != NULL && parse_capture(c, name);
    } else {
        return refuse(c, "Invalid group");
    }
    c->depth--;
    if (ok && !take(c, ')'))
        return refuse(c, "Unterminated group");
    return ok;
}

static bool emit_group(struct compiler *c, uint32_t group)
{
    return emit(c, c->backward ? RE_GROUP_BACK : RE_GROUP) && emit(c, group);
}

/* \1 where there is such a group; \k<name> where the pattern has names. */
static bool parse_reference(struct compiler *c, bool *ret_is)
{
    *ret_is = true;
    if (look(c, 0) >= '1' && look(c, 0) <= '9') {
        uint32_t group = 0;
        size_t at = c->at;
        while (more(c) && look(c, 0) >= '0' && look(c, 0) <= '9' && group < 1000)
            group = group * 10 + (look(c, 0) - '0'), c->at++;
        if (group < c->groups_total)
            return emit_group(c, group);
        c->at = at;
    }
    if (c->named && look(c, 0) == 'k') {
        c->at++;
        if (!take(c, '<'))
            return refuse(c, "Invalid named reference");
        const struct krl_text *name = take_name(c);
        for (uint32_t i = 1; name != NULL && i < c->groups; i++)
            if (c->names[i] != NULL && krl_text_eq(c->names[i], name))
                return emit_group(c, i);
        return refuse(c, "Invalid named capture referenced");
    }
    *ret_is = false;
    return true;
}

static bool parse_escape(struct compiler *c)
{
    bool is = false;
    struct set set = {0};
    if (!more(c))
        return refuse(c, "\\ at end of pattern");
    if (!parse_reference(c, &is))
        return false;
    if (is)
        return true;
    if (add_class(c, &set, look(c, 0))) {
        c->at++;
        return emit_back(c) && emit_set(c, &set, false);
    }
    return emit_char(c, take_escape(c, false));
}

/* --- terms --- */

/* {2}, {2,}, {2,3}; false, and nothing taken, where it is none. */
static bool take_braces(struct compiler *c, uint32_t *min, uint32_t *max)
{
    size_t at = c->at;
    uint64_t numbers[2] = {0, RE_COUNT_MAX};
    size_t which = 0;
    size_t digits_n = 0;
    for (at++; at < c->s->n; at++) {
        uint16_t unit = krl_unit(c->s, at);
        if (unit >= '0' && unit <= '9') {
            numbers[which] = (digits_n++ == 0 ? 0 : numbers[which] * 10) + (uint64_t)(unit - '0');
            if (numbers[which] > RE_COUNT_MAX)
                numbers[which] = RE_COUNT_MAX;
        } else if (unit == ',' && which == 0 && digits_n > 0) {
            which = 1;
            digits_n = 0;
        } else {
            break;
        }
    }
    if (at >= c->s->n || krl_unit(c->s, at) != '}' || (which == 0 && digits_n == 0))
        return false;
    *min = (uint32_t)numbers[0];
    *max = which == 0 ? *min : (uint32_t)numbers[1];
    c->at = at + 1;
    return true;
}

static bool take_quantifier(struct compiler *c, uint32_t *min, uint32_t *max)
{
    *min = 0;
    *max = RE_COUNT_MAX;
    if (take(c, '*'))
        return true;
    if (take(c, '+')) {
        *min = 1;
        return true;
    }
    if (take(c, '?')) {
        *max = 1;
        return true;
    }
    return look(c, 0) == '{' && take_braces(c, min, max);
}

/* One unit wide: can be repeated without a choice for each. */
static bool is_single(const struct compiler *c, size_t at)
{
    if (at == c->n)
        return false; /* nothing was emitted: an empty group */
    uint32_t op = c->code[at];
    return (op == RE_CHAR && at + 2 == c->n) || (op == RE_ANY && at + 1 == c->n) ||
           ((op == RE_SET || op == RE_NOT_SET) && at + RE_SET_HEAD + c->code[at + 1] == c->n);
}

/* Operands of jumps within the code that moved. */
static void move_jumps(struct compiler *c, size_t from, uint32_t by)
{
    static const uint8_t sizes[] = {
        [RE_MATCH] = 1,         [RE_CHAR] = 2,       [RE_ANY] = 1,      [RE_BACK] = 1,
        [RE_RUN] = RE_RUN_HEAD, [RE_JUMP] = 2,       [RE_SPLIT] = 2,    [RE_SAVE] = 2,
        [RE_SET_COUNT] = 2,     [RE_LOOP] = 6,       [RE_LOOP_END] = 4, [RE_CLEAR] = 3,
        [RE_GROUP] = 2,         [RE_GROUP_BACK] = 2, [RE_START] = 1,    [RE_FINISH] = 1,
        [RE_WORD] = 1,          [RE_NOT_WORD] = 1,   [RE_LOOK] = 2,     [RE_NOT_LOOK] = 2};
    for (size_t i = from; i < c->n;) {
        uint32_t op = c->code[i];
        if (op == RE_SET || op == RE_NOT_SET) {
            i += RE_SET_HEAD + c->code[i + 1];
            continue;
        }
        if (op == RE_JUMP || op == RE_SPLIT || op == RE_LOOK || op == RE_NOT_LOOK)
            c->code[i + 1] += by;
        else if (op == RE_RUN || op == RE_LOOP_END)
            c->code[i + 3] += by;
        else if (op == RE_LOOP)
            c->code[i + 5] += by;
        i += sizes[op];
    }
}

static bool emit_run(struct compiler *c, size_t at, uint32_t min, uint32_t max)
{
    if (!insert(c, at, RE_RUN_HEAD))
        return false;
    struct scan_set units = {0};
    for (unsigned unit = 0; unit < RE_ASCII; unit++)
        if (krl_regex_takes(c->ignore_case, c->code + at + RE_RUN_HEAD, (uint16_t)unit))
            scan_add(&units, unit);
    uint32_t head[] = {RE_RUN, min, max, (uint32_t)c->n};
    memcpy(c->code + at, head, sizeof head);
    memcpy(c->code + at + COUNT(head), &units, sizeof units);
    return true;
}

/* Repeat what was emitted since at; groups from first were opened in it. */
static bool emit_loop(struct compiler *c, size_t at, uint32_t first, uint32_t min, uint32_t max)
{
    bool lazy = take(c, '?');
    if (!lazy && is_single(c, at))
        return emit_run(c, at, min, max);
    enum { HEAD = 2 + 6 + 3 };
    if (!insert(c, at, HEAD))
        return false;
    move_jumps(c, at + HEAD, HEAD);
    uint32_t counter = c->loops++;
    uint32_t end = (uint32_t)c->n + 4;
    uint32_t head[] = {RE_SET_COUNT, counter, RE_LOOP,  counter, min,      max,
                       lazy,         end,     RE_CLEAR, first,   c->groups};
    memcpy(c->code + at, head, sizeof head);
    return emit(c, RE_LOOP_END) && emit(c, counter) && emit(c, min) && emit(c, (uint32_t)at + 2);
}

/* ^ $ \b \B; false where the next is none. */
static bool take_assertion(struct compiler *c)
{
    if (take(c, '^'))
        return emit(c, RE_START);
    if (take(c, '$'))
        return emit(c, RE_FINISH);
    if (look(c, 0) != '\\' || (look(c, 1) | 0x20) != 'b')
        return false;
    bool not = look(c, 1) == 'B';
    c->at += 2;
    return emit(c, not ? RE_NOT_WORD : RE_WORD);
}

static bool parse_atom(struct compiler *c, bool *ret_look)
{
    uint32_t min = 0;
    uint32_t max = 0;
    uint16_t unit = look(c, 0);
    if (unit == '*' || unit == '+' || unit == '?' ||
        (unit == '{' && take_quantifier(c, &min, &max)))
        return refuse(c, "Nothing to repeat");
    c->at++;
    if (unit == '(')
        return parse_group(c, ret_look);
    if (unit == '[')
        return parse_set(c);
    if (unit == '.')
        return emit_back(c) && emit(c, RE_ANY);
    return unit == '\\' ? parse_escape(c) : emit_char(c, unit);
}

static bool parse_term(struct compiler *c)
{
    size_t at = c->n;
    uint32_t first = c->groups;
    uint32_t min = 0;
    uint32_t max = 0;
    bool looks = false;
    if (take_assertion(c)) {
        if (take_quantifier(c, &min, &max))
            return refuse(c, "Nothing to repeat");
        return true;
    }
    if (krl_failing(c->h) || !parse_atom(c, &looks))
        return false;
    if (!take_quantifier(c, &min, &max))
        return true;
    if (looks)
        return refuse(c, "Nothing to repeat");
    if (min > max)
        return refuse(c, "numbers out of order in {} quantifier");
    return emit_loop(c, at, first, min, max);
}

/* Terms read backwards stand in the program in the opposite order. */
static bool put_first(struct compiler *c, size_t start, size_t at)
{
    size_t n = c->n - at;
    if (start == at || n == 0)
        return true;
    uint32_t *copy = krl_take_n(c->h, n, sizeof *copy);
    if (copy == NULL)
        return false;
    move_jumps(c, at, (uint32_t)(start - at));
    memcpy(copy, c->code + at, n * sizeof *copy);
    size_t whole = c->n;
    c->n = at;
    move_jumps(c, start, (uint32_t)n);
    c->n = whole;
    memmove(c->code + start + n, c->code + start, (at - start) * sizeof *copy);
    memcpy(c->code + start, copy, n * sizeof *copy);
    return true;
}

static bool parse_alternative(struct compiler *c)
{
    size_t start = c->n;
    while (more(c) && look(c, 0) != '|' && look(c, 0) != ')') {
        size_t at = c->n;
        if (!krl_pay(c->h, 1) || !parse_term(c))
            return false;
        if (c->backward && !put_first(c, start, at))
            return false;
    }
    return !krl_failing(c->h);
}

static bool parse_alternatives(struct compiler *c)
{
    size_t start = c->n;
    if (!parse_alternative(c))
        return false;
    size_t last_jump = 0; /* chain of the jumps to the end, by their operands */
    size_t from = start;
    while (take(c, '|')) {
        if (!insert(c, from, 2))
            return false;
        move_jumps(c, from + 2, 2);
        if (!emit(c, RE_JUMP) || !emit(c, (uint32_t)last_jump))
            return false;
        last_jump = c->n - 1;
        c->code[from] = RE_SPLIT;
        c->code[from + 1] = (uint32_t)c->n;
        from = c->n;
        if (!parse_alternative(c))
            return false;
    }
    while (last_jump != 0) {
        size_t next = c->code[last_jump];
        c->code[last_jump] = (uint32_t)c->n;
        last_jump = next;
    }
    return true;
}

/* How many groups capture, and whether one has a name: needed before references are read. */
static void count_groups(struct compiler *c)
{
    bool set = false;
    c->groups_total = 1;
    for (size_t i = 0; i < c->s->n; i++) {
        uint16_t unit = krl_unit(c->s, i);
        if (unit == '\\')
            i++;
        else if (set || unit == '[')
            set = unit != ']';
        else if (unit == '(') {
            c->at = i + 1;
            bool name =
                look(c, 0) == '?' && look(c, 1) == '<' && look(c, 2) != '=' && look(c, 2) != '!';
            c->groups_total += name || look(c, 0) != '?';
            c->named = c->named || name;
        }
    }
    c->at = 0;
}

static bool read_flags(const struct krl_text *flags, struct krl_regex *re)
{
    bool multiline = false;
    for (size_t i = 0; i < flags->n; i++) {
        uint16_t unit = krl_unit(flags, i);
        bool *flag = unit == 'g' ? &re->global : unit == 'i' ? &re->ignore_case : &multiline;
        if (*flag)
            return false;
        *flag = true;
    }
    return true;
}

const struct krl_regex *krl_regex(struct krl_heap *h, const struct krl_text *source,
                                  const struct krl_text *flags)
{
    struct krl_regex *re = krl_take(h, sizeof *re);
    if (re == NULL)
        return NULL;
    if (!read_flags(flags, re)) {
        krl_fail(h, RC_INVALID, "SyntaxError: Invalid flags supplied to RegExp constructor '%.*s'",
                 STRF(krl_text_utf8(h, flags, false)));
        return NULL;
    }
    struct compiler c = {.h = h, .s = source, .groups = 1, .ignore_case = re->ignore_case};
    count_groups(&c);
    if (!parse_alternatives(&c) || !emit(&c, RE_MATCH))
        return NULL;
    if (more(&c)) {
        (void)refuse(&c, "Unmatched ')'");
        return NULL;
    }
    re->source = source;
    re->groups = (uint16_t)c.groups;
    re->registers = (uint16_t)(2 * c.groups + 2 * c.loops);
    re->code = c.code;
    re->code_n = (uint32_t)c.n;
    re->names = krl_take_n(h, c.groups, sizeof(void *));
    if (re->names == NULL)
        return NULL;
    memcpy(re->names, c.names, c.groups * sizeof(void *));
    re->straight = krl_regex_is_straight(re);
    re->one_run = re->code[0] == RE_RUN && re->code[1] > 0 && re->code[re->code[3]] == RE_MATCH;
    if (re->straight)
        krl_regex_note_front(re);
    return krl_regex_note_first(h, re) ? re : NULL;
}

const struct krl_text *krl_regex_text(struct krl_heap *h, const struct krl_regex *re)
{
    struct krl_builder b;
    krl_builder_init(&b, h);
    krl_add_ascii(&b, STR("re#"));
    krl_add_text(&b, re->source);
    krl_add_unit(&b, '#');
    if (re->global)
        krl_add_unit(&b, 'g');
    if (re->ignore_case)
        krl_add_unit(&b, 'i');
    return krl_builder_text(&b);
}

bool krl_regex_eq(const struct krl_regex *a, const struct krl_regex *b)
{
    return a->global == b->global && a->ignore_case == b->ignore_case &&
           krl_text_eq(a->source, b->source);
}
