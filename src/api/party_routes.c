/*
 * party_routes.c - parties, their members, their brands, their log.
 */
#include "api/auth.h"
#include "api/handlers.h"
#include "api/resources.h"

enum rc party_list_handler(struct call *c)
{
    struct page page;
    TRY(party_list(c->tx, &c->caller, c->query, &page));
    return call_reply_page(c, &page);
}

/* Which of the caller's parties sponsors a new one: the one named, or the only one that may. */
static enum rc find_sponsor(struct call *c, struct str *ret)
{
    const struct sponsor_query *q = c->query;
    if (q->sponsor.n > 0) {
        TRY(permission_allow(c->tx, &c->caller, PERM_CLIENT_WRITE, q->sponsor));
        *ret = q->sponsor;
        return RC_OK;
    }
    struct rows parties;
    TRY(permission_parties(c->tx, &c->caller, PERM_CLIENT_WRITE, &parties));
    if (parties.count > 1)
        return err_set_at(c->err, RC_INVALID, STR("sponsor"),
                          "several of your parties may sponsor: say which");
    if (parties.count == 0)
        return err_set(c->err, RC_FORBIDDEN, "none of your parties may sponsor another");
    *ret = row_str(&parties, 0, 0);
    return RC_OK;
}

enum rc party_create_handler(struct call *c)
{
    struct str sponsor;
    struct party party;
    TRY(find_sponsor(c, &sponsor));
    TRY(party_create(c->tx, c->body, sponsor, &party));
    call_note(c, party.id, &party_schema, NULL, &party);
    c->note.party = sponsor;
    return call_reply(c, &party);
}

enum rc party_get_handler(struct call *c)
{
    struct party party;
    TRY(party_get(c->tx, c->owner, &party));
    return call_reply(c, &party);
}

enum rc party_change_handler(struct call *c)
{
    struct party before;
    struct party after;
    int64_t version = 0;
    TRY(party_get(c->tx, c->owner, &before));
    TRY(call_match(c, before.version, &version));
    TRY(party_change(c->tx, c->owner, version, c->body, &after));
    call_note(c, after.id, &party_schema, &before, &after);
    return call_reply(c, &after);
}

static enum rc set_state(struct call *c, enum party_state state)
{
    struct party before;
    struct party after;
    int64_t version = 0;
    TRY(party_get(c->tx, c->owner, &before));
    TRY(call_match(c, before.version, &version));
    TRY(party_set_state(c->tx, c->owner, state, &after));
    call_note(c, after.id, &party_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc party_close_handler(struct call *c)
{
    return set_state(c, PARTY_CLOSED);
}

enum rc party_reopen_handler(struct call *c)
{
    return set_state(c, PARTY_ACTIVE);
}

/* --- members --- */

enum rc member_list_handler(struct call *c)
{
    struct list list;
    TRY(member_list(c->tx, c->owner, &list));
    return call_reply_list(c, list);
}

/* The member's present roles, for the log. */
static enum rc find_member(struct call *c, struct membership *ret)
{
    struct list list;
    TRY(member_list(c->tx, c->owner, &list));
    const struct membership *m = list.items;
    for (size_t i = 0; i < list.count; i++)
        if (str_eq(m[i].user, c->params[1])) {
            *ret = m[i];
            return RC_OK;
        }
    return err_set(c->err, RC_NOT_FOUND, "there is no member '%.*s'", STRF(c->params[1]));
}

enum rc member_change_handler(struct call *c)
{
    const struct member_change *body = c->body;
    struct membership before;
    struct membership after;
    TRY(find_member(c, &before));
    TRY(member_change(c->tx, &c->caller, c->owner, c->params[1], body->role, &after));
    call_note(c, c->params[1], &membership_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc member_remove_handler(struct call *c)
{
    struct membership before;
    TRY(find_member(c, &before));
    TRY(member_remove(c->tx, &c->caller, c->owner, c->params[1]));
    call_note(c, c->params[1], &membership_schema, &before, NULL);
    return call_reply_nothing(c);
}

enum rc role_list_handler(struct call *c)
{
    struct list list;
    TRY(role_list(c->tx, &list));
    return call_reply_list(c, list);
}

/* --- brands --- */

enum rc brand_get_handler(struct call *c)
{
    struct brand brand;
    TRY(brand_get(c->tx, c->owner, &brand));
    return call_reply(c, &brand);
}

/* The address of the installation is the operator's: a client that claimed it would put its own
 * name and logo on everybody's login page. */
static enum rc check_host_is_free(struct call *c)
{
    const struct brand *patch = c->body;
    struct str own = auth_authority(c->api->options.public_url);
    struct party party;
    own = str_cut(&own, ':');
    struct str tail = patch->host.n > 1 ? str_sub(patch->host, 1, patch->host.n) : STR("");
    bool same = str_eq_nocase(patch->host, own);
    bool above = str_starts(patch->host, STR("*.")) && own.n > tail.n &&
                 str_eq_nocase(str_sub(own, own.n - tail.n, own.n), tail);
    if (own.n == 0 || (!same && !above))
        return RC_OK;
    TRY(party_get(c->tx, c->owner, &party));
    return party.sponsor.n == 0
               ? RC_OK
               : err_set_at(c->err, RC_CONFLICT, STR("/host"),
                            "'%.*s' is the address of this installation", STRF(patch->host));
}

enum rc brand_change_handler(struct call *c)
{
    TRY(check_host_is_free(c));
    struct brand before;
    struct brand after;
    int64_t version = 0;
    TRY(brand_get(c->tx, c->owner, &before));
    TRY(call_match(c, before.version, &version));
    TRY(brand_change(c->tx, c->owner, version, c->body, &after));
    call_note(c, c->owner, &brand_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc boot_handler(struct call *c)
{
    const struct boot_query *q = c->query;
    struct brand brand;
    TRY(brand_of_host(c->tx, q->host.n > 0 ? q->host : call_host(c), &brand));
    brand.set = schema_all(&brand_public_schema);
    return call_reply(c, &brand);
}

/* --- the log --- */

enum rc audit_list_handler(struct call *c)
{
    struct page page;
    TRY(audit_list(c->tx, c->owner, c->query, &page));
    return call_reply_page(c, &page);
}
