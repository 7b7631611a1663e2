/* The root of a container: image, disk, overlay, files. */
#include "node/container_inside.h"

#include "node/bundle.h"
#include "node/disk.h"
#include "node/file.h"
#include "node/image.h"
#include "node/inside.h"
#include "node/run.h"

#include "base/point.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PLAN_BYTES_MAX = 1024 * 1024,
    VOLUME_MODE = 0755,
    FILE_MODE = 0644,
    SECRET_MODE = 0600,
    UNPACK_TIMEOUT_MS = 1800 * 1000
};

/* --- the image --- */

static const struct spec_image *root_image(const struct service_spec *spec)
{
    const struct spec_image *images = spec->images.items;
    return spec->images.count > 0 ? &images[0] : NULL;
}

static enum rc check_image(const struct spec_image *image, struct err *err)
{
    if (image == NULL)
        return err_set(err, RC_INVALID, "a container needs a root image");
    if (!str_eq(image->format, STR("squashfs")))
        return err_set(err, RC_INVALID, "the image of a container is a squashfs, not '%.*s'",
                       STRF(image->format));
    if (!image_is_hash(image->sha256))
        return err_set(err, RC_INVALID, "the hash of '%.*s' is no SHA-256", STRF(image->name));
    return RC_OK;
}

static enum rc bring(struct container *c, const struct spec_image *image, const char *path,
                     struct arena *arena, struct err *err)
{
    struct spec_image taken;
    if (file_exists(path))
        return RC_OK;
    if (c->o.fetch == NULL)
        return err_set(err, RC_NOT_FOUND,
                       "the image '%.*s' is not on this node: see hanse-node image build",
                       STRF(image->name));
    const char *part = arena_fmt(arena, "%s.part", path).p;
    TRY(c->o.fetch(c->o.fetch_arg, image, part, arena, err));
    return image_take(c->o.home, part, image->sha256, &taken, arena, err);
}

static enum rc unpack(const char *path, const char *tree, struct arena *arena, struct err *err)
{
    if (file_exists(tree))
        return RC_OK;
    const char *fresh = arena_fmt(arena, "%s.new", tree).p;
    TRY(file_remove(fresh, err));
    const char *const argv[] = {"unsquashfs", "-quiet", "-no-progress", "-d", fresh, path, NULL};
    TRY(run_ok(&(struct run){.argv = argv, .timeout_ms = UNPACK_TIMEOUT_MS}, arena, err));
    return rename(fresh, tree) == 0 ? RC_OK : file_failed(err, "cannot keep", tree);
}

enum rc container_bring(struct container *c, const struct spec_image *image, struct arena *arena,
                        struct err *err)
{
    pthread_mutex_lock(&c->images);
    enum rc rc = bring(c, image, image_path(c->o.home, image->sha256, arena), arena, err);
    pthread_mutex_unlock(&c->images);
    return rc;
}

/* The image as the lower part of a service, its users shifted. One mount of each image serves all,
 * so that they share what the kernel caches of it. */
static enum rc mount_lower(struct container *c, const struct spec_image *image, const char *lower,
                           uid_t user, struct arena *arena, struct err *err)
{
    const char *path = image_path(c->o.home, image->sha256, arena);
    const char *at = arena_fmt(arena, "%s/images/%.*s", c->o.run, STRF(image->sha256)).p;
    const char *tree = arena_fmt(arena, "%s.tree", path).p;
    TRY(bring(c, image, path, arena, err));
    if (!c->o.unpack && !file_exists(tree)) {
        TRY(disk_mount(path, at, "squashfs", true, err));
        point_pass("prepare.image-mounted");
        struct err first;
        err_clear(&first);
        enum rc rc = disk_shift(at, lower, user, &first);
        if (rc != RC_UNSUPPORTED) {
            *err = first;
            return rc;
        }
        TRY(disk_unmount(at, err));
    }
    TRY(unpack(path, tree, arena, err));
    return disk_shift(tree, lower, user, err);
}

/* While the node's disk is full a new mount would come to the same. */
bool container_stuck(const struct container *c, struct str id, struct str mounts,
                     struct arena *arena)
{
    struct err ignored;
    int64_t room = 0;
    err_clear(&ignored);
    return disk_is_stuck(mounts, str_c(container_in(c, id, "disk", arena))) &&
           disk_room(c->o.home, &room, &ignored) == RC_OK && room > 0;
}

