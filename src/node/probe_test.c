/* Looks at real servers of this machine, and what is never looked at. */
#include "node/probe.h"

#include "node/driver_sim.h"
#include "node/file.h"
#include "node/lookout.h"
#include "node/run.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REQUEST_MAX = 4096, LOOK_MS = 20000, PORT_TRIES = 5000 };

static struct arena arena;
static struct err err;
static char folder[64];
static struct wire *wire;
static struct str loopback[] = {STR_INIT("127.0.0.0/8")};
static const struct list open_here = {loopback, 1};
static const struct list open_nowhere = {NULL, 0};

static void setup(void)
{
    arena_init(&arena, (size_t)256 * 1024 * 1024);
    err_clear(&err);
    snprintf(folder, sizeof folder, "/tmp/hanse-probe-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    wire = wire_curl_open();
}

static void teardown(void)
{
    wire_curl_close(wire);
    ck_assert_int_eq(file_remove(folder, &err), RC_OK);
    arena_fini(&arena);
}

/* A listening socket at a port that agents publish. */
static int listen_at(int64_t *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int i = 0; i < PORT_TRIES; i++) {
        struct sockaddr_in in = {.sin_family = AF_INET};
        int64_t port = PROBE_PORT_FIRST + (getpid() * 7 + i) % (PROBE_PORT_LAST - PROBE_PORT_FIRST);
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        in.sin_port = htons((uint16_t)port);
        if (bind(fd, (const struct sockaddr *)&in, sizeof in) == 0 && listen(fd, 16) == 0) {
            *ret_port = port;
            return fd;
        }
    }
    ck_abort_msg("no port is free");
}

/* Answers by the path of the request; what it heard is kept. */
struct site {
    int fd;
    int64_t port;
    pthread_t thread;
    char heard[REQUEST_MAX];
};

static void answer(int fd, const char *request)
{
    static const char big[64 * 1024] = {0};
    const char *text = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    if (strncmp(request, "GET /fine ", 10) == 0)
        text = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nall is well \xc3\xa9";
    if (strncmp(request, "GET /odd ", 9) == 0)
        text = "HTTP/1.1 503 Nobody\r\nContent-Length: 0\r\n\r\n";
    bool endless = strncmp(request, "GET /endless ", 13) == 0;
    if (endless)
        text = "HTTP/1.1 200 OK\r\n\r\n";
    bool going = send(fd, text, strlen(text), MSG_NOSIGNAL) > 0;
    while (endless && going)
        going = send(fd, big, sizeof big, MSG_NOSIGNAL) > 0;
}

static void *serve(void *arg)
{
    struct site *s = arg;
    for (;;) {
        char request[REQUEST_MAX];
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        ssize_t n = recv(fd, request, sizeof request - 1, 0);
        if (n > 0) {
            request[n] = '\0';
            memcpy(s->heard, request, (size_t)n + 1);
            answer(fd, request);
        }
        close(fd);
    }
}

