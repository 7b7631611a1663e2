#include "party/party.h"

/* Required here, not required in the draft of a party that an invitation carries. The fields stand
 * in the same order in both, so that the bits of struct party.set mean the same. */
#define ADDRESS_FIELDS(required)                                                             \
    FIELD(struct address, street, TEXT, .min = 1, .doc = "Street and number.",               \
          .example = "\"1 rue de la Paix\""),                                                \
        FIELD(struct address, street2, TEXT, .min = 1, .doc = "Building, floor, box."),      \
        FIELD(struct address, postcode, TEXT, .min = 1, .max = 20, .doc = "Postal code.",    \
              .example = "\"75002\""),                                                       \
        FIELD(struct address, city, TEXT, .min = 1, .doc = "Town.", .example = "\"Paris\""), \
        FIELD(struct address, region, TEXT, .min = 1, .doc = "State, province or region."),  \
        FIELD(struct address, country, TEXT, .flags = (required), .min = 2, .max = 2,        \
              .doc = "Country, two capital letters (ISO 3166-1).", .example = "\"FR\"")

static const struct field address_fields[] = {ADDRESS_FIELDS(FIELD_REQUIRED)};
const struct schema address_schema =
    SCHEMA(struct address, "address", address_fields, "A postal address.");

static const struct field address_draft_fields[] = {ADDRESS_FIELDS(0)};
const struct schema address_draft_schema =
    SCHEMA(struct address, "address_draft", address_draft_fields, "Parts of an address.");

static const struct field tax_id_fields[] = {
    FIELD(struct tax_id, scheme, TEXT, .flags = FIELD_REQUIRED, .min = 2, .max = 16,
          .doc = "Kind of the number: vat, siren, siret, uscc, or another in small letters.",
          .example = "\"vat\""),
    FIELD(struct tax_id, value, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 40,
          .doc = "The number; the form of the kinds named above is checked.",
          .example = "\"FR40303265045\""),
};
const struct schema tax_id_schema =
    SCHEMA(struct tax_id, "tax_id", tax_id_fields, "A number that a tax office or register gave.");

static const struct field bank_fields[] = {
    FIELD(struct bank, iban, TEXT, .min = 1, .max = 44,
          .doc = "Account number; its check digits are tested.",
          .example = "\"FR1420041010050500013M02606\""),
    FIELD(struct bank, bic, TEXT, .min = 1, .max = 11, .doc = "Code of the bank.",
          .example = "\"PSSTFRPPXXX\""),
    FIELD(struct bank, holder, TEXT, .min = 1, .doc = "Who holds the account, as the bank has it."),
};
const struct schema bank_schema = SCHEMA(struct bank, "bank", bank_fields, "A bank account.");

const char *const party_kinds[] = {"company", "person", NULL};
const char *const party_states[] = {"active", "closed", NULL};

