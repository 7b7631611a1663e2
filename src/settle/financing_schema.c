#include "settle/financing.h"

#define READ .flags = FIELD_READ_ONLY
#define WIDE .flags = FIELD_READ_ONLY | FIELD_WIDE

static const struct field fields[] = {
    FIELD(struct financing, id, TEXT, READ, .prefix = "fin", .doc = "Id of the financing."),
    FIELD(struct financing, agreement, TEXT, .flags = FIELD_REQUIRED | FIELD_WIDE, .prefix = "agr",
          .doc = "The COST agreement by which it comes back, from the debtor to the financier."),
    FIELD(struct financing, label, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .max = AGREEMENT_LABEL_MAX, .doc = "Label of the rule whose money gives it back.",
          .example = "\"P2vShare\""),
    FIELD(struct financing, financier, TEXT, READ, .prefix = "pty", .doc = "Who put it in."),
    FIELD(struct financing, debtor, TEXT, READ, .prefix = "pty", .doc = "Who gives it back."),
    FIELD(struct financing, client, TEXT, .flags = FIELD_WIDE, .prefix = "pty",
          .doc = "With an invoice, for whom it was paid; of money, the debtor."),
    FIELD(struct financing, document, TEXT, .flags = FIELD_WIDE, .prefix = "inv",
          .doc = "The invoice that it pays, told by the financier; without one it is money, told "
                 "by the debtor, who had it."),
    FIELD(struct financing, reference, TEXT, .flags = FIELD_REQUIRED | FIELD_WIDE, .min = 1,
          .max = 140, .doc = "The bank's reference or your own: once for the agreement.",
          .example = "\"loan-2026-1\""),
    FIELD(struct financing, currency, TEXT, READ, .doc = "Currency: the agreement's."),
    FIELD(struct financing, amount, DECIMAL, .flags = FIELD_REQUIRED,
          .doc = "The capital, above 0; of an invoice, what it costs.", .example = "\"10000.00\""),
    FIELD(struct financing, returns, DECIMAL,
          .doc = "What comes back by the rule in all, capital and what it earns; the capital "
                 "unless said otherwise.",
          .example = "\"11000.00\""),
    FIELD(struct financing, received, DECIMAL, READ, .doc = "What of that is owed or paid so far."),
    FIELD(struct financing, repaid, DECIMAL, READ, .doc = "What of the capital came back with it."),
    FIELD(struct financing, lost, DECIMAL, READ,
          .doc = "What of the capital will not come, as invoices were written off."),
    FIELD(struct financing, created, TIME, WIDE, .doc = "When it was told."),
};
const struct schema financing_schema =
    SCHEMA(struct financing, "financing", fields, "Capital put in, and how it comes back.");
