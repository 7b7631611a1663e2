#include "cli/demo.h"

#include "cli/peek.h"

struct str demo_who(struct demo *d, struct str id, bool titles)
{
    for (size_t i = 0; i < d->name_count; i++)
        if (str_eq(d->names[i].id, id)) {
            struct str title = d->names[i].title;
            return !titles ? d->names[i].name : title.n > 0 ? title : STR("one of many");
        }
    return id;
}

static struct str text_of(struct demo *d, const struct json *item, const char *key)
{
    return arena_str(d->run->arena, peek_text(item, key));
}

static bool is_in_story(const struct demo *d, struct str id)
{
    for (size_t i = 0; i < d->name_count; i++)
        if (str_eq(d->names[i].id, id))
            return true;
    return false;
}

static enum rc note_bill(struct demo *d, const struct json *item, void *arg)
{
    const struct demo_name *issuer = arg;
    struct str state = peek_text(item, "state");
    if (str_eq(state, STR("draft")) || str_eq(state, STR("held")) ||
        (issuer->busy && !is_in_story(d, peek_text(item, "recipient"))))
        return RC_OK;
    if (d->bill_count == DEMO_BILLS_MAX)
        return err_set(d->run->err, RC_TOO_LARGE, "too many documents");
    d->bills[d->bill_count++] = (struct demo_bill){.kind = text_of(d, item, "kind"),
                                                   .number = text_of(d, item, "number"),
                                                   .issuer = text_of(d, item, "issuer"),
                                                   .recipient = text_of(d, item, "recipient"),
                                                   .net = text_of(d, item, "net"),
                                                   .tax = text_of(d, item, "tax"),
                                                   .gross = text_of(d, item, "gross")};
    return RC_OK;
}

/* Both sides see a payout: each is told once, by its payee. */
static enum rc note_payout(struct demo *d, const struct json *item, void *arg)
{
    const struct demo_name *payee = arg;
    if (!str_eq(peek_text(item, "payee"), payee->id))
        return RC_OK;
    if (d->payout_count == DEMO_BILLS_MAX)
        return err_set(d->run->err, RC_TOO_LARGE, "too many payouts");
    d->payouts[d->payout_count++] = (struct demo_payout){.payer = text_of(d, item, "party"),
                                                         .payee = payee->id,
                                                         .amount = text_of(d, item, "amount"),
                                                         .state = text_of(d, item, "state")};
    return RC_OK;
}

enum rc demo_collect(struct demo *d)
{
    struct arena *arena = d->run->arena;
    d->bills = NEW_N(arena, struct demo_bill, DEMO_BILLS_MAX);
    d->payouts = NEW_N(arena, struct demo_payout, DEMO_BILLS_MAX);
    demo_forget(d);
    for (size_t i = 0; i < d->name_count; i++) {
        struct demo_name *n = &d->names[i];
        if (n->token.n == 0)
            continue;
        TRY(demo_books(d, i));
        TRY(demo_each(
            d, n->token,
            arena_fmt(arena, "/v1/parties/%.*s/documents?issuer=%.*s", STRF(n->id), STRF(n->id)),
            note_bill, n));
        TRY(demo_each(d, n->token, arena_fmt(arena, "/v1/parties/%.*s/payouts", STRF(n->id)),
                      note_payout, n));
    }
    return RC_OK;
}
