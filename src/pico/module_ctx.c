/* ctx: the pico itself, its family, its channels and its rulesets. */
#include "pico/activation.h"

#include "krl/lib.h"
#include "krl/pack.h"

#define NO_ARGS     \
    do {            \
        (void)args; \
        (void)n;    \
    } while (0)

/* --- properties --- */

static const struct krl_code *running(struct activation *a)
{
    const struct krl_instance *i = krl_machine_running(&a->m);
    return i == NULL ? a->m.root->code : i->code;
}

static struct krl_value ctx_pico(struct activation *a, const struct krl_value *args, size_t n)
{
    NO_ARGS;
    return value_of(a, a->p->id);
}

static struct krl_value ctx_rid(struct activation *a, const struct krl_value *args, size_t n)
{
    NO_ARGS;
    return value_of(a, running(a)->rid);
}

static struct krl_value or_null(struct activation *a, struct str s)
{
    return s.n == 0 ? krl_null() : value_of(a, s);
}

static struct krl_value ctx_version(struct activation *a, const struct krl_value *args, size_t n)
{
    NO_ARGS;
    return or_null(a, running(a)->meta_version);
}

static struct krl_value ctx_name(struct activation *a, const struct krl_value *args, size_t n)
{
    NO_ARGS;
    return or_null(a, running(a)->meta_name);
}

static struct krl_value ctx_description(struct activation *a, const struct krl_value *args,
                                        size_t n)
{
    NO_ARGS;
    return or_null(a, running(a)->meta_description);
}

static struct krl_value ctx_author(struct activation *a, const struct krl_value *args, size_t n)
{
    NO_ARGS;
    return or_null(a, running(a)->meta_author);
}

static struct krl_value ctx_url(struct activation *a, const struct krl_value *args, size_t n)
{
    const struct cell *c = activation_installed(a, running(a)->rid);
    const struct ruleset *set = c == NULL ? NULL : registry_no(a->e->registry, c->number);
    NO_ARGS;
    return set == NULL ? krl_null() : value_of(a, set->url);
}

static struct krl_value config_of(struct activation *a, const struct cell *c)
{
    if (c == NULL || c->bytes.n == 0)
        return krl_of_map(krl_map_new(&a->m.heap, 0));
    return krl_unpack(&a->m.heap, c->bytes);
}

static struct krl_value ctx_config(struct activation *a, const struct krl_value *args, size_t n)
{
    NO_ARGS;
    return config_of(a, activation_installed(a, running(a)->rid));
}

static struct krl_value ctx_parent(struct activation *a, const struct krl_value *args, size_t n)
{
    NO_ARGS;
    return or_null(a, a->p->parent_eci);
}

static struct krl_value ctx_children(struct activation *a, const struct krl_value *args, size_t n)
{
    const struct family *list = NULL;
    size_t count = 0;
    NO_ARGS;
    if (!family_list(a, &list, &count))
        return krl_failed();
    struct krl_array *all = krl_array_new(&a->m.heap, count);
    for (size_t i = 0; all != NULL && i < count; i++)
        all->v[i] = value_of(a, list[i].child_eci);
    return krl_failing(&a->m.heap) ? krl_failed() : krl_of_array(all);
}

static struct krl_value ctx_channels(struct activation *a, const struct krl_value *args, size_t n)
{
    NO_ARGS;
    return channel_list(a);
}

/* --- rulesets --- */

static struct krl_value names_of(struct activation *a, const struct krl_export *list, size_t n)
{
    struct krl_array *all = krl_array_new(&a->m.heap, n);
    for (size_t i = 0; all != NULL && i < n; i++)
        all->v[i] = value_of(a, list[i].name);
    return krl_of_array(all);
}

static struct krl_value krl_meta(struct activation *a, const struct krl_code *code)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_map *map = krl_map_new(h, 8);
    const struct {
        const char *key;
        struct str text;
    } texts[] = {{"name", code->meta_name},
                 {"version", code->meta_version},
                 {"description", code->meta_description},
                 {"author", code->meta_author}};
    for (size_t i = 0; map != NULL && i < COUNT(texts); i++)
        if (texts[i].text.n > 0 &&
            !krl_map_set_ascii(h, map, texts[i].key, value_of(a, texts[i].text)))
            return krl_failed();
    if (map == NULL ||
        !krl_map_set_ascii(h, map, "shares", names_of(a, code->shares, code->shares_n)) ||
        !krl_map_set_ascii(h, map, "provides", names_of(a, code->provides, code->provides_n)))
        return krl_failed();
    return krl_of_map(map);
}

static struct krl_value compiler_of(struct activation *a)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_map *map = krl_map_new(h, 2);
    if (map == NULL || !krl_map_set_ascii(h, map, "version", krl_ascii(h, HANSE_VERSION)) ||
        !krl_map_set_ascii(h, map, "warnings", krl_of_array(krl_array_new(h, 0))))
        return krl_failed();
    return krl_of_map(map);
}

