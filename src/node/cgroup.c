/*
 * cgroup.c - kernel documentation: admin-guide/cgroup-v1, admin-guide/cgroup-v2.
 */
#include "node/cgroup.h"

#include "node/file.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STAT_BYTES_MAX = 256 * 1024,
    PERIOD_US = 100000,
    END_TRIES_MAX = 500,
    END_PAUSE_MS = 10,
    NS_PER_US = 1000
};

/* Where what lies: of version 1 the controller's tree. */
static const char *const trees[] = {"cpu",    "cpuacct", "memory",  "pids",    "blkio",
                                    "cpuset", "devices", "freezer", "systemd", NULL};
static const char *const needed[] = {"cpu", "cpuacct", "memory", "pids", NULL};

static const char *path_of(const struct cgroup *c, const char *tree, const char *name,
                           const char *file, struct arena *arena)
{
    struct str path = c->version == 2 ? arena_fmt(arena, "%s/%s/%s", c->root, name, file)
                                      : arena_fmt(arena, "%s/%s/%s/%s", c->root, tree, name, file);
    return path.p;
}

static bool is_there(const char *root, const char *part)
{
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", root, part);
    return file_exists(path);
}

enum rc cgroup_detect(const char *root, struct cgroup *ret, struct err *err)
{
    if (is_there(root, "cgroup.controllers")) {
        *ret = (struct cgroup){.root = root, .version = 2};
        return RC_OK;
    }
    for (size_t i = 0; needed[i] != NULL; i++)
        if (!is_there(root, needed[i]))
            return err_set(err, RC_UNSUPPORTED, "the machine has no control group of '%s' in '%s'",
                           needed[i], root);
    *ret = (struct cgroup){
        .root = root, .version = 1, .hybrid = is_there(root, "unified/cgroup.controllers")};
    return RC_OK;
}

/* --- limits --- */

static enum rc put(const struct cgroup *c, const char *tree, const char *name, const char *file,
                   const char *text, struct err *err)
{
    char path[FILE_PATH_MAX];
    int n = c->version == 2 ? snprintf(path, sizeof path, "%s/%s/%s", c->root, name, file)
                            : snprintf(path, sizeof path, "%s/%s/%s/%s", c->root, tree, name, file);
    ASSERT(n > 0 && (size_t)n < sizeof path);
    return file_put(path, str_c(text), err);
}

/* Version 1 keeps memory <= memory + swap at every instant: so the order depends on the direction,
 * and one of two orders fits. A kernel without swap accounting has no such file. */
static enum rc limit_memory_v1(const struct cgroup *c, const char *name, const char *text,
                               struct err *err)
{
    static const char memory[] = "memory.limit_in_bytes", both[] = "memory.memsw.limit_in_bytes";
    struct err first;
    err_clear(&first);
    if (put(c, "memory", name, memory, text, &first) == RC_OK) {
        enum rc rc = put(c, "memory", name, both, text, &first);
        return rc == RC_OK || rc == RC_NOT_FOUND || rc == RC_FORBIDDEN ? RC_OK : (*err = first, rc);
    }
    err_clear(&first);
    enum rc swap = put(c, "memory", name, both, text, &first);
    (void)swap; /* the next line says whether it helped */
    return put(c, "memory", name, memory, text, err);
}

static enum rc limit_memory(const struct cgroup *c, const char *name, int64_t bytes,
                            struct err *err)
{
    char text[64];
    snprintf(text, sizeof text, "%lld", (long long)bytes);
    if (c->version == 1)
        return limit_memory_v1(c, name, text, err);
    TRY(put(c, "", name, "memory.max", text, err));
    struct err swap;
    err_clear(&swap);
    enum rc rc = put(c, "", name, "memory.swap.max", "0", &swap);
    return rc == RC_OK || rc == RC_NOT_FOUND ? RC_OK : (*err = swap, rc);
}

