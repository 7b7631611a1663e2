#include "node/network.h"

#include <check.h>

static struct arena arena;
static struct err err;
static struct network network;

static void setup(void)
{
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    err_clear(&err);
    ck_assert_int_eq(network_init(&network, STR("hanse0"), STR("10.88.0.0"), &arena, &err), RC_OK);
}

static void teardown(void)
{
    arena_fini(&arena);
}

START_TEST(all_follows_from_the_slot)
{
    ck_assert(str_eq(network_gateway(&network, &arena), STR("10.88.0.1")));
    ck_assert(str_eq(network_address(&network, 0, &arena), STR("10.88.0.2")));
    ck_assert(str_eq(network_address(&network, 999, &arena), STR("10.88.3.233")));
    ck_assert(str_eq(network_namespace(&network, 999, &arena), STR("/run/netns/hanse0-999")));
    /* Ports of the highest slot are still below those that the kernel gives out by itself. */
    ck_assert_int_lt(network_port(SPEC_SERVICES_MAX - 1, SPEC_PORTS_MAX - 1), 32768);
    ck_assert_int_eq(network_port(1, 0), network_port(0, SPEC_PORTS_MAX - 1) + 1);
}
END_TEST

START_TEST(only_what_is_published_is_in_the_rules)
{
    struct spec_port ports[] = {
        {.name = STR("web"), .port = 80, .published = true},
        {.name = STR("inner"), .port = 5432},
        {.name = STR("dns"), .port = 53, .published = true, .protocol = STR("udp")},
    };
    struct network_service one = {.slot = 3, .ports = {.items = ports, .count = COUNT(ports)}};
    struct str rules = network_ruleset(&network, &one, 1, &arena);
    ck_assert(str_has(rules, STR("16548 : 10.88.0.5 . 80")));
    ck_assert(str_has(rules, STR("16550 : 10.88.0.5 . 53")));
    ck_assert(!str_has(rules, STR("5432")));
    ck_assert(str_has(rules, STR("169.254.0.0/16")));
    ck_assert(
        !str_has(rules, STR("set alone { type ipv4_addr; flags interval; auto-merge;\n    e")));
}
END_TEST

START_TEST(who_is_alone_is_in_the_rules_by_its_address)
{
    struct network_service two[] = {{.slot = 3}, {.slot = 4, .alone = true}};
    struct str rules = network_ruleset(&network, two, COUNT(two), &arena);
    ck_assert(str_has(rules, STR("set alone { type ipv4_addr; flags interval; auto-merge;\n"
                                 "    elements = { 10.88.0.6 }\n")));
    ck_assert(str_has(rules, STR("ip saddr @alone drop\n    ip daddr @alone drop\n")));
}
END_TEST

START_TEST(what_is_no_name_or_network_is_refused)
{
    struct network n;
    ck_assert_int_eq(network_init(&n, STR("a b"), STR("10.88.0.0"), &arena, &err), RC_INVALID);
    ck_assert_int_eq(network_init(&n, STR("longerthan"), STR("10.88.0.0"), &arena, &err),
                     RC_INVALID);
    ck_assert_int_eq(network_init(&n, STR("hanse0"), STR("10.88.1.0"), &arena, &err), RC_INVALID);
    ck_assert_int_eq(network_init(&n, STR("hanse0"), STR("ten"), &arena, &err), RC_INVALID);
}
END_TEST

Suite *network_suite(void);
Suite *network_suite(void)
{
    Suite *s = suite_create("network");
    TCase *c = tcase_create("network");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, all_follows_from_the_slot);
    tcase_add_test(c, only_what_is_published_is_in_the_rules);
    tcase_add_test(c, who_is_alone_is_in_the_rules_by_its_address);
    tcase_add_test(c, what_is_no_name_or_network_is_refused);
    suite_add_tcase(s, c);
    return s;
}
