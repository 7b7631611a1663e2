#include "channel/supply_check.h"

#include "base/map.h"
#include "channel/agreement_row.h"

enum { CHECK_INSTANTS_MAX = 10000 }; /* changes that are known ahead along one path */

enum rc supply_step_at(struct tx *tx, struct str agreement, time_us at, struct supply_step *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT a.from_party, a.to_party, t.number, t.currency, t.upstream, t.book, "
                 "t.settle, t.tax, t.payment_days FROM agreement a "
                 "JOIN agreement_terms t ON t.agreement = a.id "
                 "WHERE a.id = $1 AND a.kind = 'supply' AND (a.ended IS NULL OR a.ended > $2) "
                 "AND t.signed_at IS NOT NULL AND t.valid_from <= $2 "
                 "ORDER BY t.valid_from DESC, t.number DESC LIMIT 1",
                 V(agreement), V(at)));
    *ret = (struct supply_step){.found = rows.count > 0};
    if (rows.count == 0)
        return RC_OK;
    ret->upstream = row_str(&rows, 0, 4);
    ret->currency = row_str(&rows, 0, 3);
    ret->edge = (struct supply_edge){
        .agreement = agreement,
        .terms = row_int(&rows, 0, 2),
        .seller = row_str(&rows, 0, 0),
        .buyer = row_str(&rows, 0, 1),
        .book = row_str(&rows, 0, 5),
        .settle = (enum settle_mode)row_word(settle_modes, row_str(&rows, 0, 6)),
        .tax = (enum tax_treatment)row_word(tax_treatments, row_str(&rows, 0, 7)),
        .payment_days = row_int(&rows, 0, 8),
    };
    return RC_OK;
}

enum rc supply_next_change(struct tx *tx, struct str agreement, time_us after, time_us *ret)
{
    struct rows rows;
    time_us next = INT64_MAX;
    TRY(sql_rows(tx, &rows,
                 "SELECT (SELECT MIN(t.valid_from) FROM agreement_terms t WHERE t.agreement = a.id "
                 "AND t.signed_at IS NOT NULL AND t.valid_from > $2), a.ended "
                 "FROM agreement a WHERE a.id = $1",
                 V(agreement), V(after)));
    if (rows.count > 0 && !row_null(&rows, 0, 0))
        next = row_int(&rows, 0, 0);
    if (rows.count > 0 && row_int(&rows, 0, 1) > after)
        next = min_i64(next, row_int(&rows, 0, 1));
    *ret = next;
    return RC_OK;
}

/* --- downwards --- */

/* What lies below, by all that holds at an instant or is signed for later. */
struct below {
    struct map buyers; /* by id, the agreement's own buyer too */
    size_t height;     /* levels */
};

static enum rc add_buyer(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct below *below = arg;
    ASSERT(columns == 2);
    if (map_get(&below->buyers, cells[0].text) == NULL)
        (void)map_put(&below->buyers, arena_str(tx->arena, cells[0].text), below);
    below->height = max_size(below->height, (size_t)cells[1].number);
    return RC_OK;
}

static enum rc read_below(struct tx *tx, const struct agreement *a, time_us from, struct below *ret)
{
    static const uint64_t seed[2] = {1, 2}; /* the keys are ids that we made */
    const struct value self[] = {V(a->to), V((int64_t)0)};
    map_init(&ret->buyers, tx->arena, seed);
    ret->height = 0;
    TRY(add_buyer(tx, self, COUNT(self), ret));
    if (a->id.n == 0)
        return RC_OK;
    return sql_each(tx, add_buyer, ret,
                    "WITH RECURSIVE below (agreement, depth) AS ("
                    "SELECT a.id, CAST(0 AS BIGINT) FROM agreement a WHERE a.id = $1 "
                    "UNION SELECT t.agreement, b.depth + 1 FROM below b "
                    "JOIN agreement_terms t ON t.upstream = b.agreement "
                    "JOIN agreement c ON c.id = t.agreement "
                    "WHERE t.signed_at IS NOT NULL "
                    "AND (c.ended IS NULL OR (c.ended > $2 AND c.ended > t.valid_from)) "
                    "AND b.depth < $3 AND NOT " ROW_SUPERSEDED ") SELECT c.to_party, MAX(b.depth) "
                    "FROM below b JOIN agreement c ON c.id = b.agreement GROUP BY c.to_party "
                    "ORDER BY c.to_party",
                    V(a->id), V(from), V(SUPPLY_DEPTH_MAX));
}

/* --- upwards --- */

/* why: the end of the sentence. Of the path above no more is told than that. */
static enum rc refuse_upstream(struct tx *tx, const char *why, struct str upstream)
{
    return err_set_at(tx->err, RC_INVALID, STR("/terms/upstream"), "the agreement '%.*s' %s",
                      STRF(upstream), why);
}

