/* One thing that a pico does, from its begin to the commit. */
#include "pico/activation.h"
#include "pico/trial.h"
#include "pico/usage.h"

#include "base/map.h"
#include "krl/lib.h"
#include "krl/pack.h"
#include "pico/testing.h"

#include <stdlib.h>

struct str activation_txn(struct activation *a)
{
    if (a->txn[0] == '\0')
        chance_eci(a->e, a->txn);
    return str_n(a->txn, ECI_N);
}

/* --- rulesets in this activation --- */

static struct active *find_active(const struct activation *a, int64_t rid_no)
{
    for (size_t i = 0; i < a->actives_n; i++)
        if (a->actives[i].set->rid_no == rid_no && !a->actives[i].stale)
            return &a->actives[i];
    return NULL;
}

int64_t activation_rid(struct activation *a, struct str rid)
{
    for (size_t i = 0; i < a->actives_n; i++)
        if (a->actives[i].code->rid.p == rid.p)
            return a->actives[i].set->rid_no;
    const struct ruleset *set = registry_rid(a->e->registry, rid);
    ASSERT(set != NULL); /* code that runs is registered */
    return set->rid_no;
}

const struct cell *activation_installed(struct activation *a, struct str rid)
{
    const struct ruleset *set = registry_rid(a->e->registry, rid);
    return set == NULL ? NULL : view_get(a, CELL_INSTALLED, set->rid_no, STR(""));
}

struct active *activation_active(struct activation *a, const struct cell *installed)
{
    struct active *known = find_active(a, installed->rid);
    struct ruleset_facts facts;
    struct err err;
    if (known != NULL && known->set->no == installed->number)
        return known;
    if (known != NULL)
        known->stale = true;
    if (a->actives_n == a->actives_capacity) {
        size_t capacity = a->actives_capacity * 2 + 8;
        struct active *more = arena_alloc_n(a->arena_own, capacity, sizeof *more);
        if (a->actives_n > 0)
            memcpy(more, a->actives, a->actives_n * sizeof *more);
        a->actives = more;
        a->actives_capacity = capacity;
    }
    const struct ruleset *set = registry_no(a->e->registry, installed->number);
    struct active *active = &a->actives[a->actives_n];
    ASSERT(set != NULL); /* what is installed is registered */
    *active = (struct active){.set = set, .config = krl_undefined()};
    if (installed->bytes.n > 0)
        active->config = krl_unpack(&a->m.heap, installed->bytes);
    enum rc rc = registry_hold(a->e->registry, set, &active->held, &facts, &err);
    if (rc != RC_OK) {
        krl_fail(&a->m.heap, rc, "%.*s", STRF(err_text(&err)));
        return NULL;
    }
    active->code = facts.code;
    a->actives_n++;
    return krl_failing(&a->m.heap) ? NULL : active;
}

bool activation_ready(struct activation *a, struct active *active)
{
    struct krl_instance *instance = NULL;
    size_t at = (size_t)(active - a->actives);
    if (active->instance != NULL)
        return true;
    a->m.root = NULL;
    a->m.event = NULL;
    if (krl_instance_init(&a->m, active->code, active->config, &instance, NULL) != RC_OK)
        return false;
    a->actives[at].instance = instance; /* modules may have moved the list */
    return true;
}

/* --- the states of rules --- */

enum { STATE_FIELDS = 3 };

/* The same number for the same event expression: a state fits no other. */
static double shape_of(const struct krl_rule *rule)
{
    static const uint64_t key[2] = {0x7069636f, 0x72756c65};
    uint64_t sum = rule->select.states_n;
    for (uint32_t i = 0; i < rule->select.wanted_n; i++)
        sum = sum * 31 + hash_str(rule->select.wanted[i].domain, key) * 3 +
              hash_str(rule->select.wanted[i].type, key);
    for (uint32_t i = 0; i < rule->select.transitions_n; i++) {
        const struct krl_transition *t = &rule->select.transitions[i];
        sum = sum * 31 + (uint64_t)t->from * 4096 + (uint64_t)t->to * 8 + t->wanted * 2 + t->other;
    }
    return (double)(sum >> 16);
}

