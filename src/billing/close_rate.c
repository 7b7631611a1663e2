/* Rating, in a snapshot: subscriptions in the order of the walk, so that a client's lines follow
 * one another; then what came late for those that the walk did not meet. What is read of many is
 * read for a handful at a time. */
#include "base/map.h"
#include "billing/close_inside.h"
#include "billing/rated_run.h"

enum { SUMS_MAX = 2 * SUPPLY_DEPTH_MAX, MAP_SEED = 2, LINES_FIRST = 8, ROOM_FIRST = 64 };

struct walking {
    struct tx *tx;
    struct close_page *out;
    struct rater *r;
    const struct close_above *above;
    void *above_arg;
    bool keep; /* not dry */
    bool late; /* there is something late at all */
    bool missed;
    struct close_bounds *bounds;
    size_t bounds_count;
    struct map upstream;
    struct str last_agreement; /* dry: to count the clients */
    /* Where the lines of the path and kind that was last met are added up. */
    const struct supply_path *sum_path;
    struct close_upstream *sums[SUMS_MAX];
    /* Lines that follow one another on one path, until they are written as a run. */
    struct rated_line run[RATED_RUN_LINES_MAX];
    size_t run_count;
};

/* One subscription while it is rated. */
struct subject {
    const struct subscription_facts *facts;
    const struct close_bounds *bounds;
    bool walked; /* its own windows of this close too, not only what waits */
    struct plan_needs needs;
    struct window *windows; /* that end */
    size_t window_count;
    struct total_list totals; /* of them */
    struct late_list late;
    bool missed;
    time_us missed_since;
    struct rows ahead; /* from_at, until_at of its windows that were billed ahead */
    size_t ahead_first;
    size_t ahead_last;
    enum rc failed; /* why it cannot be rated, and the sentence */
    struct str why;
    struct rated_line *lines;
    size_t line_count;
    size_t line_room;
    struct close_ahead *billed; /* ahead, or cut since: kept with the lines */
    size_t billed_count;
    struct late *settled;
    size_t settled_count;
};

void *close_grow(struct arena *arena, void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    *room = max_size(ROOM_FIRST, *room * 2);
    void *more = arena_alloc_n(arena, *room, size);
    if (count > 0)
        memcpy(more, list, count * size);
    return more;
}

static void add_lines(struct subject *s, struct arena *arena, struct rated_line *lines,
                      size_t count)
{
    if (s->line_count == 0) { /* most have one window alone: nothing is copied */
        s->lines = lines;
        s->line_count = s->line_room = count;
    }
    if (count == 0 || s->lines == lines)
        return;
    if (s->line_count + count > s->line_room) {
        size_t room = max_size(max_size(LINES_FIRST, s->line_room * 2), s->line_count + count);
        struct rated_line *more = NEW_N(arena, struct rated_line, room);
        memcpy(more, s->lines, s->line_count * sizeof *more);
        s->lines = more;
        s->line_room = room;
    }
    memcpy(s->lines + s->line_count, lines, count * sizeof *lines);
    s->line_count += count;
}

/* --- windows --- */

static enum rc rate_one(struct walking *p, const struct rate_request *q, struct subject *s)
{
    struct rated_line *lines = NULL;
    size_t count = 0;
    TRY(rate_window(p->r, q, &lines, &count));
    add_lines(s, p->tx->arena, lines, count);
    return RC_OK;
}

/* From where its windows were not billed. */
static time_us since_of(const struct subject *s)
{
    return s->missed ? min_i64(s->missed_since, s->bounds->since) : s->bounds->since;
}

static enum rc find_needs(struct walking *p, struct subject *s)
{
    for (size_t i = 0; i < s->facts->term_count; i++) {
        const struct subscription_term *t = &s->facts->terms[i];
        struct plan_needs one;
        TRY(rate_needs(p->r, t->plan, t->plan_number, &one));
        s->needs.usage = s->needs.usage || one.usage;
        s->needs.descendants = s->needs.descendants || one.descendants;
        s->needs.advance = s->needs.advance || one.advance;
    }
    return RC_OK;
}

/* What is sold once is billed when it begins: its only period may never end. */
static enum rc find_windows(struct walking *p, struct subject *s)
{
    TRY(find_needs(p, s));
    if (!s->walked)
        return RC_OK;
    return subscription_windows(s->facts,
                                &(struct window_span){since_of(s), s->bounds->end, s->facts->once},
                                p->tx->arena, &s->windows, &s->window_count, p->tx->err);
}

