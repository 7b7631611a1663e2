/*
 * demo_live_show.c - what came of hanse demo live: services, shares, statements; and whether they
 * add up.
 */
#include "cli/body.h"
#include "cli/demo_live.h"
#include "cli/peek.h"
#include "cli/sheet.h"
#include "cli/show.h"

enum { JSON_MAX = 8 * 1024 * 1024, MS_TEXT = 1000 };

/* --- statements --- */

struct reader {
    struct live *live;
    size_t party;
};

static enum rc note_statement(struct demo *d, const struct json *item, void *arg)
{
    const struct reader *r = arg;
    struct live *l = r->live;
    if (!str_eq(peek_text(item, "party"), d->names[r->party].id) ||
        l->statement_count == LIVE_STATEMENTS_MAX)
        return RC_OK; /* the payer's view of another one's */
    l->statements[l->statement_count++] =
        (struct live_statement){.party = r->party,
                                .payer = arena_str(d->run->arena, peek_text(item, "payer")),
                                .earned = arena_str(d->run->arena, peek_text(item, "earned")),
                                .paid = arena_str(d->run->arena, peek_text(item, "paid"))};
    return RC_OK;
}

enum rc live_collect(struct live *l)
{
    struct demo *d = l->d;
    for (size_t i = 0; i < d->name_count; i++) {
        struct reader r = {l, i};
        if (d->names[i].token.n == 0 || d->names[i].busy)
            continue;
        TRY(demo_each(d, d->names[i].token,
                      arena_fmt(d->run->arena, "/v1/parties/%.*s/statements", STRF(d->names[i].id)),
                      note_statement, &r));
    }
    return RC_OK;
}

/* --- whether it adds up --- */

static int64_t figure(const struct demo *d, const char *name)
{
    for (size_t i = 0; i < d->figure_count; i++)
        if (str_eq(str_c(d->figures[i].step->name), str_c(name)))
            return d->figures[i].amount;
    NEVER("no such figure");
}

static int64_t amount_of(struct demo *d, struct str text)
{
    int64_t amount = 0;
    struct err ignored = {0};
    return amount_parse(text, d->currency, &amount, &ignored) == RC_OK ? amount : 0;
}

/* Debits are credits, in each book of the story. */
static bool books_balance(struct demo *d)
{
    for (size_t p = 0; p < d->name_count; p++) {
        int64_t sum = 0;
        for (size_t i = 0; i < d->account_count; i++)
            if (d->accounts[i].party == p &&
                str_eq(d->accounts[i].currency, str_c(d->story->currency)))
                sum += amount_of(d, d->accounts[i].balance);
        if (sum != 0)
            return false;
    }
    return true;
}

/* What each was paid is its share. */
static bool paid_is_share(struct demo *d)
{
    static const char *const roles[][2] = {
        {"reseller", "reseller.paid"},     {"distributor", "distributor.paid"},
        {"agent", "agent.paid"},           {"pop", "pop.paid"},
        {"datacentre", "datacentre.paid"}, {"hardware", "hardware.paid"},
    };
    for (size_t i = 0; i < COUNT(roles); i++)
        if (figure(d, roles[i][0]) != figure(d, roles[i][1]))
            return false;
    return true;
}

void live_balance(struct live *l)
{
    struct demo *d = l->d;
    struct arena *arena = d->run->arena;
    int64_t shares = figure(d, "operator") + figure(d, "pop") + figure(d, "datacentre") +
                     figure(d, "hardware") + figure(d, "distributor") + figure(d, "agent") +
                     figure(d, "reseller");
    int64_t net = figure(d, "net");
    live_check(l, "all shares are the invoice", true, shares == net && net > 0,
               arena_fmt(arena, "%.*s of %.*s", STRF(amount_str(shares, d->currency, arena)),
                         STRF(amount_str(net, d->currency, arena))));
    live_check(l, "everybody was paid its share", true, paid_is_share(d), STR("to the cent"));
    live_check(l, "every book balances", true, books_balance(d), STR("debits are credits"));
}

/* --- for people --- */

static struct str came_up(struct live *l, const struct live_service *s)
{
    return s->ran ? arena_fmt(l->d->run->arena, "%lld.%lld s", (long long)(s->ms / MS_TEXT),
                              (long long)(s->ms % MS_TEXT / (MS_TEXT / 10)))
                  : STR("");
}

