/*
 * compare.c - declared figures beside the computed ones.
 */
#include "plan/inside.h"

#include "money/amount.h"
#include "money/decimal.h"
#include "money/round.h"

enum { RATIO_DIGITS = 2 };

#define DECLARED_MAX INT64_C(100000000000000000) /* of any figure that is compared */

struct comparison {
    struct maker *m;
    const struct forecast_declared *d;
    size_t index;
};

static struct str pointer_of(const struct comparison *c, const char *field)
{
    return arena_fmt(c->m->arena, "/declared/%zu/%s", c->index, field);
}

static enum rc refuse_of(const struct comparison *c, const char *what)
{
    return err_set_at(c->m->err, RC_INVALID, pointer_of(c, "of"), "'%.*s' is no %s of this plan",
                      STRF(c->d->of), what);
}

static int64_t word_index(const char *const *words, struct str word)
{
    for (int64_t i = 0; words[i] != NULL; i++)
        if (str_eq(word, str_c(words[i])))
            return i;
    return -1;
}

/* An amount at 10^-9 as text in the digits of the currency. */
static enum rc amount_text(const struct comparison *c, rated value, struct str *ret)
{
    const struct currency *currency = c->m->terms->currency;
    int64_t amount = 0;
    TRY(rated_round(value, currency, &amount, c->m->err));
    *ret = amount_str(amount, currency, c->m->arena);
    return RC_OK;
}

/* The number without zeros at its end. */
static struct str plain_text(__int128 value, int scale, struct arena *arena)
{
    for (; scale > 0 && value % 10 == 0; scale--)
        value /= 10;
    char text[DECIMAL_TEXT_MAX];
    return arena_str(arena, str_n(text, decimal_format(value, scale, text)));
}

/* --- what is computed, by figure; empty: there is no such thing --- */

static enum rc find_line(const struct comparison *c, struct str *ret)
{
    int64_t line = word_index(forecast_line_words, c->d->of);
    if (line < 0)
        return refuse_of(c, "line");
    *ret = fine_price(c->m->terms->lines[line], c->m->terms->currency, c->m->arena);
    return RC_OK;
}

static enum rc find_role(const struct comparison *c, struct str *ret)
{
    int64_t role = word_index(forecast_role_words, c->d->of);
    if (role < 0)
        return refuse_of(c, "role");
    *ret = ((const struct forecast_role_profit *)c->m->answer->roles.items)[role].profit;
    return RC_OK;
}

static enum rc sum_roles(const struct comparison *c, struct str *ret)
{
    const struct forecast_role_profit *roles = c->m->answer->roles.items;
    rated sum = 0;
    for (size_t i = 0; i < FORECAST_ROLES; i++) {
        rated profit = 0;
        TRY(rated_parse(roles[i].profit, &profit, c->m->err));
        sum += roles[i].played ? profit : 0;
    }
    *ret = fine_price(sum * FINE_PER_RATED, c->m->terms->currency, c->m->arena);
    return RC_OK;
}

static enum rc find_year(const struct comparison *c, const struct forecast_period **ret)
{
    const struct list *years = &c->m->answer->years;
    int64_t number = 1;
    if (c->d->of.n > 0 && !str_to_i64(c->d->of, 1, (int64_t)years->count, &number))
        return refuse_of(c, "year");
    *ret = &((const struct forecast_period *)years->items)[number - 1];
    return RC_OK;
}

/* Costs of a year in all. */
static enum rc year_cost(const struct comparison *c, const struct forecast_period *year,
                         struct str *ret)
{
    const struct str parts[] = {year->costs, year->setups, year->marketing};
    rated sum = 0;
    for (size_t i = 0; i < COUNT(parts); i++) {
        rated part = 0;
        TRY(rated_parse(parts[i], &part, c->m->err));
        sum += part;
    }
    return amount_text(c, sum, ret);
}

static struct str payback_at(const struct comparison *c, bool member)
{
    const struct terms *t = c->m->terms;
    const struct forecast_payback *all = c->m->answer->paybacks.items;
    bool full = t->has_purchase && t->played[FORECAST_INVEST];
    bool two = t->member_price != t->price;
    return full ? all[member && two].months : STR("");
}

