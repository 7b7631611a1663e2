/*
 * Any JSON is refused with a sentence, or is a plan whose answer adds up: the curve ends at the sum
 * of its months, rows add up as they are printed, and below break-even a month loses. The answer is
 * JSON by its table.
 */
#include "fuzz.h"

#include "plan/example.h"
#include "plan/month.h"

static rated amount_of(struct str text, struct err *err)
{
    rated r = 0;
    enum rc rc = rated_parse(text, &r, err);
    ASSERT(rc == RC_OK);
    return r;
}

static void check_months(const struct forecast_answer *a, struct err *err)
{
    const struct forecast_period *months = a->months.items;
    rated cash = 0;
    for (size_t i = 0; i < a->months.count; i++) {
        const struct forecast_period *m = &months[i];
        cash += amount_of(m->cash, err);
        ASSERT(cash == amount_of(m->balance, err));
        rated profit = amount_of(m->sales, err) + amount_of(m->services, err) -
                       amount_of(m->costs, err) - amount_of(m->setups, err) -
                       amount_of(m->marketing, err);
        ASSERT(profit == amount_of(m->profit, err));
    }
    ASSERT(cash == amount_of(a->total.balance, err));
}

static bool loses(const struct terms *t, int64_t occupancy_ppm)
{
    struct month m;
    month_steady(t, occupancy_ppm, &m);
    struct month_result r = month_result(t, &m);
    return month_result_profit(&r) < 0;
}

static void check_break_even(const struct forecast *plan, int64_t at, struct arena *arena,
                             struct err *err)
{
    struct terms *t = NEW(arena, struct terms);
    enum rc rc = terms_take(plan, arena, t, err);
    ASSERT(rc == RC_OK);
    ASSERT(loses(t, at < 0 ? FORECAST_WHOLE_PPM : at) == (at < 0));
    if (at > 0)
        ASSERT(loses(t, at - 1));
}

static void check_json(const struct forecast_answer *a, struct arena *arena, struct err *err)
{
    struct buf b;
    buf_init(&b, arena, (size_t)1024 * 1024);
    struct json_writer w;
    json_writer_init(&w, &b);
    schema_encode(&forecast_answer_schema, a, &w);
    ASSERT(!b.full);
    const struct json *json = NULL;
    enum rc rc = json_parse(buf_str(&b), arena, &json, err);
    ASSERT(rc == RC_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > (size_t)64 * 1024)
        return 0;
    struct arena arena;
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    struct err err;
    err_clear(&err);
    struct forecast plan;
    struct forecast_answer answer;
    enum rc rc = forecast_parse(str_n((const char *)data, size), &arena, &plan, &err);
    if (rc == RC_OK)
        rc = forecast_compute(&plan, &arena, &answer, &err);
    ASSERT(rc == err.rc);
    if (rc == RC_OK) {
        check_months(&answer, &err);
        check_break_even(&plan, answer.break_even_ppm, &arena, &err);
        check_json(&answer, &arena, &err);
    } else {
        ASSERT(rc == RC_INVALID || rc == RC_SYNTAX || rc == RC_TOO_LARGE);
        ASSERT(err.text_n > 0);
    }
    arena_fini(&arena);
    return 0;
}
