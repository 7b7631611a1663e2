/* What modules and owners have a pico do: install, ask, log; and how values come and go. */
#include "pico/activation.h"

#include "base/json.h"
#include "krl/lib.h"
#include "krl/pack.h"
#include "pico/url.h"

#include <stdlib.h>

enum { LOG_ENTRY_MAX = 8 * 1024 };

/* --- begin anew --- */

bool activation_slow(struct activation *a)
{
    if (a->lane == LANE_SLOW)
        return true;
    a->wants_slow = true;
    krl_fail(&a->m.heap, RC_RETRY, "Error: this takes longer");
    return false;
}

bool activation_settled(struct activation *a)
{
    pthread_mutex_lock(&a->e->lock);
    bool settled = a->p->pending == 0;
    pthread_mutex_unlock(&a->e->lock);
    if (settled)
        return true;
    a->wants_settle = true;
    krl_fail(&a->m.heap, RC_RETRY, "Error: this waits for the disk");
    return false;
}

/* --- values --- */

static struct str json_text_of(struct activation *a, struct krl_value json)
{
    if (krl_is_failed(json))
        return STR("");
    return json.type == KRL_TEXT ? krl_text_utf8(&a->m.heap, json.text, false) : STR("null");
}

struct str activation_json(struct activation *a, struct krl_value v)
{
    return json_text_of(a, krl_json_stringify(&a->m.heap, v));
}

struct str activation_encode(struct activation *a, struct krl_value v)
{
    return json_text_of(a, krl_json_encode(&a->m.heap, v, 0));
}

struct krl_value activation_read(struct activation *a, struct str json)
{
    const struct krl_text *text = krl_text(&a->m.heap, json);
    struct krl_value v = text == NULL ? krl_failed() : krl_json_parse(&a->m.heap, text);
    if (krl_is_failed(v))
        krl_fail(&a->m.heap, RC_INVALID, "Error: Expected a JSON map for event.data.attrs");
    return v;
}

/* --- rulesets --- */

static struct str config_bytes(struct activation *a, struct krl_value config)
{
    if (krl_is_null(config) || (config.type == KRL_MAP && config.map->n == 0))
        return STR("");
    return krl_pack(&a->m.heap, config);
}

static int64_t last_place(const struct pico *on, const struct activation *a)
{
    int64_t last = 0;
    for (size_t i = 0; i < on->cells.of[CELL_INSTALLED].n; i++)
        last = max_i64(last, on->cells.of[CELL_INSTALLED].at[i]->place);
    for (size_t i = 0; on == a->p && i < a->changes.of[CELL_INSTALLED].n; i++)
        last = max_i64(last, a->changes.of[CELL_INSTALLED].at[i]->place);
    return last;
}

static const struct ruleset *find_ruleset(struct activation *a, struct str url)
{
    struct str normal;
    struct err err;
    const struct ruleset *set = NULL;
    enum rc rc = pico_url_normalise(url, a->arena_own, &normal, &err);
    if (rc == RC_OK)
        set = registry_url(a->e->registry, normal);
    if (rc == RC_OK && set == NULL) {
        if (!activation_slow(a))
            return NULL;
        rc = registry_flush(a->e->registry, normal, &set, &err);
    }
    if (rc != RC_OK)
        krl_fail(&a->m.heap, rc, "%.*s", STRF(err_text(&err)));
    return rc == RC_OK ? set : NULL;
}

/* What the ruleset uses is there already. */
static bool check_modules(struct activation *a, struct pico *on, const struct ruleset *set)
{
    struct ruleset_code *held = NULL;
    struct ruleset_facts facts;
    struct err err;
    enum rc rc = registry_hold(a->e->registry, set, &held, &facts, &err);
    for (uint32_t i = 0; rc == RC_OK && i < facts.code->uses_n; i++) {
        const struct ruleset *used = registry_rid(a->e->registry, facts.code->uses[i].rid);
        const struct cell *c = NULL;
        if (used != NULL && on == a->p)
            c = view_get(a, CELL_INSTALLED, used->rid_no, STR(""));
        else if (used != NULL)
            c = cells_get(&on->cells, CELL_INSTALLED, used->rid_no, STR(""));
        if (c == NULL)
            rc = err_set(&err, RC_CONFLICT, "Error: Module not found: %.*s",
                         STRF(facts.code->uses[i].rid));
    }
    if (rc != RC_OK)
        krl_fail(&a->m.heap, rc, "%.*s", STRF(err_text(&err)));
    registry_release(a->e->registry, held);
    return rc == RC_OK;
}

