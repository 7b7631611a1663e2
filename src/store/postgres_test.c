/* What is said of PostgreSQL alone: servers that go away, commits whose end nobody saw. */
#include "store/store.h"

#include "store/postgres.h"
#include "store/store_fixture.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Each test is about a server: without one (TEST_STORE) there is nothing to say. */
static bool no_server(void)
{
    return getenv("TEST_STORE") == NULL;
}

static enum rc put(struct tx *tx, void *arg)
{
    return sql_run(tx, "INSERT INTO setting (name, value) VALUES ($1, $2)", V((const char *)arg),
                   V("v"));
}

static enum rc write_one(struct fixture *f, const char *name)
{
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s", name);
    return fixture_write(f, put, copy);
}

static enum rc count_rows(struct tx *tx, void *arg)
{
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT COUNT(*) FROM setting"));
    *(int64_t *)arg = row_int(&r, 0, 0);
    return RC_OK;
}

static int64_t counted(struct fixture *f)
{
    int64_t n = -1;
    enum rc rc = fixture_read(f, count_rows, &n);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
    return n;
}

START_TEST(broken_connections_are_replaced)
{
    if (no_server())
        return;
    struct fixture f;
    fixture_open(&f);
    for (int i = 0; i < 5; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", i);
        enum rc rc = write_one(&f, name);
        ck_assert_msg(rc == RC_OK, "%s", f.err.text);
        ck_assert_int_eq(counted(&f), i + 1);
        char sql[256];
        (void)snprintf(sql, sizeof sql,
                       "DO $$ BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                       "application_name = '%s'; END $$",
                       f.schema);
        fixture_sql(sql);
    }
    ck_assert_int_eq(counted(&f), 5);
    fixture_close(&f);
}
END_TEST

START_TEST(a_server_that_is_away_makes_the_store_unavailable)
{
    struct err err = {0};
    struct store *s = NULL;
    struct store_options o = {.url = STR("postgresql://joe:secret@/x?host=/nonexistent"),
                              .clock = clock_system()};
    ck_assert_int_eq(store_open(&s, &o, &err), RC_UNAVAILABLE);
    ck_assert_ptr_null(strstr(err.text, "secret"));
    o.url = STR("postgresql://joe:secret@[::1/x");
    ck_assert_int_eq(store_open(&s, &o, &err), RC_INVALID);
    ck_assert_ptr_null(strstr(err.text, "secret"));
}
END_TEST

static enum rc sort_texts(struct tx *tx, void *arg)
{
    (void)arg;
    static const char *const sorted[] = {"A", "B", "_", "a", "b", "\xC3\xA4"};
    for (size_t i = COUNT(sorted); i > 0; i--)
        TRY(sql_run(tx, "INSERT INTO setting (name, value) VALUES ($1, $2)", V(sorted[i - 1]),
                    V("")));
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT name FROM setting WHERE name >= $1 ORDER BY name LIMIT 10",
                 V("A")));
    ck_assert_uint_eq(r.count, COUNT(sorted));
    for (size_t i = 0; i < r.count; i++)
        ck_assert(str_eq(row_str(&r, i, 0), str_c(sorted[i])));
    return RC_OK;
}

START_TEST(text_sorts_by_bytes_whatever_the_server_is_set_to)
{
    struct fixture f;
    fixture_open(&f); /* on SQLite too: the same order */
    enum rc rc = fixture_write(&f, sort_texts, NULL);
    ck_assert_msg(rc == RC_OK, "%s", f.err.text);
    fixture_close(&f);
}
END_TEST

static enum rc add_numbers(struct tx *tx, void *arg)
{
    (void)arg;
    struct rows r;
    int64_t big = INT64_C(9007199254740993); /* no double holds it */
    TRY(sql_rows(tx, &r, "SELECT $1 + 1, $1 = $2, CAST(SUM(n) AS BIGINT) FROM (SELECT $1 AS n) t",
                 V(big), V(big)));
    ck_assert_int_eq(row_int(&r, 0, 0), big + 1);
    ck_assert_int_eq(row_int(&r, 0, 1), 1);
    ck_assert_int_eq(row_int(&r, 0, 2), big);
    return RC_OK;
}

START_TEST(numbers_are_of_64_bits_in_every_expression)
{
    struct fixture f;
    fixture_open(&f);
    enum rc rc = fixture_read(&f, add_numbers, NULL);
    ck_assert_msg(rc == RC_OK, "%s", f.err.text);
    fixture_close(&f);
}
END_TEST

/* --- a wire that breaks at the worst moment --- */

