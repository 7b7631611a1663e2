#include "store/outbox.h"

#include "store/store_fixture.h"

#include <check.h>
#include <pthread.h>
#include <semaphore.h>

#define START (INT64_C(1795312800) * US_PER_SECOND)

/* A store and an outbox whose time stands still. */
struct world {
    struct fixture f;
    struct clock_sim sim;
    struct outbox *outbox;
};

static void world_open(struct world *w)
{
    clock_sim_init(&w->sim, START, 7);
    fixture_init(&w->f);
    fixture_open_with(&w->f, (struct store_options){.clock = &w->sim.clock, .writers = 1});
    w->outbox = outbox_open(w->f.store, &w->sim.clock, NULL);
}

static void world_close(struct world *w)
{
    outbox_close(w->outbox);
    fixture_close(&w->f);
}

struct post {
    const char *topic;
    const char *body;
    int count;
};

static enum rc post(struct tx *tx, void *arg)
{
    const struct post *p = arg;
    for (int i = 0; i < p->count; i++)
        TRY(outbox_put(tx, p->topic, STR("pty_1"), str_c(p->body)));
    return RC_OK;
}

static void put(struct fixture *f, const char *topic, const char *body, int count)
{
    struct post p = {topic, body, count};
    enum rc rc = fixture_write(f, post, &p);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
}

static void run(struct world *w)
{
    err_clear(&w->f.err);
    enum rc rc = outbox_run_once(w->outbox, &w->f.err);
    ck_assert_msg(rc == RC_OK, "%s", w->f.err.text);
}

struct list {
    int64_t after;
    size_t limit;
    struct outbox_row *rows;
    size_t count;
    int64_t oldest;
    int64_t last;
};

static enum rc list(struct tx *tx, void *arg)
{
    struct list *l = arg;
    TRY(outbox_last(tx, &l->last));
    return outbox_events(tx, l->after, l->limit, &l->rows, &l->count, &l->oldest);
}

static struct list listed(struct fixture *f, int64_t after, size_t limit)
{
    struct list l = {.after = after, .limit = limit};
    enum rc rc = fixture_read(f, list, &l);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
    return l;
}

START_TEST(events_get_gapless_ascending_numbers_in_the_order_they_were_put)
{
    struct world w;
    world_open(&w);
    struct list l = listed(&w.f, 0, 10);
    ck_assert_int_eq(l.last, 0);
    ck_assert_uint_eq(l.count, 0);
    put(&w.f, "event.first", "{}", 1);
    l = listed(&w.f, 0, 10);
    /* With one writer it has its number at once; with several not before the relay. */
    ck_assert_uint_eq(l.count, getenv("TEST_STORE") == NULL ? 1 : 0);
    for (int i = 0; i < 3; i++) {
        clock_sim_advance(&w.sim, US_PER_SECOND);
        put(&w.f, "event.more", "{\"a\":1}", OUTBOX_BATCH - 100);
    }
    run(&w);
    int64_t total = 1 + 3 * (OUTBOX_BATCH - 100);
    l = listed(&w.f, 0, 1000);
    ck_assert_int_eq(l.last, total);
    ck_assert_int_eq(l.oldest, 1);
    ck_assert_uint_eq(l.count, 1000);
    ck_assert(str_eq(l.rows[0].topic, STR("event.first")));
    for (size_t i = 0; i < l.count; i++) {
        ck_assert_int_eq(l.rows[i].seq, (int64_t)i + 1);
        if (i > 0)
            ck_assert_int_lt(str_cmp(l.rows[i - 1].id, l.rows[i].id), 0);
    }
    l = listed(&w.f, 1000, 1000);
    ck_assert_uint_eq(l.count, (size_t)total - 1000);
    ck_assert(str_eq(l.rows[0].body, STR("{\"a\":1}")));
    ck_assert(str_eq(l.rows[0].party, STR("pty_1")));
    ck_assert_int_eq(outbox_counters(w.outbox).waiting, 0);
    world_close(&w);
}
END_TEST

