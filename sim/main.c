/*
 * main.c - fleets from seeds, each in a process of its own: sim.h.
 *
 *     sim [--seeds N] [--from SEED] [--jobs N] [--nodes N] [--sites N] [--services N] [--hours N]
 *         [--storm PERCENT] [--deeds N] [--keeps PERCENT] [--watched PERCENT]
 *         [--report S] [--meter S] [--look S] [--pull S]
 *     sim --seed SEED [--trace 1] [...]
 */
#include "sim.h"

#include <sys/wait.h>
#include <time.h>

enum { JOBS_MAX = 64, NOBODY = -1, TELL_EVERY = 100 };

struct line {
    struct sim_options sim;
    int64_t seeds;
    int64_t from;
    int64_t jobs;
    int64_t seed; /* -1: many */
};

struct job {
    pid_t pid; /* 0: none */
    int64_t seed;
};

struct many {
    const struct line *line;
    struct job jobs[JOBS_MAX];
    int64_t next, done, failed;
};

static pid_t start(const struct line *line, int64_t seed)
{
    (void)fflush(NULL);
    pid_t child = fork();
    ASSERT(child >= 0);
    if (child == 0) {
        if (line->seeds > TELL_EVERY && freopen("/dev/null", "w", stdout) == NULL)
            exit(EXIT_FAILURE);
        sim_play(&line->sim, (uint64_t)seed);
        exit(EXIT_SUCCESS);
    }
    return child;
}

static int free_job(const struct many *m)
{
    for (int j = 0; j < (int)m->line->jobs; j++)
        if (m->jobs[j].pid == 0)
            return j;
    return NOBODY;
}

static void wait_for_one(struct many *m)
{
    int status = 0, j = 0;
    pid_t pid = wait(&status);
    while (j < JOBS_MAX && m->jobs[j].pid != pid)
        j++;
    ASSERT(pid > 0 && j < JOBS_MAX);
    m->jobs[j].pid = 0;
    m->done++;
    if (status != 0) {
        m->failed++;
        fprintf(stderr, "see it again: sim --seed %lld --trace 1, and the same sizes\n",
                (long long)m->jobs[j].seed);
    }
    if (m->line->seeds > TELL_EVERY && m->done % TELL_EVERY == 0) {
        printf("%lld of %lld seeds, %lld fail\n", (long long)m->done, (long long)m->line->seeds,
               (long long)m->failed);
        (void)fflush(stdout);
    }
}

static int play_all(const struct line *line)
{
    struct many m = {.line = line};
    while (m.done < line->seeds) {
        int j = m.next < line->seeds ? free_job(&m) : NOBODY;
        if (j == NOBODY) {
            wait_for_one(&m);
            continue;
        }
        m.jobs[j].seed = line->from + m.next++;
        m.jobs[j].pid = start(line, m.jobs[j].seed);
    }
    printf("%lld passed, %lld failed\n", (long long)(line->seeds - m.failed), (long long)m.failed);
    return m.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool read_line(int argc, char **argv, struct line *l)
{
    const struct {
        const char *name;
        int64_t *value;
        int64_t least, most;
    } all[] = {{"--seeds", &l->seeds, 1, INT32_MAX},
               {"--from", &l->from, 0, INT64_MAX - INT32_MAX},
               {"--jobs", &l->jobs, 1, JOBS_MAX},
               {"--seed", &l->seed, 0, INT64_MAX},
               {"--nodes", &l->sim.nodes, 1, 60000},
               {"--sites", &l->sim.sites, 1, 60000},
               {"--services", &l->sim.services, 1, 1000000},
               {"--hours", &l->sim.hours, 1, 24 * 366},
               {"--report", &l->sim.report_s, 1, 120},
               {"--meter", &l->sim.meter_s, 1, 86400},
               {"--pull", &l->sim.pull_s, 1, 3600},
               {"--look", &l->sim.look_s, 1, 3600},
               {"--deeds", &l->sim.deeds, 0, 10000},
               {"--storm", &l->sim.storm, 0, 1000},
               {"--keeps", &l->sim.keeps, 0, SIM_PERCENT},
               {"--watched", &l->sim.watched, 0, SIM_PERCENT},
               {"--trace", &l->sim.trace, 0, 1}};
    for (int i = 1; i < argc; i += 2) {
        bool found = false;
        for (size_t k = 0; k < COUNT(all) && i + 1 < argc && !found; k++)
            found = strcmp(argv[i], all[k].name) == 0 &&
                    str_to_i64(str_c(argv[i + 1]), all[k].least, all[k].most, all[k].value);
        if (!found)
            return false;
    }
    return l->sim.sites <= l->sim.nodes;
}

int main(int argc, char **argv)
{
    struct line l = {.sim = {.nodes = 5,
                             .sites = 3,
                             .services = 20,
                             .hours = 6,
                             .report_s = 30,
                             .meter_s = 300,
                             .look_s = 5,
                             .pull_s = 120,
                             .deeds = 240,
                             .storm = 2 * SIM_PERCENT,
                             .keeps = 30,
                             .watched = 30},
                     .seeds = 10,
                     .from = 1,
                     .jobs = 2,
                     .seed = NOBODY};
    if (!read_line(argc, argv, &l)) {
        fprintf(stderr,
                "usage: sim [--seeds N] [--from SEED] [--jobs N] [--seed SEED] [--trace 1]\n"
                "           [--nodes N] [--sites N] [--services N] [--hours N] [--storm PERCENT]\n"
                "           [--deeds N] [--keeps PERCENT] [--watched PERCENT]\n"
                "           [--report S] [--meter S] [--look S] [--pull S]\n");
        return EXIT_FAILURE;
    }
    if (l.seed == NOBODY)
        return play_all(&l);
    sim_play(&l.sim, (uint64_t)l.seed);
    return EXIT_SUCCESS;
}
