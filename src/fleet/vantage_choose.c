/* The pure part of vantage.h: who looks, and what follows from what they see. */
#include "fleet/vantage.h"

#include "base/map.h"

static bool same_city(const struct vantage_candidate *a, const struct vantage_candidate *b)
{
    return str_eq(a->country, b->country) && str_eq(a->city, b->city);
}

struct standing {
    int64_t strange; /* 2: a new city; 1: a new owner; both count */
    int64_t tasks;
    uint64_t chance;
};

static bool better(const struct standing *a, const struct standing *b)
{
    if (a->strange != b->strange)
        return a->strange > b->strange;
    if (a->tasks != b->tasks)
        return a->tasks < b->tasks;
    return a->chance > b->chance;
}

/* False where it may not be chosen beside the others. */
static bool measure(const struct vantage_candidate *c,
                    const struct vantage_candidate *const *others, size_t count, struct str service,
                    struct standing *ret)
{
    enum { NEW_CITY = 2, NEW_OWNER = 1 };
    static const uint64_t key[2] = {0x76616e74, 0x61676531};
    const uint64_t mixed[2] = {hash_str(service, key), key[1]};
    *ret = (struct standing){
        .strange = NEW_CITY + NEW_OWNER, .tasks = c->tasks, .chance = hash_str(c->node, mixed)};
    bool city = true, owner = true;
    for (size_t i = 0; i < count; i++) {
        if (str_eq(c->site, others[i]->site))
            return false;
        city = city && !same_city(c, others[i]);
        owner = owner && !str_eq(c->owner, others[i]->owner);
    }
    ret->strange = (city ? NEW_CITY : 0) + (owner ? NEW_OWNER : 0);
    return c->tasks < PROBE_TASKS_MAX;
}

size_t vantage_choose(const struct vantage_choice *c, size_t ret[VANTAGE_PLACES_MAX])
{
    const struct vantage_candidate *others[1 + VANTAGE_PLACES_MAX] = {c->home};
    size_t count = 1, found = 0;
    ASSERT(c->chosen_count + c->wanted <= VANTAGE_PLACES_MAX);
    for (size_t i = 0; i < c->chosen_count; i++)
        others[count++] = &c->chosen[i];
    while (found < c->wanted) {
        struct standing best = {0}, one;
        size_t at = c->count;
        for (size_t i = 0; i < c->count; i++)
            if (measure(&c->candidates[i], others, count, c->service, &one) &&
                (at == c->count || better(&one, &best))) {
                best = one;
                at = i;
            }
        if (at == c->count)
            break;
        others[count++] = &c->candidates[at];
        ret[found++] = at;
    }
    return found;
}

enum vantage_seen vantage_look(enum vantage_seen was, bool good, int64_t *streak)
{
    enum { STREAK_MAX = 1000000 };
    if (good)
        *streak = *streak > 0 ? min_i64(*streak + 1, STREAK_MAX) : 1;
    else
        *streak = *streak < 0 ? max_i64(*streak - 1, -STREAK_MAX) : -1;
    /* The first good look says all; the first bad one may be of a service that just starts. */
    bool fresh = was == VANTAGE_UNKNOWN || was == VANTAGE_REFUSED;
    if (good && (fresh || *streak >= VANTAGE_STREAK))
        return VANTAGE_UP;
    if (!good && *streak <= -VANTAGE_STREAK)
        return VANTAGE_DOWN;
    return fresh ? VANTAGE_UNKNOWN : was;
}

enum promise_state vantage_verdict(const enum vantage_seen *seen, size_t count,
                                   enum promise_state was)
{
    size_t up = 0, down = 0;
    for (size_t i = 0; i < count; i++) {
        up += seen[i] == VANTAGE_UP;
        down += seen[i] == VANTAGE_DOWN;
    }
    if (up + down < VANTAGE_VOICES)
        return PROMISE_UNKNOWN;
    return down > up ? PROMISE_FAILING : up > down ? PROMISE_KEPT : was;
}