enum cut { CUT_NEVER, CUT_BEFORE, CUT_BEHIND };
enum { WIRES_MAX = 64 };

/* Stands between the store and the server, on a socket of its own. */
struct proxy {
    char folder[64];
    char server[128]; /* the server's socket */
    int listener;
    atomic_int cut; /* what to do at the next COMMIT */
    atomic_bool stop;
    pthread_t thread;
    struct wire {
        int client;
        int server;
    } wires[WIRES_MAX];
    size_t count;
};

static int open_socket(const char *path, bool listening)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    const struct sockaddr *address = (const struct sockaddr *)&to;
    int failed = listening ? bind(fd, address, sizeof to) : connect(fd, address, sizeof to);
    ck_assert_int_eq(failed, 0);
    if (listening)
        ck_assert_int_eq(listen(fd, 16), 0);
    return fd;
}

static void close_wire(struct wire *w)
{
    (void)close(w->client);
    (void)close(w->server);
    w->client = w->server = -1;
}

static void send_all(int fd, const char *p, ssize_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, (size_t)n, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the other side sees it at its next read */
        p += sent;
        n -= sent;
    }
}

/* A simple query (message Q of the protocol) that says COMMIT. */
static bool is_commit(const char *p, ssize_t n)
{
    return n == 12 && p[0] == 'Q' && memcmp(p + 5, "COMMIT", 6) == 0;
}

static void carry(struct proxy *x, struct wire *w, bool from_client)
{
    char bytes[16384];
    int from = from_client ? w->client : w->server;
    int to = from_client ? w->server : w->client;
    ssize_t n = recv(from, bytes, sizeof bytes, 0);
    if (n <= 0) {
        close_wire(w);
        return;
    }
    bool cut = from_client && is_commit(bytes, n) && atomic_load(&x->cut) != CUT_NEVER;
    if (!cut) {
        send_all(to, bytes, n);
        return;
    }
    char reply[64];
    if (atomic_exchange(&x->cut, CUT_NEVER) == CUT_BEHIND) {
        send_all(to, bytes, n);
        (void)recv(w->server, reply, sizeof reply, 0); /* it has committed, and nobody hears it */
    }
    close_wire(w);
}

