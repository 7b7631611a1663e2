/* The step that rates: subscriptions in the order of the walk, so that a client's lines follow one
 * another; then what came late for those that the walk did not meet. */
#include "billing/close_inside.h"
#include "billing/rated_row.h"

enum { SUMS_MAX = 2 * SUPPLY_DEPTH_MAX, MAP_SEED = 2, LINES_FIRST = 8 };

/* All that is late of one subscription, or where a close missed it. */
struct waiting {
    size_t count;
    const struct late *late; /* by meter and window */
    bool missed;
    time_us missed_since;
    bool taken;
};

/* What an agreement above the last one is owed for one kind of income. */
struct upstream {
    const struct supply_edge *edge;
    struct str income;
    enum tax_class tax_class;
    bool tax_included;
    bool deferred;
    int64_t path;
    int64_t edge_number;
    int64_t amount;
};

struct chunk {
    struct tx *tx;
    struct close_row *row;
    struct close_found *found;
    struct rater *r;
    bool keep; /* not dry */
    struct map waiting;
    struct map upstream;
    struct str last_agreement; /* dry: to count the clients */
    /* Where the lines of the path and kind that was last met are added up. */
    const struct supply_path *sum_path;
    struct upstream *sums[SUMS_MAX];
};

/* Lines of one subscription. */
struct batch {
    struct rated_line *lines;
    size_t count;
    size_t room;
    struct window *ahead; /* billed ahead, or cut since: kept with the lines */
    size_t ahead_count;
    struct late *late; /* what was late and is not any more */
    size_t late_count;
};

static void batch_add(struct batch *b, struct arena *arena, struct rated_line *lines, size_t count)
{
    if (b->count == 0) { /* most have one window alone: nothing is copied */
        b->lines = lines;
        b->count = b->room = count;
    }
    if (count == 0 || b->lines == lines)
        return;
    if (b->count + count > b->room) {
        size_t room = max_size(max_size(LINES_FIRST, b->room * 2), b->count + count);
        struct rated_line *more = NEW_N(arena, struct rated_line, room);
        if (b->count > 0)
            memcpy(more, b->lines, b->count * sizeof *more);
        b->lines = more;
        b->room = room;
    }
    memcpy(b->lines + b->count, lines, count * sizeof *lines);
    b->count += count;
}

/* --- what waits --- */

static struct waiting *waiting_of(struct chunk *c, struct str subscription)
{
    struct waiting *w = map_get(&c->waiting, subscription);
    if (w == NULL) {
        w = NEW(c->tx->arena, struct waiting);
        (void)map_put(&c->waiting, subscription, w); /* was not there */
    }
    return w;
}

static int by_subscription(const void *a, const void *b)
{
    const struct late *x = a;
    const struct late *y = b;
    int order = str_cmp(x->subscription, y->subscription);
    if (order != 0)
        return order;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->meter > y->meter) - (x->meter < y->meter);
}

