#include "http/gzip.h"
#include "http/exchange.h"

#include <zlib.h>

enum {
    LEVEL = 4,        /* most of the gain at a third of the time of the default, 6 */
    WINDOW_BITS = 15, /* 32 KiB */
    GZIP_BITS = 16,   /* added: write a gzip header, not zlib's */
    MEMORY_LEVEL = 8, /* zlib's default: 256 KiB a compressor */
    Q_WHOLE = 1000,   /* q=1 in thousandths */
    IDLE_MAX = 8,     /* compressors kept */
};

struct gzip {
    struct gzip *next;
    size_t below; /* idle ones under this one */
    z_stream z;
};

/* "0.5" in thousandths; -1 for what is no qvalue (RFC 9110, 12.4.2). */
static int parse_q(struct str s)
{
    if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') || (s.n > 1 && s.p[1] != '.'))
        return -1;
    int value = (s.p[0] - '0') * Q_WHOLE;
    int unit = Q_WHOLE / 10;
    for (size_t i = 2; i < s.n; i++, unit /= 10) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -1;
        value += (s.p[i] - '0') * unit;
    }
    return value <= Q_WHOLE ? value : -1;
}

bool gzip_is_accepted(struct str accept_encoding)
{
    int gzip = -1;
    int any = -1;
    while (accept_encoding.n > 0) {
        struct str part = str_cut(&accept_encoding, ',');
        struct str name = str_trim(str_cut(&part, ';'));
        part = str_trim(part);
        int q = Q_WHOLE;
        if (part.n > 0)
            q = str_eq_nocase(str_sub(part, 0, 2), STR("q=")) ? parse_q(str_sub(part, 2, part.n))
                                                              : -1;
        if (q < 0)
            continue; /* not understood: not taken */
        if (str_eq_nocase(name, STR("gzip")) || str_eq_nocase(name, STR("x-gzip")))
            gzip = q;
        else if (str_eq(name, STR("*")))
            any = q;
    }
    return gzip >= 0 ? gzip > 0 : any > 0;
}

bool gzip_is_worth(struct str type)
{
    struct str name = str_trim(str_cut(&type, ';'));
    return (str_starts(name, STR("text/")) && !str_eq(name, STR("text/event-stream"))) ||
           str_ends(name, STR("json")) || str_ends(name, STR("xml")) ||
           str_ends(name, STR("javascript")) || str_eq(name, STR("application/wasm"));
}

static struct gzip *take(struct http_server *s)
{
    pthread_mutex_lock(&s->mutex);
    struct gzip *g = s->compressors;
    if (g != NULL)
        s->compressors = g->next;
    pthread_mutex_unlock(&s->mutex);
    if (g != NULL)
        return g;
    g = calloc(1, sizeof *g);
    ASSERT(g != NULL);
    int rc = deflateInit2(&g->z, LEVEL, Z_DEFLATED, WINDOW_BITS + GZIP_BITS, MEMORY_LEVEL,
                          Z_DEFAULT_STRATEGY);
    ASSERT(rc == Z_OK);
    return g;
}

static void free_gzip(struct gzip *g)
{
    (void)deflateEnd(&g->z);
    free(g);
}

static void give_back(struct http_server *s, struct gzip *g)
{
    int rc = deflateReset(&g->z);
    ASSERT(rc == Z_OK);
    pthread_mutex_lock(&s->mutex);
    g->next = s->compressors;
    g->below = g->next != NULL ? g->next->below + 1 : 0;
    bool keep = g->below < IDLE_MAX;
    if (keep)
        s->compressors = g;
    pthread_mutex_unlock(&s->mutex);
    if (!keep)
        free_gzip(g);
}

void gzip_free_all(struct http_server *s)
{
    while (s->compressors != NULL) {
        struct gzip *g = s->compressors;
        s->compressors = g->next;
        free_gzip(g);
    }
}

/* The compressed form in the arena; empty where it would not be smaller. */
static struct str compress_body(struct http_exchange *x, struct str body)
{
    if (body.n > arena_room(x->arena) / 2)
        return (struct str){NULL, 0};
    struct gzip *g = take(x->server);
    size_t room = body.n - body.n / 16;
    char *p = arena_bytes(x->arena, room);
    g->z.next_in = (Bytef *)(uintptr_t)body.p;
    g->z.avail_in = (uInt)body.n;
    g->z.next_out = (Bytef *)p;
    g->z.avail_out = (uInt)room;
    bool smaller = deflate(&g->z, Z_FINISH) == Z_STREAM_END;
    size_t n = room - g->z.avail_out;
    give_back(x->server, g);
    return smaller ? str_n(p, n) : (struct str){NULL, 0};
}

static bool has_reply_header(const struct http_exchange *x, struct str name)
{
    for (size_t i = 0; i < x->reply.header_count; i++)
        if (str_eq_nocase(x->reply_headers[i].name, name))
            return true;
    return false;
}

void gzip_reply(struct http_exchange *x)
{
    struct reply *r = &x->reply;
    if (r->kind != REPLY_BYTES || r->body.n < HTTP_GZIP_FROM_BYTES || r->status == 206 ||
        r->body.n > UINT32_MAX || !gzip_is_worth(str_c(r->type)) ||
        has_reply_header(x, STR("content-encoding")) ||
        r->header_count + 2 > HTTP_REPLY_HEADERS_MAX)
        return;
    http_reply_header(x, "Vary", STR("Accept-Encoding"));
    if (!gzip_is_accepted(http_header(x, "accept-encoding")))
        return;
    struct str small = compress_body(x, r->body);
    if (small.n == 0)
        return;
    r->body = small;
    http_reply_header(x, "Content-Encoding", STR("gzip"));
}
