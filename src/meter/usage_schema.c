#include "meter/source.h"
#include "meter/total.h"

static const struct field report_fields[] = {
    FIELD(struct usage_report, accepted, INT, .flags = FIELD_READ_ONLY, .min = 0,
          .max = USAGE_BATCH_MAX, .doc = "Records that were taken."),
    FIELD(struct usage_report, repeated, INT, .flags = FIELD_READ_ONLY, .min = 0,
          .max = USAGE_BATCH_MAX, .doc = "Records that were there already."),
    FIELD(struct usage_report, refused, INT, .flags = FIELD_READ_ONLY, .min = 0,
          .max = USAGE_BATCH_MAX, .doc = "Records whose id was taken by another record."),
    FIELD(struct usage_report, conflicts, LIST, .flags = FIELD_READ_ONLY, .max = 100,
          .doc = "Ids of those that were refused; the first hundred."),
};
const struct schema usage_report_schema =
    SCHEMA(struct usage_report, "usage_report", report_fields, "What became of reported usage.");

static const struct field row_fields[] = {
    FIELD(struct usage_row, meter, TEXT, .flags = FIELD_READ_ONLY, .doc = "Code of the meter."),
    FIELD(struct usage_row, from, TIME, .flags = FIELD_READ_ONLY, .doc = "The window begins."),
    FIELD(struct usage_row, until, TIME, .flags = FIELD_READ_ONLY, .doc = "The window ends."),
    FIELD(struct usage_row, quantity, DECIMAL, .flags = FIELD_READ_ONLY, .doc = "What was used."),
    FIELD(struct usage_row, unit, TEXT, .flags = FIELD_READ_ONLY, .doc = "What is counted."),
    FIELD(struct usage_row, records, INT, .flags = FIELD_READ_ONLY, .doc = "How many records."),
};
const struct schema usage_row_schema =
    SCHEMA(struct usage_row, "usage", row_fields, "What a subscription used in a window.");

static const struct field conflict_fields[] = {
    FIELD(struct usage_conflict, id, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "ucf",
          .doc = "Id of this notice."),
    FIELD(struct usage_conflict, source, TEXT, .flags = FIELD_READ_ONLY, .max = USAGE_ID_MAX,
          .doc = "Who reported."),
    FIELD(struct usage_conflict, party, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .prefix = "pty", .doc = "For which party."),
    FIELD(struct usage_conflict, event, TEXT, .flags = FIELD_READ_ONLY, .max = USAGE_ID_MAX,
          .doc = "Id or number of the record."),
    FIELD(struct usage_conflict, text, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "Why it was not counted."),
    FIELD(struct usage_conflict, created, TIME, .flags = FIELD_READ_ONLY,
          .doc = "When it was noticed."),
    FIELD(struct usage_conflict, seen, TIME, .flags = FIELD_READ_ONLY,
          .doc = "When somebody first looked at it; it is raised until then."),
    FIELD(struct usage_conflict, seen_by, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .prefix = "usr", .doc = "The user who did."),
};
const struct schema usage_conflict_schema =
    SCHEMA(struct usage_conflict, "usage_conflict", conflict_fields,
           "Usage that was not counted, and why.");

static const struct field conflict_query_fields[] = {
    PAGE_FIELDS(struct usage_conflict_query),
    FIELD(struct usage_conflict_query, seen, BOOL,
          .doc = "Those that somebody has looked at, too."),
};
const struct schema usage_conflict_query_schema =
    SCHEMA(struct usage_conflict_query, "usage_conflict_query", conflict_query_fields,
           "Which part of the list.");

static const struct field source_fields[] = {
    FIELD(struct usage_source, source, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = USAGE_ID_MAX,
          .example = "\"urn:pop:par1:node7\"",
          .doc = "Its name, a URI. urn:hanse:PARTY:NAME is that party's own."),
    FIELD(struct usage_source, party, TEXT, .prefix = "pty",
          .doc = "For which party it reports; the own one unless the operator says otherwise."),
    FIELD(struct usage_source, created, TIME, .flags = FIELD_READ_ONLY,
          .doc = "When it was first known."),
};
const struct schema usage_source_schema = SCHEMA(struct usage_source, "usage_source", source_fields,
                                                 "Who reports usage, and for which party.");

const char usage_media_binary[] = "application/vnd.hanse.usage";
const char *const usage_media[] = {"application/json", "application/cloudevents+json",
                                   "application/cloudevents-batch+json", usage_media_binary, NULL};
