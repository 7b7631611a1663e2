#include "cli/plan_show.h"

#include "cli/chart.h"
#include "cli/sheet.h"
#include "cli/show.h"
#include "cli/text.h"
#include "money/amount.h"

enum {
    BAR_COLUMNS = 24,
    CURVE_COLUMNS = 72,
    CURVE_LINES = 12,
    CURVE_MARGIN = 20,
    TEXT_MAX = 256 * 1024,
};

static const char *const receivers[] = {"", "host", "manage", "operate"};

static void head(struct run *run, const char *text)
{
    bool bold = show_colours(run->cli);
    fprintf(run->cli->out, "\n%s%s%s\n", bold ? "\033[1m" : "", text, bold ? "\033[0m" : "");
}

static struct str amount(struct run *run, struct str decimal)
{
    return sheet_amount(run->arena, decimal);
}

static struct str number(struct run *run, int64_t value)
{
    return amount(run, arena_fmt(run->arena, "%lld", (long long)value));
}

static bool is_zero(struct str decimal)
{
    for (size_t i = 0; i < decimal.n; i++)
        if (decimal.p[i] != '0' && decimal.p[i] != '.')
            return false;
    return true;
}

/* --- of one server --- */

static void show_title(struct run *run, const struct forecast_answer *a)
{
    const struct str *roles = a->roles_played.items;
    if (a->name.n > 0)
        fprintf(run->cli->out, "%.*s\n", STRF(text_plain(run->arena, a->name)));
    fprintf(run->cli->out, "%.*s before taxes, %zu months, %.*s server%s at the end; you ",
            STRF(a->currency), a->months.count, STRF(number(run, a->total.servers)),
            a->total.servers == 1 ? "" : "s");
    for (size_t i = 0; i < a->roles_played.count; i++)
        fprintf(run->cli->out, "%s%.*s",
                i == 0                           ? ""
                : i + 1 == a->roles_played.count ? " and "
                                                 : ", ",
                STRF(roles[i]));
    fprintf(run->cli->out, "\n");
}

static struct str bar_of(struct run *run, int64_t value, int64_t most)
{
    struct buf b;
    buf_init(&b, run->arena, 4 * (BAR_COLUMNS + 1));
    chart_bar(&b, value, most, BAR_COLUMNS);
    return buf_str(&b);
}

static void show_costs(struct run *run, const struct forecast_answer *a)
{
    static const char *const heads[] = {"LINE", ">AMOUNT", ">SHARE", "", "INCOME OF", NULL};
    const struct forecast_cost_line *lines = a->lines.items;
    int64_t most = 0;
    for (size_t i = 0; i < a->lines.count; i++)
        most = max_i64(most, lines[i].share_ppm);
    head(run, "Cost of a server and month");
    struct sheet s;
    sheet_begin(&s, run, heads, FORECAST_LINES + 6);
    for (size_t i = 0; i < a->lines.count; i++) {
        struct str receiver = arena_fmt(run->arena, "%s%s", receivers[lines[i].receiver],
                                        lines[i].cancels ? " (you)" : "");
        sheet_row(&s, (struct str[]){str_c(forecast_line_words[lines[i].line]),
                                     amount(run, lines[i].amount),
                                     sheet_percent(run->arena, lines[i].share_ppm, false),
                                     bar_of(run, lines[i].share_ppm, most), receiver});
    }
    struct str none = STR("");
    bool members = !str_eq(a->price, a->member_price);
    sheet_row(&s, (struct str[]){STR("cost"), amount(run, a->cost), none, none, none});
    sheet_row(&s, (struct str[]){STR("public price"), amount(run, a->price), none, none, none});
    sheet_row(&s, (struct str[]){STR("margin"), amount(run, a->margin), none, none, none});
    if (members) {
        sheet_row(&s, (struct str[]){STR("member price"), amount(run, a->member_price), none, none,
                                     none});
        sheet_row(&s, (struct str[]){STR("member margin"), amount(run, a->member_margin), none,
                                     none, none});
    }
    sheet_print(&s);
    if (a->unit.count > 1)
        fprintf(run->cli->out, "  1 %.*s of %lld: cost %.*s, public %.*s, members %.*s\n",
                STRF(text_plain(run->arena, a->unit.name)), (long long)a->unit.count,
                STRF(amount(run, a->unit.cost)), STRF(amount(run, a->unit.price)),
                STRF(amount(run, a->unit.member_price)));
}

