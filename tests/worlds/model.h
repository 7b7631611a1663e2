/*
 * model.h - what all books of a world must say: slow, obvious, independent of Hanse's own code.
 *
 * It reads the world's description, is told of each event as it happens, and keeps balances,
 * documents and shares as plain lists. Its arithmetic is its own: long division on 128 bits. The
 * rules are specs/billing.md 3: 3.9 for every rounding, 3.5 to 3.8 for what is posted.
 */
#ifndef TESTS_WORLDS_MODEL_H
#define TESTS_WORLDS_MODEL_H

#include "world.h"

enum {
    CLEARING = -2, /* the book of the neutral party, where a party is meant */
    KEY_MAX = 96,
    GROUPS_MAX = 8,
    INCOMES_MAX = 24,
    COUPONS_AT_ONCE = 16,
    COUPONS_AT_ONCE_ROOM = 256,
    CODE_INVOICE = 380,
    CODE_CREDIT = 381,
    CODE_SELF_BILLED = 389,
    CODE_SELF_CREDIT = 261,
};

struct m_balance {
    char key[KEY_MAX]; /* "#3 EUR AR:#4"; empty: free */
    int64_t amount;    /* debits less credits */
    int looked_at;     /* by the latest comparison */
};

/* What was billed of a window. Quantities at 10^-9. */
struct m_window {
    int sub;
    int64_t from;
    int64_t until; /* as billed */
    wide used[METERS];
};
/* A window that was billed ahead, up to where. */
struct m_ahead {
    int sub;
    int64_t from;
    int64_t until;
};

struct m_line {
    int sub;
    int client;
    int producer;
    int plan;
    int charge;
    int depth;
    int edges[DEPTH_MAX];
    int path; /* of the model's list */
    int64_t amounts[DEPTH_MAX];
    int64_t list;
    int64_t discount;
    bool late;
    bool free;
    int64_t begin, end, from, until;
    int64_t month; /* which period of the subscription's life, 1.. */
    wide quantity; /* at 10^-9 */
    int64_t units; /* at 10^-9 */
    int close;
};

struct m_income {
    const char *label;
    bool deferred;
    int64_t net;
    int64_t wholesale;
};
struct m_group {
    char category; /* S, E, R (reverse charge), O */
    int64_t ppm;
    int country;
    int64_t net;
    int64_t tax;
    int64_t buyer_ppm;
    int64_t buyer_tax;
    unsigned classes;
    const char *expense; /* label */
};
/* One kind of what a document is about. */
struct m_sum {
    const char *label;
    enum w_class class;
    bool deferred;
    int64_t amount;
    int64_t wholesale;
    int64_t net;
};
struct m_doc {
    char id[ID_MAX];
    int code;
    int close; /* month, or EVERYTHING */
    int edge;  /* or EVERYTHING */
    int from;
    int to;
    int currency;
    enum w_settle settle;
    bool included;
    bool recoverable;
    bool financed;
    size_t first, count; /* lines */
    int64_t net, tax, gross, prepaid, promo, paid, credited, written_off;
    int refers; /* doc, or EVERYTHING */
    int64_t due_day;
    int tier_count; /* COLLECT: who sells, the operator first, and what its buyer owes */
    int sellers[DEPTH_MAX];
    int64_t tiers[DEPTH_MAX];
    int64_t waits[DEPTH_MAX]; /* of each one's own part, what was paid in advance */
    size_t group_count, income_count;
    struct m_group groups[GROUPS_MAX];
    struct m_income incomes[INCOMES_MAX];
};

struct m_deferral {
    int doc;
    size_t line;
    int tier; /* COLLECT: whose part, from the operator */
    int party;
    int currency;
    const char *label;
    int64_t amount;
    int64_t begins, ends, reached, recognised;
};

/* What a credit note takes of a line. */
struct m_taking {
    int doc; /* the invoice */
    size_t line;
    size_t shown; /* its number in the invoice */
    int64_t net;
    int64_t whole;
    int64_t before;
};

