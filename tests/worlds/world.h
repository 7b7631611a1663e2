/*
 * world.h - the description of a random world: who sells what to whom at which price, and what was
 * used. Plain numbers; nothing of Hanse's own is in it but the ids that it gave out.
 *
 * world_make invents one from a seed. play.h builds it in Hanse and lets months pass there; model.h
 * computes from this description alone, with its own arithmetic, what all books must say.
 */
#ifndef TESTS_WORLDS_WORLD_H
#define TESTS_WORLDS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef __int128 wide;

enum {
    ID_MAX = 48,
    CODE_MAX = 24,
    DEPTH_MAX = 8,
    ENTRIES_MAX = 24,
    RAILS_MAX = 4,
    EDGE_BOOKS_MAX = 6,
    AGREEMENT_TERMS_MAX = 4,
    CHARGES_MAX = 6,
    TIERS_MAX = 4,
    TERMS_MAX = 12,
    RULES_MAX = 4,
    CATEGORIES = 3,
    METERS = 8,
    MONTHS_MAX = 16,
    EVERYTHING = -1, /* no item, no category, no party: none or all */
};
#define SECOND_US INT64_C(1000000)
#define HOUR_US   (3600 * SECOND_US)
#define DAY_US    (24 * HOUR_US)
#define FOREVER   INT64_MAX

/* m x 10^-s */
struct w_num {
    int64_t m;
    int s;
};

struct w_currency {
    const char *code;
    int exponent;
};
extern const struct w_currency w_currencies[];
enum { CURRENCIES = 5 };

/* What the model knows of a country's tax; ppm 0: none. */
struct w_country {
    const char *code;
    const char *tax_id;
    int64_t ppm;
    bool eu;
};
extern const struct w_country w_countries[];
enum { COUNTRIES = 9, EU_COUNTRIES = 6 };

enum w_zone { ZONE_UTC, ZONE_PARIS, ZONE_SHANGHAI, ZONE_NEW_YORK, ZONES };
extern const char *const w_zones[];

struct w_party {
    char id[ID_MAX];
    int country;
    bool taxable;
    bool bank;
    int zone;
    int currency;
    int tax_currency; /* 1 + the one in which it accounts for its tax; 0: that of each invoice */
    int sponsor;      /* who invited it; EVERYTHING: nobody */
};

enum w_op { OP_ABS, OP_MUL, OP_ADD };
struct w_entry {
    int item;     /* or EVERYTHING */
    int category; /* or EVERYTHING */
    enum w_op op;
    struct w_num value; /* MUL: percent */
    int64_t from;
};
/* What a price is kept above, from an instant on. */
struct w_rail {
    int64_t floor;    /* ppm of what the seller pays; 0: none */
    int64_t discount; /* at most so many ppm below it; -1: no matter */
    int64_t from;
};
struct w_book {
    char id[ID_MAX];
    int party;
    int currency;
    int count;
    struct w_entry entries[ENTRIES_MAX];
    int rail_count;
    struct w_rail rails[RAILS_MAX];
};

enum w_settle { WAY_CHAIN, WAY_COLLECT, WAY_DIRECT };
/* Who bears what the buyer's own clients never pay. */
enum w_bad_debt { BEARS_BUYER, BEARS_SELLER, BEARS_BOTH };
struct w_edge {
    char id[ID_MAX];
    int from;
    int to;
    int upstream; /* edge; EVERYTHING: the operator sells */
    int book_count;
    struct {
        int book; /* or EVERYTHING: sold as bought */
        int64_t from;
    } books[EDGE_BOOKS_MAX]; /* its prices: for the public, for members */
    int depth;               /* 1: the operator sells */
    int currency;
    enum w_settle settle;
    int payment_days;
    enum w_bad_debt bad_debt;
};

enum w_meter_kind { M_COUNT, M_SUM, M_MAX, M_LAST, M_UNIQUE, M_TIME, M_P95, M_COUNTER };
struct w_meter {
    enum w_meter_kind kind;
    int scale;
    int64_t number;
};

enum w_class { CLASS_STANDARD, CLASS_REDUCED, CLASS_EXEMPT, CLASS_OUTSIDE };
struct w_item {
    char code[CODE_MAX];
    int category;
    int label;
    enum w_class class;
    int author; /* party, or EVERYTHING */
};
extern const char *const w_labels[];
extern const char *const w_categories[];
enum { LABELS = 3 };

