/*
 * tax.h - value added tax of a document, on top of net prices or inside gross ones.
 *
 * Tax is computed per group, never per line: all lines, charges and allowances of one category and
 * rate are one group with one rounding (EN 16931 BR-CO-17; specs/billing.md 3.9 (6) and (7)). Names
 * like BT-116 are the business terms of EN 16931. Amounts are minor units of the document's one
 * currency. Credit notes carry positive amounts too, so no rounding ever flips its direction.
 */
#ifndef MONEY_TAX_H
#define MONEY_TAX_H

#include "base/arena.h"
#include "money/price.h"

#define TAX_WHOLE_PPM    INT64_C(1000000)
#define TAX_RATE_MAX_PPM (10 * TAX_WHOLE_PPM)

enum { TAX_LINES_MAX = 100000, TAX_GROUPS_MAX = 64 };

/* UNCL 5305 as EN 16931 uses it. */
enum tax_category {
    TAX_STANDARD,        /* S: a rate above 0 */
    TAX_ZERO,            /* Z: rate 0 */
    TAX_EXEMPT,          /* E: rate 0 */
    TAX_REVERSE_CHARGE,  /* AE: rate 0 */
    TAX_INTRA_COMMUNITY, /* K: rate 0 */
    TAX_EXPORT,          /* G: rate 0 */
    TAX_OUTSIDE,         /* O: not subject to VAT; rate 0 here, no rate in documents */
    TAX_CANARY_ISLANDS,  /* L: IGIC, any rate */
    TAX_CEUTA_MELILLA,   /* M: IPSI, any rate */
    TAX_CATEGORY_COUNT,
};

/* "S", "AE", ... */
const char *tax_category_code(enum tax_category category);
/* RC_INVALID where code is none of them. */
MUST_CHECK enum rc tax_category_parse(struct str code, enum tax_category *ret, struct err *err);

/* What a line is: an invoice line, or an allowance or charge of the whole document. Allowances are
 * given as positive amounts and subtracted. */
enum tax_kind { TAX_LINE, TAX_ALLOWANCE, TAX_CHARGE };

struct tax_line {
    enum tax_kind kind;
    enum tax_category category;
    int64_t rate_ppm; /* 200,000 is 20 % */
    int64_t amount;   /* in: net (exclusive) or gross (inclusive); a line may be negative */
    int64_t net;      /* out */
    int64_t tax;      /* out, inclusive only: gross - net. Exclusive: 0, as lines have none */
};

struct tax_group {
    enum tax_category category;
    int64_t rate_ppm;
    int64_t net; /* BT-116: lines + charges - allowances */
    int64_t tax; /* BT-117 */
};

struct tax_totals {
    int64_t lines;      /* BT-106: sum of line nets */
    int64_t allowances; /* BT-107 */
    int64_t charges;    /* BT-108 */
    int64_t net;        /* BT-109 = BT-106 - BT-107 + BT-108 */
    int64_t tax;        /* BT-110 = sum of BT-117 */
    int64_t gross;      /* BT-112 = BT-109 + BT-110 */
    int64_t paid;       /* BT-113: paid before, as given */
    int64_t rounding;   /* BT-114: as given */
    int64_t payable;    /* BT-115 = BT-112 - BT-113 + BT-114 */
};

struct tax_document {
    const struct tax_group *groups; /* in the arena, by category, then rate */
    size_t group_count;
    struct tax_totals totals;
};

/* BT-131: R(price * quantity / base) + charges - allowances, the one rounding of a line. base > 0
 * is how many units the price is for. RC_INVALID where it does not fit. */
struct tax_item {
    struct price price;
    struct quantity quantity;
    struct quantity base;
    int64_t charges;    /* minor units */
    int64_t allowances; /* minor units */
};
MUST_CHECK enum rc tax_line_net(const struct tax_item *item, const struct currency *c, int64_t *ret,
                                struct err *err);

/* Net prices: group tax = R(net * rate). Sets net of each line to its amount.
 * RC_INVALID: more than TAX_LINES_MAX lines or TAX_GROUPS_MAX groups, a rate outside
 * 0..TAX_RATE_MAX_PPM or against its category, an allowance or charge below 0, or a sum that does
 * not fit. */
MUST_CHECK enum rc tax_exclusive(struct tax_line *lines, size_t count, int64_t paid,
                                 int64_t rounding, struct arena *arena, struct tax_document *ret,
                                 struct err *err);

/* Gross prices: group net = R(gross / (1 + rate)), tax = gross - net; then the net is given to the
 * group's lines by largest remainder (split.h), so that they add up. Each line gets net and tax.
 * The same failures. */
MUST_CHECK enum rc tax_inclusive(struct tax_line *lines, size_t count, int64_t paid,
                                 int64_t rounding, struct arena *arena, struct tax_document *ret,
                                 struct err *err);

#endif
