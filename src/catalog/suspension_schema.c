#include "catalog/suspension.h"

static const struct field suspension_fields[] = {
    FIELD(struct suspension, subscription, TEXT, .flags = FIELD_READ_ONLY, .prefix = "sub",
          .doc = "Which subscription."),
    FIELD(struct suspension, seller, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pty",
          .doc = "Who sells it, and is not paid."),
    FIELD(struct suspension, client, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pty",
          .doc = "Who buys it."),
    FIELD(struct suspension, why, TEXT, .flags = FIELD_READ_ONLY, .doc = "Why."),
    FIELD(struct suspension, since, TIME, .flags = FIELD_READ_ONLY, .doc = "Since when."),
};
const struct schema suspension_schema =
    SCHEMA(struct suspension, "suspension", suspension_fields,
           "A subscription that is suspended until its client has paid.");
