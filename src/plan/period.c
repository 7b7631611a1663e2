/*
 * period.c - the plan month by month, year by year, and in all.
 */
#include "plan/inside.h"

#include "money/amount.h"
#include "money/round.h"

enum { MONTHS_OF_YEAR = 12, SOLD_DIGITS = 3 };

/* The columns that are added up. */
enum column {
    SALES,
    SERVICES,
    COSTS,
    SETUPS,
    MARKETING,
    PURCHASES,
    CASH,
    COLUMNS,
};

/* One row before it is text: minor units, and units sold in millionths. */
struct row {
    int64_t number;
    int64_t servers;
    int64_t occupancy_ppm;
    fine unit_ppm;
    int64_t columns[COLUMNS];
    int64_t balance;
};

struct run {
    struct maker *m;
    struct fine_sum columns[COLUMNS];
    struct fine_sum roles[FORECAST_ROLES];
    int64_t balance;
    int64_t deepest;
    int64_t deepest_month;
    struct forecast_payback payback;
};

static fine column_of(const struct month_result *r, enum column column)
{
    switch (column) {
    case SALES:
        return r->sales;
    case SERVICES:
        return r->services;
    case COSTS:
        return r->costs;
    case SETUPS:
        return r->setups;
    case MARKETING:
        return r->marketing;
    case PURCHASES:
        return r->purchases;
    case CASH:
        return r->cash;
    case COLUMNS:
        break;
    }
    NEVER("a column outside its enum");
}

static struct str sold_text(const struct maker *m, fine unit_ppm)
{
    fine thousandths = round_div(unit_ppm, m->terms->units * (FORECAST_WHOLE_PPM / 1000));
    return fine_text(thousandths * (FINE_PER_RATED * 1000000), SOLD_DIGITS, SOLD_DIGITS, m->arena);
}

/* Profit is made of the printed columns, so that a row adds up as it stands there. */
static enum rc row_text(const struct maker *m, const struct row *row, struct forecast_period *ret)
{
    const struct currency *c = m->terms->currency;
    const int64_t *v = row->columns;
    fine profit = (fine)v[SALES] + v[SERVICES] - v[COSTS] - v[SETUPS] - v[MARKETING];
    int64_t narrow = 0;
    TRY(amount_narrow(profit, &narrow, m->err));
    *ret = (struct forecast_period){
        .number = row->number,
        .servers = row->servers,
        .occupancy_ppm = row->occupancy_ppm,
        .sold = sold_text(m, row->unit_ppm),
        .sales = amount_str(v[SALES], c, m->arena),
        .services = amount_str(v[SERVICES], c, m->arena),
        .costs = amount_str(v[COSTS], c, m->arena),
        .setups = amount_str(v[SETUPS], c, m->arena),
        .marketing = amount_str(v[MARKETING], c, m->arena),
        .profit = amount_str(narrow, c, m->arena),
        .purchases = amount_str(v[PURCHASES], c, m->arena),
        .cash = amount_str(v[CASH], c, m->arena),
        .balance = amount_str(row->balance, c, m->arena),
    };
    return RC_OK;
}

static enum rc add_row(const struct maker *m, struct row *sum, const struct row *row)
{
    for (size_t i = 0; i < COLUMNS; i++)
        TRY(amount_add(sum->columns[i], row->columns[i], &sum->columns[i], m->err));
    sum->servers = row->servers;
    sum->occupancy_ppm = row->occupancy_ppm;
    sum->unit_ppm += row->unit_ppm;
    sum->balance = row->balance;
    return RC_OK;
}

/* Where the balance comes up from below 0 for the first time: the month, and how far into it. */
static void find_payback(struct run *run, const struct row *row)
{
    int64_t before = run->balance;
    if (run->payback.month > 0 || before >= 0 || row->balance < 0)
        return;
    fine tenths = (row->number - 1) * 10 + round_div(-(fine)before * 10, row->columns[CASH]);
    run->payback.month = row->number;
    run->payback.months =
        arena_fmt(run->m->arena, "%lld.%lld", (long long)(tenths / 10), (long long)(tenths % 10));
}

