/* Disk and seed of a machine: qemu-img and genisoimage. */
#include "node/vm_disk.h"

#include "base/json.h"
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
    return container_in(v->c, id, "disk.qcow2", arena);
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

static enum rc check_image(const struct service_spec *spec, struct err *err)
{
    const struct spec_image *image = spec->images.items;
    if (spec->images.count != 1)
        return err_set(err, RC_INVALID, "a machine has one image: its disk");
    if (!str_eq(image->format, STR("qcow2")) && !str_eq(image->format, STR("raw")))
        return err_set(err, RC_INVALID, "the image of a machine is a qcow2 or raw, not '%.*s'",
                       STRF(image->format));
    if (!image_is_hash(image->sha256))
        return err_set(err, RC_INVALID, "the hash of '%.*s' is no SHA-256", STRF(image->name));
    return RC_OK;
}

static enum rc own_file(const struct vm *v, const char *path, int64_t slot, mode_t mode,
                        struct err *err)
{
    if (chown(path, vm_user(v, slot), v->group) != 0 || chmod(path, mode) != 0)
        return file_failed(err, "cannot give away", path);
    return RC_OK;
}

static enum rc new_disk(struct vm *v, const struct service_spec *spec, struct left *left,
                        struct arena *arena, struct err *err)
{
    const struct spec_image *image = spec->images.items;
    const char *base = image_path(v->c->o.home, image->sha256, arena);
    const char *disk = vm_disk(v, spec->id, arena);
    const char *fresh = arena_fmt(arena, "%s.new", disk).p;
    int64_t bytes = 0;
    TRY(container_bring(v->c, image, arena, err));
    TRY(vm_look_at(base, image->format, arena, &bytes, err));
    /* Which image it is over is known before there is one. */
    left->image = image->sha256;
    left->image_format = image->format;
    TRY(left_write(container_folder(v->c, spec->id, arena), left, arena, err));
    TRY(run_tool(arena, err, "qemu-img", "create", "-q", "-f", "qcow2", "-F",
                 arena_cstr(arena, image->format), "-b", base, fresh,
                 arena_fmt(arena, "%lld", (long long)max_i64(bytes, spec->disk_bytes)).p));
    return rename(fresh, disk) == 0 ? RC_OK : file_failed(err, "cannot keep", disk);
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

/* It never shrinks: what lies behind the new end would be lost. */
static enum rc grow_disk(struct vm *v, const struct service_spec *spec, struct arena *arena,
                         struct err *err)
{
    const char *disk = vm_disk(v, spec->id, arena);
    if (size_of(disk) >= spec->disk_bytes)
        return RC_OK;
    return run_tool(arena, err, "qemu-img", "resize", "-q", "-f", "qcow2", disk,
                    arena_fmt(arena, "%lld", (long long)spec->disk_bytes).p);
}

enum rc vm_make_disk(struct vm *v, const struct service_spec *spec, struct left *left,
                     struct arena *arena, struct err *err)
{
    TRY(check_image(spec, err));
    /* A disk that is there stays over the image that it began with: it is what people wrote. */
    return file_exists(vm_disk(v, spec->id, arena)) ? grow_disk(v, spec, arena, err)
                                                    : new_disk(v, spec, left, arena, err);
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
    const char *base = image_path(v->c->o.home, left->image, arena);
    if (chown(base, 0, v->group) != 0 || chmod(base, IMAGE_MODE) != 0)
        return file_failed(err, "cannot open up", base);
    TRY(own_file(v, vm_disk(v, left->id, arena), left->slot, DISK_MODE, err));
    return own_file(v, container_in(v->c, left->id, "seed.iso", arena), left->slot, SEED_MODE, err);
}
