/* The tables of spec.h. */
#include "profile/spec.h"

const char *const spec_runtimes[] = {"container", "vm", NULL};
const char *const spec_states[] = {"running", "stopped", "gone", NULL};
const char *const sighting_states[] = {"waiting", "preparing", "starting", "running", "stopping",
                                       "stopped", "failed",    "gone",     NULL};
static const char *const image_formats[] = {"squashfs", "qcow2", "raw", "kernel", "initrd", NULL};
static const char *const protocols[] = {"tcp", "udp", NULL};
static const char *const promise_kinds[] = {"command",     "tcp",         "http", "disk",
                                            "certificate", "temperature", NULL};

#define DAY_S          86400
#define SIZE_MAX_BYTES (INT64_C(1) << 50)

static const struct field image_fields[] = {
    FIELD(struct spec_image, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .doc = "For people."),
    FIELD(struct spec_image, sha256, TEXT, .flags = FIELD_REQUIRED, .min = 64, .max = 64,
          .doc = "Hash of its bytes, hexadecimal."),
    FIELD(struct spec_image, bytes, INT, .flags = FIELD_REQUIRED, .min = 1, .max = SIZE_MAX_BYTES,
          .doc = "Its length."),
    FIELD(struct spec_image, format, TEXT, .flags = FIELD_REQUIRED, .words = image_formats,
          .doc = "How it is read."),
};
const struct schema spec_image_schema =
    SCHEMA(struct spec_image, "spec_image", image_fields, "A root image or disk, by content.");

static const struct field file_fields[] = {
    FIELD(struct spec_file, path, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 1000,
          .doc = "Absolute, inside the service."),
    FIELD(struct spec_file, content, TEXT, .flags = FIELD_REQUIRED | FIELD_MULTILINE,
          .max = SPEC_FILE_BYTES_MAX, .doc = "All of it."),
    FIELD(struct spec_file, mode, INT, .max = 07777,
          .doc = "Permission bits, as a decimal number."),
    FIELD(struct spec_file, user, INT, .max = 65535, .doc = "Owner inside the service."),
};
const struct schema spec_file_schema =
    SCHEMA(struct spec_file, "spec_file", file_fields, "A file that is put into the service.");

static const struct field process_fields[] = {
    FIELD(struct spec_process, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 40,
          .doc = "Unique in the service."),
    FIELD(struct spec_process, command, LIST, .flags = FIELD_REQUIRED, .min = 1,
          .max = SPEC_ARGUMENTS_MAX, .doc = "Program and arguments, without a shell."),
    FIELD(struct spec_process, environment, LIST, .max = SPEC_ARGUMENTS_MAX, .doc = "NAME=value."),
    FIELD(struct spec_process, directory, TEXT, .max = 1000, .doc = "Where it starts."),
    FIELD(struct spec_process, user, INT, .max = 65535, .doc = "Number of its user inside."),
    FIELD(struct spec_process, once, BOOL, .doc = "Runs to its end before what follows it."),
    FIELD(struct spec_process, stop_ms, INT, .max = 600000,
          .doc = "Between SIGTERM and SIGKILL; 0: 10,000."),
};
const struct schema spec_process_schema =
    SCHEMA(struct spec_process, "spec_process", process_fields, "A process of the service.");

static const struct field port_fields[] = {
    FIELD(struct spec_port, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 40,
          .doc = "Unique in the service."),
    FIELD(struct spec_port, port, INT, .flags = FIELD_REQUIRED, .min = 1, .max = 65535,
          .doc = "Inside the service."),
    FIELD(struct spec_port, published, BOOL, .doc = "Reachable from outside."),
    FIELD(struct spec_port, protocol, TEXT, .words = protocols, .doc = "tcp where it is empty."),
};
const struct schema spec_port_schema =
    SCHEMA(struct spec_port, "spec_port", port_fields, "Where the service listens.");

static const struct field volume_fields[] = {
    FIELD(struct spec_volume, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 40,
          .doc = "Unique in the service."),
    FIELD(struct spec_volume, path, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 1000,
          .doc = "Absolute, inside the service."),
};
const struct schema spec_volume_schema =
    SCHEMA(struct spec_volume, "spec_volume", volume_fields, "What is kept across restarts.");

