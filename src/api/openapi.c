/*
 * The OpenAPI 3.1 document, from the table of routes and the schemas. A schema has up to three
 * components: NAME as it is answered, NAME_input to make one, NAME_patch to change one.
 */
#include "api/api.h"
#include "api/resources.h"
#include "api/route.h"

enum { COMPONENTS_MAX = 256 };

struct components {
    struct component {
        const struct schema *schema;
        enum schema_view view;
    } list[COMPONENTS_MAX];
    size_t count;
};

static void put(struct json_writer *w, const char *key, const char *text)
{
    json_put_key(w, str_c(key));
    json_put_str(w, str_c(text));
}

static void put_true(struct json_writer *w, const char *key)
{
    json_put_key(w, str_c(key));
    json_put_bool(w, true);
}

static void begin(struct json_writer *w, const char *key)
{
    json_put_key(w, str_c(key));
    json_begin_object(w);
}

static void put_ref(struct json_writer *w, const char *folder, const char *name, const char *suffix)
{
    char text[128];
    int n = snprintf(text, sizeof text, "#/components/%s/%s%s", folder, name, suffix);
    ASSERT(n > 0 && (size_t)n < sizeof text);
    json_begin_object(w);
    put(w, "$ref", text);
    json_end_object(w);
}

/* "/v1/parties/{party}/members" is tagged "parties", "/v1/me" "me", "/readyz" "system". */
static void put_tag(struct json_writer *w, const struct route *r)
{
    struct str rest = str_c(r->path);
    struct str tag = STR("system");
    if (str_starts(rest, STR("/v1/"))) {
        rest = str_sub(rest, 4, rest.n);
        tag = str_cut(&rest, '/');
        if (str_ends(tag, STR(".json")) || str_eq(tag, STR("version")) ||
            str_eq(tag, STR("status")))
            tag = STR("system");
    }
    json_put_key(w, STR("tags"));
    json_begin_array(w);
    json_put_str(w, tag);
    json_end_array(w);
}

/* --- parameters --- */

static void put_path_parameters(struct json_writer *w, const struct route *r)
{
    struct str names[ROUTE_PARAMS_MAX];
    size_t count = route_params(r, names);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(w);
        json_put_key(w, STR("name"));
        json_put_str(w, names[i]);
        put(w, "in", "path");
        put_true(w, "required");
        begin(w, "schema");
        put(w, "type", "string");
        json_end_object(w);
        json_end_object(w);
    }
}

/* The schema of one field stands in the component of the whole query: no second description. */
static void put_query_parameters(struct json_writer *w, const struct schema *s)
{
    for (size_t i = 0; s != NULL && i < s->count; i++) {
        const struct field *f = &s->fields[i];
        char ref[160];
        int n = snprintf(ref, sizeof ref, "#/components/schemas/%s_input/properties/%s", s->name,
                         f->name);
        ASSERT(n > 0 && (size_t)n < sizeof ref);
        json_begin_object(w);
        put(w, "name", f->name);
        put(w, "in", "query");
        if (f->flags & FIELD_REQUIRED)
            put_true(w, "required");
        if (f->doc != NULL)
            put(w, "description", f->doc);
        begin(w, "schema");
        put(w, "$ref", ref);
        json_end_object(w);
        if (f->type == FIELD_LIST) {
            put(w, "style", "form");
            json_put_key(w, STR("explode"));
            json_put_bool(w, false);
        }
        json_end_object(w);
    }
}

static void put_parameters(struct json_writer *w, const struct route *r)
{
    bool changes = r->kind == ROUTE_WRITE || r->kind == ROUTE_WORK;
    json_put_key(w, STR("parameters"));
    json_begin_array(w);
    put_path_parameters(w, r);
    put_query_parameters(w, r->query);
    if (changes && !(r->flags & ROUTE_NO_REPLAY))
        put_ref(w, "parameters",
                r->flags & ROUTE_NEEDS_KEY ? "idempotency_key_required" : "idempotency_key", "");
    if (r->flags & ROUTE_NEEDS_MATCH)
        put_ref(w, "parameters", "if_match", "");
    if (r->kind == ROUTE_STREAM)
        put_ref(w, "parameters", "last_event_id", "");
    json_end_array(w);
}

