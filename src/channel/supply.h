/*
 * supply.h - the path by which a service reaches its client: operator, distributor, resellers,
 * client.
 *
 * Each SUPPLY agreement names the one under which its seller buys, so from every agreement one path
 * leads up to the operator: a forest, of any depth up to SUPPLY_DEPTH_MAX, without cycles. A path
 * is as of an instant: a reseller that changes its distributor has another path from then on, and
 * the same one as before for all that lies before.
 */
#ifndef CHANNEL_SUPPLY_H
#define CHANNEL_SUPPLY_H

#include "channel/agreement.h"

enum { SUPPLY_DEPTH_MAX = 16, SUPPLY_CHANGES_MAX = 10000 };

struct supply_edge {
    struct str agreement;
    int64_t terms; /* number */
    struct str seller;
    struct str buyer;
    struct str book; /* empty: sold as bought */
    enum settle_mode settle;
    enum tax_treatment tax;
    int64_t payment_days;
};

struct supply_path {
    struct str currency;
    size_t count; /* 1 .. SUPPLY_DEPTH_MAX */
    struct supply_edge
        edges[SUPPLY_DEPTH_MAX]; /* [0]: the operator sells; the last: to the client */
};

/* The path that ends with this SUPPLY agreement, as of an instant. RC_NOT_FOUND: an agreement on it
 * is not in force then. */
MUST_CHECK enum rc supply_path_at(struct tx *tx, struct str agreement, time_us at,
                                  struct supply_path *ret);
/* The instants within (from, until) at which the path or a price on it changes: new terms of an
 * edge, a change of a book on it, an edge that begins or ends. Ascending, without repeats; *ret_at
 * in the arena. RC_TOO_LARGE: more than SUPPLY_CHANGES_MAX. */
MUST_CHECK enum rc supply_changes(struct tx *tx, struct str agreement, time_us from, time_us until,
                                  time_us **ret_at, size_t *ret_count);

/* The same path under a number, for ever: what rated lines refer to. Two paths with the same edges
 * and terms have the same number. */
MUST_CHECK enum rc supply_path_number(struct tx *tx, const struct supply_path *path, int64_t *ret);
/* The same for many, a handful in one statement; two of them may be the same path. */
MUST_CHECK enum rc supply_path_numbers(struct tx *tx, const struct supply_path *const *paths,
                                       size_t count, int64_t *ret);
/* RC_NOT_FOUND. */
MUST_CHECK enum rc supply_path_get(struct tx *tx, int64_t number, struct supply_path *ret);

/* SUPPLY agreements one step below this one, that are not ended and are or will be supplied by it:
 * struct str, by id; at most `limit` behind `after` (empty: from the beginning). */
MUST_CHECK enum rc supply_below(struct tx *tx, struct str agreement, struct str after, size_t limit,
                                struct list *ret);
/* Numbers of the paths that an agreement is on, behind `after`, ascending, at most limit; in the
 * arena. */
MUST_CHECK enum rc supply_paths_with(struct tx *tx, struct str agreement, int64_t after,
                                     int64_t limit, int64_t **ret, size_t *ret_count);

/* For who asks for very many paths in one unit of work: what lies above the last edge is the
 * same for all clients of a seller, and is asked for once. Lives in the tx's arena. */
struct supply_cache;
struct supply_cache *supply_cache_new(struct tx *tx);
/* Whether the path and all prices on it stay the same within [from, until), as far as is quickly
 * known; then it is *ret. */
MUST_CHECK enum rc supply_steady(struct supply_cache *c, struct str agreement, time_us from,
                                 time_us until, bool *ret_steady, struct supply_path *ret);
/* As supply_path_get. */
MUST_CHECK enum rc supply_cache_get(struct supply_cache *c, int64_t number,
                                    struct supply_path *ret);

/* The REFERRAL agreements that pay on what the client of this path buys: struct agreement, by
 * id, their terms as of the instant. The scope's party is the client, or, with subtree, any
 * buyer on the path; without a party, all that the payer sells. The payer is a seller on the path:
 * who earns nothing there pays nothing, so a reseller that moves leaves its old distributor's
 * referrals behind. RC_TOO_LARGE: more than AGREEMENT_LIST_MAX may. */
MUST_CHECK enum rc supply_referrals(struct tx *tx, const struct supply_path *path, time_us at,
                                    struct list *ret);

/* For who asks about very many paths: all REFERRAL agreements that are active at the instant,
 * whoever they are about, where they are few enough to look through (*ret_few); else none. */
enum { SUPPLY_REFERRALS_FEW = 200 };
MUST_CHECK enum rc supply_referrals_few(struct tx *tx, time_us at, struct list *ret, bool *ret_few);
/* Those of them that supply_referrals would tell of, in the arena. */
struct list supply_referrals_among(const struct list *few, const struct supply_path *path,
                                   struct arena *arena);

#endif
