/*
 * work_order.h - hardware work on a node: opened by hand or by a promise of the node that fails,
 * done by a local company, told step by step, and paid.
 *
 *     open > accepted > done          open, accepted > cancelled (by who pays)
 *     accepted > open (declined)      done > accepted (returned, while no close has taken its fee)
 *
 * owner: the node's, who pays. manager: who does it. Where nobody is named it is the party of the
 * one cost or fee agreement of the owner that has a rule labelled WORK_MANAGER_LABEL and is about
 * the node's asset (or, where none is, about no asset); where there is none or several, the owner
 * assigns it by hand. The fee is agreed by accepting: it can be changed only before. When it is
 * done, the fee is owed under that agreement (channel/owed.h), and the next close pays it.
 *
 * A promise opens one order for as long as that is neither done nor cancelled; what becomes of the
 * promise meanwhile is written into its steps.
 */
#ifndef FLEET_WORK_ORDER_H
#define FLEET_WORK_ORDER_H

#include "fleet/node.h"
#include "fleet/promise_change.h"
#include "fleet/work_kind.h"

#define WORK_MANAGER_LABEL STR("HwMgmt")
#define WORK_LABEL         STR("Work") /* what the accounts of its fee are called */
enum { WORK_STEPS_MAX = 500, WORK_PHOTOS_MAX = 40, WORK_TEXT_MAX = 4000, WORK_CAPTION_MAX = 200 };

enum work_state { WORK_OPEN, WORK_ACCEPTED, WORK_DONE, WORK_CANCELLED };
extern const char *const work_states[];

struct work_order {
    uint64_t set;
    struct str id; /* "wko_..." */
    int64_t version;
    struct str node;
    struct str owner;
    struct str manager; /* empty: nobody yet */
    struct str kind;
    struct str title;
    struct str text;
    struct str cause; /* name of the promise that opened it; empty: by hand */
    int64_t state;
    struct str agreement;
    struct str fee; /* decimal; empty: nothing */
    struct str currency;
    time_us due;
    int64_t steps;
    int64_t photos;
    time_us created;
    time_us changed;
    time_us ended;  /* done or cancelled */
    time_us billed; /* a close took its fee over */
};
extern const struct schema work_order_schema;

struct work_step {
    uint64_t set;
    struct str id; /* "wks_..." */
    struct str work_order;
    struct str party; /* whose member wrote it; empty: the installation */
    struct str text;
    struct str type; /* of its photo; empty: none */
    int64_t bytes;
    struct str sha256;
    time_us created;
};
extern const struct schema work_step_schema;

struct work_query {
    uint64_t set;
    struct page_query page;
    struct str node;
    int64_t state;
};
extern const struct schema work_query_schema;

/* Opened by a party: the node's owner, its site's owner, or the operator; a fee is the owner's to
 * offer. RC_INVALID names the field. */
MUST_CHECK enum rc work_order_open(struct tx *tx, struct str by, const struct work_order *fresh,
                                   struct work_order *ret);
MUST_CHECK enum rc work_order_get(struct tx *tx, struct str id, struct work_order *ret);
/* Of a party that pays for it or does it; all: everybody's. */
MUST_CHECK enum rc work_order_list(struct tx *tx, struct str party, bool all,
                                   const struct work_query *q, struct page *ret);
/* Title, text, due; fee while it is open, and by its owner alone. */
MUST_CHECK enum rc work_order_change(struct tx *tx, struct str by, struct str id, int64_t version,
                                     const struct work_order *patch, struct work_order *ret);

/* Who is to do it, by which agreement: where that is empty, the one that there is between the two,
 * or none where nothing is paid. */
struct work_assignment {
    uint64_t set;
    struct str manager;
    struct str agreement;
};
extern const struct schema work_assignment_schema;
MUST_CHECK enum rc work_order_assign(struct tx *tx, struct str id, const struct work_assignment *to,
                                     struct work_order *ret);

/* The table of changes that are allowed is in work_order.c. RC_CONFLICT. text: why, or what was
 * done; becomes a step. */
enum work_action { WORK_ACCEPT, WORK_DECLINE, WORK_FINISH, WORK_RETURN, WORK_CANCEL, WORK_ACTIONS };
struct work_word {
    uint64_t set;
    struct str text;
};
extern const struct schema work_word_schema;
extern const struct schema work_note_schema;        /* text is wanted */
extern const struct schema work_photo_query_schema; /* text is what a photo shows */
extern const char *const photo_media[];
MUST_CHECK enum rc work_order_act(struct tx *tx, struct str by, struct str id,
                                  enum work_action action, struct str text, struct work_order *ret);

/* A note, a photo, or both: photo empty is none. RC_CONFLICT: it was cancelled, or has as many as
 * it may have. */
MUST_CHECK enum rc work_step_add(struct tx *tx, struct str by, struct str id, struct str text,
                                 struct str photo, struct work_step *ret);
MUST_CHECK enum rc work_step_get(struct tx *tx, struct str id, struct work_step *ret);
MUST_CHECK enum rc work_step_list(struct tx *tx, struct str id, const struct page_query *q,
                                  struct page *ret);
/* RC_NOT_FOUND: it has none. */
MUST_CHECK enum rc work_photo(struct tx *tx, struct str step, struct str *ret_type,
                              struct str *ret_bytes);

/* A promise of a node changed. */
MUST_CHECK enum rc work_order_follow(struct tx *tx, const struct promise_change *change);

#endif
