/* The functions of the driver door, for libvirt. */
#include "node/vm_inside.h"

#include "base/point.h"
#include "node/disk.h"
#include "node/file.h"
#include "node/image.h"
#include "node/reconcile.h"
#include "node/run.h"
#include "node/vm_domain.h"

#include <grp.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VM_STOP_MS = 60000, VM_PRESS_MS = 10000, GROUP_BYTES_MAX = 4096, PLACE_MODE = 0700 };
enum { FORGET_TRIES = 50, BEGIN_TRIES = 300, LOOK_PAUSE_MS = 100 };

/* --- observe --- */

/* False: it is no machine. */
static bool observe_one(const struct vm *v, struct str id, struct arena *arena,
                        struct observed *ret)
{
    struct err ignored;
    struct left left = {0};
    err_clear(&ignored);
    if (left_read(container_folder(v->c, id, arena), arena, &left, &ignored) != RC_OK ||
        left.runtime != SPEC_VM)
        return false;
    *ret = (struct observed){.id = id,
                             .state = OBSERVED_RESTING,
                             .generation = left.generation,
                             .form = left.form,
                             .restart = left.restart,
                             .starts = left.starts,
                             .started = left.started,
                             .process = vm_process(v, id, arena),
                             .restored = left.restored,
                             .reverted = left.reverted,
                             .snapshots = left_snapshot_ids(&left, arena),
                             .lease = file_number(vm_lease_file(v, id, arena), 0)};
    if (ret->process > 0)
        ret->state = OBSERVED_RUNNING;
    else if (network_is_plugged(&v->c->network, left.slot, arena))
        ret->state = OBSERVED_DEAD;
    return true;
}

static enum rc observe(struct driver *d, struct arena *arena, struct list *ret, struct err *err)
{
    const struct vm *v = vm_of_driver(d);
    struct list ids;
    TRY(container_ids(v->c, arena, &ids, err));
    struct observed *seen = NEW_N(arena, struct observed, ids.count);
    size_t count = 0;
    for (size_t i = 0; i < ids.count; i++)
        if (observe_one(v, ((struct str *)ids.items)[i], arena, &seen[count]))
            count++;
    *ret = (struct list){.items = seen, .count = count};
    return RC_OK;
}

/* --- prepare, start --- */

enum rc vm_take_place(struct vm *v, const struct service_spec *spec, struct arena *arena,
                      struct left *ret, struct err *err)
{
    TRY(container_take_slot(v->c, spec->id, arena, ret, err));
    if (ret->runtime != SPEC_VM && ret->generation > 0)
        return err_set(err, RC_CONFLICT, "'%.*s' was a container: remove it first", STRF(spec->id));
    ret->runtime = SPEC_VM;
    ret->generation = 0;
    return left_write(container_folder(v->c, spec->id, arena), ret, arena, err);
}

static enum rc prepare(struct driver *d, const struct service_spec *spec, struct arena *arena,
                       struct err *err)
{
    struct vm *v = vm_of_driver(d);
    struct left left;
    int lock = -1;
    TRY(vm_take_place(v, spec, arena, &left, err));
    point_pass("machine-prepare.placed");
    TRY(vm_lock(v, spec->id, arena, &lock, err));
    enum rc rc = vm_clear_load(v, spec->id, arena, err);
    if (rc == RC_OK)
        rc = vm_make_disk(v, spec, &left, arena, err);
    close(lock);
    TRY(rc);
    TRY(vm_make_seed(v, spec, left.slot, arena, err));
    point_pass("machine-prepare.seeded");
    if (spec->lease_s == 0)
        TRY(file_remove(vm_lease_file(v, spec->id, arena), err));
    left.generation = spec->generation;
    left.form = reconcile_form(spec, arena);
    left.ports = spec->ports;
    left.alone = spec->alone;
    return left_write(container_folder(v->c, spec->id, arena), &left, arena, err);
}

/* The folder where QEMU makes its sockets: its user's alone. */
static enum rc make_sockets(const struct vm *v, struct str id, int64_t slot, struct arena *arena,
                            struct err *err)
{
    const char *path = container_in(v->c, id, "sockets", arena);
    TRY(file_remove(path, err));
    TRY(file_make_folder(path, err));
    if (chown(path, vm_user(v, slot), v->group) != 0 || chmod(path, PLACE_MODE) != 0)
        return file_failed(err, "cannot give away", path);
    return RC_OK;
}

