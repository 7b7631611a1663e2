#include "billing/exchange_rate.h"

static const struct field exchange_rate_fields[] = {
    FIELD(struct exchange_rate, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "exr",
          .doc = "Id of the rate."),
    FIELD(struct exchange_rate, party, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "pty",
          .doc = "Who entered it."),
    FIELD(struct exchange_rate, from, TEXT, .flags = FIELD_REQUIRED, .min = 3, .max = 3,
          .doc = "Currency of which one is so much (ISO 4217).", .example = "\"USD\""),
    FIELD(struct exchange_rate, to, TEXT, .flags = FIELD_REQUIRED, .min = 3, .max = 3,
          .doc = "Currency in which it is so much.", .example = "\"EUR\""),
    FIELD(struct exchange_rate, rate, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .max = EXCHANGE_RATE_TEXT_MAX,
          .doc = "How much: a decimal with at most 10 digits behind the point, or a fraction of "
                 "whole numbers.",
          .example = "\"0.9227\""),
    FIELD(struct exchange_rate, date, DATE, .flags = FIELD_REQUIRED,
          .doc = "The day of which it is.", .example = "\"2026-01-30\""),
    FIELD(struct exchange_rate, source, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .max = EXCHANGE_SOURCE_MAX, .doc = "Who says so: stands on each invoice that it is for.",
          .example = "\"ECB reference rate\""),
    FIELD(struct exchange_rate, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When it was entered."),
};
const struct schema exchange_rate_schema = SCHEMA(
    struct exchange_rate, "exchange_rate", exchange_rate_fields,
    "What one currency is in another on a day, for tax that a seller accounts for in its own.");
