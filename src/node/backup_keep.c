/* The tasks of backup_keep.h. */
#include "node/backup_keep.h"

#include "node/disk.h"
#include "node/file.h"
#include "node/image.h"

#include "base/point.h"
#include "http/http.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    /* As much as is taken of who signs: only a bearer of a token may send more at once. */
    SEND_PIECE_BYTES = HTTP_BODY_BYTES_MAX,
    ANSWER_BYTES_MAX = 64 * 1024,
    SENDS_MAX = 1 << 20, /* pieces of one file */
};

enum folder { FOLDER_MADE, FOLDER_HELD, FOLDER_FROM };
static const char *const folders[] = {"made", "held", "from"};

enum rc backup_keep_init(struct backup_keep *k, struct err *err)
{
    for (size_t i = 0; i < COUNT(folders); i++) {
        char path[FILE_PATH_MAX];
        int n = snprintf(path, sizeof path, "%s/backups/%s", k->home, folders[i]);
        if (n < 0 || (size_t)n >= sizeof path)
            return err_set(err, RC_INVALID, "the folder '%s' has too long a name", k->home);
        TRY(file_make_folder(path, err));
    }
    return RC_OK;
}

static const char *path_of(const struct backup_keep *k, enum folder folder, struct str id,
                           struct arena *arena)
{
    return arena_fmt(arena, "%s/backups/%s/%.*s", k->home, folders[folder], STRF(id)).p;
}

/* --- fetching --- */

/* Goes on where it was cut off; has its name when its hash agrees. */
static enum rc fetch(struct backup_keep *k, const char *path, const struct spec_restore *from,
                     struct arena *arena, struct err *err)
{
    struct str id = from->backup;
    const char *fresh = arena_fmt(arena, "%s.new", path).p;
    struct str hash;
    int64_t got = 0;
    if (file_exists(path))
        return RC_OK;
    struct str target = arena_fmt(arena, "/v1/node/backups/%.*s", STRF(id));
    enum rc rc = link_fetch_file(k->link, target, from->bytes, fresh, arena, err);
    if (rc == RC_FULL)
        return err_set(err, RC_FULL,
                       "the node's disk has no room for a backup of %" PRId64 " bytes",
                       from->bytes);
    TRY(rc);
    TRY(image_hash(fresh, arena, &hash, &got, err));
    if (!str_eq(hash, from->sha256)) {
        (void)unlink(fresh); /* the next fetch begins anew */
        return err_set(err, RC_INVALID, "what came of backup '%.*s' is not what was kept",
                       STRF(id));
    }
    point_pass("hold.checked");
    TRY(file_rename(fresh, path, err));
    point_pass("hold.kept");
    return RC_OK;
}

enum rc backup_keep_fetch(void *arg, const struct spec_restore *from, struct arena *arena,
                          const char **ret_path, struct err *err)
{
    struct backup_keep *k = arg;
    const char *held = path_of(k, FOLDER_HELD, from->backup, arena);
    const char *path = path_of(k, FOLDER_FROM, from->backup, arena);
    if (file_exists(held)) {
        *ret_path = held;
        return RC_OK;
    }
    TRY(fetch(k, path, from, arena, err));
    *ret_path = path;
    return RC_OK;
}

/* --- sending --- */

static enum rc send_piece(struct backup_keep *k, struct str id, struct str piece, int64_t *offset,
                          struct arena *arena, struct err *err)
{
    struct str target =
        arena_fmt(arena, "/v1/node/backups/%.*s/pieces?offset=%" PRId64, STRF(id), *offset);
    struct wire_reply reply;
    const struct json *json = NULL;
    struct backup_have have = {0};
    TRY(link_send(k->link, target, piece, arena, &reply, err));
    TRY(json_parse(reply.body, arena, &json, err));
    TRY(schema_decode(&backup_have_schema, SCHEMA_WHOLE, json, arena, &have, err));
    *offset = have.bytes;
    return RC_OK;
}

