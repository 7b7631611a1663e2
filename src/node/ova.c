/* A ustar header by hand, XML by libxml2. */
#include "node/ova.h"

#include "node/library.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

enum { SIZE_AT = 124, SIZE_BYTES = 12, SUM_AT = 148, SUM_BYTES = 8, KIND_AT = 156, OCTAL = 8 };
enum { XML_DEPTH_MAX = 64, NODES_MAX = 100000 };

/* --- the archive --- */

static bool octal(const char *p, size_t n, int64_t *ret)
{
    int64_t value = 0;
    size_t i = 0;
    while (i < n && p[i] == ' ')
        i++;
    size_t first = i;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
        value = value * OCTAL + (p[i] - '0'); /* 12 digits at most: below 2^36 */
    *ret = value;
    return i > first && (i == n || p[i] == ' ' || p[i] == '\0');
}

static bool is_plain_name(struct str name)
{
    bool good = name.n > 0 && name.p[0] != '.' && name.p[0] != '-';
    for (size_t i = 0; good && i < name.n; i++)
        good = name.p[i] > ' ' ? name.p[i] != '/' && name.p[i] != '\\' && name.p[i] != '\x7f'
                               : name.p[i] == ' ';
    return good;
}

enum rc ova_header(const char *block, struct ova_member *ret, struct err *err)
{
    struct ova_member m = {.last = true};
    int64_t sum = 0, wanted = 0;
    for (size_t i = 0; i < OVA_BLOCK; i++) {
        m.last = m.last && block[i] == '\0';
        /* The sum is made with blanks in its own place. */
        sum += i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : (uint8_t)block[i];
    }
    if (m.last) {
        *ret = m;
        return RC_OK;
    }
    if (!octal(block + SUM_AT, SUM_BYTES, &wanted) || sum != wanted ||
        !octal(block + SIZE_AT, SIZE_BYTES, &m.bytes))
        return err_set(err, RC_INVALID, "the archive is broken, or of a kind that no OVA has");
    m.name = str_n(block, strnlen(block, OVA_NAME_MAX));
    m.plain = block[KIND_AT] == '0' || block[KIND_AT] == '\0';
    if (!m.plain || !is_plain_name(m.name))
        return err_set(err, RC_INVALID, "an OVA has plain files only, and no folders or links");
    *ret = m;
    return RC_OK;
}

/* --- the descriptor --- */

static bool is_named(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

/* An attribute whatever its namespace is: producers differ. */
static struct str attribute(xmlNode *node, const char *name, struct arena *arena)
{
    for (xmlAttr *a = node->properties; a != NULL; a = a->next)
        if (strcmp((const char *)a->name, name) == 0 && a->children != NULL &&
            a->children->content != NULL)
            return arena_str(arena, str_c((const char *)a->children->content));
    return STR("");
}

static struct str content(const xmlNode *node, const char *child, struct arena *arena)
{
    for (const xmlNode *c = node->children; c != NULL; c = c->next)
        if (is_named(c, child) && c->children != NULL && c->children->content != NULL)
            return arena_str(arena, str_trim(str_c((const char *)c->children->content)));
    return STR("");
}

/* The next node of the tree in order; NULL at its end. No recursion: the depth is a stranger's. */
static xmlNode *next_node(xmlNode *node)
{
    if (node->children != NULL && node->type == XML_ELEMENT_NODE)
        return node->children;
    while (node != NULL && node->next == NULL)
        node = node->parent;
    return node != NULL ? node->next : NULL;
}

/* Bytes in a unit of DSP0004: "byte * 2^30"; 0 where it is none that is known. */
static int64_t unit_bytes(struct str unit)
{
    struct {
        struct str name;
        int64_t bytes;
    } known[] = {
        {STR(""), 1},
        {STR("byte"), 1},
        {STR("byte * 2^10"), INT64_C(1) << 10},
        {STR("byte * 2^20"), INT64_C(1) << 20},
        {STR("byte * 2^30"), INT64_C(1) << 30},
        {STR("byte * 2^40"), INT64_C(1) << 40},
        {STR("MegaBytes"), INT64_C(1) << 20},
        {STR("GigaBytes"), INT64_C(1) << 30},
    };
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq(known[i].name, unit))
            return known[i].bytes;
    return 0;
}

static int64_t bytes_of(struct str number, struct str unit)
{
    int64_t value = 0, bytes = 0;
    if (!str_to_i64(number, 0, INT64_MAX, &value) ||
        __builtin_mul_overflow(value, unit_bytes(unit), &bytes))
        return 0;
    return bytes;
}

/* A disk of the disk section. */
struct read_disk {
    struct str id;
    struct str reference; /* of its file */
    int64_t bytes;
    size_t place; /* of the item that has it; OVA_MEMBERS_MAX: none */
};

struct reading {
    struct arena *arena;
    struct ova found;
    struct read_disk disks[OVA_DISKS_MAX];
    struct str hosts[OVA_MEMBERS_MAX]; /* ids of the disks that items have, in order */
    size_t host_count;
};

