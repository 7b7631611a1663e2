/*
 * Threads of the slow lane that wait for other hosts. While one waits another does the work of the
 * lane: there are more threads than run at a time. How many wait is bounded, for each host and for
 * each account too, so that silent hosts of one do not take the turns of others; who finds no room
 * parks his pico, which holds no thread.
 */
#include "pico/inside.h"

#include "base/map.h"

/* With the lock. */
static bool has_room(const struct pico_engine *e, uint64_t host, int64_t account)
{
    size_t all = 0;
    size_t same_host = 0;
    size_t same_account = 0;
    for (const struct absence *a = e->away; a != NULL; a = a->next) {
        all++;
        same_host += a->host == host;
        same_account += account != 0 && a->account == account;
    }
    return all < AWAY_MAX && same_host < AWAY_HOST_MAX && same_account < AWAY_ACCOUNT_MAX;
}

bool away_has_room(const struct pico_engine *e, const struct pico *p)
{
    return has_room(e, p->wants_host, p->account);
}

/* What the limit of a host counts by: its name and port. */
static uint64_t hash_host(struct pico_engine *e, struct str url, struct arena *arena)
{
    size_t from = 0;
    while (from + 3 < url.n && !str_starts(str_sub(url, from, url.n), STR("://")))
        from++;
    size_t to = from + 3;
    while (to < url.n && url.p[to] != '/' && url.p[to] != '?' && url.p[to] != '#')
        to++;
    struct str host = arena_str(arena, str_sub(url, min_size(url.n, from + 3), to));
    char *p = (char *)(uintptr_t)host.p;
    for (size_t i = 0; i < host.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + ('a' - 'A'));
    return hash_str(host, e->seed) | 1; /* 0 is none */
}

bool away_begin(struct pico_engine *e, struct pico *p, struct str url, struct arena *arena,
                struct absence *ret)
{
    uint64_t host = hash_host(e, url, arena);
    pthread_mutex_lock(&e->lock);
    bool room = has_room(e, host, p->account);
    if (room) {
        *ret = (struct absence){.next = e->away, .host = host, .account = p->account};
        e->away = ret;
        lane_leave(e);
    } else {
        p->wants_host = host;
    }
    pthread_mutex_unlock(&e->lock);
    return room;
}

void away_end(struct pico_engine *e, struct absence *a)
{
    pthread_mutex_lock(&e->lock);
    struct absence **at = &e->away;
    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    queue_wake_outside(e);
    lane_return(e);
    pthread_mutex_unlock(&e->lock);
}