static bool goes_on(const struct krl_select *select, uint16_t state)
{
    for (uint32_t i = 0; i < select->transitions_n; i++)
        if (select->transitions[i].from == state)
            return true;
    return false;
}

/* Whether the rule stands as one that has seen nothing. */
static bool is_at_start(const struct krl_rule *rule, const struct krl_rule_state *s,
                        bool official_window)
{
    if (official_window && rule->select.within != NULL && s->states_n > 0)
        return false; /* its window goes on */
    if (s->setting.type == KRL_MAP && s->setting.map->n > 0)
        return false;
    for (uint32_t i = 0; i < s->states_n; i++)
        if (s->states[i] != KRL_STATE_START && goes_on(&rule->select, s->states[i]))
            return false;
    return true;
}

static bool read_states(struct activation *a, struct active *active)
{
    const struct krl_code *code = active->code;
    struct krl_heap *h = &a->m.heap;
    active->states = krl_take_n(h, (size_t)code->rules_n + 1, sizeof *active->states);
    if (active->states == NULL)
        return false;
    const struct cell *cell = view_get(a, CELL_WAITING, active->set->rid_no, STR(""));
    if (cell == NULL)
        return true;
    struct krl_value list = krl_unpack(h, cell->bytes);
    if (krl_is_failed(list) || list.type != KRL_ARRAY)
        return false;
    for (uint32_t i = 0; i < list.array->n; i++) {
        const struct krl_value *one = &list.array->v[i];
        if (one->type != KRL_ARRAY || one->array->n != STATE_FIELDS)
            continue;
        struct str name = text_of(a, one->array->v[0]);
        for (uint32_t k = 0; k < code->rules_n; k++)
            if (str_eq(code->rules[k].name, name) &&
                shape_of(&code->rules[k]) == one->array->v[1].number)
                (void)krl_rule_state_read(h, &code->rules[k], one->array->v[2],
                                          &active->states[k]); /* of another shape: begin anew */
    }
    return !krl_failing(h);
}

/* The states of all rules that are under way; undefined: none is. */
static struct krl_value states_value(struct activation *a, const struct active *active)
{
    const struct krl_code *code = active->code;
    struct krl_heap *h = &a->m.heap;
    struct krl_array *list = NULL;
    for (uint32_t i = 0; i < code->rules_n; i++) {
        if (is_at_start(&code->rules[i], &active->states[i], a->e->o.official_window))
            continue;
        struct krl_array *one = krl_array_new(h, STATE_FIELDS);
        if (list == NULL)
            list = krl_array_reserve(h, 4);
        if (one == NULL || list == NULL)
            return krl_failed();
        one->v[0] = value_of(a, code->rules[i].name);
        one->v[1] = krl_number(shape_of(&code->rules[i]));
        one->v[2] = krl_rule_state_value(h, &active->states[i]);
        if (krl_is_failed(one->v[0]) || krl_is_failed(one->v[2]) ||
            !krl_array_add(h, list, krl_of_array(one)))
            return krl_failed();
    }
    return list == NULL ? krl_undefined() : krl_of_array(list);
}

static bool write_states(struct activation *a, const struct active *active)
{
    struct krl_value v = states_value(a, active);
    int64_t rid = active->set->rid_no;
    const struct cell *old = view_get(a, CELL_WAITING, rid, STR(""));
    if (krl_is_failed(v))
        return false;
    if (v.type == KRL_UNDEFINED) {
        if (old != NULL)
            view_drop(a, CELL_WAITING, rid, STR(""));
        return true;
    }
    struct str bytes = krl_pack(&a->m.heap, v);
    if (bytes.p == NULL)
        return false;
    if (old == NULL || !str_eq(old->bytes, bytes))
        view_put(a, &(struct cell){.kind = CELL_WAITING, .rid = rid, .bytes = bytes});
    return true;
}

/* --- what comes of it --- */