static enum rc put_unnumbered(struct tx *tx, void *arg)
{
    (void)arg;
    return sql_run(tx,
                   "INSERT INTO outbox (id, seq, topic, party, body, state, tries, created, due, "
                   "error) VALUES ($1, NULL, 'event.early', NULL, '{}', 0, 0, $2, $2, NULL)",
                   V(id_new(tx->ids, tx->arena, "obx")), V(tx->now));
}

START_TEST(events_that_an_earlier_hanse_left_unnumbered_are_numbered_by_the_relay)
{
    struct world w;
    world_open(&w);
    ck_assert_int_eq(fixture_write(&w.f, put_unnumbered, NULL), RC_OK);
    ck_assert_int_eq(outbox_counters(w.outbox).waiting, 1);
    run(&w);
    struct list l = listed(&w.f, 0, 10);
    ck_assert_uint_eq(l.count, 1);
    ck_assert_int_eq(l.rows[0].seq, 1);
    ck_assert_int_eq(outbox_counters(w.outbox).waiting, 0);
    world_close(&w);
}
END_TEST

START_TEST(old_events_go_and_the_numbers_never_start_again)
{
    struct world w;
    world_open(&w);
    put(&w.f, "event.old", "{}", 3);
    run(&w);
    clock_sim_advance(&w.sim, OUTBOX_KEEP_US / 2);
    put(&w.f, "event.new", "{}", 1);
    run(&w);
    clock_sim_advance(&w.sim, OUTBOX_KEEP_US / 2);
    run(&w);
    struct list l = listed(&w.f, 0, 10);
    ck_assert_uint_eq(l.count, 1);
    ck_assert_int_eq(l.oldest, 4);
    clock_sim_advance(&w.sim, 10 * OUTBOX_KEEP_US);
    run(&w);
    l = listed(&w.f, 0, 10);
    ck_assert_int_eq(l.last, 4); /* the last one stays */
    put(&w.f, "event.next", "{}", 1);
    run(&w);
    ck_assert_int_eq(listed(&w.f, 0, 10).last, 5);
    world_close(&w);
}
END_TEST

struct receiver {
    enum rc answer;
    int calls;
    char body[32];
    char id[40];
    int64_t tries;
};

static enum rc receive(void *arg, const struct outbox_row *row, struct arena *arena,
                       struct err *err)
{
    (void)arena;
    struct receiver *r = arg;
    r->calls++;
    r->tries = row->tries;
    (void)snprintf(r->body, sizeof r->body, "%.*s", STRF(row->body));
    (void)snprintf(r->id, sizeof r->id, "%.*s", STRF(row->id));
    return r->answer == RC_OK ? RC_OK : err_set(err, r->answer, "not now");
}

/* Move time until the receiver is called again; how long it took. */
static int64_t wait_for_call(struct world *w, const struct receiver *r)
{
    int calls = r->calls;
    int64_t waited_us = 0;
    for (; r->calls == calls; waited_us += 100 * US_PER_MS) {
        ck_assert_int_lt(waited_us, 2 * US_PER_HOUR);
        clock_sim_advance(&w->sim, 100 * US_PER_MS);
        run(w);
    }
    return waited_us;
}

START_TEST(a_delivery_is_repeated_with_growing_pauses_until_it_succeeds)
{
    struct world w;
    world_open(&w);
    struct receiver r = {.answer = RC_REMOTE};
    outbox_serve(w.outbox, "mail", receive, &r);
    put(&w.f, "mail", "{\"to\":1}", 1);
    run(&w);
    run(&w); /* it is not due again at once */
    ck_assert_int_eq(r.calls, 1);
    char id[40] = "";
    memcpy(id, r.id, sizeof id);
    for (int i = 0; i < 5; i++) {
        int64_t waited_us = wait_for_call(&w, &r);
        ck_assert_int_ge(waited_us, (US_PER_SECOND << i) / 2);
        ck_assert_int_le(waited_us, (US_PER_SECOND << i) * 3 / 2 + 100 * US_PER_MS);
        ck_assert_int_eq(r.tries, i + 1);
        ck_assert_str_eq(r.id, id); /* the receiver can tell a repeat */
        ck_assert_int_eq(outbox_counters(w.outbox).waiting, 1);
    }
    r.answer = RC_OK;
    (void)wait_for_call(&w, &r);
    ck_assert_str_eq(r.body, "{\"to\":1}");
    struct outbox_counters c = outbox_counters(w.outbox);
    ck_assert_int_eq(c.waiting, 0);
    ck_assert_uint_eq(c.delivered, 1);
    ck_assert_uint_eq(c.retried, 6);
    world_close(&w);
}
END_TEST

