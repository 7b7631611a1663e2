/*
 * invitation.h - how anyone comes in: a link with a token, prefilled, expiring, used once.
 *
 * An invitation either makes somebody a member of the inviting party (joins) or founds a new party
 * that the inviter sponsors, whose owner the invited one becomes. The very first one is written
 * at the first start and makes the operator's owner.
 */
#ifndef PARTY_INVITATION_H
#define PARTY_INVITATION_H

#include "party/party.h"
#include "party/user.h"

#define INVITATION_DAYS_DEFAULT 14
enum { INVITATION_DAYS_MAX = 90, INVITATIONS_OPEN_MAX = 1000 /* of one party */ };

enum invitation_state { INVITATION_OPEN, INVITATION_USED, INVITATION_REVOKED, INVITATION_EXPIRED };
extern const char *const invitation_states[];

struct invitation {
    uint64_t set;
    struct str id;      /* "inv..." is for invoices: "ivt_..." */
    struct str party;   /* who invites */
    struct str inviter; /* user */
    bool joins;
    struct str role; /* in the party that is joined or founded: "owner" for the latter */
    struct str email;
    struct party prefill; /* what the new party's form begins with */
    struct str message;
    struct str link; /* only in the answers that create and resend */
    int64_t days;    /* to live, in requests */
    int64_t state;   /* enum invitation_state */
    time_us created;
    time_us ends;
    struct str used_by;
    time_us used;
};
extern const struct schema invitation_schema;

/* base_url: "https://cloud.example.net", for the link. Writes event.invitation.created, and an
 * outbox row "mail" where there is an e-mail address. inviter may be NULL at the first start.
 * RC_INVALID; RC_FORBIDDEN: a role with permissions that the inviter does not hold, or a new party
 * without client:write; RC_CONFLICT: the party is closed, or INVITATIONS_OPEN_MAX are open. */
MUST_CHECK enum rc invitation_create(struct tx *tx, const struct caller *inviter,
                                     const struct invitation *fresh, struct str base_url,
                                     struct invitation *ret);
MUST_CHECK enum rc invitation_get(struct tx *tx, struct str id, struct invitation *ret);
struct invitation_query {
    uint64_t set;
    struct page_query page;
    int64_t state;
};
extern const struct schema invitation_query_schema;
MUST_CHECK enum rc invitation_list(struct tx *tx, struct str party,
                                   const struct invitation_query *q, struct page *ret);
/* A new link with a new term; the old link stops working. RC_CONFLICT where it was used. who needs
 * what invitation_create asks for, as the answer holds the link; NULL at the first start. */
MUST_CHECK enum rc invitation_resend(struct tx *tx, const struct caller *who, struct str id,
                                     struct str base_url, struct invitation *ret);
/* The link stops working. RC_CONFLICT where it was used. */
MUST_CHECK enum rc invitation_revoke(struct tx *tx, struct str id, struct invitation *ret);

/* What a holder of the link sees before accepting: who invites, as what, the prefilled party.
 * token is the last part of the link, or the whole link.
 * RC_NOT_FOUND: no such link; RC_GONE: used, revoked or expired (the text says which). */
struct invitation_view {
    uint64_t set;
    struct str party_name;
    struct str inviter_name;
    bool joins;
    struct str role;
    struct str email;
    struct str message;
    struct party prefill;
    time_us ends;
};
extern const struct schema invitation_view_schema;
MUST_CHECK enum rc invitation_open(struct tx *tx, struct str token, struct invitation_view *ret);

/* What is needed to accept. A caller who is logged in gives no e-mail, name or password. */
struct acceptance {
    uint64_t set;
    struct str token;
    struct str email;
    struct str name;
    struct str password; /* hashed by the caller of invitation_accept, outside of the tx */
    struct str language;
    struct str time_zone;
    struct party party; /* where the invitation founds one: over the prefilled values */
};
extern const struct schema acceptance_schema;

/* One use: user (unless logged in), party (unless joins), membership, mark as used; all or nothing.
 * Pointers are those of the body: "/party/bank/iban". RC_NOT_FOUND, RC_GONE, RC_INVALID;
 * RC_CONFLICT: the e-mail address has a user (log in first), or the user is a member already, or
 * the party is closed; RC_FORBIDDEN: a token without self:write. */
MUST_CHECK enum rc invitation_accept(struct tx *tx, const struct caller *who,
                                     const struct acceptance *acceptance, struct str password_hash,
                                     struct user *ret_user, struct party *ret_party);

/* First start: make the operator party (name, currency, country from the settings) and the first
 * invitation, unless there is an operator already; then *ret_link is empty, or the link anew while
 * nobody has accepted the first invitation yet. Seeds the roles. */
MUST_CHECK enum rc party_first_start(struct tx *tx, const struct party *operator_party,
                                     struct str base_url, struct str *ret_link);

#endif