static void show_roles(struct run *run, const struct forecast_answer *a)
{
    static const char *const heads[] = {"ROLE",    "YOU",         ">INCOME", ">COST",
                                        ">PROFIT", ">ALL MONTHS", NULL};
    const struct forecast_role_profit *roles = a->roles.items;
    head(run, "Who earns what: of a server and month sold to the public, and in all");
    struct sheet s;
    sheet_begin(&s, run, heads, FORECAST_ROLES + 1);
    for (size_t i = 0; i < a->roles.count; i++)
        sheet_row(&s, (struct str[]){str_c(forecast_role_words[roles[i].role]),
                                     roles[i].played ? STR("yes") : STR(""),
                                     amount(run, roles[i].income), amount(run, roles[i].cost),
                                     amount(run, roles[i].profit), amount(run, roles[i].total)});
    struct str none = STR("");
    sheet_row(&s, (struct str[]){STR("whole"), none, none, none, none, amount(run, a->whole)});
    sheet_print(&s);
}

/* --- when it pays --- */

static struct str payback_text(struct run *run, const struct forecast_payback *p)
{
    struct buf b;
    buf_init(&b, run->arena, 400);
    buf_add(&b, p->name);
    if (p->months.n > 0)
        buf_fmt(&b, ": paid back after %.*s months, in month %lld", STRF(p->months),
                (long long)p->month);
    else
        buf_add(&b, STR(": not paid back"));
    if (p->monthly.n > 0)
        buf_fmt(&b, " (%.*s a month come back)", STRF(amount(run, p->monthly)));
    return buf_str(&b);
}

static void show_paybacks(struct run *run, const struct forecast_answer *a)
{
    const struct forecast_payback *p = a->paybacks.items;
    head(run, "When it pays");
    for (size_t i = 0; i < a->paybacks.count; i++)
        sheet_text(run, payback_text(run, &p[i]));
    if (a->break_even_ppm >= 0)
        sheet_text(run, arena_fmt(run->arena,
                                  "break-even: at %.*s sold, a usual month of all servers loses "
                                  "nothing",
                                  STRF(sheet_percent(run->arena, a->break_even_ppm, true))));
    else
        sheet_text(run, STR("break-even: never, a usual month loses even where all is sold"));
    if (a->deepest_month > 0)
        sheet_text(run, arena_fmt(run->arena, "capital needed: %.*s, in month %lld",
                                  STRF(amount(run, str_sub(a->deepest, 1, a->deepest.n))),
                                  (long long)a->deepest_month));
}

static void show_marketing(struct run *run, const struct forecast_answer *a)
{
    const struct forecast_period *years = a->years.items;
    const struct forecast_free_tier *f = &a->free_tier;
    if (is_zero(a->total.marketing) && f->members == 0)
        return;
    head(run, "Marketing");
    struct buf b;
    buf_init(&b, run->arena, 4096);
    buf_fmt(&b, "budget of a usual month: %.*s", STRF(amount(run, a->marketing_month)));
    for (size_t i = 0; i < a->years.count; i++)
        buf_fmt(&b, "; year %zu: %.*s", i + 1, STRF(amount(run, years[i].marketing)));
    sheet_text(run, buf_str(&b));
    if (f->members > 0)
        sheet_text(run,
                   arena_fmt(run->arena,
                             "free tier: %.*s members fill %.*s servers; a month, that is "
                             "%.*s of software fee, %.*s of cost, %.*s at the public price",
                             STRF(number(run, f->members)), STRF(amount(run, f->servers)),
                             STRF(amount(run, f->software_month)), STRF(amount(run, f->cost_month)),
                             STRF(amount(run, f->price_month))));
}

/* --- over time --- */

static const char *const period_heads[] = {
    "PERIOD",     ">SERVERS", ">SOLD",   ">SALES", ">SERVICES", ">COSTS", ">ONE-TIME",
    ">MARKETING", ">PROFIT",  ">BOUGHT", ">CASH",  ">BALANCE",  NULL};

