#include "billing/document.h"

const char *const document_kinds[] = {
    "invoice", "credit-note", "corrected", "prepayment", "self-billed", "self-billed-credit", NULL};
const char *const document_states[] = {"draft", "held",     "final",       "part-paid",
                                       "paid",  "credited", "written-off", NULL};

static const struct field document_tax_fields[] = {
    FIELD(struct document_tax, category, TEXT, .flags = FIELD_READ_ONLY, .max = 2,
          .doc = "UNCL 5305: S standard, AE reverse charge, E exempt, O outside the scope.",
          .example = "\"S\""),
    FIELD(struct document_tax, rate, DECIMAL, .flags = FIELD_READ_ONLY, .doc = "Percent.",
          .example = "\"20\""),
    FIELD(struct document_tax, net, DECIMAL, .flags = FIELD_READ_ONLY,
          .doc = "What it is taken of.", .example = "\"195.00\""),
    FIELD(struct document_tax, tax, DECIMAL, .flags = FIELD_READ_ONLY, .doc = "The tax.",
          .example = "\"39.00\""),
    FIELD(struct document_tax, reason, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "Why there is none: a code of the VATEX list."),
};
const struct schema document_tax_schema =
    SCHEMA(struct document_tax, "document_tax", document_tax_fields,
           "What bears tax at one rate, and the tax.");

static const struct field document_exchange_fields[] = {
    FIELD(struct document_exchange_view, currency, TEXT, .flags = FIELD_READ_ONLY, .max = 3,
          .doc = "Currency in which the seller accounts for the tax (BT-6).", .example = "\"EUR\""),
    FIELD(struct document_exchange_view, tax, DECIMAL, .flags = FIELD_READ_ONLY,
          .doc = "The tax in it (BT-111).", .example = "\"35.98\""),
    FIELD(struct document_exchange_view, rate, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "How much of it one of the document's currency is: a decimal, or a fraction.",
          .example = "\"0.9227\""),
    FIELD(struct document_exchange_view, date, DATE, .flags = FIELD_READ_ONLY,
          .doc = "The day of the rate."),
    FIELD(struct document_exchange_view, source, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "Who published the rate.", .example = "\"ECB reference rate\""),
    FIELD(struct document_exchange_view, rounding, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "How the whole tax is rounded, once.", .example = "\"half away from zero\""),
};
const struct schema document_exchange_schema =
    SCHEMA(struct document_exchange_view, "document_exchange", document_exchange_fields,
           "The tax of a document in another currency, and the rate.");

