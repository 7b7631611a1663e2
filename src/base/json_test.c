#include "base/json.h"

#include "base/clock.h"

#include <check.h>
#include <signal.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, (size_t)256 * MIB);
}

static void teardown(void)
{
    arena_fini(&arena);
}

/* Parse a copy that ends where the text ends, so that AddressSanitizer sees a step too far. */
static enum rc parse(struct str text, const struct json **ret, struct err *err)
{
    char *p = arena_bytes(&arena, text.n);
    if (text.n > 0)
        memcpy(p, text.p, text.n);
    return json_parse(str_n(p, text.n), &arena, ret, err);
}

static struct str write_node(const struct json *node)
{
    struct buf b;
    buf_init(&b, &arena, (size_t)16 * MIB);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_put_node(&w, node);
    ck_assert(!b.full);
    return buf_str(&b);
}

static const struct json *must_parse(struct str text)
{
    struct err err;
    const struct json *j = NULL;
    err_clear(&err);
    enum rc rc = parse(text, &j, &err);
    ck_assert_msg(rc == RC_OK, "%.*s: %s", (int)min_size(text.n, 200), text.p, err.text);
    return j;
}

static void check_refused(struct str text, enum rc want, const char *sentence)
{
    struct err err;
    err_clear(&err);
    const struct json *j = NULL;
    enum rc rc = parse(text, &j, &err);
    ck_assert_msg(rc == want, "%.*s: code %d, %s", (int)min_size(text.n, 100), text.p, (int)rc,
                  err.text);
    ck_assert_ptr_null(j);
    ck_assert_int_eq(err.rc, want);
    if (sentence != NULL)
        ck_assert_str_eq(err.text, sentence);
}

static void check_canonical(const char *text, const char *want)
{
    struct str got = write_node(must_parse(str_c(text)));
    ck_assert_msg(str_eq(got, str_c(want)), "%s gave %.*s", text, STRF(got));
}

START_TEST(every_value_is_read_and_written_in_canonical_form)
{
    check_canonical("null", "null");
    check_canonical(" true ", "true");
    check_canonical("\t\r\nfalse\n", "false");
    check_canonical("-0", "-0");
    check_canonical("1.50e+10", "1.50e+10");
    check_canonical("0.0", "0.0");
    check_canonical("123456789012345678901234567890", "123456789012345678901234567890");
    check_canonical("\"\"", "\"\"");
    check_canonical("[ ]", "[]");
    check_canonical("{ }", "{}");
    check_canonical("[1 , [ ] , {\"a\" : [ { } , 2 ] } , \"x\" ]", "[1,[],{\"a\":[{},2]},\"x\"]");
    check_canonical("{\"a\":{\"b\":{\"c\":[[[]]]}},\"d\":null}",
                    "{\"a\":{\"b\":{\"c\":[[[]]]}},\"d\":null}");
    check_canonical("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00\\u0001\"",
                    "\"\\\"\\\\/\\b\\f\\n\\r\\t\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\\u0001\"");
    check_canonical("{\"\\u0061\\n\":\"\xE4\xB8\xAD\xE6\x96\x87\"}",
                    "{\"a\\n\":\"\xE4\xB8\xAD\xE6\x96\x87\"}");
}
END_TEST

START_TEST(children_are_walked_in_order_with_their_names)
{
    const struct json *j = must_parse(STR("{\"a\":[1,[2,3],4],\"b\":{\"c\":true},\"d\":\"e\"}"));
    ck_assert_int_eq(json_type(j), JSON_OBJECT);
    ck_assert_uint_eq(j->n, 3);
    const struct json *c = json_first(j);
    ck_assert(str_eq(json_key(c), STR("a")));
    ck_assert_int_eq(json_type(c), JSON_ARRAY);
    ck_assert_uint_eq(c->n, 3);
    int64_t number = 0;
    const struct json *item = json_first(c);
    ck_assert(json_i64(item, &number) && number == 1);
    item = json_next(c, item);
    ck_assert_uint_eq(item->n, 2);
    item = json_next(c, item);
    ck_assert(json_i64(item, &number) && number == 4);
    ck_assert_ptr_null(json_next(c, item));
    c = json_next(j, c);
    ck_assert(str_eq(json_key(c), STR("b")));
    ck_assert_int_eq(json_type(json_get(c, STR("c"))), JSON_TRUE);
    ck_assert_ptr_null(json_get(c, STR("a")));
    c = json_next(j, c);
    ck_assert(str_eq(json_key(c), STR("d")) && str_eq(json_text(c), STR("e")));
    ck_assert_ptr_null(json_next(j, c));
    ck_assert_ptr_null(json_first(must_parse(STR("[]"))));
    ck_assert_ptr_null(json_first(must_parse(STR("{}"))));
    ck_assert_uint_eq(sizeof *j, 24);
}
END_TEST

