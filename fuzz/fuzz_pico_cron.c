/*
 * Any text as a schedule: refused with a sentence, or the next times come, each later than the one
 * before.
 */
#include "fuzz.h"

#include "pico/cron.h"

enum { TIMES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pico_cron c;
    struct err err = {0};
    if (pico_cron_read(str_n((const char *)data, size), &c, &err) != RC_OK) {
        ASSERT(err.rc == RC_INVALID && err.text_n > 0);
        return 0;
    }
    time_us t = 0;
    for (int i = 0; i < TIMES; i++) {
        time_us next = pico_cron_next(&c, t);
        ASSERT(next > t && next % US_PER_SECOND == 0);
        t = next;
    }
    return 0;
}
