#include "catalog/subscription.h"

const char *const subscription_states[] = {"active", "ended", NULL};

static const struct field subscription_fields[] = {
    FIELD(struct subscription, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "sub",
          .doc = "Id of the subscription."),
    FIELD(struct subscription, version, INT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .min = 1,
          .max = INT64_MAX, .doc = "Grows with every change; the ETag."),
    FIELD(struct subscription, seller, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pty",
          .doc = "Who sells it."),
    FIELD(struct subscription, client, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pty",
          .doc = "Who buys it."),
    FIELD(struct subscription, agreement, TEXT, .prefix = "agr", .flags = FIELD_WIDE,
          .doc = "The supply agreement by which it reaches the client."),
    FIELD(struct subscription, plan, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 60,
          .doc = "Plan, by its id or code.", .example = "\"vm-4-monthly\""),
    FIELD(struct subscription, plan_number, INT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .min = 1,
          .max = INT64_MAX, .doc = "Version of the plan."),
    FIELD(struct subscription, item, TEXT, .flags = FIELD_READ_ONLY, .doc = "Code of the item."),
    FIELD(struct subscription, quantity, DECIMAL, .doc = "How many units; 1 unless said otherwise.",
          .example = "\"10\""),
    FIELD(struct subscription, producer, TEXT, .prefix = "pty", .flags = FIELD_WIDE,
          .doc = "Party that provides it and earns its share; the operator where it is empty."),
    FIELD(struct subscription, asset, TEXT, .min = 1, .max = 80, .flags = FIELD_WIDE,
          .doc = "The site or server that it runs on."),
    FIELD(struct subscription, parent, TEXT, .prefix = "sub", .flags = FIELD_WIDE,
          .doc = "The subscription above it, in a tree."),
    FIELD(struct subscription, name, TEXT, .min = 1, .max = 120, .doc = "The client's own words."),
    FIELD(struct subscription, anchored, BOOL, .flags = FIELD_WIDE,
          .doc = "Periods begin like its start, not with the calendar's."),
    FIELD(struct subscription, start, TIME, .doc = "When it begins; now unless said otherwise."),
    FIELD(struct subscription, ends, TIME, .doc = "When it ends; open unless said otherwise."),
    FIELD(struct subscription, state, WORD, .flags = FIELD_READ_ONLY, .words = subscription_states,
          .doc = "Whether it runs."),
    FIELD(struct subscription, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When made."),
    FIELD(struct subscription, changed, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When changed last."),
};
const struct schema subscription_schema =
    SCHEMA(struct subscription, "subscription", subscription_fields, "What a client has bought.");

static const struct field query_fields[] = {
    PAGE_FIELDS(struct subscription_query),
    FIELD(struct subscription_query, client, TEXT, .prefix = "pty", .doc = "Of this client."),
    FIELD(struct subscription_query, plan, TEXT, .prefix = "pln", .doc = "Of this plan."),
    FIELD(struct subscription_query, state, WORD, .words = subscription_states,
          .doc = "In this state."),
};
const struct schema subscription_query_schema =
    SCHEMA(struct subscription_query, "subscription_query", query_fields, "Filters of the list.");

static const struct field limit_fields[] = {
    FIELD(struct path_limit, agreement, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .prefix = "agr", .doc = "The edge that it holds for."),
    FIELD(struct path_limit, item, TEXT, .min = 1, .max = ITEM_CODE_MAX,
          .doc = "Code of the item; none for the credit.", .example = "\"vm-4\""),
    FIELD(struct path_limit, units, DECIMAL,
          .doc = "How many of the item may run at once; none: no limit.", .example = "\"100\""),
    FIELD(struct path_limit, amount, DECIMAL,
          .doc = "The credit: what the fixed charges of all that runs may come to in a period; "
                 "none: no limit.",
          .example = "\"5000.00\""),
    FIELD(struct path_limit, used, DECIMAL, .flags = FIELD_READ_ONLY,
          .doc = "How much of it is used."),
    FIELD(struct path_limit, changed, TIME, .flags = FIELD_READ_ONLY, .doc = "When set."),
};
const struct schema path_limit_schema =
    SCHEMA(struct path_limit, "path_limit", limit_fields, "How much may be bought at once.");

static const struct field price_fields[] = {
    FIELD(struct price_row, item, TEXT, .flags = FIELD_READ_ONLY, .doc = "Code of the item."),
    FIELD(struct price_row, plan, TEXT, .flags = FIELD_READ_ONLY, .doc = "Code of the plan."),
    FIELD(struct price_row, charge, TEXT, .flags = FIELD_READ_ONLY, .doc = "What is charged."),
    FIELD(struct price_row, up_to, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "End of the tier, where the charge has tiers."),
    FIELD(struct price_row, unit, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "What the price is for; none: once, when the tier is reached."),
    FIELD(struct price_row, cost, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "What the seller who asks pays for it."),
    FIELD(struct price_row, price, TEXT, .flags = FIELD_READ_ONLY, .doc = "What the buyer pays."),
    FIELD(struct price_row, margin, TEXT, .flags = FIELD_READ_ONLY, .doc = "Price less cost."),
    FIELD(struct price_row, msrp, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "What the seller recommends to sell it at."),
    FIELD(struct price_row, currency, TEXT, .flags = FIELD_READ_ONLY, .doc = "Currency."),
};
const struct schema price_row_schema =
    SCHEMA(struct price_row, "price", price_fields, "A price of one side of an agreement.");
