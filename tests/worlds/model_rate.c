/* What a month's lines cost, at every step of the path. */
#include "model.h"

#include <string.h>

enum { NANO = 9, PRICE = 12 };

/* --- prices down the path --- */

static wide at_scale(struct w_num n, int scale)
{
    return n.m * model_ten(scale - n.s);
}

/* The narrowest target wins, then the latest. */
static const struct w_entry *entry_at(const struct w_book *b, int item, int category, int64_t at)
{
    const struct w_entry *best = NULL;
    int best_rank = -1;
    for (int i = 0; i < b->count; i++) {
        const struct w_entry *e = &b->entries[i];
        bool all = e->item == EVERYTHING && e->category == EVERYTHING;
        int rank = e->item == item ? 2 : e->category == category ? 1 : all ? 0 : -1;
        if (rank < 0 || e->from > at || rank < best_rank)
            continue;
        if (rank == best_rank && e->from < best->from)
            continue;
        best = e;
        best_rank = rank;
    }
    return best;
}

/* What one edge makes of a price, at 10^-12. */
static wide step(const struct w_entry *e, wide price)
{
    if (e == NULL || price == 0)
        return price;
    switch (e->op) {
    case OP_ABS:
        return at_scale(e->value, PRICE);
    case OP_ADD:
        return price + at_scale(e->value, PRICE);
    case OP_MUL:
        return model_round(price * e->value.m, 100 * model_ten(e->value.s));
    }
    return price;
}

/* Which edges lead to the client, the operator's first. */
static int path_of(const struct world *w, int edge, int edges[DEPTH_MAX])
{
    int depth = w->edges[edge].depth;
    for (int k = depth - 1, e = edge; k >= 0; k--, e = w->edges[e].upstream)
        edges[k] = e;
    return depth;
}

/* The list price, or what the buyer of edge k pays. */
struct at {
    const struct world *w;
    const struct w_item *item;
    int item_number;
    const int *edges;
    int k; /* -1: list */
    int64_t when;
};
static wide price_of(const struct at *a, struct w_num list)
{
    wide price = at_scale(list, PRICE);
    if (price == 0)
        return 0;
    for (int k = 0; k <= a->k; k++) {
        int book = a->w->edges[a->edges[k]].book;
        if (book != EVERYTHING)
            price = step(entry_at(&a->w->books[book], a->item_number, a->item->category, a->when),
                         price);
    }
    return price;
}

/* --- what was used --- */

static int64_t seconds(int64_t at)
{
    return at / SECOND_US;
}

static bool is_level(enum w_meter_kind kind)
{
    return kind == M_MAX || kind == M_LAST || kind == M_UNIQUE || kind == M_P95;
}

/* Of one record, what lies in a window. Kinds that are not spread belong to the last instant. */
static wide sum_of(const struct w_meter *meter, const struct w_use *u, int64_t from, int64_t until)
{
    int64_t a = u->from > from ? u->from : from;
    int64_t b = u->until < until ? u->until : until;
    if (a >= b)
        return 0;
    if (meter->kind == M_TIME)
        return (wide)u->quantity * (seconds(b) - seconds(a));
    wide length = u->until - u->from;
    return model_round((wide)u->quantity * (b - u->from), length) -
           model_round((wide)u->quantity * (a - u->from), length);
}

/* The quantity of a window at 10^-9. */
static wide used(const struct world *w, int sub, int meter, int64_t from, int64_t until)
{
    const struct w_meter *of = &w->meters[meter];
    wide sum = 0;
    for (size_t i = 0; i < w->use_count; i++) {
        const struct w_use *u = &w->uses[i];
        if (u->sub != sub || u->meter != meter || u->corrected)
            continue;
        sum += sum_of(of, u, from, until);
    }
    return sum * model_ten(NANO - of->scale);
}

/* --- charges --- */

/* The part of a period that is priced. */
struct span {
    int64_t begin, end, from, until;
    int64_t month;
    bool level;
};

static wide part(wide whole, wide piece, wide of)
{
    return model_round(whole * piece, of);
}

/* Of what is for the whole period, this part's: the difference of two ends. */
static wide prorated(wide whole, const struct span *s)
{
    return part(whole, s->until - s->begin, s->end - s->begin) -
           part(whole, s->from - s->begin, s->end - s->begin);
}

static wide times(wide price, wide quantity)
{
    return model_round(price * quantity, model_ten(PRICE));
}

