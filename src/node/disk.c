/* mount(2), loop(4), mount_setattr(2) behind disk.h. */
#include "node/disk.h"

#include "node/file.h"
#include "node/run.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLACK_BYTES = 1024 * 1024 }; /* less than a group is no use to ext4 */
enum { MOUNTS_BYTES_MAX = 8 * 1024 * 1024 };
enum { LOOP_MAJOR = 7, LOOP_TRIES_MAX = 64, BLOCK_BYTES = 512, UPPER_MODE = 0755 };

/* --- mounts --- */

bool disk_is_mounted(const char *path)
{
    struct statx st;
    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) == 0 &&
           (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

enum rc disk_unmount(const char *path, struct err *err)
{
    while (disk_is_mounted(path)) {
        if (umount2(path, UMOUNT_NOFOLLOW) == 0 || errno == EINVAL)
            continue;
        if (errno == EBUSY)
            return err_set(err, RC_CONFLICT, "'%s' is in use", path);
        return file_failed(err, "cannot unmount", path);
    }
    return RC_OK;
}

struct str disk_mounts(struct arena *arena)
{
    struct err ignored;
    struct str text;
    err_clear(&ignored);
    return file_read("/proc/self/mountinfo", MOUNTS_BYTES_MAX, arena, &text, &ignored) == RC_OK
               ? text
               : STR("");
}

/* "36 35 98:0 /root /at options optional-fields - type source super-options" */
bool disk_is_stuck(struct str mounts, struct str at)
{
    enum { PATH_FIELD = 4, BEHIND_TYPE = 2 };
    bool stuck = false;
    while (mounts.n > 0) {
        struct str line = str_cut(&mounts, '\n'), path = STR("");
        for (int i = 0; i <= PATH_FIELD; i++)
            path = str_cut(&line, ' ');
        if (!str_eq(path, at))
            continue;
        while (line.n > 0 && !str_eq(str_cut(&line, ' '), STR("-")))
            ;
        for (int i = 0; i < BEHIND_TYPE; i++)
            (void)str_cut(&line, ' ');
        stuck = false; /* of several mounts over one another the last counts */
        while (line.n > 0) {
            struct str option = str_cut(&line, ',');
            /* Of kernels from 6.14 on, and of those before. */
            stuck = stuck || str_eq(option, STR("emergency_ro")) || str_eq(option, STR("ro"));
        }
    }
    return stuck;
}

/* --- loop devices --- */

static int open_loop(int number)
{
    char path[32];
    snprintf(path, sizeof path, "/dev/loop%d", number);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    /* A machine without udev makes no device files by itself. */
    if (fd < 0 && errno == ENOENT && mknod(path, S_IFBLK | 0660, makedev(LOOP_MAJOR, number)) == 0)
        fd = open(path, O_RDWR | O_CLOEXEC);
    return fd;
}

/* A loop device with the file behind it, that goes away with its last user. */
static int attach_loop(int file, bool read_only, int *ret_number)
{
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0)
        return -1;
    struct loop_config config = {.fd = (uint32_t)file,
                                 .info.lo_flags =
                                     LO_FLAGS_AUTOCLEAR | (read_only ? LO_FLAGS_READ_ONLY : 0U)};
    int device = -1;
    /* Another one may take the free number between the two calls. */
    for (int i = 0; i < LOOP_TRIES_MAX && device < 0; i++) {
        int number = ioctl(control, LOOP_CTL_GET_FREE);
        if (number < 0)
            break;
        device = open_loop(number);
        if (device >= 0 && ioctl(device, LOOP_CONFIGURE, &config) != 0) {
            bool taken = errno == EBUSY;
            close(device);
            device = -1;
            if (!taken)
                break;
        }
        *ret_number = number;
    }
    close(control);
    return device;
}

