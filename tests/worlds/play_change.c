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

/* Rails hold from now on. */
static enum rc change_rail(struct tx *tx, void *arg)
{
    struct pricing *a = arg;
    struct price_book made;
    struct price_book patch = {
        .set = (UINT64_C(1) << schema_find(&price_book_schema, STR("floor_percent"))) |
               (UINT64_C(1) << schema_find(&price_book_schema, STR("max_discount_percent")))};
    play_rail(tx, &a->book->rails[a->book->rail_count - 1], &patch);
    return price_book_change(tx, str_c(a->book->id), 0, &patch, &made);
}

static bool new_rail(struct play *p, struct w_book *b)
{
    if (b->rail_count == RAILS_MAX || !world_percent(p->w, 15))
        return false;
    world_rail(p->w, b, p->w->now);
    play_say(p, "new rails of book %d", (int)(b - p->w->books));
    play_write(p, change_rail, &(struct pricing){p, b});
    return true;
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
    if (b->count == ENTRIES_MAX || new_rail(p, b))
        return;
    world_entry(w, b, soon(w));
    play_say(p, "a new price in book %d", (int)(b - w->books));
    play_write(p, add_entry, &(struct pricing){p, b});
}

/* --- which prices --- */

struct joining {
    const struct world *w;
    const struct w_edge *edge;
    struct w_book *fresh; /* or NULL */
};

static enum rc offer_book(struct tx *tx, void *arg)
{
    const struct joining *j = arg;
    const struct w_edge *e = j->edge;
    int book = e->books[e->book_count - 1].book;
    struct agreement made;
    if (j->fresh != NULL)
        TRY(play_book(tx, j->w, j->fresh));
    struct agreement patch = {
        .set = UINT64_C(1) << schema_find(&agreement_schema, STR("terms")),
        .terms = {.set = (UINT64_C(1) << schema_find(&terms_schema, STR("book"))) |
                         (UINT64_C(1) << schema_find(&terms_schema, STR("valid_from"))),
                  .valid_from = e->books[e->book_count - 1].from,
                  .book = str_c(book != EVERYTHING ? j->w->books[book].id : "")}};
    TRY(agreement_change(tx, str_c(e->id), 0, &patch, &made));
    return agreement_sign(tx, made.id, &made);
}

/* Who bought at the public's price buys at the members', or the other way round. */
void play_join(struct play *p, int edge)
{
    struct world *w = p->w;
    struct w_edge *e = &w->edges[edge];
    size_t books = w->book_count;
    int64_t from = soon(w);
    if (e->book_count == EDGE_BOOKS_MAX || e->books[e->book_count - 1].from >= from)
        return;
    int book = world_some_book(w, e->from, e->currency);
    e->books[e->book_count].from = from;
    e->books[e->book_count++].book = book;
    play_say(p, "edge %d has book %d from %lld", edge, book, (long long)(from / SECOND_US));
    play_write(p, offer_book,
               &(struct joining){w, e, w->book_count > books ? &w->books[book] : NULL});
}

/* --- agreements --- */

static enum rc offer_terms(struct tx *tx, void *arg)
{
    const struct w_agreement *a = arg;
    const struct w_rules *fresh = &a->terms[a->term_count - 1];
    struct agreement made;
    struct agreement patch = {
        .set = UINT64_C(1) << schema_find(&agreement_schema, STR("terms")),
        .terms = {.set = (UINT64_C(1) << schema_find(&terms_schema, STR("rules"))) |
                         (UINT64_C(1) << schema_find(&terms_schema, STR("valid_from"))),
                  .valid_from = fresh->from,
                  .rules = play_rules(tx, fresh)}};
    TRY(agreement_change(tx, str_c(a->id), 0, &patch, &made));
    return agreement_sign(tx, made.id, &made);
}

void play_terms(struct play *p)
{
    struct world *w = p->w;
    if (w->agreement_count == 0)
        return;
    struct w_agreement *a = &w->agreements[world_below(w, w->agreement_count)];
    int64_t from = soon(w);
    if (a->term_count == AGREEMENT_TERMS_MAX || a->terms[a->term_count - 1].from >= from)
        return;
    world_terms(w, a, from);
    play_say(p, "agreement %d has new terms from %lld", (int)(a - w->agreements),
             (long long)(from / SECOND_US));
    play_write(p, offer_terms, a);
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
    play_say(p, "subscription %zu begins", w->sub_count - 1);
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
    if (world_percent(w, 70) && w->plans[plan].currency == old->currency &&
        w->plans[plan].period == old->period && !world_in_parts(&w->plans[plan]) &&
        !world_in_parts(old))
        term.plan = plan;
    s->count = s->terms[last].from == at ? last : last + 1;
    term.from = at;
    s->terms[s->count++] = term;
    play_say(p, "subscription %d changes at %lld", sub, (long long)(at / SECOND_US));
    play_write(p, change_sub, &(struct changing){p, s, &s->terms[s->count - 1], at});
}