static bool write_entity(struct activation *a, const struct entity *e)
{
    const struct cell *old = cells_get(&a->p->cells, CELL_ENTITY, e->rid, e->name);
    if (krl_is_null(e->value)) {
        if (old != NULL)
            view_drop(a, CELL_ENTITY, e->rid, e->name);
        return true;
    }
    struct str bytes = krl_pack(&a->m.heap, e->value);
    if (bytes.p == NULL)
        return false;
    if (bytes.n > PICO_ENTITY_BYTES_MAX) {
        krl_fail(&a->m.heap, RC_TOO_LARGE, "Error: ent:%.*s has more than %d bytes", STRF(e->name),
                 PICO_ENTITY_BYTES_MAX);
        return false;
    }
    if (old == NULL || !str_eq(old->bytes, bytes))
        view_put(
            a, &(struct cell){.kind = CELL_ENTITY, .rid = e->rid, .name = e->name, .bytes = bytes});
    return true;
}

/* All changes lie in a->changes. False: they are too much. */
static bool gather(struct activation *a)
{
    for (size_t i = 0; i < a->entities_n; i++)
        if (a->entities[i].changed && !write_entity(a, &a->entities[i]))
            return false;
    for (size_t i = 0; i < a->actives_n; i++)
        if (a->actives[i].states != NULL && !a->actives[i].stale &&
            !write_states(a, &a->actives[i]))
            return false;
    if (a->changes.bytes > 0 && a->p->cells.bytes + a->changes.bytes > STATE_BYTES_MAX) {
        krl_fail(&a->m.heap, RC_TOO_LARGE, "Error: a pico keeps at most %d bytes", STATE_BYTES_MAX);
        return false;
    }
    return true;
}

/* The changes go into the pico and into the commit. table: its channels are known to all; then with
 * the lock. */
static void take_over(struct activation *a, bool table)
{
    struct pico *p = a->p;
    for (size_t kind = 0; kind < CELL_KINDS; kind++)
        for (size_t i = 0; i < a->changes.of[kind].n; i++) {
            const struct cell *c = a->changes.of[kind].at[i];
            commit_cell(a->commit, p->no, c);
            if (c->gone)
                cells_drop(&p->cells, c->kind, c->rid, c->name);
            else
                cells_put(&p->cells, c);
            if (kind != CELL_CHANNEL || !table)
                continue;
            if (c->gone)
                table_eci_drop(a->e, p, c->name);
            else
                table_eci_add(a->e, p,
                              (struct eci_node){.pico = p->no, .kind = ECI_PLAIN, .eci = c->name});
        }
}

/* With the lock: the answer leaves when all that the pico did so far is durable. False: it may
 * leave at once. */
static bool hang_on(struct commit *c, struct pico_request *r)
{
    if (c == NULL)
        return false;
    request_hold(r);
    struct pico_request **at = &c->requests;
    while (*at != NULL)
        at = &(*at)->next;
    *at = r;
    r->next = NULL;
    return true;
}

/* With the lock. */
static void count(const struct activation *a)
{
    struct pico_counters *c = &a->e->counters;
    c->events += a->counts == COUNTS_EVENT;
    c->queries += a->counts == COUNTS_QUERY;
    c->directives += a->counts == COUNTS_EVENT && a->directives != NULL ? a->directives->n : 0;
    if (a->counts == COUNTS_QUERY && a->p->account != 0)
        usage_count(a->e, a->p->account, &(struct usage){.queries = 1});
}

static void reckon(struct activation *a, bool reckons)
{
    if (a->reckons != reckons)
        lane_pace(a->e, a->lane, reckons);
    a->reckons = reckons;
}

/* Take the effects over and send them off. r, which may be NULL, is answered when they are durable.
 * False: the pico is broken. */
static bool hand_in(struct activation *a, struct pico_request *r)
{
    struct pico_engine *e = a->e;
    reckon(a, false);
    pthread_mutex_lock(&e->lock);
    if (a->p->broken) {
        pthread_mutex_unlock(&e->lock);
        return false;
    }
    struct commit *c = a->commit;
    count(a);
    if (c != NULL)
        take_over(a, true);
    bool some = c != NULL && c->first != NULL;
    bool bills = a->counts == COUNTS_EVENT && a->p->account != 0;
    if (bills && some) {
        c->account = a->p->account;
        c->events++;
    } else if (bills) {
        usage_count(e, a->p->account, &(struct usage){.events = 1});
    }
    bool hangs = r != NULL && hang_on(some ? c : a->p->tail, r);
    if (some)
        commit_chain(c);
    pthread_mutex_unlock(&e->lock);
    if (some)
        commit_send(c);
    else
        commit_drop(c);
    a->commit = NULL;
    if (r != NULL && !hangs)
        request_done(e, r, r->rc, NULL);
    return true;
}

