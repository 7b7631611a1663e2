/*
 * forecast_schema.c - the table of what a plan is asked with.
 */
#include "plan/forecast.h"

const char *const forecast_role_words[] = {"invest", "host", "manage", "operate", NULL};
const char *const forecast_line_words[] = {"amortisation", "interest", "network",    "electricity",
                                           "hosting",      "software", "management", "replacement",
                                           "repair",       NULL};
const char *const forecast_figure_words[] = {"line",
                                             "cost",
                                             "price",
                                             "member_price",
                                             "margin",
                                             "member_margin",
                                             "unit_price",
                                             "member_unit_price",
                                             "role",
                                             "roles",
                                             "payback",
                                             "member_payback",
                                             "break_even",
                                             "purchase",
                                             "software",
                                             "setup",
                                             "free_servers",
                                             "year_sales",
                                             "year_cost",
                                             "year_profit",
                                             "piece",
                                             "services",
                                             "ratio",
                                             "sum",
                                             NULL};
static const char *const receiver_words[] = {"outside", "host", "manage", "operate", NULL};

_Static_assert(COUNT(forecast_role_words) == FORECAST_ROLES + 1, "a word for each role");
_Static_assert(COUNT(forecast_line_words) == FORECAST_LINES + 1, "a word for each line");
_Static_assert(COUNT(forecast_figure_words) == FORECAST_FIGURES + 1, "a word for each figure");

#define LINE(name_, index_, doc_, example_)                                               \
    {                                                                                     \
        .name = (name_), .type = FIELD_DECIMAL,                                           \
        .offset = offsetof(struct forecast_costs, lines) + (index_) * sizeof(struct str), \
        .doc = (doc_), .example = (example_)                                              \
    }

static const struct field costs_fields[] = {
    LINE("amortisation", FORECAST_AMORTISATION,
         "Purchase price over useful life; left out, it is computed from those.", "\"69\""),
    LINE("interest", FORECAST_INTEREST, "Financial cost of the loan.", "\"6\""),
    LINE("network", FORECAST_NETWORK, "Transit and traffic.", "\"8\""),
    LINE("electricity", FORECAST_ELECTRICITY, "Power and cooling.", "\"26\""),
    LINE("hosting", FORECAST_HOSTING, "Space: income of the host.", "\"13\""),
    LINE("software", FORECAST_SOFTWARE, "The operator's fee for software and its operation.",
         "\"20\""),
    LINE("management", FORECAST_MANAGEMENT, "Hardware management: setup, care, remote hands.",
         "\"20\""),
    LINE("replacement", FORECAST_REPLACEMENT, "Spares.", "\"4\""),
    LINE("repair", FORECAST_REPAIR, "Repair work: income of who manages the hardware.", "\"1\""),
};
_Static_assert(COUNT(costs_fields) == FORECAST_LINES, "a field for each line");
static const struct schema costs_schema =
    SCHEMA(struct forecast_costs, "forecast_costs", costs_fields, "Costs of one server and month.");

static const struct field own_fields[] = {
    FIELD(struct forecast_own_costs, host, DECIMAL, .doc = "Of hosting."),
    FIELD(struct forecast_own_costs, manage, DECIMAL, .doc = "Of managing the hardware."),
    FIELD(struct forecast_own_costs, operate, DECIMAL, .doc = "Of operating the software."),
};
static const struct schema own_schema =
    SCHEMA(struct forecast_own_costs, "forecast_own_costs", own_fields,
           "What the work of a role costs whoever plays it, a server and month.");

static const struct field receiver_fields[] = {
    FIELD(struct forecast_receiver, line, WORD, .flags = FIELD_REQUIRED,
          .words = forecast_line_words, .doc = "Line of the cost sheet."),
    FIELD(struct forecast_receiver, role, WORD, .flags = FIELD_REQUIRED, .words = receiver_words,
          .doc = "Whose income it is; outside: of nobody in this plan."),
};
static const struct schema receiver_schema = SCHEMA(struct forecast_receiver, "forecast_receiver",
                                                    receiver_fields, "Whose income a line is.");

static const struct field growth_fields[] = {
    FIELD(struct forecast_growth, month, INT, .flags = FIELD_REQUIRED, .min = 2,
          .max = FORECAST_MONTHS_MAX, .doc = "In which they are bought."),
    FIELD(struct forecast_growth, servers, INT, .flags = FIELD_REQUIRED, .min = 1,
          .max = FORECAST_SERVERS_MAX, .doc = "How many more."),
};
static const struct schema growth_schema = SCHEMA(struct forecast_growth, "forecast_growth",
                                                  growth_fields, "Servers that are added later.");

