/* Worlds from seeds: their channels, books, plans and agreements. */
#include "world.h"

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct w_currency w_currencies[CURRENCIES] = {
    {"EUR", 2}, {"JPY", 0}, {"KWD", 3}, {"USD", 2}, {"CNY", 2}};

/* The member states of the Union first. */
const struct w_country w_countries[COUNTRIES] = {{"FR", "FR40303265045", 200000, true},
                                                 {"DE", "DE136695976", 190000, true},
                                                 {"FI", "FI20774740", 255000, true},
                                                 {"HU", "HU12892312", 270000, true},
                                                 {"EE", "EE100931558", 240000, true},
                                                 {"LU", "LU15027442", 170000, true},
                                                 {"CN", "91110000100006268X", 60000, false},
                                                 {"GB", "GB980780684", 200000, false},
                                                 {"US", "", 0, false}};

const char *const w_zones[ZONES] = {"UTC", "Europe/Paris", "Asia/Shanghai", "America/New_York"};
const char *const w_labels[LABELS] = {"VPS", "Storage", "Traffic"};
const char *const w_categories[CATEGORIES] = {"compute", "storage", "network"};
const char *const w_rule_labels[RULE_LABELS] = {"Commission", "Royalty", "Energy"};

/* --- chance --- */

/* splitmix64, Steele, Lea and Flood: "Fast splittable pseudorandom number generators", 2014. */
static uint64_t next(struct world *w)
{
    uint64_t z = w->chance += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t world_below(struct world *w, uint64_t bound)
{
    ASSERT(bound > 0);
    return next(w) % bound;
}

bool world_percent(struct world *w, int percent)
{
    return world_below(w, 100) < (uint64_t)percent;
}

int64_t world_between(struct world *w, int64_t from, int64_t to)
{
    return from + (int64_t)world_below(w, (uint64_t)(to - from + 1));
}

void *world_grow(void *list, size_t *have, size_t size)
{
    size_t count = (*have)++;
    enum { FIRST = 16 };
    bool full = count == 0 || (count >= FIRST && (count & (count - 1)) == 0);
    if (full) {
        list = realloc(list, (count < FIRST ? FIRST : 2 * count) * size);
        if (list == NULL)
            abort();
    }
    memset((char *)list + count * size, 0, size);
    return list;
}

/* --- the calendar: years 1970 to 2099 --- */

static int64_t days_before_year(int64_t year)
{
    return (year - 1970) * 365 + (year - 1969) / 4;
}

static int month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month] + (month == 1 && year % 4 == 0);
}

/* Day number of the first of a month. */
static int64_t first_day(int64_t month)
{
    int64_t year = 1970 + month / 12;
    int64_t day = days_before_year(year);
    for (int m = 0; m < month % 12; m++)
        day += month_days(year, m);
    return day;
}

/* Of a day number: 1970-01-01 was a Thursday. */
static int64_t sunday_before(int64_t day)
{
    return day - (day + 4) % 7;
}

/* Hours that a zone is ahead of UTC at an instant. */
static int64_t hours_ahead(enum w_zone zone, int64_t at)
{
    enum { MARCH = 2, APRIL = 3, OCTOBER = 9, NOVEMBER = 10 };
    int64_t year = 1970;
    while (days_before_year(year + 1) * DAY_US <= at)
        year++;
    int64_t month = (year - 1970) * 12;
    switch (zone) {
    case ZONE_SHANGHAI:
        return 8;
    case ZONE_PARIS: { /* last Sundays of March and October, 01:00 UTC */
        int64_t begin = sunday_before(first_day(month + APRIL) - 1) * DAY_US + HOUR_US;
        int64_t end = sunday_before(first_day(month + NOVEMBER) - 1) * DAY_US + HOUR_US;
        return at >= begin && at < end ? 2 : 1;
    }
    case ZONE_NEW_YORK: { /* second Sunday of March, first of November, 02:00 local */
        int64_t begin = (sunday_before(first_day(month + MARCH) + 6) + 7) * DAY_US + 7 * HOUR_US;
        int64_t end = sunday_before(first_day(month + NOVEMBER) + 6) * DAY_US + 6 * HOUR_US;
        return at >= begin && at < end ? -4 : -5;
    }
    case ZONE_UTC:
    case ZONES:
        break;
    }
    return 0;
}