static enum rc send_from(struct backup_keep *k, const struct backup_task *t, int fd,
                         struct arena *arena, struct err *err)
{
    char *piece = arena_bytes(arena, SEND_PIECE_BYTES);
    struct arena call;
    int64_t offset = 0; /* the first answer says from where to go on */
    enum rc rc = RC_OK;
    arena_init(&call, (size_t)4 * SEND_PIECE_BYTES);
    for (int i = 0; rc == RC_OK && i < SENDS_MAX; i++) {
        ssize_t n = pread(fd, piece, SEND_PIECE_BYTES, offset);
        if (n <= 0) {
            rc = n < 0 ? file_failed(err, "cannot read", "the backup") : RC_OK;
            break;
        }
        arena_reset(&call);
        rc = send_piece(k, t->id, str_n(piece, (size_t)n), &offset, &call, err);
        point_pass("send.piece");
    }
    arena_fini(&call);
    return rc;
}

static enum rc send_file(struct backup_keep *k, const struct backup_task *t, const char *path,
                         struct arena *arena, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_failed(err, "cannot read", path);
    enum rc rc = send_from(k, t, fd, arena, err);
    close(fd);
    return rc;
}

/* --- tasks --- */

static enum rc tell(struct backup_keep *k, struct str id, const struct backup_word *word,
                    struct arena *arena, struct err *err)
{
    struct buf text;
    struct json_writer w;
    struct wire_reply reply;
    struct str target = arena_fmt(arena, "/v1/node/backups/%.*s", STRF(id));
    buf_init(&text, arena, ANSWER_BYTES_MAX);
    json_writer_init(&w, &text);
    schema_encode(&backup_word_schema, word, &w);
    ASSERT(!text.full);
    return link_call(k->link, "POST", target, buf_str(&text), arena, &reply, err);
}

/* How long it becomes, nobody knows before: it ends where the disk's room does. */
static enum rc make_file(struct backup_keep *k, const struct backup_task *t, const char *path,
                         struct arena *arena, struct err *err)
{
    struct list command;
    int64_t room = 0;
    if (!t->disk && !agent_backup_command(k->agent, t->service, arena, &command))
        return err_set(err, RC_CONFLICT, "it does not run");
    TRY(disk_room(k->home, &room, err));
    struct backup_make m = {.driver = k->driver,
                            .service = t->service,
                            .command = t->disk ? NULL : &command,
                            .key = t->key,
                            .bytes_max = min_i64(t->bytes, room),
                            .path = path};
    enum rc rc = backup_make(&m, arena, err);
    if (rc == RC_TOO_LARGE && room < t->bytes)
        return err_set(err, RC_FULL,
                       "the node's disk has no room for a backup: it is longer than the %" PRId64
                       " bytes that are left",
                       room);
    return rc;
}

/* Made once: a file that is there under its name is whole, whoever was killed since. */
static enum rc make(struct backup_keep *k, const struct backup_task *t, struct backup_word *word,
                    struct arena *arena, struct err *err)
{
    const char *path = path_of(k, FOLDER_MADE, t->id, arena);
    if (!file_exists(path))
        TRY(make_file(k, t, path, arena, err));
    point_pass("make.kept");
    TRY(send_file(k, t, path, arena, err));
    point_pass("send.whole");
    return image_hash(path, arena, &word->sha256, &word->bytes, err);
}

static enum rc do_task(struct backup_keep *k, const struct backup_task *t, struct backup_word *word,
                       struct arena *arena, struct err *err)
{
    const char *held = path_of(k, FOLDER_HELD, t->id, arena);
    const struct spec_restore from = {.backup = t->id, .sha256 = t->sha256, .bytes = t->bytes};
    switch ((enum backup_task_kind)t->kind) {
    case TASK_MAKE:
        return make(k, t, word, arena, err);
    case TASK_SEND:
        word->sha256 = t->sha256;
        word->bytes = t->bytes;
        return send_file(k, t, held, arena, err);
    case TASK_HOLD:
        return fetch(k, held, &from, arena, err);
    case TASK_DROP:
        TRY(file_remove(arena_fmt(arena, "%s.new", held).p, err));
        return file_remove(held, err);
    }
    NEVER("a task is one of four");
}

