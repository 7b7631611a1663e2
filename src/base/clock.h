/*
 * clock.h - the door to time and chance. Nothing else in the house asks for either.
 *
 * In production clock_system() reads the machine. In tests and in the simulator a struct
 * clock_sim stands still until it is moved, and its chance comes from one seed, so that a month
 * is a test of milliseconds and every run can be repeated.
 *
 * Inside a unit of work do not ask again: tx->now is the time (store/store.h).
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/str.h"

#include <stdatomic.h>

struct clock {
    /* Wall time. May jump when the machine's clock is set. */
    time_us (*now)(struct clock *c);
    /* Never goes back, counts from an arbitrary point: for measuring and deadlines. */
    time_us (*steady)(struct clock *c);
    /* Fill n bytes that nobody can guess (system) or that follow from the seed (simulated). */
    void (*chance)(struct clock *c, void *bytes, size_t n);
};

static inline time_us clock_now(struct clock *c)
{
    return c->now(c);
}

static inline time_us clock_steady(struct clock *c)
{
    return c->steady(c);
}

static inline void clock_chance(struct clock *c, void *bytes, size_t n)
{
    c->chance(c, bytes, n);
}

/* The machine's clock and its random number generator (getrandom). Safe from many threads. */
struct clock *clock_system(void);

/* Whether steady time passes by itself, so that a thread may wait for it. */
bool clock_runs(const struct clock *c);

/* The clock of a test installation: wall time stands still until it is moved, so that a month
 * passes when somebody says so; steady time and chance are the machine's. Safe from many
 * threads. */
struct clock_test {
    struct clock clock;
    atomic_int_fast64_t at;
};

void clock_test_init(struct clock_test *t, time_us start);
/* Move it forward; a time before its own leaves it where it is. Returns where it is then. */
time_us clock_test_move(struct clock_test *t, time_us to);

/* The simulated twin. One thread at a time. */
struct clock_sim {
    struct clock clock;
    time_us at;
    uint64_t state;
};

void clock_sim_init(struct clock_sim *s, time_us start, uint64_t seed);
/* Move time forward. by_us >= 0. */
void clock_sim_advance(struct clock_sim *s, int64_t by_us);
/* The next number of the simulated chance: 0 .. bound - 1, evenly. bound > 0. */
uint64_t clock_sim_below(struct clock_sim *s, uint64_t bound);

/* "2026-11-22T01:57:28.123456Z" (RFC 3339; the fraction only where it is not zero). Years 0001 to
 * 9999. Returns the length written, without the NUL. */
enum { TIME_TEXT_MAX = 32 };
size_t time_format(time_us t, char text[TIME_TEXT_MAX]);
/* RFC 3339 with 'Z' or a numeric offset, up to 6 digits of fraction. False, and *ret untouched,
 * on anything else; a 60th second is refused, as leap seconds do not exist here. */
MUST_CHECK bool time_parse(struct str s, time_us *ret);

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back. */
int64_t days_from_civil(int64_t year, int month, int day);
void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);
/* The same as text, "2026-11-22": years 0001 to 9999. Returns the length, without the NUL. */
enum { DAY_TEXT_MAX = 16 };
size_t day_format(int64_t day, char text[DAY_TEXT_MAX]);
/* False, and *ret untouched, where the text is no date. */
MUST_CHECK bool day_parse(struct str s, int64_t *ret);
/* 28..31. month 1..12. */
int days_in_month(int64_t year, int month);

#endif
