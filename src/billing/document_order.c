/* Invoices that are written by hand. */
#include "billing/document_make.h"
#include "money/amount.h"

/* Whether one may write the other invoices: a stranger would be sent claims out of nowhere, and
 * have them in its books. */
static enum rc check_sides(struct tx *tx, const struct party *issuer, const struct party *recipient,
                           struct str agreement)
{
    struct agreement a;
    if (str_eq(issuer->id, recipient->id))
        return err_set_at(tx->err, RC_INVALID, STR("/recipient"), "this is the issuer itself");
    if (agreement.n == 0) {
        if (str_eq(recipient->sponsor, issuer->id) || str_eq(issuer->sponsor, recipient->id))
            return RC_OK;
        return err_set_at(tx->err, RC_INVALID, STR("/agreement"),
                          "neither sponsors the other: name the agreement between the two");
    }
    enum rc rc = agreement_get(tx, agreement, &a);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    bool between = rc == RC_OK && a.state == AGREEMENT_ACTIVE &&
                   ((str_eq(a.from, issuer->id) && str_eq(a.to, recipient->id)) ||
                    (str_eq(a.to, issuer->id) && str_eq(a.from, recipient->id)));
    if (!between)
        return err_set_at(tx->err, RC_INVALID, STR("/agreement"),
                          "there is no active agreement '%.*s' between the two", STRF(agreement));
    return RC_OK;
}

static enum rc read_amounts(const struct order_line *o, const struct currency *currency,
                            struct draft_line *line, struct err *err)
{
    struct tax_item item = {.base = {1, 0}};
    TRY(quantity_parse(o->quantity, &item.quantity, err));
    TRY(price_parse_one(o->price, &item.price, err));
    if (o->discount.n > 0)
        TRY(amount_parse_one(o->discount, currency, &item.allowances, err));
    if (item.quantity.mantissa < 0 || item.price.mantissa < 0 || item.allowances < 0)
        return err_set(err, RC_INVALID, "quantity, price and discount are not below 0");
    TRY(tax_line_net(&item, currency, &line->net, err));
    TRY(amount_check_one(line->net, currency, "the line", err));
    line->quantity = item.quantity;
    line->price = item.price;
    line->discount = item.allowances;
    return RC_OK;
}

static enum rc read_line(struct tx *tx, const struct order_line *o, size_t index,
                         const struct currency *currency, struct draft_line *ret)
{
    struct draft_line line = {.item = o->item,
                              .text = o->text,
                              .income = o->income,
                              .from = o->from,
                              .until = o->until,
                              .unit = o->unit.n > 0 ? o->unit : STR("C62"),
                              .tax_class = (enum tax_class)o->tax_class,
                              .deferred = o->deferred};
    enum rc rc = read_amounts(o, currency, &line, tx->err);
    if (rc != RC_OK) {
        err_at(tx->err, arena_fmt(tx->arena, "/lines/%zu", index));
        return rc;
    }
    *ret = line;
    return RC_OK;
}

static enum rc read_currency(struct tx *tx, const struct document_order *o,
                             const struct party *recipient, const struct currency **ret)
{
    struct str code = o->currency.n > 0 ? o->currency : recipient->currency;
    *ret = currency_find(code);
    return *ret != NULL ? RC_OK
                        : err_set_at(tx->err, RC_INVALID, STR("/currency"), "'%.*s' is no currency",
                                     STRF(code));
}

enum rc document_order(struct tx *tx, struct str issuer, const struct document_order *o,
                       struct document *ret)
{
    struct party from;
    struct party to;
    struct draft d = {.code = o->corrects.n > 0 ? DOCUMENT_CORRECTED : DOCUMENT_INVOICE,
                      .issuer = issuer,
                      .recipient = o->recipient,
                      .agreement = o->agreement,
                      .period_begin = o->period_begin,
                      .period_end = o->period_end,
                      .payment_days = o->payment_days,
                      .refers_to = o->corrects,
                      .note = o->note,
                      .tax = TREATMENT_AUTO,
                      .tax_included = o->tax_included,
                      .count = o->lines.count};
    TRY(party_get(tx, issuer, &from));
    enum rc rc = party_get(tx, o->recipient, &to);
    if (rc == RC_NOT_FOUND)
        return err_set_at(tx->err, RC_INVALID, STR("/recipient"), "there is no party '%.*s'",
                          STRF(o->recipient));
    TRY(rc);
    TRY(check_sides(tx, &from, &to, o->agreement));
    TRY(read_currency(tx, o, &to, &d.currency));
    struct draft_line *lines = NEW_N(tx->arena, struct draft_line, d.count);
    for (size_t i = 0; i < d.count; i++)
        TRY(read_line(tx, (const struct order_line *)o->lines.items + i, i, d.currency, &lines[i]));
    d.lines = lines;
    return document_draft(tx, &d, ret);
}
