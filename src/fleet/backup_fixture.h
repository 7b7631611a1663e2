/*
 * backup_fixture.h - a service that is backed up, its node, and one at another site that holds
 * backups. Only for tests: everything here asserts.
 */
#ifndef FLEET_BACKUP_FIXTURE_H
#define FLEET_BACKUP_FIXTURE_H

#include "fleet/backup.h"
#include "fleet/fleet_fixture.h"

#define BACKUP_HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
/* A container that keeps something, and answers at a port. */
#define KEEPER                                                                  \
    "name: keeper\nversion: \"1\"\ntitle: K\nauthor: me\nruntime: container\n"  \
    "image: {name: web}\nresources: {cpu: 500m, memory: 64 MiB, disk: 1 GiB}\n" \
    "volumes: [{name: data, path: /srv}]\nbackup: [/bin/tar, -c, /srv]\n"       \
    "restore: [/bin/tar, -x]\nend: [/bin/part]\nbackup_every_s: 3600\n"         \
    "secrets: [{name: key}]\n"                                                  \
    "publishes: [{name: key, title: K, value: \"{{ key }}\", secret: true}]\n"  \
    "ports: [{name: web, port: 80, published: true}]\n"                         \
    "promises: [{name: answers, kind: tcp, target: web}]\n"                     \
    "processes: [{name: s, command: [/bin/x]}]\n"

struct place {
    struct shop shop;
    struct str a, b; /* nodes of two sites */
    struct service v;
};

static inline struct str make_node_at(struct tx *tx, struct shop *s, struct str site,
                                      const char *name)
{
    struct str first = s->site;
    s->site = site;
    struct str node = make_node(tx, s, name, 8);
    s->site = first;
    return node;
}

static inline struct place make_place(struct tx *tx, bool failover)
{
    struct place p = {.shop = make_shop(tx)};
    struct plan plan = make_flat(tx, p.shop.op, "keeper", PLAN_MONTH, "5.00");
    make_kind(tx, p.shop.op, KEEPER);
    make_sale(tx, p.shop.op, plan.id, "keeper", NULL, false);
    p.a = make_node(tx, &p.shop, "a", 8);
    p.v = order_one(tx, &p.shop, "keeper-month", failover);
    SAME(p.v.node, p.a);
    p.b = make_node_at(tx, &p.shop, make_site(tx, p.shop.other, "DE"), "b");
    return p;
}

static inline struct backup_tasks tasks_of(struct tx *tx, const struct place *p, struct str node)
{
    struct backup_tasks tasks;
    OK(tx, backup_tasks(tx, &p->shop.seal, node, &tasks));
    return tasks;
}

static inline struct backup_task only_task(struct tx *tx, const struct place *p, struct str node,
                                           enum backup_task_kind kind)
{
    struct backup_tasks tasks = tasks_of(tx, p, node);
    ck_assert_uint_eq(tasks.tasks.count, 1);
    struct backup_task t = *(struct backup_task *)tasks.tasks.items;
    ck_assert_int_eq(t.kind, kind);
    return t;
}

static inline void tells(struct tx *tx, struct str node, struct str id, enum backup_task_kind kind)
{
    struct backup_word word = {.kind = kind, .sha256 = STR(BACKUP_HASH), .bytes = 1000};
    OK(tx, backup_told(tx, node, id, &word));
    OK(tx, backup_told(tx, node, id, &word)); /* twice is once */
}

static inline struct backup get(struct tx *tx, struct str id)
{
    struct backup b;
    OK(tx, backup_get(tx, id, &b));
    return b;
}

static inline void tick(struct tx *tx)
{
    bool more = false;
    struct list files;
    OK(tx, backup_tick(tx, &more));
    OK(tx, backup_sweep(tx, &files));
    OK(tx, backup_swept(tx, &files));
}

/* Asked for by the plan, made by a, held by b. */
static inline struct str one_backup(struct tx *tx, struct place *p)
{
    (void)sees(tx, &p->shop, p->a, p->v.id, SIGHTING_RUNNING);
    tick(tx);
    struct backup_task t = only_task(tx, p, p->a, TASK_MAKE);
    tells(tx, p->a, t.id, TASK_MAKE);
    t = only_task(tx, p, p->b, TASK_HOLD);
    tells(tx, p->b, t.id, TASK_HOLD);
    tick(tx);
    return t.id;
}

/* As its node is told of it. */
static inline struct service_spec spec_of(struct tx *tx, const struct place *p, struct str node,
                                          struct str service)
{
    struct desired desired = {0};
    struct str text;
    const struct json *json = NULL;
    OK(tx, service_desired(tx, &p->shop.seal, node, -1, &text));
    OK(tx, json_parse(text, tx->arena, &json, tx->err));
    OK(tx, schema_decode(&desired_schema, SCHEMA_WHOLE, json, tx->arena, &desired, tx->err));
    const struct service_spec *specs = desired.services.items;
    for (size_t i = 0; i < desired.services.count; i++)
        if (str_eq(specs[i].id, service))
            return specs[i];
    ck_abort_msg("the node is told nothing of it");
}

/* The node says so of the service, or of its copy, and whether its one promise is kept (below 0:
 * nothing of it). */
static inline void says(struct tx *tx, const struct place *p, struct str node, struct str service,
                        enum sighting_state state, int kept)
{
    struct sighting_promise promise = {.set = schema_all(&sighting_promise_schema),
                                       .name = STR("answers"),
                                       .kept = kept == 1,
                                       .text = kept == 1 ? STR("") : STR("connection refused")};
    struct service now;
    OK(tx, service_get(tx, service, &now));
    struct sighting seen = {.id = service,
                            .generation = now.generation,
                            .state = state,
                            .promises = {&promise, kept >= 0 ? 1 : 0}};
    (void)node_says(tx, &p->shop.seal, node, 8, &seen, 1);
}

#endif
