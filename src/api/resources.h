/*
 * resources.h - shapes of requests and answers that belong to the API itself, not to a room below.
 */
#ifndef API_RESOURCES_H
#define API_RESOURCES_H

#include "api/test_clock.h"
#include "billing/book_view.h"
#include "billing/close.h"
#include "billing/document.h"
#include "billing/exchange_rate.h"
#include "billing/wallet.h"
#include "catalog/subscription.h"
#include "catalog/suspension.h"
#include "channel/reward.h"
#include "fleet/alert.h"
#include "fleet/availability.h"
#include "fleet/backup.h"
#include "fleet/drill.h"
#include "fleet/node_cost.h"
#include "fleet/promise_change.h"
#include "fleet/service.h"
#include "fleet/site.h"
#include "fleet/snapshot.h"
#include "fleet/upgrade.h"
#include "fleet/vantage.h"
#include "fleet/work_order.h"
#include "meter/source.h"
#include "meter/total.h"
#include "party/audit.h"
#include "party/brand.h"
#include "party/invitation.h"
#include "party/party.h"
#include "party/user.h"
#include "plan/forecast.h"
#include "settle/clearing.h"
#include "settle/financing.h"
#include "settle/fund.h"
#include "settle/share.h"
#include "settle/statement.h"

struct version {
    uint64_t set;
    struct str version;
    struct str api; /* "v1" */
};
extern const struct schema version_schema;

/* Counters are filled in for whoever holds system:read for the operator, else left out. */
struct status {
    uint64_t set;
    struct str version;
    struct str user;
    struct str email;
    struct list memberships; /* struct membership */
    struct str store;        /* "SQLite in /var/lib/hanse" */
    time_us now;
    int64_t up_seconds;
    int64_t parties;
    int64_t users;
    int64_t requests;
    int64_t commits;
    int64_t outbox_waiting;
    int64_t outbox_failed;
};
extern const struct schema status_schema;

struct login_body {
    uint64_t set;
    struct str email;
    struct str password;
    struct str code; /* of the second factor */
};
extern const struct schema login_schema;

struct session_start {
    uint64_t set;
    struct str csrf; /* to be sent as X-CSRF with everything that changes something */
    struct user user;
};
extern const struct schema session_start_schema;

struct prove_body {
    uint64_t set;
    struct str password;
};
extern const struct schema prove_schema;

struct password_change {
    uint64_t set;
    struct str password;
    struct str fresh;
};
extern const struct schema password_change_schema;

struct totp {
    uint64_t set;
    struct str secret;
    struct str uri;
};
extern const struct schema totp_schema;

struct totp_code {
    uint64_t set;
    struct str code;
};
extern const struct schema totp_code_schema;

/* For which party usage is reported; may be left out where it is plain. */
struct usage_target {
    uint64_t set;
    struct str party;
};
extern const struct schema usage_target_schema;

struct sponsor_query {
    uint64_t set;
    struct str sponsor; /* which of the caller's parties sponsors the new one; may be left out where
                           there is one only */
};
extern const struct schema sponsor_query_schema;

struct member_change {
    uint64_t set;
    struct str role;
};
extern const struct schema member_change_schema;

struct invitation_token {
    uint64_t set;
    struct str token; /* the last part of the link, or the whole link */
};
extern const struct schema invitation_token_schema;

struct accepted {
    uint64_t set;
    struct user user;
    struct party party;
};
extern const struct schema accepted_schema;

struct boot_query {
    uint64_t set;
    struct str host;
};
extern const struct schema boot_query_schema;
/* A brand without ids: name, logos, colours, legal footer. Encodes a struct brand. */
extern const struct schema brand_public_schema;

struct events_query {
    uint64_t set;
    struct str party;
    struct list topics; /* struct str: "party", "invitation"; prefixes of event names */
    int64_t after;      /* as Last-Event-ID, for clients that cannot set headers */
};
extern const struct schema events_query_schema;

/* Of a list that has no filters. */
struct list_query {
    uint64_t set;
    struct page_query page;
};
extern const struct schema list_query_schema;

struct ending {
    uint64_t set;
    time_us at; /* 0: now */
};
extern const struct schema ending_schema;

struct instant_query {
    uint64_t set;
    time_us at; /* 0: now */
};
extern const struct schema instant_query_schema;

struct naming {
    uint64_t set;
    struct str name;
};
extern const struct schema naming_schema;

struct agent_query {
    uint64_t set;
    int64_t after; /* revision that the node has */
    int64_t wait;  /* seconds */
};
extern const struct schema agent_query_schema;
/* Media types of a piece of a backup. */
extern const char *const backup_media[];

struct moving {
    uint64_t set;
    struct str agreement;
};
extern const struct schema moving_schema;

#endif
