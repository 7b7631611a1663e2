/*
 * invitation_routes.c - inviting, and accepting.
 */
#include "api/accept_invitation.h"
#include "api/handlers.h"
#include "api/inside.h"
#include "api/resources.h"

enum rc invitation_list_handler(struct call *c)
{
    struct page page;
    TRY(invitation_list(c->tx, c->owner, c->query, &page));
    return call_reply_page(c, &page);
}

static enum rc reply_with(struct call *c, const struct invitation *before,
                          const struct invitation *after)
{
    call_note(c, after->id, &invitation_schema, before, after);
    return call_reply(c, after);
}

enum rc invitation_create_handler(struct call *c)
{
    struct invitation fresh = *(const struct invitation *)c->body;
    struct invitation made;
    fresh.party = c->owner;
    TRY(invitation_create(c->tx, &c->caller, &fresh, call_base_url(c), &made));
    call_location(c, arena_fmt(c->arena, "/v1/invitations/%.*s", STRF(made.id)));
    return reply_with(c, NULL, &made);
}

enum rc invitation_get_handler(struct call *c)
{
    struct invitation invitation;
    TRY(invitation_get(c->tx, c->params[0], &invitation));
    return call_reply(c, &invitation);
}

enum rc invitation_resend_handler(struct call *c)
{
    struct invitation before;
    struct invitation after;
    TRY(invitation_get(c->tx, c->params[0], &before));
    TRY(invitation_resend(c->tx, &c->caller, before.id, call_base_url(c), &after));
    return reply_with(c, &before, &after);
}

enum rc invitation_revoke_handler(struct call *c)
{
    struct invitation before;
    struct invitation after;
    TRY(invitation_get(c->tx, c->params[0], &before));
    TRY(invitation_revoke(c->tx, before.id, &after));
    return reply_with(c, &before, &after);
}

enum rc invitation_open_handler(struct call *c)
{
    const struct invitation_token *body = c->body;
    struct invitation_view view;
    TRY(invitation_open(c->tx, invitation_token_of(body->token), &view));
    return call_reply(c, &view);
}

/* --- accepting --- */

struct acceptance_steps {
    struct acceptance acceptance;
    struct str hash;
    struct accepted *accepted;
    handler_fn reply;
};

struct str invitation_token_of(struct str link)
{
    for (size_t i = link.n; i > 0; i--)
        if (link.p[i - 1] == '/')
            return str_sub(link, i, link.n);
    return link;
}

static enum rc look_at(struct call *c)
{
    const struct acceptance_steps *s = c->steps;
    struct invitation_view view;
    return invitation_open(c->tx, s->acceptance.token, &view);
}

static enum rc accept(struct call *c)
{
    const struct acceptance_steps *s = c->steps;
    struct accepted *accepted = s->accepted;
    if (c->caller.kind != CALLER_NOBODY)
        TRY(permission_allow_self(c->tx, &c->caller, PERM_SELF_WRITE));
    struct invitation_view view;
    TRY(invitation_open(c->tx, s->acceptance.token, &view));
    TRY(invitation_accept(c->tx, &c->caller, &s->acceptance, s->hash, &accepted->user,
                          &accepted->party));
    if (!view.joins)
        TRY(wallet_reward(c->tx, c->api->ledger, &accepted->party));
    accepted->set = schema_all(&accepted_schema);
    call_note(c, accepted->user.id, &accepted_schema, NULL, accepted);
    c->note.user = accepted->user.id;
    c->note.party = accepted->party.id;
    return s->reply(c);
}

enum rc invitation_take(struct call *c, const struct acceptance *acceptance,
                        struct accepted *accepted, handler_fn reply)
{
    struct acceptance_steps *steps = NEW(c->arena, struct acceptance_steps);
    *steps =
        (struct acceptance_steps){.acceptance = *acceptance, .accepted = accepted, .reply = reply};
    steps->acceptance.token = invitation_token_of(acceptance->token);
    c->steps = steps;
    if (c->caller.kind == CALLER_NOBODY) {
        /* Who has no link does not make us hash. */
        TRY(call_read(c, look_at));
        TRY(password_hash(acceptance->password, c->arena, &steps->hash, c->err));
    }
    return call_write(c, accept);
}

static enum rc reply_accepted(struct call *c)
{
    const struct acceptance_steps *s = c->steps;
    call_location(c, arena_fmt(c->arena, "/v1/parties/%.*s", STRF(s->accepted->party.id)));
    return call_reply(c, s->accepted);
}

enum rc invitation_accept_handler(struct call *c)
{
    struct accepted accepted = {0};
    return invitation_take(c, c->body, &accepted, reply_accepted);
}