/* Changes of the clocks are later than midnight here, on both sides of Greenwich. */
static int64_t day_begin(enum w_zone zone, int64_t day)
{
    int64_t same = day * DAY_US;
    return same - hours_ahead(zone, same) * HOUR_US;
}

int64_t world_month_begin(enum w_zone zone, int64_t month)
{
    return day_begin(zone, first_day(month));
}

int64_t world_day(enum w_zone zone, int64_t at)
{
    return (at + hours_ahead(zone, at) * HOUR_US) / DAY_US;
}

int64_t world_month_of(enum w_zone zone, int64_t at)
{
    int64_t month = at / (31 * DAY_US);
    while (world_month_begin(zone, month + 1) <= at)
        month++;
    return month;
}

struct w_calendar world_calendar(const struct world *w, const struct w_sub *s)
{
    static const int months[PERIODS] = {1, 3, 12, 1};
    enum w_zone zone = (enum w_zone)w->parties[w->edges[s->first].from].zone;
    struct w_calendar c = {.zone = zone,
                           .months = months[w->plans[s->terms[0].plan].period],
                           .first = world_month_of(zone, s->start),
                           .day = 1};
    if (s->anchored)
        c.day = (int)(world_day(zone, s->start) - first_day(c.first)) + 1;
    else
        c.first -= c.first % c.months;
    return c;
}

int64_t world_period_begin(const struct w_calendar *c, int64_t number)
{
    int64_t month = c->first + number * c->months;
    int days = month_days(1970 + month / 12, (int)(month % 12));
    return day_begin(c->zone, first_day(month) + (c->day < days ? c->day : days) - 1);
}

/* --- parties and paths --- */

static int add_party(struct world *w, int currency, int country, bool taxable)
{
    struct w_party *p = WORLD_ADD(w->parties, w->party_count);
    static const enum w_zone zones[COUNTRIES] = {ZONE_PARIS,    ZONE_PARIS, ZONE_UTC,
                                                 ZONE_PARIS,    ZONE_UTC,   ZONE_PARIS,
                                                 ZONE_SHANGHAI, ZONE_UTC,   ZONE_NEW_YORK};
    p->country = country;
    p->taxable = taxable;
    p->currency = currency;
    p->zone = world_percent(w, 50) ? (int)zones[country] : (int)world_below(w, ZONES);
    p->bank = world_percent(w, 90);
    p->sponsor = w->party_count > 1 ? 0 : EVERYTHING;
    return (int)w->party_count - 1;
}

/* In a share of the worlds some items are outside the scope of taxes. There nobody outside the
 * Union sells into it: such an invoice would need two kinds of 'O', and EN 16931 has room for one.
 */
enum { SCOPES = 3 };

/* A buyer for a seller in this country: nobody outside the Union sells to its consumers. */
static int add_buyer(struct world *w, int currency, int seller, bool sells)
{
    bool taxable = sells ? world_percent(w, 90) : world_percent(w, 40);
    bool union_seller = w_countries[w->parties[seller].country].eu;
    int country = (int)world_below(w, COUNTRIES);
    if (world_percent(w, 50))
        country = w->parties[seller].country;
    if (!union_seller && (!taxable || w->seed % SCOPES == 0) && w_countries[country].eu)
        country = w->parties[seller].country;
    return add_party(w, currency, country, taxable);
}

struct w_num world_number(struct world *w, int64_t from, int64_t to, int digits)
{
    int64_t unit = 1;
    int scale = (int)world_below(w, (uint64_t)digits + 1);
    for (int i = 0; i < scale; i++)
        unit *= 10;
    return (struct w_num){world_between(w, from * unit, to * unit), scale};
}

/* For all, for a category, for an item. */
void world_entry(struct world *w, struct w_book *b, int64_t from)
{
    struct w_entry *e = &b->entries[b->count++];
    *e = (struct w_entry){.item = EVERYTHING, .category = EVERYTHING, .from = from};
    int target = (int)world_below(w, 3);
    if (target == 1)
        e->category = (int)world_below(w, CATEGORIES);
    if (target == 2)
        e->item = (int)world_below(w, w->item_count);
    e->op = world_percent(w, 60) ? OP_MUL : world_percent(w, 70) ? OP_ADD : OP_ABS;
    e->value = e->op == OP_MUL   ? world_number(w, 80, 170, 4)
               : e->op == OP_ADD ? world_number(w, 0, 3, 4)
                                 : world_number(w, 1, 60, 4);
}

