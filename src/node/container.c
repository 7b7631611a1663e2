/* The functions of the driver door, for crun. */
#include "node/container.h"

#include "node/bundle.h"
#include "node/container_inside.h"
#include "node/disk.h"
#include "node/file.h"
#include "node/reconcile.h"
#include "node/run.h"

#include "base/point.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    FILES_MAX = 20000, /* open files of a process */
    CRUN_ARGUMENTS = 7,
    EXEC_MORE_MS = 5000, /* for crun itself, beside the command */
    STOP_MORE_MS = 1000,
    CRUN_SAYS_MAX = 4096,
    BOOT_ID_MAX = 64,
};

/* crun with the options that each call has, then `more`, NULL at the end. */
static const char *const *crun_argv(const struct container *c, struct str id,
                                    const char *const *more, struct arena *arena)
{
    size_t count = 0;
    while (more[count] != NULL)
        count++;
    const char **argv = NEW_N(arena, const char *, CRUN_ARGUMENTS + count + 1);
    const char *const first[CRUN_ARGUMENTS] = {"crun",
                                               "--root",
                                               arena_fmt(arena, "%s/crun", c->o.run).p,
                                               "--log",
                                               container_in(c, id, "crun.log", arena),
                                               "--cgroup-manager",
                                               "cgroupfs"};
    memcpy(argv, first, sizeof first);
    for (size_t i = 0; i < count; i++)
        argv[CRUN_ARGUMENTS + i] = more[i];
    return argv;
}

#define CRUN(c, id, arena, ...) \
    crun_argv((c), (id), (const char *const[]){__VA_ARGS__, NULL}, (arena))

/* --- observe --- */

/* False: it is no container. mounts: disk_mounts. */
static bool observe_one(const struct container *c, struct str id, struct str mounts,
                        struct arena *arena, struct observed *ret)
{
    struct err ignored;
    struct left left = {0};
    err_clear(&ignored);
    struct observed seen = {.id = id, .state = OBSERVED_RESTING};
    /* A state that is broken or not there yet: prepared for nothing. */
    if (left_read(container_folder(c, id, arena), arena, &left, &ignored) == RC_OK) {
        seen.generation = left.generation;
        seen.form = left.form;
        seen.restart = left.restart;
        seen.starts = left.starts;
        seen.started = left.started;
        if (left.runtime != SPEC_CONTAINER)
            return false;
        seen.restored = left.restored;
    }
    seen.process = container_process(c, id, arena);
    seen.lease = file_number(container_lease_file(c, id, arena), 0);
    bool remains = file_exists(arena_fmt(arena, "%s/crun/%.*s", c->o.run, STRF(id)).p) ||
                   cgroup_count(&c->cgroup, container_group(c, id, arena), arena) > 0;
    if (seen.process > 0)
        seen.state = OBSERVED_RUNNING;
    else if (remains)
        seen.state = OBSERVED_DEAD;
    /* It runs, and keeps nothing of what it does: it is stopped, and its disk mounted anew. */
    if (seen.state == OBSERVED_RUNNING && container_stuck(c, id, mounts, arena))
        seen.state = OBSERVED_DEAD;
    *ret = seen;
    return true;
}

static enum rc observe(struct driver *d, struct arena *arena, struct list *ret, struct err *err)
{
    const struct container *c = container_of_driver(d);
    struct list ids;
    TRY(container_ids(c, arena, &ids, err));
    struct observed *seen = NEW_N(arena, struct observed, ids.count);
    struct str mounts = ids.count > 0 ? disk_mounts(arena) : STR("");
    size_t count = 0;
    for (size_t i = 0; i < ids.count; i++)
        if (observe_one(c, ((struct str *)ids.items)[i], mounts, arena, &seen[count]))
            count++;
    *ret = (struct list){.items = seen, .count = count};
    return RC_OK;
}

/* --- prepare --- */

static enum rc begin_anew(struct container *c, struct left *left, struct arena *arena,
                          struct err *err)
{
    left->generation = 0;
    left->form = STR("");
    TRY(left_write(container_folder(c, left->id, arena), left, arena, err));
    TRY(container_unmount(c, left->id, false, arena, err));
    point_pass("prepare.unmounted");
    TRY(file_remove(container_in(c, left->id, "disk/upper", arena), err));
    TRY(file_remove(container_in(c, left->id, "disk/work", arena), err));
    point_pass("prepare.emptied");
    return RC_OK;
}