/* The totals of one window among those of many. Usage that was added up since this close began is
 * late already: the next close bills it. */
static size_t pick_totals(const struct subject *s, const struct window *window, struct total *ret)
{
    size_t picked = 0;
    bool mine = window->until > s->bounds->since;
    for (size_t i = 0; i < s->totals.count; i++) {
        const struct total *t = &s->totals.items[i];
        if (t->from != window->from)
            continue;
        ret[picked] = *t;
        for (size_t k = 0; k < s->late.count && mine; k++)
            if (s->late.items[k].meter == t->meter && s->late.items[k].from == t->from)
                ret[picked].quantity = s->late.items[k].billed;
        picked++;
    }
    return picked;
}

static enum rc rate_ended(struct walking *p, struct subject *s)
{
    struct total *picked = NEW_N(p->tx->arena, struct total, s->totals.count);
    for (size_t i = 0; i < s->window_count; i++) {
        const struct window *w = &s->windows[i];
        struct rate_request q = {.facts = s->facts, .window = *w, .totals = picked};
        q.total_count = pick_totals(s, w, picked);
        if (s->needs.descendants)
            TRY(subscription_descendants(p->tx, s->facts->id, w->from, w->until, &q.descendants));
        TRY(rate_one(p, &q, s));
    }
    return RC_OK;
}

/* --- in advance --- */

/* The window that begins there; nothing of it where the subscription ended in that instant. */
static enum rc cut_window(const struct subscription_facts *f, time_us from, struct window *ret,
                          struct err *err)
{
    struct subscription_facts open = *f;
    open.ends = max_i64(f->ends, from + 1);
    TRY(subscription_window(&open, from, ret, err));
    ret->until = min_i64(ret->until, max_i64(f->ends, from));
    return RC_OK;
}

/* A window that was billed ahead, and cut since. */
static enum rc rate_cut(struct walking *p, struct subject *s, time_us from, time_us billed_until)
{
    struct rate_request q = {.facts = s->facts, .advance = true, .billed_until = billed_until};
    TRY(cut_window(s->facts, from, &q.window, p->tx->err));
    if (q.window.until == billed_until)
        return RC_OK;
    s->billed[s->billed_count++] =
        (struct close_ahead){s->facts->id, q.window.from, q.window.until, true};
    return rate_one(p, &q, s);
}

static bool was_billed(const struct subject *s, time_us from)
{
    bool found = false;
    for (size_t i = s->ahead_first; i < s->ahead_last; i++)
        found = found || row_int(&s->ahead, i, 1) == from;
    return found;
}

