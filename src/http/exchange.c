#include "http/exchange.h"

#include "base/buf.h"

enum {
    FREE_MAX = 256, /* exchanges kept for reuse by one server */
    BODY_FIRST_BYTES = 4096,
};

/* --- life --- */

static struct http_exchange *new_exchange(void)
{
    struct http_exchange *x = calloc(1, sizeof *x);
    ASSERT(x != NULL);
    arena_init(&x->arena_memory, HTTP_ARENA_BYTES);
    x->arena = &x->arena_memory;
    pthread_mutex_init(&x->wake_mutex, NULL);
    return x;
}

static void free_exchange(struct http_exchange *x)
{
    arena_fini(&x->arena_memory);
    pthread_mutex_destroy(&x->wake_mutex);
    free(x->body);
    free(x);
}

static void make_id(struct http_exchange *x)
{
    static const char digits[] = "0123456789abcdef";
    if (x->ids_left == 0) {
        clock_chance(x->server->options.clock, x->ids, sizeof x->ids);
        x->ids_left = EXCHANGE_IDS_AHEAD;
    }
    uint64_t id = x->ids[--x->ids_left];
    for (size_t i = 0; i < EXCHANGE_ID_DIGITS; i++, id >>= 4)
        x->id[i] = digits[id & 15];
}

struct http_exchange *exchange_take(struct http_server *s)
{
    pthread_mutex_lock(&s->mutex);
    struct http_exchange *x = s->free;
    if (x != NULL) {
        s->free = x->next;
        s->free_count--;
    }
    pthread_mutex_unlock(&s->mutex);
    if (x == NULL)
        x = new_exchange();
    memset(x, 0, offsetof(struct http_exchange, wake_mutex));
    x->server = s;
    x->body_limit = HTTP_BODY_BYTES_MAX;
    x->reply.fd = -1;
    err_clear(&x->err);
    make_id(x);
    atomic_fetch_add(&s->in_flight, 1);
    return x;
}

void exchange_end(struct http_exchange *x)
{
    struct http_server *s = x->server;
    for (size_t i = x->end_count; i > 0; i--)
        x->ends[i - 1].fn(x->ends[i - 1].arg);
    arena_reset(x->arena);
    if (x->body_capacity > EXCHANGE_BODY_KEEP_BYTES) {
        free(x->body);
        x->body = NULL;
        x->body_capacity = 0;
    }
    pthread_mutex_lock(&s->mutex);
    bool keep = s->free_count < FREE_MAX;
    if (keep) {
        x->next = s->free;
        s->free = x;
        s->free_count++;
    }
    pthread_mutex_unlock(&s->mutex);
    if (!keep)
        free_exchange(x);
    atomic_fetch_sub(&s->in_flight, 1);
}

void exchange_free_all(struct http_server *s)
{
    while (s->free != NULL) {
        struct http_exchange *x = s->free;
        s->free = x->next;
        free_exchange(x);
    }
    s->free_count = 0;
}

/* --- the body --- */

static void grow_body(struct http_exchange *x, size_t need)
{
    size_t capacity = max_size(x->body_capacity * 2, BODY_FIRST_BYTES);
    capacity = max_size(need, min_size(capacity, x->body_limit));
    /* Not the declared length at once: who only declares does not make us pay. */
    char *body = realloc(x->body, capacity);
    ASSERT(body != NULL);
    x->body = body;
    x->body_capacity = capacity;
}

enum rc exchange_take_body(struct http_exchange *x, struct str piece)
{
    size_t seen = (size_t)x->body_seen;
    ASSERT(seen <= x->body_limit);
    if (piece.n > x->body_limit - seen)
        return err_set(&x->err, RC_TOO_LARGE, "the body is larger than %zu bytes", x->body_limit);
    if (seen + piece.n > x->body_capacity)
        grow_body(x, seen + piece.n);
    memcpy(x->body + seen, piece.p, piece.n);
    x->body_seen += piece.n;
    return RC_OK;
}

/* --- what the handler asks --- */

