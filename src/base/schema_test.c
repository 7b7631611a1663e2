#include "base/schema.h"

#include "base/clock.h"

#include <check.h>
#include <signal.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

struct address {
    uint64_t set;
    struct str city;
    struct str country;
};

struct line {
    uint64_t set;
    struct str item;
    struct str price;
    int64_t count;
};

struct widget {
    uint64_t set;
    struct str id;
    struct str name;
    struct str note;
    int64_t count;
    bool live;
    time_us made;
    struct str birthday;
    struct str price;
    int64_t currency;
    struct address address;
    struct list lines;
    struct list tags;
    const struct json *extra;
    struct str stored;
    struct str password;
    struct str parent;
    int64_t any;
};

static const char *const currencies[] = {"EUR", "USD", "CNY", NULL};
static const char *const colours[] = {"red", "green", NULL};

static const struct field address_fields[] = {
    FIELD(struct address, city, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 80, .doc = "City."),
    FIELD(struct address, country, TEXT, .min = 2, .max = 2, .doc = "ISO 3166 code."),
};
static const struct schema address_schema =
    SCHEMA(struct address, "address", address_fields, "A postal address.");

static const struct field line_fields[] = {
    FIELD(struct line, item, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 20),
    FIELD(struct line, price, DECIMAL),
    FIELD(struct line, count, INT, .min = 1, .max = 9),
};
static const struct schema line_schema = SCHEMA(struct line, "line", line_fields, "A line.");

static const struct field widget_fields[] = {
    FIELD(struct widget, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "wdg"),
    FIELD(struct widget, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 8, .doc = "Name.",
          .example = "\"PAR-2\""),
    FIELD(struct widget, note, TEXT, .flags = FIELD_MULTILINE),
    FIELD(struct widget, count, INT, .min = 0, .max = 1000),
    FIELD(struct widget, live, BOOL),
    FIELD(struct widget, made, TIME),
    FIELD(struct widget, birthday, DATE),
    FIELD(struct widget, price, DECIMAL),
    FIELD(struct widget, currency, WORD, .words = currencies),
    FIELD(struct widget, address, OBJECT, .schema = &address_schema),
    FIELD(struct widget, lines, LIST, .schema = &line_schema, .min = 1, .max = 4),
    FIELD(struct widget, tags, LIST, .words = colours, .max = 3),
    FIELD(struct widget, extra, JSON),
    FIELD(struct widget, stored, RAW),
    FIELD(struct widget, password, TEXT, .flags = FIELD_WRITE_ONLY, .min = 8, .max = 100),
    FIELD(struct widget, parent, TEXT, .prefix = "wdg"),
    FIELD(struct widget, any, INT),
};
static const struct schema widget_schema =
    SCHEMA(struct widget, "widget", widget_fields, "A widget.");

static struct arena arena;
static struct err err;

