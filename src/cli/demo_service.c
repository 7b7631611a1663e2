/*
 * demo_service.c - services of hanse demo live: ordered, watched, metered, cancelled.
 */
#include "cli/demo_live.h"
#include "cli/peek.h"

#define WATCH_PAUSE_US (300 * US_PER_MS)
#define USE_PAUSE_US   (2 * US_PER_SECOND)
#define USE_TOLD_US    (20 * US_PER_SECOND)
#define METER_WAIT_US  (150 * US_PER_SECOND) /* of an agent's longest usual pauses, twice */
#define FAILED_US      (30 * US_PER_SECOND)
#define QUIET_US       (5 * US_PER_SECOND)
#define CANCEL_WAIT_US (180 * US_PER_SECOND)

enum { METERS_TEXT_MAX = 1000 };

static time_us now(const struct live *l)
{
    return clock_now(l->d->run->cli->clock);
}

static void rest(struct live *l, int64_t us)
{
    l->d->run->cli->pause(l->d->run->cli, us);
}

static bool alive(const struct live_service *s)
{
    return s->id.n > 0 && !s->ended;
}

/* --- the order --- */

/* The machine stands at the point of presence: what runs on it is its production. */
static enum rc produce(struct demo *d, const struct live_service *s)
{
    struct arena *arena = d->run->arena;
    return demo_change(
        d, "r", arena_fmt(arena, "/v1/subscriptions/%.*s", STRF(s->subscription)),
        arena_fmt(arena, "{\"producer\":\"%.*s\"}", STRF(demo_find(d, STR("pop"))->id)));
}

static enum rc order_one(struct live *l, struct live_service *s)
{
    struct demo *d = l->d;
    struct arena *arena = d->run->arena;
    const struct json *answer = NULL;
    const struct live_part *p = s->part;
    struct str body = arena_fmt(
        arena,
        "{\"agreement\":\"%.*s\",\"plan\":\"live-%.*s-%s\",\"name\":\"%s\",\"parameters\":{%s}}",
        STRF(demo_find(d, STR("s2"))->id), STRF(d->suffix), p->name, p->name, p->chosen);
    struct str path =
        arena_fmt(arena, "/v1/parties/%.*s/services", STRF(demo_find(d, STR("c"))->id));
    enum rc rc = demo_ask(d, "c", HTTP_POST, path, body, &answer);
    if (rc == RC_CONFLICT) { /* no room, for one: the sentence says it */
        s->lacks = arena_str(arena, err_text(d->run->err));
        err_clear(d->run->err);
        live_say(l, arena_fmt(arena, "without %s: %.*s", p->title, STRF(s->lacks)));
        return RC_OK;
    }
    if (rc != RC_OK)
        return rc;
    s->id = arena_str(arena, peek_text(answer, "id"));
    s->subscription = arena_str(arena, peek_text(answer, "subscription"));
    s->told = STR("");
    live_say(l, arena_fmt(arena, "the client orders %s: %.*s", p->title, STRF(s->id)));
    return produce(d, s);
}

enum rc live_order(struct live *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct live_service *s = &l->services[i];
        if (s->lacks.n == 0)
            TRY(order_one(l, s));
    }
    return RC_OK;
}

/* --- how it comes up --- */

/* What the service says of itself; told where it is another thing than before. */
static enum rc look(struct live *l, struct live_service *s, struct str *ret_state,
                    struct str *ret_reason)
{
    struct demo *d = l->d;
    struct arena *arena = d->run->arena;
    const struct json *answer = NULL;
    TRY(demo_ask(d, "c", HTTP_GET, arena_fmt(arena, "/v1/services/%.*s", STRF(s->id)), STR(""),
                 &answer));
    struct str step = peek_text(answer, "step");
    struct str state = peek_text(answer, "state");
    *ret_state = arena_str(arena, state);
    *ret_reason = arena_str(arena, peek_text(answer, "reason"));
    struct str words =
        arena_fmt(arena, "%.*s%s%.*s", STRF(state), step.n > 0 ? ": " : "", STRF(step));
    if (str_eq(words, s->told))
        return RC_OK;
    s->told = words;
    live_say(l, arena_fmt(arena, "%s: %.*s", s->part->name, STRF(words)));
    return RC_OK;
}

enum rc live_watch(struct live *l)
{
    time_us began = now(l);
    for (bool waits = true; waits;) {
        waits = false;
        for (size_t i = 0; i < l->count; i++) {
            struct live_service *s = &l->services[i];
            struct str state = STR("");
            struct str reason = STR("");
            if (!alive(s) || s->ran || s->lacks.n > 0)
                continue;
            TRY(look(l, s, &state, &reason));
            s->ms = (now(l) - began) / US_PER_MS;
            s->ran = str_eq(state, STR("running"));
            bool failed = str_eq(state, STR("failed")); /* its node tries again */
            s->failed_at = failed && s->failed_at == 0 ? now(l) : failed ? s->failed_at : 0;
            bool late = now(l) - began > s->part->wait_s * US_PER_SECOND ||
                        (failed && now(l) - s->failed_at > FAILED_US);
            if (!s->ran && late)
                s->lacks = arena_fmt(l->d->run->arena, "it did not come up: %.*s",
                                     STRF(reason.n > 0 ? reason : state));
            waits = waits || (!s->ran && s->lacks.n == 0);
        }
        if (waits)
            rest(l, WATCH_PAUSE_US);
    }
    for (size_t i = 0; i < l->count; i++)
        if (l->services[i].id.n > 0 && !l->services[i].ran)
            live_check(l, l->services[i].part->title, true, false, l->services[i].lacks);
    return RC_OK;
}

/* --- meters --- */

/* A service has a window more than months, as its producer was said a moment after the order; the
 * later one is the one that counts on. */
