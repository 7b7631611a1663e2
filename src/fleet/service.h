/*
 * service.h - one thing that runs for a client: ordered, reserved, placed, described to a node,
 * seen by it, metered, changed, and gone at the end.
 *
 *     ordered (the seller is asked) > preparing > running
 *     running, preparing, failed > stopping > stopped > preparing
 *     any of them > ending > ended         ordered > refused
 *
 * An order is one unit of work: quota and credit along the whole path (catalog/subscription.h), a
 * place, the spec for the node, or nothing of it. Everything after that is what the node says: its
 * sightings move the state, and only those of the generation that is wanted do.
 *
 * What is suspended does not run, whatever is wanted of it (hold.h).
 *
 * What a service was made of stays: its profile's version, its parameters, its secrets. The spec
 * and the secrets are sealed (seal.h).
 *
 * A node that dies keeps its services until it comes back, but those ordered with failover: they
 * hold a lease (node.h) and are placed elsewhere after it has surely ended, so never two at once.
 * What their volumes held stays on the old node and is removed there; they begin with their newest
 * backup (backup.h), or anew where there is none.
 */
#ifndef FLEET_SERVICE_H
#define FLEET_SERVICE_H

#include "fleet/kind.h"
#include "fleet/node.h"
#include "fleet/operation.h"
#include "meter/usage.h"
#include "store/seal.h"

enum { SERVICE_FAMILY_MAX = 1000, SERVICE_BESIDE_MAX = 16 };

enum service_state {
    SERVICE_ORDERED,
    SERVICE_PREPARING,
    SERVICE_RUNNING,
    SERVICE_FAILED,
    SERVICE_STOPPING,
    SERVICE_STOPPED,
    SERVICE_ENDING,
    SERVICE_ENDED,
    SERVICE_REFUSED,
    SERVICE_STATES
};
extern const char *const service_states[];

/* Where it may go. */
struct service_wish {
    uint64_t set;
    struct str site;
    struct str country;
    struct str city;
    struct list labels;
    bool spread;
    struct list not_beside; /* "svc_...": services of the same client */
    int64_t price_class;    /* at most; not set: any */
};

struct service_order {
    uint64_t set;
    struct str agreement; /* SUPPLY, by which the client buys */
    struct str plan;      /* id or code */
    struct str name;
    const struct json *parameters;
    /* {"database": "svc_..."}; where the profile orders it, also {"database": PLAN}. */
    const struct json *needs;
    struct str parent;
    struct service_wish where;
    bool failover;
};
extern const struct schema service_wish_schema;
extern const struct schema service_order_schema;

/* One price of what is ordered, or of what is used by it. */
struct service_part {
    uint64_t set;
    struct str need;    /* as which it is used; empty: what is ordered itself */
    struct str service; /* "svc_..."; empty: not ordered yet */
    struct str plan;    /* code, by which it is ordered; empty: it is there already */
    struct str charge;
    struct str up_to; /* of a tier, or empty */
    struct str unit;
    struct str price; /* that the client pays; empty: nothing more */
    struct str currency;
};
extern const struct schema service_part_schema;

struct service {
    uint64_t set;
    struct str id; /* "svc_..." */
    int64_t version;
    struct str client;
    struct str seller;
    struct str agreement;
    struct str plan;
    struct str subscription;
    struct str profile; /* name */
    struct str kind;    /* "prf_...": the version it was made of */
    struct str parent;
    struct str name;
    struct str parameters; /* JSON */
    struct str needs;      /* JSON */
    struct list parts;     /* struct service_part: in the answer to an order alone */
    struct str wish;       /* JSON */
    bool failover;
    int64_t state;
    int64_t wanted; /* enum spec_state */
    struct str node;
    struct str site;
    int64_t generation;
    int64_t restart;
    int64_t cpu_milli;
    int64_t memory_bytes;
    int64_t disk_bytes;
    struct str seen;
    int64_t seen_generation;
    struct str step;
    struct str reason;
    struct str suspended; /* why it is held (hold.h); empty: it is not */
    int64_t starts;
    struct str facts;    /* JSON list of sighting_fact */
    struct str promises; /* JSON list of sighting_promise */
    struct str drill_of; /* the copy of a drill (drill.h); empty: a service */
    time_us created;
    time_us changed;
};
extern const struct schema service_schema;

struct service_query {
    uint64_t set;
    struct page_query page;
    int64_t state;
    struct str parent;
};
extern const struct schema service_query_schema;

/* RC_INVALID names the field: an agreement that is not the client's, a plan that sells no service,
 * a parameter that is fixed or wrong, a need that is not met. RC_CONFLICT: a limit of the path, no
 * place (in words), an image that is not there, a needed service that rests; what the client buys
 * from the seller is suspended.
 *
 * A need that is not named is met as the profile says (profile.h): by one that the client has at
 * the place that is wished, the one that fewest use; or by a new one, by the plan that costs least
 * a period of those that are sold by the same agreement for the same period, with its own
 * parameters. It is ordered in the same unit of work, or nothing is. Nothing is ordered with what
 * waits for its seller's yes, nor with what is ordered with another. `parts` of *ret tells what was
 * taken or ordered so, and what it costs. Where what it uses does not run yet, but shall, the
 * service has its place and is described to its node as soon as that runs, or is stopped by its
 * client and known all the same. */
