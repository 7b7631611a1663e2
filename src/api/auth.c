#include "api/auth.h"

#include "api/owner.h"
#include "api/resources.h"
#include "fleet/node.h"
#include "profile/signature.h"

enum { SECRET_MAX = 256, COOKIE_AGE_S = SESSION_MAX_US / US_PER_SECOND };

/* --- what the request carries --- */

static struct str cookie_name(const struct api *a)
{
    return a->options.plain_cookie ? STR("sid") : STR("__Host-sid");
}

static struct str cookie_find(struct str header, struct str name)
{
    while (header.n > 0) {
        struct str value = str_trim(str_cut(&header, ';'));
        struct str key = str_cut(&value, '=');
        if (str_eq(key, name))
            return value;
    }
    return STR("");
}

/* A node's requests say who it is and are signed; its name counts them against the limits. */
static bool node_credential(struct request *r)
{
    struct http_exchange *x = r->call.x;
    if (!http_has_header(x, "Hanse-Signature"))
        return false;
    struct str node = http_header(x, "Hanse-Node");
    r->credential = (struct credential){CREDENTIAL_NODE,
                                        node.n <= SECRET_MAX ? node : str_sub(node, 0, SECRET_MAX)};
    return true;
}

enum rc auth_credential(struct request *r)
{
    struct http_exchange *x = r->call.x;
    if (node_credential(r))
        return RC_OK;
    struct str header = http_header(x, "Authorization");
    if (header.n > 0) {
        struct str scheme = str_cut(&header, ' ');
        struct str secret = str_trim(header);
        if (!str_eq_nocase(scheme, STR("Bearer")) || secret.n == 0 || secret.n > SECRET_MAX)
            return err_set(r->call.err, RC_UNAUTHENTICATED,
                           "the Authorization header wants \"Bearer\" and a token");
        r->credential = (struct credential){CREDENTIAL_TOKEN, secret};
        return RC_OK;
    }
    struct str secret = cookie_find(http_header(x, "Cookie"), cookie_name(r->call.api));
    if (secret.n > 0 && secret.n <= SECRET_MAX)
        r->credential = (struct credential){CREDENTIAL_COOKIE, secret};
    return RC_OK;
}

struct str auth_cookie(const struct api *a, struct str secret, struct arena *arena)
{
    struct str name = cookie_name(a);
    return arena_fmt(arena, "%.*s=%.*s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%d%s", STRF(name),
                     STRF(secret), secret.n > 0 ? (int)COOKIE_AGE_S : 0,
                     a->options.plain_cookie ? "" : "; Secure");
}

/* --- from which site --- */

struct str auth_authority(struct str url)
{
    for (size_t i = 0; i + 2 < url.n; i++)
        if (memcmp(url.p + i, "://", 3) == 0) {
            struct str rest = str_sub(url, i + 3, url.n);
            return str_cut(&rest, '/');
        }
    return STR("");
}

enum rc auth_origin(const struct request *r)
{
    const struct call *c = &r->call;
    struct str site = http_header(c->x, "Sec-Fetch-Site");
    bool own = site.n == 0 || str_eq(site, STR("same-origin")) || str_eq(site, STR("none"));
    struct str origin = http_header(c->x, "Origin");
    if (own && origin.n > 0) {
        struct str authority = auth_authority(origin);
        own = authority.n > 0 &&
              (str_eq_nocase(authority, http_header(c->x, "Host")) ||
               str_eq_nocase(authority, auth_authority(c->api->options.public_url)));
    }
    if (!own)
        return err_set(c->err, RC_FORBIDDEN, "this request was sent from a page of another site");
    return RC_OK;
}

/* --- who --- */

