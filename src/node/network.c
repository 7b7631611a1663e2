/* Programs behind network.h. */
#include "node/network.h"

#include "node/file.h"
#include "node/run.h"

#include <arpa/inet.h>
#include <linux/magic.h>
#include <sys/vfs.h>

enum { RULES_BYTES_MAX = 4 * 1024 * 1024, RESOLV_BYTES_MAX = 64 * 1024, BURST_BYTES_MIN = 32768 };

static const char slow_suffix[] = "s"; /* NETWORK_NAME_MAX has room for it */

/* Never reached by a service, but where the settings open it: private, shared, link-local (clouds
 * keep their metadata there), loopback, multicast and reserved. RFC 6890. */
static const char closed[] = "0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, "
                             "172.16.0.0/12, 192.0.0.0/24, 192.168.0.0/16, 198.18.0.0/15, "
                             "224.0.0.0/3";

static struct str address_text(uint32_t address, struct arena *arena)
{
    return arena_fmt(arena, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
                     address & 255);
}

/* Each address has a hardware address of its own, and keeps it: otherwise node and services would
 * for most of a minute send to one that went with a restart, and the bridge would take another one
 * with each cable that comes or goes. */
static struct str hardware_text(uint32_t address, struct arena *arena)
{
    return arena_fmt(arena, "02:00:%02x:%02x:%02x:%02x", address >> 24, address >> 16 & 255,
                     address >> 8 & 255, address & 255);
}

static bool address_parse(struct str text, struct arena *arena, uint32_t *ret)
{
    struct in_addr a;
    if (text.n == 0 || inet_pton(AF_INET, arena_cstr(arena, text), &a) != 1)
        return false;
    *ret = ntohl(a.s_addr);
    return true;
}

/* The machine's own resolvers, but those on its loopback: nobody else reaches them. */
static struct list read_resolvers(struct arena *arena)
{
    struct err ignored;
    struct str text = STR("");
    struct list found = {.items = NEW_N(arena, struct str, NETWORK_RESOLVERS_MAX)};
    err_clear(&ignored);
    if (file_read("/etc/resolv.conf", RESOLV_BYTES_MAX, arena, &text, &ignored) != RC_OK)
        return found;
    while (text.n > 0 && found.count < NETWORK_RESOLVERS_MAX) {
        struct str line = str_cut(&text, '\n');
        uint32_t address;
        if (!str_eq(str_cut(&line, ' '), STR("nameserver")))
            continue;
        if (address_parse(str_trim(line), arena, &address) && address >> 24 != 127)
            ((struct str *)found.items)[found.count++] = address_text(address, arena);
    }
    return found;
}

enum rc network_init(struct network *n, struct str bridge, struct str base, struct arena *arena,
                     struct err *err)
{
    *n = (struct network){0};
    if (bridge.n == 0 || bridge.n >= sizeof n->bridge)
        return err_set(err, RC_INVALID, "the bridge's name has 1 to %zu characters",
                       sizeof n->bridge - 1);
    for (size_t i = 0; i < bridge.n; i++)
        if (!(bridge.p[i] >= 'a' && bridge.p[i] <= 'z') &&
            !(bridge.p[i] >= '0' && bridge.p[i] <= '9'))
            return err_set(err, RC_INVALID, "the bridge's name has small letters and digits");
    memcpy(n->bridge, bridge.p, bridge.n);
    if (!address_parse(base, arena, &n->base) || (n->base & 0xffff) != 0)
        return err_set(err, RC_INVALID, "the network '%.*s' is not the first address of a /%d",
                       STRF(base), NETWORK_PREFIX);
    n->resolvers = read_resolvers(arena);
    return RC_OK;
}

/* --- what follows from the slot --- */

struct str network_address(const struct network *n, int64_t slot, struct arena *arena)
{
    ASSERT(slot >= 0 && slot < SPEC_SERVICES_MAX);
    return address_text(n->base + 2 + (uint32_t)slot, arena);
}

struct str network_gateway(const struct network *n, struct arena *arena)
{
    return address_text(n->base + 1, arena);
}

const char *network_tap(const struct network *n, int64_t slot, struct arena *arena)
{
    return arena_fmt(arena, "%s-%d", n->bridge, (int)slot).p;
}

struct str network_namespace(const struct network *n, int64_t slot, struct arena *arena)
{
    return arena_fmt(arena, "/run/netns/%s", network_tap(n, slot, arena));
}

