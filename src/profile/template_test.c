#include "profile/template.h"

#include "base/clock.h"
#include "base/json.h"
#include "profile/pattern.h"
#include "profile/size.h"
#include "profile/yaml.h"

#include <check.h>

static struct arena arena;
static struct err err;

static void up(void)
{
    arena_init(&arena, (size_t)256 * 1024 * 1024);
    err = (struct err){0};
}

static void down(void)
{
    arena_fini(&arena);
}

static bool find(const void *arg, struct str name, struct template_value *ret)
{
    *ret = (struct template_value){.text = *(const struct str *)arg};
    if (str_eq(name, STR("plain"))) {
        *ret = (struct template_value){.text = STR("abc"), .plain = true};
        return true;
    }
    if (str_eq(name, STR("number")))
        *ret = (struct template_value){.text = STR("42"), .plain = true, .number = true};
    return str_eq(name, STR("x")) || str_eq(name, STR("number"));
}

static enum rc render(const char *text, enum template_kind kind, struct str x, struct str *ret)
{
    struct template_scope scope = {.find = find, .arg = &x};
    err = (struct err){0};
    TRY(template_check(str_c(text), kind, &scope, &err));
    return template_render(str_c(text), kind, &scope, (size_t)64 * 1024, &arena, ret, &err);
}

START_TEST(values_are_escaped_by_the_kind_or_the_filter)
{
    static const struct {
        const char *text;
        enum template_kind kind;
        const char *x;
        const char *want;
    } cases[] = {
        {"a {{ plain }} b", TEMPLATE_RAW, "", "a abc b"},
        {"{{x}}", TEMPLATE_SHELL, "it's", "'it'\\''s'"},
        {"{{ x }}", TEMPLATE_JSON, "a\"\n", "\"a\\\"\\n\""},
        {"{{ number }}", TEMPLATE_JSON, "", "42"},
        {"{{ number }}", TEMPLATE_SHELL, "", "'42'"},
        {"{{ x }}", TEMPLATE_YAML, "a\"\n\xc2\x85", "\"a\\\"\\x0a\\x85\""},
        {"{{ x }}", TEMPLATE_SQL, "it's", "'it''s'"},
        {"{{ x }}", TEMPLATE_INI, "a b", "a b"},
        {"{{ x | url }}", TEMPLATE_RAW, "a/b c", "a%2Fb%20c"},
        {"{{ x }}", TEMPLATE_HTML, "<b>&'", "&lt;b&gt;&amp;&#39;"},
        {"{{ x | json }} {{{{ no }}", TEMPLATE_SHELL, "1", "\"1\" {{ no }}"},
        {"", TEMPLATE_RAW, "", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str got = STR("");
        ck_assert_int_eq(render(cases[i].text, cases[i].kind, str_c(cases[i].x), &got), RC_OK);
        ck_assert_msg(str_eq(got, str_c(cases[i].want)), "%s: %.*s", cases[i].text, STRF(got));
    }
}
END_TEST

START_TEST(what_could_leave_its_place_is_refused)
{
    static const struct {
        const char *text;
        enum template_kind kind;
        const char *x;
    } cases[] = {
        {"{{ x }}", TEMPLATE_RAW, ""},     {"{{ x | raw }}", TEMPLATE_SHELL, ""},
        {"{{ y }}", TEMPLATE_SHELL, ""},   {"{{ x | bash }}", TEMPLATE_SHELL, ""},
        {"{{ x", TEMPLATE_SHELL, ""},      {"{{ x }", TEMPLATE_SHELL, ""},
        {"{{ }}", TEMPLATE_SHELL, ""},     {"{{ a b }}", TEMPLATE_SHELL, ""},
        {"{{ x }}", TEMPLATE_INI, "a\nb"}, {"{{ x }}", TEMPLATE_INI, "a;b"},
        {"{{ x }}", TEMPLATE_INI, " a"},   {"{{ x }}", TEMPLATE_SQL, "a\\"},
        {"{{", TEMPLATE_SHELL, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str got;
        ck_assert_int_eq(render(cases[i].text, cases[i].kind, str_c(cases[i].x), &got), RC_INVALID);
    }
}
END_TEST

/* --- any text comes out of its reader as it went in --- */

static struct str any_text(struct clock_sim *sim)
{
    static const char *const pieces[] = {
        "'",  "\"", "\\",       "\n",     "\t", "$(x)", "`", ";", "--", "a", "{{ x }}", "%", "&&",
        "\r", "#",  "\xc2\x85", "\u2028", "é",  "\x7f", "0", ":", " ",  "]", "\ufeff"};
    struct buf b;
    buf_init(&b, &arena, 200);
    for (uint64_t count = clock_sim_below(sim, 12); count > 0; count--)
        buf_add(&b, str_c(pieces[clock_sim_below(sim, COUNT(pieces))]));
    return buf_str(&b);
}

/* What a shell reads of one word of single quotes and \' between them; false: more than a word. */
static bool read_shell(struct str s, struct buf *out)
{
    bool quoted = false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'') {
            quoted = !quoted;
        } else if (quoted) {
            buf_add_char(out, s.p[i]);
        } else if (s.p[i] == '\\' && i + 1 < s.n) {
            buf_add_char(out, s.p[++i]);
        } else {
            return false;
        }
    }
    return !quoted;
}

