/*
 * subscription.h - what a client has bought and goes on paying for.
 *
 * It names the SUPPLY agreement by which it reaches the client (and so the path), the plan with its
 * version, and how many units. What changes over time - plan, quantity, agreement - are its terms:
 * rows with the instant from which they hold. Calendar periods cut at those instants are windows;
 * usage is added up, and charges are rated, window by window.
 */
#ifndef CATALOG_SUBSCRIPTION_H
#define CATALOG_SUBSCRIPTION_H

#include "catalog/plan.h"
#include "channel/price_book.h"
#include "money/period.h"

enum { SUBSCRIPTION_TERMS_MAX = 1000 };
#define SUBSCRIPTION_UNITS_MAX INT64_C(1000000000)

enum subscription_state { SUBSCRIPTION_ACTIVE, SUBSCRIPTION_ENDED };
extern const char *const subscription_states[];

struct subscription {
    uint64_t set;
    struct str id; /* "sub_..." */
    int64_t version;
    struct str seller;    /* of the agreement: owner */
    struct str client;    /* its buyer: the other side */
    struct str agreement; /* SUPPLY, the last edge */
    struct str plan;      /* "pln_..." */
    int64_t plan_number;
    struct str item;     /* code */
    struct str quantity; /* units, decimal */
    struct str
        producer;      /* party that provides it and earns its share (a POP); empty: the operator */
    struct str asset;  /* the site or server it runs on, as COST agreements name it */
    struct str parent; /* subscription above it: trees of picos */
    struct str name;   /* the client's own words */
    bool anchored;     /* periods begin like its start, not with the calendar month */
    time_us start;     /* 0 in a request: now */
    time_us ends;      /* 0: open */
    int64_t state;
    time_us created;
    time_us changed;
};
extern const struct schema subscription_schema;

struct subscription_query {
    uint64_t set;
    struct page_query page;
    struct str client;
    struct str plan;
    int64_t state;
};
extern const struct schema subscription_query_schema;

/* RC_INVALID names the field: a plan that is retired, of another currency, or whose item is
 * hidden from the client; an agreement that is not in force. RC_CONFLICT: a quota or credit
 * limit anywhere on the path. */
MUST_CHECK enum rc subscription_create(struct tx *tx, const struct subscription *fresh,
                                       struct subscription *ret);
MUST_CHECK enum rc subscription_get(struct tx *tx, struct str id, struct subscription *ret);
/* Those that the party sells or buys. */
MUST_CHECK enum rc subscription_list(struct tx *tx, struct str party,
                                     const struct subscription_query *q, struct page *ret);
/* Plan, quantity, producer, asset: from `at` on (0: now; not in the past); what was planned for
 * later falls away. The name: at once. The agreement: at once, with all that is below it, which
 * keeps its other terms; it leads to the same client, and must sell what they all have; to another
 * seller only where no instalments of any of them are left to be paid. A plan has
 * the period of the one before and no one-time charges or instalments; one with instalments is
 * left when they are paid. RC_INVALID, RC_CHANGED; RC_CONFLICT: a limit; it has ended; a child does
 * not leave its family. RC_TOO_LARGE: more than SUBSCRIPTION_FAMILY_MAX move. */
enum { SUBSCRIPTION_FAMILY_MAX = 50000 };
MUST_CHECK enum rc subscription_change(struct tx *tx, struct str id, int64_t version, time_us at,
                                       const struct subscription *patch, struct subscription *ret);
/* Ends it with all that is below it, at the instant (0: now); an end that is set can come earlier,
 * never later. RC_CONFLICT where instalments of any of them are left to be paid. */
MUST_CHECK enum rc subscription_end(struct tx *tx, struct str id, time_us at,
                                    struct subscription *ret);
/* Before a SUPPLY agreement ends: RC_CONFLICT where a subscription runs by it at the instant or
 * later. */
MUST_CHECK enum rc subscription_check_end(struct tx *tx, struct str agreement, time_us at);

/* --- limits --- */

/* How much may run at once through an edge, set by its seller: units of an item, or what the fixed
 * charges (flat, one-time, one instalment) of all that runs come to in one period of theirs, at the
 * price of the edge's buyer. What is planned for later counts too. A subscription is refused where
 * any edge of its path would be above its limit, so nobody below is allowed more. Who asks above
 * the last edge is not told whose limit it is. */
struct path_limit {
    uint64_t set;
    struct str agreement;
    struct str item;   /* code; empty: of the credit */
    struct str units;  /* of an item: decimal; in a request empty: no limit any more */
    struct str amount; /* credit: decimal, major units; in a request empty: no limit any more */
    struct str used;
    time_us changed;
};
extern const struct schema path_limit_schema;
MUST_CHECK enum rc path_limit_set(struct tx *tx, struct str agreement,
                                  const struct path_limit *wanted, struct path_limit *ret);
/* struct path_limit, the credit first, then by item. */
MUST_CHECK enum rc path_limit_list(struct tx *tx, struct str agreement, struct list *ret);

/* --- windows --- */