/* What is included in a part of a period: all of it where the meter tells a level. */
static wide fitted(struct w_num n, const struct span *s)
{
    wide whole = at_scale(n, NANO);
    bool all = s->level || s->until - s->from == s->end - s->begin;
    return all ? whole : part(whole, s->until - s->from, s->end - s->begin);
}

/* A metered charge at 10^-9. */
static wide metered(const struct w_charge *c, const struct at *a, const struct span *s, wide used)
{
    wide q = used - fitted(c->included, s);
    wide sum = 0;
    if (q <= 0 || used <= 0)
        q = 0;
    if (c->kind == C_PER_UNIT)
        sum = times(price_of(a, c->price), q);
    return s->level ? prorated(sum, s) : sum;
}

/* --- lines --- */

struct rating {
    struct model *m;
    const struct world *w;
    int sub;
    const struct w_term *term;
    const struct w_plan *plan;
    struct span window;
    int depth;
    int edges[DEPTH_MAX];
};

static struct at at_edge(const struct rating *r, int k, int64_t when)
{
    return (struct at){r->w, &r->w->items[r->plan->item], r->plan->item, r->edges, k, when};
}

static struct m_line *new_line(struct rating *r, int charge, const struct span *s)
{
    struct model *m = r->m;
    struct m_line *l = WORLD_ADD(m->lines, m->line_count);
    *l = (struct m_line){.sub = r->sub,
                         .client = r->w->edges[r->edges[r->depth - 1]].to,
                         .producer = r->term->producer,
                         .plan = r->term->plan,
                         .charge = charge,
                         .depth = r->depth,
                         .begin = s->begin,
                         .end = s->end,
                         .from = s->from,
                         .until = s->until,
                         .month = s->month,
                         .units = r->term->quantity,
                         .free = r->plan->free};
    memcpy(l->edges, r->edges, sizeof l->edges);
    return l;
}

/* A line that costs nothing is kept where it tells what was used at which price. */
static void keep_line(struct rating *r, struct m_line *l)
{
    const struct w_charge *c = &r->plan->charges[l->charge];
    bool priced = c->kind == C_FLAT || c->kind == C_PER_UNIT || c->kind == C_ONE_TIME;
    bool nothing = l->list == 0 && (l->late || l->quantity == 0 || !priced || c->price.m == 0);
    for (int k = 0; k < l->depth; k++)
        nothing = nothing && l->amounts[k] == 0;
    l->discount = l->free ? l->amounts[l->depth - 1] : 0;
    if (nothing)
        r->m->line_count--;
}

static int64_t *amount_at(struct m_line *l, int k)
{
    return k < 0 ? &l->list : &l->amounts[k];
}

/* R(f(until)) - R(f(from)), cut where a price on the path changes. */
static void flat_piece(struct rating *r, int charge, const struct span *s, int sign)
{
    const struct w_charge *c = &r->plan->charges[charge];
    struct m_line *l = new_line(r, charge, s);
    wide quantity = r->term->quantity * model_ten(NANO);
    for (int k = -1; k < r->depth; k++) {
        struct at a = at_edge(r, k, s->from);
        wide whole = times(price_of(&a, c->price), quantity);
        int64_t after =
            model_minor(part(whole, s->until - s->begin, s->end - s->begin), r->plan->currency);
        int64_t before =
            model_minor(part(whole, s->from - s->begin, s->end - s->begin), r->plan->currency);
        *amount_at(l, k) = sign * (after - before);
    }
    l->quantity = sign * part(quantity, s->until - s->from, s->end - s->begin);
    l->late = sign < 0;
    keep_line(r, l);
}

static int64_t next_change(const struct rating *r, int64_t after, int64_t until)
{
    int64_t next = until;
    for (int k = 0; k < r->depth; k++) {
        int book = r->w->edges[r->edges[k]].book;
        for (int i = 0; book != EVERYTHING && i < r->w->books[book].count; i++) {
            int64_t from = r->w->books[book].entries[i].from;
            if (from > after && from < next)
                next = from;
        }
    }
    return next;
}

static void flat(struct rating *r, int charge, int64_t from, int64_t until, int sign)
{
    while (from < until) {
        struct span piece = r->window;
        piece.from = from;
        piece.until = next_change(r, from, until);
        flat_piece(r, charge, &piece, sign);
        from = piece.until;
    }
}

