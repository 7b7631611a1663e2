/* Disk and seed of a machine: qemu-img and genisoimage. */
#include "node/vm_disk.h"

#include "base/json.h"
#include "base/point.h"
#include "node/disk.h"
#include "node/file.h"
#include "node/image.h"
#include "node/run.h"
#include "node/sandbox.h"
#include "node/vm_domain.h"
#include "node/vm_inside.h"

#include <endian.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IMAGE_MODE = 0640, DISK_MODE = 0600, SEED_MODE = 0400 };

const char *vm_disk(const struct vm *v, struct str id, struct arena *arena)
{
    return vm_disk_at(v, id, 0, arena);
}

const char *vm_disk_at(const struct vm *v, struct str id, size_t at, struct arena *arena)
{
    const char *name = at == 0 ? "disk.qcow2" : arena_fmt(arena, "disk-%zu.qcow2", at).p;
    return container_in(v->c, id, name, arena);
}

size_t vm_disk_count(const struct left *left)
{
    return left->disks.count + 1;
}

struct left_disk vm_disk_image(const struct left *left, size_t at)
{
    const struct left_disk *more = left->disks.items;
    ASSERT(at < vm_disk_count(left));
    return at > 0 ? more[at - 1]
                  : (struct left_disk){.image = left->image, .format = left->image_format};
}

const char *vm_disk_name(size_t at, struct arena *arena)
{
    ASSERT(at < VM_DISKS_MAX);
    return arena_fmt(arena, "vd%c", (char)(at == 0 ? 'a' : 'b' + (int)at)).p;
}

/* Whether it is a file that stands alone: "backing-filename" and "data-file" name others. */
static enum rc read_info(const char *path, struct str text, struct arena *arena, int64_t *ret_bytes,
                         struct err *err)
{
    const struct json *info = NULL;
    TRY(json_parse(text, arena, &info, err));
    const struct json *size = json_get(info, STR("virtual-size"));
    const struct json *more = json_get(info, STR("format-specific"));
    const struct json *data = more != NULL ? json_get(more, STR("data")) : NULL;
    if (json_get(info, STR("backing-filename")) != NULL ||
        (data != NULL && json_get(data, STR("data-file")) != NULL))
        return err_set(err, RC_INVALID, "the image '%s' leans on another file", path);
    if (size == NULL || !json_i64(size, ret_bytes))
        return err_set(err, RC_INVALID, "the image '%s' has no size", path);
    return RC_OK;
}

enum rc vm_look_at(const char *path, struct str format, struct arena *arena, int64_t *ret_bytes,
                   struct err *err)
{
    int status = 0;
    struct str said = STR("");
    struct sandbox s = {.read = path};
    const char *const argv[] = {
        "qemu-img", "info", "--output=json", "-f", arena_cstr(arena, format), path, NULL};
    TRY(sandbox_run(&s, argv, arena, &status, &said, err));
    if (status != 0)
        return err_set(err, RC_INVALID, "'%s' is no %.*s: %.*s", path, STRF(format),
                       STRF(str_trim(str_sub(said, 0, min_size(said.n, ERR_TEXT_MAX / 2)))));
    return read_info(path, said, arena, ret_bytes, err);
}

static enum rc check_images(const struct service_spec *spec, struct err *err)
{
    const struct spec_image *images = spec->images.items;
    if (spec->images.count == 0 || spec->images.count > VM_DISKS_MAX)
        return err_set(err, RC_INVALID, "a machine has an image for each disk, at most %d",
                       (int)VM_DISKS_MAX);
    for (size_t i = 0; i < spec->images.count; i++) {
        if (!str_eq(images[i].format, STR("qcow2")) && !str_eq(images[i].format, STR("raw")))
            return err_set(err, RC_INVALID, "the image of a machine is a qcow2 or raw, not '%.*s'",
                           STRF(images[i].format));
        if (!image_is_hash(images[i].sha256))
            return err_set(err, RC_INVALID, "the hash of '%.*s' is no SHA-256",
                           STRF(images[i].name));
    }
    return RC_OK;
}

static enum rc own_file(const struct vm *v, const char *path, int64_t slot, mode_t mode,
                        struct err *err)
{
    if (chown(path, vm_user(v, slot), v->group) != 0 || chmod(path, mode) != 0)
        return file_failed(err, "cannot give away", path);
    return RC_OK;
}

