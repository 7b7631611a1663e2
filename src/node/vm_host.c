/* libvirt's daemon, and what the processor can. */
#include "node/vm_inside.h"

#include "node/file.h"
#include "node/library.h"
#include "node/run.h"

#include <fcntl.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { START_MS = 20000, LOOK_MS = 5, KVM_TRY_MS = 2000, CONSOLE_BYTES = 1024 * 1024 };

static const char daemon_socket[] = "/run/libvirt/libvirt-sock";
static const char log_socket[] = "/run/libvirt/virtlogd-sock";

enum rc vm_failed(struct err *err, const char *what)
{
    return err_set(err, RC_UNAVAILABLE, "%s: %s", what, virGetLastErrorMessage());
}

static const char *own(const struct vm *v, const char *part, struct arena *arena)
{
    return arena_fmt(arena, "%s/libvirt/%s", v->c->o.run, part).p;
}

static virConnectPtr open_own(const struct vm *v, struct arena *arena)
{
    const char *path = own(v, "libvirt-sock", arena);
    return file_exists(path) ? virConnectOpen(arena_fmt(arena, "qemu:///system?socket=%s", path).p)
                             : NULL;
}

/* Where the processor's help does not work, the daemon shall not see it: it would ask QEMU again
 * and again whether it does. It gets devices of its own, in its own mounts; a file over the one
 * device would be in the way of those that it makes for each machine. */
static enum rc start_libvirt(const struct vm *v, const char *settings, struct arena *arena,
                             struct err *err)
{
    static const char with_devices[] =
        "mount -t tmpfs -o mode=755 devices \"$1\" && cd /dev && "
        "cp -a full net null ptmx random tty urandom zero \"$1\" && cd \"$1\" && "
        "mkdir pts shm && mount --rbind /dev/pts pts && mount -t tmpfs shm shm && cd / && "
        "{ umount -l -R /dev || :; } && "
        "mount --move \"$1\" /dev && exec libvirtd -d -f \"$2\" -p \"$3\"";
    const char *pid = own(v, "libvirtd.pid", arena), *devices = own(v, "dev", arena);
    if (v->kvm || !file_exists("/dev/kvm"))
        return run_tool(arena, err, "libvirtd", "-d", "-f", settings, "-p", pid);
    TRY(file_make_folder(devices, err));
    const char *const argv[] = {"sh", "-c", with_devices, "sh", devices, settings, pid, NULL};
    return run_ok(&(struct run){.argv = argv, .own_mounts = true}, arena, err);
}

static enum rc start_daemons(const struct vm *v, struct arena *arena, struct err *err)
{
    const char *daemon = own(v, "libvirtd.conf", arena), *log = own(v, "virtlogd.conf", arena);
    TRY(file_make_folder(own(v, "", arena), err));
    TRY(file_write(daemon,
                   arena_fmt(arena,
                             "unix_sock_dir=\"%s/libvirt\"\nunix_sock_ro_perms=\"0700\"\n"
                             "unix_sock_rw_perms=\"0700\"\nauth_unix_ro=\"none\"\n"
                             "auth_unix_rw=\"none\"\n",
                             v->c->o.run),
                   err));
    TRY(file_write(log, arena_fmt(arena, "max_size = %d\nmax_backups = 1\n", (int)CONSOLE_BYTES),
                   err));
    /* It writes the consoles, and turns them over when they are long. One that runs is left. */
    if (!file_exists(log_socket))
        TRY(run_tool(arena, err, "virtlogd", "-d", "-f", log, "-p", own(v, "virtlogd.pid", arena)));
    return start_libvirt(v, daemon, arena, err);
}

/* Errors are asked for where they matter, and told once by who asked. */
static void hear_error(void *arg, virErrorPtr error)
{
    (void)arg;
    (void)error;
}

enum rc vm_connect(struct vm *v, struct arena *arena, virConnectPtr *ret, struct err *err)
{
    TRY(library_want(LIBRARY_LIBVIRT, err));
    virSetErrorFunc(NULL, hear_error);
    virConnectPtr got = open_own(v, arena);
    if (got == NULL && file_exists(daemon_socket))
        got = virConnectOpen("qemu:///system");
    if (got == NULL && v->c->o.looks)
        return err_set(err, RC_UNAVAILABLE, "libvirt's daemon does not run");
    if (got == NULL) {
        TRY(start_daemons(v, arena, err));
        for (int i = 0; i < START_MS / LOOK_MS && got == NULL; i++) {
            (void)poll(NULL, 0, LOOK_MS);
            got = open_own(v, arena);
        }
    }
    if (got == NULL)
        return vm_failed(err, "libvirt does not answer");
    *ret = got;
    return RC_OK;
}

