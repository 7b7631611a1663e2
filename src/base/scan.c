#include "base/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define HAS_WIDE 1
#else
#define HAS_WIDE 0
#endif

/* --- one at a time --- */

static size_t in_slow(const struct scan_set *s, const char *p, size_t from, size_t n, bool in)
{
    while (from < n && scan_has(s, p[from]) != in)
        from++;
    return from;
}

static uint64_t bits_slow(const struct scan_set *s, const char *p)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < SCAN_BITS; i++)
        bits |= (uint64_t)scan_has(s, p[i]) << i;
    return bits;
}

static size_t in_both_slow(const struct scan_set *a, const struct scan_set *b, const char *p,
                           size_t from, size_t n, size_t apart)
{
    while (from < n && !(scan_has(a, p[from]) && scan_has(b, p[from + apart])))
        from++;
    return from;
}

/* --- sixteen at a time, anywhere --- */

enum { LANES = 16 };

typedef uint8_t lanes8 __attribute__((vector_size(LANES)));
typedef uint64_t lanes64 __attribute__((vector_size(LANES)));

static lanes8 load16(const char *p)
{
    lanes8 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static size_t both(const char *ends, const char *p, size_t from, size_t n, size_t apart)
{
    const lanes8 first = (lanes8){} + (uint8_t)ends[0];
    const lanes8 second = (lanes8){} + (uint8_t)ends[1];
    size_t i = from;
    for (; n - i >= LANES; i += LANES) {
        lanes64 fits = (lanes64)((load16(p + i) == first) & (load16(p + i + apart) == second));
        if ((fits[0] | fits[1]) != 0)
            break;
    }
    while (i < n && (p[i] != ends[0] || p[i + apart] != ends[1]))
        i++;
    return i;
}

/* --- thirty-two at a time --- */

#if HAS_WIDE

enum { WIDE = 32 };

#define WITH_AVX2 __attribute__((target("avx2")))

static inline bool has_wide(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

WITH_AVX2 static inline __m256i load32(const char *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

WITH_AVX2 static inline __m256i rows_of(const struct scan_set *s)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)s->bits));
}

/* Of each byte: not zero where it is in the set. The row is looked up by the lower half of the
 * byte, where the byte is ASCII, and the bit in it by the upper half. */
WITH_AVX2 static inline __m256i members(__m256i rows, __m256i bytes)
{
    const __m256i bit = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0));
    __m256i upper = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
    return _mm256_and_si256(_mm256_shuffle_epi8(rows, bytes), _mm256_shuffle_epi8(bit, upper));
}

/* A bit for each byte that is zero. */
WITH_AVX2 static inline uint32_t zeroes(__m256i v)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_setzero_si256()));
}

WITH_AVX2 static size_t in_wide(const struct scan_set *s, const char *p, size_t n, bool in)
{
    const __m256i rows = rows_of(s);
    const uint32_t flip = in ? UINT32_MAX : 0;
    size_t i = 0;
    for (; n - i >= WIDE; i += WIDE) {
        uint32_t found = zeroes(members(rows, load32(p + i))) ^ flip;
        if (found != 0)
            return i + (size_t)__builtin_ctz(found);
    }
    return in_slow(s, p, i, n, in);
}

WITH_AVX2 static uint64_t bits_wide(const struct scan_set *s, const char *p)
{
    const __m256i rows = rows_of(s);
    uint64_t low = zeroes(members(rows, load32(p)));
    uint64_t high = zeroes(members(rows, load32(p + WIDE)));
    return ~(high << WIDE | low);
}

WITH_AVX2 static size_t in_both_wide(const struct scan_set *a, const struct scan_set *b,
                                     const char *p, size_t n, size_t apart)
{
    const __m256i first = rows_of(a);
    const __m256i second = rows_of(b);
    size_t i = 0;
    for (; n - i >= WIDE; i += WIDE) {
        uint32_t none =
            zeroes(members(first, load32(p + i))) | zeroes(members(second, load32(p + i + apart)));
        if (none != UINT32_MAX)
            return i + (size_t)__builtin_ctz(~none);
    }
    return in_both_slow(a, b, p, i, n, apart);
}

WITH_AVX2 static inline __m256i both_at(__m256i first, __m256i second, const char *p, size_t apart)
{
    return _mm256_and_si256(_mm256_cmpeq_epi8(load32(p), first),
                            _mm256_cmpeq_epi8(load32(p + apart), second));
}

WITH_AVX2 static size_t both_wide(const char *ends, const char *p, size_t n, size_t apart)
{
    const __m256i first = _mm256_set1_epi8(ends[0]);
    const __m256i second = _mm256_set1_epi8(ends[1]);
    size_t i = 0;
    for (; n - i >= (size_t)2 * WIDE; i += (size_t)2 * WIDE) {
        __m256i some = _mm256_or_si256(both_at(first, second, p + i, apart),
                                       both_at(first, second, p + i + WIDE, apart));
        if (!_mm256_testz_si256(some, some))
            break;
    }
    for (; n - i >= WIDE; i += WIDE) {
        uint32_t found = (uint32_t)_mm256_movemask_epi8(both_at(first, second, p + i, apart));
        if (found != 0)
            return i + (size_t)__builtin_ctz(found);
    }
    return both(ends, p, i, n, apart);
}

#else

static inline bool has_wide(void)
{
    return false;
}

static size_t in_wide(const struct scan_set *s, const char *p, size_t n, bool in)
{
    return in_slow(s, p, 0, n, in);
}

static uint64_t bits_wide(const struct scan_set *s, const char *p)
{
    return bits_slow(s, p);
}

static size_t in_both_wide(const struct scan_set *a, const struct scan_set *b, const char *p,
                           size_t n, size_t apart)
{
    return in_both_slow(a, b, p, 0, n, apart);
}

static size_t both_wide(const char *ends, const char *p, size_t n, size_t apart)
{
    return both(ends, p, 0, n, apart);
}

#endif

/* --- either way --- */

size_t scan_in(const struct scan_set *s, const char *p, size_t n)
{
    return has_wide() ? in_wide(s, p, n, true) : in_slow(s, p, 0, n, true);
}

size_t scan_out(const struct scan_set *s, const char *p, size_t n)
{
    return has_wide() ? in_wide(s, p, n, false) : in_slow(s, p, 0, n, false);
}

uint64_t scan_bits(const struct scan_set *s, const char *p)
{
    return has_wide() ? bits_wide(s, p) : bits_slow(s, p);
}

size_t scan_in_both(const struct scan_set *a, const struct scan_set *b, const char *p, size_t n,
                    size_t apart)
{
    return has_wide() ? in_both_wide(a, b, p, n, apart) : in_both_slow(a, b, p, 0, n, apart);
}

size_t scan_both(char a, char b, const char *p, size_t n, size_t apart)
{
    const char ends[] = {a, b};
    return has_wide() ? both_wide(ends, p, n, apart) : both(ends, p, 0, n, apart);
}
