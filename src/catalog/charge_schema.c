#include "catalog/charge.h"

const char *const charge_kinds[] = {"flat",     "per-unit",   "graduated",   "volume",
                                    "package",  "stair",      "percent",     "minimum",
                                    "one-time", "instalment", "descendants", NULL};

static const char *const class_words[] = {"standard", "reduced", "exempt", "outside", NULL};

static const struct field tier_fields[] = {
    FIELD(struct charge_tier, up_to, DECIMAL, .doc = "Up to this quantity; none on the last.",
          .example = "\"10\""),
    FIELD(struct charge_tier, price, DECIMAL, .doc = "For one unit of this tier.",
          .example = "\"5.00\""),
    FIELD(struct charge_tier, flat, DECIMAL, .doc = "Once, when the tier is reached."),
};
const struct schema charge_tier_schema =
    SCHEMA(struct charge_tier, "charge_tier", tier_fields, "One tier of a charge.");

static const struct field charge_fields[] = {
    FIELD(struct charge, label, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = CHARGE_LABEL_MAX,
          .doc = "What the line of an invoice says.", .example = "\"VM with 4 GB\""),
    FIELD(struct charge, kind, WORD, .flags = FIELD_REQUIRED, .words = charge_kinds,
          .doc = "How it is computed.", .example = "\"flat\""),
    FIELD(struct charge, meter, TEXT, .min = 1, .max = 80,
          .doc = "Code of the meter, where what was used is counted.",
          .example = "\"net.bytes-out\""),
    FIELD(struct charge, price, DECIMAL,
          .doc = "Operator's list price for one unit and period, or for one package.",
          .example = "\"50.00\""),
    FIELD(struct charge, tiers, LIST, .max = CHARGE_TIERS_MAX, .schema = &charge_tier_schema,
          .doc = "Tiers, ascending; the last has no end."),
    FIELD(struct charge, included, DECIMAL, .doc = "Quantity that costs nothing.",
          .example = "\"100\""),
    FIELD(struct charge, package, DECIMAL, .doc = "Units in one package."),
    FIELD(struct charge, percent, DECIMAL, .doc = "Percent of what was metered in major units."),
    FIELD(struct charge, minimum, DECIMAL,
          .doc = "The least that the metered charges come to in a period."),
    FIELD(struct charge, instalments, INT, .min = 1, .max = 1200,
          .doc = "In how many periods the price is paid."),
    FIELD(struct charge, advance, INT, .min = 0, .max = 1,
          .doc = "1: billed for the period that begins; 0: for the one that has ended."),
    FIELD(struct charge, tax_class, TEXT, .words = class_words,
          .doc = "Another rate of tax than the item's."),
};
const struct schema charge_schema =
    SCHEMA(struct charge, "charge", charge_fields, "How a part of a plan is priced.");
