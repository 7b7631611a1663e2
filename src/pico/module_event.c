/* event:send, and meta: what a ruleset may know of where it runs. */
#include "pico/activation.h"

#include "krl/lib.h"
#include "krl/pack.h"

enum { BACKLOG_MAX = 10 * PICO_QUEUE_MAX, HOST_MAX = 300 };

/* --- sending --- */

/* Attributes as the receiver will read them. False: an error. */
static bool attrs_json(struct activation *a, struct krl_value attrs, struct str *ret)
{
    struct krl_heap *h = &a->m.heap;
    *ret = STR("{}");
    if (krl_is_null(attrs))
        return true;
    if (attrs.type != KRL_MAP) {
        krl_fail(h, RC_INVALID, "Error: Expected a JSON map for event.data.attrs");
        return false;
    }
    *ret = activation_json(a, attrs);
    if (ret->n > PICO_ATTRS_BYTES_MAX)
        krl_fail(h, RC_TOO_LARGE, "Error: attributes have at most %d bytes", PICO_ATTRS_BYTES_MAX);
    return !krl_failing(h);
}

/* Whether the sender may send one more. */
static bool check_sender(struct activation *a)
{
    if (a->hops + 1 > PICO_HOPS_MAX)
        krl_fail(&a->m.heap, RC_TOO_LARGE, "Error: events make events more than %d levels deep",
                 PICO_HOPS_MAX);
    else if (a->commit->sent_n++ >= SENT_MAX)
        krl_fail(&a->m.heap, RC_TOO_MANY, "Error: one event sends at most %d events", SENT_MAX);
    return !krl_failing(&a->m.heap);
}

/* Whether the receiver takes one more, and the sender may send it. */
static bool check_send(struct activation *a, const struct eci_node *to)
{
    struct pico_engine *e = a->e;
    pthread_mutex_lock(&e->lock);
    const struct pico *p = table_pico(e, to->pico);
    bool full = p != NULL && p->waiting + p->aside >= BACKLOG_MAX;
    pthread_mutex_unlock(&e->lock);
    if (full)
        krl_fail(&a->m.heap, RC_TOO_MANY, "Error: too much waits at the pico of ECI %.*s",
                 STRF(to->eci));
    return !krl_failing(&a->m.heap) && check_sender(a);
}

/* An address without the last slash; empty: it is this engine's own. False: an error. */
static bool host_of(struct activation *a, struct krl_value v, struct str *ret)
{
    struct str host = krl_is_null(v) ? STR("") : str_trim(text_of(a, v));
    while (str_ends(host, STR("/")))
        host.n--;
    *ret = str_eq(host, a->e->o.base_url) ? STR("") : host;
    bool http = str_starts(host, STR("http://")) || str_starts(host, STR("https://"));
    if (ret->n > 0 && (!http || host.n > HOST_MAX || !str_is_utf8(host)))
        krl_fail(&a->m.heap, RC_INVALID, "TypeError: Invalid URL: %.*s",
                 STRF(str_sub(host, 0, HOST_MAX)));
    else if (ret->n > 0 && a->e->o.wire == NULL)
        krl_fail(&a->m.heap, RC_UNSUPPORTED, "Error: this engine asks no other hosts");
    return !krl_failing(&a->m.heap);
}

/* The event goes to another engine, once this activation is committed. */
static struct krl_value send_away(struct activation *a, struct str host, struct str eci,
                                  const struct str event[2], struct str attrs)
{
    char key[ECI_N + 1];
    if (eci.n == 0 || eci.n > ECI_MAX)
        krl_fail(&a->m.heap, RC_INVALID, "Error: missing event.eci");
    else if (!remote_has_room(a->e, host))
        krl_fail(&a->m.heap, RC_TOO_MANY, "Error: events wait for too many hosts");
    if (krl_failing(&a->m.heap) || !check_sender(a))
        return krl_failed();
    chance_eci(a->e, key);
    struct item *i = item_new(ITEM_STORED, eci, str_c(key), event, attrs);
    i->row = atomic_fetch_add(&a->e->next_remote, 1);
    i->hops = a->hops + 1;
    struct op *op = commit_op(a->commit, OP_REMOTE, a->p->no);
    op->event = i;
    op->cell.name = arena_str(&a->commit->arena, host);
    return value_of(a, str_c(key));
}

