#include "billing/book_view.h"

const char *const posting_words[] = {
    [0] = "other",
    [POSTING_INVOICE] = "invoice",
    [POSTING_TAX] = "tax",
    [POSTING_CREDIT_NOTE] = "credit-note",
    [POSTING_SHARE_ACCRUED] = "share-accrued",
    [POSTING_SHARE_EARNED] = "share-earned",
    [POSTING_SHARE_VOID] = "share-void",
    [POSTING_PAYMENT] = "payment",
    [POSTING_PAYOUT] = "payout",
    [POSTING_PREPAID] = "prepaid",
    [POSTING_RECOGNISED] = "recognised",
    [POSTING_REWARD] = "reward",
    [POSTING_BREAKAGE] = "breakage",
    [POSTING_BAD_DEBT] = "bad-debt",
    [POSTING_FREE_TIER] = "free-tier",
    [POSTING_MANUAL] = "manual",
    [POSTING_EXCHANGE] = "exchange",
    [POSTING_FINANCING] = "financing",
    NULL,
};

static const struct field book_account_fields[] = {
    FIELD(struct book_account, account, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "What it is: AR and AP say who owes, then Income, Expense, VAT and so on.",
          .example = "\"Income:VPS\""),
    FIELD(struct book_account, currency, TEXT, .flags = FIELD_READ_ONLY, .max = 3,
          .doc = "Currency of the book (ISO 4217).", .example = "\"EUR\""),
    FIELD(struct book_account, debits, DECIMAL, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "All that was debited."),
    FIELD(struct book_account, credits, DECIMAL, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "All that was credited."),
    FIELD(struct book_account, balance, DECIMAL, .flags = FIELD_READ_ONLY,
          .doc = "Debits less credits.", .example = "\"-195.00\""),
    FIELD(struct book_account, reserved_debits, DECIMAL, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "Debits that wait to be posted or released."),
    FIELD(struct book_account, reserved_credits, DECIMAL, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "Credits that do."),
    FIELD(struct book_account, closed, BOOL, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "Whether nothing is posted to it any more."),
};
const struct schema book_account_schema = SCHEMA(
    struct book_account, "book_account", book_account_fields, "An account of the party's books.");

static const struct field book_query_fields[] = {
    PAGE_FIELDS(struct book_query),
    FIELD(struct book_query, currency, TEXT, .min = 3, .max = 3, .doc = "Of this currency only."),
    FIELD(struct book_query, account, TEXT, .min = 1, .max = 120,
          .doc = "Accounts that begin so only.", .example = "\"AR:\""),
    FIELD(struct book_query, at, TIME,
          .doc = "Balances as they were at this instant; now unless given."),
};
const struct schema book_query_schema =
    SCHEMA(struct book_query, "book_query", book_query_fields, "Which accounts.");

static const struct field book_transfer_fields[] = {
    FIELD(struct book_transfer, at, TIME, .flags = FIELD_READ_ONLY, .doc = "When."),
    FIELD(struct book_transfer, kind, TEXT, .flags = FIELD_READ_ONLY, .doc = "What kind it is.",
          .example = "\"invoice\""),
    FIELD(struct book_transfer, debit, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "The account that is debited."),
    FIELD(struct book_transfer, credit, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "The account that is credited."),
    FIELD(struct book_transfer, amount, DECIMAL, .flags = FIELD_READ_ONLY, .doc = "How much."),
    FIELD(struct book_transfer, currency, TEXT, .flags = FIELD_READ_ONLY, .max = 3,
          .doc = "Of what (ISO 4217)."),
    FIELD(struct book_transfer, event, INT, .flags = FIELD_READ_ONLY, .max = INT64_MAX,
          .doc = "The same in all legs of one event."),
    FIELD(struct book_transfer, state, TEXT, .flags = FIELD_READ_ONLY,
          .doc = "posted, reserved or released."),
};
const struct schema book_transfer_schema =
    SCHEMA(struct book_transfer, "book_transfer", book_transfer_fields, "One leg in a book.");

static const struct field book_transfer_query_fields[] = {
    PAGE_FIELDS(struct book_transfer_query),
    FIELD(struct book_transfer_query, account, TEXT, .min = 1, .max = 120,
          .doc = "Of this account only; with its currency."),
    FIELD(struct book_transfer_query, currency, TEXT, .min = 3, .max = 3,
          .doc = "Of books in this currency only."),
    FIELD(struct book_transfer_query, since, TIME, .doc = "From then on; 31 days unless given."),
    FIELD(struct book_transfer_query, until, TIME, .doc = "Before then; now unless given."),
};
const struct schema book_transfer_query_schema =
    SCHEMA(struct book_transfer_query, "book_transfer_query", book_transfer_query_fields,
           "Which transfers; at most 366 days.");
