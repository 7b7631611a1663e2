#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PPM INT64_C(1000000)

struct model *model_new(struct world *w)
{
    enum { ROOM = 1024 };
    struct model *m = calloc(1, sizeof *m);
    if (m == NULL)
        abort();
    m->w = w;
    m->balance_room = ROOM;
    m->balances = calloc(ROOM, sizeof *m->balances);
    if (m->balances == NULL)
        abort();
    return m;
}

void model_free(struct model *m)
{
    if (m == NULL)
        return;
    free(m->balances);
    free(m->paths);
    free(m->stakes);
    free(m->funds);
    free(m->windows);
    free(m->aheads);
    free(m->lines);
    free(m->docs);
    free(m->deferrals);
    free(m->payments);
    free(m->taken);
    free(m->left);
    free(m->shares);
    free(m->earnings);
    free(m->fees);
    free(m->kept);
    free(m->statements);
    free(m->payouts);
    free(m->agreement_order);
    free(m->parts);
    free(m->purses);
    free(m);
}

/* --- arithmetic --- */

wide model_round(wide n, wide d)
{
    wide size = n < 0 ? -n : n;
    wide quotient = size / d;
    if ((size % d) * 2 >= d)
        quotient++;
    return n < 0 ? -quotient : quotient;
}

wide model_ten(int exponent)
{
    wide ten = 1;
    for (int i = 0; i < exponent; i++)
        ten *= 10;
    return ten;
}

int64_t model_minor(wide nano, int currency)
{
    enum { NANO = 9 };
    return (int64_t)model_round(nano, model_ten(NANO - w_currencies[currency].exponent));
}

int64_t model_part(int64_t amount, wide part, wide whole)
{
    if (whole == 0)
        return 0;
    return (int64_t)(whole > 0 ? model_round(amount * part, whole)
                               : model_round(-(amount * part), -whole));
}

/* --- books --- */

const char *model_code(const char *kind, int party)
{
    enum { BUFFERS = 8 };
    static char buffers[BUFFERS][KEY_MAX];
    static int turn;
    char *text = buffers[turn++ % BUFFERS];
    if (party == CLEARING)
        (void)snprintf(text, KEY_MAX, "%s:Clearing", kind);
    else
        (void)snprintf(text, KEY_MAX, "%s:#%d", kind, party);
    return text;
}

const char *model_label(const char *kind, const char *label)
{
    enum { BUFFERS = 8 };
    static char buffers[BUFFERS][KEY_MAX];
    static int turn;
    char *text = buffers[turn++ % BUFFERS];
    (void)snprintf(text, KEY_MAX, "%s:%s", kind, label);
    return text;
}

static struct m_balance *place(struct m_balance *list, size_t room, const char *key)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *p = key; *p != '\0'; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
    size_t i = hash % room;
    while (list[i].key[0] != '\0' && strcmp(list[i].key, key) != 0)
        i = (i + 1) % room;
    return &list[i];
}

static void more_room(struct model *m)
{
    struct m_balance *old = m->balances;
    size_t room = m->balance_room * 2;
    m->balances = calloc(room, sizeof *m->balances);
    if (m->balances == NULL)
        abort();
    for (size_t i = 0; i < m->balance_room; i++)
        if (old[i].key[0] != '\0')
            *place(m->balances, room, old[i].key) = old[i];
    m->balance_room = room;
    free(old);
}

static void add(struct model *m, int book, int currency, const char *code, int64_t amount)
{
    char key[KEY_MAX];
    char name[KEY_MAX];
    (void)snprintf(name, sizeof name, "#%d", book);
    (void)snprintf(key, sizeof key, "%.16s %s %.60s", book == CLEARING ? "Clearing" : name,
                   w_currencies[currency].code, code);
    if (2 * m->balance_count > m->balance_room)
        more_room(m);
    struct m_balance *b = place(m->balances, m->balance_room, key);
    if (b->key[0] == '\0') {
        memcpy(b->key, key, sizeof key);
        m->balance_count++;
    }
    b->amount += amount;
}

/* The neutral book owes somebody for the first time. */
static void note_purse(struct model *m, int currency, const char *code)
{
    static const char owes[] = "AP:#";
    if (strncmp(code, owes, strlen(owes)) != 0)
        return;
    int party = (int)strtol(code + strlen(owes), NULL, 10);
    for (size_t i = 0; i < m->purse_count; i++)
        if (m->purses[i].party == party && m->purses[i].currency == currency)
            return;
    *WORLD_ADD(m->purses, m->purse_count) = (struct m_purse){party, currency};
}

