/*
 * container_keep.c - what a container keeps, as a tar of its volumes.
 *
 * tar runs as root of the service's own users: what is written are the numbers that the service
 * sees, whatever its slot is, and what a stranger's archive names it can only make as one of them.
 */
#include "node/container_inside.h"

#include "node/disk.h"
#include "node/file.h"
#include "node/run.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAR_MS = 6 * 3600 * 1000, VOLUMES_MODE = 0711 };

#define TAR_SAVES                                             \
    "--numeric-owner", "--xattrs", "--xattrs-include=user.*", \
        "--xattrs-include=security.capability", "--acls", "--sparse", "--warning=none"

static const char *volumes_of(const struct container *c, struct str id, struct arena *arena)
{
    return container_in(c, id, "disk/volumes", arena);
}

/* Folders that the agent makes are its own: who is root of the service's users could not list
 * them. */
static enum rc give(const char *path, uid_t user, struct err *err)
{
    TRY(file_make_folder(path, err));
    if (chown(path, user, user) != 0 || chmod(path, VOLUMES_MODE) != 0)
        return file_failed(err, "cannot give away", path);
    return RC_OK;
}

static enum rc run_tar(struct run *r, uid_t user, struct arena *arena, struct err *err)
{
    int users = disk_users(user);
    if (users < 0)
        return file_failed(err, "no namespace of users for", r->directory);
    r->users_fd = users;
    r->timeout_ms = TAR_MS;
    enum rc rc = run_ok(r, arena, err);
    close(users);
    return rc;
}

/* An archive with nothing in it, where there is nothing. */
enum rc container_save(struct driver *d, struct str id, int output, struct arena *arena,
                       struct err *err)
{
    struct container *c = container_of_driver(d);
    struct left left;
    const char *disk = container_in(c, id, "disk", arena);
    const char *file = container_in(c, id, "disk.img", arena);
    const char *volumes = volumes_of(c, id, arena);
    if (container_process(c, id, arena) > 0)
        return err_set(err, RC_CONFLICT, "a container is saved while it is stopped");
    if (!file_exists(file)) {
        const char *const none[] = {"tar", "--create", "--gzip", "--files-from=/dev/null", NULL};
        struct run r = {.argv = none, .output_fd = output, .keeps_errors = true};
        return run_ok(&r, arena, err);
    }
    TRY(left_read(container_folder(c, id, arena), arena, &left, err));
    TRY(disk_mount(file, disk, "ext4", false, err));
    TRY(give(volumes, container_user(left.slot), err));
    const char *const argv[] = {
        "tar", "--create", "--use-compress-program=gzip -1", TAR_SAVES, "--file=-", ".", NULL};
    struct run r = {.argv = argv, .output_fd = output, .keeps_errors = true, .directory = volumes};
    return run_tar(&r, container_user(left.slot), arena, err);
}

enum rc container_load(struct driver *d, const struct service_spec *spec, int input,
                       struct arena *arena, struct err *err)
{
    struct container *c = container_of_driver(d);
    struct left left;
    const char *fresh = container_in(c, spec->id, "disk/volumes.load", arena);
    TRY(container_take_slot(c, spec->id, arena, &left, err));
    if (left.runtime != SPEC_CONTAINER)
        return err_set(err, RC_CONFLICT, "'%.*s' was a machine: remove it first", STRF(spec->id));
    TRY(container_disk(c, spec, arena, err));
    TRY(file_remove(fresh, err));
    TRY(give(fresh, container_user(left.slot), err));
    const char *const argv[] = {
        "tar",     "--extract", "--gzip", "--same-owner", "--preserve-permissions",
        TAR_SAVES, "--file=-",  NULL};
    struct run r = {.argv = argv, .input_fd = input, .directory = fresh};
    return run_tar(&r, container_user(left.slot), arena, err);
}

/* What was written is on the disk before anybody is told that it is. */
static enum rc sync_disk(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum rc rc = fd >= 0 && syncfs(fd) == 0 ? RC_OK : file_failed(err, "cannot write", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

enum rc container_adopt(struct driver *d, const struct service_spec *spec, int64_t number,
                        struct arena *arena, struct err *err)
{
    struct container *c = container_of_driver(d);
    struct left left;
    const char *fresh = container_in(c, spec->id, "disk/volumes.load", arena);
    const char *volumes = volumes_of(c, spec->id, arena);
    if (container_process(c, spec->id, arena) > 0)
        return err_set(err, RC_CONFLICT, "'%.*s' runs", STRF(spec->id));
    if (!file_exists(fresh))
        return err_set(err, RC_NOT_FOUND, "nothing was loaded for '%.*s'", STRF(spec->id));
    TRY(left_read(container_folder(c, spec->id, arena), arena, &left, err));
    TRY(sync_disk(fresh, err));
    TRY(file_remove(volumes, err));
    TRY(file_rename(fresh, volumes, err));
    left.restored = number;
    left.generation = 0; /* its files are laid anew: some lie in volumes */
    return left_write(container_folder(c, spec->id, arena), &left, arena, err);
}
