#include "fleet/work_inside.h"

#include "catalog/code.h"
#include "channel/owed.h"
#include "money/amount.h"
#include "party/event.h"
#include "party/party.h"
#include "party/patch.h"

#define COLUMNS                                                                                \
    "w.id, w.version, w.node, w.owner, w.manager, w.kind, w.title, w.text, w.cause, w.state, " \
    "w.agreement, w.fee, w.due, w.steps, w.photos, w.created, w.changed, w.ended"

/* What other tables know of it. */
static enum rc describe(struct tx *tx, struct work_order *w)
{
    struct agreement a;
    struct owed o;
    if (w->agreement.n > 0) {
        TRY(agreement_get(tx, w->agreement, &a));
        w->currency = a.terms.currency;
    }
    if (w->state != WORK_DONE || w->fee.n == 0)
        return RC_OK;
    TRY(owed_get(tx, w->id, &o));
    w->billed = o.taken;
    return RC_OK;
}

static enum rc read_row(struct tx *tx, const struct rows *r, size_t row, struct work_order *ret)
{
    *ret = (struct work_order){
        .set = schema_all(&work_order_schema),
        .id = row_str(r, row, 0),
        .version = row_int(r, row, 1),
        .node = row_str(r, row, 2),
        .owner = row_str(r, row, 3),
        .manager = row_str(r, row, 4),
        .kind = row_str(r, row, 5),
        .title = row_str(r, row, 6),
        .text = row_str(r, row, 7),
        .cause = row_str(r, row, 8),
        .state = code_word(work_states, row_str(r, row, 9)),
        .agreement = row_str(r, row, 10),
        .fee = row_str(r, row, 11),
        .due = row_int(r, row, 12),
        .steps = row_int(r, row, 13),
        .photos = row_int(r, row, 14),
        .created = row_int(r, row, 15),
        .changed = row_int(r, row, 16),
        .ended = row_int(r, row, 17),
    };
    return describe(tx, ret);
}

enum rc work_order_get(struct tx *tx, struct str id, struct work_order *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM work_order w WHERE w.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no work order '%.*s'", STRF(id));
    return read_row(tx, &rows, 0, ret);
}