/* What the handler reads itself: JSON of its own form, or bytes. */
static void put_raw(struct json_writer *w, const struct route *r)
{
    begin(w, "requestBody");
    put_true(w, "required");
    begin(w, "content");
    for (const char *const *takes = r->takes; *takes != NULL; takes++) {
        begin(w, *takes);
        begin(w, "schema");
        if (str_ends(str_c(*takes), STR("json"))) {
            put(w, "description", "An event of CloudEvents 1.0, or an array of them.");
        } else {
            put(w, "type", "string");
            put(w, "format", "binary");
        }
        json_end_object(w);
        json_end_object(w);
    }
    json_end_object(w);
    json_end_object(w);
}

static void put_body(struct json_writer *w, const struct route *r)
{
    if (r->flags & ROUTE_RAW)
        put_raw(w, r);
    if (r->body == NULL)
        return;
    begin(w, "requestBody");
    put_true(w, "required");
    begin(w, "content");
    begin(w, r->flags & ROUTE_PATCH ? "application/merge-patch+json" : "application/json");
    json_put_key(w, STR("schema"));
    put_ref(w, "schemas", r->body->name,
            schema_suffix(r->flags & ROUTE_PATCH ? SCHEMA_CHANGE : SCHEMA_INPUT));
    json_end_object(w);
    json_end_object(w);
    json_end_object(w);
}

/* --- answers --- */

static void put_list(struct json_writer *w, const struct schema *item)
{
    json_begin_object(w);
    put(w, "type", "object");
    begin(w, "properties");
    begin(w, "items");
    put(w, "type", "array");
    json_put_key(w, STR("items"));
    put_ref(w, "schemas", item->name, "");
    json_end_object(w);
    begin(w, "next");
    json_put_key(w, STR("type"));
    json_begin_array(w);
    json_put_str(w, STR("string"));
    json_put_str(w, STR("null"));
    json_end_array(w);
    put(w, "description", "Give it back as \"after\" for the next page; null on the last.");
    json_end_object(w);
    json_end_object(w);
    json_put_key(w, STR("required"));
    json_begin_array(w);
    json_put_str(w, STR("items"));
    json_put_str(w, STR("next"));
    json_end_array(w);
    json_end_object(w);
}

static void put_media(struct json_writer *w, const char *media)
{
    begin(w, media);
    begin(w, "schema");
    put(w, "type", str_eq(str_c(media), STR("application/json")) ? "object" : "string");
    json_end_object(w);
    json_end_object(w);
}

static void put_content(struct json_writer *w, const struct route *r)
{
    if (r->media == NULL && r->reply == NULL)
        return;
    begin(w, "content");
    if (r->media != NULL) {
        put_media(w, r->media);
    } else {
        begin(w, "application/json");
        json_put_key(w, STR("schema"));
        if (r->flags & ROUTE_LIST)
            put_list(w, r->reply);
        else
            put_ref(w, "schemas", r->reply->name, "");
        json_end_object(w);
        if (r->flags & ROUTE_LIST)
            put_media(w, "text/csv");
    }
    json_end_object(w);
}

static void put_success(struct json_writer *w, const struct route *r)
{
    const char *status = r->flags & ROUTE_CREATED      ? "201"
                         : r->flags & ROUTE_NO_CONTENT ? "204"
                                                       : "200";
    begin(w, status);
    put(w, "description",
        r->flags & ROUTE_CREATED      ? "Made."
        : r->flags & ROUTE_NO_CONTENT ? "Done."
                                      : "The answer.");
    bool versioned =
        r->reply != NULL && !(r->flags & ROUTE_LIST) && schema_find(r->reply, STR("version")) >= 0;
    if (versioned || (r->flags & ROUTE_CREATED)) {
        begin(w, "headers");
        if (r->flags & ROUTE_CREATED) {
            json_put_key(w, STR("Location"));
            put_ref(w, "headers", "location", "");
        }
        if (versioned) {
            json_put_key(w, STR("ETag"));
            put_ref(w, "headers", "etag", "");
        }
        json_end_object(w);
    }
    put_content(w, r);
    json_end_object(w);
}

static void put_problem(struct json_writer *w, const char *status)
{
    json_put_key(w, str_c(status));
    put_ref(w, "responses", "problem", "");
}