static void accept_wire(struct proxy *x)
{
    ck_assert_uint_lt(x->count, WIRES_MAX);
    int client = accept4(x->listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(client, 0);
    x->wires[x->count++] = (struct wire){client, open_socket(x->server, false)};
}

static void *run_proxy(void *arg)
{
    struct proxy *x = arg;
    while (!atomic_load(&x->stop)) {
        struct pollfd fds[1 + 2 * WIRES_MAX] = {{.fd = x->listener, .events = POLLIN}};
        for (size_t i = 0; i < x->count; i++) {
            fds[1 + 2 * i] = (struct pollfd){.fd = x->wires[i].client, .events = POLLIN};
            fds[2 + 2 * i] = (struct pollfd){.fd = x->wires[i].server, .events = POLLIN};
        }
        size_t polled = x->count;
        if (poll(fds, 1 + 2 * polled, 50) <= 0)
            continue;
        for (size_t i = 0; i < polled; i++) {
            if (fds[1 + 2 * i].revents != 0)
                carry(x, &x->wires[i], true);
            if (fds[2 + 2 * i].revents != 0 && x->wires[i].server >= 0)
                carry(x, &x->wires[i], false);
        }
        if (fds[0].revents != 0)
            accept_wire(x);
    }
    return NULL;
}

static void proxy_open(struct proxy *x, const char *server_folder)
{
    *x = (struct proxy){0};
    (void)snprintf(x->folder, sizeof x->folder, "/tmp/hanse-proxy-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(x->folder));
    (void)snprintf(x->server, sizeof x->server, "%s/.s.PGSQL.5432", server_folder);
    char path[128];
    (void)snprintf(path, sizeof path, "%s/.s.PGSQL.5432", x->folder);
    x->listener = open_socket(path, true);
    ck_assert_int_eq(pthread_create(&x->thread, NULL, run_proxy, x), 0);
}

static void proxy_close(struct proxy *x)
{
    atomic_store(&x->stop, true);
    pthread_join(x->thread, NULL);
    for (size_t i = 0; i < x->count; i++)
        close_wire(&x->wires[i]);
    (void)close(x->listener);
    char path[128];
    (void)snprintf(path, sizeof path, "%s/.s.PGSQL.5432", x->folder);
    (void)unlink(path);
    (void)rmdir(x->folder);
}

/* The folder of the server's socket, from "...?host=FOLDER"; empty where it has none. */
static void socket_folder(const char *url, char *ret, size_t size)
{
    PQconninfoOption *all = PQconninfoParse(url, NULL);
    ck_assert_ptr_nonnull(all);
    *ret = '\0';
    for (const PQconninfoOption *o = all; o->keyword != NULL; o++)
        if (strcmp(o->keyword, "host") == 0 && o->val != NULL && o->val[0] == '/')
            (void)snprintf(ret, size, "%s", o->val);
    PQconninfoFree(all);
}

START_TEST(a_wire_that_breaks_during_the_commit_leaves_the_outcome_open_and_runs_nothing_twice)
{
    char server[96] = "";
    if (!no_server())
        socket_folder(getenv("TEST_STORE"), server, sizeof server);
    if (*server == '\0')
        return;
    struct fixture f;
    struct proxy x;
    fixture_init(&f);
    proxy_open(&x, server);
    (void)snprintf(f.url, sizeof f.url,
                   "postgresql://hanse@/postgres?host=%s&options=-csearch_path%%3D%s", x.folder,
                   f.schema);
    fixture_open_with(&f, (struct store_options){.writers = 1});

    atomic_store(&x.cut, CUT_BEHIND);
    ck_assert_int_eq(write_one(&f, "kept"), RC_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(f.err.text, "not known"));
    ck_assert_int_eq(counted(&f), 1); /* it was kept, and not run again */

    atomic_store(&x.cut, CUT_BEFORE);
    ck_assert_int_eq(write_one(&f, "not kept"), RC_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(f.err.text, "not known"));
    ck_assert_int_eq(counted(&f), 1);

    enum rc rc = write_one(&f, "later"); /* all is well again */
    ck_assert_msg(rc == RC_OK, "%s", f.err.text);
    ck_assert_int_eq(counted(&f), 2);
    store_close(f.store);
    f.store = NULL;
    proxy_close(&x);
    fixture_close(&f);
}
END_TEST

/* --- a store that no other process may write --- */

/* The session of a process that was killed while it committed: it ends a little later. */
static void *breathe_last(void *arg)
{
    PGconn *pg = arg;
    (void)usleep(300000);
    PGresult *r = PQexec(pg, "COMMIT");
    ck_assert_int_eq(PQresultStatus(r), PGRES_COMMAND_OK);
    PQclear(r);
    PQfinish(pg);
    return NULL;
}

START_TEST(who_writes_alone_waits_for_the_last_commit_of_the_one_before)
{
    if (no_server())
        return;
    struct fixture f;
    fixture_open(&f);
    store_close(f.store); /* migrated */
    f.store = NULL;
    PGconn *pg = PQconnectdb(f.url);
    static const char sql[] = "SELECT pg_advisory_lock(" POSTGRES_LOCK_SOLE "); BEGIN; "
                              "INSERT INTO setting (name, value) VALUES ('breath', 'last')";
    PGresult *r = PQexec(pg, sql);
    ck_assert_int_eq(PQresultStatus(r), PGRES_COMMAND_OK);
    PQclear(r);

    char url[sizeof f.url + 64];
    (void)snprintf(url, sizeof url, "%s%%20-clock_timeout%%3D50ms", f.url);
    struct store_options options = {.url = str_c(url), .clock = clock_system(), .sole = true};
    struct store *store = NULL;
    ck_assert_int_eq(store_open(&store, &options, &f.err), RC_CONFLICT);
    ck_assert_ptr_nonnull(strstr(f.err.text, "another process writes the store"));

    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, breathe_last, pg), 0);
    fixture_open_with(&f, (struct store_options){.sole = true});
    ck_assert_int_eq(counted(&f), 1);
    pthread_join(thread, NULL);
    ck_assert_int_eq(write_one(&f, "own"), RC_OK);
    ck_assert_int_eq(counted(&f), 2);
    fixture_close(&f);
}
END_TEST

Suite *postgres_suite(void);
Suite *postgres_suite(void)
{
    Suite *s = suite_create("postgres");
    TCase *c = tcase_create("postgres");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, broken_connections_are_replaced);
    tcase_add_test(c, a_server_that_is_away_makes_the_store_unavailable);
    tcase_add_test(c, who_writes_alone_waits_for_the_last_commit_of_the_one_before);
    tcase_add_test(c, text_sorts_by_bytes_whatever_the_server_is_set_to);
    tcase_add_test(c, numbers_are_of_64_bits_in_every_expression);
    tcase_add_test(
        c, a_wire_that_breaks_during_the_commit_leaves_the_outcome_open_and_runs_nothing_twice);
    suite_add_tcase(s, c);
    return s;
}
