#include "catalog/plan.h"

const char *const plan_periods[] = {"month", "quarter", "year", "once", NULL};

static const struct field plan_fields[] = {
    FIELD(struct plan, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pln",
          .doc = "Id of the plan."),
    FIELD(struct plan, version, INT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .min = 1,
          .max = INT64_MAX, .doc = "Grows with every change; the ETag."),
    FIELD(struct plan, number, INT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .min = 1,
          .max = INT64_MAX, .doc = "Grows when the charges change; subscriptions keep theirs."),
    FIELD(struct plan, item, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = ITEM_CODE_MAX,
          .doc = "Code of the item that is sold.", .example = "\"vm-4\""),
    FIELD(struct plan, code, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = ITEM_CODE_MAX,
          .doc = "Short name; does not change.", .example = "\"vm-4-monthly\""),
    FIELD(struct plan, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .doc = "Name for people."),
    FIELD(struct plan, period, WORD, .words = plan_periods, .doc = "How long a period is."),
    FIELD(struct plan, currency, TEXT, .min = 3, .max = 3,
          .doc = "Of the list prices; the operator's unless said otherwise."),
    FIELD(struct plan, tax_included, BOOL,
          .doc = "The prices hold the tax, as they are shown to consumers."),
    FIELD(struct plan, member_free, BOOL,
          .doc = "Costs the client nothing: the host's marketing bears it."),
    FIELD(struct plan, charges, LIST, .min = 1, .max = PLAN_CHARGES_MAX, .schema = &charge_schema,
          .doc = "How each part is priced."),
    FIELD(struct plan, retired, BOOL, .doc = "Cannot be subscribed to any more."),
    FIELD(struct plan, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE, .doc = "When made."),
    FIELD(struct plan, changed, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When changed last."),
};
const struct schema plan_schema = SCHEMA(struct plan, "plan", plan_fields, "How an item is sold.");

static const struct field plan_query_fields[] = {
    PAGE_FIELDS(struct plan_query),
    FIELD(struct plan_query, item, TEXT, .min = 1, .max = ITEM_CODE_MAX, .doc = "Of this item."),
};
const struct schema plan_query_schema =
    SCHEMA(struct plan_query, "plan_query", plan_query_fields, "Filters of the list of plans.");
