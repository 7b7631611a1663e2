#include "api/events.h"

#include "api/auth.h"
#include "base/map.h"
#include "http/sse.h"

#include <pthread.h>

enum {
    OUT_BYTES = 16 * 1024, /* a portion; one event may be longer */
    BATCH_ROWS = 200,
    BATCHES_MAX = 16, /* for one stream in one tick: others want to be told, too */
    DECISIONS = 16,
    TOPICS_MAX = 16,
    STREAM_ARENA_BYTES = 2 * 1024 * 1024,
    HUB_ARENA_BYTES = STORE_TX_ARENA_BYTES,
    HUB_ROOM_MIN = 8 * 1024 * 1024, /* for a batch of the longest events, and all else of a tick */
};

/* Whether a party's events are for the caller, for a while. */
struct decision {
    uint64_t party; /* hash; 0: free */
    bool allowed;
};

struct stream {
    struct event_hub *hub;
    struct http_exchange *x; /* NULL until it was started */
    struct stream *next;
    struct stream *previous;
    struct arena arena; /* the hub's thread, after the start */
    struct credential credential;
    struct caller caller;
    struct str party; /* empty: all that may be seen */
    struct str topics[TOPICS_MAX];
    size_t topic_count;
    int64_t cursor; /* the last event that was looked at */
    bool resync;    /* events were missed */
    struct decision decisions[DECISIONS];
    time_us checked;     /* steady: when the credential was */
    uint64_t generation; /* of the hub's rights then */
    time_us said;        /* steady: the last time something was put out */
    /* --- under the hub's mutex; the last four are the hub's alone while it fills --- */
    bool listed;
    bool filling;   /* the hub's thread has it */
    bool displaced; /* by a newer one of its user */
    bool ended;
    bool behind; /* there is more than fitted the portion */
    struct buf out;
    size_t taken; /* of out */
};

struct event_hub {
    struct store *store;
    struct outbox *outbox;
    struct clock *clock;
    const struct log *log;
    uint64_t seed[2];
    pthread_t thread;
    bool threaded;
    pthread_mutex_t mutex;
    pthread_cond_t some;   /* something to do for the hub */
    pthread_cond_t filled; /* no stream is with the hub any more */
    struct stream *streams;
    size_t count;
    uint64_t generation;
    bool signalled;
    bool closing;
    bool failed; /* the last tick: logged once */
    /* --- of the tick in hand --- */
    uint64_t generation_now;
    struct arena arena;
    struct err err;
    struct stream *work[STREAMS_MAX];
    size_t work_count;
    struct outbox_row *rows; /* behind rows_after, in order */
    size_t row_count;
    int64_t rows_after;
    int64_t rows_oldest;
    bool rows_read;
};

/* --- what is said --- */

/* id below 0: none, so that Last-Event-ID stays what it was. */
static void say(struct stream *s, const char *event, int64_t id, struct str data)
{
    char text[24];
    int n = id < 0 ? 0 : snprintf(text, sizeof text, "%lld", (long long)id);
    sse_format(&s->out, str_n(text, (size_t)n), str_c(event), data);
    ASSERT(!s->out.full);
}

static void say_event(struct stream *s, const struct outbox_row *row)
{
    struct str name = row->topic;
    if (str_starts(name, STR("event.")))
        name = str_sub(name, 6, name.n);
    say(s, arena_cstr(&s->hub->arena, name), row->seq, row->body);
}

static void say_time(struct stream *s, const char *event, int64_t id, time_us now)
{
    char text[TIME_TEXT_MAX];
    size_t n = time_format(now, text);
    say(s, event, id, arena_fmt(&s->hub->arena, "{\"now\":\"%.*s\"}", (int)n, text));
}

/* --- who may see it --- */

