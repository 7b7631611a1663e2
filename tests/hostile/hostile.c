/*
 * hostile.c - what a tenant might ask of the kernel to get out of its container, one after the
 * other, each in a process of its own. Harmless where it is allowed: nothing is changed that others
 * see.
 *
 *     hostile        prints "OUT name" for what was allowed, "NONE name" for what this kernel does
 *                    not have, "no name: why" for what was refused
 *
 * Run by root on the node, as the control, it shows that the attempts are real.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_alg.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ALLOWED = 0, /* all else is an errno */
    SOMEBODY = 33,
    TEXT_BYTES = 4096,
    MEMORY_MAJOR = 1,
    MEMORY_MINOR = 1,
    LOOP_MAJOR = 7,
    PORT_DISCARD = 9,
    KLOG_READ_ALL = 3,
    COPY_BYTES = 65536,
};

static int result(long rc)
{
    return rc >= 0 ? ALLOWED : errno;
}

static int opened(const char *path, int flags)
{
    return result(open(path, flags | O_CLOEXEC));
}

/* --- keys, programs in the kernel, faults, other processes --- */

static int try_add_key(void)
{
    return result(syscall(SYS_add_key, "user", "hostile", "x", 1, KEY_SPEC_PROCESS_KEYRING));
}

static int try_keyctl(void)
{
    return result(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1));
}

static int try_bpf(void)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.map_type = BPF_MAP_TYPE_ARRAY;
    attr.key_size = 4;
    attr.value_size = 4;
    attr.max_entries = 1;
    return result(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr));
}

static int try_userfaultfd(void)
{
    return result(syscall(SYS_userfaultfd, O_CLOEXEC));
}

static pid_t sleeper(void)
{
    pid_t child = fork();
    if (child == 0) {
        (void)pause();
        _exit(0);
    }
    return child;
}

static int try_ptrace(void)
{
    pid_t child = sleeper();
    int got = result(ptrace(PTRACE_SEIZE, child, NULL, NULL));
    (void)kill(child, SIGKILL);
    return got;
}

static int try_read_process(void)
{
    static char there[8] = "secret";
    char here[sizeof there];
    pid_t child = sleeper();
    struct iovec to = {.iov_base = here, .iov_len = sizeof here};
    struct iovec from = {.iov_base = there, .iov_len = sizeof there};
    int got = result(process_vm_readv(child, &to, 1, &from, 1, 0));
    (void)kill(child, SIGKILL);
    return got;
}

static int try_first_memory(void)
{
    return opened("/proc/1/mem", O_RDWR);
}

static int try_first_root(void)
{
    return opened("/proc/1/root/", O_RDONLY | O_DIRECTORY);
}

static int try_first_environment(void)
{
    return opened("/proc/1/environ", O_RDONLY);
}

static int try_perf(void)
{
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.type = PERF_TYPE_SOFTWARE;
    attr.size = sizeof attr;
    attr.config = PERF_COUNT_SW_CPU_CLOCK;
    return result(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int try_io_uring(void)
{
    struct io_uring_params params;
    memset(&params, 0, sizeof params);
    return result(syscall(SYS_io_uring_setup, 1, &params));
}

static int try_handle(void)
{
    union {
        struct file_handle handle;
        char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } u;
    int mount_id = 0;
    memset(&u, 0, sizeof u);
    u.handle.handle_bytes = MAX_HANDLE_SZ;
    int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)name_to_handle_at(root, "", &u.handle, &mount_id, AT_EMPTY_PATH);
    int got = open_by_handle_at(root, &u.handle, O_RDONLY);
    /* A handle that is stale was looked for: that is allowed. */
    return got >= 0 || errno == ESTALE ? ALLOWED : errno;
}

static int try_fanotify(void)
{
    return result(fanotify_init(FAN_CLASS_CONTENT, O_RDONLY));
}

static int try_kcmp(void)
{
    enum { KCMP_VM = 1 };
    return result(syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0));
}

/* --- namespaces and mounts --- */

static int try_users(void)
{
    return result(unshare(CLONE_NEWUSER));
}

static int try_users_by_clone(void)
{
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0)
        _exit(0);
    return result(child);
}

