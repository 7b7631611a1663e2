#include "plan/month.h"

#include "money/round.h"

/* --- capacity --- */

static int64_t occupancy_at(const struct terms *t, int64_t month)
{
    if (month > t->ramp_months)
        return t->occupancy_ppm;
    int64_t way = t->occupancy_ppm - t->start_ppm;
    return t->start_ppm + (int64_t)round_div((fine)way * (month - 1), t->ramp_months);
}

/* Sales, lines and own costs of so many servers. The free tier takes its units first. */
static void run_servers(const struct terms *t, int64_t servers, int64_t occupancy_ppm,
                        struct month *m)
{
    int64_t units = servers * t->units;
    m->servers = servers;
    m->occupancy_ppm = occupancy_ppm;
    m->free_units = min_i64(t->free_units, units);
    m->unit_ppm = (units - m->free_units) * occupancy_ppm;
    fine weighted = t->price * (FORECAST_WHOLE_PPM - t->member_share_ppm) +
                    t->member_price * t->member_share_ppm;
    m->sales = round_div(weighted * m->unit_ppm, t->units);
    m->extra = t->extra * servers;
    for (size_t i = 0; i < FORECAST_LINES; i++)
        m->lines[i] = t->lines[i] * servers;
    if (t->software_on_sales) {
        fine used_ppm = m->unit_ppm + m->free_units * FORECAST_WHOLE_PPM;
        m->lines[FORECAST_SOFTWARE] =
            round_div(t->software * used_ppm * FORECAST_WHOLE_PPM, t->units);
    }
    m->software_cash = m->lines[FORECAST_SOFTWARE];
    for (size_t i = 0; i < FORECAST_ROLES; i++)
        m->own[i] = t->own[i] * servers;
    m->marketing = t->marketing * FINE_PER_RATED;
}

/* --- services --- */

/* What all pieces have brought by recurring prices in so many months. */
static fine recurring(const struct term_service *s, int64_t months)
{
    return round_div((s->monthly * 12 + s->yearly) * s->count * months * FINE_PER_RATED, 12);
}

static fine paid_once(const struct term_service *s, int64_t months, int64_t instalments)
{
    fine all = s->once * s->count * FINE_PER_RATED;
    return months >= instalments ? all : round_div(all * months, instalments);
}

/* R(f x ppm), cut in two so that the product fits. */
static fine share_of(fine f, int64_t ppm)
{
    return f / FORECAST_WHOLE_PPM * ppm +
           round_div(f % FORECAST_WHOLE_PPM * ppm, FORECAST_WHOLE_PPM);
}

static void add_service(const struct term_service *s, fine earned, fine paid, struct month *m)
{
    fine share = share_of(earned, s->share_ppm);
    fine share_cash = share_of(paid, s->share_ppm);
    m->kept[s->role] += earned - share;
    m->shares += share;
    m->kept_cash[s->role] += paid - share_cash;
    m->shares_cash += share_cash;
}

static void run_services(const struct terms *t, int64_t month, struct month *m)
{
    for (size_t i = 0; i < t->service_count; i++) {
        const struct term_service *s = &t->services[i];
        int64_t age = month - s->month; /* whole months before this one */
        if (age < 0)
            continue;
        fine again = recurring(s, age + 1) - recurring(s, age);
        fine earned = again + paid_once(s, age + 1, 1) - paid_once(s, age, 1);
        fine paid =
            again + paid_once(s, age + 1, s->instalments) - paid_once(s, age, s->instalments);
        add_service(s, earned, paid, m);
    }
}

/* --- one-time amounts --- */

static void run_setups(const struct terms *t, int64_t month, struct month *m)
{
    for (size_t i = 0; i < t->setup_count; i++) {
        if (t->setups[i].month != month)
            continue;
        fine amount = t->setups[i].amount * FINE_PER_RATED;
        *(t->setups[i].marketing ? &m->marketing : &m->setups) += amount;
    }
}

/* Servers are bought, and bought anew at the end of their life; the software fee is paid some
 * months ahead, counted from the purchase. */
