/*
 * agreement.h - who sells to whom, who introduced whom, who owes whom a part: dated, versioned
 * edges.
 *
 * A party has no role of its own: operator, distributor, reseller, agent, datacentre, investor are
 * what its agreements make it. An agreement joins two parties and has a kind; what was agreed is a
 * row of terms, numbered from 1, each valid from an instant on. New terms are a new row: what was
 * rated under the old ones keeps its number, so the past is computed again as it was.
 *
 *   kind       from            to                          what its rules say
 *   SUPPLY     seller          buyer                       nothing: prices come from price books
 *   REFERRAL   payer           introducer                  commission on what the scope buys
 *   COST       producer        who is owed an input        shares of what the producer earns
 *   FEE        holder          platform                    per unit, before anything else is shared
 *   REVSHARE   seller          author                      a share of what an item brings
 *
 * States: DRAFT (the maker changes it, nobody else sees it) -> OFFERED -> ACTIVE (the other side
 * signed) -> ENDED. Terms of an active agreement are changed by offering a new row and signing it.
 * A party that nobody acts for yet cannot sign: its sponsor does, see agreement_sign_for.
 *
 * Rules: specs/billing.md 3.1. Names follow TM Forum's Agreement and Party.
 */
#ifndef CHANNEL_AGREEMENT_H
#define CHANNEL_AGREEMENT_H

#include "money/price.h"
#include "party/party.h"

#define AGREEMENT_RESERVE "Reserve:" /* before the label of a rule: set aside, owed to nobody */

enum {
    AGREEMENT_RULES_MAX = 32,
    AGREEMENT_TIERS_MAX = 16,
    AGREEMENT_LABEL_MAX = 40,
};

enum agreement_kind {
    AGREEMENT_SUPPLY,
    AGREEMENT_REFERRAL,
    AGREEMENT_COST,
    AGREEMENT_FEE,
    AGREEMENT_REVSHARE,
};
enum agreement_state { AGREEMENT_DRAFT, AGREEMENT_OFFERED, AGREEMENT_ACTIVE, AGREEMENT_ENDED };
/* How a SUPPLY edge is invoiced and collected (specs/billing.md 3.4). CHAIN: the seller invoices
 * the buyer, money is collected by the platform and netted. DIRECT: the same invoices, the
 * seller collects itself. COLLECT: the operator's platform invoices the last buyer in the
 * seller's brand, and credits each tier its margin through the neutral book "Clearing". */
enum settle_mode { SETTLE_CHAIN, SETTLE_COLLECT, SETTLE_DIRECT };
/* AUTO: by the two parties' countries and tax ids (billing/tax_rule.h). NONE: outside the scope. */
enum tax_treatment { TREATMENT_AUTO, TREATMENT_NONE };
/* Who bears what the buyer's own clients never pay (settle/bad_debt.h): the buyer alone; the
 * seller, all of it; or both, the seller for the price at which it sold. */
enum bad_debt { BAD_DEBT_BUYER, BAD_DEBT_SELLER, BAD_DEBT_SHARED };
/* What a share waits for before it is payable. */
enum earn_on { EARN_ON_CASH, EARN_ON_INVOICE };
extern const char *const agreement_kinds[];
extern const char *const agreement_states[];
extern const char *const settle_modes[];
extern const char *const tax_treatments[];
extern const char *const earn_words[];
extern const char *const bad_debts[];

/* FIXED: value once for each unit of the item (a server-month). PER_UNIT: value for each unit of
 * quantity. PERCENT: of the base. TIERED: percent by the base's total in the period, graduated.
 * BOUNTY: value, once for the scope. RESIDUAL: what the others leave; exactly one in a
 * waterfall. */
enum rule_kind { RULE_FIXED, RULE_PER_UNIT, RULE_PERCENT, RULE_TIERED, RULE_BOUNTY, RULE_RESIDUAL };
/* A percentage is of what its payer ("from") sees, never of another tier's price. WHOLESALE: what
 * it sells the line at, to whomever. RETAIL: the same where its buyer is the client, and nothing
 * where another tier sells on. MARGIN: what it sells at less what it buys at; the operator buys
 * nothing. LIST: the list price for the operator, whose list it is; for others what they sell at.
 * CASH: what it sells at, as far as the client paid. A producer sells to the operator what that
 * sells. */
