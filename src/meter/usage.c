#include "meter/usage.h"

#include "meter/kept.h"
#include "meter/source.h"
#include "party/event.h"

enum {
    CONFLICTS_TOLD = 100, /* of one call; the others are counted */
    PLACES_MIN = 1024,
    SCRATCH_BYTES = 16 * 1024 * 1024,
};
/* Longer ones are a mistake of the clock. */
#define USAGE_SPAN_MAX_US (400 * US_PER_DAY)
#define CLOCKS_APART_US   US_PER_MINUTE

/* What is asked of a subscription at the door, once a call. */
struct known {
    unsigned __int128 id;
    time_us start;
    time_us ends;
    time_us before; /* what is said of the time from then on is of the moment before */
    struct str text;
};
enum fate { FATE_FRESH, FATE_REPEATED, FATE_TAKEN, FATE_CORRECTED };

struct taking {
    struct tx *tx;
    struct tx side;       /* the same unit of work with an arena that is emptied on the way */
    struct arena scratch; /* its */
    struct str party;
    bool is_operator;
    bool numbered; /* the source numbers its records itself */
    struct str source_name;
    int64_t source;
    uint64_t had; /* the highest number before this call */
    uint64_t last;
    int64_t batch; /* no that a new one gets */
    size_t meter_count;
    const struct meter *meters;
    size_t known_capacity; /* a power of two */
    struct known *known;
    const struct known *recent; /* records of one subscription stand together, mostly */
    size_t count;
    struct packed *packed;
    enum fate *fates;
    size_t asked_count; /* what may be in the store */
    struct kept_place *asked;
    struct kept_place *order; /* all of them, by number */
    struct usage_report report;
    struct str *conflicts;
};

/* --- what a record is about --- */

static enum rc invalid(struct taking *t, size_t i, const char *field, const char *what)
{
    return err_set_at(t->tx->err, RC_INVALID, arena_fmt(t->tx->arena, "/%zu/%s", i, field), "%s",
                      what);
}

static struct known *place_of(struct taking *t, unsigned __int128 id)
{
    uint64_t h = (uint64_t)id * UINT64_C(0x9E3779B97F4A7C15);
    for (size_t at = h >> 32;; at++) {
        struct known *k = &t->known[at & (t->known_capacity - 1)];
        if (k->text.n == 0 || k->id == id)
            return k;
    }
}

/* Whoever sold it before has counted until it went over, by a clock of his own, and tells that
 * afterwards: it is billed by him. */
static enum rc was_mine(struct taking *t, struct str id, struct subscription_reporting *s,
                        time_us *ret_before, bool *ret_mine)
{
    time_us ends = s->ends;
    TRY(subscription_reporting_before(&t->side, id, t->party, s, ret_mine));
    *ret_before = s->ends;
    if (*ret_mine && s->ends < ends)
        s->ends = min_i64(ends, s->ends + CLOCKS_APART_US);
    return RC_OK;
}

/* That the subscription is there, and that this party may report for it. */
static enum rc find_subscription(struct taking *t, size_t i, struct str text,
                                 const struct known **ret)
{
    if (t->recent != NULL && str_eq(t->recent->text, text)) {
        *ret = t->recent;
        return RC_OK;
    }
    if (!id_is(text, "sub"))
        return invalid(t, i, "subject", "this is no id of a subscription");
    unsigned __int128 id = id_number(text);
    struct known *k = place_of(t, id);
    if (k->text.n == 0) {
        struct subscription_reporting s;
        time_us before = INT64_MAX;
        enum rc rc = subscription_reporting(&t->side, text, &s);
        bool mine = rc == RC_OK &&
                    (t->is_operator || str_eq(s.seller, t->party) || str_eq(s.producer, t->party));
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            return rc;
        if (rc == RC_OK && !mine)
            TRY(was_mine(t, text, &s, &before, &mine));
        if (!mine)
            return invalid(t, i, "subject", "there is no such subscription, or not for you");
        *k = (struct known){
            .id = id, .start = s.start, .ends = s.ends, .before = before, .text = text};
        arena_reset(&t->scratch);
    }
    t->recent = k;
    *ret = k;
    return RC_OK;
}

static bool is_point(enum meter_kind kind)
{
    return kind != METER_SUM && kind != METER_TIME_WEIGHTED;
}

static enum rc check_times(struct taking *t, size_t i, const struct usage_record *r,
                           const struct known *k, enum meter_kind kind)
{
    if (r->from > r->until || (r->from == r->until && !is_point(kind)))
        return invalid(t, i, "data/t1", "it ends after it begins");
    if (r->from < k->start || r->until > k->ends || r->from < PERIOD_AT_MIN ||
        r->until > PERIOD_AT_MAX)
        return invalid(t, i, "data/t0", "the subscription does not run at that time");
    if (r->until - r->from > USAGE_SPAN_MAX_US)
        return invalid(t, i, "data/t1", "one record spans 400 days at most");
    return RC_OK;
}

