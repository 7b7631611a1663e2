/* The table of snapshot.h. Data only: the command line links it without a store. */
#include "fleet/snapshot.h"

const char *const snapshot_states[] = {"wanted", "kept", "failed", "removing", "gone", NULL};

#define RO   (FIELD_READ_ONLY)
#define WIDE (FIELD_READ_ONLY | FIELD_WIDE)

static const struct field snapshot_fields[] = {
    FIELD(struct snapshot, id, TEXT, .flags = RO, .prefix = "snp", .doc = "Id of the snapshot."),
    FIELD(struct snapshot, service, TEXT, .flags = WIDE, .prefix = "svc",
          .doc = "Of which service."),
    FIELD(struct snapshot, client, TEXT, .flags = WIDE, .prefix = "pty", .doc = "Whose that is."),
    FIELD(struct snapshot, name, TEXT, .max = SNAPSHOT_NAME_MAX, .doc = "For people.",
          .example = "\"before the upgrade\""),
    FIELD(struct snapshot, state, WORD, .flags = RO, .words = snapshot_states, .doc = "How it is."),
    FIELD(struct snapshot, memory_bytes, INT, .flags = RO, .max = INT64_MAX,
          .doc = "Of the machine's memory in it; 0: it rested."),
    FIELD(struct snapshot, room_bytes, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "Of the node's disk that is counted as taken for it."),
    FIELD(struct snapshot, reason, TEXT, .flags = RO, .max = 1000,
          .doc = "Why it failed, or went by itself."),
    FIELD(struct snapshot, asked, TIME, .flags = RO, .doc = "When it was asked for."),
    FIELD(struct snapshot, taken, TIME, .flags = WIDE, .doc = "When its node had it."),
};
const struct schema snapshot_schema =
    SCHEMA(struct snapshot, "snapshot", snapshot_fields, "A machine as it was at one instant.");