static enum rc create(struct vm *v, const struct service_spec *spec, const struct left *left,
                      struct arena *arena, struct err *err)
{
    virConnectPtr link;
    struct vm_domain_disk disks[VM_DISKS_MAX];
    for (size_t i = 0; i < vm_disk_count(left); i++) {
        struct left_disk image = vm_disk_image(left, i);
        disks[i] = (struct vm_domain_disk){.disk = vm_disk_at(v, spec->id, i, arena),
                                           .base = image_path(v->c->o.home, image.image, arena),
                                           .base_format = image.format,
                                           .name = vm_disk_name(i, arena)};
    }
    struct vm_domain domain = {
        .id = spec->id,
        .kvm = v->kvm,
        .cpu_milli = spec->cpu_milli,
        .memory_bytes = spec->memory_bytes,
        .disks = disks,
        .disk_count = vm_disk_count(left),
        .seed = container_in(v->c, spec->id, "seed.iso", arena),
        .console = vm_console(v, spec->id, arena),
        .screen = container_in(v->c, spec->id, "sockets/screen", arena),
        .agent = container_in(v->c, spec->id, "sockets/agent", arena),
        .tap = network_tap(&v->c->network, left->slot, arena),
        .slot = left->slot,
        .user = vm_user(v, left->slot),
        .group = v->group,
    };
    TRY(vm_connect(v, arena, &link, err));
    unsigned flags = spec->lease_s > 0 ? VIR_DOMAIN_START_PAUSED : VIR_DOMAIN_NONE;
    virDomainPtr made =
        virDomainCreateXML(link, arena_cstr(arena, vm_domain_xml(&domain, arena)), flags);
    enum rc rc = made != NULL ? RC_OK : vm_failed(err, "the machine does not start");
    if (made != NULL)
        virDomainFree(made);
    virConnectClose(link);
    return rc;
}

static enum rc start_locked(struct vm *v, const struct service_spec *spec, struct arena *arena,
                            struct err *err)
{
    const char *folder = container_folder(v->c, spec->id, arena);
    struct left left;
    TRY(left_read(folder, arena, &left, err));
    TRY(container_rules(v->c, arena, err));
    TRY(vm_give_files(v, &left, arena, err));
    TRY(make_sockets(v, spec->id, left.slot, arena, err));
    point_pass("machine-start.given");
    TRY(network_plug(&v->c->network, left.slot, spec->network_bit_s, arena, err));
    point_pass("machine-start.plugged");
    left.restart = spec->restart;
    left.starts++;
    left.started = clock_now(v->c->o.clock);
    left.stop_ms = VM_STOP_MS;
    /* Before it runs: who looks afterwards never takes an old start for this one. */
    TRY(left_write(folder, &left, arena, err));
    point_pass("machine-start.noted");
    if (spec->lease_s > 0)
        TRY(vm_hold(v, spec->id, arena, err));
    enum rc rc = create(v, spec, &left, arena, err);
    point_pass("machine-start.made");
    if (rc == RC_OK && spec->lease_s > 0)
        rc = vm_let_go(v, spec->id, arena, err);
    if (rc != RC_OK) {
        struct err second;
        err_clear(&second);
        vm_end(v, spec->id, arena);
        if (network_unplug(&v->c->network, left.slot, arena, &second) != RC_OK)
            err_add(err, "what is left is stopped by the next step");
    }
    return rc;
}

static enum rc start(struct driver *d, const struct service_spec *spec, struct arena *arena,
                     struct err *err)
{
    struct vm *v = vm_of_driver(d);
    int lock = -1;
    TRY(vm_lock(v, spec->id, arena, &lock, err));
    enum rc rc = start_locked(v, spec, arena, err);
    close(lock);
    point_pass("machine-start.running");
    return rc;
}

/* --- adjust, lease --- */

enum rc vm_ask(struct vm *v, struct str id, vm_question ask, void *arg, struct arena *arena,
               struct err *err)
{
    virConnectPtr link;
    TRY(vm_connect(v, arena, &link, err));
    virDomainPtr domain = virDomainLookupByName(link, arena_cstr(arena, id));
    if (domain == NULL) {
        bool none = virGetLastErrorCode() == VIR_ERR_NO_DOMAIN;
        enum rc rc = none ? err_set(err, RC_NOT_FOUND, "machine '%.*s' does not run", STRF(id))
                          : vm_failed(err, "libvirt knows no machine");
        virConnectClose(link);
        return rc;
    }
    enum rc rc = ask(domain, arg, err);
    virDomainFree(domain);
    virConnectClose(link);
    return rc;
}

