/* Which process a machine is, and who ends it. */
#include "node/vm_inside.h"

#include "base/point.h"
#include "node/file.h"
#include "node/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 64 * 1024, END_MS = 20000, LOCK_PAUSE_MS = 100, LOCK_TRIES_MAX = 600 };

uid_t vm_user(const struct vm *v, int64_t slot)
{
    return v->kvm ? v->user : container_user(slot);
}

int64_t vm_process(const struct vm *v, struct str id, struct arena *arena)
{
    (void)v;
    struct err ignored;
    struct str line;
    int64_t pid = file_number(arena_fmt(arena, "/run/libvirt/qemu/%.*s.pid", STRF(id)).p, 0);
    err_clear(&ignored);
    /* The number may be another process's by now: QEMU names its guest. A process that has ended
     * and is not yet taken note of has an empty line. */
    if (pid <= 0 || file_read(arena_fmt(arena, "/proc/%lld/cmdline", (long long)pid).p,
                              LINE_BYTES_MAX, arena, &line, &ignored) != RC_OK)
        return 0;
    return str_has(line, arena_fmt(arena, "guest=%.*s,", STRF(id))) ? pid : 0;
}

/* A descriptor of its process; below 0: it is over. */
static int open_process(const struct vm *v, struct str id, struct arena *arena)
{
    int64_t pid = vm_process(v, id, arena);
    int process = pid > 0 ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
    /* Looked at again: from here on the descriptor is this process and no other. */
    if (process < 0 || vm_process(v, id, arena) == pid)
        return process;
    close(process);
    return -1;
}

bool vm_is_over(const struct vm *v, struct str id, int64_t wait_ms, struct arena *arena)
{
    int process = open_process(v, id, arena);
    if (process < 0)
        return true;
    struct pollfd fd = {.fd = process, .events = POLLIN};
    bool over = poll(&fd, 1, (int)min_i64(wait_ms, INT32_MAX)) > 0;
    close(process);
    return over;
}

void vm_end(const struct vm *v, struct str id, struct arena *arena)
{
    int process = open_process(v, id, arena);
    if (process < 0)
        return;
    struct pollfd fd = {.fd = process, .events = POLLIN};
    (void)syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0); /* it may have ended */
    (void)poll(&fd, 1, END_MS);
    close(process);
}

const char *vm_lease_file(const struct vm *v, struct str id, struct arena *arena)
{
    return container_lease_file(v->c, id, arena);
}

enum rc vm_guard(struct vm *v, struct str id, struct arena *arena, struct err *err)
{
    int64_t pid = vm_process(v, id, arena);
    if (pid == 0)
        return RC_OK;
    return run_tool(arena, err, v->c->o.init, "--guard", arena_fmt(arena, "%lld", (long long)pid).p,
                    vm_lease_file(v, id, arena), container_in(v->c, id, "guard", arena));
}

static const char *hold_note(const struct vm *v, struct str id, struct arena *arena)
{
    return container_in(v->c, id, "held", arena);
}

enum rc vm_hold(struct vm *v, struct str id, struct arena *arena, struct err *err)
{
    return file_write(hold_note(v, id, arena), STR("1"), err);
}

static enum rc go_on(virDomainPtr domain, void *arg, struct err *err)
{
    (void)arg;
    int state = VIR_DOMAIN_NOSTATE;
    bool goes = virDomainResume(domain) == 0 ||
                (virDomainGetState(domain, &state, NULL, 0) == 0 && state == VIR_DOMAIN_RUNNING);
    return goes ? RC_OK : vm_failed(err, "the machine does not go on");
}

enum rc vm_let_go(struct vm *v, struct str id, struct arena *arena, struct err *err)
{
    TRY(vm_guard(v, id, arena, err));
    point_pass("machine-start.guarded");
    TRY(vm_ask(v, id, go_on, NULL, arena, err));
    return file_remove(hold_note(v, id, arena), err);
}

static bool lock_now(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static int open_lock(const struct vm *v, struct str id, struct arena *arena)
{
    return open(container_in(v->c, id, "lock", arena), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

bool vm_lock_now(const struct vm *v, struct str id, struct arena *arena, int *ret)
{
    int fd = open_lock(v, id, arena);
    bool mine = fd >= 0 && lock_now(fd);
    if (fd >= 0 && !mine)
        close(fd);
    if (mine)
        *ret = fd;
    return mine;
}

enum rc vm_let_go_left(struct vm *v, struct str id, struct arena *arena, struct err *err)
{
    if (!file_exists(hold_note(v, id, arena)) || vm_process(v, id, arena) == 0)
        return RC_OK;
    int lock = -1;
    if (!vm_lock_now(v, id, arena, &lock))
        return RC_OK; /* who starts it lets it go */
    enum rc rc = vm_let_go(v, id, arena, err);
    close(lock);
    return rc;
}

enum rc vm_lock(const struct vm *v, struct str id, struct arena *arena, int *ret, struct err *err)
{
    int fd = open_lock(v, id, arena);
    if (fd < 0)
        return file_failed(err, "cannot open the lock in", container_folder(v->c, id, arena));
    for (int i = 0; i < LOCK_TRIES_MAX; i++) {
        if (lock_now(fd)) {
            *ret = fd;
            return RC_OK;
        }
        (void)poll(NULL, 0, LOCK_PAUSE_MS);
    }
    close(fd);
    return err_set(err, RC_CONFLICT, "somebody else works on machine '%.*s'", STRF(id));
}
