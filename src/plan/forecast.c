#include "plan/forecast.h"

#include "plan/inside.h"

enum { NOTES_MAX = 16 };

struct notes {
    struct str *items;
    size_t count;
};

static void note(struct notes *n, struct str text)
{
    ASSERT(n->count < NOTES_MAX);
    n->items[n->count++] = text;
}

/* Whether a role is played whose fee has no costs of its own. */
static bool has_unpaid_work(const struct terms *t)
{
    for (size_t i = 0; i < FORECAST_LINES; i++) {
        enum forecast_role role = t->receivers[i];
        if (role != FORECAST_INVEST && t->lines[i] > 0 && t->played[role] && t->own[role] == 0)
            return true;
    }
    return false;
}

static void note_servers(struct maker *m, struct notes *n)
{
    const struct terms *t = m->terms;
    if (t->has_purchase)
        note(n, STR("Servers are paid for when they come. Of a loan only the interest is counted, "
                    "not its repayment."));
    else
        note(n, STR("No price of a server is given: amortisation is paid monthly, like a rent, "
                    "and nothing has to be paid back."));
    if (t->useful_months > 0 && t->useful_months < t->months)
        note(n, arena_fmt(m->arena,
                          "A server is bought anew, at the same price, after %lld "
                          "months.",
                          (long long)t->useful_months));
    note(n, t->software_on_sales
                ? STR("The software fee is due for what is used; every other line of the cost "
                      "sheet for each server, sold or not.")
                : STR("Every line of the cost sheet is due for each server, sold or not."));
    if (t->software_ahead > 1)
        note(n, arena_fmt(m->arena, "The software fee is paid %lld months ahead.",
                          (long long)t->software_ahead));
}

static void note_sales(struct maker *m, struct notes *n)
{
    const struct terms *t = m->terms;
    if (!schema_has(&forecast_schema, m->plan, "occupancy_ppm"))
        note(n, t->ramp_months > 0
                    ? STR("No occupancy is given: in the end all is sold.")
                    : STR("No occupancy is given: all is sold, from the first month on."));
    if (t->ramp_months > 0)
        note(n, arena_fmt(m->arena, "Occupancy grows in even steps over %lld months.",
                          (long long)t->ramp_months));
    if (t->free_units > 0)
        note(n, STR("The free tier takes its units before anything is sold. Its cost stands in "
                    "the cost sheet already and is not counted twice."));
    if (t->service_count > 0)
        note(n, STR("The work of services costs nothing beyond the own costs that are given."));
    if (m->plan->tiers.count > 0)
        note(n, STR("Tiers add to the public price; their margins are theirs, and not in the "
                    "profit of this plan."));
    if (m->plan->what_ifs.count > 0)
        note(n, STR("What-ifs show a usual month of all servers, without one-time amounts."));
}

void answer_notes(struct maker *m)
{
    struct notes n = {.items = NEW_N(m->arena, struct str, NOTES_MAX)};
    note(&n, STR("Amounts are before taxes, prices stay as they are, and everybody pays in "
                 "time."));
    note_servers(m, &n);
    note_sales(m, &n);
    if (has_unpaid_work(m->terms))
        note(&n, STR("Where own costs of a role are not given, its whole fee counts as profit."));
    m->answer->notes = (struct list){n.items, n.count};
}

static void put_names(struct maker *m)
{
    struct str *played = NEW_N(m->arena, struct str, FORECAST_ROLES);
    size_t count = 0;
    for (size_t i = 0; i < FORECAST_ROLES; i++)
        if (m->terms->played[i])
            played[count++] = str_c(forecast_role_words[i]);
    m->answer->name = m->plan->name;
    m->answer->currency = str_c(m->terms->currency->code);
    m->answer->roles_played = (struct list){played, count};
}

enum rc forecast_compute(const struct forecast *plan, struct arena *arena,
                         struct forecast_answer *ret, struct err *err)
{
    struct terms *terms = NEW(arena, struct terms);
    TRY(terms_take(plan, arena, terms, err));
    struct maker m = {.plan = plan,
                      .terms = terms,
                      .arena = arena,
                      .err = err,
                      .answer = NEW(arena, struct forecast_answer)};
    put_names(&m);
    TRY(answer_unit(&m));
    TRY(answer_periods(&m));
    TRY(answer_margins(&m));
    TRY(answer_compare(&m));
    answer_notes(&m);
    answer_set(m.answer);
    *ret = *m.answer;
    return RC_OK;
}
