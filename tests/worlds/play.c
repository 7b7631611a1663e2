#include "play.h"

#include "play_inside.h"

#include "billing/close.h"
#include "catalog/subscription.h"
#include "meter/usage.h"
#include "money/amount.h"
#include "party/member.h"
#include "settle/statement.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void play_fail(const struct play *p, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "worlds: seed %llu, step %d: ", (unsigned long long)p->w->seed, p->step);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nworlds: again with --seed %llu --steps %d\n", (unsigned long long)p->w->seed,
            p->step);
    exit(EXIT_FAILURE);
}

/* --- the store --- */

static void open_ledger(struct play *p)
{
    if (ledger_open(&p->l, p->f.store, NULL, &p->f.err) != RC_OK)
        play_fail(p, "ledger_open: %s", p->f.err.text);
}

void play_open(struct play *p, struct world *w, struct model *m)
{
    *p = (struct play){.w = w, .m = m};
    clock_sim_init(&p->clock, w->now, w->seed);
    fixture_init(&p->f);
    fixture_open_with(&p->f, (struct store_options){.clock = &p->clock.clock});
    open_ledger(p);
}

void play_close(struct play *p)
{
    store_close(p->f.store);
    p->f.store = NULL;
    ledger_close(p->l);
    fixture_close(&p->f);
}

void play_restart(struct play *p)
{
    store_close(p->f.store);
    ledger_close(p->l);
    fixture_open_with(&p->f, (struct store_options){.clock = &p->clock.clock});
    open_ledger(p);
}

struct undone {
    tx_fn fn;
    void *arg;
};

/* All of it is done, and then the power fails. */
static enum rc undo(struct tx *tx, void *arg)
{
    struct undone *u = arg;
    enum rc rc = u->fn(tx, u->arg);
    return rc == RC_OK ? err_set(tx->err, RC_UNAVAILABLE, "the power failed") : rc;
}

static enum rc write_once(struct play *p, tx_fn fn, void *arg)
{
    arena_reset(&p->f.arena);
    return fixture_write(&p->f, fn, arg);
}

void play_write(struct play *p, tx_fn fn, void *arg)
{
    p->clock.at = p->w->now;
    if (p->w->crashes && world_percent(p->w, 5)) {
        struct undone u = {fn, arg};
        if (write_once(p, undo, &u) != RC_UNAVAILABLE)
            play_fail(p, "before the power failed: %s", p->f.err.text);
    }
    enum rc rc = write_once(p, fn, arg);
    if (rc != RC_OK)
        play_fail(p, "Hanse refuses: %s (%s)", p->f.err.text, p->f.err.pointer);
}

int play_party(const struct play *p, struct str id)
{
    for (size_t i = 0; i < p->w->party_count; i++)
        if (str_eq(id, str_c(p->w->parties[i].id)))
            return (int)i;
    return EVERYTHING;
}

/* --- texts --- */

void play_keep_id(char *ret, struct str id)
{
    ASSERT(id.n < ID_MAX);
    memcpy(ret, id.p, id.n);
    ret[id.n] = '\0';
}

struct str play_number(struct tx *tx, struct w_num n)
{
    int64_t unit = 1;
    const char *sign = n.m < 0 ? "-" : "";
    n.m = n.m < 0 ? -n.m : n.m;
    for (int i = 0; i < n.s; i++)
        unit *= 10;
    if (n.s == 0)
        return arena_fmt(tx->arena, "%s%lld", sign, (long long)n.m);
    return arena_fmt(tx->arena, "%s%lld.%0*lld", sign, (long long)(n.m / unit), n.s,
                     (long long)(n.m % unit));
}

struct str play_amount(struct tx *tx, int64_t amount, int currency)
{
    return play_number(tx, (struct w_num){amount, w_currencies[currency].exponent});
}

/* --- parties --- */