static enum rc load_waiting(struct chunk *c)
{
    struct late *late = NULL;
    size_t count = 0;
    struct rows rows;
    TRY(total_late(c->tx, CLOSE_LATE_MAX, &late, &count));
    if (count > 1)
        qsort(late, count, sizeof *late, by_subscription);
    for (size_t i = 0; i < count;) {
        struct waiting *w = waiting_of(c, late[i].subscription);
        w->late = &late[i];
        while (i < count && str_eq(late[i].subscription, w->late->subscription)) {
            w->count++;
            i++;
        }
    }
    TRY(sql_rows(c->tx, &rows,
                 "SELECT subscription, since FROM close_missed ORDER BY subscription LIMIT $1",
                 V((int64_t)CLOSE_LATE_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        struct waiting *w = waiting_of(c, row_str(&rows, i, 0));
        w->missed = true;
        w->missed_since = row_int(&rows, i, 1);
    }
    return RC_OK;
}

/* --- windows --- */

static enum rc rate_one(struct chunk *c, const struct rate_request *q, struct batch *b)
{
    struct rated_line *lines = NULL;
    size_t count = 0;
    TRY(rate_window(c->r, q, &lines, &count));
    batch_add(b, c->tx->arena, lines, count);
    return RC_OK;
}

/* From where its windows were not billed. */
static time_us since_of(const struct chunk *c, const struct waiting *w)
{
    bool missed = w != NULL && w->missed;
    return missed ? min_i64(w->missed_since, c->row->since) : c->row->since;
}

static enum rc needs_of(struct chunk *c, const struct subscription_facts *f, struct plan_needs *ret)
{
    struct plan_needs all = {0};
    for (size_t i = 0; i < f->term_count; i++) {
        struct plan_needs one;
        TRY(rate_needs(c->r, f->terms[i].plan, f->terms[i].plan_number, &one));
        all.usage = all.usage || one.usage;
        all.descendants = all.descendants || one.descendants;
        all.advance = all.advance || one.advance;
    }
    *ret = all;
    return RC_OK;
}

/* The totals of one window among those of many. Usage that was added up since this close began is
 * late already: the next close bills it. */
static size_t pick_totals(const struct chunk *c, const struct waiting *w, const struct total *all,
                          size_t count, const struct window *window, struct total *ret)
{
    size_t picked = 0;
    bool mine = window->until > c->row->since;
    for (size_t i = 0; i < count; i++) {
        if (all[i].from != window->from)
            continue;
        ret[picked] = all[i];
        for (size_t k = 0; mine && w != NULL && k < w->count; k++)
            if (w->late[k].meter == all[i].meter && w->late[k].from == all[i].from)
                ret[picked].quantity = w->late[k].billed;
        picked++;
    }
    return picked;
}

static enum rc rate_ended(struct chunk *c, const struct subscription_facts *f,
                          const struct plan_needs *needs, const struct waiting *w, struct batch *b)
{
    struct window *windows = NULL;
    time_us since = since_of(c, w);
    struct total *totals = NULL;
    size_t total_count = 0;
    size_t count = 0;
    time_us before = c->row->end;
    /* What is sold once is billed when it begins: its only period may never end. */
    TRY(subscription_windows(f, since, before, f->once, c->tx->arena, &windows, &count,
                             c->tx->err));
    if (count > 0 && needs->usage)
        TRY(total_of(c->tx, f->id, windows[0].from, windows[count - 1].from + 1, &totals,
                     &total_count));
    struct total *picked = NEW_N(c->tx->arena, struct total, total_count);
    for (size_t i = 0; i < count; i++) {
        struct rate_request q = {.facts = f, .window = windows[i], .totals = picked};
        q.total_count = pick_totals(c, w, totals, total_count, &windows[i], picked);
        if (needs->descendants)
            TRY(subscription_descendants(c->tx, f->id, windows[i].from, windows[i].until,
                                         &q.descendants));
        TRY(rate_one(c, &q, b));
    }
    return RC_OK;
}

/* --- in advance --- */

static enum rc keep_ahead(struct chunk *c, struct str subscription, const struct window *w)
{
    return sql_run(c->tx,
                   "INSERT INTO billed_ahead (subscription, from_at, until_at) VALUES ($1, $2, $3) "
                   "ON CONFLICT (subscription, from_at) DO UPDATE SET until_at = $3",
                   V(subscription), V(w->from), V(w->until));
}

/* A window that was billed ahead, and cut since. */
static enum rc rate_cut(struct chunk *c, const struct subscription_facts *f, time_us from,
                        time_us billed_until, struct batch *b)
{
    struct rate_request q = {.facts = f, .advance = true, .billed_until = billed_until};
    TRY(subscription_window(f, from, &q.window, c->tx->err));
    if (q.window.until == billed_until)
        return RC_OK;
    b->ahead[b->ahead_count++] = q.window;
    return rate_one(c, &q, b);
}

static bool was_billed(const struct rows *ahead, time_us from)
{
    bool found = false;
    for (size_t i = 0; i < ahead->count; i++)
        found = found || row_int(ahead, i, 0) == from;
    return found;
}

static enum rc rate_ahead(struct chunk *c, const struct subscription_facts *f, time_us since,
                          struct batch *b)
{
    struct rows ahead;
    struct window *windows = NULL;
    size_t count = 0;
    /* The periods that begin with the end of the one that is closed. */
    time_us first = since == PERIOD_AT_MIN ? since : since + 1;
    TRY(sql_rows(c->tx, &ahead,
                 "SELECT from_at, until_at FROM billed_ahead WHERE subscription = $1 AND "
                 "until_at > $2 ORDER BY from_at LIMIT $3",
                 V(f->id), V(c->row->begin), V((int64_t)SUBSCRIPTION_TERMS_MAX)));
    TRY(subscription_windows(f, first, c->row->end + 1, true, c->tx->arena, &windows, &count,
                             c->tx->err));
    b->ahead = NEW_N(c->tx->arena, struct window, ahead.count + count);
    for (size_t i = 0; i < ahead.count; i++)
        TRY(rate_cut(c, f, row_int(&ahead, i, 0), row_int(&ahead, i, 1), b));
    for (size_t i = 0; i < count; i++) {
        struct rate_request q = {.facts = f, .window = windows[i], .advance = true};
        if (was_billed(&ahead, windows[i].from))
            continue;
        TRY(rate_one(c, &q, b));
        b->ahead[b->ahead_count++] = windows[i];
    }
    return RC_OK;
}

/* --- late --- */

/* How many of the first ones are of one window. */
static size_t same_window(const struct late *late, size_t count)
{
    size_t n = 1;
    while (n < count && late[n].from == late[0].from)
        n++;
    return n;
}

static enum rc rate_late(struct chunk *c, const struct subscription_facts *f,
                         const struct waiting *w, struct batch *b)
{
    b->late = NEW_N(c->tx->arena, struct late, w->count);
    for (size_t i = 0; i < w->count;) {
        struct rate_request q = {.facts = f, .late = &w->late[i]};
        struct total *totals = NULL;
        q.late_count = same_window(&w->late[i], w->count - i);
        i += q.late_count;
        TRY(subscription_window(f, q.late->from, &q.window, c->tx->err));
        if (q.window.until > c->row->since)
            continue; /* of this close, whose next one bills it */
        memcpy(b->late + b->late_count, q.late, q.late_count * sizeof *q.late);
        b->late_count += q.late_count;
        if (w->missed && q.window.until > w->missed_since)
            continue; /* rated whole, as it was never billed */
        TRY(total_of(c->tx, f->id, q.window.from, q.window.from + 1, &totals, &q.total_count));
        q.totals = totals;
        TRY(rate_one(c, &q, b));
    }
    return RC_OK;
}

static enum rc settle_waiting(struct chunk *c, const struct subscription_facts *f,
                              const struct batch *b, struct waiting *w)
{
    w->taken = b->late_count > 0;
    if (!c->keep)
        return RC_OK;
    TRY(total_late_billed(c->tx, b->late, b->late_count));
    if (!w->missed)
        return RC_OK;
    return sql_run(c->tx, "DELETE FROM close_missed WHERE subscription = $1", V(f->id));
}

/* --- what is kept of a line --- */

static struct str upstream_key(const struct rated_line *line, size_t edge, struct arena *arena)
{
    return arena_fmt(arena, "%.*s/%d/%d/%d/%.*s", STRF(line->path->edges[edge].agreement),
                     line->tax_included, line->advance, (int)line->tax_class, STRF(line->income));
}

static struct upstream *upstream_of(struct chunk *c, const struct rated_line *line, size_t edge)
{
    struct str key = upstream_key(line, edge, c->tx->arena);
    struct upstream *u = map_get(&c->upstream, key);
    if (u == NULL) {
        u = NEW(c->tx->arena, struct upstream);
        *u = (struct upstream){.edge = &line->path->edges[edge],
                               .income = line->income,
                               .tax_class = line->tax_class,
                               .tax_included = line->tax_included,
                               .deferred = line->advance};
        (void)map_put(&c->upstream, key, u); /* was not there */
    }
    u->path = line->path_number;
    u->edge_number = (int64_t)edge;
    return u;
}

static bool same_kind(const struct upstream *u, const struct rated_line *line)
{
    return u->tax_class == line->tax_class && u->tax_included == line->tax_included &&
           u->deferred == line->advance && str_eq(u->income, line->income);
}

/* COLLECT has the client's invoice alone; elsewhere each edge above the last has one of its own. */
static void add_upstream(struct chunk *c, const struct rated_line *line)
{
    size_t above = line->path->count - 1;
    if (above == 0 || line->path->edges[above].settle == SETTLE_COLLECT)
        return;
    bool same = c->sum_path == line->path && same_kind(c->sums[0], line);
    for (size_t k = 0; k < above && !same; k++)
        c->sums[k] = upstream_of(c, line, k);
    c->sum_path = line->path;
    for (size_t k = 0; k < above; k++)
        c->sums[k]->amount += line->amounts[k];
}

static enum rc keep_line(struct chunk *c, const struct rated_line *line)
{
    const struct currency *currency = currency_find(line->path->currency);
    bool alone = line->path->count == 1;
    ASSERT(currency != NULL);
    close_found_sum(c->found, currency, line->amounts[0] - (alone ? line->discount : 0));
    c->row->lines++;
    if (c->keep) {
        add_upstream(c, line);
        return rated_row_insert(c->tx, c->row->no, c->row->lines, line);
    }
    struct str agreement = line->path->edges[line->path->count - 1].agreement;
    if (!str_eq(agreement, c->last_agreement))
        c->row->documents++;
    c->last_agreement = agreement;
    return RC_OK;
}

static enum rc save_upstream(struct chunk *c)
{
    size_t at = 0;
    struct str key;
    void *value = NULL;
    while (map_next(&c->upstream, &at, &key, &value)) {
        const struct upstream *u = value;
        TRY(sql_run(c->tx,
                    "INSERT INTO close_upstream (close_no, agreement, tax_included, tax_class, "
                    "income, deferred, amount, path, edge) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
                    "$9) ON CONFLICT (close_no, agreement, tax_included, tax_class, income, "
                    "deferred) DO UPDATE SET amount = close_upstream.amount + $7, path = $8, "
                    "edge = $9",
                    V(c->row->no), V(u->edge->agreement), V(u->tax_included),
                    V((int64_t)u->tax_class), V(u->income), V(u->deferred), V(u->amount),
                    V(u->path), V(u->edge_number)));
    }
    return RC_OK;
}

/* --- subscriptions --- */

/* All windows of one; walked: its own windows of this close too, not only what waits. */
static enum rc gather(struct chunk *c, const struct subscription_facts *f, const struct waiting *w,
                      bool walked, struct batch *b)
{
    struct plan_needs needs;
    TRY(needs_of(c, f, &needs));
    if (walked) {
        TRY(rate_ended(c, f, &needs, w, b));
        if (needs.advance)
            TRY(rate_ahead(c, f, since_of(c, w), b));
    }
    return w != NULL ? rate_late(c, f, w, b) : RC_OK;
}

static enum rc rate_subscription(struct chunk *c, const struct subscription_facts *f, bool walked)
{
    struct batch b = {0};
    struct waiting *w = map_get(&c->waiting, f->id);
    if (w != NULL && w->taken)
        return RC_OK;
    enum rc rc = gather(c, f, w, walked, &b);
    if (rc != RC_OK && !close_may_go_on(rc))
        return rc;
    if (rc != RC_OK) {
        struct close_miss miss = {.subscription = f->id,
                                  .step = close_steps[CLOSE_RATE],
                                  .text = err_text(c->tx->err),
                                  .since = walked ? max_i64(c->row->since, 1) : 0};
        close_found_miss(c->found, c->tx->arena, &miss);
        err_clear(c->tx->err);
        return RC_OK;
    }
    for (size_t i = 0; i < b.count; i++)
        TRY(keep_line(c, &b.lines[i]));
    for (size_t i = 0; i < b.ahead_count && c->keep; i++)
        TRY(keep_ahead(c, f->id, &b.ahead[i]));
    return w != NULL ? settle_waiting(c, f, &b, w) : RC_OK;
}

/* A subscription that the walk did not meet. */
struct rest {
    const struct waiting *waiting;
    struct subscription_facts facts;
};

/* In the order of the walk, so that a client's lines follow one another here too. */
static int by_walk(const void *a, const void *b)
{
    const struct subscription_facts *x = &((const struct rest *)a)->facts;
    const struct subscription_facts *y = &((const struct rest *)b)->facts;
    int order =
        str_cmp(x->terms[x->term_count - 1].agreement, y->terms[y->term_count - 1].agreement);
    return order != 0 ? order : str_cmp(x->id, y->id);
}

static enum rc find_rest(struct chunk *c, struct rest *ret, size_t *ret_count)
{
    size_t at = 0;
    size_t count = 0;
    struct str key;
    void *value = NULL;
    while (map_next(&c->waiting, &at, &key, &value)) {
        ret[count].waiting = value;
        TRY(subscription_facts(c->tx, key, &ret[count++].facts));
    }
    if (count > 1)
        qsort(ret, count, sizeof *ret, by_walk);
    *ret_count = count;
    return RC_OK;
}

/* What waits of subscriptions that the walk did not meet, as they ended before: late usage, and
 * what an earlier close missed. What cannot be rated stays, and is tried again as long as others
 * can. */
static enum rc rate_rest(struct chunk *c, bool *ret_done)
{
    size_t count = 0;
    bool went_on = false;
    struct rest *list = NEW_N(c->tx->arena, struct rest, c->waiting.count);
    TRY(find_rest(c, list, &count));
    for (size_t i = 0; i < count; i++) {
        const struct waiting *w = list[i].waiting;
        if (w->missed && list[i].facts.ends >= c->row->since)
            continue; /* the walk had it, in vain */
        TRY(rate_subscription(c, &list[i].facts, w->missed));
        went_on = went_on || w->taken;
    }
    *ret_done = !went_on || !c->keep;
    if (!*ret_done)
        c->found->miss_count = 0;
    return RC_OK;
}

enum rc close_rate_step(struct tx *tx, struct close_row *row, struct close_found *found)
{
    static const uint64_t seed[MAP_SEED] = {3, 4}; /* keys are our own ids */
    struct subscription_facts *facts = NULL;
    size_t count = 0;
    bool done = false;
    struct chunk c = {.tx = tx, .row = row, .found = found, .r = rater_new(tx), .keep = !row->dry};
    map_init(&c.waiting, tx->arena, seed);
    map_init(&c.upstream, tx->arena, seed);
    c.last_agreement = row->at.agreement;
    TRY(load_waiting(&c));
    TRY(subscription_walk(tx, row->since, row->end, &row->at, CLOSE_CHUNK, &facts, &count));
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && arena_room(tx->arena) < CLOSE_ROOM_BYTES)
            count = i;
        else
            TRY(rate_subscription(&c, &facts[i], true));
    }
    if (count > 0) {
        const struct subscription_facts *last = &facts[count - 1];
        row->at = (struct subscription_cursor){last->terms[last->term_count - 1].agreement,
                                               last->client, last->id};
        row->done += (int64_t)count;
    } else {
        TRY(rate_rest(&c, &done));
    }
    if (c.keep)
        TRY(save_upstream(&c));
    if (!done)
        return RC_OK;
    row->step = CLOSE_DRAFT;
    row->at = (struct subscription_cursor){STR(""), STR(""), STR("")};
    row->at_number = 0;
    return RC_OK;
}
