#include "cli/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NO_PROGRAM = 127, PATH_BYTES = 4096 };

static void open_as(const char *path, int fd)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || dup2(file, fd) < 0)
        _exit(NO_PROGRAM);
}

static sigset_t ending(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

/* In the child: never returns. */
static void become(const struct program *p)
{
    sigset_t set = ending();
    int none = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (none < 0 || dup2(none, STDIN_FILENO) < 0)
        _exit(NO_PROGRAM);
    open_as(p->output, STDOUT_FILENO);
    if (p->errors != NULL)
        open_as(p->errors, STDERR_FILENO);
    else if (dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
        _exit(NO_PROGRAM);
    /* Not one that outlives us; and Ctrl-C is for us, who end it in order. */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)setpgid(0, 0);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    execvp(p->argv[0], (char *const *)(uintptr_t)p->argv);
    _exit(NO_PROGRAM);
}

static enum rc system_start(const struct host *h, const struct program *p, int64_t *ret_pid,
                            struct err *err)
{
    (void)h;
    pid_t pid = fork();
    if (pid < 0)
        return err_set(err, RC_UNAVAILABLE, "%s cannot be started: %s", p->argv[0],
                       strerror(errno));
    if (pid == 0)
        become(p);
    *ret_pid = pid;
    return RC_OK;
}

/* Whether it is still there; it is not waited for, so its number stays its own. */
static bool system_runs(const struct host *h, int64_t pid)
{
    siginfo_t info = {0};
    (void)h;
    int rc = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return rc == 0 && info.si_pid == 0;
}

static int wait_for(int64_t pid)
{
    int status = 0;
    while (waitpid((pid_t)pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static enum rc system_stop(const struct host *h, int64_t pid, struct err *err)
{
    (void)h;
    (void)kill((pid_t)pid, SIGTERM); /* it may have ended by itself */
    int code = wait_for(pid);
    return code == 0 ? RC_OK
                     : err_set(err, RC_INTERNAL, "the server ended with exit code %d", code);
}

static enum rc system_run(const struct host *h, const struct program *p, int *ret_code,
                          struct err *err)
{
    int64_t pid = 0;
    TRY(system_start(h, p, &pid, err));
    int code = wait_for(pid);
    if (code == NO_PROGRAM)
        return err_set(err, RC_NOT_FOUND, "there is no program '%s'", p->argv[0]);
    *ret_code = code;
    return RC_OK;
}

static struct str system_beside(const struct host *h, const char *name, struct arena *arena)
{
    char path[PATH_BYTES];
    (void)h;
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    while (n > 0 && path[n - 1] != '/')
        n--;
    struct str found = arena_fmt(arena, "%.*s%s", n > 0 ? (int)n : 0, path, name);
    return n > 0 && access(arena_cstr(arena, found), X_OK) == 0 ? found : str_c(name);
}

static bool system_stopped(const struct host *h)
{
    sigset_t waiting;
    (void)h;
    return sigpending(&waiting) == 0 &&
           (sigismember(&waiting, SIGINT) == 1 || sigismember(&waiting, SIGTERM) == 1);
}

static void system_hold(const struct host *h, bool yes)
{
    sigset_t set = ending();
    (void)h;
    (void)sigprocmask(yes ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

const struct host *host_system(void)
{
    static const struct host host = {.start = system_start,
                                     .runs = system_runs,
                                     .stop = system_stop,
                                     .run = system_run,
                                     .beside = system_beside,
                                     .stopped = system_stopped,
                                     .hold = system_hold};
    return &host;
}