bool activation_install(struct activation *a, struct pico *on, struct str url,
                        struct krl_value config, const struct ruleset **ret)
{
    const struct ruleset *set = find_ruleset(a, url);
    struct str bytes = config_bytes(a, config);
    if (set == NULL || bytes.p == NULL || !check_modules(a, on, set))
        return false;
    const struct cell *was = on == a->p
                                 ? view_get(a, CELL_INSTALLED, set->rid_no, STR(""))
                                 : cells_get(&on->cells, CELL_INSTALLED, set->rid_no, STR(""));
    size_t n = on == a->p ? view_count(a, CELL_INSTALLED) : on->cells.of[CELL_INSTALLED].n;
    if (was == NULL && n >= PICO_RULESETS_MAX) {
        krl_fail(&a->m.heap, RC_TOO_MANY, "Error: a pico has at most %d rulesets",
                 PICO_RULESETS_MAX);
        return false;
    }
    struct cell c = {.kind = CELL_INSTALLED,
                     .rid = set->rid_no,
                     .number = set->no,
                     .place = was != NULL ? was->place : last_place(on, a) + 1,
                     .bytes = bytes};
    if (on == a->p) {
        view_put(a, &c);
    } else {
        cells_put(&on->cells, &c);
        commit_cell(a->commit, on->no, &c);
    }
    *ret = set;
    return true;
}

