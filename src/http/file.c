#include "http/exchange.h"
#include "http/gzip.h"
#include "http/range.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEPTH_MAX = 16,
    HASH_DIGITS = 8,
    SQUEEZE_BYTES_MAX = 1024 * 1024, /* larger files are sent as they are, or from NAME.gz */
    ETAG_MAX = 48,
};

/* A file that is open, or fd < 0. */
struct file {
    int fd;
    uint64_t size;
    char etag[ETAG_MAX]; /* without the closing quote: "\"17f-5e2c" */
};

/* --- finding it --- */

/* Every part is opened below the one before and no symbolic link is followed: what a link points
 * at may lie outside the folder, now or after somebody changes it. */
static int open_below(int folder, struct str path)
{
    int at = folder;
    if (str_ends(path, STR("/")))
        return -1;
    for (size_t depth = 0; depth < DEPTH_MAX; depth++) {
        struct str part = str_cut(&path, '/');
        char name[256];
        if (part.n == 0 || part.n >= sizeof name || part.p[0] == '.' ||
            str_find(part, '\0', 0) < part.n)
            break;
        memcpy(name, part.p, part.n);
        name[part.n] = '\0';
        bool is_last = path.n == 0;
        /* O_NONBLOCK: opening a pipe does not wait for its writer. */
        int fd = openat(at, name,
                        O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
                            (is_last ? O_NONBLOCK : O_DIRECTORY | O_PATH));
        if (at != folder)
            (void)close(at);
        if (is_last || fd < 0)
            return fd;
        at = fd;
    }
    if (at != folder)
        (void)close(at);
    return -1;
}

static bool open_file(int folder, struct str path, struct file *ret)
{
    struct file file = {.fd = open_below(folder, path)};
    if (file.fd < 0)
        return false;
    struct stat st;
    if (fstat(file.fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(file.fd);
        return false;
    }
    file.size = (uint64_t)st.st_size;
    int n = snprintf(file.etag, sizeof file.etag, "\"%llx-%llx%05lx", (unsigned long long)file.size,
                     (unsigned long long)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec / 1000);
    ASSERT(n > 0 && (size_t)n < sizeof file.etag);
    *ret = file;
    return true;
}

/* --- what it is --- */

static const char *type_of(struct str path)
{
    static const struct {
        struct str suffix;
        const char *type;
    } types[] = {
        {STR_INIT(".html"), "text/html; charset=utf-8"},
        {STR_INIT(".css"), "text/css; charset=utf-8"},
        {STR_INIT(".js"), "text/javascript; charset=utf-8"},
        {STR_INIT(".mjs"), "text/javascript; charset=utf-8"},
        {STR_INIT(".json"), "application/json"},
        {STR_INIT(".map"), "application/json"},
        {STR_INIT(".webmanifest"), "application/manifest+json"},
        {STR_INIT(".txt"), "text/plain; charset=utf-8"},
        {STR_INIT(".md"), "text/markdown; charset=utf-8"},
        {STR_INIT(".csv"), "text/csv; charset=utf-8"},
        {STR_INIT(".xml"), "application/xml"},
        {STR_INIT(".svg"), "image/svg+xml"},
        {STR_INIT(".png"), "image/png"},
        {STR_INIT(".jpg"), "image/jpeg"},
        {STR_INIT(".jpeg"), "image/jpeg"},
        {STR_INIT(".webp"), "image/webp"},
        {STR_INIT(".avif"), "image/avif"},
        {STR_INIT(".gif"), "image/gif"},
        {STR_INIT(".ico"), "image/x-icon"},
        {STR_INIT(".woff2"), "font/woff2"},
        {STR_INIT(".woff"), "font/woff"},
        {STR_INIT(".ttf"), "font/ttf"},
        {STR_INIT(".wasm"), "application/wasm"},
        {STR_INIT(".pdf"), "application/pdf"},
        {STR_INIT(".zip"), "application/zip"},
        {STR_INIT(".gz"), "application/gzip"},
    };
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_ends(path, types[i].suffix))
            return types[i].type;
    return "application/octet-stream";
}