enum rc cgroup_limit(const struct cgroup *c, const char *name, const struct cgroup_limits *limits,
                     struct err *err)
{
    char text[64];
    long long quota = (long long)limits->cpu_milli * (PERIOD_US / 1000);
    if (limits->cpu_milli > 0 && c->version == 2) {
        snprintf(text, sizeof text, "%lld %d", quota, (int)PERIOD_US);
        TRY(put(c, "", name, "cpu.max", text, err));
    } else if (limits->cpu_milli > 0) {
        snprintf(text, sizeof text, "%d", (int)PERIOD_US);
        TRY(put(c, "cpu", name, "cpu.cfs_period_us", text, err));
        snprintf(text, sizeof text, "%lld", quota);
        TRY(put(c, "cpu", name, "cpu.cfs_quota_us", text, err));
    }
    if (limits->processes_max > 0) {
        snprintf(text, sizeof text, "%lld", (long long)limits->processes_max);
        TRY(put(c, "pids", name, "pids.max", text, err));
    }
    return limits->memory_bytes > 0 ? limit_memory(c, name, limits->memory_bytes, err) : RC_OK;
}

/* --- counters --- */

/* The text of a file, empty where it cannot be read: some kernels leave some out. */
static struct str text_of(const struct cgroup *c, const char *tree, const char *name,
                          const char *file, struct arena *arena)
{
    struct err ignored;
    struct str text = STR("");
    err_clear(&ignored);
    if (file_read(path_of(c, tree, name, file, arena), STAT_BYTES_MAX, arena, &text, &ignored) !=
        RC_OK)
        return STR("");
    return text;
}

/* "key 12\nother 13\n": the number behind key. */
static int64_t number_behind(struct str text, struct str key)
{
    int64_t number = 0;
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        struct str name = str_cut(&line, ' ');
        if (str_eq(name, key) && str_to_i64(line, 0, INT64_MAX, &number))
            return number;
    }
    return 0;
}

static int64_t only_number(struct str text)
{
    int64_t number = 0;
    return str_to_i64(str_trim(text), 0, INT64_MAX, &number) ? number : 0;
}

/* Version 2, io.stat: "254:0 rbytes=1 wbytes=2 ..." a device. */
static void add_io_v2(struct str text, struct driver_stats *s)
{
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        while (line.n > 0) {
            struct str value = str_cut(&line, ' ');
            struct str key = str_cut(&value, '=');
            int64_t number = only_number(value);
            if (str_eq(key, STR("rbytes")))
                s->read_bytes += number;
            else if (str_eq(key, STR("wbytes")))
                s->written_bytes += number;
        }
    }
}

/* Version 1: "254:0 Read 1\n254:0 Write 2\n...Total 3". Disks that lie in files count twice, as
 * the loop and as what is below it: only loops count, where there is any. */
static void add_io_v1(struct str text, struct driver_stats *s)
{
    static const struct str loops = STR_INIT("7:");
    bool looped = str_starts(text, loops) || str_has(text, STR("\n7:"));
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        struct str device = str_cut(&line, ' ');
        struct str key = str_cut(&line, ' ');
        if (looped && !str_starts(device, loops))
            continue;
        if (str_eq(key, STR("Read")))
            s->read_bytes += only_number(line);
        else if (str_eq(key, STR("Write")))
            s->written_bytes += only_number(line);
    }
}

static void stats_v1(const struct cgroup *c, const char *name, struct arena *arena,
                     struct driver_stats *s)
{
    s->cpu_us = only_number(text_of(c, "cpuacct", name, "cpuacct.usage", arena)) / NS_PER_US;
    struct str memory = text_of(c, "memory", name, "memory.stat", arena);
    s->memory_bytes =
        number_behind(memory, STR("total_rss")) + number_behind(memory, STR("total_shmem"));
    s->killed_for_memory =
        number_behind(text_of(c, "memory", name, "memory.oom_control", arena), STR("oom_kill"));
    add_io_v1(text_of(c, "blkio", name, "blkio.throttle.io_service_bytes_recursive", arena), s);
}

