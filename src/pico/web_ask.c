#include "krl/lib.h"
#include "pico/web_inside.h"

/* --- what came --- */

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

static void answered(struct pico_request *r)
{
    struct web_call *c = CONTAINER_OF(r, struct web_call, r);
    if (r->rc == RC_OK)
        c->then(c);
    else
        web_fail(c, r->rc, &r->err);
    http_send(c->x);
}

void web_ask_held(struct web_call *c, void (*then)(struct web_call *c))
{
    c->then = then;
    c->r.arena = web_arena(c);
    c->r.done = answered;
    pico_submit(c->w->o.engine, &c->r);
}

void web_ask(struct web_call *c, void (*then)(struct web_call *c))
{
    http_hold(c->x);
    web_ask_held(c, then);
}

static void run_and_send(struct work_item *item)
{
    struct web_call *c = CONTAINER_OF(item, struct web_call, item);
    c->work(c);
    http_send(c->x);
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