/* Nobody here has the channel: it may have moved. */
static struct krl_value send_after(struct activation *a, struct str eci, const struct str event[2],
                                   struct str attrs)
{
    struct str host = STR("");
    struct err err;
    if (remote_moved(a->e, eci, a->arena_own, &host, &err) != RC_OK) {
        krl_fail(&a->m.heap, RC_UNAVAILABLE, "%.*s", STRF(err_text(&err)));
        return krl_failed();
    }
    if (host.n > 0)
        return send_away(a, host, eci, event, attrs);
    struct str text =
        arena_fmt(a->arena_own, "event:send: ECI not found %.*s", STRF(str_sub(eci, 0, ECI_MAX)));
    activation_log(a, "error", text, krl_undefined());
    return krl_null();
}

struct krl_value activation_send(struct activation *a, struct krl_value eci,
                                 const struct krl_value names[2], struct krl_value attrs,
                                 struct krl_value host)
{
    static const char *const words[] = {"domain", "name"};
    struct eci_node to;
    bool found = false;
    struct str json;
    struct str away;
    struct str event[2];
    char eid[ECI_N + 1];
    if (eci.type != KRL_TEXT)
        return krl_type_error(&a->m, "eci was @ instead of a string", eci, eci);
    struct str name = str_trim(text_of(a, eci));
    for (size_t i = 0; i < 2; i++) {
        event[i] = krl_is_null(names[i]) ? STR("") : str_trim(text_of(a, names[i]));
        if (event[i].n == 0 || event[i].n > WORD_MAX)
            krl_fail(&a->m.heap, RC_INVALID, "Error: missing event.%s", words[i]);
    }
    if (krl_failing(&a->m.heap) || !attrs_json(a, attrs, &json) || !host_of(a, host, &away))
        return krl_failed();
    if (away.n > 0)
        return send_away(a, away, name, event, json);
    if (!activation_eci(a, name, &to, &found))
        return krl_failed();
    if (!found)
        return send_after(a, name, event, json);
    to.eci = name;
    if (!check_send(a, &to))
        return krl_failed();
    chance_eci(a->e, eid);
    struct item *i = item_new(ITEM_STORED, name, str_c(eid), event, json);
    i->row = atomic_fetch_add(&a->e->next_row, 1);
    i->sender = a->p->no;
    i->hops = a->hops + 1;
    commit_op(a->commit, OP_EVENT, to.pico)->event = i;
    return value_of(a, str_c(eid));
}

static struct krl_value field(struct krl_value map, const char *key)
{
    const struct krl_value *v = map.type == KRL_MAP ? krl_map_find(map.map, key) : NULL;
    return v == NULL ? krl_undefined() : *v;
}

/* To a channel, or to the other side of a subscription: its bus is {"Tx", "Tx_host"}. */
static struct krl_value send(struct activation *a, const struct krl_value *args, size_t n)
{
    struct krl_value event = krl_arg(args, n, 0);
    struct krl_value names[2] = {field(event, "domain"), field(event, "name")};
    struct krl_value eci = field(event, "eci");
    struct krl_value host = krl_arg(args, n, 1);
    struct krl_value bus = field(event, "sub");
    if (!krl_truthy(names[1]))
        names[1] = field(event, "type");
    if (!krl_truthy(eci) && krl_truthy(bus)) {
        eci = field(bus, "Tx");
        host = field(bus, "Tx_host");
    }
    return activation_send(a, eci, names, field(event, "attrs"), host);
}

static const struct member event_members[] = {
    {"send", KRL_DOOR_ACTION, send, {"options", "host", NULL}},
    {NULL, 0, NULL, {NULL}},
};

