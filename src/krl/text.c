#include "krl/text.h"

#include "base/map.h"
#include "base/scan.h"
#include "krl/lanes.h"

const struct krl_text krl_empty = {.n = 0, .a = ""};

enum { ROOM_FIRST = 32, BUILDER_FIRST = 32, SEEK_WASTE = 1024 };

static size_t unit_size(bool wide)
{
    return wide ? 2 : 1;
}

/* A text over bytes that are there already. */
static inline const struct krl_text *over(struct krl_heap *h, const void *bytes, size_t n,
                                          bool wide, struct krl_room *room)
{
    struct krl_text *t = krl_take_small(h, sizeof *t);
    if (t == NULL)
        return NULL;
    *t = (struct krl_text){.n = (uint32_t)n, .wide = wide, .room = room};
    if (wide)
        t->u = bytes;
    else
        t->a = bytes;
    return t;
}

/* Some unit is not ASCII. */
static bool some_wide(const uint16_t *units, size_t n)
{
    size_t i = 0;
    const lanes16 high = (lanes16){} + 0xFF80;
    for (; n - i >= LANES_BYTES / 2; i += LANES_BYTES / 2)
        if (lanes_any((lanes8)((lanes16)lanes_load(units + i) & high)))
            return true;
    for (; i < n; i++)
        if (units[i] >= 0x80)
            return true;
    return false;
}

/* --- building --- */

void krl_builder_init(struct krl_builder *b, struct krl_heap *h)
{
    *b = (struct krl_builder){.heap = h};
}

void krl_builder_reserve(struct krl_builder *b, size_t units)
{
    b->least = units;
}

static void grow(struct krl_builder *b, size_t more, bool wide)
{
    size_t need = b->n + more;
    if (b->failed || (need <= b->capacity && wide == b->wide))
        return;
    size_t capacity = need <= b->capacity ? b->capacity : max_size(need, b->capacity * 2);
    capacity = max_size(capacity, max_size(b->least, BUILDER_FIRST));
    char *bytes = need <= KRL_TEXT_MAX ? krl_take_raw(b->heap, capacity * unit_size(wide)) : NULL;
    if (bytes == NULL) {
        krl_fail(b->heap, RC_TOO_LARGE, "Error: out of memory: a string is too long");
        b->failed = true;
        return;
    }
    if (b->n > 0 && b->wide == wide)
        memcpy(bytes, b->bytes, b->n * unit_size(wide));
    else
        for (size_t i = 0; i < b->n; i++)
            ((uint16_t *)(void *)bytes)[i] = (uint8_t)b->bytes[i];
    b->bytes = bytes;
    b->capacity = capacity;
    b->wide = wide;
}

void krl_add_unit(struct krl_builder *b, uint16_t unit)
{
    grow(b, 1, b->wide || unit >= 0x80);
    if (b->failed)
        return;
    if (b->wide)
        ((uint16_t *)(void *)b->bytes)[b->n++] = unit;
    else
        b->bytes[b->n++] = (char)unit;
}

void krl_add_code(struct krl_builder *b, uint32_t code)
{
    if (code < 0x10000) {
        krl_add_unit(b, (uint16_t)code);
        return;
    }
    krl_add_unit(b, (uint16_t)(0xD800 + ((code - 0x10000) >> 10)));
    krl_add_unit(b, (uint16_t)(0xDC00 + ((code - 0x10000) & 0x3FF)));
}

/* A part for which room has to be made, or that is not ASCII, or goes where not all is. */
void krl_add_long_part(struct krl_builder *b, const struct krl_text *t, size_t from, size_t to)
{
    grow(b, to - from, b->wide || (t->wide && some_wide(t->u + from, to - from)));
    if (b->failed)
        return;
    if (!b->wide && t->wide)
        for (size_t i = from; i < to; i++) /* a part that is ASCII */
            b->bytes[b->n + i - from] = (char)t->u[i];
    else if (!b->wide)
        memcpy(b->bytes + b->n, t->a + from, to - from);
    else if (t->wide)
        memcpy((uint16_t *)(void *)b->bytes + b->n, t->u + from, (to - from) * 2);
    else
        for (size_t i = from; i < to; i++)
            ((uint16_t *)(void *)b->bytes)[b->n + i - from] = (uint8_t)t->a[i];
    b->n += to - from;
}

void krl_add_ascii(struct krl_builder *b, struct str ascii)
{
    struct krl_text t = {.n = (uint32_t)ascii.n, .a = ascii.p};
    krl_add_part(b, &t, 0, t.n);
}

const struct krl_text *krl_builder_text(struct krl_builder *b)
{
    if (b->failed)
        return NULL;
    return b->n == 0 ? &krl_empty : over(b->heap, b->bytes, b->n, b->wide, NULL);
}

/* --- UTF-8 --- */

