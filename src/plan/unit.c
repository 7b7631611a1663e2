/*
 * unit.c - what is said of one server and month.
 */
#include "plan/inside.h"

#include "money/round.h"

static struct str price_text(const struct maker *m, fine f)
{
    return fine_price(f, m->terms->currency, m->arena);
}

struct str answer_months(fine price, fine monthly, int64_t *ret_month, struct arena *arena)
{
    *ret_month = 0;
    if (monthly <= 0 || price / monthly >= FORECAST_PAYBACK_MAX)
        return STR("");
    *ret_month = (int64_t)(price / monthly) + (price % monthly > 0);
    fine tenths = round_div(10 * price, monthly);
    return arena_fmt(arena, "%lld.%lld", (long long)(tenths / 10), (long long)(tenths % 10));
}

void answer_payback(struct forecast_answer *a, const struct forecast_payback *p)
{
    ASSERT(a->paybacks.count < ANSWER_PAYBACKS_MAX);
    ((struct forecast_payback *)a->paybacks.items)[a->paybacks.count++] = *p;
}

static void make_lines(struct maker *m)
{
    const struct terms *t = m->terms;
    fine cost = terms_cost(t);
    struct forecast_cost_line *lines = NEW_N(m->arena, struct forecast_cost_line, FORECAST_LINES);
    size_t count = 0;
    for (size_t i = 0; i < FORECAST_LINES; i++) {
        if (t->lines[i] == 0)
            continue;
        struct forecast_cost_line *line = &lines[count++];
        line->line = (int64_t)i;
        line->amount = price_text(m, t->lines[i]);
        line->share_ppm = (int64_t)round_div(t->lines[i] * FORECAST_WHOLE_PPM, cost);
        line->receiver = t->receivers[i];
        line->cancels = t->receivers[i] != FORECAST_INVEST && t->played[t->receivers[i]];
    }
    m->answer->lines = (struct list){lines, count};
}

static void make_roles(struct maker *m)
{
    const struct terms *t = m->terms;
    struct forecast_role_profit *roles =
        NEW_N(m->arena, struct forecast_role_profit, FORECAST_ROLES);
    for (size_t i = 0; i < FORECAST_ROLES; i++) {
        fine income = i == FORECAST_INVEST ? t->price * FINE_PER_RATED : 0;
        fine cost = i == FORECAST_INVEST ? terms_cost(t) : t->own[i];
        for (size_t k = 0; k < FORECAST_LINES; k++)
            if (i != FORECAST_INVEST && t->receivers[k] == i)
                income += t->lines[k];
        roles[i] = (struct forecast_role_profit){.role = (int64_t)i,
                                                 .played = t->played[i],
                                                 .income = price_text(m, income),
                                                 .cost = price_text(m, cost),
                                                 .profit = price_text(m, income - cost)};
    }
    m->answer->roles = (struct list){roles, FORECAST_ROLES};
}

/* A server that is always full, at one price: what is left each month, amortisation aside, pays
 * back what it cost. */
static void make_payback(struct maker *m, const char *name, rated price)
{
    const struct terms *t = m->terms;
    fine monthly = price * FINE_PER_RATED - terms_outlay(t, false);
    struct forecast_payback p = {.name = str_c(name), .monthly = price_text(m, monthly)};
    p.months = answer_months(t->server_price * FINE_PER_RATED, monthly, &p.month, m->arena);
    answer_payback(m->answer, &p);
}

enum rc answer_unit(struct maker *m)
{
    const struct terms *t = m->terms;
    struct forecast_answer *a = m->answer;
    fine cost = terms_cost(t);
    fine price = t->price * FINE_PER_RATED;
    fine member = t->member_price * FINE_PER_RATED;
    fine mean = terms_mean_price(t);
    a->cost = price_text(m, cost);
    a->price = price_text(m, price);
    a->member_price = price_text(m, member);
    a->mean_price = price_text(m, mean);
    a->margin = price_text(m, price - cost);
    a->member_margin = price_text(m, member - cost);
    a->mean_margin = price_text(m, mean - cost);
    a->unit = (struct forecast_unit){
        .name = m->plan->unit_name.n > 0 ? m->plan->unit_name : STR("unit"),
        .count = t->units,
        .cost = price_text(m, round_div(cost, t->units)),
        .price = price_text(m, round_div(price, t->units)),
        .member_price = price_text(m, round_div(member, t->units)),
    };
    make_lines(m);
    make_roles(m);
    a->paybacks.items = NEW_N(m->arena, struct forecast_payback, ANSWER_PAYBACKS_MAX);
    if (t->has_purchase && t->played[FORECAST_INVEST]) {
        make_payback(m, "a full server at the public price", t->price);
        if (t->member_price != t->price)
            make_payback(m, "a full server at the member price", t->member_price);
    }
    return RC_OK;
}