enum rule_base { BASE_WHOLESALE, BASE_RETAIL, BASE_LIST, BASE_MARGIN, BASE_CASH };
extern const char *const rule_kinds[];
extern const char *const rule_bases[];

struct rule_tier {
    uint64_t set;
    struct str up_to;   /* decimal, major units; empty on the last */
    struct str percent; /* decimal */
};

struct rule {
    uint64_t set;
    int64_t kind; /* enum rule_kind */
    int64_t base; /* enum rule_base */
    int64_t tier;
    struct str value;   /* decimal: major units for FIXED, PER_UNIT, BOUNTY; percent for PERCENT */
    struct list tiers;  /* struct rule_tier */
    struct str label;   /* part of an account's code: "Electricity" */
    int64_t from_month; /* of the scope's life, 1 is the first; 0: from the beginning */
    int64_t to_month;   /* 0: for ever */
    struct str cap;     /* decimal, major units in a period; empty: none */
    struct str floor;
};

/* What an agreement is about; what is empty does not narrow. */
struct scope {
    uint64_t set;
    struct str party; /* REFERRAL: whose purchases count */
    bool subtree;     /* and those of all that are supplied below it */
    struct str item;  /* code of an item */
    struct str category;
    struct str asset; /* a site or a server, as subscriptions name it */
};

struct terms {
    uint64_t set;
    int64_t number;     /* 1, 2, ... */
    time_us valid_from; /* 0 in a request: from now on */
    struct str currency;
    /* SUPPLY: the agreement under which the seller itself buys; empty: the operator sells. */
    struct str upstream;
    struct str book;  /* SUPPLY: the seller's for this edge, "bok_..."; empty: as bought */
    int64_t settle;   /* enum settle_mode */
    int64_t bad_debt; /* SUPPLY: enum bad_debt */
    int64_t tax;      /* enum tax_treatment */
    int64_t earn;     /* enum earn_on */
    struct scope scope;
    struct list rules;     /* struct rule, in the order in which they take */
    struct str min_payout; /* decimal, major units */
    int64_t maturity_days;
    int64_t clawback_days; /* from the accrual on: later a credit note leaves what is earned */
    int64_t payment_days;  /* invoices are due so many days after their issue */
    bool self_billing;     /* "to" consents that "from" writes its invoices (Directive 2006/112/EC
                          art. 224) */
    struct str document_hash; /* SHA-256 of the signed paper, hex */
    time_us offered;
    time_us signed_at; /* 0: not yet */
};

/* Whether a rule says an amount of the terms' currency: a percentage of all, without bounds, is the
 * same in any. */
bool terms_have_amount(const struct terms *t);

struct agreement {
    uint64_t set;
    struct str id; /* "agr_..." */
    int64_t version;
    int64_t kind;
    struct str from;
    struct str to;
    int64_t state;
    struct terms terms;   /* those in force now; of a draft or offer, the only ones */
    struct terms offered; /* new terms that wait for a signature; set is 0 where there are none */
    time_us ended;        /* 0: not */
    time_us created;
    time_us changed;
};
extern const struct schema agreement_schema;
extern const struct schema terms_schema;
extern const struct schema rule_schema;

struct agreement_query {
    uint64_t set;
    struct page_query page;
    int64_t kind;
    int64_t state;
    struct str from;
    struct str to;
};
extern const struct schema agreement_query_schema;

/* A draft. RC_INVALID names the field: parties that are the same or not there, rules that cannot
 * be (two residuals, a percentage above 100, a base that the kind does not have), an upstream
 * that is no active SUPPLY agreement to the seller, a cycle, a path deeper than
 * SUPPLY_DEPTH_MAX, a book that is not the seller's, another currency than upstream's. */
MUST_CHECK enum rc agreement_create(struct tx *tx, const struct agreement *fresh,
                                    struct agreement *ret);