/* The code at *at, which moves on; surrogates are allowed, what cannot be read is U+FFFD. */
static uint32_t next_code(struct str s, size_t *at)
{
    uint8_t first = (uint8_t)s.p[*at];
    size_t more = first < 0xC2 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : first < 0xF5 ? 3 : 0;
    (*at)++;
    if (more == 0)
        return first < 0x80 ? first : 0xFFFD;
    uint32_t code = first & (0x3FU >> more);
    for (size_t i = 0; i < more; i++, (*at)++) {
        if (*at >= s.n || ((uint8_t)s.p[*at] & 0xC0) != 0x80)
            return 0xFFFD;
        code = code << 6 | ((uint8_t)s.p[*at] & 0x3F);
    }
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    return code < least[more] || code > 0x10FFFF ? 0xFFFD : code;
}

const struct krl_text *krl_text_over(struct krl_heap *h, const char *ascii, size_t n)
{
    return over(h, ascii, n, false, NULL);
}

static const struct krl_text *narrow_copy(struct krl_heap *h, struct str ascii)
{
    if (ascii.n == 0)
        return &krl_empty;
    char *bytes = krl_take_raw(h, ascii.n);
    if (bytes == NULL)
        return NULL;
    memcpy(bytes, ascii.p, ascii.n);
    return over(h, bytes, ascii.n, false, NULL);
}

/* How many bytes at the front are ASCII. */
static size_t ascii_of(struct str s)
{
    size_t n = 0;
    while (s.n - n >= LANES_BYTES && !lanes_any(lanes_load(s.p + n) & ((lanes8){} + 0x80)))
        n += LANES_BYTES;
    while (n < s.n && (uint8_t)s.p[n] < 0x80)
        n++;
    return n;
}

const struct krl_text *krl_text(struct krl_heap *h, struct str utf8)
{
    size_t ascii = ascii_of(utf8);
    if (ascii == utf8.n && ascii <= KRL_TEXT_MAX)
        return narrow_copy(h, utf8);
    struct krl_builder b;
    krl_builder_init(&b, h);
    krl_add_ascii(&b, str_sub(utf8, 0, ascii));
    for (size_t at = ascii; at < utf8.n;)
        krl_add_code(&b, next_code(utf8, &at));
    return krl_builder_text(&b);
}

static char *put_code(char *p, uint32_t code)
{
    if (code < 0x80) {
        *p++ = (char)code;
        return p;
    }
    if (code < 0x800) {
        *p++ = (char)(0xC0 | code >> 6);
    } else if (code < 0x10000) {
        *p++ = (char)(0xE0 | code >> 12);
        *p++ = (char)(0x80 | (code >> 6 & 0x3F));
    } else {
        *p++ = (char)(0xF0 | code >> 18);
        *p++ = (char)(0x80 | (code >> 12 & 0x3F));
        *p++ = (char)(0x80 | (code >> 6 & 0x3F));
    }
    *p++ = (char)(0x80 | (code & 0x3F));
    return p;
}

struct str krl_text_utf8(struct krl_heap *h, const struct krl_text *t, bool exact)
{
    if (!t->wide)
        return str_n(t->a, t->n);
    char *bytes = krl_take_raw(h, (size_t)t->n * 3);
    if (bytes == NULL)
        return (struct str){NULL, 0};
    char *p = bytes;
    for (size_t i = 0; i < t->n; i++) {
        uint32_t code = t->u[i];
        if ((code & 0xFC00) == 0xD800 && i + 1 < t->n && (t->u[i + 1] & 0xFC00) == 0xDC00)
            code = 0x10000 + ((code - 0xD800) << 10) + (t->u[++i] - 0xDC00U);
        else if ((code & 0xF800) == 0xD800 && !exact)
            code = 0xFFFD;
        p = put_code(p, code);
    }
    return str_n(bytes, (size_t)(p - bytes));
}

/* --- parts and wholes --- */

/* Units that are all ASCII, as bytes. */
static const struct krl_text *narrowed(struct krl_heap *h, const uint16_t *units, size_t n)
{
    char *bytes = krl_take_raw(h, n);
    for (size_t i = 0; bytes != NULL && i < n; i++)
        bytes[i] = (char)units[i];
    return bytes == NULL ? NULL : over(h, bytes, n, false, NULL);
}

const struct krl_text *krl_text_units(struct krl_heap *h, const uint16_t *units, size_t n)
{
    if (n == 0)
        return &krl_empty;
    if (!some_wide(units, n))
        return narrowed(h, units, n);
    uint16_t *copy = krl_take_raw(h, n * sizeof *copy);
    if (copy == NULL)
        return NULL;
    memcpy(copy, units, n * sizeof *copy);
    return over(h, copy, n, true, NULL);
}

