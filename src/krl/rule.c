#include "krl/rule.h"

#include "krl/lib.h"
#include "krl/regex.h"

#include <math.h>

/* What one rule makes of one event. */
struct stepping {
    struct krl_machine *m;
    struct krl_instance *instance;
    const struct krl_rule *rule;
    const struct krl_event *event;
    struct krl_rule_state *state;
    uint8_t tried[KRL_EVENTS_MAX]; /* of each wanted: 0 not yet, 1 no, 2 yes */
};

static bool names(struct str want, struct str is)
{
    return str_eq(want, STR("*")) || str_eq(want, is);
}

static struct str utf8(struct krl_machine *m, struct krl_value v)
{
    return v.type == KRL_TEXT ? krl_text_utf8(&m->heap, v.text, false) : STR("");
}

static bool is_salient(const struct krl_select *s, struct str domain, struct str name)
{
    for (uint32_t i = 0; i < s->wanted_n; i++)
        if (names(s->wanted[i].domain, domain) && names(s->wanted[i].type, name))
            return true;
    return false;
}

bool krl_rules_salient(const struct krl_code *code, struct str domain, struct str name)
{
    for (uint32_t i = 0; i < code->rules_n; i++)
        if (is_salient(&code->rules[i].select, domain, name))
            return true;
    return false;
}

static struct krl_value setting_of(const struct krl_rule_state *s, const struct krl_text *name)
{
    const struct krl_value *v =
        s->setting.type == KRL_MAP ? krl_map_get(s->setting.map, name) : NULL;
    return v == NULL ? krl_undefined() : *v;
}

static bool put_in(struct krl_machine *m, struct krl_value *map, const struct krl_text *name,
                   struct krl_value v)
{
    if (map->type != KRL_MAP)
        *map = krl_of_map(krl_map_new(&m->heap, 4));
    if (krl_is_failed(*map) || krl_is_failed(v))
        return false;
    *map = krl_of_map(krl_map_put(&m->heap, map->map, name, v));
    return !krl_is_failed(*map);
}

/* --- matching attributes --- */

static struct krl_value attribute(struct krl_machine *m, const struct krl_event *e,
                                  const struct krl_text *name)
{
    const struct krl_value *v = e->attrs.type == KRL_MAP ? krl_map_get(e->attrs.map, name) : NULL;
    return krl_of_text(v == NULL ? &krl_empty : krl_to_text(&m->heap, *v));
}

/* All patterns match: their captures, in order. */
static bool match_attributes(struct stepping *s, const struct krl_wanted *w,
                             struct krl_array *captures)
{
    struct krl_machine *m = s->m;
    for (uint32_t i = 0; i < w->matches_n; i++) {
        struct krl_match match;
        struct krl_value text = attribute(m, s->event, w->attributes[i]);
        if (krl_is_failed(text) || !krl_regex_match(&m->heap, w->patterns[i], text.text, 0, &match))
            return false;
        for (size_t g = 1; g < w->patterns[i]->groups; g++) {
            struct krl_value v = krl_undefined();
            if (match.at[2 * g] >= 0 && match.at[2 * g + 1] >= 0)
                v = krl_of_text(krl_text_part(&m->heap, text.text, (size_t)match.at[2 * g],
                                              (size_t)match.at[2 * g + 1]));
            if (krl_is_failed(v) || !krl_array_add(&m->heap, captures, v))
                return false;
        }
    }
    return true;
}

static bool run_test(struct stepping *s, const struct krl_proto *test,
                     const struct krl_value *setting, struct krl_value *ret)
{
    const struct krl_select *select = &s->rule->select;
    struct krl_value *locals = krl_take_n(&s->m->heap, select->setting_n + 1U, sizeof *locals);
    if (locals == NULL)
        return false;
    for (uint32_t i = 0; i < select->setting_n; i++) {
        const struct krl_value *v =
            setting->type == KRL_MAP ? krl_map_get(setting->map, select->setting[i]) : NULL;
        locals[i] = v == NULL ? krl_undefined() : *v;
    }
    return krl_machine_run(s->m, s->instance, test, locals, select->setting_n, ret) == RC_OK;
}