/* Columns that may be left out where they are 0 throughout. */
static bool is_needed(const struct forecast_answer *a, size_t column)
{
    const struct forecast_period *t = &a->total;
    const struct str sums[COUNT(period_heads)] = {
        [4] = t->services, [6] = t->setups, [7] = t->marketing, [9] = t->purchases};
    return sums[column].n == 0 || !is_zero(sums[column]);
}

static void add_period(struct sheet *s, const struct forecast_answer *a,
                       const struct forecast_period *p, struct str name)
{
    struct run *run = s->run;
    struct str all[] = {name,
                        number(run, p->servers),
                        amount(run, p->sold),
                        amount(run, p->sales),
                        amount(run, p->services),
                        amount(run, p->costs),
                        amount(run, p->setups),
                        amount(run, p->marketing),
                        amount(run, p->profit),
                        amount(run, p->purchases),
                        amount(run, p->cash),
                        amount(run, p->balance)};
    size_t count = 0;
    bool wide = args_has(&run->args, "wide");
    for (size_t i = 0; i < COUNT(all); i++)
        if (wide || is_needed(a, i))
            all[count++] = all[i];
    sheet_row(s, all);
}

static void show_periods(struct run *run, const struct forecast_answer *a, const struct list *list,
                         const char *name)
{
    const struct forecast_period *periods = list->items;
    const char *heads[COUNT(period_heads)] = {NULL};
    size_t count = 0;
    bool wide = args_has(&run->args, "wide");
    for (size_t i = 0; period_heads[i] != NULL; i++)
        if (wide || is_needed(a, i))
            heads[count++] = period_heads[i];
    struct sheet s;
    sheet_begin(&s, run, heads, list->count + 1);
    for (size_t i = 0; i < list->count; i++)
        add_period(&s, a, &periods[i],
                   arena_fmt(run->arena, "%s %lld", name, (long long)periods[i].number));
    add_period(&s, a, &a->total, STR("all"));
    sheet_print(&s);
}

static void show_curve(struct run *run, const struct forecast_answer *a)
{
    const struct currency *c = currency_find(a->currency);
    const struct forecast_period *months = a->months.items;
    int64_t *values = NEW_N(run->arena, int64_t, a->months.count);
    size_t top = 0;
    size_t bottom = 0;
    ASSERT(c != NULL);
    for (size_t i = 0; i < a->months.count; i++) {
        struct err ignored = {0};
        enum rc rc = amount_parse(months[i].balance, c, &values[i], &ignored);
        ASSERT(rc == RC_OK); /* we wrote it */
        top = values[i] > values[top] ? i : top;
        bottom = values[i] < values[bottom] ? i : bottom;
    }
    size_t columns = run->cli->out_terminal && run->cli->columns > 2 * CURVE_MARGIN
                         ? run->cli->columns - CURVE_MARGIN
                         : CURVE_COLUMNS;
    struct chart chart = {.values = values,
                          .count = a->months.count,
                          .height = CURVE_LINES,
                          .width = min_size(columns, CURVE_COLUMNS),
                          .tick = 12};
    if (values[top] > 0)
        chart.top = amount(run, months[top].balance);
    if (values[bottom] < 0)
        chart.bottom = amount(run, months[bottom].balance);
    struct buf b;
    buf_init(&b, run->arena, TEXT_MAX);
    chart_curve(&b, &chart);
    ASSERT(!b.full);
    head(run, "Cash: what is in the purse at the end of each month");
    struct str rest = buf_str(&b);
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        fprintf(run->cli->out, "  %.*s\n", STRF(line));
    }
}

/* --- what if --- */

