/*
 * bench_http.c - the same JSON bytes from our server and from bare libmicrohttpd, on as many
 * threads, asked by wrk with 64 connections. Both take turns in short rounds; the median of the
 * rounds' ratios counts, as what else the machine does meets both sides of a round.
 *
 * Ours does for every request what a customer's request needs: walks the headers, decides the
 * framing, decodes the target, keeps deadlines, makes an id, counts. How much of the library's
 * speed is left after that is the figure.
 */
#include "http/http.h"

#include <microhttpd.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 2, ROUNDS = 7, RUN_SECONDS = 2, RATIO_WANTED_PERCENT = 60, OUTPUT_MAX = 8192 };

static const char body[] = "{\"id\":\"usr_01jd8v3q7w4k2m9x6c5b1n0h8z\",\"name\":\"Ada Lovelace\","
                           "\"email\":\"ada@example.net\",\"parties\":[{\"id\":"
                           "\"pty_01jd8v3q7w4k2m9x6c5b1n0h90\",\"role\":\"owner\"}]}";

static void answer_ours(void *arg, struct http_exchange *x)
{
    (void)arg;
    http_reply(x, 200, "application/json", str_n(body, sizeof body - 1));
}

/* The library chose the eight parameters. NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result answer_bare(void *cls, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *upload,
                                   size_t *upload_n, void **con_cls)
{
    (void)cls;
    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    (void)upload_n;
    static int seen;
    if (*con_cls == NULL) {
        /* A reply to the first call counts as early: the connection would be closed behind it. */
        *con_cls = &seen;
        return MHD_YES;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(
        sizeof body - 1, (void *)(uintptr_t)body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result ok = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return ok;
}

/* What wrk prints for one run against url; requests a second, 0 where wrk cannot be run. */
static double ask_wrk(const char *url)
{
    int pipe_fds[2];
    pid_t child = 0;
    char shell[] = "sh";
    char flag[] = "-c";
    posix_spawn_file_actions_t actions;
    char command[128];
    (void)snprintf(command, sizeof command, "exec wrk -t2 -c64 -d%ds %s", RUN_SECONDS, url);
    char *const argv[] = {shell, flag, command, NULL};
    if (pipe(pipe_fds) != 0)
        return 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
    int failed = posix_spawnp(&child, "sh", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    (void)close(pipe_fds[1]);
    char text[OUTPUT_MAX];
    size_t n = 0;
    ssize_t got = 0;
    while (n < sizeof text - 1 && (got = read(pipe_fds[0], text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    (void)close(pipe_fds[0]);
    if (failed != 0)
        return 0;
    (void)waitpid(child, NULL, 0);
    const char *line = strstr(text, "Requests/sec:");
    if (strstr(text, "Non-2xx") != NULL || line == NULL)
        return 0;
    return strtod(line + strlen("Requests/sec:"), NULL);
}

static int64_t used_cpu_us(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * US_PER_SECOND +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

struct side {
    const char *name;
    char url[64];
    double rate[ROUNDS];
    double cpu_us[ROUNDS]; /* of this process for one request: hardly depends on other load */
};

static bool run_round(struct side *side, size_t round)
{
    int64_t before = used_cpu_us();
    double rate = ask_wrk(side->url);
    side->rate[round] = rate;
    side->cpu_us[round] = rate > 0 ? (double)(used_cpu_us() - before) / (rate * RUN_SECONDS) : 0;
    return rate > 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof values[0], compare);
    return values[ROUNDS / 2];
}

static int report(struct side *bare, struct side *ours)
{
    double percents[ROUNDS];
    printf("rounds:");
    for (size_t i = 0; i < ROUNDS; i++) {
        percents[i] = 100 * ours->rate[i] / bare->rate[i];
        printf(" %.0f %%", percents[i]);
    }
    printf("\n");
    double percent = median(percents);
    struct side *sides[] = {bare, ours};
    for (size_t i = 0; i < COUNT(sides); i++)
        printf("%s, %d threads: %.0f requests/s, %.1f us CPU each\n", sides[i]->name, THREADS,
               median(sides[i]->rate), median(sides[i]->cpu_us));
    printf("ratio: %.0f %% (wanted: %d)\n", percent, RATIO_WANTED_PERCENT);
    return percent >= RATIO_WANTED_PERCENT ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(void)
{
    struct err err = {0};
    struct http_server *ours = NULL;
    const struct http_options options = {.listen = STR("127.0.0.1:0"),
                                         .handler = {.request = answer_ours},
                                         .clock = clock_system(),
                                         .threads = THREADS};
    if (http_open(&ours, &options, &err) != RC_OK) {
        fprintf(stderr, "http: %s\n", err.text);
        return EXIT_FAILURE;
    }
    struct MHD_Daemon *bare =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, NULL, NULL, answer_bare,
                         NULL, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS, MHD_OPTION_END);
    ASSERT(bare != NULL);
    const union MHD_DaemonInfo *port = MHD_get_daemon_info(bare, MHD_DAEMON_INFO_BIND_PORT);
    struct side bare_side = {.name = "bare libmicrohttpd"};
    struct side our_side = {.name = "our server, same bytes"};
    (void)snprintf(our_side.url, sizeof our_side.url, "http://%.*s/v1/me",
                   STRF(http_address(ours)));
    (void)snprintf(bare_side.url, sizeof bare_side.url, "http://127.0.0.1:%u/v1/me", port->port);
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < ROUNDS && status == EXIT_SUCCESS; i++)
        if (!run_round(&bare_side, i) || !run_round(&our_side, i))
            status = EXIT_FAILURE;
    MHD_stop_daemon(bare);
    http_close(ours, 0);
    if (status == EXIT_SUCCESS)
        return report(&bare_side, &our_side);
    fprintf(stderr, "http: wrk gave no figure\n");
    return status;
}