static void put_responses(struct json_writer *w, const struct route *r)
{
    begin(w, "responses");
    put_success(w, r);
    bool plain = r->kind == ROUTE_PLAIN;
    if (!plain && (r->body != NULL || r->query != NULL))
        put_problem(w, "400");
    if (r->access != ACCESS_PUBLIC) {
        put_problem(w, "401");
        put_problem(w, "403");
    }
    if (strchr(r->path, '{') != NULL)
        put_problem(w, "404");
    if (r->kind == ROUTE_WRITE || r->kind == ROUTE_WORK)
        put_problem(w, "409");
    if (r->body == &invitation_token_schema || r->body == &acceptance_schema)
        put_problem(w, "410");
    if (r->flags & ROUTE_PATCH)
        put_problem(w, "412");
    if (!plain && (r->body != NULL || r->query != NULL))
        put_problem(w, "422");
    if (r->flags & ROUTE_NEEDS_MATCH)
        put_problem(w, "428");
    if (!plain)
        put_problem(w, "429");
    put_problem(w, "default");
    json_end_object(w);
}

static void put_security(struct json_writer *w, const struct route *r)
{
    json_put_key(w, STR("security"));
    json_begin_array(w);
    if (r->access != ACCESS_PUBLIC) {
        json_begin_object(w);
        json_put_key(w, STR("token"));
        json_begin_array(w);
        json_end_array(w);
        json_end_object(w);
        bool unsafe = r->method != HTTP_GET;
        json_begin_object(w);
        json_put_key(w, STR("session"));
        json_begin_array(w);
        json_end_array(w);
        if (unsafe) {
            json_put_key(w, STR("csrf"));
            json_begin_array(w);
            json_end_array(w);
        }
        json_end_object(w);
    }
    json_end_array(w);
}

static const char *lower_method(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
        return "get";
    case HTTP_POST:
        return "post";
    case HTTP_PUT:
        return "put";
    case HTTP_PATCH:
        return "patch";
    case HTTP_DELETE:
        return "delete";
    case HTTP_HEAD:
    case HTTP_OPTIONS:
    case HTTP_OTHER:
        break;
    }
    NEVER("no route has this method");
}

static void put_operation(struct json_writer *w, const struct route *r)
{
    begin(w, lower_method(r->method));
    put(w, "operationId", r->operation);
    put(w, "summary", r->doc);
    put_tag(w, r);
    put_parameters(w, r);
    put_body(w, r);
    put_responses(w, r);
    put_security(w, r);
    if (r->permission != PERM_NONE)
        put(w, "x-scope", permission_text(r->permission));
    if (r->cli != NULL)
        put(w, "x-cli", r->cli);
    json_end_object(w);
}

static void put_paths(struct json_writer *w)
{
    begin(w, "paths");
    for (size_t i = 0; i < route_count; i++) {
        const struct route *first = &routes[i];
        bool again = (first->flags & ROUTE_HIDDEN) != 0;
        for (size_t k = 0; k < i && !again; k++)
            again = strcmp(routes[k].path, first->path) == 0;
        if (again)
            continue;
        begin(w, first->path);
        for (size_t k = i; k < route_count; k++)
            if (strcmp(routes[k].path, first->path) == 0)
                put_operation(w, &routes[k]);
        json_end_object(w);
    }
    json_end_object(w);
}

/* --- components --- */

static void collect(struct components *c, const struct schema *s, enum schema_view view)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < c->count; i++)
        if (c->list[i].schema == s && c->list[i].view == view)
            return;
    ASSERT(c->count < COMPONENTS_MAX);
    c->list[c->count++] = (struct component){s, view};
}

/* All schemas that routes name, and those that they are made of: the list grows while it is
 * walked. */
static void collect_all(struct components *c)
{
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &routes[i];
        if (r->flags & ROUTE_HIDDEN)
            continue;
        collect(c, r->query, SCHEMA_INPUT);
        collect(c, r->body, r->flags & ROUTE_PATCH ? SCHEMA_CHANGE : SCHEMA_INPUT);
        collect(c, r->reply, SCHEMA_REPLY);
    }
    for (size_t i = 0; i < c->count; i++) {
        struct component at = c->list[i];
        for (size_t k = 0; k < at.schema->count; k++) {
            const struct field *f = &at.schema->fields[k];
            collect(c, f->schema, schema_view_of(f, at.view));
        }
    }
}

