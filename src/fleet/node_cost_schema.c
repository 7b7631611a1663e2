/* The table of node_cost.h. Data only: the command line links it without a store. */
#include "fleet/node_cost.h"

#define RO (FIELD_READ_ONLY)

static const struct field cost_fields[] = {
    FIELD(struct node_cost, currency, TEXT, .flags = FIELD_REQUIRED, .min = 3, .max = 3,
          .doc = "Of all amounts, by ISO 4217.", .example = "\"EUR\""),
    FIELD(struct node_cost, server_price, DECIMAL, .doc = "What was paid for the server.",
          .example = "\"1380\""),
    FIELD(struct node_cost, useful_months, INT, .max = NODE_COST_MONTHS_MAX,
          .doc = "Over so many months.", .example = "20"),
    FIELD(struct node_cost, power_watts, INT, .max = NODE_WATTS_MAX, .doc = "What it draws.",
          .example = "50"),
    FIELD(struct node_cost, kwh_price, DECIMAL, .doc = "Of a kilowatt hour, cooling included.",
          .example = "\"0.20\""),
    FIELD(struct node_cost, interest, DECIMAL, .doc = "Financial cost of the loan, a month."),
    FIELD(struct node_cost, network, DECIMAL, .doc = "Transit and traffic, a month."),
    FIELD(struct node_cost, hosting, DECIMAL, .doc = "Space, a month."),
    FIELD(struct node_cost, software, DECIMAL, .doc = "Software and its operation, a month."),
    FIELD(struct node_cost, management, DECIMAL, .doc = "Setup, care, remote hands, a month."),
    FIELD(struct node_cost, replacement, DECIMAL, .doc = "Spares, a month."),
    FIELD(struct node_cost, repair, DECIMAL, .doc = "Repair work, a month."),
    FIELD(struct node_cost, cpu_percent, INT, .max = 100,
          .doc = "So much of it is for its processors, the rest for its memory; 50 unless said."),
    FIELD(struct node_cost, amortisation, DECIMAL, .flags = RO, .doc = "A month."),
    FIELD(struct node_cost, electricity, DECIMAL, .flags = RO, .doc = "A month."),
    FIELD(struct node_cost, month, DECIMAL, .flags = RO, .doc = "All of it, a month."),
    FIELD(struct node_cost, hour, DECIMAL, .flags = RO, .doc = "All of it, an hour."),
    FIELD(struct node_cost, vcpu_month, DECIMAL, .flags = RO, .doc = "A vCPU, a month."),
    FIELD(struct node_cost, vcpu_hour, DECIMAL, .flags = RO, .doc = "A vCPU, an hour."),
    FIELD(struct node_cost, gib_month, DECIMAL, .flags = RO, .doc = "A GiB, a month."),
    FIELD(struct node_cost, gib_hour, DECIMAL, .flags = RO, .doc = "A GiB, an hour."),
    FIELD(struct node_cost, formula, LIST, .flags = RO, .max = NODE_COST_STEPS,
          .doc = "How each came about."),
    FIELD(struct node_cost, plan, RAW, .flags = FIELD_READ_ONLY | FIELD_WIDE,
          .doc = "The same as the planner takes it."),
};
const struct schema node_cost_schema =
    SCHEMA(struct node_cost, "node_cost", cost_fields, "What a server costs its owner.");