static enum rc make_party(struct tx *tx, struct w_party *p, int number, struct str sponsor)
{
    struct party made;
    const struct w_country *country = &w_countries[p->country];
    struct tax_id id = {.scheme = STR("vat"), .value = str_c(country->tax_id)};
    struct party fresh = {.name = arena_fmt(tx->arena, "Party %d", number),
                          .address = {.country = str_c(country->code)},
                          .currency = str_c(w_currencies[p->currency].code),
                          .time_zone = str_c(w_zones[p->zone]),
                          .language = STR("en"),
                          .taxable = p->taxable};
    if (p->taxable && id.value.n > 0)
        fresh.tax_ids = (struct list){&id, 1};
    if (p->bank)
        fresh.bank.iban = STR("FR1420041010050500013M02606");
    TRY(party_create(tx, &fresh, sponsor, &made));
    play_keep_id(p->id, made.id);
    return RC_OK;
}

static enum rc make_user(struct play *p, struct tx *tx, int i)
{
    struct user made;
    struct user fresh = {.email = arena_fmt(tx->arena, "user%d@example.net", i),
                         .name = STR("User")};
    TRY(user_create(tx, &fresh, STR("$argon2id$v=19$m=65536,t=3,p=1$none$none"), &made));
    play_keep_id(p->user[i], made.id);
    return RC_OK;
}

static enum rc make_parties(struct tx *tx, void *arg)
{
    struct play *p = arg;
    TRY(permission_seed(tx));
    for (size_t i = 0; i < p->w->party_count; i++)
        TRY(make_party(tx, &p->w->parties[i], (int)i, str_c(i > 0 ? p->w->parties[0].id : "")));
    for (int i = 0; i < 2; i++)
        TRY(make_user(p, tx, i));
    return RC_OK;
}

/* --- the catalogue --- */

static enum rc make_meter(struct tx *tx, struct w_meter *m, int i, struct str owner)
{
    struct meter made;
    struct meter fresh = {.code = arena_fmt(tx->arena, "meter-%d", i),
                          .kind = (int64_t)m->kind,
                          .unit = STR("C62"),
                          .scale = m->scale};
    TRY(meter_create(tx, owner, &fresh, &made));
    m->number = made.number;
    return RC_OK;
}

static enum rc make_item(struct tx *tx, const struct world *w, const struct w_item *i)
{
    struct item made;
    struct item fresh = {.code = str_c(i->code),
                         .name = str_c(i->code),
                         .category = str_c(w_categories[i->category]),
                         .unit = STR("MON"),
                         .tax_class = (int64_t)i->class,
                         .income = str_c(w_labels[i->label])};
    if (i->author != EVERYTHING)
        fresh.author = str_c(w->parties[i->author].id);
    return item_create(tx, str_c(w->parties[0].id), &fresh, &made);
}

static struct list tiers_of(struct tx *tx, const struct w_charge *c)
{
    struct charge_tier *tiers = NEW_N(tx->arena, struct charge_tier, TIERS_MAX);
    for (int i = 0; i < c->tier_count; i++) {
        const struct w_tier *t = &c->tiers[i];
        tiers[i] = (struct charge_tier){0};
        if (i + 1 < c->tier_count)
            tiers[i].up_to = play_number(tx, t->up_to);
        if (t->price.m > 0)
            tiers[i].price = play_number(tx, t->price);
        if (t->flat.m > 0)
            tiers[i].flat = play_number(tx, t->flat);
    }
    return (struct list){tiers, (size_t)c->tier_count};
}

static bool is_metered(enum w_charge_kind kind)
{
    return kind >= C_PER_UNIT && kind <= C_PERCENT;
}

static struct charge charge_of(struct tx *tx, const struct w_charge *c, int i)
{
    struct charge fresh = {.label = arena_fmt(tx->arena, "Charge %d", i),
                           .kind = (int64_t)c->kind,
                           .instalments = c->instalments,
                           .advance = c->advance,
                           .tiers = tiers_of(tx, c)};
    if (is_metered(c->kind))
        fresh.meter = arena_fmt(tx->arena, "meter-%d", c->meter);
    if (c->price.m > 0)
        fresh.price = play_number(tx, c->price);
    if (c->included.m > 0)
        fresh.included = play_number(tx, c->included);
    if (c->package.m > 0)
        fresh.package = play_number(tx, c->package);
    if (c->percent.m > 0)
        fresh.percent = play_number(tx, c->percent);
    if (c->minimum.m > 0)
        fresh.minimum = play_number(tx, c->minimum);
    return fresh;
}

