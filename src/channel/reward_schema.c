#include "channel/reward.h"

static const struct field reward_fields[] = {
    FIELD(struct reward, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "rwd",
          .doc = "Id of the promise."),
    FIELD(struct reward, party, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "pty",
          .doc = "Party that promises, and whose marketing pays."),
    FIELD(struct reward, inviter_amount, DECIMAL, .flags = FIELD_REQUIRED,
          .doc = "Credit for who invites, in major units; 0 promises nothing.",
          .example = "\"25.00\""),
    FIELD(struct reward, invitee_amount, DECIMAL, .flags = FIELD_REQUIRED,
          .doc = "Credit for who comes.", .example = "\"25.00\""),
    FIELD(struct reward, currency, TEXT, .min = 3, .max = 3,
          .doc = "Currency (ISO 4217); the party's unless given.", .example = "\"CNY\""),
    FIELD(struct reward, expires_days, INT, .min = 0, .max = REWARD_DAYS_MAX,
          .doc = "Days after which unused credit ends; 0: it does not."),
    FIELD(struct reward, valid_from, TIME,
          .doc = "From when on it is promised; now unless given, never the past."),
    FIELD(struct reward, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When it was made."),
};
const struct schema reward_schema =
    SCHEMA(struct reward, "reward", reward_fields, "What a party promises for an invitation.");