static enum rc find_service(const struct comparison *c, const struct term_service **ret)
{
    for (size_t i = 0; i < c->m->terms->service_count; i++) {
        *ret = &c->m->terms->services[i];
        if (str_eq((*ret)->name, c->d->of))
            return RC_OK;
    }
    return refuse_of(c, "service");
}

static enum rc sum_setups(const struct comparison *c, struct str *ret)
{
    const struct terms *t = c->m->terms;
    rated sum = 0;
    bool found = c->d->of.n == 0;
    for (size_t i = 0; i < t->setup_count; i++) {
        if (c->d->of.n > 0 && !str_eq(c->d->of, t->setups[i].name))
            continue;
        sum += t->setups[i].amount;
        found = true;
    }
    return found ? amount_text(c, sum, ret) : refuse_of(c, "expense");
}

/* The fee of all servers for all months. */
static enum rc sum_software(const struct comparison *c, struct str *ret)
{
    int64_t amount = 0;
    TRY(fine_round(c->m->software, c->m->terms->currency, &amount, c->m->err));
    *ret = amount_str(amount, c->m->terms->currency, c->m->arena);
    return RC_OK;
}

/* Two amounts of the document, divided: two digits behind the point, fewer where they are 0. */
static enum rc make_ratio(const struct comparison *c, struct str *ret)
{
    rated over = 0;
    rated under = 0;
    TRY(terms_amount(c->d->over, FORECAST_LUMP_MAX, pointer_of(c, "over"), &over, c->m->err));
    TRY(terms_amount(c->d->under, FORECAST_LUMP_MAX, pointer_of(c, "under"), &under, c->m->err));
    if (under == 0)
        return err_set_at(c->m->err, RC_INVALID, pointer_of(c, "under"),
                          "a ratio wants something above 0 to divide by");
    /* At most 10^21 x 100 / 1. */
    *ret = plain_text(round_div(over * 100, under), RATIO_DIGITS, c->m->arena);
    return RC_OK;
}

static enum rc make_sum(const struct comparison *c, struct str *ret)
{
    const struct str *parts = c->d->parts.items;
    rated sum = 0;
    for (size_t i = 0; i < c->d->parts.count; i++) {
        rated part = 0;
        struct str pointer = arena_fmt(c->m->arena, "/declared/%zu/parts/%zu", c->index, i);
        TRY(terms_amount(parts[i], FORECAST_LUMP_MAX, pointer, &part, c->m->err));
        sum += part;
    }
    *ret = fine_price(sum * FINE_PER_RATED, c->m->terms->currency, c->m->arena);
    return RC_OK;
}

static enum rc service_figure(const struct comparison *c, struct str *ret)
{
    const struct term_service *s = NULL;
    TRY(find_service(c, &s));
    ASSERT(s != NULL);
    bool piece = c->d->figure == FORECAST_FIGURE_PIECE;
    return amount_text(c, piece ? s->once : s->once * s->count, ret);
}

static enum rc year_figure(const struct comparison *c, struct str *ret)
{
    const struct forecast_period *year = NULL;
    TRY(find_year(c, &year));
    ASSERT(year != NULL);
    if (c->d->figure == FORECAST_FIGURE_YEAR_COST)
        return year_cost(c, year, ret);
    *ret = c->d->figure == FORECAST_FIGURE_YEAR_SALES ? year->sales : year->profit;
    return RC_OK;
}