static int try_mounts(void)
{
    return result(unshare(CLONE_NEWNS));
}

static int try_mount(void)
{
    /* On the node it happens out of sight. */
    if (unshare(CLONE_NEWNS) == 0)
        (void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    return result(mount("hostile", "/tmp", "tmpfs", 0, NULL));
}

static int try_fsopen(void)
{
    return result(syscall(SYS_fsopen, "tmpfs", 0));
}

static int try_open_tree(void)
{
    enum { TREE_CLONE = 1 };
    return result(syscall(SYS_open_tree, AT_FDCWD, "/", TREE_CLONE));
}

static int try_setns(void)
{
    int space = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    return space < 0 ? errno : result(setns(space, CLONE_NEWUTS));
}

static int try_name(void)
{
    char name[TEXT_BYTES] = "";
    (void)gethostname(name, sizeof name - 1);
    return result(sethostname(name, strlen(name)));
}

/* --- devices and the kernel's files --- */

static int node_of(const char *path, mode_t kind, unsigned major_number, unsigned minor_number)
{
    (void)unlink(path);
    int got = mknod(path, kind | 0600, makedev(major_number, minor_number)) == 0
                  ? opened(path, O_RDONLY)
                  : errno;
    (void)unlink(path);
    return got == ENXIO ? ALLOWED : got; /* made, and no such device is there */
}

static int try_block_device(void)
{
    return node_of("/dev/hostile-block", S_IFBLK, LOOP_MAJOR, 0);
}

static int try_memory_device(void)
{
    return node_of("/dev/hostile-null", S_IFCHR, MEMORY_MAJOR, 3);
}

static int try_loop_control(void)
{
    return opened("/dev/loop-control", O_RDWR);
}

static int try_kernel_log(void)
{
    char text[TEXT_BYTES];
    return result(klogctl(KLOG_READ_ALL, text, sizeof text));
}

static int try_core_pattern(void)
{
    return opened("/proc/sys/kernel/core_pattern", O_WRONLY);
}

static int try_magic_keys(void)
{
    return opened("/proc/sysrq-trigger", O_WRONLY);
}

static int try_groups(void)
{
    static const char *const paths[] = {"/sys/fs/cgroup/cgroup.procs",
                                        "/sys/fs/cgroup/memory/cgroup.procs",
                                        "/sys/fs/cgroup/pids/cgroup.procs"};
    int got = ENOENT;
    for (size_t i = 0; i < sizeof paths / sizeof *paths && got != ALLOWED; i++)
        got = opened(paths[i], O_WRONLY);
    return got;
}

static int try_own_limit(void)
{
    return opened("/proc/self/oom_score_adj", O_WRONLY) == ALLOWED &&
                   write(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC), "-1000", 5) == 5
               ? ALLOWED
               : errno;
}

static int try_module(void)
{
    int got = result(syscall(SYS_init_module, NULL, 0, NULL));
    return got == EFAULT || got == EINVAL || got == ENOEXEC ? ALLOWED : got;
}

static int try_priority(void)
{
    return result(setpriority(PRIO_PROCESS, 0, -1));
}

static int try_real_time(void)
{
    const struct sched_param p = {.sched_priority = 1};
    return result(sched_setscheduler(0, SCHED_FIFO, &p));
}

/* --- the network --- */

