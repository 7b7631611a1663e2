/* The tax of a document in the currency in which its seller accounts for it: EN 16931 BT-111. */
#include "billing/document_make.h"

#include "billing/exchange_rate.h"
#include "money/amount.h"
#include "money/round.h"
#include "party/party.h"

/* The whole is rounded once; groups have the differences of what was rounded up to each, so that
 * they add up. */
static enum rc convert(struct tx *tx, const struct document_row *row, struct document_exchange *e)
{
    __int128 sum = 0;
    int64_t before = 0;
    int64_t *parts = NEW_N(tx->arena, int64_t, row->group_count);
    TRY(exchange_convert(&e->rate, row->tax, EXCHANGE_NEUTRAL, &e->tax, tx->err));
    TRY(amount_check_one(e->tax, e->rate.to, "the tax in the seller's currency", tx->err));
    for (size_t i = 0; i < row->group_count; i++) {
        int64_t until = e->tax;
        sum += row->groups[i].group.tax; /* at most the net of the document, either way */
        if (i + 1 < row->group_count)
            TRY(exchange_convert(&e->rate, (int64_t)sum, EXCHANGE_NEUTRAL, &until, tx->err));
        TRY(amount_sub(until, before, &parts[i], tx->err));
        before = until;
    }
    e->parts = parts;
    return RC_OK;
}

enum rc document_row_exchange(struct tx *tx, struct document_row *row, const struct party *issuer,
                              int64_t day)
{
    struct document_exchange e = {0};
    const struct currency *to = NULL;
    row->exchange = e;
    if (issuer->tax_currency.n == 0 || row->tax == 0)
        return RC_OK;
    TRY(currency_parse(issuer->tax_currency, &to, tx->err));
    if (to == row->currency)
        return RC_OK;
    TRY(exchange_rate_find(tx, row->issuer, row->currency, to, day, &e.rate));
    TRY(convert(tx, row, &e));
    row->exchange = e;
    return RC_OK;
}

/* The group of the invoice that a group of its credit note takes from. */
static size_t group_of(const struct document_row *invoice, const struct document_tax_group *g)
{
    size_t i = 0;
    while (i < invoice->group_count && !(invoice->groups[i].group.category == g->group.category &&
                                         invoice->groups[i].group.rate_ppm == g->group.rate_ppm))
        i++;
    ASSERT(i < invoice->group_count);
    return i;
}

/* R(part x credited so far / tax). */
static int64_t share_of(int64_t part, __int128 credited, int64_t tax)
{
    __int128 sign = tax < 0 ? -1 : 1;
    return tax == 0 ? 0 : (int64_t)round_div(sign * part * credited, sign * tax);
}

enum rc document_row_exchange_as(struct document_row *row, const struct document_row *invoice,
                                 const struct document_tax_group *before, struct arena *arena,
                                 struct err *err)
{
    struct document_exchange e = {.rate = invoice->exchange.rate};
    int64_t *parts = NEW_N(arena, int64_t, row->group_count);
    row->exchange = (struct document_exchange){0};
    if (e.rate.to == NULL)
        return RC_OK;
    for (size_t i = 0; i < row->group_count; i++) {
        size_t k = group_of(invoice, &row->groups[i]);
        int64_t of = invoice->exchange.parts[k];
        int64_t tax = invoice->groups[k].group.tax;
        __int128 was = before[k].group.tax;
        parts[i] = share_of(of, was + row->groups[i].group.tax, tax) - share_of(of, was, tax);
        TRY(amount_add(e.tax, parts[i], &e.tax, err));
    }
    e.parts = parts;
    row->exchange = e;
    return RC_OK;
}

enum rc document_row_exchange_at(struct tx *tx, struct document_row *row,
                                 const struct document_row *invoice)
{
    struct document_exchange e = {.rate = invoice->exchange.rate};
    row->exchange = (struct document_exchange){0};
    if (e.rate.to == NULL || row->tax == 0)
        return RC_OK;
    TRY(convert(tx, row, &e));
    row->exchange = e;
    return RC_OK;
}