static void put_problem_schema(struct json_writer *w)
{
    json_put_key(w, STR("problem"));
    json_put_raw(
        w, STR("{\"type\":\"object\",\"description\":\"What went wrong (RFC 9457).\","
               "\"required\":[\"type\",\"title\",\"status\"],\"properties\":{"
               "\"type\":{\"type\":\"string\",\"format\":\"uri-reference\"},"
               "\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
               "\"detail\":{\"type\":\"string\"},\"instance\":{\"type\":\"string\"},"
               "\"request_id\":{\"type\":\"string\"},\"missing_permission\":{\"type\":\"string\"},"
               "\"prove\":{\"type\":\"string\",\"description\":"
               "\"Where to give the password again.\"},"
               "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
               "\"required\":[\"code\",\"detail\"],\"properties\":{"
               "\"pointer\":{\"type\":\"string\"},\"parameter\":{\"type\":\"string\"},"
               "\"code\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"}}}}}}"));
}

static void put_schemas(struct json_writer *w)
{
    struct components c = {.count = 0};
    collect_all(&c);
    begin(w, "schemas");
    for (size_t i = 0; i < c.count; i++) {
        char name[128];
        int n = snprintf(name, sizeof name, "%s%s", c.list[i].schema->name,
                         schema_suffix(c.list[i].view));
        ASSERT(n > 0 && (size_t)n < sizeof name);
        json_put_key(w, str_c(name));
        schema_describe(c.list[i].schema, c.list[i].view, w);
    }
    put_problem_schema(w);
    json_end_object(w);
}

static void put_header_parameter(struct json_writer *w, const char *key, const char *name,
                                 bool required, const char *doc)
{
    begin(w, key);
    put(w, "name", name);
    put(w, "in", "header");
    if (required)
        put_true(w, "required");
    put(w, "description", doc);
    begin(w, "schema");
    put(w, "type", "string");
    json_end_object(w);
    json_end_object(w);
}

static void put_shared(struct json_writer *w)
{
    static const char key_doc[] =
        "Makes a repeat of this request safe: it has its effect once, and is answered alike for 24 "
        "hours. 1 to 200 printable characters.";
    begin(w, "parameters");
    put_header_parameter(w, "idempotency_key", "Idempotency-Key", false, key_doc);
    put_header_parameter(w, "idempotency_key_required", "Idempotency-Key", true, key_doc);
    put_header_parameter(w, "if_match", "If-Match", true,
                         "The ETag of what you read, or \"*\": 412 where it was changed since.");
    put_header_parameter(w, "last_event_id", "Last-Event-ID", false,
                         "Go on behind this event, after a lost connection.");
    json_end_object(w);
    begin(w, "headers");
    json_put_key(w, STR("location"));
    json_put_raw(w, STR("{\"description\":\"Where it is.\",\"schema\":{\"type\":\"string\"}}"));
    json_put_key(w, STR("etag"));
    json_put_raw(w, STR("{\"description\":\"Its version, for If-Match.\","
                        "\"schema\":{\"type\":\"string\"}}"));
    json_end_object(w);
    begin(w, "responses");
    json_put_key(w, STR("problem"));
    json_put_raw(w, STR("{\"description\":\"It failed; the body says why.\",\"content\":"
                        "{\"application/problem+json\":{\"schema\":"
                        "{\"$ref\":\"#/components/schemas/problem\"}}}}"));
    json_end_object(w);
    begin(w, "securitySchemes");
    json_put_key(w, STR("token"));
    json_put_raw(w, STR("{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"hse_...\"}"));
    json_put_key(w, STR("session"));
    json_put_raw(w, STR("{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"__Host-sid\"}"));
    json_put_key(w, STR("csrf"));
    json_put_raw(w, STR("{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-CSRF\"}"));
    json_end_object(w);
}

void openapi_write(struct json_writer *w, struct str server_url)
{
    json_begin_object(w);
    put(w, "openapi", "3.1.0");
    begin(w, "info");
    put(w, "title", "Hanse");
    put(w, "version", HANSE_VERSION);
    put(w, "description", "The API of Hanse. The command line has a command for each operation.");
    json_end_object(w);
    json_put_key(w, STR("servers"));
    json_begin_array(w);
    json_begin_object(w);
    json_put_key(w, STR("url"));
    json_put_str(w, server_url.n > 0 ? server_url : STR("/"));
    json_end_object(w);
    json_end_array(w);
    put_paths(w);
    begin(w, "components");
    put_schemas(w);
    put_shared(w);
    json_end_object(w);
    json_end_object(w);
}
