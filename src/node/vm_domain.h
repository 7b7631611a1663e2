/*
 * vm_domain.h - what libvirt and the guest are told of a machine, as text. Pure.
 */
#ifndef NODE_VM_DOMAIN_H
#define NODE_VM_DOMAIN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/schema.h"

#include <sys/types.h>

enum { VM_DOMAIN_BYTES_MAX = 64 * 1024, VM_MAC_MAX = 18 };

struct vm_domain_disk {
    const char *disk; /* qcow2, over */
    const char *base;
    struct str base_format; /* "qcow2", "raw" */
    const char *name;       /* "vda" */
};

struct vm_domain {
    struct str id; /* also its name at libvirt */
    bool kvm;
    int64_t cpu_milli;
    int64_t memory_bytes;
    const struct vm_domain_disk *disks; /* it starts from the first */
    size_t disk_count;
    const char *seed;
    const char *console; /* file */
    const char *screen;  /* socket of VNC */
    const char *agent;   /* socket of the guest agent */
    const char *tap;
    int64_t slot;
    uid_t user; /* that QEMU runs as */
    gid_t group;
};

/* A domain for virDomainCreateXML. */
struct str vm_domain_xml(const struct vm_domain *d, struct arena *arena);
/* Whole processors for thousandths of one. */
int64_t vm_domain_cpus(int64_t cpu_milli);
/* "52:54:00:00:00:07": of the slot, as its address is. */
struct str vm_domain_mac(int64_t slot, struct arena *arena);

/* cloud-init's network-config (version 1): static, as nobody answers DHCP. */
struct str vm_seed_network(int64_t slot, struct str address, int prefix, struct str gateway,
                           const struct list *resolvers, struct arena *arena);
/* vendor-data: the network is set at each boot, as a machine that moved has another address. */
struct str vm_seed_vendor(void);
struct str vm_seed_meta(struct str id, struct arena *arena);

#endif
