#include "node/reach.h"

#include "node/run.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

bool reach_connects(const struct sockaddr *to, socklen_t n, int64_t wait_ms)
{
    int failure = 0;
    socklen_t size = sizeof failure;
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool good = connect(fd, to, n) == 0;
    if (!good && errno == EINPROGRESS) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        good = poll(&p, 1, (int)wait_ms) == 1 &&
               getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0;
    }
    close(fd);
    return good;
}

/* "notAfter=2027-11-26 18:54:05Z" */
static bool read_end(struct str said, struct arena *arena, time_us *ret)
{
    struct str rest = str_trim(said);
    (void)str_cut(&rest, '=');
    struct str day = str_cut(&rest, ' ');
    return time_parse(arena_fmt(arena, "%.*sT%.*s", STRF(day), STRF(rest)), ret);
}

enum rc reach_certificate(struct str at, struct str name, int64_t wait_ms, struct arena *arena,
                          time_us *ret_end, struct err *err)
{
    struct str shown = STR(""), said = STR("");
    int status = 0;
    const char *where = arena_cstr(arena, at);
    const char *const named[] = {
        "openssl", "s_client", "-connect", where, "-servername", arena_cstr(arena, name), NULL};
    const char *const plain[] = {"openssl", "s_client", "-connect", where, NULL};
    struct run show = {
        .argv = name.n > 0 ? named : plain, .input = STR("Q\n"), .timeout_ms = wait_ms};
    TRY(run_program(&show, arena, &status, &shown, err));
    if (!str_has(shown, STR("BEGIN CERTIFICATE")))
        return err_set(err, RC_UNAVAILABLE, "no certificate is shown at %.*s", STRF(at));
    struct run end = {.argv = (const char *const[]){"openssl", "x509", "-noout", "-enddate",
                                                    "-dateopt", "iso_8601", NULL},
                      .input = shown,
                      .timeout_ms = wait_ms};
    TRY(run_program(&end, arena, &status, &said, err));
    return status == 0 && read_end(said, arena, ret_end)
               ? RC_OK
               : err_set(err, RC_UNAVAILABLE, "the certificate at %.*s cannot be read", STRF(at));
}
