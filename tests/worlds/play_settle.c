/* Runs of settlement, and payouts on their way through two people and the bank. */
#include "play_inside.h"
#include "settle/statement.h"

struct settling {
    struct play *p;
    int party;
    int number;
    char *id;
    bool returned;
};

static enum rc run(struct tx *tx, void *arg)
{
    struct settling *s = arg;
    struct settlement made;
    return settlement_run(tx, s->p->l, str_c(s->p->w->parties[s->party].id),
                          arena_fmt(tx->arena, "run-%d", s->number), 0, &made);
}

void play_settlement(struct play *p, int party)
{
    char period[ID_MAX];
    struct settling s = {.p = p, .party = party, .number = ++p->runs};
    (void)snprintf(period, sizeof period, "run-%d", s.number);
    play_say(p, "settlement %s of #%d", period, party);
    play_write(p, run, &s);
    if (world_percent(p->w, 20)) /* the same again has no effect */
        play_write(p, run, &s);
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
