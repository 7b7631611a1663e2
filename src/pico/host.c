/* The door of a running ruleset (krl/host.h) to the activation. */
#include "pico/activation.h"

#include "krl/lib.h"
#include "krl/pack.h"

const struct module *const activation_modules[] = {
    &module_ctx,     &module_meta, &module_event, &module_schedule, &module_http,
    &module_webhook, &module_mail, &module_ursa,  &module_dido,     NULL};

/* --- entity variables --- */

static struct entity *find_entity(const struct activation *a, int64_t rid, struct str name)
{
    for (size_t i = 0; i < a->entities_n; i++)
        if (a->entities[i].rid == rid && str_eq(a->entities[i].name, name))
            return &a->entities[i];
    return NULL;
}

static struct entity *add_entity(struct activation *a, int64_t rid, struct str name)
{
    if (a->entities_n == a->entities_capacity) {
        size_t capacity = a->entities_capacity * 2 + 8;
        struct entity *more = krl_take_n(&a->m.heap, capacity, sizeof *more);
        if (more == NULL)
            return NULL;
        if (a->entities_n > 0)
            memcpy(more, a->entities, a->entities_n * sizeof *more);
        a->entities = more;
        a->entities_capacity = capacity;
    }
    struct entity *e = &a->entities[a->entities_n++];
    *e = (struct entity){.rid = rid, .name = name};
    return e;
}

static struct krl_value ent_get(struct krl_host *host, struct krl_machine *m, struct str rid,
                                const struct krl_text *name)
{
    struct activation *a = activation_of(host);
    struct str key = krl_text_utf8(&m->heap, name, true);
    int64_t no = activation_rid(a, rid);
    const struct entity *known = find_entity(a, no, key);
    if (known != NULL)
        return known->value;
    const struct cell *cell = view_get(a, CELL_ENTITY, no, key);
    struct krl_value v = cell == NULL ? krl_null() : krl_unpack(&m->heap, cell->bytes);
    struct entity *e = krl_is_failed(v) ? NULL : add_entity(a, no, key);
    if (e == NULL)
        return krl_failed();
    e->value = v;
    return v;
}

static bool may_change(struct activation *a)
{
    if (a->commit != NULL)
        return true;
    krl_fail(&a->m.heap, RC_INVALID, "Error: a query changes nothing");
    return false;
}

static bool ent_put(struct krl_host *host, struct krl_machine *m, struct str rid,
                    const struct krl_text *name, struct krl_value value)
{
    struct activation *a = activation_of(host);
    struct str key = krl_text_utf8(&m->heap, name, true);
    int64_t no = activation_rid(a, rid);
    struct entity *e = find_entity(a, no, key);
    if (!may_change(a))
        return false;
    if (e == NULL)
        e = add_entity(a, no, key);
    if (e == NULL)
        return false;
    e->value = krl_is_null(value) ? krl_null() : value;
    e->changed = true;
    return true;
}

/* --- effects --- */

static struct krl_value directive(struct krl_host *host, struct krl_machine *m,
                                  struct krl_value name, struct krl_value options)
{
    struct activation *a = activation_of(host);
    struct krl_map *map = krl_map_new(&m->heap, 4);
    struct krl_map *meta = krl_map_new(&m->heap, 4);
    if (map == NULL || meta == NULL)
        return krl_failed();
    if (a->directives->n >= PICO_DIRECTIVES_MAX) {
        krl_fail(&m->heap, RC_TOO_LARGE, "Error: more than %d directives", PICO_DIRECTIVES_MAX);
        return krl_failed();
    }
    if (!krl_map_set_ascii(&m->heap, meta, "rid", value_of(a, m->root->code->rid)) ||
        !krl_map_set_ascii(&m->heap, meta, "rule_name", value_of(a, m->rule_name)) ||
        !krl_map_set_ascii(&m->heap, meta, "txnId", value_of(a, activation_txn(a))) ||
        !krl_map_set_ascii(&m->heap, map, "type", krl_ascii(&m->heap, "directive")) ||
        !krl_map_set_ascii(&m->heap, map, "name", name) ||
        !krl_map_set_ascii(&m->heap, map, "options", options) ||
        !krl_map_set_ascii(&m->heap, map, "meta", krl_of_map(meta)) ||
        !krl_array_add(&m->heap, a->directives, krl_of_map(map)))
        return krl_failed();
    return krl_of_map(map);
}