static enum rc make_plan(struct tx *tx, const struct world *w, struct w_plan *p, int number)
{
    struct plan made;
    struct charge charges[CHARGES_MAX];
    for (int i = 0; i < p->charge_count; i++)
        charges[i] = charge_of(tx, &p->charges[i], i);
    struct plan fresh = {.item = str_c(w->items[p->item].code),
                         .code = arena_fmt(tx->arena, "plan-%d", number),
                         .name = STR("Plan"),
                         .currency = str_c(w_currencies[p->currency].code),
                         .tax_included = p->tax_included,
                         .member_free = p->free,
                         .charges = {charges, (size_t)p->charge_count}};
    TRY(plan_create(tx, &fresh, &made));
    play_keep_id(p->id, made.id);
    return RC_OK;
}

static enum rc make_catalogue(struct tx *tx, void *arg)
{
    struct play *p = arg;
    struct world *w = p->w;
    for (int i = 0; i < METERS; i++)
        TRY(make_meter(tx, &w->meters[i], i, str_c(w->parties[0].id)));
    for (size_t i = 0; i < w->item_count; i++)
        TRY(make_item(tx, w, &w->items[i]));
    for (size_t i = 0; i < w->plan_count; i++)
        TRY(make_plan(tx, w, &w->plans[i], (int)i));
    return RC_OK;
}

/* --- the channel --- */

enum rc play_entry(struct tx *tx, const struct world *w, const struct w_book *b,
                   const struct w_entry *e)
{
    static const enum entry_op ops[] = {ENTRY_ABS, ENTRY_MUL, ENTRY_ADD};
    struct price_entry made;
    struct price_entry fresh = {
        .op = (int64_t)ops[e->op], .value = play_number(tx, e->value), .valid_from = e->from};
    if (e->item != EVERYTHING)
        fresh.item = str_c(w->items[e->item].code);
    if (e->category != EVERYTHING)
        fresh.category = str_c(w_categories[e->category]);
    return price_entry_add(tx, str_c(b->id), &fresh, &made);
}

static enum rc make_book(struct tx *tx, const struct world *w, struct w_book *b, int number,
                         int currency)
{
    struct price_book made;
    struct price_book fresh = {.name = arena_fmt(tx->arena, "book %d", number),
                               .currency = str_c(w_currencies[currency].code)};
    TRY(price_book_create(tx, str_c(w->parties[b->party].id), &fresh, &made));
    play_keep_id(b->id, made.id);
    for (int i = 0; i < b->count; i++)
        TRY(play_entry(tx, w, b, &b->entries[i]));
    return RC_OK;
}

static enum rc in_force(struct tx *tx, const struct agreement *fresh, char *ret_id)
{
    struct agreement a;
    TRY(agreement_create(tx, fresh, &a));
    TRY(agreement_offer(tx, a.id, &a));
    TRY(agreement_sign(tx, a.id, &a));
    play_keep_id(ret_id, a.id);
    return RC_OK;
}

static enum rc make_edge(struct tx *tx, struct world *w, struct w_edge *e)
{
    static const enum settle_mode modes[] = {SETTLE_CHAIN, SETTLE_COLLECT, SETTLE_DIRECT};
    if (e->book != EVERYTHING)
        TRY(make_book(tx, w, &w->books[e->book], e->book, e->currency));
    struct agreement fresh = {.kind = AGREEMENT_SUPPLY,
                              .from = str_c(w->parties[e->from].id),
                              .to = str_c(w->parties[e->to].id),
                              .terms = {.currency = str_c(w_currencies[e->currency].code),
                                        .settle = (int64_t)modes[e->settle],
                                        .payment_days = e->payment_days}};
    if (e->upstream != EVERYTHING)
        fresh.terms.upstream = str_c(w->edges[e->upstream].id);
    if (e->book != EVERYTHING)
        fresh.terms.book = str_c(w->books[e->book].id);
    return in_force(tx, &fresh, e->id);
}

