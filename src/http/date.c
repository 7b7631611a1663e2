#include "http/date.h"

static void format(time_us t, const char *zone, char text[DATE_TEXT_MAX])
{
    static const char days_text[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
    static const char months_text[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t days = t / US_PER_DAY - (t % US_PER_DAY < 0);
    int64_t seconds = (t - days * US_PER_DAY) / US_PER_SECOND;
    int64_t year = 0;
    int month = 0;
    int day = 0;
    civil_from_days(days, &year, &month, &day);
    ASSERT(year >= 0 && year <= 9999);
    const char *weekday = days_text + (days % 7 + 7) % 7 * 3;
    int n = snprintf(text, DATE_TEXT_MAX, "%.3s, %02d %.3s %04d %02d:%02d:%02d %s", weekday, day,
                     months_text + (size_t)(month - 1) * 3, (int)year, (int)(seconds / 3600),
                     (int)(seconds / 60 % 60), (int)(seconds % 60), zone);
    ASSERT(n > 0 && n < DATE_TEXT_MAX);
}

void date_format_http(time_us t, char text[DATE_TEXT_MAX])
{
    format(t, "GMT", text);
}

void date_format_mail(time_us t, char text[DATE_TEXT_MAX])
{
    format(t, "+0000", text);
}
