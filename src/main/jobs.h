/*
 * jobs.h - the thread that does what takes long and nobody waits for: the close of a month, and
 * between closes the adding up of usage, services whose nodes are lost, backups that are due, and
 * uploads of images that nobody went on with.
 *
 * It asks the store what is to be done; so it goes on where the process before was stopped.
 */
#ifndef MAIN_JOBS_H
#define MAIN_JOBS_H

#include "ledger/ledger.h"
#include "store/seal.h"

struct jobs;

/* All that is named outlives it. */
struct jobs_options {
    struct store *store;
    struct ledger *ledger;
    const struct seal *seal; /* NULL: no services here */
    const struct log *log;
    struct str backups; /* folder of backups; empty: none */
    struct str images;  /* folder of images; empty: none */
};
struct jobs *jobs_open(const struct jobs_options *o);
/* Ends after the unit of work in hand. NULL is fine. */
void jobs_close(struct jobs *j);

#endif
