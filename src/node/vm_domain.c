#include "node/vm_domain.h"

enum { MILLI = 1000, QUOTA_PERIOD_US = 100000, TB_CACHE_MIB = 64 };

/* Text in an element or an attribute. */
static struct str quoted(const char *text, struct arena *arena)
{
    enum { ENTITY_MAX = 6 };
    struct buf out;
    buf_init(&out, arena, ENTITY_MAX * strlen(text) + 1);
    for (const char *c = text; *c != '\0'; c++)
        if (*c == '<' || *c == '>' || *c == '&' || *c == '\'' || *c == '"')
            buf_fmt(&out, "&#%d;", *c);
        else
            buf_add_char(&out, *c);
    return buf_str(&out);
}

int64_t vm_domain_cpus(int64_t cpu_milli)
{
    return max_i64((cpu_milli + MILLI - 1) / MILLI, 1); /* up: a part of one is one, held back */
}

struct str vm_domain_mac(int64_t slot, struct arena *arena)
{
    /* 52:54:00 is what QEMU's field uses for machines. */
    return arena_fmt(arena, "52:54:00:00:%02x:%02x", (unsigned)slot >> 8, (unsigned)slot & 255);
}

static void add_head(const struct vm_domain *d, struct buf *out)
{
    int64_t cpus = vm_domain_cpus(d->cpu_milli);
    buf_fmt(out,
            "<domain type='%s'>\n<name>%.*s</name>\n<memory unit='b'>%lld</memory>\n"
            "<vcpu>%lld</vcpu>\n",
            d->kvm ? "kvm" : "qemu", STRF(d->id), (long long)d->memory_bytes, (long long)cpus);
    /* Rounded down: never more than was bought. */
    if (d->cpu_milli > 0 && d->cpu_milli < cpus * MILLI)
        buf_fmt(out, "<cputune><period>%d</period><quota>%lld</quota></cputune>\n", QUOTA_PERIOD_US,
                (long long)(d->cpu_milli * (QUOTA_PERIOD_US / MILLI) / cpus));
    buf_add(out, STR("<os><type arch='x86_64' machine='q35'>hvm</type><boot dev='hd'/></os>\n"
                     "<features><acpi/>"));
    /* Else the emulator keeps as much of translated code as the machine has memory. */
    if (!d->kvm)
        buf_fmt(out, "<tcg><tb-cache unit='MiB'>%d</tb-cache></tcg>", TB_CACHE_MIB);
    buf_fmt(out,
            "</features>\n%s<clock offset='utc'/>\n<on_poweroff>destroy</on_poweroff>\n"
            "<on_reboot>restart</on_reboot>\n<on_crash>destroy</on_crash>\n",
            d->kvm ? "<cpu mode='host-passthrough'/>\n" : "");
    buf_fmt(out,
            "<seclabel type='static' model='dac' relabel='yes'><label>+%u:+%u</label></seclabel>\n",
            (unsigned)d->user, (unsigned)d->group);
}

static void add_source(const char *file, struct buf *out, struct arena *arena)
{
    /* Files have the owners that the agent gave them: QEMU reads the image and never writes it. */
    buf_fmt(out, "<source file='%.*s'><seclabel model='dac' relabel='no'/></source>",
            STRF(quoted(file, arena)));
}

static void add_disk(const struct vm_domain_disk *d, struct buf *out, struct arena *arena)
{
    buf_add(out, STR("<disk type='file' device='disk'>"
                     "<driver name='qemu' type='qcow2' discard='unmap'/>"));
    add_source(d->disk, out, arena);
    /* The chain is spelled out and closed: no header of an image leads QEMU to another file. */
    buf_fmt(out, "<backingStore type='file'><format type='%.*s'/>", STRF(d->base_format));
    add_source(d->base, out, arena);
    buf_fmt(out, "<backingStore/></backingStore><target dev='%s' bus='virtio'/></disk>\n", d->name);
}

static void add_disks(const struct vm_domain *d, struct buf *out, struct arena *arena)
{
    for (size_t i = 0; i < d->disk_count; i++)
        add_disk(&d->disks[i], out, arena);
    buf_add(out, STR("<disk type='file' device='disk'><driver name='qemu' type='raw'/>"));
    add_source(d->seed, out, arena);
    buf_add(out, STR("<target dev='vdb' bus='virtio'/><readonly/></disk>\n"));
}

struct str vm_domain_xml(const struct vm_domain *d, struct arena *arena)
{
    struct buf out;
    buf_init(&out, arena, VM_DOMAIN_BYTES_MAX);
    add_head(d, &out);
    buf_add(&out, STR("<devices>\n<emulator>/usr/bin/qemu-system-x86_64</emulator>\n"));
    add_disks(d, &out, arena);
    buf_fmt(&out,
            "<interface type='ethernet'><target dev='%s' managed='no'/><model type='virtio'/>"
            "<mac address='%.*s'/></interface>\n",
            d->tap, STRF(vm_domain_mac(d->slot, arena)));
    buf_fmt(&out,
            "<serial type='file'><source path='%.*s' append='on'/><target port='0'/></serial>\n"
            "<channel type='unix'><source mode='bind' path='%.*s'/>"
            "<target type='virtio' name='org.qemu.guest_agent.0'/></channel>\n"
            "<graphics type='vnc' socket='%.*s'/>\n<video><model type='vga'/></video>\n",
            STRF(quoted(d->console, arena)), STRF(quoted(d->agent, arena)),
            STRF(quoted(d->screen, arena)));
    buf_add(&out, STR("<memballoon model='virtio'><stats period='5'/></memballoon>\n"
                      "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>\n"
                      "</devices>\n</domain>\n"));
    ASSERT(!out.full);
    return buf_str(&out);
}

struct str vm_seed_network(int64_t slot, struct str address, int prefix, struct str gateway,
                           const struct list *resolvers, struct arena *arena)
{
    struct buf out;
    buf_init(&out, arena, VM_DOMAIN_BYTES_MAX);
    buf_fmt(&out,
            "version: 1\nconfig:\n- type: physical\n  name: eth0\n  mac_address: \"%.*s\"\n"
            "  subnets:\n  - type: static\n    address: %.*s/%d\n    gateway: %.*s\n",
            STRF(vm_domain_mac(slot, arena)), STRF(address), prefix, STRF(gateway));
    const struct str *items = resolvers->items;
    if (resolvers->count > 0)
        buf_add(&out, STR("- type: nameserver\n  address:\n"));
    for (size_t i = 0; i < resolvers->count; i++)
        buf_fmt(&out, "  - %.*s\n", STRF(items[i]));
    return buf_str(&out);
}

struct str vm_seed_vendor(void)
{
    return STR("#cloud-config\nupdates:\n  network:\n    when: [boot-new-instance, boot]\n");
}

struct str vm_seed_meta(struct str id, struct arena *arena)
{
    return arena_fmt(arena, "instance-id: %.*s\n", STRF(id));
}
