#include "node/probe.h"

#include "http/address.h"
#include "node/reach.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

enum {
    MILLI = 1000,
    STATUS_GOOD = 200,
    STATUS_BAD = 400,
    BODY_MAX = 4 * 1024 * 1024, /* more is not read */
    BODY_KEPT_MAX = 256 * 1024, /* what is wanted stands within that */
    BITS = 32,
    PORT_TEXT_MAX = 8,
};

/* --- where --- */

/* "192.168.7.0/24" */
static bool within(struct str network, uint32_t address)
{
    struct str bits_text = network;
    struct str base_text = str_cut(&bits_text, '/');
    char base[INET_ADDRSTRLEN];
    struct in_addr in;
    int64_t bits = BITS;
    if (base_text.n >= sizeof base || (bits_text.n > 0 && !str_to_i64(bits_text, 0, BITS, &bits)))
        return false;
    memcpy(base, base_text.p, base_text.n);
    base[base_text.n] = '\0';
    if (inet_pton(AF_INET, base, &in) != 1)
        return false;
    uint32_t mask = bits == 0 ? 0 : ~UINT32_C(0) << (BITS - bits);
    return (ntohl(in.s_addr) & mask) == (address & mask);
}

bool probe_allowed(const struct list *open, const struct sockaddr *address)
{
    if (address_is_public(address))
        return true;
    if (address->sa_family != AF_INET)
        return false;
    struct sockaddr_in in;
    memcpy(&in, address, sizeof in);
    const struct str *networks = open->items;
    for (size_t i = 0; i < open->count; i++)
        if (within(networks[i], ntohl(in.sin_addr.s_addr)))
            return true;
    return false;
}

/* A port to call: judged, and as text. */
struct target {
    struct sockaddr_storage address;
    socklen_t n;
    struct str text; /* "192.0.2.1:16500", "[2001:db8::1]:16500" */
    struct str name; /* where it is a name: that */
};

static enum rc resolve(const struct prober *p, const struct probe_task *t, struct arena *arena,
                       struct target *ret, struct err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char port[PORT_TEXT_MAX], host[INET6_ADDRSTRLEN];
    snprintf(port, sizeof port, "%lld", (long long)t->port);
    if (getaddrinfo(arena_cstr(arena, t->address), port, &hints, &found) != 0)
        return err_set(err, RC_UNAVAILABLE, "'%.*s' is no address and no name that is known",
                       STRF(t->address));
    memcpy(&ret->address, found->ai_addr, found->ai_addrlen);
    ret->n = found->ai_addrlen;
    freeaddrinfo(found);
    const struct sockaddr *address = (const struct sockaddr *)&ret->address;
    int failed = getnameinfo(address, ret->n, host, sizeof host, NULL, 0, NI_NUMERICHOST);
    ASSERT(failed == 0); /* numbers alone, and room for the longest */
    bool six = address->sa_family == AF_INET6;
    ret->text = arena_fmt(arena, "%s%s%s:%s", six ? "[" : "", host, six ? "]" : "", port);
    ret->name = str_eq(t->address, str_c(host)) ? STR("") : t->address;
    if (t->port < PROBE_PORT_FIRST || t->port > PROBE_PORT_LAST || !probe_allowed(p->open, address))
        return err_set(err, RC_FORBIDDEN,
                       "this node does not look at %.*s: neither public nor in its setting open",
                       STRF(ret->text));
    return RC_OK;
}

/* --- the looks --- */

struct body {
    struct buf kept;
    size_t passed; /* bytes */
};

static enum rc take_piece(void *arg, struct str piece, struct err *err)
{
    struct body *b = arg;
    b->passed += piece.n;
    if (b->passed > BODY_MAX)
        return err_set(err, RC_TOO_LARGE, "the answer is longer than %d MiB",
                       BODY_MAX / (1024 * 1024));
    buf_add(&b->kept, str_sub(piece, 0, b->kept.max - b->kept.n));
    return RC_OK;
}

