#include "krl/sim.h"

#include "krl/lib.h"
#include "krl/pack.h"

enum { CHANCE_FIRST = 20261125 };

#define SIM_NOW_MS 1764000000000.0
#define SIM_ECI    "sim"

static const uint64_t seed[2] = {0x6b726c, 0x73696d}; /* the same run gives the same result */

static struct krl_sim *sim_of(struct krl_host *host)
{
    return CONTAINER_OF(host, struct krl_sim, host);
}

/* --- writing lines --- */

static void add_json(struct krl_sim *s, struct krl_machine *m, struct krl_value v)
{
    struct krl_value json =
        v.type == KRL_UNDEFINED ? krl_ascii(&m->heap, "{}") : krl_json_encode(&m->heap, v, 0);
    if (json.type == KRL_TEXT)
        buf_add(s->out, krl_text_utf8(&m->heap, json.text, false));
}

static void add_text(struct krl_sim *s, struct krl_machine *m, struct krl_value v)
{
    const struct krl_text *t = krl_to_text(&m->heap, v);
    if (t != NULL)
        buf_add(s->out, krl_text_utf8(&m->heap, t, false));
}

/* --- entity variables --- */

static struct krl_sim_variable *find_variable(struct krl_sim *s, struct str rid, struct str name)
{
    for (size_t i = 0; i < s->variables_n; i++)
        if (str_eq(s->variables[i].rid, rid) && str_eq(s->variables[i].name, name))
            return &s->variables[i];
    return NULL;
}

static struct krl_value ent_get(struct krl_host *host, struct krl_machine *m, struct str rid,
                                const struct krl_text *name)
{
    const struct krl_sim_variable *v =
        find_variable(sim_of(host), rid, krl_text_utf8(&m->heap, name, true));
    return v == NULL || v->packed.p == NULL ? krl_null() : krl_unpack(&m->heap, v->packed);
}

/* Bytes that outlive the activation; p is NULL where there is no room. */
static struct str keep(struct krl_sim *s, struct krl_machine *m, struct krl_value v)
{
    struct str packed = krl_pack(&m->heap, v);
    if (packed.p == NULL)
        return packed;
    if (arena_room(s->arena) <= packed.n + 1) {
        krl_fail(&m->heap, RC_TOO_LARGE, "Error: out of storage");
        return (struct str){NULL, 0};
    }
    return arena_str(s->arena, packed);
}

static bool ent_put(struct krl_host *host, struct krl_machine *m, struct str rid,
                    const struct krl_text *name, struct krl_value value)
{
    struct krl_sim *s = sim_of(host);
    struct str key = krl_text_utf8(&m->heap, name, true);
    struct krl_sim_variable *v = find_variable(s, rid, key);
    struct str packed = {NULL, 0};
    if (!krl_is_null(value)) {
        packed = keep(s, m, value);
        if (packed.p == NULL)
            return false;
    }
    if (v == NULL) {
        if (s->variables_n == KRL_SIM_VARIABLES_MAX || arena_room(s->arena) <= key.n + 1) {
            krl_fail(&m->heap, RC_TOO_LARGE, "Error: out of storage");
            return false;
        }
        v = &s->variables[s->variables_n++];
        *v = (struct krl_sim_variable){.rid = rid, .name = arena_str(s->arena, key)};
    }
    v->packed = packed;
    return true;
}

/* --- effects --- */

static struct krl_value directive(struct krl_host *host, struct krl_machine *m,
                                  struct krl_value name, struct krl_value options)
{
    struct krl_sim *s = sim_of(host);
    struct krl_map *map = krl_map_new(&m->heap, 4);
    buf_add(s->out, STR("directive "));
    add_text(s, m, name);
    buf_add_char(s->out, ' ');
    add_json(s, m, options);
    buf_add_char(s->out, '\n');
    if (map == NULL ||
        !krl_map_set_ascii(&m->heap, map, "type", krl_ascii(&m->heap, "directive")) ||
        !krl_map_set_ascii(&m->heap, map, "name", name) ||
        !krl_map_set_ascii(&m->heap, map, "options", options))
        return krl_failed();
    return krl_of_map(map);
}

