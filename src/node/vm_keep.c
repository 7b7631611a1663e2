/*
 * vm_keep.c - what a machine keeps: its disk, as a qcow2 over the image that it began with.
 *
 * A machine that runs is saved as it was at one instant: libvirt holds that instant open for a
 * reader (a backup in pull mode), qemu-img compares it with the image, and what differs is the
 * disk. Where a guest agent answers, its file systems are frozen for that instant. Nothing of the
 * machine's own disk is touched: who is killed in between leaves a reader's socket, and no more.
 *
 * In the file the image is named by its hash and length, "SHA256-BYTES", and by nothing that is a
 * path; who loads it puts the path in that the image has there.
 */
#include "node/vm_inside.h"

#include "base/json.h"
#include "node/file.h"
#include "node/image.h"
#include "node/run.h"
#include "node/sandbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SAVE_MS = 6 * 3600 * 1000,
    AGENT_S = 10, /* for a guest agent to freeze or thaw */
    PIECE_BYTES = 256 * 1024,
    DISK_MODE = 0600,
};
#define LOAD_BYTES_MAX (INT64_C(8) << 40)

/* As qemu-img has it: a little more than what is in it. */
static const char parts[] = "save";

static enum rc run_long(const char *const *argv, struct arena *arena, struct err *err)
{
    return run_ok(&(struct run){.argv = argv, .timeout_ms = SAVE_MS}, arena, err);
}

#define RUN_LONG(arena, err, ...) run_long((const char *const[]){__VA_ARGS__, NULL}, (arena), (err))

/* Parts of a save in hand. */
struct save {
    struct vm *v;
    struct str id;
    struct left left;
    const char *base;
    const char *base_format;
    const char *folder;
    const char *out; /* what is kept of it */
    struct arena *arena;
    struct err *err;
};

/* --- the instant --- */

static const char *frozen_note(const struct vm *v, struct str id, struct arena *arena)
{
    return container_in(v->c, id, "frozen", arena);
}

static void thaw(struct vm *v, virDomainPtr domain, struct str id, struct arena *arena)
{
    struct err ignored;
    err_clear(&ignored);
    /* What is not frozen is not harmed; what stays frozen keeps its note and is tried again. */
    if (virDomainFSThaw(domain, NULL, 0, 0) >= 0)
        (void)unlink(frozen_note(v, id, arena));
}

/* True: its file systems are whole on the disk, and wait. */
static bool freeze(struct vm *v, virDomainPtr domain, struct str id, struct arena *arena)
{
    struct err ignored;
    err_clear(&ignored);
    char *xml = virDomainGetXMLDesc(domain, 0);
    bool has =
        xml != NULL && strstr(xml, "name='org.qemu.guest_agent.0' state='connected'") != NULL;
    free(xml);
    if (!has || virDomainAgentSetResponseTimeout(domain, AGENT_S, 0) != 0 ||
        file_write(frozen_note(v, id, arena), STR("1"), &ignored) != RC_OK)
        return false;
    if (virDomainFSFreeze(domain, NULL, 0, 0) >= 0)
        return true;
    thaw(v, domain, id, arena);
    return false;
}

void vm_thaw_left(struct vm *v, struct arena *arena)
{
    struct err ignored;
    struct list ids;
    err_clear(&ignored);
    if (container_ids(v->c, arena, &ids, &ignored) != RC_OK)
        return;
    const struct str *items = ids.items;
    for (size_t i = 0; i < ids.count; i++) {
        virConnectPtr link;
        virDomainPtr domain;
        if (!file_exists(frozen_note(v, items[i], arena)))
            continue;
        if (vm_process(v, items[i], arena) == 0)
            (void)unlink(frozen_note(v, items[i], arena)); /* it went with its machine */
        else if (vm_find(v, items[i], arena, &link, &domain, &ignored) == RC_OK) {
            thaw(v, domain, items[i], arena);
            virDomainFree(domain);
            virConnectClose(link);
        }
    }
}