/* --- events --- */

static bool run_ruleset(struct activation *a, const struct cell *cell, struct str domain,
                        struct str name)
{
    struct active *active = activation_active(a, cell);
    if (active == NULL)
        return false;
    if (!krl_rules_salient(active->code, domain, name))
        return true;
    size_t at = (size_t)(active - a->actives);
    if (!activation_ready(a, active))
        return false;
    active = &a->actives[at];
    if (active->states == NULL && !read_states(a, active))
        return false;
    return krl_rules_run(&a->m, active->instance, &a->event, active->states) == RC_OK;
}

static bool run_raised(struct activation *a, const struct raised *r)
{
    const struct cell *const *list = NULL;
    size_t n = 0;
    struct str domain = text_of(a, r->domain);
    struct str name = text_of(a, r->name);
    a->event.domain = r->domain;
    a->event.name = r->name;
    a->event.attrs = r->attrs;
    a->cleared = false;
    if (!view_list(a, CELL_INSTALLED, &list, &n))
        return false;
    int64_t *rids = krl_take_n(&a->m.heap, n + 1, sizeof *rids);
    if (rids == NULL)
        return false;
    for (size_t i = 0; i < n; i++) /* a rule may take a ruleset away, and its cell with it */
        rids[i] = list[i]->rid;
    for (size_t i = 0; i < n && !a->cleared; i++) {
        const struct cell *cell = view_get(a, CELL_INSTALLED, rids[i], STR(""));
        if (cell == NULL || (r->only != 0 && r->only != cell->rid))
            continue;
        if (!run_ruleset(a, cell, domain, name))
            return false;
    }
    return true;
}

static bool run_events(struct activation *a, struct str domain, struct str name, struct str attrs)
{
    struct krl_value map = attrs.n == 0 ? krl_undefined() : activation_read(a, attrs);
    a->event.eci = value_of(a, a->eci);
    a->event.eid = value_of(a, a->eid);
    int64_t now_ms = clock_now(a->e->clock) / US_PER_MS;
    a->event.time_ms = (double)now_ms;
    a->directives = krl_array_reserve(&a->m.heap, 4);
    if (a->directives == NULL || krl_is_failed(map) ||
        !activation_raise(a, value_of(a, domain), value_of(a, name), map, 0))
        return false;
    while (a->raised != NULL) {
        struct raised *r = a->raised;
        a->raised = r->next;
        if (a->raised == NULL)
            a->raised_last = &a->raised;
        if (!run_raised(a, r))
            return false;
    }
    return gather(a);
}

/* --- queries --- */

bool activation_query(struct activation *a, struct str rid, struct str name, struct str attrs,
                      struct krl_value *ret)
{
    struct krl_heap *h = &a->m.heap;
    const struct cell *cell = activation_installed(a, rid);
    if (cell == NULL) {
        krl_fail(h, RC_NOT_FOUND, "Error: Pico doesn't have %.*s installed.", STRF(rid));
        return false;
    }
    struct active *active = activation_active(a, cell);
    if (active == NULL)
        return false;
    size_t at = (size_t)(active - a->actives);
    if (str_eq(name, STR("__testing"))) {
        *ret = testing_value(h, active->code);
        return !krl_is_failed(*ret);
    }
    if (!activation_ready(a, active))
        return false;
    struct krl_instance *instance = a->actives[at].instance;
    const struct krl_value *shared = krl_instance_shared(instance, name);
    if (shared == NULL) {
        krl_fail(h, RC_NOT_FOUND, "Error: Ruleset %.*s does not have query function \"%.*s\"",
                 STRF(rid), STRF(name));
        return false;
    }
    if (!krl_is_function(*shared)) {
        *ret = *shared;
        return true;
    }
    struct krl_value args = attrs.n == 0 ? krl_undefined() : activation_read(a, attrs);
    return !krl_is_failed(args) && krl_machine_call(&a->m, instance, *shared, args, ret) == RC_OK;
}

/* --- beginning and ending --- */

