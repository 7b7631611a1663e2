#include "plan/terms.h"

#include "money/round.h"

enum { MONTHS_DEFAULT = 24 };

static const enum forecast_role usual_receivers[FORECAST_LINES] = {
    [FORECAST_HOSTING] = FORECAST_HOST,
    [FORECAST_SOFTWARE] = FORECAST_OPERATE,
    [FORECAST_MANAGEMENT] = FORECAST_MANAGE,
    [FORECAST_REPAIR] = FORECAST_MANAGE,
};

enum rc terms_amount(struct str text, int64_t max, struct str pointer, rated *ret, struct err *err)
{
    rated value = 0;
    if (text.n > 0 && rated_parse(text, &value, err) != RC_OK) {
        err_at(err, pointer);
        return rc_failed(err->rc);
    }
    if (value < 0)
        return err_set_at(err, RC_INVALID, pointer, "'%.*s' must not be below 0", STRF(text));
    if (value > max * (rated)1000000000)
        return err_set_at(err, RC_INVALID, pointer, "'%.*s' must be at most %lld", STRF(text),
                          (long long)max);
    *ret = value;
    return RC_OK;
}

/* Of entry i of a list. */
static struct str entry_pointer(struct arena *arena, const char *list, size_t i, const char *field)
{
    return arena_fmt(arena, "/%s/%zu/%s", list, i, field);
}

