#include "pico/query.h"

#include "krl/lib.h"

#include <check.h>

enum { MEMORY = 64 * 1024 * 1024, MANY = 3000 };

static struct arena arena;
static struct krl_heap heap;

static void up(void)
{
    static const uint64_t seed[2] = {1, 2};
    arena_init(&arena, MEMORY);
    krl_heap_init(&heap, &arena, INT32_MAX, seed);
}

static void down(void)
{
    arena_fini(&arena);
}

static struct str json(struct krl_value v)
{
    ck_assert_msg(!krl_is_failed(v), "%.*s", STRF(err_text(&heap.err)));
    return krl_text_utf8(&heap, krl_json_encode(&heap, v, 0).text, false);
}

#define ck_json(v, name, c)                                                      \
    do {                                                                         \
        struct str json_ = json(v);                                              \
        ck_assert_msg(str_eq(json_, str_c(c)), "%s: %.*s", (name), STRF(json_)); \
    } while (0)

/* As qs 6.9.4 answers, with allowPrototypes as express gives it. */
START_TEST(a_query_string_nests)
{
    static const char *const rows[][2] = {
        {"", "{}"},
        {"a=1&b=2", "{\"a\":\"1\",\"b\":\"2\"}"},
        {"a", "{\"a\":\"\"}"},
        {"a=1&a=2", "{\"a\":[\"1\",\"2\"]}"},
        {"a[]=1", "{\"a\":[\"1\"]}"},
        {"a[]=1&a[]=2", "{\"a\":[\"1\",\"2\"]}"},
        {"a[b]=1&a[c]=2", "{\"a\":{\"b\":\"1\",\"c\":\"2\"}}"},
        {"a[1]=x&a[0]=y", "{\"a\":[\"y\",\"x\"]}"},
        {"a[5]=x", "{\"a\":[\"x\"]}"},
        {"a[21]=x", "{\"a\":{\"21\":\"x\"}}"},
        {"a[0][b]=1&a[0][c]=2", "{\"a\":[{\"b\":\"1\",\"c\":\"2\"}]}"},
        {"a[]=1&a[b]=2", "{\"a\":{\"0\":\"1\",\"b\":\"2\"}}"},
        {"a=1&a[b]=2", "{\"a\":[\"1\",{\"b\":\"2\"}]}"},
        {"a[b]=1&a=2", "{\"a\":{\"2\":true,\"b\":\"1\"}}"},
        {"a[b]=1&a=c&a[c]=2", "{\"a\":{\"b\":\"1\",\"c\":[true,\"2\"]}}"},
        {"a[b]=1&a=c&a[c][d]=2", "{\"a\":{\"b\":\"1\",\"c\":[true,{\"d\":\"2\"}]}}"},
        {"a[b]=1&a=c&a[c][]=2", "{\"a\":{\"b\":\"1\",\"c\":[true,\"2\"]}}"},
        {"a[b]=1&a=c&a[c]=", "{\"a\":{\"b\":\"1\",\"c\":true}}"},
        {"a[b]=1&a=c&a[c]=d&a[c]=e&a[c][f]=g",
         "{\"a\":{\"b\":\"1\",\"c\":{\"0\":true,\"1\":\"d\",\"2\":\"e\",\"f\":\"g\"}}}"},
        {"a[b]=1&a=", "{\"a\":{\"b\":\"1\"}}"},
        {"a[]=1&a=", "{\"a\":[\"1\"]}"},
        {"a[]=&a[b]=1", "{\"a\":{\"0\":\"\",\"b\":\"1\"}}"},
        {"a[b]=&a[b][c]=1", "{\"a\":{\"b\":[\"\",{\"c\":\"1\"}]}}"},
        {"a[0]=&a[0][c]=1", "{\"a\":[\"\",{\"c\":\"1\"}]}"},
        {"a[0][c]=1&a[0]=", "{\"a\":[{\"c\":\"1\"},\"\"]}"},
        {"a[b][c][d][e][f][g]=1",
         "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"[g]\":\"1\"}}}}}}}"},
        {"a%5Bb%5D=c+d%20e", "{\"a\":{\"b\":\"c d e\"}}"},
        {"a=%zz+1&b=%ff", "{\"a\":\"%zz 1\",\"b\":\"%ff\"}"},
        {"=1&&b=2", "{\"b\":\"2\"}"},
        {"a[=1", "{\"a[\":\"1\"}"},
        {"a]=1", "{\"a]\":\"1\"}"},
        {"[a]=1", "{\"a\":\"1\"}"},
        {"a=b=c", "{\"a\":\"b=c\"}"},
        {"a[b=c]=d", "{\"a\":{\"b=c\":\"d\"}}"},
        {"10=a&2=b&x=c", "{\"2\":\"b\",\"10\":\"a\",\"x\":\"c\"}"},
        {"__proto__[x]=1", "{\"__proto__\":{\"x\":\"1\"}}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        ck_json(pico_query_read(&heap, str_c(rows[i][0])), rows[i][0], rows[i][1]);
}
END_TEST

START_TEST(a_form_is_flat)
{
    static const char *const rows[][2] = {
        {"", "{}"},
        {"a=1&a=2&b", "{\"a\":[\"1\",\"2\"],\"b\":\"\"}"},
        {"x[a]=1&x[]=2", "{\"x[a]\":\"1\",\"x[]\":\"2\"}"},
        {"a=1&a=2&a=3", "{\"a\":[\"1\",\"2\",\"3\"]}"},
        {"=1", "{\"\":\"1\"}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        ck_json(pico_form_read(&heap, str_c(rows[i][0])), rows[i][0], rows[i][1]);
}
END_TEST

START_TEST(a_thousand_parameters_are_enough)
{
    struct buf b;
    buf_init(&b, &arena, 64 * 1024);
    for (int i = 0; i < MANY; i++)
        buf_fmt(&b, "k%d=%d&", i, i);
    struct krl_value v = pico_query_read(&heap, buf_str(&b));
    ck_assert_int_eq(v.type, KRL_MAP);
    ck_assert_uint_eq(v.map->n, PICO_QUERY_PARAMETERS_MAX);
}
END_TEST

START_TEST(the_body_lies_over_the_query_string)
{
    static const struct pair headers[] = {{STR_INIT("host"), STR_INIT("h")}};
    struct pico_input in = {.query = STR("a=1&b=2"),
                            .type = STR("application/json; charset=utf-8"),
                            .body = STR("{\"b\":null,\"c\":[1]}"),
                            .headers = headers,
                            .headers_n = COUNT(headers)};
    ck_json(pico_input_read(&heap, &in), "json",
            "{\"a\":\"1\",\"b\":null,\"c\":[1],\"_headers\":{\"host\":\"h\"}}");
    in.body = STR("[true,\"x\"]");
    ck_json(pico_input_read(&heap, &in), "array",
            "{\"0\":true,\"1\":\"x\",\"a\":\"1\",\"b\":\"2\",\"_headers\":{\"host\":\"h\"}}");
    in.body = STR("");
    ck_json(pico_input_read(&heap, &in), "empty",
            "{\"a\":\"1\",\"b\":\"2\",\"_headers\":{\"host\":\"h\"}}");
    in.type = STR("text/plain");
    in.body = STR("{\"b\":3}");
    ck_json(pico_input_read(&heap, &in), "plain",
            "{\"a\":\"1\",\"b\":\"2\",\"_headers\":{\"host\":\"h\"}}");
    in.type = STR("Application/X-WWW-Form-Urlencoded");
    in.body = STR("b=3&b=4");
    ck_json(pico_input_read(&heap, &in), "form",
            "{\"a\":\"1\",\"b\":[\"3\",\"4\"],\"_headers\":{\"host\":\"h\"}}");
}
END_TEST

START_TEST(a_body_that_is_no_json_is_refused_with_its_place)
{
    static const char *const rows[][2] = {
        {"{x}", "SyntaxError: Expected property name or '}' in JSON at position 1"},
        {"{ x}", "SyntaxError: Expected property name or '}' in JSON at position 2"},
        {"{\"a\":x}", "SyntaxError: Unexpected token in JSON at position 5"},
        {"5", "SyntaxError: Unexpected token in JSON at position 0"},
        {"{\"a\":1", "SyntaxError: Unexpected end of JSON input"},
        {"{} {}", "SyntaxError: Unexpected token in JSON at position 3"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        err_clear(&heap.err);
        ck_assert(krl_is_failed(pico_json_read(&heap, str_c(rows[i][0]))));
        ck_assert_msg(str_eq(err_text(&heap.err), str_c(rows[i][1])), "%s: %.*s", rows[i][0],
                      STRF(err_text(&heap.err)));
    }
}
END_TEST

Suite *query_suite(void);
Suite *query_suite(void)
{
    Suite *s = suite_create("query");
    TCase *c = tcase_create("query");
    tcase_add_checked_fixture(c, up, down);
    tcase_add_test(c, a_query_string_nests);
    tcase_add_test(c, a_form_is_flat);
    tcase_add_test(c, a_thousand_parameters_are_enough);
    tcase_add_test(c, the_body_lies_over_the_query_string);
    tcase_add_test(c, a_body_that_is_no_json_is_refused_with_its_place);
    suite_add_tcase(s, c);
    return s;
}
