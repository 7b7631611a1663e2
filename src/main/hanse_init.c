/*
 * hanse_init.c - the first process of a container: starts what the plan names, and keeps it up.
 *
 *     hanse-init PLAN [LEASE]
 *
 * PLAN is a service spec in JSON of which only the processes are there (profile/spec.h). They start
 * in order; a "once" process ends before what follows it starts, and leaves a stamp beside the
 * plan, so that it runs once for a root disk. What dies is started again after growing pauses.
 * SIGTERM stops them in reverse order, each with the time that it was given; SIGHUP, SIGUSR1 and
 * SIGUSR2 are handed on. The file LEASE, where it is there, holds the steady time at which all
 * ends: so a service does not outlive the lease of a node whose agent is dead. Its folder is held
 * open, and what was read last counts while it cannot be read: whoever is root beside it does not
 * lengthen it. Orphans are reaped. One thread, no allocation after the start.
 *
 *     hanse-init --for MILLISECONDS COMMAND ...
 *
 * runs a command and ends with its status; when the time is over, nothing of it is left, whoever
 * started it was killed or not.
 *
 *     hanse-init --guard PROCESS LEASE LOCK
 *
 * goes on by itself, on the node: ends a process (QEMU) when the lease in the file has ended.
 */
#include "base/clock.h"
#include "profile/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ARENA_BYTES = 8 * 1024 * 1024,
    PLAN_BYTES_MAX = 1024 * 1024,
    PASSWD_BYTES_MAX = 1024 * 1024,
    STOP_MS = 10000,
    LINE_MAX_BYTES = 512,
    LEASE_BYTES_MAX = 32,
    ENVIRONMENT_OURS = 4, /* PATH, HOME, LANG and the end */
    EXIT_NO_PLAN = 2,
    EXIT_NO_PROGRAM = 127,
};
#define PAUSE_US     (100 * US_PER_MS)
#define PAUSE_MAX_US (30 * US_PER_SECOND)
#define STEADY_US    (60 * US_PER_SECOND) /* who ran so long begins again with the first pause */
#define LOOK_US      US_PER_SECOND

enum phase { PHASE_WAITING, PHASE_RUNNING, PHASE_DONE };

struct process {
    const char *name;
    char **argv;
    char **environment;
    const char *directory; /* NULL: / */
    uid_t user;
    gid_t group;
    bool once;
    int64_t stop_ms;
    enum phase phase;
    pid_t pid;
    time_us started;
    time_us due; /* PHASE_WAITING: when to start */
    int64_t pause_us;
    const char *stamp;
};

struct init {
    struct clock *clock;
    struct process *processes;
    size_t count;
    sigset_t signals;
    int lease_folder;       /* AT_FDCWD: lease is a path; -1: there is none */
    const char *lease;      /* a name in it */
    int64_t lease_until_us; /* steady, as read last; 0: no lease is needed */
};

static void PRINTF(1, 2) say(const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fprintf(stderr, "hanse-init: %.*s\n", n > 0 ? n : 0, line);
}

/* --- the plan --- */

static bool read_whole(const char *path, size_t max, struct arena *arena, struct str *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    char *bytes = arena_bytes(arena, max);
    size_t at = 0;
    ssize_t n = 0;
    while (at < max && (n = read(fd, bytes + at, max - at)) > 0)
        at += (size_t)n;
    close(fd);
    *ret = str_n(bytes, at);
    return n >= 0 && at < max;
}

/* The group and the home of a user, by passwd(5); its own number and "/" where it is not there. */
static void look_up(struct str passwd, struct process *p, const char **ret_home,
                    struct arena *arena)
{
    p->group = p->user;
    *ret_home = "/";
    while (passwd.n > 0) {
        struct str line = str_cut(&passwd, '\n');
        int64_t user = -1, group = -1;
        (void)str_cut(&line, ':'); /* the name */
        (void)str_cut(&line, ':'); /* the password */
        if (!str_to_i64(str_cut(&line, ':'), 0, INT32_MAX, &user) ||
            !str_to_i64(str_cut(&line, ':'), 0, INT32_MAX, &group) || user != (int64_t)p->user)
            continue;
        (void)str_cut(&line, ':'); /* the person */
        struct str home = str_cut(&line, ':');
        p->group = (gid_t)group;
        if (home.n > 0)
            *ret_home = arena_cstr(arena, home);
        return;
    }
}

