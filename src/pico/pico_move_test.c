/* A pico goes from one engine to another, step by step. tests/outside/pico_move: real engines. */
#include "pico/engine_fixture.h"
#include "pico/move.h"

static const char counter[] =
    "ruleset counter { meta { shares n } global { n = function() { ent:n.defaultsTo(0) } }\n"
    "  rule hit { select when c hit always { ent:n := ent:n.defaultsTo(0) + 1 } }\n"
    "  rule up { select when c up\n"
    "    event:send({\"eci\": ctx:parent, \"domain\": \"c\", \"name\": \"hit\", \"attrs\": {}}) }\n"
    "  rule down { select when c down foreach ctx:children setting(eci)\n"
    "    event:send({\"eci\": eci, \"domain\": \"c\", \"name\": \"hit\", \"attrs\": {}}) }\n"
    "}";

#define THERE "http://there.example"

struct way {
    struct world here;
    struct world there;
    struct str id;
    struct str child;
    struct buf file;
};

static enum rc keep(void *arg, struct str bytes, struct err *err)
{
    (void)err;
    buf_add(arg, bytes);
    return RC_OK;
}

static void way_start(struct way *w)
{
    static const char with[] = "{\"rulesets\":[{\"url\":\"file:///counter.krl\"}]}";
    world_start(&w->here);
    world_start(&w->there);
    world_install(&w->here, pico_root(w->here.e), "counter", counter);
    world_install(&w->there, pico_root(w->there.e), "counter", counter);
    w->id = world_child(&w->here, pico_root(w->here.e), with);
    w->child = world_child(&w->here, w->id, with);
}

static void way_stop(struct way *w)
{
    world_stop(&w->there);
    world_stop(&w->here);
}

static struct str begin(struct way *w)
{
    struct str move = STR("");
    enum rc rc = pico_move_begin(w->here.e, w->id, &w->here.arena, &move, &w->here.f.err);
    ck_assert_msg(rc == RC_OK, "%s", w->here.f.err.text);
    return move;
}

static struct str file(struct way *w)
{
    buf_init(&w->file, &w->here.arena, 1024 * 1024);
    enum rc rc = pico_export(w->here.e, w->id, keep, &w->file, &w->here.f.err);
    ck_assert_msg(rc == RC_OK, "%s", w->here.f.err.text);
    return buf_str(&w->file);
}

static enum rc arrive(struct way *w, struct str bytes, struct str move, struct str *ret)
{
    const struct pico_arrival a = {.parent = pico_root(w->there.e), .file = bytes, .move = move};
    return pico_arrive(w->there.e, &a, &w->there.arena, ret, &w->there.f.err);
}

static struct str count(struct world *w, struct str eci)
{
    return world_query(w, eci, "counter", "n", "");
}

START_TEST(a_pico_moves_and_every_step_may_be_repeated)
{
    struct way w;
    struct str first = STR("");
    struct str again = STR("");
    bool done = false;
    way_start(&w);
    struct pico_request late = {.ask = PICO_EVENT_WAIT,
                                .eci = w.id,
                                .domain = STR("c"),
                                .name = STR("hit"),
                                .inside = true,
                                .arena = &w.here.arena,
                                .done = world_done,
                                .inner = &done};
    (void)world_event(&w.here, w.id, "c", "hit", "");
    struct str move = begin(&w);
    ck_assert(str_eq(begin(&w), move));
    pico_submit(w.here.e, &late);
    /* What the parent tells it meanwhile is in the file, or follows. */
    (void)world_event(&w.here, pico_root(w.here.e), "c", "down", "");
    ck_assert(!done);
    ck_assert_int_eq(arrive(&w, file(&w), move, &first), RC_OK);
    ck_assert_int_eq(arrive(&w, file(&w), move, &again), RC_OK);
    ck_assert(str_eq(first, again));
    world_run(&w.there);
    CHECK_TEXT(count(&w.there, w.id), "2");
    ck_assert(!done);
    ck_assert_int_eq(pico_move_done(w.here.e, move, STR(THERE "/"), &w.here.f.err), RC_OK);
    ck_assert_int_eq(pico_move_done(w.here.e, move, STR(THERE), &w.here.f.err), RC_OK);
    world_run(&w.here);
    ck_assert(done && late.rc == RC_NOT_FOUND);
    CHECK_TEXT(late.moved_to, THERE);
    world_restart(&w.here);
    late = world_ask(&w.here, (struct pico_request){.ask = PICO_QUERY, .eci = w.child});
    CHECK_TEXT(late.moved_to, THERE);
    ck_assert_int_eq(pico_move_begin(w.here.e, w.id, &w.here.arena, &again, &w.here.f.err),
                     RC_GONE);
    /* There it has a parent again, and its child. */
    (void)world_event(&w.there, w.id, "c", "up", "");
    (void)world_event(&w.there, w.child, "c", "up", "");
    world_run(&w.there);
    CHECK_TEXT(count(&w.there, pico_root(w.there.e)), "1");
    CHECK_TEXT(count(&w.there, w.id), "3");
    way_stop(&w);
}
END_TEST

