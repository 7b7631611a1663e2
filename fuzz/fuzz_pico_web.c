/*
 * Strangers and owners ask an engine over HTTP. An input is some requests one behind the other, a
 * NUL between them: a line "METHOD /path", lines of headers, an empty line, the body; a letter
 * behind a $ stands for a name that the input cannot know. Each goes to both listeners of a small
 * engine. It is answered, never with 500; what says that it is JSON is JSON; and what only
 * developers may, no customer gets.
 */
#include "fuzz.h"

#include "base/json.h"
#include "http/http.h"
#include "pico/bundled.h"
#include "pico/web.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    REQUESTS_MAX = 12,
    BYTES_MAX = 32 * 1024,
    ARENA_BYTES = 256 * 1024 * 1024,
    REPLY_BYTES_MAX = 32 * 1024 * 1024,
    WAIT_MS = 20 * 1000,
    MOVING_MS = 100,
    STEPS = 100 * 1000,
    MEMORY = 4 * 1024 * 1024,
    RUNS_MAX = 200, /* on one engine: what was made stays */
};

static const char source[] =
    "ruleset life { meta { shares all, echo, again }\n"
    "  global { all = function() { [ent:n, ent:log, schedule:list().length()] }\n"
    "    echo = function(a) { a }\n"
    "    again = function(n) { n > 0 => again(n - 1) | ctx:query(meta:eci, \"life\", \"all\") } }\n"
    "  rule add { select when life add where event:attr(\"n\") > 0 or life plus\n"
    "    send_directive(\"added\", event:attrs) always { ent:n := ent:n.defaultsTo(0) + 1 } }\n"
    "  rule pair { select when life a a re#(.)# setting(x) before life b always { ent:log := x } "
    "}\n"
    "  rule cookie { select when life cookie send_directive(\"_cookie\", event:attrs) }\n"
    "  rule go { select when life go send_directive(\"_redirect\", event:attrs) }\n"
    "  rule plan { select when life plan always { schedule life event \"add\" at "
    "event:attr(\"t\")\n"
    "    raise life event event:attr(\"r\") attributes event:attrs } }\n"
    "}";

/* One engine and its two listeners for some inputs. */
struct place {
    char folder[32];
    char paths[2][64]; /* of sockets: customers, developers */
    struct store *store;
    struct pico_engine *e;
    struct pico_web *web;
    struct http_server *servers[2];
    struct str pico; /* its id, and a channel that may do everything */
    struct str channel;
    struct str move; /* that is under way */
    struct arena kept;
    struct arena arena;
    int runs;
};

enum side { CUSTOMERS, DEVELOPERS };

/* --- one request --- */