static const struct page_column sort_columns[] = {
    {"id", "w.id", PAGE_TEXT},
    {"kind", "w.kind", PAGE_TEXT},
    {"due", "w.due", PAGE_NUMBER},
};
static const struct page_table work_table = {
    .select = "SELECT " COLUMNS " FROM work_order w",
    .id = "w.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc work_order_list(struct tx *tx, struct str party, bool all, const struct work_query *q,
                        struct page *ret)
{
    struct page_term terms[3];
    size_t count = 0;
    struct rows rows;
    struct str next;
    if (!all)
        terms[count++] = (struct page_term){"w.owner = ?" PAGE_OR "w.manager = ?", V(party)};
    if (schema_has(&work_query_schema, q, "node"))
        terms[count++] = (struct page_term){"w.node = ?", V(q->node)};
    if (schema_has(&work_query_schema, q, "state"))
        terms[count++] = (struct page_term){"w.state = ?", V(work_states[q->state])};
    TRY(page_rows(tx, &work_table, &q->page, terms, count, &rows, &next));
    struct work_order *items = NEW_N(tx->arena, struct work_order, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(read_row(tx, &rows, i, &items[i]));
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

/* --- writing --- */

static enum rc tell(struct tx *tx, const char *topic, const struct work_order *w,
                    struct str changed)
{
    TRY(event_put(tx, topic, w->owner, "work_order", w->id, w->version, changed));
    if (w->manager.n == 0 || str_eq(w->manager, w->owner))
        return RC_OK;
    return event_put(tx, topic, w->manager, "work_order", w->id, w->version, changed);
}

struct str work_order_cause(struct tx *tx, struct str node, struct str promise)
{
    return arena_fmt(tx->arena, "%.*s/%.*s", STRF(node), STRF(promise));
}

enum rc work_order_opened_for(struct tx *tx, struct str cause, struct str *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT id FROM work_order WHERE opened_for = $1", V(cause)));
    *ret = rows.count > 0 ? row_str(&rows, 0, 0) : STR("");
    return RC_OK;
}

enum rc work_order_insert(struct tx *tx, struct work_order *w)
{
    struct str cause = w->cause.n > 0 ? work_order_cause(tx, w->node, w->cause) : STR("");
    w->id = id_new(tx->ids, tx->arena, "wko");
    w->version = 1;
    TRY(sql_run(tx,
                "INSERT INTO work_order (id, version, node, owner, manager, kind, title, text, "
                "cause, opened_for, state, agreement, terms, fee, due, steps, photos, created, "
                "changed, ended) VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, "
                "$13, 0, 0, $14, $14, 0)",
                V(w->id), V(w->node), V(w->owner), value_opt(w->manager), V(w->kind), V(w->title),
                V(w->text), V(w->cause), value_opt(cause), V(work_states[WORK_OPEN]),
                value_opt(w->agreement), V(w->fee), V(w->due), V(tx->now)));
    return tell(tx, "event.work_order.created", w, STR(""));
}

enum rc work_order_terms(struct tx *tx, struct str id, int64_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT terms FROM work_order WHERE id = $1", V(id)));
    ASSERT(rows.count == 1);
    *ret = row_int(&rows, 0, 0);
    return RC_OK;
}

/* One that was returned is what its promise opened, unless that has opened another. */
static enum rc cause_of(struct tx *tx, const struct work_order *w, struct str *ret)
{
    struct str other = STR("");
    struct str cause = w->cause.n > 0 ? work_order_cause(tx, w->node, w->cause) : STR("");
    bool ended = w->state == WORK_DONE || w->state == WORK_CANCELLED;
    if (cause.n > 0)
        TRY(work_order_opened_for(tx, cause, &other));
    *ret = ended || (other.n > 0 && !str_eq(other, w->id)) ? STR("") : cause;
    return RC_OK;
}

enum rc work_order_keep(struct tx *tx, struct work_order *w, int64_t terms, struct str changed)
{
    struct str cause;
    TRY(cause_of(tx, w, &cause));
    w->version++;
    TRY(sql_run(tx,
                "UPDATE work_order SET version = $2, manager = $3, title = $4, text = $5, "
                "opened_for = $6, state = $7, agreement = $8, terms = $9, fee = $10, due = $11, "
                "ended = $12, changed = $13 WHERE id = $1",
                V(w->id), V(w->version), value_opt(w->manager), V(w->title), V(w->text),
                value_opt(cause), V(work_states[w->state]), value_opt(w->agreement), V(terms),
                V(w->fee), V(w->due), V(w->ended), V(tx->now)));
    return tell(tx, "event.work_order.changed", w, changed);
}

/* --- who does it --- */

static bool manages(const struct agreement *a)
{
    const struct rule *rules = a->terms.rules.items;
    for (size_t i = 0; i < a->terms.rules.count; i++)
        if (str_eq(rules[i].label, WORK_MANAGER_LABEL))
            return true;
    return false;
}

/* Of the agreements about this asset (empty: about none): the one of the one party that manages;
 * *ret_parties counts those. */
static const struct agreement *manager_for(const struct list *list, struct str asset,
                                           size_t *ret_parties)
{
    const struct agreement *found = NULL;
    const struct agreement *items = list->items;
    *ret_parties = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (!manages(&items[i]) || !str_eq(items[i].terms.scope.asset, asset))
            continue;
        if (found != NULL && str_eq(found->to, items[i].to))
            continue;
        found = &items[i];
        ++*ret_parties;
    }
    return found;
}

enum rc work_order_manager(struct tx *tx, const struct node *node, struct str *ret_manager,
                           struct str *ret_agreement)
{
    static const enum agreement_kind kinds[] = {AGREEMENT_COST, AGREEMENT_FEE};
    const struct str assets[] = {node->asset, node->site, STR("")};
    *ret_manager = *ret_agreement = STR("");
    for (size_t k = 0; k < COUNT(assets); k++) {
        if (k == 0 && node->asset.n == 0)
            continue;
        for (size_t i = 0; i < COUNT(kinds); i++) {
            struct list list;
            size_t parties = 0;
            TRY(agreement_active(tx, kinds[i], node->owner, tx->now, &list));
            const struct agreement *a = manager_for(&list, assets[k], &parties);
            if (parties > 1) /* a person decides */
                return RC_OK;
            if (a != NULL) {
                *ret_manager = a->to;
                *ret_agreement = a->id;
                return RC_OK;
            }
        }
    }
    return RC_OK;
}

/* The only agreement between the two that can carry a fee. Empty where there is none, or more. */
static enum rc agreement_between(struct tx *tx, struct str owner, struct str manager,
                                 struct str *ret)
{
    static const enum agreement_kind kinds[] = {AGREEMENT_COST, AGREEMENT_FEE};
    size_t count = 0;
    *ret = STR("");
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct list list;
        TRY(agreement_active(tx, kinds[i], owner, tx->now, &list));
        const struct agreement *items = list.items;
        for (size_t k = 0; k < list.count; k++)
            if (str_eq(items[k].to, manager)) {
                *ret = items[k].id;
                count++;
            }
    }
    if (count > 1)
        *ret = STR("");
    return RC_OK;
}

static enum rc check_manager(struct tx *tx, struct work_order *w)
{
    struct party party;
    struct agreement a;
    enum rc rc = party_get(tx, w->manager, &party);
    if (rc == RC_NOT_FOUND)
        return err_set_at(tx->err, RC_INVALID, STR("/manager"), "there is no party '%.*s'",
                          STRF(w->manager));
    TRY(rc);
    if (w->agreement.n == 0)
        TRY(agreement_between(tx, w->owner, w->manager, &w->agreement));
    if (w->agreement.n == 0)
        return RC_OK;
    rc = owed_agreement(tx, w->agreement, w->owner, w->manager, &a);
    if (rc == RC_INVALID)
        err_at(tx->err, STR("/agreement"));
    return rc;
}