const struct krl_text *krl_text_part(struct krl_heap *h, const struct krl_text *t, size_t from,
                                     size_t to)
{
    ASSERT(from <= to && to <= t->n);
    if (from == to)
        return &krl_empty;
    if (from == 0 && to == t->n)
        return t;
    if (!t->wide)
        return over(h, t->a + from, to - from, false, NULL);
    return some_wide(t->u + from, to - from) ? over(h, t->u + from, to - from, true, NULL)
                                             : narrowed(h, t->u + from, to - from);
}

/* b behind a in the room of a, where a is what was built there last. */
static bool extends(const struct krl_text *a, const struct krl_text *b)
{
    if (a->room == NULL || a->wide < b->wide)
        return false;
    size_t size = unit_size(a->wide);
    const char *end = (a->wide ? (const char *)a->u : a->a) + a->n * size;
    return end == a->room->bytes + a->room->used &&
           b->n * size <= a->room->capacity - a->room->used;
}

static void copy_units(char *to, bool wide, const struct krl_text *t)
{
    if (wide == t->wide)
        memcpy(to, wide ? (const char *)t->u : t->a, t->n * unit_size(wide));
    else
        for (size_t i = 0; i < t->n; i++)
            ((uint16_t *)(void *)to)[i] = (uint8_t)t->a[i];
}

const struct krl_text *krl_text_join(struct krl_heap *h, const struct krl_text *a,
                                     const struct krl_text *b)
{
    if (a->n == 0 || b->n == 0)
        return a->n == 0 ? b : a;
    size_t n = (size_t)a->n + b->n;
    if (n > KRL_TEXT_MAX) {
        krl_fail(h, RC_TOO_LARGE, "Error: out of memory: a string is too long");
        return NULL;
    }
    if (!krl_pay(h, (int64_t)(b->n / KRL_STEP_BYTES)))
        return NULL;
    bool wide = a->wide || b->wide;
    size_t size = unit_size(wide);
    struct krl_room *room = a->room;
    if (!extends(a, b)) {
        size_t capacity = max_size(n * size + n * size / 2, ROOM_FIRST);
        room = krl_take_raw(h, sizeof *room + capacity);
        if (room == NULL)
            return NULL;
        *room = (struct krl_room){.used = a->n * size, .capacity = capacity};
        copy_units(room->bytes, wide, a);
        copy_units(room->bytes + room->used, wide, b);
        room->used += b->n * size;
        return over(h, room->bytes, n, wide, room);
    }
    const char *start = wide ? (const char *)a->u : a->a;
    copy_units(room->bytes + room->used, wide, b);
    room->used += b->n * size;
    return over(h, start, n, wide, room);
}

/* --- comparing --- */

bool krl_text_eq(const struct krl_text *a, const struct krl_text *b)
{
    if (a == b)
        return true;
    if (a->n != b->n || a->wide != b->wide)
        return false;
    return a->n == 0 ||
           (a->wide ? memcmp(a->u, b->u, (size_t)a->n * 2) : memcmp(a->a, b->a, a->n)) == 0;
}

int krl_text_cmp(const struct krl_text *a, const struct krl_text *b)
{
    size_t n = min_size(a->n, b->n);
    if (!a->wide && !b->wide) {
        int order = memcmp(a->a, b->a, n);
        return order != 0 ? order : a->n == b->n ? 0 : a->n < b->n ? -1 : 1;
    }
    for (size_t i = 0; i < n; i++)
        if (krl_unit(a, i) != krl_unit(b, i))
            return krl_unit(a, i) < krl_unit(b, i) ? -1 : 1;
    return a->n == b->n ? 0 : a->n < b->n ? -1 : 1;
}

bool krl_text_is(const struct krl_text *t, const char *ascii)
{
    size_t n = strlen(ascii);
    return t->n == n && !t->wide && memcmp(t->a, ascii, n) == 0;
}

/* A needle of bytes or of units, and the text's, in bytes. */
struct search {
    const char *start;
    const char *end;
    const char *needle;
    size_t needle_bytes;
    size_t size; /* of a unit */
};

/* A needle's bytes; those that begin within a unit are passed over. */
static const char *seek_slow(const struct search *s, const char *at)
{
    for (;; at++) {
        at = memmem(at, (size_t)(s->end - at), s->needle, s->needle_bytes);
        if (at == NULL || (size_t)(at - s->start) % s->size == 0)
            return at;
    }
}

/* Which units of two bytes begin with the needle's first and have its last where it belongs. */
static inline lanes8 both_ends(const struct search *s, const char *at)
{
    const char *last = s->needle + s->needle_bytes - s->size;
    lanes8 first = lanes_load(at);
    lanes8 second = lanes_load(at + s->needle_bytes - s->size);
    uint16_t ends[2];
    memcpy(&ends[0], s->needle, 2);
    memcpy(&ends[1], last, 2);
    return (lanes8)(((lanes16)first == (lanes16){} + ends[0]) &
                    ((lanes16)second == (lanes16){} + ends[1]));
}

