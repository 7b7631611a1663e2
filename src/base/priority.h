/*
 * priority.h - how soon and how long a thread gets a processor, beside the others of this process.
 * Best effort: a system that knows less than we ask for does what it can, and nothing fails.
 */
#ifndef BASE_PRIORITY_H
#define BASE_PRIORITY_H

/* This thread: after the others (nice, 10 more than the first one), and for longer at once. For who
 * reckons. */
void priority_slow(void);
/* This thread: as the first one again, before it takes a lock that the others wait for: a slow
 * thread that is put aside while it has it keeps all of them waiting. Where the system does not
 * allow that (RLIMIT_NICE of setrlimit(2)), the thread stays slow. */
void priority_usual(void);

#endif
