#include "channel/agreement.h"

#include "channel/agreement_check.h"
#include "channel/agreement_row.h"
#include "channel/price_book.h"
#include "channel/supply_check.h"
#include "party/event.h"
#include "party/patch.h"
#include "party/user.h"

enum { SQL_LIST_MAX = 32 * 1024, CURRENCIES_SHOWN = 8 };

/* Of signed rows those that are in force at $2 or later; and the one that nobody signed. */
#define TERMS_FROM_THEN \
    "(t.signed_at IS NULL OR NOT " ROW_SUPERSEDED ") ORDER BY t.agreement, t.valid_from, t.number"

static enum rc not_found(struct tx *tx, struct str id)
{
    return err_set(tx->err, RC_NOT_FOUND, "there is no agreement '%.*s'", STRF(id));
}

static void set_bit(void *value, const struct schema *s, const char *name)
{
    *(uint64_t *)value |= UINT64_C(1) << schema_find(s, str_c(name));
}

/* --- reading --- */

/* Rows in the order of TERMS_FROM_THEN. Of those that are signed the one in force comes first, as
 * all others begin later. */
static enum rc take_terms(struct tx *tx, const struct rows *rows, struct agreement *a)
{
    struct terms pending = {0};
    for (size_t i = 0; i < rows->count; i++) {
        struct terms t;
        if (!str_eq(row_str(rows, i, 0), a->id))
            continue;
        TRY(row_terms(tx, rows, i, 0, &t));
        if (t.signed_at == 0)
            pending = t;
        else if (a->terms.number == 0)
            a->terms = t;
    }
    if (a->terms.number == 0) {
        a->terms = pending;
    } else if (pending.number > 0 && a->state == AGREEMENT_ACTIVE) {
        a->offered = pending;
        set_bit(a, &agreement_schema, "offered");
    }
    ASSERT(a->terms.number > 0);
    set_bit(a, &agreement_schema, "terms");
    return RC_OK;
}

enum rc agreement_get(struct tx *tx, struct str id, struct agreement *ret)
{
    struct rows rows;
    struct rows terms;
    TRY(sql_rows(tx, &rows, "SELECT " ROW_AGREEMENT " FROM agreement a WHERE a.id = $1", V(id)));
    if (rows.count == 0)
        return not_found(tx, id);
    TRY(sql_rows(tx, &terms,
                 "SELECT " ROW_TERMS " FROM agreement_terms t WHERE t.agreement = $1 "
                 "AND " TERMS_FROM_THEN,
                 V(id), V(tx->now)));
    struct agreement a = row_agreement(tx, &rows, 0, 0);
    TRY(take_terms(tx, &terms, &a));
    *ret = a;
    return RC_OK;
}

enum rc agreement_terms_at(struct tx *tx, struct str id, time_us at, struct terms *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " ROW_TERMS
                 " FROM agreement a JOIN agreement_terms t ON t.agreement = a.id "
                 "WHERE a.id = $1 AND (a.ended IS NULL OR a.ended > $2) "
                 "AND t.signed_at IS NOT NULL AND t.valid_from <= $2 "
                 "ORDER BY t.valid_from DESC, t.number DESC LIMIT 1",
                 V(id), V(at)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "agreement '%.*s' is not in force then", STRF(id));
    return row_terms(tx, &rows, 0, 0, ret);
}

enum rc agreement_terms(struct tx *tx, struct str id, int64_t number, struct terms *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " ROW_TERMS " FROM agreement_terms t WHERE t.agreement = $1 "
                 "AND t.number = $2",
                 V(id), V(number)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "agreement '%.*s' has no terms %lld", STRF(id),
                       (long long)number);
    return row_terms(tx, &rows, 0, 0, ret);
}

