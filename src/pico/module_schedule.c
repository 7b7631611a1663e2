/* schedule: events that come later, once or again and again. */
#include "pico/activation.h"

#include "krl/lib.h"
#include "krl/pack.h"
#include "krl/time.h"
#include "pico/cron.h"

#include <math.h>

#define TIME_MS_MAX 8.64e15 /* of JavaScript's dates */

/* The number of the ruleset whose code runs. */
static int64_t running_rid(struct activation *a)
{
    const struct krl_instance *i = krl_machine_running(&a->m);
    return activation_rid(a, i == NULL ? a->m.root->code->rid : i->code->rid);
}

static bool read_at(struct activation *a, struct krl_value when, double *ret_ms)
{
    struct krl_heap *h = &a->m.heap;
    double ms = NAN;
    if (krl_is_number(when))
        ms = when.number;
    else if (when.type == KRL_TEXT && !krl_time_read(when.text, a->host.now_ms(&a->host), &ms))
        ms = NAN;
    if (!krl_failing(h) && isfinite(ms) && fabs(ms) <= TIME_MS_MAX) {
        *ret_ms = trunc(ms);
        return true;
    }
    struct str text = krl_to_message(h, when);
    krl_fail(h, RC_INVALID, "TypeError: schedule .. at expected a timestamp but got %.*s",
             STRF(text));
    return false;
}

/* When a repeated event is due after a time. */
static bool next_of(struct activation *a, struct str spec, time_us after, time_us *ret)
{
    struct pico_cron cron;
    struct err err;
    enum rc rc = pico_cron_read(spec, &cron, &err);
    if (rc == RC_OK)
        *ret = pico_cron_next(&cron, after);
    else
        krl_fail(&a->m.heap, rc, "TypeError: schedule .. repeat: %.*s", STRF(err_text(&err)));
    return rc == RC_OK;
}

static struct krl_value make_entry(struct activation *a, const struct krl_scheduled *s,
                                   const struct krl_value names[2], struct krl_value attrs,
                                   struct str id, struct krl_value when)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_map *entry = krl_map_new(h, 4);
    struct krl_map *event = krl_map_new(h, 8);
    struct krl_map *data = krl_map_new(h, 1);
    if (entry == NULL || event == NULL || data == NULL ||
        !krl_map_set_ascii(h, data, "attrs", attrs) ||
        !krl_map_set_ascii(h, event, "eci", value_of(a, a->eci)) ||
        !krl_map_set_ascii(h, event, "domain", names[0]) ||
        !krl_map_set_ascii(h, event, "name", names[1]) ||
        !krl_map_set_ascii(h, event, "data", krl_of_map(data)) ||
        !krl_map_set_ascii(h, event, "time", krl_number(0)) ||
        !krl_map_set_ascii(h, entry, "id", value_of(a, id)) ||
        !krl_map_set_ascii(h, entry, "type", krl_ascii(h, s->repeat ? "repeat" : "at")) ||
        !krl_map_set_ascii(h, entry, s->repeat ? "timespec" : "time", when) ||
        !krl_map_set_ascii(h, entry, "event", krl_of_map(event)))
        return krl_failed();
    return krl_of_map(entry);
}

struct krl_value schedule_make(struct activation *a, const struct krl_scheduled *s,
                               const struct krl_value names[2], struct krl_value attrs)
{
    struct krl_heap *h = &a->m.heap;
    double ms = 0;
    time_us due = 0;
    char id[ECI_N + 1];
    struct krl_value when = s->when;
    if (s->repeat) {
        if (!next_of(a, text_of(a, s->when), clock_now(a->e->clock), &due))
            return krl_failed();
    } else {
        char text[KRL_TIME_TEXT_MAX];
        if (!read_at(a, s->when, &ms))
            return krl_failed();
        due = (time_us)ms * US_PER_MS;
        if (!krl_is_number(when))
            when = value_of(a, str_n(text, krl_time_print(ms, text)));
    }
    if (view_count(a, CELL_SCHEDULE) >= PICO_SCHEDULES_MAX) {
        krl_fail(h, RC_TOO_MANY, "Error: a pico has at most %d schedules", PICO_SCHEDULES_MAX);
        return krl_failed();
    }
    chance_eci(a->e, id);
    struct krl_value entry = make_entry(a, s, names, attrs, str_c(id), when);
    struct str bytes = krl_is_failed(entry) ? STR("") : krl_pack(h, entry);
    if (krl_is_failed(entry) || bytes.p == NULL)
        return krl_failed();
    if (bytes.n > PICO_ATTRS_BYTES_MAX) {
        krl_fail(h, RC_TOO_LARGE, "Error: attributes have at most %d bytes", PICO_ATTRS_BYTES_MAX);
        return krl_failed();
    }
    view_put(a, &(struct cell){.kind = CELL_SCHEDULE,
                               .name = str_c(id),
                               .number = due,
                               .place = running_rid(a),
                               .bytes = bytes});
    return entry;
}

