/*
 * tax_rule.h - which tax a supply bears: by the two parties, the class of the item and the date.
 *
 * Tables by country with the dates from which a rate holds. Within the EU: domestic supplies bear
 * the seller's rate; to a taxable buyer in another member state the reverse charge (AE, both VAT
 * ids needed, VATEX-EU-AE; Directive 2006/112 art. 44 and 196); to a consumer in another member
 * state the consumer's rate for electronic services (art. 58, one-stop shop); outside the EU no VAT
 * (O, or G for goods). Who is not registered (party.taxable) charges none (O). China: 6 % services,
 * prices to consumers tax included. Where the table has no entry for a country, a domestic supply
 * is outside the scope and an exception of the close, not a guess.
 */
#ifndef BILLING_TAX_RULE_H
#define BILLING_TAX_RULE_H

#include "catalog/item.h"
#include "money/tax.h"

struct tax_decision {
    enum tax_category category;
    int64_t rate_ppm;
    struct str country;     /* whose tax it is: part of VAT-Out:<country>:<ppm> */
    const char *reason;     /* "VATEX-EU-AE", or NULL */
    int64_t buyer_rate_ppm; /* AE, and O from outside the Union: what the buyer accounts for */
    bool known;             /* false: the table knows nothing of this country and date */
};

/* Never fails: where it does not know, it says so. */
struct tax_decision tax_decide(const struct party *seller, const struct party *buyer,
                               enum tax_class class, int64_t day);

/* 200,000 is "20", 81,000 is "8.1". */
struct str tax_percent(int64_t ppm, struct arena *arena);

/* The table, for people and for GET /v1/taxes. */
struct tax_rate_row {
    uint64_t set;
    struct str country;
    struct str tax_class;
    struct str rate;       /* percent */
    struct str valid_from; /* date */
    struct str source;
};
extern const struct schema tax_rate_row_schema;
MUST_CHECK enum rc tax_rates(struct arena *arena, struct list *ret);

#endif