enum rc agreement_terms_list(struct tx *tx, struct str id, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " ROW_TERMS " FROM agreement_terms t WHERE t.agreement = $1 "
                 "ORDER BY t.number LIMIT $2",
                 V(id), V(AGREEMENT_TERMS_MAX)));
    struct terms *items = NEW_N(tx->arena, struct terms, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(row_terms(tx, &rows, i, 0, &items[i]));
    *ret = (struct list){items, rows.count};
    return RC_OK;
}

void terms_show(struct terms *t, const struct agreement *of, struct str party)
{
    if (str_eq(of->from, party))
        return;
    t->set &= ~(UINT64_C(1) << schema_find(&terms_schema, STR("book")));
    t->set &= ~(UINT64_C(1) << schema_find(&terms_schema, STR("upstream")));
    t->book = STR("");
    t->upstream = STR("");
}

void agreement_show(struct agreement *a, struct str party)
{
    terms_show(&a->terms, a, party);
    terms_show(&a->offered, a, party);
}

/* --- lists --- */

static const struct page_column sort_columns[] = {
    {"id", "a.id", PAGE_TEXT},
    {"created", "a.created", PAGE_NUMBER},
    {"changed", "a.changed", PAGE_NUMBER},
    {"kind", "a.kind", PAGE_TEXT},
};

static const struct page_table agreement_table = {
    .select = "SELECT " ROW_AGREEMENT " FROM agreement a",
    .id = "a.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "id",
};

static struct page_term in_state(struct tx *tx, enum agreement_state state)
{
    switch (state) {
    case AGREEMENT_ACTIVE:
        return (struct page_term){"a.state = 'active' AND (a.ended IS NULL OR a.ended > ?)",
                                  V(tx->now)};
    case AGREEMENT_ENDED:
        return (struct page_term){"(a.state = 'ended' OR (a.state = 'active' AND a.ended <= ?))",
                                  V(tx->now)};
    case AGREEMENT_DRAFT:
    case AGREEMENT_OFFERED:
        return (struct page_term){"a.state = ?", V(agreement_states[state])};
    }
    NEVER("a state of agreements outside its enum");
}

/* The terms of all the agreements of a page at once. */
static enum rc read_terms(struct tx *tx, struct agreement *items, size_t count)
{
    struct rows rows;
    struct value args[PAGE_LIMIT_MAX + 2];
    struct buf sql;
    ASSERT(count <= PAGE_LIMIT_MAX);
    if (count == 0)
        return RC_OK;
    buf_init(&sql, tx->arena, SQL_LIST_MAX);
    buf_add(&sql, STR("SELECT " ROW_TERMS " FROM agreement_terms t WHERE t.agreement IN ($1"));
    args[0] = V(items[0].id);
    args[1] = V(tx->now);
    for (size_t i = 1; i < count; i++) {
        buf_fmt(&sql, ", $%zu", i + 2);
        args[i + 1] = V(items[i].id);
    }
    buf_add(&sql, STR(") AND " TERMS_FROM_THEN));
    ASSERT(!sql.full);
    TRY(sql_rows_text(tx, &rows, buf_str(&sql), args, count + 1));
    for (size_t i = 0; i < count; i++)
        TRY(take_terms(tx, &rows, &items[i]));
    return RC_OK;
}

