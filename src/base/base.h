/*
 * base.h - the few words that every file of the house uses.
 *
 * Assertions stay on in every build: an ASSERT that fails is a mistake of ours, prints where and
 * what, and stops the process; the store forgets the half-done work. What the world does wrong
 * (bad input, a full disk, a lost connection) is never an assertion, it is an enum rc (rc.h).
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(a)        (sizeof(a) / sizeof((a)[0]))
#define LIKELY(x)       __builtin_expect(!!(x), 1)
#define UNLIKELY(x)     __builtin_expect(!!(x), 0)
#define MUST_CHECK      __attribute__((warn_unused_result))
#define NORETURN        __attribute__((noreturn))
#define PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))
#define UNUSED          __attribute__((unused))

/* The struct of the given type whose member lies at ptr. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* One fact per ASSERT, no side effects. */
#define ASSERT(cond) (LIKELY(cond) ? (void)0 : assert_failed(__FILE__, __LINE__, #cond))
/* A place that cannot be reached; text says why. */
#define NEVER(text) assert_failed(__FILE__, __LINE__, "never: " text)

/* Print "FILE:LINE: CONDITION" to standard error and abort. */
NORETURN void assert_failed(const char *file, int line, const char *condition);

/* Microseconds since 1970-01-01 00:00:00 UTC, leap seconds ignored. */
typedef int64_t time_us;

#define US_PER_MS     INT64_C(1000)
#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR   (60 * US_PER_MINUTE)
#define US_PER_DAY    (24 * US_PER_HOUR)

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static inline int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Calls that have no bound, no thread safety, or that ask for time and chance behind the clock's
 * back (base/clock.h): using one is a compile error. */
#undef sprintf
#undef strcpy
#undef strcat
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll localtime gmtime ctime \
    rand srand

#endif