static int try_raw(void)
{
    return result(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static int try_packets(void)
{
    return result(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0x0300));
}

static int try_crypto(void)
{
    return result(socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

static int try_host_socket(void)
{
    return result(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int option_of(int level, int name)
{
    int one = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return result(setsockopt(fd, level, name, &one, sizeof one));
}

static int try_foreign_source(void)
{
    return option_of(IPPROTO_IP, IP_TRANSPARENT);
}

static int try_mark(void)
{
    return option_of(SOL_SOCKET, SO_MARK);
}

static int try_ipv6_neighbours(void)
{
    struct sockaddr_in6 all = {.sin6_family = AF_INET6, .sin6_port = htons(PORT_DISCARD)};
    struct if_nameindex *names = if_nameindex();
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), got = ENODEV;
    if (fd < 0)
        return errno;
    all.sin6_addr.s6_addr[0] = 0xff;
    all.sin6_addr.s6_addr[1] = 0x02;
    all.sin6_addr.s6_addr[15] = 0x01;
    for (struct if_nameindex *i = names; i != NULL && i->if_index != 0 && got != ALLOWED; i++) {
        all.sin6_scope_id = i->if_index;
        if (strcmp(i->if_name, "lo") != 0)
            got = result(sendto(fd, "x", 1, 0, (const struct sockaddr *)&all, sizeof all));
    }
    return got;
}

/* --- becoming somebody else --- */

static int copy_of_self(const char *to)
{
    static char piece[COPY_BYTES];
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    ssize_t n = 0;
    while (from >= 0 && fd >= 0 && (n = read(from, piece, sizeof piece)) > 0)
        if (write(fd, piece, (size_t)n) != n)
            return EIO;
    int got = fd >= 0 && n == 0 ? result(fchmod(fd, 04755)) : errno;
    (void)close(fd);
    return got;
}

static int try_set_user(void)
{
    static const char path[] = "/root-again-hostile";
    int got = copy_of_self(path), status = 0;
    pid_t child = got == ALLOWED ? fork() : -1;
    if (child == 0) {
        if (setresgid(SOMEBODY, SOMEBODY, SOMEBODY) != 0 ||
            setresuid(SOMEBODY, SOMEBODY, SOMEBODY) != 0)
            _exit(EXIT_FAILURE);
        execl(path, path, "--who", (char *)NULL);
        _exit(EXIT_FAILURE);
    }
    if (child > 0)
        (void)waitpid(child, &status, 0);
    (void)unlink(path);
    if (got != ALLOWED)
        return got;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ALLOWED : EPERM;
}

static const struct attempt {
    const char *name;
    int (*fn)(void); /* ALLOWED, or errno */
} attempts[] = {
    {"add-key", try_add_key},
    {"keyctl", try_keyctl},
    {"bpf", try_bpf},
    {"userfaultfd", try_userfaultfd},
    {"ptrace", try_ptrace},
    {"read-process", try_read_process},
    {"first-process-memory", try_first_memory},
    {"first-process-root", try_first_root},
    {"first-process-environment", try_first_environment},
    {"perf", try_perf},
    {"io-uring", try_io_uring},
    {"file-handle", try_handle},
    {"fanotify", try_fanotify},
    {"kcmp", try_kcmp},
    {"user-namespace", try_users},
    {"user-namespace-by-clone", try_users_by_clone},
    {"mount-namespace", try_mounts},
    {"mount", try_mount},
    {"fsopen", try_fsopen},
    {"open-tree", try_open_tree},
    {"setns", try_setns},
    {"host-name", try_name},
    {"block-device", try_block_device},
    {"character-device", try_memory_device},
    {"loop-control", try_loop_control},
    {"kernel-log", try_kernel_log},
    {"core-pattern", try_core_pattern},
    {"magic-keys", try_magic_keys},
    {"control-groups", try_groups},
    {"never-killed", try_own_limit},
    {"module", try_module},
    {"priority", try_priority},
    {"real-time", try_real_time},
    {"raw-socket", try_raw},
    {"packet-socket", try_packets},
    {"crypto-socket", try_crypto},
    {"host-socket", try_host_socket},
    {"foreign-source", try_foreign_source},
    {"packet-mark", try_mark},
    {"ipv6-neighbours", try_ipv6_neighbours},
    {"set-user-id", try_set_user},
};

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--who") == 0)
        return geteuid() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        int status = 0;
        (void)fflush(stdout);
        pid_t child = fork();
        if (child == 0)
            _exit(attempts[i].fn());
        if (child < 0 || waitpid(child, &status, 0) != child)
            return EXIT_FAILURE;
        int got = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
        if (got == ALLOWED)
            printf("OUT %s\n", attempts[i].name);
        else if (got == ENOSYS || got == EAFNOSUPPORT || got == ENODEV || got == EOPNOTSUPP)
            printf("NONE %s\n", attempts[i].name);
        else
            printf("no %s: %s\n", attempts[i].name,
                   strerror(got)); // NOLINT(concurrency-mt-unsafe): one thread
    }
    return EXIT_SUCCESS;
}