static enum rc make_channel(struct tx *tx, void *arg)
{
    struct play *p = arg;
    for (size_t i = 0; i < p->w->edge_count; i++)
        TRY(make_edge(tx, p->w, &p->w->edges[i]));
    return RC_OK;
}

enum rc play_sub(struct tx *tx, struct world *w, struct w_sub *s)
{
    struct subscription made;
    struct subscription fresh = {
        .agreement = str_c(w->edges[s->edge].id),
        .plan = str_c(w->plans[s->terms[0].plan].id),
        .quantity = arena_fmt(tx->arena, "%lld", (long long)s->terms[0].quantity),
        .start = s->start,
    };
    if (s->terms[0].producer != EVERYTHING)
        fresh.producer = str_c(w->parties[s->terms[0].producer].id);
    if (s->parent != EVERYTHING)
        fresh.parent = str_c(w->subs[s->parent].id);
    TRY(subscription_create(tx, &fresh, &made));
    play_keep_id(s->id, made.id);
    return RC_OK;
}

static enum rc make_subs(struct tx *tx, void *arg)
{
    struct play *p = arg;
    for (size_t i = 0; i < p->w->sub_count; i++)
        TRY(play_sub(tx, p->w, &p->w->subs[i]));
    return RC_OK;
}

void play_build(struct play *p)
{
    play_write(p, make_parties, p);
    play_write(p, make_catalogue, p);
    play_write(p, make_channel, p);
    play_write(p, make_subs, p);
}

/* --- usage --- */

static enum rc take_usage(struct tx *tx, void *arg)
{
    struct play *p = arg;
    const struct w_use *u = &p->w->uses[p->w->use_count - 1];
    struct usage_report report;
    struct usage_record record = {
        .id = arena_fmt(tx->arena, "use-%zu", p->w->use_count - 1),
        .subscription = str_c(p->w->subs[u->sub].id),
        .meter = p->w->meters[u->meter].number,
        .from = u->from,
        .until = u->until,
        .quantity = {u->quantity, p->w->meters[u->meter].scale},
        .key = (uint64_t)u->key,
    };
    if (u->corrects != EVERYTHING)
        record.supersedes = arena_fmt(tx->arena, "use-%d", u->corrects);
    TRY(usage_take(tx, str_c(p->w->parties[0].id), STR("urn:node"), &record, 1, &report));
    if (report.accepted + report.repeated != 1)
        return err_set(tx->err, RC_CONFLICT, "a usage record was not taken");
    return RC_OK;
}

/* A record that counts, of the same subscription, or EVERYTHING. */
static int record_of(struct world *w, int sub)
{
    for (size_t tries = 0; tries < 20 && w->use_count > 0; tries++) {
        size_t i = world_below(w, w->use_count);
        if (w->uses[i].sub == sub && !w->uses[i].corrected)
            return (int)i;
    }
    return EVERYTHING;
}

void play_usage(struct play *p, int sub)
{
    struct world *w = p->w;
    const struct w_sub *s = &w->subs[sub];
    int64_t until = s->ends < w->now ? s->ends : w->now;
    if (until - s->start < HOUR_US)
        return;
    int old = world_percent(w, 15) ? record_of(w, sub) : EVERYTHING;
    struct w_use *u = WORLD_ADD(w->uses, w->use_count);
    *u = (struct w_use){.sub = sub, .meter = (int)world_below(w, METERS), .corrects = old};
    u->from = world_between(w, s->start, until - HOUR_US);
    u->until = u->from + world_between(w, SECOND_US, HOUR_US);
    u->quantity = world_between(w, 0, u->meter == M_TIME ? 20 : 100000);
    u->key = world_between(w, 1, 5);
    if (old != EVERYTHING) {
        u->meter = w->uses[old].meter;
        w->uses[old].corrected = true;
    }
    if (u->meter == M_SUM && world_percent(w, 5))
        u->quantity = -u->quantity;
    play_write(p, take_usage, p);
    if (world_percent(w, 10)) /* and once more: without effect */
        play_write(p, take_usage, p);
}

