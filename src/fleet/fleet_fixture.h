/*
 * fleet_fixture.h - a site, nodes and a plan that sells a service, in a line each. Only for tests:
 * everything here asserts.
 */
#ifndef FLEET_FLEET_FIXTURE_H
#define FLEET_FLEET_FIXTURE_H

#include "catalog/catalog_fixture.h"
#include "fleet/service.h"
#include "fleet/site.h"

#define FLEET_GIB (INT64_C(1) << 30)

/* A container with a port, a secret and a parameter, 64 MiB and up. */
#define FLEET_PROFILE                                                                          \
    "name: web\nversion: \"1\"\ntitle: Web\nauthor: me\nruntime: container\n"                  \
    "image: {packages: [nginx-light]}\n"                                                       \
    "parameters:\n"                                                                            \
    "  - {name: memory, title: M, type: integer, minimum: 64, maximum: 8192, default: 64}\n"   \
    "  - {name: text, title: T, type: string, default: hi}\n"                                  \
    "secrets: [{name: key}]\n"                                                                 \
    "resources: {cpu: 500m, memory: \"{{ memory }} MiB\", disk: 1 GiB}\n"                      \
    "ports: [{name: web, port: 80, published: true}]\n"                                        \
    "publishes: [{name: url, title: U, value: \"http://{{ web.address }}:{{ web.port }}/\"}, " \
    "{name: key, title: K, value: \"{{ key }}\", secret: true}]\n"                             \
    "processes: [{name: s, command: [/bin/x], environment: [\"T={{ text }}\"]}]\n"
#define FLEET_USER                                                                        \
    "name: user\nversion: \"1\"\ntitle: User\nauthor: me\nruntime: container\n"           \
    "image: {name: web}\nneeds: [{name: peer, profile: web}]\n"                           \
    "resources: {cpu: 500m, memory: 64 MiB, disk: 1 GiB}\n"                               \
    "processes: [{name: s, command: [/bin/x], environment: [\"PEER={{ peer.url }}\"]}]\n" \
    "publishes: [{name: peer, title: Peer, value: \"at {{ peer.url | html }}\"}]\n"

struct shop {
    struct str op, client, other, supply, site;
    struct plan small, large, user;
    struct seal seal;
};

static inline void make_kind(struct tx *tx, struct str owner, const char *text)
{
    struct kind k;
    struct kind fresh = {.text = str_c(text)};
    OK(tx, kind_create(tx, owner, &fresh, &k));
}

static inline void make_sale(struct tx *tx, struct str owner, struct str plan, const char *profile,
                             const char *fixed, bool approval)
{
    struct offer o;
    struct offer fresh = {.plan = plan, .kind = str_c(profile), .approval = approval};
    if (fixed != NULL)
        OK(tx, json_parse(str_c(fixed), tx->arena, &fresh.parameters, tx->err));
    OK(tx, offer_create(tx, owner, &fresh, &o));
}

static inline struct str make_site(struct tx *tx, struct str owner, const char *country)
{
    struct site s;
    struct site fresh = {.name = str_c(country), .country = str_c(country), .city = STR("City")};
    OK(tx, site_create(tx, owner, &fresh, &s));
    return s.id;
}

static inline struct report_answer node_says(struct tx *tx, const struct seal *seal,
                                             struct str node, int64_t gib,
                                             const struct sighting *seen, size_t count)
{
    struct report_answer answer;
    struct node n;
    struct str features[] = {STR("container"), STR("vm:qemu")};
    OK(tx, node_get(tx, node, &n));
    struct node_report r = {.cpu_milli = 4000,
                            .memory_bytes = gib * FLEET_GIB,
                            .disk_bytes = 100 * FLEET_GIB,
                            .revision = n.revision,
                            .address = STR("192.0.2.1"),
                            .features = {features, COUNT(features)},
                            .services = {(void *)(uintptr_t)seen, count}};
    OK(tx, service_report(tx, seal, node, &r, &answer));
    return answer;
}

static inline struct str make_node(struct tx *tx, const struct shop *s, const char *name,
                                   int64_t gib)
{
    struct node n;
    struct node fresh = {.name = str_c(name)};
    struct node_enrolled enrolled;
    OK(tx, node_create(tx, s->site, &fresh, &n));
    struct node_enrolment e = {
        .token = n.token,
        .key = STR("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")};
    OK(tx, node_enrol(tx, &e, &enrolled));
    (void)node_says(tx, &s->seal, n.id, gib, NULL, 0);
    return n.id;
}

static inline struct shop make_shop(struct tx *tx)
{
    struct shop s = {.op = make_operator(tx)};
    struct image image;
    struct image fresh = {
        .name = STR("web"),
        .sha256 = STR("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
        .bytes = 1000,
        .format = STR("squashfs")};
    s.client = make_party(tx, "Client", s.op);
    s.other = make_party(tx, "Other", s.op);
    s.supply = make_supply(tx, s.op, s.client, STR(""), STR(""));
    s.site = make_site(tx, s.other, "FR");
    s.small = make_flat(tx, s.op, "small", PLAN_MONTH, "5.00");
    s.large = make_flat(tx, s.op, "large", PLAN_MONTH, "9.00");
    s.user = make_flat(tx, s.op, "user", PLAN_MONTH, "2.00");
    make_kind(tx, s.op, FLEET_PROFILE);
    make_kind(tx, s.op, FLEET_USER);
    make_sale(tx, s.op, s.small.id, "web", "{\"memory\":64}", false);
    make_sale(tx, s.op, s.large.id, "web", "{\"memory\":2048}", false);
    make_sale(tx, s.op, s.user.id, "user", NULL, true);
    OK(tx, image_create(tx, s.op, &fresh, &image));
    return s;
}

static inline struct service order_one(struct tx *tx, const struct shop *s, const char *plan,
                                       bool failover)
{
    struct service v;
    struct service_order o = {.agreement = s->supply, .plan = str_c(plan), .failover = failover};
    OK(tx, service_order(tx, &s->seal, s->client, &o, &v));
    return v;
}

static inline struct service now_of(struct tx *tx, struct str id)
{
    struct service v;
    OK(tx, service_get(tx, id, &v));
    return v;
}

/* The node says so of the service, of the generation that is wanted, and where it is. */
static inline struct service sees_known(struct tx *tx, const struct shop *s, struct str node,
                                        struct str id, enum sighting_state state)
{
    struct sighting_fact facts[] = {
        {.set = 3, .name = STR("web.address"), .value = STR("192.0.2.1")},
        {.set = 3, .name = STR("web.port"), .value = STR("30080")}};
    const struct sighting seen = {.id = id,
                                  .generation = now_of(tx, id).generation,
                                  .state = state,
                                  .facts = {facts, COUNT(facts)}};
    (void)node_says(tx, &s->seal, node, 8, &seen, 1);
    return now_of(tx, id);
}

/* The same; where it is is known while it runs. */
static inline struct service sees(struct tx *tx, const struct shop *s, struct str node,
                                  struct str id, enum sighting_state state)
{
    if (state == SIGHTING_RUNNING)
        return sees_known(tx, s, node, id, state);
    const struct sighting seen = {
        .id = id, .generation = now_of(tx, id).generation, .state = state};
    (void)node_says(tx, &s->seal, node, 8, &seen, 1);
    return now_of(tx, id);
}

#endif
