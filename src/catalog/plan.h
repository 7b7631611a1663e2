/*
 * plan.h - how an item is sold: the period, and the charges with the operator's list prices.
 *
 * The list price is the one base of all prices. A plan has numbered versions; a subscription keeps
 * the one it began with until it is changed, so a new version never touches what runs.
 */
#ifndef CATALOG_PLAN_H
#define CATALOG_PLAN_H

#include "catalog/charge.h"
#include "catalog/item.h"

enum { PLAN_CHARGES_MAX = 32 };

enum plan_period { PLAN_MONTH, PLAN_QUARTER, PLAN_YEAR, PLAN_ONCE };
extern const char *const plan_periods[];

struct plan {
    uint64_t set;
    struct str id; /* "pln_..." */
    int64_t version;
    int64_t number;  /* of this version of its charges: 1, 2, ... */
    struct str item; /* code */
    struct str code; /* "vm-4-monthly", unique */
    struct str name;
    int64_t period;
    struct str currency;
    bool tax_included; /* list prices are gross, as shown to consumers */
    bool member_free;  /* a free tier: costs the client nothing, charged to the host's marketing */
    struct list charges; /* struct charge */
    bool retired;
    time_us created;
    time_us changed;
};
extern const struct schema plan_schema;

MUST_CHECK enum rc plan_create(struct tx *tx, const struct plan *fresh, struct plan *ret);
/* The newest version. By id or code. RC_NOT_FOUND. */
MUST_CHECK enum rc plan_get(struct tx *tx, struct str id, struct plan *ret);
MUST_CHECK enum rc plan_find(struct tx *tx, struct str code, struct plan *ret);
/* One version. RC_NOT_FOUND. */
MUST_CHECK enum rc plan_version(struct tx *tx, struct str id, int64_t number, struct plan *ret);
struct plan_query {
    uint64_t set;
    struct page_query page;
    struct str item;
};
extern const struct schema plan_query_schema;
MUST_CHECK enum rc plan_list(struct tx *tx, const struct plan_query *q, struct page *ret);
/* Other charges become a new number; other fields do not. */
MUST_CHECK enum rc plan_change(struct tx *tx, struct str id, int64_t version,
                               const struct plan *patch, struct plan *ret);

/* What a line of an invoice says of a charge of the plan: "Traffic (100 a month included)", or
 * nobody sees how quantity and price make the amount. In the arena, or the charge's own. */
struct str plan_line_text(const struct plan *plan, const struct charge *c, struct arena *arena);

#endif
