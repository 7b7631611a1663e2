/*
 * channel_fixture.h - agreements, books and entries in a line each. Only for tests: everything here
 * asserts.
 */
#ifndef CHANNEL_CHANNEL_FIXTURE_H
#define CHANNEL_CHANNEL_FIXTURE_H

#include "channel/price_book.h"
#include "party/party_fixture.h"

/* Made, offered and signed: in force from now on. */
static inline struct str make_agreement(struct tx *tx, const struct agreement *fresh)
{
    struct agreement a;
    OK(tx, agreement_create(tx, fresh, &a));
    OK(tx, agreement_offer(tx, a.id, &a));
    OK(tx, agreement_sign(tx, a.id, &a));
    ck_assert_int_eq(a.state, AGREEMENT_ACTIVE);
    return a.id;
}

/* upstream empty: from is the operator. book empty: sold as bought. */
static inline struct str make_supply(struct tx *tx, struct str from, struct str to,
                                     struct str upstream, struct str book)
{
    struct agreement fresh = {.kind = AGREEMENT_SUPPLY,
                              .from = from,
                              .to = to,
                              .terms = {.upstream = upstream, .book = book, .payment_days = 30}};
    return make_agreement(tx, &fresh);
}

/* With one percentage of WHOLESALE(1), for a referral on what the scope's party buys. */
static inline struct str make_referral(struct tx *tx, struct str from, struct str to,
                                       struct str counts, bool subtree, const char *percent)
{
    struct rule rule = {.kind = RULE_PERCENT, .value = str_c(percent), .label = STR("Commission")};
    struct agreement fresh = {
        .kind = AGREEMENT_REFERRAL,
        .from = from,
        .to = to,
        .terms = {.scope = {.party = counts, .subtree = subtree}, .rules = {&rule, 1}}};
    return make_agreement(tx, &fresh);
}

static inline struct str make_book(struct tx *tx, struct str party, const char *name)
{
    struct price_book b;
    struct price_book fresh = {.name = str_c(name)};
    OK(tx, price_book_create(tx, party, &fresh, &b));
    return b.id;
}

/* item "": for all. value "": hide. */
static inline void make_entry(struct tx *tx, struct str book, const char *item, enum entry_op op,
                              const char *value)
{
    struct price_entry e;
    struct price_entry fresh = {.item = str_c(item), .op = op, .value = str_c(value)};
    OK(tx, price_entry_add(tx, book, &fresh, &e));
}

#endif
