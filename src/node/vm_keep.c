/*
 * vm_keep.c - what a machine keeps: its disks, each as a qcow2 over the image that it began with.
 *
 * A machine that runs is saved as it was at one instant: libvirt holds that instant open for a
 * reader (a backup in pull mode), qemu-img compares it with the image, and what differs is the
 * disk. Where a guest agent answers, its file systems are frozen for that instant. Nothing of the
 * machine's own disk is touched: who is killed in between leaves a reader's socket, and no more.
 *
 * In the file the image is named by its hash and length, "SHA256-BYTES", and by nothing that is a
 * path; who loads it puts the path in that the image has there.
 * They travel as vm_stream.h says.
 */
#include "node/vm_inside.h"

#include "base/durable.h"
#include "base/json.h"
#include "base/point.h"
#include "node/disk.h"
#include "node/file.h"
#include "node/image.h"
#include "node/run.h"
#include "node/sandbox.h"
#include "node/vm_domain.h"
#include "node/vm_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SAVE_MS = 6 * 3600 * 1000,
    AGENT_S = 10, /* for a guest agent to freeze or thaw */
    PIECE_BYTES = 256 * 1024,
    DISK_MODE = 0600,
};

static const char save_folder[] = "save";

static enum rc run_long(const char *const *argv, struct arena *arena, struct err *err)
{
    return run_ok(&(struct run){.argv = argv, .timeout_ms = SAVE_MS}, arena, err);
}

#define RUN_LONG(arena, err, ...) run_long((const char *const[]){__VA_ARGS__, NULL}, (arena), (err))

/* Of each disk: what lies under it, and where what is made of it goes. */
struct part {
    const char *from; /* a qcow2 over base */
    const char *out;  /* what is kept of it */
    const char *base;
    const char *format; /* of base */
    struct str image;
};

/* Parts of a save in hand. */
struct save {
    struct vm *v;
    struct str id;
    struct left left;
    const char *folder;
    struct part parts[VM_DISKS_MAX];
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

/* A backup that another agent began, and did not end. */
static void end_backup(virDomainPtr domain)
{
    char *xml = virDomainBackupGetXMLDesc(domain, 0);
    if (xml != NULL)
        (void)virDomainAbortJob(domain); /* or it ended by itself */
    free(xml);
}

/* For disks that are held: QEMU's own folder, and its user's, where it makes the socket and writes
 * what changes meanwhile. */
static const char *scratch_of(const struct save *s, size_t at)
{
    return container_in(s->v->c, s->id, arena_fmt(s->arena, "sockets/scratch-%zu", at).p, s->arena);
}

static enum rc backup_xml(struct save *s, const char *socket, struct str *ret)
{
    struct buf b;
    buf_init(&b, s->arena, VM_DOMAIN_BYTES_MAX);
    buf_fmt(&b,
            "<domainbackup mode='pull'><server transport='unix' socket='%s'/><disks>"
            "<disk name='vdb' backup='no'/>",
            socket);
    for (size_t i = 0; i < vm_disk_count(&s->left); i++) {
        const char *name = vm_disk_name(i, s->arena);
        TRY(file_remove(scratch_of(s, i), s->err));
        buf_fmt(&b,
                "<disk name='%s' backup='yes' type='file' exportname='%s'>"
                "<scratch file='%s'/></disk>",
                name, name, scratch_of(s, i));
    }
    buf_add(&b, STR("</disks></domainbackup>"));
    ASSERT(!b.full);
    *ret = buf_str(&b);
    return RC_OK;
}

static enum rc begin_backup(struct save *s, virDomainPtr domain, const char *socket)
{
    struct str xml;
    end_backup(domain);
    TRY(file_remove(socket, s->err));
    TRY(backup_xml(s, socket, &xml));
    bool frozen = freeze(s->v, domain, s->id, s->arena);
    enum rc rc = virDomainBackupBegin(domain, arena_cstr(s->arena, xml), NULL, 0) == 0
                     ? RC_OK
                     : vm_failed(s->err, "its disk cannot be held for a backup");
    if (frozen)
        thaw(s->v, domain, s->id, s->arena);
    return rc;
}

static struct part part_of(const struct save *s, size_t at)
{
    struct left_disk image = vm_disk_image(&s->left, at);
    return (struct part){.from = vm_disk_at(s->v, s->id, at, s->arena),
                         .out = arena_fmt(s->arena, "%s/disk-%zu", s->folder, at).p,
                         .base = image_path(s->v->c->o.home, image.image, s->arena),
                         .format = arena_cstr(s->arena, image.format),
                         .image = image.image};
}

/* What differs from the image, read from the instant. */
static enum rc read_instant(struct save *s, const char *socket, size_t at, struct part *p)
{
    const char *name = vm_disk_name(at, s->arena);
    const char *from = arena_fmt(s->arena, "nbd+unix:///%s?socket=%s", name, socket).p;
    p->from = arena_fmt(s->arena, "%s/instant-%zu", s->folder, at).p;
    TRY(RUN_LONG(s->arena, s->err, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b",
                 from, p->from));
    return RUN_LONG(s->arena, s->err, "qemu-img", "rebase", "-q", "-f", "qcow2", "-F", p->format,
                    "-b", p->base, p->from);
}

/* All disks of one instant. */
static enum rc hold_and_read(virDomainPtr domain, void *arg, struct err *err UNUSED)
{
    struct save *s = arg;
    const char *socket = container_in(s->v->c, s->id, "sockets/backup", s->arena);
    enum rc rc = begin_backup(s, domain, socket);
    point_pass("machine-save.held");
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < vm_disk_count(&s->left) && rc == RC_OK; i++)
        rc = read_instant(s, socket, i, &s->parts[i]);
    point_pass("machine-save.read");
    end_backup(domain);
    return rc;
}

