/* The totals of a document in numbers, and the check that they are right. */
#include "base/clock.h"
#include "billing/document_make.h"
#include "money/amount.h"
#include "money/round.h"
#include "money/split.h"

enum { CLASS_COUNT = TAX_CLASS_OUTSIDE + 1 };

/* --- kinds of income --- */

/* What is of one class and one kind of income is one amount: its net is rounded once. */
struct joined {
    size_t count;
    struct document_sum sums[DOCUMENT_INCOMES_MAX];
};

static bool same_kind(const struct document_sum *a, const struct document_sum *b)
{
    return a->tax_class == b->tax_class && a->deferred == b->deferred &&
           str_eq(a->income, b->income);
}

/* The index of the sum's kind, made where it is new. */
static enum rc join(struct joined *j, const struct document_sum *sum, size_t *ret, struct err *err)
{
    size_t i = 0;
    while (i < j->count && !same_kind(&j->sums[i], sum))
        i++;
    if (i == DOCUMENT_INCOMES_MAX)
        return err_set(err, RC_INVALID, "a document has at most %d kinds of income",
                       DOCUMENT_INCOMES_MAX);
    if (i == j->count) {
        j->sums[i] = *sum;
        j->count++;
    } else {
        TRY(amount_add(j->sums[i].amount, sum->amount, &j->sums[i].amount, err));
        TRY(amount_add(j->sums[i].wholesale, sum->wholesale, &j->sums[i].wholesale, err));
    }
    *ret = i;
    return RC_OK;
}

/* --- taxes of each class --- */

static enum rc no_rate(const struct party *issuer, const struct party *recipient, int64_t day,
                       struct err *err)
{
    char text[DAY_TEXT_MAX];
    (void)day_format(day, text);
    return err_set(err, RC_INVALID,
                   "no tax is known for a supply from %.*s (%.*s) to %.*s (%.*s) on %s: a rate, or "
                   "a VAT id of one of them, is missing",
                   STRF(issuer->name), STRF(issuer->address.country), STRF(recipient->name),
                   STRF(recipient->address.country), text);
}

/* Decisions for the classes that occur. */
struct decided {
    const struct party *issuer;
    const struct party *recipient;
    enum tax_treatment treatment;
    int64_t day;
    bool has[CLASS_COUNT];
    struct tax_decision of[CLASS_COUNT];
};

static enum rc decide(struct decided *d, enum tax_class class, struct err *err)
{
    ASSERT((unsigned)class < CLASS_COUNT);
    if (d->has[class])
        return RC_OK;
    enum tax_class as = d->treatment == TREATMENT_NONE ? TAX_CLASS_OUTSIDE : class;
    d->of[class] = tax_decide(d->issuer, d->recipient, as, d->day);
    d->has[class] = true;
    return d->of[class].known ? RC_OK : no_rate(d->issuer, d->recipient, d->day, err);
}

/* The classes of one group are one decision, or the buyer would not know which rate is its own. */
static enum rc fill_group(struct document_tax_group *g, const struct decided *d, struct err *err)
{
    for (unsigned class = 0; class < CLASS_COUNT; class ++) {
        const struct tax_decision *of = &d->of[class];
        if (!d->has[class] || of->category != g->group.category ||
            of->rate_ppm != g->group.rate_ppm)
            continue;
        if (g->classes != 0 && g->decision.buyer_rate_ppm != of->buyer_rate_ppm)
            return err_set(err, RC_INVALID,
                           "a document cannot hold two rates that its buyer accounts for");
        if (g->classes == 0)
            g->decision = *of;
        g->classes |= 1U << class;
    }
    ASSERT(g->classes != 0);
    return amount_narrow(
        round_div((__int128)g->group.net * g->decision.buyer_rate_ppm, TAX_WHOLE_PPM),
        &g->buyer_tax, err);
}

/* The greatest part of each group. */
static void fill_expenses(struct document_tax_group *groups, size_t count, const struct joined *j)
{
    for (size_t i = 0; i < count; i++) {
        int64_t most = INT64_MIN;
        for (size_t k = 0; k < j->count; k++) {
            if (!(groups[i].classes & 1U << j->sums[k].tax_class) || j->sums[k].amount <= most)
                continue;
            most = j->sums[k].amount;
            groups[i].expense = j->sums[k].income;
        }
    }
}