struct arena *http_arena(struct http_exchange *x)
{
    return x->arena;
}

struct err *http_err(struct http_exchange *x)
{
    return &x->err;
}

enum http_method http_method(const struct http_exchange *x)
{
    return x->method;
}

struct str http_method_name(const struct http_exchange *x)
{
    return x->method_name;
}

void http_log_path(struct http_exchange *x, struct str shown)
{
    x->shown_path = shown;
}

struct str http_path(const struct http_exchange *x)
{
    return x->path;
}

struct str http_target(const struct http_exchange *x)
{
    return x->target;
}

const struct pair *http_query(const struct http_exchange *x, size_t *ret_count)
{
    *ret_count = x->query_count;
    return x->query;
}

static size_t find_header(const struct http_exchange *x, struct str name, size_t from)
{
    size_t i = from;
    while (i < x->header_count &&
           (x->headers[i].name.n != name.n || !str_eq_nocase(x->headers[i].name, name)))
        i++;
    return i;
}

struct str http_header(const struct http_exchange *x, const char *name)
{
    struct str wanted = str_c(name);
    size_t i = find_header(x, wanted, 0);
    if (i == x->header_count)
        return (struct str){NULL, 0};
    size_t again = find_header(x, wanted, i + 1);
    if (again == x->header_count)
        return x->headers[i].value;
    struct buf b;
    buf_init(&b, x->arena, (size_t)2 * HTTP_HEADER_BYTES_MAX); /* ", " is no longer than its line */
    buf_add(&b, x->headers[i].value);
    for (; again < x->header_count; again = find_header(x, wanted, again + 1)) {
        buf_add(&b, STR(", "));
        buf_add(&b, x->headers[again].value);
    }
    ASSERT(!b.full);
    return buf_str(&b);
}

const struct str *http_header_names(struct http_exchange *x, size_t *ret_count)
{
    struct str *names = NEW_N(x->arena, struct str, x->header_count + 1);
    size_t n = 0;
    for (size_t i = 0; i < x->header_count; i++) {
        if (find_header(x, x->headers[i].name, 0) < i)
            continue;
        size_t length = x->headers[i].name.n;
        char *name = arena_bytes(x->arena, length + 1);
        for (size_t k = 0; k < length; k++) {
            char c = x->headers[i].name.p[k];
            name[k] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
        }
        name[length] = '\0';
        names[n++] = str_n(name, length);
    }
    *ret_count = n;
    return names;
}

bool http_has_header(const struct http_exchange *x, const char *name)
{
    return find_header(x, str_c(name), 0) < x->header_count;
}

struct str http_body(const struct http_exchange *x)
{
    return x->body_fn == NULL ? str_n(x->body, (size_t)x->body_seen) : (struct str){NULL, 0};
}

struct str http_peer(const struct http_exchange *x)
{
    return x->peer_address;
}

struct str http_request_id(const struct http_exchange *x)
{
    return str_n(x->id, EXCHANGE_ID_DIGITS);
}

void http_set_user(struct http_exchange *x, void *user)
{
    x->user = user;
}

void *http_user(const struct http_exchange *x)
{
    return x->user;
}

void http_body_limit(struct http_exchange *x, size_t max)
{
    ASSERT(x->phase == PHASE_LINE);
    ASSERT(max <= EXCHANGE_BODY_LIMIT_MAX);
    x->body_limit = max;
}

void http_body_to(struct http_exchange *x, uint64_t max, http_body_fn fn, void *arg)
{
    ASSERT(x->phase == PHASE_LINE);
    ASSERT(fn != NULL);
    x->body_limit = max;
    x->body_fn = fn;
    x->body_arg = arg;
}

void http_at_end(struct http_exchange *x, void (*fn)(void *arg), void *arg)
{
    ASSERT(x->end_count < EXCHANGE_ENDS_MAX);
    x->ends[x->end_count++] = (struct at_end){fn, arg};
}

bool http_closing(const struct http_exchange *x)
{
    return atomic_load(&x->server->closing);
}