static void begin_site(struct site *s)
{
    memset(s, 0, sizeof *s);
    s->fd = listen_at(&s->port);
    ck_assert_int_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void end_site(struct site *s)
{
    (void)shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

static struct probe_result look(const struct probe_task *task, const struct list *open)
{
    struct probe_result r;
    const struct prober p = {
        .wire = wire, .clock = clock_system(), .open = open, .timeout_ms = LOOK_MS};
    probe_look(&p, task, &arena, &r);
    return r;
}

static struct probe_task at(enum probe_kind kind, int64_t port, const char *path)
{
    return (struct probe_task){.set = schema_all(&probe_task_schema),
                               .id = STR("vpt_01jd8v3q7w4k2m9x6c5b1n0h8z"),
                               .kind = kind,
                               .address = STR("127.0.0.1"),
                               .port = port,
                               .path = str_c(path),
                               .days = PROBE_DAYS,
                               .every_s = PROBE_EVERY_S};
}

START_TEST(a_port_answers_or_does_not)
{
    int64_t port = 0;
    int fd = listen_at(&port);
    struct probe_task task = at(PROBE_TCP, port, "");
    struct probe_result r = look(&task, &open_here);
    ck_assert_int_eq(r.outcome, PROBE_GOOD);
    ck_assert_int_gt(r.connect_us, 0);
    ck_assert_int_eq(r.total_us, r.connect_us);
    ck_assert_uint_eq(r.text.n, 0);
    close(fd);
    r = look(&task, &open_here);
    ck_assert_int_eq(r.outcome, PROBE_BAD);
    ck_assert_int_eq(r.connect_us, 0);
    ck_assert(str_has(r.text, STR("nobody answers")));
}
END_TEST

START_TEST(an_answer_is_judged_by_status_and_by_what_is_in_it)
{
    struct site s;
    begin_site(&s);
    struct probe_task task = at(PROBE_HTTP, s.port, "/fine");
    struct probe_result r = look(&task, &open_here);
    ck_assert_msg(r.outcome == PROBE_GOOD, "%.*s", STRF(r.text));
    ck_assert_int_ge(r.total_us, r.connect_us);
    task.contains = STR("is well");
    ck_assert_int_eq(look(&task, &open_here).outcome, PROBE_GOOD);
    task.contains = STR("is bad");
    ck_assert_int_eq(look(&task, &open_here).outcome, PROBE_BAD);
    task = at(PROBE_HTTP, s.port, "/odd");
    r = look(&task, &open_here);
    ck_assert_int_eq(r.outcome, PROBE_BAD);
    ck_assert(str_eq(r.text, STR("it answers with status 503")));
    task.status = 503;
    ck_assert_int_eq(look(&task, &open_here).outcome, PROBE_GOOD);
    task = at(PROBE_HTTP, s.port, "/none");
    ck_assert_int_eq(look(&task, &open_here).outcome, PROBE_BAD);
    task = at(PROBE_HTTP, s.port, "/endless"); /* is not read for ever */
    r = look(&task, &open_here);
    ck_assert_int_eq(r.outcome, PROBE_BAD);
    ck_assert(str_has(r.text, STR("longer than 4 MiB")));
    task = at(PROBE_HTTP, s.port, "/fine");
    task.address = STR("localhost"); /* by name: said to the server, as browsers do */
    r = look(&task, &open_here);
    ck_assert_msg(r.outcome == PROBE_GOOD, "%.*s", STRF(r.text));
    ck_assert_ptr_nonnull(strstr(s.heard, "Host: localhost:"));
    end_site(&s);
}
END_TEST

START_TEST(what_the_settings_do_not_open_is_refused_and_never_called)
{
    static const char *const addresses[] = {
        "127.0.0.1",   "localhost",  "10.1.2.3", "169.254.169.254",
        "192.168.1.1", "100.64.0.1", "::1",      "::ffff:127.0.0.1"};
    struct site s;
    begin_site(&s);
    for (size_t i = 0; i < COUNT(addresses); i++) {
        struct probe_task task = at(PROBE_HTTP, s.port, "/fine");
        task.address = str_c(addresses[i]);
        struct probe_result r = look(&task, &open_nowhere);
        ck_assert_msg(r.outcome == PROBE_REFUSED, "%s: %.*s", addresses[i], STRF(r.text));
    }
    ck_assert_uint_eq(strlen(s.heard), 0);
    struct probe_task task = at(PROBE_TCP, 22, "");
    ck_assert_int_eq(look(&task, &open_here).outcome, PROBE_REFUSED);
    task.port = PROBE_PORT_LAST + 1;
    ck_assert_int_eq(look(&task, &open_here).outcome, PROBE_REFUSED);
    end_site(&s);
}
END_TEST

START_TEST(a_network_is_open_to_its_last_address)
{
    struct str networks[] = {STR("192.168.7.0/24"), STR("10.9.8.7"), STR("nonsense"),
                             STR("1.2.3.4/99")};
    const struct list open = {networks, COUNT(networks)};
    const struct {
        const char *address;
        bool allowed;
    } cases[] = {{"192.168.7.0", true}, {"192.168.7.255", true}, {"192.168.8.0", false},
                 {"10.9.8.7", true},    {"10.9.8.8", false},     {"172.16.0.1", false},
                 {"8.8.8.8", true}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sockaddr_in in = {.sin_family = AF_INET};
        ck_assert_int_eq(inet_pton(AF_INET, cases[i].address, &in.sin_addr), 1);
        ck_assert_msg(probe_allowed(&open, (const struct sockaddr *)&in) == cases[i].allowed, "%s",
                      cases[i].address);
    }
}
END_TEST

/* openssl(1) as a server with a certificate that is good for so many days. */
static pid_t begin_tls(int64_t port, const char *days)
{
    const char *key = arena_fmt(&arena, "%s/key", folder).p;
    const char *shown = arena_fmt(&arena, "%s/shown", folder).p;
    enum rc made = run_tool(&arena, &err, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
                            "-days", days, "-keyout", key, "-out", shown);
    ck_assert_msg(made == RC_OK, "%s", err.text);
    const char *where = arena_fmt(&arena, "127.0.0.1:%lld", (long long)port).p;
    pid_t pid = fork();
    if (pid == 0) {
        (void)execlp("openssl", "openssl", "s_server", "-quiet", "-accept", where, "-key", key,
                     "-cert", shown, (char *)NULL);
        _exit(1);
    }
    return pid;
}

START_TEST(the_days_of_a_certificate_are_counted)
{
    int64_t port = 0;
    close(listen_at(&port));
    pid_t pid = begin_tls(port, "20");
    struct probe_task task = at(PROBE_CERTIFICATE, port, "");
    struct probe_result r = {.outcome = PROBE_BAD};
    for (int i = 0; i < 600 && r.connect_us == 0; i++) { /* until it listens */
        r = look(&task, &open_here);
        if (r.connect_us == 0)
            (void)poll(NULL, 0, 100);
    }
    ck_assert_msg(r.outcome == PROBE_GOOD, "%.*s", STRF(r.text));
    ck_assert_int_ge(r.days, 19);
    ck_assert_int_le(r.days, 20);
    task.days = 30;
    r = look(&task, &open_here);
    ck_assert_int_eq(r.outcome, PROBE_BAD);
    ck_assert(str_has(r.text, STR("30 are wanted")));
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* --- what is asked, seen and told --- */

static struct {
    struct str tasks; /* what the control plane answers */
    int status;       /* of what is told; 0: well */
    int told;
    struct str body; /* of the last one */
} there;

static enum rc control(void *arg UNUSED, const struct wire_request *r, struct arena *a,
                       struct wire_reply *ret, struct err *e UNUSED)
{
    bool asks = str_eq(r->method, STR("GET"));
    there.told += !asks;
    if (!asks)
        there.body = arena_str(&arena, r->body);
    *ret = (struct wire_reply){.status = asks || there.status == 0 ? 200 : there.status,
                               .body = asks ? arena_str(a, there.tasks) : STR("{\"count\":1}")};
    return RC_OK;
}

START_TEST(what_is_seen_waits_until_it_was_taken_and_each_has_its_time)
{
    struct clock_sim now;
    struct wire_sim sim;
    struct spool *spool = NULL;
    bool more = true;
    int64_t port = 0;
    int fd = listen_at(&port);
    memset(&there, 0, sizeof there);
    clock_sim_init(&now, INT64_C(1800000000) * US_PER_SECOND, 1);
    wire_sim_init(&sim, &now);
    sim.fn = control;
    struct link link = {.wire = &sim.wire,
                        .clock = &now.clock,
                        .home = folder,
                        .server = STR("http://there"),
                        .node = STR("nod_01jd8v3q7w4k2m9x6c5b1n0h8z")};
    uint8_t key[SIGNATURE_PUBLIC_BYTES];
    signature_pair(key, link.secret);
    ck_assert_int_eq(spool_open(":memory:", &spool, &err), RC_OK);
    struct lookout *l = lookout_open(&(struct lookout_options){.prober = {.wire = wire,
                                                                          .clock = clock_system(),
                                                                          .open = &open_here,
                                                                          .timeout_ms = LOOK_MS},
                                                               .link = &link,
                                                               .spool = spool,
                                                               .clock = &now.clock});
    ck_assert_uint_eq(lookout_turn(l), 0); /* nothing was asked for */
    there.tasks = arena_fmt(&arena,
                            "{\"tasks\":[{\"id\":\"vpt_01jd8v3q7w4k2m9x6c5b1n0h8z\",\"kind\":"
                            "\"tcp\",\"address\":\"127.0.0.1\",\"port\":%lld,\"every_s\":60}]}",
                            (long long)port);
    ck_assert_int_eq(lookout_ask(l, &arena, &err), RC_OK);
    ck_assert_uint_eq(lookout_turn(l), 1);
    ck_assert_uint_eq(lookout_turn(l), 0);
    ck_assert_int_eq(lookout_ask(l, &arena, &err), RC_OK); /* asked again: its time stays */
    ck_assert_uint_eq(lookout_turn(l), 0);
    there.status = 503;
    ck_assert_int_ne(lookout_tell(l, &arena, &more, &err), RC_OK);
    err_clear(&err);
    there.status = 0;
    ck_assert_int_eq(lookout_tell(l, &arena, &more, &err), RC_OK);
    ck_assert(str_has(there.body, STR("\"outcome\":\"good\"")));
    ck_assert_int_eq(there.told, 2);
    ck_assert_int_eq(lookout_tell(l, &arena, &more, &err), RC_OK); /* nothing is left */
    ck_assert_int_eq(there.told, 2);
    clock_sim_advance(&now, 60 * US_PER_SECOND);
    ck_assert_uint_eq(lookout_turn(l), 1);
    there.status = 422; /* what is refused for what it is, is not told for ever */
    ck_assert_int_eq(lookout_tell(l, &arena, &more, &err), RC_OK);
    ck_assert_int_eq(lookout_tell(l, &arena, &more, &err), RC_OK);
    ck_assert_int_eq(there.told, 3);
    there.tasks = STR("{\"tasks\":[{\"id\":\"x\"}]}"); /* broken: what was told before stays */
    ck_assert_int_ne(lookout_ask(l, &arena, &err), RC_OK);
    clock_sim_advance(&now, 60 * US_PER_SECOND);
    ck_assert_uint_eq(lookout_turn(l), 1);
    clock_sim_advance(&now, LOOKOUT_ALONE_US);
    ck_assert_uint_eq(lookout_turn(l), 0); /* alone for too long */
    lookout_close(l);
    spool_close(spool);
    close(fd);
}
END_TEST

Suite *probe_suite(void);
Suite *probe_suite(void)
{
    Suite *s = suite_create("probe");
    TCase *t = tcase_create("probe");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_port_answers_or_does_not);
    tcase_add_test(t, an_answer_is_judged_by_status_and_by_what_is_in_it);
    tcase_add_test(t, what_the_settings_do_not_open_is_refused_and_never_called);
    tcase_add_test(t, a_network_is_open_to_its_last_address);
    tcase_add_test(t, the_days_of_a_certificate_are_counted);
    tcase_add_test(t, what_is_seen_waits_until_it_was_taken_and_each_has_its_time);
    suite_add_tcase(s, t);
    return s;
}
