/*
 * process.h - what each of our servers begins with.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <signal.h>

/* Before any thread: files that it makes are for its user alone (umask 077), as many open files as
 * the system lets it have, and malloc set for many threads whose arenas come and go: two arenas of
 * malloc, and up to 16 MiB kept for each of them that else would go back to the system and be
 * fetched again, page by page, with each unit of work of a long job. */
void process_prepare(void);
/* Before any thread, of a program that shall take little memory more than be fast: one arena of
 * malloc, and what is free goes back to the system soon. */
void process_prepare_small(void);
/* Before any other thread: what ends a server, SIGTERM and SIGINT, is blocked in this thread and in
 * those born of it, to be waited for (sigwait, signalfd): *ret. A peer that went away ends nobody:
 * SIGPIPE is ignored. */
void process_block_signals(sigset_t *ret);

#endif