/* RC_NOT_FOUND. */
MUST_CHECK enum rc agreement_get(struct tx *tx, struct str id, struct agreement *ret);
/* Those of the party, on either side, as it may see them; no drafts of others. */
MUST_CHECK enum rc agreement_list(struct tx *tx, struct str party, const struct agreement_query *q,
                                  struct page *ret);
/* Change a draft, or offer new terms of an active one (terms alone). What was offered and is
 * changed has to be offered again. New terms begin as those that would hold without them; their
 * valid_from is 0, from the signature on, unless it is given; their currency stays (RC_INVALID).
 * RC_CHANGED, RC_CONFLICT: it has ended, or kind or side of an active one. */
MUST_CHECK enum rc agreement_change(struct tx *tx, struct str id, int64_t version,
                                    const struct agreement *patch, struct agreement *ret);
/* DRAFT -> OFFERED. */
MUST_CHECK enum rc agreement_offer(struct tx *tx, struct str id, struct agreement *ret);
/* Take back what is offered and not signed: OFFERED -> DRAFT, or new terms of an active one go.
 * RC_CONFLICT where nothing is offered. */
MUST_CHECK enum rc agreement_withdraw(struct tx *tx, struct str id, struct agreement *ret);
/* The other side signs what is offered: OFFERED -> ACTIVE, or offered terms come into force at
 * their valid_from (now, where that has passed). All that agreement_create checks is checked
 * again as of then. RC_CONFLICT where nothing is offered, or another agreement takes the residual
 * of the same thing. */
MUST_CHECK enum rc agreement_sign(struct tx *tx, struct str id, struct agreement *ret);
/* The same by the sponsor of the other side, while that party has no member who could: RC_CONFLICT
 * where it has. The caller has asked permission_allow_sponsor. RC_FORBIDDEN: terms with consent to
 * self-billing, which the supplier itself must have given (art. 224). */
MUST_CHECK enum rc agreement_sign_for(struct tx *tx, struct str id, struct agreement *ret);
/* Ends at the instant (now at the earliest; 0: now); what nobody signed ends at once. An end that
 * was set can come earlier, never later (RC_CONFLICT). RC_CONFLICT: SUPPLY with active agreements
 * that have it as upstream at that time, or with subscriptions (asked by catalog/ before). */
MUST_CHECK enum rc agreement_end(struct tx *tx, struct str id, time_us at, struct agreement *ret);

/* The terms of an agreement in force at an instant. RC_NOT_FOUND: none is. */
MUST_CHECK enum rc agreement_terms_at(struct tx *tx, struct str id, time_us at, struct terms *ret);
/* One row of terms by its number: what a rated line names. RC_NOT_FOUND. */
MUST_CHECK enum rc agreement_terms(struct tx *tx, struct str id, int64_t number, struct terms *ret);

/* All rows of terms that were signed, and the one that is offered, by number: struct terms. */
MUST_CHECK enum rc agreement_terms_list(struct tx *tx, struct str id, struct list *ret);
/* What a party may see of an agreement or of its terms: book and upstream are the maker's alone,
 * and are left out for the other side. */
void agreement_show(struct agreement *a, struct str party);
void terms_show(struct terms *t, const struct agreement *of, struct str party);

/* Agreements of a kind that are active at an instant with `from` (empty: any), by id: struct
 * agreement with the terms in force at that time. At most AGREEMENT_LIST_MAX; more is
 * RC_TOO_LARGE. */
enum { AGREEMENT_LIST_MAX = 10000 };
MUST_CHECK enum rc agreement_active(struct tx *tx, enum agreement_kind kind, struct str from,
                                    time_us at, struct list *ret);
/* The same, the first so many of them; the others are left out. */
MUST_CHECK enum rc agreement_active_first(struct tx *tx, enum agreement_kind kind, struct str from,
                                          time_us at, int64_t limit, struct list *ret);
/* Ids behind one of REFERRAL, REVSHARE and FEE agreements, some terms of which have a rule with a
 * floor: struct str, at most so many. */
MUST_CHECK enum rc agreement_with_floor(struct tx *tx, struct str after, int64_t limit,
                                        struct list *ret);

#endif