static const struct field service_fields[] = {
    FIELD(struct forecast_service, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 60,
          .example = "\"P2V migration\"", .doc = "What is sold."),
    FIELD(struct forecast_service, role, WORD, .words = forecast_role_words,
          .doc = "Who does it, and earns what the operator does not take."),
    FIELD(struct forecast_service, count, INT, .min = 1, .max = FORECAST_PIECES_MAX,
          .doc = "Pieces: VMs, projects, users; 1 where left out."),
    FIELD(struct forecast_service, month, INT, .min = 1, .max = FORECAST_MONTHS_MAX,
          .doc = "In which it begins; 1 where left out."),
    FIELD(struct forecast_service, once, DECIMAL, .doc = "One-time price of a piece."),
    FIELD(struct forecast_service, monthly, DECIMAL, .doc = "Price of a piece and month."),
    FIELD(struct forecast_service, yearly, DECIMAL, .doc = "Price of a piece and year."),
    FIELD(struct forecast_service, operator_share_ppm, INT, .min = 0, .max = FORECAST_WHOLE_PPM,
          .doc = "What the operator takes of it, in millionths; 0 where left out."),
    FIELD(struct forecast_service, instalments, INT, .min = 1, .max = FORECAST_MONTHS_MAX,
          .doc = "Months over which the one-time price is paid; at once where left out."),
};
static const struct schema service_schema =
    SCHEMA(struct forecast_service, "forecast_service", service_fields, "A value-added service.");

static const struct field setup_fields[] = {
    FIELD(struct forecast_setup, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 60,
          .example = "\"portal\"", .doc = "What is bought."),
    FIELD(struct forecast_setup, amount, DECIMAL, .flags = FIELD_REQUIRED, .doc = "What it costs."),
    FIELD(struct forecast_setup, month, INT, .min = 1, .max = FORECAST_MONTHS_MAX,
          .doc = "When; 1 where left out."),
    FIELD(struct forecast_setup, marketing, BOOL, .doc = "Whether it is of the marketing budget."),
};
static const struct schema setup_schema =
    SCHEMA(struct forecast_setup, "forecast_setup", setup_fields, "A one-time expense.");

static const struct field tier_fields[] = {
    FIELD(struct forecast_tier, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 60,
          .example = "\"reseller\"", .doc = "Who sells on."),
    FIELD(struct forecast_tier, change_ppm, INT, .min = FORECAST_CHANGE_MIN_PPM,
          .max = FORECAST_CHANGE_MAX_PPM, .example = "120000",
          .doc = "Uplift (or discount, below 0) on its buying price."),
    FIELD(struct forecast_tier, try_ppm, INT, .min = FORECAST_CHANGE_MIN_PPM,
          .max = FORECAST_CHANGE_MAX_PPM, .doc = "What if it were this instead."),
};
const struct schema forecast_tier_schema = SCHEMA(
    struct forecast_tier, "forecast_tier", tier_fields, "A tier of the channel above the price.");

static const struct field what_if_fields[] = {
    FIELD(struct forecast_what_if, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 60,
          .example = "\"Japan\"", .doc = "What is tried."),
    FIELD(struct forecast_what_if, cost, DECIMAL, .doc = "Cost of a server-month in all."),
    FIELD(struct forecast_what_if, price, DECIMAL, .doc = "Public price."),
    FIELD(struct forecast_what_if, occupancy_ppm, INT, .min = 1, .max = FORECAST_WHOLE_PPM,
          .doc = "Occupancy in millionths."),
    FIELD(struct forecast_what_if, member_share_ppm, INT, .min = 0, .max = FORECAST_WHOLE_PPM,
          .doc = "Share of members in millionths."),
};
const struct schema forecast_what_if_schema = SCHEMA(
    struct forecast_what_if, "forecast_what_if", what_if_fields, "The plan with other figures.");

static const struct field declared_fields[] = {
    FIELD(struct forecast_declared, figure, WORD, .flags = FIELD_REQUIRED,
          .words = forecast_figure_words, .doc = "Which figure."),
    FIELD(struct forecast_declared, of, TEXT, .max = 60,
          .doc = "Of which line, role, service, expense or year."),
    FIELD(struct forecast_declared, amount, DECIMAL, .flags = FIELD_REQUIRED, .example = "\"168\"",
          .doc = "What was declared."),
    FIELD(struct forecast_declared, over, DECIMAL, .doc = "Of a ratio: what is divided."),
    FIELD(struct forecast_declared, under, DECIMAL, .doc = "Of a ratio: by what."),
    FIELD(struct forecast_declared, parts, LIST, .max = 16, .doc = "Of a sum: its parts."),
    FIELD(struct forecast_declared, label, TEXT, .max = 100, .doc = "The figure in other words."),
    FIELD(struct forecast_declared, why, TEXT, .max = 400, .doc = "Why it differs."),
};
static const struct schema declared_schema =
    SCHEMA(struct forecast_declared, "forecast_declared", declared_fields,
           "A figure that somebody declared, to be put beside the computed one.");

