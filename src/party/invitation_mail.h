/*
 * invitation_mail.h - the mail that brings an invitation's link, in the language of the invited.
 */
#ifndef PARTY_INVITATION_MAIL_H
#define PARTY_INVITATION_MAIL_H

#include "party/invitation.h"

struct invitation_mail {
    struct str to;
    struct str language; /* "fr..." is French, all others English */
    struct str inviter;  /* name of the user, may be empty */
    struct str party;    /* name of the party that invites */
    struct str role;
    bool joins;
    struct str message; /* may be empty */
    struct str link;
    time_us ends;
};

/* Writes the outbox row "mail" {"to","subject","text","from"}; sender and last lines are of the
 * party's brand; from is empty where the brand has no sender. */
MUST_CHECK enum rc invitation_mail_put(struct tx *tx, struct str party,
                                       const struct invitation_mail *mail);

#endif