static enum rc fill_groups(struct document_row *row, const struct tax_document *doc,
                           const struct decided *d, const struct joined *j, struct arena *arena,
                           struct err *err)
{
    struct document_tax_group *groups = NEW_N(arena, struct document_tax_group, doc->group_count);
    for (size_t i = 0; i < doc->group_count; i++) {
        groups[i].group = doc->groups[i];
        TRY(fill_group(&groups[i], d, err));
    }
    fill_expenses(groups, doc->group_count, j);
    row->groups = groups;
    row->group_count = doc->group_count;
    return RC_OK;
}

/* --- incomes --- */

static enum rc add_income(struct document_row *row, struct document_income *incomes,
                          const struct document_sum *sum, int64_t net, struct err *err)
{
    size_t i = 0;
    while (i < row->income_count &&
           !(incomes[i].deferred == sum->deferred && str_eq(incomes[i].label, sum->income)))
        i++;
    if (i == row->income_count) {
        incomes[i] = (struct document_income){.label = sum->income, .deferred = sum->deferred};
        row->income_count++;
    }
    TRY(amount_add(incomes[i].net, net, &incomes[i].net, err));
    return amount_add(incomes[i].wholesale, sum->wholesale, &incomes[i].wholesale, err);
}

static enum rc fill_incomes(struct document_row *row, const struct joined *j,
                            const struct tax_line *lines, struct arena *arena, struct err *err)
{
    struct document_income *incomes = NEW_N(arena, struct document_income, j->count);
    row->income_count = 0;
    for (size_t i = 0; i < j->count; i++)
        TRY(add_income(row, incomes, &j->sums[i], lines[i].net, err));
    row->incomes = incomes;
    return RC_OK;
}

/* COLLECT, prices that hold the tax: of what the operator earns it is taken off as of the price. */
static enum rc net_wholesale(struct joined *j, const struct tax_line *lines, struct arena *arena,
                             struct err *err)
{
    struct tax_line parts[DOCUMENT_INCOMES_MAX];
    struct tax_document doc;
    for (size_t i = 0; i < j->count; i++) {
        parts[i] = lines[i];
        parts[i].amount = j->sums[i].wholesale;
    }
    TRY(tax_inclusive(parts, j->count, 0, 0, arena, &doc, err));
    for (size_t i = 0; i < j->count; i++)
        j->sums[i].wholesale = parts[i].net;
    return RC_OK;
}

enum rc document_row_total(struct document_row *row, const struct document_sides *sides,
                           const struct document_sum *sums, size_t count, struct arena *arena,
                           struct err *err)
{
    struct decided d = {.issuer = sides->issuer,
                        .recipient = sides->recipient,
                        .treatment = sides->treatment,
                        .day = sides->day};
    struct joined j;
    size_t ignored = 0;
    struct tax_line lines[DOCUMENT_INCOMES_MAX];
    struct tax_document doc;
    j.count = 0;
    for (size_t i = 0; i < count; i++)
        TRY(join(&j, &sums[i], &ignored, err));
    for (size_t i = 0; i < j.count; i++) {
        TRY(decide(&d, j.sums[i].tax_class, err));
        const struct tax_decision *of = &d.of[j.sums[i].tax_class];
        lines[i] = (struct tax_line){.kind = TAX_LINE,
                                     .category = of->category,
                                     .rate_ppm = of->rate_ppm,
                                     .amount = j.sums[i].amount};
    }
    if (row->tax_included) {
        TRY(net_wholesale(&j, lines, arena, err));
        TRY(tax_inclusive(lines, j.count, row->prepaid, 0, arena, &doc, err));
    } else {
        TRY(tax_exclusive(lines, j.count, row->prepaid, 0, arena, &doc, err));
    }
    struct document_row made = *row;
    TRY(fill_groups(&made, &doc, &d, &j, arena, err));
    TRY(fill_incomes(&made, &j, lines, arena, err));
    made.net = doc.totals.net;
    made.tax = doc.totals.tax;
    made.gross = doc.totals.gross;
    TRY(amount_check_one(made.net, row->currency, "the document", err));
    TRY(amount_check_one(made.gross, row->currency, "the document", err));
    made.tax_recoverable = sides->recipient->taxable;
    *row = made;
    return RC_OK;
}

/* --- nets of lines --- */

const struct document_tax_group *document_group(const struct document_row *row,
                                                enum tax_class class)
{
    for (size_t i = 0; i < row->group_count; i++)
        if (row->groups[i].classes & 1U << class)
            return &row->groups[i];
    return NULL;
}