static int64_t or_else(int64_t value, int64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

/* --- servers --- */

static enum rc take_servers(const struct forecast *p, struct arena *arena, struct terms *t,
                            struct err *err)
{
    const struct forecast_growth *growth = p->growth.items;
    t->months = or_else(p->months, MONTHS_DEFAULT);
    t->servers = or_else(p->servers, 1);
    t->cohorts[0] = (struct cohort){1, t->servers};
    t->cohort_count = 1;
    for (size_t i = 0; i < p->growth.count; i++) {
        ASSERT(t->cohort_count < COUNT(t->cohorts));
        struct str pointer = entry_pointer(arena, "growth", i, "month");
        if (growth[i].month > t->months)
            return err_set_at(err, RC_INVALID, pointer, "month %lld is behind the plan's %lld",
                              (long long)growth[i].month, (long long)t->months);
        if (growth[i].month <= t->cohorts[t->cohort_count - 1].month)
            return err_set_at(err, RC_INVALID, pointer, "growth is listed by month, each once");
        t->servers += growth[i].servers;
        if (t->servers > FORECAST_SERVERS_MAX)
            return err_set_at(err, RC_INVALID, entry_pointer(arena, "growth", i, "servers"),
                              "with these there are %lld servers, at most %d can be planned",
                              (long long)t->servers, FORECAST_SERVERS_MAX);
        t->cohorts[t->cohort_count++] = (struct cohort){growth[i].month, growth[i].servers};
    }
    return RC_OK;
}

/* Amortisation is given, or follows from price and life of a server; never both. */
static enum rc take_amortisation(const struct forecast *p, struct terms *t, struct err *err)
{
    bool given = p->costs.lines[FORECAST_AMORTISATION].n > 0;
    TRY(terms_amount(p->server_price, FORECAST_SERVER_MAX, STR("/server_price"), &t->server_price,
                     err));
    t->has_purchase = t->server_price > 0;
    t->useful_months = p->useful_months;
    if (!t->has_purchase && t->useful_months > 0)
        return err_set_at(err, RC_INVALID, STR("/server_price"),
                          "the useful life of a server wants its price too");
    if (t->has_purchase && given && t->useful_months > 0)
        return err_set_at(err, RC_INVALID, STR("/costs/amortisation"),
                          "amortisation follows from the price and the useful life of a server: "
                          "leave one of the three out");
    if (t->has_purchase && !given && t->useful_months == 0)
        return err_set_at(err, RC_INVALID, STR("/useful_months"),
                          "the price of a server wants its useful life, or its amortisation");
    if (t->has_purchase && !given)
        t->lines[FORECAST_AMORTISATION] =
            round_div(t->server_price * FINE_PER_RATED, t->useful_months);
    return RC_OK;
}

static enum rc take_costs(const struct forecast *p, struct arena *arena, struct terms *t,
                          struct err *err)
{
    for (size_t i = 0; i < FORECAST_LINES; i++) {
        rated value = 0;
        struct str pointer = arena_fmt(arena, "/costs/%s", forecast_line_words[i]);
        TRY(terms_amount(p->costs.lines[i], FORECAST_PRICE_MAX, pointer, &value, err));
        t->lines[i] = value * FINE_PER_RATED;
        if (i == FORECAST_SOFTWARE)
            t->software = value;
    }
    TRY(take_amortisation(p, t, err));
    rated own[FORECAST_ROLES] = {0};
    TRY(terms_amount(p->own_costs.host, FORECAST_PRICE_MAX, STR("/own_costs/host"),
                     &own[FORECAST_HOST], err));
    TRY(terms_amount(p->own_costs.manage, FORECAST_PRICE_MAX, STR("/own_costs/manage"),
                     &own[FORECAST_MANAGE], err));
    TRY(terms_amount(p->own_costs.operate, FORECAST_PRICE_MAX, STR("/own_costs/operate"),
                     &own[FORECAST_OPERATE], err));
    for (size_t i = 0; i < FORECAST_ROLES; i++)
        t->own[i] = own[i] * FINE_PER_RATED;
    t->software_on_sales = p->software_on_sales;
    t->software_ahead = or_else(p->software_ahead, 1);
    if (t->software_on_sales && t->software_ahead > 1)
        return err_set_at(err, RC_INVALID, STR("/software_ahead"),
                          "a fee on what is used cannot be paid ahead");
    return RC_OK;
}

static enum rc take_roles(const struct forecast *p, struct arena *arena, struct terms *t,
                          struct err *err)
{
    const struct str *words = p->roles.items;
    for (size_t i = 0; i < p->roles.count; i++)
        for (size_t k = 0; k < FORECAST_ROLES; k++)
            t->played[k] = t->played[k] || str_eq(words[i], str_c(forecast_role_words[k]));
    if (p->roles.count == 0)
        t->played[FORECAST_INVEST] = true;

    memcpy(t->receivers, usual_receivers, sizeof t->receivers);
    bool seen[FORECAST_LINES] = {false};
    const struct forecast_receiver *receivers = p->receivers.items;
    for (size_t i = 0; i < p->receivers.count; i++) {
        if (seen[receivers[i].line])
            return err_set_at(err, RC_INVALID, entry_pointer(arena, "receivers", i, "line"),
                              "the line '%s' has one receiver only",
                              forecast_line_words[receivers[i].line]);
        seen[receivers[i].line] = true;
        t->receivers[receivers[i].line] = (enum forecast_role)receivers[i].role;
    }
    if (t->receivers[FORECAST_AMORTISATION] != FORECAST_INVEST && t->has_purchase)
        return err_set_at(err, RC_INVALID, STR("/receivers"),
                          "servers that are bought pay amortisation to nobody");
    return RC_OK;
}

/* --- sales --- */

static enum rc take_sales(const struct forecast *p, struct terms *t, struct err *err)
{
    TRY(terms_amount(p->price, FORECAST_PRICE_MAX, STR("/price"), &t->price, err));
    TRY(terms_amount(p->member_price, FORECAST_PRICE_MAX, STR("/member_price"), &t->member_price,
                     err));
    if (p->member_price.n == 0)
        t->member_price = t->price;
    t->member_share_ppm = p->member_share_ppm;
    t->occupancy_ppm = or_else(p->occupancy_ppm, FORECAST_WHOLE_PPM);
    t->ramp_months = p->ramp_months;
    t->start_ppm = t->ramp_months > 0 ? p->occupancy_start_ppm : t->occupancy_ppm;
    if (p->occupancy_start_ppm > 0 && t->ramp_months == 0)
        return err_set_at(err, RC_INVALID, STR("/ramp_months"),
                          "occupancy in the first month wants the months of its ramp");
    t->units = or_else(p->units, 1);
    t->members = p->members;
    t->free_units = p->members * p->free_units;
    if (p->free_units > t->units)
        return err_set_at(err, RC_INVALID, STR("/free_units"),
                          "a member cannot have more than the %lld units of a server free",
                          (long long)t->units);
    return terms_amount(p->marketing, FORECAST_LUMP_MAX, STR("/marketing"), &t->marketing, err);
}

/* Names of entries are what "of" looks for. */
static enum rc check_names(const char *list, const struct str *names, size_t count,
                           struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(names[i], names[k]))
                return err_set_at(err, RC_INVALID, entry_pointer(arena, list, i, "name"),
                                  "there are two of the name '%.*s'", STRF(names[i]));
    return RC_OK;
}

static enum rc check_month(const struct terms *t, int64_t month, const char *list, size_t i,
                           struct arena *arena, struct err *err)
{
    if (month <= t->months)
        return RC_OK;
    return err_set_at(err, RC_INVALID, entry_pointer(arena, list, i, "month"),
                      "month %lld is behind the plan's %lld", (long long)month,
                      (long long)t->months);
}