static int connect_to(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    ASSERT(strlen(path) < sizeof un.sun_path);
    memcpy(un.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(fd >= 0);
    ASSERT(connect(fd, (struct sockaddr *)&un, sizeof un) == 0);
    return fd;
}

/* The fuzzer's own alarm interrupts what waits. */
static bool has_come(int fd, int wait_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int n = 0;
    do
        n = poll(&wait, 1, wait_ms);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

/* All that it says until it closes. */
static struct str read_reply(struct place *p, int fd)
{
    struct buf b;
    char piece[16 * 1024];
    ssize_t n = 0;
    buf_init(&b, &p->arena, REPLY_BYTES_MAX);
    do {
        bool answered = has_come(fd, WAIT_MS);
        ASSERT(answered);
        do
            n = recv(fd, piece, sizeof piece, 0);
        while (n < 0 && errno == EINTR);
        buf_add(&b, str_n(piece, n > 0 ? (size_t)n : 0));
    } while (n > 0);
    ASSERT(!b.full);
    close(fd);
    return buf_str(&b);
}

/* The connection on which the answer will come. */
static int send_request(struct place *p, enum side side, struct str head, struct str body)
{
    struct buf b;
    int fd = connect_to(p->paths[side]);
    buf_init(&b, &p->arena, (size_t)4 * 1024 * 1024);
    buf_add(&b, str_cut(&head, '\n'));
    buf_add(&b, STR(" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"));
    while (head.n > 0) {
        buf_add(&b, str_cut(&head, '\n'));
        buf_add(&b, STR("\r\n"));
    }
    buf_fmt(&b, "Content-Length: %zu\r\n\r\n", body.n);
    buf_add(&b, body);
    ASSERT(!b.full);
    ssize_t n = send(fd, b.p, b.n, MSG_NOSIGNAL);
    ASSERT(n == (ssize_t)b.n || n < 0); /* it may have refused already */
    return fd;
}

static struct str ask(struct place *p, enum side side, struct str head, struct str body)
{
    return read_reply(p, send_request(p, side, head, body));
}

/* --- the engine --- */

/* What is behind the first empty line; head: with what before it. */
static struct str body_of(struct str text, struct str empty_line, struct str *ret_head)
{
    size_t at = 0;
    while (at < text.n && !str_starts(str_sub(text, at, text.n), empty_line))
        at++;
    *ret_head = str_sub(text, 0, at);
    return str_sub(text, min_size(text.n, at + empty_line.n), text.n);
}

/* A text of the answer; empty where it is not there. */
static struct str text_of(struct place *p, struct str reply, const char *key)
{
    const struct json *j = NULL;
    struct err err = {0};
    struct str head;
    struct str body = body_of(reply, STR("\r\n\r\n"), &head);
    if (json_parse(body, &p->arena, &j, &err) != RC_OK || json_type(j) != JSON_OBJECT)
        return STR("");
    j = json_get(j, str_c(key));
    return j != NULL && json_type(j) == JSON_STRING ? json_text(j) : STR("");
}

static bool is_success(struct str reply)
{
    return str_starts(reply, STR("HTTP/1.1 2"));
}

static struct str quoted(struct place *p, struct str text)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, &p->arena, (size_t)16 * 1024);
    json_writer_init(&w, &b);
    json_put_str(&w, text);
    return buf_str(&b);
}

static struct str post(struct place *p, struct str path, struct str body)
{
    struct str head = arena_fmt(&p->arena, "POST %.*s\nContent-Type: application/json", STRF(path));
    return ask(p, DEVELOPERS, head, body);
}

/* A pico with our ruleset and a channel. False: the inputs before have broken what that needs. */
static bool fill(struct place *p)
{
    static const char policies[] =
        "{\"tags\":[\"t\"],"
        "\"eventPolicy\":{\"allow\":[{\"domain\":\"*\",\"name\":\"*\"}],\"deny\":[]},"
        "\"queryPolicy\":{\"allow\":[{\"rid\":\"*\",\"name\":\"*\"}],\"deny\":[]}}";
    struct str root = pico_root(p->e);
    struct str children = arena_fmt(&p->arena, "/v1/picos/%.*s/children", STRF(root));
    struct str body = arena_fmt(&p->arena, "{\"url\":\"file:///life.krl\",\"source\":%.*s}",
                                STRF(quoted(p, str_c(source))));
    struct str id = text_of(p, post(p, children, STR("{\"name\":\"child\"}")), "id");
    struct str path = arena_fmt(&p->arena, "/v1/picos/%.*s/", STRF(id));
    if (!is_success(post(p, arena_fmt(&p->arena, "%.*srulesets", STRF(path)), body)))
        return false;
    struct str said = post(p, arena_fmt(&p->arena, "%.*schannels", STRF(path)), str_c(policies));
    struct str channel = text_of(p, said, "id");
    p->pico = arena_str(&p->kept, id);
    p->channel = arena_str(&p->kept, channel);
    return id.n > 0 && channel.n > 0;
}

static bool is_alive(struct place *p)
{
    struct str line = arena_fmt(&p->arena, "GET /c/%.*s/query/life/all", STRF(p->channel));
    return str_has(ask(p, CUSTOMERS, line, STR("")), STR("\r\n\r\n["));
}