enum rc container_disk(struct container *c, const struct service_spec *spec, struct arena *arena,
                       struct err *err)
{
    const char *disk = container_in(c, spec->id, "disk", arena);
    const char *file = container_in(c, spec->id, "disk.img", arena);
    struct err first;
    err_clear(&first);
    if (container_stuck(c, spec->id, disk_mounts(arena), arena))
        TRY(container_unmount(c, spec->id, true, arena, err));
    if (!disk_is_mounted(disk))
        TRY(disk_mend(file, arena, err));
    enum rc rc = disk_make(file, disk, spec->disk_bytes, arena, &first);
    if (rc == RC_UNSUPPORTED) {
        TRY(container_unmount(c, spec->id, true, arena, err));
        TRY(disk_make(file, disk, spec->disk_bytes, arena, err));
    } else if (rc != RC_OK) {
        *err = first;
        return rc;
    }
    point_pass("prepare.disk-made");
    TRY(disk_mount(file, disk, "ext4", false, err));
    point_pass("prepare.disk-mounted");
    return RC_OK;
}

enum rc container_mount(struct container *c, const struct service_spec *spec, int64_t slot,
                        struct arena *arena, struct err *err)
{
    const struct spec_image *image = root_image(spec);
    const char *lower = container_in(c, spec->id, "lower", arena);
    TRY(check_image(image, err));
    TRY(container_disk(c, spec, arena, err));
    if (!disk_is_mounted(lower)) {
        pthread_mutex_lock(&c->images);
        enum rc rc = mount_lower(c, image, lower, container_user(slot), arena, err);
        pthread_mutex_unlock(&c->images);
        TRY(rc);
        point_pass("prepare.image-shifted");
    }
    return disk_overlay(lower, container_in(c, spec->id, "disk/upper", arena),
                        container_in(c, spec->id, "disk/work", arena),
                        container_in(c, spec->id, "root", arena), container_user(slot), arena, err);
}

enum rc container_unmount(struct container *c, struct str id, bool disk, struct arena *arena,
                          struct err *err)
{
    TRY(disk_unmount(container_in(c, id, "root", arena), err));
    TRY(disk_unmount(container_in(c, id, "lower", arena), err));
    return disk ? disk_unmount(container_in(c, id, "disk", arena), err) : RC_OK;
}

static bool is_used(const struct list *lefts, struct str sha256)
{
    const struct left *items = lefts->items;
    for (size_t i = 0; i < lefts->count; i++)
        if (str_eq(items[i].image, sha256))
            return true;
    return false;
}

static enum rc drop_images(struct container *c, DIR *dir, const char *folder, struct arena *arena,
                           struct err *err)
{
    struct list lefts;
    struct dirent *e;
    TRY(container_lefts(c, arena, &lefts, err));
    while ((e = readdir(dir)) != NULL) {
        if (!image_is_hash(str_c(e->d_name)) || is_used(&lefts, str_c(e->d_name)))
            continue;
        const char *at = arena_fmt(arena, "%s/%s", folder, e->d_name).p;
        TRY(disk_unmount(at, err));
        if (rmdir(at) != 0)
            return file_failed(err, "cannot remove", at);
    }
    return RC_OK;
}

enum rc container_drop_images(struct container *c, struct arena *arena, struct err *err)
{
    const char *folder = arena_fmt(arena, "%s/images", c->o.run).p;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return RC_OK;
    pthread_mutex_lock(&c->images);
    enum rc rc = drop_images(c, dir, folder, arena, err);
    pthread_mutex_unlock(&c->images);
    closedir(dir);
    return rc;
}

/* --- what is put in --- */

struct fill {
    struct container *c;
    const struct service_spec *spec;
    uid_t user;
    int root;    /* descriptor of the mounted root */
    int volumes; /* of the folder of volumes */
    struct arena *arena;
    struct err *err;
};

