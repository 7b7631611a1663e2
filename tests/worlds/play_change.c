/* What people change while months pass: prices, subscriptions; and what they take back. */
#include "billing/close.h"
#include "catalog/subscription.h"
#include "play.h"
#include "play_inside.h"
#include "settle/statement.h"

/* --- prices --- */

struct pricing {
    struct play *p;
    const struct w_book *book;
};

static enum rc add_entry(struct tx *tx, void *arg)
{
    struct pricing *a = arg;
    return play_entry(tx, a->p->w, a->book, &a->book->entries[a->book->count - 1]);
}

/* Now, or some days ahead. */
static int64_t soon(struct world *w)
{
    enum { DAYS = 20 };
    return world_percent(w, 50) ? w->now : world_between(w, w->now, w->now + DAYS * DAY_US);
}

void play_price(struct play *p)
{
    struct world *w = p->w;
    if (w->book_count == 0)
        return;
    struct w_book *b = &w->books[world_below(w, w->book_count)];
    if (b->count == ENTRIES_MAX)
        return;
    world_entry(w, b, soon(w));
    play_write(p, add_entry, &(struct pricing){p, b});
}

/* --- subscriptions --- */

static enum rc add_sub(struct tx *tx, void *arg)
{
    struct play *p = arg;
    return play_sub(tx, p->w, &p->w->subs[p->w->sub_count - 1]);
}

void play_subscribe(struct play *p)
{
    struct world *w = p->w;
    if (w->edge_count == 0)
        return;
    world_sub(w, (int)world_below(w, w->edge_count), soon(w));
    play_write(p, add_sub, p);
}

struct changing {
    struct play *p;
    const struct w_sub *sub;
    const struct w_term *term;
    int64_t at;
};

static enum rc change_sub(struct tx *tx, void *arg)
{
    struct changing *c = arg;
    struct subscription s;
    struct subscription patch = {.plan = str_c(c->p->w->plans[c->term->plan].id),
                                 .quantity =
                                     arena_fmt(tx->arena, "%lld", (long long)c->term->quantity)};
    patch.set = (UINT64_C(1) << schema_find(&subscription_schema, STR("plan"))) |
                (UINT64_C(1) << schema_find(&subscription_schema, STR("quantity")));
    return subscription_change(tx, str_c(c->sub->id), 0, c->at, &patch, &s);
}

static int last_term(const struct w_sub *s, int64_t at)
{
    int term = 0;
    while (term + 1 < s->count && s->terms[term + 1].from <= at)
        term++;
    return term;
}

/* Another quantity, sometimes another plan. */
void play_change(struct play *p, int sub)
{
    struct world *w = p->w;
    struct w_sub *s = &w->subs[sub];
    int64_t at = soon(w);
    if (at < s->start || at >= s->ends || s->count == TERMS_MAX)
        return;
    int last = last_term(s, at);
    struct w_term term = s->terms[last];
    term.quantity = world_between(w, 1, 12);
    const struct w_plan *old = &w->plans[term.plan];
    int plan = (int)world_below(w, w->plan_count);
    if (world_percent(w, 40) && w->plans[plan].currency == old->currency &&
        !world_in_parts(&w->plans[plan]) && !world_in_parts(old))
        term.plan = plan;
    s->count = s->terms[last].from == at ? last : last + 1;
    term.from = at;
    s->terms[s->count++] = term;
    play_write(p, change_sub, &(struct changing){p, s, &s->terms[s->count - 1], at});
}

static enum rc end_sub(struct tx *tx, void *arg)
{
    struct changing *c = arg;
    struct subscription s;
    return subscription_end(tx, str_c(c->sub->id), c->at, &s);
}

static bool is_family(const struct world *w, int sub, int head)
{
    for (; sub != EVERYTHING; sub = w->subs[sub].parent)
        if (sub == head)
            return true;
    return false;
}

/* With all that is below it, where nothing of it is paid in parts. */
void play_end(struct play *p, int sub)
{
    struct world *w = p->w;
    int64_t at = soon(w);
    for (size_t i = 0; i < w->sub_count; i++) {
        const struct w_sub *s = &w->subs[i];
        bool parts = false;
        for (int t = 0; t < s->count; t++)
            parts = parts || world_in_parts(&w->plans[s->terms[t].plan]);
        if (is_family(w, (int)i, sub) && (parts || s->start >= at || s->ends <= at))
            return;
    }
    for (size_t i = 0; i < w->sub_count; i++) {
        struct w_sub *s = &w->subs[i];
        if (!is_family(w, (int)i, sub))
            continue;
        s->ends = at;
    }
    play_write(p, end_sub, &(struct changing){p, &w->subs[sub], NULL, at});
}

/* --- credit notes --- */

struct crediting {
    struct play *p;
    const struct m_doc *doc;
    size_t count;
    struct m_taking *lines;
};

static enum rc credit(struct tx *tx, void *arg)
{
    struct crediting *c = arg;
    struct document made;
    struct credit_line *lines = NEW_N(tx->arena, struct credit_line, c->count);
    for (size_t i = 0; i < c->count; i++)
        lines[i] = (struct credit_line){.line = (int64_t)c->lines[i].shown,
                                        .net = play_amount(tx, c->lines[i].net, c->doc->currency)};
    return document_credit(tx, c->p->l, &settle_above, str_c(c->doc->id), lines, c->count,
                           STR("taken back"), &made);
}

/* All that is left, or a part of some lines. Only a client's invoice tells its lines by number. */
void play_credit(struct play *p, int doc)
{
    struct world *w = p->w;
    struct m_doc *d = &p->m->docs[doc];
    struct m_taking *lines = NULL;
    size_t count = model_lines_left(p->m, doc, &lines);
    bool part = d->count > 0 && world_percent(w, 60);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) /* more than the invoice is refused: there all of it */
        part = part && lines[i].net >= 0;
    for (size_t i = 0; i < count && part; i++) {
        if (kept > 0 && world_percent(w, 60))
            continue;
        if (lines[i].net != 0 && world_percent(w, 60))
            lines[i].net = lines[i].net > 0 ? world_between(w, 1, lines[i].net)
                                            : -world_between(w, 1, -lines[i].net);
        lines[kept++] = lines[i];
    }
    if (count > 0) {
        struct crediting c = {p, d, part ? kept : 0, lines};
        play_write(p, credit, &c);
        model_credit(p->m, doc, lines, part ? kept : count);
    }
    free(lines);
}
