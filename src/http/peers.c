#include "http/peers.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_NONE  INT64_C(-1)
#define DEADLINE_TAKEN INT64_C(-2)

static const char timeout_reply[] = "HTTP/1.1 408 Request Timeout\r\n"
                                    "Connection: close\r\n"
                                    "Content-Type: application/problem+json\r\n"
                                    "Content-Length: 90\r\n\r\n"
                                    "{\"type\":\"about:blank\",\"title\":\"It took too long\","
                                    "\"status\":408,\"detail\":\"it took too long\"}";

/* Under the mutex, so that peer->fd is open and ours. */
static void sweep_peer(struct peers *p, struct peer *peer, time_us now)
{
    int64_t deadline = atomic_load(&peer->deadline);
    if (deadline < 0 || deadline > now)
        return;
    if (!atomic_compare_exchange_strong(&peer->deadline, &deadline, DEADLINE_TAKEN))
        return; /* it moved on at this very moment */
    atomic_fetch_add(&p->timeouts, 1);
    if ((deadline & 1) == PEER_READING)
        (void)send(peer->fd, timeout_reply, sizeof timeout_reply - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(peer->fd, SHUT_RDWR);
}

static void *sweep(void *arg)
{
    struct peers *p = arg;
    struct pollfd stop = {.fd = p->stop_fd, .events = POLLIN};
    while (poll(&stop, 1, (int)(p->period_us / US_PER_MS)) <= 0) {
        time_us now = clock_steady(p->clock);
        pthread_mutex_lock(&p->mutex);
        for (struct peer *peer = p->newest; peer != NULL; peer = peer->older)
            sweep_peer(p, peer, now);
        pthread_mutex_unlock(&p->mutex);
    }
    return NULL;
}

void peers_init(struct peers *p, struct clock *clock, int64_t period_us)
{
    ASSERT(period_us >= US_PER_MS);
    *p = (struct peers){.clock = clock, .period_us = period_us};
    pthread_mutex_init(&p->mutex, NULL);
    p->stop_fd = eventfd(0, EFD_CLOEXEC);
    ASSERT(p->stop_fd >= 0);
    int rc = pthread_create(&p->thread, NULL, sweep, p);
    ASSERT(rc == 0); /* without threads the process cannot work */
}

void peers_fini(struct peers *p)
{
    uint64_t one = 1;
    ssize_t n = write(p->stop_fd, &one, sizeof one);
    ASSERT(n == sizeof one);
    pthread_join(p->thread, NULL);
    ASSERT(p->newest == NULL);
    (void)close(p->stop_fd);
    pthread_mutex_destroy(&p->mutex);
}

struct peer *peers_add(struct peers *p, int fd, struct str address)
{
    struct peer *peer = calloc(1, sizeof *peer);
    ASSERT(peer != NULL);
    ASSERT(address.n < sizeof peer->address_text);
    memcpy(peer->address_text, address.p, address.n);
    peer->address = str_n(peer->address_text, address.n);
    peer->fd = fd;
    atomic_init(&peer->deadline, DEADLINE_NONE);
    pthread_mutex_lock(&p->mutex);
    peer->older = p->newest;
    if (peer->older != NULL)
        peer->older->newer = peer;
    p->newest = peer;
    pthread_mutex_unlock(&p->mutex);
    atomic_fetch_add(&p->count, 1);
    return peer;
}

void peers_remove(struct peers *p, struct peer *peer)
{
    pthread_mutex_lock(&p->mutex);
    if (peer->newer != NULL)
        peer->newer->older = peer->older;
    else
        p->newest = peer->older;
    if (peer->older != NULL)
        peer->older->newer = peer->newer;
    pthread_mutex_unlock(&p->mutex);
    atomic_fetch_sub(&p->count, 1);
    free(peer);
}

static bool set_deadline(struct peer *peer, int64_t deadline)
{
    int64_t was = atomic_load_explicit(&peer->deadline, memory_order_relaxed);
    while (was != DEADLINE_TAKEN)
        if (atomic_compare_exchange_weak(&peer->deadline, &was, deadline))
            return true;
    return false;
}

bool peer_set_deadline(struct peer *peer, time_us at, enum peer_wait what)
{
    ASSERT(at >= 0);
    return set_deadline(peer, (at & ~INT64_C(1)) | what);
}

bool peer_clear_deadline(struct peer *peer)
{
    return set_deadline(peer, DEADLINE_NONE);
}

void peers_shutdown(struct peers *p)
{
    pthread_mutex_lock(&p->mutex);
    for (struct peer *peer = p->newest; peer != NULL; peer = peer->older)
        (void)shutdown(peer->fd, SHUT_RDWR);
    pthread_mutex_unlock(&p->mutex);
}