static enum rc check_quantity(struct taking *t, size_t i, const struct usage_record *r,
                              const struct meter *m)
{
    struct quantity q;
    if (r->quantity.scale < 0 || r->quantity.scale > m->scale)
        return invalid(t, i, "data/qty", "more digits behind the point than the meter has");
    if (quantity_add(r->quantity, (struct quantity){0, (int)m->scale}, &q, t->tx->err) != RC_OK)
        return invalid(t, i, "data/qty", "the quantity does not fit");
    if (m->kind == METER_UNIQUE && r->key == 0)
        return invalid(t, i, "data/dims/key", "this meter counts distinct keys: say which");
    if (r->quantity.mantissa < 0 && m->kind != METER_SUM && m->kind != METER_LAST)
        return invalid(t, i, "data/qty", "a quantity of this meter is not below 0");
    return RC_OK;
}

static void keep_before(time_us before, struct packed *p)
{
    bool point = p->from == p->until;
    if (p->until < before || (p->until == before && !point))
        return;
    p->until = before - point;
    p->from = min_i64(p->from, before - 1);
}

static enum rc pack(struct taking *t, size_t i, const struct usage_record *r, struct packed *ret)
{
    const struct known *k = NULL;
    if ((r->number != 0) != t->numbered || r->number > INT64_MAX)
        return invalid(t, i, "id", "a number from 1 to 2^63 - 1, or in JSON an id");
    if (t->numbered && r->supersedes.n > 0)
        return invalid(t, i, "supersedes", "records with numbers are not corrected");
    if (r->meter < 1 || r->meter > (int64_t)t->meter_count)
        return invalid(t, i, "type", "there is no such meter");
    const struct meter *m = &t->meters[r->meter - 1];
    ASSERT(m->number == r->meter);
    TRY(find_subscription(t, i, r->subscription, &k));
    TRY(check_times(t, i, r, k, (enum meter_kind)m->kind));
    TRY(check_quantity(t, i, r, m));
    *ret = (struct packed){
        .number = r->number,
        .subscription = k->id,
        .meter = (uint32_t)r->meter,
        .scale = (uint8_t)r->quantity.scale,
        .from = r->from,
        .until = r->until,
        .quantity = r->quantity.mantissa,
        .key = r->key,
        .id = r->id,
        .supersedes = r->supersedes,
        .dims = r->dims,
    };
    keep_before(k->before, ret);
    return RC_OK;
}

/* --- seen before? --- */

static void compare(struct taking *t, size_t i, const struct packed *old)
{
    t->fates[i] = record_same(old, &t->packed[i]) ? FATE_REPEATED : FATE_TAKEN;
}

static enum rc compare_kept(void *arg, const struct packed *p, size_t index)
{
    compare(arg, index, p);
    return RC_OK;
}

/* Repeats within the call stand side by side once all are in order. What lies above all numbers of
 * before is new; below, the batches tell. */
static enum rc look_for_numbers(struct taking *t)
{
    bool ascending = true;
    for (size_t i = 1; i < t->count; i++)
        ascending = ascending && t->order[i - 1].number < t->order[i].number;
    if (!ascending)
        qsort(t->order, t->count, sizeof *t->order, kept_place_order);
    const struct kept_place *first = t->order;
    for (size_t i = 0; i < t->count; i++) {
        const struct kept_place *p = &t->order[i];
        if (i > 0 && p->number == first->number)
            compare(t, p->index, &t->packed[first->index]);
        else
            first = p;
        if (p->number <= t->had)
            t->asked[t->asked_count++] = *p;
    }
    t->last = t->had;
    if (t->order[t->count - 1].number > t->had)
        t->last = t->order[t->count - 1].number;
    return kept_find(t->tx, t->source, t->asked, t->asked_count, compare_kept, t);
}

/* A new event gets the next number; of one that is known the number tells where to look. */
static enum rc look_for_event(struct taking *t, size_t i)
{
    unsigned char key[KEPT_KEY_BYTES];
    uint64_t number = 0;
    int64_t inserted = 0;
    struct packed *p = &t->packed[i];
    TRY(sql_change(t->tx, &inserted,
                   "INSERT INTO usage_event (source, key, number) VALUES ($1, $2, $3) "
                   "ON CONFLICT (source, key) DO NOTHING",
                   V(t->source), kept_key(p->id, key), V((int64_t)t->last + 1)));
    if (inserted == 1) {
        p->number = ++t->last;
        t->order[t->last - t->had - 1] = (struct kept_place){p->number, i};
        return RC_OK;
    }
    TRY(kept_number(t->tx, t->source, p->id, &number));
    if (number > t->had)
        compare(t, i, &t->packed[t->order[number - t->had - 1].index]);
    else
        t->asked[t->asked_count++] = (struct kept_place){number, i};
    return RC_OK;
}

