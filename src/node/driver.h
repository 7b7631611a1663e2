/*
 * driver.h - the door to what really runs services: crun for containers, libvirt for machines.
 *
 * Every call may be repeated: a step that was cut short by a crash is done again from its
 * beginning, and a step that was done already is a success. What a driver knows survives the
 * agent: observe reads it from the machine (files, processes, control groups), never from memory.
 *
 * Calls for different services may come from several threads at once; calls for one service come
 * one after the other. driver_sim.h is the twin for tests.
 */
#ifndef NODE_DRIVER_H
#define NODE_DRIVER_H

#include "base/clock.h"
#include "base/id.h"
#include "profile/spec.h"

enum {
    DRIVER_FORM_MAX = 32,                /* bytes of a form, below */
    DRIVER_OUTPUT_BYTES_MAX = 16 * 1024, /* kept of what a command says */
    DRIVER_STOP_MS = 10000,              /* where a spec gives no time to stop */
};

enum observed_state {
    OBSERVED_ABSENT,  /* nothing is left of it */
    OBSERVED_RESTING, /* something lies on the disk, no process */
    OBSERVED_DEAD,    /* it ran and ended; its last counters can still be read */
    OBSERVED_RUNNING,
};

/* One service as the machine has it. */
struct observed {
    struct str id;
    int64_t state;      /* enum observed_state */
    int64_t generation; /* for which it was prepared, wholly; 0: it is not */
    struct str form;    /* of that (reconcile.h); empty: it is not prepared */
    int64_t restart;    /* spec's restart when it was started */
    int64_t starts;     /* how often it was started, ever */
    time_us started;
    int64_t process;      /* its first process on the node; 0 */
    int64_t restored;     /* number of the restore that its volumes are of; 0: none */
    time_us lease;        /* the last that it was told; 0: none */
    int64_t reverted;     /* number of the last snapshot that it went back to; 0: none */
    struct str snapshots; /* ids of those that were wanted when it was last seen to, each with a
                             blank behind it */
};

/* What was used since the process started: counters begin at zero with it. */
struct driver_stats {
    struct str process; /* names the start: counters of another process are other counters */
    time_us ended;      /* not later than so it ended; 0: it runs, or nobody knows */
    int64_t cpu_us;
    int64_t memory_bytes; /* in use now, without what the kernel may drop */
    int64_t disk_bytes;   /* taken on the node's disk */
    int64_t received_bytes;
    int64_t sent_bytes;
    int64_t read_bytes;
    int64_t written_bytes;
    int64_t killed_for_memory; /* processes that the kernel ended, as it had too much */
};

struct driver_exec {
    struct str id;
    const struct list *command; /* struct str */
    int64_t timeout_ms;
    int input;  /* descriptor, or -1: nothing */
    int output; /* descriptor, or -1: the first DRIVER_OUTPUT_BYTES_MAX come back */
};

struct driver {
    const char *name; /* "container" */
    /* All services that have left anything on this machine. */
    enum rc (*observe)(struct driver *d, struct arena *arena, struct list *ret, struct err *err);
    /* Fetch images, make disk, network and files, for this generation. RC_FULL: the node's disk.
     * RC_RETRY: an image cannot be brought yet. The service does not run. Data of its volumes is
     * kept. */
    enum rc (*prepare)(struct driver *d, const struct service_spec *spec, struct arena *arena,
                       struct err *err);
    /* RC_OK: it runs, started once. It is prepared, and does not run. */
    enum rc (*start)(struct driver *d, const struct service_spec *spec, struct arena *arena,
                     struct err *err);
    /* Other limits, ports and promises under the same form: while it runs or rests. */
    enum rc (*adjust)(struct driver *d, const struct service_spec *spec, struct arena *arena,
                      struct err *err);
    /* It may run until then, by the steady clock: it ends by itself afterwards, though the agent be
     * dead. Before start, and whenever the lease is renewed. */
    enum rc (*lease)(struct driver *d, struct str id, time_us until, struct arena *arena,
                     struct err *err);
    /* No process is left of it. Counters as they were at the end; zeroed where there are none. */
    enum rc (*stop)(struct driver *d, struct str id, struct arena *arena,
                    struct driver_stats *ret_last, struct err *err);
    /* Nothing is left of it. It does not run. */
    enum rc (*remove)(struct driver *d, struct str id, struct arena *arena, struct err *err);
    /* Addresses and ports that it got: struct sighting_fact. */
    enum rc (*facts)(struct driver *d, const struct service_spec *spec, struct arena *arena,
                     struct list *ret, struct err *err);
    /* RC_NOT_FOUND: no process of it was ever there. */
    enum rc (*stats)(struct driver *d, struct str id, struct arena *arena, struct driver_stats *ret,
                     struct err *err);
    /* A command inside; *ret_status is its exit status, 128 + the signal that ended it.
     * RC_TIMEOUT. RC_UNAVAILABLE: it does not run. */
    enum rc (*exec)(struct driver *d, const struct driver_exec *e, struct arena *arena,
                    int *ret_status, struct str *ret_output, struct err *err);
    /* All that it keeps, to a descriptor: of a machine its disk, while it runs as it was at one
     * instant; of a container its volumes, while it rests. What keeps nothing yet writes what load
     * takes for nothing. RC_CONFLICT: it runs, and is saved at rest alone. RC_FULL. */
    enum rc (*save)(struct driver *d, struct str id, int output, struct arena *arena,
                    struct err *err);
    /* What save wrote, here or elsewhere, lies beside what it keeps. It does not run, and need not
     * be prepared. RC_INVALID: it is of another kind of service, or leads to other files.
     * RC_FULL. */
    enum rc (*load)(struct driver *d, const struct service_spec *spec, int input,
                    struct arena *arena, struct err *err);
    /* What was loaded is all that it keeps from now on, and is of the restore with this number. It
     * does not run, and wants to be prepared. RC_NOT_FOUND: nothing was loaded. */
    enum rc (*adopt)(struct driver *d, const struct service_spec *spec, int64_t number,
                     struct arena *arena, struct err *err);
    /* Its volumes are of the restore with this number: kept as long as they are. */
    enum rc (*restored)(struct driver *d, struct str id, int64_t number, struct arena *arena,
                        struct err *err);
    /* Of spec->snapshots those to be taken are taken, while it runs or rests; others go. What came
     * of each is noted, also where one failed: then RC_OK, and it is not tried again. RC_RETRY:
     * somebody else works on it just now. RC_UNSUPPORTED: its kind has none. */
    enum rc (*snapshot)(struct driver *d, const struct service_spec *spec, struct arena *arena,
                        struct err *err);
    /* What was noted of them: struct sighting_snapshot. */
    enum rc (*snapshots)(struct driver *d, struct str id, struct arena *arena, struct list *ret,
                         struct err *err);
    /* It is as spec->revert has it, and that is noted by its number. It does not run. A snapshot
     * that is lost is noted so, and nothing else changes. RC_UNSUPPORTED. */
    enum rc (*revert)(struct driver *d, const struct service_spec *spec, struct arena *arena,
                      struct err *err);
};

#endif
