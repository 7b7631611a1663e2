/*
 * demo_live.h - hanse demo live: the whole story with real parts, on a server that runs.
 *
 * Parties sign up, a client orders, real services come up on the server's nodes and are used and
 * metered, all is cancelled, and the month is closed on a copy of the books whose clock goes to the
 * end of the month: the server's own month is not over, and other clients' matters are not
 * touched. What is missing on the machine is said, and the rest is played. However it ends, what
 * was ordered is cancelled.
 */
#ifndef CLI_DEMO_LIVE_H
#define CLI_DEMO_LIVE_H

#include "cli/demo.h"
#include "cli/root.h"

enum {
    LIVE_PARTS_MAX = 3,
    LIVE_METERS_MAX = 8,
    LIVE_NODES_MAX = 200,
    LIVE_STATEMENTS_MAX = 200,
    LIVE_SECONDS_DEFAULT = 60,
    LIVE_SECONDS_MAX = 3600,
};

/* What is ordered. */
struct live_part {
    const char *name;       /* in plans and services */
    const char *title;      /* "a Python application" */
    const char *profile;    /* its kind, and its file in the folder of profiles */
    const char *feature;    /* what a node must have */
    const char *parameters; /* members that the plan fixes */
    const char *chosen;     /* members that the client chooses */
    const char *month;      /* price */
    int64_t wait_s;         /* until it must have come up */
};
const struct live_part *live_parts(size_t *ret_count);

struct live_meter {
    struct str code;
    struct str quantity;
    struct str unit;
};

struct live_service {
    const struct live_part *part;
    struct str lacks; /* why it is not ordered; empty: it can be */
    struct root root;
    struct str id; /* empty: not ordered */
    struct str subscription;
    struct str told;   /* state and step that were told last */
    time_us failed_at; /* since when it is so; 0: it is not */
    bool ran;
    bool ended;
    int64_t ms; /* from the order until it ran */
    struct live_meter meters[LIVE_METERS_MAX];
    size_t meter_count;
};

struct live_statement {
    size_t party; /* index in names */
    struct str payer;
    struct str earned;
    struct str paid;
};

struct live {
    struct demo *d;
    struct server cloud; /* the one that runs */
    struct str store;    /* where it keeps things */
    struct str profiles; /* folder */
    struct str machine;  /* file: an image of a small machine */
    struct str node_home;
    struct str bridge;
    struct arena scratch; /* what one program or page said */
    struct str url;       /* of the Python application, once it is known */
    int64_t seconds;      /* of use */
    time_us began;
    struct live_service services[LIVE_PARTS_MAX];
    size_t count;
    struct list features; /* struct str: of all nodes that are ready */
    int64_t links;        /* of the nodes' network on this machine, before */
    struct live_statement statements[LIVE_STATEMENTS_MAX];
    size_t statement_count;
    bool closed; /* the figures are there */
};

/* --- demo_live.c --- */

/* One line of progress: how long it runs, and what happens. */
void live_say(struct live *l, struct str text);
/* Note something that was looked at. */
void live_check(struct live *l, const char *what, bool done, bool good, struct str text);

/* --- demo_parts.c: profiles, images, plans --- */

/* What the machines of the server can run; a part that none can run says why. */
MUST_CHECK enum rc live_find_nodes(struct live *l);
/* Kinds, images and plans of the parts that can be ordered. */
MUST_CHECK enum rc live_prepare(struct live *l);

/* --- demo_service.c --- */

MUST_CHECK enum rc live_order(struct live *l);
/* Until each runs, or its time is over. */
MUST_CHECK enum rc live_watch(struct live *l);
/* For so many seconds, then until the meters have told of it. */
MUST_CHECK enum rc live_use(struct live *l);
/* Cancel all that was ordered, and wait for its end. May be called again. */
MUST_CHECK enum rc live_cancel(struct live *l);

/* --- demo_reach.c: from outside, and what is on the machine --- */

/* HTTP, psql, console: each as its client would. */
MUST_CHECK enum rc live_reach(struct live *l);
/* One more request to each that takes some. */
void live_touch(struct live *l);
/* Before the first order, and after the end. */
void live_look_before(struct live *l);
void live_look_after(struct live *l);

/* --- demo_live_show.c --- */

MUST_CHECK enum rc live_collect(struct live *l);
/* Whether the shares are the invoice, to the cent. */
void live_balance(struct live *l);
void live_show(struct live *l);

#endif
