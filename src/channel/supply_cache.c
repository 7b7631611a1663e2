/* What lies above the last edge of very many paths. */
#include "base/map.h"
#include "channel/agreement_row.h"
#include "channel/supply_check.h"

enum { KEY_MAX = ID_TEXT_MAX + 48, MAP_SEED = 2 };

/* What is above, for a time. */
struct steady {
    bool steady;
    struct supply_path path;
};

struct supply_cache {
    struct tx *tx;
    struct map steady; /* "AGREEMENT/FROM/UNTIL": struct steady */
    struct map edges;  /* "AGREEMENT:TERMS": struct supply_edge */
};

struct supply_cache *supply_cache_new(struct tx *tx)
{
    static const uint64_t seed[MAP_SEED] = {5, 6}; /* keys are our own ids and numbers */
    struct supply_cache *c = NEW(tx->arena, struct supply_cache);
    c->tx = tx;
    map_init(&c->steady, tx->arena, seed);
    map_init(&c->edges, tx->arena, seed);
    return c;
}

/* --- steady paths --- */

static enum rc look(struct tx *tx, struct str agreement, time_us from, time_us until,
                    struct steady *ret)
{
    time_us *changes = NULL;
    size_t count = 0;
    *ret = (struct steady){0};
    TRY(supply_changes(tx, agreement, from, until, &changes, &count));
    if (count > 0)
        return RC_OK;
    enum rc rc = supply_path_at(tx, agreement, from, &ret->path);
    if (rc == RC_NOT_FOUND)
        err_clear(tx->err);
    ret->steady = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc find_steady(struct supply_cache *c, struct str agreement, time_us from,
                           time_us until, const struct steady **ret)
{
    char text[KEY_MAX];
    int n = snprintf(text, sizeof text, "%.*s/%lld/%lld", STRF(agreement), (long long)from,
                     (long long)until);
    ASSERT(n > 0 && n < KEY_MAX);
    struct str key = str_n(text, (size_t)n);
    struct steady *found = map_get(&c->steady, key);
    if (found == NULL) {
        found = NEW(c->tx->arena, struct steady);
        TRY(look(c->tx, agreement, from, until, found));
        (void)map_put(&c->steady, arena_str(c->tx->arena, key), found); /* was not there */
    }
    *ret = found;
    return RC_OK;
}

enum rc supply_steady(struct supply_cache *c, struct str agreement, time_us from, time_us until,
                      bool *ret_steady, struct supply_path *ret)
{
    struct supply_step last;
    const struct steady *above = NULL;
    time_us next = INT64_MAX;
    *ret_steady = false;
    TRY(supply_step_at(c->tx, agreement, from, &last));
    if (!last.found || last.upstream.n == 0)
        return RC_OK;
    TRY(supply_next_change(c->tx, agreement, from, &next));
    TRY(supply_book_changes(c->tx, last.edge.book, from, &next));
    if (next < until)
        return RC_OK;
    TRY(find_steady(c, last.upstream, from, until, &above));
    if (!above->steady)
        return RC_OK;
    ASSERT(above->path.count < SUPPLY_DEPTH_MAX); /* supply_check */
    *ret = above->path;
    ret->currency = last.currency;
    ret->edges[ret->count++] = last.edge;
    *ret_steady = true;
    return RC_OK;
}

/* --- paths by their number --- */

static enum rc read_edge(struct tx *tx, struct str agreement, int64_t terms,
                         struct supply_edge *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT a.from_party, a.to_party, t.book, t.settle, t.tax, t.payment_days FROM "
                 "agreement a JOIN agreement_terms t ON t.agreement = a.id WHERE a.id = $1 AND "
                 "t.number = $2",
                 V(agreement), V(terms)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there are no terms %lld of '%.*s'", (long long)terms,
                       STRF(agreement));
    *ret = (struct supply_edge){
        .agreement = agreement,
        .terms = terms,
        .seller = row_str(&rows, 0, 0),
        .buyer = row_str(&rows, 0, 1),
        .book = row_str(&rows, 0, 2),
        .settle = (enum settle_mode)row_word(settle_modes, row_str(&rows, 0, 3)),
        .tax = (enum tax_treatment)row_word(tax_treatments, row_str(&rows, 0, 4)),
        .payment_days = row_int(&rows, 0, 5),
    };
    return RC_OK;
}

/* text: "AGREEMENT:TERMS", as supply_path keeps it; it lives as long as the cache. */
static enum rc find_edge(struct supply_cache *c, struct str text, const struct supply_edge **ret)
{
    struct supply_edge *edge = map_get(&c->edges, text);
    if (edge == NULL) {
        int64_t terms = 0;
        size_t colon = 0;
        while (colon < text.n && text.p[colon] != ':')
            colon++;
        bool ok =
            colon < text.n && str_to_i64(str_sub(text, colon + 1, text.n), 1, INT64_MAX, &terms);
        ASSERT(ok); /* the store holds no other */
        edge = NEW(c->tx->arena, struct supply_edge);
        TRY(read_edge(c->tx, str_sub(text, 0, colon), terms, edge));
        (void)map_put(&c->edges, text, edge); /* was not there */
    }
    *ret = edge;
    return RC_OK;
}

enum rc supply_cache_get(struct supply_cache *c, int64_t number, struct supply_path *ret)
{
    struct rows rows;
    TRY(sql_rows(c->tx, &rows, "SELECT edges, currency FROM supply_path WHERE number = $1",
                 V(number)));
    if (rows.count == 0)
        return err_set(c->tx->err, RC_NOT_FOUND, "there is no supply path %lld", (long long)number);
    struct supply_path path = {.currency = row_str(&rows, 0, 1)};
    struct str edges = row_str(&rows, 0, 0);
    for (size_t at = 0; at < edges.n;) {
        const struct supply_edge *edge = NULL;
        size_t end = at;
        while (end < edges.n && edges.p[end] != '/')
            end++;
        ASSERT(path.count < SUPPLY_DEPTH_MAX);
        TRY(find_edge(c, str_sub(edges, at, end), &edge));
        path.edges[path.count++] = *edge;
        at = end + 1;
    }
    *ret = path;
    return RC_OK;
}
