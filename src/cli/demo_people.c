/*
 * demo_people.c - people come in as everybody does: an invitation, a password, a token.
 */
#include "cli/body.h"
#include "cli/demo.h"
#include "cli/peek.h"

#define TURN_PAUSE_US (2 * US_PER_SECOND)

enum { SCOPES_MAX = 8 * 1024, TURN_TRIES_MAX = 60 };

/* --- one user --- */

static struct str object_of(struct demo *d, const char *const *members, const struct str *values)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, d->run->arena, DEMO_TEXT_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    for (size_t i = 0; members[i] != NULL; i++)
        body_put(&w, members[i], values[i]);
    json_end_object(&w);
    ASSERT(!b.full);
    return buf_str(&b);
}

static enum rc accept(struct demo *d, struct str link, struct str email, struct str name,
                      struct str *ret_party)
{
    static const char *const members[] = {"token", "email", "name", "password", NULL};
    const struct json *answer = NULL;
    struct str body = object_of(d, members, (struct str[]){link, email, name, d->password});
    TRY(demo_call(d, STR(""), HTTP_POST, STR("/v1/invitations/actions/accept"), body, &answer));
    *ret_party = arena_str(d->run->arena, peek_text(peek(answer, "party"), "id"));
    return RC_OK;
}

static void add_scopes(struct json_writer *w, const struct json *roles)
{
    const struct json *items = peek_array(roles, "items");
    json_begin_array(w);
    json_put_str(w, STR("self:read")); /* no role's, but every user's */
    json_put_str(w, STR("self:write"));
    for (const struct json *r = items ? json_first(items) : NULL; r != NULL;
         r = json_next(items, r)) {
        const struct json *list = peek_array(r, "permissions");
        if (!str_eq(peek_text(r, "id"), STR("owner")) || list == NULL)
            continue;
        for (const struct json *p = json_first(list); p != NULL; p = json_next(list, p))
            json_put_str(w, json_text(p));
    }
    json_end_array(w);
}