int64_t network_port(int64_t slot, size_t index)
{
    ASSERT(slot >= 0 && slot < SPEC_SERVICES_MAX && index < SPEC_PORTS_MAX);
    return NETWORK_PORT_FIRST + slot * SPEC_PORTS_MAX + (int64_t)index;
}

struct str network_resolv(const struct network *n, struct arena *arena)
{
    struct buf text;
    buf_init(&text, arena, RESOLV_BYTES_MAX);
    const struct str *items = n->resolvers.items;
    for (size_t i = 0; i < n->resolvers.count; i++)
        buf_fmt(&text, "nameserver %.*s\n", STRF(items[i]));
    return buf_str(&text);
}

bool network_counters(const struct network *n, int64_t slot, int64_t *ret_received,
                      int64_t *ret_sent)
{
    static const char form[] = "/sys/class/net/%s-%d/statistics/%s_bytes";
    char path[128];
    /* The node's end of the cable: what it received, the service sent. */
    snprintf(path, sizeof path, form, n->bridge, (int)slot, "tx");
    int64_t received = file_number(path, -1);
    snprintf(path, sizeof path, form, n->bridge, (int)slot, "rx");
    int64_t sent = file_number(path, -1);
    if (received < 0 || sent < 0)
        return false;
    *ret_received = received;
    *ret_sent = sent;
    return true;
}

/* --- rules --- */

static bool is_udp(const struct spec_port *p)
{
    return str_eq(p->protocol, STR("udp"));
}

static void add_ports(const struct network *n, const struct network_service *services, size_t count,
                      bool udp, struct buf *out, struct arena *arena)
{
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        const struct spec_port *ports = services[i].ports.items;
        struct str address = network_address(n, services[i].slot, arena);
        for (size_t k = 0; k < services[i].ports.count; k++) {
            if (!ports[k].published || is_udp(&ports[k]) != udp)
                continue;
            buf_fmt(out, "%s%lld : %.*s . %lld", first ? " elements = { " : ", ",
                    (long long)network_port(services[i].slot, k), STRF(address),
                    (long long)ports[k].port);
            first = false;
        }
    }
    if (!first)
        buf_add(out, STR(" }"));
}

static void add_set(const char *name, struct str elements, struct buf *out)
{
    buf_fmt(out, "  set %s { type ipv4_addr; flags interval; auto-merge;\n", name);
    if (elements.n > 0)
        buf_fmt(out, "    elements = { %.*s }\n", STRF(elements));
    buf_add(out, STR("  }\n"));
}

static struct str joined(const struct list *words, struct arena *arena)
{
    struct buf text;
    buf_init(&text, arena, RESOLV_BYTES_MAX);
    const struct str *items = words->items;
    for (size_t i = 0; i < words->count; i++)
        buf_fmt(&text, "%s%.*s", i > 0 ? ", " : "", STRF(items[i]));
    return buf_str(&text);
}

