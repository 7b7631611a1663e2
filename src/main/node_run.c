#include "main/node_run.h"

#include "base/log.h"
#include "http/wire.h"
#include "node/agent.h"
#include "node/disk.h"
#include "node/file.h"
#include "node/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { DESIRED_BYTES_MAX = 64 * 1024 * 1024, PERCENT = 100, FIRST_ERROR = -1 };
#define LOOK_US      (5 * US_PER_SECOND)
#define LOOK_BUSY_US (200 * US_PER_MS)
#define LOOK_FILE_US US_PER_SECOND

enum rc node_container(const struct node_settings *s, struct arena *arena, struct container *ret,
                       struct err *err)
{
    struct container_options o = {
        .home = arena_cstr(arena, s->home),
        .run = arena_cstr(arena, s->run),
        .init = arena_cstr(arena, s->init),
        .bridge = s->bridge,
        .network = s->network,
        .open = s->open,
        .address = s->address.n > 0 ? s->address : machine_address(arena),
        .unpack = s->unpack,
        .clock = clock_system(),
    };
    return container_init(ret, &o, arena, err);
}

/* One agent for a home: the lock ends with its process, however that ends. */
static enum rc lock_home(const struct node_settings *s, struct arena *arena, int *ret,
                         struct err *err)
{
    const char *home = arena_cstr(arena, s->home);
    TRY(file_make_folder(home, err));
    const char *path = arena_fmt(arena, "%s/lock", home).p;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_failed(err, "cannot open", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return err_set(err, RC_CONFLICT, "another agent works in '%s'", home);
    }
    *ret = fd;
    return RC_OK;
}

/* --- the door of promises --- */

static enum rc door_address(void *arg, struct str id, struct arena *arena, struct str *ret,
                            struct err *err)
{
    return container_address(arg, id, arena, ret, err);
}

static enum rc door_taken(void *arg, struct str id, struct str volume, struct arena *arena,
                          int64_t *ret_percent, struct err *err)
{
    int64_t bytes = 0, used = 0;
    const char *path = container_volume(arg, id, volume, arena);
    if (path == NULL)
        return err_set(err, RC_NOT_FOUND, "there is no volume '%.*s'", STRF(volume));
    TRY(disk_space(path, &bytes, &used, err));
    *ret_percent = bytes > 0 ? used * PERCENT / bytes : 0;
    return RC_OK;
}

/* --- the loop --- */

struct runner {
    const struct node_settings *settings;
    const struct node_line *line;
    struct log log;
    struct container container;
    struct promise_door door;
    struct spool *spool;
    struct agent *agent;
    int signals;
    struct arena file_arena;
};

/* The file of --desired, when it changed; a wrong one is told and changes nothing. */
static void read_desired(struct runner *r)
{
    struct err err;
    struct str text;
    err_clear(&err);
    arena_reset(&r->file_arena);
    if (file_read(r->line->desired, DESIRED_BYTES_MAX, &r->file_arena, &text, &err) != RC_OK ||
        agent_want(r->agent, text, &err) != RC_OK)
        log_event(&r->log, LOG_ERROR, "node.desired", LOG_S("why", err_text(&err)));
}

static bool stop_asked(const struct runner *r)
{
    struct signalfd_siginfo info;
    return read(r->signals, &info, sizeof info) == (ssize_t)sizeof info;
}

static void loop(struct runner *r)
{
    size_t begun = 0;
    while (!stop_asked(r)) {
        if (r->line->desired != NULL)
            read_desired(r);
        begun = agent_turn(r->agent);
        if (r->line->once && begun == 0 && agent_at_rest(r->agent))
            return;
        int64_t wait = r->line->desired != NULL ? LOOK_FILE_US : LOOK_US;
        agent_wait(r->agent, agent_at_rest(r->agent) ? wait : LOOK_BUSY_US);
    }
}

static enum rc open_doors(struct runner *r, struct arena *arena, struct err *err)
{
    const char *spool = arena_fmt(arena, "%.*s/usage.db", STRF(r->settings->home)).p;
    TRY(node_container(r->settings, arena, &r->container, err));
    r->door = (struct promise_door){.address = door_address,
                                    .taken = door_taken,
                                    .arg = &r->container,
                                    .wire = wire_curl_open()};
    TRY(spool_open(spool, &r->spool, err));
    r->agent =
        agent_open(&(struct agent_options){.driver = &r->container.driver,
                                           .clock = clock_system(),
                                           .log = &r->log,
                                           .spool = r->spool,
                                           .door = &r->door,
                                           .threads = (size_t)r->settings->threads,
                                           .meter_us = r->settings->meter_seconds * US_PER_SECOND});
    return RC_OK;
}

static void close_doors(struct runner *r)
{
    agent_close(r->agent);
    spool_close(r->spool);
    if (r->door.wire != NULL)
        wire_curl_close(r->door.wire);
}

/* SIGTERM and SIGINT are read, not taken: no thread is torn out of a step. */
static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return FIRST_ERROR;
    (void)signal(SIGPIPE, SIG_IGN); /* cannot fail for this one */
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

enum rc node_run(const struct node_settings *s, const struct node_line *line, struct arena *arena,
                 struct err *err)
{
    int lock = -1;
    struct runner r = {.settings = s, .line = line, .signals = open_signals()};
    if (line->desired == NULL)
        return err_set(err, RC_SYNTAX, "say what to run: --desired FILE");
    if (r.signals < 0)
        return err_set(err, RC_UNAVAILABLE, "signals cannot be read");
    log_init(&r.log, clock_system(), STDERR_FILENO, (enum log_level)s->log_level, s->log_json);
    arena_init(&r.file_arena, (size_t)4 * DESIRED_BYTES_MAX);
    enum rc rc = lock_home(s, arena, &lock, err);
    if (rc == RC_OK)
        rc = open_doors(&r, arena, err);
    if (rc == RC_OK) {
        log_event(&r.log, LOG_INFO, "node.started", LOG_S("home", s->home),
                  LOG_I("cgroup", r.container.cgroup.version));
        loop(&r);
        log_event(&r.log, LOG_INFO, "node.ended", LOG_S("home", s->home));
    }
    close_doors(&r);
    arena_fini(&r.file_arena);
    close(r.signals);
    if (lock >= 0)
        close(lock);
    return rc;
}