MUST_CHECK enum rc service_order(struct tx *tx, const struct seal *seal, struct str client,
                                 const struct service_order *order, struct service *ret);
/* What such an order would cost now: struct service_part, for the service itself and for what it
 * uses. Writes nothing. RC_INVALID as the order. */
MUST_CHECK enum rc service_price(struct tx *tx, struct str client,
                                 const struct service_order *order, struct list *ret);
MUST_CHECK enum rc service_get(struct tx *tx, struct str id, struct service *ret);
/* Of a party that buys or sells them. */
MUST_CHECK enum rc service_list(struct tx *tx, struct str party, const struct service_query *q,
                                struct page *ret);
/* On a node. */
MUST_CHECK enum rc service_list_node(struct tx *tx, struct str node, const struct page_query *q,
                                     struct page *ret);

/* What may be done in which state is a table in service_act.c; RC_CONFLICT says what is the
 * matter. APPROVE and REFUSE are the seller's. MOVE: with all that it keeps (move.h). CANCEL ends
 * the subscription now, and all below it in the tree of services. */
enum service_action {
    SERVICE_APPROVE,
    SERVICE_REFUSE,
    SERVICE_STOP,
    SERVICE_START,
    SERVICE_RESTART,
    SERVICE_MOVE,
    SERVICE_CANCEL,
    SERVICE_RESIZE,
    SERVICE_ACTIONS
};
MUST_CHECK enum rc service_act(struct tx *tx, const struct seal *seal, struct str id,
                               enum service_action action, struct service *ret);
/* Go back to a backup of it, where it is. RC_INVALID: no backup of this service, or none that is
 * kept. RC_CONFLICT: its state. */
struct service_restore {
    uint64_t set;
    struct str backup;
};
extern const struct schema service_restore_schema;
MUST_CHECK enum rc service_restore(struct tx *tx, const struct seal *seal, struct str id,
                                   const struct service_restore *from, struct service *ret);
/* Another plan of the same profile, other parameters, or both; where it is. RC_CONFLICT: its state,
 * no room, or something that the client buys from the seller is suspended. */
struct service_resize {
    uint64_t set;
    struct str plan;
    const struct json *parameters; /* laid over what holds */
};
extern const struct schema service_resize_schema;
MUST_CHECK enum rc service_resize(struct tx *tx, const struct seal *seal, struct str id,
                                  const struct service_resize *to, struct service *ret);
MUST_CHECK enum rc service_rename(struct tx *tx, struct str id, struct str name,
                                  struct service *ret);

/* What it publishes to its client. */
struct service_connection {
    uint64_t set;
    struct str name;
    struct str title;
    struct str value; /* empty: not known yet */
    bool secret;
};
extern const struct schema service_connection_schema;
MUST_CHECK enum rc service_connection(struct tx *tx, const struct seal *seal, struct str id,
                                      struct list *ret);

/* --- the node's --- */

/* What a node should run, as JSON (struct desired). *ret empty where `after` is the newest. */
MUST_CHECK enum rc service_desired(struct tx *tx, const struct seal *seal, struct str node,
                                   int64_t after, struct str *ret);
/* Take what a node says. */
MUST_CHECK enum rc service_report(struct tx *tx, const struct seal *seal, struct str node,
                                  const struct node_report *r, struct report_answer *ret);
/* RC_FORBIDDEN where the subscription is of no service that ever was on this node: a node reports
 * the usage of its own alone. */
MUST_CHECK enum rc service_meters(struct tx *tx, struct str node, struct str subscription);
/* Take the usage that a node reports, as "urn:hanse:nod_...", of what runs or ran on it. It is kept
 * under the name urn:hanse:PARTY:nod_... of the node's owner, who provides its services. A record
 * that reaches beyond the subscription's life is cut to it with all of its quantity; one that lies
 * outside is dropped.
 * RC_FORBIDDEN: another source, or as service_meters; RC_INVALID as usage_take. */
MUST_CHECK enum rc service_usage(struct tx *tx, struct str node, struct str source,
                                 const struct usage_record *records, size_t count,
                                 struct usage_report *ret);

/* --- the clock's --- */

/* Whether there is something to do: then tick. Writes nothing. */
MUST_CHECK enum rc service_tick_due(struct tx *tx, bool *ret);
/* What is suspended is held, and let go; nodes that are lost; failover services whose lease has
 * surely ended go elsewhere. At most a few at a time; *ret: whether there may be more. */
MUST_CHECK enum rc service_tick(struct tx *tx, const struct seal *seal, bool *ret);

#endif