/* "domain:name" where the domain may still be in the name. */
static bool event_name(struct krl_machine *m, struct krl_value domain, struct krl_value name,
                       struct str ret[2])
{
    const struct krl_text *n = krl_to_text(&m->heap, name);
    if (n == NULL)
        return false;
    struct str whole = krl_text_utf8(&m->heap, n, false);
    ret[1] = whole;
    if (domain.type != KRL_UNDEFINED) {
        const struct krl_text *d = krl_to_text(&m->heap, domain);
        ret[0] = d == NULL ? STR("") : krl_text_utf8(&m->heap, d, false);
        return d != NULL;
    }
    ret[0] = str_trim(str_cut(&ret[1], ':'));
    ret[1] = str_trim(ret[1]);
    return true;
}

static bool enqueue(struct krl_sim *s, struct krl_machine *m, const struct str name[2],
                    struct krl_value attrs, struct str rid)
{
    struct str packed = keep(s, m, attrs);
    if (packed.p == NULL)
        return false;
    if (s->queue_n == KRL_SIM_QUEUE_MAX || arena_room(s->arena) <= name[0].n + name[1].n + 64) {
        krl_fail(&m->heap, RC_TOO_LARGE, "Error: too many events are raised");
        return false;
    }
    s->queue[(s->queue_first + s->queue_n++) % KRL_SIM_QUEUE_MAX] =
        (struct krl_sim_event){.domain = arena_str(s->arena, name[0]),
                               .name = arena_str(s->arena, name[1]),
                               .attrs = packed,
                               .rid = rid};
    return true;
}

static bool raise(struct krl_host *host, struct krl_machine *m, const struct krl_raised *event)
{
    struct krl_sim *s = sim_of(host);
    struct str name[2];
    if (!event_name(m, event->domain, event->name, name))
        return false;
    struct krl_value attributes = krl_json_carry(&m->heap, event->attributes);
    if (krl_is_failed(attributes))
        return false;
    buf_fmt(s->out, "raise %.*s:%.*s ", STRF(name[0]), STRF(name[1]));
    add_json(s, m, attributes);
    buf_add_char(s->out, '\n');
    return enqueue(s, m, name, attributes, STR(""));
}

static bool error(struct krl_host *host, struct krl_machine *m, const struct krl_text *level,
                  struct krl_value data)
{
    struct krl_sim *s = sim_of(host);
    const struct str name[2] = {STR("system"), STR("error")};
    struct krl_map *attrs = krl_map_new(&m->heap, 8);
    struct str rid = s->running->code->rid;
    if (attrs == NULL || !krl_map_set_ascii(&m->heap, attrs, "level", krl_of_text(level)) ||
        !krl_map_set_ascii(&m->heap, attrs, "data", data) ||
        !krl_map_set_ascii(&m->heap, attrs, "rid", krl_of_text(krl_text(&m->heap, rid))) ||
        !krl_map_set_ascii(&m->heap, attrs, "rule_name",
                           krl_of_text(krl_text(&m->heap, m->rule_name))) ||
        !krl_map_set_ascii(&m->heap, attrs, "genus", krl_ascii(&m->heap, "user")))
        return false;
    if (krl_text_is(level, "error")) {
        s->queue_n = 0;
        s->cleared = true;
    }
    buf_add(s->out, STR("raise system:error "));
    add_json(s, m, krl_of_map(attrs));
    buf_add_char(s->out, '\n');
    return enqueue(s, m, name, krl_of_map(attrs), rid);
}

