#include "profile/profile.h"

#include <check.h>

static struct arena arena;
static struct err err;

#define WEB                                                                                 \
    "name: web\nversion: \"1\"\ntitle: Web\nauthor: me\nruntime: container\n"               \
    "image: {packages: [nginx-light]}\n"                                                    \
    "parameters:\n"                                                                         \
    "  - {name: text, title: Text, type: string, max_length: 20, default: hi}\n"            \
    "  - {name: user, title: User, type: string, pattern: \"[a-z]{1,8}\"}\n"                \
    "  - {name: memory, title: M, type: integer, minimum: 64, maximum: 512, default: 64}\n" \
    "secrets: [{name: key}]\n"                                                              \
    "resources: {cpu: 500m, memory: \"{{ memory }} MiB\", disk: 1 GiB}\n"                   \
    "ports: [{name: web, port: 80, published: true}]\n"                                     \
    "publishes: [{name: url, title: U, value: \"http://{{ user }}@{{ web.address }}:"       \
    "{{ web.port }}/\"}, {name: key, title: K, value: \"{{ key }}\", secret: true}]\n"      \
    "files: [{path: /a.sh, kind: shell, content: \"echo {{ text }}\"}]\n"                   \
    "processes: [{name: s, command: [/bin/x, \"{{ user }}\"], environment: [\"T={{ text }}\"]}]\n"

static void up(void)
{
    arena_init(&arena, PROFILE_ARENA_BYTES);
    err = (struct err){0};
}

static void down(void)
{
    arena_fini(&arena);
}

static const struct json *parse(const char *text)
{
    const struct json *json = NULL;
    ck_assert_int_eq(json_parse(str_c(text), &arena, &json, &err), RC_OK);
    return json;
}

START_TEST(a_profile_is_rendered_with_what_was_chosen)
{
    struct profile p;
    ck_assert_msg(profile_read(STR(WEB), &arena, &p, &err) == RC_OK, "%s", err.text);
    struct profile_values *v = NEW(&arena, struct profile_values);
    ck_assert_int_eq(
        profile_parameters(&p, parse("{\"user\":\"ann\",\"text\":\"it's\"}"), &arena, v, &err),
        RC_OK);
    struct clock_sim sim;
    clock_sim_init(&sim, 0, 7);
    struct list secrets = profile_secrets(&p, &sim.clock, &arena);
    ck_assert_uint_eq(secrets.count, 1);
    ck_assert_uint_eq(((struct str *)secrets.items)[0].n, 24);
    profile_values_add(v, STR("key"), ((struct str *)secrets.items)[0]);

    struct profile_service service = {.id = STR("svc_1"), .name = STR("my web")};
    ck_assert_int_eq(profile_taken(&p, v, &arena, &service.taken, &err), RC_OK);
    ck_assert_int_eq(service.taken.memory_bytes, 64 << 20);
    ck_assert_int_eq(service.taken.cpu_milli, 500);
    struct service_spec spec;
    ck_assert_int_eq(profile_render(&p, v, &service, &arena, &spec, &err), RC_OK);
    const struct spec_file *file = spec.files.items;
    ck_assert(str_eq(file->content, STR("echo 'it'\\''s'")));
    ck_assert_int_eq(file->mode, 0644);
    const struct spec_process *process = spec.processes.items;
    ck_assert(str_eq(((struct str *)process->command.items)[1], STR("ann")));
    ck_assert(str_eq(((struct str *)process->environment.items)[0], STR("T=it's")));

    struct list told;
    struct list none = {NULL, 0};
    ck_assert_int_eq(profile_publish(&p, v, &service, &none, &arena, &told, &err), RC_OK);
    ck_assert_uint_eq(((struct str *)told.items)[0].n, 0);
    ck_assert_uint_eq(((struct str *)told.items)[1].n, 24);
    struct sighting_fact facts[] = {{.name = STR("web.address"), .value = STR("[fd00::1]")},
                                    {.name = STR("web.port"), .value = STR("30080")},
                                    {.name = STR("user"), .value = STR("eve")}};
    struct list list = {facts, COUNT(facts)};
    ck_assert_int_eq(profile_publish(&p, v, &service, &list, &arena, &told, &err), RC_OK);
    ck_assert(str_eq(((struct str *)told.items)[0], STR("http://ann@[fd00::1]:30080/")));
    facts[0].value = STR("x@y/");
    ck_assert_int_eq(profile_publish(&p, v, &service, &list, &arena, &told, &err), RC_OK);
    ck_assert_uint_eq(((struct str *)told.items)[0].n, 0);
}
END_TEST

