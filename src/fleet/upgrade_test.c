/* Upgrades: saved first, watched, done or taken back. */
#include "fleet/upgrade.h"

#include "fleet/backup_fixture.h"
#include "fleet/service_inside.h"

#define KEEPER_2(rest)                                                                 \
    "name: keeper\nversion: \"2\"\ntitle: K\nauthor: me\nruntime: container\n"         \
    "image: {name: web}\n"                                                             \
    "parameters: [{name: size, title: S, type: integer, minimum: 64, default: 128}]\n" \
    "secrets: [{name: other}, {name: key}]\n"                                          \
    "resources: {cpu: 500m, memory: \"{{ size }} MiB\", disk: 1 GiB}\n"                \
    "backup: [/bin/tar, -c, /srv]\nrestore: [/bin/tar, -x]\nbackup_every_s: 3600\n"    \
    "publishes: [{name: key, title: K, value: \"{{ key }}\", secret: true}, "          \
    "{name: other, title: O, value: \"{{ other }}\", secret: true}]\n"                 \
    "ports: [{name: web, port: 80, published: true}]\n"                                \
    "promises: [{name: answers, kind: tcp, target: web}]\n"                            \
    "processes: [{name: s, command: [/bin/y]}]\n" rest
#define KEEPER_4                                                                       \
    "name: keeper\nversion: \"4\"\ntitle: K\nauthor: me\nruntime: container\n"         \
    "image: {name: web}\n" DATA                                                        \
    "parameters: [{name: size, title: S, type: integer, minimum: 64, default: 128}]\n" \
    "resources: {cpu: 500m, memory: \"{{ size }} MiB\", disk: 1 GiB}\n"                \
    "processes: [{name: s, command: [/bin/y]}]\n"
#define DATA "volumes: [{name: data, path: /srv}]\n"

