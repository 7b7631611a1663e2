/*
 * worlds.c - random worlds against an independent model: tests/worlds/model.h.
 *
 *     worlds [--worlds N] [--from SEED] [--jobs N] [--parties N]
 *     worlds --seed SEED [--steps N] [--parties N] [--trace 1]
 *
 * TEST_STORE=postgresql://... plays them on PostgreSQL.
 */
#include "play.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

enum {
    STEPS_MAX = 1000000,
    PARTIES_LEAST = 4,
    PARTIES_MOST = 40,
    MANY = 500, /* parties: more happens in a month */
    MORE = 5,
};

struct options {
    int64_t worlds;
    int64_t from;
    int64_t jobs;
    int64_t parties; /* 0: as the seed says */
    int64_t seed;    /* -1: many */
    int64_t steps;
    int64_t trace; /* 1: tell each step */
};

/* --- one world --- */

static void step_done(struct play *p, const struct options *o)
{
    play_compare(p);
    p->step++;
    if (p->step < o->steps)
        return;
    play_close(p);
    printf("worlds: seed %llu agrees after %d steps\n", (unsigned long long)p->w->seed, p->step);
    exit(EXIT_SUCCESS);
}

/* A document with something to pay, or EVERYTHING. */
static int open_document(struct play *p)
{
    for (int tries = 0; tries < 20 && p->m->doc_count > 0; tries++) {
        int doc = (int)world_below(p->w, p->m->doc_count);
        const struct m_doc *d = &p->m->docs[doc];
        if (d->code == CODE_INVOICE && model_open(d) > 0)
            return doc;
    }
    return EVERYTHING;
}

/* An invoice of which all that was open is written off, or EVERYTHING. */
static int lost_document(const struct play *p)
{
    for (size_t i = 0; i < p->m->doc_count; i++)
        if (p->m->docs[i].written_off > 0 && model_open(&p->m->docs[i]) == 0)
            return (int)i;
    return EVERYTHING;
}

/* Part of it comes after all, or all, or more. */
static void some_recovery(struct play *p, int doc)
{
    int64_t lost = p->m->docs[doc].written_off;
    int64_t amount = world_percent(p->w, 40) ? lost : world_between(p->w, 1, lost);
    play_payment(p, doc, world_percent(p->w, 10) ? lost + 7 : amount);
}

static void some_payment(struct play *p)
{
    int lost = lost_document(p);
    if (lost != EVERYTHING && world_percent(p->w, 25)) {
        some_recovery(p, lost);
        return;
    }
    int doc = open_document(p);
    if (doc == EVERYTHING)
        return;
    const struct m_doc *d = &p->m->docs[doc];
    int64_t open = model_open(d);
    int64_t amount = world_percent(p->w, 50) ? open : world_between(p->w, 1, open);
    play_payment(p, doc, world_percent(p->w, 5) ? open + 7 : amount);
}

static void some_write_off(struct play *p)
{
    int doc = open_document(p);
    if (doc != EVERYTHING)
        play_write_off(p, doc);
}

static void some_return(struct play *p)
{
    if (p->m->payment_count == 0)
        return;
    int payment = (int)world_below(p->w, p->m->payment_count);
    if (!p->m->payments[payment].returned)
        play_return(p, payment);
}

static void some_credit(struct play *p)
{
    if (p->m->doc_count == 0)
        return;
    int doc = (int)world_below(p->w, p->m->doc_count);
    const struct m_doc *d = &p->m->docs[doc];
    if (d->code == CODE_INVOICE && d->credited < d->gross && d->written_off == 0)
        play_credit(p, doc);
}

static void some_change(struct play *p, int sub)
{
    int dice = (int)world_below(p->w, 100);
    int edge = p->w->subs[sub].edge;
    if (dice < 16)
        play_price(p);
    else if (dice < 24)
        play_join(p, edge);
    else if (dice < 28)
        play_terms(p);
    else if (dice < 40)
        play_subscribe(p);
    else if (dice < 55)
        play_change(p, sub);
    else if (dice < 64)
        play_end(p, sub);
    else if (dice < 69)
        play_wallet(p, edge);
    else if (dice < 74)
        play_coupon(p, edge);
    else if (dice < 77)
        play_promise(p, edge);
    else if (dice < 83)
        play_invite(p, edge);
    else if (dice < 95)
        play_move(p, sub);
    else
        play_finance(p);
}

