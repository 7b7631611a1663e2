/*
 * demo_reach.c - services reached as their client would, and the machine looked at: before, and
 * when all has ended.
 */
#include "cli/demo_live.h"
#include "cli/peek.h"
#include "cli/prompt.h"

#include <sys/stat.h>
#include <unistd.h>

#define REACH_PAUSE_US   (500 * US_PER_MS)
#define REACH_TIMEOUT_US (5 * US_PER_SECOND)
#define REACH_WAIT_US    (60 * US_PER_SECOND)
#define CONSOLE_WAIT_US  (240 * US_PER_SECOND) /* an emulated processor */
#define LEFT_WAIT_US     (20 * US_PER_SECOND)

enum { SAID_BYTES_MAX = 16 * 1024 * 1024, SHOWN_MAX = 120, CONNECTION_MAX = 16 };

/* --- how it is reached --- */

struct connection {
    struct str names[CONNECTION_MAX];
    struct str values[CONNECTION_MAX];
    size_t count;
};

static struct str value_of(const struct connection *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (str_eq(c->names[i], str_c(name)))
            return c->values[i];
    return STR("");
}

static enum rc connect_to(struct live *l, const struct live_service *s, struct connection *ret)
{
    struct demo *d = l->d;
    struct arena *arena = d->run->arena;
    const struct json *answer = NULL;
    *ret = (struct connection){0};
    TRY(demo_ask(d, "c", HTTP_GET, arena_fmt(arena, "/v1/services/%.*s/connection", STRF(s->id)),
                 STR(""), &answer));
    const struct json *items = peek_array(answer, "items");
    for (const struct json *i = items != NULL ? json_first(items) : NULL;
         i != NULL && ret->count < CONNECTION_MAX; i = json_next(items, i)) {
        ret->names[ret->count] = arena_str(arena, peek_text(i, "name"));
        ret->values[ret->count++] = arena_str(arena, peek_text(i, "value"));
    }
    return RC_OK;
}

static struct live_service *find(struct live *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->services[i].ran && str_eq(str_c(l->services[i].part->name), str_c(name)))
            return &l->services[i];
    return NULL;
}

/* --- HTTP --- */

/* *ret_said holds until the next one is asked. */
static bool get(struct live *l, struct str url, struct str *ret_said)
{
    struct run *run = l->d->run;
    struct wire_reply reply = {0};
    const struct wire_request request = {
        .method = STR("GET"), .url = url, .timeout_us = REACH_TIMEOUT_US};
    arena_reset(&l->scratch);
    enum rc rc = wire_call(run->cli->wire, &request, &l->scratch, &reply, run->err);
    if (rc != RC_OK)
        *ret_said = arena_str(&l->scratch, err_text(run->err));
    else
        *ret_said = arena_fmt(&l->scratch, "%d %.*s", reply.status,
                              STRF(str_sub(str_trim(reply.body), 0, SHOWN_MAX)));
    err_clear(run->err);
    return rc == RC_OK && reply.status == 200;
}

static enum rc reach_http(struct live *l, const struct live_service *s)
{
    struct run *run = l->d->run;
    struct connection *c = NEW(run->arena, struct connection);
    time_us end = clock_now(run->cli->clock) + REACH_WAIT_US;
    struct str said = STR("");
    bool good = false;
    TRY(connect_to(l, s, c));
    struct str url = l->url = value_of(c, "url");
    while (!(good = get(l, url, &said)) && clock_now(run->cli->clock) < end)
        run->cli->pause(run->cli, REACH_PAUSE_US);
    live_check(l, "HTTP GET through the port", true, good,
               arena_fmt(run->arena, "%.*s: %.*s", STRF(url), STRF(said)));
    return RC_OK;
}

/* --- psql --- */

/* The password in a file of libpq's form: on the command line every user would see it. */
static bool write_password(const char *path, struct str password)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return false;
    bool good =
        fchmod(fileno(file), 0600) == 0 && fprintf(file, "*:*:*:*:%.*s\n", STRF(password)) > 0;
    return fclose(file) == 0 && good;
}