struct m_balance *model_balance(struct model *m, const char *key)
{
    struct m_balance *b = place(m->balances, m->balance_room, key);
    return b->key[0] != '\0' ? b : NULL;
}

void model_post(struct model *m, int book, int currency, const char *debit, const char *credit,
                int64_t amount)
{
    if (amount == 0)
        return;
    if (book == CLEARING) {
        note_purse(m, currency, debit);
        note_purse(m, currency, credit);
    }
    add(m, book, currency, debit, amount);
    add(m, book, currency, credit, -amount);
}

/* --- taxes --- */

/* Which tax a supply bears: Directive 2006/112 art. 44, 58, 196, as specs/billing.md 3.4 has it. */
static struct m_group tax_of(const struct world *w, int seller, int buyer, enum w_class class)
{
    const struct w_party *s = &w->parties[seller];
    const struct w_party *b = &w->parties[buyer];
    const struct w_country *from = &w_countries[s->country];
    const struct w_country *to = &w_countries[b->country];
    struct m_group g = {.category = 'O', .country = b->country};
    if (class == CLASS_EXEMPT)
        g.category = 'E';
    if (class != CLASS_STANDARD || !s->taxable)
        return g;
    if (s->country == b->country) {
        g.category = from->ppm > 0 ? 'S' : 'O';
        g.ppm = from->ppm;
        return g;
    }
    if (!to->eu)
        return g;
    if (b->taxable)
        g.buyer_ppm = to->ppm;
    if (!from->eu)
        return g;
    g.category = b->taxable ? 'R' : 'S';
    g.ppm = b->taxable ? 0 : to->ppm;
    return g;
}

static struct m_group *group_of(struct m_doc *d, struct m_group wanted)
{
    for (size_t i = 0; i < d->group_count; i++)
        if (d->groups[i].category == wanted.category && d->groups[i].ppm == wanted.ppm)
            return &d->groups[i];
    d->groups[d->group_count] = wanted;
    return &d->groups[d->group_count++];
}

/* Exact fractions rounded down, and what is missing of the total given to the largest rests; of
 * equal ones to the first. Of a total below 0 all of it mirrored. */
static void share_out(int64_t total, struct m_sum **list, size_t count, int64_t over, int64_t under)
{
    int sign = total < 0 ? -1 : 1;
    wide left = sign * total;
    wide *rests = calloc(count + 1, sizeof *rests);
    if (rests == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        wide exact = (wide)list[i]->amount * sign * over;
        wide down = exact / under - (exact % under < 0);
        rests[i] = exact - down * under;
        list[i]->net = (int64_t)(sign * down);
        left -= down;
    }
    while (left-- > 0) {
        size_t most = 0;
        for (size_t i = 1; i < count; i++)
            if (rests[i] > rests[most])
                most = i;
        list[most]->net += sign;
        rests[most] = -1;
    }
    free(rests);
}

/* Prices that hold the tax: the net of the group first, then of its kinds. */
static void unfold(struct m_group *g, struct m_sum *sums, size_t count)
{
    struct m_sum *mine[INCOMES_MAX];
    size_t mine_count = 0;
    for (size_t i = 0; i < count; i++)
        if (g->classes & 1U << sums[i].class)
            mine[mine_count++] = &sums[i];
    int64_t gross = g->net;
    g->net = (int64_t)model_round((wide)gross * PPM, PPM + g->ppm);
    g->tax = gross - g->net;
    share_out(g->net, mine, mine_count, PPM, PPM + g->ppm);
}

void model_give_net(const struct m_doc *d, const struct m_sum *kind, struct m_sum *lines,
                    size_t count)
{
    int64_t ppm = 0;
    size_t mine_count = 0;
    struct m_sum **mine = calloc(count + 1, sizeof(struct m_sum *));
    if (mine == NULL)
        abort();
    for (size_t i = 0; i < d->group_count; i++)
        if (d->groups[i].classes & 1U << kind->class)
            ppm = d->groups[i].ppm;
    for (size_t i = 0; i < count; i++)
        if (lines[i].class == kind->class && lines[i].deferred == kind->deferred &&
            strcmp(lines[i].label, kind->label) == 0)
            mine[mine_count++] = &lines[i];
    share_out(kind->net, mine, mine_count, PPM, PPM + ppm);
    free(mine);
}