enum rc agreement_list(struct tx *tx, struct str party, const struct agreement_query *q,
                       struct page *ret)
{
    struct page_term terms[5];
    size_t count = 0;
    struct rows rows;
    struct str next;
    terms[count++] = (struct page_term){
        "a.from_party = ?" PAGE_OR
        "a.to_party = ? AND a.state <> 'draft' AND EXISTS (SELECT 1 FROM agreement_terms o "
        "WHERE o.agreement = a.id AND o.offered IS NOT NULL)",
        V(party)};
    if (schema_has(&agreement_query_schema, q, "kind"))
        terms[count++] = (struct page_term){"a.kind = ?", V(agreement_kinds[q->kind])};
    if (schema_has(&agreement_query_schema, q, "state"))
        terms[count++] = in_state(tx, (enum agreement_state)q->state);
    if (schema_has(&agreement_query_schema, q, "from"))
        terms[count++] = (struct page_term){"a.from_party = ?", V(q->from)};
    if (schema_has(&agreement_query_schema, q, "to"))
        terms[count++] = (struct page_term){"a.to_party = ?", V(q->to)};
    ASSERT(count <= COUNT(terms));
    TRY(page_rows(tx, &agreement_table, &q->page, terms, count, &rows, &next));
    struct agreement *items = NEW_N(tx->arena, struct agreement, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = row_agreement(tx, &rows, i, 0);
    TRY(read_terms(tx, items, rows.count));
    for (size_t i = 0; i < rows.count; i++)
        agreement_show(&items[i], party);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

enum rc agreement_active_first(struct tx *tx, enum agreement_kind kind, struct str from, time_us at,
                               int64_t limit, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " ROW_AGREEMENT ", " ROW_TERMS " FROM agreement a "
                 "JOIN agreement_terms t ON t.agreement = a.id WHERE a.kind = $1 "
                 "AND (a.ended IS NULL OR a.ended > $2) AND t.signed_at IS NOT NULL "
                 "AND t.valid_from <= $2 AND NOT " ROW_SUPERSEDED
                 " AND ($3 = '' OR a.from_party = $3) ORDER BY a.id LIMIT $4",
                 V(agreement_kinds[kind]), V(at), V(from), V(limit)));
    struct agreement *items = NEW_N(tx->arena, struct agreement, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(row_active(tx, &rows, i, &items[i]));
    *ret = (struct list){items, rows.count};
    return RC_OK;
}

enum rc agreement_active(struct tx *tx, enum agreement_kind kind, struct str from, time_us at,
                         struct list *ret)
{
    struct list list;
    TRY(agreement_active_first(tx, kind, from, at, AGREEMENT_LIST_MAX + 1, &list));
    if (list.count > AGREEMENT_LIST_MAX)
        return err_set(tx->err, RC_TOO_LARGE, "there are more than %d agreements of kind %s",
                       AGREEMENT_LIST_MAX, agreement_kinds[kind]);
    *ret = list;
    return RC_OK;
}

enum rc agreement_with_floor(struct tx *tx, struct str after, int64_t limit, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT DISTINCT a.id FROM agreement a JOIN agreement_terms t "
                 "ON t.agreement = a.id WHERE a.kind IN ($1, $2, $3) AND a.id > $4 "
                 "AND t.signed_at IS NOT NULL AND t.rules LIKE '%\"floor\":\"%' "
                 "ORDER BY a.id LIMIT $5",
                 V(agreement_kinds[AGREEMENT_REFERRAL]), V(agreement_kinds[AGREEMENT_REVSHARE]),
                 V(agreement_kinds[AGREEMENT_FEE]), V(after), V(limit)));
    struct str *ids = NEW_N(tx->arena, struct str, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        ids[i] = row_str(&rows, i, 0);
    *ret = (struct list){ids, rows.count};
    return RC_OK;
}

/* --- checking --- */

static enum rc check_party(struct tx *tx, struct str id, const char *pointer)
{
    struct party p;
    enum rc rc = party_get(tx, id, &p);
    if (rc == RC_NOT_FOUND)
        return err_set_at(tx->err, RC_INVALID, str_c(pointer), "there is no party '%.*s'",
                          STRF(id));
    TRY(rc);
    return p.state == PARTY_ACTIVE ? RC_OK
                                   : err_set_at(tx->err, RC_INVALID, str_c(pointer),
                                                "party '%.*s' is closed", STRF(p.name));
}

