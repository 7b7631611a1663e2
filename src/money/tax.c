#include "money/tax.h"

#include "money/amount.h"
#include "money/ascii.h"
#include "money/round.h"
#include "money/split.h"

enum rate_rule { RATE_ABOVE_ZERO, RATE_ZERO, RATE_ANY };

static const struct {
    const char *code;
    enum rate_rule rule; /* BR-S-05, BR-Z-05, BR-E-05, BR-AE-05, ... */
} categories[TAX_CATEGORY_COUNT] = {
    [TAX_STANDARD] = {"S", RATE_ABOVE_ZERO},  [TAX_ZERO] = {"Z", RATE_ZERO},
    [TAX_EXEMPT] = {"E", RATE_ZERO},          [TAX_REVERSE_CHARGE] = {"AE", RATE_ZERO},
    [TAX_INTRA_COMMUNITY] = {"K", RATE_ZERO}, [TAX_EXPORT] = {"G", RATE_ZERO},
    [TAX_OUTSIDE] = {"O", RATE_ZERO},         [TAX_CANARY_ISLANDS] = {"L", RATE_ANY},
    [TAX_CEUTA_MELILLA] = {"M", RATE_ANY},
};

const char *tax_category_code(enum tax_category category)
{
    ASSERT(category < TAX_CATEGORY_COUNT);
    return categories[category].code;
}

enum rc tax_category_parse(struct str code, enum tax_category *ret, struct err *err)
{
    for (size_t i = 0; i < COUNT(categories); i++) {
        if (!str_eq(code, str_c(categories[i].code)))
            continue;
        *ret = (enum tax_category)i;
        return RC_OK;
    }
    return err_set(err, RC_INVALID,
                   "'%.*s' is not a tax category: one of S, Z, E, AE, K, G, O, L, M was wanted",
                   STRF(ascii_shown(code)));
}

enum rc tax_line_net(const struct tax_item *item, const struct currency *c, int64_t *ret,
                     struct err *err)
{
    rated exact;
    int64_t rounded;
    TRY(price_rate_per(item->price, item->quantity, item->base, &exact, err));
    TRY(rated_round(exact, c, &rounded, err));
    return amount_narrow((__int128)rounded + item->charges - item->allowances, ret, err);
}

static enum rc check_line(const struct tax_line *line, size_t index, struct err *err)
{
    ASSERT(line->category < TAX_CATEGORY_COUNT);
    enum rate_rule rule = categories[line->category].rule;
    int64_t rate = line->rate_ppm;
    if (rate < 0 || rate > TAX_RATE_MAX_PPM)
        return err_set(err, RC_INVALID, "the tax rate of line %zu is not between 0 and %d %%",
                       index + 1, (int)(TAX_RATE_MAX_PPM / 10000));
    if ((rule == RATE_ZERO && rate != 0) || (rule == RATE_ABOVE_ZERO && rate == 0))
        return err_set(err, RC_INVALID, "tax category %s of line %zu wants a rate %s 0",
                       categories[line->category].code, index + 1,
                       rule == RATE_ZERO ? "of" : "above");
    if (line->kind != TAX_LINE && line->amount < 0)
        return err_set(err, RC_INVALID,
                       "the allowance or charge of line %zu is below 0: give it as a positive "
                       "amount of the other kind",
                       index + 1);
    return RC_OK;
}

/* What the line adds to its group: allowances count against it. */
static __int128 signed_amount(const struct tax_line *line, int64_t amount)
{
    return line->kind == TAX_ALLOWANCE ? -(__int128)amount : amount;
}

/* A group while it is being added up. */
struct sums {
    enum tax_category category;
    int64_t rate_ppm;
    __int128 amount;
};

struct sums_list {
    struct sums groups[TAX_GROUPS_MAX]; /* by category, then rate */
    size_t count;
};

static bool is_before(const struct sums *g, const struct tax_line *line)
{
    return g->category != line->category ? g->category < line->category
                                         : g->rate_ppm < line->rate_ppm;
}

/* The index of the line's group, made where it is new. */
static enum rc find_group(struct sums_list *list, const struct tax_line *line, size_t *ret,
                          struct err *err)
{
    size_t at = 0;
    while (at < list->count && is_before(&list->groups[at], line))
        at++;
    *ret = at;
    if (at < list->count && list->groups[at].category == line->category &&
        list->groups[at].rate_ppm == line->rate_ppm)
        return RC_OK;
    if (list->count == TAX_GROUPS_MAX)
        return err_set(err, RC_INVALID, "a document has at most %d tax rates", TAX_GROUPS_MAX);
    memmove(&list->groups[at + 1], &list->groups[at], (list->count - at) * sizeof list->groups[0]);
    list->groups[at] = (struct sums){line->category, line->rate_ppm, 0};
    list->count++;
    return RC_OK;
}

static enum rc group_lines(const struct tax_line *lines, size_t count, struct sums_list *ret,
                           struct err *err)
{
    if (count > TAX_LINES_MAX)
        return err_set(err, RC_INVALID, "a document has at most %d lines, not %zu", TAX_LINES_MAX,
                       count);
    ret->count = 0;
    for (size_t i = 0; i < count; i++) {
        size_t group;
        TRY(check_line(&lines[i], i, err));
        TRY(find_group(ret, &lines[i], &group, err));
        ret->groups[group].amount += signed_amount(&lines[i], lines[i].amount);
    }
    return RC_OK;
}