const struct module module_event = {"event", event_members};

/* --- meta --- */

static const struct krl_instance *running(struct activation *a)
{
    const struct krl_instance *i = krl_machine_running(&a->m);
    return i == NULL ? a->m.root : i;
}

/* Functions of modules do not see the event. */
static bool sees_event(struct activation *a)
{
    return a->m.event != NULL && running(a) == a->m.root;
}

static struct krl_value meta_eci(struct activation *a, const struct krl_value *args, size_t n)
{
    (void)args;
    (void)n;
    return running(a) == a->m.root ? value_of(a, a->eci) : krl_null();
}

static struct krl_value meta_host(struct activation *a, const struct krl_value *args, size_t n)
{
    (void)args;
    (void)n;
    return value_of(a, a->e->o.base_url);
}

static struct krl_value meta_in_event(struct activation *a, const struct krl_value *args, size_t n)
{
    (void)args;
    (void)n;
    return krl_bool(sees_event(a));
}

static struct krl_value meta_in_query(struct activation *a, const struct krl_value *args, size_t n)
{
    (void)args;
    (void)n;
    return krl_bool(a->commit == NULL && running(a) == a->m.root);
}

static struct krl_value meta_pico(struct activation *a, const struct krl_value *args, size_t n)
{
    (void)args;
    (void)n;
    return value_of(a, a->p->id);
}

static struct krl_value meta_rid(struct activation *a, const struct krl_value *args, size_t n)
{
    (void)args;
    (void)n;
    return value_of(a, running(a)->code->rid);
}

static struct krl_value meta_rule(struct activation *a, const struct krl_value *args, size_t n)
{
    (void)args;
    (void)n;
    return sees_event(a) && a->m.rule_name.n > 0 ? value_of(a, a->m.rule_name) : krl_null();
}

static struct krl_value meta_txn(struct activation *a, const struct krl_value *args, size_t n)
{
    (void)args;
    (void)n;
    return running(a) == a->m.root ? value_of(a, activation_txn(a)) : krl_null();
}

static struct krl_value meta_url(struct activation *a, const struct krl_value *args, size_t n)
{
    const struct cell *c = activation_installed(a, running(a)->code->rid);
    const struct ruleset *set = c == NULL ? NULL : registry_no(a->e->registry, c->number);
    (void)args;
    (void)n;
    return set == NULL ? krl_null() : value_of(a, set->url);
}

static struct krl_value meta_config(struct activation *a, const struct krl_value *args, size_t n)
{
    const struct cell *c = activation_installed(a, running(a)->code->rid);
    (void)args;
    (void)n;
    if (c == NULL || c->bytes.n == 0)
        return krl_of_map(krl_map_new(&a->m.heap, 0));
    return krl_unpack(&a->m.heap, c->bytes);
}

static const struct member meta_members[] = {
    {"eci", KRL_DOOR_PROPERTY, meta_eci, {NULL}},
    {"host", KRL_DOOR_PROPERTY, meta_host, {NULL}},
    {"inEvent", KRL_DOOR_PROPERTY, meta_in_event, {NULL}},
    {"inQuery", KRL_DOOR_PROPERTY, meta_in_query, {NULL}},
    {"picoId", KRL_DOOR_PROPERTY, meta_pico, {NULL}},
    {"rid", KRL_DOOR_PROPERTY, meta_rid, {NULL}},
    {"ruleName", KRL_DOOR_PROPERTY, meta_rule, {NULL}},
    {"txnId", KRL_DOOR_PROPERTY, meta_txn, {NULL}},
    {"rid_url", KRL_DOOR_PROPERTY, meta_url, {NULL}},
    {"rulesetURI", KRL_DOOR_PROPERTY, meta_url, {NULL}},
    {"rulesetConfig", KRL_DOOR_PROPERTY, meta_config, {NULL}},
    {NULL, 0, NULL, {NULL}},
};

const struct module module_meta = {"meta", meta_members};
