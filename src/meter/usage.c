#include "meter/usage.h"

#include "meter/record.h"
#include "party/event.h"

#include <sodium.h>

enum { KEY_BYTES = 16, CONFLICTS_TOLD = 100, PLACES = 4096 };

/* What is asked of a subscription at the door, once a call. */
struct known {
    unsigned __int128 id;
    time_us start;
    time_us ends;
    struct str text;
};
struct taking {
    struct tx *tx;
    struct str party;
    bool is_operator;
    struct str source_name;
    int64_t source;
    uint64_t last; /* number */
    size_t meter_count;
    const struct meter *meters;
    size_t known_capacity; /* a power of two */
    struct known *known;
    struct buf body;
    size_t fresh;
    uint64_t first;
    struct usage_report report;
    struct str *conflicts;
    struct str kept; /* the batch that was looked into last */
    int64_t kept_first;
};

/* --- sources --- */

static enum rc check_source(struct tx *tx, struct str name)
{
    bool good = name.n > 0 && name.n <= USAGE_ID_MAX;
    for (size_t i = 0; i < name.n && good; i++)
        good = name.p[i] > ' ' && name.p[i] < 127;
    if (!good)
        return err_set_at(tx->err, RC_INVALID, STR("/source"),
                          "a source is a URI of at most %d characters, such as "
                          "urn:pop:par1:node7",
                          USAGE_ID_MAX);
    return RC_OK;
}

static enum rc find_source(struct taking *t)
{
    struct rows rows;
    struct tx *tx = t->tx;
    TRY(check_source(tx, t->source_name));
    TRY(sql_rows(tx, &rows, "SELECT id, party, last_number FROM usage_source WHERE name = $1",
                 V(t->source_name)));
    if (rows.count > 0 && !str_eq(row_str(&rows, 0, 1), t->party) && !t->is_operator)
        return err_set_at(tx->err, RC_INVALID, STR("/source"),
                          "the source '%.*s' reports for another party", STRF(t->source_name));
    if (rows.count > 0) {
        t->source = row_int(&rows, 0, 0);
        t->last = (uint64_t)row_int(&rows, 0, 2);
        return RC_OK;
    }
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(id), 0) + 1 FROM usage_source"));
    t->source = row_int(&rows, 0, 0);
    return sql_run(tx,
                   "INSERT INTO usage_source (id, name, party, last_number, created) "
                   "VALUES ($1, $2, $3, 0, $4)",
                   V(t->source), V(t->source_name), V(t->party), V(tx->now));
}

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

/* That the subscription is there, and that this party may report for it. */
static enum rc find_subscription(struct taking *t, size_t i, struct str text,
                                 const struct known **ret)
{
    if (!id_is(text, "sub"))
        return invalid(t, i, "subject", "this is no id of a subscription");
    unsigned __int128 id = id_number(text);
    struct known *k = place_of(t, id);
    if (k->text.n == 0) {
        struct subscription_reporting s;
        enum rc rc = subscription_reporting(t->tx, text, &s);
        bool mine = rc == RC_OK &&
                    (t->is_operator || str_eq(s.seller, t->party) || str_eq(s.producer, t->party));
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            return rc;
        if (!mine)
            return invalid(t, i, "subject", "there is no such subscription, or not for you");
        *k = (struct known){.id = id, .start = s.start, .ends = s.ends, .text = text};
    }
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
    return RC_OK;
}

static enum rc check_quantity(struct taking *t, size_t i, const struct usage_record *r,
                              const struct meter *m)
{
    struct quantity q;
    if (r->quantity.scale > m->scale)
        return invalid(t, i, "data/qty", "more digits behind the point than the meter has");
    if (quantity_add(r->quantity, (struct quantity){0, (int)m->scale}, &q, t->tx->err) != RC_OK)
        return invalid(t, i, "data/qty", "the quantity does not fit");
    if (r->quantity.mantissa < 0 && m->kind != METER_SUM && m->kind != METER_LAST)
        return invalid(t, i, "data/qty", "a quantity of this meter is not below 0");
    return RC_OK;
}