static const struct field promise_fields[] = {
    FIELD(struct spec_promise, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 60,
          .doc = "Unique in the service."),
    FIELD(struct spec_promise, kind, TEXT, .flags = FIELD_REQUIRED, .words = promise_kinds,
          .doc = "How it is checked."),
    FIELD(struct spec_promise, command, LIST, .max = SPEC_ARGUMENTS_MAX,
          .doc = "Program and arguments, inside the service."),
    FIELD(struct spec_promise, target, TEXT, .max = 1000, .doc = "Port, port and path, or volume."),
    FIELD(struct spec_promise, limit, INT, .max = 1000, .doc = "Status, percent, days or degrees."),
    FIELD(struct spec_promise, every_s, INT, .max = DAY_S, .doc = "0: every minute."),
    FIELD(struct spec_promise, timeout_s, INT, .max = 600, .doc = "0: ten seconds."),
    FIELD(struct spec_promise, outside, BOOL,
          .doc = "In a profile: other sites look at its published port, too."),
};
const struct schema spec_promise_schema =
    SCHEMA(struct spec_promise, "spec_promise", promise_fields, "A check that the service keeps.");

static const struct field restore_fields[] = {
    FIELD(struct spec_restore, backup, TEXT, .flags = FIELD_REQUIRED, .prefix = "bak",
          .doc = "Which."),
    FIELD(struct spec_restore, number, INT, .flags = FIELD_REQUIRED, .max = INT64_MAX,
          .doc = "Grows with each restore."),
    FIELD(struct spec_restore, sha256, TEXT, .flags = FIELD_REQUIRED, .min = 64, .max = 64,
          .doc = "Hash of the encrypted file."),
    FIELD(struct spec_restore, bytes, INT, .flags = FIELD_REQUIRED, .min = 1, .max = SIZE_MAX_BYTES,
          .doc = "Its length."),
    FIELD(struct spec_restore, key, TEXT, .flags = FIELD_REQUIRED, .min = 64, .max = 64,
          .doc = "What it is encrypted with."),
    FIELD(struct spec_restore, disk, BOOL, .doc = "It is laid before the service starts."),
};
const struct schema spec_restore_schema =
    SCHEMA(struct spec_restore, "spec_restore", restore_fields, "A backup to begin with.");

static const struct field snapshot_fields[] = {
    FIELD(struct spec_snapshot, id, TEXT, .flags = FIELD_REQUIRED, .prefix = "snp",
          .doc = "Which."),
    FIELD(struct spec_snapshot, take, BOOL, .doc = "It was not taken yet."),
};
const struct schema spec_snapshot_schema =
    SCHEMA(struct spec_snapshot, "spec_snapshot", snapshot_fields, "A snapshot that is wanted.");