static bool read_sql(struct str s, struct buf *out)
{
    if (s.n < 2 || s.p[0] != '\'' || s.p[s.n - 1] != '\'')
        return false;
    for (size_t i = 1; i < s.n - 1; i++) {
        if (s.p[i] == '\'' && (i + 2 >= s.n || s.p[++i] != '\''))
            return false;
        buf_add_char(out, s.p[i]);
    }
    return true;
}

static void check_json(const char *format, enum template_kind kind, struct str x)
{
    struct str got;
    ck_assert_int_eq(render(format, kind, x, &got), RC_OK);
    const struct json *json = NULL;
    if (kind == TEMPLATE_JSON) {
        ck_assert_int_eq(json_parse(got, &arena, &json, &err), RC_OK);
    } else {
        struct yaml yaml;
        ck_assert_msg(yaml_read(got, &arena, &yaml, &err) == RC_OK, "%.*s: %s", STRF(got),
                      err.text);
        json = yaml.root;
    }
    ck_assert_uint_eq(json->n, 2);
    ck_assert(str_eq(json_text(json_get(json, STR("a"))), x));
}

START_TEST(escapes_hold_for_any_text)
{
    const uint64_t seed = 20261125;
    struct clock_sim sim;
    clock_sim_init(&sim, 0, seed);
    for (int i = 0; i < 3000; i++) {
        if (i % 20 == 0)
            arena_reset(&arena);
        struct str x = any_text(&sim), got;
        struct buf out;
        buf_init(&out, &arena, 1000);
        ck_assert_int_eq(render("{{ x }}", TEMPLATE_SHELL, x, &got), RC_OK);
        ck_assert_msg(read_shell(got, &out) && str_eq(buf_str(&out), x), "seed %llu, %d",
                      (unsigned long long)seed, i);
        buf_reset(&out);
        if (render("{{ x }}", TEMPLATE_SQL, x, &got) == RC_OK)
            ck_assert(read_sql(got, &out) && str_eq(buf_str(&out), x));
        if (render("{{ x }}", TEMPLATE_INI, x, &got) == RC_OK)
            ck_assert(str_find(got, '\n', 0) == got.n && str_find(got, '\r', 0) == got.n &&
                      str_find(got, '#', 0) == got.n);
        check_json("{\"a\": {{ x }}, \"b\": 1}", TEMPLATE_JSON, x);
        check_json("a: {{ x }}\nb: 1\n", TEMPLATE_YAML, x);
        check_json("{b: [{{ x }}, 2], a: {{ x }}}", TEMPLATE_YAML, x);
        ck_assert_int_eq(render("<{{ x }}>", TEMPLATE_HTML, x, &got), RC_OK);
        ck_assert_uint_eq(str_find(got, '<', 1), got.n);
        ck_assert_int_eq(render("{{ x }}", TEMPLATE_URL, x, &got), RC_OK);
        for (size_t k = 0; k < got.n; k++)
            ck_assert(got.p[k] > ' ' && strchr("/?#@:&=\"'<>", got.p[k]) == NULL);
    }
}
END_TEST

