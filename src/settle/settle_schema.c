#include "settle/fund.h"
#include "settle/share.h"
#include "settle/statement.h"

#define READ .flags = FIELD_READ_ONLY
#define WIDE .flags = FIELD_READ_ONLY | FIELD_WIDE

static const char *const payment_states[] = {"matched", "part", "suspense", "returned", NULL};

static const struct field payment_fields[] = {
    FIELD(struct payment, id, TEXT, READ, .prefix = "pay", .doc = "Id of the payment."),
    FIELD(struct payment, party, TEXT, WIDE, .prefix = "pty", .doc = "Who received it."),
    FIELD(struct payment, payer, TEXT, .prefix = "pty",
          .doc = "Who paid; found by the document where it is not given."),
    FIELD(struct payment, amount, DECIMAL, .flags = FIELD_REQUIRED, .doc = "Amount, above 0.",
          .example = "\"234.00\""),
    FIELD(struct payment, currency, TEXT, .flags = FIELD_REQUIRED, .min = 3, .max = 3,
          .doc = "Currency (ISO 4217).", .example = "\"EUR\""),
    FIELD(struct payment, reference, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 140,
          .doc = "The bank's or provider's own reference: one payment is booked once by it.",
          .example = "\"camt053-2026-02-03-17\""),
    FIELD(struct payment, remittance, TEXT, .min = 1, .max = 140, .flags = FIELD_WIDE,
          .doc = "What the payer wrote: an RF reference finds its invoice."),
    FIELD(struct payment, document, TEXT, .prefix = "inv", .flags = FIELD_WIDE,
          .doc = "The invoice that is paid; matched where it is not given."),
    FIELD(struct payment, value_date, DATE, .flags = FIELD_REQUIRED, .doc = "Date of the money.",
          .example = "\"2026-02-03\""),
    FIELD(struct payment, matched, DECIMAL, READ, .doc = "How much of it found invoices."),
    FIELD(struct payment, state, TEXT, READ, .words = payment_states, .doc = "How it stands."),
    FIELD(struct payment, created, TIME, WIDE, .doc = "When booked."),
};
const struct schema payment_schema =
    SCHEMA(struct payment, "payment", payment_fields, "Money that came in.");

static const struct field statement_fields[] = {
    FIELD(struct statement, id, TEXT, READ, .prefix = "stm", .doc = "Id of the statement."),
    FIELD(struct statement, party, TEXT, READ, .prefix = "pty", .doc = "Who is owed."),
    FIELD(struct statement, payer, TEXT, READ, .doc = "Who owes: a party, or Clearing."),
    FIELD(struct statement, period, TEXT, READ, .doc = "What it is of.", .example = "\"2026-01\""),
    FIELD(struct statement, currency, TEXT, READ, .doc = "Currency."),
    FIELD(struct statement, accrued, DECIMAL, READ,
          .doc = "Shares since the statement before, less what of them is void by now."),
    FIELD(struct statement, earned, DECIMAL, READ, .doc = "Earned and mature with this statement."),
    FIELD(struct statement, clawed_back, DECIMAL, READ, .doc = "Taken back with this statement."),
    FIELD(struct statement, payable, DECIMAL, READ, .doc = "To be paid, with tax."),
    FIELD(struct statement, paid, DECIMAL, READ, .doc = "Paid."),
    FIELD(struct statement, waiting, DECIMAL, READ,
          .doc = "Accrued, and not earned or not mature yet."),
    FIELD(struct statement, document, TEXT, WIDE, .prefix = "inv",
          .doc = "The self-billed invoice or credit note."),
    FIELD(struct statement, close, TEXT, WIDE, .prefix = "cls", .doc = "The close that made it."),
    FIELD(struct statement, created, TIME, READ, .doc = "When made."),
};
const struct schema statement_schema =
    SCHEMA(struct statement, "statement", statement_fields, "What a party is owed, and why.");