static enum rc pack(struct taking *t, size_t i, const struct usage_record *r, struct packed *ret)
{
    const struct known *k = NULL;
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
    return RC_OK;
}

/* --- seen before? --- */

enum rc usage_find(struct tx *tx, int64_t source, uint64_t number, struct packed *ret, bool *there)
{
    struct rows rows;
    size_t at = 0;
    *there = false;
    TRY(sql_rows(tx, &rows,
                 "SELECT body FROM usage_batch WHERE source = $1 AND first_number <= $2 "
                 "ORDER BY first_number DESC LIMIT 1",
                 V(source), V((int64_t)number)));
    if (rows.count == 0)
        return RC_OK;
    struct packed p;
    while (!*there && record_read(row_bytes(&rows, 0, 0), &at, &p))
        *there = p.number == number;
    if (*there)
        *ret = p;
    return RC_OK;
}

static enum rc raise_conflict(struct taking *t, struct str event, const char *text)
{
    struct tx *tx = t->tx;
    if (t->report.conflicts.count < CONFLICTS_TOLD)
        t->conflicts[t->report.conflicts.count++] = event;
    t->report.refused++;
    TRY(sql_run(tx,
                "INSERT INTO usage_conflict (id, source, party, event, text, created) "
                "VALUES ($1, $2, $3, $4, $5, $6)",
                V(id_new(tx->ids, tx->arena, "ucf")), V(t->source_name), V(t->party), V(event),
                V(text), V(tx->now)));
    return event_put(tx, "event.usage.conflict", t->party, "usage", event, 0, STR(""));
}

/* The record of a number: in what this call has taken so far, or in the store. */
static enum rc find_taken(struct taking *t, uint64_t number, struct packed *ret, bool *there)
{
    size_t at = 0;
    struct packed p;
    *there = false;
    if (t->fresh == 0 || number < t->first)
        return usage_find(t->tx, t->source, number, ret, there);
    while (!*there && record_read(buf_str(&t->body), &at, &p))
        *there = p.number == number;
    if (*there)
        *ret = p;
    return RC_OK;
}

static enum rc compare(struct taking *t, const struct packed *p, uint64_t number, struct str event)
{
    struct packed old;
    bool there = false;
    TRY(find_taken(t, number, &old, &there));
    if (!there && p->id.n == 0)
        return err_set(t->tx->err, RC_INVALID,
                       "number %llu of '%.*s' comes late: numbers of a source ascend, and %llu was "
                       "taken already",
                       (unsigned long long)number, STRF(t->source_name),
                       (unsigned long long)t->last);
    if (there && record_same(&old, p)) {
        t->report.repeated++;
        return RC_OK;
    }
    return raise_conflict(t, event, "another record was taken under this id");
}

static struct str event_key(struct tx *tx, struct str id)
{
    char *key = arena_bytes(tx->arena, KEY_BYTES);
    crypto_generichash((unsigned char *)key, KEY_BYTES, (const unsigned char *)id.p, id.n, NULL, 0);
    return str_n(key, KEY_BYTES);
}

enum rc usage_number(struct tx *tx, int64_t source, struct str id, int64_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT number FROM usage_event WHERE source = $1 AND key = $2",
                 V(source), value_bytes(event_key(tx, id))));
    *ret = rows.count > 0 ? row_int(&rows, 0, 0) : 0;
    return RC_OK;
}

/* --- keeping --- */

static void keep(struct taking *t, struct packed *p)
{
    if (t->fresh++ == 0)
        t->first = p->number;
    t->last = p->number;
    record_write(&t->body, p);
    t->report.accepted++;
}