static bool is_blank(const struct krl_text *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (!krl_is_space(krl_unit(t, i)))
            return false;
    return true;
}

static struct krl_value trimmed(struct krl_heap *h, const struct krl_text *t, size_t from,
                                size_t to)
{
    while (from < to && krl_is_space(krl_unit(t, from)))
        from++;
    while (to > from && krl_is_space(krl_unit(t, to - 1)))
        to--;
    return krl_of_text(krl_text_part(h, t, from, to));
}

/* "domain:name", or a domain and a name; trimmed. False: an error. */
static bool event_name(struct activation *a, struct krl_value domain, struct krl_value name,
                       struct krl_value ret[2])
{
    struct krl_heap *h = &a->m.heap;
    const struct krl_text *n = krl_to_text(h, name);
    if (n == NULL)
        return false;
    size_t from = 0;
    if (domain.type == KRL_UNDEFINED) {
        while (from < n->n && krl_unit(n, from) != ':')
            from++;
        ret[0] = trimmed(h, n, 0, from);
        from = from < n->n ? from + 1 : from;
    } else {
        const struct krl_text *d = krl_to_text(h, domain);
        if (d == NULL)
            return false;
        ret[0] = trimmed(h, d, 0, d->n);
    }
    ret[1] = trimmed(h, n, from, n->n);
    if (krl_is_failed(ret[0]) || krl_is_failed(ret[1]))
        return false;
    for (size_t i = 0; i < 2; i++)
        if (is_blank(ret[i].text)) {
            krl_fail(h, RC_INVALID, "Error: missing event.%s", i == 0 ? "domain" : "name");
            return false;
        }
    return true;
}

/* Attributes as JSON carries them; undefined: none. */
static bool event_attrs(struct activation *a, struct krl_value v, struct krl_value *ret)
{
    struct krl_heap *h = &a->m.heap;
    if (krl_is_null(v)) {
        *ret = krl_of_map(krl_map_new(h, 0));
        return !krl_is_failed(*ret);
    }
    if (v.type != KRL_MAP) {
        krl_fail(h, RC_INVALID, "Error: Expected a JSON map for event.data.attrs");
        return false;
    }
    *ret = krl_json_carry(h, v);
    return !krl_is_failed(*ret);
}

bool activation_raise(struct activation *a, struct krl_value domain, struct krl_value name,
                      struct krl_value attrs, int64_t only)
{
    struct raised *r = krl_take(&a->m.heap, sizeof *r);
    struct krl_value names[2];
    if (r == NULL || !may_change(a) || !event_name(a, domain, name, names) ||
        !event_attrs(a, attrs, &r->attrs))
        return false;
    if (a->raised_n++ >= PICO_RAISES_MAX) {
        krl_fail(&a->m.heap, RC_TOO_LARGE, "Error: more than %d events are raised",
                 PICO_RAISES_MAX);
        return false;
    }
    r->domain = names[0];
    r->name = names[1];
    r->only = only;
    *a->raised_last = r;
    a->raised_last = &r->next;
    return true;
}

static bool raise(struct krl_host *host, struct krl_machine *m, const struct krl_raised *event)
{
    (void)m;
    return activation_raise(activation_of(host), event->domain, event->name, event->attributes, 0);
}

static bool error(struct krl_host *host, struct krl_machine *m, const struct krl_text *level,
                  struct krl_value data)
{
    struct activation *a = activation_of(host);
    struct krl_heap *h = &m->heap;
    struct krl_map *attrs = krl_map_new(h, 8);
    struct str rid = m->root->code->rid;
    if (attrs == NULL || !krl_map_set_ascii(h, attrs, "level", krl_of_text(level)) ||
        !krl_map_set_ascii(h, attrs, "data", data) ||
        !krl_map_set_ascii(h, attrs, "rid", value_of(a, rid)) ||
        !krl_map_set_ascii(h, attrs, "rule_name", value_of(a, m->rule_name)) ||
        !krl_map_set_ascii(h, attrs, "genus", krl_ascii(h, "user")))
        return false;
    if (krl_text_is(level, "error")) {
        a->raised = NULL;
        a->raised_last = &a->raised;
        a->cleared = true;
    }
    return activation_raise(a, krl_ascii(h, "system"), krl_ascii(h, "error"), krl_of_map(attrs),
                            activation_rid(a, rid));
}

