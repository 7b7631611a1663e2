#include "catalog/charge.h"

#include "money/round.h"

enum { PERCENT_DIGITS = 4 }; /* "5" is 50,000 ppm */

/* --- from what is written --- */

static enum rc field_price(struct str text, const char *pointer, struct price *ret, struct err *err)
{
    enum rc rc = text.n > 0 ? price_parse(text, ret, err)
                            : err_set(err, RC_INVALID, "a price is needed here");
    if (rc != RC_OK)
        err_at(err, str_c(pointer));
    else if (ret->mantissa < 0)
        return err_set_at(err, RC_INVALID, str_c(pointer), "a price is not below 0");
    return rc;
}

static enum rc field_quantity(struct str text, const char *pointer, struct quantity *ret,
                              struct err *err)
{
    *ret = (struct quantity){0};
    if (text.n == 0)
        return RC_OK;
    enum rc rc = quantity_parse(text, ret, err);
    if (rc != RC_OK)
        err_at(err, str_c(pointer));
    else if (ret->mantissa < 0)
        return err_set_at(err, RC_INVALID, str_c(pointer), "a quantity is not below 0");
    return rc;
}

static enum rc parse_step(const struct charge_tier *t, bool last, const struct charge_step *before,
                          struct charge_step *ret, struct err *err)
{
    struct charge_step s = {0};
    if (last && t->up_to.n > 0)
        return err_set_at(err, RC_INVALID, STR("/tiers"), "the last tier has no end");
    if (!last && t->up_to.n == 0)
        return err_set_at(err, RC_INVALID, STR("/tiers"), "every tier but the last has an end");
    TRY(field_quantity(t->up_to, "/tiers", &s.up_to, err));
    if (!last && before != NULL && quantity_compare(s.up_to, before->up_to) <= 0)
        return err_set_at(err, RC_INVALID, STR("/tiers"), "tiers ascend");
    if (t->price.n > 0)
        TRY(field_price(t->price, "/tiers", &s.price, err));
    if (t->flat.n > 0)
        TRY(field_price(t->flat, "/tiers", &s.flat, err));
    if (t->price.n == 0 && t->flat.n == 0)
        return err_set_at(err, RC_INVALID, STR("/tiers"), "a tier has a price, a flat or both");
    *ret = s;
    return RC_OK;
}

static enum rc parse_steps(const struct charge *c, struct charge_rule *ret, struct err *err)
{
    const struct charge_tier *tiers = c->tiers.items;
    if (c->tiers.count == 0)
        return err_set_at(err, RC_INVALID, STR("/tiers"), "this kind of charge has tiers");
    if (c->tiers.count > CHARGE_TIERS_MAX)
        return err_set_at(err, RC_INVALID, STR("/tiers"), "at most %d tiers", CHARGE_TIERS_MAX);
    for (size_t i = 0; i < c->tiers.count; i++)
        TRY(parse_step(&tiers[i], i + 1 == c->tiers.count, i > 0 ? &ret->steps[i - 1] : NULL,
                       &ret->steps[i], err));
    ret->step_count = c->tiers.count;
    return RC_OK;
}

static enum rc parse_percent(const struct charge *c, struct charge_rule *ret, struct err *err)
{
    struct price p;
    struct price ppm;
    TRY(field_price(c->percent, "/percent", &p, err));
    enum rc rc = price_add(p, (struct price){0, PERCENT_DIGITS}, &ppm, err);
    if (rc != RC_OK || ppm.scale != PERCENT_DIGITS)
        return err_set_at(err, RC_INVALID, STR("/percent"),
                          "a percentage has at most %d digits behind the point", PERCENT_DIGITS);
    ret->percent_ppm = ppm.mantissa;
    return RC_OK;
}

static enum rc parse_package(const struct charge *c, struct charge_rule *ret, struct err *err)
{
    TRY(field_price(c->price, "/price", &ret->price, err));
    TRY(field_quantity(c->package, "/package", &ret->package, err));
    if (ret->package.mantissa == 0)
        return err_set_at(err, RC_INVALID, STR("/package"), "how many units are in a package?");
    return RC_OK;
}

static bool is_metered(enum charge_kind kind)
{
    return kind == CHARGE_PER_UNIT || kind == CHARGE_GRADUATED || kind == CHARGE_VOLUME ||
           kind == CHARGE_PACKAGE || kind == CHARGE_STAIR || kind == CHARGE_PERCENT;
}