static enum rc check_csrf(struct request *r)
{
    struct call *c = &r->call;
    if (!r->unsafe)
        return RC_OK;
    struct str said = http_header(c->x, "X-CSRF");
    ASSERT(c->caller.csrf.n > 0);
    if (str_eq_secret(said, c->caller.csrf))
        return RC_OK;
    if (c->route->access == ACCESS_PUBLIC) {
        /* Open to everyone: the cookie is not used, so it cannot be misused. */
        c->caller = (struct caller){.kind = CALLER_NOBODY};
        return RC_OK;
    }
    return err_set(c->err, RC_FORBIDDEN,
                   "the X-CSRF header is not the value that the session was given");
}

/* Ask the store, unless it was asked in this very state of it a moment ago. */
static enum rc find_caller(struct request *r, struct tx *tx)
{
    struct call *c = &r->call;
    struct api *a = c->api;
    bool kept = a->read_inline && !tx->writing;
    struct str secret = r->credential.secret;
    if (kept && callers_find(a->callers, secret, r->commits, c->arena, &c->caller))
        return RC_OK;
    if (r->credential.kind == CREDENTIAL_TOKEN)
        TRY(token_find(tx, secret, &c->caller, &r->stale));
    else
        TRY(session_find(tx, secret, &c->caller, &r->stale));
    if (kept && !r->stale && c->caller.kind != CALLER_NOBODY &&
        store_commits(a->store) == r->commits)
        callers_keep(a->callers, secret, r->commits, &c->caller);
    return RC_OK;
}

/* The signature over method, target, time, node and body, by the key it enrolled with. */
static enum rc find_node(struct request *r, struct tx *tx)
{
    struct call *c = &r->call;
    struct node_key key;
    struct signature_request signed_request = {.method = http_method_name(c->x),
                                               .target = http_target(c->x),
                                               .node = r->credential.secret,
                                               .body = http_body(c->x)};
    if (!str_to_i64(http_header(c->x, "Hanse-Time"), 0, INT64_MAX, &signed_request.time))
        return err_set(c->err, RC_UNAUTHENTICATED, "Hanse-Time wants microseconds since 1970");
    TRY(node_key(tx, r->credential.secret, &key));
    TRY(signature_check(&signed_request, http_header(c->x, "Hanse-Signature"), key.bytes,
                        clock_now(c->api->options.clock), c->arena, c->err));
    c->caller = (struct caller){.kind = CALLER_NODE, .node = r->credential.secret};
    return RC_OK;
}

enum rc auth_caller(struct request *r, struct tx *tx)
{
    struct call *c = &r->call;
    c->caller = (struct caller){.kind = CALLER_NOBODY};
    r->stale = false;
    if (r->credential.kind == CREDENTIAL_NONE)
        return RC_OK;
    if (r->credential.kind == CREDENTIAL_NODE)
        return find_node(r, tx);
    TRY(find_caller(r, tx));
    if (c->caller.kind == CALLER_SESSION)
        return check_csrf(r);
    if (c->caller.kind == CALLER_NOBODY && r->credential.kind == CREDENTIAL_TOKEN)
        return err_set(c->err, RC_UNAUTHENTICATED,
                       "this token is unknown, has ended or was revoked");
    return RC_OK;
}

/* --- whether --- */

/* What a closed party keeps its members from. */
static enum rc check_open(struct request *r, struct tx *tx)
{
    struct call *c = &r->call;
    bool changes = c->route->kind == ROUTE_WRITE || c->route->kind == ROUTE_WORK;
    if (!changes || c->route == &routes[ROUTE_party_reopen] ||
        c->route == &routes[ROUTE_party_close])
        return RC_OK;
    struct party party;
    TRY(party_get(tx, c->owner, &party));
    if (party.state == PARTY_CLOSED)
        return err_set(c->err, RC_CONFLICT, "'%.*s' is closed: reopen it first", STRF(party.name));
    return RC_OK;
}

/* One side of what is named: the caller may act for it, or not. */
static enum rc allow_side(struct request *r, struct tx *tx, struct str party)
{
    struct call *c = &r->call;
    c->owner = party;
    if (c->route->access == ACCESS_SPONSOR)
        return permission_allow_sponsor(tx, &c->caller, c->route->permission, party);
    return permission_allow(tx, &c->caller, c->route->permission, party);
}

