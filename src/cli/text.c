#include "cli/text.h"

struct range {
    uint32_t first;
    uint32_t last;
};

#include "cli/width.def"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define ELLIPSIS    "\xE2\x80\xA6" /* U+2026 */

static bool in_ranges(const struct range *ranges, size_t count, uint32_t c)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && c >= ranges[low].first;
}

/* The code point at s.p[at] and its length in bytes; 0 where the bytes are no UTF-8. */
static size_t decode(struct str s, size_t at, uint32_t *ret)
{
    unsigned char lead = (unsigned char)s.p[at];
    size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (at + n > s.n || !str_is_utf8(str_n(s.p + at, n)))
        return 0;
    uint32_t c = n == 1 ? lead : lead & (0xFFU >> (n + 1));
    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)s.p[at + i] & 0x3F);
    *ret = c;
    return n;
}

static size_t columns_of(uint32_t c)
{
    if (c < 0x300)
        return 1;
    if (in_ranges(zero, COUNT(zero), c))
        return 0;
    return in_ranges(wide, COUNT(wide), c) ? 2 : 1;
}

/* Moves *at behind one character and says how many columns it takes. */
static size_t step(struct str s, size_t *at)
{
    uint32_t c = 0;
    size_t n = decode(s, *at, &c);
    *at += n == 0 ? 1 : n;
    return n == 0 ? 1 : columns_of(c);
}

size_t text_width(struct str s)
{
    size_t width = 0;
    for (size_t at = 0; at < s.n;)
        width += step(s, &at);
    return width;
}

/* Control characters (C0, DEL, C1), and what turns the direction of reading (UAX #9). */
static bool is_harmful(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x61C || (c >= 0x200E && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

struct str text_plain(struct arena *arena, struct str s)
{
    struct buf b;
    buf_init(&b, arena, 3 * s.n + 1);
    for (size_t at = 0; at < s.n;) {
        uint32_t c = 0;
        size_t n = decode(s, at, &c);
        if (n == 1 && (c == '\n' || c == '\t' || c == '\r'))
            buf_add_char(&b, ' ');
        else if (n == 0 || is_harmful(c))
            buf_add(&b, STR(REPLACEMENT));
        else
            buf_add(&b, str_n(s.p + at, n));
        at += n == 0 ? 1 : n;
    }
    ASSERT(!b.full);
    return buf_str(&b);
}

struct str text_cut(struct arena *arena, struct str s, size_t width)
{
    ASSERT(width >= 1);
    if (text_width(s) <= width)
        return s;
    size_t taken = 0;
    size_t end = 0;
    for (size_t at = 0; at < s.n;) {
        size_t columns = step(s, &at);
        if (taken + columns > width - 1)
            break;
        taken += columns;
        end = at;
    }
    return arena_fmt(arena, "%.*s" ELLIPSIS, (int)end, s.p);
}

void text_pad(struct buf *b, struct str s, size_t width, bool to_right)
{
    size_t taken = text_width(s);
    if (!to_right)
        buf_add(b, s);
    for (size_t i = taken; i < width; i++)
        buf_add_char(b, ' ');
    if (to_right)
        buf_add(b, s);
}

size_t text_distance(struct str a, struct str b)
{
    if (a.n > TEXT_SUGGEST_MAX || b.n > TEXT_SUGGEST_MAX)
        return max_size(a.n, b.n);

    /* Optimal string alignment: three rows of the table are enough. */
    size_t rows[3][TEXT_SUGGEST_MAX + 1] = {{0}};
    for (size_t j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *now = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        const size_t *above2 = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t replaced = above[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            now[j] = min_size(replaced, min_size(above[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                now[j] = min_size(now[j], above2[j - 2] + 1);
        }
    }
    return rows[a.n % 3][b.n];
}

bool text_near(struct str a, struct str b)
{
    return text_distance(a, b) <= max_size(a.n, 3) / 3;
}

struct str text_words(struct arena *arena, struct str name, char mark)
{
    char *p = arena_bytes(arena, name.n + 1);
    for (size_t i = 0; i < name.n; i++)
        p[i] = name.p[i] == '_' ? mark : name.p[i];
    p[name.n] = '\0';
    return str_n(p, name.n);
}
