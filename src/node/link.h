/*
 * link.h - the agent's side of the conversation with the control plane.
 *
 * The node begins every call, so that it may stand behind any NAT. What it says is signed with its
 * own key (profile/signature.h), which it made when it was enrolled and which never leaves
 * home/key.
 * When the control plane is away, services go on with what was wanted last (home/desired), and what
 * was used waits in the spool.
 */
#ifndef NODE_LINK_H
#define NODE_LINK_H

#include "base/log.h"
#include "http/wire.h"
#include "node/agent.h"
#include "profile/signature.h"

struct link {
    struct wire *wire;
    struct clock *clock;
    const struct log *log;
    const char *home;
    struct str server; /* "https://cloud.example.net" */
    struct str node;   /* "nod_..." */
    uint8_t secret[SIGNATURE_SECRET_BYTES];
    bool unkept;               /* of link_pull alone: what is wanted is not on the disk yet */
    const atomic_bool *ending; /* calls are given up when it is true; may be NULL */
};

/* Hand in the public key of a new pair with a one-time token, and keep what is answered in home.
 * RC_UNAUTHENTICATED: the token is unknown or was used. RC_CONFLICT: enrolled already. */
MUST_CHECK enum rc link_enrol(struct link *l, struct str server, struct str token,
                              struct arena *arena, struct err *err);
/* Read what enrol kept. RC_NOT_FOUND: this node is not enrolled. wire, clock, log and home are set;
 * texts live in the arena. */
MUST_CHECK enum rc link_load(struct link *l, struct arena *arena, struct err *err);

/* A signed call; RC of its status. target: path and query. */
MUST_CHECK enum rc link_call(struct link *l, const char *method, struct str target, struct str body,
                             struct arena *arena, struct wire_reply *ret, struct err *err);

/* The same with bytes that are no JSON. */
MUST_CHECK enum rc link_send(struct link *l, struct str target, struct str bytes,
                             struct arena *arena, struct wire_reply *ret, struct err *err);
/* Bring a file of so many bytes to path, below home; goes on where it was cut off. Its hash is not
 * looked at. RC_FULL: the disk has no room for what is missing; nothing more was written.
 * RC_RETRY: it did not come, or not all of it, and may in a moment. */
MUST_CHECK enum rc link_fetch_file(struct link *l, struct str target, int64_t bytes,
                                   const char *path, struct arena *arena, struct err *err);

/* Give the agent what was wanted last, as long as nothing newer is known. */
void link_recall(struct link *l, struct agent *agent, struct arena *arena);
/* Ask what is wanted, and wait up to wait_s for something newer; keep it, give it to the agent. */
MUST_CHECK enum rc link_pull(struct link *l, struct agent *agent, int64_t wait_s,
                             struct arena *arena, struct err *err);
/* Tell how it is, in as many parts as its length wants. The answer renews the leases, from the
 * instant at which this was sent. report: the machine's part (machine.h). told: what was told of
 * each service, or empty.
 * RC_CHANGED: the control plane has heard a newer one, as this machine's clock was set back; the
 * next one counts on from that. */
enum { LINK_HASH_BYTES = 16, LINK_PART_BYTES = 512 * 1024 };
struct link_told {
    bool whole;    /* the next report is whole */
    int64_t order; /* of the last report */
    size_t count;
    struct {
        char id[ID_TEXT_MAX + 1];
        uint8_t hash[LINK_HASH_BYTES];
    } services[SPEC_SERVICES_MAX];
};
MUST_CHECK enum rc link_report(struct link *l, struct agent *agent, struct node_report *report,
                               struct link_told *told, struct arena *arena, struct err *err);
/* Send one load of the spool, if there is any; *ret: whether there may be more. */
MUST_CHECK enum rc link_usage(struct link *l, struct spool *spool, struct arena *arena, bool *ret,
                              struct err *err);
/* Bring an image: for container_options.fetch, arg is the link. Goes on where it was cut off. */
enum rc link_fetch(void *arg, const struct spec_image *image, const char *path, struct arena *arena,
                   struct err *err);

#endif
