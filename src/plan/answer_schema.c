/*
 * answer_schema.c - the table of what a plan answers. Everything is read-only.
 */
#include "plan/inside.h"

#define OUT(type_, name_, kind_, doc_, ...) \
    FIELD(type_, name_, kind_, .flags = FIELD_READ_ONLY, .doc = (doc_), __VA_ARGS__)
#define PPM_RANGE .min = INT64_MIN, .max = INT64_MAX

static const char *const receiver_words[] = {"outside", "host", "manage", "operate", NULL};

static const struct field line_fields[] = {
    OUT(struct forecast_cost_line, line, WORD, "Line of the cost sheet.",
        .words = forecast_line_words),
    OUT(struct forecast_cost_line, amount, DECIMAL, "Of a server-month.", ),
    OUT(struct forecast_cost_line, share_ppm, INT, "Of all costs, in millionths.", PPM_RANGE),
    OUT(struct forecast_cost_line, receiver, WORD, "Whose income it is.", .words = receiver_words),
    OUT(struct forecast_cost_line, cancels, BOOL, "Whether a role that is played receives it.", ),
};
static const struct schema line_schema = SCHEMA(struct forecast_cost_line, "forecast_cost_line",
                                                line_fields, "One line of the cost sheet.");

static const struct field unit_fields[] = {
    OUT(struct forecast_unit, name, TEXT, "Name of the unit.", .max = 20),
    OUT(struct forecast_unit, count, INT, "Units of a server.", .max = FORECAST_UNITS_MAX),
    OUT(struct forecast_unit, cost, DECIMAL, "Cost of a unit and month.", ),
    OUT(struct forecast_unit, price, DECIMAL, "Public price of a unit and month.", ),
    OUT(struct forecast_unit, member_price, DECIMAL, "Member price of a unit and month.", ),
};
static const struct schema unit_schema =
    SCHEMA(struct forecast_unit, "forecast_unit", unit_fields, "The smallest part that is sold.");

static const struct field role_fields[] = {
    OUT(struct forecast_role_profit, role, WORD, "Role.", .words = forecast_role_words),
    OUT(struct forecast_role_profit, played, BOOL, "Whether it is played.", ),
    OUT(struct forecast_role_profit, income, DECIMAL, "Of a server-month sold to the public.", ),
    OUT(struct forecast_role_profit, cost, DECIMAL, "Of a server-month.", ),
    OUT(struct forecast_role_profit, profit, DECIMAL, "Of a server-month sold to the public.", ),
    OUT(struct forecast_role_profit, total, DECIMAL, "Profit of the whole plan, with services.", ),
};
static const struct schema role_schema =
    SCHEMA(struct forecast_role_profit, "forecast_role_profit", role_fields, "What a role earns.");

static const struct field payback_fields[] = {
    OUT(struct forecast_payback, name, TEXT, "At which price.", .max = 80),
    OUT(struct forecast_payback, monthly, DECIMAL,
        "What comes back each month; of the plan: nothing.", ),
    OUT(struct forecast_payback, months, DECIMAL, "Until all is back; null: never.", ),
    OUT(struct forecast_payback, month, INT, "At whose end all is back; 0: never.",
        .max = INT64_MAX),
};
static const struct schema payback_schema =
    SCHEMA(struct forecast_payback, "forecast_payback", payback_fields, "When the money is back.");

static const struct field free_fields[] = {
    OUT(struct forecast_free_tier, members, INT, "Members who have it.",
        .max = FORECAST_MEMBERS_MAX),
    OUT(struct forecast_free_tier, servers, DECIMAL, "Servers that it fills.", ),
    OUT(struct forecast_free_tier, software_month, DECIMAL, "Software fee of these, a month.", ),
    OUT(struct forecast_free_tier, cost_month, DECIMAL, "Cost of these, a month.", ),
    OUT(struct forecast_free_tier, price_month, DECIMAL, "What the public would pay for them.", ),
};
static const struct schema free_schema =
    SCHEMA(struct forecast_free_tier, "forecast_free_tier", free_fields,
           "What is given away; it is marketing, and its costs are in the cost sheet already.");