/* Ask again who the caller is, where that was a while ago. False: nobody any more. */
static bool caller_still_there(struct stream *s, struct tx *tx, time_us steady)
{
    if (steady - s->checked < STREAM_RECHECK_US && s->generation == s->hub->generation_now)
        return true;
    struct caller now = {0};
    bool stale = false;
    enum rc rc = s->credential.kind == CREDENTIAL_TOKEN
                     ? token_find(tx, s->credential.secret, &now, &stale)
                     : session_find(tx, s->credential.secret, &now, &stale);
    if (rc != RC_OK || now.kind == CALLER_NOBODY)
        return false;
    s->caller.scopes = now.scopes;
    memset(s->decisions, 0, sizeof s->decisions);
    s->checked = steady;
    s->generation = s->hub->generation_now;
    return true;
}

static bool may_see(struct stream *s, struct tx *tx, struct str party)
{
    if (party.n == 0)
        return false;
    uint64_t hash = hash_str(party, s->hub->seed) | 1;
    struct decision *d = &s->decisions[(hash >> 1) % DECISIONS];
    if (d->party != hash) {
        enum rc rc = permission_allow(tx, &s->caller, PERM_EVENT_READ, party);
        err_clear(tx->err);
        *d = (struct decision){.party = hash, .allowed = rc == RC_OK};
    }
    return d->allowed;
}

static bool is_asked_for(const struct stream *s, const struct outbox_row *row)
{
    if (s->party.n > 0 && !str_eq(s->party, row->party))
        return false;
    struct str name = str_sub(row->topic, strlen("event."), row->topic.n);
    bool wanted = s->topic_count == 0;
    for (size_t i = 0; i < s->topic_count && !wanted; i++)
        wanted = str_starts(name, s->topics[i]);
    return wanted;
}

/* --- filling --- */

/* The events behind after: most streams stand at the same place and share one reading. */
static enum rc rows_behind(struct event_hub *hub, struct tx *tx, int64_t after)
{
    if (hub->rows_read && hub->rows_after == after)
        return RC_OK;
    hub->rows_read = false;
    TRY(outbox_events(tx, after, BATCH_ROWS, &hub->rows, &hub->row_count, &hub->rows_oldest));
    hub->rows_after = after;
    hub->rows_read = true;
    return RC_OK;
}

static void make_resync(struct stream *s, int64_t last, time_us now)
{
    s->resync = false;
    s->cursor = last;
    say_time(s, "resync", last, now);
}

/* Who resumes far behind, and may see little of it, would read a day of everybody's events here:
 * it goes in steps, and the next tick goes on. */
static enum rc fill_events(struct stream *s, struct tx *tx, int64_t last)
{
    struct event_hub *hub = s->hub;
    if (s->resync)
        make_resync(s, last, tx->now);
    for (int batch = 0; batch < BATCHES_MAX && s->cursor < last && s->out.n < OUT_BYTES &&
                        arena_room(&hub->arena) >= HUB_ROOM_MIN;
         batch++) {
        TRY(rows_behind(hub, tx, s->cursor));
        if (hub->row_count == 0 || hub->rows_oldest > s->cursor + 1) {
            make_resync(s, last, tx->now);
            return RC_OK;
        }
        for (size_t i = 0; i < hub->row_count && s->out.n < OUT_BYTES; i++) {
            const struct outbox_row *row = &hub->rows[i];
            s->cursor = row->seq;
            if (is_asked_for(s, row) && may_see(s, tx, row->party))
                say_event(s, row);
        }
    }
    s->behind = s->cursor < last;
    return RC_OK;
}

static enum rc fill(struct stream *s, struct tx *tx, int64_t last)
{
    time_us steady = clock_steady(s->hub->clock);
    if (s->out.n > s->taken) { /* the last portion is still there */
        s->ended = steady - s->said >= STREAM_STUCK_US;
        return RC_OK;
    }
    buf_reset(&s->out);
    s->taken = 0;
    if (!caller_still_there(s, tx, steady)) {
        s->ended = true;
        return RC_OK;
    }
    TRY(fill_events(s, tx, last));
    if (s->out.n == 0 && steady - s->said >= STREAM_HEARTBEAT_US)
        say_time(s, "heartbeat", -1, tx->now);
    if (s->out.n > 0)
        s->said = steady;
    return RC_OK;
}

