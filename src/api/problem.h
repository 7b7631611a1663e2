/*
 * problem.h - failures as problem+json (RFC 9457).
 *
 *     {"type":"/problems/invalid","title":"A value breaks a rule","status":422,"detail":"...",
 *      "instance":"/v1/parties","request_id":"...",
 *      "errors":[{"pointer":"#/address/country","code":"invalid","detail":"..."}]}
 *
 * "type" is relative to the address that was asked, as RFC 9457 (3.1.1) allows; there is a page
 * that explains it (GET /problems/{slug}). 403 says "missing_permission", and "prove" where the
 * password is wanted again. What was wrong in the address is "parameter" in place of "pointer".
 */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "api/inside.h"

/* The body, from r->call.err. */
struct str problem_json(struct request *r, enum rc rc);
/* WWW-Authenticate, Retry-After, Allow: what a failure must say besides. */
void problem_headers(struct request *r, enum rc rc);

#endif
