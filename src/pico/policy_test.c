#include "pico/policy.h"

#include "krl/lib.h"

#include <check.h>

enum { MEMORY = 16 * 1024 * 1024 };

static struct arena arena;
static struct krl_heap heap;
static struct err err;

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

static struct krl_value value(const char *json)
{
    struct krl_value v = krl_json_parse(&heap, krl_text(&heap, str_c(json)));
    ck_assert(!krl_is_failed(v));
    return v;
}

static struct str json(struct krl_value v)
{
    struct krl_value text = krl_json_encode(&heap, v, 0);
    ck_assert_int_eq(text.type, KRL_TEXT);
    return krl_text_utf8(&heap, text.text, false);
}

#define ck_str(s, c) ck_assert_msg(str_eq((s), str_c(c)), "'%.*s' is not '%s'", STRF(s), (c))

static void allow(const struct pico_policy *p, const char *first, const char *name)
{
    ck_assert_int_eq(pico_policy_check(p, str_c(first), str_c(name), &err), RC_OK);
}

static void refuse(const struct pico_policy *p, const char *first, const char *name,
                   const char *sentence)
{
    ck_assert_int_eq(pico_policy_check(p, str_c(first), str_c(name), &err), RC_FORBIDDEN);
    ck_str(err_text(&err), sentence);
}

START_TEST(what_is_denied_is_asked_before_what_is_allowed)
{
    struct pico_policy p;
    ck_assert(pico_policy_read(&heap, PICO_POLICY_EVENT,
                               value("{\"allow\":[{\"domain\":\" say \",\"name\":\"*\"},"
                                     "{\"domain\":\"*\",\"name\":\"ping\"}],"
                                     "\"deny\":[{\"domain\":\"say\",\"name\":\"secret\"}]}"),
                               &p));
    allow(&p, "say", "hello");
    allow(&p, "any", "ping");
    refuse(&p, "say", "secret", "Error: Denied by channel policy");
    refuse(&p, "Say", "hello", "Error: Not allowed by channel policy");
    ck_str(json(pico_policy_value(&heap, PICO_POLICY_EVENT, &p)),
           "{\"allow\":[{\"domain\":\"say\",\"name\":\"*\"},{\"domain\":\"*\",\"name\":\"ping\"}],"
           "\"deny\":[{\"domain\":\"say\",\"name\":\"secret\"}]}");
}
END_TEST

START_TEST(without_a_policy_everything_is_allowed)
{
    struct pico_policy p;
    ck_assert(pico_policy_read(&heap, PICO_POLICY_QUERY, krl_undefined(), &p));
    allow(&p, "any.rid", "query");
    ck_assert(pico_policy_read(&heap, PICO_POLICY_QUERY, value("null"), &p));
    ck_str(json(pico_policy_value(&heap, PICO_POLICY_QUERY, &p)),
           "{\"allow\":[{\"rid\":\"*\",\"name\":\"*\"}],\"deny\":[]}");
    ck_assert(pico_policy_read(&heap, PICO_POLICY_QUERY, value("{\"allow\":[],\"deny\":[]}"), &p));
    refuse(&p, "any.rid", "query", "Error: Not allowed by channel policy");
}
END_TEST

START_TEST(a_policy_of_another_shape_is_refused_in_the_official_words)
{
    static const char whole[] = "TypeError: EventPolicy expects {allow: EventPolicyRule[], deny: "
                                "EventPolicyRule[]}";
    static const char rule[] = "TypeError: EventPolicyRule expects {domain: string, name: string}";
    static const struct {
        const char *json;
        const char *sentence;
    } rows[] = {
        {"\"allow\"", whole},
        {"[]", whole},
        {"{\"allow\":[]}", whole},
        {"{\"allow\":[],\"deny\":{}}", whole},
        {"{\"allow\":[],\"deny\":[],\"more\":1}", whole},
        {"{\"allow\":[1],\"deny\":[]}", rule},
        {"{\"allow\":[{\"domain\":\"a\"}],\"deny\":[]}", rule},
        {"{\"allow\":[{\"domain\":\"a\",\"name\":\" \"}],\"deny\":[]}", rule},
        {"{\"allow\":[{\"domain\":\"a\",\"name\":1}],\"deny\":[]}", rule},
        {"{\"allow\":[{\"rid\":\"a\",\"name\":\"b\"}],\"deny\":[]}", rule},
        {"{\"allow\":[],\"deny\":[{\"domain\":\"a\",\"name\":\"b\",\"c\":1}]}", rule},
    };
    struct pico_policy p;
    for (size_t i = 0; i < COUNT(rows); i++) {
        err_clear(&heap.err);
        ck_assert(!pico_policy_read(&heap, PICO_POLICY_EVENT, value(rows[i].json), &p));
        ck_str(err_text(&heap.err), rows[i].sentence);
    }
    err_clear(&heap.err);
    ck_assert(
        !pico_policy_read(&heap, PICO_POLICY_QUERY, value("{\"allow\":[{}],\"deny\":[]}"), &p));
    ck_str(err_text(&heap.err), "TypeError: QueryPolicyRule expects {rid: string, name: string}");
}
END_TEST

START_TEST(tags_are_cleaned)
{
    ck_str(json(pico_tags_clean(&heap,
                                value("[\"One  Two\", \"--a_B--c!!\", \" x\", \"\xC3\xA9t\"]"))),
           "[\"one-two\",\"a_b-c\",\"x\",\"t\"]");
    ck_str(json(pico_tags_clean(&heap, krl_undefined())), "[]");
}
END_TEST

START_TEST(tags_that_cannot_be_are_refused)
{
    static const char texts[] = "TypeError: Channel `tags` must be an array of non-empty strings.";
    static const struct {
        const char *json;
        const char *sentence;
    } rows[] = {
        {"\"one\"", texts},
        {"{\"a\":1}", texts},
        {"[\"a\",1]", texts},
        {"[\"\"]", "TypeError: Channel tag cannot be a blank string."},
        {"[\"!-!\"]", "TypeError: Channel tag cannot be a blank string."},
        {"[\"a\",\" System \"]", "TypeError: Cannot tag channel as \"system\"."},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        err_clear(&heap.err);
        ck_assert(krl_is_failed(pico_tags_clean(&heap, value(rows[i].json))));
        ck_str(err_text(&heap.err), rows[i].sentence);
    }
}
END_TEST

START_TEST(the_order_of_tags_does_not_matter)
{
    ck_assert(
        pico_tags_same(value("[\"a\",\"b\",\"a\"]").array, value("[\"b\",\"a\",\"a\"]").array));
    ck_assert(
        !pico_tags_same(value("[\"a\",\"b\",\"b\"]").array, value("[\"b\",\"a\",\"a\"]").array));
    ck_assert(!pico_tags_same(value("[\"a\"]").array, value("[]").array));
    ck_assert(pico_tags_same(value("[]").array, value("[]").array));
}
END_TEST

Suite *policy_suite(void);
Suite *policy_suite(void)
{
    Suite *s = suite_create("policy");
    TCase *c = tcase_create("policy");
    tcase_add_checked_fixture(c, up, down);
    tcase_add_test(c, what_is_denied_is_asked_before_what_is_allowed);
    tcase_add_test(c, without_a_policy_everything_is_allowed);
    tcase_add_test(c, a_policy_of_another_shape_is_refused_in_the_official_words);
    tcase_add_test(c, tags_are_cleaned);
    tcase_add_test(c, tags_that_cannot_be_are_refused);
    tcase_add_test(c, the_order_of_tags_does_not_matter);
    suite_add_tcase(s, c);
    return s;
}
