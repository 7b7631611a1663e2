#include "api/owner.h"

#include "base/id.h"
#include "billing/close.h"
#include "billing/document_row.h"
#include "billing/exchange_rate.h"
#include "billing/wallet.h"
#include "catalog/subscription.h"
#include "fleet/alert.h"
#include "fleet/backup.h"
#include "fleet/service.h"
#include "fleet/site.h"
#include "fleet/snapshot.h"
#include "fleet/work_order.h"
#include "meter/usage.h"
#include "party/invitation.h"
#include "settle/financing.h"
#include "settle/fund.h"
#include "settle/statement.h"

static enum rc of_invitation(struct tx *tx, struct str id, struct owners *ret)
{
    struct invitation invitation;
    TRY(invitation_get(tx, id, &invitation));
    *ret = (struct owners){.owner = invitation.party};
    return RC_OK;
}

static enum rc of_payment(struct tx *tx, struct str id, struct owners *ret)
{
    struct payment payment;
    TRY(payment_get(tx, id, &payment));
    *ret = (struct owners){.owner = payment.party};
    return RC_OK;
}

/* The payee's, and the payer's: what the neutral book owes is nobody else's matter. */
static enum rc of_statement(struct tx *tx, struct str id, struct owners *ret)
{
    struct statement statement;
    TRY(statement_get(tx, id, &statement));
    *ret = (struct owners){.owner = statement.party};
    if (id_is(statement.payer, "pty"))
        ret->other = statement.payer;
    return RC_OK;
}

static enum rc of_payout(struct tx *tx, struct str id, struct owners *ret)
{
    struct payout payout;
    TRY(payout_get(tx, id, &payout));
    *ret = (struct owners){.owner = payout.party, .other = payout.payee};
    return RC_OK;
}

/* What an invoice cost the financier is not the debtor's matter. */
static enum rc of_financing(struct tx *tx, struct str id, struct owners *ret)
{
    struct financing financing;
    TRY(financing_get(tx, id, &financing));
    *ret = (struct owners){.owner = financing.financier};
    if (financing.document.n == 0)
        ret->other = financing.debtor;
    return RC_OK;
}

static enum rc of_agreement(struct tx *tx, struct str id, struct owners *ret)
{
    struct agreement a;
    TRY(agreement_get(tx, id, &a));
    *ret = (struct owners){.owner = a.from, .other = a.to};
    return RC_OK;
}

static enum rc of_price_book(struct tx *tx, struct str id, struct owners *ret)
{
    struct price_book b;
    TRY(price_book_get(tx, id, &b));
    *ret = (struct owners){.owner = b.party};
    return RC_OK;
}

static enum rc of_document(struct tx *tx, struct str id, struct owners *ret)
{
    struct document_row row;
    TRY(document_row_find(tx, id, &row));
    *ret = (struct owners){.owner = row.issuer, .other = row.recipient};
    return RC_OK;
}

static enum rc of_close(struct tx *tx, struct str id, struct owners *ret)
{
    struct close close;
    TRY(close_get(tx, id, &close));
    *ret = (struct owners){.owner = close.party};
    return RC_OK;
}

static enum rc of_wallet(struct tx *tx, struct str id, struct owners *ret)
{
    struct wallet wallet;
    TRY(wallet_get(tx, id, &wallet));
    *ret = (struct owners){.owner = wallet.party, .other = wallet.client};
    return RC_OK;
}

static enum rc of_fund(struct tx *tx, struct str id, struct owners *ret)
{
    struct fund fund;
    TRY(fund_get(tx, id, &fund));
    *ret = (struct owners){.owner = fund.party};
    return RC_OK;
}

static enum rc of_exchange_rate(struct tx *tx, struct str id, struct owners *ret)
{
    struct exchange_rate rate;
    TRY(exchange_rate_get(tx, id, &rate));
    *ret = (struct owners){.owner = rate.party};
    return RC_OK;
}

static enum rc of_coupon(struct tx *tx, struct str id, struct owners *ret)
{
    struct coupon coupon;
    TRY(coupon_get(tx, id, &coupon));
    *ret = (struct owners){.owner = coupon.party};
    return RC_OK;
}

static enum rc of_item(struct tx *tx, struct str id, struct owners *ret)
{
    struct item item;
    TRY(item_get(tx, id, &item));
    *ret = (struct owners){.owner = item.owner};
    return RC_OK;
}

static enum rc of_plan(struct tx *tx, struct str id, struct owners *ret)
{
    struct plan plan;
    struct item item;
    TRY(plan_get(tx, id, &plan));
    TRY(item_find(tx, plan.item, &item));
    *ret = (struct owners){.owner = item.owner};
    return RC_OK;
}