static const char *in_folder(struct live *l, const char *name)
{
    struct arena *arena = l->d->run->arena;
    return arena_cstr(arena, arena_fmt(arena, "%.*s/%s", STRF(l->d->folder), name));
}

/* Run a program and have what it printed, until the next one is run; false: it is not there.
 * *ret_code: how it ended. */
static bool run_for(struct live *l, const char *const *argv, int *ret_code, struct str *ret_said)
{
    struct run *run = l->d->run;
    const struct host *h = run->cli->host;
    const char *output = in_folder(l, "said.txt");
    struct program p = {.argv = argv, .output = output};
    arena_reset(&l->scratch);
    *ret_said = STR("");
    enum rc rc = h->run(h, &p, ret_code, run->err);
    if (rc == RC_OK && prompt_file(run->cli, str_c(output), SAID_BYTES_MAX, &l->scratch, ret_said,
                                   run->err) != RC_OK)
        *ret_said = STR("");
    err_clear(run->err);
    return rc == RC_OK;
}

static const char story_sql[] =
    "CREATE TABLE IF NOT EXISTS story (n bigint); INSERT INTO story SELECT count(*) FROM story; "
    "SELECT 'rows: ' || count(*) FROM story";

static enum rc reach_psql(struct live *l, const struct live_service *s)
{
    struct run *run = l->d->run;
    struct connection *c = NEW(run->arena, struct connection);
    const char *secret = in_folder(l, "pgpass");
    struct str said = STR("");
    time_us end = clock_now(run->cli->clock) + REACH_WAIT_US;
    bool there = true;
    int code = 1;
    TRY(connect_to(l, s, c));
    if (!write_password(secret, value_of(c, "password")))
        return err_set(run->err, RC_UNAVAILABLE, "'%s' cannot be written", secret);
    struct str to = arena_fmt(
        run->arena, "host=%.*s port=%.*s user=%.*s dbname=%.*s passfile=%s connect_timeout=5",
        STRF(value_of(c, "host")), STRF(value_of(c, "port")), STRF(value_of(c, "user")),
        STRF(value_of(c, "database")), secret);
    const char *const argv[] = {"psql", arena_cstr(run->arena, to), "-XAtqc", story_sql, NULL};
    while (there && code != 0 && clock_now(run->cli->clock) < end) {
        there = run_for(l, argv, &code, &said);
        if (there && code != 0)
            run->cli->pause(run->cli, REACH_PAUSE_US);
    }
    live_check(l, "psql connects", there, code == 0,
               !there ? STR("psql is not installed")
                      : arena_fmt(run->arena, "%.*s:%.*s: %.*s", STRF(value_of(c, "host")),
                                  STRF(value_of(c, "port")),
                                  STRF(str_sub(str_trim(said), 0, SHOWN_MAX))));
    return RC_OK;
}

/* --- the console --- */

static enum rc reach_console(struct live *l, const struct live_service *s)
{
    struct run *run = l->d->run;
    const struct host *h = run->cli->host;
    const char *const argv[] = {arena_cstr(run->arena, h->beside(h, "hanse-node", run->arena)),
                                "console", arena_cstr(run->arena, s->id), NULL};
    time_us end = clock_now(run->cli->clock) + CONSOLE_WAIT_US;
    struct str said = STR("");
    bool there = true;
    bool good = false;
    int code = 0;
    if (!server_is_local(l->cloud.url)) {
        live_check(l, "the console shows a login", false, false,
                   STR("the node is another machine"));
        return RC_OK;
    }
    while (there && !good && clock_now(run->cli->clock) < end && !h->stopped(h)) {
        there = run_for(l, argv, &code, &said);
        good = code == 0 && str_has(said, STR("login:"));
        if (there && !good)
            run->cli->pause(run->cli, 4 * REACH_PAUSE_US);
    }
    struct str last = str_trim(said);
    size_t at = last.n;
    while (at > 0 && last.p[at - 1] != '\n' && last.n - at < SHOWN_MAX)
        at--;
    live_check(l, "the console shows a login", there, good,
               there ? arena_str(run->arena, str_sub(last, at, last.n))
                     : STR("hanse-node is not there"));
    return RC_OK;
}