/* The record that this one corrects is there, and nothing has corrected it before. */
static enum rc supersede(struct taking *t, size_t i, const struct packed *p, bool *ret_good)
{
    int64_t number = 0;
    int64_t changed = 0;
    *ret_good = true;
    if (p->supersedes.n == 0)
        return RC_OK;
    TRY(usage_number(t->tx, t->source, p->supersedes, &number));
    if (number == 0)
        return invalid(t, i, "supersedes", "the source has no such record");
    TRY(sql_change(t->tx, &changed,
                   "INSERT INTO usage_superseded (source, number) VALUES ($1, $2) "
                   "ON CONFLICT (source, number) DO NOTHING",
                   V(t->source), V(number)));
    *ret_good = changed == 1;
    return *ret_good ? RC_OK
                     : raise_conflict(t, p->id, "the record that it corrects was corrected before");
}

static enum rc take_event(struct taking *t, size_t i, struct packed *p)
{
    int64_t number = 0;
    int64_t inserted = 0;
    bool good = false;
    int64_t mine = (int64_t)t->last + 1;
    TRY(sql_change(t->tx, &inserted,
                   "INSERT INTO usage_event (source, key, number) VALUES ($1, $2, $3) "
                   "ON CONFLICT (source, key) DO NOTHING",
                   V(t->source), value_bytes(event_key(t->tx, p->id)), V(mine)));
    if (inserted == 0) {
        TRY(usage_number(t->tx, t->source, p->id, &number));
        return compare(t, p, (uint64_t)number, p->id);
    }
    TRY(supersede(t, i, p, &good));
    if (!good) /* its id stays known: a repeat is refused in the same way */
        return RC_OK;
    p->number = (uint64_t)mine;
    keep(t, p);
    return RC_OK;
}

static enum rc take_numbered(struct taking *t, struct packed *p)
{
    if (p->number > t->last) {
        keep(t, p);
        return RC_OK;
    }
    struct str event = arena_fmt(t->tx->arena, "%llu", (unsigned long long)p->number);
    return compare(t, p, p->number, event);
}

static enum rc write_batch(struct taking *t)
{
    struct rows rows;
    struct tx *tx = t->tx;
    if (t->fresh == 0)
        return RC_OK;
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM usage_batch"));
    TRY(sql_run(tx,
                "INSERT INTO usage_batch (no, source, first_number, last_number, records, "
                "received, body) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                V(row_int(&rows, 0, 0)), V(t->source), V((int64_t)t->first), V((int64_t)t->last),
                V((int64_t)t->fresh), V(tx->now), value_bytes(buf_str(&t->body))));
    return sql_run(tx, "UPDATE usage_source SET last_number = $2 WHERE id = $1", V(t->source),
                   V((int64_t)t->last));
}

enum rc usage_take(struct tx *tx, struct str party, struct str source,
                   const struct usage_record *records, size_t count, struct usage_report *ret)
{
    struct party operator_party;
    struct list meters;
    struct taking *t = NEW(tx->arena, struct taking);
    if (count > USAGE_BATCH_MAX)
        return err_set(tx->err, RC_TOO_LARGE, "at most %d records at once", USAGE_BATCH_MAX);
    TRY(party_operator(tx, &operator_party));
    TRY(meter_list(tx, &meters));
    *t = (struct taking){
        .tx = tx,
        .party = party,
        .is_operator = str_eq(party, operator_party.id),
        .source_name = source,
        .meter_count = meters.count,
        .meters = meters.items,
        .known_capacity = PLACES,
        .conflicts = NEW_N(tx->arena, struct str, CONFLICTS_TOLD),
    };
    while (t->known_capacity < count * 2)
        t->known_capacity *= 2;
    t->known = NEW_N(tx->arena, struct known, t->known_capacity);
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes +=
            USAGE_RECORD_BYTES + 6 + records[i].id.n + records[i].supersedes.n + records[i].dims.n;
    buf_init(&t->body, tx->arena, bytes + 1);
    TRY(find_source(t));
    for (size_t i = 0; i < count; i++) {
        struct packed p;
        TRY(pack(t, i, &records[i], &p));
        TRY(records[i].number == 0 ? take_event(t, i, &p) : take_numbered(t, &p));
    }
    ASSERT(!t->body.full);
    TRY(write_batch(t));
    t->report.set = schema_all(&usage_report_schema);
    t->report.conflicts.items = t->conflicts;
    *ret = t->report;
    return RC_OK;
}
