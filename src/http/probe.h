/*
 * probe.h - for the tests of this folder: a server on a free port, and a client that sends bytes as
 * they are and reads what comes back.
 */
#ifndef HTTP_PROBE_H
#define HTTP_PROBE_H

#include "http/http.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PROBE_WAIT_MS = 60000, PROBE_TEXT_MAX = 4 * 1024 * 1024 };

UNUSED static struct http_server *probe_open(const struct http_options *given)
{
    struct http_options o = *given;
    if (o.listen.n == 0)
        o.listen = STR("127.0.0.1:0");
    if (o.clock == NULL)
        o.clock = clock_system();
    if (o.threads == 0)
        o.threads = 2;
    struct err err = {0};
    struct http_server *s = NULL;
    enum rc rc = http_open(&s, &o, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    return s;
}

UNUSED static int probe_connect(struct str address)
{
    int fd = -1;
    int rc = -1;
    if (str_starts(address, STR("unix:"))) {
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        memcpy(un.sun_path, address.p + 5, address.n - 5);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        rc = connect(fd, (struct sockaddr *)&un, sizeof un);
    } else {
        size_t colon = str_find(address, ':', 0);
        int64_t port = 0;
        ck_assert(str_to_i64(str_sub(address, colon + 1, address.n), 1, 65535, &port));
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        rc = connect(fd, (struct sockaddr *)&in, sizeof in);
    }
    ck_assert_msg(rc == 0, "connect: %s", strerror(errno));
    return fd;
}

/* Sends what the other side takes; it may close in the middle. */
UNUSED static bool probe_send(int fd, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes = str_sub(bytes, (size_t)n, bytes.n);
    }
    return true;
}

/* Adds to what is in text already; false at the end or after a reset. */
UNUSED static bool probe_more(int fd, char *text, size_t *n)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ready = poll(&p, 1, PROBE_WAIT_MS);
    ck_assert_msg(ready > 0, "the server said nothing for too long");
    ssize_t got = recv(fd, text + *n, PROBE_TEXT_MAX - *n - 1, 0);
    if (got > 0)
        *n += (size_t)got;
    text[*n] = '\0';
    return got > 0;
}

/* Everything until the server closes. The text is freed by the caller. */
UNUSED static char *probe_read_all(int fd, size_t *ret_n)
{
    char *text = malloc(PROBE_TEXT_MAX);
    size_t n = 0;
    while (probe_more(fd, text, &n))
        ;
    if (ret_n != NULL)
        *ret_n = n;
    text[n] = '\0';
    return text;
}

/* One whole reply with a Content-Length. */
UNUSED static char *probe_read_reply(int fd)
{
    char *text = malloc(PROBE_TEXT_MAX);
    size_t n = 0;
    text[0] = '\0';
    while (strstr(text, "\r\n\r\n") == NULL)
        if (!probe_more(fd, text, &n))
            return text;
    const char *length = strcasestr(text, "\r\nContent-Length: ");
    size_t want = (size_t)(strstr(text, "\r\n\r\n") + 4 - text);
    if (length != NULL)
        want += strtoul(length + 18, NULL, 10);
    while (n < want && probe_more(fd, text, &n))
        ;
    return text;
}

/* Send on a connection of its own, read until the server closes. */
UNUSED static char *probe_ask(const struct http_server *s, const char *request)
{
    int fd = probe_connect(http_address(s));
    (void)probe_send(fd, str_c(request));
    char *text = probe_read_all(fd, NULL);
    close(fd);
    return text;
}

UNUSED static int probe_status(const char *reply)
{
    return strncmp(reply, "HTTP/1.1 ", 9) == 0 ? (int)strtol(reply + 9, NULL, 10) : 0;
}

/* How often part occurs. */
UNUSED static size_t probe_count(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

#endif