static const struct field period_fields[] = {
    OUT(struct forecast_period, number, INT, "Of the month or year; 0: all.", .max = INT64_MAX),
    OUT(struct forecast_period, servers, INT, "At the end.", .max = INT64_MAX),
    OUT(struct forecast_period, occupancy_ppm, INT, "At the end, in millionths.", .max = INT64_MAX),
    OUT(struct forecast_period, sold, DECIMAL, "Server-months that were sold.", ),
    OUT(struct forecast_period, sales, DECIMAL, "Server-months sold, or fees received.", ),
    OUT(struct forecast_period, services, DECIMAL,
        "Value-added services, less the operator's share.", ),
    OUT(struct forecast_period, costs, DECIMAL, "Cost sheet and own work.", ),
    OUT(struct forecast_period, setups, DECIMAL, "One-time expenses.", ),
    OUT(struct forecast_period, marketing, DECIMAL, "Marketing budget, campaigns included.", ),
    OUT(struct forecast_period, profit, DECIMAL, "Sales and services less all costs.", ),
    OUT(struct forecast_period, purchases, DECIMAL, "Servers that were bought.", ),
    OUT(struct forecast_period, cash, DECIMAL, "Money that came in less what went out.", ),
    OUT(struct forecast_period, balance, DECIMAL, "Sum of all cash so far.", ),
};
static const struct schema period_schema = SCHEMA(struct forecast_period, "forecast_period",
                                                  period_fields, "A month or a year of the plan.");

static const struct field margin_fields[] = {
    OUT(struct forecast_tier_margin, name, TEXT, "Who sells on.", .max = 60),
    OUT(struct forecast_tier_margin, change_ppm, INT, "Uplift or discount, in millionths.",
        PPM_RANGE),
    OUT(struct forecast_tier_margin, buy, DECIMAL, "Buying price of a server-month.", ),
    OUT(struct forecast_tier_margin, sell, DECIMAL, "Selling price.", ),
    OUT(struct forecast_tier_margin, margin, DECIMAL, "Selling less buying price.", ),
    OUT(struct forecast_tier_margin, try_ppm, INT, "What is tried instead.", PPM_RANGE),
    OUT(struct forecast_tier_margin, try_sell, DECIMAL, "Selling price then.", ),
    OUT(struct forecast_tier_margin, try_margin, DECIMAL, "Margin then.", ),
    OUT(struct forecast_tier_margin, try_end, DECIMAL, "What the client would pay.", ),
};
static const struct schema margin_schema = SCHEMA(
    struct forecast_tier_margin, "forecast_tier_margin", margin_fields, "The margin of a tier.");

static const struct field outcome_fields[] = {
    OUT(struct forecast_outcome, name, TEXT, "What is tried.", .max = 60),
    OUT(struct forecast_outcome, cost, DECIMAL, "Of a server-month.", ),
    OUT(struct forecast_outcome, price, DECIMAL, "Public price.", ),
    OUT(struct forecast_outcome, margin, DECIMAL, "Public price less cost.", ),
    OUT(struct forecast_outcome, occupancy_ppm, INT, "In millionths.", .max = INT64_MAX),
    OUT(struct forecast_outcome, profit_month, DECIMAL, "Of all servers, when they are there.", ),
    OUT(struct forecast_outcome, break_even_ppm, INT, "Left out: never.", .max = INT64_MAX),
    OUT(struct forecast_outcome, payback, DECIMAL,
        "Months of a server that is so sold; null: never.", ),
};
static const struct schema outcome_schema = SCHEMA(struct forecast_outcome, "forecast_outcome",
                                                   outcome_fields, "The plan with other figures.");

static const struct field variance_fields[] = {
    OUT(struct forecast_variance, what, TEXT, "Which figure.", .max = 200),
    OUT(struct forecast_variance, declared, DECIMAL, "What was declared.", ),
    OUT(struct forecast_variance, computed, DECIMAL,
        "What follows from the plan; null: nothing.", ),
    OUT(struct forecast_variance, difference, DECIMAL, "Computed less declared.", ),
    OUT(struct forecast_variance, agrees, BOOL, "Whether they are the same.", ),
    OUT(struct forecast_variance, why, TEXT, "Why not.", .max = 400),
};
static const struct schema variance_schema =
    SCHEMA(struct forecast_variance, "forecast_variance", variance_fields,
           "A declared figure beside the computed one.");