static enum rc check_book(struct tx *tx, const struct agreement *a)
{
    struct price_book book;
    if (a->terms.book.n == 0)
        return RC_OK;
    enum rc rc = price_book_get(tx, a->terms.book, &book);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    if (rc == RC_NOT_FOUND || !str_eq(book.party, a->from))
        return err_set_at(tx->err, RC_INVALID, STR("/terms/book"),
                          "the seller has no price book '%.*s'", STRF(a->terms.book));
    if (!str_eq(book.currency, a->terms.currency))
        return err_set_at(tx->err, RC_INVALID, STR("/terms/book"), "price book '%.*s' is in %.*s",
                          STRF(book.name), STRF(book.currency));
    return RC_OK;
}

/* Amounts are of what is sold in their currency. Whoever sells, sells in some; of somebody who is
 * on no path yet (a producer, a new reseller) nothing is known, and the close says what does not
 * fit. */
static enum rc check_currency(struct tx *tx, const struct agreement *a, time_us from)
{
    struct rows rows;
    struct str sold = STR("");
    bool fits = false;
    if (a->kind == AGREEMENT_SUPPLY || !terms_have_amount(&a->terms))
        return RC_OK;
    TRY(sql_rows(tx, &rows,
                 "SELECT DISTINCT t.currency FROM agreement a JOIN agreement_terms t ON "
                 "t.agreement = a.id WHERE a.kind = $1 AND a.from_party = $3 AND t.signed_at IS "
                 "NOT NULL AND (a.ended IS NULL OR a.ended > $2) AND NOT " ROW_SUPERSEDED
                 " ORDER BY t.currency LIMIT $4",
                 V(agreement_kinds[AGREEMENT_SUPPLY]), V(from), V(a->from),
                 V((int64_t)CURRENCIES_SHOWN)));
    for (size_t i = 0; i < rows.count; i++) {
        fits = fits || str_eq(row_str(&rows, i, 0), a->terms.currency);
        sold = arena_fmt(tx->arena, "%.*s%s%.*s", STRF(sold), i > 0 ? ", " : "",
                         STRF(row_str(&rows, i, 0)));
    }
    if (rows.count == 0 || rows.count == CURRENCIES_SHOWN || fits)
        return RC_OK;
    return err_set_at(tx->err, RC_INVALID, STR("/terms/currency"),
                      "its rules say amounts in %.*s, and the maker sells in %.*s alone",
                      STRF(a->terms.currency), STRF(sold));
}

/* All that terms keep which hold from an instant on. */
static enum rc check(struct tx *tx, struct agreement *a, time_us from)
{
    TRY(agreement_check(a, tx->arena, tx->err));
    TRY(check_party(tx, a->from, "/from"));
    TRY(check_party(tx, a->to, "/to"));
    if (a->terms.scope.party.n > 0)
        TRY(check_party(tx, a->terms.scope.party, "/terms/scope/party"));
    TRY(check_book(tx, a));
    TRY(check_currency(tx, a, from));
    return a->kind == AGREEMENT_SUPPLY ? supply_check(tx, a, from) : RC_OK;
}

/* What the maker does not say itself. */
static enum rc fill_in(struct tx *tx, struct agreement *a)
{
    struct agreement up;
    struct party p;
    if (a->terms.currency.n > 0)
        return RC_OK;
    if (a->terms.upstream.n > 0) {
        enum rc rc = agreement_get(tx, a->terms.upstream, &up);
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            return rc;
        if (rc == RC_OK && str_eq(up.to, a->from)) {
            a->terms.currency = up.terms.currency;
            return RC_OK;
        }
    }
    TRY(party_get(tx, a->from, &p));
    a->terms.currency = p.currency;
    return RC_OK;
}

/* --- writing --- */

static enum rc tell(struct tx *tx, const char *topic, const struct agreement *a, struct str changed)
{
    TRY(event_put(tx, topic, a->from, "agreement", a->id, a->version, changed));
    if (a->state == AGREEMENT_DRAFT) /* the maker's alone */
        return RC_OK;
    return event_put(tx, topic, a->to, "agreement", a->id, a->version, changed);
}

static void whole(struct terms *t)
{
    t->set = schema_all(&terms_schema);
    t->scope.set = schema_all(&scope_schema);
}

