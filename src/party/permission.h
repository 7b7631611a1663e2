/*
 * permission.h - who may do what: decided here, in one function, and nowhere else.
 *
 * A user acts for a party through memberships; a membership gives a role; a role is a set of
 * permissions (rows in the store, so that an operator can add roles of its own). Every object
 * belongs to one party. permission_allow asks: does this caller hold this permission for that
 * party? Unless a rule says yes, the answer is no.
 *
 * The rules, all of them:
 *  1. Nobody (no session, no token) holds nothing: RC_UNAUTHENTICATED.
 *  2. A member holds what the roles of the membership give.
 *  3. The sponsor of a party (who invited it: a reseller its client) holds, for that party, the
 *     permission's sponsor twin: PERM_PARTY_READ is allowed to who holds PERM_CLIENT_READ for the
 *     sponsor. One step, never further: what lies above or below stays unseen.
 *  4. A token holds at most its scopes; one that is bound to a party acts for that party alone.
 *  5. A node (CALLER_NODE) holds no permission at all: it may what permission_allow_node opens to
 *     nodes, each for itself alone, and that is open to nobody else.
 *  6. Who holds nothing at all for the party is told that it does not exist (RC_NOT_FOUND); who
 *     is a member, or member of the sponsor, is told which permission is missing (RC_FORBIDDEN).
 */
#ifndef PARTY_PERMISSION_H
#define PARTY_PERMISSION_H

#include "base/schema.h"
#include "store/store.h"

/*   name                   text                 sponsor twin      what it allows */
#define PERMISSION_TABLE(X)                                                                   \
    X(PERM_SELF_READ, "self:read", NULL, "read the own user, sessions and tokens")            \
    X(PERM_SELF_WRITE, "self:write", NULL, "change the own user, sessions and tokens")        \
    X(PERM_PARTY_READ, "party:read", "client:read", "read the party")                         \
    X(PERM_PARTY_WRITE, "party:write", "client:write", "change the party")                    \
    X(PERM_CLIENT_READ, "client:read", NULL, "read the parties that this party sponsors")     \
    X(PERM_CLIENT_WRITE, "client:write", NULL, "create and change parties that it sponsors")  \
    X(PERM_MEMBER_READ, "member:read", "client:read", "see who acts for the party")           \
    X(PERM_MEMBER_WRITE, "member:write", NULL, "give and take roles")                         \
    X(PERM_INVITATION_READ, "invitation:read", NULL, "see invitations")                       \
    X(PERM_INVITATION_WRITE, "invitation:write", NULL, "invite, resend, revoke")              \
    X(PERM_BRAND_READ, "brand:read", "client:read", "read the brand")                         \
    X(PERM_BRAND_WRITE, "brand:write", NULL, "change the brand")                              \
    X(PERM_AUDIT_READ, "audit:read", NULL, "read the audit log of the party")                 \
    X(PERM_EVENT_READ, "event:read", NULL, "follow the events of the party")                  \
    X(PERM_SYSTEM_READ, "system:read", NULL, "read state and metrics of the installation")    \
    X(PERM_SYSTEM_WRITE, "system:write", NULL, "move the clock of a test installation")       \
    X(PERM_AGREEMENT_READ, "agreement:read", NULL, "read the party's agreements")             \
    X(PERM_AGREEMENT_WRITE, "agreement:write", NULL, "offer, sign and end agreements")        \
    X(PERM_PRICE_READ, "price:read", NULL, "read what the party buys and sells at")           \
    X(PERM_PRICE_WRITE, "price:write", NULL, "keep the party's price books")                  \
    X(PERM_CATALOG_READ, "catalog:read", NULL, "read what the party can buy")                 \
    X(PERM_CATALOG_WRITE, "catalog:write", NULL, "keep items, meters and plans")              \
    X(PERM_SUBSCRIPTION_READ, "subscription:read", NULL, "read what the party buys or sells") \
    X(PERM_SUBSCRIPTION_WRITE, "subscription:write", NULL, "begin, change and end it")        \
    X(PERM_USAGE_READ, "usage:read", NULL, "read what was used")                              \
    X(PERM_USAGE_WRITE, "usage:write", NULL, "report what was used")                          \
    X(PERM_CLOSE_READ, "close:read", NULL, "see how the month's close goes")                  \
    X(PERM_CLOSE_WRITE, "close:write", NULL, "close a month")                                 \
    X(PERM_DOCUMENT_READ, "document:read", NULL, "read invoices, credit notes, statements")   \
    X(PERM_DOCUMENT_WRITE, "document:write", NULL, "hold, release and credit invoices")       \
    X(PERM_PAYMENT_READ, "payment:read", NULL, "see money that came and went")                \
    X(PERM_PAYMENT_WRITE, "payment:write", NULL, "book money that came in")                   \
    X(PERM_PAYOUT_WRITE, "payout:write", NULL, "approve and release payouts")                 \
    X(PERM_LEDGER_READ, "ledger:read", NULL, "read the party's books")                        \
    X(PERM_LEDGER_WRITE, "ledger:write", NULL, "post by hand, with a second pair of eyes")    \
    X(PERM_FLEET_READ, "fleet:read", NULL, "see sites, nodes, kinds of services and images")  \
    X(PERM_FLEET_WRITE, "fleet:write", NULL, "keep sites, nodes, kinds of services, images")  \
    X(PERM_SERVICE_READ, "service:read", NULL, "see services and how they are")               \
    X(PERM_SERVICE_WRITE, "service:write", NULL, "order, change and end services")            \
    X(PERM_ALERT_READ, "alert:read", NULL, "see who is told of failures, and what was told")  \
    X(PERM_ALERT_WRITE, "alert:write", NULL, "say who is told of failures")

