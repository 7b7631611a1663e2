/* The tables of work orders. Data only: the command line links them without a store. */
#include "fleet/photo.h"
#include "fleet/work_order.h"

const char *const work_states[] = {"open", "accepted", "done", "cancelled", NULL};
const char *const photo_media[] = {"image/jpeg", "image/png", "application/octet-stream", NULL};

#define RO   (FIELD_READ_ONLY)
#define WIDE (FIELD_READ_ONLY | FIELD_WIDE)

static const struct field work_kind_fields[] = {
    FIELD(struct work_kind, code, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .max = WORK_KIND_CODE_MAX, .doc = "Its short name.", .example = "\"replace-ram\""),
    FIELD(struct work_kind, title, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .doc = "Name for people.", .example = "\"Replace RAM\""),
    FIELD(struct work_kind, promise, TEXT, .max = 60,
          .doc = "The promise of nodes that opens such an order when it fails."),
    FIELD(struct work_kind, created, TIME, .flags = WIDE, .doc = "When added."),
};
const struct schema work_kind_schema =
    SCHEMA(struct work_kind, "work_kind", work_kind_fields, "A kind of hardware work.");

static const struct field work_order_fields[] = {
    FIELD(struct work_order, id, TEXT, .flags = RO, .prefix = "wko", .doc = "Id of the order."),
    FIELD(struct work_order, version, INT, .flags = WIDE, .min = 1, .max = INT64_MAX,
          .doc = "Grows with every change; the ETag."),
    FIELD(struct work_order, node, TEXT, .flags = FIELD_REQUIRED, .prefix = "nod",
          .doc = "On which server."),
    FIELD(struct work_order, owner, TEXT, .flags = WIDE, .prefix = "pty",
          .doc = "Whose server it is: who pays."),
    FIELD(struct work_order, manager, TEXT, .flags = FIELD_WIDE, .prefix = "pty",
          .doc = "Who does it; the node's hardware manager unless said otherwise."),
    FIELD(struct work_order, kind, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .max = WORK_KIND_CODE_MAX, .doc = "Which kind of work.", .example = "\"replace-ram\""),
    FIELD(struct work_order, title, TEXT, .min = 1,
          .doc = "What is to be done; the kind's title unless said otherwise."),
    FIELD(struct work_order, text, TEXT, .flags = FIELD_MULTILINE | FIELD_WIDE,
          .max = WORK_TEXT_MAX, .doc = "More of it.", .example = "\"DIMM B2\""),
    FIELD(struct work_order, cause, TEXT, .flags = WIDE,
          .doc = "The promise that opened it; empty: by hand."),
    FIELD(struct work_order, state, WORD, .flags = RO, .words = work_states, .doc = "How it is."),
    FIELD(struct work_order, agreement, TEXT, .flags = FIELD_WIDE, .prefix = "agr",
          .doc = "The cost or fee agreement by which it is paid."),
    FIELD(struct work_order, fee, DECIMAL,
          .doc = "What is paid for it when it is done; agreed by accepting."),
    FIELD(struct work_order, currency, TEXT, .flags = RO, .doc = "The agreement's."),
    FIELD(struct work_order, due, TIME, .flags = FIELD_WIDE, .doc = "Until when it is wanted."),
    FIELD(struct work_order, steps, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "How many steps were told."),
    FIELD(struct work_order, photos, INT, .flags = WIDE, .max = INT64_MAX,
          .doc = "How many of them have a photo."),
    FIELD(struct work_order, created, TIME, .flags = RO, .doc = "When opened."),
    FIELD(struct work_order, changed, TIME, .flags = WIDE, .doc = "When changed last."),
    FIELD(struct work_order, ended, TIME, .flags = WIDE, .doc = "When done or cancelled."),
    FIELD(struct work_order, billed, TIME, .flags = WIDE, .doc = "When a close took over its fee."),
};
const struct schema work_order_schema =
    SCHEMA(struct work_order, "work_order", work_order_fields, "Hardware work on a server.");

static const struct field work_step_fields[] = {
    FIELD(struct work_step, id, TEXT, .flags = RO, .prefix = "wks", .doc = "Id of the step."),
    FIELD(struct work_step, work_order, TEXT, .flags = WIDE, .prefix = "wko", .doc = "Of which."),
    FIELD(struct work_step, party, TEXT, .flags = WIDE, .prefix = "pty",
          .doc = "For whom it was written; empty: by the installation."),
    FIELD(struct work_step, text, TEXT, .flags = RO, .max = WORK_TEXT_MAX, .doc = "What was done."),
    FIELD(struct work_step, type, TEXT, .flags = RO,
          .doc = "The kind of its photo; empty: it has none."),
    FIELD(struct work_step, bytes, INT, .flags = WIDE, .max = PHOTO_BYTES_MAX,
          .doc = "How long the photo is."),
    FIELD(struct work_step, sha256, TEXT, .flags = WIDE, .doc = "The photo's hash."),
    FIELD(struct work_step, created, TIME, .flags = RO, .doc = "When."),
};
const struct schema work_step_schema =
    SCHEMA(struct work_step, "work_step", work_step_fields, "What was done for a work order.");

static const struct field work_query_fields[] = {
    PAGE_FIELDS(struct work_query),
    FIELD(struct work_query, node, TEXT, .prefix = "nod", .doc = "On this server alone."),
    FIELD(struct work_query, state, WORD, .words = work_states, .doc = "In this state alone."),
};
const struct schema work_query_schema =
    SCHEMA(struct work_query, "work_query", work_query_fields, "Filters of work orders.");

static const struct field work_assignment_fields[] = {
    FIELD(struct work_assignment, manager, TEXT, .flags = FIELD_REQUIRED, .prefix = "pty",
          .doc = "Who is to do it."),
    FIELD(struct work_assignment, agreement, TEXT, .prefix = "agr",
          .doc = "By which cost or fee agreement; where there is one alone, that."),
};
const struct schema work_assignment_schema =
    SCHEMA(struct work_assignment, "work_assignment", work_assignment_fields,
           "Who is to do a work order.");

static const struct field work_word_fields[] = {
    FIELD(struct work_word, text, TEXT, .flags = FIELD_MULTILINE, .max = WORK_TEXT_MAX,
          .doc = "Why, or what was done."),
};
const struct schema work_word_schema =
    SCHEMA(struct work_word, "work_word", work_word_fields, "A word on a work order's state.");

static const struct field work_note_fields[] = {
    FIELD(struct work_word, text, TEXT, .flags = FIELD_MULTILINE | FIELD_REQUIRED, .min = 1,
          .max = WORK_TEXT_MAX, .doc = "What was done or seen.",
          .example = "\"serial 1234 in slot B2\""),
};
const struct schema work_note_schema =
    SCHEMA(struct work_word, "work_note", work_note_fields, "A step of a work order.");

static const struct field work_photo_query_fields[] = {
    FIELD(struct work_word, text, TEXT, .max = WORK_CAPTION_MAX, .doc = "What it shows."),
};
const struct schema work_photo_query_schema =
    SCHEMA(struct work_word, "work_photo_query", work_photo_query_fields, "What a photo shows.");