static void note_usage(struct live_service *s, const struct json *item, struct arena *arena)
{
    struct live_meter m = {.code = arena_str(arena, peek_text(item, "meter")),
                           .quantity = arena_str(arena, peek_text(item, "quantity")),
                           .unit = arena_str(arena, peek_text(item, "unit"))};
    size_t at = 0;
    while (at < s->meter_count && !str_eq(s->meters[at].code, m.code))
        at++;
    if (at == LIVE_METERS_MAX)
        return;
    s->meters[at] = m;
    s->meter_count = max_size(s->meter_count, at + 1);
}

static bool has_used(const struct live_service *s)
{
    for (size_t i = 0; i < s->meter_count; i++)
        if (str_eq(s->meters[i].code, STR("cpu")) && !str_eq(s->meters[i].quantity, STR("0")))
            return true;
    return false;
}

static enum rc read_meters(struct live *l, bool *ret_all)
{
    struct demo *d = l->d;
    struct arena *arena = d->run->arena;
    *ret_all = true;
    for (size_t i = 0; i < l->count; i++) {
        struct live_service *s = &l->services[i];
        const struct json *answer = NULL;
        if (!s->ran)
            continue;
        TRY(demo_ask(d, "c", HTTP_GET,
                     arena_fmt(arena, "/v1/subscriptions/%.*s/usage", STRF(s->subscription)),
                     STR(""), &answer));
        const struct json *items = peek_array(answer, "items");
        for (const struct json *u = items != NULL ? json_first(items) : NULL; u != NULL;
             u = json_next(items, u))
            note_usage(s, u, arena);
        *ret_all = *ret_all && has_used(s);
    }
    return RC_OK;
}

static struct str meters_text(struct live *l)
{
    struct buf b;
    buf_init(&b, l->d->run->arena, METERS_TEXT_MAX);
    buf_fmt(&b, "metered so far:");
    for (size_t i = 0; i < l->count; i++) {
        const struct live_service *s = &l->services[i];
        for (size_t k = 0; k < s->meter_count; k++)
            if (str_eq(s->meters[k].code, STR("cpu")))
                buf_fmt(&b, " %s %.*s %.*s of processor;", s->part->name,
                        STRF(s->meters[k].quantity), STRF(s->meters[k].unit));
    }
    return buf_str(&b);
}

enum rc live_use(struct live *l)
{
    time_us end = now(l) + l->seconds * US_PER_SECOND;
    time_us told = now(l);
    bool all = false;
    bool any = false;
    for (size_t i = 0; i < l->count; i++)
        any = any || l->services[i].ran;
    if (!any)
        return RC_OK;
    live_say(l,
             arena_fmt(l->d->run->arena, "they are used for %lld seconds", (long long)l->seconds));
    while (now(l) < end || (!all && now(l) < end + METER_WAIT_US)) {
        live_touch(l);
        rest(l, min_i64(USE_PAUSE_US, max_i64(WATCH_PAUSE_US, end - now(l))));
        TRY(read_meters(l, &all));
        if (now(l) - told < USE_TOLD_US)
            continue;
        told = now(l);
        live_say(l, meters_text(l));
    }
    live_say(l, meters_text(l));
    live_check(l, "their use is metered", true, all,
               all ? STR("") : STR("a service that ran was not metered"));
    return RC_OK;
}

/* --- the end --- */

static enum rc cancel_one(struct live *l, struct live_service *s)
{
    struct demo *d = l->d;
    const struct json *answer = NULL;
    struct str path = arena_fmt(d->run->arena, "/v1/services/%.*s/actions/cancel", STRF(s->id));
    enum rc rc = demo_ask(d, "c", HTTP_POST, path, STR(""), &answer);
    if (rc != RC_CONFLICT) /* it is cancelled already */
        return rc;
    err_clear(d->run->err);
    return RC_OK;
}

static enum rc wait_for_end(struct live *l)
{
    time_us end = now(l) + CANCEL_WAIT_US;
    for (bool waits = true; waits;) {
        waits = false;
        for (size_t i = 0; i < l->count; i++) {
            struct live_service *s = &l->services[i];
            struct str state = STR("");
            struct str reason = STR("");
            if (!alive(s))
                continue;
            TRY(look(l, s, &state, &reason));
            s->ended = str_eq(state, STR("ended"));
            waits = waits || !s->ended;
        }
        if (waits && now(l) > end)
            return err_set(l->d->run->err, RC_TIMEOUT, "what was cancelled does not end");
        if (waits)
            rest(l, WATCH_PAUSE_US);
    }
    return RC_OK;
}

/* What was used at last is on its way until nothing more comes. */
static enum rc wait_for_meters(struct live *l)
{
    struct str before = STR("");
    time_us since = now(l);
    for (time_us end = now(l) + METER_WAIT_US; now(l) < end;) {
        bool unused = false;
        TRY(read_meters(l, &unused));
        struct str text = meters_text(l);
        if (!str_eq(text, before))
            since = now(l);
        before = text;
        if (now(l) - since > QUIET_US)
            return RC_OK;
        rest(l, WATCH_PAUSE_US);
    }
    return RC_OK;
}

enum rc live_cancel(struct live *l)
{
    bool any = false;
    enum rc first = RC_OK;
    for (size_t i = 0; i < l->count; i++) {
        struct live_service *s = &l->services[i];
        if (!alive(s))
            continue;
        any = true;
        enum rc rc = cancel_one(l, s);
        first = first == RC_OK ? rc : first;
    }
    if (!any || first != RC_OK)
        return first;
    live_say(l, STR("all that was ordered is cancelled"));
    TRY(wait_for_end(l));
    return l->d->ending ? RC_OK : wait_for_meters(l);
}
