/* The tables of backup.h. Data only: the command line links them without a store. */
#include "fleet/backup.h"
#include "fleet/drill.h"
#include "fleet/service.h"

const char *const backup_states[] = {"wanted", "kept", "failed", "gone", NULL};
const char *const drill_states[] = {"running", "passed", "failed", NULL};

#define RO   (FIELD_READ_ONLY)
#define WIDE (FIELD_READ_ONLY | FIELD_WIDE)

static const struct field backup_fields[] = {
    FIELD(struct backup, id, TEXT, .flags = RO, .prefix = "bak", .doc = "Id of the backup."),
    FIELD(struct backup, service, TEXT, .flags = WIDE, .prefix = "svc", .doc = "Of which service."),
    FIELD(struct backup, client, TEXT, .flags = WIDE, .prefix = "pty", .doc = "Whose that is."),
    FIELD(struct backup, node, TEXT, .flags = WIDE, .prefix = "nod", .doc = "Where it was made."),
    FIELD(struct backup, state, WORD, .flags = RO, .words = backup_states, .doc = "How it is."),
    FIELD(struct backup, sha256, TEXT, .flags = WIDE, .doc = "Hash of the encrypted file."),
    FIELD(struct backup, bytes, INT, .flags = RO, .max = INT64_MAX, .doc = "Its length."),
    FIELD(struct backup, here, BOOL, .flags = RO, .doc = "The control plane has a copy."),
    FIELD(struct backup, holder, TEXT, .flags = RO, .prefix = "nod",
          .doc = "The node at another site that holds it; none: there is no such node with room."),
    FIELD(struct backup, held, BOOL, .flags = WIDE, .doc = "It is there already."),
    FIELD(struct backup, reason, TEXT, .flags = RO, .max = 1000, .doc = "Why it failed."),
    FIELD(struct backup, asked, TIME, .flags = RO, .doc = "When it was asked for."),
    FIELD(struct backup, kept, TIME, .flags = WIDE, .doc = "When it was whole."),
    FIELD(struct backup, disk, BOOL, .flags = RO,
          .doc = "It is all that the service keeps on its disk."),
    FIELD(struct backup, moves, BOOL, .flags = WIDE,
          .doc = "Made for a move to another node, and gone with its end."),
};
const struct schema backup_schema =
    SCHEMA(struct backup, "backup", backup_fields, "A backup of a service.");

static const struct field restore_fields[] = {
    FIELD(struct service_restore, backup, TEXT, .flags = FIELD_REQUIRED, .prefix = "bak",
          .doc = "Which backup of it."),
};
const struct schema service_restore_schema =
    SCHEMA(struct service_restore, "service_restore", restore_fields, "Where a service goes back.");

static const struct field drill_fields[] = {
    FIELD(struct drill, id, TEXT, .flags = RO, .prefix = "drl", .doc = "Id of the drill."),
    FIELD(struct drill, service, TEXT, .flags = WIDE, .prefix = "svc", .doc = "Of which service."),
    FIELD(struct drill, client, TEXT, .flags = WIDE, .prefix = "pty", .doc = "Whose that is."),
    FIELD(struct drill, backup, TEXT, .flags = WIDE, .prefix = "bak", .doc = "What was restored."),
    FIELD(struct drill, backed_up, TIME, .flags = RO, .doc = "When that backup was asked for."),
    FIELD(struct drill, bytes, INT, .flags = RO, .max = INT64_MAX, .doc = "Its length."),
    FIELD(struct drill, node, TEXT, .flags = WIDE, .prefix = "nod", .doc = "Where it was tried."),
    FIELD(struct drill, state, WORD, .flags = RO, .words = drill_states,
          .doc = "Passed: the copy ran, restored, and kept every promise."),
    FIELD(struct drill, promises, INT, .flags = RO, .max = SPEC_PROMISES_MAX,
          .doc = "Promises that the copy kept."),
    FIELD(struct drill, seconds, INT, .flags = RO, .max = INT64_MAX,
          .doc = "How long it took: so long would the service be away."),
    FIELD(struct drill, reason, TEXT, .flags = RO, .max = 2000,
          .doc = "Where it is, or why it failed."),
    FIELD(struct drill, began, TIME, .flags = RO, .doc = "When it began."),
    FIELD(struct drill, ended, TIME, .flags = WIDE, .doc = "When it ended."),
};
const struct schema drill_schema =
    SCHEMA(struct drill, "drill", drill_fields, "A backup that was tried.");

static const struct field drill_order_fields[] = {
    FIELD(struct drill_order, backup, TEXT, .prefix = "bak",
          .doc = "Which backup of it: the newest, unless said."),
};
const struct schema drill_order_schema =
    SCHEMA(struct drill_order, "drill_order", drill_order_fields, "What is tried.");

static const struct field drill_plan_fields[] = {
    FIELD(struct drill_plan, service, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "svc",
          .doc = "Of which service."),
    FIELD(struct drill_plan, every_days, INT, .flags = FIELD_REQUIRED, .max = DRILL_DAYS_MAX,
          .doc = "Days between two drills; 0: only when asked for.", .example = "30"),
    FIELD(struct drill_plan, next, TIME, .flags = FIELD_READ_ONLY, .doc = "When the next begins."),
};
const struct schema drill_plan_schema =
    SCHEMA(struct drill_plan, "drill_plan", drill_plan_fields, "How often its backups are tried.");