START_TEST(integers_are_exact_or_refused)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9007199254740993", true, INT64_C(9007199254740993)},
        {"-0", true, 0},
        {"9223372036854775808", false, 0},
        {"1.0", false, 0},
        {"1e2", false, 0},
        {"\"1\"", false, 0},
        {"true", false, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t got = 77;
        bool ok = json_i64(must_parse(str_c(cases[i].text)), &got);
        ck_assert_msg(ok == cases[i].ok, "%s", cases[i].text);
        ck_assert_int_eq(got, ok ? cases[i].value : 77);
    }
}
END_TEST

START_TEST(what_is_not_json_is_refused)
{
    static const char *const cases[] = {
        "",
        " ",
        "nul",
        "nulll",
        "True",
        "[",
        "]",
        "{",
        "}",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{\"a\":1]",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "{\"a\":1 \"b\":2}",
        "1 2",
        "[] []",
        "01",
        "-01",
        "-",
        "+1",
        ".5",
        "1.",
        "1.e1",
        "1e",
        "1e+",
        "0x10",
        "1_000",
        "NaN",
        "Infinity",
        "-Infinity",
        "--1",
        "1.2.3",
        "\"",
        "\"a",
        "\"\\",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12G4\"",
        "\"\\u",
        "\"a\nb\"",
        "\"a\tb\"",
        "'a'",
        "// c\n1",
        "/* c */ 1",
        "1 # c",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800\\ud800\"",
        "\"\\ud83d\\\"",
        "\"\\u0000\"",
        "\xEF\xBB\xBF\x31",
        "\"\xC0\x80\"",
        "\"\xED\xA0\x80\"",
        "\"\xF4\x90\x80\x80\"",
        "\"\xC3\"",
        "\"abcdefgh\xE4\xB8\"",
        "\"\\n\xFF\"",
        "{\"\xFF\":1}",
        "\xFF",
        "[1]\xC3\xA9",
        "\v1",
        "\f1",
        "\xC2\xA0\x31",
        "[\"a\" \"b\"]",
        "{\"a\":}",
        "{:1}",
        "{\"a\":1,\"b\"}",
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_refused(str_c(cases[i]), RC_SYNTAX, NULL);
    check_refused(STR("\"a\0b\""), RC_SYNTAX, NULL);
    check_refused(STR("1\0"), RC_SYNTAX, NULL);
    check_refused(STR("\"\\\0\""), RC_SYNTAX, NULL);
    check_refused((struct str){NULL, 0}, RC_SYNTAX, NULL);
}
END_TEST

START_TEST(refusals_name_line_and_column)
{
    check_refused(STR("{\n  \"a\": 1,\n  \"b\" 2\n}"), RC_SYNTAX,
                  "line 3, column 7: expected ':', found '2'");
    check_refused(STR("[\"\xE4\xB8\xAD\" x]"), RC_SYNTAX,
                  "line 1, column 6: expected ',' or ']', found 'x'");
    check_refused(STR("[1,"), RC_SYNTAX,
                  "line 1, column 4: expected a value, but the text ends here");
    check_refused(STR("{\"a\":1\x01}"), RC_SYNTAX,
                  "line 1, column 7: expected ',' or '}', found byte 0x01");
    check_refused(STR("[\"a\nb\"]"), RC_SYNTAX,
                  "line 1, column 4: a control character in a string must be written as an escape");
    check_refused(STR("[0123]"), RC_SYNTAX,
                  "line 1, column 2: a number must not begin with 0 and more digits");
}
END_TEST

START_TEST(a_name_may_stand_once_only)
{
    check_refused(STR("{\"a\":1,\"b\":2,\"a\":3}"), RC_SYNTAX,
                  "line 1, column 14: the name 'a' is there twice");
    check_refused(STR("{\"\":1,\"\":2}"), RC_SYNTAX, NULL);
    check_refused(STR("{\"a\":{\"x\":1},\"\\u0061\":{\"x\":1}}"), RC_SYNTAX, NULL);
    check_refused(STR("[{\"k\":{\"a\":[{}],\"a\":0}}]"), RC_SYNTAX, NULL);
    must_parse(STR("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}]}"));
}
END_TEST

/* {"k0":[0],"k1":[1], ...}, and a last member with the given name. */
static struct str large_object(size_t members, const char *last)
{
    struct buf b;
    buf_init(&b, &arena, (size_t)16 * MIB);
    buf_add_char(&b, '{');
    for (size_t i = 0; i < members; i++)
        buf_fmt(&b, "\"k%zu\":[%zu],", i, i);
    buf_fmt(&b, "\"%s\":0}", last);
    ck_assert(!b.full);
    return buf_str(&b);
}

START_TEST(large_objects_are_checked_for_repeated_names_too)
{
    static const size_t sizes[] = {22, 23, 24, 25, 31, 32, 33, 63, 64, 65, 1000, 100000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        const struct json *j = must_parse(large_object(sizes[i], "last"));
        ck_assert_uint_eq(j->n, sizes[i] + 1);
        check_refused(large_object(sizes[i], "k7"), RC_SYNTAX, NULL);
        check_refused(large_object(sizes[i], "k\\u0030"), RC_SYNTAX, NULL);
    }
    /* A large object, then a larger and a smaller one in the same text. */
    struct str a = large_object(40, "x");
    struct str b = large_object(4000, "x");
    struct str all = arena_fmt(&arena, "[%.*s,%.*s,%.*s]", STRF(a), STRF(b), STRF(a));
    ck_assert_uint_eq(must_parse(all)->n, 3);
}
END_TEST

static struct str nested(size_t depth, char open, char close)
{
    char *p = arena_bytes(&arena, 2 * depth);
    memset(p, open, depth);
    memset(p + depth, close, depth);
    return str_n(p, 2 * depth);
}

START_TEST(depth_is_bounded)
{
    must_parse(nested(JSON_DEPTH_MAX, '[', ']'));
    check_refused(nested(JSON_DEPTH_MAX + 1, '[', ']'), RC_TOO_LARGE,
                  "line 1, column 65: arrays and objects are nested more than 64 levels deep");
    check_refused(nested(1000000, '[', ']'), RC_TOO_LARGE, NULL);
}
END_TEST

START_TEST(a_document_larger_than_the_arena_is_refused_not_fatal)
{
    struct arena small;
    arena_init(&small, (size_t)64 * KIB);
    struct err err;
    const struct json *j = NULL;
    char *zeros = arena_bytes(&arena, 20001);
    for (size_t i = 0; i < 20001; i++)
        zeros[i] = i % 2 ? '0' : ',';
    zeros[0] = '[';
    zeros[20000] = ']';
    err_clear(&err);
    ck_assert_int_eq(json_parse(str_n(zeros, 20001), &small, &j, &err), RC_TOO_LARGE);
    ck_assert_ptr_null(j);
    arena_reset(&small);
    zeros[1000] = ']';
    ck_assert_int_eq(json_parse(str_n(zeros, 1001), &small, &j, &err), RC_OK);
    arena_reset(&small);
    /* Strings with escapes are copied: they need room too. */
    char *escapes = arena_bytes(&arena, 100002);
    memset(escapes, '/', 100002);
    escapes[0] = escapes[100001] = '"';
    escapes[1] = '\\';
    j = NULL;
    ck_assert_int_eq(json_parse(str_n(escapes, 100002), &small, &j, &err), RC_TOO_LARGE);
    ck_assert_ptr_null(j);
    arena_fini(&small);
}
END_TEST

START_TEST(a_text_past_the_bound_is_refused_unread)
{
    struct err err;
    const struct json *j = NULL;
    err_clear(&err);
    struct str text = {"1", (size_t)JSON_TEXT_MAX + 1};
    ck_assert_int_eq(json_parse(text, &arena, &j, &err), RC_TOO_LARGE);
}
END_TEST

/* --- properties --- */

static uint64_t test_seed(void)
{
    const char *text = getenv("TEST_SEED");
    int64_t seed = 0;
    return text != NULL && str_to_i64(str_c(text), 0, INT64_MAX, &seed) ? (uint64_t)seed : 20261122;
}

static void put_random_text(struct clock_sim *chance, struct buf *b)
{
    static const char *const parts[] = {
        "a",
        "name",
        "long plain text here",
        " ",
        "\\n",
        "\\\"",
        "\\\\",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\xC3\xA9",
        "\xE4\xB8\xAD\xE6\x96\x87",
        "\xF0\x9F\x98\x80",
        "{",
        "]",
        ",",
        "\x7F",
        "/",
    };
    buf_add_char(b, '"');
    for (uint64_t n = clock_sim_below(chance, 6); n > 0; n--)
        buf_add(b, str_c(parts[clock_sim_below(chance, COUNT(parts))]));
    buf_fmt(b, "%d\"", (int)clock_sim_below(chance, 1000000000));
}

/* Any document. Names nearly never repeat; a document where they do is skipped by the caller. */
static void put_random(struct clock_sim *chance, struct buf *b, int depth)
{
    static const char *const spaces[] = {"", "", "", " ", "\n", "\t ", "\r\n"};
    static const char *const scalars[] = {"null", "true",  "false", "0",
                                          "-1",   "12.50", "1e9",   "-0.5E-3"};
    uint64_t kind = clock_sim_below(chance, depth > 6 ? 2 : 4);
    buf_add(b, str_c(spaces[clock_sim_below(chance, COUNT(spaces))]));
    if (kind == 0) {
        buf_add(b, str_c(scalars[clock_sim_below(chance, COUNT(scalars))]));
    } else if (kind == 1) {
        put_random_text(chance, b);
    } else {
        buf_add_char(b, kind == 2 ? '[' : '{');
        for (uint64_t i = 0, n = clock_sim_below(chance, 40) / (1 + (uint64_t)depth * 4); i < n;
             i++) {
            if (i > 0)
                buf_add_char(b, ',');
            if (kind == 3) {
                put_random_text(chance, b);
                buf_add_char(b, ':');
            }
            put_random(chance, b, depth + 1);
        }
        buf_add_char(b, kind == 2 ? ']' : '}');
    }
    buf_add(b, str_c(spaces[clock_sim_below(chance, COUNT(spaces))]));
}

static bool same(const struct json *a, const struct json *b)
{
    if (a->skip != b->skip)
        return false;
    for (uint32_t i = 0; i < a->skip; i++) {
        if (a[i].type != b[i].type || a[i].n != b[i].n || a[i].skip != b[i].skip)
            return false;
        if ((a[i].type == JSON_STRING || a[i].type == JSON_NUMBER) &&
            !str_eq(json_text(&a[i]), json_text(&b[i])))
            return false;
    }
    return true;
}

START_TEST(what_is_written_reads_back_the_same)
{
    uint64_t seed = test_seed();
    struct clock_sim chance;
    clock_sim_init(&chance, 0, seed);
    int done = 0;
    for (int i = 0; i < 2000; i++) {
        struct buf b;
        buf_init(&b, &arena, (size_t)4 * MIB);
        put_random(&chance, &b, 0);
        struct err err;
        err_clear(&err);
        const struct json *j = NULL;
        enum rc rc = parse(buf_str(&b), &j, &err);
        if (rc == RC_SYNTAX && strstr(err.text, "twice") != NULL)
            continue;
        ck_assert_msg(rc == RC_OK, "seed %llu, document %d: %s", (unsigned long long)seed, i,
                      err.text);
        struct str canonical = write_node(j);
        const struct json *again = must_parse(canonical);
        ck_assert_msg(same(j, again), "seed %llu, document %d", (unsigned long long)seed, i);
        ck_assert_msg(str_eq(canonical, write_node(again)), "seed %llu, document %d",
                      (unsigned long long)seed, i);
        done++;
        arena_reset(&arena);
    }
    ck_assert_int_gt(done, 1000);
}
END_TEST

START_TEST(a_document_cut_anywhere_is_refused)
{
    struct str text =
        STR("{\"a\":[1.5e3,\"\\u00e9\\ud83d\\ude00\",true,null],\"\xE4\xB8\xAD\":{\"b\":[]}}");
    must_parse(text);
    for (size_t n = 0; n < text.n; n++)
        check_refused(str_sub(text, 0, n), RC_SYNTAX, NULL);
}
END_TEST

START_TEST(a_string_of_any_length_and_any_place_is_scanned_right)
{
    /* Eight bytes are looked at together: put the odd byte at every place of the word. */
    static const char *const odd[] = {"\\n", "\xC3\xA9", "\xE4\xB8\xAD", "\xF0\x9F\x98\x80",
                                      "\x7F"};
    for (size_t which = 0; which < COUNT(odd); which++) {
        for (size_t before = 0; before < 20; before++) {
            for (size_t after = 0; after < 20; after++) {
                struct str text =
                    arena_fmt(&arena, "\"%.*s%s%.*s\"", (int)before, "abcdefghijklmnopqrstuvwxyz",
                              odd[which], (int)after, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
                ck_assert(str_eq(write_node(must_parse(text)), text));
            }
        }
    }
    for (size_t before = 0; before < 20; before++) {
        struct str text = arena_fmt(&arena, "\"%.*s\x01%.*s\"", (int)before, "abcdefghijklmnopqrst",
                                    10, "ABCDEFGHIJ");
        check_refused(text, RC_SYNTAX, NULL);
        text = arena_fmt(&arena, "\"%.*s\xFF%.*s\"", (int)before, "abcdefghijklmnopqrst", 10,
                         "ABCDEFGHIJ");
        check_refused(text, RC_SYNTAX, NULL);
    }
}
END_TEST

/* --- the writer --- */

START_TEST(the_writer_keeps_commas_and_nesting)
{
    struct buf b;
    buf_init(&b, &arena, 4096);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, STR("list"));
    json_begin_array(&w);
    json_put_i64(&w, INT64_MIN);
    json_put_bool(&w, true);
    json_put_null(&w);
    json_begin_object(&w);
    json_end_object(&w);
    json_end_array(&w);
    json_put_key(&w, STR("raw"));
    json_put_raw(&w, STR("{\"x\":1}"));
    json_put_key(&w, STR("node"));
    json_put_node(&w, must_parse(STR("[ 1 , 2 ]")));
    json_end_object(&w);
    ck_assert(str_eq(buf_str(&b), STR("{\"list\":[-9223372036854775808,true,null,{}],"
                                      "\"raw\":{\"x\":1},\"node\":[1,2]}")));
}
END_TEST

START_TEST(pretty_is_two_spaces_a_level)
{
    struct buf b;
    buf_init(&b, &arena, 4096);
    struct json_writer w;
    json_writer_init(&w, &b);
    w.pretty = true;
    json_begin_object(&w);
    json_put_key(&w, STR("a"));
    json_begin_array(&w);
    json_put_i64(&w, 1);
    json_put_i64(&w, 2);
    json_end_array(&w);
    json_put_key(&w, STR("b"));
    json_begin_object(&w);
    json_end_object(&w);
    json_end_object(&w);
    ck_assert(str_eq(buf_str(&b), STR("{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}")));
    must_parse(buf_str(&b));
}
END_TEST

START_TEST(text_that_is_not_utf8_is_mended_on_the_way_out)
{
    static const struct {
        struct str text;
        const char *want;
    } cases[] = {
        {STR_INIT("a\xFF"
                  "b"),
         "\"a\xEF\xBF\xBD"
         "b\""},
        {STR_INIT("\xE4\xB8"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {STR_INIT("\xC3\xA9\xC3"), "\"\xC3\xA9\xEF\xBF\xBD\""},
        {STR_INIT("a\0b"), "\"a\xEF\xBF\xBD"
                           "b\""},
        {STR_INIT("\"\\\x1F\n\x7F"), "\"\\\"\\\\\\u001f\\n\x7F\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b;
        buf_init(&b, &arena, 4096);
        struct json_writer w;
        json_writer_init(&w, &b);
        json_put_str(&w, cases[i].text);
        ck_assert_msg(str_eq(buf_str(&b), str_c(cases[i].want)), "%zu: %.*s", i, STRF(buf_str(&b)));
        must_parse(buf_str(&b));
    }
}
END_TEST

START_TEST(a_deep_document_can_be_put_into_another)
{
    struct buf b;
    buf_init(&b, &arena, 4096);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_array(&w);
    json_put_node(&w, must_parse(nested(JSON_DEPTH_MAX, '[', ']')));
    json_end_array(&w);
    ck_assert_uint_eq(buf_str(&b).n, 2 * JSON_DEPTH_MAX + 2);
}
END_TEST

START_TEST(a_full_buffer_is_marked_and_stays_in_bounds)
{
    struct buf b;
    buf_init(&b, &arena, 10);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_array(&w);
    json_put_str(&w, STR("0123456789"));
    json_put_i64(&w, 1);
    json_end_array(&w);
    ck_assert(b.full);
    ck_assert_uint_le(buf_str(&b).n, 10);
}
END_TEST

static void start(struct buf *b, struct json_writer *w)
{
    buf_init(b, &arena, 4096);
    json_writer_init(w, b);
}

START_TEST(two_documents_are_a_mistake)
{
    struct buf b;
    struct json_writer w;
    start(&b, &w);
    json_put_i64(&w, 1);
    json_put_i64(&w, 2);
}
END_TEST

START_TEST(a_value_without_its_name_is_a_mistake)
{
    struct buf b;
    struct json_writer w;
    start(&b, &w);
    json_begin_object(&w);
    json_put_i64(&w, 1);
}
END_TEST

START_TEST(a_name_in_an_array_is_a_mistake)
{
    struct buf b;
    struct json_writer w;
    start(&b, &w);
    json_begin_array(&w);
    json_put_key(&w, STR("a"));
}
END_TEST

START_TEST(the_wrong_bracket_is_a_mistake)
{
    struct buf b;
    struct json_writer w;
    start(&b, &w);
    json_begin_array(&w);
    json_end_object(&w);
}
END_TEST

START_TEST(an_end_without_a_value_is_a_mistake)
{
    struct buf b;
    struct json_writer w;
    start(&b, &w);
    json_begin_object(&w);
    json_put_key(&w, STR("a"));
    json_end_object(&w);
}
END_TEST

START_TEST(members_of_a_number_are_a_mistake)
{
    (void)json_get(must_parse(STR("1")), STR("a"));
}
END_TEST

Suite *json_suite(void);
Suite *json_suite(void)
{
    Suite *s = suite_create("json");
    TCase *c = tcase_create("json");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, every_value_is_read_and_written_in_canonical_form);
    tcase_add_test(c, children_are_walked_in_order_with_their_names);
    tcase_add_test(c, integers_are_exact_or_refused);
    tcase_add_test(c, what_is_not_json_is_refused);
    tcase_add_test(c, refusals_name_line_and_column);
    tcase_add_test(c, a_name_may_stand_once_only);
    tcase_add_test(c, large_objects_are_checked_for_repeated_names_too);
    tcase_add_test(c, depth_is_bounded);
    tcase_add_test(c, a_document_larger_than_the_arena_is_refused_not_fatal);
    tcase_add_test(c, a_text_past_the_bound_is_refused_unread);
    tcase_add_test(c, what_is_written_reads_back_the_same);
    tcase_add_test(c, a_document_cut_anywhere_is_refused);
    tcase_add_test(c, a_string_of_any_length_and_any_place_is_scanned_right);
    tcase_add_test(c, the_writer_keeps_commas_and_nesting);
    tcase_add_test(c, pretty_is_two_spaces_a_level);
    tcase_add_test(c, text_that_is_not_utf8_is_mended_on_the_way_out);
    tcase_add_test(c, a_deep_document_can_be_put_into_another);
    tcase_add_test(c, a_full_buffer_is_marked_and_stays_in_bounds);
    tcase_add_test_raise_signal(c, two_documents_are_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, a_value_without_its_name_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, a_name_in_an_array_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, the_wrong_bracket_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, an_end_without_a_value_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, members_of_a_number_are_a_mistake, SIGABRT);
    suite_add_tcase(s, c);
    return s;
}