#define PARTY_FIELDS(required, address_of)                                                        \
    FIELD(struct party, id, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pty",                      \
          .doc = "Id of the party."),                                                             \
        FIELD(struct party, version, INT, .flags = FIELD_READ_ONLY | FIELD_WIDE, .min = 1,        \
              .max = INT64_MAX, .doc = "Grows with every change; the ETag."),                     \
        FIELD(struct party, kind, WORD, .words = party_kinds,                                     \
              .doc = "A company (the default) or a person.", .example = "\"company\""),           \
        FIELD(struct party, name, TEXT, .flags = (required), .min = 1,                            \
              .doc = "Name in everyday use.", .example = "\"Nord Cloud\""),                       \
        FIELD(struct party, legal_name, TEXT, .flags = FIELD_WIDE, .min = 1,                      \
              .doc = "Name on contracts and invoices, where it is another.",                      \
              .example = "\"Nord Cloud SAS\""),                                                   \
        FIELD(struct party, registration, TEXT, .flags = FIELD_WIDE, .min = 1, .max = 60,         \
              .doc = "Number in the trade register."),                                            \
        FIELD(struct party, email, TEXT, .flags = FIELD_WIDE, .min = 3, .max = 254,               \
              .doc = "Where invoices and notices go.", .example = "\"billing@example.net\""),     \
        FIELD(struct party, phone, TEXT, .flags = FIELD_WIDE, .min = 3, .max = 30,                \
              .doc = "Telephone number.", .example = "\"+33 1 23 45 67 89\""),                    \
        FIELD(struct party, address, OBJECT, .flags = (required) | FIELD_WIDE,                    \
              .schema = (address_of), .doc = "Where the party is; its country decides taxes."),   \
        FIELD(struct party, tax_ids, LIST, .flags = FIELD_WIDE, .max = PARTY_TAX_IDS_MAX,         \
              .schema = &tax_id_schema, .doc = "Tax and register numbers, one of each kind."),    \
        FIELD(struct party, taxable, BOOL, .flags = FIELD_WIDE,                                   \
              .doc = "Whether it is registered for VAT or the like."),                            \
        FIELD(struct party, bank, OBJECT, .flags = FIELD_WIDE, .schema = &bank_schema,            \
              .doc = "Where the party is paid."),                                                 \
        FIELD(struct party, currency, TEXT, .min = 3, .max = 3,                                   \
              .doc = "Currency of its invoices and statements (ISO 4217); the sponsor's "         \
                     "unless given.",                                                             \
              .example = "\"EUR\""),                                                              \
        FIELD(struct party, tax_currency, TEXT, .flags = FIELD_WIDE, .min = 3, .max = 3,          \
              .doc = "Currency in which it accounts for VAT (EN 16931 BT-6): on invoices in "     \
                     "another one their tax stands in it too; that of each invoice unless "       \
                     "given.",                                                                    \
              .example = "\"EUR\""),                                                              \
        FIELD(struct party, suspend_days, INT, .flags = FIELD_WIDE, .min = 0,                     \
              .max = PARTY_SUSPEND_DAYS_MAX,                                                      \
              .doc = "How many days behind its due date an invoice of the party may be open "     \
                     "before what its client buys from it is suspended; 0: it suspends "          \
                     "nothing.",                                                                  \
              .example = "14"),                                                                   \
        FIELD(struct party, language, TEXT, .flags = FIELD_WIDE, .min = 2, .max = 12,             \
              .doc = "Language of its documents; the sponsor's unless given.",                    \
              .example = "\"fr\""),                                                               \
        FIELD(struct party, time_zone, TEXT, .flags = FIELD_WIDE, .min = 1, .max = 64,            \
              .doc = "Where its days and months begin; the sponsor's unless given.",              \
              .example = "\"Europe/Paris\""),                                                     \
        FIELD(struct party, sponsor, TEXT, .flags = FIELD_READ_ONLY, .prefix = "pty",             \
              .doc = "Party that created or invited this one."),                                  \
        FIELD(struct party, state, WORD, .flags = FIELD_READ_ONLY, .words = party_states,         \
              .doc = "active or closed."),                                                        \
        FIELD(struct party, created, TIME, .flags = FIELD_READ_ONLY, .doc = "When it was made."), \
        FIELD(struct party, changed, TIME, .flags = FIELD_READ_ONLY | FIELD_WIDE,                 \
              .doc = "When it was last changed.")

static const struct field party_fields[] = {PARTY_FIELDS(FIELD_REQUIRED, &address_schema)};
const struct schema party_schema =
    SCHEMA(struct party, "party", party_fields, "A legal entity or a person.");

static const struct field party_draft_fields[] = {PARTY_FIELDS(0, &address_draft_schema)};
const struct schema party_draft_schema = SCHEMA(struct party, "party_draft", party_draft_fields,
                                                "What is known of a party that is to be.");

static const struct field party_query_fields[] = {
    PAGE_FIELDS(struct party_query),
    FIELD(struct party_query, kind, WORD, .words = party_kinds,
          .doc = "Companies or persons only."),
    FIELD(struct party_query, state, WORD, .words = party_states,
          .doc = "Active or closed parties only."),
    FIELD(struct party_query, country, TEXT, .min = 2, .max = 2, .doc = "In this country only.",
          .example = "\"FR\""),
    FIELD(struct party_query, sponsor, TEXT, .prefix = "pty",
          .doc = "Sponsored by this party only."),
    FIELD(struct party_query, q, TEXT, .min = 1, .max = 100, .doc = "With this in the name."),
};
const struct schema party_query_schema =
    SCHEMA(struct party_query, "party_query", party_query_fields, "Which parties, in what order.");