/* A fee is an amount of the agreement's currency; without an agreement, of the owner's for now. */
static enum rc check_fee(struct tx *tx, const struct work_order *w)
{
    struct party party;
    struct agreement a;
    int64_t amount = 0;
    const struct currency *currency = NULL;
    if (w->fee.n == 0)
        return RC_OK;
    TRY(party_get(tx, w->owner, &party));
    struct str code = party.currency;
    if (w->agreement.n > 0) {
        TRY(agreement_get(tx, w->agreement, &a));
        code = a.terms.currency;
    }
    TRY(currency_parse(code, &currency, tx->err));
    enum rc rc = amount_parse_one(w->fee, currency, &amount, tx->err);
    if (rc == RC_OK && amount <= 0)
        rc = err_set(tx->err, RC_INVALID, "a fee is above 0; leave it out where nothing is paid");
    if (rc != RC_OK)
        err_at(tx->err, STR("/fee"));
    return rc;
}

/* --- by hand --- */

static enum rc fee_is_the_owners(struct tx *tx)
{
    return err_set_at(tx->err, RC_INVALID, STR("/fee"),
                      "what is paid is for the node's owner to offer");
}

/* Its owner, the owner of its site, the operator; to others the node is not there. */
static enum rc find_node(struct tx *tx, struct str by, struct str id, struct node *ret)
{
    struct party operator_party;
    enum rc rc = node_get(tx, id, ret);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    TRY(party_operator(tx, &operator_party));
    if (rc == RC_NOT_FOUND ||
        !(str_eq(by, ret->owner) || str_eq(by, ret->host) || str_eq(by, operator_party.id)))
        return err_set_at(tx->err, RC_INVALID, STR("/node"),
                          "there is no node '%.*s', or it is not for you", STRF(id));
    return RC_OK;
}

enum rc work_order_open(struct tx *tx, struct str by, const struct work_order *fresh,
                        struct work_order *ret)
{
    struct node node;
    struct work_kind kind;
    struct work_order w = *fresh;
    TRY(find_node(tx, by, w.node, &node));
    enum rc rc = work_kind_get(tx, w.kind, &kind);
    if (rc == RC_NOT_FOUND)
        return err_set_at(tx->err, RC_INVALID, STR("/kind"), "there is no kind of work '%.*s'",
                          STRF(w.kind));
    TRY(rc);
    if (w.fee.n > 0 && !str_eq(by, node.owner))
        return fee_is_the_owners(tx);
    w.owner = node.owner;
    w.cause = STR("");
    w.title = w.title.n > 0 ? w.title : kind.title;
    if (w.manager.n > 0)
        TRY(check_manager(tx, &w));
    else
        TRY(work_order_manager(tx, &node, &w.manager, &w.agreement));
    TRY(check_fee(tx, &w));
    TRY(work_order_insert(tx, &w));
    return work_order_get(tx, w.id, ret);
}

enum rc work_order_change(struct tx *tx, struct str by, struct str id, int64_t version,
                          const struct work_order *patch, struct work_order *ret)
{
    int64_t terms = 0;
    struct work_order w;
    TRY(work_order_get(tx, id, &w));
    struct work_order before = w;
    if (version != 0 && version != w.version)
        return err_set(tx->err, RC_CHANGED, "work order '%.*s' has version %lld by now", STRF(id),
                       (long long)w.version);
    if (w.state != WORK_OPEN && w.state != WORK_ACCEPTED)
        return err_set(tx->err, RC_CONFLICT, "it is %s and does not change any more",
                       work_states[w.state]);
    patch_lay(&work_order_schema, &w, patch);
    if (!str_eq(before.node, w.node) || !str_eq(before.kind, w.kind) ||
        !str_eq(before.manager, w.manager) || !str_eq(before.agreement, w.agreement))
        return err_set(tx->err, RC_INVALID,
                       "its node and kind do not change; who does it is said by assigning");
    if (!str_eq(before.fee, w.fee) && !str_eq(by, w.owner))
        return fee_is_the_owners(tx);
    if (!str_eq(before.fee, w.fee) && w.state != WORK_OPEN)
        return err_set(tx->err, RC_CONFLICT, "the fee was accepted: it does not change any more");
    TRY(check_fee(tx, &w));
    TRY(work_order_terms(tx, id, &terms));
    TRY(work_order_keep(tx, &w, terms, patch_names(&work_order_schema, patch, tx->arena)));
    return work_order_get(tx, id, ret);
}

enum rc work_order_assign(struct tx *tx, struct str id, const struct work_assignment *to,
                          struct work_order *ret)
{
    struct work_order w;
    TRY(work_order_get(tx, id, &w));
    if (w.state != WORK_OPEN)
        return err_set(tx->err, RC_CONFLICT, "it is %s: only open work is assigned",
                       work_states[w.state]);
    w.manager = to->manager;
    w.agreement = to->agreement;
    TRY(check_manager(tx, &w));
    TRY(check_fee(tx, &w));
    TRY(work_order_keep(tx, &w, 0, STR("[\"manager\"]")));
    return work_order_get(tx, id, ret);
}