/* The size that a qcow2 says it has: eight bytes, the highest first (QEMU, docs/interop/qcow2). */
static int64_t size_of(const char *disk)
{
    enum { SIZE_AT = 24 };
    uint64_t size = 0;
    int fd = open(disk, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && pread(fd, &size, sizeof size, SIZE_AT) == (ssize_t)sizeof size;
    if (fd >= 0)
        close(fd);
    return good ? (int64_t)(be64toh(size) & INT64_MAX) : INT64_MAX;
}

int64_t vm_first_bytes(const struct vm *v, const struct left *left, int64_t disk_bytes,
                       struct arena *arena)
{
    int64_t bytes = disk_bytes;
    for (size_t i = 1; i < vm_disk_count(left); i++)
        bytes -= min_i64(size_of(vm_disk_at(v, left->id, i, arena)), bytes);
    return bytes;
}

/* At least of the image's size. */
static enum rc new_disk(struct vm *v, const struct spec_image *image, const char *disk,
                        int64_t wanted, struct arena *arena, struct err *err)
{
    const char *base = image_path(v->c->o.home, image->sha256, arena);
    const char *fresh = arena_fmt(arena, "%s.new", disk).p;
    int64_t bytes = 0;
    TRY(vm_look_at(base, image->format, arena, &bytes, err));
    TRY(run_tool(arena, err, "qemu-img", "create", "-q", "-f", "qcow2", "-F",
                 arena_cstr(arena, image->format), "-b", base, fresh,
                 arena_fmt(arena, "%lld", (long long)max_i64(bytes, wanted)).p));
    point_pass("machine-prepare.disk-made");
    if (rename(fresh, disk) != 0)
        return file_failed(err, "cannot keep", disk);
    point_pass("machine-prepare.disk-kept");
    return RC_OK;
}

/* It never shrinks: what lies behind the new end would be lost. */
static enum rc grow_disk(const char *disk, int64_t wanted, struct arena *arena, struct err *err)
{
    if (size_of(disk) >= wanted)
        return RC_OK;
    return run_tool(arena, err, "qemu-img", "resize", "-q", "-f", "qcow2", disk,
                    arena_fmt(arena, "%lld", (long long)wanted).p);
}

/* Which images they are over is known before there is a disk. */
static enum rc note_images(struct vm *v, const struct service_spec *spec, struct left *left,
                           struct arena *arena, struct err *err)
{
    const struct spec_image *images = spec->images.items;
    struct left_disk *more = NEW_N(arena, struct left_disk, spec->images.count);
    for (size_t i = 0; i < spec->images.count; i++)
        TRY(container_bring(v->c, &images[i], arena, err));
    for (size_t i = 1; i < spec->images.count; i++)
        more[i - 1] = (struct left_disk){.image = images[i].sha256, .format = images[i].format};
    left->image = images[0].sha256;
    left->image_format = images[0].format;
    left->disks = (struct list){more, spec->images.count - 1};
    return left_write(container_folder(v->c, spec->id, arena), left, arena, err);
}

/* The first one last: where it is, all are. Disks that are there stay over the images that they
 * began with: they are what people wrote. */
enum rc vm_make_disk(struct vm *v, const struct service_spec *spec, struct left *left,
                     struct arena *arena, struct err *err)
{
    const struct spec_image *images = spec->images.items;
    const char *first = vm_disk(v, spec->id, arena);
    TRY(check_images(spec, err));
    if (file_exists(first))
        return grow_disk(first, vm_first_bytes(v, left, spec->disk_bytes, arena), arena, err);
    TRY(note_images(v, spec, left, arena, err));
    point_pass("machine-prepare.noted");
    for (size_t i = spec->images.count - 1; i > 0; i--)
        TRY(new_disk(v, &images[i], vm_disk_at(v, spec->id, i, arena), 0, arena, err));
    return new_disk(v, &images[0], first, vm_first_bytes(v, left, spec->disk_bytes, arena), arena,
                    err);
}

enum rc vm_make_seed(struct vm *v, const struct service_spec *spec, int64_t slot,
                     struct arena *arena, struct err *err)
{
    const struct network *n = &v->c->network;
    const char *folder = container_in(v->c, spec->id, "seed", arena);
    const char *seed = container_in(v->c, spec->id, "seed.iso", arena);
    struct str network = vm_seed_network(slot, network_address(n, slot, arena), NETWORK_PREFIX,
                                         network_gateway(n, arena), &n->resolvers, arena);
    TRY(file_make_folder(folder, err));
    TRY(file_write(arena_fmt(arena, "%s/network-config", folder).p, network, err));
    TRY(file_write(arena_fmt(arena, "%s/meta-data", folder).p, vm_seed_meta(spec->id, arena), err));
    TRY(file_write(arena_fmt(arena, "%s/user-data", folder).p, spec->user_data, err));
    TRY(file_write(arena_fmt(arena, "%s/vendor-data", folder).p, vm_seed_vendor(), err));
    TRY(run_tool(arena, err, "genisoimage", "-quiet", "-V", "cidata", "-J", "-r", "-o", seed,
                 folder));
    return file_remove(folder, err);
}

enum rc vm_give_files(const struct vm *v, const struct left *left, struct arena *arena,
                      struct err *err)
{
    for (size_t i = 0; i < vm_disk_count(left); i++) {
        const char *base = image_path(v->c->o.home, vm_disk_image(left, i).image, arena);
        if (chown(base, 0, v->group) != 0 || chmod(base, IMAGE_MODE) != 0)
            return file_failed(err, "cannot open up", base);
        TRY(own_file(v, vm_disk_at(v, left->id, i, arena), left->slot, DISK_MODE, err));
    }
    return own_file(v, container_in(v->c, left->id, "seed.iso", arena), left->slot, SEED_MODE, err);
}