/* A pico that moves stands still, and what comes waits. */
static void end_move(struct place *p)
{
    struct str line = arena_fmt(&p->arena, "DELETE /v1/moves/%.*s", STRF(p->move));
    if (p->move.n > 0)
        (void)ask(p, DEVELOPERS, line, STR("")); /* it may be over already */
    p->move = STR("");
}

static void open_place(struct place *p)
{
    struct clock *clock = clock_system();
    struct err err = {0};
    arena_init(&p->kept, (size_t)1024 * 1024);
    ASSERT(store_open(&p->store,
                      &(struct store_options){.url = STR("sqlite::memory:"), .clock = clock},
                      &err) == RC_OK);
    const struct pico_options o = {.store = p->store,
                                   .clock = clock,
                                   .base_url = STR("http://localhost:3000"),
                                   .threads = 1,
                                   .slow_threads = 1,
                                   .steps_max = STEPS,
                                   .memory_max = MEMORY};
    ASSERT(pico_engine_open(&p->e, &o, &err) == RC_OK);
    ASSERT(pico_bundled_install(p->e, &p->arena, &err) == RC_OK);
    p->web = pico_web_open(
        &(struct pico_web_options){.engine = p->e, .store = p->store, .clock = clock});
    for (size_t i = 0; i < COUNT(p->servers); i++) {
        struct str listen = arena_fmt(&p->kept, "unix:%s", p->paths[i]);
        const struct http_options h = {.listen = listen,
                                       .clock = clock,
                                       .threads = 1,
                                       .handler = i == CUSTOMERS ? pico_web_customers(p->web)
                                                                 : pico_web_developers(p->web)};
        ASSERT(http_open(&p->servers[i], &h, &err) == RC_OK);
    }
    bool filled = fill(p);
    ASSERT(filled);
    p->runs = 0;
}

static void close_place(struct place *p)
{
    pico_engine_leave(p->e);
    for (size_t i = 0; i < COUNT(p->servers); i++)
        http_close(p->servers[i], US_PER_SECOND);
    pico_web_close(p->web);
    pico_engine_close(p->e);
    store_close(p->store);
    arena_fini(&p->kept);
    p->e = NULL;
}

static struct place *the_place(void)
{
    static struct place p;
    return &p;
}

/* At the end of all. */
static void take_away(void)
{
    const struct place *p = the_place();
    (void)unlink(p->paths[CUSTOMERS]);
    (void)unlink(p->paths[DEVELOPERS]);
    (void)rmdir(p->folder); /* what is left there lies below /tmp */
}

/* --- what is promised --- */

static bool is_one_of(int status, const int *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == status)
            return true;
    return false;
}

static void check_reply(struct place *p, struct str reply, struct str method)
{
    static const int known[] = {200, 201, 202, 204, 302, 400, 403, 404, 405, 408, 409,
                                410, 411, 413, 414, 422, 429, 431, 501, 503, 507};
    int64_t status = 0;
    struct err err = {0};
    const struct json *j = NULL;
    struct str head;
    struct str body = body_of(reply, STR("\r\n\r\n"), &head);
    ASSERT(str_starts(reply, STR("HTTP/1.1 ")));
    ASSERT(str_to_i64(str_sub(reply, 9, 12), 100, 599, &status));
    if (!is_one_of((int)status, known, COUNT(known)))
        fprintf(stderr, "%.*s\n", STRF(reply));
    ASSERT(is_one_of((int)status, known, COUNT(known)));
    bool is_json = str_has(head, STR("\r\nContent-Type: application/json")) ||
                   str_has(head, STR("\r\nContent-Type: application/problem+json"));
    if (!is_json || body.n == 0 || str_has(head, STR("\r\nContent-Encoding: ")) ||
        str_eq(method, STR("HEAD")))
        return;
    if (json_parse(body, &p->arena, &j, &err) != RC_OK)
        fprintf(stderr, "%s: %.*s\n", err.text, STRF(reply));
    ASSERT(j != NULL);
}