enum rc disk_mount(const char *file, const char *at, const char *type, bool read_only,
                   struct err *err)
{
    if (disk_is_mounted(at))
        return RC_OK;
    TRY(file_make_folder(at, err));
    int fd = open(file, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (fd < 0)
        return file_failed(err, "cannot open the disk", file);
    int number = 0;
    int device = attach_loop(fd, read_only, &number);
    close(fd);
    if (device < 0)
        return file_failed(err, "no loop device for", file);
    char path[32];
    snprintf(path, sizeof path, "/dev/loop%d", number);
    unsigned long flags = MS_NODEV | MS_NOSUID | (read_only ? MS_RDONLY : 0UL);
    enum rc rc =
        mount(path, at, type, flags, NULL) == 0 ? RC_OK : file_failed(err, "cannot mount", file);
    close(device);
    return rc;
}

/* --- ext4 in a file --- */

/* The device that is mounted there takes the new length of its file, then the file system does. */
static enum rc grow_mounted(const char *file, const char *at, struct arena *arena, struct err *err)
{
    struct stat st;
    if (stat(at, &st) != 0 || major(st.st_dev) != LOOP_MAJOR)
        return err_set(err, RC_CONFLICT, "no loop device is mounted at '%s'", at);
    int device = open_loop((int)minor(st.st_dev));
    if (device < 0 || ioctl(device, LOOP_SET_CAPACITY, 0) != 0) {
        enum rc rc = file_failed(err, "cannot grow", file);
        if (device >= 0)
            close(device);
        return rc;
    }
    close(device);
    const char *path = arena_fmt(arena, "/dev/loop%d", (int)minor(st.st_dev)).p;
    if (run_tool(arena, err, "resize2fs", path) == RC_OK)
        return RC_OK;
    return err_set(err, RC_UNSUPPORTED, "the kernel grows no disk that is in use: '%s'", file);
}

/* Of a superblock (ext4, kernel documentation). */
struct head {
    uint32_t blocks;
    uint32_t log_size;
    uint16_t state;
};
enum { SUPERBLOCK = 1024, STATE_ERRORS = 2 };

static bool read_head(const char *file, struct head *ret)
{
    enum { BLOCKS_AT = 4, SIZE_AT = 24, STATE_AT = 58, HEAD_BYTES = 64 };
    uint8_t head[HEAD_BYTES];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && pread(fd, head, sizeof head, SUPERBLOCK) == (ssize_t)sizeof head;
    if (fd >= 0)
        close(fd);
    if (!good)
        return false;
    memcpy(&ret->blocks, head + BLOCKS_AT, sizeof ret->blocks);
    memcpy(&ret->log_size, head + SIZE_AT, sizeof ret->log_size);
    memcpy(&ret->state, head + STATE_AT, sizeof ret->state);
    ret->blocks = le32toh(ret->blocks);
    ret->log_size = le32toh(ret->log_size);
    ret->state = le16toh(ret->state);
    return true;
}

/* Bytes of the file system in a file: the file may have grown before somebody was stopped from
 * telling the file system. */
static int64_t file_system_bytes(const char *file)
{
    enum { SIZE_MAX_LOG = 6 };
    struct head head;
    return read_head(file, &head)
               ? (int64_t)head.blocks * SUPERBLOCK << min_i64(head.log_size, SIZE_MAX_LOG)
               : 0;
}

/* 1 says that it mended something. */
static enum rc check(const char *file, struct arena *arena, struct err *err)
{
    int status = 0;
    struct str said;
    TRY(run_program(&(struct run){.argv = (const char *const[]){"e2fsck", "-f", "-p", file, NULL}},
                    arena, &status, &said, err));
    if (status > 1)
        return err_set(err, RC_INVALID, "the disk '%s' is broken: %.*s", file,
                       STRF(str_trim(str_sub(said, 0, ERR_TEXT_MAX / 2))));
    return RC_OK;
}

static enum rc grow(const char *file, const char *mounted_at, int64_t bytes, struct arena *arena,
                    struct err *err)
{
    if (truncate(file, bytes) != 0)
        return file_failed(err, "cannot grow", file);
    if (disk_is_mounted(mounted_at))
        return grow_mounted(file, mounted_at, arena, err);
    TRY(check(file, arena, err)); /* resize2fs wants it */
    return run_tool(arena, err, "resize2fs", file);
}

enum rc disk_mend(const char *file, struct arena *arena, struct err *err)
{
    struct head head;
    return read_head(file, &head) && (head.state & STATE_ERRORS) != 0 ? check(file, arena, err)
                                                                      : RC_OK;
}

enum rc disk_make(const char *file, const char *mounted_at, int64_t bytes, struct arena *arena,
                  struct err *err)
{
    struct stat st;
    int64_t wanted = max_i64(bytes, DISK_BYTES_MIN);
    if (stat(file, &st) == 0)
        return file_system_bytes(file) + SLACK_BYTES < wanted
                   ? grow(file, mounted_at, max_i64(wanted, st.st_size), arena, err)
                   : RC_OK;
    /* Beside it first: a disk that is there is whole. */
    const char *fresh = arena_fmt(arena, "%s.new", file).p;
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, wanted) != 0) {
        enum rc rc = file_failed(err, "cannot make the disk", fresh);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    close(fd);
    TRY(run_tool(arena, err, "mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-E",
                 "lazy_itable_init=1,lazy_journal_init=1", fresh));
    return rename(fresh, file) == 0 ? RC_OK : file_failed(err, "cannot make the disk", file);
}