START_TEST(what_a_client_may_not_choose_is_refused_by_name)
{
    struct profile p;
    ck_assert_int_eq(profile_read(STR(WEB), &arena, &p, &err), RC_OK);
    static const struct {
        const char *chosen, *pointer;
    } cases[] = {
        {"{}", "/parameters/user"},
        {"{\"user\":\"ANN\"}", "/parameters/user"},
        {"{\"user\":\"a\\u0000\"}", NULL},
        {"{\"user\":3}", "/parameters/user"},
        {"{\"user\":\"a\",\"memory\":32}", "/parameters/memory"},
        {"{\"user\":\"a\",\"memory\":1024}", "/parameters/memory"},
        {"{\"user\":\"a\",\"memory\":\"64\"}", "/parameters/memory"},
        {"{\"user\":\"a\",\"text\":\"aaaaaaaaaaaaaaaaaaaaaa\"}", "/parameters/text"},
        {"{\"user\":\"a\",\"text\":\"a\\nb\"}", "/parameters/text"},
        {"{\"user\":\"a\",\"other\":1}", "/parameters"},
        {"[]", "/parameters"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (cases[i].pointer == NULL)
            continue; /* JSON's reader refuses it before */
        struct profile_values *v = NEW(&arena, struct profile_values);
        err = (struct err){0};
        ck_assert_int_eq(profile_parameters(&p, parse(cases[i].chosen), &arena, v, &err),
                         RC_INVALID);
        ck_assert_msg(str_eq(err_pointer(&err), str_c(cases[i].pointer)), "%s: %.*s",
                      cases[i].chosen, STRF(err_pointer(&err)));
    }
}
END_TEST

static struct str replaced(const char *from, const char *to)
{
    const char *at = strstr(WEB, from);
    ck_assert_msg(at != NULL, "%s", from);
    return arena_fmt(&arena, "%.*s%s%s", (int)(at - WEB), WEB, to, at + strlen(from));
}

START_TEST(mistakes_are_found_with_line_and_field)
{
    static const struct {
        const char *from, *to, *line, *pointer;
    } cases[] = {
        {"title: Web", "titel: Web", "line ", "/titel"},
        {"name: web\n", "name: Web\n", "line 1: ", "/name"},
        {"runtime: container", "runtime: jail", "line 5: ", "/runtime"},
        {"[nginx-light]", "[\"nginx light\"]", "line 6: ", "/image/packages/0"},
        {"default: hi", "default: 7", "line 8: ", "/parameters/0"},
        {"[a-z]{1,8}", "[a-z", "line 9: ", "/parameters/1"},
        {"name: user", "name: text", "line 8: ", "/parameters/0"},
        {"name: user", "name: address", "line 9: ", "/parameters/1"},
        {"{{ memory }} MiB", "{{ text }} MiB", "line 12: ", "/resources/memory"},
        {"1 GiB", "1", "line 12: ", "/resources/disk"},
        {"\"{{ user }}\"]", "\"{{ text }}\"]", "line 16: ", "/processes/0/command"},
        {"/bin/x", "x", "line 16: ", "/processes/0/command"},
        {"T={{", "T X={{", "line 16: ", "/processes/0/environment"},
        {"echo {{ text }}", "echo {{ txt }}", "line 15: ", "/files/0/content"},
        {"path: /a.sh", "path: /../a", "line 15: ", "/files/0/path"},
        {"{{ web.port }}", "{{ ftp.port }}", "line 14: ", "/publishes/0/value"},
        {"author: me", "author: me\npromises: [{name: a, kind: tcp, target: ssh}]",
         "line 5: ", "/promises/0/target"},
        {"author: me", "author: me\nbackup: [/bin/tar]", "line 5: ", "/backup"},
        {"author: me", "author: me\nuser_data: x", "line 5: ", "/user_data"},
        {"author: me", "author: me\nauthor: you", "line 5: ", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct profile p;
        err = (struct err){0};
        enum rc rc = profile_read(replaced(cases[i].from, cases[i].to), &arena, &p, &err);
        ck_assert_msg(rc == RC_INVALID || rc == RC_SYNTAX, "%s", cases[i].to);
        ck_assert_msg(str_starts(err_text(&err), str_c(cases[i].line)), "%s: %s", cases[i].to,
                      err.text);
        ck_assert_msg(str_eq(err_pointer(&err), str_c(cases[i].pointer)), "%s: %.*s", cases[i].to,
                      STRF(err_pointer(&err)));
    }
}
END_TEST

START_TEST(forms_are_described_by_json_schema)
{
    struct profile p;
    struct buf out;
    struct json_writer w;
    ck_assert_int_eq(profile_read(STR(WEB), &arena, &p, &err), RC_OK);
    buf_init(&out, &arena, 4096);
    json_writer_init(&w, &out);
    profile_describe(&p, &w);
    const struct json *json = NULL;
    ck_assert_int_eq(json_parse(buf_str(&out), &arena, &json, &err), RC_OK);
    const struct json *properties = json_get(json, STR("properties"));
    const struct json *user = json_get(properties, STR("user"));
    ck_assert(str_eq(json_text(json_get(user, STR("pattern"))), STR("^[a-z]{1,8}$")));
    ck_assert_uint_eq(json_get(json, STR("required"))->n, 1);
}
END_TEST

Suite *profile_read_suite(void);
Suite *profile_read_suite(void)
{
    Suite *s = suite_create("profile_read");
    TCase *t = tcase_create("language");
    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, a_profile_is_rendered_with_what_was_chosen);
    tcase_add_test(t, what_a_client_may_not_choose_is_refused_by_name);
    tcase_add_test(t, mistakes_are_found_with_line_and_field);
    tcase_add_test(t, forms_are_described_by_json_schema);
    suite_add_tcase(s, t);
    return s;
}