/* --- aggregates --- */

static double as_number(struct krl_value v)
{
    double number = 0;
    return krl_to_number(v, &number) ? number : 0;
}

static struct krl_value aggregate(enum krl_aggregate kind, const struct krl_array *values)
{
    double sum = 0;
    double low = INFINITY;
    double high = -INFINITY;
    for (size_t i = 0; i < values->n; i++) {
        double number = as_number(values->v[i]);
        sum += number;
        low = fmin(low, number);
        high = fmax(high, number);
    }
    switch (kind) {
    case KRL_AGGREGATE_MAX:
        return krl_number(high);
    case KRL_AGGREGATE_MIN:
        return krl_number(low);
    case KRL_AGGREGATE_SUM:
        return krl_number(sum);
    case KRL_AGGREGATE_AVG:
        return krl_number(sum / values->n);
    case KRL_AGGREGATE_PUSH:
        return krl_of_array(values);
    case KRL_AGGREGATE_NONE:
        break;
    }
    NEVER("nothing to aggregate");
}

static bool is_in(const struct krl_rule_state *s, uint16_t state)
{
    if (s->states_n == 0)
        return state == KRL_STATE_START;
    for (uint32_t i = 0; i < s->states_n; i++)
        if (s->states[i] == state)
            return true;
    return false;
}

static bool run_aggregate(struct stepping *s, const struct krl_wanted *w,
                          const struct krl_array *captures)
{
    struct krl_heap *h = &s->m->heap;
    struct krl_rule_state *state = s->state;
    for (uint32_t i = 0; i < w->aggregate_names_n; i++) {
        const struct krl_text *name = w->aggregate_names[i];
        const struct krl_value *old =
            state->aggregates.type == KRL_MAP ? krl_map_get(state->aggregates.map, name) : NULL;
        const struct krl_array *values =
            old != NULL && old->type == KRL_ARRAY ? old->array : krl_array_new(h, 0);
        bool start = is_in(state, KRL_STATE_START);
        struct krl_value v = i < captures->n ? captures->v[i] : krl_undefined();
        if (start)
            values = krl_array_new(h, 0);
        values = values == NULL ? NULL : krl_array_push(h, values, v);
        if (values != NULL && !start && is_in(state, KRL_STATE_END))
            values = krl_array_part(h, values, 1, values->n); /* a window that slides */
        if (values == NULL || !put_in(s->m, &state->aggregates, name, krl_of_array(values)) ||
            !put_in(s->m, &state->setting, name, aggregate(w->aggregate, values)))
            return false;
    }
    return true;
}

/* --- one wanted event --- */

/* Whether this event is the wanted one. What it sets goes into the state only then. */
static bool try_wanted(struct stepping *s, const struct krl_wanted *w)
{
    struct krl_machine *m = s->m;
    if (!names(w->domain, utf8(m, s->event->domain)) || !names(w->type, utf8(m, s->event->name)))
        return false;
    struct krl_array *captures = krl_array_reserve(&m->heap, 4);
    if (captures == NULL || !match_attributes(s, w, captures))
        return false;
    struct krl_value setting = s->state->setting;
    for (uint32_t i = 0; i < w->setting_n; i++)
        if (!put_in(m, &setting, w->setting[i], i < captures->n ? captures->v[i] : krl_undefined()))
            return false;
    struct krl_value truth = krl_bool(true);
    if (w->where != NULL && !run_test(s, w->where, &setting, &truth))
        return false;
    if (!krl_truthy(truth))
        return false;
    s->state->setting = setting;
    return w->aggregate == KRL_AGGREGATE_NONE || run_aggregate(s, w, captures);
}