/* --- save --- */

static enum rc pack(struct save *s, const struct part *p)
{
    struct stat st;
    if (stat(p->base, &st) != 0)
        return file_failed(s->err, "cannot look at", p->base);
    const char *name = arena_fmt(s->arena, "%.*s-%lld", STRF(p->image), (long long)st.st_size).p;
    TRY(RUN_LONG(s->arena, s->err, "qemu-img", "convert", "-q", "-c", "-f", "qcow2", "-O", "qcow2",
                 "-F", p->format, "-B", p->base, p->from, p->out));
    return RUN_LONG(s->arena, s->err, "qemu-img", "rebase", "-q", "-u", "-f", "qcow2", "-F",
                    p->format, "-b", name, p->out);
}

static enum rc put(struct save *s, const struct part *p, int output)
{
    struct stat st;
    int fd = open(p->out, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        enum rc rc = file_failed(s->err, "cannot read", p->out);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    enum rc rc = vm_stream_put(output, fd, st.st_size, s->arena, s->err);
    close(fd);
    return rc;
}

static enum rc save_in(struct save *s, int output)
{
    size_t count = vm_disk_count(&s->left);
    for (size_t i = 0; i < count; i++)
        s->parts[i] = part_of(s, i);
    if (vm_process(s->v, s->id, s->arena) > 0)
        TRY(vm_ask(s->v, s->id, hold_and_read, s, s->arena, s->err));
    for (size_t i = 0; i < count; i++)
        TRY(pack(s, &s->parts[i]));
    point_pass("machine-save.packed");
    for (size_t i = 0; i < count; i++)
        TRY(put(s, &s->parts[i], output));
    point_pass("machine-save.put");
    return RC_OK;
}

static enum rc save_locked(struct vm *v, struct str id, int output, struct arena *arena,
                           struct err *err)
{
    struct save s = {.v = v, .id = id, .arena = arena, .err = err};
    struct err second;
    TRY(left_read(container_folder(v->c, id, arena), arena, &s.left, err));
    if (!file_exists(vm_disk(v, id, arena)))
        return RC_OK; /* it keeps nothing yet */
    s.folder = container_in(v->c, id, save_folder, arena);
    TRY(file_remove(s.folder, err));
    TRY(file_make_folder(s.folder, err));
    point_pass("machine-save.begun");
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
    point_pass("machine-save.cleared");
    return rc;
}

/* --- what a save left that was not ended --- */

static enum rc let_go(virDomainPtr domain, void *arg, struct err *err UNUSED)
{
    const struct save *s = arg;
    if (file_exists(frozen_note(s->v, s->id, s->arena)))
        thaw(s->v, domain, s->id, s->arena);
    end_backup(domain);
    return RC_OK;
}

static void clear_one(struct vm *v, struct str id, struct arena *arena)
{
    struct err ignored;
    struct save s = {.v = v, .id = id, .arena = arena};
    const char *folder = container_in(v->c, id, save_folder, arena),
               *note = frozen_note(v, id, arena);
    int lock = -1;
    err_clear(&ignored);
    if ((!file_exists(folder) && !file_exists(note)) || !vm_lock_now(v, id, arena, &lock))
        return; /* nothing is left, or somebody is at it */
    if (vm_process(v, id, arena) > 0) {
        if (vm_ask(v, id, let_go, &s, arena, &ignored) != RC_OK)
            err_clear(&ignored); /* it ends just now, or the next save lets it go */
    } else
        (void)unlink(note); /* it went with its machine */
    bool gone = file_remove(folder, &ignored) == RC_OK;
    for (size_t i = 0; i < VM_DISKS_MAX && gone; i++)
        gone = file_remove(scratch_of(&s, i), &ignored) == RC_OK;
    close(lock); /* what cannot be removed is tried again by the next agent, or the next save */
}

void vm_clear_saves(struct vm *v, struct arena *arena)
{
    struct err ignored;
    struct list ids;
    err_clear(&ignored);
    if (container_ids(v->c, arena, &ids, &ignored) != RC_OK)
        return;
    for (size_t i = 0; i < ids.count; i++)
        clear_one(v, ((struct str *)ids.items)[i], arena);
}

/* --- load --- */

static const char *loaded_folder(const struct vm *v, struct str id, struct arena *arena)
{
    return container_in(v->c, id, "load", arena);
}

static const char *loaded_disk(const struct vm *v, struct str id, size_t at, struct arena *arena)
{
    return container_in(v->c, id, arena_fmt(arena, "load/disk-%zu", at).p, arena);
}

enum rc vm_clear_load(const struct vm *v, struct str id, struct arena *arena, struct err *err)
{
    return file_remove(loaded_folder(v, id, arena), err);
}

struct load {
    const struct vm *v;
    struct str id;
    struct arena *arena;
};

/* No more than leaves the services their part of the disk. */
static enum rc open_loaded(void *arg, size_t number, int64_t bytes, int *ret, struct err *err)
{
    const struct load *l = arg;
    const char *path = loaded_disk(l->v, l->id, number, l->arena);
    TRY(disk_want_room(loaded_folder(l->v, l->id, l->arena), bytes, err));
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, DISK_MODE);
    if (fd < 0)
        return file_failed(err, "cannot make", path);
    point_pass("machine-load.opened");
    *ret = fd;
    return RC_OK;
}