static enum rc look_for_events(struct taking *t)
{
    for (size_t i = 0; i < t->count; i++)
        TRY(look_for_event(t, i));
    for (size_t i = 0; i < t->asked_count; i++)
        t->fates[t->asked[i].index] = FATE_TAKEN; /* until its like is found */
    qsort(t->asked, t->asked_count, sizeof *t->asked, kept_place_order);
    return kept_find(t->tx, t->source, t->asked, t->asked_count, compare_kept, t);
}

/* The record that this one corrects is there, and nothing has corrected it before. */
static enum rc supersede(struct taking *t, size_t i)
{
    unsigned char key[KEPT_KEY_BYTES];
    uint64_t number = 0;
    int64_t changed = 0;
    const struct packed *p = &t->packed[i];
    TRY(kept_number(t->tx, t->source, p->supersedes, &number));
    if (number == 0)
        return invalid(t, i, "data/supersedes", "the source has no such record");
    if (number == p->number)
        return invalid(t, i, "data/supersedes", "a record does not correct itself");
    TRY(sql_change(t->tx, &changed,
                   "INSERT INTO usage_superseded (source, number, batch) VALUES ($1, $2, $3) "
                   "ON CONFLICT (source, number) DO NOTHING",
                   V(t->source), V((int64_t)number), V(t->batch)));
    if (changed == 1)
        return RC_OK;
    t->fates[i] = FATE_CORRECTED;
    return sql_run(t->tx, "DELETE FROM usage_event WHERE source = $1 AND key = $2", V(t->source),
                   kept_key(p->id, key));
}

/* --- keeping --- */

/* Told once: a node that sends the same again and again fills nothing. */
static enum rc raise_conflict(struct taking *t, size_t i)
{
    struct tx *tx = t->tx;
    const struct packed *p = &t->packed[i];
    int64_t inserted = 0;
    struct str text = t->fates[i] == FATE_CORRECTED
                          ? STR("the record that it corrects was corrected before")
                          : STR("another record was taken under this id");
    t->report.refused++;
    if (t->report.conflicts.count == CONFLICTS_TOLD)
        return RC_OK;
    struct str event =
        p->id.n > 0 ? p->id : arena_fmt(tx->arena, "%llu", (unsigned long long)p->number);
    t->conflicts[t->report.conflicts.count++] = event;
    TRY(sql_change(tx, &inserted,
                   "INSERT INTO usage_conflict (id, source, party, event, text, created) "
                   "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (source, event, text) DO NOTHING",
                   V(id_new(tx->ids, tx->arena, "ucf")), V(t->source_name), V(t->party), V(event),
                   V(text), V(tx->now)));
    if (inserted == 0)
        return RC_OK;
    return event_put(tx, "event.usage.conflict", t->party, "usage", event, 0, STR(""));
}

static enum rc count_fates(struct taking *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->fates[i] == FATE_FRESH && t->packed[i].supersedes.n > 0)
            TRY(supersede(t, i));
        if (t->fates[i] == FATE_FRESH)
            t->report.accepted++;
        else if (t->fates[i] == FATE_REPEATED)
            t->report.repeated++;
        else
            TRY(raise_conflict(t, i));
    }
    return RC_OK;
}

static enum rc note_reporters(struct taking *t)
{
    for (size_t i = 0; i < t->known_capacity; i++)
        if (t->known[i].text.n > 0)
            TRY(sql_run(t->tx,
                        "INSERT INTO usage_reporter (subscription, source) VALUES ($1, $2) "
                        "ON CONFLICT (subscription, source) DO NOTHING",
                        V(t->known[i].text), V(t->source)));
    return RC_OK;
}

static size_t bytes_of(const struct packed *p)
{
    return PACKING_RECORD_MAX + p->id.n + p->supersedes.n + p->dims.n;
}