/* Whether path lies below a volume; the part of it inside. */
static const struct spec_volume *volume_of(const struct fill *f, struct str path,
                                           struct str *ret_inside)
{
    const struct spec_volume *volumes = f->spec->volumes.items, *best = NULL;
    for (size_t i = 0; i < f->spec->volumes.count; i++) {
        struct str at = volumes[i].path;
        bool below = str_starts(path, at) && path.n > at.n && path.p[at.n] == '/';
        if (below && (best == NULL || at.n > best->path.n))
            best = &volumes[i];
    }
    if (best != NULL)
        *ret_inside = str_sub(path, best->path.n, path.n);
    return best;
}

static enum rc make_volume(struct fill *f, const struct spec_volume *v)
{
    struct inside_owner owner = {.user = f->user, .group = f->user, .mode = VOLUME_MODE};
    if (!image_is_name(v->name))
        return err_set(f->err, RC_INVALID,
                       "the volume '%.*s' has a name of small letters, digits and '-'",
                       STRF(v->name));
    /* As the image has the folder, so that a server may write to it; else the service's root. */
    (void)inside_owner(f->root, v->path, &owner, f->arena);
    return inside_folder(f->volumes, arena_fmt(f->arena, "/%.*s", STRF(v->name)), &owner, f->arena,
                         f->err);
}

static enum rc put_file(struct fill *f, struct str path, struct str content, int64_t user,
                        int64_t mode)
{
    struct inside_owner owner = {
        .user = f->user + (uid_t)user, .group = f->user + (uid_t)user, .mode = (mode_t)mode};
    struct str inside = path;
    const struct spec_volume *volume = volume_of(f, path, &inside);
    int root = f->root;
    if (volume != NULL) {
        root = openat(f->volumes, arena_cstr(f->arena, volume->name),
                      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (root < 0)
            return file_failed(f->err, "cannot open the volume", arena_cstr(f->arena, path));
    }
    enum rc rc = inside_file(root, inside, content, &owner, f->arena, f->err);
    if (volume != NULL)
        close(root);
    if (rc != RC_OK)
        err_add(f->err, "the file '%.*s'", STRF(path));
    return rc;
}

/* What hanse-init reads: the processes of the spec. */
static struct str plan_of(const struct service_spec *spec, struct arena *arena)
{
    struct service_spec plan = *spec;
    struct buf text;
    struct json_writer w;
    plan.set = schema_bit(&service_spec_schema, "processes");
    buf_init(&text, arena, PLAN_BYTES_MAX);
    json_writer_init(&w, &text);
    schema_encode(&service_spec_schema, &plan, &w);
    ASSERT(!text.full);
    return buf_str(&text);
}

static enum rc fill(struct fill *f)
{
    const struct spec_volume *volumes = f->spec->volumes.items;
    const struct spec_file *files = f->spec->files.items;
    struct str hosts =
        arena_fmt(f->arena, "127.0.0.1 localhost\n127.0.1.1 %.*s\n", STRF(f->spec->id));
    for (size_t i = 0; i < f->spec->volumes.count; i++)
        TRY(make_volume(f, &volumes[i]));
    TRY(put_file(f, STR("/etc/hosts"), hosts, 0, FILE_MODE));
    TRY(put_file(f, STR("/etc/resolv.conf"), network_resolv(&f->c->network, f->arena), 0,
                 FILE_MODE));
    TRY(put_file(f, str_c(bundle_plan), plan_of(f->spec, f->arena), 0, SECRET_MODE));
    for (size_t i = 0; i < f->spec->files.count; i++)
        TRY(put_file(f, files[i].path, files[i].content, files[i].user,
                     files[i].mode > 0 ? files[i].mode : FILE_MODE));
    return RC_OK;
}

enum rc container_fill(struct container *c, const struct service_spec *spec, int64_t slot,
                       struct arena *arena, struct err *err)
{
    const char *volumes = container_in(c, spec->id, "disk/volumes", arena);
    TRY(file_make_folder(volumes, err));
    struct fill f = {
        .c = c,
        .spec = spec,
        .user = container_user(slot),
        .root = open(container_in(c, spec->id, "root", arena), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        .volumes = open(volumes, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        .arena = arena,
        .err = err};
    enum rc rc =
        f.root >= 0 && f.volumes >= 0 ? fill(&f) : file_failed(err, "cannot open", volumes);
    if (f.root >= 0)
        close(f.root);
    if (f.volumes >= 0)
        close(f.volumes);
    return rc;
}
