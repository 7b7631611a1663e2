/*
 * window.c - the windows of a subscription: calendar periods cut where its terms change. Pure.
 */
#include "catalog/window.h"

enum { WINDOWS_MAX = 100000, FEW = 4 };

/* What is sold once has one period: from its beginning for as long as it runs. Its first window is
 * all of it, whatever changes later: nothing of it is for a part of that time. */
static bool is_once(const struct subscription_facts *f)
{
    return f->once;
}

static struct period period_at(const struct subscription_facts *f, time_us at)
{
    if (is_once(f))
        return (struct period){.begin = f->start, .end = min_i64(f->ends, PERIOD_AT_MAX)};
    return period_of(&f->calendar, at);
}

/* How many calendar periods from the one in which it began to this one. */
static int64_t number_of(const struct subscription_facts *f, const struct period *p)
{
    if (is_once(f))
        return 1;
    static const int months[] = {
        [PERIOD_DAY] = 0, [PERIOD_MONTH] = 1, [PERIOD_QUARTER] = 3, [PERIOD_YEAR] = 12};
    struct period first = period_of(&f->calendar, f->start);
    int per = months[f->calendar.unit];
    if (per == 0) /* days do not vary but by the hour of a clock that is moved */
        return (p->begin - first.begin + US_PER_DAY / 2) / US_PER_DAY + 1;
    int64_t apart = (int64_t)(p->year - first.year) * 12 + p->month - first.month;
    return apart / per + 1;
}

static size_t term_at(const struct subscription_facts *f, time_us at)
{
    size_t i = 0;
    while (i + 1 < f->term_count && f->terms[i].until <= at)
        i++;
    return i;
}

int64_t window_number(const struct subscription_facts *f, time_us at)
{
    struct period p = period_at(f, at);
    return number_of(f, &p);
}

static struct window make(const struct subscription_facts *f, const struct period *p, time_us at)
{
    size_t term = term_at(f, at);
    const struct subscription_term *t = &f->terms[term];
    time_us until = min_i64(min_i64(p->end, f->ends), t->until);
    return (struct window){
        .begin = p->begin,
        .end = is_once(f) ? until : p->end,
        .from = max_i64(max_i64(p->begin, f->start), t->from),
        .until = until,
        .term = term,
        .period_number = number_of(f, p),
    };
}

enum rc subscription_window(const struct subscription_facts *f, time_us at, struct window *ret,
                            struct err *err)
{
    if (at < f->start || at >= f->ends || f->term_count == 0)
        return err_set(err, RC_NOT_FOUND, "subscription '%.*s' does not run at that time",
                       STRF(f->id));
    if (at < PERIOD_AT_MIN || at > PERIOD_AT_MAX)
        return err_set(err, RC_INVALID, "that time is out of range");
    struct period p = period_at(f, at);
    *ret = make(f, &p, at);
    return RC_OK;
}

/* From where a walk begins: the window that holds the instant just before since may end at it. */
static time_us walk_start(const struct subscription_facts *f, time_us since)
{
    return max_i64(f->start, min_i64(since - 1, f->ends - 1));
}

/* The windows with their mark in [since, before): the first so many into list, and how many. */
static enum rc walk(const struct subscription_facts *f, const struct window_span *span,
                    struct window *list, size_t room, size_t *ret_count, struct err *err)
{
    time_us since = span->since;
    time_us before = span->before;
    size_t count = 0;
    for (time_us at = walk_start(f, since); at < f->ends && at < before;) {
        struct window w;
        TRY(subscription_window(f, at, &w, err));
        at = w.until;
        bool wanted = span->advance ? w.from >= since && w.from < before
                                    : w.until > since && w.until <= before;
        if (!wanted)
            continue;
        if (count == WINDOWS_MAX)
            return err_set(err, RC_TOO_LARGE,
                           "a subscription has more than %d windows in that "
                           "time",
                           WINDOWS_MAX);
        if (count < room)
            list[count] = w;
        count++;
    }
    *ret_count = count;
    return RC_OK;
}

enum rc subscription_windows(const struct subscription_facts *f, const struct window_span *span,
                             struct arena *arena, struct window **ret, size_t *ret_count,
                             struct err *err)
{
    struct window few[FEW]; /* as a rule it is one */
    size_t count = 0;
    TRY(walk(f, span, few, FEW, &count, err));
    struct window *list = NEW_N(arena, struct window, count);
    if (count <= FEW)
        memcpy(list, few, count * sizeof *list);
    else
        TRY(walk(f, span, list, count, &count, err));
    *ret = list;
    *ret_count = count;
    return RC_OK;
}