static void some_settlement(struct play *p)
{
    struct world *w = p->w;
    int party = 0;
    if (w->seed % 3 != 0 && world_percent(w, 15)) /* in the others people wait */
        play_fund(p);
    if (p->m->payout_count > 0 && world_percent(w, 60))
        play_payout(p, (int)world_below(w, p->m->payout_count));
    else {
        if (w->agreement_count > 0 && world_percent(w, 60))
            party = w->agreements[world_below(w, w->agreement_count)].from;
        play_settlement(p, party);
    }
}

static void some_step(struct play *p)
{
    struct world *w = p->w;
    int dice = (int)world_below(w, 100);
    if (w->sub_count == 0)
        return;
    int sub = (int)world_below(w, w->sub_count);
    if (dice < 30)
        play_usage(p, sub);
    else if (dice < 55)
        some_change(p, sub);
    else if (dice < 72)
        some_payment(p);
    else if (dice < 80)
        some_credit(p);
    else if (dice < 84)
        some_return(p);
    else if (dice < 88)
        some_write_off(p);
    else
        some_settlement(p);
}

/* A month: things happen at any time, then it is closed some time after its end. */
static void play_one_month(struct play *p, const struct options *o, int month)
{
    struct world *w = p->w;
    int64_t steps = world_between(w, 3, 20) * (w->party_count > MANY ? MORE : 1);
    for (int64_t i = 0; i < steps; i++) {
        int64_t left = w->month[month + 1] - w->now;
        w->now += left > 0 ? world_between(w, 0, left / (steps - i)) : 0;
        some_step(p);
        step_done(p, o);
    }
    int64_t of = world_month_of((enum w_zone)w->parties[0].zone, w->month[month]);
    for (int zone = 0; zone < ZONES; zone++) { /* it has ended everywhere */
        int64_t end = world_month_begin((enum w_zone)zone, of + 1);
        w->now = w->now < end ? end : w->now;
    }
    w->now += world_between(w, 0, 2 * DAY_US);
    play_month(p, month);
    step_done(p, o);
}

static size_t parties_of(uint64_t seed)
{
    struct world chance = {.chance = seed ^ 1};
    return (size_t)world_between(&chance, PARTIES_LEAST, PARTIES_MOST);
}

static int play_world(const struct options *o, uint64_t seed)
{
    struct world *w = world_make(seed, o->parties > 0 ? (size_t)o->parties : parties_of(seed));
    struct model *m = model_new(w);
    struct play *p = calloc(1, sizeof *p);
    if (p == NULL)
        abort();
    play_open(p, w, m);
    p->trace = o->trace != 0;
    play_build(p);
    step_done(p, o);
    for (int i = 0; i < w->months; i++)
        play_one_month(p, o, i);
    for (int i = 0; i < 10; i++) {
        w->now += world_between(w, 0, DAY_US);
        some_step(p);
        step_done(p, o);
    }
    play_verify(p);
    int steps = p->step;
    play_close(p);
    free(p);
    model_free(m);
    world_free(w);
    return steps;
}

/* --- many --- */

enum { JOBS_MAX = 64, TELL_EVERY = 100, LEAST = 2 };

/* Each world is a process of its own: one that fails does not keep the others from being played. */
struct many {
    const struct options *o;
    struct timespec began;
    int64_t next; /* world, from 0 */
    int64_t done;
    int64_t failed;
    struct {
        pid_t pid; /* 0: none */
        uint64_t seed;
    } jobs[JOBS_MAX];
};

static pid_t start(const struct options *o, uint64_t seed, bool quiet)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        abort();
    if (child == 0) {
        if (quiet && freopen("/dev/null", "w", stderr) == NULL)
            abort();
        (void)play_world(o, seed);
        exit(EXIT_SUCCESS);
    }
    return child;
}

static bool agrees(const struct options *o, uint64_t seed, bool quiet)
{
    int status = 0;
    pid_t child = start(o, seed, quiet);
    if (waitpid(child, &status, 0) != child)
        abort();
    return status == 0;
}

