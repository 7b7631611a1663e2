/* Machines as the engine uses them: instances, modules, budgets, states that are kept. */
#include "krl/compile.h"
#include "krl/sim.h"

#include <check.h>

enum { MEMORY = 64 * 1024 * 1024, SMALL = 256 * 1024 };

static struct arena arena;
static struct arena kept;
static struct buf out;
static struct krl_sim *sim;
static struct err err;

static void up(void)
{
    arena_init(&arena, MEMORY);
    arena_init(&kept, MEMORY);
    buf_init(&out, &kept, KRL_SIM_OUT_MAX);
    sim = NEW(&arena, struct krl_sim);
    krl_sim_init(sim, &kept, &out);
    err = (struct err){0};
}

static void down(void)
{
    arena_fini(&kept);
    arena_fini(&arena);
}

static const struct krl_code *compile(const char *source)
{
    const struct krl_code *code = NULL;
    enum rc rc = krl_compile(str_c(source), &arena, &code, &err);
    ck_assert_msg(rc == RC_OK, "%.*s", STRF(err_text(&err)));
    return code;
}

static void add(const char *source)
{
    ck_assert_int_eq(krl_sim_add(sim, compile(source), &err), RC_OK);
}

static void check_out(const char *want)
{
    ck_assert_msg(str_eq(buf_str(&out), str_c(want)), "want\n%s\ngot\n%.*s", want,
                  STRF(buf_str(&out)));
    buf_reset(&out);
}

static enum rc query(const char *rid, const char *name, const char *args)
{
    return krl_sim_query(sim, str_c(rid), str_c(name), str_c(args), &err);
}

static enum rc event(const char *domain, const char *name)
{
    return krl_sim_event(sim, str_c(domain), str_c(name), STR(""), &err);
}

START_TEST(a_module_is_an_instance_with_its_own_settings)
{
    add("ruleset lib { meta { provides hi, keep, saw, act configure using g = \"Hi\" and_more = 1 "
        "} "
        "global { hi = function(n) { g + \" \" + n } saw = function() { event:attrs } "
        "keep = function() { ent:x } act = defaction(t) { send_directive(t) } } "
        "rule r { select when a b always { ent:x := 7 } } }");
    add("ruleset app { meta { use module lib use module lib alias other with g = \"Yo\" "
        "shares both } global { both = function() { [lib:hi(\"A\"), other:hi(n = \"B\"), "
        "lib:keep()] } } rule r { select when a b "
        "every { lib:act(\"acted\") send_directive(\"x\", {\"saw\": lib:saw()}) } } }");
    ck_assert_int_eq(event("a", "b"), RC_OK);
    check_out("directive acted {}\ndirective x {\"saw\":null}\n");
    ck_assert_int_eq(query("app", "both", ""), RC_OK);
    check_out("[\"Hi A\",\"Yo B\",7]\n");
}
END_TEST

START_TEST(modules_that_are_not_there_or_use_each_other_are_errors)
{
    add("ruleset a { meta { use module nowhere shares x } global { x = function() { 1 } } }");
    ck_assert_int_eq(query("a", "x", ""), RC_INVALID);
    check_out("error Error: Module not found: nowhere\n");
    add("ruleset b { meta { use module c shares x } global { x = function() { 1 } } }");
    add("ruleset c { meta { use module b shares x } global { x = function() { 1 } } }");
    ck_assert_int_eq(query("b", "x", ""), RC_TOO_LARGE);
    check_out("error Error: modules use one another without end\n");
}
END_TEST

START_TEST(raised_events_are_done_breadth_first_and_have_an_end)
{
    add("ruleset a { rule one { select when x start always { raise x event \"l\" raise x event "
        "\"r\" } } rule l { select when x l always { raise x event \"ll\" } } "
        "rule r { select when x r send_directive(\"r\") } rule ll { select when x ll "
        "send_directive(\"ll\") } rule loop { select when x loop always { raise x event \"loop\" } "
        "} }");
    ck_assert_int_eq(event("x", "start"), RC_OK);
    check_out("raise x:l {}\nraise x:r {}\nraise x:ll {}\ndirective r {}\ndirective ll {}\n");
    ck_assert_int_eq(event("x", "loop"), RC_TOO_LARGE);
}
END_TEST

