/* Who is there at the beginning: an operator that sells, a client, sites and machines. */
#include "sim.h"

enum { KEY_DIGITS = 64, CITY_SITES = 2 };

/* A container that keeps a volume, and answers at a port. */
#define KEEPER                                                                  \
    "name: keeper\nversion: \"1\"\ntitle: K\nauthor: me\nruntime: container\n"  \
    "image: {name: web}\nresources: {cpu: 500m, memory: 64 MiB, disk: 1 GiB}\n" \
    "volumes: [{name: data, path: /srv}]\nbackup: [/bin/save]\n"                \
    "restore: [/bin/load]\nbackup_every_s: 3600\n"                              \
    "ports: [{name: web, port: 80, published: true}]\n"                         \
    "processes: [{name: s, command: [/bin/x]}]\n"

static void keep(struct sim *s, struct str *text)
{
    *text = arena_str(&s->keep, *text);
}

struct str world_city(const struct sim *s UNUSED, size_t site, struct arena *arena)
{
    return arena_fmt(arena, "City %zu", site / CITY_SITES);
}

static struct str make_place(struct tx *tx, struct sim *s, size_t number)
{
    struct site made;
    struct site fresh = {.name = arena_fmt(tx->arena, "s%zu", number),
                         .country = STR("DE"),
                         .city = world_city(s, number, tx->arena)};
    OK(tx, site_create(tx, s->shop.other, &fresh, &made));
    return made.id;
}

static enum rc make_all(struct tx *tx, void *arg)
{
    struct sim *s = arg;
    s->shop = make_shop(tx);
    memset(s->shop.seal.key, 1, sizeof s->shop.seal.key);
    for (size_t i = 0; i < (size_t)s->o.sites; i++) {
        s->sites[i] = make_place(tx, s, i);
        keep(s, &s->sites[i]);
    }
    struct plan keeper = make_flat(tx, s->shop.op, "keeper", PLAN_MONTH, "5.00");
    make_kind(tx, s->shop.op, KEEPER);
    make_sale(tx, s->shop.op, keeper.id, "keeper", NULL, false);
    struct str *const texts[] = {&s->shop.op,       &s->shop.client, &s->shop.other,
                                 &s->shop.supply,   &s->shop.site,   &s->shop.small.id,
                                 &s->shop.large.id, &s->shop.user.id};
    for (size_t i = 0; i < COUNT(texts); i++)
        keep(s, texts[i]);
    return RC_OK;
}

static enum rc make_machine(struct tx *tx, void *arg)
{
    struct machine *m = arg;
    struct node n;
    struct node fresh = {.name = arena_fmt(tx->arena, "n%zu", m->number)};
    struct node_enrolled enrolled;
    char key[KEY_DIGITS];
    memset(key, 'a', sizeof key);
    OK(tx, node_create(tx, m->sim->sites[m->site], &fresh, &n));
    struct node_enrolment e = {.token = n.token, .key = str_n(key, sizeof key)};
    OK(tx, node_enrol(tx, &e, &enrolled));
    ASSERT(n.id.n < sizeof m->id);
    memcpy(m->id, n.id.p, n.id.n);
    m->id[n.id.n] = '\0';
    (void)map_put(&m->sim->by_id, str_c(m->id), m); /* it was not there */
    return RC_OK;
}

void world_begin(struct sim *s)
{
    enum rc rc = fixture_write(&s->fixture, make_all, s);
    ASSERT(rc == RC_OK);
    for (size_t i = 0; i < (size_t)s->o.nodes; i++) {
        struct machine *m = &s->machines[i];
        machine_init(m, s, i);
        arena_reset(&s->fixture.arena);
        rc = fixture_write(&s->fixture, make_machine, m);
        ASSERT(rc == RC_OK);
        sim_put(s, sim_now(s) + sim_below(s, US_PER_MINUTE), EVENT_BACK, i, NULL);
    }
    s->changed = sim_now(s);
}

void world_end(struct sim *s)
{
    for (size_t i = 0; i < (size_t)s->o.nodes; i++)
        machine_fini(&s->machines[i]);
}