static void add_income(struct m_doc *d, const struct m_sum *s)
{
    size_t i = 0;
    while (i < d->income_count &&
           (strcmp(d->incomes[i].label, s->label) != 0 || d->incomes[i].deferred != s->deferred))
        i++;
    if (i == d->income_count)
        d->incomes[d->income_count++] =
            (struct m_income){.label = s->label, .deferred = s->deferred};
    d->incomes[i].net += s->net;
    d->incomes[i].wholesale += s->wholesale;
}

void model_total(struct model *m, struct m_doc *d, struct m_sum *sums, size_t count)
{
    int64_t most[GROUPS_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        struct m_group *g = group_of(d, tax_of(m->w, d->from, d->to, sums[i].class));
        size_t at = (size_t)(g - d->groups);
        sums[i].net = sums[i].amount;
        if (g->classes == 0 || sums[i].amount > most[at]) {
            most[at] = sums[i].amount;
            g->expense = sums[i].label;
        }
        g->classes |= 1U << sums[i].class;
        g->net += sums[i].amount;
    }
    for (size_t i = 0; i < d->group_count; i++) {
        struct m_group *g = &d->groups[i];
        if (d->included)
            unfold(g, sums, count);
        else
            g->tax = (int64_t)model_round((wide)g->net * g->ppm, PPM);
        g->buyer_tax = (int64_t)model_round((wide)g->net * g->buyer_ppm, PPM);
        d->net += g->net;
        d->tax += g->tax;
    }
    for (size_t i = 0; i < count; i++)
        add_income(d, &sums[i]);
    d->gross = d->net + d->tax;
    d->recoverable = m->w->parties[d->to].taxable;
}

/* --- documents in the books --- */

const char *model_tax_code(const char *side, const struct m_group *g, int64_t ppm)
{
    char text[KEY_MAX];
    (void)snprintf(text, sizeof text, "%s:%lld", w_countries[g->country].code, (long long)ppm);
    return model_label(side, text);
}

static void post_sale(struct model *m, const struct m_doc *d, int sign)
{
    for (size_t i = 0; i < d->income_count; i++)
        model_post(m, d->from, d->currency, model_code("AR", d->to),
                   d->incomes[i].deferred ? "Deferred" : model_label("Income", d->incomes[i].label),
                   sign * d->incomes[i].net);
    for (size_t i = 0; i < d->group_count; i++)
        model_post(m, d->from, d->currency, model_code("AR", d->to),
                   model_tax_code("VAT-Out", &d->groups[i], d->groups[i].ppm),
                   sign * d->groups[i].tax);
}

static void post_purchase(struct model *m, const struct m_doc *d, int seller, int sign)
{
    const char *ap = model_code("AP", seller);
    for (size_t i = 0; i < d->income_count; i++)
        model_post(m, d->to, d->currency, model_label("Expense", d->incomes[i].label), ap,
                   sign * d->incomes[i].net);
    for (size_t i = 0; i < d->group_count; i++) {
        const struct m_group *g = &d->groups[i];
        model_post(m, d->to, d->currency,
                   d->recoverable ? model_tax_code("VAT-In", g, g->ppm)
                                  : model_label("Expense", g->expense),
                   ap, sign * g->tax);
        model_post(m, d->to, d->currency, model_tax_code("VAT-In", g, g->buyer_ppm),
                   model_tax_code("VAT-Out", g, g->buyer_ppm), sign * g->buyer_tax);
    }
}

void model_add_tiers(const struct model *m, struct m_doc *d, const struct m_line *l,
                     const int64_t *amounts, int sign)
{
    if (d->settle != WAY_COLLECT)
        return;
    d->tier_count = l->depth;
    for (int k = 0; k < l->depth; k++) {
        d->sellers[k] = m->w->edges[l->edges[k]].from;
        d->tiers[k] += sign * amounts[k];
        if (model_advance(m, l))
            d->waits[k] += sign * (amounts[k] - (k > 0 ? amounts[k - 1] : 0));
    }
}

/* The operator earns what the first edge pays, by kind; what is not told by kind is wholesale. */
static void post_operator(struct model *m, const struct m_doc *d, int64_t amount, int sign)
{
    int64_t told = 0;
    for (size_t i = 0; i < d->income_count; i++) {
        int64_t part = d->tier_count == 1 ? d->incomes[i].net : d->incomes[i].wholesale;
        model_post(m, d->sellers[0], d->currency, "AR:Clearing",
                   d->incomes[i].deferred ? "Deferred" : model_label("Income", d->incomes[i].label),
                   sign * part);
        told += part;
    }
    model_post(m, d->sellers[0], d->currency, "AR:Clearing", "Income:Wholesale",
               sign * (amount - told));
}

