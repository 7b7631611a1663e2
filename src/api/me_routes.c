/*
 * me_routes.c - the user's own things: the user, second factor, sessions, tokens.
 */
#include "api/handlers.h"
#include "api/inside.h"
#include "api/resources.h"

enum rc me_get_handler(struct call *c)
{
    struct user user;
    TRY(user_of_caller(c->tx, &c->caller, &user));
    return call_reply(c, &user);
}

enum rc me_change_handler(struct call *c)
{
    struct user before;
    struct user after;
    int64_t version = 0;
    TRY(user_of_caller(c->tx, &c->caller, &before));
    TRY(call_match(c, before.version, &version));
    TRY(user_change(c->tx, before.id, version, c->body, &after));
    TRY(user_of_caller(c->tx, &c->caller, &after));
    call_note(c, after.id, &user_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc me_audit_handler(struct call *c)
{
    struct page page;
    TRY(audit_list_own(c->tx, c->caller.user, c->query, &page));
    return call_reply_page(c, &page);
}

/* --- second factor --- */

enum rc totp_confirm_handler(struct call *c)
{
    const struct totp_code *body = c->body;
    TRY(totp_check(c->tx, api_seal(c->api), c->caller.user, body->code, true));
    c->note.subject = c->caller.user;
    return call_reply_nothing(c);
}

/* --- sessions --- */

enum rc session_list_handler(struct call *c)
{
    struct list list;
    TRY(session_list(c->tx, c->caller.user, c->caller.session, &list));
    return call_reply_list(c, list);
}

enum rc session_end_handler(struct call *c)
{
    TRY(session_end(c->tx, c->caller.user, c->params[0]));
    c->note.subject = c->params[0];
    return call_reply_nothing(c);
}

/* --- tokens --- */

enum rc token_list_handler(struct call *c)
{
    struct list list;
    TRY(token_list(c->tx, c->caller.user, &list));
    return call_reply_list(c, list);
}

enum rc token_create_handler(struct call *c)
{
    struct token token;
    TRY(token_create(c->tx, &c->caller, c->body, &token));
    call_note(c, token.id, &token_schema, NULL, &token);
    return call_reply(c, &token);
}

enum rc token_get_handler(struct call *c)
{
    struct token token;
    TRY(token_get(c->tx, c->caller.user, c->params[0], &token));
    return call_reply(c, &token);
}

enum rc token_delete_handler(struct call *c)
{
    struct token before;
    TRY(token_get(c->tx, c->caller.user, c->params[0], &before));
    TRY(token_delete(c->tx, c->caller.user, before.id));
    call_note(c, before.id, &token_schema, &before, NULL);
    return call_reply_nothing(c);
}
