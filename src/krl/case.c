#include "krl/case.h"

#include "krl/case.def"
#include "krl/lanes.h"

enum {
    SIGMA = 0x3A3,
    SIGMA_SMALL = 0x3C3,
    SIGMA_FINAL = 0x3C2,
    LETTERS = 26,
    MANY_MAX = 3, /* code points that one may become */
};

struct range {
    uint32_t first;
    uint32_t last;
    uint32_t step;
    int32_t distance;
};

struct many {
    uint32_t code;
    uint16_t to[MANY_MAX];
};

#define X(first, last, step, distance) {first, last, step, distance},
static const struct range uppers[] = {KRL_UPPER(X)};
static const struct range lowers[] = {KRL_LOWER(X)};
#undef X
#define X(code, a, b, c) {code, {a, b, c}},
static const struct many upper_many[] = {KRL_UPPER_MANY(X)};
static const struct many lower_many[] = {KRL_LOWER_MANY(X)};
#undef X

static uint32_t map_code(const struct range *ranges, size_t n, uint32_t code)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges[middle].last < code)
            low = middle + 1;
        else
            high = middle;
    }
    /* Ranges of every second code may enclose others; the next few are looked at too. */
    for (; low < n && ranges[low].first <= code; low++)
        if ((code - ranges[low].first) % ranges[low].step == 0)
            return (uint32_t)((int32_t)code + ranges[low].distance);
    return code;
}

static uint32_t upper_code(uint32_t code)
{
    if (code < 0x80)
        return code >= 'a' && code <= 'z' ? code - 32 : code;
    return map_code(uppers, COUNT(uppers), code);
}

static uint32_t lower_code(uint32_t code)
{
    if (code < 0x80)
        return code >= 'A' && code <= 'Z' ? code + 32 : code;
    return map_code(lowers, COUNT(lowers), code);
}

static const struct many *find_many(const struct many *table, size_t n, uint32_t code)
{
    for (size_t i = 0; code >= 0x80 && i < n; i++)
        if (table[i].code == code)
            return &table[i];
    return NULL;
}

/* The code point at i; *ret_units are its units. */
static uint32_t code_at(const struct krl_text *t, size_t i, size_t *ret_units)
{
    uint32_t code = krl_unit(t, i);
    *ret_units = 1;
    if ((code & 0xFC00) != 0xD800 || i + 1 >= t->n || (krl_unit(t, i + 1) & 0xFC00) != 0xDC00)
        return code;
    *ret_units = 2;
    return 0x10000 + ((code - 0xD800) << 10) + (krl_unit(t, i + 1) - 0xDC00U);
}

/* Letters, as far as the rule of the final sigma needs them: those that have two cases. */
static bool is_cased(uint32_t code)
{
    return upper_code(code) != code || lower_code(code) != code ||
           find_many(upper_many, COUNT(upper_many), code) != NULL;
}

/* SpecialCasing.txt: a sigma behind a letter and not before one is a final one. */
static bool is_final(const struct krl_text *t, size_t i)
{
    size_t units = 1;
    bool before = i > 0 && is_cased(krl_unit(t, i - 1));
    bool after = i + 1 < t->n && is_cased(code_at(t, i + 1, &units));
    return before && !after;
}

static const struct krl_text *map_narrow(struct krl_heap *h, const struct krl_text *t, bool up)
{
    char first = up ? 'a' : 'A';
    char *mapped = krl_take_raw(h, t->n);
    if (mapped == NULL)
        return NULL;
    size_t i = 0;
    for (; t->n - i >= LANES_BYTES; i += LANES_BYTES) {
        lanes8 units = lanes_load(t->a + i);
        lanes8 other = (lanes8)(units - (uint8_t)first < LETTERS);
        units ^= other & ('a' ^ 'A');
        memcpy(mapped + i, &units, sizeof units);
    }
    for (; i < t->n; i++) {
        bool other = (unsigned char)(t->a[i] - first) < LETTERS;
        mapped[i] = (char)(t->a[i] ^ (other ? 'a' ^ 'A' : 0));
    }
    return krl_text_over(h, mapped, t->n);
}

static const struct krl_text *map_text(struct krl_heap *h, const struct krl_text *t, bool up)
{
    struct krl_builder b;
    krl_builder_init(&b, h);
    if (!krl_pay(h, t->n / KRL_STEP_BYTES))
        return NULL;
    if (!t->wide)
        return t->n > 0 ? map_narrow(h, t, up) : &krl_empty;
    size_t units = 1;
    krl_builder_reserve(&b, t->n);
    for (size_t i = 0; i < t->n; i += units) {
        units = 1;
        if (t->u[i] < 0x80) {
            krl_add_unit(&b, (uint16_t)(up ? upper_code(t->u[i]) : lower_code(t->u[i])));
            continue;
        }
        uint32_t code = code_at(t, i, &units);
        const struct many *many = up ? find_many(upper_many, COUNT(upper_many), code)
                                     : find_many(lower_many, COUNT(lower_many), code);
        for (size_t k = 0; many != NULL && k < MANY_MAX && many->to[k] != 0; k++)
            krl_add_unit(&b, many->to[k]);
        if (many != NULL)
            continue;
        if (!up && code == SIGMA)
            krl_add_unit(&b, is_final(t, i) ? SIGMA_FINAL : SIGMA_SMALL);
        else
            krl_add_code(&b, up ? upper_code(code) : lower_code(code));
    }
    return krl_builder_text(&b);
}

const struct krl_text *krl_text_upper(struct krl_heap *h, const struct krl_text *t)
{
    return map_text(h, t, true);
}

const struct krl_text *krl_text_lower(struct krl_heap *h, const struct krl_text *t)
{
    return map_text(h, t, false);
}

uint16_t krl_fold(uint16_t unit)
{
    if (find_many(upper_many, COUNT(upper_many), unit) != NULL)
        return unit;
    uint32_t up = upper_code(unit);
    return up > 0xFFFF || (unit >= 0x80 && up < 0x80) ? unit : (uint16_t)up;
}

uint16_t krl_unit_lower(uint16_t unit)
{
    uint32_t low = lower_code(unit);
    return low > 0xFFFF ? unit : (uint16_t)low;
}