static struct str alone_of(const struct network *n, const struct network_service *services,
                           size_t count, struct arena *arena)
{
    struct buf text;
    buf_init(&text, arena, RULES_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        if (services[i].alone)
            buf_fmt(&text, "%s%.*s", text.n > 0 ? ", " : "",
                    STRF(network_address(n, services[i].slot, arena)));
    return buf_str(&text);
}

/* %1: the bridge, %2: its network. */
static void add_chains(const char *br, const char *net, struct buf *out)
{
    /* With route_localnet a neighbour could speak to the node's loopback: nobody may. */
    buf_fmt(out,
            "  chain early { type filter hook prerouting priority -300;\n"
            "    iifname \"%s\" ip daddr 127.0.0.0/8 drop\n"
            "    iifname \"%s\" ip saddr != %s drop\n  }\n",
            br, br, net);
    for (int own = 0; own < 2; own++)
        buf_fmt(out,
                "  chain %s { type nat hook %s priority -100;\n"
                "    fib daddr type local dnat ip addr . port to tcp dport map @tcp_ports\n"
                "    fib daddr type local dnat ip addr . port to udp dport map @udp_ports\n  }\n",
                own ? "published_own" : "published", own ? "output" : "prerouting");
    buf_fmt(out,
            "  chain leaving { type nat hook postrouting priority 100;\n"
            "    ip saddr %s oifname != \"%s\" masquerade\n"
            "    ip saddr %s oifname \"%s\" ct status dnat masquerade\n"
            "    ip saddr 127.0.0.0/8 oifname \"%s\" masquerade\n  }\n",
            net, br, net, br, br);
    buf_fmt(out,
            "  chain passing { type filter hook forward priority 0;\n"
            "    iifname != \"%s\" oifname != \"%s\" accept\n"
            "    ip saddr @alone drop\n"
            "    ip daddr @alone drop\n"
            "    ct state established,related accept\n"
            "    ct status dnat accept\n"
            "    oifname \"%s\" drop\n"
            "    ip daddr @resolvers meta l4proto { tcp, udp } th dport 53 accept\n"
            "    ip daddr @open accept\n"
            "    ip daddr @closed drop\n"
            "    meta nfproto ipv6 drop\n  }\n",
            br, br, br);
    buf_fmt(out,
            "  chain arriving { type filter hook input priority 0;\n"
            "    iifname != \"%s\" accept\n"
            "    ct state established,related accept\n"
            "    icmp type echo-request accept\n"
            "    drop\n  }\n",
            br);
}

/* From port to port goes nothing but IPv4, and of that (chain "passing") what is published. A
 * machine has its cable in its own hands: it speaks under its own address, or not at all. */
static void add_frames(const struct network *n, const struct network_service *services,
                       size_t count, struct buf *out, struct arena *arena)
{
    const char *br = n->bridge;
    buf_fmt(out,
            "table bridge %s\ndelete table bridge %s\ntable bridge %s {\n"
            "  set own { type ifname . ipv4_addr;\n",
            br, br, br);
    for (size_t i = 0; i < count; i++)
        buf_fmt(out, "%s\"%s\" . %.*s", i == 0 ? "    elements = { " : ", ",
                network_tap(n, services[i].slot, arena),
                STRF(network_address(n, services[i].slot, arena)));
    buf_fmt(out,
            "%s  }\n"
            "  chain sources { type filter hook prerouting priority -300;\n"
            "    iifname \"%s-*\" ether type ip iifname . ip saddr != @own drop\n"
            "    iifname \"%s-*\" ether type arp arp saddr ip != 0.0.0.0 "
            "iifname . arp saddr ip != @own drop\n  }\n"
            "  chain frames { type filter hook forward priority 0;\n"
            "    iifname \"%s-*\" ether type != ip drop\n  }\n}\n",
            count > 0 ? " }\n" : "", br, br, br);
}

struct str network_ruleset(const struct network *n, const struct network_service *services,
                           size_t count, struct arena *arena)
{
    struct buf out;
    buf_init(&out, arena, RULES_BYTES_MAX);
    struct str net =
        arena_fmt(arena, "%.*s/%d", STRF(address_text(n->base, arena)), NETWORK_PREFIX);
    /* Declared first, so that it can be deleted: all of it changes in one transaction. */
    buf_fmt(&out, "table inet %s\ndelete table inet %s\ntable inet %s {\n", n->bridge, n->bridge,
            n->bridge);
    for (int udp = 0; udp < 2; udp++) {
        buf_fmt(&out, "  map %s_ports { type inet_service : ipv4_addr . inet_service;\n   ",
                udp ? "udp" : "tcp");
        add_ports(n, services, count, udp, &out, arena);
        buf_add(&out, STR("\n  }\n"));
    }
    add_set("resolvers", joined(&n->resolvers, arena), &out);
    add_set("open", joined(&n->open, arena), &out);
    add_set("closed", str_c(closed), &out);
    add_set("alone", alone_of(n, services, count, arena), &out);
    add_chains(n->bridge, net.p, &out);
    buf_add(&out, STR("}\n"));
    add_frames(n, services, count, &out, arena);
    ASSERT(!out.full);
    return buf_str(&out);
}

/* --- doing it --- */

static bool link_exists(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/sys/class/net/%s", name);
    return file_exists(path);
}

static enum rc ip_batch(struct str lines, struct arena *arena, struct err *err)
{
    return run_ok(
        &(struct run){.argv = (const char *const[]){"ip", "-batch", "-", NULL}, .input = lines},
        arena, err);
}

static enum rc make_bridge(const struct network *n, struct arena *arena, struct err *err)
{
    if (!link_exists(n->bridge))
        TRY(run_tool(arena, err, "ip", "link", "add", n->bridge, "type", "bridge"));
    TRY(ip_batch(arena_fmt(arena,
                           "link set dev %s address %.*s\naddr replace %.*s/%d dev %s\n"
                           "link set %s up\n",
                           n->bridge, STRF(hardware_text(n->base + 1, arena)),
                           STRF(network_gateway(n, arena)), NETWORK_PREFIX, n->bridge, n->bridge),
                 arena, err));
    TRY(file_put("/proc/sys/net/ipv4/ip_forward", STR("1"), err));
    /* Published ports answer at 127.0.0.1, too. */
    return file_put(arena_fmt(arena, "/proc/sys/net/ipv4/conf/%s/route_localnet", n->bridge).p,
                    STR("1"), err);
}

enum rc network_rules(const struct network *n, const struct network_service *services, size_t count,
                      struct arena *arena, struct err *err)
{
    TRY(make_bridge(n, arena, err));
    return run_ok(&(struct run){.argv = (const char *const[]){"nft", "-f", "-", NULL},
                                .input = network_ruleset(n, services, count, arena)},
                  arena, err);
}

bool network_is_there(const struct network *n)
{
    return link_exists(n->bridge);
}

enum rc network_clear(const struct network *n, struct arena *arena, struct err *err)
{
    const char *br = n->bridge;
    struct str rules = arena_fmt(arena,
                                 "table inet %s\ndelete table inet %s\n"
                                 "table bridge %s\ndelete table bridge %s\n",
                                 br, br, br, br);
    TRY(run_ok(&(struct run){.argv = (const char *const[]){"nft", "-f", "-", NULL}, .input = rules},
               arena, err));
    return link_exists(n->bridge) ? run_tool(arena, err, "ip", "link", "del", n->bridge) : RC_OK;
}

static enum rc shape(const char *space, const char *device, int64_t bit_s, struct arena *arena,
                     struct err *err)
{
    const char *argv[20] = {"tc"};
    size_t n = 1;
    if (space != NULL) {
        argv[n++] = "-n";
        argv[n++] = space;
    }
    const char *rate = arena_fmt(arena, "%lldbit", (long long)bit_s).p;
    /* A burst of 20 ms, or the kernel's timer cannot keep the rate. */
    const char *burst =
        arena_fmt(arena, "%lld", (long long)max_i64(bit_s / 8 / 50, BURST_BYTES_MIN)).p;
    const char *const words[] = {"qdisc", "replace", "dev",   device, "root",    "tbf",
                                 "rate",  rate,      "burst", burst,  "latency", "100ms"};
    const char *const without[] = {"qdisc", "del", "dev", device, "root"};
    size_t count = bit_s > 0 ? COUNT(words) : COUNT(without);
    for (size_t i = 0; i < count; i++)
        argv[n++] = bit_s > 0 ? words[i] : without[i];
    int status;
    struct str said;
    if (bit_s > 0)
        return run_ok(&(struct run){.argv = argv}, arena, err);
    /* Taking away what is not there is refused, and is as it should be. */
    return run_program(&(struct run){.argv = argv}, arena, &status, &said, err);
}

/* The namespace is the node's, so a service has no privilege over it: port 80 is for all there.
 * Its only addresses are ours: no IPv6 of its own making. */
static const char inside[] = "echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start && "
                             "{ [ ! -e /proc/sys/net/ipv6/conf/all/disable_ipv6 ] || "
                             "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; }";

/* Ports are isolated, but where the machine lets frames pass its rules as packets (br_netfilter, as
 * some container tools want it): then what is sent to a published port of the node is bridged to
 * the other service, not routed, and isolation would drop it. There the rules alone keep services
 * apart: they see each frame. */
static bool bridge_sees_rules(void)
{
    return file_number("/proc/sys/net/bridge/bridge-nf-call-iptables", 0) == 1;
}

static bool is_namespace(const char *path)
{
    struct statfs about;
    return statfs(path, &about) == 0 && about.f_type == NSFS_MAGIC;
}

/* ip(8) makes a file, then mounts the namespace over it: who was killed in between, or a machine
 * that was switched off where /run is no tmpfs, left a file that is none. */
static enum rc make_namespace(const struct network *n, int64_t slot, struct arena *arena,
                              struct err *err)
{
    const char *path = network_namespace(n, slot, arena).p;
    const char *name = network_tap(n, slot, arena);
    if (is_namespace(path))
        return RC_OK;
    TRY(file_remove(path, err));
    if (link_exists(name)) /* its other end is in one that nobody reaches */
        TRY(run_tool(arena, err, "ip", "link", "del", name));
    return run_tool(arena, err, "ip", "netns", "add", name);
}

enum rc network_join(const struct network *n, int64_t slot, int64_t network_bit_s,
                     struct arena *arena, struct err *err)
{
    const char *name = network_tap(n, slot, arena);
    struct str gateway = network_gateway(n, arena);
    TRY(make_namespace(n, slot, arena, err));
    if (!link_exists(name))
        TRY(run_tool(arena, err, "ip", "link", "add", name, "type", "veth", "peer", "name", "eth0",
                     "netns", name));
    TRY(ip_batch(arena_fmt(arena,
                           "link set %s master %s up\n"
                           "link set dev %s type bridge_slave isolated %s\n",
                           name, n->bridge, name, bridge_sees_rules() ? "off" : "on"),
                 arena, err));
    struct str lines =
        arena_fmt(arena,
                  "link set dev eth0 address %.*s\n"
                  "addr replace %.*s/32 dev eth0\nlink set lo up\n"
                  "link set eth0 up\nroute replace %.*s dev eth0\n"
                  "route replace default via %.*s dev eth0\n",
                  STRF(hardware_text(n->base + 2 + (uint32_t)slot, arena)),
                  STRF(network_address(n, slot, arena)), STRF(gateway), STRF(gateway));
    TRY(run_ok(&(struct run){.argv = (const char *const[]){"ip", "-n", name, "-batch", "-", NULL},
                             .input = lines},
               arena, err));
    TRY(run_tool(arena, err, "ip", "netns", "exec", name, "sh", "-c", inside));
    TRY(shape(NULL, name, network_bit_s, arena, err));
    return shape(name, "eth0", network_bit_s, arena, err);
}

enum rc network_leave(const struct network *n, int64_t slot, struct arena *arena, struct err *err)
{
    const char *name = network_tap(n, slot, arena);
    if (link_exists(name))
        TRY(run_tool(arena, err, "ip", "link", "del", name));
    const char *path = network_namespace(n, slot, arena).p;
    if (is_namespace(path))
        TRY(run_tool(arena, err, "ip", "netns", "del", name));
    return file_remove(path, err);
}

/* What the guest sends comes in at the tap, where the kernel can only pass on: it is sent through a
 * device of its own, which holds the rate. */
static enum rc shape_guest(const char *tap, int64_t bit_s, struct arena *arena, struct err *err)
{
    const char *slow = arena_fmt(arena, "%s%s", tap, slow_suffix).p;
    TRY(shape(NULL, tap, bit_s, arena, err));
    if (bit_s == 0)
        return link_exists(slow) ? run_tool(arena, err, "ip", "link", "del", slow) : RC_OK;
    if (!link_exists(slow))
        TRY(run_tool(arena, err, "ip", "link", "add", slow, "type", "ifb"));
    TRY(run_tool(arena, err, "ip", "link", "set", slow, "up"));
    TRY(shape(NULL, slow, bit_s, arena, err));
    TRY(run_tool(arena, err, "tc", "qdisc", "replace", "dev", tap, "ingress"));
    return run_tool(arena, err, "tc", "filter", "replace", "dev", tap, "parent",
                    "ffff:", "protocol", "all", "prio", "1", "handle", "800::800", "u32", "match",
                    "u32", "0", "0", "action", "mirred", "egress", "redirect", "dev", slow);
}

enum rc network_plug(const struct network *n, int64_t slot, int64_t network_bit_s,
                     struct arena *arena, struct err *err)
{
    const char *name = network_tap(n, slot, arena);
    if (!link_exists(name))
        TRY(run_tool(arena, err, "ip", "tuntap", "add", "name", name, "mode", "tap"));
    TRY(ip_batch(arena_fmt(arena,
                           "link set %s master %s up\n"
                           "link set dev %s type bridge_slave isolated %s\n",
                           name, n->bridge, name, bridge_sees_rules() ? "off" : "on"),
                 arena, err));
    return shape_guest(name, network_bit_s, arena, err);
}

bool network_is_plugged(const struct network *n, int64_t slot, struct arena *arena)
{
    return link_exists(network_tap(n, slot, arena));
}

enum rc network_unplug(const struct network *n, int64_t slot, struct arena *arena, struct err *err)
{
    const char *name = network_tap(n, slot, arena);
    const char *slow = arena_fmt(arena, "%s%s", name, slow_suffix).p;
    if (link_exists(name))
        TRY(run_tool(arena, err, "ip", "link", "del", name));
    return link_exists(slow) ? run_tool(arena, err, "ip", "link", "del", slow) : RC_OK;
}
