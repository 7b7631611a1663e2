#include "cli/server.h"

#include "base/conf.h"
#include "base/id.h"
#include "cli/problem.h"
#include "cli/text.h"

#define RETRY_PAUSE_US (250 * US_PER_MS)

/* --- addresses --- */

static struct str host_of(struct str url)
{
    size_t at = str_find(url, ':', 0) + 3; /* behind "://" */
    struct str authority = str_sub(url, at, str_find(url, '/', at));
    if (str_starts(authority, STR("[")))
        return str_sub(authority, 0, str_find(authority, ']', 0) + 1);
    return str_sub(authority, 0, str_find(authority, ':', 0));
}

static bool host_is_local(struct str host)
{
    return str_eq_nocase(host, STR("localhost")) || str_eq(host, STR("[::1]")) ||
           str_starts(host, STR("127."));
}

bool server_is_local(struct str url)
{
    return str_starts(url, STR("http+unix:")) || host_is_local(host_of(url));
}

bool server_is_open(struct str url)
{
    return str_starts(url, STR("http://")) && !server_is_local(url);
}

enum rc server_url(struct str typed, struct arena *arena, struct str *ret, struct err *err)
{
    struct str url = str_trim(typed);
    while (str_ends(url, STR("/")) && !str_ends(url, STR("://")))
        url.n--;
    bool clean = url.n > 0 && url.n <= SERVER_URL_MAX;
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] <= ' ' || url.p[i] == 0x7F || strchr("?#@\\", url.p[i]) != NULL)
            clean = false;
    if (!clean)
        return err_set(err, RC_INVALID,
                       "'%.*s' is no address of a server: https://cloud.example.net is one",
                       STRF(text_cut(arena, text_plain(arena, typed), 60)));
    if (!str_has(url, STR("://")) && !str_starts(url, STR("http+unix:"))) {
        struct str https = arena_fmt(arena, "https://%.*s", STRF(url));
        url = host_is_local(host_of(https)) ? arena_fmt(arena, "http://%.*s", STRF(url)) : https;
    }
    if (!str_starts(url, STR("https://")) && !str_starts(url, STR("http://")) &&
        !str_starts(url, STR("http+unix:/")))
        return err_set(err, RC_INVALID, "the address '%.*s' must begin with https:// or http://",
                       STRF(url));
    if (!str_starts(url, STR("http+unix:")) && host_of(url).n == 0)
        return err_set(err, RC_INVALID, "the address '%.*s' names no host", STRF(url));
    *ret = arena_str(arena, url);
    return RC_OK;
}

void server_encode(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || c == '-' || c == '_' || c == '.' || c == '~')
            buf_add_char(b, (char)c);
        else
            buf_fmt(b, "%%%02X", c);
    }
}

/* --- which server --- */

/* The profile that was named, or the current one; name empty where there is none. */
static enum rc choose_profile(struct run *run, const struct profiles *all, struct profile *ret)
{
    struct str name = args_get(&run->args, "profile");
    if (name.n == 0)
        name = cli_env(run->cli, "HANSE_PROFILE");
    const struct profile *found = profiles_find(all, name.n > 0 ? name : all->current);
    if (found == NULL && name.n > 0)
        return err_set(run->err, RC_NOT_FOUND,
                       "there is no profile '%.*s'; make it with: hanse login URL --profile %.*s",
                       STRF(name), STRF(name));
    *ret = found != NULL ? *found : (struct profile){0};
    return RC_OK;
}

/* The profile that is logged in to url. */
static struct profile profile_at(const struct profiles *all, struct str url)
{
    const struct profile *items = all->list.items;
    for (size_t i = 0; i < all->list.count; i++)
        if (str_eq(items[i].url, url))
            return items[i];
    return (struct profile){0};
}

enum rc server_open(struct run *run, struct server *ret)
{
    if (cli_env(run->cli, "HANSE_TOKEN").n > 0)
        return err_set(run->err, RC_INVALID,
                       "HANSE_TOKEN is not taken, as other programs could read it: put the token "
                       "into a file and name that in HANSE_TOKEN_FILE");
    struct server s = {.run = run};
    struct profiles all = {0};
    TRY(profiles_read(run->cli, run->arena, &all, run->err));
    TRY(choose_profile(run, &all, &s.profile));

    struct str url = args_get(&run->args, "server");
    if (url.n == 0)
        url = cli_env(run->cli, "HANSE_URL");
    bool named = url.n > 0;
    if (!named)
        url = s.profile.name.n > 0 ? s.profile.url : STR(CLI_URL_DEFAULT);
    TRY(server_url(url, run->arena, &s.url, run->err));
    if (named && !str_eq(s.profile.url, s.url))
        s.profile = profile_at(&all, s.url);