static struct str metered(const struct live_service *s, const char *code)
{
    for (size_t i = 0; i < s->meter_count; i++)
        if (str_eq(s->meters[i].code, str_c(code)))
            return s->meters[i].quantity;
    return STR("");
}

static void show_services(struct live *l)
{
    static const char *const heads[] = {
        "SERVICE", "ID",       ">CAME UP IN", ">PROCESSOR (S)", ">MEMORY (B.S)", ">DISK (B.S)",
        ">IN (B)", ">OUT (B)", NULL};
    struct sheet s;
    struct run *run = l->d->run;
    demo_head(run, "What ran");
    sheet_begin(&s, run, heads, LIVE_PARTS_MAX);
    for (size_t i = 0; i < l->count; i++) {
        const struct live_service *v = &l->services[i];
        if (v->ran)
            sheet_row(&s,
                      (struct str[]){str_c(v->part->title), v->id, came_up(l, v), metered(v, "cpu"),
                                     metered(v, "memory"), metered(v, "disk"),
                                     metered(v, "network-in"), metered(v, "network-out")});
    }
    sheet_print(&s);
    for (size_t i = 0; i < l->count; i++)
        if (!l->services[i].ran)
            sheet_text(run, arena_fmt(run->arena, "without %s: %.*s", l->services[i].part->title,
                                      STRF(l->services[i].lacks)));
}

static void show_statements(struct live *l)
{
    static const char *const heads[] = {"STATEMENT OF", "PAYER", ">EARNED", ">PAID", NULL};
    struct sheet s;
    struct demo *d = l->d;
    struct arena *arena = d->run->arena;
    demo_head(d->run, "Statements");
    sheet_begin(&s, d->run, heads, LIVE_STATEMENTS_MAX);
    for (size_t i = 0; i < l->statement_count; i++) {
        const struct live_statement *t = &l->statements[i];
        sheet_row(&s, (struct str[]){d->names[t->party].title, demo_who(d, t->payer, true),
                                     sheet_amount(arena, t->earned), sheet_amount(arena, t->paid)});
    }
    sheet_print(&s);
}

/* --- for programs --- */

static void put_services(struct live *l, struct json_writer *w)
{
    json_put_key(w, STR("services"));
    json_begin_array(w);
    for (size_t i = 0; i < l->count; i++) {
        const struct live_service *s = &l->services[i];
        json_begin_object(w);
        body_put(w, "service", str_c(s->part->name));
        body_put(w, "id", s->id);
        body_put(w, "lacks", s->lacks);
        json_put_key(w, STR("ran"));
        json_put_bool(w, s->ran);
        json_put_key(w, STR("came_up_ms"));
        json_put_i64(w, s->ms);
        json_put_key(w, STR("meters"));
        json_begin_object(w);
        for (size_t k = 0; k < s->meter_count; k++) {
            json_put_key(w, s->meters[k].code);
            json_put_str(w, s->meters[k].quantity);
        }
        json_end_object(w);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_statements(struct live *l, struct json_writer *w)
{
    json_put_key(w, STR("statements"));
    json_begin_array(w);
    for (size_t i = 0; i < l->statement_count; i++) {
        const struct live_statement *t = &l->statements[i];
        json_begin_object(w);
        body_put(w, "party", l->d->names[t->party].name);
        body_put(w, "payer", demo_who(l->d, t->payer, false));
        body_put(w, "earned", t->earned);
        body_put(w, "paid", t->paid);
        json_end_object(w);
    }
    json_end_array(w);
}

static void print_json(struct live *l)
{
    struct demo *d = l->d;
    struct buf b;
    struct json_writer w;
    buf_init(&b, d->run->arena, JSON_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    body_put(&w, "case", str_c(d->story->name));
    body_put(&w, "mark", d->suffix);
    body_put(&w, "currency", str_c(d->story->currency));
    put_services(l, &w);
    put_statements(l, &w);
    demo_put(d, &w);
    json_end_object(&w);
    ASSERT(!b.full);
    show_str(d->run->cli->out, buf_str(&b));
    show_str(d->run->cli->out, STR("\n"));
}

void live_show(struct live *l)
{
    struct demo *d = l->d;
    if (args_has(&d->run->args, "json")) {
        print_json(l);
        return;
    }
    fprintf(d->run->cli->out, "%s\n%s: %s; in %s\n", d->story->title, d->story->source,
            d->story->note, d->story->currency);
    show_services(l);
    if (l->closed)
        show_statements(l);
    demo_tell(d);
}
