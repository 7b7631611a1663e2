#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un un;
};

static enum rc parse_unix(struct str path, union address *ret, socklen_t *ret_n, struct err *err)
{
    union address a = {.un.sun_family = AF_UNIX};
    if (path.n == 0 || path.p[0] != '/' || path.n >= sizeof a.un.sun_path)
        return err_set(err, RC_INVALID, "'unix:%.*s' is no absolute path of at most %zu bytes",
                       STRF(path), sizeof a.un.sun_path - 1);
    memcpy(a.un.sun_path, path.p, path.n);
    *ret = a;
    *ret_n = sizeof a.un;
    return RC_OK;
}

static enum rc parse_ip(struct str text, union address *ret, socklen_t *ret_n, struct err *err)
{
    size_t colon = text.n;
    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    int64_t port = 0;
    char host_text[INET6_ADDRSTRLEN] = "";
    union address a = {0};
    bool ok = colon > 0 && str_to_i64(str_sub(text, colon, text.n), 0, UINT16_MAX, &port);
    struct str host = str_sub(text, 0, colon > 0 ? colon - 1 : 0);
    bool is_v6 = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (is_v6)
        host = str_sub(host, 1, host.n - 1);
    if (host.n < sizeof host_text)
        memcpy(host_text, host.p, host.n);
    if (ok && is_v6) {
        a.v6.sin6_family = AF_INET6;
        a.v6.sin6_port = htons((uint16_t)port);
        ok = inet_pton(AF_INET6, host_text, &a.v6.sin6_addr) == 1;
        *ret_n = sizeof a.v6;
    } else if (ok) {
        a.v4.sin_family = AF_INET;
        a.v4.sin_port = htons((uint16_t)port);
        ok = inet_pton(AF_INET, host_text, &a.v4.sin_addr) == 1;
        *ret_n = sizeof a.v4;
    }
    if (!ok)
        return err_set(err, RC_INVALID,
                       "'%.*s' is no address to listen on: want 127.0.0.1:8420, [::1]:8420 or "
                       "unix:/path",
                       STRF(text));
    *ret = a;
    return RC_OK;
}

/* Whether somebody answers at a socket file; a file without anybody is left by a crash. */
static bool is_alive(const union address *a, socklen_t n)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool refused = fd >= 0 && connect(fd, &a->any, n) != 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        (void)close(fd);
    return !refused;
}

static void write_text(struct listen_socket *s, union address *a)
{
    char host[INET6_ADDRSTRLEN] = "";
    socklen_t n = sizeof *a;
    if (!s->is_unix)
        (void)getsockname(s->fd, &a->any, &n);
    int length = 0;
    if (s->is_unix)
        length = snprintf(s->text, sizeof s->text, "unix:%s", a->un.sun_path);
    else if (a->any.sa_family == AF_INET6)
        length = snprintf(s->text, sizeof s->text, "[%s]:%u",
                          inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof host),
                          ntohs(a->v6.sin6_port));
    else
        length =
            snprintf(s->text, sizeof s->text, "%s:%u",
                     inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof host), ntohs(a->v4.sin_port));
    ASSERT(length > 0 && (size_t)length < sizeof s->text);
    s->text_n = (size_t)length;
}

static enum rc bind_and_listen(int fd, const union address *a, socklen_t n, struct str address,
                               struct err *err)
{
    const int on = 1;
    bool is_unix = a->any.sa_family == AF_UNIX;
    if (!is_unix)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    int rc = bind(fd, &a->any, n);
    if (rc != 0 && errno == EADDRINUSE && is_unix && !is_alive(a, n)) {
        (void)unlink(a->un.sun_path);
        rc = bind(fd, &a->any, n);
    }
    if (rc == 0)
        rc = listen(fd, SOMAXCONN);
    if (rc == 0)
        return RC_OK;
    if (errno == EADDRINUSE)
        return err_set(err, RC_CONFLICT, "another program listens on '%.*s' already",
                       STRF(address));
    return err_set(err, RC_UNAVAILABLE, "cannot listen on '%.*s': %s", STRF(address),
                   strerror(errno));
}

enum rc listen_open(struct str address, struct listen_socket *ret, struct err *err)
{
    union address a = {0};
    socklen_t n = 0;
    struct listen_socket s = {.is_unix = str_starts(address, STR("unix:"))};
    if (s.is_unix)
        TRY(parse_unix(str_sub(address, 5, address.n), &a, &n, err));
    else
        TRY(parse_ip(address, &a, &n, err));
    s.fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s.fd < 0)
        return err_set(err, RC_UNAVAILABLE, "cannot listen on '%.*s': %s", STRF(address),
                       strerror(errno));
    enum rc rc = bind_and_listen(s.fd, &a, n, address, err);
    if (rc != RC_OK) {
        (void)close(s.fd);
        return rc;
    }
    write_text(&s, &a);
    *ret = s;
    return RC_OK;
}

void listen_close(struct listen_socket *s)
{
    if (s->fd < 0)
        return;
    if (s->is_unix)
        (void)unlink(s->text + strlen("unix:"));
    (void)close(s->fd);
    s->fd = -1;
}