struct subscription_term {
    time_us from;
    time_us until; /* INT64_MAX: open */
    struct str agreement;
    struct str plan;
    int64_t plan_number;
    struct quantity quantity;
    struct str producer;
    struct str asset;
};
struct subscription_facts {
    struct str id;
    struct str client;
    struct str parent;
    time_us start;
    time_us ends;             /* INT64_MAX: open */
    struct calendar calendar; /* of the plan's period, in the seller's time zone */
    bool once;                /* one period, as long as it runs: the calendar is not read */
    size_t term_count;
    const struct subscription_term *terms;
};
/* A calendar period, or the part of it for which one row of terms holds. */
struct window {
    time_us begin;
    time_us end;
    time_us from;
    time_us until;
    size_t term;           /* index in facts->terms */
    int64_t period_number; /* of the subscription's life, 1.. */
};
/* Who may report its usage, and for which time. RC_NOT_FOUND. */
struct subscription_reporting {
    struct str seller;
    struct str producer; /* of the latest terms; may be empty */
    time_us start;
    time_us ends; /* INT64_MAX: open */
};
MUST_CHECK enum rc subscription_reporting(struct tx *tx, struct str id,
                                          struct subscription_reporting *ret);
/* One who sold or produced it by earlier terms may report what was used by these, also later: start
 * and ends of *ret, which subscription_reporting filled, become those of the last of them that
 * followed one another. False: he never did. */
MUST_CHECK enum rc subscription_reporting_before(struct tx *tx, struct str id, struct str party,
                                                 struct subscription_reporting *ret,
                                                 bool *ret_found);
MUST_CHECK enum rc subscription_facts(struct tx *tx, struct str id, struct subscription_facts *ret);
/* The window that holds an instant of its life. RC_NOT_FOUND outside. */
MUST_CHECK enum rc subscription_window(const struct subscription_facts *f, time_us at,
                                       struct window *ret, struct err *err);
/* All windows that end within (since, before], or with advance those that begin within [since,
 * before), in order: what the close of [since, before) bills. */
struct window_span {
    time_us since;
    time_us before;
    bool advance;
};
MUST_CHECK enum rc subscription_windows(const struct subscription_facts *f,
                                        const struct window_span *span, struct arena *arena,
                                        struct window **ret, size_t *ret_count, struct err *err);
/* Facts of all subscriptions that run at some time within [since, before], in the order of
 * (agreement, client, id): what a close walks, `limit` at a time behind (after; NULL: from the
 * beginning) up to and with (until; NULL: the last one). The order keeps a client's subscriptions
 * together; agreement is that of the latest terms. *ret_count 0: done. */
struct subscription_cursor {
    struct str agreement;
    struct str client;
    struct str id;
};
struct subscription_stretch {
    const struct subscription_cursor *after;
    const struct subscription_cursor *until;
    size_t limit;
};
MUST_CHECK enum rc subscription_walk(struct tx *tx, time_us since, time_us before,
                                     const struct subscription_stretch *stretch,
                                     struct subscription_facts **ret, size_t *ret_count);
/* The subscription that is the `count`th behind (after), whether it runs or not: a walk of `count`
 * up to and with it meets all of them. *ret_found false: there are not so many. */
MUST_CHECK enum rc subscription_walk_ahead(struct tx *tx, const struct subscription_cursor *after,
                                           size_t count, struct subscription_cursor *ret,
                                           bool *ret_found);
/* The time zones that their calendars are in, by name. RC_TOO_LARGE: more than there can be. */
enum { SUBSCRIPTION_ZONES_MAX = 1000 };
MUST_CHECK enum rc subscription_zones(struct tx *tx, struct str **ret, size_t *ret_count);
/* How many the walk gives in all. */
MUST_CHECK enum rc subscription_count(struct tx *tx, time_us since, time_us before, int64_t *ret);

/* How many descendants (children of all degrees) it has, times how long, within [from, until): in
 * unit-seconds, to the microsecond; each counts with its quantity. */
MUST_CHECK enum rc subscription_descendants(struct tx *tx, struct str id, time_us from,
                                            time_us until, struct quantity *ret);

/* --- prices for people --- */

/* What an agreement's buyer pays for each plan it can see, and what its seller pays: one row a
 * price point. side: the party that asks; the buyer sees `price`, the seller its own `cost` and
 * margin as well, and nobody anything else. */
struct price_row {
    uint64_t set;
    int64_t kind; /* enum charge_kind; not told */
    struct str item;
    struct str plan;
    struct str charge; /* label */
    struct str up_to;  /* of a tier, or empty */
    struct str unit;   /* that the price is for; empty: once a period, when the tier is reached */
    struct str cost;  /* what the asking seller pays itself; empty for the buyer and the operator */
    struct str price; /* what the buyer pays */
    struct str margin; /* price less cost */
    struct str msrp;
    struct str currency;
};
extern const struct schema price_row_schema;
MUST_CHECK enum rc catalog_prices(struct tx *tx, struct str agreement, struct str side, time_us at,
                                  struct list *ret);
/* The same of one plan, now. *ret_sold: the agreement sells it; else there is no row. */
MUST_CHECK enum rc catalog_plan_prices(struct tx *tx, struct str agreement, struct str side,
                                       const struct plan *plan, bool *ret_sold, struct list *ret);

/* Items that some supply agreement of the party, in force now, sells it: without what is the
 * operator's alone. A page ends with an item that is shown, and has a next one only where there is
 * more to be shown: neither its length nor its cursor tells of what is hidden. RC_TOO_LARGE. */
MUST_CHECK enum rc item_list_visible(struct tx *tx, struct str party, const struct item_query *q,
                                     struct page *ret);

#endif
