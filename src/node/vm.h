/*
 * vm.h - the driver of machines: QEMU through libvirt.
 *
 * It stands on the driver of containers, with which it shares slots, network, images and folders. A
 * machine has a disk of its own over its image (qcow2), a NoCloud seed, a tap at the bridge, and
 * one libvirt domain that ends with its process, so that libvirt knows nothing that the folder does
 * not. An emulated machine runs as a user of its slot, who owns its disk and nothing else; one with
 * the processor's help as libvirt's user, since only that one may reach both /dev/kvm and libvirt.
 *
 * Where libvirt's daemon runs, it is used; where none does, one is started on a socket of the
 * agent's own, and ended with the last machine.
 */
#ifndef NODE_VM_H
#define NODE_VM_H

#include "node/container.h"

struct vm {
    struct driver driver;
    struct container *c;
    bool kvm;    /* the processor's help was seen to work; else it is emulated */
    uid_t user;  /* of libvirt */
    gid_t group; /* that QEMU runs in: it may read images */
    gid_t kvm_group;
};

/* RC_UNSUPPORTED says in words what the machine lacks. c lives as long as v. */
MUST_CHECK enum rc vm_init(struct vm *v, struct container *c, struct arena *arena, struct err *err);
/* "vm:kvm" or "vm:qemu": what a node tells of it. */
struct str vm_feature(const struct vm *v);

/* Where the serial console is kept. */
const char *vm_console(const struct vm *v, struct str id, struct arena *arena);

enum { VM_SNAPSHOT_NAME_MAX = 40 };
/* Keep disk (and memory, where it runs) under a name: small letters, digits, '-'.
 * RC_CONFLICT: there is one of that name. RC_NOT_FOUND: it has no disk. */
MUST_CHECK enum rc vm_snapshot(struct vm *v, struct str id, struct str name, struct arena *arena,
                               struct err *err);
/* The disk as it was then. A machine that runs is ended first; the agent starts it again.
 * RC_NOT_FOUND: no such machine or snapshot. */
MUST_CHECK enum rc vm_revert(struct vm *v, struct str id, struct str name, struct arena *arena,
                             struct err *err);

#endif