enum w_charge_kind {
    C_FLAT,
    C_PER_UNIT,
    C_GRADUATED,
    C_VOLUME,
    C_PACKAGE,
    C_STAIR,
    C_PERCENT,
    C_MINIMUM,
    C_ONE_TIME,
    C_INSTALMENT,
    C_DESCENDANTS,
};
struct w_tier {
    struct w_num up_to; /* not read on the last */
    struct w_num price; /* m 0: none */
    struct w_num flat;  /* m 0: none */
};
struct w_charge {
    enum w_charge_kind kind;
    int meter;
    struct w_num price;
    int tier_count;
    struct w_tier tiers[TIERS_MAX];
    struct w_num included;
    struct w_num package;
    struct w_num percent;
    struct w_num minimum;
    int64_t instalments;
    bool advance;
};
enum w_period { PER_MONTH, PER_QUARTER, PER_YEAR, PER_ONCE, PERIODS };
struct w_plan {
    char id[ID_MAX];
    int item;
    enum w_period period;
    int currency;
    bool tax_included;
    bool free;
    int charge_count;
    struct w_charge charges[CHARGES_MAX];
};

struct w_term {
    int64_t from;
    int edge;
    int plan;
    int64_t quantity;
    int producer; /* or EVERYTHING */
};
struct w_sub {
    char id[ID_MAX];
    int edge;   /* of its latest terms */
    int first;  /* edge in whose seller's zone its periods are */
    int parent; /* sub, or EVERYTHING */
    bool anchored;
    int64_t start;
    int64_t ends;
    int count;
    struct w_term terms[TERMS_MAX];
};

struct w_use {
    int sub;
    int meter;
    int64_t from;
    int64_t until;
    int64_t quantity; /* at the meter's scale */
    int64_t key;      /* UNIQUE: which one */
    int corrects;     /* use, or EVERYTHING */
    bool corrected;   /* counts no more */
};

enum w_agreement_kind { A_SUPPLY, A_REFERRAL, A_COST, A_FEE, A_REVSHARE };
enum w_rule_kind { R_FIXED, R_PER_UNIT, R_PERCENT, R_TIERED, R_BOUNTY, R_RESIDUAL };
enum w_base { B_WHOLESALE, B_RETAIL, B_LIST, B_MARGIN, B_CASH };
struct w_rule {
    enum w_rule_kind kind;
    enum w_base base;
    int tier;
    struct w_num value; /* percent, or major units */
    int tier_count;
    struct w_tier tiers[TIERS_MAX]; /* up_to: major units; price: percent */
    struct w_num cap;               /* m -1: none */
    int64_t floor;                  /* major units; 0: none */
    int64_t from_month;             /* of the subscription's life; 0: from the beginning */
    int64_t to_month;               /* 0: for ever */
    int label;
};
struct w_agreement {
    char id[ID_MAX];
    enum w_agreement_kind kind;
    int from;
    int to;
    int currency;
    int scope_party; /* or EVERYTHING */
    bool subtree;
    int scope_item; /* or EVERYTHING */
    bool on_invoice;
    bool self_billing;
    int maturity_days;
    int clawback_days; /* 0: for ever */
    struct w_num min_payout;
    int term_count; /* rows of terms; each has its rules */
    struct w_rules {
        int64_t from;
        int count;
        struct w_rule rules[RULES_MAX];
    } terms[AGREEMENT_TERMS_MAX];
};
extern const char *const w_rule_labels[];
enum { RULE_LABELS = 3 };

struct w_wallet {
    char id[ID_MAX];
    int party;
    int client;
    int currency;
    bool promo;
    int64_t amount;
    int64_t expires; /* 0: never */
    int64_t priority;
};
struct w_coupon {
    char id[ID_MAX];
    int party;
    int client; /* or EVERYTHING */
    int currency;
    int item;      /* or EVERYTHING */
    int64_t ppm;   /* or */
    int64_t most;  /* minor units in each close */
    int64_t times; /* 0: any number */
    int64_t used;
    int64_t expires;
};
/* What a party promises for an invitation. */
struct w_reward {
    int party;
    int currency;
    int64_t inviter; /* minor units */
    int64_t invitee;
    int64_t days; /* until the credit ends; 0: never */
    int64_t from;
};
/* Capital that the payee of an agreement puts in. */
struct w_financing {
    char id[ID_MAX];
    int agreement;
    const char *label; /* of the rule that gives it back */
    int client;        /* for whom a document was paid; EVERYTHING: money */
    int64_t amount;
    int64_t returns;
};

