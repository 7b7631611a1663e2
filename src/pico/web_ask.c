#include "krl/lib.h"
#include "pico/web_inside.h"

/* --- what came --- */

struct str web_parameter(struct web_call *c, struct str name)
{
    size_t n = 0;
    const struct pair *query = http_query(c->x, &n);
    for (size_t i = 0; i < n; i++)
        if (str_eq(query[i].name, name))
            return query[i].value;
    return STR("");
}

static struct str query_of(struct str target)
{
    size_t mark = str_find(target, '?', 0);
    return str_sub(target, mark + 1, target.n);
}

static bool is_json(struct str type)
{
    struct str name = str_trim(str_cut(&type, ';'));
    return str_eq_nocase(name, STR("application/json")) ||
           str_eq_nocase(name, STR("application/octet-stream")) ||
           str_eq_nocase(name, STR("application/ssi-agent-wire"));
}

static const struct pair *header_pairs(struct web_call *c, size_t *ret_n)
{
    const struct str *names = http_header_names(c->x, ret_n);
    struct pair *pairs = NEW_N(web_arena(c), struct pair, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        pairs[i] = (struct pair){names[i], http_header(c->x, names[i].p)};
    return pairs;
}

/* The map as JSON into c->r.attrs; false: no room. */
static bool keep_attrs(struct web_call *c, struct krl_heap *h, struct krl_value v)
{
    struct krl_value json = krl_is_failed(v) ? v : krl_json_encode(h, v, 0);
    struct str text = {NULL, 0};
    if (json.type == KRL_TEXT)
        text = krl_text_utf8(h, json.text, false);
    if (text.p != NULL)
        c->r.attrs = text;
    return text.p != NULL;
}

/* What another engine, or who asks again, says of the event. False: answered. */
static bool read_repeat(struct web_call *c)
{
    struct str key = http_header(c->x, PICO_KEY_HEADER);
    struct str hops = http_header(c->x, PICO_HOPS_HEADER);
    bool good = key.n <= PICO_KEY_MAX;
    for (size_t i = 0; i < key.n && good; i++)
        good = key.p[i] > ' ' && key.p[i] < 0x7F;
    good = good && (hops.n == 0 || str_to_i64(hops, 0, PICO_HOPS_MAX, &c->r.hops));
    c->r.key = key;
    if (!good)
        web_refuse(c, RC_INVALID,
                   "Error: " PICO_KEY_HEADER " is a word of at most %d letters, " PICO_HOPS_HEADER
                   " a number up to %d",
                   PICO_KEY_MAX, PICO_HOPS_MAX);
    return good;
}

bool web_read_input(struct web_call *c, bool headers, struct str eid)
{
    struct pico_input in = {.query = query_of(http_target(c->x)),
                            .type = http_header(c->x, "Content-Type"),
                            .body = http_body(c->x)};
    struct krl_heap h;
    if (in.body.n > PICO_ATTRS_BYTES_MAX && is_json(in.type)) {
        web_refuse(c, RC_TOO_LARGE, "PayloadTooLargeError: request entity too large");
        return false;
    }
    if (!read_repeat(c))
        return false;
    if (headers)
        in.headers = header_pairs(c, &in.headers_n);
    krl_heap_init(&h, web_arena(c), WEB_READ_STEPS, c->w->seed);
    struct krl_value v = pico_input_read(&h, &in);
    if (eid.n > 0 && !krl_is_failed(v)) {
        const struct krl_text *key = krl_text(&h, STR("__eid"));
        v = key == NULL ? krl_failed()
                        : krl_of_map(krl_map_put(&h, v.map, key, krl_of_text(krl_text(&h, eid))));
    }
    if (keep_attrs(c, &h, v))
        return true;
    ASSERT(krl_failing(&h));
    web_fail(c, h.err.rc, &h.err);
    return false;
}

/* --- to the engine and back --- */

static void hold(struct pico_request *r)
{
    struct web_call *c = CONTAINER_OF(r, struct web_call, r);
    c->held = true;
    http_hold(c->x);
}

void web_refuse_much(struct web_call *c, const struct err *err)
{
    if (!c->own && !c->held)
        hold(&c->r);
    web_fail(c, err->rc, err);
    if (c->own && c->held)
        http_send(c->x);
    if (c->own)
        return;
    c->late.x = c->x;
    web_late_send(c->w->late, &c->late);
}

static void reply_answer(struct web_call *c)
{
    if (c->r.rc == RC_OK)
        c->then(c);
    else
        web_fail(c, c->r.rc, &c->r.err);
}

static void forward(struct web_call *c)
{
    pico_forward(c->w->o.engine, &c->r);
    reply_answer(c);
}

static void run_and_send(struct work_item *item)
{
    struct web_call *c = CONTAINER_OF(item, struct web_call, item);
    c->work(c);
    http_send(c->x);
}

/* Who asks at once again for what ended at a bound would keep the processors busy with that. Steps
 * are a bound that takes its time. */
static bool is_much(enum rc rc)
{
    return rc == RC_TOO_MANY || rc == RC_TOO_LARGE;
}

/* What the pico that moved away is asked goes on to where it is; its owner is told instead. */
static void answered(struct pico_request *r)
{
    struct web_call *c = CONTAINER_OF(r, struct web_call, r);
    if (is_much(r->rc) && (c->route->flags & WEB_CHANNEL) != 0) {
        web_refuse_much(c, &r->err);
        return;
    }
    if (r->rc == RC_NOT_FOUND && r->moved_to.n > 0 && r->inside) {
        struct err err = {0};
        err_write(&err, RC_GONE, "the pico moved to %.*s", STRF(r->moved_to));
        web_fail(c, RC_GONE, &err);
    } else if (r->rc == RC_NOT_FOUND && r->moved_to.n > 0) {
        c->work = forward;
        c->item.run = run_and_send;
        if (!c->held)
            hold(r);
        if (work_submit(c->w->away, &c->item))
            return;
        web_refuse(c, RC_UNAVAILABLE, "too many requests wait already");
    } else {
        reply_answer(c);
    }
    if (c->held)
        http_send(c->x);
}

static void ask(struct web_call *c, void (*then)(struct web_call *c))
{
    c->then = then;
    c->r.arena = web_arena(c);
    c->r.done = answered;
    pico_submit(c->w->o.engine, &c->r);
}

void web_ask_held(struct web_call *c, void (*then)(struct web_call *c))
{
    c->held = true;
    ask(c, then);
}

void web_ask(struct web_call *c, void (*then)(struct web_call *c))
{
    c->r.hold = hold;
    ask(c, then);
}

static void run(struct work_item *item)
{
    struct web_call *c = CONTAINER_OF(item, struct web_call, item);
    c->work(c);
}

static void submit(struct web_call *c, void (*work)(struct web_call *c),
                   void (*item)(struct work_item *item))
{
    c->work = work;
    c->item.run = item;
    http_hold(c->x);
    if (work_submit(c->w->pool, &c->item))
        return;
    web_refuse(c, RC_UNAVAILABLE, "too many requests wait already");
    http_send(c->x);
}

void web_work(struct web_call *c, void (*work)(struct web_call *c))
{
    submit(c, work, run_and_send);
}

void web_work_on(struct web_call *c, void (*work)(struct web_call *c))
{
    submit(c, work, run);
}
