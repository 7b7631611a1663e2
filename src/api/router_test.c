#include "api/router.h"

#include <check.h>

static struct arena arena;

static const struct router *router(void)
{
    arena_init(&arena, 1024 * 1024);
    return router_build(&arena);
}

/* The path with each {parameter} replaced by its name in capitals. */
static struct str sample(const struct route *r)
{
    struct str path = arena_str(&arena, str_c(r->path));
    char *p = arena_alloc(&arena, path.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] != '{' && path.p[i] != '}')
            p[n++] = path.p[i];
    return str_n(p, n);
}

START_TEST(every_route_is_found_at_its_path_with_its_parameters)
{
    const struct router *all = router();
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &routes[i];
        const struct route *found = NULL;
        struct str params[ROUTE_PARAMS_MAX];
        struct str names[ROUTE_PARAMS_MAX];
        struct str allow;
        ck_assert_int_eq(router_find(all, r->method, sample(r), &found, params, &allow), RC_OK);
        ck_assert_ptr_eq(found, r);
        ck_assert(str_has(allow, str_c(method_name(r->method))));
        size_t count = route_params(r, names);
        for (size_t k = 0; k < count; k++)
            ck_assert(str_eq(params[k], names[k]));
    }
    arena_fini(&arena);
}
END_TEST

static enum rc find(const struct router *all, enum http_method method, const char *path,
                    const struct route **ret, struct str *ret_allow)
{
    struct str params[ROUTE_PARAMS_MAX];
    return router_find(all, method, str_c(path), ret, params, ret_allow);
}

START_TEST(what_is_no_path_is_not_found)
{
    const struct router *all = router();
    const struct route *r = NULL;
    struct str allow;
    static const char *const paths[] = {"/v1",          "/v1/",
                                        "/v2/me",       "/v1/me/",
                                        "/v1/me/x",     "/v1/parties/x/y",
                                        "//",           "/v1/m",
                                        "/v1/sessionx", "/v1/parties/x/members/y/z"};
    for (size_t i = 0; i < COUNT(paths); i++)
        ck_assert_msg(find(all, HTTP_GET, paths[i], &r, &allow) == RC_NOT_FOUND, "%s", paths[i]);
    arena_fini(&arena);
}
END_TEST

START_TEST(other_methods_are_told_which_there_are_and_head_finds_get)
{
    const struct router *all = router();
    const struct route *r = NULL;
    struct str allow;
    ck_assert_int_eq(find(all, HTTP_PUT, "/v1/me", &r, &allow), RC_METHOD);
    ck_assert(str_eq(allow, STR("GET, HEAD, PATCH")));
    ck_assert_int_eq(find(all, HTTP_OTHER, "/v1/me", &r, &allow), RC_METHOD);
    ck_assert_int_eq(find(all, HTTP_HEAD, "/v1/me", &r, &allow), RC_OK);
    ck_assert_ptr_eq(r, &routes[ROUTE_me_get]);
    arena_fini(&arena);
}
END_TEST

START_TEST(words_come_before_parameters)
{
    const struct router *all = router();
    const struct route *r = NULL;
    struct str allow;
    ck_assert_int_eq(find(all, HTTP_POST, "/v1/invitations/actions/open", &r, &allow), RC_OK);
    ck_assert_ptr_eq(r, &routes[ROUTE_invitation_open]);
    ck_assert_int_eq(find(all, HTTP_GET, "/v1/invitations/actions", &r, &allow), RC_NOT_FOUND);
    arena_fini(&arena);
}
END_TEST

START_TEST(the_table_names_each_operation_and_command_once)
{
    for (size_t i = 0; i < route_count; i++)
        for (size_t k = 0; k < i; k++) {
            ck_assert_str_ne(routes[i].operation, routes[k].operation);
            if (routes[i].cli != NULL && routes[k].cli != NULL)
                ck_assert_str_ne(routes[i].cli, routes[k].cli);
        }
}
END_TEST

Suite *router_suite(void);
Suite *router_suite(void)
{
    Suite *s = suite_create("router");
    TCase *c = tcase_create("router");
    tcase_add_test(c, every_route_is_found_at_its_path_with_its_parameters);
    tcase_add_test(c, what_is_no_path_is_not_found);
    tcase_add_test(c, other_methods_are_told_which_there_are_and_head_finds_get);
    tcase_add_test(c, words_come_before_parameters);
    tcase_add_test(c, the_table_names_each_operation_and_command_once);
    suite_add_tcase(s, c);
    return s;
}