/* The process of a file of ours, if it is that program still. */
static void end_daemon(const char *file, const char *program, struct arena *arena)
{
    enum { NAME_BYTES_MAX = 64 };
    struct err ignored;
    struct str name;
    int64_t pid = file_number(file, 0);
    err_clear(&ignored);
    if (pid > 0 &&
        file_read(arena_fmt(arena, "/proc/%lld/comm", (long long)pid).p, NAME_BYTES_MAX, arena,
                  &name, &ignored) == RC_OK &&
        str_eq(str_trim(name), str_c(program)))
        (void)kill((pid_t)pid, SIGTERM); /* it may have ended just now */
}

void vm_end_daemons(struct vm *v, struct arena *arena)
{
    end_daemon(own(v, "libvirtd.pid", arena), "libvirtd", arena);
    end_daemon(own(v, "virtlogd.pid", arena), "virtlogd", arena);
}

/* As QEMU will run: the device may be there and not be open to it. A processor whose help is itself
 * emulated runs the sector too, but takes seconds to come to it, and ordinary machines never boot:
 * where it works, the sector is reached in a tenth of KVM_TRY_MS. */
static bool runs_with_kvm(const struct vm *v, int sector, struct arena *arena)
{
    enum { SAYS = 85 };
    struct err ignored;
    struct str said;
    int status = 0;
    const char *const argv[] = {"setpriv",
                                arena_fmt(arena, "--reuid=%lld", (long long)v->user).p,
                                arena_fmt(arena, "--regid=%lld", (long long)v->kvm_group).p,
                                "--clear-groups",
                                "qemu-system-x86_64",
                                "-accel",
                                "kvm",
                                "-m",
                                "16",
                                "-nodefaults",
                                "-display",
                                "none",
                                "-device",
                                "isa-debug-exit,iobase=0xf4,iosize=4",
                                "-drive",
                                "if=floppy,format=raw,readonly=on,file=/dev/stdin",
                                NULL};
    struct run run = {.argv = argv, .input_fd = sector, .timeout_ms = KVM_TRY_MS};
    err_clear(&ignored);
    return run_program(&run, arena, &status, &said, &ignored) == RC_OK && status == SAYS;
}

static bool try_kvm(const struct vm *v, struct arena *arena)
{
    /* A boot sector: mov al,42; out 0xf4,al; hlt. The device ends QEMU with 2 * 42 + 1. */
    enum { SECTOR = 512, FOR_ALL = 0644 };
    uint8_t sector[SECTOR] = {0xb0, 42, 0xe6, 0xf4, 0xf4};
    struct err ignored;
    sector[SECTOR - 2] = 0x55;
    sector[SECTOR - 1] = 0xaa;
    const char *file = arena_fmt(arena, "%s/kvm-try", v->c->o.run).p;
    err_clear(&ignored);
    if (file_write(file, str_n((const char *)sector, SECTOR), &ignored) != RC_OK)
        return false;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    bool works = fd >= 0 && fchmod(fd, FOR_ALL) == 0 && runs_with_kvm(v, fd, arena);
    if (fd >= 0)
        (void)close(fd);
    return file_remove(file, &ignored) == RC_OK && works;
}

bool vm_try_kvm(const struct vm *v, struct arena *arena)
{
    enum { UNKNOWN = -1 };
    struct err err;
    err_clear(&err);
    if (!file_exists("/dev/kvm"))
        return false;
    const char *seen = arena_fmt(arena, "%s/kvm", v->c->o.run).p;
    int64_t was = file_number(seen, UNKNOWN);
    if (was != UNKNOWN)
        return was == 1;
    bool works = try_kvm(v, arena);
    enum rc kept = file_write(seen, works ? STR("1\n") : STR("0\n"), &err);
    (void)kept; /* where it cannot be, the next start tries again */
    return works;
}