static bool is_base64url(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

/* Figures and letters a to f, some of each: "20261122" and "decade" are no hashes. */
static bool is_hex_hash(struct str s)
{
    size_t figures = 0;
    size_t letters = 0;
    for (size_t i = 0; i < s.n; i++) {
        figures += s.p[i] >= '0' && s.p[i] <= '9';
        letters += s.p[i] >= 'a' && s.p[i] <= 'f';
    }
    return s.n >= HASH_DIGITS && figures > 0 && letters > 0 && figures + letters == s.n;
}

/* Whether the name changes with the content: "app-3f9a0c1d.js". Elsewhere than in a folder called
 * "assets", where build tools write "app-BkX_a-Qz.js", only what nobody types counts, so that
 * "minutes-20261122.pdf" is not frozen for a year. */
static bool is_hashed(struct str path)
{
    size_t dot = path.n;
    while (dot > 0 && path.p[dot - 1] != '.' && path.p[dot - 1] != '/')
        dot--;
    if (dot < 2 || path.p[dot - 1] != '.')
        return false;
    struct str stem = str_sub(path, 0, dot - 1);
    bool is_asset = str_starts(path, STR("assets/")) || str_has(path, STR("/assets/"));
    if (is_asset && stem.n > HASH_DIGITS && stem.p[stem.n - HASH_DIGITS - 1] == '-' &&
        is_base64url(str_sub(stem, stem.n - HASH_DIGITS, stem.n)))
        return true;
    size_t at = stem.n;
    while (at > 0 && stem.p[at - 1] != '-' && stem.p[at - 1] != '.' && stem.p[at - 1] != '/')
        at--;
    return at > 1 && stem.p[at - 1] != '/' && is_hex_hash(str_sub(stem, at, stem.n));
}

/* --- conditions --- */

/* Weak comparison (RFC 9110, 8.8.3.2); the form for gzip has the same tag with "-gz" inside. */
static bool etag_is_listed(struct str list, struct str etag)
{
    if (str_eq(str_trim(list), STR("*")))
        return true;
    while (list.n > 0) {
        struct str one = str_trim(str_cut(&list, ','));
        if (str_starts(one, STR("W/")))
            one = str_sub(one, 2, one.n);
        if (str_eq(one, etag))
            return true;
    }
    return false;
}

/* --- the reply --- */

static void reply_part(struct http_exchange *x, int status, const char *type, struct file *file,
                       uint64_t from, uint64_t n)
{
    http_reply(x, status, type, STR(""));
    if (n == 0) {
        (void)close(file->fd);
        return;
    }
    x->reply.kind = REPLY_FILE;
    x->reply.fd = file->fd; /* closed with the reply */
    x->reply.offset = from;
    x->reply.size = n;
}

/* All of a short file in the arena, where the usual compression finds it; false where it changed
 * under our hands. */
static bool reply_squeezed(struct http_exchange *x, const char *type, struct file *file)
{
    size_t size = (size_t)file->size;
    char *p = arena_bytes(x->arena, size + 1);
    size_t n = 0;
    while (n < size) {
        ssize_t got = pread(file->fd, p + n, size - n, (off_t)n);
        if (got <= 0)
            return false;
        n += (size_t)got;
    }
    (void)close(file->fd);
    http_reply(x, 200, type, str_n(p, n));
    return true;
}

static void reply_whole(struct http_exchange *x, const char *type, struct file *file, bool squeeze)
{
    uint64_t from = 0;
    uint64_t n = file->size;
    struct str etag = arena_fmt(x->arena, "%s\"", file->etag);
    struct str if_range = http_header(x, "if-range");
    enum range range = RANGE_NONE;
    if (x->method == HTTP_GET && (if_range.n == 0 || str_eq(if_range, etag)))
        range = range_parse(http_header(x, "range"), file->size, &from, &n);
    http_reply_header(x, "Accept-Ranges", STR("bytes"));
    switch (range) {
    case RANGE_WRONG:
        (void)close(file->fd);
        http_reply_header(x, "Content-Range",
                          arena_fmt(x->arena, "bytes */%llu", (unsigned long long)file->size));
        http_reply(x, 416, "", STR(""));
        return;
    case RANGE_PART:
        http_reply_header(x, "ETag", etag);
        http_reply_header(x, "Content-Range",
                          arena_fmt(x->arena, "bytes %llu-%llu/%llu", (unsigned long long)from,
                                    (unsigned long long)(from + n - 1),
                                    (unsigned long long)file->size));
        reply_part(x, 206, type, file, from, n);
        return;
    case RANGE_NONE:
        break;
    }
    http_reply_header(x, "ETag", squeeze ? arena_fmt(x->arena, "%s-gz\"", file->etag) : etag);
    if (!squeeze || !reply_squeezed(x, type, file))
        reply_part(x, 200, type, file, 0, file->size);
}

/* The neighbour NAME.gz, made with the build, in place of the file; range requests excepted. */
static bool use_packed(struct http_exchange *x, int folder, struct str path, struct file *file)
{
    struct file packed;
    if (!open_file(folder, arena_fmt(x->arena, "%.*s.gz", STRF(path)), &packed))
        return false;
    (void)close(file->fd);
    file->fd = packed.fd;
    file->size = packed.size;
    return true;
}

static void reply_file(struct http_exchange *x, int folder, struct str path, struct file *file)
{
    const char *type = type_of(path);
    http_reply_header(x, "Cache-Control",
                      is_hashed(path) ? STR("public, max-age=31536000, immutable")
                                      : STR("no-cache"));
    http_reply_header(x, "X-Content-Type-Options", STR("nosniff"));
    bool worth = gzip_is_worth(str_c(type)) && file->size >= HTTP_GZIP_FROM_BYTES;
    bool squeeze = worth && !http_has_header(x, "range") &&
                   gzip_is_accepted(http_header(x, "accept-encoding"));
    struct str etag = arena_fmt(x->arena, squeeze ? "%s-gz\"" : "%s\"", file->etag);
    if (etag_is_listed(http_header(x, "if-none-match"), etag)) {
        (void)close(file->fd);
        if (worth)
            http_reply_header(x, "Vary", STR("Accept-Encoding"));
        http_reply_header(x, "ETag", etag);
        http_reply(x, 304, "", STR(""));
        return;
    }
    if (squeeze && use_packed(x, folder, path, file)) {
        http_reply_header(x, "Vary", STR("Accept-Encoding"));
        http_reply_header(x, "Content-Encoding", STR("gzip"));
        http_reply_header(x, "ETag", etag);
        reply_part(x, 200, type, file, 0, file->size);
        return;
    }
    squeeze = squeeze && file->size <= SQUEEZE_BYTES_MAX;
    if (worth && !squeeze)
        http_reply_header(x, "Vary", STR("Accept-Encoding")); /* else compression adds it */
    reply_whole(x, type, file, squeeze);
}

bool http_reply_file(struct http_exchange *x, const char *folder, struct str path)
{
    if (x->method != HTTP_GET && x->method != HTTP_HEAD)
        return false;
    if (path.n > 0 && path.p[0] == '/')
        path = str_sub(path, 1, path.n);
    int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct file file;
    bool found = folder_fd >= 0 && open_file(folder_fd, path, &file);
    if (found)
        reply_file(x, folder_fd, path, &file);
    if (folder_fd >= 0)
        (void)close(folder_fd);
    return found;
}