static enum rc tick_tx(struct tx *tx, void *arg)
{
    struct event_hub *hub = arg;
    int64_t last = 0;
    hub->rows_read = false;
    if (hub->outbox != NULL)
        TRY(outbox_last(tx, &last));
    for (size_t i = 0; i < hub->work_count; i++)
        TRY(fill(hub->work[i], tx, last));
    return RC_OK;
}

static void take_work(struct event_hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub->work_count = 0;
    hub->generation_now = hub->generation;
    for (struct stream *s = hub->streams; s != NULL; s = s->next)
        if (s->x != NULL && !s->ended && !s->displaced) {
            s->filling = true;
            hub->work[hub->work_count++] = s;
        }
    pthread_mutex_unlock(&hub->mutex);
}

static void give_back(struct event_hub *hub, bool filled)
{
    pthread_mutex_lock(&hub->mutex);
    for (size_t i = 0; i < hub->work_count; i++) {
        struct stream *s = hub->work[i];
        s->filling = false;
        if (s->ended || s->displaced || s->out.n > s->taken)
            http_wake(s->x); /* still there: its end waits for filling to be over */
        else if (filled && s->behind)
            hub->signalled = true; /* nothing of that was for it: go on */
    }
    hub->work_count = 0;
    pthread_cond_broadcast(&hub->filled);
    pthread_mutex_unlock(&hub->mutex);
}

void event_hub_tick(struct event_hub *hub)
{
    take_work(hub);
    if (hub->work_count == 0)
        return;
    arena_reset(&hub->arena);
    err_clear(&hub->err);
    enum rc rc = store_read(hub->store, &hub->arena, &hub->err, tick_tx, hub);
    if (rc != RC_OK && !hub->failed)
        log_event(hub->log, LOG_WARN, "events.stuck", LOG_S("text", err_text(&hub->err)));
    hub->failed = rc != RC_OK;
    give_back(hub, rc == RC_OK);
}

/* --- the hub --- */

static void wait_for_work(struct event_hub *hub)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++; /* heartbeats are told by the clock's time: looking each second is enough */
    while (!hub->signalled && !hub->closing) {
        if (hub->count == 0)
            pthread_cond_wait(&hub->some, &hub->mutex);
        else if (pthread_cond_timedwait(&hub->some, &hub->mutex, &until) != 0)
            return;
    }
}

static void *run_hub(void *arg)
{
    struct event_hub *hub = arg;
    pthread_mutex_lock(&hub->mutex);
    while (!hub->closing) {
        wait_for_work(hub);
        hub->signalled = false;
        pthread_mutex_unlock(&hub->mutex);
        event_hub_tick(hub);
        pthread_mutex_lock(&hub->mutex);
    }
    pthread_mutex_unlock(&hub->mutex);
    return NULL;
}

static void signal_hub(void *arg)
{
    struct event_hub *hub = arg;
    pthread_mutex_lock(&hub->mutex);
    hub->signalled = true;
    pthread_cond_signal(&hub->some);
    pthread_mutex_unlock(&hub->mutex);
}

struct event_hub *event_hub_init(struct arena *arena, struct store *store, struct outbox *outbox,
                                 struct clock *clock, const struct log *log)
{
    struct event_hub *hub = NEW(arena, struct event_hub);
    hub->store = store;
    hub->outbox = outbox;
    hub->clock = clock;
    hub->log = log;
    clock_chance(clock, hub->seed, sizeof hub->seed);
    arena_init(&hub->arena, HUB_ARENA_BYTES);
    pthread_mutex_init(&hub->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&hub->some, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&hub->filled, NULL);
    if (outbox != NULL)
        outbox_on_relay(outbox, signal_hub, hub);
    hub->threaded = clock_runs(clock);
    if (hub->threaded) {
        int failed = pthread_create(&hub->thread, NULL, run_hub, hub);
        ASSERT(failed == 0);
    }
    return hub;
}