/* The smallest world of the same seed that differs, told in words: by how many parties. */
static void shrink(const struct options *o, uint64_t seed)
{
    struct options smaller = *o;
    size_t whole = o->parties > 0 ? (size_t)o->parties : parties_of(seed);
    for (smaller.parties = LEAST; (size_t)smaller.parties < whole; smaller.parties++) {
        if (agrees(&smaller, seed, true))
            continue;
        fprintf(stderr, "worlds: seed %llu differs with --parties %lld, too:\n",
                (unsigned long long)seed, (long long)smaller.parties);
        (void)agrees(&smaller, seed, false);
        return;
    }
    fprintf(stderr, "worlds: seed %llu has no smaller world that differs (%zu parties)\n",
            (unsigned long long)seed, whole);
}

static void tell(const struct many *m)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t seconds = now.tv_sec - m->began.tv_sec;
    int64_t left = m->done > 0 ? seconds * (m->o->worlds - m->done) / m->done : 0;
    int64_t lowest = m->o->from + m->next;
    for (int j = 0; j < JOBS_MAX; j++)
        if (m->jobs[j].pid != 0 && (int64_t)m->jobs[j].seed < lowest)
            lowest = (int64_t)m->jobs[j].seed;
    printf("%lld of %lld worlds, %lld differ, %lld a minute, %lld min left; all below seed %lld "
           "are played\n",
           (long long)m->done, (long long)m->o->worlds, (long long)m->failed,
           (long long)(seconds > 0 ? m->done * 60 / seconds : 0), (long long)(left / 60),
           (long long)lowest);
    (void)fflush(stdout);
}

static int free_job(const struct many *m)
{
    for (int j = 0; j < (int)m->o->jobs; j++)
        if (m->jobs[j].pid == 0)
            return j;
    return EVERYTHING;
}

static void wait_for_one(struct many *m)
{
    int status = 0;
    int j = 0;
    pid_t pid = wait(&status);
    while (j < JOBS_MAX && m->jobs[j].pid != pid)
        j++;
    if (pid <= 0 || j == JOBS_MAX)
        abort();
    m->jobs[j].pid = 0;
    m->done++;
    if (status != 0) {
        m->failed++;
        shrink(m->o, m->jobs[j].seed);
    }
    if (m->o->worlds > TELL_EVERY && m->done % TELL_EVERY == 0)
        tell(m);
}

static int play_all(const struct options *o)
{
    struct many *m = calloc(1, sizeof *m);
    if (m == NULL)
        abort();
    m->o = o;
    (void)clock_gettime(CLOCK_MONOTONIC, &m->began);
    while (m->done < o->worlds) {
        int j = m->next < o->worlds ? free_job(m) : EVERYTHING;
        if (j == EVERYTHING) {
            wait_for_one(m);
            continue;
        }
        m->jobs[j].seed = (uint64_t)(o->from + m->next++);
        m->jobs[j].pid = start(o, m->jobs[j].seed, false);
    }
    printf("%lld passed, %lld failed\n", (long long)(o->worlds - m->failed), (long long)m->failed);
    int rc = m->failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    free(m);
    return rc;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    const struct {
        const char *name;
        int64_t *value;
    } all[] = {{"--worlds", &o->worlds},   {"--from", &o->from}, {"--jobs", &o->jobs},
               {"--parties", &o->parties}, {"--seed", &o->seed}, {"--steps", &o->steps},
               {"--trace", &o->trace}};
    for (int i = 1; i < argc; i += 2) {
        bool found = false;
        for (size_t k = 0; k < COUNT(all) && i + 1 < argc && !found; k++)
            found = strcmp(argv[i], all[k].name) == 0 &&
                    str_to_i64(str_c(argv[i + 1]), 0, INT64_MAX, all[k].value);
        if (!found)
            return false;
    }
    return o->jobs > 0 && o->jobs <= JOBS_MAX;
}

int main(int argc, char **argv)
{
    struct options o = {.worlds = 200, .from = 1, .jobs = 2, .seed = -1, .steps = STEPS_MAX};
    if (!read_options(argc, argv, &o)) {
        fprintf(stderr, "usage: worlds [--worlds N] [--from SEED] [--jobs N] [--parties N]\n"
                        "       worlds --seed SEED [--steps N] [--parties N] [--trace 1]\n");
        return EXIT_FAILURE;
    }
    if (o.seed < 0)
        return play_all(&o);
    int steps = play_world(&o, (uint64_t)o.seed);
    printf("worlds: seed %lld agrees after %d steps\n", (long long)o.seed, steps);
    return EXIT_SUCCESS;
}