static void run_cohorts(const struct terms *t, int64_t month, struct month *m)
{
    fine ahead = 0;
    for (size_t i = 0; i < t->cohort_count && t->cohorts[i].month <= month; i++) {
        int64_t age = month - t->cohorts[i].month;
        int64_t servers = t->cohorts[i].servers;
        if (age == 0 || (t->useful_months > 0 && age % t->useful_months == 0))
            m->purchases += t->server_price * FINE_PER_RATED * servers;
        if (age % t->software_ahead == 0)
            ahead += t->lines[FORECAST_SOFTWARE] * servers * t->software_ahead;
    }
    if (!t->software_on_sales)
        m->software_cash = ahead;
}

void month_run(const struct terms *t, int64_t month, struct month *ret)
{
    ASSERT(month >= 1 && month <= t->months);
    *ret = (struct month){0};
    int64_t servers = 0;
    for (size_t i = 0; i < t->cohort_count && t->cohorts[i].month <= month; i++)
        servers += t->cohorts[i].servers;
    run_servers(t, servers, occupancy_at(t, month), ret);
    run_services(t, month, ret);
    run_setups(t, month, ret);
    run_cohorts(t, month, ret);
}

void month_steady(const struct terms *t, int64_t occupancy_ppm, struct month *ret)
{
    *ret = (struct month){0};
    run_servers(t, t->servers, occupancy_ppm, ret);
    for (size_t i = 0; i < t->service_count; i++) {
        fine again = recurring(&t->services[i], 1);
        add_service(&t->services[i], again, again, ret);
    }
}

/* --- who earns it --- */

fine month_profit(const struct terms *t, const struct month *m, enum forecast_role role)
{
    fine profit = m->kept[role] - m->own[role];
    if (role == FORECAST_OPERATE)
        profit += m->shares;
    if (role == FORECAST_INVEST)
        profit += m->sales - m->setups - m->marketing - m->extra;
    for (size_t i = 0; i < FORECAST_LINES; i++) {
        if (role == FORECAST_INVEST)
            profit -= m->lines[i];
        else if (t->receivers[i] == role)
            profit += m->lines[i];
    }
    return profit;
}

fine month_cash(const struct terms *t, const struct month *m, enum forecast_role role)
{
    fine cash = month_profit(t, m, role) + m->kept_cash[role] - m->kept[role];
    fine fee = m->software_cash - m->lines[FORECAST_SOFTWARE];
    if (role == FORECAST_OPERATE)
        cash += m->shares_cash - m->shares;
    if (role == FORECAST_INVEST)
        cash += (t->has_purchase ? m->lines[FORECAST_AMORTISATION] : 0) - m->purchases - fee;
    else if (t->receivers[FORECAST_SOFTWARE] == role)
        cash += fee;
    return cash;
}

struct month_result month_result(const struct terms *t, const struct month *m)
{
    struct month_result r = {0};
    bool invests = t->played[FORECAST_INVEST];
    for (size_t i = 0; i < FORECAST_ROLES; i++) {
        if (!t->played[i])
            continue;
        r.services += m->kept[i] + (i == FORECAST_OPERATE ? m->shares : 0);
        r.costs += m->own[i];
        r.cash += month_cash(t, m, (enum forecast_role)i);
    }
    for (size_t i = 0; i < FORECAST_LINES; i++) {
        bool received = t->receivers[i] != FORECAST_INVEST && t->played[t->receivers[i]];
        if (invests && !received)
            r.costs += m->lines[i];
        if (!invests && received)
            r.sales += m->lines[i];
    }
    if (invests) {
        r.sales = m->sales;
        r.costs += m->extra;
        r.setups = m->setups;
        r.marketing = m->marketing;
        r.purchases = m->purchases;
    }
    return r;
}

fine month_result_profit(const struct month_result *r)
{
    return r->sales + r->services - r->costs - r->setups - r->marketing;
}

/* --- break-even --- */

static bool loses(const struct terms *t, int64_t occupancy_ppm)
{
    struct month m;
    month_steady(t, occupancy_ppm, &m);
    struct month_result r = month_result(t, &m);
    return month_result_profit(&r) < 0;
}

int64_t month_break_even(const struct terms *t)
{
    int64_t losing = 0;
    int64_t earning = FORECAST_WHOLE_PPM;
    if (!loses(t, losing))
        return losing;
    if (loses(t, earning))
        return -1;
    while (earning - losing > 1) {
        int64_t middle = losing + (earning - losing) / 2;
        if (loses(t, middle))
            losing = middle;
        else
            earning = middle;
    }
    return earning;
}
