/*
 * login.c - log in, accept an invitation, log out: what makes and forgets the token of a profile.
 *
 * The password makes a session, the session makes a token, the session is ended. What stays on
 * this machine is the token alone; it can be revoked without changing the password.
 */
#include "cli/body.h"
#include "cli/builtin.h"
#include "cli/errand.h"
#include "cli/prompt.h"
#include "cli/show.h"
#include "cli/text.h"

#include <unistd.h>

enum { TOKEN_DAYS = 90, HOST_NAME_MAX_BYTES = 64, SCOPES_MAX = 256, JSON_BYTES_MAX = 64 * 1024 };

struct credentials {
    struct str email;
    struct str password;
    struct str code; /* empty: none yet */
};

struct browser_session {
    struct str cookie;
    struct str csrf;
    const struct json *user;
};

/* --- JSON that is small and known --- */

static struct str member_text(const struct json *object, const char *key)
{
    if (object == NULL || json_type(object) != JSON_OBJECT)
        return STR("");
    const struct json *value = json_get(object, str_c(key));
    return value != NULL && json_type(value) == JSON_STRING ? json_text(value) : STR("");
}

static const struct json *member_array(const struct json *object, const char *key)
{
    if (object == NULL || json_type(object) != JSON_OBJECT)
        return NULL;
    const struct json *value = json_get(object, str_c(key));
    return value != NULL && json_type(value) == JSON_ARRAY ? value : NULL;
}

static void put_text(struct json_writer *w, const char *key, struct str value)
{
    json_put_key(w, str_c(key));
    json_put_str(w, value);
}

/* --- the session --- */

