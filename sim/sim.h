/*
 * sim.h - a whole fleet in one process, from one seed: the control plane's own code over a real
 * store, an agent for each machine with its own driver, clock, spool and link, and everything that
 * goes wrong between them.
 *
 * Real are: fleet/, meter/ and what they stand on; node/agent, reconcile, spool, link, lookout and
 * backup_keep. Simulated are the doors: clock, wire and driver. Time jumps from event to event.
 *
 * At every event is checked that no service runs twice, that no lease is held twice, and that no
 * counter is lost but with the power of its machine; that a service begins with what it wrote last,
 * wherever it ran. At the end, when nothing goes wrong any more: what is wanted is what runs, and
 * other sites see that it does; everything taken of a machine is used or given back; the usage that
 * was taken is, to the microsecond and once, what each service has run; the days by city are the
 * looks that were made, each once; nothing that travelled lies about.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "base/map.h"
#include "fleet/service.h"
#include "http/wire.h"
#include "node/agent.h"
#include "node/backup_keep.h"
#include "node/driver_sim.h"
#include "node/link.h"
#include "node/lookout.h"

#include <check.h>
/* The fixtures of the tests, without a test around them. */
#undef ck_assert_msg
#undef ck_assert_int_eq
#define ck_assert_msg(fact, ...) sim_must((fact), __VA_ARGS__)
#define ck_assert_int_eq(a, b)   ASSERT((a) == (b))
void sim_must(bool fact, const char *format, ...) PRINTF(2, 3);

#include "fleet/fleet_fixture.h"

enum {
    SIM_PPM = 1000000,
    SIM_PERCENT = 100,
    SIM_PATH_MAX = 300,
    SIM_ARENA_BYTES = 256 * 1024 * 1024,
};

struct sim_options {
    int64_t nodes;
    int64_t sites;
    int64_t services;
    int64_t hours;
    int64_t report_s; /* of an agent, while nothing changes */
    int64_t meter_s;  /* between two samples */
    int64_t look_s;   /* between two looks of an agent at rest */
    int64_t pull_s;   /* between two pulls without a reason */
    int64_t deeds;    /* of the people, for each service and ten days */
    int64_t storm;    /* percent of the faults of a bad day */
    int64_t keeps;    /* percent of the services keep data */
    int64_t watched;  /* percent of those that can be are looked at from other sites */
    int64_t trace;    /* 1: tell each event */
};

/* --- what happens when --- */

enum event_kind {
    EVENT_TURN, /* index: a machine, of these five */
    EVENT_TELL,
    EVENT_PULL,
    EVENT_KEEP, /* its backups */
    EVENT_LOOK, /* at what others run */
    EVENT_BACK, /* its agent is started */
    EVENT_LATE, /* a message arrives that its sender has given up */
    EVENT_DEED, /* people do something */
    EVENT_TICK, /* the control plane's clock */
    EVENT_FAULT,
    EVENT_UP, /* the control plane is started */
};
enum { EVENT_MACHINE_KINDS = EVENT_LOOK + 1 };

struct event {
    time_us at;
    uint64_t order; /* of two at one instant */
    enum event_kind kind;
    size_t index;
    struct message *late;
};

/* --- the truth about a service --- */

/* What one sample said: the process ran so long within the stretch. */
struct stretch {
    time_us from;
    time_us until;
    int64_t ran_us;
};

struct life {
    char id[ID_TEXT_MAX + 1];
    bool over;              /* nobody does anything with it any more */
    struct machine *where;  /* its process runs there; NULL: it does not run */
    struct machine *holder; /* the last one that was seen to hold its lease; NULL */
    struct stretch *stretches;
    size_t count, room;
    int64_t ran_us;
    int64_t lost_us; /* with the power of a machine, before a sample was taken */
    bool keeps;
    bool failover;
    bool behind;       /* it has begun with something older, and was not restored since */
    int64_t written;   /* numbers that it wrote so far */
    int64_t last;      /* what it should find: the last one, or what a backup had */
    int64_t went_back; /* so often it began with something older */
};

/* --- a machine with its agent --- */

