#include "main/node_run.h"

#include "base/log.h"
#include "http/wire.h"
#include "node/agent.h"
#include "node/disk.h"
#include "node/file.h"
#include "node/link.h"
#include "node/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { DESIRED_BYTES_MAX = 64 * 1024 * 1024, PERCENT = 100, FIRST_ERROR = -1 };
enum { LOCK_TRIES_MAX = 100, LOCK_PAUSE_MS = 100 };
#define LOOK_US      (5 * US_PER_SECOND)
#define LOOK_BUSY_US (200 * US_PER_MS)
#define LOOK_FILE_US US_PER_SECOND

enum rc node_container(const struct node_settings *s, bool looks, struct arena *arena,
                       struct container *ret, struct err *err)
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
        .looks = looks,
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
    /* Programs that a killed agent had begun die with it, but not in the same instant. */
    bool locked = false;
    for (int i = 0; i < LOCK_TRIES_MAX && !locked; i++) {
        locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
        if (!locked)
            (void)poll(NULL, 0, LOCK_PAUSE_MS);
    }
    if (!locked) {
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

/* Both threads of the conversation with the control plane. */
struct talk {
    struct link link;
    pthread_t threads[2];
    bool running;
    atomic_bool ending;
    struct list features;
};

struct runner {
    struct err told; /* what was wrong with the file of --desired when it was last read */
    const struct node_settings *settings;
    const struct node_line *line;
    struct log log;
    struct container container;
    struct promise_door door;
    struct spool *spool;
    struct agent *agent;
    struct talk talk;
    int signals;
    struct arena file_arena; /* the file of --desired */
};

/* --- the control plane --- */

enum { TALK_BYTES = 256 * 1024 * 1024, WAIT_S = 20, PAUSE_MS = 500, PAUSES_MAX = 60 };

/* A pause that ends early when the agent does. */
static void pause_for(struct runner *r, int pauses)
{
    for (int i = 0; i < pauses && !atomic_load(&r->talk.ending); i++)
        (void)poll(NULL, 0, PAUSE_MS);
}

static void *pull(void *arg)
{
    struct runner *r = arg;
    struct arena arena;
    struct err err;
    int failures = 0;
    arena_init(&arena, TALK_BYTES);
    while (!atomic_load(&r->talk.ending)) {
        err_clear(&err);
        arena_reset(&arena);
        if (link_pull(&r->talk.link, r->agent, WAIT_S, &arena, &err) == RC_OK) {
            failures = 0;
            continue;
        }
        failures++;
        if (failures == 1)
            log_event(&r->log, LOG_WARN, "node.pull", LOG_S("why", err_text(&err)));
        pause_for(r, (int)min_i64((int64_t)1 << min_i64(failures, 6), PAUSES_MAX));
    }
    arena_fini(&arena);
    return NULL;
}

static void report(struct runner *r, struct link_told *told, bool *well, struct arena *arena)
{
    struct node_report report;
    struct err err;
    bool more = true;
    err_clear(&err);
    machine_report(r->container.o.home, &r->talk.features, r->container.o.address, arena, &report);
    enum rc rc = link_report(&r->talk.link, r->agent, &report, told, arena, &err);
    while (rc == RC_OK && more && !atomic_load(&r->talk.ending))
        rc = link_usage(&r->talk.link, r->spool, arena, &more, &err);
    if (rc != RC_OK && *well)
        log_event(&r->log, LOG_WARN, "node.report", LOG_S("why", err_text(&err)));
    *well = rc == RC_OK;
}

/* Soon after a change, else every so often; a whole one at the start and after a failure. */
static void *tell(void *arg)
{
    struct runner *r = arg;
    struct arena arena;
    struct link_told *told = calloc(1, sizeof *told);
    bool well = true;
    ASSERT(told != NULL);
    told->whole = true;
    arena_init(&arena, TALK_BYTES);
    while (!atomic_load(&r->talk.ending)) {
        uint64_t changes = agent_changes(r->agent);
        arena_reset(&arena);
        report(r, told, &well, &arena);
        int pauses = (int)(r->settings->report_seconds * 1000 / PAUSE_MS);
        for (int i = 0; i < pauses && (i == 0 || !well || agent_changes(r->agent) == changes); i++)
            pause_for(r, 1);
    }
    arena_fini(&arena);
    free(told);
    return NULL;
}

static enum rc begin_talk(struct runner *r, struct arena *arena, struct err *err)
{
    struct talk *t = &r->talk;
    t->link = (struct link){
        .wire = r->door.wire, .clock = clock_system(), .log = &r->log, .home = r->container.o.home};
    TRY(link_load(&t->link, arena, err));
    struct str *features = NEW_N(arena, struct str, 3);
    features[0] = STR("container");
    features[1] = r->container.cgroup.version == 1 ? STR("cgroup:1") : STR("cgroup:2");
    features[2] = STR("nft");
    t->features = (struct list){.items = features, .count = 3};
    r->container.o.fetch = link_fetch;
    r->container.o.fetch_arg = &t->link;
    link_recall(&t->link, r->agent, arena);
    if (pthread_create(&t->threads[0], NULL, pull, r) != 0)
        return err_set(err, RC_UNAVAILABLE, "no thread for the control plane");
    if (pthread_create(&t->threads[1], NULL, tell, r) != 0)
        NEVER("a second thread after a first");
    t->running = true;
    return RC_OK;
}

static void end_talk(struct runner *r)
{
    atomic_store(&r->talk.ending, true);
    for (size_t i = 0; r->talk.running && i < COUNT(r->talk.threads); i++)
        (void)pthread_join(r->talk.threads[i], NULL); /* it was started, and ends */
}

/* The file of --desired, when it changed; a wrong one is told, once, and changes nothing. */
static void read_desired(struct runner *r)
{
    struct err err;
    struct str text;
    err_clear(&err);
    arena_reset(&r->file_arena);
    if (file_read(r->line->desired, DESIRED_BYTES_MAX, &r->file_arena, &text, &err) != RC_OK ||
        agent_want(r->agent, text, &err) != RC_OK) {
        if (!str_eq(err_text(&err), err_text(&r->told)))
            log_event(&r->log, LOG_ERROR, "node.desired", LOG_S("why", err_text(&err)));
    }
    r->told = err;
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
        agent_wait(r->agent, r->signals, agent_at_rest(r->agent) ? wait : LOOK_BUSY_US);
    }
}