static enum rc compute(const struct comparison *c, struct str *ret)
{
    const struct maker *m = c->m;
    const struct forecast_answer *a = m->answer;
    switch ((enum forecast_figure)c->d->figure) {
    case FORECAST_FIGURE_LINE:
        return find_line(c, ret);
    case FORECAST_FIGURE_COST:
        *ret = a->cost;
        return RC_OK;
    case FORECAST_FIGURE_PRICE:
        *ret = a->price;
        return RC_OK;
    case FORECAST_FIGURE_MEMBER_PRICE:
        *ret = a->member_price;
        return RC_OK;
    case FORECAST_FIGURE_MARGIN:
        *ret = a->margin;
        return RC_OK;
    case FORECAST_FIGURE_MEMBER_MARGIN:
        *ret = a->member_margin;
        return RC_OK;
    case FORECAST_FIGURE_UNIT_PRICE:
        *ret = a->unit.price;
        return RC_OK;
    case FORECAST_FIGURE_MEMBER_UNIT_PRICE:
        *ret = a->unit.member_price;
        return RC_OK;
    case FORECAST_FIGURE_ROLE:
        return find_role(c, ret);
    case FORECAST_FIGURE_ROLES:
        return sum_roles(c, ret);
    case FORECAST_FIGURE_PAYBACK:
    case FORECAST_FIGURE_MEMBER_PAYBACK:
        *ret = payback_at(c, c->d->figure == FORECAST_FIGURE_MEMBER_PAYBACK);
        return RC_OK;
    case FORECAST_FIGURE_BREAK_EVEN:
        if (a->break_even_ppm >= 0)
            *ret = arena_fmt(m->arena, "%lld", (long long)a->break_even_ppm);
        return RC_OK;
    case FORECAST_FIGURE_PURCHASE:
        return amount_text(c, m->terms->server_price * m->terms->servers, ret);
    case FORECAST_FIGURE_SOFTWARE:
        return sum_software(c, ret);
    case FORECAST_FIGURE_SETUP:
        return sum_setups(c, ret);
    case FORECAST_FIGURE_FREE_SERVERS:
        *ret = a->free_tier.servers;
        return RC_OK;
    case FORECAST_FIGURE_YEAR_SALES:
    case FORECAST_FIGURE_YEAR_COST:
    case FORECAST_FIGURE_YEAR_PROFIT:
        return year_figure(c, ret);
    case FORECAST_FIGURE_PIECE:
    case FORECAST_FIGURE_SERVICES:
        return service_figure(c, ret);
    case FORECAST_FIGURE_RATIO:
        return make_ratio(c, ret);
    case FORECAST_FIGURE_SUM:
        return make_sum(c, ret);
    case FORECAST_FIGURES:
        break;
    }
    NEVER("a figure outside its enum");
}

/* --- one line --- */

/* "profit 'invest'", or the document's words. */
static struct str what_of(const struct comparison *c)
{
    if (c->d->label.n > 0)
        return c->d->label;
    const char *word = forecast_figure_words[c->d->figure];
    struct buf b;
    buf_init(&b, c->m->arena, 200);
    for (const char *p = word; *p != '\0'; p++)
        buf_add_char(&b, *p == '_' ? ' ' : *p);
    if (c->d->of.n > 0)
        buf_fmt(&b, " '%.*s'", STRF(c->d->of));
    return buf_str(&b);
}

static enum rc compare(const struct comparison *c, struct forecast_variance *ret)
{
    struct forecast_variance v = {.what = what_of(c), .declared = c->d->amount, .why = c->d->why};
    rated declared = 0;
    if (rated_parse(c->d->amount, &declared, c->m->err) != RC_OK ||
        declared > DECLARED_MAX * (rated)1000000000 || declared < -DECLARED_MAX * (rated)1000000000)
        return err_set_at(c->m->err, RC_INVALID, pointer_of(c, "amount"),
                          "'%.*s' is no figure with at most 9 digits behind the point",
                          STRF(c->d->amount));
    TRY(compute(c, &v.computed));
    if (v.computed.n > 0) {
        rated computed = 0;
        TRY(rated_parse(v.computed, &computed, c->m->err));
        v.difference = plain_text(computed - declared, RATED_SCALE, c->m->arena);
        v.agrees = computed == declared;
    }
    *ret = v;
    return RC_OK;
}

enum rc answer_compare(struct maker *m)
{
    size_t count = m->plan->declared.count;
    struct forecast_variance *variances = NEW_N(m->arena, struct forecast_variance, count);
    for (size_t i = 0; i < count; i++) {
        struct comparison c = {.m = m,
                               .d = &((const struct forecast_declared *)m->plan->declared.items)[i],
                               .index = i};
        TRY(compare(&c, &variances[i]));
    }
    m->answer->variances = (struct list){variances, count};
    return RC_OK;
}