/* Of any of these sides. Who is near one is told what is missing there, and nothing of the others.
 */
static enum rc allow_any(struct request *r, struct tx *tx, const struct str *sides, size_t count)
{
    enum rc said = RC_NOT_FOUND;
    struct err first = *tx->err;
    for (size_t i = 0; i < count; i++) {
        enum rc rc = sides[i].n > 0 ? allow_side(r, tx, sides[i]) : RC_NOT_FOUND;
        if (rc == RC_OK)
            return rc;
        if (said == RC_NOT_FOUND && rc != RC_NOT_FOUND) {
            said = rc;
            first = *tx->err;
        }
    }
    *tx->err = first;
    return said;
}

static enum rc allow_named(struct request *r, struct tx *tx, struct str named)
{
    enum route_access access = r->call.route->access;
    if (access == ACCESS_PARTY || access == ACCESS_SPONSOR)
        return id_is(named, "pty") ? allow_side(r, tx, named) : RC_NOT_FOUND;
    struct owners owners;
    TRY(owners_of(tx, named, &owners));
    const struct str sides[] = {
        access == ACCESS_OTHER ? STR("") : owners.owner,
        access == ACCESS_OWNER ? STR("") : owners.other,
        access == ACCESS_OTHER ? STR("") : owners.guard,
    };
    return allow_any(r, tx, sides, COUNT(sides));
}

static enum rc allow_owner(struct request *r, struct tx *tx, struct str named)
{
    struct call *c = &r->call;
    if (c->caller.kind == CALLER_NOBODY)
        return err_set(c->err, RC_UNAUTHENTICATED, "log in, or send a token");
    enum rc rc = allow_named(r, tx, named);
    if (rc == RC_NOT_FOUND) /* one text for what is missing and for what is somebody else's */
        return err_set(c->err, RC_NOT_FOUND, "there is no '%.*s', or it is not for you",
                       STRF(named));
    return rc == RC_OK ? check_open(r, tx) : rc;
}

static enum rc allow_by_rule(struct request *r, struct tx *tx)
{
    struct call *c = &r->call;
    const struct route *route = c->route;
    switch (route->access) {
    case ACCESS_PUBLIC:
        return RC_OK;
    case ACCESS_SELF:
        return permission_allow_self(tx, &c->caller, route->permission);
    case ACCESS_NODE:
        return permission_allow_node(tx, &c->caller);
    case ACCESS_SOME:
        return permission_allow_some(tx, &c->caller, route->permission);
    case ACCESS_PARTY:
    case ACCESS_SPONSOR: {
        int party = c->api->facts[route - routes].party;
        ASSERT(party >= 0);
        return allow_owner(r, tx, c->params[party]);
    }
    case ACCESS_OWNER:
    case ACCESS_OTHER:
    case ACCESS_EITHER:
        return allow_owner(r, tx, c->params[0]);
    }
    NEVER("every access rule was decided");
}

static enum rc check_proved(struct request *r, struct tx *tx)
{
    struct call *c = &r->call;
    if (!(c->route->flags & ROUTE_PROVED) || c->caller.kind != CALLER_SESSION ||
        tx->now - c->caller.proved <= SESSION_PROVED_US)
        return RC_OK;
    r->prove = true;
    return err_set(c->err, RC_FORBIDDEN, "give your password again before this step");
}

enum rc auth_allow(struct request *r, struct tx *tx)
{
    struct call *c = &r->call;
    c->owner = STR("");
    r->allowed = false;
    r->prove = false;
    r->missing = PERM_NONE;
    enum rc rc = allow_by_rule(r, tx);
    if (rc == RC_FORBIDDEN)
        r->missing = c->route->permission;
    TRY(rc);
    TRY(check_proved(r, tx));
    r->allowed = true;
    return RC_OK;
}
