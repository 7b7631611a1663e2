#include "http/curl.h"
#include "http/address.h"
#include "http/framing.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum {
    REDIRECTS_MAX = 5,
    REPLY_HEADERS_MAX = 128,
    REPLY_HEADER_BYTES_MAX = 64 * 1024,
    REPLY_BYTES_DEFAULT = 1024 * 1024,
    BODY_FIRST_BYTES = 4096,
};

/* --- handles --- */

struct wire_curl {
    struct wire wire;
    pthread_mutex_t mutex;
    CURL *idle[CURL_ALLOWED_IDLE]; /* last in, first out: a thread tends to find its own again */
    size_t idle_count;
};

static void init_curl(void)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    ASSERT(code == CURLE_OK);
}

CURL *curl_take(struct wire *w)
{
    /* The one process-wide state of this folder: libcurl wants it, once, before any thread uses
     * it. Here and not in wire_curl_open, so that a program that never calls out does not pay for
     * the start of TLS. */
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_curl);
    struct wire_curl *c = CONTAINER_OF(w, struct wire_curl, wire);
    CURL *curl = NULL;
    pthread_mutex_lock(&c->mutex);
    if (c->idle_count > 0)
        curl = c->idle[--c->idle_count];
    pthread_mutex_unlock(&c->mutex);
    if (curl == NULL)
        curl = curl_easy_init();
    ASSERT(curl != NULL);
    return curl;
}

void curl_give_back(struct wire *w, CURL *curl)
{
    struct wire_curl *c = CONTAINER_OF(w, struct wire_curl, wire);
    curl_easy_reset(curl); /* forgets the options, keeps the connections */
    pthread_mutex_lock(&c->mutex);
    bool keep = c->idle_count < CURL_ALLOWED_IDLE;
    if (keep)
        c->idle[c->idle_count++] = curl;
    pthread_mutex_unlock(&c->mutex);
    if (!keep)
        curl_easy_cleanup(curl);
}