/* COLLECT, specs/billing.md 3.7: the neutral book owes each tier its part; the last one bears
 * discounts. */
static void post_tiers(struct model *m, const struct m_doc *d, int sign)
{
    int64_t before = 0;
    for (int k = 0; k < d->tier_count; k++) {
        int64_t until = k + 1 == d->tier_count ? d->net : d->tiers[k];
        model_post(m, CLEARING, d->currency, model_code("AR", d->to),
                   model_code("AP", d->sellers[k]), sign * (until - before));
        if (k == 0) {
            post_operator(m, d, until, sign);
        } else {
            model_post(m, d->sellers[k], d->currency, "AR:Clearing", "Income:Margin",
                       sign * (until - before - d->waits[k]));
            model_post(m, d->sellers[k], d->currency, "AR:Clearing", "Deferred",
                       sign * d->waits[k]);
        }
        before = until;
    }
    for (size_t i = 0; i < d->group_count; i++)
        model_post(m, CLEARING, d->currency, model_code("AR", d->to),
                   model_tax_code("VAT-Out", &d->groups[i], d->groups[i].ppm),
                   sign * d->groups[i].tax);
}

void model_post_doc(struct model *m, const struct m_doc *d)
{
    int sign = d->code == CODE_CREDIT || d->code == CODE_SELF_CREDIT ? -1 : 1;
    bool collect = d->settle == WAY_COLLECT;
    if (collect)
        post_tiers(m, d, sign);
    else
        post_sale(m, d, sign);
    post_purchase(m, d, collect ? CLEARING : d->from, sign);
    model_post_prepaid(m, d);
    model_exchange(m, d, collect ? CLEARING : d->from, sign);
}

struct m_doc *model_doc(struct model *m)
{
    struct m_doc *d = WORLD_ADD(m->docs, m->doc_count);
    d->close = d->edge = d->refers = EVERYTHING;
    return d;
}

/* --- the close --- */

struct sums {
    size_t count;
    struct m_sum list[INCOMES_MAX];
};

static void sum_up(struct sums *s, const struct model *m, const struct m_line *l, int64_t amount)
{
    const struct w_item *item = model_item(m, l);
    const struct w_charge *c = &m->w->plans[l->plan].charges[l->charge];
    const char *label = w_labels[item->label];
    size_t i = 0;
    while (i < s->count && (strcmp(s->list[i].label, label) != 0 ||
                            s->list[i].class != item->class || s->list[i].deferred != c->advance))
        i++;
    if (i == s->count)
        s->list[s->count++] =
            (struct m_sum){.label = label, .class = item->class, .deferred = c->advance};
    s->list[i].amount += amount;
    s->list[i].wholesale += l->amounts[0];
}

/* A sum below 0 is a credit note of positive amounts. */
static void finish_doc(struct model *m, struct m_doc *d, int edge, int month, struct sums *s)
{
    int64_t total = 0;
    const struct w_edge *e = &m->w->edges[edge];
    for (size_t i = 0; i < s->count; i++)
        total += s->list[i].amount;
    for (size_t i = 0; i < s->count && total < 0; i++) {
        s->list[i].amount = -s->list[i].amount;
        s->list[i].wholesale = -s->list[i].wholesale;
    }
    d->code = total < 0 ? CODE_CREDIT : CODE_INVOICE;
    d->close = month;
    d->edge = edge;
    d->from = e->from;
    d->to = e->to;
    d->currency = e->currency;
    d->settle = e->settle;
    d->due_day = world_day((enum w_zone)m->w->parties[e->from].zone, m->w->now) + e->payment_days;
    model_total(m, d, s->list, s->count);
    model_prepay(m, d);
}

static int last_edge(const struct m_line *l)
{
    return l->edges[l->depth - 1];
}

/* Of nothing for everybody there is no invoice (specs/billing.md 3.6: it is not sent). */
static bool moves(const struct m_line *l)
{
    bool any = l->list != 0;
    for (int k = 0; k < l->depth; k++)
        any = any || l->amounts[k] != 0;
    return any;
}