/* No 2xx for a customer where only developers have a route, however it is written; a browser's
 * OPTIONS is answered alike wherever it asks, and does nothing. */
static void check_customer(struct str reply, struct str line)
{
    static const char *const open[] = {"/c/", "/sky/", "/v1/channels/", "/v1/health"};
    struct str path = line;
    struct str method = str_cut(&path, ' ');
    path = str_trim(path);
    if (!str_starts(reply, STR("HTTP/1.1 2")) || str_has(path, STR("%")) ||
        str_eq(method, STR("OPTIONS")))
        return;
    for (size_t i = 0; i < COUNT(open); i++)
        if (str_starts(path, str_c(open[i])))
            return;
    fprintf(stderr, "%.*s: %.*s\n", STRF(line), STRF(reply));
    NEVER("a customer gets what only developers may");
}

/* The input with the names that it cannot know. */
static struct str filled_in(struct place *p, struct str text)
{
    struct buf b;
    buf_init(&b, &p->arena, (size_t)1024 * 1024);
    for (size_t i = 0; i < text.n; i++) {
        char next = i + 1 < text.n && text.p[i] == '$' ? text.p[i + 1] : 0;
        if (next == 'p' || next == 'c' || next == 'r' || next == 'm') {
            buf_add(&b, next == 'p'   ? p->pico
                        : next == 'c' ? p->channel
                        : next == 'm' ? p->move
                                      : pico_root(p->e));
            i++;
        } else {
            buf_add_char(&b, text.p[i]);
        }
    }
    ASSERT(!b.full);
    return buf_str(&b);
}

static void ask_both(struct place *p, struct str text)
{
    struct str head;
    struct str body = body_of(filled_in(p, text), STR("\n\n"), &head);
    struct str line = head;
    line = str_cut(&line, '\n');
    struct str rest = line;
    struct str method = str_cut(&rest, ' ');
    if (head.n == 0 || memchr(head.p, '\r', head.n) != NULL) /* the framing is fuzz_http.c's */
        return;
    for (size_t side = 0; side < COUNT(p->servers); side++) {
        int fd = send_request(p, (enum side)side, head, body);
        if (p->move.n > 0 && !has_come(fd, MOVING_MS))
            end_move(p);
        struct str reply = read_reply(p, fd);
        if (reply.n == 0) /* what cannot be read as HTTP is not answered */
            continue;
        check_reply(p, reply, method);
        if (side == CUSTOMERS)
            check_customer(reply, line);
        else if (text_of(p, reply, "move").n > 0)
            p->move = text_of(p, reply, "move");
    }
}

/* An engine, and in it a pico, that the inputs before have not broken. */
static void prepare(struct place *p)
{
    if (p->e != NULL && (++p->runs == RUNS_MAX || (!is_alive(p) && !fill(p))))
        close_place(p);
    if (p->e == NULL)
        open_place(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct place *p = the_place();
    struct str rest = str_n((const char *)data, size);
    if (size > BYTES_MAX)
        return 0;
    if (p->folder[0] == '\0') {
        (void)snprintf(p->folder, sizeof p->folder, "/tmp/hanse-fuzz-XXXXXX");
        ASSERT(mkdtemp(p->folder) != NULL);
        (void)snprintf(p->paths[0], sizeof p->paths[0], "%s/customers", p->folder);
        (void)snprintf(p->paths[1], sizeof p->paths[1], "%s/developers", p->folder);
        ASSERT(atexit(take_away) == 0);
    }
    arena_init(&p->arena, ARENA_BYTES);
    prepare(p);
    for (int i = 0; i < REQUESTS_MAX && rest.n > 0; i++)
        ask_both(p, str_cut(&rest, '\0'));
    end_move(p);
    arena_fini(&p->arena);
    return 0;
}