static enum rc rate_ahead(struct walking *p, struct subject *s)
{
    struct window *windows = NULL;
    size_t count = 0;
    time_us since = since_of(s);
    size_t before = s->ahead_last - s->ahead_first;
    /* The periods that begin with the end of the one that is closed. */
    time_us first = since == PERIOD_AT_MIN ? since : since + 1;
    TRY(subscription_windows(s->facts, &(struct window_span){first, s->bounds->end + 1, true},
                             p->tx->arena, &windows, &count, p->tx->err));
    s->billed = NEW_N(p->tx->arena, struct close_ahead, before + count);
    for (size_t i = s->ahead_first; i < s->ahead_last; i++)
        if (row_int(&s->ahead, i, 2) > s->bounds->begin)
            TRY(rate_cut(p, s, row_int(&s->ahead, i, 1), row_int(&s->ahead, i, 2)));
    for (size_t i = 0; i < count; i++) {
        struct rate_request q = {.facts = s->facts, .window = windows[i], .advance = true};
        if (was_billed(s, windows[i].from))
            continue;
        TRY(rate_one(p, &q, s));
        s->billed[s->billed_count++] =
            (struct close_ahead){s->facts->id, windows[i].from, windows[i].until, false};
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

static enum rc rate_late(struct walking *p, struct subject *s)
{
    s->settled = NEW_N(p->tx->arena, struct late, s->late.count);
    for (size_t i = 0; i < s->late.count;) {
        struct rate_request q = {.facts = s->facts, .late = &s->late.items[i]};
        struct total *totals = NULL;
        q.late_count = same_window(&s->late.items[i], s->late.count - i);
        i += q.late_count;
        TRY(subscription_window(s->facts, q.late->from, &q.window, p->tx->err));
        if (q.window.until > s->bounds->since)
            continue; /* of this close, whose next one bills it */
        memcpy(s->settled + s->settled_count, q.late, q.late_count * sizeof *q.late);
        s->settled_count += q.late_count;
        if (s->missed && q.window.until > s->missed_since)
            continue; /* rated whole, as it was never billed */
        TRY(total_of(p->tx, s->facts->id, q.window.from, q.window.from + 1, &totals,
                     &q.total_count));
        q.totals = totals;
        TRY(rate_one(p, &q, s));
    }
    return RC_OK;
}

/* --- what is kept of a line --- */

static struct str upstream_key(const struct rated_line *line, size_t edge, struct arena *arena)
{
    return arena_fmt(arena, "%.*s/%d/%d/%d/%.*s", STRF(line->path->edges[edge].agreement),
                     line->tax_included, line->advance, (int)line->tax_class, STRF(line->income));
}

static struct close_upstream *upstream_of(struct walking *p, const struct rated_line *line,
                                          size_t edge)
{
    struct close_page *out = p->out;
    struct str key = upstream_key(line, edge, p->tx->arena);
    struct close_upstream *u = map_get(&p->upstream, key);
    if (u == NULL) {
        u = NEW(p->tx->arena, struct close_upstream);
        *u = (struct close_upstream){.edge = &line->path->edges[edge],
                                     .income = line->income,
                                     .tax_class = line->tax_class,
                                     .tax_included = line->tax_included,
                                     .deferred = line->advance};
        (void)map_put(&p->upstream, key, u); /* was not there */
        out->upstream = close_grow(p->tx->arena, out->upstream, out->upstream_count,
                                   &out->upstream_room, sizeof(struct close_upstream *));
        out->upstream[out->upstream_count++] = u;
    }
    u->path = line->path;
    u->edge_number = edge;
    return u;
}

static bool same_kind(const struct close_upstream *u, const struct rated_line *line)
{
    return u->tax_class == line->tax_class && u->tax_included == line->tax_included &&
           u->deferred == line->advance && str_eq(u->income, line->income);
}

/* COLLECT has the client's invoice alone; elsewhere each edge above the last has one of its own. */
static void add_upstream(struct walking *p, const struct rated_line *line)
{
    size_t above = line->path->count - 1;
    if (above == 0 || line->path->edges[above].settle == SETTLE_COLLECT)
        return;
    bool same = p->sum_path == line->path && same_kind(p->sums[0], line);
    for (size_t k = 0; k < above && !same; k++)
        p->sums[k] = upstream_of(p, line, k);
    p->sum_path = line->path;
    for (size_t k = 0; k < above; k++)
        p->sums[k]->amount += line->amounts[k];
}

static void end_run(struct walking *p)
{
    struct close_page *out = p->out;
    if (p->run_count == 0)
        return;
    out->runs =
        close_grow(p->tx->arena, out->runs, out->run_count, &out->run_room, sizeof *out->runs);
    out->runs[out->run_count++] =
        (struct close_run){.row = {.first = out->row.lines - (int64_t)p->run_count + 1,
                                   .last = out->row.lines,
                                   .body = rated_run_write(p->run, p->run_count, p->tx->arena)},
                           .path = p->run[0].path};
    p->run_count = 0;
}

static void keep_line(struct walking *p, const struct rated_line *line)
{
    const struct currency *currency = currency_find(line->path->currency);
    struct close_page *out = p->out;
    bool alone = line->path->count == 1;
    ASSERT(currency != NULL);
    close_found_sum(&out->found, currency, line->amounts[0] - (alone ? line->discount : 0));
    if (!p->keep) {
        struct str agreement = line->path->edges[line->path->count - 1].agreement;
        out->row.documents += !str_eq(agreement, p->last_agreement);
        out->row.lines++;
        p->last_agreement = agreement;
        return;
    }
    add_upstream(p, line);
    if (p->run_count == RATED_RUN_LINES_MAX || (p->run_count > 0 && p->run[0].path != line->path))
        end_run(p);
    p->run[p->run_count++] = *line;
    out->row.lines++;
}

static void keep_subject(struct walking *p, const struct subject *s)
{
    struct close_page *out = p->out;
    struct arena *arena = p->tx->arena;
    for (size_t i = 0; i < s->line_count; i++)
        keep_line(p, &s->lines[i]);
    for (size_t i = 0; i < s->billed_count; i++) {
        out->ahead =
            close_grow(arena, out->ahead, out->ahead_count, &out->ahead_room, sizeof *out->ahead);
        out->ahead[out->ahead_count++] = s->billed[i];
    }
    for (size_t i = 0; i < s->settled_count; i++) {
        out->late =
            close_grow(arena, out->late, out->late_count, &out->late_room, sizeof *out->late);
        out->late[out->late_count++] = s->settled[i];
    }
    if (!s->missed)
        return;
    out->caught =
        close_grow(arena, out->caught, out->caught_count, &out->caught_room, sizeof *out->caught);
    out->caught[out->caught_count++] = s->facts->id;
}

/* --- a handful --- */

struct handful {
    size_t count;
    struct subject list[SQL_KEYS_MAX];
};

/* A failure that is about this subscription alone. */
static enum rc note_failed(struct walking *p, struct subject *s, enum rc rc)
{
    if (rc == RC_OK || !close_may_go_on(rc))
        return rc;
    s->failed = rc;
    s->why = arena_str(p->tx->arena, err_text(p->tx->err));
    err_clear(p->tx->err);
    return RC_OK;
}

static enum rc load_late(struct walking *p, struct handful *h)
{
    struct str ids[SQL_KEYS_MAX];
    struct late_list lists[SQL_KEYS_MAX];
    if (!p->late)
        return RC_OK;
    for (size_t i = 0; i < h->count; i++)
        ids[i] = h->list[i].facts->id;
    TRY(total_late_of(p->tx, ids, h->count, lists));
    for (size_t i = 0; i < h->count; i++) {
        struct subject *s = &h->list[i];
        if (lists[i].failed)
            TRY(note_failed(p, s, total_late_of(p->tx, &s->facts->id, 1, &s->late)));
        else
            s->late = lists[i];
    }
    return RC_OK;
}

/* The subject with an id that a query about all of them gave. */
static struct subject *subject_of(struct handful *h, struct str id)
{
    size_t i = 0;
    while (i < h->count && !str_eq(h->list[i].facts->id, id))
        i++;
    ASSERT(i < h->count);
    return &h->list[i];
}

static void fill_keys(const struct handful *h, struct value args[SQL_KEYS_MAX])
{
    for (size_t i = 0; i < SQL_KEYS_MAX; i++)
        args[i] = i < h->count ? V(h->list[i].facts->id) : SQL_NULL;
}

static enum rc load_missed(struct walking *p, struct handful *h)
{
    struct rows rows;
    struct value args[SQL_KEYS_MAX];
    if (!p->missed)
        return RC_OK;
    fill_keys(h, args);
    TRY(sql_rows_n(p->tx, &rows,
                   "SELECT subscription, since FROM close_missed WHERE subscription IN (" SQL_KEYS
                   ") ORDER BY subscription",
                   args, SQL_KEYS_MAX));
    for (size_t i = 0; i < rows.count; i++) {
        struct subject *s = subject_of(h, row_str(&rows, i, 0));
        s->missed = true;
        s->missed_since = row_int(&rows, i, 1);
        s->walked = s->walked || p->out->from.at_number != PHASE_WALK;
    }
    return RC_OK;
}

static enum rc load_ahead(struct walking *p, struct handful *h)
{
    struct rows rows;
    struct value args[SQL_KEYS_MAX];
    bool any = false;
    for (size_t i = 0; i < h->count; i++)
        any = any || (h->list[i].walked && h->list[i].needs.advance);
    if (!any)
        return RC_OK;
    fill_keys(h, args);
    TRY(sql_rows_n(p->tx, &rows,
                   "SELECT subscription, from_at, until_at FROM billed_ahead WHERE subscription "
                   "IN (" SQL_KEYS ") ORDER BY subscription, from_at",
                   args, SQL_KEYS_MAX));
    for (size_t i = 0; i < rows.count; i++) {
        struct subject *s = subject_of(h, row_str(&rows, i, 0));
        if (s->ahead_last == 0)
            s->ahead_first = i;
        s->ahead = rows;
        s->ahead_last = i + 1;
    }
    return RC_OK;
}

static enum rc load_totals(struct walking *p, struct handful *h)
{
    struct total_query queries[SQL_KEYS_MAX] = {0};
    struct total_list lists[SQL_KEYS_MAX];
    struct subject *of[SQL_KEYS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < h->count; i++) {
        struct subject *s = &h->list[i];
        if (s->failed != RC_OK || !s->needs.usage || s->window_count == 0)
            continue;
        of[count] = s;
        queries[count++] = (struct total_query){s->facts->id, s->windows[0].from,
                                                s->windows[s->window_count - 1].from + 1};
    }
    TRY(total_of_many(p->tx, queries, count, lists));
    for (size_t i = 0; i < count; i++) {
        const struct total_query *q = &queries[i];
        struct total *items = NULL;
        of[i]->totals = lists[i];
        if (!lists[i].failed)
            continue;
        enum rc rc =
            total_of(p->tx, q->subscription, q->since, q->before, &items, &of[i]->totals.count);
        of[i]->totals.items = items;
        TRY(note_failed(p, of[i], rc));
    }
    return RC_OK;
}

/* --- subscriptions --- */

static enum rc gather(struct walking *p, struct subject *s)
{
    if (s->walked) {
        TRY(rate_ended(p, s));
        if (s->needs.advance)
            TRY(rate_ahead(p, s));
    }
    return rate_late(p, s);
}

/* What the rooms above cannot share is not invoiced. */
static enum rc ask_above(struct walking *p, struct subject *s)
{
    if (p->above == NULL || p->above->rated == NULL)
        return RC_OK;
    for (size_t i = 0; i < s->line_count; i++)
        TRY(p->above->rated(p->tx, &s->lines[i], p->above_arg));
    return RC_OK;
}

static enum rc rate_subject(struct walking *p, struct subject *s)
{
    if (s->failed == RC_OK)
        TRY(note_failed(p, s, gather(p, s)));
    if (s->failed == RC_OK)
        TRY(note_failed(p, s, ask_above(p, s)));
    if (s->failed == RC_OK) {
        keep_subject(p, s);
        return RC_OK;
    }
    struct close_miss miss = {.subscription = s->facts->id,
                              .step = close_steps[CLOSE_RATE],
                              .text = s->why,
                              .since = s->walked ? max_i64(s->bounds->since, 1) : 0};
    close_found_miss(&p->out->found, p->tx->arena, &miss);
    return RC_OK;
}

/* The bounds of a subscription's zone; of one that came with a zone that nobody had when the close
 * began, those of the close. */
static const struct close_bounds *bounds_of(const struct walking *p,
                                            const struct subscription_facts *f)
{
    for (size_t i = 0; i < p->bounds_count; i++)
        if (str_eq(p->bounds[i].zone, f->calendar.zone->name))
            return &p->bounds[i];
    return &p->bounds[0];
}

static enum rc rate_handful(struct walking *p, const struct subscription_facts *facts, size_t count,
                            bool walked)
{
    struct handful *h = NEW(p->tx->arena, struct handful);
    h->count = count;
    for (size_t i = 0; i < count; i++)
        h->list[i] = (struct subject){
            .facts = &facts[i], .bounds = bounds_of(p, &facts[i]), .walked = walked};
    TRY(load_late(p, h));
    TRY(load_missed(p, h));
    for (size_t i = 0; i < count; i++)
        if (h->list[i].failed == RC_OK)
            TRY(note_failed(p, &h->list[i], find_windows(p, &h->list[i])));
    TRY(load_totals(p, h));
    TRY(load_ahead(p, h));
    for (size_t i = 0; i < count; i++)
        TRY(rate_subject(p, &h->list[i]));
    return RC_OK;
}

/* --- whose turn it is --- */

static void next_phase(struct close_page *out, int64_t phase)
{
    out->row.at = (struct subscription_cursor){STR(""), STR(""), STR("")};
    out->row.at_number = phase;
    if (phase <= PHASE_MISSED)
        return;
    out->row.at_number = 0;
    out->row.step = CLOSE_DRAFT;
}

/* What the close of any zone may bill. */
static void widest(const struct walking *p, time_us *ret_since, time_us *ret_end)
{
    *ret_since = p->out->from.since;
    *ret_end = p->out->from.end;
    for (size_t i = 0; i < p->bounds_count; i++) {
        *ret_since = min_i64(*ret_since, p->bounds[i].since);
        *ret_end = max_i64(*ret_end, p->bounds[i].end);
    }
}

static enum rc walk(struct walking *p, const struct subscription_cursor *until)
{
    struct close_row *row = &p->out->row;
    struct subscription_facts *facts = NULL;
    time_us since = 0;
    time_us end = 0;
    size_t count = 0;
    size_t done = 0;
    widest(p, &since, &end);
    TRY(subscription_walk(p->tx, since, end,
                          &(struct subscription_stretch){&row->at, until, CLOSE_CHUNK}, &facts,
                          &count));
    while (done < count && (done == 0 || arena_room(p->tx->arena) > CLOSE_ROOM_BYTES)) {
        size_t n = min_size(SQL_KEYS_MAX, count - done);
        TRY(rate_handful(p, facts + done, n, true));
        done += n;
    }
    row->done += (int64_t)done;
    if (done == count && until != NULL) {
        row->at = *until;
    } else if (count > 0) {
        const struct subscription_facts *last = &facts[done - 1];
        row->at = (struct subscription_cursor){last->terms[last->term_count - 1].agreement,
                                               last->client, last->id};
    } else {
        next_phase(p->out, PHASE_LATE);
    }
    return RC_OK;
}

static enum rc missed_ids(struct tx *tx, struct str after, struct str **ret, size_t *ret_count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT subscription FROM close_missed WHERE subscription > $1 "
                 "ORDER BY subscription LIMIT $2",
                 V(after), V((int64_t)SQL_KEYS_MAX)));
    *ret = NEW_N(tx->arena, struct str, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        (*ret)[i] = row_str(&rows, i, 0);
    *ret_count = rows.count;
    return RC_OK;
}

/* What waits of those that the walk did not meet, as they ended before. The walk had the others,
 * or had them in vain. What cannot be rated stays, and the next close tries it again. */
static enum rc rate_rest(struct walking *p)
{
    struct close_row *row = &p->out->row;
    struct subscription_facts facts[SQL_KEYS_MAX];
    struct str *ids = NULL;
    size_t count = 0;
    size_t wanted = 0;
    time_us since = 0;
    time_us end = 0;
    widest(p, &since, &end);
    if (row->at_number == PHASE_LATE)
        TRY(total_late_subscriptions(p->tx, row->at.id, SQL_KEYS_MAX, &ids, &count));
    else
        TRY(missed_ids(p->tx, row->at.id, &ids, &count));
    for (size_t i = 0; i < count; i++) {
        TRY(subscription_facts(p->tx, ids[i], &facts[wanted]));
        wanted += facts[wanted].ends < since || facts[wanted].start >= end;
    }
    TRY(rate_handful(p, facts, wanted, false));
    row->at.id = count > 0 ? ids[count - 1] : row->at.id;
    if (count < SQL_KEYS_MAX)
        next_phase(p->out, row->at_number + 1);
    return RC_OK;
}

/* --- a page --- */

static enum rc there_is(struct tx *tx, const char *sql, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, sql));
    *ret = rows.count > 0;
    return RC_OK;
}