/* As far as there is surely none, four vectors at a time. */
static const char *seek_far(const struct search *s, const char *at)
{
    size_t need = s->needle_bytes - s->size + (size_t)4 * LANES_BYTES;
    while ((size_t)(s->end - at) >= need) {
        lanes8 fits = both_ends(s, at) | both_ends(s, at + LANES_BYTES) |
                      both_ends(s, at + (size_t)2 * LANES_BYTES) |
                      both_ends(s, at + (size_t)3 * LANES_BYTES);
        if (lanes_any(fits))
            break;
        at += (size_t)4 * LANES_BYTES;
    }
    return at;
}

/* Many that begin and end as the needle without being it cost more than memmem, which never takes
 * more than a few steps a byte: it goes on then. */
static const char *seek_wide(const struct search *s, const char *at)
{
    size_t wasted = 0;
    const char *begin = at;
    at = seek_far(s, at);
    while ((size_t)(s->end - at) >= s->needle_bytes - s->size + LANES_BYTES) {
        lanes8 fits = both_ends(s, at);
        for (size_t i = 0; lanes_any(fits) && i < LANES_BYTES; i += s->size) {
            if (fits[i] == 0)
                continue;
            if (memcmp(at + i, s->needle, s->needle_bytes) == 0)
                return at + i;
            wasted += s->needle_bytes;
        }
        if (wasted > (size_t)(at - begin) + SEEK_WASTE)
            break;
        at = seek_far(s, at + LANES_BYTES);
    }
    return seek_slow(s, at);
}

static const char *seek_narrow(const struct search *s, const char *at)
{
    const size_t last = s->needle_bytes - 1;
    size_t wasted = 0;
    if (last == 0)
        return memchr(at, s->needle[0], (size_t)(s->end - at));
    for (const char *begin = at; (size_t)(s->end - at) > last; at++) {
        size_t n = (size_t)(s->end - at) - last;
        size_t i = scan_both(s->needle[0], s->needle[last], at, n, last);
        at += i;
        if (i == n)
            return NULL;
        if (memcmp(at + 1, s->needle + 1, last - 1) == 0)
            return at;
        wasted += s->needle_bytes;
        if (wasted > (size_t)(at - begin) + SEEK_WASTE)
            return seek_slow(s, at + 1);
    }
    return NULL;
}

size_t krl_text_seek(const struct krl_text *t, const void *needle, size_t n, size_t from)
{
    size_t size = unit_size(t->wide);
    if (from > t->n || n > t->n - from)
        return SIZE_MAX;
    if (n == 0)
        return from;
    const char *start = t->wide ? (const char *)t->u : t->a;
    struct search s = {.start = start,
                       .end = start + t->n * size,
                       .needle = needle,
                       .needle_bytes = n * size,
                       .size = size};
    const char *p = t->wide ? seek_wide(&s, start + from * size) : seek_narrow(&s, start + from);
    return p == NULL ? SIZE_MAX : (size_t)(p - start) / size;
}

size_t krl_text_find(struct krl_heap *h, const struct krl_text *t, const struct krl_text *needle,
                     size_t from)
{
    if (from > t->n || needle->n > t->n - from || (needle->wide && !t->wide))
        return SIZE_MAX;
    if (needle->n == 0)
        return from;
    const void *units = t->wide ? (const void *)krl_text_wide(h, needle) : needle->a;
    if (units == NULL)
        return SIZE_MAX;
    size_t at = krl_text_seek(t, units, needle->n, from);
    size_t passed = (at == SIZE_MAX ? t->n : at + needle->n) - from;
    return krl_pay(h, (int64_t)(passed * unit_size(t->wide) / KRL_STEP_BYTES)) ? at : SIZE_MAX;
}

uint64_t krl_text_hash(const struct krl_text *t, const uint64_t seed[2])
{
    return t->wide ? hash_str(str_n((const char *)t->u, (size_t)t->n * 2), seed)
                   : hash_str(str_n(t->a, t->n), seed);
}

const uint16_t *krl_text_wide(struct krl_heap *h, const struct krl_text *t)
{
    if (t->wide)
        return t->u;
    uint16_t *units = krl_take_raw(h, (size_t)t->n * 2);
    for (size_t i = 0; units != NULL && i < t->n; i++)
        units[i] = (uint8_t)t->a[i];
    return units;
}

bool krl_is_space(uint16_t u)
{
    return (u >= 9 && u <= 13) || u == ' ' || u == 0xA0 || u == 0x1680 ||
           (u >= 0x2000 && u <= 0x200A) || u == 0x2028 || u == 0x2029 || u == 0x202F ||
           u == 0x205F || u == 0x3000 || u == 0xFEFF;
}