static struct krl_value schedule(struct krl_host *host, struct krl_machine *m,
                                 const struct krl_scheduled *e)
{
    struct krl_sim *s = sim_of(host);
    struct str name[2];
    if (!event_name(m, e->domain, e->name, name))
        return krl_failed();
    buf_fmt(s->out, "schedule %s ", e->repeat ? "repeat" : "at");
    add_text(s, m, e->when);
    buf_fmt(s->out, " %.*s:%.*s ", STRF(name[0]), STRF(name[1]));
    add_json(s, m, e->attributes);
    buf_add_char(s->out, '\n');
    struct krl_map *entry = krl_map_new(&m->heap, 4);
    if (entry == NULL ||
        !krl_map_set_ascii(&m->heap, entry, "id", krl_ascii(&m->heap, "sim-schedule")) ||
        !krl_map_set_ascii(&m->heap, entry, "type",
                           krl_ascii(&m->heap, e->repeat ? "repeat" : "at")) ||
        !krl_map_set_ascii(&m->heap, entry, e->repeat ? "timespec" : "time", e->when))
        return krl_failed();
    return krl_of_map(entry);
}

static void sim_log(struct krl_host *host, struct krl_machine *m, const char *level,
                    struct str label, struct krl_value value)
{
    struct krl_sim *s = sim_of(host);
    buf_fmt(s->out, "log %s %.*s%s", level, STRF(label), label.n > 0 ? " " : "");
    add_json(s, m, value);
    buf_add_char(s->out, '\n');
}

/* --- modules --- */

static const char *const no_params[] = {NULL};
static const char *const send_params[] = {"options", "host", NULL};

static const struct {
    const char *domain;
    const char *name;
    unsigned kinds;
    const char *const *params;
} doors[] = {
    {"event", "send", KRL_DOOR_ACTION, send_params},
    {"meta", "rid", KRL_DOOR_PROPERTY, no_params},
    {"meta", "ruleName", KRL_DOOR_PROPERTY, no_params},
    {"meta", "eci", KRL_DOOR_PROPERTY, no_params},
    {"meta", "picoId", KRL_DOOR_PROPERTY, no_params},
    {"meta", "inEvent", KRL_DOOR_PROPERTY, no_params},
    {"meta", "inQuery", KRL_DOOR_PROPERTY, no_params},
    {"ctx", "rid", KRL_DOOR_PROPERTY, no_params},
    {"ctx", "picoId", KRL_DOOR_PROPERTY, no_params},
};

static const struct krl_door *find(struct krl_host *host, struct krl_machine *m,
                                   const struct krl_text *domain, const struct krl_text *name)
{
    (void)host;
    for (size_t i = 0; i < COUNT(doors); i++) {
        if (!krl_text_is(domain, doors[i].domain) || !krl_text_is(name, doors[i].name))
            continue;
        struct krl_door *door = krl_take(&m->heap, sizeof *door);
        if (door != NULL)
            *door = (struct krl_door){
                .domain = domain, .name = name, .kinds = doors[i].kinds, .params = doors[i].params};
        return door;
    }
    return NULL;
}

static struct krl_value property(struct krl_host *host, struct krl_machine *m,
                                 const struct krl_door *door)
{
    (void)host;
    if (krl_text_is(door->name, "rid")) {
        const struct krl_instance *running = krl_machine_running(m);
        return krl_of_text(
            krl_text(&m->heap, running == NULL ? m->root->code->rid : running->code->rid));
    }
    if (krl_text_is(door->name, "ruleName"))
        return m->rule_name.n == 0 ? krl_null() : krl_of_text(krl_text(&m->heap, m->rule_name));
    if (krl_text_is(door->name, "inEvent"))
        return krl_bool(m->event != NULL);
    if (krl_text_is(door->name, "inQuery"))
        return krl_bool(m->event == NULL);
    return krl_ascii(&m->heap, SIM_ECI);
}

