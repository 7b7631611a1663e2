/* What a month's lines cost, at every step of the path. */
#include "model.h"

#include <stdlib.h>
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

/* The rails of a book, the tighter ones of it and what is above. */
static void tighten(const struct w_book *b, int64_t at, struct w_rail *rails)
{
    const struct w_rail *last = NULL;
    for (int i = 0; i < b->rail_count; i++)
        if (b->rails[i].from <= at)
            last = &b->rails[i];
    if (last == NULL)
        return;
    rails->floor = last->floor > rails->floor ? last->floor : rails->floor;
    if (rails->discount < 0 || last->discount < rails->discount)
        rails->discount = last->discount;
}

static wide within(const struct w_rail *rails, wide bought, wide price)
{
    enum { WHOLE = 1000000 };
    wide least = model_round(bought * rails->floor, WHOLE);
    price = price < least ? least : price;
    if (rails->discount < 0)
        return price;
    least = model_round(bought * (WHOLE - rails->discount), WHOLE);
    return price < least ? least : price;
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
static wide down_to(const struct at *a, wide price, bool percent)
{
    struct w_rail rails = {.discount = -1};
    if (price == 0)
        return 0;
    for (int k = 0; k <= a->k; k++) {
        int book = world_book_at(&a->w->edges[a->edges[k]], a->when);
        wide bought = price;
        if (book != EVERYTHING) {
            const struct w_book *b = &a->w->books[book];
            const struct w_entry *e = entry_at(b, a->item_number, a->item->category, a->when);
            if (!percent || (e != NULL && e->op == OP_MUL)) /* an amount is no percentage */
                price = step(e, price);
            tighten(b, a->when, &rails);
        }
        price = within(&rails, bought, price);
    }
    return price;
}

static wide price_of(const struct at *a, struct w_num list)
{
    return down_to(a, at_scale(list, PRICE), false);
}

/* --- what was used --- */

static int64_t seconds(int64_t at)
{
    return at / SECOND_US;
}

static bool is_metered(enum w_charge_kind kind)
{
    return kind >= C_PER_UNIT && kind <= C_PERCENT;
}

static bool is_level(enum w_meter_kind kind)
{
    return kind == M_MAX || kind == M_LAST || kind == M_UNIQUE || kind == M_P95;
}

/* Of one record that is spread over its time, what lies in a window. */
static wide spread(const struct w_meter *meter, const struct w_use *u, int64_t from, int64_t until)
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

/* Other records belong to the last instant of their time. */
static int64_t instant(const struct world *w, const struct w_use *u)
{
    int64_t start = w->subs[u->sub].start;
    return u->until - 1 > start ? u->until - 1 : start;
}

/* All records of a window, or of all time up to its end. */
struct records {
    size_t count;
    const struct w_use **list;
};

static struct records records_of(const struct world *w, int sub, int meter, int64_t from,
                                 int64_t until)
{
    struct records r = {.list = calloc(w->use_count + 1, sizeof(const struct w_use *))};
    if (r.list == NULL)
        abort();
    for (size_t i = 0; i < w->use_count; i++) {
        const struct w_use *u = &w->uses[i];
        int64_t at = instant(w, u);
        if (u->sub == sub && u->meter == meter && !u->corrected && at >= from && at < until)
            r.list[r.count++] = u;
    }
    return r;
}

static int by_time(const void *a, const void *b)
{
    const struct w_use *x = *(const struct w_use *const *)a;
    const struct w_use *y = *(const struct w_use *const *)b;
    if (x->until != y->until)
        return x->until < y->until ? -1 : 1;
    return x->quantity < y->quantity ? -1 : x->quantity > y->quantity;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The highest of each five minutes; of those the highest 5 % are dropped. */
static wide p95(const struct world *w, const struct records *r)
{
    enum { PART = 5, WHOLE = 100 };
    size_t count = 0;
    wide result = 0;
    int64_t slot = 0;
    int64_t *samples = calloc(r->count + 1, sizeof *samples);
    if (samples == NULL)
        abort();
    qsort(r->list, r->count, sizeof(const struct w_use *), by_time);
    for (size_t i = 0; i < r->count; i++) {
        int64_t of = instant(w, r->list[i]) / (300 * SECOND_US);
        if (count == 0 || of != slot)
            samples[count++] = r->list[i]->quantity;
        else if (samples[count - 1] < r->list[i]->quantity)
            samples[count - 1] = r->list[i]->quantity;
        slot = of;
    }
    qsort(samples, count, sizeof *samples, by_size);
    if (count > 0)
        result = samples[count - 1 - count * PART / WHOLE];
    free(samples);
    return result;
}

/* Readings that grow; one that is lower began at 0 again. What lies between two is the later's. */
static wide counted(const struct world *w, const struct records *all, int64_t from)
{
    wide sum = 0;
    int64_t before = -1;
    qsort(all->list, all->count, sizeof(const struct w_use *), by_time);
    for (size_t i = 0; i < all->count; i++) {
        const struct w_use *u = all->list[i];
        if (i + 1 < all->count && all->list[i + 1]->until == u->until)
            continue;
        int64_t step = u->quantity >= before ? u->quantity - before : u->quantity;
        if (before >= 0 && instant(w, u) >= from)
            sum += step;
        before = u->quantity;
    }
    return sum;
}

static wide distinct(const struct records *r)
{
    wide sum = 0;
    for (size_t i = 0; i < r->count; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen = seen || r->list[k]->key == r->list[i]->key;
        sum += !seen;
    }
    return sum;
}

static wide latest(const struct records *r)
{
    qsort(r->list, r->count, sizeof(const struct w_use *), by_time);
    return r->count > 0 ? r->list[r->count - 1]->quantity : 0;
}

static wide highest(const struct records *r)
{
    wide most = 0;
    for (size_t i = 0; i < r->count; i++)
        most = r->list[i]->quantity > most ? r->list[i]->quantity : most;
    return most;
}

static wide spread_sum(const struct world *w, int sub, int meter, int64_t from, int64_t until)
{
    wide sum = 0;
    for (size_t i = 0; i < w->use_count; i++) {
        const struct w_use *u = &w->uses[i];
        if (u->sub == sub && u->meter == meter && !u->corrected)
            sum += spread(&w->meters[meter], u, from, until);
    }
    return sum;
}

static wide pointed(const struct world *w, enum w_meter_kind kind, const struct records *r,
                    int64_t from)
{
    switch (kind) {
    case M_COUNT:
        return (wide)r->count;
    case M_MAX:
        return highest(r);
    case M_LAST:
        return latest(r);
    case M_UNIQUE:
        return distinct(r);
    case M_P95:
        return p95(w, r);
    case M_COUNTER:
        return counted(w, r, from);
    case M_SUM:
    case M_TIME:
        break;
    }
    return 0;
}

/* The quantity of a window at 10^-9. */
static wide used(const struct world *w, int sub, int meter, int64_t from, int64_t until)
{
    const struct w_meter *of = &w->meters[meter];
    int scale = of->kind == M_COUNT || of->kind == M_UNIQUE ? 0 : of->scale;
    wide sum = 0;
    if (of->kind == M_SUM || of->kind == M_TIME) {
        sum = spread_sum(w, sub, meter, from, until);
    } else {
        struct records r =
            records_of(w, sub, meter, of->kind == M_COUNTER ? INT64_MIN : from, until);
        sum = pointed(w, of->kind, &r, from);
        free(r.list);
    }
    return sum * model_ten(NANO - scale);
}

/* --- charges --- */

/* The part of a period that is priced. */
struct span {
    int64_t begin, end, from, until;
    int64_t month; /* which period of its life */
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

/* Once a period: a part of it bears its share; what is a level is prorated as a whole. */
static wide once(struct w_num flat, const struct at *a, const struct span *s)
{
    wide whole = times(price_of(a, flat), model_ten(NANO));
    return s->level ? whole : prorated(whole, s);
}

static wide graduated(const struct w_charge *c, const struct at *a, const struct span *s, wide q)
{
    wide sum = 0;
    wide from = 0;
    for (int i = 0; i < c->tier_count && q > from; i++) {
        bool last = i + 1 == c->tier_count;
        wide end = last ? q : fitted(c->tiers[i].up_to, s);
        end = end < q ? end : q;
        sum += times(price_of(a, c->tiers[i].price), end - from);
        sum += once(c->tiers[i].flat, a, s);
        from = end;
    }
    return sum;
}

/* All of it at the price of the tier it reaches. */
static wide volume(const struct w_charge *c, const struct at *a, const struct span *s, wide q)
{
    int i = 0;
    while (i + 1 < c->tier_count && q > fitted(c->tiers[i].up_to, s))
        i++;
    if (q == 0)
        return 0;
    return times(price_of(a, c->tiers[i].price), q) + once(c->tiers[i].flat, a, s);
}

/* A metered charge at 10^-9. */
static wide metered(const struct w_charge *c, const struct at *a, const struct span *s, wide used)
{
    wide q = used - fitted(c->included, s);
    wide sum = 0;
    wide package = at_scale(c->package, NANO);
    if (q <= 0 || used <= 0)
        q = 0;
    if (c->kind == C_PER_UNIT)
        sum = times(price_of(a, c->price), q);
    else if (c->kind == C_GRADUATED)
        sum = graduated(c, a, s, q);
    else if (c->kind == C_VOLUME || c->kind == C_STAIR)
        sum = volume(c, a, s, q);
    else if (c->kind == C_PACKAGE)
        sum = times(price_of(a, c->price), (q / package + (q % package > 0)) * model_ten(NANO));
    else if (c->kind == C_PERCENT)
        sum = times(down_to(a, at_scale(c->percent, PRICE) / 100, true), q);
    return s->level ? prorated(sum, s) : sum;
}

/* --- descendants --- */

static bool is_below(const struct world *w, int sub, int above)
{
    for (int p = w->subs[sub].parent; p != EVERYTHING; p = w->subs[p].parent)
        if (p == above)
            return true;
    return false;
}

/* How many there were, times seconds, at 10^-9. */
static wide descendants(const struct world *w, int sub, int64_t from, int64_t until)
{
    wide sum = 0;
    for (size_t i = 0; i < w->sub_count; i++) {
        const struct w_sub *s = &w->subs[i];
        for (int t = 0; t < s->count && is_below(w, (int)i, sub); t++) {
            int64_t a = s->terms[t].from > from ? s->terms[t].from : from;
            int64_t b = t + 1 < s->count ? s->terms[t + 1].from : s->ends;
            b = b < s->ends ? b : s->ends;
            b = b < until ? b : until;
            if (a < b)
                sum += (wide)(b - a) * s->terms[t].quantity;
        }
    }
    return sum * model_ten(NANO - 6);
}

/* Tiers count those that were there all the time; prices are for the whole period. */
static wide family(const struct w_charge *c, const struct at *a, const struct span *s, wide q)
{
    wide sum = 0;
    wide from = 0;
    for (int i = 0; i < c->tier_count && q > from; i++) {
        bool last = i + 1 == c->tier_count;
        wide end = q;
        if (!last)
            end = part(at_scale(c->tiers[i].up_to, NANO), s->until - s->from, SECOND_US);
        end = end < q ? end : q;
        sum += model_round(price_of(a, c->tiers[i].price) * (end - from),
                           (wide)(s->end - s->begin) * SECOND_US);
        sum += once(c->tiers[i].flat, a, s);
        from = end;
    }
    return sum;
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
                         .close = m->closed,
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
                         .units = (int64_t)(r->term->quantity * model_ten(NANO)),
                         .free = r->plan->free};
    memcpy(l->edges, r->edges, sizeof l->edges);
    return l;
}

/* The same edges with the same rows of terms are one path. */
static int path_number(struct model *m, const struct m_line *l)
{
    struct m_path path = {.depth = l->depth};
    for (int k = 0; k < l->depth; k++) {
        const struct w_edge *e = &m->w->edges[l->edges[k]];
        path.edges[k] = l->edges[k];
        while (path.terms[k] + 1 < e->book_count && e->books[path.terms[k] + 1].from <= l->from)
            path.terms[k]++;
    }
    for (size_t i = 0; i < m->path_count; i++)
        if (memcmp(&m->paths[i], &path, sizeof path) == 0)
            return (int)i;
    *WORLD_ADD(m->paths, m->path_count) = path;
    return (int)m->path_count - 1;
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
    else
        l->path = path_number(r->m, l);
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

static int64_t sooner(int64_t at, int64_t after, int64_t next)
{
    return at > after && at < next ? at : next;
}

static int64_t next_change(const struct rating *r, int64_t after, int64_t until)
{
    int64_t next = until;
    for (int k = 0; k < r->depth; k++) {
        const struct w_edge *e = &r->w->edges[r->edges[k]];
        int book = world_book_at(e, after);
        const struct w_book *b = book != EVERYTHING ? &r->w->books[book] : NULL;
        for (int i = 1; i < e->book_count; i++)
            next = sooner(e->books[i].from, after, next);
        for (int i = 0; b != NULL && i < b->count; i++)
            next = sooner(b->entries[i].from, after, next);
        for (int i = 0; b != NULL && i < b->rail_count; i++)
            next = sooner(b->rails[i].from, after, next);
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

/* By how much the metered charges fall short of the minimum of this part, at one edge. */
static int64_t shortfall(const struct rating *r, int charge, int k, const wide used[METERS])
{
    wide sum = 0;
    struct at a = at_edge(r, k, r->window.from);
    for (int c = 0; c < r->plan->charge_count; c++) {
        const struct w_charge *of = &r->plan->charges[c];
        struct span s = r->window;
        s.level = is_level(r->w->meters[of->meter].kind);
        if (is_metered(of->kind))
            sum += metered(of, &a, &s, used[of->meter]);
    }
    wide least = prorated(times(price_of(&a, r->plan->charges[charge].minimum), model_ten(NANO)),
                          &r->window);
    return model_minor(least > sum ? least - sum : 0, r->plan->currency);
}

static void minimum(struct rating *r, int charge, const wide now[METERS], const wide *before)
{
    struct m_line *l = new_line(r, charge, &r->window);
    for (int k = -1; k < r->depth; k++)
        *amount_at(l, k) =
            shortfall(r, charge, k, now) - (before != NULL ? shortfall(r, charge, k, before) : 0);
    l->late = before != NULL;
    keep_line(r, l);
}

/* Once, in so many periods, or for the family. */
static void counted_charge(struct rating *r, int charge)
{
    const struct w_charge *c = &r->plan->charges[charge];
    const struct span *s = &r->window;
    bool begins = s->from == s->begin || s->from == r->w->subs[r->sub].start;
    if (c->kind != C_DESCENDANTS && !begins)
        return;
    if (c->kind == C_ONE_TIME && s->month != 1)
        return;
    struct m_line *l = new_line(r, charge, s);
    wide units = r->term->quantity * model_ten(NANO);
    l->quantity = c->kind == C_DESCENDANTS ? descendants(r->w, r->sub, s->from, s->until) : units;
    for (int k = -1; k < r->depth; k++) {
        struct at a = at_edge(r, k, s->from);
        int64_t due = s->month < c->instalments ? s->month : c->instalments;
        int64_t due_before = s->month - 1 < c->instalments ? s->month - 1 : c->instalments;
        wide whole = times(price_of(&a, c->price), units);
        if (c->kind == C_DESCENDANTS)
            *amount_at(l, k) = model_minor(family(c, &a, s, l->quantity), r->plan->currency);
        else if (c->kind == C_ONE_TIME)
            *amount_at(l, k) = model_minor(whole, r->plan->currency);
        else
            *amount_at(l, k) =
                model_minor(part(whole, due, c->instalments), r->plan->currency) -
                model_minor(part(whole, due_before, c->instalments), r->plan->currency);
    }
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
    const wide *now = m->windows[m->window_count - 1].used;
    for (int c = 0; c < r->plan->charge_count; c++) {
        const struct w_charge *charge = &r->plan->charges[c];
        if (charge->advance)
            continue;
        if (charge->kind == C_FLAT)
            flat(r, c, r->window.from, r->window.until, 1);
        else if (is_metered(charge->kind))
            metered_line(r, c, now[charge->meter], 0, false);
        else if (charge->kind == C_MINIMUM)
            minimum(r, c, now, NULL);
        else
            counted_charge(r, c);
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
        if (is_metered(charge->kind) && now[charge->meter] != w->used[charge->meter])
            metered_line(r, c, now[charge->meter], w->used[charge->meter], true);
        if (charge->kind == C_MINIMUM && memcmp(now, w->used, sizeof now) != 0)
            minimum(r, c, now, w->used);
    }
    memcpy(w->used, now, sizeof now);
}

/* The windows of a subscription, in order: periods of its plan in its seller's zone, cut by its
 * terms. */
struct windows {
    size_t count;
    struct {
        struct span span;
        int term;
    } list[MONTHS_MAX * TERMS_MAX];
};

/* What is sold once: all of it with the window that it begins with. */
static void list_once(const struct w_sub *s, struct windows *ret)
{
    ret->count = 0;
    for (int t = 0; t < s->count; t++) {
        int64_t until = t + 1 < s->count ? s->terms[t + 1].from : s->ends;
        until = s->ends < until ? s->ends : until;
        if (s->terms[t].from >= until)
            continue;
        ret->list[ret->count].span = (struct span){
            .begin = s->start, .end = until, .from = s->terms[t].from, .until = until, .month = 1};
        ret->list[ret->count++].term = t;
    }
}

static void list_windows(const struct world *w, const struct w_sub *s, int64_t until,
                         struct windows *ret)
{
    if (w->plans[s->terms[0].plan].period == PER_ONCE) {
        list_once(s, ret);
        return;
    }
    struct w_calendar calendar = world_calendar(w, s);
    ret->count = 0;
    for (int64_t n = 0; world_period_begin(&calendar, n) <= until; n++)
        for (int t = 0; t < s->count; t++) {
            int64_t ends = t + 1 < s->count ? s->terms[t + 1].from : s->ends;
            struct span p = {.begin = world_period_begin(&calendar, n),
                             .end = world_period_begin(&calendar, n + 1),
                             .month = n + 1};
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
    r->depth = path_of(r->w, r->term->edge, r->edges);
    r->window = windows->list[i].span;
}

/* --- in advance --- */

static struct m_ahead *ahead_of(struct model *m, int sub, int64_t from)
{
    for (size_t i = 0; i < m->ahead_count; i++)
        if (m->aheads[i].sub == sub && m->aheads[i].from == from)
            return &m->aheads[i];
    return NULL;
}

static void flats_ahead(struct rating *r, int64_t from, int64_t until, int sign)
{
    for (int c = 0; c < r->plan->charge_count; c++)
        if (r->plan->charges[c].advance)
            flat(r, c, from, until, sign);
}

static bool has_advance(const struct world *w, const struct w_sub *s)
{
    bool any = false;
    for (int t = 0; t < s->count; t++)
        for (int c = 0; c < w->plans[s->terms[t].plan].charge_count; c++)
            any = any || w->plans[s->terms[t].plan].charges[c].advance;
    return any;
}

/* What was billed before its time and was cut since; then the windows that begin now. */
static void rate_ahead(struct rating *r, const struct windows *windows, int64_t since,
                       int64_t until)
{
    struct model *m = r->m;
    for (size_t i = 0; i < windows->count; i++) {
        set_window(r, windows, i);
        struct m_ahead *a = ahead_of(m, r->sub, r->window.from);
        if (a == NULL || a->until <= since)
            continue;
        if (r->window.until < a->until)
            flats_ahead(r, r->window.until, a->until, -1);
        else
            flats_ahead(r, a->until, r->window.until, 1);
        a->until = r->window.until;
    }
    for (size_t i = 0; i < windows->count; i++) {
        set_window(r, windows, i);
        if (r->window.from > until || ahead_of(m, r->sub, r->window.from) != NULL)
            continue;
        flats_ahead(r, r->window.from, r->window.until, 1);
        struct m_ahead *a = WORLD_ADD(m->aheads, m->ahead_count);
        *a = (struct m_ahead){r->sub, r->window.from, r->window.until};
    }
}

void model_rate(struct model *m, int sub, int64_t since, int64_t until)
{
    struct windows windows;
    struct rating r = {.m = m, .w = m->w, .sub = sub};
    const struct w_sub *s = &m->w->subs[sub];
    list_windows(m->w, s, until, &windows);
    for (size_t i = 0; i < windows.count; i++) {
        set_window(&r, &windows, i);
        bool due = r.plan->period == PER_ONCE ? r.window.from < until : r.window.until <= until;
        if (due && billed(m, sub, r.window.from) == NULL)
            first_time(&r);
    }
    if (has_advance(m->w, s) && s->ends >= since)
        rate_ahead(&r, &windows, since, until);
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
