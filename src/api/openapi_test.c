#include "api/api.h"
#include "api/route.h"
#include "base/map.h"

#include <check.h>

static struct arena arena;
static const struct json *document;

static void make_document(void)
{
    struct buf b;
    struct json_writer w;
    struct err err = {0};
    arena_init(&arena, 64 * 1024 * 1024);
    buf_init(&b, &arena, 4 * 1024 * 1024);
    json_writer_init(&w, &b);
    openapi_write(&w, STR("https://cloud.test"));
    ck_assert(!b.full);
    ck_assert_msg(json_parse(buf_str(&b), &arena, &document, &err) == RC_OK, "%s", err.text);
}

static void drop_document(void)
{
    arena_fini(&arena);
}

static const struct json *resolve(struct str ref)
{
    const struct json *at = document;
    ck_assert(str_starts(ref, STR("#/")));
    struct str rest = str_sub(ref, 2, ref.n);
    while (rest.n > 0 && at != NULL)
        at = json_get(at, str_cut(&rest, '/'));
    return at;
}

/* Each "$ref" of a value must lead somewhere. Returns how many there were. */
static size_t check_refs(const struct json *j, int depth)
{
    size_t count = 0;
    ck_assert_int_lt(depth, 40);
    if (json_type(j) == JSON_OBJECT) {
        const struct json *ref = json_get(j, STR("$ref"));
        if (ref != NULL && json_type(ref) == JSON_STRING) {
            ck_assert_msg(resolve(json_text(ref)) != NULL, "%.*s", STRF(json_text(ref)));
            count++;
        }
    }
    if (json_type(j) == JSON_OBJECT || json_type(j) == JSON_ARRAY)
        for (const struct json *c = json_first(j); c != NULL; c = json_next(j, c))
            count += check_refs(c, depth + 1);
    return count;
}

START_TEST(every_reference_leads_somewhere)
{
    ck_assert_uint_gt(check_refs(document, 0), 200);
}
END_TEST

/* Each operation of the document. */
static const struct json *operation_of(const struct route *r)
{
    const struct json *path = json_get(json_get(document, STR("paths")), str_c(r->path));
    char method[16] = {0};
    for (size_t i = 0; method_name(r->method)[i] != '\0'; i++)
        method[i] = (char)(method_name(r->method)[i] | 0x20);
    return path != NULL ? json_get(path, str_c(method)) : NULL;
}

START_TEST(every_route_is_an_operation_with_all_that_clients_need)
{
    struct map ids;
    struct map commands;
    const uint64_t seed[2] = {1, 2};
    map_init(&ids, &arena, seed);
    map_init(&commands, &arena, seed);
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &routes[i];
        const struct json *o = operation_of(r);
        ck_assert_msg((o == NULL) == ((r->flags & ROUTE_HIDDEN) != 0), "%s", r->operation);
        if (o == NULL)
            continue;
        struct str id = json_text(json_get(o, STR("operationId")));
        ck_assert(str_eq(id, str_c(r->operation)));
        ck_assert_ptr_null(map_put(&ids, id, &ids));
        if (r->cli != NULL)
            ck_assert_ptr_null(map_put(&commands, json_text(json_get(o, STR("x-cli"))), &ids));
        ck_assert((json_get(o, STR("requestBody")) != NULL) ==
                  (r->body != NULL || (r->flags & ROUTE_RAW) != 0));
        ck_assert((json_get(o, STR("x-scope")) != NULL) == (r->permission != PERM_NONE));
        ck_assert((json_get(o, STR("security"))->n > 0) == (r->access != ACCESS_PUBLIC));
        ck_assert_ptr_nonnull(json_get(json_get(o, STR("responses")), STR("default")));
        ck_assert_uint_gt(json_text(json_get(o, STR("summary"))).n, 0);
        ck_assert_uint_eq(json_get(o, STR("tags"))->n, 1);
    }
}
END_TEST

/* A component name that is one of another shape would win silently. */
START_TEST(components_are_named_once)
{
    const struct json *schemas = json_get(json_get(document, STR("components")), STR("schemas"));
    ck_assert_uint_gt(schemas->n, 40); /* the reader refuses a name that comes twice */
    ck_assert_ptr_nonnull(json_get(schemas, STR("party")));
    ck_assert_ptr_nonnull(json_get(schemas, STR("party_input")));
    ck_assert_ptr_nonnull(json_get(schemas, STR("party_patch")));
    ck_assert_ptr_null(json_get(schemas, STR("audit_input")));
}
END_TEST

START_TEST(no_answer_describes_what_is_only_taken)
{
    const struct json *schemas = json_get(json_get(document, STR("components")), STR("schemas"));
    for (const struct json *s = json_first(schemas); s != NULL; s = json_next(schemas, s)) {
        struct str name = json_key(s);
        bool asked = str_ends(name, STR("_input")) || str_ends(name, STR("_patch"));
        const struct json *properties = json_get(s, STR("properties"));
        for (const struct json *p = properties ? json_first(properties) : NULL; p != NULL;
             p = json_next(properties, p)) {
            ck_assert(asked || json_get(p, STR("writeOnly")) == NULL);
            ck_assert(!asked || json_get(p, STR("readOnly")) == NULL);
        }
    }
}
END_TEST

Suite *openapi_suite(void);
Suite *openapi_suite(void)
{
    Suite *s = suite_create("openapi");
    TCase *c = tcase_create("openapi");
    tcase_add_checked_fixture(c, make_document, drop_document);
    tcase_add_test(c, every_reference_leads_somewhere);
    tcase_add_test(c, every_route_is_an_operation_with_all_that_clients_need);
    tcase_add_test(c, components_are_named_once);
    tcase_add_test(c, no_answer_describes_what_is_only_taken);
    suite_add_tcase(s, c);
    return s;
}