static struct krl_value call(struct krl_host *host, struct krl_machine *m,
                             const struct krl_door *door, const struct krl_value *args, size_t n)
{
    struct krl_sim *s = sim_of(host);
    (void)door; /* event:send is the only one that is called */
    struct krl_value event = krl_arg(args, n, 0);
    struct krl_value parts[4];
    static const char *const keys[] = {"eci", "domain", "name", "type"};
    for (size_t i = 0; i < COUNT(keys); i++)
        parts[i] = krl_get(m, event, krl_ascii(&m->heap, keys[i]));
    if (krl_failing(&m->heap))
        return krl_failed();
    if (parts[0].type != KRL_TEXT)
        return krl_type_error(m, "eci was @ instead of a string", parts[0], event);
    struct krl_value attrs = krl_get(m, event, krl_ascii(&m->heap, "attrs"));
    buf_add(s->out, STR("send "));
    add_text(s, m, parts[0]);
    buf_add_char(s->out, ' ');
    add_text(s, m, parts[1]);
    buf_add_char(s->out, ':');
    add_text(s, m, krl_is_null(parts[2]) ? parts[3] : parts[2]);
    buf_add_char(s->out, ' ');
    add_json(s, m, krl_is_null(attrs) ? krl_undefined() : attrs);
    buf_add_char(s->out, '\n');
    return krl_null();
}

static struct krl_instance *use(struct krl_host *host, struct krl_machine *m,
                                const struct krl_meta_use *use, struct krl_value with)
{
    struct krl_sim *s = sim_of(host);
    for (size_t i = 0; i < s->rulesets_n; i++) {
        struct krl_instance *instance = NULL;
        if (!str_eq(s->rulesets[i].code->rid, use->rid))
            continue;
        /* A cycle of modules ends at the machine's depth. */
        if (krl_instance_init(m, s->rulesets[i].code, with, &instance, NULL) == RC_OK)
            return instance;
        return NULL;
    }
    krl_fail(&m->heap, RC_INVALID, "Error: Module not found: %.*s", STRF(use->rid));
    return NULL;
}

static double now_ms(struct krl_host *host)
{
    return sim_of(host)->now;
}

/* Marsaglia, "Xorshift RNGs", 2003: good enough for play. */
static void chance(struct krl_host *host, void *bytes, size_t n)
{
    struct krl_sim *s = sim_of(host);
    for (size_t i = 0; i < n; i++) {
        s->chance ^= s->chance << 13;
        s->chance ^= s->chance >> 7;
        s->chance ^= s->chance << 17;
        ((uint8_t *)bytes)[i] = (uint8_t)(s->chance >> 24);
    }
}

/* --- activations --- */

void krl_sim_init(struct krl_sim *s, struct arena *arena, struct buf *out)
{
    *s = (struct krl_sim){.host = {.ent_get = ent_get,
                                   .ent_put = ent_put,
                                   .directive = directive,
                                   .raise = raise,
                                   .error = error,
                                   .schedule = schedule,
                                   .log = sim_log,
                                   .find = find,
                                   .property = property,
                                   .call = call,
                                   .use = use,
                                   .now_ms = now_ms,
                                   .chance = chance},
                          .arena = arena,
                          .out = out,
                          .memory_bytes = KRL_MEMORY_DEFAULT,
                          .steps = KRL_STEPS_DEFAULT,
                          .now = SIM_NOW_MS,
                          .chance = CHANCE_FIRST};
}

enum rc krl_sim_add(struct krl_sim *s, const struct krl_code *code, struct err *err)
{
    if (s->rulesets_n == KRL_SIM_RULESETS_MAX ||
        arena_room(s->arena) < (code->rules_n + 1U) * sizeof(struct str))
        return err_set(err, RC_TOO_LARGE, "there are too many rulesets");
    s->rulesets[s->rulesets_n++] = (struct krl_sim_ruleset){
        .code = code, .states = NEW_N(s->arena, struct str, code->rules_n)};
    return RC_OK;
}

static enum rc fail(struct krl_sim *s, const struct krl_machine *m, struct err *err)
{
    ASSERT(krl_failing(&m->heap));
    *err = m->heap.err;
    buf_fmt(s->out, "error %.*s\n", STRF(err_text(err)));
    return rc_failed(err->rc);
}

