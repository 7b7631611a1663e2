/*
 * bench_json.c - read and write a metering document of about 1 MB: base/json.h beside jansson.
 *
 * Reading counts parse and free. Both take turns in one process and each keeps its best round, so
 * that what else the machine does hits both alike.
 */
#include "base/clock.h"
#include "base/json.h"

#include "peer_json.h"

enum { RECORDS = 5000, ROUNDS = 7, READ_RATIO_WANTED = 8 };

#define ROUND_US (100 * US_PER_MS)

/* Records as nodes send them: short texts in three scripts, integers, decimals as text. */
static struct str make_document(struct arena *arena)
{
    static const char *const places[] = {"Frankfurt",
                                         "\xE4\xB8\x8A\xE6\xB5\xB7\xE6\x9C\xBA\xE6\x88\xBF",
                                         "Z\xC3\xBCrich", "\xE6\x9D\xB1\xE4\xBA\xAC"};
    static const char *const meters[] = {"cpu_seconds", "traffic_bytes", "disk_byte_hours"};
    struct clock_sim chance;
    clock_sim_init(&chance, 0, 20261122);
    struct buf b;
    buf_init(&b, arena, (size_t)4 * 1024 * 1024);
    buf_add(&b, STR("{\"records\":["));
    for (int i = 0; i < RECORDS; i++) {
        buf_fmt(
            &b,
            "%s{\"id\":\"use_01jd8v3q7w4k2m9x6c%010d\",\"service\":\"svc_%06d\",\"meter\":\"%s\","
            "\"site\":\"%s\",\"from\":\"2026-11-22T%02d:00:00Z\",\"seconds\":%d,"
            "\"quantity\":\"%d.%06d\",\"final\":%s,\"labels\":[\"a%d\",%d]}",
            i > 0 ? "," : "", i, (int)clock_sim_below(&chance, 1000000), meters[i % 3],
            places[i % 4], i % 24, (int)clock_sim_below(&chance, 3600),
            (int)clock_sim_below(&chance, 100000), (int)clock_sim_below(&chance, 1000000),
            i % 5 ? "true" : "null", i % 10, i);
    }
    buf_add(&b, STR("]}"));
    ASSERT(!b.full);
    return buf_str(&b);
}

/* One job of one side, and what it needs. */
struct job {
    void (*run)(struct job *job);
    struct str text;
    struct arena arena;
    const struct json *node;
    void *peer;
    size_t written;
    double best_mb_s;
};

static void read_ours(struct job *job)
{
    struct err err;
    const struct json *json = NULL;
    enum rc rc = json_parse(job->text, &job->arena, &json, &err);
    ASSERT(rc == RC_OK && json_get(json, STR("records"))->n == RECORDS);
    arena_reset(&job->arena);
}

static void read_jansson(struct job *job)
{
    ASSERT(peer_json_read(job->text) == RECORDS);
}

static void write_ours(struct job *job)
{
    struct buf b;
    buf_init(&b, &job->arena, (size_t)4 * 1024 * 1024);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_put_node(&w, job->node);
    ASSERT(!b.full);
    job->written = buf_str(&b).n;
    arena_reset(&job->arena);
}

static void write_jansson(struct job *job)
{
    job->written = peer_json_write(job->peer);
}

static void run_round(struct job *job, struct clock *clock)
{
    time_us start = clock_steady(clock);
    time_us now = start;
    int64_t bytes = 0;
    while (now - start < ROUND_US) {
        job->run(job);
        bytes += (int64_t)job->text.n;
        now = clock_steady(clock);
    }
    double mb_s = (double)bytes / (double)(now - start);
    if (mb_s > job->best_mb_s)
        job->best_mb_s = mb_s;
}

static double compare(const char *what, struct job *ours, struct job *theirs, const char *wanted)
{
    struct clock *clock = clock_system();
    for (int i = 0; i < ROUNDS; i++) {
        run_round(ours, clock);
        run_round(theirs, clock);
    }
    double ratio = ours->best_mb_s / theirs->best_mb_s;
    printf("json %s: %.0f MB/s, jansson: %.0f MB/s, ratio %.1f%s\n", what, ours->best_mb_s,
           theirs->best_mb_s, ratio, wanted);
    return ratio;
}

int main(void)
{
    struct arena arena;
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    struct str text = make_document(&arena);
    printf("json: a document of %zu bytes, %d records\n", text.n, RECORDS);

    struct job ours = {.run = read_ours, .text = text};
    struct job theirs = {.run = read_jansson, .text = text};
    arena_init(&ours.arena, (size_t)64 * 1024 * 1024);
    char wanted[32];
    (void)snprintf(wanted, sizeof wanted, " (want >= %d)", READ_RATIO_WANTED);
    double ratio = compare("parse", &ours, &theirs, wanted);

    struct err err;
    ours.run = write_ours;
    ours.best_mb_s = 0;
    enum rc rc = json_parse(text, &arena, &ours.node, &err);
    ASSERT(rc == RC_OK);
    theirs.run = write_jansson;
    theirs.best_mb_s = 0;
    theirs.peer = peer_json_open(text);
    (void)compare("serialise", &ours, &theirs, "");
    ASSERT(ours.written == text.n && theirs.written == text.n);

    peer_json_close(theirs.peer);
    arena_fini(&ours.arena);
    arena_fini(&arena);
    return ratio >= READ_RATIO_WANTED ? EXIT_SUCCESS : EXIT_FAILURE;
}
