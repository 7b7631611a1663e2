#include "channel/supply.h"

#include "channel/agreement_row.h"
#include "channel/supply_check.h"

enum {
    EDGES_TEXT_MAX = SUPPLY_DEPTH_MAX * (ID_TEXT_MAX + 24),
    PATH_PARTIES_MAX = SUPPLY_DEPTH_MAX + 1,
    CHANGES_FIRST = 8,
};

/* --- the path --- */

/* From the bottom up, as far as it is in force. *ret_whole: up to the operator; else *ret_broken is
 * the agreement that is not in force. */
static enum rc climb(struct tx *tx, struct str agreement, time_us at, struct supply_path *ret,
                     struct str *ret_broken)
{
    struct supply_edge edges[SUPPLY_DEPTH_MAX] = {0};
    struct str id = agreement;
    size_t count = 0;
    *ret_broken = STR("");
    *ret = (struct supply_path){0};
    while (id.n > 0) {
        struct supply_step step;
        TRY(supply_step_at(tx, id, at, &step));
        if (!step.found) {
            *ret_broken = id;
            break;
        }
        ASSERT(count < SUPPLY_DEPTH_MAX); /* supply_check */
        edges[count++] = step.edge;
        ret->currency = step.currency;
        id = step.upstream;
    }
    ret->count = count;
    for (size_t i = 0; i < count; i++)
        ret->edges[i] = edges[count - 1 - i];
    return RC_OK;
}

enum rc supply_path_at(struct tx *tx, struct str agreement, time_us at, struct supply_path *ret)
{
    struct str broken;
    struct supply_path path;
    TRY(climb(tx, agreement, at, &path, &broken));
    if (broken.n > 0)
        return err_set(tx->err, RC_NOT_FOUND,
                       str_eq(broken, agreement) ? "the agreement '%.*s' is not in force then"
                                                 : "an agreement above '%.*s' is not in force then",
                       STRF(agreement));
    ASSERT(path.count > 0);
    *ret = path;
    return RC_OK;
}

/* --- when it changes --- */

enum rc supply_book_changes(struct tx *tx, struct str book, time_us after, time_us *next)
{
    struct rows rows;
    if (book.n == 0)
        return RC_OK;
    TRY(sql_rows(tx, &rows,
                 "SELECT (SELECT MIN(e.valid_from) FROM price_entry e WHERE e.book = $1 "
                 "AND e.valid_from > $2), (SELECT MIN(g.valid_from) FROM price_guard g "
                 "WHERE g.book = $1 AND g.valid_from > $2)",
                 V(book), V(after)));
    for (size_t c = 0; c < 2; c++)
        if (!row_null(&rows, 0, c))
            *next = min_i64(*next, row_int(&rows, 0, c));
    return RC_OK;
}

/* The first instant after one at which something on the path, or what breaks it, changes. */
static enum rc next_change(struct tx *tx, struct str agreement, time_us after, time_us *ret)
{
    struct supply_path path;
    struct str broken;
    time_us next = INT64_MAX;
    time_us other = 0;
    TRY(climb(tx, agreement, after, &path, &broken));
    for (size_t i = 0; i < path.count; i++) {
        TRY(supply_next_change(tx, path.edges[i].agreement, after, &other));
        next = min_i64(next, other);
        TRY(supply_book_changes(tx, path.edges[i].book, after, &next));
    }
    if (broken.n > 0) {
        TRY(supply_next_change(tx, broken, after, &other));
        next = min_i64(next, other);
    }
    *ret = next;
    return RC_OK;
}

/* Room for one more: most paths never change, and their arena is that of a whole close. */
static time_us *grow(struct arena *arena, time_us *found, size_t count, size_t *room)
{
    if (count < *room)
        return found;
    *room = max_size(CHANGES_FIRST, *room * 2);
    time_us *more = NEW_N(arena, time_us, *room);
    if (count > 0)
        memcpy(more, found, count * sizeof *found);
    return more;
}

enum rc supply_changes(struct tx *tx, struct str agreement, time_us from, time_us until,
                       time_us **ret_at, size_t *ret_count)
{
    time_us *found = NULL;
    size_t count = 0;
    size_t room = 0;
    for (time_us at = from;;) {
        TRY(next_change(tx, agreement, at, &at));
        if (at >= until)
            break;
        if (count == SUPPLY_CHANGES_MAX)
            return err_set(tx->err, RC_TOO_LARGE,
                           "the path of agreement '%.*s' changes more than %d times in that time",
                           STRF(agreement), SUPPLY_CHANGES_MAX);
        found = grow(tx->arena, found, count, &room);
        found[count++] = at;
    }
    *ret_at = found;
    *ret_count = count;
    return RC_OK;
}

/* --- numbers --- */