static enum rc look_http(const struct prober *p, const struct probe_task *t,
                         const struct target *to, int64_t wait_ms, struct arena *arena,
                         struct err *err)
{
    struct wire_reply reply;
    struct body body = {.passed = 0};
    struct str port = arena_fmt(arena, "%lld", (long long)t->port);
    struct str host = arena_fmt(arena, "%.*s:%.*s", STRF(to->name), STRF(port));
    const struct pair headers[] = {{STR("Connection"), STR("close")}, {STR("Host"), host}};
    buf_init(&body.kept, arena, BODY_KEPT_MAX);
    const struct wire_request request = {
        .method = STR("GET"),
        .url = arena_fmt(arena, "http://%.*s%.*s", STRF(to->text), STRF(t->path)),
        .headers = headers,
        .header_count = to->name.n > 0 ? 2 : 1,
        .timeout_us = wait_ms * US_PER_MS,
        .piece = take_piece,
        .arg = &body};
    TRY(wire_call(p->wire, &request, arena, &reply, err));
    bool good = t->status > 0 ? reply.status == t->status
                              : reply.status >= STATUS_GOOD && reply.status < STATUS_BAD;
    if (!good)
        return err_set(err, RC_CONFLICT, "it answers with status %d", reply.status);
    if (t->contains.n > 0 && !str_has(buf_str(&body.kept), t->contains))
        return err_set(err, RC_CONFLICT, "what is wanted is not in its answer");
    return RC_OK;
}

static enum rc look_certificate(const struct prober *p, const struct probe_task *t,
                                const struct target *to, int64_t wait_ms, struct arena *arena,
                                int64_t *ret_days, struct err *err)
{
    time_us end = 0;
    TRY(reach_certificate(to->text, to->name, wait_ms, arena, &end, err));
    int64_t days = max_i64(end - clock_now(p->clock), 0) / US_PER_DAY;
    *ret_days = min_i64(days, 100000);
    return days >= t->days
               ? RC_OK
               : err_set(err, RC_CONFLICT, "the certificate is good for %lld days, %lld are wanted",
                         (long long)days, (long long)t->days);
}

static bool connects(const struct prober *p, const struct target *to, int64_t wait_ms)
{
    const struct sockaddr *address = (const struct sockaddr *)&to->address;
    return p->connects != NULL ? p->connects(p->arg, address, to->n, wait_ms)
                               : reach_connects(address, to->n, wait_ms);
}

static enum rc look(const struct prober *p, const struct probe_task *t, time_us began,
                    struct arena *arena, struct probe_result *r, struct err *err)
{
    struct target to;
    int64_t wait_ms = p->timeout_ms > 0 ? p->timeout_ms : (int64_t)PROBE_TIMEOUT_S * MILLI;
    TRY(resolve(p, t, arena, &to, err));
    time_us connecting = clock_steady(p->clock);
    if (!connects(p, &to, wait_ms))
        return err_set(err, RC_UNAVAILABLE, "nobody answers at %.*s", STRF(to.text));
    r->connect_us = clock_steady(p->clock) - connecting;
    wait_ms = max_i64(wait_ms - (clock_steady(p->clock) - began) / US_PER_MS, 1);
    switch ((enum probe_kind)t->kind) {
    case PROBE_TCP:
        return RC_OK;
    case PROBE_HTTP:
        return look_http(p, t, &to, wait_ms, arena, err);
    case PROBE_CERTIFICATE:
        return look_certificate(p, t, &to, wait_ms, arena, &r->days, err);
    }
    NEVER("a look is of one of three kinds");
}

/* Text of strange servers: cut where a character ends, and nothing that no text may have. */
static struct str bounded(struct str s, struct arena *arena)
{
    char *copy = arena_bytes(arena, s.n + 1);
    size_t n = 0, count = 0;
    for (size_t at = 0, step; at < s.n && count < PROBE_WHY_MAX; at += step, count++) {
        step = str_utf8_step(s, at);
        bool plain = step > 1 || (step == 1 && s.p[at] >= ' ' && s.p[at] != 0x7F);
        if (plain)
            memcpy(copy + n, s.p + at, step);
        else
            copy[n] = '?';
        n += plain ? step : 1;
        step = max_size(step, 1);
    }
    return str_n(copy, n);
}

void probe_look(const struct prober *p, const struct probe_task *task, struct arena *arena,
                struct probe_result *ret)
{
    struct err err;
    err_clear(&err);
    time_us began = clock_steady(p->clock);
    struct probe_result r = {.set = schema_all(&probe_result_schema),
                             .id = task->id,
                             .at = clock_now(p->clock),
                             .text = STR("")};
    enum rc rc = look(p, task, began, arena, &r, &err);
    r.total_us =
        rc == RC_OK && task->kind == PROBE_TCP ? r.connect_us : clock_steady(p->clock) - began;
    r.outcome = rc == RC_OK ? PROBE_GOOD : rc == RC_FORBIDDEN ? PROBE_REFUSED : PROBE_BAD;
    if (rc != RC_OK)
        r.text = bounded(err_text(&err), arena);
    *ret = r;
}