static const struct field answer_fields[] = {
    OUT(struct forecast_answer, name, TEXT, "Name of the plan.", .max = 80),
    OUT(struct forecast_answer, currency, TEXT, "Of all amounts.", .max = 3),
    OUT(struct forecast_answer, roles_played, LIST, "Whose profit the months and years show.", ),
    OUT(struct forecast_answer, lines, LIST, "The cost sheet.", .schema = &line_schema),
    OUT(struct forecast_answer, cost, DECIMAL, "Of a server-month.", ),
    OUT(struct forecast_answer, price, DECIMAL, "Of a server-month, to the public.", ),
    OUT(struct forecast_answer, member_price, DECIMAL, "To members.", ),
    OUT(struct forecast_answer, mean_price, DECIMAL, "By the share of members.", ),
    OUT(struct forecast_answer, margin, DECIMAL, "Public price less cost.", ),
    OUT(struct forecast_answer, member_margin, DECIMAL, "Member price less cost.", ),
    OUT(struct forecast_answer, mean_margin, DECIMAL, "Mean price less cost.", ),
    OUT(struct forecast_answer, unit, OBJECT, "The smallest part.", .schema = &unit_schema),
    OUT(struct forecast_answer, roles, LIST, "What each role earns.", .schema = &role_schema),
    OUT(struct forecast_answer, whole, DECIMAL,
        "Profit of all roles together, of the whole plan.", ),
    OUT(struct forecast_answer, paybacks, LIST, "When the money is back.",
        .schema = &payback_schema),
    OUT(struct forecast_answer, break_even_ppm, INT,
        "Smallest occupancy without a loss, in millionths; left out: never.", .max = INT64_MAX),
    OUT(struct forecast_answer, marketing_month, DECIMAL, "Marketing budget of a usual month.", ),
    OUT(struct forecast_answer, free_tier, OBJECT, "What is given away.", .schema = &free_schema),
    OUT(struct forecast_answer, deepest, DECIMAL, "Lowest balance: the capital that is needed.", ),
    OUT(struct forecast_answer, deepest_month, INT, "When; 0: it never is below 0.",
        .max = INT64_MAX),
    OUT(struct forecast_answer, months, LIST, "Month by month.", .schema = &period_schema),
    OUT(struct forecast_answer, years, LIST, "Year by year.", .schema = &period_schema),
    OUT(struct forecast_answer, total, OBJECT, "All months.", .schema = &period_schema),
    OUT(struct forecast_answer, tiers, LIST, "Margins of the channel.", .schema = &margin_schema),
    OUT(struct forecast_answer, what_ifs, LIST, "With other figures.", .schema = &outcome_schema),
    OUT(struct forecast_answer, variances, LIST, "Beside what was declared.",
        .schema = &variance_schema),
    OUT(struct forecast_answer, notes, LIST, "What was taken for granted.", ),
};
const struct schema forecast_answer_schema =
    SCHEMA(struct forecast_answer, "forecast_answer", answer_fields,
           "What follows from a plan, computed.");

/* --- which fields are written --- */

static void set_bits(const struct schema *s, void *value)
{
    uint64_t all = schema_all(s);
    memcpy(value, &all, sizeof all);
}

static void set_list(const struct schema *s, const struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        set_bits(s, (char *)list->items + i * s->size);
}

static void leave_out(const struct schema *s, void *value, const char *name)
{
    uint64_t bits = 0;
    memcpy(&bits, value, sizeof bits);
    int index = schema_find(s, str_c(name));
    ASSERT(index >= 0);
    bits &= ~(UINT64_C(1) << index);
    memcpy(value, &bits, sizeof bits);
}

static void set_tiers(const struct list *list)
{
    struct forecast_tier_margin *tiers = list->items;
    set_list(&margin_schema, list);
    for (size_t i = 0; i < list->count; i++) {
        if (tiers[i].try_end.n > 0)
            continue;
        leave_out(&margin_schema, &tiers[i], "try_ppm");
        leave_out(&margin_schema, &tiers[i], "try_sell");
        leave_out(&margin_schema, &tiers[i], "try_margin");
        leave_out(&margin_schema, &tiers[i], "try_end");
    }
}

static void set_outcomes(const struct list *list)
{
    struct forecast_outcome *outcomes = list->items;
    set_list(&outcome_schema, list);
    for (size_t i = 0; i < list->count; i++)
        if (outcomes[i].break_even_ppm < 0)
            leave_out(&outcome_schema, &outcomes[i], "break_even_ppm");
}

void answer_set(struct forecast_answer *a)
{
    set_bits(&forecast_answer_schema, a);
    if (a->break_even_ppm < 0)
        leave_out(&forecast_answer_schema, a, "break_even_ppm");
    set_bits(&unit_schema, &a->unit);
    set_bits(&free_schema, &a->free_tier);
    set_bits(&period_schema, &a->total);
    set_list(&line_schema, &a->lines);
    set_list(&role_schema, &a->roles);
    set_list(&payback_schema, &a->paybacks);
    set_list(&period_schema, &a->months);
    set_list(&period_schema, &a->years);
    set_list(&variance_schema, &a->variances);
    set_tiers(&a->tiers);
    set_outcomes(&a->what_ifs);
}
