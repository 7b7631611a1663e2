/*
 * priority.h - how soon and how long a thread gets a processor, beside the others of this process.
 * Best effort: a system that knows less than we ask for does what it can, and nothing fails.
 */
#ifndef BASE_PRIORITY_H
#define BASE_PRIORITY_H

/* This thread, and those that it starts from now on: soon, and for a short time at once. For who
 * answers somebody. */
void priority_quick(void);
/* This thread: after the others (nice 10), and for longer at once. For who reckons. */
void priority_slow(void);

#endif
