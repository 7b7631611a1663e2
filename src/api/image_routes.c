/*
 * image_routes.c - images come in, are hashed, and lie in a folder under their hash, where nodes
 * fetch them.
 *
 * What is sent arrives in pieces, each at its place in HASH.part: after a cut it goes on where it
 * was. Only registering reads it all, and gives it its name where the hash is the one that was
 * said. A piece changes nothing that anybody could use, so it is not written into the audit log;
 * what nobody goes on sending is swept (main/jobs.h).
 */
#include "api/handlers.h"
#include "api/inside.h"
#include "api/stored.h"
#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0600, HASH_DIGITS = 2 * crypto_hash_sha256_BYTES };

/* Images are the operator's; and there is a folder for them. */
static enum rc check_right(struct call *c)
{
    struct party party;
    TRY(party_get(c->tx, c->owner, &party));
    if (party.sponsor.n > 0)
        return err_set(c->err, RC_FORBIDDEN, "images are the operator's");
    if (c->api->images == NULL)
        return err_set(c->err, RC_UNSUPPORTED, "the setting images is not set here");
    return RC_OK;
}

enum rc image_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(image_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc image_get_handler(struct call *c)
{
    struct image image;
    TRY(image_get(c->tx, c->params[0], &image));
    return call_reply(c, &image);
}

static enum rc check_hash(struct call *c, const char *pointer, struct str hash)
{
    return str_is_hex(hash, HASH_DIGITS)
               ? RC_OK
               : err_set_at(c->err, RC_INVALID, str_c(pointer),
                            "a SHA-256 has 64 hexadecimal digits, small ones");
}

static enum rc cannot_write(struct call *c)
{
    return err_set(c->err, RC_FULL, "the folder of images cannot be written: %s",
                   strerrordesc_np(errno));
}

static const char *path_of(struct call *c, struct str name, const char *ending)
{
    return arena_fmt(c->arena, "%s/%.*s%s", c->api->images, STRF(name), ending).p;
}

/* An ordinary file, and how long it is; -1: there is none such. */
static int open_file(const char *path, int flags, int64_t *ret_bytes)
{
    struct stat about;
    int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd >= 0 && (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))) {
        (void)close(fd); /* nothing was written */
        fd = -1;
    }
    if (fd >= 0)
        *ret_bytes = about.st_size;
    return fd;
}

/* --- pieces --- */

static enum rc take_piece(struct call *c, struct str sha256, int64_t at, int64_t *ret_bytes)
{
    int64_t bytes = 0;
    struct str piece = http_body(c->x);
    int fd = open_file(path_of(c, sha256, STORED_UNFINISHED), O_RDWR | O_CREAT, &bytes);
    if (fd < 0)
        return cannot_write(c);
    enum rc rc = RC_OK;
    if (at > bytes)
        rc = err_set_at(c->err, RC_CONFLICT, STR("at"), "only %lld bytes are here: go on there",
                        (long long)bytes);
    if (rc == RC_OK && !stored_write(fd, piece, at))
        rc = cannot_write(c);
    if (close(fd) != 0 && rc == RC_OK)
        rc = cannot_write(c);
    TRY(rc);
    *ret_bytes = max_i64(bytes, at + (int64_t)piece.n);
    return RC_OK;
}

enum rc image_piece_handler(struct call *c)
{
    const struct image_piece_query *q = c->query;
    struct image_piece reply = {.set = schema_all(&image_piece_schema), .sha256 = c->params[1]};
    TRY(call_read(c, check_right));
    TRY(check_hash(c, "sha256", reply.sha256));
    int fd = open_file(path_of(c, reply.sha256, ""), O_RDONLY, &reply.bytes);
    if (fd >= 0)
        (void)close(fd); /* it was registered before: nothing has to be sent */
    else
        TRY(take_piece(c, reply.sha256, q->at, &reply.bytes));
    return call_reply(c, &reply);
}

/* --- registering --- */

static enum rc no_file(struct call *c, struct str name)
{
    return err_set_at(c->err, RC_INVALID, STR("/file"),
                      "there is no file '%.*s' in the folder of images", STRF(name));
}

/* Read once; what is sent out under the hash is on the disk by then. */
static enum rc hash_file(struct call *c, int fd, struct image *image)
{
    if (!stored_hash(fd, c->arena, &image->sha256, &image->bytes))
        return no_file(c, image->file);
    if (fsync(fd) != 0)
        return cannot_write(c);
    return image->bytes > 0 ? RC_OK : no_file(c, image->file);
}

static enum rc hash_path(struct call *c, const char *path, struct image *image)
{
    int64_t unused = 0;
    int fd = open_file(path, O_RDONLY, &unused);
    if (fd < 0)
        return no_file(c, image->file);
    enum rc rc = hash_file(c, fd, image);
    (void)close(fd); /* only read */
    return rc;
}

/* The file gets its hash for a name: nodes ask for it by that. A link beside it keeps the old. */
static enum rc take_named(struct call *c, struct image *image)
{
    if (str_find(image->file, '/', 0) < image->file.n || image->file.p[0] == '.')
        return no_file(c, image->file);
    const char *path = path_of(c, image->file, "");
    TRY(hash_path(c, path, image));
    const char *named = path_of(c, image->sha256, "");
    if (strcmp(path, named) != 0 && link(path, named) != 0 && access(named, R_OK) != 0)
        return cannot_write(c);
    return durable_folder(c->api->images) ? RC_OK : cannot_write(c);
}

/* What was sent in pieces, or is there from before. What has another hash than it was sent as goes:
 * nobody shall use it, and it can be sent again. */
static enum rc take_sent(struct call *c, struct image *image)
{
    struct str said = image->sha256;
    TRY(check_hash(c, "/sha256", said));
    const char *named = path_of(c, said, "");
    const char *path = access(named, F_OK) == 0 ? named : path_of(c, said, STORED_UNFINISHED);
    if (access(path, F_OK) != 0)
        return err_set_at(c->err, RC_INVALID, STR("/sha256"), "the image was not sent yet");
    TRY(hash_path(c, path, image));
    if (!str_eq(image->sha256, said)) {
        (void)unlink(path); /* it is of no use to anybody */
        return err_set_at(c->err, RC_INVALID, STR("/sha256"),
                          "what was sent has the hash %.*s, not the one that was said",
                          STRF(image->sha256));
    }
    if (path != named && rename(path, named) != 0)
        return cannot_write(c);
    /* What was renamed before, by who was killed then, may not be on the disk either. */
    return durable_folder(c->api->images) ? RC_OK : cannot_write(c);
}

static enum rc keep_image(struct call *c)
{
    struct image image;
    TRY(check_right(c));
    TRY(image_create(c->tx, c->owner, c->steps, &image));
    call_location(c, arena_fmt(c->arena, "/v1/images/%.*s", STRF(image.id)));
    call_note(c, image.id, &image_schema, NULL, &image);
    return call_reply(c, &image);
}

enum rc image_create_handler(struct call *c)
{
    const struct image *fresh = c->body;
    struct image *image = NEW(c->arena, struct image);
    *image = *fresh;
    TRY(call_read(c, check_right));
    if ((image->file.n > 0) == (image->sha256.n > 0))
        return err_set_at(c->err, RC_INVALID, STR("/sha256"),
                          "say the hash of what was sent, or the name of a file, one of both");
    TRY(image->file.n > 0 ? take_named(c, image) : take_sent(c, image));
    c->steps = image;
    return call_write(c, keep_image);
}