/* Its first disk has so many bytes. */
static enum rc grow(virDomainPtr domain, void *arg, struct err *err)
{
    const int64_t *wanted = arg;
    virDomainBlockInfo info;
    if (virDomainGetBlockInfo(domain, "vda", &info, 0) != 0)
        return vm_failed(err, "the disk cannot be looked at");
    if ((int64_t)info.capacity < *wanted &&
        virDomainBlockResize(domain, "vda", (unsigned long long)*wanted,
                             VIR_DOMAIN_BLOCK_RESIZE_BYTES) != 0)
        return vm_failed(err, "the disk does not grow");
    return RC_OK;
}

static enum rc adjust(struct driver *d, const struct service_spec *spec, struct arena *arena,
                      struct err *err)
{
    struct vm *v = vm_of_driver(d);
    const char *folder = container_folder(v->c, spec->id, arena);
    struct left left;
    TRY(left_read(folder, arena, &left, err));
    int64_t wanted = vm_first_bytes(v, &left, spec->disk_bytes, arena);
    TRY(vm_ask(v, spec->id, grow, &wanted, arena, err));
    point_pass("machine-adjust.grown");
    TRY(network_plug(&v->c->network, left.slot, spec->network_bit_s, arena, err));
    point_pass("machine-adjust.shaped");
    if (spec->lease_s == 0)
        TRY(file_remove(vm_lease_file(v, spec->id, arena), err));
    left.generation = spec->generation;
    left.ports = spec->ports;
    left.alone = spec->alone;
    TRY(left_write(folder, &left, arena, err));
    point_pass("machine-adjust.noted");
    return container_rules(v->c, arena, err);
}

static enum rc lease(struct driver *d, struct str id, time_us until, struct arena *arena,
                     struct err *err)
{
    struct vm *v = vm_of_driver(d);
    if (!file_exists(container_folder(v->c, id, arena)))
        return err_set(err, RC_NOT_FOUND, "machine '%.*s' has no folder yet", STRF(id));
    TRY(container_put_lease(v->c, id, until, arena, err));
    TRY(vm_guard(v, id, arena, err));
    return vm_let_go_left(v, id, arena, err);
}

/* --- counters --- */

static int64_t number(const virDomainStatsRecord *r, const char *name)
{
    unsigned long long value = 0;
    int found = virTypedParamsGetULLong(r->params, r->nparams, name, &value);
    return found == 1 && value <= INT64_MAX ? (int64_t)value : -1;
}

static void take_record(const virDomainStatsRecord *r, struct driver_stats *s)
{
    enum { NS_PER_US = 1000, BYTES_PER_KIB = 1024, BLOCKS_MAX = VM_DISKS_MAX + 1 };
    s->cpu_us = max_i64(number(r, "cpu.time"), 0) / NS_PER_US; /* down: never more than was used */
    /* What the guest says it cannot give back; without its word, all that it was given. */
    int64_t available = number(r, "balloon.available"), usable = number(r, "balloon.usable");
    int64_t kib = available >= 0 && usable >= 0 && usable <= available
                      ? available - usable
                      : max_i64(number(r, "balloon.current"), 0);
    s->memory_bytes = kib * BYTES_PER_KIB;
    int64_t blocks = 0;
    unsigned int count = 0;
    if (virTypedParamsGetUInt(r->params, r->nparams, "block.count", &count) == 1)
        blocks = min_i64(count, BLOCKS_MAX);
    for (int64_t i = 0; i < blocks; i++) {
        char name[32];
        snprintf(name, sizeof name, "block.%lld.rd.bytes", (long long)i);
        s->read_bytes += max_i64(number(r, name), 0);
        snprintf(name, sizeof name, "block.%lld.wr.bytes", (long long)i);
        s->written_bytes += max_i64(number(r, name), 0);
    }
}

static enum rc count(virDomainPtr domain, void *arg, struct err *err)
{
    virDomainPtr domains[2] = {domain, NULL};
    virDomainStatsRecordPtr *records = NULL;
    unsigned what = VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_BLOCK;
    int found = virDomainListGetStats(domains, what, &records, 0);
    enum rc rc = found == 1 ? RC_OK : vm_failed(err, "no counters");
    if (found == 1)
        take_record(records[0], arg);
    if (records != NULL)
        virDomainStatsRecordListFree(records);
    return rc;
}

