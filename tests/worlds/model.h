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
    int64_t amounts[DEPTH_MAX];
    int64_t list;
    int64_t discount;
    bool late;
    bool free;
    int64_t begin, end, from, until;
    int64_t month; /* of the subscription's life, 1.. */
    wide quantity; /* at 10^-9 */
    int64_t units;
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
    size_t first, count; /* lines */
    int64_t net, tax, gross, prepaid, promo, paid, credited;
    int refers; /* doc, or EVERYTHING */
    size_t group_count, income_count;
    struct m_group groups[GROUPS_MAX];
    struct m_income incomes[INCOMES_MAX];
};

struct m_deferral {
    int doc;
    size_t line;
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
    bool returned;
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
        taken_count, left_count;
    struct m_window *windows;
    struct m_ahead *aheads;
    struct m_line *lines;
    struct m_doc *docs;
    struct m_deferral *deferrals;
    struct m_payment *payments;
    struct m_taking *taken;
    int64_t *left; /* of each wallet */
    int closed;    /* months */
    size_t path_count;
    int *path_numbers; /* by last edge: in the order in which they were first rated, from 1 */
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

/* The newest wallet of the world was given. */
void model_wallet(struct model *m);

/* --- parts --- */

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
/* The lines of a document, and their nets in it; the caller frees both. */
size_t model_doc_lines(struct model *m, int doc, size_t **ret_lines, struct m_sum **ret_nets);
/* What was earned by an instant becomes income. */
void model_recognise(struct model *m, struct m_deferral *f, int64_t until);
/* A document to be filled in; the list may have moved. */
struct m_doc *model_doc(struct model *m);
const struct w_item *model_item(const struct model *m, const struct m_line *l);

#endif