static const struct field forecast_fields[] = {
    FIELD(struct forecast, name, TEXT, .max = 80, .doc = "A name for the plan."),
    FIELD(struct forecast, currency, TEXT, .flags = FIELD_REQUIRED, .min = 3, .max = 3,
          .example = "\"EUR\"", .doc = "Currency of all amounts."),
    FIELD(struct forecast, price, DECIMAL, .flags = FIELD_REQUIRED, .example = "\"195\"",
          .doc = "Price of a server-month to the public, before taxes."),
    FIELD(struct forecast, member_price, DECIMAL,
          .doc = "The same to members; the public one where left out."),
    FIELD(struct forecast, member_share_ppm, INT, .min = 0, .max = FORECAST_WHOLE_PPM,
          .doc = "How much of what is sold goes to members, in millionths."),
    FIELD(struct forecast, servers, INT, .min = 1, .max = FORECAST_SERVERS_MAX, .example = "10",
          .doc = "Servers in the first month; 1 where left out."),
    FIELD(struct forecast, growth, LIST, .schema = &growth_schema, .max = FORECAST_GROWTH_MAX,
          .doc = "Servers that are added later."),
    FIELD(struct forecast, months, INT, .min = 1, .max = FORECAST_MONTHS_MAX,
          .doc = "Months to look ahead; 24 where left out."),
    FIELD(struct forecast, server_price, DECIMAL,
          .doc = "Purchase price of a server; without it amortisation is paid monthly."),
    FIELD(struct forecast, useful_months, INT, .min = 1, .max = 240,
          .doc = "Months after which a server is bought anew."),
    FIELD(struct forecast, costs, OBJECT, .schema = &costs_schema,
          .doc = "Costs of a server-month."),
    FIELD(struct forecast, own_costs, OBJECT, .schema = &own_schema,
          .doc = "What the work of a role costs who plays it."),
    FIELD(struct forecast, receivers, LIST, .schema = &receiver_schema, .max = FORECAST_LINES,
          .doc = "Whose income a line is, where not as usual."),
    FIELD(struct forecast, software_on_sales, BOOL,
          .doc = "The software fee is due for what is used, not for every server."),
    FIELD(struct forecast, software_ahead, INT, .min = 1, .max = FORECAST_MONTHS_MAX,
          .doc = "Months of the software fee that are paid at a time; 1 where left out."),
    FIELD(struct forecast, occupancy_ppm, INT, .min = 1, .max = FORECAST_WHOLE_PPM,
          .doc = "How much is sold in the end, in millionths; all where left out."),
    FIELD(struct forecast, occupancy_start_ppm, INT, .min = 0, .max = FORECAST_WHOLE_PPM,
          .doc = "How much is sold in the first month, where there is a ramp."),
    FIELD(struct forecast, ramp_months, INT, .min = 0, .max = FORECAST_MONTHS_MAX,
          .doc = "Months until occupancy is reached, in even steps."),
    FIELD(struct forecast, units, INT, .min = 1, .max = FORECAST_UNITS_MAX,
          .doc = "Units that a server is sold in, such as 32 for its GB; 1 where left out."),
    FIELD(struct forecast, unit_name, TEXT, .max = 20, .example = "\"GB\"",
          .doc = "Name of a unit."),
    FIELD(struct forecast, members, INT, .min = 0, .max = FORECAST_MEMBERS_MAX, .doc = "Members."),
    FIELD(struct forecast, free_units, INT, .min = 0, .max = FORECAST_UNITS_MAX,
          .doc = "Units that each member has free."),
    FIELD(struct forecast, marketing, DECIMAL, .doc = "Marketing budget of a month."),
    FIELD(struct forecast, setups, LIST, .schema = &setup_schema, .max = FORECAST_SETUPS_MAX,
          .doc = "One-time expenses."),
    FIELD(struct forecast, services, LIST, .schema = &service_schema, .max = FORECAST_SERVICES_MAX,
          .doc = "Value-added services."),
    FIELD(struct forecast, roles, LIST, .words = forecast_role_words, .max = FORECAST_ROLES,
          .example = "[\"invest\"]", .doc = "Roles that are played; invest where left out."),
    FIELD(struct forecast, tiers, LIST, .schema = &forecast_tier_schema, .max = FORECAST_TIERS_MAX,
          .doc = "The channel above the price, from below."),
    FIELD(struct forecast, what_ifs, LIST, .schema = &forecast_what_if_schema,
          .max = FORECAST_WHAT_IFS_MAX, .doc = "The same with other figures."),
    FIELD(struct forecast, declared, LIST, .schema = &declared_schema, .max = FORECAST_DECLARED_MAX,
          .doc = "Figures to compare with."),
};
const struct schema forecast_schema =
    SCHEMA(struct forecast, "forecast", forecast_fields, "Figures of a business plan for servers.");