static const struct field document_fields[] = {
    FIELD(struct document, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "inv",
          .doc = "Id of the document."),
    FIELD(struct document, kind, WORD, .flags = FIELD_READ_ONLY, .words = document_kinds,
          .doc = "What it is: UNTDID 1001 380, 381, 384, 386, 389, 261.", .example = "\"invoice\""),
    FIELD(struct document, number, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "Its number, without gaps for each issuer, series and year; none while a draft.",
          .example = "\"2026-000017\""),
    FIELD(struct document, state, WORD, .flags = FIELD_READ_ONLY, .words = document_states,
          .doc = "How far it is."),
    FIELD(struct document, issuer, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pty",
          .doc = "Who sells; of a self-billed one, who is paid."),
    FIELD(struct document, recipient, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pty",
          .doc = "Who buys."),
    FIELD(struct document, agreement, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "agr",
          .doc = "The agreement under which it is."),
    FIELD(struct document, currency, TEXT, .flags = FIELD_READ_ONLY, .max = 3,
          .doc = "Its currency (ISO 4217).", .example = "\"EUR\""),
    FIELD(struct document, issued, DATE, .flags = FIELD_READ_ONLY,
          .doc = "Its date, in the issuer's time zone."),
    FIELD(struct document, due, DATE, .flags = FIELD_READ_ONLY,
          .doc = "Until when it is to be paid."),
    FIELD(struct document, period_begin, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "Begin of the period that it is about."),
    FIELD(struct document, period_end, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "End of it."),
    FIELD(struct document, net, DECIMAL, .flags = FIELD_READ_ONLY, .doc = "Sum without tax.",
          .example = "\"195.00\""),
    FIELD(struct document, tax, DECIMAL, .flags = FIELD_READ_ONLY, .doc = "Tax.",
          .example = "\"39.00\""),
    FIELD(struct document, gross, DECIMAL, .flags = FIELD_READ_ONLY, .doc = "Sum with tax.",
          .example = "\"234.00\""),
    FIELD(struct document, prepaid, DECIMAL, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "What wallets and promotional credit paid."),
    FIELD(struct document, payable, DECIMAL, .flags = FIELD_READ_ONLY,
          .doc = "What was to be paid when it was issued."),
    FIELD(struct document, paid, DECIMAL, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "What was paid of it since."),
    FIELD(struct document, credited, DECIMAL, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "What credit notes took back, with tax."),
    FIELD(struct document, written_off, DECIMAL, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "What nobody will pay any more."),
    FIELD(struct document, taxes, LIST, .flags = FIELD_READ_ONLY | FIELD_WIDE, .max = 64,
          .schema = &document_tax_schema, .doc = "Its tax by category and rate."),
    FIELD(struct document, tax_exchange, OBJECT, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .schema = &document_exchange_schema,
          .doc = "Its tax in the currency in which the seller accounts for it, where that is "
                 "another one."),
    FIELD(struct document, close, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "cls",
          .doc = "The close that made it."),
    FIELD(struct document, refers_to, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .prefix = "inv",
          .doc = "The document that it credits or corrects."),
    FIELD(struct document, note, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .max = 1000,
          .doc = "What was written on it."),
    FIELD(struct document, created, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When it was made."),
};
const struct schema document_schema = SCHEMA(struct document, "document", document_fields,
                                             "An invoice, credit note or self-billed invoice.");

static const struct field document_line_fields[] = {
    FIELD(struct document_line, line, INT, .flags = FIELD_READ_ONLY, .min = 1, .max = INT64_MAX,
          .doc = "Its number in the document."),
    FIELD(struct document_line, subscription, TEXT, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .prefix = "sub", .doc = "The subscription that it is for."),
    FIELD(struct document_line, item, TEXT, .flags = FIELD_READ_ONLY, .doc = "Code of the item."),
    FIELD(struct document_line, text, TEXT, .flags = FIELD_READ_ONLY, .doc = "What it is."),
    FIELD(struct document_line, from, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "Begin of its time."),
    FIELD(struct document_line, until, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "End of its time."),
    FIELD(struct document_line, quantity, DECIMAL, .flags = FIELD_READ_ONLY, .doc = "How much."),
    FIELD(struct document_line, unit, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "Of what (UN/ECE recommendation 20).", .example = "\"MON\""),
    FIELD(struct document_line, price, DECIMAL, .flags = FIELD_READ_ONLY,
          .doc = "Price of a unit."),
    FIELD(struct document_line, net, DECIMAL, .flags = FIELD_READ_ONLY,
          .doc = "What it costs without tax."),
    FIELD(struct document_line, discount, DECIMAL, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "What was taken off before."),
    FIELD(struct document_line, tax_category, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "Category of its tax."),
    FIELD(struct document_line, tax_rate, DECIMAL, .flags = FIELD_READ_ONLY,
          .doc = "Its tax in percent."),
};
const struct schema document_line_schema =
    SCHEMA(struct document_line, "document_line", document_line_fields, "One line of a document.");

static const struct field document_line_query_fields[] = {
    PAGE_FIELDS(struct document_line_query),
};
const struct schema document_line_query_schema =
    SCHEMA(struct document_line_query, "document_line_query", document_line_query_fields,
           "Which lines, in their order.");

static const struct field document_query_fields[] = {
    PAGE_FIELDS(struct document_query),
    FIELD(struct document_query, kind, WORD, .words = document_kinds,
          .doc = "Documents of this kind only."),
    FIELD(struct document_query, state, WORD, .words = document_states,
          .doc = "In this state only."),
    FIELD(struct document_query, issuer, TEXT, .prefix = "pty",
          .doc = "Issued by this party only."),
    FIELD(struct document_query, recipient, TEXT, .prefix = "pty", .doc = "For this party only."),
    FIELD(struct document_query, close, TEXT, .prefix = "cls", .doc = "Made by this close only."),
};
const struct schema document_query_schema =
    SCHEMA(struct document_query, "document_query", document_query_fields,
           "Which documents, in what order.");

/* --- written by hand --- */

static const struct field order_line_fields[] = {
    FIELD(struct order_line, text, TEXT, .flags = FIELD_REQUIRED, .min = 1, .doc = "What it is.",
          .example = "\"Training day\""),
    FIELD(struct order_line, item, TEXT, .max = ITEM_CODE_MAX, .doc = "Code of an item."),
    FIELD(struct order_line, income, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 40,
          .doc = "Which income it is: part of an account's code.", .example = "\"Services\""),
    FIELD(struct order_line, quantity, DECIMAL, .flags = FIELD_REQUIRED, .doc = "How many.",
          .example = "\"2\""),
    FIELD(struct order_line, unit, TEXT, .min = 1, .max = 3,
          .doc = "Of what (UN/ECE recommendation 20); C62, pieces, unless given.",
          .example = "\"HUR\""),
    FIELD(struct order_line, price, DECIMAL, .flags = FIELD_REQUIRED,
          .doc = "Price of a unit, without tax unless prices hold it.", .example = "\"100.00\""),
    FIELD(struct order_line, discount, DECIMAL, .doc = "What is taken off.",
          .example = "\"10.00\""),
    FIELD(struct order_line, tax_class, WORD, .words = tax_classes,
          .doc = "Which rate of the country's; standard unless given."),
    FIELD(struct order_line, from, TIME, .doc = "Begin of its time."),
    FIELD(struct order_line, until, TIME, .doc = "End of its time."),
    FIELD(struct order_line, deferred, BOOL,
          .doc = "Whether it is paid in advance and earned over its time."),
};
const struct schema order_line_schema =
    SCHEMA(struct order_line, "document_order_line", order_line_fields,
           "One line of an invoice that is written by hand.");

static const struct field document_order_fields[] = {
    FIELD(struct document_order, recipient, TEXT, .flags = FIELD_REQUIRED, .prefix = "pty",
          .doc = "Who buys."),
    FIELD(struct document_order, agreement, TEXT, .prefix = "agr",
          .doc = "Agreement between the two; needed where neither sponsors the other."),
    FIELD(struct document_order, currency, TEXT, .min = 3, .max = 3,
          .doc = "Currency (ISO 4217); the recipient's unless given.", .example = "\"EUR\""),
    FIELD(struct document_order, corrects, TEXT, .prefix = "inv",
          .doc = "The invoice that it replaces, which is credited wholly."),
    FIELD(struct document_order, payment_days, INT, .min = 0, .max = 365,
          .doc = "In how many days it is to be paid.", .example = "30"),
    FIELD(struct document_order, tax_included, BOOL, .doc = "Whether prices hold the tax."),
    FIELD(struct document_order, period_begin, TIME, .doc = "Begin of what it is about."),
    FIELD(struct document_order, period_end, TIME, .doc = "End of it."),
    FIELD(struct document_order, note, TEXT, .max = 1000, .doc = "To be written on it."),
    FIELD(struct document_order, lines, LIST, .max = 1000, .schema = &order_line_schema,
          .doc = "What is sold: 1 to 1,000 lines."),
};
const struct schema document_order_schema =
    SCHEMA(struct document_order, "document_order", document_order_fields,
           "An invoice that is written by hand.");

static const struct field credit_line_fields[] = {
    FIELD(struct credit_line, line, INT, .flags = FIELD_REQUIRED, .min = 1, .max = INT64_MAX,
          .doc = "Number of the line.", .example = "1"),
    FIELD(struct credit_line, net, DECIMAL,
          .doc = "How much of it, without tax; all that is left unless given.",
          .example = "\"70.00\""),
};
const struct schema credit_line_schema =
    SCHEMA(struct credit_line, "credit_line", credit_line_fields, "What of a line is credited.");

static const struct field credit_order_fields[] = {
    FIELD(struct credit_order, lines, LIST, .max = 1000, .schema = &credit_line_schema,
          .doc = "Which lines; all that is left of the document unless given."),
    FIELD(struct credit_order, note, TEXT, .max = 1000, .doc = "Why."),
};
const struct schema credit_order_schema =
    SCHEMA(struct credit_order, "credit_order", credit_order_fields, "What is credited.");
