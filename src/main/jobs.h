/*
 * jobs.h - the thread that does what takes long and nobody waits for: the close of a month, and
 * between closes the adding up of usage, and services whose nodes are lost.
 *
 * It asks the store what is to be done; so it goes on where the process before was stopped.
 */
#ifndef MAIN_JOBS_H
#define MAIN_JOBS_H

#include "fleet/seal.h"
#include "ledger/ledger.h"

struct jobs;

/* All that is named outlives it. seal NULL: no services here. */
struct jobs *jobs_open(struct store *store, struct ledger *ledger, const struct seal *seal,
                       const struct log *log);
/* Ends after the unit of work in hand. NULL is fine. */
void jobs_close(struct jobs *j);

#endif
