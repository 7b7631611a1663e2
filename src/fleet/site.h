/*
 * site.h - a place with servers: who owns it, where it lies, what its network is, and which facts
 * the law knows of it ("icp": its web sites may be shown to the public in China).
 */
#ifndef FLEET_SITE_H
#define FLEET_SITE_H

#include "store/page.h"

struct site {
    uint64_t set;
    struct str id; /* "sit_..." */
    int64_t version;
    struct str owner;
    struct str name;
    struct str country; /* ISO 3166 */
    struct str city;
    struct str address;
    struct str network; /* "AS64500, 10 Gbit/s" */
    struct list legal;  /* struct str: words */
    time_us created;
    time_us changed;
};
extern const struct schema site_schema;

struct site_query {
    uint64_t set;
    struct page_query page;
    struct str country;
};
extern const struct schema site_query_schema;

/* RC_INVALID: no such country. */
MUST_CHECK enum rc site_create(struct tx *tx, struct str owner, const struct site *fresh,
                               struct site *ret);
MUST_CHECK enum rc site_get(struct tx *tx, struct str id, struct site *ret);
MUST_CHECK enum rc site_change(struct tx *tx, struct str id, int64_t version,
                               const struct site *patch, struct site *ret);
/* Of the owner; for the operator (all) of everybody. */
MUST_CHECK enum rc site_list(struct tx *tx, struct str owner, bool all, const struct site_query *q,
                             struct page *ret);

#endif
