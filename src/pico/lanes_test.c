#include "pico/engine_fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

enum { REQUESTS_MAX = 4 * PICO_QUEUE_MAX };

/* The engine with threads of its own. */
struct hall {
    struct fixture f;
    struct pico_engine *e;
    struct arena arena;
    struct arena answers[REQUESTS_MAX]; /* one for each request: they come at once */
    size_t requests;
    sem_t done;
};

static const char work[] =
    "ruleset work { meta { shares n, list }\n"
    "  global { list = function(m) { 0.range(m.as(\"Number\")) } n = function() { "
    "ent:n.defaultsTo(0) } loop = function(x) { loop(x) + 1 } }\n"
    "  rule list { select when work list send_directive(\"list\", {\"of\": "
    "list(event:attr(\"m\"))}) }\n"
    "  rule add { select when work add always { ent:n := ent:n.defaultsTo(0) + 1 } }\n"
    "  rule ask { select when work ask pre { r = http:get(event:attr(\"url\")) }\n"
    "    always { ent:n := r{\"content\"} } }\n"
    "  rule deep { select when work deep pre { x = loop(1) } noop() }\n"
    "  rule long { select when work long pre { x = 0.range(200000).map(function(i) { i + 1 }) }\n"
    "    always { ent:n := x.length() } }\n"
    "  rule big { select when work big pre { s = 0.range(40).reduce(function(a) { a + a }, "
    "\"abcdefgh\") }\n"
    "    noop() }\n"
    "  rule re { select when work re pre { x = (\"a\" + 0.range(40).map(function(i) { \"a\" "
    "}).join(\"\") + \"!\")"
    ".match(re#(a+)+$#) } noop() }\n"
    "}";

static void post(struct pico_request *r)
{
    sem_t *done = r->inner;
    (void)sem_post(done);
}

static void hand_in(struct hall *h, struct pico_request *r)
{
    ASSERT(h->requests < REQUESTS_MAX);
    r->arena = &h->answers[h->requests++];
    arena_init(r->arena, 1024 * 1024);
    r->done = post;
    r->inner = &h->done;
    r->inside = true;
    pico_submit(h->e, r);
}

static void wait_for(struct hall *h, size_t n)
{
    for (size_t i = 0; i < n; i++)
        while (sem_wait(&h->done) != 0)
            continue;
}

static struct pico_request ask(struct hall *h, struct pico_request r)
{
    hand_in(h, &r);
    wait_for(h, 1);
    return r;
}

static struct pico_request event(struct str eci, const char *name)
{
    return (struct pico_request){
        .ask = PICO_EVENT_WAIT, .eci = eci, .domain = STR("work"), .name = str_c(name)};
}

static void hall_open_wired(struct hall *h, size_t loaded_max, struct wire *wire)
{
    struct str reply;
    h->requests = 0;
    fixture_open(&h->f);
    arena_init(&h->arena, 1024 * 1024 * 1024);
    sem_init(&h->done, 0, 0);
    const struct pico_options o = {.store = h->f.store,
                                   .clock = clock_system(),
                                   .wire = wire,
                                   .threads = 2,
                                   .steps_max = 3000000,
                                   .loaded_max = loaded_max};
    ck_assert_int_eq(pico_engine_open(&h->e, &o, &h->f.err), RC_OK);
    ck_assert_int_eq(
        pico_flush(h->e, STR("file:///work.krl"), str_c(work), &h->arena, &reply, &h->f.err),
        RC_OK);
}

static void hall_open(struct hall *h, size_t loaded_max)
{
    hall_open_wired(h, loaded_max, NULL);
}

static void hall_close(struct hall *h)
{
    pico_engine_close(h->e);
    sem_destroy(&h->done);
    for (size_t i = 0; i < h->requests; i++)
        arena_fini(&h->answers[i]);
    arena_fini(&h->arena);
    fixture_close(&h->f);
}

