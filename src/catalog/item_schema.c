#include "catalog/item.h"

const char *const tax_classes[] = {"standard", "reduced", "exempt", "outside", NULL};
const char *const item_states[] = {"active", "retired", NULL};
const char *const meter_kinds[] = {"count",         "sum", "max",     "last", "unique",
                                   "time-weighted", "p95", "counter", NULL};

static const struct field item_fields[] = {
    FIELD(struct item, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "itm",
          .doc = "Id of the item."),
    FIELD(struct item, version, INT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .min = 1,
          .max = INT64_MAX, .doc = "Grows with every change; the ETag."),
    FIELD(struct item, owner, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "pty",
          .doc = "The operator."),
    FIELD(struct item, code, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = ITEM_CODE_MAX,
          .doc = "Short name: small letters, digits, '-' and '.'; does not change.",
          .example = "\"vm-4\""),
    FIELD(struct item, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .doc = "Name for people.",
          .example = "\"Virtual machine with 4 GB\""),
    FIELD(struct item, category, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = ITEM_CODE_MAX,
          .doc = "Kind of thing, for prices and shares of many items.", .example = "\"vm\""),
    FIELD(struct item, unit, TEXT, .min = 2, .max = 3,
          .doc = "What is counted (UN/ECE recommendation 20): MON month, HUR hour, E34 gigabyte, "
                 "C62 piece (the default).",
          .example = "\"MON\""),
    FIELD(struct item, tax_class, WORD, .words = tax_classes, .doc = "Which rate of tax it bears."),
    FIELD(struct item, income, TEXT, .min = 1, .max = ITEM_CODE_MAX,
          .doc = "Account of the income, a capital letter first; Services unless said otherwise.",
          .example = "\"VPS\""),
    FIELD(struct item, author, TEXT, .prefix = "pty",
          .doc = "Party whose work it is: earns by a revshare agreement."),
    FIELD(struct item, state, WORD, .words = item_states, .doc = "Retired ones cannot be ordered."),
    FIELD(struct item, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE, .doc = "When made."),
    FIELD(struct item, changed, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When changed last."),
};
const struct schema item_schema = SCHEMA(struct item, "item", item_fields, "What can be bought.");

static const struct field item_query_fields[] = {
    PAGE_FIELDS(struct item_query),
    FIELD(struct item_query, category, TEXT, .min = 1, .max = ITEM_CODE_MAX,
          .doc = "Of this category alone."),
    FIELD(struct item_query, state, WORD, .words = item_states, .doc = "In this state alone."),
};
const struct schema item_query_schema =
    SCHEMA(struct item_query, "item_query", item_query_fields, "Filters of the list of items.");

static const struct field meter_fields[] = {
    FIELD(struct meter, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "mtr",
          .doc = "Id of the meter."),
    FIELD(struct meter, number, INT, .flags = FIELD_READ_ONLY, .min = 1, .max = METERS_MAX,
          .doc = "Its number in binary records."),
    FIELD(struct meter, owner, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "pty",
          .doc = "The operator."),
    FIELD(struct meter, code, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 80,
          .doc = "Short name: small letters, digits, '-' and '.'.",
          .example = "\"vm.vcpu-seconds\""),
    FIELD(struct meter, kind, WORD, .flags = FIELD_REQUIRED, .words = meter_kinds,
          .doc = "How the records of a period become one quantity.", .example = "\"sum\""),
    FIELD(struct meter, unit, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 20,
          .doc = "What is counted.", .example = "\"GB\""),
    FIELD(struct meter, scale, INT, .min = 0, .max = QUANTITY_SCALE_MAX,
          .doc = "Digits behind the point of its quantities."),
    FIELD(struct meter, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE, .doc = "When made."),
};
const struct schema meter_schema = SCHEMA(struct meter, "meter", meter_fields, "What is counted.");
