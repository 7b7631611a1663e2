/*
 * test_clock.h - a test installation, where time stands still until somebody moves it.
 *
 * For trying out a contract, a price or a whole year before it is real: `hansed --test-clock
 * 2026-01-01T00:00:00Z`. The store remembers that it lives on a test clock, and what it shows, so
 * that no test ever becomes an installation and no installation a test.
 */
#ifndef API_TEST_CLOCK_H
#define API_TEST_CLOCK_H

#include "base/schema.h"
#include "store/store.h"

struct test_clock {
    uint64_t set;
    time_us now;
};
extern const struct schema test_clock_schema;

/* At the start, before the first party: remember the clock (NULL: there is none) in a store without
 * parties, or move it to where the store left it. RC_CONFLICT: the store lives on the other kind of
 * clock. */
MUST_CHECK enum rc test_clock_start(struct tx *tx, struct clock_test *clock);
/* Remember a later time. RC_INVALID: it is not later. */
MUST_CHECK enum rc test_clock_keep(struct tx *tx, time_us to);
/* A copy of a store, to try things on, lives on a test clock from now on, and shows `at`. What
 * waited to be done outside is the original's to do, and is forgotten here; alerts are paused. No
 * effect on the clock of a store that lives on a test clock already. */
MUST_CHECK enum rc test_clock_adopt(struct tx *tx, time_us at);

#endif