static enum rc write_batch(struct taking *t)
{
    struct buf body;
    struct tx *tx = t->tx;
    struct packing_writer *w = NEW(tx->arena, struct packing_writer);
    size_t bytes = PACKING_HEAD_BYTES;
    uint64_t first = 0;
    uint64_t last = 0;
    time_us from = INT64_MAX;
    time_us until = INT64_MIN;
    size_t numbers = t->numbered ? t->count : (size_t)(t->last - t->had);
    for (size_t i = 0; i < t->count; i++)
        bytes += bytes_of(&t->packed[i]);
    buf_init(&body, tx->arena, bytes);
    (void)buf_reserve(&body, bytes);
    buf_reset(&body);
    packing_begin(w, &body);
    for (size_t k = 0; k < numbers; k++) {
        const struct packed *p = &t->packed[t->order[k].index];
        if (t->fates[t->order[k].index] != FATE_FRESH)
            continue;
        first = first == 0 ? p->number : first;
        last = p->number;
        from = min_i64(from, p->from);
        until = max_i64(until, p->until);
        packing_add(w, p);
    }
    packing_end(w);
    ASSERT(!body.full);
    TRY(sql_run(tx,
                "INSERT INTO usage_batch (no, source, first_number, last_number, time_from, "
                "time_until, records, received, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                V(t->batch), V(t->source), V((int64_t)first), V((int64_t)last), V(from), V(until),
                V(t->report.accepted), V(tx->now), value_bytes(buf_str(&body))));
    TRY(note_reporters(t));
    return sql_run(tx, "UPDATE usage_source SET last_number = $2 WHERE id = $1", V(t->source),
                   V((int64_t)t->last));
}

/* --- the call --- */

/* Everything that grows with the call, measured before it is taken. */
static enum rc make_room(struct taking *t, const struct usage_record *records, size_t count)
{
    struct arena *a = t->tx->arena;
    size_t texts = 0;
    t->count = count;
    t->known_capacity = PLACES_MIN;
    while (t->known_capacity < count * 2)
        t->known_capacity *= 2;
    for (size_t i = 0; i < count; i++)
        texts += records[i].id.n + records[i].supersedes.n + records[i].dims.n;
    size_t each = sizeof *t->packed + sizeof *t->fates + 2 * sizeof *t->asked + PACKING_RECORD_MAX;
    size_t fixed = t->known_capacity * sizeof *t->known + sizeof(struct packing_writer);
    if (arena_room(a) / 2 < fixed + count * each + texts)
        return err_set(t->tx->err, RC_TOO_LARGE, "these are too many records: send them in parts");
    t->known = NEW_N(a, struct known, t->known_capacity);
    t->packed = NEW_N(a, struct packed, count);
    t->fates = NEW_N(a, enum fate, count);
    t->asked = NEW_N(a, struct kept_place, count);
    t->order = NEW_N(a, struct kept_place, count);
    t->conflicts = NEW_N(a, struct str, CONFLICTS_TOLD);
    return RC_OK;
}

static enum rc take(struct taking *t, const struct usage_record *records, size_t count)
{
    struct party operator_party;
    struct list meters;
    struct rows rows;
    struct source_place place;
    struct tx *tx = t->tx;
    TRY(party_operator(tx, &operator_party));
    TRY(meter_list(tx, &meters));
    t->is_operator = str_eq(t->party, operator_party.id);
    t->meter_count = meters.count;
    t->meters = meters.items;
    t->numbered = records[0].number != 0;
    TRY(source_report(tx, &(struct usage_source){.source = t->source_name, .party = t->party},
                      t->is_operator, t->numbered, &place));
    t->source = place.id;
    t->had = t->last = place.last;
    TRY(make_room(t, records, count));
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM usage_batch"));
    t->batch = row_int(&rows, 0, 0);
    for (size_t i = 0; i < count; i++) {
        TRY(pack(t, i, &records[i], &t->packed[i]));
        t->order[i] = (struct kept_place){records[i].number, i};
    }
    TRY(t->numbered ? look_for_numbers(t) : look_for_events(t));
    TRY(count_fates(t));
    if (t->report.accepted > 0)
        TRY(write_batch(t));
    t->report.set = schema_all(&usage_report_schema);
    t->report.conflicts.items = t->conflicts;
    return RC_OK;
}

enum rc usage_take(struct tx *tx, struct str party, struct str source,
                   const struct usage_record *records, size_t count, struct usage_report *ret)
{
    if (count > USAGE_BATCH_MAX)
        return err_set(tx->err, RC_TOO_LARGE, "at most %d records at once", USAGE_BATCH_MAX);
    struct taking *t = NEW(tx->arena, struct taking);
    if (count == 0) {
        *ret = (struct usage_report){.set = schema_all(&usage_report_schema)};
        return RC_OK;
    }
    *t = (struct taking){.tx = tx, .side = *tx, .party = party, .source_name = source};
    arena_init(&t->scratch, SCRATCH_BYTES);
    t->side.arena = &t->scratch;
    enum rc rc = take(t, records, count);
    arena_fini(&t->scratch);
    if (rc == RC_OK)
        *ret = t->report;
    return rc;
}