static struct str child(struct hall *h)
{
    struct pico_request r = ask(
        h, (struct pico_request){.ask = PICO_NEW,
                                 .eci = pico_root(h->e),
                                 .attrs = STR("{\"rulesets\":[{\"url\":\"file:///work.krl\"}]}")});
    ck_assert_int_eq(r.rc, RC_OK);
    return str_sub(r.reply, 7, 7 + 25);
}

static void check_count(struct hall *h, struct str eci, const char *want)
{
    struct pico_request r =
        ask(h, (struct pico_request){
                   .ask = PICO_QUERY, .eci = eci, .rid = STR("work"), .query = STR("n")});
    ck_assert_int_eq(r.rc, RC_OK);
    ck_assert_msg(str_eq(r.reply, str_c(want)), "is %.*s, want %s", STRF(r.reply), want);
}

/* What has answered is put away a moment later. */
static void check_loaded(struct hall *h, size_t most)
{
    for (int i = 0; i < 1000 && pico_counters(h->e).loaded > most; i++)
        (void)usleep(10 * 1000);
    ck_assert_uint_le(pico_counters(h->e).loaded, most);
}

enum { MANY = 20, EACH = 40 };

START_TEST(many_picos_count_at_once_and_few_are_kept_in_memory)
{
    static struct hall h;
    struct str ecis[MANY];
    struct pico_request *r = calloc((size_t)MANY * EACH, sizeof *r);
    hall_open(&h, 5);
    for (size_t i = 0; i < MANY; i++)
        ecis[i] = child(&h);
    for (size_t i = 0; i < (size_t)MANY * EACH; i++) {
        r[i] = event(ecis[i % MANY], "add");
        hand_in(&h, &r[i]);
    }
    wait_for(&h, (size_t)MANY * EACH);
    for (size_t i = 0; i < (size_t)MANY * EACH; i++)
        ck_assert_int_eq(r[i].rc, RC_OK);
    for (size_t i = 0; i < MANY; i++)
        check_count(&h, ecis[i], "40");
    check_loaded(&h, 5);
    free(r);
    hall_close(&h);
}
END_TEST

START_TEST(what_runs_wild_ends_and_its_neighbours_go_on)
{
    static const char *const wild[] = {"deep", "big", "re", "long"};
    static const enum rc want[] = {RC_TOO_LARGE, RC_TOO_LARGE, RC_TIMEOUT, RC_OK};
    static struct hall h;
    struct pico_request bad[COUNT(wild)];
    struct pico_request good[EACH];
    hall_open(&h, 0);
    struct str neighbour = child(&h);
    for (size_t i = 0; i < COUNT(wild); i++)
        bad[i] = event(child(&h), wild[i]);
    for (size_t i = 0; i < COUNT(wild); i++)
        hand_in(&h, &bad[i]);
    for (size_t i = 0; i < COUNT(good); i++) {
        good[i] = event(neighbour, "add");
        hand_in(&h, &good[i]);
    }
    wait_for(&h, COUNT(good) + COUNT(bad));
    for (size_t i = 0; i < COUNT(wild); i++)
        ck_assert_msg(bad[i].rc == want[i], "%s: %s", wild[i], bad[i].err.text);
    check_count(&h, neighbour, "40");
    hall_close(&h);
}
END_TEST

START_TEST(a_queue_is_bounded_and_says_so)
{
    static struct hall h;
    enum { FLOOD = 3 * PICO_QUEUE_MAX };
    struct pico_request *r = calloc(FLOOD, sizeof *r);
    size_t refused = 0;
    hall_open(&h, 0);
    struct str eci = child(&h);
    struct pico_request first = event(eci, "long");
    hand_in(&h, &first);
    for (size_t i = 0; i < FLOOD; i++) {
        r[i] = event(eci, "add");
        hand_in(&h, &r[i]);
    }
    wait_for(&h, FLOOD + 1);
    for (size_t i = 0; i < FLOOD; i++) {
        ck_assert(r[i].rc == RC_OK || r[i].rc == RC_TOO_MANY);
        refused += r[i].rc == RC_TOO_MANY;
    }
    ck_assert_uint_eq(pico_counters(h.e).refused, refused);
    free(r);
    hall_close(&h);
}
END_TEST

