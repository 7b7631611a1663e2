/*
 * margin.c - what margins, occupancy and gifts do to a plan: tiers, what-ifs, break-even.
 */
#include "plan/inside.h"

#include "money/amount.h"
#include "money/price.h"
#include "money/round.h"

static struct str price_text(const struct maker *m, fine f)
{
    return fine_price(f, m->terms->currency, m->arena);
}

static fine fine_of_price(struct price p)
{
    fine f = p.mantissa;
    for (int i = p.scale; i < FINE_SCALE; i++)
        f *= 10;
    return f;
}

/* --- tiers --- */

/* The price behind tier count, with the changes as they are, or tier tried with its other one. */
static enum rc climb(const struct maker *m, size_t count, size_t tried, struct price *ret)
{
    const struct forecast_tier *tiers = m->plan->tiers.items;
    struct price p = {0};
    TRY(price_parse(m->plan->price, &p, m->err));
    for (size_t i = 0; i < count; i++) {
        int64_t change = i == tried ? tiers[i].try_ppm : tiers[i].change_ppm;
        static const struct price most = {FORECAST_LUMP_MAX, 0};
        struct err ignored = {0}; /* what does not fit is too large, and said so here */
        if (price_scale_ppm(p, PRICE_WHOLE_PPM + change, &p, &ignored) == RC_OK &&
            price_compare(p, most) <= 0)
            continue;
        struct str pointer =
            arena_fmt(m->arena, "/tiers/%zu/%s", i, i == tried ? "try_ppm" : "change_ppm");
        return err_set_at(m->err, RC_INVALID, pointer,
                          "the price behind this tier is too large to be counted exactly");
    }
    *ret = p;
    return RC_OK;
}

static enum rc make_tier(const struct maker *m, size_t i, struct forecast_tier_margin *ret)
{
    const struct forecast_tier *tier = &((const struct forecast_tier *)m->plan->tiers.items)[i];
    size_t none = m->plan->tiers.count;
    struct price buy = {0};
    struct price sell = {0};
    struct price end = {0};
    TRY(climb(m, i, none, &buy));
    TRY(climb(m, i + 1, none, &sell));
    *ret = (struct forecast_tier_margin){
        .name = tier->name,
        .change_ppm = tier->change_ppm,
        .buy = price_text(m, fine_of_price(buy)),
        .sell = price_text(m, fine_of_price(sell)),
        .margin = price_text(m, fine_of_price(sell) - fine_of_price(buy)),
    };
    if (!schema_has(&forecast_tier_schema, tier, "try_ppm"))
        return RC_OK;
    TRY(climb(m, i + 1, i, &sell));
    TRY(climb(m, none, i, &end));
    ret->try_ppm = tier->try_ppm;
    ret->try_sell = price_text(m, fine_of_price(sell));
    ret->try_margin = price_text(m, fine_of_price(sell) - fine_of_price(buy));
    ret->try_end = price_text(m, fine_of_price(end));
    return RC_OK;
}

static enum rc make_tiers(struct maker *m)
{
    size_t count = m->plan->tiers.count;
    struct forecast_tier_margin *tiers = NEW_N(m->arena, struct forecast_tier_margin, count);
    for (size_t i = 0; i < count; i++)
        TRY(make_tier(m, i, &tiers[i]));
    m->answer->tiers = (struct list){tiers, count};
    return RC_OK;
}

/* --- what if --- */

/* What a server brings in a month, at its mean price and occupancy, amortisation aside. */
static fine server_return(const struct terms *t)
{
    fine ppm = terms_mean_price(t) / FORECAST_WHOLE_PPM; /* exact: its last 6 digits are 0 */
    fine back = ppm * t->occupancy_ppm - terms_outlay(t, false);
    enum forecast_role software = t->receivers[FORECAST_SOFTWARE];
    bool own = software != FORECAST_INVEST && t->played[software];
    if (t->software_on_sales && !own)
        back += t->lines[FORECAST_SOFTWARE] / FORECAST_WHOLE_PPM *
                (FORECAST_WHOLE_PPM - t->occupancy_ppm);
    return back;
}

static enum rc make_outcome(const struct maker *m, size_t i, struct forecast_outcome *ret)
{
    const struct forecast_what_if *change =
        &((const struct forecast_what_if *)m->plan->what_ifs.items)[i];
    struct terms *t = NEW(m->arena, struct terms);
    TRY(terms_change(m->terms, change, i, m->arena, t, m->err));
    struct month month;
    month_steady(t, t->occupancy_ppm, &month);
    struct month_result result = month_result(t, &month);
    int64_t profit = 0;
    TRY(fine_round(month_result_profit(&result), t->currency, &profit, m->err));

    fine price = t->price * FINE_PER_RATED;
    int64_t ignored = 0;
    *ret = (struct forecast_outcome){
        .name = change->name,
        .cost = price_text(m, terms_cost(t)),
        .price = price_text(m, price),
        .margin = price_text(m, price - terms_cost(t)),
        .occupancy_ppm = t->occupancy_ppm,
        .profit_month = amount_str(profit, t->currency, m->arena),
        .break_even_ppm = month_break_even(t),
    };
    if (t->has_purchase && t->played[FORECAST_INVEST])
        ret->payback =
            answer_months(t->server_price * FINE_PER_RATED, server_return(t), &ignored, m->arena);
    return RC_OK;
}

static enum rc make_outcomes(struct maker *m)
{
    size_t count = m->plan->what_ifs.count;
    struct forecast_outcome *outcomes = NEW_N(m->arena, struct forecast_outcome, count);
    for (size_t i = 0; i < count; i++)
        TRY(make_outcome(m, i, &outcomes[i]));
    m->answer->what_ifs = (struct list){outcomes, count};
    return RC_OK;
}

/* --- the free tier --- */

/* price of a server-month for the free units. */
static enum rc free_amount(const struct maker *m, fine price, struct str *ret)
{
    const struct terms *t = m->terms;
    /* At 10^-9: the units of ten million members do not fit beside 10^-21. */
    fine rated_price = round_div(price, FINE_PER_RATED);
    int64_t amount = 0;
    TRY(rated_round(round_div(rated_price * t->free_units, t->units), t->currency, &amount,
                    m->err));
    *ret = amount_str(amount, t->currency, m->arena);
    return RC_OK;
}

static enum rc make_free_tier(struct maker *m)
{
    const struct terms *t = m->terms;
    struct forecast_free_tier *f = &m->answer->free_tier;
    f->members = t->free_units > 0 ? t->members : 0;
    fine servers = round_div((fine)t->free_units * 1000, t->units);
    f->servers = fine_text(servers * (FINE_PER_RATED * 1000000), 3, 3, m->arena);
    TRY(free_amount(m, t->lines[FORECAST_SOFTWARE], &f->software_month));
    TRY(free_amount(m, terms_cost(t), &f->cost_month));
    return free_amount(m, t->price * FINE_PER_RATED, &f->price_month);
}

enum rc answer_margins(struct maker *m)
{
    TRY(make_tiers(m));
    TRY(make_outcomes(m));
    TRY(make_free_tier(m));
    m->answer->break_even_ppm = month_break_even(m->terms);
    int64_t marketing = 0;
    TRY(rated_round(m->terms->marketing, m->terms->currency, &marketing, m->err));
    m->answer->marketing_month = amount_str(marketing, m->terms->currency, m->arena);
    return RC_OK;
}