struct m_payment {
    char id[ID_MAX];
    int doc;
    int64_t amount;
    int64_t matched;
    int book; /* where the rest waits */
    bool returned;
};

enum m_origin {
    O_REFERRAL,
    O_REVSHARE,
    O_PRODUCTION,
    O_COST,
    O_FEE,
    O_MARGIN,
    O_PREPAID,
    O_BAD_DEBT,
    O_MOVE,
};
struct m_share {
    int agreement; /* or EVERYTHING */
    int terms;     /* which row of its terms, from 0 */
    int rule;
    enum m_origin origin;
    int payer; /* or CLEARING */
    int payee;
    int doc; /* or EVERYTHING: fees */
    int close;
    int client; /* or EVERYTHING */
    int currency;
    const char *label;
    int64_t base, weight, weight_credited;
    int64_t amount, voided, earned, settled;
    int64_t lost;      /* of what is void: by a write-off */
    bool lines_shared; /* a sum over lines, not a percentage of the base */
    bool booked;
    bool on_invoice;
    bool counts; /* kept though it is nothing: its base is of the period */
    int maturity_days;
    int64_t created;
};
struct m_stake {
    int64_t received;
    int64_t lost;     /* will not come */
    int64_t credited; /* of the amount, by credit notes on the document */
    int doc;          /* that was paid, or EVERYTHING */
};
struct m_earning {
    int share;
    int64_t at;
    int64_t amount;
};
struct m_fee {
    int agreement;
    int terms;
    int rule;
    bool free;
    wide nano;
};
/* What a bounded fee left with the operator in a month. */
struct m_kept {
    int agreement;
    int rule;
    int terms; /* the newest */
    int month;
    int64_t amount;
};
struct m_statement {
    int payer, payee, currency;
    char period[ID_MAX];
    int64_t earned, back, payable;
    int64_t least; /* to be paid out */
    int payout;    /* or EVERYTHING */
};
enum m_payout_state { P_PENDING, P_SENT, P_CONFIRMED, P_RETURNED, P_VOID };
/* The operator's money that is out for a debtor of the neutral book. */
struct m_fund {
    int debtor, currency;
    int64_t amount, recovered;
};
struct m_payout {
    char id[ID_MAX];
    int payer, book, payee, currency;
    int64_t amount;
    enum m_payout_state state;
    bool rest; /* of what was collected, not of statements */
};
/* CHAIN: what a party paid of an invoice out of the neutral book. */
struct m_part {
    int payer;
    int doc;
    int64_t amount;
};
/* Whom the neutral book ever owed, in that order. */
struct m_purse {
    int party;
    int currency;
};

/* Edges, and which row of the terms of each. */
struct m_path {
    int depth;
    int edges[DEPTH_MAX];
    int terms[DEPTH_MAX];
};

/* The coupons that count for one document. */
struct m_coupons {
    size_t count;
    int list[COUPONS_AT_ONCE_ROOM];
    int64_t left[COUPONS_AT_ONCE];
    bool used[COUPONS_AT_ONCE];
};

struct model {
    struct world *w;
    size_t balance_count, balance_room;
    struct m_balance *balances;
    size_t window_count, ahead_count, line_count, doc_count, deferral_count, payment_count,
        taken_count, left_count, share_count, earning_count, fee_count, statement_count,
        payout_count, part_count, purse_count, kept_count;
    struct m_window *windows;
    struct m_ahead *aheads;
    struct m_line *lines;
    struct m_doc *docs;
    struct m_deferral *deferrals;
    struct m_payment *payments;
    struct m_taking *taken;
    int64_t *left; /* of each wallet */
    struct m_share *shares;
    struct m_earning *earnings;
    struct m_fee *fees;
    struct m_kept *kept;
    struct m_statement *statements;
    struct m_payout *payouts;
    int *agreement_order;
    struct m_part *parts;
    struct m_purse *purses;
    int closed; /* months */
    size_t path_count;
    struct m_path *paths;   /* in the order in which they were first rated */
    struct m_stake *stakes; /* of each financing */
    size_t stake_count;
    struct m_fund *funds;
    size_t fund_count;
};