void world_rail(struct world *w, struct w_book *b, int64_t from)
{
    enum { PERCENT = 10000 };
    b->rails[b->rail_count++] = (struct w_rail){
        .floor = world_between(w, 70 * PERCENT, 115 * PERCENT),
        .discount = world_between(w, 0, 40 * PERCENT),
        .from = from,
    };
}

static int add_book(struct world *w, int party, int currency)
{
    struct w_book *b = WORLD_ADD(w->books, w->book_count);
    b->party = party;
    b->currency = currency;
    if (world_percent(w, 25))
        world_rail(w, b, 0);
    for (int n = (int)world_below(w, 4); n > 0; n--)
        world_entry(w, b, 0);
    return (int)w->book_count - 1;
}

int world_some_book(struct world *w, int seller, int currency)
{
    if (world_percent(w, 25))
        return EVERYTHING;
    for (size_t i = 0; i < w->book_count; i++)
        if (w->books[i].party == seller && w->books[i].currency == currency && world_percent(w, 20))
            return (int)i;
    return add_book(w, seller, currency);
}

int world_book_at(const struct w_edge *e, int64_t at)
{
    int i = e->book_count - 1;
    while (i > 0 && e->books[i].from > at)
        i--;
    return e->books[i].book;
}

static int add_edge(struct world *w, int upstream, int currency, enum w_settle settle, int buyer)
{
    int seller = upstream == EVERYTHING ? 0 : w->edges[upstream].to;
    int book = world_some_book(w, seller, currency);
    struct w_edge *e = WORLD_ADD(w->edges, w->edge_count);
    *e = (struct w_edge){.from = seller,
                         .to = buyer,
                         .upstream = upstream,
                         .book_count = 1,
                         .books = {{book, 0}},
                         .depth = upstream == EVERYTHING ? 1 : w->edges[upstream].depth + 1,
                         .currency = currency,
                         .settle = settle,
                         .payment_days = (int)world_below(w, 60),
                         .bad_debt = (enum w_bad_debt)world_below(w, BEARS_BOTH + 1)};
    return (int)w->edge_count - 1;
}

/* Whether the table of taxes knows what this seller invoices that buyer (add_buyer). */
static bool may_sell(const struct world *w, int seller, int buyer)
{
    const struct w_party *from = &w->parties[seller];
    const struct w_party *to = &w->parties[buyer];
    if (w_countries[from->country].eu || !w_countries[to->country].eu ||
        from->country == to->country)
        return true;
    return to->taxable && w->seed % SCOPES != 0;
}

int world_other_edge(struct world *w, int edge)
{
    enum { TRIES = 20 };
    struct w_edge old = w->edges[edge];
    for (size_t i = 0; i < w->edge_count; i++)
        if (w->edges[i].from == old.to)
            return EVERYTHING;
    for (int tries = 0; tries < TRIES; tries++) {
        struct w_edge like = w->edges[world_below(w, w->edge_count)];
        if (like.currency == old.currency && like.settle == old.settle && like.from != old.to &&
            may_sell(w, like.from, old.to))
            return add_edge(w, like.upstream, like.currency, like.settle, old.to);
    }
    return EVERYTHING;
}

int world_newcomer(struct world *w, int edge, int sponsor)
{
    struct w_edge like = w->edges[edge];
    int buyer = add_buyer(w, like.currency, like.from, false);
    w->parties[buyer].sponsor = sponsor;
    return add_edge(w, like.upstream, like.currency, like.settle, buyer);
}

/* --- the catalogue --- */

static void add_item(struct world *w)
{
    struct w_item *i = WORLD_ADD(w->items, w->item_count);
    (void)snprintf(i->code, sizeof i->code, "item-%zu", w->item_count);
    i->category = (int)world_below(w, CATEGORIES);
    i->label = (int)world_below(w, LABELS);
    i->class = world_percent(w, 80)    ? CLASS_STANDARD
               : world_percent(w, 50)  ? CLASS_EXEMPT
               : w->seed % SCOPES == 0 ? CLASS_OUTSIDE
                                       : CLASS_STANDARD;
    i->author = EVERYTHING;
}

