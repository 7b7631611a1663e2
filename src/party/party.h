/*
 * party.h - the legal entities and persons who buy, sell, own, host and are paid.
 *
 * A party has no fixed role; roles live on agreements (channel/). The first party of a store is
 * the operator. Every other party has a sponsor: the party that created or invited it.
 */
#ifndef PARTY_PARTY_H
#define PARTY_PARTY_H

#include "party/permission.h"
#include "store/page.h"

struct address {
    uint64_t set;
    struct str street;
    struct str street2;
    struct str postcode;
    struct str city;
    struct str region;
    struct str country; /* ISO 3166-1 alpha-2 */
};

struct tax_id {
    uint64_t set;
    struct str scheme; /* "vat", or a country's own: "siren", "uscc" */
    struct str value;
};

struct bank {
    uint64_t set;
    struct str iban; /* checked, stored without spaces */
    struct str bic;
    struct str holder;
};

enum party_kind { PARTY_COMPANY, PARTY_PERSON };
enum party_state { PARTY_ACTIVE, PARTY_CLOSED };
extern const char *const party_kinds[];
extern const char *const party_states[];

enum { PARTY_TAX_IDS_MAX = 8, PARTY_SUSPEND_DAYS_MAX = 365 };

struct party {
    uint64_t set;
    struct str id; /* "pty_..." */
    int64_t version;
    int64_t kind; /* enum party_kind */
    struct str name;
    struct str legal_name;
    struct str registration; /* number in the trade register */
    struct str email;
    struct str phone;
    struct address address;
    struct list tax_ids; /* struct tax_id; at most PARTY_TAX_IDS_MAX, one of a scheme */
    bool taxable;        /* registered for VAT or the like */
    struct bank bank;
    struct str currency;     /* ISO 4217 */
    struct str tax_currency; /* in which it accounts for VAT; empty: in that of each invoice */
    int64_t suspend_days;    /* billing/dunning.h; 0: never */
    struct str language;     /* "en", "fr", "zh-CN" */
    struct str time_zone;
    struct str sponsor; /* empty for the operator */
    int64_t state;      /* enum party_state */
    time_us created;
    time_us changed;
};

extern const struct schema party_schema;   /* answers, and bodies of create and change */
extern const struct schema address_schema; /* parts of it */
extern const struct schema tax_id_schema;
extern const struct schema bank_schema;
/* The same struct with nothing required: what an invitation fills in, and bodies that go over it.
 * The bits of party.set mean the same in both. */
extern const struct schema party_draft_schema;
extern const struct schema address_draft_schema;

/* Filters of the list: ?kind=&state=&country=&q=&sort=name,-created&limit=&after= */
struct party_query {
    uint64_t set;
    struct page_query page;
    int64_t kind;
    int64_t state;
    struct str country;
    struct str sponsor;
    struct str q; /* part of the name, without case for ASCII */
};
extern const struct schema party_query_schema;

/* Check and store a new party. Missing currency, language, time zone are the sponsor's. sponsor is
 * empty for the operator alone. RC_INVALID names the field: IBAN, tax id, country, currency, time
 * zone. Writes event.party.created. */
MUST_CHECK enum rc party_create(struct tx *tx, const struct party *fresh, struct str sponsor,
                                struct party *ret);
/* RC_NOT_FOUND. */
MUST_CHECK enum rc party_get(struct tx *tx, struct str id, struct party *ret);
/* Parties that the caller may read (rules 2 to 4), one page. */
MUST_CHECK enum rc party_list(struct tx *tx, const struct caller *who, const struct party_query *q,
                              struct page *ret);
/* Change what is set in patch. version 0: whatever it is. RC_CHANGED where it is another,
 * RC_INVALID, RC_CONFLICT where the party is closed. Writes event.party.changed. */
MUST_CHECK enum rc party_change(struct tx *tx, struct str id, int64_t version,
                                const struct party *patch, struct party *ret);
/* Close or reopen. The operator cannot be closed (RC_CONFLICT). A closed party keeps its data and
 * its members can read, but nothing can be changed for it. */
MUST_CHECK enum rc party_set_state(struct tx *tx, struct str id, enum party_state state,
                                   struct party *ret);
/* The operator: the first party. RC_NOT_FOUND before the first start has made it. */
MUST_CHECK enum rc party_operator(struct tx *tx, struct party *ret);
/* How many parties and users there are: for the operator's status page. */
MUST_CHECK enum rc party_counts(struct tx *tx, int64_t *ret_parties, int64_t *ret_users);

#endif