struct model *model_new(struct world *w);
void model_free(struct model *m);

/* --- arithmetic --- */

/* n / d, half away from zero. d > 0. */
wide model_round(wide n, wide d);
wide model_ten(int exponent);
/* At 10^-9 of the major unit to minor units. */
int64_t model_minor(wide nano, int currency);
/* amount x part / whole, rounded, for whole of any sign. 0 where whole is 0. */
int64_t model_part(int64_t amount, wide part, wide whole);

/* --- books --- */

/* Debit and credit of one book. Codes: "AR:#4", "Bank". Below 0: the other way round. */
void model_post(struct model *m, int book, int currency, const char *debit, const char *credit,
                int64_t amount);
/* What was ever written under a key, or NULL. */
struct m_balance *model_balance(struct model *m, const char *key);
/* "KIND:#4". Of a few buffers that take turns. */
const char *model_code(const char *kind, int party);
const char *model_label(const char *kind, const char *label);

/* --- events --- */

/* The month is closed: lines, documents, books. */
void model_close(struct model *m, int month);
/* Money for a document; what it does not need waits in Suspense. */
void model_pay(struct model *m, int doc, int64_t amount, const char *id);
void model_return(struct model *m, int payment);
/* The lines of an invoice of which something is left to credit; the caller frees. */
size_t model_lines_left(struct model *m, int doc, struct m_taking **ret);
void model_credit(struct model *m, int doc, const struct m_taking *lines, size_t count);

/* Gross less what was prepaid, paid, credited, written off. */
int64_t model_open(const struct m_doc *d);
/* Whether anything is open of an invoice; and a loss that others share is certain only behind the
 * due day. */
bool model_may_write_off(struct model *m, int doc);
void model_write_off(struct model *m, int doc);
/* So much of what was written off is paid after all. */
void model_recover(struct model *m, int doc, int64_t amount);

/* A run of settlement of a party, now; its payouts, released and answered. */
void model_settlement(struct model *m, int party, const char *period);
void model_release(struct model *m, int payout);
void model_confirm(struct model *m, int payout, bool returned);
/* The newest wallet of the world was given. */
void model_wallet(struct model *m);
/* A party was founded by an invitation of its sponsor: new wallets of the world, without ids. */
void model_reward(struct model *m, int founded);
/* The newest financing of the world: an invoice that its payee pays for a client, or money. */
void model_finance(struct model *m, int doc);

/* --- parts --- */

/* The shares of a client's document accrue, follow its money, and are taken back. */
void model_share_doc(struct model *m, int doc);
void model_follow(struct model *m, int doc);
void model_credit_shares(struct model *m, int doc, const struct m_taking *taken, size_t count);
/* What is owed by the unit, at the end of a close. */
void model_close_fees(struct model *m, int month);
/* What is paid in advance and moved: one seller's credit note pays the other one's invoice. */
void model_close_moved(struct model *m, int month);
/* What the neutral book has on its account and owes to somebody it knows; and of that, what is not
 * on its way out. */