static const struct field service_fields[] = {
    FIELD(struct service_spec, id, TEXT, .flags = FIELD_REQUIRED, .prefix = "svc",
          .doc = "Its id."),
    FIELD(struct service_spec, generation, INT, .flags = FIELD_REQUIRED, .min = 1, .max = INT64_MAX,
          .doc = "Grows with every change."),
    FIELD(struct service_spec, state, WORD, .flags = FIELD_REQUIRED, .words = spec_states,
          .doc = "What is wanted."),
    FIELD(struct service_spec, runtime, WORD, .flags = FIELD_REQUIRED, .words = spec_runtimes,
          .doc = "What runs it."),
    FIELD(struct service_spec, restart, INT, .max = INT64_MAX, .doc = "Grows with every restart."),
    FIELD(struct service_spec, subscription, TEXT, .max = 40,
          .doc = "Whom its use is counted for."),
    FIELD(struct service_spec, profile, TEXT, .max = 60, .doc = "Name of the profile."),
    FIELD(struct service_spec, profile_version, TEXT, .max = 40, .doc = "Its version."),
    FIELD(struct service_spec, images, LIST, .max = 8, .schema = &spec_image_schema,
          .doc = "The root first."),
    FIELD(struct service_spec, cpu_milli, INT, .max = 1024 * 1000, .doc = "Thousandths of a core."),
    FIELD(struct service_spec, memory_bytes, INT, .max = SIZE_MAX_BYTES, .doc = "Memory."),
    FIELD(struct service_spec, disk_bytes, INT, .max = SIZE_MAX_BYTES, .doc = "Disk."),
    FIELD(struct service_spec, processes_max, INT, .max = 100000, .doc = "Processes and threads."),
    FIELD(struct service_spec, network_bit_s, INT, .max = INT64_C(1000000000000),
          .doc = "Bits a second each way; 0: no limit."),
    FIELD(struct service_spec, files, LIST, .max = SPEC_FILES_MAX, .schema = &spec_file_schema,
          .doc = "Files that are put into it."),
    FIELD(struct service_spec, processes, LIST, .max = SPEC_PROCESSES_MAX,
          .schema = &spec_process_schema, .doc = "In this order."),
    FIELD(struct service_spec, ports, LIST, .max = SPEC_PORTS_MAX, .schema = &spec_port_schema,
          .doc = "Where it listens."),
    FIELD(struct service_spec, volumes, LIST, .max = SPEC_VOLUMES_MAX,
          .schema = &spec_volume_schema, .doc = "What is kept."),
    FIELD(struct service_spec, promises, LIST, .max = SPEC_PROMISES_MAX,
          .schema = &spec_promise_schema, .doc = "Checks that it keeps."),
    FIELD(struct service_spec, user_data, TEXT, .flags = FIELD_MULTILINE, .max = 65536,
          .doc = "Of a virtual machine: user-data of cloud-init."),
    FIELD(struct service_spec, backup, LIST, .max = SPEC_ARGUMENTS_MAX,
          .doc = "Command inside that writes the backup to its output."),
    FIELD(struct service_spec, restore, LIST, .max = SPEC_ARGUMENTS_MAX,
          .doc = "Command inside that reads a backup from its input."),
    FIELD(struct service_spec, end, LIST, .max = SPEC_ARGUMENTS_MAX,
          .doc = "Command inside that takes away what it made elsewhere, before it is gone."),
    FIELD(struct service_spec, lease_s, INT, .max = DAY_S,
          .doc = "The agent stops it when it could not renew for so long; 0: never."),
    FIELD(struct service_spec, from, OBJECT, .schema = &spec_restore_schema,
          .doc = "The backup that it begins with."),
    FIELD(struct service_spec, snapshots, LIST, .max = SPEC_SNAPSHOTS_MAX,
          .schema = &spec_snapshot_schema, .doc = "All that are kept of it."),
    FIELD(struct service_spec, revert, TEXT, .prefix = "snp",
          .doc = "The snapshot that it goes back to."),
    FIELD(struct service_spec, reverts, INT, .max = INT64_MAX,
          .doc = "Grows with each time that it goes back."),
    FIELD(struct service_spec, alone, BOOL, .doc = "It reaches nobody, and nobody reaches it."),
};
const struct schema service_spec_schema =
    SCHEMA(struct service_spec, "service_spec", service_fields, "A service as it should be.");

static const struct field desired_fields[] = {
    FIELD(struct desired, revision, INT, .flags = FIELD_REQUIRED, .max = INT64_MAX,
          .doc = "Grows with every change."),
    FIELD(struct desired, services, LIST, .max = SPEC_SERVICES_MAX, .schema = &service_spec_schema,
          .doc = "All services of the node."),
};
const struct schema desired_schema =
    SCHEMA(struct desired, "desired", desired_fields, "What a node should run.");

static const struct field fact_fields[] = {
    FIELD(struct sighting_fact, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 100,
          .doc = "Which."),
    FIELD(struct sighting_fact, value, TEXT, .max = 1000, .doc = "What it is."),
};
const struct schema sighting_fact_schema =
    SCHEMA(struct sighting_fact, "sighting_fact", fact_fields, "An address or port that it got.");

