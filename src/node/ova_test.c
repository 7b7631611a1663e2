#include "node/import.h"

#include <check.h>

static struct arena arena;
static struct err err;

static void setup(void)
{
    arena_init(&arena, (size_t)8 * 1024 * 1024);
    err_clear(&err);
}

static void teardown(void)
{
    arena_fini(&arena);
}

#define OVF(disk)                                                                              \
    "<?xml version='1.0'?><Envelope xmlns='http://schemas.dmtf.org/ovf/envelope/1' "           \
    "xmlns:ovf='http://schemas.dmtf.org/ovf/envelope/1' xmlns:rasd='r'><References>"           \
    "<File ovf:id='f1' ovf:href='" disk "'/></References><DiskSection>"                        \
    "<Disk ovf:capacity='24' ovf:capacityAllocationUnits='byte * 2^20' ovf:diskId='d' "        \
    "ovf:fileRef='f1'/></DiskSection><VirtualSystem><VirtualHardwareSection>"                  \
    "<Item><rasd:ResourceType>3</rasd:ResourceType>"                                           \
    "<rasd:VirtualQuantity>2</rasd:VirtualQuantity></Item>"                                    \
    "<Item><rasd:AllocationUnits>MegaBytes</rasd:AllocationUnits>"                             \
    "<rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>512</rasd:VirtualQuantity>" \
    "</Item></VirtualHardwareSection></VirtualSystem></Envelope>"

START_TEST(a_descriptor_names_disk_and_size)
{
    struct ova o;
    ck_assert_int_eq(ova_describe(STR(OVF("disk.vmdk")), &arena, &o, &err), RC_OK);
    ck_assert(str_eq(o.disks[0].file, STR("disk.vmdk")));
    ck_assert_int_eq(o.disks[0].bytes, 24 << 20);
    ck_assert_int_eq(o.cpus, 2);
    ck_assert_int_eq(o.memory_bytes, INT64_C(512) << 20);
    ck_assert_uint_eq(o.count, 1);
}
END_TEST

/* Three disks; the items have them in another order than the section, and say nothing of one. */
static struct str many(const char *third, const char *items)
{
    return arena_fmt(&arena,
                     "<Envelope xmlns:ovf='o' xmlns:rasd='r'><References>"
                     "<File ovf:id='f1' ovf:href='one'/><File ovf:id='f2' ovf:href='two'/>"
                     "<File ovf:id='f3' ovf:href='%s'/></References><DiskSection>"
                     "<Disk ovf:capacity='1' ovf:diskId='d1' ovf:fileRef='f1'/>"
                     "<Disk ovf:capacity='2' ovf:diskId='d2' ovf:fileRef='f2'/>"
                     "<Disk ovf:capacity='3' ovf:diskId='d3' ovf:fileRef='f3'/></DiskSection>"
                     "%s</Envelope>",
                     third, items);
}
#define DISK_ITEM(host)                                             \
    "<Item><rasd:HostResource>" host                                \
    "</rasd:HostResource><rasd:ResourceType>17</rasd:ResourceType>" \
    "</Item>"

START_TEST(disks_come_in_the_order_in_which_the_machine_has_them)
{
    struct ova o;
    struct str items = STR(DISK_ITEM("ovf:/disk/d3") DISK_ITEM("/disk/d1") DISK_ITEM("nothing"));
    ck_assert_int_eq(ova_describe(many("three", items.p), &arena, &o, &err), RC_OK);
    ck_assert_uint_eq(o.count, 3);
    ck_assert(str_eq(o.disks[0].file, STR("three")));
    ck_assert(str_eq(o.disks[1].file, STR("one")));
    ck_assert(str_eq(o.disks[2].file, STR("two")));
    ck_assert_int_eq(o.disks[0].bytes, 3);
    ck_assert_int_eq(ova_describe(many("three", ""), &arena, &o, &err), RC_OK);
    ck_assert(str_eq(o.disks[0].file, STR("one")));
    ck_assert(str_eq(o.disks[2].file, STR("three")));
}
END_TEST

START_TEST(each_disk_has_a_file_of_its_own_and_there_is_a_bound)
{
    struct ova o;
    struct buf text;
    ck_assert_int_eq(ova_describe(many("one", ""), &arena, &o, &err), RC_INVALID);
    err_clear(&err);
    ck_assert_int_eq(ova_describe(many("/etc/passwd", ""), &arena, &o, &err), RC_INVALID);
    err_clear(&err);
    buf_init(&text, &arena, 64 * 1024);
    buf_add(&text, STR("<Envelope><References>"));
    for (int i = 0; i <= OVA_DISKS_MAX; i++)
        buf_fmt(&text, "<File id='f%d' href='disk%d'/>", i, i);
    buf_add(&text, STR("</References>"));
    for (int i = 0; i <= OVA_DISKS_MAX; i++)
        buf_fmt(&text, "<Disk fileRef='f%d'/>", i);
    buf_add(&text, STR("</Envelope>"));
    ck_assert_int_eq(ova_describe(buf_str(&text), &arena, &o, &err), RC_INVALID);
    ck_assert(str_has(err_text(&err), STR("more than 8 disks")));
}
END_TEST

