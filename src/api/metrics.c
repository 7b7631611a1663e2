#include "api/metrics.h"

#include <unistd.h>

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counter(struct buf *b, const char *name, uint64_t value, const char *help)
{
    head(b, name, "counter", help);
    buf_fmt(b, "%s %llu\n", name, (unsigned long long)value);
}

static void gauge(struct buf *b, const char *name, int64_t value, const char *help)
{
    head(b, name, "gauge", help);
    buf_fmt(b, "%s %lld\n", name, (long long)value);
}

static void write_http(struct api *a, struct buf *b)
{
    struct http_server *server = atomic_load(&a->server);
    if (server == NULL)
        return;
    struct http_counters c = http_counters(server);
    head(b, "hanse_http_requests_total", "counter", "Answers by class of status.");
    for (int class = 2; class <= 5; class ++)
        buf_fmt(b, "hanse_http_requests_total{class=\"%dxx\"} %llu\n", class,
                (unsigned long long)c.by_class[class]);
    counter(b, "hanse_http_refused_total", c.refused, "Requests refused for their framing.");
    counter(b, "hanse_http_timeouts_total", c.timeouts, "Connections that were too slow.");
    gauge(b, "hanse_http_connections", (int64_t)c.connections, "Connections open now.");
}

static void write_store(struct api *a, struct buf *b)
{
    struct store_counters c = store_counters(a->store);
    counter(b, "hanse_store_commits_total", c.commits, "Durable commits.");
    counter(b, "hanse_store_writes_total", c.batched, "Units of work in those commits.");
    counter(b, "hanse_store_rolled_back_total", c.rolled_back, "Units of work that failed.");
    counter(b, "hanse_store_retries_total", c.retries, "Transactions run again.");
    counter(b, "hanse_store_spoiled_total", c.spoiled,
            "Batches run again, as a unit of work in them failed half way.");
    counter(b, "hanse_store_reads_total", c.reads, "Snapshots read.");
    gauge(b, "hanse_store_queue", (int64_t)c.queue, "Units of work that wait for a commit.");
}

static void write_outbox(struct api *a, struct buf *b)
{
    if (a->options.outbox == NULL)
        return;
    struct outbox_counters c = outbox_counters(a->options.outbox);
    counter(b, "hanse_outbox_delivered_total", c.delivered, "Effects that left.");
    counter(b, "hanse_outbox_retried_total", c.retried, "Tries that failed and are repeated.");
    counter(b, "hanse_outbox_failed_total", c.failed, "Effects that were given up.");
    gauge(b, "hanse_outbox_waiting", c.waiting, "Effects that wait; -1: the store does not say.");
}

/* Pages that are in memory, from the second number of /proc/self/statm; 0 where it cannot be read.
 * */
static int64_t resident_bytes(void)
{
    char text[128];
    FILE *f = fopen("/proc/self/statm", "re");
    if (f == NULL)
        return 0;
    size_t n = fread(text, 1, sizeof text, f);
    (void)fclose(f); /* only read */
    struct str rest = str_n(text, n);
    int64_t pages = 0;
    (void)str_cut(&rest, ' ');
    return str_to_i64(str_cut(&rest, ' '), 0, INT64_MAX / 65536, &pages)
               ? pages * sysconf(_SC_PAGESIZE)
               : 0;
}

void metrics_write(struct api *a, struct buf *out)
{
    write_http(a, out);
    write_store(a, out);
    write_outbox(a, out);
    counter(out, "hanse_api_limited_total", limits_refused(a->limits),
            "Requests refused by a rate limit.");
    counter(out, "hanse_api_replayed_total", atomic_load(&a->replayed),
            "Answers given again for an Idempotency-Key.");
    gauge(out, "hanse_api_work_waiting", (int64_t)work_waiting(a->work),
          "Requests that wait for a thread.");
    gauge(out, "hanse_event_streams", (int64_t)event_hub_streams(a->events),
          "Event streams open now.");
    time_us up = clock_steady(a->options.clock) - a->started;
    gauge(out, "hanse_up_seconds", up / US_PER_SECOND, "Seconds since the start.");
    gauge(out, "process_start_time_seconds", a->started_at / US_PER_SECOND,
          "When the process started, in seconds since 1970.");
    gauge(out, "process_resident_memory_bytes", resident_bytes(), "Memory in use.");
    head(out, "hanse_build_info", "gauge", "The version that runs.");
    buf_fmt(out, "hanse_build_info{version=\"%s\"} 1\n", HANSE_VERSION);
}
