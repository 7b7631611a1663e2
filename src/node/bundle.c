/* The document of bundle.h, member by member. */
#include "node/bundle.h"

#include "node/disk.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>

enum {
    CONFIG_BYTES_MAX = 256 * 1024,
    PERIOD_US = 100000,
    CPU_MILLI = 1000,
    SHM_BYTES = 64 * 1024 * 1024
};

const char bundle_plan[] = "/.hanse/plan";
const char bundle_init[] = "/.hanse/init";
const char bundle_lease[] = "/.hanse/lease";
const char bundle_lease_file[] = "until";

/* What a service may do as its root: give files away, and become one of its users. */
static const char *const capabilities[] = {"CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FOWNER",
                                           "CAP_FSETID", "CAP_SETGID",       "CAP_SETUID",
                                           "CAP_KILL"};
static const char *const masked[] = {"/proc/acpi",
                                     "/proc/asound",
                                     "/proc/bus",
                                     "/proc/driver",
                                     "/proc/fs",
                                     "/proc/interrupts",
                                     "/proc/kallsyms",
                                     "/proc/kcore",
                                     "/proc/key-users",
                                     "/proc/keys",
                                     "/proc/kmsg",
                                     "/proc/kpagecount",
                                     "/proc/kpageflags",
                                     "/proc/latency_stats",
                                     "/proc/sched_debug",
                                     "/proc/scsi",
                                     "/proc/sysrq-trigger",
                                     "/proc/timer_list",
                                     "/proc/timer_stats",
                                     "/sys/firmware"};
static const char *const fixed[] = {"/proc/irq", "/proc/sys"};

static void put(struct json_writer *w, const char *key, const char *text)
{
    json_put_key(w, str_c(key));
    json_put_str(w, str_c(text));
}

static void put_number(struct json_writer *w, const char *key, int64_t number)
{
    json_put_key(w, str_c(key));
    json_put_i64(w, number);
}

static void put_bool(struct json_writer *w, const char *key, bool value)
{
    json_put_key(w, str_c(key));
    json_put_bool(w, value);
}

static void put_words(struct json_writer *w, const char *key, const char *const *words,
                      size_t count)
{
    json_put_key(w, str_c(key));
    json_begin_array(w);
    for (size_t i = 0; i < count; i++)
        json_put_str(w, str_c(words[i]));
    json_end_array(w);
}

static void begin(struct json_writer *w, const char *key)
{
    json_put_key(w, str_c(key));
    json_begin_object(w);
}

