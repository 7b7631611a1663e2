/*
 * member.h - memberships as the rest of this folder uses them; what the API calls is in user.h.
 */
#ifndef PARTY_MEMBER_H
#define PARTY_MEMBER_H

#include "party/user.h"

enum { MEMBERS_MAX = 2000, MEMBERSHIPS_MAX = 1000 }; /* of one party, of one user */

/* Give the user the role for the party. RC_CONFLICT: has it already, or there are too many. Writes
 * event.member.added. */
MUST_CHECK enum rc member_add(struct tx *tx, struct str party, struct str user, struct str role);
/* RC_CONFLICT where the party is closed, RC_NOT_FOUND where there is none. */
MUST_CHECK enum rc member_check_open(struct tx *tx, struct str party);

#endif
