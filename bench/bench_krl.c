/*
 * bench_krl.c - the KRL machine: loops over maps, strings and numbers, in steps and in time.
 *
 * The programs are in bench/krl_programs.txt. Each is compiled once and evaluated as often as fits;
 * the best of many short rounds counts, so that what else the machine does is left out. An
 * evaluation is a whole activation: machine, globals, the result as JSON.
 *
 *     bench_krl [NAME]      only that program, and without the peer: for a profile
 *
 * Behind it the same programs by the official compiler under Node.js, warmed up and measured the
 * same way in the same run (tools/krl-peer, whose head says what it needs); results are compared.
 * Where that is missing, it is said.
 */
#include "base/clock.h"
#include "base/process.h"
#include "krl/compile.h"
#include "krl/sim.h"

enum {
    PROGRAMS_MAX = 100,
    FILE_BYTES_MAX = 64 * 1024,
    LINE_MAX_BYTES = 4096,
    MEMORY = 64 * 1024 * 1024,
    ROUNDS_LEAST = 5,
};

#define ROUND_US   (5 * US_PER_MS)   /* short, so that some are not disturbed */
#define PROGRAM_US (300 * US_PER_MS) /* all rounds of one program */

static const char *const table = "bench/krl_programs.txt"; /* its head says what is in it */

struct program {
    struct str name;
    struct str source;
    struct str unit; /* what one evaluation does so many of */
    double units;
    double us;         /* of an evaluation */
    struct str result; /* as JSON */
};

static struct str read_table(struct arena *arena)
{
    char *bytes = arena_bytes(arena, FILE_BYTES_MAX);
    FILE *file = fopen(table, "re");
    if (file == NULL) {
        (void)fprintf(stderr, "bench_krl: %s is not here: start it in the source tree\n", table);
        exit(1);
    }
    size_t n = fread(bytes, 1, FILE_BYTES_MAX, file);
    (void)fclose(file);
    ASSERT(n < FILE_BYTES_MAX);
    return str_n(bytes, n);
}

static size_t read_programs(struct str rest, struct program *programs)
{
    size_t n = 0;
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, STR("== ")))
            continue;
        ASSERT(n < PROGRAMS_MAX);
        struct str head = str_sub(line, 3, line.n);
        struct program *p = &programs[n++];
        *p = (struct program){.name = str_trim(str_cut(&head, '|'))};
        p->units = strtod(str_trim(str_cut(&head, '|')).p, NULL);
        p->unit = str_trim(head);
        size_t end = 0;
        while (end < rest.n && !str_starts(str_sub(rest, end, rest.n), STR("\n== ")))
            end++;
        p->source = str_trim(str_sub(rest, 0, end));
    }
    return n;
}

static double best_us(struct krl_sim *sim, const struct krl_code *code)
{
    struct clock *clock = clock_system();
    struct krl_place where;
    struct err err;
    double best = 0;
    time_us begin = clock_steady(clock);
    for (int round = 0; round < ROUNDS_LEAST || clock_steady(clock) - begin < PROGRAM_US; round++) {
        int64_t runs = 0;
        time_us start = clock_steady(clock);
        time_us now = start;
        for (; now - start < ROUND_US; now = clock_steady(clock), runs++) {
            buf_reset(sim->out);
            enum rc rc = krl_sim_evaluate(sim, code, &where, &err);
            ASSERT(rc == RC_OK);
        }
        double us = (double)(now - start) / (double)runs;
        best = round == 0 || us < best ? us : best;
    }
    return best;
}

static void measure(struct krl_sim *sim, struct program *p, struct arena *kept)
{
    struct arena arena;
    struct err err;
    const struct krl_code *code = NULL;
    arena_init(&arena, MEMORY);
    if (krl_compile(p->source, &arena, &code, &err) != RC_OK) {
        (void)fprintf(stderr, "bench_krl: %.*s: %.*s\n", STRF(p->name), STRF(err_text(&err)));
        exit(1);
    }
    p->us = best_us(sim, code);
    p->result = arena_str(kept, str_trim(buf_str(sim->out)));
    printf("%.*s: %.1f us, %.2f million %.*s a second, %lld steps\n", STRF(p->name), p->us,
           p->units / p->us, STRF(p->unit), (long long)sim->steps_used);
    arena_fini(&arena);
}

/* --- the peer --- */

/* Each line of the peer: name, microseconds and the result, between tabs; the first says what it
 * is. */
static size_t read_peer(FILE *peer, const struct program *programs, size_t n)
{
    char line[LINE_MAX_BYTES];
    char version[100] = "node";
    size_t count = 0;
    while (fgets(line, sizeof line, peer) != NULL) {
        struct str rest = str_trim(str_c(line));
        struct str name = str_cut(&rest, '\t');
        if (rest.n == 0)
            (void)snprintf(version, sizeof version, "%.*s", STRF(name));
        for (size_t i = 0; i < n; i++) {
            if (!str_eq(programs[i].name, name))
                continue;
            double us = strtod(str_cut(&rest, '\t').p, NULL);
            bool same = str_eq(rest, programs[i].result);
            printf("%.*s, %s: %.1f us, ratio %.1f%s\n", STRF(name), version, us,
                   us / programs[i].us, same ? "" : ", BUT ANOTHER RESULT");
            count += same;
        }
    }
    return count;
}

static bool run_peer(const struct program *programs, size_t n)
{
    /* Its words are ours and fixed. NOLINTNEXTLINE(cert-env33-c) */
    FILE *peer = popen("exec node tools/krl-peer --time 2>/dev/null", "r");
    ASSERT(peer != NULL);
    size_t count = read_peer(peer, programs, n);
    int status = pclose(peer);
    if (status == 0 && count == n)
        return true;
    printf("the peer is missing: %zu of %zu programs gave the same under Node.js with the official "
           "compiler; the head of tools/krl-peer says how to get it\n",
           count, n);
    return status != 0; /* missing is no failure, another result is */
}

int main(int argc, char **argv)
{
    static struct program programs[PROGRAMS_MAX];
    static struct krl_sim sim;
    struct arena kept;
    struct buf out;
    process_prepare(); /* as the engine does */
    arena_init(&kept, MEMORY);
    buf_init(&out, &kept, KRL_SIM_OUT_MAX);
    krl_sim_init(&sim, &kept, &out);
    sim.memory_bytes = MEMORY;
    size_t n = read_programs(read_table(&kept), programs);
    for (size_t i = 0; i < n; i++)
        if (argc == 1 || str_eq(str_c(argv[1]), programs[i].name))
            measure(&sim, &programs[i], &kept);
    (void)fflush(stdout); /* before the peer's lines */
    bool same = argc > 1 || run_peer(programs, n);
    arena_fini(&kept);
    return same ? 0 : 1;
}
