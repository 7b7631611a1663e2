/*
 * point.h - named places at which a test may end the program.
 *
 * What shall survive the death of a process at any instant passes a point after each thing that it
 * left behind. Here passing does nothing. The program hanse-node-points of the tests
 * (tests/points/point_kill.c) has another body for it: it ends itself by SIGKILL at the point that
 * it was told, so that a test can loop over all of them.
 */
#ifndef BASE_POINT_H
#define BASE_POINT_H

/* name: "step.what-is-done-now"; the names in the sources are the list that the test reads. */
void point_pass(const char *name);

#endif