/* How many edges lie above at an instant, and when that may next be otherwise. below: who buys by
 * the agreement, or further down. */
static enum rc climb(struct tx *tx, const struct agreement *a, time_us at, const struct map *below,
                     size_t *ret_depth, time_us *ret_next)
{
    struct str id = a->terms.upstream;
    size_t depth = 0;
    *ret_next = INT64_MAX;
    while (id.n > 0) {
        struct supply_step step;
        time_us next = 0;
        if (str_eq(id, a->id))
            return refuse_upstream(tx, "would come to buy from itself", a->terms.upstream);
        if (++depth >= SUPPLY_DEPTH_MAX)
            return err_set_at(tx->err, RC_INVALID, STR("/terms/upstream"),
                              "a supply path has at most %d agreements", SUPPLY_DEPTH_MAX);
        TRY(supply_step_at(tx, id, at, &step));
        if (!step.found)
            return refuse_upstream(tx, "has no whole path above it all the time from then on",
                                   a->terms.upstream);
        if (map_get(below, step.edge.seller) != NULL || map_get(below, step.edge.buyer) != NULL)
            return refuse_upstream(tx, "leads to a path on which a party would be twice",
                                   a->terms.upstream);
        TRY(supply_next_change(tx, id, at, &next));
        *ret_next = min_i64(*ret_next, next);
        id = step.upstream;
    }
    *ret_depth = depth;
    return RC_OK;
}

/* Until when the terms would hold: until later ones that are signed already. */
static enum rc held_until(struct tx *tx, const struct agreement *a, time_us from, time_us *ret)
{
    *ret = INT64_MAX;
    return a->id.n > 0 ? supply_next_change(tx, a->id, from, ret) : RC_OK;
}

/* --- both --- */

static enum rc check_top(struct tx *tx, const struct agreement *a)
{
    struct party operator_party;
    TRY(party_operator(tx, &operator_party));
    return str_eq(operator_party.id, a->from)
               ? RC_OK
               : err_set_at(tx->err, RC_INVALID, STR("/terms/upstream"),
                            "only the operator sells without buying: name the agreement by which "
                            "the seller buys");
}

static enum rc check_upstream(struct tx *tx, const struct agreement *a)
{
    struct agreement up;
    enum rc rc = agreement_get(tx, a->terms.upstream, &up);
    if (rc == RC_NOT_FOUND)
        return refuse_upstream(tx, "is not there", a->terms.upstream);
    TRY(rc);
    /* Of agreements that are not the seller's nothing is told. */
    if (!str_eq(up.to, a->from) || up.kind != AGREEMENT_SUPPLY)
        return refuse_upstream(tx, "is none by which the seller buys", a->terms.upstream);
    if (up.state != AGREEMENT_ACTIVE || up.ended != 0)
        return refuse_upstream(tx, "is not active, or comes to an end", a->terms.upstream);
    if (!str_eq(up.terms.currency, a->terms.currency))
        return err_set_at(tx->err, RC_INVALID, STR("/terms/currency"),
                          "a supply path has one currency: %.*s", STRF(up.terms.currency));
    return RC_OK;
}

enum rc supply_check(struct tx *tx, const struct agreement *a, time_us from)
{
    time_us until = 0;
    size_t deepest = 0;
    struct below below;
    if (a->terms.upstream.n == 0)
        return check_top(tx, a);
    TRY(check_upstream(tx, a));
    TRY(read_below(tx, a, from, &below));
    TRY(held_until(tx, a, from, &until));
    size_t instants = 0;
    for (time_us at = from; at < until;) {
        size_t depth = 0;
        if (++instants > CHECK_INSTANTS_MAX)
            return err_set(tx->err, RC_CONFLICT, "too many changes are signed for on this path");
        TRY(climb(tx, a, at, &below.buyers, &depth, &at));
        deepest = max_size(deepest, depth);
    }
    if (deepest + 1 + below.height > SUPPLY_DEPTH_MAX)
        return err_set_at(tx->err, RC_INVALID, STR("/terms/upstream"),
                          "a supply path has at most %d agreements", SUPPLY_DEPTH_MAX);
    return RC_OK;
}

enum rc supply_check_end(struct tx *tx, const struct agreement *a, time_us at)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT t.agreement FROM agreement_terms t JOIN agreement c ON c.id = t.agreement "
                 "WHERE t.upstream = $1 AND t.signed_at IS NOT NULL "
                 "AND (c.ended IS NULL OR (c.ended > $2 AND c.ended > t.valid_from)) "
                 "AND NOT " ROW_SUPERSEDED " ORDER BY t.agreement LIMIT 1",
                 V(a->id), V(at)));
    if (rows.count == 0)
        return RC_OK;
    /* To whom the buyer sells is not the seller's to know. */
    return err_set(tx->err, RC_CONFLICT, "the buyer sells on under this agreement at that time");
}
