/*
 * vm_snapshot.c - snapshots of machines: inside their disks (qcow2), with the memory where one
 * runs.
 *
 * The disks themselves say which there are. A snapshot is of all disks of a machine, or is
 * none: one that was cut short is removed and taken again. Those that the control plane
 * names are called by their ids; those that a person on the node takes have other names,
 * and are left alone.
 */
#include "node/vm_inside.h"

#include "base/json.h"
#include "base/point.h"
#include "node/disk.h"
#include "node/file.h"
#include "node/run.h"

#include <libvirt/virterror.h>
#include <unistd.h>

enum { SNAPSHOT_MS = 3600 * 1000 };

/* --- what the disks say --- */

/* Whether one disk has it; how much of the memory it holds. */
static enum rc look_at_disk(const char *disk, struct str name, struct arena *arena, bool *ret,
                            int64_t *ret_memory, struct err *err)
{
    struct str said;
    const struct json *info = NULL;
    int status = 0;
    /* -U: QEMU may have it open. */
    const char *const argv[] = {"qemu-img", "info",  "-U", "--output=json",
                                "-f",       "qcow2", disk, NULL};
    TRY(run_program(&(struct run){.argv = argv}, arena, &status, &said, err));
    if (status != 0)
        return err_set(err, RC_UNAVAILABLE, "its disk cannot be looked at: %.*s", STRF(said));
    TRY(json_parse(said, arena, &info, err));
    const struct json *all = json_get(info, STR("snapshots"));
    *ret = false;
    for (const struct json *s = all != NULL ? json_first(all) : NULL; s != NULL;
         s = json_next(all, s)) {
        const struct json *its = json_get(s, STR("name"));
        const struct json *memory = json_get(s, STR("vm-state-size"));
        if (its == NULL || !str_eq(json_text(its), name))
            continue;
        *ret = true;
        int64_t bytes = 0;
        if (memory != NULL && json_i64(memory, &bytes))
            *ret_memory = max_i64(*ret_memory, bytes);
    }
    return RC_OK;
}

struct found {
    size_t disks; /* that have it */
    int64_t memory_bytes;
};

static enum rc find_on(const struct vm *v, const struct left *left, struct str name,
                       struct arena *arena, struct found *ret, struct err *err)
{
    *ret = (struct found){0};
    for (size_t i = 0; i < vm_disk_count(left); i++) {
        bool has = false;
        TRY(look_at_disk(vm_disk_at(v, left->id, i, arena), name, arena, &has, &ret->memory_bytes,
                         err));
        ret->disks += has;
    }
    return RC_OK;
}

/* --- at rest: qemu-img --- */

/* On each disk that has it, or (-c) on all. */
static enum rc tool(const struct vm *v, const struct left *left, const char *option,
                    struct str name, struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < vm_disk_count(left); i++) {
        const char *disk = vm_disk_at(v, left->id, i, arena);
        bool has = false;
        int64_t unused = 0;
        if (strcmp(option, "-d") == 0)
            TRY(look_at_disk(disk, name, arena, &has, &unused, err));
        if (strcmp(option, "-d") == 0 && !has)
            continue;
        const char *const argv[] = {"qemu-img", "snapshot", option, arena_cstr(arena, name),
                                    disk,       NULL};
        TRY(run_ok(&(struct run){.argv = argv, .timeout_ms = SNAPSHOT_MS}, arena, err));
        point_pass("machine-snapshot.disk");
    }
    return RC_OK;
}

/* --- while it runs: libvirt --- */

/* libvirt keeps no note of it: the disks do. */
static enum rc take_now(virDomainPtr domain, void *arg, struct err *err)
{
    virDomainSnapshotPtr taken =
        virDomainSnapshotCreateXML(domain, arg, VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA);
    if (taken == NULL && virGetLastErrorCode() == VIR_ERR_OPERATION_TIMEOUT)
        return err_set(err, RC_RETRY, "libvirt is busy with the machine");
    if (taken == NULL)
        return vm_failed(err, "no snapshot");
    virDomainSnapshotFree(taken);
    return RC_OK;
}

/* libvirt lets a snapshot be removed that it has a note of: it is given one first. */
static enum rc drop_now(virDomainPtr domain, void *arg, struct err *err)
{
    virDomainSnapshotPtr one =
        virDomainSnapshotCreateXML(domain, arg, VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE);
    if (one == NULL && virGetLastErrorCode() == VIR_ERR_OPERATION_TIMEOUT)
        return err_set(err, RC_RETRY, "libvirt is busy with the machine");
    if (one == NULL)
        return vm_failed(err, "the snapshot is not known");
    enum rc rc = virDomainSnapshotDelete(one, 0) == 0
                     ? RC_OK
                     : vm_failed(err, "the snapshot cannot be removed");
    virDomainSnapshotFree(one);
    return rc;
}