CURLcode curl_run(CURL *curl)
{
    const struct timespec at_once = {0};
    sigset_t pipe_signal;
    sigset_t before;
    sigset_t pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    (void)sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    CURLcode code = curl_easy_perform(curl);
    if (!was_pending)
        (void)sigtimedwait(&pipe_signal, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

enum rc curl_fail(CURLcode code, const char *detail, struct str url, struct err *err)
{
    const char *why = detail[0] != '\0' ? detail : curl_easy_strerror(code);
    /* What stands behind '?' may be a secret. */
    struct str shown = str_sub(url, 0, str_find(url, '?', 0));
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
        code == CURLE_LOGIN_DENIED)
        return err_set(err, RC_INVALID, "'%.*s' cannot be called: %s", STRF(shown), why);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(err, RC_TIMEOUT, "'%.*s' took too long", STRF(shown));
    if (code == CURLE_OUT_OF_MEMORY)
        NEVER("out of memory stops the process");
    return err_set(err, RC_UNAVAILABLE, "'%.*s' cannot be reached: %s", STRF(shown), why);
}

/* --- one call --- */

struct call {
    const struct wire_request *request;
    struct arena *arena;
    struct err *err;
    CURL *curl;
    enum rc rc; /* why one of our functions stopped curl */
    bool refused_address;
    size_t body_max;
    struct pair headers[REPLY_HEADERS_MAX];
    size_t header_count;
    size_t header_bytes;
    char *body; /* malloc until it is whole */
    size_t body_n, body_capacity;
    char detail[CURL_ERROR_SIZE];
};

/* curl tells the address it is going to connect to: after DNS, so a name cannot hide it. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct call *c = arg;
    if (c->request->public_only && !address_is_public(&address->addr)) {
        c->refused_address = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool is_redirect(const struct call *c)
{
    long status = 0;
    (void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    return c->request->follow &&
           (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

static bool keep_body(struct call *c, struct str piece)
{
    if (piece.n > c->body_max - c->body_n) {
        c->rc = err_set(c->err, RC_TOO_LARGE, "the answer of '%.*s' is larger than %zu bytes",
                        STRF(c->request->url), c->body_max);
        return false;
    }
    if (c->request->piece != NULL) {
        c->body_n += piece.n;
        c->rc = c->request->piece(c->request->arg, piece, c->err);
        return c->rc == RC_OK;
    }
    if (c->body_n + piece.n > c->body_capacity) {
        size_t want =
            max_size(max_size(c->body_capacity * 2, BODY_FIRST_BYTES), c->body_n + piece.n);
        c->body_capacity = min_size(want, c->body_max);
        c->body = realloc(c->body, c->body_capacity);
        ASSERT(c->body != NULL);
    }
    memcpy(c->body + c->body_n, piece.p, piece.n);
    c->body_n += piece.n;
    return true;
}

/* Asked at least once a second, whatever comes or not. */
static int on_progress(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                       curl_off_t up)
{
    const struct call *c = arg;
    (void)down_all;
    (void)down;
    (void)up_all;
    (void)up;
    return atomic_load(c->request->given_up) ? 1 : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct call *c = arg;
    if (is_redirect(c))
        return size * count; /* nobody reads the page that says "moved" */
    return keep_body(c, str_n(bytes, size * count)) ? size * count : 0;
}

static size_t on_reply_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct call *c = arg;
    struct str line = {bytes, size * count};
    if (str_starts(line, STR("HTTP/"))) {
        c->header_count = 0; /* after "100 Continue", or of the next address */
        return line.n;
    }
    c->header_bytes += line.n;
    if (c->header_count == REPLY_HEADERS_MAX || c->header_bytes > REPLY_HEADER_BYTES_MAX) {
        c->rc = err_set(c->err, RC_TOO_LARGE, "the answer of '%.*s' has too many headers",
                        STRF(c->request->url));
        return 0;
    }
    struct str value = line;
    struct str name = str_cut(&value, ':');
    if (name.n == line.n)
        return line.n; /* the empty line at the end */
    char *lower = arena_bytes(c->arena, name.n);
    for (size_t i = 0; i < name.n; i++)
        lower[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
    c->headers[c->header_count++] =
        (struct pair){{lower, name.n}, arena_str(c->arena, str_trim(value))};
    return line.n;
}

/* --- setting up --- */

struct address {
    const char *url;         /* what curl gets */
    const char *socket_path; /* "http+unix:": NULL for all others */
};

static enum rc parse_url(const struct call *c, struct str url, struct address *ret)
{
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] >= 0x7F)
            return err_set(c->err, RC_INVALID, "the address has a space or a control character");
    struct str rest = url;
    if (!str_starts(url, STR("http+unix:"))) {
        if (!str_eq_nocase(str_sub(url, 0, 7), STR("http://")) &&
            !str_eq_nocase(str_sub(url, 0, 8), STR("https://")))
            return err_set(c->err, RC_INVALID, "'%.*s' is neither http nor https", STRF(url));
        *ret = (struct address){.url = arena_cstr(c->arena, url)};
        return RC_OK;
    }
    (void)str_cut(&rest, ':');
    struct str path = str_cut(&rest, ':');
    if (path.n == 0 || path.p[0] != '/' || rest.n == 0 || rest.p[0] != '/')
        return err_set(c->err, RC_INVALID, "'%.*s' is not http+unix:/SOCKET:/PATH", STRF(url));
    if (c->request->public_only)
        return err_set(c->err, RC_FORBIDDEN, "'%.*s' is not on the Internet", STRF(url));
    *ret = (struct address){
        .url = arena_fmt(c->arena, "http://localhost%.*s", STRF(rest)).p,
        .socket_path = arena_cstr(c->arena, path),
    };
    return RC_OK;
}

static bool is_credential(struct str name)
{
    return str_eq_nocase(name, STR("authorization")) || str_eq_nocase(name, STR("cookie"));
}

static struct curl_slist *add_line(struct curl_slist *list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(list, line);
    ASSERT(longer != NULL);
    return longer;
}

