/* Who comes by an invitation, and what is given for it. */
#include "billing/wallet.h"
#include "channel/reward.h"
#include "party/invitation.h"
#include "play_inside.h"

/* --- what is promised --- */

struct promising {
    struct play *p;
    const struct w_reward *reward;
};

static enum rc make_reward(struct tx *tx, void *arg)
{
    const struct promising *g = arg;
    const struct w_reward *r = g->reward;
    struct reward made;
    struct reward fresh = {.inviter_amount = play_amount(tx, r->inviter, r->currency),
                           .invitee_amount = play_amount(tx, r->invitee, r->currency),
                           .currency = str_c(w_currencies[r->currency].code),
                           .expires_days = r->days,
                           .valid_from = r->from};
    return reward_create(tx, str_c(g->p->w->parties[r->party].id), &fresh, &made);
}

void play_promise(struct play *p, int edge)
{
    enum { DAYS = 60, AHEAD = 10 };
    struct world *w = p->w;
    struct w_reward *fresh = WORLD_ADD(w->rewards, w->reward_count);
    *fresh = (struct w_reward){.party = world_percent(w, 50) ? w->edges[edge].from : 0,
                               .currency = w->edges[edge].currency,
                               .from = w->now};
    if (world_percent(w, 85)) /* else: of nothing, and so no more */
        fresh->inviter = world_between(w, 0, 5000);
    if (world_percent(w, 85))
        fresh->invitee = world_between(w, 0, 5000);
    if (world_percent(w, 70))
        fresh->days = world_between(w, 1, DAYS);
    if (world_percent(w, 20))
        fresh->from = world_between(w, w->now, w->now + AHEAD * DAY_US);
    play_say(p, "#%d promises %lld and %lld", fresh->party, (long long)fresh->inviter,
             (long long)fresh->invitee);
    play_write(p, make_reward, &(struct promising){p, fresh});
}

/* --- who comes --- */

struct inviting {
    struct play *p;
    struct w_party *founded;
    struct w_edge *edge;
    struct w_book *fresh; /* or NULL */
    size_t first_sub;
    size_t known; /* wallets before */
};

static uint64_t field(const struct schema *schema, const char *name)
{
    return UINT64_C(1) << schema_find(schema, str_c(name));
}

/* The form that the invited one fills in. */
static struct party form(struct tx *tx, const struct inviting *v)
{
    static const char *const filled[] = {"name",     "address",   "taxable", "bank",
                                         "currency", "time_zone", "language"};
    struct party draft;
    play_draft(tx, v->founded, (int)(v->founded - v->p->w->parties), &draft);
    for (size_t i = 0; i < COUNT(filled); i++)
        draft.set |= field(&party_draft_schema, filled[i]);
    if (draft.tax_ids.count > 0)
        draft.set |= field(&party_draft_schema, "tax_ids");
    draft.address.set = field(&address_schema, "country");
    draft.bank.set = field(&bank_schema, "iban");
    return draft;
}

static enum rc accept(struct tx *tx, const struct inviting *v, struct str link, struct party *ret)
{
    struct user user;
    const struct caller nobody = {.kind = CALLER_NOBODY};
    struct acceptance a = {
        .token = link,
        .email = arena_fmt(tx->arena, "party%d@example.net", (int)(v->founded - v->p->w->parties)),
        .name = STR("Owner"),
        .party = form(tx, v)};
    return invitation_accept(tx, &nobody, &a, STR("$argon2id$v=19$m=65536,t=3,p=1$none$none"),
                             &user, ret);
}

static enum rc come(struct tx *tx, void *arg)
{
    struct inviting *v = arg;
    struct world *w = v->p->w;
    struct invitation i;
    struct party made;
    struct invitation fresh = {.party = str_c(w->parties[v->founded->sponsor].id)};
    TRY(invitation_create(tx, NULL, &fresh, STR("https://cloud.example.net"), &i));
    TRY(accept(tx, v, i.link, &made));
    play_keep_id(v->founded->id, made.id);
    TRY(wallet_reward(tx, v->p->l, &made));
    if (v->fresh != NULL)
        TRY(play_book(tx, w, v->fresh));
    TRY(play_edge(tx, w, v->edge));
    for (size_t s = v->first_sub; s < w->sub_count; s++)
        TRY(play_sub(tx, w, &w->subs[s]));
    return RC_OK;
}

static bool is_known(const struct world *w, struct str id)
{
    bool known = false;
    for (size_t i = 0; i < w->wallet_count; i++)
        known = known || str_eq(id, str_c(w->wallets[i].id));
    return known;
}

/* Ids of one unit of work ascend: who invited has the first one. */
static enum rc read_wallets(struct tx *tx, void *arg)
{
    struct inviting *v = arg;
    struct world *w = v->p->w;
    struct rows rows;
    size_t next = v->known;
    TRY(sql_rows(tx, &rows, "SELECT id FROM wallet ORDER BY id"));
    for (size_t i = 0; i < rows.count; i++)
        if (!is_known(w, row_str(&rows, i, 0)) && next < w->wallet_count)
            play_keep_id(w->wallets[next++].id, row_str(&rows, i, 0));
    return RC_OK;
}

void play_invite(struct play *p, int edge)
{
    struct world *w = p->w;
    size_t books = w->book_count;
    struct inviting v = {.p = p, .first_sub = w->sub_count, .known = w->wallet_count};
    int inviter = world_percent(w, 60) ? w->edges[edge].to : w->edges[edge].from;
    int fresh = world_newcomer(w, edge, inviter);
    for (int64_t n = world_between(w, 0, 2); n > 0; n--)
        world_sub(w, fresh, w->now);
    v.edge = &w->edges[fresh];
    v.founded = &w->parties[v.edge->to];
    if (w->book_count > books)
        v.fresh = &w->books[books];
    play_say(p, "#%d invites #%d, a client of #%d", inviter, v.edge->to, v.edge->from);
    play_write(p, come, &v);
    model_reward(p->m, w->edges[fresh].to);
    arena_reset(&p->f.arena);
    if (fixture_read(&p->f, read_wallets, &v) != RC_OK)
        play_fail(p, "cannot read wallets: %s", p->f.err.text);
}
