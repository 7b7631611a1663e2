#include "billing/wallet.h"

const char *const wallet_kinds[] = {"prepaid", "promo", NULL};

static const struct field wallet_fields[] = {
    FIELD(struct wallet, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "wal",
          .doc = "Id of the wallet."),
    FIELD(struct wallet, party, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "pty",
          .doc = "The seller that owes the credit."),
    FIELD(struct wallet, client, TEXT, .flags = FIELD_REQUIRED, .prefix = "pty",
          .doc = "Whose credit it is."),
    FIELD(struct wallet, kind, WORD, .words = wallet_kinds,
          .doc = "Money that was paid before, or promotional credit.", .example = "\"promo\""),
    FIELD(struct wallet, reason, TEXT, .flags = FIELD_WIDE, .min = 1, .max = WALLET_REASON_MAX,
          .doc = "What it is for."),
    FIELD(struct wallet, currency, TEXT, .flags = FIELD_REQUIRED, .min = 3, .max = 3,
          .doc = "Currency (ISO 4217).", .example = "\"CNY\""),
    FIELD(struct wallet, amount, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 24,
          .doc = "How much credit.", .example = "\"25.00\""),
    FIELD(struct wallet, left, TEXT, .flags = FIELD_READ_ONLY, .doc = "How much of it is left."),
    FIELD(struct wallet, priority, INT, .min = 0, .max = WALLET_PRIORITY_MAX,
          .doc = "Smaller ones pay first; of the same, those that expire first."),
    FIELD(struct wallet, expires, TIME, .doc = "When promotional credit ends."),
    FIELD(struct wallet, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When it was given."),
};
const struct schema wallet_schema =
    SCHEMA(struct wallet, "wallet", wallet_fields, "Credit that a client has with its seller.");

static const struct field coupon_fields[] = {
    FIELD(struct coupon, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "cou",
          .doc = "Id of the coupon."),
    FIELD(struct coupon, party, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "pty",
          .doc = "The seller."),
    FIELD(struct coupon, code, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = COUPON_CODE_MAX,
          .doc = "Its name, unique for the seller.", .example = "\"SPRING\""),
    FIELD(struct coupon, client, TEXT, .prefix = "pty", .doc = "For this client only."),
    FIELD(struct coupon, item, TEXT, .min = 1, .max = ITEM_CODE_MAX,
          .doc = "For lines of this item only (its code)."),
    FIELD(struct coupon, percent, TEXT, .min = 1, .max = 8,
          .doc = "By how many per cent each line is less.", .example = "\"10\""),
    FIELD(struct coupon, amount, TEXT, .min = 1, .max = 24,
          .doc = "Or by how much in each close the lines together are.", .example = "\"5.00\""),
    FIELD(struct coupon, currency, TEXT, .min = 3, .max = 3,
          .doc = "Of the amount; of a percentage: lines in this currency only.",
          .example = "\"EUR\""),
    FIELD(struct coupon, times, INT, .min = 0, .max = 1000000,
          .doc = "For how many documents it counts; 0 for any number."),
    FIELD(struct coupon, left, INT, .flags = FIELD_READ_ONLY, .min = 0, .max = 1000000,
          .doc = "How many of them are left; 0 where any number is."),
    FIELD(struct coupon, expires, TIME, .doc = "When it ends."),
    FIELD(struct coupon, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When it was made."),
};
const struct schema coupon_schema =
    SCHEMA(struct coupon, "coupon", coupon_fields, "A discount that a seller gives.");
