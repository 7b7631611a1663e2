#include "node/link.h"

#include "node/driver_sim.h"
#include "node/file.h"

#include "http/http.h"

#include <check.h>
#include <unistd.h>

#define NODE   STR("nod_01jd8v3q7w4k2m9x6c5b1n0h8z")
#define START  (INT64_C(1800000000) * US_PER_SECOND)
#define METERS 7

static struct arena arena;
static struct err err;
static char folder[64];
static struct clock_sim now;
static struct wire_sim wire;
static struct link node;
static uint8_t key[SIGNATURE_PUBLIC_BYTES];
static struct spool *spool;
static struct driver_sim sim;
static struct agent *agent;
static struct link_told told;

/* What the control plane hears, and how it answers. */
static struct {
    int calls;
    int cut_at;           /* the call whose answer is lost, from 1; 0: none */
    int status;           /* 0: as it should be */
    const char *refuses;  /* a body that has this is refused */
    const char *body;     /* of the answer */
    struct str last_body; /* of the last call */
    struct str last_url;
    struct str all;     /* ids of events that were taken, in their order */
    struct str content; /* of the file */
    size_t cut_after;   /* bytes of it; 0: it comes whole */
    bool no_parts;      /* what Range says is not looked at */
    int no_file;        /* the status in place of it; 0: it is there */
} there;

static struct str header(const struct wire_request *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (str_eq(r->headers[i].name, str_c(name)))
            return r->headers[i].value;
    return STR("");
}

static void check_signature(const struct wire_request *r)
{
    int64_t at = 0;
    struct str server = STR("http://there");
    ck_assert(str_eq(str_sub(r->url, 0, server.n), server));
    ck_assert(str_to_i64(header(r, "Hanse-Time"), 0, INT64_MAX, &at));
    struct signature_request s = {.method = r->method,
                                  .target = str_sub(r->url, server.n, r->url.n),
                                  .node = header(r, "Hanse-Node"),
                                  .time = at,
                                  .body = r->body};
    ck_assert(str_eq(s.node, NODE));
    ck_assert_int_eq(
        signature_check(&s, header(r, "Hanse-Signature"), key, clock_now(&now.clock), &arena, &err),
        RC_OK);
}

static enum rc give_file(const struct wire_request *r, struct wire_reply *ret, struct err *e)
{
    int64_t from = 0;
    struct str range = header(r, "Range");
    struct str digits = str_sub(range, strlen("bytes="), range.n - 1);
    ck_assert(str_to_i64(digits, 0, INT64_MAX, &from));
    if (there.no_parts)
        from = 0;
    if (there.no_file > 0) {
        *ret = (struct wire_reply){.status = there.no_file};
        return r->piece(r->arg, STR("{}"), e);
    }
    struct str rest = str_sub(there.content, (size_t)from, there.content.n);
    *ret = (struct wire_reply){.status = there.no_parts ? 200 : 206};
    if (there.cut_after == 0)
        return r->piece(r->arg, rest, e);
    TRY(r->piece(r->arg, str_sub(rest, 0, there.cut_after), e));
    return err_set(e, RC_UNAVAILABLE, "the connection was cut");
}

static struct str followed_by(struct str all, struct str more)
{
    char *text = arena_bytes(&arena, all.n + more.n + 1);
    if (all.n > 0)
        memcpy(text, all.p, all.n);
    if (more.n > 0)
        memcpy(text + all.n, more.p, more.n);
    text[all.n + more.n] = '\n';
    return str_n(text, all.n + more.n + 1);
}

static enum rc answer(void *arg UNUSED, const struct wire_request *r, struct arena *a,
                      struct wire_reply *ret, struct err *e)
{
    check_signature(r);
    there.calls++;
    there.last_body = arena_str(&arena, r->body);
    there.last_url = arena_str(&arena, r->url);
    if (r->piece != NULL)
        return give_file(r, ret, e);
    bool refused = there.refuses != NULL && str_has(r->body, str_c(there.refuses));
    int status = refused ? 422 : there.status > 0 ? there.status : 200;
    if (status == 200)
        there.all = followed_by(there.all, r->body);
    if (there.calls == there.cut_at)
        return err_set(e, RC_UNAVAILABLE, "the connection was cut");
    *ret = (struct wire_reply){.status = status, .body = arena_str(a, str_c(there.body))};
    return RC_OK;
}