/* Ends ascend; the last has none. */
static void add_tiers(struct world *w, struct w_charge *c)
{
    int64_t end = 0;
    c->tier_count = (int)world_between(w, 1, TIERS_MAX);
    for (int i = 0; i < c->tier_count; i++) {
        struct w_tier *t = &c->tiers[i];
        end += world_between(w, 1, 400);
        t->up_to = (struct w_num){end, 1};
        t->price = world_number(w, 1, 2, 4);
        if (c->kind == C_STAIR)
            t->price.m = 0;
        if (c->kind == C_STAIR || world_percent(w, 30))
            t->flat = world_number(w, 1, 20, 4);
    }
}

static void add_charge(struct world *w, struct w_plan *p, enum w_charge_kind kind)
{
    struct w_charge *c = &p->charges[p->charge_count++];
    *c = (struct w_charge){.kind = kind, .meter = (int)world_below(w, METERS)};
    switch (kind) {
    case C_FLAT:
        c->price = world_number(w, 1, 90, 4);
        c->advance = world_percent(w, 25);
        break;
    case C_INSTALMENT:
        c->instalments = world_between(w, 1, 5);
        c->price = world_number(w, 1, 900, 2);
        break;
    case C_ONE_TIME:
    case C_PER_UNIT:
        c->price = world_number(w, 1, 2, 4);
        break;
    case C_PACKAGE:
        c->price = world_number(w, 1, 20, 4);
        c->package = world_number(w, 1, 30, 2);
        break;
    case C_PERCENT:
        c->percent = world_number(w, 1, 9, 4);
        break;
    case C_MINIMUM:
        c->minimum = world_number(w, 1, 300, 4);
        break;
    case C_GRADUATED:
    case C_VOLUME:
    case C_STAIR:
    case C_DESCENDANTS:
        add_tiers(w, c);
        break;
    }
    if (kind >= C_PER_UNIT && kind <= C_PERCENT && world_percent(w, 40))
        c->included = world_number(w, 1, 40, 2);
}

static void add_plan(struct world *w, int item, int currency, bool included)
{
    struct w_plan *p = WORLD_ADD(w->plans, w->plan_count);
    *p = (struct w_plan){.item = item, .currency = currency, .tax_included = included};
    p->free = world_percent(w, 10);
    p->period = world_percent(w, 65) ? PER_MONTH : world_percent(w, 50) ? PER_QUARTER : PER_YEAR;
    if (world_percent(w, 12))
        p->period = PER_ONCE;
    if (p->period == PER_ONCE) {
        for (int64_t n = world_between(w, 1, 2); n > 0; n--)
            add_charge(w, p, C_ONE_TIME);
        return;
    }
    add_charge(w, p, C_FLAT);
    for (int64_t n = world_between(w, 0, CHARGES_MAX - 1); n > 0; n--)
        add_charge(w, p, (enum w_charge_kind)world_below(w, C_DESCENDANTS + 1));
}

bool world_in_parts(const struct w_plan *p)
{
    bool parts = false;
    for (int i = 0; i < p->charge_count; i++)
        parts = parts || p->charges[i].kind == C_INSTALMENT || p->charges[i].kind == C_ONE_TIME;
    return parts;
}

bool world_has_instalments(const struct w_plan *p)
{
    bool any = false;
    for (int i = 0; i < p->charge_count; i++)
        any = any || p->charges[i].kind == C_INSTALMENT;
    return any;
}

/* --- all of it --- */

static int plan_of(struct world *w, int currency)
{
    int plan = (int)world_below(w, w->plan_count);
    while (w->plans[plan].currency != currency)
        plan = (plan + 1) % (int)w->plan_count;
    return plan;
}

/* One of the same edge that runs then and goes on, or none. */
static int parent_of(struct world *w, int edge, int64_t at)
{
    for (size_t i = 0; i < w->sub_count; i++)
        if (w->subs[i].edge == edge && w->subs[i].ends == FOREVER && w->subs[i].start <= at &&
            world_percent(w, 30))
            return (int)i;
    return EVERYTHING;
}

void world_sub(struct world *w, int edge, int64_t start)
{
    int parent = parent_of(w, edge, start);
    int plan = plan_of(w, w->edges[edge].currency);
    struct w_sub *s = WORLD_ADD(w->subs, w->sub_count);
    *s = (struct w_sub){.edge = edge,
                        .first = edge,
                        .parent = parent,
                        .anchored = world_percent(w, 20),
                        .start = start,
                        .ends = FOREVER};
    s->terms[s->count++] = (struct w_term){.from = start,
                                           .edge = edge,
                                           .plan = plan,
                                           .quantity = world_between(w, 1, 12),
                                           .producer = EVERYTHING};
}