static enum rc stats(struct driver *d, struct str id, struct arena *arena, struct driver_stats *ret,
                     struct err *err)
{
    struct vm *v = vm_of_driver(d);
    struct left left;
    struct driver_stats s = {0};
    TRY(left_read(container_folder(v->c, id, arena), arena, &left, err));
    TRY(vm_ask(v, id, count, &s, arena, err));
    s.process = arena_fmt(arena, "%lld", (long long)left.starts);
    for (size_t i = 0; i < vm_disk_count(&left); i++)
        s.disk_bytes += disk_taken(vm_disk_at(v, id, i, arena));
    (void)network_counters(&v->c->network, left.slot, &s.received_bytes, &s.sent_bytes);
    *ret = s;
    return RC_OK;
}

/* --- stop, remove --- */

static enum rc ask_nothing(virDomainPtr domain, void *arg, struct err *err)
{
    (void)domain;
    (void)arg;
    (void)err;
    return RC_OK;
}

/* Whether libvirt has it, in whatever state. */
static bool is_known(struct vm *v, struct str id, struct arena *arena)
{
    struct err ignored;
    err_clear(&ignored);
    return vm_ask(v, id, ask_nothing, NULL, arena, &ignored) == RC_OK;
}

/* libvirt hears of the end a little later than it comes: until then it begins no other of that
 * name, and a daemon that is ended keeps a note of a machine that is gone. */
static void await_forgotten(struct vm *v, struct str id, struct arena *arena)
{
    for (int i = 0; i < FORGET_TRIES && is_known(v, id, arena); i++)
        (void)poll(NULL, 0, LOOK_PAUSE_MS);
}

/* An agent that is killed while libvirt begins a machine leaves it without a process, and not dead:
 * it comes to run, or libvirt gives it up. */
static bool comes_to_run(struct vm *v, struct str id, struct arena *arena)
{
    for (int i = 0; i < BEGIN_TRIES && vm_process(v, id, arena) == 0 && is_known(v, id, arena); i++)
        (void)poll(NULL, 0, LOOK_PAUSE_MS);
    return vm_process(v, id, arena) > 0;
}

static enum rc press_button(virDomainPtr domain, void *arg, struct err *err)
{
    (void)arg;
    return virDomainShutdownFlags(domain, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN) == 0
               ? RC_OK
               : vm_failed(err, "its button cannot be pressed");
}

/* Press its button, and wait as long as a machine may take. Pressed again, as one that is just
 * booting does not hear it. */
static void ask_to_end(struct vm *v, struct str id, struct arena *arena)
{
    bool asked = true;
    struct err ignored;
    for (int64_t ms = 0; asked && ms < VM_STOP_MS && vm_process(v, id, arena) > 0;
         ms += VM_PRESS_MS) {
        err_clear(&ignored);
        asked = vm_ask(v, id, press_button, NULL, arena, &ignored) == RC_OK;
        point_pass("machine-stop.asked");
        if (asked && vm_is_over(v, id, VM_PRESS_MS, arena))
            break;
    }
    vm_end(v, id, arena);
    point_pass("machine-stop.ended");
}

static enum rc stop(struct driver *d, struct str id, struct arena *arena,
                    struct driver_stats *ret_last, struct err *err)
{
    struct vm *v = vm_of_driver(d);
    struct err ignored;
    struct left left;
    struct driver_stats last = {0};
    TRY(left_read(container_folder(v->c, id, arena), arena, &left, err));
    err_clear(&ignored);
    bool runs = vm_process(v, id, arena) > 0;
    if (!runs && comes_to_run(v, id, arena)) {
        *ret_last = last;
        return RC_OK; /* it is not dead: who asked looks again */
    }
    if (runs && stats(d, id, arena, &last, &ignored) != RC_OK)
        last = (struct driver_stats){0};
    ask_to_end(v, id, arena);
    await_forgotten(v, id, arena);
    /* What went over its cable since: the tap counts on until it is gone. */
    if (last.process.n > 0)
        (void)network_counters(&v->c->network, left.slot, &last.received_bytes, &last.sent_bytes);
    TRY(network_unplug(&v->c->network, left.slot, arena, err));
    point_pass("machine-stop.unplugged");
    *ret_last = last;
    return RC_OK;
}

static enum rc remove_service(struct driver *d, struct str id, struct arena *arena, struct err *err)
{
    struct vm *v = vm_of_driver(d);
    struct left left;
    struct list seen;
    TRY(left_read(container_folder(v->c, id, arena), arena, &left, err));
    vm_end(v, id, arena);
    await_forgotten(v, id, arena);
    TRY(network_unplug(&v->c->network, left.slot, arena, err));
    point_pass("machine-remove.unplugged");
    TRY(container_forget(v->c, id, arena, err));
    point_pass("machine-remove.cleared");
    TRY(observe(d, arena, &seen, err));
    if (seen.count == 0)
        vm_end_daemons(v, arena);
    return RC_OK;
}