static bool is_wanted(struct stepping *s, uint16_t wanted)
{
    if (s->tried[wanted] == 0)
        s->tried[wanted] = try_wanted(s, &s->rule->select.wanted[wanted]) ? 2 : 1;
    return s->tried[wanted] == 2;
}

/* --- the machine of states --- */

static bool check_window(struct stepping *s)
{
    const struct krl_select *select = &s->rule->select;
    struct krl_rule_state *state = s->state;
    struct krl_value limit = krl_undefined();
    if (select->within == NULL)
        return true;
    if (!run_test(s, select->within, &state->setting, &limit))
        return false;
    double start = state->start_ms != 0 ? state->start_ms : s->event->time_ms;
    if (s->event->time_ms - start > as_number(limit)) {
        state->states_n = 0;
        state->setting = krl_undefined();
        start = s->event->time_ms;
    }
    /* A rule that fired begins anew: so does its window, but not in the official engine. */
    bool fired = state->states_n == 1 && is_in(state, KRL_STATE_END);
    bool begins = is_in(state, KRL_STATE_START) || (fired && !s->m->official_window);
    state->start_ms = begins ? s->event->time_ms : start;
    return true;
}

struct reached {
    uint16_t states[KRL_STATES_MAX];
    uint32_t n;
};

static void reach(struct reached *r, uint16_t state)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (r->states[i] == state)
            return;
    ASSERT(r->n < KRL_STATES_MAX);
    r->states[r->n++] = state;
}

/* Where the event leads from one state. False: an error. */
static bool step_from(struct stepping *s, uint16_t from, struct reached *r)
{
    const struct krl_select *select = &s->rule->select;
    bool taken = false;
    for (uint32_t i = 0; i < select->transitions_n; i++) {
        const struct krl_transition *t = &select->transitions[i];
        if (t->from != from || t->other || !is_wanted(s, t->wanted))
            continue;
        taken = true;
        reach(r, t->to);
    }
    for (uint32_t i = 0; i < select->transitions_n && !taken; i++) {
        const struct krl_transition *t = &select->transitions[i];
        if (t->from == from && t->other)
            reach(r, t->to);
    }
    return !krl_failing(&s->m->heap) && krl_pay(&s->m->heap, select->transitions_n);
}

static bool goes_on(const struct krl_select *select, uint16_t state)
{
    for (uint32_t i = 0; i < select->transitions_n; i++)
        if (select->transitions[i].from == state)
            return true;
    return false;
}

static bool set_states(struct stepping *s, const struct reached *r)
{
    uint16_t *states = krl_take_n(&s->m->heap, r->n, sizeof *states);
    if (states == NULL)
        return false;
    memcpy(states, r->states, r->n * sizeof *states);
    s->state->states = states;
    s->state->states_n = r->n;
    return true;
}

/* An event has the name of a wanted one, and its attributes do not match: in the official engine no
 * state is reached then, and the rule begins anew. */
static bool resets(const struct stepping *s)
{
    const struct krl_select *select = &s->rule->select;
    bool missed = false;
    if (!s->m->official_reset)
        return false;
    for (uint32_t i = 0; i < select->wanted_n; i++) {
        const struct krl_wanted *w = &select->wanted[i];
        if (s->tried[i] == 2)
            return false;
        missed = missed || (s->tried[i] == 1 && names(w->domain, utf8(s->m, s->event->domain)) &&
                            names(w->type, utf8(s->m, s->event->name)));
    }
    return missed;
}

/* Move the rule on. *ret_fires: it came to the end. */
static bool step(struct stepping *s, bool *ret_fires)
{
    struct reached at = {.n = 0};
    struct reached reached = {.n = 0};
    *ret_fires = false;
    if (!check_window(s))
        return false;
    for (uint32_t i = 0; i < s->state->states_n; i++)
        if (goes_on(&s->rule->select, s->state->states[i]))
            reach(&at, s->state->states[i]);
    if (at.n == 0)
        reach(&at, KRL_STATE_START);
    if (!set_states(s, &at))
        return false;
    for (uint32_t i = 0; i < at.n; i++)
        if (!step_from(s, at.states[i], &reached))
            return false;
    for (uint32_t i = 0; i < reached.n; i++)
        *ret_fires = *ret_fires || reached.states[i] == KRL_STATE_END;
    if (*ret_fires) {
        reached.states[0] = KRL_STATE_END;
        reached.n = 1;
    }
    if (reached.n == 0 && resets(s)) {
        s->state->states_n = 0;
        s->state->setting = krl_undefined();
        s->state->aggregates = krl_undefined();
    }
    return reached.n == 0 || set_states(s, &reached);
}

