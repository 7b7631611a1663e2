/*
 * item.h - what can be bought, and the meters that say how much of it was used.
 *
 * Items and meters belong to the operator, whose catalogue is the one base; price books down the
 * channel decide who sees an item and at what price. A code is unique in the installation.
 */
#ifndef CATALOG_ITEM_H
#define CATALOG_ITEM_H

#include "money/quantity.h"
#include "party/party.h"

enum { ITEM_CODE_MAX = 40, ITEM_LIST_MAX = 10000 };

/* Which rate of a country's tax table: billing/tax_rule.h. */
enum tax_class { TAX_CLASS_STANDARD, TAX_CLASS_REDUCED, TAX_CLASS_EXEMPT, TAX_CLASS_OUTSIDE };
extern const char *const tax_classes[];

enum item_state { ITEM_ACTIVE, ITEM_RETIRED };
extern const char *const item_states[];

struct item {
    uint64_t set;
    struct str id; /* "itm_..." */
    int64_t version;
    struct str owner; /* party: the operator */
    struct str code;  /* "vm-4": small letters, digits, '-', '.' */
    struct str name;
    struct str category; /* "vm", "storage", "training" */
    struct str unit;     /* UN/ECE recommendation 20: "MON", "E34" (gigabyte), "C62" (one), "HUR" */
    int64_t tax_class;
    struct str income; /* part of an account's code: Income:<income>; "VPS" */
    struct str author; /* party that REVSHARE agreements pay; empty: none */
    int64_t state;
    time_us created;
    time_us changed;
};
extern const struct schema item_schema;

struct item_query {
    uint64_t set;
    struct page_query page;
    struct str category;
    int64_t state;
};
extern const struct schema item_query_schema;

/* RC_INVALID, RC_CONFLICT: the code is taken. */
MUST_CHECK enum rc item_create(struct tx *tx, struct str owner, const struct item *fresh,
                               struct item *ret);
MUST_CHECK enum rc item_get(struct tx *tx, struct str id, struct item *ret);
/* By code. RC_NOT_FOUND. */
MUST_CHECK enum rc item_find(struct tx *tx, struct str code, struct item *ret);
MUST_CHECK enum rc item_list(struct tx *tx, const struct item_query *q, struct page *ret);
MUST_CHECK enum rc item_change(struct tx *tx, struct str id, int64_t version,
                               const struct item *patch, struct item *ret);

/* --- meters --- */

/* How records of a window become one quantity (specs/billing.md 3.3):
 * COUNT: how many; SUM; MAX; LAST: that with the latest end; UNIQUE: how many distinct dims values;
 * TIME_WEIGHTED: quantity x seconds; P95: of samples of 5 minutes the highest but the top 5 %;
 * COUNTER: readings of a counter that may start again at 0: sum of its increases. */
enum meter_kind {
    METER_COUNT,
    METER_SUM,
    METER_MAX,
    METER_LAST,
    METER_UNIQUE,
    METER_TIME_WEIGHTED,
    METER_P95,
    METER_COUNTER,
};
extern const char *const meter_kinds[];
/* Whether its quantity is a level that stands for the time (MAX, LAST, UNIQUE, P95), and not a sum
 * that grows with it: twice the time is not twice as much. */
bool meter_is_level(enum meter_kind kind);

struct meter {
    uint64_t set;
    struct str id;  /* "mtr_..." */
    int64_t number; /* small, for binary records; given in order from 1 */
    struct str owner;
    struct str code; /* "vm.vcpu-seconds" */
    int64_t kind;    /* enum meter_kind */
    struct str unit;
    int64_t scale; /* 0..9: quantities are integers x 10^-scale */
    time_us created;
};
extern const struct schema meter_schema;

MUST_CHECK enum rc meter_create(struct tx *tx, struct str owner, const struct meter *fresh,
                                struct meter *ret);
MUST_CHECK enum rc meter_find(struct tx *tx, struct str code, struct meter *ret);
MUST_CHECK enum rc meter_get(struct tx *tx, struct str id, struct meter *ret);
/* All of them, by number: struct meter. At most METER_MAX. */
enum { METERS_MAX = 1000 };
MUST_CHECK enum rc meter_list(struct tx *tx, struct list *ret);

#endif
