/* Usage and images: what is long and may be cut off. */
#include "node/link.h"

#include "node/disk.h"
#include "node/file.h"
#include "node/image.h"

#include "base/point.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    EVENTS_BYTES_MAX = 4 * 1024 * 1024,
    STATUS_OK = 200,
    STATUS_PARTIAL = 206,
    MILLION = 1000000
};
#define FETCH_US   (3600 * US_PER_SECOND)
#define SILENCE_US (30 * US_PER_SECOND) /* then the connection is dead, and another one goes on */

/* --- usage --- */

static struct str cpu_seconds(const struct spool_record *r, struct arena *arena)
{
    return arena_fmt(arena, "%" PRId64 ".%06" PRId64, r->cpu_us / MILLION, r->cpu_us % MILLION);
}

/* bytes times seconds, cut to whole ones; the product has 128 bits. */
static struct str byte_seconds(const struct spool_record *r, int64_t bytes, struct arena *arena)
{
    __int128 product = (__int128)bytes * (r->until - r->from) / MILLION;
    int64_t held = product > INT64_MAX ? INT64_MAX : (int64_t)product;
    return arena_fmt(arena, "%" PRId64, held);
}

static struct str plain(int64_t number, struct arena *arena)
{
    return arena_fmt(arena, "%" PRId64, number);
}

/* The meters of a service, by the codes that profiles name. */
enum meter { METER_CPU, METER_MEMORY, METER_DISK, METER_IN, METER_OUT, METER_READ, METER_WRITTEN };
static const char *const meter_codes[] = {"cpu",         "memory",    "disk",        "network-in",
                                          "network-out", "disk-read", "disk-written"};

static struct str quantity_of(enum meter meter, const struct spool_record *r, struct arena *arena)
{
    switch (meter) {
    case METER_CPU:
        return cpu_seconds(r, arena);
    case METER_MEMORY:
        return byte_seconds(r, r->memory_bytes, arena);
    case METER_DISK:
        return byte_seconds(r, r->disk_bytes, arena);
    case METER_IN:
        return plain(r->received_bytes, arena);
    case METER_OUT:
        return plain(r->sent_bytes, arena);
    case METER_READ:
        return plain(r->read_bytes, arena);
    case METER_WRITTEN:
        return plain(r->written_bytes, arena);
    }
    NEVER("a meter is one of seven");
}

static void put(struct json_writer *w, const char *key, struct str text)
{
    json_put_key(w, str_c(key));
    json_put_str(w, text);
}