/* A backup that another agent began, and did not end. */
static void end_backup(virDomainPtr domain)
{
    char *xml = virDomainBackupGetXMLDesc(domain, 0);
    if (xml != NULL)
        (void)virDomainAbortJob(domain); /* or it ended by itself */
    free(xml);
}

static enum rc begin_backup(struct save *s, virDomainPtr domain, const char *socket)
{
    /* QEMU's own folder, and its user's: it makes the socket and writes what changes meanwhile. */
    const char *scratch = container_in(s->v->c, s->id, "sockets/scratch", s->arena);
    struct str xml = arena_fmt(
        s->arena,
        "<domainbackup mode='pull'><server transport='unix' socket='%s'/><disks>"
        "<disk name='vda' backup='yes' type='file' exportname='vda'><scratch file='%s'/></disk>"
        "<disk name='vdb' backup='no'/></disks></domainbackup>",
        socket, scratch);
    end_backup(domain);
    TRY(file_remove(scratch, s->err));
    TRY(file_remove(socket, s->err));
    bool frozen = freeze(s->v, domain, s->id, s->arena);
    enum rc rc = virDomainBackupBegin(domain, arena_cstr(s->arena, xml), NULL, 0) == 0
                     ? RC_OK
                     : vm_failed(s->err, "its disk cannot be held for a backup");
    if (frozen)
        thaw(s->v, domain, s->id, s->arena);
    return rc;
}

/* What differs from the image, read from the instant. */
static enum rc read_instant(struct save *s, const char *socket, const char *fresh)
{
    const char *from = arena_fmt(s->arena, "nbd+unix:///vda?socket=%s", socket).p;
    TRY(RUN_LONG(s->arena, s->err, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b",
                 from, fresh));
    return RUN_LONG(s->arena, s->err, "qemu-img", "rebase", "-q", "-f", "qcow2", "-F",
                    s->base_format, "-b", s->base, fresh);
}

static enum rc save_running(struct save *s, const char *fresh)
{
    virConnectPtr link;
    virDomainPtr domain;
    const char *socket = container_in(s->v->c, s->id, "sockets/backup", s->arena);
    TRY(vm_find(s->v, s->id, s->arena, &link, &domain, s->err));
    enum rc rc = begin_backup(s, domain, socket);
    if (rc == RC_OK) {
        rc = read_instant(s, socket, fresh);
        end_backup(domain);
    }
    virDomainFree(domain);
    virConnectClose(link);
    return rc;
}

/* --- save --- */

static enum rc make_file(struct save *s)
{
    struct stat st;
    const char *from = vm_disk(s->v, s->id, s->arena);
    if (vm_process(s->v, s->id, s->arena) > 0) {
        from = arena_fmt(s->arena, "%s/instant", s->folder).p;
        TRY(save_running(s, from));
    }
    if (stat(s->base, &st) != 0)
        return file_failed(s->err, "cannot look at", s->base);
    TRY(RUN_LONG(s->arena, s->err, "qemu-img", "convert", "-q", "-c", "-f", "qcow2", "-O", "qcow2",
                 "-F", s->base_format, "-B", s->base, from, s->out));
    return RUN_LONG(s->arena, s->err, "qemu-img", "rebase", "-q", "-u", "-f", "qcow2", "-F",
                    s->base_format, "-b",
                    arena_fmt(s->arena, "%.*s-%lld", STRF(s->left.image), (long long)st.st_size).p,
                    s->out);
}

/* All of one to the other; at most max bytes. */
static enum rc copy(int from, int to, int64_t max, struct arena *arena, struct err *err)
{
    char *piece = arena_bytes(arena, PIECE_BYTES);
    ssize_t n;
    for (int64_t left = max; (n = read(from, piece, PIECE_BYTES)) > 0; left -= n) {
        if (n > left)
            return err_set(err, RC_TOO_LARGE, "the disk has more than %lld bytes", (long long)max);
        for (ssize_t done = 0, more; done < n; done += more) {
            more = write(to, piece + done, (size_t)(n - done));
            if (more <= 0)
                return file_failed(err, "cannot write", "the disk");
        }
    }
    return n == 0 ? RC_OK : file_failed(err, "cannot read", "the disk");
}