static bool add_meta(struct activation *a, struct krl_map *meta, const struct ruleset *set)
{
    struct krl_heap *h = &a->m.heap;
    struct ruleset_code *held = NULL;
    struct ruleset_facts facts;
    struct err err;
    char time[TIME_TEXT_MAX];
    enum rc rc = registry_hold(a->e->registry, set, &held, &facts, &err);
    if (rc != RC_OK) {
        krl_fail(h, rc, "%.*s", STRF(err_text(&err)));
        return false;
    }
    bool ok = krl_map_set_ascii(h, meta, "krl", value_of(a, facts.code->source)) &&
              krl_map_set_ascii(h, meta, "krlMeta", krl_meta(a, facts.code)) &&
              krl_map_set_ascii(h, meta, "hash", value_of(a, str_c(facts.hash))) &&
              krl_map_set_ascii(h, meta, "flushed",
                                value_of(a, str_n(time, time_format(facts.flushed, time)))) &&
              krl_map_set_ascii(h, meta, "compiler", compiler_of(a));
    registry_release(a->e->registry, held);
    return ok;
}

static bool add_ruleset(struct activation *a, struct krl_array *all, const struct cell *c)
{
    struct krl_heap *h = &a->m.heap;
    const struct ruleset *set = registry_no(a->e->registry, c->number);
    struct krl_map *map = krl_map_new(h, 4);
    struct krl_map *meta = krl_map_new(h, 8);
    return map != NULL && meta != NULL && add_meta(a, meta, set) &&
           krl_map_set_ascii(h, map, "rid", value_of(a, set->rid)) &&
           krl_map_set_ascii(h, map, "url", value_of(a, set->url)) &&
           krl_map_set_ascii(h, map, "config", config_of(a, c)) &&
           krl_map_set_ascii(h, map, "meta", krl_of_map(meta)) &&
           krl_array_add(h, all, krl_of_map(map));
}

static struct krl_value ctx_rulesets(struct activation *a, const struct krl_value *args, size_t n)
{
    const struct cell *const *list = NULL;
    size_t count = 0;
    struct krl_array *all = krl_array_reserve(&a->m.heap, 8);
    NO_ARGS;
    if (all == NULL || !view_list(a, CELL_INSTALLED, &list, &count))
        return krl_failed();
    for (size_t i = 0; i < count; i++)
        if (!add_ruleset(a, all, list[i]))
            return krl_failed();
    return krl_of_array(all);
}

/* False: an error. */
static bool is_text(struct activation *a, struct krl_value v, const char *what)
{
    if (v.type != KRL_TEXT)
        krl_fail(&a->m.heap, RC_INVALID, "TypeError: Expected string for %s but got %s", what,
                 krl_typeof(v));
    return v.type == KRL_TEXT;
}

static struct krl_value ctx_install(struct activation *a, const struct krl_value *args, size_t n)
{
    const struct ruleset *set = NULL;
    struct krl_value url = krl_arg(args, n, 0);
    if (!is_text(a, url, "url") ||
        !activation_install(a, a->p, text_of(a, url), krl_arg(args, n, 1), &set))
        return krl_failed();
    return value_of(a, set->rid);
}

static struct krl_value ctx_uninstall(struct activation *a, const struct krl_value *args, size_t n)
{
    struct krl_value rid = krl_arg(args, n, 0);
    if (!is_text(a, rid, "rid") || !activation_uninstall(a, text_of(a, rid)))
        return krl_failed();
    return krl_null();
}

static struct krl_value ctx_flush(struct activation *a, const struct krl_value *args, size_t n)
{
    struct str reply;
    struct err err;
    struct str url = text_of(a, krl_arg(args, n, 0));
    if (!is_text(a, krl_arg(args, n, 0), "url") || !activation_slow(a))
        return krl_failed();
    enum rc rc = pico_flush(a->e, url, STR(""), a->arena_own, &reply, &err);
    if (rc != RC_OK)
        krl_fail(&a->m.heap, rc, "%.*s", STRF(err_text(&err)));
    return rc == RC_OK ? activation_read(a, reply) : krl_failed();
}

/* --- the family --- */

static struct krl_value ctx_new_pico(struct activation *a, const struct krl_value *args, size_t n)
{
    struct pico *child = activation_new_with(a, krl_arg(args, n, 0));
    return child == NULL ? krl_failed() : value_of(a, child->child_eci);
}

static struct krl_value ctx_del_pico(struct activation *a, const struct krl_value *args, size_t n)
{
    return activation_delete_pico(a, text_of(a, krl_arg(args, n, 0))) ? krl_null() : krl_failed();
}

/* --- others --- */

static bool args_json(struct activation *a, struct krl_value v, struct str *ret)
{
    *ret = krl_is_null(v) ? STR("") : activation_json(a, v);
    return !krl_failing(&a->m.heap);
}

