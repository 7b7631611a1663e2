#include "pico/usage.h"

#include "base/json.h"
#include "pico/outgoing.h"

#include <stdlib.h>

enum {
    ACCOUNTS_A_TURN = 100,
    RECORD_BYTES_MAX = 2048,
    TALLY_ARENA = 16 * 1024 * 1024,
};

/* --- gathering --- */

/* What an account has used and is not written. */
struct tally {
    struct tally *next;
    int64_t account;
    struct usage used;
};

void usage_count(struct pico_engine *e, int64_t account, const struct usage *more)
{
    struct tally **at = &e->tallies[(size_t)account % TALLY_SLOTS];
    while (*at != NULL && (*at)->account != account)
        at = &(*at)->next;
    if (*at == NULL) {
        *at = calloc(1, sizeof **at);
        ASSERT(*at != NULL);
        (*at)->account = account;
    }
    struct usage *u = &(*at)->used;
    u->events += more->events;
    u->queries += more->queries;
    u->steps += more->steps;
    e->tallies_n++;
}

enum rc usage_events(struct tx *tx, int64_t account, int64_t events)
{
    return sql_run(tx, "UPDATE pico_account SET events = events + $2 WHERE pico = $1", V(account),
                   V(events));
}

static enum rc write_tallies(struct tx *tx, void *arg)
{
    for (const struct tally *t = arg; t != NULL; t = t->next)
        TRY(sql_run(tx,
                    "UPDATE pico_account SET events = events + $2, queries = queries + $3, steps = "
                    "steps + $4 WHERE pico = $1",
                    V(t->account), V(t->used.events), V(t->used.queries), V(t->used.steps)));
    return RC_OK;
}

/* With the lock: one list of all. */
static struct tally *take_tallies(struct pico_engine *e)
{
    struct tally *first = NULL;
    for (size_t i = 0; i < TALLY_SLOTS; i++)
        for (struct tally *t = e->tallies[i], *next = NULL; t != NULL; t = next) {
            next = t->next;
            t->next = first;
            first = t;
        }
    memset(e->tallies, 0, sizeof e->tallies);
    e->tallies_n = 0;
    return first;
}

static void forget_tallies(struct tally *first)
{
    for (struct tally *t = first, *next = NULL; t != NULL; t = next) {
        next = t->next;
        free(t);
    }
}

void usage_write(struct pico_engine *e)
{
    struct arena arena;
    struct err err;
    if (e->tallies_n == 0)
        return;
    struct tally *first = take_tallies(e);
    pthread_mutex_unlock(&e->lock);
    arena_init(&arena, TALLY_ARENA);
    enum rc rc = store_write(e->store, &arena, &err, write_tallies, first);
    arena_fini(&arena);
    pthread_mutex_lock(&e->lock);
    for (const struct tally *t = first; rc != RC_OK && t != NULL; t = t->next)
        usage_count(e, t->account, &t->used);
    forget_tallies(first);
}

void usage_close(struct pico_engine *e)
{
    forget_tallies(take_tallies(e));
}

/* --- records --- */

struct account {
    int64_t no;
    struct str id;
    struct str subscription; /* empty: nobody is told */
    time_us begun;
    time_us day;
    struct usage used;
};

static enum rc read_account(struct tx *tx, int64_t no, struct account *ret, bool *ret_found)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id, subscription, begun, day, events, queries, steps FROM pico_account "
                 "WHERE pico = $1",
                 V(no)));
    *ret_found = rows.count > 0;
    if (!*ret_found)
        return RC_OK;
    *ret = (struct account){.no = no,
                            .id = row_str(&rows, 0, 0),
                            .subscription = row_str(&rows, 0, 1),
                            .begun = row_int(&rows, 0, 2),
                            .day = row_int(&rows, 0, 3),
                            .used = {.events = row_int(&rows, 0, 4),
                                     .queries = row_int(&rows, 0, 5),
                                     .steps = row_int(&rows, 0, 6)}};
    return RC_OK;
}