/* A map from JSON text; empty text is an empty map. */
static struct krl_value read_map(struct krl_machine *m, struct str json)
{
    if (json.n == 0)
        return krl_of_map(krl_map_new(&m->heap, 0));
    const struct krl_text *text = krl_text(&m->heap, json);
    struct krl_value v = text == NULL ? krl_failed() : krl_json_parse(&m->heap, text);
    if (!krl_is_failed(v) && v.type == KRL_MAP)
        return v;
    krl_fail(&m->heap, RC_INVALID, "Error: Expected a JSON map for event.data.attrs");
    return krl_failed();
}

static bool load_states(struct krl_sim_ruleset *r, struct krl_machine *m,
                        struct krl_rule_state *states)
{
    for (uint32_t i = 0; i < r->code->rules_n; i++) {
        if (r->states[i].p == NULL)
            continue;
        struct krl_value v = krl_unpack(&m->heap, r->states[i]);
        if (krl_is_failed(v) || !krl_rule_state_read(&m->heap, &r->code->rules[i], v, &states[i]))
            return false;
    }
    return true;
}

static bool save_states(struct krl_sim *s, struct krl_sim_ruleset *r, struct krl_machine *m,
                        const struct krl_rule_state *states)
{
    for (uint32_t i = 0; i < r->code->rules_n; i++) {
        struct krl_value v = krl_rule_state_value(&m->heap, &states[i]);
        struct str packed = krl_is_failed(v) ? (struct str){NULL, 0} : keep(s, m, v);
        if (packed.p == NULL)
            return false;
        r->states[i] = packed;
    }
    return true;
}

static bool run_ruleset(struct krl_sim *s, struct krl_machine *m, const struct krl_sim_event *e)
{
    struct krl_sim_ruleset *r = s->running;
    struct krl_instance *instance = NULL;
    struct krl_rule_state *states =
        krl_take_n(&m->heap, (size_t)r->code->rules_n + 1, sizeof *states);
    struct krl_value attrs = krl_unpack(&m->heap, e->attrs);
    if (attrs.type == KRL_UNDEFINED || attrs.type == KRL_NULL)
        attrs = krl_of_map(krl_map_new(&m->heap, 0));
    struct krl_event event = {.eci = krl_ascii(&m->heap, SIM_ECI),
                              .domain = krl_of_text(krl_text(&m->heap, e->domain)),
                              .name = krl_of_text(krl_text(&m->heap, e->name)),
                              .eid = krl_ascii(&m->heap, "none"),
                              .attrs = attrs,
                              .time_ms = s->now};
    if (states == NULL || krl_failing(&m->heap) || !load_states(r, m, states))
        return false;
    return krl_instance_init(m, r->code, krl_undefined(), &instance, NULL) == RC_OK &&
           krl_rules_run(m, instance, &event, states) == RC_OK && save_states(s, r, m, states);
}

static enum rc run_one(struct krl_sim *s, const struct krl_sim_event *e, struct err *err)
{
    for (size_t i = 0; i < s->rulesets_n && !s->cleared; i++) {
        struct arena arena;
        struct krl_machine m;
        if (e->rid.n > 0 && !str_eq(e->rid, s->rulesets[i].code->rid))
            continue;
        s->running = &s->rulesets[i];
        arena_init(&arena, s->memory_bytes);
        krl_machine_init(&m, &arena, &s->host, s->steps, seed);
        bool ok = run_ruleset(s, &m, e);
        if (!ok)
            krl_fail(&m.heap, RC_INTERNAL, "Error: the state of a rule cannot be read");
        s->steps_used = s->steps - m.heap.steps;
        enum rc rc = ok ? RC_OK : fail(s, &m, err);
        arena_fini(&arena);
        TRY(rc);
    }
    return RC_OK;
}

