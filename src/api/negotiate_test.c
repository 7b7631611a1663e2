/*
 * What clients say in headers: entity tags, media types, and the table that answers spreadsheets.
 */
#include "api/accept.h"
#include "api/csv.h"
#include "api/etag.h"

#include <check.h>

static struct etags parse(const char *header, enum rc want)
{
    struct err err = {0};
    struct etags e = {0};
    enum rc rc = etags_parse(str_c(header), "If-Match", &e, &err);
    ck_assert_msg(rc == want, "%s: %s", header, err.text);
    return e;
}

START_TEST(entity_tags_are_versions_in_quotes)
{
    struct etags e = parse("\"12\"", RC_OK);
    ck_assert(etags_match(&e, 12));
    ck_assert(!etags_match(&e, 13));
    e = parse("W/\"12\" , \"7\",\"other,comma\"", RC_OK);
    ck_assert(etags_match(&e, 12) && etags_match(&e, 7) && !etags_match(&e, 1));
    e = parse("*", RC_OK);
    ck_assert(etags_match(&e, 99));
    e = parse("\"abc\"", RC_OK);
    ck_assert(e.given && !etags_match(&e, 1));
    ck_assert(!parse("", RC_OK).given);
}
END_TEST

START_TEST(what_is_no_list_of_entity_tags_is_refused)
{
    static const char *const bad[] = {"12",        "\"12",    "12\"",    "\"1\" \"2\"",
                                      "* , \"1\"", "\"1\",,", "w/\"1\"", "\"a b\""};
    for (size_t i = 0; i < COUNT(bad); i++)
        (void)parse(bad[i], RC_SYNTAX);
    char many[400] = "\"1\"";
    for (int i = 0; i < ETAGS_MAX; i++)
        strncat(many, ",\"1\"", sizeof many - strlen(many) - 1);
    (void)parse(many, RC_SYNTAX);
}
END_TEST

START_TEST(the_better_form_by_quality_wins)
{
    static const struct {
        const char *accept;
        bool csv;
        enum accept_form want;
    } cases[] = {
        {"", true, ACCEPT_JSON},
        {"*/*", true, ACCEPT_JSON},
        {"text/csv", true, ACCEPT_CSV},
        {"text/csv", false, ACCEPT_NOTHING},
        {"TEXT/CSV", true, ACCEPT_CSV},
        {"text/*", true, ACCEPT_CSV},
        {"text/html", true, ACCEPT_NOTHING},
        {"text/html, */*;q=0.1", false, ACCEPT_JSON},
        {"application/json, text/csv", true, ACCEPT_JSON},
        {"application/json;q=0.5, text/csv;q=0.6", true, ACCEPT_CSV},
        {"application/json;q=0.5, text/csv;q=0.49", true, ACCEPT_JSON},
        {"text/csv;q=0, */*", true, ACCEPT_JSON},
        {"application/json;q=0, */*", true, ACCEPT_CSV},
        {"application/json;q=0", true, ACCEPT_NOTHING},
        {"application/json;version=1;q=0.001", true, ACCEPT_JSON},
        {"application/*;q=0.3,text/csv;q=0.2", true, ACCEPT_JSON},
        {";;,,;q=", true, ACCEPT_NOTHING},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(accept_choose(str_c(cases[i].accept), cases[i].csv) == cases[i].want, "%s",
                      cases[i].accept);
}
END_TEST

struct row {
    uint64_t set;
    struct str text;
    int64_t number;
    struct str decimal;
    struct str secret;
};
static const struct field row_fields[] = {
    FIELD(struct row, text, TEXT, .flags = FIELD_MULTILINE),
    FIELD(struct row, number, INT),
    FIELD(struct row, decimal, DECIMAL),
    FIELD(struct row, secret, TEXT, .flags = FIELD_WRITE_ONLY),
};
static const struct schema row_schema = SCHEMA(struct row, "row", row_fields, "A row.");

START_TEST(csv_quotes_what_needs_it_and_defuses_formulas)
{
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    struct row rows[] = {
        {.text = STR("plain"), .number = -5, .decimal = STR("-1.50")},
        {.text = STR("a \"b\", c\nd"), .number = 1},
        {.text = STR("=1+1")},
        {.text = STR("+33 1")},
        {.text = STR("@x\"y")},
        {.text = STR("-\t"), .secret = STR("hidden")},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        rows[i].set = schema_all(&row_schema);
    struct buf b;
    buf_init(&b, &arena, 4096);
    csv_write(&row_schema, (struct list){rows, COUNT(rows)}, &arena, &b);
    ck_assert_str_eq(arena_cstr(&arena, buf_str(&b)), "text,number,decimal\r\n"
                                                      "plain,-5,-1.50\r\n"
                                                      "\"a \"\"b\"\", c\nd\",1,\r\n"
                                                      "\"'=1+1\",0,\r\n"
                                                      "\"'+33 1\",0,\r\n"
                                                      "\"'@x\"\"y\",0,\r\n"
                                                      "\"'-\t\",0,\r\n");
    arena_fini(&arena);
}
END_TEST

Suite *negotiate_suite(void);
Suite *negotiate_suite(void)
{
    Suite *s = suite_create("negotiate");
    TCase *c = tcase_create("negotiate");
    tcase_add_test(c, entity_tags_are_versions_in_quotes);
    tcase_add_test(c, what_is_no_list_of_entity_tags_is_refused);
    tcase_add_test(c, the_better_form_by_quality_wins);
    tcase_add_test(c, csv_quotes_what_needs_it_and_defuses_formulas);
    suite_add_tcase(s, c);
    return s;
}