static void put_text(struct json_writer *w, const char *key, struct str text)
{
    json_put_key(w, str_c(key));
    json_put_str(w, text);
}

static struct str time_text(struct arena *arena, time_us at)
{
    char text[TIME_TEXT_MAX];
    return arena_str(arena, str_n(text, time_format(at, text)));
}

/* One record: a CloudEvent, as the meter takes it (meter/usage.h). */
static enum rc put_record(struct tx *tx, struct pico_engine *e, const struct account *a,
                          const char *meter, const time_us span[2], int64_t quantity)
{
    struct buf b;
    struct json_writer w;
    struct outgoing o = {.kind = OUTGOING_USAGE, .target = e->o.usage.url};
    o.id = arena_fmt(tx->arena, "%.*s.%s.%lld", STRF(a->id), meter, (long long)span[0]);
    buf_init(&b, tx->arena, RECORD_BYTES_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    put_text(&w, "specversion", STR("1.0"));
    put_text(&w, "id", o.id);
    put_text(&w, "source", e->o.usage.source);
    put_text(&w, "type", str_c(meter));
    put_text(&w, "subject", a->subscription);
    json_put_key(&w, STR("data"));
    json_begin_object(&w);
    put_text(&w, "t0", time_text(tx->arena, span[0]));
    put_text(&w, "t1", time_text(tx->arena, span[1]));
    put_text(&w, "qty", arena_fmt(tx->arena, "%lld", (long long)quantity));
    json_end_object(&w);
    json_end_object(&w);
    ASSERT(!b.full);
    o.body = buf_str(&b);
    return outgoing_put(tx, e, a->no, &o);
}

/* How much of a level there was, for each second of a time; what is not there is not told. */
struct levels {
    int64_t descendants;
    int64_t bytes;
};

/* What is packed of the picos of an account: variables, where rules stand, schedules, channels. */
static enum rc read_levels(struct tx *tx, int64_t no, struct levels *ret)
{
    struct rows rows;
    TRY(sql_rows(
        tx, &rows,
        "SELECT (SELECT COUNT(*) FROM pico p WHERE p.account = $1), "
        "(SELECT COALESCE(SUM(LENGTH(x.value)), 0) FROM pico p JOIN pico_entity x ON x.pico = p.no "
        "WHERE p.account = $1) + "
        "(SELECT COALESCE(SUM(LENGTH(x.states)), 0) FROM pico p JOIN pico_waiting x ON x.pico = "
        "p.no WHERE p.account = $1) + "
        "(SELECT COALESCE(SUM(LENGTH(x.detail)), 0) FROM pico p JOIN pico_schedule x ON x.pico = "
        "p.no WHERE p.account = $1) + "
        "(SELECT COALESCE(SUM(LENGTH(x.config)), 0) FROM pico p JOIN pico_installed x ON x.pico = "
        "p.no WHERE p.account = $1) + "
        "(SELECT COALESCE(SUM(LENGTH(COALESCE(x.detail, d.detail))), 0) FROM pico p JOIN "
        "pico_channel x ON x.pico = p.no LEFT JOIN pico_detail d ON d.no = x.shared WHERE "
        "p.account = $1)",
        V(no)));
    *ret = (struct levels){.descendants = max_i64(0, row_int(&rows, 0, 0) - 1),
                           .bytes = row_int(&rows, 0, 1)};
    return RC_OK;
}

static enum rc put_levels(struct tx *tx, struct pico_engine *e, const struct account *a,
                          time_us until, const struct levels *l)
{
    const time_us span[2] = {a->day, until};
    if (a->subscription.n == 0 || until <= a->day)
        return RC_OK;
    TRY(put_record(tx, e, a, "pico.descendants", span, l->descendants));
    return put_record(tx, e, a, "pico.bytes", span, l->bytes);
}

static enum rc put_used(struct tx *tx, struct pico_engine *e, const struct account *a,
                        time_us until)
{
    const struct {
        const char *meter;
        int64_t quantity;
    } meters[] = {{"pico.events", a->used.events},
                  {"pico.queries", a->used.queries},
                  {"pico.steps", a->used.steps}};
    const time_us span[2] = {a->begun, max_i64(until, a->begun + 1)};
    for (size_t i = 0; a->subscription.n > 0 && i < COUNT(meters); i++)
        if (meters[i].quantity > 0)
            TRY(put_record(tx, e, a, meters[i].meter, span, meters[i].quantity));
    return RC_OK;
}

static enum rc begin_anew(struct tx *tx, int64_t no, time_us begun, time_us day)
{
    return sql_run(tx,
                   "UPDATE pico_account SET begun = $2, day = $3, events = 0, queries = 0, steps = "
                   "0 WHERE pico = $1",
                   V(no), V(begun), V(day));
}

enum rc usage_end(struct tx *tx, struct pico_engine *e, int64_t account)
{
    struct account a;
    struct levels l;
    bool found = false;
    TRY(read_account(tx, account, &a, &found));
    if (!found)
        return RC_OK;
    if (e->o.usage.url.n > 0) {
        TRY(read_levels(tx, account, &l));
        TRY(put_used(tx, e, &a, tx->now));
        TRY(put_levels(tx, e, &a, tx->now, &l));
    }
    return begin_anew(tx, account, tx->now, tx->now);
}

/* --- at the end of a period --- */

struct ending {
    struct pico_engine *e;
    time_us now;
    int64_t accounts[ACCOUNTS_A_TURN];
    size_t n;
    int64_t no; /* the one in hand */
    bool day;   /* it tells levels too */
    struct levels levels;
};

static time_us period_of(time_us at, int64_t period_us)
{
    return at - at % period_us;
}

static enum rc find_due(struct tx *tx, void *arg)
{
    struct ending *d = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT pico FROM pico_account WHERE begun < $1 ORDER BY begun, pico LIMIT $2",
                 V(period_of(d->now, d->e->o.usage.period_us)), V(ACCOUNTS_A_TURN)));
    d->n = rows.count;
    for (size_t i = 0; i < rows.count; i++)
        d->accounts[i] = row_int(&rows, i, 0);
    return RC_OK;
}