static enum rc prepare(struct driver *d, const struct service_spec *spec, struct arena *arena,
                       struct err *err)
{
    struct container *c = container_of_driver(d);
    struct left left;
    struct str form = reconcile_form(spec, arena);
    if (spec->runtime != SPEC_CONTAINER)
        return err_set(err, RC_UNSUPPORTED, "this driver runs containers only");
    TRY(container_take_slot(c, spec->id, arena, &left, err));
    if (left.runtime != SPEC_CONTAINER)
        return err_set(err, RC_CONFLICT, "'%.*s' was a machine: remove it first", STRF(spec->id));
    if (!str_eq(left.form, form)) {
        TRY(container_disk(c, spec, arena, err));
        TRY(begin_anew(c, &left, arena, err));
    }
    TRY(container_mount(c, spec, left.slot, arena, err));
    point_pass("prepare.mounted");
    TRY(container_fill(c, spec, left.slot, arena, err));
    point_pass("prepare.filled");
    left.generation = spec->generation;
    left.form = form;
    left.image = ((const struct spec_image *)spec->images.items)[0].sha256;
    left.ports = spec->ports;
    left.alone = spec->alone;
    return left_write(container_folder(c, spec->id, arena), &left, arena, err);
}

/* --- rules for all --- */

static enum rc set_rules(struct container *c, struct arena *arena, struct err *err)
{
    struct list lefts;
    TRY(container_lefts(c, arena, &lefts, err));
    const struct left *items = lefts.items;
    struct network_service *services = NEW_N(arena, struct network_service, lefts.count);
    for (size_t i = 0; i < lefts.count; i++)
        services[i] = (struct network_service){
            .slot = items[i].slot, .ports = items[i].ports, .alone = items[i].alone};
    return network_rules(&c->network, services, lefts.count, arena, err);
}

enum rc container_rules(struct container *c, struct arena *arena, struct err *err)
{
    pthread_mutex_lock(&c->slots);
    enum rc rc = set_rules(c, arena, err);
    pthread_mutex_unlock(&c->slots);
    return rc;
}

/* --- start --- */

static int64_t files_max(void)
{
    struct rlimit limit;
    /* A process may not raise what it was given (getrlimit(2)). */
    return getrlimit(RLIMIT_NOFILE, &limit) == 0
               ? min_i64(FILES_MAX, (int64_t)min_size(limit.rlim_max, FILES_MAX))
               : FILES_MAX;
}

static enum rc write_bundle(struct container *c, const struct service_spec *spec, int64_t slot,
                            struct arena *arena, struct err *err)
{
    struct bundle b = {
        .spec = spec,
        .root = container_in(c, spec->id, "root", arena),
        .volumes = container_in(c, spec->id, "disk/volumes", arena),
        .init = c->o.init,
        .lease = container_lease_folder(c, spec->id, arena),
        .cgroup = arena_fmt(arena, "/%s", container_group(c, spec->id, arena)).p,
        .network = network_namespace(&c->network, slot, arena).p,
        .first_user = container_user(slot),
        .files_max = files_max(),
    };
    return file_write(container_in(c, spec->id, "config.json", arena), bundle_config(&b, arena),
                      err);
}

static int64_t stop_ms_of(const struct service_spec *spec)
{
    const struct spec_process *p = spec->processes.items;
    int64_t sum = 0;
    for (size_t i = 0; i < spec->processes.count; i++)
        if (!p[i].once)
            sum += p[i].stop_ms > 0 ? p[i].stop_ms : DRIVER_STOP_MS;
    return sum;
}

static const char *pid_file(const struct container *c, struct str id, struct arena *arena)
{
    return arena_fmt(arena, "%s/pids/%.*s", c->o.run, STRF(id)).p;
}