/* --- modules --- */

struct door {
    struct krl_door door; /* first: a door that find gave is one of these */
    const struct member *member;
};

static const struct member *member_of(const struct krl_door *door)
{
    return ((const struct door *)(const void *)door)->member;
}

static const struct krl_door *find(struct krl_host *host, struct krl_machine *m,
                                   const struct krl_text *domain, const struct krl_text *name)
{
    (void)host;
    for (size_t i = 0; activation_modules[i] != NULL; i++) {
        const struct member *member = activation_modules[i]->members;
        if (!krl_text_is(domain, activation_modules[i]->domain))
            continue;
        while (member->name != NULL && !krl_text_is(name, member->name))
            member++;
        if (member->name == NULL)
            continue;
        struct door *d = krl_take(&m->heap, sizeof *d);
        if (d == NULL)
            return NULL;
        d->door = (struct krl_door){
            .domain = domain, .name = name, .kinds = member->kinds, .params = member->params};
        d->member = member;
        return &d->door;
    }
    return NULL;
}

static struct krl_value property(struct krl_host *host, struct krl_machine *m,
                                 const struct krl_door *door)
{
    (void)m;
    return member_of(door)->run(activation_of(host), NULL, 0);
}

static struct krl_value call(struct krl_host *host, struct krl_machine *m,
                             const struct krl_door *door, const struct krl_value *args, size_t n)
{
    struct activation *a = activation_of(host);
    const struct member *member = member_of(door);
    (void)m;
    if ((member->kinds & KRL_DOOR_FUNCTION) == 0 && !may_change(a))
        return krl_failed();
    return member->run(a, args, n);
}

static struct krl_instance *use(struct krl_host *host, struct krl_machine *m,
                                const struct krl_meta_use *use, struct krl_value with)
{
    struct activation *a = activation_of(host);
    struct krl_instance *instance = NULL;
    const struct cell *cell = activation_installed(a, use->rid);
    if (cell == NULL) {
        krl_fail(&m->heap, RC_INVALID, "Error: Module not found: %.*s", STRF(use->rid));
        return NULL;
    }
    const struct active *active = activation_active(a, cell);
    if (active == NULL || krl_instance_init(m, active->code, with, &instance, NULL) != RC_OK)
        return NULL;
    return instance;
}

/* --- the rest --- */

static void host_log(struct krl_host *host, struct krl_machine *m, const char *level,
                     struct str label, struct krl_value value)
{
    (void)m;
    activation_log(activation_of(host), level, label, value);
}

static double now_ms(struct krl_host *host)
{
    int64_t ms = clock_now(activation_of(host)->e->clock) / US_PER_MS;
    return (double)ms;
}

static void chance(struct krl_host *host, void *bytes, size_t n)
{
    clock_chance(activation_of(host)->e->clock, bytes, n);
}

/* --- schedules --- */

static struct krl_value schedule(struct krl_host *host, struct krl_machine *m,
                                 const struct krl_scheduled *s)
{
    struct activation *a = activation_of(host);
    struct krl_value names[2];
    struct krl_value attrs;
    (void)m;
    if (!may_change(a) || !event_name(a, s->domain, s->name, names) ||
        !event_attrs(a, s->attributes, &attrs))
        return krl_failed();
    return schedule_make(a, s, names, attrs);
}

const struct krl_host activation_host = {.ent_get = ent_get,
                                         .ent_put = ent_put,
                                         .directive = directive,
                                         .raise = raise,
                                         .error = error,
                                         .schedule = schedule,
                                         .log = host_log,
                                         .find = find,
                                         .property = property,
                                         .call = call,
                                         .use = use,
                                         .now_ms = now_ms,
                                         .chance = chance};
