/*
 * session_routes.c - logging in and out, giving the password again, changing it.
 *
 * A password takes tens of milliseconds to check, by design, so these run on the work pool, between
 * short units of work: look up and count the try, check, then the effect.
 */
#include "api/auth.h"
#include "api/handlers.h"
#include "api/inside.h"
#include "api/resources.h"

/* What the steps hand on to one another. */
struct proof {
    struct str email; /* empty: the caller's own */
    struct str password;
    struct str code;
    struct str fresh_hash;
    struct login login;
};

static enum rc look_up(struct call *c)
{
    struct proof *p = c->steps;
    if (p->email.n == 0) {
        struct user user;
        TRY(user_get(c->tx, c->caller.user, &user));
        p->email = user.email;
    }
    return login_begin(c->tx, p->email, http_peer(c->x), &p->login);
}

/* Whose account it is sees that somebody tried. */
static enum rc book_failure(struct call *c)
{
    const struct proof *p = c->steps;
    if (p->login.user.n > 0) {
        struct audit entry = {.user = p->login.user,
                              .action = STR("login_failed"),
                              .subject = p->login.user,
                              .address = http_peer(c->x),
                              .request = http_request_id(c->x)};
        TRY(audit_put(c->tx, &entry));
    }
    return login_failed(c->tx, p->email, http_peer(c->x));
}

/* *ret_right: the password is that user's. A failure is on record either way: login_begin counted
 * the try, and login_succeeded has to take it back. */
static enum rc check_password(struct call *c, struct proof *p, bool *ret_right)
{
    c->steps = p;
    TRY(call_book(c, look_up));
    bool right = password_verify(p->password, p->login.hash);
    if (!right)
        TRY(call_book(c, book_failure));
    *ret_right = right;
    return RC_OK;
}

/* --- POST /v1/session --- */

static enum rc log_in(struct call *c)
{
    const struct proof *p = c->steps;
    struct str peer = http_peer(c->x);
    struct session_start start = {.set = schema_all(&session_start_schema)};
    struct str secret;
    if (p->login.totp)
        TRY(totp_check(c->tx, api_seal(c->api), p->login.user, p->code, false));
    TRY(login_succeeded(c->tx, &p->login, p->email, peer));
    TRY(session_create(c->tx, p->login.user, peer, http_header(c->x, "User-Agent"), &secret,
                       &start.csrf));
    TRY(user_get(c->tx, p->login.user, &start.user));
    c->note.user = p->login.user;
    c->note.subject = p->login.user;
    call_location(c, str_c(c->route->path));
    call_header(c, "Set-Cookie", auth_cookie(c->api, secret, c->arena));
    return call_reply(c, &start);
}

enum rc session_create_handler(struct call *c)
{
    const struct login_body *body = c->body;
    struct proof p = {.email = body->email, .password = body->password, .code = body->code};
    bool right = false;
    TRY(check_password(c, &p, &right));
    if (!right)
        return err_set(c->err, RC_UNAUTHENTICATED, "the e-mail address or the password is wrong");
    if (p.login.totp && p.code.n == 0)
        return err_set_at(c->err, RC_UNAUTHENTICATED, STR("/code"),
                          "give the code of your second factor too");
    enum rc rc = call_write(c, log_in);
    if (rc != RC_INVALID)
        return rc;
    TRY(call_book(c, book_failure));
    return err_set_at(c->err, RC_UNAUTHENTICATED, STR("/code"),
                      "the code of the second factor is wrong, or was used already");
}

enum rc session_get_handler(struct call *c)
{
    if (c->caller.kind != CALLER_SESSION)
        return err_set(c->err, RC_NOT_FOUND, "a token is no session");
    struct session_start start = {.set = schema_all(&session_start_schema), .csrf = c->caller.csrf};
    TRY(user_get(c->tx, c->caller.user, &start.user));
    return call_reply(c, &start);
}

enum rc session_delete_handler(struct call *c)
{
    if (c->caller.kind != CALLER_SESSION)
        return err_set(c->err, RC_NOT_FOUND, "a token is no session: delete the token instead");
    TRY(session_end(c->tx, c->caller.user, c->caller.session));
    c->note.subject = c->caller.session;
    call_header(c, "Set-Cookie", auth_cookie(c->api, STR(""), c->arena));
    return call_reply_nothing(c);
}

/* --- POST /v1/session/actions/prove --- */

static enum rc prove(struct call *c)
{
    const struct proof *p = c->steps;
    TRY(login_succeeded(c->tx, &p->login, p->email, http_peer(c->x)));
    TRY(session_prove(c->tx, c->caller.session));
    c->note.subject = c->caller.session;
    return call_reply_nothing(c);
}

static enum rc wrong_password(struct call *c)
{
    return err_set_at(c->err, RC_INVALID, STR("/password"), "that is not your password");
}

/* Do it if the body holds the user's password. then calls login_succeeded first. */
static enum rc with_password(struct call *c, handler_fn then)
{
    const struct prove_body *body = c->body;
    struct proof p = {.password = body->password};
    bool right = false;
    TRY(check_password(c, &p, &right));
    return right ? call_write(c, then) : wrong_password(c);
}

enum rc session_prove_handler(struct call *c)
{
    if (c->caller.kind != CALLER_SESSION)
        return err_set(c->err, RC_CONFLICT, "a token has nothing to prove");
    return with_password(c, prove);
}

/* --- /v1/me/totp: a stolen token must not take the second factor away --- */

static enum rc begin_totp(struct call *c)
{
    const struct proof *p = c->steps;
    struct totp totp = {.set = schema_all(&totp_schema)};
    TRY(login_succeeded(c->tx, &p->login, p->email, http_peer(c->x)));
    TRY(totp_begin(c->tx, api_seal(c->api), c->caller.user, &totp.secret, &totp.uri));
    c->note.subject = c->caller.user;
    call_location(c, str_c(c->route->path));
    return call_reply(c, &totp);
}

enum rc totp_begin_handler(struct call *c)
{
    return with_password(c, begin_totp);
}

static enum rc remove_totp(struct call *c)
{
    const struct proof *p = c->steps;
    TRY(login_succeeded(c->tx, &p->login, p->email, http_peer(c->x)));
    TRY(totp_remove(c->tx, c->caller.user));
    c->note.subject = c->caller.user;
    return call_reply_nothing(c);
}

enum rc totp_delete_handler(struct call *c)
{
    return with_password(c, remove_totp);
}

/* --- POST /v1/me/actions/change-password --- */

static enum rc set_password(struct call *c)
{
    const struct proof *p = c->steps;
    struct str user = c->caller.user;
    TRY(login_succeeded(c->tx, &p->login, p->email, http_peer(c->x)));
    TRY(user_set_password(c->tx, user, p->fresh_hash));
    TRY(session_end_others(c->tx, user, c->caller.session));
    c->note.subject = user;
    return call_reply_nothing(c);
}

enum rc password_change_handler(struct call *c)
{
    const struct password_change *body = c->body;
    struct proof p = {.password = body->password};
    bool right = false;
    TRY(check_password(c, &p, &right));
    if (!right)
        return wrong_password(c);
    enum rc rc = password_hash(body->fresh, c->arena, &p.fresh_hash, c->err);
    if (rc != RC_OK) {
        err_at(c->err, STR("/fresh"));
        return rc;
    }
    return call_write(c, set_password);
}
