#include "main/node_run.h"

#include "base/log.h"
#include "base/process.h"
#include "http/wire.h"
#include "node/agent.h"
#include "node/backup_keep.h"
#include "node/disk.h"
#include "node/file.h"
#include "node/link.h"
#include "node/lookout.h"
#include "node/machine.h"
#include "node/promise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { DESIRED_BYTES_MAX = 64 * 1024 * 1024, PERCENT = 100 };
enum { LOCK_TRIES_MAX = 100, LOCK_PAUSE_MS = 100, LOOK_THREADS = 4 };
#define LOOK_US      (5 * US_PER_SECOND)
#define LOOK_BUSY_US (200 * US_PER_MS)
#define LOOK_FILE_US US_PER_SECOND

enum rc node_drivers(const struct node_settings *s, bool looks, struct arena *arena,
                     struct drivers *ret, struct err *err)
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
    return drivers_init(ret, &o, arena, err);
}

enum rc node_lock(const struct node_settings *s, struct arena *arena, int *ret, struct err *err)
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

struct promise_door node_door(struct container *c)
{
    return (struct promise_door){
        .address = door_address, .taken = door_taken, .arg = c, .wire = wire_curl_open()};
}

/* --- the loop --- */

/* The threads of the conversation with the control plane: what is wanted, how it is, backups, what
 * is looked at for others. */
struct talk {
    struct link link;
    struct backup_keep keep;
    struct lookout *lookout;
    pthread_t threads[4];
    bool running;
    atomic_bool ending;
    atomic_uint_fast64_t told;  /* reports, heard or not */
    atomic_uint_fast64_t heard; /* of these, those that were */
    struct list features;
};