void world_sub_again(struct world *w, int sub, int64_t start)
{
    struct w_sub *s = WORLD_ADD(w->subs, w->sub_count);
    const struct w_sub *old = &w->subs[sub];
    *s = (struct w_sub){.edge = old->edge,
                        .first = old->edge,
                        .parent = EVERYTHING,
                        .anchored = old->anchored,
                        .start = start,
                        .ends = FOREVER,
                        .count = 1};
    s->terms[0] = old->terms[old->count - 1];
    s->terms[0].from = start;
}

bool world_is_family(const struct world *w, int sub, int head)
{
    for (; sub != EVERYTHING; sub = w->subs[sub].parent)
        if (sub == head)
            return true;
    return false;
}

static void move_one(struct world *w, struct w_sub *s, int edge)
{
    int at = 0;
    while (at + 1 < s->count && s->terms[at + 1].from <= w->now)
        at++;
    if (s->terms[at].from < w->now) { /* its terms end here, and go on the other way */
        for (int i = s->count++; i > at + 1; i--)
            s->terms[i] = s->terms[i - 1];
        s->terms[at + 1] = s->terms[at];
        s->terms[++at].from = w->now;
    }
    for (; at < s->count; at++)
        s->terms[at].edge = edge;
    s->edge = edge;
}

void world_move(struct world *w, int sub, int edge)
{
    for (size_t i = 0; i < w->sub_count; i++)
        if (world_is_family(w, (int)i, sub) && w->subs[i].ends > w->now)
            move_one(w, &w->subs[i], edge);
}

static void add_channel(struct world *w, int currency, size_t parties)
{
    size_t first = w->edge_count;
    enum w_settle settle = (enum w_settle)world_below(w, WAY_DIRECT + 1);
    for (size_t i = 0; i < parties; i++) {
        bool sells = world_percent(w, 40);
        int upstream = EVERYTHING;
        if (i > 0 && world_percent(w, 85))
            upstream = (int)(first + world_below(w, w->edge_count - first));
        if (upstream != EVERYTHING && w->edges[upstream].depth == DEPTH_MAX)
            upstream = EVERYTHING;
        int seller = upstream == EVERYTHING ? 0 : w->edges[upstream].to;
        int buyer = add_buyer(w, currency, seller, sells);
        int edge = add_edge(w, upstream, currency, settle, buyer);
        if (!sells || world_percent(w, 10))
            for (int64_t n = world_between(w, 1, 3); n > 0; n--)
                world_sub(w, edge, w->now);
    }
}

/* --- who has a share --- */

static struct w_rule rule(struct world *w, enum w_agreement_kind kind)
{
    struct w_rule r = {.cap = {-1, 0}, .label = (int)world_below(w, RULE_LABELS)};
    bool gathered = kind == A_REFERRAL || kind == A_REVSHARE;
    int dice = (int)world_below(w, 100);
    r.kind = dice < 50 ? R_PERCENT : dice < 70 ? R_FIXED : dice < 85 ? R_PER_UNIT : R_BOUNTY;
    if (dice >= 93)
        r.kind = R_TIERED;
    if (!gathered && r.kind > R_PERCENT)
        r.kind = R_PERCENT;
    r.value = world_number(w, 1, r.kind == R_PER_UNIT ? 1 : 12, 4);
    if (r.kind == R_PERCENT || r.kind == R_TIERED) {
        r.base = (enum w_base)world_below(w, gathered ? B_CASH + 1 : B_LIST + 1);
        r.tier = r.base == B_WHOLESALE || r.base == B_MARGIN ? (int)world_between(w, 0, 1) : 0;
    }
    if (r.kind == R_TIERED) {
        r.value.m = 0;
        r.tier_count = (int)world_between(w, 1, 3);
        for (int i = 0; i < r.tier_count; i++)
            r.tiers[i] =
                (struct w_tier){.up_to = {100 * (i + 1), 0}, .price = world_number(w, 1, 20, 4)};
    }
    bool bounded = gathered || kind == A_FEE;
    if (bounded && world_percent(w, 15))
        r.cap = (struct w_num){world_between(w, 1, 50), 0};
    if (bounded && world_percent(w, 15))
        r.floor = world_between(w, 1, r.cap.m > 0 ? r.cap.m : 20);
    if (world_percent(w, 15))
        r.from_month = world_between(w, 1, 3);
    if (world_percent(w, 10))
        r.to_month = world_between(w, r.from_month > 0 ? r.from_month : 1, 4);
    return r;
}