/* Lines of one agreement that follow one another are one invoice. */
static void client_docs(struct model *m, size_t first, int month)
{
    for (size_t i = first; i < m->line_count;) {
        struct sums s = {0};
        struct m_coupons coupons;
        struct m_doc *d = model_doc(m);
        int edge = last_edge(&m->lines[i]);
        bool any = false;
        model_coupons(m, edge, &coupons);
        d->first = i;
        d->included = m->w->plans[m->lines[i].plan].tax_included;
        for (; i < m->line_count && last_edge(&m->lines[i]) == edge; i++) {
            struct m_line *l = &m->lines[i];
            int64_t amount = l->amounts[l->depth - 1] - l->discount;
            if (amount > 0 && !l->late)
                l->discount += model_coupon(m, &coupons, m->w->plans[l->plan].item, amount);
            sum_up(&s, m, l, l->amounts[l->depth - 1] - l->discount);
            d->count++;
            any = any || moves(l);
        }
        if (!any) {
            m->doc_count--;
            continue;
        }
        finish_doc(m, d, edge, month, &s);
        model_doc_tiers(m, (int)(d - m->docs));
        model_coupons_used(m, &coupons);
    }
}

static int by_edge_id(const void *a, const void *b, void *arg)
{
    const struct world *w = arg;
    return strcmp(w->edges[*(const int *)a].id, w->edges[*(const int *)b].id);
}

/* Largest remainders of equal size go to the first: between tiers kinds are in this order. */
static int by_kind(const void *a, const void *b)
{
    const struct m_sum *x = a;
    const struct m_sum *y = b;
    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    int order = strcmp(x->label, y->label);
    return order != 0 ? order : (int)x->deferred - (int)y->deferred;
}