static void stats_v2(const struct cgroup *c, const char *name, struct arena *arena,
                     struct driver_stats *s)
{
    s->cpu_us = number_behind(text_of(c, "", name, "cpu.stat", arena), STR("usage_usec"));
    struct str memory = text_of(c, "", name, "memory.stat", arena);
    s->memory_bytes = number_behind(memory, STR("anon")) + number_behind(memory, STR("shmem"));
    s->killed_for_memory =
        number_behind(text_of(c, "", name, "memory.events", arena), STR("oom_kill"));
    add_io_v2(text_of(c, "", name, "io.stat", arena), s);
}

enum rc cgroup_stats(const struct cgroup *c, const char *name, struct arena *arena,
                     struct driver_stats *ret, struct err *err)
{
    struct driver_stats s = {0};
    if (!file_exists(path_of(c, "memory", name, "", arena)))
        return err_set(err, RC_NOT_FOUND, "there is no control group '%s'", name);
    if (c->version == 1)
        stats_v1(c, name, arena, &s);
    else
        stats_v2(c, name, arena, &s);
    *ret = s;
    return RC_OK;
}

/* --- the end --- */

/* Processes of all trees: a start that was cut short may have joined only some. */
static size_t for_each_process(const struct cgroup *c, const char *name, struct arena *arena,
                               int signal)
{
    size_t count = 0;
    for (size_t i = 0; trees[i] != NULL && (c->version == 1 || i == 0); i++) {
        struct str pids = text_of(c, trees[i], name, "cgroup.procs", arena);
        while (pids.n > 0) {
            int64_t pid = 0;
            if (!str_to_i64(str_cut(&pids, '\n'), 1, INT32_MAX, &pid))
                continue;
            count++;
            if (signal != 0)
                (void)kill((pid_t)pid, signal); /* it may have ended just now */
        }
    }
    return count;
}

size_t cgroup_count(const struct cgroup *c, const char *name, struct arena *arena)
{
    return for_each_process(c, name, arena, 0);
}

static bool remove_groups(const struct cgroup *c, const char *name, struct arena *arena)
{
    bool gone = true;
    for (size_t i = 0; trees[i] != NULL && (c->version == 1 || i == 0); i++) {
        const char *path = path_of(c, trees[i], name, "", arena);
        gone = (rmdir(path) == 0 || errno == ENOENT) && gone;
    }
    return gone;
}

static enum rc end_of(const struct cgroup *c, const char *name, bool remove, struct arena *arena,
                      struct err *err)
{
    /* A fork bomb makes new ones while it is being killed: its limit on processes ends that. */
    for (int i = 0; i < END_TRIES_MAX; i++) {
        if (for_each_process(c, name, arena, SIGKILL) == 0 &&
            (!remove || remove_groups(c, name, arena)))
            return RC_OK;
        (void)poll(NULL, 0, END_PAUSE_MS);
    }
    return err_set(err, RC_UNAVAILABLE, "processes of '%s' do not end", name);
}

enum rc cgroup_kill(const struct cgroup *c, const char *name, struct arena *arena, struct err *err)
{
    return end_of(c, name, false, arena, err);
}

enum rc cgroup_end(const struct cgroup *c, const char *name, struct arena *arena, struct err *err)
{
    return end_of(c, name, true, arena, err);
}

static enum rc end_inside(const struct cgroup *c, const char *tree, const char *name,
                          struct arena *arena, struct err *err)
{
    DIR *dir = opendir(path_of(c, tree, name, "", arena));
    enum rc rc = RC_OK;
    if (dir == NULL)
        return RC_OK; /* this tree has none */
    for (const struct dirent *e = readdir(dir); rc == RC_OK && e != NULL; e = readdir(dir))
        if (e->d_type == DT_DIR && e->d_name[0] != '.')
            rc = cgroup_end(c, arena_fmt(arena, "%s/%s", name, e->d_name).p, arena, err);
    closedir(dir);
    return rc;
}

enum rc cgroup_end_all(const struct cgroup *c, const char *name, struct arena *arena,
                       struct err *err)
{
    for (size_t i = 0; trees[i] != NULL && (c->version == 1 || i == 0); i++)
        TRY(end_inside(c, trees[i], name, arena, err));
    return cgroup_end(c, name, arena, err);
}