/* What was sampled last of a service that lies on it; in the order of driver_sim's services. */
struct metering {
    bool found;
    int64_t process;
    time_us at;
    int64_t cpu_us;
    time_us ended; /* its last process; 0: it runs */
};

/* --- looks at what others run --- */

struct look {
    time_us at;
    bool good;
    int64_t took_us;
    bool counted; /* of the judge */
};

/* A task of a machine, as it was told of it. */
struct task {
    char id[ID_TEXT_MAX + 1];
    struct machine *from;
    size_t to; /* number of a machine */
    int64_t port;
    bool twin; /* it was told two of them at one time: whose a look was, nobody knows */
    struct look *looks;
    size_t count, room;
};

struct machine {
    struct sim *sim;
    size_t number;
    size_t site;
    char id[ID_TEXT_MAX + 1];
    struct driver driver; /* the agent's: what it does is noted, then done by twin */
    struct driver_sim twin;
    struct metering meterings[DRIVER_SIM_MAX];
    struct clock clock;
    int64_t drift_ppm; /* of its steady clock */
    time_us booted;
    struct wire wire;
    struct link link;
    struct link_told told;
    struct spool *spool;
    struct agent *agent; /* NULL: it is dead */
    uint64_t changes;    /* of the agent, when it told last */
    int failures;        /* of pulls in a row */
    int64_t revision;    /* that the control plane has for it */
    struct backup_keep kept;
    struct backup_door door;
    struct lookout *lookout;
    struct clock eye; /* its clock, and the time that looks take */
    time_us eyed_us;
    time_us asks_at;
    struct task **tasks; /* that it was told of last */
    size_t task_count;
    time_us due[EVENT_MACHINE_KINDS];
};

struct message {
    struct machine *from;
    struct str method, target, body; /* allocated with it */
    int64_t offset;                  /* of a file: what is there is not sent again */
};

/* --- the whole --- */

struct sim_counts {
    int64_t events, messages, lost, doubled, late, units, undone;
    int64_t orders, deeds, refused, crashes, reboots, cuts, restarts, deaths, failovers;
    int64_t records, looks, moves, returns, backups;
};

struct sim {
    struct sim_options o;
    uint64_t seed;
    struct clock_sim clock;  /* true time, and the control plane's */
    struct clock_sim chance; /* of faults and people: not shifted by ids and nonces */
    struct fixture fixture;
    struct shop shop;   /* texts in keep */
    struct arena keep;  /* as long as the simulation */
    struct arena arena; /* of one event */
    struct event *heap;
    size_t heap_count, heap_room;
    uint64_t order;
    struct machine *machines;
    struct str *sites;
    time_us *cut_until; /* of each site */
    bool down;          /* the control plane */
    time_us changed;    /* since when node_changes is asked */
    time_us folded;
    bool calm;           /* nothing goes wrong any more */
    bool quiet;          /* nothing begins any more */
    const char *backups; /* folder of the control plane */
    struct map tasks;    /* struct task, by id */
    struct map by_id;
    struct life **lives;
    size_t life_count;
    size_t living; /* lives that are not over */
    struct sim_counts counts;
};

/* Told with seed and time; ends the process. */
NORETURN void sim_fail(const struct sim *s, const char *format, ...) PRINTF(2, 3);
void sim_trace(const struct sim *s, const char *format, ...) PRINTF(2, 3);
/* 0 .. bound - 1, of the chance of faults. */
int64_t sim_below(struct sim *s, int64_t bound);
/* In ppm of the storm; never when it is calm. */
bool sim_happens(struct sim *s, int64_t ppm);
time_us sim_now(const struct sim *s);
void sim_put(struct sim *s, time_us at, enum event_kind kind, size_t index, struct message *late);
/* An event of a machine, if it has none that is earlier. */
void sim_wake(struct machine *m, enum event_kind kind, time_us at);
struct life *sim_life(struct sim *s, struct str id);
/* From the first instant to the last check. */
void sim_play(const struct sim_options *o, uint64_t seed);

/* --- world.c: parties, plans, machines --- */

void world_begin(struct sim *s);
/* Where a site stands: two of them are in one city. */
struct str world_city(const struct sim *s, size_t site, struct arena *arena);
void world_end(struct sim *s);

