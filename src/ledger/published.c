#include "ledger/published.h"

#include "ledger/series.h"

#include <pthread.h>

enum { CHANGES = 1 << 16 }; /* remembered: some commits of the largest size, 3 MiB */

struct change {
    int64_t seq; /* of the commit that made it */
    account_id account;
    struct balance before;
};

struct published {
    pthread_rwlock_t lock;
    struct arena arena;
    struct series balances; /* number 0 is none */
    int64_t seq;
    int64_t since;  /* changes of all later rows are remembered */
    uint64_t count; /* of changes ever; the last CHANGES of them are there */
    struct change *changes;
};

struct published *published_open(void)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 40);
    struct published *p = NEW(&arena, struct published);
    p->arena = arena;
    p->changes = NEW_N(&p->arena, struct change, CHANGES);
    series_init(&p->balances, &p->arena, sizeof(struct balance));
    (void)series_add(&p->balances);
    pthread_rwlock_init(&p->lock, NULL);
    return p;
}

void published_close(struct published *p)
{
    if (p == NULL)
        return;
    pthread_rwlock_destroy(&p->lock);
    struct arena arena = p->arena; /* p lies in it */
    arena_fini(&arena);
}

static void add_accounts(struct published *p, const struct machine *m)
{
    while (p->balances.count <= machine_accounts(m))
        (void)series_add(&p->balances);
}

void published_set(struct published *p, const struct machine *m, int64_t seq)
{
    pthread_rwlock_wrlock(&p->lock);
    add_accounts(p, m);
    for (account_id id = 1; id <= machine_accounts(m); id++)
        *(struct balance *)series_at(&p->balances, id) = *machine_balance(m, id);
    p->seq = seq;
    p->since = seq;
    pthread_rwlock_unlock(&p->lock);
}

static void remember(struct published *p, const struct touched *t, int64_t seq)
{
    struct change *c = &p->changes[p->count % CHANGES];
    if (p->count >= CHANGES && c->seq > p->since)
        p->since = c->seq; /* it is forgotten, and what belongs to it */
    *c = (struct change){seq, t->account, t->before};
    p->count++;
}

void published_commit(struct published *p, const struct machine *m, const struct touched *touched,
                      size_t count, int64_t seq)
{
    pthread_rwlock_wrlock(&p->lock);
    ASSERT(seq > p->seq);
    add_accounts(p, m);
    for (size_t i = 0; i < count; i++) {
        remember(p, &touched[i], seq);
        *(struct balance *)series_at(&p->balances, touched[i].account) =
            *machine_balance(m, touched[i].account);
    }
    p->seq = seq;
    pthread_rwlock_unlock(&p->lock);
}

/* The oldest change behind seq tells what the balance was. */
static void go_back(const struct published *p, account_id account, int64_t seq,
                    struct balance *balance)
{
    uint64_t first = p->count > CHANGES ? p->count - CHANGES : 0;
    for (uint64_t i = p->count; i > first; i--) {
        const struct change *c = &p->changes[(i - 1) % CHANGES];
        if (c->seq <= seq)
            break;
        if (c->account == account)
            *balance = c->before;
    }
}

enum published_answer published_get(struct published *p, account_id account, int64_t seq,
                                    struct balance *ret, int64_t *ret_seq)
{
    enum published_answer answer = PUBLISHED_FOUND;
    struct balance balance = {0};
    pthread_rwlock_rdlock(&p->lock);
    if (account < p->balances.count)
        balance = *(const struct balance *)series_at(&p->balances, account);
    if (p->seq < seq)
        answer = PUBLISHED_BEHIND;
    else if (p->since > seq)
        answer = PUBLISHED_TOO_OLD;
    else
        go_back(p, account, seq, &balance);
    *ret_seq = p->seq;
    pthread_rwlock_unlock(&p->lock);
    *ret = balance;
    return answer;
}