static enum rc of_subscription(struct tx *tx, struct str id, struct owners *ret)
{
    struct subscription s;
    TRY(subscription_get(tx, id, &s));
    *ret = (struct owners){.owner = s.seller, .other = s.client};
    return RC_OK;
}

/* The reporter's, and the operator's, who answers for all that is counted. */
static enum rc of_usage_conflict(struct tx *tx, struct str id, struct owners *ret)
{
    struct usage_conflict conflict;
    struct party operator_party;
    TRY(usage_conflict_get(tx, id, &conflict));
    TRY(party_operator(tx, &operator_party));
    *ret = (struct owners){.owner = conflict.party, .other = operator_party.id};
    return RC_OK;
}

static enum rc of_site(struct tx *tx, struct str id, struct owners *ret)
{
    struct site site;
    TRY(site_get(tx, id, &site));
    *ret = (struct owners){.owner = site.owner};
    return RC_OK;
}

static enum rc of_node(struct tx *tx, struct str id, struct owners *ret)
{
    struct node node;
    TRY(node_get(tx, id, &node));
    *ret = (struct owners){.owner = node.owner, .other = node.host};
    return RC_OK;
}

static enum rc of_offer(struct tx *tx, struct str id, struct owners *ret)
{
    struct offer offer;
    TRY(offer_get(tx, id, &offer));
    *ret = (struct owners){.owner = offer.owner};
    return RC_OK;
}

static enum rc of_image(struct tx *tx, struct str id, struct owners *ret)
{
    struct image image;
    TRY(image_get(tx, id, &image));
    *ret = (struct owners){.owner = image.owner};
    return RC_OK;
}

static enum rc of_service(struct tx *tx, struct str id, struct owners *ret)
{
    struct service service;
    TRY(service_get(tx, id, &service));
    *ret = (struct owners){.owner = service.client, .other = service.seller};
    return RC_OK;
}

static enum rc of_operation(struct tx *tx, struct str id, struct owners *ret)
{
    struct operation operation;
    TRY(operation_get(tx, id, &operation));
    return of_service(tx, operation.service, ret);
}

static enum rc of_backup(struct tx *tx, struct str id, struct owners *ret)
{
    struct backup backup;
    TRY(backup_get(tx, id, &backup));
    return of_service(tx, backup.service, ret);
}

static enum rc of_snapshot(struct tx *tx, struct str id, struct owners *ret)
{
    struct snapshot snapshot;
    TRY(snapshot_get(tx, id, &snapshot));
    return of_service(tx, snapshot.service, ret);
}

static enum rc of_work_order(struct tx *tx, struct str id, struct owners *ret)
{
    struct work_order order;
    struct party operator_party;
    TRY(work_order_get(tx, id, &order));
    TRY(party_operator(tx, &operator_party));
    *ret =
        (struct owners){.owner = order.owner, .other = order.manager, .guard = operator_party.id};
    return RC_OK;
}

static enum rc of_work_step(struct tx *tx, struct str id, struct owners *ret)
{
    struct work_step step;
    TRY(work_step_get(tx, id, &step));
    return of_work_order(tx, step.work_order, ret);
}

static enum rc of_alert(struct tx *tx, struct str id, struct owners *ret)
{
    struct alert alert;
    TRY(alert_get(tx, id, &alert));
    *ret = (struct owners){.owner = alert.party};
    return RC_OK;
}

static const struct {
    const char *prefix;
    enum rc (*find)(struct tx *tx, struct str id, struct owners *ret);
} kinds[] = {
    {"ivt", of_invitation},   {"pay", of_payment},        {"stm", of_statement},
    {"pyo", of_payout},       {"agr", of_agreement},      {"bok", of_price_book},
    {"inv", of_document},     {"cls", of_close},          {"wal", of_wallet},
    {"cou", of_coupon},       {"itm", of_item},           {"pln", of_plan},
    {"sub", of_subscription}, {"sit", of_site},           {"nod", of_node},
    {"off", of_offer},        {"img", of_image},          {"svc", of_service},
    {"opr", of_operation},    {"ucf", of_usage_conflict}, {"fin", of_financing},
    {"bak", of_backup},       {"wko", of_work_order},     {"wks", of_work_step},
    {"snp", of_snapshot},     {"alr", of_alert},          {"exr", of_exchange_rate},
    {"cfd", of_fund},
};

enum rc owners_of(struct tx *tx, struct str id, struct owners *ret)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (id_is(id, kinds[i].prefix))
            return kinds[i].find(tx, id, ret);
    return err_set(tx->err, RC_NOT_FOUND, "there is no '%.*s'", STRF(id));
}