/* --- control.c: the control plane --- */

/* A unit of work; some are undone. RC_UNAVAILABLE while it is down. */
MUST_CHECK enum rc control_write(struct sim *s, tx_fn fn, void *arg, struct err *err);
MUST_CHECK enum rc control_read(struct sim *s, tx_fn fn, void *arg, struct err *err);
/* Agents that wait for something newer are answered. */
void control_wake(struct sim *s);
/* It answers a message of a machine. */
void control_answer(struct sim *s, const struct message *m, struct arena *arena,
                    struct wire_reply *ret);
void control_tick(struct sim *s);
void control_kill(struct sim *s);
void control_start(struct sim *s);
/* Usage is added up. */
void control_fold(struct sim *s);

/* --- files.c: backups of the control plane --- */

void files_init(struct sim *s);
/* A message about backups: what is asked, sent, fetched, told. */
MUST_CHECK enum rc files_answer(struct sim *s, const struct message *m, struct arena *arena,
                                struct wire_reply *ret, struct err *err);
/* Files that nobody needs go. */
void files_sweep(struct sim *s);
/* Each backup lies where its row says, here and on machines, and nothing else does. */
void files_judge(struct sim *s);
void files_fini(struct sim *s);

/* --- eyes.c: what machines see of others --- */

void eyes_init(struct machine *m);
void eyes_open(struct machine *m);
void eyes_close(struct machine *m);
void eyes_fini(struct sim *s);
/* What it was answered when it asked what to look at. */
void eyes_told(struct machine *m, struct str body);
void eyes_event(struct machine *m);
/* What other sites say of what runs. */
MUST_CHECK enum rc eyes_settled(struct tx *tx, struct sim *s, const char **ret);
/* What was counted is what was seen. */
void eyes_judge(struct sim *s);

/* --- machine.c --- */

void machine_init(struct machine *m, struct sim *s, size_t number);
/* Where it publishes, and from this port on. */
enum { MACHINE_PORT_FIRST = 30000 };
struct str machine_address_of(const struct machine *m, struct arena *arena);
void machine_fini(struct machine *m);
void machine_start(struct machine *m);
/* Its agent is killed; services go on. */
void machine_kill(struct machine *m);
/* Nothing runs any more. */
void machine_power_off(struct machine *m);
/* A service's process ends by itself. */
void machine_lose(struct machine *m, size_t service);
/* What holds a lease that has ended does not run any more. */
void machine_expire(struct machine *m);
void machine_event(struct machine *m, enum event_kind kind);
bool machine_cut(const struct machine *m);
/* Whether it holds a lease of the service, so that it may start it or keep it running. */
bool machine_holds(struct machine *m, struct str service);

/* --- wires.c: what is between them --- */

void wires_init(struct machine *m);
void wires_late(struct sim *s, struct message *m);

/* --- points.c: deaths in the middle of what an agent does --- */

/* An agent's code; false: it was killed in it. */
MUST_CHECK bool points_run(struct machine *m, void (*fn)(struct machine *m));
/* The agent whose code runs is killed here. */
NORETURN void points_kill(const char *where);
/* While the control plane does its part nobody is killed. */
MUST_CHECK struct machine *points_pause(void);
void points_resume(struct machine *was);

/* --- driver.c: what runs --- */

void truth_init(struct machine *m);
void truth_end(struct machine *m, struct driver_sim_service *v, time_us at);
void truth_power_off(struct machine *m);

/* --- people.c, faults.c --- */

void people_deed(struct sim *s);
void people_calm(struct sim *s);
void faults_begin(struct sim *s);
void faults_event(struct sim *s, size_t kind);

/* --- judge.c --- */

/* No lease of what this machine has is held by another. */
void judge_leases(struct machine *m);
/* NULL: all is as it should be; else what is not, in the event's arena. */
const char *judge_settled(struct sim *s);
/* A sentence, in the event's arena. */
const char *judge_why(struct sim *s, const char *format, ...) PRINTF(2, 3);
void judge_usage(struct sim *s);

#endif
