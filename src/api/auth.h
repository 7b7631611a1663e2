/*
 * auth.h - who asks, and whether they may: the two questions that every request answers before its
 * handler runs, in the same snapshot as the handler.
 */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/inside.h"

/* What the request carries: a bearer token, else a session cookie, else nothing.
 * RC_UNAUTHENTICATED: an Authorization header of another kind. */
MUST_CHECK enum rc auth_credential(struct request *r);

/* The session cookie: how it is set, and (secret empty) taken back. */
struct str auth_cookie(const struct api *a, struct str secret, struct arena *arena);

/* Host and port of a URL: what stands between "://" and the next slash; empty where there is none.
 * */
struct str auth_authority(struct str url);

/* Refuse what another site's page sent with our cookie: Sec-Fetch-Site and Origin, where the
 * browser says them, name this site. RC_FORBIDDEN. */
MUST_CHECK enum rc auth_origin(const struct request *r);

/* Find the caller; check X-CSRF. RC_UNAUTHENTICATED, RC_FORBIDDEN. */
MUST_CHECK enum rc auth_caller(struct request *r, struct tx *tx);

/* Decide by the route's access rule; sets call.owner. Denies unless a rule allows. */
MUST_CHECK enum rc auth_allow(struct request *r, struct tx *tx);

#endif
