/* Backups, which moves travel by: as api/backup_routes.c and main/jobs.c have them. */
#include "sim.h"

#include "api/stored.h"
#include "fleet/backup.h"
#include "fleet/move.h"
#include "node/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { STATUS_OK = 200, STATUS_NOTHING = 204, STATUS_PARTIAL = 206, FILE_MODE = 0600 };
enum { BODY_BYTES_MAX = 1024 * 1024, JUDGE_BYTES = 1000000000 };
#define BASE STR("/v1/node/backups")

struct filing {
    struct sim *sim;
    const struct message *message;
    struct str node, id;
    int64_t max;
    struct backup_tasks tasks;
    struct backup_word word;
};

void files_init(struct sim *s)
{
    s->backups = arena_fmt(&s->keep, "%s/backups", s->fixture.folder).p;
    if (mkdir(s->backups, S_IRWXU) != 0)
        sim_fail(s, "cannot make '%s'", s->backups);
}

static const char *path_of(const struct filing *f, struct arena *arena)
{
    return arena_fmt(arena, "%s/%.*s", f->sim->backups, STRF(f->id)).p;
}

/* --- units of work --- */

static enum rc tasks_in(struct tx *tx, void *arg)
{
    struct filing *f = arg;
    return backup_tasks(tx, &f->sim->shop.seal, f->node, &f->tasks);
}

static enum rc sends_in(struct tx *tx, void *arg)
{
    struct filing *f = arg;
    return backup_sends(tx, f->node, f->id, &f->max);
}

static enum rc fetches_in(struct tx *tx, void *arg)
{
    struct filing *f = arg;
    return backup_fetches(tx, f->node, f->id);
}

static enum rc told_in(struct tx *tx, void *arg)
{
    struct filing *f = arg;
    TRY(backup_told(tx, f->node, f->id, &f->word));
    return move_saved(tx, &f->sim->shop.seal, f->id);
}

/* --- what nodes ask --- */

static enum rc answer_tasks(struct filing *f, struct arena *arena, struct wire_reply *ret,
                            struct err *err)
{
    TRY(control_read(f->sim, tasks_in, f, err));
    *ret = (struct wire_reply){
        .status = STATUS_OK,
        .body = schema_str(&backup_tasks_schema, &f->tasks, BODY_BYTES_MAX, arena)};
    return RC_OK;
}

static enum rc answer_file(struct filing *f, struct arena *arena, struct wire_reply *ret,
                           struct err *err)
{
    struct str whole;
    TRY(control_read(f->sim, fetches_in, f, err));
    TRY(file_read(path_of(f, arena), BODY_BYTES_MAX, arena, &whole, err));
    int64_t from = f->message->offset;
    *ret = (struct wire_reply){.status = from > 0 ? STATUS_PARTIAL : STATUS_OK,
                               .body = str_sub(whole, (size_t)from, whole.n)};
    return RC_OK;
}

static enum rc put_piece(struct filing *f, int fd, int64_t offset, struct backup_have *have,
                         struct err *err)
{
    struct str piece = f->message->body;
    struct stat about;
    if (fstat(fd, &about) != 0)
        return file_failed(err, "cannot look at", "a backup");
    have->bytes = about.st_size;
    if (offset != about.st_size)
        return RC_OK;
    if ((int64_t)piece.n > f->max - offset)
        return err_set(err, RC_TOO_LARGE, "a backup of this service may have %lld bytes",
                       (long long)f->max);
    have->bytes += (int64_t)piece.n;
    return stored_write(fd, piece, offset) ? RC_OK : file_failed(err, "cannot write", "a backup");
}