static void show_tiers(struct run *run, const struct forecast_answer *a)
{
    static const char *const heads[] = {"TIER",     ">CHANGE", ">BUYS",   ">SELLS",       ">MARGIN",
                                        ">WHAT IF", ">SELLS",  ">MARGIN", ">CLIENT PAYS", NULL};
    const struct forecast_tier_margin *t = a->tiers.items;
    if (a->tiers.count == 0)
        return;
    head(run, "Margins of the channel, of a server and month");
    struct sheet s;
    sheet_begin(&s, run, heads, a->tiers.count);
    for (size_t i = 0; i < a->tiers.count; i++) {
        bool tried = t[i].try_end.n > 0;
        sheet_row(&s, (struct str[]){
                          t[i].name, sheet_percent(run->arena, t[i].change_ppm, true),
                          amount(run, t[i].buy), amount(run, t[i].sell), amount(run, t[i].margin),
                          tried ? sheet_percent(run->arena, t[i].try_ppm, true) : STR(""),
                          amount(run, t[i].try_sell), amount(run, t[i].try_margin),
                          amount(run, t[i].try_end)});
    }
    sheet_print(&s);
}

static void show_outcomes(struct run *run, const struct forecast_answer *a)
{
    static const char *const heads[] = {"WHAT IF",     ">COST",      ">PRICE",
                                        ">MARGIN",     ">OCCUPANCY", ">PROFIT A MONTH",
                                        ">BREAK-EVEN", ">PAYBACK",   NULL};
    const struct forecast_outcome *o = a->what_ifs.items;
    if (a->what_ifs.count == 0)
        return;
    head(run, "What if: a usual month of all servers, for the roles you play");
    struct sheet s;
    sheet_begin(&s, run, heads, a->what_ifs.count);
    for (size_t i = 0; i < a->what_ifs.count; i++) {
        struct str even = o[i].break_even_ppm >= 0
                              ? sheet_percent(run->arena, o[i].break_even_ppm, true)
                              : STR("never");
        struct str payback = a->paybacks.count == 0 ? STR("")
                             : o[i].payback.n > 0   ? o[i].payback
                                                    : STR("never");
        sheet_row(&s, (struct str[]){o[i].name, amount(run, o[i].cost), amount(run, o[i].price),
                                     amount(run, o[i].margin),
                                     sheet_percent(run->arena, o[i].occupancy_ppm, true),
                                     amount(run, o[i].profit_month), even, payback});
    }
    sheet_print(&s);
}

/* --- beside what was declared --- */

static struct str variance_text(struct run *run, const struct forecast_variance *v)
{
    struct buf b;
    buf_init(&b, run->arena, 4096);
    buf_fmt(&b, "%.*s: declared %.*s, computed ", STRF(text_plain(run->arena, v->what)),
            STRF(amount(run, v->declared)));
    buf_add(&b, v->computed.n > 0 ? amount(run, v->computed) : STR("nothing"));
    if (v->agrees)
        buf_add(&b, STR(", they agree"));
    else if (v->computed.n > 0)
        buf_fmt(&b, ", difference %.*s", STRF(amount(run, v->difference)));
    if (v->why.n > 0)
        buf_fmt(&b, ": %.*s", STRF(text_plain(run->arena, v->why)));
    ASSERT(!b.full);
    return buf_str(&b);
}

static void show_variances(struct run *run, const struct forecast_answer *a)
{
    const struct forecast_variance *v = a->variances.items;
    if (a->variances.count == 0)
        return;
    head(run, "Beside what was declared");
    for (size_t i = 0; i < a->variances.count; i++)
        sheet_text(run, variance_text(run, &v[i]));
}

static void show_notes(struct run *run, const struct forecast_answer *a)
{
    const struct str *notes = a->notes.items;
    head(run, "Taken for granted");
    for (size_t i = 0; i < a->notes.count; i++)
        sheet_text(run, arena_fmt(run->arena, "- %.*s", STRF(notes[i])));
}

void plan_show(struct run *run, const struct forecast_answer *answer)
{
    show_title(run, answer);
    show_costs(run, answer);
    show_roles(run, answer);
    show_paybacks(run, answer);
    show_marketing(run, answer);
    head(run, "Year by year, of the roles you play");
    show_periods(run, answer, &answer->years, "year");
    if (args_has(&run->args, "wide")) {
        head(run, "Month by month");
        show_periods(run, answer, &answer->months, "month");
    }
    show_curve(run, answer);
    show_tiers(run, answer);
    show_outcomes(run, answer);
    show_variances(run, answer);
    show_notes(run, answer);
}