static struct str edges_text(const struct supply_path *path, struct arena *arena)
{
    struct buf b;
    buf_init(&b, arena, EDGES_TEXT_MAX);
    for (size_t i = 0; i < path->count; i++)
        buf_fmt(&b, "%s%.*s:%lld", i > 0 ? "/" : "", STRF(path->edges[i].agreement),
                (long long)path->edges[i].terms);
    ASSERT(!b.full);
    return buf_str(&b);
}

enum { PATH_COLUMNS = 3, EDGE_COLUMNS = 4 };

/* Paths that nobody has numbered. texts[i]: of paths[i]; ret[i] 0: to be given. */
static enum rc insert_paths(struct tx *tx, const struct supply_path *const *paths,
                            const struct str *texts, size_t count, int64_t *ret)
{
    struct rows rows;
    size_t made = 0;
    size_t edges = 0;
    struct value *v = NEW_N(tx->arena, struct value, count * PATH_COLUMNS);
    struct value *e = NEW_N(tx->arena, struct value, count * SUPPLY_DEPTH_MAX * EDGE_COLUMNS);
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(number), 0) FROM supply_path"));
    int64_t last = row_int(&rows, 0, 0);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i && ret[i] == 0; k++)
            if (ret[k] > last && str_eq(texts[k], texts[i]))
                ret[i] = ret[k];
        if (ret[i] > 0)
            continue;
        ret[i] = last + (int64_t)++made;
        const struct value row[] = {V(ret[i]), V(texts[i]), V(paths[i]->currency)};
        memcpy(v + (made - 1) * PATH_COLUMNS, row, sizeof row);
        for (size_t k = 0; k < paths[i]->count; k++) {
            const struct supply_edge *edge = &paths[i]->edges[k];
            const struct value cells[] = {V(ret[i]), V(k), V(edge->agreement), V(edge->terms)};
            memcpy(e + edges++ * EDGE_COLUMNS, cells, sizeof cells);
        }
    }
    TRY(sql_insert(tx, "INSERT INTO supply_path (number, edges, currency) VALUES ($1, $2, $3)", v,
                   PATH_COLUMNS, made));
    return sql_insert(tx,
                      "INSERT INTO supply_path_edge (path, seq, agreement, terms) "
                      "VALUES ($1, $2, $3, $4)",
                      e, EDGE_COLUMNS, edges);
}

static enum rc number_group(struct tx *tx, const struct supply_path *const *paths, size_t count,
                            int64_t *ret)
{
    struct rows rows;
    struct str texts[SQL_KEYS_MAX];
    struct value args[SQL_KEYS_MAX];
    bool whole = true;
    for (size_t i = 0; i < SQL_KEYS_MAX; i++) {
        if (i < count)
            texts[i] = edges_text(paths[i], tx->arena);
        args[i] = i < count ? V(texts[i]) : SQL_NULL;
    }
    TRY(sql_rows_n(tx, &rows,
                   "SELECT edges, number FROM supply_path WHERE edges IN (" SQL_KEYS ") "
                   "ORDER BY number",
                   args, SQL_KEYS_MAX));
    for (size_t i = 0; i < count; i++) {
        ret[i] = 0;
        for (size_t k = 0; k < rows.count && ret[i] == 0; k++)
            if (str_eq(row_str(&rows, k, 0), texts[i]))
                ret[i] = row_int(&rows, k, 1);
        whole = whole && ret[i] > 0;
    }
    return whole ? RC_OK : insert_paths(tx, paths, texts, count, ret);
}

enum rc supply_path_numbers(struct tx *tx, const struct supply_path *const *paths, size_t count,
                            int64_t *ret)
{
    for (size_t at = 0; at < count; at += SQL_KEYS_MAX)
        TRY(number_group(tx, paths + at, min_size(SQL_KEYS_MAX, count - at), ret + at));
    return RC_OK;
}

enum rc supply_path_number(struct tx *tx, const struct supply_path *path, int64_t *ret)
{
    ASSERT(path->count >= 1 && path->count <= SUPPLY_DEPTH_MAX);
    return supply_path_numbers(tx, &path, 1, ret);
}

enum rc supply_path_get(struct tx *tx, int64_t number, struct supply_path *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT e.agreement, e.terms, a.from_party, a.to_party, t.book, t.settle, t.tax, "
                 "t.payment_days, t.currency FROM supply_path_edge e "
                 "JOIN agreement a ON a.id = e.agreement "
                 "JOIN agreement_terms t ON t.agreement = e.agreement AND t.number = e.terms "
                 "WHERE e.path = $1 ORDER BY e.seq LIMIT $2",
                 V(number), V(SUPPLY_DEPTH_MAX)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no supply path %lld", (long long)number);
    struct supply_path path = {.currency = row_str(&rows, 0, 8), .count = rows.count};
    for (size_t i = 0; i < rows.count; i++)
        path.edges[i] = (struct supply_edge){
            .agreement = row_str(&rows, i, 0),
            .terms = row_int(&rows, i, 1),
            .seller = row_str(&rows, i, 2),
            .buyer = row_str(&rows, i, 3),
            .book = row_str(&rows, i, 4),
            .settle = (enum settle_mode)row_word(settle_modes, row_str(&rows, i, 5)),
            .tax = (enum tax_treatment)row_word(tax_treatments, row_str(&rows, i, 6)),
            .payment_days = row_int(&rows, i, 7),
        };
    *ret = path;
    return RC_OK;
}