static enum rc forget(struct tx *tx, void *arg)
{
    (void)arg;
    return outbox_forget(tx);
}

START_TEST(a_copy_forgets_what_its_original_delivers_and_keeps_events)
{
    struct world w;
    world_open(&w);
    struct receiver r = {.answer = RC_OK};
    outbox_serve(w.outbox, "mail", receive, &r);
    put(&w.f, "mail", "{\"to\":1}", 3);
    put(&w.f, "event.made", "{}", 2);
    ck_assert_int_eq(fixture_write(&w.f, forget, NULL), RC_OK);
    run(&w);
    ck_assert_int_eq(r.calls, 0);
    ck_assert_int_eq(outbox_counters(w.outbox).waiting, 0);
    put(&w.f, "mail", "{\"to\":2}", 1);
    run(&w);
    ck_assert_int_eq(r.calls, 1);
    world_close(&w);
}
END_TEST

static enum rc read_error(struct tx *tx, void *arg)
{
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT error FROM outbox WHERE state = 3 ORDER BY id LIMIT 10"));
    ck_assert_uint_eq(r.count, 1);
    (void)snprintf(arg, 64, "%.*s", STRF(row_str(&r, 0, 0)));
    return RC_OK;
}

START_TEST(what_cannot_be_delivered_is_kept_as_failed_with_its_reason)
{
    static const struct {
        enum rc answer;
        int calls;
    } cases[] = {{RC_INVALID, 1}, {RC_UNSUPPORTED, 1}, {RC_REMOTE, OUTBOX_TRIES_MAX}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct world w;
        world_open(&w);
        struct receiver r = {.answer = cases[i].answer};
        outbox_serve(w.outbox, "mail", receive, &r);
        put(&w.f, "mail", "{}", 1);
        for (int j = 0; j < 3 * OUTBOX_TRIES_MAX; j++) {
            run(&w);
            clock_sim_advance(&w.sim, 2 * US_PER_HOUR);
        }
        ck_assert_int_eq(r.calls, cases[i].calls);
        ck_assert_uint_eq(outbox_counters(w.outbox).failed, 1);
        char error[64] = "";
        ck_assert_int_eq(fixture_read(&w.f, read_error, error), RC_OK);
        ck_assert_str_eq(error, "not now");
        world_close(&w);
    }
}
END_TEST

START_TEST(a_topic_that_nobody_serves_blocks_nobody_and_is_not_lost)
{
    struct world w;
    world_open(&w);
    struct receiver r = {.answer = RC_OK};
    outbox_serve(w.outbox, "mail", receive, &r);
    put(&w.f, "unknown", "{}", 250);
    put(&w.f, "mail", "{}", 1);
    run(&w);
    ck_assert_int_eq(r.calls, 1);
    ck_assert_int_eq(outbox_counters(w.outbox).waiting, 250);
    world_close(&w);
}
END_TEST

static enum rc post_too_much(struct tx *tx, void *arg)
{
    (void)arg;
    static char body[OUTBOX_BODY_MAX + 1];
    memset(body, 'x', sizeof body);
    return outbox_put(tx, "mail", STR(""), str_n(body, sizeof body));
}

START_TEST(a_body_beyond_the_limit_is_refused)
{
    struct world w;
    world_open(&w);
    ck_assert_int_eq(fixture_write(&w.f, post_too_much, NULL), RC_TOO_LARGE);
    world_close(&w);
}
END_TEST

/* --- with its own thread --- */

static void wake(void *arg)
{
    sem_post(arg);
}

static enum rc deliver_and_wake(void *arg, const struct outbox_row *row, struct arena *arena,
                                struct err *err)
{
    (void)row;
    (void)arena;
    (void)err;
    sem_post(arg);
    return RC_OK;
}