static enum rc open_doors(struct runner *r, struct arena *arena, struct err *err)
{
    const char *spool = arena_fmt(arena, "%.*s/usage.db", STRF(r->settings->home)).p;
    TRY(node_container(r->settings, false, arena, &r->container, err));
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
    if (r.signals < 0)
        return err_set(err, RC_UNAVAILABLE, "signals cannot be read");
    log_init(&r.log, clock_system(), STDERR_FILENO, (enum log_level)s->log_level, s->log_json);
    arena_init(&r.file_arena, (size_t)4 * DESIRED_BYTES_MAX);
    enum rc rc = lock_home(s, arena, &lock, err);
    if (rc == RC_OK)
        rc = open_doors(&r, arena, err);
    if (rc == RC_OK && line->desired == NULL)
        rc = begin_talk(&r, arena, err);
    if (rc == RC_OK) {
        log_event(&r.log, LOG_INFO, "node.started", LOG_S("home", s->home),
                  LOG_I("cgroup", r.container.cgroup.version));
        loop(&r);
        log_event(&r.log, LOG_INFO, "node.ended", LOG_S("home", s->home));
    }
    end_talk(&r);
    close_doors(&r);
    arena_fini(&r.file_arena);
    close(r.signals);
    if (lock >= 0)
        close(lock);
    return rc;
}