static enum rc take_services(const struct forecast *p, struct arena *arena, struct terms *t,
                             struct err *err)
{
    const struct forecast_service *from = p->services.items;
    struct str names[FORECAST_SERVICES_MAX];
    t->service_count = p->services.count;
    ASSERT(t->service_count <= FORECAST_SERVICES_MAX);
    for (size_t i = 0; i < t->service_count; i++) {
        struct term_service *s = &t->services[i];
        *s = (struct term_service){.name = from[i].name,
                                   .role = (enum forecast_role)from[i].role,
                                   .count = or_else(from[i].count, 1),
                                   .month = or_else(from[i].month, 1),
                                   .instalments = or_else(from[i].instalments, 1),
                                   .share_ppm = from[i].operator_share_ppm};
        names[i] = s->name;
        TRY(check_month(t, s->month, "services", i, arena, err));
        TRY(terms_amount(from[i].once, FORECAST_PRICE_MAX,
                         entry_pointer(arena, "services", i, "once"), &s->once, err));
        TRY(terms_amount(from[i].monthly, FORECAST_PRICE_MAX,
                         entry_pointer(arena, "services", i, "monthly"), &s->monthly, err));
        TRY(terms_amount(from[i].yearly, FORECAST_PRICE_MAX,
                         entry_pointer(arena, "services", i, "yearly"), &s->yearly, err));
    }
    return check_names("services", names, t->service_count, arena, err);
}

static enum rc take_setups(const struct forecast *p, struct arena *arena, struct terms *t,
                           struct err *err)
{
    const struct forecast_setup *from = p->setups.items;
    struct str names[FORECAST_SETUPS_MAX];
    t->setup_count = p->setups.count;
    ASSERT(t->setup_count <= FORECAST_SETUPS_MAX);
    for (size_t i = 0; i < t->setup_count; i++) {
        struct term_setup *s = &t->setups[i];
        *s = (struct term_setup){.name = from[i].name,
                                 .month = or_else(from[i].month, 1),
                                 .marketing = from[i].marketing};
        names[i] = s->name;
        TRY(check_month(t, s->month, "setups", i, arena, err));
        TRY(terms_amount(from[i].amount, FORECAST_LUMP_MAX,
                         entry_pointer(arena, "setups", i, "amount"), &s->amount, err));
    }
    return check_names("setups", names, t->setup_count, arena, err);
}

enum rc terms_take(const struct forecast *plan, struct arena *arena, struct terms *ret,
                   struct err *err)
{
    struct terms *t = NEW(arena, struct terms);
    if (currency_parse(plan->currency, &t->currency, err) != RC_OK) {
        err_at(err, STR("/currency"));
        return rc_failed(err->rc);
    }
    TRY(take_servers(plan, arena, t, err));
    TRY(take_costs(plan, arena, t, err));
    TRY(take_roles(plan, arena, t, err));
    TRY(take_sales(plan, t, err));
    TRY(take_services(plan, arena, t, err));
    TRY(take_setups(plan, arena, t, err));
    *ret = *t;
    return RC_OK;
}

enum rc terms_change(const struct terms *terms, const struct forecast_what_if *change, size_t index,
                     struct arena *arena, struct terms *ret, struct err *err)
{
    struct terms *t = NEW(arena, struct terms);
    *t = *terms;
    rated value = 0;
    TRY(terms_amount(change->cost, FORECAST_PRICE_MAX,
                     entry_pointer(arena, "what_ifs", index, "cost"), &value, err));
    if (change->cost.n > 0)
        t->extra = value * FINE_PER_RATED - terms_cost(terms);
    TRY(terms_amount(change->price, FORECAST_PRICE_MAX,
                     entry_pointer(arena, "what_ifs", index, "price"), &value, err));
    if (change->price.n > 0) {
        /* Members who pay as the public does go on doing so. */
        if (t->member_price == t->price)
            t->member_price = value;
        t->price = value;
    }
    if (change->occupancy_ppm > 0)
        t->occupancy_ppm = change->occupancy_ppm;
    if (schema_has(&forecast_what_if_schema, change, "member_share_ppm"))
        t->member_share_ppm = change->member_share_ppm;
    *ret = *t;
    return RC_OK;
}

/* --- of a server-month --- */

fine terms_cost(const struct terms *t)
{
    fine sum = t->extra;
    for (size_t i = 0; i < FORECAST_LINES; i++)
        sum += t->lines[i];
    return sum;
}

fine terms_outlay(const struct terms *t, bool amortisation)
{
    fine sum = t->extra;
    for (size_t i = 0; i < FORECAST_LINES; i++) {
        bool own = t->receivers[i] != FORECAST_INVEST && t->played[t->receivers[i]];
        if (!own && (amortisation || i != FORECAST_AMORTISATION))
            sum += t->lines[i];
    }
    for (size_t i = 0; i < FORECAST_ROLES; i++)
        sum += t->played[i] ? t->own[i] : 0;
    return sum;
}

fine terms_mean_price(const struct terms *t)
{
    fine ppm = FINE_PER_RATED / FORECAST_WHOLE_PPM;
    return (t->price * (FORECAST_WHOLE_PPM - t->member_share_ppm) +
            t->member_price * t->member_share_ppm) *
           ppm;
}
