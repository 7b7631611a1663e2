/*
 * policy.h - what a channel lets through, and how it is labelled.
 *
 * A policy lists pairs that are allowed and pairs that are denied: (domain, name) for events,
 * (rid, name) for queries. "*" stands for anything. What is denied is asked first, then something
 * must allow. The sentences are the official engine's.
 */
#ifndef PICO_POLICY_H
#define PICO_POLICY_H

#include "krl/value.h"

enum {
    PICO_POLICY_RULES_MAX = 1000, /* of one list */
    PICO_POLICY_WORD_MAX = 256,   /* bytes */
    PICO_TAGS_MAX = 100,
    PICO_TAG_MAX = 512, /* units; a DID is one */
};

enum pico_policy_kind { PICO_POLICY_EVENT, PICO_POLICY_QUERY };

struct pico_policy_rule {
    struct str first; /* the domain of events, the rid of queries */
    struct str name;
};

struct pico_policy {
    const struct pico_policy_rule *allow;
    const struct pico_policy_rule *deny;
    size_t allow_n;
    size_t deny_n;
};

/* Lets everything through: what a channel has for which nothing is said. */
struct pico_policy pico_policy_default(void);

/* From {"allow": [...], "deny": [...]}, words trimmed; what is not truthy gives the default. The
 * texts live in the heap's arena. False with "TypeError: EventPolicy expects ..." in the heap. */
bool pico_policy_read(struct krl_heap *h, enum pico_policy_kind kind, struct krl_value v,
                      struct pico_policy *ret);
/* The policy as the map that rulesets and the HTTP interface see. */
struct krl_value pico_policy_value(struct krl_heap *h, enum pico_policy_kind kind,
                                   const struct pico_policy *p);
/* RC_FORBIDDEN with "Error: Denied by channel policy" or "Error: Not allowed by channel policy". */
MUST_CHECK enum rc pico_policy_check(const struct pico_policy *p, struct str first, struct str name,
                                     struct err *err);

/* The tags as they are kept: lower case, "-" for each run of what is not a letter, digit, "_" or
 * "-", none at the ends. Undefined gives none. KRL_FAILED with a TypeError: no array of texts, a
 * blank tag, "system". */
struct krl_value pico_tags_clean(struct krl_heap *h, struct krl_value tags);
/* The same tags in any order: ctx:upsertChannel finds a channel by them. */
bool pico_tags_same(const struct krl_array *a, const struct krl_array *b);

#endif
