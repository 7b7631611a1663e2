/*
 * Streams of backup.h: one end of a socket is the work's, the other a thread's. A socket and no
 * pipe: when the command has ended, it is shut, whoever inside still holds it open.
 */
#include "node/backup.h"

#include "node/file.h"

#include "base/point.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COMMAND_MS = 3600 * 1000, STREAM_BYTES = 1024 * 1024, FILE_MODE = 0600 };

struct stream {
    uint8_t key[BACKUP_KEY_BYTES];
    int file;
    int end; /* closed by the thread */
    bool encrypts;
    int64_t bytes_max;
    enum rc rc;
    struct err err;
};

static void *run_stream(void *arg)
{
    struct stream *s = arg;
    struct arena arena;
    sigset_t set;
    /* A command that ends early is an error of write(2), no signal. */
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* fails for wrong arguments alone */
    arena_init(&arena, STREAM_BYTES);
    s->rc = s->encrypts ? backup_encrypt(s->end, s->file, s->key, s->bytes_max, &arena, &s->err)
                        : backup_decrypt(s->file, s->end, s->key, &arena, &s->err);
    arena_fini(&arena);
    close(s->end);
    return NULL;
}

/* What is at the other end of a stream. */
struct work {
    struct driver *driver;
    struct str service;
    const struct list *command;      /* NULL: the driver saves or loads */
    const struct service_spec *spec; /* of what is loaded */
};

static enum rc do_work(const struct work *w, bool saves, int end, struct arena *arena,
                       int *ret_status, struct str *ret_said, struct err *err)
{
    struct driver *d = w->driver;
    if (w->command == NULL)
        return saves ? d->save(d, w->service, end, arena, err)
                     : d->load(d, w->spec, end, arena, err);
    struct driver_exec e = {.id = w->service,
                            .command = w->command,
                            .timeout_ms = COMMAND_MS,
                            .input = saves ? -1 : end,
                            .output = saves ? end : -1};
    return d->exec(d, &e, arena, ret_status, ret_said, err);
}

/* The work inside, with a stream at its other end; both have ended afterwards. */
static enum rc run_work(const struct work *w, struct stream *s, struct arena *arena,
                        struct err *err)
{
    int ends[2], status = 0;
    struct str said = STR("");
    pthread_t thread;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return file_failed(err, "cannot make", "a socket");
    s->end = ends[0];
    int own = ends[1];
    if (pthread_create(&thread, NULL, run_stream, s) != 0) {
        close(ends[0]);
        close(ends[1]);
        return err_set(err, RC_UNAVAILABLE, "no thread for a backup");
    }
    enum rc rc = do_work(w, s->encrypts, own, arena, &status, &said, err);
    (void)shutdown(own, SHUT_RDWR); /* nothing to shut is as good */
    close(own);
    if (pthread_join(thread, NULL) != 0)
        NEVER("a thread that was started ends");
    /* A stream that failed first is why the work failed; one that found nobody is not. */
    bool early = !s->encrypts && s->rc == RC_GONE && (rc != RC_OK || status == 0);
    if (s->rc != RC_OK && !early) {
        *err = s->err;
        return s->rc;
    }
    TRY(rc);
    if (status != 0)
        return err_set(err, RC_REMOTE, "the command ended with status %d: %.*s", status,
                       STRF(str_sub(str_trim(said), 0, ERR_TEXT_MAX / 2)));
    return RC_OK;
}

static enum rc make_into(const struct backup_make *m, int fd, struct arena *arena, struct err *err)
{
    struct stream s = {.file = fd, .encrypts = true, .bytes_max = m->bytes_max};
    const struct work w = {.driver = m->driver, .service = m->service, .command = m->command};
    err_clear(&s.err);
    TRY(backup_key_read(m->key, s.key, err));
    TRY(run_work(&w, &s, arena, err));
    return fsync(fd) == 0 ? RC_OK : file_failed(err, "cannot write", m->path);
}

enum rc backup_make(const struct backup_make *m, struct arena *arena, struct err *err)
{
    const char *fresh = arena_fmt(arena, "%s.new", m->path).p;
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return file_failed(err, "cannot make", fresh);
    point_pass("make.begun");
    enum rc rc = make_into(m, fd, arena, err);
    close(fd);
    point_pass("make.written");
    if (rc == RC_OK && rename(fresh, m->path) != 0)
        rc = file_failed(err, "cannot keep", m->path);
    if (rc != RC_OK)
        (void)unlink(fresh); /* a file of no use: the next one takes its place */
    return rc;
}

enum rc backup_restore(const struct backup_restore *r, struct arena *arena, struct err *err)
{
    const char *path = NULL;
    const struct spec_restore *from = &r->spec->from;
    struct stream s = {.encrypts = false};
    struct driver *d = r->driver;
    const struct work w = {.driver = d,
                           .service = r->spec->id,
                           .command = from->disk ? NULL : &r->spec->restore,
                           .spec = r->spec};
    err_clear(&s.err);
    if (r->door == NULL || (!from->disk && r->spec->restore.count == 0))
        return err_set(err, RC_UNSUPPORTED, "this service cannot be restored here");
    TRY(backup_key_read(from->key, s.key, err));
    TRY(r->door->fetch(r->door->arg, from, arena, &path, err));
    s.file = open(path, O_RDONLY | O_CLOEXEC);
    if (s.file < 0)
        return file_failed(err, "cannot read", path);
    point_pass("restore.begun");
    enum rc rc = run_work(&w, &s, arena, err);
    close(s.file);
    TRY(rc);
    point_pass("restore.fed");
    return from->disk ? d->adopt(d, r->spec, from->number, arena, err)
                      : d->restored(d, r->spec->id, from->number, arena, err);
}