static struct krl_value ctx_query(struct activation *a, const struct krl_value *args, size_t n)
{
    struct pico_request r = {.ask = PICO_QUERY,
                             .eci = text_of(a, krl_arg(args, n, 0)),
                             .rid = text_of(a, krl_arg(args, n, 1)),
                             .query = text_of(a, krl_arg(args, n, 2))};
    return args_json(a, krl_arg(args, n, 3), &r.attrs) ? activation_ask(a, &r) : krl_failed();
}

static struct krl_value ctx_event_query(struct activation *a, const struct krl_value *args,
                                        size_t n)
{
    struct pico_request r = {.ask = PICO_EVENT_QUERY,
                             .eci = text_of(a, krl_arg(args, n, 0)),
                             .domain = text_of(a, krl_arg(args, n, 1)),
                             .name = text_of(a, krl_arg(args, n, 2)),
                             .rid = text_of(a, krl_arg(args, n, 4)),
                             .query = text_of(a, krl_arg(args, n, 5))};
    if (!args_json(a, krl_arg(args, n, 3), &r.attrs) || !args_json(a, krl_arg(args, n, 6), &r.args))
        return krl_failed();
    if (r.args.n == 0)
        r.args = STR("{}");
    return activation_ask(a, &r);
}

static struct krl_value ctx_event(struct activation *a, const struct krl_value *args, size_t n)
{
    const struct krl_value names[2] = {krl_arg(args, n, 1), krl_arg(args, n, 2)};
    return activation_send(a, krl_arg(args, n, 0), names, krl_arg(args, n, 3), krl_arg(args, n, 4));
}

static struct krl_value ctx_logs(struct activation *a, const struct krl_value *args, size_t n)
{
    struct krl_array *all = krl_array_reserve(&a->m.heap, 16);
    const struct str *entries = NULL;
    size_t count = 0;
    struct err err;
    NO_ARGS;
    if (diary_read(a->e, a->p->no, a->arena_own, &entries, &count, &err) != RC_OK)
        krl_fail(&a->m.heap, RC_UNAVAILABLE, "%.*s", STRF(err_text(&err)));
    for (size_t i = 0; all != NULL && i < count && !krl_failing(&a->m.heap); i++)
        if (!krl_array_add(&a->m.heap, all, activation_read(a, entries[i])))
            break;
    return krl_failing(&a->m.heap) ? krl_failed() : krl_of_array(all);
}

static const struct member members[] = {
    {"picoId", KRL_DOOR_PROPERTY, ctx_pico, {NULL}},
    {"rid", KRL_DOOR_PROPERTY, ctx_rid, {NULL}},
    {"rid_url", KRL_DOOR_PROPERTY, ctx_url, {NULL}},
    {"rid_config", KRL_DOOR_PROPERTY, ctx_config, {NULL}},
    {"rid_version", KRL_DOOR_PROPERTY, ctx_version, {NULL}},
    {"rid_name", KRL_DOOR_PROPERTY, ctx_name, {NULL}},
    {"rid_description", KRL_DOOR_PROPERTY, ctx_description, {NULL}},
    {"rid_author", KRL_DOOR_PROPERTY, ctx_author, {NULL}},
    {"parent", KRL_DOOR_PROPERTY, ctx_parent, {NULL}},
    {"children", KRL_DOOR_PROPERTY, ctx_children, {NULL}},
    {"channels", KRL_DOOR_PROPERTY, ctx_channels, {NULL}},
    {"rulesets", KRL_DOOR_PROPERTY, ctx_rulesets, {NULL}},
    {"query", KRL_DOOR_FUNCTION, ctx_query, {"eci", "rid", "name", "args", NULL}},
    {"logs", KRL_DOOR_FUNCTION, ctx_logs, {NULL}},
    {"newPico", KRL_DOOR_ACTION, ctx_new_pico, {"rulesets", NULL}},
    {"delPico", KRL_DOOR_ACTION, ctx_del_pico, {"eci", NULL}},
    {"newChannel", KRL_DOOR_ACTION, channel_new, {"tags", "eventPolicy", "queryPolicy", NULL}},
    {"putChannel",
     KRL_DOOR_ACTION,
     channel_put,
     {"eci", "tags", "eventPolicy", "queryPolicy", NULL}},
    {"upsertChannel",
     KRL_DOOR_ACTION,
     channel_upsert,
     {"tags", "eventPolicy", "queryPolicy", NULL}},
    {"delChannel", KRL_DOOR_ACTION, channel_drop, {"eci", NULL}},
    {"install", KRL_DOOR_ACTION, ctx_install, {"url", "config", NULL}},
    {"uninstall", KRL_DOOR_ACTION, ctx_uninstall, {"rid", NULL}},
    {"flush", KRL_DOOR_ACTION, ctx_flush, {"url", NULL}},
    {"event", KRL_DOOR_ACTION, ctx_event, {"eci", "domain", "name", "attrs", "host", NULL}},
    {"eventQuery",
     KRL_DOOR_ACTION,
     ctx_event_query,
     {"eci", "domain", "name", "attrs", "rid", "queryName", "args", NULL}},
    {NULL, 0, NULL, {NULL}},
};

const struct module module_ctx = {"ctx", members};