struct runner {
    struct err told; /* what was wrong with the file of --desired when it was last read */
    const struct node_settings *settings;
    const struct node_line *line;
    struct log log;
    struct drivers drivers;
    struct promise_door door;
    struct spool *spool;
    struct agent *agent;
    struct talk talk;
    struct backup_door backups;
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

/* The same, and early as well when a report is heard: the other side is there again. */
static void pause_until_heard(struct runner *r, int pauses)
{
    uint64_t heard = atomic_load(&r->talk.heard);
    pause_for(r, 1);
    for (int i = 1; i < pauses && atomic_load(&r->talk.heard) == heard; i++)
        pause_for(r, 1);
}

static void *pull(void *arg)
{
    struct runner *r = arg;
    struct arena arena;
    struct err err;
    int failures = 0;
    enum rc rc = RC_OK;
    arena_init(&arena, TALK_BYTES);
    while (!atomic_load(&r->talk.ending)) {
        enum rc before = rc;
        err_clear(&err);
        arena_reset(&arena);
        rc = link_pull(&r->talk.link, r->agent, WAIT_S, &arena, &err);
        if (rc == RC_OK) {
            failures = 0;
            continue;
        }
        failures++;
        if (rc != before) /* once for each reason: who was away may now refuse it */
            log_event(&r->log, LOG_WARN, "node.pull", LOG_S("why", err_text(&err)));
        pause_until_heard(r, (int)min_i64((int64_t)1 << min_i64(failures, 6), PAUSES_MAX));
    }
    arena_fini(&arena);
    return NULL;
}

static void report(struct runner *r, struct link_told *told, struct machine_mind *mind,
                   enum rc *last, struct arena *arena)
{
    struct node_report report;
    struct err err;
    bool more = true;
    err_clear(&err);
    machine_report(r->drivers.container.o.home, &r->talk.features, r->drivers.container.o.address,
                   arena, &report);
    report.promises = machine_promises(mind, &report, promise_temperature(PROMISE_SENSORS),
                                       clock_now(clock_system()), arena);
    enum rc rc = link_report(&r->talk.link, r->agent, &report, told, arena, &err);
    if (rc == RC_OK)
        atomic_fetch_add(&r->talk.heard, 1);
    while (rc == RC_OK && more && !atomic_load(&r->talk.ending))
        rc = link_usage(&r->talk.link, r->spool, arena, &more, &err);
    if (rc != RC_OK && rc != *last)
        log_event(&r->log, LOG_WARN, "node.report", LOG_S("why", err_text(&err)));
    *last = rc;
    atomic_fetch_add(&r->talk.told, 1);
}

/* Soon after a change, else every so often; a whole one at the start and after a failure. */
static void *tell(void *arg)
{
    struct runner *r = arg;
    struct arena arena;
    struct link_told *told = calloc(1, sizeof *told);
    struct machine_mind mind = {0};
    enum rc last = RC_OK;
    ASSERT(told != NULL);
    told->whole = true;
    arena_init(&arena, TALK_BYTES);
    while (!atomic_load(&r->talk.ending)) {
        uint64_t changes = agent_changes(r->agent);
        arena_reset(&arena);
        report(r, told, &mind, &last, &arena);
        int pauses = (int)(r->settings->report_seconds * 1000 / PAUSE_MS);
        for (int i = 0;
             i < pauses && (i == 0 || last != RC_OK || agent_changes(r->agent) == changes); i++)
            pause_for(r, 1);
    }
    arena_fini(&arena);
    free(told);
    return NULL;
}

/* Backups take their time: neither leases nor services wait for them. What was told may be what a
 * task waited for: after each report it is asked again. */
static void *keep(void *arg)
{
    struct runner *r = arg;
    struct arena arena;
    bool well = true;
    arena_init(&arena, TALK_BYTES);
    while (!atomic_load(&r->talk.ending)) {
        struct err err;
        size_t done = 0;
        uint64_t told = atomic_load(&r->talk.told);
        err_clear(&err);
        arena_reset(&arena);
        bool now = backup_keep_turn(&r->talk.keep, &arena, &done, &err) == RC_OK;
        if (!now && well)
            log_event(&r->log, LOG_WARN, "node.backups", LOG_S("why", err_text(&err)));
        well = now;
        int pauses = (int)(r->settings->report_seconds * 1000 / PAUSE_MS);
        bool more = done > 0;
        for (int i = 0; i < pauses && (i == 0 || (!more && atomic_load(&r->talk.told) == told));
             i++)
            pause_for(r, 1);
    }
    arena_fini(&arena);
    return NULL;
}

static enum rc look_and_tell(struct runner *r, struct arena *arena, struct err *err)
{
    bool more = true;
    TRY(lookout_ask(r->talk.lookout, arena, err));
    while (more && !atomic_load(&r->talk.ending)) {
        arena_reset(arena);
        TRY(lookout_tell(r->talk.lookout, arena, &more, err));
    }
    return RC_OK;
}

/* Looks begin in their own time; every so often what is new is asked, and what was seen told. */
static void *look_out(void *arg)
{
    struct runner *r = arg;
    struct arena arena;
    bool well = true;
    int pauses = 0;
    arena_init(&arena, TALK_BYTES);
    while (!atomic_load(&r->talk.ending)) {
        if (pauses-- == 0) {
            struct err err;
            err_clear(&err);
            arena_reset(&arena);
            bool now = look_and_tell(r, &arena, &err) == RC_OK;
            if (!now && well)
                log_event(&r->log, LOG_WARN, "node.lookout", LOG_S("why", err_text(&err)));
            well = now;
            pauses = (int)(r->settings->report_seconds * 1000 / PAUSE_MS);
        }
        (void)lookout_turn(r->talk.lookout);
        pause_for(r, 1);
    }
    arena_fini(&arena);
    return NULL;
}

static enum rc begin_talk(struct runner *r, struct arena *arena, struct err *err)
{
    struct talk *t = &r->talk;
    t->link = (struct link){.wire = r->door.wire,
                            .clock = clock_system(),
                            .log = &r->log,
                            .home = r->drivers.container.o.home,
                            .ending = &t->ending};
    TRY(link_load(&t->link, arena, err));
    struct str *features = NEW_N(arena, struct str, 5);
    features[0] = STR("container");
    features[1] = r->drivers.container.cgroup.version == 1 ? STR("cgroup:1") : STR("cgroup:2");
    features[2] = STR("nft");
    features[3] = PROBE_FEATURE;
    features[4] = vm_feature(&r->drivers.vm);
    t->features = (struct list){.items = features, .count = r->drivers.machines ? 5 : 4};
    r->drivers.container.o.fetch = link_fetch;
    r->drivers.container.o.fetch_arg = &t->link;
    t->keep = (struct backup_keep){.link = &t->link,
                                   .driver = &r->drivers.driver,
                                   .agent = r->agent,
                                   .home = r->drivers.container.o.home};
    TRY(backup_keep_init(&t->keep, err));
    link_recall(&t->link, r->agent, arena);
    t->lookout = lookout_open(&(struct lookout_options){
        .prober = {.wire = r->door.wire, .clock = clock_system(), .open = &r->settings->open},
        .link = &t->link,
        .spool = r->spool,
        .clock = clock_system(),
        .log = &r->log,
        .threads = LOOK_THREADS});
    void *(*const runs[])(void *) = {pull, tell, keep, look_out};
    if (pthread_create(&t->threads[0], NULL, runs[0], r) != 0)
        return err_set(err, RC_UNAVAILABLE, "no thread for the control plane");
    for (size_t i = 1; i < COUNT(runs); i++)
        if (pthread_create(&t->threads[i], NULL, runs[i], r) != 0)
            NEVER("another thread after a first");
    t->running = true;
    return RC_OK;
}

static void end_talk(struct runner *r)
{
    atomic_store(&r->talk.ending, true);
    for (size_t i = 0; r->talk.running && i < COUNT(r->talk.threads); i++)
        (void)pthread_join(r->talk.threads[i], NULL); /* it was started, and ends */
    lookout_close(r->talk.lookout);
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

bool node_stop_asked(int signals)
{
    struct signalfd_siginfo info;
    return read(signals, &info, sizeof info) == (ssize_t)sizeof info;
}

static void loop(struct runner *r)
{
    size_t begun = 0;
    while (!node_stop_asked(r->signals)) {
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
    TRY(node_drivers(r->settings, false, arena, &r->drivers, err));
    r->door = node_door(&r->drivers.container);
    TRY(spool_open(spool, &r->spool, err));
    r->backups = (struct backup_door){.fetch = backup_keep_fetch, .arg = &r->talk.keep};
    r->agent =
        agent_open(&(struct agent_options){.driver = &r->drivers.driver,
                                           .clock = clock_system(),
                                           .log = &r->log,
                                           .spool = r->spool,
                                           .door = &r->door,
                                           .backups = r->line->desired == NULL ? &r->backups : NULL,
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

int node_signals(void)
{
    sigset_t set;
    process_block_signals(&set);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

enum rc node_run(const struct node_settings *s, const struct node_line *line, struct arena *arena,
                 struct err *err)
{
    int lock = -1;
    struct runner r = {.settings = s, .line = line, .signals = node_signals()};
    if (r.signals < 0)
        return err_set(err, RC_UNAVAILABLE, "signals cannot be read");
    log_init(&r.log, clock_system(), STDERR_FILENO, (enum log_level)s->log_level, s->log_json);
    arena_init(&r.file_arena, (size_t)4 * DESIRED_BYTES_MAX);
    enum rc rc = node_lock(s, arena, &lock, err);
    if (rc == RC_OK)
        rc = open_doors(&r, arena, err);
    if (rc == RC_OK && line->desired == NULL)
        rc = begin_talk(&r, arena, err);
    if (rc == RC_OK) {
        log_event(&r.log, LOG_INFO, "node.started", LOG_S("home", s->home),
                  LOG_I("cgroup", r.drivers.container.cgroup.version),
                  LOG_S("machines", r.drivers.machines ? vm_feature(&r.drivers.vm)
                                                       : err_text(&r.drivers.why_no)));
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
