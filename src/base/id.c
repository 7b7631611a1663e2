#include "base/id.h"

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

void id_source_init(struct id_source *s, struct clock *clock)
{
    *s = (struct id_source){.clock = clock};
}

static unsigned __int128 next_number(struct id_source *s)
{
    if (s->chance_left == 0) {
        clock_chance(s->clock, s->chance, sizeof s->chance);
        s->chance_left = ID_CHANCE_AHEAD;
    }
    const unsigned char *bytes = s->chance[--s->chance_left];
    unsigned __int128 number =
        (uint64_t)(clock_now(s->clock) / US_PER_MS) & UINT64_C(0xFFFFFFFFFFFF);
    for (size_t i = 0; i < ID_CHANCE_BYTES; i++)
        number = number << 8 | bytes[i];
    if (number <= s->last || number >> 80 == s->last >> 80) {
        /* Same millisecond, or the clock stepped back: a random step up keeps the order and still
         * cannot be guessed. */
        uint64_t step = 0;
        memcpy(&step, bytes, sizeof(uint32_t));
        number = s->last + 1 + step;
    }
    s->last = number;
    return number;
}

struct str id_of_number(unsigned __int128 number, struct arena *arena, const char *prefix)
{
    size_t prefix_n = strlen(prefix);
    ASSERT(prefix_n >= 2 && prefix_n <= ID_PREFIX_MAX);
    size_t n = prefix_n + 1 + ID_DIGITS;
    char *p = arena_bytes(arena, n + 1);
    memcpy(p, prefix, prefix_n);
    p[prefix_n] = '_';
    p[n] = '\0';
    for (size_t i = n; i > prefix_n + 1; i--) {
        p[i - 1] = alphabet[(unsigned)number & 31];
        number >>= 5;
    }
    return (struct str){p, n};
}

struct str id_new(struct id_source *s, struct arena *arena, const char *prefix)
{
    return id_of_number(next_number(s), arena, prefix);
}

/* One more than the value; 0: no digit. */
static const unsigned char digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['g'] = 17, ['h'] = 18, ['j'] = 19, ['k'] = 20, ['m'] = 21, ['n'] = 22, ['p'] = 23, ['q'] = 24,
    ['r'] = 25, ['s'] = 26, ['t'] = 27, ['v'] = 28, ['w'] = 29, ['x'] = 30, ['y'] = 31, ['z'] = 32,
};

static int digit_value(char c)
{
    return (int)digits[(unsigned char)c] - 1;
}

bool id_is(struct str s, const char *prefix)
{
    size_t prefix_n = strlen(prefix);
    if (s.n != prefix_n + 1 + ID_DIGITS || memcmp(s.p, prefix, prefix_n) != 0 ||
        s.p[prefix_n] != '_')
        return false;
    for (size_t i = prefix_n + 1; i < s.n; i++)
        if (digit_value(s.p[i]) < 0)
            return false;
    return s.p[prefix_n + 1] <= '7'; /* 26 digits hold 130 bits; ids have 128 */
}

unsigned __int128 id_number(struct str s)
{
    unsigned __int128 number = 0;
    ASSERT(s.n > ID_DIGITS);
    for (size_t i = s.n - ID_DIGITS; i < s.n; i++) {
        int value = digit_value(s.p[i]);
        ASSERT(value >= 0);
        number = number << 5 | (unsigned)value;
    }
    return number;
}

time_us id_time(struct str s)
{
    ASSERT(s.n > ID_DIGITS);
    int64_t ms = 0;
    for (size_t i = s.n - ID_DIGITS; i < s.n - ID_DIGITS + 10; i++) {
        int value = digit_value(s.p[i]);
        ASSERT(value >= 0);
        ms = ms << 5 | value;
    }
    return ms * US_PER_MS;
}