static char **words_of(const struct list *list, size_t more, struct arena *arena)
{
    const struct str *items = list->items;
    char **words = NEW_N(arena, char *, list->count + more + 1);
    for (size_t i = 0; i < list->count; i++) {
        struct str copy = arena_str(arena, items[i]);
        words[i] = (char *)(uintptr_t)copy.p;
    }
    return words;
}

static void set_default(char **environment, const char *name, const char *value,
                        struct arena *arena)
{
    size_t i = 0;
    for (; environment[i] != NULL; i++)
        if (str_starts(str_c(environment[i]), str_c(name)))
            return;
    environment[i] = (char *)(uintptr_t)arena_fmt(arena, "%s%s", name, value).p;
}

static void take(const struct spec_process *spec, const char *plan, struct str passwd,
                 struct arena *arena, struct process *p)
{
    const char *home;
    *p = (struct process){
        .name = arena_cstr(arena, spec->name),
        .argv = words_of(&spec->command, 0, arena),
        .environment = words_of(&spec->environment, ENVIRONMENT_OURS, arena),
        .directory = spec->directory.n > 0 ? arena_cstr(arena, spec->directory) : NULL,
        .user = (uid_t)spec->user,
        .once = spec->once,
        .stop_ms = spec->stop_ms > 0 ? spec->stop_ms : STOP_MS,
        .stamp = arena_fmt(arena, "%s.%.*s.done", plan, STRF(spec->name)).p,
    };
    look_up(passwd, p, &home, arena);
    set_default(p->environment,
                "PATH=", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", arena);
    set_default(p->environment, "HOME=", home, arena);
    set_default(p->environment, "LANG=", "C.UTF-8", arena);
    if (p->once && access(p->stamp, F_OK) == 0)
        p->phase = PHASE_DONE;
}

static enum rc load(struct init *init, const char *plan, struct arena *arena, struct err *err)
{
    struct str text, passwd = STR("");
    const struct json *json;
    struct service_spec *spec = NEW(arena, struct service_spec);
    if (!read_whole(plan, PLAN_BYTES_MAX, arena, &text))
        return err_set(err, RC_NOT_FOUND, "no plan in '%s'", plan);
    TRY(json_parse(text, arena, &json, err));
    TRY(schema_decode(&service_spec_schema, SCHEMA_PATCH, json, arena, spec, err));
    if (!read_whole("/etc/passwd", PASSWD_BYTES_MAX, arena, &passwd))
        passwd = STR(""); /* an image may have none */
    const struct spec_process *items = spec->processes.items;
    init->count = spec->processes.count;
    init->processes = NEW_N(arena, struct process, init->count);
    for (size_t i = 0; i < init->count; i++)
        take(&items[i], plan, passwd, arena, &init->processes[i]);
    return RC_OK;
}

/* --- processes --- */

NORETURN static void become(const struct process *p)
{
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setsid(); /* a child of ours leads no group yet */
    bool good = setgroups(0, NULL) == 0 && setresgid(p->group, p->group, p->group) == 0 &&
                setresuid(p->user, p->user, p->user) == 0 &&
                chdir(p->directory != NULL ? p->directory : "/") == 0;
    if (good)
        execvpe(p->argv[0], p->argv, p->environment);
    say("process '%s': cannot run '%s': %s", p->name, p->argv[0],
        strerror(errno)); // NOLINT(concurrency-mt-unsafe): one thread
    _exit(EXIT_NO_PROGRAM);
}

static void postpone(struct init *init, struct process *p)
{
    time_us now = clock_steady(init->clock);
    bool steady = p->started > 0 && now - p->started > STEADY_US;
    p->pause_us = steady || p->pause_us == 0 ? PAUSE_US : min_i64(p->pause_us * 2, PAUSE_MAX_US);
    p->due = now + p->pause_us;
    p->phase = PHASE_WAITING;
    p->pid = 0;
}

static void start(struct init *init, struct process *p)
{
    p->started = clock_steady(init->clock);
    p->pid = fork();
    if (p->pid == 0)
        become(p);
    if (p->pid < 0) {
        say("process '%s': no process could be made", p->name);
        postpone(init, p);
        return;
    }
    p->phase = PHASE_RUNNING;
}

/* What is due starts, in order; nothing behind a "once" that has not ended. */
static void start_due(struct init *init)
{
    time_us now = clock_steady(init->clock);
    for (size_t i = 0; i < init->count; i++) {
        struct process *p = &init->processes[i];
        if (p->phase == PHASE_WAITING && now >= p->due)
            start(init, p);
        if (p->once && p->phase != PHASE_DONE)
            return;
    }
}

static void leave_stamp(const struct process *p)
{
    int fd = open(p->stamp, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || fsync(fd) != 0)
        say("process '%s': no stamp: it will run again", p->name);
    if (fd >= 0)
        close(fd);
}

static void ended(struct init *init, struct process *p, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    /* What it left behind in its group would hold its ports and files. */
    (void)kill(-p->pid, SIGKILL);
    if (p->once && code == 0) {
        leave_stamp(p);
        p->phase = PHASE_DONE;
        p->pid = 0;
        return;
    }
    postpone(init, p);
    say("process '%s' ended with status %d: again in %lld ms", p->name, code,
        (long long)(p->pause_us / US_PER_MS));
}

static void reap(struct init *init)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < init->count; i++)
            if (init->processes[i].phase == PHASE_RUNNING && init->processes[i].pid == pid)
                ended(init, &init->processes[i], status);
}

