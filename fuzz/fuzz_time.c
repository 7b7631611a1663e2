/* What time_parse takes, time_format writes; what time_format writes, time_parse takes. */
#include "fuzz.h"

#include "base/clock.h"

static void check_round_trip(time_us t)
{
    char text[TIME_TEXT_MAX];
    size_t n = time_format(t, text);
    ASSERT(n < TIME_TEXT_MAX);
    time_us again = t + 1;
    ASSERT(time_parse(str_n(text, n), &again));
    ASSERT(again == t);
    int64_t days = t / US_PER_DAY;
    int64_t year = 0;
    int month = 0;
    int day = 0;
    civil_from_days(days, &year, &month, &day);
    ASSERT(day >= 1 && day <= days_in_month(year, month));
    ASSERT(days_from_civil(year, month, day) == days);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    time_us t = 77;
    if (time_parse(str_n((const char *)data, size), &t))
        check_round_trip(t);
    else
        ASSERT(t == 77);
    if (size < sizeof t)
        return 0;
    memcpy(&t, data, sizeof t);
    time_us first = days_from_civil(1, 1, 1) * US_PER_DAY;
    time_us behind = days_from_civil(10000, 1, 1) * US_PER_DAY;
    if (t >= first && t < behind)
        check_round_trip(t);
    return 0;
}