struct world {
    uint64_t seed;
    uint64_t chance;
    bool large;
    bool crashes;
    int64_t now;
    int months;
    int64_t month[MONTHS_MAX + 1]; /* begin of each, in the operator's zone; an end behind */
    size_t party_count, book_count, edge_count, item_count, plan_count, sub_count, use_count;
    size_t agreement_count, wallet_count, coupon_count, reward_count, financing_count;
    struct w_party *parties; /* [0]: the operator */
    struct w_book *books;
    struct w_edge *edges;
    struct w_meter meters[METERS];
    struct w_item *items;
    struct w_plan *plans;
    struct w_sub *subs;
    struct w_use *uses;
    struct w_agreement *agreements;
    struct w_wallet *wallets;
    struct w_coupon *coupons;
    struct w_reward *rewards;
    struct w_financing *financings;
};

/* from whole units of one currency are to of another: the same in a world for ever. */
struct w_rate {
    int64_t from;
    int64_t to;
};
struct w_rate world_rate(const struct world *w, int from, int to);

/* The next number of the world's own chance: 0 .. bound - 1. */
uint64_t world_below(struct world *w, uint64_t bound);
bool world_percent(struct world *w, int percent);
/* from .. to */
int64_t world_between(struct world *w, int64_t from, int64_t to);

/* One more: the list, perhaps elsewhere, with what was in it and a place of zeros behind. */
void *world_grow(void *list, size_t *count, size_t size);
#define WORLD_ADD(list, count) \
    ((list) = world_grow((list), &(count), sizeof *(list)), &(list)[(count)-1])

/* A decimal from .. to, with some digits behind the point. */
struct w_num world_number(struct world *w, int64_t from, int64_t to, int digits);
/* A new entry of a book, from an instant on. */
void world_entry(struct world *w, struct w_book *b, int64_t from);
/* New guard rails of a book, from an instant on. */
void world_rail(struct world *w, struct w_book *b, int64_t from);
/* New terms of an agreement, from an instant on: other rules; who has the rest keeps it. */
void world_terms(struct world *w, struct w_agreement *a, int64_t from);
/* A book of a seller: one that it has, or a new one; or EVERYTHING. */
int world_some_book(struct world *w, int seller, int currency);
/* The book of an edge at an instant, or EVERYTHING. */
int world_book_at(const struct w_edge *e, int64_t at);
/* Somebody new who buys as the buyer of this edge does, from the same seller: the new edge. */
int world_newcomer(struct world *w, int edge, int sponsor);
/* A new subscription of an edge from an instant on, of a plan in its currency; it may be below
 * another one. */
void world_sub(struct world *w, int edge, int64_t start);
/* One that was ended goes on from an instant on, as a new one. */
void world_sub_again(struct world *w, int sub, int64_t start);
/* Whether a plan has instalments or what is paid once: it is neither changed to nor left. */
bool world_in_parts(const struct w_plan *p);
/* Whether it has instalments: it is not ended, and goes to no other seller. */
bool world_has_instalments(const struct w_plan *p);
/* Whether a subscription is below another one, or that one itself. */
bool world_is_family(const struct world *w, int sub, int head);
/* A new edge to the buyer of this one, who sells nothing, from some seller of the same channel; or
 * EVERYTHING. */
int world_other_edge(struct world *w, int edge);
/* A subscription goes to another edge now, with all that is below it. */
void world_move(struct world *w, int sub, int edge);

/* All of it follows from the seed. parties: about so many. */
struct world *world_make(uint64_t seed, size_t parties);
void world_free(struct world *w);

/* The first instant of a month (0: January 1970) in a zone. */
int64_t world_month_begin(enum w_zone zone, int64_t month);
/* When the periods of a subscription begin: the first, and each after it. */
struct w_calendar {
    enum w_zone zone;
    int months;    /* that a period has */
    int64_t first; /* month of the first period */
    int day;       /* 1: the first of the month; in a shorter month the last */
};
struct w_calendar world_calendar(const struct world *w, const struct w_sub *s);
/* number: 0 is the first. */
int64_t world_period_begin(const struct w_calendar *c, int64_t number);
/* The day that an instant is in; 0: 1970-01-01. */
int64_t world_day(enum w_zone zone, int64_t at);
/* The month that an instant is in. */
int64_t world_month_of(enum w_zone zone, int64_t at);

#endif
