/*
 * registry.h - the rulesets that the engine knows: by URL, with their sources in the store.
 *
 * Code is compiled when it is first used, shared by all picos, and kept while something runs it;
 * of the rest the least used makes room. Safe from many threads.
 */
#ifndef PICO_REGISTRY_H
#define PICO_REGISTRY_H

#include "krl/code.h"

struct pico_engine;

enum {
    RULESETS_MAX = 100000,
    RULESET_SOURCE_MAX = 1024 * 1024, /* bytes */
    RULESET_URL_MAX = 2000,
    RULESET_CODES_MAX = 1000, /* compiled at once, beyond those in use */
    RULESET_HASH_N = 64,
};

/* Entries stay where they are until the registry is closed; url and rid do not change with a no. */
struct ruleset {
    int64_t no;
    struct str url;
    struct str rid;
    int64_t rid_no;
};

/* What is known of one moment. */
struct ruleset_facts {
    char hash[RULESET_HASH_N + 1];
    time_us flushed;
    const struct krl_code *code; /* while its holder is held */
};

struct ruleset_code;

struct registry;

MUST_CHECK enum rc registry_open(struct registry **ret, struct pico_engine *e, struct err *err);
void registry_close(struct registry *g);

/* NULL: unknown. The url is normalised by the caller. */
const struct ruleset *registry_url(struct registry *g, struct str url);
const struct ruleset *registry_no(struct registry *g, int64_t no);
/* One with this rid, whichever was registered first. */
const struct ruleset *registry_rid(struct registry *g, struct str rid);

/* The SHA-256 of its present source, in hexadecimal. */
void registry_hash(struct registry *g, const struct ruleset *r, char ret[RULESET_HASH_N + 1]);

/* Compiled code, held until registry_release. RC_NOT_FOUND, RC_SYNTAX (it was written by another
 * version), RC_UNAVAILABLE. */
MUST_CHECK enum rc registry_hold(struct registry *g, const struct ruleset *r,
                                 struct ruleset_code **ret, struct ruleset_facts *ret_facts,
                                 struct err *err);
void registry_release(struct registry *g, struct ruleset_code *code);

/* Register a source under a URL; durable when it returns. An unchanged source changes nothing but
 * the time. RC_SYNTAX with the official sentence; RC_CONFLICT: modules that are missing or go in a
 * circle, or another rid than before; RC_TOO_LARGE. */
MUST_CHECK enum rc registry_put(struct registry *g, struct str url, struct str source,
                                const struct ruleset **ret, struct err *err);
/* Fetch and register. */
MUST_CHECK enum rc registry_flush(struct registry *g, struct str url, const struct ruleset **ret,
                                  struct err *err);

#endif