static const struct field kept_fields[] = {
    FIELD(struct sighting_promise, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 60,
          .doc = "Which."),
    FIELD(struct sighting_promise, kept, BOOL, .flags = FIELD_REQUIRED, .doc = "Whether it holds."),
    FIELD(struct sighting_promise, text, TEXT, .max = 1000, .doc = "Why not."),
    FIELD(struct sighting_promise, since, TIME, .doc = "Since when."),
};
const struct schema sighting_promise_schema =
    SCHEMA(struct sighting_promise, "sighting_promise", kept_fields, "How a check came out.");

static const struct field seen_snapshot_fields[] = {
    FIELD(struct sighting_snapshot, id, TEXT, .flags = FIELD_REQUIRED, .prefix = "snp",
          .doc = "Which."),
    FIELD(struct sighting_snapshot, kept, BOOL, .flags = FIELD_REQUIRED, .doc = "It is there."),
    FIELD(struct sighting_snapshot, memory_bytes, INT, .max = SIZE_MAX_BYTES,
          .doc = "Of the machine's memory in it."),
    FIELD(struct sighting_snapshot, reason, TEXT, .max = 1000, .doc = "Why it is not there."),
};
const struct schema sighting_snapshot_schema =
    SCHEMA(struct sighting_snapshot, "sighting_snapshot", seen_snapshot_fields,
           "What came of a snapshot.");

static const struct field sighting_fields[] = {
    FIELD(struct sighting, id, TEXT, .flags = FIELD_REQUIRED, .prefix = "svc",
          .doc = "The service."),
    FIELD(struct sighting, generation, INT, .flags = FIELD_REQUIRED, .max = INT64_MAX,
          .doc = "Of the spec that it speaks of."),
    FIELD(struct sighting, state, WORD, .flags = FIELD_REQUIRED, .words = sighting_states,
          .doc = "What is seen."),
    FIELD(struct sighting, step, TEXT, .max = 200, .doc = "What is being done."),
    FIELD(struct sighting, reason, TEXT, .max = 1000, .doc = "Why it failed."),
    FIELD(struct sighting, since, TIME, .doc = "In this state since."),
    FIELD(struct sighting, starts, INT, .max = INT64_MAX, .doc = "How often it was started."),
    FIELD(struct sighting, facts, LIST, .max = SPEC_PUBLISHED_MAX, .schema = &sighting_fact_schema,
          .doc = "Addresses and ports."),
    FIELD(struct sighting, promises, LIST, .max = SPEC_PROMISES_MAX,
          .schema = &sighting_promise_schema, .doc = "Its checks."),
    FIELD(struct sighting, snapshots, LIST, .max = SPEC_SNAPSHOTS_MAX,
          .schema = &sighting_snapshot_schema, .doc = "What came of its snapshots."),
    FIELD(struct sighting, reverted, INT, .max = INT64_MAX,
          .doc = "Number of the last time that it went back to one."),
};
const struct schema sighting_schema =
    SCHEMA(struct sighting, "sighting", sighting_fields, "A service as it is.");

static const struct field report_fields[] = {
    FIELD(struct node_report, revision, INT, .max = INT64_MAX, .doc = "Of what it should run."),
    FIELD(struct node_report, order, INT, .max = INT64_MAX,
          .doc = "Grows with each report: one that comes late changes nothing."),
    FIELD(struct node_report, whole, BOOL, .doc = "All services are in it, not only changes."),
    FIELD(struct node_report, booted, TIME, .doc = "When the machine started."),
    FIELD(struct node_report, cpu_milli, INT, .max = INT64_C(100000000), .doc = "Of all cores."),
    FIELD(struct node_report, memory_bytes, INT, .max = SIZE_MAX_BYTES, .doc = "In all."),
    FIELD(struct node_report, disk_bytes, INT, .max = SIZE_MAX_BYTES, .doc = "In all."),
    FIELD(struct node_report, cpu_used_milli, INT, .max = INT64_C(100000000), .doc = "In use."),
    FIELD(struct node_report, memory_used_bytes, INT, .max = SIZE_MAX_BYTES, .doc = "In use."),
    FIELD(struct node_report, disk_used_bytes, INT, .max = SIZE_MAX_BYTES, .doc = "In use."),
    FIELD(struct node_report, features, LIST, .max = 40, .doc = "What it can run."),
    FIELD(struct node_report, agent, TEXT, .max = 40, .doc = "Version of the agent."),
    FIELD(struct node_report, hostname, TEXT, .max = 255, .doc = "As the machine calls itself."),
    FIELD(struct node_report, address, TEXT, .max = 255, .doc = "Where it is reached."),
    FIELD(struct node_report, services, LIST, .max = SPEC_SERVICES_MAX, .schema = &sighting_schema,
          .doc = "Services as they are."),
    FIELD(struct node_report, promises, LIST, .max = SPEC_PROMISES_MAX,
          .schema = &sighting_promise_schema, .doc = "Checks of the node itself."),
};
const struct schema node_report_schema =
    SCHEMA(struct node_report, "node_report", report_fields, "What a node says.");