enum rc live_reach(struct live *l)
{
    const struct live_service *python = find(l, "python");
    const struct live_service *postgresql = find(l, "postgresql");
    const struct live_service *vm = find(l, "vm");
    if (python != NULL)
        TRY(reach_http(l, python));
    if (postgresql != NULL)
        TRY(reach_psql(l, postgresql));
    return vm != NULL ? reach_console(l, vm) : RC_OK;
}

void live_touch(struct live *l)
{
    struct str said = STR("");
    if (l->url.n > 0)
        (void)get(l, l->url, &said); /* load, no check */
}

/* --- the machine --- */

struct place {
    const char *what;
    const char *argv[5];
    bool by_bridge; /* it is found by the name of the nodes' bridge; else by the services' ids */
};

static const struct place places[] = {
    {"mounts", {"cat", "/proc/self/mountinfo", NULL}, false},
    {"processes",
     {"sh", "-c", "cat /proc/[0-9]*/cgroup /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '", NULL},
     false},
    {"bridge and cables", {"ip", "-o", "link", "show", NULL}, true},
    {"network namespaces", {"ip", "netns", "list", NULL}, true},
    {"rules", {"nft", "list", "tables", NULL}, true},
};

static int64_t lines_with(struct str text, struct str word)
{
    int64_t n = 0;
    while (text.n > 0)
        n += str_has(str_cut(&text, '\n'), word) ? 1 : 0;
    return n;
}

/* Lines of a place that speak of the services, or of the bridge. */
static int64_t found_at(struct live *l, const struct place *p, bool *ret_there)
{
    struct str said = STR("");
    int64_t n = 0;
    int code = 0;
    *ret_there = run_for(l, p->argv, &code, &said);
    if (p->by_bridge)
        return lines_with(said, l->bridge);
    for (size_t i = 0; i < l->count; i++)
        n += l->services[i].id.n > 0 ? lines_with(said, l->services[i].id) : 0;
    return n;
}

void live_look_before(struct live *l)
{
    bool there = false;
    l->links = 0;
    for (size_t i = 0; i < COUNT(places); i++)
        if (places[i].by_bridge)
            l->links += found_at(l, &places[i], &there);
}

static bool look_once(struct live *l, struct str *ret_left)
{
    struct buf b;
    int64_t links = 0;
    bool clean = true;
    buf_init(&b, l->d->run->arena, DEMO_TEXT_MAX);
    for (size_t i = 0; i < COUNT(places); i++) {
        bool there = false;
        int64_t n = found_at(l, &places[i], &there);
        links += places[i].by_bridge ? n : 0;
        clean = clean && (n == 0 || places[i].by_bridge);
        if (!there)
            buf_fmt(&b, "%s%s: not looked at", b.n > 0 ? ", " : "", places[i].what);
        else if (n > 0)
            buf_fmt(&b, "%s%s: %lld", b.n > 0 ? ", " : "", places[i].what, (long long)n);
        else
            buf_fmt(&b, "%sno %s", b.n > 0 ? ", " : "", places[i].what);
    }
    *ret_left = buf_str(&b);
    return clean && links <= l->links; /* other services keep theirs */
}

void live_look_after(struct live *l)
{
    struct run *run = l->d->run;
    time_us end = clock_now(run->cli->clock) + LEFT_WAIT_US;
    struct str left = STR("");
    bool clean = false;
    if (!server_is_local(l->cloud.url)) {
        live_check(l, "the machine is clean", false, false, STR("the nodes are elsewhere"));
        return;
    }
    while (!(clean = look_once(l, &left)) && clock_now(run->cli->clock) < end)
        run->cli->pause(run->cli, REACH_PAUSE_US);
    live_check(l, "the machine is clean", true, clean, left);
}