static void setup(void)
{
    arena_init(&arena, (size_t)256 * 1024 * 1024);
    err_clear(&err);
    clock_sim_init(&now, START, 1);
    memset(&there, 0, sizeof there);
    there.body = "{}";
    snprintf(folder, sizeof folder, "/tmp/hanse-link-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    wire_sim_init(&wire, &now);
    wire.fn = answer;
    node = (struct link){.wire = &wire.wire,
                         .clock = &now.clock,
                         .home = folder,
                         .server = STR("http://there"),
                         .node = NODE};
    signature_pair(key, node.secret);
    ck_assert_int_eq(spool_open(":memory:", &spool, &err), RC_OK);
    driver_sim_init(&sim, &now);
    agent = agent_open(&(struct agent_options){.driver = &sim.driver, .clock = &now.clock});
    memset(&told, 0, sizeof told);
    told.whole = true;
}

static void teardown(void)
{
    agent_close(agent);
    spool_close(spool);
    ck_assert_int_eq(file_remove(folder, &err), RC_OK);
    arena_fini(&arena);
}

/* --- usage --- */

static void use(const char *service, const char *subscription)
{
    struct driver_stats stats = {.process = STR("1"), .cpu_us = 1500000, .memory_bytes = 100};
    struct spool_sample sample = {.service = str_c(service),
                                  .subscription = str_c(subscription),
                                  .started = START - US_PER_MINUTE,
                                  .now = START,
                                  .stats = &stats};
    ck_assert_int_eq(spool_add(spool, &sample, 1, &err), RC_OK);
}

static size_t waiting(void)
{
    struct list records;
    ck_assert_int_eq(spool_next(spool, &arena, &records, &err), RC_OK);
    return records.count;
}

static size_t times(struct str text, const char *what)
{
    size_t count = 0, n = strlen(what);
    for (size_t i = 0; i + n <= text.n; i++)
        count += memcmp(text.p + i, what, n) == 0;
    return count;
}

START_TEST(what_was_taken_is_forgotten_and_no_sooner)
{
    bool more = true;
    use("svc_a", "sub_a");
    use("svc_b", "sub_b");
    /* The answer to the third of seven calls is lost: it was heard, and nobody here knows. */
    there.cut_at = 3;
    ck_assert_int_eq(link_usage(&node, spool, &arena, &more, &err), RC_UNAVAILABLE);
    ck_assert_uint_eq(waiting(), 2);
    err_clear(&err);
    ck_assert_int_eq(link_usage(&node, spool, &arena, &more, &err), RC_OK);
    ck_assert(!more);
    ck_assert_uint_eq(waiting(), 0);
    ck_assert_int_eq(there.calls, 3 + METERS);
    /* Sent again with the same ids, the older record first. */
    ck_assert_uint_eq(times(there.all, "\"id\":\"1-cpu\""), 2);
    ck_assert_uint_eq(times(there.all, "\"id\":\"2-disk-written\""), 1);
    ck_assert_uint_eq(times(there.all, "\"qty\":\"1.500000\""), 4);
    ck_assert(str_has(str_sub(there.all, 0, 300), STR("\"id\":\"1-cpu\"")));
    ck_assert_int_eq(link_usage(&node, spool, &arena, &more, &err), RC_OK);
    ck_assert_int_eq(there.calls, 3 + METERS); /* nothing to say, nothing said */
}
END_TEST

START_TEST(one_bad_record_takes_no_good_one_with_it)
{
    bool more = true;
    use("svc_a", "sub_a");
    use("svc_b", "sub_bad");
    use("svc_c", "sub_c");
    there.refuses = "sub_bad";
    ck_assert_int_eq(link_usage(&node, spool, &arena, &more, &err), RC_OK);
    ck_assert_uint_eq(waiting(), 0);
    ck_assert_uint_eq(times(there.all, "sub_a"), METERS);
    ck_assert_uint_eq(times(there.all, "sub_c"), METERS);
    ck_assert_uint_eq(times(there.all, "sub_bad"), 0);
}
END_TEST

START_TEST(who_cannot_take_it_now_is_asked_again)
{
    const int later[] = {401, 429, 500, 503};
    bool more = true;
    use("svc_a", "sub_a");
    for (size_t i = 0; i < COUNT(later); i++) {
        there.status = later[i];
        there.calls = 0;
        err_clear(&err);
        ck_assert_int_ne(link_usage(&node, spool, &arena, &more, &err), RC_OK);
        ck_assert_int_eq(there.calls, 1);
        ck_assert_uint_eq(waiting(), 1);
    }
}
END_TEST

/* --- reports and what is wanted --- */

static enum rc report(void)
{
    struct node_report r = {.set = schema_all(&node_report_schema),
                            .agent = STR("0"),
                            .hostname = STR("n"),
                            .address = STR("192.0.2.1")};
    err_clear(&err);
    return link_report(&node, agent, &r, &told, &arena, &err);
}

START_TEST(a_report_whose_answer_is_lost_is_told_whole_again)
{
    there.body = "{\"lease_until_s\":90,\"order\":0}";
    ck_assert_int_eq(report(), RC_OK);
    ck_assert(str_has(there.last_body, STR("\"whole\":true")));
    int64_t order = told.order;
    there.cut_at = 2;
    ck_assert_int_eq(report(), RC_UNAVAILABLE);
    ck_assert(str_has(there.last_body, STR("\"whole\":false")));
    ck_assert_int_gt(told.order, order);
    order = told.order;
    ck_assert_int_eq(report(), RC_OK);
    ck_assert(str_has(there.last_body, STR("\"whole\":true")));
    ck_assert_int_gt(told.order, order);
}
END_TEST

static enum rc see_none(struct driver *d UNUSED, struct arena *a UNUSED, struct list *ret,
                        struct err *e UNUSED)
{
    *ret = (struct list){0};
    return RC_OK;
}

static enum rc fail_at_length(struct driver *d UNUSED, const struct service_spec *spec UNUSED,
                              struct arena *a, struct err *e)
{
    char *why = arena_bytes(a, ERR_TEXT_MAX - 1);
    memset(why, 'x', ERR_TEXT_MAX - 1);
    return err_set(e, RC_UNAVAILABLE, "%.*s", ERR_TEXT_MAX - 1, why);
}

/* The control plane takes a MiB of who signs: a node with many services that all have much to say
 * would never be heard again. */
START_TEST(what_is_too_long_for_one_report_comes_in_several)
{
    struct driver wordy = sim.driver;
    struct buf list;
    wordy.observe = see_none;
    wordy.prepare = fail_at_length;
    agent_close(agent);
    agent = agent_open(&(struct agent_options){.driver = &wordy, .clock = &now.clock});
    buf_init(&list, &arena, 1024 * 1024);
    buf_add(&list, STR("{\"revision\":1,\"services\":["));
    for (int i = 0; i < SPEC_SERVICES_MAX; i++)
        buf_fmt(&list,
                "%s{\"id\":\"svc_01jd8v3q7w4k2m9x6c5b1n%04d\",\"generation\":1,"
                "\"state\":\"running\",\"runtime\":\"container\"}",
                i > 0 ? "," : "", i);
    buf_add(&list, STR("]}"));
    ck_assert_int_eq(agent_want(agent, buf_str(&list), &err), RC_OK);
    ck_assert_uint_eq(agent_turn(agent), SPEC_SERVICES_MAX);
    there.body = "{\"lease_until_s\":90,\"order\":0}";
    ck_assert_int_eq(report(), RC_OK);
    ck_assert_int_eq(there.calls, 2);
    ck_assert_uint_gt(there.all.n, HTTP_BODY_BYTES_MAX / 2);
    ck_assert_uint_lt(there.last_body.n, HTTP_BODY_BYTES_MAX);
    ck_assert_uint_eq(times(there.all, "\"id\":\"svc_"), SPEC_SERVICES_MAX);
    ck_assert_uint_eq(times(there.all, "\"whole\":true"), 0);
    /* The first part is heard, the second is not: all of it is told again. */
    there.all = STR("");
    told.whole = true;
    there.cut_at = there.calls + 2;
    ck_assert_int_eq(report(), RC_UNAVAILABLE);
    there.all = STR("");
    ck_assert_int_eq(report(), RC_OK);
    ck_assert_uint_eq(times(there.all, "\"id\":\"svc_"), SPEC_SERVICES_MAX);
    there.all = STR("");
    ck_assert_int_eq(report(), RC_OK);
    ck_assert_uint_eq(times(there.all, "\"id\":\"svc_"), 0);
}
END_TEST

START_TEST(a_node_whose_clock_went_back_counts_on_from_what_was_heard)
{
    there.body = "{\"lease_until_s\":90,\"order\":1900000000000000}";
    ck_assert_int_eq(report(), RC_CHANGED);
    ck_assert_int_eq(told.order, INT64_C(1900000000000000));
    there.body = "{\"lease_until_s\":90,\"order\":0}";
    ck_assert_int_eq(report(), RC_OK);
    ck_assert_int_eq(told.order, INT64_C(1900000000000001));
}
END_TEST

/* A disk that is full when something new is wanted: the agent does it, and asks for all of it again
 * until it is kept, so that the next start knows it. */
START_TEST(what_the_disk_did_not_take_is_asked_for_again)
{
    struct str kept;
    const char *path = arena_fmt(&arena, "%s/desired", folder).p;
    const char *beside = arena_fmt(&arena, "%s/desired.new", folder).p;
    there.body = "{\"revision\":7,\"services\":[]}";
    ck_assert_int_eq(file_make_folder(beside, &err), RC_OK); /* no file can be made there */
    ck_assert_int_ne(link_pull(&node, agent, 20, &arena, &err), RC_OK);
    ck_assert_int_eq(agent_revision(agent), 7);
    ck_assert(!file_exists(path));
    ck_assert_int_eq(file_remove(beside, &err), RC_OK);
    err_clear(&err);
    ck_assert_int_eq(link_pull(&node, agent, 20, &arena, &err), RC_OK);
    ck_assert(str_has(there.last_url, STR("after=0&")));
    ck_assert_int_eq(file_read(path, 1000, &arena, &kept, &err), RC_OK);
    ck_assert(str_eq(kept, str_c(there.body)));
    ck_assert_int_eq(link_pull(&node, agent, 20, &arena, &err), RC_OK);
    ck_assert(str_has(there.last_url, STR("after=7&")));
}
END_TEST

START_TEST(a_list_that_is_cut_off_changes_nothing)
{
    const char *path = arena_fmt(&arena, "%s/desired", folder).p;
    there.body = "{\"revision\":3,\"services\":[]}";
    ck_assert_int_eq(link_pull(&node, agent, 0, &arena, &err), RC_OK);
    ck_assert_int_eq(agent_revision(agent), 3);
    there.body = "{\"revision\":4,\"services\":[";
    ck_assert_int_ne(link_pull(&node, agent, 0, &arena, &err), RC_OK);
    ck_assert_int_eq(agent_revision(agent), 3);
    struct str kept;
    err_clear(&err);
    ck_assert_int_eq(file_read(path, FILE_BYTES_MAX, &arena, &kept, &err), RC_OK);
    ck_assert(str_eq(kept, STR("{\"revision\":3,\"services\":[]}")));
}
END_TEST

/* --- files --- */

static enum rc fetch(const char *path)
{
    err_clear(&err);
    return link_fetch_file(&node, STR("/v1/node/images/x"), (int64_t)there.content.n, path, &arena,
                           &err);
}

static void check_file(const char *path)
{
    struct str got;
    ck_assert_int_eq(file_read(path, FILE_BYTES_MAX, &arena, &got, &err), RC_OK);
    ck_assert(str_eq(got, there.content));
}

START_TEST(a_file_that_is_cut_off_goes_on_where_it_was)
{
    const char *path = arena_fmt(&arena, "%s/file", folder).p;
    there.content = STR("0123456789abcdefghij");
    there.cut_after = 7;
    ck_assert_int_eq(fetch(path), RC_RETRY);
    ck_assert_int_eq(fetch(path), RC_RETRY);
    there.cut_after = 0;
    ck_assert_int_eq(fetch(path), RC_OK);
    check_file(path);
    ck_assert_int_eq(there.calls, 3);
}
END_TEST

START_TEST(from_who_knows_no_parts_it_begins_anew)
{
    const char *path = arena_fmt(&arena, "%s/file", folder).p;
    there.content = STR("0123456789abcdefghij");
    there.cut_after = 7;
    ck_assert_int_eq(fetch(path), RC_RETRY);
    there.cut_after = 0;
    there.no_parts = true;
    ck_assert_int_eq(fetch(path), RC_TOO_LARGE);
    ck_assert_int_eq(fetch(path), RC_OK);
    check_file(path);
}
END_TEST

/* A backup that its holder has to send first, a control plane that is busy or begins anew: that is
 * no failure of who asks, and who waits for it is told apart from who asks for what is nowhere. */
START_TEST(what_is_not_there_yet_is_told_from_what_is_not_there)
{
    const int later[] = {409, 429, 500, 502, 503}, never[] = {400, 403, 404, 410};
    const char *path = arena_fmt(&arena, "%s/file", folder).p;
    struct str got;
    there.content = STR("0123456789abcdefghij");
    for (size_t i = 0; i < COUNT(later); i++) {
        there.no_file = later[i];
        ck_assert_int_eq(fetch(path), RC_RETRY);
        ck_assert_int_eq(err.rc, RC_RETRY);
    }
    for (size_t i = 0; i < COUNT(never); i++) {
        there.no_file = never[i];
        ck_assert_int_eq(fetch(path), RC_UNAVAILABLE);
    }
    /* Nothing of what was said instead is taken for the file's. */
    ck_assert_int_eq(file_read(path, FILE_BYTES_MAX, &arena, &got, &err), RC_OK);
    ck_assert_uint_eq(got.n, 0);
    there.no_file = 0;
    ck_assert_int_eq(fetch(path), RC_OK);
    check_file(path);
}
END_TEST

Suite *link_suite(void);
Suite *link_suite(void)
{
    Suite *s = suite_create("link");
    TCase *c = tcase_create("link");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, what_was_taken_is_forgotten_and_no_sooner);
    tcase_add_test(c, one_bad_record_takes_no_good_one_with_it);
    tcase_add_test(c, who_cannot_take_it_now_is_asked_again);
    tcase_add_test(c, a_report_whose_answer_is_lost_is_told_whole_again);
    tcase_add_test(c, what_is_too_long_for_one_report_comes_in_several);
    tcase_add_test(c, a_node_whose_clock_went_back_counts_on_from_what_was_heard);
    tcase_add_test(c, what_the_disk_did_not_take_is_asked_for_again);
    tcase_add_test(c, a_list_that_is_cut_off_changes_nothing);
    tcase_add_test(c, a_file_that_is_cut_off_goes_on_where_it_was);
    tcase_add_test(c, from_who_knows_no_parts_it_begins_anew);
    tcase_add_test(c, what_is_not_there_yet_is_told_from_what_is_not_there);
    suite_add_tcase(s, c);
    return s;
}