static void take_item(struct reading *r, const xmlNode *item)
{
    enum { PROCESSORS = 3, MEMORY = 4, DISK = 17, CPUS_MAX = 1024 };
    int64_t kind = 0;
    struct str quantity = content(item, "VirtualQuantity", r->arena);
    if (!str_to_i64(content(item, "ResourceType", r->arena), 0, INT32_MAX, &kind))
        return;
    if (kind == PROCESSORS && !str_to_i64(quantity, 1, CPUS_MAX, &r->found.cpus))
        r->found.cpus = 0;
    if (kind == MEMORY)
        r->found.memory_bytes = bytes_of(quantity, content(item, "AllocationUnits", r->arena));
    if (kind != DISK || r->host_count == COUNT(r->hosts))
        return;
    /* "ovf:/disk/ID", or without the scheme in old ones. */
    struct str host = content(item, "HostResource", r->arena);
    size_t at = host.n;
    while (at > 0 && host.p[at - 1] != '/')
        at--;
    r->hosts[r->host_count++] = str_sub(host, at, host.n);
}

static enum rc take_disk(struct reading *r, xmlNode *disk, struct err *err)
{
    if (r->found.count == OVA_DISKS_MAX)
        return err_set(err, RC_INVALID, "the machine has more than %d disks", (int)OVA_DISKS_MAX);
    r->disks[r->found.count++] = (struct read_disk){
        .id = attribute(disk, "diskId", r->arena),
        .reference = attribute(disk, "fileRef", r->arena),
        .bytes = bytes_of(attribute(disk, "capacity", r->arena),
                          attribute(disk, "capacityAllocationUnits", r->arena)),
        .place = OVA_MEMBERS_MAX,
    };
    return RC_OK;
}

/* By the items that have them; what none has keeps its order, behind those. */
static void order_disks(struct reading *r)
{
    for (size_t i = 0; i < r->found.count; i++)
        for (size_t k = r->host_count; k > 0; k--)
            if (r->disks[i].id.n > 0 && str_eq(r->hosts[k - 1], r->disks[i].id))
                r->disks[i].place = k - 1;
    for (size_t i = 1; i < r->found.count; i++)
        for (size_t k = i; k > 0 && r->disks[k].place < r->disks[k - 1].place; k--) {
            struct read_disk later = r->disks[k];
            r->disks[k] = r->disks[k - 1];
            r->disks[k - 1] = later;
        }
}

static struct str file_of(const struct reading *r, xmlNode *root, struct str reference)
{
    for (xmlNode *n = root; n != NULL && reference.n > 0; n = next_node(n))
        if (is_named(n, "File") && str_eq(attribute(n, "id", r->arena), reference))
            return attribute(n, "href", r->arena);
    return STR("");
}

static enum rc name_files(struct reading *r, xmlNode *root, struct err *err)
{
    for (size_t i = 0; i < r->found.count; i++) {
        struct ova_disk *d = &r->found.disks[i];
        d->file = file_of(r, root, r->disks[i].reference);
        d->bytes = r->disks[i].bytes;
        if (!is_plain_name(d->file) || d->file.n > OVA_NAME_MAX)
            return err_set(err, RC_INVALID,
                           "disk %zu of the machine has no file that lies beside the descriptor",
                           i + 1);
        for (size_t k = 0; k < i; k++)
            if (str_eq(r->found.disks[k].file, d->file))
                return err_set(err, RC_INVALID, "two disks of the machine have one file");
    }
    return r->found.count > 0 ? RC_OK : err_set(err, RC_INVALID, "the machine has no disk");
}

static enum rc read_tree(struct reading *r, xmlNode *root, struct err *err)
{
    int count = 0;
    for (xmlNode *n = root; n != NULL; n = next_node(n)) {
        if (++count > NODES_MAX)
            return err_set(err, RC_INVALID, "the descriptor has more than %d parts", NODES_MAX);
        if (is_named(n, "Item"))
            take_item(r, n);
        if (is_named(n, "Disk"))
            TRY(take_disk(r, n, err));
    }
    order_disks(r);
    return name_files(r, root, err);
}

enum rc ova_describe(struct str ovf, struct arena *arena, struct ova *ret, struct err *err)
{
    if (ovf.n > OVA_TEXT_BYTES_MAX)
        return err_set(err, RC_INVALID, "the descriptor is too long");
    TRY(library_want(LIBRARY_LIBXML2, err));
    /* No network, no entities: the text is all there is. */
    xmlDocPtr doc = xmlReadMemory(ovf.p, (int)ovf.n, NULL, NULL,
                                  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (doc == NULL)
        return err_set(err, RC_INVALID, "the descriptor is no XML");
    struct reading r = {.arena = arena};
    xmlNode *root = xmlDocGetRootElement(doc);
    enum rc rc = doc->intSubset != NULL || root == NULL || !is_named(root, "Envelope")
                     ? err_set(err, RC_INVALID, "the descriptor is no OVF")
                     : read_tree(&r, root, err);
    xmlFreeDoc(doc);
    TRY(rc);
    *ret = r.found;
    return RC_OK;
}

/* --- the manifest --- */

enum rc ova_manifest(struct str text, struct str name, struct str *ret_kind, struct str *ret_hash,
                     struct err *err)
{
    while (text.n > 0) {
        struct str line = str_trim(str_cut(&text, '\n'));
        struct str kind = str_trim(str_cut(&line, '('));
        struct str file = str_cut(&line, ')');
        line = str_trim(line);
        if (!str_eq(file, name) || line.n == 0 || line.p[0] != '=')
            continue;
        *ret_kind = kind;
        *ret_hash = str_trim(str_sub(line, 1, line.n));
        return RC_OK;
    }
    return err_set(err, RC_NOT_FOUND, "the manifest has no hash of '%.*s'", STRF(name));
}