enum rc supply_paths_with(struct tx *tx, struct str agreement, int64_t after, int64_t limit,
                          int64_t **ret, size_t *ret_count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT path FROM supply_path_edge WHERE agreement = $1 AND path > $2 ORDER BY "
                 "path LIMIT $3",
                 V(agreement), V(after), V(limit)));
    int64_t *numbers = NEW_N(tx->arena, int64_t, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        numbers[i] = row_int(&rows, i, 0);
    *ret = numbers;
    *ret_count = rows.count;
    return RC_OK;
}

/* --- referrals --- */

static bool pays_on(const struct agreement *a, const struct supply_path *path)
{
    const struct scope *s = &a->terms.scope;
    bool sells = false;
    bool buys = s->party.n == 0;
    for (size_t i = 0; i < path->count; i++) {
        sells = sells || str_eq(path->edges[i].seller, a->from);
        if (s->subtree || i + 1 == path->count)
            buys = buys || str_eq(path->edges[i].buyer, s->party);
    }
    return sells && buys;
}

/* All parties of the path, the last one again where there are fewer than can be: so that one
 * prepared statement serves all paths. */
static void parties_of(const struct supply_path *path, struct value args[PATH_PARTIES_MAX])
{
    args[0] = V(path->edges[0].seller);
    for (size_t i = 1; i < PATH_PARTIES_MAX; i++)
        args[i] = V(path->edges[min_size(i, path->count) - 1].buyer);
}

enum rc supply_referrals(struct tx *tx, const struct supply_path *path, time_us at,
                         struct list *ret)
{
    struct rows rows;
    struct value args[PATH_PARTIES_MAX + 2];
    size_t count = 0;
    _Static_assert(PATH_PARTIES_MAX == 17, "the statement names as many");
    ASSERT(path->count >= 1 && path->count <= SUPPLY_DEPTH_MAX);
    parties_of(path, args);
    args[PATH_PARTIES_MAX] = args[1];
    args[1] = V(at); /* $2, as ROW_SUPERSEDED has it */
    args[PATH_PARTIES_MAX + 1] = V(AGREEMENT_LIST_MAX + 1);
    TRY(sql_rows_n(tx, &rows,
                   "SELECT " ROW_AGREEMENT ", " ROW_TERMS " FROM agreement_terms t "
                   "JOIN agreement a ON a.id = t.agreement WHERE t.counts IN ($1, $18, $3, $4, $5, "
                   "$6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) "
                   "AND (a.ended IS NULL OR a.ended > $2) AND t.signed_at IS NOT NULL "
                   "AND t.valid_from <= $2 AND NOT " ROW_SUPERSEDED " ORDER BY a.id LIMIT $19",
                   args, COUNT(args)));
    if (rows.count > AGREEMENT_LIST_MAX)
        return err_set(tx->err, RC_TOO_LARGE, "more than %d referrals may pay on one path",
                       AGREEMENT_LIST_MAX);
    struct agreement *items = NEW_N(tx->arena, struct agreement, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        struct agreement *a = &items[count];
        TRY(row_active(tx, &rows, i, a));
        count += pays_on(a, path) ? 1 : 0;
    }
    *ret = (struct list){items, count};
    return RC_OK;
}

enum rc supply_referrals_few(struct tx *tx, time_us at, struct list *ret, bool *ret_few)
{
    struct list list;
    TRY(agreement_active_first(tx, AGREEMENT_REFERRAL, STR(""), at, SUPPLY_REFERRALS_FEW + 1,
                               &list));
    *ret_few = list.count <= SUPPLY_REFERRALS_FEW;
    *ret = *ret_few ? list : (struct list){0};
    return RC_OK;
}

struct list supply_referrals_among(const struct list *few, const struct supply_path *path,
                                   struct arena *arena)
{
    const struct agreement *all = few->items;
    const struct agreement *paying[SUPPLY_REFERRALS_FEW];
    size_t count = 0;
    ASSERT(few->count <= SUPPLY_REFERRALS_FEW);
    for (size_t i = 0; i < few->count; i++)
        if (pays_on(&all[i], path))
            paying[count++] = &all[i];
    struct agreement *items = NEW_N(arena, struct agreement, count);
    for (size_t i = 0; i < count; i++)
        items[i] = *paying[i];
    return (struct list){items, count};
}
