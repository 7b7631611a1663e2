/*
 * What a node is told to look at, what it says that it saw, and the networks of its settings: any
 * bytes. What was decoded is within its bounds, and comes back the same when it is written.
 */
#include "fuzz.h"

#include "node/probe.h"

#include <netinet/in.h>

enum { ARENA_BYTES = 16 * 1024 * 1024, TEXT_BYTES = 4 * 1024 * 1024 };

static struct str written(const struct schema *s, const void *value, struct arena *arena)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, arena, TEXT_BYTES);
    json_writer_init(&w, &b);
    schema_encode(s, value, &w);
    ASSERT(!b.full);
    return buf_str(&b);
}

static void check_tasks(const struct json *json, struct arena *arena)
{
    struct err err = {0};
    struct probe_tasks tasks, again;
    const struct json *same = NULL;
    if (schema_decode(&probe_tasks_schema, SCHEMA_WHOLE, json, arena, &tasks, &err) != RC_OK)
        return;
    const struct probe_task *items = tasks.tasks.items;
    for (size_t i = 0; i < tasks.tasks.count; i++) {
        ASSERT(items[i].port >= PROBE_PORT_FIRST);
        ASSERT(items[i].port <= PROBE_PORT_LAST);
        ASSERT(items[i].every_s >= PROBE_EVERY_MIN_S);
    }
    struct str text = written(&probe_tasks_schema, &tasks, arena);
    ASSERT(json_parse(text, arena, &same, &err) == RC_OK);
    ASSERT(schema_decode(&probe_tasks_schema, SCHEMA_WHOLE, same, arena, &again, &err) == RC_OK);
    ASSERT(str_eq(text, written(&probe_tasks_schema, &again, arena)));
}

static void check_results(const struct json *json, struct arena *arena)
{
    struct err err = {0};
    struct probe_results results;
    if (schema_decode(&probe_results_schema, SCHEMA_WHOLE, json, arena, &results, &err) != RC_OK)
        return;
    ASSERT(results.results.count <= PROBE_RESULTS_MAX);
    (void)written(&probe_results_schema, &results, arena);
}

/* A network that is open opens no address that differs in its first bit. */
static void check_network(struct str text)
{
    struct str networks[] = {text};
    const struct list open = {networks, 1};
    const struct sockaddr_in ten = {.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(UINT32_C(0x0A000001))};
    const struct sockaddr_in link = {.sin_family = AF_INET,
                                     .sin_addr.s_addr = htonl(UINT32_C(0xA9FEA9FE))};
    bool first = probe_allowed(&open, (const struct sockaddr *)&ten);
    bool second = probe_allowed(&open, (const struct sockaddr *)&link);
    if (first && second)
        ASSERT(str_ends(text, STR("/0")) || str_has(text, STR("/00")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct err err = {0};
    const struct json *json = NULL;
    struct str text = str_n((const char *)data, size);
    arena_init(&arena, ARENA_BYTES);
    check_network(text);
    if (json_parse(text, &arena, &json, &err) == RC_OK) {
        check_tasks(json, &arena);
        check_results(json, &arena);
    }
    arena_fini(&arena);
    return 0;
}
