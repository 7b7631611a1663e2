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

static bool is_same(const struct krl_wanted *a, const struct krl_wanted *b)
{
    return str_eq(a->domain, b->domain) && str_eq(a->type, b->type);
}

/* The i-th event of the rule, with all attributes that its source names. */
static bool add_event(struct krl_heap *h, struct krl_array *list, const struct krl_rule *rule,
                      uint32_t i)
{
    const struct krl_wanted *w = &rule->select.wanted[i];
    struct krl_map *one = krl_map_new(h, 4);
    struct krl_array *attrs = krl_array_reserve(h, 8);
    if (one == NULL || attrs == NULL)
        return false;
    for (uint32_t k = 0; k < rule->asked_n; k++)
        if (rule->asked[k].events_n > i && !add_text(h, attrs, rule->asked[k].name))
            return false;
    return krl_map_set_ascii(h, one, "domain", krl_of_text(krl_text(h, w->domain))) &&
           krl_map_set_ascii(h, one, "name", krl_of_text(krl_text(h, w->type))) &&
           krl_map_set_ascii(h, one, "attrs", krl_of_array(attrs)) &&
           krl_array_add(h, list, krl_of_map(one));
}

/* Each event once, by the domains in their order. */
static bool add_rule(struct krl_heap *h, struct krl_array *list, const struct krl_rule *rule)
{
    const struct krl_wanted *wanted = rule->select.wanted;
    for (uint32_t d = 0; d < rule->select.wanted_n; d++) {
        bool seen = false;
        for (uint32_t i = 0; i < d && !seen; i++)
            seen = str_eq(wanted[i].domain, wanted[d].domain);
        for (uint32_t i = d; i < rule->select.wanted_n && !seen; i++) {
            bool again = !str_eq(wanted[i].domain, wanted[d].domain);
            for (uint32_t k = d; k < i && !again; k++)
                again = is_same(&wanted[k], &wanted[i]);
            if (!again && !add_event(h, list, rule, i))
                return false;
        }
    }
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
        if (!add_rule(h, events, &code->rules[i]))
            return krl_failed();
    if (!krl_map_set_ascii(h, map, "queries", krl_of_array(queries)) ||
        !krl_map_set_ascii(h, map, "events", krl_of_array(events)))
        return krl_failed();
    return krl_of_map(map);
}