/* The other side could not be reached: nothing is told, and the task stays as it was. */
static bool is_cut(enum rc rc)
{
    return rc == RC_UNAVAILABLE || rc == RC_TIMEOUT || rc == RC_REMOTE || rc == RC_TOO_MANY ||
           rc == RC_RETRY;
}

static enum rc take_task(struct backup_keep *k, const struct backup_task *t, struct arena *arena,
                         struct err *err)
{
    struct err why;
    struct backup_word word = {.set = schema_all(&backup_word_schema), .kind = t->kind};
    err_clear(&why);
    enum rc rc = do_task(k, t, &word, arena, &why);
    const char *own = path_of(k, FOLDER_MADE, t->id, arena);
    bool local = t->kind == TASK_MAKE && !file_exists(own);
    log_event(k->link->log, rc == RC_OK ? LOG_INFO : LOG_WARN, "node.backup",
              LOG_S("backup", t->id), LOG_S("task", str_c(backup_task_kinds[t->kind])),
              LOG_S("why", rc == RC_OK ? STR("") : err_text(&why)));
    if (is_cut(rc) && !local)
        return RC_OK;
    word.failed = rc != RC_OK;
    word.reason = rc == RC_OK ? STR("") : arena_line(arena, err_text(&why));
    point_pass("tell.begun");
    TRY(tell(k, t->id, &word, arena, err));
    point_pass("tell.told");
    return RC_OK;
}

/* --- what is left over --- */

static bool is_made(const struct backup_tasks *tasks, struct str id)
{
    const struct backup_task *items = tasks->tasks.items;
    for (size_t i = 0; i < tasks->tasks.count; i++)
        if (items[i].kind == TASK_MAKE && str_eq(items[i].id, id))
            return true;
    return false;
}

/* Of its own services nothing is kept here (a node that burns takes both), nor what a service began
 * with: whoever was killed in between. */
static enum rc clear(struct backup_keep *k, enum folder folder, const struct backup_tasks *tasks,
                     struct arena *arena, struct err *err)
{
    const char *path = path_of(k, folder, STR(""), arena);
    DIR *dir = opendir(path);
    enum rc rc = RC_OK;
    if (dir == NULL)
        return file_failed(err, "cannot read", path);
    for (const struct dirent *e = readdir(dir); rc == RC_OK && e != NULL; e = readdir(dir)) {
        struct str name = str_c(e->d_name);
        struct str rest = name, id = str_cut(&rest, '.');
        bool used = folder == FOLDER_MADE ? is_made(tasks, id) : agent_restores(k->agent, id);
        if (id.n > 0 && !used)
            rc = file_remove(path_of(k, folder, name, arena), err);
    }
    closedir(dir);
    return rc;
}

enum rc backup_keep_turn(struct backup_keep *k, struct arena *arena, size_t *ret, struct err *err)
{
    struct wire_reply reply;
    const struct json *json = NULL;
    struct backup_tasks tasks = {0};
    TRY(link_call(k->link, "GET", STR("/v1/node/backups"), STR(""), arena, &reply, err));
    TRY(json_parse(reply.body, arena, &json, err));
    TRY(schema_decode(&backup_tasks_schema, SCHEMA_WHOLE, json, arena, &tasks, err));
    TRY(clear(k, FOLDER_MADE, &tasks, arena, err));
    TRY(clear(k, FOLDER_FROM, &tasks, arena, err));
    const struct backup_task *items = tasks.tasks.items;
    for (size_t i = 0; i < tasks.tasks.count; i++)
        TRY(take_task(k, &items[i], arena, err));
    *ret = tasks.tasks.count;
    return RC_OK;
}