static void begin(struct activation *a, struct arena *arena, struct arena *own)
{
    struct pico_engine *e = a->e;
    int64_t steps = e->o.steps_max;
    if (a->lane != LANE_SLOW)
        steps = min_i64(steps, a->lane == LANE_HERE ? PICO_STEPS_HERE : PICO_STEPS_FAST);
    arena_init(arena, e->o.memory_max);
    arena_init(own, ARENA_COMMIT_BYTES);
    if (a->lane == LANE_SLOW && a->outer == NULL)
        a->scratch = scratch_take(e);
    if (a->scratch != NULL)
        arena_lend(arena, a->scratch);
    a->host = activation_host;
    a->arena = arena;
    a->arena_own = own;
    a->raised_last = &a->raised;
    krl_machine_init(&a->m, arena, &a->host, steps, e->seed);
    a->m.official_reset = e->o.official_reset;
    a->m.official_window = e->o.official_window;
}

static void end(struct activation *a)
{
    for (size_t i = 0; i < a->actives_n; i++)
        registry_release(a->e->registry, a->actives[i].held);
    int64_t steps = max_i64(0, a->steps_given - a->m.heap.steps);
    a->p->steps = steps;
    atomic_fetch_add(&a->e->steps, (uint64_t)steps);
    cells_fini(&a->changes);
    commit_drop(a->commit);
    a->commit = NULL;
    arena_fini(a->arena);
    arena_fini(a->arena_own);
    scratch_give(a->e, a->scratch);
    a->scratch = NULL;
}

/* The answer goes into the request's own arena. */
static void set_reply(struct activation *a, struct pico_request *r, struct krl_value v)
{
    r->undefined = v.type == KRL_UNDEFINED;
    struct str json = r->undefined ? STR("") : activation_json(a, v);
    if (json.n >= arena_room(r->arena)) {
        krl_fail(&a->m.heap, RC_TOO_LARGE, "Error: the answer is too large");
        return;
    }
    r->reply = arena_str(r->arena, json);
    r->rc = RC_OK;
}

static struct krl_value event_reply(struct activation *a, const struct pico_request *r)
{
    struct krl_heap *h = &a->m.heap;
    if (r->ask == PICO_EVENT)
        return value_of(a, a->eid);
    struct krl_map *map = krl_map_new(h, 2);
    if (map == NULL || !krl_map_set_ascii(h, map, "eid", value_of(a, a->eid)) ||
        !krl_map_set_ascii(h, map, "directives", krl_of_array(a->directives)))
        return krl_failed();
    return krl_of_map(map);
}

/* Why an activation is begun anew. False: it is over, with an error. */
static bool again(const struct activation *a, enum outcome *ret)
{
    if (a->wants_settle) {
        *ret = OUT_SETTLE;
        return true;
    }
    if (a->wants_rest) {
        *ret = OUT_REST;
        return true;
    }
    bool short_of_steps = a->m.heap.err.rc == RC_TIMEOUT && a->lane != LANE_SLOW &&
                          a->steps_given < a->e->o.steps_max;
    *ret = a->lane == LANE_HERE && !a->wants_slow ? OUT_FAST : OUT_SLOW;
    return a->wants_slow || short_of_steps;
}

/* An event that was accepted before is gone through, well or not. */
static bool note_done(struct activation *a)
{
    bool gone = false;
    if (a->item->kind == ITEM_STORED)
        commit_op(a->commit, OP_EVENT_DONE, a->p->no)->row = a->item->row;
    if (a->item->kind == ITEM_SCHEDULE && !schedule_take(a, a->item->name, &gone))
        return false;
    if (gone)
        krl_fail(&a->m.heap, RC_NOT_FOUND, "Error: the schedule is not there any more");
    return !gone;
}

static void note_error(struct activation *a)
{
    struct pico_engine *e = a->e;
    activation_log(a, "error", err_text(&a->m.heap.err), krl_undefined());
    pthread_mutex_lock(&e->lock);
    e->counters.errors += a->item->kind != ITEM_REQUEST;
    e->counters.timeouts += a->m.heap.err.rc == RC_TIMEOUT;
    pthread_mutex_unlock(&e->lock);
}

