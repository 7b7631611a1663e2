/*
 * process.h - what each of our servers begins with.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

/* Before any thread: files that it makes are for its user alone (umask 077), as many open files as
 * the system lets it have, and malloc set for many threads whose arenas come and go: two arenas of
 * malloc, and up to 16 MiB kept for each of them that else would go back to the system and be
 * fetched again, page by page, with each unit of work of a long job. */
void process_prepare(void);

#endif
