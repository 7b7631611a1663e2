/* Runs of settlement, and payouts on their way through two people and the bank. */
#include "play_inside.h"
#include "settle/bad_debt.h"
#include "settle/fund.h"
#include "settle/statement.h"

struct settling {
    struct play *p;
    int party;
    int number;
    struct settlement_progress at; /* as it is durable: a piece may be lost with its crash */
    struct settlement_progress next;
    char *id;
    bool returned;
};

static struct settlement order_of(struct tx *tx, const struct settling *s)
{
    return (struct settlement){.party = str_c(s->p->w->parties[s->party].id),
                               .id = arena_fmt(tx->arena, "run-%d", s->number)};
}

/* One piece: each is a unit of work of its own, as in the product's job. */
static enum rc piece(struct tx *tx, void *arg)
{
    struct settling *s = arg;
    struct settlement order = order_of(tx, s);
    s->next = s->at;
    return settlement_some(tx, s->p->l, &order, &s->next);
}

static enum rc end(struct tx *tx, void *arg)
{
    struct settling *s = arg;
    struct settlement made;
    struct settlement order = order_of(tx, s);
    return settlement_end(tx, &order, &s->at, &made);
}

static void run(struct settling *s)
{
    s->at = (struct settlement_progress){0};
    while (s->at.step != SETTLEMENT_END) {
        play_write(s->p, piece, s);
        s->at = s->next;
    }
    play_write(s->p, end, s);
}

void play_settlement(struct play *p, int party)
{
    char period[ID_MAX];
    struct settling s = {.p = p, .party = party, .number = ++p->runs};
    (void)snprintf(period, sizeof period, "run-%d", s.number);
    play_say(p, "settlement %s of #%d", period, party);
    run(&s);
    if (world_percent(p->w, 20)) /* the same again has no effect */
        run(&s);
    model_settlement(p->m, party, period);
}

static enum rc release(struct tx *tx, void *arg)
{
    struct settling *s = arg;
    struct payout made;
    TRY(payout_approve(tx, str_c(s->id), str_c(s->p->user[0]), &made));
    return payout_release(tx, s->p->l, str_c(s->id), str_c(s->p->user[1]), &made);
}

static enum rc confirm(struct tx *tx, void *arg)
{
    struct settling *s = arg;
    struct payout made;
    return payout_confirm(tx, s->p->l, str_c(s->id), s->returned, &made);
}

void play_payout(struct play *p, int payout)
{
    struct m_payout *o = &p->m->payouts[payout];
    struct settling s = {.p = p, .id = o->id, .returned = world_percent(p->w, 30)};
    play_say(p, "payout %d goes on", payout + 1);
    if (o->state == P_PENDING && o->book == CLEARING && o->amount > model_cash(p->m, o->currency))
        return; /* Hanse would refuse */
    if (o->state == P_PENDING && p->w->parties[o->payee].bank) {
        play_write(p, release, &s);
        model_release(p->m, payout);
    } else if (o->state == P_SENT) {
        play_write(p, confirm, &s);
        model_confirm(p->m, payout, s.returned);
    }
}

static enum rc write_off(struct tx *tx, void *arg)
{
    struct settling *s = arg;
    struct document made;
    return bad_debt_write_off(tx, s->p->l, str_c(s->id), &made);
}

void play_write_off(struct play *p, int doc)
{
    struct settling s = {.p = p, .id = p->m->docs[doc].id};
    if (!model_may_write_off(p->m, doc))
        return;
    play_say(p, "document %d is written off", doc + 1);
    play_write(p, write_off, &s);
    model_write_off(p->m, doc);
}

/* --- what the operator lends --- */

struct lending {
    struct play *p;
    int debtor;
    int currency;
    int64_t amount;
};

static enum rc lend(struct tx *tx, void *arg)
{
    struct lending *a = arg;
    struct fund made;
    struct play *p = a->p;
    const struct fund fresh = {.debtor = str_c(p->w->parties[a->debtor].id),
                               .currency = str_c(w_currencies[a->currency].code),
                               .amount = play_amount(tx, a->amount, a->currency)};
    TRY(fund_create(tx, p->l, str_c(p->w->parties[0].id), str_c(p->user[0]), &fresh, &made));
    return fund_release(tx, p->l, made.id, str_c(p->user[1]), &made);
}

void play_fund(struct play *p)
{
    struct lending a = {.p = p};
    for (size_t i = 0; i < p->m->purse_count && a.amount == 0; i++) {
        int64_t gap = model_gap(p->m, p->m->purses[i].party, p->m->purses[i].currency);
        a.debtor = p->m->purses[i].party;
        a.currency = p->m->purses[i].currency;
        if (gap > 0 && world_percent(p->w, 70))
            a.amount = world_percent(p->w, 50) ? gap : world_between(p->w, 1, gap);
    }
    if (a.amount == 0)
        return;
    play_say(p, "the operator lends Clearing %lld that #%d owes", (long long)a.amount, a.debtor);
    play_write(p, lend, &a);
    model_fund(p->m, a.debtor, a.currency, a.amount);
}