START_TEST(every_budget_ends_with_a_sentence)
{
    static const struct {
        const char *source;
        enum rc rc;
    } runs[] = {
        {"f = function(x) { f(x) } f(1)", RC_TOO_LARGE},
        {"f = function(s) { f(s + s) } f(\"aa\")", RC_TOO_LARGE},
        {"f = function(a) { f(a.append(a)) } f([1])", RC_TOO_LARGE},
        {"f = function(n) { n == 0 => 0 | f(n - 1) + f(n - 1) } f(60)", RC_TIMEOUT},
        {"range(0, 1000).map(function(x) { range(0, 1000).filter(function(y) { false }) })",
         RC_TIMEOUT},
        {"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaab\".match(re#^(a*)*$#)", RC_TIMEOUT},
        {"range(0, 1000000000)", RC_TOO_LARGE},
        {"[].set(\"4294967290\", 1)", RC_TOO_LARGE},
        {"f = function(n, v) { n == 0 => v | f(n - 1, [v]) } f(5000, 1).encode()", RC_TOO_LARGE},
        {"f = function(n, v) { n == 0 => v | f(n - 1, [v]) } f(5000, 1) == f(5000, 1)",
         RC_TOO_LARGE},
    };
    for (size_t i = 0; i < COUNT(runs); i++) {
        struct krl_place where = {0, 0};
        sim->steps = 300000;
        sim->memory_bytes = (size_t)4 * 1024 * 1024;
        enum rc rc = krl_sim_evaluate(sim, compile(runs[i].source), &where, &err);
        ck_assert_msg(rc == runs[i].rc, "%s: %s, %.*s", runs[i].source, rc_slug(rc),
                      STRF(err_text(&err)));
        ck_assert_uint_ge(where.line, 1);
    }
}
END_TEST

START_TEST(a_small_arena_refuses_to_compile)
{
    for (size_t bytes = 1024; bytes < SMALL; bytes += bytes / 3) {
        struct arena small;
        const struct krl_code *code = NULL;
        arena_init(&small, bytes);
        enum rc rc = krl_compile(STR("ruleset a { global { f = function(x) { [x, {\"a\":x}] } } "
                                     "rule r { select when a b or c d foreach f(1) setting(x) "
                                     "noop() } }"),
                                 &small, &code, &err);
        ck_assert(rc == RC_OK || rc == RC_TOO_LARGE);
        arena_fini(&small);
    }
}
END_TEST

START_TEST(the_source_has_bounds)
{
    struct buf b;
    const struct krl_code *code = NULL;
    buf_init(&b, &arena, (size_t)4 * 1024 * 1024);
    for (int i = 0; i < 100000; i++)
        buf_add_char(&b, '(');
    ck_assert_int_eq(krl_compile(buf_str(&b), &arena, &code, &err), RC_TOO_LARGE);
    buf_reset(&b);
    for (int i = 0; i < 100000; i++)
        buf_add(&b, STR("1+"));
    buf_add(&b, STR("1"));
    ck_assert_int_eq(krl_compile(buf_str(&b), &arena, &code, &err), RC_TOO_LARGE);
    ck_assert_int_eq(krl_compile(STR("\xFF"), &arena, &code, &err), RC_SYNTAX);
}
END_TEST

START_TEST(the_index_knows_which_events_matter)
{
    const struct krl_code *code = compile("ruleset a { rule r { select when a b or c d noop() } }");
    ck_assert(krl_rules_salient(code, STR("a"), STR("b")));
    ck_assert(!krl_rules_salient(code, STR("a"), STR("d")));
    ck_assert(krl_rules_salient(compile("ruleset a { rule r { select where true noop() } }"),
                                STR("any"), STR("thing")));
}
END_TEST

Suite *sim_suite(void);
Suite *sim_suite(void)
{
    Suite *s = suite_create("sim");
    TCase *t = tcase_create("activations");
    tcase_add_checked_fixture(t, up, down);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, a_module_is_an_instance_with_its_own_settings);
    tcase_add_test(t, modules_that_are_not_there_or_use_each_other_are_errors);
    tcase_add_test(t, raised_events_are_done_breadth_first_and_have_an_end);
    tcase_add_test(t, every_budget_ends_with_a_sentence);
    tcase_add_test(t, a_small_arena_refuses_to_compile);
    tcase_add_test(t, the_source_has_bounds);
    tcase_add_test(t, the_index_knows_which_events_matter);
    suite_add_tcase(s, t);
    return s;
}
