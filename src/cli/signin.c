#include "cli/signin.h"

#include "cli/body.h"
#include "cli/peek.h"
#include "cli/prompt.h"
#include "cli/text.h"

#include <unistd.h>

enum { HOST_NAME_MAX_BYTES = 64, SCOPES_MAX = 256, JSON_BYTES_MAX = 64 * 1024 };

struct browser_session {
    struct str cookie;
    struct str csrf;
    const struct json *user;
};

/* --- the session --- */

static struct str login_body_of(struct arena *arena, const struct credentials *c)
{
    struct buf b;
    buf_init(&b, arena, JSON_BYTES_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_object(&w);
    body_put(&w, "email", c->email);
    body_put(&w, "password", c->password);
    if (c->code.n > 0)
        body_put(&w, "code", c->code);
    json_end_object(&w);
    ASSERT(!b.full); /* what is typed is bounded by PROMPT_LINE_MAX */
    return buf_str(&b);
}

/* "name=value" of the Set-Cookie header: all that goes back. */
static struct str cookie_of(const struct wire_reply *reply)
{
    struct str rest = wire_header(reply, "set-cookie");
    return str_trim(str_cut(&rest, ';'));
}

static enum rc start_session(const struct server *s, const struct credentials *c,
                             struct browser_session *ret)
{
    struct run *run = s->run;
    struct str body = login_body_of(run->arena, c);
    TRY(body_check(routes[ROUTE_session_create].body, false, body, run->arena, run->err));
    struct ask ask = {.method = HTTP_POST,
                      .path = str_c(routes[ROUTE_session_create].path),
                      .body = body,
                      .anonymous = true,
                      .once = true};
    struct wire_reply reply = {0};
    TRY(server_call(s, &ask, &reply));
    const struct json *answer = NULL;
    struct browser_session session = {.cookie = cookie_of(&reply)};
    if (json_parse(reply.body, run->arena, &answer, run->err) == RC_OK) {
        session.csrf = peek_text(answer, "csrf");
        session.user = json_type(answer) == JSON_OBJECT ? json_get(answer, STR("user")) : NULL;
    }
    if (session.cookie.n == 0 || session.csrf.n == 0)
        return err_set(run->err, RC_REMOTE, "%.*s answered no session: is that a Hanse server?",
                       STRF(s->url));
    *ret = session;
    return RC_OK;
}

/* A code is asked for where the server says that it wants one. */
static enum rc start_with_code(const struct server *s, struct credentials *c,
                               struct browser_session *ret)
{
    struct run *run = s->run;
    enum rc rc = start_session(s, c, ret);
    bool wants_code = c->code.n == 0 && str_eq(err_pointer(run->err), STR("/code")) &&
                      (rc == RC_UNAUTHENTICATED || rc == RC_INVALID);
    if (rc == RC_OK || !wants_code)
        return rc;
    err_clear(run->err);
    run->more = STR("");
    TRY(prompt_line(run->cli, "Code of the second factor", STR(""), run->arena, &c->code,
                    run->err));
    return start_session(s, c, ret);
}

/* --- the token --- */

struct scopes {
    struct str items[SCOPES_MAX];
    size_t count;
};

static void add_scope(struct scopes *all, struct str scope)
{
    for (size_t i = 0; i < all->count; i++)
        if (str_eq(all->items[i], scope))
            return;
    if (all->count < SCOPES_MAX)
        all->items[all->count++] = scope;
}

static bool has_role(const struct json *user, struct str role)
{
    const struct json *memberships = peek_array(user, "memberships");
    const struct json *m = memberships != NULL ? json_first(memberships) : NULL;
    for (; m != NULL; m = json_next(memberships, m))
        if (str_eq(peek_text(m, "role"), role))
            return true;
    return false;
}

/* All that the user's roles allow, and the user's own things. */
static enum rc find_scopes(const struct server *s, const struct browser_session *session,
                           struct scopes *ret)
{
    struct ask ask = {
        .method = HTTP_GET, .path = str_c(routes[ROUTE_role_list].path), .cookie = session->cookie};
    const struct json *answer = NULL;
    TRY(server_json(s, &ask, &answer));
    ret->count = 0;
    add_scope(ret, STR("self:read"));
    add_scope(ret, STR("self:write"));
    const struct json *roles = peek_array(answer, "items");
    const struct json *role = roles != NULL ? json_first(roles) : NULL;
    for (; role != NULL; role = json_next(roles, role)) {
        const struct json *permissions = peek_array(role, "permissions");
        if (permissions == NULL || !has_role(session->user, peek_text(role, "id")))
            continue;
        for (const struct json *p = json_first(permissions); p != NULL;
             p = json_next(permissions, p))
            if (json_type(p) == JSON_STRING)
                add_scope(ret, json_text(p));
    }
    return RC_OK;
}

static struct str token_body_of(struct run *run, const struct scopes *scopes, time_us ends)
{
    char host[HOST_NAME_MAX_BYTES + 1] = "";
    if (gethostname(host, sizeof(host) - 1) != 0 || !str_is_utf8(str_c(host)))
        host[0] = '\0';
    char text[TIME_TEXT_MAX];
    size_t n = time_format(ends, text);
    struct buf b;
    buf_init(&b, run->arena, JSON_BYTES_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_object(&w);
    body_put(&w, "name",
             arena_fmt(run->arena, "hanse on %s", host[0] != '\0' ? host : "a computer"));
    json_put_key(&w, STR("scopes"));
    json_begin_array(&w);
    for (size_t i = 0; i < scopes->count; i++)
        json_put_str(&w, scopes->items[i]);
    json_end_array(&w);
    body_put(&w, "ends", str_n(text, n));
    json_end_object(&w);
    ASSERT(!b.full); /* SCOPES_MAX short words */
    return buf_str(&b);
}

static enum rc make_token(const struct server *s, const struct browser_session *session,
                          struct profile *p)
{
    struct run *run = s->run;
    struct scopes *scopes = NEW(run->arena, struct scopes);
    TRY(find_scopes(s, session, scopes));
    /* Whole seconds: they are shown to people. */
    time_us now = clock_now(run->cli->clock);
    p->ends = now - now % US_PER_SECOND + SIGNIN_TOKEN_DAYS * US_PER_DAY;
    struct ask ask = {.method = HTTP_POST,
                      .path = str_c(routes[ROUTE_token_create].path),
                      .body = token_body_of(run, scopes, p->ends),
                      .cookie = session->cookie,
                      .csrf = session->csrf};
    const struct json *token = NULL;
    TRY(server_json(s, &ask, &token));
    p->token_id = peek_text(token, "id");
    p->token = peek_text(token, "secret");
    if (p->token.n == 0 || p->token_id.n == 0)
        return err_set(run->err, RC_REMOTE, "the server made no token");
    return RC_OK;
}

/* Tidy up on the server. What fails is left to end by itself: what was asked for is done, or has
 * failed for another reason that is told. */
static void forget(const struct server *s, const struct browser_session *session, struct str path)
{
    struct run *run = s->run;
    struct err kept = *run->err;
    struct str more = run->more;
    struct ask ask = {.method = HTTP_DELETE,
                      .path = path,
                      .cookie = session->cookie,
                      .csrf = session->csrf,
                      .once = true};
    struct wire_reply reply = {0};
    if (server_call(s, &ask, &reply) != RC_OK) {
        *run->err = kept;
        run->more = more;
    }
}

/* The token that the profile held for this server until now: nobody would use it again. */
static enum rc forget_old(const struct server *s, const struct browser_session *session,
                          struct str profile_name)
{
    struct profiles all = {0};
    TRY(profiles_read(s->run->cli, s->run->arena, &all, s->run->err));
    const struct profile *old = profiles_find(&all, profile_name);
    if (old != NULL && old->token_id.n > 0 && str_eq(old->url, s->url))
        forget(s, session,
               arena_fmt(s->run->arena, "%s/%.*s", routes[ROUTE_token_create].path,
                         STRF(old->token_id)));
    return RC_OK;
}

enum rc signin(const struct server *s, struct credentials *c, struct str profile_name)
{
    struct run *run = s->run;
    struct browser_session session = {{0}, {0}, NULL};
    TRY(start_with_code(s, c, &session));
    struct profile p = {.name = profile_name, .url = s->url, .user = c->email};
    enum rc rc = make_token(s, &session, &p);
    if (rc == RC_OK)
        rc = forget_old(s, &session, profile_name);
    forget(s, &session, str_c(routes[ROUTE_session_delete].path));
    TRY(rc);
    TRY(profiles_put(run->cli, run->arena, &p, run->err));
    struct str user = text_plain(run->arena, peek_text(session.user, "name"));
    fprintf(run->cli->out, "logged in to %.*s as %.*s%s%.*s%s; profile '%.*s'\n", STRF(s->url),
            STRF(c->email), user.n > 0 ? " (" : "", STRF(user), user.n > 0 ? ")" : "",
            STRF(profile_name));
    return RC_OK;
}

/* --- where --- */

enum rc signin_name(const struct server *s, struct str *ret)
{
    struct run *run = s->run;
    struct str name = args_get(&run->args, "profile");
    if (name.n == 0)
        name = cli_env(run->cli, "HANSE_PROFILE");
    if (name.n > 0 && !profile_name_ok(name))
        return err_set(run->err, RC_SYNTAX,
                       "'%.*s' is no name for a profile: letters, digits, '-', '_' and '.', at "
                       "most %d",
                       STRF(text_plain(run->arena, name)), PROFILE_NAME_MAX);
    struct profiles all = {0};
    TRY(profiles_read(run->cli, run->arena, &all, run->err));
    const struct profile *items = all.list.items;
    for (size_t i = 0; i < all.list.count && name.n == 0; i++)
        if (str_eq(items[i].url, s->url))
            name = items[i].name;
    if (name.n == 0 && profiles_find(&all, STR(PROFILE_DEFAULT)) == NULL)
        name = STR(PROFILE_DEFAULT);
    if (name.n == 0) {
        size_t at = str_find(s->url, ':', 0);
        struct str host = str_sub(s->url, min_size(at + 3, s->url.n), s->url.n);
        host = str_sub(host, 0, min_size(str_find(host, '/', 0), PROFILE_NAME_MAX));
        char *p = arena_bytes(run->arena, host.n + 1);
        for (size_t i = 0; i < host.n; i++)
            p[i] = profile_name_ok(str_n(host.p + i, 1)) ? host.p[i] : '_';
        name = str_n(p, host.n);
    }
    *ret = profile_name_ok(name) ? name : STR("server");
    return RC_OK;
}

enum rc signin_check_way(const struct server *s)
{
    if (!server_is_open(s->url) || args_has(&s->run->args, "allow-http"))
        return RC_OK;
    return err_set(s->run->err, RC_INVALID,
                   "%.*s is not encrypted: others could read your password; use https://, or say "
                   "--allow-http",
                   STRF(s->url));
}
