/* proc(5), uname(2), getifaddrs(3). */
#include "node/machine.h"

#include "node/disk.h"
#include "node/file.h"
#include "node/promise.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { PROC_BYTES_MAX = 256 * 1024, KIB = 1024, MILLI = 1000, PERCENT = 100 };

static struct str proc_text(const char *path, struct arena *arena)
{
    struct err ignored; /* what cannot be read is not told */
    struct str text;
    err_clear(&ignored);
    return file_read(path, PROC_BYTES_MAX, arena, &text, &ignored) == RC_OK ? text : STR("");
}

/* "MemTotal:       123 kB" */
static int64_t memory_line(struct str text, struct str key)
{
    int64_t kib = 0;
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        if (!str_eq(str_cut(&line, ':'), key))
            continue;
        line = str_trim(line);
        if (str_to_i64(str_cut(&line, ' '), 0, INT64_MAX / KIB, &kib))
            return kib * KIB;
    }
    return 0;
}

/* "12.34 ...": hundredths as thousandths. */
static int64_t load_milli(struct str text)
{
    int64_t whole = 0, hundredths = 0;
    struct str first = str_cut(&text, ' ');
    struct str before = str_cut(&first, '.');
    if (!str_to_i64(before, 0, INT32_MAX, &whole) || !str_to_i64(first, 0, 99, &hundredths))
        return 0;
    return whole * MILLI + hundredths * 10;
}

static time_us booted_at(struct arena *arena)
{
    int64_t seconds = 0;
    struct str text = proc_text("/proc/stat", arena);
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        if (str_eq(str_cut(&line, ' '), STR("btime")) &&
            str_to_i64(line, 0, INT64_MAX / US_PER_SECOND, &seconds))
            return seconds * US_PER_SECOND;
    }
    return 0;
}

int64_t machine_memory(struct arena *arena)
{
    return memory_line(proc_text("/proc/meminfo", arena), STR("MemAvailable"));
}

void machine_report(const char *home, const struct list *features, struct str address,
                    struct arena *arena, struct node_report *ret)
{
    struct utsname name = {0};
    struct err ignored;
    struct str memory = proc_text("/proc/meminfo", arena);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct node_report r = {.set = schema_all(&node_report_schema),
                            .booted = booted_at(arena),
                            .cpu_milli = max_i64(cores, 1) * MILLI,
                            .memory_bytes = memory_line(memory, STR("MemTotal")),
                            .features = *features,
                            .agent = STR(HANSE_VERSION),
                            .address = address};
    err_clear(&ignored);
    r.memory_used_bytes = r.memory_bytes - memory_line(memory, STR("MemAvailable"));
    r.cpu_used_milli = min_i64(load_milli(proc_text("/proc/loadavg", arena)), r.cpu_milli);
    if (disk_space(home, &r.disk_bytes, &r.disk_used_bytes, &ignored) != RC_OK)
        r.disk_bytes = r.disk_used_bytes = 0;
    if (uname(&name) == 0)
        r.hostname = arena_str(arena, str_c(name.nodename));
    *ret = r;
}

/* One measurement against its limit. */
static struct sighting_promise judge(struct machine_mind *mind, enum machine_promise which,
                                     int64_t measured, time_us now, struct arena *arena)
{
    static const struct {
        struct str name;
        int64_t most;
    } promises[] = {
        [MACHINE_DISK] = {STR_INIT("disk"), PROMISE_PERCENT_MAX},
        [MACHINE_TEMPERATURE] = {STR_INIT("temperature"), PROMISE_DEGREES_MAX},
    };
    bool broken = mind->of[which].known && !mind->of[which].kept;
    int64_t most = promises[which].most - (broken ? MACHINE_BELOW : 0);
    bool kept = measured <= most;
    if (!mind->of[which].known || mind->of[which].kept != kept)
        mind->of[which].since = now;
    mind->of[which].known = true;
    mind->of[which].kept = kept;
    struct sighting_promise p = {.set = schema_all(&sighting_promise_schema),
                                 .name = promises[which].name,
                                 .kept = kept,
                                 .since = mind->of[which].since};
    if (!kept && which == MACHINE_DISK)
        p.text = arena_fmt(arena, "%lld %% of the disk is taken, at most %lld %%",
                           (long long)measured, (long long)most);
    if (!kept && which == MACHINE_TEMPERATURE)
        p.text =
            arena_fmt(arena, "%lld degrees, at most %lld", (long long)measured, (long long)most);
    return p;
}

struct list machine_promises(struct machine_mind *mind, const struct node_report *report,
                             int64_t degrees, time_us now, struct arena *arena)
{
    struct sighting_promise *told = NEW_N(arena, struct sighting_promise, MACHINE_PROMISES);
    size_t count = 0;
    if (report->disk_bytes > 0) {
        __int128 hundredfold = (__int128)report->disk_used_bytes * PERCENT;
        int64_t percent = (int64_t)((hundredfold + report->disk_bytes - 1) / report->disk_bytes);
        told[count++] = judge(mind, MACHINE_DISK, percent, now, arena);
    }
    if (degrees >= 0)
        told[count++] = judge(mind, MACHINE_TEMPERATURE, degrees, now, arena);
    return (struct list){told, count};
}

struct str machine_address(struct arena *arena)
{
    struct ifaddrs *all = NULL;
    struct str found = STR("127.0.0.1");
    if (getifaddrs(&all) != 0)
        return found;
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        char text[INET_ADDRSTRLEN];
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET ||
            (i->ifa_flags & IFF_LOOPBACK) != 0 || (i->ifa_flags & IFF_UP) == 0)
            continue;
        struct sockaddr_in in;
        memcpy(&in, i->ifa_addr, sizeof in);
        if (inet_ntop(AF_INET, &in.sin_addr, text, sizeof text) == NULL)
            continue;
        found = arena_str(arena, str_c(text));
        break;
    }
    freeifaddrs(all);
    return found;
}