    struct str token_file = cli_env(run->cli, "HANSE_TOKEN_FILE");
    s.token = s.profile.token;
    if (token_file.n > 0)
        TRY(conf_secret(arena_cstr(run->arena, token_file), run->arena, &s.token, run->err));
    *ret = s;
    return RC_OK;
}

/* --- one call --- */

size_t server_headers(const struct server *s, const struct ask *ask, struct pair *headers)
{
    struct arena *arena = s->run->arena;
    size_t n = 0;
    headers[n++] = (struct pair){STR("User-Agent"), STR("hanse/" HANSE_VERSION)};
    if (ask->cookie.n > 0)
        headers[n++] = (struct pair){STR("Cookie"), ask->cookie};
    if (ask->csrf.n > 0)
        headers[n++] = (struct pair){STR("X-CSRF"), ask->csrf};
    if (s->token.n > 0 && !ask->anonymous && ask->cookie.n == 0)
        headers[n++] =
            (struct pair){STR("Authorization"), arena_fmt(arena, "Bearer %.*s", STRF(s->token))};
    if (ask->body.n > 0 || ask->type != NULL)
        headers[n++] = (struct pair){STR("Content-Type"), ask->type != NULL ? str_c(ask->type)
                                                          : ask->method == HTTP_PATCH
                                                              ? STR("application/merge-patch+json")
                                                              : STR("application/json")};
    if (ask->match.n > 0)
        headers[n++] = (struct pair){STR("If-Match"), ask->match};
    return n;
}

void server_explain(const struct server *s, struct err *err)
{
    struct run *run = s->run;
    struct str why = arena_str(run->arena, text_plain(run->arena, err_text(err)));
    err_write(err, err->rc, "%.*s does not answer: %.*s", STRF(s->url), STRF(why));
    run->more = server_is_local(s->url)
                    ? STR("  is hansed running? start it with: make run\n")
                    : STR("  check the address (hanse profile list) and your network\n");
}

enum rc server_call(const struct server *s, const struct ask *ask, struct wire_reply *ret)
{
    struct run *run = s->run;
    struct pair headers[WIRE_HEADERS_MAX];
    size_t n = server_headers(s, ask, headers);
    headers[n++] =
        (struct pair){STR("Accept"), ask->csv ? STR("text/csv") : STR("application/json")};
    if (ask->method != HTTP_GET) {
        struct id_source ids;
        id_source_init(&ids, run->cli->clock);
        headers[n++] = (struct pair){STR("Idempotency-Key"), id_new(&ids, run->arena, "key")};
    }
    struct wire_request request = {
        .method = str_c(method_name(ask->method)),
        .url = arena_fmt(run->arena, "%.*s%.*s", STRF(s->url), STRF(ask->path)),
        .headers = headers,
        .header_count = n,
        .body = ask->body,
        .reply_bytes_max = WIRE_REPLY_BYTES_MAX,
    };
    for (int try = 0;; try++) {
        struct wire_reply reply = {0};
        enum rc rc = wire_call(run->cli->wire, &request, run->arena, &reply, run->err);
        if (rc == RC_OK && reply.status >= 400)
            return problem_take(run, &reply, !ask->anonymous && ask->cookie.n == 0);
        if (rc == RC_OK && reply.status >= 300)
            return err_set(run->err, RC_REMOTE, "%.*s sends us on to '%.*s': use that address",
                           STRF(s->url),
                           STRF(text_plain(run->arena, wire_header(&reply, "location"))));
        if (rc == RC_OK) {
            *ret = reply;
            return RC_OK;
        }
        bool lost = rc == RC_UNAVAILABLE || rc == RC_TIMEOUT;
        if (!lost)
            return rc;
        if (ask->once || try == SERVER_RETRIES_MAX) {
            server_explain(s, run->err);
            return rc;
        }
        run->cli->pause(run->cli, RETRY_PAUSE_US << try);
    }
}

enum rc server_json(const struct server *s, const struct ask *ask, const struct json **ret)
{
    struct wire_reply reply = {0};
    TRY(server_call(s, ask, &reply));
    if (reply.status == 204) {
        *ret = NULL;
        return RC_OK;
    }
    if (json_parse(reply.body, s->run->arena, ret, s->run->err) == RC_OK)
        return RC_OK;
    return err_set(s->run->err, RC_REMOTE,
                   "%.*s answered what is not JSON: is that a Hanse server?", STRF(s->url));
}
