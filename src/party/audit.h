/*
 * audit.h - who did what, to what, from where, with the state before and after. Append-only: there
 * is no function that changes or deletes.
 */
#ifndef PARTY_AUDIT_H
#define PARTY_AUDIT_H

#include "party/permission.h"
#include "store/page.h"

struct audit {
    uint64_t set;
    struct str id; /* "aud_..." */
    time_us at;
    struct str user;
    struct str token;
    struct str party;   /* whose log it is in; empty: the user's own matters */
    struct str action;  /* operation: "party_change" */
    struct str subject; /* id of what was acted on */
    struct str before;  /* JSON object, secrets left out; empty where created */
    struct str after;   /* JSON object; empty where deleted */
    struct str address;
    struct str request;
};
extern const struct schema audit_schema;

struct audit_query {
    uint64_t set;
    struct page_query page;
    struct str subject;
    struct str action;
    struct str user;
    time_us since;
    time_us until;
};
extern const struct schema audit_query_schema;

/* id and at are filled in. */
MUST_CHECK enum rc audit_put(struct tx *tx, const struct audit *entry);
MUST_CHECK enum rc audit_list(struct tx *tx, struct str party, const struct audit_query *q,
                              struct page *ret);
/* The user's own matters, in no party's log: logins and wrong ones, passwords, tokens. */
MUST_CHECK enum rc audit_list_own(struct tx *tx, struct str user, const struct audit_query *q,
                                  struct page *ret);

#endif
