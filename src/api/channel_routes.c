/*
 * channel_routes.c - agreements, price books, rewards.
 *
 * Both sides see an agreement, each its own half: agreement_show, before an answer and before the
 * log. Price books are the seller's alone.
 */
#include "api/handlers.h"
#include "api/resources.h"
#include "catalog/subscription.h"

/* --- agreements --- */

enum rc agreement_list_handler(struct call *c)
{
    struct page page;
    TRY(agreement_list(c->tx, c->owner, c->query, &page));
    return call_reply_page(c, &page);
}

/* The agreement as the caller's side may see it; before an offer the other side sees none. */
static enum rc get_shown(struct call *c, struct agreement *ret)
{
    struct agreement a;
    TRY(agreement_get(c->tx, c->params[0], &a));
    bool secret = a.terms.offered == 0 && a.terms.signed_at == 0;
    if (secret && !str_eq(a.from, c->owner))
        return err_set(c->err, RC_NOT_FOUND, "there is no '%.*s', or it is not for you",
                       STRF(c->params[0]));
    agreement_show(&a, c->owner);
    *ret = a;
    return RC_OK;
}

static enum rc reply_with(struct call *c, const struct agreement *before, struct agreement *after)
{
    agreement_show(after, c->owner);
    call_note(c, after->id, &agreement_schema, before, after);
    return call_reply(c, after);
}

enum rc agreement_create_handler(struct call *c)
{
    struct agreement fresh = *(const struct agreement *)c->body;
    struct agreement made;
    fresh.from = c->owner;
    TRY(agreement_create(c->tx, &fresh, &made));
    call_location(c, arena_fmt(c->arena, "/v1/agreements/%.*s", STRF(made.id)));
    return reply_with(c, NULL, &made);
}

enum rc agreement_get_handler(struct call *c)
{
    struct agreement a;
    TRY(get_shown(c, &a));
    return call_reply(c, &a);
}

enum rc agreement_terms_handler(struct call *c)
{
    struct agreement a;
    struct list list;
    TRY(get_shown(c, &a));
    TRY(agreement_terms_list(c->tx, a.id, &list));
    struct terms *terms = list.items;
    for (size_t i = 0; i < list.count; i++)
        terms_show(&terms[i], &a, c->owner);
    return call_reply_list(c, list);
}

enum rc agreement_change_handler(struct call *c)
{
    struct agreement before;
    struct agreement after;
    int64_t version = 0;
    TRY(get_shown(c, &before));
    TRY(call_match(c, before.version, &version));
    TRY(agreement_change(c->tx, before.id, version, c->body, &after));
    return reply_with(c, &before, &after);
}

/* One step of its life. If-Match, where it is given, says what the caller has read: so that nobody
 * signs terms that were exchanged a moment ago. */
static enum rc step(struct call *c,
                    enum rc (*fn)(struct tx *tx, struct str id, struct agreement *ret))
{
    struct agreement before;
    struct agreement after;
    int64_t version = 0;
    TRY(get_shown(c, &before));
    TRY(call_match(c, before.version, &version));
    TRY(fn(c->tx, before.id, &after));
    return reply_with(c, &before, &after);
}

enum rc agreement_offer_handler(struct call *c)
{
    return step(c, agreement_offer);
}

enum rc agreement_withdraw_handler(struct call *c)
{
    return step(c, agreement_withdraw);
}

enum rc agreement_sign_handler(struct call *c)
{
    return step(c, agreement_sign);
}

/* The maker signs for the other side, which it sponsors, and which has nobody yet. */
enum rc agreement_sign_for_handler(struct call *c)
{
    struct agreement a;
    TRY(agreement_get(c->tx, c->params[0], &a));
    enum rc rc = permission_allow_sponsor(c->tx, &c->caller, PERM_AGREEMENT_WRITE, a.to);
    if (rc == RC_NOT_FOUND) /* the maker knows the party, and that it is not its client */
        return err_set(c->err, RC_FORBIDDEN, "only the sponsor of the other side signs for it");
    TRY(rc);
    return step(c, agreement_sign_for);
}

enum rc agreement_end_handler(struct call *c)
{
    const struct ending *body = c->body;
    struct agreement before;
    struct agreement after;
    int64_t version = 0;
    TRY(get_shown(c, &before));
    TRY(call_match(c, before.version, &version));
    if (before.kind == AGREEMENT_SUPPLY && before.state == AGREEMENT_ACTIVE)
        TRY(subscription_check_end(c->tx, before.id, max_i64(body->at, c->tx->now)));
    TRY(agreement_end(c->tx, before.id, body->at, &after));
    return reply_with(c, &before, &after);
}

/* --- price books --- */

enum rc price_book_list_handler(struct call *c)
{
    const struct list_query *q = c->query;
    struct page page;
    TRY(price_book_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc price_book_create_handler(struct call *c)
{
    struct price_book book;
    TRY(price_book_create(c->tx, c->owner, c->body, &book));
    call_location(c, arena_fmt(c->arena, "/v1/price-books/%.*s", STRF(book.id)));
    call_note(c, book.id, &price_book_schema, NULL, &book);
    return call_reply(c, &book);
}

enum rc price_book_get_handler(struct call *c)
{
    struct price_book book;
    TRY(price_book_get(c->tx, c->params[0], &book));
    return call_reply(c, &book);
}

enum rc price_book_change_handler(struct call *c)
{
    struct price_book before;
    struct price_book after;
    int64_t version = 0;
    TRY(price_book_get(c->tx, c->params[0], &before));
    TRY(call_match(c, before.version, &version));
    TRY(price_book_change(c->tx, before.id, version, c->body, &after));
    call_note(c, after.id, &price_book_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc price_entry_list_handler(struct call *c)
{
    const struct list_query *q = c->query;
    struct page page;
    TRY(price_entry_list(c->tx, c->params[0], &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc price_entry_add_handler(struct call *c)
{
    struct price_entry entry;
    TRY(price_entry_add(c->tx, c->params[0], c->body, &entry));
    call_location(c, arena_fmt(c->arena, "/v1/price-books/%.*s/entries", STRF(entry.book)));
    call_note(c, entry.id, &price_entry_schema, NULL, &entry);
    return call_reply(c, &entry);
}

/* --- rewards --- */

enum rc reward_list_handler(struct call *c)
{
    const struct list_query *q = c->query;
    struct page page;
    TRY(reward_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc reward_create_handler(struct call *c)
{
    struct reward reward;
    TRY(reward_create(c->tx, c->owner, c->body, &reward));
    call_location(c, arena_fmt(c->arena, "/v1/parties/%.*s/rewards", STRF(reward.party)));
    call_note(c, reward.id, &reward_schema, NULL, &reward);
    return call_reply(c, &reward);
}
