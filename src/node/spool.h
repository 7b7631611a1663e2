/*
 * spool.h - what was used, kept on the node until the control plane has it: a small SQLite file.
 *
 * Counters of a service begin at zero with each of its processes. The spool keeps the last ones
 * seen and writes, in the same transaction, what came since: so a restart of agent, service or
 * machine neither loses use nor invents it. Records have numbers that ascend for ever; they are
 * sent at least once and forgotten when they were taken.
 *
 * What the node saw as a vantage point waits here as well, at most SPOOL_SEEN_MAX results: of more,
 * the oldest go.
 */
#ifndef NODE_SPOOL_H
#define NODE_SPOOL_H

#include "node/driver.h"
#include "profile/probe.h"

enum { SPOOL_SEND_MAX = 1000, SPOOL_SEEN_MAX = 100000 };

struct spool;

/* path: a file, made where it is missing. RC_FULL, RC_INVALID (it is no spool), RC_UNAVAILABLE. */
MUST_CHECK enum rc spool_open(const char *path, struct spool **ret, struct err *err);
void spool_close(struct spool *s);

struct spool_sample {
    struct str service;
    /* Empty: not known now, as what is wanted is not. It is that of the sample before; where there
     * is none, nothing is kept: the next one that says it counts from the start. */
    struct str subscription;
    time_us started; /* of the process that the counters are of */
    time_us now;
    const struct driver_stats *stats;
};
/* All of them or none, on the disk afterwards: one wait for it, however many there are. Any thread.
 * Time that goes backwards records nothing for it. */
MUST_CHECK enum rc spool_add(struct spool *s, const struct spool_sample *samples, size_t count,
                             struct err *err);
/* The service is gone: its last counters are not needed any more; its records stay. */
MUST_CHECK enum rc spool_end(struct spool *s, struct str service, struct err *err);

/* One stretch of use. */
struct spool_record {
    int64_t number;
    struct str service;
    struct str subscription;
    time_us from;
    time_us until; /* > from */
    int64_t cpu_us;
    int64_t memory_bytes; /* over the stretch */
    int64_t disk_bytes;
    int64_t received_bytes;
    int64_t sent_bytes;
    int64_t read_bytes;
    int64_t written_bytes;
};
/* The oldest ones, at most SPOOL_SEND_MAX. */
MUST_CHECK enum rc spool_next(struct spool *s, struct arena *arena, struct list *ret,
                              struct err *err);
/* They were taken, up to this number. */
MUST_CHECK enum rc spool_sent(struct spool *s, int64_t number, struct err *err);

/* What was seen (profile/probe.h). Any thread. */
MUST_CHECK enum rc spool_saw(struct spool *s, const struct probe_result *r, struct err *err);
/* The oldest ones, at most PROBE_RESULTS_MAX: list of struct probe_result. *ret_last: the number of
 * the last of them, for spool_saw_sent. */
MUST_CHECK enum rc spool_seen(struct spool *s, struct arena *arena, struct list *ret,
                              int64_t *ret_last, struct err *err);
MUST_CHECK enum rc spool_saw_sent(struct spool *s, int64_t number, struct err *err);

#endif
