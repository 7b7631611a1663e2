#include "meter/fold.h"

#include "base/map.h"
#include "money/telescope.h"

enum { TABLE_FIRST = 1024, ENTRIES_FIRST = 8, RAISED_TEXT_MAX = 24 };

enum rc fold_init(struct fold *f, struct tx *tx)
{
    struct list meters;
    struct rows rows;
    *f = (struct fold){.tx = tx, .side = *tx, .marking = true};
    arena_init(&f->arena, FOLD_ARENA_BYTES);
    arena_init(&f->scratch, FOLD_SCRATCH_BYTES);
    f->side.arena = &f->scratch;
    TRY(meter_list(tx, &meters));
    f->meters = meters.items;
    f->meter_count = meters.count;
    TRY(sql_rows(tx, &rows, "SELECT billed FROM usage_fold WHERE one = 1"));
    f->billed = rows.count > 0 ? row_int(&rows, 0, 0) : INT64_MIN;
    return RC_OK;
}

void fold_fini(struct fold *f)
{
    arena_fini(&f->arena);
    arena_fini(&f->scratch);
}

bool fold_is_sum(enum meter_kind kind)
{
    return kind == METER_SUM || kind == METER_COUNT || kind == METER_TIME_WEIGHTED;
}

/* --- two tables of pointers, open addressing --- */

static uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

static uint64_t hash_id(unsigned __int128 id)
{
    return mix((uint64_t)id ^ mix((uint64_t)(id >> 64)));
}

static struct folded **folded_slot(struct folded **table, size_t room, unsigned __int128 id)
{
    size_t at = hash_id(id) & (room - 1);
    while (table[at] != NULL && table[at]->id != id)
        at = (at + 1) & (room - 1);
    return &table[at];
}

static void grow_folded(struct fold *f)
{
    size_t room = f->folded_room > 0 ? f->folded_room * 2 : TABLE_FIRST;
    struct folded **table = NEW_N(&f->arena, struct folded *, room);
    for (size_t i = 0; i < f->folded_room; i++)
        if (f->folded[i] != NULL)
            *folded_slot(table, room, f->folded[i]->id) = f->folded[i];
    f->folded = table;
    f->folded_room = room;
}

struct sum_key {
    const struct folded *of;
    int64_t meter;
    int64_t series;
    time_us from;
};

static struct sum **sum_slot(struct sum **table, size_t room, const struct sum_key *k)
{
    uint64_t h = mix((uint64_t)(uintptr_t)k->of ^ mix((uint64_t)k->series + (uint64_t)k->meter) ^
                     (uint64_t)k->from);
    for (size_t at = h & (room - 1);; at = (at + 1) & (room - 1)) {
        const struct sum *s = table[at];
        if (s == NULL || (s->of == k->of && s->meter->number == k->meter && s->from == k->from &&
                          s->series == k->series))
            return &table[at];
    }
}

static void grow_sums(struct fold *f)
{
    size_t room = f->sum_room > 0 ? f->sum_room * 2 : TABLE_FIRST;
    struct sum **table = NEW_N(&f->arena, struct sum *, room);
    for (size_t i = 0; i < f->sum_room; i++) {
        struct sum *s = f->sums[i];
        if (s != NULL)
            *sum_slot(table, room, &(struct sum_key){s->of, s->meter->number, s->series, s->from}) =
                s;
    }
    f->sums = table;
    f->sum_room = room;
}

static struct sum *find_sum(struct fold *f, struct folded *of, const struct meter *meter,
                            int64_t series, const struct span *w)
{
    struct sum **recent = &of->recent[(size_t)meter->number % FOLD_RECENT];
    if (*recent != NULL && (*recent)->meter == meter && (*recent)->from == w->from &&
        (*recent)->series == series)
        return *recent;
    if (f->sum_count * 2 >= f->sum_room)
        grow_sums(f);
    struct sum **slot =
        sum_slot(f->sums, f->sum_room, &(struct sum_key){of, meter->number, series, w->from});
    if (*slot == NULL) {
        *slot = NEW(&f->arena, struct sum);
        **slot = (struct sum){
            .of = of, .meter = meter, .series = series, .from = w->from, .until = w->until};
        f->sum_count++;
    }
    *recent = *slot;
    return *slot;
}

/* --- subscriptions and their windows --- */