static void setup(void)
{
    arena_init(&arena, (size_t)64 * MIB);
    err_clear(&err);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static enum rc decode(enum schema_mode mode, const char *text, struct widget *ret)
{
    const struct json *json = NULL;
    enum rc rc = json_parse(str_c(text), &arena, &json, &err);
    ck_assert_msg(rc == RC_OK, "%s: %s", text, err.text);
    return schema_decode(&widget_schema, mode, json, &arena, ret, &err);
}

static struct widget must_decode(enum schema_mode mode, const char *text)
{
    struct widget w;
    enum rc rc = decode(mode, text, &w);
    ck_assert_msg(rc == RC_OK, "%s: %s", text, err.text);
    return w;
}

/* A result that nobody has written to. */
static void paint(struct widget *w)
{
    memset(w, 0x5A, sizeof *w);
}

static bool is_painted(const struct widget *w)
{
    const unsigned char *p = (const unsigned char *)w;
    for (size_t i = 0; i < sizeof *w; i++)
        if (p[i] != 0x5A)
            return false;
    return true;
}

static struct str encode(const struct widget *value)
{
    struct buf b;
    buf_init(&b, &arena, (size_t)64 * KIB);
    struct json_writer w;
    json_writer_init(&w, &b);
    schema_encode(&widget_schema, value, &w);
    ck_assert(!b.full);
    return buf_str(&b);
}

START_TEST(every_kind_of_field_is_decoded)
{
    struct widget w = must_decode(
        SCHEMA_WHOLE,
        "{\"name\":\"\xE4\xB8\xAD\xE6\x96\x87\",\"note\":\"a\\n\\tb\",\"count\":1000,\"live\":true,"
        "\"made\":\"2026-11-22T01:57:28+01:00\",\"birthday\":\"2024-02-29\",\"price\":\"-12.50\","
        "\"currency\":\"CNY\",\"address\":{\"city\":\"Paris\",\"country\":\"FR\"},"
        "\"lines\":[{\"item\":\"a\",\"price\":\"0.000000000001\"},{\"item\":\"b\",\"count\":9}],"
        "\"tags\":[\"red\",\"green\"],\"extra\":{\"x\":[1]},\"password\":\"12345678\","
        "\"parent\":\"wdg_01jd8v3q7w4k2m9x6c5b1n0h8z\",\"any\":-9223372036854775808}");
    ck_assert(str_eq(w.name, STR("\xE4\xB8\xAD\xE6\x96\x87")));
    ck_assert(str_eq(w.note, STR("a\n\tb")));
    ck_assert_int_eq(w.count, 1000);
    ck_assert(w.live);
    ck_assert_int_eq(w.made, days_from_civil(2026, 11, 22) * US_PER_DAY + 57 * US_PER_MINUTE +
                                 28 * US_PER_SECOND);
    ck_assert(str_eq(w.birthday, STR("2024-02-29")));
    ck_assert(str_eq(w.price, STR("-12.50")));
    ck_assert_int_eq(w.currency, 2);
    ck_assert(str_eq(w.address.city, STR("Paris")));
    ck_assert_uint_eq(w.address.set, 3);
    ck_assert_uint_eq(w.lines.count, 2);
    const struct line *lines = w.lines.items;
    ck_assert(str_eq(lines[0].price, STR("0.000000000001")) && lines[0].set == 3);
    ck_assert(lines[1].count == 9 && lines[1].set == 5);
    ck_assert_uint_eq(w.tags.count, 2);
    ck_assert(str_eq(((const struct str *)w.tags.items)[1], STR("green")));
    ck_assert_uint_eq(w.extra->n, 1);
    ck_assert_int_eq(w.any, INT64_MIN);
    /* All but the two that requests may not hold. */
    ck_assert_uint_eq(w.set, schema_all(&widget_schema) & ~UINT64_C(1) & ~(UINT64_C(1) << 13));
}
END_TEST

START_TEST(refusals_name_the_field_and_say_what_was_wanted)
{
    static const struct {
        const char *text;
        const char *pointer;
        const char *sentence;
    } cases[] = {
        {"{}", "/name", "field 'name' is required"},
        {"{\"name\":null}", "/name", "field 'name' is required, null does not do"},
        {"{\"name\":\"\"}", "/name", "field 'name' must have 1 to 8 characters, this has 0"},
        {"{\"name\":\"123456789\"}", "/name",
         "field 'name' must have 1 to 8 characters, this has 9"},
        {"{\"name\":5}", "/name", "field 'name' must be a string, this is a number"},
        {"{\"name\":\"a\\nb\"}", "/name",
         "field 'name' must not have line ends or control characters"},
        {"{\"name\":\"a\xC2\x85\"}", "/name",
         "field 'name' must not have line ends or control characters"},
        {"{\"note\":\"a\\u001b\"}", "/note",
         "field 'note' must not have control characters other than line ends"},
        {"{\"nmae\":\"a\"}", "/nmae", "there is no field 'nmae'; did you mean 'name'?"},
        {"{\"wholly_else\":\"a\"}", "/wholly_else", "there is no field 'wholly_else'"},
        {"{\"ix\":1}", "/ix", "there is no field 'ix'"},
        {"{\"a/b~c\\u001b\":1}", "/a~1b~0c\x1b", "there is no field 'a/b~c?'"},
        {"{\"id\":\"wdg_01jd8v3q7w4k2m9x6c5b1n0h8z\"}", "/id",
         "field 'id' is read-only: leave it out"},
        {"{\"id\":null}", "/id", "field 'id' is read-only: leave it out"},
        {"{\"stored\":{}}", "/stored", "field 'stored' is read-only: leave it out"},
        {"{\"count\":1001}", "/count", "field 'count' must be from 0 to 1000, this is 1001"},
        {"{\"count\":-1}", "/count", "field 'count' must be from 0 to 1000, this is -1"},
        {"{\"count\":99999999999999999999}", "/count",
         "field 'count' must be from 0 to 1000, this is 99999999999999999999"},
        {"{\"count\":1.0}", "/count", "field 'count' must be a whole number, this is 1.0"},
        {"{\"count\":\"1\"}", "/count", "field 'count' must be a whole number, this is a string"},
        {"{\"live\":1}", "/live", "field 'live' must be true or false, this is a number"},
        {"{\"made\":\"2026-11-22\"}", "/made",
         "field 'made' must be a time such as 2026-11-22T01:57:28Z"},
        {"{\"birthday\":\"2023-02-29\"}", "/birthday",
         "field 'birthday' must be a date such as 2026-11-22"},
        {"{\"price\":12.5}", "/price",
         "field 'price' must be a decimal in quotes such as \"12.50\", this is a number"},
        {"{\"price\":\"1e3\"}", "/price",
         "field 'price' must be a decimal such as 12.50, with at most 19 digits before and 12 "
         "behind the point"},
        {"{\"currency\":\"GBP\"}", "/currency", "field 'currency' must be one of EUR, USD, CNY"},
        {"{\"address\":[]}", "/address", "field 'address' must be an object, this is an array"},
        {"{\"address\":{\"city\":\"\"}}", "/address/city",
         "field 'city' must have 1 to 80 characters, this has 0"},
        {"{\"address\":{\"city\":\"A\",\"country\":\"FRA\"}}", "/address/country",
         "field 'country' must have 2 characters, this has 3"},
        {"{\"address\":{\"country\":\"FR\"}}", "/address/city", "field 'city' is required"},
        {"{\"address\":{\"city\":\"A\",\"cty\":1}}", "/address/cty",
         "there is no field 'cty'; did you mean 'city'?"},
        {"{\"lines\":[]}", "/lines", "field 'lines' must have 1 to 4 entries, this has 0"},
        {"{\"lines\":[1]}", "/lines/0",
         "entry 1 of field 'lines' must be an object, this is a number"},
        {"{\"lines\":[{\"item\":\"a\"},{\"item\":\"b\"},{\"item\":\"c\"},{\"item\":\"d\","
         "\"price\":\"x\"}]}",
         "/lines/3/price",
         "field 'price' must be a decimal such as 12.50, with at most 19 digits before and 12 "
         "behind the point"},
        {"{\"lines\":[{\"item\":\"a\"},{}]}", "/lines/1/item", "field 'item' is required"},
        {"{\"tags\":[\"red\",\"blue\"]}", "/tags/1",
         "entry 2 of field 'tags' must be one of red, green"},
        {"{\"tags\":[\"red\",\"red\",\"red\",\"red\"]}", "/tags",
         "field 'tags' must have at most 3 entries, this has 4"},
        {"{\"tags\":[null]}", "/tags/0", "entry 1 of field 'tags' must be a string, this is null"},
        {"{\"parent\":\"abc_01jd8v3q7w4k2m9x6c5b1n0h8z\"}", "/parent",
         "field 'parent' must be an id such as 'wdg_01jd8v3q7w4k2m9x6c5b1n0h8z'"},
        {"{\"parent\":\"\"}", "/parent",
         "field 'parent' must be an id such as 'wdg_01jd8v3q7w4k2m9x6c5b1n0h8z'"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct widget w;
        paint(&w);
        err_clear(&err);
        ck_assert_msg(decode(SCHEMA_WHOLE, cases[i].text, &w) == RC_INVALID, "%s", cases[i].text);
        ck_assert_str_eq(err.text, cases[i].sentence);
        ck_assert_str_eq(err.pointer, cases[i].pointer);
        ck_assert_msg(is_painted(&w), "%s wrote its result", cases[i].text);
    }
}
END_TEST

START_TEST(what_is_no_object_is_a_syntax_error)
{
    struct widget w;
    ck_assert_int_eq(decode(SCHEMA_WHOLE, "[1]", &w), RC_SYNTAX);
    ck_assert_str_eq(err.text, "expected an object, this is an array");
    ck_assert_str_eq(err.pointer, "");
}
END_TEST

START_TEST(a_patch_takes_what_is_there)
{
    struct widget w = must_decode(SCHEMA_PATCH, "{}");
    ck_assert_uint_eq(w.set, 0);
    w = must_decode(SCHEMA_PATCH, "{\"count\":7,\"address\":{\"country\":\"FR\"}}");
    ck_assert(schema_has(&widget_schema, &w, "count"));
    ck_assert(!schema_has(&widget_schema, &w, "name"));
    ck_assert(schema_has(&widget_schema, &w, "address"));
    ck_assert_uint_eq(w.address.set, 2);
    /* The items of a list replace what was there, so they are whole. */
    struct widget ignored;
    ck_assert_int_eq(decode(SCHEMA_PATCH, "{\"lines\":[{\"count\":1}]}", &ignored), RC_INVALID);
    ck_assert_str_eq(err.pointer, "/lines/0/item");
}
END_TEST

START_TEST(null_clears_but_not_what_is_required)
{
    struct widget w = must_decode(
        SCHEMA_PATCH, "{\"note\":null,\"count\":null,\"live\":null,\"made\":null,\"price\":null,"
                      "\"currency\":null,\"address\":null,\"lines\":null,\"extra\":null}");
    ck_assert(schema_has(&widget_schema, &w, "note") && w.note.n == 0);
    ck_assert(schema_has(&widget_schema, &w, "lines") && w.lines.count == 0);
    ck_assert(schema_has(&widget_schema, &w, "extra") && w.extra == NULL);
    ck_assert(schema_has(&widget_schema, &w, "address") && w.address.city.n == 0);
    /* Unlike {}, which changes nothing. */
    ck_assert_uint_eq(w.address.set, 3);
    ck_assert_uint_eq(must_decode(SCHEMA_PATCH, "{\"address\":{}}").address.set, 0);
    struct widget ignored;
    ck_assert_int_eq(decode(SCHEMA_PATCH, "{\"name\":null}", &ignored), RC_INVALID);
    ck_assert_str_eq(err.pointer, "/name");
}
END_TEST

START_TEST(decimals_keep_their_digits_and_their_bounds)
{
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"0", true},
        {"-0.00", true},
        {"9999999999999999999.999999999999", true},
        {"12345678901234567890", false},
        {"0.1234567890123", false},
        {"", false},
        {"-", false},
        {".5", false},
        {"5.", false},
        {"+5", false},
        {"05", false},
        {"5.5.5", false},
        {" 5", false},
        {"5,0", false},
        {"0x5", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str text = arena_fmt(&arena, "{\"price\":\"%s\"}", cases[i].text);
        struct widget w;
        enum rc rc = decode(SCHEMA_PATCH, text.p, &w);
        ck_assert_msg((rc == RC_OK) == cases[i].ok, "'%s'", cases[i].text);
        if (rc == RC_OK)
            ck_assert(str_eq(w.price, str_c(cases[i].text)));
    }
}
END_TEST

START_TEST(a_kept_value_is_not_nested_deeper_than_an_answer_can_be)
{
    char text[256];
    struct widget w;
    for (int depth = 32; depth <= 33; depth++) {
        memset(text, '[', sizeof text);
        memcpy(text, "{\"extra\":", sizeof "{\"extra\":" - 1);
        char *close = text + sizeof "{\"extra\":" - 1 + depth;
        memset(close, ']', (size_t)depth);
        memcpy(close + depth, "}", 2);
        ck_assert_int_eq(decode(SCHEMA_PATCH, text, &w), depth == 32 ? RC_OK : RC_INVALID);
    }
    /* Beside each other is not inside each other. */
    ck_assert_int_eq(decode(SCHEMA_PATCH, "{\"extra\":[[],[],{\"a\":[]},[[]],[],[],[]]}", &w),
                     RC_OK);
}
END_TEST

START_TEST(a_list_larger_than_the_arena_is_refused_not_fatal)
{
    struct buf b;
    buf_init(&b, &arena, (size_t)256 * KIB);
    buf_add(&b, STR("{\"values\":["));
    for (int i = 0; i < 9999; i++)
        buf_add(&b, STR("\"\","));
    buf_add(&b, STR("\"\"]}"));
    struct values {
        uint64_t set;
        struct list values;
    };
    static const struct field fields[] = {FIELD(struct values, values, LIST)};
    static const struct schema s = SCHEMA(struct values, "values", fields, NULL);
    const struct json *json = NULL;
    ck_assert_int_eq(json_parse(buf_str(&b), &arena, &json, &err), RC_OK);
    struct arena small;
    arena_init(&small, (size_t)32 * KIB);
    struct values v;
    ck_assert_int_eq(schema_decode(&s, SCHEMA_WHOLE, json, &small, &v, &err), RC_TOO_LARGE);
    ck_assert_str_eq(err.pointer, "/values");
    ck_assert_int_eq(schema_decode(&s, SCHEMA_WHOLE, json, &arena, &v, &err), RC_OK);
    ck_assert_uint_eq(v.values.count, SCHEMA_LIST_MAX);
    arena_fini(&small);
}
END_TEST

/* --- pairs --- */

static enum rc decode_pairs(const char *query, struct widget *ret)
{
    struct pair pairs[8];
    size_t count = 0;
    struct str rest = str_c(query);
    while (rest.n > 0) {
        struct str value = str_cut(&rest, '&');
        ck_assert_uint_lt(count, COUNT(pairs));
        pairs[count].name = str_cut(&value, '=');
        pairs[count++].value = value;
    }
    return schema_decode_pairs(&widget_schema, pairs, count, &arena, ret, &err);
}

START_TEST(pairs_are_decoded_by_the_same_rules)
{
    struct widget w;
    ck_assert_int_eq(decode_pairs("name=ab&count=12&live=yes&tags=red,green,red&currency=USD"
                                  "&made=2026-11-22T00:00:00Z&price=1.5",
                                  &w),
                     RC_OK);
    ck_assert(str_eq(w.name, STR("ab")) && w.count == 12 && w.live && w.currency == 1);
    ck_assert_uint_eq(w.tags.count, 3);
    ck_assert(str_eq(((const struct str *)w.tags.items)[1], STR("green")));
    static const struct {
        const char *query;
        const char *pointer;
        const char *sentence;
    } cases[] = {
        {"", "name", "parameter 'name' is required"},
        {"name=a&cuont=1", "cuont", "there is no parameter 'cuont'; did you mean 'count'?"},
        {"name=a&name=b", "name", "parameter 'name' is given twice"},
        {"name=a&count=x", "count", "parameter 'count' must be a whole number"},
        {"name=a&count=1001", "count", "parameter 'count' must be from 0 to 1000, this is 1001"},
        {"name=a&live=maybe", "live", "parameter 'live' must be true or false"},
        {"name=a&tags=red,blue", "tags", "entry 2 of parameter 'tags' must be one of red, green"},
        {"name=a&tags=red,", "tags", "entry 2 of parameter 'tags' must be one of red, green"},
        {"name=a&id=b", "id", "parameter 'id' is read-only: leave it out"},
        {"name=a&address=b", "address", "parameter 'address' cannot be given here"},
        {"name=a&lines=b", "lines", "parameter 'lines' cannot be given here"},
        {"name=\xFF", "name", "parameter 'name' must be UTF-8 text"},
        {"name=a\x01", "name", "parameter 'name' must not have line ends or control characters"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        paint(&w);
        ck_assert_msg(decode_pairs(cases[i].query, &w) == RC_INVALID, "%s", cases[i].query);
        ck_assert_str_eq(err.text, cases[i].sentence);
        ck_assert_str_eq(err.pointer, cases[i].pointer);
        ck_assert(is_painted(&w));
    }
}
END_TEST

/* --- writing --- */

START_TEST(what_is_encoded_decodes_to_the_same)
{
    static const char text[] =
        "{\"name\":\"a\\\"b\",\"note\":\"\",\"count\":0,\"live\":false,"
        "\"made\":\"2026-11-22T01:57:28.5Z\",\"birthday\":\"2024-02-29\",\"price\":\"12.50\","
        "\"currency\":\"EUR\",\"address\":{\"city\":\"Paris\"},"
        "\"lines\":[{\"item\":\"a\",\"price\":null},{\"item\":\"b\",\"count\":9}],"
        "\"tags\":[],\"extra\":{\"x\":[1,{}]},\"any\":-5}";
    struct widget w = must_decode(SCHEMA_WHOLE, text);
    struct str once = encode(&w);
    struct widget again = must_decode(SCHEMA_WHOLE, arena_cstr(&arena, once));
    ck_assert(str_eq(once, encode(&again)));
    ck_assert_uint_eq(w.set, again.set);
    ck_assert(str_has(once, STR("\"made\":\"2026-11-22T01:57:28.500000Z\"")));
    ck_assert(str_has(once, STR("{\"item\":\"a\",\"price\":null},{\"item\":\"b\",\"count\":9}")));
}
END_TEST

START_TEST(only_fields_whose_bit_is_set_are_written_and_never_a_password)
{
    struct widget w = {.id = STR("wdg_x"), .name = STR("n"), .password = STR("secret!!")};
    ck_assert(str_eq(encode(&w), STR("{}")));
    w.set = UINT64_C(1) << schema_find(&widget_schema, STR("name"));
    ck_assert(str_eq(encode(&w), STR("{\"name\":\"n\"}")));
    w.set = schema_all(&widget_schema);
    w.stored = STR("{\"a\":1}");
    struct str all = encode(&w);
    ck_assert(!str_has(all, STR("secret")) && !str_has(all, STR("password")));
    ck_assert(str_has(all, STR("\"stored\":{\"a\":1}")));
    ck_assert(
        str_has(all, STR("\"made\":null,\"birthday\":null,\"price\":null,\"currency\":\"EUR\"")));
    ck_assert(str_has(all, STR("\"note\":\"\"")) && str_has(all, STR("\"parent\":null")));
    const struct json *json = NULL;
    ck_assert_int_eq(json_parse(all, &arena, &json, &err), RC_OK);
}
END_TEST

START_TEST(what_was_cleared_is_written_as_null)
{
    struct widget w = must_decode(SCHEMA_PATCH, "{\"address\":null,\"parent\":null,\"note\":null}");
    ck_assert(str_eq(encode(&w), STR("{\"note\":\"\",\"address\":null,\"parent\":null}")));
    w = must_decode(SCHEMA_PATCH, "{\"address\":{\"country\":null}}");
    ck_assert(str_eq(encode(&w), STR("{\"address\":{\"country\":null}}")));
    ck_assert(str_eq(schema_text(&widget_schema, 9, &w, &arena), STR("{\"country\":null}")));
}
END_TEST

START_TEST(texts_for_tables_are_bare)
{
    struct widget w = must_decode(
        SCHEMA_WHOLE, "{\"name\":\"a\\\"b\",\"count\":-0,\"live\":true,\"currency\":\"USD\","
                      "\"made\":\"2026-11-22T01:57:28Z\",\"address\":{\"city\":\"Paris\"},"
                      "\"lines\":[{\"item\":\"x\"}],\"tags\":[\"red\",\"green\"],\"extra\":[1, 2],"
                      "\"password\":\"12345678\"}");
    static const struct {
        const char *name;
        const char *want;
    } cases[] = {
        {"name", "a\"b"},
        {"count", "0"},
        {"live", "true"},
        {"currency", "USD"},
        {"made", "2026-11-22T01:57:28Z"},
        {"address", "{\"city\":\"Paris\"}"},
        {"lines", "[{\"item\":\"x\"}]"},
        {"tags", "red,green"},
        {"extra", "[1,2]"},
        {"note", ""},
        {"price", ""},
        {"password", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int index = schema_find(&widget_schema, str_c(cases[i].name));
        ck_assert_int_ge(index, 0);
        struct str got = schema_text(&widget_schema, (size_t)index, &w, &arena);
        ck_assert_msg(str_eq(got, str_c(cases[i].want)), "%s: %.*s", cases[i].name, STRF(got));
    }
    ck_assert_int_eq(schema_find(&widget_schema, STR("nam")), -1);
    ck_assert_int_eq(schema_find(&widget_schema, str_n("name\0x", 6)), -1);
}
END_TEST

static const struct json *describe(enum schema_view view)
{
    struct buf b;
    buf_init(&b, &arena, (size_t)64 * KIB);
    struct json_writer w;
    json_writer_init(&w, &b);
    schema_describe(&widget_schema, view, &w);
    ck_assert(!b.full);
    const struct json *json = NULL;
    enum rc rc = json_parse(buf_str(&b), &arena, &json, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    return json;
}

static void check_described(const struct json *schema, const char *name, const char *want)
{
    struct buf b;
    buf_init(&b, &arena, (size_t)64 * KIB);
    struct json_writer w;
    json_writer_init(&w, &b);
    const struct json *field = json_get(json_get(schema, STR("properties")), str_c(name));
    ck_assert_msg(field != NULL, "%s is missing", name);
    json_put_node(&w, field);
    ck_assert_msg(str_eq(buf_str(&b), str_c(want)), "%s: %.*s", name, STRF(buf_str(&b)));
}

START_TEST(the_description_is_json_schema)
{
    const struct json *s = describe(SCHEMA_INPUT);
    check_described(
        s, "name",
        "{\"type\":\"string\",\"minLength\":1,\"maxLength\":8,\"description\":\"Name.\","
        "\"examples\":[\"PAR-2\"]}");
    check_described(s, "note", "{\"type\":[\"string\",\"null\"],\"maxLength\":200}");
    check_described(s, "count",
                    "{\"type\":[\"integer\",\"null\"],\"format\":\"int64\",\"minimum\":0,"
                    "\"maximum\":1000}");
    check_described(s, "any", "{\"type\":[\"integer\",\"null\"],\"format\":\"int64\"}");
    check_described(s, "made", "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}");
    check_described(s, "birthday", "{\"type\":[\"string\",\"null\"],\"format\":\"date\"}");
    check_described(s, "price",
                    "{\"type\":[\"string\",\"null\"],"
                    "\"pattern\":\"^-?(0|[1-9][0-9]{0,18})(\\\\.[0-9]{1,12})?$\"}");
    check_described(s, "currency",
                    "{\"type\":[\"string\",\"null\"],\"enum\":[\"EUR\",\"USD\",\"CNY\",null]}");
    check_described(
        s, "address",
        "{\"anyOf\":[{\"$ref\":\"#/components/schemas/address_input\"},{\"type\":\"null\"}]}");
    check_described(s, "lines",
                    "{\"type\":[\"array\",\"null\"],\"minItems\":1,\"maxItems\":4,"
                    "\"items\":{\"$ref\":\"#/components/schemas/line_input\"}}");
    check_described(s, "tags",
                    "{\"type\":[\"array\",\"null\"],\"maxItems\":3,"
                    "\"items\":{\"type\":\"string\",\"enum\":[\"red\",\"green\"]}}");
    check_described(s, "extra", "{}");
    check_described(s, "parent",
                    "{\"type\":[\"string\",\"null\"],"
                    "\"pattern\":\"^wdg_[0-7][0-9a-hjkmnp-tv-z]{25}$\"}");
    ck_assert_ptr_null(json_get(json_get(s, STR("properties")), STR("id")));
    ck_assert_ptr_null(json_get(json_get(s, STR("properties")), STR("stored")));
    ck_assert_uint_eq(json_get(s, STR("required"))->n, 1);
    ck_assert_int_eq(json_type(json_get(s, STR("additionalProperties"))), JSON_FALSE);

    s = describe(SCHEMA_REPLY);
    check_described(s, "id",
                    "{\"type\":[\"string\",\"null\"],"
                    "\"pattern\":\"^wdg_[0-7][0-9a-hjkmnp-tv-z]{25}$\",\"readOnly\":true}");
    check_described(s, "note", "{\"type\":\"string\",\"maxLength\":200}");
    check_described(s, "currency", "{\"type\":\"string\",\"enum\":[\"EUR\",\"USD\",\"CNY\"]}");
    check_described(
        s, "address",
        "{\"anyOf\":[{\"$ref\":\"#/components/schemas/address\"},{\"type\":\"null\"}]}");
    check_described(s, "count",
                    "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":0,\"maximum\":1000}");
    ck_assert_ptr_null(json_get(json_get(s, STR("properties")), STR("password")));
    ck_assert_ptr_null(json_get(s, STR("required")));
    ck_assert_ptr_null(json_get(s, STR("additionalProperties")));

    s = describe(SCHEMA_CHANGE); /* a patch requires nothing; what is in a list is whole */
    check_described(
        s, "address",
        "{\"anyOf\":[{\"$ref\":\"#/components/schemas/address_patch\"},{\"type\":\"null\"}]}");
    check_described(s, "lines",
                    "{\"type\":[\"array\",\"null\"],\"minItems\":1,\"maxItems\":4,"
                    "\"items\":{\"$ref\":\"#/components/schemas/line_input\"}}");
    ck_assert_ptr_null(json_get(s, STR("required")));
    ck_assert_int_eq(json_type(json_get(s, STR("additionalProperties"))), JSON_FALSE);
}
END_TEST

START_TEST(asking_for_a_field_that_does_not_exist_is_a_mistake)
{
    struct widget w = {0};
    (void)schema_has(&widget_schema, &w, "nmae");
}
END_TEST

START_TEST(a_word_outside_its_list_is_a_mistake)
{
    struct widget w = {.set = UINT64_C(1) << schema_find(&widget_schema, STR("currency")),
                       .currency = 3};
    (void)encode(&w);
}
END_TEST

START_TEST(a_bit_without_a_field_is_a_mistake)
{
    struct widget w = {.set = UINT64_C(1) << 40};
    (void)encode(&w);
}
END_TEST

Suite *schema_suite(void);
Suite *schema_suite(void)
{
    Suite *s = suite_create("schema");
    TCase *c = tcase_create("schema");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, every_kind_of_field_is_decoded);
    tcase_add_test(c, refusals_name_the_field_and_say_what_was_wanted);
    tcase_add_test(c, what_is_no_object_is_a_syntax_error);
    tcase_add_test(c, a_patch_takes_what_is_there);
    tcase_add_test(c, null_clears_but_not_what_is_required);
    tcase_add_test(c, decimals_keep_their_digits_and_their_bounds);
    tcase_add_test(c, a_kept_value_is_not_nested_deeper_than_an_answer_can_be);
    tcase_add_test(c, a_list_larger_than_the_arena_is_refused_not_fatal);
    tcase_add_test(c, pairs_are_decoded_by_the_same_rules);
    tcase_add_test(c, what_is_encoded_decodes_to_the_same);
    tcase_add_test(c, only_fields_whose_bit_is_set_are_written_and_never_a_password);
    tcase_add_test(c, what_was_cleared_is_written_as_null);
    tcase_add_test(c, texts_for_tables_are_bare);
    tcase_add_test(c, the_description_is_json_schema);
    tcase_add_test_raise_signal(c, asking_for_a_field_that_does_not_exist_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, a_word_outside_its_list_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, a_bit_without_a_field_is_a_mistake, SIGABRT);
    suite_add_tcase(s, c);
    return s;
}