/* After an error nothing is kept but that the event was there. */
static enum outcome end_badly(struct activation *a, struct pico_request *r)
{
    struct pico_engine *e = a->e;
    struct err err = a->m.heap.err;
    reckon(a, false);
    note_error(a);
    if (r != NULL) {
        request_done(e, r, err.rc, &err);
        return OUT_DONE;
    }
    if (err.rc == RC_UNAVAILABLE) { /* the store does not answer: the event is still there */
        pthread_mutex_lock(&e->lock);
        a->p->broken = true;
        pthread_mutex_unlock(&e->lock);
        return OUT_BROKEN;
    }
    commit_drop(a->commit);
    cells_fini(&a->changes);
    a->commit = commit_new(e, a->p);
    a->born = NULL;
    err_clear(&a->m.heap.err);
    a->steps_given += KRL_STEPS_DEFAULT - a->m.heap.steps;
    a->m.heap.steps = KRL_STEPS_DEFAULT; /* the budget was the ruleset's, this is ours */
    if (!note_done(a))
        return OUT_DONE;
    return hand_in(a, NULL) ? OUT_DONE : OUT_BROKEN;
}

/* --- the kinds of items --- */

static bool set_eid(struct activation *a, struct str eid)
{
    if (eid.n > WORD_MAX) {
        krl_fail(&a->m.heap, RC_TOO_LARGE, "Error: an eid has at most %d bytes", WORD_MAX);
        return false;
    }
    if (eid.n == 0) {
        chance_eci(a->e, a->made_eid);
        eid = str_c(a->made_eid);
    }
    a->eid = eid;
    return true;
}

/* An event that waited for this pico where it was before it moved here: what the parent sent there
 * is the parent's here. False: an error. */
static bool note_home(struct activation *a, struct str key)
{
    struct err err;
    bool arrived = false;
    size_t dot = str_find(key, '.', 0);
    if (dot == key.n || a->sender != 0)
        return true;
    if (rows_arrived(a->e, str_sub(key, 0, dot), &arrived, &err) != RC_OK) {
        krl_fail(&a->m.heap, RC_UNAVAILABLE, "%.*s", STRF(err_text(&err)));
        return false;
    }
    if (arrived)
        a->sender = a->p->parent;
    return true;
}

/* Whether the pico had this event before; else its key is kept with what it does. False: an error,
 * or to be begun anew: what is on its way to the disk may have the key. */
static bool note_key(struct activation *a, struct str key, bool *ret_seen)
{
    struct err err;
    *ret_seen = false;
    if (key.n == 0)
        return true;
    if (!activation_settled(a))
        return false;
    if (rows_seen(a->e, a->p->no, key, ret_seen, &err) != RC_OK) {
        krl_fail(&a->m.heap, RC_UNAVAILABLE, "%.*s", STRF(err_text(&err)));
        return false;
    }
    if (!*ret_seen)
        commit_op(a->commit, OP_SEEN, a->p->no)->cell.name = arena_str(&a->commit->arena, key);
    return true;
}

static bool request_event(struct activation *a, const struct pico_request *r)
{
    bool seen = false;
    if (!set_eid(a, r->eid) || !note_home(a, r->key) ||
        !(r->inside || access_event(a, r->domain, r->name)) || !note_key(a, r->key, &seen))
        return false;
    if (!seen)
        return run_events(a, r->domain, r->name, r->attrs);
    a->directives = krl_array_reserve(&a->m.heap, 1);
    return a->directives != NULL;
}

static enum outcome do_event(struct activation *a, struct pico_request *r)
{
    enum outcome out = OUT_DONE;
    bool only = r->ask != PICO_EVENT_QUERY;
    a->commit = commit_new(a->e, a->p);
    if (!request_event(a, r))
        return again(a, &out) ? out : end_badly(a, r);
    if (only)
        set_reply(a, r, event_reply(a, r));
    if (krl_failing(&a->m.heap))
        return again(a, &out) ? out : end_badly(a, r);
    a->counts = COUNTS_EVENT;
    if (!hand_in(a, only ? r : NULL))
        return OUT_BROKEN;
    a->item->event_done = true;
    return OUT_DONE;
}

