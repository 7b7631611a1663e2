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
        if (d->code == CODE_INVOICE && d->gross - d->prepaid - d->paid - d->credited > 0)
            return doc;
    }
    return EVERYTHING;
}

static void some_payment(struct play *p)
{
    int doc = open_document(p);
    if (doc == EVERYTHING)
        return;
    const struct m_doc *d = &p->m->docs[doc];
    int64_t open = d->gross - d->prepaid - d->paid - d->credited;
    int64_t amount = world_percent(p->w, 50) ? open : world_between(p->w, 1, open);
    play_payment(p, doc, world_percent(p->w, 5) ? open + 7 : amount);
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
    if (d->code == CODE_INVOICE && d->credited < d->gross)
        play_credit(p, doc);
}

/* Credit under COLLECT is a share of its own, which the model does not have. */
static void give_credit(struct play *p, int edge)
{
    if (p->w->edges[edge].settle != WAY_COLLECT)
        play_wallet(p, edge);
}

static void some_change(struct play *p, int sub)
{
    int dice = (int)world_below(p->w, 100);
    if (dice < 30)
        play_price(p);
    else if (dice < 55)
        play_subscribe(p);
    else if (dice < 75)
        play_change(p, sub);
    else if (dice < 85)
        play_end(p, sub);
    else if (dice < 93)
        give_credit(p, p->w->subs[sub].edge);
    else
        play_coupon(p, p->w->subs[sub].edge);
}

static void some_settlement(struct play *p)
{
    struct world *w = p->w;
    int party = 0;
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
    else if (dice < 50)
        some_change(p, sub);
    else if (dice < 70)
        some_payment(p);
    else if (dice < 80)
        some_credit(p);
    else if (dice < 87)
        some_return(p);
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

static int play_world(const struct options *o, uint64_t seed)
{
    struct world chance = {.chance = seed ^ 1};
    size_t parties = (size_t)world_between(&chance, PARTIES_LEAST, PARTIES_MOST);
    struct world *w = world_make(seed, o->parties > 0 ? (size_t)o->parties : parties);
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

/* Each world is a process of its own: one that fails does not keep the others from being played. */
static bool play_share(const struct options *o, int64_t job, int64_t *ret_failed)
{
    for (int64_t i = job; i < o->worlds; i += o->jobs) {
        int status = 0;
        (void)fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            (void)play_world(o, (uint64_t)(o->from + i));
            exit(EXIT_SUCCESS);
        }
        if (child < 0 || waitpid(child, &status, 0) != child)
            return false;
        if (status != 0)
            ++*ret_failed;
    }
    return true;
}

static int play_all(const struct options *o)
{
    enum { JOBS_MAX = 64 };
    pid_t jobs[JOBS_MAX];
    int64_t failed = 0;
    (void)fflush(NULL);
    for (int64_t j = 0; j < o->jobs; j++) {
        jobs[j] = fork();
        if (jobs[j] == 0) {
            int64_t mine = 0;
            bool ok = play_share(o, j, &mine);
            _exit(!ok || mine > 254 ? 255 : (int)mine);
        }
    }
    for (int64_t j = 0; j < o->jobs; j++) {
        int status = 0;
        if (jobs[j] < 0 || waitpid(jobs[j], &status, 0) != jobs[j] || !WIFEXITED(status))
            failed++;
        else
            failed += WEXITSTATUS(status);
    }
    printf("%lld passed, %lld failed\n", (long long)(o->worlds - failed), (long long)failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
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
    return o->jobs > 0 && o->jobs <= 64;
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
