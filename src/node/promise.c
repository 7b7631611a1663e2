/* The six kinds of promise.h. */
#include "node/promise.h"

#include "node/file.h"
#include "node/reach.h"

#include <arpa/inet.h>

enum {
    HTTP_REPLY_MAX = 64 * 1024,
    STATUS_GOOD = 200,
    STATUS_BAD = 400,
    DAYS_MIN = 14,
    ZONES_MAX = 64,
    MILLI = 1000,
};

static int64_t timeout_ms(const struct promise_look *look)
{
    int64_t s = look->promise->timeout_s > 0 ? look->promise->timeout_s : PROMISE_TIMEOUT_S;
    return s * MILLI;
}

static enum rc check_command(const struct promise_look *look, struct arena *arena, struct err *err)
{
    int status = 0;
    struct str output = STR("");
    struct driver_exec e = {.id = look->spec->id,
                            .command = &look->promise->command,
                            .timeout_ms = timeout_ms(look),
                            .input = -1,
                            .output = -1};
    if (look->promise->command.count == 0)
        return err_set(err, RC_INVALID, "it has no command");
    TRY(look->driver->exec(look->driver, &e, arena, &status, &output, err));
    struct str said = str_sub(str_trim(output), 0, PROMISE_TEXT_MAX);
    if (status != 0)
        return err_set(err, RC_CONFLICT, "status %d: %.*s", status, STRF(said));
    return RC_OK;
}

/* The number of a port by its name. */
static enum rc port_of(const struct promise_look *look, struct str name, int64_t *ret,
                       struct err *err)
{
    const struct spec_port *ports = look->spec->ports.items;
    for (size_t i = 0; i < look->spec->ports.count; i++)
        if (str_eq(ports[i].name, name)) {
            *ret = ports[i].port;
            return RC_OK;
        }
    return err_set(err, RC_INVALID, "there is no port '%.*s'", STRF(name));
}

static enum rc address_of(const struct promise_look *look, struct str port_name,
                          struct arena *arena, struct str *ret_address, int64_t *ret_port,
                          struct err *err)
{
    TRY(port_of(look, port_name, ret_port, err));
    return look->door->address(look->door->arg, look->spec->id, arena, ret_address, err);
}

static enum rc check_tcp(const struct promise_look *look, struct arena *arena, struct err *err)
{
    struct str address;
    int64_t port = 0;
    TRY(address_of(look, look->promise->target, arena, &address, &port, err));
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    bool good = inet_pton(AF_INET, arena_cstr(arena, address), &to.sin_addr) == 1 &&
                reach_connects((const struct sockaddr *)&to, sizeof to, timeout_ms(look));
    return good ? RC_OK
                : err_set(err, RC_UNAVAILABLE, "nobody answers at port %lld", (long long)port);
}

/* "web/health": port and path. */
static enum rc check_http(const struct promise_look *look, struct arena *arena, struct err *err)
{
    struct str path = look->promise->target, address;
    struct str name = str_cut(&path, '/');
    int64_t port = 0, wanted = look->promise->limit;
    struct wire_reply reply;
    TRY(address_of(look, name, arena, &address, &port, err));
    struct wire_request request = {.method = STR("GET"),
                                   .url = arena_fmt(arena, "http://%.*s:%lld/%.*s", STRF(address),
                                                    (long long)port, STRF(path)),
                                   .timeout_us = timeout_ms(look) * US_PER_MS,
                                   .reply_bytes_max = HTTP_REPLY_MAX};
    TRY(wire_call(look->door->wire, &request, arena, &reply, err));
    bool good = wanted > 0 ? reply.status == wanted
                           : reply.status >= STATUS_GOOD && reply.status < STATUS_BAD;
    return good ? RC_OK : err_set(err, RC_CONFLICT, "it answers with status %d", reply.status);
}

static enum rc check_disk(const struct promise_look *look, struct arena *arena, struct err *err)
{
    int64_t taken = 0;
    int64_t limit = look->promise->limit > 0 ? look->promise->limit : PROMISE_PERCENT_MAX;
    TRY(look->door->taken(look->door->arg, look->spec->id, look->promise->target, arena, &taken,
                          err));
    return taken <= limit
               ? RC_OK
               : err_set(err, RC_CONFLICT, "%lld %% of the disk is taken, at most %lld %%",
                         (long long)taken, (long long)limit);
}

static enum rc check_certificate(const struct promise_look *look, struct arena *arena,
                                 struct err *err)
{
    struct str address;
    int64_t port = 0, days = look->promise->limit > 0 ? look->promise->limit : DAYS_MIN;
    time_us end = 0;
    TRY(address_of(look, look->promise->target, arena, &address, &port, err));
    struct str at = arena_fmt(arena, "%.*s:%lld", STRF(address), (long long)port);
    TRY(reach_certificate(at, STR(""), timeout_ms(look), arena, &end, err));
    return end - clock_now(clock_system()) >= days * US_PER_DAY
               ? RC_OK
               : err_set(err, RC_CONFLICT, "the certificate ends within %lld days",
                         (long long)days);
}

int64_t promise_temperature(const char *root)
{
    int64_t hottest = -1;
    for (int i = 0; i < ZONES_MAX; i++) {
        char path[FILE_PATH_MAX];
        snprintf(path, sizeof path, "%s/thermal_zone%d/temp", root, i);
        int64_t milli = file_number(path, -1);
        if (milli >= 0)
            hottest = max_i64(hottest, milli / MILLI);
    }
    return hottest;
}

static enum rc check_temperature(const struct promise_look *look, struct err *err)
{
    int64_t limit = look->promise->limit > 0 ? look->promise->limit : PROMISE_DEGREES_MAX;
    int64_t degrees = promise_temperature(PROMISE_SENSORS);
    return degrees <= limit ? RC_OK
                            : err_set(err, RC_CONFLICT, "%lld degrees, at most %lld",
                                      (long long)degrees, (long long)limit);
}

enum rc promise_check(const struct promise_look *look, struct arena *arena, struct err *err)
{
    struct str kind = look->promise->kind;
    if (str_eq(kind, STR("command")))
        return check_command(look, arena, err);
    if (str_eq(kind, STR("tcp")))
        return check_tcp(look, arena, err);
    if (str_eq(kind, STR("http")))
        return check_http(look, arena, err);
    if (str_eq(kind, STR("disk")))
        return check_disk(look, arena, err);
    if (str_eq(kind, STR("certificate")))
        return check_certificate(look, arena, err);
    if (str_eq(kind, STR("temperature")))
        return check_temperature(look, err);
    return err_set(err, RC_UNSUPPORTED, "this agent knows no promise of kind '%.*s'", STRF(kind));
}
