/*
 * status.c - where am I: the server, its version, who I am there, and how it is.
 */
#include "cli/builtin.h"
#include "cli/errand.h"
#include "cli/peek.h"
#include "cli/show.h"
#include "cli/text.h"

static struct str text_member(struct run *run, const struct json *object, const char *key)
{
    const struct json *value = peek(object, key);
    return value == NULL ? STR("") : show_value(run->arena, NULL, value);
}

static void print_pair(struct run *run, const char *label, struct str value)
{
    enum { LABEL_COLUMNS = 14 };
    bool colours = show_colours(run->cli);
    if (value.n > 0)
        fprintf(run->cli->out, "%s%s%s%*s%.*s\n", colours ? "\033[2m" : "", label,
                colours ? "\033[0m" : "", LABEL_COLUMNS - (int)strlen(label), "", STRF(value));
}

/* 93784 seconds as "1 day 2 h"; the two largest parts say enough. */
static struct str duration(struct arena *arena, int64_t seconds)
{
    int64_t days = seconds / 86400;
    int64_t hours = seconds / 3600 % 24;
    int64_t minutes = seconds / 60 % 60;
    if (days > 0)
        return arena_fmt(arena, "%lld day%s %lld h", (long long)days, days == 1 ? "" : "s",
                         (long long)hours);
    if (hours > 0)
        return arena_fmt(arena, "%lld h %lld min", (long long)hours, (long long)minutes);
    return arena_fmt(arena, "%lld min %lld s", (long long)minutes, (long long)(seconds % 60));
}

static void print_roles(struct run *run, const struct json *status)
{
    const struct json *memberships = peek_array(status, "memberships");
    if (memberships == NULL)
        return;
    if (memberships->n == 0)
        print_pair(run, "acting for", STR("nobody yet"));
    const char *label = "acting for";
    for (const struct json *m = json_first(memberships); m != NULL; m = json_next(memberships, m)) {
        struct str party = text_member(run, m, "party_name");
        struct str role = text_member(run, m, "role");
        struct str id = text_member(run, m, "party");
        print_pair(run, label,
                   arena_fmt(run->arena, "%.*s as %.*s (%.*s)", STRF(party), STRF(role), STRF(id)));
        label = "";
    }
}

static void print_installation(struct run *run, const struct json *status)
{
    static const char *const counters[] = {"parties", "users", "requests", "commits"};
    print_pair(run, "store", text_member(run, status, "store"));
    int64_t up = 0;
    const struct json *seconds = peek(status, "up_seconds");
    if (seconds != NULL && json_i64(seconds, &up) && up >= 0)
        print_pair(run, "up for", duration(run->arena, up));
    for (size_t i = 0; i < COUNT(counters); i++)
        print_pair(run, counters[i], text_member(run, status, counters[i]));
    struct str waiting = text_member(run, status, "outbox_waiting");
    struct str failed = text_member(run, status, "outbox_failed");
    if (waiting.n > 0)
        print_pair(
            run, "outbox",
            arena_fmt(run->arena, "%.*s waiting, %.*s given up", STRF(waiting), STRF(failed)));
}

static enum rc ask_version(const struct server *s, struct str *ret)
{
    struct ask ask = {
        .method = HTTP_GET, .path = str_c(routes[ROUTE_version].path), .anonymous = true};
    const struct json *answer = NULL;
    TRY(server_json(s, &ask, &answer));
    struct str version = text_member(s->run, answer, "version");
    if (version.n == 0)
        return err_set(s->run->err, RC_REMOTE, "%.*s answered no version: is that a Hanse server?",
                       STRF(s->url));
    *ret = version;
    return RC_OK;
}

enum rc builtin_version(struct run *run)
{
    struct server s = {0};
    TRY(server_open(run, &s));
    if (args_has(&run->args, "json")) {
        struct ask ask = {
            .method = HTTP_GET, .path = str_c(routes[ROUTE_version].path), .anonymous = true};
        struct wire_reply reply = {0};
        TRY(server_call(&s, &ask, &reply));
        return errand_show(run, run->command->route, reply.body);
    }
    show_str(run->cli->out, STR("hanse " HANSE_VERSION "\n"));
    (void)fflush(run->cli->out); /* looked at again at the end */
    struct str version = STR("");
    TRY(ask_version(&s, &version));
    fprintf(run->cli->out, "server %.*s at %.*s\n", STRF(version), STRF(s.url));
    return RC_OK;
}

enum rc builtin_status(struct run *run)
{
    struct server s = {0};
    TRY(server_open(run, &s));
    struct ask ask = {.method = HTTP_GET, .path = str_c(routes[ROUTE_status].path)};
    if (args_has(&run->args, "json") || args_has(&run->args, "wide")) {
        struct wire_reply reply = {0};
        TRY(server_call(&s, &ask, &reply));
        return errand_show(run, run->command->route, reply.body);
    }
    struct str version = STR("");
    TRY(ask_version(&s, &version));
    print_pair(run, "server", s.url);
    print_pair(
        run, "version",
        str_eq(version, STR(HANSE_VERSION))
            ? version
            : arena_fmt(run->arena, "%.*s (this program: " HANSE_VERSION ")", STRF(version)));
    print_pair(run, "profile", s.profile.name);
    if (s.token.n == 0)
        return err_set(run->err, RC_UNAUTHENTICATED, "not logged in: hanse login %.*s",
                       STRF(s.url));

    const struct json *status = NULL;
    TRY(server_json(&s, &ask, &status));
    print_pair(run, "you", text_member(run, status, "email"));
    if (s.profile.name.n > 0 && str_eq(s.token, s.profile.token)) {
        char ends[TIME_TEXT_MAX];
        size_t n = min_size(time_format(s.profile.ends, ends), sizeof "2026-11-22" - 1);
        print_pair(run, "logged in", arena_fmt(run->arena, "until %.*s", (int)n, ends));
    }
    print_roles(run, status);
    print_installation(run, status);
    return RC_OK;
}