static enum rc crun_start(struct container *c, struct str id, struct arena *arena, struct err *err)
{
    int status = 0;
    struct str said = STR(""), log = STR("");
    struct err ignored;
    const char *crun_log = container_in(c, id, "crun.log", arena);
    TRY(file_remove(crun_log, err));
    TRY(file_remove(pid_file(c, id, arena), err));
    int out = open(container_log(c, id, arena), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (out < 0)
        return file_failed(err, "cannot write", "log");
    const char *const *argv =
        CRUN(c, id, arena, "run", "-d", "--bundle", container_folder(c, id, arena), "--pid-file",
             pid_file(c, id, arena), arena_cstr(arena, id));
    struct run run = {.argv = argv, .output_fd = out, .hide_unified = c->cgroup.hybrid};
    enum rc rc = run_program(&run, arena, &status, &said, err);
    close(out);
    TRY(rc);
    if (status == 0)
        return RC_OK;
    err_clear(&ignored);
    if (file_read(crun_log, CRUN_SAYS_MAX, arena, &log, &ignored) != RC_OK)
        log = STR("it said nothing");
    return err_set(err, RC_UNAVAILABLE, "crun failed (%d): %.*s", status, STRF(str_trim(log)));
}

/* Nothing of it is in crun's books, nor alive. */
static enum rc crun_forget(struct container *c, struct str id, struct arena *arena, struct err *err)
{
    const char *state = arena_fmt(arena, "%s/crun/%.*s", c->o.run, STRF(id)).p;
    if (file_exists(state)) {
        int status;
        struct str said;
        const char *const *argv = CRUN(c, id, arena, "delete", "--force", arena_cstr(arena, id));
        struct run run = {.argv = argv, .hide_unified = c->cgroup.hybrid};
        /* What it leaves is removed by the next lines: it may know only half of a container. */
        TRY(run_program(&run, arena, &status, &said, err));
    }
    TRY(cgroup_end(&c->cgroup, container_group(c, id, arena), arena, err));
    TRY(file_remove(state, err));
    TRY(file_remove(container_lease_folder(c, id, arena), err));
    return file_remove(pid_file(c, id, arena), err);
}

static enum rc start(struct driver *d, const struct service_spec *spec, struct arena *arena,
                     struct err *err)
{
    struct container *c = container_of_driver(d);
    const char *folder = container_folder(c, spec->id, arena);
    struct left left;
    TRY(left_read(folder, arena, &left, err));
    TRY(container_mount(c, spec, left.slot, arena, err));
    TRY(file_make_folder(container_lease_folder(c, spec->id, arena), err));
    TRY(container_rules(c, arena, err));
    point_pass("start.ruled");
    TRY(network_join(&c->network, left.slot, spec->network_bit_s, arena, err));
    point_pass("start.joined");
    TRY(write_bundle(c, spec, left.slot, arena, err));
    point_pass("start.bundled");
    left.restart = spec->restart;
    left.starts++;
    left.started = clock_now(c->o.clock);
    left.stop_ms = stop_ms_of(spec);
    /* Before it runs: who looks afterwards never takes an old start for this one. */
    TRY(left_write(folder, &left, arena, err));
    point_pass("start.noted");
    enum rc rc = crun_start(c, spec->id, arena, err);
    if (rc != RC_OK) {
        struct err second;
        err_clear(&second);
        if (crun_forget(c, spec->id, arena, &second) != RC_OK)
            err_add(err, "what is left is stopped by the next step");
    }
    point_pass("start.running");
    return rc;
}

static enum rc adjust(struct driver *d, const struct service_spec *spec, struct arena *arena,
                      struct err *err)
{
    struct container *c = container_of_driver(d);
    const char *folder = container_folder(c, spec->id, arena);
    struct left left;
    struct cgroup_limits limits = {.cpu_milli = spec->cpu_milli,
                                   .memory_bytes = spec->memory_bytes,
                                   .processes_max = spec->processes_max};
    TRY(left_read(folder, arena, &left, err));
    TRY(cgroup_limit(&c->cgroup, container_group(c, spec->id, arena), &limits, err));
    point_pass("adjust.limited");
    /* A disk that cannot grow while it is in use does so at the next start. */
    struct err first;
    err_clear(&first);
    enum rc rc =
        disk_make(container_in(c, spec->id, "disk.img", arena),
                  container_in(c, spec->id, "disk", arena), spec->disk_bytes, arena, &first);
    if (rc != RC_OK && rc != RC_UNSUPPORTED) {
        *err = first;
        return rc;
    }
    TRY(network_join(&c->network, left.slot, spec->network_bit_s, arena, err));
    if (spec->lease_s == 0)
        TRY(file_remove(container_lease_file(c, spec->id, arena), err));
    point_pass("adjust.shaped");
    left.generation = spec->generation;
    left.ports = spec->ports;
    left.alone = spec->alone;
    TRY(left_write(folder, &left, arena, err));
    point_pass("adjust.noted");
    return container_rules(c, arena, err);
}

static enum rc lease(struct driver *d, struct str id, time_us until, struct arena *arena,
                     struct err *err)
{
    return container_put_lease(container_of_driver(d), id, until, arena, err);
}

/* --- stop, remove --- */

/* What is known of it; without a state: no slot, and the time to stop that all have. */
static struct left known(const struct container *c, struct str id, struct arena *arena)
{
    struct err ignored;
    struct left left;
    err_clear(&ignored);
    if (left_read(container_folder(c, id, arena), arena, &left, &ignored) != RC_OK)
        left = (struct left){.slot = -1, .stop_ms = DRIVER_STOP_MS};
    return left;
}

static enum rc stats(struct driver *d, struct str id, struct arena *arena, struct driver_stats *ret,
                     struct err *err)
{
    struct container *c = container_of_driver(d);
    struct left left;
    struct driver_stats s;
    TRY(left_read(container_folder(c, id, arena), arena, &left, err));
    TRY(cgroup_stats(&c->cgroup, container_group(c, id, arena), arena, &s, err));
    s.process = arena_fmt(arena, "%lld", (long long)left.starts);
    s.disk_bytes = disk_taken(container_in(c, id, "disk.img", arena));
    (void)network_counters(&c->network, left.slot, &s.received_bytes, &s.sent_bytes);
    s.ended = container_lease_end(c, id, left.started, arena);
    *ret = s;
    return RC_OK;
}

/* Ask it to end, and wait as long as it was promised. */
static void ask_to_end(const struct container *c, struct str id, int64_t stop_ms,
                       struct arena *arena)
{
    int64_t pid = container_process(c, id, arena);
    int process = pid > 0 ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
    /* Looked at again: from here on the descriptor is this process and no other. */
    if (process >= 0 && container_process(c, id, arena) == pid &&
        syscall(SYS_pidfd_send_signal, process, SIGTERM, NULL, 0) == 0) {
        struct pollfd fd = {.fd = process, .events = POLLIN};
        (void)poll(&fd, 1, (int)min_i64(stop_ms + STOP_MORE_MS, INT32_MAX)); /* or it is killed */
    }
    if (process >= 0)
        close(process);
}

static enum rc stop(struct driver *d, struct str id, struct arena *arena,
                    struct driver_stats *ret_last, struct err *err)
{
    struct container *c = container_of_driver(d);
    struct err ignored;
    struct left left = known(c, id, arena);
    err_clear(&ignored);
    ask_to_end(c, id, left.stop_ms, arena);
    point_pass("stop.asked");
    TRY(cgroup_kill(&c->cgroup, container_group(c, id, arena), arena, err));
    point_pass("stop.killed");
    struct driver_stats last = {0};
    if (stats(d, id, arena, &last, &ignored) != RC_OK)
        last = (struct driver_stats){0};
    TRY(crun_forget(c, id, arena, err));
    point_pass("stop.forgotten");
    if (left.slot >= 0)
        TRY(network_leave(&c->network, left.slot, arena, err));
    point_pass("stop.left");
    *ret_last = last;
    return RC_OK;
}

/* The last one takes bridge and rules with it, and groups that were left by services of which
 * nothing else is: their folder may have been lost. */
static enum rc clear_if_last(struct container *c, struct arena *arena, struct err *err)
{
    struct list ids;
    TRY(container_ids(c, arena, &ids, err));
    if (ids.count > 0)
        return set_rules(c, arena, err);
    TRY(cgroup_end_all(&c->cgroup, arena_cstr(arena, c->o.bridge), arena, err));
    return network_clear(&c->network, arena, err);
}

enum rc container_forget(struct container *c, struct str id, struct arena *arena, struct err *err)
{
    pthread_mutex_lock(&c->slots);
    enum rc rc = file_remove(container_folder(c, id, arena), err);
    point_pass("remove.emptied");
    if (rc == RC_OK)
        rc = file_remove(container_lease_folder(c, id, arena), err);
    if (rc == RC_OK)
        rc = clear_if_last(c, arena, err);
    pthread_mutex_unlock(&c->slots);
    point_pass("remove.cleared");
    TRY(rc);
    return container_drop_images(c, arena, err);
}

static enum rc remove_service(struct driver *d, struct str id, struct arena *arena, struct err *err)
{
    struct container *c = container_of_driver(d);
    struct left left = known(c, id, arena);
    TRY(crun_forget(c, id, arena, err));
    if (left.slot >= 0)
        TRY(network_leave(&c->network, left.slot, arena, err));
    TRY(container_unmount(c, id, true, arena, err));
    point_pass("remove.unmounted");
    return container_forget(c, id, arena, err);
}

/* --- facts, exec --- */

static enum rc facts(struct driver *d, const struct service_spec *spec, struct arena *arena,
                     struct list *ret, struct err *err)
{
    struct container *c = container_of_driver(d);
    struct left left;
    TRY(left_read(container_folder(c, spec->id, arena), arena, &left, err));
    const struct spec_port *ports = left.ports.items;
    struct sighting_fact *found = NEW_N(arena, struct sighting_fact, 2 * left.ports.count);
    size_t count = 0;
    for (size_t i = 0; i < left.ports.count; i++) {
        if (!ports[i].published)
            continue;
        found[count++] = (struct sighting_fact){
            .name = arena_fmt(arena, "%.*s.address", STRF(ports[i].name)), .value = c->o.address};
        found[count++] = (struct sighting_fact){
            .name = arena_fmt(arena, "%.*s.port", STRF(ports[i].name)),
            .value = arena_fmt(arena, "%lld", (long long)network_port(left.slot, i))};
    }
    *ret = (struct list){.items = found, .count = count};
    return RC_OK;
}

static enum rc exec(struct driver *d, const struct driver_exec *e, struct arena *arena,
                    int *ret_status, struct str *ret_output, struct err *err)
{
    enum { STATUS_TIMEOUT = 124 };
    struct container *c = container_of_driver(d);
    if (container_process(c, e->id, arena) == 0)
        return err_set(err, RC_UNAVAILABLE, "service '%.*s' does not run", STRF(e->id));
    const char **more = NEW_N(arena, const char *, e->command->count + 7);
    const char *const *words = run_argv(e->command, arena);
    const char *const first[] = {
        "exec",      "--no-new-privs", arena_cstr(arena, e->id),
        bundle_init, "--for",          arena_fmt(arena, "%lld", (long long)e->timeout_ms).p};
    memcpy(more, first, sizeof first);
    for (size_t i = 0; i < e->command->count; i++)
        more[COUNT(first) + i] = words[i];
    struct run run = {.argv = crun_argv(c, e->id, more, arena),
                      .input_fd = e->input,
                      .output_fd = e->output,
                      /* A warning of a backup command is no part of the backup. */
                      .keeps_errors = e->output > 0,
                      .output_max = DRIVER_OUTPUT_BYTES_MAX,
                      .timeout_ms = e->timeout_ms + EXEC_MORE_MS,
                      .hide_unified = c->cgroup.hybrid};
    TRY(run_program(&run, arena, ret_status, ret_output, err));
    if (*ret_status == STATUS_TIMEOUT)
        return err_set(err, RC_TIMEOUT, "the command took longer than %lld ms",
                       (long long)e->timeout_ms);
    return RC_OK;
}

static enum rc restored(struct driver *d, struct str id, int64_t number, struct arena *arena,
                        struct err *err)
{
    const char *folder = container_folder(container_of_driver(d), id, arena);
    struct left left;
    TRY(left_read(folder, arena, &left, err));
    left.restored = number;
    return left_write(folder, &left, arena, err);
}

static enum rc no_snapshot(struct driver *d, const struct service_spec *spec, struct arena *arena,
                           struct err *err)
{
    (void)d;
    (void)arena;
    return err_set(err, RC_UNSUPPORTED, "'%.*s' is a container, which has no snapshots",
                   STRF(spec->id));
}

static enum rc no_snapshots(struct driver *d, struct str id, struct arena *arena, struct list *ret,
                            struct err *err)
{
    (void)d;
    (void)id;
    (void)arena;
    (void)err;
    *ret = (struct list){0};
    return RC_OK;
}

/* --- the beginning --- */

/* What this driver cannot be without, in words. */
static enum rc check_machine(const struct container *c, struct err *err)
{
    static const char *const programs[] = {"crun",   "ip",        "nft",        "tc",  "mke2fs",
                                           "e2fsck", "resize2fs", "unsquashfs", "tar", "gzip"};
    if (geteuid() != 0)
        return err_set(err, RC_UNSUPPORTED, "containers want the agent to run as root");
    for (size_t i = 0; i < COUNT(programs); i++)
        if (!run_has(programs[i]))
            return err_set(err, RC_UNSUPPORTED, "containers want the program '%s'", programs[i]);
    if (access(c->o.init, X_OK) != 0)
        return err_set(err, RC_UNSUPPORTED, "containers want the helper '%s'", c->o.init);
    for (const char *p = c->o.home; *p != '\0'; p++)
        if (*p == ':' || *p == ',' || *p == '\\')
            return err_set(err, RC_INVALID, "the folder '%s' may have no ':', ',' or '\\'",
                           c->o.home);
    return RC_OK;
}

/* Folders under run are of this boot; where /run is no tmpfs, those of an earlier one lie there. */
static enum rc begin_boot(const struct container *c, struct arena *arena, struct err *err)
{
    static const char *const parts[] = {"crun", "pids", "images", "leases"};
    struct str now, before = STR("");
    struct err ignored;
    const char *note = arena_fmt(arena, "%s/boot", c->o.run).p;
    err_clear(&ignored);
    TRY(file_read("/proc/sys/kernel/random/boot_id", BOOT_ID_MAX, arena, &now, err));
    if (file_read(note, BOOT_ID_MAX, arena, &before, &ignored) != RC_OK)
        before = STR("");
    bool stale = before.n > 0 && !str_eq(now, before);
    for (size_t i = 0; i < COUNT(parts); i++) {
        const char *path = arena_fmt(arena, "%s/%s", c->o.run, parts[i]).p;
        if (stale)
            TRY(file_remove(path, err));
        TRY(file_make_folder(path, err));
    }
    TRY(file_make_folder(arena_fmt(arena, "%s/services", c->o.home).p, err));
    TRY(file_make_folder(arena_fmt(arena, "%s/images", c->o.home).p, err));
    /* Once a boot: others look while the agent works. */
    return str_eq(now, before) ? RC_OK : file_write(note, now, err);
}

/* An agent that was killed when it had removed its last service left what all of them shared. What
 * cannot be cleared now is in nobody's way, and goes with the next last one. */
static void clear_left(struct container *c, struct arena *arena)
{
    struct err ignored;
    struct list ids;
    err_clear(&ignored);
    if (network_is_there(&c->network) && container_ids(c, arena, &ids, &ignored) == RC_OK &&
        ids.count == 0)
        (void)clear_if_last(c, arena, &ignored);
}

enum rc container_init(struct container *c, const struct container_options *o, struct arena *arena,
                       struct err *err)
{
    *c = (struct container){.driver = {.name = "container",
                                       .observe = observe,
                                       .prepare = prepare,
                                       .start = start,
                                       .adjust = adjust,
                                       .lease = lease,
                                       .stop = stop,
                                       .remove = remove_service,
                                       .facts = facts,
                                       .stats = stats,
                                       .exec = exec,
                                       .save = container_save,
                                       .load = container_load,
                                       .adopt = container_adopt,
                                       .restored = restored,
                                       .snapshot = no_snapshot,
                                       .snapshots = no_snapshots,
                                       .revert = no_snapshot},
                            .o = *o};
    TRY(check_machine(c, err));
    TRY(cgroup_detect("/sys/fs/cgroup", &c->cgroup, err));
    TRY(network_init(&c->network, o->bridge, o->network, arena, err));
    c->network.open = o->open;
    if (!o->looks)
        TRY(begin_boot(c, arena, err));
    pthread_mutex_init(&c->slots, NULL);
    pthread_mutex_init(&c->images, NULL);
    if (!o->looks)
        clear_left(c, arena);
    return RC_OK;
}

void container_fini(struct container *c)
{
    pthread_mutex_destroy(&c->slots);
    pthread_mutex_destroy(&c->images);
}