/* What is used now, less what was billed of it. */
static void metered_line(struct rating *r, int charge, wide now, wide before, bool late)
{
    const struct w_charge *c = &r->plan->charges[charge];
    struct m_line *l = new_line(r, charge, &r->window);
    struct span s = r->window;
    s.level = is_level(r->w->meters[c->meter].kind);
    for (int k = -1; k < r->depth; k++) {
        struct at a = at_edge(r, k, s.from);
        int64_t amount = model_minor(metered(c, &a, &s, now), r->plan->currency);
        if (late)
            amount -= model_minor(metered(c, &a, &s, before), r->plan->currency);
        *amount_at(l, k) = amount;
    }
    l->quantity = late ? now - before : now;
    l->late = late;
    keep_line(r, l);
}

/* --- windows --- */

static struct m_window *billed(struct model *m, int sub, int64_t from)
{
    for (size_t i = 0; i < m->window_count; i++)
        if (m->windows[i].sub == sub && m->windows[i].from == from)
            return &m->windows[i];
    return NULL;
}

static void first_time(struct rating *r)
{
    struct model *m = r->m;
    struct m_window *w = WORLD_ADD(m->windows, m->window_count);
    *w = (struct m_window){.sub = r->sub, .from = r->window.from, .until = r->window.until};
    for (int i = 0; i < METERS; i++)
        w->used[i] = used(r->w, r->sub, i, r->window.from, r->window.until);
    for (int c = 0; c < r->plan->charge_count; c++) {
        const struct w_charge *charge = &r->plan->charges[c];
        if (charge->kind == C_FLAT && !charge->advance)
            flat(r, c, r->window.from, r->window.until, 1);
        else if (charge->kind == C_PER_UNIT)
            metered_line(r, c, w->used[charge->meter], 0, false);
    }
}

/* What came for a window that was billed. */
static void again(struct rating *r, struct m_window *w)
{
    wide now[METERS];
    for (int i = 0; i < METERS; i++)
        now[i] = used(r->w, r->sub, i, r->window.from, r->window.until);
    for (int c = 0; c < r->plan->charge_count; c++) {
        const struct w_charge *charge = &r->plan->charges[c];
        if (charge->kind == C_PER_UNIT && now[charge->meter] != w->used[charge->meter])
            metered_line(r, c, now[charge->meter], w->used[charge->meter], true);
    }
    memcpy(w->used, now, sizeof now);
}

/* The windows of a subscription, in order: calendar months of its seller, cut by its terms. */
struct windows {
    size_t count;
    struct {
        struct span span;
        int term;
    } list[MONTHS_MAX * TERMS_MAX];
};

static void list_windows(const struct world *w, const struct w_sub *s, int64_t until,
                         struct windows *ret)
{
    enum w_zone zone = (enum w_zone)w->parties[w->edges[s->edge].from].zone;
    int64_t first = world_month_of(zone, s->start);
    ret->count = 0;
    for (int64_t month = first; world_month_begin(zone, month) < until; month++)
        for (int t = 0; t < s->count; t++) {
            int64_t ends = t + 1 < s->count ? s->terms[t + 1].from : s->ends;
            struct span p = {.begin = world_month_begin(zone, month),
                             .end = world_month_begin(zone, month + 1),
                             .month = month - first + 1};
            p.from = s->terms[t].from > p.begin ? s->terms[t].from : p.begin;
            p.until = ends < p.end ? ends : p.end;
            p.until = s->ends < p.until ? s->ends : p.until;
            if (p.from >= p.until)
                continue;
            ret->list[ret->count].span = p;
            ret->list[ret->count++].term = t;
        }
}

static void set_window(struct rating *r, const struct windows *windows, size_t i)
{
    const struct w_sub *s = &r->w->subs[r->sub];
    r->term = &s->terms[windows->list[i].term];
    r->plan = &r->w->plans[r->term->plan];
    r->window = windows->list[i].span;
}

void model_rate(struct model *m, int sub, int64_t since, int64_t until)
{
    struct windows windows;
    struct rating r = {.m = m, .w = m->w, .sub = sub};
    const struct w_sub *s = &m->w->subs[sub];
    r.depth = path_of(m->w, s->edge, r.edges);
    list_windows(m->w, s, until, &windows);
    for (size_t i = 0; i < windows.count; i++) {
        set_window(&r, &windows, i);
        if (r.window.until <= until && billed(m, sub, r.window.from) == NULL)
            first_time(&r);
    }
    for (size_t i = 0; i < windows.count; i++) {
        set_window(&r, &windows, i);
        struct m_window *w = billed(m, sub, r.window.from);
        if (w != NULL && r.window.until <= since)
            again(&r, w);
    }
}

const struct w_item *model_item(const struct model *m, const struct m_line *l)
{
    return &m->w->items[m->w->plans[l->plan].item];
}