enum rc agreement_create(struct tx *tx, const struct agreement *fresh, struct agreement *ret)
{
    struct agreement a = *fresh;
    a.id = STR("");
    TRY(fill_in(tx, &a));
    TRY(check(tx, &a, max_i64(tx->now, a.terms.valid_from)));
    a.id = id_new(tx->ids, tx->arena, "agr");
    a.version = 1;
    a.state = AGREEMENT_DRAFT;
    a.ended = 0;
    a.created = tx->now;
    a.changed = tx->now;
    a.terms.number = 1;
    a.terms.offered = 0;
    a.terms.signed_at = 0;
    a.set = schema_all(&agreement_schema) &
            ~(UINT64_C(1) << schema_find(&agreement_schema, STR("offered")));
    a.offered = (struct terms){0};
    whole(&a.terms);
    TRY(row_insert(tx, &a));
    TRY(row_insert_terms(tx, &a));
    TRY(tell(tx, "event.agreement.created", &a, STR("")));
    *ret = a;
    return RC_OK;
}

/* An agreement that can still be acted upon. */
static enum rc get_open(struct tx *tx, struct str id, struct agreement *ret)
{
    TRY(agreement_get(tx, id, ret));
    if (ret->state == AGREEMENT_ENDED)
        return err_set(tx->err, RC_CONFLICT, "agreement '%.*s' has ended", STRF(id));
    return RC_OK;
}

static enum rc change_draft(struct tx *tx, struct agreement *a, const struct agreement *patch)
{
    patch_lay(&agreement_schema, a, patch);
    a->state = AGREEMENT_DRAFT;
    a->terms.offered = 0;
    TRY(fill_in(tx, a));
    struct agreement fresh = *a;
    fresh.id = STR(""); /* nothing can be below it yet */
    TRY(check(tx, &fresh, max_i64(tx->now, fresh.terms.valid_from)));
    a->terms = fresh.terms;
    TRY(row_delete_unsigned(tx, a->id));
    return row_insert_terms(tx, a);
}

/* What new terms begin as: the offer before them, or what would hold without them. */
static enum rc offer_base(struct tx *tx, const struct agreement *a, const struct terms *patch,
                          struct terms *ret)
{
    if (a->offered.number > 0) {
        *ret = a->offered;
        return RC_OK;
    }
    time_us from = max_i64(tx->now, patch->valid_from);
    enum rc rc = agreement_terms_at(tx, a->id, from, ret);
    if (rc == RC_NOT_FOUND) { /* it is signed, and begins later */
        *ret = a->terms;
        rc = RC_OK;
    }
    TRY(rc);
    ret->valid_from = 0;
    ret->document_hash = STR("");
    return RC_OK;
}

static enum rc change_active(struct tx *tx, struct agreement *a, const struct agreement *patch)
{
    uint64_t terms_bit = UINT64_C(1) << schema_find(&agreement_schema, STR("terms"));
    struct agreement next = *a;
    if ((patch->set & ~terms_bit) != 0)
        return err_set(
            tx->err, RC_CONFLICT,
            "of an active agreement only the terms can change: end it, and make another");
    TRY(offer_base(tx, a, &patch->terms, &next.terms));
    patch_lay(&terms_schema, &next.terms, &patch->terms);
    if (!str_eq(next.terms.currency, a->terms.currency))
        return err_set_at(tx->err, RC_INVALID, STR("/terms/currency"),
                          "an agreement keeps its currency: make another");
    TRY(check(tx, &next, max_i64(tx->now, next.terms.valid_from)));
    next.terms.offered = tx->now;
    next.terms.signed_at = 0;
    whole(&next.terms);
    TRY(row_delete_unsigned(tx, a->id));
    TRY(row_next_terms(tx, a->id, &next.terms.number));
    TRY(row_insert_terms(tx, &next));
    a->offered = next.terms;
    set_bit(a, &agreement_schema, "offered");
    return RC_OK;
}