/* What a payee may invoice its payer: the table knows no tax of some. */
static bool tax_known(const struct world *w, int payee, int payer)
{
    const struct w_party *from = &w->parties[payee];
    const struct w_party *to = &w->parties[payer];
    return !from->taxable || from->country == to->country || !w_countries[to->country].eu ||
           w_countries[from->country].eu || to->taxable;
}

void world_terms(struct world *w, struct w_agreement *a, int64_t from)
{
    const struct w_rules *old = &a->terms[a->term_count - 1];
    const struct w_rule *last = &old->rules[old->count - 1];
    struct w_rules *fresh = &a->terms[a->term_count++];
    *fresh = (struct w_rules){.from = from};
    for (int64_t n = world_between(w, 1, 2); n > 0; n--)
        fresh->rules[fresh->count++] = rule(w, a->kind);
    if (last->kind == R_RESIDUAL)
        fresh->rules[fresh->count++] = *last;
}

static void add_rest(struct w_agreement *a)
{
    struct w_rules *t = &a->terms[0];
    a->scope_item = EVERYTHING;
    t->rules[t->count++] = (struct w_rule){.kind = R_RESIDUAL, .cap = {-1, 0}};
}

static struct w_agreement *add_agreement(struct world *w, enum w_agreement_kind kind, int from,
                                         int to)
{
    struct w_agreement *a = WORLD_ADD(w->agreements, w->agreement_count);
    *a = (struct w_agreement){.kind = kind,
                              .from = from,
                              .to = to,
                              .currency = w->parties[from].currency,
                              .scope_party = EVERYTHING,
                              .scope_item = EVERYTHING,
                              .on_invoice = world_percent(w, 30),
                              .self_billing = world_percent(w, 50) && tax_known(w, to, from),
                              .maturity_days = (int)world_below(w, 3) * 10,
                              .min_payout = {world_between(w, 0, 30), 0}};
    if (world_percent(w, 40))
        a->clawback_days = (int)world_between(w, 5, 60);
    if (world_percent(w, 30))
        a->scope_item = (int)world_below(w, w->item_count);
    a->term_count = 1;
    for (int64_t n = world_between(w, 1, 2); n > 0; n--)
        a->terms[0].rules[a->terms[0].count++] = rule(w, kind);
    return a;
}

static int add_partner(struct world *w)
{
    return add_buyer(w, w->parties[0].currency, 0, true);
}

/* Any seller. */
static int some_seller(struct world *w)
{
    return w->edges[world_below(w, w->edge_count)].from;
}

static void add_introducers(struct world *w)
{
    for (int64_t n = world_between(w, 0, 3); n > 0; n--) {
        int edge = (int)world_below(w, w->edge_count);
        struct w_agreement *a = add_agreement(w, A_REFERRAL, some_seller(w), add_partner(w));
        if (world_percent(w, 75))
            a->scope_party = w->edges[edge].to;
        a->subtree = a->scope_party != EVERYTHING && world_percent(w, 60);
    }
    for (int64_t n = world_between(w, 0, 2); n > 0; n--) {
        int author = add_partner(w);
        w->items[world_below(w, w->item_count)].author = author;
        (void)add_agreement(w, A_REVSHARE, some_seller(w), author);
    }
    for (int64_t n = world_between(w, 0, 2); n > 0; n--)
        (void)add_agreement(w, A_FEE, some_seller(w), add_partner(w));
}

static void add_costs(struct world *w, int owner, bool residual)
{
    for (int64_t n = world_between(w, 0, 2); n > 0; n--)
        (void)add_agreement(w, A_COST, owner, add_partner(w));
    if (!residual)
        return;
    struct w_agreement *a = add_agreement(w, A_COST, owner, add_partner(w));
    add_rest(a);
}

/* Producers with inputs of their own; some with a fee that stays with the operator. */
static void add_producers(struct world *w)
{
    int64_t count = world_between(w, 0, 2);
    bool taken = count > 1; /* of one thing one takes the rest: here there is one producer then */
    add_costs(w, 0, false);
    for (int64_t n = count; n > 0; n--) {
        int producer = add_partner(w);
        if (world_percent(w, 50))
            (void)add_agreement(w, A_FEE, producer, 0);
        if (world_percent(w, 50) && !taken) {
            struct w_agreement *a = add_agreement(w, A_COST, 0, producer);
            add_rest(a);
            taken = true;
        }
        add_costs(w, producer, world_percent(w, 50));
        for (size_t i = 0; i < w->sub_count; i++)
            if (world_percent(w, 40))
                w->subs[i].terms[0].producer = producer;
    }
}