enum permission {
#define X(name, text, twin, doc) name,
    PERMISSION_TABLE(X)
#undef X
        PERM_COUNT,
    PERM_NONE = PERM_COUNT /* for routes that are open to everyone */
};

const char *permission_text(enum permission p);
const char *permission_doc(enum permission p);
/* The twin that the sponsor needs, or PERM_NONE. */
enum permission permission_twin(enum permission p);
/* Whether s is the text of a permission. */
MUST_CHECK bool permission_parse(struct str s, enum permission *ret);

#define PERM_BIT(p) (UINT64_C(1) << (p))
#define PERM_ALL    (PERM_BIT(PERM_COUNT) - 1)
/* The bits of texts with a space between; those that are none are passed over. Each request reads
 * them: in the order of the table nothing is looked for twice. */
uint64_t permission_parse_all(struct str texts);
_Static_assert(PERM_COUNT < 64, "permissions are bits of a uint64_t");

enum { ROLE_NAME_MAX = 40 };
#define ROLE_OWNER STR("owner")

/* Who asks. All texts live as long as the unit of work. */
struct caller {
    enum { CALLER_NOBODY, CALLER_SESSION, CALLER_TOKEN, CALLER_NODE } kind;
    uint64_t scopes;    /* bit i: permission i is within the token's scopes; sessions: PERM_ALL */
    struct str user;    /* "usr_..." */
    struct str session; /* id, or empty */
    struct str token;   /* id, or empty */
    struct str party;   /* the token is bound to this party; empty: all parties of the user */
    struct str csrf;    /* sessions: what X-CSRF must say */
    time_us proved;     /* sessions: when the password was last given */
    struct str node;    /* CALLER_NODE: "nod_...", whose signature was checked; no user */
};

/* The decision. party: the owner of what is asked for. RC_OK, RC_UNAUTHENTICATED, RC_FORBIDDEN
 * (text names the missing permission), RC_NOT_FOUND. */
MUST_CHECK enum rc permission_allow(struct tx *tx, const struct caller *who, enum permission p,
                                    struct str party);
/* For what only the sponsor of the party may do: p held for the sponsor. Members of the party
 * itself are told so (RC_FORBIDDEN); else as permission_allow. The operator has no sponsor: nobody
 * may. */
MUST_CHECK enum rc permission_allow_sponsor(struct tx *tx, const struct caller *who,
                                            enum permission p, struct str party);
/* For what is the node's that signed the request. RC_OK, RC_UNAUTHENTICATED, RC_FORBIDDEN. */
MUST_CHECK enum rc permission_allow_node(struct tx *tx, const struct caller *who);
/* For what belongs to the user alone (PERM_SELF_*). RC_OK, RC_UNAUTHENTICATED, RC_FORBIDDEN. */
MUST_CHECK enum rc permission_allow_self(struct tx *tx, const struct caller *who,
                                         enum permission p);
/* Whether the caller holds p for at least one party: what a list over all parties asks first.
 * RC_OK, RC_UNAUTHENTICATED, RC_FORBIDDEN. */
MUST_CHECK enum rc permission_allow_some(struct tx *tx, const struct caller *who,
                                         enum permission p);

/* Which parties the caller holds p for as a member, in the order of their ids, the first
 * PERMISSION_PARTIES_MAX: one column, party. */
enum { PERMISSION_PARTIES_MAX = 100 };
MUST_CHECK enum rc permission_parties(struct tx *tx, const struct caller *who, enum permission p,
                                      struct rows *ret);

/* Bits of what the caller's own memberships give for the party, within the token's scopes;
 * PERM_SELF_* too. party empty: for any of the caller's parties. */
MUST_CHECK enum rc permission_held(struct tx *tx, const struct caller *who, struct str party,
                                   uint64_t *ret);

/* Nobody gives more than they hold: RC_OK where the caller holds for the party all that the role
 * allows; the owner's role is given and taken by owners alone. RC_FORBIDDEN names what is missing;
 * RC_INVALID: no such role. */
MUST_CHECK enum rc role_may_give(struct tx *tx, const struct caller *who, struct str party,
                                 struct str role);

/* Write the roles that ship with Hanse (owner, admin, billing, sales, reader) into the store;
 * what an operator added stays. Run at every start. */
MUST_CHECK enum rc permission_seed(struct tx *tx);

struct role {
    uint64_t set;
    struct str id;
    struct str doc;
    struct list permissions; /* struct str */
};
extern const struct schema role_schema;
MUST_CHECK enum rc role_list(struct tx *tx, struct list *ret);

#endif
