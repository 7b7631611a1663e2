/*
 * signin.h - from a password to a token in a profile.
 *
 * The password makes a session, the session makes a token, the session is ended. What stays on
 * this machine is the token alone: it ends by itself after SIGNIN_TOKEN_DAYS, and can be revoked
 * without changing the password.
 */
#ifndef CLI_SIGNIN_H
#define CLI_SIGNIN_H

#include "cli/server.h"

enum { SIGNIN_TOKEN_DAYS = 90 };

struct credentials {
    struct str email;
    struct str password;
    struct str code; /* of the second factor; empty: asked for where the server wants one */
};

/* Log in, keep the profile, make it the current one, and say so. Fails as the server says, or as
 * profiles_put. */
MUST_CHECK enum rc signin(const struct server *s, struct credentials *c, struct str profile_name);

/* The name for the profile: as asked for by --profile or HANSE_PROFILE, else that of the profile
 * for this server, else "default" where that is free, else the host. RC_SYNTAX: no such name can
 * be. */
MUST_CHECK enum rc signin_name(const struct server *s, struct str *ret);

/* RC_INVALID where the password could be read on its way, unless --allow-http was said. */
MUST_CHECK enum rc signin_check_way(const struct server *s);

#endif