/* One CloudEvent; its id is the same whenever it is sent. */
static void put_event(const struct link *l, enum meter meter, const struct spool_record *r,
                      struct json_writer *w, struct arena *arena)
{
    char from[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
    time_format(r->from, from);
    time_format(r->until, until);
    json_begin_object(w);
    put(w, "specversion", STR("1.0"));
    put(w, "type", str_c(meter_codes[meter]));
    put(w, "source", arena_fmt(arena, "urn:hanse:%.*s", STRF(l->node)));
    put(w, "id", arena_fmt(arena, "%" PRId64 "-%s", r->number, meter_codes[meter]));
    put(w, "subject", r->subscription);
    put(w, "time", str_c(until));
    json_put_key(w, STR("data"));
    json_begin_object(w);
    put(w, "t0", str_c(from));
    put(w, "t1", str_c(until));
    put(w, "qty", quantity_of(meter, r, arena));
    json_end_object(w);
    json_end_object(w);
}

static struct str events_of(const struct link *l, enum meter meter, const struct list *records,
                            struct arena *arena)
{
    struct buf text;
    struct json_writer w;
    const struct spool_record *items = records->items;
    buf_init(&text, arena, EVENTS_BYTES_MAX);
    json_writer_init(&w, &text);
    json_begin_array(&w);
    for (size_t i = 0; i < records->count; i++)
        put_event(l, meter, &items[i], &w, arena);
    json_end_array(&w);
    ASSERT(!text.full);
    return buf_str(&text);
}

/* Refused for what it is, not for when it came: the same would be refused for ever. */
static bool is_final(enum rc rc)
{
    return rc == RC_INVALID || rc == RC_NOT_FOUND || rc == RC_GONE || rc == RC_FORBIDDEN ||
           rc == RC_CLOSED;
}

/* One record at a time where many were refused: what is good among them is not lost. */
static enum rc send_meter(struct link *l, enum meter meter, const struct list *records,
                          struct arena *arena, struct err *err)
{
    struct wire_reply reply;
    struct err why;
    err_clear(&why);
    enum rc rc = link_call(l, "POST", STR("/v1/node/usage"), events_of(l, meter, records, arena),
                           arena, &reply, &why);
    if (rc == RC_OK)
        return RC_OK;
    if (!is_final(rc)) {
        *err = why;
        return rc;
    }
    if (records->count == 1) {
        log_event(l->log, LOG_WARN, "node.usage", LOG_S("meter", str_c(meter_codes[meter])),
                  LOG_S("refused", err_text(&why)));
        return RC_OK;
    }
    struct spool_record *items = records->items;
    size_t half = records->count / 2;
    struct list first = {.items = items, .count = half};
    struct list second = {.items = items + half, .count = records->count - half};
    TRY(send_meter(l, meter, &first, arena, err)); // NOLINT(misc-no-recursion): halves end
    return send_meter(l, meter, &second, arena, err);
}

enum rc link_usage(struct link *l, struct spool *spool, struct arena *arena, bool *ret,
                   struct err *err)
{
    struct list records;
    TRY(spool_next(spool, arena, &records, err));
    *ret = records.count == SPOOL_SEND_MAX;
    if (records.count == 0)
        return RC_OK;
    for (size_t i = 0; i < COUNT(meter_codes); i++)
        TRY(send_meter(l, (enum meter)i, &records, arena, err));
    const struct spool_record *items = records.items;
    return spool_sent(spool, items[records.count - 1].number, err);
}

/* --- images and backups --- */

struct fetch {
    int fd;
    int64_t left; /* bytes that may still come */
};

static enum rc take_piece(void *arg, struct str piece, struct err *err)
{
    struct fetch *f = arg;
    f->left -= (int64_t)piece.n;
    if (f->left < 0)
        return err_set(err, RC_TOO_LARGE, "the file is longer than it was said to be");
    while (piece.n > 0) {
        ssize_t n = write(f->fd, piece.p, piece.n);
        if (n <= 0)
            return file_failed(err, "cannot write", "the file");
        piece = str_sub(piece, (size_t)n, piece.n);
    }
    point_pass("fetch.piece");
    return RC_OK;
}

/* What time mends, and no doing of this node: the other side is away, busy, or waits itself. */
static bool is_not_yet(const struct link *l, enum rc rc)
{
    bool away = rc == RC_UNAVAILABLE || rc == RC_TIMEOUT || rc == RC_TOO_MANY || rc == RC_REMOTE ||
                rc == RC_INTERNAL || rc == RC_CONFLICT;
    return away && (l->ending == NULL || !atomic_load(l->ending));
}

static enum rc fetch_into(struct link *l, struct str target, int64_t bytes, int fd,
                          struct arena *arena, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || lseek(fd, 0, SEEK_END) < 0)
        return file_failed(err, "cannot write", "the file");
    if (st.st_size >= bytes)
        return RC_OK; /* all of it is here; its hash decides */
    TRY(disk_want_room(l->home, bytes - st.st_size, err));
    struct fetch f = {.fd = fd, .left = bytes - st.st_size};
    struct pair range = {STR("Range"), arena_fmt(arena, "bytes=%" PRId64 "-", (int64_t)st.st_size)};
    struct pair headers[WIRE_HEADERS_MAX] = {range};
    struct signature_request sign = {
        .method = STR("GET"), .target = target, .node = l->node, .time = clock_now(l->clock)};
    headers[1] = (struct pair){STR("Hanse-Node"), l->node};
    headers[2] = (struct pair){STR("Hanse-Time"), plain(sign.time, arena)};
    headers[3] = (struct pair){STR("Hanse-Signature"), signature_make(&sign, l->secret, arena)};
    struct wire_request request = {.method = STR("GET"),
                                   .url =
                                       arena_fmt(arena, "%.*s%.*s", STRF(l->server), STRF(target)),
                                   .headers = headers,
                                   .header_count = 4,
                                   .timeout_us = FETCH_US,
                                   .silence_us = SILENCE_US,
                                   .piece = take_piece,
                                   .arg = &f,
                                   .given_up = l->ending};
    struct wire_reply reply;
    enum rc rc = wire_call(l->wire, &request, arena, &reply, err);
    /* More than was missing: who sends does not know parts, and what came is of the beginning. */
    if (rc == RC_TOO_LARGE && ftruncate(fd, 0) != 0)
        return file_failed(err, "cannot cut", "the file");
    if (is_not_yet(l, rc))
        return err->rc = RC_RETRY;
    TRY(rc);
    bool whole = reply.status == STATUS_OK && st.st_size == 0;
    if (whole || reply.status == STATUS_PARTIAL)
        return RC_OK;
    /* What came was no part of it: an error's text, or all of it from its beginning. */
    int64_t keep = reply.status == STATUS_OK ? 0 : (int64_t)st.st_size;
    if (ftruncate(fd, keep) != 0)
        return file_failed(err, "cannot cut", "the file");
    enum rc said = rc_from_http(reply.status);
    if (is_not_yet(l, said))
        return err_set(err, RC_RETRY, "'%.*s' is not there yet (status %d)", STRF(target),
                       reply.status);
    return err_set(err, RC_UNAVAILABLE, "'%.*s' was answered with status %d", STRF(target),
                   reply.status);
}

enum rc link_fetch_file(struct link *l, struct str target, int64_t bytes, const char *path,
                        struct arena *arena, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_failed(err, "cannot make", path);
    enum rc rc = fetch_into(l, target, bytes, fd, arena, err);
    if (rc == RC_OK && fsync(fd) != 0)
        rc = file_failed(err, "cannot write", path);
    close(fd);
    point_pass("fetch.whole");
    return rc;
}

enum rc link_fetch(void *arg, const struct spec_image *image, const char *path, struct arena *arena,
                   struct err *err)
{
    struct str target = arena_fmt(arena, "/v1/node/images/%.*s", STRF(image->sha256));
    return link_fetch_file(arg, target, image->bytes, path, arena, err);
}
