/*
 * placement.h - where a service goes: a pure function over what nodes have free and what is wished.
 *
 * A fleet is read once into a placement; each decision then is one walk over flat rows. Of the
 * nodes that fit, pack takes the one with the least memory left over, spread the one with the most;
 * the first of equals wins, so that a decision can be repeated. Where none fits, the refusal says
 * how far the wishes could be followed: "3 nodes have the memory, none of them in Shanghai".
 *
 * The legal gate: what the public sees (a web site) needs the licence of its country, as a fact of
 * the site. The table of countries is in placement.c.
 */
#ifndef FLEET_PLACEMENT_H
#define FLEET_PLACEMENT_H

#include "base/arena.h"
#include "base/err.h"

enum { PLACEMENT_NODES_MAX = 100000, PLACEMENT_WORDS_MAX = 16, PLACEMENT_BESIDE_MAX = 64 };

/* What a placement is made of. Words are lists with a space between: "ssd gpu". */
struct placement_node {
    struct str id;
    struct str site;
    struct str country;
    struct str city;
    struct str legal;
    struct str labels;
    struct str features;
    int64_t price_class; /* 0: cheapest */
    int64_t cpu_free;    /* milli; may be below 0 where too much was promised */
    int64_t memory_free; /* bytes */
    int64_t disk_free;
};

struct placement_wish {
    int64_t cpu_milli;
    int64_t memory_bytes;
    int64_t disk_bytes;
    struct str feature; /* "container", "vm" */
    struct str site;    /* id; empty: any */
    struct str country; /* ISO 3166; empty: any */
    struct str city;    /* empty: any */
    struct str labels;  /* all of them */
    bool public;
    bool spread;
    int64_t price_class_max;      /* below 0: any */
    const struct str *not_beside; /* ids of nodes */
    size_t not_beside_count;      /* <= PLACEMENT_BESIDE_MAX */
};

struct placement;

/* Lives in the arena; borrows the texts. count <= PLACEMENT_NODES_MAX. */
struct placement *placement_new(const struct placement_node *nodes, size_t count,
                                struct arena *arena);
/* *ret: index of the node. RC_CONFLICT says in words why there is none. The arena is for the
 * decision alone: about two bytes a node. */
MUST_CHECK enum rc placement_choose(const struct placement *p, const struct placement_wish *wish,
                                    struct arena *arena, size_t *ret, struct err *err);
/* Count it as taken. */
void placement_take(struct placement *p, size_t node, const struct placement_wish *wish);
/* Whether the node could hold it by what it has free. */
bool placement_has_room(const struct placement *p, size_t node, const struct placement_wish *wish);

/* The licence that the public's services need in a country: "icp"; empty: none. */
struct str placement_licence(struct str country);

#endif
