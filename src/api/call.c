#include "api/csv.h"
#include "api/inside.h"

enum {
    REPLY_BYTES_MAX = 8 * 1024 * 1024,
    NOTE_BYTES_MAX = 512 * 1024,
    LINK_BYTES_MAX = 3 * HTTP_TARGET_MAX,
};

void call_reset(struct call *c)
{
    c->note = (struct audit_note){0};
    c->status = 0;
    c->type = NULL;
    c->reply_body = c->location = c->etag = c->next = STR("");
    c->header_count = 0;
}

void call_header(struct call *c, const char *name, struct str value)
{
    ASSERT(c->header_count < COUNT(c->headers));
    c->headers[c->header_count++] = (struct pair){str_c(name), value};
}

void call_location(struct call *c, struct str location)
{
    c->location = location;
}

static enum rc take_body(struct call *c, const struct buf *b)
{
    if (b->full)
        return err_set(c->err, RC_TOO_LARGE, "the answer is larger than %d bytes", REPLY_BYTES_MAX);
    c->reply_body = buf_str(b);
    return RC_OK;
}

enum rc call_reply(struct call *c, const void *value)
{
    const struct schema *s = c->route->reply;
    const struct route_facts *facts = &c->api->facts[c->route - routes];
    uint64_t set = *(const uint64_t *)value;
    c->status = c->route->flags & ROUTE_CREATED ? 201 : 200;
    c->type = "application/json";
    if (facts->version >= 0 && (set >> facts->version & 1)) {
        const char *at = (const char *)value + s->fields[facts->version].offset;
        c->etag = etag_text(*(const int64_t *)(const void *)at, c->arena);
    }
    if ((c->route->flags & ROUTE_CREATED) && c->location.n == 0 && facts->id >= 0) {
        const char *at = (const char *)value + s->fields[facts->id].offset;
        c->location = arena_fmt(c->arena, "%s/%.*s", c->route->path,
                                STRF(*(const struct str *)(const void *)at));
    }
    if (c->note.whole == value && c->note.schema == s) {
        c->reply_body = c->note.after;
        return RC_OK;
    }
    struct buf b;
    buf_init(&b, c->arena, REPLY_BYTES_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    schema_encode(s, value, &w);
    return take_body(c, &b);
}

/* The address of the next page: this one's, with another "after". */
static struct str next_link(struct call *c, struct str next)
{
    size_t count = 0;
    const struct pair *query = http_query(c->x, &count);
    struct buf b;
    buf_init(&b, c->arena, LINK_BYTES_MAX);
    buf_add(&b, http_path(c->x));
    char separator = '?';
    for (size_t i = 0; i <= count; i++) {
        struct pair p = i < count ? query[i] : (struct pair){STR("after"), next};
        if (i < count && str_eq(p.name, STR("after")))
            continue;
        buf_add_char(&b, separator);
        separator = '&';
        buf_add(&b, p.name); /* a name of the route's table: it was decoded */
        buf_add_char(&b, '=');
        buf_add_escaped(&b, p.value, ",");
    }
    return buf_str(&b);
}

static void page_as_json(struct call *c, const struct page *page, struct buf *b)
{
    const struct schema *s = c->route->reply;
    struct json_writer w;
    json_writer_init(&w, b);
    json_begin_object(&w);
    json_put_key(&w, STR("items"));
    json_begin_array(&w);
    for (size_t i = 0; i < page->items.count; i++)
        schema_encode(s, (const char *)page->items.items + i * s->size, &w);
    json_end_array(&w);
    json_put_key(&w, STR("next"));
    if (page->next.n > 0)
        json_put_str(&w, page->next);
    else
        json_put_null(&w);
    json_end_object(&w);
}

enum rc call_reply_page(struct call *c, const struct page *page)
{
    ASSERT(c->route->flags & ROUTE_LIST);
    struct buf b;
    buf_init(&b, c->arena, REPLY_BYTES_MAX);
    bool csv = request_of(c)->csv;
    if (csv)
        csv_write(c->route->reply, page->items, c->arena, &b);
    else
        page_as_json(c, page, &b);
    c->status = 200;
    c->type = csv ? "text/csv; charset=utf-8; header=present" : "application/json";
    if (page->next.n > 0)
        c->next = next_link(c, page->next);
    return take_body(c, &b);
}

enum rc call_reply_list(struct call *c, struct list list)
{
    return call_reply_page(c, &(struct page){.items = list});
}

enum rc call_reply_nothing(struct call *c)
{
    c->status = 204;
    return RC_OK;
}

enum rc call_reply_bytes(struct call *c, int status, const char *type, struct str body)
{
    c->status = status;
    c->type = type;
    c->reply_body = body;
    return RC_OK;
}

struct str call_base_url(const struct call *c)
{
    if (c->api->options.public_url.n > 0)
        return c->api->options.public_url;
    struct str host = http_header(c->x, "Host");
    return arena_fmt(c->arena, "http://%.*s", STRF(host.n > 0 ? host : STR("localhost")));
}

struct str call_host(const struct call *c)
{
    struct str host = http_header(c->x, "Host");
    if (host.n > 0 && host.p[0] == '[') /* an address of IPv6 */
        return str_sub(host, 0, min_size(str_find(host, ']', 0) + 1, host.n));
    return str_cut(&host, ':');
}

enum rc call_match(struct call *c, int64_t version, int64_t *ret)
{
    if (c->match != NULL && !etags_match(c->match, version))
        return err_set(c->err, RC_CHANGED, "it is at version %lld now: read it again",
                       (long long)version);
    *ret = version;
    return RC_OK;
}

/* Fields that show a secret once. Here and in no other place, so that none slips into the log. */
static const char *const secret_fields[] = {"secret",   "link",  "csrf", "uri",
                                            "password", "fresh", "code", "token"};

uint64_t call_secrets(const struct schema *s)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < COUNT(secret_fields); i++) {
        int field = schema_find(s, str_c(secret_fields[i]));
        if (field >= 0)
            bits |= UINT64_C(1) << field;
    }
    return bits;
}

/* *ret_whole: value, or NULL where a field of it may be a secret. */
static struct str note_of(struct call *c, const struct schema *s, const void *value,
                          const void **ret_whole)
{
    *ret_whole = value;
    if (value == NULL)
        return STR("");
    bool replied = s == c->route->reply; /* the usual case, and known since the start */
    uint64_t secrets = replied ? c->api->facts[c->route - routes].secrets : call_secrets(s);
    if (secrets != 0) {
        void *copy = arena_alloc(c->arena, s->size);
        memcpy(copy, value, s->size);
        *(uint64_t *)copy &= ~secrets;
        value = copy;
        *ret_whole = NULL;
    }
    struct buf b;
    buf_init(&b, c->arena, NOTE_BYTES_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    schema_encode(s, value, &w);
    ASSERT(!b.full);
    return buf_str(&b);
}

void call_note(struct call *c, struct str subject, const struct schema *schema, const void *before,
               const void *after)
{
    c->note.subject = subject;
    c->note.schema = schema;
    c->note.before = note_of(c, schema, before, &c->note.whole);
    c->note.after = note_of(c, schema, after, &c->note.whole);
}
