/*
 * charge.h - how each part of a plan is priced: pure arithmetic, no store.
 *
 * A charge gives, for a quantity and a part of a period, the amount since the period began, exact
 * to 10^-9. Whoever bills takes the difference of two such amounts after rounding
 * (money/telescope.h), so that any cutting of a period, late usage and corrections all end at the
 * same total.
 *
 *   kind          what `quantity` is            amount of the whole period
 *   FLAT          units of the subscription     units x price
 *   PER_UNIT      metered                       (quantity - included) x price
 *   GRADUATED     metered                       each tier's part at the tier's price, plus its flat
 *   VOLUME        metered                       all of it at the price of the tier it reaches
 *   PACKAGE       metered                       begun packages x price
 *   STAIR         metered                       the flat price of the tier it reaches
 *   PERCENT       metered, in major units       quantity x percent
 *   MINIMUM       -                             by how much the metered charges fall short
 *   ONE_TIME      units                         units x price, in the first period
 *   INSTALMENT    units                         units x price in `instalments` equal periods
 *   DESCENDANTS   descendants, time-weighted    graduated on how many children of all degrees
 */
#ifndef CATALOG_CHARGE_H
#define CATALOG_CHARGE_H

#include "base/schema.h"
#include "money/price.h"
#include "money/rated.h"

enum { CHARGE_TIERS_MAX = 16, CHARGE_LABEL_MAX = 80 };

enum charge_kind {
    CHARGE_FLAT,
    CHARGE_PER_UNIT,
    CHARGE_GRADUATED,
    CHARGE_VOLUME,
    CHARGE_PACKAGE,
    CHARGE_STAIR,
    CHARGE_PERCENT,
    CHARGE_MINIMUM,
    CHARGE_ONE_TIME,
    CHARGE_INSTALMENT,
    CHARGE_DESCENDANTS,
};
extern const char *const charge_kinds[];

/* As it is written down: decimal texts. */
struct charge_tier {
    uint64_t set;
    struct str up_to; /* quantity, inclusive; empty on the last */
    struct str price; /* for one unit */
    struct str flat;  /* once, when the tier is reached */
};
struct charge {
    uint64_t set;
    struct str label; /* what the invoice line says */
    int64_t kind;
    struct str meter;    /* code; metered kinds */
    struct str price;    /* for one unit, or for one package */
    struct list tiers;   /* struct charge_tier */
    struct str included; /* quantity that costs nothing */
    struct str package;  /* units in one package */
    struct str percent;
    struct str minimum; /* MINIMUM: major units for the period */
    int64_t instalments;
    int64_t advance;      /* FLAT: billed for the period that begins (1) or that ended (0) */
    struct str tax_class; /* of tax_classes; empty: the item's */
};
extern const struct schema charge_tier_schema;
extern const struct schema charge_schema;

/* As it is computed with. */
struct charge_step {
    struct quantity up_to; /* not read on the last */
    struct price price;
    struct price flat;
};
struct charge_rule {
    enum charge_kind kind;
    struct price price; /* of a percentage: for each unit of money */
    struct quantity included;
    struct quantity package; /* mantissa 0: none */
    struct price minimum;
    int64_t instalments;
    size_t step_count;
    struct charge_step steps[CHARGE_TIERS_MAX];
};
/* RC_INVALID names the field: tiers that do not ascend, a last tier with an end, a price
 * missing. */
MUST_CHECK enum rc charge_parse(const struct charge *c, struct charge_rule *ret, struct err *err);

/* The same charge at another edge of the path: each of its prices goes through fn. */
typedef enum rc (*price_fn)(void *arg, struct price list, struct price *ret, struct err *err);
MUST_CHECK enum rc charge_reprice(const struct charge_rule *c, price_fn fn, void *arg,
                                  struct charge_rule *ret, struct err *err);

struct charge_use {
    struct quantity quantity; /* metered, or units, as the kind says; of the window; below 0 is 0 */
    time_us begin;            /* the calendar period */
    time_us end;
    time_us from; /* the part of it for which this charge holds: begin <= from <= until <= end */
    time_us until;
    bool level;         /* the meter tells a level (meter_is_level, item.h), not a sum */
    int64_t instalment; /* of the subscription's periods: 1 is the first */
    rated metered;      /* MINIMUM: what the other metered charges come to */
    const struct currency *currency;
};
/* The amount in two steps of one growing sum: what is billed is R(after) - R(before), so that
 * any cutting of a period, and any number of instalments, end at the same total. FLAT: [begin,
 * from) and [begin, until), prorated to the microsecond; INSTALMENT: what had fallen due before and
 * with this one; all others: 0 and the amount, which for a level is prorated too.
 *
 * In a part of a period, metered kinds have that part of what is included, of the tiers' ends and
 * of the flats (to 18 digits), so that changing the terms gives nobody the included quantity once
 * more; packages are begun anew. MINIMUM: for the part of the period, less u->metered.
 * DESCENDANTS: quantity is unit-seconds (how many there were, times how long); tiers count units
 * that were there all the time of the part. RC_INVALID where it does not fit. */
struct charge_span {
    rated before;
    rated after;
};
MUST_CHECK enum rc charge_span(const struct charge_rule *c, const struct charge_use *use,
                               struct charge_span *ret, struct err *err);
/* after less before, not rounded. */
MUST_CHECK enum rc charge_rate(const struct charge_rule *c, const struct charge_use *use,
                               rated *ret, struct err *err);

#endif
