/*
 * alert.h - who is told, and how, that a promise fails and that it is kept again.
 *
 * An alert is a rule of a party. It covers what the party may see: the services that it buys or
 * sells, its nodes and those at its sites; of those all, or the named ones, or those at named
 * sites; all their promises or the named ones. A node that is not heard any more breaks the promise
 * PROMISE_HEARD of itself and of the services on it. What failed before the rule was made is not
 * told of.
 *
 *     fails > (for delay_s) > told "failing" > kept again > told "recovered"
 *
 * What is kept again within delay_s tells nothing; what is told of no more (a stopped service) is
 * neither good nor bad. An hour has at most `hourly` messages of one rule, counted from the first;
 * what is more becomes one summary at its end.
 *
 * Messages are rows made in the unit of work that learned the fact, and leave after it, in order,
 * at least once, each always with the same id. A mail address gets none before it is confirmed by
 * a code that was mailed to it: nobody is told of things by a rule that is not theirs. It is not
 * the outbox of the store (outbox.h): that sends one at a time and knows no receivers, and here
 * each of many strangers may be slow or gone. So each rule has a queue: a receiver that fails
 * rests, longer each time, and with it its queue alone; after ALERT_TRIES_MAX a message is dead,
 * which its row says.
 */
#ifndef FLEET_ALERT_H
#define FLEET_ALERT_H

#include "fleet/promise_change.h"
#include "store/seal.h"

enum {
    ALERT_OF_PARTY_MAX = 50,
    ALERT_SUBJECTS_MAX = 16,
    ALERT_PROMISES_MAX = 16,
    ALERT_DELAY_S = 60, /* where nothing else is said */
    ALERT_DELAY_S_MAX = 24 * 60 * 60,
    ALERT_HOURLY = 12,
    ALERT_HOURLY_MAX = 60,
    ALERT_TRIES_MAX = 20, /* some nine hours */
    ALERT_URL_MAX = 500,
    ALERT_TEXT_MAX = 4000,
};
#define ALERT_HOUR_US US_PER_HOUR
#define ALERT_KEEP_US (90 * US_PER_DAY) /* of what was told */
/* A message in hand is nobody else's for so long: more than the longest try takes. */
#define ALERT_CLAIM_MAIL_US (40 * US_PER_SECOND)
#define ALERT_CLAIM_CALL_US (6 * US_PER_SECOND)
#define ALERT_NEVER         INT64_MAX

struct alert {
    uint64_t set;
    struct str id; /* "alr_..." */
    int64_t version;
    struct str party;
    struct str name;
    struct list subjects; /* struct str: "svc_...", "nod_...", "sit_..." */
    struct list promises; /* struct str: names */
    struct str mail;      /* one of these two */
    struct str url;
    int64_t delay_s;
    int64_t hourly;
    bool paused;
    bool confirmed;    /* whoever it is mailed to has said yes; of a webhook: always */
    struct str secret; /* of a webhook: only in the answer that makes it */
    int64_t failing;   /* told of, and not kept again yet */
    int64_t waiting;   /* messages on their way */
    int64_t tries;     /* failed in a row */
    struct str error;  /* of the last one */
    time_us created;
    time_us changed;
};
extern const struct schema alert_schema;

enum alert_kind { ALERT_FAILING, ALERT_RECOVERED, ALERT_SUMMARY, ALERT_TEST };
extern const char *const alert_kinds[];
enum delivery_state { DELIVERY_WAITING, DELIVERY_SENT, DELIVERY_DEAD };
extern const char *const delivery_states[];

struct alert_delivery {
    uint64_t set;
    struct str id; /* "ald_..." */
    struct str alert;
    int64_t kind;
    struct str subject; /* whose promise; empty: of several */
    struct str title;   /* its name */
    struct str promise;
    struct str text; /* why */
    time_us since;
    time_us created;
    int64_t state;
    int64_t tries;
    struct str error;
    time_us ended;
};
extern const struct schema alert_delivery_schema;
/* The same without what became of it: what a webhook is sent. */
extern const struct schema alert_message_schema;

