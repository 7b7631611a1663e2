/*
 * forecast.h - the planner: what servers cost, what they bring, who earns what, and when it is paid
 * back. The arithmetic of the mission documents' business plans, for any figures. (Not a plan of
 * the catalog, which is how an item is sold.)
 *
 * A plan is a handful of figures for one kind of server: the cost sheet of a server-month, the
 * price for the public and for members, how many servers, how full they are, and which roles the
 * planner plays. forecast_compute answers everything that follows from them. It is pure: no clock,
 * no store, no network, so that the command line and the API give the same answer, byte for byte.
 *
 * Roles. Whoever invests buys the servers, takes the price, and pays the lines of the cost sheet.
 * Some lines are income of another role: hosting of the host; management and repair of who
 * manages the hardware; the software fee of the operator. The rest leaves the house: network,
 * electricity, interest, spares. Who plays several roles pays himself, so that those lines cancel.
 * The profits of all four roles add up to the profit of the whole.
 *
 * Money. Integers only (specs/billing.md 3.9). Everything is added up at 10^-21 of the major unit,
 * where shares in ppm of amounts with 9 digits behind the point are exact, and rounded once, half
 * away from zero, where a line is printed. What grows month by month is printed as the difference
 * of two rounded sums, so the months add up to the year and the curve ends at the total. What is
 * said of one server or one unit is a price, and keeps up to 9 digits behind the point.
 */
#ifndef PLAN_FORECAST_H
#define PLAN_FORECAST_H

#include "base/schema.h"

#define FORECAST_WHOLE_PPM INT64_C(1000000)
/* In the major unit. Bounded so that no sum over all months, servers and services can pass 127
 * bits at 10^-21. */
#define FORECAST_PRICE_MAX  INT64_C(100000000)  /* of a server-month, and of a piece of a service */
#define FORECAST_SERVER_MAX INT64_C(1000000000) /* of a server */
#define FORECAST_LUMP_MAX   INT64_C(1000000000000) /* of a month's marketing, of one expense */

enum {
    FORECAST_MONTHS_MAX = 120,
    FORECAST_SERVERS_MAX = 100000, /* all together */
    FORECAST_UNITS_MAX = 1000,     /* that a server is sold in */
    FORECAST_MEMBERS_MAX = 10000000,
    FORECAST_PIECES_MAX = 100000, /* of one service */
    FORECAST_GROWTH_MAX = 120,
    FORECAST_SERVICES_MAX = 16,
    FORECAST_SETUPS_MAX = 16,
    FORECAST_TIERS_MAX = 16,
    FORECAST_WHAT_IFS_MAX = 16,
    FORECAST_DECLARED_MAX = 64,
    FORECAST_CHANGE_MIN_PPM = -1000000,
    FORECAST_CHANGE_MAX_PPM = 10000000,
    FORECAST_PAYBACK_MAX = 1200, /* months: what takes a century is never paid back */
};

enum forecast_role {
    FORECAST_INVEST,
    FORECAST_HOST,
    FORECAST_MANAGE,
    FORECAST_OPERATE,
    FORECAST_ROLES
};

/* The cost sheet, in the order of the mission document. */
enum forecast_line {
    FORECAST_AMORTISATION,
    FORECAST_INTEREST,
    FORECAST_NETWORK,
    FORECAST_ELECTRICITY,
    FORECAST_HOSTING,
    FORECAST_SOFTWARE,
    FORECAST_MANAGEMENT,
    FORECAST_REPLACEMENT,
    FORECAST_REPAIR,
    FORECAST_LINES,
};