void event_hub_fini(struct event_hub *hub)
{
    if (hub == NULL)
        return;
    pthread_mutex_lock(&hub->mutex);
    hub->closing = true;
    pthread_cond_signal(&hub->some);
    pthread_mutex_unlock(&hub->mutex);
    if (hub->threaded)
        pthread_join(hub->thread, NULL);
    ASSERT(hub->streams == NULL);
    arena_fini(&hub->arena);
    pthread_cond_destroy(&hub->some);
    pthread_cond_destroy(&hub->filled);
    pthread_mutex_destroy(&hub->mutex);
}

void event_hub_recheck(struct event_hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub->generation++;
    pthread_mutex_unlock(&hub->mutex);
}

size_t event_hub_streams(struct event_hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    size_t count = hub->count;
    pthread_mutex_unlock(&hub->mutex);
    return count;
}

/* --- one stream --- */

static int64_t pull(void *arg, char *room_bytes, size_t room)
{
    struct stream *s = arg;
    struct event_hub *hub = s->hub;
    pthread_mutex_lock(&hub->mutex);
    /* While the hub fills it, the rest of it is the hub's; it wakes us afterwards. */
    bool over = s->displaced || http_closing(s->x) || (!s->filling && s->ended);
    int64_t n = over ? HTTP_PULL_END : HTTP_PULL_WAIT;
    if (!over && !s->filling && s->out.n > s->taken) {
        size_t left = min_size(s->out.n - s->taken, room);
        memcpy(room_bytes, s->out.p + s->taken, left);
        s->taken += left;
        n = (int64_t)left;
        if (s->taken == s->out.n && s->behind) {
            hub->signalled = true;
            pthread_cond_signal(&hub->some);
        }
    }
    pthread_mutex_unlock(&hub->mutex);
    return n;
}

static void stream_end(void *arg)
{
    stream_drop(arg);
}

void stream_drop(struct stream *s)
{
    struct event_hub *hub = s->hub;
    pthread_mutex_lock(&hub->mutex);
    while (s->filling)
        pthread_cond_wait(&hub->filled, &hub->mutex);
    if (s->listed) {
        if (s->previous != NULL)
            s->previous->next = s->next;
        else
            hub->streams = s->next;
        if (s->next != NULL)
            s->next->previous = s->previous;
        hub->count--;
        s->listed = false;
    }
    pthread_mutex_unlock(&hub->mutex);
    arena_fini(&s->arena);
}

void stream_start(struct stream *s, struct http_exchange *x)
{
    struct event_hub *hub = s->hub;
    http_reply_header(x, "X-Accel-Buffering", STR("no"));
    http_at_end(x, stream_end, s);
    http_reply_stream(x, 200, "text/event-stream", pull, s);
    pthread_mutex_lock(&hub->mutex);
    s->x = x;
    hub->signalled = true;
    pthread_cond_signal(&hub->some);
    pthread_mutex_unlock(&hub->mutex);
}

/* Where to begin: behind Last-Event-ID, or ?after=, or at the present. */
static enum rc find_place(struct stream *s, struct call *c)
{
    const struct events_query *q = c->query;
    int64_t last = 0;
    int64_t oldest = 0;
    struct outbox_row *rows = NULL;
    size_t count = 0;
    if (s->hub->outbox != NULL)
        TRY(outbox_last(c->tx, &last));
    struct str said = http_header(c->x, "Last-Event-ID");
    s->cursor = last;
    if (said.n > 0) {
        if (!str_to_i64(said, 0, INT64_MAX, &s->cursor))
            return err_set(c->err, RC_SYNTAX, "Last-Event-ID wants the number of an event");
    } else if (schema_has(&events_query_schema, q, "after")) {
        s->cursor = q->after;
    }
    if (s->cursor == last)
        return RC_OK;
    TRY(outbox_events(c->tx, s->cursor, 1, &rows, &count, &oldest));
    /* Beyond the last: the store was put back to an earlier day. */
    s->resync = s->cursor > last || count == 0 || oldest > s->cursor + 1;
    return RC_OK;
}