static void put_process(const struct bundle *b, struct json_writer *w, struct arena *arena)
{
    static const char *const sets[] = {"bounding", "effective", "permitted"};
    begin(w, "process");
    put_bool(w, "terminal", false);
    begin(w, "user");
    put_number(w, "uid", 0);
    put_number(w, "gid", 0);
    json_end_object(w);
    put_words(w, "args",
              (const char *const[]){bundle_init, bundle_plan,
                                    arena_fmt(arena, "%s/%s", bundle_lease, bundle_lease_file).p},
              3);
    put_words(
        w, "env",
        (const char *const[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                              "LANG=C.UTF-8"},
        2);
    put(w, "cwd", "/");
    begin(w, "capabilities");
    for (size_t i = 0; i < COUNT(sets); i++)
        put_words(w, sets[i], capabilities, COUNT(capabilities));
    json_end_object(w);
    json_put_key(w, STR("rlimits"));
    json_begin_array(w);
    json_begin_object(w);
    put(w, "type", "RLIMIT_NOFILE");
    put_number(w, "hard", b->files_max);
    put_number(w, "soft", b->files_max);
    json_end_object(w);
    json_end_array(w);
    put_bool(w, "noNewPrivileges", true);
    json_end_object(w);
}

static void put_mount(struct json_writer *w, struct str at, const char *type, const char *source,
                      const char *const *options, size_t count)
{
    json_begin_object(w);
    json_put_key(w, STR("destination"));
    json_put_str(w, at);
    put(w, "type", type);
    put(w, "source", source);
    put_words(w, "options", options, count);
    json_end_object(w);
}

#define MOUNT(w, at, type, source, ...)                                        \
    put_mount((w), (at), (type), (source), (const char *const[]){__VA_ARGS__}, \
              COUNT(((const char *const[]){__VA_ARGS__})))

static void put_mounts(const struct bundle *b, struct json_writer *w, struct arena *arena)
{
    json_put_key(w, STR("mounts"));
    json_begin_array(w);
    MOUNT(w, STR("/proc"), "proc", "proc", "nosuid", "noexec", "nodev");
    MOUNT(w, STR("/dev"), "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k");
    MOUNT(w, STR("/dev/pts"), "devpts", "devpts", "nosuid", "noexec", "newinstance",
          "ptmxmode=0666", "mode=0620", "gid=5");
    MOUNT(w, STR("/dev/shm"), "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777",
          arena_fmt(arena, "size=%d", (int)SHM_BYTES).p);
    MOUNT(w, STR("/dev/mqueue"), "mqueue", "mqueue", "nosuid", "noexec", "nodev");
    const struct spec_volume *volumes = b->spec->volumes.items;
    for (size_t i = 0; i < b->spec->volumes.count; i++)
        MOUNT(w, volumes[i].path, "bind",
              arena_fmt(arena, "%s/%.*s", b->volumes, STRF(volumes[i].name)).p, "bind", "rw",
              "nosuid", "nodev");
    /* Last: no volume lies over them. */
    MOUNT(w, str_c(bundle_init), "bind", b->init, "bind", "ro", "nosuid", "nodev");
    MOUNT(w, str_c(bundle_lease), "bind", b->lease, "bind", "ro", "nosuid", "nodev", "noexec");
    json_end_array(w);
}

static void put_map(struct json_writer *w, const char *key, uid_t first_user)
{
    json_put_key(w, str_c(key));
    json_begin_array(w);
    json_begin_object(w);
    put_number(w, "containerID", 0);
    put_number(w, "hostID", first_user);
    put_number(w, "size", DISK_USERS);
    json_end_object(w);
    json_end_array(w);
}

static void put_resources(const struct service_spec *spec, struct json_writer *w)
{
    begin(w, "resources");
    json_put_key(w, STR("devices"));
    json_begin_array(w);
    json_begin_object(w);
    put_bool(w, "allow", false);
    put(w, "access", "rwm");
    json_end_object(w);
    json_end_array(w);
    if (spec->memory_bytes > 0) {
        begin(w, "memory");
        put_number(w, "limit", spec->memory_bytes);
        put_number(w, "swap", spec->memory_bytes);
        json_end_object(w);
    }
    if (spec->cpu_milli > 0) {
        begin(w, "cpu");
        put_number(w, "quota", spec->cpu_milli * (PERIOD_US / CPU_MILLI));
        put_number(w, "period", PERIOD_US);
        json_end_object(w);
    }
    if (spec->processes_max > 0) {
        begin(w, "pids");
        put_number(w, "limit", spec->processes_max);
        json_end_object(w);
    }
    json_end_object(w);
}

static void put_argument(struct json_writer *w, int64_t index, int64_t value, int64_t two,
                         const char *op)
{
    json_begin_object(w);
    put_number(w, "index", index);
    put_number(w, "value", value);
    if (two >= 0)
        put_number(w, "valueTwo", two);
    put(w, "op", op);
    json_end_object(w);
}

static void begin_rule(struct json_writer *w, const char *call, const char *action)
{
    json_begin_object(w);
    put_words(w, "names", &call, 1);
    put(w, "action", action);
    json_put_key(w, STR("args"));
    json_begin_array(w);
}

static void end_rule(struct json_writer *w)
{
    json_end_array(w);
    json_end_object(w);
}

static void put_seccomp(struct json_writer *w)
{
    static const int64_t spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                  CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
    /* Families of sockets: packets, VM sockets and the rest of the zoo are for the node alone. */
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    static const int64_t personalities[] = {0, 0x0008, 0x20000, 0x20008, 0x40000, 0xffffffff};
    size_t count = 0;
    while (bundle_calls[count] != NULL)
        count++;
    begin(w, "seccomp");
    put(w, "defaultAction", "SCMP_ACT_ERRNO");
    json_put_key(w, STR("syscalls"));
    json_begin_array(w);
    json_begin_object(w);
    put_words(w, "names", bundle_calls, count);
    put(w, "action", "SCMP_ACT_ALLOW");
    json_end_object(w);
    begin_rule(w, "clone", "SCMP_ACT_ALLOW");
    put_argument(w, 0, spaces, 0, "SCMP_CMP_MASKED_EQ");
    end_rule(w);
    for (size_t i = 0; i < COUNT(families); i++) {
        begin_rule(w, "socket", "SCMP_ACT_ALLOW");
        put_argument(w, 0, families[i], -1, "SCMP_CMP_EQ");
        end_rule(w);
    }
    for (size_t i = 0; i < COUNT(personalities); i++) {
        begin_rule(w, "personality", "SCMP_ACT_ALLOW");
        put_argument(w, 0, personalities[i], -1, "SCMP_CMP_EQ");
        end_rule(w);
    }
    json_begin_object(w);
    put_words(w, "names", (const char *const[]){"clone3"}, 1);
    put(w, "action", "SCMP_ACT_ERRNO");
    put_number(w, "errnoRet", ENOSYS);
    json_end_object(w);
    json_end_array(w);
    json_end_object(w);
}

static void put_linux(const struct bundle *b, struct json_writer *w)
{
    static const char *const spaces[] = {"pid", "ipc", "uts", "mount", "user", "cgroup"};
    begin(w, "linux");
    put(w, "cgroupsPath", b->cgroup);
    json_put_key(w, STR("namespaces"));
    json_begin_array(w);
    for (size_t i = 0; i < COUNT(spaces); i++) {
        json_begin_object(w);
        put(w, "type", spaces[i]);
        json_end_object(w);
    }
    json_begin_object(w);
    put(w, "type", "network");
    put(w, "path", b->network);
    json_end_object(w);
    json_end_array(w);
    put_map(w, "uidMappings", b->first_user);
    put_map(w, "gidMappings", b->first_user);
    put_resources(b->spec, w);
    put_seccomp(w);
    put_words(w, "maskedPaths", masked, COUNT(masked));
    put_words(w, "readonlyPaths", fixed, COUNT(fixed));
    json_end_object(w);
}

struct str bundle_config(const struct bundle *b, struct arena *arena)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, arena, CONFIG_BYTES_MAX);
    json_writer_init(&w, &out);
    json_begin_object(&w);
    put(&w, "ociVersion", "1.0.2");
    put_process(b, &w, arena);
    begin(&w, "root");
    put(&w, "path", b->root);
    put_bool(&w, "readonly", false);
    json_end_object(&w);
    put(&w, "hostname", arena_cstr(arena, b->spec->id));
    put_mounts(b, &w, arena);
    put_linux(b, &w);
    json_end_object(&w);
    ASSERT(!out.full);
    return buf_str(&out);
}