START_TEST(the_owner_of_a_flooded_pico_can_end_it)
{
    static struct hall h;
    enum { FLOOD = 2 * PICO_QUEUE_MAX, ORDERS = PICO_ORDERS_MAX + PICO_QUEUE_MAX };
    struct pico_request *r = calloc(FLOOD + ORDERS, sizeof *r);
    size_t kept = 0;
    size_t refused = 0;
    hall_open(&h, 0);
    struct str eci = child(&h);
    struct pico_request first = event(eci, "re");
    hand_in(&h, &first);
    for (size_t i = 0; i < FLOOD; i++) {
        r[i] = event(eci, "add");
        hand_in(&h, &r[i]);
    }
    for (size_t i = FLOOD; i < FLOOD + ORDERS; i++) {
        r[i] = (struct pico_request){.ask = PICO_DELETE, .eci = eci};
        hand_in(&h, &r[i]);
    }
    wait_for(&h, FLOOD + ORDERS + 1);
    for (size_t i = FLOOD; i < FLOOD + ORDERS; i++) {
        /* What runs behind a deletion that is on its way is told to ask again. */
        ck_assert(r[i].rc == RC_OK || r[i].rc == RC_NOT_FOUND || r[i].rc == RC_UNAVAILABLE ||
                  r[i].rc == RC_TOO_MANY);
        kept += r[i].rc == RC_OK;
        refused += r[i].rc == RC_TOO_MANY;
    }
    ck_assert_uint_eq(kept, 1);    /* the first of them was not refused */
    ck_assert_uint_gt(refused, 0); /* and they, too, have an end */
    free(r);
    hall_close(&h);
}
END_TEST

static void never_held(struct pico_request *r)
{
    (void)r;
    ck_abort_msg("the answer is there at once");
}

static void note_hold(struct pico_request *r)
{
    r->args = STR("held");
}

START_TEST(what_is_free_answers_on_the_thread_that_asks)
{
    static struct hall h;
    hall_open(&h, 0);
    struct str eci = child(&h);
    struct pico_request r = event(eci, "add");
    r.hold = note_hold;
    hand_in(&h, &r);
    wait_for(&h, 1);
    ck_assert(str_eq(r.args, STR("held"))); /* it was answered by the commit */
    r = (struct pico_request){.ask = PICO_QUERY, .eci = eci, .rid = STR("work"), .query = STR("n")};
    r.hold = never_held;
    hand_in(&h, &r);
    ck_assert_int_eq(sem_trywait(&h.done), 0);
    CHECK_TEXT(r.reply, "1");
    r = event(eci, "re"); /* too long for here: it goes on elsewhere */
    r.hold = note_hold;
    hand_in(&h, &r);
    wait_for(&h, 1);
    ck_assert(str_eq(r.args, STR("held")));
    ck_assert_int_eq(r.rc, RC_TIMEOUT);
    hall_close(&h);
}
END_TEST

START_TEST(what_is_short_of_steps_for_its_answer_answers_from_elsewhere)
{
    static struct hall h;
    hall_open(&h, 0);
    struct str eci = child(&h);
    for (int m = 500; m < 110000; m += m / 4) {
        struct str args = arena_fmt(&h.arena, "{\"m\":%d}", m);
        struct pico_request r = ask(&h, (struct pico_request){.ask = PICO_QUERY,
                                                              .eci = eci,
                                                              .rid = STR("work"),
                                                              .query = STR("list"),
                                                              .attrs = args,
                                                              .hold = note_hold});
        ck_assert_msg(r.rc == RC_OK, "%d: %.*s", m, STRF(err_text(&r.err)));
        r = event(eci, "list");
        r.attrs = args;
        r.hold = note_hold;
        r = ask(&h, r);
        ck_assert_msg(r.rc == RC_OK, "%d: %.*s", m, STRF(err_text(&r.err)));
    }
    hall_close(&h);
}
END_TEST