enum rc krl_sim_event(struct krl_sim *s, struct str domain, struct str name, struct str attrs,
                      struct err *err)
{
    struct arena arena;
    struct krl_machine m;
    const struct str names[2] = {domain, name};
    arena_init(&arena, s->memory_bytes);
    krl_machine_init(&m, &arena, &s->host, s->steps, seed);
    struct krl_value map = read_map(&m, attrs);
    bool ok = !krl_is_failed(map) && enqueue(s, &m, names, map, STR(""));
    enum rc rc = ok ? RC_OK : fail(s, &m, err);
    arena_fini(&arena);
    for (int i = 0; rc == RC_OK && s->queue_n > 0; i++) {
        struct krl_sim_event e = s->queue[s->queue_first];
        s->queue_first = (s->queue_first + 1) % KRL_SIM_QUEUE_MAX;
        s->queue_n--;
        s->cleared = false;
        if (i == KRL_SIM_RAISED_MAX)
            rc = err_set(err, RC_TOO_LARGE, "Error: too many events are raised");
        else
            rc = run_one(s, &e, err);
    }
    s->queue_n = 0;
    return rc;
}

static enum rc run_query(struct krl_sim *s, struct krl_machine *m, const struct krl_code *code,
                         struct str name, struct str args, struct krl_value *ret)
{
    struct krl_instance *instance = NULL;
    TRY(krl_instance_init(m, code, krl_undefined(), &instance, NULL));
    const struct krl_value *shared = krl_instance_shared(instance, name);
    (void)s;
    if (shared == NULL) {
        krl_fail(&m->heap, RC_NOT_FOUND,
                 "Error: Ruleset %.*s does not have query function \"%.*s\"", STRF(code->rid),
                 STRF(name));
        return rc_failed(m->heap.err.rc);
    }
    if (!krl_is_function(*shared)) {
        *ret = *shared;
        return RC_OK;
    }
    struct krl_value map = read_map(m, args);
    if (krl_is_failed(map))
        return rc_failed(m->heap.err.rc);
    return krl_machine_call(m, instance, *shared, map, ret);
}

static enum rc show(struct krl_sim *s, struct krl_machine *m, struct krl_value v)
{
    if (v.type == KRL_UNDEFINED)
        buf_add(s->out, STR("undefined"));
    else
        add_json(s, m, v);
    buf_add_char(s->out, '\n');
    return m->heap.err.rc;
}

enum rc krl_sim_query(struct krl_sim *s, struct str rid, struct str name, struct str args,
                      struct err *err)
{
    for (size_t i = 0; i < s->rulesets_n; i++) {
        struct arena arena;
        struct krl_machine m;
        struct krl_value v = krl_undefined();
        if (rid.n > 0 && !str_eq(rid, s->rulesets[i].code->rid))
            continue;
        s->running = &s->rulesets[i];
        arena_init(&arena, s->memory_bytes);
        krl_machine_init(&m, &arena, &s->host, s->steps, seed);
        enum rc rc = run_query(s, &m, s->rulesets[i].code, name, args, &v);
        rc = rc == RC_OK ? show(s, &m, v) : rc;
        s->steps_used = s->steps - m.heap.steps;
        rc = rc == RC_OK ? RC_OK : fail(s, &m, err);
        arena_fini(&arena);
        return rc;
    }
    return err_set(err, RC_NOT_FOUND, "Error: Pico doesn't have %.*s installed.", STRF(rid));
}

enum rc krl_sim_evaluate(struct krl_sim *s, const struct krl_code *code,
                         struct krl_place *ret_where, struct err *err)
{
    struct arena arena;
    struct krl_machine m;
    struct krl_instance *instance = NULL;
    struct krl_value v = krl_undefined();
    arena_init(&arena, s->memory_bytes);
    krl_machine_init(&m, &arena, &s->host, s->steps, seed);
    enum rc rc = krl_instance_init(&m, code, krl_undefined(), &instance, &v);
    rc = rc == RC_OK ? show(s, &m, v) : rc;
    s->steps_used = s->steps - m.heap.steps;
    if (rc != RC_OK && !krl_machine_where(&m, ret_where))
        *ret_where = (struct krl_place){1, 1};
    rc = rc == RC_OK ? RC_OK : fail(s, &m, err);
    arena_fini(&arena);
    return rc;
}
