/*
 * run.c - fork, exec, and a look at pipe and process at once: a program's children may hold the
 * pipe open for ever, so the end of the process is the end.
 */
#include "node/run.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_NONE = 127, STATUS_SIGNAL = 128, PIECE_BYTES = 4096, SAYS_BYTES = 300 };

static const char unified[] = "/sys/fs/cgroup/unified";

static int input_of(const struct run *r)
{
    if (r->input_fd > 0)
        return fcntl(r->input_fd, F_DUPFD_CLOEXEC, 3);
    if (r->input.n == 0)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    for (struct str left = r->input; left.n > 0;) {
        ssize_t n = write(fd, left.p, left.n);
        if (n <= 0) {
            close(fd);
            return -1;
        }
        left = str_sub(left, (size_t)n, left.n);
    }
    (void)lseek(fd, 0, SEEK_SET); /* cannot fail on a memory file */
    return fd;
}

/* Between fork and exec, as below. Another user is another parent's child to the kernel: the signal
 * is asked for again. */
static bool become_root_of(int users)
{
    return setns(users, CLONE_NEWUSER) == 0 && syscall(SYS_setgroups, 0, NULL) == 0 &&
           syscall(SYS_setresgid, 0, 0, 0) == 0 && syscall(SYS_setresuid, 0, 0, 0) == 0 &&
           prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
}

/* Between fork and exec: only calls that are safe there. */
NORETURN static void become(const struct run *r, int input, int pipe, pid_t parent)
{
    sigset_t none;
    int output = r->output_fd > 0 ? r->output_fd : pipe;
    int errors = r->keeps_errors ? pipe : output;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(STATUS_NONE);
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0)
        _exit(STATUS_NONE);
    if (r->directory != NULL && chdir(r->directory) != 0)
        _exit(STATUS_NONE);
    if (r->users_fd > 0 && !become_root_of(r->users_fd))
        _exit(STATUS_NONE);
    (void)syscall(SYS_close_range, 3U, ~0U, 0U);
    if ((r->own_mounts || r->hide_unified) &&
        (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))
        _exit(STATUS_NONE);
    if (r->hide_unified && umount2(unified, MNT_DETACH) != 0)
        _exit(STATUS_NONE);
    execvp(r->argv[0], (char *const *)(uintptr_t)r->argv);
    _exit(STATUS_NONE);
}

/* Read what is there; false at its end. */
static bool drain(int fd, struct buf *output)
{
    char piece[PIECE_BYTES];
    ssize_t n;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        buf_add(output, str_n(piece, min_size((size_t)n, output->max - output->n)));
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Until the process ends; false where the time is over first. */
static bool follow(int process, int pipe, int64_t timeout_ms, struct buf *output)
{
    struct clock *clock = clock_system();
    time_us end = clock_steady(clock) + timeout_ms * US_PER_MS;
    bool open = true;
    for (;;) {
        time_us left = end - clock_steady(clock);
        if (left <= 0)
            return false;
        struct pollfd fds[2] = {{.fd = process, .events = POLLIN},
                                {.fd = open ? pipe : -1, .events = POLLIN}};
        if (poll(fds, 2, (int)min_i64(left / US_PER_MS + 1, INT32_MAX)) < 0 && errno != EINTR)
            return false;
        if (open && fds[1].revents != 0)
            open = drain(pipe, output);
        if ((fds[0].revents & POLLIN) != 0) {
            if (open)
                (void)drain(pipe, output); /* whatever it left is all there is */
            return true;
        }
    }
}

static int status_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL + WTERMSIG(status);
}

static enum rc wait_for(pid_t pid, int pipe, const struct run *r, struct buf *output,
                        int *ret_status, struct err *err)
{
    int64_t timeout_ms = r->timeout_ms > 0 ? r->timeout_ms : RUN_TIMEOUT_MS;
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    bool ended = process >= 0 && follow(process, pipe, timeout_ms, output);
    if (!ended)
        (void)kill(-pid, SIGKILL); /* its group; it may have ended by itself just now */
    if (process >= 0)
        close(process);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!ended)
        return err_set(err, RC_TIMEOUT, "'%s' took longer than %lld ms", r->argv[0],
                       (long long)timeout_ms);
    *ret_status = status_of(status);
    return RC_OK;
}

enum rc run_program(const struct run *r, struct arena *arena, int *ret_status,
                    struct str *ret_output, struct err *err)
{
    int ends[2] = {-1, -1};
    int input = input_of(r);
    struct buf output;
    buf_init(&output, arena, r->output_max > 0 ? r->output_max : RUN_OUTPUT_BYTES_MAX);
    if (input < 0 || pipe2(ends, O_CLOEXEC) != 0) {
        if (input >= 0)
            close(input);
        return err_set(err, RC_UNAVAILABLE, "no pipe for '%s'", r->argv[0]);
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK); /* a fresh pipe takes it */
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become(r, input, ends[1], parent);
    close(input);
    close(ends[1]);
    enum rc rc = pid < 0 ? err_set(err, RC_UNAVAILABLE, "no process for '%s'", r->argv[0])
                         : wait_for(pid, ends[0], r, &output, ret_status, err);
    close(ends[0]);
    if (rc == RC_OK)
        *ret_output = buf_str(&output);
    return rc;
}

enum rc run_ok(const struct run *r, struct arena *arena, struct err *err)
{
    int status = 0;
    struct str output;
    TRY(run_program(r, arena, &status, &output, err));
    if (status == STATUS_NONE && output.n == 0)
        return err_set(err, RC_UNAVAILABLE, "the program '%s' is missing", r->argv[0]);
    /* The end says why: programs tell what they do first. */
    output = str_trim(output);
    if (status != 0)
        return err_set(err, RC_UNAVAILABLE, "'%s' failed (%d): %.*s", r->argv[0], status,
                       STRF(str_sub(output, output.n - min_size(output.n, SAYS_BYTES), output.n)));
    return RC_OK;
}

bool run_has(const char *program)
{
    const char *path = getenv("PATH"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    struct str rest = str_c(path != NULL ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
    while (rest.n > 0) {
        struct str folder = str_cut(&rest, ':');
        char full[PIECE_BYTES];
        int n = snprintf(full, sizeof full, "%.*s/%s", STRF(folder), program);
        if (n > 0 && (size_t)n < sizeof full && access(full, X_OK) == 0)
            return true;
    }
    return false;
}

const char *const *run_argv(const struct list *words, struct arena *arena)
{
    const struct str *items = words->items;
    const char **argv = NEW_N(arena, const char *, words->count + 1);
    for (size_t i = 0; i < words->count; i++)
        argv[i] = arena_cstr(arena, items[i]);
    return argv;
}