static void copy_caller(struct stream *s, const struct caller *who,
                        const struct credential *credential)
{
    s->caller = *who;
    s->caller.user = arena_str(&s->arena, who->user);
    s->caller.session = arena_str(&s->arena, who->session);
    s->caller.token = arena_str(&s->arena, who->token);
    s->caller.party = arena_str(&s->arena, who->party);
    s->caller.csrf = STR("");
    s->credential = *credential;
    s->credential.secret = arena_str(&s->arena, credential->secret);
}

/* A browser that was reloaded leaves a stream behind that looks open until it is written to. To
 * refuse the new one would be final, since an EventSource gives up on 429: the oldest goes. */
static enum rc displace_oldest(struct event_hub *hub, struct str user, struct err *err)
{
    struct stream *oldest = NULL;
    size_t own = 0;
    size_t leaving = 0;
    for (struct stream *s = hub->streams; s != NULL; s = s->next) {
        if (!str_eq(s->caller.user, user))
            continue;
        leaving += s->displaced;
        if (s->displaced)
            continue;
        own++;
        oldest = s; /* the list begins with the newest */
    }
    if (leaving >= STREAMS_PER_USER)
        return err_set(err, RC_TOO_MANY, "you open event streams too fast: wait a little");
    if (own < STREAMS_PER_USER)
        return RC_OK;
    oldest->displaced = true;
    if (oldest->x != NULL && !oldest->filling)
        http_wake(oldest->x);
    return RC_OK;
}

static enum rc list_stream(struct stream *s, struct err *err)
{
    struct event_hub *hub = s->hub;
    pthread_mutex_lock(&hub->mutex);
    enum rc rc = displace_oldest(hub, s->caller.user, err);
    if (rc == RC_OK && hub->count >= STREAMS_MAX)
        rc =
            err_set(err, RC_UNAVAILABLE, "%d event streams are open: try again later", STREAMS_MAX);
    if (rc == RC_OK) {
        s->next = hub->streams;
        if (s->next != NULL)
            s->next->previous = s;
        hub->streams = s;
        hub->count++;
        s->listed = true;
        s->generation = hub->generation;
    }
    pthread_mutex_unlock(&hub->mutex);
    return rc;
}

enum rc stream_open(struct call *c, struct stream **ret)
{
    const struct events_query *q = c->query;
    if (q->party.n > 0)
        TRY(permission_allow(c->tx, &c->caller, PERM_EVENT_READ, q->party));
    struct stream *s = NEW(c->arena, struct stream);
    s->hub = c->api->events;
    TRY(find_place(s, c));
    arena_init(&s->arena, STREAM_ARENA_BYTES);
    copy_caller(s, &c->caller, &request_of(c)->credential);
    s->party = arena_str(&s->arena, q->party);
    const struct str *topics = q->topics.items;
    for (s->topic_count = 0; s->topic_count < q->topics.count; s->topic_count++)
        s->topics[s->topic_count] = arena_str(&s->arena, topics[s->topic_count]);
    s->checked = s->said = clock_steady(c->api->options.clock);
    buf_init(&s->out, &s->arena, STREAM_ARENA_BYTES / 4);
    buf_add(&s->out, STR("retry: 3000\n\n"));
    enum rc rc = list_stream(s, c->err);
    if (rc != RC_OK) {
        arena_fini(&s->arena);
        return rc;
    }
    *ret = s;
    return RC_OK;
}
