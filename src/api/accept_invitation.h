/*
 * accept_invitation.h - accepting an invitation, shared by the API and the page for browsers.
 */
#ifndef API_ACCEPT_INVITATION_H
#define API_ACCEPT_INVITATION_H

#include "api/call.h"
#include "api/resources.h"

/* The last part of a link, or what was given where it is none. */
struct str invitation_token_of(struct str link);

/* For ROUTE_WORK: hash the password, accept, and let reply make the answer from *accepted, in the
 * same unit of work. Codes as invitation_accept and password_hash. */
MUST_CHECK enum rc invitation_take(struct call *c, const struct acceptance *acceptance,
                                   struct accepted *accepted, handler_fn reply);

#endif
