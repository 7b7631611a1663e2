/*
 * vm_inside.h - what the files of the driver of machines share.
 */
#ifndef NODE_VM_INSIDE_H
#define NODE_VM_INSIDE_H

#include "node/container_inside.h"
#include "node/vm.h"

#include <libvirt/libvirt.h>

/* --- vm.c --- */

/* It has a slot and a folder, and is prepared for nothing. RC_CONFLICT: it was a container. */
MUST_CHECK enum rc vm_take_place(struct vm *v, const struct service_spec *spec, struct arena *arena,
                                 struct left *ret, struct err *err);
/* Find a machine that runs, ask it one thing, and let go of it. RC_NOT_FOUND: it does not run; else
 * what was answered. */
typedef enum rc (*vm_question)(virDomainPtr domain, void *arg, struct err *err);
MUST_CHECK enum rc vm_ask(struct vm *v, struct str id, vm_question ask, void *arg,
                          struct arena *arena, struct err *err);

/* --- vm_snapshot.c: driver.h's snapshot, snapshots and revert --- */

enum rc vm_snapshot_all(struct driver *d, const struct service_spec *spec, struct arena *arena,
                        struct err *err);
enum rc vm_snapshots(struct driver *d, struct str id, struct arena *arena, struct list *ret,
                     struct err *err);
enum rc vm_go_back(struct driver *d, const struct service_spec *spec, struct arena *arena,
                   struct err *err);

/* --- vm_keep.c: driver.h's of the same names --- */

enum rc vm_save(struct driver *d, struct str id, int output, struct arena *arena, struct err *err);
enum rc vm_load(struct driver *d, const struct service_spec *spec, int input, struct arena *arena,
                struct err *err);
enum rc vm_adopt(struct driver *d, const struct service_spec *spec, int64_t number,
                 struct arena *arena, struct err *err);
/* What an agent left of a save when it was killed: guests that it had frozen go on, the instant
 * that libvirt holds is let go (what changes since would be kept for it, without end), its files
 * go. */
void vm_clear_saves(struct vm *v, struct arena *arena);
/* What an agent left of a load that was adopted. */
MUST_CHECK enum rc vm_clear_load(const struct vm *v, struct str id, struct arena *arena,
                                 struct err *err);

/* --- vm_host.c: the daemon --- */

/* A connection to libvirt; its daemon is started where none runs. RC_UNAVAILABLE. */
MUST_CHECK enum rc vm_connect(struct vm *v, struct arena *arena, virConnectPtr *ret,
                              struct err *err);
/* What libvirt said of the call that failed just now. */
enum rc vm_failed(struct err *err, const char *what);
/* The daemons that vm_connect started are ended. */
void vm_end_daemons(struct vm *v, struct arena *arena);
/* Whether a guest's code runs with the processor's help: tried once after each boot of the machine,
 * for two seconds at most; the run folder keeps what was seen. */
bool vm_try_kvm(const struct vm *v, struct arena *arena);

/* --- vm_disk.c: disk and seed --- */

/* A machine has at most so many disks: an image for each. */
enum { VM_DISKS_MAX = LEFT_DISKS_MAX + 1 };
/* The one that it starts from; its others are "disk-1.qcow2" and so on. */
const char *vm_disk(const struct vm *v, struct str id, struct arena *arena);
const char *vm_disk_at(const struct vm *v, struct str id, size_t at, struct arena *arena);
size_t vm_disk_count(const struct left *left);
/* What the disk lies over. */
struct left_disk vm_disk_image(const struct left *left, size_t at);
/* As the guest has it: vda; vdb is the seed; vdc, ... */
const char *vm_disk_name(size_t at, struct arena *arena);
/* What the further disks leave of disk_bytes, which is that of all together. */
int64_t vm_first_bytes(const struct vm *v, const struct left *left, int64_t disk_bytes,
                       struct arena *arena);
/* Its disks are there, over their images, and have their size. The machine does not run. */
MUST_CHECK enum rc vm_make_disk(struct vm *v, const struct service_spec *spec, struct left *left,
                                struct arena *arena, struct err *err);
/* They are that user's now, who QEMU runs as; the image is for its group to read. */
MUST_CHECK enum rc vm_give_files(const struct vm *v, const struct left *left, struct arena *arena,
                                 struct err *err);
MUST_CHECK enum rc vm_make_seed(struct vm *v, const struct service_spec *spec, int64_t slot,
                                struct arena *arena, struct err *err);
/* --- vm_place.c: its process and its guard --- */

/* QEMU's process; 0 where it does not run. */
int64_t vm_process(const struct vm *v, struct str id, struct arena *arena);
/* Whether it is over, after wait_ms at most. */
bool vm_is_over(const struct vm *v, struct str id, int64_t wait_ms, struct arena *arena);
/* It is killed, and over afterwards. */
void vm_end(const struct vm *v, struct str id, struct arena *arena);
/* hanse-init watches over the lease of a machine that runs. */
MUST_CHECK enum rc vm_guard(struct vm *v, struct str id, struct arena *arena, struct err *err);
const char *vm_lease_file(const struct vm *v, struct str id, struct arena *arena);
/* A machine with a lease is made at rest (vm_hold, before it is made) and goes on when its guard
 * stands (vm_let_go): an agent that dies in between leaves nothing that runs without one. The next
 * agent lets it go (vm_let_go_left), where nobody else works on it. */
MUST_CHECK enum rc vm_hold(struct vm *v, struct str id, struct arena *arena, struct err *err);
MUST_CHECK enum rc vm_let_go(struct vm *v, struct str id, struct arena *arena, struct err *err);
MUST_CHECK enum rc vm_let_go_left(struct vm *v, struct str id, struct arena *arena,
                                  struct err *err);
/* Held by who works on a machine's process and disk; close it to let go. */
MUST_CHECK enum rc vm_lock(const struct vm *v, struct str id, struct arena *arena, int *ret,
                           struct err *err);

/* The same, where nobody holds it just now. */
bool vm_lock_now(const struct vm *v, struct str id, struct arena *arena, int *ret);

/* Whom QEMU of a slot runs as. */
uid_t vm_user(const struct vm *v, int64_t slot);

static inline struct vm *vm_of_driver(struct driver *d)
{
    return CONTAINER_OF(d, struct vm, driver);
}

#endif
