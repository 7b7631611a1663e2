#include "channel/agreement_check.h"

enum { DAYS_MAX = 3650, MONTHS_MAX = 1200, HASH_DIGITS = 64 };

const char *const agreement_kinds[] = {"supply", "referral", "cost", "fee", "revshare", NULL};
const char *const agreement_states[] = {"draft", "offered", "active", "ended", NULL};
const char *const bad_debts[] = {"buyer", "seller", "shared", NULL};
const char *const settle_modes[] = {"chain", "collect", "direct", NULL};
const char *const tax_treatments[] = {"auto", "none", NULL};
const char *const earn_words[] = {"cash", "invoice", NULL};
const char *const rule_kinds[] = {"fixed",  "per-unit", "percent", "tiered",
                                  "bounty", "residual", NULL};
const char *const rule_bases[] = {"wholesale", "retail", "list", "margin", "cash", NULL};

static const struct field tier_fields[] = {
    FIELD(struct rule_tier, up_to, DECIMAL,
          .doc = "Up to this much of the base in a period; none on the last.",
          .example = "\"10000\""),
    FIELD(struct rule_tier, percent, DECIMAL, .flags = FIELD_REQUIRED,
          .doc = "Percent of that part.", .example = "\"5\""),
};
const struct schema rule_tier_schema =
    SCHEMA(struct rule_tier, "rule_tier", tier_fields, "A part of a graduated percentage.");

static const struct field rule_fields[] = {
    FIELD(struct rule, kind, WORD, .flags = FIELD_REQUIRED, .words = rule_kinds,
          .doc = "How it is computed: fixed is for each unit of the item, bounty once.",
          .example = "\"percent\""),
    FIELD(struct rule, base, WORD, .words = rule_bases,
          .doc = "Of what a percentage is taken; wholesale unless said otherwise.",
          .example = "\"wholesale\""),
    FIELD(struct rule, tier, INT, .min = 0, .max = AGREEMENT_TIERS_MAX,
          .doc =
              "Of wholesale and margin: 1, the payer's own sale, counted from the payer; it sees "
              "no other, so there is no other."),
    FIELD(struct rule, value, DECIMAL,
          .doc = "Amount in major units, or percent; none for tiered and residual.",
          .example = "\"13.00\""),
    FIELD(struct rule, tiers, LIST, .max = AGREEMENT_TIERS_MAX, .schema = &rule_tier_schema,
          .doc = "Of a tiered rule, ascending."),
    FIELD(struct rule, label, TEXT, .min = 1, .max = AGREEMENT_LABEL_MAX,
          .doc = "What it is for; becomes part of an account's name.",
          .example = "\"Electricity\""),
    FIELD(struct rule, from_month, INT, .min = 0, .max = MONTHS_MAX,
          .doc = "First month of the life of what is bought, from 1; 0 is from the beginning."),
    FIELD(struct rule, to_month, INT, .min = 0, .max = MONTHS_MAX,
          .doc = "Last such month; 0 is for ever."),
    FIELD(struct rule, cap, DECIMAL,
          .doc = "No more than this in a period, in major units; not of costs."),
    FIELD(struct rule, floor, DECIMAL,
          .doc = "No less than this in a period in which the rule brings something, in "
                 "major units; not of costs."),
};
const struct schema rule_schema =
    SCHEMA(struct rule, "rule", rule_fields, "How one share is computed.");

static const struct field scope_fields[] = {
    FIELD(struct scope, party, TEXT, .prefix = "pty",
          .doc = "Of a referral: whose purchases count."),
    FIELD(struct scope, subtree, BOOL,
          .doc = "And the purchases of all that are supplied below that party."),
    FIELD(struct scope, item, TEXT, .min = 1, .max = 40, .doc = "This item only.",
          .example = "\"vm-4\""),
    FIELD(struct scope, category, TEXT, .min = 1, .max = 40, .doc = "This category only.",
          .example = "\"vm\""),
    FIELD(struct scope, asset, TEXT, .min = 1, .max = 80, .doc = "This site or server only.",
          .example = "\"par1-srv7\""),
};
const struct schema scope_schema = SCHEMA(struct scope, "scope", scope_fields,
                                          "What an agreement is about; what is left out "
                                          "does not narrow.");

