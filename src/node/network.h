/*
 * network.h - the services' network on a node: one bridge, a port of it for each service.
 *
 * All follows from the slot of a service, a number below SPEC_SERVICES_MAX: address, names and
 * published ports. Nothing else is kept. Ports are isolated: services reach one another, the node
 * and the networks around it only through what is published; the world they reach through the
 * node's address.
 *
 * Done by the programs ip, nft and tc: a few milliseconds each, against much code for netlink.
 * What is set is set whole, so that a call may be repeated after a crash.
 */
#ifndef NODE_NETWORK_H
#define NODE_NETWORK_H

#include "profile/spec.h"

enum {
    NETWORK_NAME_MAX = 15,
    NETWORK_PORT_FIRST = SPEC_PORT_FIRST, /* + slot * SPEC_PORTS_MAX */
    NETWORK_PREFIX = 16,
    NETWORK_RESOLVERS_MAX = 3,
    NETWORK_OPEN_MAX = 16,
};

struct network {
    char bridge[NETWORK_NAME_MAX - 6]; /* the ports are BRIDGE-SLOT */
    uint32_t base;                     /* of the /16, in host order; base + 1 is the node */
    /* Private networks that services may reach: the site's own, where nodes publish to one
     * another. "192.168.7.0/24". */
    struct list open;      /* struct str */
    struct list resolvers; /* struct str: addresses, for names */
};

/* "10.88.0.0": RC_INVALID where it is no /16. The resolvers are those of the machine that a service
 * can reach. */
MUST_CHECK enum rc network_init(struct network *n, struct str bridge, struct str base,
                                struct arena *arena, struct err *err);

/* What of a service others must know, to set the rules whole. */
struct network_service {
    int64_t slot;
    struct list ports; /* struct spec_port */
    bool alone;        /* nothing of it passes, whoever began */
};

/* Bridge and rules, with the published ports of all services. */
MUST_CHECK enum rc network_rules(const struct network *n, const struct network_service *services,
                                 size_t count, struct arena *arena, struct err *err);
/* Whether its bridge is there. */
bool network_is_there(const struct network *n);
/* Bridge and rules are gone. */
MUST_CHECK enum rc network_clear(const struct network *n, struct arena *arena, struct err *err);

/* Namespace, cable and address of a service; network_bit_s each way, 0: no limit. */
MUST_CHECK enum rc network_join(const struct network *n, int64_t slot, int64_t network_bit_s,
                                struct arena *arena, struct err *err);
MUST_CHECK enum rc network_leave(const struct network *n, int64_t slot, struct arena *arena,
                                 struct err *err);

/* The same for a machine: no namespace, its cable is a tap that QEMU takes by its name. */
MUST_CHECK enum rc network_plug(const struct network *n, int64_t slot, int64_t network_bit_s,
                                struct arena *arena, struct err *err);
MUST_CHECK enum rc network_unplug(const struct network *n, int64_t slot, struct arena *arena,
                                  struct err *err);
/* "BRIDGE-SLOT" */
const char *network_tap(const struct network *n, int64_t slot, struct arena *arena);
/* Whether a service has a cable. */
bool network_is_plugged(const struct network *n, int64_t slot, struct arena *arena);

struct str network_address(const struct network *n, int64_t slot, struct arena *arena);
struct str network_gateway(const struct network *n, struct arena *arena);
/* "/run/netns/BRIDGE-SLOT" */
struct str network_namespace(const struct network *n, int64_t slot, struct arena *arena);
/* Where the index-th port of a service is reached from outside. */
int64_t network_port(int64_t slot, size_t index);
/* resolv.conf(5) of a service. */
struct str network_resolv(const struct network *n, struct arena *arena);
/* As the service sees them. False: it has no cable. */
bool network_counters(const struct network *n, int64_t slot, int64_t *ret_received,
                      int64_t *ret_sent);

/* The rules as text for nft -f: for the tests, too. */
struct str network_ruleset(const struct network *n, const struct network_service *services,
                           size_t count, struct arena *arena);

#endif