static enum rc make_headers(const struct call *c, bool is_same_host, struct curl_slist **ret)
{
    const struct wire_request *r = c->request;
    ASSERT(r->header_count <= WIRE_HEADERS_MAX);
    for (size_t i = 0; i < r->header_count; i++)
        if (!framing_is_token(r->headers[i].name) || !framing_is_value(r->headers[i].value))
            return err_set(c->err, RC_INVALID, "a header has a control character");
    bool has_type = false;
    struct curl_slist *list = add_line(NULL, "Expect:"); /* waits a second for many servers */
    for (size_t i = 0; i < r->header_count; i++) {
        struct str name = r->headers[i].name;
        struct str value = r->headers[i].value;
        has_type = has_type || str_eq_nocase(name, STR("content-type"));
        if (!is_same_host && is_credential(name))
            continue;
        /* "Name;" is how curl sends a header without a value. */
        list = add_line(list, value.n > 0
                                  ? arena_fmt(c->arena, "%.*s: %.*s", STRF(name), STRF(value)).p
                                  : arena_fmt(c->arena, "%.*s;", STRF(name)).p);
    }
    if (!has_type)
        list = add_line(list, "Content-Type:"); /* else curl invents one for bodies */
    *ret = list;
    return RC_OK;
}

static void set_method(const struct call *c, struct str method, bool with_body)
{
    CURL *curl = c->curl;
    if (str_eq(method, STR("HEAD"))) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        return;
    }
    bool has_body = with_body && (c->request->body.n > 0 || str_eq(method, STR("POST")) ||
                                  str_eq(method, STR("PUT")) || str_eq(method, STR("PATCH")));
    if (has_body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->request->body.n);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         c->request->body.n > 0 ? c->request->body.p : "");
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, arena_cstr(c->arena, method));
}

static void set_options(struct call *c, const struct address *address, int64_t timeout_us)
{
    CURL *curl = c->curl;
    long timeout_ms = (long)max_i64(1, timeout_us / US_PER_MS);
    curl_easy_setopt(curl, CURLOPT_URL, address->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* nor from the environment */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)min_i64(timeout_ms, CURL_CONNECT_MS_MAX));
    if (c->request->silence_us > 0) { /* less than a byte in each second of these */
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                         (long)max_i64(1, c->request->silence_us / US_PER_SECOND));
    }
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "hanse/" HANSE_VERSION);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->detail);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_reply_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, c);
    if (c->request->given_up != NULL) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, c);
    }
    if (address->socket_path != NULL)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, address->socket_path);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, c);
    if (c->request->public_only) {
        /* A kept connection was perhaps opened for a call that may go anywhere. */
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    }
}

/* --- running --- */

struct hop {
    struct str url;
    struct str method;
    bool with_body;
    bool is_same_host;
    int64_t left_us;
};

static enum rc run_hop(struct call *c, const struct hop *hop)
{
    struct address address;
    struct curl_slist *headers = NULL;
    TRY(parse_url(c, hop->url, &address));
    if (!framing_is_token(hop->method))
        return err_set(c->err, RC_INVALID, "'%.*s' is no method", STRF(hop->method));
    TRY(make_headers(c, hop->is_same_host, &headers));
    set_options(c, &address, hop->left_us);
    set_method(c, hop->method, hop->with_body);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_run(c->curl);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, (struct curl_slist *)NULL);
    curl_slist_free_all(headers);
    if (c->rc != RC_OK)
        return rc_failed(c->rc);
    if (code != CURLE_OK && c->refused_address)
        return err_set(c->err, RC_FORBIDDEN, "'%.*s' leads to an address that is not public",
                       STRF(hop->url));
    return code == CURLE_OK ? RC_OK : curl_fail(code, c->detail, hop->url, c->err);
}

static struct str origin_of(struct str url)
{
    size_t slashes = str_find(url, '/', 0) + 2;
    size_t end = min_size(str_find(url, '/', slashes), str_find(url, '?', slashes));
    return str_sub(url, 0, end);
}

