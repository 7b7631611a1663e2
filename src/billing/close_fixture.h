/*
 * close_fixture.h - a small channel with subscriptions and usage, and closes that run to their end.
 * Only for tests: everything here asserts.
 *
 *     Op sells to R1 (+12 %), R1 to R2 (+25 %), R2 to the clients
 *
 * Time is the Paris month of December 2026 and what follows.
 */
#ifndef BILLING_CLOSE_FIXTURE_H
#define BILLING_CLOSE_FIXTURE_H

#include "billing/books_fixture.h"
#include "billing/close.h"
#include "channel/channel_fixture.h"
#include "meter/usage.h"

/* 2026-12-01, 2027-01-01, ... 00:00 in Paris, in winter. */
#define DECEMBER INT64_C(1796079600000000)
#define JANUARY  (DECEMBER + 31 * US_PER_DAY)
#define FEBRUARY (JANUARY + 31 * US_PER_DAY)
#define MARCH    (FEBRUARY + 28 * US_PER_DAY)

enum { CLOSE_CLIENTS = 3 };

struct close_world {
    struct books_world books;
    struct str op, r1, r2;
    struct str supply_r1, supply_r2;
    struct str book1, book2;
    struct str client[CLOSE_CLIENTS];
    struct str supply[CLOSE_CLIENTS];
    struct str subscription[CLOSE_CLIENTS];
    int64_t usage;     /* how many records were reported */
    struct arena kept; /* ids outlive a unit of work */
};

static inline struct str keep(struct close_world *w, struct str s)
{
    return arena_str(&w->kept, s);
}

static inline struct str make_vm_item(struct tx *tx, struct str op)
{
    struct item i;
    struct meter m;
    struct item fresh = {.code = STR("vm"),
                         .name = STR("Virtual machine"),
                         .category = STR("compute"),
                         .unit = STR("MON"),
                         .income = STR("VPS")};
    struct meter traffic = {
        .code = STR("traffic"), .kind = METER_SUM, .unit = STR("E34"), .scale = 3};
    OK(tx, item_create(tx, op, &fresh, &i));
    OK(tx, meter_create(tx, op, &traffic, &m));
    return i.code;
}

static inline uint64_t field_bit(const char *name)
{
    return UINT64_C(1) << schema_find(&charge_schema, str_c(name));
}

/* 50.00 a month for each unit, and 0.01 for each unit of traffic. */
static inline struct str make_vm_plan(struct tx *tx, const char *code, bool advance, bool free)
{
    struct plan p;
    struct charge charges[] = {
        {.label = STR("Machine"), .kind = CHARGE_FLAT, .price = STR("50.00"), .advance = advance},
        {.label = STR("Traffic"),
         .kind = CHARGE_PER_UNIT,
         .meter = STR("traffic"),
         .price = STR("0.01")},
    };
    for (size_t i = 0; i < COUNT(charges); i++)
        charges[i].set = field_bit("label") | field_bit("kind") | field_bit("price") |
                         field_bit(i == 0 ? "advance" : "meter");
    struct plan fresh = {.item = STR("vm"),
                         .code = str_c(code),
                         .name = str_c(code),
                         .currency = STR("EUR"),
                         .member_free = free,
                         .charges = {charges, COUNT(charges)}};
    OK(tx, plan_create(tx, &fresh, &p));
    return p.id;
}

static inline struct str make_subscription(struct tx *tx, struct str agreement, struct str plan,
                                           const char *quantity, time_us start)
{
    struct subscription s;
    struct subscription fresh = {
        .agreement = agreement, .plan = plan, .quantity = str_c(quantity), .start = start};
    OK(tx, subscription_create(tx, &fresh, &s));
    return s.id;
}

static inline enum rc close_world_define(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    w->op = keep(w, books_party(tx, "Op", "FR", true));
    w->r1 = keep(w, books_party(tx, "R1", "FR", true));
    w->r2 = keep(w, books_party(tx, "R2", "FR", true));
    OK(tx, permission_seed(tx));
    w->book1 = keep(w, make_book(tx, w->r1, "public"));
    w->book2 = keep(w, make_book(tx, w->r2, "public"));
    make_entry(tx, w->book1, "", ENTRY_MUL, "112");
    make_entry(tx, w->book2, "", ENTRY_MUL, "125");
    w->supply_r1 = keep(w, make_supply(tx, w->op, w->r1, STR(""), STR("")));
    w->supply_r2 = keep(w, make_supply(tx, w->r1, w->r2, w->supply_r1, w->book1));
    (void)make_vm_item(tx, w->op);
    struct str plan = make_vm_plan(tx, "vm-monthly", false, false);
    for (int i = 0; i < CLOSE_CLIENTS; i++) {
        char name[] = {'C', (char)('1' + i), '\0'};
        w->client[i] = keep(w, books_party(tx, name, "FR", false));
        w->supply[i] = keep(w, make_supply(tx, w->r2, w->client[i], w->supply_r2, w->book2));
        w->subscription[i] = keep(w, make_subscription(tx, w->supply[i], plan, "2", 0));
    }
    return RC_OK;
}