static const struct field line_fields[] = {
    FIELD(struct statement_line, agreement, TEXT, READ, .prefix = "agr", .doc = "By what right."),
    FIELD(struct statement_line, client, TEXT, READ, .prefix = "pty",
          .doc = "Whose purchase it comes from, where the payee may know."),
    FIELD(struct statement_line, document, TEXT, READ, .prefix = "inv",
          .doc = "The invoice it comes from, where the payee is a side of it."),
    FIELD(struct statement_line, subscription, TEXT, WIDE, .prefix = "sub",
          .doc = "The subscription, where it is one."),
    FIELD(struct statement_line, item, TEXT, READ, .doc = "The item, where it is one."),
    FIELD(struct statement_line, text, TEXT, READ, .doc = "How it was computed."),
    FIELD(struct statement_line, base, DECIMAL, READ, .doc = "Of what."),
    FIELD(struct statement_line, amount, DECIMAL, READ, .doc = "What this statement has of it."),
    FIELD(struct statement_line, earned, DECIMAL, READ, .doc = "Earned of it so far, in all."),
    FIELD(struct statement_line, state, TEXT, READ, .doc = "How it stands."),
};
const struct schema statement_line_schema =
    SCHEMA(struct statement_line, "statement_line", line_fields, "A share on a statement.");

const char *const payout_states[] = {"pending",  "approved", "sent", "confirmed",
                                     "returned", "void",     NULL};

static const struct field payout_fields[] = {
    FIELD(struct payout, id, TEXT, READ, .prefix = "pyo", .doc = "Id of the payout."),
    FIELD(struct payout, party, TEXT, WIDE, .prefix = "pty", .doc = "Who pays."),
    FIELD(struct payout, payee, TEXT, READ, .prefix = "pty", .doc = "Who is paid."),
    FIELD(struct payout, amount, DECIMAL, READ, .doc = "Amount."),
    FIELD(struct payout, currency, TEXT, READ, .doc = "Currency."),
    FIELD(struct payout, iban, TEXT, READ, .doc = "Account that it goes to."),
    FIELD(struct payout, end_to_end, TEXT, READ, .doc = "Reference that the bank gives back."),
    FIELD(struct payout, state, WORD, READ, .words = payout_states, .doc = "How it stands."),
    FIELD(struct payout, approved_by, TEXT, WIDE, .prefix = "usr", .doc = "First pair of eyes."),
    FIELD(struct payout, released_by, TEXT, WIDE, .prefix = "usr", .doc = "Second pair of eyes."),
    FIELD(struct payout, settlement, TEXT, WIDE, .doc = "The run that made it."),
    FIELD(struct payout, created, TIME, WIDE, .doc = "When made."),
};
const struct schema payout_schema =
    SCHEMA(struct payout, "payout", payout_fields, "Money that goes out.");

static const struct field settlement_fields[] = {
    FIELD(struct settlement, id, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 40,
          .doc = "Your name for the run: the same again has no effect.", .example = "\"2026-01\""),
    FIELD(struct settlement, party, TEXT, WIDE, .prefix = "pty", .doc = "Who pays."),
    FIELD(struct settlement, cut_off, TIME,
          .doc = "What is earned and mature by then; now unless said otherwise."),
    FIELD(struct settlement, payouts, INT, READ, .min = 0, .max = INT64_MAX,
          .doc = "How many payouts it made."),
    FIELD(struct settlement, amount, TEXT, READ, .max = 100000, .doc = "Their amounts."),
    FIELD(struct settlement, passed, TEXT, READ, .max = SETTLEMENT_PASSED_TEXT,
          .doc = "Of what no statement could be made, and why: the next run tries it again."),
};
const struct schema settlement_schema =
    SCHEMA(struct settlement, "settlement", settlement_fields, "A run that pays what is due.");

static const struct field payout_answer_fields[] = {
    FIELD(struct payout_answer, returned, BOOL,
          .doc = "The bank sent it back; else it has arrived."),
};
const struct schema payout_answer_schema =
    SCHEMA(struct payout_answer, "payout_answer", payout_answer_fields, "What the bank said.");