/* --- the close --- */

struct closing {
    struct play *p;
    int month;
    struct close close;
    char id[ID_MAX];
};

static enum rc begin_close(struct tx *tx, void *arg)
{
    struct closing *c = arg;
    int64_t month = world_month_of((enum w_zone)c->p->w->parties[0].zone, c->p->w->month[c->month]);
    struct str period = arena_fmt(tx->arena, "%04lld-%02lld", (long long)(1970 + month / 12),
                                  (long long)(month % 12 + 1));
    TRY(close_begin(tx, period, false, false, &c->close));
    play_keep_id(c->id, c->close.id);
    return RC_OK;
}

static enum rc end_close(struct tx *tx, void *arg)
{
    struct closing *c = arg;
    struct page page;
    TRY(close_get(tx, str_c(c->id), &c->close));
    if (c->close.step != CLOSE_DONE)
        return err_set(tx->err, RC_CONFLICT, "the close did not end");
    if (c->close.exceptions == 0)
        return RC_OK;
    TRY(close_exceptions(tx, str_c(c->id), &(struct page_query){.limit = 1}, &page));
    const struct close_exception *e = page.items.items;
    return err_set(tx->err, RC_CONFLICT, "%lld exceptions: %.*s", (long long)c->close.exceptions,
                   STRF(e->text));
}

static bool work(struct play *p)
{
    bool worked = false;
    arena_reset(&p->f.arena);
    err_clear(&p->f.err);
    if (close_work(p->f.store, p->l, &settle_above, &p->f.arena, &worked, &p->f.err) != RC_OK)
        play_fail(p, "the close fails: %s", p->f.err.text);
    return worked;
}

void play_month(struct play *p, int month)
{
    struct closing c = {.p = p, .month = month};
    play_write(p, begin_close, &c);
    while (work(p))
        if (p->w->crashes && world_percent(p->w, 10))
            play_restart(p);
    play_write(p, end_close, &c);
    model_close(p->m, month);
}

/* --- payments --- */

struct paying {
    struct play *p;
    const struct m_doc *doc;
    int64_t amount;
    char id[ID_MAX];
};

static enum rc book_payment(struct tx *tx, void *arg)
{
    struct paying *a = arg;
    struct payment made;
    const struct m_doc *d = a->doc;
    struct payment fresh = {
        .amount = play_amount(tx, a->amount, d->currency),
        .currency = str_c(w_currencies[d->currency].code),
        .reference = arena_fmt(tx->arena, "ref-%llu", (unsigned long long)a->p->references),
        .document = str_c(d->id),
        .value_date = STR("2027-01-15"),
    };
    TRY(payment_book(tx, a->p->l, str_c(a->p->w->parties[d->from].id), &fresh, &made));
    play_keep_id(a->id, made.id);
    return RC_OK;
}

void play_payment(struct play *p, int doc, int64_t amount)
{
    struct paying a = {.p = p, .doc = &p->m->docs[doc], .amount = amount};
    p->references++;
    play_write(p, book_payment, &a);
    if (world_percent(p->w, 10)) /* the bank tells it twice */
        play_write(p, book_payment, &a);
    model_pay(p->m, doc, amount, a.id);
}

static enum rc return_payment(struct tx *tx, void *arg)
{
    struct paying *a = arg;
    struct payment made;
    return payment_return(tx, a->p->l, str_c(a->id), &made);
}

void play_return(struct play *p, int payment)
{
    struct paying a = {.p = p};
    play_keep_id(a.id, str_c(p->m->payments[payment].id));
    play_write(p, return_payment, &a);
    model_return(p->m, payment);
}