static enum rc read_facts(struct fold *f, struct folded *s, struct subscription_facts *ret)
{
    enum rc rc = subscription_facts(&f->side, s->text, ret);
    s->missing = rc == RC_NOT_FOUND;
    if (!s->missing)
        return rc;
    err_clear(f->tx->err);
    return RC_OK;
}

enum rc fold_subscription(struct fold *f, unsigned __int128 id, struct folded **ret)
{
    struct subscription_facts facts = {0};
    if (f->last != NULL && f->last->id == id) {
        *ret = f->last;
        return RC_OK;
    }
    if (f->folded_count * 2 >= f->folded_room)
        grow_folded(f);
    struct folded **slot = folded_slot(f->folded, f->folded_room, id);
    if (*slot == NULL) {
        struct folded *s = NEW(&f->arena, struct folded);
        *s = (struct folded){.id = id, .text = id_of_number(id, &f->arena, "sub")};
        TRY(read_facts(f, s, &facts));
        s->start = facts.start;
        arena_reset(&f->scratch);
        *slot = s;
        f->folded_count++;
    }
    f->last = *ret = *slot;
    return RC_OK;
}

/* The facts are read again for each new window, not kept: a fold sees one or two of each. */
static enum rc find_window(struct fold *f, struct folded *s, time_us at, struct span **ret)
{
    struct subscription_facts facts = {0};
    struct window w = {0};
    *ret = NULL;
    for (struct span *span = s->spans; span != NULL; span = span->next)
        if (span->from <= at && at < span->until) {
            *ret = span;
            return RC_OK;
        }
    TRY(read_facts(f, s, &facts));
    enum rc rc = s->missing ? RC_NOT_FOUND : subscription_window(&facts, at, &w, f->tx->err);
    if (rc == RC_NOT_FOUND || rc == RC_INVALID) {
        err_clear(f->tx->err);
        return RC_OK;
    }
    TRY(rc);
    struct span *span = NEW(&f->arena, struct span);
    *span = (struct span){.from = w.from, .until = w.until, .next = s->spans};
    s->spans = span;
    *ret = span;
    return RC_OK;
}

enum rc fold_window(struct fold *f, struct folded *s, time_us at, struct span **ret)
{
    const struct span *known = s->spans;
    enum rc rc = find_window(f, s, at, ret);
    if (s->spans != known || *ret == NULL)
        arena_reset(&f->scratch);
    return rc;
}

enum rc fold_window_end(struct fold *f, struct folded *s, struct standing *t)
{
    struct span *w = NULL;
    TRY(find_window(f, s, t->from, &w));
    if (w != NULL)
        t->until = w->until;
    return RC_OK;
}

/* --- what could not be counted --- */

enum rc fold_raise(struct fold *f, const struct packed *p, const char *text)
{
    char number[RAISED_TEXT_MAX];
    struct tx *tx = f->tx;
    size_t n = (size_t)snprintf(number, sizeof number, "%llu", (unsigned long long)p->number);
    enum rc rc =
        sql_run(tx,
                "INSERT INTO usage_conflict (id, source, party, event, text, created) "
                "SELECT $1, s.name, s.party, $2, $3, $4 FROM usage_source s WHERE s.id = $5 "
                "ON CONFLICT (source, event, text) DO NOTHING",
                V(id_new(tx->ids, &f->scratch, "ucf")), V(p->id.n > 0 ? p->id : str_n(number, n)),
                V(text), V(tx->now), V(f->source));
    arena_reset(&f->scratch);
    return rc;
}

/* --- adding a record --- */

static void add_entry(struct fold *f, struct sum *s, struct entry e)
{
    if (s->entry_count == s->entry_room) {
        size_t room = s->entry_room * 2 + ENTRIES_FIRST;
        struct entry *more = NEW_N(&f->arena, struct entry, room);
        if (s->entry_count > 0)
            memcpy(more, s->entries, s->entry_count * sizeof *more);
        s->entries = more;
        s->entry_room = room;
    }
    s->entries[s->entry_count++] = e;
}

/* A quantity at the meter's scale: it was checked at the door that it fits. */
static int64_t at_scale(const struct packed *p, const struct meter *m)
{
    int64_t quantity = p->quantity;
    for (int64_t scale = p->scale; scale < m->scale; scale++)
        quantity *= 10;
    return quantity;
}