static inline void close_world_open(struct close_world *w)
{
    *w = (struct close_world){0};
    arena_init(&w->kept, STORE_TX_ARENA_BYTES);
    books_world_open(&w->books);
    w->books.world.clock.at = DECEMBER;
    world_write(&w->books.world, close_world_define, w, RC_OK);
}

static inline void close_world_close(struct close_world *w)
{
    books_world_verify(&w->books);
    books_world_close(&w->books);
    arena_fini(&w->kept);
}

/* The process ends and begins anew. */
static inline void close_world_restart(struct close_world *w)
{
    struct fixture *f = &w->books.world.fixture;
    store_close(f->store);
    ledger_close(w->books.l);
    fixture_open_with(f, (struct store_options){.clock = &w->books.world.clock.clock});
    enum rc rc = ledger_open(&w->books.l, f->store, NULL, &f->err);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
}

/* --- usage --- */

struct used {
    struct close_world *w;
    int client;
    time_us at;
    int64_t thousandths;
};
static inline enum rc use_traffic_in(struct tx *tx, void *arg)
{
    struct used *u = arg;
    struct usage_report report;
    struct usage_record record = {.number = (uint64_t)++u->w->usage,
                                  .subscription = u->w->subscription[u->client],
                                  .meter = 1,
                                  .from = u->at,
                                  .until = u->at + US_PER_MINUTE,
                                  .quantity = {u->thousandths, 3}};
    OK(tx, usage_take(tx, u->w->op, STR("urn:node"), &record, 1, &report));
    ck_assert_int_eq(report.accepted, 1);
    return RC_OK;
}
static inline void use_traffic(struct close_world *w, int client, time_us at, int64_t thousandths)
{
    struct used u = {w, client, at, thousandths};
    world_write(&w->books.world, use_traffic_in, &u, RC_OK);
}

/* --- closes --- */

struct closing {
    const char *period;
    bool review;
    bool dry;
    struct close close;
    struct arena *keep; /* where the id goes */
};
static inline enum rc begin_close_in(struct tx *tx, void *arg)
{
    struct closing *c = arg;
    TRY(close_begin(tx, str_c(c->period), c->review, c->dry, &c->close));
    c->close.id = arena_str(c->keep, c->close.id);
    return RC_OK;
}
static inline enum rc get_close_in(struct tx *tx, void *arg)
{
    struct closing *c = arg;
    struct str id = c->close.id;
    TRY(close_get(tx, id, &c->close));
    c->close.id = id;
    c->close.net = arena_str(c->keep, c->close.net);
    return RC_OK;
}

/* One unit of work. False where there is nothing to do. */
static inline bool close_once(struct close_world *w, const struct close_above *above)
{
    bool worked = false;
    struct fixture *f = &w->books.world.fixture;
    arena_reset(&f->arena);
    err_clear(&f->err);
    enum rc rc = close_work(f->store, w->books.l, above, &f->arena, &worked, &f->err);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
    return worked;
}

enum { CLOSE_UNITS_MAX = 10000 };

/* To its end, or until it waits for a person. */
static inline struct close run_close(struct close_world *w, const char *period, time_us at,
                                     bool review, bool dry)
{
    struct closing c = {.period = period, .review = review, .dry = dry, .keep = &w->kept};
    w->books.world.clock.at = at;
    world_write(&w->books.world, begin_close_in, &c, RC_OK);
    for (int i = 0; close_once(w, NULL); i++)
        ck_assert_int_lt(i, CLOSE_UNITS_MAX);
    world_write(&w->books.world, get_close_in, &c, RC_OK);
    return c.close;
}

/* --- what is invoiced --- */

struct invoiced_sum {
    struct str issuer;
    struct str recipient;
    int64_t count;
    int64_t net;
};
static inline enum rc invoiced_net_in(struct tx *tx, void *arg)
{
    struct invoiced_sum *i = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT code, net FROM document WHERE issuer = $1 AND recipient = $2 AND state >= "
                 "$3 ORDER BY no LIMIT 1000",
                 V(i->issuer), V(i->recipient), V((int64_t)DOCUMENT_FINAL)));
    i->count = (int64_t)rows.count;
    i->net = 0;
    for (size_t k = 0; k < rows.count; k++)
        i->net += row_int(&rows, k, 0) == DOCUMENT_CREDIT_NOTE ? -row_int(&rows, k, 1)
                                                               : row_int(&rows, k, 1);
    return RC_OK;
}

/* Net of all final invoices less credit notes between two parties. */
static inline int64_t invoiced_net(struct close_world *w, struct str issuer, struct str recipient,
                                   int64_t want_count)
{
    struct invoiced_sum i = {.issuer = issuer, .recipient = recipient};
    world_write(&w->books.world, invoiced_net_in, &i, RC_OK);
    ck_assert_int_eq(i.count, want_count);
    return i.net;
}

#endif