/* --- facts, exec --- */

static enum rc facts(struct driver *d, const struct service_spec *spec, struct arena *arena,
                     struct list *ret, struct err *err)
{
    struct driver *containers = &vm_of_driver(d)->c->driver; /* they follow from the slot alone */
    return containers->facts(containers, spec, arena, ret, err);
}

static enum rc exec(struct driver *d, const struct driver_exec *e, struct arena *arena,
                    int *ret_status, struct str *ret_output, struct err *err)
{
    (void)d;
    (void)arena;
    (void)ret_status;
    (void)ret_output;
    return err_set(err, RC_UNSUPPORTED, "'%.*s' is a machine: log in to it", STRF(e->id));
}

/* Restored is what a command inside reads: a machine has none. */
static enum rc restored(struct driver *d, struct str id, int64_t number, struct arena *arena,
                        struct err *err)
{
    (void)d;
    (void)number;
    (void)arena;
    return err_set(err, RC_UNSUPPORTED, "'%.*s' is a machine: it has snapshots", STRF(id));
}

const char *vm_console(const struct vm *v, struct str id, struct arena *arena)
{
    return container_in(v->c, id, "console", arena);
}

/* --- the beginning --- */

/* The daemons of a last machine whose remover was killed. */
static void end_left(struct vm *v, struct arena *arena)
{
    struct err ignored;
    struct list seen;
    err_clear(&ignored);
    if (observe(&v->driver, arena, &seen, &ignored) == RC_OK && seen.count == 0)
        vm_end_daemons(v, arena);
}

struct str vm_feature(const struct vm *v)
{
    return v->kvm ? STR("vm:kvm") : STR("vm:qemu");
}

static enum rc check_machine(struct vm *v, struct err *err)
{
    static const char *const programs[] = {"libvirtd", "virtlogd", "qemu-system-x86_64", "qemu-img",
                                           "ip",       "nft",      "genisoimage",        "bwrap",
                                           "prlimit",  "setpriv"};
    char text[GROUP_BYTES_MAX];
    struct group group, *kvm = NULL;
    struct passwd user, *libvirt = NULL;
    for (size_t i = 0; i < COUNT(programs); i++)
        if (!run_has(programs[i]))
            return err_set(err, RC_UNSUPPORTED, "machines want the program '%s'", programs[i]);
    if (getgrnam_r("kvm", &group, text, sizeof text, &kvm) != 0 || kvm == NULL)
        return err_set(err, RC_UNSUPPORTED, "machines want the group 'kvm'");
    v->kvm_group = kvm->gr_gid;
    if (getpwnam_r("libvirt-qemu", &user, text, sizeof text, &libvirt) != 0 || libvirt == NULL)
        return err_set(err, RC_UNSUPPORTED, "machines want the user 'libvirt-qemu'");
    v->user = libvirt->pw_uid;
    if (getgrnam_r("libvirt-qemu", &group, text, sizeof text, &kvm) != 0 || kvm == NULL)
        return err_set(err, RC_UNSUPPORTED, "machines want the group 'libvirt-qemu'");
    v->group = kvm->gr_gid; /* libvirt's folders are open to it */
    return RC_OK;
}

enum rc vm_init(struct vm *v, struct container *c, struct arena *arena, struct err *err)
{
    *v = (struct vm){.driver = {.name = "vm",
                                .observe = observe,
                                .prepare = prepare,
                                .start = start,
                                .adjust = adjust,
                                .lease = lease,
                                .stop = stop,
                                .remove = remove_service,
                                .facts = facts,
                                .stats = stats,
                                .exec = exec,
                                .save = vm_save,
                                .load = vm_load,
                                .adopt = vm_adopt,
                                .restored = restored,
                                .snapshot = vm_snapshot_all,
                                .snapshots = vm_snapshots,
                                .revert = vm_go_back},
                     .c = c};
    TRY(check_machine(v, err));
    v->kvm = !c->o.looks && vm_try_kvm(v, arena);
    if (v->kvm)
        v->group = v->kvm_group;
    if (!c->o.looks) {
        vm_clear_saves(v, arena);
        end_left(v, arena);
    }
    return RC_OK;
}