static struct str snapshot_xml(struct str name, struct arena *arena)
{
    return arena_fmt(arena, "<domainsnapshot><name>%.*s</name></domainsnapshot>", STRF(name));
}

/* What libvirt has to be told of a snapshot that it takes up again. */
struct dropped {
    struct str name;
    bool memory;
    struct arena *arena;
};

static enum rc take_up_and_drop(virDomainPtr domain, void *arg, struct err *err)
{
    const struct dropped *d = arg;
    char *whole = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_SECURE);
    if (whole == NULL)
        return vm_failed(err, "the machine is not described");
    struct str xml = arena_fmt(
        d->arena,
        "<domainsnapshot><name>%.*s</name><state>%s</state><creationTime>1</creationTime>"
        "<memory snapshot='%s'/>%s</domainsnapshot>",
        STRF(d->name), d->memory ? "running" : "shutoff", d->memory ? "internal" : "no", whole);
    free(whole);
    return drop_now(domain, (void *)(uintptr_t)xml.p, err);
}

/* --- one of them --- */

static enum rc take(struct vm *v, const struct left *left, struct str name, struct arena *arena,
                    struct err *err)
{
    if (vm_process(v, left->id, arena) == 0)
        return tool(v, left, "-c", name, arena, err);
    struct str xml = snapshot_xml(name, arena);
    return vm_ask(v, left->id, take_now, (void *)(uintptr_t)xml.p, arena, err);
}

static enum rc drop(struct vm *v, const struct left *left, struct str name, struct arena *arena,
                    struct err *err)
{
    struct found found;
    TRY(find_on(v, left, name, arena, &found, err));
    if (found.disks == 0)
        return RC_OK;
    if (vm_process(v, left->id, arena) == 0)
        return tool(v, left, "-d", name, arena, err);
    struct dropped d = {.name = name, .memory = found.memory_bytes > 0, .arena = arena};
    return vm_ask(v, left->id, take_up_and_drop, &d, arena, err);
}

/* --- those that are wanted --- */

/* Its memory is written to the disk, beside what the services may write there. */
static enum rc want_room(const struct vm *v, const struct service_spec *spec, struct arena *arena,
                         struct err *err)
{
    if (vm_process(v, spec->id, arena) == 0)
        return RC_OK;
    return disk_want_room(vm_disk(v, spec->id, arena), spec->memory_bytes, err);
}

/* RC_RETRY alone is no outcome. */
static enum rc see_to(struct vm *v, const struct service_spec *spec, const struct left *left,
                      const struct spec_snapshot *s, struct arena *arena,
                      struct sighting_snapshot *ret, struct err *err)
{
    struct found found;
    size_t disks = vm_disk_count(left);
    enum rc rc = find_on(v, left, s->id, arena, &found, err);
    if (rc == RC_OK && found.disks < disks && !s->take)
        rc = err_set(err, RC_NOT_FOUND, "it went with the disk that it was of");
    else if (rc == RC_OK && found.disks < disks) {
        rc = found.disks > 0 ? drop(v, left, s->id, arena, err) : RC_OK; /* it was cut short */
        if (rc == RC_OK)
            rc = want_room(v, spec, arena, err);
        if (rc == RC_OK)
            rc = take(v, left, s->id, arena, err);
        point_pass("machine-snapshot.taken");
        if (rc == RC_OK)
            rc = find_on(v, left, s->id, arena, &found, err);
    }
    if (rc == RC_RETRY)
        return rc;
    *ret = (struct sighting_snapshot){.id = s->id,
                                      .kept = rc == RC_OK,
                                      .memory_bytes = found.memory_bytes,
                                      .reason =
                                          rc == RC_OK ? STR("") : arena_line(arena, err_text(err))};
    err_clear(err);
    return RC_OK;
}

static bool is_listed(const struct list *wanted, struct str id)
{
    const struct spec_snapshot *items = wanted->items;
    for (size_t i = 0; i < wanted->count; i++)
        if (str_eq(items[i].id, id))
            return true;
    return false;
}

static enum rc drop_others(struct vm *v, const struct service_spec *spec, const struct left *left,
                           struct arena *arena, struct err *err)
{
    const struct sighting_snapshot *had = left->snapshots.items;
    for (size_t i = 0; i < left->snapshots.count; i++)
        if (!is_listed(&spec->snapshots, had[i].id))
            TRY(drop(v, left, had[i].id, arena, err));
    point_pass("machine-snapshot.dropped");
    return RC_OK;
}

