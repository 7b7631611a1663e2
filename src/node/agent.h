/*
 * agent.h - the loop: what should run, what does, and one step after the other until both agree.
 *
 * One thread looks and decides (agent_turn); steps that take time run on a few others, one at a
 * time for a service. The agent wakes when a service's first process ends, when something new is
 * wanted, when a step is done or a pause is over. It holds nothing that the machine does not hold:
 * killed at any instant and started again, it goes on.
 */
#ifndef NODE_AGENT_H
#define NODE_AGENT_H

#include "node/backup.h"
#include "node/driver.h"
#include "node/promise.h"
#include "node/spool.h"

#include "base/log.h"

struct agent;

struct agent_options {
    struct driver *driver;
    struct clock *clock;
    const struct log *log; /* NULL: silent */
    struct spool *spool;   /* NULL: nothing is metered */
    const struct promise_door *door;
    const struct backup_door *backups; /* NULL: nothing can be restored */
    size_t threads;   /* for steps and for promises each; 0: all in the caller's thread */
    int64_t meter_us; /* between two samples; 0: a minute */
};

MUST_CHECK struct agent *agent_open(const struct agent_options *o);
/* Waits for steps in hand; services stay as they are. NULL is fine. */
void agent_close(struct agent *a);

/* Take a new list of services: JSON of desired_schema. The same again changes nothing. RC_SYNTAX,
 * RC_INVALID: what was wanted before stays. Any thread. */
MUST_CHECK enum rc agent_want(struct agent *a, struct str json, struct err *err);
/* In two parts, for who does something in between: read it, with the same codes; then take it, or
 * drop it. */
struct wanted;
MUST_CHECK enum rc agent_read(struct str json, struct wanted **ret, struct err *err);
void agent_take(struct agent *a, struct wanted *w);
void agent_drop(struct wanted *w);
int64_t agent_revision(struct agent *a);

/* The leases that this node holds are good until then, by the steady clock; 0: it holds none.
 * Before it is told the first time, those hold that services which run were told by an agent before
 * this one. Any thread. */
void agent_lease(struct agent *a, time_us until);

/* Look once and begin what is due. Returns how many steps were begun. */
size_t agent_turn(struct agent *a);
/* Wait until there is a reason to look again, or something to read at fd (-1: none), at most
 * wait_us. */
void agent_wait(struct agent *a, int fd, int64_t wait_us);
/* Make agent_wait return. Any thread, and signal handlers. */
void agent_wake(struct agent *a);

/* How all services are: struct sighting, complete. Any thread. change: grows with every change
 * that a person would see. */
void agent_sightings(struct agent *a, struct arena *arena, struct list *ret);
uint64_t agent_changes(struct agent *a);
/* Every service is as it is wanted, and nothing is being done. */
bool agent_at_rest(struct agent *a);
/* Whether a service begins with this backup and did not yet, or nothing is known of what is wanted.
 * Any thread. */
bool agent_restores(struct agent *a, struct str backup);
/* The backup command of a service that runs; false: it does not, or it has none. Any thread. */
bool agent_backup_command(struct agent *a, struct str id, struct arena *arena, struct list *ret);

#endif
