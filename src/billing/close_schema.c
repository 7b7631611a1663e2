#include "billing/close.h"

const char *const close_steps[] = {"collect", "rate",       "draft", "review", "finalise",
                                   "post",    "statements", "done",  NULL};

static const struct field close_fields[] = {
    FIELD(struct close, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "cls",
          .doc = "Id of the close."),
    FIELD(struct close, party, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "pty",
          .doc = "The operator."),
    FIELD(struct close, period, TEXT, .flags = FIELD_REQUIRED, .min = 7, .max = 7,
          .doc = "Which month, in the operator's time zone.", .example = "\"2026-01\""),
    FIELD(struct close, begin, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When the period began."),
    FIELD(struct close, end, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE, .doc = "When it ended."),
    FIELD(struct close, step, WORD, .flags = FIELD_READ_ONLY, .words = close_steps,
          .doc = "What is being done."),
    FIELD(struct close, review, BOOL, .flags = FIELD_WIDE,
          .doc = "Stop before numbers are given, until it is approved."),
    FIELD(struct close, dry, BOOL,
          .doc = "Compute and tell, but keep no line, no document and no posting."),
    FIELD(struct close, done, INT, .flags = FIELD_READ_ONLY, .min = 0, .max = INT64_MAX,
          .doc = "Subscriptions rated so far."),
    FIELD(struct close, total, INT, .flags = FIELD_READ_ONLY, .min = 0, .max = INT64_MAX,
          .doc = "Subscriptions to be rated."),
    FIELD(struct close, per_second, INT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .min = 0,
          .max = INT64_MAX, .doc = "Subscriptions a second."),
    FIELD(struct close, seconds_left, INT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .min = 0,
          .max = INT64_MAX, .doc = "Until all are rated, at that speed."),
    FIELD(struct close, lines, INT, .flags = FIELD_READ_ONLY, .min = 0, .max = INT64_MAX,
          .doc = "Rated lines."),
    FIELD(struct close, documents, INT, .flags = FIELD_READ_ONLY, .min = 0, .max = INT64_MAX,
          .doc = "Invoices and credit notes."),
    FIELD(struct close, exceptions, INT, .flags = FIELD_READ_ONLY, .min = 0, .max = INT64_MAX,
          .doc = "What could not be rated or billed: somebody has to look."),
    FIELD(struct close, net, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "Of the first edge: what the operator's buyers owe it, by currency.",
          .example = "\"195.00 EUR\""),
    FIELD(struct close, started, TIME, .flags = FIELD_READ_ONLY, .doc = "When it began."),
    FIELD(struct close, finished, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When it was done."),
};
const struct schema close_schema =
    SCHEMA(struct close, "close", close_fields, "The close of a month.");

static const struct field close_exception_fields[] = {
    FIELD(struct close_exception, subscription, TEXT, .flags = FIELD_READ_ONLY, .prefix = "sub",
          .doc = "The subscription, where it is about one."),
    FIELD(struct close_exception, step, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "Where it was found."),
    FIELD(struct close_exception, text, TEXT, .flags = FIELD_READ_ONLY, .doc = "What is wrong."),
};
const struct schema close_exception_schema =
    SCHEMA(struct close_exception, "close_exception", close_exception_fields,
           "What a close could not do.");