static enum rc run_month(struct run *run, int64_t number, struct row *ret)
{
    struct maker *m = run->m;
    struct month month;
    month_run(m->terms, number, &month);
    struct month_result result = month_result(m->terms, &month);
    struct row row = {.number = number,
                      .servers = month.servers,
                      .occupancy_ppm = month.occupancy_ppm,
                      .unit_ppm = month.unit_ppm};
    for (size_t i = 0; i < COLUMNS; i++)
        TRY(fine_step(&run->columns[i], column_of(&result, (enum column)i), m->terms->currency,
                      &row.columns[i], m->err));
    row.balance = run->columns[CASH].posted;
    m->software += month.lines[FORECAST_SOFTWARE];

    fine profit = 0;
    for (size_t i = 0; i < FORECAST_ROLES; i++) {
        fine part = month_profit(m->terms, &month, (enum forecast_role)i);
        int64_t ignored = 0;
        TRY(fine_step(&run->roles[i], part, m->terms->currency, &ignored, m->err));
        profit += m->terms->played[i] ? part : 0;
    }
    ASSERT(profit == month_result_profit(&result)); /* seen from two sides */

    find_payback(run, &row);
    if (row.balance < run->deepest) {
        run->deepest = row.balance;
        run->deepest_month = number;
    }
    run->balance = row.balance;
    *ret = row;
    return RC_OK;
}

/* Months and years side by side; *ret_total is all of them. */
static enum rc run_all(struct run *run, struct forecast_period *months,
                       struct forecast_period *years, struct row *ret_total)
{
    struct row year = {0};
    int64_t last = run->m->terms->months;
    for (int64_t number = 1; number <= last; number++) {
        struct row row = {0};
        TRY(run_month(run, number, &row));
        TRY(row_text(run->m, &row, &months[number - 1]));
        TRY(add_row(run->m, &year, &row));
        TRY(add_row(run->m, ret_total, &row));
        if (number % MONTHS_OF_YEAR != 0 && number != last)
            continue;
        year.number = (number - 1) / MONTHS_OF_YEAR + 1;
        TRY(row_text(run->m, &year, &years[year.number - 1]));
        year = (struct row){0};
    }
    return RC_OK;
}

static enum rc finish_roles(struct run *run)
{
    struct maker *m = run->m;
    struct forecast_role_profit *roles = m->answer->roles.items;
    int64_t whole = 0;
    for (size_t i = 0; i < FORECAST_ROLES; i++) {
        roles[i].total = amount_str(run->roles[i].posted, m->terms->currency, m->arena);
        TRY(amount_add(whole, run->roles[i].posted, &whole, m->err));
    }
    m->answer->whole = amount_str(whole, m->terms->currency, m->arena);
    return RC_OK;
}

enum rc answer_periods(struct maker *m)
{
    struct forecast_answer *a = m->answer;
    size_t month_count = (size_t)m->terms->months;
    size_t year_count = (month_count + MONTHS_OF_YEAR - 1) / MONTHS_OF_YEAR;
    struct forecast_period *months = NEW_N(m->arena, struct forecast_period, month_count);
    struct forecast_period *years = NEW_N(m->arena, struct forecast_period, year_count);
    struct run run = {.m = m, .payback = {.name = STR("this plan, by its cash curve")}};
    struct row total = {0};
    TRY(run_all(&run, months, years, &total));
    ASSERT(total.columns[CASH] == run.columns[CASH].posted); /* the curve ends at the sum */
    TRY(row_text(m, &total, &a->total));
    a->months = (struct list){months, month_count};
    a->years = (struct list){years, year_count};
    a->deepest = amount_str(run.deepest, m->terms->currency, m->arena);
    a->deepest_month = run.deepest_month;
    if (run.deepest_month > 0)
        answer_payback(a, &run.payback);
    return finish_roles(&run);
}