static const struct field answer_fields[] = {
    FIELD(struct report_answer, now, TIME, .doc = "By the clock of the control plane."),
    FIELD(struct report_answer, lease_until_s, INT, .max = DAY_S,
          .doc = "Leases hold for so many seconds more."),
    FIELD(struct report_answer, order, INT, .max = INT64_MAX,
          .doc = "Of the newest report; a report below it was not taken."),
};
const struct schema report_answer_schema =
    SCHEMA(struct report_answer, "report_answer", answer_fields, "What a report is answered.");

const char *const backup_task_kinds[] = {"make", "send", "hold", "drop", NULL};

static const struct field task_fields[] = {
    FIELD(struct backup_task, id, TEXT, .flags = FIELD_REQUIRED, .prefix = "bak",
          .doc = "The backup."),
    FIELD(struct backup_task, kind, WORD, .flags = FIELD_REQUIRED, .words = backup_task_kinds,
          .doc = "What to do."),
    FIELD(struct backup_task, service, TEXT, .flags = FIELD_REQUIRED, .prefix = "svc",
          .doc = "Of which service."),
    FIELD(struct backup_task, sha256, TEXT, .max = 64, .doc = "Hash of the encrypted file."),
    FIELD(struct backup_task, bytes, INT, .max = SIZE_MAX_BYTES,
          .doc = "Its length; of what is to be made, at most."),
    FIELD(struct backup_task, key, TEXT, .max = 64, .doc = "What it is encrypted with."),
    FIELD(struct backup_task, disk, BOOL, .doc = "All that it keeps, without its command."),
};
const struct schema backup_task_schema =
    SCHEMA(struct backup_task, "backup_task", task_fields, "What a node does with a backup.");

static const struct field tasks_fields[] = {
    FIELD(struct backup_tasks, tasks, LIST, .flags = FIELD_REQUIRED, .max = SPEC_TASKS_MAX,
          .schema = &backup_task_schema, .doc = "All of them."),
};
const struct schema backup_tasks_schema =
    SCHEMA(struct backup_tasks, "backup_tasks", tasks_fields, "What a node does with backups.");

static const struct field word_fields[] = {
    FIELD(struct backup_word, kind, WORD, .flags = FIELD_REQUIRED, .words = backup_task_kinds,
          .doc = "Of the task."),
    FIELD(struct backup_word, failed, BOOL, .doc = "It could not be done."),
    FIELD(struct backup_word, reason, TEXT, .max = 1000, .doc = "Why not."),
    FIELD(struct backup_word, sha256, TEXT, .max = 64, .doc = "Hash of what was made."),
    FIELD(struct backup_word, bytes, INT, .max = SIZE_MAX_BYTES, .doc = "Its length."),
};
const struct schema backup_word_schema =
    SCHEMA(struct backup_word, "backup_word", word_fields, "What became of a task.");

static const struct field piece_fields[] = {
    FIELD(struct backup_piece_query, offset, INT, .max = SIZE_MAX_BYTES,
          .doc = "Where the piece begins."),
};
const struct schema backup_piece_query_schema = SCHEMA(
    struct backup_piece_query, "backup_piece_query", piece_fields, "Which piece of a backup.");

static const struct field have_fields[] = {
    FIELD(struct backup_have, bytes, INT, .max = SIZE_MAX_BYTES, .doc = "So many are there."),
};
const struct schema backup_have_schema =
    SCHEMA(struct backup_have, "backup_have", have_fields, "How much of a backup is there.");