int64_t model_cash(struct model *m, int currency);
int64_t model_cash_free(struct model *m, int currency);
/* What a party owes the neutral book, and of that, what nobody has lent yet. */
int64_t model_gap(struct model *m, int party, int currency);
/* So much was lent; and what debtors paid since goes back first. */
void model_fund(struct model *m, int debtor, int currency, int64_t amount);
void model_fund_back(struct model *m);
/* Then what is missing to what a rule brings at least. */
void model_close_floors(struct model *m, int month);
/* A new share, of nothing: none; and what waits for a document's cash is void. */
void model_accrue(struct model *m, const struct m_share *fresh, int64_t paid, int64_t gross);
void model_void_waiting(struct model *m, int doc);
/* Some of what was written off of it is paid after all: what was void in proportion is not. */
void model_revive(struct model *m, int doc);
/* A statement took over so much of a share. */
void model_settle_share(struct model *m, int share, int64_t amount);
/* Statements of a payer (EVERYTHING: of all). */
void model_statements(struct model *m, int payer, int64_t until, const char *period);
/* Whether the platform collects for the issuer. */
bool model_collected(const struct model *m, const struct m_doc *d);
/* CHAIN: money goes up the path, and what is left is paid out; money that went back to the bank. */
void model_net(struct model *m);
void model_undo(struct model *m, int party, int currency, int64_t amount);
/* A document was credited: what CHAIN had paid of it above what is left goes back. */
void model_refund(struct model *m, int doc);
/* Capital that the shares of a statement give back. */
void model_give_back(struct model *m, int share, int64_t due);
/* c is a credit note on document doc: so much less was put in. */
void model_finance_credited(struct model *m, int doc, const struct m_doc *c);
/* So much of a share is void by a write-off, or below 0 is not any more. */
void model_lose_capital(struct model *m, int share, int64_t amount);
/* Credit that has ended becomes income. */
void model_break(struct model *m);
/* Wallets pay of an invoice, and its books. */
void model_prepay(struct model *m, struct m_doc *d);
void model_post_prepaid(struct model *m, const struct m_doc *d);
/* Which coupons count under an agreement; what they take of a line; that they did. */
void model_coupons(struct model *m, int edge, struct m_coupons *ret);
int64_t model_coupon(const struct model *m, struct m_coupons *coupons, int item, int64_t amount);
void model_coupons_used(struct model *m, const struct m_coupons *coupons);

/* Lines of a subscription in the close of [since, until). */
void model_rate(struct model *m, int sub, int64_t since, int64_t until);
/* Totals and taxes of sums; then its legs in the books. */
void model_total(struct model *m, struct m_doc *d, struct m_sum *sums, size_t count);
void model_post_doc(struct model *m, const struct m_doc *d);
/* The account of a group's tax: "VAT-Out:FR:200000". */
const char *model_tax_code(const char *side, const struct m_group *g, int64_t ppm);
/* The legs that a document's tax has in the seller's own currency. d: a copy of the newest one. */
void model_exchange(struct model *m, const struct m_doc *d, int seller, int sign);
/* COLLECT: a line's part in what each tier gets; amounts by edge. */
void model_add_tiers(const struct model *m, struct m_doc *d, const struct m_line *l,
                     const int64_t *amounts, int sign);
/* The lines of a document, and their nets in it; the caller frees both. */
size_t model_doc_lines(struct model *m, int doc, size_t **ret_lines, struct m_sum **ret_nets);
void model_give_net(const struct m_doc *d, const struct m_sum *kind, struct m_sum *lines,
                    size_t count);
bool model_advance(const struct model *m, const struct m_line *l);
/* The lines of a client's document without tax; the caller frees them. */
struct m_line *model_net_lines(struct model *m, int doc);
/* COLLECT: the tiers of a client's document, and those of a credit note's line. */
void model_doc_tiers(struct model *m, int doc);
void model_credit_tiers(struct model *m, struct m_doc *c, const struct m_taking *t,
                        int64_t *ret_wholesale);
/* What a credit note takes of what waits, of a tier's part. */
int64_t model_deferred_part(struct model *m, const struct m_taking *t, int tier);
/* What was earned by an instant becomes income. */
void model_recognise(struct model *m, struct m_deferral *f, int64_t until);
/* A document to be filled in; the list may have moved. */
struct m_doc *model_doc(struct model *m);
const struct w_item *model_item(const struct model *m, const struct m_line *l);

#endif