/* What a document may have declared; the computed one is put beside it. */
enum forecast_figure {
    FORECAST_FIGURE_LINE,          /* of: a line of the cost sheet */
    FORECAST_FIGURE_COST,          /* of a server-month */
    FORECAST_FIGURE_PRICE,         /* of a server-month to the public */
    FORECAST_FIGURE_MEMBER_PRICE,  /* to members */
    FORECAST_FIGURE_MARGIN,        /* public price less cost */
    FORECAST_FIGURE_MEMBER_MARGIN, /* member price less cost */
    FORECAST_FIGURE_UNIT_PRICE,
    FORECAST_FIGURE_MEMBER_UNIT_PRICE,
    FORECAST_FIGURE_ROLE,           /* of: a role; its profit of a server-month */
    FORECAST_FIGURE_ROLES,          /* profit of a server-month of all roles that are played */
    FORECAST_FIGURE_PAYBACK,        /* of a full server at the public price, in months */
    FORECAST_FIGURE_MEMBER_PAYBACK, /* at the member price */
    FORECAST_FIGURE_BREAK_EVEN,     /* ppm */
    FORECAST_FIGURE_PURCHASE,       /* of all servers */
    FORECAST_FIGURE_SOFTWARE,       /* fee of the whole plan */
    FORECAST_FIGURE_SETUP,          /* of: one expense; empty: all */
    FORECAST_FIGURE_FREE_SERVERS,   /* that the free tier takes */
    FORECAST_FIGURE_YEAR_SALES,     /* of: the year; empty: 1 */
    FORECAST_FIGURE_YEAR_COST,
    FORECAST_FIGURE_YEAR_PROFIT,
    FORECAST_FIGURE_PIECE,    /* of: a service; what one piece costs once */
    FORECAST_FIGURE_SERVICES, /* of: a service; what all pieces bring at once */
    FORECAST_FIGURE_RATIO,    /* of two amounts of the document: over / under */
    FORECAST_FIGURE_SUM,      /* of amounts of the document: parts */
    FORECAST_FIGURES,
};

extern const char *const forecast_role_words[];   /* enum forecast_role, NULL at the end */
extern const char *const forecast_line_words[];   /* enum forecast_line */
extern const char *const forecast_figure_words[]; /* enum forecast_figure */

/* --- what is asked --- */

/* Of a server and month, in the order of enum forecast_line. */
struct forecast_costs {
    uint64_t set;
    struct str lines[FORECAST_LINES];
};

/* What the work of a role costs whoever plays it, of a server and month. */
struct forecast_own_costs {
    uint64_t set;
    struct str host;
    struct str manage;
    struct str operate;
};

/* Whose income a line is, where it is another's than usual. */
struct forecast_receiver {
    uint64_t set;
    int64_t line;
    int64_t role; /* enum forecast_role; 0, where the investor would stand, is "outside" */
};

struct forecast_growth {
    uint64_t set;
    int64_t month;   /* 2 .. */
    int64_t servers; /* that are bought then, beside those before */
};

struct forecast_service {
    uint64_t set;
    struct str name;
    int64_t role;  /* who does it, and keeps what the operator does not take */
    int64_t count; /* pieces: VMs moved, projects, users; 0: 1 */
    int64_t month; /* in which it begins; 0: 1 */
    struct str once;
    struct str monthly;
    struct str yearly;
    int64_t operator_share_ppm;
    int64_t instalments; /* the one-time price is paid in so many months; 0: at once */
};

/* A one-time expense: a portal, a campaign. */
struct forecast_setup {
    uint64_t set;
    struct str name;
    struct str amount;
    int64_t month;  /* 0: 1 */
    bool marketing; /* belongs to the marketing budget */
};

/* One step of the channel above the price: what it adds to its buying price. */
struct forecast_tier {
    uint64_t set;
    struct str name;
    int64_t change_ppm;
    int64_t try_ppm; /* what if it were this instead; where set */
};

struct forecast_what_if {
    uint64_t set;
    struct str name;
    struct str cost; /* of a server-month, instead of the sheet's sum */
    struct str price;
    int64_t occupancy_ppm;
    int64_t member_share_ppm;
};

struct forecast_declared {
    uint64_t set;
    int64_t figure; /* enum forecast_figure */
    struct str of;
    struct str amount;
    struct str over;
    struct str under;
    struct list parts; /* struct str: decimals */
    struct str label;  /* in the document's words */
    struct str why;
};

struct forecast {
    uint64_t set;
    struct str name;
    struct str currency;
    int64_t months;
    int64_t servers;
    struct list growth; /* struct forecast_growth */
    struct str server_price;
    int64_t useful_months;
    struct forecast_costs costs;
    struct forecast_own_costs own_costs;
    struct list receivers; /* struct forecast_receiver */
    bool software_on_sales;
    int64_t software_ahead;
    struct str price;
    struct str member_price;
    int64_t member_share_ppm;
    int64_t occupancy_ppm;
    int64_t occupancy_start_ppm;
    int64_t ramp_months;
    int64_t units;
    struct str unit_name;
    int64_t members;
    int64_t free_units;
    struct str marketing;
    struct list setups;   /* struct forecast_setup */
    struct list services; /* struct forecast_service */
    struct list roles;    /* struct str */
    struct list tiers;    /* struct forecast_tier */
    struct list what_ifs; /* struct forecast_what_if */
    struct list declared; /* struct forecast_declared */
};
extern const struct schema forecast_schema;
extern const struct schema forecast_tier_schema;
extern const struct schema forecast_what_if_schema;

