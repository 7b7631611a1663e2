#include "play.h"

#include "play_inside.h"

#include "billing/close.h"
#include "billing/exchange_rate.h"
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
    fprintf(stderr, "\nworlds: again with --seed %llu --steps %d; its store: %s%s\n",
            (unsigned long long)p->w->seed, p->step + 1, p->f.folder, p->f.schema);
    exit(EXIT_FAILURE);
}

void play_say(const struct play *p, const char *format, ...)
{
    va_list args;
    if (!p->trace)
        return;
    fprintf(stderr, "%d at %lld: ", p->step, (long long)(p->w->now / SECOND_US));
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
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

void play_draft(struct tx *tx, const struct w_party *p, int number, struct party *ret)
{
    const struct w_country *country = &w_countries[p->country];
    struct tax_id *id = NEW(tx->arena, struct tax_id);
    *id = (struct tax_id){.scheme = STR("vat"), .value = str_c(country->tax_id)};
    *ret = (struct party){.name = arena_fmt(tx->arena, "Party %d", number),
                          .address = {.country = str_c(country->code)},
                          .currency = str_c(w_currencies[p->currency].code),
                          .time_zone = str_c(w_zones[p->zone]),
                          .language = STR("en"),
                          .taxable = p->taxable};
    if (p->taxable && id->value.n > 0)
        ret->tax_ids = (struct list){id, 1};
    if (p->tax_currency > 0)
        ret->tax_currency = str_c(w_currencies[p->tax_currency - 1].code);
    if (p->bank)
        ret->bank.iban = STR("FR1420041010050500013M02606");
}

static enum rc make_party(struct tx *tx, struct w_party *p, int number, struct str sponsor)
{
    struct party made;
    struct party fresh;
    play_draft(tx, p, number, &fresh);
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

/* What is built is too much for one unit of work: some of it at a time. */
struct building {
    struct play *p;
    size_t from;
    size_t until;
};

static enum rc make_users(struct tx *tx, void *arg)
{
    struct building *b = arg;
    TRY(permission_seed(tx));
    for (int i = 0; i < 2; i++)
        TRY(make_user(b->p, tx, i));
    return RC_OK;
}

static enum rc make_parties(struct tx *tx, void *arg)
{
    struct building *b = arg;
    struct world *w = b->p->w;
    for (size_t i = b->from; i < b->until; i++)
        TRY(make_party(tx, &w->parties[i], (int)i, str_c(i > 0 ? w->parties[0].id : "")));
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
                         .period = (int64_t)p->period,
                         .tax_included = p->tax_included,
                         .member_free = p->free,
                         .charges = {charges, (size_t)p->charge_count}};
    TRY(plan_create(tx, &fresh, &made));
    play_keep_id(p->id, made.id);
    return RC_OK;
}

static enum rc make_catalogue(struct tx *tx, void *arg)
{
    struct building *b = arg;
    struct world *w = b->p->w;
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

/* ppm as a percentage. */
static struct str percent_of(struct tx *tx, int64_t ppm)
{
    return play_number(tx, (struct w_num){ppm, 4});
}

void play_rail(struct tx *tx, const struct w_rail *r, struct price_book *ret)
{
    ret->floor_percent = percent_of(tx, r->floor);
    ret->max_discount_percent = percent_of(tx, r->discount);
}

enum rc play_book(struct tx *tx, const struct world *w, struct w_book *b)
{
    struct price_book made;
    struct price_book fresh = {.name = arena_fmt(tx->arena, "book %d", (int)(b - w->books)),
                               .currency = str_c(w_currencies[b->currency].code)};
    if (b->rail_count > 0)
        play_rail(tx, &b->rails[0], &fresh);
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

enum rc play_edge(struct tx *tx, const struct world *w, struct w_edge *e)
{
    static const enum settle_mode modes[] = {SETTLE_CHAIN, SETTLE_COLLECT, SETTLE_DIRECT};
    struct agreement fresh = {.kind = AGREEMENT_SUPPLY,
                              .from = str_c(w->parties[e->from].id),
                              .to = str_c(w->parties[e->to].id),
                              .terms = {.currency = str_c(w_currencies[e->currency].code),
                                        .settle = (int64_t)modes[e->settle],
                                        .bad_debt = (int64_t)e->bad_debt,
                                        .payment_days = e->payment_days}};
    if (e->upstream != EVERYTHING)
        fresh.terms.upstream = str_c(w->edges[e->upstream].id);
    if (e->books[0].book != EVERYTHING)
        fresh.terms.book = str_c(w->books[e->books[0].book].id);
    return in_force(tx, &fresh, e->id);
}

struct list play_rules(struct tx *tx, const struct w_rules *a)
{
    struct rule *rules = NEW_N(tx->arena, struct rule, RULES_MAX);
    for (int i = 0; i < a->count; i++) {
        const struct w_rule *r = &a->rules[i];
        struct rule_tier *tiers = NEW_N(tx->arena, struct rule_tier, TIERS_MAX);
        rules[i] = (struct rule){.kind = (int64_t)r->kind,
                                 .base = (int64_t)r->base,
                                 .tier = r->tier,
                                 .label = str_c(w_rule_labels[r->label])};
        if (r->value.m > 0)
            rules[i].value = play_number(tx, r->value);
        rules[i].from_month = r->from_month;
        rules[i].to_month = r->to_month;
        if (r->cap.m >= 0)
            rules[i].cap = play_number(tx, r->cap);
        if (r->floor > 0)
            rules[i].floor = play_number(tx, (struct w_num){r->floor, 0});
        for (int k = 0; k < r->tier_count; k++) {
            tiers[k].percent = play_number(tx, r->tiers[k].price);
            if (k + 1 < r->tier_count)
                tiers[k].up_to = play_number(tx, r->tiers[k].up_to);
        }
        rules[i].tiers = (struct list){tiers, (size_t)r->tier_count};
    }
    return (struct list){rules, (size_t)a->count};
}

static enum rc make_agreement(struct tx *tx, struct world *w, struct w_agreement *a)
{
    struct agreement fresh = {.kind = (int64_t)a->kind,
                              .from = str_c(w->parties[a->from].id),
                              .to = str_c(w->parties[a->to].id),
                              .terms = {.currency = str_c(w_currencies[a->currency].code),
                                        .earn = a->on_invoice ? EARN_ON_INVOICE : EARN_ON_CASH,
                                        .scope = {.subtree = a->subtree},
                                        .rules = play_rules(tx, &a->terms[0]),
                                        .min_payout = play_number(tx, a->min_payout),
                                        .maturity_days = a->maturity_days,
                                        .clawback_days = a->clawback_days,
                                        .self_billing = a->self_billing}};
    if (a->scope_party != EVERYTHING)
        fresh.terms.scope.party = str_c(w->parties[a->scope_party].id);
    if (a->scope_item != EVERYTHING)
        fresh.terms.scope.item = str_c(w->items[a->scope_item].code);
    return in_force(tx, &fresh, a->id);
}

static enum rc make_books(struct tx *tx, void *arg)
{
    struct building *b = arg;
    for (size_t i = b->from; i < b->until; i++)
        TRY(play_book(tx, b->p->w, &b->p->w->books[i]));
    return RC_OK;
}

static enum rc make_channel(struct tx *tx, void *arg)
{
    struct building *b = arg;
    for (size_t i = b->from; i < b->until; i++)
        TRY(play_edge(tx, b->p->w, &b->p->w->edges[i]));
    return RC_OK;
}

static enum rc make_agreements(struct tx *tx, void *arg)
{
    struct building *b = arg;
    for (size_t i = b->from; i < b->until; i++)
        TRY(make_agreement(tx, b->p->w, &b->p->w->agreements[i]));
    return RC_OK;
}

enum rc play_sub(struct tx *tx, struct world *w, struct w_sub *s)
{
    struct subscription made;
    struct subscription fresh = {
        .agreement = str_c(w->edges[s->edge].id),
        .plan = str_c(w->plans[s->terms[0].plan].id),
        .quantity = arena_fmt(tx->arena, "%lld", (long long)s->terms[0].quantity),
        .anchored = s->anchored,
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
    struct building *b = arg;
    for (size_t i = b->from; i < b->until; i++)
        TRY(play_sub(tx, b->p->w, &b->p->w->subs[i]));
    return RC_OK;
}

static void build(struct play *p, tx_fn fn, size_t count)
{
    enum { AT_ONCE = 200 };
    for (size_t i = 0; i < count; i += AT_ONCE)
        play_write(p, fn, &(struct building){p, i, min_size(i + AT_ONCE, count)});
}

/* All rates that there are, as of a day: what is older than a month counts as missing. */
static enum rc enter_rates_of(struct tx *tx, const struct play *p, int64_t of)
{
    char day[DAY_TEXT_MAX];
    size_t n = day_format(of, day);
    for (int from = 0; from < CURRENCIES; from++)
        for (int to = from + 1; to < CURRENCIES; to++) {
            struct exchange_rate made;
            struct w_rate r = world_rate(p->w, from, to);
            struct exchange_rate fresh = {
                .from = str_c(w_currencies[from].code),
                .to = str_c(w_currencies[to].code),
                .rate = arena_fmt(tx->arena, "%lld/%lld", (long long)r.to, (long long)r.from),
                .date = str_n(day, n),
                .source = STR("the world")};
            TRY(exchange_rate_create(tx, str_c(p->w->parties[0].id), &fresh, &made));
        }
    return RC_OK;
}

/* Somewhere it is the day before still, elsewhere the next one already. */
static enum rc enter_rates(struct tx *tx, void *arg)
{
    const struct play *p = arg;
    TRY(enter_rates_of(tx, p, p->w->now / DAY_US - 1));
    TRY(enter_rates_of(tx, p, p->w->now / DAY_US));
    return enter_rates_of(tx, p, p->w->now / DAY_US + 1);
}

void play_rates(struct play *p)
{
    play_write(p, enter_rates, p);
}

void play_build(struct play *p)
{
    build(p, make_parties, p->w->party_count);
    build(p, make_users, 1);
    build(p, make_catalogue, 1);
    build(p, make_books, p->w->book_count);
    build(p, make_channel, p->w->edge_count);
    build(p, make_agreements, p->w->agreement_count);
    build(p, make_subs, p->w->sub_count);
    play_rates(p);
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
    play_say(p, "usage %zu of subscription %d: meter %d, %lld", w->use_count - 1, sub, u->meter,
             (long long)u->quantity);
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
    struct str period =
        arena_fmt(tx->arena, "%04d-%02d", (int)(1970 + month / 12), (int)(month % 12 + 1));
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

void play_month(struct play *p, int month)
{
    struct closing c = {.p = p, .month = month};
    play_say(p, "month %d is closed", month);
    play_rates(p);
    play_write(p, begin_close, &c);
    play_work(p);
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
    int collector = model_collected(a->p->m, d) ? 0 : d->from;
    TRY(payment_book(tx, a->p->l, str_c(a->p->w->parties[collector].id), &fresh, &made));
    play_keep_id(a->id, made.id);
    return RC_OK;
}

void play_payment(struct play *p, int doc, int64_t amount)
{
    struct paying a = {.p = p, .doc = &p->m->docs[doc], .amount = amount};
    p->references++;
    play_say(p, "%lld of document %d", (long long)amount, doc + 1);
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
    play_say(p, "payment %d goes back", payment + 1);
    play_write(p, return_payment, &a);
    model_return(p->m, payment);
}
