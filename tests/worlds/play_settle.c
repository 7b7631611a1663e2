/* Runs of settlement, and payouts on their way through two people and the bank. */
#include "play_inside.h"
#include "settle/bad_debt.h"
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
    return settlement_end(tx, &order, &made);
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