enum rc vm_load(struct driver *d, const struct service_spec *spec, int input, struct arena *arena,
                struct err *err)
{
    struct vm *v = vm_of_driver(d);
    struct left left;
    struct load load = {.v = v, .id = spec->id, .arena = arena};
    const struct vm_stream_door door = {
        .open = open_loaded, .arg = &load, .disks_max = VM_DISKS_MAX};
    const char *folder = loaded_folder(v, spec->id, arena);
    TRY(vm_take_place(v, spec, arena, &left, err));
    TRY(file_remove(folder, err));
    TRY(file_make_folder(folder, err));
    point_pass("machine-load.begun");
    enum rc rc = vm_stream_take(input, &door, arena, err);
    point_pass("machine-load.taken");
    struct err second;
    err_clear(&second);
    /* A part of it is of no use, and in the way where the disk is full. */
    if (rc != RC_OK && file_remove(folder, &second) != RC_OK)
        err_add(err, "what came of it cannot be removed");
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

/* The disk leans on its image where that lies here. */
static enum rc lean(struct vm *v, const char *disk, const char *folder, struct left_disk *ret,
                    struct arena *arena, struct err *err)
{
    struct spec_image base = {0};
    int status = 0;
    struct stat st;
    struct str said = STR("");
    TRY(look_at(disk, arena, &base, err));
    TRY(container_bring(v->c, &base, arena, err));
    if (stat(disk, &st) != 0)
        return file_failed(err, "cannot look at", disk);
    const char *path = image_path(v->c->o.home, base.sha256, arena);
    const char *const argv[] = {"qemu-img", "rebase", "-q", "-u",
                                "-f",       "qcow2",  "-F", arena_cstr(arena, base.format),
                                "-b",       path,     disk, NULL};
    struct sandbox s = {
        .read = folder, .write = folder, .file_bytes = (int64_t)st.st_size + PIECE_BYTES};
    TRY(sandbox_run(&s, argv, arena, &status, &said, err));
    if (status != 0)
        return err_set(err, RC_INVALID, "what was loaded is no disk over its image");
    *ret = (struct left_disk){.image = base.sha256, .format = base.format};
    return durable_file(disk) ? RC_OK : file_failed(err, "cannot write", disk);
}

/* Every disk is whole, and leans on what it should; how many there are. */
static enum rc lean_all(struct vm *v, struct str id, struct left_disk *images, size_t *ret,
                        struct arena *arena, struct err *err)
{
    const char *folder = loaded_folder(v, id, arena);
    size_t count = 0;
    while (count < VM_DISKS_MAX && file_exists(loaded_disk(v, id, count, arena))) {
        TRY(lean(v, loaded_disk(v, id, count, arena), folder, &images[count], arena, err));
        count++;
    }
    *ret = count;
    return RC_OK;
}

/* Who is killed in the middle finds that nothing was adopted yet, and loads all of it again. */
static enum rc adopt_locked(struct vm *v, const struct service_spec *spec, int64_t number,
                            struct arena *arena, struct err *err)
{
    struct left left;
    struct left_disk *images = NEW_N(arena, struct left_disk, VM_DISKS_MAX);
    size_t count = 0;
    const char *folder = loaded_folder(v, spec->id, arena);
    if (vm_process(v, spec->id, arena) > 0)
        return err_set(err, RC_CONFLICT, "'%.*s' runs", STRF(spec->id));
    if (!file_exists(folder))
        return err_set(err, RC_NOT_FOUND, "nothing was loaded for '%.*s'", STRF(spec->id));
    TRY(left_read(container_folder(v->c, spec->id, arena), arena, &left, err));
    TRY(lean_all(v, spec->id, images, &count, arena, err));
    point_pass("machine-adopt.leant");
    for (size_t i = count; i < VM_DISKS_MAX; i++) /* all of them, where it kept nothing */
        TRY(file_remove(vm_disk_at(v, spec->id, i, arena), err));
    for (size_t i = count; i > 0; i--)
        TRY(file_rename(loaded_disk(v, spec->id, i - 1, arena),
                        vm_disk_at(v, spec->id, i - 1, arena), err));
    point_pass("machine-adopt.renamed");
    if (count > 0) {
        left.image = images[0].image;
        left.image_format = images[0].format;
        left.disks = (struct list){images + 1, count - 1};
    }
    left.generation = 0;
    left.snapshots = (struct list){0}; /* they lay in the disks of before */
    left.restored = number;
    TRY(left_write(container_folder(v->c, spec->id, arena), &left, arena, err));
    point_pass("machine-adopt.noted");
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