START_TEST(a_descriptor_leads_to_no_other_file)
{
    struct ova o;
    ck_assert_int_eq(ova_describe(STR(OVF("../../etc/shadow")), &arena, &o, &err), RC_INVALID);
    ck_assert_int_eq(ova_describe(STR(OVF("/etc/shadow")), &arena, &o, &err), RC_INVALID);
    ck_assert_int_eq(ova_describe(STR(OVF("")), &arena, &o, &err), RC_INVALID);
    ck_assert_int_eq(ova_describe(STR("<Envelope/>"), &arena, &o, &err), RC_INVALID);
    ck_assert_int_eq(ova_describe(STR("<Other/>"), &arena, &o, &err), RC_INVALID);
    ck_assert_int_eq(ova_describe(STR("no XML"), &arena, &o, &err), RC_INVALID);
    ck_assert_int_eq(
        ova_describe(STR("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><Envelope/>"),
                     &arena, &o, &err),
        RC_INVALID);
}
END_TEST

static void sign(char *block)
{
    unsigned sum = 0;
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < OVA_BLOCK; i++)
        sum += (uint8_t)block[i];
    snprintf(block + 148, 8, "%06o", sum);
}

START_TEST(a_header_is_a_plain_file_or_refused)
{
    char block[OVA_BLOCK] = {0};
    struct ova_member m;
    ck_assert_int_eq(ova_header(block, &m, &err), RC_OK);
    ck_assert(m.last);
    snprintf(block, OVA_BLOCK, "a.ovf");
    snprintf(block + 124, 12, "00000001750");
    block[156] = '0';
    sign(block);
    ck_assert_int_eq(ova_header(block, &m, &err), RC_OK);
    ck_assert(str_eq(m.name, STR("a.ovf")));
    ck_assert_int_eq(m.bytes, 1000);
    block[0] = 'b';
    ck_assert_int_eq(ova_header(block, &m, &err), RC_INVALID); /* the sum */
    snprintf(block, OVA_BLOCK, "../a");
    sign(block);
    ck_assert_int_eq(ova_header(block, &m, &err), RC_INVALID);
    snprintf(block, OVA_BLOCK, "a");
    block[156] = '2'; /* a link */
    sign(block);
    ck_assert_int_eq(ova_header(block, &m, &err), RC_INVALID);
}
END_TEST

START_TEST(a_manifest_has_hashes_by_name)
{
    struct str kind, hash;
    struct str text = STR("SHA256(a.ovf)= 00ff\r\nSHA1 (d.vmdk) = 12\n");
    ck_assert_int_eq(ova_manifest(text, STR("a.ovf"), &kind, &hash, &err), RC_OK);
    ck_assert(str_eq(kind, STR("SHA256")) && str_eq(hash, STR("00ff")));
    ck_assert_int_eq(ova_manifest(text, STR("d.vmdk"), &kind, &hash, &err), RC_OK);
    ck_assert(str_eq(kind, STR("SHA1")) && str_eq(hash, STR("12")));
    ck_assert_int_eq(ova_manifest(text, STR("other"), &kind, &hash, &err), RC_NOT_FOUND);
}
END_TEST

START_TEST(a_format_is_told_by_its_first_bytes)
{
    static const char vdi[] = {'\x7f', '\x10', '\xda', '\xbe'};
    static const char tar[] = {'u', 's', 't', 'a', 'r'};
    char head[512] = {0};
    ck_assert(str_eq(import_format(STR("QFI\xfb and more")), STR("qcow2")));
    ck_assert(str_eq(import_format(STR("KDMV")), STR("vmdk")));
    ck_assert(str_eq(import_format(STR("vhdxfile")), STR("vhdx")));
    ck_assert(str_eq(import_format(str_n(head, sizeof head)), STR("raw")));
    memcpy(head + 64, vdi, sizeof vdi);
    ck_assert(str_eq(import_format(str_n(head, sizeof head)), STR("vdi")));
    memset(head, 0, sizeof head);
    memcpy(head + 257, tar, sizeof tar);
    ck_assert(str_eq(import_format(str_n(head, sizeof head)), STR("ova")));
    ck_assert(str_eq(import_format(STR("")), STR("raw")));
}
END_TEST

Suite *ova_suite(void);
Suite *ova_suite(void)
{
    Suite *s = suite_create("ova");
    TCase *c = tcase_create("ova");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, a_descriptor_names_disk_and_size);
    tcase_add_test(c, disks_come_in_the_order_in_which_the_machine_has_them);
    tcase_add_test(c, each_disk_has_a_file_of_its_own_and_there_is_a_bound);
    tcase_add_test(c, a_descriptor_leads_to_no_other_file);
    tcase_add_test(c, a_header_is_a_plain_file_or_refused);
    tcase_add_test(c, a_manifest_has_hashes_by_name);
    tcase_add_test(c, a_format_is_told_by_its_first_bytes);
    suite_add_tcase(s, c);
    return s;
}