enum rc close_rate_page(struct tx *tx, const struct close_row *from,
                        const struct subscription_cursor *until, const struct close_above *above,
                        struct close_page *ret)
{
    static const uint64_t seed[MAP_SEED] = {3, 4}; /* keys are our own ids */
    struct walking *p = NEW(tx->arena, struct walking);
    *ret = (struct close_page){.from = *from, .row = *from};
    p->tx = tx;
    p->out = ret;
    p->r = rater_new(tx);
    p->above = above;
    p->above_arg = close_above_begin(above, tx);
    p->keep = !from->dry;
    map_init(&p->upstream, tx->arena, seed);
    p->last_agreement = from->at.agreement;
    TRY(there_is(tx, "SELECT subscription FROM usage_late ORDER BY subscription LIMIT 1",
                 &p->late));
    TRY(there_is(tx, "SELECT 1 FROM close_missed ORDER BY subscription LIMIT 1", &p->missed));
    TRY(close_bounds_list(tx, from, &p->bounds, &p->bounds_count));
    TRY(from->at_number == PHASE_WALK ? walk(p, until) : rate_rest(p));
    end_run(p);
    return RC_OK;
}

void close_follow_page(struct close_page *page, const struct close_row *before)
{
    int64_t lines = before->lines - page->from.lines;
    page->row.lines += lines;
    page->row.done += before->done - page->from.done;
    for (size_t i = 0; i < page->run_count; i++) {
        page->runs[i].row.first += lines;
        page->runs[i].row.last += lines;
    }
    page->from.lines = before->lines;
    page->from.done = before->done;
}