/* Totals from the lines, whose nets stand in nets, and from the groups. */
static enum rc add_up(const struct tax_line *lines, const int64_t *nets, size_t count,
                      struct tax_document *doc, struct err *err)
{
    __int128 sums[3] = {0};
    for (size_t i = 0; i < count; i++)
        sums[lines[i].kind] += nets[i];
    __int128 net = sums[TAX_LINE] - sums[TAX_ALLOWANCE] + sums[TAX_CHARGE];
    __int128 group_net = 0;
    __int128 tax = 0;
    for (size_t i = 0; i < doc->group_count; i++) {
        group_net += doc->groups[i].net;
        tax += doc->groups[i].tax;
    }
    ASSERT(group_net == net);
    struct tax_totals *t = &doc->totals;
    TRY(amount_narrow(sums[TAX_LINE], &t->lines, err));
    TRY(amount_narrow(sums[TAX_ALLOWANCE], &t->allowances, err));
    TRY(amount_narrow(sums[TAX_CHARGE], &t->charges, err));
    TRY(amount_narrow(net, &t->net, err));
    TRY(amount_narrow(tax, &t->tax, err));
    TRY(amount_narrow(net + tax, &t->gross, err));
    return amount_narrow(net + tax - t->paid + t->rounding, &t->payable, err);
}

enum rc tax_exclusive(struct tax_line *lines, size_t count, int64_t paid, int64_t rounding,
                      struct arena *arena, struct tax_document *ret, struct err *err)
{
    struct sums_list list;
    TRY(group_lines(lines, count, &list, err));
    struct tax_group *groups = NEW_N(arena, struct tax_group, list.count);
    for (size_t i = 0; i < list.count; i++) {
        const struct sums *g = &list.groups[i];
        groups[i] = (struct tax_group){.category = g->category, .rate_ppm = g->rate_ppm};
        TRY(amount_narrow(g->amount, &groups[i].net, err));
        TRY(amount_narrow(round_div(g->amount * g->rate_ppm, TAX_WHOLE_PPM), &groups[i].tax, err));
    }
    int64_t *nets = NEW_N(arena, int64_t, count);
    for (size_t i = 0; i < count; i++)
        nets[i] = lines[i].amount;
    struct tax_document doc = {groups, list.count, {.paid = paid, .rounding = rounding}};
    TRY(add_up(lines, nets, count, &doc, err));
    for (size_t i = 0; i < count; i++) {
        lines[i].net = nets[i];
        lines[i].tax = 0;
    }
    *ret = doc;
    return RC_OK;
}

/* Room to gather the lines of one group; the groups use it one after the other. */
struct gathering {
    __int128 *numerators;
    size_t *indexes;
    int64_t *nets;
};

/* Give the net of one group to its lines. */
static void allocate(const struct tax_line *lines, size_t count, const struct tax_group *group,
                     const struct gathering *g, struct arena *arena, int64_t *ret_nets)
{
    size_t members = 0;
    for (size_t i = 0; i < count; i++) {
        if (lines[i].category != group->category || lines[i].rate_ppm != group->rate_ppm)
            continue;
        g->numerators[members] = signed_amount(&lines[i], lines[i].amount) * TAX_WHOLE_PPM;
        g->indexes[members++] = i;
    }
    split_fractions(group->net, g->numerators, TAX_WHOLE_PPM + group->rate_ppm, members, arena,
                    g->nets);
    for (size_t i = 0; i < members; i++)
        ret_nets[g->indexes[i]] = (int64_t)signed_amount(&lines[g->indexes[i]], g->nets[i]);
}

enum rc tax_inclusive(struct tax_line *lines, size_t count, int64_t paid, int64_t rounding,
                      struct arena *arena, struct tax_document *ret, struct err *err)
{
    struct sums_list list;
    TRY(group_lines(lines, count, &list, err));
    struct tax_group *groups = NEW_N(arena, struct tax_group, list.count);
    for (size_t i = 0; i < list.count; i++) {
        const struct sums *g = &list.groups[i];
        groups[i] = (struct tax_group){.category = g->category, .rate_ppm = g->rate_ppm};
        __int128 net = round_div(g->amount * TAX_WHOLE_PPM, TAX_WHOLE_PPM + g->rate_ppm);
        TRY(amount_narrow(net, &groups[i].net, err));
        TRY(amount_narrow(g->amount - net, &groups[i].tax, err));
    }
    int64_t *nets = NEW_N(arena, int64_t, count);
    struct gathering gathering = {NEW_N(arena, __int128, count), NEW_N(arena, size_t, count),
                                  NEW_N(arena, int64_t, count)};
    for (size_t i = 0; i < list.count; i++)
        allocate(lines, count, &groups[i], &gathering, arena, nets);
    struct tax_document doc = {groups, list.count, {.paid = paid, .rounding = rounding}};
    TRY(add_up(lines, nets, count, &doc, err));
    for (size_t i = 0; i < count; i++) {
        lines[i].net = nets[i];
        lines[i].tax = lines[i].amount - nets[i];
    }
    *ret = doc;
    return RC_OK;
}
