/* The tables of probe.h. */
#include "profile/probe.h"

const char *const probe_kinds[] = {"tcp", "http", "certificate", NULL};
const char *const probe_outcomes[] = {"good", "bad", "refused", NULL};

#define HOUR_US INT64_C(3600000000)

static const struct field task_fields[] = {
    FIELD(struct probe_task, id, TEXT, .flags = FIELD_REQUIRED, .prefix = "vpt",
          .doc = "What results are told by."),
    FIELD(struct probe_task, kind, WORD, .flags = FIELD_REQUIRED, .words = probe_kinds,
          .doc = "How it is looked at."),
    FIELD(struct probe_task, address, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 255,
          .doc = "Where: an address or a name."),
    FIELD(struct probe_task, port, INT, .flags = FIELD_REQUIRED, .min = PROBE_PORT_FIRST,
          .max = PROBE_PORT_LAST, .doc = "A published port."),
    FIELD(struct probe_task, path, TEXT, .max = 1000, .doc = "HTTP: path."),
    FIELD(struct probe_task, status, INT, .max = 599,
          .doc = "HTTP: status that is wanted; 0: 200 to 399."),
    FIELD(struct probe_task, contains, TEXT, .max = PROBE_WHY_MAX,
          .doc = "HTTP: what the body has somewhere."),
    FIELD(struct probe_task, days, INT, .max = PROBE_DAYS_MAX,
          .doc = "Certificate: good for so many days more."),
    FIELD(struct probe_task, every_s, INT, .flags = FIELD_REQUIRED, .min = PROBE_EVERY_MIN_S,
          .max = PROBE_EVERY_MAX_S, .doc = "Seconds from one look to the next."),
};
const struct schema probe_task_schema =
    SCHEMA(struct probe_task, "probe_task", task_fields, "What a node looks at from outside.");

static const struct field tasks_fields[] = {
    FIELD(struct probe_tasks, tasks, LIST, .max = PROBE_TASKS_MAX, .schema = &probe_task_schema,
          .doc = "All that this node looks at."),
};
const struct schema probe_tasks_schema =
    SCHEMA(struct probe_tasks, "probe_tasks", tasks_fields, "What a node looks at from outside.");

static const struct field result_fields[] = {
    FIELD(struct probe_result, id, TEXT, .flags = FIELD_REQUIRED, .prefix = "vpt",
          .doc = "Of the task."),
    FIELD(struct probe_result, at, TIME, .flags = FIELD_REQUIRED, .doc = "When it was begun."),
    FIELD(struct probe_result, outcome, WORD, .flags = FIELD_REQUIRED, .words = probe_outcomes,
          .doc = "How it was; refused: the node does not look at that address."),
    FIELD(struct probe_result, connect_us, INT, .max = HOUR_US,
          .doc = "Microseconds until the connection stood."),
    FIELD(struct probe_result, total_us, INT, .max = HOUR_US, .doc = "Microseconds of all of it."),
    FIELD(struct probe_result, days, INT, .max = 100000,
          .doc = "Days that its certificate is good for."),
    FIELD(struct probe_result, text, TEXT, .max = PROBE_WHY_MAX, .doc = "Why it is not good."),
};
const struct schema probe_result_schema =
    SCHEMA(struct probe_result, "probe_result", result_fields, "What a node saw.");

static const struct field results_fields[] = {
    FIELD(struct probe_results, results, LIST, .flags = FIELD_REQUIRED, .max = PROBE_RESULTS_MAX,
          .schema = &probe_result_schema, .doc = "In the order of their time."),
};
const struct schema probe_results_schema =
    SCHEMA(struct probe_results, "probe_results", results_fields, "What a node saw.");

static const struct field taken_fields[] = {
    FIELD(struct probe_taken, count, INT, .max = PROBE_RESULTS_MAX, .doc = "How many count."),
};
const struct schema probe_taken_schema =
    SCHEMA(struct probe_taken, "probe_taken", taken_fields, "What was taken of them.");