/* Some who are owed something buy something too: what they may have paid for a client. */
static void add_financiers(struct world *w)
{
    for (size_t i = 0; i < w->agreement_count; i++) {
        const struct w_agreement *a = &w->agreements[i];
        if (a->kind != A_COST || !world_percent(w, 40))
            continue;
        enum w_settle settle = (enum w_settle)world_below(w, WAY_DIRECT + 1);
        if (a->currency == CURRENCIES - 1 && settle == WAY_COLLECT)
            settle = WAY_DIRECT;
        int edge = add_edge(w, EVERYTHING, a->currency, settle, a->to);
        world_sub(w, edge, w->now);
    }
}

static void add_months(struct world *w)
{
    enum { FIRST = (2026 - 1970) * 12 + 11 }; /* December 2026 */
    int64_t first = FIRST + world_between(w, 0, 6);
    w->months = (int)world_between(w, 1, 6);
    if (world_percent(w, 4)) /* a year comes to its end */
        w->months += 8;
    for (int i = 0; i <= w->months; i++)
        w->month[i] = world_month_begin((enum w_zone)w->parties[0].zone, first + i);
    w->now = w->month[0];
}

/* In every other world a quarter of the sellers account for their tax in a currency of their own.
 * Without the world's chance, so that a seed makes the world that it made before. */
static void add_tax_currencies(struct world *w)
{
    enum { EVERY_WORLD = 2, EVERY_PARTY = 4 };
    if (w->seed % EVERY_WORLD != 0)
        return;
    for (size_t i = 0; i < w->party_count; i++)
        if (w->parties[i].taxable && (w->seed / EVERY_WORLD + i) % EVERY_PARTY == 0)
            w->parties[i].tax_currency = 1 + (int)((w->seed + i) % CURRENCIES);
}

struct w_rate world_rate(const struct world *w, int from, int to)
{
    enum { STEP = 131, MOST = 997 };
    bool turned = from > to;
    uint64_t low = (uint64_t)(turned ? to : from);
    uint64_t high = (uint64_t)(turned ? from : to);
    const struct w_rate r = {(int64_t)(1 + (w->seed + STEP * low) % MOST),
                             (int64_t)(1 + (w->seed * STEP + high) % MOST)};
    return turned ? (struct w_rate){r.to, r.from} : r;
}

struct world *world_make(uint64_t seed, size_t parties)
{
    struct world *w = calloc(1, sizeof *w);
    if (w == NULL)
        abort();
    w->seed = w->chance = seed;
    w->crashes = world_percent(w, 25);
    int channels = (int)world_between(w, 1, 2);
    int first = (int)world_below(w, CURRENCIES);
    (void)add_party(w, first, (int)world_below(w, EU_COUNTRIES), true);
    add_months(w);
    for (int i = 0; i < METERS; i++)
        w->meters[i] =
            (struct w_meter){.kind = (enum w_meter_kind)i, .scale = (int)world_below(w, 4)};
    for (int64_t n = world_between(w, 1, 4); n > 0; n--)
        add_item(w);
    for (int c = 0; c < channels; c++) {
        int currency = (first + c) % CURRENCIES;
        for (size_t i = 0; i < w->item_count; i++)
            for (int64_t n = world_between(w, 1, 2); n > 0; n--)
                add_plan(w, (int)i, currency, currency == CURRENCIES - 1);
        add_channel(w, currency, parties / (size_t)channels + 1);
    }
    if (channels == 1) { /* amounts of agreements are in one currency */
        add_introducers(w);
        add_producers(w);
        add_financiers(w);
    }
    add_tax_currencies(w);
    return w;
}

void world_free(struct world *w)
{
    if (w == NULL)
        return;
    free(w->parties);
    free(w->books);
    free(w->edges);
    free(w->items);
    free(w->plans);
    free(w->subs);
    free(w->uses);
    free(w->agreements);
    free(w->wallets);
    free(w->coupons);
    free(w->rewards);
    free(w->financings);
    free(w);
}
