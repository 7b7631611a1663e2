/*
 * price_book.h - what each seller makes of the prices it buys at: rules, never copies.
 *
 * The operator's list prices are the one base (catalog/plan.h). A price book belongs to a seller
 * and holds entries: for an item, for a category, or for all, set a price (ABS), multiply (MUL),
 * add (ADD), or hide. A SUPPLY agreement names the book that holds for its buyer, so one book may
 * serve many ("public", "member"). Going down a path, the price at each edge is the entry applied
 * to the price at the edge above: p[k] = f(p[k-1]). A change at one layer is an entry with a date,
 * and nothing is copied or synchronised.
 *
 * The entry for the item wins over that for its category, that over the one for all; of several
 * with one target the latest that is valid wins.
 */
#ifndef CHANNEL_PRICE_BOOK_H
#define CHANNEL_PRICE_BOOK_H

#include "channel/supply.h"

enum { PRICE_TARGET_MAX = 40 }; /* characters of an item's or category's code */

struct price_book {
    uint64_t set;
    struct str id; /* "bok_..." */
    int64_t version;
    struct str party;
    struct str name; /* "public", "member" */
    struct str currency;
    /* Guard rails on what its own entries and the buyer's books below may do: each edge from here
     * down keeps them towards its own buying price. Like entries they hold from an instant on. */
    struct str floor_percent; /* no price below so much of what the seller pays; "100": cost */
    struct str max_discount_percent; /* no price more than so much below the price bought at */
    time_us created;
    time_us changed;
};
extern const struct schema price_book_schema;

enum entry_op { ENTRY_ABS, ENTRY_MUL, ENTRY_ADD, ENTRY_HIDE };
extern const char *const entry_ops[];

struct price_entry {
    uint64_t set;
    struct str id; /* "pre_..." */
    struct str book;
    struct str item;     /* code; or */
    struct str category; /* or neither: all */
    int64_t op;          /* enum entry_op */
    /* Decimal. ABS, ADD: major units for one unit; MUL: percent, "112" is +12 %. HIDE: empty. */
    struct str value;
    struct str msrp;    /* recommended price of the next seller; shown to the buyer, binds nobody */
    time_us valid_from; /* 0 in a request: now */
    time_us created;
};
extern const struct schema price_entry_schema;

/* RC_INVALID names the field. RC_CONFLICT: the party has a book of that name. */
MUST_CHECK enum rc price_book_create(struct tx *tx, struct str party,
                                     const struct price_book *fresh, struct price_book *ret);
/* Guard rails as of now. RC_NOT_FOUND. */
MUST_CHECK enum rc price_book_get(struct tx *tx, struct str id, struct price_book *ret);
MUST_CHECK enum rc price_book_list(struct tx *tx, struct str party, const struct page_query *q,
                                   struct page *ret);
/* Name and guard rails; those hold from now on. The currency stays (RC_INVALID). RC_CHANGED,
 * RC_CONFLICT. */
MUST_CHECK enum rc price_book_change(struct tx *tx, struct str id, int64_t version,
                                     const struct price_book *patch, struct price_book *ret);
/* An entry is never changed: a new one with a later date takes its place. valid_from may not lie in
 * the past (RC_INVALID): what was rated stays right. RC_CONFLICT: PRICE_ENTRIES_MAX are there. */
enum { PRICE_ENTRIES_MAX = 100000 }; /* of one book */
MUST_CHECK enum rc price_entry_add(struct tx *tx, struct str book, const struct price_entry *fresh,
                                   struct price_entry *ret);
MUST_CHECK enum rc price_entry_list(struct tx *tx, struct str book, const struct page_query *q,
                                    struct page *ret);

/* What one edge does to a price: pure. */
struct price_step {
    enum entry_op op; /* not HIDE; MUL with ppm 1,000,000: as bought */
    struct price value;
    int64_t ppm;
    int64_t floor_ppm;        /* 0: none */
    int64_t max_discount_ppm; /* -1: none */
    struct str msrp;          /* of the entry that holds: for the buyer of this edge; or empty */
};
struct price_steps {
    bool visible; /* to the last buyer: hidden nowhere on the way */
    size_t count; /* edges of the path */
    struct price_step steps[SUPPLY_DEPTH_MAX];
};
/* What the books on the path say of an item at an instant. To hide an item changes its price for
 * nobody who has it: the entry holds that would without what hides. */
MUST_CHECK enum rc price_steps_at(struct tx *tx, const struct supply_path *path, struct str item,
                                  struct str category, time_us at, struct price_steps *ret);
/* Prices down the path: ret[0] is what the buyer of the first edge pays, ret[count - 1] what the
 * client pays. list: the operator's. Guard rails bind: a price below the floor is lifted to it.
 * RC_INVALID where a price does not fit or would be below 0. */
MUST_CHECK enum rc price_steps_apply(const struct price_steps *steps, struct price list,
                                     struct price ret[SUPPLY_DEPTH_MAX], struct err *err);
/* The same of a percentage, as a price for each unit of money. A book that takes a percentage of
 * the price bought at does so here; what sets or adds an amount is no percentage: it goes on as it
 * was bought. */
MUST_CHECK enum rc price_steps_percent(const struct price_steps *steps, struct price list,
                                       struct price ret[SUPPLY_DEPTH_MAX], struct err *err);

#endif