static int64_t second_of(time_us at)
{
    return at / US_PER_SECOND - (at % US_PER_SECOND < 0);
}

/* The part of a record that lies in [from, until). Time is counted in the whole seconds of the
 * clock that end within it, so that the parts add up whatever way a time is cut into records and
 * windows, and nothing is ever rounded; a quantity is split by time, telescoping. */
static __int128 share_of(const struct packed *p, const struct meter *m, time_us from, time_us until)
{
    int64_t quantity = at_scale(p, m);
    if (m->kind == METER_TIME_WEIGHTED)
        return (__int128)quantity * (second_of(until) - second_of(from));
    return telescope_time(quantity, p->from, p->until, from, until);
}

/* SUM and TIME_WEIGHTED: into each window that it touches. */
static enum rc add_spread(struct fold *f, struct folded *s, const struct packed *p,
                          const struct meter *m, int sign)
{
    for (time_us at = p->from; at < p->until;) {
        struct span *w = NULL;
        TRY(fold_window(f, s, at, &w));
        if (w == NULL)
            return fold_raise(f, p, "the subscription does not run at that time");
        time_us until = min_i64(p->until, w->until);
        struct sum *sum = find_sum(f, s, m, 0, w);
        sum->quantity += sign * share_of(p, m, at, until);
        sum->records += sign;
        at = until;
    }
    return RC_OK;
}

time_us fold_instant(const struct folded *s, const struct packed *p)
{
    return max_i64(p->until - 1, s->start);
}

/* Two sources, or two values of dims, are two counters: the readings of one say nothing of the
 * other. */
static int64_t series_of(const struct fold *f, const struct packed *p, const struct meter *m)
{
    uint64_t key[2] = {(uint64_t)f->source, UINT64_C(0x636f756e74657273)};
    return m->kind == METER_COUNTER ? (int64_t)hash_str(p->dims, key) : 0;
}

static void put_latest(struct sum *s, time_us until, int64_t quantity)
{
    bool newer = s->records == 1 || until > s->latest;
    if (newer || (until == s->latest && quantity > s->quantity)) {
        s->latest = until;
        s->quantity = quantity;
    }
}

/* What belongs to one instant; the window that ends with it holds it too. */
static enum rc add_point(struct fold *f, struct folded *s, const struct packed *p,
                         const struct meter *m, int sign)
{
    struct span *w = NULL;
    TRY(fold_window(f, s, fold_instant(s, p), &w));
    if (w == NULL)
        return fold_raise(f, p, "the subscription does not run at that time");
    struct sum *sum = find_sum(f, s, m, series_of(f, p, m), w);
    int64_t quantity = at_scale(p, m);
    sum->records += sign;
    switch ((enum meter_kind)m->kind) {
    case METER_COUNT:
        sum->quantity += sign;
        break;
    case METER_MAX:
        sum->quantity = sum->quantity > quantity ? sum->quantity : quantity;
        break;
    case METER_LAST:
        put_latest(sum, p->until, quantity);
        break;
    case METER_UNIQUE:
        add_entry(f, sum, (struct entry){(int64_t)p->key, 0});
        break;
    case METER_P95:
        add_entry(f, sum, (struct entry){fold_instant(s, p) / STATE_SLOT_US, quantity});
        break;
    case METER_COUNTER:
        add_entry(f, sum, (struct entry){p->until, quantity});
        break;
    case METER_SUM:
    case METER_TIME_WEIGHTED:
        NEVER("a spread kind is no point");
    }
    return RC_OK;
}

enum rc fold_add(struct fold *f, const struct packed *p, int sign)
{
    struct folded *s = NULL;
    TRY(fold_subscription(f, p->subscription, &s));
    if (s->missing || p->meter < 1 || p->meter > f->meter_count)
        return fold_raise(f, p, "there is no such subscription or meter");
    const struct meter *m = &f->meters[p->meter - 1];
    if (p->until > f->tx->now)
        s->early = max_i64(s->early, p->until);
    ASSERT(sign == 1 || fold_is_sum((enum meter_kind)m->kind));
    bool spread = m->kind == METER_SUM || m->kind == METER_TIME_WEIGHTED;
    return spread ? add_spread(f, s, p, m, sign) : add_point(f, s, p, m, sign);
}