/* Give the net of one kind to its lines, by largest remainder. */
static void give_net(const struct document_sum *lines, const size_t *kinds, size_t count,
                     size_t kind, const struct tax_line *whole, struct arena *arena,
                     int64_t *ret_nets)
{
    size_t members = 0;
    __int128 *numerators = NEW_N(arena, __int128, count);
    size_t *indexes = NEW_N(arena, size_t, count);
    int64_t *nets = NEW_N(arena, int64_t, count);
    for (size_t i = 0; i < count; i++) {
        if (kinds[i] != kind)
            continue;
        numerators[members] = (__int128)lines[i].amount * TAX_WHOLE_PPM;
        indexes[members++] = i;
    }
    split_fractions(whole->net, numerators, TAX_WHOLE_PPM + whole->rate_ppm, members, arena, nets);
    for (size_t i = 0; i < members; i++)
        ret_nets[indexes[i]] = nets[i];
}

enum rc document_line_nets(const struct document_row *row, const struct document_sum *lines,
                           size_t count, struct arena *arena, int64_t *ret_nets, struct err *err)
{
    struct joined j = {0};
    struct tax_line wholes[DOCUMENT_INCOMES_MAX];
    struct tax_document doc;
    size_t *kinds = NEW_N(arena, size_t, count);
    for (size_t i = 0; i < count; i++) {
        ret_nets[i] = lines[i].amount;
        TRY(join(&j, &lines[i], &kinds[i], err));
    }
    if (!row->tax_included)
        return RC_OK;
    for (size_t i = 0; i < j.count; i++) {
        const struct document_tax_group *g = document_group(row, j.sums[i].tax_class);
        if (g == NULL)
            return err_set(err, RC_INTERNAL, "a line of document %.*s has no tax of its class",
                           STRF(row->id));
        wholes[i] = (struct tax_line){.kind = TAX_LINE,
                                      .category = g->group.category,
                                      .rate_ppm = g->group.rate_ppm,
                                      .amount = j.sums[i].amount};
    }
    TRY(tax_inclusive(wholes, j.count, 0, 0, arena, &doc, err));
    for (size_t i = 0; i < j.count; i++)
        give_net(lines, kinds, count, i, &wholes[i], arena, ret_nets);
    return RC_OK;
}

int64_t document_open(const struct document_row *row)
{
    return row->gross - row->prepaid - row->paid - row->credited - row->written_off;
}

/* --- credit notes --- */

/* R(part x credited / whole): nothing of nothing. */
static int64_t credited_part(int64_t part, __int128 credited, int64_t whole)
{
    __int128 numerator = (__int128)part * credited;
    if (whole == 0)
        return 0;
    return (int64_t)(whole > 0 ? round_div(numerator, whole)
                               : round_div(-numerator, -(__int128)whole));
}

static enum rc credit_group(const struct document_tax_group *of,
                            const struct document_tax_group *before, int64_t net,
                            struct document_tax_group *ret, struct err *err)
{
    struct document_tax_group g = *of;
    int64_t credited = 0;
    TRY(amount_add(before->group.net, net, &credited, err));
    g.group.net = net;
    g.group.tax = credited_part(of->group.tax, credited, of->group.net) - before->group.tax;
    g.buyer_tax = credited_part(of->buyer_tax, credited, of->group.net) - before->buyer_tax;
    *ret = g;
    return RC_OK;
}

static enum rc credit_groups(struct document_row *row, const struct document_row *invoice,
                             const struct document_tax_group *before, const struct joined *j,
                             struct arena *arena, struct err *err)
{
    __int128 tax = 0;
    struct document_tax_group *groups =
        NEW_N(arena, struct document_tax_group, invoice->group_count);
    row->group_count = 0;
    for (size_t i = 0; i < invoice->group_count; i++) {
        struct document_tax_group *g = &groups[row->group_count];
        int64_t net = 0;
        bool any = false;
        for (size_t k = 0; k < j->count; k++) {
            if (!(invoice->groups[i].classes & 1U << j->sums[k].tax_class))
                continue;
            any = true;
            TRY(amount_add(net, j->sums[k].amount, &net, err));
        }
        if (!any)
            continue;
        TRY(credit_group(&invoice->groups[i], &before[i], net, g, err));
        tax += g->group.tax;
        row->group_count++;
    }
    row->groups = groups;
    return amount_narrow(tax, &row->tax, err);
}

