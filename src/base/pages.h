/*
 * pages.h - what the process keeps of memory that was given back.
 */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

/* Once, at the start of a program that runs many units of work: the arenas that one of ordinary
 * size gives back stay with the process for the next, which then costs no pages from the kernel.
 * At most 16 MiB stay unused in each of malloc's own arenas. */
void pages_keep(void);

#endif