START_TEST(patterns_match_whole_texts)
{
    static const struct {
        const char *pattern, *text;
        bool matches, plain;
    } cases[] = {
        {"[a-z][a-z0-9_]{0,3}", "a_9", true, true},
        {"[a-z][a-z0-9_]{0,3}", "abcde", false, true},
        {"[a-z]+", "", false, true},
        {"[a-z]*", "", true, true},
        {"a?b", "b", true, true},
        {"x{2}", "xx", true, true},
        {"x{2}", "x", false, true},
        {"[a-z @]+", "a @", true, false},
        {"[a-z]+", "é", false, true},
        {"[a-]+", "-a", true, true},
        {"[0-9]{1,3}", "12\n", false, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_int_eq(pattern_check(str_c(cases[i].pattern), &err), RC_OK);
        ck_assert_int_eq(pattern_matches(str_c(cases[i].pattern), str_c(cases[i].text)),
                         cases[i].matches);
        ck_assert_int_eq(pattern_is_plain(str_c(cases[i].pattern)), cases[i].plain);
    }
    static const char *const bad[] = {"",       "[",  "[]",    "[^a]", "(a)",     "a|b", ".*",
                                      "a{3,2}", "a{", "[z-a]", "\\d",  "a{1,}x{", "{2}", "[a\n]"};
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_int_eq(pattern_check(str_c(bad[i]), &err), RC_INVALID);
}
END_TEST

START_TEST(sizes_are_whole_numbers_with_a_unit)
{
    int64_t n = 0;
    ck_assert_int_eq(size_bytes(STR("512 MiB"), &n, &err), RC_OK);
    ck_assert_int_eq(n, 536870912);
    ck_assert_int_eq(size_bytes(STR("20GB"), &n, &err), RC_OK);
    ck_assert_int_eq(n, 20000000000);
    ck_assert_int_eq(size_cpu(STR("500m"), &n, &err), RC_OK);
    ck_assert_int_eq(n, 500);
    ck_assert_int_eq(size_cpu(STR("2"), &n, &err), RC_OK);
    ck_assert_int_eq(n, 2000);
    ck_assert_int_eq(size_bits(STR("100 Mbit"), &n, &err), RC_OK);
    ck_assert_int_eq(n, 100000000);
    ck_assert_int_eq(size_bytes(STR("512"), &n, &err), RC_INVALID);
    ck_assert_int_eq(size_bytes(STR("-1 MiB"), &n, &err), RC_INVALID);
    ck_assert_int_eq(size_bytes(STR("1.5 GB"), &n, &err), RC_INVALID);
    ck_assert_int_eq(size_bytes(STR("999999999 TiB"), &n, &err), RC_INVALID);
    ck_assert_int_eq(size_cpu(STR("0"), &n, &err), RC_INVALID);
}
END_TEST

START_TEST(yaml_is_read_strictly_and_knows_its_lines)
{
    struct yaml y;
    struct str text = STR("a: 1\nb:\n  - {c: x, d: true}\n  - null\n\"e/f\": 'yes'\n");
    ck_assert_int_eq(yaml_read(text, &arena, &y, &err), RC_OK);
    ck_assert_uint_eq(yaml_line(&y, STR("/a")), 1);
    ck_assert_uint_eq(yaml_line(&y, STR("/b/0/d")), 3);
    ck_assert_uint_eq(yaml_line(&y, STR("/b/0/missing/too")), 3);
    ck_assert_uint_eq(yaml_line(&y, STR("/b/1")), 4);
    ck_assert_uint_eq(yaml_line(&y, STR("/e~1f")), 5);
    static const char *const bad[] = {
        "",       "a: yes",        "a: &x 1\nb: *x", "a: !!str 1", "a: 1\na: 2", "--- a\n--- b",
        "[a]: 1", "a: [1, 2",      "{<<: a}",        "a: \"\\0\"", "a: *x",      "\t- a: b: c",
        "a: off", "? {a: b}\n: c", "a: \xff"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        err = (struct err){0};
        ck_assert_msg(yaml_read(str_c(bad[i]), &arena, &y, &err) == RC_SYNTAX, "%s", bad[i]);
        ck_assert_uint_gt(err.text_n, 0);
    }
    ck_assert_int_eq(yaml_read(STR("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"), &arena, &y, &err),
                     RC_SYNTAX);
}
END_TEST

Suite *template_suite(void);
Suite *template_suite(void)
{
    Suite *s = suite_create("template");
    TCase *t = tcase_create("places");
    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, values_are_escaped_by_the_kind_or_the_filter);
    tcase_add_test(t, what_could_leave_its_place_is_refused);
    tcase_add_test(t, escapes_hold_for_any_text);
    tcase_add_test(t, patterns_match_whole_texts);
    tcase_add_test(t, sizes_are_whole_numbers_with_a_unit);
    tcase_add_test(t, yaml_is_read_strictly_and_knows_its_lines);
    suite_add_tcase(s, t);
    return s;
}
