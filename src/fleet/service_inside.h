/*
 * service_inside.h - what the files of service.h share.
 */
#ifndef FLEET_SERVICE_INSIDE_H
#define FLEET_SERVICE_INSIDE_H

#include "fleet/service.h"
#include "profile/profile.h"

#define SERVICE_COLUMNS                                                                           \
    "v.id, v.version, v.client, v.seller, v.agreement, v.plan, v.subscription, v.profile_name, "  \
    "v.profile, v.parent, v.name, v.parameters, v.needs, v.wish, v.failover, v.state, v.wanted, " \
    "v.node, n.site, v.generation, v.restart, v.cpu_milli, v.memory_bytes, v.disk_bytes, "        \
    "v.seen_state, v.seen_generation, v.step, v.reason, v.starts, v.facts, v.promises, "          \
    "v.created, v.changed, v.drill_of, h.why"
#define SERVICE_FROM                                     \
    " FROM service v LEFT JOIN node n ON n.id = v.node " \
    "LEFT JOIN service_hold h ON h.service = v.id "

struct service service_row(const struct rows *r, size_t row);
/* All rows in the order of the statement, which selects SERVICE_COLUMNS. */
struct list service_rows(struct tx *tx, const struct rows *rows);

/* fn for each of them, in memory of its own: a profile is read for each, and what many need
 * together is more than a unit of work has. Rows as service_row reads them. */
typedef enum rc (*service_fn)(struct tx *tx, const struct seal *seal, struct service *service,
                              void *arg);
MUST_CHECK enum rc service_each(struct tx *tx, const struct seal *seal, const struct rows *rows,
                                service_fn fn, void *arg);

/* --- what it is made of --- */

struct made {
    struct kind kind;
    struct profile profile;
    struct profile_values values; /* parameters, secrets, needs */
    struct profile_service service;
};
/* From the row, the profile and the sealed secrets. needs: also what the services that it uses
 * publish; RC_CONFLICT where one does not run yet. */
MUST_CHECK enum rc service_make(struct tx *tx, const struct seal *seal, const struct service *v,
                                bool needs, struct made **ret);
/* Render and seal the spec of the row as it is now (its node and generation included). */
MUST_CHECK enum rc service_write_spec(struct tx *tx, const struct seal *seal,
                                      const struct service *v);
/* The spec as JSON; nothing is written but the secrets of the first time. */
MUST_CHECK enum rc service_spec_text(struct tx *tx, const struct seal *seal,
                                     const struct service *v, struct str *ret);
/* What it publishes, by name: list of struct str beside made->profile.publishes. */
MUST_CHECK enum rc service_published(struct tx *tx, const struct service *v,
                                     const struct made *made, struct list *ret);

/* Why it cannot be described yet, though it will be: something that it uses is on its way. Empty:
 * nothing is. */
MUST_CHECK enum rc service_waits(struct tx *tx, const struct seal *seal, const struct service *v,
                                 struct str *ret);

/* The spec as it was written last, with the generation of the row and what that wants: also where
 * it could not be made now, as what it uses does not run. One that was not described yet stays so,
 * or is gone. */
MUST_CHECK enum rc service_rewrite_spec(struct tx *tx, const struct seal *seal,
                                        const struct service *v);

/* --- what it uses --- */

struct price_row;
struct need_order {
    struct str client;
    struct str agreement;
    int64_t period; /* of the plan that is ordered */
    const struct service_wish *where;
    bool orders; /* what is not there may be ordered with it */
};
struct need_met {
    const struct profile_need *need; /* NULL: the service itself */
    struct str pointer;              /* ends with NUL */
    bool named;                      /* by the client */
    struct str service;              /* that it uses; empty: it is to be ordered */
    struct str plan;                 /* by this one; else empty */
    struct str code;
    struct list prices; /* struct price_row: what the client pays by that plan */
};
/* For each need of the profile: what the client named, what he shares, or a plan to order it by;
 * PROFILE_NEEDS_MAX of them. RC_INVALID below "/needs". */
MUST_CHECK enum rc service_meet(struct tx *tx, const struct need_order *o, const struct profile *p,
                                const struct json *needs, struct need_met *ret);
/* As JSON; all have a service by now. */
struct str service_needs_text(struct tx *tx, const struct need_met *met, size_t count);
MUST_CHECK enum rc service_keep_needs(struct tx *tx, struct str service, const struct need_met *met,
                                      size_t count);
/* struct service_part, as people read it. */
struct list service_parts(struct tx *tx, const struct need_met *met, size_t count);
/* A service of the same client that still is. RC_INVALID at the pointer. */
MUST_CHECK enum rc service_own(struct tx *tx, struct str client, struct str id, const char *pointer,
                               struct service *ret);

/* --- steps --- */

/* Find a node, and write it into *v alone. *ret: there is one. Quick also where there is none, as
 * nobody asks why. */
MUST_CHECK enum rc service_seek(struct tx *tx, struct service *v, const struct profile *profile,
                                bool *ret);
/* The same, and RC_CONFLICT in words for which all nodes are read. */
MUST_CHECK enum rc service_probe(struct tx *tx, struct service *v, const struct profile *profile);
/* The node that *v names is its own from now on: counted as taken, and kept as a place of it.
 * RC_CONFLICT: it has no room any more. */
MUST_CHECK enum rc service_take(struct tx *tx, const struct service *v);
/* Both. RC_CONFLICT in words. */
MUST_CHECK enum rc service_place(struct tx *tx, struct service *v, const struct profile *profile);
/* Reserve, place, describe: what makes an order real. */
MUST_CHECK enum rc service_begin(struct tx *tx, const struct seal *seal, struct service *v);
/* Another generation: state and wanted of *v are written, the spec anew, the node is woken. */
MUST_CHECK enum rc service_renew(struct tx *tx, const struct seal *seal, struct service *v);
/* Write state, wanted, node, generation, restart, sizes, plan, parameters, name, subscription of
 * *v; version grows; an event tells. */
MUST_CHECK enum rc service_keep(struct tx *tx, struct service *v, const char *changed);
/* Another node provides it from now on: its subscription says so. */
MUST_CHECK enum rc service_tell_subscription(struct tx *tx, const struct service *v);
/* Leave the node that it is on: what is there is removed by the node, the room is given back when
 * that is seen. */
MUST_CHECK enum rc service_leave(struct tx *tx, struct service *v);

/* What it takes by its profile and parameters, written into *v. RC_INVALID names a parameter. */
MUST_CHECK enum rc service_measure(struct tx *tx, const struct profile *profile, struct service *v);
/* Its secrets are those of another version of its profile: of the same names those that it has,
 * the others are made. */
MUST_CHECK enum rc service_carry_secrets(struct tx *tx, const struct seal *seal,
                                         const struct service *v, struct str kind);

/* The parameters of an order with those that the offer fixes, as JSON text. RC_INVALID: the client
 * says one that is fixed. old: what holds already, or NULL. */
MUST_CHECK enum rc service_merge(struct tx *tx, const struct json *old, const struct json *chosen,
                                 const struct json *fixed, struct str *ret);

#endif