static struct upgrade last(struct tx *tx, struct str service)
{
    struct page page;
    struct page_query q = {.limit = 1};
    OK(tx, upgrade_list(tx, service, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    return *(struct upgrade *)page.items.items;
}

static struct str secret_of(struct tx *tx, const struct place *p, const char *name)
{
    struct list list;
    OK(tx, service_connection(tx, &p->shop.seal, p->v.id, &list));
    const struct service_connection *items = list.items;
    for (size_t i = 0; i < list.count; i++)
        if (str_eq(items[i].name, str_c(name)))
            return items[i].value;
    ck_abort_msg("it publishes no '%s'", name);
}

static void step(struct tx *tx, const struct place *p)
{
    bool more = false;
    OK(tx, upgrade_tick(tx, &p->shop.seal, &more));
    ck_assert(!more);
}

static struct upgrade begin(struct tx *tx, const struct place *p)
{
    struct upgrade u;
    OK(tx, upgrade_begin(tx, &p->shop.seal, p->v.id, &(struct upgrade_order){0}, &u));
    return u;
}

/* Version 2 is there, the service of version 1 runs, and its first backup lies elsewhere. */
static struct place ready(struct tx *tx)
{
    struct place p = make_place(tx, false);
    make_kind(tx, p.shop.op, KEEPER_2(DATA));
    (void)one_backup(tx, &p);
    tx->now += US_PER_SECOND;
    return p;
}

/* Asked for, and saved: it is tried. */
static struct upgrade tried(struct tx *tx, struct place *p)
{
    struct upgrade u = begin(tx, p);
    ck_assert_int_eq(u.state, UPGRADE_SAVING);
    step(tx, p);
    ck_assert_int_eq(last(tx, p->v.id).state, UPGRADE_SAVING);
    SAME(spec_of(tx, p, p->a, p->v.id).profile_version, STR("1"));
    struct backup_task t = only_task(tx, p, p->a, TASK_MAKE);
    SAME(t.id, u.backup);
    tells(tx, p->a, t.id, TASK_MAKE);
    step(tx, p);
    u = last(tx, p->v.id);
    ck_assert_int_eq(u.state, UPGRADE_TRYING);
    return u;
}

TX_TEST(it_is_saved_made_anew_watched_and_done)
{
    struct place p = ready(tx);
    struct str key = secret_of(tx, &p, "key");
    struct upgrade u = tried(tx, &p);
    SAME(u.from, STR("1"));
    SAME(u.to, STR("2"));
    struct service_spec spec = spec_of(tx, &p, p.a, p.v.id);
    SAME(spec.profile_version, STR("2"));
    SAME(((struct spec_volume *)spec.volumes.items)[0].path, STR("/srv"));
    ck_assert_int_eq(spec.from.number, 0); /* its data stays, and is not restored */
    SAME(secret_of(tx, &p, "key"), key);   /* by its name, not its place */
    ck_assert_uint_gt(secret_of(tx, &p, "other").n, 0);
    struct service v;
    struct upgrade unused;
    OK(tx, service_get(tx, p.v.id, &v));
    ck_assert_int_eq(v.memory_bytes, 128 * 1024 * 1024);
    FAILS(tx, RC_CONFLICT, NULL,
          upgrade_begin(tx, &p.shop.seal, p.v.id, &(struct upgrade_order){0}, &unused));
    says(tx, &p, p.a, p.v.id, SIGHTING_RUNNING, 1);
    bool due = true;
    tx->now += UPGRADE_LOOK_US - US_PER_SECOND;
    OK(tx, upgrade_tick_due(tx, &due));
    ck_assert(!due); /* it might fall over yet */
    tx->now += US_PER_SECOND;
    OK(tx, upgrade_tick_due(tx, &due));
    ck_assert(due);
    step(tx, &p);
    ck_assert_int_eq(last(tx, p.v.id).state, UPGRADE_DONE);
    OK(tx, upgrade_tick_due(tx, &due));
    ck_assert(!due);
    FAILS(tx, RC_CONFLICT, NULL,
          upgrade_begin(tx, &p.shop.seal, p.v.id, &(struct upgrade_order){0}, &unused));
}

TX_TEST(what_keeps_no_promise_is_taken_back)
{
    struct place p = ready(tx);
    struct str key = secret_of(tx, &p, "key");
    struct service before, after;
    OK(tx, service_get(tx, p.v.id, &before));
    (void)tried(tx, &p);
    says(tx, &p, p.a, p.v.id, SIGHTING_RUNNING, 0);
    tx->now += UPGRADE_MAX_US - US_PER_SECOND;
    step(tx, &p);
    ck_assert_int_eq(last(tx, p.v.id).state, UPGRADE_TRYING);
    tx->now += US_PER_SECOND;
    step(tx, &p);
    struct upgrade u = last(tx, p.v.id);
    ck_assert_int_eq(u.state, UPGRADE_BACK);
    ck_assert_msg(str_has(u.reason, STR("connection refused")), "%.*s", STRF(u.reason));
    ck_assert_msg(str_has(u.reason, STR("version 1 again")), "%.*s", STRF(u.reason));
    SAME(spec_of(tx, &p, p.a, p.v.id).profile_version, STR("1"));
    SAME(secret_of(tx, &p, "key"), key);
    OK(tx, service_get(tx, p.v.id, &after));
    SAME(after.parameters, before.parameters);
    ck_assert_int_eq(after.memory_bytes, before.memory_bytes);
    struct node n;
    OK(tx, node_get(tx, p.a, &n));
    ck_assert_int_eq(n.memory_taken, before.memory_bytes);
}

TX_TEST(what_cannot_be_saved_stays)
{
    struct place p = ready(tx);
    struct upgrade u = begin(tx, &p);
    struct backup_word word = {.kind = TASK_MAKE, .failed = true, .reason = STR("disk full")};
    OK(tx, backup_told(tx, p.a, u.backup, &word));
    step(tx, &p);
    u = last(tx, p.v.id);
    ck_assert_int_eq(u.state, UPGRADE_FAILED);
    ck_assert_msg(str_has(u.reason, STR("disk full")), "%.*s", STRF(u.reason));
    SAME(spec_of(tx, &p, p.a, p.v.id).profile_version, STR("1"));
}

TX_TEST(what_does_not_run_is_not_tried)
{
    struct place p = ready(tx);
    struct service v;
    OK(tx, service_act(tx, &p.shop.seal, p.v.id, SERVICE_STOP, &v));
    says(tx, &p, p.a, p.v.id, SIGHTING_STOPPED, -1);
    struct upgrade u = begin(tx, &p);
    ck_assert_int_eq(u.state, UPGRADE_DONE);
    ck_assert_uint_eq(u.backup.n, 0);
    OK(tx, service_get(tx, p.v.id, &v));
    ck_assert_int_eq(v.state, SERVICE_STOPPED);
    /* And to the older one, by its name. */
    OK(tx,
       upgrade_begin(tx, &p.shop.seal, p.v.id, &(struct upgrade_order){.version = STR("1")}, &u));
    SAME(u.to, STR("1"));
    SAME(spec_of(tx, &p, p.a, p.v.id).profile_version, STR("1"));
}

TX_TEST(what_would_lose_something_is_refused)
{
    struct place p = make_place(tx, false);
    struct upgrade u;
    struct upgrade_order order = {.version = STR("9")};
    FAILS(tx, RC_CONFLICT, NULL, /* it does not run yet */
          upgrade_begin(tx, &p.shop.seal, p.v.id, &order, &u));
    (void)sees(tx, &p.shop, p.a, p.v.id, SIGHTING_RUNNING);
    FAILS(tx, RC_INVALID, "/version", upgrade_begin(tx, &p.shop.seal, p.v.id, &order, &u));
    make_kind(tx, p.shop.op, KEEPER_2("volumes: [{name: data, path: /elsewhere}]\n"));
    order.version = STR("2");
    FAILS(tx, RC_CONFLICT, NULL, upgrade_begin(tx, &p.shop.seal, p.v.id, &order, &u));
    ck_assert(strstr(tx->err->text, "/srv") != NULL);
    make_kind(tx, p.shop.op,
              "name: keeper\nversion: \"3\"\ntitle: K\nauthor: me\nruntime: container\n"
              "image: {name: web}\nneeds: [{name: peer, profile: web}]\n" DATA
              "resources: {cpu: 500m, memory: 64 MiB, disk: 1 GiB}\n"
              "processes: [{name: s, command: [/bin/y]}]\n");
    order.version = STR("3");
    FAILS(tx, RC_CONFLICT, NULL, upgrade_begin(tx, &p.shop.seal, p.v.id, &order, &u));
    ck_assert(strstr(tx->err->text, "peer") != NULL);
    struct upgrade_order small = {0};
    make_kind(tx, p.shop.op, KEEPER_4);
    OK(tx, json_parse(STR("{\"size\":1}"), tx->arena, &small.parameters, tx->err));
    FAILS(tx, RC_INVALID, "/parameters/size", upgrade_begin(tx, &p.shop.seal, p.v.id, &small, &u));
}

TX_TEST(with_the_service_its_upgrade_ends)
{
    struct place p = ready(tx);
    struct service v;
    (void)begin(tx, &p);
    OK(tx, service_act(tx, &p.shop.seal, p.v.id, SERVICE_CANCEL, &v));
    ck_assert_int_eq(last(tx, p.v.id).state, UPGRADE_FAILED);
    bool due = true;
    OK(tx, upgrade_tick_due(tx, &due));
    ck_assert(!due);
}

Suite *upgrade_suite(void);
Suite *upgrade_suite(void)
{
    Suite *s = suite_create("upgrade");
    TCase *t = tcase_create("upgrade");
    tcase_add_test(t, it_is_saved_made_anew_watched_and_done);
    tcase_add_test(t, what_keeps_no_promise_is_taken_back);
    tcase_add_test(t, what_cannot_be_saved_stays);
    tcase_add_test(t, what_does_not_run_is_not_tried);
    tcase_add_test(t, what_would_lose_something_is_refused);
    tcase_add_test(t, with_the_service_its_upgrade_ends);
    suite_add_tcase(s, t);
    return s;
}
