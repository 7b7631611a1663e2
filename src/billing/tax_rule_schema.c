#include "billing/tax_rule.h"

static const struct field tax_rate_row_fields[] = {
    FIELD(struct tax_rate_row, country, TEXT, .flags = FIELD_READ_ONLY, .min = 2, .max = 2,
          .doc = "Country (ISO 3166-1).", .example = "\"FR\""),
    FIELD(struct tax_rate_row, tax_class, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "Class of the item: standard or reduced.", .example = "\"standard\""),
    FIELD(struct tax_rate_row, rate, DECIMAL, .flags = FIELD_READ_ONLY, .doc = "Percent.",
          .example = "\"20\""),
    FIELD(struct tax_rate_row, valid_from, DATE, .flags = FIELD_READ_ONLY,
          .doc = "The first day on which it holds; until the next one."),
    FIELD(struct tax_rate_row, source, TEXT, .flags = FIELD_READ_ONLY, .doc = "Where it is from."),
};
const struct schema tax_rate_row_schema =
    SCHEMA(struct tax_rate_row, "tax_rate", tax_rate_row_fields, "A rate of value added tax.");