/* A token that may do all that an owner may. The session is left to end by itself. */
static enum rc log_in(struct demo *d, struct str email, struct str *ret_token)
{
    static const char *const members[] = {"email", "password", NULL};
    struct run *run = d->run;
    const struct json *answer = NULL;
    struct wire_reply reply = {0};
    struct ask login = {.method = HTTP_POST,
                        .path = STR("/v1/session"),
                        .body = object_of(d, members, (struct str[]){email, d->password}),
                        .anonymous = true};
    TRY(server_call(&d->server, &login, &reply));
    TRY(json_parse(reply.body, run->arena, &answer, run->err));
    struct str cookie = wire_header(&reply, "set-cookie");
    cookie = str_sub(cookie, 0, str_find(cookie, ';', 0));
    struct ask roles = {.method = HTTP_GET, .path = STR("/v1/roles"), .cookie = cookie};
    const struct json *list = NULL;
    TRY(server_json(&d->server, &roles, &list));
    struct buf b;
    struct json_writer w;
    buf_init(&b, run->arena, SCOPES_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    body_put(&w, "name", STR("demo"));
    json_put_key(&w, STR("scopes"));
    add_scopes(&w, list);
    json_end_object(&w);
    ASSERT(!b.full);
    struct ask token = {.method = HTTP_POST,
                        .path = STR("/v1/tokens"),
                        .body = buf_str(&b),
                        .cookie = cookie,
                        .csrf = peek_text(answer, "csrf")};
    TRY(server_json(&d->server, &token, &answer));
    *ret_token = peek_text(answer, "secret");
    return RC_OK;
}

/* A server takes few logins a minute of one address. */
static bool waits_for_turn(struct demo *d, enum rc rc, int *tries)
{
    struct cli *cli = d->run->cli;
    if (rc != RC_TOO_MANY || *tries == TURN_TRIES_MAX || cli->host->stopped(cli->host))
        return false;
    if ((*tries)++ == 0)
        fprintf(cli->err, "  the server takes no more logins for a moment: it is waited for\n");
    err_clear(d->run->err);
    cli->pause(cli, TURN_PAUSE_US);
    return true;
}

static enum rc come_in(struct demo *d, struct str link, struct str who, struct str *ret_party,
                       struct str *ret_token)
{
    struct str email = arena_fmt(d->run->arena, "%.*s%s%.*s@demo.example", STRF(who),
                                 d->suffix.n > 0 ? "-" : "", STRF(d->suffix));
    int tries = 0;
    enum rc rc = accept(d, link, email, who, ret_party);
    while (waits_for_turn(d, rc, &tries))
        rc = accept(d, link, email, who, ret_party);
    TRY(rc);
    rc = log_in(d, email, ret_token);
    while (waits_for_turn(d, rc, &tries))
        rc = log_in(d, email, ret_token);
    return rc;
}

/* --- parties --- */

static enum rc invite(struct demo *d, const char *who, struct str body, struct str *ret_link)
{
    const struct json *answer = NULL;
    struct str path = STR("");
    TRY(demo_text(
        d, arena_cstr(d->run->arena, arena_fmt(d->run->arena, "/v1/parties/{%s}/invitations", who)),
        0, &path));
    TRY(demo_ask(d, who, HTTP_POST, path, body, &answer));
    *ret_link = arena_str(d->run->arena, peek_text(answer, "link"));
    return RC_OK;
}

static struct str title_of(struct demo *d, const struct demo_step *s)
{
    return d->suffix.n == 0 ? str_c(s->text)
                            : arena_fmt(d->run->arena, "%s %.*s", s->text, STRF(d->suffix));
}

/* The members that a story gives a party, as an object. */
static enum rc party_body(struct demo *d, const struct demo_step *s, struct str *ret)
{
    struct str more = STR("");
    TRY(demo_text(d, s->with, 0, &more));
    *ret = arena_fmt(d->run->arena, "{\"name\":\"%.*s\"%s%.*s}", STRF(title_of(d, s)),
                     more.n > 0 ? "," : "", STRF(more));
    return RC_OK;
}

static void keep_party(struct demo *d, const struct demo_step *s, struct str id, struct str token)
{
    struct demo_name *known = demo_keep(d, str_c(s->name), id);
    known->title = title_of(d, s);
    known->token = token;
}

enum rc demo_party(struct demo *d, const struct demo_step *s)
{
    struct str body = STR("");
    struct str link = STR("");
    struct str party = STR("");
    struct str token = STR("");
    TRY(party_body(d, s, &body));
    body = arena_fmt(d->run->arena, "{\"prefill\":%.*s}", STRF(body));
    TRY(invite(d, s->who, body, &link));
    TRY(come_in(d, link, str_c(s->name), &party, &token));
    keep_party(d, s, party, token);
    return RC_OK;
}

enum rc demo_operator(struct demo *d, const struct demo_step *s, struct str link)
{
    struct str body = STR("");
    struct str party = STR("");
    struct str token = STR("");
    TRY(come_in(d, link, str_c(s->name), &party, &token));
    keep_party(d, s, party, token);
    TRY(party_body(d, s, &body));
    return demo_change(d, s->name, arena_fmt(d->run->arena, "/v1/parties/%.*s", STRF(party)), body);
}

enum rc demo_colleague(struct demo *d, const struct demo_step *s)
{
    struct str link = STR("");
    struct str party = STR("");
    struct str token = STR("");
    struct str name = arena_fmt(d->run->arena, "%s-second", s->who);
    TRY(invite(d, s->who, STR("{\"joins\":true,\"role\":\"owner\"}"), &link));
    TRY(come_in(d, link, name, &party, &token));
    demo_find(d, str_c(s->who))->colleague = token;
    return RC_OK;
}