static struct str login_body_of(struct arena *arena, const struct credentials *c)
{
    struct buf b;
    buf_init(&b, arena, JSON_BYTES_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_object(&w);
    put_text(&w, "email", c->email);
    put_text(&w, "password", c->password);
    if (c->code.n > 0)
        put_text(&w, "code", c->code);
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
        session.csrf = member_text(answer, "csrf");
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
    const struct json *memberships = member_array(user, "memberships");
    const struct json *m = memberships != NULL ? json_first(memberships) : NULL;
    for (; m != NULL; m = json_next(memberships, m))
        if (str_eq(member_text(m, "role"), role))
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
    const struct json *roles = member_array(answer, "items");
    const struct json *role = roles != NULL ? json_first(roles) : NULL;
    for (; role != NULL; role = json_next(roles, role)) {
        const struct json *permissions = member_array(role, "permissions");
        if (permissions == NULL || !has_role(session->user, member_text(role, "id")))
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
    put_text(&w, "name",
             arena_fmt(run->arena, "hanse on %s", host[0] != '\0' ? host : "a computer"));
    json_put_key(&w, STR("scopes"));
    json_begin_array(&w);
    for (size_t i = 0; i < scopes->count; i++)
        json_put_str(&w, scopes->items[i]);
    json_end_array(&w);
    put_text(&w, "ends", str_n(text, n));
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
    p->ends = now - now % US_PER_SECOND + TOKEN_DAYS * US_PER_DAY;
    struct ask ask = {.method = HTTP_POST,
                      .path = str_c(routes[ROUTE_token_create].path),
                      .body = token_body_of(run, scopes, p->ends),
                      .cookie = session->cookie,
                      .csrf = session->csrf};
    const struct json *token = NULL;
    TRY(server_json(s, &ask, &token));
    p->token_id = member_text(token, "id");
    p->token = member_text(token, "secret");
    if (p->token.n == 0 || p->token_id.n == 0)
        return err_set(run->err, RC_REMOTE, "the server made no token");
    return RC_OK;
}

/* Session, token, end of the session, profile. */
static enum rc login_with(struct server *s, struct credentials *c, struct str profile_name)
{
    struct run *run = s->run;
    struct browser_session session = {{0}, {0}, NULL};
    TRY(start_with_code(s, c, &session));
    struct profile p = {.name = profile_name, .url = s->url, .user = c->email};
    enum rc rc = make_token(s, &session, &p);

    struct err ignored = *run->err;
    struct str more = run->more;
    struct ask end = {.method = HTTP_DELETE,
                      .path = str_c(routes[ROUTE_session_delete].path),
                      .cookie = session.cookie,
                      .csrf = session.csrf,
                      .once = true};
    struct wire_reply reply = {0};
    if (server_call(s, &end, &reply) != RC_OK) {
        /* The session ends by itself; what went wrong before it is what matters. */
        *run->err = ignored;
        run->more = more;
    }
    TRY(rc);
    TRY(profiles_put(run->cli, run->arena, &p, run->err));
    struct str user = text_plain(run->arena, member_text(session.user, "name"));
    fprintf(run->cli->out, "logged in to %.*s as %.*s%s%.*s%s; profile '%.*s'\n", STRF(s->url),
            STRF(c->email), user.n > 0 ? " (" : "", STRF(user), user.n > 0 ? ")" : "",
            STRF(profile_name));
    return RC_OK;
}

/* --- where --- */

/* The name for the profile: as asked for, else that of the profile for this server, else "default"
 * where that is free, else the host. */
static enum rc name_profile(const struct server *s, struct str *ret)
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

static enum rc refuse_open(const struct server *s)
{
    if (!server_is_open(s->url) || args_has(&s->run->args, "allow-http"))
        return RC_OK;
    return err_set(s->run->err, RC_INVALID,
                   "%.*s is not encrypted: others could read your password; use https://, or say "
                   "--allow-http",
                   STRF(s->url));
}

/* The server that login means: the one named, that of the profile named, else the usual one. */
static enum rc choose_server(struct run *run, struct server *ret)
{
    struct server s = {.run = run};
    struct profiles all = {0};
    TRY(profiles_read(run->cli, run->arena, &all, run->err));
    struct str name = args_get(&run->args, "profile");
    if (name.n == 0)
        name = cli_env(run->cli, "HANSE_PROFILE");
    const struct profile *known = profiles_find(&all, name.n > 0 ? name : all.current);
    struct str url = run->args.word_count > 0 ? run->args.words[0] : args_get(&run->args, "server");
    if (url.n == 0)
        url = cli_env(run->cli, "HANSE_URL");
    if (url.n == 0)
        url = known != NULL ? known->url : STR(CLI_URL_DEFAULT);
    TRY(server_url(url, run->arena, &s.url, run->err));
    *ret = s;
    return refuse_open(&s);
}

static enum rc ask_password(struct run *run, struct str file, struct str *ret)
{
    if (file.n > 0)
        return prompt_secret_file(run->cli, file, run->arena, ret, run->err);
    return prompt_secret(run->cli, "Password", run->arena, ret, run->err);
}

enum rc builtin_login(struct run *run)
{
    struct server s = {0};
    TRY(choose_server(run, &s));
    struct str name = STR("");
    TRY(name_profile(&s, &name));
    struct credentials c = {.email = args_get(&run->args, "email"),
                            .code = args_get(&run->args, "code")};
    if (run->cli->in_terminal)
        fprintf(run->cli->err, "Logging in to %.*s\n", STRF(s.url));
    if (c.email.n == 0)
        TRY(prompt_line(run->cli, "E-mail", STR(""), run->arena, &c.email, run->err));
    TRY(ask_password(run, args_get(&run->args, "password-file"), &c.password));
    return login_with(&s, &c, name);
}

/* --- setup --- */

/* "https://cloud.example.net/invite/TOKEN" */
static enum rc split_link(struct run *run, struct str link, struct server *s, struct str *ret_token)
{
    static const char mark[] = "/invite/";
    size_t at = 0;
    while (at < link.n && !str_starts(str_sub(link, at, link.n), str_c(mark)))
        at++;
    if (at == link.n || link.n - at <= sizeof(mark) - 1)
        return err_set(run->err, RC_SYNTAX,
                       "that is no invitation link: it looks like https://HOST/invite/...");
    TRY(server_url(str_sub(link, 0, at), run->arena, &s->url, run->err));
    *ret_token = str_sub(link, at + sizeof(mark) - 1, link.n);
    return refuse_open(s);
}

static enum rc open_invitation(const struct server *s, struct str token, const struct json **ret)
{
    struct run *run = s->run;
    struct buf b;
    buf_init(&b, run->arena, JSON_BYTES_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_object(&w);
    put_text(&w, "token", token);
    json_end_object(&w);
    struct ask ask = {.method = HTTP_POST,
                      .path = str_c(routes[ROUTE_invitation_open].path),
                      .body = buf_str(&b),
                      .anonymous = true};
    TRY(body_check(routes[ROUTE_invitation_open].body, false, ask.body, run->arena, run->err));
    return server_json(s, &ask, ret);
}

/* Twice on a terminal, where it cannot be seen. */
static enum rc choose_password(struct run *run, struct str *ret)
{
    TRY(prompt_secret(run->cli, "Choose a password (12 characters or more)", run->arena, ret,
                      run->err));
    if (!run->cli->in_terminal)
        return RC_OK;
    struct str again = STR("");
    TRY(prompt_secret(run->cli, "The same again", run->arena, &again, run->err));
    if (!str_eq(*ret, again))
        return err_set(run->err, RC_INVALID, "the two passwords differ: try again");
    return RC_OK;
}

static struct str assigned(const struct assigns *a, const char *path)
{
    for (size_t i = 0; i < a->count; i++)
        if (str_eq(a->items[i].path, str_c(path)))
            return a->items[i].value;
    return STR("");
}

/* Ask for what the flags left open. */
static enum rc fill_in(struct run *run, const struct json *view, struct assigns *a)
{
    static const struct {
        const char *path, *question;
        const char *from; /* member of the view that is offered */
    } wanted[] = {{"name", "Your name", NULL}, {"email", "E-mail", "email"}};
    for (size_t i = 0; i < COUNT(wanted); i++) {
        struct str value = wanted[i].from != NULL ? member_text(view, wanted[i].from) : STR("");
        if (body_has(a, wanted[i].path))
            continue;
        TRY(prompt_line(run->cli, wanted[i].question, text_plain(run->arena, value), run->arena,
                        &value, run->err));
        body_add(a, wanted[i].path, value);
    }
    const struct json *joins = json_type(view) == JSON_OBJECT ? json_get(view, STR("joins")) : NULL;
    const struct json *prefill =
        json_type(view) == JSON_OBJECT ? json_get(view, STR("prefill")) : NULL;
    bool founds = joins != NULL && json_type(joins) == JSON_FALSE;
    if (founds && member_text(prefill, "name").n == 0 && !body_has(a, "party.name")) {
        struct str value = STR("");
        TRY(prompt_line(run->cli, "Name of your company (or your own)", STR(""), run->arena, &value,
                        run->err));
        body_add(a, "party.name", value);
    }
    if (!body_has(a, "password")) {
        struct str value = STR("");
        TRY(choose_password(run, &value));
        body_add(a, "password", value);
    }
    return RC_OK;
}

enum rc builtin_setup(struct run *run)
{
    struct server s = {.run = run};
    struct str link = run->args.word_count > 0 ? run->args.words[0] : STR("");
    if (link.n == 0)
        TRY(prompt_line(run->cli, "Invitation link", STR(""), run->arena, &link, run->err));
    struct str token = STR("");
    TRY(split_link(run, link, &s, &token));
    struct str name = STR("");
    TRY(name_profile(&s, &name));

    const struct json *view = NULL;
    TRY(open_invitation(&s, token, &view));
    if (view == NULL)
        return err_set(run->err, RC_REMOTE, "the server answered nothing about the invitation");
    bool json = args_has(&run->args, "json");
    if (!json) {
        show_object(run, routes[ROUTE_invitation_open].reply, view);
        show_str(run->cli->out, STR("\n"));
        (void)fflush(run->cli->out); /* before the questions; looked at again at the end */
    }

    struct assigns a = {0};
    const struct route *accept = &routes[ROUTE_invitation_accept];
    TRY(body_collect(run, 8, &a));
    TRY(fill_in(run, view, &a));
    body_add(&a, "token", token);
    struct ask ask = {.method = HTTP_POST, .path = str_c(accept->path), .anonymous = true};
    TRY(body_write(accept->body, &a, run->arena, &ask.body, run->err));
    TRY(body_check(accept->body, false, ask.body, run->arena, run->err));
    struct wire_reply reply = {0};
    TRY(server_call(&s, &ask, &reply));
    if (json)
        TRY(errand_show(run, accept, reply.body));

    struct credentials c = {.email = assigned(&a, "email"), .password = assigned(&a, "password")};
    return login_with(&s, &c, name);
}

/* --- logout and profiles --- */

enum rc builtin_logout(struct run *run)
{
    struct server s = {0};
    TRY(server_open(run, &s));
    if (s.profile.name.n == 0)
        return err_set(run->err, RC_UNAUTHENTICATED, "you are not logged in to %.*s", STRF(s.url));
    s.token = s.profile.token;
    struct ask ask = {.method = HTTP_DELETE,
                      .path = arena_fmt(run->arena, "%s/%.*s", routes[ROUTE_token_create].path,
                                        STRF(s.profile.token_id))};
    struct wire_reply reply = {0};
    enum rc rc = server_call(&s, &ask, &reply);
    bool gone = rc == RC_OK || rc == RC_UNAUTHENTICATED || rc == RC_NOT_FOUND;
    if (!gone && !args_has(&run->args, "forget")) {
        err_add(run->err, "the token is still valid, so it was kept (--forget drops it)");
        return rc_failed(rc);
    }
    run->more = STR("");
    TRY(profiles_remove(run->cli, run->arena, s.profile.name, run->err));
    fprintf(run->cli->out, "logged out of %.*s%s\n", STRF(s.url),
            gone ? "" : "; the server could not be told, so the token stays valid until it ends");
    return RC_OK;
}

/* With --json only what is not secret. */
static void list_json(struct run *run, const struct profiles *all)
{
    struct buf b;
    buf_init(&b, run->arena, PROFILES_FILE_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_array(&w);
    const struct profile *items = all->list.items;
    for (size_t i = 0; i < all->list.count; i++) {
        char ends[TIME_TEXT_MAX];
        json_begin_object(&w);
        put_text(&w, "name", items[i].name);
        put_text(&w, "url", items[i].url);
        put_text(&w, "user", items[i].user);
        put_text(&w, "ends", str_n(ends, time_format(items[i].ends, ends)));
        json_put_key(&w, STR("current"));
        json_put_bool(&w, str_eq(items[i].name, all->current));
        json_end_object(&w);
    }
    json_end_array(&w);
    show_str(run->cli->out, buf_str(&b));
    show_str(run->cli->out, STR("\n"));
}

enum rc builtin_profile_list(struct run *run)
{
    struct profiles all = {0};
    TRY(profiles_read(run->cli, run->arena, &all, run->err));
    if (args_has(&run->args, "json")) {
        list_json(run, &all);
        return RC_OK;
    }
    if (all.list.count == 0)
        show_str(run->cli->out, STR("no profiles yet; make one with: hanse login URL\n"));
    const struct profile *items = all.list.items;
    for (size_t i = 0; i < all.list.count; i++) {
        struct str user = text_plain(run->arena, items[i].user);
        fprintf(run->cli->out, "%s %.*s  %.*s  %.*s\n",
                str_eq(items[i].name, all.current) ? "*" : " ", STRF(items[i].name),
                STRF(items[i].url), STRF(user));
    }
    return RC_OK;
}

static struct str first_word(const struct run *run)
{
    return run->args.word_count > 0 ? run->args.words[0] : STR("");
}

enum rc builtin_profile_use(struct run *run)
{
    return profiles_use(run->cli, run->arena, first_word(run), run->err);
}

enum rc builtin_profile_remove(struct run *run)
{
    return profiles_remove(run->cli, run->arena, first_word(run), run->err);
}