static enum rc parse_kind(const struct charge *c, struct charge_rule *ret, struct err *err)
{
    switch (ret->kind) {
    case CHARGE_FLAT:
    case CHARGE_ONE_TIME:
    case CHARGE_PER_UNIT:
        return field_price(c->price, "/price", &ret->price, err);
    case CHARGE_INSTALMENT:
        if (c->instalments < 1)
            return err_set_at(err, RC_INVALID, STR("/instalments"), "in how many parts?");
        ret->instalments = c->instalments;
        return field_price(c->price, "/price", &ret->price, err);
    case CHARGE_GRADUATED:
    case CHARGE_VOLUME:
    case CHARGE_STAIR:
    case CHARGE_DESCENDANTS:
        return parse_steps(c, ret, err);
    case CHARGE_PACKAGE:
        return parse_package(c, ret, err);
    case CHARGE_PERCENT:
        return parse_percent(c, ret, err);
    case CHARGE_MINIMUM:
        return field_price(c->minimum, "/minimum", &ret->minimum, err);
    }
    NEVER("every kind of charge was read");
}

enum rc charge_parse(const struct charge *c, struct charge_rule *ret, struct err *err)
{
    struct charge_rule r = {.kind = (enum charge_kind)c->kind};
    if (is_metered(r.kind) && c->meter.n == 0)
        return err_set_at(err, RC_INVALID, STR("/meter"), "this kind of charge has a meter");
    if (!is_metered(r.kind) && c->meter.n > 0)
        return err_set_at(err, RC_INVALID, STR("/meter"), "this kind of charge has no meter");
    TRY(parse_kind(c, &r, err));
    TRY(field_quantity(c->included, "/included", &r.included, err));
    *ret = r;
    return RC_OK;
}

/* --- at another edge --- */

enum rc charge_reprice(const struct charge_rule *c, price_fn fn, void *arg, struct charge_rule *ret,
                       struct err *err)
{
    struct charge_rule r = *c;
    struct price *prices[2 + 2 * CHARGE_TIERS_MAX];
    size_t count = 0;
    prices[count++] = &r.price;
    prices[count++] = &r.minimum;
    for (size_t i = 0; i < r.step_count; i++) {
        prices[count++] = &r.steps[i].price;
        prices[count++] = &r.steps[i].flat;
    }
    for (size_t i = 0; i < count; i++)
        if (prices[i]->mantissa != 0) /* what costs nothing at the top costs nothing below */
            TRY(fn(arg, *prices[i], prices[i], err));
    *ret = r;
    return RC_OK;
}

/* --- amounts --- */

