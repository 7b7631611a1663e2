#include "party/audit.h"

static const struct field audit_fields[] = {
    FIELD(struct audit, id, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "aud",
          .doc = "Id of the entry."),
    FIELD(struct audit, at, TIME, .flags = FIELD_READ_ONLY, .doc = "When it was done."),
    FIELD(struct audit, user, TEXT, .flags = FIELD_READ_ONLY, .prefix = "usr", .doc = "By whom."),
    FIELD(struct audit, token, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "tok",
          .doc = "With which token, where it was one."),
    FIELD(struct audit, party, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "pty",
          .doc = "For which party."),
    FIELD(struct audit, action, TEXT, .flags = FIELD_READ_ONLY, .doc = "What was done."),
    FIELD(struct audit, subject, TEXT, .flags = FIELD_READ_ONLY, .min = 1,
          .doc = "Id of what it was done to."),
    FIELD(struct audit, before, RAW, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "State before; null where it was made."),
    FIELD(struct audit, after, RAW, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "State after; null where it was taken away."),
    FIELD(struct audit, address, TEXT, .flags = FIELD_READ_ONLY, .min = 1,
          .doc = "Network address it came from."),
    FIELD(struct audit, request, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .min = 1,
          .doc = "Id of the request."),
};
const struct schema audit_schema =
    SCHEMA(struct audit, "audit", audit_fields, "Who did what, to what, from where.");

static const struct field audit_query_fields[] = {
    PAGE_FIELDS(struct audit_query),
    FIELD(struct audit_query, subject, TEXT, .min = 1, .max = 64, .doc = "About this id only."),
    FIELD(struct audit_query, action, TEXT, .min = 1, .max = 64, .doc = "This action only.",
          .example = "\"party_change\""),
    FIELD(struct audit_query, user, TEXT, .prefix = "usr", .doc = "By this user only."),
    FIELD(struct audit_query, since, TIME, .doc = "At this time or later."),
    FIELD(struct audit_query, until, TIME, .doc = "Before this time."),
};
const struct schema audit_query_schema =
    SCHEMA(struct audit_query, "audit_query", audit_query_fields, "Which entries of the log.");