/* Each tier above the last is invoiced by the one above it. */
static void upstream_docs(struct model *m, size_t first, int month)
{
    size_t count = m->w->edge_count;
    int *order = calloc(count, sizeof *order);
    if (order == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        order[i] = (int)i;
    qsort_r(order, count, sizeof *order, by_edge_id, m->w);
    for (size_t i = 0; i < count; i++) {
        struct sums s = {0};
        bool included = false;
        for (size_t k = first; k < m->line_count; k++) {
            const struct m_line *l = &m->lines[k];
            int depth = m->w->edges[order[i]].depth;
            bool collect = m->w->edges[last_edge(l)].settle == WAY_COLLECT;
            if (collect || depth >= l->depth || l->edges[depth - 1] != order[i])
                continue;
            sum_up(&s, m, l, l->amounts[depth - 1]);
            included = m->w->plans[l->plan].tax_included;
        }
        bool any = false;
        for (size_t k = 0; k < s.count; k++)
            any = any || s.list[k].amount != 0;
        if (!any)
            continue;
        qsort(s.list, s.count, sizeof *s.list, by_kind);
        struct m_doc *d = model_doc(m);
        d->included = included;
        finish_doc(m, d, order[i], month, &s);
    }
    free(order);
}

/* The order in which a close walks: agreement, client, subscription. */
static int by_walk(const void *a, const void *b, void *arg)
{
    const struct world *w = arg;
    const struct w_sub *x = &w->subs[*(const int *)a];
    const struct w_sub *y = &w->subs[*(const int *)b];
    int order = strcmp(w->edges[x->edge].id, w->edges[y->edge].id);
    return order != 0 ? order : strcmp(x->id, y->id);
}

static int by_sub(const void *a, const void *b, void *arg)
{
    const struct world *w = arg;
    return strcmp(w->subs[*(const int *)a].id, w->subs[*(const int *)b].id);
}

/* When a month begins where a subscription is sold. */
static int64_t begin_of(const struct model *m, const struct w_sub *s, int month)
{
    int64_t of = world_month_of((enum w_zone)m->w->parties[0].zone, m->w->month[month]);
    return world_month_begin((enum w_zone)m->w->parties[m->w->edges[s->first].from].zone, of);
}

static void rate_one(struct model *m, int sub, int month)
{
    const struct w_sub *s = &m->w->subs[sub];
    model_rate(m, sub, month == 0 ? INT64_MIN : begin_of(m, s, month), begin_of(m, s, month + 1));
}

/* The month of each seller's own zone. */
static void rate_all(struct model *m, int month)
{
    size_t count = m->w->sub_count;
    int *order = calloc(count + 1, sizeof *order);
    int64_t since = m->w->month[month];
    int64_t until = m->w->month[month + 1];
    if (order == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        int64_t begin = begin_of(m, &m->w->subs[i], month);
        int64_t end = begin_of(m, &m->w->subs[i], month + 1);
        since = begin < since ? begin : since;
        until = end > until ? end : until;
        order[i] = (int)i;
    }
    since = month == 0 ? INT64_MIN : since;
    qsort_r(order, count, sizeof *order, by_walk, m->w);
    for (size_t i = 0; i < count; i++)
        if (m->w->subs[order[i]].ends >= since && m->w->subs[order[i]].start <= until)
            rate_one(m, order[i], month);
    qsort_r(order, count, sizeof *order, by_sub, m->w);
    for (size_t i = 0; i < count; i++) /* those that ended before: what came late */
        if (m->w->subs[order[i]].ends < since)
            rate_one(m, order[i], month);
    free(order);
}

/* --- deferred income --- */

bool model_advance(const struct model *m, const struct m_line *l)
{
    return m->w->plans[l->plan].charges[l->charge].advance;
}

/* Where a document's edge is on a line's path, from 0; -1: not, or the line is not of its close. */
static int place_on(const struct model *m, const struct m_doc *d, const struct m_line *l)
{
    int k = m->w->edges[d->edge].depth - 1;
    bool there = l->close == d->close && k < l->depth && l->edges[k] == d->edge;
    return there ? k : -1;
}

/* Lines between tiers come path by path. */
static int by_path(const void *a, const void *b, void *arg)
{
    const struct model *m = arg;
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;
    int path_x = m->lines[x].path;
    int path_y = m->lines[y].path;
    if (path_x != path_y)
        return path_x < path_y ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* A client's invoice has lines of its own; one between tiers those that others' invoices have. */
size_t model_doc_lines(struct model *m, int doc, size_t **ret_lines, struct m_sum **ret_nets)
{
    const struct m_doc *d = &m->docs[doc];
    size_t count = 0;
    size_t *list = calloc(m->line_count + 1, sizeof *list);
    struct m_sum *nets = calloc(m->line_count + 1, sizeof *nets);
    int sign = d->code == CODE_CREDIT ? -1 : 1;
    struct m_doc again = {.from = d->from, .to = d->to, .included = d->included};
    struct sums kinds = {0};
    if (list == NULL || nets == NULL)
        abort();
    for (size_t i = 0; i < m->line_count && d->edge != EVERYTHING; i++) {
        int k = place_on(m, d, &m->lines[i]);
        bool mine =
            d->count > 0 ? i >= d->first && i < d->first + d->count : k < m->lines[i].depth - 1;
        if (k >= 0 && mine)
            list[count++] = i;
    }
    if (d->count == 0)
        qsort_r(list, count, sizeof *list, by_path, m);
    for (size_t i = 0; i < count; i++) {
        const struct m_line *l = &m->lines[list[i]];
        int k = place_on(m, d, l);
        int64_t net = sign * (l->amounts[k] - (k == l->depth - 1 ? l->discount : 0));
        nets[i] = (struct m_sum){.label = w_labels[model_item(m, l)->label],
                                 .class = model_item(m, l)->class,
                                 .deferred = model_advance(m, l),
                                 .amount = net,
                                 .net = net};
        sum_up(&kinds, m, l, net);
    }
    if (d->included && count > 0)
        model_total(m, &again, kinds.list, kinds.count);
    for (size_t k = 0; k < kinds.count && d->included; k++)
        model_give_net(&again, &kinds.list[k], nets, count);
    *ret_lines = list;
    *ret_nets = nets;
    return count;
}

static void defer(struct model *m, int doc)
{
    size_t *list = NULL;
    struct m_sum *nets = NULL;
    const struct m_doc *d = &m->docs[doc];
    bool collect = d->settle == WAY_COLLECT;
    struct m_line *tiers = model_net_lines(m, doc);
    size_t count = model_doc_lines(m, doc, &list, &nets);
    for (size_t i = 0; i < count; i++) {
        const struct m_line *l = &m->lines[list[i]];
        int64_t net = d->code == CODE_CREDIT ? -nets[i].net : nets[i].net;
        for (int k = 0; k < (collect ? l->depth : 1) && nets[i].deferred; k++) {
            const int64_t *amounts = tiers[list[i] - d->first].amounts;
            struct m_deferral *f = WORLD_ADD(m->deferrals, m->deferral_count);
            *f = (struct m_deferral){.doc = doc,
                                     .line = list[i],
                                     .tier = k,
                                     .party = collect ? m->w->edges[l->edges[k]].from : d->from,
                                     .currency = d->currency,
                                     .label = k > 0 ? "Margin" : nets[i].label,
                                     .amount = net,
                                     .begins = l->from,
                                     .ends = l->until,
                                     .reached = l->from};
            if (collect && k + 1 < l->depth)
                f->amount = amounts[k];
            if (k > 0)
                f->amount -= amounts[k - 1];
        }
    }
    free(tiers);
    free(list);
    free(nets);
}

void model_recognise(struct model *m, struct m_deferral *f, int64_t until)
{
    int64_t to = until < f->ends ? until : f->ends;
    f->reached = to > f->reached ? to : f->reached;
    int64_t earned = model_part(f->amount, f->reached - f->begins, f->ends - f->begins);
    model_post(m, f->party, f->currency, "Deferred", model_label("Income", f->label),
               earned - f->recognised);
    f->recognised = earned;
}

static const char *period_text(const struct model *m, int month)
{
    static char text[ID_MAX];
    int64_t of = world_month_of((enum w_zone)m->w->parties[0].zone, m->w->month[month]);
    (void)snprintf(text, sizeof text, "%04d-%02d", (int)(1970 + of / 12), (int)(of % 12 + 1));
    return text;
}

void model_close(struct model *m, int month)
{
    size_t first = m->line_count;
    size_t first_doc = m->doc_count;
    model_break(m);
    rate_all(m, month);
    client_docs(m, first, month);
    upstream_docs(m, first, month);
    for (size_t i = first_doc; i < m->doc_count; i++)
        model_post_doc(m, &m->docs[i]);
    for (size_t i = first_doc; i < m->doc_count; i++) {
        defer(m, (int)i);
        model_share_doc(m, (int)i);
    }
    for (size_t i = 0; i < m->deferral_count; i++)
        model_recognise(m, &m->deferrals[i], m->w->month[month + 1]);
    model_close_fees(m, month);
    model_close_floors(m, month);
    model_close_moved(m, month);
    model_statements(m, EVERYTHING, m->w->now, period_text(m, month));
    m->closed = month + 1;
}

/* --- payments --- */

static void pay(struct model *m, int doc, int64_t amount)
{
    struct m_doc *d = &m->docs[doc];
    int creditor = d->settle == WAY_COLLECT ? CLEARING : d->from;
    if (model_collected(m, d) && creditor != CLEARING) {
        model_post(m, CLEARING, d->currency, "Bank", model_code("AP", d->from), amount);
        model_post(m, d->from, d->currency, "AR:Clearing", model_code("AR", d->to), amount);
    } else {
        model_post(m, creditor, d->currency, "Bank", model_code("AR", d->to), amount);
    }
    model_post(m, d->to, d->currency, model_code("AP", creditor), "Bank", amount);
    d->paid += amount;
    model_follow(m, doc);
}

int64_t model_open(const struct m_doc *d)
{
    return d->gross - d->prepaid - d->credited - d->paid - d->written_off;
}

void model_pay(struct model *m, int doc, int64_t amount, const char *id)
{
    struct m_payment *p = WORLD_ADD(m->payments, m->payment_count);
    struct m_doc *d = &m->docs[doc];
    int64_t open = model_open(d);
    *p = (struct m_payment){.doc = doc, .amount = amount};
    int64_t most = open == 0 ? d->written_off : open > 0 ? open : 0;
    p->matched = amount < most ? amount : most;
    if (open == 0 && p->matched > 0)
        model_recover(m, doc, p->matched);
    (void)snprintf(p->id, sizeof p->id, "%s", id);
    pay(m, doc, p->matched);
    p->book = model_collected(m, d) ? CLEARING : d->from;
    model_post(m, p->book, d->currency, "Bank", "Suspense", amount - p->matched);
}

void model_return(struct model *m, int payment)
{
    struct m_payment *p = &m->payments[payment];
    struct m_doc *d = &m->docs[p->doc];
    p->returned = true;
    pay(m, p->doc, -p->matched);
    if (d->settle == WAY_CHAIN && p->book == CLEARING)
        model_undo(m, d->from, d->currency, p->matched);
    model_post(m, p->book, d->currency, "Bank", "Suspense", p->matched - p->amount);
}

/* --- credit notes --- */

static bool taken_before(const struct model *m, int doc, size_t line, int64_t *ret)
{
    bool any = false;
    *ret = 0;
    for (size_t i = 0; i < m->taken_count; i++)
        if (m->taken[i].doc == doc && m->taken[i].line == line) {
            *ret += m->taken[i].net;
            any = true;
        }
    return any;
}

size_t model_lines_left(struct model *m, int doc, struct m_taking **ret)
{
    size_t *list = NULL;
    struct m_sum *nets = NULL;
    size_t left = 0;
    size_t count = model_doc_lines(m, doc, &list, &nets);
    *ret = calloc(count + 1, sizeof **ret);
    if (*ret == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        struct m_taking t = {.doc = doc, .line = list[i], .shown = i + 1, .whole = nets[i].net};
        bool again = taken_before(m, doc, list[i], &t.before);
        t.net = t.whole - t.before;
        if (t.net != 0 || (t.whole == 0 && !again))
            (*ret)[left++] = t;
    }
    free(list);
    free(nets);
    return left;
}

/* The tax of what was credited so far, less that of before: all of it when all is credited. */
static void credit_group(const struct model *m, int doc, struct m_group *g)
{
    struct m_group before = {0};
    const struct m_doc *of = &m->docs[doc];
    for (size_t i = 0; i < m->doc_count; i++)
        for (size_t k = 0; k < m->docs[i].group_count; k++)
            if (m->docs[i].refers == doc && m->docs[i].groups[k].classes == g->classes) {
                before.net += m->docs[i].groups[k].net;
                before.tax += m->docs[i].groups[k].tax;
                before.buyer_tax += m->docs[i].groups[k].buyer_tax;
            }
    for (size_t k = 0; k < of->group_count; k++) {
        const struct m_group *whole = &of->groups[k];
        if (whole->classes != g->classes)
            continue;
        wide so_far = (wide)before.net + g->net;
        g->tax = model_part(whole->tax, so_far, whole->net) - before.tax;
        g->buyer_tax = model_part(whole->buyer_tax, so_far, whole->net) - before.buyer_tax;
    }
}

static void credit_total(struct model *m, int doc, struct m_doc *c, const struct m_sum *sums,
                         size_t count)
{
    const struct m_doc *of = &m->docs[doc];
    for (size_t k = 0; k < of->group_count; k++) {
        struct m_group g = of->groups[k];
        bool any = false;
        g.net = 0;
        for (size_t i = 0; i < count; i++)
            if (g.classes & 1U << sums[i].class) {
                g.net += sums[i].net;
                any = true;
            }
        if (!any)
            continue;
        credit_group(m, doc, &g);
        c->groups[c->group_count++] = g;
        c->net += g.net;
        c->tax += g.tax;
    }
    for (size_t i = 0; i < count; i++)
        add_income(c, &sums[i]);
    c->gross = c->net + c->tax;
}

/* What waits as deferred is less, and what was earned of it so far too. */
static void credit_deferred(struct model *m, const struct m_taking *t)
{
    for (size_t i = 0; i < m->deferral_count; i++) {
        struct m_deferral *f = &m->deferrals[i];
        if (f->doc != t->doc || f->line != t->line)
            continue;
        f->amount -= model_deferred_part(m, t, f->tier);
        model_recognise(m, f, f->reached);
    }
}

void model_credit(struct model *m, int doc, const struct m_taking *lines, size_t count)
{
    const struct m_doc *of = &m->docs[doc];
    struct m_sum *sums = calloc(count + 1, sizeof *sums);
    struct m_doc c = {.code = of->code == CODE_SELF_BILLED ? CODE_SELF_CREDIT : CODE_CREDIT,
                      .close = EVERYTHING,
                      .edge = EVERYTHING,
                      .from = of->from,
                      .to = of->to,
                      .currency = of->currency,
                      .settle = of->settle,
                      .recoverable = of->recoverable,
                      .refers = doc};
    if (sums == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        const struct m_line *l = &m->lines[lines[i].line];
        const struct m_taking *t = &lines[i];
        int64_t wholesale = 0;
        model_credit_tiers(m, &c, t, &wholesale);
        sums[i] = (struct m_sum){.label = w_labels[model_item(m, l)->label],
                                 .class = model_item(m, l)->class,
                                 .deferred = model_advance(m, l),
                                 .wholesale = wholesale,
                                 .net = t->net};
    }
    credit_total(m, doc, &c, sums, count);
    free(sums);
    *model_doc(m) = c;
    model_post_doc(m, &c);
    m->docs[doc].credited += c.gross;
    for (size_t i = 0; i < count; i++) {
        *WORLD_ADD(m->taken, m->taken_count) = lines[i];
        credit_deferred(m, &lines[i]);
    }
    if (m->docs[doc].count > 0)
        model_credit_shares(m, doc, lines, count);
    model_finance_credited(m, doc, &c);
    model_refund(m, doc);
}
