/*
 * backup_routes.c - backups: as people ask for them, and as nodes send, fetch and tell of them.
 *
 * The files lie in the folder of backups, named by id. A piece is on the disk before it is answered
 * for, and a file is what a node says that it is before its row says so.
 */
#include "api/handlers.h"
#include "api/inside.h"
#include "api/stored.h"
#include "base/durable.h"
#include "fleet/backup.h"
#include "fleet/drill.h"
#include "fleet/move.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0600 };

/* --- people --- */

enum rc backup_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(backup_list(c->tx, c->params[0], &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc backup_get_handler(struct call *c)
{
    struct backup backup;
    TRY(backup_get(c->tx, c->params[0], &backup));
    return call_reply(c, &backup);
}

enum rc service_backup_handler(struct call *c)
{
    struct backup backup;
    TRY(backup_ask(c->tx, c->params[0], &backup));
    call_location(c, arena_fmt(c->arena, "/v1/backups/%.*s", STRF(backup.id)));
    call_note(c, backup.id, &backup_schema, NULL, &backup);
    return call_reply(c, &backup);
}

static enum rc want_house(struct call *c)
{
    return c->api->sealed && c->api->backups != NULL
               ? RC_OK
               : err_set(c->err, RC_UNSUPPORTED,
                         "backups need the settings key_file and backups, which are not set here");
}

enum rc drill_plan_get_handler(struct call *c)
{
    struct drill_plan plan;
    TRY(drill_plan_get(c->tx, c->params[0], &plan));
    return call_reply(c, &plan);
}

enum rc drill_plan_set_handler(struct call *c)
{
    struct drill_plan before;
    struct drill_plan after;
    TRY(drill_plan_get(c->tx, c->params[0], &before));
    TRY(drill_plan_set(c->tx, c->params[0], c->body, &after));
    call_note(c, after.service, &drill_plan_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc service_drill_handler(struct call *c)
{
    struct drill drill;
    TRY(want_house(c));
    TRY(drill_begin(c->tx, &c->api->seal, c->params[0], c->body, &drill));
    call_location(c, arena_fmt(c->arena, "/v1/services/%.*s/drills", STRF(drill.service)));
    call_note(c, drill.id, &drill_schema, NULL, &drill);
    return call_reply(c, &drill);
}

enum rc drill_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(drill_list(c->tx, c->params[0], &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc service_restore_handler(struct call *c)
{
    struct service before;
    struct service after;
    TRY(want_house(c));
    TRY(service_get(c->tx, c->params[0], &before));
    TRY(service_restore(c->tx, &c->api->seal, before.id, c->body, &after));
    call_note(c, after.id, &service_schema, &before, &after);
    return call_reply(c, &after);
}

/* --- nodes --- */

enum rc agent_backups_handler(struct call *c)
{
    struct backup_tasks tasks;
    TRY(want_house(c));
    TRY(backup_tasks(c->tx, &c->api->seal, c->caller.node, &tasks));
    return call_reply(c, &tasks);
}

static enum rc none_such(struct call *c)
{
    return err_set(c->err, RC_NOT_FOUND, "there is no backup '%.*s' for this node",
                   STRF(c->params[0]));
}

enum rc agent_backup_get_handler(struct call *c)
{
    TRY(want_house(c));
    TRY(backup_fetches(c->tx, c->caller.node, c->params[0]));
    if (!http_reply_file(c->x, c->api->backups, c->params[0]))
        return none_such(c);
    return call_reply_bytes(c, 200, "application/octet-stream", STR(""));
}

/* What the steps of a request hand on. */
struct backup_steps {
    int64_t max; /* so long may the file get */
    struct str sha256;
    int64_t bytes;
};

static enum rc check_sender(struct call *c)
{
    struct backup_steps *s = c->steps;
    return backup_sends(c->tx, c->caller.node, c->params[0], &s->max);
}

static enum rc failed(struct call *c, const char *what)
{
    int e = errno;
    char text[128];
    enum rc rc = e == ENOSPC || e == EDQUOT ? RC_FULL : RC_UNAVAILABLE;
    return err_set(c->err, rc, "cannot %s the backup: %s", what, strerror_r(e, text, sizeof text));
}

static enum rc open_file(struct call *c, int flags, int *ret)
{
    if (!id_is(c->params[0], "bak"))
        return none_such(c);
    const char *path = arena_fmt(c->arena, "%s/%.*s", c->api->backups, STRF(c->params[0])).p;
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0)
        return failed(c, "open");
    *ret = fd;
    return RC_OK;
}

/* Where the piece says, which is the end: two that are sent at once write the same. */
static enum rc put_piece(struct call *c, int fd, struct backup_have *have)
{
    const struct backup_steps *s = c->steps;
    const struct backup_piece_query *q = c->query;
    struct str piece = http_body(c->x);
    struct stat about;
    if (fstat(fd, &about) != 0)
        return failed(c, "look at");
    have->bytes = about.st_size;
    if (q->offset != about.st_size)
        return RC_OK;
    if ((int64_t)piece.n > s->max - q->offset)
        return err_set(c->err, RC_TOO_LARGE, "a backup of this service may have %lld bytes",
                       (long long)s->max);
    if (!stored_write(fd, piece, q->offset))
        return failed(c, "write");
    have->bytes += (int64_t)piece.n;
    return fsync(fd) == 0 ? RC_OK : failed(c, "write");
}

enum rc agent_backup_piece_handler(struct call *c)
{
    struct backup_have have = {.set = schema_all(&backup_have_schema)};
    int fd = -1;
    c->steps = NEW(c->arena, struct backup_steps);
    TRY(want_house(c));
    TRY(call_read(c, check_sender));
    TRY(open_file(c, O_RDWR | O_CREAT, &fd));
    enum rc rc = put_piece(c, fd, &have);
    (void)close(fd); /* synced where it was written */
    TRY(rc);
    return call_reply(c, &have);
}

/* The file and its name in the folder are on the disk, and it is what was sent. */
static enum rc check_file(struct call *c, const struct backup_word *word)
{
    struct backup_steps *s = c->steps;
    int fd = -1;
    TRY(open_file(c, O_RDONLY, &fd));
    enum rc rc = stored_hash(fd, c->arena, &s->sha256, &s->bytes) ? RC_OK : failed(c, "read");
    (void)close(fd); /* only read */
    TRY(rc);
    if (s->bytes == word->bytes && str_eq(s->sha256, word->sha256))
        return durable_folder(c->api->backups) ? RC_OK : failed(c, "keep");
    /* What came is of no use: the next piece is the first one again. */
    const char *path = arena_fmt(c->arena, "%s/%.*s", c->api->backups, STRF(c->params[0])).p;
    (void)unlink(path); /* or it stays, and is refused again */
    return err_set(c->err, RC_CONFLICT, "what came of the backup is not what was sent: %lld bytes",
                   (long long)s->bytes);
}

static enum rc keep_word(struct call *c)
{
    TRY(backup_told(c->tx, c->caller.node, c->params[0], c->body));
    TRY(move_saved(c->tx, &c->api->seal, c->params[0]));
    return call_reply_nothing(c);
}

enum rc agent_backup_told_handler(struct call *c)
{
    const struct backup_word *word = c->body;
    bool sent = word->kind == TASK_MAKE || word->kind == TASK_SEND;
    c->steps = NEW(c->arena, struct backup_steps);
    TRY(want_house(c));
    if (sent && !word->failed) {
        enum rc rc = call_read(c, check_sender);
        /* Told twice: the row says the rest. */
        if (rc == RC_NOT_FOUND)
            err_clear(c->err);
        else if (rc != RC_OK)
            return rc;
        else
            TRY(check_file(c, word));
    }
    return call_write(c, keep_word);
}