static enum rc end_sub(struct tx *tx, void *arg)
{
    struct changing *c = arg;
    struct subscription s;
    return subscription_end(tx, str_c(c->sub->id), c->at, &s);
}

/* With all that is below it, where nothing of it is paid by instalments. */
void play_end(struct play *p, int sub)
{
    struct world *w = p->w;
    int64_t at = soon(w);
    for (size_t i = 0; i < w->sub_count; i++) {
        const struct w_sub *s = &w->subs[i];
        bool parts = false;
        for (int t = 0; t < s->count; t++)
            parts = parts || world_has_instalments(&w->plans[s->terms[t].plan]);
        if (world_is_family(w, (int)i, sub) && (parts || s->start >= at || s->ends <= at))
            return;
    }
    for (size_t i = 0; i < w->sub_count; i++) {
        struct w_sub *s = &w->subs[i];
        if (!world_is_family(w, (int)i, sub))
            continue;
        s->ends = at;
    }
    play_say(p, "subscription %d ends at %lld", sub, (long long)(at / SECOND_US));
    play_write(p, end_sub, &(struct changing){p, &w->subs[sub], NULL, at});
    if (world_percent(w, 30)) { /* and goes on at once, or some days later */
        world_sub_again(w, sub, world_percent(w, 50) ? at : at + world_between(w, 1, 20 * DAY_US));
        play_say(p, "subscription %zu is the same again", w->sub_count - 1);
        play_write(p, add_sub, p);
    }
}

/* --- another seller --- */

struct moving {
    struct play *p;
    struct w_edge *edge;
    struct w_book *fresh; /* or NULL */
    const struct w_sub *sub;
};

static enum rc move_sub(struct tx *tx, void *arg)
{
    struct moving *m = arg;
    struct subscription s;
    struct subscription patch = {.set = UINT64_C(1)
                                        << schema_find(&subscription_schema, STR("agreement"))};
    if (m->fresh != NULL)
        TRY(play_book(tx, m->p->w, m->fresh));
    TRY(play_edge(tx, m->p->w, m->edge));
    patch.agreement = str_c(m->edge->id);
    return subscription_change(tx, str_c(m->sub->id), 0, 0, &patch, &s);
}

static bool may_move(const struct world *w, int sub)
{
    bool may = w->subs[sub].parent == EVERYTHING && w->subs[sub].ends > w->now;
    for (size_t i = 0; i < w->sub_count && may; i++) {
        const struct w_sub *s = &w->subs[i];
        if (!world_is_family(w, (int)i, sub) || s->ends <= w->now)
            continue;
        may = s->count < TERMS_MAX && (s->ends == FOREVER || s->ends > s->start);
        for (int t = 0; t < s->count; t++)
            may = may && !world_has_instalments(&w->plans[s->terms[t].plan]);
    }
    return may;
}

/* The client buys from somebody else from now on, or from the same under another agreement. */
void play_move(struct play *p, int sub)
{
    struct world *w = p->w;
    size_t books = w->book_count;
    if (!may_move(w, sub))
        return;
    int edge = world_other_edge(w, w->subs[sub].edge);
    if (edge == EVERYTHING)
        return;
    struct moving m = {.p = p, .edge = &w->edges[edge], .sub = &w->subs[sub]};
    if (w->book_count > books)
        m.fresh = &w->books[books];
    play_say(p, "subscription %d goes to #%d", sub, m.edge->from);
    play_write(p, move_sub, &m);
    world_move(w, sub, edge);
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
    return document_credit(
        tx, c->p->l, &settle_above,
        &(struct credit_request){str_c(c->doc->id), lines, c->count, STR("taken back")}, &made);
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
        play_say(p, "%s of document %d is credited", part ? "a part" : "the rest", doc + 1);
        play_write(p, credit, &c);
        model_credit(p->m, doc, lines, part ? kept : count);
    }
    free(lines);
}
