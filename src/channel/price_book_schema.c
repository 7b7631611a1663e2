#include "channel/price_book.h"

const char *const entry_ops[] = {"abs", "mul", "add", "hide", NULL};

static const struct field price_book_fields[] = {
    FIELD(struct price_book, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "bok",
          .doc = "Id of the price book."),
    FIELD(struct price_book, version, INT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .min = 1,
          .max = INT64_MAX, .doc = "Grows with every change; the ETag."),
    FIELD(struct price_book, party, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pty",
          .doc = "The seller whose book it is."),
    FIELD(struct price_book, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 80,
          .doc = "Name of the book, for the seller alone.", .example = "\"member\""),
    FIELD(struct price_book, currency, TEXT, .min = 3, .max = 3,
          .doc = "Currency (ISO 4217); the seller's unless given; it stays.", .example = "\"EUR\""),
    FIELD(struct price_book, floor_percent, DECIMAL,
          .doc = "No price below so many percent of what a seller pays itself; 100 is cost; it "
                 "binds this book and those of all that are supplied through it.",
          .example = "\"100\""),
    FIELD(struct price_book, max_discount_percent, DECIMAL,
          .doc = "No price more than so many percent below the price bought at; binds likewise.",
          .example = "\"20\""),
    FIELD(struct price_book, created, TIME, .flags = FIELD_READ_ONLY, .doc = "When it was made."),
    FIELD(struct price_book, changed, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When it was last changed."),
};
const struct schema price_book_schema =
    SCHEMA(struct price_book, "price_book", price_book_fields,
           "What a seller makes of the prices that it buys at.");

static const struct field price_entry_fields[] = {
    FIELD(struct price_entry, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pre",
          .doc = "Id of the entry."),
    FIELD(struct price_entry, book, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "bok",
          .doc = "The book that it is in."),
    FIELD(struct price_entry, item, TEXT, .min = 1, .max = PRICE_TARGET_MAX,
          .doc = "Code of the item that it is for.", .example = "\"vm-4\""),
    FIELD(struct price_entry, category, TEXT, .min = 1, .max = PRICE_TARGET_MAX,
          .doc = "Or the category; neither is for all.", .example = "\"vm\""),
    FIELD(struct price_entry, op, WORD, .flags = FIELD_REQUIRED, .words = entry_ops,
          .doc = "abs sets a price, mul takes percent of the price bought at, add adds to it, hide "
                 "shows the item to nobody below.",
          .example = "\"mul\""),
    FIELD(struct price_entry, value, DECIMAL,
          .doc = "abs, add: major units for one unit; mul: percent, 112 is 12 % more.",
          .example = "\"112\""),
    FIELD(struct price_entry, msrp, DECIMAL,
          .doc = "Recommended price of the next seller, shown to the buyer; binds nobody."),
    FIELD(struct price_entry, valid_from, TIME,
          .doc = "From when on it holds; now unless given, never the past."),
    FIELD(struct price_entry, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When it was added."),
};
const struct schema price_entry_schema =
    SCHEMA(struct price_entry, "price_entry", price_entry_fields, "One rule of a price book.");
