/*
 * Any bytes are refused as a time zone file, or make a zone whose clock and calendar hold: the
 * first instant of a local time is the first, and periods tile time. The first eight bytes choose
 * the instant; the rest is the file.
 */
#include "fuzz.h"

#include "money/period.h"

static void check_clock(const struct zone *z, int64_t at)
{
    int32_t offset = zone_offset(z, at);
    ASSERT(offset >= ZONE_OFFSET_MIN && offset <= ZONE_OFFSET_MAX);
    int64_t next;
    if (zone_next(z, at, &next))
        ASSERT(next > at);
    int64_t first = zone_first(z, at);
    ASSERT(first + zone_offset(z, first) >= at);
    ASSERT(first - 1 + zone_offset(z, first - 1) < at);
}

static void check_periods(const struct zone *z, time_us at)
{
    for (int unit = PERIOD_DAY; unit <= PERIOD_YEAR; unit++) {
        struct calendar c = {z, (enum period_unit)unit, 1 + (int)(at & 7), 1 + (int)(at & 15) * 2};
        struct period p = period_of(&c, at);
        ASSERT(p.begin <= at);
        ASSERT(at < p.end);
        struct period next = period_next(&c, &p);
        ASSERT(next.begin == p.end);
        struct period back = period_previous(&c, &next);
        ASSERT(back.begin == p.begin && back.end == p.end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t word;
    if (size < sizeof word)
        return 0;
    memcpy(&word, data, sizeof word);
    /* The years 1000 to 4000. */
    time_us from = INT64_C(-30600000000) * US_PER_SECOND;
    time_us at = from + (int64_t)(word % (UINT64_C(94600000000) * US_PER_SECOND));
    struct arena arena;
    arena_init(&arena, (size_t)1024 * 1024);
    const struct zone *z = NULL;
    struct err err = {0};
    struct str bytes = str_n((const char *)data + sizeof word, size - sizeof word);
    if (zone_decode(STR("fuzzed"), bytes, &arena, &z, &err) == RC_OK) {
        check_clock(z, at / US_PER_SECOND);
        check_periods(z, at);
    } else {
        ASSERT(z == NULL);
        ASSERT(err.rc == RC_INVALID);
    }
    arena_fini(&arena);
    return 0;
}