/* Wait for a signal, or for the time at which something is due. */
static int next_signal(struct init *init, time_us until)
{
    int64_t left = max_i64(until - clock_steady(init->clock), 0);
    struct timespec wait = {.tv_sec = left / US_PER_SECOND,
                            .tv_nsec = (left % US_PER_SECOND) * 1000};
    int signal = sigtimedwait(&init->signals, NULL, &wait);
    return signal > 0 ? signal : 0;
}

static time_us next_due(struct init *init)
{
    time_us due = clock_steady(init->clock) + LOOK_US;
    for (size_t i = 0; i < init->count; i++)
        if (init->processes[i].phase == PHASE_WAITING && init->processes[i].due > 0)
            due = min_i64(due, init->processes[i].due);
    return due;
}

/* --- the end --- */

static void stop_one(struct init *init, struct process *p)
{
    time_us end = clock_steady(init->clock) + p->stop_ms * US_PER_MS;
    (void)kill(p->pid, SIGTERM); /* it may have ended just now */
    while (p->phase == PHASE_RUNNING && clock_steady(init->clock) < end) {
        (void)next_signal(init, min_i64(end, clock_steady(init->clock) + LOOK_US));
        reap(init);
    }
    if (p->phase == PHASE_RUNNING)
        (void)kill(-p->pid, SIGKILL);
}

static void stop_all(struct init *init)
{
    for (size_t i = init->count; i-- > 0;) {
        if (init->processes[i].phase == PHASE_RUNNING)
            stop_one(init, &init->processes[i]);
        init->processes[i].phase = PHASE_DONE;
    }
    (void)kill(-1, SIGKILL); /* all that is left in the container */
}

/* The folder in which the lease stands, once for ever: renaming what leads to it, or taking away
 * what processes may open, changes nothing afterwards. */
static bool hold_lease(struct init *init, char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        return false;
    *slash = '\0';
    init->lease = slash + 1;
    init->lease_folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return init->lease_folder >= 0;
}

static void read_lease(struct init *init)
{
    char text[LEASE_BYTES_MAX];
    int64_t until = 0;
    int fd = openat(init->lease_folder, init->lease, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ENOENT)
            init->lease_until_us = 0; /* only the node can take it away */
        return;
    }
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    /* What is no number says: at once. */
    if (n >= 0)
        init->lease_until_us =
            str_to_i64(str_trim(str_n(text, (size_t)n)), 1, INT64_MAX, &until) ? until : 1;
}

static bool lease_ended(struct init *init)
{
    if (init->lease_folder == -1)
        return false;
    read_lease(init);
    return init->lease_until_us > 0 && clock_steady(init->clock) >= init->lease_until_us;
}

static void hand_on(struct init *init, int signal)
{
    for (size_t i = 0; i < init->count; i++)
        if (init->processes[i].phase == PHASE_RUNNING)
            (void)kill(init->processes[i].pid, signal);
}

