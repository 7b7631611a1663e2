/*
 * agent_inside.h - what the files of the agent share.
 */
#ifndef NODE_AGENT_INSIDE_H
#define NODE_AGENT_INSIDE_H

#include "node/agent.h"
#include "node/reconcile.h"

#include "base/map.h"
#include "base/work.h"

#include <pthread.h>

enum {
    AGENT_JSON_BYTES_MAX = 64 * 1024 * 1024,
    AGENT_TURN_BYTES = 64 * 1024 * 1024,
    AGENT_STEP_BYTES = 128 * 1024 * 1024,
};

/* What is wanted, decoded once; many steps may read it while a newer one is there. */
struct wanted {
    struct arena arena;
    struct str text;
    struct desired desired;
    const struct str *forms; /* of each service */
    int users;               /* the agent, and steps in hand */
};

struct agent_promise {
    char name[64];
    bool known; /* looked at once */
    bool kept;
    bool looking;
    time_us since;
    time_us due;
    char text[PROMISE_TEXT_MAX + 1];
};

/* One service, wanted or seen. */
struct agent_service {
    char id[ID_TEXT_MAX + 1];
    bool used;
    const struct service_spec *spec; /* in agent->wanted; NULL: not spoken of */
    struct str form;                 /* likewise */
    int64_t generation;              /* of the spec, when failures were counted */
    struct reconcile_mind mind;
    enum step doing;
    bool idle; /* it was, when the machine was looked at */
    bool seen; /* what follows is of the machine */
    int64_t observed;
    int64_t observed_generation;
    int64_t restart;
    int64_t starts;
    time_us started;
    int64_t process;
    int64_t restored;
    int64_t reverted;
    char snapshots[SPEC_SNAPSHOTS_MAX * (ID_TEXT_MAX + 1) + 1];
    time_us died; /* when it was first seen dead; 0: it is not */
    char seen_form[DRIVER_FORM_MAX + 1];
    int64_t state; /* enum sighting_state, as it was told last */
    time_us since;
    char reason[ERR_TEXT_MAX + 1];
    bool parted;                    /* its last command was run, or given up */
    const char *left;               /* why something of it may be left elsewhere; NULL */
    struct agent_promise *promises; /* as many as a spec had at most; calloc */
    size_t promise_room;
};

struct watched {
    int64_t process;
    int fd;
};

struct agent {
    struct agent_options o;
    pthread_mutex_t lock; /* over all below */
    struct wanted *wanted;
    struct agent_service *services; /* SPEC_SERVICES_MAX, the first count are used */
    size_t count;
    time_us lease;      /* steady */
    bool lease_known;   /* it was told, or has that of an agent before it */
    time_us lease_told; /* to the services that run */
    uint64_t changes;
    size_t steps; /* in hand */
    struct work_pool *step_pool;
    struct work_pool *promise_pool;
    int wake; /* eventfd */
    time_us metered;
    /* The thread of agent_turn alone: */
    struct watched watched[SPEC_SERVICES_MAX];
    size_t watched_count;
};

/* With the lock held. */
struct agent_service *agent_service_of(struct agent *a, struct str id, bool make);
bool agent_leased(const struct agent *a, const struct service_spec *spec);

/* Looks of promises that are due. Without the lock. */
void agent_look(struct agent *a);
/* Samples of all that runs, if it is time. */
void agent_meter(struct agent *a, const struct list *seen, struct arena *arena);
void agent_meter_one(struct agent *a, struct str id, time_us started,
                     const struct driver_stats *stats);

#endif