enum rc agreement_change(struct tx *tx, struct str id, int64_t version,
                         const struct agreement *patch, struct agreement *ret)
{
    struct agreement a;
    TRY(get_open(tx, id, &a));
    if (version != 0 && version != a.version)
        return err_set(tx->err, RC_CHANGED,
                       "agreement '%.*s' has version %lld by now, you changed version %lld",
                       STRF(id), (long long)a.version, (long long)version);
    bool told = a.state == AGREEMENT_OFFERED;
    if (a.state == AGREEMENT_ACTIVE)
        TRY(change_active(tx, &a, patch));
    else
        TRY(change_draft(tx, &a, patch));
    TRY(row_update(tx, &a));
    TRY(tell(tx, "event.agreement.changed", &a, patch_names(&agreement_schema, patch, tx->arena)));
    if (told) /* what it was offered is no longer there */
        TRY(event_put(tx, "event.agreement.withdrawn", a.to, "agreement", a.id, a.version,
                      STR("")));
    *ret = a;
    return RC_OK;
}

static enum rc set_offered(struct tx *tx, struct agreement *a, enum agreement_state state)
{
    a->state = state;
    a->terms.offered = state == AGREEMENT_OFFERED ? tx->now : 0;
    TRY(row_delete_unsigned(tx, a->id));
    return row_insert_terms(tx, a);
}

enum rc agreement_offer(struct tx *tx, struct str id, struct agreement *ret)
{
    struct agreement a;
    TRY(get_open(tx, id, &a));
    if (a.state != AGREEMENT_DRAFT)
        return err_set(tx->err, RC_CONFLICT, "agreement '%.*s' is %s already", STRF(id),
                       agreement_states[a.state]);
    TRY(set_offered(tx, &a, AGREEMENT_OFFERED));
    TRY(row_update(tx, &a));
    TRY(tell(tx, "event.agreement.offered", &a, STR("")));
    *ret = a;
    return RC_OK;
}

static enum rc nothing_offered(struct tx *tx, struct str id)
{
    return err_set(tx->err, RC_CONFLICT, "nothing is offered in agreement '%.*s'", STRF(id));
}

enum rc agreement_withdraw(struct tx *tx, struct str id, struct agreement *ret)
{
    struct agreement a;
    TRY(get_open(tx, id, &a));
    if (a.state == AGREEMENT_DRAFT || (a.state == AGREEMENT_ACTIVE && a.offered.number == 0))
        return nothing_offered(tx, id);
    if (a.state == AGREEMENT_OFFERED)
        TRY(set_offered(tx, &a, AGREEMENT_DRAFT));
    else
        TRY(row_delete_unsigned(tx, id));
    a.offered = (struct terms){0};
    a.set &= ~(UINT64_C(1) << schema_find(&agreement_schema, STR("offered")));
    TRY(row_update(tx, &a));
    TRY(event_put(tx, "event.agreement.withdrawn", a.from, "agreement", a.id, a.version, STR("")));
    TRY(event_put(tx, "event.agreement.withdrawn", a.to, "agreement", a.id, a.version, STR("")));
    *ret = a;
    return RC_OK;
}

/* Two that take what the others leave would each take it all. Scopes that differ in something that
 * both name never meet. */