enum rc document_row_credit_total(struct document_row *row, const struct document_row *invoice,
                                  const struct document_tax_group *before,
                                  const struct document_sum *sums, size_t count,
                                  struct arena *arena, struct err *err)
{
    struct joined j = {0};
    struct tax_line nets[DOCUMENT_INCOMES_MAX];
    size_t ignored = 0;
    __int128 net = 0;
    for (size_t i = 0; i < count; i++)
        TRY(join(&j, &sums[i], &ignored, err));
    for (size_t i = 0; i < j.count; i++) {
        nets[i].net = j.sums[i].amount;
        net += j.sums[i].amount;
    }
    struct document_row made = *row;
    TRY(credit_groups(&made, invoice, before, &j, arena, err));
    TRY(fill_incomes(&made, &j, nets, arena, err));
    TRY(amount_narrow(net, &made.net, err));
    TRY(amount_add(made.net, made.tax, &made.gross, err));
    made.tax_included = invoice->tax_included;
    made.tax_recoverable = invoice->tax_recoverable;
    *row = made;
    return RC_OK;
}

/* --- the check --- */

static enum rc broken(const struct document_row *row, const char *rule, __int128 is,
                      __int128 wanted, struct err *err)
{
    return err_set(err, RC_INVALID, "document %.*s breaks %s: %lld, wanted was %lld", STRF(row->id),
                   rule, (long long)is, (long long)wanted);
}

static bool credits_another(const struct document_row *row)
{
    return row->refers_to != 0 &&
           (row->code == DOCUMENT_CREDIT_NOTE || row->code == DOCUMENT_SELF_BILLED_CREDIT);
}

/* BR-CO-17, without the tolerance of one unit that its validators have. A credit note of a part
 * bears what its invoice's tax is more with that part than without, which may be the next unit
 * (and one more where prices held the tax). */
static enum rc check_group(const struct document_row *row, const struct tax_group *g,
                           struct err *err)
{
    __int128 wanted = round_div((__int128)g->net * g->rate_ppm, TAX_WHOLE_PPM);
    __int128 off = g->tax > wanted ? g->tax - wanted : wanted - g->tax;
    if (credits_another(row)) {
        if (off > (row->tax_included ? 2 : 1))
            return broken(row, "BR-CO-17", g->tax, wanted, err);
        return RC_OK;
    }
    if (!row->tax_included)
        return off == 0 ? RC_OK : broken(row, "BR-CO-17", g->tax, wanted, err);
    wanted = round_div(((__int128)g->net + g->tax) * TAX_WHOLE_PPM, TAX_WHOLE_PPM + g->rate_ppm);
    return g->net == wanted ? RC_OK : broken(row, "BR-CO-17 inclusive", g->net, wanted, err);
}

/* BR-53: where the seller accounts for the tax in another currency, it stands in that one, too. A
 * credit note of a part takes back a part of what its invoice said: a unit a group aside. */
static enum rc check_exchange(const struct document_row *row, struct err *err)
{
    int64_t wanted = 0;
    __int128 sum = 0;
    const struct document_exchange *e = &row->exchange;
    if (e->rate.to == NULL)
        return RC_OK;
    for (size_t i = 0; i < row->group_count; i++)
        sum += e->parts[i];
    if (sum != e->tax)
        return broken(row, "BR-53 by groups", sum, e->tax, err);
    TRY(exchange_convert(&e->rate, row->tax, EXCHANGE_NEUTRAL, &wanted, err));
    __int128 off = e->tax > wanted ? (__int128)e->tax - wanted : (__int128)wanted - e->tax;
    __int128 most = credits_another(row) ? (__int128)row->group_count : 0;
    return off <= most ? RC_OK : broken(row, "BR-53", e->tax, wanted, err);
}

enum rc document_check(const struct document_row *row, struct err *err)
{
    __int128 net = 0;
    __int128 tax = 0;
    __int128 lines = 0;
    for (size_t i = 0; i < row->group_count; i++) {
        TRY(check_group(row, &row->groups[i].group, err));
        net += row->groups[i].group.net;
        tax += row->groups[i].group.tax;
    }
    for (size_t i = 0; i < row->income_count; i++)
        lines += row->incomes[i].net;
    if (row->net != lines)
        return broken(row, "BR-CO-10", row->net, lines, err);
    if (row->net != net)
        return broken(row, "BR-CO-13", row->net, net, err);
    if (row->tax != tax)
        return broken(row, "BR-CO-14", row->tax, tax, err);
    if (row->gross != (__int128)row->net + row->tax)
        return broken(row, "BR-CO-15", row->gross, (__int128)row->net + row->tax, err);
    if (row->prepaid < 0 || row->promo < 0 || row->promo > row->prepaid ||
        (row->prepaid > 0 && row->prepaid > row->gross))
        return broken(row, "BR-CO-16", row->prepaid, row->gross, err);
    return check_exchange(row, err);
}