/* --- what is answered: decimals; amounts have the digits of the currency --- */

struct forecast_cost_line {
    uint64_t set;
    int64_t line;
    struct str amount;
    int64_t share_ppm;
    int64_t receiver; /* as in forecast_receiver */
    bool cancels;     /* a role that is played receives it */
};

struct forecast_unit {
    uint64_t set;
    struct str name;
    int64_t count; /* in a server */
    struct str cost;
    struct str price;
    struct str member_price;
};

struct forecast_role_profit {
    uint64_t set;
    int64_t role;
    bool played;
    struct str income; /* of a server-month that is sold at the public price */
    struct str cost;
    struct str profit;
    struct str total; /* profit of the whole plan, services too */
};

struct forecast_payback {
    uint64_t set;
    struct str name;
    struct str monthly; /* what comes back each month */
    struct str months;  /* one digit behind the point; empty: never */
    int64_t month;      /* at whose end all is back; 0: never */
};

struct forecast_free_tier {
    uint64_t set;
    int64_t members;
    struct str servers;        /* that it fills, 3 digits behind the point */
    struct str software_month; /* operator's fee for them */
    struct str cost_month;     /* at the cost of a server-month */
    struct str price_month;    /* at the public price */
};

/* One month or year, or all: of the roles that are played. */
struct forecast_period {
    uint64_t set;
    int64_t number;
    int64_t servers; /* at the end */
    int64_t occupancy_ppm;
    struct str sold; /* server-months, 3 digits behind the point */
    struct str sales;
    struct str services;
    struct str costs;
    struct str setups;
    struct str marketing;
    struct str profit;    /* sales + services - costs - setups - marketing */
    struct str purchases; /* of servers */
    struct str cash;      /* what came in less what went out */
    struct str balance;   /* of all cash so far */
};

struct forecast_tier_margin {
    uint64_t set;
    struct str name;
    int64_t change_ppm;
    struct str buy;
    struct str sell;
    struct str margin;
    int64_t try_ppm;
    struct str try_sell;
    struct str try_margin;
    struct str try_end; /* what the client would pay */
};

struct forecast_outcome {
    uint64_t set;
    struct str name;
    struct str cost;
    struct str price;
    struct str margin;
    int64_t occupancy_ppm;
    struct str profit_month; /* of all servers, when full growth is reached */
    int64_t break_even_ppm;  /* where set */
    struct str payback;      /* of a server so sold, in months */
};

struct forecast_variance {
    uint64_t set;
    struct str what;
    struct str declared;
    struct str computed;
    struct str difference; /* computed less declared */
    bool agrees;
    struct str why;
};

struct forecast_answer {
    uint64_t set;
    struct str name;
    struct str currency;
    struct list roles_played; /* struct str */
    struct list lines;        /* struct forecast_cost_line */
    struct str cost;          /* of a server-month */
    struct str price;
    struct str member_price;
    struct str mean_price; /* by the share of members */
    struct str margin;
    struct str member_margin;
    struct str mean_margin;
    struct forecast_unit unit;
    struct list roles; /* struct forecast_role_profit */
    struct str whole;  /* profit of all four roles, of the whole plan */
    struct list paybacks;
    int64_t break_even_ppm;
    struct str marketing_month; /* when it runs: without one-time expenses */
    struct forecast_free_tier free_tier;
    struct str deepest; /* lowest balance: the capital that is needed */
    int64_t deepest_month;
    struct list months;
    struct list years;
    struct forecast_period total;
    struct list tiers;
    struct list what_ifs;
    struct list variances;
    struct list notes; /* struct str: what was taken for granted */
};
extern const struct schema forecast_answer_schema;

/* Everything that follows from a plan that forecast_schema decoded. RC_INVALID names the field: an
 * unknown currency, an amount below 0, above its bound or with more than 9 digits behind the point,
 * figures that contradict each other, and sums beyond int64 in the minor unit. All memory is the
 * arena's, at most about 1 MiB; the answer borrows texts of the plan. */
MUST_CHECK enum rc forecast_compute(const struct forecast *plan, struct arena *arena,
                                    struct forecast_answer *ret, struct err *err);

#endif