static enum outcome do_query(struct activation *a, struct pico_request *r)
{
    enum outcome out = OUT_DONE;
    struct krl_value v = krl_undefined();
    struct str args = r->ask == PICO_EVENT_QUERY && r->args.n > 0 ? r->args : r->attrs;
    if (!(r->inside || access_query(a, r->rid, r->query)) ||
        !activation_query(a, r->rid, r->query, args, &v))
        return again(a, &out) ? out : end_badly(a, r);
    set_reply(a, r, v);
    if (krl_failing(&a->m.heap))
        return again(a, &out) ? out : end_badly(a, r);
    a->counts = COUNTS_QUERY;
    return hand_in(a, r) ? OUT_DONE : OUT_BROKEN;
}

/* The engine died of it too often: its owner may have it tried again. */
static bool put_aside(struct activation *a)
{
    struct pico_engine *e = a->e;
    const struct item *i = a->item;
    bool stored = i->kind == ITEM_STORED;
    const struct str event[2] = {stored ? i->domain : a->due_domain,
                                 stored ? i->name : a->due_name};
    struct item *kept =
        item_new(ITEM_STORED, a->eci, a->eid, event, stored ? i->attrs : a->due_attrs);
    kept->row = stored ? i->row : (int64_t)atomic_fetch_add(&e->next_row, 1);
    kept->sender = i->sender;
    kept->hops = i->hops;
    commit_op(a->commit, OP_ASIDE, a->p->no)->event = kept;
    struct str text =
        arena_fmt(a->arena_own,
                  "the engine died %d times at the event %.*s:%.*s: it is set aside, "
                  "with the number %lld",
                  PICO_TRIES_MAX + 1, STRF(event[0]), STRF(event[1]), (long long)kept->row);
    activation_log(a, "error", text, krl_undefined());
    if (e->o.log != NULL)
        log_event(e->o.log, LOG_ERROR, "pico.aside", LOG_S("pico", a->p->id),
                  LOG_I("event", kept->row));
    return !krl_failing(&a->m.heap);
}

/* An event that waits in the store, or a schedule that is due. */
static enum outcome do_stored(struct activation *a)
{
    enum outcome out = OUT_DONE;
    const struct item *i = a->item;
    a->commit = commit_new(a->e, a->p);
    bool ok = note_done(a) && set_eid(a, i->eid);
    if (ok && i->condemned)
        ok = put_aside(a);
    else if (ok && i->kind == ITEM_STORED)
        ok = access_event(a, i->domain, i->name) && run_events(a, i->domain, i->name, i->attrs);
    else if (ok)
        ok = run_events(a, a->due_domain, a->due_name, a->due_attrs);
    if (!ok)
        return again(a, &out) ? out : end_badly(a, NULL);
    a->counts = COUNTS_EVENT;
    return hand_in(a, NULL) ? OUT_DONE : OUT_BROKEN;
}

/* What its owner wants of a pico. */
static enum outcome do_order(struct activation *a, struct pico_request *r)
{
    enum outcome out = OUT_DONE;
    struct krl_value v = krl_undefined();
    a->commit = commit_new(a->e, a->p);
    if (!order_run(a, r, &v) || !gather(a))
        return again(a, &out) ? out : end_badly(a, r);
    set_reply(a, r, v);
    if (krl_failing(&a->m.heap))
        return again(a, &out) ? out : end_badly(a, r);
    return hand_in(a, r) ? OUT_DONE : OUT_BROKEN;
}

static enum outcome run(struct activation *a)
{
    struct pico_request *r = a->item->request;
    if (a->item->kind != ITEM_REQUEST)
        return do_stored(a);
    switch (r->ask) {
    case PICO_EVENT:
    case PICO_EVENT_WAIT:
        return do_event(a, r);
    case PICO_QUERY:
        return do_query(a, r);
    case PICO_EVENT_QUERY:
        return a->item->event_done ? do_query(a, r) : do_event(a, r);
    case PICO_INSTALL:
    case PICO_UNINSTALL:
    case PICO_NEW:
    case PICO_DELETE:
        return do_order(a, r);
    }
    NEVER("no such request");
}

/* What is begun anew costs its account nothing. */
static void count_steps(const struct activation *a)
{
    struct pico_engine *e = a->e;
    const struct usage used = {.steps = max_i64(0, a->steps_given - a->m.heap.steps)};
    if (a->p->account == 0)
        return;
    pthread_mutex_lock(&e->lock);
    usage_count(e, a->p->account, &used);
    pthread_mutex_unlock(&e->lock);
}

