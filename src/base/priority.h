/*
 * priority.h - how soon and how long a thread gets a processor, beside the others of this process.
 * Best effort: a system that knows less than we ask for does what it can, and nothing fails.
 */
#ifndef BASE_PRIORITY_H
#define BASE_PRIORITY_H

/* This thread: after the others (nice 10), and for longer at once. For who reckons. */
void priority_slow(void);

#endif
