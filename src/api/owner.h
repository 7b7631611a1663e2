/*
 * owner.h - whose a thing is: the one table that authorisation looks ids up in.
 *
 * Every id that a route takes as {id} belongs to a party, its owner; what two parties share (an
 * agreement, an invoice) has another side as well. A kind of id that is not in the table is
 * nobody's, and so is refused.
 */
#ifndef API_OWNER_H
#define API_OWNER_H

#include "store/store.h"

struct owners {
    struct str owner; /* who made it: the seller of an agreement, the issuer of an invoice */
    struct str other; /* the other side, or empty */
    struct str guard; /* who may do what the owner may: the operator; or empty */
};

/* RC_NOT_FOUND: no such thing, or no kind of thing that is known here. */
MUST_CHECK enum rc owners_of(struct tx *tx, struct str id, struct owners *ret);

#endif
