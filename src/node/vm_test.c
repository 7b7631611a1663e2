#include "node/vm_domain.h"

#include <check.h>
#include <libxml/parser.h>

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, (size_t)8 * 1024 * 1024);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static const struct vm_domain_disk disks[] = {
    {"/home/a&b/disk.qcow2", "/home/images/0", STR_INIT("qcow2"), "vda"},
    {"/home/a&b/disk-1.qcow2", "/home/images/1", STR_INIT("raw"), "vdc"},
};

static struct vm_domain example(void)
{
    return (struct vm_domain){
        .id = STR("svc_01jd8v3q7w4k2m9x6c5b1n0h00"),
        .cpu_milli = 1500,
        .memory_bytes = INT64_C(256) * 1024 * 1024,
        .disks = disks,
        .disk_count = 2,
        .seed = "/home/it's/seed.iso",
        .console = "/home/console",
        .screen = "/home/<screen>",
        .agent = "/home/agent",
        .tap = "hanse0-258",
        .slot = 258,
        .user = 16777216,
        .group = 107,
    };
}

START_TEST(a_domain_is_xml_whatever_the_paths_are)
{
    struct vm_domain d = example();
    struct str xml = vm_domain_xml(&d, &arena);
    xmlDocPtr doc = xmlReadMemory(xml.p, (int)xml.n, NULL, NULL, XML_PARSE_NOERROR);
    ck_assert_ptr_nonnull(doc);
    xmlFreeDoc(doc);
    ck_assert(str_has(xml, STR("/home/a&#38;b/disk.qcow2")));
    ck_assert(str_has(xml, STR("disk-1.qcow2")));
    ck_assert(str_has(xml, STR("<format type='raw'/>")));
    ck_assert(str_has(xml, STR("<target dev='vdc' bus='virtio'/>")));
    ck_assert(str_has(xml, STR("<domain type='qemu'>")));
    ck_assert(str_has(xml, STR("52:54:00:00:01:02")));
    ck_assert(str_has(xml, STR("+16777216:+107")));
    /* The chain of files ends where it is said to end. */
    ck_assert(str_has(xml, STR("<backingStore/></backingStore>")));
    d.kvm = true;
    xml = vm_domain_xml(&d, &arena);
    ck_assert(str_has(xml, STR("<domain type='kvm'>")));
    ck_assert(!str_has(xml, STR("<tcg>")));
}
END_TEST

START_TEST(a_part_of_a_processor_is_held_back)
{
    struct vm_domain d = example();
    ck_assert_int_eq(vm_domain_cpus(1), 1);
    ck_assert_int_eq(vm_domain_cpus(1000), 1);
    ck_assert_int_eq(vm_domain_cpus(1001), 2);
    /* One and a half on two: three quarters of each. */
    ck_assert(str_has(vm_domain_xml(&d, &arena), STR("<quota>75000</quota>")));
    d.cpu_milli = 2000;
    ck_assert(!str_has(vm_domain_xml(&d, &arena), STR("<quota>")));
}
END_TEST

START_TEST(a_seed_has_an_address_of_its_own)
{
    struct str resolvers[] = {STR("192.0.2.1"), STR("192.0.2.2")};
    struct list two = {.items = resolvers, .count = 2}, none = {0};
    struct str text = vm_seed_network(7, STR("10.88.0.9"), 16, STR("10.88.0.1"), &two, &arena);
    ck_assert(str_has(text, STR("address: 10.88.0.9/16\n")));
    ck_assert(str_has(text, STR("gateway: 10.88.0.1\n")));
    ck_assert(str_has(text, STR("52:54:00:00:00:07")));
    ck_assert(str_has(text, STR("  - 192.0.2.2\n")));
    text = vm_seed_network(7, STR("10.88.0.9"), 16, STR("10.88.0.1"), &none, &arena);
    ck_assert(!str_has(text, STR("nameserver")));
    ck_assert(str_eq(vm_seed_meta(STR("svc_x"), &arena), STR("instance-id: svc_x\n")));
}
END_TEST

Suite *vm_suite(void);
Suite *vm_suite(void)
{
    Suite *s = suite_create("vm");
    TCase *c = tcase_create("vm");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, a_domain_is_xml_whatever_the_paths_are);
    tcase_add_test(c, a_part_of_a_processor_is_held_back);
    tcase_add_test(c, a_seed_has_an_address_of_its_own);
    suite_add_tcase(s, c);
    return s;
}