/* Where the reply sends us; false where it is the last word. */
static enum rc next_hop(struct call *c, struct hop *hop, bool *ret_more)
{
    char *location = NULL;
    long status = 0;
    curl_off_t took_us = 0;
    (void)curl_easy_getinfo(c->curl, CURLINFO_REDIRECT_URL, &location);
    (void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(c->curl, CURLINFO_TOTAL_TIME_T, &took_us);
    *ret_more = location != NULL && is_redirect(c) && !str_starts(hop->url, STR("http+unix:"));
    if (!*ret_more)
        return RC_OK;
    struct str url = arena_str(c->arena, str_c(location));
    if (str_eq_nocase(str_sub(hop->url, 0, 8), STR("https://")) &&
        !str_eq_nocase(str_sub(url, 0, 8), STR("https://")))
        return err_set(c->err, RC_FORBIDDEN, "'%.*s' leads from https to http", STRF(hop->url));
    if (took_us >= hop->left_us)
        return err_set(c->err, RC_TIMEOUT, "'%.*s' took too long", STRF(hop->url));
    /* RFC 9110, 15.4: 303 always, and 301 and 302 in practice, ask for the new place with GET. */
    bool to_get = status == 303 ? !str_eq(hop->method, STR("HEAD"))
                                : status < 303 && str_eq(hop->method, STR("POST"));
    if (to_get) {
        hop->method = STR("GET");
        hop->with_body = false;
    }
    hop->is_same_host = hop->is_same_host && str_eq_nocase(origin_of(url), origin_of(hop->url));
    hop->left_us -= took_us;
    hop->url = url;
    return RC_OK;
}

static enum rc run(struct call *c, struct wire_reply *ret)
{
    const struct wire_request *r = c->request;
    struct hop hop = {.url = r->url,
                      .method = r->method,
                      .with_body = true,
                      .is_same_host = true,
                      .left_us = r->timeout_us > 0 ? r->timeout_us : CURL_TIMEOUT_US};
    bool more = true;
    for (int redirects = 0; more; redirects++) {
        if (redirects > REDIRECTS_MAX)
            return err_set(c->err, RC_UNAVAILABLE, "'%.*s' leads from address to address",
                           STRF(r->url));
        TRY(run_hop(c, &hop));
        TRY(next_hop(c, &hop, &more));
    }
    long status = 0;
    (void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    struct wire_reply reply = {.status = (int)status, .header_count = c->header_count};
    reply.headers = NEW_N(c->arena, struct pair, max_size(c->header_count, 1));
    memcpy(reply.headers, c->headers, c->header_count * sizeof c->headers[0]);
    if (r->piece == NULL && c->body_n > arena_room(c->arena))
        return err_set(c->err, RC_TOO_LARGE, "the answer of '%.*s' is too large", STRF(r->url));
    if (r->piece == NULL)
        reply.body = arena_str(c->arena, str_n(c->body, c->body_n));
    *ret = reply;
    return RC_OK;
}

static enum rc call(struct wire *w, const struct wire_request *request, struct arena *arena,
                    struct wire_reply *ret, struct err *err)
{
    ASSERT(request->timeout_us >= 0);
    struct call *c = calloc(1, sizeof *c);
    ASSERT(c != NULL);
    c->request = request;
    c->arena = arena;
    c->err = err;
    c->body_max = request->reply_bytes_max > 0 ? request->reply_bytes_max : REPLY_BYTES_DEFAULT;
    if (request->piece == NULL)
        c->body_max = min_size(c->body_max, WIRE_REPLY_BYTES_MAX);
    else if (request->reply_bytes_max == 0)
        c->body_max = SIZE_MAX; /* nothing is kept: the receiver of the pieces has the bound */
    c->curl = curl_take(w);
    enum rc rc = run(c, ret);
    curl_give_back(w, c->curl);
    free(c->body);
    free(c);
    return rc;
}

/* --- life --- */

struct wire *wire_curl_open(void)
{
    struct wire_curl *c = calloc(1, sizeof *c);
    ASSERT(c != NULL);
    c->wire = (struct wire){.call = call, .mail = smtp_mail};
    pthread_mutex_init(&c->mutex, NULL);
    return &c->wire;
}

void wire_curl_close(struct wire *w)
{
    if (w == NULL)
        return;
    struct wire_curl *c = CONTAINER_OF(w, struct wire_curl, wire);
    for (size_t i = 0; i < c->idle_count; i++)
        curl_easy_cleanup(c->idle[i]);
    pthread_mutex_destroy(&c->mutex);
    free(c);
}