START_TEST(the_thread_wakes_on_each_commit_that_brings_something)
{
    struct fixture f;
    fixture_open(&f);
    struct outbox *o = outbox_open(f.store, clock_system(), NULL);
    sem_t relayed;
    sem_t delivered;
    sem_init(&relayed, 0, 0);
    sem_init(&delivered, 0, 0);
    outbox_on_relay(o, wake, &relayed);
    outbox_serve(o, "mail", deliver_and_wake, &delivered);
    for (int i = 0; i < 50; i++) {
        put(&f, "event.x", "{}", 1);
        sem_wait(&relayed); /* the test's own time limit ends a sleep that never ends */
        ck_assert_int_ge(listed(&f, 0, 1000).last, i + 1);
        put(&f, "mail", "{}", 1);
        sem_wait(&delivered);
    }
    outbox_close(o);
    ck_assert_uint_eq(listed(&f, 0, 1000).count, 50);
    put(&f, "event.x", "{}", 1); /* the store goes on without it */
    sem_destroy(&relayed);
    sem_destroy(&delivered);
    fixture_close(&f);
}
END_TEST

enum { POSTERS = 8, POSTS = 100 };

static void *post_some(void *arg)
{
    struct store *s = arg;
    struct arena arena;
    arena_init(&arena, (size_t)1024 * 1024);
    for (int i = 0; i < POSTS; i++) {
        struct err err = {0};
        struct post p = {"event.x", "{}", 1};
        arena_reset(&arena);
        enum rc rc = store_write(s, &arena, &err, post, &p);
        ck_assert_msg(rc == RC_OK, "%s", err.text);
    }
    arena_fini(&arena);
    return NULL;
}

START_TEST(two_relays_on_one_store_number_each_event_once)
{
    struct fixture f;
    fixture_open(&f);
    struct store *stores[2] = {f.store, f.store};
    struct outbox *outboxes[2];
    struct store_options o = {.url = str_c(f.url), .clock = clock_system()};
    if (store_engine(f.store) == STORE_POSTGRES) /* as another process has it */
        ck_assert_int_eq(store_open(&stores[1], &o, &f.err), RC_OK);
    for (int i = 0; i < 2; i++)
        outboxes[i] = outbox_open(stores[i], clock_system(), NULL);
    pthread_t threads[POSTERS];
    for (int i = 0; i < POSTERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, post_some, stores[i % 2]), 0);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(outbox_run_once(outboxes[i], &f.err), RC_OK);
    struct list l = listed(&f, 0, 1000);
    ck_assert_uint_eq(l.count, (size_t)POSTERS * POSTS);
    for (size_t i = 0; i < l.count; i++)
        ck_assert_int_eq(l.rows[i].seq, (int64_t)i + 1);
    for (int i = 0; i < 2; i++)
        outbox_close(outboxes[i]);
    if (stores[1] != f.store)
        store_close(stores[1]);
    fixture_close(&f);
}
END_TEST

Suite *outbox_suite(void);
Suite *outbox_suite(void)
{
    Suite *s = suite_create("outbox");
    TCase *c = tcase_create("outbox");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, events_get_gapless_ascending_numbers_in_the_order_they_were_put);
    tcase_add_test(c, events_that_an_earlier_hanse_left_unnumbered_are_numbered_by_the_relay);
    tcase_add_test(c, old_events_go_and_the_numbers_never_start_again);
    tcase_add_test(c, a_delivery_is_repeated_with_growing_pauses_until_it_succeeds);
    tcase_add_test(c, a_copy_forgets_what_its_original_delivers_and_keeps_events);
    tcase_add_test(c, what_cannot_be_delivered_is_kept_as_failed_with_its_reason);
    tcase_add_test(c, a_topic_that_nobody_serves_blocks_nobody_and_is_not_lost);
    tcase_add_test(c, a_body_beyond_the_limit_is_refused);
    tcase_add_test(c, the_thread_wakes_on_each_commit_that_brings_something);
    tcase_add_test(c, two_relays_on_one_store_number_each_event_once);
    suite_add_tcase(s, c);
    return s;
}
