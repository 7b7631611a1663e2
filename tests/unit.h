/* unit.h - the list that tools/suites makes for tests/unit.c. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <check.h>

struct suite {
    const char *name;
    Suite *(*make)(void);
};

extern const struct suite suites[]; /* ends with {NULL, NULL} */

#endif