static bool run_rule(struct krl_machine *m, struct krl_instance *instance,
                     const struct krl_rule *rule, const struct krl_event *event,
                     struct krl_rule_state *state)
{
    struct stepping s = {
        .m = m, .instance = instance, .rule = rule, .event = event, .state = state};
    bool fires = false;
    if (!step(&s, &fires))
        return false;
    if (!fires)
        return true;
    m->setting = krl_undefined();
    for (uint32_t i = 0; i < rule->select.setting_n; i++)
        if (!put_in(m, &m->setting, rule->select.setting[i],
                    setting_of(state, rule->select.setting[i])))
            return false;
    state->setting = krl_undefined();
    m->rule_name = rule->name;
    return krl_machine_run(m, instance, rule->body, NULL, 0, NULL) == RC_OK;
}

enum rc krl_rules_run(struct krl_machine *m, struct krl_instance *instance,
                      const struct krl_event *event, struct krl_rule_state *states)
{
    const struct krl_code *code = instance->code;
    struct str domain = utf8(m, event->domain);
    struct str name = utf8(m, event->name);
    m->event = event;
    m->root = instance;
    m->last = false;
    for (uint32_t i = 0; i < code->rules_n && !m->last; i++) {
        if (!is_salient(&code->rules[i].select, domain, name))
            continue;
        bool ok = run_rule(m, instance, &code->rules[i], event, &states[i]);
        m->rule_name = STR("");
        if (!ok || krl_failing(&m->heap)) {
            ASSERT(krl_failing(&m->heap));
            return rc_failed(m->heap.err.rc);
        }
    }
    return RC_OK;
}

/* --- keeping --- */

struct krl_value krl_rule_state_value(struct krl_heap *h, const struct krl_rule_state *s)
{
    struct krl_array *a = krl_array_new(h, 4);
    struct krl_array *states = krl_array_new(h, s->states_n);
    if (a == NULL || states == NULL)
        return krl_failed();
    for (uint32_t i = 0; i < s->states_n; i++)
        states->v[i] = krl_number(s->states[i]);
    a->v[0] = krl_of_array(states);
    a->v[1] = s->setting;
    a->v[2] = s->aggregates;
    a->v[3] = krl_number(s->start_ms);
    return krl_of_array(a);
}

bool krl_rule_state_read(struct krl_heap *h, const struct krl_rule *rule, struct krl_value v,
                         struct krl_rule_state *ret)
{
    if (v.type != KRL_ARRAY || v.array->n != 4 || v.array->v[0].type != KRL_ARRAY ||
        v.array->v[3].type != KRL_NUMBER || v.array->v[0].array->n > rule->select.states_n)
        return false;
    const struct krl_array *from = v.array->v[0].array;
    uint16_t *states = krl_take_n(h, (size_t)from->n + 1, sizeof *states);
    if (states == NULL)
        return false;
    for (size_t i = 0; i < from->n; i++) {
        double state = from->v[i].type == KRL_NUMBER ? from->v[i].number : -1;
        if (!(state >= 0 && state < rule->select.states_n))
            return false;
        states[i] = (uint16_t)state;
    }
    *ret = (struct krl_rule_state){.states = states,
                                   .states_n = from->n,
                                   .setting = v.array->v[1],
                                   .aggregates = v.array->v[2],
                                   .start_ms = v.array->v[3].number};
    return true;
}