static const struct field share_fields[] = {
    FIELD(struct share_row, payer, TEXT, READ, .doc = "Who owes."),
    FIELD(struct share_row, origin, TEXT, READ, .doc = "Kind of right."),
    FIELD(struct share_row, client, TEXT, READ, .prefix = "pty",
          .doc = "Whose purchase it comes from, where the payee may know."),
    FIELD(struct share_row, item, TEXT, READ, .doc = "The item, where it is one."),
    FIELD(struct share_row, text, TEXT, READ, .doc = "How it was computed."),
    FIELD(struct share_row, base, DECIMAL, READ, .doc = "Of what."),
    FIELD(struct share_row, amount, DECIMAL, READ, .doc = "Worth."),
    FIELD(struct share_row, earned, DECIMAL, READ, .doc = "Earned so far."),
    FIELD(struct share_row, settled, DECIMAL, READ, .doc = "Taken over by statements."),
    FIELD(struct share_row, currency, TEXT, READ, .doc = "Currency."),
    FIELD(struct share_row, created, TIME, READ, .doc = "When accrued."),
};
const struct schema share_row_schema =
    SCHEMA(struct share_row, "share", share_fields, "A right to a part of an invoice.");

static const struct field clearing_fields[] = {
    FIELD(struct clearing_entry, kind, TEXT, READ,
          .doc = "collected: from a client; received, paid: within the channel; payout; recovered: "
                 "what the operator lent Clearing; waits: Clearing has not enough on its account "
                 "to pay it out."),
    FIELD(struct clearing_entry, document, TEXT, READ, .prefix = "inv",
          .doc = "The invoice that was paid."),
    FIELD(struct clearing_entry, other, TEXT, READ,
          .doc = "Who paid, who was paid, the payout, the run."),
    FIELD(struct clearing_entry, amount, DECIMAL, READ, .doc = "Amount; below 0: it went."),
    FIELD(struct clearing_entry, currency, TEXT, READ, .doc = "Currency."),
    FIELD(struct clearing_entry, created, TIME, READ, .doc = "When."),
};
const struct schema clearing_entry_schema =
    SCHEMA(struct clearing_entry, "clearing_entry", clearing_fields,
           "What moved a party's money that the platform collected for it.");

const char *const fund_states[] = {"pending", "out", "back", "withdrawn", NULL};

static const struct field fund_fields[] = {
    FIELD(struct fund, id, TEXT, READ, .prefix = "cfd", .doc = "Id of the fund."),
    FIELD(struct fund, party, TEXT, WIDE, .prefix = "pty", .doc = "Who lends: the operator."),
    FIELD(struct fund, debtor, TEXT, .flags = FIELD_REQUIRED, .prefix = "pty",
          .doc = "Who owes Clearing what others wait for."),
    FIELD(struct fund, currency, TEXT, .flags = FIELD_REQUIRED, .min = 3, .max = 3,
          .doc = "Currency (ISO 4217).", .example = "\"EUR\""),
    FIELD(struct fund, amount, TEXT, .min = 1, .max = 24,
          .doc = "How much; all that the debtor owes and nobody lent yet unless given.",
          .example = "\"100.00\""),
    FIELD(struct fund, recovered, DECIMAL, READ, .doc = "Of it, what came back."),
    FIELD(struct fund, state, WORD, READ, .words = fund_states,
          .doc = "pending: it waits for another user's release; out; back: all of it; withdrawn."),
    FIELD(struct fund, note, TEXT, .flags = FIELD_WIDE, .min = 1, .max = FUND_NOTE_MAX,
          .doc = "Why."),
    FIELD(struct fund, asked_by, TEXT, WIDE, .prefix = "usr", .doc = "First pair of eyes."),
    FIELD(struct fund, released_by, TEXT, WIDE, .prefix = "usr", .doc = "Second pair of eyes."),
    FIELD(struct fund, created, TIME, WIDE, .doc = "When it was asked for."),
};
const struct schema fund_schema =
    SCHEMA(struct fund, "clearing_fund", fund_fields,
           "The operator's money for Clearing where a debtor does not pay.");
