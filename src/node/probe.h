/*
 * probe.h - one look at a published port of another site, for whoever the control plane asks it
 * for (profile/probe.h).
 *
 * A node must not become a tool against others: it connects to ports alone that agents publish,
 * and to public addresses alone or those of networks that its own settings open (`open`). A name is
 * resolved once, and the address that was judged is the one that is called.
 */
#ifndef NODE_PROBE_H
#define NODE_PROBE_H

#include "http/wire.h"
#include "profile/probe.h"

#include <sys/socket.h>

struct prober {
    struct wire *wire;
    /* Whether a connection is made within wait_ms. NULL: reach_connects. Twin in the simulation. */
    bool (*connects)(void *arg, const struct sockaddr *to, socklen_t n, int64_t wait_ms);
    void *arg;
    struct clock *clock;
    const struct list *open; /* struct str: "192.168.7.0/24" */
    int64_t timeout_ms;      /* 0: PROBE_TIMEOUT_S */
};

/* Look once. *ret: complete; its text is the arena's. */
void probe_look(const struct prober *p, const struct probe_task *task, struct arena *arena,
                struct probe_result *ret);

/* Whether it may be connected to. */
bool probe_allowed(const struct list *open, const struct sockaddr *address);

#endif
