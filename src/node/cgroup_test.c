#include "node/cgroup.h"

#include "node/file.h"

#include <check.h>
#include <unistd.h>

static struct arena arena;
static struct err err;
static char root[64];

static void put(const char *path, const char *text)
{
    struct str full = arena_fmt(&arena, "%s/%s", root, path);
    struct str folder = full;
    while (folder.p[folder.n - 1] != '/')
        folder.n--;
    ck_assert_int_eq(file_make_folder(arena_cstr(&arena, str_sub(folder, 0, folder.n - 1)), &err),
                     RC_OK);
    ck_assert_int_eq(file_write(full.p, str_c(text), &err), RC_OK);
}

static const char *get(const char *path)
{
    struct str text;
    ck_assert_int_eq(file_read(arena_fmt(&arena, "%s/%s", root, path).p, 4096, &arena, &text, &err),
                     RC_OK);
    return arena_cstr(&arena, text);
}

static void setup(void)
{
    arena_init(&arena, (size_t)16 * 1024 * 1024);
    err_clear(&err);
    snprintf(root, sizeof root, "/tmp/hanse-cgroup-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void teardown(void)
{
    ck_assert_int_eq(file_remove(root, &err), RC_OK);
    arena_fini(&arena);
}

static void make_v2(void)
{
    put("cgroup.controllers", "cpuset cpu io memory pids\n");
    put("h/svc_a/cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n");
    put("h/svc_a/memory.stat", "anon 4096\nfile 999999\nkernel 77\nshmem 8192\n");
    put("h/svc_a/memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\n");
    put("h/svc_a/io.stat", "254:0 rbytes=100 wbytes=200 rios=1 wios=2 dbytes=0 dios=0\n"
                           "7:1 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n");
    put("h/svc_a/cgroup.procs", "");
    put("h/svc_a/cpu.max", "max 100000\n");
    put("h/svc_a/memory.max", "max\n");
    put("h/svc_a/memory.swap.max", "max\n");
    put("h/svc_a/pids.max", "max\n");
}

START_TEST(version_two_is_read_and_written)
{
    struct cgroup c;
    struct driver_stats s;
    make_v2();
    ck_assert_int_eq(cgroup_detect(root, &c, &err), RC_OK);
    ck_assert_int_eq(c.version, 2);
    ck_assert_int_eq(cgroup_stats(&c, "h/svc_a", &arena, &s, &err), RC_OK);
    ck_assert_int_eq(s.cpu_us, 1500);
    ck_assert_int_eq(s.memory_bytes, 4096 + 8192);
    ck_assert_int_eq(s.killed_for_memory, 2);
    ck_assert_int_eq(s.read_bytes, 110);
    ck_assert_int_eq(s.written_bytes, 220);
    struct cgroup_limits limits = {.cpu_milli = 1500, .memory_bytes = 1048576, .processes_max = 50};
    ck_assert_int_eq(cgroup_limit(&c, "h/svc_a", &limits, &err), RC_OK);
    ck_assert_int_eq(strncmp(get("h/svc_a/cpu.max"), "150000 100000", 13), 0);
    ck_assert_int_eq(strncmp(get("h/svc_a/memory.max"), "1048576", 7), 0);
    ck_assert_int_eq(strncmp(get("h/svc_a/memory.swap.max"), "0", 1), 0);
    ck_assert_int_eq(strncmp(get("h/svc_a/pids.max"), "50", 2), 0);
}
END_TEST

static void make_v1(void)
{
    put("cpu/h/svc_a/cpu.cfs_quota_us", "-1\n     ");
    put("cpu/h/svc_a/cpu.cfs_period_us", "100000\n");
    put("cpuacct/h/svc_a/cpuacct.usage", "2500999\n");
    put("memory/h/svc_a/memory.stat", "cache 500\nrss 10\nshmem 1\ntotal_cache 5000\n"
                                      "total_rss 4096\ntotal_shmem 100\n");
    put("memory/h/svc_a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
    put("memory/h/svc_a/memory.limit_in_bytes", "9223372036854771712\n");
    put("pids/h/svc_a/pids.max", "max\n");
    put("blkio/h/svc_a/blkio.throttle.io_service_bytes_recursive",
        "7:3 Read 10\n7:3 Write 20\n7:3 Sync 30\n7:3 Total 30\n254:0 Read 10\n254:0 Write 20\n"
        "Total 60\n");
}

START_TEST(version_one_is_read_and_written)
{
    struct cgroup c;
    struct driver_stats s;
    make_v1();
    ck_assert_int_eq(cgroup_detect(root, &c, &err), RC_OK);
    ck_assert_int_eq(c.version, 1);
    ck_assert(!c.hybrid);
    put("unified/cgroup.controllers", "hugetlb\n");
    ck_assert_int_eq(cgroup_detect(root, &c, &err), RC_OK);
    ck_assert(c.hybrid);
    ck_assert_int_eq(cgroup_stats(&c, "h/svc_a", &arena, &s, &err), RC_OK);
    ck_assert_int_eq(s.cpu_us, 2500);
    ck_assert_int_eq(s.memory_bytes, 4196);
    ck_assert_int_eq(s.killed_for_memory, 4);
    ck_assert_int_eq(s.read_bytes, 10);
    ck_assert_int_eq(s.written_bytes, 20);
    struct cgroup_limits limits = {.cpu_milli = 250, .memory_bytes = 1048576, .processes_max = 7};
    ck_assert_int_eq(cgroup_limit(&c, "h/svc_a", &limits, &err), RC_OK);
    ck_assert_int_eq(strncmp(get("cpu/h/svc_a/cpu.cfs_quota_us"), "25000", 5), 0);
    ck_assert_int_eq(strncmp(get("memory/h/svc_a/memory.limit_in_bytes"), "1048576", 7), 0);
    ck_assert_int_eq(strncmp(get("pids/h/svc_a/pids.max"), "7", 1), 0);
}
END_TEST

START_TEST(what_is_not_there_is_told)
{
    struct cgroup c;
    struct driver_stats s;
    ck_assert_int_eq(cgroup_detect(root, &c, &err), RC_UNSUPPORTED);
    make_v2();
    ck_assert_int_eq(cgroup_detect(root, &c, &err), RC_OK);
    ck_assert_int_eq(cgroup_stats(&c, "h/svc_b", &arena, &s, &err), RC_NOT_FOUND);
    struct cgroup_limits limits = {.processes_max = 7};
    ck_assert_int_eq(cgroup_limit(&c, "h/svc_b", &limits, &err), RC_NOT_FOUND);
    ck_assert_uint_eq(cgroup_count(&c, "h/svc_b", &arena), 0);
    ck_assert_int_eq(cgroup_end(&c, "h/svc_b", &arena, &err), RC_OK);
}
END_TEST

/* A service whose folder was lost: its group would hold that of the node, which was waited for five
 * seconds with each last service, and bridge and rules stayed. */
START_TEST(a_group_ends_with_what_others_left_in_it)
{
    static const char *const left[] = {"cpu/h/svc_a", "memory/h/svc_a", "pids/h/svc_b",
                                       "cpuacct/h",   "cpu/other",      "systemd/h/svc_c"};
    struct cgroup c;
    for (size_t i = 0; i < COUNT(left); i++)
        ck_assert_int_eq(file_make_folder(arena_fmt(&arena, "%s/%s", root, left[i]).p, &err),
                         RC_OK);
    ck_assert_int_eq(cgroup_detect(root, &c, &err), RC_OK);
    ck_assert_int_eq(c.version, 1);
    ck_assert_int_eq(cgroup_end_all(&c, "h", &arena, &err), RC_OK);
    for (size_t i = 0; i < COUNT(left); i++)
        ck_assert_int_eq(file_exists(arena_fmt(&arena, "%s/%s", root, left[i]).p), i == 4);
    ck_assert(!file_exists(arena_fmt(&arena, "%s/cpu/h", root).p));
    ck_assert_int_eq(cgroup_end_all(&c, "h", &arena, &err), RC_OK);
}
END_TEST

Suite *cgroup_suite(void);
Suite *cgroup_suite(void)
{
    Suite *s = suite_create("cgroup");
    TCase *c = tcase_create("cgroup");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, version_two_is_read_and_written);
    tcase_add_test(c, version_one_is_read_and_written);
    tcase_add_test(c, a_group_ends_with_what_others_left_in_it);
    tcase_add_test(c, what_is_not_there_is_told);
    suite_add_tcase(s, c);
    return s;
}