static struct krl_value field(struct krl_value map, const char *key)
{
    const struct krl_value *v = map.type == KRL_MAP ? krl_map_find(map.map, key) : NULL;
    return v == NULL ? krl_null() : *v;
}

bool schedule_take(struct activation *a, struct str id, bool *ret_gone)
{
    time_us now = clock_now(a->e->clock);
    const struct cell *cell = view_get(a, CELL_SCHEDULE, 0, id);
    *ret_gone = cell == NULL || cell->number > now;
    if (*ret_gone)
        return true;
    struct cell c = *cell;
    struct krl_value entry = krl_unpack(&a->m.heap, c.bytes);
    struct krl_value event = field(entry, "event");
    if (krl_is_failed(entry))
        return false;
    a->eci = arena_str(a->arena_own, text_of(a, field(event, "eci")));
    a->due_domain = arena_str(a->arena_own, text_of(a, field(event, "domain")));
    a->due_name = arena_str(a->arena_own, text_of(a, field(event, "name")));
    a->due_attrs =
        arena_str(a->arena_own, activation_json(a, field(field(event, "data"), "attrs")));
    if (str_eq(text_of(a, field(entry, "type")), STR("at"))) {
        view_drop(a, CELL_SCHEDULE, 0, id);
        return !krl_failing(&a->m.heap);
    }
    /* Planned from the last planned time, so that nothing drifts; what was missed comes once. */
    struct str spec = text_of(a, field(entry, "timespec"));
    if (!next_of(a, spec, c.number, &c.number))
        return false;
    if (c.number <= now && !next_of(a, spec, now, &c.number))
        return false;
    view_put(a, &c);
    return !krl_failing(&a->m.heap);
}

/* --- the module --- */

static struct krl_value list(struct activation *a, const struct krl_value *args, size_t n)
{
    const struct cell *const *cells = NULL;
    size_t count = 0;
    int64_t rid = running_rid(a);
    struct krl_array *all = krl_array_reserve(&a->m.heap, 4);
    (void)args;
    (void)n;
    if (all == NULL || !view_list(a, CELL_SCHEDULE, &cells, &count))
        return krl_failed();
    for (size_t i = 0; i < count; i++) {
        if (cells[i]->place != rid)
            continue;
        struct krl_value v = krl_unpack(&a->m.heap, cells[i]->bytes);
        if (krl_is_failed(v) || !krl_array_add(&a->m.heap, all, v))
            return krl_failed();
    }
    return krl_of_array(all);
}

static const struct cell *own(struct activation *a, const struct krl_value *args, size_t n)
{
    const struct cell *c = view_get(a, CELL_SCHEDULE, 0, text_of(a, krl_arg(args, n, 0)));
    return c != NULL && c->place == running_rid(a) ? c : NULL;
}

static struct krl_value get(struct activation *a, const struct krl_value *args, size_t n)
{
    const struct cell *c = own(a, args, n);
    return c == NULL ? krl_null() : krl_unpack(&a->m.heap, c->bytes);
}

static struct krl_value take_away(struct activation *a, const struct krl_value *args, size_t n)
{
    const struct cell *c = own(a, args, n);
    if (c != NULL)
        view_drop(a, CELL_SCHEDULE, 0, arena_str(a->arena_own, c->name));
    return krl_bool(c != NULL);
}

static struct krl_value clear(struct activation *a, const struct krl_value *args, size_t n)
{
    const struct cell *const *cells = NULL;
    size_t count = 0;
    int64_t rid = running_rid(a);
    (void)args;
    (void)n;
    if (!view_list(a, CELL_SCHEDULE, &cells, &count))
        return krl_failed();
    for (size_t i = 0; i < count; i++) {
        struct cell c = *cells[i];
        if (c.place == rid)
            view_drop(a, CELL_SCHEDULE, 0, arena_str(a->arena_own, c.name));
    }
    return krl_null();
}

static const struct member members[] = {
    {"list", KRL_DOOR_FUNCTION, list, {NULL}},
    {"get", KRL_DOOR_FUNCTION, get, {"id", NULL}},
    {"remove", KRL_DOOR_ACTION, take_away, {"id", NULL}},
    {"clear", KRL_DOOR_ACTION, clear, {NULL}},
    {NULL, 0, NULL, {NULL}},
};

const struct module module_schedule = {"schedule", members};