static enum rc answer_piece(struct filing *f, struct str query, struct arena *arena,
                            struct wire_reply *ret, struct err *err)
{
    struct backup_have have = {.set = schema_all(&backup_have_schema)};
    int64_t offset = 0;
    (void)str_cut(&query, '=');
    if (!str_to_i64(query, 0, INT64_MAX, &offset))
        return err_set(err, RC_SYNTAX, "from where on?");
    TRY(control_read(f->sim, sends_in, f, err));
    int fd = open(path_of(f, arena), O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return file_failed(err, "cannot open", "a backup");
    enum rc rc = put_piece(f, fd, offset, &have, err);
    close(fd);
    TRY(rc);
    *ret = (struct wire_reply){
        .status = STATUS_OK, .body = schema_str(&backup_have_schema, &have, BODY_BYTES_MAX, arena)};
    return RC_OK;
}

/* What came is what was sent; else it is of no use. */
static enum rc check_file(struct filing *f, struct arena *arena, struct err *err)
{
    struct str hash;
    int64_t bytes = 0;
    const char *path = path_of(f, arena);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_failed(err, "cannot open", path);
    bool read = stored_hash(fd, arena, &hash, &bytes);
    close(fd);
    if (read && bytes == f->word.bytes && str_eq(hash, f->word.sha256))
        return RC_OK;
    (void)unlink(path); /* the first piece is sent again */
    return err_set(err, RC_CONFLICT, "what came of the backup is not what was sent");
}

static enum rc answer_word(struct filing *f, struct arena *arena, struct wire_reply *ret,
                           struct err *err)
{
    const struct json *json = NULL;
    TRY(json_parse(f->message->body, arena, &json, err));
    TRY(schema_decode(&backup_word_schema, SCHEMA_WHOLE, json, arena, &f->word, err));
    if ((f->word.kind == TASK_MAKE || f->word.kind == TASK_SEND) && !f->word.failed) {
        enum rc rc = control_read(f->sim, sends_in, f, err);
        if (rc == RC_NOT_FOUND) /* told twice: the row says the rest */
            err_clear(err);
        else
            TRY(rc != RC_OK ? rc : check_file(f, arena, err));
    }
    TRY(control_write(f->sim, told_in, f, err));
    control_wake(f->sim);
    *ret = (struct wire_reply){.status = STATUS_NOTHING};
    return RC_OK;
}

enum rc files_answer(struct sim *s, const struct message *m, struct arena *arena,
                     struct wire_reply *ret, struct err *err)
{
    struct filing f = {.sim = s, .message = m, .node = str_c(m->from->id)};
    struct str rest = str_sub(m->target, BASE.n, m->target.n);
    bool asks = str_eq(m->method, STR("GET"));
    if (rest.n == 0)
        return answer_tasks(&f, arena, ret, err);
    rest = str_sub(rest, 1, rest.n);
    f.id = str_cut(&rest, '/');
    if (asks)
        return answer_file(&f, arena, ret, err);
    return rest.n > 0 ? answer_piece(&f, rest, arena, ret, err) : answer_word(&f, arena, ret, err);
}

/* --- the clock's --- */

static enum rc sweep_in(struct tx *tx, void *arg)
{
    return backup_sweep(tx, arg);
}

static enum rc swept_in(struct tx *tx, void *arg)
{
    return backup_swept(tx, arg);
}

static enum rc tick_due_in(struct tx *tx, void *arg)
{
    return backup_tick_due(tx, arg);
}

static enum rc tick_in(struct tx *tx, void *arg)
{
    return backup_tick(tx, arg);
}

static enum rc sweep(struct sim *s, struct err *err)
{
    struct list ids = {0};
    bool due = false;
    TRY(control_read(s, tick_due_in, &due, err));
    if (!due)
        return RC_OK;
    TRY(control_write(s, tick_in, &due, err));
    TRY(control_read(s, sweep_in, &ids, err));
    const struct str *items = ids.items;
    for (size_t i = 0; i < ids.count; i++)
        (void)unlink(arena_fmt(&s->arena, "%s/%.*s", s->backups, STRF(items[i])).p); /* once more */
    return ids.count > 0 ? control_write(s, swept_in, &ids, err) : RC_OK;
}

void files_sweep(struct sim *s)
{
    struct err err;
    err_clear(&err);
    enum rc rc = sweep(s, &err);
    if (rc != RC_OK && rc != RC_UNAVAILABLE)
        sim_fail(s, "backups cannot be swept: %s: %s", rc_slug(rc), err.text);
}

/* --- the end --- */

struct judging {
    struct sim *sim;
    struct tx *tx;
};

/* ID, ID.new: of what a row knows. */
static enum rc judge_folder(struct judging *j, const char *path)
{
    struct rows rows;
    DIR *dir = opendir(path);
    enum rc rc = RC_OK;
    if (dir == NULL)
        sim_fail(j->sim, "the folder '%s' is gone", path);
    for (const struct dirent *e = readdir(dir); rc == RC_OK && e != NULL; e = readdir(dir)) {
        struct str rest = str_c(e->d_name), id = str_cut(&rest, '.');
        if (id.n == 0)
            continue;
        rc = sql_rows(j->tx, &rows,
                      "SELECT id FROM backup WHERE id = $1 AND (state IN ('wanted', 'kept') OR "
                      "holder IS NOT NULL)",
                      V(id));
        if (rc == RC_OK && rows.count == 0)
            sim_fail(j->sim, "'%s/%s' was left behind", path, e->d_name);
    }
    closedir(dir);
    return rc;
}

/* id, bytes, here, holder, held */
static enum rc judge_backup(struct tx *tx UNUSED, const struct value *c, size_t columns UNUSED,
                            void *arg)
{
    struct judging *j = arg;
    struct sim *s = j->sim;
    struct stat about;
    const char *here = arena_fmt(&s->arena, "%s/%.*s", s->backups, STRF(c[0].text)).p;
    if (c[2].number != 0 && (stat(here, &about) != 0 || about.st_size != c[1].number))
        sim_fail(s, "the backup %.*s is not here, or not whole", STRF(c[0].text));
    if (c[4].number != 0) {
        struct machine *m = map_get(&s->by_id, c[3].text);
        ASSERT(m != NULL);
        const char *held =
            arena_fmt(&s->arena, "%s/backups/held/%.*s", m->link.home, STRF(c[0].text)).p;
        if (stat(held, &about) != 0 || about.st_size != c[1].number)
            sim_fail(s, "machine %zu does not hold the backup %.*s, or not whole", m->number,
                     STRF(c[0].text));
    }
    s->counts.backups++;
    arena_reset(&s->arena);
    return RC_OK;
}

static enum rc judge_in(struct tx *tx, void *arg)
{
    static const char *const folders[] = {"made", "held", "from"};
    struct judging *j = arg;
    struct sim *s = j->sim;
    struct rows rows;
    j->tx = tx;
    TRY(sql_each(tx, judge_backup, j,
                 "SELECT id, bytes, here, holder, held FROM backup WHERE state = 'kept' "
                 "ORDER BY id"));
    TRY(sql_rows(tx, &rows,
                 "SELECT id FROM backup WHERE moves = 1 AND state IN ('wanted', 'kept') "
                 "ORDER BY id LIMIT 1"));
    if (rows.count > 0)
        sim_fail(s, "%.*s was made for a move, and stays", STRF(row_str(&rows, 0, 0)));
    TRY(judge_folder(j, s->backups));
    for (size_t i = 0; i < (size_t)s->o.nodes; i++)
        for (size_t k = 0; k < COUNT(folders); k++)
            TRY(judge_folder(
                j, arena_fmt(tx->arena, "%s/backups/%s", s->machines[i].link.home, folders[k]).p));
    return RC_OK;
}

void files_judge(struct sim *s)
{
    struct judging j = {.sim = s};
    struct arena arena;
    struct err err;
    err_clear(&err);
    arena_init(&arena, JUDGE_BYTES);
    if (store_read(s->fixture.store, &arena, &err, judge_in, &j) != RC_OK)
        sim_fail(s, "the backups cannot be read: %s", err.text);
    arena_fini(&arena);
}

/* All of them, so that the folder goes. */
void files_fini(struct sim *s)
{
    struct err err;
    err_clear(&err);
    if (file_remove(s->backups, &err) != RC_OK)
        sim_fail(s, "%s", err.text);
}