/* --- shifted users --- */

static bool write_map(pid_t pid, const char *which, uid_t first_user)
{
    char path[64], map[64];
    struct err ignored;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, which);
    int n = snprintf(map, sizeof map, "0 %u %d\n", first_user, DISK_USERS);
    err_clear(&ignored);
    return file_put(path, str_n(map, (size_t)n), &ignored) == RC_OK;
}

int disk_users(uid_t first_user)
{
    int ready[2], space = -1;
    char path[64], byte = 0;
    if (pipe2(ready, O_CLOEXEC) != 0)
        return -1;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        /* It holds all that the agent holds, its lock too: it must not outlive it. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
            _exit(1);
        byte = unshare(CLONE_NEWUSER) == 0;
        (void)!write(ready[1], &byte, 1); /* the other side sees a zero, or the end */
        (void)pause();
        _exit(0);
    }
    close(ready[1]);
    if (pid > 0 && read(ready[0], &byte, 1) == 1 && byte == 1 &&
        write_map(pid, "uid_map", first_user) && write_map(pid, "gid_map", first_user)) {
        snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
        space = open(path, O_RDONLY | O_CLOEXEC);
    }
    close(ready[0]);
    if (pid > 0) {
        (void)kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    return space;
}

enum rc disk_shift(const char *from, const char *at, uid_t first_user, struct err *err)
{
    if (disk_is_mounted(at))
        return RC_OK;
    TRY(file_make_folder(at, err));
    int users = disk_users(first_user);
    if (users < 0)
        return file_failed(err, "no namespace of users for", from);
    int tree = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    struct mount_attr shift = {.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY |
                                           MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
                               .userns_fd = (uint64_t)users};
    enum rc rc = RC_OK;
    if (tree < 0)
        rc = file_failed(err, "cannot take the tree of", from);
    else if (mount_setattr(tree, "", AT_EMPTY_PATH, &shift, sizeof shift) != 0)
        rc = errno == EINVAL
                 ? err_set(err, RC_UNSUPPORTED,
                           "the kernel shifts no users of what is mounted at '%s'", from)
                 : file_failed(err, "cannot shift the users of", from);
    else if (move_mount(tree, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) != 0)
        rc = file_failed(err, "cannot mount", at);
    close(users);
    if (tree >= 0)
        close(tree);
    return rc;
}

/* --- overlay --- */

enum rc disk_overlay(const char *lower, const char *upper, const char *work, const char *at,
                     uid_t first_user, struct arena *arena, struct err *err)
{
    if (disk_is_mounted(at))
        return RC_OK;
    TRY(file_make_folder(upper, err));
    TRY(file_make_folder(work, err));
    TRY(file_make_folder(at, err));
    /* Before the mount: afterwards the root of the overlay keeps the owner that it had. */
    if (chown(upper, first_user, first_user) != 0 || chmod(upper, UPPER_MODE) != 0)
        return file_failed(err, "cannot give away", upper);
    struct str options = arena_fmt(arena, "lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work);
    if (mount("overlay", at, "overlay", MS_NODEV | MS_NOSUID, options.p) != 0)
        return file_failed(err, "cannot mount the overlay", at);
    return RC_OK;
}

/* --- sizes --- */

int64_t disk_taken(const char *file)
{
    struct stat st;
    return stat(file, &st) == 0 ? (int64_t)st.st_blocks * BLOCK_BYTES : 0;
}

enum rc disk_space(const char *path, int64_t *ret_bytes, int64_t *ret_used, struct err *err)
{
    struct statvfs v;
    if (statvfs(path, &v) != 0)
        return file_failed(err, "cannot look at", path);
    int64_t block = (int64_t)v.f_frsize;
    *ret_bytes = (int64_t)v.f_blocks * block;
    *ret_used = *ret_bytes - (int64_t)v.f_bavail * block;
    return RC_OK;
}

enum rc disk_room(const char *path, int64_t *ret_bytes, struct err *err)
{
    enum { KEPT_PARTS = 20 };
    int64_t all = 0, used = 0;
    TRY(disk_space(path, &all, &used, err));
    *ret_bytes = max_i64(all - used - all / KEPT_PARTS, 0);
    return RC_OK;
}

enum rc disk_want_room(const char *path, int64_t bytes, struct err *err)
{
    int64_t room = 0;
    TRY(disk_room(path, &room, err));
    if (bytes > room)
        return err_set(err, RC_FULL,
                       "the node's disk has no room for %" PRId64 " bytes: it has %" PRId64, bytes,
                       room);
    return RC_OK;
}