/* Nobody pays: only its owner may ask it. */
static enum outcome refuse_suspended(struct pico_engine *e, struct pico_request *r)
{
    struct err err;
    err_clear(&err);
    err_write(&err, RC_FORBIDDEN, "Error: this pico is suspended");
    pthread_mutex_lock(&e->lock);
    e->counters.refused++;
    pthread_mutex_unlock(&e->lock);
    request_done(e, r, RC_FORBIDDEN, &err);
    return OUT_DONE;
}

static enum outcome run_item(struct activation *a)
{
    struct arena arena;
    struct arena own;
    struct item *i = a->item;
    struct pico_request *r = i->request;
    a->eci = r != NULL ? r->eci : i->eci;
    a->sender = i->sender;
    a->hops = r != NULL ? max_i64(i->hops, r->hops) : i->hops;
    outside_rewind(i);
    begin(a, &arena, &own);
    a->steps_given = a->m.heap.steps;
    reckon(a, true);
    enum outcome out = run(a);
    reckon(a, false);
    if (out == OUT_DONE)
        count_steps(a);
    end(a);
    return out;
}

enum outcome activation_item(struct pico_engine *e, struct pico *p, struct item *i, enum lane lane,
                             int depth)
{
    struct activation a = {.e = e, .p = p, .item = i, .lane = lane, .depth = depth};
    if (p->suspended && i->kind == ITEM_REQUEST && (i->sender != 0 || !i->request->inside))
        return refuse_suspended(e, i->request);
    bool pair = i->kind == ITEM_REQUEST && i->request->ask == PICO_EVENT_QUERY && !i->event_done;
    enum outcome out = OUT_DONE;
    if (!trial_pass(e, p, i, &out))
        return out;
    out = run_item(&a);
    if (!pair || !i->event_done || out != OUT_DONE)
        return out;
    outside_forget(i); /* the query asks for itself */
    a = (struct activation){.e = e, .p = p, .item = i, .lane = lane, .depth = depth};
    return run_item(&a);
}

/* --- inside of a pico that this activation made --- */

/* Copy a value from one heap into another. */
static struct krl_value move_value(struct activation *from, struct activation *to,
                                   struct krl_value v)
{
    struct str bytes = krl_pack(&from->m.heap, v);
    if (bytes.p == NULL) {
        krl_fail(&to->m.heap, RC_TOO_LARGE, "Error: the answer is too large");
        return krl_failed();
    }
    return krl_unpack(&to->m.heap, bytes);
}

struct krl_value activation_nested(struct activation *a, struct pico *child,
                                   const struct pico_request *r)
{
    struct arena arena;
    struct arena own;
    struct krl_value v = krl_undefined();
    struct krl_value answer = krl_failed();
    struct activation b = {.e = a->e,
                           .p = child,
                           .outer = a,
                           .item = a->item,
                           .lane = a->lane,
                           .depth = a->depth + 1,
                           .eci = r->eci,
                           .sender = a->p->no,
                           .hops = a->hops,
                           .commit = a->commit};
    begin(&b, &arena, &own);
    b.m.heap.steps = a->m.heap.steps;
    b.steps_given = b.m.heap.steps;
    bool ok = r->ask == PICO_QUERY || request_event(&b, r);
    if (ok && r->ask != PICO_QUERY)
        take_over(&b, false);
    b.commit = NULL;
    if (ok && r->ask != PICO_EVENT_WAIT)
        ok = access_query(&b, r->rid, r->query) &&
             activation_query(&b, r->rid, r->query, r->ask == PICO_QUERY ? r->attrs : r->args, &v);
    if (ok)
        answer = move_value(&b, a, v);
    else
        krl_fail(&a->m.heap, b.m.heap.err.rc, "%.*s", STRF(err_text(&b.m.heap.err)));
    a->m.heap.steps = b.m.heap.steps;
    b.steps_given = b.m.heap.steps; /* they are counted by the outer one */
    a->wants_slow = a->wants_slow || b.wants_slow;
    a->wants_settle = a->wants_settle || b.wants_settle;
    a->wants_rest = a->wants_rest || b.wants_rest;
    end(&b);
    return answer;
}