/* To a mail address goes a code, and nothing else until it is said (alert_confirm).
 * RC_INVALID names the field: neither or both of mail and url, none of the party's things.
 * RC_CONFLICT: too many rules. RC_UNSUPPORTED: a webhook where there is no seal (NULL). */
MUST_CHECK enum rc alert_create(struct tx *tx, const struct seal *seal, struct str party,
                                const struct alert *fresh, struct alert *ret);
MUST_CHECK enum rc alert_get(struct tx *tx, struct str id, struct alert *ret);
MUST_CHECK enum rc alert_list(struct tx *tx, struct str party, const struct page_query *q,
                              struct page *ret);
/* RC_INVALID as above, and where mail becomes a webhook or the other way round. A rule that is
 * paused forgets what fails. Another mail address is confirmed anew. */
MUST_CHECK enum rc alert_change(struct tx *tx, struct str id, int64_t version,
                                const struct alert *patch, struct alert *ret);
/* With all that waits and was told. */
MUST_CHECK enum rc alert_delete(struct tx *tx, struct str id);
/* Another secret; the one before ends. RC_CONFLICT: it goes by mail. */
MUST_CHECK enum rc alert_renew(struct tx *tx, const struct seal *seal, struct str id,
                               struct alert *ret);
/* The code that was mailed is said: what waited leaves. Without one another code is mailed, and the
 * one before ends. RC_INVALID at "/code": it is another; RC_CONFLICT: the address is confirmed, or
 * the hour has had all of its messages. */
struct alert_confirmation {
    uint64_t set;
    struct str code;
};
extern const struct schema alert_confirmation_schema;
MUST_CHECK enum rc alert_confirm(struct tx *tx, struct str id, struct str code, struct alert *ret);
/* A message that says that it is a test, now. RC_CONFLICT: the hour has had all of its messages, or
 * the address is not confirmed. */
MUST_CHECK enum rc alert_test(struct tx *tx, struct str id, struct alert_delivery *ret);
MUST_CHECK enum rc alert_delivery_list(struct tx *tx, struct str id, const struct page_query *q,
                                       struct page *ret);

/* --- what happens --- */

/* A promise changed. */
MUST_CHECK enum rc alert_follow(struct tx *tx, const struct promise_change *change);
/* Services on a node are not heard with it, or are again. */
MUST_CHECK enum rc alert_node(struct tx *tx, struct str node, bool lost);
/* A service runs: wherever it is, it is heard. */
MUST_CHECK enum rc alert_runs(struct tx *tx, struct str service);

/* --- the sender's --- */

/* When something is to be done next; ALERT_NEVER. Writes nothing. */
MUST_CHECK enum rc alert_next(struct tx *tx, time_us *ret);
/* What failed for long enough, and summaries: messages are made of some. */
MUST_CHECK enum rc alert_tick(struct tx *tx);
/* The message to send now. */
struct alert_claim {
    bool found; /* else there is none */
    bool mail;  /* else a webhook */
    struct str target;
    struct str secret;  /* opened */
    struct str trouble; /* why it cannot be sent now; empty: it can */
    struct str from;    /* of the party's brand; may be empty */
    struct str party;
    struct str rule; /* its name */
    struct alert_delivery delivery;
};
MUST_CHECK enum rc alert_claim(struct tx *tx, const struct seal *seal, struct alert_claim *ret);
/* How it went. */
struct alert_outcome {
    struct str alert;
    struct str delivery;
    bool sent;
    bool hopeless; /* no other try */
    struct str error;
};
MUST_CHECK enum rc alert_settle(struct tx *tx, const struct alert_outcome *outcome);

/* For a copy of a store, whose original goes on: all rules are paused, and what waits is dead; else
 * nodes that do not report to a copy would be told of to people who know better. */
MUST_CHECK enum rc alert_forget(struct tx *tx);

#endif