START_TEST(a_pico_that_moves_stands_still_over_a_restart_until_it_is_called_off)
{
    struct way w;
    struct str said = STR("");
    way_start(&w);
    struct str move = begin(&w);
    world_restart(&w.here);
    ck_assert(str_eq(begin(&w), move));
    struct str bytes = file(&w);
    (void)world_event(&w.here, pico_root(w.here.e), "c", "down", "");
    ck_assert_int_eq(pico_move_begin(w.here.e, w.child, &w.here.arena, &said, &w.here.f.err),
                     RC_CONFLICT);
    ck_assert_int_eq(
        pico_move_begin(w.here.e, pico_root(w.here.e), &w.here.arena, &said, &w.here.f.err),
        RC_FORBIDDEN);
    ck_assert_int_eq(pico_move_begin(w.here.e, STR("nobody"), &w.here.arena, &said, &w.here.f.err),
                     RC_NOT_FOUND);
    ck_assert_int_eq(pico_move_done(w.here.e, move, STR("there"), &w.here.f.err), RC_INVALID);
    ck_assert_int_eq(pico_move_done(w.here.e, STR("nothing"), STR(THERE), &w.here.f.err),
                     RC_NOT_FOUND);
    ck_assert_int_eq(pico_arrival_refuse(w.there.e, move, &w.there.f.err), RC_OK);
    ck_assert_int_eq(arrive(&w, bytes, move, &said), RC_CONFLICT);
    ck_assert_int_eq(pico_move_cancel(w.here.e, move, &w.here.f.err), RC_OK);
    ck_assert_int_eq(pico_move_cancel(w.here.e, move, &w.here.f.err), RC_NOT_FOUND);
    world_run(&w.here);
    CHECK_TEXT(count(&w.here, w.id), "1");
    way_stop(&w);
}
END_TEST

START_TEST(what_has_arrived_is_not_called_off)
{
    struct way w;
    struct str said = STR("");
    way_start(&w);
    struct str move = begin(&w);
    ck_assert_int_eq(arrive(&w, file(&w), move, &said), RC_OK);
    ck_assert_int_eq(pico_arrival_refuse(w.there.e, move, &w.there.f.err), RC_CONFLICT);
    ck_assert_int_eq(pico_move_done(w.here.e, move, STR(THERE), &w.here.f.err), RC_OK);
    ck_assert_int_eq(pico_move_cancel(w.here.e, move, &w.here.f.err), RC_GONE);
    way_stop(&w);
}
END_TEST

Suite *pico_move_suite(void);
Suite *pico_move_suite(void)
{
    Suite *s = suite_create("pico_move");
    TCase *t = tcase_create("pico_move");
    tcase_add_test(t, a_pico_moves_and_every_step_may_be_repeated);
    tcase_add_test(t, a_pico_that_moves_stands_still_over_a_restart_until_it_is_called_off);
    tcase_add_test(t, what_has_arrived_is_not_called_off);
    suite_add_tcase(s, t);
    return s;
}