static enum rc check_residual(struct tx *tx, const struct agreement *a)
{
    struct rows rows;
    const struct scope *s = &a->terms.scope;
    size_t residual = terms_residual(&a->terms);
    if (residual == a->terms.rules.count)
        return RC_OK;
    TRY(sql_rows(tx, &rows,
                 "SELECT a.id FROM agreement a JOIN agreement_terms t ON t.agreement = a.id "
                 "WHERE a.from_party = $1 AND a.kind = $3 AND a.id <> $4 AND t.residual = 1 "
                 "AND t.signed_at IS NOT NULL AND (a.ended IS NULL OR a.ended > $2) "
                 "AND NOT " ROW_SUPERSEDED
                 " AND ($5 = '' OR t.scope_item IS NULL OR t.scope_item = $5) "
                 "AND ($6 = '' OR t.scope_category IS NULL OR t.scope_category = $6) "
                 "AND ($7 = '' OR t.scope_asset IS NULL OR t.scope_asset = $7) "
                 "ORDER BY a.id LIMIT 1",
                 V(a->from), V(a->terms.valid_from), V(agreement_kinds[a->kind]), V(a->id),
                 V(s->item), V(s->category), V(s->asset)));
    if (rows.count == 0)
        return RC_OK;
    return err_set_at(tx->err, RC_CONFLICT, arena_fmt(tx->arena, "/terms/rules/%zu/kind", residual),
                      "another agreement of the maker takes what is left of the same thing");
}

static enum rc sign(struct tx *tx, struct agreement *a)
{
    bool first = a->state == AGREEMENT_OFFERED;
    struct agreement next = *a;
    if (!first && a->offered.number == 0)
        return nothing_offered(tx, a->id);
    if (!first)
        next.terms = a->offered;
    next.terms.valid_from = max_i64(next.terms.valid_from, tx->now);
    if (a->ended != 0 && a->ended <= next.terms.valid_from)
        return err_set(tx->err, RC_CONFLICT, "agreement '%.*s' ends before that", STRF(a->id));
    TRY(check(tx, &next, next.terms.valid_from));
    TRY(check_residual(tx, &next));
    next.terms.signed_at = tx->now;
    next.state = AGREEMENT_ACTIVE;
    TRY(row_delete_unsigned(tx, a->id));
    TRY(row_insert_terms(tx, &next));
    TRY(row_update(tx, &next));
    TRY(tell(tx, "event.agreement.signed", &next, STR("")));
    return agreement_get(tx, a->id, a);
}

enum rc agreement_sign(struct tx *tx, struct str id, struct agreement *ret)
{
    struct agreement a;
    TRY(get_open(tx, id, &a));
    TRY(sign(tx, &a));
    *ret = a;
    return RC_OK;
}

enum rc agreement_sign_for(struct tx *tx, struct str id, struct agreement *ret)
{
    struct agreement a;
    struct list members;
    TRY(get_open(tx, id, &a));
    TRY(member_list(tx, a.to, &members));
    if (members.count > 0)
        return err_set(tx->err, RC_CONFLICT, "the other side has members of its own: they sign");
    if (a.state == AGREEMENT_ACTIVE ? a.offered.self_billing : a.terms.self_billing)
        return err_set(tx->err, RC_FORBIDDEN,
                       "only the party itself can consent that its invoices are written for it");
    TRY(sign(tx, &a));
    *ret = a;
    return RC_OK;
}

/* --- the end --- */

enum rc agreement_end(struct tx *tx, struct str id, time_us at, struct agreement *ret)
{
    struct agreement a;
    TRY(get_open(tx, id, &a));
    time_us end = max_i64(at, tx->now);
    bool active = a.state == AGREEMENT_ACTIVE;
    if (!active)
        end = tx->now;
    if (a.ended != 0 && end > a.ended)
        return err_set(tx->err, RC_CONFLICT, "agreement '%.*s' ends before that already", STRF(id));
    if (active && a.kind == AGREEMENT_SUPPLY)
        TRY(supply_check_end(tx, &a, end));
    a.ended = end;
    bool told = a.state != AGREEMENT_DRAFT;
    if (end <= tx->now)
        a.state = AGREEMENT_ENDED;
    TRY(row_update(tx, &a));
    TRY(event_put(tx, "event.agreement.ended", a.from, "agreement", a.id, a.version, STR("")));
    if (told)
        TRY(event_put(tx, "event.agreement.ended", a.to, "agreement", a.id, a.version, STR("")));
    *ret = a;
    return RC_OK;
}