static enum rc save_in(struct save *s, int output)
{
    TRY(make_file(s));
    int fd = open(s->out, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_failed(s->err, "cannot read", s->out);
    enum rc rc = copy(fd, output, LOAD_BYTES_MAX, s->arena, s->err);
    close(fd);
    return rc;
}

static enum rc save_locked(struct vm *v, struct str id, int output, struct arena *arena,
                           struct err *err)
{
    struct save s = {.v = v, .id = id, .arena = arena, .err = err};
    struct err second;
    TRY(left_read(container_folder(v->c, id, arena), arena, &s.left, err));
    if (!file_exists(vm_disk(v, id, arena)))
        return RC_OK; /* it keeps nothing yet */
    s.base = image_path(v->c->o.home, s.left.image, arena);
    s.base_format = arena_cstr(arena, s.left.image_format);
    s.folder = container_in(v->c, id, parts, arena);
    s.out = arena_fmt(arena, "%s/disk", s.folder).p;
    TRY(file_remove(s.folder, err));
    TRY(file_make_folder(s.folder, err));
    enum rc rc = save_in(&s, output);
    err_clear(&second);
    if (file_remove(s.folder, &second) != RC_OK && rc == RC_OK) {
        *err = second;
        return second.rc;
    }
    return rc;
}

enum rc vm_save(struct driver *d, struct str id, int output, struct arena *arena, struct err *err)
{
    struct vm *v = vm_of_driver(d);
    int lock = -1;
    if (!file_exists(container_folder(v->c, id, arena)))
        return RC_OK;
    TRY(vm_lock(v, id, arena, &lock, err));
    enum rc rc = save_locked(v, id, output, arena, err);
    close(lock);
    return rc;
}

/* --- load --- */

static const char *loaded_folder(const struct vm *v, struct str id, struct arena *arena)
{
    return container_in(v->c, id, "load", arena);
}

static const char *loaded_disk(const struct vm *v, struct str id, struct arena *arena)
{
    return container_in(v->c, id, "load/disk", arena);
}

enum rc vm_load(struct driver *d, const struct service_spec *spec, int input, struct arena *arena,
                struct err *err)
{
    struct vm *v = vm_of_driver(d);
    struct left left;
    const char *folder = loaded_folder(v, spec->id, arena);
    TRY(vm_take_place(v, spec, arena, &left, err));
    TRY(file_remove(folder, err));
    TRY(file_make_folder(folder, err));
    int fd =
        open(loaded_disk(v, spec->id, arena), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, DISK_MODE);
    if (fd < 0)
        return file_failed(err, "cannot make", folder);
    enum rc rc = copy(input, fd, LOAD_BYTES_MAX, arena, err);
    if (rc == RC_OK && fsync(fd) != 0)
        rc = file_failed(err, "cannot write", folder);
    close(fd);
    return rc;
}

/* --- adopt --- */

/* "SHA256-BYTES" */
static bool read_base(struct str name, struct spec_image *ret)
{
    struct str rest = name;
    *ret = (struct spec_image){.name = name};
    ret->sha256 = str_cut(&rest, '-');
    return image_is_hash(ret->sha256) && str_to_i64(rest, 1, INT64_MAX, &ret->bytes);
}

/* A stranger's file until it was looked at: it leans on an image by its hash, and on nothing
 * else. */
static enum rc look_at(const char *path, struct arena *arena, struct spec_image *ret,
                       struct err *err)
{
    int status = 0;
    struct str said = STR("");
    const struct json *info = NULL;
    const char *const argv[] = {"qemu-img", "info", "--output=json", "-f", "qcow2", path, NULL};
    TRY(sandbox_run(&(struct sandbox){.read = path}, argv, arena, &status, &said, err));
    if (status != 0)
        return err_set(err, RC_INVALID, "what was loaded is no disk of a machine");
    TRY(json_parse(said, arena, &info, err));
    const struct json *base = json_get(info, STR("backing-filename"));
    const struct json *format = json_get(info, STR("backing-filename-format"));
    const struct json *more = json_get(info, STR("format-specific"));
    const struct json *data = more != NULL ? json_get(more, STR("data")) : NULL;
    bool good =
        base != NULL && json_type(base) == JSON_STRING && format != NULL &&
        json_type(format) == JSON_STRING && read_base(json_text(base), ret) &&
        (str_eq(json_text(format), STR("qcow2")) || str_eq(json_text(format), STR("raw"))) &&
        (data == NULL || json_get(data, STR("data-file")) == NULL);
    if (!good)
        return err_set(err, RC_INVALID, "what was loaded leans on something that is no image");
    ret->format = json_text(format);
    return RC_OK;
}

static enum rc sync_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum rc rc = fd >= 0 && fsync(fd) == 0 ? RC_OK : file_failed(err, "cannot write", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* The disk leans on its image where that lies here. */
static enum rc lean(struct vm *v, const char *disk, const char *folder, struct left *left,
                    struct arena *arena, struct err *err)
{
    struct spec_image base;
    int status = 0;
    struct stat st;
    struct str said = STR("");
    TRY(look_at(disk, arena, &base, err));
    TRY(container_bring(v->c, &base, arena, err));
    if (stat(disk, &st) != 0)
        return file_failed(err, "cannot look at", disk);
    const char *const argv[] = {"qemu-img", "rebase",
                                "-q",       "-u",
                                "-f",       "qcow2",
                                "-F",       arena_cstr(arena, base.format),
                                "-b",       image_path(v->c->o.home, base.sha256, arena),
                                disk,       NULL};
    struct sandbox s = {
        .read = folder, .write = folder, .file_bytes = (int64_t)st.st_size + PIECE_BYTES};
    TRY(sandbox_run(&s, argv, arena, &status, &said, err));
    if (status != 0)
        return err_set(err, RC_INVALID, "what was loaded is no disk over its image");
    left->image = base.sha256;
    left->image_format = base.format;
    return sync_file(disk, err);
}

static enum rc adopt_locked(struct vm *v, const struct service_spec *spec, int64_t number,
                            struct arena *arena, struct err *err)
{
    struct left left;
    struct stat st;
    const char *fresh = loaded_disk(v, spec->id, arena), *disk = vm_disk(v, spec->id, arena);
    const char *folder = loaded_folder(v, spec->id, arena);
    if (vm_process(v, spec->id, arena) > 0)
        return err_set(err, RC_CONFLICT, "'%.*s' runs", STRF(spec->id));
    if (stat(fresh, &st) != 0)
        return err_set(err, RC_NOT_FOUND, "nothing was loaded for '%.*s'", STRF(spec->id));
    TRY(left_read(container_folder(v->c, spec->id, arena), arena, &left, err));
    if (st.st_size == 0) { /* where it came from it kept nothing */
        TRY(file_remove(disk, err));
    } else {
        TRY(lean(v, fresh, folder, &left, arena, err));
        TRY(file_rename(fresh, disk, err));
    }
    left.generation = 0;
    left.restored = number;
    TRY(left_write(container_folder(v->c, spec->id, arena), &left, arena, err));
    return file_remove(folder, err);
}

enum rc vm_adopt(struct driver *d, const struct service_spec *spec, int64_t number,
                 struct arena *arena, struct err *err)
{
    struct vm *v = vm_of_driver(d);
    int lock = -1;
    TRY(vm_lock(v, spec->id, arena, &lock, err));
    enum rc rc = adopt_locked(v, spec, number, arena, err);
    close(lock);
    return rc;
}