/* Before the writing, which waits for nothing long. */
static enum rc look_at(struct tx *tx, void *arg)
{
    struct ending *d = arg;
    struct account a;
    bool found = false;
    TRY(read_account(tx, d->no, &a, &found));
    d->day = found && a.day < period_of(d->now, US_PER_DAY);
    return d->day ? read_levels(tx, d->no, &d->levels) : RC_OK;
}

static enum rc end_period(struct tx *tx, void *arg)
{
    const struct ending *d = arg;
    struct account a;
    bool found = false;
    int64_t period = d->e->o.usage.period_us;
    time_us boundary = period_of(d->now, period);
    time_us day = period_of(d->now, US_PER_DAY);
    TRY(read_account(tx, d->no, &a, &found));
    if (!found || a.begun >= boundary)
        return RC_OK;
    /* While the engine did not run nothing was used: what there is belongs to the period in which
     * it was counted. */
    TRY(put_used(tx, d->e, &a, min_i64(boundary, period_of(a.begun, period) + period)));
    if (d->day)
        TRY(put_levels(tx, d->e, &a, day, &d->levels));
    return begin_anew(tx, d->no, boundary, d->day ? max_i64(a.day, day) : a.day);
}

enum rc usage_turn(struct pico_engine *e, bool *ret_more, struct err *err)
{
    struct arena arena;
    struct ending d = {.e = e, .now = clock_now(e->clock)};
    *ret_more = false;
    if (e->o.usage.url.n == 0)
        return RC_OK;
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_read(e->store, &arena, err, find_due, &d);
    for (size_t i = 0; rc == RC_OK && i < d.n; i++) {
        d.no = d.accounts[i];
        arena_reset(&arena);
        rc = store_read(e->store, &arena, err, look_at, &d);
        if (rc == RC_OK)
            rc = store_write(e->store, &arena, err, end_period, &d);
    }
    arena_fini(&arena);
    *ret_more = rc == RC_OK && d.n == ACCOUNTS_A_TURN;
    return rc;
}