/* --- other hosts --- */

enum { SILENT_PICOS = 40 };

/* Hosts named "silent" say nothing until it is over. */
struct net {
    struct wire wire;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool over;
    size_t silent; /* that wait now */
    size_t most;
};

static enum rc call(struct wire *w, const struct wire_request *r, struct arena *arena,
                    struct wire_reply *ret, struct err *err)
{
    struct net *n = CONTAINER_OF(w, struct net, wire);
    (void)arena;
    (void)err;
    pthread_mutex_lock(&n->lock);
    if (str_has(r->url, STR("silent"))) {
        n->silent++;
        n->most = max_size(n->most, n->silent);
        pthread_cond_broadcast(&n->changed);
        while (!n->over)
            pthread_cond_wait(&n->changed, &n->lock);
        n->silent--;
    }
    pthread_mutex_unlock(&n->lock);
    *ret = (struct wire_reply){.status = 200, .body = STR("7")};
    return RC_OK;
}

static void wait_silent(struct net *n, size_t wanted)
{
    pthread_mutex_lock(&n->lock);
    while (n->silent < wanted)
        pthread_cond_wait(&n->changed, &n->lock);
    pthread_mutex_unlock(&n->lock);
}

/* The one that is asked answers while all the others still wait: without that this test hangs. */
START_TEST(silent_hosts_keep_nobody_else_waiting)
{
    static struct hall h;
    static struct pico_request r[2 * SILENT_PICOS];
    struct net n = {.wire = {.call = call}};
    pthread_mutex_init(&n.lock, NULL);
    pthread_cond_init(&n.changed, NULL);
    hall_open_wired(&h, 0, &n.wire);
    struct str good = child(&h);
    for (size_t i = 0; i < COUNT(r); i++) {
        r[i] = event(child(&h), "ask");
        r[i].attrs = i % 2 == 0 ? STR("{\"url\":\"http://silent.one/\"}")
                                : STR("{\"url\":\"http://silent.TWO:80/x\"}");
        hand_in(&h, &r[i]);
    }
    wait_silent(&n, 16); /* eight for each host */
    struct pico_request asks = event(good, "ask");
    asks.attrs = STR("{\"url\":\"http://fine/\"}");
    asks = ask(&h, asks);
    ck_assert_int_eq(asks.rc, RC_OK);
    check_count(&h, good, "\"7\"");
    struct pico_request slow = ask(&h, event(good, "re")); /* nor who wants the lane to reckon */
    ck_assert_int_eq(slow.rc, RC_TIMEOUT);
    pthread_mutex_lock(&n.lock);
    ck_assert_uint_eq(n.most, 16);
    n.over = true;
    pthread_cond_broadcast(&n.changed);
    pthread_mutex_unlock(&n.lock);
    wait_for(&h, COUNT(r));
    for (size_t i = 0; i < COUNT(r); i++)
        ck_assert_int_eq(r[i].rc, RC_OK);
    hall_close(&h);
    pthread_cond_destroy(&n.changed);
    pthread_mutex_destroy(&n.lock);
}
END_TEST

Suite *lanes_suite(void);
Suite *lanes_suite(void)
{
    Suite *s = suite_create("lanes");
    TCase *t = tcase_create("lanes");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, many_picos_count_at_once_and_few_are_kept_in_memory);
    tcase_add_test(t, what_runs_wild_ends_and_its_neighbours_go_on);
    tcase_add_test(t, a_queue_is_bounded_and_says_so);
    tcase_add_test(t, the_owner_of_a_flooded_pico_can_end_it);
    tcase_add_test(t, what_is_free_answers_on_the_thread_that_asks);
    tcase_add_test(t, what_is_short_of_steps_for_its_answer_answers_from_elsewhere);
    tcase_add_test(t, silent_hosts_keep_nobody_else_waiting);
    suite_add_tcase(s, t);
    return s;
}