/* Which other ruleset of this pico uses the one. */
static bool check_unused(struct activation *a, const struct ruleset *set)
{
    const struct cell *const *list = NULL;
    size_t n = 0;
    if (!view_list(a, CELL_INSTALLED, &list, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct active *other = activation_active(a, list[i]);
        if (other == NULL)
            return false;
        for (uint32_t k = 0; k < other->code->uses_n; k++)
            if (list[i]->rid != set->rid_no && str_eq(other->code->uses[k].rid, set->rid)) {
                krl_fail(&a->m.heap, RC_CONFLICT,
                         "Error: Cannot uninstall %.*s because %.*s depends on it", STRF(set->rid),
                         STRF(other->code->rid));
                return false;
            }
    }
    return true;
}

/* All facts of a kind that belong to the ruleset go. */
static bool drop_all(struct activation *a, enum cell_kind kind, int64_t rid)
{
    const struct cell *const *list = NULL;
    size_t n = 0;
    if (!view_list(a, kind, &list, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct cell c = *list[i];
        if ((kind == CELL_SCHEDULE ? c.place : c.rid) == rid)
            view_drop(a, kind, c.rid, arena_str(a->arena_own, c.name));
    }
    return true;
}

bool activation_uninstall(struct activation *a, struct str rid)
{
    const struct ruleset *set = registry_rid(a->e->registry, rid);
    const struct cell *c = activation_installed(a, rid);
    if (c == NULL)
        return true; /* as the official engine: there is nothing to do */
    if (!check_unused(a, set))
        return false;
    for (size_t i = 0; i < a->actives_n; i++)
        a->actives[i].stale = a->actives[i].stale || a->actives[i].set->rid_no == set->rid_no;
    for (size_t i = 0; i < a->entities_n; i++)
        if (a->entities[i].rid == set->rid_no) {
            a->entities[i].value = krl_null();
            a->entities[i].changed = true;
        }
    view_drop(a, CELL_INSTALLED, set->rid_no, STR(""));
    return drop_all(a, CELL_ENTITY, set->rid_no) && drop_all(a, CELL_WAITING, set->rid_no) &&
           drop_all(a, CELL_SCHEDULE, set->rid_no);
}

/* --- asking --- */

/* Ask, or take what was answered before this activation was begun anew. */
static void ask_once(struct activation *a, struct pico *first, struct pico_request *r)
{
    const struct str parts[] = {str_n((const char *)&r->ask, sizeof r->ask),
                                r->eci,
                                r->domain,
                                r->name,
                                r->rid,
                                r->query,
                                r->attrs,
                                r->args};
    uint8_t hash[OUTSIDE_HASH];
    struct wire_reply known = {.status = 0};
    outside_hash(parts, COUNT(parts), hash);
    if (outside_find(a->item, hash, r->arena, &known)) {
        r->rc = RC_OK;
        r->undefined = known.status != 0;
        r->reply = known.body;
        return;
    }
    lane_pace(a->e, a->lane, false);
    queue_ask(a->e, first, r, a->p->no, a->depth + 1);
    lane_pace(a->e, a->lane, true);
    if (r->rc == RC_NOT_FOUND && r->moved_to.n > 0)
        pico_forward(a->e, r);
    known = (struct wire_reply){.status = r->undefined, .body = r->reply};
    if (r->rc == RC_OK && r->ask != PICO_QUERY) /* a query may be asked again */
        outside_keep(a->item, hash, &known);
}

struct krl_value activation_ask(struct activation *a, const struct pico_request *r)
{
    struct activation *first = a;
    struct pico *born = family_born(a, r->eci);
    if (born != NULL && born != a->p)
        return activation_nested(a, born, r);
    while (first->outer != NULL)
        first = first->outer;
    if (!activation_slow(a))
        return krl_failed();
    if (a->depth >= NESTED_ASKS_MAX) {
        krl_fail(&a->m.heap, RC_TOO_LARGE, "Error: picos ask picos more than %d levels deep",
                 NESTED_ASKS_MAX);
        return krl_failed();
    }
    struct pico_request asked = *r;
    asked.arena = a->arena_own;
    asked.hops = a->hops;
    ask_once(a, first->p, &asked);
    if (asked.rc == RC_RETRY) /* both move: it is done where they arrive */
        a->wants_slow = true;
    if (asked.rc != RC_OK) {
        krl_fail(&a->m.heap, asked.rc, "%.*s", STRF(err_text(&asked.err)));
        return krl_failed();
    }
    return asked.undefined ? krl_undefined() : activation_read(a, asked.reply);
}

/* --- the log --- */

/* The official engine's numbers. */
static int64_t level_number(const char *level)
{
    static const char *const levels[] = {"error", "warn", "info", "klog", "debug"};
    for (size_t i = 0; i < COUNT(levels); i++)
        if (strcmp(levels[i], level) == 0)
            return (int64_t)(i + 1) * 10;
    NEVER("no such level");
}

void activation_log(struct activation *a, const char *level, struct str message,
                    struct krl_value value)
{
    struct arena arena;
    struct buf buf;
    struct json_writer w;
    char time[TIME_TEXT_MAX];
    time_us now = clock_now(a->e->clock);
    struct str json = value.type == KRL_UNDEFINED ? STR("") : activation_encode(a, value);
    arena_init(&arena, 8 * LOG_ENTRY_MAX);
    buf_init(&buf, &arena, 2 * LOG_ENTRY_MAX);
    json_writer_init(&w, &buf);
    json_begin_object(&w);
    json_put_key(&w, STR("level"));
    json_put_i64(&w, level_number(level));
    json_put_key(&w, STR("time"));
    json_put_str(&w, str_n(time, time_format(now, time)));
    json_put_key(&w, STR("picoId"));
    json_put_str(&w, a->p->id);
    json_put_key(&w, STR("txnId"));
    json_put_str(&w, activation_txn(a));
    if (a->m.root != NULL) {
        json_put_key(&w, STR("rid"));
        json_put_str(&w, a->m.root->code->rid);
    }
    json_put_key(&w, STR("msg"));
    json_put_str(&w, str_sub(message, 0, LOG_ENTRY_MAX / 4));
    if (json.n > 0 && json.n < LOG_ENTRY_MAX) {
        json_put_key(&w, STR("val"));
        json_put_raw(&w, json);
    }
    json_end_object(&w);
    if (!buf.full)
        diary_add(a->e, a->p->no, now, buf_str(&buf));
    arena_fini(&arena);
}

/* --- orders of the owner --- */

static const struct krl_value *member(struct krl_value map, const char *key)
{
    return map.type == KRL_MAP ? krl_map_find(map.map, key) : NULL;
}

static bool install_listed(struct activation *a, struct pico *on, struct krl_value list)
{
    const struct ruleset *set = NULL;
    if (krl_is_null(list))
        return true;
    if (list.type != KRL_ARRAY) {
        krl_fail(&a->m.heap, RC_INVALID, "TypeError: rulesets is an array of {url, config}");
        return false;
    }
    for (uint32_t i = 0; i < list.array->n; i++) {
        const struct krl_value *url = member(list.array->v[i], "url");
        const struct krl_value *config = member(list.array->v[i], "config");
        if (url == NULL || url->type != KRL_TEXT) {
            krl_fail(&a->m.heap, RC_INVALID, "TypeError: Expected `url`");
            return false;
        }
        if (!activation_install(a, on, text_of(a, *url), config == NULL ? krl_undefined() : *config,
                                &set))
            return false;
    }
    return true;
}

struct pico *activation_new_with(struct activation *a, struct krl_value rulesets)
{
    struct pico *child = activation_new_pico(a);
    return child != NULL && install_listed(a, child, rulesets) ? child : NULL;
}

static bool order_new(struct activation *a, struct krl_value attrs, struct krl_value *ret)
{
    const struct krl_value *rulesets = member(attrs, "rulesets");
    struct pico *child = activation_new_with(a, rulesets == NULL ? krl_undefined() : *rulesets);
    struct krl_map *map = krl_map_new(&a->m.heap, 2);
    if (child == NULL || map == NULL ||
        !krl_map_set_ascii(&a->m.heap, map, "id", value_of(a, child->id)) ||
        !krl_map_set_ascii(&a->m.heap, map, "eci", value_of(a, child->child_eci)))
        return false;
    *ret = krl_of_map(map);
    return true;
}

static bool order_install(struct activation *a, const struct pico_request *r,
                          struct krl_value config, struct krl_value *ret)
{
    const struct ruleset *set = NULL;
    struct krl_map *map = krl_map_new(&a->m.heap, 1);
    if (map == NULL || !activation_install(a, a->p, r->name, config, &set) ||
        !krl_map_set_ascii(&a->m.heap, map, "rid", value_of(a, set->rid)))
        return false;
    *ret = krl_of_map(map);
    return true;
}

bool order_run(struct activation *a, const struct pico_request *r, struct krl_value *ret)
{
    struct krl_value attrs = r->attrs.n == 0 ? krl_undefined() : activation_read(a, r->attrs);
    *ret = krl_null();
    if (!r->inside)
        krl_fail(&a->m.heap, RC_FORBIDDEN, "Error: only the owner may do this");
    if (krl_failing(&a->m.heap))
        return false;
    switch (r->ask) {
    case PICO_INSTALL:
        return order_install(a, r, attrs, ret);
    case PICO_UNINSTALL:
        return activation_uninstall(a, r->rid);
    case PICO_NEW:
        return order_new(a, attrs, ret);
    case PICO_DELETE:
        if (a->p->no == a->e->root_no)
            krl_fail(&a->m.heap, RC_FORBIDDEN, "Error: the root pico stays");
        else
            commit_op(a->commit, OP_PICO_GONE, a->p->no)->row = a->p->no;
        return !krl_failing(&a->m.heap);
    case PICO_EVENT:
    case PICO_EVENT_WAIT:
    case PICO_QUERY:
    case PICO_EVENT_QUERY:
        break;
    }
    NEVER("not an order");
}