static enum rc snapshot_locked(struct vm *v, const struct service_spec *spec, struct arena *arena,
                               struct err *err)
{
    const char *folder = container_folder(v->c, spec->id, arena);
    const struct spec_snapshot *items = spec->snapshots.items;
    struct sighting_snapshot *seen = NEW_N(arena, struct sighting_snapshot, SPEC_SNAPSHOTS_MAX);
    struct left left;
    TRY(left_read(folder, arena, &left, err));
    TRY(drop_others(v, spec, &left, arena, err));
    for (size_t i = 0; i < spec->snapshots.count; i++)
        TRY(see_to(v, spec, &left, &items[i], arena, &seen[i], err));
    left.snapshots = (struct list){seen, spec->snapshots.count};
    TRY(left_write(folder, &left, arena, err));
    point_pass("machine-snapshot.noted");
    return RC_OK;
}

enum rc vm_snapshot_all(struct driver *d, const struct service_spec *spec, struct arena *arena,
                        struct err *err)
{
    struct vm *v = vm_of_driver(d);
    int lock = -1;
    if (!vm_lock_now(v, spec->id, arena, &lock))
        return err_set(err, RC_RETRY, "its disk is being saved: the snapshot waits for that");
    enum rc rc = snapshot_locked(v, spec, arena, err);
    close(lock);
    return rc;
}

enum rc vm_snapshots(struct driver *d, struct str id, struct arena *arena, struct list *ret,
                     struct err *err)
{
    struct left left;
    TRY(left_read(container_folder(vm_of_driver(d)->c, id, arena), arena, &left, err));
    *ret = left.snapshots;
    return RC_OK;
}

/* --- going back --- */

static void note_lost(const struct left *left, struct str id)
{
    struct sighting_snapshot *items = left->snapshots.items;
    for (size_t i = 0; i < left->snapshots.count; i++)
        if (str_eq(items[i].id, id)) {
            items[i].kept = false;
            items[i].reason = STR("it went with the disk that it was of");
        }
}

static enum rc go_back_locked(struct vm *v, const struct service_spec *spec, struct arena *arena,
                              struct err *err)
{
    const char *folder = container_folder(v->c, spec->id, arena);
    struct left left;
    struct found found;
    TRY(left_read(folder, arena, &left, err));
    TRY(find_on(v, &left, spec->revert, arena, &found, err));
    if (vm_process(v, spec->id, arena) > 0)
        return err_set(err, RC_CONFLICT, "'%.*s' runs", STRF(spec->id));
    if (found.disks == vm_disk_count(&left))
        TRY(tool(v, &left, "-a", spec->revert, arena, err));
    else
        note_lost(&left, spec->revert);
    left.generation = 0; /* its disk may be smaller than it is to be */
    left.reverted = spec->reverts;
    TRY(left_write(folder, &left, arena, err));
    point_pass("machine-revert.noted");
    return RC_OK;
}

enum rc vm_go_back(struct driver *d, const struct service_spec *spec, struct arena *arena,
                   struct err *err)
{
    struct vm *v = vm_of_driver(d);
    int lock = -1;
    if (!vm_lock_now(v, spec->id, arena, &lock))
        return err_set(err, RC_RETRY, "its disk is being saved: going back waits for that");
    enum rc rc = go_back_locked(v, spec, arena, err);
    close(lock);
    return rc;
}

/* --- by hand, on the node --- */

static bool is_snapshot_name(struct str name)
{
    bool good = name.n > 0 && name.n <= VM_SNAPSHOT_NAME_MAX;
    for (size_t i = 0; good && i < name.n; i++) {
        char c = name.p[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i > 0);
    }
    return good;
}

static enum rc check_snapshot(const struct vm *v, struct str id, struct str name,
                              struct arena *arena, struct left *ret, struct err *err)
{
    if (!is_snapshot_name(name))
        return err_set(err, RC_INVALID,
                       "'%.*s' is no name of a snapshot: small letters, digits, '-'", STRF(name));
    if (!id_is(id, "svc") || !file_exists(vm_disk(v, id, arena)))
        return err_set(err, RC_NOT_FOUND, "there is no machine '%.*s' here", STRF(id));
    return left_read(container_folder(v->c, id, arena), arena, ret, err);
}

enum rc vm_snapshot(struct vm *v, struct str id, struct str name, struct arena *arena,
                    struct err *err)
{
    struct left left;
    int lock = -1;
    TRY(check_snapshot(v, id, name, arena, &left, err));
    TRY(vm_lock(v, id, arena, &lock, err));
    enum rc rc = take(v, &left, name, arena, err);
    close(lock);
    return rc;
}

enum rc vm_revert(struct vm *v, struct str id, struct str name, struct arena *arena,
                  struct err *err)
{
    struct left left;
    int lock = -1;
    TRY(check_snapshot(v, id, name, arena, &left, err));
    TRY(vm_lock(v, id, arena, &lock, err));
    /* Not asked first: what it would write goes away with the disk as it is now. */
    vm_end(v, id, arena);
    enum rc rc = tool(v, &left, "-a", name, arena, err);
    close(lock);
    return rc;
}