/* whole x part / parts, to 10^-9. */
static enum rc part_of(rated whole, int64_t part, int64_t parts, rated *ret, struct err *err)
{
    int64_t a = part;
    int64_t b = parts;
    __int128 product = 0;
    while (b != 0) { /* in lowest terms, so that a year of microseconds fits */
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    a = a == 0 ? 1 : a;
    if (__builtin_mul_overflow(whole, (__int128)(part / a), &product))
        return err_set(err, RC_INVALID, "the amount of a charge does not fit");
    *ret = round_div(product, parts / a);
    return RC_OK;
}

static enum rc prorated(rated whole, const struct charge_use *u, struct charge_span *ret,
                        struct err *err)
{
    TRY(part_of(whole, u->from - u->begin, u->end - u->begin, &ret->before, err));
    return part_of(whole, u->until - u->begin, u->end - u->begin, &ret->after, err);
}

/* What is above the included quantity; never below 0. */
static enum rc beyond(const struct charge_rule *c, const struct charge_use *u, struct quantity *ret,
                      struct err *err)
{
    struct quantity q;
    TRY(quantity_sub(u->quantity, c->included, &q, err));
    *ret = q.mantissa > 0 ? q : (struct quantity){0, q.scale};
    return RC_OK;
}

static enum rc flat_amount(struct price flat, rated *sum, struct err *err)
{
    rated r = 0;
    TRY(price_rate(flat, (struct quantity){1, 0}, &r, err));
    return rated_add(*sum, r, sum, err);
}

/* Each tier's part at its price. base: units that one price is for (seconds, where the quantity is
 * unit-seconds), and the tiers are counted in. */
static enum rc graduated(const struct charge_rule *c, struct quantity q, int64_t base, rated *ret,
                         struct err *err)
{
    rated sum = 0;
    struct quantity from = {0, 0};
    for (size_t i = 0; i < c->step_count && quantity_compare(q, from) > 0; i++) {
        const struct charge_step *s = &c->steps[i];
        struct quantity until = q;
        struct quantity part;
        rated r = 0;
        if (i + 1 < c->step_count) {
            struct quantity end = s->up_to;
            if (__builtin_mul_overflow(end.mantissa, base, &end.mantissa))
                return err_set(err, RC_INVALID, "a tier does not fit a quantity");
            if (quantity_compare(end, q) < 0)
                until = end;
        }
        TRY(quantity_sub(until, from, &part, err));
        TRY(price_rate_per(s->price, part, (struct quantity){base, 0}, &r, err));
        TRY(rated_add(sum, r, &sum, err));
        if (s->flat.mantissa != 0)
            TRY(flat_amount(s->flat, &sum, err));
        from = until;
    }
    *ret = sum;
    return RC_OK;
}

/* The tier that a quantity reaches. */
static const struct charge_step *reached(const struct charge_rule *c, struct quantity q)
{
    size_t i = 0;
    while (i + 1 < c->step_count && quantity_compare(q, c->steps[i].up_to) > 0)
        i++;
    return &c->steps[i];
}

static enum rc volume(const struct charge_rule *c, struct quantity q, rated *ret, struct err *err)
{
    rated sum = 0;
    if (q.mantissa > 0) {
        const struct charge_step *s = reached(c, q);
        TRY(price_rate(s->price, q, &sum, err));
        TRY(flat_amount(s->flat, &sum, err));
    }
    *ret = sum;
    return RC_OK;
}

static enum rc stair(const struct charge_rule *c, struct quantity q, rated *ret, struct err *err)
{
    rated sum = 0;
    if (q.mantissa > 0)
        TRY(flat_amount(reached(c, q)->flat, &sum, err));
    *ret = sum;
    return RC_OK;
}

/* Begun packages. */
static enum rc packages(const struct charge_rule *c, struct quantity q, rated *ret, struct err *err)
{
    struct quantity x;
    struct quantity y;
    TRY(quantity_add(q, (struct quantity){0, c->package.scale}, &x, err));
    TRY(quantity_add(c->package, (struct quantity){0, x.scale}, &y, err));
    int64_t count = x.mantissa / y.mantissa + (x.mantissa % y.mantissa > 0);
    return price_rate(c->price, (struct quantity){count, 0}, ret, err);
}

static enum rc percentage(const struct charge_rule *c, struct quantity q, rated *ret,
                          struct err *err)
{
    return price_rate((struct price){c->percent_ppm, 6}, q, ret, err);
}

static enum rc true_up(const struct charge_rule *c, const struct charge_use *u,
                       struct charge_span *ret, struct err *err)
{
    rated whole = 0;
    struct charge_span least;
    TRY(price_rate(c->minimum, (struct quantity){1, 0}, &whole, err));
    TRY(prorated(whole, u, &least, err));
    rated wanted = least.after - least.before;
    *ret = (struct charge_span){.after = wanted > u->metered ? wanted - u->metered : 0};
    return RC_OK;
}

static enum rc instalment(const struct charge_rule *c, const struct charge_use *u,
                          struct charge_span *ret, struct err *err)
{
    rated whole = 0;
    int64_t k = min_i64(max_i64(u->instalment, 0), c->instalments + 1);
    TRY(price_rate(c->price, u->quantity, &whole, err));
    int64_t begun = min_i64(max_i64(k - 1, 0), c->instalments);
    TRY(part_of(whole, begun, c->instalments, &ret->before, err));
    return part_of(whole, min_i64(k, c->instalments), c->instalments, &ret->after, err);
}

enum rc charge_span(const struct charge_rule *c, const struct charge_use *u,
                    struct charge_span *ret, struct err *err)
{
    struct charge_span s = {0};
    rated whole = 0;
    struct quantity q;
    ASSERT(u->begin <= u->from && u->from <= u->until && u->until <= u->end);
    TRY(beyond(c, u, &q, err));
    switch (c->kind) {
    case CHARGE_FLAT:
        TRY(price_rate(c->price, q, &whole, err));
        TRY(prorated(whole, u, &s, err));
        break;
    case CHARGE_PER_UNIT:
        TRY(price_rate(c->price, q, &s.after, err));
        break;
    case CHARGE_GRADUATED:
        TRY(graduated(c, q, 1, &s.after, err));
        break;
    case CHARGE_VOLUME:
        TRY(volume(c, q, &s.after, err));
        break;
    case CHARGE_PACKAGE:
        TRY(packages(c, q, &s.after, err));
        break;
    case CHARGE_STAIR:
        TRY(stair(c, q, &s.after, err));
        break;
    case CHARGE_PERCENT:
        TRY(percentage(c, q, &s.after, err));
        break;
    case CHARGE_MINIMUM:
        TRY(true_up(c, u, &s, err));
        break;
    case CHARGE_ONE_TIME:
        if (u->instalment == 1)
            TRY(price_rate(c->price, q, &s.after, err));
        break;
    case CHARGE_INSTALMENT:
        TRY(instalment(c, u, &s, err));
        break;
    case CHARGE_DESCENDANTS: /* unit-seconds of the window, priced for a whole period */
        TRY(graduated(c, q, (u->end - u->begin) / US_PER_SECOND, &s.after, err));
        break;
    }
    *ret = s;
    return RC_OK;
}

enum rc charge_rate(const struct charge_rule *c, const struct charge_use *use, rated *ret,
                    struct err *err)
{
    struct charge_span s;
    TRY(charge_span(c, use, &s, err));
    *ret = s.after - s.before;
    return RC_OK;
}