static const struct field terms_fields[] = {
    FIELD(struct terms, number, INT, .flags = FIELD_READ_ONLY, .min = 1, .max = INT64_MAX,
          .doc = "Number of these terms within the agreement."),
    FIELD(struct terms, valid_from, TIME,
          .doc = "From when on they hold; from the signature on unless given."),
    FIELD(struct terms, currency, TEXT, .min = 3, .max = 3,
          .doc = "Currency (ISO 4217); upstream's, or the maker's, unless given.",
          .example = "\"EUR\""),
    FIELD(struct terms, upstream, TEXT, .prefix = "agr",
          .doc = "Supply: the agreement under which the seller itself buys; none for the operator; "
                 "shown to the seller alone."),
    FIELD(struct terms, book, TEXT, .prefix = "bok",
          .doc = "Supply: the seller's price book for this buyer; none: sold as bought; shown to "
                 "the seller alone."),
    FIELD(struct terms, settle, WORD, .words = settle_modes,
          .doc = "Supply: how it is invoiced and collected.", .example = "\"chain\""),
    FIELD(struct terms, bad_debt, WORD, .words = bad_debts,
          .doc =
              "Supply: who bears what the buyer's own clients never pay; shared: the seller bears "
              "what it sold that for.",
          .example = "\"shared\""),
    FIELD(struct terms, tax, WORD, .words = tax_treatments,
          .doc = "auto: by countries and tax ids; none: outside the scope of taxes."),
    FIELD(struct terms, earn, WORD, .words = earn_words,
          .doc = "What a share waits for: the client's cash, or the invoice."),
    FIELD(struct terms, scope, OBJECT, .schema = &scope_schema, .doc = "What it is about."),
    FIELD(struct terms, rules, LIST, .max = AGREEMENT_RULES_MAX, .schema = &rule_schema,
          .doc = "The shares, in the order in which they take; none for supply."),
    FIELD(struct terms, min_payout, DECIMAL,
          .doc = "Less than this, in major units, waits for the next settlement."),
    FIELD(struct terms, maturity_days, INT, .min = 0, .max = DAYS_MAX,
          .doc = "Days between earned and payable."),
    FIELD(struct terms, clawback_days, INT, .min = 0, .max = DAYS_MAX,
          .doc = "Days in which a credit note takes back what is earned; 0: at any time."),
    FIELD(struct terms, payment_days, INT, .min = 0, .max = DAYS_MAX,
          .doc = "Days after its issue in which an invoice is due."),
    FIELD(struct terms, self_billing, BOOL,
          .doc = "Whoever signs consents that the maker writes its invoices (Directive 2006/112/EC "
                 "art. 224)."),
    FIELD(struct terms, document_hash, TEXT, .min = HASH_DIGITS, .max = HASH_DIGITS,
          .doc = "SHA-256 of the signed paper, as hexadecimal digits."),
    FIELD(struct terms, offered, TIME, .flags = FIELD_READ_ONLY, .doc = "When they were offered."),
    FIELD(struct terms, signed_at, TIME, .flags = FIELD_READ_ONLY, .doc = "When they were signed."),
};
const struct schema terms_schema =
    SCHEMA(struct terms, "terms", terms_fields, "What was agreed, from an instant on.");

static const struct field agreement_fields[] = {
    FIELD(struct agreement, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "agr",
          .doc = "Id of the agreement."),
    FIELD(struct agreement, version, INT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .min = 1,
          .max = INT64_MAX, .doc = "Grows with every change; the ETag."),
    FIELD(struct agreement, kind, WORD, .flags = FIELD_REQUIRED, .words = agreement_kinds,
          .doc = "supply: from sells to the other; referral: from pays who introduced; cost: who "
                 "provides an input; fee: the platform; revshare: the author.",
          .example = "\"supply\""),
    FIELD(struct agreement, from, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pty",
          .doc = "Party that makes it: the seller, or who pays."),
    FIELD(struct agreement, to, TEXT, .flags = FIELD_REQUIRED, .prefix = "pty",
          .doc = "The other side, which signs: the buyer, or who is paid."),
    FIELD(struct agreement, state, WORD, .flags = FIELD_READ_ONLY, .words = agreement_states,
          .doc = "draft, offered, active or ended."),
    FIELD(struct agreement, terms, OBJECT, .flags = FIELD_WIDE, .schema = &terms_schema,
          .doc = "The terms in force, or those that are the first to be."),
    FIELD(struct agreement, offered, OBJECT, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .schema = &terms_schema,
          .doc = "New terms of an active agreement that wait to be signed."),
    FIELD(struct agreement, ended, TIME, .flags = FIELD_READ_ONLY,
          .doc = "From when on it is not in force any more."),
    FIELD(struct agreement, created, TIME, .flags = FIELD_READ_ONLY, .doc = "When it was made."),
    FIELD(struct agreement, changed, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "When it was last changed."),
};
const struct schema agreement_schema =
    SCHEMA(struct agreement, "agreement", agreement_fields, "What two parties agreed.");

static const struct field agreement_query_fields[] = {
    PAGE_FIELDS(struct agreement_query),
    FIELD(struct agreement_query, kind, WORD, .words = agreement_kinds,
          .doc = "Of this kind only."),
    FIELD(struct agreement_query, state, WORD, .words = agreement_states,
          .doc = "In this state only."),
    FIELD(struct agreement_query, from, TEXT, .prefix = "pty", .doc = "Made by this party only."),
    FIELD(struct agreement_query, to, TEXT, .prefix = "pty", .doc = "With this other side only."),
};
const struct schema agreement_query_schema =
    SCHEMA(struct agreement_query, "agreement_query", agreement_query_fields, "Which agreements.");
