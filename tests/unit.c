/*
 * unit.c - run the unit tests: all, or the suites named on the command line.
 *
 *     unit [SUITE ...]        TEST_STORE=postgresql://... unit store party
 */
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return 1;
    return argc == 1;
}

int main(int argc, char **argv)
{
    SRunner *runner = srunner_create(NULL);
    int found = 0;
    for (const struct suite *s = suites; s->name != NULL; s++) {
        if (!wanted(s->name, argc, argv))
            continue;
        srunner_add_suite(runner, s->make());
        found++;
    }
    if (found < argc - 1 || found == 0) {
        fprintf(stderr, "unit: no such suite; there are:");
        for (const struct suite *s = suites; s->name != NULL; s++)
            fprintf(stderr, " %s", s->name);
        fprintf(stderr, "\n");
        return EXIT_FAILURE;
    }
    bool forked = srunner_fork_status(runner) == CK_FORK;
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    printf("%d passed, %d failed\n", srunner_ntests_run(runner) - failed, failed);
    srunner_free(runner);
    int rc = failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    /* Each test ran, and was looked through for leaks, in a process of its own: the exit code of
     * this one is about them alone. */
    if (forked) {
        fflush(NULL);
        _exit(rc);
    }
    return rc;
}
