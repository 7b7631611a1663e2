#include "catalog/charge.h"

#include "money/decimal.h"
#include "money/round.h"

enum { PERCENT_DIGITS = 4, PERCENT_OF_ONE = 6 }; /* "5" is 50,000 ppm, 0.05 of one */

/* --- from what is written --- */

static enum rc field_price(struct str text, const char *pointer, struct price *ret, struct err *err)
{
    enum rc rc = text.n > 0 ? price_parse_one(text, ret, err)
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

static enum rc parse_step(const struct charge_tier *t, bool last, struct quantity before,
                          struct charge_step *ret, struct err *err)
{
    struct charge_step s = {0};
    if (last && t->up_to.n > 0)
        return err_set_at(err, RC_INVALID, STR("/tiers"), "the last tier has no end");
    if (!last && t->up_to.n == 0)
        return err_set_at(err, RC_INVALID, STR("/tiers"), "every tier but the last has an end");
    TRY(field_quantity(t->up_to, "/tiers", &s.up_to, err));
    if (!last && quantity_compare(s.up_to, before) <= 0)
        return err_set_at(err, RC_INVALID, STR("/tiers"), "tiers ascend from above 0");
    if (t->price.n > 0)
        TRY(field_price(t->price, "/tiers", &s.price, err));
    if (t->flat.n > 0)
        TRY(field_price(t->flat, "/tiers", &s.flat, err));
    if (t->price.n == 0 && t->flat.n == 0)
        return err_set_at(err, RC_INVALID, STR("/tiers"), "a tier has a price, a flat or both");
    *ret = s;
    return RC_OK;
}

/* The stairs are flat prices alone. */
static enum rc check_stairs(const struct charge *c, struct err *err)
{
    const struct charge_tier *tiers = c->tiers.items;
    for (size_t i = 0; i < c->tiers.count && c->kind == CHARGE_STAIR; i++)
        if (tiers[i].flat.n == 0 || tiers[i].price.n > 0)
            return err_set_at(err, RC_INVALID, STR("/tiers"),
                              "a stair has a flat, and no price for one unit");
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
        TRY(parse_step(&tiers[i], i + 1 == c->tiers.count,
                       i > 0 ? ret->steps[i - 1].up_to : (struct quantity){0}, &ret->steps[i],
                       err));
    ret->step_count = c->tiers.count;
    return check_stairs(c, err);
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
    ret->price = (struct price){ppm.mantissa, PERCENT_OF_ONE};
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

/* What does not belong to a kind is refused: it would be thought to count. */
static enum rc check_fields(const struct charge *c, enum charge_kind kind, struct err *err)
{
    bool tiered = kind == CHARGE_GRADUATED || kind == CHARGE_VOLUME || kind == CHARGE_STAIR ||
                  kind == CHARGE_DESCENDANTS;
    bool priced = !tiered && kind != CHARGE_PERCENT && kind != CHARGE_MINIMUM;
    bool units = kind == CHARGE_FLAT || kind == CHARGE_ONE_TIME;
    const struct {
        const char *pointer;
        bool given;
        bool wanted;
    } fields[] = {
        {"/meter", c->meter.n > 0, is_metered(kind)},
        {"/price", c->price.n > 0, priced},
        {"/tiers", c->tiers.count > 0, tiered},
        {"/included", c->included.n > 0, units || is_metered(kind)},
        {"/package", c->package.n > 0, kind == CHARGE_PACKAGE},
        {"/percent", c->percent.n > 0, kind == CHARGE_PERCENT},
        {"/minimum", c->minimum.n > 0, kind == CHARGE_MINIMUM},
        {"/instalments", c->instalments != 0, kind == CHARGE_INSTALMENT},
        {"/advance", c->advance != 0, !is_metered(kind) && kind != CHARGE_MINIMUM},
    };
    for (size_t i = 0; i < COUNT(fields); i++)
        if (fields[i].given && !fields[i].wanted)
            return err_set_at(err, RC_INVALID, str_c(fields[i].pointer),
                              "a charge of kind %s does not have this", charge_kinds[kind]);
    return RC_OK;
}

enum rc charge_parse(const struct charge *c, struct charge_rule *ret, struct err *err)
{
    struct charge_rule r = {.kind = (enum charge_kind)c->kind};
    TRY(check_fields(c, r.kind, err));
    if (is_metered(r.kind) && c->meter.n == 0)
        return err_set_at(err, RC_INVALID, STR("/meter"), "this kind of charge has a meter");
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

/* whole x part / parts, to 10^-9; 0 <= part <= parts. Taken apart, so that nothing overflows. */
static rated part_of(rated whole, int64_t part, int64_t parts)
{
    return whole / parts * part + round_div(whole % parts * part, parts);
}

static struct charge_span prorated(rated whole, const struct charge_use *u)
{
    return (struct charge_span){
        .before = part_of(whole, u->from - u->begin, u->end - u->begin),
        .after = part_of(whole, u->until - u->begin, u->end - u->begin),
    };
}

/* Of what is for a whole period, the share of this part. */
static rated share_of(rated whole, const struct charge_use *u)
{
    struct charge_span s = prorated(whole, u);
    return s.after - s.before;
}

/* q x times / per, with as many digits as fit beside another quantity: 18 or more of them all. */
static enum rc quantity_times(struct quantity q, int64_t times, int64_t per, struct quantity beside,
                              struct quantity *ret, struct err *err)
{
    const int64_t room = INT64_MAX / 20; /* the sum of two, at one digit more */
    __int128 product = (__int128)q.mantissa * times;
    __int128 value = product / per;
    int scale = q.scale;
    for (; scale < QUANTITY_SCALE_MAX && value <= room && beside.mantissa <= room &&
           beside.mantissa >= -room;
         scale++) {
        value *= 10;
        if (scale >= beside.scale)
            beside.mantissa *= 10;
    }
    __int128 mantissa = round_div(product * decimal_power(scale - q.scale), per);
    if (mantissa > INT64_MAX)
        return err_set(err, RC_INVALID, "a tier does not fit a quantity");
    *ret = (struct quantity){(int64_t)mantissa, scale};
    return RC_OK;
}

/* What is counted in a part of a period has that part of what is included and of each tier; else a
 * window that is cut in two would have them twice. What is a level is not counted up: it has them
 * whole, and its amount is prorated. Descendants are counted in unit-seconds, tiers in units.
 * c points to what is to be used: the rule itself, or what was fitted. */
static enum rc fit(const struct charge_rule **c, const struct charge_use *u,
                   struct charge_rule *fitted, struct err *err)
{
    enum charge_kind kind = (*c)->kind;
    int64_t part = u->until - u->from;
    int64_t whole = kind == CHARGE_DESCENDANTS ? US_PER_SECOND : u->end - u->begin;
    bool counted = is_metered(kind) && !u->level && part != whole;
    struct quantity beside = u->quantity;
    beside.mantissa = max_i64(beside.mantissa, 0);
    if (!counted && kind != CHARGE_DESCENDANTS)
        return RC_OK;
    *fitted = **c;
    *c = fitted;
    TRY(quantity_times(fitted->included, part, whole, beside, &fitted->included, err));
    for (size_t i = 0; i + 1 < fitted->step_count; i++)
        TRY(quantity_times(fitted->steps[i].up_to, part, whole, beside, &fitted->steps[i].up_to,
                           err));
    return RC_OK;
}

/* What is above the included quantity; never below 0. */
static enum rc beyond(const struct charge_rule *c, const struct charge_use *u, struct quantity *ret,
                      struct err *err)
{
    struct quantity q = {0, u->quantity.scale};
    if (u->quantity.mantissa > 0)
        TRY(quantity_sub(u->quantity, c->included, &q, err));
    *ret = q.mantissa > 0 ? q : (struct quantity){0, q.scale};
    return RC_OK;
}

/* Once a period: a part of one bears its share, but for levels, which are prorated as a whole. */
static enum rc add_flat(struct price flat, const struct charge_use *u, rated *sum, struct err *err)
{
    rated r = 0;
    TRY(price_rate(flat, (struct quantity){1, 0}, &r, err));
    return rated_add(*sum, u->level ? r : share_of(r, u), sum, err);
}

/* Each tier's part at its price. base: units that one price is for (seconds of the period, where
 * the quantity is unit-seconds). */
static enum rc graduated(const struct charge_rule *c, const struct charge_use *u, struct quantity q,
                         struct quantity base, rated *ret, struct err *err)
{
    rated sum = 0;
    struct quantity from = {0, 0};
    for (size_t i = 0; i < c->step_count && quantity_compare(q, from) > 0; i++) {
        const struct charge_step *s = &c->steps[i];
        struct quantity until = q;
        struct quantity part;
        rated r = 0;
        if (i + 1 < c->step_count && quantity_compare(s->up_to, q) < 0)
            until = s->up_to;
        if (quantity_compare(until, from) < 0) /* ends that differ by less than they are kept */
            until = from;
        TRY(quantity_sub(until, from, &part, err));
        TRY(price_rate_per(s->price, part, base, &r, err));
        TRY(rated_add(sum, r, &sum, err));
        TRY(add_flat(s->flat, u, &sum, err));
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

static enum rc volume(const struct charge_rule *c, const struct charge_use *u, struct quantity q,
                      rated *ret, struct err *err)
{
    rated sum = 0;
    if (q.mantissa > 0) {
        const struct charge_step *s = reached(c, q);
        TRY(price_rate(s->price, q, &sum, err));
        TRY(add_flat(s->flat, u, &sum, err));
    }
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
    return price_rate(c->price, q, ret, err);
}

static enum rc true_up(const struct charge_rule *c, const struct charge_use *u, rated *ret,
                       struct err *err)
{
    rated whole = 0;
    TRY(price_rate(c->minimum, (struct quantity){1, 0}, &whole, err));
    rated wanted = share_of(whole, u);
    *ret = wanted > u->metered ? wanted - u->metered : 0;
    return RC_OK;
}

static enum rc instalment(const struct charge_rule *c, const struct charge_use *u,
                          struct charge_span *ret, struct err *err)
{
    rated whole = 0;
    int64_t due = min_i64(max_i64(u->instalment, 0), c->instalments);
    int64_t due_before = min_i64(max_i64(u->instalment, 1) - 1, c->instalments);
    TRY(price_rate(c->price, u->quantity, &whole, err));
    *ret = (struct charge_span){
        .before = part_of(whole, due_before, c->instalments),
        .after = part_of(whole, due, c->instalments),
    };
    return RC_OK;
}

/* c fits the part of the period that u is; q is what is to be paid for. */
static enum rc whole_amount(const struct charge_rule *c, const struct charge_use *u,
                            struct quantity q, rated *ret, struct err *err)
{
    switch (c->kind) {
    case CHARGE_FLAT:
    case CHARGE_PER_UNIT:
        return price_rate(c->price, q, ret, err);
    case CHARGE_GRADUATED:
        return graduated(c, u, q, (struct quantity){1, 0}, ret, err);
    case CHARGE_DESCENDANTS:
        return graduated(c, u, q, (struct quantity){u->end - u->begin, 6}, ret, err);
    case CHARGE_VOLUME:
    case CHARGE_STAIR:
        return volume(c, u, q, ret, err);
    case CHARGE_PACKAGE:
        return packages(c, q, ret, err);
    case CHARGE_PERCENT:
        return percentage(c, q, ret, err);
    case CHARGE_MINIMUM:
        return true_up(c, u, ret, err);
    case CHARGE_ONE_TIME:
        *ret = 0;
        return u->instalment == 1 ? price_rate(c->price, q, ret, err) : RC_OK;
    case CHARGE_INSTALMENT:
        break;
    }
    NEVER("instalments are no single amount");
}

enum rc charge_span(const struct charge_rule *c, const struct charge_use *u,
                    struct charge_span *ret, struct err *err)
{
    const struct charge_rule *rule = c;
    struct charge_rule fitted;
    struct quantity q;
    rated whole = 0;
    ASSERT(u->begin <= u->from && u->from <= u->until);
    ASSERT(u->until <= u->end && u->begin < u->end);
    if (c->kind == CHARGE_INSTALMENT)
        return instalment(c, u, ret, err);
    TRY(fit(&rule, u, &fitted, err));
    TRY(beyond(rule, u, &q, err));
    TRY(whole_amount(rule, u, q, &whole, err));
    if (u->level && is_metered(c->kind))
        whole = share_of(whole, u);
    *ret = c->kind == CHARGE_FLAT ? prorated(whole, u) : (struct charge_span){.after = whole};
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
