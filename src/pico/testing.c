#include "pico/testing.h"

static bool add_text(struct krl_heap *h, struct krl_array *list, const struct krl_text *t)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (krl_text_eq(list->v[i].text, t))
            return true;
    return krl_array_add(h, list, krl_of_text(t));
}

/* The parameters of the function that a global is declared as; none where it is a plain value. */
static bool add_query(struct krl_heap *h, struct krl_array *list, const struct krl_code *code,
                      const struct krl_export *e)
{
    struct krl_map *one = krl_map_new(h, 2);
    struct krl_array *args = krl_array_reserve(h, 4);
    if (one == NULL || args == NULL)
        return false;
    for (uint32_t i = 0; i < code->protos_n; i++) {
        const struct krl_proto *p = code->protos[i];
        if (!str_eq(p->name, e->name))
            continue;
        for (uint16_t k = 0; k < p->params; k++)
            if (!add_text(h, args, p->param_names[k]))
                return false;
        break;
    }
    return krl_map_set_ascii(h, one, "name", krl_of_text(krl_text(h, e->name))) &&
           krl_map_set_ascii(h, one, "args", krl_of_array(args)) &&
           krl_array_add(h, list, krl_of_map(one));
}

static struct krl_value find_event(const struct krl_array *list, const struct krl_text *domain,
                                   const struct krl_text *name)
{
    for (uint32_t i = 0; i < list->n; i++) {
        const struct krl_map *m = list->v[i].map;
        if (krl_text_eq(krl_map_find(m, "domain")->text, domain) &&
            krl_text_eq(krl_map_find(m, "name")->text, name))
            return *krl_map_find(m, "attrs");
    }
    return krl_undefined();
}

static bool add_event(struct krl_heap *h, struct krl_array *list, const struct krl_wanted *w)
{
    const struct krl_text *domain = krl_text(h, w->domain);
    const struct krl_text *name = krl_text(h, w->type);
    if (domain == NULL || name == NULL)
        return false;
    struct krl_value attrs = find_event(list, domain, name);
    if (attrs.type == KRL_UNDEFINED) {
        struct krl_map *one = krl_map_new(h, 4);
        attrs = krl_of_array(krl_array_reserve(h, 8));
        if (one == NULL || krl_is_failed(attrs) ||
            !krl_map_set_ascii(h, one, "domain", krl_of_text(domain)) ||
            !krl_map_set_ascii(h, one, "name", krl_of_text(name)) ||
            !krl_map_set_ascii(h, one, "attrs", attrs) || !krl_array_add(h, list, krl_of_map(one)))
            return false;
    }
    for (uint32_t i = 0; i < w->matches_n; i++)
        if (!add_text(h, (struct krl_array *)(uintptr_t)attrs.array, w->attributes[i]))
            return false;
    return true;
}

struct krl_value testing_value(struct krl_heap *h, const struct krl_code *code)
{
    struct krl_map *map = krl_map_new(h, 2);
    struct krl_array *queries = krl_array_reserve(h, 4);
    struct krl_array *events = krl_array_reserve(h, 4);
    if (map == NULL || queries == NULL || events == NULL)
        return krl_failed();
    for (uint32_t i = 0; i < code->shares_n; i++)
        if (!add_query(h, queries, code, &code->shares[i]))
            return krl_failed();
    for (uint32_t i = 0; i < code->rules_n; i++)
        for (uint32_t k = 0; k < code->rules[i].select.wanted_n; k++)
            if (!add_event(h, events, &code->rules[i].select.wanted[k]))
                return krl_failed();
    if (!krl_map_set_ascii(h, map, "queries", krl_of_array(queries)) ||
        !krl_map_set_ascii(h, map, "events", krl_of_array(events)))
        return krl_failed();
    return krl_of_map(map);
}