static void serve(struct init *init)
{
    for (;;) {
        start_due(init);
        int signal = next_signal(init, next_due(init));
        reap(init);
        if (signal == SIGTERM || signal == SIGINT || lease_ended(init)) {
            stop_all(init);
            return;
        }
        if (signal != 0 && signal != SIGCHLD)
            hand_on(init, signal);
    }
}

/* --- one command --- */

enum { STATUS_SIGNAL = 128, STATUS_TIMEOUT = 124 };

static int run_for(struct init *init, int64_t timeout_ms, char **argv)
{
    time_us end = clock_steady(init->clock) + timeout_ms * US_PER_MS;
    pid_t pid = fork(), got = 0;
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)setsid();
        execvp(argv[0], argv);
        _exit(EXIT_NO_PROGRAM);
    }
    int status = 0;
    while (pid > 0 && (got = waitpid(pid, &status, WNOHANG)) == 0 &&
           clock_steady(init->clock) < end) {
        int signal = next_signal(init, end);
        if (signal == SIGTERM || signal == SIGINT)
            end = 0;
    }
    if (pid > 0)
        (void)kill(-pid, SIGKILL);
    if (pid < 0)
        return EXIT_NO_PROGRAM;
    if (got == 0)
        return STATUS_TIMEOUT;
    return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL + WTERMSIG(status);
}

/* --- the end of a machine's lease --- */

/* Ends the process of a machine when its lease has ended, and itself with that process. One at a
 * time: who finds the lock taken has nothing to do. */
static int guard(struct init *init, int64_t pid, const char *lock)
{
    int process = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    int held = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (process < 0 || held < 0)
        return EXIT_NO_PLAN;
    if (flock(held, LOCK_EX | LOCK_NB) != 0)
        return 0;
    /* The agent waits for the first process; the second is on its own. */
    pid_t child = fork();
    if (child != 0)
        return child > 0 ? 0 : EXIT_NO_PLAN;
    (void)setsid(); /* a fresh process leads no group: it cannot fail */
    struct pollfd end = {.fd = process, .events = POLLIN};
    while (poll(&end, 1, 0) == 0) {
        int signal = next_signal(init, clock_steady(init->clock) + LOOK_US);
        if (signal == SIGTERM || signal == SIGINT)
            return 0;
        if (lease_ended(init))
            (void)syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0); /* it may be over */
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const int heard[] = {SIGTERM, SIGINT, SIGCHLD, SIGHUP, SIGUSR1, SIGUSR2};
    struct arena arena;
    struct err err = {0};
    struct init init = {.clock = clock_system(), .lease_folder = -1};
    int64_t timeout_ms = 0;
    bool timed = argc > 3 && strcmp(argv[1], "--for") == 0 &&
                 str_to_i64(str_c(argv[2]), 1, INT32_MAX, &timeout_ms);
    int64_t guarded = 0;
    bool guards = argc == 5 && strcmp(argv[1], "--guard") == 0 &&
                  str_to_i64(str_c(argv[2]), 1, INT32_MAX, &guarded);
    if (argc != 2 && argc != 3 && !timed && !guards) {
        say("usage: hanse-init PLAN [LEASE] | --for MILLISECONDS COMMAND ... | --guard PROCESS "
            "LEASE LOCK");
        return EXIT_NO_PLAN;
    }
    (void)umask(022);
    arena_init(&arena, ARENA_BYTES);
    sigemptyset(&init.signals);
    for (size_t i = 0; i < COUNT(heard); i++)
        sigaddset(&init.signals, heard[i]);
    (void)sigprocmask(SIG_BLOCK, &init.signals, NULL);
    if (timed)
        return run_for(&init, timeout_ms, argv + 3);
    if (guards) {
        init.lease_folder = AT_FDCWD;
        init.lease = argv[3];
        return guard(&init, guarded, argv[4]);
    }
    /* Root inside is the same user, with the same privileges: it may not write our memory. */
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || (argc == 3 && !hold_lease(&init, argv[2]))) {
        say("no folder of the lease '%s'", argc == 3 ? argv[2] : "");
        return EXIT_NO_PLAN;
    }
    if (load(&init, argv[1], &arena, &err) != RC_OK) {
        say("%.*s", STRF(err_text(&err)));
        return EXIT_NO_PLAN;
    }
    serve(&init);
    arena_fini(&arena);
    return 0;
}
